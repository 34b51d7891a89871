"""The wall is killed and comes back
While no wall accepts a connection the edges keep mail in their own journals and say 250; when the wall is back it all arrives,
and nothing that the wall had taken is lost."""
from .. import mail
from .edge_killed import lab_wait

DOUBLES_MOST = 8 + 20  # what its senders or its own 20 connections inward had in hand when the wall died without a reply


def tell(tale):
    lab = tale.lab
    wall = lab.walls["wall"]
    with mail.Flood(lab, rate=100, connections=8) as flood:
        lab_wait(flood, 50)
        wall.die()
        at_death = len(flood.sent)
        tale.say(f"the wall is dead (kill -9), {at_death} messages were taken so far")
        lab_wait(flood, 100)
        tale.say(f"{len(flood.sent) - at_death} more were taken by the edges without it")
        wall.up()
        tale.say("the wall is up")
        lab_wait(flood, 50)
    tale.wait_arrival("campus", flood.sent)
    tale.say(f"all {len(flood.sent)} messages have arrived")
