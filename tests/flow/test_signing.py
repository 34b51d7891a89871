# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what our domains send leaves with signatures that others verify, by RSA and Ed25519 together, and what comes in is sealed after our
edits, also through two nodes; keys change by a reload, and a signer that is killed, or stays silent, loses nothing. Each signature is judged
by `sekimori auth` and by python3-dkim on the bytes that arrived."""
import json
import os
import re
import signal
import subprocess
import threading
import time

import lab
import peers
import pytest
import suite_messages
from dns_server import DnsServer

dkim = pytest.importorskip("dkim")
SEKIMORI = lab.BUILD / "src/cli/sekimori"
CONFIG = """
listen 127.0.0.1:{port} {{ direction in }}
listen 127.0.0.1:{out} {{ direction out }}
dns {{ servers {dns}; timeout 700ms; dnssec off; client names off }}
domains {{
    ours.test 127.0.0.1:{inside} {{ {keys} }}
    plain.test 127.0.0.1:{inside}
    * 127.0.0.1:{outside}
}}
virus {{ mode {mode} }}
spam {{ mode {mode}; tag above 5; quarantine above never; reject above never }}
auth {{ mode {mode}; {auth} }}
"""
ZONE = """
    proven.test          TXT  v=spf1 ip4:127.0.0.1 -all
    _dmarc.proven.test   TXT  v=DMARC1; p=none
"""


class Keys:
    """A pair that `sekimori dkim new` made, and its records in the DNS."""

    def __init__(self, folder, selector, domain="ours.test"):
        made = subprocess.run([SEKIMORI, "dkim", "new", domain, "--selector", selector, "--output", folder], check=True,
                              capture_output=True, text=True)
        self.lines = "; ".join(re.findall(r"^dkim .*", made.stdout, re.M))
        self.records = {name: "".join(re.findall(r'"(.*?)"', strings)) for name, strings in
                        re.findall(r"^(\S+)\. IN TXT \((.*?) \)", made.stdout, re.M | re.S)}
        assert len(self.records) == 2 and all(len(one) <= 255 for one in re.findall(r'"(.*?)"', made.stdout))

    def publish(self, dns):
        for name, record in self.records.items():
            dns.set(name, "TXT", record)
        return self


@pytest.fixture(scope="module")
def dns():
    with DnsServer(ZONE) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dkim")


@pytest.fixture(scope="module")
def keys(folder, dns):
    return Keys(folder, "a").publish(dns)


@pytest.fixture(scope="module")
def shared(tmp_path_factory, dns, keys):
    """One node with all of it, and the servers behind it."""
    folder = tmp_path_factory.mktemp("node")
    sinks = lab.Sink(folder), lab.Sink(folder)
    node = lab.Node(folder, CONFIG, **values(dns, keys.lines, sinks, "seal ours.test"))
    yield node.start(), *sinks
    node.kill()
    node.text_from = 0
    node.assert_sound()
    for sink in sinks:
        sink.stop()


def values(dns, lines, sinks, auth="", mode="on"):
    return {"inside": sinks[0].port, "outside": sinks[1].port, "dns": dns.address, "out": lab.free_port(), "keys": lines, "auth": auth,
            "mode": mode}


@pytest.fixture
def node(shared):
    shared[0].text_begins()
    yield shared[0]
    shared[0].balance()


@pytest.fixture
def inside(shared):
    shared[1].empty()
    return shared[1]


@pytest.fixture
def outside(shared):
    shared[2].empty()
    return shared[2]


def sent_out(node, **fields):
    fields = {"From": "Rector <rector@ours.test>", "To": "friend@far.test", **fields}
    return lab.Client(node.values["out"]).send(lab.message(**fields), sender="rector@ours.test", recipients=["friend@far.test"])


def judged(mail, dns, tmp_path):
    file = tmp_path / "judged.eml"
    file.write_bytes(mail)
    done = subprocess.run([SEKIMORI, "auth", file, "--client", "127.0.0.1", "--dns", dns.address.replace("@", ":"), "--json"], capture_output=True, text=True)
    return json.loads(done.stdout)


def by_peer(dns):
    """How python3-dkim asks the test's own zone."""
    return lambda name, timeout=5: b"".join(value.encode() for value in dns.values(name.decode().rstrip("."), "TXT"))


