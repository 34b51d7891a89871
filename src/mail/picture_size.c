/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One function a format. What is cut reads as 0, and no picture has a side of 0. */
#include "mail/picture_size.h"

#include "base/codec.h"

static uint32_t big_at(struct text bytes, size_t at, unsigned size)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < size; i++) number = number << 8 | codec_byte_at(bytes, at + i);
    return number;
}

static uint32_t little_at(struct text bytes, size_t at, unsigned size)
{
    return (uint32_t)codec_number_at(bytes, at, size);
}

static bool has_at(struct text bytes, size_t at, struct text wanted)
{
    return text_starts(text_slice(bytes, at, bytes.length), wanted);
}

/* ISO/IEC 15948 section 11.2.2: IHDR is the first chunk. */
static struct picture_size png_size(struct text bytes)
{
    return (struct picture_size){ big_at(bytes, 16, 4), big_at(bytes, 20, 4) };
}

static struct picture_size gif_size(struct text bytes)
{
    return (struct picture_size){ little_at(bytes, 6, 2), little_at(bytes, 8, 2) };
}

/* A height below 0: the lines stand from the top. */
static struct picture_size bmp_size(struct text bytes)
{
    if (little_at(bytes, 14, 4) == 12)
        return (struct picture_size){ little_at(bytes, 18, 2), little_at(bytes, 20, 2) };
    uint32_t height = little_at(bytes, 22, 4);
    return (struct picture_size){ little_at(bytes, 18, 4), height > INT32_MAX ? 0 - height : height };
}

/* RFC 9649 section 2: lossy, lossless, extended. */
static struct picture_size webp_size(struct text bytes)
{
    if (has_at(bytes, 12, TEXT("VP8 ")))
        return (struct picture_size){ little_at(bytes, 26, 2) & 0x3FFF, little_at(bytes, 28, 2) & 0x3FFF };
    if (has_at(bytes, 12, TEXT("VP8L"))) {
        uint32_t packed = little_at(bytes, 21, 4);
        return (struct picture_size){ (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1 };
    }
    return (struct picture_size){ little_at(bytes, 24, 3) + 1, little_at(bytes, 27, 3) + 1 };
}

/* ITU-T T.81 annex B: segments up to the first frame header (SOF0 to SOF15 but DHT, JPG and DAC). */
static struct picture_size jpeg_size(struct text bytes)
{
    for (size_t at = 2; at + 9 < bytes.length && codec_byte_at(bytes, at) == 0xFF;) {
        uint32_t marker = codec_byte_at(bytes, at + 1);
        if (marker == 0xFF || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += marker == 0xFF ? 1 : 2;
            continue;
        }
        if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC)
            return (struct picture_size){ big_at(bytes, at + 7, 2), big_at(bytes, at + 5, 2) };
        if (marker == 0xD9 || marker == 0xDA) break;
        at += 2 + (size_t)big_at(bytes, at + 2, 2);
    }
    return (struct picture_size){ 0 };
}

static const struct {
    enum picture_kind kind;
    size_t at;
    struct text magic;
    struct picture_size (*size)(struct text bytes);
} formats[] = {
    { PICTURE_PNG, 0, { "\x89PNG\r\n\x1A\n", 8 }, png_size },
    { PICTURE_JPEG, 0, { "\xFF\xD8\xFF", 3 }, jpeg_size },
    { PICTURE_GIF, 0, { "GIF8", 4 }, gif_size },
    { PICTURE_WEBP, 8, { "WEBPVP8", 7 }, webp_size },
    { PICTURE_BMP, 0, { "BM", 2 }, bmp_size },
};

enum picture_kind picture_size_read(struct text bytes, struct picture_size *out)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!has_at(bytes, formats[i].at, formats[i].magic)) continue;
        *out = formats[i].size(bytes);
        if (out->width > 0 && out->height > 0) return formats[i].kind;
        break;
    }
    *out = (struct picture_size){ 0 };
    return PICTURE_NONE;
}
