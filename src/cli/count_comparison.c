/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Adds up and compares. The journal's totals are for ever, so what they were at the baseline is taken off. */
#include "cli/count_comparison.h"

#include "base/json.h"
#include "ipc/event.h"

static void line_add(struct count_comparison *sums, const char *name, int64_t receive, int64_t journal,
                     int64_t ledger)
{
    struct comparison_line *line = &sums->lines[sums->line_count++];
    *line = (struct comparison_line){ name, receive, journal, ledger, false };
    line->differs = (receive != COMPARISON_NOT_COUNTED && receive != journal) ||
                    (ledger != COMPARISON_NOT_COUNTED && ledger != journal);
    sums->differences += line->differs;
}

struct journal_counts {
    const struct json *now, *then;
};

static int64_t since_baseline(const struct journal_counts *journal, const char *name)
{
    return json_get_number(journal->now, name) - json_get_number(journal->then, name);
}

/* What was live at the baseline and what came since must have ended or be live. */
static int64_t journal_explained(const struct journal_counts *journal)
{
    int64_t sum = since_baseline(journal, "live");
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        sum += since_baseline(journal, ending_name((enum ending)i));
    return sum;
}

static void compare(struct count_comparison *sums, const struct json *receive,
                    const struct journal_counts *journal, const struct json *ledger)
{
    int64_t own = since_baseline(journal, "own");
    int64_t accepted = since_baseline(journal, "accepted");
    int64_t again = since_baseline(journal, "again");
    int64_t received = json_get_number(receive, "accepted") + json_get_number(receive, "unreplied");
    line_add(sums, "accepted", received, accepted - own - again, json_get_number(ledger, "accepted"));
    line_add(sums, "own", COMPARISON_NOT_COUNTED, own, json_get_number(ledger, "own"));
    line_add(sums, "again", COMPARISON_NOT_COUNTED, again, json_get_number(ledger, "again"));
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++) {
        const char *name = ending_name((enum ending)i);
        line_add(sums, name, COMPARISON_NOT_COUNTED, since_baseline(journal, name),
                 json_get_number(ledger, name));
    }
    /* Never in the journal: the next node took them while their clients waited. */
    struct comparison_line *relayed = &sums->lines[sums->line_count++];
    *relayed = (struct comparison_line){ "relayed", json_get_number(receive, "relayed"),
                                         COMPARISON_NOT_COUNTED, json_get_number(ledger, "relayed"), false };
    relayed->differs = relayed->receive != relayed->ledger;
    sums->differences += relayed->differs;
    /* The journal against itself: every one accepted, own ones too, has ended or is live. */
    sums->is_journal_whole = accepted == journal_explained(journal);
    sums->differences += !sums->is_journal_whole;
    /* Each that left the journal for the quarantine must be in its index. */
    line_add(sums, "missing", COMPARISON_NOT_COUNTED, 0, json_get_number(ledger, "missing"));
    line_add(sums, "unmatched", COMPARISON_NOT_COUNTED, 0, json_get_number(ledger, "unmatched"));
}

bool comparison_make(struct text counters_text, struct text ledger_text, struct count_comparison *out)
{
    struct json *counters = json_parse(counters_text), *ledger = json_parse(ledger_text);
    struct journal_counts journal = { json_get(counters, "queue"), json_get(counters, "baseline") };
    const struct json *receive = json_get(counters, "receive");
    bool is_whole = receive && journal.now && journal.then && json_get(ledger, "accepted");
    *out = (struct count_comparison){ 0 };
    if (is_whole) {
        compare(out, receive, &journal, ledger);
        out->live = json_get_number(journal.now, "live");
        out->held = json_get_number(journal.now, "held");
        out->kept = json_get_number(ledger, "held kept") + json_get_number(ledger, "held releasing");
        out->released = json_get_number(ledger, "held released");
        out->deleted = json_get_number(ledger, "held deleted");
        out->aged = json_get_number(ledger, "held aged");
        out->refused_content = json_get_number(receive, "refused_content");
        out->discarded = json_get_number(receive, "discarded");
        out->aborted = json_get_number(receive, "aborted");
        out->in_doubt = json_get_number(receive, "in_doubt");
        out->lost.events = (uint64_t)json_get_number(ledger, "lost");
        out->lost.refusals = (uint64_t)json_get_number(ledger, "lost refusals");
        out->since_ms = json_get_number(counters, "epoch_ms");
    }
    json_free(counters);
    json_free(ledger);
    return is_whole;
}
