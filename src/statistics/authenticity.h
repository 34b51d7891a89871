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

/* Domains in From that failed, the most failures first, at most `top`. No rows when none did. DONE, or why
   not. */
enum ledgerdb_outcome authenticity_partners(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                            uint32_t until_day, size_t top, struct arena *arena,
                                            struct sheet **out);

enum { AUTHENTICITY_BROKEN_MOST = 20 };
/* Those of them that passed as a rule in the 30 days before and mostly fail now: somebody should be told. At
   most AUTHENTICITY_BROKEN_MOST, in the arena. DONE, or why not. */
enum ledgerdb_outcome authenticity_broken(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                          uint32_t until_day, struct arena *arena, struct partner_row **out,
                                          size_t *out_count);
/* It is one of those. Pure. */
bool authenticity_is_broken(const struct partner_row *row);
/* Why it fails most often. English, a literal. Pure. */
const char *authenticity_cause(const struct partner_row *row);

#endif
