/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How lookup tells the ledger, as acts of the audit, that a list is asked about nobody, and that it is again:
   "bad-names is aside: does not answer", "bad-names is in force", "all are tried anew". */
#ifndef SEKIMORI_JUDGE_LIST_ABSENCE_H
#define SEKIMORI_JUDGE_LIST_ABSENCE_H

#include "base/buffer.h"

#define LIST_ABSENCE_ACT "list"

enum list_absence_act {
    LIST_ABSENCE_BEGINS,
    LIST_ABSENCE_ENDS,
    LIST_ABSENCE_ALL_END /* lookup was started: of no list it is known that it is aside */
};

/* Appends it. `why` is of BEGINS; the name is a list's and has no blank. */
void list_absence_put(enum list_absence_act act, struct text name, struct text why, struct buffer *out);
/* Borrows from `about`; names and reasons are empty where the act has none. False: it is none of these. */
bool list_absence_get(struct text about, enum list_absence_act *out_act, struct text *out_name,
                      struct text *out_why);

#endif
