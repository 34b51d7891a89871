#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Every file of clamav-testfiles in every mail of tests/flow/matrix_mails.py, through a real node on loopback, over several connections.
Prints how many were found, held, refused and delivered, and each that was delivered unseen; then the exit code is 1.
usage: tests/evasion_matrix.py [--build BUILD] [--files FOLDER] [--connections N] [--only WORD]"""
import argparse
import collections
import hashlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/flow"))
FILES = pathlib.Path(os.environ.get("SEKIMORI_TESTFILES", "/usr/share/clamav-testfiles"))
# The engine does not unpack this program when bytes follow it, which these two ways put there.
ENGINE_ALONE = {("clam-pespin.exe", "quoted-8bit"), ("clam-pespin.exe", "quoted-bad-escape")}
CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\nlimits {{ message 64M }}\n"


def signatures(folder, payload):
    """Of the program that all of the files carry: its hash, the text in it and its code."""
    digest = hashlib.md5(payload).hexdigest()
    (folder / "matrix.hdb").write_text(f"{digest}:{len(payload)}:Matrix-Hash\n")
    (folder / "matrix.ndb").write_text(f"Matrix-Text:0:*:{payload[0x1F8:0x200].hex()}\nMatrix-Code:0:*:{payload[0x43:0x6B].hex()}\n")


def reply_to(client, mail):
    """As it is: no line end is made right."""
    for code, text in client.open():
        if code >= 400:
            return code, text
    code, text = client.say("DATA")
    if code != 354:
        return code, text
    client.raw(b"\r\n".join(b"." + line if line.startswith(b".") else line for line in mail.split(b"\r\n")) + b"\r\n.\r\n")
    return client.reply()


def replies(lab, port, mails, connections):
    """Name to code and text, in one thread for each connection: refusals come slowly."""
    got, waiting = {}, list(mails)

    def send_some():
        client = lab.Client(port)
        while waiting:
            name, make = waiting.pop()
            mail = make()
            for _ in range(4):  # after so many refusals the server has enough of a client
                try:
                    got[name] = reply_to(client, mail)
                    break
                except OSError:
                    client.close()
                    client = lab.Client(port)
        client.close()

    threads = [threading.Thread(target=send_some) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def ends(lab, node, mails, connections=10):
    """Name to "found", "held", "refused", "delivered" or "lost". `mails`: names and functions that make them."""
    got = replies(lab, node.port, mails, connections)
    log = node.text()
    held = set(re.findall(r"(\w+): .*action=quarantine", log)) | set(re.findall(r"id=(\w+) .*action=quarantine", log))

    def end(name):
        code, text = got.get(name, (0, ""))
        if code != 250:
            return "lost" if code < 500 else "found" if "virus found" in text else "refused"
        return "held" if set(re.findall(r"\w+", text)) & held else "delivered"
    return {name: end(name) for name, _ in mails}


def node_begin(lab, folder, payload, inside):
    own = folder / "signatures"
    shutil.copytree(ROOT / "conf/signatures", own)
    signatures(own, payload)
    node = lab.Node(folder, CONFIG, inside=inside)
    node.config.write_text(node.config.read_text().replace(str(ROOT / "conf/signatures"), str(own)))
    return node.start()


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--build", default=str(ROOT / "build"))
    options.add_argument("--files", type=pathlib.Path, default=FILES)
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--only", default="", help="a part of a file's or a mail's name")
    chosen = options.parse_args()
    os.environ["SEKIMORI_BUILD"] = chosen.build
    import lab
    import matrix_mails
    files = sorted(chosen.files.glob("clam*"))
    makers = matrix_mails.all_makers()
    mails = [((file.name, way), lambda file=file, make=make: make(file.read_bytes())) for file in files for way, make in makers.items()
             if chosen.only in file.name or chosen.only in way]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sink = lab.Sink(folder)
        node = node_begin(lab, folder, (chosen.files / "clam.exe").read_bytes(), sink.port)
        try:
            got = ends(lab, node, mails, chosen.connections)
            node.assert_sound()
            node.balance()
        finally:
            node.stop()
            sink.stop()
    for name, end in sorted(got.items()):
        if end in ("delivered", "lost"):
            print(f"{end}: {name[0]} by {name[1]}{' (the engine alone could)' if name in ENGINE_ALONE else ''}")
    counts = collections.Counter(got.values())
    unseen = sum(end == "delivered" and name not in ENGINE_ALONE for name, end in got.items())
    print(f"{len(got)} mails in {time.monotonic() - begun:.0f} s:", ", ".join(f"{count} {end}" for end, count in sorted(counts.items())))
    return 1 if unseen or counts["lost"] or not got else 0


if __name__ == "__main__":
    sys.exit(main())
