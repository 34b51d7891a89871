/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Content on the wire: pieces give what the whole gives; the end is CRLF "." CRLF and nothing else, NULs left
   out first where they are repaired; what was decoded, sent again and decoded again is the same one message.
   The first byte says the mode and the size of pieces. */
#include <stdlib.h>

#include "smtp/dotted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum dotted_outcome decode(struct text wire, bool repair, size_t step, struct buffer *out,
                                  size_t *used, struct dotted *dotted)
{
    enum dotted_outcome outcome = DOTTED_MORE;
    dotted_start(dotted, repair, false);
    *used = 0;
    while (outcome == DOTTED_MORE && *used < wire.length) {
        size_t one;
        outcome = dotted_decode(dotted, text_slice(wire, *used, *used + step), out, &one);
        *used += one;
    }
    return outcome;
}

static size_t end_in(struct text wire)
{
    if (text_starts(wire, TEXT(".\r\n"))) return 3;
    size_t at = text_find(wire, TEXT("\r\n.\r\n"));
    return at < wire.length ? at + 5 : SIZE_MAX;
}

/* How much of the wire goes by before `count` octets that are no NUL have come. */
static size_t with_nuls(struct text wire, size_t count)
{
    size_t at = 0;
    for (; count > 0; at++)
        if (wire.at[at] != '\0') count--;
    return at;
}

/* The first end of data by the RFC's own words, where NULs are dropped by what is left without them; SIZE_MAX
   when there is none. */
static size_t end_by_the_book(struct text wire, bool repair)
{
    if (!repair) return end_in(wire);
    struct buffer clean = { 0 };
    for (size_t i = 0; i < wire.length; i++)
        if (wire.at[i] != '\0') buffer_add_char(&clean, wire.at[i]);
    size_t end = end_in(buffer_text(&clean));
    buffer_free(&clean);
    return end == SIZE_MAX ? end : with_nuls(wire, end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    bool repair = data[0] & 1;
    struct text wire = text_from((const char *)data + 1, size - 1);
    struct buffer whole = { 0 }, pieces = { 0 }, again = { 0 }, third = { 0 };
    struct dotted a, b;
    size_t used_whole, used_pieces, used;
    enum dotted_outcome one = decode(wire, repair, wire.length + 1, &whole, &used_whole, &a);
    enum dotted_outcome two = decode(wire, repair, 1 + (data[0] >> 1) % 7, &pieces, &used_pieces, &b);
    if (one != two || used_whole != used_pieces || a.has_bare != b.has_bare || a.has_nul != b.has_nul)
        abort();
    if (!text_equal(buffer_text(&whole), buffer_text(&pieces))) abort();
    if ((one == DOTTED_END) != (end_by_the_book(wire, repair) != SIZE_MAX)) abort();
    if (one == DOTTED_END && used_whole != end_by_the_book(wire, repair)) abort();
    bool has_nul = memchr(wire.at, '\0', used_whole);
    if (a.has_nul != has_nul) abort();
    if (repair && text_find_char(buffer_text(&whole), '\0') < buffer_length(&whole)) abort();
    if (one == DOTTED_END && (repair || !a.has_bare)) { /* what is relayed: it ends with CRLF or is empty */
        bool at_start = true;
        dotted_encode(buffer_text(&whole), &at_start, &again);
        if (!dotted_ends_line(&a)) buffer_add_text(&again, TEXT("\r\n"));
        buffer_add_text(&again, TEXT(".\r\n"));
        if (decode(buffer_text(&again), false, 3, &third, &used, &b) != DOTTED_END ||
            used != buffer_length(&again))
            abort();
        if (b.has_bare || !text_starts(buffer_text(&third), buffer_text(&whole))) abort();
    }
    buffer_free(&whole);
    buffer_free(&pieces);
    buffer_free(&again);
    buffer_free(&third);
    return 0;
}
