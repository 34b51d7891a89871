/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is wrong is said where it is wrong. A row is a configuration and all its errors, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/load.h"

#define CLOUD(block) "listen 127.0.0.1:25 { direction out; from 10.1.2.3 }\nhosted c { " block " }\n"
#define OUT "listen 10.0.0.1:25 { direction out; from 10.0.0.0/8 }\n"

struct error_row {
    const char *content;
    const char *errors; /* one a line, without the file's name; warnings are left out */
};

static const struct error_row rows[] = {
    /* words */
    { "rolle single",
      "1:1: error: unknown word \"rolle\"; allowed: role, hostname, admin, organisation, help, refusal, "
      "state, user, listen, hosted, list, "
      "domains, recipient, node, virus, spam, newsletter, allow, block, senders, greylist, auth, people, "
      "partners, outside, rates, harvest, inside, signups, "
      "limits, queue, "
      "deliver, dns, processes, log, "
      "health, metrics, "
      "drain, "
      "vrrp, report, "
      "learn, alarm, ledger, quarantine, digest, rights; "
      "did "
      "you mean "
      "\"role\"?\n" },
    { "spam { tga above 6 }",
      "1:8: error: unknown word \"tga\" after spam; allowed: mode, tag, quarantine, reject, base, rules, "
      "own, opinion; did you mean \"tag\"?\n" },
    { "spam { tag below 6 }",
      "1:12: error: unknown word \"below\" after spam tag; allowed: above, in, subject\n" },
    { "\"role\" single",
      "1:1: error: unexpected \"role\"; allowed: role, hostname, admin, organisation, help, refusal, state, "
      "user, listen, hosted, list, "
      "domains, recipient, node, virus, spam, newsletter, allow, block, senders, greylist, auth, people, "
      "partners, outside, rates, harvest, inside, signups, "
      "limits, queue, "
      "deliver, dns, processes, log, "
      "health, metrics, "
      "drain, "
      "vrrp, "
      "report, learn, alarm, ledger, quarantine, digest, rights\n" },
    { "role single wall",
      "1:13: error: unknown word \"wall\" after role; allowed: the end of the statement\n" },
    { "role { single }", "1:6: error: a value is missing before \"{\": role; allowed: single, edge, wall\n" },
    { "role",
      "1:5: error: a value is missing before the end of the file: role; allowed: single, edge, wall\n" },
    { "spam\n", "1:5: error: a value is missing before the end of the statement: spam; allowed: mode, tag, "
                "quarantine, reject, base, rules, own, opinion\n" },
    { "role single\nspam { mode on }\nrole single",
      "3:6: error: role is said twice, first at test:1; it stands once\n" },
    { "dns { servers 192.0.2.1; servers 192.0.2.2 }", "" },

    { "alarm hook /bin/true\nalarm hook /bin/false",
      "2:12: error: alarm hook is said twice, first at test:1; it stands once\n" },

    /* replies */
    { "refusal virus english \"\xe7\xaa\x93\"",
      "1:23: error: refusal virus english stands in replies of SMTP: printable ASCII\n" },
    { "refusal size japanese \"\xe7\xaa\x93\"\nrefusal policy english \"\t\"",
      "2:24: error: refusal policy english stands in replies of SMTP: printable ASCII\n" },
    { "help page \"https://x.test/ y\"",
      "1:11: error: help page stands in replies of SMTP: printable ASCII without blanks\n" },

    /* values */
    { "state /var/s\nalarm { hook /bin/true; hook writes /srv /var/s/told /var/so }",
      "2:37: error: alarm hook writes /var/s/told: no hook opens the state folder /var/s\n" },
    { "virus engine clamav update from \"mirror.example.jp\"",
      "1:33: error: update from \"mirror.example.jp\" is no URL: https://NAME and perhaps a path\n" },
    { "virus engine clamav update from \"https://mirror.example.jp/a b\"",
      "1:33: error: update from \"https://mirror.example.jp/a b\" is no URL: https://NAME and perhaps a "
      "path\n" },
    { "virus engine clamav { also folder /srv/a; also command /bin/true }",
      "1:35: error: also folder /srv/a: also command fills a folder of its own; say one of them\n" },
    { "alarm hook writes srv",
      "1:19: error: \"srv\" is not valid here: alarm hook writes; allowed: absolute paths of folders, or "
      "none\n" },
    { "alarm hook true",
      "1:12: error: \"true\" is not valid here: alarm hook; allowed: the absolute path of a program and its "
      "arguments, those in quotes, or none, writes, time; did you mean \"time\"?\n" },
    { "alarm { hook /bin/true \"time\" \"\"; hook time 30s }",
      "1:31: error: \"\" is empty: alarm hook; allowed: the absolute path of a program and its arguments, "
      "those "
      "in quotes, or none, writes, time\n" },
    { "role singel",
      "1:6: error: \"singel\" is not valid here: role; allowed: single, edge, wall; did you mean "
      "\"single\"?\n" },
    { "dns { dnssec onn }",
      "1:14: error: \"onn\" is not valid here: dns dnssec; allowed: on, off; did you mean \"on\"?\n" },
    { "limits message 5T",
      "1:16: error: \"5T\" is too large: limits message; allowed: a size such as 512, 64K, 25M or "
      "1G, from 64K to 2G\n" },
    { "limits message 1K",
      "1:16: error: \"1K\" is too small: limits message; allowed: a size such as 512, 64K, 25M or "
      "1G, from 64K to 2G\n" },
    { "queue expire 5",
      "1:14: error: \"5\" is not valid here: queue expire; allowed: a time such as 500ms, 30s, 5m, "
      "1h or 5d, from 1m to 100d\n" },
    { "health upstream 192.0.2.1",
      "1:17: error: \"192.0.2.1\" is not valid here: health upstream; allowed: ADDRESS:PORT such as "
      "192.0.2.1:53, or none\n" },
    { "drain to host.jp",
      "1:10: error: \"host.jp\" is not valid here: drain to; allowed: ADDRESS or ADDRESS:PORT such as "
      "192.0.2.2:25, or none\n" },
    { "listen 127.0.0.1:25 { direction in; deny fe80::1%eth0 }",
      "1:42: error: \"fe80::1%eth0\" has a zone, which no rule tells apart: deny; allowed: addresses and "
      "networks such as 192.0.2.1 or 2001:db8::/32, or none\n" },
    { "listen 127.0.0.1:25 { direction in; deny ::ffff:192.0.2.1/120 }",
      "1:42: error: \"::ffff:192.0.2.1/120\" has no prefix length that fits its address: deny; allowed: "
      "addresses and networks such as 192.0.2.1 or 2001:db8::/32, or none\n" },
    { "vrrp interface a/b", "1:16: error: \"a/b\" is not valid here: vrrp interface; allowed: a network "
                            "interface such as eth0, or none\n" },
    { "vrrp address 192.0.2.1/33", "1:14: error: \"192.0.2.1/33\" is not valid here: vrrp address; allowed: "
                                   "addresses such as 192.0.2.1/24 or "
                                   "2001:db8::1, or none\n" },
    { "vrrp { address 192.0.2.1/24 }",
      "1:16: error: vrrp address without vrrp interface; say vrrp interface INTERFACE\n" },
    { "vrrp { address 192.0.2.1/24 2001:db8::1/64; interface eth0 }",
      "1:16: error: vrrp address: IPv4 and IPv6 cannot move together\n" },
    { "report { missed spam a@example.jp; missed virus b@example.jp }\ndigest reply A@example.jp",
      "2:14: error: report missed spam and digest reply are one address: A@example.jp\n" },
    { "report { missed phishing a@example.jp; missed virus a@EXAMPLE.jp }",
      "1:53: error: report missed phishing and report missed virus are one address: a@EXAMPLE.jp\n" },
    { "domains a.jp 10.0.0.2\nreport trusted Boss@A.jp boss@b.jp",
      "2:16: error: report trusted: boss@b.jp is of no domain in `domains`: only users inside report\n" },
    { "domains a.jp 10.0.0.2\nreport trusted boss",
      "2:16: error: \"boss\" is not valid here: report trusted; allowed: mail addresses such as "
      "boss@example.jp, or none\n" },
    { "report learn yes",
      "1:14: error: \"yes\" is not valid here: report learn; allowed: off, ask, trusted\n" },
    { "log to /var/log/sekimori",
      "1:8: error: \"/var/log/sekimori\" is a file, which `sekimori start --log FILE` names (with `log to "
      "stderr`): log to; allowed: stderr, journal, syslog, at\n" },
    { "vrrp advertise 105ms", "1:16: error: vrrp advertise goes in steps of 10ms\n" },
    { "hostname \"\"", "1:10: error: \"\" is empty: hostname; allowed: a host name such as mx.example.jp\n" },
    { "admin nobody", "1:7: error: \"nobody\" is not valid here: admin; allowed: a mail address such as "
                      "postmaster@example.jp\n" },
    { "deliver source 2001:db8::1",
      "1:16: error: \"2001:db8::1\" is of the other family: deliver source; allowed: an "
      "IPv4 address such as 192.0.2.1, or any\n" },
    { "deliver port 65536",
      "1:14: error: \"65536\" is too large: deliver port; allowed: a whole number, from 1 to "
      "65535\n" },
    { "spam tag above 1001",
      "1:16: error: \"1001\" is too large: spam tag above; allowed: points such as 6.8, or "
      "never, from 0 to 1000\n" },

    /* lexer */
    { "admin \"a", "1:7: error: a quote without its end on this line\n" },
    { "spam tag subject \"a\\q\"", "1:18: error: an unknown escape; known are \\\" \\\\ \\t\n" },
    { "role sin\"gle\"", "1:6: error: a quote inside a word; quote the whole word\n" },
    { "role \x01", "1:6: error: a control character or a byte that is not UTF-8\n" },
    { "# \xE9\x96\xA2\xE5\xAE\x88 \x80", "1:6: error: a control character or a byte that is not UTF-8\n" },
    { "role single\rhostname a.jp", "1:6: error: a control character or a byte that is not UTF-8\n" },

    { "spam { tag subject \"[SPAM] ; }; role x",
      "1:20: error: a quote without its end on this line\n"
      "1:38: error: \"x\" is not valid here: role; allowed: single, edge, wall\n" },
    { "spam { tag subject \"[SPAM] }\nrole x",
      "1:20: error: a quote without its end on this line\n"
      "2:6: error: \"x\" is not valid here: role; allowed: single, edge, wall\n" },

    /* characters that are only like ASCII */
    { "spam \xEF\xBD\x9B mode on }",
      "1:6: error: a full-width \"\xEF\xBD\x9B\" (U+FF5B) stands where an ASCII \"{\" belongs\n" },
    { "spam { mode on \xEF\xBD\x9D",
      "1:16: error: a full-width \"\xEF\xBD\x9D\" (U+FF5D) stands where an ASCII \"}\" belongs\n" },
    { "role wall\xEF\xBC\x9Bhostname a.jp",
      "1:10: error: a full-width \"\xEF\xBC\x9B\" (U+FF1B) stands where an ASCII \";\" belongs\n" },
    { "role\xE3\x80\x80\xE3\x80\x80wall",
      "1:5: error: a full-width blank \"\xE3\x80\x80\" (U+3000) stands where an ASCII blank belongs\n" },
    { "spam tag above \xEF\xBC\x96.8",
      "1:16: error: a full-width \"\xEF\xBC\x96\" (U+FF16) stands where an ASCII \"6\" belongs\n" },
    { "\xEF\xBD\x92ole wall",
      "1:1: error: a full-width \"\xEF\xBD\x92\" (U+FF52) stands where an ASCII \"r\" belongs\n" },
    { "spam tag subject \xE3\x80\x8C\xE8\xBF\xB7\xE3\x80\x8D",
      "1:18: error: a full-width \"\xE3\x80\x8C\" (U+300C) stands where an ASCII \" belongs\n" },
    { "spam tag subject \"\xE8\xBF\xB7\xE2\x80\x9D\nrole wall",
      "1:20: error: a typographic \"\xE2\x80\x9D\" (U+201D) stands where an ASCII \" belongs\n" },
    { "\xEF\xBC\x83 comment\nrole wall",
      "1:1: error: a full-width \"\xEF\xBC\x83\" (U+FF03) stands where an ASCII \"#\" belongs\n" },
    { "role\xC2\xA0wall",
      "1:5: error: a no-break blank \"\xC2\xA0\" (U+00A0) stands where an ASCII blank belongs\n" },
    { "role w\xE2\x80\x8B"
      "all",
      "1:7: error: an invisible character (U+200B) stands here; delete it\n" },
    { "spam tag subject \"\xEF\xBD\x9B\xE3\x80\x80\" # \xEF\xBC\x9B", "" },

    /* files that are not UTF-8 */
    { "# caf\xE9\nrole wall",
      "1:6: error: the file is not UTF-8; it looks like ISO-8859-1 or Windows-1252: iconv -f WINDOWS-1252 -t "
      "UTF-8 converts it\n" },
    { "role wall\n# \x8A\xD6\x8E\xE7\nrolle x",
      "2:3: error: the file is not UTF-8; it looks like Shift_JIS: iconv -f CP932 -t UTF-8 converts it\n" },
    { "# \x82\xB1\x82\xEA\nrolle x",
      "1:3: error: the file is not UTF-8; it looks like Shift_JIS: iconv -f CP932 -t UTF-8 converts it\n" },
    { "# \xB4\xD8\xBC\xE9\nrolle x",
      "1:3: error: the file is not UTF-8; it looks like EUC-JP: iconv -f EUC-JP -t UTF-8 converts it\n" },
    { "# \xA4\xB3\xA4\xEC\nrolle x",
      "1:3: error: the file is not UTF-8; it looks like EUC-JP: iconv -f EUC-JP -t UTF-8 converts it\n" },
    { "# \x1B$B4X<i\x1B(B\nrolle x",
      "1:3: error: the file is not UTF-8; it looks like ISO-2022-JP: iconv -f ISO-2022-JP -t UTF-8 converts "
      "it\n" },

    /* blocks: a brace that is missing or one too many is one error, where it is wrong */
    { "spam { mode on", "1:6: error: this block has no }\n" },
    { "listen 0.0.0.0:25 { direction in\n\ndomains { a.jp 10.0.0.2 }\nspam { mode on }",
      "1:19: error: this block has no }; one is missing before \"domains\" in line 3\n" },
    { "spam {\n  mode on\nvirus { mode on }\nqueue {\n  expire 5d\n}",
      "1:6: error: this block has no }; one is missing before \"virus\" in line 3\n" },
    { "virus {\n  engine clamav {\n    update every 1h\n}\nspam { mode on }",
      "2:17: error: this block has no }; one is missing before \"}\" in line 4\n" },
    { "domains {\n  a.jp 10.0.0.2 {\n    tls offered\n  b.jp 10.0.0.3\n}\nspam { mode on }",
      "2:17: error: this block has no }; one is missing before \"b.jp\" in line 4\n" },
    { "domains {\n  a.jp 10.0.0.2\nhostname a.jp\nadmin b@a.jp",
      "1:9: error: this block has no }; one is missing before \"hostname\" in line 3\n" },
    { "health {\n  queue age 1h\ndns { timeout 2s }",
      "1:8: error: this block has no }; one is missing before \"dns\" in line 3\n" },
    { "spam { mode on\nvirus { mode on\nrole wall",
      "1:6: error: this block has no }; one is missing before \"virus\" in line 2\n"
      "2:7: error: this block has no }; one is missing before \"role\" in line 3\n" },
    { "virus\n  mode on\n  found reject\n}\nspam { mode on }",
      "1:6: error: a { is missing here: \"mode\" in line 2 belongs into a block\n" },
    { "virus mode on; found reject }\nspam { mode on }",
      "1:7: error: a { is missing here: \"found\" in line 1 belongs into a block\n" },
    { "listen 0.0.0.0:25\n  direction in\n}",
      "1:18: error: a { is missing here: \"direction\" in line 2 belongs into a block\n" },
    { "listen 0.0.0.0:25 direction in }",
      "1:19: error: a { is missing here: \"direction\" in line 1 belongs into a block\n" },
    { "domains\n  a.jp 10.0.0.2\n}\nrole wall",
      "1:8: error: a { is missing here: \"a.jp\" in line 2 belongs into a block\n" },
    { "domains {\n  a.jp 10.0.0.2\n    tls offered\n  }\n}",
      "2:16: error: a { is missing here: \"tls\" in line 3 belongs into a block\n" },
    { "domains { a.jp 10.0.0.2 tls offered } }",
      "1:25: error: a { is missing here: \"tls\" in line 1 belongs into a block\n" },
    { "spam {\n  mode on }\n  tag above 5\n}",
      "2:11: error: this } is one too many: \"tag\" in line 3 belongs into the block that it closes\n" },
    { "spam { { mode on }", "1:8: error: this { opens nothing\n" },
    { "role single }\nrolle x",
      "1:13: error: a } without its {\n2:1: error: unknown word \"rolle\"; allowed: role, "
      "hostname, admin, organisation, help, refusal, state, user, listen, hosted, list, domains, recipient, "
      "node, "
      "virus, "
      "spam, newsletter, allow, block, senders, greylist, auth, people, partners, outside, rates, harvest, inside, signups, "
      "limits, queue, deliver, "
      "dns, processes, log, health, metrics, drain, vrrp, report, learn, alarm, ledger, quarantine, digest, "
      "rights; "
      "did you "
      "mean "
      "\"role\"?\n" },
    { "spam { mode on } role wall",
      "1:18: error: \"role\" where the statement should end; allowed: a new line, ; or }\n" },
    { "foo { a { b }; c }; rolle",
      "1:1: error: unknown word \"foo\"; allowed: role, hostname, admin, organisation, help, refusal, state, "
      "user, "
      "listen, hosted, list, domains, recipient, node, virus, spam, newsletter, allow, block, senders, "
      "greylist, auth, people, "
      "partners, "
      "outside, rates, harvest, inside, signups, "
      "limits, queue, deliver, dns, "
      "processes, log, "
      "health, metrics, drain, vrrp, report, learn, alarm, ledger, quarantine, digest, rights\n1:21: error: "
      "unknown "
      "word "
      "\"rolle\"; "
      "allowed: role, "
      "hostname, admin, organisation, help, refusal, "
      "state, user, listen, hosted, list, domains, recipient, node, virus, spam, newsletter, allow, block, "
      "senders, greylist, auth, people, "
      "partners, outside, rates, harvest, inside, signups, limits, queue, "
      "deliver, dns, "
      "processes, log, health, metrics, drain, vrrp, report, learn, alarm, ledger, quarantine, digest, "
      "rights; did "
      "you mean "
      "\"role\"?\n" },
    { "virus { engine clamv { update every 1h } }",
      "1:16: error: unknown word \"clamv\" after virus engine; allowed: clamav; did you mean \"clamav\"?\n" },

    /* kinds of files that are not opened */
    { "virus { not-opened quarantine { kinds { accept squashfs zip; reject disk-images } } }", "" },
    { "virus not-opened kinds accept squashf",
      "1:31: error: \"squashf\" is not valid here: virus not-opened kinds accept; allowed: zip, 7z, rar, "
      "gzip, "
      "bzip2, xz, lzma, zstd, lz4, lzop, lzip, compress, tar, ar, cpio, rpm, cab, lha, cms, pgp, iso9660, "
      "fat-image, ntfs-image, ext-image, vhd, vhdx, vmdk, qcow2, vdi, squashfs, cramfs, romfs, wim, kwaj, "
      "ace, "
      "zoo, stuffit, lrzip, rzip, zpaq, snappy, bzip3, freearc, disk-images, file-systems, rare-archives, or "
      "none; did you mean \"squashfs\"?\n" },
    { "virus not-opened kinds acept zip",
      "1:24: error: unknown word \"acept\" after virus not-opened kinds; allowed: accept, warn, quarantine, "
      "reject, defer; did you mean \"accept\"?\n" },
    { "virus { not-opened kinds { accept zip vhd\n reject none\n warn vhd } }",
      "3:7: error: vhd has two actions, one of them in virus not-opened kinds warn\n" },
    { "virus { outbound not-opened kinds { accept zip; defer zip } }",
      "1:55: error: zip has two actions, one of them in virus outbound not-opened kinds defer\n" },
    { "virus { not-opened kinds { accept zip vhd } }\nvirus not-opened kinds accept lha", "" },

    /* engines outside */
    { "virus { engine x clamdd unix:/a }", "1:18: error: \"clamdd\" is no kind of engine; allowed: clamd, "
                                           "icap, command; did you mean \"clamd\"?\n" },
    { "virus engine x",
      "1:15: error: the kind of the engine is missing behind its name; allowed: clamd, icap, command\n" },
    { "virus engine x clamd",
      "1:21: error: the end of the file where its place should stand; allowed: unix:/PATH of its socket, "
      "ADDRESS:PORT or localhost:PORT\n" },
    { "virus { engine x clamd unix:clamd }",
      "1:24: error: \"unix:clamd\" is not where such an engine is; allowed: unix:/PATH of its socket, "
      "ADDRESS:PORT or localhost:PORT\n" },
    { "virus { engine x clamd localhost }",
      "1:24: error: \"localhost\" is not where such an engine is; allowed: unix:/PATH of its socket, "
      "ADDRESS:PORT or localhost:PORT\n" },
    { "virus { engine x icap 192.0.2.1:1344 }",
      "1:23: error: \"192.0.2.1:1344\" is not where such an engine is; allowed: "
      "icap://ADDRESS:PORT/SERVICE, such as icap://192.0.2.9:1344/avscan\n" },
    { "virus { engine x icap icap://192.0.2.1/ }",
      "1:23: error: \"icap://192.0.2.1/\" is not where such an engine is; allowed: "
      "icap://ADDRESS:PORT/SERVICE, such as icap://192.0.2.9:1344/avscan\n" },
    { "virus { engine a/b clamd unix:/a }", "1:16: error: \"a/b\" is not a name of letters, digits and "
                                            "hyphens: virus engine; allowed: a name for an "
                                            "engine, clamd, icap or command, and where it is, clamav\n" },
    { "virus { engine x clamd unix:/a { siz most 3M } }",
      "1:34: error: unknown word \"siz\"; allowed: size, time, direction, unavailable, connections, "
      "failures, "
      "pause, clean, found, name, reads; did you mean \"size\"?\n" },
    { "virus { engine x clamd unix:/a  size most 3M } }",
      "1:33: error: a { is missing here: \"size\" in line 1 belongs into a block\n" },
    { "virus { engine x clamd unix:/a; engine x clamd unix:/b }",
      "1:40: error: there are two engines by the name x\n" },
    { "virus engine x clamd unix:/a { time most 60s }",
      "1:42: error: engine x: time most must be less than limits time verdict\n" },
    { "virus engine x command \"scanner --stdin\"",
      "1:24: error: \"scanner --stdin\" is not where such an engine is; allowed: a program's absolute path "
      "and "
      "its arguments, in quotes: \"/usr/local/bin/scanner --stdin\"\n" },
    { "virus engine x command /usr/bin/a { found 1 256 }",
      "1:45: error: \"256\" is not valid here: found; allowed: exit statuses from 0 to 255, or none\n" },
    { "virus engine x command /usr/bin/a { clean 0 1 }",
      "1:14: error: engine x: exit status 1 is among clean, too\n" },
    { "virus engine x command /usr/bin/a { name \"FOUND (.+\" }",
      "1:42: error: engine x: name is not a pattern that can be used: Unmatched ( or \\(\n" },
    { "virus engine x command /usr/bin/a { name \"(.+) \\\\1\" }",
      "1:42: error: engine x: name is not a pattern that can be used: it refers back to a group\n" },
    { "virus engine x command /usr/bin/a { reads /var/lib }\nstate /var/lib/sekimori",
      "1:43: error: engine x: a command reads /var/lib, where the state folder or a private key lies\n" },
    { "virus engine x command /srv/s/run/a\nstate /srv/s",
      "1:14: error: engine x: a command reads /srv/s/run, where the state folder or a private key lies\n" },
    { "virus engine x clamd unix:/a { found 1; reads /usr }",
      "1:38: error: engine x: found is for a command, and this is clamd\n"
      "1:47: error: engine x: reads is for a command, and this is clamd\n" },

    /* second opinions */
    { "spam opinion", "1:13: error: the kind of the second opinion is missing; allowed: spamd, rspamd\n" },
    { "spam { opinion spamc localhost:783 }", "1:16: error: \"spamc\" is no kind of second opinion; allowed: "
                                              "spamd, rspamd; did you mean \"spamd\"?\n" },
    { "spam opinion clamd unix:/a", "1:14: error: \"clamd\" is no kind of second opinion; allowed: spamd, "
                                    "rspamd; did you mean \"spamd\"?\n" },
    { "virus engine x spamd unix:/a", "1:16: error: \"spamd\" is no kind of engine; allowed: clamd, icap, "
                                      "command; did you mean \"clamd\"?\n" },
    { "spam { opinion rspamd http://127.0.0.1:11333 }",
      "1:23: error: \"http://127.0.0.1:11333\" is not where such an engine is; allowed: unix:/PATH of its "
      "socket, "
      "ADDRESS:PORT or localhost:PORT\n" },
    { "spam { opinion spamd unix:/a { unavailable unscanned } }",
      "1:44: error: \"unscanned\" is not valid here: unavailable; allowed: accept, defer\n" },
    { "spam { opinion spamd unix:/a; opinion spamd unix:/b }",
      "1:39: error: there are two opinions of spamd\n" },
    { "virus engine spamd clamd unix:/a; spam opinion spamd unix:/b",
      "1:48: error: there are two engines by the name spamd\n" },
    { "spam opinion spamd unix:/a { time most 60s }",
      "1:40: error: opinion spamd: time most must be less than limits time verdict\n" },
    { "spam opinion spamd unix:/a { weight never }", "1:37: error: opinion spamd: weight is a number\n" },
    { "spam opinion spamd unix:/a { points most never }",
      "1:42: error: opinion spamd: points most is a number\n" },
    { "spam opinion spamd unix:/a { settings inbound }",
      "1:39: error: opinion spamd: settings is for rspamd\n" },
    { "spam opinion spamd unix:/a { user \"a b\" }",
      "1:35: error: opinion spamd: user has to be a word of ASCII without blanks\n" },
    { "spam { opinion spamd unix:/a  weight 1 } }",
      "1:31: error: a { is missing here: \"weight\" in line 1 belongs into a block\n" },

    { "foo { { { { { { { { { role x }",
      "1:1: error: unknown word \"foo\"; allowed: role, hostname, admin, organisation, help, refusal, state, "
      "user, listen, hosted, list, domains, recipient, node, virus, spam, newsletter, allow, block, senders, "
      "greylist, auth, "
      "people, "
      "partners, "
      "outside, rates, harvest, inside, signups, limits, queue, "
      "deliver, dns, processes, "
      "log, health, metrics, drain, vrrp, report, learn, alarm, ledger, quarantine, digest, rights\n1:7: "
      "error: "
      "this { opens "
      "nothing\n" },

    /* listeners */
    { "listen 0.0.0.0 {}",
      "1:8: error: \"0.0.0.0\" is not an address and port: listen; allowed: ADDRESS:PORT such as "
      "0.0.0.0:25 or [::]:25\n" },
    { "listen",
      "1:7: error: a value is missing before the end of the file: listen; allowed: ADDRESS:PORT such as "
      "0.0.0.0:25 or [::]:25\n" },
    { "listen 0.0.0.0:25 { direction out }", "1:31: error: direction out without from would relay for "
                                             "everybody; say who may connect: from NETWORK…\n" },
    { "listen 0.0.0.0:25 { direction out; frm 10.0.0.0/8 }",
      "1:36: error: unknown word \"frm\"; allowed: direction, from, deny, proxy, xclient, repair, tls, "
      "strict, complete, senders, check, relay; "
      "did you mean \"from\"?\n" },
    { "listen 127.0.0.1:25 { direction out }", "" },
    { "listen 127.0.0.1:25 { senders *.jp }",
      "1:31: error: \"*.jp\" is not valid here: senders; allowed: domains such as partner.example, or "
      ".partner.example for all below it, any, or ours\n" },
    { "listen 0.0.0.0:25 { from 10.0.0.1/8 }", "1:26: error: \"10.0.0.1/8\" has no prefix length that fits "
                                               "its address: from; allowed: addresses and networks "
                                               "such as 192.0.2.1 or 2001:db8::/32, or any\n" },
    { "listen 0.0.0.0:25 { from 10.0.0.0/8 any }",
      "1:37: error: \"any\" stands alone: from; allowed: addresses and networks such as 192.0.2.1 or "
      "2001:db8::/32, "
      "or any\n" },
    { "listen 0.0.0.0:25\nlisten 0.0.0.0:25", "2:8: error: this address and port stood before, at test:1\n" },
    { "listen 0.0.0.0:25\nlisten 192.0.2.1:25",
      "2:8: error: listen 192.0.2.1:25 overlaps with listen 0.0.0.0:25 at test:1: only one of them can be "
      "bound\n" },
    { "listen [2001:db8::1]:25\nlisten [::]:25",
      "2:8: error: listen [::]:25 overlaps with listen [2001:db8::1]:25 at test:1: only one of them can be "
      "bound\n" },
    { "listen 0.0.0.0:25; listen [::]:25; listen 0.0.0.0:587; listen [2001:db8::1]:587", "" },
    { "listen 192.0.2.1:25; listen 192.0.2.2:25; listen 127.0.0.1:25", "" },
    { "listen 0.0.0.0:25 { tls required }",
      "1:25: error: tls required without a certificate; say tls certificate FILE\n" },
    /* clouds that others use too */
    { CLOUD("networks 10.9.0.0/16; certificate c.test; tenant a.test"), "" },
    { CLOUD("networks 10.9.0.0/16"), "" },
    { "hosted",
      "1:7: error: a value is missing before the end of the file: hosted; allowed: a name for it such as "
      "microsoft\n" },
    { "list a_b { networks /l }", "1:6: error: \"a_b\" is not a name of letters, digits and hyphens, 40 at "
                                  "most: list; allowed: a name for "
                                  "it such as spamhaus-zen or bad-networks\n" },
    { "list spamhouse",
      "1:6: error: list spamhouse: no well-known list has this name; say networks, names, hashes or zone\n" },
    { "list spamhaus-zrd",
      "1:6: error: list spamhaus-zrd: its owner answers only with a key; say key FILE\n" },
    { "list own { networks /l; zone l.test }",
      "1:6: error: list own: it is one of networks, names, hashes and zone\n" },
    { "list own { hashes /l; about hash link }", "1:29: error: list own: such a file never has a link\n" },
    { "list own { names https://user@a.test/l }", "1:6: error: list own: https://user@a.test/l is no "
                                                  "https:// address of a file: no other scheme, user or "
                                                  "fragment\n" },
    { "list own { names http://a.test/l }", "1:6: error: list own: http://a.test/l is no https:// address of "
                                            "a file: no other scheme, user or fragment\n" },
    { "list own { zone l.test; about hash; digest md5 }",
      "1:31: error: list own: files are known by their SHA-256 alone\n" },
    { "list own { zone l.test; about client address }",
      "1:31: error: list own: a zone has hashes, or names and addresses, and not both\n" },
    { "list spamcop; list spamcop", "1:20: error: there are two lists by the name spamcop\n" },
    { "list own { networks /l; points never }", "1:32: error: list own: points are a number\n" },
    { "hosted a/b { networks 10.0.0.1 }",
      "1:8: error: \"a/b\" is not a name of letters, digits and hyphens: hosted; "
      "allowed: a name for it such as microsoft\n" },
    { CLOUD("signatures on"), "2:8: error: hosted c without networks: say which the cloud sends from\n" },
    { CLOUD("networks 10.9.0.0/16; certificate c.test"),
      "2:46: error: certificate without tenant would take mail of all customers of c for ours; say tenant "
      "ID\n" },
    { CLOUD("networks 10.9.0.0/16; tenant a.test"), "2:41: error: tenant without certificate proves nothing, "
                                                    "since anybody may write the field; say certificate "
                                                    "NAME\n" },
    { CLOUD("networks 10.9.0.0/16; signatures off"), "2:45: error: nothing can prove that mail of c is ours: "
                                                     "say certificate and tenant, or signatures on\n" },
    { CLOUD("networks 10.1.0.0/16"), "1:43: error: direction out from networks of hosted c would relay for "
                                     "all of its customers; take them out of "
                                     "from, and let the cloud use direction in\n" },
    { CLOUD("networks 0.0.0.0/0"), "1:43: error: direction out from networks of hosted c would relay for all "
                                   "of its customers; take them out of "
                                   "from, and let the cloud use direction in\n" },
    { CLOUD("networks 10.9.0.0/16") "hosted d { networks 10.9.9.9 }\n",
      "3:21: error: hosted c and hosted d have networks in common\n" },
    { CLOUD("networks 10.9.0.0/16; field X_1; tenants x"),
      "2:45: error: unknown word \"tenants\"; allowed: networks, certificate, authorities, tenant, field, "
      "signatures; "
      "did you mean \"tenant\"?\n" },
    { "hosted c networks 10.9.0.0/16 }",
      "1:10: error: a { is missing here: \"networks\" in line 1 belongs into a "
      "block\n" },
    { "listen 0.0.0.0:25 { tls key /k }", "1:29: error: tls key without tls certificate\n" },
    { "listen 0.0.0.0:25 { tls node }",
      "1:25: error: tls node without node { certificate FILE; key FILE; ca FILE }\n" },
    { "listen 0.0.0.0:25 { tls node certificate /c }",
      "1:25: error: tls node without node { certificate FILE; key FILE; ca FILE }\n" },
    { "domains a.jp 10.0.0.1 { tls node }",
      "1:29: error: tls node without node { certificate FILE; key FILE; ca FILE }\n" },
    { "ledger { send to 192.0.2.1:2601 }\n",
      "1:18: error: ledger send to without node { certificate FILE; key FILE; ca FILE }\n"
      "1:18: error: ledger send to without node { number N }, another one for each node\n" },
    { "node { number 2 }\nledger { listen 192.0.2.1:2601 }\n",
      "2:17: error: ledger listen without node { certificate FILE; key FILE; ca FILE }\n" },
    { "node { number 2; trust wall2 }\n",
      "1:24: error: node trust without ledger listen: no node tells this one anything\n" },
    { "node { number 256 }\n",
      "1:15: error: \"256\" is too large: node number; allowed: a whole number, from 0 to 255\n" },
    { "ledger { listen 192.0.2.1 }\n",
      "1:17: error: \"192.0.2.1\" is not valid here: ledger listen; allowed: ADDRESS:PORT such as "
      "192.0.2.1:514, or none\n" },
    { "metrics { listen 127.0.0.1:9464; socket none }\n", "" },
    { "metrics listen [::1]:9464\n", "" },
    { "metrics listen 0.0.0.0:9464\n",
      "1:16: error: metrics listen: it is read without a password, so it is for addresses of this machine "
      "alone, such as 127.0.0.1 or [::1]; for others put a web server with access rules before it\n" },
    { "metrics listen 9464\n",
      "1:16: error: \"9464\" is not valid here: metrics listen; allowed: ADDRESS:PORT such as "
      "192.0.2.1:514, or none\n" },
    { "listen 127.0.0.1:9464; metrics listen 127.0.0.1:9464\n",
      "1:39: error: metrics listen 127.0.0.1:9464 overlaps with listen 127.0.0.1:9464 at test:1: only one "
      "of "
      "them can be bound\n" },
    { "node { certificate /c; ca /a }",
      "1:20: error: node key is missing: node has certificate, key and ca, or none\n" },
    { "node ca /a", "1:9: error: node key is missing: node has certificate, key and ca, or none\n" },
    { "node { certificate /c; key /k; ca /a }; listen 0.0.0.0:25 { tls node }; domains a.jp 10.0.0.1 { tls "
      "node }",
      "" },

    /* domains */
    { "domains { a.jp }",
      "1:16: error: \"}\" where the servers of the domain should stand; allowed: an address or host "
      "name, with :PORT where it is not the usual one, or mx; options stand in braces\n" },
    { "domains { a.jp 10.1.0.256 { tls verfied } }\nrole x",
      "1:16: error: \"10.1.0.256\" is not a server; allowed: an address or host name, with :PORT where it is "
      "not the "
      "usual one, or mx; options stand in braces\n"
      "2:6: error: \"x\" is not valid here: role; allowed: single, edge, wall\n" },
    { "domains { a.jp mail.a.jp:0 }",
      "1:16: error: \"mail.a.jp:0\" is not a server; allowed: an address or host name, "
      "with :PORT where it is not the usual one, or mx; options stand in braces\n" },
    { "domains { a.jp 10.0.0.1 { virus observ } }",
      "1:33: error: \"observ\" is not valid here: virus; allowed: on, observe, off; did you mean "
      "\"observe\"?\n" },
    { "domains { tls verified }",
      "1:11: error: \"tls\" is an option of one domain; it stands in braces behind its servers\n" },
    { "domains { \xE6\x97\xA5.jp 10.0.0.1 }",
      "1:11: error: \"\xE6\x97\xA5.jp\" is not in ASCII; write the xn-- form of the domain\n" },
    { "domains { a..jp 10.0.0.1 }", "1:11: error: \"a..jp\" is not a domain, .parent or *\n" },
    { "domains { a.jp 10.0.0.1; b.jp 10.0.0.2\nA.JP 10.0.0.3 }",
      "2:1: error: a.jp stood before, at test:1\n" },
    { "domains { a.jp 10.0.0.1 { recipients any; recipients table /t } }",
      "1:38: error: recipients is said both with and without a table\n" },
    { "domains { * mx { recipients call-out } }",
      "1:29: error: recipients of * cannot be checked: it is the way out to the world\n" },
    { "domains a.jp",
      "1:13: error: the end of the file where the servers of the domain should stand; allowed: an address "
      "or host name, with :PORT where it is not the usual one, or mx; options stand in braces\n" },

    /* loops */
    { OUT "domains { a.jp 10.0.0.1 }",
      "2:11: error: mail for a.jp would come back to our own listener: a loop\n" },
    { OUT "domains { a.jp 10.0.0.1:2525 }", "" },
    { "listen 0.0.0.0:25\ndomains { a.jp 127.0.0.1 }",
      "2:11: error: mail for a.jp would come back to our own listener: a loop\n" },
    { "listen 0.0.0.0:2525\ndomains { a.jp 127.0.0.1 }", "" },
    { "hostname mx.a.jp; listen 0.0.0.0:25\ndomains { a.jp MX.a.jp }",
      "2:11: error: mail for a.jp would come back to our own listener: a loop\n" },
    { "listen 0.0.0.0:25\ndomains { a.jp mx }", "" },

    /* orders */
    { "spam tag above 30",
      "1:16: error: the points for spam must not fall from tag (30) to quarantine (12) to reject "
      "(20)\n" },
    { "spam { tag above never; quarantine above never; reject above never }", "" },
    { "spam tag above never", "" },
    { "spam { quarantine above never; reject above 5 }",
      "1:45: error: the points for spam must not fall from tag (6.8) to quarantine (inf) to reject (5)\n" },
    { "domains a.jp 10.0.0.1 { spam { tag above 13 } }",
      "1:42: error: the points for spam must not fall from tag (13) to quarantine (12) to reject (20)\n" },
    { "domains a.jp 10.0.0.1 { spam { quarantine above 15 } }\nrecipient x@a.jp { spam tag above 14 }", "" },
    { "domains a.jp 10.0.0.1\nrecipient x@a.jp { spam { reject above 9 } }",
      "2:40: error: the points for spam must not fall from tag (6.8) to quarantine (12) to reject (9)\n" },

    /* recipients */
    { "recipient a.jp { spam off }",
      "1:11: error: \"a.jp\" is not a mail address: recipient; allowed: a mail address such as "
      "info@example.jp\n" },
    { "domains a.jp 10.0.0.1\nrecipient x@a.jp { virus off }",
      "2:20: error: unknown word \"virus\"; allowed: spam\n" },
    { "domains a.jp 10.0.0.1\nrecipient x@b.jp { spam off }",
      "2:25: error: recipient x@b.jp is of no domain of ours\n" },
    { "domains a.jp 10.0.0.1\nrecipient x@a.jp { spam off }\nrecipient X@A.jp { spam tag in subject }",
      "3:11: error: recipient x@a.jp is said twice; it stands once\n" },
    { "limits { connections 10 }",
      "1:22: error: limits connections per client (50) is above limits connections (10)\n" },
    { "queue { retry first 2h }", "1:21: error: queue retry first (2h) is above queue retry most (1h)\n" },
};

