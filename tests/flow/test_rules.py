# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: rules judge mail, those that ask for signals too; a reload takes changed ones, refuses bad ones with their line, and what runs stays."""
import json
import pathlib
import re
import subprocess

import lab

OWN = 'rule OWN_WORD {\n    points 1.5\n    body /frobnicat(e|ion)/\n    describe "A word of ours"\n}\n' \
      'rule OWN_LATE { points 0.5; meta OWN_WORD and signal RDNS_NONE; describe "and no name" }\n'
ASTRAY = 'rule OWN_ASTRAY { points 1; body /frobnicate (a+)+b/; describe "astray" }\n'


def score_of(node, inside, number, body):
    assert lab.Client(node.port).send(lab.message("note", body + "\n"))[0] == 250
    mail = inside.wait(number)[-1].decode()
    return re.sub(r"\r\n\t", "", re.search(r"X-Spam-Status: (.*(\r\n\t.*)*)", mail)[1])


def scan_megabytes(node):
    """All that the processes of scan take together, models and rules among it; pages that they share count once."""
    (top,) = node.pids("scan")

    def rollups():
        """None where one of them has ended meanwhile, a reader say: all are looked at anew."""
        try:
            return [pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in (top, *lab.offspring(top))]
        except (ProcessLookupError, FileNotFoundError):
            return None

    return sum(int(re.search(r"^Pss: +(\d+)", one, re.M)[1]) for one in lab.wait_for(rollups, "no process of scan ends")) / 1024


def test_rules_of_ones_own(nodes, inside, tmp_path):
    own = tmp_path / "rules.d"
    own.mkdir()
    (own / "10-own.rules").write_text(OWN)
    spam = f"spam {{{{ rules {lab.ROOT}/conf/rules; own rules {own} }}}}\n"
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n" + spam, inside=inside.port)
    said = score_of(node, inside, 1, "please frobnicate")
    assert "OWN_WORD=1.5" in said and ("OWN_LATE=0.5" in said) == ("RDNS_NONE" in said), said
    assert "OWN_" not in score_of(node, inside, 2, "nothing of the kind")
    assert "EXTORTION_DEVICE=4.4" in score_of(node, inside, 3, "I hacked your device. Send bitcoin to my wallet.")
    # A bad one is refused, with its place; the old ones go on.
    (own / "20-bad.rules").write_text('rule OWN_BAD {\n    points 1\n    body /frobnicate(/\n    describe "x"\n}\n')
    done = node.run("reload", check=False)
    assert done.returncode == 78 and "20-bad.rules:3:10: error: the pattern: missing closing parenthesis" in done.stderr, done
    checked = node.run("reload", "--diff", check=False)
    assert checked.returncode == 78 and "^" in checked.stderr, checked
    assert "OWN_WORD=1.5" in score_of(node, inside, 4, "please frobnicate")
    # A good one is taken; one that goes astray is ended and named.
    (own / "20-bad.rules").write_text("points OWN_WORD 0.7\noff OWN_LATE\n" + ASTRAY)
    node.run("reload")
    lab.wait_for(lambda: node.text().count("the new configuration is in force") > 0, "it is in force")

    def is_judged_anew():
        assert lab.Client(node.port).send(lab.message("again", "frobnicate " + "a" * 300 + "\n"))[0] == 250
        return any(b"OWN_WORD=0.7" in one and b"RULES_LIMIT=0.0" in one for one in inside.messages())
    lab.wait_for(is_judged_anew, "the new rules judge")
    assert lab.IS_SANITIZED or scan_megabytes(node) < 48
    node.balance()


