# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: of a cloud that all its customers send from, mail is ours only where it proves that: by the cloud's certificate and our tenant's id,
or by a signature of a domain of ours. Our tenant is delivered outbound and signed by us; the neighbour tenant relays nothing, whichever way he
tries, and his mail for us is judged as any from outside."""
import json
import pathlib
import re
import ssl
import subprocess
import time

import lab
import pytest
from dns_server import DnsServer

dkim = pytest.importorskip("dkim")
SEKIMORI = lab.BUILD / "src/cli/sekimori"
CLOUD, ELSEWHERE = "127.9.0.1", "127.0.0.1"
OURS, THEIRS = "72f988bf-86f1-41af-91ab-2d7cd011db47", "11111111-2222-3333-4444-555555555555"
FIELD = "X-MS-Exchange-CrossTenant-Id"
CONFIG = """
listen 127.0.0.1:{port} {{ direction in; tls certificate {ca}/mx.test.pem; tls key {ca}/mx.test.key }}
listen 127.0.0.1:{behind} {{ direction in; xclient 127.9.0.7; tls certificate {ca}/mx.test.pem; tls key {ca}/mx.test.key }}
hosted cloud {{
    networks 127.9.0.0/16
    certificate outbound.cloud.test
    authorities {ca}/ca.pem
    tenant {tenant}
}}
hosted other {{
    networks 127.10.0.0/16
    certificate other.cloud.test outbound.cloud.test
    authorities {ca}/ca.pem
    tenant ours.test second.test
    field X-OriginatorOrg
    signatures off
}}
dns {{ servers {dns}; timeout 700ms; dnssec off; client names off }}
domains {{
    ours.test 127.0.0.1:{inside} {{ {keys} }}
    plain.test 127.0.0.1:{inside}
    * 127.0.0.1:{outside}
}}
virus {{ mode {mode} }}
spam {{ mode {mode}; tag above 5; quarantine above never; reject above never }}
auth {{ mode {mode}; {seal} }}
"""
ZONE = """
    ours.test          TXT  v=spf1 ip4:127.9.0.0/16 -all
    _dmarc.ours.test   TXT  v=DMARC1; p=reject
    neighbour.test     TXT  v=spf1 ip4:127.9.0.0/16 -all
"""


def sekimori(*words):
    return subprocess.run([SEKIMORI, *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def dns():
    with DnsServer(ZONE) as server:
        yield server


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    """The authority of the cloud's certificate, and another one that says the same names."""
    folders = [tmp_path_factory.mktemp(name) / "ca" for name in ("ours", "stranger")]
    for folder, names in zip(folders, (("mx.test", "outbound.cloud.test", "other.cloud.test"), ("outbound.cloud.test",))):
        sekimori("ca", "init", "--dir", folder)
        for name in names:
            sekimori("ca", "issue", name, "--dir", folder)
    return folders


class Key:
    """A key of a domain, published at SELECTOR-rsa; and what is signed with it."""

    def __init__(self, dns, pem, record, domain, selector):
        self.domain, self.selector, self.pem, self.name = domain, f"{selector}-rsa", pem, f"{selector}-rsa._domainkey.{domain}"
        dns.set(self.name, "TXT", record)

    def sign(self, mail, domain=None, expires=None, **more):
        mail = mail.replace("\n", "\r\n").encode()
        signer = dkim.DKIM(mail)
        header = signer.gen_header
        if expires:
            timed = lambda fields: [(name, str(expires - 60).encode() if name == b"t" else value) for name, value in fields[:-1]]
            signer.gen_header = lambda fields, *words: header([*timed(fields), (b"x", str(expires).encode()), fields[-1]], *words)
        return (signer.sign(self.selector.encode(), (domain or self.domain).encode(), self.pem, **more) + mail).decode()


def pair(folder, selector):
    """What `sekimori dkim new` made: its lines for the configuration, the records, the RSA key."""
    made = sekimori("dkim", "new", "ours.test", "--selector", selector, "--output", folder)
    records = {name: "".join(re.findall(r'"(.*?)"', strings)) for name, strings in re.findall(r"^(\S+)\. IN TXT \((.*?) \)", made, re.M | re.S)}
    pem = pathlib.Path(re.search(r"dkim rsa \S+?:(\S+)", made)[1]).read_bytes()
    return "; ".join(re.findall(r"^dkim .*", made, re.M)), records, pem


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, dns):
    """The keys of this node."""
    lines, records, pem = pair(tmp_path_factory.mktemp("gateway"), "gateway")
    for name, record in records.items():
        dns.set(name, "TXT", record)
    return lines, Key(dns, pem, records["gateway-rsa._domainkey.ours.test"], "ours.test", "gateway")


