# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""The parsers of Debian that are asked who can read a file in a mail, each a process that takes many mails. They answer "0": it cannot,
"1": the file is somewhere in what it reads, "2": it is what it reads."""
import os
import pathlib
import select
import struct
import subprocess
import threading

READERS = pathlib.Path(__file__).resolve().parent / "readers"
OTHERS = {
    "Python": [READERS / "by_python"],
    "MIME-tools": [READERS / "by_mime_tools"],
    "GMime": [READERS / "by_gmime"],
    "ripmime": [READERS / "by_programs", "ripmime"],
    "munpack": [READERS / "by_programs", "munpack"],
    "uudeview": [READERS / "by_programs", "uudeview"],
}
SECONDS = 30  # for one mail


class Reader:
    """A process that answers for each mail with one byte. One that ends over a mail, or takes too long, answers "0" and is started again."""

    def __init__(self, words):
        self.words, self.process, self.ended = words, None, 0
        self.answers = []

    def ask_all(self, mails):
        self.answers = [self.ask(data, mail) for data, mail in mails]

    def ask(self, data, mail):
        if not self.process:
            self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.process.stdin.write(b"".join(struct.pack(">I", len(text)) + text for text in (data, mail)))
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            answer = os.read(self.process.stdout.fileno(), 1) if ready else b""
        except BrokenPipeError:
            answer = b""
        if not answer:
            self.close()
            self.ended += 1
        return answer.decode() or "0"

    def close(self):
        """The programs in it end with their input."""
        if self.process:
            self.process.stdin.close()
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process = None


def ask_each(readers, mails):
    threads = [threading.Thread(target=reader.ask_all, args=(mails,)) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
