# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: `sekimori auth`, asking a real DNS server, says what the test suites of others expect, and what Debian's own programs
(python3-spf, python3-dkim, opendkim, opendmarc's library) say of the same messages and the same server, or it is known why not. Counts are
printed; nothing to do without SEKIMORI_SUITES."""
import concurrent.futures
import datetime
import json
import os
import pathlib
import subprocess
import threading
import time

import lab
import peers
import pytest
import suite_messages
from dns_server import DnsServer

SUITES = os.environ.get("SEKIMORI_SUITES")
SIDE_BY_SIDE = 8
pytestmark = pytest.mark.skipif(not SUITES, reason="SEKIMORI_SUITES names no folder of suites")


def scenarios(path):
    return json.loads((pathlib.Path(SUITES) / path).read_text(encoding="utf-8"))


def auth(dns, *words, message=None):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "auth", *(["-"] if message is not None else []), "--dns", f"127.0.0.1:{dns.port}", "--json",
                           "--timeout", "5", *words], input=message, capture_output=True, timeout=60)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def each(function, cases):
    """What it gives for each; some at a time, since they wait for the DNS."""
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(function, cases))


def told(capsys, name, count, wrong):
    with capsys.disabled():
        print(f"\nsuite {name}: {count - len(wrong)} of {count}")
    assert count > 0 and not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def judges():
    one = peers.Judges()
    yield one
    one.close()


# --- SPF ---

def spf_zone(data):
    """Entries of type SPF (99) are served as TXT, unless the name has some."""
    dns = DnsServer()
    for name, records in data:
        has_txt = any(one[0] == "TXT" for one in records)
        for one in records:
            if len(one) == 1:
                continue
            kind, value = one
            if kind == "TXT" and value == "NONE" or kind == "SPF" and has_txt:
                continue
            value = "".join(value) if isinstance(value, list) and kind in ("TXT", "SPF") else value
            dns.add(name, "TXT" if kind == "SPF" else kind, f"{value[0]} {value[1] or '.'}" if kind == "MX" else value)
        if ["TIMEOUT"] in records and not any(one[0] == "TXT" and one[1] != "NONE" for one in records):  # what else is there has no time-out
            dns.misbehave(name, "servfail")
    return dns


@pytest.fixture(scope="module")
def spf_said(judges):
    """(name, case of the suite, what we say, what python3-spf says) of each."""
    said = []
    for number, scenario in enumerate(scenarios("spf/rfc7208-tests.json")):
        tests = list(scenario["tests"].items())
        with spf_zone(scenario["zonedata"]) as dns:
            ours = each(lambda one: auth(dns, "--client", one[1]["host"], "--helo", one[1]["helo"], "--from", one[1]["mailfrom"])["spf"], tests)
            theirs = judges.ask("spf", dns, [{"client": test["host"], "helo": test["helo"], "from": test["mailfrom"]} for _, test in tests])
        said += [(f"{number} {name}", test, mine, other) for (name, test), mine, other in zip(tests, ours, theirs)]
    return said


def test_spf(capsys, spf_said):
    wrong = []
    for name, test, spf, _ in spf_said:
        wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
        good = spf["result"] in wanted
        if good and spf["result"] == "fail" and test.get("explanation"):
            good = spf["explanation"] == ("" if test["explanation"] == "DEFAULT" else test["explanation"])
        if not good:
            wrong.append(f"{name}: {spf['result']} ({spf['reason']}), {spf['explanation']!r}; wanted {wanted}, {test.get('explanation')!r}")
    told(capsys, "spf by the command", len(spf_said), wrong)


def test_spf_of_peers(capsys, spf_said):
    table = peers.Table()
    for name, _, spf, theirs in spf_said:
        table.add("python3-spf", "spf", name, spf["result"], theirs)
    table.tell(capsys)


# --- ARC ---

ARC_TIME = 1514764800  # 2018-01-01


@pytest.fixture(scope="module")
def arc_said(judges):
    said = []
    for scenario in scenarios("arc/arc-draft-validation-tests.json"):
        zone = {name.rstrip("."): {"TXT": value} for name, value in scenario["txt-records"].items()}
        tests = [(name, test["cv"].lower(), test["message"].replace("\r\n", "\n").replace("\n", "\r\n").encode()) for name, test in scenario["tests"].items()]
        with DnsServer(zone) as dns:
            ours = each(lambda one: auth(dns, "--client", "192.0.2.1", "--time", when(ARC_TIME), message=one[2])["arc"], tests)
            theirs = judges.ask("arc", dns, [peers.as_case(message, ARC_TIME) for _, _, message in tests])
        said += [(name, wanted, mine, other) for (name, wanted, _), mine, other in zip(tests, ours, theirs)]
    return said


def when(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def test_arc(capsys, arc_said):
    wrong = [f"{name}: {arc['result']} ({arc['reason']}), wanted {wanted}" for name, wanted, arc, _ in arc_said if wanted and arc["result"] != wanted]
    told(capsys, "arc by the command", len(arc_said), wrong)


def test_arc_of_peers(capsys, arc_said):
    table = peers.Table()
    for name, _, arc, theirs in arc_said:
        table.add("python3-dkim", "arc", name, arc["result"], theirs)
    table.tell(capsys)


# --- DKIM ---

@pytest.fixture(scope="module")
def dkim_said(judges):
    """(suite, name, our signatures, python3-dkim's words, opendkim's) of each message, with the clock at its time."""
    said = []
    for suite, zone, messages in suite_messages.signed(SUITES):
        with DnsServer(zone) as dns:
            ours = each(lambda one: auth(dns, "--client", "192.0.2.1", "--time", when(one.at), message=one.content)["dkim"], messages)
            theirs = judges.ask("dkim", dns, [peers.as_case(one.content, one.at) for one in messages])
            others = peers.opendkim(dns, [one.content for one in messages], max(one.at for one in messages) - int(time.time()))
        said += [(suite, one.name, *words) for one, *words in zip(messages, ours, theirs, others)]
    return said


def test_dkim(capsys, dkim_said):
    """Real messages and those of the RFCs."""
    found = [(name, one) for suite, name, ours, *_ in dkim_said if suite == "mail-auth" for one in ours]
    told(capsys, "dkim by the command", len(found), [f"{name}: {one}" for name, one in found if one["result"] != "pass"])


def test_dkim_of_peers(capsys, dkim_said):
    table = peers.Table()
    for suite, name, ours, theirs, others in dkim_said:
        word = " ".join(peers.holds(one["result"]) for one in ours) or "none"
        table.add("python3-dkim", f"dkim {suite}", name, word, theirs)
        table.add("opendkim", f"dkim {suite}", name, word, others)
    table.tell(capsys)


# --- DMARC: each row becomes a message that proves what the row says ---

@pytest.fixture(scope="module")
def dmarc_said(judges):
    dkim = pytest.importorskip("dkim")
    key, record = suite_messages.opendkim_key(SUITES)
    turns = threading.Lock()

    def one(case):
        message = f"From: <a@{case.author}>\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\nSubject: x\r\n\r\nHello.\r\n".encode()
        with DnsServer() as dns:
            for name, texts in case.zone.items():
                for text in texts:
                    dns.add(name, "TXT", text)
            if case.spf:
                dns.add(case.spf, "TXT", "v=spf1 ip4:127.0.0.1 -all")
            for domain in case.dkim:
                dns.set(f"s._domainkey.{domain}", "TXT", record)
                message = dkim.sign(message, b"s", domain.encode(), key, include_headers=[b"from"]) + message
            sender = ["--from", f"a@{case.spf}"] if case.spf else []
            ours = auth(dns, "--client", "127.0.0.1", "--helo", "host.invalid", *sender, message=message)
            assert [sign["result"] for sign in ours["dkim"]] == ["pass"] * len(case.dkim) and (not case.spf or ours["spf"]["result"] == "pass"), ours
            with turns:
                theirs = judges.ask("dmarc", dns, [{"author": case.author, "spf": case.spf, "dkim": case.dkim}])
        return case, ours["dmarc"], theirs[0]
    return each(one, suite_messages.policies(SUITES))


def test_dmarc_of_peers(capsys, dmarc_said):
    table = peers.Table()
    for case, dmarc, theirs in dmarc_said:
        word = f"fail {dmarc['policy']}" if dmarc["result"] == "fail" else dmarc["result"]
        table.add("opendmarc", f"dmarc {case.suite}", case.name, word, theirs)
    table.tell(capsys)
