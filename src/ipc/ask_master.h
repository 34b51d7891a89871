/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What master tells its processes, what they answer, and what the command line asks of master. */
#ifndef SEKIMORI_IPC_ASK_MASTER_H
#define SEKIMORI_IPC_ASK_MASTER_H

#include "config/process_kind.h"
#include "ipc/channel.h"

/* Of run/flights, whose form is deliver's. */
enum { FLIGHTS_FILE_BYTES = 256 * 1024 };

/* In the place of an index: the socket of `metrics socket`. */
enum { METRICS_SOCKET = 0xffff };

enum master_frame {
    /* master to process */
    MASTER_CONFIG = 1, /* fd 0: memfd with the bundle of config/bundle.h. Again on reload. */
    MASTER_LISTENER,   /* u16 index in config.listeners, or METRICS_SOCKET; fd 0: listening socket */
    MASTER_PEER,       /* u8 process_kind, u16 index; fd 0: channel. Again when the peer was restarted. */
    MASTER_MAP,        /* text name ("counters", "clients", "events", "results", "flights", "connections",
                          "list-file"),        u16 owner's slot, or the list's number; fd 0: shared file, or "secret"
                          and        "vouchers": CHILD_SECRET_BYTES to be        read */
    MASTER_FOLDER,     /* text name ("spool", "ledger", "quarantine", "report", "learn", "lists"); fd 0:
                          directory, by     O_PATH */
    MASTER_START,      /* all has been said: begin, then answer MASTER_READY */
    MASTER_STOP,       /* orderly: finish what is under way within u32 ms, then exit 0 */
    MASTER_STATUS,     /* asks for MASTER_STATUS_REPLY with the same id */
    MASTER_HEALTH,     /* asks for MASTER_HEALTH_REPLY with the same id */
    MASTER_DRAIN,      /* u8 1: the node is drained, text ADDRESS:PORT of the peer or empty; u8 0: no more.
                          Before MASTER_START too. */
    MASTER_LOG,        /* u8 enum master_log; fd 0: where lines go from now on */
    MASTER_CLIENT, /* text command, struct commander, fd 0: the socket of a `sekimori` that wants to talk to
                      this process */
    /* process to master */
    MASTER_READY = 64,
    MASTER_RELOADED,     /* the MASTER_CONFIG with the same id is in force */
    MASTER_STATUS_REPLY, /* pairs of (text name, text value) to the end */
    MASTER_HEALTH_REPLY, /* the byte form of ipc/health.h */
    MASTER_BEAT,         /* in the middle of long work: it goes on */
    MASTER_HANGS,        /* u32 pid, text name: a process that came from this one gives no sign of life */
    /* command line to master, over STATE/run/control; text replies */
    MASTER_DO = 128, /* text command: "stop", "reload", "status", "queue …", "balance" */
    MASTER_DONE,     /* u8 sysexits code, text (JSON or plain, as the command says) */
    MASTER_MORE,     /* text: a part of a long answer; MASTER_DONE follows */
    MASTER_LESSON,   /* to ledger, after "learn": text of spam/lesson.h; each is answered by a MASTER_MORE */
    MASTER_LESSON_LIKE, /* before a MASTER_LESSON of ham: its sketch, judge/campaign.h; no answer */
    MASTER_LESSONS_END, /* no more come: MASTER_DONE follows when all are on disk */
};

enum master_log { MASTER_LOG_STDERR, MASTER_LOG_TARGET };
void master_log_take(enum master_log which, int fd); /* for this process; the descriptor is taken over */
enum { CHILD_SECRET_BYTES = 32 };

/* Who gives a command: the peer of the control socket, and what the configuration lets it do. */
struct commander {
    uint32_t uid;
    struct text user;      /* its name, or the number again */
    bool is_owner;         /* root, or who started the node: has every right */
    bool may_operate;      /* give commands, see envelopes */
    bool may_read_content; /* see the content of messages: each look is to be recorded */
    bool may_trace;        /* see what became of messages, and count them; so may who operates */
};
void commander_put(const struct commander *commander, struct buffer *out); /* appends */
struct reader;
bool commander_get(struct reader *reader, struct commander *out); /* borrowed; false: malformed */

#endif
