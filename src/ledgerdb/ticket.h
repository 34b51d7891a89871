/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tickets: who holds one may have one recipient's message released from the quarantine, until its time is
   over. Signed with HMAC-SHA-256 by the node's own key. It works once, since a release does. */
#ifndef SEKIMORI_LEDGERDB_TICKET_H
#define SEKIMORI_LEDGERDB_TICKET_H

#include "base/text.h"
#include "config/settings.h"

enum { TICKET_KEY_BYTES = 32, TICKET_SIZE = 65 }; /* 64 characters and the NUL */

struct ticket_key {
    uint8_t bytes[TICKET_KEY_BYTES];
};

/* ticket.key in `folder`, of mode 0640 less the umask. `may_make`: made when there is none. False, logged: it cannot be had. */
bool ticket_key_open(const char *folder, bool may_make, struct ticket_key *out);

struct ticket {
    uint64_t message; /* id */
    uint32_t number;  /* of the recipient */
    uint64_t until_s; /* seconds since 1970; up to 2106 */
};

/* A ticket has no more rights than its class gives to recipients: where `quarantine release` names users,
   only if it names "recipients" too; where it names nobody, if the class does not harm. */
bool ticket_may_release(const struct config *config, enum held_class class);

/* Letters and digits only, no case: it may stand in an address or a link. */
char *ticket_print(const struct ticket_key *key, const struct ticket *ticket, char room[TICKET_SIZE]);

enum ticket_outcome { TICKET_GOOD, TICKET_FALSE, TICKET_OLD };
/* `out` is set only when it is ours. `key` NULL: none is. */
enum ticket_outcome ticket_check(const struct ticket_key *key, struct text text, uint64_t now_s,
                                 struct ticket *out);

#endif
