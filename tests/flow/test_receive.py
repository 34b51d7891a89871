"""Goal: the SMTP server speaks its extensions as the RFCs say, refuses what it must, and each refusal is clear."""
import socket
import struct
import time

import pytest

import lab
from shared_servers import inside, node as plain  # these tests are about SMTP

CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """One inside server and one node that judges nothing, for all tests here that change nothing of it."""
    with lab.standing(tmp_path_factory.mktemp("receive"), CONFIG) as (node, sink):
        yield node, sink


def test_ehlo_offers_what_is_spoken(plain):
    features = lab.Client(plain.port).features
    for word in ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "CHUNKING"):
        assert f"250-{word}" in features or f"250 {word}" in features, features
    assert "STARTTLS" not in features and "XCLIENT" not in features


def test_helo_and_order_of_commands(plain):
    client = lab.Client(plain.port, hello=None)
    assert client.say("MAIL FROM:<a@b.example>")[0] == 503
    assert client.say("HELO client.example")[0] == 250
    assert client.say("RCPT TO:<user@example.test>")[0] == 503
    assert client.say("DATA")[0] == 503
    assert client.say("MAIL FROM:<a@b.example>")[0] == 250
    assert client.say("MAIL FROM:<a@b.example>")[0] == 503
    assert client.say("DATA")[0] == 554
    assert client.say("VRFY user")[0] == 252
    assert client.say("EXPN list")[0] == 502
    assert client.say("NOOP")[0] == 250
    assert client.say("NONSENSE")[0] == 500
    assert client.say("AUTH PLAIN")[0] == 502
    assert client.say("QUIT")[0] == 221


def test_a_message_goes_through_unchanged(plain, inside):
    text = lab.message("a b", "first\n..two dots\n.\nlast " + "x" * 2000 + "\n")
    code, reply = lab.Client(plain.port).send(text)
    assert code == 250 and "kept as" in reply
    arrived = inside.wait(1)[0].replace(b"\r\n", b"\n")
    assert arrived.endswith(text.encode())
    assert b"\nReceived: from client.example (unknown [127.0.0.1])\n\tby mx.example.test (Sekimori) with ESMTP id " in b"\n" + arrived
    assert b"\nX-Sekimori-Id: " in arrived
    plain.balance()


def test_pipelining_in_one_write(plain, inside):
    client = lab.Client(plain.port)
    client.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<one@example.test>\r\nRCPT TO:<two@elsewhere.test>\r\nDATA\r\n")
    assert [client.reply()[0] for _ in range(4)] == [250, 250, 550, 354]
    client.raw(b"Subject: p\r\n\r\nbody\r\n.\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<one@example.test>\r\nRSET\r\nQUIT\r\n")
    assert [client.reply()[0] for _ in range(5)] == [250, 250, 250, 250, 221]
    assert len(inside.wait(1)) == 1


def test_chunking(plain, inside):
    client = lab.Client(plain.port)
    assert client.open()[1][0] == 250
    first, rest = b"Subject: chunks\r\n\r\n.dots are content\r\n", b".\r\n..\r\nend without line end"
    client.raw(b"BDAT %d\r\n" % len(first) + first)
    assert client.reply()[0] == 250
    assert client.say("MAIL FROM:<x@y.example>")[0] == 503
    client.raw(b"BDAT %d LAST\r\n" % len(rest) + rest)
    assert client.reply()[0] == 250
    assert (first + rest).replace(b"\r\n", b"\n") in inside.wait(1)[0].replace(b"\r\n", b"\n")
    # A chunk without recipients is read whole and refused; the session stays in step.
    client.say("RSET")
    client.say("MAIL FROM:<a@b.example>")
    client.raw(b"BDAT 5 LAST\r\nhelloNOOP\r\n")
    assert client.reply()[0] == 554
    assert client.reply()[0] == 250
    assert client.say("BDAT x")[0] == 501


