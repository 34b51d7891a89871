/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/spf_memory.h"

#include "auth/spf_answer.h"

void spf_memory_free(struct spf_memory *memory)
{
    buffer_free(&memory->bytes);
}

static bool knows(const struct spf_memory *memory, struct text subject, uint64_t now_ms)
{
    return buffer_length(&memory->bytes) > 0 && now_ms - memory->asked_ms <= SPF_MEMORY_MS &&
           text_equal(text_slice(buffer_text(&memory->bytes), 0, memory->subject_length), subject);
}

void spf_memory_add(struct spf_memory *memory, struct question_set *questions, struct text subject,
                    uint64_t now_ms)
{
    if (!knows(memory, subject, now_ms)) {
        buffer_clear(&memory->bytes);
        memory->asked_ms = now_ms;
        question_set_add(questions, QUESTION_OF_MESSAGE, QUESTION_SPF, subject);
        return;
    }
    struct text bytes = buffer_text(&memory->bytes);
    const struct question known = { QUESTION_SPF, subject, ANSWER_FOUND,
                                    text_slice(bytes, memory->subject_length, bytes.length) };
    question_set_know(questions, QUESTION_OF_MESSAGE, &known);
}

static const struct question *spf_of(const struct question_set *questions)
{
    for (uint32_t i = questions->of_session; i < questions->count; i++)
        if (questions->items[i].kind == QUESTION_SPF) return &questions->items[i];
    return NULL;
}

static bool is_settled(struct arena *arena, struct text value)
{
    struct spf_answer answer;
    return spf_answer_get(arena, value, &answer) && answer.sender.outcome != SPF_TEMPERROR &&
           answer.helo.outcome != SPF_TEMPERROR;
}

void spf_memory_keep(struct spf_memory *memory, const struct question_set *questions, struct arena *arena)
{
    const struct question *asked = spf_of(questions);
    if (buffer_length(&memory->bytes) > 0 || !asked || asked->status != ANSWER_FOUND) return;
    if (asked->subject.length + asked->value.length > SPF_MEMORY_BYTES || !is_settled(arena, asked->value))
        return;
    buffer_add_text(&memory->bytes, asked->subject);
    buffer_add_text(&memory->bytes, asked->value);
    memory->subject_length = asked->subject.length;
}
