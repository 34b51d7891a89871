/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Bundle: 8 bytes of magic and version, u32 number of files, u64 length of the dump, the dump; then for each
   file u32 length of its path, u64 length of its content, path, content. Numbers are little-endian. */
#include "config/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "config/dump.h"
#include "config/load_private.h"

static const struct text MAGIC = TEXT("SEKIBDL1");

static void number_add(struct buffer *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) buffer_add_char(out, (char)(number >> (8 * i)));
}

/* Cuts a number, or `length` bytes, off the front; false when there are not so many. */
static bool number_take(struct text *rest, unsigned bytes, uint64_t *out)
{
    if (rest->length < bytes) return false;
    *out = 0;
    for (unsigned i = 0; i < bytes; i++) *out |= (uint64_t)(unsigned char)rest->at[i] << (8 * i);
    *rest = text_slice(*rest, bytes, rest->length);
    return true;
}

static bool bytes_take(struct text *rest, uint64_t length, struct text *out)
{
    if (rest->length < length) return false;
    *out = text_slice(*rest, 0, length);
    *rest = text_slice(*rest, length, rest->length);
    return true;
}

/* A file and what it is for: a key may serve TLS and sign mail, though nobody should want that. */
struct listed_file {
    const struct file_content *file;
    bool is_plain, is_signing_key, is_list_key, is_rules;
};

struct file_set {
    struct listed_file *items;
    size_t count;
};

static void file_collect(struct file_set *set, const void *base, enum schema_scope scope)
{
    for (size_t i = 0; i < schema_row_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        const void *field = (const char *)base + row->offset;
        const struct signing_key_list *keys = field;
        const struct file_content *file = field;
        if (row->scope != scope) continue;
        for (size_t k = 0; row->type == SCHEMA_KEYS && k < keys->count; k++)
            set->items[set->count++] =
                (struct listed_file){ .file = &keys->items[k].file, .is_signing_key = true };
        bool is_rules = row->type == SCHEMA_RULES;
        bool is_list_key = scope == SCHEMA_LIST && strcmp(row->words, "key") == 0;
        if ((row->type == SCHEMA_FILE || is_rules) && file->path.length > 0)
            set->items[set->count++] = (struct listed_file){ .file = file,
                                                             .is_plain = !is_rules && !is_list_key,
                                                             .is_list_key = is_list_key,
                                                             .is_rules = is_rules };
    }
}

static int by_path(const void *a, const void *b)
{
    const struct listed_file *first = a, *second = b;
    return text_compare(first->file->path, second->file->path);
}

/* One of each path, for all that it is for. */
static struct file_set files_merge(struct file_set set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set.count; i++) {
        struct listed_file *last = kept ? &set.items[kept - 1] : NULL, *next = &set.items[i];
        if (!last || !text_equal(last->file->path, next->file->path)) {
            set.items[kept++] = *next;
            continue;
        }
        last->is_plain = last->is_plain || next->is_plain;
        last->is_signing_key = last->is_signing_key || next->is_signing_key;
        last->is_list_key = last->is_list_key || next->is_list_key;
        last->is_rules = last->is_rules && next->is_rules;
    }
    set.count = kept;
    return set;
}

/* Every file of the configuration once, in the order of paths. */
static struct file_set files_of(const struct config *config)
{
    size_t most = 12 + config->listener_count * 4 + config->hosted_count + config->list_count * 2 +
                  config->domain_count * (2 + 2 * SIGNING_KEYS_MOST);
    struct file_set set = { .items = memory_alloc(most * sizeof *set.items) };
    file_collect(&set, config, SCHEMA_GLOBAL);
    for (size_t i = 0; i < config->listener_count; i++)
        file_collect(&set, &config->listeners[i], SCHEMA_LISTENER);
    for (size_t i = 0; i < config->hosted_count; i++) file_collect(&set, &config->hosted[i], SCHEMA_HOSTED);
    for (size_t i = 0; i < config->list_count; i++) file_collect(&set, &config->lists[i], SCHEMA_LIST);
    for (size_t i = 0; i < config->domain_count; i++) file_collect(&set, &config->domains[i], SCHEMA_DOMAIN);
    qsort(set.items, set.count, sizeof *set.items, by_path);
    return files_merge(set);
}

void config_bundle_files(const struct config *config,
                         void (*each)(void *context, const struct file_content *file), void *context)
{
    struct file_set files = files_of(config);
    for (size_t i = 0; i < files.count; i++) each(context, files.items[i].file);
    free(files.items);
}

