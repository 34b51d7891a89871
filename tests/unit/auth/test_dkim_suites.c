/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What others test DKIM with, from the folder that SEKIMORI_SUITES names. Without the variable there is
   nothing to do. What a newer RFC forbids is listed by name with the sentence that decides it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/canonical.h"
#include "auth/dkim_field.h"
#include "auth/dkim_signing.h"
#include "auth/private_key.h"
#include "judged.h"
#include "mail/digest.h"

/* --- files --- */

static struct text file_of(struct arena *arena, const char *name)
{
    char path[4096];
    struct buffer bytes = { 0 };
    ssize_t count;
    snprintf(path, sizeof path, "%s/dkim/%s", getenv("SEKIMORI_SUITES"), name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) printf("suite dkim: %s: no such file\n", path);
    assert_true(fd >= 0);
    while ((count = read(fd, buffer_reserve(&bytes, 1 << 16), 1 << 16)) > 0)
        buffer_commit(&bytes, (size_t)count);
    close(fd);
    struct text text = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
    return text;
}

/* Lines of "NAME VALUE" up to an empty one; what follows is returned. */
static struct text zone_lines(struct zone *zone, struct text text)
{
    struct text line, name;
    while (text_next_line(&text, &line) && line.length > 0)
        if (text_next_word(&line, &name)) zone_add_txt(zone, name, text_trim(line));
    return text;
}

/* A suite's count. */
struct tally {
    const char *suite;
    size_t cases, right;
};

static void tally_case(struct tally *tally, const char *name, bool is_right, const char *got)
{
    tally->cases++;
    tally->right += is_right;
    if (!is_right) printf("suite dkim %s: %s: %s\n", tally->suite, name, got);
}

static void tally_end(const struct tally *tally)
{
    printf("suite dkim %s: %zu of %zu\n", tally->suite, tally->right, tally->cases);
    assert_int_equal(tally->right, tally->cases);
}

/* At the time of the newest signature, so that none has expired. */
static uint64_t time_of(const struct message_signatures *signatures)
{
    uint64_t newest = 0;
    for (uint32_t i = 0; i < signatures->dkim.count; i++)
        if (signatures->dkim.signatures[i].signed_s > newest)
            newest = signatures->dkim.signatures[i].signed_s;
    return newest;
}

static void judge(struct zone *zone, struct text message, struct judged *out)
{
    judged_make(zone, message, 0, out);
    judged_make(zone, message, time_of(&out->signatures), out);
}

static void verify_case(struct tally *tally, struct zone *zone, const char *name, struct text message,
                        uint32_t count)
{
    struct judged judged;
    judge(zone, message, &judged);
    if (judged.signatures.dkim.count != count) tally_case(tally, name, false, "another number of signatures");
    for (uint32_t i = 0; i < judged.signatures.dkim.count; i++)
        tally_case(tally, name, judged.dkim[i].result == AUTH_PASS, dkim_reason_name(judged.dkim[i].reason));
}

/* --- canonical forms --- */

static void canonical_of(struct arena *arena, struct text message, enum canonical_form form,
                         uint8_t out[DIGEST_BYTES], struct text due)
{
    struct header header;
    struct running_digest digest;
    struct canonical_want body = { .form = form, .limit = CANONICAL_WHOLE };
    uint8_t due_header[DIGEST_BYTES], due_body[DIGEST_BYTES];
    judged_header(arena, message, &header);
    running_digest_open(&digest);
    for (size_t i = 0; i < header.count; i++)
        canonical_field_add(&digest, form, dkim_field_bytes(&header.fields[i]), true);
    running_digest_end(&digest, out);
    running_digest_close(&digest);
    canonical_body_hash(text_slice(message, header.body_offset, message.length),
                        (struct canonical_want *[]){ &body }, 1);
    size_t end = header.count ? text_find(due, TEXT("\r\n\r\n")) + 2 : 0;
    digest_sha256(text_slice(due, 0, end), due_header);
    digest_sha256(text_slice(due, end + 2, due.length), due_body);
    out[0] = digest_equal(out, due_header) && digest_equal(body.digest, due_body);
}

/* Its files say what the whole message becomes: header, separator, body. They have LF where CRLF was meant.
 */
