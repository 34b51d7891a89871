"""Goal: each process is denied what it may not do, and the denial is seen. Needs a build with -Djail_probe=true."""
import re
import subprocess

import pytest

import lab

# With a ledger that listens to other nodes, so that there is a courier, and a hook, so that there is a helper.
CONFIG = """domains {{ example.test 127.0.0.1:9 }}
node {{ number 1; certificate {there}/node.pem; key {there}/node.key; ca {there}/ca.pem }}
ledger {{ listen 127.0.0.1:{collector} }}
alarm {{ hook /bin/true }}
"""


def probes_are_built():
    return b"jail probe:" in (lab.BUILD / "src/receive/receive").read_bytes()


pytestmark = pytest.mark.skipif(lab.QUICK and not probes_are_built(), reason="the quick build has no probes")


@pytest.fixture
def whole(nodes, tmp_path):
    """A node with every process there is, not started."""
    for words in (("init",), ("issue", "node", "--ip", "127.0.0.1")):
        subprocess.run([lab.BUILD / "src/cli/sekimori", "ca", *words, "--dir", tmp_path / "ca"], check=True, capture_output=True)
    return nodes(CONFIG, start=False, there=tmp_path / "ca", collector=lab.free_port())


@pytest.mark.parametrize("attempt", ["open", "connect", "exec"])
def test_the_jail_denies(whole, attempt):
    assert probes_are_built(), "this build has no probes: meson setup -Djail_probe=true"
    node = whole
    node.start(wait=False, env={"SEKIMORI_JAIL_PROBE": attempt})
    # Who has it as its job. What helper starts inherits its jail, so that denies none of these.
    rights = {"connect": {"deliver", "lookup", "courier", "helper"}, "open": {"scan warden", "helper"}, "exec": {"helper"}}
    names = lab.PROGRAMS + (("scan warden", "scan worker") if attempt == "open" else ())
    told = {}

    def look():
        text = node.text()
        for name in names:
            tried = text.find(f"jail probe: {name} tries {attempt}")
            if f"jail probe: {name}: {attempt} denied" in text:
                told[name] = "denied"
            elif f"jail probe: {name}: {attempt} ALLOWED" in text:
                told[name] = "allowed"
            elif tried >= 0 and re.search(rf"error: {name} \d+ \(pid \d+\) was killed by its jail", text[tried:]):
                told[name] = "killed"
            elif tried >= 0 and attempt == "exec" and re.search(rf"warning: {name} \d+ \(pid \d+\) ended with exit code 0", text[tried:]):
                told[name] = "allowed"  # it became /bin/true
        return len(told) == len(names)

    lab.wait_for(look, f"every process has told ({told})", 40)
    for name in names:
        wanted = {"allowed"} if name in rights.get(attempt, ()) else {"denied", "killed"}
        assert told[name] in wanted, f"{name}: {attempt}: {told[name]}\n{node.text()[-3000:]}"


def test_every_process_is_jailed(whole):
    node = whole.start()
    assert {process["name"] for process in node.status()["processes"]} == set(lab.PROGRAMS)
    for process in node.status()["processes"]:
        with open(f"/proc/{process['pid']}/status") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", process
        if process["name"] != "scan":
            assert int(status["CapEff"], 16) == 0, process
