"""Goal: peers that misuse what the protocol allows (never reading, never ending, asking twice) and limits of the machine cost only them."""
import resource
import socket
import threading
import time

import pytest

import lab

PLAIN = "domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))


def test_a_client_that_never_reads(nodes, inside):
    """Its replies wait in bounded memory, and so do its commands; when it reads at last, each was answered."""
    node = nodes(PLAIN + "processes {{ receive 1 }}\n", inside=inside.port)
    pid = node.pids("receive")[0]
    client = lab.Client(node.port)
    client.socket.settimeout(1)
    before, sent = memory_kib(pid), 0
    block = b"EHLO a\r\nNOOP\r\n" * 2500
    with pytest.raises(TimeoutError):
        for _ in range(1000):
            sent += client.socket.send(block)
    assert memory_kib(pid) - before < 8 * 1024
    assert lab.Client(node.port).send(lab.message("others"))[0] == 250
    whole, client.file = sent // 14, None
    client.socket.settimeout(20)
    answers = b""
    while answers.count(b"250 CHUNKING\r\n") < whole:
        piece = client.socket.recv(1 << 20)
        assert piece, "closed before all was answered"
        answers += piece
    inside.wait(1)
    node.balance()


def test_out_of_descriptors(nodes, inside):
    """Who comes too many is told so or waits; no process spins or ends, and mail of those who are connected flows."""
    node = nodes(PLAIN + "limits {{ connections 5000 {{ per client 5000 }} }}\nprocesses {{ receive 1 }}\n", inside=inside.port)
    pid = node.pids("receive")[0]
    first = lab.Client(node.port)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (60, 60))
    crowd = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(100)]
    lab.wait_for(lambda: "no connection can be taken" in node.text(), "it says what is the matter")
    before = cpu_ticks(pid)
    assert first.send(lab.message("while it is crowded"))[0] == 250
    time.sleep(1)
    assert cpu_ticks(pid) - before < 50, "it spins"
    for one in crowd:
        one.close()
    assert lab.Client(node.port).send(lab.message("when they are gone"))[0] == 250
    inside.wait(2)
    assert node.pids("receive") == [pid]
    node.balance()


def test_a_command_that_never_ends(nodes, inside):
    """The time for a command is for the whole line: a byte now and then does not hold a connection for ever."""
    node = nodes(PLAIN + "limits {{ time {{ command 2s }} }}\n", inside=inside.port)
    client = lab.Client(node.port)
    client.socket.settimeout(0.2)
    for _ in range(100):
        try:
            client.raw(b"x")
            answer = client.socket.recv(1000)
            assert answer.startswith(b"421 4.4.2"), answer
            return
        except TimeoutError:
            continue
    pytest.fail("it is still listened to")


def test_a_session_that_never_ends(nodes, inside):
    """It ends between two messages, and the one under way is taken."""
    node = nodes(PLAIN + "limits {{ time {{ session 1s }} }}\n", inside=inside.port)
    client = lab.Client(node.port)
    client.open()
    time.sleep(1.2)
    assert client.data(lab.message("was under way"))[0] == 250
    assert client.say("NOOP")[0] == 421
    inside.wait(1)
    node.balance()
