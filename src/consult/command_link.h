/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The one channel to the process engine, which all commands share. */
#ifndef SEKIMORI_CONSULT_COMMAND_LINK_H
#define SEKIMORI_CONSULT_COMMAND_LINK_H

#include "base/loop.h"

struct command_ways;

/* Never NULL; there is no channel yet. */
struct command_ways *command_link_ways_new(struct loop *loop);

/* engine, by its channel: what waited for it is put to it. Takes over the descriptor. */
void command_link_ways_connect(struct command_ways *ways, int fd);

#endif
