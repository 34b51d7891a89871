# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: held mail is in the quarantine once, whoever dies; it comes back once, to whom it should; every count agrees."""
import base64
import email.header
import json
import os
import pathlib
import random
import re
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

import lab
from test_trace import as_nobody

CONFIG = """
domains {{ example.test 127.0.0.1:{inside} }}
virus {{ found quarantine }}
spam {{ quarantine above 12; reject above never }}
quarantine {{ most {most} {more} }}
"""


def rows(text):
    return [json.loads(line) for line in text.strip().splitlines()]


def kept(node, *options):
    return rows(node.run("quarantine", "list", "--json", *options).stdout)


def spam(subject="junk", **fields):
    return lab.message(subject, lab.gtube() + "\n", **fields)


def virus(subject="invoice"):
    return lab.message(subject, lab.eicar() + "\n", MIME_Version="1.0", Content_Type="application/octet-stream; name=a.com")


def settled(node, count):
    """Every held recipient is in the quarantine, and the ledger has been told so."""
    lab.wait_for(lambda: len([one for message in kept(node) for one in message["recipients"] if one["state"] == "kept"]) == count,
                 f"{count} recipients kept", 40)
    return kept(node)


@pytest.fixture
def node(nodes, inside):
    return nodes(CONFIG, inside=inside.port, most="100M", more="")


def test_held_mail_moves_into_a_file_of_its_own(node, inside):
    code, _ = lab.Client(node.port).send(spam("buy \x1b[31m\u202enow" + "x" * 300), recipients=("a@example.test", "b@example.test"))
    assert code == 250
    (one,) = settled(node, 2)
    assert node.queue_is_empty() and inside.files() == []
    assert [(r["address"], r["class"]) for r in one["recipients"]] == [("a@example.test", "spam"), ("b@example.test", "spam")]
    (file,) = node.state.glob("quarantine/*/*.zst")
    assert file.stem == one["id"] and stat.S_IMODE(file.stat().st_mode) == 0o600 and file.stat().st_size == one["bytes"]
    shown = node.run("quarantine", "list").stdout
    assert one["id"] in shown and "<a@example.test>" in shown and "\x1b" not in shown and "\u202e" not in shown
    assert max(len(line) for line in shown.splitlines()) < 100
    counted = {line["name"]: line for line in node.balance()["lines"]}
    assert counted["quarantined"]["journal"] == counted["quarantined"]["ledger"] == 2
    assert counted["delivered"]["journal"] == 0


def test_lists_are_narrowed_and_show_says_why(node):
    for number in range(3):
        assert lab.Client(node.port).send(spam(f"cheap offer {number}", From="Sato <sato@shop.example>"), sender=f"s{number}@outside.example")[0] == 250
    settled(node, 3)
    ids = [one["id"] for one in kept(node)]
    assert [one["id"] for one in kept(node, "--subject", "OFFER 1")] == ids[1:2]
    assert kept(node, "--subject", "offer 1 2") == []
    assert [one["id"] for one in kept(node, "--since", "1h")] == ids and kept(node, "--since", "2030-01-01") == []
    assert [one["id"] for one in kept(node, "--from", "s2@*")] == ids[2:]
    assert [one["id"] for one in kept(node, "--most", "2")] == ids[1:]
    shown = node.run("quarantine", "list", "--most", "2").stdout.splitlines()
    assert shown[0].startswith("message ") and "bytes" in shown[0] and shown[-1].startswith("the newest 2 of 3 messages")
    assert [line.split()[0] for line in shown if re.match("[0-9A-Z]{13} ", line)] == ids[1:]
    shown = node.run("quarantine", "show", ids[0]).stdout
    assert re.search(r"why: [0-9.]+ points: .*GTUBE", shown) and "From: Sato <sato@shop.example>" in shown, shown
    (one,) = rows(node.run("quarantine", "show", ids[0], "--json").stdout)
    assert one["score"] > 12 and "GTUBE" in one["signals"]


