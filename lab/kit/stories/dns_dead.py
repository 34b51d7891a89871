"""The DNS is dead while inside mail still flows
Routes by address need no DNS: with the name server gone, mail from the world and between departments arrives; mail to the
world waits and goes out when the name server is back."""
from ..machine import wait_for


def tell(tale):
    lab = tale.lab
    lab.names.kill("unbound")
    tale.say("the Internet's name server is dead")
    inward = [tale.from_world(edge, "taro@example.ac.jp") for edge in lab.edges]
    between = tale.from_inside("jiro@econ.example.ac.jp")
    outward = tale.from_inside("friend@elsewhere.example")
    tale.wait_arrival("campus", inward)
    tale.wait_arrival("econ", between)
    tale.say("mail from the world and from campus to econ has arrived all the same")
    wait_for(lambda: any(edge.queued() for edge in lab.edges.values()), "the message to the world waits on an edge", 60)
    assert outward not in lab.mailboxes["faraway"].arrived()
    tale.say("mail to the world waits on an edge")
    lab.names.up()
    tale.say("the name server is back")
    tale.wait_arrival("faraway", outward, 150)  # it is due by then, whatever tries it missed
    tale.say("the message to the world has arrived")
