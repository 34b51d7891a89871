# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: who and what is on a list is refused or weighed, by the list's name and reason, from files and from zones of the DNS; a list that
goes mad, refuses us or is silent refuses and delays nothing; a file that is wrong is refused with its line, and the list stays as it was."""
import base64
import hashlib
import json
import re
import subprocess
import time

import lab
import pytest
from dns_server import DnsServer

ZONES = """
    2.0.0.127.bad.dnsbl.test     A  127.0.0.2
    7.7.0.127.bad.dnsbl.test     A  127.0.0.10
    test.names.dnsbl.test        A  127.0.0.2
    evil-links.com.names.dnsbl.test  A  127.0.0.2
    2.0.0.127.zen.spamhaus.org   A  127.0.0.2
    8.7.0.127.zen.spamhaus.org   A  127.0.0.4
    f3pdgtmwu6lfigdjc67yniwry5zrm7erletnfo36qaeqpmbpw2da._email.key1.hbl.dq.spamhaus.net  A  127.0.3.2
    jrbrnountqwklokrddx5dc65yhffj4zlj5exp7d6twhjtdr23psa._url.key1.hbl.dq.spamhaus.net  A  127.0.3.30
"""
CONFIG = """
dns {{ timeout 700ms; dnssec off; client names off }}
domains {{ example.test 127.0.0.1:{inside}; observed.test 127.0.0.1:{inside} {{ spam observe }} }}
spam {{ base model none; rules none; own rules none }}
list bad-networks {{ networks {at}/networks.txt; points 4; action reject }}
list bad-names {{ names {at}/names.txt; points 3.5 }}
list bad-files {{ hashes {at}/hashes.txt; action quarantine }}
list bad-zone {{ zone bad.dnsbl.test; servers {dns}; action reject }}
list link-zone {{ zone names.dnsbl.test; servers {dns}; about link; points 2.5 }}
list spamhaus-zen {{ servers {dns} }}
list spamhaus-hbl {{ key {at}/hbl.key; servers {dns} }}
list fraud {{ zone fraud.dnsbl.test; servers {dns}; about address; digest sha1; points 1.5 }}
list bad-links {{ hashes {at}/links.txt; about link-hash; points 2 }}
"""
HELD = b"another file, that the list of files has, and is long enough, too: " + b"y" * 100
FILE = b"a file that is known, and long enough to be looked for: " + b"x" * 100


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocklists")
    (folder / "networks.txt").write_text("# ours\n127.0.5.0/24 spam source\n127.0.6.1\n")
    (folder / "names.txt").write_text("evil.example phishing site\nbad-helo.example\n")
    (folder / "hashes.txt").write_text(hashlib.sha256(FILE).hexdigest() + " a known file\n")
    (folder / "hbl.key").write_text("key1\n")
    (folder / "links.txt").write_text(hashlib.sha256(b"shop.example/pay?id=1").hexdigest() + " a shop that is none\n")
    dns, inside = DnsServer(ZONES).start(), lab.Sink(folder)
    dns.add(hashlib.sha1(b"dropbox@mail.example").hexdigest() + ".fraud.dnsbl.test", "A", "127.0.0.2")
    dns.add(base64.b32encode(hashlib.sha256(HELD).digest()).decode().strip("=").lower() + "._file.key1.hbl.dq.spamhaus.net", "A", "127.0.3.10")
    node = lab.Node(folder, CONFIG, inside=inside.port, dns=dns.address, at=folder).start()
    node.lists, node.dns, node.inside = folder, dns, inside
    lab.wait_for(lambda: {one["state"] for one in lists(node)} == {"in force"}, "all lists are in force")
    yield node
    node.assert_sound()
    node.stop()
    inside.stop()
    dns.stop()


def lists(node):
    return [json.loads(line) for line in node.run("lists", "--json").stdout.splitlines()]


def state_of(node, name):
    return next(one for one in lists(node) if one["list"] == name)


def post(node, source="127.0.0.1", to="user@example.test", mail=None, hello="EHLO client.example", sender="sender@outside.example"):
    client = lab.Client(node.port, source=source, hello=hello)
    try:
        return client.send(mail or lab.message(), recipients=[to], sender=sender)
    finally:
        client.close()


def rcpt(node, source, to="user@example.test"):
    client = lab.Client(node.port, source=source)
    client.say("MAIL FROM:<sender@outside.example>")
    reply = client.say(f"RCPT TO:<{to}>")
    client.close()
    return reply


def test_listed_clients_are_refused_with_name_and_reason(stage):
    for source, says in (("127.0.5.9", "client 127.0.5.9 is listed by bad-networks: spam source"), ("127.0.6.1", "client 127.0.6.1 is listed by bad-networks"),
                         ("127.0.7.7", "client 127.0.7.7 is listed by bad-zone (127.0.0.10)")):
        reply = rcpt(stage, source)
        assert reply[0] == 554 and says in reply[1], reply
    assert rcpt(stage, "127.0.6.2")[0] == 250
    assert rcpt(stage, "127.0.5.9", "postmaster@example.test")[0] == 250
    assert rcpt(stage, "127.0.5.9", "user@observed.test")[0] == 250


def logged(node, line):
    lab.wait_for(lambda: line in node.text(), f"the log says {line}", 5)


def health(node, *options):
    return node.run("health", *options, check=False).stdout


def status_of(node):
    """X-Spam-Status of the message that came last, unfolded."""
    text = node.inside.wait(1)[-1].decode().replace("\n\t", " ").replace("\r", "")
    node.inside.empty()
    return next(line for line in text.splitlines() if line.startswith("X-Spam-Status:"))


def test_points_for_names_links_and_files(stage):
    rows = (({"sender": "someone@mail.evil.example"}, "LIST_BAD_NAMES=3.5"),
            ({"hello": "EHLO bad-helo.example"}, "LIST_BAD_NAMES=3.5"),
            ({"mail": lab.message(From="Bank <info@www.evil.example>")}, "LIST_BAD_NAMES=3.5"),
            ({"mail": lab.message(body="look at http://sub.evil.example/path\n")}, "LIST_BAD_NAMES=3.5"),
            ({"mail": lab.message(body="look at http://www.a.evil-links.com/path\n")}, "LIST_LINK_ZONE=2.5"),
            ({"source": "127.0.7.8"}, "LIST_SPAMHAUS_ZEN=6.0"))
    for envelope, word in rows:
        assert post(stage, **envelope)[0] == 250, envelope
        assert word in status_of(stage), envelope
    assert post(stage)[0] == 250
    assert "LIST_" not in status_of(stage)
    logged(stage, "tests=LIST_SPAMHAUS_ZEN=6.0")


def test_hashes_of_addresses_links_and_files(stage):
    attached = lab.message(MIME_Version="1.0", Content_Type='application/octet-stream; name="b.bin"', Content_Transfer_Encoding="base64",
                           body=base64.encodebytes(HELD).decode())
    rows = (({"mail": lab.message(Reply_To="Prince <Drop.Box+now@gmail.com>, <DROPBOX+1@Mail.Example>")}, None),
            ({"mail": lab.message(Reply_To="Prince <DROPBOX+1@Mail.Example>")}, "LIST_FRAUD=1.5"),
            ({"mail": lab.message(From="user+tag@HBLtest.com")}, "LIST_SPAMHAUS_HBL=5.0"),
            ({"mail": lab.message(body="look at http://WWW.hbltest.com/test#there\n")}, "LIST_SPAMHAUS_HBL=5.0"),
            ({"mail": lab.message(body="look at https://shop.example/pay?id=1\n")}, "LIST_BAD_LINKS=2.0"),
            ({"mail": attached}, "LIST_SPAMHAUS_HBL=8.0"))
    for envelope, word in rows:
        assert post(stage, **envelope)[0] == 250, envelope
        says = status_of(stage)
        assert word in says if word else "LIST_" not in says, (envelope, says)
    assert "by fraud (127.0.0.2)" in stage.run("lists", "test", "dropbox@mail.example").stdout
    assert "by bad-links: a shop that is none" in stage.run("lists", "test", "https://shop.example/pay?id=1").stdout
    assert "by spamhaus-hbl: a link of spammers" in stage.run("lists", "test", "http://www.hbltest.com/test").stdout


def test_a_known_file_is_held(stage):
    mail = lab.message(MIME_Version="1.0", Content_Type='application/octet-stream; name="a.bin"', Content_Transfer_Encoding="base64",
                       body=base64.encodebytes(FILE).decode())
    stage.text_begins()
    assert post(stage, mail=mail)[0] == 250
    logged(stage, "action=quarantine")
    logged(stage, "LIST_BAD_FILES=4.0")


def test_who_has_what_and_how_lists_are(stage):
    says = stage.run("lists", "test", "127.0.5.1").stdout
    assert says == f"client 127.0.5.1 is listed by bad-networks: spam source [{stage.lists}/networks.txt:2]\n"
    assert "by spamhaus-zen: XBL" in stage.run("lists", "test", "127.0.7.8").stdout
    assert "bad-names: phishing site" in stage.run("lists", "test", "www.evil.example").stdout
    assert "link www.evil.example is listed by bad-names" in stage.run("lists", "test", "https://www.evil.example/x").stdout
    assert "from www.evil.example is listed by bad-names" in stage.run("lists", "test", "a@www.evil.example").stdout
    assert "bad-files: a known file" in stage.run("lists", "test", hashlib.sha256(FILE).hexdigest()).stdout
    assert stage.run("lists", "test", "127.0.99.1", check=False).returncode == 1
    assert stage.run("lists", "test", check=False).returncode == 64
    assert "bad-networks" in stage.run("lists").stdout
    assert state_of(stage, "bad-networks")["entries"] == 2
    lab.wait_for(lambda: "9 are in force" in health(stage, "-v"), "health counts them")


BAD_FILES = ((b"127.0.5.0/24\n\x00\x01\xff binary\n", ":2: a control character"), (b"# all\n0.0.0.0/0\n", ':2: "0.0.0.0/0" is too wide'),
             (b"10.0.0.1\n127.0.0.0/24\n", ':2: "127.0.0.0/24" has an address of our own'), (b"a" * 10000 + b"\n", ":1: "),
             (b"\n" * 5000001, ":5000001: more than 5000000 lines"))


def test_a_bad_file_leaves_the_list_as_it_was(stage):
    path, good = stage.lists / "networks.txt", (stage.lists / "networks.txt").read_bytes()
    for content, says in BAD_FILES:
        path.write_bytes(content)
        told = stage.run("reload", check=False)
        assert told.returncode == 65 and f"list bad-networks: {path}{says}" in told.stderr, told
        assert rcpt(stage, "127.0.5.9")[0] == 554
    assert state_of(stage, "bad-networks")["state"] == "in force" and "more than" in state_of(stage, "bad-networks")["problem"]
    assert f"{path}:5000001" in stage.run("check", "--config", str(stage.config), check=False, where=False).stderr
    logged(stage, "ALARM: list bad-networks")
    lab.wait_for(lambda: "bad-networks is put aside" in health(stage), "health names it")
    lab.wait_for(lambda: "bad-networks is aside" in stage.run("audit", "--act", "list").stdout, "the audit has it: lookup looks once a second")
    for name, content, says in (("names", b"a." * 5000 + b"example\n", ':1: "a.a.a.'), ("hashes", b"12345\n", ':1: "12345" is no SHA-256'),
                                ("names", b"ok.example\n\x7fELF\x02\x01\x01\0\0\n", ":2: a control character")):
        other, before = stage.lists / f"{name}.txt", (stage.lists / f"{name}.txt").read_bytes()
        other.write_bytes(content)
        assert f"{other}{says}" in stage.run("reload", check=False).stderr
        other.write_bytes(before)
    path.unlink()
    assert stage.run("reload", check=False).returncode == 65 and rcpt(stage, "127.0.5.9")[0] == 554
    path.write_bytes(good + b"127.0.8.0/24 new\n")
    assert stage.run("reload").returncode == 0
    assert rcpt(stage, "127.0.8.1")[0] == 554 and state_of(stage, "bad-networks")["entries"] == 3


def flow(node, count, source="127.0.44.%d"):
    """So many messages, each from another address; the longest time that one took."""
    longest = 0
    for number in range(count):
        begun = time.monotonic()
        assert post(node, source=source % (number + 1))[0] == 250, number
        longest = max(longest, time.monotonic() - begun)
    return longest


def test_a_list_that_goes_mad_refuses_and_delays_nothing(stage):
    dns = stage.dns
    stage.text_begins()
    dns.set("*.bad.dnsbl.test", "A", "127.0.0.2")  # served for what is not there otherwise
    for name in ("2.0.0.127", "7.7.0.127"):
        dns.set(f"{name}.bad.dnsbl.test", "A")
    longest = flow(stage, 200)
    assert longest < 2.0, longest
    assert state_of(stage, "bad-zone")["state"] == "aside"
    logged(stage, "ALARM: list bad-zone is put aside, it lists everything")
    dns.set("*.bad.dnsbl.test", "A")
    dns.add_text("2.0.0.127.bad.dnsbl.test A 127.0.0.2\n7.7.0.127.bad.dnsbl.test A 127.0.0.10")
    lab.wait_for(lambda: state_of(stage, "bad-zone")["state"] == "in force", "it is tried again", 40)
    assert rcpt(stage, "127.0.7.7")[0] == 554


def test_mad_lists_beside_much_mail():
    """A smaller bench/mad_list: 200 messages a second, of which none is refused or late."""
    for mode in ("everything", "silent"):
        done = subprocess.run([lab.ROOT / "bench/mad_list", mode, "--build", lab.BUILD, "--rate", "50" if lab.IS_SANITIZED else "200", "--seconds", "4",
                               "--spare", "4"], capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_list_that_refuses_us_is_put_aside(stage):
    stage.text_begins()
    stage.dns.set("50.45.0.127.bad.dnsbl.test", "A", "127.255.255.254")
    assert rcpt(stage, "127.0.45.50")[0] == 250
    logged(stage, "ALARM: list bad-zone is put aside, it refuses to answer this node, or another answers for it (127.255.255.254)")
    assert rcpt(stage, "127.0.7.7")[0] == 250
    lab.wait_for(lambda: "bad-zone is put aside" in health(stage), "health names it")


def table(node, by):
    return {row["signal"]: row for row in json.loads(node.run("stats", "--format", "json", "--by", by).stdout)[0]["rows"]}


def test_what_lists_did_is_in_stats_and_report(stage):
    """A message by its end, recipients that were refused at RCPT; and how long a list was aside."""
    before = table(stage, "list")
    assert post(stage, source="127.0.7.8")[0] == 250
    rcpt(stage, "127.0.5.9")

    def grown():
        now = table(stage, "list")
        return (now["LIST_SPAMHAUS_ZEN"]["messages"] == before["LIST_SPAMHAUS_ZEN"]["messages"] + 1
                and now["LIST_BAD_NETWORKS"]["refused_at_rcpt"] == before["LIST_BAD_NETWORKS"]["refused_at_rcpt"] + 1)
    lab.wait_for(grown, "the ledger counts both")
    assert table(stage, "list")["LIST_BAD_FILES"]["held"] == 1
    assert [(name, row["messages"], row["held"]) for name, row in table(stage, "impostor").items()] == [("IMPOSTOR_REPLY_ELSEWHERE", 1, 0)]  # of an answer to Gmail above
    assert stage.run("stats", "--by", "list", "--format", "csv").stdout.startswith("signal,messages,tagged,held,refused,put_off,refused_at_rcpt")
    metrics = stage.run("metrics").stdout
    assert 'sekimori_list_messages_total{list="spamhaus-zen"}' in metrics and 'sekimori_list_refused_recipients_total{list="bad-networks"}' in metrics
    assert float(re.search(r'list_refused_recipients_total{list="bad-networks"} (\d+)', metrics)[1]) >= 1, metrics
    acts = stage.run("audit", "--act", "list").stdout
    assert "bad-zone is aside: lists everything" in acts and "bad-networks is aside: has a file that was refused: " in acts and "bad-networks is in force" in acts and "all are tried anew" in acts, acts
    report = stage.lists / "report.txt"
    for language, words in (("en", ("Lists that were put aside", "Lists that spoke", "LIST_SPAMHAUS_ZEN", "bad-zone")),
                            ("ja", ("使用を見合わせたリスト", "リストに載っていたもの", "LIST_BAD_FILES"))):
        stage.run("report", "--date", time.strftime("%Y-%m-%d"), "--language", language, "--to", report)
        assert all(word in report.read_text() for word in words), report.read_text()


def test_a_silent_list_delays_nothing_beyond_the_deadline(stage):
    stage.dns.misbehave(mode="silent")
    stage.run("reload")  # what is aside is tried, and what is in force goes on
    assert flow(stage, 6, "127.0.46.%d") < 2.0
    assert rcpt(stage, "127.0.5.9")[0] == 554  # by a file
    stage.dns.behave()
