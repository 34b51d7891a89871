/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The journal: what Sekimori said 250 to, on disk, in segments of records; see src/queue/README.md.
   Records gather in a batch; a commit is one write and one sync, and only then a message is kept. */
#ifndef SEKIMORI_QUEUE_JOURNAL_JOURNAL_H
#define SEKIMORI_QUEUE_JOURNAL_JOURNAL_H

#include "ipc/counters.h"
#include "queue/journal/disk.h"
#include "queue/journal/message_index.h"
#include "queue/journal/record.h"

struct journal;

struct journal_options {
    int folder; /* of the segments: opened by the caller, borrowed */
    const struct disk *disk;
    struct message_index *message_index; /* empty; filled by journal_open */
    uint64_t segment_bytes;              /* at least 64 KiB, below 2 GiB */
    uint64_t free_bytes;                 /* fewer left on the disk: journal_is_full */
    uint64_t slack_bytes;                /* at least so much is kept in reserve beside the outcomes' room */
};

/* What journal_open met. */
struct journal_found {
    uint64_t segments, records, messages; /* records: those read one by one, not from an index */
    uint64_t torn; /* tails cut: what was being written when power or the process went; never acknowledged */
    uint64_t damaged;  /* segments with a bad record before a good later one; renamed to NNNNNNNN.damaged */
    uint64_t salvaged; /* messages carried over from those */
    bool was_clean;    /* the last thing written was the mark of an orderly stop */
};

/* Told, in order, of what was written since the last clean mark, as far as it has no index yet: so that
   events which the ledger may have missed can be told again. Texts are valid during the call. */
struct journal_listener {
    void *context;
    void (*on_message)(void *context, uint64_t id, const struct lead *lead, uint64_t size);
    void (*on_change)(void *context, enum record_type type, uint64_t id, const struct change *change);
};

/* Reads all segments, cuts a torn tail, salvages damage, seals what was open. NULL with a reason in error.
   Deliveries are not made: that is the schedule's. `listener` may be NULL. */
struct journal *journal_open(const struct journal_options *options, const struct journal_listener *listener,
                             struct journal_found *out_found, char *error, size_t error_size);
void journal_close(struct journal *journal); /* without a mark; the batch is lost. The message index stays. */

/* A message to be kept. Into the batch; in the message index at once, flagged MESSAGE_PENDING until the
   commit. `body` is borrowed until the commit. NULL: larger than a segment can be (2 GiB). */
struct message *journal_keep(struct journal *journal, uint64_t id, const struct lead *lead,
                             struct text prefix, struct text body);

/* What happened to a message's recipients: OUTCOME, DEFERRAL, HOLD, RELEASE or MOVED. In force in memory at
   once. When no recipient is left without an ending, the next commit that succeeds removes and frees the
   message; it has no deliveries by then. change->home is filled in here. */
void journal_change(struct journal *journal, enum record_type type, struct message *message,
                    const struct change *change);

/* The same without a record, for what a restart may forget (no ending): the message is tried again earlier.
 */
void journal_change_in_memory(struct journal *journal, struct message *message, const struct change *change);

/* Marks an orderly stop: all events have been told. Nothing is written where the mark stands already, or
   where its room is needed for outcomes: without it events are told again. */
void journal_mark_clean(struct journal *journal);

/* Of records that no commit has written yet. */
bool journal_has_batch(const struct journal *journal);
uint64_t journal_batch_bytes(const struct journal *journal);

enum commit { COMMIT_DONE, COMMIT_DISK_FULL, COMMIT_SYNC_FAILED };
/* One write, one sync. Unless COMMIT_DONE, the messages of the batch that came from outside are
   refused: removed from the message index and freed; changes and messages of our own stay in the batch for
   the next try. The segment that failed is sealed and not written again. */
enum commit journal_commit(struct journal *journal);
const char *journal_error(const struct journal *journal); /* why the last commit did not succeed */

/* Housekeeping between commits, a bounded piece of work a call: fills the spare segment, recycles dead
   segments, moves the messages of nearly dead ones. False: nothing to do. */
bool journal_tidy(struct journal *journal);

/* Looks at the disk, and tries again to make the reserve as large as it should be. True: no new messages. */
bool journal_is_full(struct journal *journal);
int journal_full_error(const struct journal *journal); /* errno of why; ENOSPC: the disk has no room */
/* Bytes of batches that have a place for certain: in the open segment and in the reserve, beside the batch.
 */
uint64_t journal_room(const struct journal *journal);
/* So many bytes can be written and all outcomes still have their place: for what may wait (deferrals,
   notices, copies). */
bool journal_has_room(const struct journal *journal, uint64_t bytes);
/* The outcomes of deliveries that are out (journal_outcome_bytes of them), or those of all messages, have
   their place: one may go out. */
bool journal_has_place(const struct journal *journal, uint64_t bytes);
/* What the outcomes of deliveries may need at most: each comes in a batch of its own, each recipient has its
   own answer. */
static inline uint64_t journal_outcome_bytes(uint64_t deliveries, uint64_t recipients)
{
    return deliveries * BATCH_ALIGN + recipients * OUTCOME_MOST;
}
void journal_set_free(struct journal *journal, uint64_t free_bytes); /* from now on */

/* The segment's descriptor, borrowed; -1 when there is none. */
int journal_segment_fd(const struct journal *journal, uint32_t segment);
/* A job of deliver reads from the segment, or no longer does. */
void journal_segment_use(struct journal *journal, uint32_t segment, int jobs);
/* deliver died: bytes of this segment may still be in its sockets, so its file is never overwritten. */
void journal_segment_never_reuse(struct journal *journal, uint32_t segment);
/* Called before a segment goes away. */
void journal_on_segment_end(struct journal *journal, void (*ended)(void *context, uint32_t segment),
                            void *context);

/* The message's lead, read from disk and checked. False: damaged, with the reason in the log. */
bool journal_read_lead(const struct journal *journal, struct arena *arena, const struct message *message,
                       struct lead *out);
/* All of prefix and body, checked. `out` is cleared first. */
bool journal_read_content(const struct journal *journal, const struct message *message, struct buffer *out);

static inline uint64_t message_content_offset(const struct message *message)
{
    return (uint64_t)message->offset + RECORD_HEADER_BYTES + message->lead_length;
}

/* Recipients ever committed, their endings, and what is live by the message index. */
struct queue_counters journal_counters(const struct journal *journal);

struct journal_facts {
    uint64_t segments, bytes, commits, commit_records, sync_us, sync_most_us, recycled, compacted;
    uint64_t spares, claimed; /* segments in reserve; bytes that outcomes may need */
};
/* A copy; sizes of segments are added up for it. */
struct journal_facts journal_facts(const struct journal *journal);

#endif