def test_bdat_zero_last(plain, inside):
    client = lab.Client(plain.port)
    client.open()
    body = b"Subject: zero\r\n\r\nbody\r\n"
    client.raw(b"BDAT %d\r\n" % len(body) + body + b"BDAT 0 LAST\r\n")
    assert client.reply()[0] == 250
    assert client.reply()[0] == 250
    assert b"zero" in inside.wait(1)[0]


def test_size(nodes, inside):
    node = nodes(CONFIG + "limits {{ message 64K; header 16K }}\n", inside=inside.port)
    client = lab.Client(node.port)
    assert client.say("MAIL FROM:<a@b.example> SIZE=65537")[0] == 552
    assert client.send(lab.message(body="x" * 70 + "\n" + ("y" * 70 + "\n") * 1000))[0] == 552
    assert client.send(lab.message("fits"))[0] == 250
    inside.wait(1)
    node.balance()


def test_smtputf8(plain, nodes, sinks, inside):
    client = lab.Client(plain.port)
    assert client.say("MAIL FROM:<花子@例え.example>")[0] == 553
    assert client.send(lab.message("utf8"), sender="花子@例え.example", recipients=("太郎@example.test",), mail="SMTPUTF8")[0] == 250
    assert "太郎".encode() in inside.wait(1)[0]
    node = nodes("domains {{ example.test 127.0.0.1:{inside} {{ smtputf8 off }} }}\nspam {{ mode off }}\nvirus {{ mode off }}\n",
                 inside=inside.port)
    client = lab.Client(node.port)
    assert client.say("MAIL FROM:<花子@例え.example> SMTPUTF8")[0] == 250
    code, text = client.say("RCPT TO:<user@example.test>")
    assert code == 553 and "5.6.7" in text


def test_parameters(plain):
    client = lab.Client(plain.port)
    for line, code in (("MAIL FROM:<a@b.example> BODY=8BITMIME RET=HDRS ENVID=abc+2Bd SIZE=10", 250),
                       ("RCPT TO:<user@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;user@example.test", 250),
                       ("RCPT TO:<user@example.test> NOTIFY=NEVER,DELAY", 501),
                       ("RCPT TO:<user@example.test> FUTURE=1", 555), ("RSET", 250),
                       ("MAIL FROM:<a@b.example> BODY=BINARYMIME", 501), ("MAIL FROM:<a@b.example> SIZE=x", 501),
                       ("MAIL FROM:<a@b.example> RET=FULL RET=FULL", 501), ("MAIL FROM:<>", 250)):
        assert client.say(line)[0] == code, line


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r\n"])
def test_no_smuggling(plain, inside, end):
    """Only CRLF.CRLF ends the data; a bare CR or LF refuses the message, what follows it is content, and the session is over."""
    client = lab.Client(plain.port)
    client.open()
    assert client.say("DATA")[0] == 354
    client.raw(b"Subject: one\r\n\r\nbody" + end + SMUGGLED)
    code, text = client.reply()
    assert code == 554 and "bare" in text
    ended(client)
    nothing_arrives(plain, inside)


SMUGGLED = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<user@example.test>\r\nDATA\r\nSubject: two\r\n\r\nsmuggled\r\n.\r\n"


def ended(client):
    """Not a byte follows the reply that was read."""
    try:
        left = client.file.read()
    except ConnectionResetError:
        left = b""
    assert left == b"", left


def nothing_arrives(node, inside):
    """Mail that is sent afterwards comes alone."""
    assert lab.Client(node.port).send(lab.message("afterwards"))[0] == 250
    assert b"Subject: afterwards" in inside.wait(1)[0]
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    assert len(inside.files()) == 1
    node.balance()


NULS = {"an end where NULs are dropped": b"\r\n\0.\r\n", "behind the dot": b"\r\n.\0\r\n", "in the last line end": b"\r\n.\r\0\n",
        "in the first line end": b"\r\0\n.\r\n", "in a line": b"\0\r\n.\r\n"}


