/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the processes of scan say to each other: dispatcher (the one master knows), warden, fork server,
   workers. The picture is in README.md. */
#ifndef SEKIMORI_SCAN_PRIVATE_H
#define SEKIMORI_SCAN_PRIVATE_H

#include <fcntl.h>

#include "ipc/channel.h"

/* What the warden maps can neither change nor be shortened any more. */
enum { CONFIGURATION_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

enum warden_frame {
    WARDEN_FORK_SERVER = 1, /* dispatcher: u8 is_reload; fd 0: sealed memfd with the configuration's bundle */
    WARDEN_FORK_SERVER_IS, /* same id; u32 pid; fd 0: the dispatcher's end of a channel to the new fork server
                            */
    WARDEN_PING,           /* dispatcher: a sign of life? */
    WARDEN_PONG,
    WARDEN_LOG, /* dispatcher: as MASTER_LOG */
};

enum fork_server_frame {
    /* fork server: text engine version (empty: none), u32 signatures, u64 when the newest of
       them was written (seconds since 1970; 0: none was fetched), text what is missing, text why the second
       set is not loaded, u8 number of sets; of each text name, text version, u32 signatures, u64 its newest,
       u8 is_also */
    FORK_SERVER_READY = 1,
    FORK_SERVER_FAILED,    /* fork server: text why no worker can be made; it then ends */
    FORK_SERVER_STALE,     /* fork server: the signatures on disk have changed, and are quiet */
    FORK_SERVER_WORKER,    /* dispatcher: fork one; frame id = its number; u8 is_nice */
    FORK_SERVER_WORKER_IS, /* same id; u32 pid; fd 0: the dispatcher's end of its channel */
    FORK_SERVER_KILL,      /* dispatcher: same id: its time is up */
    FORK_SERVER_PING,      /* dispatcher: a sign of life? */
    FORK_SERVER_PONG,      /* also unasked, each second while it loads */
    FORK_SERVER_LOG,       /* dispatcher: as MASTER_LOG */
};

void scan_log_take(struct frame *frame); /* of a frame …_LOG */

enum worker_frame {
    WORKER_READY = 256, /* worker: it is in its jail and has seen the canary */
    WORKER_FAILED,      /* worker: text why it cannot work; it then ends */
    WORKER_PING,        /* dispatcher, to one that has no message: a sign of life? */
    WORKER_PONG,
    WORKER_LOG,   /* dispatcher: as MASTER_LOG */
    WORKER_SPENT, /* worker, before the answer to SCAN_READ where it is worth telling: u64 milliseconds of its
                     own time */
    WORKER_INFECTED,  /* worker, before the answer to SCAN_READ, once: 32 bytes SHA-256 of a part that it
                         scanned, text what was found. dispatcher: the same, to the other workers */
    WORKER_SEALS,     /* worker, before SCAN_VERDICT where something is to be signed: scan/seal_draft.h */
    WORKER_READER,    /* worker: a reader of containers for its message? */
    WORKER_READER_IS, /* dispatcher: the same id; fd 0: a channel to one (ask_open.h); without: none is to be
                         had */
    WORKER_READER_LOST, /* worker, in place of an answer: the reader died or hung; u8 is_hung */
    WORKER_TEXT_LOST, /* worker, before the answer to SCAN_READ: a reader died or was late, and only text was
                         not read */
    /* otherwise it speaks ask_scan.h: SCAN_READ and SCAN_DECIDE in, SCAN_FACTS, SCAN_VERDICT and SCAN_FAILED
       out */
};

#endif
