/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Keyed hashes, by XXH3 with a secret of random bytes. Used by every table whose keys come from outside. */
#include "base/hash.h"

#include <sys/random.h>

#include "base/die.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SECRET_BYTES = 192, FOLD_BYTES = 256 };
_Static_assert(SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "the secret is long enough");

static void draw(void *out, size_t size)
{
    if (getrandom(out, size, 0) != (ssize_t)size) die_errno("no random numbers");
}

/* Drawn once, the same for the life of the process. */
static const char *secret(void)
{
    static char bytes[SECRET_BYTES];
    static bool is_drawn;
    if (!is_drawn) draw(bytes, sizeof bytes);
    is_drawn = true;
    return bytes;
}

uint64_t hash_text(struct text text)
{
    return XXH3_64bits_withSecret(text.at, text.length, secret(), SECRET_BYTES);
}

uint64_t hash_number(uint64_t number)
{
    return hash_text(text_from((const char *)&number, sizeof number));
}

uint64_t hash_text_nocase(struct text text)
{
    char folded[FOLD_BYTES];
    uint64_t hash = text.length;
    while (text.length > 0) {
        struct text piece = text_slice(text, 0, sizeof folded);
        for (size_t i = 0; i < piece.length; i++) folded[i] = char_lower(piece.at[i]);
        hash = hash * 31 + hash_text(text_from(folded, piece.length));
        text = text_slice(text, piece.length, text.length);
    }
    return hash;
}

uint64_t hash_text_by(uint64_t key, struct text text)
{
    return XXH3_64bits_withSeed(text.at, text.length, key);
}

uint64_t hash_new_key(void)
{
    uint64_t key;
    draw(&key, sizeof key);
    return key | 1;
}
