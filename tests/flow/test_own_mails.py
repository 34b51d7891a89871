# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: of the Japanese phishing of our own writing that rules and model may be made from, four of five are tagged with nothing learned,
and no notice that looks like it; the half that is only judged is no part of this: bench/spam measures it."""
import json
import re
import subprocess
import sys

import pytest

import lab

sys.path.insert(0, str(lab.ROOT / "bench"))
import own_mails  # noqa: E402

TRAINED, JUDGED, NOTICES = (lab.ROOT / path for path in ("conf/model/own-phishing-ja.txt", "bench/own/phishing-ja.txt", "bench/own/notices-ja.txt"))


def test_phishing_is_tagged_and_notices_are_not(tmp_path):
    written = {name: own_mails.own_write(texts, tmp_path / name) for name, texts in (("phishing", TRAINED), ("notices", NOTICES))}
    words = ["judge", "--json", "--base", lab.ROOT / "conf/model/base.model", "--rules", lab.ROOT / "conf/rules", tmp_path]
    said = [json.loads(line) for line in subprocess.run([lab.BUILD / "src/cli/sekimori", *words], capture_output=True, timeout=60).stdout.splitlines()]
    tagged = {name: [line for line in said if f"/{name}/" in line["file"] and line["action"] != "accept"] for name in written}
    assert len(said) == sum(map(len, written.values()))
    assert tagged["notices"] == []
    assert len(tagged["phishing"]) >= 0.8 * len(written["phishing"])


@pytest.mark.parametrize("texts, least", [(TRAINED, 50), (JUDGED, 50), (NOTICES, 30)])
def test_the_texts_can_harm_nobody_and_have_every_form(texts, least):
    """Links lead to names and addresses that are reserved (RFC 2606, RFC 5737); what some of them show is what phishing shows."""
    rows = list(own_mails.own_texts(texts))
    assert len(rows) >= least and all(subject and text for _, subject, text in rows)
    links = [how["link"] for how, _, _ in rows if "link" in how]
    assert [link for link in links if not re.match(r"https?://([a-z0-9.-]+\.test|192\.0\.2\.\d+)(/|$)", link)] == []
    assert {how.get("form") for how, _, _ in rows} == {"text", "html", "both"}
    assert {how.get("charset", "utf-8") for how, _, _ in rows} == set(own_mails.CODECS)


def test_the_halves_share_no_sentence():
    halves = [{sentence for _, subject, text in own_mails.own_texts(texts) for sentence in own_mails.sentences(text) + [subject]} for texts in (TRAINED, JUDGED)]
    assert halves[0] & halves[1] == set()
