#!/usr/bin/python3
"""Runs the flow tests, several files at a time, since they mostly wait: two for each processor, and up to five where the
processors stand idle all the same. Each runner has a network of its own where root can make one, so that no two tests meet on a port. Tests marked `alone` measure time: they run one by one when all others are over.
Files in SANITIZED take the programs with sanitizers; the others those without, where --plain names a build of them.
--beside runs a command of the shell at a low priority meanwhile, and waits for it before those that are alone.
With --again up to AGAIN_MOST tests that failed while others ran beside them are run once more when the machine is quiet, and both
results are shown: what fails twice has failed.
usage: side_by_side.py [--runners N] [--plain BUILD] [--again] [-k EXPRESSION] [--beside COMMAND]
The last line is "flows: N passed, N failed"."""
import argparse
import ctypes
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time
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
        if code not in (0, 1, NOTHING_TO_RUN):  # pytest itself failed, or was killed
            self.failed = max(self.failed, 1)
        self.passed = max(self.ran - self.failed, 0)


def run(files, mark, expression, build):
    """One call of pytest for `files`: those of their tests that `mark` selects, with the programs of `build`."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "-rfEs", "--no-header",
                 "-m", mark, f"--junit-xml={report}"]
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
           "test_drain", "test_relay")
# Where bytes of strangers meet our parsers most, and what needs programs of the tests. ./test --thorough runs all so.
SANITIZED = {"test_attack", "test_charset", "test_ledger", "test_lookup", "test_parse", "test_receive", "test_scan"}


AGAIN_MOST = 3
LEAST_IDLE, IDLE_SECONDS = 0.45, 5


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


class Idle:
    """How idle the processors were of late, what has a low priority aside. More runners begin one by one, so that each sees what the one before it took."""

    def __init__(self):
        self.lock = threading.Lock()

    @staticmethod
    def read():
        fields = [int(one) for one in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return fields[1] + fields[3] + fields[4], sum(fields)

    def wait(self, is_needed):
        """Returns once LEAST_IDLE of the processors' time was idle for some seconds on end, or nothing is left to do."""
        while is_needed():
            with self.lock:
                before = self.read()
                time.sleep(IDLE_SECONDS)
                idle, whole = (now - then for now, then in zip(self.read(), before))
                if idle > LEAST_IDLE * whole:
                    return


def cost(path):
    return (path.stem in LONGEST and len(LONGEST) - LONGEST.index(path.stem), path.stat().st_size)


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--runners", type=int, default=(os.cpu_count() or 1) * 5, help="all but two for each processor only while processors stand idle")
    options.add_argument("--plain", default="", help="a build without sanitizers")
    options.add_argument("--again", action="store_true")
    options.add_argument("-k", dest="expression", default="")
    options.add_argument("--beside", metavar="COMMAND")
    chosen = options.parse_args()
    build_of = lambda path: "" if path.stem in SANITIZED else chosen.plain
    files = sorted(HERE.glob("test_*.py"), key=cost, reverse=True)
    beside = None
    if chosen.beside:
        beside = subprocess.Popen(["nice", "-n", "15", "sh", "-c", chosen.beside], stdin=subprocess.DEVNULL)
    waiting, results = queue.SimpleQueue(), []
    for path in files:
        waiting.put(path)

    idle = Idle()

    def runner(is_extra):
        while True:
            if is_extra:
                idle.wait(lambda: not waiting.empty())
            try:
                path = waiting.get_nowait()
            except queue.Empty:
                return
            result = run([path], "not alone", chosen.expression, build_of(path))
            say(path.stem, result)
            results.append(result)

    threads = [threading.Thread(target=runner, args=(number >= 2 * (os.cpu_count() or 1),)) for number in range(max(1, chosen.runners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if beside:
        beside.wait()
    for is_sanitized, build in ((False, chosen.plain), (True, "")):
        results.append(run(sorted(one for one in files if (one.stem in SANITIZED) == is_sanitized), "alone", chosen.expression, build))
        say("alone", results[-1])
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    recovered = run_again(results, build_of) if chosen.again else 0
    passed, failed = passed + recovered, failed - recovered
    if recovered:
        print(f"{recovered} of them passed at the second try only")
    print(f"flows: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
