# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a file of clamav-testfiles is seen in each wrapping and behind each trick that the parser has a name for: the smallest of them
in all mails of matrix_mails.py, each other small one in a few. tests/evasion_matrix.py has all of them in all."""
import json
import subprocess

import lab
import matrix_mails
import matrix_run

SMALL = 64 << 10
ZIP = "clam.zip"
# The parser must call the trick by its name. These are about something else: a limit that one file does not reach, readings
# that no finding asks for, a finding that is noted when the part is decoded.
UNNAMED = {"header-too-long", "too-many-fields", "too-many-parts", "uuencode-bad-line", "body-nul"}


def test_each_trick_is_what_it_says():
    data, wrong = b"MZ" + bytes(range(255)), {}
    for name, make in matrix_mails.TRICKS.items():
        if "-" not in name.split()[0] or name.split()[0] in UNNAMED:
            continue
        done = subprocess.run([lab.BUILD / "src/cli/sekimori", "parse", "--json", "-"], input=make(data), capture_output=True, timeout=60)
        message = json.loads(done.stdout)
        found = set(message["findings"]).union(*(part["findings"] for part in message["parts"]))
        if name.split()[0] not in found:
            wrong[name] = found
    assert wrong == {}


def test_a_sample_of_the_matrix(tmp_path):
    files = {file.name: file.read_bytes() for file in sorted(matrix_run.FILES.glob("clam*")) if file.stat().st_size < SMALL}
    assert len(files) >= 30, "clamav-testfiles is not installed"
    makers = list(matrix_mails.all_makers().items())
    mails = [((ZIP, way), lambda make=make: make(files[ZIP])) for way, make in makers]
    for number, (name, data) in enumerate(files.items()):
        few = makers[:1] + [makers[(number * 7 + step) % len(makers)] for step in (1, 29, 58)]
        mails += [((name, way), lambda data=data, make=make: make(data)) for way, make in few if name != ZIP]
    sink = lab.Sink(tmp_path)
    node = matrix_run.node_begin(tmp_path, files["clam.exe"], sink.port)
    try:
        got = matrix_run.ends(node, mails)
        node.balance()
    finally:
        node.kill()
        sink.stop()
    node.assert_sound()
    assert {name: end for name, end in got.items() if end not in ("found", "held", "refused") and name not in matrix_run.ENGINE_ALONE} == {}
    assert sum(end == "found" for end in got.values()) > 0.85 * len(got)


def test_archives_behind_a_program_are_opened_or_told_apart(tmp_path):
    """What unpacks itself. The 7z is whole; of the rar there is enough to be known, and no more."""
    stub, seven = b"MZ" + b"a stub" * 3000, (matrix_run.FILES / "clam.7z").read_bytes()
    rar = b"Rar!\x1a\x07\x01\0" + b"no block of a rar" * 30
    for number, (archive, said) in enumerate(((seven, "member"), (rar, "rar"))):
        (tmp_path / "file").write_bytes(stub + archive)
        told = subprocess.run([lab.TESTS / "tests/unit/open/unpack-drive", tmp_path / "file"], capture_output=True, timeout=60, check=True)
        assert said in told.stdout.decode("latin-1"), (number, told.stdout)
