/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is wrong is said where it is wrong. A row is a configuration and all its errors, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/load.h"

#define OUT "listen 10.0.0.1:25 { direction out; from 10.0.0.0/8 }\n"

struct error_row {
    const char *content;
    const char *errors; /* one a line, without the file's name; warnings are left out */
};

static const struct error_row rows[] = {
    /* words */
    { "rolle single",
      "1:1: error: unknown word \"rolle\"; allowed: role, hostname, admin, organisation, help, refusal, "
      "state, user, listen, "
      "domains, node, virus, spam, limits, queue, deliver, dns, processes, log, health, drain, vrrp, report, "
      "alarm, ledger, quarantine, digest, rights; "
      "did "
      "you mean "
      "\"role\"?\n" },
    { "spam { tga above 6 }",
      "1:8: error: unknown word \"tga\" after spam; allowed: mode, tag, quarantine, reject; "
      "did you mean \"tag\"?\n" },
    { "spam { tag below 6 }",
      "1:12: error: unknown word \"below\" after spam tag; allowed: above, subject\n" },
    { "\"role\" single",
      "1:1: error: unexpected \"role\"; allowed: role, hostname, admin, organisation, help, refusal, state, "
      "user, listen, "
      "domains, node, virus, spam, limits, queue, deliver, dns, processes, log, health, drain, vrrp, "
      "report, alarm, ledger, quarantine, digest, rights\n" },
    { "role single wall",
      "1:13: error: unknown word \"wall\" after role; allowed: the end of the statement\n" },
    { "role { single }", "1:6: error: a value is missing before \"{\": role; allowed: single, edge, wall\n" },
    { "role",
      "1:5: error: a value is missing before the end of the file: role; allowed: single, edge, wall\n" },
    { "spam\n", "1:5: error: a value is missing before the end of the statement: spam; allowed: mode, tag, "
                "quarantine, reject\n" },
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
    { "alarm hook true",
      "1:12: error: \"true\" is not valid here: alarm hook; allowed: the absolute path of a program and its "
      "arguments, those in quotes, or none, time; did you mean \"time\"?\n" },
    { "alarm { hook /bin/true \"time\" \"\"; hook time 30s }",
      "1:31: error: \"\" is empty: alarm hook; allowed: the absolute path of a program and its arguments, "
      "those "
      "in quotes, or none, time\n" },
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
    { "# caf\xE9\nrole wall", "1:6: error: a control character or a byte that is not UTF-8\n" },
    { "# \xE9\x96\xA2\xE5\xAE\x88 \x80", "1:6: error: a control character or a byte that is not UTF-8\n" },
    { "role single\rhostname a.jp", "1:6: error: a control character or a byte that is not UTF-8\n" },

    /* blocks */
    { "spam { mode on", "1:6: error: this block has no }\n" },
    { "role single }\nrolle x",
      "1:13: error: a } without its {\n2:1: error: unknown word \"rolle\"; allowed: role, "
      "hostname, admin, organisation, help, refusal, state, user, listen, domains, node, virus, spam, "
      "limits, queue, deliver, "
      "dns, processes, log, health, drain, vrrp, report, alarm, ledger, quarantine, digest, rights; did you "
      "mean "
      "\"role\"?\n" },
    { "spam { mode on } role wall",
      "1:18: error: \"role\" where the statement should end; allowed: a new line, ; or }\n" },
    { "foo { a { b }; c }; rolle",
      "1:1: error: unknown word \"foo\"; allowed: role, hostname, admin, organisation, help, refusal, state, "
      "user, "
      "listen, domains, node, virus, spam, limits, queue, deliver, dns, processes, log, "
      "health, drain, vrrp, report, alarm, ledger, quarantine, digest, rights\n1:21: error: unknown word "
      "\"rolle\"; "
      "allowed: role, "
      "hostname, admin, organisation, help, refusal, "
      "state, user, listen, domains, node, virus, spam, limits, queue, deliver, dns, "
      "processes, log, health, drain, vrrp, report, alarm, ledger, quarantine, digest, rights; did you mean "
      "\"role\"?\n" },
    { "virus { engine clamv { update every 1h } }",
      "1:16: error: unknown word \"clamv\" after virus engine; allowed: clamav; did you mean \"clamav\"?\n" },

    { "foo { { { { { { { { { role x }",
      "1:1: error: unknown word \"foo\"; allowed: role, hostname, admin, organisation, help, refusal, state, "
      "user, listen, domains, node, virus, spam, limits, queue, deliver, dns, processes, "
      "log, health, drain, vrrp, report, alarm, ledger, quarantine, digest, rights\n1:21: error: blocks are "
      "nested "
      "too deep "
      "(8 are allowed)\n" },

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
      "strict, check, relay; "
      "did you mean \"from\"?\n" },
    { "listen 127.0.0.1:25 { direction out }", "" },
    { "listen 0.0.0.0:25 { from 10.0.0.1/8 }", "1:26: error: \"10.0.0.1/8\" has no prefix length that fits "
                                               "its address: from; allowed: addresses and networks "
                                               "such as 192.0.2.1 or 2001:db8::/32, or any\n" },
    { "listen 0.0.0.0:25 { from 10.0.0.0/8 any }",
      "1:37: error: \"any\" stands alone: from; allowed: addresses and networks such as 192.0.2.1 or "
      "2001:db8::/32, "
      "or any\n" },
    { "listen 0.0.0.0:25\nlisten 0.0.0.0:25", "2:8: error: this address and port stood before, at test:1\n" },
    { "listen 0.0.0.0:25 { tls required }",
      "1:25: error: tls required without a certificate; say tls certificate FILE\n" },
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
    { "node { number 256 }\n",
      "1:15: error: \"256\" is too large: node number; allowed: a whole number, from 0 to 255\n" },
    { "ledger { listen 192.0.2.1 }\n",
      "1:17: error: \"192.0.2.1\" is not valid here: ledger listen; allowed: ADDRESS:PORT such as "
      "192.0.2.1:514, or none\n" },
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
        { "hostname a.jp; listen 10.0.0.1:25 { direction out; from 0.0.0.0/0 }",
          "direction out from everybody relays for the whole world" },
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
        { "virus { engine { clamav ", "{", "", 7,
          "test:1:26: error: unexpected \"{\" after virus engine clamav" },
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
        cmocka_unit_test(errors),
        cmocka_unit_test(warnings),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests_name("config errors", tests, NULL, NULL);
}
