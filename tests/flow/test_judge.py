# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: `sekimori judge` says without a node what the content filter thinks of a message, by exit codes and JSON that scripts can
use; many are judged side by side in their order; what reads the message can do nothing but answer."""
import json
import os
import re
import subprocess

import pytest

import lab

SAMPLES = lab.ROOT / "conf/samples"
BASE = lab.ROOT / "conf/model/base.model"
NOTE = b"From: Mori Hanako <mori@example.ac.jp>\nTo: taro@example.ac.jp\nDate: Mon, 2 Nov 2026 09:00:00 +0900\nMessage-ID: <1@example.ac.jp>\n" \
       b"Subject: %s\n\nThursday at ten works for me. Shall we meet in the library?\n"


def judge(*words, data=b"", base=BASE, through=()):
    named = ["--base", base] if base else []
    named += [] if "-c" in words else ["--rules", lab.ROOT / "conf/rules"]
    return subprocess.run([*through, lab.BUILD / "src/cli/sekimori", "judge", *named, *words], input=data, capture_output=True, timeout=60)


@pytest.mark.parametrize("name, code", [("1-clean-english", 0), ("2-clean-japanese", 0), ("4-junk-gtube", 3)])
def test_the_exit_code_is_the_action(name, code):
    done = judge(data=(SAMPLES / f"{name}.eml").read_bytes())
    assert (done.returncode, done.stderr) == (code, b""), done
    assert done.stdout.decode().split("\n")[0] == ("accept" if code == 0 else "reject")


def test_json_names_every_signal_and_they_add_up():
    (said,) = [json.loads(line) for line in judge("--json", data=(SAMPLES / "4-junk-gtube.eml").read_bytes()).stdout.splitlines()]
    assert list(said) == ["file", "score", "action", "signals", "class"]
    assert (said["file"], said["action"], said["class"]) == ("-", "reject", "mail")
    assert all(list(signal) == ["name", "points", "about"] for signal in said["signals"])
    assert round(sum(signal["points"] for signal in said["signals"]), 1) == said["score"]


def test_each_signal_has_its_meaning(tmp_path):
    """Those of no rule, too, in the language that was asked for, in lines and in JSON as explain has them."""
    mail = NOTE.replace(b"From: ", b"X-Nul\0: ").replace(b"Date: ", b"X-Date: ")
    for language, wanted in (("en", {"MISSING_FROM": "no From field", "MISSING_DATE": "no Date field", "HEADER_NUL": "a NUL in the header"}),
                             ("ja", {"MISSING_FROM": "From がない", "MISSING_DATE": "Date がない", "HEADER_NUL": "ヘッダーに NUL"})):
        signals = json.loads(judge("--json", "--language", language, data=mail).stdout)["signals"]
        assert wanted.items() <= {signal["name"]: signal["about"] for signal in signals}.items(), signals
        assert all(signal["about"] for signal in signals)
        lines = judge("--language", language, data=mail).stdout.decode()
        assert all(re.search(rf"{name} +{about}\n", lines) for name, about in wanted.items()), lines
    # and of what pretends to be ours whom it is about
    (tmp_path / "people").write_text("Mori Hanako <hanako@example.ac.jp>\n")
    (tmp_path / "conf").write_text(f"""
hostname mx.example.ac.jp
state {tmp_path}/state
listen 127.0.0.1:2525
domains example.ac.jp 127.0.0.1:2526
virus mode off
people "{tmp_path}/people"
spam {{ base model none; rules "{lab.ROOT}/conf/rules" }}
""")
    done = judge("-c", tmp_path / "conf", "--json", "--language", "en", data=NOTE.replace(b"mori@example.ac.jp", b"mori@elsewhere.example"), base=None)
    about = {signal["name"]: signal["about"] for signal in json.loads(done.stdout)["signals"]}
    assert about["IMPOSTOR_PERSON"] == "under the name of one of our people, from another address: Mori Hanako", done
    # explain says the same of the same configuration
    mail = NOTE.replace(b"mori@example.ac.jp", b"mori@elsewhere.example")
    explain = [lab.BUILD / "src/cli/sekimori", "explain", "--json", "--language", "en", "-"]
    done = subprocess.run(explain, input=mail, capture_output=True, env={**os.environ, "SEKIMORI_CONFIG": str(tmp_path / "conf")}, timeout=60)
    assert {signal["name"] for signal in json.loads(done.stdout)["signals"]} == set(about), done


def test_thresholds_are_those_of_the_named_configuration(tmp_path):
    (tmp_path / "conf").write_text(f"""
