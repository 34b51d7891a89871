# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: bash and zsh complete what the command has, all of it; --version tells of the build."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import time

import lab
import pytest

SEKIMORI = lab.BUILD / "src/cli/sekimori"
SEKIMORID = lab.BUILD / "src/master/sekimorid"


def told(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout


def complete_in_bash(folder, *lines):
    """What a bash that never heard of Debian's helpers offers for the last word of each line."""
    script = folder / "complete.bash"
    text = told(SEKIMORI, "completions", "bash") + "complete -p sekimori >/dev/null || exit 9\n"
    for words in lines:
        split = [part for word in words for part in re.split(r"(=)", word) if part or word == ""]
        text += "COMP_WORDS=(sekimori " + " ".join(f"'{word}'" for word in split) + f"); COMP_CWORD={len(split)}\n"
        text += "_sekimori; echo \"${COMPREPLY[*]}\"\n"
    script.write_text(text)
    done = subprocess.run(["bash", "--norc", script], capture_output=True, text=True, cwd=folder, check=True)
    assert done.stderr == "", done.stderr
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_bash_completes_what_there_is(tmp_path):
    verbs = set(re.findall(r"^  ([a-z]+)  ", told(SEKIMORI, "--help"), re.M))
    assert len(verbs) > 25
    offers = complete_in_bash(tmp_path, ("",), ("quar",), *((verb, "--") for verb in verbs))
    assert offers[0] == verbs | {"--help", "--version"} and offers[1] == {"quarantine"}
    for verb, offered in zip(verbs, offers[2:], strict=True):  # each option that its help names
        text = told(SEKIMORI, verb, "--help")
        named = {"--" + name for name in re.findall(r"(?<![\w-])--([a-z][\w-]+)", text)}
        own = set(re.findall(r"^  (?:-., )?(--[a-z][\w-]+)", text, re.M))
        assert own <= offered, (verb, own - offered)
        rest = {"--help", "--sekimorid", "--libexec", "--config", "--state", "--log", "--manual"}
        assert offered <= named | rest, (verb, offered - named)


WORDS = [
    (("queue", ""), {"list", "show", "cat", "summary", "retry", "hold", "release", "remove"}),
    (("queue", "re"), {"retry", "release", "remove"}),
    (("queue", "list", "re"), set()),
    (("queue", "--from", "x", "li"), {"list"}),
    (("queue", "--from=x", "li"), {"list"}),
    (("stats", "--format", ""), {"table", "csv", "json"}),
    (("stats", "--format=c"), {"csv"}),
    (("stats", "--format="), {"table", "csv", "json"}),
    (("stats", "--by", "re"), {"recipient", "refusal"}),
    (("trace", "--verdict", "v"), {"virus"}),
    (("audit", "--act", "re"), {"release", "retry", "remove", "reload"}),
    (("missed", "--kind", "p"), {"phishing"}),
    (("status", "rec"), {"receive"}),
    (("completions", ""), {"bash", "zsh"}),
    (("rules", "fa"), {"facts"}),
    (("rules", "test", "--fa"), {"--facts"}),
    (("check", "mine"), {"mine.conf"}),
    (("check", "-c", "mine"), {"mine.conf"}),
    (("check", "--config=mine"), {"mine.conf"}),
    (("balance", "--wait", ""), set()),
    (("balance", "mine"), set()),
    (("--version", "--"), {"--json", "--help"}),
]


def test_bash_completes_words(tmp_path):
    (tmp_path / "mine.conf").write_text("")
    for (words, wanted), offered in zip(WORDS, complete_in_bash(tmp_path, *(words for words, _ in WORDS)), strict=True):
        assert offered == wanted, words


class Shell:
    """A zsh on a terminal, where `sekimori` says what it got."""

    def __init__(self, folder):
        zsh = shutil.which("zsh")
        if not zsh:
            pytest.fail("zsh is not installed")
        (folder / "_sekimori").write_text(told(SEKIMORI, "completions", "zsh"))
        (folder / ".zshrc").write_text(f"fpath=({folder} $fpath)\nautoload -Uz compinit\ncompinit -u -d {folder}/dump\nPS1='ready> '\n"
                                       "sekimori() { print -r -- \"got: $*.\" }\n")
        self.terminal, theirs = pty.openpty()
        self.process = subprocess.Popen([zsh, "-i"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=folder,
                                        env={**os.environ, "LC_ALL": "C.UTF-8", "ZDOTDIR": str(folder), "TERM": "dumb", "HOME": str(folder)})
        os.close(theirs)
        self.seen = ""

    def wait(self, text, seconds=40):
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} does not come: {self.seen!r}"
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        self.seen = self.seen.split(text, 1)[1]

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


def test_zsh_completes(tmp_path):
    """A verb, an option and its word, an argument; each is waited for, since keys that come in between end a completion."""
    shell = Shell(tmp_path)
    try:
        for steps, got in [([("sekimori quar", "antine")], "quarantine"),
                           ([("sekimori stats --form", "at"), ("cs", "v")], "stats --format=csv"),
                           ([("sekimori queue summ", "ary"), ("--js", "on")], "queue summary --json"),
                           ([("sekimori dump --explain=j", "a")], "dump --explain=ja")]:
            shell.wait("ready> ")
            for typed, added in steps:
                shell.type(typed)
                shell.wait(typed)
                shell.type("\t")
                shell.wait(added)
            shell.type("\n")
            shell.wait(f"got: {got}.")
    finally:
        shell.end()


@pytest.mark.parametrize("program", [SEKIMORI, SEKIMORID])
def test_version(program):
    version = re.search(r"version: '([0-9.]+)'", (lab.ROOT / "meson.build").read_text())[1]
    lines = told(program, "--version").splitlines()
    assert lines[0] == f"{program.name} {version}"
    facts = json.loads(told(program, "--version", "--json"))
    assert facts["program"] == program.name and facts["version"] == version and facts["compiler"].startswith(("gcc ", "clang "))
    assert facts["hardening"]["pie"] and facts["hardening"]["stack-protector"]
    for name in "OpenSSL", "SQLite", "libclamav", "libunbound", "libevent", "libseccomp":
        library = facts["libraries"][name]
        assert re.match(r"\d+\.\d+", library["built"]) and library["running"].split("-")[0] == library["built"].split("-")[0], (name, library)
        assert any(line.split()[0] == name and line.endswith(f"running {library['running']}") for line in lines[1:]), lines
    for wrong in ["--version", "more"], ["--version", "--json", "more"]:
        refused = subprocess.run([program, *wrong], capture_output=True, text=True)
        assert refused.returncode == 64 and refused.stdout == "", refused
    if (lab.ROOT / ".git").exists() and facts["commit"]:
        assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?", facts["commit"])
