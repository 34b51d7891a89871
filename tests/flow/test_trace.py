# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: everything that happens to a message can be found again, by anything it is known by, and looking at content leaves a record."""
import datetime
import json
import os
import re
import sqlite3
import subprocess

import pytest

import lab

BASE = "domains {{ example.test 127.0.0.1:{inside} }}\n"


def trace_when(node, true, *arguments):
    """The ledger hears of things a moment later."""
    return lab.wait_for(lambda: [hit for hit in node.trace(*arguments) if true(hit)], f"trace {arguments}")


def test_delivered(node, inside):
    code, text = lab.Client(node.port).send(lab.message("Quarterly meeting"), sender="tanaka@outside.example")
    assert code == 250
    identity = re.search(r"kept as ([0-9A-Z]{13})", text).group(1)
    inside.wait(1)
    hit = trace_when(node, lambda one: lab.states(one) == ["delivered"], identity)[0]
    assert hit["sender"] == "tanaka@outside.example" and hit["subject"] == "Quarterly meeting" and hit["class"] == "none"
    recipient = hit["recipients"][0]
    assert recipient["address"] == "user@example.test" and recipient["reply"].startswith("250")
    assert str(inside.port) in recipient["relay"]
    assert recipient["accepted_ms"] <= recipient["ended_ms"]
    for question in (("--address", "user@example.test"), ("--address", "TANAKA@outside.example"), ("--domain", "outside.example"),
                     ("--subject", "meeting quarterly"), ("--client", "127.0.0.0/8"), ("--since", "1h"), ("--day", "today"),
                     ("--verdict", "none"), ("--status", "delivered"), ("--from", "tanaka@outside.example"), ("--from", "TANAKA"),
                     ("--to", "user@example.test"), ("--to", "user"), ("--to", "example.test"), ("--from", "outside", "--to", "user")):
        assert [one["id"] for one in node.trace(*question)] == [identity], question
    for question in (("--address", "other@example.test"), ("--from", "user@"), ("--to", "tanaka"), ("--from", "tan_ka"), ("--from", "%"), ("--subject", "monthly"), ("--client", "10.0.0.0/8"), ("--until", "1h"),
                     ("--status", "deferred"), ("--verdict", "virus")):
        assert node.trace(*question) == [], question
    assert node.run("trace", "--status", "held", check=False).returncode == 1
    assert "two characters" in node.run("trace", "--subject", "東", check=False).stderr
    assert node.run("trace", "--subject", "東京", check=False).stderr == ""
    node.balance()


def test_refused(node):
    code, text = lab.Client(node.port).send(lab.message("x", lab.eicar()))
    assert code == 550
    identity = re.search(r"id ([0-9A-Z]{13})", text).group(1)
    hit = trace_when(node, lambda one: True, identity)[0]
    assert not hit["accepted"] and lab.states(hit) == ["rejected"] and hit["class"] == "virus" and "Eicar" in hit["virus"]
    assert hit["recipients"][0]["stage"] == "END-OF-MESSAGE" and hit["recipients"][0]["reply"].startswith("550")
    # refused for two: two in JSON, one message for people
    code, text = lab.Client(node.port).send(lab.message("both", lab.eicar()), recipients=("one@example.test", "two@example.test"))
    identity = re.search(r"id ([0-9A-Z]{13})", text).group(1)
    lab.wait_for(lambda: len(node.trace(identity)) == 2, "both are on record")
    said = node.run("trace", identity).stdout
    assert said.count("  in  from <") == said.count("subject") == 1, said
    assert re.search(r"    to <one@example.test>  rejected at END-OF-MESSAGE \(550.*\n    to <two@example.test>  rejected at END", said), said
    (line,) = node.run("trace", "--short", identity).stdout.splitlines()
    assert "@example.test> and 1 more" in line, line
    client = lab.Client(node.port)
    assert client.say("MAIL FROM:<a@outside.example>")[0] == 250
    code, text = client.say("RCPT TO:<a@elsewhere.example>")
    identity = re.search(r"\(id ([0-9A-Z]{13})\)", text).group(1)
    assert code >= 500
    lab.wait_for(lambda: f"id={identity}" in node.text(), "the log has it")
    found = trace_when(node, lambda one: True, "--address", "a@elsewhere.example")[0]
    assert found["id"] == identity and found["recipients"][0]["stage"] == "RCPT"
    assert node.trace(identity) == [found] and node.trace("--to", "elsewhere") == [found]
    short = node.run("trace", "--short", "--address", "a@elsewhere.example").stdout
    assert re.search(r"rejected +-  +<a@outside", short), "it was not judged"
    assert " 0 bytes" not in node.run("trace", "--address", "a@elsewhere.example").stdout
    node.balance()


