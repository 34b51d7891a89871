/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is signed of a message: who is signed for, the fields as they leave, the list that goes to the
   dispatcher, and finished fields on top of recipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/load.h"
#include "mail/mime.h"
#include "scan/seal_compose.h"

static struct config *config;
static struct arena *arena;

static int config_open(void **state)
{
    struct problem_list problems;
    problem_list_start(&problems);
    config = config_load_text(
        TEXT("hostname mx.test\nadmin a@mx.test\nlisten 127.0.0.1:2525\ndomains {\n"
             "ours.test 127.0.0.1:9 { dkim rsa r1:/r1.pem r2:/r2.pem; dkim ed25519 e1:/e1.pem }\n"
             ".below.test 127.0.0.1:9 { dkim rsa r3:/r3.pem }\nplain.test 127.0.0.1:9 }\n"
             "auth { seal ours.test }\n"),
        "test.conf", false, &problems);
    problem_list_free(&problems);
    arena = arena_new(0);
    return config ? 0 : -1;
}

static int config_close(void **state)
{
    config_free(config);
    arena_free(arena);
    return 0;
}

static struct facts facts_of(struct text message, enum direction direction, bool is_judged)
{
    const struct occasion occasion = { .direction = direction };
    struct facts facts = { .lacks_header = header_is_missing(message) };
    const struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    if (is_judged) facts.authentication = TEXT("judged");
    seal_basis_read(arena, config, &occasion, message, mime->parts[0].header, &facts);
    return facts;
}

static void who_is_signed_for(void **state)
{
    static const struct {
        const char *from;
        enum direction direction;
        bool is_judged;
        enum seal_purpose purpose;
    } rows[] = {
        { "From: A <a@ours.test>\r\n", DIRECTION_OUT, false, SEAL_DKIM },
        { "From: a@OURS.test\r\n", DIRECTION_OUT, false, SEAL_DKIM },
        { "From: a@x.below.test\r\n", DIRECTION_OUT, false, SEAL_DKIM },
        { "From: a@plain.test\r\n", DIRECTION_OUT, false, SEAL_NOTHING },
        { "From: a@stranger.test\r\n", DIRECTION_OUT, false, SEAL_NOTHING },
        { "From: a@ours.test, b@plain.test\r\n", DIRECTION_OUT, false, SEAL_NOTHING },
        { "From: a@ours.test\r\nFrom: b@stranger.test\r\n", DIRECTION_OUT, false, SEAL_NOTHING },
        { "Subject: nobody\r\n", DIRECTION_OUT, false, SEAL_NOTHING },
        { "\r\nFrom: a@ours.test\r\n", DIRECTION_OUT, false, SEAL_NOTHING },
        { "From: a@ours.test\r\n", DIRECTION_IN, false, SEAL_NOTHING },
        { "From: a@stranger.test\r\n", DIRECTION_IN, true, SEAL_ARC },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text message = arena_printf(arena, "%s\r\nbody\r\n", rows[i].from);
        struct facts facts = facts_of(message, rows[i].direction, rows[i].is_judged);
        struct seal_basis basis = { 0 };
        bool is_signed = seal_basis_get(arena, facts.seal_basis, &basis);
        if (is_signed != (rows[i].purpose != SEAL_NOTHING) || basis.purpose != rows[i].purpose)
            fail_msg("row %zu", i);
    }
}

