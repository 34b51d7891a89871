# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: what doc/users.*.md tell people to type is true: the header fields are those that the gateway writes, both pages show the
same scripts, and these file as they say."""
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

import pytest

import lab

PAGES = {language: (lab.ROOT / f"doc/users.{language}.md").read_text() for language in ("en", "ja")}
CODE = "".join(path.read_text() for folder in ("scan", "receive", "auth") for path in (lab.ROOT / "src" / folder).rglob("*.c"))
TAGGED = b"From: a@example.jp\nTo: c@example.ac.jp\nSubject: [SPAM] x\nX-Spam-Status: Yes, score=9.0 required=6.8 tests=none\nX-Spam-Flag: YES\n\nx\n"
CLEAN = b"From: a@example.jp\nTo: c@example.ac.jp\nSubject: x\nX-Spam-Status: No, score=0.0 required=6.8 tests=none\n\nx\n"


def scripts(page, kind):
    return re.findall(rf"```{kind}\n(.*?)```", page, re.S)


@pytest.mark.parametrize("language", PAGES)
def test_the_header_fields_are_written(language):
    named = set(re.findall(r"\b(?:X-[A-Za-z-]+|Authentication-Results)", PAGES[language]))
    assert {"X-Spam-Flag", "X-Spam-Status", "X-Virus-Scanned", "X-Sekimori-Id", "X-Sekimori-Class"} <= named
    assert [name for name in named if f"{name}: " not in CODE] == []


@pytest.mark.parametrize("language", PAGES)
def test_the_words_of_subjects_are_the_defaults(language):
    schema = (lab.ROOT / "src/config/schema.c").read_text()
    for word in ("[SPAM] ", "[NEWSLETTER] ", "[WARNING: ATTACHMENT UNSCANNED] "):
        assert f"`{word.strip()}`" in PAGES[language] and f'"\\"{word}\\""' in schema


def test_the_words_of_the_digest_are_those_of_the_digest():
    translated = (lab.ROOT / "po/ja.po").read_text()
    for english, japanese in (("Release by mail", "メールで配送"), ("Look and release", "確かめて配送")):
        assert f'msgid "{english}"\nmsgstr "{japanese}"' in translated
        assert f"**{english}**" in PAGES["en"] and f"**「{japanese}」**" in PAGES["ja"]
    assert 'msgid "Held messages: %zu"\nmsgstr "保留メール %zu 通"' in translated
    assert "*Held messages: 3*" in PAGES["en"] and "「保留メール 3 通」" in PAGES["ja"]


@pytest.mark.parametrize("kind", ["sieve", "procmail"])
def test_both_pages_have_the_same_scripts(kind):
    assert scripts(PAGES["en"], kind) == scripts(PAGES["ja"], kind) != []


@pytest.mark.skipif(not shutil.which("sieve-test"), reason="dovecot-sieve is not installed")
def test_the_sieve_script_files():
    """sieve-test gives root up, and nobody may not look into the folders of tests."""
    (script,) = scripts(PAGES["en"], "sieve")
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    as_user = ["-o", f"mail_uid={user.pw_uid}", "-o", f"mail_gid={user.pw_gid}"]
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        here.chmod(0o755)
        (here / "own.sieve").write_text(script)
        assert subprocess.run(["sievec", "own.sieve"], cwd=here, capture_output=True).returncode == 0
        for mail, wanted in ((TAGGED, "Junk"), (CLEAN, "INBOX")):
            (here / "mail").write_bytes(mail)
            done = subprocess.run(["sieve-test", *as_user, "own.sieve", "mail"], cwd=here, capture_output=True, text=True)
            assert f"store message in folder: {wanted}\n" in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("procmail"), reason="procmail is not installed")
def test_the_procmail_recipes_file(tmp_path):
    judge = f"{lab.BUILD}/src/cli/sekimori judge --base {lab.ROOT}/conf/model/base.model --rules {lab.ROOT}/conf/rules"
    recipes = "".join(scripts(PAGES["en"], "procmail")).replace("$HOME/Mail", str(tmp_path)).replace("sekimori judge", judge)
    (tmp_path / "rc").write_text(f"DEFAULT={tmp_path}/Inbox/\n{recipes}")
    junk, good = ((lab.ROOT / "conf/samples" / name).read_bytes() for name in ("4-junk-gtube.eml", "2-clean-japanese.eml"))
    for mail, folder in ((TAGGED, "Junk"), (CLEAN, "Inbox"), (junk, "Junk"), (good, "Inbox")):
        before = {path for path in tmp_path.glob("*/new/*")}
        subprocess.run(["procmail", "-m", "rc"], cwd=tmp_path, input=mail, check=True)
        (filed,) = set(tmp_path.glob("*/new/*")) - before
        assert filed.parts[-3] == folder
