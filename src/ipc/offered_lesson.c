/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ipc/offered_lesson.h"

#include "ipc/ring.h"

enum { DOMAIN_MOST = 255 };

bool offered_lesson_put(const struct offered_lesson *offered, struct buffer *out)
{
    size_t start = buffer_length(out);
    put_u8(out, EVENT_OFFERED);
    put_u64(out, offered->id);
    put_u64(out, offered->time_ms);
    put_u8(out, offered->is_spam);
    buffer_add(out, offered->client.bytes, sizeof offered->client.bytes);
    put_text(out, text_slice(offered->author, 0, DOMAIN_MOST));
    put_text(out, text_slice(offered->organization, 0, DOMAIN_MOST));
    put_text(out, offered->sketch);
    put_text(out, offered->lesson);
    if (buffer_length(out) - start <= RING_RECORD_LIMIT) return true;
    buffer_truncate(out, start);
    return false;
}

bool offered_lesson_get(struct text event, struct offered_lesson *out)
{
    struct reader reader = reader_of(event);
    if (get_u8(&reader) != EVENT_OFFERED) return false;
    *out = (struct offered_lesson){ .id = get_u64(&reader) };
    out->time_ms = get_u64(&reader);
    uint8_t is_spam = get_u8(&reader);
    out->is_spam = is_spam == 1;
    get_bytes(&reader, out->client.bytes, sizeof out->client.bytes);
    out->author = get_text(&reader);
    out->organization = get_text(&reader);
    out->sketch = get_text(&reader);
    out->lesson = get_text(&reader);
    return reader_done(&reader) && is_spam <= 1 && out->author.length <= DOMAIN_MOST &&
           out->organization.length <= DOMAIN_MOST;
}
