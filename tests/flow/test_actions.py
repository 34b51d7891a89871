"""Goal: each verdict does what it says, for each recipient, and the message carries the reason; nothing is let through unseen."""
import json
import re
import subprocess
import time

import pytest

import lab

BASE = "domains {{ example.test 127.0.0.1:{inside}; quiet.test 127.0.0.1:{inside} {{ {quiet} }} }}\n"


def virus_mail(subject="invoice"):
    import base64
    return lab.message(subject, "--b\nContent-Type: text/plain\n\nsee attachment\n--b\nContent-Type: application/octet-stream; name=a.com\n"
                       "Content-Transfer-Encoding: base64\n\n" + base64.b64encode(lab.eicar().encode()).decode() + "\n--b--\n",
                       MIME_Version="1.0", Content_Type='multipart/mixed; boundary="b"')


def held(node):
    return json.loads("[" + ",".join(node.run("queue", "list", "--json").stdout.strip().splitlines()) + "]")


def test_accept_carries_the_headers(node, inside):
    forged = lab.message("plain", X_Spam_Flag="YES", X_Spam_Status="No, score=-99", X_Virus_Scanned="forged", X_Sekimori_Id="forged")
    assert lab.Client(node.port).send(forged)[0] == 250
    arrived = inside.wait(1)[0].decode()
    assert "forged" not in arrived and "score=-99" not in arrived and "X-Spam-Flag" not in arrived
    assert re.search(r"^X-Spam-Status: No, score=", arrived, re.M)
    assert re.search(r"^X-Virus-Scanned: Sekimori \(clamav ", arrived, re.M)
    assert len(re.findall(r"^X-Sekimori-Id: [0-9A-Z]{13}\r?$", arrived, re.M)) == 1
    node.balance()


def test_virus_is_refused_with_its_name_and_id(node, inside):
    code, text = lab.Client(node.port).send(virus_mail())
    assert code == 550 and "5.7.1" in text and "Eicar" in text
    identity = re.search(r"id ([0-9A-Z]{13})", text).group(1)
    lab.wait_for(lambda: identity in node.text(), "the log has the id")
    time.sleep(0.3)
    assert inside.files() == []
    node.balance()


