# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: whose mail leaves, and from which address: a sender that is not ours is refused at MAIL by the node that faces its client, and told
like every refusal; mail to the world goes over IPv6 only where the reverse name of our address leads back to it."""
import json
import re
import subprocess

import lab
import network
import pytest
from dns_server import DnsServer

HEAD = "virus {{ mode off }}\nspam {{ mode off }}\nqueue {{ retry first 1s; retry most 2s }}\n"


# --- whose mail leaves ---

@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("senders")
    with lab.standing(folder, HEAD + """
            help {{ mailbox help@ours.test }}
            listen 127.0.0.1:{port} {{ direction out; senders partner.test .lists.test }}
            listen 127.0.0.1:{all} {{ direction out; senders any }}
            listen 127.0.0.1:{outside} {{ direction in }}
            domains {{ ours.test 127.0.0.1:{inside}; .ours.test 127.0.0.1:{inside}; * 127.0.0.1:{inside} }}
            """, all=lab.free_port(), outside=lab.free_port()) as (node, sink):
        yield node, sink


def mail(port, sender, options=""):
    return lab.Client(port).say(f"MAIL FROM:<{sender}> {options}".strip())


@pytest.mark.parametrize("sender", ["a@ours.test", "A@OURS.Test", "a@deep.ours.test", "", "a@partner.test", "a@x.lists.test"])
def test_who_is_ours_or_listed_is_taken(shared, sender):
    node, sink = shared
    assert lab.Client(node.port).send(lab.message(), sender=sender, recipients=("friend@far.test",))[0] == 250
    assert sink.wait_new(b"friend@far.test") if hasattr(sink, "wait_new") else True


@pytest.mark.parametrize("sender, named", [("a@foreign.test", "foreign.test"), ("a@sub.partner.test", "sub.partner.test"),
                                           ("a@lists.test", "lists.test"), ("ours.test@foreign.test", "foreign.test"), ("a@[127.0.0.1]", "[127.0.0.1]")])
def test_others_are_refused(shared, sender, named):
    node, _ = shared
    code, text = mail(node.port, sender)
    lines = text.split("\n")
    assert code == 550 and lines[0] == f"550-5.7.1 sender refused: the domain {named} is not ours, and no mail of it is sent from here"
    assert lines[-1] == "550 5.7.1 Help: help@ours.test"
    assert mail(node.values["all"], sender)[0] == 250 and mail(node.values["outside"], sender)[0] == 250


def test_a_refused_sender_is_told_like_every_refusal(shared):
    node, _ = shared
    client = lab.Client(node.port)
    assert client.say("MAIL FROM:<told@foreign.example>")[0] == 550
    assert client.say("RCPT TO:<friend@far.test>")[0] == 503
    assert client.send(lab.message(), sender="a@ours.test", recipients=("friend@far.test",))[0] == 250  # the session goes on
    line = lab.wait_for(lambda: re.search(r"NOQUEUE: reject: MAIL from .*from=<told@foreign.example>.*", node.text()), "the log has it")[0]
    assert "550 5.7.1 sender refused: the domain foreign.example is not ours" in line and "to=<>" in line

    def traced():
        done = node.run("trace", "--from", "told@foreign.example", "--json", check=False)
        return done.returncode == 0 and [json.loads(row) for row in done.stdout.splitlines()]
    (row,) = lab.wait_for(traced, "the trace has it")
    assert "5.7.1 sender refused" in json.dumps(row) and "MAIL" in json.dumps(row)
    refused = json.loads(node.run("stats", "--direction", "out", "--by", "day", "--format", "json").stdout)
    assert "refused" in json.dumps(refused)
    node.balance()


def test_the_node_that_faces_the_client_decides_once(nodes, sinks):
    """The second node knows nothing of the partner, and is told that the first one has looked."""
    world = sinks()
    behind = nodes(HEAD + "listen 127.0.0.1:{port} {{ direction out; xclient 127.0.0.1 }}\n"
                   "domains {{ ours.test 127.0.0.1:9; * 127.0.0.1:{world} }}\n", world=world.port)
    front = nodes("role edge\nlisten 127.0.0.1:{port} {{ direction out; relay through; senders partner.test }}\n"
                  "domains {{ ours.test 127.0.0.1:9; * 127.0.0.1:{behind} }}\n", behind=behind.port)
    for sender in ("a@ours.test", "a@partner.test"):
        assert lab.Client(front.port).send(lab.message(), sender=sender, recipients=("friend@far.test",))[0] == 250
    assert mail(front.port, "a@foreign.test")[0] == 550
    world.wait(2)
    assert "NOQUEUE" not in behind.text()
    assert mail(behind.port, "a@partner.test")[0] == 550  # who says it himself is looked at
    client = lab.Client(behind.port)
    client.say("XCLIENT ADDR=192.0.2.7 PROTO=ESMTP HELO=printer")  # of something else in front, which has not looked
    assert client.say("MAIL FROM:<a@partner.test>")[0] == 550
    for node in (front, behind):
        node.balance()


# --- over which family ---

OURS, FAR, OTHER = "2001:db8::1", "2001:db8:1::25", "2001:db8:2::25"
V6 = HEAD + """
listen 127.0.0.1:{port} {{ direction out }}
dns {{ servers {dns}; timeout 1s; dnssec off; client names off }}
deliver {{ port {sink}; source6 {source6}; {ipv6} }}
domains {{ ours.test 127.0.0.1:9 }}
"""
ZONE = f"""
both.test         MX   10 mx.both.test
mx.both.test      A    127.0.0.1
mx.both.test      AAAA {FAR}
six.test          MX   10 mx.six.test
mx.six.test       AAAA {FAR}
out.ours.test     AAAA {OURS}
liar.ours.test    AAAA {OTHER}
far.test          AAAA {FAR}
"""


@pytest.fixture(scope="module")
def addresses():
    """On the loopback of this network, which is the tests' own."""
    if why := network.possible():
        pytest.skip(why)
    made = []
    for address in (OURS, FAR, OTHER):
        if subprocess.run(["ip", "addr", "add", f"{address}/128", "dev", "lo", "nodad"], check=False, capture_output=True).returncode == 0:
            made.append(address)
    yield made
    for address in made:
        subprocess.run(["ip", "addr", "del", f"{address}/128", "dev", "lo"], check=True)
