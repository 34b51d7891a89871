# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: the first configuration that README.md shows is good as it stands, and each command shown below it works on a node that
has it. What differs here are addresses, folders, the user, and signatures, which come with the tree."""
import os
import re
import shlex
import subprocess

import pytest

import lab

README = (lab.ROOT / "README.md").read_text()


def block_with(word):
    """The indented lines around the one that has the word."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", README, re.M)
    (block,) = [block for block in blocks if word in block]
    return [line[4:] for line in block.strip("\n").split("\n")]


def commands_of(lines):
    return [line.split(" #")[0].split("   ")[0].strip() for line in lines if line.strip()]


@pytest.fixture
def first(tmp_path, sinks):
    """Runs a command of the page; its files are below the folder, its ports this machine's."""
    inside, ports = sinks(), (lab.free_port(), lab.free_port())
    etc = tmp_path / "etc"
    etc.mkdir()

    def here(text):
        text = text.replace("/etc/sekimori", str(etc)).replace("10.1.0.25", f"127.0.0.1:{inside.port}")
        text = text.replace("0.0.0.0:25", f"127.0.0.1:{ports[0]}").replace("127.0.0.1:25 ", f"127.0.0.1:{ports[0]} ")
        text = text.replace("[::]:25", f"[::1]:{ports[1]}")
        return text.replace(" FILE", f" {lab.ROOT}/conf/samples/1-clean-english.eml").replace("today.html", str(tmp_path / "today.html"))

    config = "\n".join(block_with("listen 0.0.0.0:25 {"))
    only_here = f"""
state {tmp_path}/state
virus {{ engine clamav {{ builtin only from {lab.ROOT}/conf/signatures; database {tmp_path}/no-database }} }}
dns {{ servers 127.0.0.1@9; timeout 500ms; dnssec off; client names off }}
auth mode off
"""
    (etc / "sekimori.conf").write_text(re.sub(r"^user .*\n", "", here(config), flags=re.M) + only_here)
    programs = f"--sekimorid {lab.BUILD}/src/master/sekimorid --libexec {lab.libexec(tmp_path)}"

    def run(command):
        words = shlex.split(here(command))
        if words[0] == "sekimori":
            words[0] = str(lab.BUILD / "src/cli/sekimori")
        if words[1] == "start":
            words += shlex.split(programs)
        if words[1:3] == ["dkim", "new"]:
            words += ["--output", str(etc / "dkim")]
        return subprocess.run(words, capture_output=True, text=True, timeout=120, env={**os.environ, "SEKIMORI_CONFIG": str(etc / "sekimori.conf")})

    run.inside = inside
    yield run
    run("sekimori stop")


def test_the_commands_fit_the_configuration(first):
    """In the order of the page. health may say that something of this machine is wrong, its clock say; nothing else may fail."""
    (openssl,) = [line for line in block_with("openssl req") if line.startswith("openssl")]
    assert first(openssl).returncode == 0
    commands = commands_of(block_with("sekimori check  "))
    assert len(commands) >= 15 and commands[:2] == ["sekimori check", "sekimori start"] and commands[-1] == "sekimori stop"
    said = {}
    for command in commands:
        done = first(command)
        said[command] = done.stdout + done.stderr
        assert done.returncode in ((0, 1) if command == "sekimori health" else (0,)), (command, done.returncode, said[command])
        if command.startswith("sekimori send"):
            first.inside.wait(1)  # else nothing would have happened yet that trace could find
            lab.wait_for(lambda: first("sekimori trace --to you@example.jp").returncode == 0, "the ledger has it")
    assert ": ok: 2 listeners, 1 domain, 0 errors, " in said["sekimori check"], said["sekimori check"]
    warnings = [line for line in said["sekimori check"].splitlines() if ": warning: " in line]
    left_out = ("user is not said", "/usr/share/sekimori/")  # by this test alone: nothing is installed
    assert all(any(words in line for words in left_out) for line in warnings), warnings
    assert "mail: " in said["sekimori report --test-alarm"], "report to is set"
    assert "you@example.jp" in said["sekimori trace --to you@example.jp"]


def test_starttls_is_offered_on_both(first):
    (openssl,) = [line for line in block_with("openssl req") if line.startswith("openssl")]
    first(openssl)
    assert first("sekimori start").returncode == 0
    for server in ("127.0.0.1:25", "[::]:25"):
        done = first(f"sekimori send --tls required --to you@example.jp --server {server} FILE")
        assert done.returncode == 0, done.stdout + done.stderr
    first.inside.wait(2)


def test_every_page_that_is_named_is_there():
    for page in re.findall(r"\]\(([^)#:]+)[^)]*\)", README):
        assert (lab.ROOT / page).exists(), page


def test_run_expects_something_of_each_sample():
    """And the page says how many there are."""
    samples = sorted(path.name for path in (lab.ROOT / "conf/samples").glob("*.eml"))
    expected = re.findall(r"^expect (\S+\.eml) ", (lab.ROOT / "run").read_text(), re.M)
    numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    assert expected == samples and f"sends {numbers[len(samples) - 1]} sample mails" in README
