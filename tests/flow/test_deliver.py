"""Goal: mail finds its server by route or DNS, over TLS as configured, in a form the server can take; and what cannot be
delivered says why."""
import json
import re
import socket
import threading
import time

import pytest

import dns_server
import lab

HEAD = "virus {{ mode off }}\nspam {{ mode off }}\nqueue {{ retry first 1s; retry most 2s }}\n"
OUT = "listen 127.0.0.1:{port} {{ direction out; senders any }}\ndns {{ servers {dns}; timeout 1s; dnssec off; client names off }}\n" + HEAD


def send(node, recipient="user@example.test", body="a line\n", mail="", sender="sender@outside.example", **fields):
    code, text = lab.Client(node.port).send(lab.message("to deliver", body, **fields), sender=sender, recipients=(recipient,),
                                            mail=mail)
    assert code == 250, text
    return re.search(r"kept as (\w+)", text).group(1)


def status(node, message_id, seconds=20):
    """The first line that queue logs about the recipient: (dsn, status, all of it)."""
    def line():
        return re.search(rf"{message_id}: to=.*dsn=([\d.]+), status=(\w+).*", node.text())
    found = lab.wait_for(line, f"a status of {message_id}", seconds)
    return found.group(1), found.group(2), found.group(0)


def test_the_next_server_takes_over(nodes, sinks):
    second = sinks()
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:1 127.0.0.1:{second} }}\n", second=second.port)
    assert status(node, send(node))[:2] == ("2.0.0", "sent")
    second.wait(1)
    node.balance()


def test_mx_in_order_and_failover(nodes, inside):
    with dns_server.DnsServer("""
            far.test      MX 10 dead.far.test
            far.test      MX 20 live.far.test
            dead.far.test A  127.0.0.77
            live.far.test A  127.0.0.1
            only-a.test   A  127.0.0.1
            """) as dns:
        node = nodes(OUT + "deliver {{ port {inside} }}\n", dns=dns.address, inside=inside.port)
        dsn, state, line = status(node, send(node, "user@far.test"))
        assert (dsn, state) == ("2.0.0", "sent") and f"relay=live.far.test[127.0.0.1]:{inside.port}" in line
        dsn, state, line = status(node, send(node, "user@only-a.test"))
        assert (dsn, state) == ("2.0.0", "sent") and "relay=only-a.test[127.0.0.1]" in line
        inside.wait(2)
        node.balance()


@pytest.mark.parametrize("domain, dsn", [("null.test", "5.1.10"), ("gone.test", "5.1.2"), ("loop.test", "5.4.6")])
def test_what_dns_makes_final(nodes, inside, domain, dsn):
    with dns_server.DnsServer("""
            null.test    MX 0 .
            loop.test    MX 10 mx.loop.test
            loop.test    MX 20 live.loop.test
            mx.loop.test A  127.0.0.9
            live.loop.test A 127.0.0.1
            """) as dns:
        node = nodes("listen 127.0.0.9:{inside} {{ direction in }}\n" + OUT + "deliver {{ port {inside} }}\n", dns=dns.address,
                     inside=inside.port)
        assert status(node, send(node, f"user@{domain}"))[:2] == (dsn, "bounced")
        node.balance()


def test_dns_in_doubt_defers_and_recovers(nodes, inside):
    with dns_server.DnsServer("far.test MX 10 a.far.test\na.far.test A 127.0.0.1\n") as dns:
        dns.misbehave("far.test", "servfail")
        node = nodes(OUT + "deliver {{ port {inside} }}\n", dns=dns.address, inside=inside.port)
        assert status(node, send(node, "user@far.test"))[:2] == ("4.4.3", "deferred")
        dns.misbehave("far.test", None)
        inside.wait(1)
        node.balance()


def test_static_route_needs_no_dns(node, inside):
    """The nodes of these tests have a resolver that is not there."""
    assert status(node, send(node))[:2] == ("2.0.0", "sent")
    inside.wait(1)


@pytest.mark.parametrize("level, secure", [("off", False), ("offered", True), ("required", True)])
def test_tls(nodes, sinks, tmp_path, level, secure):
    cert, key = lab.certificate(tmp_path)
    sink = sinks("--tls", cert, key)
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{sink} {{ tls {level} }} }}\n", sink=sink.port, level=level)
    assert status(node, send(node))[:2] == ("2.0.0", "sent")
    sink.wait(1)
    established = re.search(r"Untrusted TLS connection established to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: TLSv1\.3", node.text())
    assert bool(established) == secure


