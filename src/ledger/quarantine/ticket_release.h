/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What users ask for by mail: report reads the mail; here a message is released by its ticket, once,
   its sender allowed or blocked for its recipient, and newsletters are approved. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_TICKET_RELEASE_H
#define SEKIMORI_LEDGER_QUARANTINE_TICKET_RELEASE_H

#include "ledger/approvals.h"
#include "ledger/quarantine/quarantine_command.h"
#include "ledger/sender_entries.h"

struct ticket_release_server;

/* Never NULL. All four are borrowed. To be freed before them. */
struct ticket_release_server *ticket_release_server_new(struct loop *loop,
                                                        struct quarantine_command_server *commands,
                                                        struct quarantine *quarantine, struct ingest *ingest);
void ticket_release_server_free(struct ticket_release_server *server);
/* What report sends beside tickets goes to `listener`, as long as the server lives: false where it is
   malformed. */
struct report_listener {
    bool (*frame)(void *context, struct channel *report, struct frame *frame);
    void *context;
};
/* None, as at the start: such a frame costs the channel. */
void ticket_release_server_set_listener(struct ticket_release_server *server,
                                        struct report_listener listener);
/* Borrowed; until then none is approved. */
void ticket_release_server_set_approvals(struct ticket_release_server *server, struct approvals *approvals);
/* Likewise: until then users make no entries. */
void ticket_release_server_set_entries(struct ticket_release_server *server, struct sender_entries *entries);
/* Whether users may: digest senders. Borrowed. */
void ticket_release_server_set_config(struct ticket_release_server *server, const struct config *config);
/* Report is there, or there again. */
void ticket_release_server_set_report(struct ticket_release_server *server, int fd);

#endif
