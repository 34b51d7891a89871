/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The tables of `sekimori stats` and of the report, made of the ledger's sums. What each figure counts stands
   in doc/reports.md. */
#ifndef SEKIMORI_STATISTICS_STATISTICS_H
#define SEKIMORI_STATISTICS_STATISTICS_H

#include "ledgerdb/reader.h"
#include "statistics/sheet.h"

/* One kind of days, one month, one domain, … */
struct figures {
    uint64_t sent;    /* messages from inside that were taken */
    uint64_t arrived; /* messages from outside that came with their content: taken, refused or discarded */
    uint64_t taken;   /* of these taken */
    uint64_t spam;    /* judged spam, whatever became of it */
    uint64_t removed; /* spam that its recipient did not get: held, refused or discarded */
    uint64_t viruses; /* messages with a virus, either direction */
    uint64_t refused; /* recipients turned away before content was seen */
    uint64_t delivered, returned, held; /* recipients */
};
/* A row of SUM_CLASS is taken to be of spam: ask for no other. */
void figures_add(struct figures *figures, const struct sum_row *row);

enum statistics_by {
    STATISTICS_PAPER, /* by month: viruses and spam, viruses by name, mail sent and received; and like days */
    STATISTICS_BY_VIRUS,
    STATISTICS_BY_RULE,
    STATISTICS_BY_ENGINE,
    STATISTICS_BY_MISSED,
    STATISTICS_BY_DOMAIN,
    STATISTICS_BY_NODE,
    STATISTICS_BY_HOUR,
    STATISTICS_BY_DAY,
    STATISTICS_BY_MONTH,
    STATISTICS_BY_AUTH,
    STATISTICS_BY_NOT_OPENED,
    STATISTICS_BY_LIST, /* here and below the rows are of signal_table.h */
    STATISTICS_BY_IMPOSTOR,
    STATISTICS_BY_BEHAVIOUR,
    STATISTICS_BY_SENDER, /* from here on of rows, not of sums: see statistics_is_ranking */
    STATISTICS_BY_RECIPIENT,
    STATISTICS_BY_REFUSAL,
    STATISTICS_BY_HELD,
};
const char *statistics_by_word(size_t position); /* all such words in turn, NULL behind the last */
bool statistics_by_from_word(struct text word, enum statistics_by *out); /* false: no such word */
/* Such tables are of rankings.h: they know neither domain, direction nor would. */
bool statistics_is_ranking(enum statistics_by by);

enum { STATISTICS_SHEETS = 4 };

struct statistics_wish {
    uint32_t from_day, until_day; /* inclusive */
    int direction;                /* enum direction, -1: both */
    struct text domain;           /* empty: all */
    enum statistics_by by;
    bool would;   /* what checks that only observe would have done, by `by` */
    unsigned top; /* rows of names, the rest as "Etc."; 0: all */
};

/* Appends the wish as bytes, and reads them; the domain is borrowed. False: malformed. */
void statistics_wish_put(const struct statistics_wish *wish, struct buffer *out);
bool statistics_wish_get(struct text bytes, struct statistics_wish *out);

/* DONE, or why not. */
enum ledgerdb_outcome statistics_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                      struct arena *arena, struct sheet *out[STATISTICS_SHEETS],
                                      size_t *out_count);

/* Figures of a time, by day, hour, month (enum sum_by) or, with 0, of all of it in one. */
struct figures_at {
    uint32_t number; /* day, hour or month; 0 */
    struct figures figures;
};
/* The list is in the arena, by number. Unless DONE, `out` is what it was. */
enum ledgerdb_outcome statistics_figures(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                         uint32_t until_day, unsigned by, struct arena *arena,
                                         struct figures_at **out, size_t *out_count);

/* All rows of the question. A question that takes longer than one step may is asked in parts, so that no row
   but the key's is promised to come only once. */
enum ledgerdb_outcome statistics_rows(struct ledgerdb_reader *ledgerdb, const struct sum_question *question,
                                      struct arena *arena, struct sum_row **out, size_t *out_count);

#endif
