/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Builds the canary from pieces and shows it to an engine. */
#include "virus/canary.h"

#include <stdio.h>

#include "base/codec.h"

void canary_write_file(struct buffer *out)
{
    static const char *const pieces[] = { "X5O!P%@AP[4\\PZX54", "(P^)7CC)7}$EIC", "AR-STANDARD-ANTI",
                                          "VIRUS-TEST-FIL", "E!$H+H*" };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) buffer_add_text(out, text_of(pieces[i]));
}

static uint32_t crc32(struct text bytes)
{
    uint32_t sum = 0xFFFFFFFF;
    for (size_t i = 0; i < bytes.length; i++) {
        sum ^= (uint8_t)bytes.at[i];
        for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >> 1 ^ 0xEDB88320 : sum >> 1;
    }
    return ~sum;
}

/* What a zip says of an entry, in its local header and again in its directory: stored, not compressed. */
static void zip_entry(struct buffer *out, struct text content, struct text name)
{
    put_u16(out, 20); /* version needed */
    put_u16(out, 0);
    put_u16(out, 0);          /* method: stored */
    put_u32(out, 0x21 << 16); /* 1 January 1980 */
    put_u32(out, crc32(content));
    put_u32(out, (uint32_t)content.length);
    put_u32(out, (uint32_t)content.length);
    put_u16(out, (uint16_t)name.length);
    put_u16(out, 0);
}

void canary_zip(struct buffer *out, struct text content, struct text name)
{
    put_u32(out, 0x04034B50);
    zip_entry(out, content, name);
    buffer_add_text(out, name);
    buffer_add_text(out, content);
    uint32_t directory = (uint32_t)buffer_length(out);
    put_u32(out, 0x02014B50);
    put_u16(out, 20); /* made by */
    zip_entry(out, content, name);
    for (int i = 0; i < 3; i++) put_u16(out, 0); /* comment, disk, inner attributes */
    put_u32(out, 0);                             /* outer attributes */
    put_u32(out, 0);                             /* offset of the local header */
    buffer_add_text(out, name);
    uint32_t directory_length = (uint32_t)buffer_length(out) - directory;
    put_u32(out, 0x06054B50);
    put_u32(out, 0);
    put_u16(out, 1);
    put_u16(out, 1);
    put_u32(out, directory_length);
    put_u32(out, directory);
    put_u16(out, 0);
}

static void base64_write(struct buffer *out, struct text bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.length; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < bytes.length ? (uint8_t)bytes.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buffer_add_char(out, i + k > bytes.length ? '=' : digits[group >> (18 - 6 * k) & 63]);
        if (i / 3 % 18 == 17) buffer_add_text(out, TEXT("\r\n"));
    }
}

void canary_write_message(struct buffer *out)
{
    struct buffer file = { 0 }, zip = { 0 };
    canary_write_file(&file);
    canary_zip(&zip, buffer_text(&file), TEXT("canary.com"));
    buffer_add_text(out,
                    TEXT("From: canary@localhost\r\nTo: canary@localhost\r\nSubject: canary\r\n"
                         "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"canary\"\r\n\r\n"
                         "--canary\r\nContent-Type: text/plain\r\n\r\nA test.\r\n"
                         "--canary\r\nContent-Type: application/zip; name=\"canary.zip\"\r\n"
                         "Content-Transfer-Encoding: base64\r\n"
                         "Content-Disposition: attachment; filename=\"canary.zip\"\r\n\r\n"));
    base64_write(out, buffer_text(&zip));
    buffer_add_text(out, TEXT("\r\n--canary--\r\n"));
    buffer_free(&file);
    buffer_free(&zip);
}

bool canary_is_caught(struct engine *engine, char *why, size_t size)
{
    struct buffer message = { 0 };
    struct engine_result result;
    canary_write_message(&message);
    engine->calls->scan_message(engine, buffer_text(&message), &result);
    buffer_free(&message);
    if (result.state == SCAN_FOUND) return true;
    snprintf(why, size, "the canary is not seen: %s",
             result.state == SCAN_CLEAN ? "the engine calls it clean" : result.name);
    return false;
}
