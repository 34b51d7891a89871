"""Goal: what `sekimori send` shows to a person at a terminal."""
import os
import pty
import re
import subprocess

import lab


def at_terminal(*words):
    """What the command writes to a terminal, all of it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(lab.BUILD / "src/cli/sekimori", ["sekimori", *words])
    seen = b""
    try:
        while more := os.read(terminal, 65536):
            seen += more
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


def test_bar_and_lines_do_not_mix(sinks, tmp_path):
    slow = sinks("--stall", "1")
    folder = tmp_path / "mails"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.eml").write_text(lab.message(name))
    code, seen = at_terminal("send", "--server", f"127.0.0.1:{slow.port}", "--to", "a@example.test", str(folder))
    assert code == 0 and "] 3 of 4" in seen, seen
    left = [re.sub(r".*\x1b\[K", "", line.strip("\r")) for line in seen.split("\n")]  # after what a terminal erases
    assert [line for line in left if ".eml" in line and "[" in line] == [], seen
    assert "4 taken, 0 deferred, 0 refused" in left


def test_a_wrong_value_is_named():
    for words in (("--tls", "maybe"), ("--count", "x"), ("--connections", "1001")):
        done = subprocess.run([lab.BUILD / "src/cli/sekimori", "send", *words], capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 64 and done.stderr.startswith(f"sekimori send: {words[0]} is "), done