def test_a_bad_rule_does_not_keep_a_node_down(nodes, inside, tmp_path):
    own = tmp_path / "rules.d"
    own.mkdir()
    (own / "10-own.rules").write_text(OWN)
    (own / "20-bad.rules").write_text('rule OWN_GOOD { points 2; body /frobnicate/; describe "good, in a bad file" }\n'
                                      'rule OWN_BAD {\n    points 1\n    body /frobnicate(/\n    describe "x"\n}\n')
    (own / "30-leans.rules").write_text("points OWN_BAD 0.5\n")  # on what is left out: it is wrong, too
    (own / "40-last.rules").write_text('rule OWN_LAST { points 0.3; body /frobnicate/; describe "last" }\n')
    node = nodes("domains {{ example.test 127.0.0.1:{inside} }}\n" + f"spam {{{{ rules {lab.ROOT}/conf/rules; own rules {own} }}}}\n",
                 start=False, inside=inside.port)
    checked = subprocess.run([lab.BUILD / "src/cli/sekimori", "check", node.config], capture_output=True, text=True)
    assert checked.returncode == 78 and "20-bad.rules:4:10: error" in checked.stdout + checked.stderr, checked
    node.start()
    said = score_of(node, inside, 1, "please frobnicate")
    assert "OWN_WORD=1.5" in said and "OWN_LAST=0.3" in said and "OWN_GOOD" not in said, said
    log = node.text()
    assert re.search(r"ALARM: .*/20-bad.rules:4:10: error: the pattern: missing closing parenthesis.*; the node starts without this file", log)
    assert re.search(r"ALARM: .*/30-leans.rules:1:8: error: .*; the node starts without this file", log), log
    health = lab.wait_for(lambda: (said := node.run("health", "--all", check=False).stdout) and "20-bad.rules:4" in said and said, "health says it")
    assert re.findall(r"(.*)messages are judged, but without each rule file that was wrong", health) == ["SICK  rules         "], health
    said = {option: node.run("health", *option.split(), check=False).stdout for option in ("", "-v", "--serving", "--plugin")}
    assert re.search(r"^scan +messages are judged, but without each rule file that was wrong at the start, first 20-bad.rules:4:", said[""], re.M), said
    assert re.search("^note  scan ", said["-v"], re.M) and "20-bad" not in said["--serving"] and "scan: messages are judged, but" in said["--plugin"], said
    noted = [one for one in json.loads(node.run("health", "--json", check=False).stdout)["findings"] if one["noted"]]
    assert [(one["check"], one["good"]) for one in noted] == [("scan", True)], noted  # another node would do no better
    # the running set stays at a reload, with its line, until the files are good
    done = node.run("reload", check=False)
    assert done.returncode == 78 and "20-bad.rules:4:10: error" in done.stderr, done
    assert done.stderr.endswith("\nrefused: the old configuration stays in force\n"), done
    assert "reload refused; the old configuration stays in force\n" in node.text() and "\\x0A" not in node.text()
    (own / "20-bad.rules").write_text('rule OWN_BAD { points 1; body /frobnicate/; describe "x" }\n')
    node.run("reload")
    lab.wait_for(lambda: "20-bad.rules" not in node.run("health", check=False).stdout, "all are in force")
    node.balance()


def rules(*words, stdin=None):
    return subprocess.run([lab.BUILD / "src/cli/sekimori", "rules", *map(str, words)], stdin=stdin, capture_output=True, text=True, timeout=60)


