#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""The tables of SECURITY.md that say what each process may and holds, read from a node that runs as root starts it, with users of their
own. test_skin.py fails when they say something else than the kernel does.
usage: process_table.py [--write]     as root; prints them, or puts them into SECURITY.md. SEKIMORI_BUILD names the build."""
import argparse
import contextlib
import errno
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import lab
import own_users
import seccomp_reader

DOCUMENT = lab.ROOT / "SECURITY.md"
BEGIN, END = "<!-- tables: tests/flow/process_table.py --write -->\n", "<!-- end of tables -->\n"
SECCOMP = {"0": "none", "2": "filter"}
LISTENING = "0A"
CAP_SYS_ADMIN = 1 << 21
# Descriptors of the process's own making, through which it reaches nobody.
PRIVATE = re.compile(r"anon_inode:\[(eventpoll|eventfd|timerfd|signalfd|landlock-ruleset)\]|/dev/null|pipe:")


# --- what the kernel says ---

def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)


def capabilities(pid):
    """Effective, permitted and bounding, in one word where they are alike."""
    masks = [int(status_of(pid)[f"Cap{kind}"], 16) for kind in ("Eff", "Prm", "Bnd")]
    words = {0: "none", CAP_SYS_ADMIN: "CAP_SYS_ADMIN", int(status_of(os.getpid())["CapEff"], 16): "those of root"}
    own = os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")
    said = [words.get(mask, f"{mask:#x}") for mask in masks]
    return (said[0] if len(set(said)) == 1 else ", ".join(said)) + (" in a user namespace of its own" if own else "")


def socket_ends():
    """Of each socket's inode what it is: "listens", "goes" (a connection or a question, which comes and goes), or the inode of its other
    end."""
    ends = {}
    for name in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/net/{name}") as file:
            for line in file.read().splitlines()[1:]:
                words = line.split()
                ends[words[9]] = "listens" if words[3] == LISTENING and name.startswith("tcp") else "goes"
    for line in subprocess.run(["ss", "-xaH"], check=True, capture_output=True, text=True).stdout.splitlines():
        words = line.split()
        ends[words[5]] = ("listens", os.path.basename(words[4])) if words[1] == "LISTEN" else ("unix", words[7])
    return ends


class Node:
    """One that runs, as it is in a moment without mail."""

    def __init__(self, node, place):
        self.state, self.log, self.place, self.folder = str(node.state), node.log, str(place), str(node.folder)
        self.pids = [node.process.pid, *lab.offspring(node.process.pid)]
        self.names = {pid: lab.name_of(pid) for pid in self.pids}
        self.held = {pid: self.links(pid) for pid in self.pids}
        self.ends = socket_ends()
        self.owners = {}
        for pid, links in self.held.items():
            for target in links.values():
                self.owners.setdefault(target, set()).add(self.names[pid])

    @staticmethod
    def links(pid):
        found = {}
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
        return found

    def path(self, path):
        """Without what differs from run to run: where the state is, numbers, files of a folder that come and go."""
        path = path.removesuffix(" (deleted)")
        if not path.startswith(self.state):
            return path.replace(self.place + "/", "FOLDER/").replace(self.folder + "/no-database", "SIGNATURES")
        path = re.sub(r"\d+", "N", path[len(self.state) + 1:])
        if not path or path.startswith("run") or os.path.isdir(f"{self.state}/{path}"):
            return path or "STATE"
        return os.path.dirname(path) + "/*"

    def user(self, pid):
        uid = int(status_of(pid)["Uid"].split()[0])
        lines = pathlib.Path(self.place, "passwd").read_text().splitlines()
        return next((line.split(":")[0] for line in lines if line.split(":")[2] == str(uid)), str(uid))

    def socket(self, pid, target):
        """In a word, with whom; None for one that comes and goes: whether a process may make such is among its calls."""
        end = self.ends.get(target[8:-1], "goes")
        if isinstance(end, str):
            return {"listens": "listening TCP"}.get(end)
        if end[0] == "listens":
            return f"listening: `run/{end[1]}`"
        others = self.owners.get(f"socket:[{end[1]}]", set())
        return "to " + ", ".join(sorted(others - {self.names[pid]} or others or {"somebody outside"}))

    def descriptors(self, pid):
        """Three sets: sockets, folders, files."""
        sockets, folders, files = set(), set(), set()
        for fd, target in self.held[pid].items():
            if target.startswith("socket:"):
                sockets.add(self.socket(pid, target))
            elif os.path.isdir(f"/proc/{pid}/fd/{fd}"):
                is_mounted = target != "/" or os.stat(f"/proc/{pid}/fd/{fd}").st_dev == os.stat("/").st_dev
                folders.add(self.path(target) if is_mounted else "a tmpfs that is mounted nowhere")
            elif not PRIVATE.match(target) and target != str(self.log):
                with open(f"/proc/{pid}/fdinfo/{fd}") as file:
                    flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags"))
                files.add(f"{self.path(target)} {('r', 'w', 'rw')[flags & 3]}")
        return sockets - {None}, folders, files

    def maps(self, pid):
        """What others map too, and how: "run/counters rw"; not what libraries read of the system's."""
        found = set()
        with open(f"/proc/{pid}/maps") as file:
            for line in file:
                words = line.split(maxsplit=5)
                if words[1][3] == "s" and len(words) == 6 and not words[5].startswith("/usr/lib/"):
                    found.add(f"{self.path(words[5].strip())} {words[1][:2].replace('-', '')}")
        return found

    @staticmethod
    def is_executable_and_writable(pid):
        with open(f"/proc/{pid}/maps") as file:
            return any(line.split()[1][1:3] == "wx" for line in file)

    def reach(self):
        """By process what its jail lets it open, as it said when the jail closed."""
        found = {}
        for name, what, paths in re.findall(r"jail: ([a-z ]+): (folders|readable|writable|executable|all files)(.*)", self.log.read_text()):
            found.setdefault(name.replace(" ", "-"), {})[what] = [self.path(path) for path in paths.lstrip(":").split()]
        return found


