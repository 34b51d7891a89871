"""Goal: mail is not harmed by what the next server says or lacks: too many recipients, TLS that does not come about, a session
refused, no SMTPUTF8; and a domain whose MX is nobody is told apart from one whose server is away."""
import base64
import email
import email.policy
import re

import pytest

import dns_server
import lab
from played import Played

HEAD = "virus {{ mode off }}\nspam {{ mode off }}\nqueue {{ retry first 1h; retry most 2h }}\n"
OUT = "listen 127.0.0.1:{port} {{ direction out; senders any }}\n" + HEAD
ONE = HEAD + "domains {{ example.test 127.0.0.1:{server} }}\n"


def send(node, recipients=("user@example.test",), **envelope):
    code, text = lab.Client(node.port).send(lab.message("to the next server"), recipients=recipients, **envelope)
    assert code == 250, text
    return re.search(r"kept as (\w+)", text).group(1)


def line_of(node, message_id, status):
    return lab.wait_for(lambda: re.search(rf"{message_id}: to=.*status={status}.*", node.text()), f"{message_id} is {status}").group(0)


# --- 552 to RCPT ---

@pytest.mark.parametrize("refusal", ["552 too many recipients", "552 5.5.3 too many recipients", "452 4.5.3 too many"])
def test_too_many_recipients_go_in_the_next_transaction(nodes, refusal):
    taken = []

    def rcpt(command):
        if len(taken) % 4 == 3:
            return refusal
        taken.append(command)
        return "250 2.1.5 ok"

    def content(_):
        taken.extend([""] * (-len(taken) % 4))
        return "250 2.0.0 kept"
    server = Played({"RCPT": rcpt, ".": content})
    node = nodes(ONE, server=server.port)
    everybody = [f"user{i}@example.test" for i in range(8)]
    send(node, recipients=everybody)
    lab.wait_for(lambda: len(server.contents) == 3, "three transactions")
    lab.wait_for(node.queue_is_empty, "all are delivered")
    assert "bounced" not in node.text()
    node.balance()


def test_552_for_everybody_waits(nodes):
    server = Played({"RCPT": "552 too many recipients"})
    node = nodes(ONE, server=server.port)
    assert "dsn=4.5.3" in line_of(node, send(node), "deferred")
    node.balance()


def test_552_since_a_mailbox_is_full_is_final(nodes):
    server = Played({"RCPT": "552 5.2.2 the mailbox is full"})
    node = nodes(OUT + "domains {{ example.test 127.0.0.1:{server} }}\n", server=server.port)
    assert "dsn=5.2.2" in line_of(node, send(node, sender="sender@example.test"), "bounced")


# --- STARTTLS ---

OFFERED = "250-played\r\n250-STARTTLS\r\n250 8BITMIME"


@pytest.mark.parametrize("answer", [None, "421 4.7.0 TLS is broken here", "454 4.7.0 not now", "what?", "220 go on"])
def test_tls_that_does_not_come_about_is_done_without(nodes, answer):
    """"220 go on" is followed by no handshake: the server takes it for commands, and hangs up."""
    server = Played({"EHLO": OFFERED, "STARTTLS": answer, "\x16": None})
    node = nodes(ONE, server=server.port)
    line_of(node, send(node), "sent")
    first = len(server.said("STARTTLS"))
    line_of(node, send(node), "sent")
    assert first == 1 and len(server.contents) == 2
    if answer is None:
        assert len(server.said("STARTTLS")) == 1, "it is remembered"
        assert "mail to it goes in the clear for an hour" in node.text()
    node.balance()


def test_tls_that_is_required_is_not_done_without(nodes):
    server = Played({"EHLO": OFFERED, "STARTTLS": None})
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{server} {{ tls required }} }}\n", server=server.port)
    line_of(node, send(node), "deferred")
    assert not server.said("MAIL") and not server.contents


# --- a session that is refused ---

@pytest.mark.parametrize("greeting", ["554 5.7.1 you are on a list", "554-5.7.1 you are\r\n554 5.7.1 on a list", "421 4.3.2 you are on a list"])
def test_the_words_of_a_refusing_greeting_are_told(nodes, inside, greeting):
    server = Played({"": greeting})
    node = nodes("listen 127.0.0.1:{port} {{ direction out }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"
                 "queue {{ retry first 1s; retry most 1s; warn inside after 2s }}\n"
                 "domains {{ example.test 127.0.0.1:{server}; home.test 127.0.0.1:{inside} }}\n", server=server.port, inside=inside.port)
    message_id = send(node, sender="sender@home.test")
    words = re.sub(r"\r\n554 5.7.1", "", greeting).replace("554-", "554 ")
    assert words in line_of(node, message_id, "deferred")
    notice = email.message_from_bytes(inside.wait(1)[0])
    people, machine = notice.get_payload()[:2]
    assert words in people.get_payload(decode=True).decode()
    assert words in re.sub(r"\s+", " ", machine.as_string())
    assert f"127.0.0.1[127.0.0.1]:{server.port}: {words}" in node.text()


