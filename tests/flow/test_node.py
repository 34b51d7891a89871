"""Goal: the node as a whole: who it runs as, where it logs to, what it says when it cannot start."""
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

import lab

CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\n"


@pytest.fixture
def nobodys(inside):
    """A node with `user nobody`, not started. What it needs lies where nobody may go: pytest's folders are root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        node = lab.Node(folder, "user nobody\n" + CONFIG, inside=inside.port)
        node.signatures_at(f"{folder}/signatures")
        for link in node.libexec.iterdir():
            program = link.resolve()
            link.unlink()
            shutil.copy(program, link)
        yield node
        if node.process and node.process.poll() is None:
            node.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_processes_run_as_the_configured_user(nobodys, inside):
    node = nobodys.start()
    wanted = pwd.getpwnam("nobody").pw_uid
    for process in node.status()["processes"]:
        with open(f"/proc/{process['pid']}/status") as file:
            line = next(one for one in file if one.startswith("Uid:"))
        assert set(line.split()[1:]) == {str(wanted)}, process
    assert lab.Client(node.port).send(lab.message())[0] == 250
    inside.wait(1)
    node.balance()
    assert (node.state / "spool").stat().st_uid == wanted


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)


def capabilities(session):
    """Those in force of each process of a session: {name: {mask, …}}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.getsid(int(pid)) == session and int(pid) != session:
                status = status_of(pid)
                found.setdefault(status["Name"], set()).add(int(status["CapEff"], 16))
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_scans_where_no_user_namespace_is_to_be_had(nobodys, inside, tmp_path):
    """In a chroot the kernel makes none: scan's parents keep the right to mount, its workers and all others nothing."""
    root = tmp_path / "root"
    root.mkdir()
    jailed = ("unshare", "--mount", "sh", "-c", 'mount --rbind / "$0" && exec chroot "$0" "$@"', root)
    is_jailed = subprocess.run(["unshare", "--user", "true"], user="nobody", group=0, capture_output=True).returncode != 0
    node = nobodys.start(through=() if is_jailed else jailed)
    assert lab.Client(node.port).send(lab.message())[0] == 250
    inside.wait(1)
    found = capabilities(node.process.pid)
    mounting = {1 << 21}
    assert found.pop("scan-warden") == mounting and found.pop("scan-nursery") == mounting
    assert "scan-worker" in found and set().union(*found.values()) == {0}, found


