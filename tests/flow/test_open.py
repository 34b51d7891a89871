"""Goal: what is in a container is seen, whatever the container says of itself, or the message is told apart as one nobody looked into;
bombs and damage end within their limits; a reader that dies or hangs costs its own message, and nothing gets out of its jail."""
import base64
import bz2
import concurrent.futures
import contextlib
import gzip
import io
import json
import lzma
import os
import re
import signal
import struct
import subprocess
import tarfile
import time
import zipfile
import zlib

import pytest

import drawn
import lab
from made_files import pdf, rar4, rar5

DRIVE = lab.TESTS / "tests/unit/open/unpack-drive"
MARK = b"This is EICAR, or so it says." * 3


def driven(tmp_path, data, *before, limits=()):
    (tmp_path / "file").write_bytes(data)
    command = [DRIVE, *map(str, before), tmp_path / "file", *map(str, limits)]
    return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode("latin-1").splitlines()


def opened(tmp_path, data, *limits):
    """What comes out of it, a line each, and how long that took."""
    begun = time.monotonic()
    return driven(tmp_path, data, limits=limits), time.monotonic() - begun


def zipped(members, method=zipfile.ZIP_DEFLATED, **how):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, **how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def tarred(name, data, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def old_tar(name, data):
    block = bytearray(tarred(name, data, tarfile.USTAR_FORMAT))
    block[257:265], block[148:156] = bytes(8), b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


def lzo_stored(data):
    header = struct.pack(">HHHBBIIIIB", 0x1030, 0x2080, 0x0940, 1, 5, 0x03000001, 0, 0, 0, 1) + b"f"
    return (b"\x89LZO\0\r\n\x1a\n" + header + struct.pack(">I", zlib.adler32(header)) +
            struct.pack(">III", len(data), len(data), zlib.adler32(data)) + data + bytes(4))


def ar_of(data):
    return b"!<arch>\n" + b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"file.com/", 0, 0, 0, 0o644, len(data)) + data


def der(tag, content):
    length = bytes([len(content)]) if len(content) < 128 else b"\x82" + struct.pack(">H", len(content))
    return bytes([tag]) + length + content


def cms_compressed(data):
    inner = der(0x30, der(6, bytes.fromhex("2a864886f70d010701")) + der(0xa0, der(4, zlib.compress(data))))
    return der(0x30, der(6, bytes.fromhex("2a864886f70d0109100109")) + der(0xa0, der(0x30, der(2, b"\0") + der(0x30, der(6, b"\1")) + inner)))


def zstd_stored(data):
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + (len(data) << 3 | 1).to_bytes(3, "little") + data


def zstd_long(data):
    """Stored, with a size of four bytes."""
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)) + (len(data) << 3 | 1).to_bytes(3, "little") + data


def lz4_stored(data):
    return b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", len(data) | 1 << 31) + data + bytes(4)


def encrypted_flag(data, at):
    return data[:at] + bytes([data[at] | 1]) + data[at + 1:]


def method_of(data, number):
    at = central_of(data) + 10
    return data[:8] + bytes([number]) + data[9:at] + bytes([number]) + data[at + 1:]


def central_of(archive):
    return archive.index(b"PK\1\2")


def xz_dictionary(data, property_byte):
    """With another dictionary in the header of the first block."""
    header = data[12:16] + bytes([property_byte]) + bytes(3)
    return data[:12] + header + struct.pack("<I", zlib.crc32(header)) + data[24:]


def patched(data, at, new):
    return data[:at] + new + data[at + len(new):]


def seed(name):
    return (lab.ROOT / "tests/fuzz/seeds/unpack" / name).read_bytes()


def cut_inside(data):
    """A zip's only entry ends before its stream does, as both its headers say; then comes the directory."""
    end = central_of(data)
    size = struct.pack("<I", struct.unpack_from("<I", data, 18)[0] - 30)
    return patched(data[:end - 30], 18, size) + patched(data[end:], 20, size)


