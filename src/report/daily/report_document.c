/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A report's parts, and its plain text. */
#include "report/daily/report_document.h"

#include <math.h>

#include "base/plain.h"

struct report_document *report_document_new(enum language language)
{
    struct arena *arena = arena_new(64 * 1024);
    struct report_document *document = arena_alloc(arena, sizeof *document);
    document->arena = arena;
    document->language = language;
    return document;
}

void report_document_free(struct report_document *document)
{
    if (document) arena_free(document->arena);
}

struct document_block *report_document_add(struct report_document *document, const char *title)
{
    struct document_block *block = arena_alloc(document->arena, sizeof *block);
    block->title = title;
    if (document->last)
        document->last->next = block;
    else
        document->blocks = block;
    document->last = block;
    return block;
}

static void line_append(struct report_document *document, struct document_line **at, bool is_bad,
                        struct text text)
{
    while (*at) at = &(*at)->next;
    *at = arena_alloc(document->arena, sizeof **at);
    **at = (struct document_line){ NULL, is_bad, arena_text(document->arena, text) };
}

void report_document_add_line(struct report_document *document, struct document_block *block, bool is_bad,
                              struct text text)
{
    line_append(document, &block->lines, is_bad, text);
    block->kind = BLOCK_LINES;
}

void report_document_add_wrong(struct report_document *document, struct text text)
{
    line_append(document, &document->wrong, true, text);
}

void report_document_print_subject(const struct report_document *document, struct buffer *out)
{
    const struct document_headline *first = &document->headlines[0];
    unsigned wrong = 0;
    for (const struct document_line *line = document->wrong; line; line = line->next) wrong++;
    buffer_printf(out, "%s ", words_say(document->language, N_("Mail report")));
    period_print(document->period, document->language, out);
    buffer_add_text(out, TEXT(": "));
    if (wrong) buffer_printf(out, words_say(document->language, N_("%u wrong, ")), wrong);
    for (const struct document_headline *one = first; one < first + REPORT_DOCUMENT_HEADLINES; one++) {
        buffer_printf(out, "%s%s ", one == first ? "" : ", ", words_say(document->language, one->name));
        sheet_number_print(SHEET_COUNT, (double)one->now, out);
    }
}

const char *report_document_before(const struct report_document *document)
{
    return document->period.kind == PERIOD_MONTH ? N_("month before") : N_("week before");
}

void report_document_print_compared(const struct report_document *document, struct buffer *out)
{
    enum language language = document->language;
    bool is_day = document->period.kind == PERIOD_DAY;
    buffer_printf(out, "%s ",
                  words_say(language, is_day ? N_("Compared with the like days") : N_("Compared with")));
    period_print(period_before(document->period), language, out);
    buffer_add_text(out, text_of(words_say(language, N_(", "))));
    period_print(period_year_before(document->period), language, out);
}

/* --- plain text --- */

static void change_print(const struct report_document *document, const char *against, double change,
                         struct buffer *out)
{
    if (!isfinite(change)) return;
    buffer_printf(out, "  %s ", words_say(document->language, against));
    sheet_number_print(SHEET_CHANGE, change, out);
}

static void headlines_print(const struct report_document *document, struct buffer *out)
{
    for (size_t i = 0; i < REPORT_DOCUMENT_HEADLINES; i++) {
        const struct document_headline *one = &document->headlines[i];
        const char *name = words_say(document->language, one->name);
        buffer_printf(out, "  %s", name);
        for (size_t width = plain_width(text_of(name)); width < 14; width++) buffer_add_char(out, ' ');
        struct buffer number = { 0 };
        sheet_number_print(SHEET_COUNT, (double)one->now, &number);
        buffer_printf(out, "%10.*s", TEXT_ARG(buffer_text(&number)));
        buffer_free(&number);
        change_print(document, report_document_before(document), one->before, out);
        change_print(document, N_("year before"), one->year, out);
        buffer_add_char(out, '\n');
    }
    buffer_add_text(out, TEXT("  "));
    report_document_print_compared(document, out);
    buffer_add_char(out, '\n');
}

static void lines_print(const struct document_line *line, struct buffer *out)
{
    for (; line; line = line->next) {
        buffer_add_text(out, line->is_bad ? TEXT("  ! ") : TEXT("  - "));
        plain_add(out, line->text, REPORT_DOCUMENT_LINE_MOST);
        buffer_add_char(out, '\n');
    }
}

void report_document_print_text(const struct report_document *document, struct buffer *out)
{
    buffer_printf(out, "%s ", words_say(document->language, N_("Mail report")));
    plain_add(out, document->hostname, 100);
    buffer_add_char(out, ' ');
    period_print(document->period, document->language, out);
    buffer_printf(out, "\n\n%s\n",
                  words_say(document->language, document->wrong ? N_("What is wrong") : N_("All is well.")));
    lines_print(document->wrong, out);
    buffer_add_char(out, '\n');
    headlines_print(document, out);
    for (const struct document_block *block = document->blocks; block; block = block->next) {
        if (block->kind == BLOCK_PICTURE) continue; /* its figures stand in tables */
        buffer_add_char(out, '\n');
        if (block->kind == BLOCK_SHEET) {
            sheet_print_text(block->sheet, words_in(document->language), out);
            continue;
        }
        buffer_printf(out, "%s\n", words_say(document->language, block->title));
        lines_print(block->lines, out);
    }
}
