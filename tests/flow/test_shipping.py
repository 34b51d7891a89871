# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what happens at two edges stands in the wall's ledger as it stands in their own, once, whatever is killed or cut on
the way; and there it tells the whole way of a message."""
import contextlib
import json
import os
import re
import random
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import threading
import time

import pytest

import lab

WALL = """role wall
hostname wall.example.test
listen 127.0.0.1:{port} {{ direction in; tls node }}
node {{ certificate {there}/wall1.pem; key {there}/wall1.key; ca {there}/ca.pem; number 1 }}
domains {{ example.test 127.0.0.1:{inside} {{ recipients call-out }} }}
ledger {{ listen 127.0.0.1:{collector} }}
"""
EDGE = """role edge
hostname {name}.example.test
listen 127.0.0.1:{port} {{ direction in }}
node {{ certificate {there}/{name}.pem; key {there}/{name}.key; ca {there}/ca.pem; number {number} }}
domains {{ example.test 127.0.0.1:{wall} {{ recipients call-out; tls node }} }}
queue {{ retry first 1s; retry most 2s }}
ledger {{ send to 127.0.0.1:{to}; behind {behind} }}
"""
TABLES = {
    "message": "SELECT id, time, direction, client, helo, sender, size, own, node, class, score, virus, subject FROM message",
    "recipient": "SELECT message, number, address, accepted_ms, action, hold, ending, ended_ms, dsn, relay, reply FROM recipient",
    "step": "SELECT message, recipient, time, kind, hold, due, dsn, relay, reply FROM step",
    "refusal": "SELECT id, node, stage, code, message, number, client, helo, sender, recipient, reply, size, class FROM refusal",
    "hop": "SELECT message, next FROM hop",
    "sum_hour": "SELECT day, hour, node, direction, kind, name, messages, recipients, bytes FROM sum_hour"
                " WHERE domain = '' OR domain = 'example.test'",
    "sum_day": "SELECT day, node, direction, kind, name, messages, recipients, bytes FROM sum_day"
               " WHERE domain = '' OR domain = 'example.test'",
}
OF = {"message": "id", "recipient": "message", "step": "message", "refusal": "id", "hop": "message"}


def ca(*arguments):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "ca", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def there(tmp_path):
    folder = tmp_path / "ca"
    ca("init", "--dir", folder, "--name", "Example")
    for name in ("wall1", "edge1", "edge2"):
        ca("issue", name, "--dir", folder, "--ip", "127.0.0.1")
    return folder


@pytest.fixture
def wall(nodes, inside, there):
    return nodes(WALL, there=there, inside=inside.port, collector=lab.free_port())


def edge_of(nodes, wall, there, number, **values):
    values = {"to": wall.values["collector"], "name": f"edge{number - 1}", "behind": "30m", **values}
    return nodes(EDGE, wall=wall.port, there=there, number=number, **values)


def rows_of(node, number):
    """Everything the ledger of `node` has of the node with that number."""
    with sqlite3.connect(f"file:{node.state}/ledger/ledger.db?mode=ro", uri=True) as database:
        return {table: sorted(database.execute(
            f"{query} {'AND' if 'WHERE' in query else 'WHERE'} " + (f"({OF[table]} >> 8) & 255 = ?" if table in OF else "node = ?")
            if not table.startswith("sum") else f"SELECT * FROM ({query}) WHERE node = ?", (number,)), key=repr) for table, query in TABLES.items()}


def same(edge, wall, number):
    return rows_of(edge, number) == rows_of(wall, number)


def wait_same(edge, wall, number):
    try:
        lab.wait_for(lambda: same(edge, wall, number), "the wall's ledger has what the edge's has", 60)
    except AssertionError:
        mine, theirs = rows_of(edge, number), rows_of(wall, number)
        for table in TABLES:
            assert mine[table] == theirs[table], table
        raise


def values_of(node, process):
    return next(one["values"] for one in node.status()["processes"] if one["name"] == process)


def trace(node, *arguments):
    done = node.run("trace", "--json", *arguments, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)["hits"]


def test_the_wall_knows_all(nodes, wall, inside, there):
    edges = [edge_of(nodes, wall, there, number) for number in (2, 3)]
    for edge, client in zip(edges, ("127.0.0.7", "127.0.0.8")):
        session = lab.Client(edge.port, source=client, hello="EHLO far.example")
        assert session.send(lab.message("through"))[0] == 250
        assert session.send(lab.message("virus", lab.eicar() + "\n"))[0] == 550
        assert [code for code, _ in session.open(recipients=["user@elsewhere.test"])][-1] in (550, 554)
        session.close()
    inside.wait(2)
    for edge, number in zip(edges, (2, 3)):
        lab.wait_for(lambda: len(rows_of(edge, number)["refusal"]) == 2, "the edge's own ledger has it")
        wait_same(edge, wall, number)
        rows = rows_of(wall, number)
        assert len(rows["message"]) == 1 and len(rows["hop"]) == 1 and len(rows["refusal"]) == 2
        edge.balance()
    wall.balance()
    hits = lab.wait_for(lambda: (lambda found: len(found) == 4 and found)(trace(wall, "--subject", "through") + trace(wall, "--status", "relayed")),
                        "four messages at the wall")
    relayed = next(hit for hit in hits if hit["node_name"] == "edge1")
    assert relayed["client"] == "127.0.0.7" and relayed["recipients"][0]["state"] == "relayed"
    assert "kept as " + relayed["went"][0]["id"] in relayed["recipients"][0]["reply"] and relayed["went"][0]["node_name"] == "wall1"
    way = trace(wall, relayed["went"][0]["id"])  # asked by the wall's id, the edge's comes along
    assert sorted(hit["node_name"] for hit in way) == ["edge1", "wall1"]
    text = wall.run("trace", relayed["id"]).stdout
    assert f"went on to wall1 as {relayed['went'][0]['id']}" in text and f"came through edge1 as {relayed['id']}" in text
    assert [hit["recipients"][0]["state"] for hit in trace(wall, "--status", "rejected") if hit["node_name"] == "edge2"] == ["rejected"] * 2
    done = wall.run("balance", "--nodes", "--json")
    table = json.loads(done.stdout)
    assert table["balanced"] and table["missing"] == 0
    assert [(one["name"], one["relayed"], one["accepted"]) for one in table["nodes"]] == [("wall1", 0, 2), ("edge1", 1, 0), ("edge2", 1, 0)]
    assert "edge2" in wall.run("balance", "--nodes").stdout
    (by_node,) = json.loads(wall.run("stats", "--by", "node", "--format", "json").stdout)
    assert [row["node"] for row in by_node["rows"]] == ["wall1", "edge1", "edge2", "Total"]
    with sqlite3.connect(wall.state / "ledger/ledger.db") as database:
        database.execute("update sum_day set node = 9 where node = 2")  # whose name it was never told
    (by_node,) = json.loads(wall.run("stats", "--by", "node", "--format", "json").stdout)
    assert [row["node"] for row in by_node["rows"]] == ["wall1", "edge2", "9", "Total"]
    assert values_of(wall, "courier")["nodes connected"] == 2 and values_of(edges[0], "courier")["link"] == "connected"
    lab.wait_for(lambda: values_of(edges[0], "ledger")["parcels to tell"] == 0, "nothing is left to tell")


MESSAGES = 150 if lab.QUICK else 600
KILLS = 2 if lab.QUICK else 8


def kill_one(node, name, chance):
    pid = chance.choice(lab.wait_for(lambda: node.status()["ready"] and node.pids(name), f"{name} runs", 40))
    time.sleep(chance.uniform(0, 0.3))
    os.kill(pid, signal.SIGKILL)


def restart(node, chance):
    time.sleep(chance.uniform(0.1, 0.4))
    node.kill()
    node.start()


KILLED = {
    "the edge's courier": lambda edge, wall, chance: kill_one(edge, "courier", chance),
    "the edge's ledger": lambda edge, wall, chance: kill_one(edge, "ledger", chance),
    "the wall's courier": lambda edge, wall, chance: kill_one(wall, "courier", chance),
    "the wall's ledger": lambda edge, wall, chance: kill_one(wall, "ledger", chance),
    "all of the edge": lambda edge, wall, chance: restart(edge, chance),
    "all of the wall": lambda edge, wall, chance: restart(wall, chance),
}


@pytest.mark.parametrize("who", KILLED)
def test_killed_at_any_moment(nodes, wall, inside, there, who):
    edge, chance = edge_of(nodes, wall, there, 2), random.Random(who)
    load = lab.Load(edge.port, MESSAGES, connections=4, until_enough=True)
    load.start()
    for _ in range(KILLS):
        KILLED[who](edge, wall, chance)
    load.enough()
    load.join(240)
    assert not load.is_alive() and len(load.acknowledged) == load.count
    lab.wait_for(lambda: edge.queue_is_empty() and wall.queue_is_empty(), "the queues are empty", 60)
    edge.balance()
    wall.balance()
    assert len(rows_of(edge, 2)["message"]) >= load.count
    wait_same(edge, wall, 2)
    lab.wait_for(lambda: wall.told("balance", "--nodes", check=False)["balanced"], "the nodes agree")


class Cut:
    """A link that breaks after a few thousand bytes, again and again, in the middle of what it carries."""

    def __init__(self, to, chance):
        self.to, self.chance, self.cuts, self.is_whole = to, chance, 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            try:
                there = socket.create_connection(("127.0.0.1", self.to), 10)
            except OSError:
                here.close()
                continue
            left = [self.chance.randrange(1000, 12000)]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self.carry, args=(*pair, left), daemon=True).start()

    def carry(self, source, target, left):
        try:
            while data := source.recv(700):
                left[0] -= len(data)
                if left[0] < 0 and not self.is_whole:
                    self.cuts += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


def test_cut_in_the_middle(nodes, wall, inside, there):
    cut = Cut(wall.values["collector"], random.Random("cut"))
    edge = edge_of(nodes, wall, there, 2, to=cut.port)
    load = lab.Load(edge.port, MESSAGES, connections=4)
    load.start()
    load.join(120)
    lab.wait_for(lambda: cut.cuts >= 2 * 3, "three cuts", 60)
    cut.is_whole = True
    wait_same(edge, wall, 2)
    assert len(rows_of(wall, 2)["message"]) == MESSAGES
    cut.listener.close()


def test_kept_while_the_collector_is_away(nodes, inside, there):
    wall = nodes(WALL, start=False, there=there, inside=inside.port, collector=lab.free_port())
    edge = edge_of(nodes, wall, there, 2, behind="1s")
    for number in range(3):
        assert lab.Client(edge.port).send(lab.message(f"early {number}"))[0] in (250, 450)
    lab.wait_for(lambda: "ALARM: events have waited for the collecting node for" in edge.text(), "the alarm", 60)
    lab.wait_for(lambda: "ALARM: Alarm: Collecting node: events have waited " in edge.text(), "the alarm by mail and hook", 60)
    told = values_of(edge, "ledger")
    assert told["parcels to tell"] > 0 and told["seconds behind"] >= 1 and values_of(edge, "courier")["link"] != "connected"
    edge.kill()
    edge.start()
    wall.start()
    lab.wait_for(edge.queue_is_empty, "the queue is empty", 60)
    lab.wait_for(lambda: rows_of(edge, 2)["refusal"] or rows_of(edge, 2)["message"], "the edge's own ledger has it")
    wait_same(edge, wall, 2)
    lab.wait_for(lambda: values_of(edge, "ledger")["parcels to tell"] == 0, "nothing is left to tell", 30)
    lab.wait_for(lambda: "events go to the ledger of wall1" in edge.text(), "the edge says so")


def test_a_node_that_is_silent_is_an_alarm(nodes, wall, inside, there, tmp_path):
    edge = edge_of(nodes, wall, there, 2)
    assert lab.Client(edge.port).send(lab.message())[0] == 250
    wait_same(edge, wall, 2)
    ledger, heard = wall.state / "ledger/ledger.db", "FROM mark WHERE name = 'node 2 heard'"

    def last_heard():
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as database:
            return next((row[0] for row in database.execute(f"SELECT value {heard}")), 0)

    lab.wait_for(last_heard, "the wall knows that it is there")
    edge.stop()

    def is_alarmed():
        """As if it were an hour ago: set again, each, where the last of the edge's words came only now."""
        fresh = time.time() * 1000 - 1800000
        with sqlite3.connect(ledger, timeout=30) as database:
            database.execute("UPDATE node SET told_ms = told_ms - 3600000 WHERE number = 2 AND told_ms > ?", (fresh,))
            database.execute("UPDATE mark SET value = value - 3600000 WHERE name = 'node 2 heard' AND value > ?", (fresh,))
        return re.search(r"ALARM: Alarm: Other nodes: 1 not heard of; edge1 for 6\d minutes", wall.text())

    lab.wait_for(is_alarmed, "the alarm", 60)
    edge.start()

    def is_well():
        wall.run("report", "--language", "en", "--to", tmp_path / "r.txt")
        return "Other nodes: all are heard of" in (tmp_path / "r.txt").read_text()

    lab.wait_for(is_well, "it is heard of again, though nothing happens there", 60)


