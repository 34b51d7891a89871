/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* DMARC with records from the input: its lines are the author, the domain of SPF, that of a signature, then
   the record for question after question ("T": a time-out). Nobody is judged more strictly than his record
   asks. */
#include <stdlib.h>

#include "auth/dmarc.h"

enum { LINES_MOST = 64, ROUNDS_MOST = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text lines[LINES_MOST];
static uint32_t line_count;

static void answer_all(struct dns_answers *answers)
{
    for (uint32_t i = 0; i < answers->count; i++) {
        struct dns_answer answer = { .status = DNS_NONE, .is_nxdomain = true };
        struct dns_record *record = arena_alloc(answers->arena, sizeof *record);
        if (i + 3 < line_count && lines[i + 3].length > 0) {
            record->text = lines[i + 3];
            answer = (struct dns_answer){ .status = DNS_FOUND, .count = 1, .records = record };
            if (text_equal(record->text, TEXT("T"))) answer.status = DNS_TEMPERROR;
        }
        if (!answers->items[i].is_known)
            dns_answers_put(answers, answers->items[i].name, answers->items[i].type, &answer);
    }
}

static void must_hold(const struct dmarc_result *result)
{
    if (result->outcome >= DMARC_OUTCOME_COUNT || result->policy >= DMARC_POLICY_COUNT) abort();
    if (result->disposition > result->policy) abort();
    if (result->outcome != DMARC_FAIL && result->disposition != DMARC_POLICY_NONE) abort();
    if (result->outcome == DMARC_PASS && !result->has_spf_aligned && !result->has_dkim_aligned) abort();
    if (result->record.percent > 100) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct text rest = text_from((const char *)data, size);
    line_count = 0;
    memset(lines, 0, sizeof lines);
    while (line_count < LINES_MOST && text_next_line(&rest, &lines[line_count])) line_count++;
    struct dmarc_record record;
    if (dmarc_record_parse(text_from((const char *)data, size), &record)) dmarc_record_has_uri(record.rua);
    struct dmarc_result result;
    struct dns_answers answers = { .arena = arena };
    struct dmarc_identifier dkim = { lines[2], DMARC_PROVEN };
    struct dmarc_request request = {
        .authors = lines, .author_count = 1, .spf = { lines[1], DMARC_PROVEN }, .dkim = &dkim, .dkim_count = 1
    };
    for (int round = 0; !dmarc_evaluate(arena, &answers, &request, &result); round++) {
        if (round == ROUNDS_MOST || !dns_answers_wanted(&answers, 0)) abort();
        answer_all(&answers);
    }
    must_hold(&result);
    arena_free(arena);
    return 0;
}
