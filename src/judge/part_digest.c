/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte form and digits of the digests of files. */
#include "judge/part_digest.h"

#include "base/codec.h"

enum { SHA256_DIGITS = 64 };

void part_digests_put(const struct part_digest *parts, uint32_t count, struct buffer *out)
{
    if (count > PART_DIGESTS_MOST) count = PART_DIGESTS_MOST;
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u8(out, parts[i].is_infected);
        buffer_add(out, parts[i].bytes, PART_DIGEST_BYTES);
    }
}

struct part_digest *part_digests_get(struct arena *arena, struct reader *reader, uint32_t *out_count)
{
    *out_count = get_count(reader, PART_DIGESTS_MOST, 1 + PART_DIGEST_BYTES);
    struct part_digest *parts = arena_alloc_array(arena, *out_count, sizeof *parts);
    for (uint32_t i = 0; i < *out_count; i++) {
        parts[i].is_infected = get_u8(reader) != 0;
        get_bytes(reader, parts[i].bytes, PART_DIGEST_BYTES);
    }
    return parts;
}

char *part_digest_print(const uint8_t bytes[PART_DIGEST_BYTES], char room[PART_DIGEST_HEX_SIZE])
{
    return text_print_hex(text_from((const char *)bytes, PART_DIGEST_BYTES), room);
}

bool part_digest_parse(struct text word, uint8_t out[PART_DIGEST_BYTES])
{
    if (word.length != SHA256_DIGITS && word.length != 2 * PART_DIGEST_BYTES) return false;
    for (size_t i = 0; i < word.length; i++) {
        int value = char_hex_value(word.at[i]);
        if (value < 0) return false;
        if (i >= 2 * PART_DIGEST_BYTES) continue;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | value : value);
    }
    return true;
}