def assert_signed(mail, dns, tmp_path, count=2):
    found = judged(mail, dns, tmp_path)["dkim"]
    assert [one["result"] for one in found] == ["pass"] * count, found
    peer = dkim.DKIM(mail, minkey=1024)
    assert all(peer.verify(idx=index, dnsfunc=by_peer(dns)) for index in range(count))
    return {one["algorithm"] for one in found}


def test_what_our_domains_send_is_signed(node, outside, dns, tmp_path):
    one = node
    assert sent_out(one)[0] == 250
    mail = outside.wait(1)[0]
    assert assert_signed(mail, dns, tmp_path) == {"rsa-sha256", "ed25519-sha256"}
    assert b"l=" not in re.search(rb"DKIM-Signature:(.*\r?\n[ \t].*)*", mail)[0].replace(b"rel=", b"")
    assert not dkim.verify(b"From: b@ours.test\r\n" + mail, dnsfunc=by_peer(dns)) and not dkim.verify(mail + b"x\r\n", dnsfunc=by_peer(dns))
    lab.wait_for(lambda: re.search(r"action=accept .* signed=yes", one.text()), "the line of the log")


def test_fields_that_receive_adds_are_signed(node, outside, dns, tmp_path):
    one = node
    assert sent_out(one, Date=None, Message_ID=None)[0] == 250
    mail = outside.wait(1)[0]
    assert_signed(mail, dns, tmp_path)
    assert b"\nMessage-ID:" in mail and b"\nDate:" in mail


@pytest.mark.parametrize("author", ["friend@plain.test", "a@stranger.test", "a@ours.test, b@stranger.test"])
def test_others_are_not_signed(node, outside, author):
    one = node
    assert sent_out(one, From=author)[0] == 250
    assert b"DKIM-Signature" not in outside.wait(1)[0] and "signed=" not in one.text()


def test_all_checks_off(nodes, shared, outside, dns, keys, tmp_path):
    """Signing alone is reason enough for scan."""
    one = nodes(CONFIG, **values(dns, keys.lines, shared[1:], mode="off"))
    assert sent_out(one)[0] == 250
    assert_signed(outside.wait(1)[0], dns, tmp_path)


def newest(sink):
    files = sorted(sink.files(), key=lambda file: file.stat().st_mtime_ns)
    return files[-1].read_bytes() if files else b""


def is_signed_by(mail, count, word):
    return mail.count(b"DKIM-Signature:") == count and word in mail


def test_keys_change_by_a_reload(nodes, shared, outside, dns, keys, folder, tmp_path):
    """Old and new sign together, then the new one alone; check names what is in change; mail goes on meanwhile."""
    one = nodes(CONFIG, **values(dns, keys.lines, shared[1:]))
    new = Keys(folder, "b")
    replies, is_over = [], threading.Event()

    def load():
        while not is_over.is_set():
            replies.append(sent_out(one)[0])

    worker = threading.Thread(target=load)
    worker.start()
    try:
        for lines, count in ((f"{keys.lines}; {new.lines}", 4), (new.lines, 2)):
            one.config.write_text(re.sub(r"(ours\.test \S+ \{) .* \}", lambda found: f"{found[1]} {lines} }}", one.config.read_text()))
            check = one.run("dkim", "check", "--config", one.config, "--dns", dns.address.replace("@", ":"), check=False, where=False)
            if count == 4:
                assert check.returncode == 1 and check.stdout.count("not published") == 2, check.stdout + check.stderr
                assert "a-rsa._domainkey.ours.test: rsa, 2048 bits: published; the key b-rsa comes after it" in check.stdout
                new.publish(dns)
            else:
                assert check.returncode == 0 and "comes after" not in check.stdout, check.stdout
            one.run("reload")

            lab.wait_for(lambda: is_signed_by(newest(outside), count, b"s=b-rsa"), f"{count} signatures", 40)
    finally:
        is_over.set()
        worker.join()
    assert_signed(newest(outside), dns, tmp_path)
    assert set(replies) == {250}


def test_a_killed_signer_loses_nothing(node, outside):
    one = node
    replies = []

    def load():
        for _ in range(15):
            replies.append(sent_out(one)[0])

    workers = [threading.Thread(target=load) for _ in range(3)]
    for worker in workers:
        worker.start()
    for _ in range(4):
        time.sleep(0.3)
        for pid in one.pids("signer"):
            os.kill(pid, signal.SIGKILL)
    for worker in workers:
        worker.join()
    assert set(replies) <= {250, 451} and len(replies) == 45
    mails = outside.wait(replies.count(250))
    assert all(mail.count(b"DKIM-Signature:") == 2 for mail in mails)


