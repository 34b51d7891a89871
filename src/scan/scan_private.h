/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the processes of scan say to each other: foreman (the one master knows), warden, nursery, workers. The
   picture is in README.md. */
#ifndef SEKIMORI_SCAN_PRIVATE_H
#define SEKIMORI_SCAN_PRIVATE_H

#include <fcntl.h>

#include "ipc/channel.h"

/* What the warden maps can neither change nor be shortened any more. */
enum { CONFIGURATION_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

enum warden_frame {
    WARDEN_NURSERY = 1, /* foreman: u8 is_reload; fd 0: sealed memfd with the configuration's bundle */
    WARDEN_NURSERY_IS,  /* same id; u32 pid; fd 0: the foreman's end of a channel to the new nursery */
    WARDEN_PING,        /* foreman: a sign of life? */
    WARDEN_PONG,
    WARDEN_LOG, /* foreman: as MASTER_LOG */
};

enum nursery_frame {
    NURSERY_READY = 1, /* nursery: text engine version (empty: none), u32 signatures, u64 when the newest of
                          them was written (seconds since 1970; 0: none was fetched), text what is missing */
    NURSERY_FAILED,    /* nursery: text why no worker can be made; it then ends */
    NURSERY_STALE,     /* nursery: the signatures on disk have changed */
    NURSERY_WORKER,    /* foreman: fork one; frame id = its number; u8 is_nice */
    NURSERY_WORKER_IS, /* same id; u32 pid; fd 0: the foreman's end of its channel */
    NURSERY_KILL,      /* foreman: same id: its time is up */
    NURSERY_PING,      /* foreman: a sign of life? */
    NURSERY_PONG,      /* also unasked, each second while it loads */
    NURSERY_LOG,       /* foreman: as MASTER_LOG */
};

void scan_log_take(struct frame *frame); /* of a frame …_LOG */

enum worker_frame {
    WORKER_READY = 256, /* worker: it is in its jail and has seen the canary */
    WORKER_FAILED,      /* worker: text why it cannot work; it then ends */
    WORKER_PING,        /* foreman, to one that has no message: a sign of life? */
    WORKER_PONG,
    WORKER_LOG, /* foreman: as MASTER_LOG */
    /* otherwise it speaks ask_scan.h: SCAN_READ and SCAN_DECIDE in, SCAN_FACTS, SCAN_VERDICT and SCAN_FAILED
       out */
};

#endif
