# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""A small DNS server for tests: UDP and TCP on one free loopback port, answers from a zone in memory.

    with DnsServer('''
            example.test        MX    10 mx1.example.test
            mx1.example.test    A     127.0.0.1
            7.0.0.127.in-addr.arpa PTR client.example.test
            ''') as dns:
        configuration = f"dns {{ servers {dns.address}; dnssec off }}"
        dns.misbehave("example.test", "servfail")

A name may carry several records of a type; `*` as the first label serves what is not there otherwise; `CNAME`
is followed inside the zone. A name outside the zone does not exist (NXDOMAIN). Also runs alone:
`dns_server.py ZONEFILE [PORT]`.
"""
import random
import socket
import socketserver
import struct
import sys
import threading
import time

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NAMES = {number: name for name, number in TYPES.items()}
OPT = 41
MODES = ("servfail", "refused", "silent", "truncate", "wrong-id", "garbage", "empty")


def wire_name(name):
    """A name in wire format, uncompressed; "." and "" are the root."""
    out = b""
    for label in name.rstrip(".").split(".") if name.rstrip(".") else []:
        raw = label.encode("utf-8")
        out += bytes([len(raw)]) + raw
    return out + b"\0"


def read_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def wire_data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind in ("CNAME", "PTR", "NS"):
        return wire_name(value)
    if kind == "MX":
        preference, host = value.split()
        return struct.pack(">H", int(preference)) + wire_name(host)
    if kind == "TXT":
        raw = value.encode("utf-8")
        return b"".join(bytes([len(raw[i:i + 255])]) + raw[i:i + 255] for i in range(0, len(raw) or 1, 255))
    raise ValueError(f"record type {kind} is not known here")


class DnsServer:
    """`zone`: text (lines `NAME TYPE VALUE`, `#` comments) or a dict {name: {type: value or [values]}}."""

    def __init__(self, zone="", port=0, ttl=5, negative_ttl=1):
        self.ttl, self.negative_ttl = ttl, negative_ttl
        self.records = {}      # (name, type) -> [values]
        self.modes = {}        # name or "*" -> mode
        self.delays = {}       # name or "*" -> seconds
        self.questions = []    # (name, type, "udp" or "tcp") in order of arrival
        self.lock = threading.Lock()
        if isinstance(zone, dict):
            for name, types in zone.items():
                for kind, values in types.items():
                    self.set(name, kind, *([values] if isinstance(values, str) else values))
        else:
            self.add_text(zone)
        self._bind(port)

    # --- what tests use ---

    @property
    def address(self):
        """As `dns { servers … }` wants it."""
        return f"127.0.0.1@{self.port}"

    def add_text(self, zone):
        for line in zone.splitlines():
            line = line.split("#")[0].strip()
            if line:
                name, kind, value = line.split(None, 2)
                self.add(name, kind, value)

    def add(self, name, kind, value):
        wire_data(kind, value)
        with self.lock:
            self.records.setdefault((name.lower().rstrip("."), kind), []).append(value)

    def set(self, name, kind, *values):
        """Replaces all records of the type; without values there are none."""
        with self.lock:
            self.records.pop((name.lower().rstrip("."), kind), None)
        for value in values:
            self.add(name, kind, value)

    def values(self, name, kind):
        """What the zone has, without a question."""
        return self._values(name.lower(), kind)[0]

    def set_reverse(self, ip, *names):
        if ":" in ip:
            digits = socket.inet_pton(socket.AF_INET6, ip).hex()
            self.set(".".join(reversed(digits)) + ".ip6.arpa", "PTR", *names)
        else:
            self.set(".".join(reversed(ip.split("."))) + ".in-addr.arpa", "PTR", *names)

    def misbehave(self, name="*", mode="servfail", delay=0.0):
        """From now on `name` (or everything, "*") gets: servfail, refused, silent (no answer), truncate (over
        UDP, so that TCP is asked), wrong-id, garbage, empty (NOERROR without records); None: the truth.
        `delay` seconds pass before any answer."""
        if mode is not None and mode not in MODES:
            raise ValueError(mode)
        with self.lock:
            for table, value in ((self.modes, mode), (self.delays, delay)):
                table.pop(name.lower(), None)
                if value:
                    table[name.lower()] = value

    def behave(self):
        with self.lock:
            self.modes.clear()
            self.delays.clear()

    def count(self, name=None, kind=None, transport=None):
        """How many questions of this kind have come."""
        with self.lock:
            return sum((name is None or q[0] == name.lower()) and (kind is None or q[1] == kind)
                       and (transport is None or q[2] == transport) for q in self.questions)

    def start(self):
        for server in (self._udp, self._tcp):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """The port is closed: questions get an ICMP error, as from a server that is down."""
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def restart(self):
        """After stop, on the same port."""
        self._bind(self.port)
        return self.start()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- the server ---

    def _bind(self, port):
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                packet, sock = self.request
                answer = outer._answer(packet, "udp")
                if answer:
                    sock.sendto(answer, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while len(head := self.rfile.read(2)) == 2:
                    packet = self.rfile.read(struct.unpack(">H", head)[0])
                    answer = outer._answer(packet, "tcp")
                    if not answer:
                        return
                    self.wfile.write(struct.pack(">H", len(answer)) + answer)

        class UdpServer(socketserver.ThreadingUDPServer):
            daemon_threads, block_on_close, max_packet_size = True, False, 65535

        class TcpServer(socketserver.ThreadingTCPServer):
            daemon_threads, block_on_close, allow_reuse_address = True, False, True

        for _ in range(50):
            self._udp = UdpServer(("127.0.0.1", port), Udp)
            self.port = self._udp.server_address[1]
            try:
                self._tcp = TcpServer(("127.0.0.1", self.port), Tcp)
                return
            except OSError:
                self._udp.server_close()
                if port:
                    raise
        raise OSError("no port is free for both UDP and TCP")

    def _values(self, name, kind):
        """The records, and whether the name exists."""
        with self.lock:
            names = {key[0] for key in self.records}
            candidates = [name]
            labels = name.split(".")
            if not any(known == name or known.endswith("." + name) for known in names):
                candidates += ["*." + ".".join(labels[i:]) for i in range(1, len(labels))]
            for candidate in candidates:
                if candidate in names:
                    return self.records.get((candidate, kind), []), True
            return [], any(known.endswith("." + name) for known in names)

    def _resolve(self, name, kind):
        """[(owner, type, value)] with aliases followed, and whether the last name exists."""
        chain = []
        for _ in range(20):
            aliases, _exists = self._values(name, "CNAME")
            if not aliases or kind == "CNAME":
                break
            chain.append((name, "CNAME", aliases[0]))
            name = aliases[0].lower().rstrip(".")
        values, exists = self._values(name, kind)
        return chain + [(name, kind, value) for value in values], exists

    def _mode_of(self, name):
        with self.lock:
            return (self.modes.get(name, self.modes.get("*")), self.delays.get(name, self.delays.get("*", 0)))

    def _answer(self, packet, transport):
        if len(packet) < 17:
            return None
        ident, _flags, _questions = struct.unpack(">HHH", packet[:6])
        name, at = read_name(packet, 12)
        kind = NAMES.get(struct.unpack(">H", packet[at:at + 2])[0], "?")
        question = packet[12:at + 4]
        with self.lock:
            self.questions.append((name.lower(), kind, transport))
        mode, delay = self._mode_of(name.lower())
        time.sleep(delay)
        if mode == "silent":
            return None
        if mode == "garbage":
            return struct.pack(">H", ident) + b"\x81\x80" + random.randbytes(40)
        if mode == "wrong-id":
            ident ^= 0x5555
        if mode in ("servfail", "refused"):
            return self._pack(ident, question, [], 2 if mode == "servfail" else 5, False)
        if mode == "truncate" and transport == "udp":
            return self._pack(ident, question, [], 0, True)
        records, exists = ([], True) if mode == "empty" else self._resolve(name.lower(), kind)
        answer = self._pack(ident, question, records, 0 if exists else 3, False)
        if transport == "udp" and len(answer) > 1232:
            return self._pack(ident, question, [], 0, True)
        return answer

    def _pack(self, ident, question, records, rcode, truncated):
        flags = 0x8180 | rcode | (0x0200 if truncated else 0)
        body, authority = b"", b""
        for owner, kind, value in records:
            data = wire_data(kind, value)
            body += wire_name(owner) + struct.pack(">HHIH", TYPES[kind], 1, self.ttl, len(data)) + data
        if not any(kind != "CNAME" for _owner, kind, _value in records) and rcode in (0, 3) and not truncated:
            data = wire_name("ns.test") + wire_name("admin.test") + struct.pack(">IIIII", 1, 60, 60, 60,
                                                                               self.negative_ttl)
            authority = b"\0" + struct.pack(">HHIH", TYPES["SOA"], 1, self.negative_ttl, len(data)) + data
        opt = b"\0" + struct.pack(">HHIH", OPT, 1232, 0, 0)
        head = struct.pack(">HHHHHH", ident, flags, 1, len(records), 1 if authority else 0, 1)
        return head + question + body + authority + opt


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as zone_file:
        alone = DnsServer(zone_file.read(), int(sys.argv[2]) if len(sys.argv) > 2 else 0).start()
    print(alone.address, flush=True)
    threading.Event().wait()
