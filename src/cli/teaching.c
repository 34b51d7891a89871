/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/teaching.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/codec.h"
#include "ipc/ask_master.h"
#include "ipc/channel.h"

enum { ANSWER_MS = 120000 };

/* The next part of the answer, into `out`. MASTER_DONE in its place ends all. */
static int part_take(struct teaching *teaching, struct buffer *out)
{
    struct frame frame;
    buffer_clear(out);
    if (!channel_wait(teaching->fd, ANSWER_MS, &frame)) {
        fputs("sekimori: the node or a process of it went away before it answered\n", stderr);
        return EX_TEMPFAIL;
    }
    struct reader reader = reader_of(frame.payload);
    int code = frame.type == MASTER_DONE ? get_u8(&reader) : EX_OK;
    struct text said = get_text(&reader);
    buffer_add_text(out, text_trim(said));
    if (frame.type == MASTER_MORE && !reader.failed) return EX_OK;
    fprintf(stderr, "sekimori: %.*s\n", TEXT_ARG(said));
    return code == EX_OK || reader.failed ? EX_PROTOCOL : code;
}

int teaching_begin(struct teaching *teaching, const struct control_target *target)
{
    int code = control_begin(target, TEXT("learn"), &teaching->fd);
    if (code != EX_OK) return code;
    code = part_take(teaching, &teaching->room);
    teaching->base_model = buffer_text(&teaching->room);
    return code;
}

int teaching_send(struct teaching *teaching, struct text lesson)
{
    channel_send_now(teaching->fd, MASTER_LESSON, 0, lesson, NULL, 0);
    int code = part_take(teaching, &teaching->answer);
    struct text word, rest = buffer_text(&teaching->answer);
    if (code != EX_OK || !text_next_word(&rest, &word)) return code;
    teaching->taught += text_equal(word, TEXT("taught"));
    teaching->changed += text_equal(word, TEXT("changed"));
    teaching->known += text_equal(word, TEXT("known"));
    return EX_OK;
}

void teaching_send_like(struct teaching *teaching, struct text sketch)
{
    if (sketch.length > 0) channel_send_now(teaching->fd, MASTER_LESSON_LIKE, 0, sketch, NULL, 0);
}

int teaching_end(struct teaching *teaching, int code)
{
    struct buffer last = { 0 };
    if (code == EX_OK) {
        channel_send_now(teaching->fd, MASTER_LESSONS_END, 0, TEXT_NONE, NULL, 0);
        code = control_end(teaching->fd, ANSWER_MS, NULL, NULL, &last);
        if (code != EX_OK) fprintf(stderr, "sekimori: %.*s\n", TEXT_ARG(buffer_text(&last)));
    } else if (teaching->fd >= 0) {
        close(teaching->fd);
    }
    buffer_free(&last);
    buffer_free(&teaching->room);
    buffer_free(&teaching->answer);
    return code;
}
