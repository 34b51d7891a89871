/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a mail to one of the node's own addresses asks for, read from its bytes. Pure. */
#ifndef SEKIMORI_REPORT_MISSED_REQUEST_MAIL_H
#define SEKIMORI_REPORT_MISSED_REQUEST_MAIL_H

#include "base/arena.h"
#include "ipc/ask_ledger.h"

enum { REQUEST_MAIL_MESSAGES_MOST = 50 };

/* The messages that are attached to it, in their order, decoded: parts that are messages (message/rfc822 and
   its kin) or files named *.eml; what is attached to those belongs to them. At most `most`; *out_left: how
   many more there are. 0: none is attached. Borrowed from `mail` or in the arena. */
size_t request_mail_enclosed(struct arena *arena, struct text mail, struct text *out, size_t most,
                             size_t *out_left);

/* The ticket (ledgerdb/ticket.h) in its Subject, whatever stands around it; folds and encoded words are
   undone. Empty: there is none. It may be false. *out_wish: by the word before it, "allow", "block" or
   "approve"; any other one releases. */
struct text request_mail_ticket(struct arena *arena, struct text mail, enum ticket_wish *out_wish);

/* Written by a program or sent to a list: RFC 3834 forbids to answer it. */
bool request_mail_is_automatic(struct arena *arena, struct text mail);

/* What the report of a newsletter asks for: one that came with a tag is wanted, one that came without is not.
 */
struct newsletter_wish {
    struct text name, domain; /* auth/newsletter.h; in the arena or borrowed */
    bool is_wanted;
};

/* By the field X-Sekimori-Class that the gateway wrote into `message`. False: it is no newsletter. */
bool request_mail_newsletter(struct arena *arena, struct text message, struct newsletter_wish *out);

#endif
