# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what SECURITY.md says of each process is what the kernel says of it, each claim names a test that there is, and the private keys
of TLS are in the memory of those that serve it and in no other's."""
import os
import pathlib
import re

import pytest

import lab
import process_table

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users and look into them")


@pytest.fixture(scope="module")
def node():
    with process_table.standing() as (node, place):
        yield process_table.Node(node, place)


@pytest.fixture(scope="module")
def rows(node):
    return process_table.rows_of(node)


def test_the_tables_are_true(node, rows):
    assert process_table.written().strip() == process_table.tables(rows, node.reach()).strip(), \
        "look at each difference; what is meant so: tests/flow/process_table.py --write"


def test_each_has_its_skin(rows):
    """What no table may ever say."""
    jailed = {name: row for name, row in rows.items() if name != "sekimorid"}
    users = [row["user"] for name, row in jailed.items() if not name.startswith(("scan-", "open-"))]
    assert len(users) == len(set(users)) == len(lab.PROGRAMS) and "root" not in users
    for name, row in jailed.items():
        assert row["seccomp"] == "filter" and row["new privileges"] == "no" and not row["groups"] and not row["wx"], (name, row)
        assert row["capabilities"].startswith("none") or name in ("scan-warden", "scan-nursery") and \
            row["capabilities"].startswith("CAP_SYS_ADMIN"), (name, row["capabilities"])
        may = {call for call, how in row["calls"].items() if not how.startswith("fails")}
        assert not {"ptrace", "process_vm_readv", "bpf", "io_uring_setup", "setns", "keyctl"} & may, name
        assert "to somebody outside" not in row["sockets"], name


def gains():
    """The rows of the table that people write: process, what is gained, tests."""
    text = process_table.DOCUMENT.read_text()
    text = text[text.index("## What somebody gains"):]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.M)][2:]


def test_each_claim_has_its_test(rows):
    told, there = gains(), set()
    assert {row[0] for row in told} == set(rows)
    for file in (lab.ROOT / "tests/flow").glob("test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", file.read_text(), re.M))
    for process, _, tests in told:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named and named <= there, (process, named - there)


def memory_has(pid, words):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            begin, end = (int(part, 16) for part in place.split("-"))
            if rights[0] != "r" or "[v" in line or "/usr/lib/" in line or "/state/run/" in line:
                continue  # run/ has rings and counters
            try:
                memory.seek(begin)
                if words in memory.read(end - begin):
                    return True
            except OSError:  # a page that cannot be read
                continue
    return False


@pytest.mark.parametrize("file, holders", [("node.key", {"receive", "deliver", "courier"}), ("example.test/a-rsa.pem", {"signer"})])
def test_who_has_keys(node, file, holders):
    """A line of the key, looked for in the memory of each process: of the node's own for TLS, and of the one that signs mail."""
    key = pathlib.Path(node.place, "ca", file).read_text()
    line = re.search(r"-----BEGIN (?:\w+ )?PRIVATE KEY-----\n[^\n]+\n([^\n-]+)", key)[1].encode()
    have = {name for pid, name in node.names.items() if memory_has(pid, line)}
    assert len(line) > 40 and have - {"sekimorid"} == holders, (line, have)
