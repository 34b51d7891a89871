/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What kind of picture bytes are, by their magic, and how large their header says that it is. Pure; nothing
   is decoded. scan asks it which pictures could hold a code, and open before it decodes one. */
#ifndef SEKIMORI_MAIL_PICTURE_SIZE_H
#define SEKIMORI_MAIL_PICTURE_SIZE_H

#include "base/text.h"

enum picture_kind {
    PICTURE_NONE, /* no picture, or its header is cut */
    PICTURE_PNG,
    PICTURE_JPEG,
    PICTURE_GIF,
    PICTURE_BMP,
    PICTURE_WEBP
};

struct picture_size {
    uint32_t width, height; /* pixels, as stated; 0 of PICTURE_NONE */
};

/* Linear in the bytes before the header's end. */
enum picture_kind picture_size_read(struct text bytes, struct picture_size *out);

#endif
