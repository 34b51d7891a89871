# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""What the readers of tests/fuzz/differential that are written in Python have in common: the form that our_readings.c explains."""
import re
import struct
import sys

MAIL = re.compile(rb"\s*(?:From|Received|MIME-Version|Content-[\w-]+):", re.IGNORECASE)


def compare(data, payload):
    """2: the payload, with or without empty lines; 1: it is somewhere in there; 0: it is not."""
    if data.startswith(payload) and not data[len(payload):].strip():
        return 2
    return 1 if payload in data else 0


def look(read, mail, payload, depth=0):
    """The best of what `read` yields; a file that is a mail is opened too."""
    best = 0
    for data in read(mail):
        found = compare(data, payload)
        if not found and depth < 3 and MAIL.match(data):
            found = look(read, data, payload, depth + 1)
        best = max(best, found)
    return best


def frame():
    head = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(struct.unpack(">I", head)[0]) if len(head) == 4 else None


def answer(read):
    while (payload := frame()) is not None:
        sys.stdout.buffer.write(b"%d" % look(read, frame(), payload))
        sys.stdout.buffer.flush()
