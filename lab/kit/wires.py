"""Namespaces, bridges and links. All of a lab's namespaces begin with its name, so what to take down is read from the kernel:
no file has to be right for `down` to leave nothing behind."""
import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

from . import plan

NAMESPACES = pathlib.Path("/run/netns")
CLONE_NEWNET = 0x40000000
SWITCH = "switch"  # the namespace that holds the bridges: a cable is pulled there

libc = ctypes.CDLL(None, use_errno=True)


class Unable(Exception):
    """What this machine or user cannot do, in words for the reader."""


def run(*command, check=True, **more):
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, **more)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def why_unable():
    """None where namespaces with links and filters can be made, else what is in the way."""
    if os.geteuid() != 0:
        return "network namespaces need root: run it with sudo"
    for program, package in (("ip", "iproute2"), ("nft", "nftables"), ("keepalived", "keepalived"), ("unbound", "unbound")):
        if run("sh", "-c", f"command -v {program}", check=False).returncode != 0:
            return f"{program} is missing: apt-get install {package}"
    probe = f"probe-{os.getpid()}"
    try:
        run("ip", "netns", "add", probe)
        run("ip", "-n", probe, "link", "add", "name", "bridge", "type", "bridge")
        run("ip", "-n", probe, "link", "add", "name", "one", "type", "veth", "peer", "name", "other")
        run("ip", "netns", "exec", probe, "nft", "add", "table", "inet", "probe")
    except (RuntimeError, OSError) as error:
        return f"this kernel lets no network namespaces be made: {str(error).strip().splitlines()[-1]}"
    finally:
        run("ip", "netns", "del", probe, check=False)
    return None


@contextlib.contextmanager
def inside(namespace):
    """Sockets that this thread makes within belong to that namespace for good."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(NAMESPACES / namespace, "rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def namespaces_of(lab_name):
    if not NAMESPACES.exists():
        return []
    return sorted(one.name for one in NAMESPACES.iterdir() if one.name.startswith(lab_name + "-"))


def pids_in(namespace):
    return [int(pid) for pid in run("ip", "netns", "pids", namespace, check=False).stdout.split()]


class Wires:
    """The cables of one lab."""

    def __init__(self, lab_name):
        self.lab_name = lab_name

    def namespace(self, host):
        return f"{self.lab_name}-{host}"

    def build(self):
        for host in (SWITCH, *plan.HOSTS):
            run("ip", "netns", "add", self.namespace(host))
        self.batch(SWITCH, [line for network in plan.NETWORKS for line in
                            (f"link add name {network} type bridge", f"link set {network} up")])
        for host in plan.HOSTS.values():
            self.connect(host)

    def batch(self, host, lines):
        run("ip", "-n", self.namespace(host), "-batch", "-", input="\n".join(lines) + "\n")

    def connect(self, host):
        ports, legs = [], ["link set lo up"]
        for network, addresses in host.legs.items():
            leg, port = host.interface(network), f"{host.name}.{network}"
            ports += [f"link add name {port} type veth peer name {leg} netns {self.namespace(host.name)}",
                      f"link set {port} master {network} up"]
            legs += [f"address add {address} dev {leg}" for address in addresses] + [f"link set {leg} up"]
        if host.gateway:
            legs.append(f"route add default via {host.gateway}")
        legs += [f"route add {network} via {gateway}" for network, gateway in host.routes]
        self.set(host.name, "net.ipv6.conf.all.disable_ipv6", 1)
        self.set(host.name, "net.ipv4.ip_forward", int(host.forwards))
        self.batch(SWITCH, ports)
        self.batch(host.name, legs)

    def set(self, host, key, value):
        """A sysctl of the namespace: /proc/sys/net shows that of the thread that looks."""
        with inside(self.namespace(host)):
            pathlib.Path("/proc/sys", *key.split(".")).write_text(f"{value}\n")

    def cut(self, host, network):
        run("ip", "-n", self.namespace(SWITCH), "link", "set", f"{host}.{network}", "down")

    def mend(self, host, network):
        run("ip", "-n", self.namespace(SWITCH), "link", "set", f"{host}.{network}", "up")

    def cuts(self):
        """The cables that are pulled, as (host, network)."""
        listed = run("ip", "-n", self.namespace(SWITCH), "-brief", "link", check=False).stdout
        down = [line.split()[0].split("@")[0] for line in listed.splitlines() if "UP" not in line.split("<", 1)[-1].split(",")[:9]
                and "." in line.split()[0].split("@")[0]]
        return [tuple(port.split(".", 1)) for port in down]

    def mend_all(self):
        for host, network in self.cuts():
            self.mend(host, network)

    def addresses(self, host):
        """Interface -> its IPv4 addresses, as they are at this moment."""
        listed = run("ip", "-n", self.namespace(host), "-4", "-brief", "address", check=False).stdout
        rows = [line.split() for line in listed.splitlines()]
        return {row[0].split("@")[0]: [one.split("/")[0] for one in row[2:]] for row in rows if len(row) >= 2}


def remove(lab_name, seconds=10):
    """Ends every process in the lab's namespaces and removes them. Repeats until nothing is left."""
    end = time.monotonic() + seconds
    while names := namespaces_of(lab_name):
        for name in names:
            for pid in pids_in(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if any(pids_in(name) for name in names):
            if time.monotonic() > end:
                raise RuntimeError(f"processes in {names} do not end")
            time.sleep(0.02)
            continue
        for name in names:
            run("ip", "netns", "del", name, check=False)
