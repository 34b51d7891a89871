# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""A node of which each process has a user of its own, on a machine that has no such users: sekimorid finds them in a /etc/passwd of the
test's. It has every process there is."""
import contextlib
import pathlib
import shutil
import subprocess
import tempfile

import lab

CONFIG = """user sekimori
listen 127.0.0.1:{port} {{ direction in }}
domains {{ example.test 127.0.0.1:{inside} {{ dkim rsa a-rsa:{there}/example.test/a-rsa.pem }} }}
node {{ number 1; certificate {there}/node.pem; key {there}/node.key; ca {there}/ca.pem }}
ledger {{ listen 127.0.0.1:{collector} }}
alarm {{ hook /bin/true }}
virus {{ engine outside clamd unix:/nonexistent/clamd {{ unavailable accept }}; engine run command /bin/true }}
quarantine {{ most 1G }}
queue {{ retry first 1s; retry most 2s }}
report {{ language en }}
metrics {{ listen 127.0.0.1:{monitors} }}
"""
FIRST_UID = 61200  # of users that only the test's own /etc/passwd has


@contextlib.contextmanager
def open_folder():
    """A folder where every user may go, as /var/lib is, and where no hook may write: pytest's are root's alone, below /tmp."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="users", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def users_make(place, own):
    """A /etc/passwd and a /etc/group of the machine's users, sekimori, and where `own` says so one for each process."""
    names = ["sekimori"] + [f"sekimori-{name}" for name in lab.PROGRAMS if own]
    ids = {name: FIRST_UID + (0 if name == "sekimori" else 1 + lab.PROGRAMS.index(name[9:])) for name in names}
    passwd = "".join(f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" for name, number in ids.items())
    group = "".join(f"{name}:x:{number}:\n" for name, number in ids.items())
    for name, more in (("passwd", passwd), ("group", group)):
        (place / name).write_text(pathlib.Path(f"/etc/{name}").read_text() + more)
    return ids


def through(place):
    """What starts a program with these users in the place of the machine's."""
    return ("unshare", "--mount", "sh", "-c", f'mount --bind {place}/passwd /etc/passwd && mount --bind {place}/group /etc/group && exec "$0" "$@"')


def settle(node, place):
    """State, programs and signatures lie in that folder: the tree itself may lie where only its owner goes, as in /root."""
    node.state, text = place / "state", node.config.read_text()
    node.config.write_text(text.replace(f"state {node.folder}/state", f"state {node.state}"))
    node.signatures_at(place / "signatures")
    node.libexec = place / "libexec"
    node.libexec.mkdir()
    for name in lab.PROGRAMS:
        shutil.copy(lab.BUILD / "src/libexec" / name, node.libexec / name)
    return node


def keys_make(folder):
    """Of the node, and of its domain's mail."""
    for words in (("ca", "init", "--dir", folder), ("ca", "issue", "node", "--ip", "127.0.0.1", "--dir", folder),
                  ("dkim", "new", "example.test", "--selector", "a", "--output", folder)):
        subprocess.run([lab.BUILD / "src/cli/sekimori", *words], check=True, capture_output=True)


def node_make(make, place, inside, config=CONFIG):
    """`make`: of a node that is not started, from a configuration and its values."""
    keys_make(place / "ca")
    return settle(make(config, inside=inside, there=place / "ca", collector=lab.free_port(), monitors=lab.free_port()), place)