# --- nobody ---

@pytest.mark.parametrize("zone", ["MX 10 mx.far.test\nmx.far.test A 0.0.0.0", "MX 10 mx.far.test\nmx.far.test AAAA ::", "A 0.0.0.0",
                                  "MX 10 mx.far.test\nmx.far.test A 255.255.255.255"])
def test_nobody_is_final(nodes, inside, zone):
    with dns_server.DnsServer("far.test " + zone + "\n") as dns:
        node = nodes("listen 127.0.0.1:{port} {{ direction out }}\ndns {{ servers {dns}; timeout 1s; dnssec off; client names off }}\n" + HEAD +
                     "domains {{ home.test 127.0.0.1:{inside} }}\n", dns=dns.address, inside=inside.port)
        assert "dsn=5.1.10" in line_of(node, send(node, ("user@far.test",), sender="sender@home.test"), "bounced")
        inside.wait(1)
        node.balance()


# --- SMTPUTF8 ---

def utf8_header(subject="こんにちは"):
    return lab.message(subject)


@pytest.fixture(scope="module")
def old_server(tmp_path_factory):
    """A node before a server that offers no SMTPUTF8; and one that is known not to, in the configuration."""
    folder = tmp_path_factory.mktemp("utf8")
    sink = lab.Sink(folder, "--no-ext", "SMTPUTF8")
    node = lab.Node(folder, HEAD + "domains {{ example.test 127.0.0.1:{inside}; off.test 127.0.0.1:{inside} {{ smtputf8 off }} }}\n",
                    inside=sink.port)
    yield node.start(), sink
    node.kill()
    sink.stop()
    node.assert_sound()


@pytest.mark.parametrize("domain", ["example.test", "off.test"])
@pytest.mark.parametrize("sender, local, code", [
    ("sender@outside.example", "user", 250), ("info@例え.example", "user", 250), ("", "user", 250),
    ("jörg@outside.example", "user", 553), ("花子@例え.example", "user", 553), ("sender@outside.example", "太郎", 553)])
def test_what_is_needed_counts_and_not_what_was_said(old_server, domain, sender, local, code):
    node, sink = old_server
    sink.empty()
    client = lab.Client(node.port)
    replies = client.open(sender=sender, recipients=(f"{local}@{domain}",), mail="SMTPUTF8")
    assert replies[1][0] == code, replies
    assert code == 250 or "5.6.7" in replies[1][1]
    if code == 250:
        assert client.data(lab.message("ascii"))[0] == 250
        arrived = sink.wait(1)[0]
        assert all(byte < 128 for byte in arrived)
        assert b"xn--r8jz45g.example" in arrived if "例え" in sender else True


@pytest.mark.parametrize("domain", ["example.test", "off.test"])
def test_a_header_in_utf8_is_refused_while_the_sender_is_there(old_server, domain):
    client = lab.Client(old_server[0].port)
    assert [code for code, _ in client.open(recipients=(f"user@{domain}",), mail="SMTPUTF8")] == [250, 250]
    code, text = client.data(utf8_header())
    assert code == 554 and "5.6.9" in text, text


@pytest.mark.parametrize("orcpt", ["utf-8;太郎@other.example", r"utf-8;\x{592A}\x{90CE}@other.example", "utf-8;+E5+A4+AA+E9+83+8E@other.example"])
def test_an_original_recipient_in_utf8_is_passed_on_in_ascii(old_server, orcpt):
    node, sink = old_server
    sink.empty()
    code, text = lab.Client(node.port).send(lab.message("orcpt"), mail="SMTPUTF8", rcpt="ORCPT=" + orcpt)
    assert code == 250, text
    arrived = sink.wait(1)[0]
    assert rb"\x{592A}\x{90CE}@other.example" in arrived, arrived[:800]


def test_smtputf8_is_offered_where_a_domain_takes_it(old_server, nodes, inside):
    assert "SMTPUTF8" in lab.Client(old_server[0].port).features
    node = nodes(HEAD + "domains {{ example.test 127.0.0.1:{inside} {{ smtputf8 off }} }}\n", inside=inside.port)
    client = lab.Client(node.port)
    assert "SMTPUTF8" not in client.features
    assert client.send(lab.message("said all the same"), mail="SMTPUTF8")[0] == 250
    inside.wait(1)


