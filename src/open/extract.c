/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which reader a kind has, and what bounds it. The clock is looked at between two steps: within one the
   libraries cannot be stopped. */
#include "open/extract.h"

#include "base/buffer.h"
#include "base/monotonic.h"
#include "mail/decode.h"
#include "open/block_drawing.h"
#include "open/code_finder.h"
#include "mail/html_tags.h"
#include "open/members.h"
#include "open/pdf_reader.h"
#include "open/picture_reader.h"
#include "open/svg_reader.h"
#include "open/table_drawing.h"

enum { JOINED_PIXELS_MOST = 1 << 20, CHAIN_MOST = 4, INLINE_MOST = 8, TEXT_PARTS_MOST = 1 << 20 };

static bool over(struct extract *extract, const char *why)
{
    if (!extract->is_over) extract->events->on_notice(extract->context, OPEN_LIMITS, text_of(why));
    extract->is_over = true;
    return false;
}

static bool may_go_on(struct extract *extract)
{
    if (extract->is_over) return false;
    return monotonic_ms() <= extract->until_ms || over(extract, "time");
}

/* --- what was found --- */

/* In pieces that end with a character's end. */
static bool text_found(void *context, struct text text)
{
    struct extract *extract = context;
    while (text.length > 0 && may_go_on(extract)) {
        size_t size = text.length < FOUND_TEXT_MOST ? text.length : FOUND_TEXT_MOST;
        while (size < text.length && size > 1 && ((unsigned char)text.at[size] & 0xC0) == 0x80) size--;
        if (size > EXTRACT_TEXT_MOST - extract->text_bytes) return over(extract, "bytes of text");
        extract->events->on_found(extract->context, FOUND_TEXT, text_slice(text, 0, size));
        extract->text_bytes += size;
        text = text_slice(text, size, text.length);
    }
    return may_go_on(extract);
}

static bool link_found(void *context, struct text address)
{
    struct extract *extract = context;
    if (!may_go_on(extract)) return false;
    if (extract->links++ == EXTRACT_LINKS_MOST) return over(extract, "number of links");
    extract->events->on_found(extract->context, FOUND_LINK, text_slice(address, 0, FOUND_LINK_MOST));
    return true;
}

static void code_found(void *context, struct text code)
{
    struct extract *extract = context;
    if (extract->is_over) return;
    if (extract->codes++ == EXTRACT_LINKS_MOST)
        over(extract, "number of codes");
    else
        extract->events->on_found(extract->context, FOUND_CODE, text_slice(code, 0, FOUND_CODE_MOST));
}

/* --- pictures --- */

static uint32_t codes_find(struct extract *extract, const struct bitmap *bitmap)
{
    return may_go_on(extract) ? code_finder_look(bitmap, code_found, extract) : 0;
}

/* `bitmap` behind those of a row or column, if its side fits; it begins a new one else. True: it has several.
 */
static bool chain_on(struct chain *chain, const struct bitmap *bitmap, bool is_below)
{
    struct chain longer = { .count = chain->count + 1 };
    bool fits = chain->count > 0 && chain->count < CHAIN_MOST &&
                bitmap_join(&chain->bitmap, bitmap, is_below, &longer.bitmap);
    if (!fits) {
        bitmap_enlarge(bitmap, 1, &longer.bitmap);
        longer.count = 1;
    }
    bitmap_free(&chain->bitmap);
    *chain = longer;
    if ((uint64_t)longer.bitmap.width * longer.bitmap.height > JOINED_PIXELS_MOST) {
        bitmap_free(&chain->bitmap);
        chain->count = 0;
    }
    return chain->count > 1;
}

static bool chains_find(struct extract *extract, const struct bitmap *bitmap)
{
    bool is_row = chain_on(&extract->row, bitmap, false),
         is_column = chain_on(&extract->column, bitmap, true);
    if (is_row && codes_find(extract, &extract->row.bitmap) > 0) return true;
    return is_column && codes_find(extract, &extract->column.bitmap) > 0;
}

static void chains_free(struct extract *extract)
{
    bitmap_free(&extract->row.bitmap);
    bitmap_free(&extract->column.bitmap);
    extract->row.count = extract->column.count = 0;
}

static void shown_find(struct extract *extract, const struct bitmap *bitmap)
{
    if (codes_find(extract, bitmap) > 0 || chains_find(extract, bitmap)) chains_free(extract);
}

static void picture_extract(struct extract *extract, struct text bytes)
{
    struct bitmap on_white, on_black;
    if (!picture_reader_read(bytes, &on_white, &on_black)) return;
    if (!on_black.grey || codes_find(extract, &on_black) == 0) shown_find(extract, &on_white);
    bitmap_free(&on_white);
    bitmap_free(&on_black);
}

static void svg_extract(struct extract *extract, struct text bytes)
{
    struct bitmap bitmap;
    if (!may_go_on(extract) || !svg_reader_read(bytes, &bitmap)) return;
    codes_find(extract, &bitmap);
    bitmap_free(&bitmap);
}

/* --- PDF --- */

static bool page_found(void *context, struct bitmap *page)
{
    struct extract *extract = context;
    codes_find(extract, page);
    bitmap_free(page);
    return may_go_on(extract);
}

