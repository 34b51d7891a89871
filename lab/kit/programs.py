"""Where the programs are; they are built when they are not there, the way ./run does it."""
import os
import pathlib
import re
import subprocess
import sys

from .page import ROOT

TARGETS = ("node", "bench/load", "bench/sink")
OWN_BUILD = ROOT / "var" / "build-lab"


def folder():
    """A build that is named (the tests name theirs), else our own."""
    return pathlib.Path(os.environ.get("SEKIMORI_BUILD") or OWN_BUILD)


def use(build):
    """What a lab was built with goes on to be used in it."""
    os.environ["SEKIMORI_BUILD"] = str(build)


def sekimori():
    return folder() / "src/cli/sekimori"


def install_packages():
    done = subprocess.run([ROOT / "packaging/install-packages", "build", "run", "lab"])
    if done.returncode != 0:
        raise SystemExit(done.returncode)


def build():
    """Brings our own build up to date, with a line that counts; a named build is taken as it is."""
    if os.environ.get("SEKIMORI_BUILD"):
        return
    if not (OWN_BUILD / "build.ninja").exists():
        print("Preparing the build …")
        OWN_BUILD.parent.mkdir(exist_ok=True)
        done = subprocess.run(["meson", "setup", OWN_BUILD, ROOT, "--buildtype=release", "-Dtests=false"], capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise SystemExit(f"meson setup failed:\n{done.stdout}{done.stderr}")
    print("Compiling …")
    ninja = subprocess.Popen(["ninja", "-C", OWN_BUILD, *TARGETS], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    for line in ninja.stdout:
        said.append(line)
        step = re.match(r"\[(\d+)/(\d+)\]", line)
        if step and sys.stdout.isatty():
            print(f"\r  {step[1]} of {step[2]} ", end="", flush=True)
    if sys.stdout.isatty():
        print()
    if ninja.wait() != 0:
        raise SystemExit("".join(said[-30:]))


def libexec():
    return folder() / "src/libexec"
