# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what users inside send to the node's own addresses is done once, whoever dies: what leaked through is counted and kept,
a ticket releases its message; nobody outside can do either, and each recipient has its ending."""
import contextlib
import datetime
import email
import email.header
import email.message
import email.policy
import hmac
import json
import os
import re
import signal
import threading
import time

import pytest

import lab
from test_nodes import there  # noqa: F401
from test_quarantine import digests, kept, settled, spam, subject_of

CONFIG = """
listen 127.0.0.1:{port} {{ direction in }}
listen 127.0.0.1:{out} {{ direction out; senders elsewhere.example }}
domains {{ example.test 127.0.0.1:{inside} {{ language ja }}; other.test 127.0.0.1:{inside} }}
spam {{ quarantine above 12; reject above never }}
quarantine {{ most 100M }}
report {{ missed spam spam@example.test; missed phishing phishing@example.test }}
digest {{ send on; at 00:00; reply release@example.test; expire {expire} }}
"""


@pytest.fixture
def node(nodes, inside):
    return nodes(CONFIG, inside=inside.port, out=lab.free_port(), expire="7d")


def from_inside(node):
    return lab.Client(node.values["out"])


def leaked(name):
    """A spam as two of its readers have it: the trace fields of each are their own."""
    text = lab.message(f"buy {name}", f"Buy {name} now.\n", Message_ID=f"<{name}@spam.example>")
    return f"Received: from mx by imap; {os.urandom(4).hex()}\nX-Filed: by somebody\n" + text


def report_of(*messages, to="spam@example.test", text="these came through"):
    """A mail with messages attached, as mail programs make it."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "user@example.test", to, "Fwd: spam"
    mail.set_content(text)
    for one in messages:
        mail.add_attachment(email.message_from_string(one, policy=email.policy.SMTP))
    return mail.as_bytes()


def tell(node, mail, to="spam@example.test", sender="user@example.test"):
    code, text = from_inside(node).send(mail, sender=sender, recipients=(to,))
    assert code == 250, text
    return re.search(r"kept as ([0-9A-Z]{13})", text)[1]


def files(node):
    return sorted((node.state / "learn/missed/kept").glob("*.eml"))


def report_says(node, tmp_path):
    node.run("report", "--date", f"{datetime.date.today()}", "--language", "en", "--to", tmp_path / "r.txt")
    text = (tmp_path / "r.txt").read_text()
    rows = re.findall(r"^(\w+) +([\d,]+)$", text.split("Told to us as missed")[1].split("\n\n")[0], re.M) if "Told to us" in text else []
    return {kind: count.replace(",", "") for kind, count in rows}


def test_two_reports_in_one_mail_count_once_however_often(node, inside, tmp_path):
    one = tell(node, report_of(leaked("one"), leaked("two")))
    tell(node, report_of(leaked("one")), sender="colleague@other.test")
    tell(node, report_of(leaked("three"), to="phishing@example.test"), to="PHISHING@Example.Test")
    lab.wait_for(lambda: len(files(node)) == 3, "three messages are kept")
    assert [file.name.split(".")[0] for file in files(node)] == ["phishing", "spam", "spam"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files(node))
    assert sum(b"Subject: buy one" in file.read_bytes() and b"Fwd:" not in file.read_bytes() for file in files(node)) == 1
    (tmp_path / "again.eml").write_text(leaked("two"))
    node.run("missed", tmp_path / "again.eml")  # by the command it is the same one too
    lab.wait_for(lambda: report_says(node, tmp_path) == {"spam": "2", "phishing": "1"}, "the report has them")
    node.run("report", "--date", f"{datetime.date.today()}", "--language", "ja", "--to", tmp_path / "ja.txt")
    table = (tmp_path / "ja.txt").read_text().split("見逃しの届け出")[1].split("\n\n")[0]
    assert re.search("^迷惑メール +2$", table, re.M) and re.search("^フィッシング +1$", table, re.M), table
    (table,) = json.loads(node.run("stats", "--by", "missed", "--day", f"{datetime.date.today()}", "--format", "json").stdout)
    assert {row["kind"]: row["messages"] for row in table["rows"]} == {"spam": 2, "phishing": 1}, table
    counted = {line["name"]: line.get("journal") for line in node.balance()["lines"]}
    assert (counted["accepted"], counted["delivered"]) == (3, 3)
    assert "told as missed spam: attached messages: 2" in node.run("trace", one).stdout
    assert inside.files() == [] and node.queue_is_empty()


