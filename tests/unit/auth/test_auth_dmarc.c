/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* DMARC: records, the tree walk, policy, alignment, several authors, public suffixes; rows of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "auth/dmarc.h"
#include "zone.h"

enum { ROUNDS_MOST = 8, WORDS_MOST = 40 };

/* --- Records */

static const struct record_row {
    const char *text;
    bool is_one;
    unsigned has, is_bad;
    enum dmarc_policy p, sp, np;
    enum dmarc_psd psd;
    bool is_testing, is_strict_dkim, is_strict_spf;
    unsigned percent;
} record_rows[] = {
    { "v=DMARC1; p=none", true, DMARC_P, .percent = 100 },
    { "v=DMARC1", true, .percent = 100 },
    { "V = DMARC1 ; P = Reject ;", true, DMARC_P, .p = DMARC_POLICY_REJECT, .percent = 100 },
    { "v=DMARC1;p=quarantine;sp=reject;np=none", true, DMARC_P | DMARC_SP | DMARC_NP,
      .p = DMARC_POLICY_QUARANTINE, .sp = DMARC_POLICY_REJECT, .percent = 100 },
    { "v=DMARC1; p=bob; sp=none", true, DMARC_SP, DMARC_P, .percent = 100 },
    { "v=DMARC1; adkim=s; aspf=S; t=y; psd=y; pct=20", true, .psd = DMARC_PSD_YES, .is_testing = true,
      .is_strict_dkim = true, .is_strict_spf = true, .percent = 20 },
    { "v=DMARC1; adkim=strict; aspf=x; t=yes; psd=q; pct=101", true, .percent = 100 },
    { "v=DMARC1; psd=n; pct=x", true, .psd = DMARC_PSD_NO, .percent = 100 },
    { "v=DMARC1; p=none; p=reject", true, DMARC_P, .percent = 100 },
    { "v=DMARC1;; ;=;x;=y; p=reject", true, DMARC_P, .p = DMARC_POLICY_REJECT, .percent = 100 },
    { "", false },
    { "v=dmarc1; p=none", false },
    { "v=DMARC12; p=none", false },
    { "v=DMARC1 p=none", false },
    { " v=DMARC1; p=none", false },
    { "p=none; v=DMARC1", false },
    { "v=spf1 -all", false },
};

static void test_records(void **state)
{
    for (size_t i = 0; i < sizeof record_rows / sizeof *record_rows; i++) {
        const struct record_row *row = &record_rows[i];
        struct dmarc_record record;
        assert_int_equal(dmarc_record_parse(text_of(row->text), &record), row->is_one);
        if (!row->is_one) continue;
        assert_int_equal(record.has, row->has);
        assert_int_equal(record.is_bad, row->is_bad);
        assert_true(record.p == row->p && record.sp == row->sp && record.np == row->np &&
                    record.psd == row->psd);
        assert_int_equal(record.is_testing, row->is_testing);
        assert_int_equal(record.is_strict_dkim, row->is_strict_dkim);
        assert_int_equal(record.is_strict_spf, row->is_strict_spf);
        assert_int_equal(record.percent, row->percent);
    }
    assert_true(dmarc_record_has_uri(TEXT("x, mailto:a@b.test")));
    assert_false(dmarc_record_has_uri(TEXT("a@b.test, mailto:, :x, m\303\274:x")));
}

/* --- Judgements */

struct row {
    const char *zone;
    const char *from;   /* domains */
    const char *proofs; /* "spf+a.test dkim-b.test dkim?c.test": pass, fail, temperror */
    const char *due;    /* outcome, policy, disposition, record at, organization ("-": not needed) */
    int sample;         /* with a list: 1 to 100, one more than the request's; 0: tree walk */
};

