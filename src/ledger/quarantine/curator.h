/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers `sekimori quarantine …`: a few messages a turn, so that storing goes on between. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_CURATOR_H
#define SEKIMORI_LEDGER_QUARANTINE_CURATOR_H

#include "books/ticket.h"
#include "ipc/ask_master.h"
#include "ledger/quarantine/custody.h"

struct curator_desk;

/* Never NULL. All three are borrowed. Takes no work before curator_desk_set_config. */
struct curator_desk *curator_desk_new(struct loop *loop, struct harvest *harvest, struct custody *custody);
void curator_desk_free(struct curator_desk *desk); /* clients under way get no answer */
void curator_desk_set_config(struct curator_desk *desk, const struct config *config); /* borrowed */

void curator_desk_set_key(struct curator_desk *desk, const struct ticket_key *key); /* borrowed */

/* Whether who has a ticket may release what is held in this class. */
bool curator_ticket_opens(const struct curator_desk *desk, enum held_class class);
/* Whether this node gave the ticket, and it holds at this time: see ticket_check. */
enum ticket_outcome curator_ticket(const struct curator_desk *desk, struct text text, struct ticket *out);
/* Before anything is shown or done. False: it cannot be recorded, so nothing may be. */
bool curator_record(struct curator_desk *desk, const struct commander *who, uint64_t id, const char *act,
                    struct text about);

/* `command`: the verb, then a word a line: message ids or "all", --class NAME, --match PATTERN (sender or
   recipient), --to ADDRESS, --ticket TICKET (instead of all that). Parts come as MASTER_MORE: a JSON object a
   line, or the content. Takes over `fd`.
 */
void curator_begin(struct curator_desk *desk, const struct commander *commander, struct text command, int fd);

#endif
