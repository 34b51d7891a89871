# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: users hear of everything that is held for them, with the reason, once, and can read it on a telephone and in the dark;
so can the administrator read the report."""
import datetime
import re
import sqlite3

import pytest

import browser
import lab
from test_quarantine import digests, kept, settled, spam, subject_of, virus

CONFIG = """
organisation "福島大学"
help {{ mailbox help@example.test; page "https://www.example.test/mail" }}
domains {{ example.test 127.0.0.1:{inside} {{ language ja }}; other.test 127.0.0.1:{inside} }}
virus {{ found quarantine }}
spam {{ quarantine above 12; reject above never }}
quarantine {{ most 100M }}
report {{ to boss@other.test }}
digest {{ send on; at 00:00; reply release@example.test {more} }}
"""


def two_ways(subject="two ways"):
    """An attachment that mail programs read differently."""
    return lab.message(subject, "TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAA\n", From="=?utf-8?b?5Za25qWt?= <sales@outside.example>",
                       MIME_Version="1.0", Content_Type="application/octet-stream; name=a.exe\nContent-Type: application/zip; name=b.zip",
                       Content_Transfer_Encoding="base64\nContent-Transfer-Encoding: 7bit")


def parts(mail):
    return [part.get_payload(decode=True).decode() for part in mail.get_payload()]


def node_with(nodes, sinks, more="", options=("--refuse-to", "nobody")):
    inside = sinks(*options)
    node = nodes(CONFIG, inside=inside.port, more=more)
    lab.wait_for(lambda: (node.state / "report/digest").exists(), "the first look")
    return node, inside


def held_of_every_kind(node, to):
    client = lab.Client(node.port)
    for mail in (spam("buy now"), virus("invoice"), two_ways()):
        assert client.send(mail, recipients=(to,))[0] == 250
    return 3


@pytest.mark.parametrize("to, words", [
    ("a@example.test", ("福島大学", "迷惑メールと思われます", "点", "ウイルスが見つかりました：Eicar", "メールソフトによって違う内容に読めます", "営業",
                        "一日一回までお送りします", "help@example.test", "https://www.example.test/mail")),
    ("b@other.test", ("福島大学", "it looks like spam (", " points)", "a virus was found in it: Eicar", "could read different things", "営業",
                      "You get this mail, at most once a day", "help@example.test", "https://www.example.test/mail"))])
def test_every_class_is_told_with_its_reason(nodes, sinks, tmp_path, to, words):
    node, inside = node_with(nodes, sinks)
    settled(node, held_of_every_kind(node, to))
    assert {message["recipients"][0]["class"] for message in kept(node)} == {"spam", "virus", "policy"}
    assert node.run("digest", "--now").stdout == "3 held messages, told to 1 user\n"
    inside.wait(1)
    (letter,) = digests(inside)
    assert "3" in subject_of(letter)
    for text in parts(letter):
        assert all(word in text for word in words), [word for word in words if word not in text]
        assert len(set(re.findall("release%20([0-9A-Z]{64})", text))) == 2, "a virus has no link"
        assert next(one["id"] for one in kept(node, "--class", "virus")) in text, "but its id, for the administrator"
    if to == "a@example.test":  # Japanese is the wider one
        browser.assert_legible(parts(letter)[1], tmp_path)


def test_what_nobody_could_be_told_of_is_told_to_its_recipient(nodes, sinks):
    node, inside = node_with(nodes, sinks)
    assert lab.Client(node.port).send(lab.message("notice"), sender="", recipients=("nobody@other.test",))[0] == 250
    settled(node, 1)
    assert kept(node)[0]["recipients"][0]["class"] == "undeliverable"
    with sqlite3.connect(node.state / "ledger/ledger.db") as database:  # the letter must find its way; it came days ago
        database.execute("update held_recipient set address = 'somebody@other.test'")
        for column in ("held_recipient set message = message", "held set message = message", "recipient set message = message",
                       "message set id = id"):
            database.execute(f"update {column} - ?", (2 * 86400 * 1000 << 22,))
    node.run("digest", "--now")
    inside.wait(1)
    assert "it could neither be delivered nor returned: 550" in parts(digests(inside)[0])[0]


def test_now_tells_once_and_leaves_the_day_alone(nodes, sinks):
    node, inside = node_with(nodes, sinks)
    assert node.run("digest", "--now").stdout == "nothing is newly held for anybody\n"
    lab.Client(node.port).send(spam("first"), recipients=("a@example.test", "b@other.test"))
    settled(node, 2)
    day = (node.state / "report/digest").read_text().split()[0]
    assert node.run("digest", "--now").stdout == "2 held messages, told to 2 users\n"
    inside.wait(2)
    lab.wait_for(lambda: (node.state / "report/digest").read_text().split()[2] == "0", "the mailing is over")
    assert (node.state / "report/digest").read_text().split()[0] == day
    assert node.run("digest", "--now").stdout == "nothing is newly held for anybody\n"
    lab.Client(node.port).send(spam("second"), recipients=("b@other.test",))
    settled(node, 3)
    assert node.run("digest", "--now").stdout == "1 held message, told to 1 user\n"
    inside.wait(3)
    node.balance()
    assert len(digests(inside)) == 3


@pytest.mark.parametrize("more, classes", [("; viruses off", {"spam", "policy"}), ("; viruses on", {"spam", "policy", "virus"})])
def test_viruses_are_told_of_unless_switched_off(nodes, sinks, more, classes):
    node, inside = node_with(nodes, sinks, more)
    settled(node, held_of_every_kind(node, "b@other.test"))
    assert node.run("digest", "--now").stdout.startswith(f"{len(classes)} held messages")
    inside.wait(1)
    text = parts(digests(inside)[0])[0]
    assert {name for name in ("spam", "policy", "virus") if f"Held as {name}: " in text} == classes


def test_what_stays_in_the_queue_is_told_too(nodes, sinks):
    """Without a quarantine it is held there: the administrator releases it."""
    inside = sinks("--refuse-to", "nobody")
    node = nodes(CONFIG.replace("most 100M", "most 0"), inside=inside.port, more="")
    lab.wait_for(lambda: (node.state / "report/digest").exists(), "the first look")
    held_of_every_kind(node, "b@other.test")
    assert lab.Client(node.port).send(lab.message("notice"), sender="", recipients=("nobody@other.test",))[0] == 250
    lab.wait_for(lambda: len(node.run("queue", "list", "--held", "--json").stdout.splitlines()) == 4, "all are held")
    with sqlite3.connect(f"file:{node.state}/ledger/ledger.db?mode=ro", uri=True) as database:
        held = "SELECT count(*) FROM recipient WHERE hold"
        lab.wait_for(lambda: database.execute(held).fetchone()[0] == 4, "ledger has heard that all are held")
    assert node.run("digest", "--now").stdout == "4 held messages, told to 2 users\n"
    inside.wait(1)
    text = parts(digests(inside)[0])[0]
    assert all(word in text for word in ("Held as spam: ", "Held as virus: ", "Held as policy: ", "To have one delivered, tell postmaster@"))
    assert "release%20" not in text and text.count("ID: ") == 3


def test_without_a_digest_now_says_so(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    done = node.run("digest", "--now", check=False)
    assert done.returncode == 78 and "digest send is off" in done.stderr


# --- the report ---


def traffic(node):
    client = lab.Client(node.port)
    long = "a" * 60 + "@" + "b" * 60 + ".example"
    for sender in ("one@outside.example", "one@outside.example", long):
        assert client.send(lab.message(), sender=sender, recipients=("a@example.test", "b@other.test"))[0] == 250
    assert client.open(recipients=("x@nowhere.example",))[1][0] == 550
    client.close()
    settled(node, held_of_every_kind(node, "b@other.test"))
    node.balance()


PERIODS = (("--date", "today"), ("--date", "today", "--week"), ("--month", f"{datetime.date.today():%Y-%m}"))


def test_the_report_of_any_time_tells_who_what_and_why(nodes, sinks, tmp_path):
    node, _ = node_with(nodes, sinks)
    traffic(node)
    today = datetime.date.today()
    monday = today - datetime.timedelta(days=today.weekday())
    titles = {"en": (f"{today} (", f"{monday} (Mon) – {monday + datetime.timedelta(days=6)} (Sun)", f"{today:%Y-%m}\n"),
              "ja": (f"{today.year}年{today.month}月{today.day}日（", f"{monday.year}年{monday.month}月{monday.day}日（月）～",
                     f"{today.year}年{today.month}月\n")}
    tables = {"en": ("Held, by class", "a virus was found in it", "Refused, by reason", "550 5.7.1", "Who sent most", "one@outside.example",
                     "Who was sent most", "a@example.test"),
              "ja": ("保留の分類別", "ウイルスが見つかりました", "拒否の理由別", "550 5.7.1", "差出人の上位", "one@outside.example", "宛先の上位", "a@example.test")}
    for period, at in zip(PERIODS, range(3)):
        for language in ("en", "ja"):
            text = node.run("report", *period, "--language", language).stdout
            assert titles[language][at] in text.split("\n\n")[0] + "\n", text[:200]
            assert all(word in text for word in tables[language]), [word for word in tables[language] if word not in text]
    sent = node.run("report", "--date", "today", "--language", "en").stdout.split("Who sent most")[1].splitlines()
    assert next(line.split()[:2] for line in sent if "one@outside" in line) == ["one@outside.example", "2"]
    for word, row in (("sender", "one@outside.example"), ("recipient", "b@other.test"), ("refusal", "許可されていない"), ("held", "ウイルス")):
        assert row in node.run("stats", "--by", word, "--language", "ja").stdout, word


def test_the_report_leads_with_what_is_wrong(nodes, sinks):
    node, _ = node_with(nodes, sinks)
    well = node.run("report", "--date", "today", "--language", "en").stdout.split("\n\n")
    if "All is well." not in well[1]:  # of this machine's own: its clock or its signatures
        assert well[1].startswith("What is wrong\n  ! ")
    with sqlite3.connect(node.state / "ledger/ledger.db", isolation_level=None) as database:
        database.execute("begin immediate")
        assert lab.Client(node.port).send(lab.message())[0] == 250
        wrong = lab.wait_for(lambda: [text for text in [node.run("report", "--date", "today", "--language", "en").stdout]
                                      if "  ! Ledger: " in text.split("\n\n")[1]], "the ledger's trouble leads", 60)[0]
        assert wrong.split("\n\n")[1].startswith("What is wrong\n  ! ")
        database.execute("rollback")
    node.balance(60)


def test_the_report_is_legible_on_a_telephone_and_in_the_dark(nodes, sinks, tmp_path):
    node, _ = node_with(nodes, sinks)
    traffic(node)
    node.run("report", *PERIODS[2], "--language", "ja", "--to", tmp_path / "r.html")
    browser.assert_legible((tmp_path / "r.html").read_text(), tmp_path)


def test_what_sticks_out_or_is_pale_is_seen(tmp_path):
    """The measure itself: a page that is too wide, one that is too pale, one that scrolls, and one that is well."""
    head = '<!DOCTYPE html><style>body{margin:0;font-size:14px;background:#fff;color:%s}</style>'
    pages = {"wide": head % "#000" + "<p style='width:600px'>a</p>", "pale": head % "#aaa" + "<p>a</p>",
             "scrolls": head % "#000" + "<div style='overflow-x:auto'><p style='width:600px'>a</p></div>", "well": head % "#000" + "<p>a</p>"}
    seen = {name: browser.measure(page, tmp_path, (390,))[0] for name, page in pages.items()}
    assert seen["wide"]["scroll"] == 600 and seen["wide"]["wide"] and seen["scrolls"]["scrolled"] == 1
    assert seen["pale"]["contrast"] < 4.5 < seen["well"]["contrast"] and not seen["well"]["wide"] and not seen["well"]["scrolled"]


def test_the_tables_of_stats_speak_the_language_of_the_locale(nodes, sinks, monkeypatch):
    node, _ = node_with(nodes, sinks)
    traffic(node)
    for name, value, word in (("LC_ALL", "ja_JP.UTF-8", "受信"), ("LC_ALL", "C.UTF-8", "Received"), ("LANG", "ja_JP.eucJP", "受信"),
                              ("LANG", "en_US.UTF-8", "Received")):
        for other in ("LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(name, value)
        assert word in node.run("stats").stdout, (name, value)
    assert "Received" in node.run("stats", "--language", "en").stdout
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert '"received"' in node.run("stats", "--format", "json").stdout and "Received" in node.run("stats", "--language", "en").stdout
