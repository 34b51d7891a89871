/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One report: what it says, before it becomes a page, a text or a letter. */
#ifndef SEKIMORI_REPORT_DAILY_EDITION_H
#define SEKIMORI_REPORT_DAILY_EDITION_H

#include "figures/sheet.h"
#include "report/words.h"

/* A big figure at the top: the day's, and its change against two like days. */
struct edition_headline {
    const char *name; /* English */
    const char *unit; /* English */
    uint64_t now;
    double week, year; /* change in per cent; not finite: nothing to compare with */
};

struct edition_line {
    struct edition_line *next;
    bool is_bad;
    struct text text; /* in the edition's language, foreign parts as they came: who prints it escapes */
};

/* From top to bottom after the headlines. */
struct edition_block {
    enum { BLOCK_SHEET, BLOCK_PICTURE, BLOCK_LINES } kind;
    const char *title; /* English; a sheet has its own */
    const struct sheet *sheet;
    struct text png;
    const char *picture_name; /* "hours": of the file, and in cid: */
    struct edition_line *lines;
    struct edition_block *next;
};

enum { EDITION_HEADLINES = 4, EDITION_LINE_MOST = 300 };

struct edition {
    struct arena *arena; /* owns all below */
    enum language language;
    struct text hostname;
    uint32_t day; /* yyyymmdd */
    uint64_t made_ms;
    uint32_t week_day, year_day; /* the like days it is compared with */
    struct edition_headline headlines[EDITION_HEADLINES];
    struct edition_block *blocks, *last;
};

struct edition *edition_new(enum language language); /* never NULL */
void edition_free(struct edition *edition);          /* NULL is allowed */
/* At the end; `title` is borrowed for as long as the edition. The block lives with it. */
struct edition_block *edition_add(struct edition *edition, const char *title);
/* The text is copied. The block is one of lines from here on. */
void edition_add_line(struct edition *edition, struct edition_block *block, bool is_bad, struct text text);

/* "Mail report 2026-11-25 (Wed): Received 7,012, Sent 2,003, Spam 964, Viruses 12". */
void edition_print_subject(const struct edition *edition, struct buffer *out);
/* A whole HTML document. Pictures are parts of the letter (cid:), or stand inside it. */
void edition_print_html(const struct edition *edition, bool is_letter, struct buffer *out);
void edition_print_text(const struct edition *edition, struct buffer *out); /* LF line ends */
/* RFC 5322, CRLF: multipart/alternative of the text, and multipart/related of the HTML and its pictures. */
void edition_print_letter(const struct edition *edition, struct text from, struct text to, struct text id,
                          struct buffer *out);

#endif
