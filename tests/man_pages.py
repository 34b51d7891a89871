#!/usr/bin/python3
"""The manual pages are well formed, sekimori(1) names every verb and every option that the command has, and
doc/VIOLATIONS.md names every finding, with what follows from it; sekimori.conf(5) has every section."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMAND = pathlib.Path(os.environ.get("SEKIMORI_BUILD", ROOT / "build")) / "src/cli/sekimori"


def help_of(*arguments):
    return subprocess.run([COMMAND, *arguments, "--help"], capture_output=True, text=True).stdout


def problems():
    pages = sorted((ROOT / "man").glob("*.[1-8]"))
    if len(pages) < 3:
        yield "a page is missing"
    for page in pages:
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
        yield from (line for line in lint.stdout.splitlines() if "WARNING" in line or "ERROR" in line)
    page = re.sub(r"\\", "", (ROOT / "man/sekimori.1").read_text())
    words = set(re.findall(r"[\w-]+", page.replace("Fl -", "--")))
    verbs = re.findall(r"^  (\w+)  ", subprocess.run([COMMAND, "--help"], capture_output=True, text=True).stdout, re.M)
    if len(verbs) < 12:
        yield f"only {len(verbs)} verbs are listed by sekimori --help"
    helps = "".join(map(help_of, verbs))
    for option in sorted(set(re.findall(r"Fl -([a-z][\w-]+)", page))):
        if option != "help" and not re.search(rf"--{option}(?![\w-])", helps):
            yield f"no help names --{option} of sekimori.1"
    for verb in verbs:
        text = help_of(verb)
        if verb not in words:
            yield f"sekimori.1 does not name the verb {verb}"
        if not text.startswith("usage: sekimori " + verb):
            yield f"sekimori {verb} --help does not begin with its usage"
        for option in sorted(set(re.findall(r"(?<![\w-])--([a-z][\w-]+)", text))):
            if "--" + option not in words and option not in ("help",):
                yield f"sekimori.1 does not name {verb} --{option}"


def findings_problems():
    table = (ROOT / "src/mail/finding.c").read_text()
    weighed = set(re.findall(r"\{ FINDING_(\w+), (?!0, )", (ROOT / "src/spam/score.c").read_text()))
    marks_of = dict(re.findall(r"`([a-z0-9-]+)`([ ~?!#+]*)", (ROOT / "doc/VIOLATIONS.md").read_text()))
    rows = re.findall(r'\[FINDING_(\w+)\] = \{ "([\w-]+)", CONSEQUENCE_(\w+)', table)
    if len(rows) < 60:
        yield f"only {len(rows)} findings are in finding.c"
    for identifier, name, consequence in rows:
        due = {"NONE": "", "LOOK": "~", "READ": "?", "HOLD": "!", "LIMIT": "#"}[consequence] + ("+" if identifier in weighed else "")
        if name not in marks_of:
            yield f"VIOLATIONS.md does not name {name}"
        elif marks_of[name].replace(" ", "") != due:
            yield f"VIOLATIONS.md marks {name} with '{marks_of[name].strip()}', it is '{due}'"


def settings_problems():
    page = (ROOT / "man/sekimori.conf.5").read_text()
    dump = subprocess.run([COMMAND, "dump", ROOT / "conf/sekimori.conf"], capture_output=True, text=True).stdout
    top = page.partition(".Ss Top level\n")[2].partition(".Ss ")[0]
    sections = set(re.findall(r"^([\w-]+) \{", dump, re.M))
    if len(sections) < 25:
        yield f"only {len(sections)} sections are in sekimori dump"
    for section in sorted(sections):
        if f".Ss {section}\n" not in page and f".It Ic {section} " not in top:
            yield f"sekimori.conf.5 does not have the section {section}"


found = [*problems(), *findings_problems(), *settings_problems()]
for problem in found:
    print(problem)
print(f"{len(found)} problems")
sys.exit(1 if found else 0)
