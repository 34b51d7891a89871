"""Goal: an edge hands messages through to a wall while the client waits, so that whatever the wall says is what the client
hears; it stores nothing, and it stores everything as soon as no wall can be connected to."""
import json
import re
import socket
import threading

import lab
import pytest

WALL = """role wall
hostname wall.example.test
listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}
domains {{ example.test 127.0.0.1:{inside} {{ recipients call-out }} }}
spam {{ quarantine above never; reject above never }}
"""
EDGE = """role edge
hostname edge.example.test
listen 127.0.0.1:{port} {{ direction in }}
domains {{ example.test {walls} {{ recipients call-out; balance on }} }}
queue {{ retry first 1s; retry most 2s }}
"""


def at(*ports):
    return " ".join(f"127.0.0.1:{port}" for port in ports)


@pytest.fixture
def wall(nodes, inside):
    return nodes(WALL, inside=inside.port)


@pytest.fixture
def edge(nodes, wall):
    return nodes(EDGE, walls=at(wall.port))


def numbers(sink):
    """Of the messages of a load that have arrived."""
    return [int(re.search(rb"X-Load: (\d+)", one)[1]) for one in sink.messages()]


def counter(node, process, name):
    values = [one["values"] for one in node.status()["processes"] if one["name"] == process]
    return sum(int(one.get(name, 0)) for one in values)


def test_the_walls_reply_is_the_clients(edge, wall, inside):
    client = lab.Client(edge.port, source="127.0.0.7", hello="EHLO far.example")
    code, text = client.send(lab.message("through"))
    assert code == 250
    message = inside.wait(1)[0]
    assert re.search(r"kept as (\w+)", text)[1].encode() in message  # the id is the wall's, which has it
    assert message.count(b"X-Sekimori-Id:") == 1
    assert message.count(b"Received: ") == 2
    lab.wait_for(lambda: "client=unknown[127.0.0.7], helo=<far.example>, proto=ESMTP" in wall.text(), "the wall logs it")
    lab.wait_for(lambda: "status=sent (kept as" in edge.text() and f"]:{wall.port}, " in edge.text(), "the edge logs it")
    assert counter(edge, "receive", "messages relayed through") == 1
    assert counter(edge, "queue", "commits") == 0  # not one write to the disk
    lines = {line["name"]: line for line in edge.balance()["lines"]}
    assert (lines["relayed"]["receive"], lines["relayed"]["ledger"], lines["accepted"]["ledger"]) == (0, 0, 0)
    wall.balance()


def test_what_is_refused_is_refused_on_the_line(edge, wall, inside):
    client = lab.Client(edge.port)
    code, text = client.send(lab.message("virus", lab.eicar() + "\n"))
    assert code == 550 and "virus found" in text
    assert client.send(lab.message("after it"))[0] == 250
    assert client.send(lab.message("junk", lab.gtube() + "\n"))[0] == 250
    assert [b"[SPAM] junk" in one for one in inside.wait(2)].count(True) == 1
    assert counter(edge, "queue", "commits") == 0
    wall.balance()


def test_recipients_are_asked_for_at_the_wall(nodes, sinks):
    inside = sinks()
    users = lab.pathlib.Path(inside.maildir).parent / "users"
    users.write_text("user\n")
    wall = nodes(WALL.replace("recipients call-out", f"recipients table {users}"), inside=inside.port)
    edge = nodes(EDGE, walls=at(wall.port))
    client = lab.Client(edge.port)
    replies = client.open(recipients=["user@example.test", "nobody@example.test"])
    assert [code for code, _ in replies] == [250, 250, 550]
    assert "no such user" in replies[2][1]
    assert client.data(lab.message())[0] == 250
    users.write_text("user\nlate\n")
    wall.run("reload")
    assert client.open(recipients=["late@example.test"])[1][0] == 250
    client.say("RSET")
    # One that was known and is no longer: the wall refuses it in the transaction, nobody gets the message, and the
    # client is told at RCPT when it tries again.
    users.write_text("user\n")
    wall.run("reload")
    code, text = client.send(lab.message("two"), recipients=["user@example.test", "late@example.test"])
    assert code == 451, text
    assert [one[0] for one in client.open(recipients=["user@example.test", "late@example.test"])] == [250, 250, 550]
    assert client.data(lab.message("two"))[0] == 250
    assert len(inside.wait(2)) == 2


