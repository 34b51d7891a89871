/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A recipient table: positions of its lines in a hash, at most half full. The lines stay in the file's text.
 */
#include "config/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

/* Four bytes a slot: where the entry begins in the content, plus one. Entries end at a blank or line end. */
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

static struct recipient recipient_of(struct text entry)
{
    size_t at = text_find_last_char(entry, '@');
    return (struct recipient){ text_slice(entry, 0, at), text_slice(entry, at + 1, entry.length),
                               at < entry.length };
}

/* The entry that begins at an offset. */
static struct text entry_at(const struct table *table, size_t offset)
{
    size_t end = offset;
    while (end < table->content.length && (unsigned char)table->content.at[end] > ' ') end++;
    return text_slice(table->content, offset, end);
}

static uint32_t *slot_find(const struct table *table, const struct recipient *wanted)
{
    size_t mask = table->slot_count - 1, i = recipient_hash(wanted) & mask;
    for (; table->slots[i]; i = (i + 1) & mask) {
        struct recipient known = recipient_of(entry_at(table, table->slots[i] - 1));
        if (recipient_equal(&known, wanted)) break;
    }
    return &table->slots[i];
}

static const char *entry_complaint(struct text entry, struct text rest)
{
    struct recipient recipient = recipient_of(entry);
    rest = text_trim(rest);
    if (entry.length > TABLE_LINE_MOST) return "an address longer than 1024 bytes";
    if (rest.length > 0 && rest.at[0] != '#')
        return "more than one word; allowed: an address, a local part or @domain";
    if (recipient.has_at && recipient.domain.length == 0) return "nothing after the @";
    for (size_t i = 0; i < entry.length; i++)
        if ((unsigned char)entry.at[i] <= ' ' || entry.at[i] == 0x7F) return "a control character";
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
    struct text entry;
    if (!text_next_word(&line, &entry) || entry.at[0] == '#') return NULL;
    const char *why = entry_complaint(entry, line);
    if (why) return why;
    struct recipient recipient = recipient_of(entry);
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
