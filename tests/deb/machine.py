# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Machines for tests of packages: each has a root, mounts, processes, a network and a host name of its own, so that port 25 is its
own too and that nothing of it outlives it. Its root is a copy of a tree that debootstrap made, or this machine's own below a layer
that takes all that is written. Its first process is systemd, where it was started so, or one that only collects the dead."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive"}
COPY = r"""set -e
mount --make-rprivate /
mount --bind "$0" "$0"
"""
LAYER = r"""set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
set -- "$0/root"
"""
BEGIN = r"""cd "${1:-$0}"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
[ -z "${CGROUP-}" ] || mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for name in null zero full random urandom tty; do : >dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
hostname mx.example.jp
pivot_root . mnt
echo ready
"""
PLAIN = r"""exec chroot . perl -e '$SIG{CHLD} = "IGNORE"; `/bin/umount -l /mnt`; sleep while 1'
"""
# What the kernel has only once, its settings, clock, log and modules, stays as the host has it, whatever a package's unit would like.
SYSTEMD = r"""mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
chroot . umount -l /mnt
exec setpriv --bounding-set -sys_time,-syslog,-sys_module,-sys_rawio,-sys_boot \
    chroot . env container=test /lib/systemd/systemd --log-target=null <dev/null >dev/null 2>&1
"""


def mirror():
    """Where this machine's own apt has Debian from."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"],
                          capture_output=True, text=True, check=True)
    places = done.stdout.split()
    assert places, "apt has no list of Debian's packages; apt-get update fetches it"
    return places[0]


def tree_make(base, release):
    """The smallest tree of a release, made once and kept as `base`. What debootstrap mounts in it goes when it ends, however it ends."""
    if base.exists():
        return
    half = base.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "debootstrap", "--variant=minbase", release, half, mirror()],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    half.rename(base)


class Machine:
    """`base`: the tree to copy, or None for this machine's own; `place`: a folder for it. Use it in a `with`."""

    def __init__(self, base, place):
        self.place = pathlib.Path(place)
        self.begin = (COPY if base else LAYER) + BEGIN
        self.options = ""  # of each installation
        self.first = self.pid = self.cgroup = None
        shutil.rmtree(self.place, ignore_errors=True)
        if base:
            subprocess.run(["cp", "-a", "--reflink=auto", base, self.place], check=True)
        else:
            self.place.mkdir()

    def __enter__(self):
        self.start(PLAIN, [])
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.place)

    def start(self, first, more):
        words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--uts", "--ipc", *more, "--fork",
                 "--kill-child", "sh", "-c", self.begin + first, self.place]
        if self.cgroup:
            words = ["sh", "-c", 'echo $$ >"$CGROUP/cgroup.procs"; exec "$@"', "sh", *words]
        self.first = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "CGROUP": self.cgroup or ""})
        assert self.first.stdout.readline() == "ready\n", "the machine does not come up"
        self.pid = int(pathlib.Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children").read_text())

    def stop(self):
        self.first.kill()  # and with it the machine's first process, and with that all that runs in it
        self.first.wait()
        self.first.stdout.close()
        while os.path.exists(f"/proc/{self.pid}"):
            time.sleep(0.05)
        if self.cgroup:
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                os.rmdir(folder)
            self.cgroup = None

    def boot(self):
        """The same machine with systemd as its first process, in a control group of its own. As on any machine with systemd nothing else
        runs timed jobs then: without systemd-sysv logrotate brings cron, and that exim4, which takes port 25."""
        self.fetch("systemd-sysv")
        self.install("systemd-sysv")
        self.stop()
        with open("/proc/mounts", encoding="utf-8") as mounts:
            (there,) = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
        self.cgroup = tempfile.mkdtemp(prefix="machine", dir=there)
        self.start(SYSTEMD, ["--cgroup"])
        self.wait_for("systemctl is-system-running | grep -qE 'running|degraded'", "systemd is up")

    def _words(self, command, network):
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--root", "--wd"] + (["--net"] if network == "own" else [])
        return ["nsenter", "--target", str(self.pid), *spaces, "sh", "-c", command]

    def try_run(self, command, network="own", seconds=1800):
        """A shell command; stdout and stderr together. `network`: own, or the host's, for apt alone."""
        return subprocess.run(self._words(command, network), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=ENVIRONMENT, timeout=seconds)

    def run(self, command, **options):
        """Its output; it has to succeed."""
        done = self.try_run(command, **options)
        assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}{self.journal()}"
        return done.stdout

    def journal(self):
        """What the node's unit said last, where there is systemd."""
        return self.try_run("journalctl --no-pager --lines=40 --unit=sekimori").stdout if self.cgroup else ""

    def spawn(self, command):
        """Goes on beside the test until it is killed or the machine ends."""
        return subprocess.Popen(self._words("exec " + command, "own"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, env=ENVIRONMENT)

    @contextlib.contextmanager
    def host_program(self, *words):
        """A program of this machine's runs in the other's network alone, as long as the `with`."""
        running = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "nsenter", "--target", str(self.pid), "--net", *words],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            running.kill()
            running.wait()

    def wait_for(self, command, what, seconds=30):
        """Until the command succeeds."""
        end = time.monotonic() + seconds
        while (done := self.try_run(command)).returncode != 0:
            assert time.monotonic() < end, f"not in {seconds} s: {what}\n{done.stdout}"
            time.sleep(0.2)
        return done.stdout

    def path(self, inside):
        return pathlib.Path(f"/proc/{self.pid}/root") / str(inside).lstrip("/")

    def has(self, inside):
        return os.path.lexists(self.path(inside))

    def write(self, inside, text):
        self.path(inside).write_text(text)

    def fetch(self, what):
        """Lets apt have all that installing `what` needs, so that the installation itself needs no network."""
        self.run("rm -f /var/lib/man-db/auto-update")  # nobody asks for the index of the manual here
        fetch = f"apt-get install -y -q --download-only {self.options} {what}"
        self.run(f"{fetch} || {{ apt-get update -q && {fetch}; }}", network="host")

    def install(self, what):
        return self.run(f"cd /root && apt-get install -y -q {self.options} {what}")
