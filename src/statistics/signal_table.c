/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sums of SUM_SIGNAL, whose names are "SIGNAL=fate", as a table with a row for each signal. */
#include "statistics/signal_table.h"

#include <stdlib.h>

#include "statistics/lines.h"

struct signal_row {
    struct text signal;
    uint64_t of[SIGNAL_FATES]; /* messages; of the early ones recipients */
};

static const char *const titles[SIGNAL_FAMILIES] = {
    [SIGNAL_FAMILY_LIST] = N_("Lists that spoke"),
    [SIGNAL_FAMILY_IMPOSTOR] = N_("Impostors, by signal"),
    [SIGNAL_FAMILY_BEHAVIOUR] = N_("Senders by what they did before, by signal"),
};

static uint64_t messages_of(const struct signal_row *row)
{
    uint64_t messages = 0;
    for (int fate = 0; fate < SIGNAL_FATE_DEFERRED_EARLY; fate++) messages += row->of[fate];
    return messages;
}

static uint64_t all_of(const struct signal_row *row)
{
    return messages_of(row) + row->of[SIGNAL_FATE_DEFERRED_EARLY] + row->of[SIGNAL_FATE_REFUSED_EARLY];
}

static int by_most(const void *a, const void *b)
{
    const struct signal_row *x = a, *y = b;
    uint64_t of_x = all_of(x), of_y = all_of(y);
    if (of_x != of_y) return of_x > of_y ? -1 : 1;
    return text_compare(x->signal, y->signal);
}

/* Lines come by name: those of one signal follow one another. */
static size_t rows_gather(const struct lines *lines, enum signal_family family, struct signal_row *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->items[i];
        size_t at = text_find_char(line->name, '=');
        struct text signal = text_slice(line->name, 0, at);
        enum signal_fate fate;
        if (signal_family_of(signal) != family) continue;
        if (!signal_fate_from_word(text_slice(line->name, at + 1, line->name.length), &fate)) continue;
        if (count == 0 || !text_equal(rows[count - 1].signal, signal))
            rows[count++] = (struct signal_row){ .signal = signal };
        rows[count - 1].of[fate] += fate < SIGNAL_FATE_DEFERRED_EARLY ? line->messages : line->recipients;
    }
    return count;
}

static void numbers_put(struct sheet *sheet, const struct signal_row *row)
{
    const uint64_t numbers[] = { messages_of(row),
                                 row->of[SIGNAL_FATE_TAGGED],
                                 row->of[SIGNAL_FATE_HELD],
                                 row->of[SIGNAL_FATE_REFUSED] + row->of[SIGNAL_FATE_DISCARDED],
                                 row->of[SIGNAL_FATE_DEFERRED],
                                 row->of[SIGNAL_FATE_REFUSED_EARLY],
                                 row->of[SIGNAL_FATE_DEFERRED_EARLY] };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sheet_put_number(sheet, i + 1, (double)numbers[i]);
}

static struct sheet *rows_show(struct arena *arena, enum signal_family family, const struct signal_row *rows,
                               size_t count, size_t top)
{
    static const struct sheet_column columns[] = {
        { N_("Signal"), SHEET_TEXT },           { N_("Messages"), SHEET_COUNT },
        { N_("Tagged"), SHEET_COUNT },          { N_("Held"), SHEET_COUNT },
        { N_("Refused"), SHEET_COUNT },         { N_("Put off"), SHEET_COUNT },
        { N_("Refused at RCPT"), SHEET_COUNT }, { N_("Put off at RCPT"), SHEET_COUNT },
    };
    struct sheet *sheet = sheet_new(arena, titles[family], N_("messages; at RCPT: recipients"), columns, 8);
    struct signal_row rest = { 0 };
    for (size_t i = 0; i < count; i++) {
        for (int fate = 0; i >= top && fate < SIGNAL_FATES; fate++) rest.of[fate] += rows[i].of[fate];
        if (i >= top) continue;
        sheet_add_row(sheet);
        sheet_put_text(sheet, 0, rows[i].signal);
        numbers_put(sheet, &rows[i]);
    }
    if (count > top) {
        sheet_add_row(sheet);
        sheet_put_word(sheet, 0, N_("Etc."));
        numbers_put(sheet, &rest);
    }
    sheet->note = N_("What became of a message is what was done to it by all that spoke, not by this alone.");
    return sheet;
}

enum ledgerdb_outcome signal_table_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                        enum signal_family family, struct arena *arena, struct sheet **out)
{
    struct lines lines;
    enum ledgerdb_outcome outcome = lines_ask_names(ledgerdb, wish, SUM_SIGNAL, 0, arena, &lines);
    if (outcome != LEDGERDB_DONE) return outcome;
    struct lines names = lines_most(arena, &lines); /* over all days */
    if (names.count > 0) qsort(names.items, names.count, sizeof *names.items, lines_order);
    struct signal_row *rows = arena_alloc_array(arena, names.count + 1, sizeof *rows);
    size_t count = rows_gather(&names, family, rows);
    if (count > 0) qsort(rows, count, sizeof *rows, by_most);
    *out = rows_show(arena, family, rows, count, wish->top ? wish->top : count);
    return LEDGERDB_DONE;
}
