/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what is a newsletter, and which one. Each row is a magazine but for one thing, or what a forger makes
   of one: the field of another's magazine, a signature of his own domain, a genuine mail with a field put on
   top. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/authentication.h"
#include "auth/private_key.h"
#include "judged.h"

enum { NOW = 1700000000 };

#define TAGS "v=1; c=relaxed/relaxed; a=ed25519-sha256; "
#define SHOP TAGS "d=shop.test; s=s"
#define NAMES "from:to:subject:list-unsubscribe:list-id"
#define FROM "From: =?utf-8?B?44K344On44OD44OX?= <news@shop.test>\r\nTo: a@on.test\r\nSubject: one\r\n"
#define LEAVE "List-Unsubscribe: <mailto:off@Lists.shop.test>, <https://off.shop.test/u?x=1>\r\n"
#define CLICK "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
#define ID "List-Id: Weekly <Weekly.shop.test>\r\n"
#define MAGAZINE FROM LEAVE CLICK ID
#define PATH "bounce@mail.shop.test"
#define OTHER "b@sender.test"

static struct private_key *key;

static const struct row {
    const char *label;
    const char *tags, *names; /* of the signature; NULL: none */
    const char *above;        /* put on top after it was signed */
    const char *header;
    const char *sender; /* MAIL FROM */
    enum spf_outcome spf;
    const char *name, *domain; /* "": no newsletter */
} rows[] = {
    { "a magazine", SHOP, NAMES, "", MAGAZINE, PATH, SPF_PASS, "weekly.shop.test", "shop.test" },
    { "sent by somebody for the shop, who signs as it", SHOP, NAMES, "", MAGAZINE, OTHER, SPF_PASS,
      "weekly.shop.test", "shop.test" },
    { "without DKIM, from the shop's own servers", NULL, NULL, "", MAGAZINE, PATH, SPF_PASS,
      "weekly.shop.test", "shop.test" },
    { "without a List-Id", SHOP, NAMES, "", FROM LEAVE CLICK, OTHER, SPF_NONE, "lists.shop.test",
      "shop.test" },
    { "one click alone", SHOP, NAMES, "", FROM "List-Unsubscribe: <https://OFF.shop.test:8443/u>\r\n" CLICK,
      OTHER, SPF_NONE, "off.shop.test", "shop.test" },
    { "Precedence alone", SHOP, NAMES, "", FROM LEAVE "Precedence: Bulk\r\n", OTHER, SPF_NONE,
      "lists.shop.test", "shop.test" },
    { "Feedback-ID alone", SHOP, NAMES, "", FROM LEAVE "Feedback-ID: 1:2:3:x\r\n", OTHER, SPF_NONE,
      "lists.shop.test", "shop.test" },
    { "nobody may write to it", SHOP, NAMES, "", MAGAZINE "List-Post: NO\r\n", OTHER, SPF_NONE,
      "weekly.shop.test", "shop.test" },
    { "of a department", TAGS "d=shop.test; s=s", NAMES, "",
      "From: a@mail.shop.test\r\nTo: a@on.test\r\nSubject: one\r\n" LEAVE CLICK ID, OTHER, SPF_NONE,
      "weekly.shop.test", "shop.test" },
    { "signed by a department", TAGS "d=mail.shop.test; s=s", NAMES, "", MAGAZINE, OTHER, SPF_NONE,
      "weekly.shop.test", "shop.test" },
    { "its List-Id is not signed", SHOP, "from:to:subject:list-unsubscribe", "", MAGAZINE, OTHER, SPF_NONE,
      "lists.shop.test", "shop.test" },
    { "the same, and SPF", SHOP, "from:to:subject:list-unsubscribe", "", MAGAZINE, PATH, SPF_PASS,
      "weekly.shop.test", "shop.test" },

    { "nothing is proven", NULL, NULL, "", MAGAZINE, PATH, SPF_NONE, "", "" },
    { "SPF fails", NULL, NULL, "", MAGAZINE, PATH, SPF_FAIL, "", "" },
    { "SPF proves another", NULL, NULL, "", MAGAZINE, OTHER, SPF_PASS, "", "" },
    { "SPF of HELO alone", NULL, NULL, "", MAGAZINE, "", SPF_PASS, "", "" },
    { "a forger signs as himself", TAGS "d=evil.test; s=s", NAMES, "", MAGAZINE, OTHER, SPF_PASS, "", "" },
    { "he has no key of the shop", TAGS "d=shop.test; s=other", NAMES, "", MAGAZINE, OTHER, SPF_PASS, "",
      "" },
    { "a key that is tried out", TAGS "d=shop.test; s=trial", NAMES, "", MAGAZINE, OTHER, SPF_NONE, "", "" },
    { "a genuine letter with a List-Unsubscribe on top", SHOP, NAMES, LEAVE CLICK, FROM, OTHER, SPF_PASS, "",
      "" },
    { "the same where the field is in no h=", SHOP, "from:to:subject", LEAVE CLICK, FROM, OTHER, SPF_PASS, "",
      "" },
    { "a second List-Unsubscribe on top", SHOP, NAMES, "List-Unsubscribe: <https://evil.test/>\r\n", MAGAZINE,
      OTHER, SPF_PASS, "", "" },
    { "another From on top", SHOP, NAMES, "From: bank@bank.test\r\n", MAGAZINE, OTHER, SPF_PASS, "", "" },
    { "two authors", SHOP, NAMES, "",
      "From: a@shop.test, b@bank.test\r\nTo: a@on.test\r\nSubject: one\r\n" LEAVE CLICK ID, OTHER, SPF_NONE,
      "", "" },
    { "DMARC is strict, and fails", TAGS "d=mail.strict.test; s=s", NAMES, "",
      "From: a@strict.test\r\nTo: a@on.test\r\nSubject: one\r\n" LEAVE CLICK ID, OTHER, SPF_NONE, "", "" },

    { "no way to end", SHOP, NAMES, "", FROM CLICK ID, PATH, SPF_PASS, "", "" },
    { "a way to end, and nothing that says it goes to many", SHOP, NAMES, "", FROM LEAVE, PATH, SPF_PASS, "",
      "" },
    { "one click without an https link", SHOP, NAMES, "",
      FROM "List-Unsubscribe: <http://off.shop.test/>\r\n" CLICK, PATH, SPF_PASS, "", "" },
    { "one click of another wording", SHOP, NAMES, "", FROM LEAVE "List-Unsubscribe-Post: yes\r\n", PATH,
      SPF_PASS, "", "" },
    { "a discussion", SHOP, NAMES, "", MAGAZINE "List-Post: <mailto:all@shop.test>\r\n", PATH, SPF_PASS, "",
      "" },
    { "no link in brackets", SHOP, NAMES, "", FROM "List-Unsubscribe: https://off.shop.test/\r\n" CLICK ID,
      PATH, SPF_PASS, "", "" },
    { "a link with a user", SHOP, NAMES, "",
      FROM "List-Unsubscribe: <https://shop.test@evil.test/>\r\n" CLICK ID, PATH, SPF_PASS, "", "" },
    { "a link to no name", SHOP, NAMES, "", FROM "List-Unsubscribe: <https://a b/>\r\n" CLICK ID, PATH,
      SPF_PASS, "", "" },
    { "no scheme that leads anywhere", SHOP, NAMES, "",
      FROM "List-Unsubscribe: <javascript:alert(1)>\r\n" CLICK ID, PATH, SPF_PASS, "", "" },
    { "a List-Id that is none", NULL, NULL, "", FROM LEAVE CLICK "List-Id: <a;b\x01.test>\r\n", PATH,
      SPF_PASS, "lists.shop.test", "shop.test" },
};

