/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Statements become values; dump and bundle give the same configuration back. A row is a configuration and
   lines that its dump must have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <time.h>

#include "config/bundle.h"
#include "config/domains.h"
#include "config/dump.h"
#include "config/load.h"
#include "config/spam_lines.h"

static struct config *load(struct text content)
{
    struct problem_list problems;
    struct buffer line = { 0 };
    problem_list_start(&problems);
    struct config *config = config_load_text(content, "test", false, &problems);
    for (size_t i = 0; !config && i < problems.count; i++) {
        problem_print(&problems.items[i], &line);
        buffer_add_char(&line, '\n');
    }
    if (!config) fail_msg("%.*s", TEXT_ARG(buffer_text(&line)));
    problem_list_free(&problems);
    return config;
}

static void dump_equal(const struct config *a, const struct config *b)
{
    struct buffer first = { 0 }, second = { 0 };
    config_dump(a, &first, false);
    config_dump(b, &second, false);
    if (!text_equal(buffer_text(&first), buffer_text(&second)))
        fail_msg("%.*s\nis not\n%.*s", TEXT_ARG(buffer_text(&first)), TEXT_ARG(buffer_text(&second)));
    buffer_free(&first);
    buffer_free(&second);
}

/* The three printed forms and the bundle all lead back. */
static void leads_back(const struct config *config)
{
    for (int form = 0; form < 4; form++) {
        struct buffer out = { 0 };
        if (form < 2)
            config_dump(config, &out, form == 1);
        else if (form == 2)
            config_dump_said(config, &out);
        else
            config_dump_explained(config, &out, LANGUAGE_JA);
        struct config *again = load(buffer_text(&out));
        dump_equal(config, again);
        config_free(again);
        buffer_free(&out);
    }
}

#define EXAMPLE                                                                                             \
    "role single\n"                                                                                         \
    "hostname mx.example.ac.jp\n"                                                                           \
    "admin postmaster@example.ac.jp\n"                                                                      \
    "listen 0.0.0.0:25 { direction in; strict on }\n"                                                       \
    "listen 10.0.0.5:587 { direction out; from 10.0.0.0/16; repair bare-lf }\n"                             \
    "domains {\n"                                                                                           \
    "    example.ac.jp        10.1.0.25                  # static: needs no DNS\n"                          \
    "    econ.example.ac.jp   10.2.0.25 10.2.0.26 { recipients call-out; tls required }\n"                  \
    "    alumni.example.ac.jp example-ac-jp.mail.example.net { tls verified }\n"                            \
    "}\n"                                                                                                   \
    "virus { engine clamav { update every 1h; unavailable defer }; found quarantine; limits quarantine }\n" \
    "spam { tag above 6.8 subject \"[SPAM] \"; quarantine above 12; reject above 20; mode observe }\n"      \
    "limits { message 50M; recipients 500; connections 2000 { per client 20 } }\n"                          \
    "queue { expire 5d; warn inside after 4h }\n"                                                           \
    "report { to postmaster@example.ac.jp; at 03:00; language ja }\n"

#define NODE "node { certificate /c; key /k; ca /a }\n"

