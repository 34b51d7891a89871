"""Goal: a reload, a renewal of certificates, a drain and its end leave nothing behind, in any order and however often: no
process turns without work, and no descriptor stays."""
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

import lab

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
LOOK = {"SEKIMORI_TEST_LOOK_MS": "100"}
CONFIG = """listen 127.0.0.1:{port} {{ direction in; tls offered {{ certificate {certificate}; key {key} }} }}
domains {{ example.test 127.0.0.1:{inside} }}
drain {{ sessions 1s }}
health {{ clock error 0 }}
"""


def cpu_s(pid):
    """What a process has computed, its own and the kernel's on its account."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def everybody(node):
    return {f"{one['name']} {one['index']}": one["pid"] for one in node.status()["processes"]} | {"master": node.process.pid}


def assert_at_rest(node, seconds=1.5):
    """None uses more than a tenth of a core while nothing is to be done; one that spins uses all of it, or half on a busy machine."""
    pids = everybody(node)
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    used = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
    assert max(used.values()) < seconds / 10, used


def descriptors(node, name):
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in node.pids(name)]


@pytest.fixture
def secure(nodes, inside, tmp_path):
    certificate, key = lab.certificate(tmp_path)
    node = nodes(CONFIG, start=False, inside=inside.port, certificate=certificate, key=key)
    node.certificate, node.key = pathlib.Path(certificate), pathlib.Path(key)
    return node.start(env=LOOK)


def renew(node, folder):
    folder.mkdir()
    certificate, key = lab.certificate(folder)
    said = node.text().count("the new configuration is in force")
    shutil.copy(key, node.key)
    shutil.copy(certificate, node.certificate)
    lab.wait_for(lambda: node.text().count("the new configuration is in force") > said, "the certificates are renewed")


def act(node, what, folder):
    if what == "renew":
        renew(node, folder)
    elif what == "drain":
        node.run("drain", "--no-wait", check=False)
    else:
        node.run(what)


ORDERS = list(itertools.permutations(("reload", "renew", "drain", "undrain")))


@pytest.mark.parametrize("order", ORDERS[::4] + [("reload", "reload", "drain"), ("drain", "reload", "drain", "renew", "undrain", "drain")],
                         ids="-".join)
def test_nothing_turns_without_work(secure, tmp_path, order):
    for number, what in enumerate(order):
        act(secure, what, tmp_path / f"renewed{number}")
        assert_at_rest(secure)
    secure.run("undrain")
    client = lab.Client(secure.port)
    assert client.send(lab.message("after all that"))[0] == 250
    client.close()


def test_reloads_leave_no_descriptor(secure, tmp_path):
    secure.run("reload")
    before = {name: descriptors(secure, name) for name in ("receive", "queue", "deliver", "lookup")}
    for _ in range(20):
        secure.run("reload")
    renew(secure, tmp_path / "renewed")
    for name, counts in before.items():  # lookup opens and closes some of its own
        assert sum(descriptors(secure, name)) <= sum(counts) + 3, name


def test_a_signal_during_a_reload_is_not_lost(secure):
    """One process hangs, so the first reload lasts; the second signal opens the log anew at once, and its configuration is in force after the first."""
    node = secure
    hung = node.pids("report")[0]
    os.kill(hung, signal.SIGSTOP)
    node.process.send_signal(signal.SIGHUP)
    lab.wait_for(lambda: "reload" in node.text(), "the first one is under way")
    os.rename(node.log, f"{node.log}.1")
    node.config.write_text(node.config.read_text() + "limits { message 700K }\n")
    node.process.send_signal(signal.SIGHUP)
    lab.wait_for(node.log.exists, "the log is open anew")
    os.kill(hung, signal.SIGCONT)
    lab.wait_for(lambda: "SIZE 716800" in lab.Client(node.port).features, "the second configuration is in force")


def test_a_process_that_is_replaced_holds_no_reload_up(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    hung = node.pids("lookup")[0]
    os.kill(hung, signal.SIGSTOP)
    with subprocess.Popen([lab.BUILD / "src/cli/sekimori", "reload", "--state", node.state]) as waits:
        time.sleep(0.5)  # master has told every process; nobody can see that from outside
        os.kill(hung, signal.SIGKILL)
        assert waits.wait(15) == 0
