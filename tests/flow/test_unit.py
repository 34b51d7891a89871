# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: the unit in packaging/ is one that systemd takes and thinks well of, and a node works with no more than it leaves: few capabilities,
few system calls, a file system that is to be read. The users in packaging/ are made. No systemd runs, and all is written into folders of
the test's own."""
import functools
import os
import re
import shutil
import subprocess

import pytest

import lab
from own_users import settle
from test_users import ids_of, mail_flows, status_of, through, users_make  # noqa: F401

UNIT = lab.ROOT / "packaging/sekimori.service"
EXPOSURE_MOST = 3.2


def settings(name):
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.M)


def tool(*words, **more):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60, **more)


def test_exposure():
    done = tool("systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={round(EXPOSURE_MOST * 10)}", UNIT)
    level = re.search(r"Overall exposure level for sekimori.service: (\S+)", done.stdout)
    assert done.returncode == 0 and float(level[1]) <= EXPOSURE_MOST, done
    named = (lab.ROOT / "doc/systemd.md").read_text().replace("\\|", "|")  # as a table has it
    for line in done.stdout.splitlines():
        if line.startswith("✗"):
            assert f"`{line.split()[1]}`" in named, f"doc/systemd.md does not say who needs this: {line}"


def tree_make(folder):
    """What the unit names, as far as systemd looks for it."""
    units = folder / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for name in ("usr/sbin/sekimorid", "usr/bin/sekimori"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy("/bin/true", folder / name)
    for name in ("sysinit", "basic", "network-online", "nss-lookup", "time-sync", "shutdown", "multi-user", "sockets"):
        (units / f"{name}.target").write_text("[Unit]\n")
    for path in (lab.ROOT / "packaging").glob("sekimori.s*"):
        if path.suffix in (".service", ".socket"):
            shutil.copy(path, units)
    return units


def test_systemd_takes_the_units(tmp_path):
    for path in sorted(tree_make(tmp_path).glob("sekimori.*")):
        done = tool("systemd-analyze", "verify", "--man=no", f"--root={tmp_path}", path)
        assert done.returncode == 0 and not done.stderr, done


def test_the_users_are_made(tmp_path):
    (tmp_path / "usr/lib/sysusers.d").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    shutil.copy(lab.ROOT / "packaging/sekimori.sysusers", tmp_path / "usr/lib/sysusers.d/sekimori.conf")
    done = tool("systemd-sysusers", f"--root={tmp_path}", "sekimori.conf")
    assert done.returncode == 0, done
    made = {line.split(":")[0]: line.split(":")[4] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert set(made) >= {"sekimori", *(f"sekimori-{name}" for name in lab.PROGRAMS)}, made
    assert made["sekimori-receive"] == "Sekimori, takes mail"


def test_tmpfiles_has_nothing_that_goes_by_age():
    lines = [line.split() for line in (lab.ROOT / "packaging/sekimori.tmpfiles").read_text().splitlines() if not line.startswith("#")]
    assert [line[0] for line in lines] == ["d"] * len(lines) and all(line[5:] == ["-"] for line in lines), lines
    assert ["/var/lib/sekimori", "0751"] in [line[1:3] for line in lines]


def test_systemd_gives_no_folder_away():
    """StateDirectory= and its kin would give all in the folder back to root before each command of the unit, also what --prepare has given."""
    assert not re.search(r"^(State|Runtime|Cache|Logs)Directory=", UNIT.read_text(), re.M)
    assert settings("ReadWritePaths") == ["-/var/lib/sekimori"], "it may be missing until --prepare has made it"


# --- what the unit leaves ---

@functools.cache
def call_sets():
    """By name: @mount and what stands in it."""
    sets, name = {}, ""
    for line in tool("systemd-analyze", "syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            sets[name := line] = []
        elif line.startswith("    ") and not line.strip().startswith("#") and name:
            sets[name].append(line.strip())
    return sets


def calls_of(name):
    """A system call, or those of a set and of the sets in it."""
    if not name.startswith("@"):
        return frozenset([name])
    return frozenset().union(*(calls_of(one) for one in call_sets()[name]))


def calls_left():
    return frozenset().union(*(calls_of(word) for words in settings("SystemCallFilter") for word in words.split()))


def test_no_process_needs_a_system_call_that_the_unit_forbids():
    """Each process has a list of its own; what stands on none of these is for programs that helper starts."""
    text = (lab.ROOT / "src/base/syscall_filter.c").read_text()
    lists = text[text.index("static const struct rule common[]"):text.index("} failing[] = {")]
    needed = set(re.findall(r"\b(?:CALL|IF|IF_BOTH|IF_ALL)\((\w+)", lists)) - {"name"}
    assert len(needed) > 100 and not needed - calls_left(), needed - calls_left()


# Executes the rest of its arguments with the calls of the first, and no memory that becomes executable.
CONFINE = """
import ctypes, os, sys
seccomp, libc = ctypes.CDLL("libseccomp.so.2"), ctypes.CDLL(None)
seccomp.seccomp_init.restype = ctypes.c_void_p
filter = ctypes.c_void_p(seccomp.seccomp_init(0x00050001))
for name in sys.argv[1].split(","):
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        assert seccomp.seccomp_rule_add(filter, 0x7FFF0000, number, 0) == 0, name
os.umask(0o27)
libc.prctl(65, 1, 0, 0, 0)
assert seccomp.seccomp_load(filter) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


def confined(place, group, *more):
    """As the unit has it: all but `place` is to be read, few calls, few capabilities, no new ones."""
    read_only = f'mount --bind {place} {place} && mount -o remount,bind,ro / && exec "$0" "$@"'
    capabilities = ",".join("+" + name[4:].lower() for name in settings("CapabilityBoundingSet")[0].split())
    return (*through(place), "sh", "-c", read_only, "/usr/bin/python3", "-c", CONFINE, ",".join(sorted(calls_left())), "/usr/bin/setpriv",
            f"--bounding-set=-all,{capabilities}", "--inh-caps=-all", "--no-new-privs", f"--groups={group}", *more)


CONFIG = ("user sekimori\ndomains {{ example.test 127.0.0.1:{inside} }}\nprocesses {{ scan 1; receive 1 }}\nquarantine {{ most 1G }}\n"
          "virus {{ engine run command /bin/true }}\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has what the unit takes away")
def test_a_node_works_with_what_the_unit_leaves(nodes, inside, place):  # noqa: F811
    ids = users_make(place, own=True)
    node = settle(nodes(CONFIG, start=False, inside=inside.port), place)
    daemon = lab.BUILD / "src/master/sekimorid"
    bare = confined(place, ids["sekimori"])
    refused = tool(*bare, daemon, "-c", node.config, "--libexec", node.libexec)
    assert refused.returncode == 73 and "sekimorid --prepare" in refused.stderr, refused
    for _ in range(2):  # a second time it has nothing to do
        done = tool(*through(place), daemon, "--prepare", "-c", node.config, "--libexec", node.libexec)
        assert done.returncode == 0, done
    assert {path.name for path in node.state.iterdir()} >= {"spool", "ledger", "quarantine", "report", "learn", "run"}
    node.start(through=bare)
    mail_flows(node, inside, 2)
    assert ids_of(node)["queue"] == ids["sekimori-queue"] == (node.state / "spool").stat().st_uid
    held = status_of(node.process.pid)
    assert int(held["CapEff"], 16) == int(held["CapBnd"], 16) == 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10, held
    assert node.run("reload").returncode == 0
    assert node.stop() == 0 and "by its jail" not in node.text(), node.text()
    denied = [line for line in node.text().splitlines() if "not permitted" in line]
    assert len(denied) == 1 and "whether the clock is right is not checked" in denied[0], denied  # as doc/systemd.md says
