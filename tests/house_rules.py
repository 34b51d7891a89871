#!/usr/bin/python3
"""The rules of the house that no compiler checks: layers, unique names, licence lines, one file for each foreign header."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
FOREIGN = ("clamav.h", "unbound.h", "unbound-event.h", "sqlite3.h", "jansson.h", "seccomp.h", "uchardet/uchardet.h",
           "unicode/", "idn2.h", "openssl/ssl.h", "openssl/x509v3.h", "event2/event.h",
           "pango/pangocairo.h", "maxminddb.h", "zstd.h")
EXTRA_HOME = {"event2/event.h": {"base/loop.c", "lookup/resolver.c"}, "unbound-event.h": {"lookup/resolver.c"}}


def layers():
    allowed = {}
    for line in (SOURCE / "LAYERS").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        folder, _, rest = line.partition(":")
        allowed[folder.strip()] = set(rest.split()) | {folder.strip()}
    return allowed


def problems():
    allowed = layers()
    stems = collections.defaultdict(list)
    homes = collections.defaultdict(set)
    for path in sorted(SOURCE.rglob("*.[ch]")):
        name = path.relative_to(SOURCE).as_posix()
        folder = name.split("/")[0]
        text = path.read_text()
        if not text.startswith("/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */"):
            yield f"{name}: the licence line is missing"
        if path.suffix == ".c" and path.stem not in ("main",):
            stems[path.stem].append(name)
        for number, included in enumerate(re.findall(r'^#include ["<]([^">]+)[">]', text, re.M), 1):
            first = included.split("/")[0]
            if (SOURCE / included).exists():
                if folder not in allowed:
                    yield f"{name}: the folder is not in LAYERS"
                elif first not in allowed[folder]:
                    yield f"{name}: includes {included}, which LAYERS does not let {folder}/ do"
            for header in FOREIGN:
                if included == header or (header.endswith("/") and included.startswith(header)):
                    homes[header].add(name)
    for stem, names in stems.items():
        if len(names) > 1:
            yield f"file name {stem} is used twice: {', '.join(names)}"
    for header, names in homes.items():
        allowed_homes = EXTRA_HOME.get(header)
        if allowed_homes is not None and names <= allowed_homes:
            continue
        if len(names) > 1:
            yield f"<{header}> stands in more than one file: {', '.join(sorted(names))}"


found = list(problems())
for problem in found:
    print(problem)
print(f"{len(found)} broken rules")
sys.exit(1 if found else 0)