hostname mx.example.ac.jp
state {tmp_path}/state
listen 127.0.0.1:2525
domains example.ac.jp 127.0.0.1:2526
virus mode on
auth mode on
spam {{ mode observe; tag above 6.8; quarantine above never; reject above never; base model "{BASE}"; rules "{lab.ROOT}/conf/rules" }}
""")
    done = judge("-c", tmp_path / "conf", SAMPLES / "4-junk-gtube.eml", base=None)
    assert (done.returncode, done.stderr) == (1, b""), done
    assert b"(tag from 6.8)" in done.stdout
    (tmp_path / "conf").write_text("hostname\n")
    assert judge("-c", tmp_path / "conf", base=None).returncode == 78


def test_a_folder_and_a_mailbox_give_a_line_each_in_their_order(tmp_path):
    folder = tmp_path / "mails"
    (folder / "new").mkdir(parents=True)
    for number in range(9):
        (folder / f"{number}.eml").write_bytes(NOTE % b"%d" % number)
    (folder / "new" / "inside").write_bytes(NOTE % b"inside")
    (folder / ".hidden").write_bytes(NOTE % b"hidden")
    box = b"".join(b"From a@b.test Fri Feb 14 08:55:52 2014\n" + NOTE % name + b"\nFrom here on it is text.\n\n" for name in (b"first", b"second"))
    (folder / "new" / "mbox").write_bytes(box)
    done = judge("--jobs", "3", folder)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [line["file"].removeprefix(f"{folder}/") for line in said] == [f"{number}.eml" for number in range(9)] + ["new/inside", "new/mbox:1", "new/mbox:2"]
    assert done.stdout == judge(folder).stdout, "the same however many read"
    assert {line["action"] for line in said} == {"accept"}


def test_what_has_no_end_of_a_line_takes_no_room(tmp_path):
    """A gigabyte of one line is not read into memory, and hides no mail of a mailbox behind it."""
    begin = b"From a@b.test Fri Feb 14 08:55:52 2014\n"
    for name, first in (("sparse", b""), ("mbox", begin + NOTE % b"first" + b"\n")):
        with open(tmp_path / name, "wb") as file:
            file.write(first)
            file.truncate(1 << 30)
    with open(tmp_path / "mbox", "ab") as file:
        file.write(b"\n\n" + begin + NOTE % b"last")
    done = judge(tmp_path, "--json", through=("prlimit", "--as=800000000"))
    assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == [f"{tmp_path}/mbox:2"], done
    assert done.stderr.count(b"it is longer than 64 MB") == 2, done.stderr


def test_class_and_results_come_from_the_header():
    told = b"Authentication-Results: mx.example.ac.jp; spf=softfail smtp.mailfrom=a@b.test; dkim=fail; dmarc=pass header.from=b.test\n"
    forged = told.replace(b"softfail", b"fail")
    letter = b"List-Unsubscribe: <https://news.example.jp/stop>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
    def names(*words, data):
        said = json.loads(judge("--json", *words, data=data).stdout)
        return said["class"], {signal["name"] for signal in said["signals"]} - {"BASE_MODEL"}
    assert names(data=told + NOTE) == ("mail", set())
    assert names("--results", "mx.other.test", data=told + NOTE) == ("mail", set())
    found = {"SPF_SOFTFAIL", "DKIM_FAIL", "DMARC_PASS"}
    assert names("--results", "MX.example.ac.jp", data=told + forged + letter + NOTE) == ("newsletter", found)
    assert names(data=letter + b"List-Post: <mailto:l@example.jp>\n" + NOTE) == ("list", set())


def test_a_newsletter_has_its_own_line_where_somebody_proves_it(tmp_path):
    (tmp_path / "trial.rules").write_text('rule TRIAL_ONE { points 3.8; describe "a"; body /orchid/ }\nrule TRIAL_TWO { points 3.4; describe "b"; body /replica/ }\n')
    letter = (b"Authentication-Results: mx.test; dmarc=RESULT header.from=b.test\nList-Unsubscribe: <https://b.test/>\nPrecedence: bulk\n" + NOTE +
              b"\norchid replica\n")
    def said(*words, result=b"pass"):
        found = json.loads(judge("--json", "--rules", tmp_path, *words, data=letter.replace(b"RESULT", result), base=None).stdout)
        return found["class"], found["action"]
    assert said("--results", "mx.test") == ("newsletter", "accept")
    assert said("--results", "mx.test", result=b"none") == ("newsletter", "tag") == said()
    def lines(*words, result=b"pass", language="en", action="accept"):
        (tmp_path / "conf").write_text(f"""
