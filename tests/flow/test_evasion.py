# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a file that some mail program can get out of a message is seen before it is delivered, however the message hides it from
others: each mail of the suite $SEKIMORI_SUITES/evasion ends as its index says, and so do a few of our own, which always run."""
import base64
import binascii
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import lab
import matrix_run

sys.path.insert(0, str(lab.ROOT / "tests/fuzz"))
import broken_mails  # noqa: E402
import other_parsers  # noqa: E402

CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\nlimits {{ message 64M }}\nvirus {{ encrypted quarantine }}\n"
SUITE = pathlib.Path(os.environ.get("SEKIMORI_SUITES", "/nonexistent")) / "evasion"


def packed():
    """EICAR in a zip whose time has an LF byte and no CR before it: right where mail is stored with LF, else out of step."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("note.com", (2024, 1, 1, 0, 0, 20)), EICAR)
    return out.getvalue()


EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
ZIP = packed()
FILE = b"Content-Type: application/octet-stream; name=x.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(ZIP).replace(b"\n", b"\r\n")
TOP = b"From: a@outside.example\r\nTo: user@example.test\r\nMIME-Version: 1.0\r\n"


def mixed(kind, body, more=b""):
    return TOP + b"Content-Type: " + kind + b"\r\n" + more + b"\r\n" + body


def decoy(word, real):
    return b"--" + word + b"\r\n\r\nhello\r\n--" + real + b"\r\n" + FILE + b"--" + real + b"--\r\n\r\n--" + word + b"--\r\n"


def uuencoded():
    return b"begin 644 x.zip\n" + b"".join(binascii.b2a_uu(ZIP[at:at + 45]) for at in range(0, len(ZIP), 45)) + b"`\nend\n"


def quoted(blank):
    return b"".join(b"\r\n" if byte == 10 else b"=%02X=%s\r\n" % (byte, blank) for byte in ZIP)


def encoded(kind, inner):
    return mixed(kind, base64.encodebytes(inner).replace(b"\n", b"\r\n"), b"Content-Transfer-Encoding: base64\r\n")


PADDED = b"".join(base64.b64encode(ZIP[at:at + 40]) + b"\r\n" for at in range(0, len(ZIP), 40))
INNER = mixed(b"multipart/mixed; boundary=one", decoy(b"one", b"two"), b"Content-Disposition: inline; boundary=two\r\n")
OURS = {
    "LF in quoted-printable": mixed(b"application/zip", quoted(b" "), b"Content-Transfer-Encoding: quoted-printable\r\n"),
    "boundary in a comment": mixed(b"multipart/mixed; boundary=one (boundary=two)", decoy(b"one", b"two")),
    "boundary in single quotes": mixed(b"multipart/mixed; boundary='one'", decoy(b"'one'", b"one")),
    "boundary in another field": INNER,
    "boundary of a text": mixed(b"text/plain; boundary=two", decoy(b"one", b"two")),
    "mail as a file": encoded(b"application/octet-stream; name=x.eml", INNER),
    "mail in a mail as files": encoded(b"application/octet-stream", encoded(b"application/octet-stream", INNER)),
    "base64 by line": mixed(b"application/zip", PADDED, b"Content-Transfer-Encoding: base64\r\n"),
    "a control before a name": mixed(b"application/zip", FILE.split(b"\r\n\r\n", 1)[1], b"\x01Content-Transfer-Encoding: base64\r\n"),
    "uuencode in base64": encoded(b"text/plain", b"see the file\n\n" + uuencoded()),
}


def ends_rightly(answer, got):
    """`got`: found, held, refused or delivered. What is refused before it is judged, for a NUL, say, harms nobody."""
    return got == "refused" or bool({"any", got} & set(re.findall(r"found|held|refused|delivered|any", answer)))


def ends(nodes, sinks, tmp_path, mails):
    """Name to what became of it."""
    node = nodes(CONFIG, start=False, inside=sinks().port)
    signatures = node.signatures_at(tmp_path / "signatures")
    if SUITE.is_dir():
        shutil.copy(SUITE / "probe.ndb", signatures)
    node.start()
    return matrix_run.ends(node, [(name, lambda mail=mail: mail) for name, mail in mails.items()], send=lab.Client.send)


def test_our_own_samples_are_found_by_name(nodes, sinks, tmp_path):
    got = ends(nodes, sinks, tmp_path, OURS | {"nothing": lab.message()})
    assert got.pop("nothing") == "delivered"
    assert {name: end for name, end in got.items() if end != "found"} == {}


def test_each_mail_of_the_suite_ends_as_its_index_says(nodes, sinks, tmp_path):
    rows = [line.split("\t") for line in (SUITE / "index.tsv").read_text().splitlines()[1:]] if SUITE.is_dir() else []
    mails = {name: (SUITE / name).read_bytes() for name, _, _ in rows}
    got = ends(nodes, sinks, tmp_path, mails) if mails else {}
    wrong = {name: (got[name], answer) for name, _, answer in rows if not ends_rightly(answer, got[name])}
    assert wrong == {}


def differential(*words):
    """tests/fuzz/differential; it asks `our-readings` of this build."""
    program = lab.TESTS / "tests/fuzz/readers/our-readings"
    done = subprocess.run([sys.executable, lab.ROOT / "tests/fuzz/differential", program, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


def test_what_other_parsers_read_is_among_our_readings():
    """2,000 mails of one seed; tests/fuzz/run takes 20,000 of a fresh one."""
    print(differential("2000", "4"))


def as_smtp_takes_it(mail):
    """NUL and bare line ends are refused anyway: they would only use up the connection."""
    return b"\0" not in mail and re.sub(rb"\r\n", b"", mail).strip(b"\r\n") == re.sub(rb"[\r\n]", b"", mail)


def test_broken_mails_of_a_file_that_is_known_are_never_delivered(nodes, sinks, tmp_path):
    """200 of those that another parser reads, made around EICAR, through the node; one with nothing in it shows that mail goes through."""
    made = ((number, broken_mails.make("node", number, EICAR)) for number in range(2000))
    good = [(number, mail) for number, mail in made if as_smtp_takes_it(mail[1])][:600]
    readers = {name: other_parsers.Reader(words) for name, words in other_parsers.OTHERS.items()}
    other_parsers.ask_each(readers.values(), [mail for _, mail in good])
    read = [at for at in range(len(good)) if any(reader.answers[at] == "2" for reader in readers.values())][:200]
    for reader in readers.values():
        reader.close()
    assert len(read) == 200
    got = ends(nodes, sinks, tmp_path, {f"mail {good[at][0]}": good[at][1][1] for at in read} | {"nothing": lab.message()})
    assert got.pop("nothing") == "delivered"
    print({end: list(got.values()).count(end) for end in set(got.values())})
    assert [name for name, end in got.items() if end == "delivered"] == []
