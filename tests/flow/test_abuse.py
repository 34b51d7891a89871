"""Goal: peers that misuse what the protocol allows (never reading, never ending, asking twice) and limits of the machine cost only them."""
import contextlib
import os
import resource
import signal
import socket
import struct
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


def opened(client, *words):
    client.open()
    for one in words:
        client.say(one)


def mail_again_and_again(client, number):
    client.raw((b"MAIL FROM:<a@b.example>\r\n", b"RSET\r\n")[number % 2])


DRIPS = {  # how the client gets there, and what it says every 200 ms from then on
    "before EHLO": (lambda client: None, lambda client, number: client.raw(b"x")),
    "a PROXY header": (lambda client: client.raw(b"PROXY TCP4 "), lambda client, number: client.raw(b"1")),
    "a TLS handshake": (lambda client: (client.say("EHLO slow.example"), client.say("STARTTLS"), client.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")),
                        lambda client, number: client.raw(b"\0")),
    "a command line": (lambda client: client.say("EHLO slow.example"), lambda client, number: client.raw(b"x")),
    "EHLO": (lambda client: None, lambda client, number: client.raw(b"EHLO slow.example\r\n")),
    "NOOP": (lambda client: client.say("EHLO slow.example"), lambda client, number: client.raw(b"NOOP\r\n")),
    "NOOP after MAIL": (lambda client: (client.say("EHLO slow.example"), opened(client)), lambda client, number: client.raw(b"NOOP\r\n")),
    "MAIL and RSET": (lambda client: client.say("EHLO slow.example"), mail_again_and_again),
    "DATA": (lambda client: (client.say("EHLO slow.example"), opened(client, "DATA")), lambda client, number: client.raw(b"x")),
    "DATA after a burst": (lambda client: (client.say("EHLO slow.example"), opened(client, "DATA"), client.raw(b"x" * 900_000)), lambda client, number: client.raw(b"x")),
    "BDAT": (lambda client: (client.say("EHLO slow.example"), opened(client), client.raw(b"BDAT 100000 LAST\r\n")), lambda client, number: client.raw(b"x")),
    "BDAT by octets": (lambda client: (client.say("EHLO slow.example"), opened(client)), lambda client, number: client.raw(b"BDAT 1\r\nx")),
    "BDAT that was refused": (lambda client: (client.say("EHLO slow.example"), client.raw(b"BDAT 100000\r\n")), lambda client, number: client.raw(b"x")),
}
UNHURRIED = "limits {{ errors 10000; least rate 1000; connections {{ per client 1000 }}; time {{ greeting 3s; command 3s; data 3s }} }}\n"


def time_until_closed(client, drip, most=30):
    """Seconds until the other side has closed."""
    start, number = time.monotonic(), 0
    client.socket.settimeout(0.2)
    while time.monotonic() - start < most:
        try:
            drip(client, number)
            number += 1
            if client.socket.recv(65536) == b"":
                break
            time.sleep(0.2)
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - start


def test_no_drip_holds_a_connection(nodes, inside, tmp_path):
    """In every state the time runs on from the beginning of the stage, whatever comes; who is quick enough is not cut off."""
    certificate, key = lab.certificate(tmp_path)
    node = nodes("listen 127.0.0.1:{port} {{ direction in; tls certificate {certificate} key {key} }}\n"
                 "listen 127.0.0.1:{proxied} {{ direction in; proxy 127.0.0.1 }}\n" + PLAIN + UNHURRIED,
                 inside=inside.port, proxied=(proxied := lab.free_port()), certificate=certificate, key=key)
    took = {}

    def run(name, begin, drip):
        client = lab.Client(proxied if name == "a PROXY header" else node.port, greet=name != "a PROXY header", hello=None)
        begin(client)
        took[name] = time_until_closed(client, drip)

    threads = [threading.Thread(target=run, args=(name, *how)) for name, how in DRIPS.items()]
    for one in threads:
        one.start()
    steady = lab.Client(node.port)
    steady.open()
    steady.say("DATA")
    steady.raw(b"Subject: slow enough\r\n\r\n")
    for _ in range(12):  # of twice the time that a message may take whatever its size
        steady.raw((b"y" * 78 + b"\r\n") * 40)
        time.sleep(1)
    steady.raw(b".\r\n")
    assert steady.reply()[0] == 250
    for one in threads:
        one.join(60)
    assert set(took) == set(DRIPS) and max(took.values()) < 15, took
    inside.wait(1)
    node.balance()


def test_when_connections_run_out_the_slowest_go(nodes, inside):
    """All places are held by clients that drip; who comes to send mail gets in at once, and they hear 421. Who waits for us stays."""
    config = "domains {{ example.test 127.0.0.1:{inside} }}\nlimits {{ connections 40 {{ per client 40 }} }}\n"
    node = nodes(config, inside=inside.port)
    assert lab.Client(node.port).send(lab.message("first"))[0] == 250
    patient = lab.Client(node.port)
    patient.open()
    scan = node.pids("scan")[0]
    os.kill(scan, signal.SIGSTOP)
    patient.say("DATA")
    patient.raw(b"Subject: patient\r\n\r\n.\r\n")
    crowd = [lab.Client(node.port) for _ in range(39)]
    for number, one in enumerate(crowd):
        if number % 3:
            one.open()
        if number % 3 == 2:
            one.say("DATA")
            one.raw(b"Subject: never\r\n")
    time.sleep(1.5)
    os.kill(scan, signal.SIGCONT)
    times, bystanders = [], []
    for number in range(8):
        start = time.monotonic()
        bystanders.append(lab.Client(node.port, source="127.0.0.9"))
        assert bystanders[-1].send(lab.message(f"bystander {number}"))[0] == 250
        times.append(time.monotonic() - start)
        for one in crowd:
            with contextlib.suppress(OSError):
                one.raw(b"x")
    assert max(times) < 5, times
    assert patient.reply()[0] == 250
    lab.wait_for(lambda: node.text().count("is the slowest and goes") >= 8, "the slowest go, some of them at the next look")
    gone = 0
    for one in crowd:
        one.socket.settimeout(0.05)
        with contextlib.suppress(OSError):
            gone += one.socket.recv(1000).startswith(b"421 4.3.2")
    assert 8 <= gone <= 12, gone
    inside.wait(10)
    node.balance()


def test_when_bodies_run_out_the_slowest_go(nodes, inside):
    """Who fills the room for bodies and then drips loses it to the next who needs it."""
    node = nodes(PLAIN + "limits {{ bodies 8M; message 6M }}\nprocesses {{ receive 1 }}\n", inside=inside.port)
    hoarders = [lab.Client(node.port) for _ in range(2)]
    for one in hoarders:
        one.open()
        one.say("DATA")
        one.raw(b"Subject: big\r\n\r\n" + (b"x" * 78 + b"\r\n") * 50000)  # 4 MB each
    time.sleep(1.5)
    assert lab.Client(node.port).send(lab.message("bystander", ("z" * 70 + "\n") * 10000))[0] == 250
    said = []
    for one in hoarders:
        one.socket.settimeout(1)
        with contextlib.suppress(TimeoutError):
            said.append(one.socket.recv(100)[:9])
    assert b"421 4.3.2" in said
    inside.wait(1)
    node.balance()


def content_sent(node, subject, words=b""):
    """A client whose message has come whole, and waits for the verdict."""
    client = lab.Client(node.port)
    client.open()
    client.say("DATA")
    client.raw(lab.message(subject).replace("\n", "\r\n").encode() + b".\r\n" + words)
    return client


def test_who_closes_its_side_is_answered_and_who_is_gone_commits_nothing(nodes, inside, tmp_path):
    """All that a client that only stopped speaking has sent is answered, in the clear and under TLS; one that hung up sends it again, so nothing is kept."""
    certificate, key = lab.certificate(tmp_path)
    node = nodes("listen 127.0.0.1:{port} {{ direction in; tls certificate {certificate} key {key} }}\ndomains {{ example.test 127.0.0.1:{inside} }}\n",
                 inside=inside.port, certificate=certificate, key=key)
    assert lab.Client(node.port).send(lab.message("first"))[0] == 250
    scan = node.pids("scan")[0]
    os.kill(scan, signal.SIGSTOP)
    half = content_sent(node, "half closed")
    more = content_sent(node, "with more behind", b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user@example.test>\r\nQUIT\r\n")
    dead, dead_with_more = content_sent(node, "gone"), content_sent(node, "gone with more behind", b"QUIT\r\n")
    reset = content_sent(node, "gone by reset")
    secure = lab.Client(node.port)
    secure.secure()
    secure.open()
    secure.say("DATA")
    secure.raw(lab.message("half closed under TLS").replace("\n", "\r\n").encode() + b".\r\n")
    for one in (half, more):
        one.socket.shutdown(socket.SHUT_WR)
    socket.socket.shutdown(secure.socket, socket.SHUT_WR)
    reset.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for one in (dead, dead_with_more, reset):
        one.close()
    time.sleep(0.3)
    os.kill(scan, signal.SIGCONT)
    assert half.reply()[0] == 250 and half.file.read() == b""
    assert [more.reply()[0] for _ in range(4)] == [250, 250, 250, 221] and more.file.read() == b""
    inside.wait(3)
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    lab.wait_for(lambda: node.text().count("hung up") >= 3, "who is gone is noticed")
    kept = b"".join(inside.wait(4))
    assert kept.count(b"Subject: half closed") == 2 and kept.count(b"Subject: with more behind") == 1 and b"Subject: gone" not in kept
    node.balance()


@pytest.mark.parametrize("with_fin", [False, True], ids=["goodbye", "goodbye and FIN"])
def test_a_goodbye_under_tls_ends_only_one_side(nodes, inside, tmp_path, with_fin):
    """All in one write with TLS's word of goodbye behind it: every reply comes, encrypted, and then the end."""
    import ssl
    certificate, key = lab.certificate(tmp_path)
    node = nodes("listen 127.0.0.1:{port} {{ direction in; tls certificate {certificate} key {key} }}\ndomains {{ example.test 127.0.0.1:{inside} }}\n",
                 inside=inside.port, certificate=certificate, key=key)
    client = lab.Client(node.port)
    assert client.say("STARTTLS")[0] == 220
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl._create_unverified_context().wrap_bio(into, out)

    def until_done(step):
        while True:
            try:
                done = step()
                client.raw(out.read())
                return done
            except ssl.SSLWantReadError:
                client.raw(out.read())
                into.write(client.socket.recv(65536))

    until_done(tls.do_handshake)
    content = lab.message("goodbye").replace("\n", "\r\n").encode()
    tls.write(b"EHLO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<user@example.test>\r\nBDAT %d LAST\r\n" % len(content) + content + b"NOOP\r\n")
    with pytest.raises(ssl.SSLWantReadError):
        tls.unwrap()
    client.raw(out.read())
    if with_fin:
        client.socket.shutdown(socket.SHUT_WR)
    said = b""
    while said.count(b"\r\n250 ") < 5:
        try:
            said += tls.read(65536)
        except ssl.SSLWantReadError:
            got = client.socket.recv(65536)
            assert got, said
            into.write(got)
    assert said.count(b" kept as ") == 1 and said.endswith(b"250 2.0.0 ok\r\n"), said
    assert b"goodbye" in inside.wait(1)[0]
    node.balance()


def test_commands_before_a_closed_side_are_answered(nodes, inside):
    """A script that writes its whole conversation and closes its side gets every reply."""
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nlimits {{ junk 0 }}\n", inside=inside.port)
    content = lab.message("all at once").replace("\n", "\r\n").encode()
    client = lab.Client(node.port, hello=None)
    client.raw(b"EHLO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<user@example.test>\r\nBDAT %d LAST\r\n" % len(content) + content + b"NOOP\r\n" * 500)
    client.socket.shutdown(socket.SHUT_WR)
    assert [client.reply()[0] for _ in range(504)] == [250] * 504
    assert client.file.read() == b""
    unfinished = lab.Client(node.port)
    unfinished.open()
    unfinished.say("DATA")
    unfinished.raw(b"Subject: no end\r\n\r\n.")
    unfinished.socket.shutdown(socket.SHUT_WR)
    assert unfinished.file.read() == b""
    assert b"all at once" in inside.wait(1)[0]
    node.balance()


def drip_reply(lines, connection):
    """Greets, and then lets every reply come by single octets without end."""
    connection.sendall(b"220 slow\r\n")
    for _ in lines:
        while True:
            connection.sendall(b"2")
            time.sleep(0.2)


def drip_greeting(lines, connection):
    connection.sendall(b"220-")
    while True:
        connection.sendall(b"x")
        time.sleep(0.2)


def take_content_slowly(lines, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sendall(b"220 slow\r\n")
    for line in lines:
        connection.sendall(b"354 go on\r\n" if line.startswith(b"DATA") else b"250 ok\r\n")
        while line.startswith(b"DATA"):
            connection.recv(4096)
            time.sleep(0.1)


@pytest.mark.parametrize("how", [drip_greeting, drip_reply, take_content_slowly])
def test_a_server_that_drips_is_left(nodes, servers, how):
    """A reply has one time limit whatever comes of it, and content must be taken at the least rate: the message waits, the connection is free."""
    node = nodes(PLAIN + "limits {{ least rate 1M }}\ndeliver {{ time {{ greeting 1s; command 1s; data 1s }} }}\n", inside=servers(how))
    assert lab.Client(node.port).send(lab.message(body=("x" * 70 + "\n") * 200_000 if how is take_content_slowly else "short\n"))[0] == 250
    lab.wait_for(lambda: "time limit reached" in node.run("queue", "list").stdout, "it is given up for now", 15)
    node.balance()
