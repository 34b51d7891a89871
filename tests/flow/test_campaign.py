# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: the same text from many networks weighs, from one network it does not; a report or an administrator stops what comes of it,
for seven days, over a crash and a restart; nobody's word counts where it must not."""
import json
import os
import random
import re
import signal

import lab
from test_clock import Clock
from test_own_addresses import report_of

WORDS = ("timetable lecture corridor printer chapter review seminar library budget minutes thesis faculty deadline students draft meeting "
         "garden window market river bridge season kitchen letter travel mountain weather evening station village").split()
CONFIG = """
listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}
listen 127.0.0.1:{out} {{ direction out; senders elsewhere.example }}
domains {{ example.test 127.0.0.1:{inside} }}
spam {{ tag above 6.8; quarantine above 12; reject above 14 }}
report {{ missed spam spam@example.test; missed ham ham@example.test; trusted trusted@example.test }}
quarantine {{ most 100M }}
"""
DAY = 86400


def body(kind, copy=0):
    """A text of sixty words, whose copies differ in a name and a number."""
    words = random.Random(kind)
    return f"Dear user{'abcdefghij'[copy % 10] * 3},\n" + "\n".join(
        " ".join(words.choice(WORDS) for _ in range(10)) for _ in range(8)) + f"\nnumber {copy} https://h{copy}.example.net/{copy}\n"


def message_of(kind, network, copy):
    return lab.message(f"note {copy}", body(kind, copy), Message_ID=f"<{kind}.{network}.{copy}@x.example>")


def send(node, inside, kind, network, copy=None, sender=None, recipient=None):
    """As from that network; the signals by name, from the log."""
    copy = network if copy is None else copy
    client = lab.Client(node.port)
    assert client.say(f"XCLIENT ADDR=10.{network}.1.1 NAME=[UNAVAILABLE]")[0] == 220
    client.say("EHLO client.example")
    message = message_of(kind, network, copy)
    code, text = client.send(message, sender=sender or f"a@s{network % 7}.example", recipients=(recipient or f"r{network}@example.test",))
    assert code == 250, text
    identity = re.search(r"kept as ([0-9A-Z]{13})", text)[1]
    line = lab.wait_for(lambda: re.search(rf"{identity}: verdict: (.*)", node.text()), "its verdict is in the log")[1]
    return {name: float(points) for name, points in re.findall(r"([A-Z_]+)=(-?[\d.]+)", line)}, line, identity


def campaigns(node, *words):
    return [json.loads(line) for line in node.run("campaign", "list", "--json", *words).stdout.splitlines()]


def test_spread_weighs_and_a_stop_holds(nodes, inside):
    node = nodes(CONFIG, inside=inside.port, out=lab.free_port())
    # one stranger, one network, thirty times: nothing
    for copy in range(30):
        signals, _, _ = send(node, inside, "mass", 200, copy, recipient=f"r{copy}@example.test")
        assert not any(name.startswith("CAMPAIGN") for name in signals), signals
    assert campaigns(node) == [] and [one["networks"] for one in campaigns(node, "--all")] == [1]
    seen = [send(node, inside, "wave", network)[0].get("CAMPAIGN", 0) for network in range(24)]
    assert seen[:4] == [0] * 4 and 2 <= seen[-1] <= 3.8 and sorted(seen) == seen, seen
    said = r": CAMPAIGN: the same text came 2[0-3] times from \d\d networks since (\d\d\d\d-\d\d-\d\d )?\d\d:\d\d, campaign ([0-9a-f]{10})$"
    named = lab.wait_for(lambda: re.search(said, node.text(), re.M), "the log says so in words")[2]
    assert not send(node, inside, "other", 99)[0].keys() & {"CAMPAIGN"}  # another text is not meant
    lab.wait_for(lambda: [one["count"] for one in campaigns(node)] == [24], "all are counted, the last one behind its 250")
    (wave,) = campaigns(node)
    assert wave["id"] == named and wave["count"] == 24 and 18 <= wave["networks"] <= 24 and 5 <= wave["senders"] <= 8 and wave["kind"] == "text"
    assert re.search(rf"^{wave['id']}  text +24 ", node.run("campaign", "list").stdout, re.M)
    # siblings that were delivered are named, and name it
    last = send(node, inside, "wave", 30)[2]
    shown = lab.wait_for(lambda: node.run("campaign", "show", last, check=False).stdout, "it is counted, a moment behind its 250")
    assert wave["id"] in shown and last in shown
    node.run("campaign", "stop", wave["id"])
    # held, though its points reach the line of reject
    signals, line, held = send(node, inside, "wave", 31)
    assert signals["CAMPAIGN_STOPPED"] == 15 and "action=quarantine" in line
    assert f"{held}: CAMPAIGN_STOPPED: it was stopped by an administrator; " in node.text() and f"campaign {wave['id']} is stopped" in node.text()
    # it outlives its process and the node
    os.kill(node.pids("lookup")[0], signal.SIGKILL)
    lab.wait_for(lambda: '"stopped_ms":1' in node.run("campaign", "list", "--json", check=False).stdout, "lookup is back and knows it")
    assert node.stop() == 0
    node.start()
    assert "action=quarantine" in send(node, inside, "wave", 32)[1]
    # no spam after all
    said = node.run("campaign", "forget", wave["id"], "--language", "en").stdout
    assert said == f"campaign {wave['id']} is forgotten: its stop, reports and counts have ended\n"
    assert not any(name.startswith("CAMPAIGN") for name in send(node, inside, "wave", 33)[0])
    assert node.run("campaign", "forget", "0000000001", check=False).returncode == 66
    recorded = {f"{act} {wave['id']}" for act in ("stop", "forget")} | {"forget 0000000001: refused, no campaign has that id, or names such a message"}
    lab.wait_for(lambda: recorded == {one["about"] for one in node.told("audit", "--act", "campaign")["looks"]}, "all acts are recorded")
    # a damaged file is refused; mail flows
    assert node.stop() == 0
    file = node.state / "run/campaigns"
    file.write_bytes(b"x" * 4096 + file.read_bytes()[4096:])
    node.start()
    assert "run/campaigns is damaged" in node.text()
    assert not any(name.startswith("CAMPAIGN") for name in send(node, inside, "wave", 34)[0])
    node.balance()


