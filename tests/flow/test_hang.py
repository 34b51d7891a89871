"""Goal: a process that gives no sign of life is found, described and replaced, whoever it is and whoever sees it; mail flows
on, nothing is lost; and nobody is killed for a time in which the whole node stood still."""
import os
import pathlib
import re
import signal
import time

import pytest

import lab

# Long enough that a loaded machine kills nobody who works.
CONFIG = """listen 127.0.0.1:{port} {{ direction in }}
domains {{ example.test 127.0.0.1:{inside} }}
processes {{ hang 4s; receive 1; scan 1 }}
ledger {{ listen 127.0.0.1:{collector} }}
node {{ number 1; certificate {there}/mx.example.test.pem; key {there}/mx.example.test.key; ca {there}/ca.pem }}
alarm {{ hook /bin/true }}
"""
MEMBERS = ("receive", "lookup", "queue", "deliver", "ledger", "courier", "report", "helper", "scan")
OF_SCAN = ("scan-warden", "scan-nursery", "scan-worker")


def by_name(node, name):
    """Also those that only the dispatcher sees."""
    return [pid for pid in lab.offspring(node.process.pid) if lab.name_of(pid) == name]


def is_there(pid):
    return pathlib.Path(f"/proc/{pid}").exists()


@pytest.fixture
def node(nodes, inside, tmp_path):
    there = tmp_path / "ca"
    lab_node = nodes(CONFIG, start=False, inside=inside.port, collector=lab.free_port(), there=there)
    lab_node.run("ca", "init", "--dir", str(there), where=False)
    lab_node.run("ca", "issue", "mx.example.test", "--dir", str(there), where=False)
    return lab_node.start()


def send_until_taken(node, subject):
    """As a sender does: again, while the node says to come again."""
    def is_taken():
        try:
            client = lab.Client(node.port)
            code = client.send(lab.message(subject))[0]
            client.close()
        except OSError:
            return False
        assert code < 500, code
        return code == 250
    lab.wait_for(is_taken, "mail is taken", 40)


@pytest.mark.parametrize("name", MEMBERS + OF_SCAN)
def test_a_stopped_process_is_replaced(node, inside, name):
    lab.wait_for(lambda: by_name(node, name), f"{name} runs")
    if name == "scan-worker":
        lab.wait_for(lambda: len(by_name(node, name)) == 2, "the spare worker is there")
    victim, untouched = by_name(node, name)[0], node.pids("queue" if name != "queue" else "deliver")
    send_until_taken(node, "before")
    os.kill(victim, signal.SIGSTOP)
    lab.wait_for(lambda: not is_there(victim), f"{name} is killed", 30)
    lab.wait_for(lambda: by_name(node, name), f"{name} is there again", 30)
    send_until_taken(node, "after")
    said = re.search(rf"{name}[^\n]*\(pid {victim}\) gives no sign of life and is killed: stopped[^\n]*", node.text())
    assert said, node.text()[-3000:]
    if os.geteuid() == 0:
        assert "system call" in said.group() or " in " in said.group(), said.group()
    assert node.pids("queue" if name != "queue" else "deliver") == untouched
    inside.wait(2)
    assert node.balance()


def test_nobody_is_killed_for_time_in_which_all_stood_still(node, inside):
    before = sorted(lab.offspring(node.process.pid))
    everybody = [node.process.pid, *before]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(10)
    for pid in reversed(everybody):
        os.kill(pid, signal.SIGCONT)
    time.sleep(3)
    send_until_taken(node, "after a long sleep")
    assert set(before) <= set(lab.offspring(node.process.pid))  # workers may have joined
    assert "no sign of life" not in node.text()


def test_a_stopped_master_kills_nobody(node):
    before = sorted(lab.offspring(node.process.pid))
    os.kill(node.process.pid, signal.SIGSTOP)
    time.sleep(8)
    os.kill(node.process.pid, signal.SIGCONT)
    time.sleep(3)
    assert set(before) <= set(lab.offspring(node.process.pid)) and "no sign of life" not in node.text()


def test_zero_kills_nobody(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ hang 0 }}\n", inside=inside.port)
    victim = node.pids("lookup")[0]
    os.kill(victim, signal.SIGSTOP)
    time.sleep(6)
    os.kill(victim, signal.SIGCONT)
    assert node.pids("lookup") == [victim]
