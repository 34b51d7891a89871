"""The numbers of an edge: what relay-through adds to a message and that it writes nothing, how much more it carries than through
its own journal, and what memory edge and wall take under load. Everything is measured here and now; nothing is kept."""
import json
import os
import pathlib
import statistics
import subprocess
import time

from . import programs
from .machine import Machine, family, wait_for

THROUGH_PORT, JOURNAL_PORT, SINK = 2601, 2602, "192.168.0.11:25"
ADDED_MS, RATIO, EDGE_MB, WALL_MB = 2.0, 1.5, 128, 256

EDGE = """role edge
hostname edge1.example.ac.jp
admin postmaster@example.ac.jp
state {state}
listen 192.168.0.2:{through} {{ direction in }}
listen 192.168.0.2:{journal} {{ direction in; relay journal }}
domains {{ example.ac.jp {sink} }}
queue {{ segment {segment} }}
dns {{ servers 127.0.0.1@9; timeout 500ms; dnssec off; client names off }}
auth mode off
limits {{ connections 5000 {{ per client 5000 }} }}
log {{ level warning }}
"""


class Bench:
    """An edge of its own in edge1's namespace, before a plain sink in wall2's: no TLS, no scanner, no second node."""

    def __init__(self, lab, say, quick):
        self.lab, self.say, self.quick = lab, say, quick
        self.machine, self.far = Machine(lab, "edge1"), Machine(lab, "wall2")
        self.folder = lab.folder / "numbers"
        self.state = self.folder / "state"
        self.folder.mkdir(exist_ok=True)

    def __enter__(self):
        config = self.folder / "sekimori.conf"
        config.write_text(EDGE.format(state=self.state, through=THROUGH_PORT, journal=JOURNAL_PORT, sink=SINK,
                                      segment="4M" if self.quick else "64M"))
        self.machine.start("bench-edge", programs.folder() / "src/master/sekimorid", "-c", config,
                           "--libexec", programs.libexec())
        wait_for(lambda: self.status() and self.status()["ready"], "the edge is ready", 60)
        return self

    def __exit__(self, *_):
        self.machine.stop("bench-edge")
        self.far.kill("bench-sink")

    def status(self):
        done = self.machine.run(programs.sekimori(), "status", "--json", "--state", self.state, check=False)
        return json.loads(done.stdout) if done.stdout.startswith("{") else None

    def commits(self):
        return sum(int(one["values"]["commits"]) for one in self.status()["processes"] if one["name"] == "queue")

    def written(self):
        """Bytes that all its processes have had written to disk."""
        total = 0
        for pid in family(self.machine.pid("bench-edge")):
            for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines():
                if line.startswith("write_bytes:"):
                    total += int(line.split()[1])
        return total

    def run(self, to, messages, connections, rate=None):
        """One load into `to`; the sink counts. (latency p50 in ms, messages a second until the sink had the last one.)"""
        self.far.start("bench-sink", programs.folder() / "bench/sink", "--listen", SINK, "--expect", str(messages), "--json")
        wait_for(lambda: self.far.run("ss", "-Hltn", "sport = :25").stdout.strip(), "the sink listens", 20)
        command = [programs.folder() / "bench/load", "--to", to, "--rcpt", "taro@example.ac.jp", "--messages", str(messages),
                   "--connections", str(connections), "--json", *(["--rate", str(rate)] if rate else [])]
        load = json.loads(self.machine.run(*command).stdout)
        assert load["acknowledged"] == messages, load
        wait_for(lambda: not self.far.pid("bench-sink"), "the sink has every message", 120, 0.005)
        sink = json.loads(self.far.text("bench-sink").strip().splitlines()[-1])
        assert sink["messages"] >= messages, sink
        return load["latency_ms"]["p50"], messages / (sink["last"] - load["began"])

    def wait_quiet(self):
        """A new journal is filled with zeros ahead of its use: that is no message's doing."""
        last = -1
        while last != (last := self.written()):
            time.sleep(1.2)

    def cpu_seconds(self):
        """Of all its processes together."""
        total = 0
        for pid in family(self.machine.pid("bench-edge")):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    # --- the numbers ---

    def added(self):
        """At a rate that keeps nothing waiting, pairs interleaved: straight into the sink, and through the edge."""
        direct, through = [], []
        messages = 100 if self.quick else 500
        self.run(f"192.168.0.2:{THROUGH_PORT}", 50, 4)
        self.wait_quiet()
        commits, written = self.commits(), self.written()
        for _ in range(1 if self.quick else 5):
            direct.append(self.run(SINK, messages, 4, rate=200)[0])
            through.append(self.run(f"192.168.0.2:{THROUGH_PORT}", messages, 4, rate=200)[0])
        total = messages * len(through)
        added = statistics.median(through) - statistics.median(direct)
        self.say(f"p50 straight into the sink {statistics.median(direct):.2f} ms, "
                 f"through the edge {statistics.median(through):.2f} ms")
        commits, written = self.commits() - commits, self.written() - written
        self.say(f"written meanwhile, {total} messages handed through: {commits} commits of the journal, "
                 f"{written / 1024:.0f} KiB by all processes together")
        return added, commits, written / total

    def ratio(self):
        """How much more is carried through than by the journal: (end to end, by a second of the edge's CPU). Generator and sink
        run on the cores of the edge here, so the first says how all of them together do, the second how an edge of its own."""
        found, by_cpu = [], []
        messages = 300 if self.quick else 10000
        for turn in range(1 if self.quick else 5):
            ways = [("through", THROUGH_PORT), ("journal", JOURNAL_PORT)]
            rates, costs = {}, {}
            for name, port in ways if turn % 2 else ways[::-1]:
                before = self.cpu_seconds()
                rates[name] = self.run(f"192.168.0.2:{port}", messages, 20)[1]
                costs[name] = (self.cpu_seconds() - before) / messages * 1e6
            self.say(f"through {rates['through']:.0f} messages/s ({costs['through']:.0f} us of CPU each), through its own journal "
                     f"{rates['journal']:.0f}/s ({costs['journal']:.0f} us)")
            found.append(rates["through"] / rates["journal"])
            by_cpu.append(costs["journal"] / costs["through"])
        return statistics.median(found), statistics.median(by_cpu)


