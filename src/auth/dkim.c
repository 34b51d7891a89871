/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What signatures are worth. First every key is asked for, then all are verified: never half. */
#include "auth/dkim.h"

#include "auth/dkim_key.h"

enum { KEYS_TRIED = 3 }; /* of several records with one name (RFC 6376 section 3.6.2.2) */

/* --- reasons --- */

/* RFC 8601 section 2.7.1: neutral what could not be processed, permerror what is without remedy, policy what
   we do not accept, fail what was calculated or is over. */
static const struct {
    enum auth_result result;
    const char *name, *text;
} reasons[DKIM_REASON_COUNT] = {
    [DKIM_GOOD] = { AUTH_PASS, "good", "" },
    [DKIM_SYNTAX] = { AUTH_NEUTRAL, "syntax", "the signature field is malformed" },
    [DKIM_TAG_MISSING] = { AUTH_NEUTRAL, "tag-missing", "the signature lacks a required tag" },
    [DKIM_VERSION] = { AUTH_NEUTRAL, "version", "the signature's version is unknown" },
    [DKIM_ALGORITHM] = { AUTH_NEUTRAL, "algorithm", "the signature's algorithm is unknown" },
    [DKIM_SHA1] = { AUTH_PERMERROR, "sha1", "rsa-sha1 is not accepted any more" },
    [DKIM_CANONICALIZATION] = { AUTH_NEUTRAL, "canonicalization", "the canonicalization is unknown" },
    [DKIM_QUERY] = { AUTH_NEUTRAL, "query", "the key is not in the DNS" },
    [DKIM_DOMAIN] = { AUTH_NEUTRAL, "domain", "domain or selector is no domain name" },
    [DKIM_IDENTITY] = { AUTH_PERMERROR, "identity", "the identity is outside the signing domain" },
    [DKIM_FROM_UNSIGNED] = { AUTH_PERMERROR, "from-unsigned", "the From field is not signed" },
    [DKIM_TIMES] = { AUTH_NEUTRAL, "times", "the signature ends before it begins" },
    [DKIM_LENGTH] = { AUTH_FAIL, "length", "the body is shorter than what was signed" },
    [DKIM_HEADER_CUT] = { AUTH_NEUTRAL, "header-cut", "the header is over the limits" },
    [DKIM_TOO_MUCH] = { AUTH_NEUTRAL, "too-much", "the signatures cover more than is hashed of one message" },
    [DKIM_SEAL_FIELDS] = { AUTH_NEUTRAL, "seal-fields", "a seal's fields are named where they may not be" },
    [DKIM_EXPIRED] = { AUTH_FAIL, "expired", "the signature has expired" },
    [DKIM_FUTURE] = { AUTH_POLICY, "future", "the signature is dated in the future" },
    [DKIM_KEY_UNREACHABLE] = { AUTH_TEMPERROR, "key-unreachable", "the DNS did not tell the key" },
    [DKIM_KEY_MISSING] = { AUTH_PERMERROR, "key-missing", "there is no such key in the DNS" },
    [DKIM_KEY_SYNTAX] = { AUTH_PERMERROR, "key-syntax", "the key record is malformed" },
    [DKIM_KEY_REVOKED] = { AUTH_PERMERROR, "key-revoked", "the key is revoked" },
    [DKIM_KEY_KIND] = { AUTH_PERMERROR, "key-kind", "the key is not of the signature's algorithm" },
    [DKIM_KEY_HASH] = { AUTH_PERMERROR, "key-hash", "the key record does not permit SHA-256" },
    [DKIM_KEY_SERVICE] = { AUTH_PERMERROR, "key-service", "the key is not for mail" },
    [DKIM_KEY_STRICT] = { AUTH_PERMERROR, "key-strict", "the key is not for subdomains" },
    [DKIM_KEY_BROKEN] = { AUTH_PERMERROR, "key-broken", "the key cannot be read" },
    [DKIM_KEY_SHORT] = { AUTH_POLICY, "key-short", "the key has fewer than 1024 bits" },
    [DKIM_KEY_LONG] = { AUTH_POLICY, "key-long", "the key has more than 4096 bits" },
    [DKIM_BODY_DIFFERS] = { AUTH_FAIL, "body-differs", "the body was altered" },
    [DKIM_SIGNATURE_DIFFERS] = { AUTH_FAIL, "signature-differs",
                                 "the signature does not fit header and key" },
};

static enum dkim_reason known(enum dkim_reason reason)
{
    return (unsigned)reason < DKIM_REASON_COUNT ? reason : DKIM_SYNTAX;
}

const char *dkim_reason_text(enum dkim_reason reason)
{
    return reasons[known(reason)].text;
}

const char *dkim_reason_name(enum dkim_reason reason)
{
    return reasons[known(reason)].name;
}

const char *dkim_algorithm_name(const struct dkim_signature *signature)
{
    if (signature->reason == DKIM_SHA1) return "rsa-sha1";
    if (signature->reason == DKIM_ALGORITHM) return "unknown";
    return signature->kind == KEY_ED25519 ? "ed25519-sha256" : "rsa-sha256";
}