def test_released_to_one_recipient_and_then_the_rest(node, inside):
    lab.Client(node.port).send(spam("once"), recipients=("a@example.test", "b@example.test"))
    (one,) = settled(node, 2)
    node.run("quarantine", "release", one["id"], "--to", "b@example.test")
    (first,) = inside.wait(1)
    assert b"GTUBE" in first and re.search(rb"^Subject: .*once", first, re.M) and b"X-Spam-Flag" not in first, first
    (left,) = settled(node, 1)
    assert left["recipients"][0]["address"] == "a@example.test" and list(node.state.glob("quarantine/*/*.zst"))
    node.run("quarantine", "release", one["id"])
    inside.wait(2)
    lab.wait_for(lambda: not kept(node), "nothing is kept")
    lab.wait_for(lambda: not list(node.state.glob("quarantine/*/*.zst")), "the file is gone")
    (shown,) = rows(node.run("quarantine", "show", "--json", one["id"]).stdout)
    assert [r["state"] for r in shown["recipients"]] == ["released"] * 2 and len({r["release"] for r in shown["recipients"]}) == 2
    trace = node.run("trace", one["id"]).stdout
    assert 0 < trace.index("  quarantined ") < trace.index("  released "), trace
    assert shown["recipients"][0]["release"] in trace
    again = lab.wait_for(lambda: (lambda said: "delivered" in said and said)(
        node.run("trace", shown["recipients"][0]["release"], check=False).stdout), "the ledger has its delivery")
    assert "out of quarantine" in again
    assert node.run("audit", one["id"]).stdout.count("quarantine release") == 2
    balance = node.balance()
    counted = {line["name"]: line.get("journal") for line in balance["lines"]}
    assert (counted["accepted"], counted["again"], counted["own"], counted["quarantined"], counted["delivered"]) == (2, 2, 0, 2, 2)
    assert (balance["kept"], balance["released"]) == (0, 2)
    assert node.run("balance", "--day", "today").returncode == 0
    assert node.run("quarantine", "release", one["id"], check=False).returncode == 66
    assert len(inside.files()) == 2


def test_a_large_one_comes_back_as_it_was(node, inside):
    body = "".join(f"line {i} {random.Random(i).random()}\n" for i in range(20000))
    lab.Client(node.port).send(lab.message("large", lab.gtube() + "\n" + body))
    (one,) = settled(node, 1)
    assert one["size"] > 500000 > one["bytes"]
    node.run("quarantine", "release", "all", "--yes")
    (arrived,) = inside.wait(1)
    assert body.encode().replace(b"\n", b"\r\n") in arrived
    assert b"Subject: large\r\n" in arrived and b"X-Spam-Flag" not in arrived, "it was said to be no spam"
    node.balance()


def test_a_released_virus_says_what_it_is(node, inside):
    lab.Client(node.port).send(virus())
    (one,) = settled(node, 1)
    node.run("quarantine", "release", one["id"], "--yes")
    (arrived,) = inside.wait(1)
    assert re.search(rb"^X-Virus-Scanned: Sekimori \(clamav [^;]*;\r\n\tfound " + re.escape(one["virus"].encode()) + rb"\r\n\t in a\.com\)\r$", arrived, re.M), arrived
    # what nobody could open is listed as that
    lab.Client(node.port).send(lab.message("image", base64.b64encode(b"hsqs" + bytes(600)).decode() + "\n", MIME_Version="1.0",
                                           Content_Type="application/octet-stream; name=a.bin", Content_Transfer_Encoding="base64"))
    (one,) = settled(node, 1)
    shown = node.run("quarantine", "list").stdout
    assert one["found"] == "not-opened" and "    not-opened squashfs\n" in shown and "virus" not in shown, shown
    node.balance()


def test_deleted_and_looked_at(node, inside):
    lab.Client(node.port).send(virus())
    lab.Client(node.port).send(spam("other"))
    settled(node, 2)
    (one,) = kept(node, "--class", "virus")
    assert "Eicar" in one["virus"]
    content = node.run("quarantine", "show", "--content", one["id"]).stdout
    assert "Subject: invoice" in content and lab.eicar() in content
    assert "quarantine content" in node.run("audit", one["id"]).stdout
    node.run("quarantine", "delete", "--to", "*@example.test", "--class", "virus", "--yes")
    assert [message["recipients"][0]["class"] for message in kept(node)] == ["spam"]
    assert "deleted" in node.run("trace", one["id"]).stdout
    assert one["id"] in node.run("trace", "--status", "deleted", "--short").stdout
    assert node.run("trace", "--status", "aged", check=False).returncode == 1
    assert node.balance()["deleted"] == 1 and inside.files() == []
    assert node.run("quarantine", "delete", check=False).returncode == 64
    assert node.run("quarantine", "list", "--class", "nonsense", check=False).returncode == 64
    assert node.run("quarantine", "delete", "0" * 13, check=False).returncode == 66


