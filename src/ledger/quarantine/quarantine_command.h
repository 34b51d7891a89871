/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers `sekimori quarantine …`: a few messages a turn, so that storing goes on between. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_COMMAND_H
#define SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_COMMAND_H

#include "ipc/ask_master.h"
#include "ledger/quarantine/quarantine.h"
#include "ledgerdb/ticket.h"

struct quarantine_command_server;

/* Never NULL. All three are borrowed. Takes no work before quarantine_command_server_set_config. */
struct quarantine_command_server *quarantine_command_server_new(struct loop *loop, struct ingest *ingest,
                                                                struct quarantine *quarantine);
/* Clients under way get no answer */
void quarantine_command_server_free(struct quarantine_command_server *server);
void quarantine_command_server_set_config(struct quarantine_command_server *server,
                                          const struct config *config); /* borrowed */

void quarantine_command_server_set_key(struct quarantine_command_server *server,
                                       const struct ticket_key *key); /* borrowed */

/* Whether who has a ticket may release what is held in this class. */
bool quarantine_command_ticket_opens(const struct quarantine_command_server *server, enum held_class class);
/* Whether this node gave the ticket, and it holds at this time: see ticket_check. */
enum ticket_outcome quarantine_command_ticket(const struct quarantine_command_server *server,
                                              struct text text, struct ticket *out);
/* Before anything is shown or done. `process`: "quarantine", of which `id` is a message. False: it cannot be
   recorded, so nothing may be. */
bool quarantine_command_record(struct quarantine_command_server *server, const struct commander *who,
                               const char *process, uint64_t id, const char *act, struct text about);
/* The same within a transaction of held.h that the caller begins and ends. */
bool quarantine_command_record_within(struct quarantine_command_server *server, const struct commander *who,
                                      const char *process, uint64_t id, const char *act, struct text about);

/* `text`: the verb, then a word a line: message ids or "all", --class NAME, --match PATTERN (sender or
   recipient), --to ADDRESS, --ticket TICKET (instead of all that). Parts come as MASTER_MORE: a JSON object a
   line, or the content. Takes over `fd`.
 */
void quarantine_command_begin(struct quarantine_command_server *server, const struct commander *commander,
                              struct text text, int fd);

#endif
