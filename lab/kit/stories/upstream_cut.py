"""One upstream network is cut
The world reaches the other edge: senders that go by MX lose nothing and wait for nobody; mail to the world that waited on the
edge without a network goes when the network is back, or by the other edge."""
from .. import mail


def tell(tale):
    lab = tale.lab
    with mail.Flood(lab, rate=40, connections=4) as flood:
        tale.wait_arrival("campus", tale.from_world("edge1"))
        lab.wires.cut("edge1", "up1")
        tale.say("upstream network 1 is cut")
        late = [tale.from_world("edge2") for _ in range(3)]
        tale.wait_arrival("campus", late)
        outward = [tale.from_inside() for _ in range(3)]
        tale.say("mail by upstream network 2 has arrived; three messages to the world are on their way")
        lab.wires.mend("edge1", "up1")
        tale.say("upstream network 1 is back")
        tale.wait_arrival("faraway", outward)
    tale.wait_arrival("campus", flood.sent)
    tale.say(f"{len(flood.sent)} messages from senders that go by MX, {flood.again} times by another exchanger or again: all arrived")
