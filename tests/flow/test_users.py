# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: started by root, each process runs as a user of its own, which can neither signal nor trace another process nor read its files;
mail flows all the same, and a state folder goes from one arrangement to the other with all that is in it."""
import json
import os
import pwd
import re
import stat
import subprocess

import pytest

import lab
from own_users import node_make, through, users_make

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")

OWNERS = {"spool": "queue", "ledger": "ledger", "quarantine": "ledger", "report": "report", "learn": "report", "lists": "consult",
          "senders": "lookup", "signatures": "helper"}


@pytest.fixture
def node(place, nodes, inside):
    return node_make(lambda config, **values: nodes(config, start=False, **values), place, inside.port)


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)


def ids_of(node):
    """The uid of each process, all its threads and helpers having the same."""
    return {one["name"]: int(status_of(one["pid"])["Uid"].split()[0]) for one in node.status()["processes"]}


def files_below(folder):
    for at, folders, files in os.walk(folder):
        yield from (os.path.join(at, name) for name in folders + files)


def mail_flows(node, inside, count):
    for number in range(count):
        assert lab.Client(node.port).send(lab.message(subject=f"mail {number}"))[0] == 250
    assert lab.Client(node.port).send(lab.message(subject="held", body=lab.gtube()))[0] in (250, 550)
    lab.wait_for(node.queue_is_empty, "all is delivered")
    node.balance()


def as_user(uid, *words):
    """What a program of that user, outside of any jail, comes to."""
    return subprocess.run(["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", *map(str, words)], capture_output=True, text=True)


TRYING = """import json, os, sys
def opened(path, how): return os.open(path, how, 0o600)
def made(path): os.close(opened(path + "/made", os.O_WRONLY | os.O_CREAT | os.O_EXCL)); os.unlink(path + "/made")
ways = {"signal": lambda pid: os.kill(int(pid), 0), "read": lambda path: os.read(opened(path, os.O_RDONLY), 1),
        "change": lambda path: opened(path, os.O_RDWR), "list": os.listdir, "make": made}
for name, (way, what) in json.load(sys.stdin).items():
    try: ways[way](what)
    except OSError: continue
    print(name)
