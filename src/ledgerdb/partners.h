/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How the domains that mail names in From fared, by day: who proves to be who he says, who does not, and why.
   Strangers choose these names, so that a day has room for PARTNERS_MOST of them; what finds none counts
   under no name. A domain that passed on an earlier day has room kept for it. */
#ifndef SEKIMORI_LEDGERDB_PARTNERS_H
#define SEKIMORI_LEDGERDB_PARTNERS_H

#include "judge/proof.h"
#include "ledgerdb/reader.h"
#include "ledgerdb/sql.h"

enum {
    PARTNERS_MOST = 1000, /* names of one day and node, whoever they are */
    PARTNERS_KNOWN = 2000 /* with those that passed before */
};

#define PARTNERS_KEPT_MS (UINT64_C(62) * 24 * 3600 * 1000) /* then their rows go */

/* --- writing: what the transaction under way adds --- */

struct partners;

struct partners *partners_new(struct sql *sql); /* NULL: the tables are not there; sql_error says more */
void partners_free(struct partners *partners);  /* NULL is allowed */

/* A message. `domain` is copied. Nothing where `fate` is FATE_NONE. */
void partners_add(struct partners *partners, uint32_t day, uint16_t node, struct text domain,
                  enum proof_fate fate);
/* Inside the transaction. Whatever it returns, nothing is left to be added. */
enum ledgerdb_outcome partners_write(struct partners *partners);
void partners_drop(struct partners *partners); /* what is not written */

/* --- reading --- */

struct partner_row {
    struct text domain;                    /* empty: all that found no room */
    uint64_t count[FATE_COUNT];            /* messages */
    uint64_t failed;                       /* FATE_UNSIGNED and the others from there on, together */
    uint64_t passed_before, failed_before; /* on the days before */
};

struct partner_question {
    uint32_t from_day, until_day; /* yyyymmdd, both counted */
    uint32_t before_day;          /* where what is said of before begins; it ends with from_day */
    bool is_of_known;             /* of those alone that passed before */
    size_t most;                  /* rows */
};

/* On how many days before that one (yyyymmdd) mail of this domain passed, at most `most`. */
enum ledgerdb_outcome partners_days_passed(struct sql *sql, struct text domain, uint32_t before_day,
                                           uint32_t most, uint64_t *out);

/* Domains that failed, the most failures first. A message counts where sums count it: not at another node's
   edge. The list is in the arena. LATER: it took longer than a step may. */
enum ledgerdb_outcome partners_failing(struct ledgerdb_reader *ledgerdb,
                                       const struct partner_question *question, struct arena *arena,
                                       struct partner_row **out, size_t *out_count);

#endif
