# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what processes told the ledger stands in its database once, in its jail, whatever happens to both."""
import json
import os
import pathlib
import random
import re
import sqlite3
import subprocess

import pytest

import lab

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SEKIMORI_BUILD", ROOT / "build"))
JAILED = {"ASAN_OPTIONS": "detect_leaks=0", **os.environ}  # the leak search reads /proc, which no jail allows


class Ledger:
    def __init__(self, tmp_path):
        self.folder = tmp_path / "ledger"
        self.folder.mkdir()
        self.log = tmp_path / "log"
        (tmp_path / "conf").write_text(f"""
hostname mx.example.test
admin postmaster@example.test
state {tmp_path}
listen 127.0.0.1:2525 {{ direction in }}
domains {{ example.test 127.0.0.1:2526 }}
""")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [BUILD / "tests/unit/ledger/ledger-drive", BUILD / "src/ledger/ledger", tmp_path / "conf", self.folder],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1,
                env=JAILED)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline().strip()
        assert answer, self.log.read_text()
        return answer

    def balance(self):
        code, text = self.say("balance").split(" ", 2)[1:]
        assert code == "0", text
        return json.loads(text)

    def rows(self, query):
        with sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True) as database:
            return database.execute(query).fetchall()

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        return self.process.wait(20)


@pytest.fixture
def ledger(tmp_path):
    started = Ledger(tmp_path)
    yield started
    assert started.stop() == 0, started.log.read_text()


def test_rows_say_what_happened(ledger):
    ledger.say("accept 100 2")
    ledger.say("end 100 1 delivered")
    ledger.say("refuse 1")
    ledger.balance()
    assert ledger.rows("select id, client, helo, sender, size, class, own from message where id = 100") == [
        (100, "192.0.2.7", "mx.example.jp", "a@example.jp", 4000, 0, 0)]
    assert ledger.rows("select number, address, accepted_ms, ending, ended_ms, dsn, relay, reply from recipient"
                       " order by message") == [
        (0, "somebody@example.ac.jp", 100, 1, 100, "2.0.0", "192.0.2.9:25", "250 Ok"),
        (0, "somebody@example.ac.jp", 101, 0, None, None, None, None)]
    assert ledger.rows("select recipient, reply from refusal") == [("x@example.jp", "550 5.1.1 No such user")]


def test_balance_counts_rows(ledger):
    ledger.say("accept 1 500")
    ledger.say("end 1 300 delivered")
    ledger.say("end 301 50 returned")
    ledger.say("end 351 20 removed")
    counted = ledger.balance()
    assert {key: counted[key] for key in ("accepted", "own", "delivered", "returned", "discarded", "removed", "live",
                                          "unmatched", "lost")} == {
        "accepted": 500, "own": 0, "delivered": 300, "returned": 50, "discarded": 0, "removed": 20, "live": 130,
        "unmatched": 0, "lost": 0}


def test_a_deleted_row_is_missed(ledger):
    ledger.say("accept 1 10")
    ledger.balance()
    with sqlite3.connect(ledger.folder / "ledger.db") as database:
        database.execute("delete from recipient where message = 5")
    assert ledger.balance()["accepted"] == 9


def test_killed_under_load_nothing_is_lost_or_doubled(ledger):
    chance = random.Random(1)
    told = 0
    for _ in range(20):
        count = chance.randrange(50, 400)
        ledger.say(f"accept {told + 1} {count}")
        ledger.say(f"end {told + 1} {count} delivered")
        ledger.say("refuse 20")
        told += count
        ledger.say("kill")
    counted = ledger.balance()
    assert (counted["accepted"], counted["delivered"], counted["live"], counted["unmatched"]) == (told, told, 0, 0)
    assert ledger.rows("select count(*) from refusal") == [(400,)]


def test_100000_messages_through_a_checkpoint(ledger):
    ledger.say("accept 1 100000")
    ledger.say("end 1 100000 delivered")
    counted = ledger.balance()
    assert counted["accepted"] == counted["delivered"] == 100000
    assert "database=good" in ledger.say("status")
    assert ledger.rows("pragma integrity_check") == [("ok",)]


def test_damaged_while_running_is_set_aside(ledger):
    ledger.say("accept 1 10")
    ledger.balance()
    ledger.say("kill")
    path = ledger.folder / "ledger.db"
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (ledger.folder / name).unlink(missing_ok=True)
    path.write_bytes(b"x" * path.stat().st_size)
    ledger.say("kill")
    ledger.say("accept 11 5")
    assert ledger.balance()["accepted"] == 5
    assert len(list(ledger.folder.glob("ledger.db.damaged-*"))) >= 1
    assert "ALARM:" in ledger.log.read_text()


def version_set(node, version):
    with sqlite3.connect(node.state / "ledger/ledger.db") as database:
        database.execute("update schema set version = ?", (version,))


def test_newer_database_is_left_alone_and_mail_flows(node, inside):
    lab.Client(node.port).send(lab.message("before"))
    node.balance()
    node.stop()
    version_set(node, 99)
    node.start()
    for number in range(3):
        assert lab.Client(node.port).send(lab.message(f"meanwhile {number}"))[0] == 250
    inside.wait(4)
    told = node.run("trace", check=False)
    assert told.returncode == 76 and "newer" in told.stderr
    assert "has version 99, this program knows up to" in node.text()
    ledger = [one for one in node.status()["processes"] if one["name"] == "ledger"]
    assert "made by a newer version" in json.dumps(ledger)
    node.stop()
    version_set(node, int(re.search(r"this program knows up to (\d+)", node.text()).group(1)))
    node.start()
    node.balance()
    assert node.run("trace", "--subject", "meanwhile").returncode == 0


