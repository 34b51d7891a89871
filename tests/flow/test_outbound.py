# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: whose mail leaves, and from which address: a sender that is not ours is refused at MAIL by the node that faces its client, and told
like every refusal; mail to the world goes over IPv6 only where the reverse name of our address leads back to it."""
import contextlib
import json
import pathlib
import re
import socket
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
    lab.wait_for(lambda: any(f"<{sender}>".encode() in one for one in sink.messages()), "it arrives")


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
        return done.returncode == 0 and json.loads(done.stdout)
    (hit,) = lab.wait_for(traced, "the trace has it")["hits"]
    (one,) = hit["recipients"]
    assert (hit["sender"], hit["direction"], hit["accepted"]) == ("told@foreign.example", "out", False)
    assert (one["state"], one["stage"], one["code"], one["address"]) == ("rejected", "MAIL", 550, "")
    assert one["reply"].startswith("550 5.7.1 sender refused: the domain foreign.example is not ours")
    rows = json.loads(node.run("stats", "--by", "refusal", "--format", "json").stdout)[0]["rows"]
    assert any("5.7.1" in str(row) and "not allowed" in str(row) for row in rows), rows
    node.balance()


def test_a_session_outlives_the_configuration_it_began_under(shared):
    node, _ = shared
    client = lab.Client(node.port)
    for _ in range(3):
        node.run("reload")
    for sender, code in (("a@partner.test", 250), ("a@foreign.test", 550), ("a@x.lists.test", 250)) * 3:
        assert client.say(f"MAIL FROM:<{sender}>")[0] == code, sender
        client.say("RSET")


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

OURS, FAR, OTHER = [f"2001:db8::{number}" for number in range(1, 9)], "2001:db8:1::25", "2001:db8:2::25"
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
*.six.test        MX   10 mx.far.test
mx.far.test       AAAA {FAR}
out.ours.test     AAAA {OURS[0]}
two.ours.test     AAAA {OURS[1]}
late.ours.test    AAAA {OURS[7]}
silent.test       AAAA {OURS[5]}
liar.ours.test    AAAA {OTHER}
far.test          AAAA {FAR}
"""


class Six(lab.Sink):
    """A server of the world by IPv6, at the port of the one by IPv4."""

    def start(self):
        with open(f"{self.maildir}.six.log", "ab") as log:
            self.maildir = pathlib.Path(f"{self.maildir}.six")
            words = [lab.BUILD / "src/cli/sekimori", "sink", "--listen", f"[{FAR}]:{self.port}", "--maildir", self.maildir, *self.options]
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        lab.wait_for(self.is_up, "the sink listens")

    def is_up(self):
        assert self.process.poll() is None, "the sink ended"
        with contextlib.suppress(OSError):
            socket.create_connection((FAR, self.port), 1).close()
            return True
        return False


@pytest.fixture(scope="module")
def addresses():
    """On the loopback of this network, which is the tests' own."""
    if why := network.possible():
        pytest.skip(why)
    made = []
    for address in (*OURS, FAR, OTHER):
        if subprocess.run(["ip", "addr", "add", f"{address}/128", "dev", "lo", "nodad"], check=False, capture_output=True).returncode == 0:
            made.append(address)
    yield made
    for address in made:
        subprocess.run(["ip", "addr", "del", f"{address}/128", "dev", "lo"], check=True)


@pytest.fixture(scope="module")
def world(addresses, tmp_path_factory):
    """The sinks by IPv4 and by IPv6, and the DNS."""
    folder = tmp_path_factory.mktemp("world")
    four = lab.Sink(folder)
    six = Six(folder, port=four.port)
    with DnsServer(ZONE, ttl=1) as dns:
        yield four, six, dns
    four.stop()
    six.stop()


def one_to(node, recipient):
    code, text = lab.Client(node.port).send(lab.message(), sender="a@ours.test", recipients=(recipient,))
    assert code == 250
    return re.search(r"kept as (\w+)", text)[1]


def fate(node, message):
    """Where and how its first try ended."""
    line = lab.wait_for(lambda: re.search(rf"{message}: to=.*", node.text()), "a try")[0]
    return re.search(r"relay=(?:[\w.]+\[)?([\w.:]+)\]?.* dsn=([\d.]+), status=(\w+) \((.*)\)", line).groups(), line


