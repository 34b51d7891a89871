/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Choosing among queued messages. */
#include "queue/choice.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "ipc/message_id.h"

static bool word_take(struct choice *out, struct text word)
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

bool choice_parse(struct arena *arena, const struct text *words, size_t count, bool needs_word,
                  struct choice *out, const char **out_why)
{
    *out = (struct choice){ 0 };
    out->ids = arena_alloc_array(arena, count + 1, sizeof *out->ids);
    out->destinations = arena_alloc_array(arena, count + 1, sizeof *out->destinations);
    out->addresses = arena_alloc_array(arena, count + 1, sizeof *out->addresses);
    for (size_t i = 0; i < count; i++) {
        bool has_value = i + 1 < count;
        if (text_equal(words[i], TEXT("--held"))) {
            out->held_only = true;
        } else if (text_equal(words[i], TEXT("--match")) && has_value) {
            out->match = arena_text(arena, words[++i]);
            out->has_match = true;
        } else if (text_equal(words[i], TEXT("--sender")) && has_value) {
            out->sender = arena_text(arena, words[++i]);
            out->has_sender = true;
        } else if (!word_take(out, arena_text(arena, words[i]))) {
            *out_why = arena_printf(arena, "not a message id, destination, address or option: %.*s",
                                    TEXT_ARG(words[i]))
                           .at;
            return false;
        }
    }
    *out_why = "which messages? name ids, destinations, addresses, --match PATTERN or \"all\"";
    bool has_word = out->id_count || out->destination_count || out->address_count;
    bool narrows = out->has_match || out->has_sender || out->held_only;
    if (!has_word && (narrows || !needs_word)) out->is_all = true;
    return has_word || out->is_all;
}

bool choice_has_id(const struct choice *choice, uint64_t id)
{
    for (size_t i = 0; i < choice->id_count; i++)
        if (choice->ids[i] == id) return true;
    return false;
}

static bool is_match(const struct choice *choice, struct text address)
{
    char text[600];
    if (address.length >= sizeof text) return false;
    memcpy(text, address.at ? address.at : "", address.length);
    text[address.length] = '\0';
    return fnmatch(choice->match.at, text, FNM_CASEFOLD) == 0;
}

static bool is_named(const struct choice *choice, uint64_t id, struct text address, struct text domain)
{
    if (choice->is_all || choice_has_id(choice, id)) return true;
    for (size_t i = 0; i < choice->destination_count; i++)
        if (text_equal_nocase(choice->destinations[i], domain)) return true;
    for (size_t i = 0; i < choice->address_count; i++)
        if (text_equal_nocase(choice->addresses[i], address)) return true;
    return false;
}

bool choice_has_recipient(const struct choice *choice, uint64_t id, const struct envelope *envelope,
                          uint32_t number, struct text domain, bool is_held)
{
    struct text address = envelope->recipients[number].address;
    if (choice->held_only && !is_held) return false;
    if (choice->has_sender && !text_equal_nocase(choice->sender, envelope->sender)) return false;
    if (choice->has_match && !is_match(choice, address) && !is_match(choice, envelope->sender)) return false;
    return is_named(choice, id, address, domain);
}
