/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows uchardet. */
#include "mail/charset_guess.h"

#include <uchardet/uchardet.h>

#include "base/die.h"

bool guess_charset(struct text bytes, char room[GUESS_NAME_SIZE])
{
    if (bytes.length > GUESS_MOST_BYTES) bytes.length = GUESS_MOST_BYTES;
    uchardet_t detector = uchardet_new();
    if (!detector) die("no memory for uchardet");
    bool found = false;
    if (bytes.length > 0 && uchardet_handle_data(detector, bytes.at, bytes.length) == 0) {
        uchardet_data_end(detector);
        const char *name = uchardet_get_charset(detector);
        size_t length = name ? strlen(name) : 0;
        found = length > 0 && length < GUESS_NAME_SIZE;
        if (found) memcpy(room, name, length + 1);
    }
    uchardet_delete(detector);
    return found;
}
