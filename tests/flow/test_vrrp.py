"""Goal: the address that nodes share is always on exactly one of them, and quickly on the other one when its owner
dies, is stopped, or is sick. Two nodes in network namespaces with the real keepalived, run as the printed unit says."""
import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time

import pytest

import lab
import network

WHY_NOT = network.possible()
pytestmark = [pytest.mark.skipif(bool(WHY_NOT) and not os.environ.get("CI"), reason=WHY_NOT), pytest.mark.alone]

PREFIX, SHARED = "10.77.7", "10.77.7.100"
CONFIG = """
listen {prefix}.{{number}}:25 {{{{ direction in }}}}
listen {shared}:25 {{{{ direction in }}}}
domains {{{{ example.test 127.0.0.1:9; * 127.0.0.1:9 }}}}
dns {{{{ servers 127.0.0.1@9; client names off }}}}
virus mode off
spam mode off
processes receive 1
health {{{{ clock error 0; disk free {{free}} }}}}
vrrp {{{{ address {shared}/24; interface eth0; priority {{priority}} }}}}
""".format(prefix=PREFIX, shared=SHARED)


class Host(lab.Node):
    """A node in a namespace."""

    def __init__(self, folder, wires, name, number, priority=100):
        folder.mkdir()
        super().__init__(folder, CONFIG, number=number, free="1M", priority=priority)
        self.wires, self.name, self.number, self.priority = wires, name, number, priority
        self.vrrp = None

    def start(self, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.wires.command(self.name, lab.BUILD / "src/master/sekimorid", "-c", self.config,
                                                               "--libexec", self.libexec), stdout=log, stderr=log, start_new_session=True)
        if wait:
            lab.wait_for(self.is_ready, f"node {self.name} is ready", 25)
        return self

    def is_gone(self):
        return not self.wires.pids(self.name, "sekimorid")

    def reload_with(self, **values):
        self.values.update(values)
        self.write(CONFIG)
        self.run("reload")