@pytest.mark.parametrize("end", NULS.values(), ids=NULS)
def test_nul_in_data(plain, inside, end):
    """It is content like any other until the end by the book, and then refused with all that came behind it."""
    client = lab.Client(plain.port)
    client.open()
    assert client.say("DATA")[0] == 354
    client.raw(b"Subject: one\r\n\r\nbody" + end + (b"" if end.endswith(b"\r\n.\r\n") and b"\r\0" not in end else SMUGGLED))
    code, text = client.reply()
    assert code == 554 and ("NUL" in text or "bare" in text), text
    ended(client)
    nothing_arrives(plain, inside)


@pytest.mark.parametrize("end", NULS.values(), ids=NULS)
def test_nul_in_data_is_repaired(nodes, inside, end):
    """It is taken off the wire before the dot is looked for, so that whoever drops it sees the same end; and nobody behind sees one."""
    node = nodes("listen 127.0.0.1:{port} {{ direction in; repair bare-lf }}\n" + CONFIG, inside=inside.port)
    client = lab.Client(node.port)
    client.open()
    client.say("DATA")
    client.raw(b"\0Subject: o\0ne\r\n\r\n.\0.body" + end)
    assert client.reply()[0] == 250
    assert client.say("NOOP")[0] == 250
    arrived = inside.wait(1)[0]
    assert b"\0" not in arrived and b"\nSubject: one\r\n" in arrived and arrived.endswith(b"\r\n.body\r\n"), arrived
    node.balance()


@pytest.mark.parametrize("size", [40, 100_000])
def test_nul_in_a_chunk(nodes, inside, size):
    node = nodes("listen 127.0.0.1:{port} {{ direction in }}\nlisten 127.0.0.1:{other} {{ direction in; repair bare-lf }}\n" + CONFIG,
                 inside=inside.port, other=(repairing := lab.free_port()))
    whole = b"Subject: chunk\r\n\r\n" + b"x" * size + b"\r\n\0.\r\n" + b"end\r\n"
    for port, wanted in ((node.port, 554), (repairing, 250)):
        client = lab.Client(port)
        client.open()
        client.raw(b"BDAT %d LAST\r\n" % len(whole) + whole)
        code, text = client.reply()
        assert code == wanted and (code == 250 or "NUL" in text), (port, code, text)
    arrived = inside.wait(1)
    assert len(arrived) == 1 and arrived[0].endswith(b"x\r\n.\r\nend\r\n")
    node.balance()


STRANGE = {"a bare LF": (b"NOOP\n", 500), "a bare CR": (b"NO\rOP\r\n", 500), "a NUL": (b"NOOP\0\r\n", 500), "a NUL in an address": (b"MAIL FROM:<a\0@b.example>\r\n", 500),
           "a size that is none": (b"BDAT x LAST\r\n", 501), "no size": (b"BDAT\r\n", 501), "a size beyond numbers": (b"BDAT 99999999999999999999\r\n", 501),
           "HTTP": (b"POST / HTTP/1.1\r\nHost: mx.example.test\r\n\r\n", 500), "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 500),
           "a proxy's": (b"CONNECT mx.example.test:25 HTTP/1.0\r\n\r\n", 500), "a header field": (b"Subject: hello\r\n", 500), "a dot": (b".\r\n", 500)}


