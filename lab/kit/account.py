"""The balance over all nodes. Every message that got 250 from an edge or a wall is in a mailbox, or held, or given back to its
sender: none lost. What lies in a mailbox twice is counted and shown: it may be there only where SMTP itself cannot tell."""
import dataclasses
import re

from .machine import wait_for

MARK = re.compile(r"^X-Lab: (\S+)", re.M)


@dataclasses.dataclass
class Account:
    acknowledged: int = 0
    delivered: int = 0
    held: int = 0
    returned: int = 0
    doubled: int = 0
    nodes: dict = dataclasses.field(default_factory=dict)

    def __str__(self):
        rows = [f"{self.acknowledged} answered 250 = {self.delivered} in a mailbox + {self.held} held + {self.returned} returned; "
                f"none lost, {self.doubled} doubled"]
        rows += [f"  {name}: {ends(sheet)}" for name, sheet in self.nodes.items()]
        return "\n".join(rows)


def ends(sheet):
    """What a node's own balance says: everything its journal ever took, by how it ended."""
    journal = {line["name"]: line["journal"] for line in sheet["lines"] if "journal" in line}
    ended = [f"{count} {name}" for name, count in journal.items() if name not in ("accepted", "own") and count]
    sides = f"{journal['accepted']} kept + {journal.get('own', 0)} of its own", " + ".join([*ended, f"{sheet['live']} live"])
    return " = ".join(sides) + ", balanced"


def waiting(lab):
    """Recipients in any queue, and what is in quarantine: (count, numbers of what is held)."""
    count, held = 0, set()
    for node in lab.nodes_up():
        listed, kept = node.queued(), node.quarantined()
        if listed is None or kept is None:
            return 1, held
        for message in kept:
            held |= set(MARK.findall(node.quarantined_content(message["id"])))
        for message in listed:
            count += len(message["recipients"])  # what is held is on its way into the quarantine
    return count, held


def close(lab, numbers, doubles_most=0, seconds=60):
    """Waits until nothing is on its way, then holds the books against each other. `numbers`: what this story got 250 for;
    `doubles_most`: what may have been on its way, with its reply lost, when something was killed."""
    wait_for(lambda: waiting(lab)[0] == 0, lambda: f"every queue is empty: {describe(lab)}", seconds)
    _, held = waiting(lab)
    arrived, returned = {}, set()
    for box in lab.mailboxes.values():
        for number, count in box.arrived().items():
            arrived[number] = arrived.get(number, 0) + count
        returned |= box.notices()
    numbers = set(numbers)
    lost = numbers - set(arrived) - held - returned
    assert not lost, f"{len(lost)} of {len(numbers)} messages that were answered 250 are lost: {sorted(lost)[:5]}"
    doubled = sum(arrived[number] - 1 for number in numbers if arrived.get(number, 0) > 1)
    assert doubled <= doubles_most, f"{doubled} messages arrived twice"
    for node in lab.nodes_up():
        assert not node.complaints(), f"{node.name} said {node.complaints()}: {node.log('sekimorid')}"
    return Account(len(numbers), len(numbers & set(arrived)), len((numbers & held) - set(arrived)),
                   len((numbers & returned) - set(arrived) - held), doubled, {node.name: node.balance() for node in lab.nodes_up()})


def describe(lab):
    return {node.name: [(one["id"], one["recipients"]) for one in (node.queued() or [])][:3] for node in lab.nodes_up()}

