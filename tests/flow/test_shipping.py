# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what happens at two edges stands in the wall's ledger as it stands in their own, once, whatever is killed or cut on
the way; and there it tells the whole way of a message."""
import json
import sqlite3
import subprocess

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
    "sum": "SELECT day, hour, node, direction, kind, name, messages, recipients, bytes FROM sum WHERE domain = ''"
           " OR domain = 'example.test'",
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
            if table != "sum" else f"SELECT * FROM ({query}) WHERE node = ?", (number,)), key=repr) for table, query in TABLES.items()}


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
    assert values_of(wall, "courier")["nodes connected"] == "2" and values_of(edges[0], "courier")["link"] == "connected"
    lab.wait_for(lambda: values_of(edges[0], "ledger")["parcels to tell"] == "0", "nothing is left to tell")