class Unit(threading.Thread):
    """Plays systemd for the printed unit: ExecStartPre, ExecStart; when that ends what is left of it is killed,
    ExecStopPost runs, and after RestartSec it begins anew."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.host, self.folder = host, host.folder / "vrrp"
        self.folder.mkdir()
        self.is_over, self.main, self.stops = False, None, 0
        text = host.run("keepalived", "--config", host.config, "--folder", self.folder, "--unit", where=False).stdout
        self.lines = [line.partition("=")[::2] for line in text.splitlines() if "=" in line and not line.startswith("#")]
        assert dict(self.lines)["KillMode"] == "mixed" and dict(self.lines)["Restart"] == "always", text
        self.start()

    def each(self, key):
        return [shlex.split(value) for name, value in self.lines if name == key]

    def once(self):
        with open(self.host.folder / "keepalived.log", "ab") as log:
            for words in self.each("ExecStartPre"):
                subprocess.run(self.host.wires.command(self.host.name, *words), stdout=log, stderr=log, check=True)
            self.main = subprocess.Popen(self.host.wires.command(self.host.name, *self.each("ExecStart")[0]), stdout=log, stderr=log)
            self.main.wait()
            for pid in self.host.wires.pids(self.host.name, "keepalived"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for words in self.each("ExecStopPost"):
                subprocess.run(self.host.wires.command(self.host.name, *words), stdout=log, stderr=log, check=True)
        self.stops += 1

    def run(self):
        while not self.is_over:
            self.once()
            end = time.monotonic() + float(dict(self.lines)["RestartSec"])
            while time.monotonic() < end and not self.is_over:
                time.sleep(0.02)

    def log(self):
        return (self.host.folder / "keepalived.log").read_text(errors="replace")

    def stop(self):
        """systemctl stop: no restart."""
        self.is_over = True
        if self.main and self.main.poll() is None:
            self.main.send_signal(signal.SIGTERM)
        self.join(10)

    def kill(self):
        """kill -9 of all of keepalived at once: stopped first, so that none of it can say a last word."""
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in self.host.wires.pids(self.host.name, "keepalived"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)


class Pair:
    def __init__(self, folder, priorities=(100, 100)):
        self.wires = network.Network(PREFIX, {"one": 1, "two": 2})
        self.hosts, self.observer = {}, None
        try:
            for number, name in enumerate(("one", "two"), 1):
                self.hosts[name] = Host(folder / name, self.wires, name, number, priorities[number - 1]).start()
            self.observer = network.Observer(self.wires, SHARED)
            for host in self.hosts.values():
                host.vrrp = Unit(host)
        except BaseException:
            self.close()
            raise

    def wait_owner(self, wanted=None, seconds=20):
        """Exactly one for a while (and that one)."""
        def settled():
            owner = self.observer.owner(0.5)
            return owner if owner and wanted in (None, owner) else None
        return lab.wait_for(settled, f"one owner, {wanted or 'any'}; " + self.state(), seconds)

    def state(self):
        return "; ".join(f"{name}: {host.run('health', check=False).stdout.strip()}" for name, host in self.hosts.items())

    def other(self, name):
        return next(one for one in self.hosts if one != name)

    def move(self, what, owner, act, limit, seconds=20):
        """After act() the other one has it within `limit` seconds, alone. Prints the time."""
        since = time.monotonic()
        act()
        new, old_until = lab.wait_for(lambda: self.observer.moved(since, owner), f"{what}: the address moves; " + self.state(), seconds)
        print(f"vrrp {what}: the new owner answers after {new * 1000:.0f} ms, the old one until {old_until * 1000:.0f} ms")
        assert new < limit, f"{what}: {new:.3f} s"
        self.wait_owner(self.other(owner))
        return self.other(owner)

    def close(self):
        for host in self.hosts.values():
            if host.vrrp:
                host.vrrp.stop()
            if host.process and host.process.poll() is None:
                host.kill()
        if self.observer:
            self.observer.close()
        self.wires.close()


@pytest.fixture
def pair(tmp_path):
    made = []

    def make(**values):
        made.append(Pair(tmp_path, **values))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_address_moves(pair):
    two = pair()
    hosts = two.hosts
    first = two.wait_owner()
    second = two.move("kill -9 of keepalived", first, hosts[first].vrrp.kill, 1.0)
    # It comes back as one that waits: with equal priorities the address stays.
    lab.wait_for(lambda: hosts[first].vrrp.stops >= 1 and hosts[first].vrrp.log().count("Entering BACKUP STATE") >= 2,
                 "the killed keepalived is back: " + hosts[first].vrrp.log()[-3000:])
    assert two.wait_owner() == second
    first = two.move("SIGTERM of keepalived", second, lambda: hosts[second].vrrp.main.send_signal(signal.SIGTERM), 0.3)
    lab.wait_for(lambda: hosts[second].vrrp.log().count("Entering BACKUP STATE") >= 2, "the stopped keepalived is back")
    second = two.move("kill -9 of the node", first, lambda: os.kill(hosts[first].process.pid, signal.SIGKILL), 1.0)
    hosts[first].process.wait(10)
    hosts[first].start()
    lab.wait_for(lambda: hosts[first].run("health", check=False).returncode == 0, "the node is well again")
    lab.wait_for(lambda: hosts[first].vrrp.log().count("Entering BACKUP STATE") >= 3, "it leaves FAULT")
    assert two.wait_owner() == second
    first = two.move("drain", second, lambda: hosts[second].run("drain", "--no-wait"), 1.0)
    hosts[second].run("undrain")
    lab.wait_for(lambda: hosts[second].vrrp.log().count("Entering BACKUP STATE") >= 3, "it leaves FAULT")
    assert two.wait_owner() == first
    first, second = second, first
    two.move("sickness", second, lambda: hosts[second].reload_with(free="900G"), 8.0)
    # All are sick: it stays where it is.
    since = time.monotonic()
    hosts[first].reload_with(free="900G")
    lab.wait_for(lambda: hosts[first].run("health", check=False).returncode == 1, "both are sick")
    lab.wait_for(lambda: time.monotonic() - since > 4, "keepalived has looked at it", 6)
    assert two.wait_owner(first) and two.observer.owners(since) == {first}


def test_a_higher_priority_takes_it_back(pair):
    two = pair(priorities=(150, 100))
    two.wait_owner("one")
    two.move("stop of the preferred one", "one", lambda: two.hosts["one"].vrrp.main.send_signal(signal.SIGTERM), 0.3)
    two.wait_owner("one")


def test_release_takes_the_address_off(tmp_path):
    wires = network.Network(PREFIX, {"one": 1})
    try:
        host = Host(tmp_path / "one", wires, "one", 1)
        release = wires.command("one", lab.BUILD / "src/cli/sekimori", "keepalived", "--release", "--config", host.config)
        network.run("-n", wires.hosts["one"], "addr", "add", f"{SHARED}/24", "dev", "eth0")
        for _ in range(2): # the second time there is nothing to do
            subprocess.run(release, check=True)
            assert SHARED not in network.run("-n", wires.hosts["one"], "addr").stdout
        assert f"{PREFIX}.1/24" in network.run("-n", wires.hosts["one"], "addr").stdout
    finally:
        wires.close()


def test_printed_configuration_is_good(tmp_path):
    wires = network.Network(PREFIX, {"one": 1})
    try:
        host = Host(tmp_path / "one", wires, "one", 1, priority=120)
        host.write(CONFIG.replace("interface eth0", "interface eth0; id 7; advertise 1200ms; peers 10.77.7.2"))
        printed = tmp_path / "keepalived.conf"
        host.run("keepalived", "--config", host.config, "--write", printed, where=False)
        text = printed.read_text()
        for wanted in ("vrrp_version 3", "enable_script_security", "virtual_router_id 7", "priority 120", "advert_int 1.20", "10.77.7.2"):
            assert wanted in text, text
        subprocess.run(wires.command("one", "keepalived", "--config-test", "-f", printed), check=True, timeout=30)
        host.write("domains {{ example.test 127.0.0.1:9 }}\n")
        none = host.run("keepalived", "--config", host.config, where=False, check=False)
        assert none.returncode == 78 and "no vrrp address" in none.stderr
    finally:
        wires.close()
