/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ARC chains that we make ourselves, set upon set, and what becomes of them when something is altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "auth/arc_seal.h"
#include "auth/private_key.h"
#include "judged.h"

enum { NOW = 1700000000 };

static struct private_key *key;

static int key_make(void **state)
{
    key = private_key_new(KEY_ED25519, 0);
    return key ? 0 : -1;
}

static int key_free(void **state)
{
    private_key_free(key);
    return 0;
}

static struct zone *relay_zone(void)
{
    struct buffer record = { 0 };
    struct arena *arena = arena_new(1 << 16);
    struct zone *zone = zone_new(arena);
    private_key_record_add(key, &record);
    zone_add_txt(zone, TEXT("s._domainkey.relay.test"), arena_text(arena, buffer_text(&record)));
    buffer_free(&record);
    return zone;
}

static struct text signature_of(struct arena *arena, const uint8_t *digest)
{
    struct buffer raw = { 0 };
    assert_true(private_key_sign(key, digest, &raw));
    struct text signature = arena_text(arena, buffer_text(&raw));
    buffer_free(&raw);
    return signature;
}

/* The message with one set more; as it is where no set may be added. */
static struct text sealed(struct zone *zone, struct text message)
{
    struct judged judged;
    struct arc_sealing sealing;
    uint8_t body[KEY_DIGEST_BYTES];
    struct arc_seal_wish wish = {
        .signer = { TEXT("relay.test"), TEXT("s"), KEY_ED25519 },
        .authserv_id = TEXT("mx.relay.test"),
        .payload =
            TEXT("; spf=pass smtp.mailfrom=a@example.org; dkim=fail reason=\"a long reason that has to be "
                 "folded\" header.d=example.org"),
        .now_s = NOW,
    };
    judged_make(zone, message, NOW, &judged);
    dkim_signing_body(text_slice(message, judged.header.body_offset, message.length), body);
    if (!arc_seal_begin(zone->arena, &judged.header, body, &judged.signatures.arc, &judged.arc, &wish,
                        &sealing))
        return message;
    arc_seal_message(zone->arena, &sealing, signature_of(zone->arena, sealing.message.digest));
    struct text set = arc_seal_end(zone->arena, &sealing, signature_of(zone->arena, sealing.seal.digest));
    return arena_printf(zone->arena, "%.*s%.*s", TEXT_ARG(set), TEXT_ARG(message));
}

static const char message_text[] = "From: a@example.org\r\nSubject: one\r\n\r\nHello\r\n";

static struct text replaced(struct arena *arena, struct text text, const char *from, const char *to)
{
    size_t at = text_find(text, text_of(from));
    assert_true(at < text.length);
    return arena_printf(arena, "%.*s%s%.*s", TEXT_ARG(text_slice(text, 0, at)), to,
                        TEXT_ARG(text_slice(text, at + strlen(from), text.length)));
}

static void test_sets_upon_sets(void **state)
{
    struct judged judged;
    struct zone *zone = relay_zone();
    struct text message = text_of(message_text);
    double begun = (double)clock() / CLOCKS_PER_SEC;
    for (uint32_t sets = 0; sets <= ARC_SETS_MOST; sets++) {
        if (sets < 4 || sets > 48) {
            judged_make(zone, message, NOW, &judged);
            assert_int_equal(judged.arc.result, sets ? AUTH_PASS : AUTH_NONE);
            assert_int_equal(judged.arc.sets, sets);
            assert_int_equal(judged.arc.oldest_pass, 0);
        }
        struct text next = sealed(zone, message);
        assert_int_equal(next.length > message.length, sets < ARC_SETS_MOST);
        message = next;
    }
    assert_true((double)clock() / CLOCKS_PER_SEC - begun < 5);
    arena_free(zone->arena);
}

