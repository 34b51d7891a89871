# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: scan answers every question it took, whatever becomes of its workers, and never calls clean what no engine saw."""
import os
import re
import signal
import subprocess
import threading
import time

import pytest
from lab import BUILD, QUICK, ROOT, wait_for

JAILED = {"ASAN_OPTIONS": "detect_leaks=0", **os.environ}  # the leak search reads /proc, which no jail allows
CLEAN = b"From: a@b.test\r\nDate: Tue, 1 Jan 2030 00:00:00 +0000\r\nMessage-ID: <1@b.test>\r\nSubject: hello\r\n\r\nhi\r\n"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
INFECTED = (b"From: a@b.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
            b"--x\r\n\r\nhi\r\n--x\r\nContent-Type: application/octet-stream; name=a.com\r\n\r\n" + EICAR + b"\r\n--x--\r\n")


class Scan:
    """The real scan process under a played master and receive: files in, answers by tag out."""

    def __init__(self, folder, config="", **more):
        self.folder, self.answers, self.arrived, self.next = folder, {}, threading.Condition(), 0
        self.log = folder / "log"
        self.write(config, **more)
        self.process = subprocess.Popen([BUILD / "tests/unit/scan/scan-drive", BUILD / "src/scan/scan", self.config],
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1,
                                        stderr=open(self.log, "wb"), env=JAILED)
        threading.Thread(target=self._read, daemon=True).start()

    def write(self, config, signatures=ROOT / "conf/signatures", database=None, workers=1):
        self.config = self.folder / "sekimori.conf"
        builtin = f"builtin from {signatures}; database {database}" if database else f"builtin only from {signatures}"
        self.config.write_text(
            "hostname mx.example.test\nadmin postmaster@example.test\nlisten 127.0.0.1:2525\n"
            "domains { example.test 127.0.0.1 }\n"
            f"virus {{ engine clamav {{ {builtin} }} }}\n"
            f"auth mode off\nsenders remember off\nprocesses {{ scan {workers} }}\n{config}\n")

    def _read(self):
        for line in self.process.stdout:
            tag, _, answer = line.rstrip("\n").partition(" ")
            with self.arrived:
                self.answers.setdefault(tag, []).append(answer)
                self.arrived.notify_all()

    def say(self, line):
        self.process.stdin.write(line + "\n")

    def begin(self, message, words="user@example.test"):
        self.next += 1
        tag, path = f"m{self.next}", self.folder / f"message{self.next}"
        path.write_bytes(message)
        self.say(f"{tag} {path} {words}")
        return tag

    def wait(self, tag, seconds=30):
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.answers.get(tag), seconds), f"{tag}: no answer\n{self.log.read_text()}"
            return self.answers[tag].pop(0)

    def ask(self, message, words="user@example.test"):
        return self.wait(self.begin(message, words))

    def status(self):
        self.say("status")
        return self.wait("status")

    def pids(self, name):
        """Of our scan's processes (the kernel keeps 15 characters of a name)."""
        found, ours = [], {self.process.pid}
        table = subprocess.run(["ps", "-eo", "pid=,ppid=,comm=,stat="], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in table.splitlines()]
        for _ in range(5):  # the depth of the tree
            ours |= {int(row[0]) for row in rows if int(row[1]) in ours}
        for row in rows:
            if int(row[0]) in ours and row[2] == name and not row[-1].startswith("Z"):
                found.append(int(row[0]))
        return found

    def workers(self, count, without=()):
        return wait_for(lambda: (pids := self.pids("scan-worker")) and len(pids) == count and not set(pids) & set(without)
                        and pids, f"{count} workers")

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(10)
        text = self.log.read_text()
        assert "panic:" not in text and "AddressSanitizer" not in text and "runtime error" not in text, text[-4000:]
        assert code == 0, text[-4000:]


@pytest.fixture
def scans(tmp_path):
    made = []

    def make(*arguments, **named):
        made.append(Scan(tmp_path, *arguments, **named))
        return made[-1]

    yield make
    for scan in made:
        scan.close()


def summary(answer):
    return re.search(r"summary=\{(.*?)\} header=", answer).group(1)


def test_clean_infected_and_spam(scans):
    scan = scans()
    clean, infected = scan.ask(CLEAN), scan.ask(INFECTED)
    assert clean.startswith("verdict code=250 actions=accept/accept/0 ")
    assert summary(clean) == "action=accept score=0.0 virus=clean"
    assert r"X-Virus-Scanned: Sekimori (clamav " in clean and " kinds=forged,status " in clean
    assert infected.startswith("verdict code=550 actions=reject/accept/0 ")
    assert "reason={virus found: Eicar-Test-Signature (clamav; in " in infected
    gtube = CLEAN + b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
    assert scan.ask(gtube).startswith("verdict code=550 actions=reject/accept/0 ")


