# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Engines outside and second opinions for the flow tests: clamd, c-icap, spamd and rspamd of Debian with configurations, folders and ports of
their own, and doubles of all that answer as they are told: nonsense, half, twice, out of order, never. SEKIMORI_ENGINES names a folder where those packages were unpacked, in the
place of the root."""
import array
import contextlib
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

import lab

ROOT = pathlib.Path(os.environ.get("SEKIMORI_ENGINES", "/"))
LIBRARIES = ROOT / "usr/lib/x86_64-linux-gnu" if (ROOT / "usr/lib/x86_64-linux-gnu").exists() else ROOT / "usr/lib" / f"{os.uname().machine}-linux-gnu"
CLAMD, ICAP = ROOT / "usr/sbin/clamd", ROOT / "usr/bin/c-icap"
SPAMD, RSPAMD = ROOT / "usr/sbin/spamd", ROOT / "usr/bin/rspamd"
PATTERN = "a pattern that only engines outside know of"  # its signature: Outside-Test


class Program:
    """A program with a log, started and stopped by the test."""

    def start(self, words, folder, is_up, **more):
        self.begin(words, folder, **more)
        self.wait_until(is_up)

    def begin(self, words, folder, **more):
        environment = {**os.environ, **more}
        if ROOT != pathlib.Path("/"):
            environment["LD_LIBRARY_PATH"] = str(LIBRARIES)
        self.words = words
        self.log = folder / f"{pathlib.Path(words[0]).name}.out"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=folder)

    def wait_until(self, is_up):
        lab.wait_for(lambda: self.is_running() and is_up(), f"{self.words[0]} answers", 20)

    def is_running(self):
        if self.process.poll() is not None:
            raise AssertionError("it ended: " + self.log.read_text(errors="replace")[-2000:])
        return True

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


class Clamd(Program):
    """The real one, with the project's own signatures and one more."""

    def __init__(self, folder):
        folder = pathlib.Path(folder) / "clamd"
        shutil.copytree(lab.ROOT / "conf/signatures", folder / "signatures")
        (folder / "signatures/outside.ndb").write_text(f"Outside-Test:0:*:{PATTERN.encode().hex()}\n")
        self.path, self.port, self.log_file = folder / "socket", lab.free_port(), folder / "log"
        (folder / "conf").write_text(f"Foreground yes\nLocalSocket {self.path}\nTCPSocket {self.port}\nTCPAddr 127.0.0.1\nMaxThreads 4\n"
                                     f"DatabaseDirectory {folder}/signatures\nTemporaryDirectory {folder}\nStreamMaxLength 3M\nUser root\nLogFile {folder}/log\nLogClean yes\n")
        folder.chmod(0o755)
        self.start([CLAMD, "-c", folder / "conf"], folder, self.path.exists)


class Icap(Program):
    """c-icap with its virus_scan on that clamd."""

    def __init__(self, folder, clamd):
        folder = pathlib.Path(folder) / "icap"
        folder.mkdir()
        self.port = lab.free_port()
        (folder / "conf").write_text(f"""PidFile {folder}/pid
CommandsSocket {folder}/control
StartServers 1
MaxServers 1
MinSpareThreads 2
MaxSpareThreads 4
ThreadsPerChild 8
MaxKeepAliveRequests 100
Port 127.0.0.1:{self.port}
TmpDir {folder}
ModulesDir {LIBRARIES}/c_icap
ServicesDir {LIBRARIES}/c_icap
LoadMagicFile {ROOT}/etc/c-icap/c-icap.magic
ServerLog {folder}/server.log
AccessLog {folder}/access.log
DebugLevel 1
Module common clamd_mod.so
clamd_mod.ClamdSocket {clamd.path}
Service antivirus_module virus_scan.so
ServiceAlias avscan virus_scan
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE
virus_scan.PassOnError off
virus_scan.MaxObjectSize 25M
virus_scan.StartSendPercentDataAfter 30M
virus_scan.DefaultEngine clamd
""")
        self.start([ICAP, "-N", "-D", "-d", "1", "-f", folder / "conf"], folder, self.is_up)

    def is_up(self):
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                probe.settimeout(1)
                probe.sendall(b"OPTIONS icap://127.0.0.1/avscan ICAP/1.0\r\nHost: 127.0.0.1\r\nEncapsulated: null-body=0\r\n\r\n")
                return b"RESPMOD" in probe.recv(4096)
        return False


