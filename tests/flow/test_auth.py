# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: who sent a message is proven or not, by SPF, DKIM, ARC and DMARC together, whatever the DNS does; what follows is what
the owner of the domain in From asks for, and each result stands in the message, the log and the reply."""
import json
import re
import subprocess

import lab
import pytest
from dns_server import DnsServer

ZONE = """
    proven.test             TXT  v=spf1 ip4:127.0.0.1 -all
    _dmarc.proven.test      TXT  v=DMARC1; p=reject
    mail.proven.test        A    127.0.0.1
    mail.proven.test        TXT  v=spf1 a -all
    _dmarc.mid.plain.test   TXT  v=DMARC1; p=reject
    strict.test             TXT  v=spf1 ip4:192.0.2.1 -all exp=why.strict.test
    why.strict.test         TXT  %{i} is none of ours
    _dmarc.strict.test      TXT  v=DMARC1; p=reject
    careful.test            TXT  v=spf1 ~all
    _dmarc.careful.test     TXT  v=DMARC1; p=quarantine
    watching.test           TXT  v=spf1 -all
    _dmarc.watching.test    TXT  v=DMARC1; p=none
    trying.test             TXT  v=spf1 -all
    _dmarc.trying.test      TXT  v=DMARC1; p=reject; t=y
    broken.test             TXT  v=spf1 ip4:127.0.0.1 -all
    half.test               TXT  v=spf1 -all
    _dmarc.half.test        TXT  v=DMARC1; p=reject; pct=50
    spared.test             TXT  v=spf1 -all
    _dmarc.spared.test      TXT  v=DMARC1; p=reject; pct=0
    list.test               TXT  v=spf1 ip4:127.0.0.1 -all
