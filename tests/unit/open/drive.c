/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Opens one file as `open` does and prints what comes out, a line each. Driven by tests/flow/test_open.py.
   usage: unpack-drive FILE [FILE_BYTES TOTAL_BYTES FILES NESTING TIME_MS] */
#include <stdio.h>
#include <stdlib.h>

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

int main(int argc, char **argv)
{
    static const struct unpack_events events = { member, notice };
    struct unpack_limits limits = { 100 << 20, 400 << 20, 10000, 17, 30000 };
    struct unpack unpack;
    struct buffer file = { 0 };
    if (argc < 2) return 64;
    if (argc > 2) limits.file_bytes = strtoull(argv[2], NULL, 10);
    if (argc > 3) limits.total_bytes = strtoull(argv[3], NULL, 10);
    if (argc > 4) limits.files = (uint32_t)strtoul(argv[4], NULL, 10);
    if (argc > 5) limits.nesting = (uint32_t)strtoul(argv[5], NULL, 10);
    if (argc > 6) limits.time_ms = (uint32_t)strtoul(argv[6], NULL, 10);
    FILE *in = fopen(argv[1], "rb");
    if (!in) return 66;
    for (size_t got; (got = fread(buffer_reserve(&file, 65536), 1, 65536, in)) > 0;)
        buffer_commit(&file, got);
    fclose(in);
    printf("type %s\n", true_type_name(true_type_of(buffer_text(&file))));
    unpack_run(&unpack, &limits, &events, NULL, buffer_text(&file));
    buffer_free(&file);
    return 0;
}