@pytest.fixture(scope="module")
def keys(tmp_path_factory, dns, gateway):
    """Those of the cloud, and of others."""
    _, records, pem = pair(tmp_path_factory.mktemp("keys"), "cloud")
    record = records["cloud-rsa._domainkey.ours.test"]
    made = {name: Key(dns, pem, record, domain, name) for name, domain in
            (("cloud", "ours.test"), ("testing", "ours.test"), ("lost", "ours.test"), ("theirs", "neighbour.test"), ("parent", "test"))}
    dns.set("cloud-rsa._domainkey.mail.ours.test", "TXT", record)
    dns.set(made["testing"].name, "TXT", record + "; t=y")
    dns.misbehave(made["lost"].name, "servfail")
    return {**made, "gateway": gateway[1]}


def values(dns, ca, gateway, sinks, **more):
    return {"inside": sinks[0].port, "outside": sinks[1].port, "dns": dns.address, "ca": ca[0], "tenant": OURS, "keys": gateway[0], "mode": "on",
            "seal": "seal ours.test", "behind": lab.free_port(), **more}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, dns, ca, gateway, keys):
    folder = tmp_path_factory.mktemp("node")
    sinks = lab.Sink(folder), lab.Sink(folder)
    node = lab.Node(folder, CONFIG, **values(dns, ca, gateway, sinks))
    yield node.start(), *sinks
    node.kill()
    node.text_from = 0
    node.assert_sound()
    for sink in sinks:
        sink.stop()


@pytest.fixture
def node(shared):
    shared[0].text_begins()
    yield shared[0]
    shared[0].balance()


@pytest.fixture
def inside(shared):
    shared[1].empty()
    return shared[1]


@pytest.fixture
def outside(shared):
    shared[2].empty()
    return shared[2]


def client(node, source=CLOUD, shown=None, port=None):
    """Of the cloud; `shown`: a folder and a name of a certificate, or "tls" for none."""
    one = lab.Client(port or node.port, source=source)
    if shown:
        context = ssl._create_unverified_context()
        if shown != "tls":
            context.load_cert_chain(shown[0] / f"{shown[1]}.pem", shown[0] / f"{shown[1]}.key")
        one.secure(context)
    return one


def written(author="Rector <rector@ours.test>", body="the minutes\n", **fields):
    return lab.message("minutes", body, From=author, To="friend@far.test", **{name: value for name, value in fields.items()})


def tenant(*ids, **fields):
    return "".join(f"{FIELD}: {one}\n" for one in ids) + written(**fields)


def sent(node, mail, shown=None, sender="rector@ours.test", to=("friend@far.test",), source=CLOUD):
    return client(node, source, shown).send(mail, sender=sender, recipients=list(to))


# --- our tenant ---

@pytest.mark.parametrize("author, own", [("Rector <rector@ours.test>", 2), ("Friend <friend@far.test>", 0)])
def test_our_tenant_by_certificate(node, ca, outside, author, own):
    """All that our tenant sends: what it forwards for others too, which we do not sign."""
    reply = sent(node, tenant(OURS.upper(), author=author), (ca[0], "outbound.cloud.test"))
    assert reply[0] == 250, reply
    mail = outside.wait(1)[0]
    assert mail.count(b"DKIM-Signature:") == own and b"Authentication-Results" not in mail and b"ARC-Seal" not in mail
    lab.wait_for(lambda: re.search(r"verdict: action=accept .*direction=out tenant=certificate.*HOSTED_BY_CERTIFICATE=0.0", node.text()), "the log")
    assert "Trusted TLS connection" in node.text() and "certificate=outbound.cloud.test" in node.text()


def test_our_tenant_by_signature(node, outside, dns, keys):
    reply = sent(node, keys["cloud"].sign(written()))
    assert reply[0] == 250, reply
    mail = outside.wait(1)[0]
    assert mail.count(b"DKIM-Signature:") == 3 and b"Authentication-Results" not in mail and b"ARC-Seal" not in mail
    by_zone = lambda name, timeout=5: b"".join(value.encode() for value in dns.values(name.decode().rstrip("."), "TXT"))
    assert all(dkim.DKIM(mail, minkey=1024).verify(idx=index, dnsfunc=by_zone) for index in range(3))
    lab.wait_for(lambda: "direction=out tenant=signature" in node.text() and "signed=yes" in node.text(), "the log")