@pytest.mark.parametrize("words, code", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("at_once", [False, True], ids=["greeted", "at once"])
def test_what_is_no_smtp_ends_the_session(plain, inside, words, code, at_once):
    """One reply, and nothing that follows is taken for commands."""
    client = lab.Client(plain.port, hello=None if at_once else "EHLO client.example")
    client.raw(words + b"EHLO evil.example\r\n" + SMUGGLED)
    assert client.reply()[0] == code
    ended(client)
    nothing_arrives(plain, inside)


def test_a_tls_client_that_begins_at_once_is_told(plain):
    """Its greeting has no line end, and it waits for ours: it is not left to wait for the time limit."""
    client = lab.Client(plain.port, hello=None)
    client.raw(b"\x16\x03\x01\x00\x20\x01\x00\x00\x1c\x03\x03")
    assert client.reply()[0] == 500
    ended(client)


@pytest.mark.parametrize("body", [b"a\nb\r\n", b"a\rb\r\n", b"a\r"])
def test_a_bare_cr_or_lf_in_a_chunk(nodes, inside, body):
    node = nodes("listen 127.0.0.1:{port} {{ direction in }}\nlisten 127.0.0.1:{other} {{ direction in; repair bare-lf }}\n" + CONFIG,
                 inside=inside.port, other=(repairing := lab.free_port()))
    whole = b"Subject: chunk\r\n\r\n" + body
    for port, wanted in ((node.port, 554), (repairing, 250)):
        client = lab.Client(port)
        client.open()
        client.raw(b"BDAT %d LAST\r\n" % len(whole) + whole)
        code, text = client.reply()
        assert code == wanted and (code == 250 or "bare" in text), (port, code, text)
    arrived = inside.wait(1)
    assert len(arrived) == 1 and b"\r\n\r\na\r\n" in arrived[0]
    assert arrived[0].replace(b"\r\n", b"").count(b"\r") == arrived[0].replace(b"\r\n", b"").count(b"\n") == 0
    node.balance()


def test_repair_bare_lf(nodes, inside):
    node = nodes("listen 127.0.0.1:{port} {{ direction in; repair bare-lf }}\n" + CONFIG, inside=inside.port)
    client = lab.Client(node.port)
    client.open()
    client.say("DATA")
    client.raw(b"Subject: printer\n\nfrom a scanner\n.\nstill content\r\n.\r\n")
    assert client.reply()[0] == 250
    arrived = inside.wait(1)[0].replace(b"\r\n", b"\n")
    assert b"from a scanner\n.\nstill content\n" in arrived
    client.raw(b"NOOP\n")
    assert client.reply()[0] == 250


def test_a_long_line_is_refused(plain):
    client = lab.Client(plain.port)
    client.raw(b"NOOP " + b"x" * 5000 + b"\r\n")
    assert client.reply()[0] == 500
    assert client.say("NOOP")[0] == 250


def test_recipients(plain, nodes, inside):
    client = lab.Client(plain.port)
    client.say("MAIL FROM:<a@b.example>")
    for address, code in (("a..b@example.test", 250), ("a.@example.test", 250), ('"a b"@example.test', 250), ("user@EXAMPLE.TEST", 250),
                          ("user@elsewhere.test", 550), ("user@sub.example.test", 550), ("user@[127.0.0.1]", 550),
                          ("@hop.example:user@example.test", 250), ("no-at-sign", 553), ("a b@example.test", 553), ("", 553)):
        assert client.say(f"RCPT TO:<{address}>")[0] == code, address
    assert client.say("RCPT TO:<postmaster>")[0] == 250
    assert client.say("RCPT TO:<PostMaster@example.test>")[0] == 250


def test_old_mobile_addresses_arrive_unchanged(plain, inside):
    for address in ("a..b@example.test", ".a.@example.test"):
        assert lab.Client(plain.port).send(lab.message(), recipients=(address,))[0] == 250
    arrived = b"".join(inside.wait(2))
    assert b"a..b@example.test" in arrived and b".a.@example.test" in arrived


def test_strict(nodes, inside):
    node = nodes("listen 127.0.0.1:{port} {{ direction in; strict on }}\n" + CONFIG, inside=inside.port)
    client = lab.Client(node.port)
    client.say("MAIL FROM:<a@b.example>")
    assert client.say("RCPT TO:<a..b@example.test>")[0] == 553
    assert client.say("RCPT TO:user@example.test")[0] == 553


def test_recipient_table(nodes, inside, tmp_path):
    table = tmp_path / "table"
    table.write_text("# who is here\ntaro\nhanako@example.test\n")
    node = nodes("domains {{ example.test 127.0.0.1:{inside} {{ recipients table {table} }} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n",
                 inside=inside.port, table=table)
    client = lab.Client(node.port)
    client.say("MAIL FROM:<a@b.example>")
    for address, code in (("taro@example.test", 250), ("Hanako@Example.Test", 250), ("jiro@example.test", 550), ("postmaster@example.test", 250)):
        assert client.say(f"RCPT TO:<{address}>")[0] == code, address


def test_what_comes_along_with_a_recipient_waits_for_its_call_out(nodes, sinks):
    inside = sinks()
    node = nodes("domains {{ example.test 127.0.0.1:{inside} {{ recipients call-out }} }}\n", inside=inside.port)
    client = lab.Client(node.port)
    content = lab.message().replace("\n", "\r\n").encode()
    client.raw(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user@example.test>\r\nBDAT %d LAST\r\n" % len(content) + content)
    assert [client.reply()[0] for _ in range(3)] == [250, 250, 250]
    inside.wait(1)


def test_recipient_call_out(nodes, sinks):
    good, bad = sinks(), sinks("--refuse", "rcpt")
    config = ("domains {{ good.test 127.0.0.1:{good} {{ recipients call-out }}; bad.test 127.0.0.1:{bad} {{ recipients call-out }};"
              " gone.test 127.0.0.1:9 {{ recipients call-out }} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n")
    node = nodes(config, good=good.port, bad=bad.port)
    client = lab.Client(node.port)
    client.say("MAIL FROM:<a@b.example>")
    assert client.say("RCPT TO:<user@good.test>")[0] == 250
    assert client.say("RCPT TO:<user@bad.test>")[0] == 550
    assert client.say("RCPT TO:<user@bad.test>")[0] == 550
    assert client.say("RCPT TO:<user@gone.test>")[0] == 250  # nobody can be asked: queue waits for the server
    assert good.files() == [] and bad.files() == []


def test_limits(nodes, inside):
    node = nodes(CONFIG + "limits {{ recipients 3; received 5; header 16K; errors 5; connections 8 {{ per client 4 }} }}\n", inside=inside.port)
    client = lab.Client(node.port)
    codes = [one[0] for one in client.open(recipients=[f"u{i}@example.test" for i in range(5)])]
    assert codes == [250, 250, 250, 250, 452, 452]
    client.say("RSET")
    assert client.send("Received: x\n" * 6 + lab.message())[0] == 554
    assert client.send("X-Long: " + "y" * 20000 + "\n" + lab.message())[0] == 552
    others = [lab.Client(node.port) for _ in range(3)]
    with pytest.raises(ConnectionError):
        full = lab.Client(node.port, hello=None)
        assert full.greeting[0] == 421
        full.say("NOOP")
    for other in others:
        other.close()
    time.sleep(0.2)
    client = lab.Client(node.port)
    with pytest.raises(ConnectionError):
        for _ in range(20):
            client.say("NONSENSE")
    node.balance()


def away_from_the_minutes_end():
    """Rates count by the minute of the monotonic clock: a test must not straddle two."""
    if time.monotonic() % 60 > 52:
        time.sleep(60.2 - time.monotonic() % 60)


def test_rates(nodes, inside):
    node = nodes(CONFIG + "limits {{ connections per client and minute 3 }}\n", inside=inside.port)
    away_from_the_minutes_end()
    greetings = []
    for _ in range(5):
        client = lab.Client(node.port, hello=None)
        greetings.append(client.greeting[0])
        client.close()
    assert greetings[:3] == [220] * 3 and 421 in greetings[3:]


def test_rates_of_all_clients(nodes, inside):
    node = nodes(CONFIG + "limits {{ connections and minute 4; messages and minute 2 }}\n", inside=inside.port)
    away_from_the_minutes_end()
    client = lab.Client(node.port, source="127.0.0.3")
    codes = [client.send(lab.message(), sender=f"s{number}@outside.example")[0] for number in range(4)]
    assert codes[:2] == [250, 250] and 450 in codes[2:], codes
    greetings = [lab.Client(node.port, source=f"127.0.0.{4 + number}", hello=None).greeting[0] for number in range(6)]
    assert greetings[0] == 220 and 421 in greetings[3:], greetings
    node.balance()


def test_time_limits(nodes, inside):
    node = nodes(CONFIG + "limits {{ time {{ command 1s; data 1s; greeting 1s }} }}\n", inside=inside.port)
    silent = lab.Client(node.port, hello=None)
    assert silent.reply()[0] == 421
    slow = lab.Client(node.port)
    slow.open()
    slow.say("DATA")
    slow.raw(b"Subject: never finished\r\n")
    assert slow.reply()[0] == 421
    node.balance()


def test_a_drip_is_no_greeting(nodes, inside):
    """Bytes that do not make an EHLO do not prolong the time for it."""
    node = nodes(CONFIG + "limits {{ time greeting 1s }}\n", inside=inside.port)
    client = lab.Client(node.port, hello=None)
    client.socket.settimeout(0.2)
    answer, end = b"", time.monotonic() + 20
    while not answer and time.monotonic() < end:
        client.raw(b"x")
        try:
            answer = client.socket.recv(100)
        except TimeoutError:
            pass
    assert answer.startswith(b"421 4.4.2"), answer


def test_a_session_ends_between_two_messages(nodes, inside):
    node = nodes(CONFIG + "limits {{ time session 2s }}\n", inside=inside.port)
    client = lab.Client(node.port)
    idle = lab.Client(node.port)
    begun = time.monotonic()
    client.open()
    client.say("DATA")
    client.raw(b"Subject: long\r\n\r\n")
    assert idle.reply()[0] == 421 and time.monotonic() - begun > 1
    client.raw(b"end\r\n.\r\n")
    assert client.reply()[0] == 250
    assert client.reply()[0] == 421
    inside.wait(1)
    node.balance()


def test_access_rules(nodes, inside):
    node = nodes("listen 127.0.0.1:{port} {{ direction in; from 127.0.0.0/8; deny 127.0.0.2 }}\n" + CONFIG, inside=inside.port)
    assert lab.Client(node.port, source="127.0.0.3").greeting[0] == 220
    assert lab.Client(node.port, source="127.0.0.2", hello=None).greeting[0] == 554


def test_outbound_only_for_listed(nodes, sinks):
    world = sinks()
    node = nodes("listen 127.0.0.1:{port} {{ direction out; from 127.0.0.3 }}\ndomains {{ example.test 127.0.0.1:9; * 127.0.0.1:{world} }}\n"
                 "virus {{ mode off }}\nspam {{ mode off }}\n", world=world.port)
    assert lab.Client(node.port, hello=None).greeting[0] == 554
    client = lab.Client(node.port, source="127.0.0.3")
    assert client.send(lab.message(), sender="user@example.test", recipients=("friend@world.example",))[0] == 250
    world.wait(1)
    node.balance()


def test_starttls(nodes, inside, tmp_path):
    certificate, key = lab.certificate(tmp_path)
    node = nodes("listen 127.0.0.1:{port} {{ direction in; tls certificate {certificate} key {key} }}\n" + CONFIG,
                 inside=inside.port, certificate=certificate, key=key)
    client = lab.Client(node.port)
    assert "STARTTLS" in client.features
    # Commands sent in the clear together with STARTTLS are thrown away.
    client.raw(b"STARTTLS\r\nMAIL FROM:<injected@x.example>\r\n")
    assert client.reply()[0] == 220
    import ssl
    client.socket = ssl._create_unverified_context().wrap_socket(client.socket)
    client.file = client.socket.makefile("rb")
    assert client.say("RCPT TO:<user@example.test>")[0] == 503
    assert "STARTTLS" not in client.say("EHLO client.example")[1]
    assert client.send(lab.message("secret", ("z" * 70 + "\n") * 3000))[0] == 250
    arrived = inside.wait(1)[0]
    assert b"with ESMTPS id" in arrived and b"TLS_" in arrived and arrived.count(b"z" * 70) == 3000


def test_tls_required(nodes, inside, tmp_path):
    certificate, key = lab.certificate(tmp_path)
    node = nodes("listen 127.0.0.1:{port} {{ direction in; tls certificate {certificate} key {key}; tls required }}\n" + CONFIG,
                 inside=inside.port, certificate=certificate, key=key)
    client = lab.Client(node.port)
    assert client.say("MAIL FROM:<a@b.example>")[0] == 530
    client.secure()
    assert client.say("MAIL FROM:<a@b.example>")[0] == 250


@pytest.mark.parametrize("version", [1, 2])
def test_proxy(nodes, inside, version):
    node = nodes("listen 127.0.0.1:{port} {{ direction in; proxy 127.0.0.1; deny 192.0.2.66 }}\n" + CONFIG, inside=inside.port)

    def header(client):
        if version == 1:
            return b"PROXY TCP4 %s 198.51.100.1 40000 25\r\n" % client.encode()
        return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, 0x11]) + struct.pack(">H", 12 + 3) + socket.inet_aton(client) +
                socket.inet_aton("198.51.100.1") + struct.pack(">HH", 40000, 25) + b"\x04\0\0")

    client = lab.Client(node.port, greet=False)
    client.raw(header("192.0.2.7"))
    assert client.reply()[0] == 220
    client.say("EHLO client.example")
    assert client.send(lab.message())[0] == 250
    assert b"[192.0.2.7]" in inside.wait(1)[0]
    denied = lab.Client(node.port, greet=False)
    denied.raw(header("192.0.2.66"))
    assert denied.reply()[0] == 554
    bad = lab.Client(node.port, greet=False)
    bad.raw(b"EHLO no proxy header\r\n")
    with pytest.raises(ConnectionError):
        bad.reply()
    other = lab.Client(node.port, source="127.0.0.9")
    assert other.greeting[0] == 220


