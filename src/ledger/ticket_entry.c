/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledger/ticket_entry.h"

#include "auth/from_domains.h"
#include "ipc/message_id.h"
#include "mail/mailbox.h"

bool ticket_entry_of(struct arena *arena, const struct held_row *row, enum entry_verb verb,
                     struct kept_entry *out)
{
    char id[MESSAGE_ID_SIZE];
    const char *why;
    *out = (struct kept_entry){ .entry = { .verb = verb, .action = ACTION_REJECT, .is_users = true } };
    if (!sender_entry_read_what(arena, from_address_shown(arena, row->author, row->sender), &out->entry,
                                &why) ||
        out->entry.kind != ENTRY_ADDRESS || !sender_entry_read_to(arena, row->address, &out->entry, &why))
        return false;
    out->by = out->entry.to;
    out->note = arena_printf(arena, "by mail, ticket of %s", message_id_print(row->message, id));
    return true;
}

static bool has_room(const struct sender_entries *entries, struct text user)
{
    size_t own = 0, all = 0;
    for (size_t i = 0; i < sender_entries_count(entries); i++) {
        const struct sender_entry *entry = &sender_entries_nth(entries, i)->entry;
        all += entry->is_users;
        own += entry->is_users && text_equal(entry->to, user);
    }
    return own < TICKET_ENTRIES_OF_ONE_MOST && all < TICKET_ENTRIES_MOST;
}

/* A user's entry that is the same as this one; 0: there is none. */
static uint32_t users_entry(const struct sender_entries *entries, const struct sender_entry *wanted)
{
    for (size_t i = 0; i < sender_entries_count(entries); i++) {
        const struct sender_entry *entry = &sender_entries_nth(entries, i)->entry;
        if (entry->is_users && sender_entry_is_same(entry, wanted)) return entry->number;
    }
    return 0;
}

static uint32_t contrary_of(const struct sender_entries *entries, const struct kept_entry *kept)
{
    struct sender_entry contrary = kept->entry;
    contrary.verb = kept->entry.verb == ENTRY_ALLOW ? ENTRY_BLOCK : ENTRY_ALLOW;
    return users_entry(entries, &contrary);
}

enum ticket_entry_outcome ticket_entry_make(struct sender_entries *entries, const struct kept_entry *kept)
{
    uint32_t number, contrary = contrary_of(entries, kept);
    if (users_entry(entries, &kept->entry)) return TICKET_ENTRY_DONE;
    if (contrary && sender_entries_remove(entries, contrary, kept->by, kept->made_ms) == ENTRY_UNSAVED)
        return TICKET_ENTRY_LATER;
    if (!has_room(entries, kept->entry.to)) return TICKET_ENTRY_FULL;
    switch (sender_entries_add(entries, kept, &number)) {
    case ENTRY_DONE:
    case ENTRY_KNOWN:
        return TICKET_ENTRY_DONE;
    case ENTRY_FULL:
        return TICKET_ENTRY_FULL;
    default:
        return TICKET_ENTRY_LATER;
    }
}
