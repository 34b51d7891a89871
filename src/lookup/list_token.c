/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/list_token.h"

#include "mail/digest.h"

/* RFC 4648 section 6, in lower case and without "=". */
static void base32_add(const uint8_t *bytes, size_t length, struct buffer *out)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < length; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 5; bits -= 5) buffer_add_char(out, digits[held >> (bits - 5) & 31]);
        held &= 31;
    }
    if (bits > 0) buffer_add_char(out, digits[held << (5 - bits) & 31]);
}

static void token_add(const struct list_setting *list, enum list_about about, const uint8_t *digest,
                      size_t length, struct buffer *out)
{
    char room[2 * DIGEST_BYTES + 1];
    const char *label = list_setting_label(list, about);
    if (list_setting_is_base32(list))
        base32_add(digest, length, out);
    else
        buffer_add_text(out, text_of(text_print_hex(text_from((const char *)digest, length), room)));
    if (label) buffer_printf(out, ".%s", label);
}

void list_token(const struct list_setting *list, enum list_about about, struct text value, struct buffer *out)
{
    static const enum digest_kind kinds[] = {
        [LIST_DIGEST_SHA256] = DIGEST_SHA256, [LIST_DIGEST_SHA1] = DIGEST_SHA1, [LIST_DIGEST_MD5] = DIGEST_MD5
    };
    uint8_t digest[DIGEST_BYTES];
    size_t length = digest_by(kinds[list_setting_digest(list)], value, digest);
    token_add(list, about, digest, length, out);
}

bool list_token_of_file(const struct list_setting *list, struct text digits, struct buffer *out)
{
    uint8_t digest[DIGEST_BYTES];
    if (digits.length != 2 * DIGEST_BYTES || list_setting_digest(list) != LIST_DIGEST_SHA256) return false;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = char_hex_value(digits.at[2 * i]), low = char_hex_value(digits.at[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    token_add(list, LIST_ABOUT_HASH, digest, sizeof digest, out);
    return true;
}
