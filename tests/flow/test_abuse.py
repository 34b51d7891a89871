"""Goal: peers that misuse what the protocol allows (never reading, never ending, asking twice) and limits of the machine cost only them."""
import os
import resource
import signal
import socket
import threading
import time

import pytest

import lab

PLAIN = "domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"


# A sanitizer would keep what was freed for a while, and memory could not be measured.
FORGETFUL = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))


def test_a_client_that_never_reads(nodes, inside):
    """Its replies wait in bounded memory, and so do its commands; when it reads at last, each was answered."""
    node = nodes(PLAIN + "processes {{ receive 1 }}\nlimits {{ junk 0 }}\n", start=False, inside=inside.port).start(env=FORGETFUL)
    pid = node.pids("receive")[0]
    client = lab.Client(node.port)
    client.socket.settimeout(1)
    before, sent = memory_kib(pid), 0
    block = b"EHLO a\r\nNOOP\r\n" * 2500
    with pytest.raises(TimeoutError):
        for _ in range(1000):
            sent += client.socket.send(block)
    assert memory_kib(pid) - before < 16 * 1024
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


@pytest.fixture
def servers():
    """Servers that behave as their handler does: a function of the connection's file of lines and its socket."""
    made = []

    def make(handler):
        listening = socket.create_server(("127.0.0.1", 0))
        made.append(listening)

        def accept():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection):
            try:
                handler(connection.makefile("rb"), connection)
            except (OSError, ValueError):
                pass
            connection.close()

        threading.Thread(target=accept, daemon=True).start()
        return listening.getsockname()[1]

    yield make
    for one in made:
        one.close()


def test_a_late_answer_is_not_for_the_next_question(nodes, servers):
    """A server that takes its time over one recipient says nothing about the one that is asked about meanwhile."""
    def late(lines, connection):
        connection.sendall(b"220 late\r\n")
        for line in lines:
            if b"first@" in line:
                time.sleep(1.9)
                connection.sendall(b"550 no such user\r\n")
            elif b"second@" not in line:
                connection.sendall(b"250 ok\r\n")
    node = nodes("domains {{ example.test 127.0.0.1:{late} {{ recipients call-out }} }}\nlimits {{ time {{ command 1s }} }}\n", late=servers(late))
    client = lab.Client(node.port)
    codes = [one[0] for one in client.open(recipients=["first@example.test", "second@example.test"])]
    assert codes == [250, 450, 450], codes


def test_a_peer_that_speaks_for_many_clients(nodes, inside):
    """XCLIENT before each of many messages costs no memory, and no name gets into a header that is none."""
    config = "listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}\nprocesses {{ receive 1 }}\n" + PLAIN
    node = nodes(config, start=False, inside=inside.port).start(env=FORGETFUL)
    pid = node.pids("receive")[0]
    client = lab.Client(node.port)
    assert client.say("XCLIENT NAME=a+0D+0AX-Forged:+20b ADDR=192.0.2.1")[0] == 501
    before = memory_kib(pid)
    reader = threading.Thread(target=lambda: [client.file.readline() for _ in range(80000)], daemon=True)
    reader.start()
    for _ in range(800):
        client.raw(b"".join(b"XCLIENT ADDR=192.0.2.%d NAME=%s.example\r\n" % (at, b"n" * 200) for at in range(100)))
    reader.join(60)
    assert memory_kib(pid) - before < 8 * 1024
    assert client.say("EHLO last.example")[0] == 250
    assert client.send(lab.message())[0] == 250
    assert b"X-Forged" not in inside.wait(1)[0]
    node.balance()


def test_a_reply_commands_no_terminal(nodes, servers):
    """What a server answered is shown to the administrator, and does nothing there."""
    def hostile(lines, connection):
        connection.sendall(b"220 x\r\n")
        for line in lines:
            connection.sendall(b"550 5.7.1 no \x1b[2J\xc2\x9b31m\x07\r\n" if line.startswith(b"RCPT") else b"250 ok\r\n")
    port = servers(hostile)
    node = nodes(PLAIN, inside=port)
    assert lab.Client(node.port).send(lab.message())[0] == 250
    lab.wait_for(lambda: "no \\x1B[2J\\xC2\\x9B31m\\x07" in node.run("queue", "list").stdout, "the reason is shown")
    said = node.run("send", "--server", f"127.0.0.1:{port}", "--to", "user@example.test", "-", "--verbose", check=False, where=False, stdin=lab.message())
    assert "no \\x1B[2J" in said.stdout and "< 550 5.7.1 no \\x1B[2J" in said.stderr
    assert "\x1b" not in said.stdout + said.stderr + node.text()


def test_who_hangs_up_before_the_verdict_sent_nothing(nodes, inside):
    """It will send the message again, so the first copy must not be kept; who only waits is served."""
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    assert lab.Client(node.port).send(lab.message("first"))[0] == 250
    scan = node.pids("scan")[0]
    os.kill(scan, signal.SIGSTOP)
    gone, patient = lab.Client(node.port), lab.Client(node.port)
    for client, subject in ((gone, "gone"), (patient, "patient")):
        client.open()
        client.say("DATA")
        client.raw(lab.message(subject).replace("\n", "\r\n").encode() + b".\r\n")
    gone.close()
    patient.raw(b"QUIT\r\n")
    patient.socket.shutdown(socket.SHUT_WR)
    time.sleep(0.3)  # the kernel has told receive of the end; nobody can see that from outside
    os.kill(scan, signal.SIGCONT)
    assert patient.reply()[0] == 250 and patient.reply()[0] == 221
    lab.wait_for(lambda: "hung up" in node.text(), "it is noticed")
    inside.wait(2)
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    assert not any(b"Subject: gone" in one for one in inside.messages())
    node.balance()
