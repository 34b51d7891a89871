/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of what scan and open say. */
#include "ipc/ask_open.h"

void open_order_put(const struct open_order *order, struct buffer *out)
{
    put_u64(out, order->bytes);
    put_u64(out, order->file_bytes);
    put_u64(out, order->total_bytes);
    put_u32(out, order->files);
    put_u32(out, order->nesting);
    put_u32(out, order->time_ms);
}

bool open_order_get(struct text payload, struct open_order *out)
{
    struct reader reader = reader_of(payload);
    out->bytes = get_u64(&reader);
    out->file_bytes = get_u64(&reader);
    out->total_bytes = get_u64(&reader);
    out->files = get_u32(&reader);
    out->nesting = get_u32(&reader);
    out->time_ms = get_u32(&reader);
    return reader_done(&reader);
}

void open_member_put(const struct open_member *member, struct buffer *out)
{
    put_text(out, member->path);
    put_u64(out, member->bytes);
}

bool open_member_get(struct text payload, struct open_member *out)
{
    struct reader reader = reader_of(payload);
    out->path = get_text(&reader);
    out->bytes = get_u64(&reader);
    return reader_done(&reader) && out->path.length <= READER_PATH_MOST;
}

void open_notice_put(const struct open_notice *notice, struct buffer *out)
{
    put_u8(out, (uint8_t)notice->kind);
    put_text(out, notice->path);
    put_text(out, notice->what);
}

bool open_notice_get(struct text payload, struct open_notice *out)
{
    struct reader reader = reader_of(payload);
    uint8_t kind = get_u8(&reader);
    out->kind = (enum open_notice_kind)kind;
    out->path = get_text(&reader);
    out->what = get_text(&reader);
    return reader_done(&reader) && kind < OPEN_NOTICE_COUNT && out->path.length <= READER_PATH_MOST &&
           out->what.length > 0 && out->what.length <= READER_WHAT_MOST && text_is_printable(out->what);
}

void extract_order_put(const struct extract_order *order, struct buffer *out)
{
    put_u8(out, (uint8_t)order->kind);
    put_u64(out, order->bytes);
    put_u32(out, order->time_ms);
}

bool extract_order_get(struct text payload, struct extract_order *out)
{
    struct reader reader = reader_of(payload);
    uint8_t kind = get_u8(&reader);
    out->kind = (enum extract_kind)kind;
    out->bytes = get_u64(&reader);
    out->time_ms = get_u32(&reader);
    return reader_done(&reader) && kind < EXTRACT_KIND_COUNT;
}

void open_found_put(const struct open_found *found, struct buffer *out)
{
    put_u8(out, (uint8_t)found->kind);
    put_text(out, found->text);
}

bool open_found_get(struct text payload, struct open_found *out)
{
    static const size_t most[FOUND_KIND_COUNT] = {
        [FOUND_TEXT] = FOUND_TEXT_MOST, [FOUND_LINK] = FOUND_LINK_MOST, [FOUND_CODE] = FOUND_CODE_MOST
    };
    struct reader reader = reader_of(payload);
    uint8_t kind = get_u8(&reader);
    out->kind = (enum found_kind)kind;
    out->text = get_text(&reader);
    return reader_done(&reader) && kind < FOUND_KIND_COUNT && out->text.length > 0 &&
           out->text.length <= most[kind];
}
