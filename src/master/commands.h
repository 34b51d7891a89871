/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The control socket, STATE/run/control: commands of `sekimori`, from root and from the user master runs as.
 */
#ifndef SEKIMORI_MASTER_COMMANDS_H
#define SEKIMORI_MASTER_COMMANDS_H

#include "master/acts.h"
#include "master/process_table.h"

struct commands;
struct commands_client;

struct commands_events {
    /* Asked to stop or to reload. `reply` is kept by the callee and answered with commands_reply. */
    void (*on_stop)(void *context);
    void (*on_reload)(void *context, struct commands_client *reply);
    /* Asked what a reload would change; answered likewise, with code 1 where it would change something. */
    void (*on_difference)(void *context, struct commands_client *reply);
    /* Takes the node out of service (`to`: ADDRESS[:PORT], empty: as configured) or back; answered likewise.
     */
    void (*on_drain)(void *context, bool is_on, struct text to, struct commands_client *reply);
};

/* `start`: whom the processes run as, and the configuration, borrowed; so are `acts`. */
struct commands *commands_open(struct loop *loop, const struct state *state,
                               const struct process_table_start *start, struct process_table *table,
                               struct acts *acts, const struct commands_events *events, void *context);
void commands_set_config(struct commands *control, const struct config *config); /* after a reload */
void commands_close(struct commands *control);                                   /* removes the socket */

/* Ends a command: a sysexits code and a text for people. The client may have gone meanwhile; that is allowed.
 */
void commands_reply(struct commands_client *client, int code, struct text text);

/* A part of a long answer, before the end; any length. */
void commands_say(struct commands_client *client, struct text text);

#endif
