"""Goal: whoever takes over a process gains nothing beyond it: each attempt of src/base/jail_probe.c, made from inside the jail of each
process, is denied, but for what that process is there to do. Needs a build with -Djail_probe=true."""
import json
import os
import pwd
import tempfile
import re

import pytest

import lab
from own_users import keys_make, node_make, settle, through, users_make

# With a ledger that listens to other nodes, so that there is a courier, a hook, so that there is a helper, an engine outside, so that
# there is a consult, and one that is a command, so that there is an engine.
CONFIG = """{head}domains {{ example.test 127.0.0.1:9 {{ dkim rsa a-rsa:{there}/example.test/a-rsa.pem }} }}
node {{ number 1; certificate {there}/node.pem; key {there}/node.key; ca {there}/ca.pem }}
ledger {{ listen 127.0.0.1:{collector} }}
alarm {{ hook {hook} }}
virus {{ engine outside clamd unix:/nonexistent/clamd; engine run command /bin/true }}
metrics {{ listen 127.0.0.1:{monitors} }}
"""
NAMES = lab.PROGRAMS + ("scan warden", "scan worker", "open reader")

# What a process may all the same, where all are one user: its job. Warden and fork servers see no byte of a message; what helper starts is
# the administrator's program, and what that may is narrower (test_hooks.py). SECURITY.md says it in words. Who has no row may nothing.
STATE = ("spool", "ledger", "quarantine", "report", "learn", "senders", "lists")
ALL_OF_STATE = {f"{way}-{folder}" for way in ("read", "write") for folder in STATE}
MAY = {
    "lookup": {"connect", "datagram"},
    "scan warden": {"open", "open-shared", "make-in-run", "list-here", "fork", "own-limit"} | ALL_OF_STATE,
    "queue": {"read-spool", "write-spool"},
    "deliver": {"connect"},
    "ledger": {"read-ledger", "write-ledger", "read-quarantine", "write-quarantine"},
    "courier": {"connect"},
    "report": {"read-ledger", "read-report", "write-report", "read-learn", "write-learn"},
    "metrics": set(),
    "signer": set(),
    "open": {"fork", "own-limit"},
    "open reader": set(),
    "consult": {"connect", "local-stream", "read-lists", "write-lists"},
    "engine": {"open", "chmod", "own-signal", "own-limit", "exec", "exec-memory", "fork", "grow-map", "map-code", "write-code", "map-code-memory"},
    "helper": {"open", "chmod", "connect", "datagram", "local-socket", "local-stream", "odd-socket", "listen", "bind-port", "odd-option", "own-signal",
               "own-limit", "exec", "exec-memory", "fork", "grow-map", "map-code", "write-code", "map-code-memory"},
}
# With users of their own: what of these is a file's.
OF_FILES = {"open-shared", "make-in-run", "chmod"} | ALL_OF_STATE
MAY_BY_ITSELF = {name: may & OF_FILES for name, may in MAY.items()} | {"scan warden": set(), "helper": set(), "engine": set()}
MAY_BY_ITSELF["report"] -= {"read-ledger"}  # where it can put no file to be read; that it reads the database is in test_users.py
# By CAP_SYS_ADMIN, which it mounts with where root runs it, newer kernels let it read of any process; older ones do not.
EITHER = {("scan warden", "proc-environment")}
# Landlock keeps signals inside since Linux 6.12; before, these two can be no narrower.
SIGNALS = {"kill", "kill-softly", "tgkill", "tkill", "sigqueue", "pidfd-signal"}
if lab.landlock() < 6:
    MAY["helper"] |= SIGNALS
    MAY["scan warden"] |= {"kill", "tgkill"}


def attempts():
    return re.findall(r'^    \{ "([a-z-]+)", try_', (lab.ROOT / "src/base/jail_probe.c").read_text(), re.M)


pytestmark = pytest.mark.skipif(lab.QUICK and not lab.probes_are_built(), reason="the quick build has no probes")


@pytest.fixture
def whole(place, nodes, tmp_path):
    """Makes a node with every process there is, not started. Its state lies where no hook may write, as it does on a machine."""
    keys_make(tmp_path / "ca")

    def make(head="", hook="/bin/true"):
        return settle(nodes(CONFIG, start=False, head=head, hook=hook, there=tmp_path / "ca", collector=lab.free_port(),
                            monitors=lab.free_port()), place)
    return make


def told(node):
    found = re.findall(r"jail probe: ([a-z ]+): ([a-z-]+): (.*)", node.text())
    return {(name, attempt): said for name, attempt, said in found}


