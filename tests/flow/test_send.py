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


def slow_mails(sinks, tmp_path):
    """More than progress waits for before it shows itself."""
    slow = sinks("--stall", "1")
    folder = tmp_path / "mails"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.eml").write_text(lab.message(name))
    return "--server", f"127.0.0.1:{slow.port}", str(folder)


def test_no_progress_in_pipes(sinks, tmp_path):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "send", *slow_mails(sinks, tmp_path)], capture_output=True)
    assert done.returncode == 0 and done.stderr == b"" and b"\r" not in done.stdout, done


def test_no_progress_beside_json_or_quiet(sinks, tmp_path):
    words = slow_mails(sinks, tmp_path)
    for option in ("--json", "--quiet"):
        code, seen = at_terminal("send", option, *words)
        assert code == 0 and seen and "[" not in seen and "\r" not in seen.replace("\r\n", ""), seen
