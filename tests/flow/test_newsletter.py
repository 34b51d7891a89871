# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a Japanese mail magazine that is proven to come from its sender is not tagged though its words are those of spam; the same mail
without proof is; and whoever approved it, by command or by mail, gets it untagged whatever its points, and nobody else does."""
import email.header
import json
import re

import lab
import pytest
from dns_server import DnsServer
from test_lists import Author

dkim = pytest.importorskip("dkim")
RULES = """
rule TRIAL_ONE { points 3.8; describe "a word"; body /大特価/ }
rule TRIAL_TWO { points 3.4; describe "a word"; body /限定/ }
rule TRIAL_MORE { points 2; describe "a word"; body /今すぐ/ }
"""
CONFIG = """
listen 127.0.0.1:{port} {{ direction in }}
listen 127.0.0.1:{out} {{ direction out }}
dns {{ servers {dns}; timeout 700ms; dnssec off; client names off }}
domains {{ example.test 127.0.0.1:{inside} {{ spam {{ reject above 30 }} }} }}
recipient boss@example.test {{ spam tag above 5 }}
recipient quiet@example.test {{ spam tag in header }}
spam {{ rules "{rules}" }}
auth {{ mode observe }}
report {{ missed newsletter magazines@example.test }}
"""
WHICH = "weekly.bank.test/bank.test"
SUBJECT = "今週の大特価"


class Shop(Author):
    """Sends through somebody whose own domain SPF knows, and signs as itself: its DKIM alone proves it."""

    def magazine(self, words="大特価 限定", number=1, is_signed=True):
        subject = email.header.Header(SUBJECT, "iso-2022-jp").encode()
        mail = (f"From: News <news@bank.test>\r\nTo: a@example.test\r\nDate: Mon, 30 Nov 2026 09:00:00 +0900\r\nSubject: {subject}\r\nMessage-ID: <{number}@bank.test>\r\n"
                "List-Unsubscribe: <https://off.bank.test/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
                "List-Id: Weekly <weekly.bank.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                f"Content-Transfer-Encoding: 8bit\r\n\r\n{words}\r\n配信停止はこちら https://off.bank.test/u\r\n").encode()
        if is_signed:
            mail = dkim.sign(mail, self.selector.encode(), b"bank.test", self.key, canonicalize=(b"relaxed", b"relaxed"), include_headers=[
                b"from", b"to", b"subject", b"list-unsubscribe", b"list-unsubscribe-post", b"list-id"]) + mail
        return mail.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def dns():
    with DnsServer("sender.test TXT v=spf1 ip4:127.0.0.1 -all\n_dmarc.bank.test TXT v=DMARC1; p=none") as server:
        yield server


@pytest.fixture
def node(nodes, inside, dns, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/trial.rules").write_text(RULES)
    return nodes(CONFIG, inside=inside.port, out=lab.free_port(), dns=dns.address, rules=tmp_path / "rules")


def sent(node, inside, mail, *to):
    """One mail as each kind of recipient gets it, `to` being of so many kinds."""
    before = len(inside.files())
    assert lab.Client(node.port).send(mail, sender="b@sender.test", recipients=[f"{one}@example.test" for one in to])[0] == 250
    return inside.wait(before + len(to))[before:]


def fields(mail):
    return re.sub(rb"\r?\n[ \t]+", b" ", mail.replace(b"\r\n", b"\n").split(b"\n\n")[0])


def is_tagged(mail):
    return b"X-Spam-Flag: YES" in fields(mail), b"[SPAM]" in fields(mail)


def got(node, inside, mail, to):
    (one,) = sent(node, inside, mail, to)
    return one


def test_what_is_proven_is_a_newsletter(node, inside, dns, tmp_path):
    shop = Shop(tmp_path, dns)
    one = got(node, inside, shop.magazine(), "a")
    assert b"score=7.2 required=8.0" in fields(one) and is_tagged(one) == (False, False), fields(one)
    assert b"X-Sekimori-Class: newsletter; name=weekly.bank.test; domain=bank.test\n" in fields(one) + b"\n"
    forged = got(node, inside, shop.magazine(is_signed=False), "a")
    assert b"score=7.2 required=6.8" in fields(forged) and is_tagged(forged) == (True, True)
    assert b"X-Sekimori-Class" not in forged
    liar = got(node, inside, "X-Sekimori-Class: newsletter; name=a.test; domain=bank.test\n" + shop.magazine(is_signed=False), "a")
    assert b"X-Sekimori-Class" not in liar and is_tagged(liar) == (True, True)
    lab.wait_for(lambda: f"class=newsletter newsletter={WHICH}" in node.text(), "the log")
    lab.wait_for(lambda: "a@example.test" in node.run("trace", "--verdict", "newsletter", check=False).stdout, "the class in the ledger")

    # Over its own line it is spam, for all but who approved it; each line is the recipient's.
    louder = shop.magazine("大特価 限定 今すぐ")
    assert is_tagged(got(node, inside, louder, "a")) == (True, True)
    assert is_tagged(got(node, inside, louder, "quiet")) == (True, False)
    assert is_tagged(got(node, inside, shop.magazine("大特価 今すぐ", is_signed=False), "boss")) == (True, True)
    assert is_tagged(got(node, inside, shop.magazine("大特価 今すぐ", is_signed=False), "a")) == (False, False)

    assert node.run("newsletter", "approve", WHICH, "--for", "A@example.test", "--language", "en").stdout == f"{WHICH} is approved for A@example.test\n"
    assert "so already" in node.run("newsletter", "approve", WHICH, "--for", "a@example.test").stdout
    (item,) = [json.loads(line) for line in node.run("newsletter", "list", "--json").stdout.splitlines()]
    assert (item["name"], item["domain"], item["for"]) == ("weekly.bank.test", "bank.test", "a@example.test")
    approved = got(node, inside, louder, "a")
    assert is_tagged(approved) == (False, False) and b"required=never" in fields(approved)
    assert is_tagged(got(node, inside, louder, "b")) == (True, True)
    assert is_tagged(got(node, inside, shop.magazine("大特価 限定 今すぐ", is_signed=False), "a")) == (True, True)
    assert {is_tagged(one) for one in sent(node, inside, louder, "a", "b")} == {(False, False), (True, True)}
    node.kill()
    node.start()
    assert is_tagged(got(node, inside, louder, "a")) == (False, False)  # it is on disk
    ended = node.run("newsletter", "forget", WHICH, "--for", "a@example.test", "--language", "ja").stdout
    assert ended == f"{WHICH} の承認を取り消した (宛先 a@example.test)\n"
    assert is_tagged(got(node, inside, louder, "a")) == (True, True)
    for words in (("forget", WHICH, "--for", "a@example.test"), ("approve", WHICH, "--for", "a@elsewhere.test"),
                  ("approve", "weekly.bank.test/!!"), ("approve", WHICH, "--for", "nobody")):
        refused = node.run("newsletter", *words, check=False)
        assert refused.returncode == 65 and refused.stderr, (words, refused)
    audit = node.run("audit").stdout
    assert "refused: that address is no recipient of ours: " in audit and "refused: it is not approved" in audit
    assert f"{WHICH} for A@example.test" in audit and "forget" in audit

    # By mail: what came tagged is wanted, what came untagged is not; of him who says so alone.
    tagged = got(node, inside, louder, "b")
    report(node, tagged, "b@example.test")
    lab.wait_for(lambda: "approval changed: 1" in node.text(), "the approval")
    untagged = got(node, inside, louder, "b")
    assert is_tagged(untagged) == (False, False) and is_tagged(got(node, inside, louder, "a")) == (True, True)
    assert "b@example.test, by mail" in node.run("audit").stdout
    report(node, untagged, "b@example.test")
    lab.wait_for(lambda: node.run("newsletter", "list", "--language", "en").stdout == "no newsletters are approved\n", "the end of the approval")
    assert is_tagged(got(node, inside, louder, "b")) == (True, True)
    report(node, tagged, "somebody@elsewhere.test", code=550)
    assert node.run("newsletter", "list", "--json").stdout == ""
    node.balance()


def report(node, mail, sender, code=250):
    """Forwards it as an attachment, as mail programs do."""
    fields = (b"From: %s\nTo: magazines@example.test\nSubject: Fwd\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
              b"--b\nContent-Type: text/plain\n\nplease\n--b\nContent-Type: message/rfc822\n\n" % sender.encode())
    text = fields + mail.replace(b"\r\n", b"\n") + b"\n--b--\n"
    assert lab.Client(node.values["out"]).send(text, sender=sender, recipients=("magazines@example.test",))[0] == code
