# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: `sekimori check` says what `start` would refuse and what is unsafe, with the cause first and the place under a caret."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

import lab

SEKIMORI = lab.BUILD / "src/cli/sekimori"
JUDGES = f"""spam base model "{lab.ROOT}/conf/model/base.model"; spam rules "{lab.ROOT}/conf/rules"; """
HEAD = "hostname mx.example.jp\n" + JUDGES + "user nobody\n"
# Where the programs are installed, their folder of signatures is out of sight.
HIDE = """[ ! -d /usr/share/sekimori/signatures ] || mount --bind "$0" /usr/share/sekimori/signatures; exec "$@" """
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


class Desk:
    """A folder with a configuration that is checked again and again."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "sekimori.conf"
        self.signatures = folder / "own-signatures"
        shutil.copytree(lab.ROOT / "conf/signatures", self.signatures)
        for name in ("mx.example.jp", "other.example.jp"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
                            "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / f"{name}.key",
                            "-out", folder / f"{name}.pem"], check=True, capture_output=True)
            (folder / f"{name}.key").chmod(0o600)

    def check(self, text, *options, head=HEAD, state=None, demote=None):
        state = state or self.folder / "state"
        self.config.write_bytes(f"{head}state {state}\nvirus {{ engine clamav {{ builtin only from {self.signatures} }} }}\n{text}".encode())
        return subprocess.run([SEKIMORI, "check", *options, self.config], capture_output=True, text=True, timeout=60, user=demote)


@pytest.fixture
def desk():
    """Where every user may look, as in none of pytest's folders."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        pathlib.Path(folder).chmod(0o755)
        yield Desk(pathlib.Path(folder))


def findings(done):
    """All but that this machine has no users for the processes, which tests/flow/test_users.py looks after."""
    lines = [line for line in done.stderr.splitlines() if ": error: " in line or ": warning: " in line]
    return [line for line in lines if "all processes run as nobody" not in line]


def good(port=None):
    """Nothing to complain of."""
    return f"listen 127.0.0.1:{port or lab.free_port()}\ndomains example.jp 10.1.0.25\n"


def test_nothing_to_complain_of(desk):
    done = desk.check(good())
    assert done.returncode == 0 and findings(done) == [], done.stderr


def test_the_line_and_a_caret(desk):
    done = desk.check(good() + "spam { tga above 6 }\n")
    lines = done.stderr.splitlines()
    assert done.returncode == 78 and lines[0].startswith(f"{desk.config}:7:8: error: unknown word \"tga\""), done.stderr
    assert lines[1:3] == ["    7 | spam { tga above 6 }", "      |        ^"]
    (problem,) = json.loads(desk.check(good() + "spam { tga above 6 }\n", "--json").stdout)["problems"]
    assert problem["source"] == "spam { tga above 6 }" and problem["column"] == 8


def test_a_missing_brace_is_one_error(desk):
    done = desk.check("listen 127.0.0.1:2525 { direction in\n" + "domains example.jp 10.1.0.25\nspam { mode on }\nqueue { expire 4d }\n")
    assert len(findings(done)) == 1 and ":5:23: error: this block has no }" in done.stderr, done.stderr


@pytest.mark.parametrize("builtin, wanted", [("only from", True), ("from", True), ("off from", False)])
@pytest.mark.parametrize("place", ["nothing", "a file", "empty"])
def test_built_in_signatures_that_are_not_there(desk, builtin, wanted, place):
    """No engine can be loaded, so that no mail would count as scanned."""
    folder = desk.folder / "signatures"
    if place == "a file":
        folder.write_text("no folder")
    if place == "empty":
        folder.mkdir()
    desk.config.write_text(f"{HEAD}state {desk.folder}/state\n{good()}virus {{ engine clamav {{ builtin {builtin} {folder} }} }}\n")
    done = subprocess.run([SEKIMORI, "check", desk.config], capture_output=True, text=True)
    assert (f"error: builtin from {folder}: no signatures there" in done.stderr) == wanted and done.returncode == 78 * wanted, done.stderr


