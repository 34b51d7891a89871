/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sums of SUM_AUTH, whose names are "check=result", and rows of partners, as tables. */
#include "statistics/authenticity.h"

#include "config/settings.h"
#include "statistics/amount.h"
#include "statistics/calendar.h"
#include "statistics/lines.h"

enum { DAYS_BEFORE = 30, PASSED_LEAST = 5, FAILED_LEAST = 3, TRIES_MOST = 5 };

/* --- results --- */

static const char *const checks[] = { "dmarc", "spf", "dkim", "arc" };
enum { CHECKS = sizeof checks / sizeof *checks };

static uint64_t messages_of(const struct lines *lines, const char *check, const char *result)
{
    struct arena *arena = arena_new(0);
    struct text name = arena_printf(arena, "%s=%s", check, result);
    uint64_t messages = 0;
    for (size_t i = 0; i < lines->count; i++)
        if (text_equal(lines->items[i].name, name)) messages += lines->items[i].messages;
    arena_free(arena);
    return messages;
}

static uint64_t messages_looked_into(const struct lines *lines)
{
    uint64_t all = 0;
    for (int result = 0; result < PROOF_RESULT_COUNT; result++)
        all += messages_of(lines, "dmarc", proof_result_word((enum proof_result)result));
    return all;
}

static void result_add(struct sheet *sheet, const struct lines *lines, const char *check, const char *result,
                       uint64_t all)
{
    uint64_t messages = messages_of(lines, check, result);
    if (!messages) return;
    sheet_add_row(sheet);
    sheet_put_text(sheet, 0, text_of(check));
    sheet_put_text(sheet, 1, text_of(result));
    sheet_put_number(sheet, 2, (double)messages);
    sheet_put_number(sheet, 3, amount_share(messages, all));
}

enum ledgerdb_outcome authenticity_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                        struct arena *arena, struct sheet **out)
{
    static const struct sheet_column columns[] = { { N_("Check"), SHEET_TEXT },
                                                   { N_("Result"), SHEET_TEXT },
                                                   { N_("Messages"), SHEET_COUNT },
                                                   { N_("Share"), SHEET_SHARE } };
    struct lines lines;
    enum ledgerdb_outcome outcome = lines_ask_names(ledgerdb, wish, SUM_AUTH, 0, arena, &lines);
    if (outcome != LEDGERDB_DONE) return outcome;
    struct sheet *sheet = *out =
        sheet_new(arena, N_("Senders, by what was proven"), N_("messages"), columns, 4);
    uint64_t all = messages_looked_into(&lines);
    for (int check = 0; check < CHECKS; check++)
        for (int result = 0; result < PROOF_RESULT_COUNT; result++)
            result_add(sheet, &lines, checks[check], proof_result_word((enum proof_result)result), all);
    for (int excuse = PROOF_FORWARDER; excuse < PROOF_EXCUSE_COUNT; excuse++)
        result_add(sheet, &lines, "excuse", proof_excuse_word((enum proof_excuse)excuse), all);
    sheet->note =
        N_("Of mail from outside, for domains with `auth` on or observed. Each check has all of it.");
    return LEDGERDB_DONE;
}

static void share_add(struct sheet *sheet, const char *name, uint64_t messages, uint64_t all)
{
    sheet_add_row(sheet);
    sheet_put_word(sheet, 0, name);
    sheet_put_number(sheet, 1, (double)messages);
    sheet_put_number(sheet, 2, amount_share(messages, all));
}

static void shares_add(struct sheet *sheet, const struct lines *lines, uint64_t all)
{
    uint64_t passed = messages_of(lines, "dmarc", "pass"), failed = messages_of(lines, "dmarc", "fail");
    uint64_t excused = 0;
    for (int excuse = PROOF_FORWARDER; excuse < PROOF_EXCUSE_COUNT; excuse++)
        excused += messages_of(lines, "excuse", proof_excuse_word((enum proof_excuse)excuse));
    uint64_t nothing = messages_of(lines, "dmarc", "none");
    share_add(sheet, N_("Proven"), passed, all);
    share_add(sheet, N_("Not proven"), failed - (excused < failed ? excused : failed), all);
    share_add(sheet, N_("Not proven, but let pass: forwarded"), excused, all);
    share_add(sheet, N_("The domain asks for no proof"), nothing, all);
    share_add(sheet, N_("Not known: the DNS failed, or the record is malformed"),
              all - passed - failed - nothing, all);
}