def test_told_to_stop_and_left_by_ledger_at_once(nodes, wall, there):
    """Both are ready when courier looks again: it must end in order, and not speak of a ledger to what is gone."""
    edge = edge_of(nodes, wall, there, 2)
    (courier,), (ledger,) = edge.pids("courier"), edge.pids("ledger")
    os.kill(courier, signal.SIGSTOP)
    try:
        edge.process.send_signal(signal.SIGTERM)
        lab.wait_for(lambda: not os.path.exists(f"/proc/{ledger}"), "ledger has stopped")
    finally:
        os.kill(courier, signal.SIGCONT)
    edge.process.wait(30)
    assert "courier 0 (pid" not in edge.text(), "it was not killed by anything"


def test_reload_moves_the_link(nodes, wall, inside, there):
    edge, other = edge_of(nodes, wall, there, 2), lab.free_port()
    session = lab.Client(edge.port)
    assert session.send(lab.message("before"))[0] == 250
    lab.wait_for(lambda: len(rows_of(wall, 2)["message"]) == 1, "the first is told")
    for node in (wall, edge):
        node.config.write_text(node.config.read_text().replace(f":{wall.values['collector']}", f":{other}"))
        node.run("reload")
    assert session.send(lab.message("after"))[0] == 250
    lab.wait_for(lambda: len(rows_of(wall, 2)["message"]) == 2, "the second is told at the new address")
    wait_same(edge, wall, 2)
    wall.config.write_text(wall.config.read_text().replace("number 1", "number 4"))
    done = wall.run("reload", check=False)
    assert done.returncode != 0 and "node number: a change needs a restart" in done.stdout + done.stderr


