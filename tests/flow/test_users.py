# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: started by root, each process runs as a user of its own, which can neither signal nor trace another process nor read its files;
mail flows all the same, and a state folder goes from one arrangement to the other with all that is in it."""
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest

import lab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")

CONFIG = """user sekimori
listen 127.0.0.1:{port} {{ direction in }}
domains {{ example.test 127.0.0.1:{inside} }}
node {{ number 1; certificate {there}/node.pem; key {there}/node.key; ca {there}/ca.pem }}
ledger {{ listen 127.0.0.1:{collector} }}
alarm {{ hook /bin/true }}
quarantine {{ most 1G }}
queue {{ retry first 1s; retry most 2s }}
report {{ language en }}
metrics {{ listen 127.0.0.1:{monitors} }}
"""
FIRST_UID = 61200  # of users that only the test's own /etc/passwd has
OWNERS = {"spool": "queue", "ledger": "ledger", "quarantine": "ledger", "report": "report", "learn": "report"}
READERS = {"ledger": "report"}


@pytest.fixture
def place():
    """A folder where every user may go, as /var/lib is: pytest's are root's alone."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="users"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def users_make(place, own):
    """A /etc/passwd and a /etc/group of the machine's users, sekimori, and where `own` says so one for each process."""
    names = ["sekimori"] + [f"sekimori-{name}" for name in lab.PROGRAMS if own]
    ids = {name: FIRST_UID + (0 if name == "sekimori" else 1 + lab.PROGRAMS.index(name[9:])) for name in names}
    passwd = "".join(f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" for name, number in ids.items())
    group = "".join(f"{name}:x:{number}:\n" for name, number in ids.items())
    for name, more in (("passwd", passwd), ("group", group)):
        (place / name).write_text(pathlib.Path(f"/etc/{name}").read_text() + more)
    return ids


def through(place):
    """What starts a program with these users in the place of the machine's."""
    return ("unshare", "--mount", "sh", "-c", f'mount --bind {place}/passwd /etc/passwd && mount --bind {place}/group /etc/group && exec "$0" "$@"')


@pytest.fixture
def node(place, nodes, inside):
    for words in (("init",), ("issue", "node", "--ip", "127.0.0.1")):
        subprocess.run([lab.BUILD / "src/cli/sekimori", "ca", *words, "--dir", place / "ca"], check=True, capture_output=True)
    made = nodes(CONFIG, start=False, inside=inside.port, there=place / "ca", collector=lab.free_port(),
                 monitors=lab.free_port())
    made.state, text = place / "state", made.config.read_text()
    made.config.write_text(text.replace(f"state {made.folder}/state", f"state {made.state}"))
    made.libexec = place / "libexec"
    made.libexec.mkdir()
    for name in lab.PROGRAMS:
        shutil.copy(lab.BUILD / "src/libexec" / name, made.libexec / name)
    return made


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
    return subprocess.run(["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", *map(str, words)], capture_output=True)


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
        for other in processes:
            if other["name"] != one["name"]:
                uid = ids[f"sekimori-{one['name']}"]
                assert as_user(uid, "kill", "-0", other["pid"]).returncode != 0, (one, other)
                assert as_user(uid, "cat", f"/proc/{other['pid']}/maps").returncode != 0, (one, other)
    for name, owner in OWNERS.items():
        folder = node.state / name
        for user in lab.PROGRAMS:
            may_read = user in (owner, READERS.get(name))
            assert (as_user(ids[f"sekimori-{user}"], "ls", folder).returncode == 0) == may_read, (name, user)
        assert folder.stat().st_uid == ids[f"sekimori-{owner}"]
        assert all(os.lstat(path).st_uid == folder.stat().st_uid for path in files_below(folder)), name
    assert as_user(ids["sekimori-report"], "cat", node.state / "ledger/ledger.db").returncode == 0
    assert as_user(ids["sekimori-receive"], "cat", node.state / "run/secret").returncode != 0


def test_report_reads_the_ledger_it_may_not_write(node, place, inside):
    ids = users_make(place, own=True)
    node.start(through=through(place))
    mail_flows(node, inside, 2)
    assert as_user(ids["sekimori-report"], "sh", "-c", f"echo >> {node.state}/ledger/ledger.db").returncode != 0
    facts = {one["fact"]: one for one in json.loads(node.run("health", "--all", "--json", check=False).stdout)["facts"]}
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
