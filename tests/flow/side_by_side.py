#!/usr/bin/python3
"""Runs the flow tests, several files at a time, since they mostly wait: two for each processor, and up to five where the
processors stand idle all the same. Each runner has a network of its own where root can make one, so that no two tests meet on a port.
Tests marked `alone` measure time: they run when all others are over, one file for each processor.
Files in SANITIZED take the programs with sanitizers; the others those without, where --plain names a build of them.
--beside runs a command of the shell at a low priority meanwhile, and waits for it before those that are alone. It may build the programs
with sanitizers first: what needs them waits for the file that --built names, and fails when the command ends without it.
With --again up to AGAIN_MOST tests that failed while others ran beside them are run once more when the machine is quiet, and both
results are shown: what fails twice has failed.
usage: side_by_side.py [--runners N] [--plain BUILD] [--again] [-k EXPRESSION] [--beside COMMAND [--built FILE]]
The last line is "flows: N passed, N failed"."""
import argparse
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import typing
import xml.etree.ElementTree as tree

HERE = pathlib.Path(__file__).resolve().parent
CLONE_NEWNET = 0x40000000
NOTHING_TO_RUN = 5  # pytest's exit code


def own_network():
    """In the child, before pytest: a network with nothing but its loopback. Without the right to it the host's stays."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Result:
    """What one call of pytest came to."""

    def __init__(self, code, output, report, seconds, busy):
        self.code, self.output, self.seconds, self.busy = code, output, seconds, busy
        self.ran = self.failed = 0
        self.names = []  # of those that failed, as pytest takes them
        try:
            suite = tree.parse(report).getroot().find("testsuite")
            self.names = [f"{one.get('classname').replace('.', '/')}.py::{one.get('name')}" for one in suite.iter("testcase")
                          if one.find("failure") is not None or one.find("error") is not None]
            self.failed = int(suite.get("failures")) + int(suite.get("errors"))
            self.ran = int(suite.get("tests")) - int(suite.get("skipped"))
        except (OSError, tree.ParseError, AttributeError):
            pass
        if code not in (0, NOTHING_TO_RUN):  # also when pytest itself failed, or was killed
            self.failed = max(self.failed, 1)
        self.passed = max(self.ran - self.failed, 0)


def run(files, mark, expression, build, share="1/1"):
    """One call of pytest for `files`: those of their tests that `mark` selects, with the programs of `build`; test N of each M for the share N/M."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "-rfEs", "--no-header",
                 "-m", mark, f"--share={share}", f"--junit-xml={report}"]
        words += ["-k", expression] if expression else []
        began = time.monotonic()
        tests = os.environ.get("SEKIMORI_BUILD", "")  # the build that has programs of the tests
        environment = {**os.environ, **({"SEKIMORI_BUILD": build, "SEKIMORI_TESTS": tests} if build else {})}
        with subprocess.Popen([*words, *map(str, files)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=environment, preexec_fn=own_network) as tests:
            output = tests.stdout.read()
            _, status, used = os.wait4(tests.pid, 0)
            tests.returncode = os.waitstatus_to_exitcode(status)
        return Result(tests.returncode, output, report, time.monotonic() - began, used.ru_utime + used.ru_stime)


def say(name, result):
    if result.code == NOTHING_TO_RUN:
        return
    print(f"{name:32} {result.passed:4} passed, {result.failed:2} failed  {result.seconds:6.1f} s, {result.busy:6.1f} s of processors", flush=True)
    if result.failed or "SKIPPED" in result.output:
        print(result.output, flush=True)


# Those that run longest begin first, or the last of them would run on while other runners stand idle.
LONGEST = ("test_crash", "test_attack", "test_hang", "test_shipping", "test_hooks", "test_quarantine", "test_lab", "test_queue", "test_disk", "test_report",
           "test_own_addresses", "test_reload", "test_step", "test_health", "test_digest", "test_abuse", "test_clock", "test_deliver", "test_receive",
           "test_drain", "test_relay", "test_vrrp", "test_lookup")
# Several runners share these, test by test: one alone would run on when all others are over.
SHARES = {"test_crash": 3, "test_attack": 3}
# Where bytes of strangers meet our parsers most, and what needs programs of the tests. ./test --thorough runs all so.
SANITIZED = {"test_attack", "test_charset", "test_ledger", "test_lookup", "test_parse", "test_receive", "test_scan"}
# Take programs without sanitizers, but some of their own from the build of the tests.
WITH_TEST_PROGRAMS = {"test_evasion", "test_matrix", "test_open"}


AGAIN_MOST = 3
ENOUGH_IDLE, LEAST_IDLE, LOOK_SECONDS = 0.4, 0.1, 2


def run_again(results, build_of):
    """The failures of `results` once more, one by one. Returns how many passed now."""
    failed = sum(one.failed for one in results)
    names = sorted({name for one in results for name in one.names})
    if not 0 < failed <= AGAIN_MOST or len(names) != failed:
        return 0
    passed = 0
    for name in names:
        path = HERE / pathlib.Path(name.split("::")[0]).name
        result = run([f"{path}::{name.split('::', 1)[1]}"], "", "", build_of(path))
        passed += result.passed == 1 and result.failed == 0
        print(f"once more, alone: {name}: {'passed' if result.passed == 1 else 'FAILED'}  {result.seconds:.1f} s", flush=True)
        if result.passed != 1:
            print(result.output, flush=True)
    return passed


class Task(typing.NamedTuple):
    """A file, or one runner's share of it."""
    path: pathlib.Path
    number: int
    shares: int

    def name(self):
        return self.path.stem + (f" {self.number}/{self.shares}" if self.shares > 1 else "")


def tasks_of(paths):
    return [Task(path, number + 1, shares) for path in paths for shares in (SHARES.get(path.stem, 1),) for number in range(shares)]


class Tasks:
    """Those that no runner has taken yet. What needs the build with sanitizers waits for it."""

    def __init__(self, left, built, beside, plain):
        self.left, self.built, self.beside, self.plain, self.lock = left, built, beside, plain, threading.Lock()

    def needs_build(self, task):
        return not self.plain or task.path.stem in SANITIZED | WITH_TEST_PROGRAMS

    def is_built(self):
        return not self.built or self.built.exists()

    def is_over(self):
        """Nothing is left, or nothing that will ever be able to run."""
        with self.lock:
            return not self.left or (self.beside and self.beside.poll() is not None and not self.is_built() and
                                     all(map(self.needs_build, self.left)))

    def take(self):
        """The first one whose programs are built; None when there is none."""
        with self.lock:
            is_built = self.is_built()
            task = next((one for one in self.left if is_built or not self.needs_build(one)), None)
            if task:
                self.left.remove(task)
            return task


class Places:
    """How many runners may have a file: `least`, and up to `most` one by one while the processors stand idle, what has a low priority aside;
    so each one more is seen before the next."""

    def __init__(self, least, most):
        self.least, self.most, self.open = min(least, most), most, min(least, most)

    @staticmethod
    def read():
        fields = [int(one) for one in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return fields[1] + fields[3] + fields[4], sum(fields)

    def watch(self, is_over):
        """Opens and closes places until all is over."""
        before = self.read()
        while not is_over():
            time.sleep(LOOK_SECONDS)
            after = self.read()
            idle, whole = (now - then for now, then in zip(after, before))
            before = after
            if idle > ENOUGH_IDLE * whole:
                self.open = min(self.open + 1, self.most)
            elif idle < LEAST_IDLE * whole:
                self.open = max(self.open - 1, self.least)


def told_of(what, act):
    """Calls act, and says how long that took and how busy the processors were: what is said of each file lacks the processes that outlived
    who began them, most of a node's."""
    read = lambda: [int(one) for one in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    began, before = time.monotonic(), read()
    act()
    spent = [now - then for now, then in zip(read(), before)]
    idle, whole = spent[3] + spent[4], max(1, sum(spent))
    print(f"{what}: {time.monotonic() - began:.0f} s, processors busy {100 - 100 * idle // whole}%", flush=True)


def cost(path):
    return (path.stem in LONGEST and len(LONGEST) - LONGEST.index(path.stem), path.stat().st_size)


def at_once(count, work):
    """work(number) in so many threads; returns when all are over."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_beside(tasks, chosen, build_of, results):
    """All but those that are alone."""
    places = Places(2 * (os.cpu_count() or 1), max(1, chosen.runners))

    def runner(number):
        while not tasks.is_over():
            task = tasks.take() if number < places.open else None
            if task is None:
                time.sleep(0.2)
                continue
            result = run([task.path], "not alone", chosen.expression, build_of(task.path), f"{task.number}/{task.shares}")
            say(task.name(), result)
            results.append(result)

    at_once(places.most + 1, lambda number: runner(number) if number < places.most else places.watch(tasks.is_over))


def run_alone(paths, chosen, build_of, results):
    """They measure time and mostly wait: one for each processor does not disturb the others."""
    left = [path for path in paths if "mark.alone" in path.read_text()]

    def runner(_):
        while left:
            try:
                path = left.pop(0)
            except IndexError:
                return
            result = run([path], "alone", chosen.expression, build_of(path))
            say(f"{path.stem}, alone", result)
            results.append(result)

    at_once(max(1, min(chosen.runners, os.cpu_count() or 1)), runner)


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--runners", type=int, default=(os.cpu_count() or 1) * 5, help="all but two for each processor only while processors stand idle")
    options.add_argument("--plain", default="", help="a build without sanitizers")
    options.add_argument("--again", action="store_true")
    options.add_argument("-k", dest="expression", default="")
    options.add_argument("--beside", metavar="COMMAND")
    options.add_argument("--built", metavar="FILE", type=pathlib.Path)
    chosen = options.parse_args()
    if chosen.built and not chosen.beside:
        options.error("--built wants --beside")
    build_of = lambda path: "" if path.stem in SANITIZED else chosen.plain
    paths = sorted(HERE.glob("test_*.py"), key=cost, reverse=True)
    beside = None
    if chosen.beside:
        beside = subprocess.Popen(["nice", "-n", "5", "sh", "-c", chosen.beside], stdin=subprocess.DEVNULL)
    tasks, results = Tasks(tasks_of(paths), chosen.built, beside, chosen.plain), []
    told_of("flow tests side by side", lambda: run_beside(tasks, chosen, build_of, results))
    if beside:
        told_of("what ran beside them", beside.wait)
    if not tasks.left:
        told_of("tests alone", lambda: run_alone(paths, chosen, build_of, results))
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    recovered = run_again(results, build_of) if chosen.again else 0
    passed, failed = passed + recovered, failed - recovered
    if recovered:
        print(f"{recovered} of them passed at the second try only")
    if tasks.left:
        print(f"not run, since their programs were not built: {', '.join(task.name() for task in tasks.left)}")
        failed += len(tasks.left)
    print(f"flows: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
