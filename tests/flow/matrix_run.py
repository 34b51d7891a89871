# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Many mails through one node, and what became of each: for test_matrix.py, test_evasion.py and tests/evasion_matrix.py."""
import hashlib
import os
import pathlib
import re
import threading

import lab

FILES = pathlib.Path(os.environ.get("SEKIMORI_TESTFILES", "/usr/share/clamav-testfiles"))
# The engine does not unpack this program when bytes follow it, which these two ways put there.
ENGINE_ALONE = {("clam-pespin.exe", "quoted-8bit"), ("clam-pespin.exe", "quoted-bad-escape")}
CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\nlimits {{ message 64M }}\n"


def signatures(folder, payload):
    """Of the program that all of the files carry: its hash, the text in it and its code."""
    digest = hashlib.md5(payload).hexdigest()
    (folder / "matrix.hdb").write_text(f"{digest}:{len(payload)}:Matrix-Hash\n")
    (folder / "matrix.ndb").write_text(f"Matrix-Text:0:*:{payload[0x1F8:0x200].hex()}\nMatrix-Code:0:*:{payload[0x43:0x6B].hex()}\n")


def node_begin(folder, payload, inside):
    node = lab.Node(folder, CONFIG, inside=inside)
    signatures(node.signatures_at(folder / "signatures"), payload)
    return node.start()


def as_it_is(client, mail):
    """No line end is made right."""
    for code, text in client.open():
        if code >= 400:
            return code, text
    code, text = client.say("DATA")
    if code != 354:
        return code, text
    client.raw(b"\r\n".join(b"." + line if line.startswith(b".") else line for line in mail.split(b"\r\n")) + b"\r\n.\r\n")
    return client.reply()


def replies(port, mails, connections, send):
    """Name to code and text, in one thread for each connection: refusals come slowly."""
    got, waiting = {}, list(mails)

    def send_some():
        client = lab.Client(port)
        while waiting:
            name, make = waiting.pop()
            mail = make()
            for _ in range(4):  # after so many refusals the server has enough of a client
                try:
                    got[name] = send(client, mail)
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


def ends(node, mails, connections=10, send=as_it_is):
    """Name to "found", "held", "refused", "delivered" or "lost". `mails`: names and functions that make them."""
    got = replies(node.port, mails, connections, send)
    kept = {name: re.search(r"kept as (\w+)", text).group(1) for name, (code, text) in got.items() if code == 250}
    actions = lambda: dict(re.findall(r"(\w+): verdict: action=(\w+)", node.text()))
    lab.wait_for(lambda: actions().keys() >= set(kept.values()), "the log has every verdict")
    taken = actions()

    def end(name):
        code, text = got.get(name, (0, ""))
        if code != 250:
            return "lost" if code < 500 else "found" if "virus found" in text else "refused"
        return "held" if taken[kept[name]] == "quarantine" else "delivered"
    return {name: end(name) for name, _ in mails}
