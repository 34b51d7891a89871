/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "judge/list_answer.h"

#include "base/codec.h"
#include "config/list_setting.h"

void list_subject_put(enum list_about about, struct text value, struct buffer *out)
{
    buffer_printf(out, "%s %.*s", list_about_name(about), TEXT_ARG(text_slice(value, 0, LIST_VALUE_MOST)));
}

bool list_subject_get(struct text subject, enum list_about *out_about, struct text *out_value)
{
    size_t blank = text_find_char(subject, ' ');
    struct text word = text_slice(subject, 0, blank);
    *out_value = text_slice(subject, blank + 1, subject.length);
    for (unsigned about = 0; about < LIST_ABOUTS; about++) {
        *out_about = about;
        if (text_equal(word, text_of(list_about_name(about))))
            return out_value->length > 0 && out_value->length <= LIST_VALUE_MOST;
    }
    return false;
}

void list_answer_put(const struct list_answer *answer, struct buffer *out)
{
    put_u8(out, answer->is_incomplete);
    put_u32(out, answer->hit_count);
    for (uint32_t i = 0; i < answer->hit_count; i++) {
        const struct list_hit *hit = &answer->hits[i];
        put_text(out, hit->list);
        buffer_add(out, hit->answer.bytes, sizeof hit->answer.bytes);
        put_u32(out, hit->line);
        put_text(out, text_slice(hit->reason, 0, LIST_REASON_MOST));
    }
}

bool list_answer_get(struct text bytes, struct list_answer *out)
{
    struct reader reader = reader_of(bytes);
    unsigned is_incomplete = get_u8(&reader);
    *out = (struct list_answer){ .is_incomplete = is_incomplete == 1 };
    out->hit_count = get_count(&reader, LIST_HITS_MOST, sizeof(struct address) + 3 * sizeof(uint32_t));
    for (uint32_t i = 0; i < out->hit_count; i++) {
        struct list_hit *hit = &out->hits[i];
        hit->list = get_text(&reader);
        get_bytes(&reader, hit->answer.bytes, sizeof hit->answer.bytes);
        hit->line = get_u32(&reader);
        hit->reason = get_text(&reader);
    }
    return reader_done(&reader) && is_incomplete <= 1;
}

static void printable_add(struct text text, struct buffer *out)
{
    char room[LIST_VALUE_MOST + 16];
    buffer_add(out, room, text_copy_printable(text, room, sizeof room));
}

void list_hit_say(struct text subject, const struct list_hit *hit, const char *means, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    bool has_answer = !address_is_zero(&hit->answer);
    struct text reason = means ? text_of(means) : hit->reason;
    printable_add(text_slice(subject, 0, LIST_SHOWN_MOST), out);
    if (subject.length > LIST_SHOWN_MOST) buffer_add_text(out, TEXT("..."));
    buffer_add_text(out, TEXT(" is listed by "));
    printable_add(hit->list, out);
    if (reason.length > 0) buffer_add_text(out, TEXT(": "));
    printable_add(reason, out);
    if (has_answer) buffer_printf(out, " (%s)", address_print(&hit->answer, room));
}
