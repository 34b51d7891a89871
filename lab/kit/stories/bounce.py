"""A bounce that must not be sent
A message that was taken and cannot be delivered gives no notice to a sender outside, who may be forged: it is held and the
administrator sees why. A sender inside gets his notice."""
from ..machine import wait_for


def tell(tale):
    lab = tale.lab
    econ, partner, campus = (lab.mailboxes[one] for one in ("econ", "partner", "campus"))
    econ.kill("sink")  # nobody can be asked, so the recipient is taken
    forged = tale.from_world("edge2", "unknown@econ.example.ac.jp", sender="victim@partner.example")
    inside = tale.from_inside("unknown@econ.example.ac.jp", sender="taro@example.ac.jp")
    tale.say("mail for an unknown user, from outside and from inside, was taken while the department's server could not be asked")
    econ.behave("refuse-to unknown")
    econ.up()
    held = wait_for(lambda: find_held(lab, forged), "the message from outside is held", 60)
    tale.say(f"the department's server refuses the user: from outside, held on {held[0]} as {held[1]}, told to nobody")
    wait_for(lambda: inside in campus.notices(), "the inside sender has his notice", 60)
    tale.say("from inside, the sender has his notice")
    assert forged not in partner.notices() and not partner.arrived().get(forged)
    tale.close_account()
    name, message_id = held
    lab.nodes[name].sekimori("quarantine", "delete", message_id)
    tale.say("the administrator deletes what was held")


def find_held(lab, number):
    for node in lab.nodes_up():
        for message in node.quarantined() or []:
            if any(one["state"] == "kept" for one in message["recipients"]) and number in node.quarantined_content(message["id"]):
                return node.name, message["id"]
    return None
