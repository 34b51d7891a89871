"""Those who write mail and those who get it: SMTP from any host of the lab, mailboxes read back. Each message has a number of
its own in `X-Lab`, and what was answered 250 is remembered: the account at a story's end is made of that."""
import contextlib
import itertools
import os
import queue
import re
import socket
import threading
import time

from . import names, plan, programs, wires
from .machine import Machine, wait_for

MARK = re.compile(rb"^X-Lab: (\S+)", re.M)


class Refused(Exception):
    """A reply of 4xx or 5xx."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


class Conversation:
    """SMTP, line by line, from a host of the lab."""

    def __init__(self, lab, host, address, port=25, hello=None, seconds=30):
        with wires.inside(lab.wires.namespace(host)):
            self.socket = socket.create_connection((address, port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.expect(self.reply())
        self.features = self.say(f"EHLO {hello or host + '.example'}")

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("closed: " + " / ".join(lines))
            lines.append(line.decode(errors="replace").rstrip("\r\n"))
            if line[3:4] != b"-":
                return int(lines[-1][:3]), "\n".join(lines)

    @staticmethod
    def expect(reply):
        if reply[0] >= 400:
            raise Refused(*reply)
        return reply[1]

    def raw(self, data):
        self.socket.sendall(data)

    def say(self, line):
        self.raw(line.encode() + b"\r\n")
        return self.expect(self.reply())

    def offer(self, sender, recipients):
        self.say(f"MAIL FROM:<{sender}>")
        for one in recipients:
            self.say(f"RCPT TO:<{one}>")

    def send(self, sender, recipients, message):
        """The reply to the final dot; Refused, at whatever step it came."""
        try:
            self.offer(sender, recipients)
            self.say("DATA")
        except Refused:
            self.say("RSET")
            raise
        self.raw(stuffed(message))
        return self.expect(self.reply())

    def close(self):
        with contextlib.suppress(OSError):
            self.file.close()
            self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def stuffed(message):
    lines = message.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


class Post:
    """All messages of one lab run: numbers given out, and which were answered 250."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.run = f"{os.getpid():x}-{time.time_ns():x}"
        self.acknowledged = set()
        self.lock = threading.Lock()

    def number(self):
        with self.lock:
            return f"{self.run}-{next(self.numbers)}"

    def taken(self, number):
        with self.lock:
            self.acknowledged.add(number)

    def compose(self, number, sender, recipient, subject="lab", body="A line.\n", **fields):
        head = {"From": f"<{sender}>", "To": f"<{recipient}>", "Subject": subject, "Date": "Wed, 25 Nov 2026 10:00:00 +0900",
                "Message-ID": f"<{number}@lab.example>", "X-Lab": number, **fields}
        return ("".join(f"{name.replace('_', '-')}: {value}\n" for name, value in head.items()) + "\n" + body).encode()


class Mailbox(Machine):
    """A server that takes mail: a department inside, or a host of the Internet. `sekimori sink` with a Maildir."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.maildir = self.folder / "maildir"
        self.seen = {}  # file name -> (numbers, is a notice)

    def up(self):
        self.start("sink", programs.sekimori(), "sink", "--listen", f"{self.address()}:25", "--maildir", self.maildir, "--quiet",
                   "--name", f"{self.name}.example", "--control", self.control())
        wait_for(self.answers, f"the server on {self.name} answers")

    def control(self):
        path = self.folder / "control"
        path.touch()
        return path

    def behave(self, words=""):
        """How it shall misbehave from now on: the words of `sekimori sink --control`."""
        self.control().write_text(words + "\n")

    def answers(self):
        with contextlib.suppress(OSError, Refused):
            Conversation(self.lab, self.name, self.address(), seconds=2).close()
            return True
        return False

    def look(self):
        for path in (self.maildir / "new").glob("*"):
            if path.name not in self.seen:
                text = path.read_bytes()
                is_notice = b"multipart/report" in text[:4000]
                self.seen[path.name] = (MARK.search(text), is_notice)
                self.seen[path.name] = (self.seen[path.name][0] and self.seen[path.name][0][1].decode(), is_notice)
        return self.seen

    def arrived(self):
        """How often each number lies here."""
        counts = {}
        for number, is_notice in self.look().values():
            if number and not is_notice:
                counts[number] = counts.get(number, 0) + 1
        return counts

    def notices(self):
        """The numbers of messages that a notice here gives back."""
        return {number for number, is_notice in self.look().values() if number and is_notice}

    def texts(self):
        return [path.read_bytes() for path in sorted((self.maildir / "new").glob("*"))]

    def text_of(self, number):
        mark = f"X-Lab: {number}\n".encode()
        return next((text for text in self.texts() if mark in text.replace(b"\r\n", b"\n")), None)


class Flood:
    """Mail at a steady rate from one host of the Internet to a domain, over several connections, by MX like any sender: an
    exchanger that cannot be reached or says 4xx is left for the next one."""

    def __init__(self, lab, host="partner", recipients=("taro@example.ac.jp",), rate=200, connections=8, patience=10):
        self.lab, self.host, self.recipients, self.rate = lab, host, recipients, rate
        self.sender = f"sender@{plan.WORLD.get(host, 'example.ac.jp')}"
        self.patience = patience
        self.todo = queue.Queue()
        self.sent, self.again, self.took, self.failures = [], 0, [], []
        self.threads = [threading.Thread(target=self.work, args=(one,), daemon=True) for one in range(connections)]
        self.pacer = threading.Thread(target=self.pace, daemon=True)
        self.is_over, self.started = threading.Event(), time.monotonic()
        self.exchangers = names.exchangers(lab, host, recipients[0].split("@")[1])

    def __enter__(self):
        for thread in (*self.threads, self.pacer):
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def pace(self):
        due = time.monotonic()
        while not self.is_over.is_set():
            self.todo.put(time.monotonic())
            due += 1 / self.rate
            self.is_over.wait(max(0.0, due - time.monotonic()))

    def stop(self):
        """No new messages; those begun are sent to their end. Returns how many were answered 250."""
        self.is_over.set()
        self.pacer.join()
        for _ in self.threads:
            self.todo.put(None)
        for thread in self.threads:
            thread.join(120)
            assert not thread.is_alive(), "a sender of the flood does not end"
        assert not self.failures, f"a sender gave up: {self.failures[0]}"
        return len(self.sent)

    def work(self, first):
        try:
            self.send_all(first)
        except (OSError, Refused) as error:
            self.failures.append(error)

    def send_all(self, at):
        """`at`: which of the exchangers is tried first."""
        talk = None
        while self.todo.get() is not None and not self.is_over.is_set():
            number, recipient = self.lab.post.number(), self.recipients[len(self.sent) % len(self.recipients)]
            message = self.lab.post.compose(number, self.sender, recipient, body=("x" * 70 + "\n") * 6)
            begun, end = time.monotonic(), time.monotonic() + 60
            while True:
                try:
                    if talk is None:
                        talk = Conversation(self.lab, self.host, self.exchangers[at % len(self.exchangers)],
                                            seconds=self.patience)
                    talk.send(self.sender, [recipient], message)
                    break
                except (OSError, Refused) as error:
                    if isinstance(error, Refused) and error.code >= 500 or time.monotonic() > end:
                        raise
                    if talk:
                        talk.close()
                    talk, at, self.again = None, at + 1, self.again + 1
                    time.sleep(0.02)
            self.lab.post.taken(number)
            self.took.append(time.monotonic() - begun)
            self.sent.append(number)
        if talk:
            talk.close()