def test_a_mail_forwarded_inline_and_a_file(node):
    tell(node, lab.message("Fwd: buy", "look at this:\n> buy now\n"))
    lab.wait_for(lambda: len(files(node)) == 1, "it is kept")
    assert b"look at this" in files(node)[0].read_bytes()
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["Subject"] = "user@example.test", "a file"
    mail.set_content("see the file")
    mail.add_attachment(leaked("filed").encode(), maintype="application", subtype="octet-stream", filename="Buy.EML")
    tell(node, mail.as_bytes())
    lab.wait_for(lambda: len(files(node)) == 2, "the file is kept")
    assert any(b"Buy filed now" in file.read_bytes() and b"see the file" not in file.read_bytes() for file in files(node))
    node.balance()


def test_nobody_outside_reports_and_nothing_is_mixed(node, inside):
    outside = lab.Client(node.port)
    for address in ("spam@example.test", "Release@EXAMPLE.test"):
        replies = outside.open(recipients=(address, "user@example.test"))
        assert replies[1][0] == 550 and "5.7.1" in replies[1][1] and replies[2][0] == 250, replies
        outside.say("RSET")
    client = from_inside(node)
    replies = client.open(sender="user@example.test", recipients=("spam@example.test", "friend@other.test", "phishing@example.test"))
    assert [code for code, _ in replies] == [250, 250, 452, 250] and "4.5.3" in replies[2][1]
    assert client.data(report_of(leaked("mixed")))[0] == 250
    replies = client.open(sender="user@example.test", recipients=("friend@other.test", "spam@example.test"))
    assert [code for code, _ in replies] == [250, 250, 452]
    assert client.data(lab.message("to a friend"))[0] == 250
    (arrived,) = inside.wait(1)
    assert b"to a friend" in arrived
    lab.wait_for(lambda: len(files(node)) == 2, "as spam and as phishing")
    node.balance()


def test_however_the_address_is_spelled(node, inside):
    """A server inside takes the quotes off, and would hand on to us what somebody outside wrote."""
    spellings = ('"spam"@example.test', '"s\\pam"@EXAMPLE.test', '@relay.example:spam@example.test')
    outside = lab.Client(node.port)
    for address in spellings:
        (_, (code, text)) = outside.open(recipients=(address,))
        assert code == 550 and "5.7.1" in text, (address, text)
        outside.say("RSET")
        tell(node, report_of(leaked("the same")), to=address)
    lab.wait_for(node.queue_is_empty, "all are done")
    assert len(files(node)) == 1 and inside.files() == []
    node.balance()


def test_an_address_that_is_given_often_is_one_recipient(node, inside):
    """Else a mail with 500 of them and 50 messages attached would have the process write 25,000 files."""
    client = from_inside(node)
    client.say("MAIL FROM:<user@example.test>")
    for _ in range(90):
        assert client.say("RCPT TO:<spam@example.test>")[0] == 250
    assert client.say('RCPT TO:<"SPAM"@example.test>')[0] == client.say("RCPT TO:<phishing@example.test>")[0] == 250
    assert client.data(report_of(*[leaked(f"one of {number}") for number in range(50)]))[0] == 250
    lab.wait_for(lambda: len(files(node)) == 100 and node.queue_is_empty(), "as spam and as phishing", 60)

    def done():
        counted = {line["name"]: line.get("journal") for line in node.balance()["lines"]}
        return (counted["accepted"], counted["delivered"]) == (2, 2)

    lab.wait_for(done, "both are done, with what they would teach", 60)


