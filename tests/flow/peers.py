# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Judges by others, Debian's programs, beside ours: peer_judges.py (python3-spf, python3-dkim, opendmarc's library) and opendkim, which
ask the same DNS server of a test as we do. Who says what is printed as a table; each difference stands in peer_differences.txt with
its reason, and one that stands there and is no more fails as well."""
import base64
import ctypes.util
import functools
import importlib.util
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import lab

HERE = pathlib.Path(__file__).resolve().parent
OPENDKIM = shutil.which("opendkim", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIGURATION = """
Mode                v
Nameservers         127.0.0.1@{port}
AuthservID          peer.test
AlwaysAddARHeader   yes
DNSTimeout          5
Syslog              no
ResolverConfiguration {folder}/unbound.conf
{user}
"""
RESOLVER = 'server:\n    local-zone: "test." nodefault\n'  # names below test. are asked for like others


def missing():
    """The first of Debian's packages that is not there, or None."""
    for module in ("spf", "dkim", "nacl", "dns"):
        if not importlib.util.find_spec(module):
            return f"python3-{module}"
    try:
        ctypes.CDLL("libopendmarc.so.2")
    except OSError:
        return "libopendmarc-dev"
    return None if OPENDKIM else "opendkim"


class Judges:
    """One process of peer_judges.py for many questions."""

    def __init__(self):
        lacking = missing()
        assert not lacking, f"{lacking} is not installed: packaging/install-packages test"
        self.process = subprocess.Popen([sys.executable, HERE / "peer_judges.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, of, dns, cases):
        self.process.stdin.write(json.dumps({"of": of, "port": dns.port, "cases": cases}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "peer_judges.py has ended"
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def as_case(message, at):
    """A message for the DKIM and ARC of Judges, whose clock then is at `at`."""
    return {"message": base64.b64encode(message).decode(), "at": at}


# --- opendkim: its own test mode, for many files at once ---

@functools.cache
def clock():
    """A library that sets the clock of a process, and the file that says how far."""
    folder = tempfile.TemporaryDirectory()
    place = pathlib.Path(folder.name)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", place / "clock.so", lab.ROOT / "tests/flow/clock_shim.c", "-ldl"], check=True)
    return folder, place / "clock.so", place / "ahead"


def opendkim(dns, messages, ahead_s=0):
    """A word for each message: what opendkim says of its signatures, in their order, its clock `ahead_s` ahead."""
    _, library, ahead = clock()
    ahead.write_bytes(struct.pack("=q", ahead_s))
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{index}" for index in range(len(messages))]
        for name, message in zip(names, messages):
            pathlib.Path(name).write_bytes(message if message.endswith(b"\n") else message + b"\r\n")  # it takes only whole lines
        settings = pathlib.Path(folder) / "opendkim.conf"
        settings.write_text(CONFIGURATION.format(port=dns.port, folder=folder, user="UserID root" if os.getuid() == 0 else ""))
        (pathlib.Path(folder) / "unbound.conf").write_text(RESOLVER)
        done = subprocess.run([OPENDKIM, "-x", settings, "-t", ",".join(names), "-vv"], capture_output=True, timeout=60,
                              env={**os.environ, "LD_PRELOAD": str(library), "CLOCK_SHIM": str(ahead)})
    told = dict.fromkeys(names, "none")
    for block in re.findall(r"hvalue='(.*?)'\nopendkim: (\S+?): ", done.stdout.decode(errors="replace"), re.S):
        told[block[1]] = " ".join(holds(word) for word in re.findall(r"\bdkim=(\w+)", block[0]))
    return list(told.values())


def holds(word):
    """Of the words of RFC 8601 for a signature, what others can be held against: it holds, it does not, the DNS did not tell."""
    return word if word in ("pass", "temperror", "none") else "no"


# --- who says what ---

def differences():
    """{(peer, suite): {case: (ours, theirs)}} of those that are known; `why` is for people, and must be there."""
    known = {}
    for number, line in enumerate((HERE / "peer_differences.txt").read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        assert len(cells) == 6 and all(cells), f"peer_differences.txt:{number}: six cells are wanted"
        peer, suite, case, ours, theirs, _ = cells
        known.setdefault((peer, suite), {})[case] = (ours, theirs)
    return known


class Table:
    """Cases of each peer and suite: (case, our word, theirs)."""

    def __init__(self):
        self.rows = {}

    def add(self, peer, suite, case, ours, theirs):
        self.rows.setdefault((peer, suite), []).append((case, ours, theirs))

    def tell(self, capsys):
        """Prints it, and fails where a difference is not listed, or a listed one is none."""
        wrong, known = [], differences()
        with capsys.disabled():
            print()
            for (peer, suite), cases in self.rows.items():
                found = {case: (ours, theirs) for case, ours, theirs in cases if ours != theirs}
                listed = known.get((peer, suite), {})
                print(f"peers: {peer:14} {suite:24} {len(cases):4} cases, {len(cases) - len(found):4} agree, {len(found):3} differ")
                wrong += [f"not listed: {peer} | {suite} | {case} | {ours} | {theirs} | why" for case, (ours, theirs) in found.items()
                          if listed.get(case) != (ours, theirs)]
                wrong += [f"listed, but not so: {peer} | {suite} | {case}" for case in listed if case not in found]
        kinds = {(peer, suite.split()[0]) for peer, suite in self.rows}
        wrong += [f"listed, but there is no such suite: {peer} | {suite}" for peer, suite in known
                  if (peer, suite.split()[0]) in kinds and (peer, suite) not in self.rows]
        assert self.rows and not wrong, "\n" + "\n".join(wrong)