def test_the_command(tmp_path):
    shipped = lab.ROOT / "conf/rules"
    missing = rules("check", "--rules", "/nope")
    assert missing.returncode == 66 and missing.stderr == "sekimori rules: /nope: No such file or directory\n", missing
    for words in (("check", "/nope"), ("check", "/nope", "--rules", shipped), ("check", "--config", "/nope"), ("test", "/nope")):
        missing = rules(*words)
        assert missing.returncode == 66 and re.fullmatch(r"sekimori( rules)?: /nope: No such file or directory\n", missing.stderr), (words, missing)
    for words in (("judge", "-c", "/nope"), ("explain", "-c", "/nope", lab.ROOT / "README.md")):
        missing = subprocess.run([lab.BUILD / "src/cli/sekimori", *words], input="", capture_output=True, text=True)
        assert missing.returncode == 66 and missing.stderr == f"sekimori {words[0]}: /nope: No such file or directory\n", missing
    assert re.fullmatch(r"\d+ rules, \d+ examples, 0 errors\n", rules("check", "--rules", shipped, "--language", "en").stdout)
    listed = json.loads(rules("list", "--json", "--language", "ja", "--rules", shipped).stdout)
    assert len(listed) >= 150 and sum(one["name"].startswith("JA_") for one in listed) >= 75
    own = tmp_path / "own.rules"
    own.write_text('rule OWN_TWO { points 1; meta JA_CARD_LIMITED; describe "x"; hit "nothing"; miss "nothing" }\n')
    done = rules("check", own, "--rules", shipped)
    assert done.returncode == 78 and f"{own}:1:62: error: OWN_TWO: this does not hit" in done.stderr, done
    mail = tmp_path / "mail.eml"
    text = lab.message("note", "お客様のカードのご利用を一部制限させていただいております。\n", Content_Type="text/plain; charset=utf-8")
    mail.write_text(text)
    said = rules("test", mail, "--rules", shipped, "--language", "ja").stdout
    assert "JA_CARD_LIMITED 3.1 カードの利用を制限" in said and 'body: "カードのご利用を一部制限"' in said, said
    assert json.loads(rules("test", mail, "--rules", shipped, "--json").stdout)["signals"][0]["name"] == "JA_CARD_LIMITED"
    # a mailbox of one message is a message, one of more is none; what comes on standard input is one
    box = tmp_path / "box"
    begin = "From a@b.test Fri Feb 14 08:55:52 2014\n"
    box.write_text(begin + text.replace("\r\n", "\n") + "\nFrom here on it is text.\n")
    assert rules("test", box, "--rules", shipped).returncode == 0
    box.write_text(2 * (begin + text.replace("\r\n", "\n") + "\n"))
    many = rules("test", box, "--rules", shipped)
    assert (many.returncode, many.stdout) == (65, "") and many.stderr == f"sekimori rules: {box} has more than one message; sekimori judge judges many\n"
    with open(box) as data:
        assert rules("test", "-", "--rules", shipped, stdin=data).returncode == 0
    plain = rules("test", mail, "--rules", shipped)
    assert "fact " not in plain.stdout and "\n  fact from-top=" in rules("test", mail, "--rules", shipped, "--facts").stdout
    assert "id-of-author" in json.loads(rules("test", mail, "--rules", shipped, "--facts", "--json").stdout)["facts"]
    (tmp_path / "mails").mkdir()
    for number in range(3):
        (tmp_path / f"mails/{number}.eml").write_bytes(mail.read_bytes())
    assert "3 messages" in rules("test", tmp_path / "mails", "--rules", shipped).stdout


def test_facts_and_signals(tmp_path):
    """What `rules facts` lists a rule may ask for: each name and value of it is taken."""
    told = {language: json.loads(rules("facts", "--json", "--language", language).stdout) for language in ("en", "ja")}
    assert all(one["about"] for language in told.values() for one in language)
    names = [one["name"] + (f"={value}" if one["has_value"] else "")
             for one in told["en"] if one["kind"] == "fact" for value in one["values"] or ["1"]]
    signals = [one["name"] for one in told["en"] if one["kind"] == "signal"]
    assert {"hidden-text", "phrase=parcel", "finding=duplicate-boundary", "from=route"} <= set(names) and "DMARC_FAIL" in signals
    own = tmp_path / "own.rules"
    own.write_text("".join(f"rule OWN_{number} {{ {what} }}\n" for number, what in enumerate(
        [f"fact {name}" for name in names] + [f"signal {name}" for name in signals])))
    done = rules("check", "--rules", tmp_path)
    assert done.returncode == 0, done.stderr[:2000]
    plain = rules("facts", "--language", "en").stdout
    assert "  hidden-text " in plain and "    phrase=parcel\n" in plain and "  DMARC_FAIL " in plain
