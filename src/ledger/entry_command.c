/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledger/entry_command.h"

#include <sysexits.h>

#include "base/json_text.h"
#include "base/printable.h"
#include "config/entry_warning.h"

static bool record(const struct entry_command *command, enum entry_verb verb, const char *act,
                   struct text about)
{
    return quarantine_command_record(command->records, command->commander, sender_entry_verb_name(verb), 0,
                                     act, about);
}

/* --- list --- */

static void kept_print(const struct kept_entry *kept, struct buffer *out)
{
    const struct sender_entry *entry = &kept->entry;
    struct buffer what = { 0 }, flags = { 0 };
    sender_entry_print_what(entry, &what);
    sender_entry_print_flags(entry, &flags);
    buffer_printf(out, "{\"number\":%u,\"node\":%u,\"verb\":\"%s\",\"what\":", entry->number,
                  declaration_node(entry->number), sender_entry_verb_name(entry->verb));
    json_text_add(out, buffer_text(&what));
    buffer_add_text(out, TEXT(",\"to\":"));
    json_text_add(out, entry->to.length ? entry->to : TEXT("everybody"));
    buffer_add_text(out, TEXT(",\"flags\":"));
    json_text_add(out, text_trim(buffer_text(&flags)));
    for (int i = 0; i < ENTRY_FEATURES; i++) {
        if (entry->patterns[i].length == 0) continue;
        buffer_printf(out, ",\"%s\":", sender_entry_feature_name((enum entry_feature)i));
        json_text_add(out, entry->patterns[i]);
    }
    buffer_add_text(out, TEXT(",\"by\":"));
    json_text_add(out, kept->by);
    buffer_add_text(out, TEXT(",\"note\":"));
    json_text_add(out, kept->note);
    buffer_printf(out, ",\"made_ms\":%llu,\"expires_ms\":%llu,\"used\":%llu,\"last_ms\":%llu}\n",
                  (unsigned long long)kept->made_ms, (unsigned long long)entry->expires_ms,
                  (unsigned long long)kept->used, (unsigned long long)kept->last_ms);
    buffer_free(&what);
    buffer_free(&flags);
}

static int list(const struct entry_command *command, enum entry_verb verb)
{
    for (size_t i = 0; i < sender_entries_count(command->entries); i++) {
        struct buffer line = { 0 };
        const struct kept_entry *kept = sender_entries_nth(command->entries, i);
        if (kept->entry.verb != verb) continue;
        kept_print(kept, &line);
        command->say(command->context, buffer_text(&line));
        buffer_free(&line);
    }
    return EX_OK;
}

/* --- remove --- */

static int remove_do(const struct entry_command *command, enum entry_verb verb, struct text word,
                     struct text *out_last)
{
    uint64_t number;
    if (!text_to_number(text_trim(word), UINT32_MAX, &number)) {
        *out_last = TEXT("which one? its number, as list shows it");
        return EX_USAGE;
    }
    const struct kept_entry *kept = sender_entries_find(command->entries, (uint32_t)number);
    if (!kept || kept->entry.verb != verb) {
        *out_last = arena_printf(command->arena, "no %s entry has the number %llu",
                                 sender_entry_verb_name(verb), (unsigned long long)number);
        return EX_NOINPUT;
    }
    struct buffer what = { 0 };
    sender_entry_print_named(&kept->entry, &what);
    struct text about = arena_printf(command->arena, "%llu: %.*s for %.*s", (unsigned long long)number,
                                     TEXT_ARG(buffer_text(&what)),
                                     TEXT_ARG(kept->entry.to.length ? kept->entry.to : TEXT("everybody")));
    buffer_free(&what);
    if (!record(command, verb, "remove", about)) {
        *out_last = TEXT("it cannot be recorded who asks, so nothing is done");
        return EX_IOERR;
    }
    if (sender_entries_remove(command->entries, (uint32_t)number, command->commander->user,
                              command->now_ms) == ENTRY_DONE)
        return EX_OK;
    *out_last = TEXT("it cannot be written");
    return EX_IOERR;
}

/* --- add --- */

static bool is_note(struct text note)
{
    return note.length <= ENTRY_NOTE_MOST && printable_is_whole(note);
}

static bool flags_read(const struct entry_command *command, struct text *rest, struct sender_entry *entry,
                       const char **out_why)
{
    struct text word;
    while (text_next_word(rest, &word)) {
        if (text_equal(word, TEXT("-"))) break;
        if (!sender_entry_read_flag(command->arena, word, entry, out_why)) return false;
    }
    return sender_entry_is_whole(entry, out_why);
}