static void pdf_extract(struct extract *extract, struct text bytes)
{
    static const struct pdf_events events = { text_found, link_found, page_found };
    if (pdf_reader_read(bytes, &events, extract) == PDF_ENCRYPTED)
        extract->events->on_notice(extract->context, OPEN_ENCRYPTED, TEXT("pdf"));
}

/* --- what is drawn in text and HTML --- */

static bool drawing_found(void *context, const struct bitmap *bitmap)
{
    struct extract *extract = context;
    codes_find(extract, bitmap);
    return may_go_on(extract);
}

/* The text of it alone, a line for each <br>, <p>, <div>, <tr> and <li>. */
static void html_text(struct text html, struct buffer *out)
{
    static const struct text breaks[] = { { "br", 2 }, { "p", 1 }, { "div", 3 }, { "tr", 2 }, { "li", 2 } };
    struct html_piece piece;
    while (html_next(&html, &piece)) {
        if (!piece.is_tag) html_decode(piece.inside, out);
        for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++)
            if (html_is(&piece, breaks[i])) buffer_add_char(out, '\n');
    }
}

static void inline_svg_extract(struct extract *extract, struct text html)
{
    for (unsigned i = 0; i < INLINE_MOST; i++) {
        size_t at = text_find_nocase(html, TEXT("<svg"));
        if (at == html.length) return;
        html = text_slice(html, at, html.length);
        size_t end = text_find_nocase(html, TEXT("</svg>"));
        if (end == html.length) return;
        svg_extract(extract, text_slice(html, 0, end + 6));
        html = text_slice(html, end + 6, html.length);
    }
}

static void percent_decode(struct text text, struct buffer *out)
{
    for (size_t i = 0; i < text.length; i++) {
        int high = i + 2 < text.length ? char_hex_value(char_lower(text.at[i + 1])) : -1;
        int low = i + 2 < text.length ? char_hex_value(char_lower(text.at[i + 2])) : -1;
        bool is_coded = text.at[i] == '%' && high >= 0 && low >= 0;
        buffer_add_char(out, (char)(is_coded ? high << 4 | low : text.at[i]));
        if (is_coded) i += 2;
    }
}

/* RFC 2397: what stands behind "data:image/". */
static void data_extract(struct extract *extract, struct text address)
{
    struct buffer plain = { 0 }, bytes = { 0 };
    size_t comma = text_find_char(address, ',');
    struct text type = text_slice(address, 0, comma);
    percent_decode(text_slice(address, comma + 1, address.length), &plain);
    if (text_find_nocase(type, TEXT("base64")) < type.length) {
        char *to = buffer_reserve(&bytes, decode_room(buffer_length(&plain)));
        buffer_commit(&bytes, decode_base64(buffer_text(&plain), DECODE_RESTART, to, NULL));
    } else {
        buffer_add_text(&bytes, buffer_text(&plain));
    }
    if (text_starts_nocase(type, TEXT("svg")))
        svg_extract(extract, buffer_text(&bytes));
    else
        picture_extract(extract, buffer_text(&bytes));
    buffer_free(&plain);
    buffer_free(&bytes);
}

static void data_addresses_extract(struct extract *extract, struct text html)
{
    const struct text mark = TEXT("data:image/");
    for (unsigned i = 0; i < INLINE_MOST; i++) {
        size_t at = text_find_nocase(html, mark), end = 0;
        if (at == html.length || !may_go_on(extract)) return;
        html = text_slice(html, at + mark.length, html.length);
        while (end < html.length && html.at[end] != '"' && html.at[end] != '\'' && html.at[end] != ')' &&
               html.at[end] != '>')
            end++;
        data_extract(extract, text_slice(html, 0, end));
        html = text_slice(html, end, html.length);
    }
}

static void html_extract(struct extract *extract, struct text html)
{
    struct buffer text = { 0 };
    html_text(html, &text);
    block_drawing_find(buffer_text(&text), drawing_found, extract);
    buffer_free(&text);
    if (may_go_on(extract)) table_drawing_find(html, drawing_found, extract);
    inline_svg_extract(extract, html);
    data_addresses_extract(extract, html);
}

/* --- all --- */

void extract_warm_up(void)
{
    pdf_reader_warm_up();
    picture_reader_warm_up();
    code_finder_warm_up();
    svg_reader_warm_up();
}

void extract_begin(struct extract *extract, const struct extract_events *events, void *context)
{
    *extract = (struct extract){ .events = events, .context = context };
}

void extract_run(struct extract *extract, enum extract_kind kind, struct text bytes, uint32_t time_ms)
{
    extract->until_ms = monotonic_ms() + time_ms;
    extract->text_bytes = extract->links = extract->codes = 0;
    extract->is_over = false;
    switch (kind) {
    case EXTRACT_PDF:
        pdf_extract(extract, bytes);
        return;
    case EXTRACT_PICTURE:
        picture_extract(extract, bytes);
        return;
    case EXTRACT_SVG:
        svg_extract(extract, bytes);
        return;
    case EXTRACT_PLAIN:
        block_drawing_find(text_slice(bytes, 0, TEXT_PARTS_MOST), drawing_found, extract);
        return;
    case EXTRACT_HTML:
        html_extract(extract, text_slice(bytes, 0, TEXT_PARTS_MOST));
        return;
    case EXTRACT_KIND_COUNT:
        return;
    }
}

void extract_end(struct extract *extract)
{
    chains_free(extract);
}
