/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The report from top to bottom: what is wrong, figures, charts, tables, state, changes. */
#include "report/daily/compose.h"

#include <math.h>
#include <stdio.h>

#include "config/kept_entry.h"
#include "config/whole_file.h"
#include "ipc/message_id.h"
#include "ledgerdb/access_log.h"
#include "ledgerdb/day.h"
#include "ledgerdb/part_history.h"
#include "report/daily/changes.h"
#include "report/daily/chart.h"
#include "report/daily/entry_sheets.h"
#include "statistics/absence_table.h"
#include "statistics/amount.h"
#include "statistics/authenticity.h"
#include "statistics/calendar.h"
#include "statistics/incident.h"
#include "statistics/missed_words.h"
#include "statistics/rankings.h"
#include "statistics/statistics.h"

enum {
    HOURS = 24,
    CHART_DAYS = 35,
    NAMES_TOP = 10,
    MONTHS_BACK = 5,
    CHANGES_MOST = 200,
    RECEIVERS_MOST = 100
};

struct composing {
    const struct compose_source *source;
    struct report_document *document;
    struct figures now, before, year;
    bool has_now, has_before, has_year; /* the ledger has anything of that time */
    enum ledgerdb_outcome failed;       /* the first thing the ledger did not answer; DONE: none */
};

static bool answered(struct composing *composing, enum ledgerdb_outcome outcome)
{
    if (outcome != LEDGERDB_DONE && composing->failed == LEDGERDB_DONE) composing->failed = outcome;
    return outcome == LEDGERDB_DONE;
}

static const char *say(const struct composing *composing, const char *english)
{
    return words_say(composing->document->language, english);
}

static void wrong_say(struct composing *composing, const char *what)
{
    report_document_add_wrong(composing->document, text_of(say(composing, what)));
}

/* --- the figures --- */

static bool figures_of(struct composing *composing, struct period period, struct figures *out)
{
    struct figures_at *at;
    size_t count;
    struct arena *arena = composing->document->arena;
    if (!composing->source->ledgerdb) return false;
    if (!answered(composing, statistics_figures(composing->source->ledgerdb, period.from_day,
                                                period.until_day, 0, arena, &at, &count)) ||
        !count)
        return false;
    *out = at[0].figures;
    return true;
}

static void headline(struct report_document *document, size_t at, const char *name, uint64_t now,
                     uint64_t before, uint64_t year)
{
    document->headlines[at] =
        (struct document_headline){ name, N_("messages"), now, amount_change(now, before),
                                    amount_change(now, year) };
}

static void headlines_make(struct composing *composing)
{
    struct report_document *document = composing->document;
    const struct figures *now = &composing->now, *before = &composing->before, *year = &composing->year;
    headline(document, 0, N_("Received"), now->arrived, before->arrived, year->arrived);
    headline(document, 1, N_("Sent"), now->sent, before->sent, year->sent);
    headline(document, 2, N_("Spam"), now->spam, before->spam, year->spam);
    headline(document, 3, N_("Viruses"), now->viruses, before->viruses, year->viruses);
}

/* What each figure is called, what it counts, and where it stands. */
static const struct {
    const char *name, *unit;
    size_t offset;
} figure_rows[] = {
    { N_("Received"), N_("messages"), offsetof(struct figures, arrived) },
    { N_("Taken"), N_("messages"), offsetof(struct figures, taken) },
    { N_("Sent"), N_("messages"), offsetof(struct figures, sent) },
    { N_("Spam"), N_("messages"), offsetof(struct figures, spam) },
    { N_("Spam removed"), N_("messages"), offsetof(struct figures, removed) },
    { N_("Viruses"), N_("messages"), offsetof(struct figures, viruses) },
    { N_("Refused before content"), N_("recipients"), offsetof(struct figures, refused) },
    { N_("Delivered"), N_("recipients"), offsetof(struct figures, delivered) },
    { N_("Returned"), N_("recipients"), offsetof(struct figures, returned) },
    { N_("Held"), N_("recipients"), offsetof(struct figures, held) },
};

