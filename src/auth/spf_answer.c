/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* receive carries the byte form and does not read it. */
#include "auth/spf_answer.h"

enum { TEXT_MOST = 1000 };

bool spf_answer_evaluate(struct arena *arena, struct dns_answers *answers, const struct spf_request *request,
                         struct spf_answer *out)
{
    struct spf_request helo = *request;
    helo.sender = TEXT_NONE;
    bool is_helo_known = spf_evaluate(arena, answers, &helo, &out->helo);
    if (request->sender.length == 0) {
        out->sender = out->helo;
        return is_helo_known;
    }
    return spf_evaluate(arena, answers, request, &out->sender) && is_helo_known;
}

static void result_put(const struct spf_result *result, struct buffer *out)
{
    put_u8(out, (uint8_t)result->outcome);
    put_text(out, text_slice(result->domain, 0, TEXT_MOST));
    put_text(out, text_slice(result->mechanism, 0, TEXT_MOST));
    put_text(out, text_slice(result->explanation, 0, TEXT_MOST));
    put_text(out, text_slice(text_of(result->reason), 0, TEXT_MOST));
}

void spf_answer_put(const struct spf_answer *answer, struct buffer *out)
{
    result_put(&answer->sender, out);
    result_put(&answer->helo, out);
}

static void result_get(struct arena *arena, struct reader *reader, struct spf_result *out)
{
    *out = (struct spf_result){ .outcome = get_u8(reader) };
    out->domain = get_text(reader);
    out->mechanism = get_text(reader);
    out->explanation = get_text(reader);
    out->reason = arena_text(arena, get_text(reader)).at;
    if (out->outcome >= SPF_OUTCOME_COUNT) reader->failed = true;
}

bool spf_answer_get(struct arena *arena, struct text bytes, struct spf_answer *out)
{
    struct reader reader = reader_of(bytes);
    result_get(arena, &reader, &out->sender);
    result_get(arena, &reader, &out->helo);
    return reader_done(&reader);
}