hostname mx.example.ac.jp
state {tmp_path}/state
listen 127.0.0.1:2525
domains example.ac.jp 127.0.0.1:2526
virus mode off
newsletter {{ tag above 11; action {action} }}
spam {{ tag above 3; quarantine above 12; base model none; rules "{tmp_path}" }}
""")
        done = judge("-c", tmp_path / "conf", "--results", "mx.test", "--language", language, data=letter.replace(b"RESULT", result), base=None)
        return done.returncode, done.stdout.decode().split("\n")[:3]
    # the line that is printed is the one that was used
    assert lines() == (0, ["accept", "  score 7.2 (tag from 11.0, quarantine from 12.0, reject from 20.0)", "  class newsletter"])
    assert lines(result=b"none") == (1, ["tag", "  score 7.2 (tag from 3.0, quarantine from 12.0, reject from 20.0)", "  class newsletter"])
    # `newsletter action` counts as it does live, and is told
    code, said = lines(action="tag")
    assert (code, said[0], said[2]) == (1, "tag", "  class newsletter (by newsletter action)")
    code, said = lines(action="quarantine", language="ja")
    assert (code, said[0], said[2]) == (2, "quarantine  隔離", "  種類 newsletter（newsletter action による処置）")
    assert lines(action="quarantine", result=b"none")[0] == 1


def test_what_cannot_be_read_or_judged_has_its_exit_code(tmp_path):
    assert judge(tmp_path / "none").returncode == 66
    assert judge("--base", tmp_path / "none", base=None).returncode == 66
    assert judge("--base", SAMPLES / "1-clean-english.eml", base=None).returncode == 66
    for folder, why in ((tmp_path / "none", "No such file or directory"), (SAMPLES / "1-clean-english.eml", "Not a directory")):
        done = judge("--rules", folder, base=None)
        assert (done.returncode, done.stdout) == (66, b"") and done.stderr.decode() == f"sekimori judge: {folder}: {why}\n"
    done = judge("-c", tmp_path / "none", "--rules", tmp_path, base=None)
    assert done.returncode == 64 and b"leave out --rules" in done.stderr, done
    assert judge("--jobs", "0").returncode == judge("--jobs", "65").returncode == 64
    (tmp_path / "long").write_bytes(NOTE + b"x" * (64 << 20))
    done = judge(tmp_path / "long")
    assert done.returncode == 75 and b"longer than 64 MB" in done.stderr


def test_what_is_no_mail_is_told(tmp_path):
    folder, empty, noise = tmp_path / "mails", tmp_path / "empty", bytes(range(256)) * 20
    empty.mkdir()
    folder.mkdir()
    for name, data in (("1.eml", NOTE % b"1"), ("odd.eml", b"X-Field: of nobody\r\n\r\nx\r\n"), ("noise", noise), ("index.tsv", b"1.eml\tham\n"), ("nothing", b""), ("2.eml", NOTE % b"2")):
        (folder / name).write_bytes(data)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "link").symlink_to("1.eml")
    done = judge(folder, empty)
    assert done.returncode == 0 and [json.loads(line)["file"] for line in done.stdout.splitlines()] == [f"{folder}/{name}.eml" for name in ("1", "2", "odd")], done
    no_mail = "no mail: no header field stands in it"
    wanted = {f"{folder}/noise: {no_mail}", f"{folder}/index.tsv: {no_mail}", f"{folder}/nothing: there is no message: it is empty",
              f"{folder}/dangling: passed over: No such file or directory", f"{folder}/link: passed over: a link in a folder is not followed",
              f"{empty}: there is no message in it"}
    assert {line.removeprefix("sekimori judge: ") for line in done.stderr.decode().splitlines()} == wanted
    # what is named itself, or comes on standard input, is judged, if it is not empty
    done = judge(folder / "noise", "--json")
    assert done.returncode < 4 and json.loads(done.stdout)["file"] == str(folder / "noise")
    assert done.stderr.decode() == f"sekimori judge: {folder}/noise: {no_mail}; judged all the same\n"
    done = judge(folder / "nothing")
    assert (done.returncode, done.stdout) == (65, b"") and b"it is empty" in done.stderr, done
    assert (done := judge()).returncode == 65 and (done.stdout, done.stderr) == (b"", b"sekimori judge: -: there is no message: it is empty\n")
    assert judge(data=noise).returncode < 4
    # and one message, even where a mailbox is piped
    box = b"".join(b"From a@b.test Fri Feb 14 08:55:52 2014\n" + NOTE % name + b"\n" for name in (b"1", b"2"))
    assert judge("-", "--json", data=box).stdout.count(b"\n") == 1


@pytest.mark.parametrize("act", [b"die", b"socket", b"exec"])
def test_what_reads_a_message_can_only_answer(tmp_path, act):
    """The next message gets another process; nothing is said of this one but that it could not be judged."""
    (tmp_path / "1").write_bytes(b"X-Test-Judge: " + act + b"\n" + NOTE)
    (tmp_path / "2").write_bytes(NOTE)
    done = judge(tmp_path)
    assert done.returncode == 75 and b"/1: it could not be judged" in done.stderr
    (said,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert said["file"] == str(tmp_path / "2")
