/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tables of who proved to be the sender he says he is: results of DMARC, SPF, DKIM and ARC, and domains that
   fail. Of mail from outside whose sender was looked into. */
#ifndef SEKIMORI_STATISTICS_AUTHENTICITY_H
#define SEKIMORI_STATISTICS_AUTHENTICITY_H

#include "ledgerdb/partners.h"
#include "statistics/statistics.h"

/* Each result of each check, and excuses: `stats --by auth`. DONE, or why not. */
enum ledgerdb_outcome authenticity_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                        struct arena *arena, struct sheet **out);

/* By DMARC alone, in words: proven, not proven, of these let pass, nothing asked for, not known. No rows when
   nobody was looked into. DONE, or why not. */
enum ledgerdb_outcome authenticity_shares(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                          uint32_t until_day, struct arena *arena, struct sheet **out);

/* Domains of From that failed, most failures first, `top` at most. The rows that the table was made of lie in
   the arena, too, in its order. DONE, or why not. */
enum ledgerdb_outcome authenticity_partners(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                            uint32_t until_day, size_t top, struct arena *arena,
                                            struct sheet **out, struct partner_row **out_rows,
                                            size_t *out_count);
/* It passed as a rule in the 30 days before, and mostly fails now: somebody should be told. Pure. */
bool authenticity_has_broken(const struct partner_row *row);
/* Why it fails most often. English, a literal. Pure. */
const char *authenticity_cause(const struct partner_row *row);

#endif