"""
CONFIG = """
dns {{ servers {dns}; timeout 700ms; dnssec off; client names on }}
domains {{
    example.test 127.0.0.1:{inside}
    second.test 127.0.0.1:{inside} {{ {second} }}
}}
auth {{ {auth} }}
spam {{ tag above 5 }}
"""


@pytest.fixture(scope="module")
def dns():
    with DnsServer(ZONE) as server:
        server.set_reverse("127.0.0.1", "mail.proven.test")
        server.misbehave("_dmarc.broken.test", "servfail")
        yield server


@pytest.fixture
def node(nodes, inside, dns):
    return lambda auth="mode on", second="spam off": nodes(CONFIG, inside=inside.port, dns=dns.address, auth=auth, second=second)


def sent(node, domain, sender=None, to="user@example.test", **fields):
    sender = f"someone@{domain}" if sender is None else sender
    return lab.Client(node.port).send(lab.message(From=f"Someone <someone@{domain}>", **fields), sender=sender, recipients=[to])


def results(mail):
    found = re.findall(rb"^Authentication-Results: (.*(?:\r?\n[ \t].*)*)", mail, re.M)
    return re.sub(rb"\s+", b" ", found[0]).decode() if found else None


@pytest.mark.parametrize("domain, code, said", [
    ("proven.test", 250, ["spf=pass", "smtp.mailfrom=someone@proven.test", "dmarc=pass", "header.from=proven.test"]),
    ("careful.test", 250, ["spf=softfail", "dmarc=fail", "policy.dmarc=quarantine"]),
    ("watching.test", 250, ["spf=fail", "dmarc=fail", "policy.dmarc=none"]),
    ("trying.test", 250, ["spf=fail", "dmarc=fail", "policy.dmarc=reject"]),
    ("broken.test", 250, ["spf=pass", "dmarc=temperror"]),
    ("nobody.test", 250, ["spf=none", "dmarc=none"]),
    ("strict.test", 550, []),
])
def test_each_policy(node, inside, domain, code, said):
    one = node()
    reply = sent(one, domain)
    assert reply[0] == code, reply
    if code == 550:
        assert "5.7.26 strict.test asks to refuse mail that does not prove to come from it (DMARC)" in reply[1]
        lab.wait_for(lambda: re.search("action=reject .*spf=fail dkim=none dmarc=fail", one.text()), "the line of the log")
        return
    seen = results(inside.wait(1)[0])
    assert seen.startswith("mx.example.test; spf=") and all(word in seen for word in said), seen
    one.balance()


def test_points(node, inside):
    """What the owner asks to hold is tagged as spam is; what has no weight is named."""
    one = node()
    assert sent(one, "careful.test", subject="points")[0] == 250
    mail = inside.wait(1)[0]
    assert re.search(rb"X-Spam-Status: Yes.*(\r\n\t.*)*DMARC_QUARANTINE=6.0", mail) and b"[SPAM] points" in mail
    assert sent(one, "proven.test")[0] == 250
    assert re.search(rb"X-Spam-Status: No.*(\r\n\t.*)*DMARC_PASS=0.0", inside.wait(2)[1])


def test_most_mail_makes_one_trip_to_scan(node, inside):
    """Of a header written plainly receive asks ahead; of one that is not, scan says what is to be asked. What becomes of them is the same."""
    one = node()
    judged = lambda: int(next(each["values"]["judged"] for each in one.processes() if each["name"] == "scan"))
    assert sent(one, "proven.test")[0] == 250  # from here on lookup knows its names
    trips = []
    for author in ("Someone <someone@proven.test>", "someone@proven.test, other@proven.test"):
        before = judged()
        for _ in range(5):
            assert lab.Client(one.port).send(lab.message(From=author), sender="someone@proven.test", recipients=["user@example.test"])[0] == 250
        trips.append(judged() - before)
    assert trips[0] <= 7 and trips[1] == 10, trips  # on a busy machine an answer may come late
    assert len({results(mail).split(";", 1)[1] for mail in inside.wait(11)}) == 1


def test_observe(node, inside):
    one = node(auth="mode observe")
    assert sent(one, "strict.test")[0] == 250
    seen = inside.wait(1)[0]
    assert "dmarc=fail" in results(seen) and b"DMARC_REJECT=0.0" in re.sub(rb"\r\n\t", b"", seen)
    lab.wait_for(lambda: re.search("action=accept observed=reject", one.text()), "what would be done")


def test_off(node, inside, dns):
    one = node(auth="mode off")
    before = dns.count("strict.test", "TXT")
    assert sent(one, "strict.test")[0] == 250
    assert results(inside.wait(1)[0]) is None and dns.count("strict.test", "TXT") == before


def test_each_domain_of_ours_has_its_own_answer(node, inside):
    one = node(second="dmarc reject quarantine")
    assert sent(one, "strict.test")[0] == 550
    assert sent(one, "strict.test", to="user@second.test")[0] == 250  # and is held
    lab.wait_for(lambda: re.search("action=quarantine .*dmarc=fail", one.text()), "the hold")
    other = node(second="auth observe")
    assert sent(other, "strict.test", to="user@second.test")[0] == 250
    assert len(inside.wait(1)) == 1


def test_null_sender_is_judged_by_helo(node, inside):
    one = node()
    client = lab.Client(one.port, hello="EHLO proven.test")
    assert client.send(lab.message(From="a@proven.test"), sender="", recipients=["user@example.test"])[0] == 250
    seen = results(inside.wait(1)[0])
    assert "spf=pass" in seen and "smtp.helo=proven.test" in seen and "dmarc=pass" in seen


def test_null_sender_is_judged_by_a_host_of_the_author(node, inside):
    """The domain that HELO proves is another than that in From, of the same organization."""
    client = lab.Client(node().port, hello="EHLO mail.proven.test")
    assert client.send(lab.message(From="a@proven.test"), sender="", recipients=["user@example.test"])[0] == 250
    seen = results(inside.wait(1)[0])
    assert "spf=pass" in seen and "smtp.helo=mail.proven.test" in seen and "dmarc=pass" in seen


@pytest.mark.parametrize("way, code", [("off", 550), ("on", 250)])
def test_policies_by_the_public_suffix_list(node, inside, way, code):
    """By the tree a policy between the author's domain and its organization counts, by the list it does not."""
    one = node(auth=f"mode on; dmarc suffixes {way}")
    assert sent(one, "low.mid.plain.test")[0] == code
    if code == 250:
        assert "dmarc=none" in results(inside.wait(1)[0])


@pytest.mark.parametrize("way", ["off", "on"])
def test_a_share_of_messages_by_the_public_suffix_list(node, inside, way):
    """RFC 7489 section 6.6.4: pct of those that fail are refused, the others held one step milder. RFC 9989 has no such tag."""
    one = node(auth=f"mode on; dmarc suffixes {way}")
    codes = [sent(one, "half.test")[0] for _ in range(30)]  # that all get the same has a chance of one in 500 million
    assert set(codes) == ({250, 550} if way == "on" else {550}), codes
    assert sent(one, "spared.test")[0] == (250 if way == "on" else 550)
    if way == "on":
        assert all(b"DMARC_QUARANTINE=6.0" in mail for mail in inside.wait(codes.count(250) + 1))


def test_forged_results_are_removed(node, inside):
    one = node()
    forged = ("Authentication-Results: mx.example.test; dmarc=pass header.from=bank.test\r\n"
              "Authentication-Results: (a (deep) comment) MX.Example.Test\r\n ; spf=pass\r\n"
              "Authentication-Results: other.test; spf=pass\r\n")
    assert lab.Client(one.port).send(forged.replace("\r\n", "\n") + lab.message(From="a@proven.test"), sender="a@proven.test",
                                     recipients=["user@example.test"])[0] == 250
    mail = inside.wait(1)[0]
    assert mail.count(b"Authentication-Results:") == 2 and b"bank.test" not in mail and b"other.test; spf=pass" in mail


