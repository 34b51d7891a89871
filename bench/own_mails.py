#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Writes the mails of our own texts (conf/model/own-phishing-ja.txt, bench/own/*.txt), the same bytes each time.
usage: bench/own_mails.py FILE FOLDER
A text is a Subject and a line; above them a line with "#=" says how the mail is written, words and values with ";" between:
  from NAME <ADDRESS>        the From field; needed
  form text|html|both        text/plain, text/html, multipart/alternative (text)
  charset NAME               utf-8, iso-2022-jp, shift_jis (utf-8)
  encoding NAME              7bit, 8bit, base64, quoted-printable (7bit for iso-2022-jp, else base64)
  link URL                   the one link, at the end
  shown WORDS                what of the link is seen in HTML, above it in text (the URL)
  trick NAME                 zero-width: characters without width between the others; full-width: ASCII as wide forms;
                             hidden, white: words that are not seen, by size 0 or in white, in HTML
  list yes                   the fields of a list, and a link that leaves it
{user} in a text is the recipient's address."""
import base64
import email.header
import pathlib
import quopri
import re
import sys

TO = "yamada@univ-kitayama.test"
CODECS = {"utf-8": "utf-8", "iso-2022-jp": "iso2022_jp", "shift_jis": "shift_jis"}
UNSEEN = "先日の勉強会の写真を整理しています。庭の柿がよく実りました。来週の天気は晴れるでしょうか。"


def own_texts(path):
    """(how, Subject, text) of each."""
    for block in pathlib.Path(path).read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("#=") or line and not line.startswith("#")]
        if lines:
            how, subject, *rest = lines
            pairs = [pair.strip().partition(" ") for pair in how.removeprefix("#=").split(";")]
            yield {name: value for name, _, value in pairs}, subject, "".join(rest)


def tricked(trick, text):
    if trick == "zero-width":
        return re.sub(r"(?<=[一-龯ァ-ヶ])(?=[一-龯ァ-ヶ])", "\u200b", text)
    if trick == "full-width":
        return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
    return text


def sentences(text):
    return re.findall(r"[^。！？]*[。！？」]+|[^。！？]+$", text)


def plain(how, text):
    lines = sentences(text)
    if "link" in how:
        lines += ["", "▼" + how["shown"], how["link"]] if "shown" in how else ["", how["link"]]
    return "\n".join([*lines, "", how["from"].split(" <")[0], ""])


def marked_up(how, text):
    unseen = {"hidden": f'<span style="font-size:0">{UNSEEN}</span>', "white": f'<span style="color:#ffffff;background:#ffffff">{UNSEEN}</span>'}
    body = (unseen.get(how.get("trick"), "") + "\n").join(f"<p>{sentence}</p>" for sentence in sentences(text))
    if "link" in how:
        body += f'\n<p><a href="{how["link"]}" style="background:#1a5fb4;color:#ffffff;padding:8px 20px">{how.get("shown", how["link"])}</a></p>'
    body += f'\n<hr><p style="font-size:12px">{how["from"].split(" <")[0]}</p>'
    if "list" in how:
        body += f'\n<p style="font-size:12px"><a href="{how["link"]}unsubscribe">配信停止</a></p>'
    return f"<html><body>\n{body}\n</body></html>\n"


def part(how, kind, text):
    charset = how.get("charset", "utf-8")
    encoding = how.get("encoding", "7bit" if charset == "iso-2022-jp" else "base64")
    raw = text.encode(CODECS[charset])
    raw = base64.encodebytes(raw) if encoding == "base64" else quopri.encodestring(raw) if encoding == "quoted-printable" else raw
    return f"Content-Type: text/{kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + raw


def content(how, text):
    plain_part, html_part = part(how, "plain", plain(how, text)), part(how, "html", marked_up(how, text))
    if how.get("form") != "both":
        return html_part if how.get("form") == "html" else plain_part
    parts = b"".join(b"--=_own\n" + each + b"\n" for each in (plain_part, html_part))
    return b'Content-Type: multipart/alternative; boundary="=_own"\n\n' + parts + b"--=_own--\n"


def own_mail(how, subject, text, number):
    charset = how.get("charset", "utf-8")
    name, address = re.fullmatch(r"(.*) <(.*)>", how["from"]).groups()

    def words(value):
        return email.header.Header(value, CODECS[charset], maxlinelen=70).encode()
    fields = [f"From: {words(name)} <{address}>", f"To: <{TO}>", f"Subject: {words(subject.replace('{user}', TO))}",
              f"Date: Wed, 18 Nov 2026 {8 + number % 12:02}:{number % 60:02}:00 +0900", f"Message-ID: <{number}.20261118@{address.split('@')[1]}>", "MIME-Version: 1.0"]
    if "list" in how:
        host = how["link"].split("/")[2]
        fields += [f"List-Id: <news.{host}>", f"List-Unsubscribe: <https://{host}/unsubscribe/{number}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    return "\n".join(fields).encode() + b"\n" + content(how, tricked(how.get("trick"), text.replace("{user}", TO)))


def own_mails(path):
    return [own_mail(*each, number) for number, each in enumerate(own_texts(path), 1)]


def own_write(path, folder):
    """The mails as files by number, as many digits each; returns their paths."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, mail in enumerate(own_mails(path), 1):
        paths.append(folder / f"{number:03}.eml")
        paths[-1].write_bytes(mail)
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(f"{len(own_write(*sys.argv[1:]))} mails")
