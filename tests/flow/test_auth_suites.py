# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: `sekimori auth`, asking a real DNS server, says what the test suites of others expect. Counts are printed; nothing to do
without SEKIMORI_SUITES."""
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import subprocess

import lab
import pytest
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
    """What was not as expected, a line each; some at a time, since they wait for the DNS."""
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return [line for line in pool.map(lambda case: function(*case), cases) if line]


def told(capsys, name, count, wrong):
    with capsys.disabled():
        print(f"\nsuite {name}: {count - len(wrong)} of {count}")
    assert count > 0 and not wrong, "\n".join(wrong)


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


def test_spf(capsys):
    count, wrong = 0, []
    for scenario in scenarios("spf/rfc7208-tests.json"):
        with spf_zone(scenario["zonedata"]) as dns:
            def one(name, test):
                spf = auth(dns, "--client", test["host"], "--helo", test["helo"], "--from", test["mailfrom"])["spf"]
                wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
                good = spf["result"] in wanted
                if good and spf["result"] == "fail" and test.get("explanation"):
                    good = spf["explanation"] == ("" if test["explanation"] == "DEFAULT" else test["explanation"])
                return None if good else f"{name}: {spf['result']} ({spf['reason']}), {spf['explanation']!r}; wanted {wanted}, " \
                                         f"{test.get('explanation')!r}"
            wrong += each(one, scenario["tests"].items())
            count += len(scenario["tests"])
    told(capsys, "spf by the command", count, wrong)


# --- ARC ---

def test_arc(capsys):
    count, wrong = 0, []
    for scenario in scenarios("arc/arc-draft-validation-tests.json"):
        zone = {name.rstrip("."): {"TXT": value} for name, value in scenario["txt-records"].items()}
        with DnsServer(zone) as dns:
            def one(name, test):
                message = test["message"].replace("\r\n", "\n").replace("\n", "\r\n").encode()
                arc = auth(dns, "--client", "192.0.2.1", "--time", "2018-01-01T00:00:00Z", message=message)["arc"]
                wanted = test["cv"].lower()
                return None if not wanted or arc["result"] == wanted else f"{name}: {arc['result']} ({arc['reason']}), wanted {wanted}"
            wrong += each(one, scenario["tests"].items())
            count += len(scenario["tests"])
    told(capsys, "arc by the command", count, wrong)


# --- DKIM ---

def keys_of(text):
    """Leading lines `name value`, as far as they name keys."""
    return {name: {"TXT": value.strip().strip('"')} for name, value in re.findall(r"^(\S+_domainkey\S*)\s+(.+)$", text, re.M)}


def test_dkim(capsys):
    """Real messages and those of the RFCs, with the clock at their time."""
    count, wrong = 0, []
    for path in sorted((pathlib.Path(SUITES) / "dkim/mail-auth").rglob("*.txt")):
        if "README" in path.name or "LICEN" in path.name:
            continue
        head, _, message = path.read_bytes().partition(b"\n\n")
        keys = keys_of(head.decode())
        if not keys:
            continue
        stamps = [int(one) for one in re.findall(rb"\bt=\s*(\d{10})\b", message)]
        at = datetime.datetime.fromtimestamp(max(stamps, default=1500000000), datetime.timezone.utc).isoformat()
        with DnsServer(keys) as dns:
            found = auth(dns, "--client", "192.0.2.1", "--time", at, message=re.sub(rb"\r?\n", b"\r\n", message))["dkim"]
        count += len(found)
        wrong += [f"{path.name}: {one}" for one in found if one["result"] != "pass"]
    told(capsys, "dkim by the command", count, wrong)
