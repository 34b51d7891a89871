"""Goal: a service manager hears the truth of the node (ready, reloading, stopping, alive), its sockets are served and given back as they
came, and its journal gets each line with its fields. The manager and its journal are played here; no systemd runs."""
import os
import pathlib
import re
import signal
import socket
import time

import pytest

import lab

INSIDE = "domains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ scan 1; receive 1 }}\n"


class Manager:
    """Has the socket that NOTIFY_SOCKET names."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.words = []

    def hear(self):
        self.socket.settimeout(0.01)
        while True:
            try:
                self.words.append((time.monotonic(), self.socket.recv(4096).decode()))
            except TimeoutError:
                return [word for _, word in self.words]

    def states(self):
        """Without what comes again and again."""
        return [word.split("\n")[0] for word in self.hear() if not word.startswith(("STATUS=", "WATCHDOG="))]

    def status(self):
        said = [word for word in self.hear() if word.startswith("STATUS=")]
        assert all(word.count("\n") == 1 for word in said), said
        return said[-1][7:].rstrip("\n") if said else ""

    def close(self):
        self.socket.close()


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path)
    yield made
    made.close()


# Executes the rest of its arguments with the descriptors of the first from 3 on, as sd_listen_fds(3) has it.
PASS = """
import os, sys
fds = [os.dup(int(fd)) for fd in sys.argv[1].split(",")]
fds = [fd if fd > 20 else __import__("fcntl").fcntl(fd, 0, 20) for fd in fds]
for at, fd in enumerate(fds):
    os.dup2(fd, 3 + at)
os.closerange(3 + len(fds), 256)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=":".join(["smtp", "more"][:len(fds)]))
os.execv(sys.argv[2], sys.argv[2:])
"""


def passing(*sockets):
    fds = [one.fileno() for one in sockets]
    return {"through": ("/usr/bin/python3", "-c", PASS, ",".join(map(str, fds))), "pass_fds": fds}


def inodes(pid):
    folder = pathlib.Path(f"/proc/{pid}/fd")
    return {os.readlink(path) for path in folder.iterdir() if os.path.lexists(path)}


def is_served(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            return client.recv(100).startswith(b"220 ")
    except (ConnectionRefusedError, ConnectionResetError):
        return False


def test_what_the_manager_hears_and_passes(nodes, inside, manager):
    port, other = lab.free_port(), lab.free_port()
    ours = socket.create_server(("127.0.0.1", port))
    link = f"socket:[{os.fstat(ours.fileno()).st_ino}]"
    both = INSIDE + "listen 127.0.0.1:{port} {{ direction in }}\nlisten 127.0.0.1:{other} {{ direction in }}\n"
    node = nodes(both, start=False, inside=inside.port, port=port, other=other)
    good = node.config.read_text()
    without = good.replace(f"listen 127.0.0.1:{port} {{ direction in }}\n", "")
    node.config.write_text(without)
    node.start(wait=False, **passing(ours))
    assert node.process.wait(20) == 69 and f"bound to 127.0.0.1 port {port}, and no listener" in node.text(), node.text()

    node.config.write_text(good)
    node.start(wait=False, env={"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "2000000"}, **passing(ours))
    lab.wait_for(lambda: "READY=1" in manager.states(), "ready")
    assert node.is_ready() and manager.states() == ["READY=1"]
    for pid in (*node.pids("queue"), *node.pids("scan")):
        handed_on = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        assert not any(name in handed_on for name in (b"NOTIFY_SOCKET", b"WATCHDOG_", b"LISTEN_")), handed_on
    assert link in inodes(node.process.pid)
    for where in (port, other):  # one was passed, one is bound by the node
        client = lab.Client(where)
        assert client.send(lab.message())[0] == 250
        client.close()

    node.config.write_text(without)
    done = node.run("reload", check=False)
    assert done.returncode == 78 and f"passed the socket smtp, bound to 127.0.0.1 port {port}" in done.stdout + done.stderr, done
    lab.wait_for(lambda: manager.states() == ["READY=1", "RELOADING=1", "READY=1"], "a reload that is refused ends too")
    reloading = next(word for word in manager.hear() if word.startswith("RELOADING=1\n"))
    assert abs(int(reloading.split("MONOTONIC_USEC=")[1]) / 1e6 - time.monotonic()) < 60, reloading
    node.config.write_text(good)
    node.process.send_signal(signal.SIGHUP)
    lab.wait_for(lambda: manager.states() == ["READY=1"] + ["RELOADING=1", "READY=1"] * 2, "a reload ends")
    assert link in inodes(node.process.pid) and is_served(port)

    node.run("drain")
    assert not is_served(port) and not is_served(other)
    lab.wait_for(lambda: "drain" in manager.status(), "the status")
    lab.wait_for(lambda: sum(word == "WATCHDOG=1\n" for word in manager.hear()) >= 3, "the watchdog is fed")
    assert node.stop() == 0 and manager.states()[5:] == ["STOPPING=1"]
    socket.create_connection(("127.0.0.1", port), 5).close()  # the manager's socket listens, or it would be taken for broken
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", other), 5)
    ours.close()


# /run of its own, in which the journal's socket is a link to the test's; standard error counts as the journal's stream.
PRIVATE_RUN = """set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/journal
ln -s {socket} /run/systemd/journal/socket
export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
exec "$@"
"""


class Journal(lab.Datagrams):
    """journald's native protocol, read from its description alone."""

    def __init__(self, path):
        self.entries = []
        super().__init__(path, self.enter)

    def enter(self, entry):
        assert len(entry) < 4096
        self.entries.append(dict(self.fields(entry)))

    @staticmethod
    def fields(entry):
        while entry:
            line, entry = entry.split(b"\n", 1)
            name, is_text, value = line.partition(b"=")
            if not is_text:
                length = int.from_bytes(entry[:8], "little")
                value, entry = entry[8:8 + length], entry[9 + length:]
            yield name.decode(), value.decode()

    def having(self, **wanted):
        """Entries with these fields, MESSAGE by a part of it."""
        text = wanted.pop("MESSAGE", "")
        return [one for one in self.entries if text in one["MESSAGE"] and wanted.items() <= one.items()]


