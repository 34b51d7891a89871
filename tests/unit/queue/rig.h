/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A journal in a temporary folder on a disk that can fail and that remembers what was done to it. */
#ifndef SEKIMORI_TESTS_QUEUE_RIG_H
#define SEKIMORI_TESTS_QUEUE_RIG_H

#include "queue/journal/journal.h"

enum act { ACT_CREATE, ACT_WRITE, ACT_SYNC, ACT_RENAME, ACT_REMOVE, ACT_SYNC_FOLDER };

struct step {
    enum act act;
    uint64_t inode, offset;
    char *bytes; /* ACT_WRITE */
    size_t length;
    char name[40], other[40]; /* ACT_CREATE, ACT_REMOVE; ACT_RENAME: from and to */
};

struct rig {
    char path[64];
    int folder;
    struct disk disk;
    struct message_index *message_index;
    struct journal *journal;
    struct journal_found found;
    uint64_t segment_bytes;
    char error[200];
    /* faults */
    int fail_sync_after, fail_write_after; /* -1: never; 0: the next one */
    int fault;                             /* errno */
    int fault_count;                       /* how many in a row */
    bool no_space;                         /* files cannot be made or grow */
    int why_no_space;                      /* errno of that; ENOSPC unless set */
    /* trace */
    bool is_tracing;
    struct step *steps;
    size_t step_count, step_capacity;
    int64_t free_bytes; /* what the disk says; -1: not known */
};

void rig_make(struct rig *rig, uint64_t segment_bytes);
void rig_free(struct rig *rig); /* and the folder */
bool rig_open(struct rig *rig, const struct journal_listener *listener);
void rig_close(struct rig *rig); /* as a kill would: nothing more is written */
void rig_files_copy(const struct rig *from, struct rig *to);

/* A message with `count` recipients at domains d0.example, d1.example …; its body follows from id and size.
 */
struct message *rig_keep(struct rig *rig, uint64_t id, uint32_t count, size_t size);
void rig_body(uint64_t id, size_t size, struct buffer *out);
/* Seals the open segment: what comes next stands in another, and this one has an index. */
void rig_seal(struct rig *rig);
/* All of the message's recipients get that ending. */
void rig_end(struct rig *rig, struct message *message, int ending);
void rig_defer(struct rig *rig, struct message *message, uint64_t due_ms, const char *reply);
/* The message lives and its bytes are what rig_keep wrote. */
bool rig_is_whole(const struct rig *rig, uint64_t id);

void rig_file_read(const struct rig *rig, const char *name, struct buffer *out);
void rig_file_write(const struct rig *rig, const char *name, struct text bytes);
bool rig_has_file(const struct rig *rig, const char *name);

/* Makes the folder of `to` what may be found after power went at step `until`: synced bytes are there, of
   the others each 512-byte sector is or is not; folder entries up to a point. `seed` chooses. */
void rig_power_loss(const struct rig *from, size_t until, unsigned seed, struct rig *to);

/* Does the first `stop` steps of the trace to files of `to`, whole and in order. */
void rig_replay(const struct rig *from, size_t stop, struct rig *to);

#endif
