"""Goal: what waits can be seen and steered; what fails is returned to those who sent it, or held, and never lost."""
import email
import email.policy
import json
import os
import pwd
import re

import lab

WAY = "queue {{ retry first 1s; retry most 2s }}\nvirus {{ mode off }}\nspam {{ mode off }}\n"
IN = WAY + "domains {{ example.test 127.0.0.1:{inside}; other.test 127.0.0.1:{other} }}\n"
OUT = ("listen 127.0.0.1:{port} {{ direction out; senders any }}\nqueue {{ retry first 1s; retry most 2s; expire 1m }}\n"
       "domains {{ example.test 127.0.0.1:{inside}; other.test 127.0.0.1:{other} }}\n")


def rows(node, *words):
    return [json.loads(line) for line in node.run("queue", "list", "--json", *words).stdout.splitlines()]


def steer(node, *words):
    """The exit code and how many recipients it was."""
    done = node.run("queue", *words, "--json", check=False)
    return done.returncode, json.loads(done.stdout)["recipients"] if done.stdout.strip() else None


def notice(message):
    """The parts of a delivery status notification: text, status fields of the message and of each recipient, what came back."""
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert parsed.get_content_type() == "multipart/report" and parsed.get_param("report-type") == "delivery-status"
    text, status, returned = parsed.iter_parts()
    assert status.get_content_type() == "message/delivery-status"
    return text.get_content(), [dict(block.items()) for block in status.get_payload()], returned


def test_what_waits_is_shown_and_tried_again(nodes, sinks, inside):
    other = sinks()
    node = nodes(IN.replace("retry first 1s; retry most 2s", "retry first 1h; retry most 1h"), inside=inside.port, other=other.port)
    other.stop()
    client = lab.Client(node.port)
    assert client.send(lab.message("one"), recipients=("a@other.test", "b@example.test"))[0] == 250
    assert client.send(lab.message("two"), sender="boss@outside.example", recipients=("c@other.test",))[0] == 250
    inside.wait(1)
    lab.wait_for(lambda: len(rows(node)) == 2 and "refused" in node.run("queue", "list").stdout, "both wait for a reason")
    states = {one["address"]: one["state"] for row in rows(node) for one in row["recipients"]}
    assert states == {"a@other.test": "waiting", "b@example.test": "delivered", "c@other.test": "waiting"}
    assert [row["sender"] for row in rows(node, "--match", "boss@*")] == ["boss@outside.example"]
    assert rows(node, "example.test") == []
    assert "nothing in the queue matches" in node.run("queue", "list", "example.test").stdout
    assert len(rows(node, "c@other.test")) == 1
    summary = node.told("queue", "summary")
    assert summary["destination"] == "other.test" and summary["total"] == 2 and summary["ages"]["5"] == 2
    assert re.search(r"other\.test +2 +2 +0", node.run("queue", "summary").stdout)
    other.start()
    assert steer(node, "retry", "other.test") == (0, 2)
    other.wait(2)
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    assert "the queue is empty" in node.run("queue", "list").stdout
    node.balance()


def test_held_and_removed_by_hand(nodes, sinks, inside):
    other = sinks("--defer", "all")
    node = nodes(IN, inside=inside.port, other=other.port)
    client = lab.Client(node.port)
    for name in ("keep", "drop"):
        assert client.send(lab.message(name), recipients=(f"{name}@other.test",))[0] == 250
    lab.wait_for(lambda: [row["recipients"][0]["attempts"] for row in rows(node)].count(0) == 0, "both were tried")
    lab.wait_for(lambda: steer(node, "hold", "keep@other.test")[0] == 0 and rows(node, "--held"), "one is held")
    lab.wait_for(lambda: steer(node, "remove", "drop@other.test") == (0, 1) or not rows(node, "drop@other.test"), "one is gone")
    assert [row["recipients"][0]["hold"] for row in rows(node)] == ["admin"]
    node.process.send_signal(lab.signal.SIGHUP)  # a reload changes nothing in it
    other.stop()
    other.options = ()
    other.start()
    assert steer(node, "release", "all") == (0, 1)
    assert b"Subject: keep" in other.wait(1)[0]
    counts = node.balance()
    assert "removed" in json.dumps(counts)


