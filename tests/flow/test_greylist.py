# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a stranger who proves nothing waits once and is told how long; who proves himself, came back, is written to or allowed never does, nor
does anybody while lookup is gone; what was judged before weighs, and says so; what is remembered can be looked at and forgotten."""
import itertools
import json
import os
import re
import signal
import time

import lab
import pytest
from dns_server import DnsServer
from test_clock import Clock

DAY = 86400
numbers = itertools.count()
CONFIG = """
listen 127.0.0.1:{port} {{ direction in }}
listen 127.0.0.1:{out} {{ direction out; from 127.0.0.0/8 }}
listen 127.0.0.1:{unjudged} {{ direction out; from 127.0.0.0/8; check off }}
dns {{ servers {dns}; timeout 700ms; dnssec off; client names off }}
domains {{ example.test 127.0.0.1:{inside}; open.test 127.0.0.1:{inside} {{ greylist off }}; other.test 127.0.0.1:{inside} }}
auth {{ mode on }}
"""
GREYLIST = "greylist {{ mode on; wait 5m }}\n"
LINES = "spam {{ tag above 5; quarantine above 6; reject above never }}\n"


@pytest.fixture(scope="module")
def dns():
    with DnsServer("proven.test TXT v=spf1 ip4:127.0.0.0/8 -all\n_dmarc.proven.test TXT v=DMARC1; p=none\n") as server:
        yield server


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.fixture
def start(nodes, inside, dns, clock):
    def start(more):
        node = nodes(CONFIG + more, start=False, inside=inside.port, dns=dns.address, out=lab.free_port(), unjudged=lab.free_port())
        return node.start(env=clock.environment)
    return start


def send(node, source, sender, to=("a@example.test",), author=None, words="hello", port=None):
    mail = (f"From: Someone <{author or sender or 'mailer-daemon@x.test'}>\nTo: a@example.test\nSubject: x\nDate: Mon, 30 Nov 2026 09:00:00 +0900\n"
            f"Message-ID: <1@x.test>\n\n{words}\n")
    client = lab.Client(port or node.port, source=source)
    replies = client.open(sender, to)
    bad = [reply for reply in replies if reply[0] != 250]
    return (bad[0], True) if bad else (client.data(mail), False)


def waits(node, *args, **more):
    """None: it is taken. Else for how many seconds, and whether it was told so at RCPT."""
    (code, text), at_rcpt = send(node, *args, **more)
    if code == 250:
        return None
    found = re.search(r"^451 4\.7\.1 (?:<\S+>: )?greylisted: this sender is not known here yet, send it again in (\d+) seconds", text)
    assert found, text
    return int(found[1]), at_rcpt


def told(node, inside, *args, **more):
    """The header of a message that is taken, as it is delivered."""
    word = f"word{next(numbers)}end"
    assert send(node, *args, words=word, **more)[0][0] == 250
    found = lambda: [one for one in inside.messages() if word.encode() in one]
    lab.wait_for(found, "it is delivered")
    mail = found()[0]
    return re.sub(rb"\r?\n[ \t]+", b" ", mail.replace(b"\r\n", b"\n").split(b"\n\n")[0]).decode()


def shown(node, *which):
    return json.loads(node.run("sender", "show", *which, "--json").stdout)


def test_who_waits_and_who_does_not(start, clock, inside):
    node = start(GREYLIST)
    # A stranger: told after the content, then at RCPT; too early again; then taken, and known for all recipients.
    assert waits(node, "127.0.1.1", "x@strange.test") == (300, False)
    lab.wait_for(lambda: waits(node, "127.0.1.1", "x@strange.test") == (300, True), "lookup learns")
    lab.wait_for(lambda: (put_off := re.search(r"([0-9A-Z]{13}): .*GREYLIST_UNKNOWN", node.text())) and
                 "why         greylisting: nobody here knows the sender" in node.run("explain", put_off[1], "--language", "en", check=False).stdout,
                 "explain says why")
    clock.set(100)
    seconds, at_rcpt = waits(node, "127.0.1.200", "x@strange.test")
    assert at_rcpt and 195 <= seconds <= 200
    assert waits(node, "127.0.9.1", "x@strange.test") == (300, False), "another network"
    clock.set(301)
    assert "GREYLIST_BACK" in told(node, inside, "127.0.1.7", "x@strange.test")
    # What was put off is counted by signal, at RCPT and after the content.
    behaviour = lambda: {row["signal"]: row for row in json.loads(
        node.run("stats", "--by", "behaviour", "--format", "json", "--from", "2020-01-01", "--until", "2037-01-01").stdout)[0]["rows"]}
    lab.wait_for(lambda: behaviour().get("GREYLISTED", {}).get("put_off_at_rcpt", 0) >= 2, "the ledger counts it")
    assert behaviour()["GREYLIST_UNKNOWN"]["put_off"] >= 2, behaviour()
    lab.wait_for(lambda: waits(node, "127.0.1.7", "y@strange.test", to=["b@example.test"]) is None, "the network is known")
    assert waits(node, "127.0.1.7", "x@elsewhere.test"), "another domain from there"
    # Never: proven by DMARC, to a domain without it, to the postmaster, from inside.
    assert waits(node, "127.0.2.1", "x@proven.test") is None
    assert waits(node, "127.0.2.2", "x@a.test", to=["a@open.test"]) is None
    assert waits(node, "127.0.2.2", "x@b.test", to=["postmaster@example.test"]) is None
    # One who waits has all of the message wait.
    assert waits(node, "127.0.2.2", "x@c.test", to=["a@open.test", "a@example.test"])
    # Written to by our users: known from everywhere.
    for way in ("out", "unjudged"):
        assert send(node, "127.0.0.1", "a@example.test", to=[f"{way}@other.test"], port=node.values[way])[0][0] == 250
        lab.wait_for(lambda: shown(node, f"{way}@other.test")["written_to_ms"], "lookup learns")
        assert waits(node, "127.0.3.1", f"{way}@other.test") is None
    # Allowed.
    node.run("allow", "127.0.4.0/24")
    lab.wait_for(lambda: waits(node, "127.0.4.1", "x@d.test") is None, "the allow entry counts")
    # Bounces are no exception, and come back as all others.
    assert waits(node, "127.0.5.1", "") == (300, False)
    # Too late: it waits anew.
    lab.wait_for(lambda: waits(node, "127.0.6.1", "x@late.test")[1], "it waits")
    clock.set(2 * DAY)
    assert waits(node, "127.0.6.1", "x@late.test") == (300, False)
    assert node.run("sender", "forget", "nobody@x.test", check=False).returncode == 66  # and what is known is committed
    # A lookup that hangs costs a message a second, however many recipients it has, one that is killed meanwhile less; nobody is refused for it.
    lookup, = node.pids("lookup")
    os.kill(lookup, signal.SIGSTOP)
    client, begun = lab.Client(node.port, source="127.0.6.1"), time.monotonic()
    assert [code for code, _ in client.open("x@late.test", [f"{name}@example.test" for name in "acdef"])] == [250] * 6 and time.monotonic() - begun < 3
    client.say("RSET")
    client.say("MAIL FROM:<x@late.test>")
    client.raw(b"RCPT TO:<b@example.test>\r\n")
    os.kill(lookup, signal.SIGKILL)
    assert client.reply()[0] == 250 and client.say("QUIT")[0] == 221
    # lookup was killed: what was committed is known, and nobody waits for it.
    lab.wait_for(lambda: node.pids("lookup") not in ([], [lookup]), "lookup is back")
    lab.wait_for(lambda: waits(node, "127.0.1.7", "z@strange.test") is None, "the network is known still")
    node.balance()


def test_reputation_and_first_contact(start, clock, inside):
    node = start(LINES)
    gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    for day in range(8):
        clock.set(day * DAY)
        assert "REPUTATION" not in told(node, inside, "127.0.8.1", "x@fair.test") or day > 0
        for _ in range(2):
            assert send(node, "127.0.7.1", "x@spam.test", words=gtube)[0][0] == 250
        send(node, "127.0.8.1", "x@proven.test")
    lab.wait_for(lambda: shown(node, "127.0.7.9") == {"kind": "network", "name": "127.0.7.0/24", "days": 30, "messages": 16, "spam": 16}, "the count")
    header = told(node, inside, "127.0.7.1", "x@fair.test")
    points = float(re.search(r"REPUTATION_NETWORK=([-.\d]+)", header)[1])
    assert 1 < points <= 3, header
    identity = re.search(r"X-Sekimori-Id: (\S+)", header)[1]
    lab.wait_for(lambda: node.run("explain", identity, check=False).returncode == 0, "ledger keeps why")
    assert "net 127.0.7.0/24: 16 of 16 messages were spam in 30 days" in node.run("explain", identity, "--language", "en").stdout
    assert "ネットワーク 127.0.7.0/24: 過去 30 日の 16 通中 16 通が迷惑メール" in node.run("explain", identity, "--language", "ja").stdout
    assert "REPUTATION_NETWORK: net 127.0.7.0/24: 16 of 16" in node.text()
    assert "REPUTATION_DOMAIN=-" in told(node, inside, "127.0.7.1", "x@proven.test")
    # New to us; to this recipient; neither.
    assert "SENDER_NEW=0.5" in told(node, inside, "127.0.8.1", "new@fair.test")
    lab.wait_for(lambda: shown(node, "new@fair.test", "a@example.test")["together_ms"], "lookup learns")
    assert "SENDER_NEW" not in told(node, inside, "127.0.8.1", "new@fair.test")
    assert "SENDER_NEW_TO=0.3" in told(node, inside, "127.0.8.1", "new@fair.test", to=["b@example.test"])
    # An impostor whom nobody knows.
    assert "SENDER_NEW=1.5" in told(node, inside, "127.0.8.1", "new2@fair.test", author="x@exarnple.test")
    # Forgotten, and audited.
    assert node.run("sender", "forget", "127.0.7.0/24").stdout == "forgotten: 1\n"
    assert shown(node, "127.0.7.9")["messages"] == 0
    assert node.run("sender", "forget", "127.0.7.0/24", check=False).returncode == 66
    assert node.run("sender", "show", "a b", check=False).returncode == 64
    lab.wait_for(lambda: "forget 127.0.7.0/24" in node.run("audit", "--act", "sender").stdout, "the audit")
    node.balance()
