# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""What the measuring scripts have in common: a node before a sink, a bystander whose mails are timed, Debian's servers beside us, and what
a tree of processes costs."""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-release"
TICK = os.sysconf("SC_CLK_TCK")


# --- what was asked for ---

def give_up(why):
    """One line, and exit code 66."""
    print(f"{pathlib.Path(sys.argv[0]).name}: {why}", file=sys.stderr)
    raise SystemExit(os.EX_NOINPUT)


def corpora_check(corpora, folders):
    """Each has an index.tsv with a column `path`."""
    for folder in folders:
        listed = corpora / folder / "index.tsv"
        try:
            with listed.open(encoding="utf-8", errors="replace") as lines:
                head = lines.readline().rstrip("\n").split("\t")
        except OSError as why:
            give_up(f'{listed}: {why.strerror}; bench/README.md, "Corpora", says what has to be there')
        if "path" not in head:
            give_up(f'{listed}: its first line names no column "path" (bench/README.md, "Corpora")')


def programs_check(build, *names):
    """They are in that build."""
    missing = [name for name in names if not os.access(build / name, os.X_OK)]
    if missing:
        setup = "" if (build / "build.ninja").exists() else f"meson setup --buildtype=release -Db_lto=true {build} {ROOT} && "
        tools = " ".join(name for name in missing if name.startswith("bench/"))
        give_up(f"{build / missing[0]} is missing; to build it: {setup}ninja -C {build} node {tools}".rstrip())


def package_check(peer, package, *command):
    """A program of another package runs."""
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        give_up(f"{peer} is missing: apt-get install --no-install-recommends {package}, or leave it out of --peers")


PEER_PACKAGES = {"spamassassin": ("spamassassin", "perl", "-MMail::SpamAssassin", "-e", ""), "rspamd": ("rspamd", "rspamd", "--version"),
                 "bogofilter": ("bogofilter", "bogofilter", "-V")}


def peers_check(peers):
    for peer in peers:
        package_check(peer, *PEER_PACKAGES[peer])


def names_of(*known):
    """For argparse: some of these, with commas between; empty: none."""
    def read(text):
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name}: {', '.join(known)}")
        return names
    return read


# --- processes ---

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, seconds=60, address="127.0.0.1"):
    """Until it greets as SMTP servers do."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            with socket.create_connection((address, port), 1) as one:
                if one.recv(100).startswith(b"220"):
                    return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def family(pid):
    """A process and all below it."""
    pids, todo = [], [pid]
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry))
    while todo:
        one = todo.pop()
        pids.append(one)
        todo += children.get(one, [])
    return pids


def cpu_seconds(pid):
    """Of a process tree by program, with what children that have ended left to their parents."""
    total = collections.Counter()
    for one in family(pid):
        with contextlib.suppress(OSError):
            name, fields = open(f"/proc/{one}/stat").read().split("(", 1)[1].rsplit(")", 1)
            total[name] += sum(map(int, fields.split()[11:15])) / TICK
    return total


def memory(pids):
    """Of these processes, in MiB: what each has (RSS) added up, and what all have together, shared pages once (PSS)."""
    total = {"Rss": 0, "Pss": 0}
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError), open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                name, _, rest = line.partition(":")
                if name in total:
                    total[name] += int(rest.split()[0]) / 1024
    return total


def million(folder):
    """Signatures, hashes and patterns in the proportion of real sets: nine to one."""
    dice = random.Random(2)
    with open(folder / "made.hdb", "w") as out:
        for number in range(900_000):
            out.write(f"{dice.randbytes(16).hex()}:{dice.randint(1000, 400_000)}:Made.Hash-{number}\n")
    with open(folder / "made.ndb", "w") as out:
        for number in range(100_000):
            out.write(f"Made.Pattern-{number}:0:*:{dice.randbytes(24).hex()}\n")