def deliver(node):
    return next(one["values"] for one in node.status()["processes"] if one["name"] == "deliver")


@pytest.fixture(scope="module")
def reloaded(world, tmp_path_factory):
    """One node that goes on with another configuration."""
    node = lab.Node(tmp_path_factory.mktemp("reloaded"), V6, sink=world[0].port, dns=world[2].address, ipv6="", source6=OURS[0]).start()

    def reload(source6, ipv6=""):
        node.values.update(source6=source6, ipv6=ipv6)
        node.write(V6)
        node.text_begins()
        node.run("reload")
        return node
    yield reload
    node.kill()
    node.text_from = 0
    node.assert_sound()


def left_out(node):
    return int(deliver(node)["IPv6 servers left out"])


@pytest.mark.parametrize("number, names, why", [
    (1, ("out.ours.test",), None), (2, ("elsewhere.test", "two.ours.test"), None),  # one of its names is enough
    (3, ("liar.ours.test",), "4.7.25"), (4, ("nowhere.test",), "4.7.25"), (5, (), "4.7.25"), (6, ("silent.test",), "4.4.3")])
def test_ipv6_where_our_name_is_confirmed(reloaded, world, number, names, why):
    own = f"2001:db8::{number}"
    world[2].set_reverse(own, *names)
    world[2].misbehave("silent.test", "servfail")
    node = reloaded(own)
    before = left_out(node)
    both, six = one_to(node, "a@both.test"), one_to(node, f"a@at{number}.six.test")
    (relay, dsn, state, _), line = fate(node, both)
    assert (relay, dsn, state) == ("127.0.0.1" if why else FAR, "2.0.0", "sent"), line
    (relay, dsn, state, said), line = fate(node, six)
    if not why:
        assert (relay, dsn, state) == (FAR, "2.0.0", "sent"), line
        assert "IPv4 alone" not in node.text()
        assert deliver(node)["IPv6 source"] == f"{own} confirmed" and left_out(node) == before
    else:
        assert (dsn, state) == (why, "deferred") and "six.test can be reached over IPv6 alone, and" in said and own in said, line
        assert node.text().count("mail goes out over IPv4 alone: ") == 1
        assert deliver(node)["IPv6 source"].startswith(own) and "confirmed" not in deliver(node)["IPv6 source"].replace("not confirmed", "")
        assert left_out(node) >= before + 2


@pytest.mark.parametrize("ipv6, both, six_alone", [("ipv6 on", FAR, "sent"), ("ipv6 off", "127.0.0.1", "deferred")])
def test_who_knows_better_switches_it(reloaded, world, ipv6, both, six_alone):
    asked = len(world[2].questions)
    node = reloaded("2001:db8::7", ipv6)
    first, second = one_to(node, "a@both.test"), one_to(node, f"a@{ipv6[5:]}.six.test")
    assert fate(node, first)[0][0] == both
    (_, _, state, said), line = fate(node, second)
    assert state == six_alone and (state == "sent" or "switched off (deliver ipv6)" in said), line
    assert not [name for name, kind, _ in world[2].questions[asked:] if kind == "PTR"]


def test_the_kernels_choice_is_asked_about_and_used(reloaded, world):
    """To an address of this machine the kernel goes from that very address."""
    world[2].set_reverse(FAR, "far.test")
    node = reloaded("any")
    assert fate(node, one_to(node, "a@kernel.six.test"))[0][::2] == (FAR, "sent")
    assert deliver(node)["IPv6 source"] == f"{FAR} confirmed"


def test_mail_that_waits_goes_when_the_name_is_there(reloaded, world):
    node = reloaded("2001:db8::8")
    message = one_to(node, "friend@late.six.test")
    assert fate(node, message)[0][2] == "deferred"
    world[2].set_reverse("2001:db8::8", "late.ours.test")
    lab.wait_for(lambda: re.search(rf"{message}: to=.*status=sent", node.text()), "it goes", 20)
    assert any(b"friend@late.six.test" in one for one in world[1].messages())
    node.balance()