static void test_flanker(void **state)
{
    struct tally tally = { "flanker-canon" };
    uint8_t digest[DIGEST_BYTES];
    if (!getenv("SEKIMORI_SUITES")) return;
    for (int i = 1; i <= 25; i++) {
        char name[128];
        if (i > 14 && i < 19) continue;
        struct arena *arena = arena_new(0);
        snprintf(name, sizeof name, "flanker-canon/email.%02d", i);
        struct text message = judged_crlf(arena, file_of(arena, name));
        for (int form = CANONICAL_SIMPLE; form <= CANONICAL_RELAXED; form++) {
            snprintf(name, sizeof name, "flanker-canon/%s.expected.%02d",
                     form == CANONICAL_SIMPLE ? "simple" : "relaxed", i);
            canonical_of(arena, message, (enum canonical_form)form, digest, file_of(arena, name));
            tally_case(&tally, name, digest[0], "another digest");
        }
        arena_free(arena);
    }
    tally_end(&tally);
}

/* --- messages with signatures --- */

static void test_rfc_examples(void **state)
{
    struct tally tally = { "rfc-examples" };
    struct zone zone = { .arena = arena_new(0) };
    if (!getenv("SEKIMORI_SUITES")) return;
    zone_lines(&zone, file_of(zone.arena, "rfc-examples/dns.txt"));
    verify_case(&tally, &zone, "A.2",
                judged_crlf(zone.arena, file_of(zone.arena, "rfc-examples/rfc6376-A.2.eml")), 1);
    verify_case(&tally, &zone, "A.3",
                judged_crlf(zone.arena, file_of(zone.arena, "rfc-examples/rfc8463-A.3.eml")), 2);
    arena_free(zone.arena);
    tally_end(&tally);
}

static void test_mail_auth(void **state)
{
    static const uint32_t signatures[] = { 2, 1, 2, 1, 1, 1 };
    struct tally tally = { "mail-auth" };
    if (!getenv("SEKIMORI_SUITES")) return;
    for (int i = 1; i <= 6; i++) {
        char name[64];
        struct zone zone = { .arena = arena_new(0) };
        snprintf(name, sizeof name, "mail-auth/%03d.txt", i);
        struct text message = zone_lines(&zone, file_of(zone.arena, name));
        verify_case(&tally, &zone, name, judged_crlf(zone.arena, message), signatures[i - 1]);
        arena_free(zone.arena);
    }
    tally_end(&tally);
}

static void test_go_msgauth(void **state)
{
    struct tally tally = { "go-msgauth" };
    struct zone zone = { .arena = arena_new(0) };
    struct judged judged;
    if (!getenv("SEKIMORI_SUITES")) return;
    zone_lines(&zone, file_of(zone.arena, "rfc-examples/dns.txt"));
    zone_lines(&zone, file_of(zone.arena, "mail-auth/002.txt"));
    verify_case(&tally, &zone, "verified", file_of(zone.arena, "go-msgauth/verifiedMailString.eml"), 1);
    verify_case(&tally, &zone, "Ed25519", file_of(zone.arena, "go-msgauth/verifiedEd25519MailString.eml"), 2);
    verify_case(&tally, &zone, "raw RSA", file_of(zone.arena, "go-msgauth/verifiedRawRSAMailString.eml"), 1);
    judge(&zone, file_of(zone.arena, "go-msgauth/unsignedMailString.eml"), &judged);
    tally_case(&tally, "unsigned", judged.signatures.dkim.count == 0, "a signature");
    judge(&zone, file_of(zone.arena, "go-msgauth/tooManySignaturesMailString.eml"), &judged);
    tally_case(&tally, "many", judged.signatures.dkim.count > 0 && judged.dkim[0].result == AUTH_PASS,
               "no pass");
    arena_free(zone.arena);
    tally_end(&tally);
}

/* --- dkimpy: keys, and what we sign with them --- */

/* The message signed by us; nothing where it may not be. */
static struct text signed_by_us(struct arena *arena, struct text message, struct text key_bytes,
                                struct text domain, struct text selector)
{
    char error[128];
    struct header header;
    uint8_t body[KEY_DIGEST_BYTES];
    struct buffer signature = { 0 };
    struct dkim_signing signing;
    struct private_key *key = private_key_load(key_bytes, error, sizeof error);
    assert_non_null(key);
    judged_header(arena, message, &header);
    dkim_signing_body(text_slice(message, header.body_offset, message.length), body);
    struct dkim_signer signer = { domain, selector, private_key_kind(key) };
    struct text whole = TEXT_NONE;
    if (dkim_signing_begin(arena, &header, body, &signer, 1700000000, &signing)) {
        assert_true(private_key_sign(key, signing.digest, &signature));
        struct text field = dkim_signing_end(arena, &signing, buffer_text(&signature));
        whole = arena_printf(arena, "%.*s%.*s", TEXT_ARG(field), TEXT_ARG(message));
    }
    buffer_free(&signature);
    private_key_free(key);
    return whole;
}

