/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The state folder: its sub-folders, the lock that lets one master run, and the files that processes share.
 */
#ifndef SEKIMORI_MASTER_STATE_H
#define SEKIMORI_MASTER_STATE_H

#include "config/settings.h"
#include "ipc/ask_master.h"
#include "ipc/health_page.h"
#include "master/os_users.h"

struct state {
    int folder_fd, run_fd; /* the state folder and run/ in it */
    int lock_fd;
    int counters_fd;    /* shared file of ipc/counters.h */
    int clients_fd;     /* shared memory of receive/client_limits.h */
    int secret_fd;      /* CHILD_SECRET_BYTES by chance, the node's own: to read */
    int vouchers_fd;    /* CHILD_SECRET_BYTES by chance, anew at each start: the key of ipc/voucher.h */
    int connections[2]; /* a socket pair: in it deliver leaves its sockets for its next life */
    struct health_page *health;
    struct master_measures *measures; /* master's own page of the counters file, for monitors */
    bool was_unclean;                 /* the machine went down without an orderly stop: counts start anew */
};

/* Makes what is missing, takes the lock. Ends the process with a clear message (exit 73, 75 or 77) when it
   cannot. When the caller is root, each folder that a process writes in belongs to that process' user, with
   all that is in it; the state folder and run/ do not, but are open to the node's group. */
void state_open(struct state *state, const struct config *config, const struct os_users *users);

/* Makes the folders and gives them away as state_open does, and nothing else: it takes all capabilities of
   root, and who has done it needs none for state_open. Refuses in the same way, also while a master runs. */
void state_prepare(const struct config *config, const struct os_users *users);

/* A descriptor of "spool", "ledger", "report" or "learn", by O_PATH: whose the folder is opens it. */
int state_folder(const struct state *state, const char *name);

/* The ring file of one process; *out_slot identifies it. */
int state_events(const struct state *state, enum process_kind kind, uint16_t index, uint16_t *out_slot);
/* The ring file run/results, which is deliver's alone. */
int state_results(const struct state *state);
/* The file run/flights, likewise. */
int state_flights(const struct state *state);
/* The file run/lists, for ledger to write, or to be read alone. */
int state_lists(const struct state *state, bool is_writer);
/* The same of run/approved. */
int state_approved(const struct state *state, bool is_writer);
/* The same of run/entries. */
int state_entries(const struct state *state, bool is_writer);
/* The same of run/learned. */
int state_learned(const struct state *state, bool is_writer);
/* The same of run/campaigns, for lookup to write. */
int state_campaigns(const struct state *state, bool is_writer);
/* run/inside, lookup's alone. */
int state_inside(const struct state *state);

/* Whether the node is drained, and to whom (ADDRESS:PORT or empty): holds over restarts and power loss. */
bool state_drain_read(const struct state *state, char *out_to, size_t size);
bool state_drain_write(const struct state *state, bool is_on, struct text to); /* false with errno */

/* After an orderly stop: what is in the shared files is on disk. */
void state_close_clean(struct state *state);

#endif
