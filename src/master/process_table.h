/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The processes of this node: started, joined by channels, watched, restarted with back-off, stopped in
 * order. */
#ifndef SEKIMORI_MASTER_PROCESS_TABLE_H
#define SEKIMORI_MASTER_PROCESS_TABLE_H

#include "base/loop.h"
#include "ipc/channel.h"
#include "master/listeners.h"
#include "master/metrics_socket.h"
#include "master/os_users.h"
#include "master/roles.h"
#include "master/state.h"
#include "master/systemd.h"

struct process_table;

struct process_table_start {
    struct loop *loop;
    const struct config *config; /* borrowed; replaced by process_table_reload */
    struct state *state;
    struct listeners *listeners; /* borrowed, likewise */
    const struct metrics_socket *metrics;
    const char *libexec;               /* folder of the programs */
    const struct os_users *users;      /* whom they run as */
    struct systemd *systemd;           /* borrowed; told each second that the node lives */
    void (*on_ready)(void *context);   /* every process is ready, the first time */
    void (*on_stopped)(void *context); /* after process_table_stop: every process has ended */
    void *context;
};

/* Never NULL, as long as the process. `start` is copied, what it points to is borrowed. SIGCHLD is its own.
 */
struct process_table *process_table_new(const struct process_table_start *start);

/* Starts every process that the role wants. */
void process_table_begin(struct process_table *table);

/* Gives a new configuration and its listeners to every process. on_done once all have it in force (or after a
   time limit, with the names of those that have not). */
void process_table_reload(struct process_table *table, const struct config *config,
                          struct listeners *listeners, void (*on_done)(void *context, const char *late),
                          void *context);

/* Asks all to stop: receive first, so that what is under way ends; then the rest, last started first. */
void process_table_stop(struct process_table *table);

/* Hands the socket of a command to a process. False when that process is not running. */
bool process_table_give_client(struct process_table *table, enum process_kind kind,
                               const struct commander *commander, struct text command, int fd);

/* Collects every process's status lines into a JSON text, then calls back once (a process that does not
   answer within a second is shown without its lines). */
void process_table_status(struct process_table *table, void (*on_done)(void *context, struct text json),
                          void *context);

/* Takes the node out of service, or back: told to every process, also to those that start later. `to` is
   ADDRESS:PORT of the peer that gets what waits, or empty. */
void process_table_drain(struct process_table *table, bool is_on, struct text to);

bool process_table_is_drained(const struct process_table *table); /* it was told to be, last */

bool process_table_is_ready(const struct process_table *table); /* every process is, at this moment */

#endif
