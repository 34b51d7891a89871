/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* DKIM rule by rule: each row is a signature that is ours but for one thing, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/canonical.h"
#include "auth/dkim_field.h"
#include "auth/dkim_selection.h"
#include "auth/dkim_signing.h"
#include "auth/private_key.h"
#include "judged.h"
#include "mail/base64.h"
#include "mail/digest.h"

enum { NOW = 1700000000 };

/* Keys are dear to make: one of each kind for all tests. */
static struct private_key *rsa, *ed25519;

static int keys_make(void **state)
{
    rsa = private_key_new(KEY_RSA, 1024);
    ed25519 = private_key_new(KEY_ED25519, 0);
    return rsa && ed25519 ? 0 : -1;
}

static int keys_free(void **state)
{
    private_key_free(rsa);
    private_key_free(ed25519);
    return 0;
}

static const char message_text[] =
    "From: a@example.org\r\nTo: b@example.net\r\nSubject: one\r\n\r\nHello  world \r\nbye\r\n\r\n";

#define BASE "v=1; c=relaxed/relaxed; "

/* --- the signature field --- */

static const struct {
    const char *tags, *names;
    enum dkim_reason reason;
    enum auth_result result;
} field_rows[] = {
    { BASE "a=rsa-sha256; d=example.org; s=s", "from:to", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=EXAMPLE.org; s=S", "FROM : To", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s; dara=x@y", "from", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s; i=joe@sub.example.org", "from", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s; i=j=3Doe@example.org", "from", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s; t=1700000000; x=1700000001", "from", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s; t=1700000200", "from", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s; q=x/y:dns/txt", "from", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s", "from:from:from:nosuch", DKIM_GOOD, AUTH_PASS },
    { BASE "a=rsa-sha256; d=example.org; s=s; i=joe@sub.example.com", "from", DKIM_IDENTITY, AUTH_PERMERROR },
    { BASE "a=rsa-sha256; d=example.org; s=s; i=joe@badexample.org", "from", DKIM_IDENTITY, AUTH_PERMERROR },
    { BASE "a=rsa-sha256; d=example.org; s=s; i=joe", "from", DKIM_SYNTAX, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s", "to:subject", DKIM_FROM_UNSIGNED, AUTH_PERMERROR },
    { BASE "a=rsa-sha256; d=example.org; s=s; t=1700000400", "from", DKIM_FUTURE, AUTH_POLICY },
    { BASE "a=rsa-sha256; d=example.org; s=s; x=1699999999", "from", DKIM_EXPIRED, AUTH_FAIL },
    { BASE "a=rsa-sha256; d=example.org; s=s; t=5; x=4", "from", DKIM_TIMES, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s; t=x", "from", DKIM_SYNTAX, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s; l=-1", "from", DKIM_SYNTAX, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s; l=1000", "from", DKIM_LENGTH, AUTH_FAIL },
    { BASE "a=rsa-sha256; d=example.org; s=s; l=99999999999999999999999999", "from", DKIM_LENGTH, AUTH_FAIL },
    { BASE "a=rsa-sha256; d=example.org; s=s; q=http", "from", DKIM_QUERY, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=exam ple.org; s=s", "from", DKIM_DOMAIN, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example..org; s=s", "from", DKIM_DOMAIN, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=", "from", DKIM_DOMAIN, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org", "from", DKIM_TAG_MISSING, AUTH_NEUTRAL },
    { BASE "d=example.org; s=s", "from", DKIM_TAG_MISSING, AUTH_NEUTRAL },
    { "c=relaxed/relaxed; a=rsa-sha256; d=example.org; s=s", "from", DKIM_TAG_MISSING, AUTH_NEUTRAL },
    { "v=2; c=relaxed/relaxed; a=rsa-sha256; d=example.org; s=s", "from", DKIM_VERSION, AUTH_NEUTRAL },
    { "v=1; c=tight/relaxed; a=rsa-sha256; d=example.org; s=s", "from", DKIM_CANONICALIZATION, AUTH_NEUTRAL },
    { "v=1; c=relaxed/; a=rsa-sha256; d=example.org; s=s", "from", DKIM_CANONICALIZATION, AUTH_NEUTRAL },
    { BASE "a=rsa-sha1; d=example.org; s=s", "from", DKIM_SHA1, AUTH_PERMERROR },
    { BASE "a=rsa-sha512; d=example.org; s=s", "from", DKIM_ALGORITHM, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s; s=t", "from", DKIM_SYNTAX, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s; ; t=1", "from", DKIM_SYNTAX, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s; x-y=1", "from", DKIM_SYNTAX, AUTH_NEUTRAL },
    { BASE "a=rsa-sha256; d=example.org; s=s; nothing", "from", DKIM_SYNTAX, AUTH_NEUTRAL },
    { BASE "a=ed25519-sha256; d=example.org; s=s", "from", DKIM_KEY_KIND, AUTH_PERMERROR },
    { BASE "a=rsa-sha256; d=example.org; s=nosuch", "from", DKIM_KEY_MISSING, AUTH_PERMERROR },
};

static void test_fields(void **state)
{
    for (size_t i = 0; i < sizeof field_rows / sizeof *field_rows; i++) {
        struct judged judged;
        struct zone zone = { .arena = arena_new(0) };
        zone_add_txt(&zone, TEXT("s._domainkey.example.org"), judged_record_of(zone.arena, rsa));
        struct text message =
            judged_sign(zone.arena, rsa, field_rows[i].tags, field_rows[i].names, CANONICAL_RELAXED,
                        CANONICAL_RELAXED, CANONICAL_WHOLE, text_of(message_text));
        judged_make(&zone, message, NOW, &judged);
        assert_int_equal(judged.signatures.dkim.count, 1);
        if (judged.dkim[0].reason != field_rows[i].reason || judged.dkim[0].result != field_rows[i].result)
            print_message("%s h=%s: %s\n", field_rows[i].tags, field_rows[i].names,
                          dkim_reason_name(judged.dkim[0].reason));
        assert_int_equal(judged.dkim[0].reason, field_rows[i].reason);
        assert_int_equal(judged.dkim[0].result, field_rows[i].result);
        assert_int_equal(judged.arc.result, AUTH_NONE);
        arena_free(zone.arena);
    }
}

static void test_what_people_are_told(void **state)
{
    struct judged judged;
    struct zone zone = { .arena = arena_new(0) };
    zone_add_txt(&zone, TEXT("s._domainkey.example.org"), judged_record_of(zone.arena, rsa));
    struct text message = judged_sign(
        zone.arena, rsa, BASE "a=rsa-sha256; d=Example.ORG; s=s; i=j=3Doe@x.example.org; t=3; x=5", "from",
        CANONICAL_RELAXED, CANONICAL_RELAXED, CANONICAL_WHOLE, text_of(message_text));
    judged_make(&zone, message, 4, &judged);
    const struct dkim_signature *signature = &judged.signatures.dkim.signatures[0];
    assert_true(text_equal(signature->domain, TEXT("example.org")));
    assert_true(text_equal(signature->selector, TEXT("s")));
    assert_true(text_equal(signature->identity, TEXT("j=oe@x.example.org")));
    assert_string_equal(dkim_algorithm_name(signature), "rsa-sha256");
    assert_int_equal(signature->signed_s, 3);
    assert_int_equal(signature->expires_s, 5);
    assert_int_equal(judged.dkim[0].key_bits, 1024);
    assert_true(judged.dkim[0].header_holds);
    for (int reason = 0; reason < DKIM_REASON_COUNT; reason++) {
        assert_non_null(dkim_reason_name((enum dkim_reason)reason));
        assert_non_null(dkim_reason_text((enum dkim_reason)reason));
    }
    arena_free(zone.arena);
}

/* --- altered on the way --- */

/* The last `from` becomes `to`. */
static struct text replaced(struct arena *arena, struct text text, const char *from, const char *to)
{
    size_t at = text_find(text, text_of(from));
    assert_true(at < text.length);
    return arena_printf(arena, "%.*s%s%.*s", TEXT_ARG(text_slice(text, 0, at)), to,
                        TEXT_ARG(text_slice(text, at + strlen(from), text.length)));
}

static void test_alterations(void **state)
{
    static const struct {
        enum canonical_form header, body;
        int64_t limit;
        const char *from, *to;
        enum dkim_reason reason;
        bool header_holds, is_partial;
    } rows[] = {
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "bye", "by", DKIM_BODY_DIFFERS, true },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "bye\r\n\r\n", "bye\r\nfooter\r\n", DKIM_BODY_DIFFERS,
          true },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "one", "two", DKIM_SIGNATURE_DIFFERS },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "From:", "From: x@y.test\r\nFrom:", DKIM_GOOD, true },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "Subject: one", "SUBJECT:\t one  ", DKIM_GOOD, true },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "a@example.org", "\r\n a@example.org", DKIM_GOOD, true },
        { CANONICAL_SIMPLE, CANONICAL_RELAXED, -1, "Subject: one", "SUBJECT:\t one  ",
          DKIM_SIGNATURE_DIFFERS },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "Hello  world ", "Hello \t world\t", DKIM_GOOD, true },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, -1, "bye", "bye\r\n  \r\n\t", DKIM_GOOD, true },
        { CANONICAL_RELAXED, CANONICAL_SIMPLE, -1, "Hello  world ", "Hello \t world\t", DKIM_BODY_DIFFERS,
          true },
        { CANONICAL_RELAXED, CANONICAL_SIMPLE, -1, "bye", "bye\r\n\r\n\r\n", DKIM_GOOD, true },
        { CANONICAL_RELAXED, CANONICAL_SIMPLE, -1, "bye\r\n\r\n", "bye", DKIM_GOOD, true },
        { CANONICAL_RELAXED, CANONICAL_SIMPLE, -1, "bye\r\n\r\n", "bye\n", DKIM_BODY_DIFFERS, true },
        { CANONICAL_RELAXED, CANONICAL_SIMPLE, 5, "world", "more", DKIM_GOOD, true, true },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, 5, "Hello", "Hullo", DKIM_BODY_DIFFERS, true, true },
        { CANONICAL_RELAXED, CANONICAL_RELAXED, 0, "Hello", "Hullo", DKIM_GOOD, true, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char tags[128];
        struct judged judged;
        struct zone zone = { .arena = arena_new(0) };
        zone_add_txt(&zone, TEXT("s._domainkey.example.org"), judged_record_of(zone.arena, rsa));
        int length = snprintf(tags, sizeof tags, "v=1; a=rsa-sha256; d=example.org; s=s; c=%s/%s",
                              rows[i].header == CANONICAL_RELAXED ? "relaxed" : "simple",
                              rows[i].body == CANONICAL_RELAXED ? "relaxed" : "simple");
        if (rows[i].limit >= 0)
            snprintf(tags + length, sizeof tags - (size_t)length, "; l=%lld", (long long)rows[i].limit);
        struct text message = judged_sign(zone.arena, rsa, tags, "from:subject", rows[i].header, rows[i].body,
                                          rows[i].limit, text_of(message_text));
        judged_make(&zone, replaced(zone.arena, message, rows[i].from, rows[i].to), NOW, &judged);
        if (judged.dkim[0].reason != rows[i].reason)
            print_message("row %zu: %s\n", i, dkim_reason_name(judged.dkim[0].reason));
        assert_int_equal(judged.dkim[0].reason, rows[i].reason);
        assert_int_equal(judged.dkim[0].header_holds, rows[i].header_holds);
        assert_int_equal(judged.signatures.dkim.signatures[0].is_partial, rows[i].is_partial);
        arena_free(zone.arena);
    }
}