class Clamd:
    """clamd on a socket in a new folder of its own; `more`: lines of its configuration."""

    def __init__(self, folder, program, signatures, more):
        folder.mkdir()
        self.socket, self.log = str(folder / "socket"), folder / "log"
        (folder / "conf").write_text(f"DatabaseDirectory {signatures}\nLocalSocket {self.socket}\nForeground yes\nUser root\n"
                                     f"ConcurrentDatabaseReload no\nExitOnOOM yes\nScanMail yes\n{more}")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([program, "-c", folder / "conf"], stdout=log, stderr=log)
        end = time.monotonic() + 300
        while not os.path.exists(self.socket):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"clamd does not come up:\n{self.log.read_text()}")
            time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class Postfix:
    """Debian's, in a new folder of its own, as a relay to a sink on this machine. `more`: lines of main.cf."""

    def __init__(self, folder, sink_port, more, address="127.0.0.1"):
        self.folder, self.port = folder, free_port()
        for name in ("queue", "data", "etc"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix", "postfix")
        folder.chmod(0o755)
        (folder / "etc/main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.test
inet_interfaces = {address}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
relay_domains = example.test
transport_maps = inline:{{ {{ example.test = smtp:[127.0.0.1]:{sink_port} }} }}
in_flow_delay = 0
default_process_limit = 200
initial_destination_concurrency = 20
smtp_destination_concurrency_limit = 50
smtp_connection_cache_destinations = [127.0.0.1]:{sink_port}
smtp_connection_reuse_count_limit = 0
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
{more}""")
        lines = []
        for line in pathlib.Path("/usr/share/postfix/master.cf.dist").read_text().splitlines():
            fields = line.split()
            if line.startswith("#") or not fields or line[0].isspace():
                continue
            if fields[0] == "smtp" and fields[1] == "inet":
                fields[0] = str(self.port)
            fields[4] = "n"
            lines.append(" ".join(fields))
        (folder / "etc/master.cf").write_text("\n".join(lines) + "\n")
        self.command("start")
        wait_for_port(self.port, address=address)
        self.pid = int((folder / "queue/pid/master.pid").read_text())

    def command(self, verb):
        done = subprocess.run(["postfix", "-c", self.folder / "etc", verb], capture_output=True, text=True)
        if done.returncode and verb == "start":
            raise SystemExit(f"postfix {verb}: {done.stderr}")

    def stop(self):
        self.command("stop")
        end = time.monotonic() + 20
        while pathlib.Path(f"/proc/{self.pid}").exists() and time.monotonic() < end:
            time.sleep(0.05)


def rspamd_start(home, log):
    """rspamd with the configuration in home/conf, and all that it writes in home/db."""
    (home / "db").mkdir(exist_ok=True)
    folders = dict(CONFDIR="conf", LOCAL_CONFDIR="conf", DBDIR="db", RUNDIR="db", LOGDIR="db")
    words = [word for name, below in folders.items() for word in ("--var", f"{name}={home}/{below}")]
    return subprocess.Popen(["rspamd", "--insecure", "--no-fork", "--config", home / "conf/rspamd.conf", *words], stdout=log, stderr=log)


class Node:
    """`engine`: what stands in engine clamav { }; None: the built-in signatures alone. `more`: statements beside it."""

    def __init__(self, folder, build, sink_port, engine=None, more="spam { mode on }"):
        engine = engine or f"builtin only from {ROOT}/conf/signatures; database {folder}/none"
        self.folder = folder
        self.port, state = free_port(), folder / "state"
        state.mkdir()
        (folder / "conf").write_text(f"""hostname mx.example.test
admin postmaster@example.test
state {state}
listen 127.0.0.1:{self.port} {{ direction in }}
domains {{ example.test 127.0.0.1:{sink_port} }}
virus {{ mode on; engine clamav {{ {engine} }} }}
{more}
auth mode off
dns {{ client names off; dnssec off; servers 127.0.0.1@9 }}
limits {{ connections 5000 {{ per client 5000 }} }}
""")
        with open(folder / "log", "w") as log:
            self.process = subprocess.Popen([build / "src/master/sekimorid", "-c", folder / "conf", "--libexec", build / "src/libexec"],
                                            stdout=log, stderr=log)
        try:
            wait_for_port(self.port)
        except SystemExit as why:
            raise SystemExit(f"{why}\n{(folder / 'log').read_text()}") from None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)


class Standing:
    """A node before a sink, in a folder of its own within `base`; the rest as for Node."""

    def __init__(self, base, build, *node):
        sink_port = free_port()
        self.build, self.node = build, None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="node.", dir=base))
        self.sink = subprocess.Popen([build / "bench/sink", "--listen", f"127.0.0.1:{sink_port}"], stdout=subprocess.DEVNULL)
        try:
            wait_for_port(sink_port)
            self.node = Node(self.folder, build, sink_port, *node)
            self.port = self.node.port
            self.load("--messages", 5)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.node:
            self.node.stop()
        self.sink.terminate()
        self.sink.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, *words, timeout=60):
        """What bench/load says of what it sent."""
        done = subprocess.run([self.build / "bench/load", "--to", f"127.0.0.1:{self.port}", "--timeout", str(timeout), "--json", *map(str, words)],
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    def bystander(self, seconds):
        """p50, p99 and max in ms, how many, and how many were not answered 250."""
        told = self.load("--connections", 1, "--seconds", seconds, "--size", 4096, "--unique", timeout=120)
        return told["latency_ms"], told


def release_build(build, *more):
    """Brings build-release up to date, where that is the one. `more`: programs beside the node and those of load."""
    if build != BUILD:
        return
    if not (build / "build.ninja").exists():
        subprocess.run(["meson", "setup", build, ROOT, "--buildtype=release", "-Db_lto=true"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, "node", "bench/load", "bench/sink", *more], check=True, stdout=subprocess.DEVNULL)
