"""Goal: a receive that somebody took over cannot have mail delivered that scan did not judge so; and the key of scan's word is
known to scan's dispatcher and to queue alone. The first needs a build with -Djail_probe=true: there a message can ask receive to lie."""
import os
import re

import pytest

import lab

CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ receive 1; scan 1 }}\nspam {{ quarantine above 100; reject above never }}\n"
LIES = ("unjudged", "sender", "hold", "prefix")
KEY_BYTES = 32
MOST = 64 << 20  # bytes of one mapping: what the sanitizers put aside is larger, and holds no data


@pytest.fixture(scope="module")
def inside(tmp_path_factory):
    with lab.standing(tmp_path_factory.mktemp("vouchers"), CONFIG) as (node, sink):
        yield node, sink


def lie(what):
    body = lab.gtube() + "\n" if what == "hold" else "a line\n"
    return f"X-Test-Receive: {what}\n" + lab.message(subject=what, body=body)


@pytest.mark.skipif(lab.QUICK and not lab.probes_are_built(), reason="the quick build has no probes")
@pytest.mark.parametrize("what", LIES)
def test_what_scan_did_not_say_is_not_delivered(inside, what):
    assert lab.probes_are_built(), lab.NO_PROBES
    node, sink = inside
    node.text_begins()
    client = lab.Client(node.port)
    code, text = client.send(lie(what))
    assert (code, text[:9]) == (451, "451 4.3.0"), text
    assert client.send(lab.message(subject="honest"))[0] == 250  # the session goes on
    client.close()
    lab.wait_for(lambda: any(b"Subject: honest" in one for one in sink.messages()), "the honest one")
    assert not [one for one in sink.messages() if b"X-Test-Receive" in one or b"forged" in one]
    wanted = "has no word of scan for it" if what == "unjudged" else "scan's word is not for this"
    lab.wait_for(lambda: re.search(rf"sekimori/queue\[\d+\]: error: .*{wanted}", node.text()), "queue says why")
    node.balance()
    sink.empty()


def mappings(pid):
    """The bytes of each writable mapping."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            first, last = (int(word, 16) for word in line.split()[0].split("-"))
            if " rw" in line and last - first <= MOST:
                memory.seek(first)
                try:
                    yield memory.read(last - first)
                except OSError:
                    continue


def key_of(master):
    for fd in os.listdir(f"/proc/{master}/fd"):
        if "/memfd:vouchers" in os.readlink(f"/proc/{master}/fd/{fd}"):
            with open(f"/proc/{master}/fd/{fd}", "rb") as file:
                return os.pread(file.fileno(), KEY_BYTES, 0)
    raise AssertionError("master has no key")


@pytest.mark.skipif(os.geteuid() != 0, reason="looks into the memory of other users' processes")
def test_two_processes_know_the_key(inside):
    node, _ = inside
    client = lab.Client(node.port)
    assert client.send(lab.message())[0] == 250
    client.close()
    key = key_of(node.process.pid)
    assert len(set(key)) > 8
    everybody = {pid: lab.name_of(pid) for pid in [node.process.pid, *lab.offspring(node.process.pid)]}
    names = {name for pid, name in everybody.items() if pid != node.process.pid}
    assert {"receive", "scan", "scan-warden", "scan-nursery", "scan-worker", "queue", "deliver", "lookup"} <= names, names
    knowing = {name for pid, name in everybody.items()
               if pid != node.process.pid and any(key in memory for memory in mappings(pid))}
    assert knowing == {"scan", "queue"}
    holding = {name for pid, name in everybody.items()
               if pid != node.process.pid and any("memfd:vouchers" in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))}
    assert holding == set()
