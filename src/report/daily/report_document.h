/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One report: what it says, before it becomes a page, a text or a letter. */
#ifndef SEKIMORI_REPORT_DAILY_REPORT_DOCUMENT_H
#define SEKIMORI_REPORT_DAILY_REPORT_DOCUMENT_H

#include "report/daily/period.h"
#include "statistics/sheet.h"
#include "statistics/words.h"

/* A big figure at the top: the period's, and its change against the one before and a year before. */
struct document_headline {
    const char *name; /* English */
    const char *unit; /* English */
    uint64_t now;
    double before, year; /* change in per cent; not finite: nothing to compare with */
};

struct document_line {
    struct document_line *next;
    bool is_bad;
    struct text text; /* in the document's language, foreign parts as they came: who prints it escapes */
};

/* From top to bottom after what is wrong and the headlines. */
struct document_block {
    enum { BLOCK_SHEET, BLOCK_PICTURE, BLOCK_LINES } kind;
    const char *title; /* English; a sheet has its own */
    const struct sheet *sheet;
    struct text png;
    const char *picture_name; /* "hours": of the file, and in cid: */
    struct document_line *lines;
    struct document_block *next;
};

enum { REPORT_DOCUMENT_HEADLINES = 4, REPORT_DOCUMENT_LINE_MOST = 300 };

struct report_document {
    struct arena *arena; /* owns all below */
    enum language language;
    struct text hostname;
    struct period period;
    uint64_t made_ms;
    struct document_line *wrong; /* what is wrong, from the first thing on; NULL: all is well */
    struct document_headline headlines[REPORT_DOCUMENT_HEADLINES];
    struct document_block *blocks, *last;
};

struct report_document *report_document_new(enum language language); /* never NULL */
void report_document_free(struct report_document *document);         /* NULL is allowed */
/* At the end; `title` is borrowed for as long as the document. The block lives with it. */
struct document_block *report_document_add(struct report_document *document, const char *title);
/* The text is copied. The block is one of lines from here on. */
void report_document_add_line(struct report_document *document, struct document_block *block, bool is_bad,
                              struct text text);

/* Something that the report leads with. The text is copied. */
void report_document_add_wrong(struct report_document *document, struct text text);

/* "Mail report 2026-11-25 (Wed): Received 7,012, Sent 2,003, Spam 964, Viruses 12"; "2 wrong, " stands before
   the figures when there is something. */
void report_document_print_subject(const struct report_document *document, struct buffer *out);
/* "week before" or "month before": what the first change of a headline is against. English. */
const char *report_document_before(const struct report_document *document);
/* "Compared with the like days 2026-11-18 (Wed), 2025-11-26 (Wed)". */
void report_document_print_compared(const struct report_document *document, struct buffer *out);
/* A whole HTML document. Pictures are parts of the letter (cid:), or stand inside it. */
void report_document_print_html(const struct report_document *document, bool is_letter, struct buffer *out);
void report_document_print_text(const struct report_document *document,
                                struct buffer *out); /* LF line ends */
/* RFC 5322, CRLF: multipart/alternative of the text, and multipart/related of the HTML and its pictures. */
void report_document_print_letter(const struct report_document *document, struct text from, struct text to,
                                  struct text id, struct buffer *out);

#endif
