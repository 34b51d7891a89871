# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Files that no free program writes, made byte by byte: RAR archives whose members are stored, and a PDF encrypted by its standard security
handler (ISO 32000-1 section 7.6, revision 2: RC4 with 40 bits)."""
import hashlib
import struct
import zlib

PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
PERMISSIONS = -4


# --- RAR before 5 ---

def _rar4_block(kind, flags, fields):
    body = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(body) & 0xffff) + body


def rar4(members, encrypted={}, archive_flags=0):
    """`members`: names and contents, stored; `encrypted`: of those that are marked so the method, 0 stored, 3 packed. archive_flags 0x80: its headers are."""
    out = b"Rar!\x1a\7\0" + _rar4_block(0x73, archive_flags, bytes(6))
    for name, data in members:
        method = encrypted.get(name, 0)
        fields = struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0x5d7c0000, 29, 0x30 + method, len(name), 0o100644)
        out += _rar4_block(0x74, 0x8000 | 4 * (name in encrypted), fields + name.encode()) + data
    return out + _rar4_block(0x7b, 0x4000, b"")


# --- RAR 5 ---

def _vint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _rar5_block(fields):
    body = _vint(len(fields)) + fields
    return struct.pack("<I", zlib.crc32(body)) + body


def rar5(members, encrypted={}, hides_names=False):
    """The same. Those that are encrypted have a record of it; hides_names: so has the archive, before all other headers."""
    out = b"Rar!\x1a\7\1\0"
    if hides_names:
        out += _rar5_block(_vint(4) + _vint(0) + _vint(0) + _vint(0) + b"\x0f" + bytes(16))
    out += _rar5_block(_vint(1) + _vint(0) + _vint(0))
    for name, data in members:
        record = _vint(1) + _vint(0) + _vint(0) + b"\x0f" + bytes(16) + bytes(16)
        extra = _vint(len(record)) + record if name in encrypted else b""
        method = encrypted.get(name, 0)
        head = _vint(2) + _vint(2 | bool(extra)) + (_vint(len(extra)) if extra else b"") + _vint(len(data))
        fields = _vint(4) + _vint(len(data)) + _vint(0o100644) + struct.pack("<I", zlib.crc32(data)) + _vint(method << 7) + _vint(1)
        out += _rar5_block(head + fields + _vint(len(name)) + name.encode() + extra) + data
    return out + _rar5_block(_vint(5) + _vint(0) + _vint(0))


# --- PDF ---

def _rc4(key, data):
    state, at, other, out = list(range(256)), 0, 0, bytearray()
    for i in range(256):
        at = (at + state[i] + key[i % len(key)]) % 256
        state[i], state[at] = state[at], state[i]
    at = 0
    for byte in data:
        at = (at + 1) % 256
        other = (other + state[at]) % 256
        state[at], state[other] = state[other], state[at]
        out.append(byte ^ state[(state[at] + state[other]) % 256])
    return bytes(out)


def pdf(attached, password=None):
    """With a file in it. `password` of who opens it: None: it is not encrypted; "": it is, and everybody opens it."""
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a.com) 3 0 R] >> >> >>",
               2: b"<< /Type /Pages /Kids [5 0 R] /Count 1 >>",
               3: b"<< /Type /Filespec /F (a.com) /EF << /F 4 0 R >> >>",
               5: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>"}
    trailer, key, identity = b"/Root 1 0 R /Size 7", None, hashlib.md5(attached).digest()
    if password is not None:
        owner = _rc4(hashlib.md5(PADDING).digest()[:5], (password.encode() + PADDING)[:32])
        key = hashlib.md5((password.encode() + PADDING)[:32] + owner + struct.pack("<i", PERMISSIONS) + identity).digest()[:5]
        objects[6] = b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P %d >>" % (
            owner.hex().encode(), _rc4(key, PADDING).hex().encode(), PERMISSIONS)
        trailer += b" /Encrypt 6 0 R /ID [<%s> <%s>]" % (identity.hex().encode(), identity.hex().encode())
    content = zlib.compress(attached)  # libclamav 1.4 decrypts no stream that has no filter
    if key is not None:
        content = _rc4(hashlib.md5(key + b"\4\0\0\0\0").digest()[:10], content)
    objects[4] = b"<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", {}
    for number in sorted(objects):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    rows = b"".join(b"%010d 00000 n \n" % places.get(number, 0) for number in range(1, 7))
    return out + b"xref\n0 7\n0000000000 65535 f \n" + rows + b"trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(out))