def test_what_is_kept_has_a_limit_and_the_sums_stay(nodes, inside, tmp_path):
    node = nodes(CONFIG + "report {{ missed most 160K }}", inside=inside.port, out=lab.free_port(), expire="7d")
    for number in range(12):  # each takes five or six blocks of the disk
        tell(node, report_of(leaked(f"mail {number}") + "buy more\n" * 2300))
    lab.wait_for(lambda: report_says(node, tmp_path) == {"spam": "12"} and node.queue_is_empty(), "the report has them")
    lab.wait_for(lambda: 1 < len(files(node)) < 9, "the oldest are gone")
    left = b"".join(file.read_bytes() for file in files(node))
    assert b"Buy mail 11 now" in left and b"Buy mail 0 now" not in left
    assert sum(file.stat().st_blocks * 512 for file in files(node)) <= 160 * 1024
    tell(node, report_of(leaked("mail 0") + "buy more\n" * 2300))  # known to the ledger all the same
    node.write(CONFIG + "report {{ missed most 0 }}")
    node.run("reload")
    lab.wait_for(lambda: files(node) == [], "a smaller limit holds at once", 40)
    assert report_says(node, tmp_path) == {"spam": "12"}
    node.balance()


def test_answers_and_digests_reach_an_address_in_utf8(node, inside):
    lab.wait_for(lambda: (node.state / "report/digest").exists(), "the first look")
    address, client = "\u8054\u7d61@example.test", lab.Client(node.port)
    assert [code for code, _ in client.open(recipients=(address,), mail="SMTPUTF8")] == [250, 250]
    assert client.data(spam("junk"))[0] == 250
    settled(node, 1)
    told_a_day_later(node)
    inside.wait(1)
    client = from_inside(node)
    assert [code for code, _ in client.open(sender=address, recipients=("release@example.test",), mail="SMTPUTF8")] == [250, 250]
    assert client.data(lab.message("no ticket"))[0] == 250
    letters = inside.wait(2)
    assert all(f"To: <{address}>".encode() in letter for letter in letters)
    node.balance()


def test_a_virus_that_is_reported_is_neither_refused_nor_run_nor_readable_by_others(node):
    tell(node, report_of(lab.message("invoice", lab.eicar() + "\n")))
    (file,) = lab.wait_for(lambda: files(node), "it is kept")
    assert lab.eicar().encode() in file.read_bytes() and file.stat().st_mode & 0o177 == 0
    node.balance()


def test_killed_at_any_moment_nothing_is_lost_or_counted_twice(node, tmp_path):
    for round in range(3):
        for victim in ("report", "queue", "ledger"):
            tell(node, report_of(leaked(f"{round} {victim}"), leaked("always the same")))
            for pid in node.pids(victim):
                os.kill(pid, signal.SIGKILL)
            lab.wait_for(lambda: node.run("status", "--json", check=False).returncode == 0 and node.pids(victim), f"{victim} is back")
    lab.wait_for(lambda: len(files(node)) == 10 and node.queue_is_empty(), "all are kept", 60)
    lab.wait_for(lambda: report_says(node, tmp_path) == {"spam": "10"}, "the report has them")
    counted = {line["name"]: line.get("journal") for line in node.balance()["lines"]}
    assert (counted["accepted"], counted["delivered"]) == (9, 9)


class Reporters(threading.Thread):
    """Users who send reports, and mail without a ticket, whatever happens to the node; `told`: which reports got 250."""

    def __init__(self, node, name):
        super().__init__(daemon=True)
        self.node, self.name, self.told, self.goes_on = node, name, set(), True

    def one(self, number):
        client, one = from_inside(self.node), f"{self.name} {number}"
        code, _ = client.send(report_of(leaked(one)), sender="user@example.test", recipients=("spam@example.test",))
        if code == 250:
            self.told.add(one)
        client.send(lab.message("no ticket"), sender=f"user{self.name}@example.test", recipients=("release@example.test",))
        client.close()

    def run(self):
        number = 0
        while self.goes_on:
            with contextlib.suppress(OSError):
                self.one(number)
            number += 1
            time.sleep(0.02)