static void certificates_add(struct text content, struct buffer *out)
{
    bool is_secret = false;
    struct text line;
    while (text_next_line(&content, &line)) {
        bool begins = text_starts(line, TEXT("-----BEGIN ")), ends = text_starts(line, TEXT("-----END "));
        if (begins) is_secret = text_find(line, TEXT("CERTIFICATE")) == line.length;
        if (!is_secret) buffer_add_text(out, line);
        if (!is_secret) buffer_add_char(out, '\n');
        if (ends) is_secret = false;
    }
}

static bool has_key(const struct config *config, const struct listed_file *listed, enum bundle_keys keys)
{
    if (listed->is_rules) return true; /* it has none: nothing is to be left out */
    switch (keys) {
    case BUNDLE_NO_KEYS:
        return false;
    case BUNDLE_NODE_KEY:
        return text_equal(listed->file->path, config->node.key.path);
    case BUNDLE_TLS_KEYS:
        return listed->is_plain;
    case BUNDLE_SIGNING_KEYS:
        return listed->is_signing_key;
    case BUNDLE_LIST_KEYS:
        return listed->is_list_key;
    case BUNDLE_ALL_KEYS:
        break;
    }
    return true;
}

static void file_write(const struct listed_file *listed, bool is_whole, struct buffer *out)
{
    struct buffer certificates = { 0 };
    const struct file_content *file = listed->file;
    struct text content = file->content;
    if (!is_whole && (listed->is_signing_key || listed->is_list_key)) content = TEXT_NONE;
    if (!is_whole && text_find(content, TEXT("-----BEGIN ")) < content.length) {
        certificates_add(content, &certificates);
        content = buffer_text(&certificates);
    }
    number_add(out, file->path.length, 4);
    number_add(out, content.length, 8);
    buffer_add_text(out, file->path);
    buffer_add_text(out, content);
    buffer_free(&certificates);
}

static void bundle_write(const struct config *config, enum bundle_keys keys, struct buffer *out)
{
    struct file_set files = files_of(config);
    struct buffer dump = { 0 };
    config_dump_said(config, &dump);
    buffer_add_text(out, MAGIC);
    number_add(out, files.count, 4);
    number_add(out, buffer_length(&dump), 8);
    buffer_add_text(out, buffer_text(&dump));
    for (size_t i = 0; i < files.count; i++)
        file_write(&files.items[i], has_key(config, &files.items[i], keys), out);
    buffer_free(&dump);
    free(files.items);
}

void config_bundle_write(const struct config *config, struct buffer *out)
{
    bundle_write(config, BUNDLE_ALL_KEYS, out);
}

int config_bundle_memory(const struct config *config, enum bundle_keys keys)
{
    struct buffer bundle = { 0 };
    bundle_write(config, keys, &bundle);
    int fd = memfd_create("configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool is_good = fd >= 0 && file_write_all(fd, buffer_text(&bundle)) &&
                   fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
    int error = errno;
    buffer_free(&bundle);
    if (fd >= 0 && !is_good) close(fd);
    errno = error;
    return is_good ? fd : -1;
}

static bool file_take(struct text *rest, struct content *out)
{
    uint64_t path_length, length;
    *out = (struct content){ 0 };
    return number_take(rest, 4, &path_length) && number_take(rest, 8, &length) && path_length > 0 &&
           bytes_take(rest, path_length, &out->path) && bytes_take(rest, length, &out->bytes);
}

static struct config *parts_load(struct text dump, const struct content *contents, size_t count, char *error,
                                 size_t size)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct config *config = load_bundled(dump, contents, count, &problems);
    for (size_t i = 0; !config && i < problems.count; i++) {
        if (problems.items[i].is_warning) continue;
        struct buffer line = { 0 };
        problem_print(&problems.items[i], &line);
        snprintf(error, size, "%.*s", TEXT_ARG(buffer_text(&line)));
        buffer_free(&line);
        break;
    }
    problem_list_free(&problems);
    return config;
}

struct config *config_bundle_read(struct text bundle, char *error, size_t size)
{
    struct text rest = bundle, magic, dump;
    uint64_t count, length;
    struct config *config = NULL;
    bool good = bytes_take(&rest, MAGIC.length, &magic) && text_equal(magic, MAGIC) &&
                number_take(&rest, 4, &count) && number_take(&rest, 8, &length) &&
                count <= CONFIG_CONTENTS_MOST && bytes_take(&rest, length, &dump);
    if (!good) {
        snprintf(error, size, "no bundle of this version");
        return NULL;
    }
    struct content *contents = memory_alloc((count + 1) * sizeof *contents);
    for (size_t i = 0; good && i < count; i++) good = file_take(&rest, &contents[i]);
    if (good && rest.length == 0)
        config = parts_load(dump, contents, count, error, size);
    else
        snprintf(error, size, "a bundle that is cut short or has bytes left over");
    free(contents);
    return config;
}
