# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: `sekimori setup` asks or is told, looks at the inside server, the DNS and this machine, and writes a file that `check`
takes, or says what is wrong and writes nothing."""
import os
import pty
import re
import select
import shutil
import socket
import stat
import subprocess
import threading
import time

import lab
import pytest
from dns_server import DnsServer

SEKIMORI = lab.BUILD / "src/cli/sekimori"
ZONE = """
    example.test             MX   10 mx.example.test
    mx.example.test          A    127.0.0.1
    1.0.0.127.in-addr.arpa   PTR  mx.example.test
    elsewhere.test           MX   10 mx.provider.test
    mx.provider.test         A    192.0.2.9
    a.root-servers.net       A    198.41.0.4
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="binds port 25")
LOCALE = {**os.environ, "LC_ALL": "C.UTF-8"}


@pytest.fixture
def dns():
    with DnsServer(ZONE) as server:
        yield server


def setup(*words):
    words = words if "--dns-root" in words else (*words, "--dns-root", "127.0.0.1@9")  # nobody of the world is asked
    return subprocess.run([SEKIMORI, "setup", *map(str, words)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env=LOCALE)


def answers(inside="127.0.0.1:9", domain="example.test", hostname="mx.example.test"):
    return ["--hostname", hostname, "--domain", domain, "--inside", inside, "--admin", "postmaster@example.test", "--language", "en"]


def finding(done, result, text):
    assert any(line.startswith(f"{result} ") and text in line for line in done.stdout.splitlines()), done.stdout + done.stderr


@needs_root
def test_all_is_well(sinks, dns, tmp_path):
    inside, file = sinks(), tmp_path / "etc/sekimori.conf"
    done = setup(*answers(f"127.0.0.1:{inside.port}"), "--dns", dns.address, "--dns-root", dns.address, "--output", file)
    assert done.returncode == 0, done.stdout + done.stderr
    finding(done, "ok", f"127.0.0.1:{inside.port} takes mail for postmaster@example.test")
    finding(done, "ok", "MX of example.test is mx.example.test, this machine")
    finding(done, "ok", "127.0.0.1 is named mx.example.test")
    finding(done, "ok", "port 25 is free")
    finding(done, "ok", "the DNS answers from its root")
    assert "signatures" in done.stdout and f"sekimori check --config {file}" in done.stdout
    assert inside.files() == []  # it was asked, and given nothing
    assert stat.S_IMODE(file.stat().st_mode) == 0o640 and [one.name for one in file.parent.iterdir()] == [file.name]
    check = subprocess.run([SEKIMORI, "check", file], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr
    dump = subprocess.run([SEKIMORI, "dump", file], capture_output=True, text=True).stdout
    assert "mode observe" in dump and f"127.0.0.1:{inside.port}" in dump
    before = file.read_text()
    again = setup(*answers(), "--output", file)
    assert again.returncode == 73 and "--force" in again.stderr and again.stdout == "" and file.read_text() == before
    forced = setup(*answers(), "--no-check", "--force", "--output", file)
    assert forced.returncode == 0 and file.read_text() != before


@needs_root
def test_a_world_that_does_not_agree(dns, tmp_path):
    """Nothing is at the inside server, MX leads elsewhere, the name has no address, the port is somebody else's."""
    file = tmp_path / "sekimori.conf"
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 25))
        other.listen()
        words = [*answers(domain="elsewhere.test", hostname="new.example.test"), "--domain", "none.test", "--dns", dns.address,
                 "--output", file]
        done = setup(*words)
        assert done.returncode == 69 and not file.exists() and "--yes" in done.stderr
        finding(done, "failed", "127.0.0.1:9 does not answer: ")
        finding(done, "warning", "MX of elsewhere.test is mx.provider.test, not this machine")
        finding(done, "warning", "none.test has no MX")
        finding(done, "warning", "new.example.test has no address in the DNS")
        finding(done, "failed", "port 25 is taken by ")
        finding(done, "warning", "the root servers of the DNS do not answer: only forwarding works here")
        assert f"(pid {os.getpid()})" in done.stdout and "elsewhere.test. IN MX 10 new.example.test." in done.stdout
        done = setup(*words, "--yes")
        assert done.returncode == 0 and file.exists()


