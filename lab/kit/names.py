"""The Internet's name server: unbound with the zones of plan.py and nothing else. And a question to it, the way a sending
host asks for an MX."""
import random
import socket
import struct

from . import plan, wires
from .machine import Machine, wait_for

MX, A = 15, 1


def configuration(folder):
    lines = ["server:", f"  interface: {plan.NAME_SERVER}", "  access-control: 0.0.0.0/0 allow", f"  directory: \"{folder}\"",
             "  do-daemonize: no", "  chroot: \"\"", "  username: \"\"", "  pidfile: \"\"", "  use-syslog: no",
             "  module-config: \"iterator\"", "  local-zone: \".\" static"]
    lines += [f"  local-zone: \"{zone}.\" static" for zone in plan.ZONES]
    for record in plan.RECORDS:
        name, kind, value = record.split(None, 2)
        lines.append(f"  local-data: '{name} {plan.TTL.get(name, 60)} IN {kind} {value}'")
        if kind == "A":
            lines.append(f"  local-data-ptr: \"{value} {name}\"")
    return "\n".join(lines) + "\nremote-control:\n  control-enable: no\n"


class NameServer(Machine):
    def up(self):
        path = self.folder / "unbound.conf"
        path.write_text(configuration(self.folder))
        self.start("unbound", "unbound", "-d", "-c", path)
        wait_for(self.answers, "the name server answers")

    def answers(self):
        try:
            return bool(ask(self.lab, "names", "example.ac.jp", MX, 0.3))
        except OSError:
            return False


def skip_name(packet, at):
    while packet[at] != 0:
        if packet[at] >= 0xc0:
            return at + 2
        at += 1 + packet[at]
    return at + 1


def read_name(packet, at):
    labels = []
    while packet[at] != 0:
        if packet[at] >= 0xc0:
            at = struct.unpack_from("!H", packet, at)[0] & 0x3fff
            continue
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels)


def ask(lab, host, name, kind, seconds=3.0):
    """The answers' values: (preference, exchanger) or an address."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    query = struct.pack("!HHHHHH", random.getrandbits(16), 0x0100, 1, 0, 0, 0) + question + struct.pack("!HH", kind, 1)
    with wires.inside(lab.wires.namespace(host)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to:
        to.settimeout(seconds)
        to.connect((plan.NAME_SERVER, 53))
        to.send(query)
        packet = to.recv(4096)
    at = skip_name(packet, 12) + 4
    found = []
    for _ in range(struct.unpack_from("!H", packet, 6)[0]):
        at = skip_name(packet, at)
        this, _, _, length = struct.unpack_from("!HHIH", packet, at)
        at += 10
        if this == kind == MX:
            found.append((struct.unpack_from("!H", packet, at)[0], read_name(packet, at + 2)))
        elif this == kind == A:
            found.append(socket.inet_ntoa(packet[at:at + 4]))
        at += length
    return found


def exchangers(lab, host, domain):
    """The addresses of a domain's mail servers in order; equal ones by chance, as RFC 5321 section 5.1 wants it."""
    listed = sorted(ask(lab, host, domain, MX), key=lambda one: (one[0], random.random()))
    return [address for _, name in listed for address in ask(lab, host, name, A)]