def test_whoever_is_killed_under_load(node, tmp_path):
    users = [Reporters(node, f"{name}") for name in range(3)]
    for one in users:
        one.start()
    for victim in ("report", "queue", "receive", "ledger", "deliver", "all"):
        enough = sum(len(one.told) for one in users) + 10
        lab.wait_for(lambda: sum(len(one.told) for one in users) > enough, "more is told", 60)
        if victim == "all":
            node.kill()
            node.start()
        for pid in node.pids(victim):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        lab.wait_for(lambda: node.run("status", "--json", check=False).returncode == 0, f"{victim} is back", 60)
    for one in users:
        one.goes_on = False
    for one in users:
        one.join(120)
    lab.wait_for(node.queue_is_empty, "all are done", 90)
    subjects = {line for file in files(node) for line in file.read_text().splitlines() if line.startswith("Subject: ")}
    assert {f"Subject: buy {name}" for one in users for name in one.told} <= subjects
    lab.wait_for(lambda: report_says(node, tmp_path) == {"spam": str(len(files(node)))}, "the report has each once")
    node.balance()


def block(node):
    """A file where the folder for missed mail should be, which report made when it began."""
    folder = node.state / "learn/missed/new"
    lab.wait_for(folder.is_dir, "report has begun")
    folder.rmdir()
    folder.write_text("in the way")
    return folder


def test_what_cannot_be_written_stays_and_is_seen(nodes, inside):
    node = nodes(CONFIG, inside=inside.port, out=lab.free_port(), expire="7d")
    blocked = block(node)
    one = tell(node, report_of(leaked("kept back")))
    lab.wait_for(lambda: "mail to this node itself stays in the journal" in node.text(), "it is refused")
    (held,) = json.loads("[" + ",".join(node.run("queue", "list", "--json").stdout.strip().splitlines()) + "]")
    assert held["id"] == one and held["recipients"][0]["hold"] == "report" and held["recipients"][0]["reason"] == "for this node itself"
    node.balance()
    blocked.unlink()
    for pid in node.pids("report"):
        os.kill(pid, signal.SIGKILL)  # else it would be offered again after 20 seconds
    lab.wait_for(lambda: len(files(node)) == 1 and node.queue_is_empty(), "it is kept", 40)
    node.balance()


# --- releasing by mail ---


def told_a_day_later(node):
    """Everything held until now is told in digests; what they are."""
    node.stop()
    state = node.state / "report/digest"
    day, since, *rest = state.read_text().split()
    state.write_text(f"{int(day) - 1} {since} {' '.join(rest)}\n")
    node.start()
    lab.wait_for(lambda: state.read_text().split()[0] == day, "all are told")


def held_and_told(node, inside, *recipients):
    """For each recipient the letter and its mail link's ticket."""
    lab.wait_for(lambda: (node.state / "report/digest").exists(), "the first look")
    lab.Client(node.port).send(spam("junk"), recipients=recipients)
    settled(node, len(recipients))
    told_a_day_later(node)
    inside.wait(len(recipients))
    letters = {str(mail["To"]).strip("<>"): mail for mail in digests(inside)}
    tickets = {}
    for address, mail in letters.items():
        plain, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())
        (link,) = re.findall(r"mailto:release@example\.test\?subject=release%20([0-9A-Z]{64})", plain)
        assert f'href="mailto:release@example.test?subject=release%20{link}"' in html
        assert mail["Reply-To"] == "<release@example.test>"
        tickets[address] = link
    return letters, tickets


def ask(node, subject, sender="a@example.test", **fields):
    return tell(node, lab.message(subject, "", From=sender, **fields), to="release@example.test", sender=sender)


def answers(inside):
    return [mail for mail in digests(inside) if mail.get_content_type() == "text/plain"]


