/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The life of a reader: a child of open that opens the containers of one message, in a jail in which it can
   do nothing but compute and talk over its one channel. */
#ifndef SEKIMORI_OPEN_READER_LIFE_H
#define SEKIMORI_OPEN_READER_LIFE_H

#include <sys/types.h>

#include "base/sandbox.h"
#include "config/settings.h"

/* What a reader, and so its parent too, may read: the tables that PDFs in Japanese name. */
extern const struct jail_paths reader_life_paths;

/* Called by the child behind its fork; ends the process. `channel` becomes its only descriptor beside
   standard ones that lead to `nowhere`. `parent` is who forked it: it does not outlive that. `jail`: of
   reader_life_jail; NULL: none. */
_Noreturn void reader_life_run(int channel, int nowhere, pid_t parent, const struct config *config,
                               const struct jail *jail);

/* The jail of every reader, made by who forks them, before its own: false with the reason in the log. */
bool reader_life_jail(struct jail *out);

#endif
