# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a list that put a footer under what its author signed is let pass where the ledger has known it for long, and nowhere else; a forger
with a list of his own is not, nor is a list that is too new; and it holds while the ledger is away."""
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess

import lab
import pytest
from dns_server import DnsServer

dkim = pytest.importorskip("dkim")
SEKIMORI = lab.BUILD / "src/cli/sekimori"
ZONE = """
    lists.test           TXT  v=spf1 ip4:127.0.0.1 -all
    evil.test            TXT  v=spf1 ip4:127.0.0.1 -all
    _dmarc.bank.test     TXT  v=DMARC1; p=reject
"""
CONFIG = """
dns {{ servers {dns}; timeout 700ms; dnssec off; client names off }}
domains {{ example.test 127.0.0.1:{inside} }}
auth {{ mode on; trust lists after {after} }}
"""
PASSED = "dmarc=fail (let pass: altered by a list that is known here, tech.lists.test of lists.test)"


class Author:
    """Somebody at the bank, whose server signs."""

    def __init__(self, folder, dns):
        made = subprocess.run([SEKIMORI, "dkim", "new", "bank.test", "--selector", "s", "--output", folder], check=True, capture_output=True, text=True)
        for name, strings in re.findall(r"^(\S+)\. IN TXT \((.*?) \)", made.stdout, re.M | re.S):
            dns.set(name, "TXT", "".join(re.findall(r'"(.*?)"', strings)))
        self.selector, file = re.search(r"^dkim rsa ([^:]+):(.*)$", made.stdout, re.M).groups()
        self.key = pathlib.Path(file).read_bytes()

    def post(self, to="Technology <tech@lists.test>", subject="a question"):
        mail = f"From: Someone <someone@bank.test>\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nHello\r\n".encode()
        field = dkim.sign(mail, self.selector.encode(), b"bank.test", self.key, canonicalize=(b"relaxed", b"relaxed"),
                          include_headers=[b"from", b"to", b"subject", b"cc"])
        return field.decode() + mail.decode()


def through_list(mail, host="lists.test", footer="-- \r\nhow to leave\r\n"):
    return f"List-Id: <tech.{host}>\r\nList-Post: <mailto:tech@{host}>\r\n" + mail + footer


def reply(node, mail, host="lists.test"):
    return lab.Client(node.port).send(mail.replace("\r\n", "\n"), sender=f"tech-bounces@{host}", recipients=["user@example.test"])[0]


def age(node, days, column="first_day"):
    """The node is stopped, and its ledger so many days older."""
    with sqlite3.connect(node.state / "ledger/ledger.db", isolation_level=None) as database:
        database.execute(f"UPDATE list SET {column} = {column} - ?, days = 5", (days,))
        return database.execute("SELECT id, domain FROM list").fetchall()


def is_known(node, count):
    return lab.wait_for(lambda: re.search(rf"mailing lists known +{count}\b", node.run("status", "--all", check=False).stdout), "the page of lists")


@pytest.fixture(scope="module")
def dns():
    with DnsServer(ZONE) as server:
        yield server


def test_a_known_list(nodes, inside, dns, tmp_path):
    author, node = Author(tmp_path, dns), nodes(CONFIG, inside=inside.port, dns=dns.address, after="30d")
    altered, tagged = through_list(author.post()), through_list(author.post().replace("Subject: a", "Subject: [tech] a"))
    theft, beside = through_list(author.post(to="me@evil.test")), "To: tech@lists.test\r\n" + through_list(author.post(to="me@evil.test"))
    plain = "From: One <one@nobody.test>\r\nTo: tech@lists.test\r\nSubject: anything\r\n\r\nHello\r\n"
    assert reply(node, altered) == 550  # nobody knows the list
    assert reply(node, through_list(plain)) == 250 and reply(node, through_list(plain, host="evil.test"), host="evil.test") == 250
    lab.wait_for(lambda: node.run("trace", check=False).stdout.count("authenticated:") == 3, "the ledger")
    node.stop()
    assert sorted(age(node, 29)) == [("tech.evil.test", "evil.test"), ("tech.lists.test", "lists.test")]
    node.start()
    is_known(node, 0)
    assert reply(node, altered) == 550  # it is too new
    node.stop()
    age(node, 2)
    node.start()
    is_known(node, 2)
    inside.empty()
    assert reply(node, altered) == 250
    assert PASSED in re.sub(rb"\s+", b" ", inside.wait(1)[0]).decode() and b"DMARC_LISTED=0.0" in inside.wait(1)[0].replace(b"\r\n\t", b"")
    lab.wait_for(lambda: re.search("action=accept .*dmarc=fail .*excuse=list", node.text()), "the line of the log")
    for forged in (tagged, theft, beside, through_list(author.post(), host="evil.test")):
        assert reply(node, forged) == 550
    assert reply(node, through_list(author.post(), host="evil.test"), host="evil.test") == 550  # his list is known, and nobody wrote to it
    assert reply(node, through_list(author.post()), host="evil.test") == 550  # the id is known under another domain

    said = lab.wait_for(lambda: "let pass" in (text := node.run("trace", check=False).stdout) and text, "the ledger")
    assert ("dmarc=fail (bank.test); its owner asks to refuse it; let pass: altered by a list that is known here, "
            "tech.lists.test of lists.test\n") in said
    rows = json.loads(node.run("stats", "--by", "auth", "--format", "json").stdout)[0]["rows"]
    assert {"check": "excuse", "result": "list", "messages": 1}.items() <= next(row for row in rows if row["check"] == "excuse").items()

    (ledger,) = node.pids("ledger")
    os.kill(ledger, signal.SIGSTOP)
    assert reply(node, altered) == 250
    os.kill(ledger, signal.SIGCONT)
    node.write(CONFIG.replace("{after}", "0"))
    assert node.run("reload").returncode == 0
    lab.wait_for(lambda: reply(node, altered) == 550, "the new configuration")
    node.balance()


def test_the_command(dns, tmp_path):
    """Without a node: what is proven, and what a node would have to know."""
    author, file = Author(tmp_path, dns), tmp_path / "post.eml"
    words = [SEKIMORI, "auth", file, "--client", "127.0.0.1", "--from", "tech-bounces@lists.test", "--dns", dns.address.replace("@", ":")]
    for mail, lines, altered in (
            (through_list(author.post()), "  the author wrote to it, and the body was altered: let pass by a node that knows this list\n", True),
            (through_list(author.post(to="x@evil.test")), "  no signature shows that the author wrote to it: not let pass as a list's\n", False)):
        file.write_bytes(mail.encode())
        said = subprocess.run(words, capture_output=True, text=True).stdout
        assert "List tech.lists.test: sent by lists.test\n" + lines in said, said
        found = json.loads(subprocess.run([*words, "--json"], capture_output=True, text=True).stdout)["list"]
        assert found == {"id": "tech.lists.test", "domain": "lists.test", "altered_post": altered}