def test_a_missing_row_unbalances(node):
    lab.Client(node.port).send(spam())
    settled(node, 1)
    node.balance()
    with sqlite3.connect(node.state / "ledger/ledger.db") as database:
        database.execute("delete from held_recipient")
    done = node.run("balance", "--wait", "0", check=False)
    assert done.returncode == 1 and re.search(r"^missing .* 1 +DIFFERS$", done.stdout, re.M), done.stdout
    with sqlite3.connect(node.state / "ledger/ledger.db") as database:
        database.execute("delete from recipient")
    done = node.run("balance", "--wait", "0", check=False)
    assert done.returncode == 1 and re.search(r"^quarantined .* 1 +0 +DIFFERS$", done.stdout, re.M), done.stdout


def test_old_mail_goes_and_the_rest_stays(nodes, inside):
    node = nodes(CONFIG, inside=inside.port, most="100M", more="; keep { spam 1ms }")
    lab.Client(node.port).send(spam())
    lab.Client(node.port).send(virus())
    lab.wait_for(lambda: node.balance()["aged"] == 1, "the spam is gone", 60)
    assert [message["recipients"][0]["class"] for message in settled(node, 1)] == ["virus"]
    assert len(list(node.state.glob("quarantine/*/*.zst"))) == 1


def test_without_room_it_stays_in_the_journal(nodes, inside):
    node = nodes(CONFIG, inside=inside.port, most="1K", more="")
    lab.Client(node.port).send(spam(X_Pad="x" * 900, X_More="x" * 900))
    lab.wait_for(lambda: "held mail stays in the journal" in node.text(), "it is said")
    assert kept(node) == [] and not node.queue_is_empty()
    assert "held" in node.run("queue", "list").stdout
    node.run("queue", "release", "all")
    inside.wait(1)
    node.balance()


def large(subject, body):
    noise = random.Random(subject).randbytes(200000).hex()
    return lab.message(subject, body + "\n" + "".join(noise[i:i + 76] + "\n" for i in range(0, len(noise), 76)))


def test_the_oldest_make_room_and_no_more_of_them_than_must(nodes, inside):
    """Each message is 400 KB as it came and half of that as a file; one finds room when there is twice as much."""
    node = nodes(CONFIG, inside=inside.port, most="900K", more="")
    for number in range(4):
        assert lab.Client(node.port).send(large(f"large {number}", lab.gtube()))[0] == 250
        lab.wait_for(lambda: f"large {number}" in node.run("quarantine", "list").stdout, f"{number} is kept", 60)
    lab.wait_for(lambda: node.balance()["aged"] >= 1, "the first are gone")
    subjects = re.findall(r"large \d", node.run("quarantine", "list").stdout)
    assert subjects == [f"large {number}" for number in range(4 - len(subjects), 4)] and len(subjects) == 3, subjects


def kill_one(node, name):
    for pid in node.pids(name):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("victims", [("ledger",), ("queue",), ("ledger", "queue", "deliver")])
def test_killed_at_any_moment_each_is_kept_once_and_released_once(node, inside, victims):
    chance = random.Random(len(victims))
    count = 40 if lab.QUICK else 150
    sent = 0
    while sent < count:
        try:
            client = lab.Client(node.port)
            while sent < count and client.send(spam(f"load {sent}", X_Load=f"{sent}"))[0] == 250:
                sent += 1
                if chance.random() < 0.08:
                    kill_one(node, chance.choice(victims))
        except (OSError, ConnectionError):
            pass
        lab.wait_for(node.is_ready, "the node is ready")
    balance = None

    def all_in():
        nonlocal balance
        balance = node.balance(60)
        return balance["held"] == balance["queued"] == 0 and balance["kept"] >= sent
    lab.wait_for(all_in, "all of it is in quarantine", 60)
    messages = kept(node)
    assert len(messages) == len({message["id"] for message in messages}) == balance["kept"]
    assert len(list(node.state.glob("quarantine/*/*.zst"))) == len(messages)
    total = len(messages)
    for i in range(3):
        done = node.run("quarantine", "release", *(message["id"] for message in messages[i::3]), check=False)
        assert done.returncode in (0, 69, 75), done.stderr
        kill_one(node, chance.choice(victims))
        lab.wait_for(node.is_ready, "the node is ready")
    lab.wait_for(lambda: node.run("quarantine", "release", "all", check=False).returncode in (0, 66) and not kept(node), "all is released", 60)
    inside.wait(total, 60)
    lab.wait_for(lambda: node.balance(60)["released"] == total, "all is counted", 60)
    assert node.balance(60)["queued"] == 0
    arrived = [re.search(rb"^X-Load: (\d+)", one, re.M).group(1) for one in inside.messages()]
    if victims != ("ledger", "queue", "deliver"):
        assert len(arrived) == total  # a deliver that dies may deliver twice, as SMTP allows
    assert {int(number) for number in arrived} == set(range(sent))