static uint64_t figure(const struct figures *figures, size_t offset)
{
    return *(const uint64_t *)((const char *)figures + offset);
}

static void sheet_show(struct composing *composing, const struct sheet *sheet)
{
    struct document_block *block = report_document_add(composing->document, sheet->title);
    block->kind = BLOCK_SHEET;
    block->sheet = sheet;
}

static void figures_table(struct composing *composing)
{
    static const char *const titles[] = { N_("The day in figures"), N_("The week in figures"),
                                          N_("The month in figures") };
    static const char *const names[] = { N_("Day"), N_("Week"), N_("Month") };
    static const char *const before_names[] = { N_("Week before"), N_("Week before"), N_("Month before") };
    struct arena *arena = composing->document->arena;
    enum period_kind kind = composing->document->period.kind;
    struct sheet_column *columns = arena_alloc_array(arena, 7, sizeof *columns);
    columns[0] = (struct sheet_column){ N_("Figure"), SHEET_TEXT };
    columns[1] = (struct sheet_column){ N_("Unit"), SHEET_TEXT };
    columns[2] = (struct sheet_column){ names[kind], SHEET_COUNT };
    columns[3] = (struct sheet_column){ before_names[kind], SHEET_COUNT };
    columns[5] = (struct sheet_column){ N_("Year before"), SHEET_COUNT };
    columns[4] = columns[6] = (struct sheet_column){ N_("Change"), SHEET_CHANGE };
    struct sheet *sheet = sheet_new(arena, titles[kind], NULL, columns, 7);
    for (size_t i = 0; i < sizeof figure_rows / sizeof *figure_rows; i++) {
        uint64_t now = figure(&composing->now, figure_rows[i].offset);
        uint64_t before = figure(&composing->before, figure_rows[i].offset);
        uint64_t year = figure(&composing->year, figure_rows[i].offset);
        sheet_add_row(sheet);
        sheet_put_word(sheet, 0, figure_rows[i].name);
        sheet_put_word(sheet, 1, figure_rows[i].unit);
        sheet_put_number(sheet, 2, (double)now);
        if (composing->has_before) sheet_put_number(sheet, 3, (double)before);
        sheet_put_number(sheet, 4, amount_change(now, before));
        if (composing->has_year) sheet_put_number(sheet, 5, (double)year);
        sheet_put_number(sheet, 6, amount_change(now, year));
    }
    sheet_show(composing, sheet);
}

/* Each recipient of the day once, where it stands now; counted from the rows, and held against the sums. */
static void balance_table(struct composing *composing)
{
    static const struct sheet_column columns[] = { { N_("Accepted that day, now"), SHEET_TEXT },
                                                   { N_("Recipients"), SHEET_COUNT } };
    struct day_balance day;
    if (composing->document->period.kind != PERIOD_DAY) return;
    if (!answered(composing,
                  day_count(composing->source->ledgerdb, composing->document->period.from_day, &day)))
        return;
    if (day.is_forgotten) return;
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {
        { N_("Delivered"), day.ended[ENDING_DELIVERED] },
        { N_("Returned"), day.ended[ENDING_RETURNED] },
        { N_("In quarantine, or back out of it"), day.ended[ENDING_QUARANTINED] },
        { N_("Discarded"), day.ended[ENDING_DISCARDED] },
        { N_("Removed"), day.ended[ENDING_REMOVED] },
        { N_("Held"), day.held },
        { N_("Queued"), day.queued },
        { N_("Total"), day.accepted + day.own + day.again },
    };
    struct sheet *sheet =
        sheet_new(composing->document->arena, N_("Balance of the day"), N_("recipients"), columns, 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sheet_add_row(sheet);
        sheet_put_word(sheet, 0, rows[i].name);
        sheet_put_number(sheet, 1, (double)rows[i].count);
    }
    sheet->last->is_sum = true;
    sheet->note = !day.is_balanced  ? N_("NOT BALANCED: rows and sums of the ledger differ.")
                  : day.lost.events ? N_("INCOMPLETE: events were lost on their way to the ledger.")
                  : day.lost.refusals
                      ? N_("Rows and sums of the ledger agree; refusals were lost on their way to it.")
                      : N_("Rows and sums of the ledger agree.");
    if (!day.is_balanced || day.lost.events) wrong_say(composing, sheet->note);
    sheet_show(composing, sheet);
}