def test_found_by_header(node, inside):
    """What a user reads in the mail: the name in From, and the Message-ID with or without brackets, or a part of it."""
    sent = lab.message("hello", From="=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= Taro <yamada@list.example>", Message_ID="<abc.123@mail.list.example>")
    identity = re.search(r"kept as ([0-9A-Z]{13})", lab.Client(node.port).send(sent, sender="bounce-77@list.example")[1]).group(1)
    lab.Client(node.port).send(lab.message("other", Message_ID="<def@mail.list.example>"))
    inside.wait(2)
    trace_when(node, lambda one: lab.states(one) == ["delivered"], identity)
    for question in (("--from", "yamada@list.example"), ("--from", "bounce-77"), ("--from", "山田"), ("--from", "山田 yamada"), ("--from", "taro*list"),
                     ("--message-id", "<abc.123@mail.list.example>"), ("--message-id", "abc.123@mail.list.example"), ("--message-id", "abc.12"),
                     ("<abc.123@mail.list.example>",), ("--message-id", "abc.123@mail.list.example", "--subject", "hello")):
        assert [one["id"] for one in node.trace(*question)] == [identity], question
    for question in (("--from", "鈴木"), ("--message-id", "ABC.999"), ("--message-id", "abc.123@mail.list.example", "--subject", "other")):
        assert node.trace(*question) == [], question
    assert "From: 山田 Taro <yamada@list.example>" in node.run("trace", identity).stdout


def test_a_release_leads_to_its_copy_and_back(nodes, inside):
    node = nodes(BASE + "virus {{ found quarantine }}\nquarantine {{ most 10M }}\n", inside=inside.port)
    identity = re.search(r"kept as ([0-9A-Z]{13})", lab.Client(node.port).send(lab.message("x", lab.eicar()))[1]).group(1)
    lab.wait_for(lambda: node.run("quarantine", "release", "--yes", identity, check=False).returncode == 0, "it is released")
    inside.wait(1)
    first = trace_when(node, lambda one: one["released_as"], identity)
    copy = first[0]["released_as"][0]["id"] if first[0]["id"] == identity else first[1]["released_as"][0]["id"]
    trace_when(node, lambda one: one["id"] == copy and lab.states(one) == ["delivered"], copy)
    for asked in (identity, copy):
        hits = {one["id"]: one for one in node.trace(asked)}
        assert set(hits) == {identity, copy}
        assert [one["id"] for one in hits[identity]["released_as"]] == [copy] and [one["id"] for one in hits[copy]["release_of"]] == [identity]
    shown = node.run("trace", identity).stdout
    assert f"was released as {copy}" in shown and f"is the release of {identity}" in shown


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_a_help_desk_traces_and_counts_and_no_more(nodes, inside):
    node = nodes(BASE, inside=inside.port)
    identity = re.search(r"kept as ([0-9A-Z]{13})", lab.Client(node.port).send(lab.message("Quarterly"), sender="tanaka@outside.example")[1]).group(1)
    inside.wait(1)
    whole = trace_when(node, lambda one: lab.states(one) == ["delivered"], identity)

    def desk(*words):
        """By user nobody in the node's group, from inside the state folder: what is around it may be closed to him."""
        return subprocess.run([lab.BUILD / "src/cli/sekimori", words[0], "--state", ".", *words[1:]], capture_output=True, text=True,
                              timeout=60, user="nobody", group=0, extra_groups=[], cwd=node.state)
    node.write(BASE + "rights operate daemon\n")
    node.run("reload")
    assert desk("trace").returncode in (75, 77), "it has no right at all"
    node.write(BASE + "rights trace nobody\n")
    node.run("reload")
    lab.wait_for(lambda: desk("trace", identity).returncode == 0, f"the right is known: {desk('trace', identity)}")
    done = desk("trace", "--json", identity)
    assert json.loads(done.stdout)["hits"] == whole
    for question in (("--from", "tanaka"), ("--to", "user"), ("--subject", "quarterly"), ("--client", "127.0.0.0/8"), ("--since", "1h"), ("--status", "delivered")):
        assert [one["id"] for one in json.loads(desk("trace", "--json", *question).stdout)["hits"]] == [identity], question
    assert desk("trace", "--from", "nobody-at-all").returncode == 1
    assert desk("trace", "--client", "0.0.0.0/0").returncode == 64
    assert desk("stats", "--format", "csv").stdout == node.run("stats", "--format", "csv").stdout != ""
    assert desk("stats", "--by", "domain").returncode == 0
    for words in (("status",), ("reload",), ("stop",), ("queue", "list"), ("quarantine", "list"), ("balance", "--wait", "0"), ("drain", "--no-wait")):
        assert desk(*words).returncode == 77, words
    assert node.is_ready()