@pytest.mark.parametrize("spelling", ["::ffff:192.0.2.66", "::FFFF:c000:242"])
def test_proxy_names_an_ipv4_client_in_ipv6(nodes, inside, spelling):
    """The rule for the IPv4 address holds for each spelling of it, in both versions of the header."""
    node = nodes("listen 127.0.0.1:{port} {{ direction in; proxy 127.0.0.1; deny ::ffff:192.0.2.64/122 }}\n" + CONFIG, inside=inside.port)
    version_1 = b"PROXY TCP6 %s ::ffff:198.51.100.1 40000 25\r\n"
    version_2 = (b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, 0x21]) + struct.pack(">H", 36) + socket.inet_pton(socket.AF_INET6, spelling) +
                 socket.inet_pton(socket.AF_INET6, "::ffff:198.51.100.1") + struct.pack(">HH", 40000, 25))
    for header in version_1 % spelling.encode(), version_2:
        denied = lab.Client(node.port, greet=False)
        denied.raw(header)
        assert denied.reply()[0] == 554
    client = lab.Client(node.port, greet=False)
    client.raw(version_1 % b"::ffff:192.0.2.7")
    assert client.reply()[0] == 220
    client.say("EHLO client.example")
    assert client.send(lab.message())[0] == 250
    assert b"[192.0.2.7]" in inside.wait(1)[0]


