/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mails of the folder that SEKIMORI_SUITES names, each with its right answer in an index.tsv, judged as a
   scan worker would: `reports`, after bug reports of other mail programs, and the `controls` of `evasion`,
   which must stay found or held. Without the variable there is nothing to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/temp_files.h"
#include "config_text.h"
#include "scan/decide.h"
#include "scan/read.h"
#include "scan/worker.h"
#include "suite.h"
#include "virus/clamav.h"

/* A mail and what became of it. */
struct judged {
    struct arena *arena;
    struct buffer message;
    struct facts facts;
    struct verdict verdict;
};

static struct scanner scanner;

static void judge(const char *path, struct judged *out)
{
    struct text recipient = TEXT("h@example.jp");
    struct occasion occasion = { .recipients = &recipient, .recipient_count = 1 };
    *out = (struct judged){ .arena = arena_new(0) };
    if (!suite_read(path, &out->message)) fail_msg("%s cannot be read", path);
    read_facts(out->arena, &scanner, &occasion, buffer_text(&out->message), NULL, &out->facts);
    decide_verdict(out->arena, scanner.config, &occasion, &out->facts, NULL, 0, &out->verdict);
}

static void judged_free(struct judged *judged)
{
    buffer_free(&judged->message);
    arena_free(judged->arena);
}

/* --- an index --- */

struct index_row {
    struct text file, shows, answer;
};

static struct text next_column(struct text *rest)
{
    size_t tab = text_find_char(*rest, '\t');
    struct text column = text_slice(*rest, 0, tab);
    *rest = text_slice(*rest, tab + 1, rest->length);
    return column;
}

/* Calls `each` for every row of FOLDER/index.tsv below SEKIMORI_SUITES with the path of its mail. */
static void index_walk(const char *folder,
                       void (*each)(void *context, const char *path, const struct index_row *), void *context)
{
    char path[4096];
    struct buffer index = { 0 };
    const char *suites = getenv("SEKIMORI_SUITES");
    snprintf(path, sizeof path, "%s/%s/index.tsv", suites, folder);
    if (!suite_read(path, &index)) fail_msg("%s cannot be read", path);
    struct text rest = buffer_text(&index), line;
    for (text_next_line(&rest, &line); text_next_line(&rest, &line);) {
        struct index_row row = { .file = next_column(&line), .shows = next_column(&line), .answer = line };
        snprintf(path, sizeof path, "%s/%s/%.*s", suites, folder, TEXT_ARG(row.file));
        each(context, path, &row);
    }
    buffer_free(&index);
}

/* --- reports --- */

static bool is_accepted(const struct judged *judged)
{
    return judged->verdict.recipients[0].action == ACTION_ACCEPT;
}

static bool is_accepted_with_finding(const struct judged *judged)
{
    return is_accepted(judged) && text_equal(judged->facts.findings, TEXT("content-type-syntax")) &&
           text_find(judged->verdict.summary, TEXT("findings=content-type-syntax")) <
               judged->verdict.summary.length;
}

/* What each row is checked for. A row of the index that is not here counts as not passed. */
static const struct {
    const char *file;
    bool (*is_right)(const struct judged *judged);
} reports[] = {
    { "q01-ct-text.eml", is_accepted_with_finding }, { "q03-cte-8bits.eml", is_accepted },
    { "q05-mbox-from-line.eml", is_accepted },       { "q07-no-header.eml", is_accepted },
    { "q09-inner-boundary-alt.eml", is_accepted },
};

enum { REPORTS = sizeof reports / sizeof *reports };

struct tally {
    unsigned rows, checked, right, elsewhere;
};

static void report_row(void *context, const char *path, const struct index_row *row)
{
    struct tally *tally = context;
    tally->rows++;
    for (size_t i = 0; i < REPORTS; i++) {
        struct judged judged;
        if (!text_equal(row->file, text_of(reports[i].file))) continue;
        judge(path, &judged);
        bool is_right = reports[i].is_right(&judged);
        tally->checked++;
        tally->right += is_right;
        if (!is_right)
            print_error("%s: %.*s; due: %.*s\n", reports[i].file, TEXT_ARG(judged.verdict.summary),
                        TEXT_ARG(row->answer));
        judged_free(&judged);
    }
}

static void reports_are_right(void **state)
{
    struct tally tally = { 0 };
    if (!getenv("SEKIMORI_SUITES")) return;
    index_walk("reports", report_row, &tally);
    printf("suite reports %u of %u\n", tally.right, tally.rows);
    assert_int_equal(tally.checked, REPORTS);
    assert_int_equal(tally.right, REPORTS);
}

/* --- evasion --- */

static const char *outcome(const struct judged *judged)
{
    enum action action = judged->verdict.recipients[0].action;
    if (judged->facts.virus == SCAN_FOUND && action == ACTION_REJECT) return "found";
    return action == ACTION_QUARANTINE ? "held" : "delivered";
}

static bool allows(struct text answer, const char *word)
{
    return text_find(answer, text_of(word)) < answer.length;
}

static void control_row(void *context, const char *path, const struct index_row *row)
{
    struct tally *tally = context;
    struct judged judged;
    if (!text_starts(row->file, TEXT("controls/"))) return;
    tally->rows++;
    if (text_equal(row->answer, TEXT("refused"))) { /* in the dialogue, before anything is judged */
        tally->elsewhere++;
        return;
    }
    judge(path, &judged);
    bool is_right = allows(row->answer, "any") || allows(row->answer, outcome(&judged));
    tally->right += is_right;
    if (!is_right)
        print_error("%.*s: %s; due: %.*s\n", TEXT_ARG(row->file), outcome(&judged), TEXT_ARG(row->answer));
    judged_free(&judged);
}

static void evasion_stays_caught(void **state)
{
    struct tally tally = { 0 };
    if (!getenv("SEKIMORI_SUITES")) return;
    index_walk("evasion", control_row, &tally);
    printf("suite evasion controls %u of %u, %u refused in the dialogue\n", tally.right, tally.rows,
           tally.elsewhere);
    assert_int_equal(tally.right + tally.elsewhere, tally.rows);
    assert_true(tally.right > 100);
}

/* --- */

static int open_scanner(void **state)
{
    char why[300] = "";
    struct config *config =
        config_of_text(TEXT("hostname mx.test\nadmin a@mx.test\nlisten 127.0.0.1:2525\n"
                            "domains { example.jp 127.0.0.1 }\n"
                            "virus { engine clamav { builtin only from " SIGNATURES " } }\n"),
                       true);
    if (!temporary_prepare(why, sizeof why) ||
        temporary_enter(worker_room_bytes(config), why, sizeof why) < 0)
        fail_msg("%s", why);
    struct engine *engine = clamav_open(config, worker_room_bytes(config), why, sizeof why);
    if (!engine) fail_msg("%s", why);
    scanner = (struct scanner){ config, engine, verdict_cache_new(1), TEXT_NONE, NULL };
    return 0;
}

static int close_scanner(void **state)
{
    scanner.engine->calls->close(scanner.engine);
    verdict_cache_free(scanner.cache);
    config_free((struct config *)scanner.config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reports_are_right),
                                        cmocka_unit_test(evasion_stays_caught) };
    return cmocka_run_group_tests(tests, open_scanner, close_scanner);
}
