/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: which list sent a message, and did its author write to it. Each row is a post that a list altered but
   for one thing, or a forgery: a genuine header of the author's with another body, sent by the forger's list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/list_excuse.h"
#include "auth/private_key.h"
#include "judged.h"

enum { NOW = 1700000000 };

#define TAGS "v=1; c=relaxed/relaxed; a=ed25519-sha256; "
#define BANK TAGS "d=bank.test; s=s"
#define NAMES "from:to:cc:subject"
#define POST "From: a@bank.test\r\nTo: tech@lists.test\r\nSubject: one\r\n"
#define LISTED "List-Id: Technology <tech.lists.test>\r\nList-Post: <mailto:tech@lists.test>\r\n"
#define FOOTER "Hello\r\n-- \r\nhow to leave\r\n"
#define BOUNCE "tech-bounces@lists.test"

static struct private_key *key, *list_key;

static const struct row {
    const char *name;
    const char *tags, *names; /* of the author's signature; NULL: none */
    const char *header;       /* as the author signed it, over the body "Hello" */
    const char *altered;      /* the same as it came; NULL: as he signed it */
    const char *list, *body;  /* what stands above, and the body that came */
    const char *sender;       /* MAIL FROM */
    enum spf_outcome spf;     /* of its domain */
    bool is_signed_by_list;   /* by lists.test, over what came */
    const char *domain;       /* of the list */
    bool is_altered_post;
} rows[] = {
    { "a footer", BANK, NAMES, POST, NULL, LISTED, FOOTER, BOUNCE, SPF_PASS, false, "lists.test", true },
    { "RSA of another selector beside it makes no difference", BANK "; i=@mail.bank.test", NAMES, POST, NULL,
      LISTED, FOOTER, BOUNCE, SPF_PASS, false, "lists.test", true },
    { "in Cc", BANK, NAMES,
      "From: a@bank.test\r\nTo: b@x.test\r\nCc: T <Tech@Lists.test>\r\nSubject: one\r\n", NULL, LISTED,
      FOOTER, BOUNCE, SPF_PASS, false, "lists.test", true },
    { "among others", BANK, NAMES,
      "From: a@bank.test\r\nTo: b@x.test,\r\n \"T, (x\" <tech@lists.test>\r\nSubject: one\r\n", NULL, LISTED,
      FOOTER, BOUNCE, SPF_PASS, false, "lists.test", true },
    { "in brackets with a name", BANK, NAMES,
      "From: a@bank.test\r\nTo: Tech <tech@lists.test>\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE,
      SPF_PASS, false, "lists.test", true },
    { "in a group", BANK, NAMES,
      "From: a@bank.test\r\nTo: all: b@x.test, tech@lists.test;\r\nSubject: one\r\n", NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", true },
    { "of a department, the organization signs", BANK, NAMES,
      "From: a@dept.bank.test\r\nTo: tech@lists.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE,
      SPF_PASS, false, "lists.test", true },
    { "the same with a record of its own", BANK, NAMES,
      "From: a@own.bank.test\r\nTo: tech@lists.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE,
      SPF_PASS, false, "lists.test", true },
    { "precedence in place of List-Post", BANK, NAMES, POST, NULL,
      "List-Id: <tech.lists.test>\r\nPrecedence: Bulk\r\n", FOOTER, BOUNCE, SPF_PASS, false, "lists.test",
      true },
    { "named without brackets", BANK, NAMES, POST, NULL, "List-Id: TECH.lists.test\r\nPrecedence: list\r\n",
      FOOTER, BOUNCE, SPF_PASS, false, "lists.test", true },
    { "the list signs, SPF knows nothing", BANK, NAMES, POST, NULL, LISTED, FOOTER, BOUNCE, SPF_NONE, true,
      "lists.test", true },
    { "its bounces go elsewhere", BANK, NAMES, POST, NULL, LISTED, FOOTER, "b@mailer.test", SPF_FAIL, true,
      "lists.test", true },
    { "a domain below", BANK, NAMES, POST, NULL, LISTED, FOOTER, "b@Out.lists.test", SPF_NONE, true,
      "out.lists.test", true },

    { "strict in all", TAGS "d=all.test; s=s", NAMES,
      "From: a@all.test\r\nTo: tech@lists.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE, SPF_PASS,
      false, "lists.test", true },

    { "the body is as it was", BANK, NAMES, POST, NULL, LISTED, "Hello\r\n", BOUNCE, SPF_PASS, false,
      "lists.test", false },
    { "the subject is tagged", BANK, NAMES, POST,
      "From: a@bank.test\r\nTo: tech@lists.test\r\nSubject: [t] one\r\n", LISTED, FOOTER, BOUNCE, SPF_PASS,
      false, "lists.test", false },
    { "nobody signed", NULL, NULL, POST, NULL, LISTED, FOOTER, BOUNCE, SPF_PASS, false, "lists.test", false },
    { "a forger signs as himself", TAGS "d=evil.test; s=s", NAMES, POST, NULL, LISTED, FOOTER, BOUNCE,
      SPF_PASS, false, "lists.test", false },
    { "a forger has no key of the bank's", TAGS "d=bank.test; s=other", NAMES, POST, NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "a letter of the bank's to him", BANK, NAMES,
      "From: a@bank.test\r\nTo: me@evil.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE, SPF_PASS,
      false, "lists.test", false },
    { "and another To above", BANK, NAMES, "From: a@bank.test\r\nTo: me@evil.test\r\nSubject: one\r\n",
      "To: tech@lists.test\r\nFrom: a@bank.test\r\nTo: me@evil.test\r\nSubject: one\r\n", LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "and a Cc where there was none", BANK, "from:to:subject",
      "From: a@bank.test\r\nTo: me@evil.test\r\nSubject: one\r\n",
      "From: a@bank.test\r\nTo: me@evil.test\r\nCc: tech@lists.test\r\nSubject: one\r\n", LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "a letter whose To says it in a name", BANK, NAMES,
      "From: a@bank.test\r\nTo: \"tech@lists.test\" <me@evil.test>\r\nSubject: one\r\n", NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "in a comment", BANK, NAMES,
      "From: a@bank.test\r\nTo: me@evil.test (tech@lists.test)\r\nSubject: one\r\n", NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "to a longer name", BANK, NAMES,
      "From: a@bank.test\r\nTo: tech@lists.test.evil.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE,
      SPF_PASS, false, "lists.test", false },
    { "to a list beside it", BANK, NAMES, "From: a@bank.test\r\nTo: hightech@lists.test\r\nSubject: one\r\n",
      NULL, LISTED, FOOTER, BOUNCE, SPF_PASS, false, "lists.test", false },
    { "it is called so", BANK, NAMES,
      "From: a@bank.test\r\nTo: tech@lists.test <me@evil.test>\r\nSubject: one\r\n", NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "behind an address", BANK, NAMES,
      "From: a@bank.test\r\nTo: <me@evil.test> tech@lists.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "called so in an encoded word", BANK, NAMES,
      "From: a@bank.test\r\nTo: =?utf-8?q?tech@lists.test?= <me@evil.test>\r\nSubject: one\r\n", NULL, LISTED,
      FOOTER, BOUNCE, SPF_PASS, false, "lists.test", false },
    { "another mailbox of that host", BANK, NAMES,
      "From: a@bank.test\r\nTo: x!tech@lists.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE,
      SPF_PASS, false, "lists.test", false },
    { "a longer host", BANK, NAMES,
      "From: a@bank.test\r\nTo: tech@lists.test\xc3\xa9.evil.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "somebody else's list", BANK, NAMES, POST, NULL, LISTED, FOOTER, "x@evil.test", SPF_PASS, false, "",
      true },
    { "the subject is not signed", BANK, "from:to", POST, NULL, LISTED, FOOTER, BOUNCE, SPF_PASS, false,
      "lists.test", false },
    { "To is not signed", BANK, "from:subject", POST, NULL, LISTED, FOOTER, BOUNCE, SPF_PASS, false,
      "lists.test", false },
    { "another author beside him", BANK, NAMES,
      "From: a@bank.test, b@bank.test\r\nTo: tech@lists.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER,
      BOUNCE, SPF_PASS, false, "lists.test", false },
    { "another From above", BANK, NAMES, POST, "From: c@bank.test\r\n" POST, LISTED, FOOTER, BOUNCE, SPF_PASS,
      false, "lists.test", false },
    { "it is over", BANK "; x=1699999999", NAMES, POST, NULL, LISTED, FOOTER, BOUNCE, SPF_PASS, false,
      "lists.test", false },
    { "a key for tests", TAGS "d=bank.test; s=trial", NAMES, POST, NULL, LISTED, FOOTER, BOUNCE, SPF_PASS,
      false, "lists.test", false },
    { "strict, and the organization signs", TAGS "d=strict.test; s=s", NAMES,
      "From: a@dept.strict.test\r\nTo: tech@lists.test\r\nSubject: one\r\n", NULL, LISTED, FOOTER, BOUNCE,
      SPF_PASS, false, "lists.test", false },

    { "no list", BANK, NAMES, POST, NULL, "", FOOTER, BOUNCE, SPF_PASS, false, "", false },
    { "neither List-Post nor Precedence", BANK, NAMES, POST, NULL, "List-Id: <tech.lists.test>\r\n", FOOTER,
      BOUNCE, SPF_PASS, false, "", false },
    { "two ids", BANK, NAMES, POST, NULL, LISTED "List-Id: <tech.lists.test>\r\n", FOOTER, BOUNCE, SPF_PASS,
      false, "", false },
    { "no dot in it", BANK, NAMES, POST, NULL, "List-Id: <tech>\r\nPrecedence: list\r\n", FOOTER, BOUNCE,
      SPF_PASS, false, "", false },
    { "an empty atom", BANK, NAMES, POST, NULL, "List-Id: <tech..lists.test>\r\nPrecedence: list\r\n", FOOTER,
      BOUNCE, SPF_PASS, false, "", false },
    { "an end of a comment in it", BANK, NAMES, POST, NULL,
      "List-Id: <tech).lists.test>\r\nPrecedence: list\r\n", FOOTER, BOUNCE, SPF_PASS, false, "", false },
    { "nothing proves the sender", BANK, NAMES, POST, NULL, LISTED, FOOTER, BOUNCE, SPF_SOFTFAIL, false, "",
      true },
    { "a U-label", BANK, NAMES, POST, NULL, LISTED, FOOTER, "b@l\xc3\xafsts.test", SPF_PASS, false, "",
      true },
    { "a bounce", BANK, NAMES, POST, NULL, LISTED, FOOTER, "", SPF_PASS, true, "", true },
    { "the author's own sender", BANK, NAMES, POST, NULL, LISTED, FOOTER, "x@mail.bank.test", SPF_PASS, false,
      "", false },
};

static struct text body_on(struct arena *arena, const char *header, const char *body)
{
    return arena_printf(arena, "%s\r\n%s", header, body);
}

/* The signature field that the author made, or nothing. */
static struct text author_field(struct arena *arena, const struct row *row)
{
    if (!row->tags) return TEXT_NONE;
    struct text whole = judged_sign(arena, key, row->tags, row->names, CANONICAL_RELAXED, CANONICAL_RELAXED,
                                    -1, body_on(arena, row->header, "Hello\r\n"));
    return text_slice(whole, 0, text_find(whole, TEXT("\r\n")) + 2);
}

static struct text message_of(struct arena *arena, const struct row *row)
{
    struct text came = body_on(arena, row->altered ? row->altered : row->header, row->body);
    struct text field = author_field(arena, row);
    came = arena_printf(arena, "%s%.*s%.*s", row->list, TEXT_ARG(field), TEXT_ARG(came));
    if (!row->is_signed_by_list) return came;
    return judged_sign(arena, list_key, TAGS "d=lists.test; s=s", "from:to:list-id", CANONICAL_RELAXED,
                       CANONICAL_RELAXED, -1, came);
}

static void keys_publish(struct zone *zone)
{
    static const char *const signers[] = { "s._domainkey.bank.test", "s._domainkey.evil.test",
                                           "s._domainkey.strict.test", "s._domainkey.all.test" };
    struct text record = judged_record_of(zone->arena, key);
    for (size_t i = 0; i < sizeof signers / sizeof *signers; i++)
        zone_add_txt(zone, text_of(signers[i]), record);
    zone_add_txt(zone, TEXT("trial._domainkey.bank.test"),
                 arena_printf(zone->arena, "%.*s; t=y", TEXT_ARG(record)));
    zone_add_txt(zone, TEXT("other._domainkey.bank.test"), judged_record_of(zone->arena, list_key));
    zone_add_txt(zone, TEXT("s._domainkey.lists.test"), judged_record_of(zone->arena, list_key));
    zone_add_txt(zone, TEXT("_dmarc.bank.test"), TEXT("v=DMARC1; p=reject"));
    zone_add_txt(zone, TEXT("_dmarc.own.bank.test"), TEXT("v=DMARC1; p=reject"));
    zone_add_txt(zone, TEXT("_dmarc.all.test"), TEXT("v=DMARC1; p=reject; adkim=s; aspf=s"));
    zone_add_txt(zone, TEXT("_dmarc.strict.test"), TEXT("v=DMARC1; p=reject; adkim=s"));
}

/* Through the byte form of the facts. */
static void judge(struct zone *zone, const struct row *row, struct auth_facts *out_facts,
                  struct authentication *out)
{
    struct header header;
    struct buffer form = { 0 };
    struct dns_answers answers = zone_answers(zone);
    struct text message = message_of(zone->arena, row);
    judged_header(zone->arena, message, &header);
    auth_facts_read(zone->arena, message, &header, out_facts);
    auth_facts_put(out_facts, &form);
    struct reader reader = reader_of(arena_text(zone->arena, buffer_text(&form)));
    buffer_free(&form);
    assert_true(auth_facts_get(zone->arena, &reader, out_facts) && reader_done(&reader));
    size_t at = text_find_char(text_of(row->sender), '@');
    struct spf_answer spf = { .sender = { .outcome = row->spf,
                                          .domain = text_slice(text_of(row->sender), at + 1, SIZE_MAX),
                                          .reason = "" } };
    struct auth_request request = { .facts = out_facts, .spf = &spf, .now_s = NOW };
    assert_true(authentication_evaluate(zone->arena, &answers, &request, out));
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct zone zone = { .arena = arena_new(0) };
        struct auth_facts facts;
        struct authentication result;
        keys_publish(&zone);
        judge(&zone, row, &facts, &result);
        struct text domain = list_excuse_domain(zone.arena, &facts, &result, text_of(row->sender));
        bool is_altered_post = list_excuse_is_altered_post(&facts, &result);
        if (!text_equal(domain, text_of(row->domain)) || is_altered_post != row->is_altered_post)
            fail_msg("%s: of \"%.*s\", %s", row->name, TEXT_ARG(domain),
                     is_altered_post ? "excused" : "not excused");
        if (is_altered_post && !authentication_fails_as_forwarded(&facts, &result))
            fail_msg("%s: not as forwarding makes it", row->name);
        arena_free(zone.arena);
    }
}

