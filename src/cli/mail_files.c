/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads messages for `sekimori send`. */
#include "cli/mail_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

/* Bytes that it has as CRLF, at most. */
static size_t crlf_most(struct text text)
{
    size_t ends = 0;
    for (size_t i = 0; i < text.length; i++) ends += text.at[i] == '\r' || text.at[i] == '\n';
    return text.length + ends;
}

void mail_crlf(struct text text, struct buffer *out)
{
    char *room = buffer_reserve(out, crlf_most(text)), *to = room;
    for (size_t at = 0; at < text.length; at++) {
        char c = text.at[at];
        bool is_end = c == '\r' || c == '\n';
        *to++ = is_end ? '\r' : c;
        if (is_end) *to++ = '\n';
        if (c == '\r' && at + 1 < text.length && text.at[at + 1] == '\n') at++;
    }
    buffer_commit(out, (size_t)(to - room));
    struct text all = buffer_text(out);
    if (all.length > 0 && !text_ends(all, TEXT("\r\n"))) buffer_add(out, "\r\n", 2);
}

bool mail_is_mailbox_line(struct text line)
{
    if (!text_starts(line, TEXT("From "))) return false;
    for (size_t i = 7; i + 2 < line.length; i++)
        if (line.at[i] == ':' && char_is_digit(line.at[i - 1]) && char_is_digit(line.at[i + 1])) return true;
    return false;
}

bool mail_is_mailbox(struct text content)
{
    struct text line;
    bool is_behind_blank = false;
    if (!text_next_line(&content, &line) || !mail_is_mailbox_line(line)) return false;
    while (text_next_line(&content, &line)) {
        if (is_behind_blank && mail_is_mailbox_line(line)) return true;
        is_behind_blank = text_trim(line).length == 0;
    }
    return false;
}

static bool read_all(int fd, struct buffer *out)
{
    enum { STEP = 65536 };
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(out, STEP), STEP);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        buffer_commit(out, (size_t)got);
        if (buffer_length(out) <= MAIL_FILE_MOST) continue;
        errno = EFBIG;
        return false;
    }
}

static bool add_one(struct mail_files *files, const char *path, int fd)
{
    struct buffer raw = { 0 };
    bool good = fd >= 0 && read_all(fd, &raw);
    if (!good) fprintf(stderr, "sekimori: %s: %s\n", path, strerror(errno));
    if (fd > STDIN_FILENO) close(fd);
    if (good) {
        files->items = memory_grow(files->items, (files->count + 1) * sizeof *files->items);
        struct mail_file *file = &files->items[files->count++];
        *file = (struct mail_file){ memory_string(text_of(path)), { 0 } };
        mail_crlf(buffer_text(&raw), &file->content);
    }
    buffer_free(&raw);
    return good;
}

static bool add_folder(struct mail_files *files, const char *path)
{
    struct dirent **list;
    int count = scandir(path, &list, NULL, alphasort);
    bool good = count >= 0;
    if (!good) fprintf(stderr, "sekimori: %s: %s\n", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char file[4096];
        struct stat facts;
        snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
        bool is_file = good && list[i]->d_name[0] != '.' && stat(file, &facts) == 0 && S_ISREG(facts.st_mode);
        if (is_file) good = add_one(files, file, open(file, O_RDONLY | O_CLOEXEC));
        free(list[i]);
    }
    if (count >= 0) free(list);
    return good;
}

bool mail_files_add(struct mail_files *files, const char *path)
{
    struct stat facts;
    if (strcmp(path, "-") == 0) return add_one(files, "standard input", STDIN_FILENO);
    if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) return add_folder(files, path);
    return add_one(files, path, open(path, O_RDONLY | O_CLOEXEC));
}
