/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What findings of impostors weigh, by what was found of the sender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config_text.h"
#include "scan/impostor_weight.h"

static const struct row {
    const char *name;
    enum impostor_kind kind;
    enum domain_likeness likeness;
    bool is_made, is_own_too;
    enum dmarc_outcome outcome;
    enum dmarc_policy disposition;
    enum proof_excuse excuse;
    const char *list;
    double points;      /* -1: no signal */
    const char *author; /* the domain that DMARC looked at */
} rows[] = {
    { "a person", IMPOSTOR_PERSON, 0, false, false, 0, 0, 0, "", 3.5 },
    { "a person, proven", IMPOSTOR_PERSON, 0, true, false, DMARC_PASS, 0, 0, "", 3.5 },
    { "a person by a list", IMPOSTOR_PERSON, 0, true, false, DMARC_PASS, 0, 0, "lists.test", 1.5 },
    { "a colleague", IMPOSTOR_COLLEAGUE, 0, false, false, 0, 0, 0, "", 2.0 },
    { "a colleague, another who is proven", IMPOSTOR_COLLEAGUE, 0, true, false, DMARC_PASS, 0, 0, "", 0.5,
      "other.test" },
    { "a colleague by free mail, proven", IMPOSTOR_COLLEAGUE, 0, true, false, DMARC_PASS, 0, 0, "", 2.0,
      "gmail.com" },
    { "ours, nobody looked", IMPOSTOR_OWN_DOMAIN, 0, false, false, 0, 0, 0, "", 0 },
    { "ours, proven", IMPOSTOR_OWN_DOMAIN, 0, true, false, DMARC_PASS, 0, 0, "", -1 },
    { "ours, excused", IMPOSTOR_OWN_DOMAIN, 0, true, false, DMARC_FAIL, DMARC_POLICY_REJECT, PROOF_LIST, "",
      -1 },
    { "ours, failed", IMPOSTOR_OWN_DOMAIN, 0, true, false, DMARC_FAIL, DMARC_POLICY_NONE, 0, "", 2.5 },
    { "ours, DMARC has its points", IMPOSTOR_OWN_DOMAIN, 0, true, false, DMARC_FAIL, DMARC_POLICY_REJECT, 0,
      "", 0 },
    { "ours, no record", IMPOSTOR_OWN_DOMAIN, 0, true, false, DMARC_NONE, 0, 0, "", 1.0 },
    { "ours, no answer", IMPOSTOR_OWN_DOMAIN, 0, true, false, DMARC_TEMPERROR, 0, 0, "", 0 },
    { "another suffix", IMPOSTOR_FROM_ALIKE, DOMAIN_OTHER_TOP, true, false, DMARC_PASS, 0, 0, "", 1.0 },
    { "one edit", IMPOSTOR_FROM_ALIKE, DOMAIN_ONE_EDIT, true, false, DMARC_PASS, 0, 0, "", 2.5 },
    { "looks alike", IMPOSTOR_FROM_ALIKE, DOMAIN_LOOKS_ALIKE, true, false, DMARC_PASS, 0, 0, "", 3.5 },
    { "a link", IMPOSTOR_LINK_ALIKE, DOMAIN_BELOW, true, false, DMARC_PASS, 0, 0, "", 1.5 },
    { "answers of ours", IMPOSTOR_REPLY_OF_OURS, 0, true, true, DMARC_FAIL, 0, 0, "", 2.5 },
    { "answers of ours, proven", IMPOSTOR_REPLY_OF_OURS, 0, true, true, DMARC_PASS, 0, 0, "", -1 },
    { "a notice of ours, proven", IMPOSTOR_NOTICE, 0, true, true, DMARC_PASS, 0, 0, "", -1 },
    { "a notice of another, proven", IMPOSTOR_NOTICE, 0, true, false, DMARC_PASS, 0, 0, "", 3.0 },
};

static double points_of(const struct score *score, const char *name)
{
    for (uint32_t i = 0; i < score->count; i++)
        if (text_starts(score->signals[i].name, text_of(name))) return score->signals[i].points;
    return -1;
}

static const char *const names[IMPOSTOR_KINDS] = { [IMPOSTOR_PERSON] = "IMPOSTOR_PERSON",
                                                   [IMPOSTOR_OWN_DOMAIN] = "IMPOSTOR_OWN_DOMAIN",
                                                   [IMPOSTOR_FROM_ALIKE] = "IMPOSTOR_FROM_ALIKE",
                                                   [IMPOSTOR_LINK_ALIKE] = "IMPOSTOR_LINK_ALIKE",
                                                   [IMPOSTOR_REPLY_OF_OURS] = "IMPOSTOR_REPLY_OF_OURS",
                                                   [IMPOSTOR_NOTICE] = "IMPOSTOR_NOTICE",
                                                   [IMPOSTOR_COLLEAGUE] = "IMPOSTOR_COLLEAGUE" };

static void row_check(const struct row *row)
{
    struct score score = { .arena = arena_new(0) }, outbound = { .arena = score.arena };
    struct impostor_findings findings = { 0 };
    struct buffer bytes = { 0 };
    struct auth_judgement judgement = { .is_made = row->is_made,
                                        .excuse = row->excuse,
                                        .list_domain = text_of(row->list) };
    judgement.result.dmarc.outcome = row->outcome;
    judgement.result.dmarc.author = text_of(row->author);
    judgement.result.dmarc.disposition = row->disposition;
    if (row->is_own_too) findings.of[IMPOSTOR_OWN_DOMAIN] = (struct impostor_finding){ .is_found = true };
    findings.of[row->kind] = (struct impostor_finding){ true, row->likeness, TEXT("about") };
    impostor_findings_put(&findings, &bytes);
    const struct facts facts = { .impostors = buffer_text(&bytes) };
    impostor_score(&facts, &judgement, DIRECTION_IN, &score);
    double points = points_of(&score, names[row->kind]);
    if (points < row->points - 0.001 || points > row->points + 0.001) fail_msg("%s: %g", row->name, points);
    impostor_score(&facts, &judgement, DIRECTION_OUT, &outbound);
    assert_int_equal(outbound.count, 0);
    buffer_free(&bytes);
    arena_free(score.arena);
}

static void test_weights(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

/* The mark is for strangers: what is proven to be ours has none. */
static void test_proof_of_ours(void **state)
{
    struct config *config = config_of_text(TEXT("domains { on.test 127.0.0.1 }"), false);
    struct auth_judgement judgement = { .is_made = true };
    judgement.result.dmarc.author = TEXT("on.test");
    judgement.result.dmarc.outcome = DMARC_PASS;
    assert_true(impostor_is_proven_ours(config, &judgement));
    judgement.result.dmarc.outcome = DMARC_FAIL;
    assert_false(impostor_is_proven_ours(config, &judgement));
    judgement.result.dmarc.outcome = DMARC_PASS;
    judgement.result.dmarc.author = TEXT("other.test");
    assert_false(impostor_is_proven_ours(config, &judgement));
    judgement = (struct auth_judgement){ 0 };
    assert_false(impostor_is_proven_ours(config, &judgement));
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_weights),
                                        cmocka_unit_test(test_proof_of_ours) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