def memory(lab, say, quick):
    """The most that edge1 and the wall take while mail comes in over 50 connections as fast as it is taken."""
    load = subprocess.Popen(lab.mailboxes["partner"].enter(
        programs.folder() / "bench/load", "--to", f"{lab.edges['edge1'].address()}:25", "--rcpt", "taro@example.ac.jp",
        "--connections", "45", "--messages", "300" if quick else "5000", "--size", "20000", "--json"),
        stdout=subprocess.PIPE, text=True)
    most = {"edge1": 0, "wall": 0}
    while load.poll() is None:
        for name in most:
            most[name] = max(most[name], lab.nodes[name].memory("sekimorid"))
        time.sleep(0.1)
    result = json.loads(load.stdout.read())
    assert result["failed"] == 0, result
    say(f"{result['messages']} messages of 20 KB over 45 connections, {result['rate']:.0f}/s by edge1 and the wall")
    return {name: most_bytes / 1e6 for name, most_bytes in most.items()}


def measure(lab, say=print, quick=False):
    """[(what, value, unit, goal, is it reached)]"""
    with Bench(lab, say, quick) as bench:
        added, commits, written = bench.added()
        ratio, by_cpu = bench.ratio()
    most = memory(lab, say, quick)
    return [("relay-through adds at p50", added, "ms", f"at most {ADDED_MS}", added <= ADDED_MS),
            ("commits to its journal while it hands through", commits, "", "0", commits == 0),
            ("written to disk for a message handed through", written, "bytes", "less than 100", written < 100),
            ("carried through, against by journal, end to end", ratio, "times", f"at least {RATIO}", ratio >= RATIO),
            ("the same by a second of the edge's CPU", by_cpu, "times", f"at least {RATIO}", by_cpu >= RATIO),
            ("memory of an edge under load", most["edge1"], "MB", f"at most {EDGE_MB}", most["edge1"] <= EDGE_MB),
            ("memory of a wall under load, without signatures", most["wall"], "MB", f"at most {WALL_MB}", most["wall"] <= WALL_MB)]


def table(rows):
    return "\n".join(f"{what:52} {value:9.2f} {unit:6} {goal:16} {'reached' if good else 'NOT REACHED'}"
                     for what, value, unit, goal, good in rows)