/* --- keys --- */

static void test_keys(void **state)
{
    static const struct {
        const char *before, *after; /* of "p=…" */
        enum dkim_reason reason;
        bool is_testing;
    } rows[] = {
        { "", "", DKIM_GOOD },
        { "v=DKIM1; k=rsa; h=sha1:sha256; s=email:x; t=y; ", "; n=a note", DKIM_GOOD, true },
        { "v=DKIM1; t=s; ", "", DKIM_KEY_STRICT },
        { "v=DKIM1; s=*; ", ";", DKIM_GOOD },
        { "v=DKIM2; ", "", DKIM_KEY_SYNTAX },
        { "k=rsa; v=DKIM1; ", "", DKIM_KEY_SYNTAX },
        { "k=rsa; k=rsa; ", "", DKIM_KEY_SYNTAX },
        { "k=dsa; ", "", DKIM_KEY_KIND },
        { "k=ed25519; ", "", DKIM_KEY_KIND },
        { "h=sha1; ", "", DKIM_KEY_HASH },
        { "s=tlsrpt; ", "", DKIM_KEY_SERVICE },
        { "", "!", DKIM_KEY_BROKEN },
        { "p=; n=", "", DKIM_KEY_REVOKED },
        { "n=", "", DKIM_KEY_SYNTAX },
        { "p=AAAA; n=", "", DKIM_KEY_BROKEN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct judged judged;
        struct buffer record = { 0 }, key = { 0 };
        struct zone zone = { .arena = arena_new(0) };
        private_key_public_add(rsa, &key);
        buffer_printf(&record, "%sp=", rows[i].before);
        base64_add(&record, buffer_text(&key));
        buffer_printf(&record, "%s", rows[i].after);
        zone_add_txt(&zone, TEXT("s._domainkey.example.org"), buffer_text(&record));
        struct text message =
            judged_sign(zone.arena, rsa, BASE "a=rsa-sha256; d=example.org; s=s; i=@x.example.org", "from",
                        CANONICAL_RELAXED, CANONICAL_RELAXED, CANONICAL_WHOLE, text_of(message_text));
        judged_make(&zone, message, NOW, &judged);
        if (judged.dkim[0].reason != rows[i].reason)
            print_message("row %zu: %s\n", i, dkim_reason_name(judged.dkim[0].reason));
        assert_int_equal(judged.dkim[0].reason, rows[i].reason);
        assert_int_equal(judged.dkim[0].is_testing, rows[i].is_testing);
        buffer_free(&record);
        buffer_free(&key);
        arena_free(zone.arena);
    }
}

/* Several records: what is no key record counts for nothing, and the one that verifies counts. */
static void test_several_records(void **state)
{
    struct judged judged;
    struct zone zone = { .arena = arena_new(0) };
    struct text name = TEXT("s._domainkey.example.org");
    struct text message =
        judged_sign(zone.arena, rsa, BASE "a=rsa-sha256; d=example.org; s=s", "from", CANONICAL_RELAXED,
                    CANONICAL_RELAXED, CANONICAL_WHOLE, text_of(message_text));
    zone_add_txt(&zone, name, TEXT("v=spf1 -all"));
    judged_make(&zone, message, NOW, &judged);
    assert_int_equal(judged.dkim[0].reason, DKIM_KEY_SYNTAX);
    zone_add_txt(&zone, name, judged_record_of(zone.arena, ed25519));
    judged_make(&zone, message, NOW, &judged);
    assert_int_equal(judged.dkim[0].reason, DKIM_KEY_KIND);
    zone_add_txt(&zone, name, judged_record_of(zone.arena, rsa));
    judged_make(&zone, message, NOW, &judged);
    assert_int_equal(judged.dkim[0].reason, DKIM_GOOD);
    zone_clear(&zone);
    zone_add(&zone, name, TEXT("TIMEOUT"), TEXT_NONE);
    judged_make(&zone, message, NOW, &judged);
    assert_int_equal(judged.dkim[0].result, AUTH_TEMPERROR);
    arena_free(zone.arena);
}

/* A DER SubjectPublicKeyInfo of an RSA key with so many bits, whatever its numbers are worth. */
static size_t rsa_der(uint8_t *out, size_t bits, size_t exponent_bytes)
{
    size_t bytes = bits / 8, length = 0, inner = bytes + 1 + 4 + exponent_bytes + 4;
    static const uint8_t algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                         0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
#define HEAD(tag, size)                                                                   \
    (out[length++] = (tag), out[length++] = 0x82, out[length++] = (uint8_t)((size) >> 8), \
     out[length++] = (uint8_t)(size))
    HEAD(0x30, sizeof algorithm + 5 + inner + 4);
    memcpy(out + length, algorithm, sizeof algorithm);
    length += sizeof algorithm;
    HEAD(0x03, inner + 5);
    out[length++] = 0;
    HEAD(0x30, inner);
    HEAD(0x02, bytes + 1);
    out[length++] = 0;
    memset(out + length, 0xff, bytes);
    length += bytes;
    HEAD(0x02, exponent_bytes);
    memset(out + length, 0x7f, exponent_bytes);
    return length + exponent_bytes;
}

static void test_sizes_of_keys(void **state)
{
    static const struct {
        size_t bits, exponent_bytes;
        enum key_outcome outcome;
    } rows[] = { { 512, 3, KEY_SHORT },    { 1016, 3, KEY_SHORT }, { 1024, 3, KEY_DIFFERS },
                 { 4096, 3, KEY_DIFFERS }, { 4104, 3, KEY_LONG },  { 16384, 3, KEY_LONG },
                 { 2048, 8, KEY_DIFFERS }, { 2048, 9, KEY_LONG },  { 2048, 256, KEY_LONG } };
    uint8_t der[4096], digest[KEY_DIGEST_BYTES] = { 1 };
    char signature[512] = { 1 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t bits = 0;
        size_t length = rsa_der(der, rows[i].bits, rows[i].exponent_bytes);
        assert_int_equal(
            public_key_verify(KEY_RSA, text_from((const char *)der, length), digest,
                              text_from(signature, rows[i].bits / 8 < 512 ? rows[i].bits / 8 : 512), &bits),
            rows[i].outcome);
        assert_int_equal(bits, rows[i].bits);
        for (size_t cut = 0; cut < length; cut++)
            public_key_verify(KEY_RSA, text_from((const char *)der, cut), digest, text_from(signature, 64),
                              &bits);
    }
    uint32_t bits;
    assert_int_equal(
        public_key_verify(KEY_ED25519, text_from(signature, 31), digest, text_from(signature, 64), &bits),
        KEY_BROKEN);
    assert_int_equal(
        public_key_verify(KEY_ED25519, text_from(signature, 33), digest, text_from(signature, 64), &bits),
        KEY_BROKEN);
}

/* --- our own signatures --- */

static struct text sign_twice(struct arena *arena, struct text message)
{
    const struct private_key *keys[] = { rsa, ed25519 };
    struct text fields[2], selectors[] = { TEXT("r"), TEXT("e") };
    uint8_t body[KEY_DIGEST_BYTES];
    struct header header;
    judged_header(arena, message, &header);
    dkim_signing_body(text_slice(message, header.body_offset, message.length), body);
    for (size_t i = 0; i < 2; i++) {
        struct buffer raw = { 0 };
        struct dkim_signing signing;
        struct dkim_signer signer = { TEXT("example.org"), selectors[i], private_key_kind(keys[i]) };
        assert_true(dkim_signing_begin(arena, &header, body, &signer, NOW, &signing));
        assert_true(private_key_sign(keys[i], signing.digest, &raw));
        fields[i] = dkim_signing_end(arena, &signing, buffer_text(&raw));
        buffer_free(&raw);
    }
    return arena_printf(arena, "%.*s%.*s%.*s", TEXT_ARG(fields[0]), TEXT_ARG(fields[1]), TEXT_ARG(message));
}

static void test_signed_by_us(void **state)
{
    static const struct {
        const char *insert;
        enum dkim_reason reason;
    } rows[] = { { "", DKIM_GOOD },
                 { "Received: x\r\n", DKIM_GOOD },
                 { "List-Id: <x.test>\r\nList-Post: <mailto:x@y.test>\r\nSender: x@y.test\r\n", DKIM_GOOD },
                 { "From: other@example.com\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "Subject: other\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "To: other@example.com\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "Cc: other@example.com\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "Reply-To: other@example.com\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "Date: now\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "Message-ID: <1@x>\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "MIME-Version: 1.0\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "Content-Type: text/html\r\n", DKIM_SIGNATURE_DIFFERS },
                 { "Content-Transfer-Encoding: base64\r\n", DKIM_SIGNATURE_DIFFERS } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct judged judged;
        struct zone zone = { .arena = arena_new(0) };
        zone_add_txt(&zone, TEXT("r._domainkey.example.org"), judged_record_of(zone.arena, rsa));
        zone_add_txt(&zone, TEXT("e._domainkey.example.org"), judged_record_of(zone.arena, ed25519));
        struct text message = sign_twice(zone.arena, text_of(message_text));
        message = arena_printf(zone.arena, "%s%.*s", rows[i].insert, TEXT_ARG(message));
        judged_make(&zone, message, NOW, &judged);
        assert_int_equal(judged.signatures.dkim.count, 2);
        assert_int_equal(judged.dkim[0].reason, rows[i].reason);
        assert_int_equal(judged.dkim[1].reason, rows[i].reason);
        arena_free(zone.arena);
    }
}

static void test_lines_of_ours_are_short(void **state)
{
    struct arena *arena = arena_new(0);
    struct text line, message = sign_twice(arena, text_of(message_text));
    while (text_next_line(&message, &line)) assert_true(line.length <= 78 && !text_starts(line, TEXT("\t")));
    arena_free(arena);
}

static void test_private_keys(void **state)
{
    char error[128];
    const struct private_key *keys[] = { rsa, ed25519 };
    for (size_t i = 0; i < 2; i++) {
        struct buffer pem = { 0 }, again = { 0 };
        private_key_pem_add(keys[i], &pem);
        struct private_key *loaded = private_key_load(buffer_text(&pem), error, sizeof error);
        assert_non_null(loaded);
        assert_int_equal(private_key_kind(loaded), private_key_kind(keys[i]));
        assert_int_equal(private_key_bits(loaded), private_key_bits(keys[i]));
        private_key_pem_add(loaded, &again);
        assert_true(text_equal(buffer_text(&pem), buffer_text(&again)));
        private_key_free(loaded);
        buffer_free(&pem);
        buffer_free(&again);
    }
    assert_null(private_key_load(TEXT(""), error, sizeof error));
    assert_null(private_key_load(TEXT("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                                 error, sizeof error));
    assert_null(private_key_new(KEY_RSA, 512));
    assert_null(private_key_new(KEY_RSA, 16384));
}

/* --- canonical bodies --- */

static void assert_body(enum canonical_form form, struct text body, struct text due)
{
    uint8_t sum[DIGEST_BYTES];
    struct canonical_want want = { .form = form, .limit = CANONICAL_WHOLE };
    canonical_body_hash(body, (struct canonical_want *[]){ &want }, 1);
    digest_sha256(due, sum);
    if (!digest_equal(sum, want.digest)) print_message("not %.*s\n", TEXT_ARG(due));
    assert_true(digest_equal(sum, want.digest));
}

/* As the RFC says it, byte by byte. */
static struct text slow_relaxed(struct arena *arena, struct text body)
{
    char *out = arena_alloc(arena, body.length + 2);
    size_t length = 0;
    for (size_t i = 0; i < body.length;) {
        size_t behind = i;
        while (behind < body.length && char_is_blank(body.at[behind])) behind++;
        bool is_line_end = behind + 1 < body.length && memcmp(body.at + behind, "\r\n", 2) == 0;
        if (behind > i && !is_line_end) out[length++] = ' ';
        if (behind > i)
            i = behind;
        else
            out[length++] = body.at[i++];
    }
    while (length >= 2 && memcmp(out + length - 2, "\r\n", 2) == 0) length -= 2;
    if (length > 0) memcpy(out + length, "\r\n", 2);
    return text_from(out, length ? length + 2 : 0);
}

static void test_bodies(void **state)
{
    static const char *const rows[][3] = {
        { "", "\r\n", "" },
        { "\r\n\r\n", "\r\n", "" },
        { " \r\n\t\r\n", " \r\n\t\r\n", "" },
        { "a", "a\r\n", "a\r\n" },
        { "a\r\n", "a\r\n", "a\r\n" },
        { "a\r\n\r\n", "a\r\n", "a\r\n" },
        { "a \t b \r\n \r\nc\t\r\n", "a \t b \r\n \r\nc\t\r\n", "a b\r\n\r\nc\r\n" },
        { " a\r\n", " a\r\n", " a\r\n" },
        { "a\n\r\n", "a\n\r\n", "a\n\r\n" },
        { "a \n", "a \n\r\n", "a \n\r\n" },
        { "a\r", "a\r\r\n", "a\r\r\n" },
        { "a \r b", "a \r b\r\n", "a \r b\r\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_body(CANONICAL_SIMPLE, text_of(rows[i][0]), text_of(rows[i][1]));
        assert_body(CANONICAL_RELAXED, text_of(rows[i][0]), text_of(rows[i][2]));
    }
}

/* Random bytes of few kinds, of lengths around the blocks, against the slow way; all limits at once. */
static void test_bodies_at_random(void **state)
{
    static const char letters[] = "aaaaaaaaaaaa   \t\r\n\n\r";
    uint64_t seed = 88172645463325252ULL;
    struct arena *arena = arena_new(1 << 20);
    for (int round = 0; round < 300; round++) {
        arena_reset(arena);
        size_t length = round < 200 ? (size_t)round : 32 * 1024 + (size_t)round * 331;
        char *bytes = arena_alloc(arena, length + 1);
        for (size_t i = 0; i < length; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            bytes[i] = letters[seed % (round % 2 ? sizeof letters - 1 : 15)];
            if (seed >> 60 == 0 && i + 1 < length) bytes[i] = '\r', bytes[++i] = '\n';
        }
        struct text due = slow_relaxed(arena, text_from(bytes, length));
        struct canonical_want wants[5] = { { .limit = CANONICAL_WHOLE } }, *order[5];
        for (int i = 0; i < 5; i++) {
            if (i > 0) wants[i].form = CANONICAL_RELAXED;
            if (i > 0) wants[i].limit = i == 1 ? CANONICAL_WHOLE : (int64_t)(due.length * (size_t)i / 3);
            order[i] = &wants[i];
        }
        canonical_body_hash(text_from(bytes, length), order, 5);
        for (int i = 1; i < 5; i++) {
            uint8_t sum[DIGEST_BYTES];
            size_t limit = i == 1 ? due.length : due.length * (size_t)i / 3;
            assert_int_equal(wants[i].is_short, limit > due.length);
            assert_int_equal(wants[i].is_partial, limit < due.length);
            if (limit > due.length) continue;
            digest_sha256(text_slice(due, 0, limit), sum);
            assert_true(digest_equal(sum, wants[i].digest));
        }
    }
    arena_free(arena);
}

/* --- bad input --- */

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_a_thousand_signatures(void **state)
{
    struct judged judged;
    struct buffer message = { 0 };
    struct zone zone = { .arena = arena_new(0) };
    double begun = cpu_seconds();
    for (int i = 0; i < 1000; i++)
        buffer_printf(&message,
                      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d%d.test; s=s; l=%d; "
                      "h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n",
                      i, i);
    buffer_printf(&message, "From: a@b.test\r\n\r\n");
    char *body = buffer_reserve(&message, 1 << 20);
    memset(body, 'a', 1 << 20);
    buffer_commit(&message, 1 << 20);
    judged_make(&zone, buffer_text(&message), NOW, &judged);
    assert_int_equal(judged.signatures.dkim.count, DKIM_SIGNATURES_MOST);
    assert_int_equal(judged.signatures.dkim.unread, 1000 - DKIM_SIGNATURES_MOST);
    assert_true(cpu_seconds() - begun < 1);
    buffer_free(&message);
    arena_free(zone.arena);
}

/* Names in h= and fields of the header, 10,000 and 100,000 of them; sixteen signatures over all. */
static void test_many_names(void **state)
{
    struct judged judged;
    struct buffer message = { 0 };
    struct zone zone = { .arena = arena_new(0) };
    double begun = cpu_seconds();
    for (int i = 0; i < 16; i++) {
        buffer_printf(&message, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d.test; s=s;"
                                " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA; h=from");
        for (int name = 0; name < 10000; name++) buffer_printf(&message, ":x%d:y", name);
        buffer_printf(&message, "\r\n");
    }
    for (int i = 0; i < 100000; i++) buffer_printf(&message, "y: %d\r\n", i);
    buffer_printf(&message, "From: a@b.test\r\n\r\n");
    judged_make(&zone, buffer_text(&message), NOW, &judged);
    assert_int_equal(judged.signatures.dkim.count, 16);
    assert_int_equal(judged.dkim[15].reason, DKIM_KEY_MISSING);
    assert_true(cpu_seconds() - begun < 3);
    buffer_free(&message);
    arena_free(zone.arena);
}

/* 8 MB of header, all of it signed again and again: over the budget a signature has that as its reason. */
static void test_a_header_of_8_megabytes(void **state)
{
    struct judged judged;
    struct buffer message = { 0 };
    struct zone zone = { .arena = arena_new(0) };
    double begun = cpu_seconds();
    for (int i = 0; i < 16; i++)
        buffer_printf(&message, "DKIM-Signature: v=1; a=rsa-sha256; d=d.test; s=s; h=from:x;"
                                " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n");
    buffer_printf(&message, "X:");
    for (int i = 0; i < (8 << 20) / 4; i++) buffer_add(&message, "\r\n \t", 4);
    buffer_printf(&message, "\r\nFrom: a@b.test\r\n\r\n");
    judged_make(&zone, buffer_text(&message), NOW, &judged);
    assert_int_equal(judged.dkim[0].reason, DKIM_KEY_MISSING);
    assert_int_equal(judged.dkim[15].reason, DKIM_TOO_MUCH);
    assert_true(cpu_seconds() - begun < 2);
    buffer_free(&message);
    arena_free(zone.arena);
}

static void test_a_cut_header(void **state)
{
    struct header header;
    struct message_signatures signatures;
    struct arena *arena = arena_new(0);
    struct text message = sign_twice(arena, text_of(message_text));
    struct header_limits limits = { .bytes = 2000, .fields = 3 };
    header_parse(arena, message, &limits, &header);
    message_signatures_read(arena, message, &header, &signatures);
    assert_int_equal(signatures.dkim.signatures[0].reason, DKIM_HEADER_CUT);
    arena_free(arena);
}

/* Every prefix of a byte form is malformed, and so is one with a byte too much of anything. */
static void test_byte_forms(void **state)
{
    struct header header;
    struct message_signatures signatures, again;
    struct buffer form = { 0 };
    struct arena *arena = arena_new(0);
    struct text message = sign_twice(arena, text_of(message_text));
    judged_header(arena, message, &header);
    message_signatures_read(arena, message, &header, &signatures);
    message_signatures_put(&signatures, &form);
    for (size_t length = 0; length < buffer_length(&form); length++) {
        struct reader reader = reader_of(text_slice(buffer_text(&form), 0, length));
        assert_false(message_signatures_get(arena, &reader, &again) && reader_done(&reader));
    }
    for (size_t i = 0; i < buffer_length(&form); i++) {
        char *bytes = arena_text(arena, buffer_text(&form)).at ? form.memory + form.start : NULL;
        char kept = bytes[i];
        bytes[i] = (char)0xff;
        struct reader reader = reader_of(buffer_text(&form));
        if (message_signatures_get(arena, &reader, &again))
            assert_true(again.dkim.count <= DKIM_SIGNATURES_MOST);
        bytes[i] = kept;
    }
    buffer_free(&form);
    arena_free(arena);
}

static void test_wants_are_noted_together(void **state)
{
    struct header header;
    struct message_signatures signatures;
    struct dkim_verdict verdicts[2];
    struct arc_verdict arc;
    struct arena *arena = arena_new(0);
    struct dns_answers answers = { .arena = arena };
    struct text message = sign_twice(arena, text_of(message_text));
    judged_header(arena, message, &header);
    message_signatures_read(arena, message, &header, &signatures);
    assert_false(message_signatures_judge(arena, &signatures, &answers, NOW, verdicts, &arc));
    assert_int_equal(answers.count, 2);
    dns_answers_close(&answers);
    assert_true(message_signatures_judge(arena, &signatures, &answers, NOW, verdicts, &arc));
    assert_int_equal(verdicts[0].result, AUTH_TEMPERROR);
    assert_int_equal(verdicts[1].reason, DKIM_KEY_UNREACHABLE);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_what_people_are_told),
        cmocka_unit_test(test_alterations),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_several_records),
        cmocka_unit_test(test_sizes_of_keys),
        cmocka_unit_test(test_signed_by_us),
        cmocka_unit_test(test_lines_of_ours_are_short),
        cmocka_unit_test(test_private_keys),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_bodies_at_random),
        cmocka_unit_test(test_a_thousand_signatures),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_a_header_of_8_megabytes),
        cmocka_unit_test(test_a_cut_header),
        cmocka_unit_test(test_byte_forms),
        cmocka_unit_test(test_wants_are_noted_together),
    };
    return cmocka_run_group_tests_name("dkim", tests, keys_make, keys_free);
}