static void test_dkimpy_keys(void **state)
{
    static const struct {
        const char *message, *record;
        enum dkim_reason reason;
    } rows[] = { { "test.message", "test.txt", DKIM_GOOD },
                 { "test2.message", "test2.txt", DKIM_GOOD },
                 { "test_extra.message", "test.txt", DKIM_GOOD },
                 { "rfc6376.msg", "test.txt", DKIM_GOOD },
                 { "test.message", "test_bad.txt", DKIM_KEY_BROKEN },
                 { "test.message", "badk.txt", DKIM_KEY_KIND },
                 { "test.message", "badversion.txt", DKIM_KEY_SYNTAX },
                 { "test.message", "test_tlsrpt.txt", DKIM_KEY_SERVICE } };
    struct tally tally = { "dkimpy keys" };
    if (!getenv("SEKIMORI_SUITES")) return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[128];
        struct judged judged;
        struct zone zone = { .arena = arena_new(0) };
        snprintf(name, sizeof name, "dkimpy/%s", rows[i].message);
        struct text message = judged_crlf(zone.arena, file_of(zone.arena, name));
        snprintf(name, sizeof name, "dkimpy/%s", rows[i].record);
        zone_add_txt(&zone, TEXT("test._domainkey.example.com"), text_trim(file_of(zone.arena, name)));
        message = signed_by_us(zone.arena, message, file_of(zone.arena, "dkimpy/test.private"),
                               TEXT("example.com"), TEXT("test"));
        judge(&zone, message, &judged);
        tally_case(&tally, name, judged.signatures.dkim.count > 0 && judged.dkim[0].reason == rows[i].reason,
                   dkim_reason_name(judged.dkim[0].reason));
        arena_free(zone.arena);
    }
    tally_end(&tally);
}

static void test_dkimpy_messages(void **state)
{
    struct tally tally = { "dkimpy messages" };
    struct zone zone = { .arena = arena_new(0) };
    if (!getenv("SEKIMORI_SUITES")) return;
    zone_lines(&zone, file_of(zone.arena, "rfc-examples/dns.txt"));
    zone_add_txt(&zone, TEXT("sed._domainkey.test.ex"),
                 text_trim(file_of(zone.arena, "dkimpy/eximtest.dns")));
    zone_add_txt(&zone, TEXT("test._domainkey.example.com"),
                 text_trim(file_of(zone.arena, "dkimpy/ed25519test.dns")));
    verify_case(&tally, &zone, "rfc6376.signed.msg",
                judged_crlf(zone.arena, file_of(zone.arena, "dkimpy/rfc6376.signed.msg")), 2);
    verify_case(&tally, &zone, "ed25519test2.msg",
                judged_crlf(zone.arena, file_of(zone.arena, "dkimpy/ed25519test2.msg")), 1);
    struct text none =
        signed_by_us(zone.arena, judged_crlf(zone.arena, file_of(zone.arena, "dkimpy/test_nofrom.message")),
                     file_of(zone.arena, "dkimpy/test.private"), TEXT("a.test"), TEXT("s"));
    tally_case(&tally, "test_nofrom.message", none.length == 0, "signed");
    arena_free(zone.arena);
    tally_end(&tally);
}

/* --- opendkim: rows of its library's tests --- */

/* rsa-sha1 in the golden signature: RFC 8301 section 3.1, "rsa-sha1 MUST NOT be used for signing or
 * verifying". */
static const char *const forbidden[] = { "t-test00",  "t-test01",  "t-test02", "t-test03",  "t-test08",
                                         "t-test09",  "t-test10",  "t-test11", "t-test120", "t-test140",
                                         "t-test147", "t-test152", "t-test50", "t-test65",  "t-test71",
                                         "t-test77",  "t-test79",  "t-test81", "t-test90",  "t-test91",
                                         "t-test92" };

static const char *first_of(const json_t *row, const char *kind, const char *holding)
{
    size_t index;
    json_t *event;
    json_array_foreach(json_object_get(row, "events"), index, event)
    {
        if (strcmp(json_string_value(json_array_get(event, 0)), kind) != 0) continue;
        const char *value = json_string_value(json_array_get(event, 1));
        if (value && strstr(value, holding)) return value;
    }
    return NULL;
}

/* The signature that a signing row is to give; NULL: it has none. */
static const char *golden_of(const json_t *row)
{
    size_t index;
    json_t *event;
    json_array_foreach(json_object_get(row, "events"), index, event)
    {
        const char *golden = json_string_value(json_array_get(event, 2));
        if (golden && strstr(golden, "bh=")) return golden;
    }
    return NULL;
}