def serve(replies):
    """A server that says the replies in turn, each but the first after a line; returns its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run():
        client, _ = listening.accept()
        with client, client.makefile("rb") as lines:
            for reply in replies:
                client.sendall(reply)
                if not lines.readline():
                    return
    threading.Thread(target=run, daemon=True).start()
    return listening.getsockname()[1]


@pytest.mark.parametrize("replies, result, text", [
    ([b"220 in\r\n", b"502 what\r\n", b"250 in\r\n", b"250 ok\r\n", b"250 ok\r\n"], "ok", "takes mail for"),  # HELO after EHLO
    ([b"220 in\r\n", b"250 in\r\n", b"250 ok\r\n", b"550 5.1.1 nobody\r\n"], "failed", "refuses mail for postmaster@example.test: 550"),
    ([b"220 in\r\n", b"250 in\r\n", b"250 ok\r\n", b"451 4.7.1 wait\r\n"], "warning", "puts off mail"),
    ([b"554 go away\r\n"], "failed", "554 go away"),
    ([b"SSH-2.0-OpenSSH_9.2\r\n"], "failed", "not as a mail server does"),
    ([b"220 in\r\n"], "failed", "does not answer: "),
])
def test_inside_servers(dns, tmp_path, replies, result, text):
    done = setup(*answers(f"127.0.0.1:{serve(replies)}"), "--dns", dns.address, "--output", tmp_path / "sekimori.conf", "--yes")
    finding(done, result, text)


def test_whoever_is_silent_is_not_waited_for_long(dns, tmp_path):
    dns.misbehave("*", "silent")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        done = setup(*answers(f"127.0.0.1:{silent.getsockname()[1]}"), "--dns", dns.address, "--output", tmp_path / "sekimori.conf",
                     "--timeout", 3)
    assert time.monotonic() - began < 15 and "… waiting for 127.0.0.1:" in done.stderr and "… waiting for DNS" in done.stderr
    finding(done, "failed", "does not answer: no greeting in time")
    finding(done, "warning", "MX of example.test: the DNS gives no answer")


def test_ourselves_as_the_inside_server(tmp_path):
    file = tmp_path / "sekimori.conf"
    done = setup(*answers("127.0.0.1:25"), "--dns", "127.0.0.1@9", "--yes", "--output", file)
    assert done.returncode == 64 and "the inside server cannot be this one: " in done.stderr and not file.exists()
    with DnsServer("inside.test A 127.0.0.1") as dns:  # where a name leads shows when it is asked for
        done = setup(*answers("inside.test:25"), "--dns", dns.address, "--output", file)
    assert done.returncode == 69
    finding(done, "failed", "mail would go in circles")


def test_with_a_real_resolver(sinks, tmp_path):
    """unbound on loopback; the inside server by name."""
    inside, port = sinks(), lab.free_port()
    (tmp_path / "unbound.conf").write_text(f"""
server:
    interface: 127.0.0.1@{port}
    username: ""
    chroot: ""
    pidfile: ""
    directory: "{tmp_path}"
    use-syslog: no
    module-config: "iterator"
    local-zone: "example.test." static
    local-data: "example.test. MX 5 mx.example.test."
    local-data: "mx.example.test. A 127.0.0.1"
    local-data: "inside.example.test. A 127.0.0.1"
    local-zone: "127.in-addr.arpa." static
    local-data-ptr: "127.0.0.1 other.example.test"
    local-data: "other.example.test. A 127.0.0.1"
remote-control:
    control-enable: no
