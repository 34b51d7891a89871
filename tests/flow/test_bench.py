# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: the bench tools count what happened: load and sink agree, what is lost or doubled is noticed, and a server that
stands still shows in the latency of every message that was due meanwhile."""
import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import lab

BENCH = lab.BUILD / "bench"


@contextlib.contextmanager
def sink(*options):
    """bench/sink on a free port: (process, port). It ends by itself or is ended here."""
    port = lab.free_port()
    process = subprocess.Popen([BENCH / "sink", "--listen", f"127.0.0.1:{port}", *map(str, options)],
                               stdout=subprocess.PIPE, text=True)
    try:
        lab.wait_for(lambda: is_open(port), "the bench sink listens")
        yield process, port
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        process.communicate(timeout=10)


def is_open(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def load(port, *options):
    done = subprocess.run([BENCH / "load", "--to", f"127.0.0.1:{port}", "--json", *map(str, options)],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout)


def compare(*arguments):
    return subprocess.run([BENCH / "compare", *map(str, arguments)], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("sink_options, load_options", [
    ((), ("--pipelining",)),
    (("--no-pipelining",), ("--pipelining",)),
    ((), ("--reuse", 7)),
    (("--tls",), ("--tls", "--pipelining", "--size", 40000)),
])
def test_counts_agree(tmp_path, sink_options, load_options):
    with sink("--expect", 500, "--ids", tmp_path / "came", *sink_options) as (process, port):
        status, said = load(port, "--messages", 500, "--connections", 8, "--ids", tmp_path / "sent", *load_options)
        told = process.communicate(timeout=20)[0]
        assert process.returncode == 0, told
    assert status == 0 and said["acknowledged"] == 500 and said["failed"] == 0
    assert [(one["code"], one["count"]) for one in said["replies"]] == [(250, 500)]
    assert re.search(r"messages 500, .*doubled 0, without id 0", told), told
    done = compare("--once", tmp_path / "sent", tmp_path / "came")
    assert done.returncode == 0 and "acknowledged 500, received 500, lost 0, doubled 0" in done.stdout


def test_lost_is_noticed(tmp_path):
    with sink("--expect", 40, "--ids", tmp_path / "came") as (process, port):
        load(port, "--messages", 40, "--unique")
        process.communicate(timeout=20)
    with sink() as (process, port):
        load(port, "--messages", 50, "--ids", tmp_path / "sent")
    done = compare(tmp_path / "sent", tmp_path / "came")
    assert done.returncode == 1 and "lost 10," in done.stdout and "first lost: id 40" in done.stdout


def test_doubled_is_noticed(tmp_path):
    with sink("--expect", 50, "--ids", tmp_path / "came") as (process, port):
        load(port, "--messages", 40, "--ids", tmp_path / "first")
        load(port, "--messages", 20, "--first-id", 30, "--ids", tmp_path / "second")
        told = process.communicate(timeout=20)[0]
    assert "messages 60, different ids 50, doubled 10" in told
    (tmp_path / "sent").write_text((tmp_path / "first").read_text() + "".join(f"{one}\n" for one in range(40, 50)))
    assert compare(tmp_path / "sent", tmp_path / "came").returncode == 0
    assert compare("--once", tmp_path / "sent", tmp_path / "came").returncode == 1


def test_expectation_missed(tmp_path):
    with sink("--expect", 30, "--idle", 0.3) as (process, port):
        load(port, "--messages", 29, "--unique")
        process.communicate(timeout=20)
        assert process.returncode == 1


@pytest.mark.alone
def test_latency_counts_from_the_due_time():
    with sink() as (process, port):
        stop = threading.Timer(0.5, process.send_signal, (signal.SIGSTOP,))
        go = threading.Timer(1.1, process.send_signal, (signal.SIGCONT,))
        stop.start(), go.start()
        begun = time.monotonic()
        status, said = load(port, "--rate", 200, "--messages", 300, "--connections", 4)
        took = time.monotonic() - begun
    assert status == 0 and took >= 1.4
    # 120 of 300 were due while it stood still; four connections alone would have shown four slow ones.
    assert said["latency_ms"]["max"] > 450
    assert said["latency_ms"]["p95"] > 300, said["latency_ms"]


def test_refusals_are_told_apart():
    status, said = load(lab.free_port(), "--messages", 2, "--timeout", 0.3)
    assert status == 1 and said["acknowledged"] == 0 and said["failed"] == 2


def told(*words):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=20)


def corpora(folder, *, head="path\tlabel\tdupgroup\n"):
    for name in ("spamassassin", "modern-ham", "phishing", "html-ham", "japanese-spam", "japanese-ham-probe"):
        (folder / name).mkdir()
        (folder / name / "index.tsv").write_text(head)
    return folder


@pytest.mark.parametrize("script", ["spam", "learning", "automatic", "check"])
def test_what_is_missing_is_said_in_one_line(tmp_path, script):
    bench = lab.ROOT / "bench" / script
    none = told(bench, "/nonexistent")
    assert none.returncode == 66 and none.stderr.count("\n") == 1, none
    assert none.stderr.startswith(f"{script}: /nonexistent/spamassassin/index.tsv: No such file or directory; bench/README.md"), none
    unbuilt = told(bench, corpora(tmp_path), "--build", "/none")
    assert unbuilt.returncode == 66 and unbuilt.stderr.count("\n") == 1 and "is missing; to build it: meson setup " in unbuilt.stderr, unbuilt
    (tmp_path / "modern-ham/index.tsv").write_text("file\tlabel\n")
    unnamed = told(bench, tmp_path)
    assert unnamed.returncode == 66 and "modern-ham/index.tsv: its first line names no column \"path\"" in unnamed.stderr, unnamed


@pytest.mark.parametrize("words", [("spam", "--parts"), ("spam", "--peers"), ("learning", "--peers")])
def test_unknown_names_are_refused(words):
    script, option = words
    done = told(lab.ROOT / "bench" / script, "/nonexistent", option, "bogofilter,foo")
    assert done.returncode == 2 and f"error: argument {option}: no " in done.stderr and "Traceback" not in done.stderr, done
