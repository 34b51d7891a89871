/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A process of Sekimori as master starts it: who it is, what it was given, and its life on the loop. Every
   main.c reads alike: child_start, jail, peers, child_run. */
#ifndef SEKIMORI_IPC_CHILD_H
#define SEKIMORI_IPC_CHILD_H

#include <sys/queue.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/sandbox.h"
#include "config/settings.h"
#include "ipc/ask_master.h"
#include "ipc/channel.h"
#include "ipc/health.h"

struct child {
    enum { CHILD_MAGIC = 0x520546aa } magic;
    enum process_kind kind;
    uint16_t index;
    struct loop *loop;
    struct config *config; /* replaced on reload; see on_config */
    struct channel *master;
    const struct child_events *events;
    void *context;
    STAILQ_HEAD(given_list, given) given; /* what master handed over */
    bool is_stopping;
    bool is_draining;         /* from the start or by on_drain */
    struct endpoint drain_to; /* port 0: no peer takes over */
    int exit_code;
};

/* A kind of process that this one has channels to. */
struct child_peer {
    enum process_kind kind;
    /* A channel to it: at start, and again when it was restarted (the old one is closed by then). The callee
       owns `fd` and opens it with channel_open and its own events. NULL ends a table. */
    void (*open)(void *context, uint16_t index, int fd);
};

struct child_events {
    /* Whom it knows, a row each. A peer in no row goes to on_peer, or is refused with a line in the log. May
       be NULL. */
    const struct child_peer *peers;
    /* The same for processes that treat all their peers alike. May be NULL. */
    void (*on_peer)(void *context, enum process_kind kind, uint16_t index, int fd);
    /* A reload: the new configuration is in child->config, the old one is freed after the call. May be NULL.
     */
    void (*on_config)(void *context, const struct config *old);
    /* Orderly stop: finish within ms, then call child_exit. NULL: exits at once. */
    void (*on_stop)(void *context, uint32_t within_ms);
    /* Name and value lines for `sekimori status`: append with child_status_add. May be NULL. */
    void (*on_status)(void *context, struct buffer *out);
    /* A `sekimori` command wants this process: answer MASTER_DONE on fd (callee owns it). May be NULL. */
    void (*on_client)(void *context, const struct commander *commander, struct text command, int fd);
    /* What this process knows of the node's health: told with health_know. At every second, so it must be
       cheap. May be NULL. */
    void (*on_health)(void *context, struct health_facts *out);
    /* Lines go to another descriptor, borrowed for the call, for processes that came from this one. May be
     * NULL.
     */
    void (*on_log)(void *context, enum master_log which, int fd);
    /* child->is_draining or drain_to has changed. May be NULL. */
    void (*on_drain)(void *context);
};

/* Reads argv (as master wrote it: NAME INDEX), the control channel (descriptor 3), configuration, maps,
   folders, up to MASTER_START; opens the log. Peers are kept until child_run. Ends the process when anything
   is missing. */
void child_start(struct child *child, enum process_kind kind, int argc, char **argv);

/* What master gave, by name: descriptors stay open, owned by child; -1 when not given. */
int child_map_fd(const struct child *child, const char *name, uint16_t *out_slot);
int child_folder_fd(const struct child *child, const char *name);
/* A listening socket, which is the caller's from then on; -1 when none was given. Each comes anew with a
   reload, before on_config. */
int child_listener_take(struct child *child, uint16_t listener_index);
/* The `number`th map with that name (ledger gets one "events" per process). -1 at the end. */
int child_map_nth(const struct child *child, const char *name, unsigned number, uint16_t *out_slot);
/* The caller's from now on: child_jail leaves it open. */
int child_map_take(struct child *child, const char *name, unsigned number);
/* The first with that name that was not taken so, which is the caller's; *out_slot is its owner's slot.
   Others come with a reload, before on_config. -1: none is left. */
int child_map_take_next(struct child *child, const char *name, uint16_t *out_slot);
/* Out of the map that has one, which is closed; it is the caller's to wipe. Ends the process where there is
   none. */
void child_secret_read(struct child *child, const char *name, uint8_t out[CHILD_SECRET_BYTES]);

/* Closes the process's jail, unless the configuration says `jail off`: rights and paths of base/sandbox.h.
   Closes what master gave to be mapped before: mappings stay, but whoever takes
   over the process can neither map another's page nor shorten a file under its readers. False, logged: it
   is not to be had. */
bool child_jail(struct child *child, int rights, const char *const *folders, const char *const *readable);
bool child_jail_paths(struct child *child, int rights, const struct jail_paths *paths);

/* Hands out the peers, tells master that the process is ready, and turns until stopped. Returns the exit
 * code. */
int child_run(struct child *child, const struct child_events *events, void *context);
void child_exit(struct child *child, int code); /* leaves child_run */

/* To who asked by a command, over the channel that master handed on: bytes of the answer, in as many
   MASTER_MORE as they take. */
void child_say(struct channel *asker, struct text bytes);

/* Asks master to look at a process that came from this one, and to kill it if it hangs. */
void child_report_hang(struct child *child, pid_t pid, const char *name);

/* Appends one name and value; a value is cut after 255 bytes. */
void child_status_add(struct buffer *out, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