def is_listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Spamd(Program):
    """The real one with six rules of its own, no network and none of the stock rules, which take seconds to load. It is there some time
    after this returns: wait_until(is_up)."""

    RULES = """required_score 5
util_rb_tld test
header OPINION_SUBJECT Subject =~ /buy this now/
score OPINION_SUBJECT 7.5
body OPINION_BODY /a body that only opinions know of/
score OPINION_BODY 60
header OPINION_CLIENT X-Spam-Relays-Trusted =~ /^\\[ ip=127\\.0\\.0\\.1 rdns=\\S* helo=client\\.test /
score OPINION_CLIENT 0.01
header OPINION_SENDER EnvelopeFrom =~ /^sender\\@sender\\.test$/
score OPINION_SENDER 0.01
"""

    def __init__(self):
        """Root's spamd becomes nobody before it reads anything, and pytest's folders are closed to others."""
        self.folder = folder = pathlib.Path(tempfile.mkdtemp(prefix="sekimori-spamd-"))
        folder.chmod(0o755)
        for name in ("rules", "site", "home"):
            (folder / name).mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder / "home", "nobody")
        (folder / "rules/10_own.cf").write_text(self.RULES)
        (folder / "site/init.pre").write_text("loadplugin Mail::SpamAssassin::Plugin::Check\n")
        self.path, self.port = folder / "home/socket", lab.free_port()
        self.begin(["perl", "-T", SPAMD, "-L", "-x", "-i", "127.0.0.1", "-p", str(self.port), f"--socketpath={self.path}", "--socketmode=0666",
                    "-m", "2", "--min-children", "2", "-C", folder / "rules", f"--siteconfigpath={folder}/site", "-H", folder / "home",
                    *(["-u", "nobody"] if os.geteuid() == 0 else []), "-s", "stderr"], folder, TMPDIR=str(folder / "home"))

    def is_up(self):
        return self.path.exists() and is_listening(self.port)

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder)


class Rspamd(Program):
    """The real one with symbols of its own, none of its stock rules, no DNS and no Redis. It is there some time after this returns."""

    SYMBOLS = """local function symbol(name, score, is_so)
  rspamd_config[name] = { score = score, callback = function(task) return is_so(task) and true or false end }
end
symbol('OPINION_SUBJECT', 7.5, function(task) return (task:get_subject() or ''):find('buy this now', 1, true) end)
symbol('OPINION_BODY', 60, function(task) return tostring(task:get_content()):find('a body that only opinions know of', 1, true) end)
symbol('OPINION_CLIENT', 0.01, function(task) return tostring(task:get_from_ip()) == '127.0.0.1' and task:get_helo() == 'client.test' end)
symbol('OPINION_SENDER', 0.01, function(task)
  local from, to = task:get_from('smtp'), task:get_recipients('smtp')
  return from and to and from[1].addr == 'sender@sender.test' and to[1].addr == 'user@example.test' and task:get_queue_id() end)
"""

    def __init__(self, folder):
        folder = pathlib.Path(folder) / "rspamd"
        (folder / "db").mkdir(parents=True)
        self.port = lab.free_port()
        (folder / "symbols.lua").write_text(self.SYMBOLS)
        (folder / "domains").write_text("test\n")
        (folder / "conf").write_text(f"""options {{
  filters = ""; pidfile = "{folder}/db/pid"; tempdir = "{folder}/db"; url_tld = "{folder}/domains"; hs_cache_dir = "{folder}/db";
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }}
}}
logging {{ type = "console"; level = "info"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{self.port}"; count = 1; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
lua = "{folder}/symbols.lua";
""")
        folders = [word for name in ("DBDIR", "RUNDIR", "LOGDIR") for word in ("--var", f"{name}={folder}/db")]
        self.begin([RSPAMD, *(["--insecure"] if os.geteuid() == 0 else []), "--no-fork", "--config", folder / "conf", *folders], folder)

    def is_up(self):
        return is_listening(self.port)


