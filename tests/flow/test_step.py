"""Goal: of servers that send a reply too many, early or late, from the first message on or after some in step, nothing is lost: what is
logged as sent was taken, and all else waits. And a server that is in step gets everything, also one that answers QUIT oddly."""
import collections
import itertools
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import lab

EXTENSIONS = {"full": "250-odd\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 ENHANCEDSTATUSCODES",
              "pipelining": "250-odd\r\n250 PIPELINING", "plain": "250 odd"}
PLACES = ("greeting", "ehlo", "mail", "rcpt", "data", "content")
LATE = 0.2  # seconds: later than what follows at once


def content_of(lines):
    """What stands before the line with a dot. A client that is gone before it has said nothing."""
    content = b""
    for line in lines:
        if line == b".\r\n":
            return content
        content += line
    raise ConnectionError("closed within the content")


class Server(threading.Thread):
    """It takes or refuses each content as told, or closes ("close"), and sends one reply more at `place`, `late` or in the same write,
    once it has had `sound` messages as they should be. What it took is in `taken`, by the X-Load field, with how often. It keeps the
    reply to the command of `pause` back for so many seconds; `heard` is the last it got. With `hangs_up` it closes behind each content."""

    def __init__(self, place, extensions, late, verdict, sound, extra="250 2.1.5 once more", bye="221 2.0.0 bye", pause=("", 0),
                 hangs_up=False):
        super().__init__(daemon=True)
        self.name = f"{place} {extensions} {'late' if late else 'early'} {verdict[:3]} after {sound} {extra}"
        self.place, self.extensions, self.late, self.verdict, self.extra, self.bye = place, EXTENSIONS[extensions], late, verdict, extra, bye
        self.sound, self.taken, self.contents = sound, collections.Counter(), 0
        self.pause, self.heard, self.hangs_up = pause, None, hangs_up
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.session, args=(connection,), daemon=True).start()

    def session(self, connection):
        try:
            with connection:
                self.talk(connection, connection.makefile("rb"))
        except (OSError, ValueError):
            pass

    def wait(self, verb):
        self.heard = verb
        if verb == self.pause[0] and self.contents > self.sound:
            time.sleep(self.pause[1])

    def say(self, connection, text, place=None):
        line = text.encode() + b"\r\n"
        extra = self.extra.encode() + b"\r\n"
        if place != self.place or self.contents < self.sound:
            connection.sendall(line)
        elif self.late:
            connection.sendall(line)
            time.sleep(LATE)
            connection.sendall(extra)
        else:
            connection.sendall(line + extra)

    def keep(self, connection, content):
        number = int(re.search(rb"X-Load: (\d+)", content).group(1))
        self.contents += 1
        is_sound = self.contents <= self.sound
        if not is_sound:
            time.sleep(3 * LATE)
        self.wait("content")
        if is_sound or self.verdict.startswith("250"):
            self.taken[number] += 1
        elif self.verdict == "close":
            connection.shutdown(socket.SHUT_RDWR)
            return
        self.say(connection, "250 2.0.0 kept" if is_sound else self.verdict, "content")
        if self.hangs_up:
            connection.shutdown(socket.SHUT_RDWR)

    def talk(self, connection, lines):
        self.say(connection, "220 odd", "greeting")
        has_recipient = False
        for line in lines:
            words = line.split()
            verb = words[0].upper().decode()
            self.wait(verb)
            if verb == "EHLO":
                self.say(connection, self.extensions, "ehlo")
            elif verb == "MAIL":
                self.say(connection, "250 2.1.0 sender ok", "mail")
            elif verb == "RCPT":
                has_recipient = True
                self.say(connection, "250 2.1.5 recipient ok", "rcpt")
            elif verb == "DATA" and has_recipient:
                self.say(connection, "354 go on", "data")
                self.keep(connection, content_of(lines))
            elif verb == "BDAT":
                self.keep(connection, lines.read(int(words[1])))
            elif verb == "QUIT":
                connection.sendall(self.bye.encode() + b"\r\n" if self.bye else b"")
                return
            else:
                self.say(connection, "250 2.0.0 ok" if verb == "RSET" else "503 5.5.1 not now", "rset")