def test_log_to_a_remote_syslog(nodes, inside):
    """RFC 5424 over UDP; nothing that a client says can make a second line."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        node = nodes(CONFIG + "log {{ to syslog at 127.0.0.1:{syslog} }}\n", inside=inside.port, syslog=server.getsockname()[1])
        assert lab.Client(node.port, hello="EHLO marked.example").send(lab.message())[0] == 250
        inside.wait(1)
        seen = b""
        while b"helo=<marked.example>" not in seen:
            packet = server.recv(65536)
            assert packet.startswith(b"<") and b">1 " in packet[:6] and b"\n" not in packet, packet
            seen += packet
        assert b" sekimori/receive " in seen and b"client=unknown[127.0.0.1]" in seen


def test_log_lines_read_as_postfix(node, inside):
    assert lab.Client(node.port).send(lab.message())[0] == 250
    inside.wait(1)
    lab.wait_for(lambda: ": removed" in node.text(), "the message is removed")
    import re
    assert re.search(r"sekimori/queue\[\d+\]: ([0-9A-Z]{13}): from=<sender@outside\.example>, size=\d+, nrcpt=1 \(queue active\)", node.text())
    assert re.search(r": ([0-9A-Z]{13}): to=<user@example\.test>, relay=\S+\[127\.0\.0\.1\]:\d+, delay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, "
                     r"dsn=2\.0\.0, status=sent \(.+\)", node.text())
    delays = re.search(r"delays=([\d.]+)/([\d.]+)/([\d.]+)/([\d.]+)", node.text()).groups()
    assert sum(map(float, delays)) < 2


def run_once(node):
    return subprocess.run([lab.BUILD / "src/master/sekimorid", "-c", node.config, "--libexec", node.libexec],
                          capture_output=True, text=True, timeout=20)


def test_clear_errors_when_it_cannot_start(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    second = run_once(node)
    assert second.returncode == 75 and "another sekimorid" in second.stderr
    other = nodes("listen 127.0.0.1:{taken} {{ direction in }}\n" + CONFIG, start=False, inside=inside.port, taken=node.port)
    taken = run_once(other)
    assert taken.returncode == 69 and "in use" in taken.stderr and str(node.port) in taken.stderr
    bad = nodes("nonsense 1\n" + CONFIG, start=False, inside=inside.port)
    wrong = run_once(bad)
    assert wrong.returncode == 78 and "sekimori.conf:" in wrong.stderr and "nonsense" in wrong.stderr
    assert node.run("status", check=False).returncode == 0
    assert bad.run("status", check=False).returncode == 69


def test_started_without_standard_descriptors(nodes, inside):
    """The log of a node whose output was closed goes nowhere, and above all into none of its own files."""
    node = nodes(CONFIG, start=False, inside=inside.port)
    command = f"exec {lab.BUILD / 'src/master/sekimorid'} -c {node.config} --libexec {node.libexec} <&- >&- 2>&-"
    node.process = subprocess.Popen(["sh", "-c", command], start_new_session=True)
    lab.wait_for(node.is_ready, "the node is ready", 25)
    assert lab.Client(node.port).send(lab.message())[0] == 250
    inside.wait(1)
    node.balance()
    written = [file for file in node.state.rglob("*") if file.is_file() and b"sekimori/master[" in file.read_bytes()]
    assert written == []


def test_each_act_on_the_node_is_recorded(nodes, inside):
    """Who did it and what came of it, also what is done while the ledger is down, and by a signal."""
    node = nodes(CONFIG, inside=inside.port)
    who = pwd.getpwuid(os.geteuid()).pw_name
    node.run("drain", "--no-wait", "--to", "127.0.0.1:2526")
    node.run("undrain")
    node.write("nonsense 1\n" + CONFIG)
    assert node.run("reload", check=False).returncode == 78
    node.write(CONFIG)
    node.run("reload")
    ledger = node.pids("ledger")[0]
    os.kill(ledger, signal.SIGSTOP)
    node.run("drain", "--no-wait")
    os.kill(ledger, signal.SIGKILL)
    node.run("undrain")
    node.run("stop")
    node.process.wait(30)
    node.run("balance", "--begin")
    node.start()
    node.stop()
    node.start()
    def told():
        looks = node.told("audit")["looks"]
        return [(one["user"], one["uid"], one["process"], one["act"], one["about"].split(",")[0].split(": error")[0]) for one in reversed(looks)]
    lab.wait_for(lambda: len(told()) >= 9, f"each act is in the record: {told()}")
    here, signalled = (who, os.geteuid(), "node"), ("signal", 2 ** 32 - 1, "node")
    assert told() == [(*here, "drain", "127.0.0.1:2526: done"), (*here, "undrain", "done"), (*here, "reload", "refused"), (*here, "reload", "done"),
                      (*here, "drain", "done"), (*here, "undrain", "done"), (*here, "stop", "done"), (*here, "balance", "the counts begin anew"),
                      (*signalled, "stop", "Terminated")]
    assert f"stop by {who} (uid {os.geteuid()}): done" in node.text()


def test_kill_of_master_ends_its_processes(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    pids = [one["pid"] for one in node.status()["processes"]]
    assert lab.Client(node.port).send(lab.message("before"))[0] == 250
    os.kill(node.process.pid, signal.SIGKILL)
    node.process.wait(5)
    lab.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "its processes have ended", 15)
    node.start()
    assert lab.Client(node.port).send(lab.message("after"))[0] == 250
    inside.wait(2)
    node.balance()


def test_start_makes_the_state_folder(tmp_path):
    """The first start of a fresh machine: nothing below the state folder's parent is there yet."""
    state, config = tmp_path / "var" / "state", tmp_path / "first.conf"
    config.write_text(f"hostname mx.example.test\nadmin postmaster@example.test\nstate {state}\n"
                      f"listen 127.0.0.1:{lab.free_port()} {{ direction in }}\ndomains {{ example.test 127.0.0.1:1 }}\n"
                      f"dns {{ servers 127.0.0.1@9; timeout 500ms; dnssec off; client names off }}\nauth mode off\nvirus {{ mode off }}\n")
    command = lab.BUILD / "src/cli/sekimori"
    started = subprocess.run([command, "start", "--config", config, "--libexec", lab.libexec(tmp_path), "--sekimorid",
                              lab.BUILD / "src/master/sekimorid"], capture_output=True, text=True, timeout=90)
    stopped = subprocess.run([command, "stop", "--state", state], capture_output=True, text=True, timeout=60)
    assert started.returncode == 0, started.stderr
    assert stopped.returncode == 0, stopped.stderr
    assert (state / "log").stat().st_size > 0


def sekimori(*words):
    return subprocess.run([lab.BUILD / "src/cli/sekimori", *words], capture_output=True, text=True, timeout=90)