@pytest.mark.parametrize("content", ["dots", "large", "in a file", "no end of line"])
def test_every_octet_goes_through(nodes, wall, inside, content):
    edge = nodes(EDGE + "limits {{ bodies in frame 4K; bodies in memory 256K }}\n", walls=at(wall.port))
    body = {"dots": b".\r\n..\r\n.a\r\n", "large": b"x" * 70 + b"\r\n", "in a file": b"y" * 70 + b"\r\n",
            "no end of line": b"the end"}[content]
    body *= {"large": 2000, "in a file": 20000}.get(content, 1)
    head = lab.message("octets", "").replace("\n", "\r\n").encode()
    client = lab.Client(edge.port)
    client.open()
    client.raw(b"BDAT %d LAST\r\n" % len(head + body) + head + body)
    assert client.reply()[0] == 250
    arrived = inside.wait(1)[0].replace(b"\r\n", b"\n")
    assert arrived.endswith(body.replace(b"\r\n", b"\n").rstrip(b"\n") + (b"\n" if arrived.endswith(b"\n") else b""))
    assert counter(edge, "queue", "commits") == 0


def test_without_a_wall_the_journal_keeps_it(nodes, inside):
    port = lab.free_port()
    edge = nodes(EDGE, walls=at(port))
    client = lab.Client(edge.port, source="127.0.0.8")
    assert client.send(lab.message("later"))[0] == 250
    lab.wait_for(lambda: "no next server can be connected to" in edge.text(), "the edge logs it")
    wall = nodes(WALL, inside=inside.port, port=port)
    inside.wait(1)
    assert "client=unknown[127.0.0.8]" in wall.text()  # the wall judges the true client even so
    lab.wait_for(edge.queue_is_empty, "the edge's queue is empty")
    edge.balance()
    wall.balance()
    lab.wait_for(lambda: client.send(lab.message("through again"))[0] == 250 and
                 counter(edge, "receive", "messages relayed through") > 0, "mail goes through again")


def test_parts_of_a_message_are_not_taken_for_each_other(nodes, inside):
    """What the journal kept goes domain by domain, at the same moment, and each part bears the message's name."""
    port, names = lab.free_port(), ("example.test", "other.test", "third.test")

    def to_all(config, way):
        return re.sub(r"domains \{\{.*", "domains {{ " + "; ".join(f"{name} {way}" for name in names) + " }}", config)

    edge = nodes(to_all(EDGE, "{walls} {{ balance on }}"), walls=at(port))
    client = lab.Client(edge.port)
    for _ in range(5):
        assert client.send(lab.message("to all"), recipients=[f"user@{name}" for name in names])[0] == 250
    wall = nodes(to_all(WALL, "127.0.0.1:{inside}"), inside=inside.port, port=port)
    for node in (edge, wall):
        lab.wait_for(node.queue_is_empty, "the queue is empty")
    got = re.findall(r"to=<user@(\S+)>.*status=sent", wall.text())
    assert sorted(got) == sorted(names * 5)
    edge.balance()
    wall.balance()


def test_what_turns_out_bad_later_is_held(nodes, inside):
    """A virus taken while no wall was there: its sender, who may be forged, is not told."""
    port = lab.free_port()
    edge = nodes(EDGE, walls=at(port))
    assert lab.Client(edge.port).send(lab.message("virus", lab.eicar() + "\n"))[0] == 250
    nodes(WALL, inside=inside.port, port=port)
    lab.wait_for(lambda: "undeliverable" in edge.run("queue", "list").stdout, "it is held")
    assert [json.loads(line)["sender"] for line in edge.run("queue", "list", "--json").stdout.splitlines()] == \
        ["sender@outside.example"]  # no notice on its way
    assert inside.files() == []
    edge.balance()


def test_recipients_are_remembered_while_no_wall_is_there(nodes, inside):
    users = inside.maildir.parent / "users"
    users.write_text("user\n")
    wall = nodes(WALL.replace("recipients call-out", f"recipients table {users}"), inside=inside.port)
    edge = nodes(EDGE, walls=at(wall.port))
    client = lab.Client(edge.port)
    assert [one[0] for one in client.open(recipients=["user@example.test", "nobody@example.test"])] == [250, 250, 550]
    client.say("RSET")
    wall.stop()
    edge.run("reload")  # answers are asked for anew; that one cannot be given
    replies = client.open(recipients=["user@example.test", "nobody@example.test", "new@example.test"])
    assert [one[0] for one in replies] == [250, 250, 550, 250]