def frame(kind, payload):
    return struct.pack("<IB", len(payload) + 1, kind) + payload


def text(data):
    return struct.pack("<I", len(data)) + data


def hello(number, series=77, version=1):
    return frame(1, text(b"SEKIMORI LEDGER") + struct.pack("<HHBQ", version, number, 1, series))


def parcel(number, *records):
    return frame(4, struct.pack("<QQ", number, 0) + text(b"".join(text(record) for record in records)))


class Teller:
    """A node that tells what it likes."""

    def __init__(self, wall, there, name=None):
        made = ssl.create_default_context(cafile=there / "ca.pem")
        made.check_hostname = False
        if name:
            made.load_cert_chain(there / f"{name}.pem", there / f"{name}.key")
        self.socket = made.wrap_socket(socket.create_connection(("127.0.0.1", wall.values["collector"]), 20))

    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def hear(self):
        length, kind = struct.unpack("<IB", self.take(5))
        return kind, self.take(length - 1)

    def say(self, data):
        self.socket.sendall(data)
        return self.hear()


def ended(message_id, recipient=0, at=1_700_000_000_000):
    return struct.pack("<BQQIB", 3, message_id, at, recipient, 1) + text(b"2.0.0") + text(b"far") + text(b"250 fine")


def id_of(node, counter=0, at=1_700_000_000_000):
    return at << 22 | node << 8 | counter