def test_the_journal_gets_fields(nodes, inside, tmp_path):
    node = nodes(INSIDE, start=False, inside=inside.port)
    path = tmp_path / "journal"
    journal = Journal(path)
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    node.start(through=("unshare", *user, "--mount", "sh", "-c", PRIVATE_RUN.format(socket=path), "sh"))

    def send(subject):
        client = lab.Client(node.port)
        assert client.say("RCPT TO:<nobody@elsewhere.example>")[0] >= 500
        assert client.open(recipients=["nobody@elsewhere.example"])[-1][0] == 550
        client.say("RSET")
        code, text = client.send(lab.message(subject=subject))
        client.close()
        assert code == 250
        return re.search(r"\b[0-9A-Z]{13}\b", text)[0]

    def is_told(journal, qid):
        sent = journal.having(QID=qid, RCPT="user@example.test", STATUS="sent", MESSAGE="status=sent")
        return sent and journal.having(QID=qid, MESSAGE="removed")

    first = send("first QID=x\tSTATUS=bounced")
    lab.wait_for(lambda: is_told(journal, first), "the fields of the message")
    sent = journal.having(STATUS="sent")[0]
    assert sent["SYSLOG_IDENTIFIER"] == "sekimori/queue" and sent["PRIORITY"] == "6" and sent["SYSLOG_PID"] == str(node.pids("queue")[0])
    assert journal.having(RCPT="nobody@elsewhere.example", MESSAGE="NOQUEUE: reject: RCPT")
    assert not journal.having(STATUS="bounced") and {one["SYSLOG_IDENTIFIER"] for one in journal.entries} >= {
        f"sekimori/{name}" for name in ("master", "receive", "queue", "scan")}
    journal.stop()
    again = Journal(path)  # the journal was started anew: jailed processes get a socket from master
    lab.wait_for(lambda: is_told(again, send("again")) or again.having(MESSAGE="takes lines again"), "the new one is found")
    second = send("second")
    lab.wait_for(lambda: is_told(again, second), "the fields of a later message")
    assert node.stop() == 0
    lab.wait_for(lambda: again.having(MESSAGE="stopped"), "its last line")  # our journal reads in a thread
    assert "status=sent" not in "".join(line for line in node.text().splitlines() if first in line), node.text()