@pytest.mark.parametrize("size", [60_000, 70_000, 3_000_000])
def test_bodies_in_frame_and_memory(scans, size):
    scan = scans()
    filler = b"".join(b"%076d\r\n" % number for number in range(size // 78))
    assert scan.ask(CLEAN + filler).startswith("verdict code=250 actions=accept/")
    assert scan.ask(INFECTED.replace(b"hi\r\n", filler)).startswith("verdict code=550 ")


def test_open_question_sends_the_facts_back(scans):
    scan = scans()
    tag = scan.begin(CLEAN, "name=pending user@example.test")
    assert scan.wait(tag) == "facts"
    assert scan.wait(tag).startswith("verdict code=250 actions=accept/")
    none = scan.ask(CLEAN, "name=none user@example.test")
    assert summary(none) == "action=accept score=0.8 virus=clean tests=RDNS_NONE=0.8"
    unknown = scan.ask(CLEAN, "name=temperror user@example.test")
    assert summary(unknown) == "action=accept score=0.0 virus=clean tests=RDNS_TEMPERROR=0.0"


def test_a_message_that_ends_workers_is_poison(scans):
    scan = scans()
    workers = []
    for wanted in ("failed 0 the scan worker died", "failed 1 the same message ended a worker before"):
        scan.workers(2, without=workers)
        assert scan.ask(CLEAN).startswith("verdict code=250 ")  # one of them at least is ready for work
        workers = scan.pids("scan-worker")
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        tag = scan.begin(CLEAN.replace(b"hello", b"poison"))
        wait_for(lambda: "workers=1 workers busy=1" in scan.status(), "one has the message")
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        assert scan.wait(tag) == wanted
    scan.workers(3, without=workers)  # one for the large, with which the client of a death goes
    assert scan.ask(CLEAN).startswith("verdict code=250 ")
    assert "workers died=2 workers timed out=0" in scan.status()


@pytest.mark.alone
@pytest.mark.skipif(QUICK, reason="the clock takes its time")
def test_a_message_that_hangs_is_killed_by_the_clock(scans):
    scan = scans("virus { most time 1s }")
    assert scan.ask(CLEAN).startswith("verdict ")
    for pid in scan.workers(2):
        os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    tag = scan.begin(CLEAN.replace(b"hello", b"hang"))
    assert scan.wait(tag) == "failed 2 the scan took too long"
    assert 5 < time.monotonic() - begun < 9
    for pid in scan.workers(2):
        os.kill(pid, signal.SIGCONT)
    assert scan.ask(CLEAN).startswith("verdict code=250 ")


def test_the_fork_server_may_die(scans):
    scan = scans()
    assert scan.ask(CLEAN).startswith("verdict ")
    os.kill(scan.pids("scan-nursery")[0], signal.SIGKILL)
    time.sleep(0.3)
    assert scan.ask(CLEAN).startswith("verdict code=250 ")
    scan.workers(2)


def test_none_outlives_the_foreman(scans):
    scan = scans()
    assert scan.ask(CLEAN).startswith("verdict ")
    names = ("scan", "scan-warden", "scan-nursery", "scan-worker")
    pids = [pid for name in names for pid in scan.pids(name)]
    assert len(pids) == 5
    os.kill(scan.pids("scan")[0], signal.SIGKILL)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in pids[1:]), "all are gone")
    scan.process.kill()
    scan.process.wait(10)
    scan.close = lambda: None


def test_without_signatures_nothing_is_clean(scans, tmp_path):
    (tmp_path / "empty").mkdir()
    scan = scans(signatures=tmp_path / "empty")
    answer = scan.ask(CLEAN)
    assert answer.startswith("verdict code=451 actions=defer/accept/0 ")
    assert "virus=unscanned" in summary(answer) and "X-Virus-Scanned: unscanned" in answer
    assert "engine=none" in scan.status()
    scan.write("virus { engine clamav { unavailable accept } }", signatures=tmp_path / "empty")
    scan.say(f"reload {scan.config}")
    assert scan.wait("reloaded") == ""
    wait_for(lambda: scan.ask(CLEAN).startswith("verdict code=250 actions=accept/"), "the new setting is in force")
    assert "X-Virus-Scanned: unscanned" in scan.ask(CLEAN)


def test_with_the_check_off_no_engine_is_loaded(scans, tmp_path):
    scan = scans("virus { mode off }", signatures=tmp_path / "none")
    answer = scan.ask(INFECTED)
    assert answer.startswith("verdict code=250 actions=accept/") and "X-Virus-Scanned" not in answer
    assert "engine=none: the virus check is off" in scan.status()