def test_the_ledger_is_told(node, keys, inside, outside):
    """The direction that was found out, and how."""
    address = "ledger@far.test", "ledger@ours.test", "never@far.test"
    assert [sent(node, mail, to=[to])[0] for mail, to in zip((keys["cloud"].sign(written()), written("n@plain.test"), written()), address)] == [250, 250, 550]
    hits = {}
    for to, where in zip(address, ("out", "in", "in")):
        hits[to] = lab.wait_for(lambda: json.loads(node.run("trace", "--json", "--to", to, check=False).stdout or "{}").get("hits"), "the ledger")[0]
        assert hits[to]["direction"] == where, hits[to]
    assert ["HOSTED_BY_SIGNATURE" in hits[address[0]]["signals"], "HOSTED_UNPROVEN" in hits[address[1]]["signals"]] == [True, True]
    assert "HOSTED_BY_SIGNATURE" in node.run("trace", "--to", address[0]).stdout


def test_our_tenant_to_ours_is_outbound(node, ca, inside):
    """It is from inside, whomever it is for: nobody asks who sent it."""
    assert sent(node, tenant(OURS), (ca[0], "outbound.cloud.test"), to=["user@ours.test", "user@plain.test"])[0] == 250
    assert all(b"Authentication-Results" not in mail for mail in inside.wait(2))


@pytest.mark.parametrize("way", ["bdat", "pipelined"])
def test_other_ways_to_say_it(node, outside, keys, way):
    """The proof is in the content, so what is said before is held until then."""
    for mail, code in ((keys["cloud"].sign(written()), b"250"), (written(), b"550")):
        one = client(node)
        raw = mail.replace("\r\n", "\n").replace("\n", "\r\n").encode()
        data = b"BDAT %d LAST\r\n%s" % (len(raw), raw) if way == "bdat" else b"DATA\r\n"
        one.raw(b"MAIL FROM:<rector@ours.test>\r\nRCPT TO:<friend@far.test>\r\n" + data)
        replies = [one.reply()[0] for _ in range(2 if way == "bdat" else 3)]
        assert replies == [250, 250] if way == "bdat" else [250, 250, 354]
        if way == "pipelined":
            one.raw(raw + b".\r\nQUIT\r\n")
        assert one.reply()[1].encode().startswith(code)
    assert len(outside.wait(1)) == 1


# --- the neighbour ---

def by(name, **more):
    return lambda keys: keys[name].sign(written(), **more)


def altered(name, old, new, **more):
    return lambda keys: keys[name].sign(written(), **more).replace(old, new)