def test_two_walls_share_the_load_and_one_may_die(nodes, inside):
    walls = [nodes(WALL, inside=inside.port) for _ in range(2)]
    edge = nodes(EDGE, walls=at(*[one.port for one in walls]))
    load = lab.Load(edge.port, 100 if lab.QUICK else 400, connections=10)
    load.start()
    lab.wait_for(lambda: len(load.acknowledged) > load.count // 4, "a quarter has gone through", 60)
    walls[0].kill()
    load.join(120)
    assert len(load.acknowledged) == load.count
    walls[0].start()
    lab.wait_for(lambda: set(numbers(inside)) == load.acknowledged, "every message arrives", 60)
    doubles = len(numbers(inside)) - load.count
    # What was under way when the wall died: from the edge, and from that wall to the inside server.
    assert doubles <= load.connections + 20
    shares = [one.text().count("proto=ESMTP") for one in walls]
    assert min(shares) > load.count / 40, shares
    for node in (edge, *walls):
        node.balance()


class CutReply(threading.Thread):
    """A proxy before the wall that loses the reply to the first message, and the connection with it; or keeps it back until
    it is let go."""

    def __init__(self, port, let_go=None):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.to, self.has_cut, self.let_go = self.listener.getsockname()[1], port, False, let_go
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, sink, is_server):
        try:
            while data := source.recv(65536):
                if is_server and not self.has_cut and b"kept as" in data:
                    self.has_cut = True
                    if not self.let_go:
                        break
                    self.let_go.wait(60)
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_a_reply_that_was_lost_makes_no_double(nodes, wall, inside):
    proxy = CutReply(wall.port)
    edge = nodes(EDGE, walls=at(proxy.port))
    message = lab.message("once")
    client = lab.Client(edge.port)
    code, text = client.send(message)
    assert code == 451, text
    inside.wait(1)
    code, text = client.send(message)
    assert code == 250 and "came before and was kept as" in wall.text()
    assert re.search(r"kept as (\w+)", text)[1].encode() in inside.messages()[0]
    code, text = client.send(message)  # the reply was heard: the same again is meant
    assert code == 250
    inside.wait(2)
    wall.balance()
    edge.balance()


def test_who_hangs_up_before_the_reply_and_comes_again_makes_no_double(nodes, wall, inside):
    """The wall's reply reaches the edge, but nobody is there to hear it: the wall is not to believe that it was heard."""
    let_go = threading.Event()
    proxy = CutReply(wall.port, let_go)
    edge = nodes(EDGE, walls=at(proxy.port))
    message = lab.message("once")
    client = lab.Client(edge.port)
    client.open()
    client.say("DATA")
    client.raw(message.replace("\n", "\r\n").encode() + b".\r\n")
    inside.wait(1)
    client.close()
    lab.wait_for(lambda: "half-closed connection from" in edge.text(), "the edge notices")
    let_go.set()
    lab.wait_for(lambda: counter(wall, "receive", "sessions") == 0, "the edge leaves without a word")
    code, text = lab.Client(edge.port).send(message)
    assert code == 250 and "came before and was kept as" in wall.text()
    assert len(inside.files()) == 1
    wall.balance()


class CutContent(CutReply):
    """A proxy before a wall that breaks off in the middle of the content, at once or when it is let go."""

    def pump(self, source, sink, is_server):
        passed = 0
        try:
            while data := source.recv(4096):
                passed += len(data)
                if not is_server and passed > 20000:
                    self.has_cut = True
                    if self.let_go:
                        self.let_go.wait(60)
                    break
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_another_wall_takes_what_one_broke_off(nodes, wall, inside):
    proxy = CutContent(wall.port)
    other = nodes(WALL, inside=inside.port)
    edge = nodes(EDGE.replace("recipients call-out; ", ""), walls=at(proxy.port, other.port))
    code, text = lab.Client(edge.port).send(lab.message("moved", ("x" * 900 + "\n") * 20000))
    assert code == 250 and proxy.has_cut, text
    inside.wait(1)
    assert counter(edge, "deliver", "relays moved") == 1 and counter(edge, "queue", "commits") == 0
    assert counter(wall, "receive", "messages kept") == 0 and counter(other, "receive", "messages kept") == 1
    assert len(inside.files()) == 1