def row_of(node, pid):
    status = status_of(pid)
    sockets, folders, files = node.descriptors(pid)
    is_filtered = status["Seccomp"].strip() == "2"
    return {"user": node.user(pid), "calls": seccomp_reader.calls_of(pid) if is_filtered else {}, "sockets": sockets, "folders": folders,
            "files": files, "maps": node.maps(pid), "capabilities": capabilities(pid),
            "new privileges": "no" if status["NoNewPrivs"] == "1" else "yes", "seccomp": SECCOMP[status["Seccomp"].strip()],
            "groups": status["Groups"].split(), "wx": node.is_executable_and_writable(pid)}


def rows_of(node):
    """By name; of several of one name their sockets and maps together, all else being the same."""
    rows = {}
    for pid in node.pids:
        row = row_of(node, pid)
        known = rows.setdefault(node.names[pid], row)
        for name, value in row.items():
            if isinstance(value, set):
                known[name] |= value
            else:
                assert known[name] == value, (node.names[pid], name, known[name], value)
    for name, row in rows.items():
        lasting(row, node.reach().get(name, {}))
    return rows


def lasting(row, reach):
    """Without what the process opens and maps for a moment, as it always may: files below its folders, and what it holds a descriptor of."""
    own = tuple(f"{path}/" for paths in reach.values() for path in paths)
    for kind in ("files", "maps"):
        row[kind] = {one for one in row[kind] if not one.startswith(own)}
    row["maps"] -= row["files"]


# --- in words ---

def table(head, lines):
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines)) + "\n"


def listed(words):
    return ", ".join(sorted(words)) or "nothing"


def pages(maps):
    """"run/events/deliver.N rw" as code and a word; the rings of all processes together."""
    rings = {one for one in maps if one.startswith("run/events/")}
    if len(rings) > 1:
        maps = maps - rings | {re.sub("/[a-z]+[.]", "/*.", one) for one in rings}
    return listed(f"`{one.rsplit(' ', 1)[0]}` {one.rsplit(' ', 1)[1]}" for one in maps)


