# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Mails that carry a file: each ordinary wrapping, and one or more for each thing that src/mail/finding.c has a name for and behind
which a file can hide. A maker takes the file's bytes and gives a whole mail with CRLF lines."""
import base64
import binascii
import io
import zipfile
import zlib

TOP = b"From: a@outside.example\r\nTo: user@example.test\r\nSubject: a file\r\nMessage-ID: <1@outside.example>\r\n"
MIME = TOP + b"MIME-Version: 1.0\r\n"
KIND = b"Content-Type: application/octet-stream; name=x.bin\r\n"
BASE64 = b"Content-Transfer-Encoding: base64\r\n"
QUOTED = b"Content-Transfer-Encoding: quoted-printable\r\n"
TEXT = b"--b\r\nContent-Type: text/plain\r\n\r\nsee the file\r\n"


def lines(data, size=57):
    return b"".join(base64.b64encode(data[at:at + size]) + b"\r\n" for at in range(0, len(data), size)) or b"\r\n"


def quoted(data):
    """Every byte escaped, so that no newline in the file becomes one of the mail."""
    escaped = [b"=%02X" % byte for byte in data]
    return b"=\r\n".join(b"".join(escaped[at:at + 24]) for at in range(0, len(escaped), 24)) + b"\r\n"


def uuencoded(data, end=b"`\r\nend\r\n"):
    rows = (binascii.b2a_uu(data[at:at + 45], backtick=True).rstrip(b"\n") for at in range(0, len(data), 45))
    return b"begin 644 x.bin\r\n" + b"".join(row + b"\r\n" for row in rows) + end


def yencoded(data):
    out, column = bytearray(b"=ybegin line=128 size=%d name=x.bin\r\n" % len(data)), 0
    for byte in data:
        coded = (byte + 42) & 255
        piece = bytes((ord("="), (coded + 64) & 255)) if coded in (0, 10, 13, 61) or (coded == 46 and column == 0) else bytes((coded,))
        out += piece
        column += len(piece)
        if column >= 128:
            out += b"\r\n"
            column = 0
    return bytes(out + b"\r\n=yend size=%d crc32=%08x\r\n" % (len(data), zlib.crc32(data)))


def binhexed(data):
    """RFC 1741, without runs."""
    def crc(value):
        return value + binascii.crc_hqx(value, 0).to_bytes(2, "big")
    head = b"\x05x.bin\0????????\0\0" + len(data).to_bytes(4, "big") + bytes(4)
    plain = (crc(head) + crc(data) + crc(b"")).replace(b"\x90", b"\x90\0")
    alphabet = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    plain += bytes(-len(plain) % 3)
    digits = bytearray()
    for at in range(0, len(plain), 3):
        word = int.from_bytes(plain[at:at + 3], "big")
        digits += bytes(alphabet[word >> shift & 63] for shift in (18, 12, 6, 0))
    text = b":" + bytes(digits) + b":"
    return b"(This file must be converted with BinHex 4.0)\r\n\r\n" + b"".join(text[at:at + 64] + b"\r\n" for at in range(0, len(text), 64))


def file_part(data, head=b"", kind=KIND):
    return kind + head + BASE64 + b"\r\n" + lines(data)


def mixed(data, kind=b'multipart/mixed; boundary="b"', head=b"", part=None, end=b"--b--\r\n", before=b"", after=b"", top=MIME):
    """A text and the file; what is given is put in the place of what is right."""
    part = file_part(data) if part is None else part
    return top + head + b"Content-Type: " + kind + b"\r\n\r\n" + before + TEXT + b"--b\r\n" + part + end + after


def single(data, head=b"", kind=KIND, top=MIME):
    return top + kind + head + BASE64 + b"\r\n" + lines(data)


def text_mail(body, head=b""):
    return MIME + b"Content-Type: text/plain\r\n" + head + b"\r\nsee the file\r\n\r\n" + body


