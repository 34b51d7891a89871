/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Kinds and sizes of pictures by their headers; each that is cut before its size is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mail/picture_size.h"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    struct text head;
    enum picture_kind kind;
    uint32_t width, height;
    size_t needed; /* bytes without which there is no size */
} rows[] = {
    { BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\1\2\0\0\0\3"), PICTURE_PNG, 258, 3, 24 },
    { BYTES("GIF89a\x05\x01\x02\0"), PICTURE_GIF, 261, 2, 9 },
    { BYTES("BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\4\1\0\0\xFE\xFF\xFF\xFF"), PICTURE_BMP, 260, 2, 26 },
    { BYTES("BM\0\0\0\0\0\0\0\0\0\0\0\0\x0C\0\0\0\4\1\3\0"), PICTURE_BMP, 260, 3, 21 },
    { BYTES("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9D\x01\x2A\x10\x40\x20\x80"), PICTURE_WEBP, 16, 32, 29 },
    { BYTES("RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2F\x0F\xC0\x07\0"), PICTURE_WEBP, 16, 32, 0 },
    { BYTES("RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x0F\0\0\x1F\0\0"), PICTURE_WEBP, 16, 32, 0 },
    { BYTES("\xFF\xD8\xFF\xE0\0\4xx\xFF\xFF\xC4\0\3x\xFF\xC2\0\x11\x08\1\2\3\4\0\0"), PICTURE_JPEG, 772, 258,
      23 },
    { BYTES("\xFF\xD8\xFF\xDA\0\4xx\xFF\xC0\0\x11\x08\1\2\3\4\0\0\0"), PICTURE_NONE, 0, 0, 0 },
    { BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\0\0\0\0\3"), PICTURE_NONE, 0, 0, 0 },
    { BYTES("hello, this is no picture at all"), PICTURE_NONE, 0, 0, 0 },
};

static void sizes(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct picture_size size;
        enum picture_kind kind = picture_size_read(rows[i].head, &size);
        if (kind != rows[i].kind || size.width != rows[i].width || size.height != rows[i].height)
            fail_msg("row %zu: kind %d, %u by %u", i, (int)kind, size.width, size.height);
    }
}

static void cuts(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t length = 0; length < rows[i].needed; length++) {
            struct picture_size size;
            bool is_one = picture_size_read(text_slice(rows[i].head, 0, length), &size) != PICTURE_NONE;
            if (is_one && size.width == rows[i].width && size.height == rows[i].height)
                fail_msg("row %zu at %zu", i, length);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sizes), cmocka_unit_test(cuts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
