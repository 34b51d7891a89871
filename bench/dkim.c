/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a DKIM signature costs to verify, header parsed and key record at hand, against bare OpenSSL: SHA-256
   of the same bytes and the same verification, with a key that is parsed each time, as ours, and with one
   that is parsed already. usage: bench-dkim; prints microseconds of CPU a message, medians of nine
   interleaved rounds, and the ratios. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/dkim_signing.h"
#include "auth/message_signatures.h"
#include "auth/private_key.h"
#include "tool.h"

enum { ROUNDS = 9, SPKI_HEAD = 24 /* bytes before the RSAPublicKey of RSA-2048 */ };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* A message of ours and what is needed to verify it. */
struct sample {
    struct arena *arena, *scratch;
    struct text message, public_key, signature;
    struct header header;
    uint8_t digest[KEY_DIGEST_BYTES];
    struct dns_record record;
    struct dns_answer answer;
    enum key_kind kind;
    struct text bare_key; /* of RSA without its SubjectPublicKeyInfo */
    EVP_PKEY *key;        /* the same, parsed */
};

static const char head[] =
    "Received: from mail.example.org (mail.example.org [192.0.2.7])\r\n"
    "\tby mx.example.ac.jp (Postfix) with ESMTPS id 5E112C1522AC\r\n"
    "\tfor <somebody@example.ac.jp>; Fri,  4 Nov 2022 13:02:25 +0900 (JST)\r\n"
    "From: Somebody Else <sender@example.org>\r\nTo: somebody@example.ac.jp\r\n"
    "Subject: The minutes of yesterday's meeting, with all that was decided\r\n"
    "Date: Fri, 04 Nov 2022 16:02:16 -0400\r\nMessage-ID: <A407959F1EB2B03E01506613@example.org>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
    "Content-Transfer-Encoding: 7bit\r\n\r\n";

/* `shape`: "text" has lines of words, "html" lines that are indented, "base64" lines without a space. */
static struct text body_of(struct arena *arena, const char *shape, size_t bytes)
{
    static const char *const lines[] = {
        "We have read what you sent and would like to talk about it on Monday.\r\n",
        "        <td class=\"x\">Some text in a cell of a table</td>\r\n",
        "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n"
    };
    const char *line = lines[shape[0] == 't' ? 0 : shape[0] == 'h' ? 1 : 2];
    char *body = arena_alloc(arena, bytes + 128);
    size_t length = 0;
    while (length < bytes) {
        memcpy(body + length, line, strlen(line));
        length += strlen(line);
    }
    return text_from(body, length);
}

/* The key comes as bytes, as in a key record, and is parsed by what takes OpenSSL least. */
static EVP_PKEY *key_parse(enum key_kind kind, struct text bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    return kind == KEY_RSA ? d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)bytes.length)
                           : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, at, bytes.length);
}

static void sample_make(struct sample *sample, enum key_kind kind, const char *shape, size_t bytes)
{
    static const struct header_limits limits = { .bytes = 1 << 20, .fields = 1000 };
    struct buffer signature = { 0 }, record = { 0 }, public_key = { 0 };
    struct dkim_signing signing;
    uint8_t digest[KEY_DIGEST_BYTES];
    sample->arena = arena_new(1 << 22);
    sample->scratch = arena_new(1 << 16);
    sample->kind = kind;
    struct private_key *key = private_key_new(kind, 2048);
    struct text body = body_of(sample->arena, shape, bytes);
    struct text plain = arena_printf(sample->arena, "%s%.*s", head, TEXT_ARG(body));
    header_parse(sample->arena, plain, &limits, &sample->header);
    dkim_signing_body(body, digest);
    struct dkim_signer signer = { TEXT("example.org"), TEXT("s"), kind };
    if (!dkim_signing_begin(sample->arena, &sample->header, digest, &signer, 1700000000, &signing)) abort();
    if (!private_key_sign(key, signing.digest, &signature)) abort();
    struct text field = dkim_signing_end(sample->arena, &signing, buffer_text(&signature));
    sample->message = arena_printf(sample->arena, "%.*s%.*s", TEXT_ARG(field), TEXT_ARG(plain));
    header_parse(sample->arena, sample->message, &limits, &sample->header);
    memcpy(sample->digest, signing.digest, sizeof signing.digest);
    sample->signature = arena_text(sample->arena, buffer_text(&signature));
    private_key_record_add(key, &record);
    private_key_public_add(key, &public_key);
    sample->public_key = arena_text(sample->arena, buffer_text(&public_key));
    sample->record = (struct dns_record){ .text = arena_text(sample->arena, buffer_text(&record)) };
    sample->answer = (struct dns_answer){ .status = DNS_FOUND, .count = 1, .records = &sample->record };
    sample->bare_key = sample->public_key;
    if (kind == KEY_RSA)
        sample->bare_key = text_slice(sample->public_key, SPKI_HEAD, sample->public_key.length);
    sample->key = key_parse(kind, sample->bare_key);
    if (!sample->key) abort();
    private_key_free(key);
    buffer_free(&signature);
    buffer_free(&record);
    buffer_free(&public_key);
}