def test_a_line_says_who_fared_otherwise(nodes, sinks):
    inside = sinks("--refuse-to", "nobody")
    node = nodes(BASE, inside=inside.port)
    identity = re.search(r"kept as ([0-9A-Z]{13})", lab.Client(node.port).send(
        lab.message("three"), recipients=("a@example.test", "b@example.test", "nobody@example.test"))[1]).group(1)
    trace_when(node, lambda one: sorted(lab.states(one)) == ["delivered", "delivered", "held"], identity)
    assert "and 2 more (held)  three" in node.run("trace", "--short", identity).stdout


def test_deferred_then_bounced_by_hand(nodes, sinks):
    down = lab.free_port()
    node = nodes("domains {{ example.test 127.0.0.1:{down} }}\n", down=down)
    text = lab.Client(node.port).send(lab.message("waits"))[1]
    identity = re.search(r"kept as ([0-9A-Z]{13})", text).group(1)
    hit = trace_when(node, lambda one: lab.states(one) == ["deferred"], identity)[0]
    step = hit["recipients"][0]["steps"][0]
    assert step["step"] == "deferred" and step["due_ms"] > step["time_ms"] and step["reply"]
    node.run("queue", "hold", identity)
    trace_when(node, lambda one: lab.states(one) == ["held"], identity)
    node.run("queue", "release", identity)
    hit = trace_when(node, lambda one: [step["step"] for step in one["recipients"][0]["steps"]][-1] == "released", identity)[0]
    assert "held" in [step["step"] for step in hit["recipients"][0]["steps"]]
    lab.wait_for(lambda: node.run("queue", "remove", identity, check=False).returncode == 0, "it is not being tried at this moment")
    trace_when(node, lambda one: lab.states(one) == ["removed"], identity)
    text = node.run("trace", identity).stdout
    assert "deferred until" in text and "released" in text and "removed by the administrator" in text
    node.balance()


def test_quarantined_and_discarded(nodes, inside):
    node = nodes(BASE + "virus {{ found quarantine }}\n", inside=inside.port)
    identity = re.search(r"kept as ([0-9A-Z]{13})", lab.Client(node.port).send(lab.message("x", lab.eicar()))[1]).group(1)
    hit = trace_when(node, lambda one: True, identity)[0]
    assert lab.states(hit) == ["quarantined"] and hit["recipients"][0]["action"] == "quarantine"
    node.write(BASE + "virus {{ found discard }}\n")
    node.run("reload")
    replies = []  # until workers of the new configuration serve, the old ones do

    def discarded():
        replies.append(lab.Client(node.port).send(lab.message("x", lab.eicar()))[1])
        return re.search(r"taken as ([0-9A-Z]{13})", replies[-1])

    identity = lab.wait_for(discarded, "the new configuration judges").group(1)
    hit = trace_when(node, lambda one: True, identity)[0]
    assert lab.states(hit) == ["discarded"]
    assert len(node.trace("--verdict", "virus")) == 1 + len(replies)
    node.balance()


def test_aborted(node):
    client = lab.Client(node.port)
    client.open()
    assert client.say("DATA")[0] == 354
    client.raw(b"Subject: half\r\n\r\nhalf a messa")
    client.close()
    hit = trace_when(node, lambda one: lab.states(one) == ["aborted"], "--status", "aborted")[0]
    assert hit["recipients"][0]["address"] == "user@example.test"
    whole = node.told("balance")
    assert whole["aborted"] == 1


def test_balance_of_today(node, inside):
    if datetime.datetime.now().time() > datetime.time(23, 58):
        return  # the day would change under the test
    lab.Client(node.port).send(lab.message("a"), recipients=("a@example.test", "b@example.test"))
    lab.Client(node.port).send(lab.message("x", lab.eicar()))
    inside.wait(1)
    node.balance()

    def today():
        return node.told("balance", "--day", "today", check=False)
    day = lab.wait_for(lambda: (found := today())["accepted_then"]["delivered"] == 2 and found, "the ledger has both")
    assert day["balanced"] and day["accepted_then"]["accepted"] == day["on_that_day"]["accepted"] == 2
    assert day["on_that_day"]["refused_after_data"] == 1
    text = node.run("balance", "--day", "today").stdout
    for ending in ("delivered", "returned", "removed", "queued", "held", "expired to hold", "released", "discarded",
                   "refused after data", "aborted"):
        assert ending in text
    with sqlite3.connect(node.state / "ledger/ledger.db") as database:
        database.execute("delete from recipient where number = 1")
    assert node.run("balance", "--day", "today", check=False).returncode == 1