class Outcomes:
    """How the messages to each domain ended, in order, as far as the log has been read."""

    def __init__(self, node):
        self.log = open(node.log, errors="replace")
        self.ends = collections.defaultdict(list)

    def read(self):
        for line in self.log:
            found = re.search(r": to=<u@([^>]+)>,.* status=(\w+)", line)
            if found:
                self.ends[found.group(1)].append(found.group(2))
        return self.ends


def send(node, number, domain):
    client = lab.Client(node.port)
    assert client.send(lab.message(f"message {number}", X_Load=str(number)), recipients=[f"u@{domain}"])[0] == 250
    client.close()


def play(nodes, servers, rounds):
    """The same number of messages to each server, one after the other for each of them."""
    domains = {f"d{i}.test": server for i, server in enumerate(servers)}
    routes = " ".join(f"\n  {domain} 127.0.0.1:{server.port} {{{{ tls off }}}}" for domain, server in domains.items())
    node = nodes("queue {{ retry first 1h; retry most 2h }}\nlimits {{ connections 500 {{ per client 500 }} }}\n"
                 "domains {{" + routes + " }}\n")
    numbers, outcomes = itertools.count(1), Outcomes(node)
    sent = {domain: [] for domain in domains}

    def is_over():
        ends = outcomes.read()
        return all(len(ends[domain]) >= len(sent[domain]) for domain in domains)
    for turn in range(1, rounds + 1):
        before = outcomes.read()
        for domain in domains:
            if domains[domain].place in ("greeting", "ehlo") and "deferred" in before[domain]:
                continue  # without a session the destination counts as down, and is not tried before its time
            sent[domain].append(next(numbers))
            send(node, sent[domain][-1], domain)
        lab.wait_for(is_over, f"each message of turn {turn} has an outcome", 60)
    ends = outcomes.read()
    return node, [(server, sent[domain], ends[domain]) for domain, server in domains.items()]


def check(results):
    """No message is lost or returned; told as text, so that all that is wrong is seen at once."""
    wrong = []
    for server, numbers, ends in results:
        ends = dict(zip(numbers, ends))
        wrong += [f"{server.name}: message {number} is {end}, taken: {number in server.taken}"
                  for number, end in ends.items() if end not in ("sent", "deferred") or (end == "sent" and number not in server.taken)]
    assert not wrong, "\n".join(wrong)


SERVERS = [(place, extensions, late, verdict) for place in PLACES for extensions in ("full", "plain") for late in (False, True)
           for verdict in ("552 5.3.4 no", "250 2.0.0 kept")]


def test_from_the_first_message_on(nodes):
    servers = [Server(*one, sound=0) for one in SERVERS]
    _, results = play(nodes, servers, 2)
    check(results)


def test_after_some_in_step(nodes):
    """Content went ahead of the replies by then, to those that offer it."""
    servers = [Server(*one, sound=3) for one in SERVERS if one[0] in ("mail", "rcpt") or one[:2] == ("data", "plain")]
    servers += [Server(place, extensions, late, verdict, 3, extra="250 2.0.0 ok")
                for place, extensions in (("mail", "full"), ("rcpt", "full"), ("data", "plain"), ("data", "pipelining"))
                for late in (False, True) for verdict in ("552 5.3.4 no", "close")]
    node, results = play(nodes, servers, 6)
    check(results)
    assert all(ends[:3] == ["sent"] * 3 for _, _, ends in results)
    assert "is out of step" in node.text()


def test_other_words_and_ends(nodes):
    """What is no answer to a content is none, whoever gives it, and a server that closes on the content has not taken it."""
    servers = [Server("nowhere", extensions, False, verdict, sound) for extensions in EXTENSIONS for sound in (0, 3)
               for verdict in ("221 2.0.0 closing", "220 ready", "214 help", "close")]
    servers += [Server("data", "plain", True, "close", sound, extra="250 2.0.0 ok") for sound in (0, 3)]
    _, results = play(nodes, servers, 4)
    check(results)
    assert all("deferred" in ends for _, _, ends in results)