def test_xclient(nodes, inside):
    node = nodes("listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}\n" + CONFIG, inside=inside.port)
    assert lab.Client(node.port, source="127.0.0.9").say("XCLIENT ADDR=192.0.2.7")[0] == 550
    client = lab.Client(node.port)
    assert "XCLIENT NAME ADDR" in client.features
    assert client.say("XCLIENT ADDR=192.0.2.7 NAME=mail.example")[0] == 220
    client.say("EHLO real.example")
    assert client.send(lab.message())[0] == 250
    assert b"from real.example (mail.example [192.0.2.7])" in inside.wait(1)[0]
    assert client.say("XCLIENT ADDR=nonsense")[0] == 501


@pytest.mark.parametrize("spelling, client_is", [
    ("IPV6:2001:db8::7", b"[IPv6:2001:db8::7]"), ("2001:db8::7", b"[IPv6:2001:db8::7]"), ("IPV6:fe80::7%eth0", b"[IPv6:fe80::7]"),
    ("IPv6:::ffff:192.0.2.7", b"[192.0.2.7]"), ("::ffff:192.0.2.7", b"[192.0.2.7]"), ("[192.0.2.7]", b"[192.0.2.7]")])
def test_xclient_address_in_each_spelling(nodes, inside, spelling, client_is):
    node = nodes("listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}\n" + CONFIG, inside=inside.port)
    client = lab.Client(node.port)
    for bad in "IPV6:192.0.2.7", "IPV6:2001:db8::7%eth0", "IPV6:", "192.0.2.7/32", "IPV6:2001:db8::7x":
        assert client.say(f"XCLIENT ADDR={bad}")[0] == 501, bad
    assert client.say(f"XCLIENT ADDR={spelling} NAME=mail.example")[0] == 220
    client.say("EHLO real.example")
    assert client.send(lab.message())[0] == 250
    assert b"(mail.example " + client_is in inside.wait(1)[0]


