# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: months that were replayed into a ledger come out of `sekimori stats` number by number, storms and countries too,
and soon enough."""
import json
import re
import resource
import struct
import subprocess
import time

import pytest

import lab

TABLE = lab.ROOT / "bench/2005.table"
PERIOD = ("--from", "2005-02-01", "--until", "2005-07-31")


# As printed in the paper: by month, of tables 3 and 5; by name, of table 4; the storm.
MONTHS = ("2005-02", "2005-03", "2005-04", "2005-05", "2005-06", "2005-07")
VIRUSES = (5153, 3717, 3861, 5285, 3871, 7614)  # table 3 has 7,616 in July
SPAM = (18883, 18257, 17046, 28142, 31698, 42427)  # table 3 has 31,691 in June
SENT, RECEIVED, SHARES = (39001, 41708, 44993), (131125, 140370, 142335), (21.5, 22.6, 29.8)
NAMES = {"Exploit.IFrame.B": (1555, 916, 1043, 1211, 814, 844), "HTML.Bankfraud": (34, 150, 35, 16, 3, 33),
         "Bagle": (76, 19, 19, 0, 0, 9), "Bugbear.B": (1, 1, 3, 1, 0, 3902), "Klez.H": (13, 10, 10, 20, 19, 3),
         "Lovegate": (25, 2, 8, 362, 4, 14), "Mabutu": (0, 0, 0, 14, 8, 10), "MyDoom": (12, 3, 0, 0, 6, 34),
         "MyTob": (0, 0, 87, 753, 715, 393), "NetSky": (3433, 2616, 2654, 2899, 2280, 2366), "Etc.": (4, 0, 2, 9, 22, 6)}
STORM = {"start": "2005-07-16 00:04:29", "end": "2005-07-16 00:29:35", "messages": 3898, "per_minute": 155.30, "virus": "Bugbear.B",
         "source": "203.0.113.25", "refused": 3898}
SAID = ["2005-06: 31691 spam by month, 31698 where the share is computed: the latter is used",
        "2005-07: 7616 viruses by month, 7614 by name: the names are used",
        "2005-07-16: the storm is printed with 457.37 a minute; 3898 in 25 min 6 s are 155.3"]


class Table:
    """bench/2005.table, its numbers divided; those of other tables are left out."""

    def __init__(self, path, divisor):
        self.months, self.viruses, self.storms, lines = [], {}, [], []
        for line in TABLE.read_text().splitlines():
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] == "month":
                numbers = [int(word) // divisor for word in words[2:6]]
                self.months.append((words[1], *numbers))
                line = " ".join([*words[:2], *map(str, numbers)])
            elif words[0] == "virus":
                numbers = [int(word) // divisor for word in words[2:]]
                self.viruses[words[1]] = numbers
                line = " ".join([*words[:2], *map(str, numbers)])
            else:
                words[4] = str(int(words[4]) // divisor)
                self.storms.append(words[1:7])
                line = " ".join(words[:7])
            lines.append(line)
        path.write_text("\n".join(lines) + "\n")


def replay(folder, divisor):
    (folder / "ledger").mkdir()
    table = Table(folder / "table", divisor)
    begun = time.monotonic()
    done = subprocess.run([lab.BUILD / "bench/year", folder / "table", folder / "ledger"], capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return table, time.monotonic() - begun


def stats(folder, *options):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "stats", "--state", folder, *PERIOD, "--format", "json", *options],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_tables(folder, table):
    threats, viruses, flow, alike = stats(folder, "--top", "0")
    infected = [sum(counts[i] for counts in table.viruses.values()) for i in range(len(table.months))]
    for i, (month, sent, received, spam, removed) in enumerate(table.months):
        assert threats["rows"][i] == {"month": month, "viruses": infected[i], "spam": spam}
        row = flow["rows"][i]
        assert (row["month"], row["sent"], row["received"], row["spam_removed"]) == (month, sent, received, removed)
        assert row["share"] == pytest.approx(100 * removed / received, abs=0.01)
    seen = {row["virus"]: row for row in viruses["rows"]}
    for name, counts in table.viruses.items():
        if sum(counts):
            assert [seen[name][month[0]] for month in table.months] == counts and seen[name]["total"] == sum(counts)
    assert viruses["rows"][-2]["virus"] == "Etc."
    totals = [row["total"] for row in viruses["rows"][:-2]]
    assert totals == sorted(totals, reverse=True) and viruses["rows"][-1]["total"] == sum(infected)
    top = stats(folder, "--top", "3")[1]["rows"]
    assert [row["virus"] for row in top[3:]] == ["Etc.", "Total"]
    assert sum(row["total"] for row in top[:4]) == top[4]["total"] == sum(infected)
    assert [row["number"] for row in alike["rows"]] == [122, 59]


def check_storm(folder, table):
    day, start, minutes, messages, virus, host = table.storms[0]
    storms = stats(folder, "--incidents")[0]["rows"]
    assert len(storms) == 1
    storm = storms[0]
    assert (storm["start"], storm["virus"], storm["source"]) == (f"{day} {start}", virus, host)
    assert storm["messages"] == storm["refused"] == int(messages)
    seconds = int(minutes.split(":")[0]) * 60 + int(minutes.split(":")[1])
    assert storm["per_minute"] == pytest.approx(int(messages) * 60 / seconds, abs=0.01)


def test_the_paper_comes_out_as_printed(tmp_path):
    """Tables 3, 4, 5 and the storm, number by number. With sanitizers only what was refused is replayed, a sixth of it: then
    nothing of table 5 but its removed spam is looked at."""
    (tmp_path / "ledger").mkdir()
    text = TABLE.read_text()
    if not lab.QUICK:
        for month, bad in zip(MONTHS, map(sum, zip(VIRUSES, SPAM))):
            text, count = re.subn(rf"^month {month} +\d+ +\d+", f"month {month} 0 {bad}", text, flags=re.M)
            assert count == 1
    (tmp_path / "table").write_text(text)
    done = subprocess.run([lab.BUILD / "bench/year", tmp_path / "table", tmp_path / "ledger"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0 and done.stdout.splitlines()[:-1] == SAID, done.stdout + done.stderr
    threats, viruses, flow, _ = stats(tmp_path)
    assert [(row["month"], row["viruses"], row["spam"]) for row in threats["rows"][:-1]] == list(zip(MONTHS, VIRUSES, SPAM))
    printed = {row["virus"]: tuple(row[month] for month in MONTHS) for row in viruses["rows"][:-1]}
    assert printed == NAMES and viruses["rows"][-2]["virus"] == "Etc." and viruses["rows"][-1]["2005-07"] == 7614
    assert tuple(row["spam_removed"] for row in flow["rows"][:-1]) == SPAM
    (storm,) = stats(tmp_path, "--incidents")[0]["rows"]
    assert storm == STORM
    if lab.QUICK:
        rows = flow["rows"][3:6]
        assert [(row["sent"], row["received"], round(row["share"], 1)) for row in rows] == list(zip(SENT, RECEIVED, SHARES))


def cpu_of(folder, question):
    """The least CPU seconds of three runs of the whole command."""
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        stats(folder, *question)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"stats {' '.join(question)}: {min(took) * 1000:.0f} ms of CPU")
    return min(took)


@pytest.mark.alone
def test_the_months_come_out(tmp_path):
    """Times hold where there are no sanitizers: on an idle machine all of the table takes less than a minute, and each
    question of it at most 0.1 s, the whole command counted (bench/questions). Here it is a quarter of the table, and CPU, which
    other work disturbs least: what is read from end to end again shows, a busy machine does not."""
    divisor = 4 if lab.QUICK else 20
    table, seconds = replay(tmp_path, divisor)
    check_tables(tmp_path, table)
    check_storm(tmp_path, table)
    if not lab.QUICK:
        return
    assert seconds < 3 * 60 / divisor
    for question in ((), ("--would",), ("--incidents",), *(("--by", by) for by in
                     ("virus", "domain", "rule", "engine", "hour", "node", "day", "month"))):
        assert cpu_of(tmp_path, question) < 0.1, question


def country_file(path, network, code):
    """The least GeoIP file: one IPv4 network, in MaxMind's format."""
    first = [int(part) for part in network.split(".")]
    bits = [(byte >> (7 - i)) & 1 for byte in first for i in range(8)][:24]
    depth = 96 + len(bits)
    data = b"\xe1\x47country\xe1\x48iso_code\x42" + code.encode()
    nodes = b""
    for i in range(depth):
        bit = 0 if i < 96 else bits[i - 96]
        following = i + 1 if i + 1 < depth else depth + 16
        record = [depth, depth]
        record[bit] = following
        nodes += b"".join(value.to_bytes(3, "big") for value in record)

    def text(word):
        return bytes([0x40 + len(word)]) + word.encode()

    def number(value):
        return b"\xa2" + struct.pack(">H", value)

    def pair(name, value):
        return text(name) + value

    wide = b"\x08\x02" + struct.pack(">Q", 1)
    meta = bytes([0xe9]) + pair("node_count", b"\xc2" + struct.pack(">H", depth)) + pair("record_size", number(24)) + pair(
        "ip_version", number(6)) + pair("database_type", text("Country")) + pair("languages", b"\x00\x04") + pair(
        "binary_format_major_version", number(2)) + pair("binary_format_minor_version", number(0)) + pair(
        "build_epoch", wide) + pair("description", b"\xe0")
    path.write_bytes(nodes + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + meta)


