"""A second wall is added and shares the load
The edges know of it already; when it comes up they give each wall its share, when one of the two is killed under load the other
takes all, and no message waits for the dead one."""
from .. import mail
from .edge_killed import lab_wait

DOUBLES_MOST = 16 + 20  # what its senders or its own 20 connections inward had in hand when the wall died without a reply
RATE = 400


def tell(tale):
    lab = tale.lab
    walls = [lab.walls["wall"], lab.walls["wall2"]]
    walls[1].up()
    tale.say("wall2 is up")
    try:
        with mail.Flood(lab, rate=RATE, connections=16) as flood:
            lab_wait(flood, RATE // 4, seconds=90)  # an edge that knew it as dead tries it again now and then
            tale.until(lambda: walls[1].counter("receive", "messages kept") > RATE // 10, "wall2 gets mail of both edges", 90)
            before = [wall.counter("receive", "messages kept") for wall in walls]
            lab_wait(flood, RATE)
            share = [wall.counter("receive", "messages kept") - old for wall, old in zip(walls, before)]
            assert min(share) >= sum(share) * 0.1, share
            tale.say(f"of {sum(share)} messages wall took {share[0]} and wall2 {share[1]}")
            walls[0].die()
            tale.say("wall is dead (kill -9)")
            kept = commits(lab)
            lab_wait(flood, RATE)
            assert kept == commits(lab), "an edge kept mail though a wall lives"
            tale.say(f"{RATE} messages more were handed through to wall2; the edges kept none")
            walls[0].up()
            tale.say("wall is up")
            lab_wait(flood, RATE // 4)
        tale.wait_arrival("campus", flood.sent)
        tale.say(f"all {len(flood.sent)} messages have arrived")
        tale.close_account()
    finally:
        walls[1].stop("sekimorid")


def commits(lab):
    """How often the edges wrote to their journals."""
    return sum(edge.counter("queue", "commits") for edge in lab.edges.values())