def test_tls_verified(nodes, sinks, tmp_path):
    cert, key = lab.certificate(tmp_path, "inside.test")
    sink = sinks("--tls", cert, key)
    node = nodes(HEAD + "deliver {{ authorities {cert} }}\ndomains {{ example.test 127.0.0.1:{sink} {{ tls verified; tls name inside.test }}\n"
                 "other.test 127.0.0.1:{sink} {{ tls verified; tls name other.test }} }}\n", sink=sink.port, cert=cert)
    assert status(node, send(node))[:2] == ("2.0.0", "sent")
    assert "Verified TLS connection established" in node.text()
    assert status(node, send(node, "user@other.test"))[:2] == ("4.7.5", "deferred")
    assert len(sink.wait(1)) == 1


def test_tls_required_and_not_there(nodes, inside):
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{inside} {{ tls required }} }}\n", inside=inside.port)
    assert status(node, send(node))[:2] == ("4.7.4", "deferred")
    time.sleep(1.5)
    assert not inside.files()


def test_8bit_is_converted_for_a_7bit_server(nodes, sinks):
    sink = sinks("--no-ext", "8BITMIME,SMTPUTF8")
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{sink} }}\n", sink=sink.port)
    send(node, body="caf\u00e9 au lait\n", mail="BODY=8BITMIME", MIME_Version="1.0", Content_Type="text/plain; charset=utf-8",
         Content_Transfer_Encoding="8bit")
    arrived = sink.wait(1)[0]
    assert b"Content-Transfer-Encoding: quoted-printable" in arrived and b"caf=C3=A9 au lait" in arrived
    assert all(byte < 128 for byte in arrived)
    node.balance()


def test_8bit_goes_as_it_is_to_an_8bit_server(node, inside):
    send(node, body="caf\u00e9 au lait\n", mail="BODY=8BITMIME")
    assert "caf\u00e9 au lait".encode() in inside.wait(1)[0]


@pytest.mark.parametrize("options", [(), ("--no-ext", "CHUNKING"), ("--no-ext", "all")])
def test_a_large_message_arrives_whole(nodes, sinks, options):
    sink = sinks(*options)
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{sink} }}\n", sink=sink.port)
    body = "".join(f"{'.' if i % 7 == 0 else ''}line {i} {'x' * (i % 70)}\n" for i in range(60000))
    send(node, body=body)
    arrived = sink.wait(1)[0].replace(b"\r\n", b"\n")
    assert arrived.endswith(("\n\n" + body).encode())


def test_source_address_and_name(nodes):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        node = nodes(HEAD + "deliver {{ source 127.0.0.5; helo out.example.test }}\ndomains {{ example.test 127.0.0.1:{port2} }}\n",
                     port2=server.getsockname()[1])
        send(node)
        connection, peer = server.accept()
        connection.settimeout(20)
        connection.sendall(b"220 hello\r\n")
        assert peer[0] == "127.0.0.5"
        assert connection.recv(100) == b"EHLO out.example.test\r\n"
        connection.close()


def test_static_routes_keep_connections_for_themselves(nodes, sinks, inside):
    """The world's servers stand still with every connection they may have; mail for our own goes through."""
    slow = sinks("--stall", "60@mail")
    zone = "".join(f"w{number}.test MX 10 mx.w{number}.test\nmx.w{number}.test A 127.0.0.1\n" for number in range(4))
    with dns_server.DnsServer(zone) as dns:
        node = nodes(OUT + "deliver {{ port {slow}; connections 2; connections all 3; connections static 1 }}\n"
                     "domains {{ example.test 127.0.0.1:{inside} }}\n", dns=dns.address, slow=slow.port, inside=inside.port)

        def connections():
            values = next(one["values"] for one in node.status()["processes"] if one["name"] == "deliver")
            return values["connections"]
        for number in range(4):
            send(node, f"user@w{number}.test")
        lab.wait_for(lambda: connections() == 2, "the world has all it may have")
        assert status(node, send(node))[:2] == ("2.0.0", "sent")
        inside.wait(1)
        assert slow.files() == []


