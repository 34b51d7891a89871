/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Over a stream: a length of four bytes, then the mail; back, a length and the lesson, which is empty for
   what is no mail, and a length and the sketch. */
#include "cli/lesson_reader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "cli/jailed_reader.h"
#include "mail/digest.h"
#include "spam/campaign_sketch.h"
#include "spam/lesson.h"

enum { ANSWER_MS = 20000, CHILD_CPU_S = 3600, MAIL_MOST = 64 << 20, SKETCH_MOST = 1024 };
#define CHILD_SPACE_BYTES (UINT64_C(2) << 30)

struct lesson_reader {
    struct jailed_reader child;
    bool is_running;
    struct base_model *base;
};

/* --- both sides --- */

/* False: the other side is gone, or `timeout_ms` (-1: none) went by without a byte. */
static bool take(int fd, void *out, size_t size, int timeout_ms)
{
    char *to = out;
    while (size > 0) {
        struct pollfd wait_for = { fd, POLLIN, 0 };
        if (timeout_ms >= 0 && poll(&wait_for, 1, timeout_ms) <= 0) return false;
        ssize_t got = read(fd, to, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

static bool tell(int fd, struct text bytes)
{
    uint32_t length = (uint32_t)bytes.length;
    return file_write_all(fd, text_from((const char *)&length, sizeof length)) && file_write_all(fd, bytes);
}

/* --- the child --- */

static bool mail_is_one(struct arena *arena, struct text mail)
{
    return lesson_is_mail(mime_parse(arena, mail, &mime_limits_default, MIME_FIRST)->parts[0].header);
}

static void sketch_write(struct arena *arena, struct text mail, struct buffer *out)
{
    struct campaign_sketch sketch;
    campaign_sketch_message(arena, mime_parse(arena, mail, &mime_limits_default, MIME_FIRST), &sketch);
    if (!campaign_sketch_is_empty(&sketch)) campaign_sketch_put(&sketch, out);
}

static bool mail_serve(int channel, const struct base_model *base)
{
    uint32_t length;
    struct lesson lesson;
    struct buffer mail = { 0 }, answer = { 0 }, sketch = { 0 };
    if (!take(channel, &length, sizeof length, -1) || length > MAIL_MOST) return false;
    bool is_there = take(channel, buffer_reserve(&mail, length + 1), length, -1);
    struct arena *arena = arena_new(1 << 18);
    if (is_there) {
        buffer_commit(&mail, length);
        if (mail_is_one(arena, buffer_text(&mail))) {
            lesson_read(arena, buffer_text(&mail), base, &lesson);
            lesson_write(&lesson, &answer);
            sketch_write(arena, buffer_text(&mail), &sketch);
        }
        is_there = tell(channel, buffer_text(&answer)) && tell(channel, buffer_text(&sketch));
    }
    arena_free(arena);
    buffer_free(&mail);
    buffer_free(&answer);
    buffer_free(&sketch);
    return is_there;
}

static void serve(int channel, const void *context)
{
    while (mail_serve(channel, context)) continue;
}

/* --- the parent --- */

static bool child_start(struct lesson_reader *reader)
{
    const struct jailed_reader_order order = { .name = "lesson reader",
                                               .socket_type = SOCK_STREAM,
                                               .space_bytes = CHILD_SPACE_BYTES,
                                               .cpu_s = CHILD_CPU_S,
                                               .has_jail = true,
                                               .serve = serve,
                                               .context = reader->base };
    reader->is_running = jailed_reader_start(&order, &reader->child);
    return reader->is_running;
}

static void child_end(struct lesson_reader *reader)
{
    if (reader->is_running) jailed_reader_end(&reader->child);
    reader->is_running = false;
}

struct lesson_reader *lesson_reader_start(struct text base_model)
{
    char path[4096], why[300];
    struct lesson_reader *reader = memory_alloc(sizeof *reader);
    uint8_t digest[DIGEST_BYTES];
    signal(SIGPIPE, SIG_IGN);
    digest_sha256(TEXT("what OpenSSL opens when it is first used is out of the child's reach"), digest);
    if (base_model.length > 0 && base_model.length < sizeof path) {
        snprintf(path, sizeof path, "%.*s", TEXT_ARG(base_model));
        reader->base = base_model_open(path, why, sizeof why);
        if (!reader->base) fprintf(stderr, "sekimori: mails are learned without the base model: %s\n", why);
    }
    if (child_start(reader)) return reader;
    fprintf(stderr, "sekimori: no process to read mails in: %s\n", strerror(errno));
    lesson_reader_stop(reader);
    return NULL;
}

void lesson_reader_stop(struct lesson_reader *reader)
{
    if (!reader) return;
    child_end(reader);
    base_model_close(reader->base);
    free(reader);
}

static bool part_take(struct lesson_reader *reader, size_t most, struct buffer *out)
{
    uint32_t length = 0;
    int channel = reader->child.channel;
    buffer_clear(out);
    if (!take(channel, &length, sizeof length, ANSWER_MS) || length > most ||
        !take(channel, buffer_reserve(out, (size_t)length + 1), length, ANSWER_MS))
        return false;
    buffer_commit(out, length);
    return true;
}

enum lesson_reading lesson_reader_read(struct lesson_reader *reader, struct text mail, struct buffer *out,
                                       struct buffer *out_sketch)
{
    if (mail.length > MAIL_MOST || (!reader->is_running && !child_start(reader)))
        return LESSON_READING_FAILED;
    bool is_read = tell(reader->child.channel, mail) && part_take(reader, LESSON_BYTES_MOST, out) &&
                   part_take(reader, SKETCH_MOST, out_sketch);
    if (!is_read) {
        child_end(reader);
        return LESSON_READING_FAILED;
    }
    return buffer_length(out) > 0 ? LESSON_READING_DONE : LESSON_READING_NO_MAIL;
}