/* What came and went since the report before, by two counts that know nothing of each other. */
static void accounts_table(struct composing *composing)
{
    static const struct sheet_column columns[] = { { N_("Since the report before"), SHEET_TEXT },
                                                   { N_("Journal"), SHEET_COUNT },
                                                   { N_("Ledger"), SHEET_COUNT },
                                                   { N_("Apart"), SHEET_COUNT } };
    const struct account_line *lines = composing->source->accounts;
    if (!lines) return;
    bool is_apart = false;
    struct sheet *sheet =
        sheet_new(composing->document->arena, N_("Journal and ledger"), N_("recipients"), columns, 4);
    for (int i = 0; i < ACCOUNT_COUNT; i++) {
        sheet_add_row(sheet);
        sheet_put_word(sheet, 0, account_name((enum account)i));
        sheet_put_number(sheet, 1, (double)lines[i].journal);
        sheet_put_number(sheet, 2, (double)lines[i].ledger);
        sheet_put_number(sheet, 3, (double)lines[i].apart);
        is_apart |= lines[i].apart != 0;
    }
    sheet->note = is_apart ? N_("NOT BALANCED: events were lost, or rows. The log says more.")
                           : N_("They agree. The ledger may be a moment behind.");
    if (is_apart) wrong_say(composing, sheet->note);
    sheet_show(composing, sheet);
}

/* --- how the node is --- */

static void state_lines(struct composing *composing)
{
    struct document_block *block = report_document_add(composing->document, N_("State of the node"));
    struct arena *arena = composing->document->arena;
    block->kind = BLOCK_LINES;
    for (int i = 0; composing->source->facts && i < FACT_COUNT; i++) {
        const struct fact *fact = &composing->source->facts[i];
        const char *unknown = say(composing, N_("not seen from here"));
        struct text says = fact->state == FACT_UNKNOWN ? text_of(unknown) : fact->says;
        struct text line = arena_printf(arena, "%s%s%.*s", say(composing, fact_name((enum fact_kind)i)),
                                        say(composing, N_(": ")), TEXT_ARG(says));
        report_document_add_line(composing->document, block, fact->state == FACT_BAD, line);
        if (fact->state == FACT_BAD) report_document_add_wrong(composing->document, line);
    }
}

/* --- charts --- */

/* The series of both charts: what came, by what it was found to be. */
struct bars {
    double good[CHART_POINTS_MOST], spam[CHART_POINTS_MOST], viruses[CHART_POINTS_MOST];
    const char *labels[CHART_POINTS_MOST];
    bool is_shaded[CHART_POINTS_MOST];
    char rooms[CHART_POINTS_MOST][8];
};

static void bar_set(struct bars *bars, unsigned at, const struct figures *figures)
{
    uint64_t bad = figures->spam + figures->viruses;
    bars->spam[at] = (double)figures->spam;
    bars->viruses[at] = (double)figures->viruses;
    bars->good[at] = figures->arrived > bad ? (double)(figures->arrived - bad) : 0;
}

static void chart_show(struct composing *composing, const char *title, const char *name, unsigned points,
                       const struct bars *bars)
{
    struct chart chart = { .points = points,
                           .labels = bars->labels,
                           .is_shaded = bars->is_shaded,
                           .series_count = 3,
                           .series = { { say(composing, N_("Other mail")), 0x4a7fc1, bars->good },
                                       { say(composing, N_("Spam")), 0xbf8418, bars->spam },
                                       { say(composing, N_("Viruses")), 0xd0453c, bars->viruses } } };
    struct buffer png = { 0 };
    if (chart_draw(&chart, &png)) {
        struct document_block *block = report_document_add(composing->document, title);
        block->kind = BLOCK_PICTURE;
        block->picture_name = name;
        block->png = arena_text(composing->document->arena, buffer_text(&png));
    }
    buffer_free(&png);
}

