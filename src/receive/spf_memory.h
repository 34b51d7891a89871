/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup said of SPF, for the next message of the same session: who sends several mostly sends them as
   the same sender. Pure: the caller asks what is open. */
#ifndef SEKIMORI_RECEIVE_SPF_MEMORY_H
#define SEKIMORI_RECEIVE_SPF_MEMORY_H

#include "base/buffer.h"
#include "ipc/question_set.h"

/* As long as lookup keeps what the DNS said (lookup/answer_cache.h). A session keeps so many bytes at most.
 */
enum { SPF_MEMORY_MS = 10000, SPF_MEMORY_BYTES = 1024 };

/* Zero-initialised it knows nothing. */
struct spf_memory {
    struct buffer bytes; /* subject and value; empty: nothing is known */
    size_t subject_length;
    uint64_t asked_ms; /* when lookup was asked last */
};

void spf_memory_free(struct spf_memory *memory); /* leaves it empty and usable */

/* Adds QUESTION_SPF to the message's: answered where the memory has an answer to that subject
   (spf_subject_put) that was asked for SPF_MEMORY_MS ago or later, else open, and the memory is empty.
   `now_ms` is monotonic. */
void spf_memory_add(struct spf_memory *memory, struct question_set *questions, struct text subject,
                    uint64_t now_ms);

/* The message is over, and its questions are not forgotten yet: an answer without a temporary error is kept.
   `arena` is for what is read on the way. */
void spf_memory_keep(struct spf_memory *memory, const struct question_set *questions, struct arena *arena);

#endif
