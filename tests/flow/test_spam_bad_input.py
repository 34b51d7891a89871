# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a message or a rule made to cost much is judged within half a second and 64 MB over the message, and what was not looked at
is told. Each is given to `sekimori judge` or `sekimori rules test`, whose memory and processor time are limited."""
import base64
import json
import os
import resource
import subprocess
import tempfile

import lab
import pytest

MEGABYTE = 1 << 20
OVER, SECONDS = 64 * MEGABYTE, 0.5
FIELDS = {"From": "Mori <mori@example.ac.jp>", "To": "taro@example.ac.jp", "Date": "Mon, 2 Nov 2026 09:00:00 +0900",
          "Message-ID": "<1@example.ac.jp>", "Subject": "note", "MIME-Version": "1.0"}


# --- what is made ---

def head(more="", **other):
    fields = {**FIELDS, **{name.replace("_", "-"): value for name, value in other.items()}}
    return ("".join(f"{name}: {value}\n" for name, value in fields.items()) + more).encode()


def html(body, charset="utf-8"):
    return head(f"Content-Type: text/html; charset={charset}\n\n") + body


def plain(body, charset="utf-8"):
    return head(f"Content-Type: text/plain; charset={charset}\n\n") + body


def encoded(body, how, kind="text/html"):
    return head(f"Content-Type: {kind}\nContent-Transfer-Encoding: {how}\n\n") + body


def nested(depth):
    return head() + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (one, one) for one in range(depth)) + b"\nx\n"


def parts(count, more=b"Content-Type: text/plain\n"):
    return head("Content-Type: multipart/mixed; boundary=b\n\n") + (b"--b\n" + more + b"\nhello\n") * count + b"--b--\n"


def base64_in_base64(times):
    mail = plain(b"x" * 200_000)
    for _ in range(times):
        mail = encoded(base64.encodebytes(mail), "base64", "message/rfc822")
    return mail


def noise(count):
    return bytes((one * 7 + (one >> 8) * 13) & 255 for one in range(count)).replace(b"\n", b"x")


def every_charset():
    """16 KB each."""
    part = "--b\nContent-Type: text/plain; charset=%s\n\n"
    return head("Content-Type: multipart/mixed; boundary=b\n\n") + b"".join((part % name).encode() + noise(1 << 14) + b"\n" for name in CHARSETS)


CHARSETS = """utf-8 us-ascii iso-2022-jp shift_jis cp932 euc-jp gb2312 gb18030 big5 euc-kr iso-2022-kr iso-2022-cn hz-gb-2312 utf-7 utf-16 utf-32
iso-8859-1 iso-8859-8-i windows-1251 koi8-r tis-620 ibm037 scsu bocu-1 imap-mailbox-name x-user-defined cesu-8 macintosh lmbcs unknown-8bit""".split()
LINE, SHORT = 20 * MEGABYTE, 6 * MEGABYTE
COSTLY = {  # name: what makes it, and which limit it reaches
    "a line of 20 MB": (lambda: plain(b"x" * LINE), "LIMIT_TEXT"),
    "of HTML": (lambda: html(b"ab cd <" * (SHORT // 7)), "LIMIT_TEXT"),
    "of ISO-2022-JP": (lambda: plain(b"\x1b$B" + b"$3$s" * (SHORT // 4), "iso-2022-jp"), "LIMIT_TEXT"),
    "of no charset": (lambda: head("\n") + b"\x83\x65\x83\x58" * (SHORT // 4), "LIMIT_TEXT"),
    "of quoted-printable": (lambda: encoded(b"=41" * (SHORT // 3), "quoted-printable"), "LIMIT_TEXT"),
    "of base64": (lambda: encoded(base64.b64encode(b"<a>" * (SHORT // 4)), "base64"), "LIMIT_TEXT"),
    "in the Subject": (lambda: head("\nx\n", Subject="x" * SHORT), "LIMIT_HEADER"),
    "20 MB of line ends": (lambda: plain(b"\n" * LINE), "LIMIT_TEXT"),
    "of CRLF": (lambda: plain(b"\r\n" * (LINE // 2)), "LIMIT_TEXT"),
    "of line ends in HTML": (lambda: html(b"\n" * LINE), "LIMIT_TEXT"),
    "of line ends in base64": (lambda: encoded(b"\n" * LINE, "base64"), None),
    "of line ends in a multipart": (lambda: head("Content-Type: multipart/mixed; boundary=b\n\n") + b"\n" * (LINE // 2), None),
    "20 MB of blanks": (lambda: plain(b" " * LINE), "LIMIT_TEXT"),
    "of tabs": (lambda: plain(b"\t" * LINE), "LIMIT_TEXT"),
    "20 MB of <": (lambda: html(b"<" * LINE), "LIMIT_TEXT"),
    "of &": (lambda: html(b"&" * LINE), "LIMIT_TEXT"),
    "of >": (lambda: plain(b">" * LINE), "LIMIT_TEXT"),
    "3,000,000 lines of >": (lambda: plain(b">\n" * (SHORT // 2)), "LIMIT_TEXT"),
    "3,000,000 lines of a blank": (lambda: plain(b" \n" * (SHORT // 2)), "LIMIT_TEXT"),
    "3,000,000 soft breaks": (lambda: encoded(b"=\n" * (SHORT // 2), "quoted-printable"), None),
    "6 MB of =": (lambda: encoded(b"=" * SHORT, "quoted-printable"), "LIMIT_TEXT"),
    "1,200,000 empty parts": (lambda: head("Content-Type: multipart/mixed; boundary=b\n\n") + b"--b\n\n" * (SHORT // 5), "LIMIT_PARTS"),
    "6 MB of NULs": (lambda: plain(b"\0" * SHORT), "LIMIT_TEXT"),
    "lines of a few bytes in a multipart of no parts": (lambda: encoded(b"\0\n}%" * (LINE // 5), "quoted-printable", "multipart/mixed; boundary=x"), "LIMIT_DECODED"),
    "in a mail in a mail, uuencoded": (lambda: encoded(b".*\n}" * (LINE // 5), "x-uuencode", "message/rfc822"), "LIMIT_DECODED"),
    "in HTML, uuencoded": (lambda: encoded(b"YQ==\xc3\xbf)\n" * (LINE // 9), "x-uuencode"), "LIMIT_DECODED"),
    "each padded base64": (lambda: encoded(b"QQ==\n" * (LINE // 6), "base64", "text/plain"), "LIMIT_DECODED"),
    "of base64 that is none": (lambda: encoded(b"=3D&\n" * (LINE // 6), "base64"), "LIMIT_DECODED"),
    "as parameters, too": (lambda: head("Content-Type: text/plain; a=" + ";\n " * (LINE // 12) + "\n\n") + b";\n" * (LINE // 4), "LIMIT_TEXT"),
    "of one character": (lambda: plain(b"a\n" * (SHORT // 2)), "LIMIT_TEXT"),
    "that are boundaries of nobody": (lambda: encoded(b"--x--\n" * (LINE // 7), "base64"), "LIMIT_DECODED"),
    "20 MB of quoted-printable in a multipart of no parts": (lambda: encoded((b"A" * 60 + b"\0\n}%") * (LINE // 65), "quoted-printable", "multipart/mixed; boundary=x"), "LIMIT_DECODED"),
    "in a mail in a mail": (lambda: encoded((b"A" * 70 + b"=\n") * (LINE // 73), "quoted-printable", "message/rfc822"), "LIMIT_DECODED"),
    "of base64 there": (lambda: encoded((b"QUFB" * 18 + b"\n") * (LINE // 74), "base64", "message/rfc822"), None),
    "100,000 tags": (lambda: html(b"<b>x</b>" * 50_000), None),
    "with a style": (lambda: html(b'<b style="color:#fff;background:#fff;font-size:0">x' * 100_000), "LIMIT_TEXT"),
    "unclosed": (lambda: html(b"<b " * 100_000), None),
    "unclosed quotes": (lambda: html(b'<b a="' * 100_000), None),
    "hidden and unclosed": (lambda: html(b"<div hidden>x" * 100_000), "LIMIT_TEXT"),
    "hidden paragraphs": (lambda: html(b"<p hidden>x" * 100_000), "LIMIT_TEXT"),
    "1,000,000 <": (lambda: html(b"<" * 1_000_000), "LIMIT_TEXT"),
    "1,000,000 </": (lambda: html(b"</" * 1_000_000), "LIMIT_TEXT"),
    "50,000 links": (lambda: html(b"".join(b'<a href="http://h%d.example/">x</a>' % one for one in range(50_000))), "LIMIT_LINKS"),
    "in a plain text": (lambda: plain(b"".join(b"http://h%d.example/x " % one for one in range(20_000))), "LIMIT_LINKS"),
    "that do not end": (lambda: html(b"<a href=http://h.example/>x" * 19_000), "LIMIT_LINKS"),
    "that are ://": (lambda: plain(b"://" * 300_000), "LIMIT_TEXT"),
    "that begin far in front": (lambda: plain(b"a" * 500_000 + b"://" * 100), None),
    "with deep hosts": (lambda: html((b'<a href="http://' + b"a." * 900 + b'example/">x</a>') * 500), "LIMIT_TEXT"),
    "with one of 1 MB": (lambda: html(b'<a href="http://' + b"a." * 500_000 + b'example/">x</a>'), "LIMIT_TEXT"),
    "a plain one of 1 MB": (lambda: plain(b"http://" + b"a." * 500_000 + b"example/"), "LIMIT_TEXT"),
    "50,000 data: URLs": (lambda: html(b'<a href="data:text/html,x">x</a>' * 50_000), "LIMIT_TEXT"),
    "a data: URL of 1 MB": (lambda: html(b'<img src="data:text/html;base64,' + base64.b64encode(b"<a href=http://x.test>" * 40_000) + b'">'), "LIMIT_TEXT"),
    "1,000,000 encoded-words": (lambda: head("\nx\n", Subject="=?utf-8?b?eA==?=\n " * 1_000_000 + "x"), "LIMIT_HEADER"),
    "100,000 encoded-words": (lambda: head("\nx\n", Subject="=?utf-8?b?eA==?=\n " * 100_000 + "x"), "LIMIT_SUBJECT"),
    "that do not end, 1,000,000": (lambda: head("\nx\n", Subject="=?" * 1_000_000), "LIMIT_SUBJECT"),
    "in From, 100,000": (lambda: head("\nx\n", From="=?utf-8?q?x?= " * 100_000 + "<a@b.test>"), None),
    "in 20,000 fields": (lambda: head("X-A: =?utf-8?q?x?= =?iso-2022-jp?b?GyRCRkNKTDRrMmgbKEI=?=\n" * 20_000 + "\nx\n"), None),
    "nested 100,000 deep": (lambda: nested(100_000), "LIMIT_DEPTH"),
    "100,000 parts": (lambda: parts(100_000), "LIMIT_PARTS"),
    "100,000 parts of HTML": (lambda: parts(100_000, b"Content-Type: text/html\n"), "LIMIT_PARTS"),
    "20,000 mails in mails": (lambda: head("Content-Type: message/rfc822\n\n") * 20_000, "LIMIT_DEPTH"),
    "base64 in base64": (lambda: base64_in_base64(10), "LIMIT_DEPTH"),
    "boundaries in boundaries": (lambda: nested(31) + b"--b1\n" * 100_000, None),
    "an entity of 1 MB": (lambda: html(b"&" + b"a" * MEGABYTE), "LIMIT_TEXT"),
    "a number of 1 MB": (lambda: html(b"&#" + b"1" * MEGABYTE), "LIMIT_TEXT"),
    "1,000,000 &": (lambda: html(b"&" * MEGABYTE), "LIMIT_TEXT"),
    "a comment of 10 MB": (lambda: html(b"<!--" + b"x" * (10 * MEGABYTE) + b"-->x"), "LIMIT_TEXT"),
    "1,000,000 comments that do not end": (lambda: html(b"<!--" * 1_000_000), "LIMIT_TEXT"),
    "100,000 comments in words": (lambda: html(b"a<!---->" * 100_000), "LIMIT_TEXT"),
    "a style sheet of 100,000 rules": (lambda: html(b"<style>" + b".a{color:red}\n" * 100_000 + b"</style>x"), "LIMIT_TEXT"),
    "100,000 style sheets that do not end": (lambda: html(b"<style>" * 100_000), "LIMIT_TEXT"),
    "100,000 scripts that nearly end": (lambda: html(b"<script></scrip" * 100_000), "LIMIT_TEXT"),
    "a style of 15,000 properties": (lambda: html((b'<p style="' + b"a:b;" * 15_000 + b'">x</p>') * 8), None),
    "1,000,000 characters of no width": (lambda: plain("\u200b".encode() * 1_000_000), "LIMIT_TEXT"),
    "of full width": (lambda: plain("Ａ".encode() * 1_000_000), "LIMIT_TEXT"),
    "100,000 fields": (lambda: head("".join(f"X-{one}: y\n" for one in range(100_000)) + "\nx\n"), "LIMIT_FIELDS"),
    "100,000 Subjects": (lambda: head("Subject: y\n" * 100_000 + "\nx\n"), "LIMIT_FIELDS"),
    "100,000 Froms": (lambda: head("From: a@b.test\n" * 100_000 + "\nx\n"), "LIMIT_FIELDS"),
    "a field of 10 MB": (lambda: head("X-A: " + "y" * (10 * MEGABYTE) + "\n\nx\n"), "LIMIT_HEADER"),
    "200,000 recipients": (lambda: head("\nx\n", To="a@b.test, " * 200_000), None),
    "200,000 parameters": (lambda: head("Content-Type: text/plain" + "; a=b" * 200_000 + "\n\nx\n"), "LIMIT_PARAMETERS"),
    "a name in 50,000 pieces": (lambda: head("Content-Type: text/plain" + "".join(f"; name*{one}*=utf-8''%41" for one in range(50_000)) + "\n\nx\n"),
                                 "LIMIT_PARAMETERS"),
    "100,000 begins": (lambda: plain(b"begin 644 a\nM\n" * 100_000), None),
    "100,000 yEnc begins": (lambda: plain(b"=ybegin line=128 size=1 name=a\n" * 100_000), None),
    "200,000 escapes": (lambda: plain(b"\x1b$B\x1b(B" * 200_000, "iso-2022-jp"), "LIMIT_TEXT"),
    "nearly GTUBE, 400,000 times": (lambda: plain(lab.gtube()[:28].encode() * 400_000), "LIMIT_TEXT"),
    "a brand in pieces": (lambda: html(b"p.a.y.p.a " * 50_000).replace(b"Mori", b"p.a.y.p.a " * 1000), None),
    "30,000 phrases": (lambda: plain(b"dear customer your account has been " * 30_000), "LIMIT_TEXT"),
    "what rules look for, 60,000 times": (lambda: plain("カードのご利用を".encode() * 60_000), "LIMIT_TEXT"),
    "what rules begin with": (lambda: plain(b"i hacked your device bitcoin wallet " * 30_000), "LIMIT_TEXT"),
    "noise in every charset": (lambda: every_charset(), None),
    "in every charset in turn, undeclared": (lambda: plain(noise(1 << 16) * 16, "unknown-8bit"), "LIMIT_TEXT"),
}


# --- limits ---

def limited(memory):
    """In the child. Sanitizers reserve terabytes of addresses: there time alone is limited."""
    def apply():
        seconds = 60 if lab.IS_SANITIZED else 2
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not lab.IS_SANITIZED:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    return apply


def run(words, given, memory):
    """Exit code, what it said, errors, and what it and its children used."""
    with tempfile.TemporaryFile() as data, tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as errors:
        data.write(given)
        data.seek(0)
        process = subprocess.Popen(words, stdin=data, stdout=told, stderr=errors, preexec_fn=limited(memory))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        errors.seek(0)
        return process.returncode, told.read(), errors.read()[-2000:], used


JUDGE = [lab.BUILD / "src/cli/sekimori", "judge", "--json", "--base", lab.ROOT / "conf/model/base.model", "--rules", lab.ROOT / "conf/rules"]


def least(words, given):
    """The address space, in steps of 4 MB, with which it comes to an end."""
    low, high = 8 * MEGABYTE, 2048 * MEGABYTE
    while high - low > 4 * MEGABYTE:
        middle = (low + high) // 2
        low, high = (low, middle) if run(words, given, middle)[0] == 0 else (middle, high)
    return high


@pytest.fixture(scope="module")
def small():
    """What a mail of one line takes."""
    return 0 if lab.IS_SANITIZED else least(JUDGE, plain(b"x\n"))


def spent(used):
    return used.ru_utime + used.ru_stime


def in_time(used):
    """Processor time: the machine may be busy."""
    assert lab.IS_SANITIZED or spent(used) < SECONDS, used


@pytest.mark.parametrize("name", COSTLY)
def test_a_message(small, name):
    """It is twice in memory while its line ends become CRLF."""
    make, limit = COSTLY[name]
    mail = make()
    size = len(mail) + mail.count(b"\n")
    code, told, errors, used = run(JUDGE, mail, small + 2 * size + OVER)
    assert code in (0, 1, 2, 3) and not errors, (code, errors)
    said = {one["name"]: one["points"] for one in json.loads(told)["signals"]}
    assert limit is None or said.get(limit) == 0, said
    for _ in range(2):  # what runs on the same core makes it dearer, and nothing makes it cheaper
        if spent(used) >= SECONDS:
            used = min(used, run(JUDGE, mail, small + 2 * size + OVER)[3], key=spent)
    in_time(used)


# --- rules ---

TEXT = b"frobnicate " + b"a" * 5000 + b" " + b"ab" * 5000 + b" " + b"x" * 20_000 + b"\n"
PATTERNS = {  # those in small letters are ended; the others come to an end, since a pattern sees 400 bytes
    "nested quantifiers": "frobnicate (a+)+b",
    "nested stars": "frobnicate ((a*)*)*b",
    "alternatives that overlap": "frobnicate (a|a|aa)+b",
    "a bomb of alternatives": "frobnicate " + "(a|aa|aaa)" * 40 + "b",
    "counted repeats in each other": "frobnicate ((a{1,30}){1,30}){1,30}b",
    "a backreference": r"frobnicate (a+)(a+)(a+)\1\2\3b",
    "Look-ahead in a repeat": "frobnicate (?:(?=(a+))a)*b",
    "a recursion": "frobnicate (a(?1)?a)b",
    "Everything, lazily": "frobnicate .*?.*?.*?.*?.*?.*?=",
    "Repeats of repeats": "frobnicate (a{1000}){1000}",
    "Fifty optional ones": "frobnicate " + "a?" * 50 + "a" * 50 + "b",
}


def rules_file(folder, pattern):
    file = folder / "own.rules"
    file.write_text(f'rule OWN_ASTRAY {{\n    points 1\n    body /{pattern}/\n    describe "astray"\n}}\n')
    return file


def asked(folder, mail, memory=1 << 30):
    return run([lab.BUILD / "src/cli/sekimori", "rules", "test", "-", "--rules", folder, "--language", "en"], mail, memory)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory):
    """What a rule takes that costs nothing."""
    folder = tmp_path_factory.mktemp("harmless")
    rules_file(folder, "frobnicate")
    words = [lab.BUILD / "src/cli/sekimori", "rules", "test", "-", "--rules", folder, "--language", "en"]
    return 0 if lab.IS_SANITIZED else least(words, plain(TEXT))


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern(harmless, tmp_path, name):
    """It is ended, and that is told; or it is refused with its place."""
    file = rules_file(tmp_path, PATTERNS[name])
    code, told, errors, used = asked(tmp_path, plain(TEXT), harmless + OVER)
    in_time(used)
    if code == 78:
        assert f"{file}:3:".encode() in told + errors, (told, errors)
        return
    assert code == 0 and not errors and (b"RULES_LIMIT" in told) == name[0].islower(), (code, told, errors)


@pytest.mark.parametrize("pattern", ["frobnicate(", "frobnicate{99999}", "frobnicate" + "(" * 1000 + "a" + ")" * 1000,
                                     "frobnicate[a", r"frobnicate\g{9}", "frobnicate(?R", "(?C1)frobnicate", "frob" * 20_000, "a|b"],
                         ids=["open", "too often", "too deep", "a class", "no such group", "recursion", "callout", "too long", "no literal"])
def test_a_rule_that_is_refused(tmp_path, pattern):
    file = rules_file(tmp_path, pattern)
    code, told, errors, _ = asked(tmp_path, plain(TEXT))
    assert code == 78 and f"{file}:3:".encode() in told + errors, (code, told, errors)


def test_a_thousand_patterns(harmless, tmp_path):
    """All patterns over one message have a limit together."""
    rules = "".join(f'rule OWN_{one} {{ points 1; body /frobnicate (a+)+b{{{one + 1}}}/; describe "x" }}\n' for one in range(1000))
    (tmp_path / "own.rules").write_text(rules)
    code, told, errors, used = asked(tmp_path, plain(TEXT), harmless + OVER)
    assert code == 0 and not errors and b"RULES_LIMIT" in told, (code, told, errors)
    in_time(used)
