"""Goal: who is a recipient, in whatever form the address comes: long, quoted, with a folder, given twice, or with a way to
somewhere else in it."""
import pytest

import lab
from shared_servers import inside, node

HEAD = "virus {{ mode off }}\nspam {{ mode off }}\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipients")
    table = folder / "users"
    table.write_text('suzuki@table.test\n"a b"@table.test\n"ito"@table.test\n' + "x" * 300 + "@table.test\nsuzuki@minus.test\n")
    with lab.standing(folder, HEAD + """
            listen 127.0.0.1:{port} {{ direction in }}
            listen 127.0.0.1:{out} {{ direction out }}
            domains {{
                example.test 127.0.0.1:{inside}
                routes.test 127.0.0.1:{inside} {{ recipients routed on }}
                table.test 127.0.0.1:{inside} {{ recipients table {table} }}
                minus.test 127.0.0.1:{inside} {{ recipients table {table}; recipients delimiter "-" }}
            }}
            """, table=table, out=lab.free_port()) as (node, sink):
        yield node, sink


@pytest.mark.parametrize("recipient", [
    "u%evil.example@example.test", "evil.example!u@example.test", '"u@evil.example"@example.test', '"u%evil.example"@example.test',
    '"evil.example!u"@example.test', "@a.example,@b.example:u@example.test", "@evil.example:u@table.test", "suzuki%evil.example@table.test"])
def test_a_way_to_somewhere_else_is_refused(node, recipient):
    code, text = lab.Client(node.port).open(recipients=(recipient,))[1]
    assert code == 550 and "5.7.1" in text, text


@pytest.mark.parametrize("recipient", ["u%far.example@example.test", '"u@far.example"@example.test', "far.example!u@example.test"])
def test_a_way_to_somewhere_else_is_taken_from_inside_and_where_it_is_allowed(node, inside, recipient):
    assert lab.Client(node.values["out"]).send(lab.message("from inside"), sender="user@example.test", recipients=(recipient,))[0] == 250
    allowed = recipient.replace("@example.test", "@routes.test")
    assert lab.Client(node.port).send(lab.message("allowed"), recipients=(allowed,))[0] == 250
    to = b"".join(inside.wait(2))
    assert recipient.encode() in to and allowed.encode() in to


def test_a_recipient_given_again_gets_it_once(node, inside):
    client = lab.Client(node.port)
    again = ("user@example.test", "user@EXAMPLE.test", '"user"@example.test', '"us\\er"@example.test', "other@example.test", "user@example.test")
    assert [code for code, _ in client.open(recipients=again)] == [250] * 7
    assert client.data(lab.message("once"))[0] == 250
    inside.wait(1)
    node.balance()
    arrived = inside.messages()
    assert len(arrived) == 1 and arrived[0].count(b"Delivered-To") == 2, arrived[0][:1000]


@pytest.mark.parametrize("length", [65, 300, 1200])
def test_long_addresses_travel_whole(node, inside, length):
    sender, recipient = "s" * length + "@outside.example", "r" * length + "@example.test"
    code, text = lab.Client(node.port).send(lab.message("long"), sender=sender, recipients=(recipient,))
    assert code == 250, text
    arrived = inside.wait(1)[0]
    assert recipient.encode() in arrived and sender.encode() in arrived
    header = arrived[arrived.index(b"Received:"):arrived.index(b"\r\n\r\n")]
    assert max(map(len, header.split(b"\r\n"))) <= 998
    node.balance()
    lab.wait_for(lambda: recipient in node.run("trace", "--json", "--address", recipient, check=False).stdout, "the ledger has the whole address")


def test_long_parameters(node, inside):
    original, mark = "rfc822;" + "o" * 800 + "@other.example", "e" * 400
    code, text = lab.Client(node.port).send(lab.message("dsn"), mail=f"RET=HDRS ENVID={mark}", rcpt=f"NOTIFY=FAILURE ORCPT={original}")
    assert code == 250, text
    arrived = inside.wait(1)[0].decode()
    assert mark in arrived and original.partition(";")[2] in arrived
    node.balance()


@pytest.mark.parametrize("recipient, code", [
    ("suzuki@table.test", 250), ('"suzuki"@table.test', 250), ("SUZUKI@table.test", 250), ("suzuki+lists@table.test", 250),
    ('"suzuki+my lists"@table.test', 250), ('"a b"@table.test', 250), ('"a\\ b"@table.test', 250), ("ito@table.test", 250),
    ("x" * 300 + "@table.test", 250), ("stranger@table.test", 550), ("stranger+suzuki@table.test", 550), ('"a  b"@table.test', 550),
    ("suzuki-lists@table.test", 550), ("suzuki-lists@minus.test", 250), ("suzuki+lists@minus.test", 550)])
def test_tables(node, recipient, code):
    replies = lab.Client(node.port).open(recipients=(recipient,))
    assert replies[1][0] == code, replies
