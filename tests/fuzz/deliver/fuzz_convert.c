/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* 8-bit messages made 7-bit: what comes out is 7-bit, and converting it again changes nothing. */
#include <stdlib.h>

#include "mail/convert.h"

static bool is_7bit(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] > 127) return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer first = { 0 }, second = { 0 };
    struct text message = text_from((const char *)data, size);
    enum convert_outcome outcome = convert_to_7bit(message, &first);
    if (outcome == CONVERT_DONE) {
        if (!is_7bit(buffer_text(&first))) abort();
        if (is_7bit(message) && !text_equal(message, buffer_text(&first))) abort();
        if (convert_to_7bit(buffer_text(&first), &second) != CONVERT_DONE) abort();
        if (!text_equal(buffer_text(&first), buffer_text(&second))) abort();
    }
    buffer_free(&first);
    buffer_free(&second);
    return 0;
}