@pytest.mark.parametrize("builtin", ["on", "only", "off", ""])
def test_built_in_signatures_of_no_installation(desk, builtin):
    """Nobody named their folder: the node starts, puts all mail off, and check says so before. With `builtin off` nobody asks for them."""
    empty = desk.folder / "empty"
    empty.mkdir()
    said = f"builtin {builtin}" if builtin else ""
    desk.config.write_text(f"{HEAD}state {desk.folder}/state\n{good()}virus {{ engine clamav {{ {said} }} }}\n")
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", HIDE, empty, SEKIMORI, "check", desk.config],
                          capture_output=True, text=True)
    wanted = builtin != "off"
    assert ("warning: no built-in signatures in /usr/share/sekimori/signatures (" in done.stderr) == wanted and done.returncode == 0, done.stderr
    assert ("all of it is deferred; an installation brings them" in done.stderr) == wanted


def braces_of(text):
    """Each brace outside of comments, with the other of its pair."""
    pairs, open_ones = {}, []
    for at, character in enumerate(text):
        if "#" in text[text.rfind("\n", 0, at) + 1:at]:
            continue
        if character == "{":
            open_ones.append(at)
        elif character == "}":
            pairs[at] = open_ones.pop()
            pairs[pairs[at]] = at
    return pairs


@pytest.mark.parametrize("how", ["missing", "doubled", "full-width"])
def test_any_brace_of_an_example(tmp_path, how):
    """One error for it, in its line or in that of the other of its pair."""
    text = (lab.ROOT / "conf/sekimori.conf").read_text()
    pairs, config = braces_of(text), tmp_path / "sekimori.conf"
    assert len(pairs) >= 14

    def errors(content):
        config.write_text(content)
        said = subprocess.run([SEKIMORI, "check", config], capture_output=True, text=True).stderr
        return [int(line) for line in re.findall(r"^[^\n]*sekimori\.conf:(\d+):\d+: error: (?![a-z]+ [^ ]+: )", said, re.M)]
    for at, other in pairs.items():
        new = {"missing": "", "doubled": text[at] * 2, "full-width": chr(ord(text[at]) + 0xFEE0)}[how]
        lines = {text.count("\n", 0, one) + 1 for one in (at, other)}
        found = errors(text[:at] + new + text[at + 1:])
        assert len(found) == 1 and (found[0] in lines or how == "doubled" and min(lines) <= found[0] <= max(lines) + 1), (at, lines, found)


@pytest.mark.parametrize("charset, name", [("cp932", "Shift_JIS"), ("euc-jp", "EUC-JP"), ("utf-16", "UTF-16"), ("iso-2022-jp", "ISO-2022-JP")])
def test_a_file_that_is_not_utf_8(desk, charset, name):
    desk.config.write_bytes((HEAD + "# 関守の設定\n" + good()).encode(charset))
    done = subprocess.run([SEKIMORI, "check", desk.config], capture_output=True)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 78 and said.count("error: ") == 1 and f"not UTF-8; it looks like {name}" in said, said


# --- what start refuses ---

def test_who_has_the_port(desk):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for address in ("127.0.0.1", "0.0.0.0"):
            done = desk.check(f"listen {address}:{port} {{ from 127.0.0.0/8 }}\ndomains example.jp 10.1.0.25\n")
            assert done.returncode == 78 and f"(pid {os.getpid()})" in done.stderr and "the port is taken by " in done.stderr, done.stderr
    done = desk.check(good(port))
    assert done.returncode == 0, done.stderr


def test_the_collector_is_a_listener_too(desk):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = desk.check(good() + f"node {{ number 1; certificate mx.example.jp.pem; key mx.example.jp.key; ca mx.example.jp.pem }}\n"
                          f"ledger listen 127.0.0.1:{taken.getsockname()[1]}\n")
    assert f"(pid {os.getpid()})" in done.stderr, done.stderr


def test_what_the_node_has_itself_is_no_problem(tmp_path):
    node = lab.Node(tmp_path, "domains {{ example.test 127.0.0.1:9 }}\n").start()
    try:
        done = subprocess.run([SEKIMORI, "check", node.config], capture_output=True, text=True)
        assert done.returncode == 0 and "taken" not in done.stderr, done.stderr
        other = tmp_path / "other.conf"
        other.write_text(node.config.read_text().replace(f"state {node.state}", f"state {tmp_path}/other"))
        done = subprocess.run([SEKIMORI, "check", other], capture_output=True, text=True)
        assert done.returncode == 78 and "the port is taken by " in done.stderr and "(pid " in done.stderr, done.stderr
        done = subprocess.run([lab.BUILD / "src/master/sekimorid", "-c", other, "--libexec", node.libexec], capture_output=True, text=True, timeout=20)
        assert done.returncode == 69 and "Address already in use, by " in done.stderr, done.stderr
    finally:
        node.stop()


