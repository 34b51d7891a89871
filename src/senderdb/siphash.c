/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "senderdb/siphash.h"

#include "base/codec.h"

struct sip_state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotated(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void rounds(struct sip_state *s, unsigned count)
{
    while (count-- > 0) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotated(s->v1, 13) ^ s->v0;
        s->v3 = rotated(s->v3, 16) ^ s->v2;
        s->v0 = rotated(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotated(s->v1, 17) ^ s->v2;
        s->v3 = rotated(s->v3, 21) ^ s->v0;
        s->v2 = rotated(s->v2, 32);
    }
}

static void block_add(struct sip_state *s, uint64_t block)
{
    s->v3 ^= block;
    rounds(s, 2);
    s->v0 ^= block;
}

static void half_out(const struct sip_state *s, uint8_t *out)
{
    uint64_t half = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
    for (unsigned i = 0; i < 8; i++) out[i] = (uint8_t)(half >> 8 * i);
}

void siphash(const uint8_t key[SIPHASH_BYTES], struct text text, uint8_t out[SIPHASH_BYTES])
{
    struct text bytes = text_from((const char *)key, SIPHASH_BYTES);
    uint64_t k0 = codec_number_at(bytes, 0, 8), k1 = codec_number_at(bytes, 8, 8);
    struct sip_state s = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                           k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
    size_t whole = text.length / 8 * 8;
    for (size_t at = 0; at < whole; at += 8) block_add(&s, codec_number_at(text, at, 8));
    block_add(&s, (uint64_t)text.length << 56 | codec_number_at(text, whole, 7));
    s.v2 ^= 0xee;
    rounds(&s, 4);
    half_out(&s, out);
    s.v1 ^= 0xdd;
    rounds(&s, 4);
    half_out(&s, out + 8);
}