static const struct row rows[] = {
    { "", "b.test", "spf+b.test", "none none none - b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "", "", "none none none - -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "", "fail reject reject b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "B.Test", "spf+b.TEST.", "pass reject none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "spf-b.test dkim-b.test",
      "fail reject reject b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "spf+c.test dkim+d.test",
      "fail reject reject b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "spf+c.test dkim+x.b.test",
      "pass reject none b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "x.b.test", "dkim+y.b.test",
      "pass reject none b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; adkim=s\n", "x.b.test", "dkim+b.test",
      "fail reject reject b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; adkim=s\n", "x.b.test", "dkim+x.b.test",
      "pass reject none b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; aspf=s\n", "b.test", "spf+x.b.test",
      "fail reject reject b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=quarantine\n", "b.test", "", "fail quarantine quarantine b.test -" },
    { "_dmarc.xn--bcher-kva.test TXT v=DMARC1; p=reject\n", "b\303\274cher.test", "dkim+xn--bcher-kva.test",
      "pass reject none xn--bcher-kva.test -" },
    /* which record */
    { "_dmarc.b.test TXT other\n_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "",
      "fail reject reject b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.b.test TXT v=DMARC1; p=none\n", "b.test", "",
      "none none none - b.test" },
    { "_dmarc.x.b.test TXT v=DMARC1; p=none\n_dmarc.b.test TXT v=DMARC1; p=reject\n", "x.b.test", "",
      "fail none none x.b.test -" },
    { "_dmarc.x.b.test TXT v=DMARC1; p=reject\n_dmarc.b.test TXT v=DMARC1; p=none\n", "y.x.b.test", "",
      "fail none none b.test b.test" },
    { "_dmarc.x.b.test TXT v=DMARC1; p=reject; psd=n\n_dmarc.b.test TXT v=DMARC1; p=none\n", "y.x.b.test",
      "dkim+b.test", "fail reject reject x.b.test x.b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; psd=n\n_dmarc.x.b.test TXT v=DMARC1; p=none; psd=n\n", "b.test",
      "dkim+x.b.test", "fail reject reject b.test b.test" },
    /* public suffix domains: psd=y */
    { "_dmarc.test TXT v=DMARC1; p=reject; psd=y\n", "b.test", "dkim+x.b.test",
      "pass reject none test b.test" },
    { "_dmarc.test TXT v=DMARC1; p=reject; psd=y\n", "x.b.test", "dkim+c.test",
      "fail reject reject test b.test" },
    { "_dmarc.test TXT v=DMARC1; p=reject; psd=y\n_dmarc.b.test TXT v=DMARC1; p=none\n", "x.b.test", "",
      "fail none none b.test b.test" },
    { "_dmarc.test TXT v=DMARC1; p=reject\n", "b.test", "dkim+c.test", "pass reject none test test" },
    { "_dmarc.test TXT v=DMARC1; p=reject; psd=y\n", "test", "dkim+c.test", "fail reject reject test test" },
    /* sp and np */
    { "_dmarc.b.test TXT v=DMARC1; p=reject; sp=none\n", "b.test", "", "fail reject reject b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; sp=quarantine\n", "x.b.test", "",
      "fail quarantine quarantine b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=none; sp=quarantine; np=reject\n", "x.b.test", "",
      "fail reject reject b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=none; sp=quarantine; np=reject\nx.b.test EMPTY\n", "x.b.test", "",
      "fail quarantine quarantine b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=none; np=reject\nx.b.test TIMEOUT\n", "x.b.test", "",
      "fail none none b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=none; np=reject\n", "b.test", "", "fail none none b.test -" },
    /* no valid policy */
    { "_dmarc.b.test TXT v=DMARC1; p=x\n", "b.test", "dkim+b.test", "permerror none none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; sp=x\n", "b.test", "", "permerror none none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; np=x; rua=mailto:a@b.test\n", "b.test", "",
      "fail none none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; rua=mailto:a@b.test\n", "b.test", "", "fail none none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; rua=nobody\n", "b.test", "", "permerror none none b.test -" },
    /* tests */
    { "_dmarc.b.test TXT v=DMARC1; p=reject; t=y\n", "b.test", "", "fail reject quarantine b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=quarantine; t=y\n", "b.test", "", "fail quarantine none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; pct=0\n", "b.test", "", "fail reject reject b.test -" },
    /* the DNS does not answer: nobody fails for it */
    { "_dmarc.b.test TIMEOUT\n", "b.test", "spf+b.test", "temperror none none - -" },
    { "_dmarc.test TIMEOUT\n", "b.test", "", "temperror none none - -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.test TIMEOUT\n", "b.test", "",
      "fail reject reject b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.test TIMEOUT\n", "b.test", "dkim+b.test",
      "pass reject none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.test TIMEOUT\n", "b.test", "dkim+c.test",
      "temperror reject none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; psd=n\n_dmarc.test TIMEOUT\n", "x.b.test", "dkim+c.test",
      "fail reject reject b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "spf?b.test", "temperror reject none b.test -" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "dkim?c.test spf-b.test",
      "fail reject reject b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "dkim?x.b.test",
      "temperror reject none b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test", "dkim?x.b.test dkim+b.test",
      "pass reject none b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.x.b.test TIMEOUT\n", "b.test", "dkim+x.b.test",
      "temperror reject none b.test b.test" },
    /* eight questions a walk: section 4.10 */
    { "_dmarc.d.e.f.g.h.b.test TXT v=DMARC1; p=reject\n", "a.b.c.d.e.f.g.h.b.test", "",
      "fail reject reject d.e.f.g.h.b.test d.e.f.g.h.b.test" },
    { "_dmarc.c.d.e.f.g.h.b.test TXT v=DMARC1; p=reject\n", "a.b.c.d.e.f.g.h.b.test", "",
      "none none none - a.b.c.d.e.f.g.h.b.test" },
    { "_dmarc.c.d.e.f.g.b.test TXT v=DMARC1; p=reject\n", "b.c.d.e.f.g.b.test", "",
      "fail reject reject c.d.e.f.g.b.test c.d.e.f.g.b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject; psd=y\n", "a.b.c.d.e.f.g.h.b.test", "",
      "fail reject reject b.test h.b.test" },
    /* several authors: the strictest counts */
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.c.test TXT v=DMARC1; p=none\n", "b.test c.test",
      "dkim+b.test", "fail none none c.test c.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.c.test TXT v=DMARC1; p=none\n", "c.test b.test",
      "dkim+c.test", "fail reject reject b.test b.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n", "b.test c.test", "dkim+b.test", "none none none - c.test" },
    { "_dmarc.b.test TXT v=DMARC1; p=reject\n_dmarc.c.test TIMEOUT\n", "c.test b.test", "",
      "fail reject reject b.test -" },
    /* by a list */
    { "_dmarc.b.co.uk TXT v=DMARC1; p=reject\n", "x.y.b.co.uk", "dkim+z.b.co.uk",
      "pass reject none b.co.uk b.co.uk", 1 },
    { "_dmarc.co.uk TXT v=DMARC1; p=reject\n", "b.co.uk", "", "none none none - b.co.uk", 1 },
    { "_dmarc.y.b.co.uk TXT v=DMARC1; p=reject\n", "x.y.b.co.uk", "", "none none none - b.co.uk", 1 },
    { "_dmarc.b.co.uk TXT v=DMARC1; p=reject\n", "b.co.uk", "dkim+c.co.uk",
      "fail reject reject b.co.uk b.co.uk", 1 },
    { "_dmarc.b.co.uk TXT v=DMARC1; p=reject; pct=50\n", "b.co.uk", "", "fail reject reject b.co.uk -", 50 },
    { "_dmarc.b.co.uk TXT v=DMARC1; p=reject; pct=50\n", "b.co.uk", "", "fail reject quarantine b.co.uk -",
      51 },
    { "_dmarc.b.co.uk TXT v=DMARC1; p=quarantine; pct=0\n", "b.co.uk", "", "fail quarantine none b.co.uk -",
      1 },
    { "_dmarc.uk TXT v=DMARC1; p=quarantine\n", "co.uk", "", "none none none - co.uk", 1 },
};

