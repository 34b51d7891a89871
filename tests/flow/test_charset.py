"""Goal: Subjects and file names are read as they were meant, by us and by others, and our own fields harm nobody's text."""
import base64
import email
import email.policy
import json
import os
import pathlib
import re
import subprocess

import pytest

import lab

TAG = "[迷惑メール] "
TAGGING = ('domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\n'
           'spam {{ tag subject "' + TAG + '"; tag above 6.8; quarantine above never; reject above never }}\n')


def word(charset, text, codec=None):
    return f"=?{charset}?B?{base64.b64encode(text.encode(codec or charset)).decode()}?=".encode()


def read_by_us(message):
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "parse", "--json", "-"], input=message, capture_output=True, timeout=60)
    return json.loads(done.stdout)


def read_by_python(message):
    return str(email.message_from_bytes(message, policy=email.policy.default)["Subject"]).replace("\t", " ")


LONG = "長い件名のお知らせです。" * 5
# Raw value of the Subject, the charset that the body declares, and the text.
SUBJECTS = [
    (b"plain", None, "plain"), (b"Re:", None, "Re:"), (b"a" * 985, None, "a" * 985), (b"one\n two\n\tthree", None, "one two three"),
    ("会議の件".encode(), "utf-8", "会議の件"), ("会議の件".encode(), None, "会議の件"),
    ("至急".encode("cp932"), "Shift_JIS", "至急"), ("至急".encode("cp932"), None, "至急"), (b"Re: " + "表示".encode("cp932"), "utf-8", "Re: 表示"),
    ("至急".encode("euc_jp"), "EUC-JP", "至急"), ("通知".encode("euc_jp"), None, "通知"), ("ﾃｽﾄ".encode("cp932"), "Shift_JIS", "ﾃｽﾄ"),
    ("会議".encode("iso2022_jp"), "ISO-2022-JP", "会議"), ("会议".encode("gb2312"), "gb2312", "会议"),
    (word("gb2312", "会议通知"), None, "会议通知"), (word("big5", "會議"), None, "會議"), (word("euc-kr", "회의"), None, "회의"),
    (word("iso-8859-1", "Café"), None, "Café"), (word("us-ascii", "hello"), None, "hello"), (word("koi8-r", "Привет"), None, "Привет"),
    (word("utf-16", "会議"), None, "会議"), (word("UTF-16", "会議", "utf-16-be"), None, "会議"), (word("utf-16le", "会議"), None, "会議"),
    (word("utf-7", "会議"), None, "会議"), (word("ISO-2022-JP", "会議"), None, "会議"), (word("Shift_JIS", "予定表"), None, "予定表"),
    (b"Re: " + word("ISO-2022-JP", "会議"), None, "Re: 会議"), (b"Re: " + word("gb2312", "会议"), None, "Re: 会议"),
    (b"\n ".join(word("utf-8", LONG[i:i + 12]) for i in range(0, len(LONG), 12)), None, LONG),
    (b"=?utf-8?B?5Lya6A==?=\n =?utf-8?B?rbA=?=", None, "会議"), (word("utf-8", TAG + "before"), None, None),
]


def test_tagged_subjects_are_read_by_us_and_by_others(nodes, inside):
    node = nodes(TAGGING, inside=inside.port)
    client = lab.Client(node.port)
    for number, (value, declared, _) in enumerate(SUBJECTS):
        head = b"From: a@outside.example\nX-Number: %d\nSubject: %s\n" % (number, value)
        if declared:
            head += b"MIME-Version: 1.0\nContent-Type: text/plain; charset=%s\n" % declared.encode()
        assert client.send(head + b"\n" + lab.gtube().encode() + b"\n")[0] == 250
    for message in inside.wait(len(SUBJECTS)):
        value, _, text = SUBJECTS[int(re.search(rb"X-Number: (\d+)", message).group(1))]
        expected = TAG + (text or "before")
        assert read_by_us(message)["subject"] == expected, value
        assert read_by_python(message) == expected, value
        subject = re.search(rb"^Subject:(?:.*\n)(?:[ \t].*\n)*", message, re.M).group(0)
        for line in subject.splitlines():
            assert len(line) <= (76 if b"=?" in line else 998), line
    node.balance()


