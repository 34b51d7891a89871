/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lines of tables to be, for the files of this folder. */
#ifndef SEKIMORI_STATISTICS_LINES_H
#define SEKIMORI_STATISTICS_LINES_H

#include "statistics/statistics.h"

struct line {
    struct text name;
    uint32_t number; /* day, month, hour or node */
    struct figures figures;
    uint64_t messages, recipients; /* of one kind */
};

struct lines {
    struct line *items;
    size_t count;
};

/* For qsort and bsearch: by number, then name. */
int lines_order(const void *a, const void *b);

/* For sums of every node; `wish` is borrowed as its domain is. */
struct sum_question lines_question(const struct statistics_wish *wish, uint64_t kinds, unsigned by);
/* What a row is counted under when it was asked for by enum sum_by. */
uint32_t lines_number(const struct sum_row *row, unsigned by);

/* Figures by number or domain. Each key once, in lines_order. */
enum ledgerdb_outcome lines_ask_figures(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                        unsigned by, struct arena *arena, struct lines *out);
/* The numbers of one kind by number and name. Each key once, in lines_order. */
enum ledgerdb_outcome lines_ask_names(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                      enum sum_kind kind, unsigned by, struct arena *arena,
                                      struct lines *out);

/* Figures by day, as figures by month. */
struct lines lines_by_month(struct arena *arena, const struct lines *days);

/* Adds each figure. */
void figures_join(struct figures *figures, const struct figures *more);
struct figures lines_sum(const struct lines *lines); /* over all of them */
/* The names over all numbers, most messages first; somebody else's rest, the name "Etc.", last. */
struct lines lines_most(struct arena *arena, const struct lines *lines);
/* Messages of all lines with this number; 0: of all. */
uint64_t lines_messages(const struct lines *lines, uint32_t number);

/* statistics.c to paper.c */
enum ledgerdb_outcome paper_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                 struct arena *arena, struct sheet *out[STATISTICS_SHEETS],
                                 size_t *out_count);

#endif
