/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The inside of the journal, shared by its files: journal.c appends and commits, message_state.c knows how
   messages stand, readback.c reads them, segment.c makes and finds segment files, seal.c writes and reads
   indexes, recover.c reads all at start, recycle.c gives room back. */
#ifndef SEKIMORI_QUEUE_JOURNAL_JOURNAL_PRIVATE_H
#define SEKIMORI_QUEUE_JOURNAL_JOURNAL_PRIVATE_H

#include "queue/journal/journal.h"

enum {
    SEGMENT_HEADER_BYTES = 4096,
    SEGMENT_NAME_SIZE = 32,
    SEGMENTS_KEPT = 4,       /* the newest sealed ones stay whole: recent ids are rebuilt from them */
    SPARE_STEP = 256 * 1024, /* zeros written to the spare segment at a time */
    MOVE_STEP = 1024 * 1024, /* bytes of messages moved at a time */
    MOVE_AGAIN_COMMITS = 1000,
    SEGMENT_NUMBER_MOST = 99999999,
};

struct reference {
    uint64_t id; /* of a message in another segment; of a cut: the offset */
    uint32_t home;
    bool is_cut;
};

struct segment {
    uint32_t number, seed;
    int fd;
    uint64_t size, end; /* of the file; where the next batch goes */
    uint32_t live;      /* messages of it that have not ended */
    uint64_t live_bytes;
    int jobs;
    bool is_sealed; /* has an index on disk, or failed */
    bool has_index; /* a valid one, synced */
    bool is_unreusable;
    bool may_go_on;      /* found at a start, and its end is sure: the next batch may be appended */
    uint64_t move_again; /* not before so many commits: some of its messages are being delivered */
    bool is_damaged;     /* never recycled, looked at again at the next start */
    /* Of the open segment: what its index will say. */
    uint64_t *ids;
    size_t id_count, id_capacity;
    struct reference *references;
    size_t reference_count, reference_capacity;
};

struct batch_entry {
    struct message *message; /* NULL: GONE, CUT, CLEAN */
    uint64_t id;
    enum record_type type;
    size_t at;       /* of the header's room in batch.bytes */
    uint32_t inside; /* payload bytes in batch.bytes */
    uint32_t lead_length, payload_crc, home;
    struct text outside; /* the rest of the payload: a large body */
};

/* How a recipient stood before a change that is not on disk yet: an index must not know of the change. */
struct undo {
    struct message *message;
    uint32_t number;
    struct queued_recipient old; /* its reason is held */
};

struct batch {
    struct buffer bytes; /* headers, payloads, padding; bodies over a limit stay outside */
    struct batch_entry *entries;
    size_t count, capacity;
    uint64_t length; /* on disk, without the last padding */
    uint64_t ended[8];
    struct undo *undos;
    size_t undo_count, undo_capacity;
};

/* A segment to be: all its blocks are allocated. */
struct spare {
    int fd;
    uint64_t filled; /* with zeros */
    bool is_ready;
    char name[SEGMENT_NAME_SIZE];
};

struct journal {
    struct journal_options options;
    struct message_index *message_index;
    struct segment **segments; /* ascending */
    size_t segment_count, segment_capacity;
    struct segment *open; /* the last, or NULL */
    uint32_t last_number;
    struct batch batch;
    struct spare *spares; /* the first is the next segment */
    size_t spare_count, spare_capacity;
    uint32_t spare_number;        /* in the name of the last one made */
    int spare_error;              /* errno of the last try to make one, 0: it was made */
    bool is_tight;                /* the reserve is down to what outcomes need, and cannot grow */
    uint64_t claimed;             /* bytes that the outcomes of all messages of the message index may need */
    bool is_clean;                /* the last record is the mark of an orderly stop */
    struct queue_counters totals; /* live, held and messages_live: by the message index */
    uint32_t cut_segment;         /* 0: none to be told */
    uint64_t cut_offset;
    uint32_t moving; /* the segment being emptied */
    size_t moving_place;
    uint64_t *moving_ids;
    size_t moving_count;
    char error[200];
    void (*on_segment_end)(void *context, uint32_t segment);
    void *on_segment_end_context;
    struct journal_facts facts;
};

