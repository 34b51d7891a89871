# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: signatures are fetched by whom the configuration says and never too often, noticed within seconds whoever wrote them, tried
before they serve, and a bad set changes nothing but the alarm."""
import http.server
import os
import shutil
import threading
import time

import pytest

import lab
import own_users

FRESHCLAM = shutil.which("freshclam") or os.environ.get("SEKIMORI_FRESHCLAM", "")


def rule(name, word):
    return f"{name}:0:*:{word.encode().hex()}\n"


class Mirror(http.server.ThreadingHTTPServer):
    """Files of a folder on loopback, or one status for all; counts who comes."""

    def __init__(self, folder):
        self.folder, self.status, self.asked = folder, 200, 0
        mirror = self

        class Answers(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(mirror.folder))

            def do_GET(self):
                mirror.asked += 1
                if mirror.status != 200:
                    self.send_error(mirror.status)
                else:
                    super().do_GET()

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    server = Mirror(tmp_path / "mirror")
    yield server
    server.shutdown()
    server.server_close()


def values(node, name):
    return next(one["values"] for one in node.status()["processes"] if one["name"] == name)


def send(node, word):
    client = lab.Client(node.port)
    try:
        return client.send(lab.message(body=f"There is {word} in it.\n"))[:2]
    finally:
        client.close()


def finds(node, word):
    return lab.wait_for(lambda: send(node, word)[0] == 550, f"{word} is refused")


def configure(node, engine):
    """In the place of lab.write's engine, which has the built-in signatures alone."""
    text = node.config.read_text().replace("builtin only from", "builtin from")
    node.config.write_text(text.replace(f"database {node.folder / 'no-database'}", engine))


def test_a_change_is_noticed_and_a_bad_set_refused(nodes, inside, tmp_path):
    """Nobody says reload: files come, are half written, are broken and are mended, in the first set and in the second."""
    database, also = tmp_path / "database", tmp_path / "also"
    database.mkdir(), also.mkdir()
    (database / "one.ndb").write_text(rule("First.One", "frobnicate"))
    os.utime(database / "one.ndb", (time.time() - 2 * 86400,) * 2)
    (also / "other.yar").write_text('rule one { strings: $a = "wibbleword" condition: $a }\n')
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n", start=False, inside=inside.port)
    configure(node, f"database {database}; stale after 1d; also {{ name others; folder {also} }}")
    node.start()
    assert send(node, "frobnicate")[0] == 550 and send(node, "wibbleword")[0] == 550 and send(node, "nothing")[0] == 250
    told = values(node, "scan")
    assert all(told[f"signatures {name}"].startswith("of 20") and told[f"signatures {name}"].endswith(" old, 1 signatures, 1 file") for name in ("clamav", "others"))
    lab.wait_for(lambda: "2 days old" in node.run("health", check=False).stdout, "their age is an alarm")
    # A file that is being written is left alone, for longer than the quiet that is waited for.
    with open(database / "slow.ndb", "w") as file:
        for number in range(20):
            file.write(rule(f"Slow.N{number}", f"slow word {number}"))
            file.flush()
            time.sleep(0.1)
        assert "loading them anew" not in node.text()
    began = time.monotonic()
    (also / "more.ndb").write_text(rule("Other.Two", "quuxword"))
    finds(node, "quuxword")
    assert time.monotonic() - began < 10
    told = values(node, "scan")
    assert told["signatures clamav"].endswith(" old, 21 signatures, 2 files") and "signatures refused" not in told
    lab.wait_for(lambda: "2 days old" not in node.run("health", check=False).stdout, "which ends")
    # One that is broken is refused; the old ones serve, health and status say so, and a good one ends it.
    (also / "more.ndb").write_text("this is no signature\n")
    lab.wait_for(lambda: "signatures refused" in values(node, "scan"), "the broken file is refused")
    assert send(node, "quuxword")[0] == 550 and "the old signatures stay" in node.text()
    lab.wait_for(lambda: "the new ones cannot be used" in node.run("health", check=False).stdout, "the node is sick")
    assert "more.ndb" in node.run("check", "--libexec", lab.BUILD / "src/libexec", node.config, where=False, check=False).stderr
    (also / "more.ndb").write_text(rule("Other.Three", "plughword"))
    finds(node, "plughword")
    assert "signatures refused" not in values(node, "scan")


COMMAND = """#!/bin/sh
rm -f "$SEKIMORI_FOLDER"/* && cp {source}/* "$SEKIMORI_FOLDER"/
! touch {source}/jail 2>/dev/null
"""


@pytest.mark.skipif(not FRESHCLAM, reason="clamav-freshclam is not installed")
def test_the_node_fetches_by_itself(nodes, inside, tmp_path, place, mirror):
    """By freshclam and by a command, once an hour at most; an unlucky fetch changes nothing. With one copy in memory at a time."""
    (mirror.folder / "own.ndb").write_text(rule("Own.One", "frobnicate"))
    source, program = place / "source", place / "fetch"
    source.mkdir()
    (source / "third.yar").write_text('rule third { strings: $a = "wibbleword" condition: $a }\n')
    program.write_text(COMMAND.format(source=source))
    program.chmod(0o755)
    os.chmod(place, 0o755), os.chmod(source, 0o755)
    node = nodes("user sekimori\ndomains {{ example.test 127.0.0.1:{inside} }}\n", start=False, inside=inside.port)
    configure(node, f"""update {{ by self; from "http://127.0.0.1:{mirror.server_port}/own.ndb"; with {FRESHCLAM} }}
        also {{ command {program} }}; reload frugal; unavailable accept""")
    own_users.settle(node, place)
    own_users.users_make(place, True)
    node.start(through=own_users.through(place))
    finds(node, "frobnicate"), finds(node, "wibbleword")
    told = values(node, "helper")
    assert told["signatures of clamav"].startswith("updated; begun 20") and told["signatures of also"].startswith("updated")
    record = node.state / "signatures/fetched"
    asked, written = mirror.asked, record.read_text()
    # Not again within the hour, whoever starts the node anew; then the mirror refuses, and the command brings nonsense.
    helper = node.pids("helper")[0]
    node.stop()
    mirror.status = 429
    record.write_text(written.split("\n")[0] + "\nalso 1 1 0 0\n")
    (source / "third.yar").unlink(), (source / "third.ndb").write_text("this is no signature\n")
    node.start(through=own_users.through(place))
    lab.wait_for(lambda: "what came is not taken" in values(node, "helper").get("signatures of also", ""), "the nonsense is refused")
    assert "third.ndb" in node.text() and mirror.asked == asked and helper != node.pids("helper")[0]
    assert send(node, "wibbleword")[0] == 550 and send(node, "frobnicate")[0] == 550
    node.stop()
    record.write_text("clamav 1 1 0 0\n" + record.read_text().split("\n")[1] + "\n")
    node.start(through=own_users.through(place))
    lab.wait_for(lambda: "put off: the server asks to come later (429)" in values(node, "helper")["signatures of clamav"], "429 is understood")
    not_before = int(record.read_text().split()[4])
    assert 3600 < not_before / 1000 - time.time() < 5 * 3600
    assert send(node, "frobnicate")[0] == 550
