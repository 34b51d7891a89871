/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The dispatcher: requests of receive on one side, workers on the other. It never looks into a message. */
#ifndef SEKIMORI_SCAN_DISPATCHER_H
#define SEKIMORI_SCAN_DISPATCHER_H

#include "ipc/child.h"
#include "mail/digest.h"

struct dispatcher;

/* `warden`, `warden_pid`: of fork_server_warden_start. `key`: of voucher_key_read, borrowed for good.
   `core_count`: workers where the configuration says one a core. */
struct dispatcher *dispatcher_new(struct child *child, int warden, pid_t warden_pid, struct digest_key *key,
                                  uint32_t core_count);

/* A receive process, by its channel. */
void dispatcher_add_keeper(struct dispatcher *dispatcher,
                           int fd); /* of ledger or queue, which ask SCAN_AGAIN alone */
void dispatcher_add_receiver(struct dispatcher *dispatcher, int fd);

/* A new configuration or new signatures: a fork server beside the old one; its workers take over one by one.
 */
void dispatcher_reload(struct dispatcher *dispatcher);

/* The signer, by its channel. */
void dispatcher_connect_signer(struct dispatcher *dispatcher, int fd);

/* open, by its channel. */
void dispatcher_connect_open(struct dispatcher *dispatcher, int fd);

/* No new requests are begun; child_exit is called when what is under way has ended, or `within_ms` passed. */
void dispatcher_stop(struct dispatcher *dispatcher, uint32_t within_ms);

/* Lines go to another descriptor, which is borrowed: told to warden, fork servers and workers. */
void dispatcher_log(struct dispatcher *dispatcher, enum master_log which, int fd);

void dispatcher_status(const struct dispatcher *dispatcher, struct buffer *out); /* appends */

/* To be asked every second: since when there is no worker is known by it. */
void dispatcher_health(struct dispatcher *dispatcher, struct health_facts *out);

#endif