def acts(node, *words):
    return [(one["user"], one["uid"], one["process"], one["act"], one["id"], one["about"])
            for one in reversed(node.told("audit", *words)["looks"])]


def test_mail_to_a_domain_is_not_mail_from_there(nodes, sinks, inside):
    """What is removed is what was meant: one direction, counted before, asked for, and recorded with who did it."""
    other = sinks("--defer", "all")
    node = nodes(IN.replace("retry first 1s; retry most 2s", "retry first 1h; retry most 1h"), inside=inside.port, other=other.port)
    client = lab.Client(node.port)
    for name in ("one", "two"):
        assert client.send(lab.message(name), sender="boss@outside.example", recipients=(f"{name}@other.test",))[0] == 250
        assert client.send(lab.message(name), sender=f"{name}@other.test", recipients=("c@other.test",))[0] == 250
    assert client.send(lab.message("null"), sender="", recipients=("d@other.test",))[0] == 250
    lab.wait_for(lambda: [one["state"] for row in rows(node) for one in row["recipients"]] == ["waiting"] * 5, "all wait")
    who = pwd.getpwuid(os.geteuid()).pw_name
    for verb in ("remove", "hold", "release", "retry"):
        done = node.run("queue", verb, "--match", "*@other.test", "--yes", check=False)
        assert done.returncode == 64 and "--from or --to" in done.stderr and len(rows(node)) == 5, done
    assert len(rows(node, "--match", "t*@other.test")) == 2 and len(rows(node, "--from", "t*@other.test")) == 1
    assert len(rows(node, "--from", "<>")) == 1 and len(rows(node, "--to", "t*@other.test", "--to", "d@*")) == 2
    assert steer(node, "remove", "--from", "*@other.test", "--dry-run") == (0, 2)
    assert "would remove 2 recipients of 2 messages" in node.run("queue", "remove", "--from", "*@other.test", "--dry-run").stdout
    done = node.run("queue", "remove", "--from", "*@other.test", check=False)
    assert done.returncode == 64 and "2 messages: say --yes" in done.stderr and len(rows(node)) == 5, done
    code, said = lab.at_a_terminal(node, "n", "queue", "remove", "--from", "*@other.test")
    assert code == 1 and "Remove 2 recipients of 2 messages; nobody is told? [y/N]" in said and len(rows(node)) == 5, said
    assert acts(node) == []
    code, said = lab.at_a_terminal(node, "y", "queue", "remove", "--from", "*@other.test")
    assert code == 0 and len(rows(node)) == 3, said
    assert steer(node, "remove", "--to", "one@*") == (0, 1)  # one message is what was named
    assert steer(node, "hold", "all") == (0, 2)
    (two,) = rows(node, "--to", "two@*")
    assert steer(node, "remove", two["id"]) == (0, 1)
    assert [row["sender"] for row in rows(node)] == [""]
    told = lab.wait_for(lambda: len(found := acts(node)) == 7 and found, "each act is in the record")
    assert told == [(who, os.geteuid(), "queue", *one) for one in (
        ("remove", "", "--from *@other.test"), ("remove", "", "--from *@other.test: done, 2 recipients of 2 messages"),
        ("remove", "", "--to one@*"), ("remove", "", "--to one@*: done, 1 recipient of 1 message"),
        ("hold", "", "all"), ("hold", "", "all: done, 2 recipients of 2 messages"), ("remove", two["id"], "1 recipient"))]
    assert len(acts(node, "--act", "hold")) == 2 and acts(node, "--user", "somebody") == []
    assert f"removed by the administrator ({who})" in node.run("trace", two["id"]).stdout
    node.balance()


def test_words_that_mean_nothing(node):
    for words, code in ((["list", "nonsense"], 64), (["frobnicate"], 64), (["remove"], 64), (["show", "all"], 64), ([], 64),
                        (["show", "0000000000000"], 66), (["cat", "0000000000000"], 66), (["retry", "all"], 0),
                        (["remove", "nobody@example.test"], 66), (["release", "mistyped.test"], 66), (["list", "mistyped.test"], 0)):
        done = node.run("queue", *words, check=False)
        assert done.returncode == code, (words, done)
        assert code == 0 or done.stderr.startswith("sekimori queue: "), (words, done)
    assert node.run("queue", "list", "mistyped.test").stdout == "nothing in the queue matches\n"


