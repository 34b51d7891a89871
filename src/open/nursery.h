/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Forks readers when scan asks for them and kills each when its message is done. No byte of a message comes
   here. */
#ifndef SEKIMORI_OPEN_NURSERY_H
#define SEKIMORI_OPEN_NURSERY_H

#include "base/sandbox.h"
#include "ipc/child.h"

struct nursery;

/* `nowhere`: /dev/null, open; `jail`: of reader_life_jail; NULL: readers have none. Both are borrowed for
 * good.
 */
struct nursery *nursery_new(struct child *child, int nowhere, const struct jail *jail);

/* scan, by its channel: readers of a channel before it are killed. */
void nursery_connect(struct nursery *nursery, int fd);

void nursery_status(const struct nursery *nursery, struct buffer *out); /* appends */

#endif
