/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of an engine's answer. Written by consult, read by scan. */
#include "judge/engine_answer.h"

#include <math.h>

#include "base/codec.h"

static void printable_put(struct text text, struct buffer *out)
{
    char room[ENGINE_WORDS_MOST + 1];
    put_text(out, text_from(room, text_copy_printable(text, room, sizeof room)));
}

/* False: none that an opinion has, a NaN say. */
static bool points_get(struct reader *reader, double *out)
{
    *out = get_double(reader);
    return fabs(*out) <= ENGINE_SCORE_MOST;
}

void engine_answer_put(const struct engine_answer *answer, struct buffer *out)
{
    put_u8(out, (uint8_t)answer->state);
    put_u8(out, answer->is_oversize);
    printable_put(answer->name, out);
    printable_put(answer->version, out);
    put_double(out, answer->score);
    put_double(out, answer->line);
}

bool engine_answer_get(struct text bytes, struct engine_answer *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct engine_answer){ .state = get_u8(&reader) };
    out->is_oversize = get_u8(&reader) != 0;
    out->name = get_text(&reader);
    out->version = get_text(&reader);
    bool is_score = points_get(&reader, &out->score), is_line = points_get(&reader, &out->line);
    return is_score && is_line && reader_done(&reader) && out->state > SCAN_NOT_ASKED &&
           (unsigned)out->state <= SCAN_UNSCANNED && out->name.length <= ENGINE_WORDS_MOST &&
           out->version.length <= ENGINE_WORDS_MOST;
}
