/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The reader may have been taken over by what it reads: every frame of it is bounded in length, number and
   time, and whatever it says is a feature of this message's spam check. */
#include "scan/extraction.h"

#include <unistd.h>

#include "base/monotonic.h"
#include "ipc/channel.h"
#include "mail/charset.h"
#include "mail/picture_size.h"
#include "scan/drawing_hint.h"

enum {
    TIME_MS = 3000,
    MARGIN_MS = 500,
    ITEM_BYTES_MOST = 8 << 20,
    BYTES_MOST = 16 << 20,
    PIXELS_MOST = 16 << 20, /* of all pictures: what decoding costs */
    SIDE_LEAST = 21,        /* the smallest code has that many modules */
    SHORT_SIDE_LEAST = 7,   /* of a strip of one */
    TEXT_LOOKED_MOST = 1 << 20,
    HEAD = 1024,
    FOUND_MOST = 2000, /* findings of one message */
    FOUND_BYTES_MOST = 2 << 20
};

void extraction_begin(struct extraction *extraction, const struct config *config, struct arena *arena,
                      struct reader_source *source, struct score *score, bool is_for_spam)
{
    *extraction = (struct extraction){
        .config = config, .arena = arena, .source = source, .score = score, .is_for_spam = is_for_spam
    };
}

/* --- what is worth it --- */

static void item_add(struct extraction *extraction, enum extract_kind kind, const struct mime_part *part,
                     struct text bytes)
{
    bool fits = bytes.length <= ITEM_BYTES_MOST && bytes.length <= BYTES_MOST - extraction->bytes &&
                bytes.length <= extraction->config->virus.max_scan_bytes;
    if (!fits || extraction->count == EXTRACTION_ITEMS_MOST) {
        score_unread(extraction->score, fits ? TEXT("too many parts") : TEXT("too large"));
        return;
    }
    extraction->bytes += bytes.length;
    extraction->items[extraction->count++] =
        (struct extraction_item){ kind, arena_text(extraction->arena, bytes),
                                  part && part->name.length ? part->name : TEXT("a PDF") };
}

static void picture_offer(struct extraction *extraction, const struct picture_size *size,
                          const struct mime_part *part, struct text bytes)
{
    uint32_t shorter = size->width < size->height ? size->width : size->height;
    uint32_t longer = size->width < size->height ? size->height : size->width;
    uint64_t pixels = (uint64_t)size->width * size->height;
    if (longer < SIDE_LEAST || shorter < SHORT_SIDE_LEAST) return;
    if (pixels > PIXELS_MOST - extraction->pixels) {
        score_unread(extraction->score, TEXT("too many pixels"));
        return;
    }
    extraction->pixels += pixels;
    item_add(extraction, EXTRACT_PICTURE, part, bytes);
}

static bool is_html(const struct mime_part *part, struct text head)
{
    return (part && text_equal(part->type, TEXT("text/html"))) ||
           text_find_nocase(head, TEXT("<html")) < head.length;
}

/* In UTF-8: what is in another charset becomes it. */
static void text_offer(struct extraction *extraction, const struct mime_part *part, struct text bytes,
                       struct text utf8)
{
    struct buffer converted = { 0 };
    bool is_page = is_html(part, text_slice(bytes, 0, HEAD));
    if (!is_page && !(part && text_starts(part->type, TEXT("text/")))) return;
    bytes = text_slice(bytes, 0, TEXT_LOOKED_MOST);
    if (part && (!charset_is_utf8(bytes) || text_find_char(bytes, '\x1B') < bytes.length)) {
        if (utf8.length == 0) charset_to_utf8(part->charset, bytes, &converted, NULL);
        bytes = text_slice(utf8.length ? utf8 : buffer_text(&converted), 0, ITEM_BYTES_MOST);
    }
    if (is_page ? drawing_hint_of_html(bytes) : drawing_hint_of_text(bytes))
        item_add(extraction, is_page ? EXTRACT_HTML : EXTRACT_PLAIN, part, bytes);
    buffer_free(&converted);
}

static bool is_svg(const struct mime_part *part, struct text head)
{
    return !is_html(part, head) && text_starts(text_trim(head), TEXT("<")) &&
           text_find_nocase(head, TEXT("<svg")) < head.length;
}

