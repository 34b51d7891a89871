# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what any engine outside finds counts, and is named with that engine; what it did not look into is not called clean; one that answers
nonsense, half, twice, out of order or never costs a bounded time and a 451, or what its statement says, and is left alone after a while. With
clamd and c-icap of Debian, and with doubles that misbehave."""
import json
import os
import re
import signal
import threading

import engine_doubles
import lab
import pytest

CONFIG = """
domains {{ example.test 127.0.0.1:{inside} }}
limits {{ bodies in frame 20K; bodies in memory 200K }}
virus {{ engine clamav {{ unavailable accept }}; {engines} }}
spam {{ mode off }}
processes {{ receive 1; scan 1 }}
"""
REAL = """
engine near clamd unix:{clamd.path} {{ size most 3M }}
engine far clamd localhost:{clamd.port} {{ size most 3M }}
engine wall icap icap://127.0.0.1:{icap.port}/avscan
"""
SIZES = {"frame": 1, "memfd": 600, "file": 5000}  # lines: where the body is kept


def engine(words, more="", failures=1000, name="double", pause="300ms"):
    return f"engine {name} {words} {{{{ connections 1; time most 500ms; failures {failures}; pause {pause}; {more} }}}}"


def configure(node, sink, engines, said):
    """A reload with these engines, until mail is judged by them: `said` is of X-Virus-Scanned."""
    node.write(CONFIG.replace("{engines}", engines))
    node.run("reload")
    lab.wait_for(lambda: send(node, lab.message())[0] == 250 and said in judged(sink), "mail is judged by what was reloaded")
    lab.wait_for(node.queue_is_empty, "all of it is delivered")
    sink.empty()


def send(node, mail):
    client = lab.Client(node.port)
    try:
        return client.send(mail)
    finally:
        client.close()


def scanned(mail):
    """X-Virus-Scanned of a mail."""
    return re.sub(r"\s+", " ", re.search(r"^X-Virus-Scanned: (.*?)\r?\n(?=\S)", mail.decode(), re.M | re.S)[1])


def judged(sink):
    """The same of the one message that came."""
    header = scanned(sink.wait(1)[0])
    sink.empty()
    return header


def told(node):
    """Of each engine what `status` says."""
    values = [one["values"] for one in node.status()["processes"] if one["name"] == "consult"][0]
    return {name[len("engine "):]: value for name, value in values.items() if name.startswith("engine ")}


# --- real ones ---

@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not engine_doubles.CLAMD.exists() or not engine_doubles.ICAP.exists():
        pytest.skip("clamav-daemon and libc-icap-mod-virus-scan are not here")
    folder = tmp_path_factory.mktemp("real")
    clamd = engine_doubles.Clamd(folder)
    try:
        icap = engine_doubles.Icap(folder, clamd)
        try:
            with lab.standing(folder, CONFIG.replace("{engines}", REAL), clamd=clamd, icap=icap) as (node, sink):
                yield node, sink
        finally:
            icap.stop()
    finally:
        clamd.stop()


@pytest.mark.parametrize("size", SIZES)
def test_real_engines(real, size):
    """Found by each of the three, by the way that a body of this size goes; what they do not find is delivered."""
    node, sink = real
    filler = "a line of text that fills the message up, and nothing else\n" * SIZES[size]
    code, text = send(node, lab.message(body=filler + engine_doubles.PATTERN + "\n"))
    assert code == 550 and "Outside-Test (near, far, wall)" in text, text
    assert send(node, lab.message(body=filler))[0] == 250
    assert "near clean, far clean, wall clean" in judged(sink)
    by_descriptor = re.findall(r"\(deleted\): (OK|Outside-Test)|/spool/.*: (OK|Outside-Test)", node.values["clamd"].log_file.read_text())
    assert len(by_descriptor) == 2 * list(SIZES).index(size), by_descriptor


def test_all_engines_name_it(real):
    node, _ = real
    code, text = send(node, lab.message(body=lab.eicar() + "\n"))
    assert code == 550 and "(clamav, near, far, wall; in text/plain)" in text, text


def test_what_is_too_large_is_not_called_clean(real):
    node, sink = real
    assert send(node, lab.message(body=("a line of text " * 60 + "\n") * 4000))[0] == 250
    assert "near limits, far limits, wall clean" in judged(sink)


def test_versions_are_told(real):
    said = told(real[0])
    assert "ClamAV " in said["near"] and "C-ICAP" in said["wall"] and said["far"].startswith("well"), said
    assert ", failed 0, late 0" in said["near"] + said["wall"], said


# --- doubles ---

@pytest.fixture(scope="module")
def double(tmp_path_factory):
    folder = tmp_path_factory.mktemp("double")
    clamd, icap = engine_doubles.ClamdDouble(folder), engine_doubles.IcapDouble()
    words = f"clamd unix:{clamd.path}"
    with lab.standing(folder, CONFIG.replace("{engines}", engine(words))) as (node, sink):
        yield node, sink, clamd, icap
    clamd.stop()
    icap.stop()


@pytest.fixture
def folder_of_doubles(double, tmp_path):
    node, sink, _, _ = double
    doubles = {}
    for way in ("defer", "unscanned", "accept"):
        (tmp_path / way).mkdir()
        doubles[way] = engine_doubles.ClamdDouble(tmp_path / way)
    yield node, sink, doubles
    for one in doubles.values():
        one.stop()


CLAMD = {"clean": 250, "found": 550, "error": 451, "nonsense": 451, "half": 451, "twice": 250, "number": 451, "long": 451, "close": 451, "never": 451}
ICAP = {"clean": 250, "same": 250, "found": 550, "page": 550, "changed": 550, "shortened": 550, "error": 451, "nonsense": 451, "half": 451,
        "header": 451, "close": 451, "never": 451, "early": 250}


def manners(node, sink, double, expected):
    """All of them on one engine; after each one a good one is judged again."""
    for manner, code in expected.items():
        double.manner = manner
        reply = send(node, lab.message(body="a line\n" * (500 if manner == "early" else 50)))
        assert reply[0] == code and (code != 550 or "(double)" in reply[1] or "(preview)" in reply[1]), (manner, reply)
        double.manner = "clean"
        assert send(node, lab.message(subject="afterwards"))[0] == 250, manner
    assert len(sink.wait(len(expected))) >= len(expected)
    sink.empty()


def test_clamd_of_all_manners(double):
    node, sink, clamd, _ = double
    manners(node, sink, clamd, CLAMD)


def test_replies_out_of_order(double):
    """Two messages on one connection: each gets its own answer, whichever comes first."""
    node, sink, clamd, _ = double
    clamd.manner, before, replies = "reversed", clamd.connections, {}

    def one(word):
        replies[word] = send(node, lab.message(body=f"{word}\n"))[0]

    for _ in range(3):
        threads = [threading.Thread(target=one, args=(word,)) for word in ("good", "bad")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert replies == {"good": 250, "bad": 550}
    assert clamd.connections - before <= 1
    sink.wait(3)
    sink.empty()
    clamd.manner = "clean"


def seen_by_monitors(node, way):
    """A sick engine makes the node sick, and the words say what becomes of mail; health, the facts of alarms and metrics know it."""
    becomes = "mail is deferred" if way == "defer" else "mail goes without"
    said = lab.wait_for(lambda: (text := node.run("health", check=False).stdout) and way in text and text, "health names it")
    assert becomes in said, said
    fact, = [one for one in json.loads(node.run("health", "--all", "--json", check=False).stdout)["facts"] if one["fact"] == "engines"]
    assert fact["state"] == "bad" and way in fact["says"], fact
    lab.wait_for(lambda: metrics(node, "up", way) == 0, "metrics know it")
    assert metrics(node, "asked_total", way) == metrics(node, "clean", way) + 2
    assert metrics(node, "failed", way) == 2 and metrics(node, "spared", way) >= 2


def metrics(node, name, engine):
    """A number of an engine: sekimori_engine_NAME, or a result."""
    lines = node.run("metrics").stdout.splitlines()
    labels = f'engine_{name}{{engine="{engine}"}} ', f'engine_answers_total{{engine="{engine}",result="{name}"}} '
    number, = [line.split(" ")[1] for line in lines for one in labels if line.startswith("sekimori_" + one)]
    return int(number)


def test_sick_ones_are_left_alone(folder_of_doubles):
    """Each by its statement: deferred, delivered with a warning, delivered as if there were none; and each is well again after a while."""
    node, sink, doubles = folder_of_doubles
    engines = "; ".join(engine(f"clamd unix:{one.path}", f"unavailable {way}", failures=2, name=way, pause="2s") for way, one in doubles.items())
    configure(node, sink, engines, "defer clean, unscanned clean, accept clean")
    node.text_begins()
    for way in ("accept", "unscanned", "defer"):
        one = doubles[way]
        one.manner, looks = "close", one.looks
        for _ in range(4):
            assert send(node, lab.message())[0] == (451 if way == "defer" else 250)
        assert one.looks - looks == 4, "each of the first two is tried twice, then nobody is asked"
        assert node.text().count(f"ALARM: engine {way} ") == 1 and told(node)[way].startswith("sick: ")
        seen_by_monitors(node, way)
        mails, one.manner = sink.wait(0 if way == "defer" else 4), "clean"
        sink.empty()
        for mail in mails:
            assert (b"UNSCANNED] hello" in mail) == (way == "unscanned") == ("unscanned unscanned" in scanned(mail)), mail
            assert way != "accept" or "accept" not in scanned(mail), mail
    lab.wait_for(lambda: all(said.startswith("well") for said in told(node).values()), "all are well again without any mail")
    lab.wait_for(lambda: "not answer" not in node.run("health", check=False).stdout, "and so is the node, by engines")
    assert send(node, lab.message())[0] == 250
    assert node.text().count(" answers again") == 3
    lab.wait_for(node.queue_is_empty, "all is delivered")
    sink.empty()


def test_icap_of_all_manners(double):
    node, sink, _, icap = double
    configure(node, sink, engine(f"icap icap://127.0.0.1:{icap.port}/scan", name="preview"), "preview clean")
    manners(node, sink, icap, ICAP)
    assert 'Double "one"' in told(node)["preview"]


def test_nobody_listens_and_consult_dies(double):
    """Where nobody listens, and while consult is away, mail is deferred at once; a killed consult is started again."""
    node, sink, clamd, _ = double
    words = engine(f"clamd unix:{clamd.path}", name="dying") + "; " + engine("clamd 127.0.0.1:1", "unavailable unscanned", name="absent")
    configure(node, sink, words, "dying clean, absent unscanned")
    assert "Connection refused" in told(node)["absent"]
    pid, clamd.manner = node.pids("consult")[0], "never"
    client = lab.Client(node.port)
    client.open()
    client.say("DATA")
    client.raw(lab.message().replace("\n", "\r\n").encode() + b".\r\n")
    os.kill(pid, signal.SIGKILL)
    assert client.reply()[0] == 451
    client.close()
    clamd.manner = "clean"
    lab.wait_for(lambda: node.pids("consult") not in ([], [pid]) and node.is_ready(), "consult is there again")
    assert send(node, lab.message())[0] == 250 and "dying clean" in judged(sink)
    configure(node, sink, "", "Sekimori (clamav")  # and none is asked any more
    assert "dying" not in told(node)


# --- commands ---

# What it does stands in the message: the word behind "X-Do: ". What came of it goes to its outputs.
PROGRAM = r"""#!/usr/bin/python3
import ctypes, json, os, re, signal, socket, subprocess, sys, time
def opened(path, how): os.close(os.open(path, how))
def call(name, *words):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*words) < 0: raise OSError(ctypes.get_errno(), name)
def cloned(flags):
    pid = ctypes.CDLL(None, use_errno=True).syscall(56, flags | 17, 0, 0, 0, 0)
    if pid == 0: os._exit(0)
    if pid < 0: raise OSError(ctypes.get_errno(), "clone")