""")
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        unbound = subprocess.Popen([shutil.which("unbound") or "/usr/sbin/unbound", "-d", "-c", tmp_path / "unbound.conf"], stdout=log, stderr=log)
    try:
        def is_up():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        lab.wait_for(is_up, "unbound is up")
        done = setup(*answers(f"inside.example.test:{inside.port}"), "--dns", f"127.0.0.1@{port}", "--output", tmp_path / "sekimori.conf",
                     "--yes")
    finally:
        unbound.terminate()
        unbound.wait(10)
    finding(done, "ok", f"inside.example.test:{inside.port} takes mail")
    finding(done, "ok", "MX of example.test is mx.example.test, this machine")
    finding(done, "warning", "127.0.0.1 is named other.example.test (PTR), not mx.example.test")
    assert f"servers 127.0.0.1@{port}" in (tmp_path / "sekimori.conf").read_text()


@pytest.mark.parametrize("words, text", [
    (["--hostname", "ｍｘ.example.test"], '--hostname: a full-width "ｍ" (U+FF4D)'),
    (["--domain", "a@example.test"], "--domain: a@example.test is a mail address"),
    (["--inside", "10.1.0.256"], "--inside: 10.1.0.256 is no server"),
    (["--admin", "root"], "--admin: root is no mail address"),
    (["--language", "de"], "--language: en or ja is wanted, not de"),
    (["--language", "ja", "--hostname", "mx"], "--hostname: mx にはドットがありません"),
    (["more"], "unexpected argument: more"),
    (["--hostname", "mx.example.test"], "--inside is missing"),
])
def test_options_that_cannot_be_meant(tmp_path, words, text):
    file = tmp_path / "sekimori.conf"
    done = setup(*words, "--output", file)
    assert done.returncode == 64 and text in done.stderr and not file.exists(), done


def test_japanese(tmp_path):
    file = tmp_path / "sekimori.conf"
    done = setup("--language", "ja", "--hostname", "mx.example.test", "--inside", "127.0.0.1:9", "--yes", "--no-check", "--output", file)
    text = file.read_text()
    assert done.returncode == 0 and "次にすること" in done.stdout and "language ja" in text and "記録だけ" in text and "一週間後" in text
    assert "postmaster@example.test" in text and re.search(r"^    example\.test +127\.0\.0\.1:9$", text, re.M)  # both offered


class Terminal:
    """`sekimori setup` on a terminal."""

    def __init__(self, *words):
        self.terminal, theirs = pty.openpty()
        self.process = subprocess.Popen([SEKIMORI, "setup", *map(str, words)], stdin=theirs, stdout=theirs, stderr=theirs,
                                        env=LOCALE, start_new_session=True)
        os.close(theirs)
        self.seen = ""

    def wait(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} does not come: {self.seen!r}"
            try:
                self.seen += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended before {text!r}: {self.seen!r}") from None
        self.seen = self.seen.split(text, 1)[1]

    def say(self, line):
        os.write(self.terminal, f"{line}\n".encode())

    def end(self):
        try:
            while part := os.read(self.terminal, 65536):
                self.seen += part.decode(errors="replace")
        except OSError:
            pass
        os.close(self.terminal)
        return self.process.wait(10), self.seen


def test_questions_on_a_terminal(sinks, dns, tmp_path):
    inside, file = sinks(), tmp_path / "sekimori.conf"
    desk = Terminal("--dns", dns.address, "--output", file)
    for asks, wrong, complaint, right in [
            ("(en, ja) [en]: ", "fr", "en or ja is wanted", ""),
            ("as the world knows it", "ｍｘ.example.test", "U+FF4D", "mx.example.test"),
            ("blanks between [example.test]: ", "a@b.test", "is a mail address", ""),
            (":port): ", "", "an answer is wanted", f"127.0.0.1:{inside.port}"),
            ("administrator [postmaster@example.test]: ", "root", "is no mail address", "")]:
        desk.wait(asks)
        desk.say(wrong)
        desk.wait(complaint)
        desk.wait(asks)  # asked again
        desk.say(right)
    desk.wait(f"127.0.0.1:{inside.port} takes mail for postmaster@example.test")
    code, _ = desk.end()
    if os.geteuid() == 0:
        assert code == 0 and f"example.test  127.0.0.1:{inside.port}" in file.read_text()


def test_a_failed_check_on_a_terminal(dns, tmp_path):
    file = tmp_path / "sekimori.conf"
    for word, code in ("n", 1), ("y", 0):
        desk = Terminal(*answers(), "--dns", dns.address, "--output", file)
        desk.wait("A check failed. Write the file all the same? [y/N] ")
        assert not file.exists()
        desk.say(word)
        assert desk.end()[0] == code and file.exists() == (code == 0)


def test_the_end_of_input(tmp_path):
    desk = Terminal("--language", "ja", "--output", tmp_path / "sekimori.conf")
    desk.wait("完全なホスト名")
    desk.wait(": ")
    os.write(desk.terminal, b"\x04")
    code, text = desk.end()
    assert code == 1 and "何も書きませんでした" in text and not (tmp_path / "sekimori.conf").exists()