def test_released_by_mail_once_and_explained_afterwards(node, inside):
    letters, tickets = held_and_told(node, inside, "a@example.test", "b@other.test")
    assert "保留" in subject_of(letters["a@example.test"])
    first = ask(node, f"Re: =?utf-8?q?=E8=A7=A3=E6=94=BE?=\n release\n {tickets['a@example.test'].lower()}")
    arrived = inside.wait(3)
    assert sum(b"GTUBE" in one for one in arrived) == 1 and answers(inside) == []
    lab.wait_for(lambda: "released as" in node.run("trace", first).stdout, "the trace says so")
    shown = node.run("quarantine", "show", "--ticket", tickets["a@example.test"]).stdout
    assert "by a@example.test with a ticket" in shown and first in shown
    assert "a@example.test" in node.run("audit").stdout

    second = ask(node, f"release {tickets['a@example.test']}")
    inside.wait(4)
    (said,) = answers(inside)
    assert said["To"] == "<a@example.test>" and "すでに配送" in said.get_payload(decode=True).decode()
    assert said["Auto-Submitted"] == "auto-generated"
    lab.wait_for(lambda: "the ticket was used before, answered as" in node.run("trace", second).stdout, "the trace says so")

    wrong = tickets["b@other.test"][:-1] + ("0" if tickets["b@other.test"][-1] != "0" else "1")
    ask(node, f"release {wrong}", sender="b@other.test")
    ask(node, "please release it", sender="b@other.test")
    inside.wait(6)
    english = [mail.get_payload(decode=True).decode() for mail in answers(inside) if mail["To"] == "<b@other.test>"]
    assert any("not a whole one of ours" in text for text in english) and any("There is no ticket" in text for text in english)
    assert len(kept(node)) == 1
    counted = {line["name"]: line.get("journal") for line in node.balance()["lines"]}
    assert (counted["quarantined"], counted["again"], counted["own"]) == (2, 1, 5)


def test_a_sender_is_allowed_or_blocked_for_oneself_with_the_ticket(node, inside):
    letters, tickets = held_and_told(node, inside, "a@example.test", "b@other.test")
    for part in letters["a@example.test"].get_payload():
        text = part.get_payload(decode=True).decode()
        assert f"subject=block%20{tickets['a@example.test']}" in text and "この差出人を私宛てに拒否する" in text
    assert f"subject=allow%20{tickets['b@other.test']}" in letters["b@other.test"].get_payload()[0].get_payload(decode=True).decode()

    def listed(verb):
        return [json.loads(line) for line in node.run(verb, "list", "--json").stdout.splitlines()]

    # Blocked for him alone; he is told so, and asking again changes nothing.
    ask(node, f"block {tickets['a@example.test']}")
    ask(node, f"Re: block%20{tickets['a@example.test'].lower()}")
    inside.wait(4)
    assert all("保存しました" in mail.get_payload(decode=True).decode() for mail in answers(inside))
    (entry,) = listed("block")
    assert (entry["to"], entry["by"], entry["flags"]) == ("a@example.test", "a@example.test", "users"), entry
    sender = entry["what"]
    mail = lab.message("hello", "hello\n", From=f"<{sender}>")
    code, reply = lab.Client(node.port).send(mail, sender=sender, recipients=("a@example.test",))
    assert code == 550 and "(entry 1)" in reply
    assert lab.Client(node.port).send(mail, sender=sender, recipients=("b@other.test",))[0] == 250

    # Allowed: the message comes, and what he said to the contrary ends.
    ask(node, f"allow {tickets['a@example.test']}")
    lab.wait_for(lambda: sum(b"GTUBE" in one.read_bytes() for one in inside.files()) == 1, "the release")
    assert listed("block") == [] and listed("allow")[0]["what"] == sender
    assert f"{sender} for a@example.test, by mail with a ticket" in node.run("audit").stdout
    ask(node, f"approve {tickets['b@other.test']}", sender="b@other.test")
    lab.wait_for(lambda: any("no such sender or newsletter" in mail.get_payload(decode=True).decode() for mail in answers(inside)), "the answer")

    # The administrator's way, with the sender that nothing proves.
    (held,) = [one for one in kept(node) if one["recipients"][0]["address"] == "b@other.test" or len(one["recipients"]) > 1]
    done = node.run("quarantine", "release", held["id"], "--allow", "domain", "--to", "b@other.test")
    assert re.search(r"entry 3: allow \S+ for b@other.test", done.stdout) and "nothing proved" in done.stderr, (done.stdout, done.stderr)
    done = node.run("trace", held["id"], "--block")
    assert f"entry 4: block {sender} for everybody" in done.stdout and "nothing proved" in done.stderr
    assert listed("block")[0]["note"] == f"trace {held['id']}"
    node.balance()


