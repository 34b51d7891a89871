"""What lab/up, lab/down, lab/status, lab/try and lab/numbers do."""
import argparse
import sys
import time
import traceback

from . import numbers, picture, programs, stories, wires
from .lab import Lab, attach, known


def arguments(words, text, *more):
    parser = argparse.ArgumentParser(prog=f"lab/{text[0]}", description=text[1])
    parser.add_argument("--name", default="lab", help="which lab: several may be up at once (default: lab)")
    for flags, options in more:
        parser.add_argument(*flags, **options)
    chosen = parser.parse_args(words)
    if not chosen.name.isalnum() or len(chosen.name) > 20:
        parser.error("a lab's name has up to 20 letters and digits")
    return chosen


def unable(why):
    print(f"The lab cannot be: {why}", file=sys.stderr)
    return 77


def up(words):
    chosen = arguments(words, ("up", "Builds the three-server system in network namespaces on this machine."))
    programs.install_packages()
    why = wires.why_unable()
    if why:
        return unable(why)
    programs.build()
    begun = time.monotonic()
    lab = Lab(chosen.name)
    try:
        lab.up(lambda text: print(f"{time.monotonic() - begun:6.1f} s  {text}"))
    except BaseException:
        lab.down()
        raise
    print(f"{time.monotonic() - begun:6.1f} s  up")
    print(picture.draw(lab))
    extra = "" if chosen.name == "lab" else f" --name {chosen.name}"
    print(f"Next: lab/try{extra}, lab/status{extra}, lab/down{extra}; logs are in {lab.folder}")
    return 0


def down(words):
    chosen = arguments(words, ("down", "Ends every process of the lab and removes its namespaces and files."),
                       (("--all",), {"action": "store_true", "help": "every lab that is known"}))
    if wires.os.geteuid() != 0:
        return unable("network namespaces need root: run it with sudo")
    for name in sorted(known()) if chosen.all else [chosen.name]:
        attach(name).down()
        print(f"{name} is down")
    return 0


def the_lab(name):
    if wires.os.geteuid() != 0:
        raise SystemExit(unable("network namespaces need root: run it with sudo"))
    lab = attach(name)
    if not lab.is_up():
        print(f"The lab {name} is not up: lab/up", file=sys.stderr)
        raise SystemExit(69)
    return lab


def status(words):
    chosen = arguments(words, ("status", "Draws the lab with its live state."))
    print(picture.draw(the_lab(chosen.name)))
    return 0


def list_stories():
    print("lab/try STORY… or lab/try all:\n")
    for name in stories.NAMES:
        print(f"  {name:16} {stories.about(name)[0]}")
    return 0


def try_(words):
    chosen = arguments(words, ("try", "Tells stories: each makes something happen, and closes the account over all nodes."),
                       (("stories",), {"nargs": "*", "metavar": "STORY", "help": "none: lists them; all: every one"}))
    if not chosen.stories:
        return list_stories()
    wanted = list(stories.NAMES) if chosen.stories == ["all"] else chosen.stories
    for name in wanted:
        if name not in stories.NAMES:
            print(f"There is no story {name}. lab/try lists them.", file=sys.stderr)
            return 64
    lab = the_lab(chosen.name)
    failed = []
    for name in wanted:
        begun = time.monotonic()
        try:
            stories.tell(lab, name)
            print(f"   passed in {time.monotonic() - begun:.1f} s\n")
        except Exception as error:  # a story's failure is its result, whatever went wrong
            failed.append(name)
            traceback.print_exc()
            print(f"   FAILED after {time.monotonic() - begun:.1f} s: {error}\n")
    print(f"{len(wanted) - len(failed)} passed, {len(failed)} failed" + (f": {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def numbers_(words):
    chosen = arguments(words, ("numbers", "Measures an edge and a wall; takes some minutes, wants a quiet machine."),
                       (("--quick",), {"action": "store_true", "help": "few messages: shows that it works, says little"}))
    lab = the_lab(chosen.name)
    rows = numbers.measure(lab, lambda text: print(f"  {text}", flush=True), chosen.quick)
    print(numbers.table(rows))
    return 0 if all(row[-1] for row in rows) else 1
