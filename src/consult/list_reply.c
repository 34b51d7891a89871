/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "consult/list_reply.h"

enum { RETRY_LEAST_MS = 60000, DOUBLINGS_MOST = 16 };

static void value_keep(struct text value, char room[LIST_VALIDATOR_SIZE])
{
    room[0] = '\0';
    if (value.length < LIST_VALIDATOR_SIZE && text_is_printable(value))
        text_copy_printable(value, room, LIST_VALIDATOR_SIZE);
}

void list_reply_line(struct text line, struct list_validators *validators)
{
    size_t colon = text_find_char(line, ':');
    struct text name = text_slice(line, 0, colon),
                value = text_trim(text_slice(line, colon + 1, line.length));
    if (text_starts_nocase(line, TEXT("HTTP/")))
        *validators = (struct list_validators){ 0 };
    else if (text_equal_nocase(name, TEXT("ETag")))
        value_keep(value, validators->etag);
    else if (text_equal_nocase(name, TEXT("Last-Modified")))
        value_keep(value, validators->modified);
}

bool list_reply_is_list(const char *content_type)
{
    struct text type = text_of(content_type);
    type = text_trim(text_slice(type, 0, text_find_char(type, ';')));
    if (type.length == 0 || text_equal_nocase(type, TEXT("application/octet-stream"))) return true;
    return text_starts_nocase(type, TEXT("text/")) && !text_equal_nocase(type, TEXT("text/html"));
}

uint64_t list_reply_retry_ms(uint32_t failures, uint64_t every_ms)
{
    uint32_t doublings = failures > DOUBLINGS_MOST ? DOUBLINGS_MOST : failures > 0 ? failures - 1 : 0;
    uint64_t retry_ms = (uint64_t)RETRY_LEAST_MS << doublings;
    return retry_ms < every_ms ? retry_ms : every_ms;
}
