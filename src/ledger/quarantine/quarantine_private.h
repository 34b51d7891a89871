/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The quarantine's inside: quarantine_intake.c takes what is held, quarantine_release.c gives it back,
   quarantine_retention.c lets go of it, quarantine_reindex.c finds it again, quarantine_rescan.c looks at it
   again.
 */
#ifndef SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_PRIVATE_H
#define SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_PRIVATE_H

#include "base/arena.h"
#include "ipc/message_id.h"
#include "ledger/quarantine/quarantine.h"

enum { QUARANTINE_OFFERS = 64 };

struct offered {
    struct buffer payload;
    int fd;
};

/* Files that the index did not know when the database was opened for the `opening`th time. */
struct reindex {
    uint64_t *ids;
    size_t count, room, next, later; /* before `later`: not decided in this round */
    unsigned opening, taken;
    uint64_t again_ms;
};

/* Looking again with new signatures. All zero: nothing is to be looked at. */
struct rescan {
    struct timer *timer; /* NULL: scan was never there */
    bool is_under_way;
    uint64_t wanted, signatures; /* which, as scan calls them: it has; the last pass was or is with */
    uint64_t begun_ms;           /* that pass; loop clock */
    unsigned class;              /* of those that are looked at: the one it has come to */
    uint64_t after;              /* the last message of that class that was looked at */
    uint64_t asked;              /* what scan has now; 0: nothing */
    unsigned losses;             /* scan, or its worker, ended so often while it had the next message */
    unsigned looked, found, failed;
};

struct quarantine {
    enum { QUARANTINE_MAGIC = 0x11c78adc } magic;
    struct loop *loop;
    struct ingest *ingest;
    const struct config *config;
    struct database *database; /* the one whose numbers are in `facts` */
    unsigned opening;          /* which one that is: ingest_openings() */
    struct quarantine_store *store;
    struct channel *queue; /* NULL: not there */
    struct channel *scan;  /* the same */
    struct rescan rescan;
    struct offered offers[QUARANTINE_OFFERS];
    unsigned offer_count;
    struct timer *timer;
    struct arena *arena;
    struct message_id_source ids;
    uint64_t wanted;                /* bytes of the largest message that found no room lately */
    uint64_t asked_ms;              /* when releases under way were looked at last; 0: look now */
    uint64_t stray_ms, aged_ms;     /* when to look again */
    bool was_swept, has_complained; /* of releases */
    struct reindex reindex;
    struct quarantine_facts facts;
};

/* Borrowed; NULL: none is open, or it cannot be asked. One that was opened anew is asked first for what the
   facts say and for the last release's id. */
struct database *quarantine_database(struct quarantine *quarantine);

/* quarantine_release.c */
/* Asks queue, each ASK_AGAIN_MS, what became of releases that are under way. */
void quarantine_releases_look(struct quarantine *quarantine);
/* Gives the message to queue, or gives up on a file that is gone or damaged. What cannot be done now is tried
   again by the look. */
void quarantine_release_send(struct quarantine *quarantine, uint64_t release);
/* Queue's answers: it has it, the rows are released and the file may go; or why it has not, for the log. */
void quarantine_release_kept(struct quarantine *quarantine, uint64_t release);
void quarantine_release_refused(struct quarantine *quarantine, uint64_t release, struct text why);

/* quarantine_retention.c */
bool quarantine_let_go(struct quarantine *quarantine); /* a few; true: there is more */
/* Deletes what is oldest, of the classes that may go, until there is room for what was wanted. */
void quarantine_make_room(struct quarantine *quarantine);
/* After rows have gone: the file when nobody needs it, else what became of them is noted beside it. */
void quarantine_file_drop(struct quarantine *quarantine, uint64_t message);

/* quarantine_reindex.c */
bool quarantine_reindex(struct quarantine *quarantine); /* a few files; true: there is more */
/* Before a file is written: what one of this name says of other recipients. */
void quarantine_reindex_one(struct quarantine *quarantine, uint64_t message);
/* Queue's answer to LEDGER_WHOSE. False: malformed. */
bool quarantine_reindex_told(struct quarantine *quarantine, struct frame *frame);
/* How the rows of a message stand now goes beside its file. False: it cannot be written; that is logged. */
bool quarantine_note(struct quarantine *quarantine, uint64_t message);

#endif
