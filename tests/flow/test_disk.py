"""Goal: a full disk refuses mail, and loses none of what was acknowledged; after room is made mail flows again."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import lab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def start(folder, inside):
    node = lab.Node(folder, "domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"
                    "queue {{ free 16M; segment 16M; retry first 1s; retry most 2s }}\n", inside=inside.port)
    return node.start()


def test_the_journal_fills_the_disk(small_disk, inside):
    node = start(small_disk, inside)
    try:
        inside.stop()
        big = lab.message("fills", ("x" * 76 + "\n") * 30000)
        client, kept, refused = lab.Client(node.port), 0, None
        for _ in range(120):
            code, _text = client.send(big)
            if code == 250:
                kept += 1
            else:
                refused = code
                break
        assert refused == 452, (kept, refused)
        assert kept > 10
        assert client.say("RSET")[0] == 250
        lab.wait_for(lambda: client.say("MAIL FROM:<a@b.example>")[0] == 452 or client.say("RSET")[0] != 250, "MAIL FROM is answered 452")
        node.balance()
        inside.start()
        inside.wait(kept, 60)
        lab.wait_for(node.queue_is_empty, "the queue is empty", 60)
        lab.wait_for(lambda: lab.Client(node.port).send(lab.message("again"))[0] == 250, "mail is taken again", 30)
        inside.wait(kept + 1)
        node.balance()
        assert node.stop() == 0
    finally:
        if node.process.poll() is None:
            node.kill()


def test_somebody_else_fills_the_disk(small_disk, inside):
    """Also the ledger has no room then: mail that is under way is delivered all the same, and counted when there is room."""
    node = start(small_disk, inside)
    try:
        client = lab.Client(node.port)
        assert client.send(lab.message("before"))[0] == 250
        filler = small_disk / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(b"\0" * 1048576)
            except OSError:
                pass
        lab.wait_for(lambda: client.send(lab.message("during"))[0] in (452, 451), "mail is refused", 20)
        client.say("RSET")
        filler.unlink()
        lab.wait_for(lambda: client.send(lab.message("after"))[0] == 250 or client.say("RSET") is None, "mail is taken again", 20)
        lab.wait_for(lambda: any(b"Subject: after" in one for one in inside.messages()), "it arrives")
        node.balance()
        time.sleep(0.2)
        assert node.stop() == 0
    finally:
        if node.process.poll() is None:
            node.kill()


def test_a_spool_that_was_removed_keeps_nothing(nodes, inside):
    """Somebody has removed the state folder of a running node: what is written there is gone with the node, so nothing is acknowledged."""
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    client = lab.Client(node.port)
    assert client.send(lab.message("before"))[0] == 250
    inside.wait(1)
    shutil.rmtree(node.state / "spool")
    assert client.send(lab.message("after"))[0] in (451, 452)
    said = r"(not kept: .*|the spool takes no new segment: )No such file"  # whether the message or the reserve found out first
    assert lab.wait_for(lambda: re.search(said, node.text()), "the log says why")


def mount_tmpfs(folder, tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=112m", "tmpfs", folder], check=True)


def mount_ext4(folder, tmp_path):
    image = tmp_path / "image"
    with open(image, "wb") as file:
        file.truncate(128 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)


@pytest.fixture(params=[mount_tmpfs, mount_ext4], ids=["tmpfs", "ext4"])
def tiny_disk(request, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    request.param(folder, tmp_path)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


class Filler:
    """Another program that takes every byte that becomes free."""

    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen(["sh", "-c", f"while :; do dd if=/dev/zero bs=1M count=4; sleep 0.05; done 2>/dev/null >>'{path}'"])

    def end(self):
        self.process.kill()
        self.process.wait()
        self.path.unlink()


def numbered(number, size):
    return lab.message(f"number {number}", ("x" * 76 + "\n") * (size // 77), X_Load=f"{number}")


def send_until_full(port, size, most):
    """Numbers that got 250, until MAIL or the end of the content is answered 452."""
    client, kept = lab.Client(port), []
    for number in range(most):
        code, _text = client.send(numbered(number, size))
        if code != 250:
            assert code == 452, code
            break
        kept.append(number)
    client.close()
    return kept


def numbers_at(inside):
    return [int(re.search(rb"^X-Load: (\d+)", one, re.M)[1]) for one in inside.messages()]


def kill_queue(node):
    old = lab.wait_for(lambda: node.pids("queue"), "queue runs")[0]
    os.kill(old, signal.SIGKILL)
    lab.wait_for(lambda: [pid for pid in node.pids("queue") if pid != old], "queue runs again")


def restart(node):
    assert node.stop() == 0
    node.start()


@pytest.mark.parametrize("who", ["mail", "another program"])
def test_restarts_on_a_full_disk(tiny_disk, tmp_path, inside, who):
    """No restart of queue or of the node makes a message twice while outcomes have hardly a place; then all flows by itself."""
    node = lab.Node(tiny_disk, "domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"
                    "processes {{ receive 1 }}\nqueue {{ free 0; segment 4M; retry first 1s; retry most 2s }}\n", inside=inside.port)
    node.log = tmp_path / "log"
    node.start()
    filler = counted = None
    try:
        inside.stop()
        if who == "mail":
            kept = send_until_full(node.port, 60000, 3000)
        else:
            kept = send_until_full(node.port, 2000, 300)
            filler = Filler(tiny_disk / "filler")
            lab.wait_for(lambda: os.statvfs(tiny_disk).f_bavail == 0, "the disk is full", 60)
        assert len(kept) > 100
        for act in (kill_queue, kill_queue, restart, kill_queue, restart):
            act(node)
        node.kill()
        node.start()
        inside.start()
        for act in (kill_queue, kill_queue, restart, kill_queue, kill_queue, restart):
            act(node)
        inside.wait(len(kept), 60)
        lab.wait_for(node.queue_is_empty, "the queue is empty", 60)
        for act in (kill_queue, restart, restart):
            act(node)
        if filler:
            room = os.statvfs(tiny_disk)
            assert room.f_bavail * room.f_frsize < 1 << 20
            counted = subprocess.Popen([lab.BUILD / "src/cli/sekimori", "balance", "--state", node.state, "--wait", "60"], stdout=subprocess.DEVNULL)
            filler.end()
            filler = None
        lab.wait_for(lambda: lab.Client(node.port).send(numbered(9999, 100))[0] == 250, "mail is taken again", 30)
        inside.wait(len(kept) + 1)
        assert sorted(numbers_at(inside)) == kept + [9999], "each message once"
        assert "SIGBUS" not in node.text() and "Bus error" not in node.text()
        assert not counted or counted.wait(70) == 0, "a balance that waits outlives a database that could not be opened"
        node.balance()
        assert node.stop() == 0
    finally:
        if filler:
            filler.end()
        if node.process.poll() is None:
            node.kill()


def test_a_reload_says_how_much_stays_free(nodes, inside, tmp_path):
    config = "domains {{ example.test 127.0.0.1:{inside} }}\n"
    node = nodes(config, inside=inside.port)
    client = lab.Client(node.port)
    assert client.send(lab.message("before"))[0] == 250
    node.write(config + "queue {{ free 1T }}\n")
    node.run("reload")
    lab.wait_for(lambda: client.send(lab.message("during"))[0] == 452, "mail is refused", 20)
    client.say("RSET")
    node.run("report", "--date", "today", "--language", "en", "--to", tmp_path / "r.txt")
    assert re.search(r"! Disk: .* GB free, \d+ %; under 1024\.0 GB new mail is put off", (tmp_path / "r.txt").read_text())
    node.write(config)
    node.run("reload")
    lab.wait_for(lambda: client.send(lab.message("after"))[0] == 250 or client.say("RSET") is None, "mail is taken again", 20)
    node.balance()


def test_a_disk_too_small_to_start_on(tmp_path, nodes, inside):
    """The reason is said as it is."""
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", start=False, inside=inside.port)
    node.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", node.state], check=True)
    try:
        node.start(wait=False)
        assert node.process.wait(10) == 73
        assert "the counters cannot be made" in node.text() and "No space left on device" in node.text()
    finally:
        subprocess.run(["umount", "-l", node.state], check=True)