def test_whom_xclient_names_is_held_to_rules_and_limits(nodes, inside):
    node = nodes("listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1; from 127.0.0.1; deny 192.0.2.66 }}\n" + CONFIG +
                 "limits {{ connections per client 2; messages per client and minute 1 }}\n", inside=inside.port)
    away_from_the_minutes_end()
    peer = lab.Client(node.port)
    assert peer.say("XCLIENT ADDR=192.0.2.66")[0] == 220  # the connection is the peer's; the client hears it at MAIL
    peer.say("EHLO client.example")
    assert peer.open()[0][0] == 554
    peers = [lab.Client(node.port) for _ in range(2)]
    assert [one.say("XCLIENT ADDR=192.0.2.7")[0] for one in peers] == [220, 220]
    more = lab.Client(node.port)
    assert more.say("XCLIENT ADDR=192.0.2.7")[0] == 220
    more.say("EHLO client.example")
    assert more.open()[0][0] == 450
    peers[1].say("XCLIENT ADDR=192.0.2.8")
    codes = [one.say("EHLO client.example")[0] and one.send(lab.message())[0] for one in peers for _ in range(2)]
    assert codes == [250, 450, 250, 450]


def test_early_talker_is_noticed(plain):
    """The receive processes sleep while the client connects and speaks, so it has spoken before it is greeted."""
    import os
    import signal
    pids = plain.pids("receive")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", plain.port)) as hasty:
        hasty.sendall(b"EHLO hasty.example\r\n")
        time.sleep(0.1)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        hasty.recv(200)
    lab.wait_for(lambda: "early talker" in plain.text(), "the early talker is noticed")
    lab.Client(plain.port)
    time.sleep(0.1)
    assert plain.text().count("early talker") == 1