static const struct {
    const char *content;
    const char *lines[6]; /* each stands in the dump, without indent */
} rows[] = {
    { EXAMPLE,
      { "mode observe", "connections per client 20", "warn inside after 4h", "tls verified",
        "from 10.0.0.0/16", "econ.example.ac.jp 10.2.0.25 10.2.0.26 {" } },
    { "limits message 25M", { "message 25M" } },
    { "limits {\n  message\t25M ;;\n\n; header 64K }", { "message 25M", "header 64K" } },
    { "limits connections 100 per client 10", { "connections 100", "connections per client 10" } },
    { "limits { connections 100 { per client 10 { and minute 5 } } }",
      { "connections per client and minute 5" } },
    { "limits { connections { per { client 10 } } }", { "connections 2000", "connections per client 10" } },
    { "spam { tag { above 5; subject \"\" } }", { "tag above 5", "tag subject \"\"" } },
    { "spam tag subject \"a\\\"\\\\\\t# {;}\" # comment", { "tag subject \"a\\\"\\\\\\t# {;}\"" } },
    { "spam tag subject \"\xE8\xBF\xB7\xE6\x83\x91 \"", { "tag subject \"\xE8\xBF\xB7\xE6\x83\x91 \"" } },
    { "spam reject above never", { "reject above never" } },
    { "\xEF\xBB\xBFrole wall\r\nhostname a.jp\r\n",
      { "role wall", "hostname a.jp", "admin postmaster@a.jp" } },
    { "hostname mx.a.jp\ndomains { .b.jp 10.0.0.2; c.jp 10.0.0.1; d.jp 10.0.0.1 }",
      { "admin postmaster@c.jp" } },
    { "deliver { source 192.0.2.1; source6 2001:db8::1; helo out.a.jp }",
      { "source 192.0.2.1", "source6 2001:db8::1", "helo out.a.jp" } },
    { "deliver helo \"hostname\"", { "helo \"hostname\"" } },
    { "dns { servers 192.0.2.53 2001:db8::53@5353 }", { "servers 192.0.2.53 2001:db8::53@5353" } },
    { "health { upstream 192.0.2.1:53 [2001:db8::1]:25; upstream 192.0.2.2:25; dns a.jp b.jp; clock error 0 "
      "}",
      { "upstream 192.0.2.1:53 [2001:db8::1]:25 192.0.2.2:25", "dns a.jp b.jp", "clock error 0" } },
    { "drain to 192.0.2.2; vrrp { address 192.0.2.1/24 192.0.2.3; interface eth0.100; peers 192.0.2.2 }",
      { "to 192.0.2.2", "address 192.0.2.1/24 192.0.2.3", "interface eth0.100", "peers 192.0.2.2" } },
    { "alarm { hook \"/opt/my tools/tell\" \"none\" \"time\" --room 1; hook time 5s }",
      { "hook \"/opt/my tools/tell\" \"none\" \"time\" \"--room\" \"1\"", "hook time 5s" } },
    { "alarm hook none", { "hook none", "hook writes none", "hook time 30s" } },
    { "alarm { hook writes /srv \"/var/a b\"; hook writes /opt }", { "hook writes /srv \"/var/a b\" /opt" } },
    { "drain to [2001:db8::2]:26", { "to [2001:db8::2]:26" } },
    { "log { to syslog at 192.0.2.1:514; level debug }",
      { "to syslog", "to at 192.0.2.1:514", "level debug" } },
    { "processes { receive 2; scan 4 { messages 100 }; jail off }",
      { "scan 4", "scan messages 100", "jail off" } },
    { "virus engine clamav builtin off from /x; state \"/a b\"",
      { "engine clamav builtin from /x", "state \"/a b\"" } },
    { "spam { opinion spamd unix:/run/spamd { user mail }; opinion rspamd localhost:11333 { points most 7 } "
      "}",
      { "opinion spamd unix:/run/spamd {", "user \"mail\"", "weight 0.5", "opinion rspamd localhost:11333 {",
        "points most 7" } },
    { "listen [::1]:25; listen 127.0.0.1:25 { from 127.0.0.0/8; from ::1 192.0.2.1 }",
      { "listen [::1]:25 {", "from 127.0.0.0/8 ::1 192.0.2.1" } },
    { "listen 127.0.0.1:25 { direction out }", { "direction out", "from 127.0.0.0/8 ::1" } },
    { "listen [::1]:25 { direction out; deny ::1 }", { "from 127.0.0.0/8 ::1", "deny ::1" } },
    { "listen 127.0.0.1:25 { direction out; from ::1 }", { "direction out", "from ::1" } },
    { "listen 127.0.0.1:25 { direction out; from any }", { "direction out", "from 127.0.0.0/8 ::1" } },
    { "listen 127.0.0.1:25", { "direction in", "from any", "senders ours" } },
    { "listen 127.0.0.1:25 { senders b.jp ours .c.jp; senders xn--r8jz45g.jp }",
      { "senders b.jp .c.jp xn--r8jz45g.jp" } },
    { "listen 127.0.0.1:25 { senders any }", { "senders any" } },
    { "listen 10.0.0.1:25 { tls certificate /c key /k }",
      { "tls offered", "tls certificate /c", "tls key /k" } },
    { NODE "listen 10.0.0.1:25 { tls node }", { "tls node", "tls certificate /c", "tls key /k" } },
    { NODE "listen 10.0.0.1:25 { tls node certificate /d }",
      { "tls node", "tls certificate /d", "tls key /d" } },
    { NODE "listen 10.0.0.1:25", { "tls off", "certificate /c", "key /k", "ca /a" } },
    { NODE "domains a.jp 10.0.0.1 { tls node }", { "tls node" } },
    { "listen 10.0.0.1:25 { tls required certificate /c }", { "tls required", "tls key /c" } },
    { "listen 10.0.0.1:25 { tls off; tls certificate /c }", { "tls off", "tls key /c" } },
    { "listen 10.0.0.1:25 { proxy 10.0.0.2; xclient 10.0.0.3; deny 10.0.0.4; check off }",
      { "proxy 10.0.0.2", "xclient 10.0.0.3", "deny 10.0.0.4", "check off" } },
    { "domains { A.jp 10.0.0.1 10.0.0.2:2525 [2001:db8::1]:2525 2001:db8::2 mail.a.jp mail.a.jp:2525 mx }",
      { "a.jp 10.0.0.1 10.0.0.2:2525 [2001:db8::1]:2525 2001:db8::2 mail.a.jp mail.a.jp:2525 mx {" } },
    { "deliver port 26; domains { a.jp 10.0.0.1 10.0.0.2:25 10.0.0.3:26 }",
      { "a.jp 10.0.0.1 10.0.0.2:25 10.0.0.3 {", "* mx {" } },
    { "domains { .a.jp 10.0.0.1; * relay.a.jp }", { ".a.jp 10.0.0.1 {", "* relay.a.jp {" } },
    { "domains a.jp 10.0.0.1 { virus observe; spam off; smtputf8 off; connections 3; tls verified name b.jp "
      "}",
      { "virus observe", "spam off", "smtputf8 off", "connections 3", "tls verified", "tls name b.jp" } },
    { "domains a.jp 10.0.0.1 { recipients table /t }", { "recipients table /t" } },
    { "domains a.jp 10.0.0.1 { spam observe { tag above 5 in header; quarantine above never; reject above 30 "
      "} }",
      { "spam observe", "spam tag above 5", "spam tag in header", "spam quarantine above never",
        "spam reject above 30" } },
    { "domains a.jp 10.0.0.1; recipient Boss@A.jp { spam off }; recipient b@a.jp { spam { tag above 3 } }; "
      "recipient \"#y@a.jp\"",
      { "recipient boss@a.jp {", "spam off", "recipient b@a.jp {", "spam tag above 3",
        "recipient \"#y@a.jp\" {" } },
    { "newsletter { tag above 9 subject \"\"; action tag }",
      { "tag above 9", "tag subject \"\"", "action tag" } },
};

