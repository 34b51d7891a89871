/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Configurations, bundles and tables from foreign bytes. What loads must come back from its own dump. The
   first byte chooses: B a bundle, T a table, E an image of allow and block entries, anything else is part of
   a configuration. */
#include <stdlib.h>

#include "config/bundle.h"
#include "config/domains.h"
#include "config/dump.h"
#include "config/entry_image.h"
#include "config/load.h"
#include "config/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *load(struct text content)
{
    struct problem_list problems;
    struct buffer line = { 0 };
    problem_list_start(&problems);
    struct config *config = config_load_text(content, "fuzz", false, &problems);
    if (!config && problems.errors == 0) abort();
    for (size_t i = 0; i < problems.count; i++) problem_print(&problems.items[i], &line);
    buffer_free(&line);
    problem_list_free(&problems);
    return config;
}

static void must_equal(const struct config *a, const struct config *b)
{
    struct buffer first = { 0 }, second = { 0 };
    config_dump(a, &first, false);
    config_dump(b, &second, false);
    if (!text_equal(buffer_text(&first), buffer_text(&second))) abort();
    buffer_free(&first);
    buffer_free(&second);
}

static void configuration(struct text content)
{
    struct buffer out = { 0 };
    char why[256];
    struct config *config = load(content);
    if (!config) return;
    config_dump(config, &out, true);
    struct config *again = load(buffer_text(&out));
    if (!again) abort();
    must_equal(config, again);
    config_free(again);
    buffer_clear(&out);
    config_bundle_write(config, &out);
    again = config_bundle_read(buffer_text(&out), why, sizeof why);
    if (!again) abort();
    must_equal(config, again);
    if (!config_find_domain(config, content)) abort();
    config_free(again);
    config_free(config);
    buffer_free(&out);
}

static void bundle(struct text bytes)
{
    char why[256];
    struct buffer out = { 0 };
    struct config *config = config_bundle_read(bytes, why, sizeof why);
    if (config) config_dump(config, &out, true);
    config_free(config);
    buffer_free(&out);
}

static void recipients(struct text content)
{
    char why[256];
    struct table *table = table_new(content, why, sizeof why);
    if (table) (void)table_has(table, text_slice(content, 0, 8), TEXT("example.jp"));
    table_free(table);
}

/* The first 16 bytes are asked for, too, as a client and as a domain. */
static void entries(struct text image)
{
    struct entry_cursor cursor;
    struct sender_entry entry;
    struct address client = { { 0 } };
    memcpy(client.bytes, image.at, image.length < sizeof client ? image.length : sizeof client);
    for (unsigned bits = 0; bits <= 128; bits++) {
        if (!entry_image_has_bits(image, bits)) continue;
        entry_image_seek_network(image, &client, bits, &cursor);
        while (entry_image_next(&cursor, &entry))
            if (entry.verb >= ENTRY_VERBS) abort();
    }
    entry_image_seek(image, ENTRY_DOMAIN, text_slice(image, 0, sizeof client), &cursor);
    while (entry_image_next(&cursor, &entry))
        if (entry.verb >= ENTRY_VERBS) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data, size);
    if (size > 0 && data[0] == 'B')
        bundle(text_slice(bytes, 1, size));
    else if (size > 0 && data[0] == 'T')
        recipients(text_slice(bytes, 1, size));
    else if (size > 0 && data[0] == 'E')
        entries(text_slice(bytes, 1, size));
    else
        configuration(bytes);
    return 0;
}