NOISE = zlib.compress(bytes(range(256)) * 2)[2:] * 9  # no sense as what rar packs
PLAIN = zipped([("a.com", MARK)])
STORED = zipped([("a.com", MARK)], zipfile.ZIP_STORED)
DECOY = zipped([("b.txt", b"nothing")])
FOUND = {
    "zip": PLAIN, "zip bzip2": zipped([("a", MARK)], zipfile.ZIP_BZIP2), "zip lzma": zipped([("a", MARK)], zipfile.ZIP_LZMA),
    "zip without a directory": PLAIN[:central_of(PLAIN)],
    "two zips, mark first": PLAIN + DECOY, "two zips, mark behind": DECOY + PLAIN,
    "zip behind other bytes": b"MZ" + bytes(3000) + PLAIN,
    "an entry that no directory has": PLAIN[:central_of(PLAIN)] + DECOY,
    "a flag of encryption on plain bytes": encrypted_flag(encrypted_flag(PLAIN, 6), central_of(PLAIN) + 8),
    "sizes that lie": PLAIN[:18] + struct.pack("<II", 3, 3) + PLAIN[26:],
    "sizes that lie in the directory": STORED[:central_of(STORED) + 20] + struct.pack("<II", 3, 3) + STORED[central_of(STORED) + 28:],
    "a wrong checksum": PLAIN[:14] + b"\1\2\3\4" + PLAIN[18:],
    "a truncated zip": STORED[:60], "zip in zip in tar": tarred("x", zipped([("y.zip", PLAIN)])),
    "tar of the seventh edition": old_tar("x", MARK),
    "second member of gzip": gzip.compress(b"first") + gzip.compress(MARK),
    "second stream of bzip2": bz2.compress(b"first") + bz2.compress(MARK),
    "second stream of xz": lzma.compress(b"first") + lzma.compress(MARK),
    "lzma": lzma.compress(MARK, format=lzma.FORMAT_ALONE), "lzop": lzo_stored(MARK), "second file of lzop": lzo_stored(b"first") + lzo_stored(MARK),
    "zstd": zstd_stored(MARK), "lz4": lz4_stored(MARK), "second frame of zstd": zstd_stored(b"x") + zstd_stored(MARK),
    "a frame to skip before zstd": b"\x50\x2a\x4d\x18\3\0\0\0abc" + zstd_stored(MARK),
    "ar": ar_of(MARK), "ar in lzop in gzip": gzip.compress(lzo_stored(ar_of(MARK))), "cms compressed": cms_compressed(MARK),
    "rar": rar4([("a.txt", b"plain"), ("b/a.com", MARK)]), "rar 5": rar5([("a.txt", b"plain"), ("b/a.com", MARK)]),
    "rar behind a program": b"MZ" + bytes(3000) + rar4([("a.com", MARK)]), "rar 5 in gzip": gzip.compress(rar5([("a.com", MARK)])),
    **{f"{name}, an encrypted file {where} it, {how}": make(members, {"x": method})
       for name, make in (("rar", rar4), ("rar 5", rar5)) for how, method in (("stored", 0), ("packed", 3))
       for where, members in (("before", [("x", NOISE), ("a.com", MARK)]), ("behind", [("a.com", MARK), ("x", NOISE)]))},
    "rar, marked as encrypted": rar4([("a.com", MARK)], {"a.com": 0}), "rar 5, marked as encrypted": rar5([("a.com", MARK)], {"a.com": 0}),
}
TOLD = {
    **{f"{name} encrypted, {how}": (make([("x", NOISE), ("y", b"plain")], {"x": method}), "encrypted : rar")
       for name, make in (("rar", rar4), ("rar 5", rar5)) for how, method in (("stored", 0), ("packed", 3))},
    "rar with hidden names": (rar4([("x", NOISE)], archive_flags=0x80), "encrypted : rar"),
    "rar 5 with hidden names": (rar5([("x", NOISE)], hides_names=True), "encrypted : rar"),
    "encrypted zip": (encrypted_flag(PLAIN.replace(zlib.compress(MARK)[2:-4], b"\x07" * (len(zlib.compress(MARK)) - 6)), 6), "encrypted : zip"),
    "a method that nobody knows": (method_of(PLAIN, 97), "not-opened : zip"),
    "squashfs": (b"hsqs" + bytes(600), "not-opened : squashfs"), "in a zip": (zipped([("q", b"QFI\xfb" + bytes(600))]), "not-opened q: qcow2"),
    "ext": (bytes(1024) + struct.pack("<II", 9, 9) + bytes(48) + b"\x53\xef" + bytes(3000), "not-opened : ext-image"),
    "pgp": (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA6\n", "encrypted : pgp"), "luks": (b"LUKS\xba\xbe" + bytes(600), "encrypted : luks"),
    "damaged 7z": (b"7z\xbc\xaf\x27\x1c" + b"\1" * 60, "not-opened : 7z"), "7z cut": (seed("7z-copy")[:-9], "not-opened : 7z"),
    "a stream cut inside": (cut_inside(zipped([("a", bytes(range(256)) * 3)])), "not-opened : zip"),
    "a dictionary of lzma": (patched(FOUND["lzma"], 1, struct.pack("<I", 1 << 30)), "limits : dictionary"),
    "a dictionary of xz": (xz_dictionary(lzma.compress(MARK), 30), "limits : dictionary"),
    "a dictionary of a later xz": (lzma.compress(b"first") + bytes(8) + xz_dictionary(lzma.compress(MARK), 38), "limits : dictionary"),
    "a dictionary of 7z": (patched(seed("7z-lzma"), seed("7z-lzma").index(b"\3\1\1\5\x5d") + 5, struct.pack("<I", 1 << 30)), "limits : dictionary"),
    "a dictionary in a zip": (patched(FOUND["zip lzma"], 36, struct.pack("<I", 1 << 30)), "limits : dictionary"),
    "a dictionary of zstd": (b"\x28\xb5\x2f\xfd\0\x88" + bytes(40), "limits : dictionary"),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(tmp_path, name):
    told, _ = opened(tmp_path, FOUND[name])
    assert any(line.startswith("member ") and line.endswith(" EICAR") for line in told), told


@pytest.mark.parametrize("name", TOLD)
def test_told(tmp_path, name):
    data, wanted = TOLD[name]
    told, _ = opened(tmp_path, data)
    assert any(line.startswith(wanted) for line in told) and not any(line.endswith(" EICAR") for line in told), told


def nested(levels):
    data = MARK
    for _ in range(levels):
        data = zipped([("z", data)], zipfile.ZIP_STORED)
    return data


def shared(archive, times):
    """Many entries of a directory with the same bytes."""
    begin, end = central_of(archive), archive.index(b"PK\5\6")
    return archive[:end] + archive[begin:end] * (times - 1) + archive[end:]


LIMITS = {
    "300 members and one": (zipped([(f"{i}", b"x") for i in range(301)], zipfile.ZIP_STORED), (100 << 20, 400 << 20, 300), "number of files"),
    "300 levels": (nested(300), (), "nesting"),
    "a file too large": (zipped([("a", bytes(3 << 20))]), (1 << 20,), "size of a file"),
    "a file too large in a tar": (gzip.compress(tarred("a", bytes(3 << 20))), (4 << 20, 40 << 20), None),
    "a bomb": (zipped([(f"{i}", bytes(1 << 20)) for i in range(15)]), (10 << 20, 12 << 20), "bytes in sum"),
    "a bomb in one stream": (bz2.compress(bz2.compress(bytes(20 << 20))), (100 << 20, 400 << 20), "ratio"),
    "entries that share their bytes": (shared(zipped([("a", bytes(1 << 20))]), 200), (10 << 20, 60 << 20), "ratio"),
    "no time": (shared(zipped([("a", bytes(range(256)) * 4096)]), 200), (1 << 30, 1 << 32, 10000, 17, 10), "time"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits(tmp_path, name):
    data, limits, wanted = LIMITS[name]
    told, seconds = opened(tmp_path, data, *limits)
    assert seconds < 10
    said = {line.rsplit(": ", 1)[1] for line in told if line.startswith("limits")}
    assert said == ({wanted} if wanted else set()), (said, told[-3:])


def cuts(tmp_path, data):
    """What is said at each length."""
    told = {}
    for line in driven(tmp_path, data, "--cuts", 7):
        if line.startswith("cut "):
            length = int(line[4:])
            told[length] = []
        else:
            told[length].append(line)
    assert len(told) == (len(data) - 1) // 7
    return told


@pytest.mark.parametrize("name", ("lzop", "ar", "tar"))
def test_a_true_end_is_no_damage(tmp_path, name):
    """What was there was seen."""
    told = cuts(tmp_path, tarred("a", MARK * 20) if name == "tar" else FOUND[name])
    assert {length: lines for length, lines in told.items() if length >= 512 and any(line.startswith(("not-opened", "limits")) for line in lines)} == {}


@pytest.mark.parametrize("name", ("zip", "zstd", "lz4", "lzma", "second stream of xz", "second member of gzip"))
def test_a_cut_stream_is_seen_or_told(tmp_path, name):
    """From the first bytes behind its header on."""
    told = cuts(tmp_path, FOUND[name])
    silent = [length for length, lines in told.items() if length > 40 and not any(line.endswith(" EICAR") or line.startswith("not-opened") for line in lines)]
    assert silent == [] and not any("limits" in line for lines in told.values() for line in lines), told


# --- a node ---

SIGNED = lab.eicar().encode()
HELD = ("domains {{ example.test 127.0.0.1:{inside} }}\nvirus {{ limits quarantine; encrypted quarantine; most file 1M; most time 2s\n"
        "  not-opened quarantine {{ kinds {{ accept vdi; reject disk-images }} }} }}\n")


def mail(data, subject="file"):
    return lab.message(subject, "--b\nContent-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\n" +
                       base64.encodebytes(data).decode() + "\n--b--\n", MIME_Version="1.0", Content_Type='multipart/mixed; boundary="b"')


def readers(node):
    """Children of open that have their name; none where one went meanwhile."""
    with contextlib.suppress(OSError):
        return [pid for above in node.pids("open") for pid in lab.children(above) if lab.name_of(pid) == "open-reader"]
    return []


@pytest.fixture
def held(nodes, inside):
    return nodes(HELD, inside=inside.port)


@pytest.fixture
def hurried(nodes, inside):
    return nodes(HELD.replace("most time 2s", "most time 1s"), inside=inside.port)


NODE_FOUND = {"zstd": zstd_stored(SIGNED), "lz4": lz4_stored(SIGNED), "lzop": lzo_stored(SIGNED), "ar": ar_of(SIGNED),
              "second member of gzip": gzip.compress(b"first") + gzip.compress(SIGNED), "cms compressed": cms_compressed(SIGNED),
              "zip without a directory": zipped([("a", SIGNED)])[:60 + len(SIGNED)],
              "rar": rar4([("a.txt", b"plain"), ("inner.com", SIGNED)]), "rar 5": rar5([("a.txt", b"plain"), ("inner.com", SIGNED)]),
              "rar 5 behind an encrypted file": rar5([("x", NOISE), ("inner.com", SIGNED)], {"x": 3}),
              "pdf that asks for no password": pdf(SIGNED, ""),
              "zip in lzma": lzma.compress(zipped([("a", SIGNED)]), format=lzma.FORMAT_ALONE),
              "lz4 in a mail in a zip": zipped([("a.eml", mail(lz4_stored(SIGNED)))]),
              "lz4 in a mail in zstd in a mail in a zip": zipped([("a.eml", mail(zstd_long(mail(lz4_stored(SIGNED)).encode())))])}
NODE_HELD = {"squashfs": b"hsqs" + bytes(600), "squashfs in a mail in a zip": zipped([("a.eml", mail(b"hsqs" + bytes(600)))]),
             "a file over the limit": zipped([("a", bytes(2 << 20))]), "encrypted": TOLD["encrypted zip"][0],
             "encrypted rar": rar4([("x", NOISE)], {"x": 0}), "encrypted rar 5": rar5([("x", NOISE)], {"x": 0}), "encrypted pdf": pdf(SIGNED, "secret")}


def replies(port, mails):
    """Of each, on one connection while the server has not enough of its client."""
    client = lab.Client(port)
    for mail in mails:
        try:
            yield client.send(mail)
        except ConnectionError:
            client = lab.Client(port)
            yield client.send(mail)


def test_node(held, inside):
    for name, (code, text) in zip(NODE_FOUND, replies(held.port, map(mail, NODE_FOUND.values()))):
        assert code == 550 and "Eicar" in text, (name, code, text)
        assert not name.startswith("rar") or "in a.bin/inner.com)" in text, (name, text)
    for name, (code, text) in zip(NODE_HELD, replies(held.port, (mail(data, f"held {name}") for name, data in NODE_HELD.items()))):
        assert code == 250, (name, text)
    assert lab.Client(held.port).send(mail(zipped([("a.txt", b"plain")]), "clean"))[0] == 250
    assert b"clean" in inside.wait(1)[0] and b"Subject: held" not in b"".join(inside.wait(1))
    kinds(held, inside)
    lab.wait_for(lambda: len(readers(held)) == 2, "two spare readers wait and no other is left")
    without_open(held, inside)
    held.balance()


def without_open(held, inside):
    """A reader killed while it waits is replaced; while all of open is gone nothing is called clean, and text is not held up."""
    gone = readers(held)
    for pid in gone:
        os.kill(pid, signal.SIGKILL)
    lab.wait_for(lambda: not [pid for pid in gone if os.path.exists(f"/proc/{pid}")], "they are gone")
    assert lab.Client(held.port).send(mail(NODE_FOUND["lz4"]))[0] == 550
    process, = [one["pid"] for one in held.status()["processes"] if one["name"] == "open"]
    os.kill(process, signal.SIGSTOP)
    codes = [lab.Client(held.port).send(mail(zipped([("a.txt", b"plain %d" % i)])))[0] for i in range(2)]
    os.kill(process, signal.SIGKILL)
    assert codes == [250, 250]
    assert lab.Client(held.port).send(lab.message("text"))[0] == 250
    lab.wait_for(lambda: lab.Client(held.port).send(mail(NODE_FOUND["zstd"]))[0] == 550, "open is there again")
    assert len(inside.wait(5)) == 5


def kinds(node, inside):
    """What is done with what nobody opens is said by its kind, in the reply too; each is counted."""
    code, text = lab.Client(node.port).send(mail(bytes(3) + b"NTFS    " + bytes(600)))
    assert code == 550 and "ntfs-image" in text, text
    assert lab.Client(node.port).send(mail(bytes(64) + b"\x7f\x10\xda\xbe" + bytes(600), "vdi is taken"))[0] == 250
    assert b"not-opened vdi" in next(m for m in inside.wait(2) if b"vdi is taken" in m)

    def counted():
        rows = json.loads(node.run("stats", "--by", "not-opened", "--day", "today", "--format", "json").stdout)[0]["rows"]
        return dict(list(row.values())[:2] for row in rows)
    lab.wait_for(lambda: counted() == {"squashfs": 2, "ntfs-image": 1, "vdi": 1, "zip": 1}, "each kind is counted")
    for language, title in ("en", "Files that nobody could open"), ("ja", "誰も開けなかったファイル"):
        table = node.run("report", "--date", "today", "--language", language).stdout.split(title)[1].split("\n\n")[0]
        assert re.search(r"squashfs +2 +40", table), table


def fails_twice(port, word):
    bad = mail(zipped([("a", b"X-Test-Reader: " + word.encode())], zipfile.ZIP_STORED), f"it {word}s")
    begun = time.monotonic()
    first = lab.Client(port).send(bad)[0]
    return first, time.monotonic() - begun < 8, lab.Client(port).send(bad)[0]


def seconds_with(port, first, second):
    """Of a mail with both files: the code, and how long it took."""
    parts = "".join("--b\nContent-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\n" +
                    base64.encodebytes(data).decode() + "\n" for data in (first, second))
    begun = time.monotonic()
    code, _ = lab.Client(port).send(lab.message("two", parts + "--b--\n", MIME_Version="1.0", Content_Type='multipart/mixed; boundary="b"'))
    return code, time.monotonic() - begun


@pytest.mark.alone
@pytest.mark.skipif(lab.QUICK and not lab.probes_are_built(), reason="the quick build has no probes")
def test_nothing_more_is_scanned_when_a_reader_died(held):
    """The reply is 451 whatever else is in the message: it comes at once."""
    words, much = [[("a", b"X-Test-Reader: " + word)] for word in (b"does", b"die")], zipped([(f"{i}", b"x%d" % i) for i in range(9000)])
    (well, whole), (lost, cut) = (seconds_with(held.port, zipped(word, zipfile.ZIP_STORED), much) for word in words)
    assert (well, lost) == (250, 451) and cut < 1 and cut < whole / 3, (whole, cut)


@pytest.mark.skipif(lab.QUICK and not lab.probes_are_built(), reason="the quick build has no probes")
def test_a_reader_that_fails(hurried, inside):
    """It costs its own message a 451 and the second time a place in quarantine; others do not notice."""
    assert lab.probes_are_built(), lab.NO_PROBES
    with concurrent.futures.ThreadPoolExecutor() as pool:
        bad = [pool.submit(fails_twice, hurried.port, word) for word in ("die", "hang")]
        assert lab.Client(hurried.port).send(mail(NODE_FOUND["ar"]))[0] == 550
        assert [one.result() for one in bad] == [(451, True, 250)] * 2
    assert lab.Client(hurried.port).send(mail(zipped([("a.txt", b"plain")]), "innocent"))[0] == 250
    assert b"innocent" in inside.wait(1)[0]
    lab.wait_for(lambda: len(readers(hurried)) == 2, "the one that hung is gone")
    hurried.balance()


# --- text, links and picture codes ---

GTUBE = lab.gtube()


def mail_of(*parts, subject="read"):
    """Of (type, bytes or text)."""
    lines = "".join(f"--b\nContent-Type: {kind}\nContent-Transfer-Encoding: base64\n\n" +
                    base64.encodebytes(data.encode() if isinstance(data, str) else data).decode() for kind, data in parts)
    return lab.message(subject, lines + "--b--\n", MIME_Version="1.0", Content_Type='multipart/mixed; boundary="b"')


def pictures(*data):
    return [("image/png", one) for one in data]


def plain(text):
    return [("text/plain; charset=UTF-8", "Look:\n\n" + text + "\n\nBye\n")]


def html(text):
    return [("text/html; charset=UTF-8", "<p>Hello</p>" + text)]


def pre(text):
    return html("<pre>" + text.replace("\n", "<br>") + "</pre>")


def as_entities(text):
    return "".join(one if ord(one) < 128 else f"&#{ord(one)};" for one in text.replace(" ", "&nbsp;"))


HALVES = drawn.half_blocks(GTUBE)
READ = {
    "text of a PDF": [("application/pdf", drawn.pdf_text(GTUBE.encode()))],
    "PDF that is called otherwise": [("application/octet-stream", drawn.pdf_text(GTUBE.encode()))],
    "Japanese PDF, Shift_JIS": [("application/pdf", drawn.pdf_japanese("こんにちは" + GTUBE, b"90msp-RKSJ-H", "cp932"))],
    "Japanese PDF, UTF-16": [("application/pdf", drawn.pdf_japanese(GTUBE, b"UniJIS-UTF16-H", "utf-16-be"))],
    "code in a PDF": [("application/pdf", drawn.pdf_code(GTUBE))],
    "PDF in a zip": [("application/zip", zipped([("a.pdf", drawn.pdf_text(GTUBE.encode()))]))],
    **{form: pictures(drawn.picture(GTUBE, form)) for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP")},
    "inverted": pictures(drawn.inverted(GTUBE)), "two halves": pictures(*drawn.split(GTUBE, 2)),
    "three strips, one below the other": pictures(*drawn.split(GTUBE, 3, True)),
    "halves of one size": pictures(*drawn.split(GTUBE, 2, True)),
    "full blocks": plain(drawn.characters(GTUBE, "██", "  ")), "half blocks": plain(HALVES), "half blocks, light": plain(drawn.half_blocks(GTUBE, True)),
    "squares": plain(drawn.characters(GTUBE, "■", "□")), "emoji": plain(drawn.characters(GTUBE, "⬛", "⬜")), "#": plain(drawn.characters(GTUBE, "##", "  ")),
    "squares in Shift_JIS": [("text/plain; charset=Shift_JIS", drawn.characters(GTUBE, "■", "□").encode("cp932"))],
    "half blocks in <pre>": pre(HALVES), "as entities": html(as_entities(HALVES).replace("\n", "<br>\n")),
    **{f"table by {way}": html(drawn.table(GTUBE, way)) for way in ("bgcolor", "style", "colspan", "width")},
    **{f"{way}, a file": [("image/svg+xml", drawn.svg(GTUBE, way))] for way in ("SvgImage", "SvgPathImage", "SvgFillImage")},
    "SVG in HTML": html(drawn.svg(GTUBE).decode().replace("svg:", "").replace('xmlns="http://www.w3.org/2000/svg"', "")),
    "data: address": html(drawn.data_address(drawn.picture(GTUBE))), "data: SVG": html(drawn.data_address(drawn.svg(GTUBE), "svg+xml")),
    "HTML file": [("application/octet-stream", "<!DOCTYPE html><html>" + drawn.table(GTUBE) + "</html>")],
}


def test_text_is_read(node, inside):
    """In the jail, to the end of its way: the test for junk filters is found wherever it is drawn."""
    for name, (code, text) in zip(READ, replies(node.port, (mail_of(*parts, subject=name) for name, parts in READ.items()))):
        assert code == 550, (name, text)
    marks(node, inside)
    assert told(node)["texts not read"] == 0
    node.balance()


def told(node):
    """What scan says of itself."""
    return next(one["values"] for one in node.processes() if one["name"] == "scan")


def marks(node, inside):
    links = [("application/pdf", drawn.pdf_links([b"https://User@Pdf.Example/a?b"])), *pictures(drawn.picture("https://code.example:8443/x"))]
    assert lab.Client(node.port).send(mail_of(*links, subject="links"))[0] == 250
    head = inside.wait(1)[0].partition(b"\r\n\r\n")[0].decode()
    assert "PDF_LINK=0.0" in head and "PICTURE_CODE_LINK=0.0" in head, head


SLOW = ("forms in forms", "a filter", "a stream in many layers")  # these end their reader, or its time does


def hostile():
    """Mails by name: what is quick is many in one."""
    for kind, made in (("application/pdf", drawn.hostile_pdfs()), ("image/svg+xml", drawn.hostile_svgs()),
                       ("image/png", drawn.hostile_pictures()), ("text/html", drawn.hostile_htmls())):
        made = dict(made)
        yield kind, mail_of(*((kind, data) for name, data in made.items() if name not in SLOW), subject=kind)
        yield from ((name, mail_of((kind, made[name]), subject=name)) for name in SLOW if name in made)


def test_hostile_text(nodes, inside):
    """Bounded time, and the mail arrives: what of its text was not read is said. Others do not notice."""
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ scan 4 }}\n", inside=inside.port)
    bad = dict(hostile())
    if lab.probes_are_built():
        bad |= {word: mail_of(("application/pdf", b"%PDF-1.4\nX-Test-Reader: " + word.encode()), subject=word) for word in ("die", "hang")}
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(bad)) as pool:
        sent = {name: pool.submit(lambda one: lab.Client(node.port).send(one), one) for name, one in bad.items()}
        assert lab.Client(node.port).send(lab.message("innocent"))[0] == 250 and time.monotonic() - begun < 15
        assert {name: one.result()[0] for name, one in sent.items()} == dict.fromkeys(bad, 250)
    assert time.monotonic() - begun < 30
    arrived = {subject_of(one): b"TEXT_NOT_READ" in one for one in inside.wait(len(bad) + 1)}
    assert {name for name in bad if arrived[name]} >= {*SLOW, *(name for name in ("die", "hang") if name in bad)}, arrived
    assert not arrived["innocent"] and told(node)["texts not read"] >= 3
    lab.wait_for(lambda: len(readers(node)) == 2, "those that hung are gone")
    node.balance()


def subject_of(arrived):
    return arrived.partition(b"\nSubject: ")[2].partition(b"\r\n")[0].decode()


def test_an_encrypted_pdf(held, inside, tmp_path):
    """Without a password of its own it is read; with one the engine says so, and it is held here."""
    plain_text = drawn.pdf_text(GTUBE.encode())
    assert lab.Client(held.port).send(mail_of(("application/pdf", drawn.encrypted(tmp_path, plain_text, ""))))[0] == 550
    assert lab.Client(held.port).send(mail_of(("application/pdf", drawn.encrypted(tmp_path, plain_text, "of its own"))))[0] == 250
    assert lab.Client(held.port).send(lab.message("other"))[0] == 250
    assert subject_of(inside.wait(1)[0]) == "other"
    held.balance()
