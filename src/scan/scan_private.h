/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the processes of scan say to each other: foreman (the one master knows), warden, nursery, workers. The
   picture is in README.md. */
#ifndef SEKIMORI_SCAN_PRIVATE_H
#define SEKIMORI_SCAN_PRIVATE_H

#include "ipc/channel.h"

enum warden_frame {
    WARDEN_NURSERY = 1, /* foreman: u8 is_reload; fd 0: memfd with the configuration's bundle */
    WARDEN_NURSERY_IS,  /* same id; fd 0: the foreman's end of a channel to the new nursery */
};

enum nursery_frame {
    NURSERY_READY = 1, /* nursery: text engine version (empty: none), u32 signatures, u64 when the newest of
                          them was written (seconds since 1970; 0: none was fetched), text what is missing */
    NURSERY_FAILED,    /* nursery: text why no worker can be made; it then ends */
    NURSERY_STALE,     /* nursery: the signatures on disk have changed */
    NURSERY_WORKER,    /* foreman: fork one; frame id = its number */
    NURSERY_WORKER_IS, /* same id; fd 0: the foreman's end of its channel */
    NURSERY_KILL,      /* foreman: same id: its time is up */
};

enum worker_frame {
    WORKER_READY = 256, /* worker: it is in its jail and has seen the canary */
    WORKER_FAILED,      /* worker: text why it cannot work; it then ends */
    /* otherwise it speaks ask_scan.h: SCAN_READ and SCAN_DECIDE in, SCAN_FACTS, SCAN_VERDICT and SCAN_FAILED
       out */
};

#endif
