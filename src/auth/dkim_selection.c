/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A hash table by hand, since it lives in the message's arena: by field name, keyed as base/hash.h is. */
#include "auth/dkim_selection.h"

#include "auth/tag_list.h"
#include "base/hash.h"

/* All fields of one name; indices count from 1, 0: none. */
struct field_name {
    struct text name;
    uint32_t last;   /* field */
    uint32_t cursor; /* field that is selected next, in round `round` */
    uint32_t round;
    uint32_t chain; /* name with the same slot */
};

struct dkim_selection {
    const struct header *header;
    uint32_t *slots; /* names */
    uint64_t mask;
    struct field_name *names; /* [0] is not used */
    uint32_t name_count;
    uint32_t *previous; /* by field: the one above it with its name */
    uint32_t round;
};

static struct field_name *name_find(const struct dkim_selection *selection, struct text name,
                                    uint32_t **out_slot)
{
    *out_slot = &selection->slots[hash_text_nocase(name) & selection->mask];
    uint32_t index = **out_slot;
    while (index && !text_equal_nocase(selection->names[index].name, name))
        index = selection->names[index].chain;
    return index ? &selection->names[index] : NULL;
}

static void field_note(struct dkim_selection *selection, uint32_t index)
{
    uint32_t *slot;
    struct text text = selection->header->fields[index - 1].name;
    struct field_name *name = name_find(selection, text, &slot);
    if (!name) {
        name = &selection->names[++selection->name_count];
        *name = (struct field_name){ .name = text, .chain = *slot };
        *slot = selection->name_count;
    }
    selection->previous[index] = name->last;
    name->last = index;
}

struct dkim_selection *dkim_selection_new(struct arena *arena, const struct header *header)
{
    struct dkim_selection *selection = arena_alloc(arena, sizeof *selection);
    size_t slots = 16;
    while (slots < header->count) slots *= 2;
    selection->header = header;
    selection->mask = slots - 1;
    selection->slots = arena_alloc_array(arena, slots, sizeof *selection->slots);
    selection->names = arena_alloc_array(arena, header->count + 1, sizeof *selection->names);
    selection->previous = arena_alloc_array(arena, header->count + 1, sizeof *selection->previous);
    for (size_t i = 1; i <= header->count; i++) field_note(selection, (uint32_t)i);
    return selection;
}

/* NULL: all of that name are selected already. */
static const struct header_field *next_of(struct dkim_selection *selection, struct text wanted)
{
    uint32_t *slot;
    struct field_name *name = name_find(selection, wanted, &slot);
    if (!name) return NULL;
    if (name->round != selection->round) name->cursor = name->last;
    name->round = selection->round;
    if (!name->cursor) return NULL;
    const struct header_field *field = &selection->header->fields[name->cursor - 1];
    name->cursor = selection->previous[name->cursor];
    return field;
}

bool dkim_selection_add(struct dkim_selection *selection, struct running_digest *digest,
                        enum canonical_form form, struct text names, const struct header_field *own,
                        size_t *budget)
{
    struct text name;
    selection->round++;
    while (tag_list_next_word(&names, &name)) {
        if (name.length == 0) continue;
        const struct header_field *field = next_of(selection, name);
        if (field && field == own) field = next_of(selection, name);
        if (!field) continue;
        if (field->length > *budget) return false;
        *budget -= field->length;
        canonical_field_add(digest, form, text_from(field->name.at, field->length), true);
    }
    return true;
}