static void test_alterations(void **state)
{
    static const struct {
        const char *from, *to;
        enum arc_reason reason;
        uint32_t failed_set;
        enum dkim_reason message;
    } rows[] = {
        { "Hello", "Hullo", ARC_MESSAGE, 3, DKIM_BODY_DIFFERS },
        { "Subject: one", "Subject: two", ARC_MESSAGE, 3, DKIM_SIGNATURE_DIFFERS },
        { "i=1; mx", "i=1; MX", ARC_SEAL, 3, DKIM_GOOD },
        { "cv=none", "cv=pass", ARC_CV, 1, DKIM_GOOD },
        { "cv=pass", "cv=fail", ARC_CV_FAILED, 3, DKIM_GOOD },
        { "cv=pass", "cv=none", ARC_CV, 3, DKIM_GOOD },
        { "cv=pass", "cv=PASS", ARC_SYNTAX, 3, DKIM_GOOD },
        { "cv=pass; ", "", ARC_SYNTAX, 3, DKIM_GOOD },
        { "i=3;", "i=4;", ARC_INCOMPLETE, 3, DKIM_GOOD },
        { "i=3;", "i=2;", ARC_DOUBLED, 2, DKIM_GOOD },
        { "i=3;", "i=0;", ARC_SYNTAX, 0, DKIM_GOOD },
        { "i=3;", "i=51;", ARC_TOO_MANY, 0, DKIM_GOOD },
        { "i=3;", "i=x;", ARC_SYNTAX, 0, DKIM_GOOD },
        { "i=3;", "", ARC_SYNTAX, 0, DKIM_GOOD },
        { "ARC-Seal:", "X-Seal:", ARC_INCOMPLETE, 3, DKIM_GOOD },
        { "ARC-Seal: ", "ARC-Seal: h=from; ", ARC_SEAL, 3, DKIM_GOOD },
        { "h=From:", "h=arc-seal:From:", ARC_MESSAGE, 3, DKIM_SEAL_FIELDS },
        { "d=relay.test", "d=other.test", ARC_SEAL, 3, DKIM_GOOD },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct judged judged;
        struct zone *zone = relay_zone();
        struct text message = sealed(zone, sealed(zone, sealed(zone, text_of(message_text))));
        judged_make(zone, replaced(zone->arena, message, rows[i].from, rows[i].to), NOW, &judged);
        if (judged.arc.reason != rows[i].reason)
            print_message("row %zu: %s\n", i, arc_reason_name(judged.arc.reason));
        assert_int_equal(judged.arc.result, AUTH_FAIL);
        assert_int_equal(judged.arc.reason, rows[i].reason);
        assert_int_equal(judged.arc.failed_set, rows[i].failed_set);
        if (judged.arc.by_set) assert_int_equal(judged.arc.by_set[2].message.reason, rows[i].message);
        assert_true(*arc_reason_text(judged.arc.reason) != '\0');
        arena_free(zone->arena);
    }
}

/* A list that alters the body and seals behind it: the older message signatures hold no more. */
static void test_oldest_pass(void **state)
{
    struct judged judged;
    struct zone *zone = relay_zone();
    struct text message = sealed(zone, sealed(zone, text_of(message_text)));
    struct text whole = message;
    struct header header;
    struct message_signatures signatures;
    judged_header(zone->arena, whole, &header);
    message_signatures_read(zone->arena, whole, &header, &signatures);
    judged_make(zone, whole, NOW, &judged);
    struct arc_sealing sealing;
    uint8_t body[KEY_DIGEST_BYTES];
    struct text altered = replaced(zone->arena, whole, "Hello", "Hello and more");
    struct arc_seal_wish wish = { .signer = { TEXT("relay.test"), TEXT("s"), KEY_ED25519 },
                                  .authserv_id = TEXT("list.test"),
                                  .payload = TEXT("; none"),
                                  .now_s = NOW };
    judged_header(zone->arena, altered, &header);
    dkim_signing_body(text_slice(altered, header.body_offset, altered.length), body);
    assert_true(arc_seal_begin(zone->arena, &header, body, &signatures.arc, &judged.arc, &wish, &sealing));
    arc_seal_message(zone->arena, &sealing, signature_of(zone->arena, sealing.message.digest));
    struct text set = arc_seal_end(zone->arena, &sealing, signature_of(zone->arena, sealing.seal.digest));
    judged_make(zone, arena_printf(zone->arena, "%.*s%.*s", TEXT_ARG(set), TEXT_ARG(altered)), NOW, &judged);
    assert_int_equal(judged.arc.result, AUTH_PASS);
    assert_int_equal(judged.arc.oldest_pass, 3);
    arena_free(zone->arena);
}

static void test_a_failed_chain_is_sealed_once(void **state)
{
    struct judged judged;
    struct zone *zone = relay_zone();
    struct text message = replaced(zone->arena, sealed(zone, text_of(message_text)), "Hello", "Hullo");
    struct text failed = sealed(zone, message);
    assert_true(failed.length > message.length);
    assert_true(text_find(failed, TEXT("cv=fail")) < failed.length);
    judged_make(zone, failed, NOW, &judged);
    assert_int_equal(judged.arc.reason, ARC_CV_FAILED);
    assert_int_equal(sealed(zone, failed).length, failed.length);
    arena_free(zone->arena);
}

