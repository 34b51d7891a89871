"""A node is drained, serviced, and put back
`sekimori drain` on the edge that has the shared address: it takes no more mail, its queue goes to the other edge, the address
moves, and when the command ends the machine may be switched off. No sender loses anything; `undrain` puts it back."""
from .. import mail
from .edge_killed import lab_wait

WAITING = 20


def tell(tale):
    lab = tale.lab
    name = lab.wait_shared_address()
    edge, other = lab.edges[name], next(one for one in lab.edges.values() if one.name != name)
    with mail.Flood(lab, rate=50, connections=4, patience=5) as flood:
        lab_wait(flood, 20)
        lab.mailboxes["faraway"].kill("sink")
        waiting = [tale.from_inside() for _ in range(WAITING)]
        tale.until(lambda: len(edge.queued() or []) >= WAITING, f"{WAITING} messages wait on {name}", 60)
        tale.say(f"{WAITING} messages to a server that is off wait on {name}, which has the shared address")
        said = edge.sekimori("drain").stdout.strip().splitlines()
        tale.say(f"sekimori drain on {name}: {said[-1]}")
        assert not edge.queued(), edge.queued()
        assert lab.wait_shared_address() == other.name
        tale.say(f"its queue is empty; {other.name} has the shared address and {len(other.queued())} messages waiting")
        edge.stop("keepalived")
        edge.stop("sekimorid")
        tale.say(f"{name} is switched off")
        lab_wait(flood, 30)
        lab.mailboxes["faraway"].up()
        tale.wait_arrival("faraway", [*waiting, tale.from_inside()])
        tale.say(f"what waited has gone out by {other.name}, and so does new mail")
        edge.up()
        edge.sekimori("undrain")
        tale.until(edge.is_healthy, f"{name} is well", 30)
        tale.wait_arrival("campus", tale.from_world(name))
        tale.say(f"{name} is back in service and takes mail")
    tale.wait_arrival("campus", flood.sent)
    tale.say(f"all {len(flood.sent)} messages that came meanwhile have arrived, {flood.again} of them by another way at first")
