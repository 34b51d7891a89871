/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Picture codes (QR) in a picture in grey, by libzbar: dark on light and light on dark, turned, mirrored. */
#ifndef SEKIMORI_OPEN_CODE_FINDER_H
#define SEKIMORI_OPEN_CODE_FINDER_H

#include "base/text.h"
#include "open/bitmap.h"

/* What zbar opens at the first code that it finds it opens now: before the jail. */
void code_finder_warm_up(void);

/* `on_code` gets the bytes of each code, borrowed for the call. Returns how many there were. What is large is
   looked at shrunk, what is small also enlarged. */
uint32_t code_finder_look(const struct bitmap *bitmap, void (*on_code)(void *context, struct text code),
                          void *context);

#endif