NOTHING, TLS, CERTIFICATE = None, "tls", ("ours", "outbound.cloud.test")
TRIES = {
    "nothing": (NOTHING, lambda keys: written()),
    "field in the clear": (NOTHING, lambda keys: tenant(OURS)),
    "field without a certificate": (TLS, lambda keys: tenant(OURS)),
    "certificate of another authority": (("stranger", "outbound.cloud.test"), lambda keys: tenant(OURS)),
    "certificate of another name": (("ours", "other.cloud.test"), lambda keys: tenant(OURS)),
    "certificate without the field": (CERTIFICATE, lambda keys: written()),
    "another tenant": (CERTIFICATE, lambda keys: tenant(THEIRS)),
    "field twice, ours first": (CERTIFICATE, lambda keys: tenant(OURS, THEIRS)),
    "field twice, ours last": (CERTIFICATE, lambda keys: tenant(THEIRS, OURS)),
    "field twice the same": (CERTIFICATE, lambda keys: tenant(OURS, OURS)),
    "field twice in other cases": (CERTIFICATE, lambda keys: f"{FIELD.lower()}: {OURS}\n" + tenant(THEIRS)),
    "id within a text": (CERTIFICATE, lambda keys: tenant(f"{THEIRS} {OURS}")),
    "id and a comment": (CERTIFICATE, lambda keys: tenant(f"{OURS} (x)")),
    "empty field": (CERTIFICATE, lambda keys: tenant("")),
    "header that may end before": (CERTIFICATE, lambda keys: f"X-A: b\n \n{FIELD}: {OURS}\n" + written()),
    "line that is no field": (CERTIFICATE, lambda keys: f"{FIELD}: {OURS}\nno field\n" + written()),
    "mbox line": (CERTIFICATE, lambda keys: f"X-A: b\nFrom x@y Mon Jan  1 00:00:00 2024\n{FIELD}: {OURS}\n" + written()),
    "field of another name": (CERTIFICATE, lambda keys: f"X-OriginatorOrg: {OURS}\n" + written()),
    "field in the body": (CERTIFICATE, lambda keys: written(body=f"{FIELD}: {OURS}\n")),
    "signature of his domain": (NOTHING, lambda keys: keys["theirs"].sign(written("N <n@neighbour.test>"))),
    "signature of his domain, our From": (NOTHING, by("theirs")),
    "signature of ours, his From": (NOTHING, lambda keys: keys["cloud"].sign(written("N <n@neighbour.test>"))),
    "signature of a part (l=)": (NOTHING, lambda keys: keys["cloud"].sign(written(), length=True) + "and this\r\n"),
    "signature expired": (NOTHING, by("cloud", expires=int(time.time()) - 60)),
    "body altered": (NOTHING, altered("cloud", "the minutes", "the hours")),
    "signed field altered": (NOTHING, altered("cloud", "Subject: minutes", "Subject: hours")),
    "two addresses in From": (NOTHING, lambda keys: keys["cloud"].sign(written("a@ours.test, b@ours.test"))),
    "two domains in From": (NOTHING, lambda keys: keys["cloud"].sign(written("a@ours.test, n@neighbour.test"))),
    "second From": (NOTHING, lambda keys: "From: n@neighbour.test\r\n" + keys["cloud"].sign(written())),
    "second From of ours": (NOTHING, lambda keys: "From: b@ours.test\r\n" + keys["cloud"].sign(written())),
    "group in From": (NOTHING, lambda keys: keys["cloud"].sign(written("us: a@ours.test;"))),
    "no From": (NOTHING, lambda keys: keys["cloud"].sign(written()).replace("From: Rector", "X-From: Rector")),
    "signature of a parent that is not ours": (NOTHING, by("parent")),
    "signature of a domain below": (NOTHING, by("cloud", domain="mail.ours.test", )),
    "key for testing alone": (NOTHING, by("testing")),
    "what this node signed": (NOTHING, by("gateway")),
    "signature that names no key": (NOTHING, altered("cloud", "s=cloud-rsa", "s=none-rsa")),
    "chain of ARC alone": (NOTHING, lambda keys: "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=ours.test; s=cloud-rsa; t=1; b=AAAA\r\n" + written()),
    "results forged": (NOTHING, lambda keys: "Authentication-Results: mx.example.test; dkim=pass header.d=ours.test; dmarc=pass\r\n" + written()),
    "certificate, and SPF of ours": (CERTIFICATE, lambda keys: written()),
}


def test_the_neighbour_relays_nothing(node, ca, keys, outside, inside):
    """To a stranger alone, and to one of ours with him, which is the whole message; SPF passes each time, by the address that all share."""
    for count, (name, (shown, mail)) in enumerate(TRIES.items()):
        shown = (ca[shown[0] == "stranger"], shown[1]) if isinstance(shown, tuple) else shown
        to = ["user@ours.test", "friend@far.test"] if count % 2 else ["friend@far.test"]
        code, text = sent(node, mail(keys), shown, to=to)
        assert code == 550 and "5.7.1 relaying denied: neither a certificate" in text, (name, text)
    lab.wait_for(lambda: node.text().count("direction=in tenant=unproven") == len(TRIES), "the log")
    assert not outside.files() and not inside.files()


def test_his_own_sender(node, keys, outside):
    """A message that we signed and he got hold of: it would bounce to him."""
    reply = sent(node, keys["cloud"].sign(written()), sender="n@neighbour.test")
    assert reply[0] == 550 and not outside.files()


def test_from_elsewhere(node, ca, keys):
    """Who is none of the cloud's clients is refused before any content, whatever he shows."""
    for to in ("friend@far.test", "user%far.test@ours.test", "@ours.test:friend@far.test"):
        one = client(node, ELSEWHERE, (ca[0], "outbound.cloud.test"))
        reply = one.open(recipients=[to])[1]
        assert reply[0] in (550, 553), (to, reply)
    for to in ("user%far.test@ours.test", "far.test!user@ours.test"):
        assert client(node).open(recipients=[to])[1][0] == 550


