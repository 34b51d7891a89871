/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* SPF with answers from the input: its lines are the client, HELO, MAIL FROM, then what the DNS says to
   question after question, by the first byte of a line: "T" a time-out, "N" no such name, "E" no such record,
   else records, one behind each "|". Lines begin again when they are used up. The evaluation must end, within
   its limits. */
#include <stdlib.h>

#include "auth/spf.h"

enum { LINES_MOST = 64, ROUNDS_MOST = 64, RECORDS_MOST = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
    struct arena *arena;
    struct text lines[LINES_MOST];
    uint32_t count, at;
};

static struct text line_next(struct script *script)
{
    if (script->at >= script->count) script->at = 3;
    return script->at < script->count ? script->lines[script->at++] : TEXT("N");
}

static struct dns_record record_of(struct text text)
{
    struct dns_record record = { .text = text, .name = text };
    if (!address_parse(text, &record.address)) record.address.bytes[15] = (uint8_t)text.length;
    return record;
}

static struct dns_answer answer_next(struct script *script)
{
    struct text line = line_next(script);
    struct dns_answer answer = { .status = DNS_NONE, .is_nxdomain = text_equal(line, TEXT("N")) };
    if (line.length == 0 || answer.is_nxdomain || line.at[0] == 'E') return answer;
    answer.status = line.at[0] == 'T' ? DNS_TEMPERROR : DNS_FOUND;
    if (answer.status == DNS_TEMPERROR) return answer;
    answer.records = arena_alloc_array(script->arena, RECORDS_MOST, sizeof *answer.records);
    while (line.length > 0 && answer.count < RECORDS_MOST) {
        size_t bar = text_find_char(line, '|');
        answer.records[answer.count++] = record_of(text_slice(line, 0, bar));
        line = text_slice(line, bar + 1, line.length);
    }
    return answer;
}

static void must_hold(const struct spf_result *result)
{
    if (result->outcome >= SPF_OUTCOME_COUNT || result->lookups > SPF_LOOKUPS_MOST) abort();
    if (result->voids > SPF_VOIDS_MOST + 1 || result->step_count > SPF_STEPS_MOST) abort();
    if (result->explanation.length > SPF_EXPLANATION_MOST) abort();
    for (size_t i = 0; i < result->explanation.length; i++)
        if (result->explanation.at[i] < ' ' || result->explanation.at[i] > '~') abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = { .arena = arena_new(0) };
    struct text rest = text_from((const char *)data, size);
    while (script.count < LINES_MOST && text_next_line(&rest, &script.lines[script.count])) script.count++;
    script.at = 3;
    struct spf_result result;
    struct dns_answers answers = { .arena = script.arena };
    struct spf_request request = { .helo = script.lines[1], .sender = script.lines[2], .is_traced = true };
    if (!address_parse(script.lines[0], &request.client))
        memset(&request.client, 0x20, sizeof request.client);
    for (int round = 0; !spf_evaluate(script.arena, &answers, &request, &result); round++) {
        const struct dns_lookup *wanted = dns_answers_wanted(&answers, 0);
        if (!wanted || round > ROUNDS_MOST) abort();
        for (; wanted; wanted = dns_answers_wanted(&answers, 0)) {
            struct dns_answer answer = answer_next(&script);
            dns_answers_put(&answers, wanted->name, wanted->type, &answer);
        }
    }
    must_hold(&result);
    arena_free(script.arena);
    return 0;
}