"""


def may(uid, tries):
    """Those of the tries {name: (way, what)} that get through as that user."""
    words = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "/usr/bin/python3", "-c", TRYING]
    return set(subprocess.run(words, input=json.dumps(tries), capture_output=True, text=True, check=True).stdout.splitlines())


def of_process(name, pid):
    """What another process might do to this one."""
    tries = {"signal": ("signal", pid), "change mem": ("change", f"/proc/{pid}/mem")}
    tries |= {f"read {what}": ("read", f"/proc/{pid}/{what}") for what in ("maps", "mem", "environ", "auxv", "fd/2")}
    tries |= {f"list {what}": ("list", f"/proc/{pid}/{what}/") for what in ("fd", "cwd", "root", "map_files")}
    return {f"{what} of {name}": one for what, one in tries.items()}


def test_each_process_is_a_user_of_its_own(node, place, inside):
    ids = users_make(place, own=True)
    node.start(through=through(place))
    mail_flows(node, inside, 3)
    processes = node.status()["processes"]
    assert {one["name"] for one in processes} == set(lab.PROGRAMS)
    assert ids_of(node) == {name: ids[f"sekimori-{name}"] for name in lab.PROGRAMS}
    for one in processes:
        status = status_of(one["pid"])
        assert status["Groups"].strip() == "" and len(set(status["Uid"].split())) == len(set(status["Gid"].split())) == 1, one
    tries = {name: command for one in processes for name, command in of_process(one["name"], one["pid"]).items()}
    tries |= of_process("master", node.process.pid)
    for name in (*OWNERS, "run"):
        tries |= {f"list {name}": ("list", f"{node.state / name}"), f"make in {name}": ("make", f"{node.state / name}")}
    tries |= {f"read {name}": ("read", f"{node.state / name}") for name in ("ledger/ledger.db", "run/secret", "run/counters", "run/events/queue.0")}
    tries |= {f"change {name}": ("change", f"{node.state / name}") for name in ("ledger/ledger.db", "run/health", "run/counters", "run/results")}
    tries |= {"read key": ("read", f"{place}/ca/node.key"), "make in state": ("make", f"{node.state}")}
    wanted = {name: set() for name in lab.PROGRAMS}
    for folder, owner in OWNERS.items():
        wanted[owner] |= {f"list {folder}", f"make in {folder}"}
    wanted["ledger"] |= {"read ledger/ledger.db", "change ledger/ledger.db"}
    wanted["report"] |= {"list ledger", "read ledger/ledger.db"}
    wanted["scan"] |= {"list signatures"}
    for name in lab.PROGRAMS:
        got = {one for one in may(ids[f"sekimori-{name}"], tries) if not one.endswith(f" of {name}")}
        assert got == wanted[name], (name, got ^ wanted[name])


# Of each path below the state folder, by the first pattern that fits: user, group ("": the node's), mode. What fits none is a fault.
FILES = (
    (r"", "root", "", "drwxr-x--x"),
    (r"(run|run/events)", "root", "", "drwxr-x---"),
    (r"run/(counters|health)", "root", "", "-rw-r-----"),
    (r"run/(control|metrics)", "root", "", "srw-rw----"),
    (r"run/(lock|boot)", "root", "root", "-rw-r-----"),
    (r"run/secret", "root", "root", "-rw-------"),
    (r"run/(results|flights|lists|approved|entries|learned|campaigns|inside|events/[a-z]+[.][0-9]+)", "root", "", "-rw-------"),
    (r"(spool|spool/journal)", "queue", "queue", "drwx------"),
    (r"spool/(clock|signatures|journal/.*)", "queue", "queue", "-rw-------"),
    (r"ledger", "ledger", "report", "drwxr-s---"),
    (r"ledger/(ledger[.]db(-wal|-shm)?|ticket[.]key)", "ledger", "report", "-rw-r-----"),
    (r"ledger/(clock|events[.]waiting|learned[.]log|local[.]model|newsletters|explained[.][0-9]{8})", "ledger", "report", "-rw-------"),
    (r"quarantine", "ledger", "ledger", "drwx------"),
    (r"quarantine/[^/]+", "ledger", "ledger", "drwx------"),
    (r"quarantine/[^/]+/[^/]+", "ledger", "ledger", "-rw-------"),
    (r"(report|learn)", "report", "report", "drwx------"),
    (r"report/[a-z]+([.]new)?", "report", "report", "-rw-r-----"),
    (r"learn/missed(/new|/kept)?", "report", "report", "drwxr-x---"),
    (r"senders", "lookup", "lookup", "drwx------"),
    (r"senders/senders[.](mdb|key)", "lookup", "lookup", "-rw-------"),
    (r"lists", "consult", "consult", "drwx------"),
    (r"signatures", "helper", "scan", "drwxr-s---"),
)


def test_each_file_has_its_owner(node, place, inside):
    ids = users_make(place, own=True)
    node.config.write_text(node.config.read_text() + "spam { quarantine above 100; reject above never }\n")
    node.start(through=through(place))
    mail_flows(node, inside, 2)
    lab.wait_for((node.state / "learn/missed/kept").exists, "report has made its folders", 30)
    names = {number: name.removeprefix("sekimori").removeprefix("-") for name, number in ids.items()} | {0: "root"}
    seen = set()
    for path in ("", *(os.path.relpath(one, node.state) for one in files_below(node.state))):
        try:
            facts = os.lstat(node.state / path)
        except FileNotFoundError:  # it was written beside its name, and has taken that by now
            continue
        is_so = names.get(facts.st_uid), names.get(facts.st_gid), stat.filemode(facts.st_mode)
        pattern, *wanted = next((row for row in FILES if re.fullmatch(row[0], path)), ("none", "a pattern that it fits"))
        assert is_so == tuple(wanted), (path, is_so, wanted)
        seen.add(pattern)
    assert len(seen) == len(FILES), {row[0] for row in FILES} - seen


def test_report_reads_the_ledger_it_may_not_write(node, place, inside):
    ids = users_make(place, own=True)
    node.start(through=through(place))
    mail_flows(node, inside, 2)
    assert as_user(ids["sekimori-report"], "sh", "-c", f"echo >> {node.state}/ledger/ledger.db").returncode != 0
    facts = {one["fact"]: one for one in node.told("health", "--all", check=False)["facts"]}
    assert facts["ledger"]["state"] == facts["balance"]["state"] == "good", facts
    node.run("report", "--to", node.folder / "report.html", "--date", "today", "--language", "en")
    said = (node.folder / "report.html").read_text()
    assert "NOT BALANCED" not in said and "Rows and sums of the ledger agree" in said


@pytest.mark.parametrize("first", [False, True], ids=["parted", "joined"])
def test_the_state_goes_from_one_to_the_other(node, place, inside, first):
    """With mail in the queue and in the quarantine; a link to another's file in a folder of ours stays that other's."""
    users_make(place, own=first)
    node.start(through=through(place))
    mail_flows(node, inside, 2)
    inside.stop()
    assert lab.Client(node.port).send(lab.message(subject="waits"))[0] == 250
    node.stop()
    (place / "secret").write_text("root's")
    os.link(place / "secret", node.state / "report/planted")
    os.symlink(place / "secret", node.state / "report/pointed")
    ids = users_make(place, own=not first)
    inside.start()
    node.start(through=through(place))
    lab.wait_for(node.queue_is_empty, "what waited is delivered", 60)
    mail_flows(node, inside, 2)
    assert set(ids_of(node).values()) == (set(ids.values()) - {ids["sekimori"]} if not first else {ids["sekimori"]})
    for name, owner in OWNERS.items():
        uid = ids[f"sekimori-{owner}"] if not first else ids["sekimori"]
        assert {os.lstat(path).st_uid for path in files_below(node.state / name) if "planted" not in path and "pointed" not in path} <= {uid}
    assert (place / "secret").stat().st_uid == 0
    assert not (node.state / "ledger/ledger.db").stat().st_mode & 0o040 or not first


def test_some_users_alone_are_an_error(node, place):
    users_make(place, own=True)
    passwd = (place / "passwd").read_text()
    (place / "passwd").write_text("".join(line for line in passwd.splitlines(True) if not line.startswith("sekimori-queue:")))
    node.start(wait=False, through=through(place))
    assert node.process.wait(20) == 67
    assert "user sekimori-queue: there is no such user" in node.text()
    assert pwd.getpwuid(0).pw_name == "root"  # the machine's own table is untouched