@pytest.mark.parametrize("extensions, sound, verdict, verb, ending",
                         [(extensions, sound, "250 2.0.0 kept", "content", "sent") for extensions in EXTENSIONS for sound in (0, 3)] +
                         [("plain", sound, "250 2.0.0 kept", "RSET", "sent") for sound in (0, 3)] +
                         [("plain", 0, "250 2.0.0 kept", "QUIT", "sent"), ("plain", 0, "552 5.3.4 no", "QUIT", "held")])
def test_deliver_dies_before_a_reply(nodes, extensions, sound, verdict, verb, ending):
    """The next life knows which reply it waits for: what was taken comes once, what was refused does not count as taken."""
    server = Server("nowhere", extensions, False, verdict, sound, pause=(verb, 2))
    node = nodes("queue {{ retry first 1s; retry most 2s }}\ndomains {{ example.test 127.0.0.1:{server} {{ tls off }} }}\n", server=server.port)
    outcomes = Outcomes(node)
    for number in range(1, sound + 1):
        send(node, number, "example.test")
        lab.wait_for(lambda: len(outcomes.read()["example.test"]) == number, "a message in step")
    server.heard = None
    send(node, 99, "example.test")
    lab.wait_for(lambda: server.heard == verb and server.contents > sound, f"the reply to {verb} is awaited")
    time.sleep(0.2)
    os.kill(node.pids("deliver")[0], signal.SIGKILL)
    ends = lab.wait_for(lambda: outcomes.read()["example.test"][sound:], "the message has an outcome", 30)
    assert ends == [ending]
    if ending == "sent":
        lab.wait_for(node.queue_is_empty, "the queue is empty")
    assert server.taken[99] == (1 if verdict.startswith("250") else 0)
    lab.wait_for(lambda: "their replies are awaited" in node.text(), "the next deliver says what it found")
    node.balance()


def test_a_server_that_hangs_up(nodes):
    """It gives no proof behind the content: its first message comes twice, no other. One that is out of step besides gets none believed."""
    good = Server("nowhere", "plain", False, "250 2.0.0 kept", 0, hangs_up=True)
    bad = Server("data", "plain", True, "close", 0, extra="250 2.0.0 ok")
    node = nodes("queue {{ retry first 1s; retry most 2s }}\ndomains {{ good.test 127.0.0.1:{good} {{ tls off }}\n"
                 "bad.test 127.0.0.1:{bad} {{ tls off }} }}\n", good=good.port, bad=bad.port)
    outcomes = Outcomes(node)
    send(node, 1, "good.test")
    send(node, 2, "bad.test")
    lab.wait_for(lambda: "sent" in outcomes.read()["good.test"], "the first is sent", 30)
    send(node, 3, "good.test")
    lab.wait_for(lambda: outcomes.read()["good.test"].count("sent") == 2, "the second is sent", 30)
    lab.wait_for(lambda: len(outcomes.read()["bad.test"]) >= 3, "the other was tried again", 30)
    assert outcomes.ends["good.test"] == ["deferred", "sent", "sent"]
    assert good.taken == {1: 2, 3: 1}
    assert set(outcomes.ends["bad.test"]) == {"deferred"} and not bad.taken


def test_in_step(nodes):
    """Nobody who is in step is doubted, whatever he says to QUIT."""
    servers = [Server("nowhere", extensions, False, "250 2.0.0 kept", 0, bye=bye)
               for extensions in EXTENSIONS for bye in ("221 2.0.0 bye", "250 bye", "")]
    node, results = play(nodes, servers, 3)
    check(results)
    assert all(ends == ["sent"] * 3 for _, _, ends in results), [(server.name, ends) for server, _, ends in results]
    assert "out of step" not in node.text()
    node.balance()


def test_the_command_is_not_deceived_either(tmp_path):
    file = tmp_path / "mail"
    file.write_text(lab.message("hello", X_Load="1"))

    def ask(server):
        return server, subprocess.Popen([lab.BUILD / "src/cli/sekimori", "send", "--server", f"127.0.0.1:{server.port}", "--to", "u@example.test",
                                         file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for server, sender in [ask(Server(*one, sound=0)) for one in SERVERS + [("nowhere", "plain", False, "250 2.0.0 kept")]]:
        told, _ = sender.communicate(timeout=60)
        assert sender.returncode != 0 or server.taken, f"{server.name}: {told}"
        assert sender.returncode == 0 or server.place != "nowhere", told
