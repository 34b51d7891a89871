/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The tables by which the three-server system was judged in 2005: viruses and spam by month, viruses by name,
   mail sent and received; and what a day is like on average. */
#include <stdlib.h>

#include "statistics/amount.h"
#include "statistics/calendar.h"
#include "statistics/lines.h"

static void row_begin(struct sheet *sheet, uint32_t day)
{
    struct sheet_row *row = sheet_add_row(sheet);
    row->is_sum = day == 0;
    if (day)
        sheet_put_text(sheet, 0, calendar_text(sheet->arena, day));
    else
        sheet_put_word(sheet, 0, N_("Total"));
}

static void threats_row(struct sheet *sheet, uint32_t day, const struct figures *figures)
{
    row_begin(sheet, day);
    sheet_put_number(sheet, 1, (double)figures->viruses);
    sheet_put_number(sheet, 2, (double)figures->spam);
}

static struct sheet *threats_table(struct arena *arena, const struct lines *months)
{
    static const struct sheet_column columns[] = { { N_("Month"), SHEET_TEXT },
                                                   { N_("Viruses"), SHEET_COUNT },
                                                   { N_("Spam"), SHEET_COUNT } };
    struct sheet *sheet = sheet_new(arena, N_("Viruses and spam"), N_("messages"), columns, 3);
    struct figures sum = lines_sum(months);
    for (size_t i = 0; i < months->count; i++)
        threats_row(sheet, months->items[i].number, &months->items[i].figures);
    threats_row(sheet, 0, &sum);
    return sheet;
}

static void flow_row(struct sheet *sheet, uint32_t day, const struct figures *figures)
{
    row_begin(sheet, day);
    sheet_put_number(sheet, 1, (double)figures->sent);
    sheet_put_number(sheet, 2, (double)figures->arrived);
    sheet_put_number(sheet, 3, (double)figures->removed);
    sheet_put_number(sheet, 4, amount_share(figures->removed, figures->arrived));
}

static struct sheet *flow_table(struct arena *arena, const struct lines *months)
{
    static const struct sheet_column columns[] = { { N_("Month"), SHEET_TEXT },
                                                   { N_("Sent"), SHEET_COUNT },
                                                   { N_("Received"), SHEET_COUNT },
                                                   { N_("Spam removed"), SHEET_COUNT },
                                                   { N_("Share"), SHEET_SHARE } };
    struct sheet *sheet = sheet_new(arena, N_("Mail sent and received"), N_("messages"), columns, 5);
    sheet->note =
        N_("Received: all that came with content, refused or not. Share: spam removed of received.");
    struct figures sum = lines_sum(months);
    for (size_t i = 0; i < months->count; i++)
        flow_row(sheet, months->items[i].number, &months->items[i].figures);
    flow_row(sheet, 0, &sum);
    return sheet;
}

static uint64_t count_of(const struct lines *lines, uint32_t month, struct text name)
{
    struct line key = { .number = month, .name = name };
    const struct line *found = bsearch(&key, lines->items, lines->count, sizeof key, lines_order);
    return found ? found->messages : 0;
}

static const struct sheet_column *month_columns(struct arena *arena, const struct lines *months)
{
    struct sheet_column *columns = arena_alloc_array(arena, months->count + 2, sizeof *columns);
    columns[0] = (struct sheet_column){ N_("Virus"), SHEET_TEXT };
    for (size_t i = 0; i < months->count; i++)
        columns[i + 1] =
            (struct sheet_column){ calendar_text(arena, months->items[i].number).at, SHEET_COUNT };
    columns[months->count + 1] = (struct sheet_column){ N_("Total"), SHEET_COUNT };
    return columns;
}

/* A row of viruses: one name's numbers, taken off what is left for "Etc.". */
static void virus_row(struct sheet *sheet, const struct lines *months, const struct lines *lines,
                      const struct line *name, uint64_t *left)
{
    sheet_add_row(sheet);
    sheet_put_text(sheet, 0, name->name);
    for (size_t m = 0; m < months->count; m++) {
        uint64_t count = count_of(lines, months->items[m].number, name->name);
        sheet_put_number(sheet, m + 1, (double)count);
        left[m] -= count;
    }
    sheet_put_number(sheet, months->count + 1, (double)name->messages);
    left[months->count] -= name->messages;
}