def test_a_failure_is_returned_to_a_sender_inside(nodes, sinks, inside):
    other = sinks("--refuse-to", "nobody")
    node = nodes(OUT, inside=inside.port, other=other.port)
    client = lab.Client(node.port)
    code, _ = client.send(lab.message("hello", "text\n"), sender="user@example.test", recipients=("nobody@other.test", "somebody@other.test"),
                          mail="ENVID=QQ1 RET=FULL", rcpt="ORCPT=rfc822;alias@other.test")
    assert code == 250
    other.wait(1)
    text, status, returned = notice(inside.wait(1)[0])
    assert "could not be delivered" in text and "配送できませんでした" in text and "nobody@other.test" in text
    assert status[0]["Original-Envelope-Id"] == "QQ1" and status[0]["Reporting-MTA"] == "dns; mx.example.test"
    assert status[1]["Final-Recipient"] == "rfc822;nobody@other.test" and status[1]["Original-Recipient"] == "rfc822;alias@other.test"
    assert status[1]["Action"] == "failed" and status[1]["Status"].startswith("5.") and status[1]["Diagnostic-Code"].startswith("smtp; 550")
    assert len(status) == 2 and returned.get_content_type() == "message/rfc822"
    assert "hello" in returned.get_content()["Subject"]
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    assert re.search(r"[0-9A-Z]{13}: to=<nobody@other\.test>,.* relay=[^ ]+:\d+, delay=[\d.]+, delays=[\d./]+, dsn=5\.\d\.\d, status=bounced \(550 ",
                     node.text())
    assert re.search(r"[0-9A-Z]{13}: sender non-delivery notification: [0-9A-Z]{13}", node.text())
    node.balance()


def test_nobody_is_told_who_did_not_ask_or_may_not_know(nodes, sinks, inside):
    other = sinks("--refuse-to", "nobody")
    node = nodes(OUT, inside=inside.port, other=other.port)
    client = lab.Client(node.port)
    assert client.send(lab.message("null"), sender="", recipients=("nobody@other.test",))[0] == 250
    held = lab.wait_for(lambda: rows(node, "--held"), "what can be told to nobody is held")
    assert held[0]["recipients"][0]["hold"] == "undeliverable"
    assert steer(node, "remove", held[0]["id"]) == (0, 1)
    assert client.send(lab.message("never"), sender="user@example.test", recipients=("nobody@other.test",), rcpt="NOTIFY=NEVER")[0] == 250
    lab.wait_for(node.queue_is_empty, "both have ended")
    assert inside.files() == []
    node.balance()


def test_forged_senders_are_never_told(nodes, sinks, inside):
    other = sinks("--refuse-to", "nobody")
    node = nodes(IN, inside=inside.port, other=other.port)
    assert lab.Client(node.port).send(lab.message("spam"), sender="user@example.test", recipients=("nobody@other.test",))[0] == 250
    held = lab.wait_for(lambda: rows(node, "--held"), "it is held")
    assert held[0]["recipients"][0]["hold"] == "undeliverable" and "550" in held[0]["recipients"][0]["reason"]
    assert inside.files() == []
    node.balance()
    node.kill()
    node.start()
    assert rows(node, "--held") == held
    assert steer(node, "remove", held[0]["id"]) == (0, 1)
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    node.balance()


def test_expired_mail_is_returned(nodes, sinks, inside):
    other = sinks()
    node = nodes(OUT.replace("expire 1m", "expire 1m; warn inside after 2s"), inside=inside.port, other=other.port)
    other.stop()
    assert lab.Client(node.port).send(lab.message("late"), sender="user@example.test", recipients=("a@other.test",))[0] == 250
    text, status, returned = notice(inside.wait(1, 15)[0])
    assert "has not been delivered yet" in text and "配送できていません" in text
    assert status[1]["Action"] == "delayed" and "Will-Retry-Until" in status[1] and returned.get_content_type() == "text/rfc822-headers"
    if lab.QUICK:
        return
    second = [one for one in inside.wait(2, 80) if b"Action: failed" in one]
    assert second and notice(second[0])[1][1]["Status"] == "4.4.7"
    lab.wait_for(node.queue_is_empty, "the queue is empty")
    node.balance()