def opens(reach):
    if "all files" in reach:
        return "whatever its user may"
    ways = [("reads and writes", reach.get("folders", []) + reach.get("writable", [])), ("reads", reach.get("readable", [])),
            ("reads and executes", reach.get("executable", []))]
    return "; ".join(f"{how} below {', '.join(f'`{path}`' for path in dict.fromkeys(paths))}" for how, paths in ways if paths) or "nothing"


def call_words(calls, besides=()):
    return listed(f"`{name}`" + ("" if how == "always" else "*") for name, how in calls.items()
                  if not how.startswith("fails") and (name, how) not in besides)


def failing_words(calls, fallback):
    by_error = {}
    for name, how in calls.items():
        if how.startswith("fails") and how != fallback:
            by_error.setdefault(errno.errorcode[int(how.split()[1])], []).append(f"`{name}`")
    return "; ".join([f"{error}: {listed(names)}" for error, names in sorted(by_error.items())] +
                     (["ENOSYS: all others"] if fallback else []))


def calls_table(jailed):
    """Who starts programs has a list of another kind: there a call that is in none fails."""
    starts = {name for name, row in jailed.items() if "execve" in row["calls"]}
    common = set.intersection(*(set(row["calls"].items()) for name, row in jailed.items() if name not in starts))
    assert all(name in row["calls"] for name, how in common for row in jailed.values())
    text = ("System calls, on amd64 (* with some arguments only; what stands nowhere ends the process). All processes with a filter, "
            f"{' and '.join(sorted(starts))} whatever the arguments are:\n{call_words(dict(common))}.\n\n")
    return text + table(["process", "system calls beside those", "that fail instead"],
                        [[name, call_words(row["calls"], common), failing_words(row["calls"], f"fails {errno.ENOSYS}" if name in starts else "")]
                         for name, row in jailed.items()])


def tables(rows, reach):
    jailed = {name: row for name, row in rows.items() if row["seccomp"] == "filter"}
    text = table(["process", "runs as", "capabilities (effective, permitted, bounding)", "new privileges", "seccomp"],
                 [[name, row["user"], row["capabilities"], row["new privileges"], row["seccomp"]] for name, row in rows.items()])
    text += table(["process", "opens (Landlock)", "holds open", "sockets", "maps that others have too"],
                  [[name, opens(reach.get(name, {})) if name in jailed else "whatever root may",
                    listed(f"`{one}`" for one in row["folders"] | row["files"]), listed(row["sockets"]), pages(row["maps"])]
                   for name, row in rows.items()])
    return text + calls_table(jailed)


# --- the node ---

@contextlib.contextmanager
def standing():
    """A node with users of their own, after some mail, and its folder."""
    with own_users.open_folder() as place, tempfile.TemporaryDirectory() as folder:
        own_users.users_make(place, own=True)
        hook = place / "hooks/tell"
        hook.parent.mkdir()
        shutil.copy("/bin/true", hook)
        sink = lab.Sink(folder)
        config = own_users.CONFIG.replace("/bin/true", str(hook)) + "log {{ level debug }}\n"
        node = own_users.node_make(lambda config, **values: lab.Node(folder, config, **values), place, sink.port, config)
        try:
            node.start(through=own_users.through(place))
            assert lab.Client(node.port).send(lab.message())[0] == 250
            sink.wait(1)
            yield node, place
        finally:
            if node.process and node.process.poll() is None:
                node.kill()
            sink.stop()


def written():
    text = DOCUMENT.read_text()
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)]


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    with standing() as (node, place):
        seen = Node(node, place)
        text = tables(rows_of(seen), seen.reach())
    if chosen.write:
        DOCUMENT.write_text(DOCUMENT.read_text().replace(BEGIN + written(), BEGIN + "\n" + text))
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
