/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Newsletters that users approved: `newsletters` in the folder of the ledger, a line each, and run/approved,
   which scan's workers read. An approval is for one recipient, or for everybody. Where the node has a number,
   it is also a declaration, which holds on all nodes. */
#ifndef SEKIMORI_LEDGER_APPROVALS_H
#define SEKIMORI_LEDGER_APPROVALS_H

#include "ipc/fingerprint_page.h"
#include "ledger/declarations.h"

enum {
    APPROVALS_OF_ONE_MOST = 200, /* of one recipient */
    APPROVALS_FOR_ALL_MOST = 2000,
    APPROVALS_MOST = 8192
};

/* UTF-8 without blanks and what acts on a terminal; name, domain and recipient in lower case. */
struct approval {
    struct text name, domain; /* auth/newsletter.h */
    struct text recipient;    /* empty: everybody */
    struct text by;           /* who approved it */
    uint64_t time_ms;
};

enum approval_outcome {
    APPROVAL_DONE,
    APPROVAL_KNOWN,   /* it was approved before, or forgotten before */
    APPROVAL_BAD,     /* no name, no domain or no address */
    APPROVAL_FULL,    /* this recipient, or all together, have as many as may be */
    APPROVAL_UNSAVED, /* errno: it cannot be written; nothing has changed */
    APPROVAL_OUTCOMES
};

struct approvals;

/* False: approvals_add would say BAD. */
bool approval_is_good(const struct approval *approval);

/* Never NULL. `page`: NULL: nobody reads it; else taken over. */
struct approvals *approvals_new(struct fingerprint_page *page);
void approvals_free(struct approvals *approvals); /* NULL is allowed */

/* Reads the file and fills the page; a line that is none of ours is left out, with an alarm. `folder` is
   borrowed. */
void approvals_start(struct approvals *approvals, int folder);

/* Behind approvals_start, before declarations_start: other nodes are told of what is approved and forgotten
   from now on, and what they said is done. Borrowed. */
void approvals_share(struct approvals *approvals, struct declarations *declarations);

/* After DONE it is on disk and in force. Texts are copied. */
enum approval_outcome approvals_add(struct approvals *approvals, const struct approval *approval);
enum approval_outcome approvals_forget(struct approvals *approvals, const struct approval *approval);

/* Whoever approved it. */
bool approvals_has(const struct approvals *approvals, const struct approval *approval);

/* For everybody and for one together. */
size_t approvals_count(const struct approvals *approvals);
/* From 0, in the order in which they were approved; borrowed until the next change. */
const struct approval *approvals_nth(const struct approvals *approvals, size_t n);

#endif
