# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: with an edge in front the wall judges the true client, whose address and HELO the edge tells it, never the edge; each verdict of
SPF, DKIM, ARC and DMARC stands in the message as it does without an edge, and the wall's reply is the sender's."""
import re
import subprocess

import lab
import pytest
from dns_server import DnsServer

dkim = pytest.importorskip("dkim")
CLIENT = "127.0.0.7"  # the edge itself comes from 127.0.0.1
WALL = """role wall
hostname wall.example.test
listen 127.0.0.1:{port} {{ direction in; xclient 127.0.0.1 }}
listen 127.0.0.1:{out} {{ direction out; senders any }}
domains {{
    example.test 127.0.0.1:{inside}
    watched.test 127.0.0.1:{inside} {{ auth observe }}
    held.test 127.0.0.1:{inside} {{ dmarc reject quarantine }}
    * 127.0.0.1:{inside}
}}
dns {{ servers {dns}; timeout 700ms; dnssec off; client names on }}
auth {{ mode on; trust sealers sealer.test; {auth} }}
virus {{ mode off }}
spam {{ tag above 5 }}
"""
# The edge says nothing about auth: it leaves all of it to the wall.
EDGE = """role edge
hostname edge.example.test
listen 127.0.0.1:{port} {{ direction in }}
domains {{ example.test 127.0.0.1:{wall}; watched.test 127.0.0.1:{wall}; held.test 127.0.0.1:{wall} }}
dns {{ servers {dns}; timeout 700ms; dnssec off; client names on }}
"""
ZONE = """
    host.true.test              A    127.0.0.7
    true.test                   TXT  v=spf1 ip4:127.0.0.7 -all
    _dmarc.true.test            TXT  v=DMARC1; p=reject
    ptr.test                    TXT  v=spf1 exists:%{ir}.%{v}.by.ptr.test -all
    7.0.0.127.in-addr.by.ptr.test  A  127.0.0.2
    edgeonly.test               TXT  v=spf1 ip4:127.0.0.1 -all
    _dmarc.edgeonly.test        TXT  v=DMARC1; p=reject
    soft.test                   TXT  v=spf1 ~all
    _dmarc.soft.test            TXT  v=DMARC1; p=quarantine
    neutral.test                TXT  v=spf1 ?all
    _dmarc.neutral.test         TXT  v=DMARC1; p=none
    bad.test                    TXT  v=spf1 nonsense:
    _dmarc.bad.test             TXT  v=DMARC1; p=bob
    lame.test                   TXT  v=spf1 ip4:127.0.0.7 -all
    signed.test                 TXT  v=spf1 -all
    _dmarc.signed.test          TXT  v=DMARC1; p=reject
    sealer.test                 TXT  v=spf1 ip4:127.0.0.7 -all
"""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """{selector: private key as PEM}, and the records of their public halves."""
    folder, keys, records = tmp_path_factory.mktemp("keys"), {}, {}
    for selector, bits in (("good", 2048), ("short", 512)):
        path = folder / selector
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, str(bits)], check=True, capture_output=True)
        keys[selector] = path.read_bytes()
        public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout"], check=True, capture_output=True, text=True).stdout
        records[selector] = "v=DKIM1; p=" + "".join(public.splitlines()[1:-1])
    return keys, records


@pytest.fixture(scope="module")
def dns(keys):
    with DnsServer(ZONE) as server:
        for domain in ("signed.test", "sealer.test"):
            server.set(f"good._domainkey.{domain}", "TXT", keys[1]["good"])
        server.set("short._domainkey.signed.test", "TXT", keys[1]["short"])
        server.set("broken._domainkey.signed.test", "TXT", "v=DKIM1; p=AAAA")
        server.misbehave("slow._domainkey.signed.test", "servfail")
        server.misbehave("_dmarc.lame.test", "servfail")
        server.set_reverse(CLIENT, "host.true.test")
        yield server


@pytest.fixture(scope="module")
def pair(tmp_path_factory, dns):
    """The edge, the wall behind it, and the server behind both."""
    folder = tmp_path_factory.mktemp("pair")
    sink, nodes = lab.Sink(folder), []
    for name, config, values in (("wall", WALL, {"inside": sink.port, "out": lab.free_port(), "auth": ""}), ("edge", EDGE, {})):
        (folder / name).mkdir()
        more = {"wall": nodes[0].port} if nodes else {}
        nodes.append(lab.Node(folder / name, config, dns=dns.address, **values, **more))
        nodes[-1].start()
    yield nodes[1], nodes[0], sink
    for node in reversed(nodes):
        node.kill()
        node.text_from = 0
        node.assert_sound()
    sink.stop()


@pytest.fixture
def edge(pair):
    """Where the test sends to; what arrived before is gone, and what the wall logged before is not looked at."""
    pair[1].text_begins()
    pair[2].empty()
    yield pair[0]
    pair[1].balance()


def sent(edge, domain, to="user@example.test", content=None, hello="EHLO host.true.test"):
    client = lab.Client(edge.port, source=CLIENT, hello=hello)
    return client.send(content or lab.message(From=f"Someone <someone@{domain}>"), sender=f"someone@{domain}", recipients=[to])


def results(mail):
    found = re.findall(rb"^Authentication-Results: (.*(?:\r?\n[ \t].*)*)", mail, re.M)
    assert len(found) == 1, mail
    return re.sub(rb"\s+", b" ", found[0]).decode()


def arrived(pair):
    return results(pair[2].wait(1)[0])


@pytest.mark.parametrize("domain, code, said", [
    ("true.test", 250, ["spf=pass", "dmarc=pass"]),
    ("ptr.test", 250, ["spf=pass", "dmarc=none"]),
    ("soft.test", 250, ["spf=softfail", "dmarc=fail", "policy.dmarc=quarantine"]),
    ("neutral.test", 250, ["spf=neutral", "dmarc=fail", "policy.dmarc=none"]),
    ("bad.test", 250, ["spf=permerror", "dmarc=permerror"]),
    ("lame.test", 250, ["spf=pass", "dmarc=temperror"]),
    ("nobody.test", 250, ["spf=none", "dmarc=none"]),
    ("edgeonly.test", 550, ["spf=fail dkim=none dmarc=fail"]),
])
def test_the_true_client_is_judged(edge, pair, domain, code, said):
    reply = sent(edge, domain)
    assert reply[0] == code, reply
    if code == 550:  # by whose address the mail came to the wall proves nothing
        assert f"5.7.26 {domain} asks to refuse mail" in reply[1] and pair[2].files() == []
        lab.wait_for(lambda: all(word in pair[1].text() for word in (said[0], "action=reject")), "the wall's log")
        return
    seen = arrived(pair)
    assert seen.startswith("wall.example.test; ") and all(word in seen for word in said), seen


@pytest.mark.parametrize("hello, result", [("EHLO true.test", "pass"), ("EHLO edgeonly.test", "fail")])
def test_the_true_helo_is_judged(edge, pair, hello, result):
    client = lab.Client(edge.port, source=CLIENT, hello=hello)
    assert client.send(lab.message(From="a@nobody.test"), sender="", recipients=["user@example.test"])[0] == 250
    assert re.search(f"spf={result} .*smtp.helo={hello[5:]}", arrived(pair))


def signed(keys, selector, key="good", alter=None):
    text = lab.message(From="Someone <someone@signed.test>").replace("\n", "\r\n").encode()
    text = dkim.sign(text, selector.encode(), b"signed.test", keys[0][key], include_headers=[b"from", b"subject"]) + text
    return text.replace(*alter) if alter else text


@pytest.mark.parametrize("selector, key, alter, result, code", [
    ("good", "good", None, "pass", 250),
    ("good", "good", (b"a line", b"a lime"), "fail", 550),
    ("short", "short", None, "policy", 550),
    ("broken", "good", None, "permerror", 550),
    ("none", "good", None, "permerror", 550),
    ("slow", "good", None, "temperror", 250),
    ("good", "good", (b"d=signed.test", b"d=sig..ed.test"), "neutral", 550),
], ids=lambda value: value if isinstance(value, str) else None)
def test_each_verdict_of_a_signature(edge, pair, keys, selector, key, alter, result, code):
    """Without a signature that holds, or may hold, the owner's wish is followed; where that is only observed, the word is seen."""
    content = signed(keys, selector, key, alter)
    assert sent(edge, "signed.test", to="user@watched.test", content=content)[0] == 250
    assert f"dkim={result}" in arrived(pair)
    reply = sent(edge, "signed.test", content=content)
    assert reply[0] == code, reply


