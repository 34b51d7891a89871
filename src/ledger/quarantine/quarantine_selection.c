/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Words to a choice, and rows against it. */
#include "ledger/quarantine/quarantine_selection.h"

#include "ipc/message_id.h"

/* --- the words --- */

struct selection_reading {
    struct selection *choice;
    struct arena *arena;
    const struct ticket_key *key;
    uint64_t now_s;
};

static bool word_take(struct selection_reading *reading, struct text word)
{
    struct selection *choice = reading->choice;
    if (text_equal(word, TEXT("all"))) {
        choice->is_all = true;
        return true;
    }
    return message_id_parse(word, &choice->ids[choice->id_count]) && ++choice->id_count;
}

static bool ticket_take(struct selection_reading *reading, struct text value)
{
    struct selection *choice = reading->choice;
    struct ticket ticket;
    if (choice->has_ticket) return false;
    if (ticket_check(reading->key, value, reading->now_s, &ticket) != TICKET_GOOD) return false;
    choice->has_ticket = true;
    choice->number = ticket.number;
    choice->ids[choice->id_count++] = ticket.message;
    return true;
}

static bool option_take(struct selection_reading *reading, struct text word, struct text value)
{
    struct selection *choice = reading->choice;
    enum held_class class;
    if (text_equal(word, TEXT("--class"))) {
        if (!held_class_from_name(value, &class)) return false;
        choice->class = (int)class;
    } else if (text_equal(word, TEXT("--match"))) {
        patterns_add(&choice->either, reading->arena, value);
    } else if (text_equal(word, TEXT("--from"))) {
        patterns_add(&choice->from, reading->arena, value);
    } else if (text_equal(word, TEXT("--subject"))) {
        choice->subject = value;
    } else if (text_equal(word, TEXT("--since"))) {
        return text_to_number(value, INT64_MAX, &choice->since_ms);
    } else if (text_equal(word, TEXT("--ticket"))) {
        return ticket_take(reading, value);
    } else if (text_equal(word, TEXT("--to"))) {
        patterns_add(&choice->to, reading->arena, value);
    } else {
        return false;
    }
    return true;
}

static const char *words_read(struct selection_reading *reading, const struct text *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_option = text_starts(words[i], TEXT("--"));
        if (text_equal(words[i], TEXT("--dry-run"))) {
            reading->choice->is_dry = true;
            continue;
        }
        if (!is_option && !word_take(reading, words[i])) return "not a message id";
        if (!is_option) continue;
        if (i + 1 == count) return "a value is missing";
        if (!option_take(reading, words[i], words[i + 1]))
            return text_equal(words[i], TEXT("--ticket"))
                       ? "the ticket is not one of this node's, or its time is over"
                       : "unknown option or class; classes: virus, phishing, spam, policy, encrypted, "
                         "poison, undeliverable";
        reading->choice->narrows = true;
        i++;
    }
    return NULL;
}

const char *selection_read(struct selection *out, struct arena *arena, const struct ticket_key *key,
                           uint64_t now_s, const struct text *words, size_t count)
{
    struct selection_reading reading = { out, arena, key, now_s };
    *out = (struct selection){ .class = -1 };
    out->ids = arena_alloc_array(arena, count + 1, sizeof *out->ids);
    patterns_begin(&out->from, arena, count);
    patterns_begin(&out->to, arena, count);
    patterns_begin(&out->either, arena, count);
    const char *why = words_read(&reading, words, count);
    if (!why && out->has_ticket && out->id_count != 1) return "a ticket names its message: name no other";
    return why;
}

/* --- rows --- */

/* Each of the words stands somewhere in the text; ASCII case is ignored. */
static bool has_words(struct text text, struct text words)
{
    struct text word;
    while (text_next_word(&words, &word))
        if (text_find_nocase(text, word) == text.length) return false;
    return true;
}

bool selection_has(const struct selection *selection, const struct held_row *row)
{
    if (selection->has_ticket && row->number != selection->number) return false;
    if (message_id_time_ms(row->message) < selection->since_ms) return false;
    if (!has_words(row->subject, selection->subject)) return false;
    if (selection->class >= 0 && row->class != (enum held_class)selection->class) return false;
    if (!patterns_have(&selection->from, row->sender) || !patterns_have(&selection->to, row->address))
        return false;
    return patterns_have(&selection->either, row->address) || patterns_have(&selection->either, row->sender);
}