static bool at_hand(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    *out = ((struct sample *)context)->answer;
    return true;
}

static void verify_ours(struct sample *sample)
{
    struct message_signatures signatures;
    struct dkim_verdict dkim[DKIM_SIGNATURES_MOST];
    struct arc_verdict arc;
    arena_reset(sample->scratch);
    struct dns_answers answers = { .arena = sample->scratch, .at_hand = at_hand, .context = sample };
    message_signatures_read(sample->scratch, sample->message, &sample->header, &signatures);
    if (!message_signatures_judge(sample->scratch, &signatures, &answers, 1700000000, dkim, &arc)) abort();
    if (signatures.dkim.count != 1 || dkim[0].result != AUTH_PASS) abort();
}

/* With a key in hand. */
static bool bare_rsa(EVP_PKEY *key, const struct sample *sample)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool is_good = EVP_PKEY_verify_init(context) > 0 &&
                   EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0 &&
                   EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
                   EVP_PKEY_verify(context, (const unsigned char *)sample->signature.at,
                                   sample->signature.length, sample->digest, 32) > 0;
    EVP_PKEY_CTX_free(context);
    return is_good;
}

static bool bare_ed25519(EVP_PKEY *key, const struct sample *sample)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) > 0 &&
                   EVP_DigestVerify(context, (const unsigned char *)sample->signature.at,
                                    sample->signature.length, sample->digest, 32) > 0;
    EVP_MD_CTX_free(context);
    return is_good;
}

static void verify_in_hand(struct sample *sample)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    unsigned length = 0;
    EVP_Digest(sample->message.at, sample->message.length, digest, &length, EVP_sha256(), NULL);
    bool is_good =
        sample->kind == KEY_RSA ? bare_rsa(sample->key, sample) : bare_ed25519(sample->key, sample);
    if (!is_good) abort();
}

static void verify_parsed(struct sample *sample)
{
    EVP_PKEY *in_hand = sample->key;
    sample->key = key_parse(sample->kind, sample->bare_key);
    verify_in_hand(sample);
    EVP_PKEY_free(sample->key);
    sample->key = in_hand;
}

static double round_of(struct sample *sample, void (*verify)(struct sample *), int times)
{
    double begun = now_us();
    for (int i = 0; i < times; i++) verify(sample);
    return (now_us() - begun) / times;
}

static void measure(enum key_kind kind, const char *shape, size_t bytes)
{
    static void (*const ways[])(struct sample *) = { verify_ours, verify_parsed, verify_in_hand };
    struct sample sample = { 0 };
    double us[3][ROUNDS];
    int times = bytes > 500000 ? 40 : 400;
    sample_make(&sample, kind, shape, bytes);
    for (int i = 0; i < ROUNDS; i++)
        for (int way = 0; way < 3; way++) us[way][i] = round_of(&sample, ways[way], times);
    for (int way = 0; way < 3; way++) qsort(us[way], ROUNDS, sizeof **us, order);
    double ours = us[0][ROUNDS / 2], parsed = us[1][ROUNDS / 2], in_hand = us[2][ROUNDS / 2];
    printf(
        "%-7s %-6s %8zu bytes: %7.1f us; bare, key parsed %7.1f, ratio %.2f; key in hand %7.1f, ratio %.2f\n",
        public_key_kind_name(kind), shape, bytes, ours, parsed, ours / parsed, in_hand, ours / in_hand);
    EVP_PKEY_free(sample.key);
    arena_free(sample.arena);
    arena_free(sample.scratch);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 0, 0, "bench-dkim");
    static const size_t sizes[] = { 4096, 65536, 1048576 };
    static const char *const shapes[] = { "text", "html", "base64" };
    for (int kind = 0; kind < KEY_KIND_COUNT; kind++)
        for (size_t shape = 0; shape < 3; shape++)
            for (size_t i = 0; i < 3; i++) measure((enum key_kind)kind, shapes[shape], sizes[i]);
    return 0;
}
