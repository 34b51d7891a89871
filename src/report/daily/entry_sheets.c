/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "report/daily/entry_sheets.h"

#include "config/entry_image.h"
#include "config/kept_entry.h"
#include "statistics/calendar.h"

static const uint64_t DAY_MS = UINT64_C(24) * 3600 * 1000;

static const struct sheet_column used_columns[] = { { N_("Entry"), SHEET_TEXT },
                                                    { N_("For"), SHEET_TEXT },
                                                    { N_("Messages"), SHEET_COUNT } };
static const struct sheet_column unused_columns[] = { { N_("Entry"), SHEET_TEXT },
                                                      { N_("For"), SHEET_TEXT },
                                                      { N_("Made"), SHEET_TEXT },
                                                      { N_("Decided last"), SHEET_TEXT } };

struct entry_file {
    struct arena *arena;
    struct kept_entry *items; /* room for ENTRIES_MOST */
    size_t count;
};

static void line_take(struct entry_file *entry_file, struct text line)
{
    struct text verb;
    uint32_t number;
    struct kept_uses uses;
    struct kept_entry *next = &entry_file->items[entry_file->count];
    if (!text_next_word(&line, &verb)) return;
    if (text_equal(verb, TEXT("uses"))) {
        bool is_of_last = entry_file->count && kept_entry_read_uses(line, &number, &uses) &&
                          next[-1].entry.number == number;
        if (is_of_last) next[-1].uses = uses;
        return;
    }
    bool is_allow = text_equal(verb, TEXT("allow"));
    if ((!is_allow && !text_equal(verb, TEXT("block"))) || entry_file->count == ENTRIES_MOST) return;
    entry_file->count += kept_entry_read(entry_file->arena, is_allow ? ENTRY_ALLOW : ENTRY_BLOCK, line, next);
}

/* "block 3: example.com with Subject '*bill*'" */
static void named_put(struct sheet *sheet, const struct kept_entry *kept)
{
    struct buffer named = { 0 };
    buffer_printf(&named, "%s %u: ", sender_entry_verb_name(kept->entry.verb), kept->entry.number);
    sender_entry_print_named(&kept->entry, &named);
    sheet_add_row(sheet);
    sheet_put_text(sheet, 0, buffer_text(&named));
    if (kept->entry.to.length)
        sheet_put_text(sheet, 1, kept->entry.to);
    else
        sheet_put_word(sheet, 1, N_("everybody"));
    buffer_free(&named);
}

/* Behind `last` (NULL: the first) by uses, then by number. NULL: there is none. */
static const struct kept_entry *most_used(const struct entry_file *entry_file, uint32_t day,
                                          const struct kept_entry *last)
{
    uint32_t after = calendar_add(day, 1);
    uint64_t below = last ? kept_entry_uses_on(last, day, after) : UINT64_MAX, most = 0;
    const struct kept_entry *best = NULL;
    for (size_t i = 0; i < entry_file->count; i++) {
        const struct kept_entry *one = &entry_file->items[i];
        uint64_t uses = kept_entry_uses_on(one, day, after);
        bool is_behind = uses < below || (last && uses == below && one > last);
        if (!is_behind || uses <= most) continue;
        best = one;
        most = uses;
    }
    return best;
}

static struct sheet *used_make(const struct entry_file *entry_file, uint32_t day)
{
    struct sheet *sheet = sheet_new(entry_file->arena, N_("Allow and block entries that decided most"),
                                    N_("messages"), used_columns, 3);
    const struct kept_entry *one = most_used(entry_file, day, NULL);
    for (int i = 0; one && i < ENTRIES_SHOWN_MOST; i++, one = most_used(entry_file, day, one)) {
        named_put(sheet, one);
        sheet_put_number(sheet, 2, (double)kept_entry_uses_on(one, day, calendar_add(day, 1)));
    }
    return sheet->rows ? sheet : NULL;
}

static struct sheet *unused_make(const struct entry_file *entry_file, uint64_t now_ms)
{
    uint64_t since_ms = now_ms > ENTRIES_UNUSED_DAYS * DAY_MS ? now_ms - ENTRIES_UNUSED_DAYS * DAY_MS : 0;
    struct sheet *sheet =
        sheet_new(entry_file->arena, N_("Allow and block entries that decided nothing for 90 days"),
                  N_("entries"), unused_columns, 4);
    size_t found = 0;
    for (size_t i = 0; i < entry_file->count; i++) {
        const struct kept_entry *one = &entry_file->items[i];
        if (!kept_entry_is_unused_since(one, since_ms) || found++ >= ENTRIES_SHOWN_MOST) continue;
        named_put(sheet, one);
        sheet_put_moment(sheet, 2, one->made_ms);
        if (one->last_ms)
            sheet_put_moment(sheet, 3, one->last_ms);
        else
            sheet_put_word(sheet, 3, N_("never"));
    }
    if (found > ENTRIES_SHOWN_MOST)
        sheet->note = N_("There are more: sekimori allow list --unused 90d, and block.");
    return found ? sheet : NULL;
}

void entry_sheets_make(struct arena *arena, struct text file, struct period period, uint64_t now_ms,
                       struct entry_sheets *out)
{
    struct text line;
    struct entry_file entry_file = { .arena = arena };
    entry_file.items = arena_alloc_array(arena, ENTRIES_MOST + 1, sizeof *entry_file.items);
    while (text_next_line(&file, &line)) line_take(&entry_file, line);
    out->used = period.from_day == period.until_day ? used_make(&entry_file, period.from_day) : NULL;
    out->unused = unused_make(&entry_file, now_ms);
}