static void test_results_of_a_sealer(void **state)
{
    struct judged judged;
    struct authentication_results results;
    struct zone *zone = relay_zone();
    judged_make(zone, sealed(zone, sealed(zone, text_of(message_text))), NOW, &judged);
    assert_true(arc_results_read(zone->arena, &judged.signatures.arc, 2, &results));
    assert_true(text_equal(results.authserv_id, TEXT("mx.relay.test")));
    assert_int_equal(results.count, 2);
    const struct auth_statement *spf = authentication_results_find(&results, TEXT("spf"));
    assert_int_equal(spf->result, AUTH_PASS);
    assert_true(text_equal(authentication_results_property(spf, TEXT("smtp"), TEXT("mailfrom")),
                           TEXT("a@example.org")));
    assert_false(arc_results_read(zone->arena, &judged.signatures.arc, 0, &results));
    assert_false(arc_results_read(zone->arena, &judged.signatures.arc, 3, &results));
    arena_free(zone->arena);
}

static void test_keys_that_are_not_there(void **state)
{
    struct judged judged;
    struct zone *zone = relay_zone();
    struct text message = sealed(zone, text_of(message_text));
    zone_clear(zone);
    zone_add(zone, TEXT("s._domainkey.relay.test"), TEXT("TIMEOUT"), TEXT_NONE);
    judged_make(zone, message, NOW, &judged);
    assert_int_equal(judged.arc.result, AUTH_FAIL);
    assert_int_equal(judged.arc.reason, ARC_UNREACHABLE);
    zone_clear(zone);
    judged_make(zone, message, NOW, &judged);
    assert_int_equal(judged.arc.reason, ARC_MESSAGE);
    assert_int_equal(judged.arc.by_set[0].message.reason, DKIM_KEY_MISSING);
    arena_free(zone->arena);
}

/* The byte form of the worst that can be sent fits the frame between scan's processes (120 KB). */
static void test_the_largest_byte_form(void **state)
{
    struct judged judged;
    struct buffer message = { 0 }, form = { 0 };
    struct zone zone = { .arena = arena_new(1 << 20) };
    char signature[800], name[121], comment[2000];
    memset(signature, 'A', sizeof signature);
    memset(name, 'a', sizeof name);
    memset(comment, 'c', sizeof comment);
    for (int i = 0; i < 4; i++) name[30 * i + 29] = '.';
    for (int i = 0; i < 20; i++)
        buffer_printf(&message,
                      "DKIM-Signature: v=1; a=rsa-sha256; d=%.110s; s=%.110s; i=%.190s@%.110s; h=from; "
                      "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=%.680s\r\n",
                      name, name, comment, name, signature);
    for (int i = 1; i <= 50; i++)
        buffer_printf(&message,
                      "ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=%.110s; s=%.80s; b=%.400s\r\n"
                      "ARC-Message-Signature: i=%d; a=rsa-sha256; d=%.110s; s=%.80s; h=from; "
                      "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=%.400s\r\n"
                      "ARC-Authentication-Results: i=%d; %.1900s\r\n",
                      i, i == 1 ? "none" : "pass", name, name, signature, i, name, name, signature, i,
                      comment);
    buffer_printf(&message, "From: a@b.test\r\n\r\n");
    judged_make(&zone, buffer_text(&message), NOW, &judged);
    message_signatures_put(&judged.signatures, &form);
    assert_int_equal(judged.signatures.dkim.count, 16);
    assert_int_equal(judged.signatures.arc.count, 50);
    assert_true(buffer_length(&form) < 100 * 1024);
    buffer_free(&message);
    buffer_free(&form);
    arena_free(zone.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_upon_sets),        cmocka_unit_test(test_alterations),
        cmocka_unit_test(test_oldest_pass),           cmocka_unit_test(test_a_failed_chain_is_sealed_once),
        cmocka_unit_test(test_results_of_a_sealer),   cmocka_unit_test(test_keys_that_are_not_there),
        cmocka_unit_test(test_the_largest_byte_form),
    };
    return cmocka_run_group_tests_name("arc", tests, key_make, key_free);
}