@pytest.mark.parametrize("encode", ["base64", "quoted", "uuencode", "odd uuencode", "yenc", "signed", "nested", "raw"])
def test_virus_in_every_wrapping(node, encode, tmp_path):
    import base64
    import binascii
    import quopri
    plain = lab.eicar().encode()
    if encode == "nested":
        inner = virus_mail()
        text = lab.message("fwd", "--n\nContent-Type: message/rfc822\n\n" + inner + "\n--n--\n", MIME_Version="1.0",
                           Content_Type="multipart/mixed; boundary=n")
    elif encode == "odd uuencode":  # as some programs read it all the same: a short mode, and a relay put empty lines in
        text = lab.message("uu", "begin 64 a.com\n" + "\n".join(binascii.b2a_uu(plain[i:i + 45]).decode() for i in range(0, len(plain), 45)) + "`\nend\n")
    elif encode == "signed":  # S/MIME, the message inside the signature
        cert, key = lab.certificate(tmp_path)
        done = subprocess.run(["openssl", "smime", "-sign", "-nodetach", "-stream", "-signer", cert, "-inkey", key], check=True, capture_output=True,
                              input=b"Content-Type: application/x; name=a.com\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(plain) + b"\n")
        text = b"From: a@outside.example\nSubject: signed\n" + done.stdout
    elif encode == "yenc":
        text = lab.message("y").encode() + b"=ybegin line=128 size=68 name=a.com\n" + bytes((c + 42) % 256 for c in plain) + b"\n=yend size=68\n"
    elif encode == "uuencode":
        text = lab.message("uu", "begin 644 a.com\n" + "".join(binascii.b2a_uu(plain[i:i + 45]).decode() for i in range(0, len(plain), 45)) + "`\nend\n")
    else:
        body = {"base64": base64.b64encode(plain).decode(), "quoted": quopri.encodestring(plain).decode(), "raw": plain.decode()}[encode]
        name = {"base64": "base64", "quoted": "quoted-printable", "raw": "7bit"}[encode]
        text = lab.message("x", body + "\n", MIME_Version="1.0", Content_Type="application/octet-stream", Content_Transfer_Encoding=name)
    assert lab.Client(node.port).send(text)[0] == 550


def test_gtube_is_rejected_by_default(node, inside):
    code, text = lab.Client(node.port).send(lab.message("junk", lab.gtube() + "\n"))
    assert code == 550 and "5.7.1" in text
    assert inside.files() == []


def test_tag_in_the_subjects_own_charset(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nspam {{ tag above 6.8; quarantine above never; reject above never }}\n", inside=inside.port)
    for subject in ("=?ISO-2022-JP?B?GyRCS1xGfDhCJGokTiQ0MEZGYhsoQg==?=", "plain", "=?UTF-8?Q?caf=C3=A9?="):
        assert lab.Client(node.port).send(lab.message(subject, lab.gtube() + "\n"))[0] == 250
    from email import message_from_bytes
    from email.header import decode_header, make_header
    subjects = {str(make_header(decode_header(message_from_bytes(one)["Subject"]))) for one in inside.wait(3)}
    assert subjects == {"[SPAM] 本日限りのご案内", "[SPAM] plain", "[SPAM] café"}
    assert all(b"X-Spam-Flag: YES" in one for one in inside.messages())
    node.balance()


def test_a_blank_subject_moves_nothing(node, inside):
    for subject in ("", " ", None):
        assert lab.Client(node.port).send(lab.message(subject))[0] == 250
    assert all(b"X-Spam-Flag" not in one for one in inside.wait(3))


def test_outbound_is_never_tagged(nodes, sinks):
    world = sinks()
    node = nodes("listen 127.0.0.1:{port} {{ direction out; from 127.0.0.1 }}\ndomains {{ example.test 127.0.0.1:9; * 127.0.0.1:{world} }}\n"
                 "spam {{ tag above 6.8; quarantine above never; reject above never }}\n", world=world.port)
    assert lab.Client(node.port).send(lab.message("from us", lab.gtube() + "\n"), sender="a@example.test", recipients=("b@world.example",))[0] == 250
    assert b"Subject: from us" in world.wait(1)[0]


def test_quarantine_holds_and_release_delivers(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ found quarantine }}\n", inside=inside.port)
    assert lab.Client(node.port).send(virus_mail())[0] == 250
    time.sleep(0.5)
    assert inside.files() == []
    listed = held(node)
    assert len(listed) == 1, listed
    node.balance()
    identity = re.search(r"\b[0-9A-Z]{13}\b", json.dumps(listed)).group(0)
    assert identity in node.run("queue", "show", identity).stdout
    assert "EICAR" not in node.run("queue", "show", identity).stdout
    assert "Subject: invoice" in node.run("queue", "cat", identity).stdout
    node.run("queue", "release", identity)
    inside.wait(1)
    node.balance()


def test_discard(nodes, inside):
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ found discard }}\n", inside=inside.port)
    assert lab.Client(node.port).send(virus_mail())[0] == 250
    assert lab.Client(node.port).send(lab.message("after"))[0] == 250
    assert b"after" in inside.wait(1)[0]
    node.balance()


def test_mixed_recipients(nodes, inside):
    """One recipient wants no check, the other refuses: nothing is refused, one gets it, the other's copy is held."""
    node = nodes(BASE, inside=inside.port, quiet="virus off; spam off")
    client = lab.Client(node.port)
    assert client.send(virus_mail(), recipients=("a@example.test", "b@quiet.test"))[0] == 250
    arrived = inside.wait(1)
    assert len(arrived) == 1 and b"b@quiet.test" in arrived[0]
    assert len(held(node)) == 1
    assert client.send(virus_mail(), recipients=("a@example.test", "c@example.test"))[0] == 550
    node.balance()


def test_observe_mode(nodes, inside):
    node = nodes(BASE + "virus {{ mode observe }}\nspam {{ mode observe }}\n", inside=inside.port, quiet="virus on")
    client = lab.Client(node.port)
    assert client.send(virus_mail("observed"))[0] == 250
    assert client.send(lab.message("junk", lab.gtube() + "\n"))[0] == 250
    assert client.send(virus_mail(), recipients=("b@quiet.test",))[0] == 550
    arrived = inside.wait(2)
    assert all(b"[SPAM]" not in one and b"X-Spam-Flag: YES" not in one for one in arrived)
    assert node.text().count("observed=") >= 2
    values = [one["values"] for one in node.status()["processes"] if one["name"] == "receive"]
    assert values
    node.balance()


def test_scan_down_is_never_clean(nodes, inside):
    """With every scan process stopped a message waits, and gets 451 at the verdict's time limit."""
    import os
    import signal
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ most time 1s }}\nlimits {{ time verdict 2s }}\n", inside=inside.port)
    stopped = node.pids("scan")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert lab.Client(node.port).send(lab.message())[0] == 451
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert inside.files() == []
    assert lab.Client(node.port).send(lab.message("again"))[0] == 250
    inside.wait(1)
    node.balance()
