/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The control socket, STATE/run/control: commands of `sekimori`, from root and from the user master runs as.
 */
#ifndef SEKIMORI_MASTER_CONTROL_H
#define SEKIMORI_MASTER_CONTROL_H

#include "master/family.h"

struct control;
struct control_client;

struct control_events {
    /* Asked to stop or to reload. `reply` is kept by the callee and answered with control_reply. */
    void (*on_stop)(void *context);
    void (*on_reload)(void *context, struct control_client *reply);
};

struct control *control_open(struct loop *loop, const struct state *state, struct family *family,
                             const struct control_events *events, void *context);
void control_close(struct control *control); /* removes the socket */

/* Ends a command: a sysexits code and a text for people. The client may have gone meanwhile; that is allowed.
 */
void control_reply(struct control_client *client, int code, struct text text);

#endif