@needs_root
def test_ports_below_1024_are_for_root(desk):
    text = "listen 127.0.0.1:25\ndomains example.jp 10.1.0.25\n"
    low = subprocess.run(["sysctl", "-n", "net.ipv4.ip_unprivileged_port_start"], capture_output=True, text=True).stdout.strip()
    if low != "1024":
        pytest.skip(f"here ports from {low} on are for everybody")
    done = desk.check(text, head="hostname mx.example.jp\n", demote="nobody", state="/tmp/sekimori-none/state")
    assert done.returncode == 78 and "a port below 1024 is for root" in done.stderr, done.stderr
    done = desk.check(text, demote="nobody", state="/tmp/sekimori-none/state")
    assert done.returncode == 0 and "warning: listen 127.0.0.1:25: a port below 1024 is for root" in done.stderr, done.stderr


def test_a_user_who_is_not_there(desk):
    done = desk.check(good(), head="hostname mx.example.jp\nuser no-such-user\n")
    assert "there is no user no-such-user on this machine" in done.stderr
    assert done.returncode == (78 if os.geteuid() == 0 else 0)
    done = desk.check(good() + "rights operate no-such-user\n")
    assert done.returncode == 0 and "warning: rights operate: there is no user no-such-user" in done.stderr, done.stderr


def test_a_state_folder_that_cannot_be(desk):
    (desk.folder / "file").write_text("")
    for state, says in [(desk.folder / "file", "is no folder"), (desk.folder / "file/state", "file is no folder")]:
        done = desk.check(good(), state=state)
        assert done.returncode == 78 and says in done.stderr, done.stderr
    (desk.folder / "new").mkdir()
    assert desk.check(good(), state=desk.folder / "new/deep/er").returncode == 0


@needs_root
def test_a_state_folder_of_somebody_else(desk):
    state = desk.folder / "state"
    (state / "spool").mkdir(parents=True)
    assert desk.check(good()).returncode == 0  # started by root, the node gives it to its processes
    for parent in [desk.folder, *desk.folder.parents[:2]]:
        parent.chmod(0o755)
    os.chown(state, 65534, 65534)
    done = desk.check(good(), head="hostname mx.example.jp\n", demote="nobody")
    assert done.returncode == 78 and f"state {state}: {state}/spool belongs to root, and the processes run as nobody" in done.stderr, done.stderr
    os.chown(state, 0, 0)
    done = desk.check(good(), head="hostname mx.example.jp\n", demote="nobody")
    assert done.returncode == 78 and f"state {state}: nobody may not write to it" in done.stderr, done.stderr
    done = desk.check(good(), head="hostname mx.example.jp\n", demote="nobody", state=desk.folder / "new/state")
    assert done.returncode == 78 and f"it is not there and cannot be made: {desk.folder}: Permission denied" in done.stderr, done.stderr


@pytest.mark.parametrize("options, locale, says", [
    ((), "ja_JP.UTF-8", "listen 文がありません"), (("--language", "ja"), "C", "listen 文がありません"), ((), "C.UTF-8", "no listen statement"),
    (("--language=en",), "ja_JP.UTF-8", "no listen statement"), (("--json",), "ja_JP.UTF-8", "no listen statement")])
def test_in_japanese(desk, monkeypatch, options, locale, says):
    monkeypatch.setenv("LC_ALL", locale)
    done = desk.check("domains example.jp 10.1.0.25\n", *options)
    assert done.returncode == 0 and says in done.stderr + done.stdout, done.stderr
    if "--json" not in options:
        assert ("問題ありません: リスナー 0, ドメイン 1, エラー 0, 警告" in done.stdout) == ("listen 文" in says), done.stdout


# --- what is unsafe ---

@needs_root
def test_no_user(desk):
    done = desk.check(good(), head="hostname mx.example.jp\n")
    assert done.returncode == 0 and "warning: user is not said" in done.stderr, done.stderr


