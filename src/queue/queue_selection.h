/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which messages and recipients a `sekimori queue` command means. */
#ifndef SEKIMORI_QUEUE_QUEUE_SELECTION_H
#define SEKIMORI_QUEUE_QUEUE_SELECTION_H

#include "ipc/pattern.h"
#include "mail/envelope.h"

/* Words of a command: message ids, destinations ("example.jp"), addresses ("a@example.jp"), "all";
   "--from PATTERN" and "--to PATTERN", several times each, "--match PATTERN" (sender or recipient), "--held",
   "--sender ADDRESS", "--dry-run". Ids and destinations widen the selection, the options narrow it: of
   several patterns of one option one must match, of several options each. */
struct queue_selection {
    uint64_t *ids;
    struct text *destinations, *addresses;
    size_t id_count, destination_count, address_count;
    struct patterns from, to, either;
    struct text sender;
    bool is_all, held_only, has_sender;
    bool is_dry; /* count, and do nothing */
};

/* Lives in the arena. False with a reason: a word that means nothing. No words: everything for "list" and
   "summary"; others want one (`needs_word`). */
bool queue_selection_parse(struct arena *arena, const struct text *words, size_t count, bool needs_word,
                           struct queue_selection *out, const char **out_why);

/* Every message was named by its id, and nothing else was. */
bool queue_selection_is_ids(const struct queue_selection *selection);

bool queue_selection_has_id(const struct queue_selection *selection,
                            uint64_t id); /* it was named by its id */
/* Does it mean this recipient of the message? `domain` in lower case. */
bool queue_selection_has_recipient(const struct queue_selection *selection, uint64_t id,
                                   const struct envelope *envelope, uint32_t number, struct text domain,
                                   bool is_held);

#endif