static void hours_chart(struct composing *composing)
{
    struct bars *bars = arena_alloc(composing->document->arena, sizeof *bars);
    struct figures_at *at;
    size_t count;
    struct period period = composing->document->period;
    if (!answered(composing,
                  statistics_figures(composing->source->ledgerdb, period.from_day, period.until_day,
                                     SUM_BY_HOUR, composing->document->arena, &at, &count)))
        return;
    for (unsigned hour = 0; hour < HOURS; hour += 6) {
        snprintf(bars->rooms[hour], sizeof bars->rooms[hour], "%u:00", hour);
        bars->labels[hour] = bars->rooms[hour];
    }
    for (size_t i = 0; i < count; i++)
        if (at[i].number < HOURS) bar_set(bars, at[i].number, &at[i].figures);
    chart_show(composing, N_("Mail received by hour (messages)"), "hours", HOURS, bars);
}

/* The days of a month, or five weeks up to the end of what is reported; a label each seventh day. */
static void days_chart(struct composing *composing)
{
    struct bars *bars = arena_alloc(composing->document->arena, sizeof *bars);
    struct figures_at *at;
    size_t count;
    struct period period = composing->document->period;
    uint32_t last = period.until_day,
             first = period.kind == PERIOD_MONTH ? period.from_day : calendar_add(last, 1 - CHART_DAYS);
    unsigned days = (unsigned)calendar_between(first, last) + 1;
    unsigned labelled = period.kind == PERIOD_MONTH ? 0 : (days - 1) % 7;
    if (!answered(composing, statistics_figures(composing->source->ledgerdb, first, last, SUM_BY_DAY,
                                                composing->document->arena, &at, &count)))
        return;
    for (unsigned i = 0; i < days; i++) {
        uint32_t day = calendar_add(first, (int)i);
        bars->is_shaded[i] = !calendar_is_working(day);
        if (i % 7 != labelled) continue;
        snprintf(bars->rooms[i], sizeof bars->rooms[i], "%u/%u", calendar_month(day), calendar_date(day));
        bars->labels[i] = bars->rooms[i];
    }
    for (size_t i = 0; i < count; i++)
        if (at[i].number >= first && at[i].number <= last && calendar_date(at[i].number))
            bar_set(bars, (unsigned)calendar_between(first, at[i].number), &at[i].figures);
    chart_show(composing, N_("Mail received by day (messages; days off shaded)"), "days", days, bars);
}

/* --- tables --- */

static void table_show(struct composing *composing, struct statistics_wish wish, bool is_shown_empty)
{
    struct sheet *sheets[STATISTICS_SHEETS];
    size_t count;
    wish.direction = -1;
    if (!answered(composing, statistics_make(composing->source->ledgerdb, &wish, composing->document->arena,
                                             sheets, &count)))
        return;
    for (size_t i = 0; i < count; i++)
        if (sheets[i]->rows || is_shown_empty) sheet_show(composing, sheets[i]);
}

static uint64_t start_ms(uint32_t day)
{
    return (uint64_t)calendar_start(day) * 1000;
}

static void storms_table(struct composing *composing)
{
    uint64_t from = start_ms(composing->document->period.from_day);
    uint64_t until = start_ms(calendar_add(composing->document->period.until_day, 1));
    struct sheet *sheet;
    if (answered(composing,
                 incident_table(composing->source->ledgerdb, from, until, composing->source->countries,
                                composing->document->arena, &sheet)) &&
        sheet->rows)
        sheet_show(composing, sheet);
}

