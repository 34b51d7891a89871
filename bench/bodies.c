/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Makes or reads the mails of a load run and brings them into the form of the wire. */
#include "bodies.h"

#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/die.h"

enum { LINE_LENGTH = 72 };

/* splitmix64: one addition and a mix. */
uint64_t bodies_random(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

static struct text text_kept(const struct buffer *buffer)
{
    return (struct text){ memory_string(buffer_text(buffer)), buffer_length(buffer) };
}

static void words_add(struct buffer *out, size_t length, uint64_t *state)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t draw = bodies_random(state);
        bool inner = i > 0 && i + 1 < length;
        buffer_add_char(out, inner && draw % 6 == 0 ? ' ' : (char)('a' + (draw >> 8) % 26));
    }
    buffer_add(out, "\r\n", 2);
}

static void header_add(struct buffer *out, size_t number, const char *from, const char *to, uint64_t seed)
{
    char date[64];
    time_t now = time(NULL);
    struct tm parts;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &parts));
    buffer_printf(out, "From: <%s>\r\nTo: <%s>\r\nSubject: Minutes of meeting %zu\r\nDate: %s\r\n", from, to,
                  number, date);
    buffer_printf(out, "Message-ID: <%zu.%llx@bench.example>\r\nMIME-Version: 1.0\r\n", number,
                  (unsigned long long)seed);
    buffer_printf(out, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
}

struct bodies bodies_make(size_t count, size_t size_bytes, const char *from, const char *to, uint64_t seed)
{
    struct bodies bodies = { memory_alloc(count * sizeof *bodies.items), count };
    uint64_t state = seed;
    for (size_t i = 0; i < count; i++) {
        struct buffer out = { 0 };
        header_add(&out, i, from, to, seed);
        while (size_bytes > buffer_length(&out) + 2) {
            size_t left = size_bytes - buffer_length(&out) - 2;
            /* A rest of one or two octets cannot be a line of its own. */
            size_t line = left <= LINE_LENGTH ? left : left < LINE_LENGTH + 3 ? left / 2 : LINE_LENGTH;
            words_add(&out, line, &state);
        }
        buffer_add(&out, ".\r\n", 3);
        bodies.items[i] = text_kept(&out);
        buffer_free(&out);
    }
    return bodies;
}

static struct text wire_form(struct text mail)
{
    struct buffer out = { 0 };
    if (text_starts(mail, TEXT("From "))) {
        size_t first = text_find_char(mail, '\n');
        mail = text_slice(mail, first + 1, mail.length);
    }
    for (size_t i = 0; i < mail.length;) {
        size_t end = i;
        while (end < mail.length && mail.at[end] != '\r' && mail.at[end] != '\n') end++;
        if (mail.at[i] == '.') buffer_add_char(&out, '.');
        buffer_add(&out, mail.at + i, end - i);
        buffer_add(&out, "\r\n", 2);
        i = end + (end + 1 < mail.length && mail.at[end] == '\r' && mail.at[end + 1] == '\n' ? 2 : 1);
    }
    buffer_add(&out, ".\r\n", 3);
    struct text kept = text_kept(&out);
    buffer_free(&out);
    return kept;
}

static struct text file_text(const char *path, size_t size)
{
    char *bytes = memory_alloc(size);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die_errno("cannot read %s", path);
    size_t length = 0;
    for (ssize_t got; length < size && (got = read(fd, bytes + length, size - length)) != 0;) {
        if (got < 0) die_errno("cannot read %s", path);
        length += (size_t)got;
    }
    close(fd);
    return (struct text){ bytes, length };
}

static int wire_order(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static void body_add(struct bodies *bodies, const char *path, size_t size)
{
    struct text mail = file_text(path, size);
    bodies->items = memory_grow(bodies->items, (bodies->count + 1) * sizeof *bodies->items);
    bodies->items[bodies->count++] = wire_form(mail);
    free((char *)mail.at);
}

static void bodies_shuffle(struct bodies *bodies, uint64_t seed)
{
    for (size_t i = bodies->count - 1; i > 0; i--) {
        size_t other = bodies_random(&seed) % (i + 1);
        struct text item = bodies->items[i];
        bodies->items[i] = bodies->items[other];
        bodies->items[other] = item;
    }
}

struct bodies bodies_read(const char *folder, uint64_t seed)
{
    struct bodies bodies = { 0 };
    char *const roots[] = { (char *)folder, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk) die_errno("cannot read %s", folder);
    for (FTSENT *entry; (entry = fts_read(walk));)
        if (entry->fts_info == FTS_F && entry->fts_statp->st_size > 0)
            body_add(&bodies, entry->fts_path, (size_t)entry->fts_statp->st_size);
    fts_close(walk);
    if (bodies.count == 0) die("%s: no mail in it", folder);
    /* The order of a folder differs from disk to disk: sort, then shuffle. */
    qsort(bodies.items, bodies.count, sizeof *bodies.items, wire_order);
    bodies_shuffle(&bodies, seed);
    return bodies;
}

void bodies_free(struct bodies *bodies)
{
    for (size_t i = 0; i < bodies->count; i++) free((char *)bodies->items[i].at);
    free(bodies->items);
    *bodies = (struct bodies){ 0 };
}