def signer_of(node):
    """Its pid, once it runs: a test before may have killed it."""
    return lab.wait_for(lambda: [one["pid"] for one in node.processes() if one["name"] == "signer" and one["state"] == "running"], "signer")[0]


@pytest.fixture
def silent(node):
    pid = signer_of(node)
    os.kill(pid, signal.SIGSTOP)
    yield node
    os.kill(pid, signal.SIGCONT)


def setting_change(node, old, new):
    text = node.config.read_text()
    assert old in text
    node.config.write_text(text.replace(old, new))
    node.run("reload")


def test_a_silent_signer(silent, inside, outside):
    """What our domains send waits at its sender; what goes inward goes unsealed, and is not held up for long."""
    one, replies, began = silent, {}, time.monotonic()
    workers = [threading.Thread(target=lambda way=way: replies.update({way: way(one)})) for way in (sent_out, received)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.monotonic() - began < 10 and replies[received][0] == 250
    assert replies[sent_out][0] == 451 and "cannot be signed" in replies[sent_out][1]
    assert b"ARC-Seal" not in inside.wait(1)[0] and not outside.files()
    lab.wait_for(lambda: {"signed=failed", "sealed=failed"} <= set(re.findall(r"[a-z]+=failed", one.text())), "the lines of the log")
    assert "gives no signature: the message is deferred" in one.text() and "it goes on without" in one.text()


def test_unsigned_where_that_is_said(node, outside):
    setting_change(node, "seal ours.test", "seal ours.test; sign failing unsigned")
    pid = signer_of(node)
    try:
        os.kill(pid, signal.SIGSTOP)
        assert sent_out(node)[0] == 250
    finally:
        os.kill(pid, signal.SIGCONT)
        setting_change(node, "; sign failing unsigned", "")
    assert b"DKIM-Signature" not in outside.wait(1)[0]


# --- ARC ---

def received(node, **fields):
    fields = {"From": "Someone <someone@proven.test>", "To": "user@ours.test", **fields}
    return lab.Client(node.port).send(lab.message(**fields), sender="someone@proven.test", recipients=["user@ours.test"])


def assert_sealed(mail, dns, tmp_path, sets=1):
    found = judged(mail, dns, tmp_path)["arc"]
    assert found["result"] == "pass" and len(found["sets"]) == sets, found
    verdict, results, reason = dkim.arc_verify(mail, dnsfunc=by_peer(dns))
    assert verdict == b"pass" and len(results) == sets, reason


@pytest.mark.parametrize("body", ["plain\n", lab.gtube() + "\n"])
def test_what_comes_in_is_sealed_after_our_edits(node, inside, dns, tmp_path, body):
    one = node
    assert received(one, subject="news", body=body)[0] == 250
    mail = inside.wait(1)[0]
    assert (b"Subject: [SPAM] news" in mail) == ("GTUBE" in body)
    assert_sealed(mail, dns, tmp_path)
    seal = re.sub(rb"\s+", b" ", re.search(rb"ARC-Authentication-Results:(?:.*\r?\n[ \t])*.*", mail)[0])
    assert b"i=1; mx.example.test; spf=pass" in seal and b"dmarc=pass" in seal
    lab.wait_for(lambda: "sealed=yes" in one.text(), "the line of the log")


def test_two_nodes_make_one_chain(node, nodes, shared, inside, dns, keys, tmp_path):
    """An unbroken chain is taken up; one that no longer holds is closed with cv=fail, and then left alone."""
    second = node
    first = nodes(CONFIG, **{**values(dns, keys.lines, shared[1:], "seal ours.test"), "inside": second.port})
    assert received(first, body=lab.gtube() + "\n", subject="far")[0] == 250
    mail = inside.wait(1)[0]
    assert_sealed(mail, dns, tmp_path, 2)
    inside.empty()
    broken = mail.replace(b"far", b"near")
    assert lab.Client(second.port).send(broken.decode().replace("\r\n", "\n"), sender="a@proven.test", recipients=["user@ours.test"])[0] == 250
    closed = inside.wait(1)[0]
    assert b"cv=fail" in closed and judged(closed, dns, tmp_path)["arc"]["result"] == "fail"
    inside.empty()
    assert lab.Client(second.port).send(closed.decode().replace("\r\n", "\n"), sender="a@proven.test", recipients=["user@ours.test"])[0] == 250
    assert inside.wait(1)[0].count(b"ARC-Seal:") == closed.count(b"ARC-Seal:") == 3
    lab.wait_for(lambda: "sealed=chain" in second.text(), "the line of the log")


# --- others verify: python3-dkim and opendkim, which ask the same DNS server ---

SUITES = os.environ.get("SEKIMORI_SUITES")
SHAPES = {
    "a line": ("", "Hello.\n"),
    "no body": ("", ""),
    "blank lines at the end": ("", "Hello.\n\n\n\n"),
    "only blank lines": ("", "\n\n\n"),
    "spaces and tabs": ("X-Odd:   a \t b  \n", "a  b\t \tc   \n \n\td \n"),
    "folded fields": ("Subject: a subject that\n goes on\n\tand on\nTo: a@far.test,\n  b@far.test,\n\tc@far.test\n", "Hello.\n"),
    "lines that begin with a dot": ("", ".\n..\n.a\n"),
    "8 bits": ("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n", "\u65e5\u672c\u8a9e \u00e9\n"),
    "twice To and Subject": ("To: a@far.test\nTo: b@far.test\nSubject: a\nSubject: b\n", "Hello.\n"),
    "many fields that are signed": ("Reply-To: a@far.test\nTo: b@far.test\nSubject: c\nMIME-Version: 1.0\nContent-Type: text/plain\n"
                                    "List-Unsubscribe: <mailto:d@far.test>\n", "Hello.\n"),
    "a long line": ("", "x" * 990 + "\n"),
    "many lines": ("", "The quick brown fox jumps over the lazy dog.  \n" * 4000),
    "parts": ("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"-b\"\n", "---b\n\nHello.\n---b\nContent-Type: text/html\n\n<p>x</p>\n---b--\n"),
}


def shapes():
    date = "Date: Wed, 25 Nov 2026 01:00:00 +0000\nMessage-ID: <1@ours.test>\n"
    return [(name, f"{date}{fields}", body) for name, (fields, body) in SHAPES.items()]


def suite_messages_as_shapes():
    """Messages of the DKIM suites with their fields, but From."""
    for suite, _, messages in suite_messages.signed(SUITES) if SUITES else ():
        for name, content, _ in messages[:12]:
            head, _, body = content.decode("utf-8", "surrogateescape").replace("\r\n", "\n").partition("\n\n")
            if body:
                yield f"{suite} {name}", re.sub(r"^From *:.*\n(?:[ \t].*\n)*", "", head + "\n", flags=re.M | re.I), body


def to_all(dns, port, messages, sender, recipient, sink):
    """The mail that arrived, for each message of (name, text); one after the other in one session, so their order stays."""
    client, arrived = lab.Client(port), []
    for name, text in messages:
        sink.empty()
        reply = client.send(text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"), sender=sender, recipients=[recipient])
        assert reply[0] == 250, (name, reply)
        arrived.append(sink.wait(1)[0])
    return arrived


@pytest.fixture(scope="module")
def judges():
    one = peers.Judges()
    yield one
    one.close()


def test_others_verify_our_signatures(node, outside, dns, judges, capsys):
    """Both keys' signatures of each message; the second of python3-dkim and of opendkim is the Ed25519 one."""
    wanted = [(name, f"From: Rector <rector@ours.test>\n{head}\n{body}") for name, head, body in [*shapes(), *suite_messages_as_shapes()]]
    mails = to_all(dns, node.values["out"], wanted, "rector@ours.test", "friend@far.test", outside)
    now, table = int(time.time()), peers.Table()
    for peer, words in (("python3-dkim", judges.ask("dkim", dns, [peers.as_case(mail, now) for mail in mails])), ("opendkim", peers.opendkim(dns, mails))):
        for (name, _), word in zip(wanted, words):
            table.add(peer, "our signatures", name, "pass pass", " ".join(word.split()[:2]))
    table.tell(capsys)


def test_others_verify_our_seals(node, inside, dns, judges, capsys):
    wanted = [(name, f"From: Someone <someone@proven.test>\n{head}\n{body}") for name, head, body in [*shapes(), *suite_messages_as_shapes()]]
    mails = to_all(dns, node.port, wanted, "someone@proven.test", "user@ours.test", inside)
    assert all(mail.count(b"ARC-Seal:") == 1 for mail in mails)
    table = peers.Table()
    for (name, _), word in zip(wanted, judges.ask("arc", dns, [peers.as_case(mail, int(time.time())) for mail in mails])):
        table.add("python3-dkim", "our seals", name, "pass", word)
    table.tell(capsys)
