/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a server of a list may say: lines of a head, the address that it leads to, and a record as it may lie
   in the folder. What is taken is printable, and within its bounds. */
#include <stdlib.h>

#include "consult/list_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void validators_check(const struct list_validators *validators)
{
    if (!text_is_printable(text_of(validators->etag)) || !text_is_printable(text_of(validators->modified)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data, size), rest = bytes, line;
    struct list_validators validators = { { 0 }, { 0 } };
    struct list_record record, again;
    struct web_address where;
    while (text_next_line(&rest, &line)) list_reply_line(line, &validators);
    validators_check(&validators);
    if (web_address_read(bytes, &where) && (where.host.length == 0 || where.port == 0)) abort();
    if (!list_record_parse(bytes, &record)) return 0;
    validators_check(&record.validators);
    struct buffer text = { 0 };
    list_record_print(&record, &text);
    if (!list_record_parse(buffer_text(&text), &again)) abort();
    buffer_free(&text);
    return 0;
}
