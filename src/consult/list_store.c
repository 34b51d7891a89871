/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "consult/list_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/list_setting.h"

#define ABOUT ".about"

enum { NAME_SIZE = LIST_NAME_MOST + 40, RECORD_MOST = 4096, STRAYS_MOST = 200 };

/* --- the record --- */

void list_record_print(const struct list_record *record, struct buffer *out)
{
    buffer_printf(out, "%s\n%s\n%s\n%" PRIu64 "\n%" PRIu64 "\n%" PRIu64 "\n", record->url,
                  record->validators.etag, record->validators.modified, record->fetched_ms, record->came_ms,
                  record->bytes);
}

static bool word_take(struct text *rest, char *room, size_t size)
{
    struct text line;
    if (!text_next_line(rest, &line) || line.length >= size || !text_is_printable(line)) return false;
    text_copy_printable(line, room, size);
    return true;
}

static bool number_take(struct text *rest, uint64_t *out)
{
    struct text line;
    return text_next_line(rest, &line) && text_to_number(line, UINT64_MAX / 10, out);
}

bool list_record_parse(struct text text, struct list_record *out)
{
    *out = (struct list_record){ 0 };
    return word_take(&text, out->url, sizeof out->url) &&
           word_take(&text, out->validators.etag, sizeof out->validators.etag) &&
           word_take(&text, out->validators.modified, sizeof out->validators.modified) &&
           number_take(&text, &out->fetched_ms) && number_take(&text, &out->came_ms) &&
           number_take(&text, &out->bytes) && text.length == 0;
}

/* --- the folder --- */

static const char *about_name(const char *name, const char *suffix, char room[NAME_SIZE])
{
    snprintf(room, NAME_SIZE, "%s%s", name, suffix);
    return room;
}

bool list_store_read(int folder, const char *name, struct list_record *out)
{
    char room[NAME_SIZE], bytes[RECORD_MOST];
    *out = (struct list_record){ 0 };
    int fd = openat(folder, about_name(name, ABOUT, room), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : pread(fd, bytes, sizeof bytes, 0);
    if (fd >= 0) close(fd);
    if (length > 0 && list_record_parse(text_from(bytes, (size_t)length), out)) return true;
    *out = (struct list_record){ 0 };
    return false;
}

int list_store_open(int folder, const char *name, const struct list_record *record)
{
    struct stat facts;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -1;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && (uint64_t)facts.st_size == record->bytes)
        return fd;
    close(fd);
    return -1;
}

bool list_store_note(int folder, const char *name, const struct list_record *record)
{
    char room[NAME_SIZE];
    struct buffer text = { 0 };
    list_record_print(record, &text);
    bool is_good = file_replace(folder, about_name(name, ABOUT, room), buffer_text(&text), 0600);
    buffer_free(&text);
    return is_good;
}

static bool copy(int from, int to, uint64_t bytes)
{
    off_t at = 0;
    while ((uint64_t)at < bytes) {
        ssize_t sent = sendfile(to, from, &at, (size_t)(bytes - (uint64_t)at));
        if (sent < 0 && errno == EINTR) continue;
        if (sent == 0) errno = EIO;
        if (sent <= 0) return false;
    }
    return true;
}

bool list_store_write(int folder, const char *name, int fd, const struct list_record *record)
{
    char made[NAME_SIZE];
    about_name(name, ".new", made);
    int to = file_begin(folder, made, 0600);
    bool is_good = to >= 0 && copy(fd, to, record->bytes);
    return file_finish(to, is_good, folder, made, name) && list_store_note(folder, name, record);
}

static bool is_stray(const char *name, bool (*is_kept)(void *context, struct text name), void *context)
{
    struct text word = text_of(name);
    if (name[0] == '.') return false;
    if (text_ends(word, TEXT(ABOUT))) word.length -= sizeof ABOUT - 1;
    return !is_kept(context, word);
}

void list_store_sweep(int folder, bool (*is_kept)(void *context, struct text name), void *context)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = copy < 0 ? NULL : fdopendir(copy);
    if (!all && copy >= 0) close(copy);
    if (!all) return;
    const struct dirent *entry;
    for (unsigned i = 0; i < STRAYS_MOST && (entry = readdir(all)); i++)
        if (is_stray(entry->d_name, is_kept, context)) unlinkat(folder, entry->d_name, 0);
    closedir(all);
}
