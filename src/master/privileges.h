/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From root to the user that the processes run as. */
#ifndef SEKIMORI_MASTER_PRIVILEGES_H
#define SEKIMORI_MASTER_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* In a child that is about to execute its own program; does nothing where we are not root, or stay it.
   Everything is given up for good. With `mounts`, where that user may not make a user namespace (in a plain
   chroot, on a hardened kernel), CAP_SYS_ADMIN alone is kept over the exec: scan's parents mount with it, and
   each worker drops it. Dies when it cannot be done. */
void privileges_drop(uid_t uid, gid_t gid, bool mounts);

#endif