def test_his_mail_for_us_is_inbound(node, inside, keys):
    assert sent(node, keys["theirs"].sign(written("N <n@neighbour.test>")), sender="n@neighbour.test", to=["user@ours.test"])[0] == 250
    mail = inside.wait(1)[0]
    assert b"dmarc=none" in mail and b"dkim=pass" in mail and b"ARC-Seal" in mail and b"DKIM-Signature: v=1; a=rsa-sha256; d=ours.test" not in mail
    reply = sent(node, keys["theirs"].sign(written()), sender="n@neighbour.test", to=["user@ours.test"])
    assert reply[0] == 550 and "ours.test asks to refuse mail that does not prove to come from it" in reply[1]


def test_the_dns_does_not_answer(node, inside, outside, keys):
    """Strangers wait until it is known; ours get it as from outside."""
    mail = keys["lost"].sign(written())
    for to in (["friend@far.test"], ["user@ours.test", "friend@far.test"]):
        code, text = sent(node, mail, to=to)
        assert code == 451 and "4.7.1 relaying denied for now" in text, text
    assert not inside.files()
    reply = sent(node, mail, to=["user@ours.test"])
    assert reply[0] == 250, reply
    assert b"dkim=temperror" in inside.wait(1)[0] and not outside.files()


def test_what_cannot_be_judged_is_not_relayed(node, outside):
    """A message that ends its worker twice is held, but for strangers."""
    mail = "X-Test-Worker: die\n" + written()
    assert [sent(node, mail)[0] for _ in range(2)] == [451, 550]
    assert not outside.files()


# --- other set-ups ---

def test_another_field_and_no_signatures(node, ca, outside, keys):
    """Of another cloud; what is said of one is not said of the other."""
    other, mail = "127.10.0.1", f"X-OriginatorOrg: ours.test\n{FIELD}: {THEIRS}\n" + written()
    assert sent(node, keys["cloud"].sign(written()), source=other)[0] == 550
    assert sent(node, tenant(OURS), (ca[0], "outbound.cloud.test"), source=other)[0] == 550
    assert sent(node, mail, (ca[0], "other.cloud.test"))[0] == 550
    assert sent(node, mail, (ca[0], "other.cloud.test"), source=other)[0] == 250
    assert len(outside.wait(1)) == 1


def test_behind_another_gateway(node, ca, outside, keys):
    """XCLIENT names the cloud's client, and nobody can say which certificate that showed; the gateway's own is not it."""
    for mail, code in ((tenant(OURS), 550), (keys["cloud"].sign(written()), 250)):
        one = client(node, "127.9.0.7", (ca[0], "outbound.cloud.test"), node.values["behind"])
        assert one.say(f"XCLIENT ADDR={CLOUD} NAME=[UNAVAILABLE]")[0] == 220
        one.say("EHLO outbound.cloud.test")
        assert one.send(mail, sender="rector@ours.test", recipients=["friend@far.test"])[0] == code
    assert len(outside.wait(1)) == 1


def test_a_certificate_of_the_cloud_makes_no_node(node, ca):
    """XCLIENT is for nodes: who shows the cloud's certificate is none."""
    one = client(node, CLOUD, (ca[0], "outbound.cloud.test"))
    assert "XCLIENT" not in one.features and one.say("XCLIENT ADDR=10.0.0.1")[0] >= 500


def test_checks_off_and_a_reload(nodes, shared, dns, ca, gateway, keys, inside, outside):
    """With all checks off whose mail it is is found out all the same, and nothing else. Then the cloud is taken out of the configuration between
    RCPT and the end of data: what was taken on trial is not relayed unjudged."""
    one = nodes(CONFIG, **values(dns, ca, gateway, shared[1:], mode="off", seal=""))
    assert sent(one, keys["cloud"].sign(written()))[0] == 250
    assert sent(one, tenant(OURS), (ca[0], "outbound.cloud.test"))[0] == 250
    assert len(outside.wait(2)) == 2
    assert sent(one, keys["theirs"].sign(written()))[0] == 550
    assert sent(one, keys["lost"].sign(written()))[0] == 451
    assert sent(one, keys["theirs"].sign(written()), to=["user@ours.test"])[0] == 250
    assert b"Authentication-Results" not in inside.wait(1)[0] and len(outside.files()) == 2
    before = client(one)
    assert [code for code, _ in before.open(sender="rector@ours.test", recipients=["friend@far.test"])] == [250, 250]
    one.config.write_text(one.config.read_text().replace("127.9.0.0/16", "127.8.0.0/16"))
    one.run("reload")
    lab.wait_for(lambda: client(one).open(recipients=["friend@far.test"])[1][0] == 550, "the new configuration")
    assert before.data(written())[0] in (451, 550)  # by a worker of now, or of before
    assert len(outside.files()) == 2
