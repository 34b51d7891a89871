# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""The blocks of doc/install.md: files to write, commands to run, and what these print there."""
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "doc/install.md"
BLOCK = re.compile(r"^```(console|conf)\n(.*?)^```$", re.M | re.S)


def section(heading):
    """The text below a heading of the second level, to the next one."""
    (text,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return text


def file_of(heading):
    """The one file that a section shows: its path, which its first line names, and its text."""
    ((_, text),) = [block for block in BLOCK.findall(section(heading)) if block[0] == "conf"]
    first, _, rest = text.partition("\n")
    return first.removeprefix("# "), rest


def commands_of(heading):
    """The commands of a section in order, each with the lines that it prints."""
    found = []
    for kind, text in BLOCK.findall(section(heading)):
        for line in text.splitlines() if kind == "console" else ():
            if line.startswith("# "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    assert found, f"{heading}: no command"
    return found


def masked(line):
    """Without what differs from run to run: ids, numbers, and how wide a column is."""
    line = re.sub(r"M\d+P\d+Q\d+|\b[0-9A-Z]{13}\b", "ID", line)
    line = re.sub(r"\d+", "0", line)
    return " ".join(line.split())


def missing(expected, output):
    """The first of the expected lines that is not in the output, in their order; None: all are."""
    lines = iter(map(masked, output.splitlines()))
    for line in expected:
        if line.strip() not in ("", "…") and masked(line) not in lines:
            return line
    return None