enum ledgerdb_outcome authenticity_shares(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                          uint32_t until_day, struct arena *arena, struct sheet **out)
{
    static const struct sheet_column columns[] = { { N_("Domain in From"), SHEET_TEXT },
                                                   { N_("Messages"), SHEET_COUNT },
                                                   { N_("Share"), SHEET_SHARE } };
    struct statistics_wish wish = { .from_day = from_day, .until_day = until_day, .direction = -1 };
    struct lines lines;
    enum ledgerdb_outcome outcome = lines_ask_names(ledgerdb, &wish, SUM_AUTH, 0, arena, &lines);
    if (outcome != LEDGERDB_DONE) return outcome;
    *out = sheet_new(arena, N_("Senders, proven or not"), N_("messages"), columns, 3);
    uint64_t all = messages_looked_into(&lines);
    if (all) shares_add(*out, &lines, all);
    return LEDGERDB_DONE;
}

/* --- partners --- */

static const char *const causes[FATE_COUNT] = {
    [FATE_UNSIGNED] = N_("sent from an address that SPF does not name, without a signature"),
    [FATE_BROKEN] = N_("its signature does not hold"),
    [FATE_FOREIGN] = N_("only another domain than that in From is proven"),
    [FATE_UNMARKED] = N_("neither an SPF record nor a signature"),
};

const char *authenticity_cause(const struct partner_row *row)
{
    int most = FATE_UNSIGNED;
    for (int fate = FATE_UNSIGNED; fate < FATE_COUNT; fate++)
        if (row->count[fate] > row->count[most]) most = fate;
    return causes[most];
}

bool authenticity_is_broken(const struct partner_row *row)
{
    bool passed_as_a_rule =
        row->passed_before >= PASSED_LEAST && row->failed_before * 10 <= row->passed_before;
    return row->domain.length > 0 && passed_as_a_rule && row->failed >= FAILED_LEAST &&
           row->failed > row->count[FATE_PASSED];
}

static struct sheet *partners_sheet(struct arena *arena, const struct partner_row *rows, size_t count)
{
    static const struct sheet_column columns[] = { { N_("Domain in From"), SHEET_TEXT },
                                                   { N_("Not proven"), SHEET_COUNT },
                                                   { N_("Proven"), SHEET_COUNT },
                                                   { N_("Cause"), SHEET_TEXT } };
    struct sheet *sheet =
        sheet_new(arena, N_("Senders that do not prove who they are"), N_("messages"), columns, 4);
    for (size_t i = 0; i < count; i++) {
        sheet_add_row(sheet);
        if (rows[i].domain.length)
            sheet_put_text(sheet, 0, rows[i].domain);
        else
            sheet_put_word(sheet, 0, N_("all others"));
        sheet_put_number(sheet, 1, (double)rows[i].failed);
        sheet_put_number(sheet, 2, (double)rows[i].count[FATE_PASSED]);
        sheet_put_word(sheet, 3, authenticity_cause(&rows[i]));
    }
    sheet->note =
        N_("They ask for proof (DMARC). Some are forged, some are partners with a fault: doc/auth.md.");
    return sheet;
}

static enum ledgerdb_outcome rows_ask(struct ledgerdb_reader *ledgerdb, struct partner_question question,
                                      struct arena *arena, struct partner_row **out, size_t *out_count)
{
    enum ledgerdb_outcome outcome = LEDGERDB_LATER;
    question.before_day = calendar_add(question.from_day, -DAYS_BEFORE);
    for (int i = 0; i < TRIES_MOST && outcome == LEDGERDB_LATER; i++)
        outcome = partners_failing(ledgerdb, &question, arena, out, out_count);
    return outcome;
}

enum ledgerdb_outcome authenticity_partners(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                            uint32_t until_day, size_t top, struct arena *arena,
                                            struct sheet **out)
{
    struct partner_row *rows;
    size_t count;
    struct partner_question question = { .from_day = from_day, .until_day = until_day, .most = top };
    enum ledgerdb_outcome outcome = rows_ask(ledgerdb, question, arena, &rows, &count);
    if (outcome == LEDGERDB_DONE) *out = partners_sheet(arena, rows, count);
    return outcome;
}

enum ledgerdb_outcome authenticity_broken(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                          uint32_t until_day, struct arena *arena, struct partner_row **out,
                                          size_t *out_count)
{
    size_t count, kept = 0;
    struct partner_question question = {
        .from_day = from_day, .until_day = until_day, .is_of_known = true, .most = AUTHENTICITY_BROKEN_MOST
    };
    enum ledgerdb_outcome outcome = rows_ask(ledgerdb, question, arena, out, &count);
    if (outcome != LEDGERDB_DONE) return outcome;
    for (size_t i = 0; i < count; i++)
        if (authenticity_is_broken(&(*out)[i])) (*out)[kept++] = (*out)[i];
    *out_count = kept;
    return outcome;
}
