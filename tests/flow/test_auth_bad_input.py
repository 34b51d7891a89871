# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Goal: a message or a record made to cost much is judged with bounded work and memory, and the finding has a name. Each is judged by
`sekimori auth` in a process whose memory, stack and processor time are limited, with the records from a real DNS server."""
import base64
import json
import os
import resource
import subprocess
import tempfile

import lab
import pytest
from dns_server import DnsServer

MEGABYTE = 1 << 20
MEMORY, STACK, SECONDS, RESIDENT_KB = 320 * MEGABYTE, MEGABYTE, 5, 100 * 1024
SIGNED = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={d}; s={s}; h={h}; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b={b}\r\n"
EMPTY_BODY = "\r\n"


def rsa_record(bits):
    """A public key of that size as RSAPublicKey (RFC 8017 appendix A.1.1): its modulus is any odd number."""
    def der(tag, content):
        size = len(content)
        head = bytes([size]) if size < 128 else bytes([0x80 + (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes([tag]) + head + content
    modulus = ((1 << bits) - 1).to_bytes(bits // 8, "big")
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(der(0x30, der(2, b"\0" + modulus) + der(2, b"\1\0\1"))).decode()


def limited():
    """In the child. Sanitizers reserve terabytes of addresses: there time and what is resident are limited alone."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not lab.IS_SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK))


def judged(dns, message=None, sender="a@b.test"):
    """What the command says, and that it stayed within the limits: a process that did not has ended by a signal."""
    words = [lab.BUILD / "src/cli/sekimori", "auth", *(["-"] if message is not None else []), "--client", "192.0.2.1", "--helo", "h.invalid", "--from", sender,
             "--dns", dns.address.replace("@", ":"), "--timeout", "8", "--json"]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as errors:
        given.write(message.encode("latin-1") if message is not None else b"")
        given.seek(0)
        process = subprocess.Popen(words, stdin=given, stdout=told, stderr=errors, preexec_fn=limited)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        errors.seek(0)
        assert process.returncode == 0, (process.returncode, errors.read()[-2000:])
        assert used.ru_maxrss < RESIDENT_KB * (10 if lab.IS_SANITIZED else 1), used
        return json.loads(told.read())


@pytest.fixture(scope="module")
def dns():
    zone = {"_dmarc.b.test": {"TXT": "v=DMARC1; p=reject"}}
    for bits in (512, 16384):
        zone[f"k{bits}._domainkey.b.test"] = {"TXT": rsa_record(bits)}
    zone["long._domainkey.b.test"] = {"TXT": "v=DKIM1; n=" + "x" * 64000 + "; p=AAAA"}
    zone["twice._domainkey.b.test"] = {"TXT": "v=DKIM1; p=AAAA; p=BBBB"}
    zone["long.test"] = {"TXT": "v=spf1" + " ip4:192.0.2.9" * 4500 + " ~all"}
    zone["_dmarc.long.test"] = {"TXT": "v=DMARC1; p=reject; x=" + "y;" * 31000}
    zone["circle1.test"] = {"CNAME": "circle2.test"}
    zone["circle2.test"] = {"CNAME": "circle1.test"}
    zone["include.test"] = {"TXT": "v=spf1 include:include.test -all"}
    zone["redirect.test"] = {"TXT": "v=spf1 redirect=redirect.test"}
    zone["_dmarc.twice.test"] = {"TXT": "v=DMARC1; p=reject; p=none"}
    with DnsServer(zone) as server:
        yield server


def signed(selector="k512", b="AAAA", h="from", d="b.test"):
    return SIGNED.format(d=d, s=selector, h=h, b=b)


def mail(*fields, start="From: a@b.test\r\n"):
    return start + "".join(fields) + EMPTY_BODY


# --- keys and records ---

@pytest.mark.parametrize("selector, signature_bytes, result, reason", [
    ("k512", 64, "policy", "key-short"),
    ("k16384", 2048, "policy", "key-long"),
    ("long", 64, "permerror", "key-syntax"),
    ("twice", 64, "permerror", "key-syntax"),
])
def test_keys(dns, selector, signature_bytes, result, reason):
    (found,) = judged(dns, mail(signed(selector, base64.b64encode(b"\1" * signature_bytes).decode())))["dkim"]
    assert (found["result"], found["reason"]) == (result, reason), found


@pytest.mark.parametrize("domain, result, reason", [
    ("long.test", "softfail", ""),
    ("include.test", "permerror", "more than 10 DNS look-ups"),
    ("redirect.test", "permerror", "more than 10 DNS look-ups"),
    ("circle1.test", "temperror", ""),
])
def test_spf_records(dns, domain, result, reason):
    found = judged(dns, sender=f"a@{domain}")
    assert found["spf"]["result"] == result and reason in found["spf"]["reason"] and found["questions"] <= 12, found


@pytest.mark.parametrize("domain, policy", [("long.test", "reject"), ("twice.test", "reject")])
def test_dmarc_records(dns, domain, policy):
    """A tag that stands twice is as it stands first."""
    found = judged(dns, mail(start=f"From: a@{domain}\r\n"))["dmarc"]
    assert (found["result"], found["policy"]) == ("fail", policy), found


# --- headers ---

def test_a_thousand_signatures(dns):
    found = judged(dns, mail("".join(signed(f"s{number}") for number in range(1000))))
    assert len(found["dkim"]) <= 32 and len(found["dkim"]) + found["dkim_unread"] == 1000 and found["questions"] <= 60, found


def test_a_tag_twice_in_a_signature(dns):
    (found,) = judged(dns, mail(signed(d="b.test; d=c.test")))["dkim"]
    assert (found["result"], found["reason"]) == ("neutral", "syntax"), found


@pytest.mark.parametrize("header, domains, oddities", [
    ("From: a@b.test\r\n" * 100, ["b.test"], {"several-fields", "too-many"}),
    ("From: a@b.test\0.evil.test\r\n", ["b.test", "b.test.evil.test"], {"nul", "several-domains"}),
    ("From: a@b.test, c@d.test\r\n", ["b.test", "d.test"], {"several-addresses", "several-domains"}),
    ("From: G: a@b.test;\r\n", ["b.test"], {"group"}),
    ("From: " + "(" * 10000 + "x" + ")" * 10000 + " a@b.test\r\n", ["b.test"], {"deep-comment"}),
    ("From: " + "(" * 10000 + " a@b.test\r\n", ["b.test"], {"deep-comment", "unclosed"}),
    ("From: " + "a@b.test," * 100000 + "\r\n", ["b.test"], {"too-many"}),
], ids=["100 fields", "NUL", "two addresses", "group", "nested", "nested and open", "100,000 addresses"])
def test_from(dns, header, domains, oddities):
    found = judged(dns, mail(start=header))
    assert found["from"]["domains"] == domains and oddities <= set(found["from"]["oddities"]), found["from"]
    assert found["dmarc"]["result"] == "fail" and found["dmarc"]["disposition"] == "reject", found["dmarc"]


def test_a_header_of_8_megabytes(dns):
    """All of it signed by sixteen: the end of such a header is not read, and no signature of it holds."""
    content = mail(signed(h="from:x") * 16, "X:" + "\r\n \t" * (8 * MEGABYTE // 4) + "\r\n")
    found = judged(dns, content)["dkim"]
    assert [(one["result"], one["reason"]) for one in found] == [("neutral", "header-cut")] * 16, found
