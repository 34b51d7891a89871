/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Envelope addresses: our own rows, and where $SEKIMORI_SUITES is, the isemail suite: what RFC 5321 allows is
   taken, the rest refused, but for the differences listed with their reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "mail/mailbox.h"

static void rows_of_our_own(void **state)
{
    static const struct {
        const char *text;
        enum mailbox_outcome lenient, strict;
    } rows[] = {
        { "user@example.jp", MAILBOX_GOOD, MAILBOX_GOOD },
        { "a..b@docomo.ne.jp", MAILBOX_GOOD, MAILBOX_DOTS },
        { "a.@ezweb.ne.jp", MAILBOX_GOOD, MAILBOX_DOTS },
        { ".a@ezweb.ne.jp", MAILBOX_GOOD, MAILBOX_DOTS },
        { "\"a b\"@example.jp", MAILBOX_GOOD, MAILBOX_GOOD },
        { "\"a\\\"b\"@example.jp", MAILBOX_GOOD, MAILBOX_GOOD },
        { "\"a@b\"@example.jp", MAILBOX_GOOD, MAILBOX_GOOD },
        { "\"a@example.jp", MAILBOX_BAD_QUOTING, MAILBOX_BAD_QUOTING },
        { "\"a\"b@example.jp", MAILBOX_BAD_QUOTING, MAILBOX_BAD_QUOTING },
        { "a b@example.jp", MAILBOX_BAD_LOCAL, MAILBOX_BAD_LOCAL },
        { "a\x01@example.jp", MAILBOX_BAD_LOCAL, MAILBOX_BAD_LOCAL },
        { "@example.jp", MAILBOX_EMPTY, MAILBOX_EMPTY },
        { "", MAILBOX_EMPTY, MAILBOX_EMPTY },
        { "user", MAILBOX_NO_DOMAIN, MAILBOX_NO_DOMAIN },
        { "user@", MAILBOX_NO_DOMAIN, MAILBOX_NO_DOMAIN },
        { "user@-x.jp", MAILBOX_BAD_DOMAIN, MAILBOX_BAD_DOMAIN },
        { "user@x-.jp", MAILBOX_BAD_DOMAIN, MAILBOX_BAD_DOMAIN },
        { "user@x..jp", MAILBOX_BAD_DOMAIN, MAILBOX_BAD_DOMAIN },
        { "user@x_y.jp", MAILBOX_GOOD, MAILBOX_GOOD },
        { "user@[192.0.2.1]", MAILBOX_GOOD, MAILBOX_GOOD },
        { "user@[IPv6:2001:db8::1]", MAILBOX_GOOD, MAILBOX_GOOD },
        { "user@[2001:db8::1]", MAILBOX_BAD_LITERAL, MAILBOX_BAD_LITERAL },
        { "user@[192.0.2.1", MAILBOX_BAD_LITERAL, MAILBOX_BAD_LITERAL },
        { "太郎@例え.jp", MAILBOX_GOOD, MAILBOX_GOOD },
        { "\xff@example.jp", MAILBOX_NOT_UTF8, MAILBOX_NOT_UTF8 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mailbox mailbox;
        enum mailbox_outcome lenient = mailbox_parse(text_of(rows[i].text), false, &mailbox);
        if (lenient != rows[i].lenient) fail_msg("%s: %s", rows[i].text, mailbox_reason(lenient));
        if (lenient == MAILBOX_GOOD && !text_equal(mailbox.address, text_of(rows[i].text)))
            fail_msg("%s was changed", rows[i].text);
        enum mailbox_outcome strict = mailbox_parse(text_of(rows[i].text), true, &mailbox);
        if (strict != rows[i].strict) fail_msg("strict %s: %s", rows[i].text, mailbox_reason(strict));
    }
}

static void paths(void **state)
{
    static const struct {
        const char *text, *address; /* NULL: refused */
        bool strict_too;
    } rows[] = {
        { "<user@example.jp>", "user@example.jp", true },
        { "user@example.jp", "user@example.jp", false },
        { "<>", "", true },
        { "<postmaster>", "postmaster", true },
        { "<PostMaster>", "PostMaster", true },
        { "<other>", NULL, true },
        { "<@a.example,@b.example:user@c.example>", "user@c.example", true },
        { "<@a.example:user@c.example>", "user@c.example", true },
        { "<@a.example user@c.example>", NULL, true },
        { "<@:user@c.example>", NULL, true },
        { "<user@example.jp", NULL, true },
        { "user@example.jp>", NULL, true },
        { "<<user@example.jp>>", NULL, true },
        { "", NULL, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int strict = 0; strict < 2; strict++) {
            struct mailbox mailbox;
            bool good = mailbox_parse_path(text_of(rows[i].text), strict != 0, &mailbox) == MAILBOX_GOOD;
            bool wanted = rows[i].address && (!strict || rows[i].strict_too);
            if (good != wanted) fail_msg("%s strict=%d: %d", rows[i].text, strict, good);
            if (good && !text_equal(mailbox.address, text_of(rows[i].address)))
                fail_msg("%s: address", rows[i].text);
        }
}

static void lengths(void **state)
{
    char text[3000];
    static const struct {
        size_t local, domain;
        enum mailbox_outcome outcome;
    } rows[] = { { 64, 100, MAILBOX_GOOD },  { 65, 10, MAILBOX_GOOD },     { 1, 252, MAILBOX_GOOD },
                 { 1, 253, MAILBOX_GOOD },   { 1, 254, MAILBOX_TOO_LONG }, { 1, 256, MAILBOX_TOO_LONG },
                 { 200, 253, MAILBOX_GOOD }, { 2000, 30, MAILBOX_GOOD } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mailbox mailbox;
        size_t at = 0;
        for (; at < rows[i].local; at++) text[at] = 'l';
        text[at++] = '@';
        for (size_t d = 0; d < rows[i].domain; d++)
            text[at++] = d % 50 == 49 && d + 1 < rows[i].domain ? '.' : 'd';
        assert_int_equal(mailbox_parse(text_from(text, at), false, &mailbox), rows[i].outcome);
    }
}

/* What names and addresses are when they are compared, and when they route. */
static void meanings(void **state)
{
    static const struct {
        const char *text, *plain, *canonical;
        bool is_routed, is_postmaster;
    } rows[] = {
        { "a@b.jp", "a", "a@b.jp", false, false },
        { "A@B.jp", "A", "A@b.jp", false, false },
        { "\"a\"@b.jp", "a", "a@b.jp", false, false },
        { "\"a.b\"@b.jp", "a.b", "a.b@b.jp", false, false },
        { "\"a..b\"@b.jp", "a..b", "a..b@b.jp", false, false },
        { "\"a b\"@b.jp", "a b", "\"a b\"@b.jp", false, false },
        { "\"a\\ b\"@b.jp", "a b", "\"a b\"@b.jp", false, false },
        { "\"a\\\"b\"@b.jp", "a\"b", "\"a\\\"b\"@b.jp", false, false },
        { "\"a\\\\b\"@b.jp", "a\\b", "\"a\\\\b\"@b.jp", false, false },
        { "\"\"@b.jp", "", "\"\"@b.jp", false, false },
        { "a@\xe4\xbe\x8b\xe3\x81\x88.jp", "a", "a@xn--r8jz45g.jp", false, false },
        { "a@x\xef\xbc\x9ey.jp", "a", "a@x\xef\xbc\x9ey.jp", false, false }, /* a full-width ">" */
        { "a%c@b.jp", "a%c", "a%c@b.jp", true, false },
        { "c!a@b.jp", "c!a", "c!a@b.jp", true, false },
        { "\"a@c\"@b.jp", "a@c", "\"a@c\"@b.jp", true, false },
        { "\"a\\%c\"@b.jp", "a%c", "a%c@b.jp", true, false },
        { "@r.jp:a@b.jp", "a", "a@b.jp", true, false },
        { "PostMaster@b.jp", "PostMaster", "PostMaster@b.jp", false, true },
        { "\"postmaster\"@b.jp", "postmaster", "postmaster@b.jp", false, true },
        { "\"post\\master\"@b.jp", "postmaster", "postmaster@b.jp", false, true },
        { "postmaste@b.jp", "postmaste", "postmaste@b.jp", false, false },
        { "postmasters@b.jp", "postmasters", "postmasters@b.jp", false, false },
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mailbox mailbox;
        assert_int_equal(mailbox_parse_path(arena_printf(arena, "<%s>", rows[i].text), false, &mailbox),
                         MAILBOX_GOOD);
        struct text plain = mailbox_plain_local(arena, &mailbox);
        struct text canonical = mailbox_canonical(arena, &mailbox);
        if (!text_equal(plain, text_of(rows[i].plain)) || !text_equal(canonical, text_of(rows[i].canonical)))
            fail_msg("%s: %.*s, %.*s", rows[i].text, TEXT_ARG(plain), TEXT_ARG(canonical));
        if (mailbox_is_routed(&mailbox) != rows[i].is_routed) fail_msg("%s routes", rows[i].text);
        if (mailbox_is_postmaster(&mailbox) != rows[i].is_postmaster)
            fail_msg("%s: postmaster", rows[i].text);
    }
    arena_free(arena);
}

/* Where we differ from the suite on purpose, in which mode. */
static const struct {
    const char *id;
    bool lenient_takes, strict_takes;
    const char *why;
} differences[] = {
    { "15", true, false, "a dot at the start: old mobile addresses have it" },
    { "16", true, false, "a dot at the end: likewise" },
    { "71", true, true,
      "\"::\" for one group: RFC 4291 allows it, RFC 5321's grammar wants two; the address is clear" },
    { "26", true, true, "lengths of RFC 5321 section 4.5.3.1 are what a server takes at least" },
    { "39", true, true, "likewise" },
    { "59", true, true, "likewise" },
    { "60", true, true, "likewise" },
    { NULL, false, false, NULL },
};

static bool is_listed(const char *id, bool strict, bool takes)
{
    for (size_t i = 0; differences[i].id; i++)
        if (strcmp(differences[i].id, id) == 0)
            return takes == (strict ? differences[i].strict_takes : differences[i].lenient_takes);
    return false;
}

static void isemail(void **state)
{
    const char *suites = getenv("SEKIMORI_SUITES");
    char path[4096];
    if (!suites) {
        print_message("SEKIMORI_SUITES is not set: the suite is not run\n");
        return;
    }
    snprintf(path, sizeof path, "%s/smtp/isemail/tests.json", suites);
    json_t *rows = json_load_file(path, JSON_ALLOW_NUL, NULL), *row;
    assert_true(json_is_array(rows));
    size_t index, listed = 0, unlisted = 0;
    json_array_foreach(rows, index, row)
    {
        const char *id = json_string_value(json_object_get(row, "id"));
        const char *category = json_string_value(json_object_get(row, "category"));
        const json_t *value = json_object_get(row, "address");
        struct text address = text_from(json_string_value(value), json_string_length(value));
        bool wanted = strstr(category, "VALID") || strstr(category, "DNSWARN") || strstr(category, "RFC5321");
        for (int strict = 0; strict < 2; strict++) {
            struct mailbox mailbox;
            bool takes = mailbox_parse(address, strict != 0, &mailbox) == MAILBOX_GOOD;
            if (takes == wanted) continue;
            if (is_listed(id, strict != 0, takes)) {
                listed += !strict;
                continue;
            }
            unlisted++;
            print_message("isemail %s strict=%d: %s, the suite says %s: %.*s\n", id, strict,
                          takes ? "taken" : "refused", category, TEXT_ARG(address));
        }
    }
    print_message("suite isemail: %zu cases, %zu differ in the lenient mode (listed), %zu not as listed\n",
                  json_array_size(rows), listed, unlisted);
    assert_int_equal(unlisted, 0);
    json_decref(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_of_our_own), cmocka_unit_test(paths),
                                        cmocka_unit_test(lengths), cmocka_unit_test(meanings),
                                        cmocka_unit_test(isemail) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
