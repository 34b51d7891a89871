# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: an alarm reaches the hook as it was meant, whatever the hook does harms nobody, and mail never waits for it."""
import http.server
import json
import os
import resource
import signal
import stat
import subprocess
import tempfile
import threading
import time

import pytest

import lab

CONFIG = """domains {{ example.test 127.0.0.1:{inside} }}
report {{ language ja }}
alarm {{ hook {program} "{told}" "two words"; hook time {limit} }}
"""

# Each run leaves a folder: what it was given, written whole before it gets its name.
RECORD = """#!/bin/sh
new="$1/.new.$$"
mkdir "$new" && cat >"$new/input" && env >"$new/environment" && ls -l /proc/$$/fd >"$new/descriptors"
printf '%s|' "$@" >"$new/arguments"
echo $$ >"$new/pid"
mv "$new" "$1/$(date +%s%N).$$"
"""


@pytest.fixture
def hooked(nodes, inside, tmp_path):
    """A node with a hook: the script, and whatever comes behind the record it makes of its run."""
    def make(after="exit 0\n", limit="30s", more="", start=True):
        room = tmp_path / "room"  # beside the node's folder: on the way to the state no hook makes a file
        program, told = room / "hook", room / "told"
        told.mkdir(parents=True)
        program.write_text(RECORD + after)
        program.chmod(0o755)
        node = nodes(CONFIG + more, start=start, inside=inside.port, program=program, told=told, limit=limit)
        node.told_in, node.program = told, program
        return node
    return make


def runs(node):
    return sorted(one for one in node.told_in.iterdir() if not one.name.startswith("."))


