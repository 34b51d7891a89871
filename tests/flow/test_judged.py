# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a whole node acts on verdicts: what is refused, held, tagged and marked is what scan said."""
import base64
import re
import smtplib

import pytest
from lab import wait_for
from test_scan import CLEAN, EICAR, INFECTED

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"


def send(node, message, recipients=("user@example.test",), sender="sender@b.test"):
    with smtplib.SMTP("127.0.0.1", node.port, timeout=30) as client:
        client.ehlo()
        assert client.docmd("MAIL", f"FROM:<{sender}>")[0] == 250
        codes = [client.docmd("RCPT", f"TO:<{recipient}>")[0] for recipient in recipients]
        code, text = client.data(message)
        return code, text.decode(), codes


def test_wide_envelope_and_a_full_frame(nodes, inside):
    """Envelope and body together are more than a frame holds: the body goes another way, and recipients over the
    bound are told to come in another message."""
    node = nodes("domains {{ example.test 127.0.0.1:{inside}\n .example.test 127.0.0.1:{inside} }}\n", inside=inside.port)
    recipients = [f"{'a' * 60}{number:04}@example.test" for number in range(499)] + ["user@example.test"] * 1
    wide = [f"{'b' * 60}{number:04}@{'c' * 60}.{'d' * 60}.example.test" for number in range(500)]
    message = CLEAN + b"x" * 70 + b"\r\n" + (b"y" * 76 + b"\r\n") * 800
    code, text, codes = send(node, message, recipients)
    assert code == 250 and set(codes) == {250}, text
    code, text, codes = send(node, message, wide)
    assert code == 250 and set(codes) == {250, 452}, text


@pytest.mark.parametrize("message, code, text", [(INFECTED, 550, "virus found: Eicar-Test-Signature"),
                                                 (CLEAN + GTUBE, 550, "looks like spam"),
                                                 (CLEAN + EICAR + b"\r\n", 250, ""),
                                                 (CLEAN, 250, "")])
def test_refused_while_the_sender_is_on_the_line(node, message, code, text):
    got, said, _ = send(node, message)
    assert got == code and text in said


def test_marks_are_ours(node, inside):
    forged = b"X-Spam-Status: Yes\r\nX-Spam-Flag: YES\r\nX-Virus-Scanned: nobody\r\nX-Sekimori-Id: 1\r\n" + CLEAN
    assert send(node, forged)[0] == 250
    arrived = inside.wait(1)[0].replace(b"\r\n", b"\n")
    assert arrived.count(b"X-Spam-Status: No, score=") == 1 and b"X-Spam-Flag" not in arrived
    assert b"X-Virus-Scanned: Sekimori (clamav" in arrived and arrived.count(b"X-Virus-Scanned") == 1
    assert arrived.count(b"X-Sekimori-Id:") == 1 and b"X-Sekimori-Id: 1\n" not in arrived


def test_tagged(nodes, inside):
    node = nodes("spam {{ tag above 1; quarantine above 2000; reject above 3000 }}\n"
                 "domains {{ example.test 127.0.0.1:{inside}\n observe.test 127.0.0.1:{inside} {{ spam observe }} }}\n"
                 .replace("quarantine above 2000; reject above 3000", "quarantine above 1000; reject above 1000"),
                 inside=inside.port)
    message = CLEAN.replace(b"hello", b"=?ISO-2022-JP?B?GyRCJTUlcyVXJWsbKEI=?=").replace(b"From: a@b.test\r\n", b"")
    assert send(node, message)[0] == 250
    assert send(node, message, ("user@observe.test",))[0] == 250
    tagged, untagged = sorted(inside.wait(2), key=lambda text: b"X-Spam-Flag: YES" not in text)
    assert b"X-Spam-Flag: YES" in tagged and b"X-Spam-Status: Yes, score=" in tagged
    assert b"Subject: [SPAM] =?ISO-2022-JP?B?" in tagged
    assert b"X-Spam-Flag" not in untagged and b"X-Spam-Status: No, score=" in untagged


MORNING = b"Good morning, the meeting begins at ten.\r\nBring the papers along, please.\r\n"
PROGRAM = base64.encodebytes(bytes.fromhex("504b0304140000000000") + bytes(range(256)) * 2).replace(b"\n", b"\r\n")
BROKEN = {  # finding: the fields that are broken; all are text
    "content-type-syntax": b"Content-Type: text\r\n",
    "unknown-transfer-encoding": b"Content-Transfer-Encoding: 8bits\r\n",
    "transfer-encoding-syntax": b"Content-Transfer-Encoding: 7bit;\r\n",
    "header-no-colon": b"this is no field\r\n",
    "header-mbox-line": b">From a@b.test Fri Feb 14 08:55:52 2014\r\n",
    "header-blank-fold": b"X-Spam-Report:\r\n *  1.0 SOME_RULE\r\n \r\n *  0.5 ANOTHER_RULE\r\n",
    "boundary-unused": b"Content-Type: multipart/mixed; boundary=fence\r\n",
}


def mail(fields, body):
    return CLEAN.split(b"\r\n\r\n")[0] + b"\r\nMIME-Version: 1.0\r\n" + fields + b"\r\n" + body


def test_broken_text_arrives_and_is_told_of(node, inside):
    for fields in BROKEN.values():
        code, text, _ = send(node, mail(fields, MORNING))
        assert code == 250, text
    assert all(arrived.endswith(MORNING) for arrived in inside.wait(len(BROKEN)))
    for finding in BROKEN:
        assert re.search(f"verdict: action=accept .* findings={finding}[ ,]", node.text()), finding


def test_a_file_in_broken_mail_is_held(node, inside):
    """The same fields around a file that some programs see and some do not."""
    inner = b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n"
    hidden = [BROKEN["header-no-colon"] + inner, BROKEN["unknown-transfer-encoding"], BROKEN["boundary-unused"],
              BROKEN["content-type-syntax"]]
    for fields in hidden:
        code, text, _ = send(node, mail(fields, PROGRAM))
        assert code == 250, text
    for fields in [BROKEN["header-blank-fold"] + inner, BROKEN["header-mbox-line"] + inner]:  # a file for everybody
        assert send(node, mail(fields, PROGRAM))[0] == 250
    assert all(arrived.endswith(PROGRAM) for arrived in inside.wait(2))
    assert send(node, BROKEN["header-mbox-line"] + INFECTED)[0] == 550
    wait_for(lambda: node.text().count(" verdict: action=quarantine ") == len(hidden), "the others are held")
    assert node.text().count(" ambiguous=yes findings=") == len(hidden)