static void read_proofs(const char *words, struct dmarc_request *request, struct dmarc_identifier *dkim)
{
    struct text rest = text_of(words), word;
    while (text_next_word(&rest, &word)) {
        bool is_spf = text_starts(word, TEXT("spf"));
        size_t at = is_spf ? 3 : 4;
        struct dmarc_identifier identifier = { text_slice(word, at + 1, word.length), DMARC_UNPROVEN };
        if (word.at[at] == '+') identifier.proof = DMARC_PROVEN;
        if (word.at[at] == '?') identifier.proof = DMARC_UNKNOWN;
        if (is_spf)
            request->spf = identifier;
        else
            dkim[request->dkim_count++] = identifier;
    }
    request->dkim = dkim;
}

static uint32_t read_domains(const char *words, struct text *out)
{
    struct text rest = text_of(words);
    uint32_t count = 0;
    while (count < WORDS_MOST && text_next_word(&rest, &out[count])) count++;
    return count;
}

static struct dmarc_result ask(struct arena *arena, struct zone *zone, const struct dmarc_request *request,
                               uint32_t *out_rounds)
{
    struct dmarc_result result;
    struct dns_answers answers = { .arena = arena };
    *out_rounds = 0;
    while (!dmarc_evaluate(arena, &answers, request, &result)) {
        assert_true(++*out_rounds < ROUNDS_MOST);
        assert_true(zone_fill(zone, &answers));
    }
    return result;
}

static struct text or_dash(struct text text)
{
    return text.length ? text : TEXT("-");
}