/* Why it is none; NULL: it is one. */
static const char *kept_read(const struct entry_command *command, struct text rest, struct kept_entry *out)
{
    struct text lasts = TEXT_NONE, to = TEXT_NONE, what = TEXT_NONE;
    const char *why;
    uint64_t lasts_ms;
    text_next_word(&rest, &lasts);
    text_next_word(&rest, &to);
    text_next_word(&rest, &what);
    if (!text_to_number(lasts, UINT64_MAX / 4, &lasts_ms)) return "it lasts no such time";
    if (!sender_entry_read_what(command->arena, what, &out->entry, &why)) return why;
    if (!text_equal(to, TEXT("*")) && !sender_entry_read_to(command->arena, to, &out->entry, &why))
        return why;
    if (!flags_read(command, &rest, &out->entry, &why)) return why;
    out->note = text_trim(rest);
    if (!is_note(out->note)) return "a note has at most 200 bytes of text in one line";
    if (lasts_ms) out->entry.expires_ms = command->now_ms + lasts_ms;
    return NULL;
}

static struct text add_about(const struct entry_command *command, const struct kept_entry *kept)
{
    struct buffer out = { 0 };
    sender_entry_print_named(&kept->entry, &out);
    sender_entry_print_flags(&kept->entry, &out);
    buffer_printf(&out, " for %.*s", TEXT_ARG(kept->entry.to.length ? kept->entry.to : TEXT("everybody")));
    if (kept->entry.expires_ms)
        buffer_printf(&out, ", %llu seconds",
                      (unsigned long long)((kept->entry.expires_ms - command->now_ms) / 1000));
    if (kept->note.length) buffer_printf(&out, ": %.*s", TEXT_ARG(kept->note));
    struct text about = arena_text(command->arena, buffer_text(&out));
    buffer_free(&out);
    return about;
}

static int add_finish(const struct entry_command *command, enum entry_outcome outcome, uint32_t number,
                      struct text *out_last)
{
    switch (outcome) {
    case ENTRY_DONE:
        *out_last = arena_printf(command->arena, "%u", number);
        return EX_OK;
    case ENTRY_KNOWN:
        *out_last =
            arena_printf(command->arena, "entry %u says so already: remove it first to change it", number);
        return EX_CANTCREAT;
    case ENTRY_FULL:
        *out_last = TEXT("there are too many: remove some");
        return EX_CANTCREAT;
    default:
        *out_last = TEXT("it cannot be written");
        return EX_IOERR;
    }
}

static void warn(const struct entry_command *command, const struct sender_entry *entry)
{
    struct buffer line = { 0 };
    const char *warning = entry_warning_of(command->config, entry);
    if (!warning) return;
    buffer_add_text(&line, TEXT("{\"warning\":"));
    json_text_add(&line, text_of(warning));
    buffer_add_text(&line, TEXT("}\n"));
    command->say(command->context, buffer_text(&line));
    buffer_free(&line);
}

static int add(const struct entry_command *command, enum entry_verb verb, struct text rest,
               struct text *out_last)
{
    struct kept_entry kept = { .entry = { .verb = verb, .action = ACTION_REJECT },
                               .by = command->commander->user,
                               .made_ms = command->now_ms };
    const char *why = kept_read(command, rest, &kept);
    uint32_t number = 0;
    if (why) {
        *out_last = text_of(why);
        return EX_DATAERR;
    }
    if (!record(command, verb, "add", add_about(command, &kept))) {
        *out_last = TEXT("it cannot be recorded who asks, so nothing is done");
        return EX_IOERR;
    }
    warn(command, &kept.entry);
    enum entry_outcome outcome = sender_entries_add(command->entries, &kept, &number);
    return add_finish(command, outcome, number, out_last);
}

int entry_command_run(const struct entry_command *command, struct text verb, struct text rest,
                      struct text *out_last)
{
    struct text what = TEXT_NONE;
    enum entry_verb which = text_equal(verb, TEXT("allow")) ? ENTRY_ALLOW : ENTRY_BLOCK;
    *out_last = TEXT_NONE;
    text_next_word(&rest, &what);
    if (text_equal(what, TEXT("list"))) return list(command, which);
    if (text_equal(what, TEXT("add"))) return add(command, which, rest, out_last);
    if (text_equal(what, TEXT("remove"))) return remove_do(command, which, rest, out_last);
    *out_last = TEXT("what is known: add, list, remove");
    return EX_USAGE;
}