@pytest.mark.parametrize("trust, sender, excused", [
    ("trust networks 127.0.0.0/8", "list@list.test", True),
    ("trust names proven.test", "list@list.test", True),
    ("trust networks 192.0.2.0/24", "list@list.test", False),
    ("trust names list.test", "list@list.test", False),  # not what the address is called
])
def test_forwarders(node, inside, trust, sender, excused):
    one = node(auth=f"mode on; {trust}")
    reply = sent(one, "strict.test", sender=sender)
    assert reply[0] == (250 if excused else 550)
    if excused:
        seen = results(inside.wait(1)[0])
        assert "spf=pass" in seen and "dmarc=fail (let pass: forwarded by a client that is trusted" in seen
        assert "excuse=forwarder" in one.text()


def test_dns_that_is_silent_fails_nobody(nodes, inside):
    with DnsServer(ZONE) as dns:
        dns.misbehave("*", "silent")
        one = nodes(CONFIG, inside=inside.port, dns=dns.address, auth="mode on", second="spam off")
        assert sent(one, "strict.test")[0] == 250
        assert "spf=temperror" in results(inside.wait(1)[0])


def test_told_of(node, inside):
    """trace shows who proved what, of mail that came in and of mail that was refused; stats counts it."""
    one, other = node(), node(auth="mode on; trust names proven.test")
    assert sent(one, "proven.test")[0] == 250
    assert sent(one, "strict.test")[0] == 550
    assert sent(other, "strict.test", sender="list@list.test")[0] == 250
    inside.wait(2)
    said = lab.wait_for(lambda: "authenticated:" in (text := other.run("trace", check=False).stdout) and text, "the ledger")
    assert ("authenticated: spf=pass (list.test) dkim=none dmarc=fail (strict.test); its owner asks to refuse it; "
            "let pass: forwarded by a client that is trusted by proven.test\n") in said
    told = other.told("trace")["hits"][0]["authentication"]
    assert told == {"spf": {"result": "pass", "domain": "list.test"}, "dkim": {"result": "none", "domain": ""},
                    "dmarc": {"result": "fail", "domain": "strict.test"}, "arc": {"result": "none", "domain": ""},
                    "disposition": "reject", "excuse": "forwarder", "excuse_of": "proven.test", "fate": "excused"}
    assert "forwarder" in other.run("stats", "--by", "auth").stdout
    lab.wait_for(lambda: one.run("trace", check=False).stdout.count("authenticated:") == 2, "the ledger")
    said = one.run("trace").stdout
    assert "authenticated: spf=pass (proven.test) dkim=none dmarc=pass (proven.test)\n" in said
    assert "authenticated: spf=fail (strict.test) dkim=none dmarc=fail (strict.test); its owner asks to refuse it\n" in said
    rows = json.loads(one.run("stats", "--by", "auth", "--format", "json").stdout)[0]["rows"]
    assert {(row["check"], row["result"]): row["messages"] for row in rows} == {
        ("dmarc", "pass"): 1, ("dmarc", "fail"): 1, ("spf", "pass"): 1, ("spf", "fail"): 1, ("dkim", "none"): 2, ("arc", "none"): 2}
    assert re.search(r"送信者認証の結果別.*検査 +結果.*dmarc +fail +1 +50", one.run("stats", "--by", "auth", "--language", "ja").stdout, re.S)
    assert one.run("stats", "--by", "auth", "--would", check=False).returncode == 64
    assert '"rows":[]' in one.run("stats", "--by", "auth", "--domain", "second.test", "--format", "json").stdout
    one.balance()


def test_the_page():
    """What doc/auth.md shows is what the command prints, of the zone that the page names."""
    command = lab.BUILD / "src/cli/sekimori"
    (block,) = re.findall(r"^```console\n\$ sekimori (.*?)\n(.*?)^```$", (lab.ROOT / "doc/auth.md").read_text(), re.M | re.S)
    with subprocess.Popen([command, "zone", lab.ROOT / "conf/samples/zone", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as zone:
        server = zone.stdout.readline().removeprefix("listening on ").strip()
        words = block[0].replace("127.0.0.1:5353", server).split()
        done = subprocess.run([command, *words], cwd=lab.ROOT, capture_output=True, text=True, timeout=30)
        zone.terminate()
    assert zone.returncode == 0 and done.stdout == block[1], done.stdout + done.stderr


def test_zones_that_cannot_be_read(tmp_path):
    file = tmp_path / "zone"
    file.write_text("a.test A 192.0.2.1\na.test A nonsense\n")
    for words, code, said in (([], 64, "one FILE is wanted"), ([file], 65, f"{file}:2: the value does not fit the type"),
                              ([tmp_path / "none"], 66, "No such file"), ([lab.ROOT / "conf/samples/zone", "--listen", "x"], 64, "not ADDRESS:PORT")):
        done = subprocess.run([lab.BUILD / "src/cli/sekimori", "zone", *map(str, words)], capture_output=True, text=True, timeout=30)
        assert done.returncode == code and said in done.stderr, done
