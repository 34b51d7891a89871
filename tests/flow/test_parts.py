# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: who received a file that is found infected later is named, once for all copies; what is held is looked at again when new
signatures are there."""
import base64
import datetime
import hashlib
import json
import os
import re
import signal
import threading

import pytest

import lab
from played import Played

CONFIG = """
virus {{ found quarantine }}
spam {{ quarantine above 12; reject above never }}
domains {{ example.test 127.0.0.1:{inside}; away.test 127.0.0.1:{away} }}
quarantine {{ most 100M }}
"""
NEW = b"frobnicate"


def file(salt):
    """Nothing is known of it, until a signature of NEW is."""
    return b"MZ" + NEW + salt.encode() * 200


def mail(content, subject="with a file"):
    text = base64.encodebytes(content).decode()
    return lab.message(subject, text, MIME_Version="1.0", Content_Type="application/octet-stream; name=tool.exe",
                       Content_Transfer_Encoding="base64")


@pytest.fixture
def node(nodes, inside, tmp_path):
    node = nodes(CONFIG, inside=inside.port, away=lab.free_port(), start=False)
    node.signatures = node.signatures_at(tmp_path / "database")
    return node.start()


def learn(node):
    """New signatures are there."""
    (node.signatures / "own.ndb").write_text("Own.Word:0:*:" + NEW.hex() + "\n")
    node.text_begins()
    node.run("reload")


def probe(node):
    """Until a worker has them."""
    salts = iter(range(1000))
    lab.wait_for(lambda: lab.Client(node.port).send(mail(file(f"probe{next(salts)}")), sender="probe@outside.example")[0] == 250
                 and "Own.Word" in node.text(), "the new signatures are used", 25)


def test_who_received_it_is_named(node, inside, tmp_path):
    content = file("a")
    digest = hashlib.sha256(content).hexdigest()
    for number in range(2):
        assert lab.Client(node.port).send(mail(content), recipients=(f"a{number}@example.test", "b@example.test"))[0] == 250
    assert lab.Client(node.port).send(mail(file("b")))[0] == 250
    inside.wait(3)
    lab.wait_for(lambda: len(node.trace("--part", digest)) == 2, "the ledger knows who had it")
    learn(node)
    probe(node)
    assert "was delivered before that was known" not in node.text()
    for number in range(20):
        assert lab.Client(node.port).send(mail(content, f"again {number}"), sender=f"c{number}@outside.example")[0] == 250
    said = lab.wait_for(lambda: [line for line in node.text().splitlines() if "delivered before that was known" in line], "it is said")
    lab.wait_for(lambda: len(node.trace("--part", digest)) == 22, "the ledger has them all")
    assert len(said) == 1 and "2 messages to 4 recipients" in said[0] and f"--part {digest[:32]}" in said[0], said
    (tmp_path / "tool.exe").write_bytes(content)
    hits = node.trace("--part", tmp_path / "tool.exe", "--status", "delivered")
    assert len(hits) == 2 and {one["address"] for hit in hits for one in hit["recipients"]} == {"a0@example.test", "a1@example.test", "b@example.test"}
    assert node.trace("--part", digest[:32]) and node.trace("--part", "0" * 64) == []
    assert "--part wants a SHA-256" in node.run("trace", "--part", "no-such-file", check=False).stderr
    for language, words in (("en", "Delivered before it was known to be infected"), ("ja", "感染が判明する前に届いていたもの")):
        page = tmp_path / f"{language}.txt"
        node.run("report", "--date", f"{datetime.date.today()}", "--language", language, "--to", page)
        text = page.read_text()
        assert words in text and text.count("Own.Word") >= 4 and "a0@example.test" in text and hits[0]["id"] in text, text
    node.balance()


def spam(content, subject):
    """Held as spam, with a file in it."""
    text = base64.encodebytes(content).decode()
    return lab.message(subject, f"--b\n\n{lab.gtube()}\n--b\nContent-Type: application/octet-stream; name=tool.exe\n"
                       f"Content-Transfer-Encoding: base64\n\n{text}\n--b--\n", MIME_Version="1.0", Content_Type="multipart/mixed; boundary=b")


def held(node):
    listed = node.run("quarantine", "list", "--json").stdout.strip().splitlines()
    return {one["subject"]: {row["class"] for row in one["recipients"]} for one in map(json.loads, listed)}


def test_what_is_kept_is_looked_at_again(node, inside, tmp_path):
    content = file("c")
    assert lab.Client(node.port).send(mail(content), recipients=("a@example.test",))[0] == 250
    inside.wait(1)
    for subject, file_in_it in (("infected", content), ("harmless", b"MZ" + b"good" * 100)):
        assert lab.Client(node.port).send(spam(file_in_it, subject), recipients=("a@example.test", "b@example.test"))[0] == 250
    lab.wait_for(lambda: held(node) == {"infected": {"spam"}, "harmless": {"spam"}}, "both are kept as spam")
    learn(node)
    lab.wait_for(lambda: held(node).get("infected") == {"virus"}, "the infected one is known as such", 25)
    said = lab.wait_for(lambda: [line for line in node.text().splitlines() if "were looked at again" in line], "the pass is over")
    assert re.search(r"2 messages were looked at again .* 1 are infected, 0 could not", said[0]), said
    assert held(node)["harmless"] == {"spam"}
    assert re.search(r"is infected, as new signatures show: Own\.Word\S* in tool\.exe; its class is virus now", node.text())
    (hit,) = node.trace("--subject", "infected")
    assert hit["class"] == "virus" and hit["virus"].startswith("Own.Word") and [hit["id"]] == [one["id"] for one in node.trace("--verdict", "virus", "--subject", "infected")]
    looks = node.told("audit", "--act", "found")["looks"]
    assert [(one["id"], one["process"]) for one in looks] == [(hit["id"], "quarantine")] and "Own.Word" in looks[0]["about"]
    assert "1 messages to 1 recipients" in node.text(), "who received the same file is named"
    page = tmp_path / "report.txt"
    node.run("report", "--date", f"{datetime.date.today()}", "--to", page)
    assert re.search(rf"Found with new signatures in the quarantine and the queue.*{hit['id']} +Own\.Word", page.read_text(), re.S), page.read_text()
    node.balance()
    node.text_begins()
    node.stop()
    node.start()
    lab.wait_for(lambda: node.pids("scan"), "scan is there")
    assert lab.Client(node.port).send(mail(b"MZ" + b"new" * 100))[0] == 250
    assert "looked at again" not in node.text(), "the same signatures again"
    assert node.run("quarantine", "list", "--json", "--class", "virus").stdout.count('"virus"') >= 2
    node.run("quarantine", "release", hit["id"], "--yes")  # by root, who may
    node.balance()


def test_what_waits_is_looked_at_again(node, inside):
    """It is held as a virus instead of delivered; what is harmless waits on."""
    large = file("d") + b"x" * 200_000
    for subject, content in (("infected", large), ("harmless", b"MZ" + b"good" * 100)):
        assert lab.Client(node.port).send(mail(content, subject), recipients=("a@away.test", "b@away.test"))[0] == 250
    lab.wait_for(lambda: len(node.trace("--status", "queued")) == 2, "both wait")
    learn(node)
    lab.wait_for(lambda: held(node).get("infected") == {"virus"}, "the infected one is in the quarantine as such", 25)
    lab.wait_for(lambda: "queue: 2 messages were looked at again with new signatures, 1 are infected, 0 could not" in node.text(), "the pass is over")
    (hit,) = node.trace("--subject", "infected")
    assert hit["class"] == "virus" and lab.states(hit) == ["quarantined"] * 2
    assert "virus found with new signatures: Own.Word" in node.run("trace", hit["id"]).stdout
    assert re.search(rf"{hit['id']}: infected, as new signatures show: Own\.Word\S* in tool\.exe; 2 recipients are held, 0 were", node.text())
    (waiting,) = node.trace("--subject", "harmless")
    assert lab.states(waiting) == ["deferred"] * 2 or lab.states(waiting) == ["queued"] * 2, waiting
    looks = node.told("audit", "--act", "found")["looks"]
    assert [(one["id"], one["process"]) for one in looks] == [(hit["id"], "queue")]
    counted = {line["name"]: line for line in node.balance()["lines"]}
    assert counted["quarantined"]["journal"] == counted["quarantined"]["ledger"] >= 2
    node.text_begins()
    node.stop()
    node.start()
    assert lab.Client(node.port).send(mail(b"MZ" + b"new" * 100))[0] == 250
    inside.wait(1)
    assert "looked at again" not in node.text(), "the same signatures again"


def test_what_was_being_delivered_is_looked_at_when_it_comes_back(nodes, inside, tmp_path):
    """Deliver has it when it is found infected, and brings it back with a 451: it waits for no second attempt."""
    goes_on = threading.Event()

    def late(_):
        goes_on.wait(30)
        return "451 4.3.0 not now"
    server = Played({".": late})
    node = nodes(CONFIG, inside=inside.port, away=server.port, start=False)
    node.signatures = node.signatures_at(tmp_path / "database")
    node.start()
    assert lab.Client(node.port).send(mail(file("e"), "infected"), recipients=("a@away.test",))[0] == 250
    lab.wait_for(lambda: "DATA" in server.commands, "deliver has it")
    learn(node)
    lab.wait_for(lambda: "0 recipients are held, 1 were being delivered to" in node.text(), "it is found", 25)
    assert held(node) == {}
    goes_on.set()
    lab.wait_for(lambda: held(node).get("infected") == {"virus"}, "it is held as a virus", 25)
    lab.wait_for(lambda: "1 messages were looked at again with new signatures, 1 are infected" in node.text(), "the pass is over")
    node.balance()


def test_what_a_user_reports_is_looked_for(node, inside, tmp_path):
    """The same file, whatever mail it came in; a picture is not looked for."""
    content = file("e")
    assert lab.Client(node.port).send(mail(content), recipients=("a@example.test",))[0] == 250
    assert lab.Client(node.port).send(lab.message("a picture", base64.encodebytes(content + b"p").decode(), MIME_Version="1.0",
                                                  Content_Type="image/png; name=logo.png", Content_Transfer_Encoding="base64"))[0] == 250
    inside.wait(2)
    lab.wait_for(lambda: node.trace("--part", hashlib.sha256(content).hexdigest()), "the ledger knows who had it")
    (tmp_path / "told").mkdir()
    for number, one in enumerate(inside.messages()):
        (tmp_path / f"told/{number}.eml").write_bytes(one)
    node.run("missed", "--kind", "virus", tmp_path / "told")
    said = lab.wait_for(lambda: [line for line in node.text().splitlines() if "delivered before that was known" in line], "it is said", 30)
    assert len(said) == 1 and "reported as virus" in said[0] and "1 messages to 1 recipients" in said[0], said


COUNT = 24


def kill(node, name):
    pid, = node.pids(name)
    os.kill(pid, signal.SIGKILL)
    lab.wait_for(lambda: node.pids(name) not in ([], [pid]) and node.is_ready(), f"{name} is there again")


def test_a_pass_is_taken_up_again(node, inside):
    """queue, ledger and scan are killed while they look again: all that is infected is held as a virus, once; all else stays what it was."""
    client = lab.Client(node.port)
    for number in range(COUNT):
        waiting, kept = (file(f"{number}") if number % 2 else b"MZ" + b"good" * (100 + number) for _ in range(2))
        assert client.send(mail(waiting, f"waits {number}"), recipients=("a@away.test", "b@away.test"))[0] == 250
        assert client.send(spam(kept, f"kept {number}"), recipients=("a@example.test",))[0] == 250
    client.close()
    lab.wait_for(lambda: len(held(node)) == COUNT and len(node.trace("--status", "queued", "--most", "100")) == COUNT, "all wait or are kept")
    learn(node)

    def said(words):
        return len([line for line in node.text().splitlines() if "show: Own.Word" in line and words in line])
    for name, words, least in (("queue", "are held", 2), ("ledger", "its class is", 2), ("scan", "", 6), ("scan", "", 9), ("scan", "", 12)):
        lab.wait_for(lambda: said(words) >= least, f"{name} is at it", 25)
        kill(node, name)
    odd = {f"{kind} {number}" for kind in ("waits", "kept") for number in range(1, COUNT, 2)}
    lab.wait_for(lambda: {subject for subject, classes in held(node).items() if classes == {"virus"}} == odd, "all of it is held as a virus", 40)
    listed = [json.loads(line)["subject"] for line in node.run("quarantine", "list", "--json").stdout.strip().splitlines()]
    assert sorted(listed) == sorted(odd | {f"kept {number}" for number in range(0, COUNT, 2)}), "each once"
    left = {hit["subject"]: set(lab.states(hit)) for hit in node.trace("--status", "queued", "--most", "100")}
    assert set(left) == {f"waits {number}" for number in range(0, COUNT, 2)} and all(one <= {"queued", "deferred"} for one in left.values()), left
    lab.wait_for(lambda: "quarantine: " in node.text() and "were looked at again" in node.text(), "the passes end")
    assert "could not be judged" not in re.sub(", 0 could not be judged", "", node.text()), node.text()
    node.balance()
