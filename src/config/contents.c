/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files that settings name, each read once, found again by path. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#include "config/load_private.h"

static const char *descriptor_read(int fd, size_t most, struct arena *arena, struct text *out_bytes)
{
    struct buffer buffer = { 0 };
    const char *why = NULL;
    for (;;) {
        char *room = buffer_reserve(&buffer, 65536);
        ssize_t got = read(fd, room, 65536);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) why = strerror(errno);
        if (got <= 0) break;
        buffer_commit(&buffer, (size_t)got);
        if (buffer_length(&buffer) <= most) continue;
        why = most == CONFIG_FILE_MOST ? "is larger than 16 MiB" : "is larger than 64 MiB";
        break;
    }
    if (!why) *out_bytes = arena_text(arena, buffer_text(&buffer));
    buffer_free(&buffer);
    return why;
}

const char *contents_read(const char *path, size_t most, struct arena *arena, struct text *out_bytes,
                          bool *out_open)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return strerror(errno);
    const char *why = fstat(fd, &stat) != 0                               ? strerror(errno)
                      : S_ISDIR(stat.st_mode)                             ? "is a folder"
                      : !S_ISREG(stat.st_mode) && !S_ISFIFO(stat.st_mode) ? "is not a file"
                                                                          : NULL;
    if (!why) {
        fcntl(fd, F_SETFL, 0); /* it was O_NONBLOCK so that open() cannot hang; a pipe is waited for */
        *out_open = (stat.st_mode & S_IROTH) != 0;
        why = descriptor_read(fd, most, arena, out_bytes);
    }
    close(fd);
    return why;
}

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

static struct content *content_need(struct loader *loader, struct text path)
{
    struct content *known = content_find(loader, path), content = { .path = path };
    if (known) return known;
    if (loader->origin == CONTENT_BUNDLE)
        content.reason = "is not in the bundle";
    else
        content.reason = contents_read(path.at, CONFIG_CONTENT_MOST, loader->arena, &content.bytes,
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
    const struct content *content = content_need(loader, file->path);
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
    if (row->type == SCHEMA_FILE) {
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
        if (row->type != SCHEMA_FILE && row->type != SCHEMA_KEYS) continue;
        if (row->scope == SCHEMA_GLOBAL) field_fill(loader, row, config, 0);
        for (size_t i = 0; row->scope == SCHEMA_LISTENER && i < config->listener_count; i++)
            field_fill(loader, row, &config->listeners[i], i);
        for (size_t i = 0; row->scope == SCHEMA_HOSTED && i < config->hosted_count; i++)
            field_fill(loader, row, &config->hosted[i], i);
        for (size_t i = 0; row->scope == SCHEMA_DOMAIN && i < config->domain_count; i++)
            field_fill(loader, row, &config->domains[i], i);
    }
}