@pytest.mark.parametrize("name, says", [("mail", "has no dot"), ("localhost", "has no dot"), ("mx.example.local", "means nothing outside"),
                                        ("localhost.localdomain", "means nothing outside"), ("mx.example.jp", None)])
def test_a_host_name_that_is_none(desk, name, says):
    done = desk.check(good(), head=f"hostname {name}\n{JUDGES}user nobody\n")
    assert done.returncode == 0 and [says in one for one in findings(done)] == ([True] if says else []), done.stderr


def test_an_address_is_no_host_name(desk):
    done = desk.check(good(), head="hostname 192.0.2.1\nuser nobody\n")
    assert done.returncode == 78 and '"192.0.2.1" is not valid here: hostname' in done.stderr, done.stderr


def tls(port, certificate, key):
    return f"listen 127.0.0.1:{port} {{ tls certificate {certificate} key {key} }}\ndomains example.jp 10.1.0.25\n"


def test_certificates_that_do_not_fit(desk):
    port = lab.free_port()
    assert findings(desk.check(tls(port, "mx.example.jp.pem", "mx.example.jp.key"))) == []
    done = desk.check(tls(port, "other.example.jp.pem", "other.example.jp.key"))
    assert done.returncode == 0 and "other.example.jp.pem is not for the host name mx.example.jp" in done.stderr, done.stderr
    done = desk.check(tls(port, "mx.example.jp.key", "mx.example.jp.pem"))
    assert done.returncode == 78 and "certificate and key are swapped" in done.stderr, done.stderr
    done = desk.check(tls(port, "mx.example.jp.key", "mx.example.jp.key"))
    assert done.returncode == 78 and "holds a key and no certificate" in done.stderr, done.stderr
    done = desk.check(tls(port, "mx.example.jp.pem", "other.example.jp.pem"))
    assert done.returncode == 78 and "holds a certificate and no key" in done.stderr, done.stderr


@pytest.mark.parametrize("listen, is_public", [("0.0.0.0:{} {{ direction in }}", True), ("[::]:{}", True), ("192.0.2.9:{}", True), ("127.0.0.1:{}", False),
                                               ("0.0.0.0:{} {{ direction out; from 10.0.0.0/8 }}", False), ("10.1.2.3:{}", False)])
def test_a_public_listener_without_a_certificate(desk, listen, is_public):
    done = desk.check("listen " + listen.format(lab.free_port()) + "\ndomains example.jp 10.1.0.25\n")
    assert done.returncode == 0, done.stderr
    assert ("open to the world and has no certificate" in done.stderr) == is_public, done.stderr


def test_a_page_that_is_not_there(desk):
    port = lab.free_port()
    text = good() + f"digest {{ send on; page \"http://127.0.0.1:{port}/release\" }}\n"
    done = desk.check(text)
    assert done.returncode == 0 and f"digest page http://127.0.0.1:{port}/release: nothing is there (Connection refused)" in done.stderr, done.stderr
    with socket.create_server(("127.0.0.1", port)):
        assert findings(desk.check(text)) == []
    done = desk.check(good() + "digest { send on; page \"mx.example.jp\" }\n")
    assert "is no http:// or https:// address" in done.stderr, done.stderr


def test_what_mail_is_judged_with(desk):
    """A model or rules that are not there are told of; where none is wanted, nothing is said."""
    def said(spam):
        return " ".join(findings(desk.check(good() + spam, head="hostname mx.example.jp\nuser nobody\n")))
    empty, damaged = desk.folder / "empty", desk.folder / "damaged.model"
    empty.mkdir()
    model = bytearray((lab.ROOT / "conf/model/base.model").read_bytes())
    model[-1] ^= 1
    damaged.write_bytes(model)
    of_rules = "mail is judged without these rules: "
    assert f"{of_rules}no file *.rules is in {empty}" in said(f"spam {{ base model none; rules {empty} }}\n")
    both = said("spam { base model /nope.model; rules /nope; own rules /nope.d }\n")
    assert "/nope.model: No such file" in both and f"{of_rules}there is no folder /nope" in both and "folder /nope.d" in both
    assert f"{damaged}: it is damaged" in said(f"spam {{ base model {damaged}; rules none }}\n")
    assert said(f"spam {{ base model none; rules none; own rules {empty} }}\n") == ""
