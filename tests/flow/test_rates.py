# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a stolen password is worth a hundred mails and no more, while the others' mail flows; a client that tries out recipients learns
none; a flood of sign-ups is held and a bank's notice in it is not; rates put strangers off and nobody else; all of it is told by
mail once, on record, and ends."""
import json
import os
import re
import signal
import time

import lab
import pytest

CONFIG = """
listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}
listen 127.0.0.1:{out} {{ direction out; xclient 127.0.0.1; senders any }}
domains {{ example.test 127.0.0.1:{inside} {{ recipients table {table} }}
          * 127.0.0.1:{world} }}
processes {{ receive 1 }}
inside {{ recipients 100; spam 3; refused 5; networks 4; exempt list@example.test }}
harvest {{ unknown 6; time 2s }}
limits {{ errors 1000 }}
signups {{ domains 4 }}
rates {{ messages per domain 3; recipients per network 5 }}
alarm {{ hook {hook} }}
"""


@pytest.fixture
def node(nodes, inside, sinks, tmp_path):
    (tmp_path / "people").write_text("postmaster\nuser\nother\nthird\n")
    world = sinks("--refuse-to", "gone")
    hook, told = tmp_path / "room/hook", tmp_path / "room/told"
    told.mkdir(parents=True)
    hook.write_text(f'#!/bin/sh\ncat >"{told}/new.$$" && mv "{told}/new.$$" "{told}/$SEKIMORI_ALARM.$$"\n')
    hook.chmod(0o755)
    made = nodes(CONFIG, inside=inside.port, out=lab.free_port(), world=world.port, table=tmp_path / "people", hook=hook)
    made.told_in = told
    made.world = world
    return made


def client(port, address):
    one = lab.Client(port)
    assert one.say(f"XCLIENT ADDR={address} NAME=[UNAVAILABLE]")[0] == 220
    one.say("EHLO client.example")
    return one


def alerts(inside, words):
    """Mails to the administrator with that in the Subject, decoded."""
    import email
    mails = [email.message_from_bytes(text) for text in inside.messages() if b"Auto-Submitted: auto-generated" in text]
    return [one.get_payload(decode=True).decode() for one in mails if words in one["Subject"]]


def hooked(node, word):
    """What the alarm hook was told of that, once each."""
    return [json.loads(one.read_text()) for one in lab.wait_for(lambda: list(node.told_in.glob(f"{word}.*")), "the hook")]


def held(node):
    return [json.loads(line) for line in node.run("inside", "held", "--json").stdout.splitlines()]


def test_a_stolen_password(node, inside):
    good, spam = lab.message("minutes of the meeting"), lab.message("win a prize", "https://prize.example/\n")
    user, thief, other = (client(node.values["out"], f"10.2.0.{i}") for i in (5, 6, 7))
    for _ in range(3):
        assert user.send(good, sender="user@example.test", recipients=("friend@world.test",))[0] == 250
    for i in range(500):
        assert thief.send(spam, sender="User@example.test", recipients=(f"victim{i}@world.test",))[0] == 250
        if i % 50 == 0:  # the others' mail flows on
            assert other.send(good, sender="other@example.test", recipients=(f"friend{i}@world.test",))[0] == 250
    sent = node.world.wait(3 + 97 + 10)
    assert len(sent) == 3 + 97 + 10 and sum(b"win a prize" in one for one in sent) == 97
    (one,) = held(node)
    assert (one["sender"], one["cause"], one["messages"]) == ("user@example.test", "recipients", 403), one
    (told,) = lab.wait_for(lambda: alerts(inside, "The mail of a sender inside is held"), "the alarm")
    assert "10.2.0.6" in told and "User@example.test" in told and "101 recipients in an hour" in told and "保留" in told
    (hook,) = hooked(node, "inside")
    assert hook["state"] == "raised" and hook["text"] == ("The mail of a sender inside is held: 101 recipients in an hour, 10.2.0.6 "
                                                          "<User@example.test> -> <victim97@world.test>"), hook
    log = node.text()
    assert "INSIDE_HELD: 101 recipients in an hour" in log and "passed a line: 101 recipients in an hour; its mail is held" in log
    # a receive that was taken over cannot let it out: queue looks at scan's word
    if lab.probes_are_built():
        assert thief.send("X-Test-Receive: hold\n" + spam, sender="user@example.test", recipients=("victim@world.test",))[0] == 451
    # it outlives the process that knows it
    os.kill(node.pids("lookup")[0], signal.SIGKILL)
    lab.wait_for(lambda: "user@example.test" in node.run("inside", "held", check=False).stdout, "lookup is back and knows it")
    # why, and what was held; release; and the user's mail goes on
    kept = re.findall(r"([0-9A-Z]{13}): INSIDE_HELD", log)[0]
    lab.wait_for(lambda: node.run("explain", kept, check=False).returncode == 0, "ledger keeps why")
    assert "held since it sends as with a stolen password" in node.run("explain", kept, "--language", "en").stdout
    assert "why         held for what came within an hour" in node.run("explain", kept, "--language", "en").stdout
    assert "パスワードを盗まれた" in node.run("explain", kept, "--language", "ja").stdout
    assert node.run("inside", "release", "nobody@example.test", check=False).returncode == 66
    node.run("inside", "release", "user@example.test")
    assert held(node) == [] and node.run("inside", "held").stdout == "no sender is held\n"
    assert user.send(good, sender="user@example.test", recipients=("friend@world.test",))[0] == 250
    node.world.wait(111)
    acts = lab.wait_for(lambda: len(found := node.told("audit", "--act", "inside")["looks"]) == 2 and found, "both are recorded")
    assert {one["about"] for one in acts} == {"release user@example.test",
                                              "release nobody@example.test: refused, no sender of that address is held"}
    # a list server may
    for _ in range(3):
        assert other.send(good, sender="list@example.test", recipients=[f"m{i}@world.test" for i in range(50)])[0] == 250
    assert held(node) == []
    node.balance()


def test_other_signs_of_a_stolen_password(node, inside):
    good = lab.message("hello")
    out = client(node.values["out"], "10.2.0.5")
    # from many networks
    for i in range(5):
        assert client(node.values["out"], f"192.0.{i}.7").send(good, sender="roam@example.test", recipients=("a@world.test",))[0] == 250
    # mail that looks like spam
    for _ in range(3):
        out.send(lab.message("x", lab.gtube() + "\n"), sender="spam@example.test", recipients=("a@world.test",))
    lab.wait_for(lambda: out.send(good, sender="spam@example.test", recipients=("a@world.test",))[0] == 250 and
                 "spam@example.test" in {one["sender"] for one in held(node)}, "spam is counted")
    # recipients that are refused: here, and by the world
    for i in range(6):
        out.open(sender="guess@example.test", recipients=(f"nobody{i}@example.test",))
        out.say("RSET")
    assert out.send(good, sender="guess@example.test", recipients=("a@world.test",))[0] == 250
    for i in range(6):
        assert out.send(good, sender="old@example.test", recipients=(f"gone{i}@world.test",))[0] == 250
    lab.wait_for(lambda: len(re.findall(r"to=<gone\d@world.test>.*dsn=5", node.text())) >= 5, "the world's server refuses")
    lab.wait_for(lambda: out.send(good, sender="old@example.test", recipients=("a@world.test",))[0] == 250 and time.sleep(0.1) is None and
                 "old@example.test" in {one["sender"] for one in held(node)}, "refusals by servers are counted")
    assert {one["sender"]: one["cause"] for one in held(node)} == {"roam@example.test": "networks", "spam@example.test": "spam",
                                                                   "guess@example.test": "refused", "old@example.test": "refused"}
    assert lab.wait_for(lambda: len(alerts(inside, "The mail of a sender inside is held")) == 4, "an alarm each")
    node.balance()


def test_strangers(node, inside):
    # a client that tries out recipients: from then on all are answered alike, but <postmaster>
    stranger = client(node.port, "198.51.100.9")
    stranger.say("MAIL FROM:<a@stranger.test>")
    codes = [stranger.say(f"RCPT TO:<guess{i}@example.test>")[0] for i in range(6)]
    assert codes == [550] * 6
    for name in ("guess9", "user", "other"):
        code, text = stranger.say(f"RCPT TO:<{name}@example.test>")
        assert code == 451 and "too many recipients that do not exist were asked for" in text, text
    assert stranger.say("RCPT TO:<postmaster@example.test>")[0] == 250
    assert stranger.data(lab.message("sorry"))[0] == 250
    lab.wait_for(lambda: "HARVEST=3.0" in node.text(), "its mail has a signal")
    again = client(node.port, "198.51.100.9")
    assert again.open(sender="b@stranger2.test", recipients=("user@example.test",))[1][0] == 451
    other = client(node.port, "203.0.113.5")
    assert other.send(lab.message("hello"), sender="c@good.test", recipients=("user@example.test",))[0] == 250
    (told,) = lab.wait_for(lambda: alerts(inside, "Somebody tries out our recipients"), "the alarm")
    assert "198.51.100.9" in told and "6 of 6 recipients asked for within an hour do not exist" in told and "log:" not in told
    assert [one["text"].split(",")[:2] for one in hooked(node, "harvest")] == [
        ["Somebody tries out our recipients: 6 of 6 recipients asked for within an hour do not exist", " 198.51.100.9 <a@stranger.test> -> <guess5@example.test>"]]
    time.sleep(1.5)
    lab.wait_for(lambda: again.say("RSET") and again.open(sender="b@stranger2.test", recipients=("user@example.test",))[1][0] == 250,
                 "it ends by itself")
    # somebody else who does the same within the hour is logged
    second = client(node.port, "198.51.101.9")
    second.say("MAIL FROM:<a@stranger.test>")
    for i in range(6):
        second.say(f"RCPT TO:<guess{i}@example.test>")
    lab.wait_for(lambda: "unknown[198.51.101.9] tries out recipients" in node.text(), "the log")
    # a front that may name its clients, and names none, is no stranger
    front = lab.Client(node.port)
    front.say("MAIL FROM:<a@stranger.test>")
    assert [front.say(f"RCPT TO:<guess{i}@example.test>")[0] for i in range(12)] == [550] * 12
    # rates: of a domain, of a network; of nobody inside
    for i in range(4):
        replies = client(node.port, f"203.{i}.113.5").open(sender="a@busy.test", recipients=("user@example.test",))
        assert replies[1][0] == (250 if i < 3 else 451), replies
    assert "too many messages from this sender's domain in an hour" in replies[1][1]
    replies = client(node.port, "192.0.2.9").open(sender="a@wide.test", recipients=[f"{one}@example.test" for one in ("user", "other", "third")])
    assert [code for code, _ in replies] == [250] * 4
    replies = client(node.port, "192.0.2.77").open(sender="b@wide.test", recipients=[f"{one}@example.test" for one in ("user", "other", "third")])
    assert [code for code, _ in replies] == [250, 250, 250, 451] and "from your network in an hour" in replies[3][1], replies
    assert len(alerts(inside, "Somebody tries out our recipients")) == 1
    node.balance()


def signup(site, subject="Welcome to our site, please confirm your email", **fields):
    return lab.message(subject, "Thank you for registering.\n", From=f"noreply@{site}", To="user@example.test",
                       List_Unsubscribe=f"<https://{site}/bye>", **fields)


def test_a_flood_of_signups(node, inside):
    def send(site, message, recipient="user@example.test"):
        number = int(re.sub(r"\D", "", site) or 0)
        code, text = client(node.port, f"203.{number}.113.5").send(message, sender=f"bounce@{site}", recipients=(recipient,))
        assert code == 250, text
        identity = re.search(r"kept as ([0-9A-Z]{13})", text)[1]
        return lab.wait_for(lambda: re.search(rf"{identity}: verdict: .*", node.text()), "its verdict is in the log")[0]

    for i in range(3):
        line = send(f"site{i}.test", signup(f"site{i}.test"))
        assert "SIGNUP=" in line and "action=accept" in line, line
    line = send("site3.test", signup("site3.test", "=?UTF-8?B?5Lya5ZOh55m76Yyy44Gu44GU5qGI5YaF?="))  # 会員登録のご案内
    assert "SIGNUP_FLOOD=" in line and "action=quarantine" in line, line
    # the bank's notice and a colleague's mail between them go through, and so do sign-ups of others
    for subject in ("Your payment of 300,000 yen", "=?UTF-8?B?44GK5oyv6L6844Gu44GK55+l44KJ44Gb?=", "lunch?"):
        assert "action=accept" in send("bank7.test", signup("bank7.test", subject) if subject != "lunch?" else lab.message("lunch?"))
    assert "action=accept" in send("site8.test", signup("site8.test"), "other@example.test")
    assert "action=quarantine" in send("site9.test", signup("site9.test"))
    (told,) = lab.wait_for(lambda: alerts(inside, "A flood of sign-up mail to one recipient"), "the alarm")
    assert "user@example.test" in told and "may\ncover a fraud" in told and "sign-up mail of 4 domains in an hour" in told and "不正" in told
    (hook,) = hooked(node, "sign-ups")
    assert hook["text"].startswith("A flood of sign-up mail to one recipient: sign-up mail of 4 domains in an hour, 203.3.113.5 <"), hook
    # lookup dead: mail flows without
    os.kill(node.pids("lookup")[0], signal.SIGKILL)
    assert "action=accept" in send("site11.test", signup("site11.test"))
    node.balance()


def test_observed_and_refused(nodes, inside, tmp_path):
    """What the same settings do in their other modes."""
    (tmp_path / "people").write_text("user\n")
    node = nodes("""
listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}
listen 127.0.0.1:{out} {{ direction out; xclient 127.0.0.1; senders any }}
domains {{ example.test 127.0.0.1:{inside} {{ recipients table {table} }}; * 127.0.0.1:{inside} }}
inside {{ mode observe; recipients 5 }}
harvest {{ action reject; unknown 4; percent 50 }}
signups {{ mode observe; domains 2 }}
rates {{ messages per client 3 }}
""", inside=inside.port, out=lab.free_port(), table=tmp_path / "people")
    user = client(node.values["out"], "10.2.0.5")
    for i in range(8):
        assert user.send(lab.message("hello"), sender="user@example.test", recipients=(f"a{i}@world.test",))[0] == 250
    lab.wait_for(lambda: "INSIDE_OVER: 6 recipients in an hour" in node.text(), "it is said")
    assert "observed=quarantine" in node.text() and held(node) == []
    for i in range(2):
        assert client(node.port, f"203.{i}.113.5").send(signup(f"site{i}.test"), sender="b@x.test", recipients=("user@example.test",))[0] == 250
    inside.wait(8 + 2)
    lab.wait_for(lambda: len(alerts(inside, "A flood of sign-up mail")) == len(alerts(inside, "A sender inside sends much")) == 1, "one alarm each")
    stranger = client(node.port, "198.51.100.9")
    stranger.say("MAIL FROM:<a@stranger.test>")
    asked = [stranger.say(f"RCPT TO:<{name}@example.test>") for name in ("user", "x1", "x2", "x3", "x4", "user")]
    assert [code for code, _ in asked] == [250, 550, 550, 550, 550, 550] and "that do not exist were asked for" in asked[5][1], asked
    # guesses are not hidden behind one who is there and is asked for again and again; who sends mail may ask for some that are gone
    sly, codes = client(node.port, "198.51.100.19"), []
    for i in range(6):
        for _ in range(3):
            sly.open(sender="a@stranger.test", recipients=("postmaster@example.test",))
            sly.say("RSET")
        codes.append(sly.open(sender="a@stranger.test", recipients=(f"guess{i}@example.test", "user@example.test"))[2][1])
        sly.say("RSET")
    assert "that do not exist were asked for" in codes[-1], codes
    lister = client(node.port, "198.51.100.29")
    for i in range(8):
        assert lister.send(lab.message("news"), sender="list@good.test", recipients=("postmaster@example.test",))[0] == 250
    codes = [lister.open(sender="list@good.test", recipients=(f"gone{i}@example.test",))[1][1] and lister.say("RSET")[0] for i in range(6)]
    assert lister.open(sender="list@good.test", recipients=("user@example.test",))[1][0] == 250
    # a client's own rate, over sessions; an observed client is answered as always
    codes = [client(node.port, "192.0.2.9").send(lab.message("x"), sender=f"a@d{i}.test", recipients=("user@example.test",))[0] for i in range(4)]
    assert codes == [250, 250, 250, 451]
    node.balance()