/* What is signed of mail whose direction is found out later: by both, then by one. */
static void either_of_both(void **state)
{
    static const struct {
        const char *from;
        enum tenancy read, found;
        enum seal_purpose purpose; /* of the list */
    } rows[] = {
        { "a@ours.test", TENANCY_CERTIFICATE, TENANCY_CERTIFICATE, SEAL_DKIM },
        { "a@ours.test", TENANCY_OPEN, TENANCY_SIGNATURE, SEAL_DKIM },
        { "a@ours.test", TENANCY_OPEN, TENANCY_UNPROVEN, SEAL_ARC },
        { "a@ours.test", TENANCY_UNPROVEN, TENANCY_UNPROVEN, SEAL_ARC },
        { "a@plain.test", TENANCY_OPEN, TENANCY_SIGNATURE, SEAL_NOTHING },
        { "a@plain.test", TENANCY_OPEN, TENANCY_UNPROVEN, SEAL_ARC },
        { "a@plain.test", TENANCY_CERTIFICATE, TENANCY_CERTIFICATE, SEAL_NOTHING },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct occasion occasion = { .id = 1, .is_undecided = true };
        struct text message = arena_printf(arena, "From: %s\r\n\r\nbody\r\n", rows[i].from);
        const struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
        struct facts facts = { .tenancy = rows[i].read };
        struct auth_judgement judgement = { .is_made = rows[i].found == TENANCY_UNPROVEN };
        struct recipe recipe = { .edits = edits_none };
        bool is_out = rows[i].found != TENANCY_UNPROVEN;
        struct verdict verdict = { .code = 250,
                                   .recipe_count = 1,
                                   .recipes = &recipe,
                                   .tenancy = rows[i].found,
                                   .direction = is_out ? DIRECTION_OUT : DIRECTION_IN };
        const struct seal_source source = { .config = config,
                                            .occasion = &occasion,
                                            .facts = &facts,
                                            .authentication = &judgement,
                                            .verdict = &verdict };
        struct seal_list list = { 0 };
        if (rows[i].read != TENANCY_CERTIFICATE) facts.authentication = TEXT("judged");
        seal_basis_read(arena, config, &occasion, message, mime->parts[0].header, &facts);
        if (!seal_compose(arena, &source, &list)) list.purpose = SEAL_NOTHING;
        if (list.purpose != rows[i].purpose) fail_msg("row %zu: %d", i, (int)list.purpose);
    }
}

/* Edits are of the whole message; the fields are those that are kept of it. */
static void fields_as_they_leave(void **state)
{
    static const struct text message = TEXT("X-Spam-Flag: YES\r\nFrom: a@ours.test\r\nX-Other: 1\r\n"
                                            "Subject: news\r\nX-Last: 2\r\n\r\nbody\r\n");
    struct facts facts = facts_of(message, DIRECTION_OUT, false);
    struct seal_basis basis;
    struct edits edits = { .arena = arena };
    assert_true(seal_basis_get(arena, facts.seal_basis, &basis));
    assert_int_equal(basis.count, 2);
    edits_insert_top(&edits, TEXT("X-Virus-Scanned: yes\r\n"));
    edits_add(&edits, 0, 18, TEXT_NONE);
    edits_add(&edits, text_find(message, TEXT("news")), 0, TEXT("[SPAM] "));
    edits_add(&edits, text_find(message, TEXT("\r\n\r\n")) + 2, 0, TEXT("Subject: more\r\n"));
    struct text leaves = seal_basis_apply(arena, &basis, TEXT("Date: now\r\n"), &edits);
    assert_true(text_equal(leaves, TEXT("Date: now\r\nX-Virus-Scanned: yes\r\nFrom: a@ours.test\r\n"
                                        "Subject: [SPAM] news\r\nSubject: more\r\n\r\n")));
}

static void too_long_is_said(void **state)
{
    struct buffer message = { 0 };
    buffer_printf(&message, "From: a@ours.test\r\nTo: ");
    for (int i = 0; i < 6000; i++) buffer_printf(&message, "user%d@x.test,\r\n ", i);
    buffer_printf(&message, "z@x.test\r\n\r\nbody\r\n");
    struct facts facts = facts_of(buffer_text(&message), DIRECTION_OUT, false);
    struct seal_basis basis;
    assert_true(seal_basis_get(arena, facts.seal_basis, &basis) && basis.why.length > 0 && basis.count == 0);
    buffer_free(&message);
    facts = facts_of(TEXT("From: a@ours.test\r\n\r\nx\r\n"), DIRECTION_OUT, false);
    seal_basis_drop(arena, &facts);
    assert_true(seal_basis_get(arena, facts.seal_basis, &basis) && basis.why.length > 0);
}

static struct text edits_of(struct text top, uint64_t offset, struct text insert)
{
    struct edits edits = { .arena = arena };
    struct buffer bytes = { 0 };
    edits_insert_top(&edits, top);
    if (insert.length > 0) edits_add(&edits, offset, 0, insert);
    edits_encode(&edits, &bytes);
    struct text encoded = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
    return encoded;
}