static void verdict_set(struct dkim_verdict *verdict, enum dkim_reason reason)
{
    verdict->reason = known(reason);
    verdict->result = reasons[verdict->reason].result;
}

/* --- one signature --- */

/* What is wrong without a key. */
static enum dkim_reason time_check(const struct dkim_signature *signature, uint64_t now_s)
{
    if (signature->reason != DKIM_GOOD) return signature->reason;
    if (signature->expires_s && now_s > signature->expires_s) return DKIM_EXPIRED;
    return signature->signed_s > now_s + DKIM_FUTURE_S ? DKIM_FUTURE : DKIM_GOOD;
}

/* NULL: not known yet. */
static const struct dns_answer *answer_of(const struct dkim_signature *signature, struct dns_answers *answers)
{
    struct text name = dkim_key_name(answers->arena, signature->selector, signature->domain);
    return dns_answers_find(answers, name, RECORD_TXT);
}

static enum dkim_reason outcome_reason(enum key_outcome outcome)
{
    static const enum dkim_reason by_outcome[] = { [KEY_HOLDS] = DKIM_GOOD,
                                                   [KEY_DIFFERS] = DKIM_SIGNATURE_DIFFERS,
                                                   [KEY_BROKEN] = DKIM_KEY_BROKEN,
                                                   [KEY_SHORT] = DKIM_KEY_SHORT,
                                                   [KEY_LONG] = DKIM_KEY_LONG };
    return by_outcome[outcome];
}

/* i= is in d= itself (RFC 6376 section 3.6.1); of ARC there is no i=. */
static bool is_strictly_in(const struct dkim_signature *signature)
{
    size_t at = text_find_last_char(signature->identity, '@');
    if (signature->identity.length == 0) return true;
    return text_equal_nocase(text_slice(signature->identity, at + 1, signature->identity.length),
                             signature->domain);
}

static void key_try(const struct dkim_signature *signature, const struct dkim_key *key,
                    struct dkim_verdict *out)
{
    out->is_testing = key->is_testing;
    enum dkim_reason reason = key->reason;
    if (reason == DKIM_GOOD && key->kind != signature->kind) reason = DKIM_KEY_KIND;
    if (reason == DKIM_GOOD && key->is_strict && !is_strictly_in(signature)) reason = DKIM_KEY_STRICT;
    if (reason == DKIM_GOOD)
        reason = outcome_reason(public_key_verify(key->kind, key->bytes, signature->digest,
                                                  signature->signature, &out->key_bits));
    out->header_holds = reason == DKIM_GOOD;
    bool is_calculated = reason == DKIM_GOOD || reason == DKIM_SIGNATURE_DIFFERS;
    if (is_calculated && signature->body_differs) reason = DKIM_BODY_DIFFERS;
    verdict_set(out, reason);
}

/* Of several records those that are no key records count for nothing beside one that is; of several keys the
   one that verifies counts, else the first. */
static void keys_try(const struct dkim_signature *signature, struct arena *arena,
                     const struct dns_answer *answer, struct dkim_verdict *out)
{
    struct dkim_key key;
    uint32_t tried = 0;
    verdict_set(out, DKIM_KEY_SYNTAX);
    for (uint32_t i = 0; i < answer->count && tried < KEYS_TRIED; i++) {
        struct dkim_verdict verdict = { 0 };
        dkim_key_parse(arena, answer->records[i].text, &key);
        if (key.reason == DKIM_KEY_SYNTAX) continue;
        key_try(signature, &key, &verdict);
        if (tried++ == 0 || verdict.header_holds) *out = verdict;
        if (verdict.header_holds) return;
    }
}

bool dkim_judge_one(const struct dkim_signature *signature, struct dns_answers *answers, uint64_t now_s,
                    struct dkim_verdict *out)
{
    *out = (struct dkim_verdict){ 0 };
    verdict_set(out, time_check(signature, now_s));
    if (out->reason != DKIM_GOOD) return true;
    const struct dns_answer *answer = answer_of(signature, answers);
    if (!answer) return false;
    if (answer->status == DNS_NONE)
        verdict_set(out, DKIM_KEY_MISSING);
    else if (answer->status != DNS_FOUND)
        verdict_set(out, DKIM_KEY_UNREACHABLE);
    else
        keys_try(signature, answers->arena, answer, out);
    return true;
}

bool dkim_ask(const struct dkim_signature *signature, struct dns_answers *answers, uint64_t now_s)
{
    return time_check(signature, now_s) != DKIM_GOOD || answer_of(signature, answers);
}

bool dkim_judge(const struct dkim_facts *facts, struct dns_answers *answers, uint64_t now_s,
                struct dkim_verdict *out)
{
    bool is_known = true;
    for (uint32_t i = 0; i < facts->count; i++)
        is_known = dkim_ask(&facts->signatures[i], answers, now_s) && is_known;
    if (!is_known) return false;
    for (uint32_t i = 0; i < facts->count; i++)
        dkim_judge_one(&facts->signatures[i], answers, now_s, &out[i]);
    return true;
}
