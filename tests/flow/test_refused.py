# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: whoever reads a refusal learns what to do and where to ask: in ASCII for every client, in Japanese too for those that
may be sent it, and in notices of the node's own in both."""
import email
import re

import pytest

import lab
from test_quarantine import spam, virus

CONFIG = """
help {{ mailbox help@example.test; page "https://www.example.test/mail" }}
refusal {{ virus english "Ask the help desk."; virus japanese "窓口へ" }}
listen 127.0.0.1:{port} {{ direction in }}
listen 127.0.0.1:{out} {{ direction out; from 127.0.0.0/8 }}
domains {{ example.test 127.0.0.1:{inside}; * 127.0.0.1:{inside} }}
limits {{ message 64K; header 16K }}
"""
HELP = "Help: help@example.test https://www.example.test/mail"


def lines_of(reply):
    """Without code and status, which every line has, the last one behind a blank."""
    code, text = reply
    lines = text.split("\n")
    heads = {re.fullmatch(r"(\d\d\d)([ -])(\d\.\d+\.\d+) .*", line).groups() for line in lines}
    assert {head[0] for head in heads} == {str(code)} and len({head[2] for head in heads}) == 1
    assert all((line[3] == " ") == (line is lines[-1]) and len(line.encode()) <= 510 for line in lines), text
    return [line.split(" ", 1)[1] for line in lines]


def large():
    return lab.message(body="x" * 70 + "\n" + ("y" * 70 + "\n") * 1000)


@pytest.fixture
def node(nodes, sinks):
    inside = sinks("--refuse-to", "nobody")
    made = nodes(CONFIG, inside=inside.port, out=(out := lab.free_port()))
    made.out, made.inside = out, inside
    return made


@pytest.mark.parametrize("mail, recipient, code, first, english, japanese", [
    (virus, "user@example.test", 550, "virus found: Eicar", "Ask the help desk.", "窓口へ"),
    (spam, "user@example.test", 550, "the message looks like spam", "it looks like spam", "迷惑メール"),
    (large, "user@example.test", 552, "larger than this server takes", "too large", "大きすぎる"),
    (lab.message, "user@elsewhere.example", 550, "relaying denied", "does not take it", "受け取らない"),
])
def test_every_refusal_says_what_to_do_and_where_to_ask(node, mail, recipient, code, first, english, japanese):
    for envelope, is_utf8 in (({}, False), ({"mail": "SMTPUTF8"}, True)):
        reply = lab.Client(node.port).send(mail(), recipients=(recipient,), **envelope)
        lines = lines_of(reply)
        assert reply[0] == code and first in lines[0] and english in lines[1] and lines[-1].endswith(HELP), reply
        assert (japanese in reply[1]) == is_utf8 and reply[1].isascii() != is_utf8, reply
    told = lab.wait_for(lambda: [text for text in [node.run("trace", "--status", "rejected", check=False).stdout] if first in text],
                        "the trace has it")[0]
    assert "Help:" not in told  # the reason alone is recorded
    size = lab.Client(node.port).say(f"MAIL FROM:<a@outside.example> SIZE={1 << 20}")
    assert "too large" in size[1] and lines_of(size)[-1] == HELP.join(("5.3.4 ", "")), size


def test_without_help_and_texts_the_reason_stands_alone(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    code, text = lab.Client(node.port).send(virus())
    assert code == 550 and re.fullmatch(r"550 5\.7\.1 virus found: Eicar-Test-Signature \(clamav; in \S+\) \(id \w+\)", text)


def test_a_notice_of_ours_says_where_to_ask(node):
    assert lab.Client(node.out).send(lab.message(), sender="user@example.test", recipients=("nobody@elsewhere.example",))[0] == 250
    node.inside.wait(1)
    text = email.message_from_bytes(node.inside.messages()[0]).get_payload()[0].get_payload(decode=True).decode()
    where = "help@example.test https://www.example.test/mail"
    assert f"Questions? {where}" in text and f"お問い合わせ：{where}" in text
