/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Opens one file as `open` does and prints what comes out, a line each. Driven by tests/flow/test_open.py.
   usage: unpack-drive FILE [FILE_BYTES TOTAL_BYTES FILES NESTING TIME_MS]
          unpack-drive --cuts STEP FILE   the first STEP bytes, twice as many … alone, each after "cut LENGTH"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "open/unpack.h"

static bool member(void *context, struct text path, struct text bytes)
{
    static const struct text wanted = { "EICAR", 5 };
    bool is_found = text_find(bytes, wanted) < bytes.length;
    printf("member %.*s %zu%s\n", TEXT_ARG(path), bytes.length, is_found ? " EICAR" : "");
    return true;
}

static void notice(void *context, enum unpack_notice notice, struct text path, struct text what)
{
    static const char *const names[] = { "limits", "not-opened", "encrypted" };
    printf("%s %.*s: %.*s\n", names[notice], TEXT_ARG(path), TEXT_ARG(what));
}

static const struct unpack_events events = { member, notice };

static void file_read(const char *name, struct buffer *out)
{
    FILE *in = fopen(name, "rb");
    if (!in) exit(66);
    for (size_t got; (got = fread(buffer_reserve(out, 65536), 1, 65536, in)) > 0;) buffer_commit(out, got);
    fclose(in);
}

static int cuts(size_t step, struct text bytes, const struct unpack_limits *limits)
{
    struct unpack unpack;
    for (size_t length = step; length > 0 && length < bytes.length; length += step) {
        char *copy = malloc(length); /* what is read beyond its end, the sanitizers tell */
        if (!copy) return 71;
        memcpy(copy, bytes.at, length);
        printf("cut %zu\n", length);
        unpack_run(&unpack, limits, &events, NULL, text_from(copy, length));
        free(copy);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct unpack_limits limits = { 100 << 20, 400 << 20, 10000, 17, 30000 };
    struct unpack unpack;
    struct buffer file = { 0 };
    if (argc < 2) return 64;
    if (argc == 4 && strcmp(argv[1], "--cuts") == 0) {
        file_read(argv[3], &file);
        return cuts(strtoul(argv[2], NULL, 10), buffer_text(&file), &limits);
    }
    if (argc > 2) limits.file_bytes = strtoull(argv[2], NULL, 10);
    if (argc > 3) limits.total_bytes = strtoull(argv[3], NULL, 10);
    if (argc > 4) limits.files = (uint32_t)strtoul(argv[4], NULL, 10);
    if (argc > 5) limits.nesting = (uint32_t)strtoul(argv[5], NULL, 10);
    if (argc > 6) limits.time_ms = (uint32_t)strtoul(argv[6], NULL, 10);
    file_read(argv[1], &file);
    printf("type %s\n", true_type_name(true_type_of(buffer_text(&file))));
    unpack_run(&unpack, &limits, &events, NULL, buffer_text(&file));
    buffer_free(&file);
    return 0;
}
