/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table of figures: what `sekimori stats` prints and the report shows. Cells are numbers or foreign texts;
   how they look is the renderer's business, and no renderer lets a foreign text out as it came. */
#ifndef SEKIMORI_STATISTICS_SHEET_H
#define SEKIMORI_STATISTICS_SHEET_H

#include "base/arena.h"
#include "base/buffer.h"

enum sheet_kind {
    SHEET_TEXT,   /* foreign, or one of our words (sheet_put_word), which is translated */
    SHEET_COUNT,  /* 7,000 */
    SHEET_SHARE,  /* per cent with one decimal */
    SHEET_RATE,   /* a number with two decimals */
    SHEET_CHANGE, /* +12.5 %, per cent with its sign */
};

struct sheet_column {
    const char *title; /* English; also the key in JSON and the head in CSV, in lower case with "_" */
    enum sheet_kind kind;
};

struct sheet_cell {
    enum { CELL_NONE, CELL_NUMBER, CELL_FOREIGN, CELL_WORD } state;
    double number;
    struct text text;
};

struct sheet_row {
    struct sheet_cell *cells; /* one a column */
    bool is_sum;              /* set apart from what it adds up */
    struct sheet_row *next;
};

struct sheet {
    struct arena *arena;
    const char *title; /* English */
    const char *unit;  /* English: "messages", "recipients", … ; of every COUNT column */
    const struct sheet_column *columns;
    size_t column_count, row_count;
    struct sheet_row *rows, *last;
    const char *note; /* English; NULL: none */
};

/* `columns` is borrowed. */
struct sheet *sheet_new(struct arena *arena, const char *title, const char *unit,
                        const struct sheet_column *columns, size_t column_count);
/* At the end, with as many empty cells as there are columns; lives in the sheet's arena. */
struct sheet_row *sheet_add_row(struct sheet *sheet);
void sheet_put_number(struct sheet *sheet, size_t column,
                      double number); /* into the last row; not finite: empty */
void sheet_put_text(struct sheet *sheet, size_t column, struct text foreign); /* copied */
void sheet_put_moment(struct sheet *sheet, size_t column, uint64_t ms);       /* date_print_clock */
void sheet_put_word(struct sheet *sheet, size_t column, const char *english); /* borrowed */

/* Translates our own words; NULL: English stays. */
struct wording {
    const char *(*say)(const char *english);
};
/* `wording` may be NULL. Borrowed: a literal, or one of the catalogue's. */
const char *wording_say(const struct wording *wording, const char *english);

enum { SHEET_CELL_MOST = 60 }; /* columns of a foreign text */

/* No row but sums. */
bool sheet_is_empty(const struct sheet *sheet);

/* A table for a terminal or plain mail: title with unit, heads, rows, note. */
void sheet_print_text(const struct sheet *sheet, const struct wording *wording, struct buffer *out);
/* RFC 4180, English heads, numbers bare; the last two columns are the table's unit and title. A text that a
 * spreadsheet would take for a formula gets an apostrophe. */
void sheet_print_csv(const struct sheet *sheet, struct buffer *out);
/* {"title":…,"unit":…,"rows":[{…}]} with a line end; empty cells are null. */
void sheet_print_json(const struct sheet *sheet, struct buffer *out);
/* A <table> with inline styles, as mail programs want them; its classes are of report/mail_page.h. */
void sheet_print_html(const struct sheet *sheet, const struct wording *wording, struct buffer *out);

/* A foreign text or one of ours as HTML: shown (base/plain.h), then & < > " ' escaped. */
void html_add(struct buffer *out, struct text text, size_t most_columns);
/* A number as its kind is written: "7,000", "12.5 %". Empty for CELL_NONE. */
void sheet_number_print(enum sheet_kind kind, double number, struct buffer *out);

#endif
