/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files that settings name, each read once, found again by path. */
#include <stdlib.h>

#include "base/hash.h"

#include "config/folder_content.h"
#include "config/load_private.h"
#include "config/whole_file.h"

static uint32_t *slot_find(struct loader *loader, struct text path)
{
    size_t mask = loader->content_slot_count - 1, i = hash_text(path) & mask;
    while (loader->content_slots[i] && !text_equal(loader->contents[loader->content_slots[i] - 1].path, path))
        i = (i + 1) & mask;
    return &loader->content_slots[i];
}

void content_add(struct loader *loader, struct content content)
{
    if (!loader->content_slots) {
        loader->content_slot_count = 32768; /* over twice CONFIG_CONTENTS_MOST, a power of two */
        loader->content_slots = memory_alloc(loader->content_slot_count * sizeof *loader->content_slots);
    }
    loader->contents = memory_grow(loader->contents, (loader->content_count + 1) * sizeof content);
    loader->contents[loader->content_count++] = content;
    *slot_find(loader, content.path) = (uint32_t)loader->content_count;
}

struct content *content_find(struct loader *loader, struct text path)
{
    uint32_t position = loader->content_slots ? *slot_find(loader, path) : 0;
    return position ? &loader->contents[position - 1] : NULL;
}

static struct content *content_need(struct loader *loader, struct text path, bool is_folder)
{
    struct content *known = content_find(loader, path), content = { .path = path };
    if (known) return known;
    if (loader->origin == CONTENT_BUNDLE)
        content.reason = "is not in the bundle";
    else if (is_folder)
        content.reason = folder_content_read(path.at, TEXT(".rules"), loader->arena, &content.bytes);
    else
        content.reason = whole_file_read(path.at, CONFIG_CONTENT_MOST, loader->arena, &content.bytes,
                                       &content.is_open_to_all);
    if (content.reason) content.reason = arena_text(loader->arena, text_of(content.reason)).at;
    content_add(loader, content);
    return &loader->contents[loader->content_count - 1];
}

static void file_fill(struct loader *loader, const struct schema_row *row, struct file_content *file,
                      size_t index)
{
    if (file->path.length == 0) return;
    if (loader->content_count == CONFIG_CONTENTS_MOST && !content_find(loader, file->path)) {
        loader_complain(loader, SEVERITY_ERROR, source_find(loader->sources, row, index),
                        "%s: one file too many (%d are allowed)", row->words, CONFIG_CONTENTS_MOST);
        return;
    }
    const struct content *content = content_need(loader, file->path, row->type == SCHEMA_RULES);
    file->content = content->bytes;
    if (!content->reason) return;
    if (index < loader->sources->item_count[row->scope])
        *source_spoiled(loader->sources, row->scope, index) = true;
    loader_complain(loader, SEVERITY_ERROR, source_find(loader->sources, row, index), "%s: %.*s: %s",
                    row->words, TEXT_ARG(file->path), content->reason);
}

static void field_fill(struct loader *loader, const struct schema_row *row, void *base, size_t index)
{
    void *field = (char *)base + row->offset;
    if (row->type == SCHEMA_FILE || row->type == SCHEMA_RULES) {
        file_fill(loader, row, field, index);
        return;
    }
    struct signing_key_list *keys = field;
    for (size_t i = 0; i < keys->count; i++) file_fill(loader, row, &keys->items[i].file, index);
}

void contents_read_all(struct loader *loader)
{
    struct config *config = loader->config;
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++) {
        if (row->type != SCHEMA_FILE && row->type != SCHEMA_RULES && row->type != SCHEMA_KEYS) continue;
        if (row->scope == SCHEMA_GLOBAL) field_fill(loader, row, config, 0);
        for (size_t i = 0; row->scope == SCHEMA_LISTENER && i < config->listener_count; i++)
            field_fill(loader, row, &config->listeners[i], i);
        for (size_t i = 0; row->scope == SCHEMA_HOSTED && i < config->hosted_count; i++)
            field_fill(loader, row, &config->hosted[i], i);
        for (size_t i = 0; row->scope == SCHEMA_LIST && i < config->list_count; i++)
            field_fill(loader, row, &config->lists[i], i);
        for (size_t i = 0; row->scope == SCHEMA_DOMAIN && i < config->domain_count; i++)
            field_fill(loader, row, &config->domains[i], i);
    }
}