def test_start_says_why_it_failed(nodes, inside, tmp_path):
    """In the terminal, not only in the log, and at once."""
    node = nodes(CONFIG, inside=inside.port)
    programs = ("--libexec", node.libexec, "--sekimorid", lab.BUILD / "src/master/sekimorid")
    taken = nodes("listen 127.0.0.1:{taken} {{ direction in }}\n" + CONFIG, start=False, inside=inside.port, taken=node.port)
    done = sekimori("start", "--config", taken.config, *programs)
    assert done.returncode == 69 and f"127.0.0.1 port {node.port}: Address already in use" in done.stderr
    bare = nodes(CONFIG, start=False, inside=inside.port)
    done = sekimori("start", "--config", bare.config, "--libexec", tmp_path / "nowhere", *programs[2:])
    assert done.returncode == 69 and f"{tmp_path}/nowhere/" in done.stderr
    done = sekimori("start", "--config", bare.config, "--sekimorid", tmp_path / "nowhere")
    assert done.returncode == 69 and f"sekimori: {tmp_path}/nowhere: No such file or directory\n--sekimorid FILE and" in done.stderr, done
    assert "BUILD/src/master/sekimorid --libexec BUILD/src/libexec" in done.stderr
    bare.write("nonsense 1\n" + CONFIG)
    done = sekimori("start", "--config", bare.config, *programs)
    assert done.returncode == 78 and ':8:1: error: unknown word "nonsense"' in done.stderr


def test_a_broken_file_does_not_hide_a_running_node(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    node.write("nonsense 1\n" + CONFIG)
    assert sekimori("status", "--config", node.config).returncode == 0
    assert sekimori("reload", "--config", node.config).returncode == 78
    node.config.write_text(node.config.read_text().replace("state ", "stat "))
    lost = sekimori("stop", "--config", node.config)
    assert lost.returncode == 78 and "--state" in lost.stderr  # never the default folder's node instead
    assert node.is_ready()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_stranger_is_told_that_the_node_is_not_his(nodes, inside):
    node = nodes(CONFIG, inside=inside.port)
    nobody = pwd.getpwnam("nobody").pw_uid
    with open(lab.BUILD / "src/cli/sekimori", "rb") as program:  # by its descriptor: nobody may not go where it is
        done = subprocess.run([f"/proc/self/fd/{program.fileno()}", "status", "--state", node.state], pass_fds=[program.fileno()],
                              capture_output=True, text=True, timeout=60, user=nobody, group=nobody, extra_groups=[])
    assert done.returncode == 77 and "somebody else" in done.stderr and "no sekimorid" not in done.stderr


def test_run_names_wrong_words():
    for words in (("--frob",), ("--port",), ("--port", "abc"), ("--port", "65535"), ("--state",)):
        done = subprocess.run([lab.ROOT / "run", *words], capture_output=True, text=True, timeout=20)
        assert done.returncode == 64 and done.stderr.startswith("./run: ") and words[0] in done.stderr, done


def test_the_node_on_one_screen(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ receive 3 }}\n", inside=inside.port)
    lab.Client(node.port).send(lab.message("one"))
    inside.wait(1)
    lab.wait_for(lambda: "1 message kept" in node.run("status").stdout, "it is counted")
    lines = node.run("status").stdout.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) < 140, lines
    assert [line.split()[0] for line in lines] == ["process", *dict.fromkeys(one["name"] for one in node.status()["processes"]), "users:"]
    assert lines[-1].startswith("users: all processes run as ")
    assert len(node.run("status", "--all").stdout.splitlines()) > 60
    queue = node.run("status", "queue").stdout
    assert queue.startswith("queue     0  running") and "journal bytes" in queue and "deliver" not in queue.split("\n")[0]
    assert node.run("status", "quene", check=False).returncode == 64
    for process in node.status()["processes"]:
        for name, value in process["values"].items():
            assert isinstance(value, (int, float)) or not value[:1].isdigit(), (name, value)


def test_what_a_reload_would_change(nodes, inside):
    text = "listen 127.0.0.1:{port}\ndomains {{ example.test 127.0.0.1:{inside} }}\nspam {{ tag above 6 }}\n"
    node = nodes(text, inside=inside.port)
    assert node.run("reload", "--diff").stdout == "a reload would change nothing\n"
    other = lab.free_port()
    node.write(text.replace("above 6", "above 5") + f"listen 127.0.0.1:{other} {{{{ strict on }}}}\nqueue {{{{ expire 3d }}}}\n")
    done = node.run("reload", "--diff", check=False)
    assert done.returncode == 1, done
    changed = done.stdout.splitlines()
    assert [line for line in changed if line[0] == "-"] == ["- queue expire 5d", "- spam tag above 6"]
    assert set(changed) >= {"+ queue expire 3d", "+ spam tag above 5", f"+ listen 127.0.0.1:{other}", f"+ listen 127.0.0.1:{other} strict on"}
    assert node.run("reload", "--diff", check=False).returncode == 1, "nothing was put in force"
    node.write(text.replace("above 6", "abvoe 6"))
    done = node.run("reload", "--diff", check=False)
    assert done.returncode == 78 and "did you mean \"above\"" in done.stderr and "^" in done.stderr, done
    node.write(text + "user nobody\n")
    done = node.run("reload", "--diff", check=False)
    assert done.returncode == 78 and "user: a change needs a restart" in done.stderr, done
    node.write(text.replace("above 6", "above 5"))
    node.run("reload")
    assert node.run("reload", "--diff").stdout == "a reload would change nothing\n"