def test_call_out(nodes, sinks):
    sink = sinks("--refuse-to", "nobody@", "--defer-to", "later@")
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{sink} {{ recipients call-out }} }}\n", sink=sink.port)
    client = lab.Client(node.port)
    codes = [code for code, _ in client.open(recipients=("user@example.test", "nobody@example.test", "later@example.test"))]
    assert codes == [250, 250, 550, 250], "what the server does not know yet is taken"
    assert client.data(lab.message("hello"))[0] == 250
    sink.wait(1)
    sink.stop()
    client = lab.Client(node.port)
    codes = [code for code, _ in client.open(recipients=("user@example.test", "nobody@example.test"))]
    assert codes == [250, 250, 550], "answers are remembered while the server is down"


def test_answers_are_forgotten_by_command(nodes, sinks):
    sink = sinks("--refuse-to", "nobody")
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{sink} {{ recipients call-out }}; other.test 127.0.0.1:{sink} {{ recipients call-out }} }}\n",
                 sink=sink.port)
    everybody = ("user@example.test", "nobody@example.test", "user@other.test")

    def made():
        """How many call-outs there were, once everybody was given as a recipient again."""
        client = lab.Client(node.port)
        assert [code for code, _ in client.open(recipients=everybody)] == [250, 250, 550, 250]
        deliver = next(one for one in node.status()["processes"] if one["name"] == "deliver")
        return int(re.search(r"call-outs made\D+(\d+)", json.dumps(deliver)).group(1))
    assert made() == 3 and made() == 3, "answers are remembered"
    assert node.run("callout", "forget", "NOBODY@example.test").stdout == "1 answer forgotten\n"
    assert made() == 4
    assert node.run("callout", "forget", "example.test").stdout == "2 answers forgotten\n"
    assert made() == 6
    assert node.run("callout", "forget").stdout == "3 answers forgotten\n"
    assert made() == 9
    assert node.run("callout", "forget", "stranger.test").stdout == "0 answers forgotten\n"
    assert node.run("callout").stdout == "3 answers known\n"
    assert node.run("callout", "keep", check=False).returncode == 64


class FewAtATime(threading.Thread):
    """A server that takes five recipients a message and answers 452 to the rest."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.taken = []

    def run(self):
        while True:
            connection, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        lines = connection.makefile("rwb")

        def say(text):
            lines.write(text.encode() + b"\r\n")
            lines.flush()
        say("220 few")
        recipients = []
        for line in lines:
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                say("250-few\r\n250 PIPELINING")
            elif verb == b"RCPT" and len(recipients) == 5:
                say("452 4.5.3 too many recipients")
            elif verb == b"RCPT":
                recipients.append(line.split(b"<")[1].split(b">")[0].decode())
                say("250 2.1.5 ok")
            elif verb == b"DATA":
                say("354 go on")
                while lines.readline() != b".\r\n":
                    pass
                self.taken.append(recipients)
                recipients = []
                say("250 2.0.0 kept")
            else:
                say("250 ok")


TCP_REPAIR = 19  # Linux: a socket that is closed in this state goes without a word to its peer


def test_a_server_that_goes_without_a_word_is_not_waited_for(nodes):
    """Its machine has lost power, or its address is on another one now, after it took the message and before its reply."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{server} }}\n", server=listening.getsockname()[1])
        message_id = send(node)
        connection, _ = listening.accept()
        replies = iter((b"220 here\r\n", b"250 here\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"))
        lines = connection.makefile("rb")
        for reply in replies:
            connection.sendall(reply)
            line = lines.readline()
        while line != b".\r\n":
            line = lines.readline()
        time.sleep(0.5)  # all that came is acknowledged: nothing is on its way any more
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        lines.close()
        connection.close()
        began = time.monotonic()
        dsn, state, line = status(node, message_id, 60)
        assert (dsn, state) == ("4.4.2", "deferred") and 10 < time.monotonic() - began < 40, line


def test_too_many_recipients_for_one_transaction(nodes):
    """The rest follows at once, not at the next retry."""
    few = FewAtATime()
    few.start()
    node = nodes(HEAD.replace("first 1s; retry most 2s", "first 1h; retry most 2h") + "domains {{ example.test 127.0.0.1:{few} }}\n",
                 few=few.port)
    everybody = [f"user{i}@example.test" for i in range(23)]
    client = lab.Client(node.port)
    assert all(code == 250 for code, _ in client.open(recipients=everybody))
    assert client.data(lab.message("to many"))[0] == 250
    lab.wait_for(lambda: sum(map(len, few.taken)) >= 23, "all have it", 10)
    assert sorted(sum(few.taken, [])) == sorted(everybody) and len(few.taken) == 5
    node.balance()
