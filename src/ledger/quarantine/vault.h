/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files of the quarantine: one zstd file a message, DAY/ID.zst below the folder, mode 0600. In it, all
   that is needed to send the message on, and to index it again: its facts, what was known about it, then its
   bytes as they arrived. What became of its recipients since is a second file, DAY/ID.note, while it is
   otherwise than the first one says. Only vault.c knows zstd. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_VAULT_H
#define SEKIMORI_LEDGER_QUARANTINE_VAULT_H

#include "ipc/ask_ledger.h"

struct vault;

/* `folder`: a directory's descriptor, borrowed. */
struct vault *vault_new(int folder);
void vault_free(struct vault *vault);

enum vault_outcome {
    VAULT_DONE,
    VAULT_FAILED,  /* disk full, no rights, …: errno says */
    VAULT_DAMAGED, /* there is a file, and it is not what was written */
};

/* Copies the offer, `about` (memo.h) and the bytes from the segment. A file of that name is replaced. On disk
   after vault_sync. */
enum vault_outcome vault_write(struct vault *vault, const struct held_offer *offer, struct text about,
                               int segment_fd, uint64_t *out_bytes);
bool vault_sync(struct vault *vault); /* the folders */

/* A message out of its file. */
struct vault_message {
    struct held_offer facts; /* offset and length mean nothing; recipients are those it was first kept for */
    struct text about;       /* empty in files of the first version */
    struct text content;     /* prefix and body */
    struct buffer bytes;     /* owns both */
    struct arena *arena;
};
/* Unless DONE there is nothing to free. */
enum vault_outcome vault_read(const struct vault *vault, uint64_t id, struct vault_message *out);
/* The same without content, of which nothing is read. */
enum vault_outcome vault_read_facts(const struct vault *vault, uint64_t id, struct vault_message *out);
void vault_message_free(struct vault_message *message); /* leaves it empty */

/* On disk when true. An empty note is none. */
bool vault_note_write(struct vault *vault, uint64_t id, struct text note);
/* False: there is none, or it is damaged. */
bool vault_note_read(const struct vault *vault, uint64_t id, struct buffer *out);

/* Bytes of the file on disk, 0: there is none. */
uint64_t vault_file_bytes(const struct vault *vault, uint64_t id);
bool vault_remove(struct vault *vault, uint64_t id); /* with its note; true also when it was not there */

/* Tells each file's id. What is left of files that were never finished goes on the way. */
void vault_walk(struct vault *vault, void (*visit)(void *context, uint64_t id), void *context);

#endif