@pytest.mark.parametrize("declared", ["Shift_JIS", "utf-8", None])
def test_raw_names_of_files(declared):
    part = b"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"%s\"\n\nx\n"
    for raw, name in [("予定表.xls".encode("cp932"), "予定表.xls"), ("表".encode("cp932"), "表"), ("ソ能力.doc".encode("cp932"), "ソ能力.doc"),
                      ("表\\.doc".encode("cp932"), "表.doc"), ("表 \\\"1\\\".doc".encode("cp932"), '表 "1".doc'), ("議事録.txt".encode("euc_jp"), "議事録.txt"),
                      ("あい.txt".encode("iso2022_jp"), "あい.txt"), ("議事録.txt".encode(), "議事録.txt")]:
        kind = b"Content-Type: text/plain" + (b"; charset=" + declared.encode() if declared else b"")
        message = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" + kind + b"\n\nhello\n--b\n" + part % raw + b"--b--\n"
        assert [one["name"] for one in read_by_us(message)["parts"]] == ["", "", name], raw


def test_text_without_a_header_keeps_apart_from_ours(nodes, inside):
    """Judged or not, tagged or not: our fields, an empty line, the text."""
    text = b"Disk full on host1\n\nplease look at it soon, it is urgent\n"
    suites = os.environ.get("SEKIMORI_SUITES")
    if suites:
        text = (pathlib.Path(suites) / "reports/q07-no-header.eml").read_bytes().replace(b"\r\n", b"\n")
    for config in (TAGGING, "domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"):
        node = nodes(config, inside=inside.port)
        for content in (text, text + lab.gtube().encode() + b"\n"):
            inside.empty()
            assert lab.Client(node.port).send(content)[0] == 250
            message = inside.wait(1)[0].replace(b"\r\n", b"\n")
            head, _, body = message.partition(b"\n\n")
            assert body == content, message
            assert b"X-Sekimori-Id: " in head and b"Date:" not in head.replace(b"Delivery-Date:", b"")
        node.balance()
    if suites:
        print("suite reports q07: 1 cases, 1 as expected, 0 differ (0 listed)")


def test_mail_that_goes_out_is_complete(nodes, inside):
    node = nodes("listen 127.0.0.1:{port} {{ direction out; from 127.0.0.1 }}\ndomains {{ example.test 127.0.0.1:9; * 127.0.0.1:{inside} }}\n"
                 "virus {{ mode off }}\nspam {{ mode off }}\n", inside=inside.port)
    for head in ("Subject: x\n", "Date: Wed, 25 Nov 2026 01:00:00 +0000\nmessage-id : <a@b>\n"):
        assert lab.Client(node.port).send(head + "\nhello\n", sender="a@example.test", recipients=("b@world.example",))[0] == 250
    lacking, whole = sorted((email.message_from_bytes(one) for one in inside.wait(2)), key=lambda one: one["Subject"] is None)
    assert re.fullmatch(r"<[0-9A-Z]{13}@mx\.example\.test>", lacking["Message-ID"]) and lacking["Date"]
    assert len(whole.get_all("Date")) == 1 and "a@b" in whole.as_string() and "@mx.example.test>" not in whole.as_string()


def test_names_of_clients_are_ascii(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ mode off }}\nspam {{ mode off }}\n", inside=inside.port)
    for hello, name in (("例え.test", b"xn--r8jz45g.test"), ("💩..x", b"+F0+9F+92+A9..x")):
        inside.empty()
        client = lab.Client(node.port, hello=None)
        assert client.say("EHLO " + hello)[0] == 250
        assert client.send(lab.message())[0] == 250
        message = inside.wait(1)[0]
        assert message.isascii() and b"Received: from " + name + b" (" in message