/* journal.c */
/* Sets the journal's error, cut after its room. */
void journal_complain(struct journal *journal, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* message_state.c */
/* A message as its lead says, entered in the message index, which owns it. Never NULL; texts are held by the
   message index's names. */
struct message *journal_message_make(struct journal *journal, uint64_t id, const struct lead *lead,
                                     uint32_t lead_length, uint32_t body_length);
/* Into the message index and the counts of messages; recipients are the caller's to count. */
void journal_message_enter(struct journal *journal, struct message *message);
/* Puts the change in force; numbers that the message does not have are passed over. */
void journal_change_apply(struct journal *journal, struct message *message, const struct change *change);
/* Out of the counts and the message index, which frees it. */
void journal_message_forget(struct journal *journal, struct message *message);
/* Counts it to the segment that its record stands in. */
void journal_message_at_home(struct journal *journal, struct message *message, struct segment *segment);

/* journal.c again */
/* A record in the batch; `inside` is copied. What is returned is borrowed until the next one is appended.
   `message` may be NULL. */
struct batch_entry *journal_append(struct journal *journal, enum record_type type, uint64_t id,
                                   struct message *message, struct text inside);
/* As the message's home says it; longer texts are cut after CHANGE_DSN_MOST, CHANGE_RELAY_MOST and
   CHANGE_REPLY_MOST bytes. */
void journal_change_append(struct journal *journal, enum record_type type, struct message *message,
                           const struct change *change);
/* Forgets a batch that holds nothing but what was said again. */
void journal_batch_drop(struct journal *journal);
/* Exchanges how recipients stand now with how they stood when all was on disk; twice is nothing. */
void batch_undo(struct batch *batch);
void batch_redo(struct batch *batch);

/* segment.c */
/* Where the last byte ends that was written to the file, or is not known to be a hole; at most `length`. */
uint64_t file_data_end(int fd, uint64_t length);
/* The first `length` bytes. What the disk does not give is zeros, said in the log; false then. */
bool file_read(int fd, uint64_t length, struct buffer *out);
char *segment_name(uint32_t number, const char *ending, char room[SEGMENT_NAME_SIZE]); /* returns room */
/* Borrowed; NULL: there is none. */
struct segment *segment_find(const struct journal *journal, uint32_t number);
/* The highest number so far. The journal owns it, and `fd` by it. */
struct segment *segment_add(struct journal *journal, uint32_t number, int fd);
void segment_drop(struct journal *journal, struct segment *segment); /* out of the list, closed, freed */
bool segment_open_next(struct journal *journal, uint64_t bytes);     /* false with errno */
enum header_state { HEADER_GOOD, HEADER_BAD, HEADER_OTHER_VERSION };
/* Header of an existing file: number, seed, totals; else why not. */
enum header_state segment_header_read(struct segment *segment, struct queue_counters *out_totals,
                                      const char **why);
/* A new spare in the reserve. False with errno: the disk has no room. */
bool spare_make(struct journal *journal);
void spare_add(struct journal *journal, const struct spare *spare);          /* takes its descriptor over */
void spare_discard(struct journal *journal, struct spare *spare);            /* its file and its descriptor */
void spare_name_next(struct journal *journal, char room[SEGMENT_NAME_SIZE]); /* no name comes twice */
uint64_t spare_room(const struct journal *journal); /* bytes of batches that surely fit into the reserve */
/* The reserve holds less than the outcomes of all messages need and some slack: half a segment or
 * slack_bytes. */
bool spare_is_wanted(const struct journal *journal);
/* Tries again where the last try failed, and says in is_tight how it stands. */
void spare_look(struct journal *journal);
/* A bounded piece of work on the reserve. False: nothing to do. */
bool spare_tidy(struct journal *journal);
/* For the index: messages that stand in the segment, and what its records say of others. */
void segment_note_id(struct segment *segment, uint64_t id);
void segment_note_reference(struct segment *segment, struct reference reference);

/* seal.c */
struct seal {
    struct queue_counters totals; /* at the segment's end */
    uint64_t *ids;
    size_t id_count;
    struct reference *references;
    size_t reference_count;
    uint64_t end;
    bool is_clean; /* the last record is the mark */
};
/* Writes the index and syncs it; on success the segment is sealed. False with errno: it is sealed without. */
bool seal_write(struct journal *journal, struct segment *segment, bool is_clean);
/* Reads an index and puts what it says into the message index. False: none, or not whole. */
bool seal_read(struct journal *journal, struct segment *segment, struct arena *arena, struct seal *out);
/* Only ids and references: of a segment without an index those in memory, borrowed. */
bool seal_read_lists(struct journal *journal, struct segment *segment, struct arena *arena, struct seal *out);

/* Messages that ended in this segment, or were cut, are forgotten where the message index still has them in
   their home. */
void seal_references_apply(struct journal *journal, const struct reference *references, size_t count);

/* recover.c */
/* Reads every segment of the folder. False: one cannot be read, and the reason is in the journal's error. */
bool journal_recover(struct journal *journal, const struct journal_listener *listener,
                     struct journal_found *found);

/* recycle.c */
/* Moves all live messages and carries what its records say. False: the reason is in the journal's error. */
bool segment_empty(struct journal *journal, struct segment *segment);
/* Nothing can be written: makes a dead segment the spare, one whose records need not be said again. */
bool recycle_for_room(struct journal *journal);

#endif