def test_tables_that_do_not_agree_are_told(tmp_path):
    (tmp_path / "ledger").mkdir()
    (tmp_path / "table").write_text("month 2005-02 28 280 0 0 7\nmonth 2005-03 31 310 0 0 9\nmonth 2005-04 30 300 0 0\n"
                                    "virus V 4 5 6\nvirus W 3 3 3\n")
    done = subprocess.run([lab.BUILD / "bench/year", tmp_path / "table", tmp_path / "ledger"], check=True, capture_output=True,
                          text=True, timeout=60)
    assert done.stdout.splitlines()[:-1] == ["2005-03: 9 viruses by month, 8 by name: the names are used"]
    threats = stats(tmp_path)[0]["rows"]
    assert [row["viruses"] for row in threats[:3]] == [7, 8, 9]


def test_a_storm_has_its_country(tmp_path):
    (tmp_path / "ledger").mkdir()
    (tmp_path / "table").write_text("month 2005-05 31 310 0 0\nvirus V 120\nstorm 2005-05-16 13:05 2 100 V 203.0.113.25\n")
    subprocess.run([lab.BUILD / "bench/year", tmp_path / "table", tmp_path / "ledger"], check=True, capture_output=True, timeout=60)
    for network, code in (("203.0.113.0", "JP"), ("198.51.100.0", None)):
        country_file(tmp_path / "countries.mmdb", network, "JP")
        assert stats(tmp_path, "--incidents", "--countries", str(tmp_path / "countries.mmdb"))[0]["rows"][0]["country"] == code
    (tmp_path / "countries.mmdb").write_bytes(b"nonsense")
    assert "country" not in stats(tmp_path, "--incidents", "--countries", str(tmp_path / "countries.mmdb"))[0]["rows"][0]
