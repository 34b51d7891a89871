/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a chain is worth: RFC 8617 section 5.2, in its order. */
#include "auth/arc.h"

static const struct {
    const char *name, *text;
} reasons[ARC_REASON_COUNT] = {
    [ARC_GOOD] = { "good", "" },
    [ARC_SYNTAX] = { "syntax", "a field of the chain is malformed or has no number" },
    [ARC_TOO_MANY] = { "too-many", "the chain is longer than is read" },
    [ARC_DOUBLED] = { "doubled", "a set has a field twice" },
    [ARC_INCOMPLETE] = { "incomplete", "a set of the chain lacks a field" },
    [ARC_CV] = { "cv", "a seal's cv= does not fit its place" },
    [ARC_CV_FAILED] = { "cv-failed", "the chain had failed before it came here" },
    [ARC_SEAL] = { "seal", "a seal does not hold" },
    [ARC_MESSAGE] = { "message", "the newest message signature does not hold" },
    [ARC_UNREACHABLE] = { "unreachable", "the DNS did not tell a key of the chain" },
};

static enum arc_reason known(enum arc_reason reason)
{
    return (unsigned)reason < ARC_REASON_COUNT ? reason : ARC_SYNTAX;
}

const char *arc_reason_text(enum arc_reason reason)
{
    return reasons[known(reason)].text;
}

const char *arc_reason_name(enum arc_reason reason)
{
    return reasons[known(reason)].name;
}

const char *arc_cv_name(enum arc_cv cv)
{
    return cv == ARC_CV_PASS ? "pass" : cv == ARC_CV_FAIL ? "fail" : "none";
}

bool arc_ask(const struct arc_facts *facts, struct dns_answers *answers, uint64_t now_s)
{
    bool is_known = true;
    if (facts->reason != ARC_GOOD) return true;
    for (uint32_t i = facts->count; i > 0; i--) {
        is_known = dkim_ask(&facts->sets[i - 1].message, answers, now_s) && is_known;
        is_known = dkim_ask(&facts->sets[i - 1].seal, answers, now_s) && is_known;
    }
    return is_known;
}

static void fail(struct arc_verdict *verdict, enum arc_reason reason, uint32_t set)
{
    verdict->result = AUTH_FAIL;
    verdict->reason = reason;
    verdict->failed_set = set;
}

static enum arc_reason reason_of(const struct dkim_verdict *verdict, enum arc_reason otherwise)
{
    return verdict->result == AUTH_TEMPERROR ? ARC_UNREACHABLE : otherwise;
}

/* The lowest set from which on every message signature holds. */
static uint32_t oldest_pass(const struct arc_verdict *verdict)
{
    uint32_t set = verdict->sets;
    while (set > 0 && verdict->by_set[set - 1].message.result == AUTH_PASS) set--;
    return set == 0 ? 0 : set + 1;
}

static void chain_judge(struct arc_verdict *verdict)
{
    const struct arc_set_verdict *newest = &verdict->by_set[verdict->sets - 1];
    verdict->result = AUTH_PASS;
    verdict->oldest_pass = oldest_pass(verdict);
    if (newest->message.result != AUTH_PASS) {
        fail(verdict, reason_of(&newest->message, ARC_MESSAGE), verdict->sets);
        return;
    }
    for (uint32_t set = verdict->sets; set > 0; set--) {
        const struct dkim_verdict *seal = &verdict->by_set[set - 1].seal;
        if (seal->result == AUTH_PASS) continue;
        fail(verdict, reason_of(seal, ARC_SEAL), set);
        return;
    }
}

bool arc_judge(struct arena *arena, const struct arc_facts *facts, struct dns_answers *answers,
               uint64_t now_s, struct arc_verdict *out)
{
    *out = (struct arc_verdict){ .sets = facts->count };
    if (facts->reason != ARC_GOOD) {
        fail(out, known(facts->reason), facts->failed_set);
        return true;
    }
    if (facts->count == 0) return true;
    if (!arc_ask(facts, answers, now_s)) return false;
    out->by_set = arena_alloc_array(arena, facts->count, sizeof *out->by_set);
    for (uint32_t i = 0; i < facts->count; i++) {
        dkim_judge_one(&facts->sets[i].message, answers, now_s, &out->by_set[i].message);
        dkim_judge_one(&facts->sets[i].seal, answers, now_s, &out->by_set[i].seal);
    }
    chain_judge(out);
    return true;
}

bool arc_results_read(struct arena *arena, const struct arc_facts *facts, uint32_t set,
                      struct authentication_results *out)
{
    if (set == 0 || set > facts->count) return false;
    return authentication_results_read(arena, facts->sets[set - 1].results, out);
}
