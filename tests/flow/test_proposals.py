# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what users report teaches nothing before the administrator says yes, but for reporters who are trusted and known to be who they
say; what they report is found again among what passed here, is bounded, and can be undone."""
import json
import os
import re
import signal

import pytest

import lab
from test_learn import mail, stat
from test_own_addresses import report_of, report_says, tell

CONFIG = """
listen 127.0.0.1:{port} {{ direction in }}
listen 127.0.0.1:{out} {{ direction out }}
domains {{ example.test 127.0.0.1:{inside} }}
report {{ missed spam spam@example.test; missed ham ham@example.test; missed phishing phishing@example.test; missed virus virus@example.test }}
report {{ trusted boss@example.test; {more} }}
"""


@pytest.fixture
def node(nodes, inside):
    return nodes(CONFIG, inside=inside.port, out=lab.free_port(), more="")


def passed(node, inside, text):
    """A mail from outside as its recipient has it, fields of ours on top; its id."""
    before = len(inside.files())
    code, said = lab.Client(node.port).send(text)
    assert code == 250, said
    copy = inside.wait(before + 1)[-1].decode()
    return copy, re.search(r"kept as ([0-9A-Z]{13})", said)[1]


def waiting(node):
    return [json.loads(line) for line in node.run("learn", "proposals", "--json").stdout.splitlines()]


def told(node, text, *, to="spam@example.test", sender="user@example.test"):
    """What became of it, as the trace says."""
    identity = tell(node, text, to=to, sender=sender)
    return lab.wait_for(lambda: "told as missed" in (said := node.run("trace", identity, check=False).stdout) and said, "it is done")


def again(node, more):
    node.values["more"] = more
    node.write(CONFIG)
    node.run("reload")


def acts(node):
    return node.told("audit")["looks"]


def test_a_report_waits_for_a_yes(node, inside):
    copy, identity = passed(node, inside, mail(True, 1))
    lab.wait_for(lambda: identity in node.run("trace", identity, check=False).stdout, "the ledger knows it")
    assert "1 for the administrator to decide" in told(node, report_of(copy))
    (one,) = waiting(node)
    assert (one["message"], one["class"], one["reporter"], one["reporters"]) == (identity, "spam", "user@example.test", 1)
    assert "orchid.example" in one["from"] and one["subject"]
    # again by the same and by another: one proposal; nothing is learned of either
    told(node, report_of(copy))
    told(node, report_of(copy, to="phishing@example.test"), to="phishing@example.test", sender="Colleague@example.test")
    (one,) = waiting(node)
    assert one["reporters"] == 2 and stat(node)["spam"] == 0
    assert "told by user@example.test and 1 more" in node.run("learn", "proposals").stdout
    # the tag of a filter, and trace fields of other carriers, are no part of it
    tagged = "Received: from a by b; Mon, 30 Nov 2026 10:00:00 +0900\n" + copy.replace("Subject: ", "Subject: [SPAM] ")
    told(node, report_of(tagged), sender="third@example.test")
    assert waiting(node)[0]["reporters"] == 3
    assert node.run("learn", "accept", "99", check=False).returncode == 66
    assert node.run("learn", "accept", check=False).returncode == node.run("learn", "accept", "x", check=False).returncode == 64
    assert node.run("learn", "accept", str(one["number"])).stdout == "1 spam and 0 ham learned\n"
    assert stat(node)["spam"] == 1 and waiting(node) == []
    (act,) = [act for act in acts(node) if act["act"] == "learn" and "told by" in act["about"]]
    assert act["id"] == identity and "and 2 more" in act["about"]
    assert "1 learned before" in told(node, report_of(copy), sender="fourth@example.test")
    # undone as all that was learned
    node.run("learn", "--undo", act["about"].rsplit(" ", 1)[1])
    assert stat(node)["spam"] == 0 and "decided about before" in told(node, report_of(copy), sender="fifth@example.test")
    # no words of it are in the ledger's files beside Subject and From
    words = re.search(r"\n\n(.{20})", copy.replace("\r\n", "\n"))[1].encode()
    assert words in copy.encode() and not any(words in path.read_bytes() for path in (node.state / "ledger").iterdir() if path.is_file())
    node.balance()


def test_who_teaches_by_himself(node, inside):
    spam, ham = passed(node, inside, mail(True, 2))[0], passed(node, inside, mail(False, 3))[0]
    # nobody outside, whatever he says to be
    outside = lab.Client(node.port)
    assert outside.open(sender="boss@example.test", recipients=("spam@example.test",))[1][0] == 550
    # nor who writes it into From
    forged = report_of(spam).replace(b"From: user@example.test", b"From: boss@example.test", 1)
    assert b"From: boss@" in forged and "to decide" in told(node, forged)
    assert stat(node)["spam"] == 0
    # the one who is trusted does, and what another told before is decided with it
    assert "1 learned" in told(node, report_of(spam), sender="Boss@Example.test")
    assert stat(node)["spam"] == 1 and waiting(node) == []
    assert "1 learned before" in told(node, report_of(spam), sender="boss@example.test")
    assert "1 learned" in told(node, report_of(ham, to="ham@example.test"), to="ham@example.test", sender="boss@example.test")
    assert stat(node)["ham"] == 1
    assert [act["user"].lower() for act in acts(node) if act["act"] == "learn"] == ["boss@example.test"] * 2
    # what never passed here, or was altered, waits even so
    assert "to decide" in told(node, report_of(mail(True, 4)), sender="boss@example.test")
    altered = re.sub("(?m)^Subject: .*$", "Subject: something else", passed(node, inside, mail(True, 5))[0])
    assert "to decide" in told(node, report_of(altered), sender="boss@example.test")
    assert [one.get("message") for one in waiting(node)] == [None, None] and stat(node)["spam"] == 1
    assert "not found" in node.run("learn", "proposals").stdout
    # the null sender is nobody
    assert "nothing is learned of it" in told(node, report_of(mail(True, 6)), sender="")
    assert node.run("learn", "decline", "--all").stdout == "2 spam and 0 ham declined\n"
    assert waiting(node) == [] and "decided about before" in told(node, report_of(altered))
    assert sum(act["act"] == "decline" for act in acts(node)) == 2
    # a reload that wants to be asked always, and one that wants nothing
    again(node, "learn ask")
    copy = passed(node, inside, mail(True, 7))[0]
    assert "to decide" in told(node, report_of(copy), sender="boss@example.test") and len(waiting(node)) == 1
    again(node, "learn off")
    assert "decide" not in told(node, report_of(passed(node, inside, mail(True, 8))[0])) and len(waiting(node)) == 1
    node.balance()


def test_what_is_no_copy_teaches_nothing_and_nobody_fills_the_store(node, inside, tmp_path):
    assert "only what is attached is what came" in told(node, lab.message("Fwd: buy", "look at this:\n> buy now\n"))
    assert "learn" not in told(node, report_of(mail(True, 1), to="virus@example.test"), to="virus@example.test")
    # a file that is named a mail and is none
    picture = report_of(mail(True, 9)).replace(b"message/rfc822", b"application/octet-stream; name=a.eml").split(b"\r\n\r\n")
    inner = next(i for i, part in enumerate(picture) if b"a.eml" in part)
    picture[inner + 1:inner + 2] = [b"\xff\xd8\xff\xe0JFIF is no mail"]
    assert "1 no mail that can be read" in told(node, b"\r\n\r\n".join(picture))
    assert waiting(node) == []
    # fifty of one reporter in a day, whoever he is
    many = [mail(True, 1000 + number) for number in range(45)]
    assert "45 for the administrator" in told(node, report_of(*many))
    said = told(node, report_of(*[mail(True, 2000 + number) for number in range(10)]))
    assert "5 for the administrator to decide, 5 left out, there are too many" in said
    assert "1 for the administrator" in told(node, report_of(mail(True, 3000)), sender="another@example.test")
    lab.wait_for(lambda: report_says(node, tmp_path), "the report")
    assert "51 wait for a yes or no: sekimori learn proposals" in (tmp_path / "r.txt").read_text().replace("\n  ", " ")
    node.balance()


def test_whoever_dies_in_between(node, inside):
    copies = [passed(node, inside, mail(True, 4000 + number))[0] for number in range(4)]
    for number, victim in enumerate(("report", "ledger", "scan", "queue")):
        identity = tell(node, report_of(copies[number]), sender="boss@example.test")
        for pid in node.pids(victim):
            os.kill(pid, signal.SIGKILL)
        lab.wait_for(lambda: node.run("status", "--json", check=False).returncode == 0 and node.pids(victim), f"{victim} is back", 60)
        lab.wait_for(lambda: "told as missed" in node.run("trace", identity, check=False).stdout, "it is done", 60)
    assert stat(node)["spam"] == 4 and waiting(node) == []
    lab.wait_for(node.queue_is_empty, "all are done", 60)
    # a mail that ends the worker that reads it costs its lesson, and neither report nor the next mail
    if lab.BUILD.joinpath("src/scan/scan").read_bytes().count(b"X-Test-Worker"):
        assert "1 no mail that can be read" in told(node, report_of("X-Test-Worker: die\n" + mail(True, 5000)))
        assert "to decide" in told(node, report_of(mail(True, 5001)))
    node.balance()