def test_locked_database_holds_up_nobody(node, inside):
    lab.Client(node.port).send(lab.message("first"))
    node.balance()
    other = sqlite3.connect(node.state / "ledger/ledger.db", isolation_level=None)
    other.execute("begin immediate")
    for number in range(3):
        assert lab.Client(node.port).send(lab.message(f"meanwhile {number}"))[0] == 250
    inside.wait(4)
    lab.wait_for(lambda: "cannot store events" in node.text(), "the ledger says so")
    other.execute("rollback")
    other.close()
    node.balance()
    assert "the ledger stores events again" in node.text()


def test_damaged_database_is_said_clearly(node, inside):
    lab.Client(node.port).send(lab.message("first"))
    node.balance()
    node.stop()
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (node.state / "ledger" / name).unlink(missing_ok=True)
    (node.state / "ledger/ledger.db").write_bytes(b"x" * 65536)
    told = node.run("trace", check=False)
    assert told.returncode == 65 and "not a database" in told.stderr
    node.start()
    assert lab.Client(node.port).send(lab.message("second"))[0] == 250
    inside.wait(2)
    lab.wait_for(lambda: "second" in node.run("trace", check=False).stdout, "the new ledger has it")


def test_a_database_that_was_taken_away_is_noticed(node, inside):
    """What would be written into a file without a name would be gone at the next start."""
    lab.Client(node.port).send(lab.message("before"))
    node.balance()
    for file in (node.state / "ledger").glob("ledger.db*"):
        file.unlink()
    assert lab.Client(node.port).send(lab.message("after"))[0] == 250
    lab.wait_for(lambda: "after" in node.run("trace", "--short", check=False).stdout, "the new ledger has it")
    assert "was taken away while it was open" in node.text()
    node.stop()
    node.start()
    assert "after" in node.run("trace", "--short").stdout


def test_counts_begin_anew_after_a_loss(nodes, inside):
    """What still waits when they begin counts as accepted, and its ending counts."""
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    inside.stop()
    assert lab.Client(node.port).send(lab.message("waits"))[0] == 250
    node.balance()
    node.stop()
    for file in (node.state / "ledger").glob("ledger.db*"):
        file.unlink()
    node.start()
    assert node.run("balance", "--wait", "0", check=False).returncode == 1
    running = node.run("balance", "--begin", check=False)
    assert running.returncode == 75 and "stop it first" in running.stderr
    node.stop()
    assert "begin anew" in node.run("balance", "--begin").stdout
    node.start()
    assert node.balance()["queued"] == 1
    inside.start()
    node.run("queue", "retry", "all")
    inside.wait(1)
    sums = node.balance()
    assert (sums["queued"], {line["name"]: line["ledger"] for line in sums["lines"]}["delivered"]) == (0, 1)


def test_the_quarantine_counts_what_the_new_database_has(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ found quarantine }}\nquarantine {{ most 1G }}\n",
                 inside=inside.port)

    def kept():
        return node.run("quarantine", "list").stdout.count(" kept ")

    def held(subject):
        before = kept()
        assert lab.Client(node.port).send(lab.message(subject, lab.eicar() + "\n"), recipients=("a@example.test", "b@example.test"))[0] == 250
        lab.wait_for(lambda: kept() > before, f"{subject} is kept")

    held("before")
    for file in (node.state / "ledger").glob("ledger.db*"):
        file.unlink()
    assert lab.Client(node.port).send(lab.message("notices it"))[0] == 250
    lab.wait_for(lambda: "notices it" in node.run("trace", "--short", check=False).stdout, "a new database")
    held("after")

    def counted():
        (ledger,) = [one for one in node.status()["processes"] if one["name"] == "ledger"]
        return int(ledger["values"]["quarantine recipients"])
    lab.wait_for(lambda: counted() == kept(), "what it counts is there", 20)


@pytest.fixture
def read_only(request):
    """Makes a file one that not even root can write, until the test ends."""
    def make(path, on):
        if subprocess.run(["chattr", "+i" if on else "-i", path], capture_output=True, check=False).returncode:
            pytest.skip("this file system knows no immutable files")
    made = []
    yield lambda path, on: (made.append(path), make(path, on))
    for path in made:
        subprocess.run(["chattr", "-i", path], capture_output=True, check=False)


def test_a_read_only_database_is_taken_up_when_it_may_be_written(node, inside, read_only):
    database = node.state / "ledger/ledger.db"
    lab.Client(node.port).send(lab.message("before"))
    node.balance()
    node.stop()
    read_only(database, True)
    node.start()
    assert lab.Client(node.port).send(lab.message("meanwhile"))[0] == 250
    inside.wait(2)
    lab.wait_for(lambda: "attempt to write a readonly database" in node.text(), "the log says why")
    assert "before" in node.run("trace", "--short").stdout
    read_only(database, False)
    lab.wait_for(lambda: "the ledger stores events again" in node.text(), "it goes on", 30)
    node.balance()
    assert "meanwhile" in node.run("trace", "--short").stdout
