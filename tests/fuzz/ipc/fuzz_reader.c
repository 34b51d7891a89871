/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a reader that was taken over says to a worker, and what a worker asks: any bytes are refused, or come
   back as they were and lie within the bounds of ask_open.h. The first byte chooses the frame. */
#include <stdlib.h>

#include "ipc/ask_open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void notice(struct text payload, struct buffer *again)
{
    struct open_notice notice;
    if (!open_notice_get(payload, &notice)) return;
    if (notice.kind >= OPEN_NOTICE_COUNT || notice.what.length > READER_WHAT_MOST) abort();
    open_notice_put(&notice, again);
}

static void member(struct text payload, struct buffer *again)
{
    struct open_member member;
    if (!open_member_get(payload, &member)) return;
    if (member.path.length > READER_PATH_MOST) abort();
    open_member_put(&member, again);
}

static void found(struct text payload, struct buffer *again)
{
    struct open_found found;
    if (!open_found_get(payload, &found)) return;
    if (found.kind >= FOUND_KIND_COUNT || found.text.length == 0 || found.text.length > FOUND_TEXT_MOST)
        abort();
    open_found_put(&found, again);
}

static void orders(struct text payload, struct buffer *again)
{
    struct open_order order;
    struct extract_order extract;
    if (open_order_get(payload, &order)) open_order_put(&order, again);
    if (!extract_order_get(payload, &extract)) return;
    if (extract.kind >= EXTRACT_KIND_COUNT) abort();
    extract_order_put(&extract, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(struct text payload, struct buffer * again) = { notice, member, found,
                                                                                   orders };
    struct buffer again = { 0 };
    if (size == 0) return 0;
    struct text payload = text_from((const char *)data + 1, size - 1);
    parsers[data[0] % 4](payload, &again);
    if (buffer_length(&again) > 0 && !text_equal(buffer_text(&again), payload)) abort();
    buffer_free(&again);
    return 0;
}