static struct text message_of(struct arena *arena, const struct row *row)
{
    struct text message = arena_printf(arena, "%s\r\nHello\r\n", row->header);
    if (row->tags)
        message =
            judged_sign(arena, key, row->tags, row->names, CANONICAL_RELAXED, CANONICAL_RELAXED, -1, message);
    return arena_printf(arena, "%s%.*s", row->above, TEXT_ARG(message));
}

static void keys_publish(struct zone *zone)
{
    static const char *const signers[] = { "s._domainkey.shop.test", "s._domainkey.mail.shop.test",
                                           "s._domainkey.evil.test", "s._domainkey.mail.strict.test" };
    struct text record = judged_record_of(zone->arena, key);
    for (size_t i = 0; i < sizeof signers / sizeof *signers; i++)
        zone_add_txt(zone, text_of(signers[i]), record);
    zone_add_txt(zone, TEXT("trial._domainkey.shop.test"),
                 arena_printf(zone->arena, "%.*s; t=y", TEXT_ARG(record)));
    zone_add_txt(zone, TEXT("_dmarc.strict.test"), TEXT("v=DMARC1; p=none; adkim=s; aspf=s"));
}

/* Through the byte form of the facts. */
static struct newsletter prove(struct zone *zone, const struct row *row)
{
    struct header header;
    struct buffer form = { 0 };
    struct auth_facts facts;
    struct authentication result;
    struct dns_answers answers = zone_answers(zone);
    struct text message = message_of(zone->arena, row);
    judged_header(zone->arena, message, &header);
    auth_facts_read(zone->arena, message, &header, &facts);
    auth_facts_put(&facts, &form);
    struct reader reader = reader_of(arena_text(zone->arena, buffer_text(&form)));
    buffer_free(&form);
    assert_true(auth_facts_get(zone->arena, &reader, &facts) && reader_done(&reader));
    size_t at = text_find_char(text_of(row->sender), '@');
    struct spf_answer spf = { .sender = { .outcome = row->spf,
                                          .domain = text_slice(text_of(row->sender), at + 1, SIZE_MAX),
                                          .reason = "" } };
    struct auth_request request = { .facts = &facts, .spf = &spf, .now_s = NOW };
    assert_true(authentication_evaluate(zone->arena, &answers, &request, &result));
    return newsletter_prove(zone->arena, &facts, &result, text_of(row->sender));
}