static bool has_line(struct text rest, struct text wanted)
{
    struct text line;
    while (text_next_line(&rest, &line))
        if (text_equal(text_trim(line), wanted)) return true;
    return false;
}

static void statements(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = load(text_of(rows[i].content));
        struct buffer out = { 0 };
        config_dump(config, &out, false);
        for (size_t j = 0; j < 6 && rows[i].lines[j]; j++)
            if (!has_line(buffer_text(&out), text_of(rows[i].lines[j])))
                fail_msg("%s: no line \"%s\" in\n%.*s", rows[i].content, rows[i].lines[j],
                         TEXT_ARG(buffer_text(&out)));
        leads_back(config);
        buffer_free(&out);
        config_free(config);
    }
}

/* The fields themselves, once: what other folders read. */
static void fields(void **state)
{
    struct config *config = load(TEXT(EXAMPLE));
    assert_int_equal(config->role, ROLE_SINGLE);
    assert_int_equal(config->listener_count, 2);
    assert_int_equal(config->listeners[0].direction, DIRECTION_IN);
    assert_true(config->listeners[0].strict && config->listeners[0].check);
    assert_int_equal(config->listeners[0].endpoint.port, 25);
    assert_int_equal(config->listeners[1].repair, REPAIR_BARE_LF);
    assert_int_equal(config->listeners[1].from.count, 1);
    assert_int_equal(config->domain_count, 4);
    assert_int_equal(config->domains[1].target_count, 2);
    assert_int_equal(config->domains[1].targets[1].endpoint.port, 25);
    assert_int_equal(config->domains[1].recipients, RECIPIENTS_CALL_OUT);
    assert_int_equal(config->domains[2].tls, TLS_VERIFIED);
    assert_false(config->domains[2].targets[0].is_address);
    assert_true(config->domains[3].targets[0].use_mx);
    assert_int_equal(config->domains[3].targets[0].endpoint.port, 25);
    assert_int_equal(config->virus.found[VIRUS_CLASS_VIRUS], ACTION_QUARANTINE);
    assert_int_equal(config->virus.unavailable, ACTION_DEFER);
    assert_int_equal(config->virus.update_ms, 3600000);
    assert_int_equal(config->spam.mode, MODE_OBSERVE);
    assert_true(config->spam.tag > 6.79 && config->spam.tag < 6.81);
    assert_true(text_equal(config->spam.subject, TEXT("[SPAM] ")));
    assert_int_equal(config->limits.message_bytes, 50 << 20);
    assert_int_equal(config->limits.per_client, 20);
    assert_int_equal(config->queue.warn_ms, 4 * 3600000);
    assert_int_equal(config->report.at_minutes, 180);
    assert_int_equal(config->report.language, LANGUAGE_JA);
    config_free(config);
}

