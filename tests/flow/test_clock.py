"""Goal: a clock that is set, back or forward, by hours or years, neither makes mail wait or expire nor spoils a count."""
import os
import re
import struct
import subprocess
import time

import pytest

import lab

HOUR, YEAR = 3600, 365 * 86400
CONFIG = ("domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"
          "queue {{ retry first 1s; retry most 2s; expire 2h }}\n")


class Clock:
    """The clock of a node's processes, as far ahead of the machine's as was said last."""

    def __init__(self, folder):
        self.path = folder / "clock-ahead"
        self.set(0)
        library = folder / "clock_shim.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, lab.ROOT / "tests/flow/clock_shim.c", "-ldl"], check=True)
        options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_SHIM": str(self.path), "ASAN_OPTIONS": options}

    def set(self, seconds):
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("<q", seconds))


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def start(nodes, inside, clock, config=CONFIG):
    node = nodes(config, start=False, inside=inside.port)
    return node.start(env=clock.environment)


def listed(node):
    done = node.run("queue", "list", "--json")
    return [line for line in done.stdout.splitlines() if '"id"' in line]


@pytest.mark.parametrize("seconds", [3 * HOUR, -3 * HOUR, 10 * YEAR, -10 * YEAR])
@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
def test_deferred_mail_waits_as_long_as_before(nodes, inside, clock, seconds, restarts):
    node = start(nodes, inside, clock)
    inside.stop()
    assert lab.Client(node.port).send(lab.message("deferred"))[0] == 250
    lab.wait_for(lambda: "status=deferred" in node.text(), "it is deferred")
    if restarts:
        assert node.stop() == 0
        clock.set(seconds)
        node.start(env=clock.environment)
    else:
        clock.set(seconds)
    lab.wait_for(lambda: re.search(r"the clock was set by [+-]\d+ s", node.text()) or restarts, "queue sees it")
    tried = node.text().count("status=deferred")
    lab.wait_for(lambda: node.text().count("status=deferred") >= tried + 2, "it is tried as often as before", 15)
    assert "expired" not in node.text() and len(listed(node)) == 1
    assert lab.Client(node.port).send(lab.message("later"))[0] == 250
    inside.start()
    inside.wait(2, 15)
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    node.balance()
    clock.set(0)
    assert lab.Client(node.port).send(lab.message("set right"))[0] == 250
    inside.wait(3, 15)
    node.balance()
    assert node.stop() == 0


def let_pass(node, seconds):
    """So much more time has passed, as far as the queue knows, when the node starts again."""
    path = node.state / "spool/clock"
    line = path.read_text()
    base = int(re.search(r"base (-?\d+)", line)[1])
    path.write_text(line.replace(f"base {base}", f"base {base + seconds * 1000}").strip().ljust(255) + "\n")


def deferred_and_over(nodes, inside, clock):
    node = start(nodes, inside, clock)
    inside.stop()
    assert lab.Client(node.port).send(lab.message("over"))[0] == 250
    lab.wait_for(lambda: "status=deferred" in node.text(), "it is deferred")
    assert node.stop() == 0
    let_pass(node, 3 * HOUR)
    return node


def test_one_more_attempt_before_it_expires(nodes, inside, clock):
    node = deferred_and_over(nodes, inside, clock)
    inside.start()
    node.start(env=clock.environment)
    inside.wait(1, 15)
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    assert "expired" not in node.text()
    node.balance()


def test_it_expires_when_that_attempt_fails(nodes, inside, clock):
    node = deferred_and_over(nodes, inside, clock)
    before = len(node.text())
    node.start(env=clock.environment)
    lab.wait_for(lambda: "status=held" in node.text()[before:], "it has expired", 30)
    lab.wait_for(lambda: re.search(r"deliver\[\d+\]: .*Connection refused", node.text()[before:]), "the attempt was made")
    inside.start()
    time.sleep(1)
    assert not inside.messages()
    node.balance()


def test_the_counts_began_later_than_the_clock_says(nodes, inside, clock):
    """The counts began at a time that is years ahead after the clock is set back."""
    node = start(nodes, inside, clock)
    for number, seconds in enumerate([0, -HOUR, -20 * YEAR, 5 * HOUR, -20 * YEAR]):
        clock.set(seconds)
        assert lab.Client(node.port).send(lab.message(f"number {number}"))[0] == 250
        inside.wait(number + 1)
    counts = node.balance()
    assert counts
    assert node.stop() == 0
    node.start(env=clock.environment)
    assert lab.Client(node.port).send(lab.message("again"))[0] == 250
    inside.wait(6)
    node.balance()
