/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The foreman: requests of receive on one side, workers on the other. It never looks into a message. */
#ifndef SEKIMORI_SCAN_FOREMAN_H
#define SEKIMORI_SCAN_FOREMAN_H

#include "ipc/child.h"

struct foreman;

/* `warden`, `warden_pid`: of nursery_warden_start. `core_count`: workers where the configuration says one a
 * core. */
struct foreman *foreman_new(struct child *child, int warden, pid_t warden_pid, uint32_t core_count);

/* A receive process, by its channel. */
void foreman_add_receiver(struct foreman *foreman, int fd);

/* A new configuration or new signatures: a nursery beside the old one; its workers take over one by one. */
void foreman_reload(struct foreman *foreman);

/* No new requests are begun; child_exit is called when what is under way has ended, or `within_ms` passed. */
void foreman_stop(struct foreman *foreman, uint32_t within_ms);

/* Lines go to another descriptor, which is borrowed: told to warden, nurseries and workers. */
void foreman_log(struct foreman *foreman, enum master_log which, int fd);

void foreman_status(const struct foreman *foreman, struct buffer *out); /* appends */

/* To be asked every second: since when there is no worker is known by it. */
void foreman_health(struct foreman *foreman, struct health_facts *out);

#endif