static void sources(void **state)
{
    struct config *config =
        load(TEXT("hostname a.jp\n\nspam {\n mode off }\ndomains {\n a.jp 10.0.0.1 { tls off } }"));
    struct buffer out = { 0 };
    config_dump(config, &out, true);
    static const char *const wanted[] = { "hostname a.jp   # test:1",  "mode off   # test:4",
                                          "tag above 6.8   # default", "a.jp 10.0.0.1 {   # test:6",
                                          "tls off   # test:6",        "* mx {   # default",
                                          "tls name host   # default" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct text rest = buffer_text(&out), line, row = text_of(wanted[i]);
        size_t gap = text_find(row, TEXT("   "));
        bool found = false;
        while (!found && text_next_line(&rest, &line)) {
            line = text_trim(line);
            found = text_starts(line, text_slice(row, 0, gap + 1)) &&
                    text_ends(line, text_slice(row, gap + 2, row.length));
        }
        if (!found) fail_msg("no \"%s\" in\n%.*s", wanted[i], TEXT_ARG(buffer_text(&out)));
    }
    buffer_free(&out);
    config_free(config);
}

static void bundle(void **state)
{
    char why[256];
    struct config *config = load(TEXT(EXAMPLE "listen 127.0.0.1:2525 { tls certificate /c key /k }\n"
                                              "domains b.jp 10.0.0.9 { recipients table /t }"));
    struct buffer out = { 0 };
    config->listeners[2].certificate.content = TEXT("certificate");
    config->listeners[2].key.content = TEXT("key");
    config->domains[3].recipients_table.content = TEXT("a@b.jp\n");
    config_bundle_write(config, &out);
    struct config *again = config_bundle_read(buffer_text(&out), why, sizeof why);
    if (!again) fail_msg("%s", why);
    dump_equal(config, again);
    assert_true(text_equal(again->listeners[2].key.content, TEXT("key")));
    assert_true(text_equal(again->domains[3].recipients_table.content, TEXT("a@b.jp\n")));
    assert_null(again->sources);
    config_free(again);
    for (size_t length = 0; length < buffer_length(&out); length++)
        assert_null(config_bundle_read(text_slice(buffer_text(&out), 0, length), why, sizeof why));
    buffer_add_char(&out, 'x');
    assert_null(config_bundle_read(buffer_text(&out), why, sizeof why));
    assert_string_equal(why, "a bundle that is cut short or has bytes left over");
    buffer_free(&out);
    config_free(config);
}

