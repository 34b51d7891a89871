# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Mails around a payload, broken in the ways that mail programs read differently, several at a time. The same seed and number make the
same mail. A mail is made from the inside out: the payload is encoded, gets fields, is wrapped, and every step may go astray."""
import base64
import binascii
import quopri
import random

END = b"\r\n"
BLANKS = (b" ", b"\t", b"  ", b" \t ", b"\x0b", b"\x0c")
CONTROLS = (b"\x01", b"\x7f", b"\xa0", b"\xef\xbb\xbf", b"\x1b", b"\xe2\x80\x8b", b"\x00", b"\x08")
LINES = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n")
FOLDS = (b"\r\n ", b"\r\n\t", b"\r\n  \t", b"\n ", b"\r ", b"\r\n \r\n ", b"\r\n\x0b", b"\r\n\x0c", b"\r\n\xa0", b"\r\r\n ", b"\r\n\r\n ")
WORDS = (b"one", b"two", b"one two", b"one/two", b"'one'", b"on(e)", b" one", b"one ", b"onetwo", b"on", b"ONE", b"o=ne", b"=one", b"one--", b"-", b"--",
         b"o\\ne", b"o\"ne", b"on;e", b"o,ne", b"\xe9ne", b"o%6ee", b"one:1", b"a" * 71, b"a" * 300, b"----=_Part_1.2", b"=?us-ascii?q?one?=", b"1",
         b"o\tne", b"on<e>", b"one\x01", b"[one]", b"o@ne", b"one.", b"_=one")


class Maker:
    """One mail. `often` is how likely each step goes astray."""

    def __init__(self, chance, often):
        self.chance, self.often = chance, often
        self.kinds = []

    def odd(self, weight=1.0):
        return self.chance.random() < self.often * weight

    def one(self, *of):
        return self.chance.choice(of)

    # --- bytes and lines ---

    def sprinkle(self, text, what, most=2):
        for _ in range(self.chance.randint(1, most)):
            at = self.chance.randint(0, len(text))
            text = text[:at] + what + text[at:]
        return text

    def lined(self, data, size):
        return [data[at:at + size] for at in range(0, len(data), size)]

    def joined(self, lines):
        """The lines of a body; of an odd one some ends are not CRLF."""
        if not self.odd(0.4):
            return END.join(lines) + END
        end = self.one(b"\n", b"\r", b"\r\r\n", b"\n\r", None)
        return b"".join(line + (end or self.one(*LINES)) for line in lines)

    # --- transfer encodings ---

    def base64(self, data):
        size = self.one(57, 57, 57, 45, 40, 20, 19, 3, 1000)
        if not self.odd(1.5):
            return self.joined(self.lined(base64.b64encode(data), size // 3 * 4 or 4))
        way = self.one("each", "each", "paragraphs", "odd", "junk", "bare", "url", "padded", "blanks", "comment", "tail", "dashes", "empty", "early",
                       "highbit", "hyphens", "front", "nul", "equals", "split", "armour", "one")
        text = base64.b64encode(data)
        lines = self.lined(text, 76)
        if way == "each":
            lines = [base64.b64encode(piece) for piece in self.lined(data, self.one(57, 40, 20, 10, 1))]
        elif way == "paragraphs":
            lines = sum(([base64.b64encode(piece), b""] for piece in self.lined(data, self.one(57, 40, 20))), [])
        elif way == "odd":
            lines = self.lined(text, self.one(75, 73, 61, 5, 1))
        elif way == "junk":
            lines = [self.sprinkle(line, self.one(b"!", b"-", b".", b"\xff", b"*", b"%", b"_", b"#", b"&", b"\\"), self.one(1, 4, 20)) for line in lines]
        elif way == "bare":
            lines = self.lined(text.rstrip(b"="), 76)
        elif way == "url":
            lines = self.lined(text.translate(bytes.maketrans(b"+/", b"-_")), 76)
        elif way == "padded":
            lines = self.lined(text + self.one(b"=", b"==", b"====", b"=" * 20), 76)
        elif way == "blanks":
            lines = [self.one(b" ", b"\t", b"", b">", b"> ", b"  ") + line + self.one(b"", *BLANKS) for line in lines]
        elif way == "comment":
            lines.insert(self.chance.randint(0, len(lines)), self.one(b"(text)", b"hello world", b"X-Field: text", b"--", b"-----", b"=", b"===="))
        elif way == "tail":
            lines += [b"", self.one(b"bye", b"-- ", b"This list is run by somebody.", b"VGhpcw==")]
        elif way == "dashes":
            lines.insert(self.chance.randint(0, len(lines)), self.one(b"--word", b"--", b"--word--", b"-- ", b"--=_x"))
        elif way == "empty":
            lines = sum(([line, b""] for line in lines), [])
        elif way == "early":
            at = self.chance.randrange(1, max(2, len(data)))
            lines = self.lined(base64.b64encode(data[:at]) + base64.b64encode(data[at:]), 76)
        elif way == "highbit":
            lines = [bytes(byte | 0x80 if self.chance.random() < 0.02 else byte for byte in line) for line in lines]
        elif way == "hyphens":
            lines = [b"-" + line for line in lines]
        elif way == "front":
            lines = [self.one(b"", b"hello", b"=", b"A", b"====", b"Content-Type: text/plain", b"begin-base64 644 x", b"\x00")] + lines
        elif way == "nul":
            lines = [self.sprinkle(line, b"\0") for line in lines]
        elif way == "equals":
            lines = [line + b"=" for line in lines]
        elif way == "split":
            lines = self.lined(text, 4)
        elif way == "armour":
            lines = [b"-----BEGIN FILE-----", b""] + lines + [b"-----END FILE-----"]
        else:
            lines = [text]
        return self.joined(lines)

    def quoted(self, data):
        text = quopri.encodestring(data, quotetabs=True).replace(b"\r\n", b"\n").replace(b"\0", b"=00")
        if self.chance.random() < 0.5:
            text = b"".join(b"=%02X" % byte + (b"=\n" if at % 20 == 19 else b"") for at, byte in enumerate(data))
        if self.odd(1.5):
            way = self.one("lower", "blank", "end", "soft", "bad", "equals", "cr", "lf", "long", "8bit", "tabs", "hexblank", "dash", "mixed", "word", "empty")
            if way == "lower":
                text = b"=".join([piece[:2].lower() + piece[2:] if at else piece for at, piece in enumerate(text.split(b"="))])
            elif way in ("blank", "tabs"):
                text = text.replace(b"\n", self.one(b" \n", b"\t\n", b"  \t\n", b"\x0b\n"))
            elif way == "end":
                text = text.rstrip(b"\n") + self.one(b"=", b"=\n", b"==", b"=4")
            elif way in ("soft", "cr"):
                text = text.replace(b"=\n", self.one(b"=\r", b"= \r\n", b"=\n", b"=\r\r\n", b"=\t\n"))
            elif way == "bad":
                text = self.sprinkle(text, self.one(b"=\x01", b"==", b"=G1", b"= ", b"=x", b"=\xff"), 1)
            elif way == "equals":
                text = text.replace(b"=\n", b"==\n")
            elif way == "lf":
                return text
            elif way == "long":
                text = text.replace(b"=\n", b"")
            elif way == "8bit":
                text = self.sprinkle(text, b"=\n", 3)
            elif way == "hexblank":
                text = text.replace(b"=00", b"=0\r\n0", 1)
            elif way == "dash":
                text = text.replace(b"=\n", b"=\n--word=\n", 1).replace(b"=\n--word=\n", b"=\n", 0)
            elif way == "mixed":
                text = text.replace(b"=00", b"\0", 1)
            elif way == "word":
                text = b"=?us-ascii?q?" + text.replace(b"\n", b"") + b"?="
            else:
                text = text.replace(b"=\n", b"=\n=\n")
        return self.joined(text.split(b"\n"))

    def uu_lines(self, data, zero=None):
        lines = [binascii.b2a_uu(piece, backtick=zero if zero is not None else self.chance.random() < 0.5).rstrip(b"\n") for piece in self.lined(data, 45)]
        if not self.odd():
            return lines
        way = self.one("trim", "sum", "short", "blank", "empty", "junk", "low", "quote")
        if way == "trim":
            return [line.rstrip(b" ") for line in lines]
        if way == "sum":
            return [line + self.one(b"x", b"`", b" ", b"  ", b"a", b"AAAA") for line in lines]
        if way == "short":
            return [binascii.b2a_uu(piece).rstrip(b"\n") for piece in self.lined(data, self.one(1, 3, 20, 30, 44))]
        if way == "blank":
            return [line + self.one(b" ", b"\t", b"  ") for line in lines]
        if way == "empty":
            return sum(([line, b""] for line in lines), [])
        if way == "junk":
            lines.insert(self.chance.randint(0, len(lines)), self.one(b"hello, this is no line", b"--", b"X-F: x", b"", b"   ", b"~~~", b"end of it", b"#!"))
            return lines
        if way == "low":
            return [line.replace(b"`", b" ") for line in lines]
        return [b" " + line for line in lines]

    def uuencode(self, data):
        name = self.one(b"x.zip", b"x", b"a b c", b"\"x\"", b"x;y", b"=?x?=")
        mode = self.one(b"644", b"644", b"666", b"0644", b"100644", b"7", b"755") if not self.odd(0.5) else self.one(b"", b"999", b"abc", b"-1", b"6444444444")
        begin = b"begin " + mode + b" " + name
        if self.odd():
            begin = self.one(begin + b" ", b"BEGIN 644 x", b"begin  644  x", b"begin\t644\tx", b" begin 644 x", b"begin 644", b"begin 644 ", b"> begin 644 x",
                             b"begin 644 " + b"x" * 300, b"begin644 x", b"Begin 644 x")
        end = [self.one(b"`", b" ", b""), b"end"]
        if self.odd():
            end = self.one([], [b"end"], [b"`"], [b"`", b"END"], [b"", b"", b"end"], [b"`", b"end of file"], [b"`", b" end"], [b"end", b"junk behind"])
        lines = [begin] + self.uu_lines(data) + end
        if self.odd(0.5):
            lines = [b"begin 644 y"] + self.uu_lines(b"something else that is harmless") + [b"`", b"end"] + lines
        if self.odd(0.5):
            lines = [begin, b"begin 644 z"] + lines[1:]
        if self.odd(0.3):
            lines = [b"table", b"".join(bytes([byte]) for byte in range(32, 96))] + lines
        return self.joined(self.around(lines))

    def begin_base64(self, data):
        lines = [self.one(b"begin-base64 644 x", b"begin-base64 644 x", b"begin-base64-encoded 644 eA==")] + self.lined(base64.b64encode(data), self.one(60, 76, 40))
        return self.joined(self.around(lines + ([b"===="] if not self.odd() else self.one([], [b"end"], [b"====", b"x"]))))

    def yenc(self, data):
        def coded(piece):
            out = bytearray()
            for at, byte in enumerate(piece):
                byte = (byte + 42) & 255
                if byte in (0, 10, 13, 61) or (byte == 46 and at % 128 == 0):
                    out += b"=" + bytes([(byte + 64) & 255])
                else:
                    out.append(byte)
                if at % 128 == 127:
                    out += END
            return bytes(out)
        sum32 = b"%08x" % binascii.crc32(data)
        size = len(data)
        if self.odd():
            half = size // 2
            first = b"=ybegin part=1 total=2 line=128 size=%d name=x.zip\r\n=ypart begin=1 end=%d\r\n" % (size, half)
            second = b"=ybegin part=2 total=2 line=128 size=%d name=x.zip\r\n=ypart begin=%d end=%d\r\n" % (size, half + 1, size)
            return (first + coded(data[:half]) + b"\r\n=yend size=%d part=1\r\n" % half + second + coded(data[half:]) +
                    b"\r\n=yend size=%d part=2\r\n" % (size - half))
        begin = b"=ybegin line=128 size=%d name=x.zip\r\n" % size
        if self.odd():
            begin = self.one(b"=ybegin part=1 total=1 line=128 size=%d name=x.zip\r\n=ypart begin=1 end=%d\r\n" % (size, size), b"=ybegin line=128 name=x\r\n",
                             b"=ybegin line=128 size=9 name=x\r\n")
        return begin + coded(data) + b"\r\n" + (b"" if self.odd() else b"=yend size=%d crc32=%s\r\n" % (size, sum32))

    def around(self, lines):
        if self.chance.random() < 0.4:
            lines = [self.one(b"see the file", b"--", b"hello", b"-- ")] + self.one([], [b""]) + lines
        if self.chance.random() < 0.3:
            lines = lines + self.one([b"bye"], [b"", b"bye"], [b"", b"", b"--", b"me"])
        return lines

    # --- fields ---

    def fold(self, value):
        places = [at for at, byte in enumerate(value) if byte in b" \t;=,\"/"] or [len(value) // 2]
        at = self.chance.choice(places) + self.one(0, 1)
        if self.odd(0.5):
            at = self.chance.randint(0, len(value))
        return value[:at] + self.one(b"\r\n ", b"\r\n\t", *FOLDS) + value[at:].lstrip(b" ")

    def name(self, name):
        if self.odd(0.5):
            name = self.one(name.lower(), name.upper(), name.title())
        if not self.odd(0.35):
            return name
        way = self.one("before", "in", "after", "under", "blank", "fold", "hyphen", "quote")
        odd = self.one(*CONTROLS, b" ", b"\t", b"\x0b", b"\r", b"\x0c")
        at = self.chance.randint(1, len(name) - 1)
        return {"before": odd + name, "in": name[:at] + odd + name[at:], "after": name + self.one(odd, b" ", b"\t", b"  "),
                "under": name.replace(b"-", b"_"), "blank": name.replace(b"-", b"- "), "fold": name + b"\r\n ", "hyphen": name.replace(b"-", b"--"),
                "quote": self.one(b">", b"\"", b":", b".", b"-", b"X-") + name}[way]

    def field(self, name, value):
        if self.odd(0.5):
            value = self.fold(value)
        if self.odd(0.25):
            value = self.one(value + self.one(*BLANKS, b" (note)", b" \\", b";", b"; ", b"; x=y", b" =?us-ascii?q?x?=", b"\xe9", b"\0", b"," ),
                             self.one(b"(note) ", b" ", b"\t\t", b"\x0b", b"; ", b"\xa0", b"\0", b"(a (b) c)", b"(\\)) ") + value, self.sprinkle(value, self.one(*CONTROLS, b"(x)"), 1))
        between = self.one(b":", b" : ", b":\t", b":\r\n ", b":\r\n\t", b": \r\n ", b":\n ", b"\t: ", b":\x0b", b"::", b"", b"=", b" ", b":\r\n \r\n ", b":\x0c ") if self.odd(0.4) else b": "
        return self.name(name) + between + value + (self.one(*LINES, b" \r\n", b"\r\n \r\n", b"\r\n\t\r\n", b"\x0b\r\n") if self.odd(0.25) else END)

    def header(self, fields):
        """Fields in some order; some stand twice, and lines that are none come between."""
        made = []
        for name, value in fields:
            made.append(self.field(name, value))
            if self.odd(0.3) and name.lower().startswith(b"content-"):
                other = self.one(value, b"text/plain", b"7bit", b"base64", b"quoted-printable", b"multipart/mixed; boundary=two", b"x", b"", b"8bit", b"application/octet-stream",
                                 b"multipart/mixed", b"inline; boundary=one", b"x-uuencode", b"message/rfc822")
                made.insert(self.chance.randint(0, len(made)), self.field(name, other))
        if self.odd(0.4):
            made.append(self.field(self.one(b"X-Y", b"Content-ID", b"Content-Disposition", b"Content-Description", b"Content-Encoding", b"Content-Location", b"Content-Base",
                                            b"Content-Transfer", b"Content-Length", b"Content-Type-X", b"Content"),
                                   self.one(b"x", b"<x@y>", b"attachment; filename=x.zip", b"inline", b"gzip", b"base64", b"5", b"text/plain", b"x" * 1200, b"\xe3\x81\x82", b"")))
        self.chance.shuffle(made)
        if self.odd(0.3):
            junk = self.one(b"no colon here\r\n", b">From me Mon Jan  1 00:00:00 2024\r\n", b"From me Mon Jan  1 00:00:00 2024\r\n", b" folded from nothing\r\n", b" \r\n", b"\t\r\n",
                            b": no name\r\n", b"x\r\n", b"\x0b\r\n", b"\r", b"--\r\n", b"--x\r\n", b"X Y: z\r\n", b"\0\r\n", b"-----\r\n", b"begin 644 x\r\n", b".\r\n", b"\x0c\r\n")
            made.insert(self.chance.randint(0, len(made)), junk)
        return b"".join(made)

    # --- parameters ---

    def quoted_string(self, value):
        plain = value.replace(b"\\", b"\\\\").replace(b"\"", b"\\\"")
        if self.odd(0.4):
            plain = b"".join(self.one(b"\\", b"") + bytes([byte]) if byte not in b"\\\"" else bytes([byte]) for byte in value.replace(b"\\", b"").replace(b"\"", b""))
        return b'"' + plain + b'"'

    def percent(self, value):
        return b"".join(b"%%%02X" % byte if byte in b" %'()<>@,;:\\\"/[]?=*\t" or self.chance.random() < 0.3 or byte > 126 else bytes([byte]) for byte in value)

    def parameter(self, name, value, other):
        """Any way to say it, some with another value beside it."""
        quote = self.quoted_string(value)
        if not self.odd(1.2):
            return b"; " + name + b"=" + (quote if self.chance.random() < 0.7 or not value.isalnum() else value)
        half = self.chance.randint(0, len(value))
        a, b = value[:half], value[half:]
        cut = b"; " + name
        return self.one(
            b"; " + name + b"=" + value, cut + b"='" + value + b"'", cut + b"=" + quote[:-1], cut + b"=" + quote + b"x", cut + b"=" + quote + b" x", cut + b" = " + quote,
            cut + b"= " + value, cut + b" =" + value, b" " + name + b"=" + quote, b";" + name + b"=" + quote, b";; " + name + b"=" + quote, b", " + name + b"=" + quote,
            cut.upper() + b"=" + quote, cut + b"=" + value + b" (" + name + b"=" + other + b")", cut + b"=" + other + b" (" + name + b"=" + value + b")",
            b"; (x) " + name + b" (y) = (z) " + quote, cut + b"=(c)" + value, cut + b"=" + value + b"(c)", cut + b"=" + a + b"(c)" + b, b"; (" + name + b"=" + other + b")" + cut + b"=" + quote,
            cut + b"*=us-ascii''" + self.percent(value), cut + b"*=''" + self.percent(value), cut + b"*=" + self.percent(value), cut + b"*=\"us-ascii''" + self.percent(value) + b"\"",
            cut + b"*0=" + self.quoted_string(a) + cut + b"*1=" + self.quoted_string(b), cut + b"*1=" + self.quoted_string(b) + cut + b"*0=" + self.quoted_string(a),
            cut + b"*0=" + a + cut + b"*1=" + b, cut + b"*0*=us-ascii''" + self.percent(a) + cut + b"*1*=" + self.percent(b),
            cut + b"*0*=us-ascii''" + self.percent(a) + cut + b"*1=" + b, cut + b"*0=" + quote, cut + b"*1=" + quote, cut + b"*00=" + a + cut + b"*01=" + b,
            cut + b"*0=" + a + cut + b"*2=" + b, cut + b"*0=" + a + cut + b"*0=" + b, cut + b"*=" + value + cut + b"=" + other, cut + b"=" + other + cut + b"*0=" + quote,
            cut + b"=" + quote + cut + b"*=us-ascii''" + other, cut + b"=" + quote + cut + b"*0=" + other, cut + b"=" + quote + cut + b"=" + other, cut + b"=" + other + cut + b"=" + quote,
            cut + b"=" + self.quoted_string(a) + b" " + self.quoted_string(b), cut + b"=" + self.quoted_string(a) + self.quoted_string(b), cut + b"=" + quote + b" " + other,
            cut + b"=\"\"" + cut + b"=" + quote, cut + b"=" + cut + b"=" + quote, cut + b"==" + value, cut + b":" + value, cut + b" " + value, cut + b"=" + value + b" ", cut + b"=\"" + value + b" \"",
            cut + b"=\"" + value + b"\t\"", cut + b"=\" " + value + b"\"", cut + b"=\"" + a + b"\r\n " + b + b"\"", cut + b"=\r\n " + quote, cut + b"\r\n =" + quote, cut + b"=\"" + a + b"\r\n\t" + b + b"\"",
            cut + b"=\"" + a + b"\0" + b + b"\"", cut + b"=\x01" + value, b"; \x01" + name + b"=" + quote, b"; \xa0" + name + b"=" + quote, b"; x" + name + b"=" + other + cut + b"=" + quote,
            b"; x=\"" + cut + b"=" + other + b"\"" + cut + b"=" + quote, b"; x=\"a\\\"" + cut + b"=" + other + b"\"" + cut + b"=" + quote, b"; x='" + cut + b"=" + value + b"'", b"; x=\"" + cut + b"=" + value,
            b"; x=y" * 30 + cut + b"=" + quote, b"; x=" + b"y" * 1500 + cut + b"=" + quote, b"; x=y" * 210 + cut + b"=" + quote, cut + b"==?us-ascii?q?" + value + b"?=", cut + b"=\"=?us-ascii?b?" + base64.b64encode(value) + b"?=\"",
            cut + b"=" + a + b"\\" + b, cut + b"=" + value + b"\\", cut + b"=\"" + value + b"\\\"", cut + b"=" + value + b"," + other, cut + b"=" + value + b";" + other, cut + b"=" + value + b"\x0b", cut + b"\x00=" + quote,
            b"; charset=\"x\" " + name + b"=" + quote, b"; charset=x " + name + b"=" + quote, b"\r\n " + name + b"=" + quote, b";\r\n" + name + b"=" + quote, b"; " + name + b"\t=\t" + quote, cut + b"=<" + value + b">", b"", cut + b"=")

    # --- leaves ---

    def encoding_value(self, plain, body_is):
        if not self.odd(0.8):
            return plain
        return self.one(plain.upper(), plain.title(), b'"' + plain + b'"', b"'" + plain + b"'", plain + b" (note)", b"(note) " + plain, plain + b";", plain + b"; x=y", plain + b", 7bit", b"7bit, " + plain,
                        plain + b" 7bit", b"7bit " + plain, b"x-" + plain, plain + b".", b"=?us-ascii?q?" + plain + b"?=", plain[:2] + b" " + plain[2:], plain[:3] + b"\r\n " + plain[3:], plain.replace(b"-", b""),
                        plain.replace(b"-", b"_"), plain[:-1], plain + b"x", b"\x01" + plain, plain + b"\x01", plain + b"\0", b"<" + plain + b">", b"", b"7bit", b"8bit", b"binary", b"none", b"unknown", b"base64", b"quoted-printable",
                        b"x-uuencode", b"(" + plain + b")", b"\\" + plain, plain + b"=", plain + b"\xa0", b"\t" + plain + b"\t", plain[0:1] + b"(c)" + plain[1:], b"x-uu", b"uu", b"x-unknown", plain + b"/x", b"BASE64", b"base-64",
                        plain + b":", b":" + plain, b"\xef\xbb\xbf" + plain, plain + b"\x0b", plain + b" base64", plain + b" quoted-printable", b"transfer-" + plain)

    def disposition(self):
        return self.one(b"attachment; filename=x.zip", b"inline", b"attachment", b"attachment; filename*=utf-8''x%2Ezip", b"inline; filename=\"x.zip\"; boundary=two", b"attachment; filename=\"=?utf-8?q?x.zip?=\"", b"x; filename=x.eml")

    def leaf(self, data):
        """Fields and body."""
        is_text = all(byte in range(32, 127) or byte in b"\r\n\t" for byte in data)
        ways = ["base64"] * 5 + ["quoted-printable"] * 2 + ["x-uuencode", "uu in text", "begin-base64", "yenc", "twice", "under another"]
        way = self.chance.choice(ways + (["plain"] * 2 if is_text else []))
        self.kinds.append(way)
        kind = self.one(b"application/zip", b"application/octet-stream; name=x.zip", b"application/x-msdownload; name=\"x.exe\"", b"text/plain; name=x.zip", b"text/plain", b"text/html", b"image/png", b"text/plain; charset=utf-16",
                        b"text/plain; charset=utf-7", b"application/x-zip-compressed", b"x", b"", b"application/octet-stream", b"audio/x-wav; name=x", b"message/x", b"application/mac-binhex40", b"text/x")
        if way == "base64":
            encoding, body = b"base64", self.base64(data)
        elif way == "quoted-printable":
            encoding, body = b"quoted-printable", self.quoted(data)
        elif way == "x-uuencode":
            encoding, body = self.one(b"x-uuencode", b"x-uue", b"uuencode", b"uue", b"x-uu"), self.uuencode(data)
        elif way == "plain":
            encoding, body = self.one(b"7bit", b"8bit", b"binary", b"x-none", b""), self.joined(data.split(b"\r\n"))
        elif way == "twice":
            encoding, body = b"base64", self.base64(self.one(self.uuencode, self.quoted, self.base64)(data))
        elif way == "under another":
            encoding, body = self.one(b"quoted-printable", b"7bit", b"base64", b"x-uuencode"), self.one(self.uuencode, self.base64, self.quoted)(data)
            kind = self.one(kind, b"text/plain")
        else:
            encoding = self.one(b"7bit", b"8bit", b"", b"base64", b"quoted-printable", b"8bit")
            body = {"uu in text": self.uuencode, "begin-base64": self.begin_base64, "yenc": self.yenc}[way](data)
            if encoding == b"base64":
                body = base64.encodebytes(body).replace(b"\n", END)
            elif encoding == b"quoted-printable":
                body = self.joined(quopri.encodestring(body.replace(END, b"\n")).split(b"\n"))
            kind = self.one(b"text/plain", b"text/plain; charset=utf-8", b"text/html", kind)
        fields = [(b"Content-Transfer-Encoding", self.encoding_value(encoding, way))] if encoding else []
        if kind or self.chance.random() < 0.5:
            fields.append((b"Content-Type", kind))
        if self.chance.random() < 0.3:
            fields.append((b"Content-Disposition", self.disposition()))
        return fields, body

    # --- containers ---

    def separator(self):
        """Between a header and its body."""
        return self.one(b"", b"\n", b"\r", b" \r\n", b"\t\r\n", b"\r\n\r\n", b"\r\r\n", b"\n\r", b"\x0b\r\n", b"\0\r\n", b"\r\n \r\n", b"--\r\n", b"x\r\n\r\n") if self.odd(0.3) else END

    def entity(self, fields, body):
        return self.header(fields) + self.separator() + body

    def boundary_line(self, word, closing=False):
        tail = b"--" if closing else b""
        if not self.odd(0.35):
            return b"--" + word + tail + END
        return self.one(b"--" + word + tail + b" \r\n", b"--" + word + tail + b"\t \r\n", b"--" + word + tail + b"\n", b"--" + word + tail + b"\r", b"--" + word + tail + b"x\r\n", b"--" + word + tail + b" x\r\n",
                        b" --" + word + tail + END, b"-- " + word + tail + END, b"--" + word + b" " + tail + END, b"--" + word.upper() + tail + END, b"-" + word + tail + END, b"---" + word + tail + END,
                        b"--" + word + tail + b"\r\r\n", b"--" + word + tail, b"--\"" + word + b"\"" + tail + END, b"", b"--" + word + tail + b"--\r\n", b"--" + word + tail + b"\0\r\n", b"--" + word[:70] + tail + END,
                        b"--" + word + tail + b"\x0b\r\n", b"--" + word.strip() + tail + END, b"--" + word.replace(b" ", b"") + tail + END, b">--" + word + tail + END, b"--" + word + tail + b"-\r\n", b"\r--" + word + tail + END,
                        b"--" + word + tail + END + b" \r\n", b"--" + word + tail + b";x\r\n")

    def decoy(self, word):
        return b"--" + word + END + self.one(b"", b"Content-Type: text/plain\r\n") + END + self.one(b"hello", b"hello\r\n--", b"") + END

    def container(self, inner):
        """A multipart around an entity."""
        real, other = self.chance.sample(WORDS[:3] if not self.odd(1.5) else WORDS, 2)
        if self.odd(0.3):
            other = self.one(real + b"x", real + b"-", real[:-1] or b"x", real, real + b" ", real + b"--", real.swapcase())
        parts = self.boundary_line(real) + inner + self.one(END, b"", END, END)
        if self.odd(0.3):
            parts = parts.rstrip(b"\r\n")
        if self.chance.random() < 0.4:
            parts = self.one(self.decoy(real) + parts, parts + self.decoy(real))
        body = parts + (self.boundary_line(real, True) if not self.odd(0.5) else b"")
        if self.odd():
            close = b"--" + real + b"--\r\n"
            body = self.one(self.decoy(other) + body + b"--" + other + b"--\r\n", b"--" + real + b"--\r\n" + body, self.decoy(real) + close + body, body.replace(b"--" + real, b"--" + other, 1),
                            b"preamble\r\n" + inner + END + body, body + self.decoy(real), close + inner, body + END + inner, self.decoy(other) + body, b"--" + other + END + body,
                            b"--" + real + END + body, body.replace(b"--" + real + END, b"--" + real + END + END, 1), b"--" + real + END + self.header([(b"Content-Type", b"multipart/mixed" + self.parameter(b"boundary", other, real))]) + END + b"--" + other + END + inner + END + close,
                            b"--" + real + END + self.header([(b"Content-Type", b"multipart/mixed" + self.parameter(b"boundary", real, other))]) + END + body,
                            body + b"--" + other + b"\r\n\r\n" + self.one(b"x", inner) + END, b"\r\n" * 3 + body, body.replace(END + b"--", b"--"), body.replace(END + b"--", b"\n--"), body.replace(END + b"--", b"\r--"))
        kind = self.one(*[b"multipart/mixed"] * 12, b"multipart/alternative", b"multipart/related", b"multipart/signed", b"multipart/report")
        if self.odd(0.6):
            kind = self.one(b"multipart", b"multipart/", b"multipart/x", b"multipart / mixed", b"MULTIPART/MIXED", b'"multipart/mixed"', b"(c)multipart/mixed", b"multipart/mixed(c)", b"multi(c)part/mixed", b"text/plain", b"message/rfc822", b"application/x",
                            b"", b"multipart/digest", b"multipart/appledouble", b"multipart/parallel", b"multipart/encrypted", b"multipart/form-data", b"multipart-mixed", b"multipart\\mixed", b"multipart/mixed/x", b"=?us-ascii?q?multipart/mixed?=",
                            b"multipart//mixed", b"/mixed", b"mixed", b"multipart/mixed,", b"x/y; multipart/mixed", b"multipart/\r\n mixed", b"text/html", b"multipart/byteranges", b"'multipart/mixed'", b"\x01multipart/mixed", b"multipartx/mixed", b"multipart/mixed\0")
        fields = [(b"Content-Type", kind + self.parameter(b"boundary", real, other))]
        if self.odd(0.5):
            fields.append((b"Content-Transfer-Encoding", self.one(b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable", b"x", b"x-uuencode")))
        elif self.odd(0.3):
            encoding = self.one(b"base64", b"quoted-printable")
            body = self.base64(body) if encoding == b"base64" else self.joined(quopri.encodestring(body.replace(END, b"\n")).split(b"\n"))
            fields.append((b"Content-Transfer-Encoding", self.encoding_value(encoding, "")))
        if self.odd(0.2):
            fields.append((b"Content-Disposition", b"inline" + self.parameter(b"boundary", other, real)))
        return fields, body

    def top(self):
        """The fields of a mail but those of its content."""
        fields = [(b"From", b"a@outside.example"), (b"To", b"user@example.test"), (b"Subject", b"s")]
        if not self.odd(0.3):
            fields.append((b"MIME-Version", self.one(*[b"1.0"] * 8, b"1.0 (x)", b"2.0", b"(x) 1.0", b"1")))
        made = b"".join(name + b": " + value + END for name, value in fields)
        return self.one(b"From me Mon Jan  1 00:00:00 2024\r\n", b">From me Mon Jan  1 00:00:00 2024\r\n", b"\r\n", b" \r\n", b"\xef\xbb\xbf", b"X-Y: z\r\n") + made if self.odd(0.2) else made

    def mail_of(self, fields, body):
        return self.top() + self.entity(fields, body)

    def as_file(self, mail):
        """A mail as a part of another."""
        if self.chance.random() < 0.5:
            kind = self.one(b"message/rfc822", b"message/rfc822", b"message/global", b"message/news", b"message/RFC822; x=y", b"message/partial; id=x; number=1; total=1", b"message/external-body; access-type=local-file", b"message/x", b"message/delivery-status",
                            b"message/feedback-report", b"text/rfc822-headers", b"message", b"message / rfc822")
            return [(b"Content-Type", kind)], mail
        kind = self.one(b"application/octet-stream", b"application/octet-stream; name=x.eml", b"text/plain; name=x.eml", b"message/rfc822", b"application/x; name=x.msg")
        if self.chance.random() < 0.7:
            return [(b"Content-Type", kind), (b"Content-Transfer-Encoding", self.encoding_value(b"base64", ""))], self.base64(mail)
        return [(b"Content-Type", kind), (b"Content-Transfer-Encoding", b"quoted-printable")], self.joined(quopri.encodestring(mail.replace(END, b"\n")).split(b"\n"))

    def spoil(self, mail):
        """What happens to all of the bytes."""
        way = self.one("lf", "some lf", "some cr", "cr", "nul", "cut", "crcr", "blank lines", "8bit", "vt")
        lines = mail.split(END)
        if way == "lf":
            return b"\n".join(lines)
        if way == "cr":
            return b"\r".join(lines)
        if way == "crcr":
            return b"\r\r\n".join(lines)
        if way in ("some lf", "some cr"):
            end = b"\n" if way == "some lf" else b"\r"
            return b"".join(line + (end if self.chance.random() < 0.15 else END) for line in lines)
        if way == "cut":
            return mail[:len(mail) - self.chance.randint(1, 12)]
        if way == "blank lines":
            return END.join(line + (b" " if self.chance.random() < 0.1 else b"") for line in lines)
        return self.sprinkle(mail, {"nul": b"\0", "8bit": b"\xff", "vt": self.one(b"\x0b", b"\x0c")}[way], 1)

    def mail(self, data):
        fields, body = self.leaf(data)
        for _ in range(self.one(0, 1, 1, 1, 1, 2, 2, 3)):
            if self.chance.random() < 0.2:
                fields, body = self.as_file(self.mail_of(fields, body))
            else:
                fields, body = self.container(self.entity(fields, body))
        mail = self.mail_of(fields, body)
        return self.spoil(mail) if self.odd(0.25) else mail


def payload(chance):
    """A file with a mark, one without, or text; no two alike."""
    noise = bytes(chance.randrange(256) for _ in range(chance.choice((60, 90, 200, 1200))))
    text = base64.b32encode(noise[:60])
    return chance.choice((b"PK\x03\x04" + noise + b"\x01", b"PK\x03\x04" + noise + b"\x01", b"\x02" + noise + b"\x01", b"X5O!P%@AP" + text[:70], b"#!/bin/sh\r\necho " + text + b"\r\nexit\r\n#", b"X5O!P%@AP" + text[:70],
                          b"<script>" + text + b"</script>", b"\x02ab\r\ncd\n" + noise.replace(b"\r", b"") + b"\n\n\x01"))


def make(seed, number, data=None):
    """The payload, `data` or one of its own, and the mail."""
    chance = random.Random(f"{seed} {number}")
    data = data or payload(chance)
    maker = Maker(chance, chance.choice((0.04, 0.08, 0.15, 0.3)))
    return data, maker.mail(data)