class Double:
    """Serves each connection with a thread. `manner` is how it answers the next message."""

    def __init__(self, listening):
        self.listening, self.manner, self.looks, self.connections, self.waiting = listening, "clean", 0, 0, []
        self.lock, self.is_over = threading.Lock(), False
        listening.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.is_over:
            with contextlib.suppress(OSError):
                connection, _ = self.listening.accept()
                self.connections += 1
                threading.Thread(target=self.talk_safely, args=(connection,), daemon=True).start()

    def talk_safely(self, connection):
        with contextlib.suppress(OSError, EOFError, ValueError, threading.BrokenBarrierError), connection:
            self.talk(connection)

    def stop(self):
        self.is_over = True
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


class ClamdDouble(Double):
    """IDSESSION on a unix socket; manners: clean, found, error, nonsense, half, twice, number, long, close, never, reversed."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "double"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.path))
        self.path.chmod(0o666)
        super().__init__(listening)

    def talk(self, connection):
        data, number, descriptor = b"", 0, None

        def more():
            nonlocal data, descriptor
            room = array.array("i")
            got, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(room.itemsize))
            for _, kind, value in control:
                if kind == socket.SCM_RIGHTS:
                    room.frombytes(value)
                    descriptor = room[0]
            if not got:
                raise EOFError
            data += got

        def take(count):
            nonlocal data
            while len(data) < count:
                more()
            taken, data = data[:count], data[count:]
            return taken

        while True:
            while b"\0" not in data:
                more()
            command, data = data.split(b"\0", 1)
            if command == b"zIDSESSION":
                continue
            number += 1
            if command == b"zVERSION":
                connection.sendall(b"%d: Double 1.0\0" % number)
            elif command == b"zFILDES":
                take(1)
                mail = os.pread(descriptor, 1 << 26, 0)
                os.close(descriptor)
                self.answer(connection, number, b"fd[7]", mail)
            else:
                mail = b""
                while size := struct.unpack(">I", take(4))[0]:
                    mail += take(size)
                self.answer(connection, number, b"stream", mail)

    def answer(self, connection, number, what, mail):
        with self.lock:
            self.looks += 1
            self.waiting.append(b"%d: %s: %s\0" % (number, what, b"Double-Virus FOUND" if b"bad" in mail else b"OK"))
            good = self.waiting[-1]
            if self.manner == "reversed" and len(self.waiting) < 2:
                return
            answers, self.waiting = self.waiting[::-1], []
        said = {"reversed": b"".join(answers), "error": b"%d: %s: Out of memory ERROR\0" % (number, what), "nonsense": b"\0\xff\0",
                "half": good[:-4], "twice": good + good, "number": b"77: stream: OK\0", "long": b"%d: " % number + b"x" * 70000,
                "close": b"", "never": b"", "found": b"%d: %s: Double-Virus FOUND\0" % (number, what)}.get(self.manner, good)
        connection.sendall(said)
        if self.manner in ("half", "close"):
            raise EOFError


class IcapDouble(Double):
    """Manners: clean, same, found, page, changed, shortened, error, nonsense, half, header, close, never."""

    def __init__(self):
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        super().__init__(listening)

    def talk(self, connection):
        file = connection.makefile("rb")

        def header():
            lines = []
            while (line := file.readline()) not in (b"\r\n", b""):
                lines.append(line)
            if not lines:
                raise EOFError
            return b"".join(lines)

        def chunks():
            body = b""
            while True:
                size = file.readline()
                if not (count := int(size.split(b";")[0], 16)):
                    file.readline()
                    return body, b"ieof" in size
                body += file.read(count)
                file.readline()

        while True:
            head = header()
            if head.startswith(b"OPTIONS"):
                connection.sendall(b'ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nISTag: "one"\r\nService: Double\r\nPreview: 100\r\nAllow: 204\r\n'
                                   b"Max-Connections: 3\r\nEncapsulated: null-body=0\r\n\r\n")
                continue
            header(), header()
            mail, is_whole = chunks()
            self.looks += 1
            if not is_whole and self.manner != "early":
                connection.sendall(b"ICAP/1.0 100 Continue\r\n\r\n")
                mail += chunks()[0]
            self.answer(connection, mail)

    def answer(self, connection, mail):
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"

        def modified(body, http=http, more=b""):
            return (b'ICAP/1.0 200 OK\r\nISTag: "one"\r\n' + more + b"Encapsulated: res-hdr=0, res-body=%d\r\n\r\n" % len(http) + http
                    + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")

        said = {"same": modified(mail), "changed": modified(mail[:-9] + b"*" * 9), "shortened": modified(mail[:-9]),
                "found": modified(b"gone", more=b"X-Infection-Found: Type=0; Resolution=2; Threat=Double-Virus;\r\n"),
                "page": modified(b"no", http=b"HTTP/1.1 403 Forbidden\r\n\r\n"), "error": b"ICAP/1.0 500 Oh\r\n\r\n",
                "nonsense": b"\0\xff\r\n\r\n", "half": modified(mail)[:-40], "header": b"ICAP/1.0 200 OK\r\nX: " + b"x" * 70000,
                "close": b"", "never": b""}.get(self.manner, b"ICAP/1.0 204 No\r\n\r\n")
        connection.sendall(said)
        if self.manner in ("half", "close"):
            raise EOFError


class OpinionDouble(Double):
    """spamd and rspamd on one port, by what is asked; manners: ham, nothing (no rule hit), spam, forced, together (each answers when both were
    asked), refused, nonsense, empty, half, twice, long, header, drip, close, never."""

    def __init__(self):
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.port, self.asked, self.both = listening.getsockname()[1], {}, threading.Barrier(2)
        super().__init__(listening)

    def talk(self, connection):
        file = connection.makefile("rb")
        head = b""
        while (line := file.readline()) not in (b"\r\n", b""):
            head += line
        length = [int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length:")]
        mail = file.read(length[0]) if length else b""
        if not length or len(mail) < length[0]:
            return
        with self.lock:
            self.looks += 1
            is_spamd = head.startswith(b"SYMBOLS")
            self.asked["spamd" if is_spamd else "rspamd"] = head, mail
        connection.settimeout(5)
        if self.manner == "together":
            self.both.wait(5)
        for piece in (self.spamd_says if is_spamd else self.rspamd_says)():
            connection.sendall(piece)
            if self.manner == "drip":
                time.sleep(0.05)
        if self.manner == "never":
            connection.recv(1)

    def pieces(self, good, refusal, endless):
        """What is sent for a manner that both peers have."""
        said = {"refused": refusal, "nonsense": b"\0\xff\r\n\r\n", "empty": good.split(b"\r\n\r\n")[0] + b"\r\n\r\n", "half": good[:-4],
                "twice": good + good, "header": endless + b"x" * 70000, "close": b"", "never": b""}.get(self.manner, good)
        return [bytes([byte]) for byte in said] if self.manner == "drip" else [said]

    def spamd_says(self):
        def reply(word, score, names):
            return b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: %s ; %s / 5.0\r\n\r\n%s" % (len(names), word, score, names)

        good = {"ham": reply(b"False", b"-1.5", b"DOUBLE_HAM"), "nothing": reply(b"False", b"0.0", b""),
                "forced": reply(b"True", b"0.0", b"DOUBLE_FORCED"),
                "long": b"SPAMD/1.1 0 EX_OK\r\nContent-length: 9999999\r\nSpam: True ; 9 / 5\r\n\r\n"}.get(
                    self.manner, reply(b"True", b"7.0", b"DOUBLE_SPAM,OTHER"))
        return self.pieces(good, b"SPAMD/1.0 75 EX_TEMPFAIL\r\n", b"SPAMD/1.1 0 EX_OK\r\nX: ")

    def rspamd_says(self):
        def reply(score, action, symbols):
            body = json.dumps({"score": score, "action": action, "required_score": 15, "thresholds": {"reject": 15, "add header": 6},
                               "symbols": symbols}).encode()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

        def hit(score, action, symbol):
            return reply(score, action, {symbol: {"score": score}, "DOUBLE_LITTLE": {"score": -0.1}})

        good = {"ham": hit(-1.5, "no action", "DOUBLE_HAM"), "nothing": reply(0, "no action", {}), "forced": hit(0, "reject", "DOUBLE_FORCED"),
                "long": b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"}.get(self.manner, hit(8.4, "add header", "DOUBLE_SPAM"))
        return self.pieces(good, b"HTTP/1.1 500 no\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nX: ")
