/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A report as HTML that mail programs show alike: one column, inline styles, nothing fetched from anywhere.
 */
#include <math.h>

#include "mail/base64.h"
#include "report/daily/chart.h"
#include "report/daily/report_document.h"

#define FONTS \
    "'Noto Sans CJK JP','Noto Sans JP','Hiragino Sans','Yu Gothic',Meiryo,'Helvetica Neue',Arial,sans-serif"
#define GREY "color:#66707d"

static void word_add(const struct report_document *document, const char *english, struct buffer *out)
{
    html_add(out, text_of(words_say(document->language, english)), 1000);
}

static void change_add(const struct report_document *document, const char *against, double change,
                       struct buffer *out)
{
    buffer_add_text(out, TEXT("<div style=\"font-size:12px;" GREY "\">"));
    word_add(document, against, out);
    buffer_add_text(out, TEXT(" <span style=\"white-space:nowrap\">"));
    if (isfinite(change))
        sheet_number_print(SHEET_CHANGE, change, out);
    else
        buffer_add_text(out, TEXT("–"));
    buffer_add_text(out, TEXT("</span></div>"));
}

/* Side by side where there is room, else below one another. */
static void headlines_add(const struct report_document *document, struct buffer *out)
{
    buffer_add_text(out, TEXT("<div style=\"margin:14px 0 4px\">\n"));
    for (size_t i = 0; i < REPORT_DOCUMENT_HEADLINES; i++) {
        const struct document_headline *one = &document->headlines[i];
        buffer_add_text(out, TEXT("<div style=\"display:inline-block;vertical-align:top;min-width:110px;"
                                  "padding:10px 14px;margin:0 8px 8px 0;"
                                  "border-left:3px solid #3b6ea8\"><div style=\"font-size:13px;" GREY "\">"));
        word_add(document, one->name, out);
        buffer_add_text(out, TEXT("</div><div style=\"font-size:26px;font-weight:600;line-height:1.3\">"));
        sheet_number_print(SHEET_COUNT, (double)one->now, out);
        buffer_add_text(out, TEXT("</div>"));
        change_add(document, N_("week before"), one->week, out);
        change_add(document, N_("year before"), one->year, out);
        buffer_add_text(out, TEXT("</div>\n"));
    }
    buffer_add_text(out, TEXT("</div>\n<p style=\"margin:4px 0;font-size:12px;" GREY "\">"));
    word_add(document, N_("Compared with the like days"), out);
    buffer_add_char(out, ' ');
    words_add_day(out, document->language, document->week_day);
    word_add(document, N_(", "), out);
    words_add_day(out, document->language, document->year_day);
    buffer_add_text(out, TEXT("</p>\n"));
}

static void title_add(const struct report_document *document, const char *title, struct buffer *out)
{
    buffer_add_text(out, TEXT("<h2 style=\"font-size:16px;margin:26px 0 6px\">"));
    word_add(document, title, out);
    buffer_add_text(out, TEXT("</h2>\n"));
}

static void picture_add(const struct report_document *document, const struct document_block *block,
                        bool is_letter, struct buffer *out)
{
    title_add(document, block->title, out);
    buffer_printf(out, "<img width=\"%d\" height=\"%d\" style=\"max-width:100%%;height:auto\" alt=\"",
                  CHART_WIDTH, CHART_HEIGHT);
    word_add(document, block->title, out);
    buffer_add_text(out, TEXT("\" src=\""));
    if (is_letter) {
        buffer_printf(out, "cid:%s@sekimori", block->picture_name);
    } else {
        buffer_add_text(out, TEXT("data:image/png;base64,"));
        base64_add(out, block->png);
    }
    buffer_add_text(out, TEXT("\">\n"));
}

static void lines_add(const struct report_document *document, const struct document_block *block,
                      struct buffer *out)
{
    title_add(document, block->title, out);
    buffer_add_text(out, TEXT("<ul style=\"margin:4px 0;padding-left:20px;font-size:14px\">\n"));
    for (const struct document_line *line = block->lines; line; line = line->next) {
        buffer_printf(out, "<li style=\"margin:2px 0%s\">",
                      line->is_bad ? ";color:#b3261e;font-weight:600" : "");
        html_add(out, line->text, REPORT_DOCUMENT_LINE_MOST);
        buffer_add_text(out, TEXT("</li>\n"));
    }
    buffer_add_text(out, TEXT("</ul>\n"));
}

void report_document_print_html(const struct report_document *document, bool is_letter, struct buffer *out)
{
    struct buffer subject = { 0 };
    report_document_print_subject(document, &subject);
    buffer_printf(out,
                  "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width\"><title>",
                  document->language == LANGUAGE_JA ? "ja" : "en");
    html_add(out, buffer_text(&subject), 1000);
    buffer_free(&subject);
    buffer_add_text(
        out,
        TEXT("</title></head>\n<body style=\"margin:0;background:#ffffff;color:#1f252d;font-family:" FONTS
             "\">\n<div style=\"max-width:880px;margin:0 auto;padding:18px\">\n"
             "<div style=\"font-size:13px;" GREY "\">"));
    html_add(out, document->hostname, 100);
    buffer_add_text(out, TEXT("</div>\n<h1 style=\"font-size:22px;margin:0\">"));
    word_add(document, N_("Mail report"), out);
    buffer_add_char(out, ' ');
    words_add_day(out, document->language, document->day);
    buffer_add_text(out, TEXT("</h1>\n"));
    headlines_add(document, out);
    for (const struct document_block *block = document->blocks; block; block = block->next) {
        if (block->kind == BLOCK_SHEET)
            sheet_print_html(block->sheet, words_in(document->language), out);
        else if (block->kind == BLOCK_PICTURE)
            picture_add(document, block, is_letter, out);
        else
            lines_add(document, block, out);
    }
    buffer_add_text(out, TEXT("<p style=\"margin:30px 0 0;font-size:12px;" GREY
                              "\">Sekimori " SEKIMORI_VERSION "</p>\n</div></body></html>\n"));
}