static void routes(void **state)
{
    struct config *config =
        load(TEXT("virus mode observe; domains { a.jp 10.0.0.1 { spam off }; .a.jp 10.0.0.2 { virus on }\n"
                  ".b.a.jp 10.0.0.3; x.b.a.jp 10.0.0.4 }"));
    static const char *const cases[][2] = {
        { "a.jp", "a.jp" },
        { "A.JP", "a.jp" },
        { "a.jp.", "a.jp" },
        { "c.a.jp", ".a.jp" },
        { "d.c.a.jp", ".a.jp" },
        { "b.a.jp", ".a.jp" },
        { "y.b.a.jp", ".b.a.jp" },
        { "x.b.a.jp", "x.b.a.jp" },
        { "z.x.b.a.jp", ".b.a.jp" },
        { "ba.jp", "*" },
        { "jp", "*" },
        { "", "*" },
        { ".", "*" },
        { "[192.0.2.1]", "*" },
        { "...a.jp", ".a.jp" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct domain *domain = config_find_domain(config, text_of(cases[i][0]));
        if (!text_equal(domain->name, text_of(cases[i][1])))
            fail_msg("%s goes to %.*s", cases[i][0], TEXT_ARG(domain->name));
        assert_int_equal(config_route_is_local(domain), strcmp(cases[i][1], "*") != 0);
    }
    const struct domain *own = config_find_domain(config, TEXT("a.jp")),
                        *sub = config_find_domain(config, TEXT("c.a.jp"));
    assert_int_equal(config_virus_mode(config, own), MODE_OBSERVE);
    assert_int_equal(config_virus_mode(config, sub), MODE_ON);
    assert_int_equal(config_spam_lines(config, TEXT("x@a.jp")).mode, MODE_OFF);
    assert_int_equal(config_spam_lines(config, TEXT("x@c.a.jp")).mode, MODE_ON);
    config_free(config);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 100,000 domains load in a second and come back from the bundle; the slowest build gets five. */
static void many_domains(void **state)
{
    enum { COUNT = 100000 };
    struct buffer content = { 0 }, out = { 0 };
    char why[256];
    buffer_printf(&content, "hostname a.jp\ndomains {\n");
    for (int i = 0; i < COUNT; i++)
        buffer_printf(&content, "d%d.example.jp 10.0.%d.%d { tls required }\n", i, i / 256 % 256, i % 256);
    buffer_printf(&content, "}\n");
    double start = seconds();
    struct config *config = load(buffer_text(&content));
    double loaded = seconds();
    config_bundle_write(config, &out);
    struct config *again = config_bundle_read(buffer_text(&out), why, sizeof why);
    double bundled = seconds();
    print_message("%d domains: loaded in %.2f s, bundled and read in %.2f s\n", COUNT, loaded - start,
                  bundled - loaded);
    assert_true(loaded - start < 5 && bundled - loaded < 10);
    assert_non_null(again);
    assert_int_equal(again->domain_count, COUNT + 1);
    assert_true(
        text_equal(config_find_domain(again, TEXT("d99999.example.jp"))->name, TEXT("d99999.example.jp")));
    assert_int_equal(config_find_domain(again, TEXT("d99999.example.jp"))->tls, TLS_REQUIRED);
    config_free(config);
    config_free(again);
    buffer_free(&content);
    buffer_free(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements), cmocka_unit_test(fields), cmocka_unit_test(sources),
        cmocka_unit_test(bundle),     cmocka_unit_test(routes), cmocka_unit_test(many_domains),
    };
    return cmocka_run_group_tests_name("config load", tests, NULL, NULL);
}
