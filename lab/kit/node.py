"""A mail node: a real sekimorid with the files of doc/three-servers.md, and on an edge a real keepalived."""
import json
import os
import re
import shutil
import signal

from . import page, plan, programs, wires
from .machine import Machine, kill_at_once, wait_for

# What differs from the page: folders, users, and clocks that a story can wait for.
LAB_ONLY = """
state {state}
virus {{ engine clamav {{ builtin only from {root}/conf/signatures; database {folder}/no-database }} }}
queue {{ retry first 1s; retry most 2s; segment 8M }}
deliver {{ time connect 3s }}
dns {{ timeout 1s; dnssec off }}
auth mode off
health {{ clock error 0 }}
"""


class Node(Machine):
    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.state = self.folder / "state"
        self.etc = self.folder / "etc"
        self.config = self.etc / "sekimori.conf"

    # --- files ---

    def write_files(self):
        self.etc.mkdir(exist_ok=True)
        self.config.write_text(self.configuration())
        name = f"{self.name}.example.ac.jp"
        for source, target in (("ca.pem", "ca.pem"), (f"{name}.pem", "node.pem"), (f"{name}.key", "node.key")):
            shutil.copy(self.lab.authority / source, self.etc / target)
        rules = self.etc / "nftables.conf"
        rules.write_text(page.of(self.name, "/etc/nftables.conf"))
        self.run("nft", "-f", rules)

    def configuration(self):
        text = page.of(self.name, "/etc/sekimori/sekimori.conf").replace("/etc/sekimori/", f"{self.etc}/")
        text = re.sub(r"^user .*\n", "", text, flags=re.M)
        return text + LAB_ONLY.format(state=self.state, folder=self.folder, root=page.ROOT)

    # --- running ---

    def up(self, wait=True):
        self.start("sekimorid", programs.folder() / "src/master/sekimorid", "-c", self.config,
                   "--libexec", programs.libexec())
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=60):
        wait_for(self.is_ready, lambda: f"{self.name} is ready:\n{self.text('sekimorid')[-2000:]}", seconds)

    def is_ready(self):
        if not self.pid("sekimorid"):
            raise AssertionError(f"sekimorid on {self.name} ended:\n{self.text('sekimorid')[-3000:]}")
        return self.sekimori("status", "--json", check=False).returncode == 0

    def is_up(self):
        return bool(self.pid("sekimorid"))

    def die(self):
        """kill -9 of everything the machine runs, as when its power is cut: no stop action runs, and the kernel no longer
        answers for an address it had."""
        for program in ("keepalived", "sekimorid"):
            self.kill(program)
        self.drop_shared_address()

    def has_shared_address(self):
        return plan.SHARED_ADDRESS in self.lab.wires.addresses(self.name).get("private", [])

    def drop_shared_address(self):
        self.run("ip", "address", "del", f"{plan.SHARED_ADDRESS}/24", "dev", "private", check=False)

    # --- asking it ---

    def sekimori(self, verb, *arguments, check=True):
        """The command, as on that machine. `queue` has its verb before the options."""
        words = [verb] if verb != "queue" else [verb, arguments[0]]
        return self.run(programs.sekimori(), *words, "--state", self.state, *arguments[len(words) - 1:], check=check)

    def status(self):
        done = self.sekimori("status", "--json", check=False)
        return json.loads(done.stdout) if done.stdout.startswith("{") else None

    def counter(self, process, name):
        """A number of `sekimori status`, all processes of that kind together."""
        return sum(int(one["values"][name]) for one in self.status()["processes"] if one["name"] == process)

    def queued(self):
        """The messages in its queue, as `queue list --json` shows them; None when it is down."""
        if not self.is_up():
            return None
        done = self.sekimori("queue", "list", "--json", check=False)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")] if done.returncode == 0 else None

    def quarantined(self):
        """Messages in quarantine, or None when the node does not answer."""
        done = self.sekimori("quarantine", "list", "--json", check=False)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")] if done.returncode == 0 else None

    def quarantined_content(self, message_id):
        return self.sekimori("quarantine", "show", "--content", message_id).stdout

    def content(self, message_id):
        return self.sekimori("queue", "cat", message_id).stdout

    def balance(self, seconds=30):
        done = self.sekimori("balance", "--json", "--wait", str(seconds), check=False)
        assert done.returncode == 0, f"{self.name}: balance: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def complaints(self):
        """What no program may ever say."""
        text = self.text("sekimorid")
        return [word for word in ("panic:", "AddressSanitizer", "runtime error") if word in text]


class Edge(Node):
    """Beside sekimorid it runs keepalived, as the unit of `sekimori keepalived --unit` says."""

    def up(self, wait=True):
        super().up(wait)
        self.start_keepalived()

    def unit(self):
        """What the unit does, in order: [("ExecStart", command), …]."""
        text = self.sekimori_config("keepalived", "--unit", "--folder", self.folder).stdout
        return re.findall(r"^(Exec\w+)=(.*)$", text, re.M)

    def sekimori_config(self, verb, *arguments):
        return self.run(programs.sekimori(), verb, "--config", self.config, *arguments)

    def start_keepalived(self):
        """A shell in the place of systemd: before, the program, and afterwards, however it ended."""
        unit = self.unit()
        steps = [command for step in ("ExecStartPre", "ExecStart", "ExecStopPost") for name, command in unit if name == step]
        self.start("keepalived", "sh", "-c", "; ".join(steps) + "; true")

    def keepalived_pids(self):
        found = []
        for name in ("keepalived.pid", "vrrp.pid"):
            try:
                found.append(int((self.folder / name).read_text()))
            except (OSError, ValueError):
                pass
        return [pid for pid in found if pid in wires.pids_in(self.namespace)]

    def restart_keepalived(self):
        if not self.pid("keepalived"):
            self.start_keepalived()

    def end_keepalived(self, number):
        """By a signal, -9 to all its processes; ends when the unit's stop action is done."""
        pids = self.keepalived_pids()
        if number == signal.SIGKILL:
            kill_at_once(pids)
        else:
            os.kill(pids[0], number)
        wait_for(lambda: not self.pid("keepalived"), f"keepalived on {self.name} ends", 10, 0.002)

    def stands_by(self):
        """keepalived has looked at the node, found that it serves, and would take the address or has it. What an earlier one
        wrote to the log says nothing of this one."""
        pids = self.keepalived_pids()
        _, started, since = self.text("keepalived").rpartition(f"Starting VRRP child process, pid={pids[-1]}\n" if pids else "\0")
        states = re.findall(r"Entering (\w+) STATE(.*)", since) if started else []
        return bool(states) and states[-1][0] in ("BACKUP", "MASTER") and "init" not in states[-1][1]

    def is_healthy(self):
        return self.sekimori("health", check=False).returncode == 0
