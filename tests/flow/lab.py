"""A node, its inside servers and its clients for the flow tests: real processes, real sockets, free ports on loopback."""
import contextlib
import ctypes
import json
import os
import pathlib
import pty
import random
import shutil
import signal
import smtplib
import socket
import struct
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SEKIMORI_BUILD", ROOT / "build"))
TESTS = pathlib.Path(os.environ.get("SEKIMORI_TESTS", BUILD))  # the build that has programs of the tests
PROGRAMS = tuple(sorted(os.listdir(BUILD / "src/libexec")))
QUICK = bool(os.environ.get("SEKIMORI_QUICK"))
IS_SANITIZED = b"__asan_init" in (BUILD / "src/cli/sekimori").read_bytes()
MASTER_DO, MASTER_DONE = 128, 129  # enum master_frame


def free_port(given=set()):
    """Below those that the kernel gives to clients: what a node had stays free while it is down."""
    while True:
        port = random.randrange(10000, 32000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            if port not in given:
                given.add(port)
                return port


def libexec(folder):
    """The programs of a node, where a test may put another one in the place of one."""
    there = pathlib.Path(folder) / "libexec"
    there.mkdir(exist_ok=True)
    for name in PROGRAMS:
        if not (there / name).is_symlink():
            (there / name).symlink_to(BUILD / "src/libexec" / name)
    return there


def wait_for(true, what, seconds=20.0):
    """Polls until `true()` is truthy and returns that; fails with `what` when the time is up. A look that takes long is
    taken less often: what it waits for wants the processors too."""
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        value = true()
        if value:
            return value
        time.sleep(min(max(0.03, 2 * (time.monotonic() - began)), 0.5))
    raise AssertionError(f"not in {seconds} s: {what}")


def ask(state, command):
    """A command over the control socket (ipc/channel.h, ipc/ask_master.h), for what is looked at again and again: starting
    `sekimori` for each look costs more than what is looked at. Exit code and answer; (69, "") when no node is there."""
    header, words = struct.Struct("<HHIQ"), command.encode()
    folder = None
    try:
        folder = os.open(pathlib.Path(state) / "run", os.O_PATH | os.O_DIRECTORY)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            control.settimeout(30)
            control.connect(f"/proc/self/fd/{folder}/control")
            control.sendall(header.pack(MASTER_DO, 0, 4 + len(words), 0) + struct.pack("<I", len(words)) + words)
            answer = b""
            while frame := control.recv(1 << 17):
                kind, body = header.unpack_from(frame)[0], frame[header.size:]
                if kind == MASTER_DONE:
                    return body[0], (answer + body[5:]).decode(errors="replace")
                answer += body[4:]
    except OSError:
        pass
    finally:
        if folder is not None:
            os.close(folder)
    return os.EX_UNAVAILABLE, ""


def landlock():
    """The version of Landlock that this kernel has; since 6 it minds signals."""
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1)


class Datagrams:
    """A datagram socket at `path`, as log daemons have: `take` is called with each that comes."""

    def __init__(self, path, take):
        self.path, self.take = path, take
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o666)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while datagram := self.socket.recv(65536):
            self.take(datagram)

    def stop(self):
        self.path.unlink()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Sink:
    """`sekimori sink`: an inside server that writes a Maildir."""

    def __init__(self, folder, *options, port=None):
        self.port = port or free_port()
        self.maildir = pathlib.Path(folder) / f"maildir.{self.port}"
        self.options = options
        self.process = None
        self.start()

    def start(self):
        with open(f"{self.maildir}.log", "ab") as log:
            self.process = subprocess.Popen([BUILD / "src/cli/sekimori", "sink", "--listen", f"127.0.0.1:{self.port}",
                                             "--maildir", self.maildir, *self.options], stdout=log, stderr=log)
        wait_for(self.is_up, "the sink listens")

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("the sink ended: " + pathlib.Path(f"{self.maildir}.log").read_text())
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def empty(self):
        for file in self.files():
            file.unlink()

    def files(self):
        return sorted((self.maildir / "new").glob("*")) if self.maildir.exists() else []

    def messages(self):
        return [file.read_bytes() for file in self.files()]

    def wait(self, count, seconds=30.0):
        wait_for(lambda: len(self.files()) >= count, f"{count} messages at the sink (there are {len(self.files())})", seconds)
        return self.messages()