static void receiver_row(struct sheet *sheet, const struct part_receiver *receiver)
{
    char id[MESSAGE_ID_SIZE];
    sheet_add_row(sheet);
    sheet_put_moment(sheet, 0, receiver->found_ms);
    sheet_put_text(sheet, 1, receiver->virus);
    sheet_put_text(sheet, 2, text_of(message_id_print(receiver->message, id)));
    sheet_put_text(sheet, 3, receiver->address);
    if (receiver->ended_ms)
        sheet_put_moment(sheet, 4, receiver->ended_ms);
    else
        sheet_put_word(sheet, 4, N_("on its way"));
}

/* Who has a file that nobody knew to be infected when it came. */
static void receivers_table(struct composing *composing)
{
    static const struct sheet_column columns[] = { { N_("Known since"), SHEET_TEXT },
                                                   { N_("Virus"), SHEET_TEXT },
                                                   { N_("Message"), SHEET_TEXT },
                                                   { N_("Recipient"), SHEET_TEXT },
                                                   { N_("Delivered"), SHEET_TEXT } };
    struct arena *arena = composing->document->arena;
    struct period period = composing->document->period;
    struct part_receiver *receivers;
    size_t count;
    bool is_cut;
    if (!answered(composing, part_history_receivers(composing->source->ledgerdb, start_ms(period.from_day),
                                                    start_ms(calendar_add(period.until_day, 1)),
                                                    RECEIVERS_MOST, arena, &receivers, &count, &is_cut)) ||
        !count)
        return;
    struct sheet *sheet =
        sheet_new(arena, N_("Delivered before it was known to be infected"), N_("recipients"), columns, 5);
    for (size_t i = 0; i < count; i++) receiver_row(sheet, &receivers[i]);
    if (is_cut) sheet->note = N_("There are more: sekimori trace --part names them.");
    wrong_say(composing, N_("Files that are found infected now had been delivered before: see the table."));
    sheet_show(composing, sheet);
}

/* What new signatures found in mail that was kept for something else, or waited. */
static void rescan_table(struct composing *composing)
{
    static const struct sheet_column columns[] = { { N_("Known since"), SHEET_TEXT },
                                                   { N_("Message"), SHEET_TEXT },
                                                   { N_("Virus"), SHEET_TEXT } };
    struct arena *arena = composing->document->arena;
    struct period period = composing->document->period;
    const struct look_question question = { .from_ms = start_ms(period.from_day),
                                            .until_ms = start_ms(calendar_add(period.until_day, 1)),
                                            .act = TEXT("found"),
                                            .most = RECEIVERS_MOST };
    struct look *looks;
    size_t count;
    bool is_cut;
    char id[MESSAGE_ID_SIZE];
    if (!answered(composing,
                  looks_read(composing->source->ledgerdb, &question, arena, &looks, &count, &is_cut)) ||
        !count)
        return;
    struct sheet *sheet = sheet_new(arena, N_("Found with new signatures in the quarantine and the queue"),
                                    N_("messages"), columns, 3);
    for (size_t i = 0; i < count; i++) {
        sheet_add_row(sheet);
        sheet_put_moment(sheet, 0, looks[i].time_ms);
        sheet_put_text(sheet, 1, text_of(message_id_print(looks[i].message, id)));
        sheet_put_text(sheet, 2, looks[i].about);
    }
    if (is_cut) sheet->note = N_("There are more: sekimori audit --act found lists them.");
    sheet_show(composing, sheet);
}

static void absences_table(struct composing *composing)
{
    struct period period = composing->document->period;
    struct sheet *sheet;
    if (answered(composing,
                 absence_table(composing->source->ledgerdb, start_ms(period.from_day),
                               start_ms(calendar_add(period.until_day, 1)), composing->source->now_ms,
                               composing->document->language, composing->document->arena, &sheet)) &&
        sheet->rows)
        sheet_show(composing, sheet);
}

