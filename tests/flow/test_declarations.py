# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what is said on one node holds on all, once, whatever is cut or killed on the way; what ended stays ended; and a node that may
not say anything, or says what it may not, changes nothing."""
import json
import os
import signal
import struct
import threading

import pytest

import lab
from test_campaign import body as waves
from test_shipping import REFUSED, WELCOME, Teller, ca, frame, hello, text, values_of

NODE = """hostname {name}.example.test
listen 127.0.0.1:{port} {{ direction in }}
node {{ certificate {there}/{name}.pem; key {there}/{name}.key; ca {there}/ca.pem; number {number}; {trust} }}
domains {{ example.test 127.0.0.1:{inside} }}
dns {{ servers 127.0.0.1@{nowhere}; timeout 100ms; client names off }}
auth {{ mode observe }}
virus mode off
ledger {{ {link} }}
"""


@pytest.fixture
def there(tmp_path):
    folder = tmp_path / "ca"
    ca("init", "--dir", folder, "--name", "Example")
    for name in ("wall1", "wall2", "edge1"):
        ca("issue", name, "--dir", folder, "--ip", "127.0.0.1")
    return folder


@pytest.fixture
def make(nodes, inside, there):
    def made(name, number, link, trust="", **options):
        return nodes(NODE, name=name, number=number, link=link, trust=trust, there=there, inside=inside.port, nowhere=lab.free_port(),
                     **options)
    return made


@pytest.fixture
def wall1(make):
    collector = lab.free_port()
    return make("wall1", 1, f"listen 127.0.0.1:{collector}", "trust Wall2", collector=collector)


def wall2_of(make, wall1, **options):
    return make("wall2", 11, f"send to 127.0.0.1:{wall1.values['collector']}", **options)


def edge_of(make, wall1):
    return make("edge1", 2, f"send to 127.0.0.1:{wall1.values['collector']}")


def entries(node):
    return {one["number"]: one["what"] for verb in ("allow", "block") for one in map(json.loads, node.run(verb, "list", "--json").stdout.splitlines())}


def approved(node):
    return sorted((one["name"], one["for"]) for one in map(json.loads, node.run("newsletter", "list", "--json").stdout.splitlines()))


def wait_same(nodes, wanted, seconds=20):
    try:
        lab.wait_for(lambda: all(entries(node) == wanted for node in nodes), "the same entries everywhere", seconds)
    except AssertionError:
        assert [entries(node) for node in nodes] == [wanted] * len(nodes)
        raise


def add(node, *words):
    return int(node.run(*words).stdout.split()[1])


def send(node, sender):
    client = lab.Client(node.port)
    try:
        return client.send(lab.message("hello"), sender=sender)
    finally:
        client.close()


def kill(node, name):
    for pid in node.pids(name):
        os.kill(pid, signal.SIGKILL)
    lab.wait_for(lambda: node.status()["ready"] and node.pids(name), f"{name} runs again")


def test_said_once_holds_everywhere(make, wall1):
    wall2, edge = wall2_of(make, wall1), edge_of(make, wall1)
    everybody = (wall1, wall2, edge)
    lab.wait_for(lambda: values_of(wall1, "courier")["nodes connected"] == 2, "both are connected")
    assert values_of(wall2, "courier")["allow, block and approvals"] == "both ways"
    assert values_of(edge, "courier")["allow, block and approvals"] == "from the collector only"

    # Up from the wall that is trusted, down to the edge; the number says where; and it is in force.
    assert add(wall2, "block", "bad.test", "--note", "請求書 - of May") == 1011
    assert add(wall1, "allow", "good.test", "--to", "a@example.test") == 1001
    wait_same(everybody, {1001: "good.test", 1011: "bad.test"})
    (line,) = edge.run("block", "list").stdout.splitlines()
    assert line.startswith("1011 (node 11)  bad.test  for everybody") and line.endswith("請求書 - of May"), line
    for node in everybody:
        code, reply = send(node, "x@bad.test")
        assert code == 550 and "(entry 1011)" in reply, reply

    # An edge that nobody trusts says it for itself.
    assert add(edge, "block", "edge.test") == 1002
    # Ended elsewhere than said; said again it is another one.
    wall1.run("block", "remove", "1011")
    lab.wait_for(lambda: 1011 not in entries(wall2) and 1011 not in entries(edge), "it has ended everywhere")
    assert "1011: bad.test for everybody" in wall1.run("audit").stdout
    assert add(wall2, "block", "bad.test") == 2011
    wait_same((wall1, wall2), {1001: "good.test", 2011: "bad.test"})
    assert entries(edge) == {1001: "good.test", 1002: "edge.test", 2011: "bad.test"}

    # Newsletters go the same way; one that two approved is forgotten as one.
    wall2.run("newsletter", "approve", "news/list.test", "--for", "a@example.test")
    lab.wait_for(lambda: approved(edge) == [("news", "a@example.test")], "the approval is at the edge")
    wall1.run("newsletter", "forget", "news/list.test", "--for", "a@example.test")
    lab.wait_for(lambda: approved(edge) == approved(wall2) == [], "it is forgotten everywhere")

    # Apart: each says and ends; then both have both, and what ended on one side has ended.
    wall1.kill()
    assert add(wall2, "block", "apart.test") == 4011  # 3011 was the approval
    wall2.run("block", "remove", "2011")
    wall2.kill()
    wall1.start()
    assert add(wall1, "block", "2001:db8::/32", "--quarantine") == 2001
    assert add(wall1, "block", "short.test", "--for", "1s") == 3001
    wall2.start()
    wait_same((wall1, wall2), {1001: "good.test", 2001: "2001:db8::/32", 4011: "apart.test"})
    lab.wait_for(lambda: sorted(entries(edge)) == [1001, 1002, 2001, 4011], "the edge too")
    wall2.assert_sound()

    # Whoever dies in between.
    wanted = entries(wall1)
    for number, (name, node) in enumerate((("courier", wall1), ("ledger", wall1), ("courier", wall2), ("ledger", wall2)), 5):
        assert add(wall2, "block", f"killed{number}.test") == number * 1000 + 11
        wanted[number * 1000 + 11] = f"killed{number}.test"
        kill(node, name)
    wait_same((wall1, wall2), wanted, 60)
    lab.wait_for(lambda: entries(edge) == {**wanted, 1002: "edge.test"}, "the edge too", 60)
    assert values_of(wall1, "ledger")["said there and left out"] == 0

    # A wall that lost its folder's file gets its own back from the one that it trusts, and gives no number again.
    wall1.stop()
    for name in ("declarations", "entries"):
        (wall1.state / "ledger" / name).unlink()
    wall1.start()
    wait_same((wall1, wall2), wanted, 60)
    number = add(wall1, "block", "anew.test")
    assert number > 2001 and number % 1000 == 1
    wait_same((wall1, wall2), {**wanted, number: "anew.test"})


def campaigns(node):
    return {one["id"]: one for one in map(json.loads, node.run("campaign", "list", "--all", "--json").stdout.splitlines())}


def stopped(node):
    return {name: one["stopped_by"] for name, one in campaigns(node).items() if one["stopped_ms"]}


def verdict(node, body):
    before = node.text().count(": verdict: ")
    client = lab.Client(node.port)
    assert client.send(lab.message("wave", body))[0] == 250
    client.close()
    lab.wait_for(lambda: node.text().count(": verdict: ") > before, "the verdict is in the log")
    return [line for line in node.text().splitlines() if ": verdict: " in line][-1]


def test_a_stop_holds_everywhere(make, wall1):
    wall2 = wall2_of(make, wall1)
    first_body, other = waves("wave", 1), waves("other", 1)
    assert "CAMPAIGN" not in verdict(wall2, first_body) + verdict(wall2, other)
    lab.wait_for(lambda: len(campaigns(wall2)) == 2, "both are counted")
    (first, second) = campaigns(wall2)
    wall2.run("campaign", "stop", first)
    wall2.run("campaign", "stop", second)
    # On the other wall, which has never seen it.
    lab.wait_for(lambda: stopped(wall1) == {first: "administrator", second: "administrator"}, "they are stopped on both")
    assert f"campaign {first} is stopped, as " in wall1.text()
    assert "CAMPAIGN_STOPPED=15" in verdict(wall1, waves("wave", 2)) and "action=quarantine" in verdict(wall1, waves("other", 3))
    # No spam after all: said on the other one; over the death of all who know it.
    wall1.run("campaign", "forget", first)
    lab.wait_for(lambda: list(stopped(wall2)) == [second], "it is forgotten on both")
    for name in ("lookup", "ledger"):
        kill(wall1, name)
    wall2.stop()
    wall2.start()
    assert list(stopped(wall1)) == list(stopped(wall2)) == [second]
    # A wall that lost its table knows what holds.
    wall1.stop()
    (wall1.state / "run/campaigns").unlink()
    wall1.start()
    lab.wait_for(lambda: list(stopped(wall1)) == [second], "what holds is known again")
    # What ended while lookup was away has ended; stopped again it holds again.
    wall2.run("campaign", "forget", second)
    lab.wait_for(lambda: not stopped(wall1) and not stopped(wall2), "none is stopped")
    assert "CAMPAIGN" not in verdict(wall1, waves("wave", 4))
    (again,) = lab.wait_for(lambda: list(campaigns(wall1)), "it is counted again")
    wall1.run("campaign", "stop", again)
    lab.wait_for(lambda: list(stopped(wall1)) == list(stopped(wall2)) == [again], "it is stopped on both")
    # Taught as spam nothing ends, taught as ham all: a copy of it, on the other wall.
    mail = lab.message("wave", waves("wave", 5))
    for kind, wanted in (("spam", [again]), ("ham", [])):
        wall2.run("learn", kind, "-", stdin=mail)
        lab.wait_for(lambda: list(stopped(wall1)) == list(stopped(wall2)) == wanted, f"{wanted} after {kind}")
    lab.wait_for(lambda: f"campaign {again} is forgotten as ham by <" in wall2.text(), "the log says who")


MANY = 10_000


def test_many_at_first(make, wall1):
    wall2 = wall2_of(make, wall1, start=False)
    (wall2.state / "ledger").mkdir(parents=True)
    (wall2.state / "ledger/declarations").write_text("".join(
        f"say {serial}011 entry 0 1700000000000 root block 1 1700000000000 0 0 0 bad{serial}.test * root - \n" for serial in range(1, MANY + 1)))
    wall2.start()
    lab.wait_for(lambda: values_of(wall1, "ledger")["allow and block entries"] == MANY, "all are there", 30)
    assert values_of(wall1, "ledger")["said on other nodes"] == MANY
    assert len(entries(wall1)) == MANY and send(wall1, f"x@bad{MANY}.test")[0] == 550
    assert "ALARM" not in wall1.text() + wall2.text()


def say(turn, *lines):
    return frame(7, struct.pack("<Q", turn) + text("".join(f"{line}\n" for line in lines).encode()))


SAY, HEARD = 7, 8


class Peer(Teller):
    """A node that says what it likes."""

    def tell(self, turn, *lines):
        self.socket.sendall(say(turn, *lines))
        while True:
            kind, payload = self.hear()
            if kind != SAY:
                return kind, payload
            self.socket.sendall(frame(HEARD, payload[:8]))


def entry(number, what="bad.test", expires=0):
    return f"say {number} entry {expires} 7 root block 1 7 {expires} 0 0 {what} * root - "


def test_who_may_say_what(wall1, there):
    assert add(wall1, "block", "own.test") == 1001
    heard = lambda turn: (HEARD, struct.pack("<Q", turn))

    # Nobody has named it: it is heard out, and nothing comes of it.
    edge = Peer(wall1, there, "edge1")
    assert edge.say(hello(2, version=2)) == (WELCOME, struct.pack("<HQB", 2, 0, 0))
    assert edge.tell(1, entry(1002), entry(5001), "end 1001 entry 0 7 root 2 9 x") == heard(1)
    assert entries(wall1) == {1001: "own.test"} and "what edge1 says is left out: node trust does not name it" in wall1.text()

    # A trusted one says its own, not what others said, and no nonsense.
    wall2 = Peer(wall1, there, "wall2")
    assert wall2.say(hello(11, version=2)) == (WELCOME, struct.pack("<HQB", 2, 0, 1))
    bad = [entry(1002), "end 1011 entry 0 7 root 2 9 x", "nonsense", "", "x" * 5000, entry(999), entry("-5"), entry("9" * 30), entry(1300),
           entry(1011) + "\x1b[2J", "say 1011"]
    assert wall2.tell(1, *bad) == heard(1)
    assert entries(wall1) == {1001: "own.test"} and values_of(wall1, "ledger")["said there and left out"] == 1 + len(bad)
    # What cannot be an entry is kept and passed on, and not in force; as is a kind of a later version.
    odd = [entry(1011, "com"), entry(2011, "0.0.0.0/0"), "say 3011 later-kind 0 7 root {}", "say 4011 entry 0 7 root", entry(5011, "old.test", 8),
           entry(6011, "subject:/a/"), entry(7011, "good.test")]
    assert wall2.tell(2, *odd) == heard(2)
    assert entries(wall1) == {1001: "own.test", 7011: "good.test"}
    kept = (wall1.state / "ledger/declarations").read_text().splitlines()
    assert [line.split()[1] for line in kept if line.startswith("say")] == ["1001", "1011", "2011", "3011", "6011", "7011"]
    other = Peer(wall1, there, "edge1")
    assert other.say(hello(2, version=2))[0] == WELCOME
    kind, payload = other.hear()
    assert kind == SAY and b"say 3011 later-kind 0 7 root {}\n" in payload

    # Too many: bounded, and the wall's own are not touched.
    turn = 3
    for first in range(10, 14_000, 900):
        assert wall2.tell(turn, *(entry(f"{serial}011", f"b{serial}.test") for serial in range(first, first + 900))) == heard(turn)
        turn += 1
    assert values_of(wall1, "ledger")["allow and block entries"] == 10_000
    assert "ALARM: there is no room for " in wall1.text() and "what wall2 says is left out" in wall1.text()
    assert len((wall1.state / "ledger/declarations").read_text().splitlines()) == 12_002  # with "next" and its own
    assert entries(wall1)[1001] == "own.test"

    # A second word before the first is heard, or one that is no frame, ends the connection.
    wall2.socket.sendall(say(turn, entry(20011)) + say(turn + 1, entry(21011)))
    kinds = []
    while REFUSED not in kinds:
        kinds.append(wall2.hear()[0])
    # Version 1 is told of nothing of this.
    old = Peer(wall1, there, "wall2")
    assert old.say(hello(11)) == (WELCOME, struct.pack("<HQ", 1, 0))
    assert old.say(say(1, entry(22011)))[0] == REFUSED


class OldCollector:
    """A collector of version 1: refuses what is newer, welcomes the rest."""

    def __init__(self, there):
        import socket
        import ssl
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=there / "ca.pem")
        made.load_cert_chain(there / "wall1.pem", there / "wall1.key")
        made.verify_mode = ssl.CERT_REQUIRED
        self.listener, self.context, self.versions = socket.create_server(("127.0.0.1", 0)), made, []
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                one = self.context.wrap_socket(self.listener.accept()[0], server_side=True)
                version = struct.unpack_from("<H", one.recv(200), 4 + 1 + 4 + 15)[0]
            except OSError:
                return
            self.versions.append(version)
            self.open.append(one)
            if version == 1:
                one.sendall(frame(WELCOME, struct.pack("<HQ", 1, 0)))
            else:
                one.sendall(frame(REFUSED, text(b"version 2 is not spoken here, only 1")))


def test_an_older_collector(make, there):
    old = OldCollector(there)
    edge = make("edge1", 2, f"send to 127.0.0.1:{old.port}")
    lab.wait_for(lambda: values_of(edge, "courier")["link"] == "connected", "the edge is connected")
    assert old.versions == [2, 1] and "is older: it is told of events" in edge.text()
    assert add(edge, "block", "bad.test") == 1002 and send(edge, "x@bad.test")[0] == 550
    old.listener.close()
