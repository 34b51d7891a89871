"""A host of the lab and what runs on it. Programs outlive the command that started them; what they are is kept in a small file
beside their logs, so that the next command finds them."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from . import plan


def wait_for(true, what, seconds=20.0, pause=0.03):
    """Polls until `true()` is truthy and returns that; fails with `what` when the time is up."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not in {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


def started_at(pid):
    """A pid may be given to another process: with the time of its start it is one process for ever. None: it is gone."""
    with contextlib.suppress(OSError):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        if fields[0] not in "ZX":
            return int(fields[19])
    return None


def family(pid):
    """A process and all below it."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def kill_at_once(pids):
    """None of them lives on to notice that another has died."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class Machine:
    """One namespace with a folder of its own for files and logs."""

    def __init__(self, lab, name):
        self.lab, self.name, self.host = lab, name, plan.HOSTS[name]
        self.namespace = lab.wires.namespace(name)
        self.folder = lab.folder / name
        self.children = {}  # program name -> Popen, of those that this command started
        self.folder.mkdir(parents=True, exist_ok=True)

    def address(self, network=None):
        return self.host.address(network or next(iter(self.host.legs)))

    def enter(self, *command):
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *map(str, command)]

    def run(self, *command, check=True, **more):
        done = subprocess.run(self.enter(*command), capture_output=True, text=True, timeout=120, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    # --- programs that run on ---

    def start(self, program, *command, env=None):
        with open(self.log(program), "ab") as log:
            child = subprocess.Popen(self.enter(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                     env={**os.environ, **(env or {})}, start_new_session=True)
        self.children[program] = child
        wait_for(lambda: started_at(child.pid) or child.poll() is not None, "the program starts", 5, 0.001)
        self.record(program).write_text(json.dumps({"pid": child.pid, "start": started_at(child.pid)}))
        return child.pid

    def record(self, program):
        return self.folder / f"{program}.process"

    def log(self, program):
        return self.folder / f"{program}.log"

    def text(self, program):
        return self.log(program).read_text(errors="replace") if self.log(program).exists() else ""

    def pid(self, program):
        """Of the running program, else None."""
        if program in self.children:
            self.children[program].poll()  # so that no dead child lies about
        try:
            known = json.loads(self.record(program).read_text())
        except (OSError, ValueError):
            return None
        return known["pid"] if known["start"] and started_at(known["pid"]) == known["start"] else None

    def stop(self, program, seconds=30):
        self.signal(program, signal.SIGTERM)
        wait_for(lambda: not self.pid(program), f"{program} on {self.name} ends", seconds)

    def signal(self, program, number):
        pid = self.pid(program)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self, program):
        """kill -9 of the program and all below it, at once."""
        pid = self.pid(program)
        if not pid:
            return
        kill_at_once(family(pid))
        wait_for(lambda: not self.pid(program), f"{program} on {self.name} is gone", 10)

    def memory(self, program):
        """Bytes of the program and all below it that no one else uses, and its share of what they use together."""
        total = 0
        for pid in family(self.pid(program)):
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total
