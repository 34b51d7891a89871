# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a state folder that is copied as doc/upgrade-and-backup.md says comes back whole: what was queued is delivered once, what
was held is released by the tickets that users have, and every count agrees."""
import re
import shutil
import sqlite3
import subprocess

import pytest

import lab
from test_digest import parts
from test_quarantine import digests, kept, settled, spam

CONFIG = """
domains {{ example.test 127.0.0.1:{inside}; later.test 127.0.0.1:{later} }}
spam {{ quarantine above 12; reject above never }}
quarantine {{ most 100M }}
queue {{ retry first 1s; retry most 2s }}
digest {{ send on; at 00:00; page "https://mx.example.test/release" }}
"""


def filled(nodes, inside, later):
    """A node with two messages queued for a server that is down, one held, and a ticket for it."""
    node = nodes(CONFIG, inside=inside.port, later=later)
    lab.wait_for(lambda: (node.state / "report/digest").exists(), "the first look")
    client = lab.Client(node.port)
    assert client.send(spam("held"), recipients=("user@example.test",))[0] == 250
    for number in range(2):
        assert client.send(lab.message(f"queued {number}"), recipients=("user@later.test",))[0] == 250
    settled(node, 1)
    node.run("digest", "--now")
    inside.wait(1)
    (ticket,) = set(re.findall("/([0-9A-Z]{64})", parts(digests(inside)[0])[0]))
    return node, ticket


def restored(node, copy):
    """The state folder as it was copied; the one that was is gone."""
    shutil.rmtree(node.state)
    subprocess.run(["tar", "-C", node.folder, "-xaf", copy], check=True)
    return node.start()


@pytest.mark.parametrize("is_stopped", (True, False))
def test_what_was_copied_comes_back(nodes, sinks, tmp_path, is_stopped):
    """Stopped in order; or as a snapshot has it: every process ends at one moment and says nothing."""
    inside, later = sinks(), lab.free_port()
    node, ticket = filled(nodes, inside, later)
    node.stop() if is_stopped else node.kill()
    copy = tmp_path / "copy.tar.zst"
    subprocess.run(["tar", "-C", node.folder, "-caf", copy, "state"], check=True)
    restored(node, copy)
    there = sinks(port=later)
    there.wait(2)
    assert sorted(re.findall(rb"^Subject: (queued \d)", b"".join(there.messages()), re.M)) == [b"queued 0", b"queued 1"]
    assert [one["subject"] for one in kept(node)] == ["held"]
    node.run("quarantine", "release", "--ticket", ticket)
    assert b"Subject: held" in inside.wait(2)[-1]
    lab.wait_for(node.queue_is_empty, "all has gone")
    node.balance()
    assert "queued 0" in node.run("trace", "--address", "user@later.test", "--status", "delivered").stdout
    assert len(there.files()) == 2


def test_the_ledger_alone_is_copied_while_the_node_runs(nodes, sinks, tmp_path):
    inside = sinks()
    node, _ = filled(nodes, inside, lab.free_port())
    (tmp_path / "copy/ledger").mkdir(parents=True)
    with sqlite3.connect(f"file:{node.state}/ledger/ledger.db?mode=ro", uri=True) as database, \
            sqlite3.connect(tmp_path / "copy/ledger/ledger.db") as copy:
        database.backup(copy)  # what sqlite3's .backup calls
    here, there = (subprocess.run([lab.BUILD / "src/cli/sekimori", "stats", "--state", state], capture_output=True, text=True, check=True,
                                  timeout=60).stdout for state in (node.state, tmp_path / "copy"))
    assert here == there and "Received" in here