def zipped(data, name="x.bin", method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def attached(mail, kind, encode):
    body = lines(mail) if encode else mail
    return mixed(b"", part=b"Content-Type: " + kind + b"\r\n" + (BASE64 if encode else b"") + b"\r\n" + body + b"\r\n")


def decoy(data, kind, head=b""):
    """A file between lines `--two` inside of a part between lines `--b`."""
    inner = b"--two\r\n" + file_part(data) + b"--two--\r\n"
    return MIME + head + b"Content-Type: " + kind + b"\r\n\r\n" + TEXT + b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n" + inner + b"--b--\r\n"


WRAPPINGS = {
    "base64": mixed,
    "base64 as the whole mail": single,
    "quoted-printable": lambda data: mixed(data, part=KIND + QUOTED + b"\r\n" + quoted(data)),
    "uuencode": lambda data: text_mail(uuencoded(data)),
    "mail in mail": lambda data: attached(mixed(data).replace(b"--b", b"--c").replace(b'"b"', b'"c"'), b"message/rfc822", False),
    "eml as a file": lambda data: attached(mixed(data), b"application/octet-stream; name=x.eml", True),
    "zip in zip": lambda data: mixed(zipped(zipped(data), "x.zip")),
}


def middle(data, junk, size=57):
    """base64 with `junk` in its middle."""
    text = lines(data, size)
    at = len(text) // 2
    return text[:at] + junk + text[at:]


def cut(text, size):
    return b"".join(text[at:at + size] + b"\r\n" for at in range(0, len(text), size))


def unpadded(data):
    return lines(data).rstrip(b"=\r\n") + b"\r\n"


def deep(data, count):
    for number in range(count):
        body = file_part(data) if number == 0 else data
        data = b"Content-Type: multipart/mixed; boundary=d%d\r\n\r\n--d%d\r\n" % (number, number) + body + b"--d%d--\r\n" % number
    return MIME + data


# By the name of the finding; several ways to one have a word behind it.
TRICKS = {
    "header-no-colon": lambda data: mixed(data, part=KIND + b"this is no field\r\n" + BASE64 + b"\r\n" + lines(data)),
    "header-mbox-line": lambda data: mixed(data, part=KIND + b"From a@b.test Wed Nov 25 01:00:00 2026\r\n" + BASE64 + b"\r\n" + lines(data)),
    "header-nul": lambda data: mixed(data, part=KIND + b"X-Y: a\0b\r\n" + BASE64 + b"\r\n" + lines(data)),
    "header-8bit": lambda data: mixed(data, head=b"X-\xe9: \xe9\r\n"),
    "header-empty-name": lambda data: mixed(data, part=KIND + b": x\r\n" + BASE64 + b"\r\n" + lines(data)),
    "header-odd-name": lambda data: mixed(data, part=KIND + b"X\x01Y: x\r\n" + BASE64 + b"\r\n" + lines(data)),
    "content-odd-name": lambda data: mixed(data, part=KIND + b"\x01" + BASE64 + b"\r\n" + lines(data)),
    "content-odd-name 8bit": lambda data: mixed(data, part=KIND + b"\xa0" + BASE64 + b"\r\n" + lines(data)),
    "header-space-before-colon": lambda data: mixed(data, head=b"X-Y : z\r\n"),
    "content-space-before-colon": lambda data: mixed(data, part=KIND + b"Content-Transfer-Encoding : base64\r\n\r\n" + lines(data)),
    "header-starts-folded": lambda data: mixed(data, part=b" folded\r\n" + file_part(data)),
    "header-blank-fold": lambda data: mixed(data, part=KIND + b" \r\n" + BASE64 + b"\r\n" + lines(data)),
    "header-no-separator": lambda data: mixed(data, part=KIND + BASE64 + lines(data)),
    "header-bare-cr": lambda data: mixed(data, part=b"X-Y: z\r" + KIND + BASE64 + b"\r\n" + lines(data)),
    "mixed-line-ends": lambda data: mixed(data, part=KIND.replace(b"\r\n", b"\n") + BASE64 + b"\r\n" + lines(data)),
    "header-too-long": lambda data: mixed(data, head=(b"X-Y: " + b"z" * 900 + b"\r\n") * 1200),
    "too-many-fields": lambda data: mixed(data, head=b"X-Y: z\r\n" * 12000),
    "duplicate-field": lambda data: mixed(data, head=b"Subject: once more\r\n"),
    "duplicate-content-type": lambda data: mixed(data, head=b"Content-Type: text/plain\r\n"),
    "duplicate-content-type last": lambda data: mixed(data, b'multipart/mixed; boundary="b"\r\nContent-Type: text/plain'),
    "duplicate-transfer-encoding": lambda data: mixed(data, part=file_part(data, b"Content-Transfer-Encoding: 7bit\r\n")),
    "duplicate-transfer-encoding last": lambda data: mixed(data, part=KIND + BASE64 + b"Content-Transfer-Encoding: 7bit\r\n\r\n" + lines(data)),
    "duplicate-disposition": lambda data: mixed(data, part=file_part(data, b"Content-Disposition: inline\r\nContent-Disposition: attachment\r\n")),
    "no-mime-version": lambda data: mixed(data, top=TOP),
    "content-type-syntax": lambda data: mixed(data, b'multipart mixed; boundary="b"'),
    "content-type-syntax empty": lambda data: mixed(data, b'; boundary="b"'),
    "stray-boundary of a text": lambda data: decoy(data, b"text/plain; boundary=two"),
    "parameter-syntax": lambda data: mixed(data, b"multipart/mixed; ;; boundary = b ; x"),
    "parameter-unclosed-quote": lambda data: mixed(data, b'multipart/mixed; boundary="b'),
    "parameter-unquoted": lambda data: mixed(data, b"multipart/mixed; boundary=b; x=a/b"),
    "stray-boundary comment": lambda data: decoy(data, b"multipart/mixed; boundary=b (boundary=two)"),
    "parameter-8bit": lambda data: mixed(data, b"multipart/mixed; x=\xe9; boundary=b"),
    "parameter-encoded-word": lambda data: mixed(data, b"multipart/mixed; boundary==?us-ascii?q?b?="),
    "parameter-bad-percent": lambda data: mixed(data, b"multipart/mixed; boundary*=us-ascii''%62; x*=us-ascii''%zz"),
    "parameter-section-gap": lambda data: mixed(data, b"multipart/mixed; boundary*0=b; boundary*2=x"),
    "parameter-mixed": lambda data: decoy(data, b"multipart/mixed; boundary=b; boundary*=us-ascii''two"),
    "duplicate-parameter": lambda data: mixed(data, b"multipart/mixed; x=y; x=z; boundary=b"),
    "too-many-parameters": lambda data: mixed(data, b"multipart/mixed;" + b" x=y;" * 400 + b" boundary=b"),
    "duplicate-boundary": lambda data: decoy(data, b"multipart/mixed; boundary=b; boundary=two"),
    "duplicate-boundary first": lambda data: decoy(data, b"multipart/mixed; boundary=two; boundary=b"),
    "no-boundary": lambda data: mixed(data, b"multipart/mixed"),
    "encoded-boundary": lambda data: mixed(data, b"multipart/mixed; boundary*=us-ascii''%62"),
    "odd-boundary": lambda data: mixed(data, b'multipart/mixed; boundary="%s"' % (b"b" * 90)).replace(b"\r\n--b", b"\r\n--" + b"b" * 90),
    "boundary-unused quotes": lambda data: decoy(data, b"multipart/mixed; boundary='two'"),
    "ambiguous-boundary": lambda data: mixed(data, part=b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + file_part(data) + b"--b--\r\n"),
    "boundary-prefix": lambda data: mixed(b"text", after=b"--bb\r\n" + file_part(data) + b"--bb--\r\n", end=b""),
    "boundary-unused": lambda data: decoy(data, b"multipart/mixed; boundary=nowhere"),
    "no-closing-boundary": lambda data: mixed(data, part=b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" + file_part(data)),
    "truncated-multipart": lambda data: mixed(data, end=b""),
    "delimiter-after-close": lambda data: mixed(b"text", after=b"--b\r\n" + file_part(data) + b"--b--\r\n"),
    "preamble": lambda data: mixed(b"text", before=uuencoded(data)),
    "epilogue": lambda data: mixed(b"text", after=uuencoded(data)),
    "bytes-between-parts": lambda data: mixed(b"text", after=file_part(data)),
    "bytes-between-parts before": lambda data: mixed(b"text", before=file_part(data)),
    "stray-boundary": lambda data: decoy(data, b"multipart/mixed; boundary=b"),
    "stray-boundary field": lambda data: decoy(data, b"multipart/mixed; boundary=b", b"Content-Disposition: inline; boundary=two\r\n"),
    "unknown-transfer-encoding": lambda data: mixed(data, part=KIND + b"Content-Transfer-Encoding: base65\r\n\r\n" + lines(data)),
    "unknown-transfer-encoding uu": lambda data: mixed(data, part=KIND + b"Content-Transfer-Encoding: uu\r\n\r\n" + uuencoded(data)),
    "quoted-transfer-encoding": lambda data: mixed(data, part=KIND + b'Content-Transfer-Encoding: "base64"\r\n\r\n' + lines(data)),
    "transfer-encoding-syntax": lambda data: mixed(data, part=KIND + b"Content-Transfer-Encoding: base64; x=y\r\n\r\n" + lines(data)),
    "transfer-encoding-syntax comment": lambda data: mixed(data, part=KIND + b"Content-Transfer-Encoding: 7bit (x) base64\r\n\r\n" + lines(data)),
    "encoded-container": lambda data: MIME + b"Content-Type: multipart/mixed; boundary=b\r\n" + BASE64 + b"\r\n" + lines(mixed(data).split(b"\r\n\r\n", 1)[1]),
    "encoded-container mail": lambda data: attached(mixed(data), b"message/rfc822", True),
    "base64-junk": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n" + middle(data, b"!!\x01-*")),
    "base64-inner-padding": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n" + lines(data, 40)),
    "base64-missing-padding": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n" + unpadded(data)),
    "base64-long-line": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n" + lines(data, 600)),
    "base64-uneven-line": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n" + cut(base64.b64encode(data), 61)),
    "base64-lone-digit": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n" + lines(data) + b"A\r\n"),
    "quoted-bad-escape": lambda data: mixed(data, part=KIND + QUOTED + b"\r\n" + quoted(data) + b"=ZZ\r\n"),
    "quoted-8bit": lambda data: mixed(data, part=KIND + QUOTED + b"\r\n" + quoted(data) + b"\xe9\r\n"),
    "quoted-long-line": lambda data: mixed(data, part=KIND + QUOTED + b"\r\n" + quoted(data).replace(b"=\r\n", b"", 3)),
    "line ends": lambda data: mixed(data, part=KIND + QUOTED + b"\r\n" + b"".join(
        b"\r\n" if byte == 10 else b"=%02X= \r\n" % byte for byte in data) + b"\r\n"),
    "uuencode-in-text": lambda data: mixed(data, part=b"Content-Type: text/plain\r\n\r\n" + uuencoded(data)),
    "blocks in decoded text": lambda data: mixed(data, part=b"Content-Type: text/plain\r\n" + BASE64 + b"\r\n" + lines(uuencoded(data))),
    "uuencode-bad-line": lambda data: text_mail(uuencoded(data).replace(b"\r\n", b"\r\njunk!\r\n", 2)),
    "uuencode-no-end": lambda data: text_mail(uuencoded(data, b"")),
    "yenc-in-text": lambda data: text_mail(yencoded(data), b"Content-Transfer-Encoding: 8bit\r\n"),
    "binhex-in-text": lambda data: text_mail(binhexed(data) + b"\r\nRegards, =\xe9=\r\n"),
    "binhex in decoded text": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n" + lines(b"Hello,\n" + binhexed(data) + b"\n=\n")),
    "body-nul": lambda data: mixed(data, part=KIND + BASE64 + b"\r\n\0" + lines(data)),
    "message-partial": lambda data: MIME + b"Content-Type: message/partial; id=a; number=1; total=2\r\n\r\n" + single(data),
    "signed": lambda data: mixed(data, b'multipart/signed; protocol="application/pgp-signature"; boundary=b'),
    "nested-too-deep": lambda data: deep(data, 150),
    "too-many-parts": lambda data: mixed(data, before=TEXT * 12000),
    "word-syntax": lambda data: mixed(data, part=file_part(data, kind=b"Content-Type: application/octet-stream; name=\"=?utf-8?q?x y?=\"\r\n")),
    "charset unknown": lambda data: text_mail(uuencoded(data)).replace(b"text/plain", b"text/plain; charset=x-none"),
    "charset wrong": lambda data: text_mail(b"\xff\xfe\xfd\r\n" + uuencoded(data)).replace(b"text/plain", b"text/plain; charset=utf-8"),
}


def all_makers():
    return WRAPPINGS | TRICKS