static struct text lines_of(const struct problem_list *problems, struct buffer *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        struct buffer line = { 0 };
        if (problems->items[i].is_warning) continue;
        problem_print(&problems->items[i], &line);
        assert_true(text_starts(buffer_text(&line), TEXT("test:")));
        buffer_add_text(out, text_slice(buffer_text(&line), 5, SIZE_MAX));
        buffer_add_char(out, '\n');
        buffer_free(&line);
    }
    return buffer_text(out);
}

static void errors(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct problem_list problems;
        struct buffer found = { 0 };
        problem_list_start(&problems);
        struct config *config = config_load_text(text_of(rows[i].content), "test", false, &problems);
        struct text lines = lines_of(&problems, &found);
        assert_int_equal(config == NULL, *rows[i].errors != '\0');
        if (!text_equal(lines, text_of(rows[i].errors)))
            fail_msg("%s\nfound:\n%.*swanted:\n%s", rows[i].content, TEXT_ARG(lines), rows[i].errors);
        config_free(config);
        buffer_free(&found);
        problem_list_free(&problems);
    }
}

static void warnings(void **state)
{
    static const struct {
        const char *content, *wanted;
    } cases[] = {
        { "hostname a.jp; domains { a.jp 10.0.0.1 }", "no listen statement: nothing takes mail" },
        { "hostname a.jp; listen 0.0.0.0:25", "no domains: every message from the world is refused" },
        { "hostname a.jp; domains { a.jp 10.0.0.2 }; listen 10.0.0.1:25; digest reply r@a.jp",
          "digest reply without a listener of direction out: nobody can write to it" },
        { "hostname a.jp; domains { a.jp 10.0.0.2 }; listen 10.0.0.1:25 { senders b.jp }",
          "senders counts with direction out alone: here nobody looks at it" },
        { "hostname a.jp; domains { a.jp 10.0.0.2 }; listen 10.0.0.1:25; senders remember off; greylist mode "
          "on",
          "with `senders remember off` nothing is greylisted" },
        { "hostname a.jp; listen 10.0.0.1:25 { direction out; from 0.0.0.0/0 }",
          "direction out from everybody relays for the whole world" },
        { "hostname a.jp; domains { a.jp 10.0.0.2 }; listen 10.0.0.1:25; hosted c { networks 10.1.0.1; "
          "certificate c.jp; tenant x }",
          "hosted c: no listener of direction in offers STARTTLS, so no client certificate is ever shown" },
        { "hostname a.jp; domains { a.jp 10.0.0.2 }; listen 10.0.0.1:25; hosted c { networks 10.1.0.0/24 }; "
          "auth "
          "trust networks 10.1.0.7",
          "auth trust networks has some of hosted c: what any of its customers forges is let pass" },
        { "role edge; hostname a.jp; domains { a.jp 10.0.0.2 }; listen 10.0.0.1:25; hosted c { networks "
          "10.1.0.0/24 }",
          "role edge with hosted: an edge judges nothing; let the cloud send to a listener of a wall" },
        { "hostname a.jp; domains { a.jp 10.0.0.2 }; listen 10.0.0.1:25 { xclient ::/0 }",
          "xclient from everybody lets any client claim any address" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem_list problems;
        problem_list_start(&problems);
        struct config *config = config_load_text(text_of(cases[i].content), "test", false, &problems);
        assert_non_null(config);
        assert_int_equal(problems.warnings, 1);
        assert_true(text_equal(problems.items[0].message, text_of(cases[i].wanted)));
        config_free(config);
        problem_list_free(&problems);
    }
}

/* The line of the file, and a caret under the column: wide characters take two columns, a tab one. */
static void carets(void **state)
{
    static const struct {
        const char *content, *wanted;
    } cases[] = {
        { "hostname a.jp\n\tspam { tga above 6 } # x\n", "    2 |  spam { tga above 6 } # x\n"
                                                         "      |         ^\n" },
        { "spam { tag subject \"\xE8\xBF\xB7\xE6\x83\x91\"; tga above 6 }",
          "    1 | spam { tag subject \"\xE8\xBF\xB7\xE6\x83\x91\"; tga above 6 }\n"
          "      |                            ^\n" },
        { "\xEF\xBB\xBFrolle wall", "    1 | rolle wall\n      | ^\n" },
        { "role\r\n", "    1 | role\n      |     ^\n" },
        { "role \x01", "    1 | role \xEF\xBF\xBD\n      |      ^\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem_list problems;
        struct buffer shown = { 0 };
        problem_list_start(&problems);
        config_free(config_load_text(text_of(cases[i].content), "test", false, &problems));
        for (size_t j = 0; j < problems.count && buffer_length(&shown) == 0; j++)
            if (!problems.items[j].is_warning) problem_show(&problems.items[j], &shown);
        struct text below = buffer_text(&shown);
        below = text_slice(below, text_find_char(below, '\n') + 1, below.length);
        if (!text_equal(below, text_of(cases[i].wanted)))
            fail_msg("%.*swanted:\n%s", TEXT_ARG(below), cases[i].wanted);
        buffer_free(&shown);
        problem_list_free(&problems);
    }
}

/* Zero bytes end no C string, so these are no rows. */
static void utf_16(void **state)
{
    static const struct {
        struct text content;
        const char *wanted;
    } cases[] = {
        { { "\xFF\xFEr\0o\0l\0e\0", 10 }, "UTF-16, little-endian" },
        { { "\xFE\xFF\0r\0o\0l\0e", 10 }, "UTF-16, big-endian" },
        { { "r\0o\0l\0e\0 \0w\0a\0l\0l\0\n\0", 20 }, "UTF-16, little-endian" },
        { { "\xFF\xFE\0\0r\0\0\0", 8 }, "UTF-32" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem_list problems;
        problem_list_start(&problems);
        assert_null(config_load_text(cases[i].content, "test", false, &problems));
        assert_int_equal(problems.errors, 1);
        struct text message = problems.items[0].message;
        assert_true(text_find(message, text_of(cases[i].wanted)) < message.length);
        problem_list_free(&problems);
    }
}

/* What is far to the right is shown without what is before it. */
static void caret_of_long_line(void **state)
{
    struct problem_list problems;
    struct buffer content = { 0 }, shown = { 0 };
    for (int i = 0; i < 300; i++) buffer_add_text(&content, TEXT("role;"));
    problem_list_start(&problems);
    config_free(config_load_text(buffer_text(&content), "test", false, &problems));
    problem_show(&problems.items[200], &shown);
    struct text text = buffer_text(&shown), line = TEXT_NONE;
    text_next_line(&text, &line);
    text_next_line(&text, &line);
    assert_true(line.length < 200);
    text_next_line(&text, &line);
    assert_true(text_ends(line, TEXT("^")) && line.length < 80);
    buffer_free(&content);
    buffer_free(&shown);
    problem_list_free(&problems);
}

/* A text of `count` times `piece` between two others. */
static struct text repeated(struct buffer *out, const char *before, const char *piece, size_t count,
                            const char *after)
{
    buffer_add_text(out, text_of(before));
    for (size_t i = 0; i < count; i++) buffer_add_text(out, text_of(piece));
    buffer_add_text(out, text_of(after));
    return buffer_text(out);
}

static void limits(void **state)
{
    static const struct {
        const char *before, *piece, *after;
        size_t count;
        const char *wanted; /* the beginning of the first error; NULL: none */
    } cases[] = {
        { "spam tag subject \"", "a", "\"", CONFIG_WORD_MOST, NULL },
        { "spam tag subject \"", "a", "\"", CONFIG_WORD_MOST + 1,
          "test:1:18: error: a text longer than 4096 bytes" },
        { "role ", "a", "", CONFIG_WORD_MOST + 1, "test:1:6: error: a word longer than 4096 bytes" },
        { "listen 0.0.0.0:25 { from", " 10.0.0.1", "}", 9000, NULL },
        { "listen 0.0.0.0:25 { from", " 10.0.0.1", "}", 9001,
          "test:1:81026: error: \"10.0.0.1\" is one item too many" },
        { "listen 0.0.0.0:25 { from", " 10.0.0.1", "}", CONFIG_WORDS_MOST,
          "test:1:81026: error: \"10.0.0.1\" is one" },
        { "foo ", "a ", "", CONFIG_WORDS_MOST + 1, "test:1:1: error: unknown word \"foo\"" },
        { "domains a.jp", " 10.0.0.1", "", 64, NULL },
        { "domains a.jp", " 10.0.0.1", "", 65,
          "test:1:590: error: \"10.0.0.1\" is one server too many (64 are allowed)" },
        { "virus { engine { clamav ", "{", "", 7, "test:1:26: error: this { opens nothing" },
        { "", ";role wall", "", 1, NULL },
        { "", "listen 10.0.0.1:25;", "", 257,
          "test:1:4872: error: there are too many listen statements (256 are" },
        { "", "state /x\n", "", CONFIG_STATEMENTS_MOST + 1,
          "test:2:7: error: state is said twice, first at test:1" },
        { "", "}", "", 100000, "test:1:1: error: a } without its {" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem_list problems;
        struct buffer content = { 0 }, line = { 0 };
        problem_list_start(&problems);
        repeated(&content, cases[i].before, cases[i].piece, cases[i].count, cases[i].after);
        struct config *config = config_load_text(buffer_text(&content), "test", false, &problems);
        assert_int_equal(config == NULL, cases[i].wanted != NULL);
        assert_true(problems.count <= PROBLEMS_MOST);
        if (cases[i].wanted) problem_print(&problems.items[0], &line);
        if (cases[i].wanted && !text_starts(buffer_text(&line), text_of(cases[i].wanted)))
            fail_msg("%.*s, not %s", TEXT_ARG(buffer_text(&line)), cases[i].wanted);
        config_free(config);
        buffer_free(&content);
        buffer_free(&line);
        problem_list_free(&problems);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors), cmocka_unit_test(warnings),
        cmocka_unit_test(carets), cmocka_unit_test(caret_of_long_line),
        cmocka_unit_test(utf_16), cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests_name("config errors", tests, NULL, NULL);
}
