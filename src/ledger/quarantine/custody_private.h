/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The quarantine's inside: custody.c takes what is held, release.c gives it back, aging.c lets go of it,
   regain.c finds it again. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_CUSTODY_PRIVATE_H
#define SEKIMORI_LEDGER_QUARANTINE_CUSTODY_PRIVATE_H

#include "base/arena.h"
#include "ipc/message_id.h"
#include "ledger/quarantine/custody.h"

enum { CUSTODY_OFFERS = 64 };

struct offered {
    struct buffer payload;
    int fd;
};

/* Files that the index did not know when the database was opened for the `opening`th time. */
struct regain {
    uint64_t *ids;
    size_t count, room, next, later; /* before `later`: not decided in this round */
    unsigned opening, taken;
    uint64_t again_ms;
};

struct custody {
    enum { CUSTODY_MAGIC = 0x11c78adc } magic;
    struct loop *loop;
    struct harvest *harvest;
    const struct config *config;
    struct database *database; /* the one whose numbers are in `facts` */
    unsigned opening;          /* which one that is: harvest_openings() */
    struct vault *vault;
    struct channel *queue; /* NULL: not there */
    struct offered offers[CUSTODY_OFFERS];
    unsigned offer_count;
    struct deferred take;
    struct timer *timer;
    struct arena *arena;
    struct message_id_source ids;
    uint64_t wanted;                /* bytes of the largest message that found no room lately */
    uint64_t asked_ms;              /* when releases under way were looked at last; 0: look now */
    uint64_t stray_ms, aged_ms;     /* when to look again */
    bool was_swept, has_complained; /* of releases */
    struct regain regain;
    struct custody_facts facts;
};

/* Borrowed; NULL: none is open, or it cannot be asked. One that was opened anew is asked first for what the
   facts say and for the last release's id. */
struct database *custody_database(struct custody *custody);

/* release.c */
/* Asks queue, each ASK_AGAIN_MS, what became of releases that are under way. */
void custody_releases_look(struct custody *custody);
/* Gives the message to queue, or gives up on a file that is gone or damaged. What cannot be done now is tried
   again by the look. */
void custody_release_send(struct custody *custody, uint64_t release);
/* Queue's answers: it has it, the rows are released and the file may go; or why it has not, for the log. */
void custody_release_kept(struct custody *custody, uint64_t release);
void custody_release_refused(struct custody *custody, uint64_t release, struct text why);

/* aging.c */
bool custody_let_go(struct custody *custody); /* a few; true: there is more */
/* Deletes what is oldest, of the classes that may go, until there is room for what was wanted. */
void custody_make_room(struct custody *custody);
/* After rows have gone: the file when nobody needs it, else what became of them is noted beside it. */
void custody_file_drop(struct custody *custody, uint64_t message);

/* regain.c */
bool custody_regain(struct custody *custody); /* a few files; true: there is more */
/* Before a file is written: what one of this name says of other recipients. */
void custody_regain_one(struct custody *custody, uint64_t message);
/* Queue's answer to LEDGER_WHOSE. False: malformed. */
bool custody_regain_told(struct custody *custody, struct frame *frame);
/* How the rows of a message stand now goes beside its file. False: it cannot be written; that is logged. */
bool custody_note(struct custody *custody, uint64_t message);

#endif
