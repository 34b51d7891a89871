# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what a node is taught changes how it judges what is like it; nothing is learned twice, all can be taken back, and neither a
crash nor a damaged file loses mail or more of what was learned than is damaged."""
import json
import os
import pathlib
import random
import re
import signal
import subprocess

import lab
import test_jail

MODEL = pathlib.Path(__file__).parents[2] / "conf/model/base.model"
CONFIG = "domains {{ example.test 127.0.0.1:{inside} }}\nspam {{ base model \"%s\" }}\n" % MODEL
HAM = ["meeting", "budget", "draft", "lecture", "seminar", "library", "students", "chapter", "review", "deadline", "corridor", "printer",
       "timetable", "thesis", "faculty", "minutes"]
SPAM = ["orchid", "vitamine", "jackpot", "replica", "lender", "casino", "bonus", "payout", "miracle", "slimming", "voucher", "roulette",
        "refinance", "wristwatch", "gummies", "lottery"]


def mail(is_spam, number):
    """Dull words of one kind, so that the base model has no opinion of it."""
    words = random.Random(number * 2 + is_spam)
    body = "\n".join(" ".join(words.choice(SPAM if is_spam else HAM) for _ in range(9)) for _ in range(6))
    sender = "Orchid Garden <hello@orchid.example>" if is_spam else "Mori Hanako <mori@office.example>"
    return lab.message(f"{words.choice(SPAM if is_spam else HAM)} {words.choice(SPAM if is_spam else HAM)}", body + "\n", From=sender,
                       Message_ID=f"<{int(is_spam)}.{number}@learn.example>")


def folder(path, is_spam, numbers):
    path.mkdir(parents=True)
    for number in numbers:
        (path / f"{number}.eml").write_text(mail(is_spam, number))
    return path


def points(node, inside, is_spam, number):
    """What LOCAL_MODEL says of a mail that was never taught; None: nothing."""
    before = len(inside.files())
    assert lab.Client(node.port).send(mail(is_spam, number))[0] == 250
    status = re.sub(rb"\r\n[ \t]+", b" ", inside.wait(before + 1)[-1])
    found = re.search(rb"LOCAL_MODEL=?\(?(-?[\d.]+)", status)
    return float(found.group(1)) if found else None


def stat(node):
    return json.loads(node.run("model", "stat", "--json").stdout)


def test_what_is_taught_is_judged(nodes, inside, tmp_path):
    node = nodes(CONFIG, inside=inside.port)
    assert node.run("learn", "spam", folder(tmp_path / "spam", True, range(30))).stdout == "30 mails learned as spam\n"
    assert points(node, inside, True, 101) is None  # one class alone counts for nothing
    mbox = tmp_path / "ham.mbox"
    mbox.write_text("".join(f"From a@b.example Mon Nov 30 10:00:00 2026\n{mail(False, n)}\n" for n in range(30)))
    said = node.run("learn", "ham", "--verbose", mbox).stdout
    assert said.endswith("30 mails learned as ham\n") and stat(node)["counts"]
    assert points(node, inside, True, 102) > 2 and points(node, inside, False, 103) < -1
    # so does a judge that needs no node: by the node's configuration, or told of its model
    lab.wait_for(lambda: (node.state / "ledger/local.model").exists(), "the model is on disk")
    for option in (("-c", node.config), ("--learned", node.state / "ledger/local.model")):
        judged = subprocess.run([lab.BUILD / "src/cli/sekimori", "judge", *option, "--json"], input=mail(True, 104), capture_output=True, text=True)
        assert {one["name"]: one["points"] for one in json.loads(judged.stdout)["signals"]}["LOCAL_MODEL"] > 2, judged
    damaged = tmp_path / "damaged.model"
    damaged.write_bytes((node.state / "ledger/local.model").read_bytes()[:-1])
    refused = subprocess.run([lab.BUILD / "src/cli/sekimori", "judge", "--learned", damaged], input="", capture_output=True, text=True)
    assert refused.returncode == 66 and f"{damaged}: " in refused.stderr, refused
    # nothing is learned twice, however it was carried; as the other class it is learned anew
    again = "Received: from x by y; Mon, 30 Nov 2026 10:00:00 +0900\n" + mail(False, 3)
    assert node.run("learn", "ham", "-", stdin=again).stdout == "0 mails learned as ham; 1 known already\n"
    changed = node.run("learn", "spam", "-", stdin=mail(False, 3)).stdout
    assert re.fullmatch(r"1 mail learned as spam \(1 of it known as ham before\); undone by: sekimori learn --undo [0-9a-f]{16}\n", changed)
    assert (stat(node)["ham"], stat(node)["spam"]) == (29, 31)
    # out, and into another node
    exported = tmp_path / "out.lessons"
    assert node.run("model", "export", exported).stdout == "60 lessons written\n"
    assert b"meeting" not in exported.read_bytes() and oct(exported.stat().st_mode)[-3:] == "600"
    identity = re.search(r"^taught ([0-9a-f]{16})", said, re.M).group(1)
    node.run("learn", "--undo", identity)
    assert stat(node)["ham"] == 28 and node.run("learn", "--undo", identity, check=False).returncode == 66
    assert node.run("model", "import", exported).stdout.startswith("1 learned, 0 of them")
    assert stat(node)["ham"] == 29
    acts = re.findall(r'"act": ?"(\w+)"', node.run("audit", "--json").stdout)
    assert acts.count("unlearn") == 2 and acts.count("learn") >= 6, acts  # also what changed nothing
    said = [look["about"] for look in node.told("audit")["looks"]]
    assert any("refused: nothing that was learned has that id" in about for about in said) and "0 ham, 0 spam; 1 more were known already" in said
    # what is no mail is refused and counted, and what stands beside it is learned
    others = folder(tmp_path / "others", True, range(600, 602))
    (others / "1.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    (others / "notes.txt").write_text("Dear all,\n\nFrom: here on it is a letter.\n")
    done = node.run("learn", "spam", others, check=False)
    assert done.returncode == 65 and done.stdout == "2 mails learned as spam; 2 are no mail\n" and "1.jpg: no mail" in done.stderr
    done = node.run("learn", "ham", others / "1.jpg", check=False)
    assert done.returncode == 65 and done.stdout == "0 mails learned as ham; 1 is no mail\n"
    assert node.run("learn", "ham", tmp_path / "nowhere", check=False).returncode == 66
    # a folder of folders is gone down; nothing waits for who writes to a FIFO, named or met
    folder(tmp_path / "above/below", True, range(610, 612))
    os.mkfifo(tmp_path / "above/below/fifo")
    assert node.run("learn", "spam", tmp_path / "above").stdout == "2 mails learned as spam\n"
    done = node.run("learn", "spam", tmp_path / "above/below/fifo", check=False)
    assert done.returncode == 66 and "neither a file nor a folder" in done.stderr
    node.balance()


def test_crashes_and_damage(nodes, inside, tmp_path):
    node = nodes(CONFIG, inside=inside.port)
    node.run("learn", "spam", folder(tmp_path / "spam", True, range(30)))
    node.run("learn", "ham", folder(tmp_path / "ham", False, range(30)))
    # the writer is killed in the middle: what was taught before stays, and the rest can be taught again
    many = folder(tmp_path / "many", True, range(200, 500))
    learning = subprocess.Popen([lab.BUILD / "src/cli/sekimori", "learn", "-v", "--state", node.state, "spam", many], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for _ in range(20):
        learning.stdout.readline()
    os.kill(node.pids("ledger")[0], signal.SIGKILL)
    learning.communicate(timeout=60)
    assert learning.returncode == 75
    lab.wait_for(lambda: node.run("model", "stat", check=False).returncode == 0, "ledger is back")
    assert node.run("learn", "spam", many).returncode == 0
    lab.wait_for(lambda: stat(node)["spam"] == 330, "all are learned once")
    assert points(node, inside, False, 104) is not None
    # damaged files are set aside with their reason, mail flows on, and what is whole goes on
    lab.wait_for(lambda: (node.state / "ledger/local.model").exists(), "a snapshot")
    node.stop()
    for name, at in (("local.model", 5000), ("learned.log", -9000)):
        path = node.state / "ledger" / name
        bytes_ = bytearray(path.read_bytes())
        bytes_[at] ^= 0x55
        path.write_bytes(bytes_)
    node.start()
    assert points(node, inside, False, 105) is not None
    lab.wait_for(lambda: "what is known of spam is missing or damaged" in node.run("health", check=False).stdout, "health says so")
    assert (node.state / "ledger/local.model.damaged").exists() and (node.state / "ledger/learned.log.damaged").exists()
    assert "learned.log: it is damaged" in stat(node)["trouble"] or "local.model: it is damaged" in stat(node)["trouble"]
    assert 300 <= stat(node)["spam"] < 330 and stat(node)["ham"] == 30
    # bytes of a record that was not written whole
    node.stop()
    log = node.state / "ledger/learned.log"
    log.write_bytes(log.read_bytes()[:-100])
    node.start()
    assert stat(node)["trouble"] == "" and "damaged" not in node.run("health", check=False).stdout
    # a base model that is not there is told of, too
    node.stop()
    node.config.write_text(node.config.read_text().replace(str(MODEL), "/nope.model"))
    node.start()
    lab.wait_for(lambda: "missing or damaged" in node.run("health", check=False).stdout, "health misses the model")
    assert "/nope.model" in stat(node)["trouble"]
    node.balance()


def test_who_reads_mails_can_do_nothing_else(nodes, inside, tmp_path):
    """Whoever takes over the child that reads mails to be learned: every attempt of src/base/jail_probe.c is denied."""
    node = nodes(CONFIG, inside=inside.port)
    (tmp_path / "mail").write_text(mail(True, 1))
    done = subprocess.run([lab.BUILD / "src/cli/sekimori", "learn", "--state", node.state, "spam", tmp_path / "mail"], capture_output=True, text=True,
                          timeout=120, env={**os.environ, "SEKIMORI_JAIL_PROBE": "all", "SEKIMORI_JAIL_PROBE_RUN": str(node.state / "run")})
    told = re.findall(r"jail probe: lesson reader: ([a-z-]+): (.*)", done.stderr)
    assert done.returncode == 0 and (len(told) > 50 or not test_jail.probes_are_built())
    assert not [one for one in told if one[1] not in ("denied", "killed")]


def test_mail_that_teaches_by_itself(nodes, inside, tmp_path):
    """Off it teaches nothing. On, a sender's first three, though a stranger sends many; on record, in the report, over a crash, and
    taken back one at a time and all."""
    node = nodes(CONFIG + "spam quarantine above never\nspam reject above never\n", inside=inside.port)

    def send(numbers, sender):
        for number in numbers:  # far beyond any line, by a signal
            before = len(inside.files())
            text = mail(True, number).replace("hello@orchid.example", f"hello@{sender}") + lab.gtube() + "\r\n"
            assert lab.Client(node.port).send(text, sender=f"a@{sender}")[0] == 250
            inside.wait(before + 1)

    def taught():
        return stat(node)["automatic_spam"]

    send([700], "one.example")
    assert not stat(node)["automatic"] and taught() == 0
    node.config.write_text(node.config.read_text() + "learn { automatic on }\n")
    node.run("reload")
    lab.wait_for(lambda: stat(node)["automatic"], "it is on")
    send(range(701, 706), "one.example")
    lab.wait_for(lambda: taught() == 3, "three of five are learned")
    send([706], "two.example")
    lab.wait_for(lambda: taught() == 4, "another sender's is, too")
    looks = [look for look in node.told("audit")["looks"] if look["user"] == "automatic"]
    assert len(looks) == 4 and all(look["act"] == "learn" and look["about"].startswith("automatic: spam; --undo ") for look in looks)
    os.kill(node.pids("ledger")[0], signal.SIGKILL)
    lab.wait_for(lambda: node.run("model", "stat", "--json", check=False).returncode == 0 and taught() == 4, "they are there again")
    send([707], "one.example")  # a restart gives nobody a new day
    node.run("report", "--to", tmp_path / "report.txt")
    assert "0 ham, 4 spam in 24 hours" in (tmp_path / "report.txt").read_text()
    node.run("learn", "--undo", looks[0]["about"].split()[-1])
    assert taught() == 3
    assert node.run("learn", "forget", "--automatic").stdout == "unlearned: 0 ham, 3 spam\n"
    assert taught() == 0 and stat(node)["spam"] == 0
    assert node.run("learn", "forget", check=False).returncode == 64
    # who reads Japanese is told in Japanese
    assert node.run("learn", "proposals", "--language", "ja").stdout == "判断を待つ届け出はない\n"
    listed = node.run("campaign", "list", "--all", "--language", "ja").stdout.splitlines()
    assert listed[0].split()[:3] == ["ID", "種類", "通数"] and listed[1].split()[1] == "本文", listed
    shown = node.run("campaign", "show", listed[1].split()[0], "--language", "ja").stdout
    assert re.search("^ネットワーク +1$", shown, re.M) and re.search("^通数 +[0-9]+$", shown, re.M), shown
    node.run("newsletter", "approve", "weekly.shop.example/shop.example")
    assert "宛先 全員" in node.run("newsletter", "list", "--language", "ja").stdout
