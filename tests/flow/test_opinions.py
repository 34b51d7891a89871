# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what spamd and rspamd say of a message is one signal each, with their score and symbols to see in header and log, and never more points
than the statement allows; they are asked at once, about the message as it came and its envelope, and not where a virus was found. One that
answers nonsense, half, slowly or never costs a bounded time, and mail is judged without it, or deferred where the statement says so. With spamd
and rspamd of Debian, and with doubles that misbehave."""
import json
import re

import engine_doubles
import lab
import pytest

CONFIG = """
domains {{ example.test 127.0.0.1:{inside} }}
limits {{ bodies in frame 20K; bodies in memory 200K }}
virus {{ engine clamav {{ unavailable accept }} }}
spam {{ {opinions} }}
processes {{ receive 1; scan 1 }}
"""
REAL = "opinion spamd {spamd} {{ size most 1M }}; opinion rspamd 127.0.0.1:{rspamd.port} {{ size most 1M }}"
SIZES = {"frame": 1, "memfd": 600, "file": 5000}  # lines: where the body is kept


def opinions(port, more=""):
    rest = f"connections 2; time most 500ms; failures 1000; pause 300ms; {more}"
    return "; ".join(f"opinion {kind} localhost:{port} {{{{ {rest} }}}}" for kind in ("spamd", "rspamd"))


def send(node, mail, sender="sender@sender.test", hello="EHLO client.test"):
    client = lab.Client(node.port, hello=hello)
    try:
        return client.send(mail, sender=sender)
    finally:
        client.close()


def judged(sink):
    """Of the one message that came: points by signal, and the opinions in words."""
    mail = sink.wait(1)[0].decode()
    sink.empty()
    said = re.sub(r"\r?\n[ \t]+", " ", mail.split("\n\n")[0].split("\r\n\r\n")[0])
    points = dict(one.split("=") for one in re.search(r"^X-Spam-Status: .* tests=(.*?)\s*$", said, re.M)[1].replace(" ", "").split(",") if "=" in one)
    words = dict(re.findall(r"^X-Sekimori-Opinion: (R?SPAMD\w*) (.*?)\s*$", said, re.M))
    return points, words, mail


def told(node):
    """Of each opinion what `status` says."""
    values = [one["values"] for one in node.status()["processes"] if one["name"] == "consult"][0]
    return {name[len("engine "):]: value for name, value in values.items() if name.startswith("engine ")}


def counted(node, name, what):
    return int(re.search(rf", {what} (\d+)", told(node)[name])[1])


def configure(node, text):
    """A reload with these opinions, until consult has them."""
    node.write(CONFIG.replace("{opinions}", text))
    wanted = sorted(re.findall(r"opinion (\w+)", text))
    node.run("reload")
    lab.wait_for(lambda: sorted(told(node)) == wanted, "consult has what was reloaded")


# --- real ones ---

@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not engine_doubles.SPAMD.exists() or not engine_doubles.RSPAMD.exists():
        pytest.skip("spamd and rspamd are not here")
    folder = tmp_path_factory.mktemp("real")
    spamd, rspamd = engine_doubles.Spamd(), engine_doubles.Rspamd(folder)  # both at once: each takes a second
    try:
        spamd.wait_until(spamd.is_up)
        rspamd.wait_until(rspamd.is_up)
        with lab.standing(folder, CONFIG.replace("{opinions}", REAL), spamd=f"unix:{spamd.path}", rspamd=rspamd) as (node, sink):
            yield node, sink, spamd
    finally:
        spamd.stop()
        rspamd.stop()


@pytest.mark.parametrize("size", SIZES)
def test_real_opinions(real, size):
    """Both see the message by the way that a body of this size goes, its client and its envelope, and say what they think of it."""
    node, sink, _ = real
    node.text_begins()
    filler = "a line of text that fills the message up, and nothing else\n" * SIZES[size]
    assert send(node, lab.message(subject="buy this now", body=filler))[0] == 250
    points, words, _ = judged(sink)
    assert points["SPAMD"] == "3.8" and points["RSPAMD"] == "2.5", points
    assert words["SPAMD"].startswith("7.5 of 5.0 ") and words["RSPAMD"].startswith("7.5 of 15.0 add header; OPINION_SUBJECT"), words
    for said in words.values():
        assert all(name in said for name in ("OPINION_SUBJECT", "OPINION_CLIENT", "OPINION_SENDER")), words
    assert ' opinion="RSPAMD 7.5 of 15.0: add header; OPINION_SUBJECT' in node.text()
    assert send(node, lab.message(body=filler))[0] == 250
    points, words, _ = judged(sink)
    assert points["SPAMD_HAM"] == points["RSPAMD_HAM"] == "0.0" and words["SPAMD_HAM"].startswith("0.0 of 5.0"), (points, words)


def test_real_ones_find_nothing(real):
    """Mail that none of their rules hits: spamd answers with an empty body, rspamd with no symbol; they are asked once."""
    node, sink, _ = real
    asked = {name: counted(node, name, "asked") for name in ("spamd", "rspamd")}
    assert send(node, lab.message(), sender="other@sender.test", hello="EHLO other.test")[0] == 250
    points, words, _ = judged(sink)
    assert points["SPAMD_HAM"] == points["RSPAMD_HAM"] == "0.0", points
    assert words["SPAMD_HAM"] == "0.0 of 5.0" and words["RSPAMD_HAM"] == "0.0 of 15.0 no action", words
    for name, before in asked.items():
        assert counted(node, name, "asked") == before + 1 and counted(node, name, "failed") == 0, told(node)


def test_real_ones_alone_do_not_refuse(real):
    """However sure they are, each adds what the statement allows: the message is tagged, not refused. By TCP as by a socket."""
    node, sink, spamd = real
    configure(node, REAL.replace("{spamd}", f"localhost:{spamd.port}"))
    assert send(node, lab.message(body="a body that only opinions know of\n"))[0] == 250
    points, words, mail = judged(sink)
    assert points["SPAMD"] == points["RSPAMD"] == "4.0" and "[SPAM] hello" in mail, (points, words)
    assert words["SPAMD"].startswith("60.0 of 5.0 ") and words["RSPAMD"].startswith("60.0 of 15.0 reject; OPINION_BODY"), words
    assert send(node, lab.message(body=("a line of text " * 60 + "\n") * 1500))[0] == 250
    points, _, _ = judged(sink)
    assert points["SPAMD_NONE"] == points["RSPAMD_NONE"] == "0.0", points
    for name in ("spamd", "rspamd"):
        assert counted(node, name, "limits") == 1 and counted(node, name, "failed") == 0, told(node)


# --- doubles ---

@pytest.fixture(scope="module")
def double(tmp_path_factory):
    folder = tmp_path_factory.mktemp("double")
    double = engine_doubles.OpinionDouble()
    with lab.standing(folder, CONFIG.replace("{opinions}", opinions(double.port))) as (node, sink):
        yield node, sink, double
    double.stop()


def test_what_they_are_sent(double):
    """The message as it came, and the envelope; what a stranger says is never a line of its own."""
    node, sink, double = double
    double.manner = "ham"
    assert send(node, lab.message(body="as it is\n.\n"), sender="")[0] == 250
    judged(sink)
    head, mail = double.asked["rspamd"]
    lines = head.decode().split("\r\n")
    for line in ("POST /checkv2 HTTP/1.0", "IP: 127.0.0.1", "Helo: client.test", "From: <>", "Rcpt: <user@example.test>"):
        assert line in lines, lines
    assert mail.startswith(b"From: Sender") and mail.endswith(b"\r\n\r\nas it is\r\n.\r\n")
    head, mail_of_spamd = double.asked["spamd"]
    top, rest = mail_of_spamd[:-len(mail)], mail_of_spamd[-len(mail):]
    assert rest == mail and top.startswith(b"Return-Path: <>\r\nReceived: from client.test (") and top.endswith(b"\r\n"), top


def test_they_are_asked_at_once(double):
    """Each answers only when the other was asked, too."""
    node, sink, double = double
    double.manner = "together"
    assert send(node, lab.message())[0] == 250
    points, _, _ = judged(sink)
    assert points["SPAMD"] == "3.5" and points["RSPAMD"] == "3.5", points


MANNERS = {"ham": "_HAM=0.0", "nothing": "_HAM=0.0", "spam": "=3.5", "forced": "=2.5", "twice": "=3.5", "refused": None, "nonsense": None,
           "empty": None, "half": None, "long": None, "header": None, "drip": None, "close": None, "never": None}


def test_all_manners(double):
    """What is no answer is none, and adds nothing; after each a good one counts again."""
    node, sink, double = double
    for manner, wanted in MANNERS.items():
        double.manner = manner
        assert send(node, lab.message())[0] == 250, manner
        points, words, _ = judged(sink)
        said = {f"{name}={value}" for name, value in points.items()}
        assert {f"SPAMD{wanted or '_NONE=0.0'}", f"RSPAMD{wanted or '_NONE=0.0'}"} <= said and bool(words) == bool(wanted), (manner, points)
        double.manner = "spam"
        assert send(node, lab.message())[0] == 250
        assert judged(sink)[0]["SPAMD"] == "3.5", manner


def test_not_where_a_virus_was_found(double):
    """They are not waited for, and it is counted."""
    node, _, double = double
    double.manner = "never"
    late = counted(node, "spamd", "late")
    code, text = send(node, lab.message(body=lab.eicar() + "\n"))
    assert code == 550 and "virus found" in text, text
    for name in ("spamd", "rspamd"):
        lab.wait_for(lambda: counted(node, name, "skipped") == 1, "it is counted")
    assert counted(node, "spamd", "late") == late


def test_only_mail_that_is_theirs_is_shown(double):
    """What goes the other way never leaves the machine."""
    node, sink, double = double
    double.manner = "spam"
    configure(node, f"opinion spamd localhost:{double.port} {{{{ direction out }}}}; opinion rspamd localhost:{double.port}")
    double.asked.clear()
    assert send(node, lab.message())[0] == 250
    points, _, _ = judged(sink)
    assert points["RSPAMD"] == "3.5" and not any(name.startswith("SPAMD") for name in points), points
    assert list(double.asked) == ["rspamd"]


def test_down(double):
    """Left alone after a while, with an alarm; mail goes without it, or waits where that is said; then it is well again."""
    node, sink, double = double
    double.manner = "close"
    configure(node, "; ".join(f"opinion {kind} localhost:{double.port} {{{{ failures 2; pause 1s; {more} }}}}"
                              for kind, more in (("spamd", ""), ("rspamd", "unavailable defer; direction both"))))
    node.text_begins()
    for _ in range(3):
        code, text = send(node, lab.message())
        assert code == 451 and "a second opinion on the message could not be had" in text, text
    said = lab.wait_for(lambda: (text := node.run("health", check=False).stdout) and "spamd, rspamd" in text and text, "health names both")
    assert "mail is deferred" in said, said
    assert node.text().count("ALARM: engine spamd ") == node.text().count("ALARM: engine rspamd ") == 1
    assert counted(node, "spamd", "failed") == 2 and counted(node, "spamd", "spared") >= 1, told(node)
    fact, = [one for one in json.loads(node.run("health", "--all", "--json", check=False).stdout)["facts"] if one["fact"] == "engines"]
    assert fact["state"] == "bad" and "spamd" in fact["says"], fact
    lab.wait_for(lambda: 'engine_up{engine="rspamd"} 0' in node.run("metrics").stdout, "metrics know it")
    double.manner = "ham"
    lab.wait_for(lambda: all(one.startswith("well") for one in told(node).values()), "both are well again without any mail")
    assert send(node, lab.message())[0] == 250
    assert judged(sink)[0]["SPAMD_HAM"] == "0.0"
    configure(node, "")
    assert send(node, lab.message())[0] == 250
    points, words, _ = judged(sink)
    assert not words and "SPAMD_NONE" not in points, points
