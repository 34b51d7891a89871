/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A skeleton of ASCII is put together of those of its characters, which are asked for once; ICU is asked for
   all other texts. */
#include "mail/skeleton.h"

#include <stdlib.h>
#include <unicode/uspoof.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/utf8.h"

enum { ASCII_MOST = 4 };

struct skeletons {
    USpoofChecker *checker;
    struct {
        uint8_t length;
        char bytes[ASCII_MOST];
    } ascii[128];
};

static size_t by_icu(const struct skeletons *skeletons, struct text utf8, char *room, size_t size)
{
    UErrorCode error = U_ZERO_ERROR;
    int32_t length = uspoof_getSkeletonUTF8(skeletons->checker, 0, utf8.at, (int32_t)utf8.length, room,
                                            (int32_t)size, &error);
    if (U_FAILURE(error) || length <= 0) return 0;
    for (int32_t i = 0; i < length; i++) room[i] = char_lower(room[i]); /* "0" is like "O" */
    return (size_t)length;
}

struct skeletons *skeletons_new(void)
{
    UErrorCode error = U_ZERO_ERROR;
    struct skeletons *skeletons = memory_alloc(sizeof *skeletons);
    skeletons->checker = uspoof_open(&error);
    if (U_FAILURE(error)) die("ICU has no table of characters that look alike: %s", u_errorName(error));
    for (int c = 1; c < 128; c++) {
        char character = char_lower((char)c);
        size_t length = by_icu(skeletons, text_from(&character, 1), skeletons->ascii[c].bytes, ASCII_MOST);
        skeletons->ascii[c].length = (uint8_t)length;
    }
    return skeletons;
}

void skeletons_free(struct skeletons *skeletons)
{
    if (!skeletons) return;
    uspoof_close(skeletons->checker);
    free(skeletons);
}

size_t skeleton_write(const struct skeletons *skeletons, struct text utf8, char room[SKELETON_MOST])
{
    size_t length = 0;
    if (utf8.length == 0 || utf8.length > SKELETON_TEXT_MOST || !utf8_is_valid(utf8)) return 0;
    if (!text_is_ascii(utf8)) return by_icu(skeletons, utf8, room, SKELETON_MOST);
    for (size_t i = 0; i < utf8.length; i++) {
        size_t c = (size_t)utf8.at[i];
        memcpy(room + length, skeletons->ascii[c].bytes, skeletons->ascii[c].length);
        length += skeletons->ascii[c].length;
    }
    return length;
}
