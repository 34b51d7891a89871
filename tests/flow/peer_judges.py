#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""The programs of others as judges: python3-spf, python3-dkim (DKIM and ARC) and opendmarc's library, started once by peers.py. A line
of JSON in is a question of many cases, each for the DNS server of a port; the line of JSON out has a word for each case."""
import base64
import ctypes
import json
import sys
import types

import dkim
import dns.resolver
import spf

QUESTION_S = 5


def spf_word(case):
    return spf.check2(case["client"], case["from"], case["helo"], timeout=QUESTION_S)[0]


def at(seconds):
    """What python3-dkim takes for the clock."""
    dkim.time = types.SimpleNamespace(time=lambda: seconds)


def dkim_word(case):
    """A word for each signature; those that raise an error do not hold."""
    message, words = base64.b64decode(case["message"]), []
    at(case["at"])
    try:
        one = dkim.DKIM(message, minkey=1024, timeout=QUESTION_S)
        count = sum(name.lower() == b"dkim-signature" for name, _ in one.headers)
    except dkim.DKIMException:
        return "unreadable"
    for index in range(count):
        try:
            words.append("pass" if one.verify(idx=index) else "no")
        except dkim.DnsTimeoutError:
            words.append("temperror")
        except dkim.DKIMException:
            words.append("no")
        except Exception as error:  # pylint: disable=broad-except
            words.append(f"raises-{type(error).__name__}")
    return " ".join(words) or "none"


def arc_word(case):
    at(case["at"])
    try:
        verdict, _, reason = dkim.arc_verify(base64.b64decode(case["message"]), timeout=QUESTION_S)
    except Exception as error:  # pylint: disable=broad-except
        return f"raises {type(error).__name__}"
    return verdict.decode() if verdict else "fail" if reason else "?"  # no verdict, but a reason: of a chain whose seal says cv=fail


class OpenDmarc:
    """libopendmarc, whose questions go to a server of ours; its list of suffixes is the system's."""

    class Settings(ctypes.Structure):
        class Server(ctypes.Structure):
            _fields_ = [("family", ctypes.c_uint16), ("port", ctypes.c_uint16), ("address", ctypes.c_uint8 * 4), ("rest", ctypes.c_uint8 * 8)]

        _fields_ = [("tld_type", ctypes.c_int), ("tld_file", ctypes.c_char * 4096), ("count", ctypes.c_int), ("servers", Server * 3)]

    WORDS = {15: "pass", 16: "fail reject", 17: "fail quarantine", 18: "fail none", 14: "none"}
    NO_RECORD, NO_DOMAIN, TEMPERROR = (9, 10), (6, 13), 11
    FOUND = 1  # of SPF and DKIM: pass

    def __init__(self, port):
        self.library = ctypes.CDLL("libopendmarc.so.2")
        self.library.opendmarc_policy_connect_init.restype = ctypes.c_void_p
        self.settings = self.Settings(1, b"/usr/share/publicsuffix/public_suffix_list.dat", 1)
        self.settings.servers[0].family = 2
        self.settings.servers[0].port = int.from_bytes(port.to_bytes(2, "big"), sys.byteorder)
        self.settings.servers[0].address[:] = [127, 0, 0, 1]
        assert self.library.opendmarc_policy_library_init(ctypes.byref(self.settings)) == 0

    def word(self, case):
        context = ctypes.c_void_p(self.library.opendmarc_policy_connect_init(b"127.0.0.1", 4))
        author = case["author"].encode()
        state = self.library.opendmarc_policy_store_from_domain(context, author)
        for domain in case["dkim"] if state == 0 else ():
            self.library.opendmarc_policy_store_dkim(context, domain.encode(), b"s", self.FOUND, None)
        if case["spf"] and state == 0:
            self.library.opendmarc_policy_store_spf(context, case["spf"].encode(), self.FOUND, 1, None)
        state = state or self.library.opendmarc_policy_query_dmarc(context, author)
        word = self.WORDS.get(self.library.opendmarc_get_policy_to_enforce(context), "?") if state == 0 else \
            "none" if state in self.NO_RECORD else "temperror" if state == self.TEMPERROR else "permerror"
        self.library.opendmarc_policy_connect_shutdown(context)
        return word

    def close(self):
        self.library.opendmarc_policy_library_shutdown(ctypes.byref(self.settings))


def dmarc_words(port, cases):
    library = OpenDmarc(port)
    words = [library.word(case) for case in cases]
    library.close()
    return words


def main():
    for line in sys.stdin:
        question = json.loads(line)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], question["port"]
        dns.resolver.default_resolver = resolver
        if question["of"] == "dmarc":
            words = dmarc_words(question["port"], question["cases"])
        else:
            word = {"spf": spf_word, "dkim": dkim_word, "arc": arc_word}[question["of"]]
            words = [word(case) for case in question["cases"]]
        print(json.dumps(words), flush=True)


if __name__ == "__main__":
    main()
