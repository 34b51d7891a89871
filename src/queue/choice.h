/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which messages and recipients a `sekimori queue` command means. */
#ifndef SEKIMORI_QUEUE_CHOICE_H
#define SEKIMORI_QUEUE_CHOICE_H

#include "base/arena.h"
#include "mail/envelope.h"

/* Words of a command: message ids, destinations ("example.jp"), addresses ("a@example.jp"), "all";
   "--match GLOB" (sender or recipient, any case), "--held", "--sender ADDRESS". Ids and destinations widen
   the choice, the options narrow it. */
struct choice {
    uint64_t *ids;
    struct text *destinations, *addresses;
    size_t id_count, destination_count, address_count;
    struct text match, sender;
    bool is_all, held_only, has_match, has_sender;
};

/* Lives in the arena. False with a reason: a word that means nothing. No words: everything for "list" and
   "summary"; others want one (`needs_word`). */
bool choice_parse(struct arena *arena, const struct text *words, size_t count, bool needs_word,
                  struct choice *out, const char **out_why);

bool choice_has_id(const struct choice *choice, uint64_t id);
/* Does it mean this recipient of the message? `domain` in lower case. */
bool choice_has_recipient(const struct choice *choice, uint64_t id, const struct envelope *envelope,
                          uint32_t number, struct text domain, bool is_held);

#endif