/* Two recipes that differ on top alone are one message to be signed; a third is another. */
static void list_of_a_verdict(struct seal_list *out)
{
    static const struct text message = TEXT("From: a@ours.test\r\nSubject: news\r\n\r\nbody\r\n");
    static struct recipe recipes[3];
    static struct facts facts;
    static const struct occasion occasion = { .id = 1, .direction = DIRECTION_OUT };
    facts = facts_of(message, DIRECTION_OUT, false);
    recipes[0].edits = edits_of(TEXT("X-A: 1\r\n"), 0, TEXT_NONE);
    recipes[1].edits = edits_of(TEXT("X-A: 2\r\n"), 0, TEXT_NONE);
    recipes[2].edits = edits_of(TEXT("X-A: 1\r\n"), text_find(message, TEXT("news")), TEXT("[X] "));
    struct verdict verdict = { .code = 250, .recipe_count = 3, .recipes = recipes };
    const struct seal_source source = { .config = config,
                                        .occasion = &occasion,
                                        .prefix = TEXT("Received: x\r\n"),
                                        .facts = &facts,
                                        .verdict = &verdict };
    assert_true(seal_compose(arena, &source, out));
    verdict.code = 550;
    struct seal_list none;
    assert_false(seal_compose(arena, &source, &none));
}

static void each_form_by_each_key(void **state)
{
    struct seal_list list, again;
    struct buffer bytes = { 0 };
    list_of_a_verdict(&list);
    assert_int_equal(list.count, 6); /* three keys, two forms */
    assert_int_equal(list.drafts[0].recipes, 3);
    assert_int_equal(list.drafts[3].recipes, 4);
    assert_true(text_equal(list.drafts[0].key, TEXT("r1._domainkey.ours.test")));
    assert_true(text_equal(list.drafts[2].key, TEXT("e1._domainkey.ours.test")));
    assert_memory_not_equal(list.drafts[0].fields.message.digest, list.drafts[3].fields.message.digest,
                            KEY_DIGEST_BYTES);
    seal_list_put(&list, &bytes);
    assert_true(seal_list_get(arena, buffer_text(&bytes), &again));
    assert_int_equal(again.count, 6);
    assert_true(text_equal(again.drafts[5].fields.message.before, list.drafts[5].fields.message.before));
    for (size_t length = 0; length < buffer_length(&bytes); length++)
        assert_false(seal_list_get(arena, text_slice(buffer_text(&bytes), 0, length), &again));
    buffer_free(&bytes);
}

static void fields_on_top(void **state)
{
    struct seal_list list;
    struct text field, fields[RECIPES_MOST] = { 0 };
    struct edits edits;
    list_of_a_verdict(&list);
    assert_true(seal_draft_signed(arena, &list, &list.drafts[0], TEXT("signature"), &field));
    assert_true(text_starts(field, TEXT("DKIM-Signature: v=1; a=rsa-sha256;")));
    struct recipe recipe = { .edits = edits_of(TEXT("X-A: 1\r\n"), 30, TEXT("tag")) };
    struct verdict verdict = { .recipe_count = 1, .recipes = &recipe };
    fields[0] = field;
    assert_true(seal_fields_put(arena, fields, &verdict));
    assert_true(edits_decode(arena, verdict.recipes[0].edits, 1000, &edits));
    assert_int_equal(edits.count, 3);
    assert_true(text_equal(edits.items[0].insert, field) &&
                text_equal(edits.items[1].insert, TEXT("X-A: 1\r\n")));
    char *much = arena_alloc(arena, RECIPES_BYTES_MOST);
    memset(much, 'x', RECIPES_BYTES_MOST);
    fields[0] = text_from(much, RECIPES_BYTES_MOST);
    assert_false(seal_fields_put(arena, fields, &verdict));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_signed_for), cmocka_unit_test(fields_as_they_leave),
        cmocka_unit_test(too_long_is_said),  cmocka_unit_test(each_form_by_each_key),
        cmocka_unit_test(fields_on_top),     cmocka_unit_test(either_of_both),
    };
    return cmocka_run_group_tests(tests, config_open, config_close);
}
