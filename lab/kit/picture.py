"""Figure 1 in text, with what is so at this moment: which node is up, who has the shared address, how long the queues are,
which cables are pulled."""
from . import plan

WIDTH = 100


def centred(parts):
    """A line with each text around its column."""
    line = [" "] * (WIDTH + 40)
    for column, text in parts:
        start = max(0, column - len(text) // 2)
        line[start:start + len(text)] = text
    return "".join(line).rstrip()


def cable(columns, cut):
    return centred([(column, "╳ cut" if (host, network) in cut else "│") for column, host, network in columns])


def bus(first, last, text):
    line = "─" * (last - first + 1)
    label = f" {text} "
    start = (len(line) - len(label)) // 2
    return " " * first + line[:start] + label + line[start + len(label):]


def node_lines(node, owners):
    """Name and state; shared address; queue; health."""
    if not node.is_up():
        return [f"{node.name} ○ down", "", "", ""]
    queued = node.queued()
    if queued is None:
        state = ["does not answer", ""]
    else:
        states = [one["state"] for message in queued for one in message["recipients"]]
        state = [f"queue {len(states)}, held {states.count('held')}", health(node)]
    return [f"{node.name} ● up", f"has {plan.SHARED_ADDRESS}" if node.name in owners else "", *state]


def health(node):
    done = node.sekimori("health", check=False)
    if done.returncode == 0:
        return "well"
    return "SICK: " + ", ".join(line.split()[0] for line in done.stdout.splitlines() if line.split())


def rows(columns):
    """Columns of several lines each, as lines."""
    height = max(len(lines) for _, lines in columns)
    found = [centred([(column, lines[at]) for column, lines in columns if at < len(lines) and lines[at]]) for at in range(height)]
    return [line for line in found if line]


def program(machine, name):
    return f"{machine.name} {'●' if machine.pid(name) else '○ down'}"


def draw(lab):
    cut, owners = set(lab.wires.cuts()), lab.owners()
    boxes, nodes = lab.mailboxes, lab.nodes
    mails = {name: f"{len(box.look())} mails" for name, box in boxes.items()}
    left, right, middle = 26, 74, 50
    picture = ["", centred([(middle, "the Internet")]),
               *rows([(left, [program(boxes["partner"], "sink"), "192.0.2.10", mails["partner"]]),
                      (middle, [program(lab.names, "unbound"), "192.0.2.53"]),
                      (right, [program(boxes["faraway"], "sink"), "192.0.2.20", mails["faraway"]])]),
               cable([(left, "partner", "world"), (middle, "names", "world"), (right, "faraway", "world")], cut),
               bus(16, 84, "192.0.2.0/24 and the router"),
               cable([(left, "internet", "up1"), (right, "internet", "up2")], cut),
               centred([(left, "upstream 1: 203.0.113.0/24"), (right, "upstream 2: 198.51.100.0/24")]),
               cable([(left, "edge1", "up1"), (right, "edge2", "up2")], cut),
               *rows([(left, node_lines(nodes["edge1"], owners)), (right, node_lines(nodes["edge2"], owners))]),
               cable([(left, "edge1", "private"), (right, "edge2", "private")], cut),
               bus(16, 84, "private network 192.168.0.0/24"),
               cable([(left, "wall", "private"), (right, "wall2", "private")], cut),
               *rows([(left, node_lines(nodes["wall"], owners)), (right, node_lines(nodes["wall2"], owners))]),
               cable([(left, "wall", "dmz"), (right, "wall2", "dmz")], cut),
               bus(16, 84, "DMZ 10.0.0.0/24"),
               cable([(middle, "firewall", "dmz")], cut),
               centred([(middle, "firewall")]),
               cable([(middle, "firewall", "inside")], cut),
               bus(16, 84, "inside: 10.1.0.0/24, 10.2.0.0/24"),
               cable([(left, "campus", "inside"), (middle, "econ", "inside"), (right, "client", "inside")], cut),
               *rows([(left, [program(boxes["campus"], "sink"), "10.1.0.25", mails["campus"]]),
                      (middle, [program(boxes["econ"], "sink"), "10.2.0.25", mails["econ"]]),
                      (right, ["client", "10.1.0.50"])]), ""]
    return "\n".join(picture)
