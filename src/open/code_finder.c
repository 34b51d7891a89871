/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Of all that zbar reads only QR is asked for, what a person is sent by mail to scan: the rest would be more
   for a stranger to try. */
#include "open/code_finder.h"

#include <iconv.h>
#include <zbar.h>

#include "open/finder_pattern.h"

enum {
    LOOKED_PIXELS_MOST = 5 << 19, /* a scanned page of 150 dots an inch */
    INVERTED_PIXELS_MOST = 5 << 17,
    SMALL_PIXELS = 100 * 100,
    SMALL_TIMES = 3,
};

/* It converts nothing for us, and asks for these all the same. */
void code_finder_warm_up(void)
{
    static const char *const charsets[] = { "ISO8859-1", "SJIS", "BIG-5", "CP437" };
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) iconv_open("UTF-8", charsets[i]);
}

/* Without a guess at the charset of what a code says. */
static zbar_image_scanner_t *scanner_new(void)
{
    zbar_image_scanner_t *scanner = zbar_image_scanner_create();
    zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
    zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
    zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1);
    return scanner;
}

/* `enlarged`: see finder_pattern.h. */
static uint32_t look(const struct bitmap *bitmap, uint32_t enlarged,
                     void (*on_code)(void *context, struct text code), void *context)
{
    uint32_t count = 0;
    if (!finder_pattern_may_be(bitmap, enlarged)) return 0;
    zbar_image_scanner_t *scanner = scanner_new();
    zbar_image_t *image = zbar_image_create();
    zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
    zbar_image_set_size(image, bitmap->width, bitmap->height);
    zbar_image_set_data(image, bitmap->grey, (unsigned long)bitmap->width * bitmap->height, NULL);
    zbar_scan_image(scanner, image);
    const zbar_symbol_t *symbol = zbar_image_first_symbol(image);
    for (; symbol; symbol = zbar_symbol_next(symbol)) {
        struct text code = text_from(zbar_symbol_get_data(symbol), zbar_symbol_get_data_length(symbol));
        if (zbar_symbol_get_type(symbol) != ZBAR_QRCODE || code.length == 0) continue;
        on_code(context, code);
        count++;
    }
    zbar_image_destroy(image);
    zbar_image_scanner_destroy(scanner);
    return count;
}

static uint32_t times_over(const struct bitmap *bitmap, uint32_t pixels_most)
{
    uint32_t times = 1;
    while ((uint64_t)bitmap->width * bitmap->height / times / times > pixels_most) times++;
    return times;
}

/* Light on dark is looked for in less detail: all pictures without a code pay for it. */
static uint32_t inverted_look(const struct bitmap *bitmap, uint32_t enlarged,
                              void (*on_code)(void *context, struct text code), void *context)
{
    struct bitmap inverted;
    if (!bitmap_shrink(bitmap, times_over(bitmap, INVERTED_PIXELS_MOST), &inverted)) return 0;
    bitmap_invert(&inverted);
    uint32_t count = look(&inverted, enlarged, on_code, context);
    bitmap_free(&inverted);
    return count;
}

static uint32_t both_look(const struct bitmap *bitmap, uint32_t enlarged,
                          void (*on_code)(void *context, struct text code), void *context)
{
    uint32_t count = look(bitmap, enlarged, on_code, context);
    return count > 0 ? count : inverted_look(bitmap, enlarged, on_code, context);
}

uint32_t code_finder_look(const struct bitmap *bitmap, void (*on_code)(void *context, struct text code),
                          void *context)
{
    struct bitmap other = { 0 };
    uint32_t times = times_over(bitmap, LOOKED_PIXELS_MOST), pixels = bitmap->width * bitmap->height;
    if (times > 1 && !bitmap_shrink(bitmap, times, &other)) return 0;
    uint32_t count = both_look(times > 1 ? &other : bitmap, 1, on_code, context);
    if (count == 0 && pixels <= SMALL_PIXELS && bitmap_enlarge(bitmap, SMALL_TIMES, &other))
        count = both_look(&other, SMALL_TIMES, on_code, context);
    bitmap_free(&other);
    return count;
}