def test_what_nobody_waits_for_is_not_moved(nodes, wall, inside):
    """The client has gone and will come again: another wall is not to have the message as well."""
    let_go = threading.Event()
    proxy = CutContent(wall.port, let_go)
    other = nodes(WALL, inside=inside.port)
    edge = nodes(EDGE.replace("recipients call-out; ", ""), walls=at(proxy.port, other.port))
    client = lab.Client(edge.port)
    client.open()
    client.say("DATA")
    client.raw(lab.message("left", ("x" * 900 + "\n") * 20000).replace("\n", "\r\n").encode() + b".\r\n")
    lab.wait_for(lambda: proxy.has_cut, "the content is on its way")
    client.close()
    lab.wait_for(lambda: "half-closed connection from" in edge.text(), "the edge notices")
    let_go.set()
    lab.wait_for(lambda: counter(edge, "deliver", "relays now") == 0, "the relay has ended")
    assert counter(edge, "deliver", "relays moved") == 0 and counter(edge, "deliver", "relays refused") == 1
    assert counter(other, "receive", "messages kept") == 0


@pytest.mark.parametrize("greeting, code", [("421 4.3.2 too busy", 451), ("554 5.3.2 not now", 451)])
def test_a_wall_that_answers_is_a_wall(nodes, greeting, code):
    """Only a wall that accepts no connection is none: what another one says is passed on, and nothing is kept."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.sendall(greeting.encode() + b"\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        edge = nodes(EDGE, walls=at(listener.getsockname()[1]))
        reply = lab.Client(edge.port).send(lab.message())
        assert reply[0] == code, reply
        assert counter(edge, "queue", "commits") == 0


def test_a_full_disk_hinders_no_mail_that_goes_through(nodes, inside):
    port = lab.free_port()
    edge = nodes(EDGE.replace("retry most 2s", "retry most 2s; free 1000G"), walls=at(port))
    lab.wait_for(lambda: "the spool is full" in edge.text(), "the disk counts as full")
    assert lab.Client(edge.port).send(lab.message("to be kept"))[0] == 452
    nodes(WALL, inside=inside.port, port=port)
    lab.wait_for(lambda: lab.Client(edge.port).send(lab.message("through"))[0] == 250, "it goes through")
    assert b"Subject: through" in inside.wait(1)[0]
    edge.balance()


def test_what_is_known_of_client_and_envelope_goes_along(nodes, wall, inside, tmp_path):
    cert, key = lab.certificate(tmp_path, "edge.example.test")
    edge = nodes(EDGE.replace("direction in }}", f"direction in; tls certificate {cert}; tls key {key} }}}}"), walls=at(wall.port))
    client = lab.Client(edge.port)
    client.secure()
    replies = client.open(mail="RET=HDRS ENVID=mark+2B1", rcpt="NOTIFY=FAILURE ORCPT=rfc822;first@example.test")
    assert [one[0] for one in replies] == [250, 250]
    assert client.data(lab.message())[0] == 250
    message = inside.wait(1)[0]
    assert b"ret=HDRS" in message and b"envid=mark+1" in message
    assert re.search(r"speaks for unknown\[127\.0\.0\.1\] by TLSv1\.3 \S+ 256", wall.text())


def test_a_slow_client_holds_no_wall(edge, wall, inside):
    slow = lab.Client(edge.port)
    assert [one[0] for one in slow.open()] == [250, 250]
    assert slow.say("DATA")[0] == 354
    for line in lab.message("slow").splitlines():
        slow.raw(line.encode() + b"\r\n")
    messages = counter(wall, "receive", "messages kept")
    assert lab.Client(edge.port).send(lab.message("quick"))[0] == 250  # over the one connection there is
    assert counter(wall, "receive", "sessions") == 1 and counter(wall, "receive", "messages kept") == messages + 1
    slow.raw(b".\r\n")
    assert slow.reply()[0] == 250
    inside.wait(2)


@pytest.mark.parametrize("victim", ["deliver", "receive", "queue"])
def test_kill_any_process_of_the_edge_under_load(nodes, inside, victim):
    wall = nodes(WALL, inside=inside.port)
    edge = nodes(EDGE, walls=at(wall.port))
    load = lab.Load(edge.port, 60 if lab.QUICK else 200, connections=6)
    load.start()
    for part in (4, 2):
        lab.wait_for(lambda: len(load.acknowledged) > load.count // part, "some have gone through", 60)
        for pid in edge.pids(victim):
            lab.os.kill(pid, lab.signal.SIGKILL)
    load.join(120)
    assert len(load.acknowledged) == load.count
    lab.wait_for(lambda: set(numbers(inside)) == load.acknowledged, "every message arrives", 60)
    edge.balance()
    wall.balance()
