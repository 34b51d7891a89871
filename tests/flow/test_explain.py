# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: of each judged message the node can say for days why it was judged so, in Japanese and English, without having kept any of its
text; the text itself is shown only while it is here, and who looked is on record."""
import json
import os
import re
import signal
import subprocess

import browser
import lab

SAMPLES = lab.ROOT / "conf/samples"
CONFIG = "domains {{ example.ac.jp 127.0.0.1:{inside}\n away.example 127.0.0.1:1 }}\nledger keep explanations 2d\nquarantine {{ most 100M }}\n" \
         "spam {{ base model \"%s\"; rules \"%s\" }}\n" % (lab.ROOT / "conf/model/base.model", lab.ROOT / "conf/rules")
PHISHING = (SAMPLES / "7-phishing-japanese.eml").read_text()


def send(node, message, recipient="taro@example.ac.jp"):
    code, text = lab.Client(node.port).send(message, recipients=[recipient])
    return code, re.search(r"\b([0-9A-Z]{13})\b", text).group(1)


def explained(node, identity, *words):
    lab.wait_for(lambda: node.run("explain", identity, check=False).returncode == 0, "ledger keeps why")
    return node.run("explain", identity, *words)


def test_what_was_judged_is_explained(nodes, inside, tmp_path):
    node = nodes(CONFIG, inside=inside.port)
    code, held = send(node, PHISHING.replace("お客様各位", "お客様各位 &lt;script&gt;alert(1)&lt;/script&gt;"))
    assert code == 250
    _, delivered = send(node, (SAMPLES / "8-mail-magazine-japanese.eml").read_text())
    refused_code, refused = send(node, (SAMPLES / "4-junk-gtube.eml").read_text())
    assert refused_code == 550
    # what was decided then, in both languages
    english = explained(node, held, "--language", "en", "-c", node.config).stdout
    assert re.search(r"action +quarantine\n", english) and "reaches the line for holding mail, 12.0" in english, english
    assert re.search(r"\+3\.1  JA_CARD_LIMITED +A card is said to be limited or stopped\n", english), english
    japanese = explained(node, held, "--language", "ja", "-c", node.config).stdout
    assert "処置  隔離" in japanese and "隔離の値 12.0 以上" in japanese and "同梱の基本モデル" in japanese, japanese
    assert "script" not in english + japanese and "お客様" not in english + japanese
    told = json.loads(explained(node, held, "--json", "-c", node.config).stdout)
    assert told["thresholds"] == {"tag": 6.8, "quarantine": 12.0, "reject": 20.0} and told["replayable"] and told["class"] == "spam"
    assert round(sum(one["points"] for one in told["signals"]), 1) == told["score"] >= 12
    assert told["actions"] == [{"action": "quarantine", "observed": "accept", "recipients": 1}] and "passages" not in told
    assert {one["name"]: one["about"] for one in told["signals"]}["JA_FROM_SMBC"].startswith("From names")
    # also of what was let pass, and of what was refused
    told = json.loads(explained(node, delivered, "--json").stdout)
    assert told["actions"][0]["action"] == "accept" and told["why"].endswith("stays below 6.8")
    told = json.loads(explained(node, refused, "--json").stdout)
    assert told["code"] == 550 and told["actions"][0]["action"] == "reject" and "GTUBE" in {one["name"] for one in told["signals"]}
    # of a virus what it is, and not the name of its file
    code, infected = send(node, lab.message("invoice", lab.eicar() + "\n", MIME_Version="1.0", Content_Type="application/octet-stream; name=quite-private.com"))
    told = json.loads(explained(node, infected, "--json").stdout)
    assert code == 550 and told["virus"]["state"] == "found" and told["why"].startswith("the virus check found: Eicar"), told
    assert "ウイルス検査で検出: Eicar" in explained(node, infected, "--language", "ja").stdout and "quite-private" not in json.dumps(told)
    assert f"why: sekimori explain {held}" in node.run("trace", held).stdout
    # who may not read the files asks the node
    code, _ = lab.ask(node.state, f"explain {held}")
    assert code == 0 and lab.ask(node.state, "explain 0000000000000")[0] == 66
    # its text, while it is here, and who looked
    lab.wait_for(lambda: held in node.run("quarantine", "list").stdout, "it is in the quarantine", 40)
    page = explained(node, held, "--html", "-c", node.config).stdout
    assert "&lt;script&gt;" in re.sub(r"</?(?:span|u)\b[^>]*>", "", page) and "<script" not in page and not re.search(r"(?:src|href|url)\s*[=(]", page) and "default-src 'none'" in page
    assert 'class="s3"' in page and "<u>" in page and "login.smcc-kakunin.example" not in page
    browser.assert_legible(page, tmp_path)
    told = json.loads(explained(node, held, "--passages", "--json", "-c", node.config).stdout)
    assert any("本人確認" in one["text"] for one in told["passages"]["for"]), told["passages"]
    assert {"JA_CARD_LIMITED"} <= {one["rule"] for one in told["passages"]["rules"] if one["text"]}
    _, waiting = send(node, (SAMPLES / "2-clean-japanese.eml").read_text(), "somebody@away.example")
    assert json.loads(explained(node, waiting, "--passages", "--json", "-c", node.config).stdout)["passages"]["base"] < 0
    looks = ["cat", "content", "content"]
    lab.wait_for(lambda: sorted(re.findall(r'"act": ?"(content|cat)"', node.run("audit", "--json").stdout)) == looks, "each look at a text, and no other")
    # where it is not here any more, or nothing is kept
    gone = node.run("explain", delivered, "--html", check=False)
    assert (gone.returncode, gone.stdout) == (66, "") and "not here any more" in gone.stderr
    unknown = node.run("explain", "0000000000000", check=False)
    assert unknown.returncode == 66 and "nothing is kept of why" in unknown.stderr
    assert node.run("explain", "NoSuchFile", check=False).returncode == 66
    # a day that is over goes; a ledger that was killed goes on in the same file
    os.kill(node.pids("ledger")[0], signal.SIGKILL)
    old = node.state / "ledger/explained.20200101"
    old.write_bytes(b"x")
    _, later = send(node, PHISHING.replace("sample-7", "sample-9"))
    explained(node, later)
    explained(node, held)
    lab.wait_for(lambda: not old.exists(), "an old day goes")
    files = list((node.state / "ledger").glob("explained.*"))
    assert 1 <= len(files) <= 2 and all(oct(file.stat().st_mode)[-3:] == "600" for file in files)
    assert sum(file.stat().st_size for file in files) < 4 * 3072
    node.balance()


def test_each_recipient_and_each_message(nodes, inside):
    """Lines of their own are told with what follows from them; and kill -9 of ledger, at any moment, costs no message its explanation."""
    own = "recipient boss@example.ac.jp { spam off }\nrecipient list@example.ac.jp { spam { quarantine above 30; reject above never } }\n"
    node = nodes(CONFIG + own.replace("{", "{{").replace("}", "}}"), inside=inside.port)
    code, text = lab.Client(node.port).send(PHISHING, recipients=["taro@example.ac.jp", "boss@example.ac.jp", "list@example.ac.jp"])
    assert code == 250
    identity = re.search(r"\b([0-9A-Z]{13})\b", text).group(1)
    told = json.loads(explained(node, identity, "--json").stdout)["recipients"]
    assert [(one["recipient"].split("@")[0], one["action"], one["tag"], one["quarantine"], one["reject"]) for one in told] == [
        ("taro", "quarantine", 6.8, 12.0, 20.0), ("boss", "accept", 6.8, 12.0, 20.0), ("list", "tag", 6.8, 30.0, None)], told
    assert "line for holding mail, 12.0" in told[0]["why"] and told[1]["why"] == "no spam check for this recipient"
    assert "line for tagging mail, 6.8" in told[2]["why"]
    # X-Spam-Status is there where spam is judged for one of the recipients.
    assert send(node, lab.message("alone", "hello\n"), "boss@example.ac.jp")[0] == 250
    came = inside.wait(3)
    assert sorted((b"\nX-Spam-Status:" in one, b"required=never" in one) for one in came) == [(False, False), (True, False), (True, True)]
    said = explained(node, identity, "--language", "ja").stdout
    assert "taro@example.ac.jp: 隔離" in said and "boss@example.ac.jp: 通過; この宛先は迷惑メールの判定をしない" in said, said
    identities = []
    for number in range(24):
        identities.append(send(node, lab.message(f"number {number}", "hello\n"))[1])
        if number % 4 == 3:
            lab.wait_for(lambda: node.pids("ledger"), "ledger runs")
            os.kill(node.pids("ledger")[0], signal.SIGKILL)
    for one in identities:
        explained(node, one)


def test_a_file_is_judged_now(tmp_path):
    def explain(*words, data=None):
        return subprocess.run([lab.BUILD / "src/cli/sekimori", "explain", "--base", lab.ROOT / "conf/model/base.model", *words], input=data,
                              capture_output=True, text=True, timeout=60)
    (tmp_path / "conf").write_text(f"hostname mx.example.ac.jp\nstate {tmp_path}/state\nlisten 127.0.0.1:2525\ndomains example.ac.jp 127.0.0.1:2526\n"
                                   f"virus mode off\nspam rules \"{lab.ROOT}/conf/rules\"\n")
    done = explain("-c", tmp_path / "conf", "--json", SAMPLES / "7-phishing-japanese.eml")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "") and told["file"].endswith("7-phishing-japanese.eml")
    passages = told["passages"]
    assert passages["for"][0]["points"] > 0.2 and passages["base"] > 1 and "JA_CARD_LIMITED" in {one["rule"] for one in passages["rules"]}
    done = explain("-c", tmp_path / "conf", "--language", "ja", "-", data=PHISHING)
    assert done.returncode == 0 and "迷惑メールらしさを示す文" in done.stdout and "本人確認" in done.stdout
    assert explain(tmp_path / "none").returncode == 66
    # judge says the same in the locale's language, and begins with the same word
    judge = [lab.BUILD / "src/cli/sekimori", "judge", "-c", tmp_path / "conf"]
    said = subprocess.run(judge, input=PHISHING, capture_output=True, text=True, env={**os.environ, "LC_ALL": "ja_JP.UTF-8"}).stdout
    assert re.match(r"(quarantine  隔離|tag  印づけ)\n  得点 ", said) and "カードの利用を制限・停止したという文面" in said, said
    said = subprocess.run([*judge, "--language", "en"], input=PHISHING, capture_output=True, text=True, env={**os.environ, "LC_ALL": "ja_JP.UTF-8"}).stdout
    assert re.match(r"(quarantine|tag)\n  score ", said), said
    # one message, never many, and never in silence
    (tmp_path / "mails").mkdir()
    assert (none := explain(tmp_path / "mails")).returncode == 66 and "there is no message in it" in none.stderr
    for name, data, code in (("noise", "no header\n", 0), ("nothing", "", 65)):
        (tmp_path / name).write_text(data)
        assert (bad := explain(tmp_path / name)).returncode == code and f"sekimori explain: {tmp_path / name}: " in bad.stderr, bad
    assert explain("-", data="").returncode == 65 and explain("-", data="no header\n").returncode == 0
    for number in range(2):
        (tmp_path / f"mails/{number}").write_text(PHISHING)
    assert (many := explain(tmp_path / "mails")).returncode == 65 and "more than one message; sekimori judge" in many.stderr
    assert explain().returncode == 64 and explain("--html", "--json", "-", data=PHISHING).returncode == 64
    dying = explain("-c", tmp_path / "conf", "-", data="X-Test-Judge: die\n" + PHISHING)
    assert (dying.returncode, dying.stdout) == (75, "") and "could not be read" in dying.stderr


def test_every_signal_has_its_words():
    """Of rules it is their description; all others are in one table, in both languages."""
    names = set()
    for file in ("spam/score.c", "scan/authenticate.c", "scan/decide.c", "scan/recipe.c", "scan/extraction.c", "scan/campaign_weight.c"):
        text = (lab.ROOT / "src" / file).read_text()
        names |= set(re.findall(r'score_add\([^;]*?"([A-Z][A-Z0-9_]{3,})"', text)) | set(re.findall(r'\{ "([A-Z][A-Z0-9_]{3,})",', text))
        names |= set(re.findall(r'= "((?:HOSTED|CAMPAIGN)[A-Z_]*)"', text)) | set(re.findall(r', "([A-Z][A-Z0-9_]{3,})" \}', text))
    table = (lab.ROOT / "src/cli/signal_words.c").read_text()
    known = {row[0]: row for row in re.findall(r'\{ "([A-Z0-9_]+)",\s*"([^"]+)",\s*"([^"]+)" \}', table)}
    assert len(names) > 60 and not names - set(known), names - set(known)
    assert all(re.search("[\u3040-\u30ff\u4e00-\u9fff]|SPF|DKIM|DMARC|HELO|Base64|MIME", row[2]) for row in known.values())