def test_a_question_before_a_virus_goes_on(node, inside):
    """And before several are deleted; from is not to; without a terminal --yes says it."""
    lab.Client(node.port).send(virus())
    lab.Client(node.port).send(virus(), sender="user@example.test")
    lab.Client(node.port).send(spam())
    settled(node, 3)
    first, second = kept(node, "--class", "virus")
    code, said = lab.at_a_terminal(node, "n", "quarantine", "release", first["id"])
    assert code == 1 and "Release 1 recipient, 1 of them with a virus, phishing or poison, of 1 message? [y/N]" in said, said
    assert len(kept(node)) == 3 and inside.files() == [] and "nothing is on record" in node.run("audit").stdout
    done = node.run("quarantine", "release", "--class", "virus", check=False)
    assert done.returncode == 64 and "2 messages; what is in them may hurt: say --yes" in done.stderr and len(kept(node)) == 3, done
    done = node.run("quarantine", "delete", "all", check=False)
    assert done.returncode == 64 and "delete would take 3 messages: say --yes" in done.stderr, done
    assert node.run("quarantine", "delete", "--match", "*@example.test", "--yes", check=False).returncode == 64
    assert "would delete 1 recipient of 1 message" in node.run("quarantine", "delete", "--from", "*@example.test", "--dry-run").stdout
    assert len(kept(node)) == 3
    for words in (("release", "--to", "user@example.test", "--class", "virus"), ("delete", "--from", "*@example.test")):
        assert node.run("quarantine", *words, check=False).returncode == 64  # one that a pattern finds is not named
    assert len(kept(node)) == 3
    node.run("quarantine", "delete", "--from", "*@example.test", "--yes")
    assert second["id"] not in [one["id"] for one in kept(node)] and len(kept(node)) == 2
    code, said = lab.at_a_terminal(node, "y", "quarantine", "release", first["id"])
    assert code == 0 and inside.wait(1), said
    assert lab.at_a_terminal(node, "", "quarantine", "delete", "all")[0] == 1 and len(kept(node)) == 1
    node.run("quarantine", "delete", "all", "--yes")
    looks = node.told("audit")["looks"]
    assert [(one["act"], one["about"]) for one in reversed(looks)] == [
        ("delete", "virus, 1 recipient"), ("release", "virus, 1 recipient"), ("delete", "spam, 1 recipient")]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_each_class_has_its_own_rights(nodes, inside):
    config = CONFIG.replace("{more}", "")
    node = nodes(config, inside=inside.port, most="100M")
    lab.Client(node.port).send(virus())
    lab.Client(node.port).send(spam())
    settled(node, 2)
    assert as_nobody(node, "quarantine list") is None
    node.write(config + "rights operate nobody\n")
    node.run("reload")
    code, text = as_nobody(node, "quarantine list")
    assert code == 0
    code, text = as_nobody(node, "quarantine delete\nall")
    assert code == 77 and json.loads(text) == {"recipients": 1, "busy": 0, "denied": 1}
    assert [message["recipients"][0]["class"] for message in kept(node)] == ["virus"]
    identity = kept(node)[0]["id"]
    assert as_nobody(node, f"quarantine content\n{identity}")[0] == 77
    node.write(config + "quarantine release virus nobody\n")
    node.run("reload")
    assert as_nobody(node, "status")[0] == 77
    assert as_nobody(node, f"quarantine release\n{identity}")[0] == 0
    inside.wait(1)
    looks = node.told("audit", "--user", "nobody")["looks"]
    assert [(one["act"], one["about"]) for one in reversed(looks)] == [
        ("delete", "refused: no right for its class"), ("delete", "spam, 1 recipient"),
        ("content", "refused: no right to read content"), ("release", "virus, 1 recipient")]
    node.balance()


def digests(inside):
    return [mail for mail in map(email.message_from_bytes, inside.messages()) if "Sekimori" in str(mail["From"])]


def subject_of(mail):
    return str(email.header.make_header(email.header.decode_header(mail["Subject"])))


