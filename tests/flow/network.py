"""Network namespaces joined by a bridge, and an observer that sees who owns an address in steps of milliseconds."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000


def run(*words, check=True):
    return subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=check)


def possible():
    """Empty, or why no namespace can be made here."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if not shutil.which("ip"):
        return "there is no ip command"
    name = f"probe{os.getpid()}"
    made = run("netns", "add", name, check=False)
    run("netns", "del", name, check=False)
    return "" if made.returncode == 0 else "network namespaces cannot be made: " + made.stderr.strip()


class Network:
    """A hub (the observer) with a bridge, and hosts on it: host NAME has the address PREFIX.NUMBER on eth0."""

    def __init__(self, prefix, hosts):
        self.prefix, self.tag = prefix, f"s{os.getpid() % 100000}"
        self.hub = f"{self.tag}-hub"
        self.hosts = {name: f"{self.tag}-{name}" for name in hosts}
        run("netns", "add", self.hub)
        run("-n", self.hub, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        run("-n", self.hub, "addr", "add", f"{prefix}.250/24", "dev", "br0")
        for name, number in hosts.items():
            space = self.hosts[name]
            run("netns", "add", space)
            run("-n", self.hub, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", space)
            run("-n", self.hub, "link", "set", name, "master", "br0", "up")
            run("-n", space, "addr", "add", f"{prefix}.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                run("-n", space, "link", "set", device, "up")
        for device in ("lo", "br0"):
            run("-n", self.hub, "link", "set", device, "up")

    def command(self, host, *words):
        return ["ip", "netns", "exec", self.hosts[host], *map(str, words)]

    def mac(self, host):
        words = run("-n", self.hosts[host], "link", "show", "eth0").stdout.split()
        return words[words.index("link/ether") + 1]

    def pids(self, host, program):
        """The processes of one host that run a program."""
        found = []
        for pid in run("netns", "pids", self.hosts[host]).stdout.split():
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == program:
                    found.append(int(pid))
        return found

    def close(self):
        for space in [*self.hosts.values(), self.hub]:
            run("netns", "del", space, check=False)


class Observer(threading.Thread):
    """Asks by ARP who has the address, every few milliseconds, and keeps every answer: (time, host)."""

    STEP = 0.005

    def __init__(self, network, address):
        super().__init__(daemon=True)
        self.network, self.address = network, address
        self.names = {network.mac(host): host for host in network.hosts}
        self.answers, self.lock, self.is_over = [], threading.Lock(), False
        self.start()

    def enter(self):
        """This thread alone goes into the hub."""
        with open(f"/run/netns/{self.network.hub}") as space:
            if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def run(self):
        self.enter()
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as wire:
            wire.bind(("br0", 0))
            wire.settimeout(self.STEP)
            own = wire.getsockname()[4]
            asked = socket.inet_aton(self.address)
            body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, socket.inet_aton(f"{self.network.prefix}.250"),
                               b"\0" * 6, asked)
            while not self.is_over:
                wire.send(b"\xff" * 6 + own + b"\x08\x06" + body)
                end = time.monotonic() + self.STEP
                while time.monotonic() < end:
                    with contextlib.suppress(TimeoutError):
                        self.take(wire.recv(1500), asked)

    def take(self, packet, asked):
        kind, mac, sender = struct.unpack("!H6s4s", packet[20:32])
        if sender != asked or mac == b"\0" * 6:
            return
        host = self.names.get(":".join(f"{byte:02x}" for byte in mac))
        with self.lock:
            self.answers.append((time.monotonic(), host))

    def owners(self, since):
        """Who answered after that time."""
        with self.lock:
            return {host for when, host in self.answers if when > since}

    def owner(self, seconds=0.15):
        """The one that has it now; None when there is none, or more than one."""
        owners = self.owners(time.monotonic() - seconds)
        return owners.pop() if len(owners) == 1 else None

    def moved(self, since, old):
        """Seconds after which somebody else first answered; how long the old owner went on. None: not yet."""
        with self.lock:
            new = [when - since for when, host in self.answers if when > since and host != old]
            last = [when - since for when, host in self.answers if when > since and host == old]
        return (new[0], last[-1] if last else 0.0) if new else None

    def close(self):
        self.is_over = True
        self.join(5)