def test_nobody_is_answered_without_end(node, inside):
    lab.wait_for(lambda: (node.state / "report/digest").exists(), "the first look")
    ids = [ask(node, "no ticket", Auto_Submitted="auto-replied"), ask(node, "no ticket", Precedence="bulk"),
           tell(node, lab.message("no ticket"), to="release@example.test", sender=""),
           tell(node, lab.message("no ticket"), to="release@example.test", sender="forged@elsewhere.example"),
           ask(node, "no ticket", sender="Release@example.test"), ask(node, "no ticket", sender="spam@example.test")]
    for one in ids:
        lab.wait_for(lambda: "no answer" in node.run("trace", one, check=False).stdout, "it is not answered")
    ids = [ask(node, "no ticket") for _ in range(12)]
    lab.wait_for(node.queue_is_empty, "all are done")
    lab.wait_for(lambda: "there were many" in node.run("trace", ids[-1], check=False).stdout, "it is not answered")
    assert len(inside.wait(10)) == 10
    node.balance()
    assert len(inside.files()) == 10


def made_old(node, ticket):
    """The same ticket as the node itself would have made it with an end of validity in the past."""
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for letter in ticket:
        number = number << 5 | digits.index(letter)
    facts = number.to_bytes(40, "big")[:12] + (1795500000).to_bytes(4, "big")
    key = (node.state / "ledger/ticket.key").read_bytes()
    signed = int.from_bytes(facts + hmac.digest(key, b"sekimori quarantine release" + facts, "sha256")[:24], "big")
    return "".join(digits[signed >> shift & 31] for shift in range(315, -1, -5))


def test_expired_and_deleted_are_explained(node, inside):
    _, tickets = held_and_told(node, inside, "b@other.test")
    ticket = tickets["b@other.test"]
    ask(node, f"release {made_old(node, ticket)}", sender="b@other.test")
    inside.wait(2)
    assert "The time of your ticket is over." in answers(inside)[0].get_payload(decode=True).decode()
    (one,) = kept(node)
    node.run("quarantine", "delete", one["id"])
    ask(node, f"release {ticket}", sender="b@other.test")
    inside.wait(3)
    assert any("no longer kept" in mail.get_payload(decode=True).decode() for mail in answers(inside))
    assert sum(b"GTUBE" in one for one in inside.messages()) == 0
    node.balance()


def test_killed_while_releasing_it_is_released_once_and_never_said_to_be_used(node, inside):
    people = [f"u{number}@other.test" for number in range(9)]
    _, tickets = held_and_told(node, inside, *people)
    for number, address in enumerate(people):
        ask(node, f"release {tickets[address]}", sender=address)
        victim = ("report", "ledger", "queue")[number % 3]
        for pid in node.pids(victim):
            os.kill(pid, signal.SIGKILL)
        lab.wait_for(lambda: node.run("status", "--json", check=False).returncode == 0 and node.pids(victim), f"{victim} is back")
    lab.wait_for(lambda: not kept(node) and node.queue_is_empty(), "all are released", 90)
    node.balance()
    assert answers(inside) == []
    assert sum(b"GTUBE" in one for one in inside.messages()) == len(people)


def test_a_mail_that_ends_the_process_is_set_aside(nodes, inside):
    node = nodes(CONFIG, inside=inside.port, out=lab.free_port(), expire="7d")
    blocked = node.state / "learn/missed/new"
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("so that no life gets done with it")

    def lives():
        path = node.state / "report/errand"
        return path.read_text().split()[1] if path.exists() else "0"

    one = tell(node, report_of(leaked("deadly")))
    for life in range(1, 4):
        lab.wait_for(lambda: lives() == str(life), f"life {life} has begun it", 40)
        for pid in node.pids("report"):
            os.kill(pid, signal.SIGKILL)
    lab.wait_for(lambda: f"ALARM: {one}: this mail to the node itself ended the report process" in node.text(), "it is not read again", 40)
    blocked.unlink()
    tell(node, report_of(leaked("harmless")))
    lab.wait_for(lambda: len(files(node)) == 1, "others are read", 40)
    assert not node.queue_is_empty() and b"harmless" in files(node)[0].read_bytes()
    node.run("queue", "remove", one)
    lab.wait_for(node.queue_is_empty, "it is removed")
    node.balance()