def test_digest_tells_each_user_once_in_their_language(nodes, sinks):
    inside = sinks()
    config = """
domains {{ example.test 127.0.0.1:{inside} {{ language ja }}; other.test 127.0.0.1:{inside} }}
virus {{ found quarantine }}
spam {{ quarantine above 12; reject above never }}
quarantine {{ most 100M }}
digest {{ send on; at 00:00; viruses off; page "https://mx.example.test/release" }}
"""
    node = nodes(config, inside=inside.port)
    lab.wait_for(lambda: (node.state / "report/digest").exists(), "the first look")
    lab.Client(node.port).send(spam("buy \u202e now"), recipients=("a@example.test", "A@example.test", "b@other.test"))
    lab.Client(node.port).send(virus(), recipients=("a@example.test", "c@other.test"))
    settled(node, 5)
    assert digests(inside) == []
    node.stop()
    state = node.state / "report/digest"
    day, since, *rest = state.read_text().split()
    state.write_text(f"{int(day) - 1} {since} {' '.join(rest)}\n")  # as if it were a day later
    node.start()
    inside.wait(2)
    lab.wait_for(lambda: state.read_text().split()[0] == day, "all are told")
    letters = {str(mail["To"]): mail for mail in digests(inside)}
    assert sorted(letters) == ["<a@example.test>", "<b@other.test>"]  # viruses off, each address once
    japanese, english = (letters[to].get_payload()[0].get_payload(decode=True).decode() for to in sorted(letters))
    assert "保留" in subject_of(letters["<a@example.test>"]) and "件名" not in japanese and "保留して配送していない" in japanese
    assert "Held messages: 1" in subject_of(letters["<b@other.test>"]) and "It works once" in english
    assert "\u202e" not in japanese and "invoice" not in japanese
    links = re.findall(r"https://mx\.example\.test/release/([0-9A-Z]{64})", japanese)
    assert len(links) == 2
    assert stat.S_IMODE((node.state / "ledger/ticket.key").stat().st_mode) == 0o600

    (ticket,) = re.findall(r"/([0-9A-Z]{64})", english)
    wrong = ticket[:-1] + ("0" if ticket[-1] != "0" else "1")
    assert node.run("quarantine", "release", "--ticket", wrong, check=False).returncode == 64
    shown = rows(node.run("quarantine", "show", "--json", "--ticket", ticket).stdout)  # a look uses nothing up
    assert [r["address"] for message in shown for r in message["recipients"]] == ["b@other.test"]
    node.run("quarantine", "release", "--ticket", ticket)
    inside.wait(3)
    lab.wait_for(lambda: "released" in node.run("quarantine", "show", "--ticket", ticket).stdout, "it is released")
    assert node.run("quarantine", "release", "--ticket", ticket, check=False).returncode == 66
    assert len(inside.files()) == 3 and "with a ticket" in node.run("quarantine", "show", "--ticket", ticket).stdout
    node.balance()


