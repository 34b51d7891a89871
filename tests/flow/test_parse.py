# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: `sekimori parse` shows what is in a message, and says by its exit code when there is nothing to show."""
import hashlib
import json
import subprocess

import pytest

import lab

PDF = b"%PDF-1.4 a small document"
MESSAGE = b"\r\n".join([
    b"From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <yamada@example.jp>",
    b"Subject: =?UTF-8?B?6aGM5ZCN?=",
    b"MIME-Version: 1.0",
    b'Content-Type: multipart/mixed; boundary="b"',
    b"",
    b"--b",
    b"Content-Type: text/plain; charset=iso-2022-jp",
    b"",
    b"hello",
    b"--b",
    b"Content-Type: application/pdf; name*=utf-8''%E9%A1%8C.pdf",
    b"Content-Transfer-Encoding: base64",
    b"",
    b"JVBERi0xLjQgYSBzbWFsbCBkb2N1bWVudA==",
    b"--b--",
    b"",
])


def parse(*arguments, data=None):
    return subprocess.run([lab.BUILD / "src/cli/sekimori", "parse", *arguments], input=data, capture_output=True, timeout=60)


def test_tree_as_text():
    done = parse("-", data=MESSAGE)
    text = done.stdout.decode()
    assert done.returncode == 0
    assert "山田 <yamada@example.jp>" in text and "題名" in text
    assert f'1.2 application/pdf name="題.pdf" base64 {len(PDF)} bytes {hashlib.sha256(PDF).hexdigest()}' in text
    assert "every program agrees" in text


def test_tree_as_json(tmp_path):
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    done = parse("--json", "--readings", tmp_path / "m.eml")
    message = json.loads(done.stdout)
    assert [part["type"] for part in message["parts"]] == ["multipart/mixed", "text/plain", "application/pdf"]
    assert message["parts"][1]["charset"] == "iso-2022-jp"
    assert message["parts"][2]["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert [reading["size"] for reading in message["readings"]] == [5, len(PDF)]
    assert not message["ambiguous"] and not message["limited"] and message["findings"] == []


def test_ambiguity_is_named_and_every_reading_given():
    doubled = MESSAGE.replace(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64")
    message = json.loads(parse("--json", "--readings", "-", data=doubled).stdout)
    assert message["ambiguous"]
    assert "duplicate-transfer-encoding" in message["parts"][2]["findings"]
    assert hashlib.sha256(PDF).hexdigest() in [reading["sha256"] for reading in message["readings"]]
    assert any(note["finding"] == "duplicate-transfer-encoding" and note["part"] == "1.2" for note in message["notes"])


@pytest.mark.parametrize("arguments, data, code", [
    (["--help"], None, 0),
    ([], None, 64),
    (["--frobnicate", "-"], b"", 64),
    (["one", "two"], None, 64),
    (["/nonexistent/message"], None, 66),
    (["/"], None, 66),
    (["-"], b"", 65),
    (["-"], b"no header at all\r\n", 65),
    (["-"], b"A: b\r\n\r\n", 0),
])
def test_exit_codes(arguments, data, code):
    done = parse(*arguments, data=data)
    assert done.returncode == code
    assert code == 0 or done.stderr


def test_controls_in_a_message_reach_no_terminal():
    done = parse("-", data=b"Subject: a\x1b[31mred\x07\r\nFrom: =?utf-8?Q?=1B=5B2J?=\r\n\r\nx")
    assert b"\x1b" not in done.stdout and b"\x07" not in done.stdout