def test_an_address_that_is_taken_out_leaves_its_mail_to_the_administrator(nodes, inside):
    node = nodes(CONFIG, inside=inside.port, out=lab.free_port(), expire="7d")
    blocked = block(node)
    one = tell(node, report_of(leaked("late")))
    lab.wait_for(lambda: "mail to this node itself stays in the journal" in node.text(), "it is refused")
    node.write(CONFIG.replace("missed spam spam@example.test;", ""))
    node.run("reload")
    for pid in node.pids("report"):
        os.kill(pid, signal.SIGKILL)  # else it would be offered again after 20 seconds
    lab.wait_for(lambda: "no longer an address of this node" in node.text(), "it is left alone")
    node.run("queue", "release", one)
    (arrived,) = inside.wait(1)
    assert b"Buy late now" in arrived
    node.balance()


# --- several nodes ---

WALL = """
listen 127.0.0.1:{port} {{ direction in; tls node }}
listen 127.0.0.1:{out} {{ direction out; tls certificate {there}/wall1.pem key {there}/wall1.key }}
node {{ number {number}; certificate {there}/wall1.pem; key {there}/wall1.key; ca {there}/ca.pem }}
domains {{ example.test 127.0.0.1:{inside} {{ recipients call-out }}; {other} 127.0.0.1:{other_out} {{ tls node }} }}
spam {{ quarantine above 12; reject above never }}
quarantine {{ most 100M }}
report {{ missed spam spam@report.example.test }}
digest {{ send on; at 00:00; reply release@{own}; expire 7d }}
"""
EDGE = """role edge
listen 127.0.0.1:{port} {{ direction in }}
node {{ number 1; certificate {there}/edge1.pem; key {there}/edge1.key; ca {there}/ca.pem }}
domains {{ example.test 127.0.0.1:{wall} {{ recipients call-out; tls node }} }}
"""


def test_each_wall_has_a_reply_address_and_the_edge_takes_none(nodes, inside, there):  # noqa: F811
    """As doc/three-servers.md has it: a ticket of one wall, sent by way of the other one."""
    first, second = lab.free_port(), lab.free_port()
    held = nodes(WALL, number=10, inside=inside.port, out=first, there=there, own="one.example.test", other="two.example.test",
                 other_out=second)
    other = nodes(WALL, number=11, inside=inside.port, out=second, there=there, own="two.example.test", other="one.example.test",
                  other_out=first)
    edge = nodes(EDGE, there=there, wall=held.port)
    for address in ("spam@report.example.test", "release@one.example.test"):
        assert lab.Client(edge.port).open(recipients=(address,))[1][0] == 550, address
    lab.wait_for(lambda: (held.state / "report/digest").exists(), "the first look")
    assert lab.Client(edge.port).send(spam("junk"), recipients=("a@example.test",))[0] == 250
    settled(held, 1)
    told_a_day_later(held)
    inside.wait(1)
    (letter,) = digests(inside)
    (ticket,) = set(re.findall("release%20([0-9A-Z]{64})", letter.get_payload()[0].get_payload(decode=True).decode()))
    assert letter["Reply-To"] == "<release@one.example.test>"
    tell(other, lab.message(f"release {ticket}", ""), to="release@one.example.test")
    assert any(b"GTUBE" in one for one in inside.wait(2))
    tell(other, report_of(leaked("told here")), to="spam@report.example.test")
    lab.wait_for(lambda: len(files(other)) == 1, "it is kept")
    for node in (held, other, edge):
        lab.wait_for(node.queue_is_empty, "all is done")
        node.balance()
