/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Choosing among queued messages. */
#include "queue/queue_selection.h"

#include "ipc/message_id.h"

static bool word_take(struct queue_selection *out, struct text word)
{
    uint64_t id;
    if (text_equal(word, TEXT("all"))) {
        out->is_all = true;
    } else if (message_id_parse(word, &id)) {
        out->ids[out->id_count++] = id;
    } else if (text_find_char(word, '@') < word.length) {
        out->addresses[out->address_count++] = word;
    } else if (text_find_char(word, '.') < word.length || text_equal_nocase(word, TEXT("localhost"))) {
        out->destinations[out->destination_count++] = word;
    } else {
        return false;
    }
    return true;
}

/* 0: no option of that name, with a value if it wants one; else how many words it took. */
static size_t option_take(struct queue_selection *out, struct arena *arena, const struct text *words,
                          size_t count)
{
    if (text_equal(words[0], TEXT("--held"))) {
        out->held_only = true;
        return 1;
    }
    if (text_equal(words[0], TEXT("--dry-run"))) {
        out->is_dry = true;
        return 1;
    }
    if (count < 2) return 0;
    if (text_equal(words[0], TEXT("--from"))) {
        patterns_add(&out->from, arena, words[1]);
    } else if (text_equal(words[0], TEXT("--to"))) {
        patterns_add(&out->to, arena, words[1]);
    } else if (text_equal(words[0], TEXT("--match"))) {
        patterns_add(&out->either, arena, words[1]);
    } else if (text_equal(words[0], TEXT("--sender"))) {
        out->sender = arena_text(arena, words[1]);
        out->has_sender = true;
    } else {
        return 0;
    }
    return 2;
}

/* NULL, or what is wrong. */
static const char *words_take(struct queue_selection *out, struct arena *arena, const struct text *words,
                              size_t count)
{
    for (size_t i = 0, taken; i < count; i += taken) {
        taken = option_take(out, arena, words + i, count - i);
        if (!taken) taken = word_take(out, arena_text(arena, words[i]));
        if (!taken)
            return arena_printf(arena, "not a message id, destination, address or option: %.*s",
                                TEXT_ARG(words[i]))
                .at;
    }
    return NULL;
}

bool queue_selection_parse(struct arena *arena, const struct text *words, size_t count, bool needs_word,
                           struct queue_selection *out, const char **out_why)
{
    *out = (struct queue_selection){ 0 };
    out->ids = arena_alloc_array(arena, count + 1, sizeof *out->ids);
    out->destinations = arena_alloc_array(arena, count + 1, sizeof *out->destinations);
    out->addresses = arena_alloc_array(arena, count + 1, sizeof *out->addresses);
    patterns_begin(&out->from, arena, count);
    patterns_begin(&out->to, arena, count);
    patterns_begin(&out->either, arena, count);
    *out_why = words_take(out, arena, words, count);
    if (*out_why) return false;
    *out_why = "which messages? name ids, destinations, addresses, --from or --to PATTERN, or \"all\"";
    bool has_word = out->id_count || out->destination_count || out->address_count;
    bool narrows = out->from.count || out->to.count || out->either.count || out->has_sender || out->held_only;
    if (!has_word && (narrows || !needs_word)) out->is_all = true;
    return has_word || out->is_all;
}

bool queue_selection_is_ids(const struct queue_selection *selection)
{
    return selection->id_count && !selection->is_all && !selection->destination_count &&
           !selection->address_count;
}

bool queue_selection_has_id(const struct queue_selection *selection, uint64_t id)
{
    for (size_t i = 0; i < selection->id_count; i++)
        if (selection->ids[i] == id) return true;
    return false;
}

static bool is_named(const struct queue_selection *selection, uint64_t id, struct text address,
                     struct text domain)
{
    if (selection->is_all || queue_selection_has_id(selection, id)) return true;
    for (size_t i = 0; i < selection->destination_count; i++)
        if (text_equal_nocase(selection->destinations[i], domain)) return true;
    for (size_t i = 0; i < selection->address_count; i++)
        if (text_equal_nocase(selection->addresses[i], address)) return true;
    return false;
}

bool queue_selection_has_recipient(const struct queue_selection *selection, uint64_t id,
                                   const struct envelope *envelope, uint32_t number, struct text domain,
                                   bool is_held)
{
    struct text address = envelope->recipients[number].address;
    if (selection->held_only && !is_held) return false;
    if (selection->has_sender && !text_equal_nocase(selection->sender, envelope->sender)) return false;
    if (!patterns_have(&selection->from, envelope->sender) || !patterns_have(&selection->to, address))
        return false;
    if (!patterns_have(&selection->either, address) && !patterns_have(&selection->either, envelope->sender))
        return false;
    return is_named(selection, id, address, domain);
}
