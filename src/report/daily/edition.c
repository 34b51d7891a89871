/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A report's parts, and its plain text. */
#include "report/daily/edition.h"

#include <math.h>

#include "base/plain.h"

struct edition *edition_new(enum language language)
{
    struct arena *arena = arena_new(64 * 1024);
    struct edition *edition = arena_alloc(arena, sizeof *edition);
    edition->arena = arena;
    edition->language = language;
    return edition;
}

void edition_free(struct edition *edition)
{
    if (edition) arena_free(edition->arena);
}

struct edition_block *edition_add(struct edition *edition, const char *title)
{
    struct edition_block *block = arena_alloc(edition->arena, sizeof *block);
    block->title = title;
    if (edition->last)
        edition->last->next = block;
    else
        edition->blocks = block;
    edition->last = block;
    return block;
}

void edition_add_line(struct edition *edition, struct edition_block *block, bool is_bad, struct text text)
{
    struct edition_line **at = &block->lines;
    while (*at) at = &(*at)->next;
    *at = arena_alloc(edition->arena, sizeof **at);
    **at = (struct edition_line){ NULL, is_bad, arena_text(edition->arena, text) };
    block->kind = BLOCK_LINES;
}

void edition_print_subject(const struct edition *edition, struct buffer *out)
{
    const struct edition_headline *first = &edition->headlines[0];
    buffer_printf(out, "%s ", words_say(edition->language, N_("Mail report")));
    words_add_day(out, edition->language, edition->day);
    for (const struct edition_headline *one = first; one < first + EDITION_HEADLINES; one++) {
        buffer_printf(out, "%s%s ", one == first ? ": " : ", ", words_say(edition->language, one->name));
        sheet_number_print(SHEET_COUNT, (double)one->now, out);
    }
}

static void change_print(const struct edition *edition, const char *against, double change,
                         struct buffer *out)
{
    if (!isfinite(change)) return;
    buffer_printf(out, "  %s ", words_say(edition->language, against));
    sheet_number_print(SHEET_CHANGE, change, out);
}

static void headlines_print(const struct edition *edition, struct buffer *out)
{
    for (size_t i = 0; i < EDITION_HEADLINES; i++) {
        const struct edition_headline *one = &edition->headlines[i];
        const char *name = words_say(edition->language, one->name);
        buffer_printf(out, "  %s", name);
        for (size_t width = plain_width(text_of(name)); width < 14; width++) buffer_add_char(out, ' ');
        struct buffer number = { 0 };
        sheet_number_print(SHEET_COUNT, (double)one->now, &number);
        buffer_printf(out, "%10.*s", TEXT_ARG(buffer_text(&number)));
        buffer_free(&number);
        change_print(edition, N_("week before"), one->week, out);
        change_print(edition, N_("year before"), one->year, out);
        buffer_add_char(out, '\n');
    }
    buffer_printf(out, "  %s ", words_say(edition->language, N_("Compared with the like days")));
    words_add_day(out, edition->language, edition->week_day);
    buffer_add_text(out, text_of(words_say(edition->language, N_(", "))));
    words_add_day(out, edition->language, edition->year_day);
    buffer_add_char(out, '\n');
}

void edition_print_text(const struct edition *edition, struct buffer *out)
{
    buffer_printf(out, "%s ", words_say(edition->language, N_("Mail report")));
    plain_add(out, edition->hostname, 100);
    buffer_add_char(out, ' ');
    words_add_day(out, edition->language, edition->day);
    buffer_add_text(out, TEXT("\n\n"));
    headlines_print(edition, out);
    for (const struct edition_block *block = edition->blocks; block; block = block->next) {
        if (block->kind == BLOCK_PICTURE) continue; /* its figures stand in tables */
        buffer_add_char(out, '\n');
        if (block->kind == BLOCK_SHEET) {
            sheet_print_text(block->sheet, words_in(edition->language), out);
            continue;
        }
        buffer_printf(out, "%s\n", words_say(edition->language, block->title));
        for (const struct edition_line *line = block->lines; line; line = line->next) {
            buffer_add_text(out, line->is_bad ? TEXT("  ! ") : TEXT("  - "));
            plain_add(out, line->text, EDITION_LINE_MOST);
            buffer_add_char(out, '\n');
        }
    }
}
