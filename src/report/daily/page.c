/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A report as HTML: what is wrong first, then figures, charts side by side where there is room, tables. */
#include <math.h>

#include "mail/base64.h"
#include "report/daily/chart.h"
#include "report/daily/report_document.h"
#include "report/mail_page.h"

static void word_add(const struct report_document *document, const char *english, struct buffer *out)
{
    html_add(out, text_of(words_say(document->language, english)), 1000);
}

/* --- what is wrong, or that nothing is --- */

static void wrong_add(const struct report_document *document, struct buffer *out)
{
    if (!document->wrong) {
        buffer_add_text(out,
                        TEXT("<p class=\"good\" style=\"margin:10px 0;font-weight:600;color:#1b7a43\">"));
        word_add(document, N_("All is well."), out);
        buffer_add_text(out, TEXT("</p>\n"));
        return;
    }
    buffer_add_text(out, TEXT("<div class=\"bad\" style=\"margin:12px 0;padding:8px 14px;color:#b3261e;"
                              "border:2px solid;border-radius:8px\">\n<div style=\"font-weight:600\">"));
    word_add(document, N_("What is wrong"), out);
    buffer_add_text(out, TEXT("</div>\n<ul style=\"margin:4px 0;padding-left:20px\">\n"));
    for (const struct document_line *line = document->wrong; line; line = line->next) {
        buffer_add_text(out, TEXT("<li style=\"overflow-wrap:anywhere\">"));
        html_add(out, line->text, REPORT_DOCUMENT_LINE_MOST);
        buffer_add_text(out, TEXT("</li>\n"));
    }
    buffer_add_text(out, TEXT("</ul></div>\n"));
}

/* --- figures --- */

static void change_add(const struct report_document *document, const char *against, double change,
                       struct buffer *out)
{
    buffer_add_text(out, TEXT("<div " MAIL_PAGE_FAINT "font-size:13px\">"));
    word_add(document, against, out);
    buffer_add_text(out, TEXT(" <span style=\"white-space:nowrap\">"));
    if (isfinite(change))
        sheet_number_print(SHEET_CHANGE, change, out);
    else
        buffer_add_text(out, TEXT("–"));
    buffer_add_text(out, TEXT("</span></div>"));
}

/* Four side by side where there is room, else two. */
static void headlines_add(const struct report_document *document, struct buffer *out)
{
    struct buffer compared = { 0 };
    buffer_add_text(out, TEXT("<div style=\"margin:10px 0 2px\">\n"));
    for (size_t i = 0; i < REPORT_DOCUMENT_HEADLINES; i++) {
        const struct document_headline *one = &document->headlines[i];
        buffer_add_text(out,
                        TEXT("<div style=\"display:inline-block;vertical-align:top;box-sizing:border-box;"
                             "width:168px;padding:4px 4px 8px 0\"><div " MAIL_PAGE_FAINT "\">"));
        word_add(document, one->name, out);
        buffer_add_text(out, TEXT("</div><div style=\"font-size:28px;font-weight:600;line-height:1.25\">"));
        sheet_number_print(SHEET_COUNT, (double)one->now, out);
        buffer_add_text(out, TEXT("</div>"));
        change_add(document, report_document_before(document), one->before, out);
        change_add(document, N_("year before"), one->year, out);
        buffer_add_text(out, TEXT("</div>\n"));
    }
    buffer_add_text(out, TEXT("</div>\n<p " MAIL_PAGE_FAINT "margin:2px 0 12px;font-size:13px\">"));
    report_document_print_compared(document, &compared);
    html_add(out, buffer_text(&compared), 1000);
    buffer_add_text(out, TEXT("</p>\n"));
    buffer_free(&compared);
}

/* --- blocks --- */

static void title_add(const struct report_document *document, const char *title, struct buffer *out)
{
    buffer_add_text(out, TEXT("<h2 style=\"font-size:17px;margin:28px 0 4px\">"));
    word_add(document, title, out);
    buffer_add_text(out, TEXT("</h2>\n"));
}

static void picture_add(const struct report_document *document, const struct document_block *block,
                        bool is_letter, struct buffer *out)
{
    buffer_printf(out,
                  "<div style=\"display:inline-block;vertical-align:top;width:%dpx;max-width:100%%;"
                  "margin:0 8px 12px 0\"><div style=\"font-weight:600;margin:8px 0 4px\">",
                  CHART_WIDTH);
    word_add(document, block->title, out);
    buffer_printf(out, "</div><img width=\"%d\" height=\"%d\" style=\"max-width:100%%;height:auto\" alt=\"",
                  CHART_WIDTH, CHART_HEIGHT);
    word_add(document, block->title, out);
    buffer_add_text(out, TEXT("\" src=\""));
    if (is_letter) {
        buffer_printf(out, "cid:%s@sekimori", block->picture_name);
    } else {
        buffer_add_text(out, TEXT("data:image/png;base64,"));
        base64_add(out, block->png);
    }
    buffer_add_text(out, TEXT("\"></div>\n"));
}

static void lines_add(const struct report_document *document, const struct document_block *block,
                      struct buffer *out)
{
    title_add(document, block->title, out);
    buffer_add_text(out, TEXT("<ul style=\"margin:4px 0;padding-left:20px;overflow-wrap:anywhere\">\n"));
    for (const struct document_line *line = block->lines; line; line = line->next) {
        buffer_printf(out, "<li%s>",
                      line->is_bad ? " class=\"bad\" style=\"color:#b3261e;font-weight:600\"" : "");
        html_add(out, line->text, REPORT_DOCUMENT_LINE_MOST);
        buffer_add_text(out, TEXT("</li>\n"));
    }
    buffer_add_text(out, TEXT("</ul>\n"));
}

static void head_add(const struct report_document *document, struct buffer *out)
{
    buffer_add_text(out, TEXT("<div " MAIL_PAGE_FAINT "font-size:13px\">"));
    html_add(out, document->hostname, 100);
    buffer_add_text(out, TEXT("</div>\n<h1 style=\"font-size:22px;line-height:1.3;margin:0\">"));
    word_add(document, N_("Mail report"), out);
    buffer_add_char(out, ' ');
    period_print(document->period, document->language, out);
    buffer_add_text(out, TEXT("</h1>\n"));
}

void report_document_print_html(const struct report_document *document, bool is_letter, struct buffer *out)
{
    struct buffer subject = { 0 };
    report_document_print_subject(document, &subject);
    mail_page_open(document->language, buffer_text(&subject), out);
    buffer_free(&subject);
    head_add(document, out);
    wrong_add(document, out);
    headlines_add(document, out);
    for (const struct document_block *block = document->blocks; block; block = block->next) {
        if (block->kind == BLOCK_SHEET)
            sheet_print_html(block->sheet, words_in(document->language), out);
        else if (block->kind == BLOCK_PICTURE)
            picture_add(document, block, is_letter, out);
        else
            lines_add(document, block, out);
    }
    buffer_add_text(out, TEXT("<p " MAIL_PAGE_FAINT "margin:30px 0 0;font-size:13px\">"
                              "Sekimori " SEKIMORI_VERSION "</p>\n"));
    mail_page_close(out);
}
