# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""What the DKIM and DMARC suites of others hold, as messages and zones: read by test_auth_suites.py. The folders and their licences are
described in the README.md beside each."""
import collections
import json
import pathlib
import re

Message = collections.namedtuple("Message", "name content at")  # content in bytes with CRLF, at: the clock, seconds
Group = collections.namedtuple("Group", "suite zone messages")  # those that share a zone
Policy = collections.namedtuple("Policy", "suite name author spf dkim zone")  # spf: a domain or "", dkim: domains

OPENDKIM_TIME = 1172620939
OPENDKIM_PAIRS = {20: 16, 21: 17, 22: 18, 23: 19, 28: 24, 29: 25, 30: 26, 31: 27, 32: 17, 38: 17, 39: 17, 40: 17, 43: 17, 48: 17, 53: 52, 84: 83}
OPENDKIM_KEYS = ("PUBLICKEY256", "PUBLICKEYNOK", "PUBLICKEY2", "PUBLICKEYBADV", "PUBLICKEYBADH", "PUBLICKEYBADK", "PUBLICKEYEMPTYP",
                 "PUBLICKEYNOP", "PUBLICKEYCORRUPTP")


def crlf(content):
    return re.sub(rb"\r?\n", b"\r\n", content)


def keys_of(text):
    """Leading lines `name value`, as far as they name keys."""
    return {name: {"TXT": value.strip().strip('"')} for name, value in re.findall(r"^(\S+_domainkey\S*)\s+(.+)$", text, re.M)}


def signed_at(message):
    """A time at which all its signatures are made and none has expired."""
    return max(map(int, re.findall(rb"\bt=\s*(\d{10})\b", message)), default=1500000000)


def mail_auth(dkim):
    """Real messages, each with its zone and its time."""
    for path in sorted((dkim / "mail-auth").glob("*.txt")):
        head, _, message = path.read_bytes().partition(b"\n\n")
        yield Group("mail-auth", keys_of(head.decode()), [Message(path.name, crlf(message), signed_at(message))])


def of_the_rfcs(dkim):
    zone = keys_of((dkim / "rfc-examples/dns.txt").read_text())
    zone.update(keys_of((dkim / "mail-auth/002.txt").read_text()))
    for suite, names in (("rfc-examples", ("rfc6376-A.2.eml", "rfc8463-A.3.eml")), ("go-msgauth", sorted(p.name for p in (dkim / "go-msgauth").glob("*.eml")))):
        yield Group(suite, zone, [Message(name, content, signed_at(content)) for name in names for content in [crlf((dkim / suite / name).read_bytes())]])


def dkimpy(dkim):
    folder = dkim / "dkimpy"
    zone = {**keys_of((dkim / "rfc-examples/dns.txt").read_text()), "sed._domainkey.test.ex": {"TXT": (folder / "eximtest.dns").read_text().strip()},
            "test._domainkey.example.com": {"TXT": (folder / "ed25519test.dns").read_text().strip()}}
    yield Group("dkimpy", zone, [Message(name, crlf((folder / name).read_bytes()), 1528637909) for name in ("rfc6376.signed.msg", "ed25519test2.msg")])


def opendkim_rows(dkim):
    lines = (dkim / "opendkim/lib-tests.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["test"]: row["events"] for row in map(json.loads, lines)}


def golden(events):
    """The signature that a signing row is to give, or None."""
    return next((event[2] for event in events if len(event) > 2 and "bh=" in str(event[2])), None)


def opendkim_message(events, signature):
    """None where the row lacks something of its body; buffers of the program are left out of the header."""
    fields, body = [f"DKIM-Signature: {signature}\r\n"], ""
    for kind, *values in events:
        is_buffer = bool(values) and str(values[0]).startswith("<") and str(values[0]).endswith(">")
        if kind == "chunk" or kind == "body" and is_buffer:
            return None
        if kind == "header" and not is_buffer:
            fields.append(values[0] + "\r\n")
        if kind == "body":
            body += values[0]
    return ("".join(fields) + "\r\n" + body).encode()


def opendkim(dkim):
    """Golden signatures, rows that verify under the signature of another, and keys with something wrong."""
    rows, macros = opendkim_rows(dkim), json.loads((dkim / "opendkim/t-testdata.defs.json").read_text())
    zone = {"test._domainkey.example.com": {"TXT": macros["PUBLICKEY"]}, "test._domainkey.sendmail.com": {"TXT": macros["PUBLICKEYNOS"]}}
    messages = [(name, opendkim_message(events, golden(events))) for name, events in rows.items() if golden(events)]
    messages += [(f"t-test{row}", opendkim_message(rows[f"t-test{row}"], golden(rows[f"t-test{source}"]))) for row, source in OPENDKIM_PAIRS.items()]
    yield Group("opendkim", zone, [Message(name, content, OPENDKIM_TIME) for name, content in messages if content])
    model = opendkim_message(rows["t-test17"], golden(rows["t-test17"]))
    for key in OPENDKIM_KEYS:
        yield Group("opendkim", {"test._domainkey.example.com": {"TXT": macros[key]}}, [Message(key, model, OPENDKIM_TIME)])


def signed(suites):
    """Groups of signed messages of all suites."""
    dkim = pathlib.Path(suites) / "dkim"
    return [*of_the_rfcs(dkim), *mail_auth(dkim), *dkimpy(dkim), *opendkim(dkim)]


# --- DMARC ---

def mailauth_policies(folder):
    """Rows that one message can carry: one address in From, a zone without errors."""
    for file in ("dmarc-verify", "get-dmarc-record"):
        for line in (folder / f"mailauth-node/{file}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for call in row["calls"]:
                argument = (call.get("args") or [None])[0]
                argument = {"headerFrom": argument} if isinstance(argument, str) else argument
                zone = {name: ["".join(pieces) for pieces in types.get("TXT", [])] for name, types in (call.get("zone") or {}).items()
                        if not isinstance(types.get("TXT"), dict)}
                if not isinstance(argument, dict) or not isinstance(argument.get("headerFrom"), str) or len(zone) < len(call.get("zone") or {}):
                    continue
                spf, dkim = ([one["domain"] if isinstance(one, dict) else one for one in argument.get(kind) or []] for kind in ("spfDomains", "dkimDomains"))
                yield Policy("mailauth-node", f"{row['name']} ({call['id']})", argument["headerFrom"].rpartition("@")[2], spf[0] if spf else "", dkim, zone)


def opendmarc_policies(folder):
    for row, (author, signer, mode, _) in enumerate(json.loads((folder / "opendmarc/test_alignment.json").read_text())["rows"]):
        record = "v=DMARC1; p=none" + ("; adkim=s" if mode == "DMARC_RECORD_A_STRICT" else "")
        yield Policy("opendmarc", f"alignment {row} {author} {signer}", author, "", [signer], {f"_dmarc.{author}": [record]})
    for row, (record, *_) in enumerate(json.loads((folder / "opendmarc/test_dmarc_parse.json").read_text())["rows"]):
        yield Policy("opendmarc", f"record {row}", "b.test", "", ["b.test"], {"_dmarc.b.test": [record]})


def policies(suites):
    """Without those whose names the DNS cannot carry, and without repeats."""
    folder, seen = pathlib.Path(suites) / "dmarc", {}
    for one in (*mailauth_policies(folder), *opendmarc_policies(folder)):
        if all(one.author.split(".")):
            seen.setdefault(json.dumps(one[2:], sort_keys=True), one)
    return list(seen.values())


def opendkim_key(suites):
    """A private key of that suite as PEM, and its record."""
    macros = json.loads((pathlib.Path(suites) / "dkim/opendkim/t-testdata.defs.json").read_text())
    return macros["KEY"].encode(), macros["PUBLICKEY"]