def test_log_cannot_be_forged(plain):
    client = lab.Client(plain.port)
    client.raw(b"MAIL FROM:<a\x1b[31m@b.example>\r\n")
    assert client.reply()[0] >= 500
    client.raw("EHLO x\u0085y.example\r\n".encode())
    client.reply()
    assert "\x1b" not in plain.text() and "\u0085" not in plain.text()


@pytest.mark.parametrize("size", [1000, 60_000, 70_000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_of_every_carrier(nodes, inside, size, chunked):
    """Inline, in a memfd, in a file of the spool: the bytes arrive the same."""
    import hashlib
    node = nodes(CONFIG + "limits {{ bodies {{ in frame 32K; in memory 1M }} }}\n", inside=inside.port)
    body = b"".join(b"%07d %s\r\n" % (i, hashlib.sha256(b"%d" % i).hexdigest().encode()) for i in range(size // 74 + 1))
    whole = b"Subject: carrier\r\n\r\n" + body
    client = lab.Client(node.port)
    client.open()
    if chunked:
        half = len(whole) // 2
        client.raw(b"BDAT %d\r\n" % half + whole[:half])
        assert client.reply()[0] == 250
        client.raw(b"BDAT %d LAST\r\n" % (len(whole) - half) + whole[half:])
        code = client.reply()[0]
    else:
        assert client.say("DATA")[0] == 354
        client.raw(whole + b".\r\n")
        code = client.reply()[0]
    assert code == 250
    assert inside.wait(1)[0].replace(b"\r\n", b"\n").endswith(whole.replace(b"\r\n", b"\n"))
    node.balance()