def test_new_signatures_are_noticed(scans, tmp_path):
    """A change is noticed by itself (test_signatures.py); here a reload saves the time."""
    (tmp_path / "database").mkdir()
    (tmp_path / "database/other.ndb").write_text("Other.Word:0:*:" + b"unlikely".hex() + "\n")
    scan = scans(database=tmp_path / "database")
    message = CLEAN + b"a word nobody minds: frobnicate\r\n"
    assert scan.ask(message).startswith("verdict code=250 ")
    (tmp_path / "database/own.ndb").write_text("Own.Word:0:*:" + b"frobnicate".hex() + "\n")
    scan.say(f"reload {scan.config}")
    wait_for(lambda: "virus found: Own.Word" in scan.ask(message), "the new signature finds it")
    (tmp_path / "database/own.ndb").write_text("this is no signature\n")
    scan.say(f"reload {scan.config}")
    wait_for(lambda: "the old signatures stay" in scan.log.read_text(), "a broken file is refused")
    assert "virus found: Own.Word" in scan.ask(message)


def test_with_built_in_signatures_alone_nothing_is_clean(scans, tmp_path):
    """A virus that they know is found; what they do not know is no reason to call a message scanned."""
    (tmp_path / "database").mkdir()
    scan = scans(database=tmp_path / "database")
    answer = scan.ask(CLEAN)
    assert answer.startswith("verdict code=451 actions=defer/accept/0 ") and "virus=unscanned" in summary(answer), answer
    assert "reason={virus found: Eicar-Test-Signature (clamav; in " in scan.ask(INFECTED)
    assert "only the built-in signatures are loaded" in scan.status()
    (tmp_path / "database/own.ndb").write_text("Own.Word:0:*:" + b"frobnicate".hex() + "\n")
    scan.say(f"reload {scan.config}")
    wait_for(lambda: "virus=clean" in scan.ask(CLEAN), "with signatures it is clean")
    (tmp_path / "database/own.ndb").unlink()
    scan.say(f"reload {scan.config}")
    wait_for(lambda: "the old signatures stay" in scan.log.read_text(), "those that were loaded are better than none")
    assert "virus=clean" in scan.ask(CLEAN)
    scan.write("")
    scan.say(f"reload {scan.config}")
    wait_for(lambda: "Own.Word" not in scan.ask(CLEAN + b"frobnicate\r\n"), "only the built-in ones, when that is said")
    assert "virus=clean" in scan.ask(CLEAN)
    scan.write("", database=tmp_path / "database")
    scan.say(f"reload {scan.config}")
    wait_for(lambda: "virus=unscanned" in scan.ask(CLEAN), "and again more is wanted than there is")


def test_a_reload_loses_no_message(scans):
    scan = scans(workers=2)
    assert scan.ask(CLEAN).startswith("verdict ")
    old = set(scan.workers(3))
    scan.write("spam { tag above 1000; quarantine above 1000; reject above 1000 }", workers=2)
    tags = [scan.begin(CLEAN.replace(b"hello", b"%d" % number)) for number in range(200)]
    scan.say(f"reload {scan.config}")
    tags += [scan.begin(CLEAN.replace(b"hello", b"%d" % number)) for number in range(200, 1000)]
    assert all(scan.wait(tag).startswith("verdict code=250 ") for tag in tags)
    # Three for the small; two more for the large where a message took long.
    wait_for(lambda: (new := set(scan.pids("scan-worker"))) and len(new) in (3, 5) and not new & old, "all workers are new")
    assert "required=1000.0" in scan.ask(CLEAN)
    assert len(scan.pids("scan-nursery")) == 1


def test_a_cancelled_request_is_not_answered(scans):
    scan = scans()
    assert scan.ask(CLEAN).startswith("verdict ")
    # Nobody is free for what waits, and nobody is born for it.
    workers = scan.workers(2) + scan.pids("scan-nursery")
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    running, waiting = scan.begin(CLEAN), scan.begin(CLEAN.replace(b"hello", b"waits"))
    wait_for(lambda: "workers busy=1 waiting=1" in scan.status(), "one runs and one waits")
    scan.say(f"cancel {running}")
    scan.say(f"cancel {waiting}")
    time.sleep(0.2)
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
    assert scan.ask(CLEAN.replace(b"hello", b"last")).startswith("verdict ")
    assert not scan.answers.get(running) and not scan.answers.get(waiting)


def test_workers_are_retired(scans):
    scan = scans("processes { scan messages 50 }")
    assert scan.ask(CLEAN).startswith("verdict ")
    old = set(scan.workers(2))
    tags = [scan.begin(CLEAN.replace(b"hello", b"%d" % number)) for number in range(200)]
    assert all(scan.wait(tag).startswith("verdict code=250 ") for tag in tags)
    wait_for(lambda: (new := set(scan.pids("scan-worker"))) and len(new) == 2 and not old <= new, "a worker is new")


