"""Goal: `sekimori health` says at once, and whatever happens to the node, whether it is well; it is not upset by one
failure, and it names what is wrong."""
import json
import os
import re
import signal
import socket
import subprocess
import time

from dns_server import DnsServer
import lab

CONFIG = """domains {{ example.test 127.0.0.1:{inside}; * 127.0.0.1:{inside} }}
dns {{ servers {dns}; timeout 500ms; dnssec off; client names {names} }}
health {{ clock error 0; upstream {upstream}; disk free {free} }}
"""
AT_ONCE = 0.1 if lab.QUICK else 1.0  # a build with sanitizers takes its time to load


class Silent:
    """An address that answers to no SYN, on loopback: a listener whose backlog is full."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []

    def fall_silent(self):
        while True:
            filler = socket.socket()
            filler.settimeout(0.3)
            self.fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return

    def close(self):
        """From now on who connects is refused."""
        for one in (self.listener, *self.fillers):
            one.close()


def make(nodes, inside, **values):
    return nodes(CONFIG, **{"inside": inside.port, "dns": "127.0.0.1@9", "names": "off", "upstream": "none", "free": "1M", **values})


def ask(node, *options):
    """(exit code, text, seconds)"""
    since = time.monotonic()
    done = node.run("health", *options, check=False)
    return done.returncode, done.stdout, time.monotonic() - since


def becomes(node, says, seconds=25, *options):
    """Waits until it is sick for that reason; for an empty one until it is well."""
    def right():
        code, text, _ = ask(node, *options)
        return (code == 0) if not says else (code in (1, 2) and says in text)
    lab.wait_for(right, f"health says {says!r}; it says {ask(node)}", seconds)


def quickly(node, code):
    """The quickest of some tries, since the machine may be busy."""
    tries = [ask(node) for _ in range(5)]
    assert {one[0] for one in tries} == {code}, tries
    assert min(one[2] for one in tries) < AT_ONCE, tries


def test_well_and_gone(nodes, inside):
    node = make(nodes, inside)
    becomes(node, "")
    assert ask(node)[1] == "well\n"
    good = lab.wait_for(lambda: "disk" in (text := ask(node, "-v")[1]) and text, "the processes have told what they know")
    for check in ("node", "drain", "queue", "disk"):
        assert f"good  {check} " in good, good
    report = json.loads(ask(node, "--json")[1])
    assert report["healthy"] and report["serving"] and report["age_ms"] < 3000 and all(one["good"] for one in report["findings"])
    quickly(node, 0)
    watching = subprocess.Popen([lab.BUILD / "src/cli/sekimori", "health", "--serving", "--watch", "60", "--state", node.state])
    lab.wait_for(lambda: os.path.exists(f"/proc/{watching.pid}/fd") and watching.poll() is None, "it watches")
    since = time.monotonic()
    os.kill(node.process.pid, signal.SIGKILL)
    assert watching.wait(10) == 2 and time.monotonic() - since < 5
    becomes(node, "it does not run")
    quickly(node, 2)


def test_never_started(nodes, inside):
    node = nodes(CONFIG, start=False, inside=inside.port, dns="127.0.0.1@9", names="off", upstream="none", free="1M")
    code, text, _ = ask(node)
    assert code == 2 and "has not been started" in text


def test_master_hangs(nodes, inside):
    node = make(nodes, inside)
    becomes(node, "")
    node.process.send_signal(signal.SIGSTOP)
    try:
        becomes(node, "it hangs", 10)
        assert ask(node, "--serving")[0] == 2
        quickly(node, 2)
    finally:
        node.process.send_signal(signal.SIGCONT)
    becomes(node, "", 10)


def test_a_process_that_hangs_or_dies(nodes, inside):
    node = make(nodes, inside)
    becomes(node, "")
    # One death is no sickness: it is back before anybody is told.
    os.kill(node.pids("lookup")[0], signal.SIGKILL)
    lab.wait_for(lambda: any(one["name"] == "lookup" and one["restarts"] == 1 and one["state"] == "running" for one in node.status()["processes"])
                 or ask(node)[0] == 1, "lookup is back")
    assert ask(node)[0] == 0, ask(node)
    for _ in range(2):
        before = node.pids("lookup")
        os.kill(before[0], signal.SIGKILL)
        lab.wait_for(lambda: node.pids("lookup") not in ([], before), "lookup is back")
    becomes(node, "lookup 0 was restarted 3 times", 10)
    assert ask(node, "--serving")[0] == 0
    pid = node.pids("deliver")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        becomes(node, "deliver 0 does not answer", 15, "--serving")
        assert re.search(r"^deliver +0 .*\n +does not answer$", node.run("status", "--all", check=False).stdout, re.M)
        assert re.search(r"^deliver .* does not answer$", node.run("status", check=False).stdout, re.M)
    finally:
        os.kill(pid, signal.SIGCONT)
    becomes(node, "lookup 0 was restarted", 10)
    assert ask(node, "--serving")[0] == 0


def test_upstream(nodes, inside):
    silent = Silent()
    node = make(nodes, inside, upstream=f"127.0.0.1:{silent.port}")
    becomes(node, "")
    silent.fall_silent()
    becomes(node, "none of 1 upstream addresses")
    assert ask(node, "--serving")[0] == 0
    silent.close()
    becomes(node, "")  # refused is an answer


def test_dns(nodes, inside):
    with DnsServer("mx.example.test A 127.0.0.1\n") as dns:
        node = make(nodes, inside, dns=dns.address, names="on")
        becomes(node, "")
        lab.wait_for(lambda: any(q[0].endswith(".mx.example.test") for q in dns.questions), "a name that no cache has is asked for")
        dns.stop()
        becomes(node, "no answer to the last")
        dns.restart()
        becomes(node, "", 90)


def test_disk_limit_by_reload(nodes, inside):
    node = make(nodes, inside)
    becomes(node, "")
    node.values["free"] = "1024G"
    node.write(CONFIG)
    node.run("reload")
    becomes(node, "MiB are free on the disk", 10)


def plugin(node, *options):
    """(exit code, word, text, numbers by name) of the one line that a monitoring server is told."""
    code, text, _ = ask(node, "--plugin", *options)
    line = re.fullmatch(r"SEKIMORI (OK|WARNING|CRITICAL|UNKNOWN) - ([^|\n]*) \| ([^|\n]*)\n", text)
    assert line, text
    assert ("OK", "WARNING", "CRITICAL", "UNKNOWN")[code] == line[1], (code, text)
    return code, line[2], dict(word.split("=") for word in line[3].split())


def test_a_node_that_scans_nothing_says_so(nodes, inside, tmp_path):
    """Without signatures all mail is put off: check, start and health say so; with `builtin only` it is wanted."""
    database = tmp_path / "signatures"
    database.mkdir()
    node = nodes(CONFIG, start=False, inside=inside.port, dns="127.0.0.1@9", names="off", upstream="none", free="1M")
    text = node.config.read_text().replace("builtin only", "builtin").replace(f"database {node.folder / 'no-database'}", f"database {database}")
    node.config.write_text(text)
    check = subprocess.run([lab.BUILD / "src/cli/sekimori", "check", node.config], capture_output=True, text=True)
    assert check.returncode == 0 and f"warning: no virus signatures in {database}" in check.stderr and "all of it is deferred" in check.stderr
    start = subprocess.run([lab.BUILD / "src/cli/sekimori", "start", "--config", node.config, "--sekimorid", lab.BUILD / "src/master/sekimorid",
                            "--libexec", node.libexec], capture_output=True, text=True)
    try:
        assert start.returncode == 0 and f"warning: no virus signatures in {database}" in start.stderr, start
        becomes(node, "no mail counts as scanned")
        assert ask(node, "--serving")[0] == 0 and ask(node)[0] == 1
        assert lab.Client(node.port).send(lab.message("clean"))[0] == 451
        code, says, _ = plugin(node)
        assert code == 1 and "no mail counts as scanned" in says
        (database / "own.ndb").write_text("Own.Word:0:*:" + b"frobnicate".hex() + "\n")
        node.run("reload")
        becomes(node, "")
        assert plugin(node)[0] == 0 and plugin(node)[2]["signatures"] == "2"
        assert lab.Client(node.port).send(lab.message("clean"))[0] == 250
        os.utime(database / "own.ndb", (time.time() - 5 * 86400,) * 2)
        node.run("reload")
        becomes(node, "5 days old")
        node.config.write_text(text.replace("builtin from", "builtin only from"))
        node.run("reload")
        becomes(node, "")
        assert "only the built-in ones, as configured" in ask(node, "-v")[1]
    finally:
        node.run("stop")


def test_all_shows_what_alarms_are_made_of(nodes, inside):
    node = make(nodes, inside)
    becomes(node, "")
    def rows():
        code, text, _ = ask(node, "--all")
        return code == 0 and {line.split()[1]: line.split(None, 2)[2] for line in text.splitlines()}
    said = lab.wait_for(lambda: (found := rows()) and found.get("balance") and found, "report answers")
    for name in ("node", "queue", "disk", "clock", "processes", "signatures", "ledger", "certificates", "balance", "held", "upstream", "nodes"):
        assert name in said or name == "clock", (name, said)
    lab.wait_for(lambda: "signatures" in json.loads(ask(node, "--json")[1])["numbers"], "they are loaded")
    report = json.loads(ask(node, "--all", "--json")[1])
    assert {"ledger", "balance", "signatures", "queue", "disk", "certificates"} <= {one["fact"] for one in report["facts"]}
    assert report["numbers"]["disk_free_bytes"] > 0 and report["numbers"]["signatures"] == 1
    code, says, numbers = plugin(node)
    assert (code, says) == (0, "well") and numbers["healthy"] == "1" and numbers["disk_free_bytes"].endswith("B")
    node.run("drain", "--no-wait")
    lab.wait_for(lambda: plugin(node)[0] == 1 and "drain" in plugin(node)[1], "a drain is a warning")
    node.run("undrain")
    os.kill(node.process.pid, signal.SIGKILL)
    lab.wait_for(lambda: plugin(node)[0] == 2, "its end is critical")


def test_who_may_not_look_is_told_so(nodes, inside):
    if os.geteuid() != 0:
        return becomes(make(nodes, inside), "")  # only root can be somebody else
    node = make(nodes, inside)
    becomes(node, "")
    stranger = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", lab.BUILD / "src/cli/sekimori", "health", "--state", node.state]
    done = subprocess.run(stranger, capture_output=True, text=True)
    assert done.returncode == 77 and "not allowed to look" in done.stdout and "started" not in done.stdout, done
    done = subprocess.run([*stranger, "--plugin"], capture_output=True, text=True)
    assert done.returncode == 3 and done.stdout.startswith("SEKIMORI UNKNOWN - "), done


def test_an_expired_certificate(nodes, inside, tmp_path):
    pem, key, request = tmp_path / "mx.pem", tmp_path / "mx.key", tmp_path / "request"
    subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mx.example.test", "-keyout", key,
                    "-out", request], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-key", key, "-days", "-1", "-out", pem], check=True, capture_output=True)
    node = nodes("listen 127.0.0.1:{port} {{ direction in; tls certificate {pem} key {key} }}\n" + CONFIG, inside=inside.port, dns="127.0.0.1@9",
                 names="off", upstream="none", free="1M", pem=pem, key=key)
    becomes(node, f"that of listen 127.0.0.1 port {node.port} has expired")


def test_listener_on_an_address_that_is_not_here(nodes, inside):
    """It can be bound, and `check` says that nothing arrives there; unless it is the shared one."""
    node = nodes("listen 127.0.0.1:{port} {{ direction in }}\nlisten 192.0.2.77:25 {{ direction in }}\ndomains {{ example.test 127.0.0.1:{inside} }}\n",
                 inside=inside.port)
    assert lab.Client(node.port).send(lab.message())[0] == 250
    inside.wait(1)
    check = subprocess.run([lab.BUILD / "src/cli/sekimori", "check", "--config", node.config], capture_output=True, text=True)
    assert check.returncode == 0 and "192.0.2.77 is on no interface" in check.stderr
    with open(node.config, "a") as config:
        config.write("vrrp { address 192.0.2.77/24; interface eth9 }\n")
    check = subprocess.run([lab.BUILD / "src/cli/sekimori", "check", node.config], capture_output=True, text=True)
    assert check.returncode == 0 and "is on no interface" not in check.stderr
