/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each file: "BYTES PATH", a line end, its bytes, a line end. */
#include "config/folder_content.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "config/whole_file.h"

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_seen(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void whole_add(struct text path, struct text content, struct buffer *out)
{
    buffer_printf(out, "%zu %.*s\n", content.length, TEXT_ARG(path));
    buffer_add_text(out, content);
    buffer_add_char(out, '\n');
}

/* NULL, or the reason with the file's name. */
static const char *file_add(const char *folder, const char *name, struct arena *arena, struct buffer *out)
{
    struct text path = arena_printf(arena, "%s/%s", folder, name), content;
    bool is_open;
    const char *why = whole_file_read(path.at, FOLDER_BYTES_MOST, arena, &content, &is_open);
    if (why) return arena_printf(arena, "%s: %s", name, why).at;
    if (text_find_char(path, '\n') < path.length) return "has a file with a line end in its name";
    whole_add(path, content, out);
    return buffer_length(out) > FOLDER_BYTES_MOST ? "has more than 4 MiB of rules" : NULL;
}

const char *folder_content_read(const char *folder, struct text ending, struct arena *arena, struct text *out)
{
    struct dirent **entries = NULL;
    struct buffer all = { 0 };
    const char *why = NULL;
    int count = scandir(folder, &entries, is_seen, by_name), files = 0;
    if (count < 0) return errno == ENOENT ? NULL : strerror(errno);
    for (int i = 0; i < count; i++) {
        bool is_one = text_ends(text_of(entries[i]->d_name), ending);
        if (is_one && ++files > FOLDER_FILES_MOST) why = "has more than 200 files";
        if (is_one && !why) why = file_add(folder, entries[i]->d_name, arena, &all);
        free(entries[i]);
    }
    free(entries);
    if (!why) *out = arena_text(arena, buffer_text(&all));
    buffer_free(&all);
    return why;
}

bool folder_content_next(struct text *rest, struct text *out_path, struct text *out_content)
{
    struct text head = text_slice(*rest, 0, text_find_char(*rest, '\n'));
    size_t blank = text_find_char(head, ' ');
    uint64_t bytes;
    if (!text_to_number(text_slice(head, 0, blank), FOLDER_BYTES_MOST, &bytes)) return false;
    size_t from = head.length + 1;
    if (from + bytes >= rest->length) return false;
    *out_path = text_slice(head, blank + 1, head.length);
    *out_content = text_slice(*rest, from, from + bytes);
    *rest = text_slice(*rest, from + bytes + 1, rest->length);
    return true;
}

struct text folder_content_without(struct text content, struct text path, struct arena *arena)
{
    struct buffer out = { 0 };
    struct text one, bytes;
    while (folder_content_next(&content, &one, &bytes))
        if (!text_equal(one, path)) whole_add(one, bytes, &out);
    struct text kept = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return kept;
}