def test_hostile_subject_is_shown_harmless(node, inside):
    client = lab.Client(node.port)
    subject = b"\x1b]0;owned\x07 <script>alert(1)</script> \xff\xfe \xe2\x80\xae " + b"w" * 65000
    client.open()
    assert client.say("DATA")[0] == 354
    client.raw(b"From: a@outside.example\r\nSubject: " + subject[:900] + b"\r\n " + b"\r\n ".join(subject[i:i + 900] for i in range(900, 65000, 900))
               + b"\r\n\r\nbody\r\n.\r\n")
    assert client.reply()[0] in (250, 550)
    trace_when(node, lambda one: True, "--since", "1h")
    shown = subprocess.run([lab.BUILD / "src/cli/sekimori", "trace", "--state", node.state], capture_output=True).stdout
    text = shown.decode()  # it is UTF-8
    assert "script" in text and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert max(map(len, text.splitlines())) < 600


def test_most_is_stated(node, inside):
    for number in range(3):
        lab.Client(node.port).send(lab.message(f"number {number}"))
    trace_when(node, lambda one: one["subject"] == "number 2", "--since", "1h")
    text = node.run("trace", "--short", "--most", "2").stdout
    assert "the newest 2 are shown, there are more" in text and "number 0" not in text
    assert node.told("trace", "--most", "2")["more"] is True


def test_each_look_at_content_is_recorded(nodes, inside):
    node = nodes(BASE + "virus {{ found quarantine }}\n", inside=inside.port)
    identity = re.search(r"kept as ([0-9A-Z]{13})", lab.Client(node.port).send(lab.message("secret", lab.eicar()))[1]).group(1)
    assert "secret" in node.run("queue", "cat", identity).stdout
    looks = lab.wait_for(lambda: node.told("audit")["looks"], "the look is in the record")
    assert [(look["id"], look["act"], look["uid"]) for look in looks] == [(identity, "cat", 0)]
    assert "nothing is on record" in node.run("audit", "--user", "somebodyelse").stdout
    assert identity in node.run("audit", identity).stdout


def as_nobody(node, words):
    """One command over the control socket by user nobody in the node's group: exit code and text, or None when it is hung up on."""
    script = """
import os, socket, struct, sys
os.chdir(sys.argv[1]); os.setgroups([]); os.setgid(0); os.setuid(65534)
link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); link.settimeout(20); link.connect("control")
command = sys.argv[2].encode(); body = struct.pack("<I", len(command)) + command
try:
    link.send(struct.pack("<HHIQ", 128, 0, len(body), 0) + body)
    frame = link.recv(200000)
    while frame and frame[0] != 129: frame = link.recv(200000)
except (BrokenPipeError, ConnectionResetError):
    frame = b""
print(frame[16] if frame else "hung up", frame[21:].decode())
"""
    answer = subprocess.run(["/usr/bin/python3", "-c", script, node.state / "run", words], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    code, _, text = answer.stdout.partition(" ")
    return None if code == "hung" else (int(code), text)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_rights_are_two(nodes, inside):
    config = BASE + "virus {{ found quarantine }}\n"
    node = nodes(config, inside=inside.port)
    identity = re.search(r"kept as ([0-9A-Z]{13})", lab.Client(node.port).send(lab.message("x", lab.eicar()))[1]).group(1)
    look, command = f"queue cat\n{identity}", "status"
    assert as_nobody(node, command) is None
    node.write(config + "rights operate nobody\n")
    node.run("reload")
    assert as_nobody(node, command)[0] == 0
    assert as_nobody(node, look)[0] == 77
    node.write(config + "rights read-content nobody\n")
    node.run("reload")
    assert as_nobody(node, command)[0] == 77
    assert as_nobody(node, f"queue release\n{identity}")[0] == 77
    assert as_nobody(node, look)[0] == 0
    looks = lab.wait_for(lambda: len(found := node.told("audit", "--user", "nobody")["looks"]) == 2 and found,
                         "both looks are in the record")
    assert [one["about"] for one in looks] == ["shown", "refused: no right to read content"]
    assert {one["uid"] for one in looks} == {65534}
    kept = [file for place in ("run/events", "ledger", "quarantine", "spool/journal") for file in (node.state / place).rglob("*")
            if file.is_file()]
    assert len(kept) > 8 and [file for file in kept if file.stat().st_mode & 0o077] == []  # the group has the rights above alone