/* The row's message without what was a buffer of the program; false: something of the body is missing. */
static bool message_of(const json_t *row, struct buffer *out)
{
    size_t index;
    json_t *event;
    struct buffer body = { 0 };
    bool is_whole = true;
    json_array_foreach(json_object_get(row, "events"), index, event)
    {
        const char *kind = json_string_value(json_array_get(event, 0));
        const char *value = json_string_value(json_array_get(event, 1));
        bool is_buffer = value && value[0] == '<' && value[strlen(value) - 1] == '>';
        if (strcmp(kind, "header") == 0 && !is_buffer) buffer_printf(out, "%s\r\n", value);
        if (strcmp(kind, "body") == 0 && is_buffer) is_whole = false;
        if (strcmp(kind, "chunk") == 0) is_whole = false;
        if (strcmp(kind, "body") == 0 && !is_buffer) buffer_add_text(&body, text_of(value));
    }
    buffer_printf(out, "\r\n");
    buffer_add_text(out, buffer_text(&body));
    buffer_free(&body);
    return is_whole;
}

static struct text macro_of(struct arena *arena, const char *name)
{
    struct text text = file_of(arena, "opendkim/t-testdata.defs.json");
    json_t *macros = json_loadb(text.at, text.length, 0, NULL);
    struct text value = arena_text(arena, text_of(json_string_value(json_object_get(macros, name))));
    json_decref(macros);
    return value;
}

static void opendkim_zone(struct zone *zone)
{
    zone_add_txt(zone, TEXT("test._domainkey.example.com"), macro_of(zone->arena, "PUBLICKEY"));
    zone_add_txt(zone, TEXT("test._domainkey.sendmail.com"), macro_of(zone->arena, "PUBLICKEYNOS"));
}

/* The message of `row` under the golden signature of `source`. */
static void golden_judge(struct zone *zone, const json_t *row, const json_t *source, struct judged *out)
{
    struct buffer message = { 0 };
    buffer_printf(&message, "DKIM-Signature: %s\r\n", golden_of(source));
    message_of(row, &message);
    judged_make(zone, arena_text(zone->arena, buffer_text(&message)), 1172620939, out);
    buffer_free(&message);
}

static bool is_whole(const json_t *row)
{
    struct buffer message = { 0 };
    bool whole = message_of(row, &message);
    buffer_free(&message);
    return whole;
}

static json_t *rows_load(struct arena *arena)
{
    struct text line, text = file_of(arena, "opendkim/lib-tests.jsonl");
    json_t *rows = json_object();
    while (text_next_line(&text, &line)) {
        json_t *row = json_loadb(line.at, line.length, 0, NULL);
        if (row) json_object_set_new(rows, json_string_value(json_object_get(row, "test")), row);
    }
    return rows;
}

static bool is_forbidden(const char *name)
{
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (strcmp(forbidden[i], name) == 0) return true;
    return false;
}

static void test_opendkim_golden(void **state)
{
    struct tally tally = { "opendkim golden signatures" };
    if (!getenv("SEKIMORI_SUITES")) return;
    struct zone zone = { .arena = arena_new(0) };
    json_t *row, *rows = rows_load(zone.arena);
    const char *name;
    size_t listed = 0, unknown = 0;
    opendkim_zone(&zone);
    json_object_foreach(rows, name, row)
    {
        struct judged judged;
        if (!golden_of(row)) continue;
        if (!is_whole(row)) {
            unknown++;
            continue;
        }
        golden_judge(&zone, row, row, &judged);
        enum dkim_reason due = is_forbidden(name) ? DKIM_SHA1 : DKIM_GOOD;
        listed += is_forbidden(name);
        tally_case(&tally, name, judged.dkim[0].reason == due, dkim_reason_name(judged.dkim[0].reason));
    }
    printf("suite dkim opendkim: %zu of those are rsa-sha1 and refused (RFC 8301 section 3.1), %zu more lack "
           "their body\n",
           listed, unknown);
    json_decref(rows);
    arena_free(zone.arena);
    tally_end(&tally);
}