static void test_rows(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct zone zone = { .arena = arena_new(0) };
        keys_publish(&zone);
        struct newsletter found = prove(&zone, &rows[i]);
        bool is_right = text_equal(found.name, text_of(rows[i].name)) &&
                        text_equal(found.domain, text_of(rows[i].domain));
        if (!is_right && ++wrong)
            print_error("%s: \"%.*s\" of \"%.*s\"\n", rows[i].label, TEXT_ARG(found.name),
                        TEXT_ARG(found.domain));
        arena_free(zone.arena);
    }
    assert_int_equal(wrong, 0);
}

/* What no reader of ours wrote. */
static void test_byte_form(void **state)
{
    (void)state;
    static const struct newsletter_fields bad[] = { { .list_id = TEXT("no dot") },
                                                    { .unsubscribe = TEXT("a\r\nb.test") } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct newsletter_fields back;
        struct buffer form = { 0 };
        newsletter_put(&bad[i], &form);
        struct reader reader = reader_of(buffer_text(&form));
        newsletter_get(&reader, &back);
        assert_false(reader_done(&reader));
        buffer_free(&form);
    }
    struct reader flags = reader_of(text_from("\0\0\0\0\0\0\0\0\x08", 9));
    struct newsletter_fields back;
    newsletter_get(&flags, &back);
    assert_false(reader_done(&flags));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_byte_form) };
    key = private_key_new(KEY_ED25519, 0);
    if (!key) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    private_key_free(key);
    return failed;
}
