"""Goal: a log that is rotated loses no line and keeps no old file open; a system log that is not there is said at once, one that
goes away loses nothing unseen, and one that comes back is used again, by jailed processes too."""
import collections
import gzip
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import lab

INSIDE = "domains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ scan 2 }}\n"


def everybody(node):
    return [node.process.pid, *lab.offspring(node.process.pid)]


def writes_to(pid, number=2):
    return os.stat(f"/proc/{pid}/fd/{number}")


def all_write_to(node, path):
    """Every process, also the scanner's, by both standard streams; but readers of containers, which are to have no way out, by none."""
    facts, nowhere = os.stat(path), os.stat("/dev/null")
    try:
        return all(os.path.samestat(writes_to(pid, number), nowhere if lab.name_of(pid) == "open-reader" else facts)
                   for pid in everybody(node) for number in (1, 2))
    except FileNotFoundError:  # one that is done with its work went meanwhile: look again
        return False


@pytest.mark.parametrize("how", ["signal", "reload"])
def test_every_process_goes_on_in_the_new_file(nodes, inside, how):
    node = nodes(INSIDE, inside=inside.port)
    lab.wait_for(lambda: all_write_to(node, node.log), "all write to the log")
    old = node.log.rename(node.log.with_name("log.1"))
    if how == "signal":
        node.process.send_signal(signal.SIGUSR1)
    else:
        node.run("reload")
    lab.wait_for(lambda: node.log.exists() and all_write_to(node, node.log), "all write to the new log")
    client = lab.Client(node.port)
    assert client.send(lab.message("after"))[0] == 250
    client.close()
    inside.wait(1)
    lab.wait_for(lambda: "status=sent" in node.text(), "its lines")
    assert "status=sent" not in old.read_text()


def rotated(node):
    """All lines of all files, the oldest first."""
    files = sorted(node.folder.glob("log*"), key=lambda path: -int((re.findall(r"\.(\d+)", path.name) or ["0"])[0]))
    texts = [gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text() for path in files]
    return "".join(texts).splitlines(), files


def test_logrotate_loses_no_line(nodes, inside, tmp_path):
    node = nodes(INSIDE, inside=inside.port)
    rules = (lab.ROOT / "packaging/logrotate").read_text()
    rules = rules.replace("/var/lib/sekimori/run/lock", str(node.state / "run/lock")).replace("/var/lib/sekimori/log", str(node.log))
    assert "/var/lib" not in rules
    (tmp_path / "rules").write_text(rules)
    (tmp_path / "rules").chmod(0o644)
    node.folder.chmod(0o755)
    load = lab.Load(node.port, 200, connections=4, until_enough=True)
    load.start()
    for _ in range(6):
        time.sleep(1)
        done = subprocess.run(["logrotate", "--force", "--state", tmp_path / "seen", tmp_path / "rules"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        lab.wait_for(lambda: node.log.exists() and all_write_to(node, node.log), "all write to the new log")
    load.enough()
    load.join(60)
    inside.wait(len(load.acknowledged), 60)
    node.balance()
    lab.wait_for(node.queue_is_empty, "nothing waits")
    node.run("reload")  # every process has written what it had
    lines, files = rotated(node)
    assert len(files) == 7 and any(path.suffix == ".gz" for path in files), files
    said = collections.Counter()
    for line in lines:
        for kind in ("client=", "message-id=", "verdict: ", "(queue active)", "status=sent", "removed"):
            found = re.search(rf": ([0-9A-Za-z-]+): .*{re.escape(kind)}|: ([0-9A-Za-z-]+): {re.escape(kind)}", line)
            said[kind] += bool(found)
    assert set(said.values()) == {len(load.acknowledged)}, said


# --- the system log ---

# /dev of its own, in which log is a link that the test can point anywhere.
PRIVATE = """set -e
mkdir {folder}/dev
mount -t tmpfs none {folder}/dev
for name in null zero urandom random full; do touch {folder}/dev/$name; mount --bind /dev/$name {folder}/dev/$name; done
ln -s {socket} {folder}/dev/log
mount --rbind {folder}/dev /dev
exec "$@"
"""


class Syslog(lab.Datagrams):
    def __init__(self, path):
        self.lines = []
        super().__init__(path, lambda line: self.lines.append(line.decode()))

    def has(self, text):
        return any(text in line for line in self.lines)


@pytest.fixture
def private(tmp_path):
    script = PRIVATE.format(folder=tmp_path, socket=tmp_path / "log.socket")
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *user, "--mount", "sh", "-c", script, "sh")


def test_no_system_log_is_said_before_the_start(nodes, inside, private):
    node = nodes(INSIDE + "log {{ to syslog }}\n", start=False, inside=inside.port)
    for verb in ("check", "start"):
        done = subprocess.run([*private, lab.BUILD / "src/cli/sekimori", verb, "--config", node.config], capture_output=True, text=True)
        assert done.returncode == 78 and "nothing takes log lines at /dev/log" in done.stderr, done
        subprocess.run(["rmdir", node.folder.parent / "dev"], check=False)


def test_a_system_log_that_goes_and_comes_back(nodes, inside, private, tmp_path):
    node = nodes(INSIDE + "log {{ to syslog }}\nhealth {{ clock error 0 }}\n", start=False, inside=inside.port)
    syslog = Syslog(tmp_path / "log.socket")
    node.start(through=private)

    def send(subject):
        client = lab.Client(node.port)
        assert client.send(lab.message(subject))[0] == 250
        client.close()

    send("one")
    lab.wait_for(lambda: syslog.has("status=sent"), "lines in the system log")
    assert "status=sent" not in node.text()
    syslog.stop()
    send("two")
    lab.wait_for(lambda: "status=sent" in node.text(), "lines on standard error")
    assert "takes nothing" in node.text()
    lab.wait_for(lambda: "the log did not take" in node.run("health", "--json", check=False).stdout, "health says so")
    syslog = Syslog(tmp_path / "log.socket")
    lab.wait_for(lambda: syslog.has("takes lines again"), "the system log is used again")
    time.sleep(1.5)
    said = node.text().count("status=sent")
    send("three")
    lab.wait_for(lambda: syslog.has("status=sent"), "lines in the system log")
    assert node.text().count("status=sent") == said
    inside.wait(3)
    syslog.stop()


def test_a_log_that_nobody_reads_holds_up_no_mail(nodes, inside):
    """Standard error is a pipe, and its reader stands still, as a terminal does after Ctrl-S."""
    node = nodes(INSIDE, start=False, inside=inside.port)
    reading, writing = os.pipe()
    log, node.log = node.log, pathlib.Path(f"/proc/self/fd/{writing}")
    node.start()
    node.log = log
    os.close(writing)
    for number in range(400):
        client = lab.Client(node.port)
        assert client.send(lab.message(f"number {number}"))[0] == 250
        client.close()
    inside.wait(400, 60)
    assert "the log did not take" in node.run("health", "--json", check=False).stdout
    os.close(reading)
