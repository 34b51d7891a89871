# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Engines outside for the flow tests: clamd and c-icap of Debian with configurations, folders and ports of their own, and doubles of both that
answer as they are told: nonsense, half, twice, out of order, never. SEKIMORI_ENGINES names a folder where those packages were unpacked, in the
place of the root."""
import array
import contextlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading

import lab

ROOT = pathlib.Path(os.environ.get("SEKIMORI_ENGINES", "/"))
LIBRARIES = ROOT / "usr/lib/x86_64-linux-gnu" if (ROOT / "usr/lib/x86_64-linux-gnu").exists() else ROOT / "usr/lib" / f"{os.uname().machine}-linux-gnu"
CLAMD, ICAP = ROOT / "usr/sbin/clamd", ROOT / "usr/bin/c-icap"
PATTERN = "a pattern that only engines outside know of"  # its signature: Outside-Test


class Program:
    """A program with a log, started and stopped by the test."""

    def start(self, words, folder, is_up):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(LIBRARIES)} if ROOT != pathlib.Path("/") else None
        self.log = folder / f"{pathlib.Path(words[0]).name}.out"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=folder)
        lab.wait_for(lambda: self.is_running() and is_up(), f"{words[0]} answers", 20)

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
        with contextlib.suppress(OSError, EOFError, ValueError), connection:
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
