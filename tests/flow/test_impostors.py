# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: mail from outside that pretends to be from us says so in its signals and its Subject; a bad file of people is refused with its line, and what runs stays."""
import base64
import json
import re
import sqlite3

import lab

PEOPLE = "# who we are\nSato Taro <sato@example.test> <sato@private.test>\n佐藤 太郎 <sato@example.test>\n"
MARK = "=?UTF-8?B?" + base64.b64encode("[外部]".encode()).decode() + "?="


def mail(sender, subject="hello", more=""):
    return f"From: {sender}\r\nTo: b@example.test\r\nSubject: {subject}\r\nDate: Mon, 30 Nov 2026 09:00:00 +0900\r\n" \
           f"Message-ID: <{abs(hash((sender, subject, more)))}@other.test>\r\n{more}\r\nhello\r\n".encode()


def received(node, inside, number, message):
    assert lab.Client(node.port).send(message)[0] == 250
    got = inside.wait(number)[-1].decode()
    status = re.search(r"X-Spam-Status: [^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", got)[0]
    return sorted(re.findall(r"(IMPOSTOR_\w+)=", status)), re.search(r"^Subject: (.*?)\r?$", got, re.M)[1]


def test_impostors(nodes, inside, tmp_path):
    people = tmp_path / "people"
    people.write_text(PEOPLE)
    more = f"people {people}\npartners partner-bank.co.jp\noutside {{{{ mark \"[外部] \" }}}}\n"
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n" + more, inside=inside.port)
    rows = [
        (mail("Other Body <x@other.test>"), []),
        (mail("Taro SATO <dean2026@gmail.com>"), ["IMPOSTOR_PERSON"]),
        (mail("=?UTF-8?B?5L2Q6Jek5aSq6YOO?= <x@gmail.com>", "urgent", "Reply-To: y@yahoo.co.jp\r\n"),
         ["IMPOSTOR_PERSON", "IMPOSTOR_REPLY_OF_OURS"]),
        (mail("Sato Taro <sato@private.test>"), []),
        (mail("x@partner-bamk.co.jp"), ["IMPOSTOR_FROM_ALIKE"]),
        (mail("\"sato@example.test\" <x@other.test>"), ["IMPOSTOR_SHOWN_ADDRESS"]),
        (mail("x@example.test.login.example"), ["IMPOSTOR_FROM_ALIKE"]),
    ]
    for number, (message, wanted) in enumerate(rows, 1):
        found, subject = received(node, inside, number, message)
        assert found == wanted and subject.startswith(MARK), (number, found, subject)
    number = len(rows) + 1
    # An answer to marked mail is not marked again.
    assert received(node, inside, number, mail("x@other.test", f"Re: {MARK} hello")) == ([], f"Re: {MARK} hello")
    # A bad file is refused with its line; what runs stays.
    people.write_text(PEOPLE + "Suzuki Ichiro suzuki@example.test\n")
    done = node.run("reload", check=False)
    assert done.returncode == 78 and f"people {people}:4: no address: write NAME <ADDRESS>" in done.stderr, done
    assert received(node, inside, number + 1, mail("Sato Taro <a@other.test>"))[0] == ["IMPOSTOR_PERSON"]
    # A good one is taken.
    people.write_text(PEOPLE + "Suzuki Ichiro <suzuki@example.test>\n")
    node.run("reload")
    lab.wait_for(lambda: node.text().count("the new configuration is in force") > 0, "it is in force")

    def is_known():
        assert lab.Client(node.port).send(mail("Ichiro Suzuki <b@other.test>"))[0] == 250
        return any(b"IMPOSTOR_PERSON" in one and b"Suzuki" in one for one in inside.messages())
    lab.wait_for(is_known, "the new file counts")
    node.balance()
    rows = {row["signal"]: row["messages"] for row in json.loads(node.run("stats", "--by", "impostor", "--format", "json").stdout)[0]["rows"]}
    assert rows["IMPOSTOR_SHOWN_ADDRESS"] == 1 and rows["IMPOSTOR_FROM_ALIKE"] == 2 and rows["IMPOSTOR_PERSON"] >= 4, rows


def test_names_that_were_learned(nodes, inside):
    """A name under which a sender of ours writes, learned from his mail, is his in mail from outside; who operates may take it back."""
    node = nodes("listen 127.0.0.1:{port}\nlisten 127.0.0.1:{out} {{ direction out }}\ndomains {{ example.test 127.0.0.1:{inside} }}\n"
                 "outside {{ learn people on; mark \"[外部] \"; when impostor }}\n", inside=inside.port, out=(out := lab.free_port()))

    def people():
        return [json.loads(line) for line in node.run("people", "list", "--json").stdout.splitlines()]
    client = lab.Client(out)
    assert client.send(mail("Suzuki Ichiro <suzuki@example.test>"), sender="suzuki@example.test", recipients=["x@example.test"])[0] == 250
    assert client.send(mail("Suzuki Jiro <jiro@example.test>"), sender="suzuki@example.test", recipients=["x@example.test"])[0] == 250
    lab.wait_for(people, "the ledger has seen one")
    assert [(one["name"], one["address"], one["mails"], one["state"]) for one in people()] == [
        ("Suzuki Ichiro", "suzuki@example.test", 1, "seen")]
    node.stop()
    with sqlite3.connect(node.state / "ledger" / "ledger.db") as database:
        database.execute("UPDATE colleague SET mails = 5, days = 3")
    node.start()
    lab.wait_for(lambda: re.search(r"people known +1\b", node.run("status", "--all").stdout), "the name is in force")
    inside.empty()
    found, subject = received(node, inside, 1, mail("Ichiro SUZUKI <a@gmail.com>"))
    assert found == ["IMPOSTOR_COLLEAGUE"] and subject.startswith(MARK), (found, subject)
    assert received(node, inside, 2, mail("Suzuki Jiro <a@other.test>")) == ([], "hello")  # no mark: it pretends nothing
    assert "Suzuki Ichiro <suzuki@example.test>" in node.run("people", "list").stdout
    assert node.run("people", "forget", "nobody", check=False).returncode == 65
    node.run("people", "forget", "Suzuki Ichiro")
    lab.wait_for(lambda: re.search(r"people known +0\b", node.run("status", "--all").stdout), "it is forgotten")
    assert received(node, inside, 3, mail("Ichiro SUZUKI <b@gmail.com>"))[0] == []
    assert "forget Suzuki Ichiro" in node.run("audit", "--act", "people").stdout