def reported(node):
    return {one["id"]: (one["reporters"], one["stopped_ms"] > 0) for one in campaigns(node)}


def tell(node, kind, sender, is_news=True, to="spam@example.test", message=None):
    told, before = node.text().count("told as missed"), reported(node)
    message = message or lab.message("note", body(kind, 5))
    client = lab.Client(node.values["out"])
    assert client.send(report_of(message), sender=sender, recipients=(to,))[0] == 250
    lab.wait_for(lambda: node.text().count("told as missed") > told, "it is told")
    if is_news:
        lab.wait_for(lambda: reported(node) != before, "lookup knows it")


def test_reports_weigh_by_who_tells(nodes, inside, tmp_path):
    clock = Clock(tmp_path)
    node = nodes(CONFIG, start=False, inside=inside.port, out=lab.free_port()).start(env=clock.environment)
    # one reporter: for his own mail, whoever he wrote as in whatever case
    tell(node, "leak", "user@example.test")
    assert send(node, inside, "leak", 1, recipient="User@example.test")[0]["CAMPAIGN_REPORTED"] == 3.5
    assert "CAMPAIGN_REPORTED" not in send(node, inside, "leak", 2)[0]
    tell(node, "leak", "user@example.test", is_news=False)  # saying it again is not a second person
    tell(node, "leak", "two@example.test")
    assert "CAMPAIGN_REPORTED" not in send(node, inside, "leak", 3)[0]
    tell(node, "leak", "three@elsewhere.example")
    signals, line, _ = send(node, inside, "leak", 4)
    assert signals["CAMPAIGN_REPORTED"] == 8 and "action=tag" in line
    assert "CAMPAIGN_REPORTED" not in send(node, inside, "another", 4)[0]
    # mail of our own is not meant
    code, text = lab.Client(node.values["out"]).send(lab.message("note", body("leak", 9)), sender="b@example.test",
                                                     recipients=("c@example.test",))
    identity = re.search(r"kept as ([0-9A-Z]{13})", text)[1]
    assert "CAMPAIGN" not in lab.wait_for(lambda: re.search(rf"{identity}: verdict: .*", node.text()), "its verdict is in the log")[0]
    # a trusted one: for everybody, at once, for seven days; of what passed here
    tell(node, "trick", "trusted@example.test")
    assert "CAMPAIGN_STOPPED" not in send(node, inside, "trick", 4)[0]
    passed, copy = send(node, inside, "trick", 3)[2], message_of("trick", 3, 3)
    lab.wait_for(lambda: passed in node.run("trace", passed, check=False).stdout, "the ledger knows it")
    tell(node, "trick", "trusted@example.test", message=copy)
    signals, line, held = send(node, inside, "trick", 5)
    assert signals["CAMPAIGN_STOPPED"] == 15 and "action=quarantine" in line
    assert f"{held}: CAMPAIGN_STOPPED: it was stopped by a report of a trusted user; " in node.text()
    assert re.search(rf"campaign [0-9a-f]{{10}} is stopped by <trusted@example.test>, message {passed}", node.text())
    assert '"stopped_by":"user"' in node.run("campaign", "show", passed, "--json").stdout
    acts = [one for one in node.told("audit", "--act", "campaign")["looks"] if one["user"] == "trusted@example.test"]
    assert [(one["id"], one["about"][:5]) for one in acts] == [(passed, "stop ")]
    # nobody else's word takes it back; his does, and what he taught is ham then
    tell(node, "trick", "user@example.test", is_news=False, to="ham@example.test", message=copy)
    assert "CAMPAIGN_STOPPED" in send(node, inside, "trick", 8)[0]
    assert node.told("model", "stat")["spam"] == 1
    tell(node, "trick", "trusted@example.test", to="ham@example.test", message=copy)
    assert not any(name.startswith("CAMPAIGN") for name in send(node, inside, "trick", 9)[0])
    learned = lambda: [node.told("model", "stat")[one] for one in ("spam", "ham")]
    lab.wait_for(lambda: learned() == [0, 1], "it is a lesson of ham")
    tell(node, "trick", "trusted@example.test", message=copy)
    clock.set(6 * DAY)
    assert "CAMPAIGN_STOPPED" in send(node, inside, "trick", 6)[0]
    clock.set(8 * DAY)
    assert not any(name.startswith("CAMPAIGN") for name in send(node, inside, "trick", 7)[0])
    assert not any(name.startswith("CAMPAIGN") for name in send(node, inside, "leak", 7, recipient="user@example.test")[0])