static void missed_table(struct composing *composing)
{
    static const struct sheet_column columns[] = { { N_("Kind"), SHEET_TEXT },
                                                   { N_("Messages"), SHEET_COUNT } };
    struct period period = composing->document->period;
    struct arena *arena = composing->document->arena;
    struct sum_question question = { .from_day = period.from_day,
                                     .until_day = period.until_day,
                                     .node = -1,
                                     .direction = -1,
                                     .kinds = sum_bit(SUM_MISSED),
                                     .by = SUM_BY_NAME };
    struct sum_row *rows;
    size_t count;
    if (!answered(composing, statistics_rows(composing->source->ledgerdb, &question, arena, &rows, &count)) ||
        !count)
        return;
    struct sheet *sheet = sheet_new(arena, N_("Told to us as missed"), N_("messages"), columns, 2);
    for (size_t i = 0; i < count; i++) {
        sheet_add_row(sheet);
        missed_words_put(sheet, 0, rows[i].name);
        sheet_put_number(sheet, 1, (double)rows[i].messages);
    }
    sheet_show(composing, sheet);
}

static void ranking_table(struct composing *composing, enum ranking ranking)
{
    struct period period = composing->document->period;
    struct rankings_wish wish = { period.from_day, period.until_day, NAMES_TOP };
    struct sheet *sheet;
    if (answered(composing, rankings_make(composing->source->ledgerdb, ranking, &wish,
                                          composing->document->arena, &sheet)))
        sheet_show(composing, sheet);
}

/* Senders inside whose mail was held for how they sent; nothing where there was none. */
static void held_senders_table(struct composing *composing)
{
    struct period period = composing->document->period;
    struct rankings_wish wish = { period.from_day, period.until_day, NAMES_TOP };
    struct sheet *sheet;
    if (answered(composing, rankings_make(composing->source->ledgerdb, RANKING_INSIDE_HELD, &wish,
                                          composing->document->arena, &sheet)) &&
        sheet->rows)
        sheet_show(composing, sheet);
}

/* "partner.example: passed before and fails now (12; its signature does not hold)" */
static void broken_say(struct composing *composing)
{
    struct period period = composing->document->period;
    struct arena *arena = composing->document->arena;
    struct partner_row *rows;
    size_t count;
    if (!answered(composing, authenticity_broken(composing->source->ledgerdb, period.from_day,
                                                 period.until_day, arena, &rows, &count)))
        return;
    for (size_t i = 0; i < count; i++)
        report_document_add_wrong(
            composing->document,
            arena_printf(arena, "%.*s%s%s (%llu; %s)", TEXT_ARG(rows[i].domain), say(composing, N_(": ")),
                         say(composing, N_("passed before and fails now")),
                         (unsigned long long)rows[i].failed, say(composing, authenticity_cause(&rows[i]))));
}

static void senders_tables(struct composing *composing)
{
    struct period period = composing->document->period;
    struct arena *arena = composing->document->arena;
    struct ledgerdb_reader *ledgerdb = composing->source->ledgerdb;
    struct sheet *sheet;
    if (answered(composing,
                 authenticity_shares(ledgerdb, period.from_day, period.until_day, arena, &sheet)) &&
        sheet->rows)
        sheet_show(composing, sheet);
    if (answered(composing, authenticity_partners(ledgerdb, period.from_day, period.until_day, NAMES_TOP,
                                                  arena, &sheet)) &&
        sheet->rows)
        sheet_show(composing, sheet);
    broken_say(composing);
}

/* Nothing where there is no such file. */
static void entries_tables(struct composing *composing)
{
    struct arena *arena = composing->document->arena;
    struct entry_sheets sheets;
    struct text file;
    bool is_open;
    if (!composing->source->ledger_path) return;
    struct text path = arena_printf(arena, "%s/entries", composing->source->ledger_path);
    if (whole_file_read(path.at, KEPT_ENTRIES_FILE_MOST, arena, &file, &is_open)) return;
    entry_sheets_make(arena, file, composing->document->period, composing->source->now_ms, &sheets);
    if (sheets.used) sheet_show(composing, sheets.used);
    if (sheets.unused) sheet_show(composing, sheets.unused);
}

