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
        sums = [f"{self.acknowledged} answered 250 = {self.delivered} in a mailbox + {self.held} held + {self.returned} returned, "
                f"none lost, {self.doubled} doubled"]
        for name, sheet in self.nodes.items():
            lines = {line["name"]: line for line in sheet["lines"]}
            kept = lines.get("accepted", {}).get("journal", 0)
            sums.append(f"  {name}: {kept} recipients through its journal, {sheet['live']} live, {sheet['held']} of them held, balanced")
        return "\n".join(sums)


def waiting(lab):
    """Recipients in any queue that are not held: (count, numbers of what is held)."""
    count, held = 0, set()
    for node in lab.nodes_up():
        listed = node.queued()
        if listed is None:
            return 1, held
        for message in listed:
            for recipient in message["recipients"]:
                if recipient["state"] == "held":
                    held |= set(MARK.findall(node.content(message["id"])))
                else:
                    count += 1
    return count, held


def close(lab, numbers, doubles_most=0, seconds=60):
    """Waits until nothing is on its way, then holds the books against each other. `numbers`: what this story got 250 for;
    `doubles_most`: what may have been on its way, with its reply lost, when something was killed."""
    wait_for(lambda: waiting(lab)[0] == 0, lambda: f"every queue is empty but for what is held: {describe(lab)}", seconds)
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

