"""One upstream network is cut
Senders that go by MX reach the other edge and lose nothing. The edge without a network knows that it is sick and gives the
shared address away, so that mail to the world goes out by the other one; what had come to it before goes when its network is
back."""
from .. import mail
from ..machine import wait_for
from .edge_killed import lab_wait

DOUBLES_MOST = 8  # a reply that was on the wire: the sender sends again, SMTP cannot tell


def tell(tale):
    lab = tale.lab
    for edge in lab.edges.values():
        wait_for(edge.is_healthy, f"{edge.name} is healthy", 90)
    sick = lab.wait_shared_address()
    well = next(one for one in lab.edges if one != sick)
    with mail.Flood(lab, rate=40, connections=4, patience=1.5) as flood:
        lab_wait(flood, 20)
        lab.wires.cut(sick, upstream_of(lab, sick))
        at_cut = len(flood.sent)
        tale.say(f"the upstream network of {sick}, which has the shared address, is cut")
        early = [tale.from_inside() for _ in range(3)]
        wait_for(lambda: lab.owners() == [well], lambda: f"{well} has the shared address, now {lab.owners()}", 90)
        said = lab.edges[sick].sekimori("health", check=False).stdout.strip()
        tale.say(f"{well} has the shared address; {sick} says of itself: {said}")
        tale.wait_arrival("faraway", [tale.from_inside() for _ in range(3)])
        tale.say(f"mail to the world goes out by {well}; {len(flood.sent) - at_cut} messages from the world came in meanwhile")
        lab.wires.mend(sick, upstream_of(lab, sick))
        tale.say("the network is back")
    tale.wait_arrival("faraway", early, 120)
    tale.wait_arrival("campus", flood.sent)
    tale.say(f"all {len(flood.sent)} messages from the world and what waited on {sick} have arrived; "
             f"{flood.again} attempts went astray and were made again")
    wait_for(lab.edges[sick].is_healthy, f"{sick} is healthy again", 90)


def upstream_of(lab, edge):
    return next(network for network in lab.edges[edge].host.legs if network.startswith("up"))