class Node:
    """One sekimorid with a configuration of its own."""

    def __init__(self, folder, config, **values):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.config = self.folder / "sekimori.conf"
        self.port = values.pop("port", None) or free_port()
        self.log = self.folder / "log"
        self.process = None
        self.text_from = 0
        self.values = values
        self.libexec = libexec(folder)
        self.write(config)

    def write(self, config):
        head = "" if "role " in config else "role single\n"
        head += "" if "hostname " in config else "hostname mx.example.test\n"
        head += f"""admin postmaster@example.test
state {self.state}
virus {{ engine clamav {{ builtin only from {ROOT / "conf/signatures"}; database {self.folder / "no-database"} }} }}"""
        # One process less to start, where no test of monitors wants it.
        head += "" if "metrics " in config else "; metrics { socket none }"
        # No DNS answers there, so nobody is asked who sent a message.
        head += "" if "auth " in config else "; auth { mode off }"
        # Words weigh nothing, and health misses no model, unless a test says which.
        head += "" if "base model " in config else "; spam { base model none }"
        # Held mail stays in the queue, where tests of the queue look for it, unless a test says more of the quarantine.
        head += "\n" if "quarantine {" in config else "; quarantine { most 0 }\n"
        if "dns " not in config:
            head += "dns { servers 127.0.0.1@9; timeout 500ms; dnssec off; client names off }\n"
        if "listen " not in config:
            head += f"listen 127.0.0.1:{self.port} {{ direction in }}\n"
        self.config.write_text(head + config.format(port=self.port, **self.values))

    def start(self, wait=True, env=None, through=(), pass_fds=()):
        """`through`: a command that executes the rest of its arguments; it has the descriptors of `pass_fds` open."""
        with open(self.log, "ab") as log, tempfile.TemporaryDirectory() as room, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(f"{room}/ready")
            environment = {**os.environ, "NOTIFY_SOCKET": f"{room}/ready", **(env or {})}
            words = [*through, BUILD / "src/master/sekimorid", "-c", self.config, "--libexec", self.libexec]
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, start_new_session=True, pass_fds=pass_fds)
            if wait:
                self.wait_ready(ready)
        return self

    def wait_ready(self, ready):
        """Until sekimorid tells `ready`, as it would tell systemd; then `status` has to say the same."""
        ready.settimeout(0.1)
        end = time.monotonic() + 25
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in ready.recv(100):
                    break
        wait_for(self.is_ready, "the node is ready", 25)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"sekimorid ended with {self.process.returncode}:\n{self.text()[-3000:]}")
        return all(one["pid"] and one["state"] == "running" for one in self.processes() or [{"pid": 0}])

    def text(self):
        """What the log has since text_begins()."""
        return self.log.read_bytes()[self.text_from:].decode(errors="replace") if self.log.exists() else ""

    def text_begins(self):
        self.text_from = self.log.stat().st_size

    def run(self, verb, *arguments, check=True, where=True, stdin=""):
        place = ("--state", self.state) if where else ()
        done = subprocess.run([BUILD / "src/cli/sekimori", verb, *place, *arguments], capture_output=True, text=True, timeout=120, input=stdin)
        if check and done.returncode != 0:
            raise AssertionError(f"sekimori {verb} {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def told(self, verb, *arguments, check=True):
        """What the command says with --json."""
        return json.loads(self.run(verb, *arguments, "--json", check=check).stdout)

    def status(self):
        return self.told("status", check=False)

    def trace(self, *arguments):
        """The messages that are found; none is no error."""
        return self.told("trace", *arguments, check=False)["hits"]

    def signatures_at(self, folder):
        """Before the start: the built-in signatures are a copy there, which a test may add to, or another user read."""
        shutil.copytree(ROOT / "conf/signatures", folder)
        self.config.write_text(self.config.read_text().replace(str(ROOT / "conf/signatures"), str(folder)))
        return pathlib.Path(folder)

    def processes(self):
        code, answer = ask(self.state, "status")
        return json.loads(answer)["processes"] if code == 0 else []

    def pids(self, name):
        return [one["pid"] for one in self.processes() if one["name"] == name and one["pid"]]

    def balance(self, seconds=30):
        """Fails unless the three counts agree; returns what the command printed as JSON."""
        done = self.run("balance", "--json", "--wait", str(seconds), check=False)
        assert done.returncode == 0, f"balance: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def queue_is_empty(self):
        code, answer = ask(self.state, "queue summary")
        return code == 0 and not answer

    def assert_sound(self):
        """No process panicked, and no sanitizer complained."""
        text = self.text()
        assert "panic:" not in text and "AddressSanitizer" not in text and "runtime error" not in text, text[-6000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("sekimorid did not stop in 30 s")
        return self.process.returncode if self.process else None

    def kill(self):
        """kill -9 of everything at once: the session that start() made."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        wait_for(self.is_gone, "every process of the node is gone", 10)

    def is_gone(self):
        """No process of its session is left, but such as nobody waits for; and its port is free."""
        if any(is_of_session(pid, self.process.pid) for pid in all_pids()):
            return False
        with contextlib.suppress(OSError):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", self.port))
                return True
        return False


NO_PROBES = "this build has no probes: meson setup -Djail_probe=true"


def probes_are_built():
    """Only the quick run may do without."""
    return b"jail probe:" in (BUILD / "src/receive/receive").read_bytes()


def states(hit):
    """Of a message that trace found, by recipient."""
    return [recipient["state"] for recipient in hit["recipients"]]


def all_pids():
    return [int(one.name) for one in pathlib.Path("/proc").iterdir() if one.name.isdigit()]


def is_of_session(pid, session):
    """And alive."""
    try:
        state, _, _, of = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(of) == session and state not in "ZX"


def name_of(pid):
    """"" of a process that is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def offspring(pid):
    return [one for child in children(pid) for one in (child, *offspring(child))]


@contextlib.contextmanager
def standing(folder, config, **values):
    """An inside server and a node before it, for tests that share them."""
    sink = Sink(folder)
    node = Node(folder, config, inside=sink.port, **values)
    try:
        yield node.start(), sink
    finally:
        if node.process.poll() is None:
            node.kill()
        sink.stop()
        node.text_from = 0
        node.assert_sound()


def at_a_terminal(node, answer, *words):
    """The command with a terminal as its standard input: exit code, and what was asked and said."""
    ours, theirs = pty.openpty()
    try:
        asked = subprocess.Popen([BUILD / "src/cli/sekimori", *words, "--state", node.state], stdin=theirs, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
        os.write(ours, answer.encode() + b"\n")
        said = asked.communicate(timeout=60)[0]
        return asked.returncode, said
    finally:
        os.close(ours)
        os.close(theirs)


class Client:
    """An SMTP conversation line by line; replies come back as (code, text)."""

    def __init__(self, port, address="127.0.0.1", source=None, greet=True, hello="EHLO client.example"):
        self.socket = socket.create_connection((address, port), 10, source_address=(source, 0) if source else None)
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply() if greet else None
        self.features = self.say(hello)[1] if greet and hello else ""

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("closed: " + repr(lines))
            lines.append(line.decode(errors="replace").rstrip("\r\n"))
            if line[3:4] != b"-":
                return int(lines[-1][:3]), "\n".join(lines)

    def raw(self, data):
        self.socket.sendall(data)

    def say(self, line):
        self.raw(line.encode() + b"\r\n")
        return self.reply()

    def open(self, sender="sender@outside.example", recipients=("user@example.test",), mail="", rcpt=""):
        replies = [self.say(f"MAIL FROM:<{sender}>{' ' if mail else ''}{mail}")]
        replies += [self.say(f"RCPT TO:<{one}>{' ' if rcpt else ''}{rcpt}") for one in recipients]
        return replies

    def data(self, message):
        code, text = self.say("DATA")
        if code != 354:
            return code, text
        if isinstance(message, str):
            message = message.encode()
        lines = message.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
        self.raw(b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n")
        return self.reply()

    def send(self, message, **envelope):
        for code, text in self.open(**envelope):
            if code >= 400:
                return code, text
        return self.data(message)

    def secure(self, context=None):
        """STARTTLS; certificates of tests are not verified, unless a context says how."""
        import ssl
        reply = self.say("STARTTLS")
        assert reply[0] == 220, reply
        context = context or ssl._create_unverified_context()
        self.socket = context.wrap_socket(self.socket)
        self.file = self.socket.makefile("rb")
        self.features = self.say("EHLO client.example")[1]

    def close(self):
        with contextlib.suppress(OSError):
            self.file.close()
            self.socket.close()


def message(subject="hello", body="a line\n", **fields):
    head = {"From": "Sender <sender@outside.example>", "To": "user@example.test", "Subject": subject,
            "Date": "Wed, 25 Nov 2026 01:00:00 +0000", "Message-ID": f"<{time.monotonic_ns()}@outside.example>"}
    head.update({name.replace("_", "-"): value for name, value in fields.items()})
    return "".join(f"{name}: {value}\n" for name, value in head.items() if value is not None) + "\n" + body


def gtube():
    """The test string of spam filters, put together so that it stands in no file."""
    return "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def eicar():
    """The test string of virus scanners, likewise."""
    return r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"


def certificate(folder, name="mx.example.test"):
    """A self-signed certificate and its key."""
    cert, key = pathlib.Path(folder) / "cert.pem", pathlib.Path(folder) / "key.pem"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "30",
                        "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    return cert, key


class Load(threading.Thread):
    """Sends numbered messages over several connections and remembers which got 250. `count` of them, or, with `until_enough`,
    at least so many and as long as enough() was not called."""

    def __init__(self, port, count, connections=8, recipient="user@example.test", pause=0.0, until_enough=False):
        super().__init__(daemon=True)
        self.port, self.count, self.connections, self.recipient, self.pause = port, count, connections, recipient, pause
        self.acknowledged, self.lock = set(), threading.Lock()
        self.next, self.goes_on = 0, until_enough

    def take(self):
        with self.lock:
            if self.next >= self.count and not self.goes_on:
                return None
            self.next += 1
            return self.next - 1

    def enough(self):
        with self.lock:
            self.goes_on, self.count = False, max(self.count, self.next)

    def one_connection(self):
        client = None
        number = self.take()
        while number is not None:
            try:
                if client is None:
                    client = smtplib.SMTP("127.0.0.1", self.port, timeout=30)
                    client.ehlo("load.example")
                client.sendmail("sender@outside.example", [self.recipient],
                                message(f"load {number}", "x" * 200 + "\n", X_Load=f"{number}"))
                with self.lock:
                    self.acknowledged.add(number)
                number = self.take()
                if self.pause:
                    time.sleep(self.pause)
            except (smtplib.SMTPException, OSError):
                client = None
                time.sleep(0.05)

    def run(self):
        threads = [threading.Thread(target=self.one_connection, daemon=True) for _ in range(self.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
