#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Each program that is named prints its usage: for --help on standard output, for a wrong option on standard error with exit status 64."""
import pathlib
import subprocess
import sys


def told(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


assert len(sys.argv) > 15
for program in sys.argv[1:]:
    asked, wrong = told(program, "--help"), told(program, "--nonsense")
    assert asked.returncode == 0 and asked.stdout.startswith(f"usage: {pathlib.Path(program).name}") and not asked.stderr, asked
    assert wrong.returncode == 64 and wrong.stderr == asked.stdout and not wrong.stdout, wrong