static void tables(struct composing *composing)
{
    struct period period = composing->document->period;
    struct statistics_wish wish = { .from_day = period.from_day,
                                    .until_day = period.until_day,
                                    .top = NAMES_TOP };
    figures_table(composing);
    ranking_table(composing, RANKING_QUARANTINED);
    ranking_table(composing, RANKING_REFUSALS);
    wish.by = STATISTICS_BY_VIRUS;
    table_show(composing, wish, true);
    wish.by = STATISTICS_BY_NOT_OPENED;
    table_show(composing, wish, false);
    storms_table(composing);
    receivers_table(composing);
    rescan_table(composing);
    missed_table(composing);
    senders_tables(composing);
    entries_tables(composing);
    absences_table(composing);
    for (wish.by = STATISTICS_BY_LIST; wish.by <= STATISTICS_BY_BEHAVIOUR; wish.by++)
        table_show(composing, wish, false);
    held_senders_table(composing);
    wish.by = STATISTICS_PAPER;
    wish.would = true;
    table_show(composing, wish, false);
    wish.would = false;
    ranking_table(composing, RANKING_SENDERS);
    ranking_table(composing, RANKING_RECIPIENTS);
    wish.by = STATISTICS_BY_DOMAIN;
    table_show(composing, wish, false);
    wish.by = STATISTICS_BY_RULE;
    table_show(composing, wish, false);
    wish.by = STATISTICS_PAPER;
    wish.from_day = calendar_add_months(period.until_day, -MONTHS_BACK);
    table_show(composing, wish, false);
    balance_table(composing);
    accounts_table(composing);
}

/* --- changes --- */

struct listing {
    struct composing *composing;
    struct document_block *block;
    unsigned count;
};

static void change_list(void *context, uint64_t time_ms, struct text change)
{
    struct listing *listing = context;
    char when[24];
    bool is_day = listing->composing->document->period.kind == PERIOD_DAY;
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    if (listing->count++ >= CHANGES_MOST) return;
    strftime(when, sizeof when, is_day ? "%H:%M" : "%Y-%m-%d %H:%M", localtime_r(&seconds, &tm));
    struct report_document *document = listing->composing->document;
    report_document_add_line(document, listing->block, false,
                             arena_printf(document->arena, "%s %.*s", when, TEXT_ARG(change)));
}

static void changes_show(struct composing *composing)
{
    struct period period = composing->document->period;
    struct listing listing = { composing,
                               report_document_add(composing->document, N_("Changes of the configuration")),
                               0 };
    listing.block->kind = BLOCK_LINES;
    changes_list(composing->source->folder, start_ms(period.from_day),
                 start_ms(calendar_add(period.until_day, 1)), change_list, &listing);
    const char *none = say(composing, N_("none"));
    if (!listing.count) report_document_add_line(composing->document, listing.block, false, text_of(none));
}

struct report_document *compose_report(const struct compose_source *source, struct period period,
                                       enum language language)
{
    struct report_document *document = report_document_new(language);
    struct composing composing = { .source = source, .document = document, .failed = LEDGERDB_DONE };
    document->hostname = arena_text(document->arena, source->config->hostname);
    document->period = period;
    document->made_ms = source->now_ms;
    composing.has_now = figures_of(&composing, period, &composing.now);
    composing.has_before = figures_of(&composing, period_before(period), &composing.before);
    composing.has_year = figures_of(&composing, period_year_before(period), &composing.year);
    headlines_make(&composing);
    if (source->ledgerdb && composing.failed == LEDGERDB_DONE && !composing.has_now)
        wrong_say(&composing, period.kind == PERIOD_DAY
                                  ? N_("The ledger has nothing of this day: the zeros are no figures.")
                                  : N_("The ledger has nothing of this time: the zeros are no figures."));
    if (source->ledgerdb) {
        hours_chart(&composing);
        days_chart(&composing);
        tables(&composing);
    }
    state_lines(&composing);
    changes_show(&composing);
    if (composing.failed != LEDGERDB_DONE)
        wrong_say(&composing, N_("The ledger did not answer every question: figures are missing."));
    return document;
}