/* Verifying rows lack their signature; it is that of the signing row with the same forms. */
static void test_opendkim_verify(void **state)
{
    static const struct {
        const char *row, *source;
        enum dkim_reason reason;
    } pairs[] = { { "t-test20", "t-test16", DKIM_GOOD }, { "t-test21", "t-test17", DKIM_GOOD },
                  { "t-test22", "t-test18", DKIM_GOOD }, { "t-test23", "t-test19", DKIM_GOOD },
                  { "t-test28", "t-test24", DKIM_GOOD }, { "t-test29", "t-test25", DKIM_GOOD },
                  { "t-test30", "t-test26", DKIM_GOOD }, { "t-test31", "t-test27", DKIM_GOOD },
                  { "t-test32", "t-test17", DKIM_GOOD }, { "t-test38", "t-test17", DKIM_GOOD },
                  { "t-test39", "t-test17", DKIM_GOOD }, { "t-test40", "t-test17", DKIM_GOOD },
                  { "t-test43", "t-test17", DKIM_GOOD }, { "t-test48", "t-test17", DKIM_SIGNATURE_DIFFERS },
                  { "t-test53", "t-test52", DKIM_GOOD }, { "t-test84", "t-test83", DKIM_GOOD } };
    struct tally tally = { "opendkim verifying" };
    if (!getenv("SEKIMORI_SUITES")) return;
    struct zone zone = { .arena = arena_new(0) };
    json_t *rows = rows_load(zone.arena);
    opendkim_zone(&zone);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct judged judged;
        golden_judge(&zone, json_object_get(rows, pairs[i].row), json_object_get(rows, pairs[i].source),
                     &judged);
        tally_case(&tally, pairs[i].row, judged.dkim[0].reason == pairs[i].reason,
                   dkim_reason_name(judged.dkim[0].reason));
    }
    json_decref(rows);
    arena_free(zone.arena);
    tally_end(&tally);
}

/* Every row that signs, signed by us, verifies. */
static void test_opendkim_sign(void **state)
{
    struct tally tally = { "opendkim signing" };
    if (!getenv("SEKIMORI_SUITES")) return;
    struct zone zone = { .arena = arena_new(0) };
    json_t *row, *rows = rows_load(zone.arena);
    const char *name;
    opendkim_zone(&zone);
    struct text key = macro_of(zone.arena, "KEY");
    json_object_foreach(rows, name, row)
    {
        struct judged judged;
        struct buffer message = { 0 };
        if (!first_of(row, "sign", "DKIM_SIGN_") || !first_of(row, "header", "From:")) continue;
        message_of(row, &message);
        struct text whole = signed_by_us(zone.arena, arena_text(zone.arena, buffer_text(&message)), key,
                                         TEXT("example.com"), TEXT("test"));
        judge(&zone, whole, &judged);
        tally_case(&tally, name, judged.dkim[0].reason == DKIM_GOOD, dkim_reason_name(judged.dkim[0].reason));
        buffer_free(&message);
    }
    json_decref(rows);
    arena_free(zone.arena);
    tally_end(&tally);
}

/* Keys that have something wrong: t-test115. */
static void test_opendkim_keys(void **state)
{
    static const struct {
        const char *macro;
        enum dkim_reason reason;
    } rows[] = { { "PUBLICKEY", DKIM_GOOD },           { "PUBLICKEY256", DKIM_GOOD },
                 { "PUBLICKEYNOK", DKIM_GOOD },        { "PUBLICKEY2", DKIM_SIGNATURE_DIFFERS },
                 { "PUBLICKEYBADV", DKIM_KEY_SYNTAX }, { "PUBLICKEYBADH", DKIM_KEY_HASH },
                 { "PUBLICKEYBADK", DKIM_KEY_KIND },   { "PUBLICKEYEMPTYP", DKIM_KEY_REVOKED },
                 { "PUBLICKEYNOP", DKIM_KEY_SYNTAX },  { "PUBLICKEYCORRUPTP", DKIM_KEY_BROKEN } };
    struct tally tally = { "opendkim keys" };
    if (!getenv("SEKIMORI_SUITES")) return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct judged judged;
        struct zone zone = { .arena = arena_new(0) };
        json_t *all = rows_load(zone.arena);
        const json_t *row = json_object_get(all, "t-test17");
        zone_add_txt(&zone, TEXT("test._domainkey.example.com"), macro_of(zone.arena, rows[i].macro));
        golden_judge(&zone, row, row, &judged);
        tally_case(&tally, rows[i].macro, judged.dkim[0].reason == rows[i].reason,
                   dkim_reason_name(judged.dkim[0].reason));
        json_decref(all);
        arena_free(zone.arena);
    }
    tally_end(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flanker),         cmocka_unit_test(test_rfc_examples),
        cmocka_unit_test(test_mail_auth),       cmocka_unit_test(test_go_msgauth),
        cmocka_unit_test(test_dkimpy_keys),     cmocka_unit_test(test_dkimpy_messages),
        cmocka_unit_test(test_opendkim_golden), cmocka_unit_test(test_opendkim_verify),
        cmocka_unit_test(test_opendkim_sign),   cmocka_unit_test(test_opendkim_keys),
    };
    return cmocka_run_group_tests_name("dkim suites", tests, NULL, NULL);
}