@pytest.mark.parametrize("attempt", ["exec", "open"])
def test_a_worker_cannot_leave_its_jail(scans, attempt):
    """In test builds (-Djail_probe=true) a message may ask its worker to; elsewhere that is a message like any. With a
    sanitizer, which opens files itself, it is Landlock that says no."""
    scan = scans(workers=1)
    answer = scan.ask(b"X-Test-Worker: " + attempt.encode() + b"\r\n" + CLEAN)
    if answer == "failed 0 the scan worker died":
        wait_for(lambda: "signal 31 (Bad system call)" in scan.log.read_text(), "the kernel killed it")
        return
    assert "ALLOWED" not in scan.log.read_text()
    if "jail probe: scan worker: denied" not in scan.log.read_text():
        pytest.skip("not a test build")


# Of libc's calls by path: the jail of a worker kills for these, and a name that ends with "at" goes by a descriptor of a folder, which it can get of its own alone.
KILLED = {"chdir", "chown", "chroot", "fdopendir", "getcwd", "lchown", "linkat", "mkfifo", "symlink", "utimensat"}
BY_PATH = re.compile(r"(f?open(at)?(64)?(_2)?|creat(64)?|freopen(64)?|(l|f)?statx?(at)?(64)?|__(l|f)?xstat(at)?(64)?|__open(at)?(64)?_2|__f?open.*_chk|"
                     r"(f?d?open|read|rewind|close)dir(64)?|scandir(at)?(64)?|dirfd|mkdir(at)?|rmdir|unlink(at)?|remove|rename(at2?)?|f?access(at)?|"
                     r"(f?chmod|l?chown|fchown)at|chmod|l?chown|readlink(at)?|__readlink.*_chk|realpath|__realpath_chk|mk[a-z]*temps?(64)?|mkfifo(at)?|"
                     r"sym?link(at)?|linkat|tmpfile(64)?|n?ftw(64)?|fts.*_open|glob(64)?|utime.*|truncate(64)?|chdir|chroot|getcwd)$")
# Those by descriptor. These need no file in memory to be made one of the kernel's: sockets, terminals, what fails on it anyway, what is made of the others.
SETTLES_NOTHING = {"accept4", "bind", "connect", "listen", "shutdown", "recv", "recvfrom", "recvmsg", "send", "sendmsg", "sendto", "getpeername", "getsockname",
                   "getsockopt", "setsockopt", "poll", "select", "ioctl", "isatty", "tcgetattr", "tcsetattr", "fchown", "futimens", "fdopendir", "gzdopen",
                   "xmlReaderForFd", "syscall", "mprotect"}
BY_DESCRIPTOR = re.compile(r"(p?read|p?write)(v2?)?(64)?|__(p?read|p?write|recv).*_chk|l?seek(64)?|f(stat|truncate|sync|datasync|chmod|chown|lock|allocate|advise)(64)?|"
                           r"f[gsl]?etxattr|flistxattr|__fxstat(64)?|close(from|_range)?|dup[23]?|fcntl(64)?|ioctl|isatty|ttyname.*|fdopen(dir)?|fileno|"
                           r"mmap(64)?|munmap|mremap|mprotect|sendfile(64)?|copy_file_range|splice|v?m?splice|tee|futimens|posix_f.*|readahead|syncfs|sync_file_range|"
                           r"lockf(64)?|flock|.*dprintf.*|tc[gs]etattr|gzdopen|xmlReaderForFd|fexecve|p?select|p?poll|accept4?|recv.*|send.*|bind|connect|listen|shutdown|"
                           r"[gs]etsockopt|get(peer|sock)name|syscall$")


def symbols(kind, *files):
    said = subprocess.run(["nm", "-D", *files], check=True, capture_output=True, text=True).stdout
    return {words[-1].split("@")[0] for words in map(str.split, said.splitlines()) if len(words) > 1 and words[-2] in kind}


def test_the_library_names_and_uses_files_in_no_other_way():
    """Each of libc's calls by path or by descriptor that the installed libclamav has, or a library that it uses, is the worker's own, or ends the worker, or is none
    for files in memory."""
    scan = BUILD / "src/scan/scan"
    used = subprocess.run(["ldd", scan], check=True, capture_output=True, text=True).stdout
    files = [line.split()[2] for line in used.splitlines() if re.search(r"lib(clam|mspack|xml2|z\.|bz2|json-c|lzma)[^ ]* => /", line)]
    assert any("libclamav" in file for file in files) and len(files) > 3
    used, own = symbols("Uw", *files), symbols("T", scan)
    asked = {name for name in used if BY_PATH.match(name)}
    assert {"open64", "mkdir", "unlink", "opendir"} <= asked
    assert asked - own - KILLED == set()
    asked = {name for name in used if BY_DESCRIPTOR.fullmatch(name)}
    assert {"read", "write", "pread64", "close", "dup", "fcntl64"} <= asked
    assert asked - own - SETTLES_NOTHING == set()