ways = {"open": lambda path: opened(path, os.O_RDONLY), "change": lambda path: opened(path, os.O_RDWR), "list": os.listdir,
        "make": lambda path: opened(path, os.O_WRONLY | os.O_CREAT), "write": lambda fd: os.write(int(fd), b"x"), "shorten": lambda fd: os.ftruncate(int(fd), 0),
        "anew": lambda path: os.write(os.open(path, os.O_WRONLY), b"x"), "socket": lambda family: socket.socket(getattr(socket, family)).close(),
        "signal": lambda pid: os.kill(int(pid), 0), "unshare": lambda flags: call("unshare", int(flags)), "clone": lambda flags: cloned(int(flags)),
        "run": lambda words: subprocess.run(["sh", "-c", words], check=True)}
def tried(one):
    way, what = one.split(" ", 1)
    try: ways[way](what)
    except (OSError, subprocess.CalledProcessError) as error: return str(error)
def left_behind():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            time.sleep(100)
        os._exit(0)
    os.wait()
mail = sys.stdin.buffer.read()
did = re.search(rb"^X-Do: (\w+)", mail, re.M)
did = did[1].decode() if did else "clean"
if did == "found": print("a line\nFOUND Outside.Test-1 (a\x1b[1mb)\nFOUND Second"); sys.exit(10)
if did == "nameless": print("nothing that matches"); sys.exit(11)
if did == "other": sys.exit(7)
if did == "crash": os.kill(os.getpid(), signal.SIGSEGV)
if did == "hang": time.sleep(100)
if did == "flood":
    while True: os.write(1, b"x" * 65536)