def test_a_damaged_file_is_never_delivered(node, inside):
    lab.Client(node.port).send(spam("first"))
    lab.Client(node.port).send(spam("second"))
    settled(node, 2)
    damaged, gone = sorted(node.state.glob("quarantine/*/*.zst"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    gone.unlink()
    node.run("quarantine", "release", "all", "--yes")
    lab.wait_for(lambda: all(r["state"] == "kept" and "could not be read" in r.get("by", "") for m in kept(node) for r in m["recipients"]),
                 "both are kept again")
    assert "ALARM: quarantine" in node.text() and inside.files() == []
    node.run("quarantine", "delete", "all", "--yes")
    assert kept(node) == [] and node.balance()["deleted"] == 2


def lose_database(node):
    """As a disk does it: the index is nonsense, the files of the quarantine are not."""
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (node.state / "ledger" / name).unlink(missing_ok=True)
    (node.state / "ledger/ledger.db").write_bytes(b"x" * 65536)


def lose_database_at_work(node):
    """The same with all others running: ledger is gone only while nobody can start it again."""
    (victim,) = node.pids("ledger")
    node.process.send_signal(signal.SIGSTOP)
    try:
        os.kill(victim, signal.SIGKILL)
        lab.wait_for(lambda: pathlib.Path(f"/proc/{victim}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z", "ledger is dead")
        lose_database(node)
    finally:
        node.process.send_signal(signal.SIGCONT)
    lab.wait_for(node.is_ready, "the node is ready")


def test_what_a_lost_database_knew_is_found_again(node, inside):
    lab.Client(node.port).send(spam("buy"), recipients=("a@example.test", "b@example.test"))
    lab.Client(node.port).send(virus("invoice"))
    settled(node, 3)
    before = kept(node)
    for _ in range(2):  # the second time from the files of an index that was made of files
        node.stop()
        lose_database(node)
        node.start()
        settled(node, 3)
    after = kept(node)

    def shown(messages):
        return [{key: one[key] for key in ("id", "size", "bytes", "sender", "subject", "virus")} | {
            "recipients": [(r["number"], r["class"], r["state"], r["address"], r["reason"]) for r in one["recipients"]]}
            for one in messages]
    assert shown(after) == shown(before)
    assert "not know are in its index again" in node.text()
    node.balance()
    assert node.run("balance", "--day", "today").returncode == 0
    assert before[0]["id"] in node.run("trace", "--subject", "buy", "--status", "quarantined").stdout
    identity = next(one["id"] for one in after if one["virus"])
    node.run("quarantine", "delete", identity)
    node.run("quarantine", "release", "all", "--yes")
    inside.wait(1)
    lab.wait_for(lambda: not list(node.state.glob("quarantine/*/*")), "the files are gone")
    balance = node.balance()
    assert (balance["kept"], balance["released"], balance["deleted"]) == (0, 2, 1)


def test_who_had_it_already_does_not_get_it_again(node, inside):
    lab.Client(node.port).send(spam("one"), recipients=("a@example.test", "b@example.test", "c@example.test"))
    (one,) = settled(node, 3)
    node.run("quarantine", "release", one["id"], "--to", "b@example.test")
    node.run("quarantine", "delete", one["id"], "--to", "c@example.test")
    inside.wait(1)
    settled(node, 1)
    lab.wait_for(lambda: "released" in node.run("quarantine", "show", one["id"]).stdout, "it is released")
    node.stop()
    lose_database(node)
    node.start()
    (left,) = settled(node, 1)
    assert [r["address"] for r in left["recipients"]] == ["a@example.test"]
    (shown,) = rows(node.run("quarantine", "show", "--json", one["id"]).stdout)
    assert [r["state"] for r in shown["recipients"]] == ["kept", "released", "deleted"]
    node.run("quarantine", "release", "all", "--yes")
    inside.wait(2)
    lab.wait_for(lambda: not list(node.state.glob("quarantine/*/*")), "the file and its note are gone")
    assert len(inside.files()) == 2


def test_a_file_of_the_first_version_is_for_its_owners(node, inside):
    """What it was found to be is not in such a file."""
    lab.Client(node.port).send(virus())
    settled(node, 1)
    node.stop()
    (file,) = node.state.glob("quarantine/*/*.zst")
    whole = subprocess.run(["zstd", "-dc", file], check=True, capture_output=True).stdout
    facts = 5 + int.from_bytes(whole[1:5], "little")
    about = facts + 4 + int.from_bytes(whole[facts:facts + 4], "little")
    file.write_bytes(subprocess.run(["zstd", "-c", "--check"], input=b"\x01" + whole[1:facts] + whole[about:], check=True,
                                    capture_output=True).stdout)
    lose_database(node)
    node.start()
    (one,) = settled(node, 1)
    assert one["recipients"][0]["class"] == "poison" and "not known" in one["recipients"][0]["reason"]
    node.run("quarantine", "release", "all", "--yes")
    inside.wait(1)


def test_lost_in_the_middle_of_releases_none_comes_twice(node, inside):
    chance = random.Random(4)
    count = 12 if lab.QUICK else 60
    for number in range(count):
        lab.Client(node.port).send(spam(f"load {number}", X_Load=f"{number}"))
    settled(node, count)
    for _ in range(3):
        ids = [one["id"] for one in kept(node)]
        release = subprocess.Popen([lab.BUILD / "src/cli/sekimori", "quarantine", "release", *ids[:len(ids) // 2], "--state", node.state],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) if ids else None
        time.sleep(chance.random() * 0.05)  # somewhere in it
        lose_database_at_work(node)
        if release:
            release.wait(60)
    lab.wait_for(lambda: node.run("quarantine", "release", "all", check=False).returncode in (0, 66, 75) and
                 not list(node.state.glob("quarantine/*/*.zst")), "all is released, what was found again too", 60)
    inside.wait(count, 60)
    lab.wait_for(node.queue_is_empty, "nothing is left")
    arrived = [re.search(rb"^X-Load: (\d+)", one, re.M).group(1) for one in inside.messages()]
    assert sorted(map(int, arrived)) == list(range(count))
