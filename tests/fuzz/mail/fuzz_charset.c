/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The first line names a charset, the rest are bytes: whatever both are, UTF-8 comes out, at most eight for
   each, and what is written back in it is read again. */
#include <stdlib.h>

#include "mail/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void opaque_look(struct text charset, struct text bytes)
{
    enum charset_shape shape = charset_shape(charset);
    for (size_t at = 0; at < bytes.length;) {
        size_t opaque = charset_opaque(shape, text_slice(bytes, at, bytes.length));
        must(opaque <= bytes.length - at);
        at += opaque ? opaque : 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer utf8 = { 0 }, raw = { 0 }, back = { 0 }, again = { 0 };
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data ? data : (const uint8_t *)"", size);
    struct text all = text_from(copy, size), charset = text_slice(all, 0, text_find_char(all, '\n'));
    struct text bytes = text_slice(all, charset.length + 1, all.length);
    charset_to_utf8(charset, bytes, &utf8, NULL);
    must(charset_is_utf8(buffer_text(&utf8)) && buffer_length(&utf8) <= 8 * bytes.length + 8);
    charset_raw_to_utf8(charset, bytes, &raw, NULL);
    must(charset_is_utf8(buffer_text(&raw)) && charset_of_bytes(charset, bytes).length > 0);
    opaque_look(charset, bytes);
    if (charset_from_utf8(charset, buffer_text(&utf8), &back)) {
        charset_to_utf8(charset, buffer_text(&back), &again, NULL);
        must(charset_is_utf8(buffer_text(&again)));
    }
    buffer_free(&utf8);
    buffer_free(&raw);
    buffer_free(&back);
    buffer_free(&again);
    free(copy);
    return 0;
}
