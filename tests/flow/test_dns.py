# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: `sekimori dns` tells what the DNS says to the node, or to a server that is named: records, that there are none, or why
nobody knows."""
import json
import subprocess

import lab
import pytest
from dns_server import DnsServer

ZONE = r"""
    example.test       MX     10 mx1.example.test
    example.test       TXT    v=spf1 ip4:192.0.2.0/24 -all
    example.test       TXT    say "hi"\
    long.test          TXT    {long}
    mx1.example.test   A      192.0.2.25
    mx1.example.test   AAAA   2001:db8::25
    www.example.test   CNAME  mx1.example.test
    7.2.0.192.in-addr.arpa  PTR  mx1.example.test
""".format(long="x" * 2000)

CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\ndns {{ servers {servers}; dnssec off; timeout 1s }}\n"
ROWS = [
    ("example.test", "MX", 0, "found", ["10 mx1.example.test."]),
    ("example.test.", "mx", 0, "found", ["10 mx1.example.test."]),
    ("EXAMPLE.test", "TXT", 0, "found", ['"say \\034hi\\034\\092"', '"v=spf1 ip4:192.0.2.0/24 -all"']),
    ("long.test", "TXT", 0, "found", ['"' + "x" * 2000 + '"']),  # over TCP
    ("www.example.test", "A", 0, "found", ["192.0.2.25"]),
    ("www.example.test", "AAAA", 0, "found", ["2001:db8::25"]),
    ("www.example.test", "CNAME", 0, "found", ["mx1.example.test."]),
    ("7.2.0.192.in-addr.arpa", "PTR", 0, "found", ["mx1.example.test."]),
    ("example.test", "A", 1, "none", []),
    ("nobody.test", "TXT", 1, "no such name", []),
    ("a..b", "TXT", 1, "none", []),
    ("broken.test", "TXT", 75, "temperror", []),
    ("silent.test", "TXT", 75, "temperror", []),
]


@pytest.fixture(scope="module")
def dns():
    with DnsServer(ZONE) as server:
        server.misbehave("broken.test", "servfail")
        server.misbehave("silent.test", "silent")
        yield server


def command(*words):
    return subprocess.run([lab.BUILD / "src/cli/sekimori", "dns", *words], capture_output=True, text=True, timeout=60)


def answer_of(done):
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    return answer, (done.returncode, answer["status"], sorted(answer["records"]))  # the DNS turns them round


def test_of_the_node(dns, nodes, inside):
    node = nodes(CONFIG, inside=inside.port, servers=dns.address)
    for name, kind, *wanted in ROWS:
        assert answer_of(node.run("dns", name, kind, "--json", check=False))[1] == tuple(wanted), (name, kind)
    assert answer_of(node.run("dns", "example.test", "MX", "--json"))[0]["cached"]
    said = node.run("dns", "example.test", "MX").stdout
    assert said == "status: found\ndnssec: not secured\ncached: yes\nrecord: 10 mx1.example.test.\n"


def test_of_a_server(dns):
    for name, kind, *wanted in ROWS[:-1]:
        done = command(name, kind, "--dns", f"127.0.0.1:{dns.port}", "--json")
        assert answer_of(done)[1] == tuple(wanted), (name, kind)


@pytest.mark.parametrize("words, code, said", [
    (("example.test",), 64, "say NAME and TYPE"),
    (("example.test", "SPF"), 64, "TYPE is A, AAAA"),
    (("example.test", "MX", "--dns", "dns.test"), 64, "no ADDRESS"),
    (("example.test", "MX", "--state", "/nonexistent"), 69, ""),
])
def test_mistakes(words, code, said):
    done = command(*words)
    assert done.returncode == code and said in done.stderr and not done.stdout