def probed(node, tries, words, may, **how):
    """Starts it; every process tries all of `tries`, and what comes of each is what `may` says."""
    assert lab.probes_are_built(), lab.NO_PROBES
    wanted = {(name, attempt) for name in NAMES for attempt in tries}
    node.start(wait=False, env={"SEKIMORI_JAIL_PROBE": words, "SEKIMORI_JAIL_PROBE_RUN": str(node.state / "run")}, **how)
    lab.wait_for(lambda: wanted <= set(told(node)), "every process has told of every attempt", 240)
    wrong = [f"{name}: {attempt}: {said}" for (name, attempt), said in sorted(told(node).items()) if (name, attempt) not in EITHER
             and said not in (("ALLOWED",) if attempt in may.get(name, ()) else ("denied", "killed"))]
    assert not wrong, "\n".join(wrong)
    lab.wait_for(node.is_ready, "the node has come through its probes whole", 60)


def test_the_jail_denies(whole):
    assert len(attempts()) > 50
    probed(whole(), attempts(), "all", MAY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")
def test_own_users_close_what_a_jail_leaves(place, nodes, inside):
    """Warden and helper may what their user may: with users of their own that is no file of the state."""
    users_make(place, own=True)
    node = node_make(lambda config, **values: nodes(config, start=False, **values), place, inside.port)
    probed(node, OF_FILES, " ".join(sorted(OF_FILES)), MAY_BY_ITSELF, through=through(place))


def test_every_process_is_jailed(whole):
    node = whole().start()
    assert {process["name"] for process in node.status()["processes"]} == set(lab.PROGRAMS)
    for process in node.status()["processes"]:
        with open(f"/proc/{process['pid']}/status") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", process
        if process["name"] != "scan":
            assert int(status["CapEff"], 16) == 0, process
        held = [os.readlink(f"/proc/{process['pid']}/fd/{fd}") for fd in os.listdir(f"/proc/{process['pid']}/fd")]
        shared = [one for one in held if one.startswith((f"{node.state}/run/", "/memfd:"))]
        # Which report maps anew at each look, and can only read.
        assert shared == ([f"{node.state}/run/counters"] if process["name"] == "report" else []), process


# A hook that tries to command the node by itself, from a child, and from an orphan in a session of its own: what each was told.
COMMANDING = """#!/usr/bin/python3
import json, os, socket, struct, sys, time
def tries(word):
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); link.settimeout(20)
    try:
        link.connect("control")
        link.send(struct.pack("<HHIQI", 128, 0, 4 + len(word), 0, len(word)) + word)
        return "answered" if link.recv(200000) else "hung up"
    except OSError as error:
        return "hung up" if isinstance(error, (BrokenPipeError, ConnectionResetError)) else str(error)
os.chdir({run!r})
said = {{"itself": tries(b"drain"), "user": os.geteuid()}}
there, here = os.pipe()
if os.fork() == 0:
    os.write(here, tries(b"stop").encode()); os._exit(0)
os.wait(); said["child"] = os.read(there, 99).decode()
if os.fork() == 0:
    parent = os.getpid()
    if os.fork() == 0:
        os.setsid()
        while os.getppid() == parent: time.sleep(0.01)
        os.write(here, tries(b"stop").encode()); os._exit(0)
    os._exit(0)
os.wait(); said["orphan"] = os.read(there, 99).decode()
for name in ("counters", "control"):
    try:
        os.close(os.open(name, os.O_RDWR)) if name == "counters" else os.rename(name, "old")
        said[name] = "open to it"
    except OSError as error:
        said[name] = "denied"
with open({told!r} + ".new", "w") as file: json.dump(said, file)
os.rename({told!r} + ".new", {told!r})
"""


@pytest.fixture(params=["root", "another user"])
def commanded(request, whole):
    """A node whose hook would command it, as the user who started it and as one that root made it run as."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/told")
        os.chmod(f"{folder}/told", 0o777)
        yield request.param, whole, folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_hook_commands_nothing(commanded):
    whom, whole, folder = commanded
    hook, told = f"{folder}/hook", f"{folder}/told/told"
    node = whole(head="user nobody\n" if whom != "root" else "", hook=hook)
    if whom != "root":
        node.signatures_at(f"{folder}/signatures")  # where another user may go
    with open(hook, "w") as file:
        file.write(COMMANDING.format(run=str(node.state / "run"), told=told))
    os.chmod(hook, 0o755)
    node.start()
    assert node.run("report", "--test-alarm", check=False).returncode in (0, 75)
    lab.wait_for(lambda: os.path.exists(told), f"the hook has told: {node.text()[-1500:]}", 40)
    with open(told) as file:
        said = json.load(file)
    assert said.pop("user") == (0 if whom == "root" else pwd.getpwnam("nobody").pw_uid)
    files = [said.pop(name) for name in ("counters", "control")]
    assert set(said.values()) == {"hung up"}, said
    assert len(said) == 3 and node.text().count("is of this node and may not command it") == 3
    assert files == ["denied", "denied"]
    node.status()  # who started it commands it all the same
