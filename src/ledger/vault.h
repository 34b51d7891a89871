/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files of the quarantine: one zstd file a message, DAY/ID.zst below the folder, mode 0600. In it, all
   that is needed to send the message on: its facts, then its bytes as they arrived. Only vault.c knows zstd.
 */
#ifndef SEKIMORI_LEDGER_VAULT_H
#define SEKIMORI_LEDGER_VAULT_H

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

/* Copies the offer and its bytes from the segment. A file of that name is replaced. On disk after vault_sync.
 */
enum vault_outcome vault_write(struct vault *vault, const struct held_offer *offer, int segment_fd,
                               uint64_t *out_bytes);
bool vault_sync(struct vault *vault); /* the folders */

/* A message out of its file. */
struct vault_message {
    struct held_offer facts; /* offset and length mean nothing; recipients are those it was first kept for */
    struct text content;     /* prefix and body */
    struct buffer bytes;     /* owns both */
    struct arena *arena;
};
enum vault_outcome vault_read(const struct vault *vault, uint64_t id, struct vault_message *out);
void vault_message_free(struct vault_message *message);

/* Bytes of the file on disk, 0: there is none. */
uint64_t vault_file_bytes(const struct vault *vault, uint64_t id);
bool vault_remove(struct vault *vault, uint64_t id); /* true also when it was not there */

/* Each file in turn: what has no row is of a copy that was never finished. `seen` says whether to remove it.
 */
void vault_sweep(struct vault *vault, bool (*is_wanted)(void *context, uint64_t id), void *context);

#endif
