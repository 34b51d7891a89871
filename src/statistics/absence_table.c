/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "statistics/absence_table.h"

#include "ledgerdb/absences.h"
#include "statistics/list_words.h"

enum { MINUTE_MS = 60000 };

static void absence_row(struct sheet *sheet, const struct absence *row, bool is_of_nodes,
                        enum language language)
{
    struct buffer why = { 0 };
    struct text name = row->list;
    if (is_of_nodes) name = arena_printf(sheet->arena, "%.*s (%u)", TEXT_ARG(row->list), row->node);
    sheet_add_row(sheet);
    sheet_put_text(sheet, 0, name);
    sheet_put_number(sheet, 1, (double)row->times);
    sheet_put_number(sheet, 2, (double)((row->lasted_ms + MINUTE_MS - 1) / MINUTE_MS));
    sheet_put_moment(sheet, 3, row->since_ms);
    if (row->until_ms)
        sheet_put_moment(sheet, 4, row->until_ms);
    else
        sheet_put_word(sheet, 4, N_("it goes on"));
    list_words_add(&why, language, row->why);
    sheet_put_text(sheet, 5, buffer_text(&why));
    buffer_free(&why);
}

enum ledgerdb_outcome absence_table(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                    uint64_t now_ms, enum language language, struct arena *arena,
                                    struct sheet **out)
{
    static const struct sheet_column columns[] = {
        { N_("List"), SHEET_TEXT },  { N_("Times"), SHEET_COUNT }, { N_("Minutes in all"), SHEET_COUNT },
        { N_("Since"), SHEET_TEXT }, { N_("Until"), SHEET_TEXT },  { N_("Because it"), SHEET_TEXT },
    };
    struct absence *rows;
    size_t count;
    bool is_of_nodes = false;
    enum ledgerdb_outcome outcome = absences_read(ledgerdb, from_ms, until_ms, now_ms, arena, &rows, &count);
    if (outcome != LEDGERDB_DONE) return outcome;
    *out = sheet_new(arena, N_("Lists that were put aside"), NULL, columns, 6);
    for (size_t i = 1; i < count; i++) is_of_nodes |= rows[i].node != rows[0].node;
    for (size_t i = 0; i < count; i++) absence_row(*out, &rows[i], is_of_nodes, language);
    (*out)->note = N_("Since and until: the last time. Minutes in all: those of this time.");
    return outcome;
}