def test_a_server_that_takes_it_gets_it_as_it_is(nodes, inside):
    node = nodes(ONE, server=inside.port)
    code, text = lab.Client(node.port).send(utf8_header(), sender="花子@例え.example", recipients=("太郎@example.test",), mail="SMTPUTF8")
    assert code == 250, text
    arrived = inside.wait(1)[0]
    assert "花子@例え.example".encode() in arrived and "こんにちは".encode() in arrived
    node.balance()


# --- 8-bit headers, and notices ---

RAW = "Subject: \u3053\u3093\u306b\u3061\u306f\nFrom: \u592a\u90ce <sender@outside.example>\nTo: user@example.test\n\nascii\n"


def test_a_raw_header_is_encoded_for_a_7bit_server(nodes, sinks):
    sink = sinks("--no-ext", "8BITMIME,SMTPUTF8")
    node = nodes(ONE, server=sink.port)
    assert lab.Client(node.port).send(RAW)[0] == 250
    arrived = sink.wait(1)[0]
    assert all(byte < 128 for byte in arrived)
    read = email.message_from_bytes(arrived, policy=email.policy.default)
    assert read["Subject"] == "\u3053\u3093\u306b\u3061\u306f" and read["From"].addresses[0].display_name == "\u592a\u90ce"
    node.balance()


SJIS = "550 5.1.1 \u305d\u306e\u3088\u3046\u306a\u5b9b\u5148\u306f\u3042\u308a\u307e\u305b\u3093"
EIGHT = ("From: sender@home.test\nTo: user@example.test\nSubject: returned\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
         "Content-Transfer-Encoding: 8bit\n\n\u672c\u6587\u3067\u3059\n")


def notice_of(nodes, sinks, message, options=(), mail="", charset="cp932"):
    """The notice that a sender inside gets when the next server refuses in this charset."""
    server, home = Played({"RCPT": SJIS.encode(charset)}), sinks(*options)
    node = nodes(OUT + "domains {{ example.test 127.0.0.1:{server}; home.test 127.0.0.1:{home} }}\n", server=server.port, home=home.port)
    assert lab.Client(node.port).send(message, sender="sender@home.test", mail=mail)[0] == 250
    arrived = home.wait(1)[0]
    node.balance()
    return arrived, email.message_from_bytes(arrived)


@pytest.mark.parametrize("charset", ["cp932", "euc_jp", "utf-8"])
def test_the_words_of_a_server_are_told_in_the_charset_that_is_claimed(nodes, sinks, charset):
    _, notice = notice_of(nodes, sinks, lab.message("refused"), charset=charset)
    people, machine, _ = notice.get_payload()
    assert people.get_content_charset() == "utf-8"
    assert SJIS.partition("5.1.1 ")[2] in people.get_payload(decode=True).decode("utf-8")
    assert machine.as_bytes().isascii() and "Diagnostic-Code: smtp; 550 5.1.1 \\x" in machine.as_string()


@pytest.mark.parametrize("options", [(), ("--no-ext", "8BITMIME,SMTPUTF8"), ("--no-ext", "all")])
def test_8bit_mail_is_returned_whole(nodes, sinks, options):
    arrived, notice = notice_of(nodes, sinks, EIGHT, options, mail="RET=FULL BODY=8BITMIME")
    returned = notice.get_payload()[2]
    assert returned.get_content_type() == "message/rfc822"
    inner = returned.get_payload()[0]
    assert inner["Subject"] == "returned" and inner.get_payload(decode=True).decode() == "\u672c\u6587\u3067\u3059\r\n"
    assert options or returned["Content-Transfer-Encoding"] == notice["Content-Transfer-Encoding"] == "8bit"
    assert not options or arrived.isascii()


@pytest.mark.parametrize("options", [(), ("--no-ext", "8BITMIME,SMTPUTF8")])
def test_a_header_in_utf8_is_returned_whole(nodes, sinks, options):
    arrived, notice = notice_of(nodes, sinks, EIGHT.replace("returned", "\u4ef6\u540d"), options, mail="RET=FULL BODY=8BITMIME")
    returned = arrived[arrived.index(b"message/global"):]
    if options:
        assert arrived.isascii()
        encoded = returned.split(b"\r\n\r\n", 1)[1].split(b"\r\n--")[0]
        returned = base64.b64decode(encoded)
    assert "Subject: \u4ef6\u540d".encode() in returned and "\u672c\u6587\u3067\u3059".encode() in returned
