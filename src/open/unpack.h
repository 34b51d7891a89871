/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A container to its members, theirs too, within limits. It knows no process: bytes in, members and notices
   out, in memory of its own. What it could not look into it says, each time. */
#ifndef SEKIMORI_OPEN_UNPACK_H
#define SEKIMORI_OPEN_UNPACK_H

#include "open/members.h"

/* Opens `bytes`. Members that are containers are opened in turn; each leaf comes as a member, and each
   container that the engine would not see by itself. */
void unpack_run(struct unpack *unpack, const struct unpack_limits *limits, const struct unpack_events *events,
                void *context, struct text bytes);

#endif