@pytest.mark.parametrize("alter, result, code", [(None, "pass", 250), ((b"a line", b"a lime"), "fail", 550)], ids=["holds", "altered"])
def test_a_sealer_is_believed_while_its_chain_holds(edge, pair, keys, alter, result, code):
    """The sealer is trusted, and has seen DMARC pass; what it forwards proves nothing else."""
    text = b"Authentication-Results: sealer.test; dmarc=pass header.from=edgeonly.test\r\n"
    text += lab.message(From="Someone <someone@edgeonly.test>").replace("\n", "\r\n").encode()
    text = b"".join(dkim.arc_sign(text, b"good", b"sealer.test", keys[0]["good"], b"sealer.test")) + text
    text = text.replace(*alter) if alter else text
    client = lab.Client(edge.port, source=CLIENT)
    reply = client.send(text, sender="list@sealer.test", recipients=["user@example.test"])
    assert reply[0] == code, reply
    if code == 250:
        seen = re.sub(rb"\s+", b" ", pair[2].wait(1)[0]).decode()
        assert "arc=pass" in seen and "dmarc=fail (let pass: " in seen and "sealer.test" in seen, seen
    else:
        lab.wait_for(lambda: f"arc={result}" in pair[1].text(), "the wall's log")


def test_modes_of_domains(edge, pair):
    """Observed for one domain of ours, held for another, refused for the third: what the sender hears follows."""
    assert sent(edge, "edgeonly.test", to="user@watched.test")[0] == 250
    assert "dmarc=fail" in arrived(pair)
    lab.wait_for(lambda: re.search("action=accept observed=reject", pair[1].text()), "what would be done")
    assert sent(edge, "edgeonly.test", to="user@held.test")[0] == 250
    lab.wait_for(lambda: re.search("action=quarantine .*dmarc=fail", pair[1].text()), "the hold")
    assert sent(edge, "edgeonly.test")[0] == 550
    assert len(pair[2].files()) == 1


def test_mail_out_is_not_judged(edge, pair):
    """What servers inside send is theirs to prove to others: no question is asked, no field is written."""
    client = lab.Client(pair[1].values["out"])
    assert client.send(lab.message(From="someone@edgeonly.test"), sender="someone@edgeonly.test", recipients=["a@far.test"])[0] == 250
    assert b"Authentication-Results" not in pair[2].wait(1)[0]


def test_who_is_traced(edge, pair):
    assert sent(edge, "true.test")[0] == 250
    mine = re.search(rb"X-Sekimori-Id: (\w+)", pair[2].wait(1)[0])[1].decode()
    said = lab.wait_for(lambda: "authenticated:" in (text := pair[1].run("trace", mine, check=False).stdout) and text, "the ledger")
    assert f"client {CLIENT} helo=host.true.test" in said and "authenticated: spf=pass (true.test) dkim=none dmarc=pass (true.test)" in said, said
