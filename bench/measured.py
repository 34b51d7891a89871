# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""What bench/bystander and bench/virus have in common: a node to measure, and a bystander whose mails are timed."""
import contextlib
import json
import pathlib
import signal
import socket
import subprocess
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


def bystander(build, port, seconds):
    """p50, p99 and max in ms, how many, and how many were not answered 250."""
    done = subprocess.run([build / "bench/load", "--to", f"127.0.0.1:{port}", "--connections", "1", "--seconds", str(seconds), "--size", "4096",
                           "--unique", "--timeout", "120", "--json"], capture_output=True, text=True)
    told = json.loads(done.stdout)
    return told["latency_ms"], told


def release_build(build):
    """Brings build-release up to date, where that is the one."""
    if build != BUILD:
        return
    if not (build / "build.ninja").exists():
        subprocess.run(["meson", "setup", build, ROOT, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, "node", "bench/load", "bench/sink"], check=True, stdout=subprocess.DEVNULL)
