# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""What bench/bystander and bench/virus have in common: a node before a sink, and a bystander whose mails are timed."""
import contextlib
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-release"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", port), 1) as one:
                if one.recv(100).startswith(b"220"):
                    return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


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
        subprocess.run(["meson", "setup", build, ROOT, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, "node", "bench/load", "bench/sink", *more], check=True, stdout=subprocess.DEVNULL)
