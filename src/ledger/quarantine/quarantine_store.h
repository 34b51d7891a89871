/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files of the quarantine: one zstd file a message, DAY/ID.zst below the folder, mode 0600. In it, all
   that is needed to send the message on, and to index it again: its facts, what was known about it, then its
   bytes as they arrived. What became of its recipients since is a second file, DAY/ID.note, while it is
   otherwise than the first one says. Only quarantine_store.c knows zstd. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_STORE_H
#define SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_STORE_H

#include "ipc/ask_ledger.h"

struct quarantine_store;

/* `folder`: a directory's descriptor, borrowed. */
struct quarantine_store *quarantine_store_new(int folder);
void quarantine_store_free(struct quarantine_store *store);

enum quarantine_store_outcome {
    QUARANTINE_STORE_DONE,
    QUARANTINE_STORE_FAILED,  /* disk full, no rights, …: errno says */
    QUARANTINE_STORE_DAMAGED, /* there is a file, and it is not what was written */
};

/* Copies the offer, `about` (quarantine_header.h) and the bytes from the segment. A file of that name is
   replaced. It is there, and on disk, after quarantine_store_sync. */
enum quarantine_store_outcome quarantine_store_write(struct quarantine_store *store,
                                                     const struct held_offer *offer, struct text about,
                                                     int segment_fd, uint64_t *out_bytes);
/* A file that is there, of a process that may have ended before its sync: it is on disk after the next one. */
bool quarantine_store_keep(struct quarantine_store *store, uint64_t id);
/* All that was written since the last one. False: some of it may be there, and none need be. */
bool quarantine_store_sync(struct quarantine_store *store);

/* A message out of its file. */
struct stored_message {
    struct held_offer facts; /* offset and length mean nothing; recipients are those it was first kept for */
    struct text about;       /* empty in files of the first version */
    struct text content;     /* prefix and body */
    struct buffer bytes;     /* owns both */
    struct arena *arena;
};
/* Unless DONE there is nothing to free. */
enum quarantine_store_outcome quarantine_store_read(const struct quarantine_store *store, uint64_t id,
                                                    struct stored_message *out);
/* The same without content, of which nothing is read. */
enum quarantine_store_outcome quarantine_store_read_facts(const struct quarantine_store *store, uint64_t id,
                                                          struct stored_message *out);
void stored_message_free(struct stored_message *message); /* leaves it empty */

/* On disk when true. An empty note is none. */
bool quarantine_store_note_write(struct quarantine_store *store, uint64_t id, struct text note);
/* False: there is none, or it is damaged. */
bool quarantine_store_note_read(const struct quarantine_store *store, uint64_t id, struct buffer *out);

/* Bytes of the file on disk, 0: there is none. */
uint64_t quarantine_store_file_bytes(const struct quarantine_store *store, uint64_t id);
bool quarantine_store_remove(struct quarantine_store *store,
                             uint64_t id); /* with its note; true also when it was not there */

/* Tells each file's id. What is left of files that were never finished goes on the way. */
void quarantine_store_walk(struct quarantine_store *store, void (*visit)(void *context, uint64_t id),
                           void *context);

#endif