/* --- what is asked ahead --- */

static bool keys_alone(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    struct dns_answers whole = zone_answers(context);
    return text_find(name, TEXT("._domainkey.")) < name.length && whole.at_hand(context, name, type, out);
}

/* The policy question brings all that aligns a signature of the organization with an author who has a record
   of his own, whichever of SPF and DKIM is strict there. */
static void test_asked_ahead(void **state)
{
    static const struct row post = {
        .tags = BANK,
        .names = NAMES,
        .list = LISTED,
        .body = FOOTER,
        .sender = BOUNCE,
        .header = "From: a@dept.bank.test\r\nTo: tech@lists.test\r\nSubject: one\r\n"
    };
    static const char *const records[] = { "v=DMARC1; p=reject", "v=DMARC1; p=reject; aspf=s",
                                           "v=DMARC1; p=reject; adkim=s" };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct zone zone = { .arena = arena_new(0) };
        struct auth_facts facts;
        struct authentication result;
        struct buffer question = { 0 };
        keys_publish(&zone);
        zone_add_txt(&zone, TEXT("_dmarc.dept.bank.test"), text_of(records[i]));
        struct dns_answers answers = zone_answers(&zone);
        judge(&zone, &post, &facts, &result);
        auth_policy_question_put(&facts, TEXT("lists.test"), &question);
        assert_true(auth_policy_look(zone.arena, &answers, buffer_text(&question), NULL));
        answers.at_hand = keys_alone;
        struct spf_answer spf = { .sender = {
                                      .outcome = SPF_PASS, .domain = TEXT("lists.test"), .reason = "" } };
        struct auth_request request = { .facts = &facts, .spf = &spf, .now_s = NOW };
        assert_true(authentication_evaluate(zone.arena, &answers, &request, &result));
        assert_int_equal(list_excuse_is_altered_post(&facts, &result), i < 2);
        buffer_free(&question);
        arena_free(zone.arena);
    }
}

/* As long as an id may be, and one byte longer. */
static void test_long_ids(void **state)
{
    for (int more = 0; more < 2; more++) {
        struct arena *arena = arena_new(0);
        struct header header;
        struct mailing_list list;
        char label[MAILING_LIST_ID_MOST] = { 0 };
        memset(label, 'x', MAILING_LIST_ID_MOST - 5 + (size_t)more);
        judged_header(arena, arena_printf(arena, "Precedence: list\r\nList-Id: <%s.test>\r\n\r\n", label),
                      &header);
        mailing_list_read(arena, &header, &list);
        assert_int_equal(list.id.length, more ? 0 : MAILING_LIST_ID_MOST);
        arena_free(arena);
    }
}

static int keys_make(void **state)
{
    key = private_key_new(KEY_ED25519, 0);
    list_key = private_key_new(KEY_ED25519, 0);
    return key && list_key ? 0 : -1;
}

static int keys_free(void **state)
{
    private_key_free(key);
    private_key_free(list_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_asked_ahead),
                                        cmocka_unit_test(test_long_ids) };
    return cmocka_run_group_tests(tests, keys_make, keys_free);
}
