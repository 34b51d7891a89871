/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/kept_entry.h"

enum { NUMBERS = 4 };

void kept_entry_write(const struct kept_entry *kept, struct buffer *out)
{
    const struct sender_entry *entry = &kept->entry;
    buffer_printf(out, "%s %u %llu %llu %llu %llu ", sender_entry_verb_name(entry->verb), entry->number,
                  (unsigned long long)kept->made_ms, (unsigned long long)entry->expires_ms,
                  (unsigned long long)kept->used, (unsigned long long)kept->last_ms);
    sender_entry_print_what(entry, out);
    buffer_printf(out, " %.*s %.*s", TEXT_ARG(entry->to.length ? entry->to : TEXT("*")), TEXT_ARG(kept->by));
    sender_entry_print_flags(entry, out);
    sender_entry_print_patterns(entry, out);
    buffer_printf(out, " - %.*s\n", TEXT_ARG(kept->note));
}

static bool number_next(struct text *line, uint64_t most, uint64_t *out)
{
    struct text word;
    return text_next_word(line, &word) && text_to_number(word, most, out);
}

static bool numbers_take(struct text *line, struct kept_entry *out)
{
    uint64_t *const places[NUMBERS] = { &out->made_ms, &out->entry.expires_ms, &out->used, &out->last_ms };
    uint64_t number;
    if (!number_next(line, UINT32_MAX - 1, &number) || number == 0) return false;
    out->entry.number = (uint32_t)number;
    for (size_t i = 0; i < NUMBERS; i++)
        if (!number_next(line, UINT64_MAX, places[i])) return false;
    return true;
}

static bool names_take(struct arena *arena, struct text *line, struct kept_entry *out)
{
    struct text what, to;
    const char *why;
    if (!text_next_word(line, &what) || !text_next_word(line, &to) || !text_next_word(line, &out->by))
        return false;
    return sender_entry_read_what(arena, what, &out->entry, &why) &&
           (text_equal(to, TEXT("*")) || sender_entry_read_to(arena, to, &out->entry, &why));
}

static bool has_control(struct text line)
{
    for (size_t i = 0; i < line.length; i++)
        if ((unsigned char)line.at[i] < ' ') return true;
    return false;
}

bool kept_entry_read(struct arena *arena, enum entry_verb verb, struct text line, struct kept_entry *out)
{
    struct text word;
    const char *why;
    *out = (struct kept_entry){ .entry = { .verb = verb, .action = ACTION_REJECT } };
    if (has_control(line) || !numbers_take(&line, out) || !names_take(arena, &line, out)) return false;
    while (text_next_word(&line, &word)) {
        if (text_equal(word, TEXT("-"))) {
            out->note = text_slice(text_trim(line), 0, ENTRY_NOTE_MOST);
            return sender_entry_is_whole(&out->entry, &why);
        }
        if (!sender_entry_read_flag(arena, word, &out->entry, &why)) return false;
    }
    return false;
}

void kept_entry_write_uses(const struct kept_entry *kept, struct buffer *out)
{
    if (kept->uses.day)
        buffer_printf(out, "uses %u %u %llu %llu\n", kept->entry.number, kept->uses.day,
                      (unsigned long long)kept->uses.count, (unsigned long long)kept->uses.before);
}

bool kept_entry_read_uses(struct text line, uint32_t *out_number, struct kept_uses *out)
{
    uint64_t number, day;
    if (!number_next(&line, UINT32_MAX, &number) || !number_next(&line, 99991231, &day)) return false;
    *out_number = (uint32_t)number;
    out->day = (uint32_t)day;
    return number_next(&line, UINT64_MAX, &out->count) && number_next(&line, UINT64_MAX, &out->before);
}

uint64_t kept_entry_uses_on(const struct kept_entry *kept, uint32_t day, uint32_t day_after)
{
    if (kept->uses.day == day) return kept->uses.count;
    return kept->uses.day == day_after ? kept->uses.before : 0;
}

bool kept_entry_is_unused_since(const struct kept_entry *kept, uint64_t since_ms)
{
    return kept->made_ms < since_ms && kept->last_ms < since_ms;
}
