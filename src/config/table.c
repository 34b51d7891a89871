/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A recipient table: positions of its lines in a hash, at most half full. The lines stay in the file's text.
 */
#include "config/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

/* Four bytes a slot: where the entry begins in the content, plus one. Entries end at a blank that is in no
   quotes, or at the line's end. */
struct table {
    struct text content;
    uint32_t *slots;
    size_t slot_count, count;
};

/* Local part and domain of a question or an entry; `domain` is empty for a local part alone. */
struct recipient {
    struct text local, domain;
    bool has_at;
};

static uint64_t recipient_hash(const struct recipient *recipient)
{
    uint64_t hash = hash_text_nocase(recipient->local) * 31 + hash_text_nocase(recipient->domain);
    return (hash + recipient->has_at) * UINT64_C(0x9E3779B97F4A7C15) >> 20;
}

static bool recipient_equal(const struct recipient *a, const struct recipient *b)
{
    return a->has_at == b->has_at && text_equal_nocase(a->local, b->local) &&
           text_equal_nocase(a->domain, b->domain);
}

/* Octets of the quoted string that the text begins with, RFC 5321 section 4.1.2; 0: none, or it has no end.
 */
static size_t quoted_length(struct text text)
{
    if (text.length == 0 || text.at[0] != '"') return 0;
    for (size_t i = 1; i < text.length && text.at[i] != '\n'; i++) {
        if (text.at[i] == '"') return i + 1;
        i += text.at[i] == '\\';
    }
    return 0;
}

/* Octets of the entry that the text begins with. */
static size_t entry_length(struct text text)
{
    size_t end = quoted_length(text);
    while (end < text.length && (unsigned char)text.at[end] > ' ') end++;
    return end;
}

/* A local part in quotes is meant without them; it is copied to `room` then. */
static struct text plain_local(struct text local, char room[TABLE_LINE_MOST])
{
    size_t end = quoted_length(local), length = 0;
    if (end == 0 || end != local.length || end > TABLE_LINE_MOST) return local;
    for (size_t i = 1; i + 1 < end; i++) {
        i += local.at[i] == '\\';
        room[length++] = local.at[i];
    }
    return text_from(room, length);
}

static struct recipient recipient_of(struct text entry, char room[TABLE_LINE_MOST])
{
    size_t at = text_find_last_char(entry, '@');
    if (quoted_length(entry) > at) at = entry.length; /* it is in the quotes */
    return (struct recipient){ plain_local(text_slice(entry, 0, at), room),
                               text_slice(entry, at + 1, entry.length), at < entry.length };
}

/* The entry that begins at an offset. */
static struct text entry_at(const struct table *table, size_t offset)
{
    struct text rest = text_slice(table->content, offset, table->content.length);
    return text_slice(rest, 0, entry_length(rest));
}

static uint32_t *slot_find(const struct table *table, const struct recipient *wanted)
{
    char room[TABLE_LINE_MOST];
    size_t mask = table->slot_count - 1, i = recipient_hash(wanted) & mask;
    for (; table->slots[i]; i = (i + 1) & mask) {
        struct recipient known = recipient_of(entry_at(table, table->slots[i] - 1), room);
        if (recipient_equal(&known, wanted)) break;
    }
    return &table->slots[i];
}

static const char *entry_complaint(struct text entry, struct text rest)
{
    char room[TABLE_LINE_MOST];
    struct recipient recipient = recipient_of(entry, room);
    size_t quoted = quoted_length(entry);
    rest = text_trim(rest);
    if (entry.length > TABLE_LINE_MOST) return "an address longer than 2048 bytes";
    if (entry.at[0] == '"' && quoted == 0) return "a quote that is not closed";
    if (quoted > 0 && quoted < entry.length && entry.at[quoted] != '@') return "no @ after the quotes";
    if (rest.length > 0 && rest.at[0] != '#')
        return "more than one word; allowed: an address, a local part or @domain";
    if (recipient.has_at && recipient.domain.length == 0) return "nothing after the @";
    for (size_t i = 0; i < entry.length; i++)
        if ((unsigned char)entry.at[i] < ' ' || entry.at[i] == 0x7F) return "a control character";
    return NULL;
}

static size_t line_count(struct text content)
{
    size_t lines = 1;
    for (const char *at = content.at, *end = content.at + content.length; at < end; at++, lines++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at) break;
    }
    return lines;
}

static const char *line_add(struct table *table, struct text line)
{
    char room[TABLE_LINE_MOST];
    line = text_trim(line);
    size_t length = entry_length(line);
    struct text entry = text_slice(line, 0, length ? length : 1);
    if (entry.length == 0 || entry.at[0] == '#') return NULL;
    const char *why = entry_complaint(entry, text_slice(line, entry.length, line.length));
    if (why) return why;
    struct recipient recipient = recipient_of(entry, room);
    uint32_t *slot = slot_find(table, &recipient);
    if (!*slot) table->count++, *slot = (uint32_t)(entry.at - table->content.at) + 1;
    return NULL;
}

struct table *table_new(struct text content, char *error, size_t size)
{
    size_t lines = content.length > 0 ? line_count(content) : 0, slots = 16, number = 0;
    struct text rest = content, line;
    if (lines > TABLE_LINES_MOST || content.length >= UINT32_MAX) {
        snprintf(error, size, "1: more than %d lines", TABLE_LINES_MOST);
        return NULL;
    }
    if (text_starts(rest, TEXT("\xEF\xBB\xBF"))) rest = text_slice(rest, 3, rest.length); /* UTF-8's mark */
    while (slots < lines * 2) slots *= 2;
    struct table *table = memory_alloc(sizeof *table);
    *table = (struct table){ .content = content,
                             .slots = memory_alloc(slots * sizeof *table->slots),
                             .slot_count = slots };
    while (text_next_line(&rest, &line)) {
        const char *why = line_add(table, line);
        number++;
        if (!why) continue;
        snprintf(error, size, "%zu: %s", number, why);
        table_free(table);
        return NULL;
    }
    return table;
}

void table_free(struct table *table)
{
    if (!table) return;
    free(table->slots);
    free(table);
}

size_t table_count(const struct table *table)
{
    return table->count;
}

bool table_has(const struct table *table, struct text local_part, struct text domain)
{
    const struct recipient forms[] = { { local_part, domain, true },
                                       { local_part, TEXT_NONE, false },
                                       { TEXT_NONE, domain, true } };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (*slot_find(table, &forms[i])) return true;
    return false;
}