static void test_rows(void **state)
{
    const struct public_suffix_list *suffixes = public_suffix_builtin();
    assert_non_null(suffixes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        uint32_t rounds;
        struct text from[WORDS_MOST];
        struct dmarc_identifier dkim[WORDS_MOST];
        struct arena *arena = arena_new(0);
        struct zone *zone = zone_new(arena);
        struct dmarc_request request = { .authors = from, .author_count = read_domains(row->from, from) };
        read_proofs(row->proofs, &request, dkim);
        zone_read(zone, row->zone);
        if (row->sample) request.suffixes = suffixes, request.sample = (uint32_t)row->sample - 1;
        struct dmarc_result result = ask(arena, zone, &request, &rounds);
        struct text got =
            arena_printf(arena, "%s %s %s %.*s %.*s", dmarc_outcome_name(result.outcome),
                         dmarc_policy_name(result.policy), dmarc_policy_name(result.disposition),
                         TEXT_ARG(or_dash(result.record_at)), TEXT_ARG(or_dash(result.organization)));
        if (!text_equal(got, text_of(row->due)))
            fail_msg("%sfrom %s, %s\n gives %s (%s), not %s", row->zone, row->from, row->proofs, got.at,
                     result.reason, row->due);
        assert_true(rounds <= 2);
        arena_free(arena);
    }
}

static void test_aligned_facts(void **state)
{
    uint32_t rounds;
    struct arena *arena = arena_new(0);
    struct zone *zone = zone_new(arena);
    struct text from = TEXT("b.test");
    struct dmarc_identifier dkim[] = { { TEXT("c.test"), DMARC_PROVEN },
                                       { TEXT("b.test"), DMARC_UNPROVEN },
                                       { TEXT("x.b.test"), DMARC_PROVEN } };
    struct dmarc_request request = { .authors = &from, .author_count = 1, .dkim = dkim, .dkim_count = 3 };
    zone_read(zone, "_dmarc.b.test TXT v=DMARC1; p=reject; rua=mailto:a@b.test\n");
    struct dmarc_result result = ask(arena, zone, &request, &rounds);
    assert_true(result.has_dkim_aligned);
    assert_false(result.has_spf_aligned);
    assert_true(text_equal(result.dkim_domain, TEXT("x.b.test")));
    assert_true(text_equal(result.record.rua, TEXT("mailto:a@b.test")));
    assert_string_equal(result.reason, "DKIM is aligned");
    assert_string_equal(result.policy_tag, "p");
    arena_free(arena);
}

/* A record as long as the DNS can carry. */
static void test_large_record(void **state)
{
    enum { BYTES = 65535 };
    struct dmarc_record record;
    char text[BYTES] = "v=DMARC1; p=reject;";
    for (size_t i = strlen(text); i < BYTES; i++) text[i] = "p=none;np=;,=;"[i % 14];
    assert_true(dmarc_record_parse(text_from(text, BYTES), &record));
    assert_int_equal(record.p, DMARC_POLICY_REJECT);
    for (size_t i = 0; i < BYTES; i++) text[i] = "a:,"[i % 3];
    assert_false(dmarc_record_has_uri(text_from(text, BYTES)));
}

/* 100 authors of eight labels and more, 1,000 signatures: as many questions as the limits allow, at once. */
static void test_bounds(void **state)
{
    enum { AUTHORS = 100, SIGNATURES = 1000 };
    uint32_t rounds;
    struct arena *arena = arena_new(0);
    struct zone *zone = zone_new(arena);
    struct text *authors = arena_alloc_array(arena, AUTHORS, sizeof *authors);
    struct dmarc_identifier *dkim = arena_alloc_array(arena, SIGNATURES, sizeof *dkim);
    for (unsigned i = 0; i < AUTHORS; i++) authors[i] = arena_printf(arena, "a.b.c.d.e.f.g.h.i%u.b.test", i);
    for (unsigned i = 0; i < SIGNATURES; i++)
        dkim[i] = (struct dmarc_identifier){ arena_printf(arena, "s%u.b.test", i), DMARC_PROVEN };
    zone_read(zone, "_dmarc.b.test TXT v=DMARC1; p=reject\n");
    struct dmarc_request request = {
        .authors = authors, .author_count = AUTHORS, .dkim = dkim, .dkim_count = SIGNATURES
    };
    struct dmarc_result result = ask(arena, zone, &request, &rounds);
    assert_int_equal(result.outcome, DMARC_PASS);
    assert_true(rounds <= 3 && zone->asked <= DNS_ANSWERS_MOST);
    arena_free(arena);
}

/* Work is bounded: who needs more than this is killed. */
static const struct rlimit cpu_seconds = { 20, 20 };

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),       cmocka_unit_test(test_rows),
        cmocka_unit_test(test_aligned_facts), cmocka_unit_test(test_large_record),
        cmocka_unit_test(test_bounds),
    };
    setrlimit(RLIMIT_CPU, &cpu_seconds);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
