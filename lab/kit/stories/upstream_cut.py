"""One upstream network is cut
Senders that go by MX reach the other edge and lose nothing. Mail to the world that lies on the edge without a network goes when
the network is back."""
from .. import mail
from ..machine import wait_for
from .edge_killed import lab_wait

DOUBLES_ALLOWED = True  # a reply that was on the wire: the sender sends again, SMTP cannot tell


def tell(tale):
    lab = tale.lab
    lab.wait_shared_address()
    with mail.Flood(lab, rate=40, connections=4, patience=1.5) as flood:
        lab_wait(flood, 20)
        lab.wires.cut("edge1", "up1")
        at_cut = len(flood.sent)
        tale.say("upstream network 1 is cut")
        outward = [tale.from_inside() for _ in range(3)]
        lab_wait(flood, 80)
        tale.say(f"{len(flood.sent) - at_cut} more messages came in by upstream network 2")
        tale.wait_arrival("campus", tale.from_world("edge2"))
        lab.wires.mend("edge1", "up1")
        tale.say("upstream network 1 is back")
        wait_for(lambda: tale.from_world("edge1"), "edge1 is reached again")
    tale.wait_arrival("faraway", outward)
    tale.wait_arrival("campus", flood.sent)
    tale.say(f"all {len(flood.sent)} messages from the world and the three to the world have arrived; "
             f"{flood.again} attempts went astray and were made again")