void extraction_offer(struct extraction *extraction, const struct mime_part *part, struct text bytes,
                      struct text utf8)
{
    struct picture_size size;
    struct text head = text_slice(bytes, 0, HEAD);
    bool is_pdf = text_find(head, TEXT("%PDF-")) < head.length;
    if (is_pdf && (extraction->is_for_spam || text_find(bytes, TEXT("/Encrypt")) < bytes.length))
        item_add(extraction, EXTRACT_PDF, part, bytes);
    if (is_pdf || !extraction->is_for_spam) return;
    if (picture_size_read(bytes, &size) != PICTURE_NONE)
        picture_offer(extraction, &size, part, bytes);
    else if (is_svg(part, head))
        item_add(extraction, EXTRACT_SVG, part, bytes);
    else
        text_offer(extraction, part, bytes, utf8);
}

/* --- reading --- */

static bool order_send(struct extraction *extraction, int reader, const struct extraction_item *item)
{
    uint64_t now = monotonic_ms(), left = now < extraction->until_ms ? extraction->until_ms - now : 0;
    struct extract_order order = { item->kind, item->bytes.length, (uint32_t)left };
    struct buffer payload = { 0 };
    extract_order_put(&order, &payload);
    bool is_good =
        channel_send_now(reader, READER_EXTRACT, ++extraction->last_id, buffer_text(&payload), NULL, 0);
    buffer_free(&payload);
    for (size_t at = 0; is_good && at < item->bytes.length; at += READER_PIECE)
        is_good = channel_send_now(reader, READER_BYTES, extraction->last_id,
                                   text_slice(item->bytes, at, at + READER_PIECE), NULL, 0);
    return is_good;
}

static bool frame_get(struct extraction *extraction, int reader, struct frame *out)
{
    uint64_t now = monotonic_ms(), end = extraction->until_ms + MARGIN_MS;
    if (now >= end || !channel_wait_into(reader, (int)(end - now), extraction->source->packet, out))
        return false;
    for (int i = 0; i < out->fd_count; i++)
        if (out->fds[i] >= 0) close(out->fds[i]);
    return out->id == extraction->last_id;
}

static bool found_take(struct extraction *extraction, struct text payload)
{
    struct open_found found;
    if (!open_found_get(payload, &found) || ++extraction->found > FOUND_MOST) return false;
    extraction->found_bytes += found.text.length;
    if (extraction->found_bytes > FOUND_BYTES_MOST) return false;
    enum score_source source = found.kind == FOUND_CODE ? SCORE_CODE : SCORE_PDF;
    if (found.kind != FOUND_LINK) score_text(extraction->score, source, found.text);
    if (found.kind != FOUND_TEXT) score_link(extraction->score, source, found.text);
    return true;
}

static bool notice_take(struct extraction *extraction, struct text payload)
{
    struct open_notice notice;
    if (!open_notice_get(payload, &notice) || ++extraction->found > FOUND_MOST) return false;
    if (notice.kind == OPEN_ENCRYPTED)
        extraction->encrypted_in = extraction->items[extraction->at].name;
    else
        score_unread(extraction->score, TEXT("a limit was reached"));
    return true;
}

/* Of one item. False: the reader is of no more use. */
static bool answers_take(struct extraction *extraction, int reader)
{
    struct frame frame;
    while (frame_get(extraction, reader, &frame)) {
        bool is_good = false;
        if (frame.type == READER_DONE) return true;
        if (frame.type == READER_FOUND) is_good = found_take(extraction, frame.payload);
        if (frame.type == READER_NOTICE) is_good = notice_take(extraction, frame.payload);
        if (!is_good) return false;
    }
    return false;
}

bool extraction_run(struct extraction *extraction, int reader)
{
    extraction->until_ms = monotonic_ms() + TIME_MS;
    bool is_good = reader >= 0;
    for (extraction->at = 0; is_good && extraction->at < extraction->count; extraction->at++)
        is_good = order_send(extraction, reader, &extraction->items[extraction->at]) &&
                  answers_take(extraction, reader);
    if (is_good || extraction->count == 0) return true;
    score_unread(extraction->score, reader >= 0 ? TEXT("the reader ended or was late") : TEXT("no reader"));
    extraction->source->is_text_lost = true;
    return false;
}