def test_alarm(node, check=True):
    done = node.run("report", "--test-alarm", check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


test_alarm.__test__ = False


def values(node, name="helper"):
    return next(one["values"] for one in node.status()["processes"] if one["name"] == name)


def is_running(pid):
    """Not a zombie either: where init reaps nobody, an orphan that was killed stays one."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def send(node):
    client = lab.Client(node.port)
    assert client.send(lab.message())[0] == 250
    client.close()


def test_an_alarm_runs_the_hook(hooked, tmp_path):
    """A real alarm: a certificate that ends in two days."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "cert.pem", "-days", "3", "-subj", "/CN=mx.example.test"], check=True, capture_output=True)
    node = hooked(more=f"listen 127.0.0.1:{{port}} {{{{ tls certificate {tmp_path}/cert.pem key {tmp_path}/key.pem }}}}\n"
                       "node {{ number 7 }}\n")
    # A machine whose clock nobody keeps has another alarm.
    run = lab.wait_for(lambda: next((one for one in runs(node) if "SEKIMORI_ALARM=certificates" in (one / "environment").read_text()),
                                    None), "the hook is run", 90)
    told = json.loads((run / "input").read_text())
    assert told["host"] == "mx.example.test" and told["node"] == 7 and told["language"] == "ja"
    assert (told["alarm"], told["state"]) == ("certificates", "raised")
    assert told["text"].endswith("cert.pem: 2 days left") and "残り 2 日" in told["local"]
    assert abs(time.mktime(time.strptime(told["time"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - time.time()) < 300
    environment = dict(line.split("=", 1) for line in (run / "environment").read_text().splitlines())
    assert environment.pop("PATH") == os.environ["PATH"]
    assert environment.pop("SEKIMORI_TEXT") == told["text"] and environment.pop("SEKIMORI_TIME") == told["time"]
    for name in ("PWD", "SHLVL", "_", "OLDPWD"):  # which the shell makes
        environment.pop(name, None)
    assert environment == {"SEKIMORI_ALARM": "certificates", "SEKIMORI_STATE": "raised", "SEKIMORI_HOST": "mx.example.test",
                           "SEKIMORI_NODE": "7"}
    assert (run / "arguments").read_text() == f"{node.told_in}|two words|"


def test_one_that_lasts_and_one_that_is_over(hooked, tmp_path):
    """Raised by an earlier life: a day ago, and still so; just now, and no longer so."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "cert.pem", "-days", "3", "-subj", "/CN=mx.example.test"], check=True, capture_output=True)
    node = hooked(more=f"listen 127.0.0.1:{{port}} {{{{ tls certificate {tmp_path}/cert.pem key {tmp_path}/key.pem }}}}\n", start=False)
    now = int(time.time() * 1000)
    (node.state / "report").mkdir(parents=True)
    (node.state / "report/alarms").write_text(f"certificates raised {now - 24 * 3600 * 1000}\nqueue raised {now}\n")
    node.start()

    def told():
        return {(one["alarm"], one["state"]): one["text"] for one in (json.loads((run / "input").read_text()) for run in runs(node))}

    lab.wait_for(lambda: {("certificates", "lasts"), ("queue", "over")} <= told().keys(), "both are told", 120)
    assert told()["certificates", "lasts"].endswith("cert.pem: 2 days left")
    assert {"SEKIMORI_STATE=lasts", "SEKIMORI_STATE=over"} <= {
        line for run in runs(node) for line in (run / "environment").read_text().splitlines()}
    assert ("certificates", "raised") not in told() and ("queue", "lasts") not in told()
    kept = (node.state / "report/alarms").read_text()
    assert "certificates raised" in kept and "queue over" in kept


def test_report_is_killed_while_a_hook_runs(hooked):
    """The hook that runs goes on, once; what helper says of it belongs to nobody, and the next one is run."""
    node = hooked("[ -e \"$1/../go\" ] && exit 0\n: >\"$1/../asleep\"\nwhile [ ! -e \"$1/../go\" ]; do sleep 0.1; done\n"
                  ": >\"$1/../woken\"\n", limit="10m")
    with subprocess.Popen([lab.BUILD / "src/cli/sekimori", "report", "--state", node.state, "--test-alarm"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as asking:
        lab.wait_for((node.told_in.parent / "asleep").exists, "it runs", 60)
        (helper,), (report,) = node.pids("helper"), node.pids("report")
        os.kill(report, signal.SIGKILL)
        lab.wait_for(lambda: node.pids("report") not in ([], [report]), "report is back", 60)
        (node.told_in.parent / "go").touch()
        asking.wait(60)
    lab.wait_for((node.told_in.parent / "woken").exists, "it goes on to its end", 60)
    lab.wait_for(node.is_ready, "report takes commands", 60)
    test_alarm(node)
    assert node.pids("helper") == [helper] and len(runs(node)) == 2 and values(node)["hooks waiting"] == 0


def test_a_test_alarm_says_what_came_of_it(hooked):
    node = hooked("echo it is told; echo 'with \033[31m colour' >&2; exit $(cat \"$1/../code\" 2>/dev/null || echo 0)\n")
    assert "hook: ended with exit code 0" in test_alarm(node).stdout
    told = json.loads((runs(node)[0] / "input").read_text())
    assert (told["alarm"], told["state"], told["text"]) == ("test", "raised", "This is a test. Nothing is wrong.")
    assert "試験" in told["local"]
    assert "it is told" in node.text() and r"with \x1b[31m colour" in node.text().lower()
    # Nothing of ours is open in it: its three, and the shell's own (the script, the folder that ls reads).
    targets = [line.split(" -> ")[1] for line in (runs(node)[0] / "descriptors").read_text().splitlines() if " -> " in line]
    assert sum("socket:" in one or str(node.state) in one for one in targets) == 0, targets
    (node.told_in.parent / "code").write_text("3")
    done = test_alarm(node, check=False)
    assert done.returncode == 75 and "hook: ended with exit code 3" in done.stdout + done.stderr
    assert values(node)["hooks run"] == 2 and values(node)["hooks failed"] == 1
    assert "exit code 3" in values(node)["last trouble"] and values(node, "report")["alarm hooks that failed"] == 1


def test_one_that_hangs_is_killed_and_the_next_runs(hooked):
    node = hooked("trap '' TERM INT HUP\nif [ ! -e \"$1/../hung\" ]; then : >\"$1/../hung\"; sleep 600 & echo $! >\"$1/../child\"; "
                  "while :; do sleep 600; done; fi\n", limit="5s")
    done = test_alarm(node, check=False)
    assert done.returncode == 75 and "its time was over" in done.stdout + done.stderr
    child = int((node.told_in.parent / "child").read_text())
    lab.wait_for(lambda: not is_running(child), "its process group is gone")
    test_alarm(node)
    assert len(runs(node)) == 2


def test_one_that_writes_megabytes(hooked):
    node = hooked("dd if=/dev/zero bs=1000000 count=20 2>/dev/null | tr '\\0' x; yes 'a line' | head -c 3000000; echo the end\n")
    test_alarm(node)
    text = node.text()
    assert "bytes more of what it said are left out" in text and "the end" not in text and len(text) < 200000
    send(node)


def test_one_that_leaves_a_daemon(hooked):
    """It keeps our end of the pipe open for ever: nobody waits for that. What stays in the group is killed."""
    node = hooked("sleep 600 &\necho $! >\"$1/../mate\"\nsetsid -f sh -c \"echo \\$\\$ >'$1/../daemon'; exec sleep 300\"\n"
                  "while [ ! -s \"$1/../daemon\" ]; do sleep 0.05; done\nexit 0\n")
    began = time.monotonic()
    test_alarm(node)
    assert time.monotonic() - began < 60
    mate, daemon = (int((node.told_in.parent / name).read_text()) for name in ("mate", "daemon"))
    lab.wait_for(lambda: not is_running(mate), "what stayed in the group is gone")
    assert is_running(daemon)
    os.kill(daemon, signal.SIGKILL)
    (node.told_in.parent / "daemon").unlink()
    test_alarm(node)
    for pid in (int((run / "pid").read_text()) for run in runs(node)):
        assert not os.path.exists(f"/proc/{pid}"), "it was not waited for"
    os.kill(int((node.told_in.parent / "daemon").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("how", ["missing", "unexecutable", "writable", "replaceable", "no program"])
def test_one_that_cannot_be_run(hooked, how):
    """Mail flows, the log says why, `check` says where; and it is run again when it is mended."""
    node = hooked()
    content = node.program.read_text()
    mode = {"unexecutable": 0o644, "writable": 0o757}.get(how, 0o755)
    if how == "missing":
        node.program.unlink()
    else:
        node.program.write_text("#!/no/such/interpreter\n" if how == "no program" else content)
        node.program.chmod(mode)
    if how == "replaceable":
        node.program.parent.chmod(0o777)  # whoever may write there puts another program in its place
    done = test_alarm(node, check=False)
    says = done.stdout + done.stderr
    assert done.returncode == 75 and ("exit code 127" if how == "no program" else "hook: was not run") in says
    reason = {"missing": "No such file", "unexecutable": "may not be executed", "writable": "everybody may write to it", "replaceable": "everybody may write to its folder",
              "no program": "cannot be executed: No such file"}[how]
    assert reason in node.text() and runs(node) == []
    send(node)
    checked = node.run("check", str(node.config), check=False, where=False)
    assert checked.returncode == (0 if how == "no program" else 78)
    assert how == "no program" or f"error: alarm hook: {node.program}: " in checked.stderr and reason in checked.stderr
    node.program.write_text(content)
    node.program.chmod(0o755)
    node.program.parent.chmod(0o700)
    test_alarm(node)
    assert node.run("check", str(node.config), where=False).returncode == 0


def test_without_descriptors_it_is_not_run_and_helper_lives(hooked):
    """With none to spare, with one, and so on: what is opened for a run fails at each step, and nothing of it stays."""
    node = hooked()
    (helper,) = node.pids("helper")
    before = len(os.listdir(f"/proc/{helper}/fd"))
    most = resource.prlimit(helper, resource.RLIMIT_NOFILE)
    outcomes = []
    for spare in range(8):
        resource.prlimit(helper, resource.RLIMIT_NOFILE, (before + spare, most[1]))
        outcomes.append(test_alarm(node, check=False).returncode)
    resource.prlimit(helper, resource.RLIMIT_NOFILE, most)
    assert outcomes == sorted(outcomes, reverse=True) and outcomes.count(75) >= 3 and outcomes[-1] == 0, outcomes
    assert "Too many open files" in node.text() and len(runs(node)) == outcomes.count(0)
    test_alarm(node)
    assert node.pids("helper") == [helper] and len(os.listdir(f"/proc/{helper}/fd")) == before


def test_helper_is_killed_in_between(hooked, inside):
    node = hooked("[ -e \"$1/../fast\" ] && exit 0\n: >\"$1/../asleep\"\nexec sleep 600\n", limit="10m")
    with subprocess.Popen([lab.BUILD / "src/cli/sekimori", "report", "--state", node.state, "--test-alarm"],
                          stdout=subprocess.PIPE, text=True) as asking:
        lab.wait_for((node.told_in.parent / "asleep").exists, "it runs", 60)
        first = runs(node)[0]
        (node.told_in.parent / "fast").touch()
        os.kill(node.pids("helper")[0], signal.SIGKILL)
        send(node)
        answer = asking.communicate(timeout=60)[0]
    assert "hook: ended with exit code 0" in answer
    assert not is_running(int((first / "pid").read_text())), "it outlived helper"
    assert len(runs(node)) == 2, "it is run again, once"
    lab.wait_for(lambda: len(inside.files()) >= 1, "mail has flown", 60)
    node.balance()


def test_one_that_kills_helper_is_given_up(hooked):
    node = hooked("[ -e \"$1/../tame\" ] || kill -9 $PPID; sleep 1\n")
    done = test_alarm(node, check=False)
    assert done.returncode == 75 and "hook: was not run" in done.stdout + done.stderr
    assert len(runs(node)) == 2 and "helper died over it twice" in node.text()
    (node.told_in.parent / "tame").touch()
    send(node)
    lab.wait_for(node.is_ready, "helper is back")
    test_alarm(node)


def test_the_line_is_bounded(hooked):
    """64 wait; what is beyond is told so at once, and those that wait are run one after the other."""
    node = hooked("while [ ! -e \"$1/../go\" ]; do sleep 0.1; done\n", limit="10m")
    asking = [subprocess.Popen([lab.BUILD / "src/cli/sekimori", "report", "--state", node.state, "--test-alarm"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(67)]
    lab.wait_for(lambda: sum(one.poll() is not None for one in asking) == 3, "three are turned away", 180)
    assert values(node)["hooks waiting"] == 64 and len(runs(node)) == 1
    (node.told_in.parent / "go").touch()
    said = [one.communicate(timeout=120)[0] for one in asking]
    assert sum("hook: was not run" in one for one in said) == 3 and sum("exit code 0" in one for one in said) == 64, said
    assert "64 have no answer" in node.text() and len(runs(node)) == 64


def test_a_reload_changes_the_hook(hooked, tmp_path):
    node = hooked()
    test_alarm(node)
    other = node.program.parent / "other"
    other.write_text("#!/bin/sh\necho the other one\n")
    other.chmod(0o755)
    node.values["program"] = other
    node.write(CONFIG)
    node.run("reload")
    test_alarm(node)
    lab.wait_for(lambda: "the other one" in node.text(), "what it said is in the log")
    assert len(runs(node)) == 1


# A hook that tries what its words say, each in its turn: "open PATH", "make PATH" and so on. What came of each goes to its output file.
TRYING = """#!/usr/bin/python3
import ctypes, json, os, socket, subprocess, sys, urllib.request
sys.stdin.read()
def opened(path, how): os.close(os.open(path, how))
def run(*words): subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def traced(pid):
    if ctypes.CDLL(None, use_errno=True).ptrace(0x4206, int(pid), 0, 0): raise OSError(ctypes.get_errno(), "ptrace")
def joined(pid):
    here = os.pidfd_open(int(pid))
    if ctypes.CDLL(None, use_errno=True).syscall(438, here, 0, 0) < 0: raise OSError(ctypes.get_errno(), "pidfd_getfd")
ways = {"list": os.listdir, "open": lambda path: opened(path, os.O_RDONLY), "change": lambda path: opened(path, os.O_WRONLY),
        "make": lambda path: opened(path, os.O_WRONLY | os.O_CREAT), "remove": os.unlink, "move": lambda path: os.rename(path, path + ".old"),
        "link": lambda path: os.link(path, sys.argv[1] + "/link"), "signal": lambda pid: os.kill(int(pid), 0), "trace": traced,
        "steal": joined, "parent": lambda path: opened(f"/proc/{os.getppid()}/{path}", os.O_RDONLY),
        "post": lambda url: urllib.request.urlopen(url, b"alarm", 10).read(), "curl": lambda url: run("curl", "-sf", "--data", "alarm", url),
        "sh": lambda words: run("sh", "-c", words), "python3": lambda words: run("python3", "-c", words)}
said = {}
with open(sys.argv[1] + "/tries") as file: tries = json.load(file)
for one in tries:
    way, what = one.split(" ", 1)
    try:
        ways[way](what)
        said[one] = True
    except (OSError, subprocess.CalledProcessError) as error:
        said[one] = False
with open(sys.argv[1] + "/said.new", "w") as file: json.dump(said, file)
os.rename(sys.argv[1] + "/said.new", sys.argv[1] + "/said")
"""


class Receiver(http.server.BaseHTTPRequestHandler):
    """What a chat's web hook is."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture
def chat():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def outside():
    """Two folders where no hook may write by itself."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as one, tempfile.TemporaryDirectory(dir="/var/tmp") as other:
        yield one, other


def tried(node, tries):
    """What came of each."""
    (node.told_in / "said").unlink(missing_ok=True)
    (node.told_in / "tries").write_text(json.dumps(list(tries)))
    test_alarm(node)
    said = json.loads((node.told_in / "said").read_text())
    assert said.keys() == tries
    return said


def test_a_hook_tells_and_reaches_nothing_of_ours(hooked, inside, tmp_path, outside, chat):
    """As the same user as all processes, so that only its jail keeps it; a reload gives it a folder more."""
    cert, key = lab.certificate(tmp_path)
    granted, other = outside
    node = hooked(more=f"listen 127.0.0.1:{{port}} {{{{ tls certificate {cert} key {key} }}}}\nquarantine {{{{ most 1G }}}}\n")
    node.program.write_text(TRYING)
    send(node)
    inside.wait(1)
    (queue,), (scan,), (helper,) = node.pids("queue"), node.pids("scan"), node.pids("helper")
    files = [path for path in node.state.rglob("*") if path.is_file()]
    assert {path.relative_to(node.state).parts[0] for path in files} >= {"spool", "ledger", "run", "report"}
    never = {f"{way} {path}" for path in files for way in ("open", "change")}
    never |= {f"{way} {files[0]}" for way in ("remove", "move", "link")} | {f"open {key}", f"change {key}", f"make {node.state}/new"}
    never |= {one for name in ("spool", "ledger", "quarantine", "report", "learn", "senders", "signatures", "run")
              for one in (f"list {node.state / name}", f"make {node.state / name}/new")}
    never |= {f"make {place}/new" for place in ("/usr", "/etc", "/var/lib", "/dev", other)}
    never |= {f"{way} {pid}" for pid in (queue, scan, helper) for way in ("trace", "steal")}
    never |= {f"open /proc/{pid}/{name}" for pid in (queue, scan) for name in ("mem", "environ", "maps", "fd/0")}
    never |= {f"parent {name}" for name in ("mem", "environ", "maps", "fd/0")}
    if lab.landlock() >= 6:
        never |= {f"signal {pid}" for pid in (queue, scan)}
    always = {f"open {cert}", "open /etc/passwd", "list /usr", f"make {node.told_in}/new", "change /dev/null", "open /dev/urandom",
              f"post {chat}", f"curl {chat}", "sh echo a | tr a b | grep -q b && cat /proc/self/status && ls -l /usr >/dev/null",
              f"sh exec 3>\"$(mktemp -p {node.told_in})\"; echo a >&3; [ -d /dev/fd ] && sort </etc/passwd | head -n 1",
              "python3 import ssl, sqlite3, threading, multiprocessing; t = threading.Thread(target=print); t.start(); t.join()",
              "python3 import subprocess, socket; subprocess.check_output(['date']); socket.getaddrinfo('localhost', 25)"}
    given = {f"make {granted}/new", f"list {granted}"}
    said = tried(node, never | always | given)
    wrong = [one for one in sorted(said) if said[one] != (one in always)]
    assert not wrong, "\n".join(wrong)
    node.config.write_text(node.config.read_text().replace("hook time", f"hook writes {granted}; hook time"))
    node.run("reload")
    said = tried(node, never | always | given)
    wrong = [one for one in sorted(said) if said[one] != (one in always | given)]
    assert not wrong, "\n".join(wrong)
    assert node.pids("helper") != [helper] and "starting anew" in node.text()
    assert next(one for one in node.status()["processes"] if one["name"] == "helper")["restarts"] == 0
    node.config.write_text(node.config.read_text().replace(f"hook writes {granted}", f"hook writes {granted} {cert} {other}/none"))
    checked = node.run("check", str(node.config), check=False, where=False)
    assert checked.returncode == 78 and f"error: alarm hook writes: {cert}: is no folder" in checked.stderr
    assert f"error: alarm hook writes: {other}/none: No such file or directory" in checked.stderr and f"{granted}: " not in checked.stderr


def test_stopping_waits_for_no_hook(hooked):
    node = hooked("sleep 600\n", limit="10m")
    with subprocess.Popen([lab.BUILD / "src/cli/sekimori", "report", "--state", node.state, "--test-alarm"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        run = lab.wait_for(lambda: runs(node), "it runs", 60)[0]
        assert node.stop() == 0
    assert not is_running(int((run / "pid").read_text()))


def test_a_hook_comes_and_goes(node):
    """Without one there is no helper; a reload starts it, and leaves it idle when the hook goes."""
    def is_refused():
        done = test_alarm(node, check=False)
        return done.returncode == 78 and "neither report to nor alarm hook" in done.stderr

    assert node.pids("helper") == [] and is_refused()
    without = node.config.read_text()
    for _ in range(2):
        node.config.write_text(without + "alarm { hook /bin/echo \"it is told\" }\n")
        node.run("reload")
        test_alarm(node)
        assert len(node.pids("helper")) == 1
        assert "node" not in node.run("health", check=False).stdout, "a process that is new is not one that is down"
        node.config.write_text(without)
        node.run("reload")
        assert is_refused()
    assert node.text().count("): it is told") >= 2  # more where the node itself had something to say
    assert node.stop() == 0


def test_the_program_is_nothing_but_the_users(hooked):
    """No capability, no way to more of them: what helper's jail leaves."""
    node = hooked("grep -E 'Cap(Eff|Prm)|NoNewPrivs|Seccomp:' /proc/self/status >\"$1/../status\"\n")
    test_alarm(node)
    status = dict(line.split(":\t") for line in (node.told_in.parent / "status").read_text().splitlines())
    assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert stat.S_IMODE(node.program.stat().st_mode) == 0o755
