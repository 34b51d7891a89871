# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what went through comes out right in tables, reports and alarms, each report goes out once whatever dies, and no
text of a stranger gets out as it came."""
import csv
import datetime
import email
import email.policy
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess

import pytest

import lab

CONFIG = """domains {{ example.test 127.0.0.1:{inside} }}
report {{ to boss@example.test; at 00:00; language en }}
"""


def day(back=0):
    return datetime.date.today() - datetime.timedelta(days=back)


def mails(sink, word):
    """Mails at the sink whose Subject has the word, parsed."""
    parsed = [email.message_from_bytes(raw, policy=email.policy.default) for raw in sink.messages()]
    return [one for one in parsed if word in one["Subject"]]


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def stats(node, *options):
    return json.loads(node.run("stats", *options, "--format", "json").stdout)


@pytest.fixture
def reported(nodes, inside):
    return nodes(CONFIG, inside=inside.port)


def some_traffic(node):
    client = lab.Client(node.port)
    assert client.send(lab.message())[0] == 250
    assert client.send(lab.message(), recipients=("user@example.test", "other@example.test"))[0] == 250
    assert client.send(lab.message(body=lab.eicar() + "\n"))[0] == 550
    assert client.send(lab.message(body=lab.gtube() + "\n"))[0] == 550
    client.close()
    node.balance()  # by now the ledger has it all


def test_stats_say_what_went_through(reported, inside):
    some_traffic(reported)
    threats, viruses, flow, _ = stats(reported)
    assert threats["rows"][-1] == {"month": "Total", "viruses": 1, "spam": 1, "is_sum": True}
    assert viruses["rows"][0] == {"virus": "Eicar-Test-Signature", f"{day():%Y-%m}": 1, "total": 1}
    assert (flow["rows"][-1]["received"], flow["rows"][-1]["spam_removed"], flow["rows"][-1]["share"]) == (4, 1, 25)
    assert [row["rule"] for row in stats(reported, "--by", "rule")[0]["rows"]] == ["GTUBE"]
    for by, key in (("domain", "example.test"), ("day", f"{day():%Y-%m-%d}"), ("month", f"{day():%Y-%m}"), ("node", "0")):
        first = stats(reported, "--by", by)[0]["rows"][0]
        assert first[by] == key and first["received"] == 4 and first["taken"] == 2, (by, first)
    hours = stats(reported, "--by", "hour", "--day", f"{day():%Y-%m-%d}")[0]["rows"]
    assert sum(row["received"] for row in hours if not row.get("is_sum")) == 4
    assert stats(reported, "--direction", "out", "--by", "day")[0]["rows"] == [
        {"day": "Total", "sent": 0, "received": 0, "taken": 0, "spam": 0, "spam_removed": 0, "viruses": 0, "refused": 0,
         "kind_of_day": None, "is_sum": True}]


def test_observed_is_counted_as_what_would_have_been(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nspam {{ mode observe }}\n", inside=inside.port)
    client = lab.Client(node.port)
    assert client.send(lab.message(body=lab.gtube() + "\n"))[0] == 250
    node.balance()
    assert "their mode is observe" not in node.run("stats", "--would").stdout
    assert "Nothing in this time." in node.run("stats", "--would", "--month", "2020-01").stdout
    assert "their mode is observe" in node.run("stats", "--would", "--month", "2020-01").stdout
    rows = stats(node, "--would")[0]["rows"]
    assert [(row["action"], row["messages"], row["recipients"]) for row in rows] == [("reject", 1, 1)]
    assert stats(node)[2]["rows"][-1]["spam_removed"] == 0


@pytest.mark.parametrize("arguments, code", [
    (("--month", "2026-13"), 64), (("--day", "2026/10/05"), 64), (("--by", "colour"), 64), (("--format", "xml"), 64),
    (("--from", "2026-10-02", "--until", "2026-10-01"), 64), (("--top", "-1"), 64), (("more",), 64),
    (("--by", "rule", "--domain", "example.test"), 64), (("--state", "/nowhere"), 66),
])
def test_stats_say_what_is_wrong(tmp_path, arguments, code):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "stats", "--state", tmp_path, *arguments], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == code and done.stderr.startswith("sekimori stats: ") and not done.stdout
    assert len(done.stderr.splitlines()) < 6, "the help would drive the complaint off the screen"
    if code == 64 and len(arguments) == 2 and arguments[0] != "more":
        assert arguments[0] in done.stderr.splitlines()[0] and arguments[1] in done.stderr.splitlines()[0]


def test_the_report_by_mail(reported, inside):
    some_traffic(reported)
    identity = reported.run("report", "--date", f"{day()}", "--language", "ja", "--to", "chief@example.test").stdout.strip()
    mail = lab.wait_for(lambda: mails(inside, "メール報告"), "the report arrives")[0]
    assert mail["From"] == "Sekimori <postmaster@example.test>" and mail["To"] == "chief@example.test"
    assert identity in mail["Message-ID"] and mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = text_of(mail), mail.get_body(("html",)).get_content()
    for word in ("ウイルス", "Eicar-Test-Signature", "ノードの状態", "個のプロセスが動き、応答しています", "照合：受信とジャーナルが宛先 3 件で一致しています",
                 "台帳の行と集計は一致しています。"):
        assert word in text and word in html, word
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == 2
    for part in pictures:
        assert part.get_content().startswith(b"\x89PNG\r\n\x1a\n")
        assert f'src="cid:{part["Content-ID"][1:-1]}"' in html
    own = {line["name"]: line for line in reported.balance()["lines"]}["own"]
    assert own["journal"] == own["ledger"] == 1


def test_the_report_into_files(reported, tmp_path):
    some_traffic(reported)
    for language, title in (("en", "Mail report"), ("ja", "メール報告")):
        for form in ("html", "txt", "eml"):
            reported.run("report", "--date", f"{day()}", "--language", language, "--to", tmp_path / f"r.{form}")
        assert title in (tmp_path / "r.txt").read_text() and title in (tmp_path / "r.html").read_text()
        mail = email.message_from_bytes((tmp_path / "r.eml").read_bytes(), policy=email.policy.default)
        assert title in mail["Subject"] and text_of(mail).splitlines()[0] == (tmp_path / "r.txt").read_text().splitlines()[0]
    html = (tmp_path / "r.html").read_text()
    assert html.count("data:image/png;base64,") == 2 and "http:" not in html and "https:" not in html
    assert reported.run("report", "--to", "report.pdf", check=False).returncode == 64
    assert reported.run("report", "--to", tmp_path / "no" / "r.txt", check=False).returncode == 73
    assert reported.run("report", "--date", "2026-02-30", "--to", "r.txt", check=False).returncode == 64
    for to in ("a@b@example.test", "é@example.test", "a b@example.test", "a@", "x@example.test\ny"):
        assert reported.run("report", "--to", to, check=False).returncode == 64, to


def test_a_day_without_figures_says_so(reported, tmp_path):
    some_traffic(reported)
    early = reported.run("report", "--date", f"{day(-1)}", "--to", tmp_path / "r.txt", check=False)
    assert early.returncode == 64 and "still to come" in early.stderr and not (tmp_path / "r.txt").exists()
    reported.run("report", "--date", "2004-02-01", "--to", tmp_path / "r.txt")
    assert "The ledger has nothing of this day" in (tmp_path / "r.txt").read_text()
    reported.run("report", "--date", f"{day()}", "--to", tmp_path / "r.txt")
    assert "Not whole" not in (tmp_path / "r.txt").read_text()


def test_the_days_balance_has_every_recipient_in_one_row(nodes, inside, tmp_path):
    node = nodes(CONFIG + "virus {{ found quarantine }}\nquarantine {{ most 1G }}\n", inside=inside.port)
    assert lab.Client(node.port).send(lab.message())[0] == 250
    assert lab.Client(node.port).send(lab.message(body=lab.eicar() + "\n"), recipients=("a@example.test", "b@example.test"))[0] == 250
    lab.wait_for(lambda: node.run("quarantine", "list").stdout.count(" kept ") == 2, "both are kept")
    node.run("report", "--date", "today", "--language", "en", "--to", tmp_path / "held.txt")
    assert "Held mail: 0 recipients in the queue, 2 in the quarantine" in (tmp_path / "held.txt").read_text()
    node.run("quarantine", "release", "all", "--yes", "--to", "a@example.test")
    inside.wait(2)
    node.balance()
    node.run("report", "--date", f"{day()}", "--to", tmp_path / "r.txt")
    table = (tmp_path / "r.txt").read_text().split("Accepted that day, now")[1].split("Rows and sums")[0]
    counts = [int(line.split()[-1]) for line in table.splitlines() if line.strip("- ") and line.split()[-1].isdigit()]
    assert counts[-1] == sum(counts[:-1]) == 4, table  # three that came, and one of them again


def test_each_night_the_ledger_is_held_against_the_journal(reported, inside):
    lab.wait_for((reported.state / "report/accounts").exists, "the counts begin", 40)
    some_traffic(reported)

    def night():
        reported.stop()
        nightly_set(reported, 2)
        before = len(mails(inside, "Mail report"))
        reported.start()
        return text_of(lab.wait_for(lambda: mails(inside, "Mail report")[before:], "the report", 40)[0])

    agreed = night().split("Since the report before")[1]
    rows = {line[:24].strip(): line.split()[-3:] for line in agreed.splitlines()[2:9]}
    assert rows["Accepted"] == ["3", "3", "0"] and {row[2] for row in rows.values()} == {"0"}, agreed
    assert int(rows["Delivered"][0]) == 3 + int(rows["Own mail"][0]), agreed  # an alarm of the machine, perhaps
    assert "They agree" in agreed
    reported.stop()
    with sqlite3.connect(reported.state / "ledger/ledger.db") as database:
        key = database.execute("select kind, day, node, direction, domain, name from sum_day where kind = 3"
                               " order by recipients desc limit 1").fetchone()
        changed = database.execute("update sum_day set recipients = recipients - 2 where kind = ? and day = ? and node = ?"
                                   " and direction = ? and domain = ? and name = ?", key).rowcount
        assert changed == 1
    apart = night()
    assert "the journal and the ledger are 2 recipients apart" in apart
    assert "NOT BALANCED: events were lost" in apart and "They agree" in night()


def test_events_that_cannot_be_stored_are_an_alarm(reported, inside):
    some_traffic(reported)
    other = sqlite3.connect(reported.state / "ledger/ledger.db", isolation_level=None)
    other.execute("begin immediate")
    assert lab.Client(reported.port).send(lab.message())[0] == 250
    alarm = lab.wait_for(lambda: mails(inside, "Ledger"), "the alarm", 60)[0]
    assert "cannot be written" in alarm.get_content()
    other.execute("rollback")
    other.close()
    reported.balance(60)


def nightly_set(node, back):
    (node.state / "report/nightly").write_text(f"{day(back):%Y%m%d} 0 0\n")


def days_reported(sink):
    return sorted(mail["Subject"].split("Mail report ")[1][:10] for mail in mails(sink, "Mail report"))


def test_nights_that_were_missed_are_made_up_for(reported, inside):
    lab.wait_for(lambda: (reported.state / "report/nightly").exists(), "the first look")
    assert days_reported(inside) == []  # what is past when a node is new stays past
    reported.stop()
    nightly_set(reported, 4)
    reported.start()
    wanted = [f"{day(back)}" for back in (3, 2, 1)]
    lab.wait_for(lambda: len(days_reported(inside)) >= 3, "three reports", 60)
    reported.stop()
    reported.start()
    lab.wait_for(lambda: f"{day(1):%Y%m%d}" in (reported.state / "report/nightly").read_text(), "the last is done")
    assert days_reported(inside) == wanted
    reported.balance()


def test_each_report_goes_out_once_whatever_dies(reported, inside):
    lab.wait_for(lambda: (reported.state / "report/nightly").exists(), "the first look")
    reported.stop()
    nightly_set(reported, 30)
    reported.start()
    for victim in ("report", "queue", "report", "queue"):
        lab.wait_for(lambda: " 0 0" not in (reported.state / "report/nightly").read_text() or len(days_reported(inside)) >= 7,
                     "one is being handed over", 60)
        for pid in reported.pids(victim):
            os.kill(pid, signal.SIGKILL)
        lab.wait_for(reported.is_ready, "it is back")
    lab.wait_for(lambda: len(days_reported(inside)) >= 7, "the last seven", 90)
    lab.wait_for(lambda: f"{day(1):%Y%m%d} 0 0" in (reported.state / "report/nightly").read_text(), "all is done")
    assert days_reported(inside) == [f"{day(back)}" for back in range(7, 0, -1)]
    reported.balance()


def test_an_alarm_is_told_once(nodes, inside, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "cert.pem", "-days", "3", "-subj", "/CN=mx.example.test"], check=True, capture_output=True)
    node = nodes(CONFIG + "virus {{ engine far clamd 127.0.0.1:1 {{ unavailable accept; failures 1 }} }}\n" + f"listen 127.0.0.1:{{port}} {{{{ tls certificate {tmp_path}/cert.pem key {tmp_path}/key.pem }}}}\n",
                 inside=inside.port)
    assert lab.Client(node.port).send(lab.message())[0] == 250  # of which the engine is asked
    alarm = lab.wait_for(lambda: mails(inside, "Certificates"), "the alarm", 60)[0]
    assert "Certificates" in alarm["Subject"] and "cert.pem: 2 days left" in alarm.get_content()
    assert "ALARM: Alarm: Certificates" in node.text()
    outside = lab.wait_for(lambda: mails(inside, "Engines outside"), "the alarm of the engine", 60)[0]
    assert "far does not answer: mail goes without it" in outside.get_content()
    node.stop()
    node.start()
    node.run("report", "--to", "again@example.test")
    lab.wait_for(lambda: mails(inside, "Mail report"), "another mail")
    assert len(mails(inside, "Certificates")) == 1 and len(mails(inside, "Engines outside")) == 1
    assert "raised" in (node.state / "report/alarms").read_text()


def test_changes_of_the_configuration_are_reported(reported, tmp_path):
    reported.write(CONFIG + "spam {{ tag above 5.5 }}\n")
    reported.run("reload")
    reported.run("report", "--date", f"{day()}", "--language", "en", "--to", tmp_path / "r.txt")
    changes = (tmp_path / "r.txt").read_text().split("Changes of the configuration\n")[1]
    assert "- spam tag above 6.8" in changes and "+ spam tag above 5.5" in changes


def test_what_leaked_is_counted_once_and_kept(reported, tmp_path):
    leaked = tmp_path / "leaked"
    leaked.mkdir()
    for number in range(3):
        (leaked / f"{number}.eml").write_text(lab.message(f"buy {number}"))
    for _ in range(2):
        reported.run("missed", leaked)
    reported.run("missed", "--kind", "phishing", leaked / "1.eml")
    assert reported.run("missed", "--kind", "boring", leaked, check=False).returncode == 64

    def counted():
        reported.run("report", "--date", f"{day()}", "--language", "en", "--to", tmp_path / "r.txt")
        text = (tmp_path / "r.txt").read_text()
        return "Told to us as missed" in text and text.split("Told to us as missed")[1]

    rows = lab.wait_for(counted, "the report has them").splitlines()[3:4]
    assert rows[0].split() == ["spam", "3"], "the same bytes were told as spam first"
    kept = reported.state / "learn/missed/kept"
    assert len(list(kept.glob("spam.*.eml"))) == 3 and all(file.stat().st_mode & 0o077 == 0 for file in kept.iterdir())
    assert b"Subject: buy" in next(kept.glob("spam.*")).read_bytes()


HOSTILE = "=1+1\r\n<b>\x1b[2J\"" + "\u202e" + "x" * 65536


def test_hostile_names_stay_tame(reported, tmp_path):
    some_traffic(reported)
    reported.stop()
    with sqlite3.connect(reported.state / "ledger/ledger.db") as database:
        database.execute("insert into sum_day select kind, day, node, direction, domain, ?, 9, 9, 9 from sum_day where kind = 21",
                         (HOSTILE,))
        database.execute("insert into sum_day select kind, day, node, direction, domain, cast(x'fffe41' as text), 8, 8, 8 from"
                         " sum_day where kind = 21 limit 1")
    rows = list(csv.reader(io.StringIO(reported.run("stats", "--by", "rule", "--format", "csv").stdout)))
    assert rows[1][0].startswith("'=1+1\\u{d}\\n<b>\\u{1b}[2J\"\\u{202e}x") and rows[1][0].endswith("x…")
    assert rows[2][0] == "\\xff\\xfeA" and all(len(row[0]) <= 61 for row in rows)
    table = reported.run("stats", "--by", "rule").stdout
    assert "\x1b" not in table and "\u202e" not in table and all(len(line) < 120 for line in table.splitlines())
    assert stats(reported, "--by", "rule")[0]["rows"][0]["messages"] == 9
    reported.start()
    reported.run("report", "--date", f"{day()}", "--to", tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text()
    assert "&lt;b&gt;\\u{1b}[2J" in html and "<b>" not in html and len(html) < 400000


def test_partners_that_fail(reported, tmp_path):
    """Those that fail are named with count and cause; the report leads with one that passed before, and with no other."""
    reported.stop()
    today, before = (f"{day(back):%Y%m%d}" for back in (0, 3))
    passed, unsigned, broken = 1, 3, 4  # enum proof_fate
    with sqlite3.connect(reported.state / "ledger/ledger.db") as database:
        database.executemany("insert into partner(day, node, domain, fate, messages) values(?, 0, ?, ?, ?)", [
            (before, "partner.example", passed, 20), (before, "partner.example", broken, 1), (today, "partner.example", broken, 7),
            (today, "partner.example", passed, 2), (before, "steady.example", passed, 20), (today, "steady.example", unsigned, 2),
            (today, "bank.example", unsigned, 900), (before, "bank.example", unsigned, 900), (today, "", unsigned, 5),
            (today, HOSTILE[:250], broken, 6), (before, HOSTILE[:250], passed, 60)])
        database.executemany("insert into sum_day(kind, day, node, direction, domain, name, messages, recipients, bytes)"
                             " values(31, ?, 0, 0, '', ?, ?, 0, 0)",
                             [(today, "dmarc=pass", 70), (today, "dmarc=fail", 20), (today, "dmarc=none", 9), (today, "dmarc=temperror", 1),
                              (today, "excuse=forwarder", 4)])
    reported.start()
    for language, form in (("en", "txt"), ("ja", "txt"), ("en", "html")):
        reported.run("report", "--date", f"{day()}", "--language", language, "--to", tmp_path / f"{language}.{form}")
    text = (tmp_path / "en.txt").read_text()
    wrong = [line for line in text.splitlines() if "passed before and fails now" in line]
    assert len(wrong) == 2 and "  ! partner.example: passed before and fails now (7; its signature does not hold)" in wrong[0], wrong
    assert "\x1b" not in text and "\u202e" not in text and "<b>\x1b" not in (tmp_path / "en.html").read_text()
    for line in (r"Proven +70 +70\.0", r"Not proven +16 +16\.0", r"Not proven, but let pass: forwarded +4 +4\.0", r"Not known: .* 1 +1\.0",
                 r"bank\.example +900 +0 +sent from an address that SPF does not name, without a signature",
                 r"partner\.example +7 +2 +its signature does not hold", r"all others +5 +0"):
        assert re.search(line, text), (line, text)
    japanese = (tmp_path / "ja.txt").read_text()
    assert "認証に失敗した送信者" in japanese and re.search(r"partner\.example.*以前は認証に合格していましたが.*署名が正しくない", japanese)


def test_a_newer_ledger_is_not_read_and_the_report_says_so(reported, tmp_path):
    reported.stop()
    with sqlite3.connect(reported.state / "ledger/ledger.db") as database:
        database.execute("update schema set version = 99")
    done = reported.run("stats", check=False)
    assert done.returncode == 76 and "newer" in done.stderr
    reported.start()
    reported.run("report", "--language", "en", "--to", tmp_path / "r.txt")
    assert "  ! Ledger: " in (tmp_path / "r.txt").read_text() and "newer" in (tmp_path / "r.txt").read_text()
    client = lab.Client(reported.port)
    assert client.send(lab.message())[0] == 250


def test_every_word_is_translated(tmp_path):
    if not shutil.which("xgettext"):
        pytest.fail("gettext is not installed")
    subprocess.run(["xgettext", "--from-code=UTF-8", "--keyword=N_", "-o", tmp_path / "all.pot", "-f", "po/POTFILES"], cwd=lab.ROOT,
                   check=True)
    done = subprocess.run(["msgcmp", "--use-untranslated", lab.ROOT / "po/ja.po", tmp_path / "all.pot"], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    listed = set((lab.ROOT / "po/POTFILES").read_text().split())
    marked = {file.relative_to(lab.ROOT).as_posix() for file in (lab.ROOT / "src").rglob("*.c") if "N_(" in file.read_text()}
    assert marked == listed