STORED, WELCOME, REFUSED = 5, 2, 3


def test_who_may_tell(nodes, wall, there):
    ca("issue", "edge3", "--dir", there, "--ip", "127.0.0.1")
    kind, reason = Teller(wall, there).say(hello(9))
    assert kind == REFUSED and b"certificate of the nodes' authority is needed" in reason
    kind, reason = Teller(wall, there, "edge1").say(hello(9, version=3))
    assert kind == REFUSED and b"version 3 is not spoken here, only 1 to 2" in reason
    kind, reason = Teller(wall, there, "edge1").say(hello(1))
    assert kind == REFUSED and b"that of the collecting node" in reason
    first = Teller(wall, there, "edge1")
    assert first.say(hello(9))[0] == WELCOME
    kind, reason = Teller(wall, there, "edge3").say(hello(9))
    assert kind == REFUSED and b"that of another node" in reason
    assert first.say(parcel(1, ended(id_of(9))))[0] == STORED  # a refused one has not disturbed it
    lab.wait_for(lambda: "events refused from edge3[127.0.0.1]" in wall.text(), "the wall's log names who was refused")


def test_what_another_node_lost_is_missing_here_too(wall, there):
    node, now = Teller(wall, there, "edge1"), int(time.time() * 1000)
    assert node.say(hello(9))[0] == WELCOME
    record = struct.pack("<BQI", 8, now, 4)
    for _ in range(2):  # a parcel that is told again counts once
        assert node.say(parcel(1, record))[0] == STORED
    assert node.say(parcel(2, ended(id_of(9), at=now), b"\x01nonsense"))[0] == STORED
    for words in (("--day", "today"), ("--nodes",)):
        done = wall.run("balance", *words, check=False)
        assert done.returncode == 2 and done.stdout.splitlines()[-2:] == ["5 events were lost on the way to the ledger", "INCOMPLETE"], done.stdout
    nodes_told = wall.told("balance", "--nodes", check=False)
    assert [one["lost"] for one in nodes_told["nodes"]] == [0, 5] and nodes_told["incomplete"]