if did == "much": sys.stderr.write("y" * 200000 + "\nFOUND late\n"); sys.exit(11)
if did == "size": sys.stderr.write(f"FOUND {len(mail)} {mail[-12:-2].decode()}\n"); sys.exit(10)
if did == "stays": left_behind(); sys.exit(10)
if did == "hides": left_behind(); time.sleep(100)
if did == "bomb":
    for _ in range(150):
        with __import__("contextlib").suppress(OSError):
            if os.fork() == 0: time.sleep(100)
    time.sleep(100)
if did == "leaves":
    print("FOUND", len(os.listdir(os.environ["TMPDIR"])), os.getcwd() == os.environ["TMPDIR"])
    for depth in range(300):
        os.mkdir("d" * 200); os.chdir("d" * 200)
    open("file", "w").write("x"); os.chmod(".", 0); sys.exit(10)
if did == "tells":
    with open(sys.argv[1] + "/tries") as file: tries = json.load(file)
    held = [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
    wrong = [f"{one}: {said}" for one, said in ((one, tried(one)) for one in tries["always"]) if said]
    wrong += [one for one in tries["never"] if not tried(one)]
    with open("/proc/self/status") as file: status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    wrong += [str(one) for one in (sorted(os.environ), sorted(held), status["CapEff"], status["NoNewPrivs"]) if str(one) not in tries["is"]]
    print("FOUND", "; ".join(wrong) or f"as it should be, {len(tries['never'])} denied"); sys.exit(10)
"""
CODES = {"clean": 250, "found": 550, "nameless": 550, "other": 451, "crash": 451, "hang": 451, "flood": 451, "much": 550, "stays": 550, "hides": 451,
         "bomb": 451, "leaves": 550}
SAID = {"found": "Outside.Test-1 (a?[1mb) (second)", "nameless": "found 11 (second)", "much": "found 11 (second)", "stays": "found 10 (second)",
        "leaves": "0 True (second)"}


def command(folder, name="second", time_most="1500ms", more=""):
    return (f'engine {name} command "{folder}/scanner  {folder}/told" {{{{ connections 4; time most {time_most}; failures 1000; found 10 11; '
            f'name "^FOUND (.+)$"; reads {folder}/told; {more} }}}}')


@pytest.fixture(scope="module")
def commanded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commanded")
    (folder / "programs/told").mkdir(parents=True)
    program = folder / "programs/scanner"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    with lab.standing(folder, CONFIG.replace("{engines}", command(program.parent))) as (node, sink):
        node.programs = program.parent
        yield node, sink


def running(node):
    """Processes of the program, whoever they came from."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += [pid] if f"{node.programs}/scanner".encode() in file.read() else []
        except OSError:
            pass
    return found


def does(node, word, body=""):
    return send(node, lab.message(body=f"X-Do: {word}\n{body}"))


def at_once(node, words):
    """The replies to messages that are sent at the same time."""
    replies = {}
    threads = [threading.Thread(target=lambda word=word: replies.update({word: does(node, word)})) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def test_commands_of_all_manners(commanded):
    """Each costs its time at most, leaves no process, and the engine lives on; what a command leaves in its folder is gone for the next."""
    node, sink = commanded
    (pid,) = node.pids("engine")
    replies = at_once(node, ["hang", "flood", "hides", "bomb"])
    for word in CODES.keys() - replies.keys():
        replies[word] = does(node, word)
    assert {word: reply[0] for word, reply in replies.items()} == CODES, replies
    assert [word for word, said in SAID.items() if said not in replies[word][1]] == [], replies
    replies = at_once(node, ["leaves"] * 8)
    assert all(SAID["leaves"] in reply[1] for reply in replies.values()), replies
    assert "second clean" in judged(sink)
    assert node.pids("engine") == [pid]
    lab.wait_for(lambda: not running(node), "no process is left")
    assert does(node, "clean")[0] == 250
    assert "second clean" in judged(sink)
    status = node.run("status", "engine").stdout
    assert re.search(r"command second +running 0, run \d+, clean 2, found \d+, failed 1, died 2, ", status), status


@pytest.mark.parametrize("size", SIZES)
def test_a_command_reads_it_whole(commanded, size):
    node, _ = commanded
    filler = "a line of text that fills the message up, and nothing else\n" * SIZES[size]
    code, text = does(node, "size", filler + "its end...\n")
    assert code == 550 and int(re.search(r"found: (\d+) its end\.\.\. \(second\)", text)[1]) > len(filler), text


def test_a_command_reaches_nothing(commanded):
    """As the same user as all processes, so that only its jail keeps it: the message is to be read and no more, there is no network, and of the
    node no file, key or process."""
    node, sink = commanded
    does(node, "clean")
    judged(sink)
    files = [path for path in node.state.rglob("*") if path.is_file()]
    assert {path.relative_to(node.state).parts[0] for path in files} >= {"spool", "ledger", "run"}
    never = {f"{way} {path}" for path in files for way in ("open", "change")} | {f"list {node.state}", f"make {node.state}/new", f"open {node.config}"}
    never |= {f"make {place}/new" for place in ("/usr", "/etc", "/tmp", "/var/tmp", "/dev", "/dev/shm", node.programs, node.programs / "told")}
    never |= {f"socket {family}" for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET")}
    never |= {"write 0", "shorten 0", "anew /proc/self/fd/0", "open /etc/shadow", f"open {os.path.expanduser('~')}/.bashrc"}
    never |= {f"unshare {0x10000000}", f"clone {0x10000000 | 0x20000000}", f"clone {0x10000000}"}
    for name in ("engine", "consult", "queue"):
        (pid,) = node.pids(name)
        never |= {f"signal {pid}"} | {f"open /proc/{pid}/{what}" for what in ("mem", "environ", "maps", "fd/0")}
    always = {"open /etc/passwd", "list /usr", "make here", "change /dev/null", "open /dev/urandom", f"open {node.programs}/told/tries",
              "run echo a | tr a b | grep -q b", "run python3 -c 'import multiprocessing, threading, tempfile; tempfile.mkdtemp()'"}
    told = {"always": sorted(always), "never": sorted(never), "is": [str(["LC_ALL", "PATH", "TMPDIR"]), str(["0", "1", "2"]), "0" * 16, "1"]}
    (node.programs / "told/tries").write_text(json.dumps(told))
    code, text = does(node, "tells")
    assert code == 550 and f"as it should be, {len(never)} denied" in text, text


def test_a_command_is_stopped(commanded):
    """When nobody waits for its answer any more, with the engine, which master starts again, and when its statement is another one."""
    node, sink = commanded

    def waiting(then):
        """The reply to a message at which the command hangs, after what is done meanwhile."""
        said = []
        thread = threading.Thread(target=lambda: said.append(does(node, "hang")[0]))
        thread.start()
        lab.wait_for(lambda: running(node), "it runs")
        assert "process " in node.run("status", "engine").stdout
        before = then()
        thread.join(20)
        assert said == [451]
        lab.wait_for(lambda: not running(node), "it is killed")
        lab.wait_for(lambda: node.pids("engine") not in ([], [before]) and node.is_ready(), "the engine is there again")
        assert does(node, "found")[0] == 550 and does(node, "clean")[0] == 250
        judged(sink)

    def kill():
        (pid,) = node.pids("engine")
        os.kill(pid, signal.SIGKILL)
        return pid

    def reload():
        (pid,) = node.pids("engine")
        node.run("reload")
        return pid

    configured = CONFIG.replace("{engines}", command(node.programs, time_most="20s"))
    node.write(configured)
    node.run("reload")
    lab.wait_for(lambda: does(node, "found")[0] == 550, "the new statement is in force")
    waiting(kill)
    node.write(configured.replace("time most 20s", "time most 19s"))
    waiting(reload)
    client = lab.Client(node.port)
    client.open()
    client.say("DATA")
    client.raw(lab.message(body="X-Do: hang\n").replace("\n", "\r\n").encode() + b".\r\n")
    lab.wait_for(lambda: running(node), "it runs")
    (pid,) = node.pids("receive")
    os.kill(pid, signal.SIGKILL)
    lab.wait_for(lambda: not running(node), "nobody waits for it any more")
    client.close()
    lab.wait_for(lambda: node.pids("receive") not in ([], [pid]) and node.is_ready(), "receive is there again")


@pytest.mark.skipif(not os.path.exists("/usr/bin/clamscan"), reason="clamav is not here")
def test_a_real_scanner(commanded, tmp_path):
    """clamscan, as doc/engines.md has it: it reads its signatures, and writes what it needs into its own folder."""
    node, sink = commanded
    (tmp_path / "outside.ndb").write_text(f"Outside-Test:0:*:{engine_doubles.PATTERN.encode().hex()}\n")
    words = f'"/usr/bin/clamscan --database={tmp_path} --no-summary -" {{{{ name ": (.+) FOUND$"; reads {tmp_path} }}}}'
    configure(node, sink, f"engine clam command {words}", "clam clean")
    code, text = send(node, lab.message(body=engine_doubles.PATTERN + "\n"))
    assert code == 550 and "Outside-Test (clam)" in text, text


def test_a_command_that_cannot_be_run(commanded):
    """`unavailable` holds, and `check` says it before."""
    node, sink = commanded
    words = command(node.programs, name="gone", more="unavailable unscanned").replace("/scanner", "/nothing")
    node.write(CONFIG.replace("{engines}", words))
    said = node.run("check", node.config, check=False, where=False)
    assert said.returncode != 0 and f"virus engine gone: {node.programs}/nothing: No such file or directory" in said.stdout + said.stderr, said
    node.run("reload")
    lab.wait_for(lambda: send(node, lab.message())[0] == 250 and "gone unscanned" in judged(sink), "mail passes by it")
    assert "No such file or directory" in told(node)["gone"]
    configure(node, sink, "", "Sekimori (clamav")
