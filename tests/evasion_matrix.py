#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Every file of clamav-testfiles in every mail of tests/flow/matrix_mails.py, through a real node on loopback, over several connections.
Prints how many were found, held, refused and delivered, and each that was delivered unseen; then the exit code is 1.
usage: tests/evasion_matrix.py [--build BUILD] [--files FOLDER] [--connections N] [--only WORD]"""
import argparse
import collections
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/flow"))


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--build", default=str(ROOT / "build"))
    options.add_argument("--files", type=pathlib.Path, help="default: $SEKIMORI_TESTFILES, or where the package puts them")
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--only", default="", help="a part of a file's or a mail's name")
    chosen = options.parse_args()
    os.environ["SEKIMORI_BUILD"] = chosen.build
    import lab
    import matrix_mails
    import matrix_run
    folder_of_files = chosen.files or matrix_run.FILES
    files = sorted(folder_of_files.glob("clam*"))
    makers = matrix_mails.all_makers()
    mails = [((file.name, way), lambda file=file, make=make: make(file.read_bytes())) for file in files for way, make in makers.items()
             if chosen.only in file.name or chosen.only in way]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sink = lab.Sink(folder)
        node = matrix_run.node_begin(folder, (folder_of_files / "clam.exe").read_bytes(), sink.port)
        try:
            got = matrix_run.ends(node, mails, chosen.connections)
            node.assert_sound()
            node.balance()
        finally:
            node.stop()
            sink.stop()
    for name, end in sorted(got.items()):
        if end in ("delivered", "lost"):
            print(f"{end}: {name[0]} by {name[1]}{' (the engine alone could)' if name in matrix_run.ENGINE_ALONE else ''}")
    counts = collections.Counter(got.values())
    unseen = sum(end == "delivered" and name not in matrix_run.ENGINE_ALONE for name, end in got.items())
    print(f"{len(got)} mails in {time.monotonic() - begun:.0f} s:", ", ".join(f"{count} {end}" for end, count in sorted(counts.items())))
    return 1 if unseen or counts["lost"] or not got else 0


if __name__ == "__main__":
    sys.exit(main())
