"""An edge is killed with kill -9 under 200 messages a second
Every message that either edge answered 250 is in the mailbox; senders go on by the other edge; what the dead edge had on disk
goes on when it is up again."""
import time

from .. import mail
from ..machine import wait_for

DOUBLES_MOST = 10  # a reply that died with the edge: the sender sends again, SMTP cannot tell
RATE = 200


def tell(tale):
    lab = tale.lab
    with mail.Flood(lab, rate=RATE, connections=10) as flood:
        lab_wait(flood, RATE)
        lab.edges["edge1"].die()
        tale.say(f"edge1 is dead (kill -9 of every process), {len(flood.sent)} messages were taken so far")
        at_death = len(flood.sent)
        lab_wait(flood, RATE)
        tale.say(f"{len(flood.sent) - at_death} more were taken by edge2 meanwhile")
        lab.edges["edge1"].up()
        tale.say("edge1 is up")
        lab_wait(flood, RATE // 2)
    tale.say(f"{len(flood.sent)} messages answered 250 at {len(flood.sent) / (time.monotonic() - flood.started):.0f}/s, "
             f"{flood.again} attempts failed and were made again")
    tale.wait_arrival("campus", flood.sent)


def lab_wait(flood, more, seconds=60):
    """Until so many more messages have been taken."""
    target = len(flood.sent) + more
    wait_for(lambda: len(flood.sent) >= target, lambda: f"{target} messages are taken, not {len(flood.sent)}: {flood.failures}",
             seconds)