static void numbers_row(struct sheet *sheet, const char *word, const uint64_t *numbers, size_t count)
{
    sheet_add_row(sheet);
    sheet_put_word(sheet, 0, word);
    for (size_t i = 0; i < count; i++) sheet_put_number(sheet, i + 1, (double)numbers[i]);
}

static struct sheet *viruses_table(struct arena *arena, const struct lines *months, const struct lines *lines,
                                   unsigned top)
{
    struct sheet *sheet = sheet_new(arena, N_("Viruses by name"), N_("messages"),
                                    month_columns(arena, months), months->count + 2);
    struct lines names = lines_most(arena, lines);
    size_t columns = months->count + 1, shown = top && names.count > top ? top : names.count;
    uint64_t *all = arena_alloc_array(arena, columns, sizeof *all);
    uint64_t *left = arena_alloc_array(arena, columns, sizeof *left);
    for (size_t m = 0; m < months->count; m++) all[m] = lines_messages(lines, months->items[m].number);
    all[months->count] = lines_messages(lines, 0);
    memcpy(left, all, columns * sizeof *left);
    for (size_t i = 0; i < shown; i++) virus_row(sheet, months, lines, &names.items[i], left);
    if (shown < names.count) numbers_row(sheet, N_("Etc."), left, columns);
    numbers_row(sheet, N_("Total"), all, columns);
    sheet->last->is_sum = true;
    return sheet;
}

/* Days before the ledger began are no days without mail. */
static uint32_t first_day(const struct lines *days, const struct statistics_wish *wish)
{
    size_t i = 0;
    while (i < days->count && !calendar_date(days->items[i].number))
        i++; /* months that have no days any more */
    bool is_inside = i < days->count && days->items[i].number > wish->from_day;
    return is_inside ? days->items[i].number : wish->from_day;
}

/* Averages of working days and of days off. */
static struct sheet *alike_table(struct arena *arena, const struct lines *days,
                                 const struct statistics_wish *wish)
{
    static const struct sheet_column columns[] = {
        { N_("Days"), SHEET_TEXT },      { N_("Number"), SHEET_COUNT }, { N_("Sent"), SHEET_COUNT },
        { N_("Received"), SHEET_COUNT }, { N_("Spam"), SHEET_COUNT },   { N_("Viruses"), SHEET_COUNT },
    };
    struct sheet *sheet = sheet_new(arena, N_("A day on average"), N_("messages a day"), columns, 6);
    sheet->note = N_("Days off: Saturdays, Sundays, public holidays of Japan, 29 December to 3 January.");
    uint32_t today = calendar_of(time(NULL)), first = first_day(days, wish);
    for (int is_working = 1; is_working >= 0; is_working--) {
        struct figures sum = { 0 };
        unsigned count = 0;
        for (uint32_t day = first; day <= wish->until_day && day <= today; day = calendar_add(day, 1))
            count += calendar_is_working(day) == is_working;
        for (size_t i = 0; i < days->count; i++)
            if (calendar_date(days->items[i].number) &&
                calendar_is_working(days->items[i].number) == is_working)
                figures_join(&sum, &days->items[i].figures);
        sheet_add_row(sheet);
        sheet_put_word(sheet, 0, is_working ? N_("Working days") : N_("Days off"));
        sheet_put_number(sheet, 1, count);
        if (!count) continue;
        sheet_put_number(sheet, 2, (double)sum.sent / count);
        sheet_put_number(sheet, 3, (double)sum.arrived / count);
        sheet_put_number(sheet, 4, (double)sum.spam / count);
        sheet_put_number(sheet, 5, (double)sum.viruses / count);
    }
    return sheet;
}

enum ledgerdb_outcome paper_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                 struct arena *arena, struct sheet *out[STATISTICS_SHEETS], size_t *out_count)
{
    struct lines months, names, days;
    enum ledgerdb_outcome outcome = lines_ask_figures(ledgerdb, wish, SUM_BY_DAY, arena, &days);
    if (outcome == LEDGERDB_DONE)
        outcome = lines_ask_names(ledgerdb, wish, SUM_VIRUS, SUM_BY_MONTH, arena, &names);
    if (outcome != LEDGERDB_DONE) return outcome;
    months = lines_by_month(arena, &days);
    out[0] = threats_table(arena, &months);
    out[1] = viruses_table(arena, &months, &names, wish->top);
    out[2] = flow_table(arena, &months);
    out[3] = alike_table(arena, &days, wish);
    *out_count = 4;
    return LEDGERDB_DONE;
}
