"""Goal: a service manager hears the truth of the node (ready, reloading, stopping, alive), its sockets are served and given back as they
came, and its journal gets each line with its fields. The manager and its journal are played here; no systemd runs."""
import os
import pathlib
import signal
import socket
import time

import pytest

import lab

INSIDE = "domains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ scan 1 }}\n"


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


def test_the_manager_hears_what_the_node_does(nodes, inside, manager):
    node = nodes(INSIDE, start=False, inside=inside.port)
    node.start(wait=False, env={"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "2000000"})
    lab.wait_for(lambda: "READY=1" in manager.states(), "ready")
    assert node.is_ready() and manager.states() == ["READY=1"]
    for pid in [node.process.pid, *node.pids("queue"), *node.pids("scan")]:
        handed_on = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        assert pid == node.process.pid or b"NOTIFY_SOCKET" not in handed_on and b"WATCHDOG_USEC" not in handed_on
    node.process.send_signal(signal.SIGHUP)
    lab.wait_for(lambda: len(manager.states()) == 3, "the end of a reload")
    reloading = next(word for word in manager.hear() if word.startswith("RELOADING=1\n"))
    assert abs(int(reloading.split("MONOTONIC_USEC=")[1]) / 1e6 - time.monotonic()) < 60, reloading
    good = node.config.read_text()
    node.config.write_text(good + "nonsense\n")
    assert node.run("reload", check=False).returncode == 78
    node.config.write_text(good)
    lab.wait_for(lambda: manager.states() == ["READY=1"] + ["RELOADING=1", "READY=1"] * 2, "a refused one ends too")
    node.run("drain")
    lab.wait_for(lambda: "drain" in manager.status(), "the status")
    lab.wait_for(lambda: sum(word == "WATCHDOG=1\n" for word in manager.hear()) >= 3, "the watchdog is fed")
    assert node.stop() == 0
    assert manager.states()[5:] == ["STOPPING=1"]


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
    except ConnectionRefusedError:
        return False


def test_sockets_of_the_manager(nodes, inside):
    port, other = lab.free_port(), lab.free_port()
    ours = socket.create_server(("127.0.0.1", port))
    link = f"socket:[{os.fstat(ours.fileno()).st_ino}]"
    both = INSIDE + "listen 127.0.0.1:{port} {{ direction in }}\nlisten 127.0.0.1:{other} {{ direction in }}\n"
    node = nodes(both, start=False, inside=inside.port, port=port, other=other)
    node.start(**passing(ours))
    assert link in inodes(node.process.pid) and b"LISTEN_" not in pathlib.Path(f"/proc/{node.pids('queue')[0]}/environ").read_bytes()
    for where in (port, other):  # one was passed, one is bound by the node
        client = lab.Client(where)
        assert client.send(lab.message())[0] == 250
        client.close()
    good = node.config.read_text()
    node.config.write_text(good.replace(f"listen 127.0.0.1:{port} {{ direction in }}\n", ""))
    done = node.run("reload", check=False)
    assert done.returncode == 78 and f"passed the socket smtp, bound to 127.0.0.1 port {port}" in done.stdout + done.stderr, done
    node.config.write_text(good)
    node.run("reload")
    assert link in inodes(node.process.pid) and is_served(port)
    node.run("drain")
    assert not is_served(port) and not is_served(other)
    assert node.stop() == 0
    socket.create_connection(("127.0.0.1", port), 5).close()  # the manager's socket listens, or it would be taken for broken
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", other), 5)
    node.text_begins()
    node.config.write_text(good.replace(f"listen 127.0.0.1:{port} {{ direction in }}\n", ""))
    node.start(wait=False, **passing(ours))
    assert node.process.wait(20) == 69 and f"bound to 127.0.0.1 port {port}, and no listener" in node.text(), node.text()
    ours.close()
