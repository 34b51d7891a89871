/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "judged.h"

#include <stdlib.h>

#include "auth/dkim_selection.h"
#include "mail/base64.h"

void judged_header(struct arena *arena, struct text message, struct header *out)
{
    static const struct header_limits limits = { .bytes = 16 << 20, .fields = 1000000 };
    header_parse(arena, message, &limits, out);
}

void judged_make(struct zone *zone, struct text message, uint64_t now_s, struct judged *out)
{
    struct message_signatures read;
    struct buffer form = { 0 };
    struct dns_answers answers = zone_answers(zone);
    judged_header(zone->arena, message, &out->header);
    message_signatures_read(zone->arena, message, &out->header, &read);
    message_signatures_put(&read, &form);
    struct reader reader = reader_of(arena_text(zone->arena, buffer_text(&form)));
    buffer_free(&form);
    if (!message_signatures_get(zone->arena, &reader, &out->signatures) || !reader_done(&reader)) abort();
    if (!message_signatures_judge(zone->arena, &out->signatures, &answers, now_s, out->dkim, &out->arc))
        abort();
}

struct text judged_crlf(struct arena *arena, struct text text)
{
    char *out = arena_alloc(arena, 2 * text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r')) out[length++] = '\r';
        out[length++] = text.at[i];
    }
    return text_from(out, length);
}

struct text judged_record_of(struct arena *arena, const struct private_key *key)
{
    struct buffer out = { 0 };
    private_key_record_add(key, &out);
    struct text record = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return record;
}

struct text judged_sign(struct arena *arena, const struct private_key *key, const char *tags,
                        const char *names, enum canonical_form header_form, enum canonical_form body_form,
                        int64_t limit, struct text message)
{
    struct header header;
    struct running_digest digest;
    struct buffer raw = { 0 }, encoded = { 0 };
    uint8_t sum[KEY_DIGEST_BYTES];
    struct canonical_want want = { .form = body_form, .limit = limit };
    size_t budget = SIZE_MAX;
    judged_header(arena, message, &header);
    canonical_body_hash(text_slice(message, header.body_offset, message.length),
                        (struct canonical_want *[]){ &want }, 1);
    base64_add(&encoded, text_from((const char *)want.digest, sizeof want.digest));
    struct text field = arena_printf(arena, "DKIM-Signature: %s; bh=%.*s; h=%s; b=", tags,
                                     TEXT_ARG(buffer_text(&encoded)), names);
    running_digest_open(&digest);
    dkim_selection_add(dkim_selection_new(arena, &header), &digest, header_form, text_of(names), NULL,
                       &budget);
    canonical_field_add(&digest, header_form, field, false);
    running_digest_end(&digest, sum);
    running_digest_close(&digest);
    if (!private_key_sign(key, sum, &raw)) abort();
    buffer_clear(&encoded);
    base64_add(&encoded, buffer_text(&raw));
    struct text whole = arena_printf(arena, "%.*s%.*s\r\n%.*s", TEXT_ARG(field),
                                     TEXT_ARG(buffer_text(&encoded)), TEXT_ARG(message));
    buffer_free(&raw);
    buffer_free(&encoded);
    return whole;
}