def test_strangers_keep_no_node_out(wall, there):
    node = Teller(wall, there, "edge1")
    assert node.say(hello(9))[0] == WELCOME
    with contextlib.ExitStack() as strangers:
        for _ in range(310):  # more than there is room for
            strangers.enter_context(socket.create_connection(("127.0.0.1", wall.values["collector"]), 20))
        assert Teller(wall, there, "edge2").say(hello(3))[0] == WELCOME
        assert node.say(parcel(1, ended(id_of(9))))[0] == STORED
    assert values_of(wall, "courier")["nodes refused"] == 0


def test_what_may_be_told(wall, there):
    teller = Teller(wall, there, "edge1")
    assert teller.say(hello(9)) == (WELCOME, struct.pack("<HQ", 1, 0))
    foreign = [ended(id_of(1, 3)), ended(id_of(8)), b"", b"\xff" * 30, ended(id_of(9, 1))[:-2], struct.pack("<B", 2) + bytes(200)]
    for number, record in enumerate(foreign, 1):
        assert teller.say(parcel(number, record, ended(id_of(9, number)))) == (STORED, struct.pack("<Q", number))
    rows = rows_of(wall, 9)["recipient"]
    assert [row[0] for row in rows] == [id_of(9, number) for number in range(1, len(foreign) + 1)]
    assert not rows_of(wall, 1)["recipient"] and not rows_of(wall, 8)["recipient"]
    assert values_of(wall, "ledger")["of these left out"] == len(foreign)
    again = Teller(wall, there, "edge1")
    assert again.say(hello(9)) == (WELCOME, struct.pack("<HQ", 1, len(foreign)))
    assert again.say(parcel(1, ended(id_of(9, 50))))[0] == STORED  # told before: not looked at
    assert again.say(parcel(7, ended(id_of(9, 1), at=5)))[0] == STORED  # the first ending stays
    assert rows_of(wall, 9)["recipient"] == rows
    assert Teller(wall, there, "edge1").say(hello(9, series=78)) == (WELCOME, struct.pack("<HQ", 1, 0))
    wall.balance()  # what others tell is not among this node's sums


@pytest.mark.parametrize("nonsense", [b"GET / HTTP/1.0\r\n\r\n", struct.pack("<I", 1 << 30), struct.pack("<IB", 1, 99), hello(0),
                                      parcel(1, b"x"), frame(6, b"")], ids=["http", "length", "type", "number", "no hello", "alive"])
def test_nonsense_ends_the_connection(wall, there, nonsense):
    teller = Teller(wall, there, "edge1")
    kind, reason = teller.say(nonsense + bytes(64))
    assert kind == REFUSED and b"makes no sense" in reason
    with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
        teller.hear()
