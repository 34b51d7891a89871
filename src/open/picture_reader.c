/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The header's size is looked at before libgd allocates for it. */
#include "open/picture_reader.h"

#include <gd.h>

#include "mail/picture_size.h"

static void be_silent(int priority, const char *format, va_list arguments)
{
}

void picture_reader_warm_up(void)
{
    gdSetErrorMethod(be_silent);
}

static gdImagePtr decode(struct text bytes)
{
    struct picture_size size;
    void *at = (void *)bytes.at; /* libgd only reads it */
    enum picture_kind kind = picture_size_read(bytes, &size);
    if (bytes.length > INT32_MAX || (uint64_t)size.width * size.height > BITMAP_PIXELS_MOST) return NULL;
    switch (kind) {
    case PICTURE_PNG:
        return gdImageCreateFromPngPtr((int)bytes.length, at);
    case PICTURE_JPEG:
        return gdImageCreateFromJpegPtrEx((int)bytes.length, at, 1);
    case PICTURE_GIF:
        return gdImageCreateFromGifPtr((int)bytes.length, at);
    case PICTURE_BMP:
        return gdImageCreateFromBmpPtr((int)bytes.length, at);
    case PICTURE_WEBP:
        return gdImageCreateFromWebpPtr((int)bytes.length, at);
    case PICTURE_NONE:
        break;
    }
    return NULL;
}

/* gd counts alpha from 0, opaque, to 127. */
static uint8_t grey_of(int colour, int behind)
{
    int grey = (gdTrueColorGetRed(colour) * 77 + gdTrueColorGetGreen(colour) * 150 +
                gdTrueColorGetBlue(colour) * 29) /
               256;
    int alpha = gdTrueColorGetAlpha(colour);
    return (uint8_t)(alpha == 0 ? grey : (grey * (127 - alpha) + behind * alpha) / 127);
}

static int colour_at(gdImagePtr image, int x, int y)
{
    if (gdImageTrueColor(image)) return gdImageTrueColorPixel(image, x, y);
    int index = gdImagePalettePixel(image, x, y); /* of 256, all of which are there */
    int alpha = index == gdImageGetTransparent(image) ? gdAlphaTransparent : image->alpha[index];
    return gdTrueColorAlpha(image->red[index], image->green[index], image->blue[index], alpha);
}

/* Returns whether anything is transparent. */
static bool paint(gdImagePtr image, int behind, struct bitmap *out)
{
    bool is_clear = false;
    for (uint32_t y = 0; y < out->height; y++)
        for (uint32_t x = 0; x < out->width; x++) {
            int colour = colour_at(image, (int)x, (int)y);
            is_clear |= gdTrueColorGetAlpha(colour) != 0;
            out->grey[(size_t)y * out->width + x] = grey_of(colour, behind);
        }
    return is_clear;
}

bool picture_reader_read(struct text bytes, struct bitmap *out, struct bitmap *out_on_black)
{
    gdImagePtr image = decode(bytes);
    *out = *out_on_black = (struct bitmap){ 0 };
    if (!image) return false;
    uint32_t width = (uint32_t)gdImageSX(image), height = (uint32_t)gdImageSY(image);
    bool is_good = bitmap_new(out, width, height);
    if (is_good && paint(image, 255, out) && bitmap_new(out_on_black, width, height))
        paint(image, 0, out_on_black);
    gdImageDestroy(image);
    return is_good;
}
