# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: one line blocks a sender, and the reply names it; one line lets a sender through, if he proves who he is, and says so where he does
not; an entry ends by itself, is on disk, counts its uses, and stands in the audit."""
import json
import re

import lab
import pytest
from dns_server import DnsServer

RULES = """
rule TRIAL_ONE { points 4.8; describe "a word"; body /大特価/ }
rule TRIAL_TWO { points 4; describe "a word"; body /特価/ }
"""
CONFIG = """
listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}
listen 127.0.0.1:{out} {{ direction out; senders any }}
dns {{ servers {dns}; timeout 700ms; dnssec off; client names off }}
domains {{ example.test 127.0.0.1:{inside} }}
spam {{ rules "{rules}" }}
auth {{ mode observe }}
block senders "conf.test --to a@example.test"
"""


@pytest.fixture(scope="module")
def dns():
    with DnsServer("proven.test TXT v=spf1 ip4:127.0.0.1 -all\n_dmarc.proven.test TXT v=DMARC1; p=none\nother.test TXT v=spf1 -all") as server:
        yield server


@pytest.fixture
def node(nodes, inside, dns, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/trial.rules").write_text(RULES)
    return nodes(CONFIG, inside=inside.port, out=lab.free_port(), dns=dns.address, rules=tmp_path / "rules")


def send(node, sender, author=None, to=("a",), words="大特価", subject="x", type="Content-Type: text/plain; charset=utf-8"):
    mail = (f"From: Someone <{author or sender}>\nTo: a@example.test\nSubject: {subject}\nDate: Mon, 30 Nov 2026 09:00:00 +0900\nMessage-ID: <1@x.test>\n"
            f"MIME-Version: 1.0\n{type}\nContent-Transfer-Encoding: 8bit\n\n{words}\n")
    return lab.Client(node.port).send(mail, sender=sender, recipients=[f"{one}@example.test" for one in to])


def header(node, inside, sender, author=None, to=("a",), words="大特価"):
    before = len(inside.files())
    assert send(node, sender, author, to, words)[0] == 250
    mails = inside.wait(before + len(to))[before:]
    return [re.sub(rb"\r?\n[ \t]+", b" ", mail.replace(b"\r\n", b"\n").split(b"\n\n")[0]).decode() for mail in mails]


def is_tagged(fields):
    return "X-Spam-Flag: YES" in fields


def entries(node, verb):
    return [json.loads(line) for line in node.run(verb, "list", "--json").stdout.splitlines()]


def test_allow_and_block(node, inside):
    # Blocked: refused, with the number; what is below a domain too, in the envelope or in From.
    assert node.run("block", "bad@other.test", "--note", "told us lies").stdout == "entry 1\n"
    code, reply = send(node, "Bad@other.test", words="hello")
    assert code == 550 and "mail from bad@other.test is blocked here (entry 1)" in reply, reply
    assert send(node, "good@other.test", "bad@other.test", words="hello")[0] == 550
    assert send(node, "good@other.test", words="hello")[0] == 250
    node.run("block", "evil.test", "--to", "b@example.test", "--envelope")
    assert send(node, "x@mail.evil.test", to=("a",), words="hello")[0] == 250
    assert send(node, "x@mail.evil.test", to=("b",), words="hello")[0] == 550
    assert send(node, "x@good.test", "x@evil.test", to=("b",), words="hello")[0] == 250
    assert "already" in node.run("block", "bad@other.test", check=False).stderr
    code, reply = send(node, "x@conf.test", to=("a",), words="hello")
    assert code == 550 and "(entry 1 of the configuration)" in reply, reply

    # Allowed with proof, and said so where there is none.
    assert all(is_tagged(one) for one in header(node, inside, "news@proven.test"))
    assert node.run("allow", "proven.test").stdout == "entry 3\n"
    (one,) = header(node, inside, "news@proven.test")
    assert not is_tagged(one) and "ALLOWED_3=" in one and "required=never" in one, one
    (one,) = header(node, inside, "liar@other.test", "news@proven.test")
    assert is_tagged(one) and "ALLOW_UNPROVEN_3=" in one, one
    lab.wait_for(lambda: "an allow entry for proven.test (3) did not apply: not proven" in node.text(), "the log")
    identity = re.search(r"(\S+): ALLOW_UNPROVEN_3: an allow", node.text()).group(1)
    lab.wait_for(lambda: node.run("explain", identity, check=False).returncode == 0, "ledger keeps why")
    told = node.run("explain", identity, "--language", "en").stdout
    assert "ALLOW_UNPROVEN_3" in told and "an allow entry did not apply: the sender is not proven" in told, told
    warned = node.run("allow", "other.test", "--unproven", "--to", "b@example.test")
    assert "whoever writes that name" in warned.stderr
    assert [is_tagged(one) for one in header(node, inside, "c@other.test", to=("a", "b"))].count(True) == 1

    # A block for all goes before an allow for all; an entry for one recipient before both.
    node.run("block", "127.0.0.0/8", "--quarantine", "--for", "1h")
    assert "ENTRY_OVERRULED_5=" in header(node, inside, "c@other.test", to=("b",))[0]
    before = len(inside.files())
    assert send(node, "news@proven.test", to=("a",))[0] == 250 and len(inside.files()) == before
    lab.wait_for(lambda: "127.0.0.0/8 (5) decided" in node.text(), "the log of the network")
    node.run("block", "remove", "5")

    # By patterns, with and without a sender; a whole message that has none of it comes.
    assert node.run("block", "--subject", "*未払い*", "--for", "1h").stdout == "entry 6\n"
    assert send(node, "x@good.test", words="hello", subject="=?utf-8?B?44CQ6YeN6KaB44CR5pyq5omV44GE5paZ6YeR?=")[0] == 550
    node.run("block", "good.test", "--link", "*.evil.test", "--tag")
    (one,) = header(node, inside, "x@good.test", words="see http://www.evil.test/a")
    assert "BLOCKED_7=" in one, one
    (one,) = header(node, inside, "x@good.test", words="see http://www.fine.test/a")
    assert "ENTRY_UNMATCHED_7=" in one, one
    node.run("block", "--attachment", "*.xll", "--to", "b@example.test")
    files = "Content-Type: application/octet-stream; name=Bill.XLL"
    assert send(node, "x@fine.test", to=("b",), type=files)[0] == 550 and send(node, "x@fine.test", to=("a",), type=files)[0] == 250
    assert "names a sender" in node.run("allow", "--subject", "*invoice*", check=False).stderr
    assert "three letters" in node.run("block", "--subject", "*a*", check=False).stderr
    assert "is ours" in node.run("block", "example.test", "--for", "1h").stderr
    for number in "6789":
        node.run("block", "remove", number)

    # An edge in front says who the client is; mail from inside has no entries, and says so.
    node.run("block", "198.51.100.0/24", "--for", "1h")
    edge = lab.Client(node.port)
    assert edge.say("XCLIENT ADDR=198.51.100.7 NAME=[UNAVAILABLE]")[0] == 220 and edge.say("EHLO x")[0] == 250
    assert edge.send(lab.message("x", "hello\n"), sender="x@fine.test", recipients=("a@example.test",))[0] == 550
    assert send(node, "x@fine.test", words="hello")[0] == 250
    assert lab.Client(node.values["out"]).send(lab.message("x", "hello\n"), sender="bad@other.test", recipients=("a@example.test",))[0] == 250
    lab.wait_for(lambda: "bad@other.test (1) did not apply: the message is from inside" in node.text(), "the log of mail from inside")
    lab.wait_for(lambda: "entry 1: an allow or block entry did not apply: the message is from inside" in node.run("trace").stdout, "the trace")
    told = node.run("trace", "--status", "rejected", "--most", "100").stdout
    assert "entry 1: a block entry decided" in told, told
    node.run("block", "remove", "10")

    # It ends by itself, and is on disk.
    node.run("block", "short.test", "--for", "1s")
    lab.wait_for(lambda: "the block entry 11 has ended" in node.text(), "the end of the entry")
    assert send(node, "x@short.test", words="hello")[0] == 250
    node.kill()
    node.start()
    assert send(node, "bad@other.test", words="hello")[0] == 550
    assert node.run("block", "new.test").stdout == "entry 12\n"

    # Listed with its uses, audited; what is none is refused.
    lab.wait_for(lambda: entries(node, "block")[0]["used"] >= 1, "the count of uses")
    first = entries(node, "block")[0]
    assert (first["what"], first["to"], first["note"], first["number"]) == ("bad@other.test", "everybody", "told us lies", 1) and first["last_ms"]
    assert node.run("block", "list", "--unused", "1h", "--json").stdout == "" and "never used" in node.run("block", "list").stdout
    assert [item["number"] for item in entries(node, "block")] == [1, 2, 12]
    audit = node.run("audit").stdout
    assert "bad@other.test for everybody: told us lies" in audit and "5: 127.0.0.0/8 for everybody" in audit, audit
    only = [one["about"] for one in node.told("audit", "--act", "allow")["looks"]]
    assert only and all(one["process"] == "block" for one in node.told("audit", "--act", "block")["looks"]), only
    assert "is in no domain of ours" in node.run("allow", "far.test", "--to", "a@elsewhere.test").stderr
    for wrong in (("block", "com"), ("block", "0.0.0.0/0"), ("allow", "192.0.2.1/24"), ("block", "a@b"), ("allow", "x.test", "--to", "nobody")):
        assert node.run(*wrong, check=False).returncode == 65, wrong
    assert node.run("allow", "remove", "1", check=False).returncode == 66
    node.balance()
