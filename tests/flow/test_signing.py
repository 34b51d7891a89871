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
import pytest
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


@pytest.fixture
def outside(sinks):
    return sinks()


@pytest.fixture
def node(nodes, inside, outside, dns, keys):
    def make(lines=keys.lines, auth="", **more):
        return nodes(CONFIG, **{"inside": inside.port, "outside": outside.port, "dns": dns.address, "out": lab.free_port(),
                                "keys": lines, "auth": auth, "mode": "on", **more})
    return make


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
    one = node()
    assert sent_out(one)[0] == 250
    mail = outside.wait(1)[0]
    assert assert_signed(mail, dns, tmp_path) == {"rsa-sha256", "ed25519-sha256"}
    assert b"l=" not in re.search(rb"DKIM-Signature:(.*\r?\n[ \t].*)*", mail)[0].replace(b"rel=", b"")
    assert not dkim.verify(b"From: b@ours.test\r\n" + mail, dnsfunc=by_peer(dns)) and not dkim.verify(mail + b"x\r\n", dnsfunc=by_peer(dns))
    lab.wait_for(lambda: re.search(r"action=accept .* signed=yes", one.text()), "the line of the log")
    one.balance()


def test_fields_that_receive_adds_are_signed(node, outside, dns, tmp_path):
    one = node()
    assert sent_out(one, Date=None, Message_ID=None)[0] == 250
    mail = outside.wait(1)[0]
    assert_signed(mail, dns, tmp_path)
    assert b"\nMessage-ID:" in mail and b"\nDate:" in mail


@pytest.mark.parametrize("author", ["friend@plain.test", "a@stranger.test", "a@ours.test, b@stranger.test"])
def test_others_are_not_signed(node, outside, author):
    one = node()
    assert sent_out(one, From=author)[0] == 250
    assert b"DKIM-Signature" not in outside.wait(1)[0] and "signed=" not in one.text()


def test_all_checks_off(node, outside, dns, tmp_path):
    """Signing alone is reason enough for scan."""
    one = node(mode="off")
    assert sent_out(one)[0] == 250
    assert_signed(outside.wait(1)[0], dns, tmp_path)


def newest(sink):
    files = sorted(sink.files(), key=lambda file: file.stat().st_mtime_ns)
    return files[-1].read_bytes() if files else b""


def is_signed_by(mail, count, word):
    return mail.count(b"DKIM-Signature:") == count and word in mail


def test_keys_change_by_a_reload(node, outside, dns, keys, folder, tmp_path):
    """Old and new sign together, then the new one alone; check names what is in change; mail goes on meanwhile."""
    one = node()
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
    one.balance()


def test_a_killed_signer_loses_nothing(node, outside):
    one = node()
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
    one.balance()


@pytest.mark.parametrize("way, code", [("", 451), ("sign failing unsigned", 250)])
def test_a_silent_signer(node, outside, way, code):
    one = node(auth=way)
    pid = one.pids("signer")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        reply = sent_out(one)
        assert reply[0] == code and time.monotonic() - began < 10
    finally:
        os.kill(pid, signal.SIGCONT)
    assert ("the message is deferred" if code == 451 else "it goes on without") in one.text()
    lab.wait_for(lambda: "signed=failed" in one.text(), "the line of the log")
    if code == 451:
        assert "cannot be signed" in reply[1] and sent_out(one)[0] == 250
    assert outside.wait(1)[0].count(b"DKIM-Signature:") == (2 if code == 451 else 0)


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
    one = node(auth="seal ours.test")
    assert received(one, subject="news", body=body)[0] == 250
    mail = inside.wait(1)[0]
    assert (b"Subject: [SPAM] news" in mail) == ("GTUBE" in body)
    assert_sealed(mail, dns, tmp_path)
    seal = re.sub(rb"\s+", b" ", re.search(rb"ARC-Authentication-Results:(?:.*\r?\n[ \t])*.*", mail)[0])
    assert b"i=1; mx.example.test; spf=pass" in seal and b"dmarc=pass" in seal
    lab.wait_for(lambda: "sealed=yes" in one.text(), "the line of the log")


def test_two_nodes_make_one_chain(node, nodes, inside, outside, dns, folder, tmp_path):
    """An unbroken chain is taken up; one that no longer holds is closed with cv=fail, and then left alone."""
    second = node(auth="seal ours.test")
    first = node(auth="seal ours.test", inside=second.port)
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
    assert inside.wait(1)[0].count(b"\nARC-Seal:") + 1 == closed.count(b"\nARC-Seal:") + 1
    lab.wait_for(lambda: "sealed=chain" in second.text(), "the line of the log")


def test_mail_is_not_held_for_a_seal(node, inside):
    one = node(auth="seal ours.test")
    pid = one.pids("signer")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        assert received(one)[0] == 250
    finally:
        os.kill(pid, signal.SIGCONT)
    assert b"ARC-Seal" not in inside.wait(1)[0] and "sealed=failed" in one.text()
