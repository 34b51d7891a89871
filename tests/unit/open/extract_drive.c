/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Extracts from files as `open` does and prints what is found, a line each. Driven by tests/flow/test_open.py
   and bench/codes. usage: extract-drive KIND FILE…   KIND: pdf, picture, svg, plain, html; the files are
   those of one message extract-drive --codes FILE…   each a picture of its own in PGM: microseconds and the
   first code
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "open/code_finder.h"
#include "open/extract.h"

static void found(void *context, enum found_kind kind, struct text text)
{
    static const char *const names[] = { "text", "link", "code" };
    printf("%s %.*s\n", names[kind], TEXT_ARG(text));
}

static void notice(void *context, enum open_notice_kind kind, struct text what)
{
    static const char *const names[] = { "limits", "not-opened", "encrypted" };
    printf("%s %.*s\n", names[kind], TEXT_ARG(what));
}

static void file_read(const char *name, struct buffer *out)
{
    FILE *in = fopen(name, "rb");
    if (!in) exit(66);
    for (size_t got; (got = fread(buffer_reserve(out, 65536), 1, 65536, in)) > 0;) buffer_commit(out, got);
    fclose(in);
}

static enum extract_kind kind_of(const char *name)
{
    static const char *const names[] = { "pdf", "picture", "svg", "plain", "html" };
    for (unsigned i = 0; i < EXTRACT_KIND_COUNT; i++)
        if (strcmp(name, names[i]) == 0) return (enum extract_kind)i;
    exit(64);
}

static void first_keep(void *context, struct text code)
{
    struct buffer *first = context;
    if (buffer_length(first) == 0) buffer_add_text(first, code);
}

static int codes(int count, char **names)
{
    for (int i = 0; i < count; i++) {
        struct bitmap bitmap;
        struct buffer file = { 0 }, first = { 0 };
        unsigned width, height;
        int at;
        file_read(names[i], &file);
        buffer_add_char(&file, '\0');
        if (sscanf(file.memory, "P5 %u %u 255%n", &width, &height, &at) != 2) return 65;
        if (!bitmap_new(&bitmap, width, height)) return 65;
        memcpy(bitmap.grey, file.memory + at + 1, (size_t)width * height);
        clock_t begun = clock();
        code_finder_look(&bitmap, first_keep, &first);
        printf("%ld %.*s\n", (long)(clock() - begun), TEXT_ARG(buffer_text(&first)));
        bitmap_free(&bitmap);
        buffer_free(&file);
        buffer_free(&first);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct extract_events events = { found, notice };
    struct extract extract;
    if (argc < 3) return 64;
    if (strcmp(argv[1], "--codes") == 0) return codes(argc - 2, argv + 2);
    extract_warm_up();
    extract_begin(&extract, &events, NULL);
    for (int i = 2; i < argc; i++) {
        struct buffer file = { 0 };
        file_read(argv[i], &file);
        extract_run(&extract, kind_of(argv[1]), buffer_text(&file), 20000);
        buffer_free(&file);
    }
    extract_end(&extract);
    return 0;
}
