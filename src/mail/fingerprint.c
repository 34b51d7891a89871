/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names messages by XXH3 with 128 bits. Called by the nodes that hand a message on and take it. */
#include "mail/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void fingerprint(uint64_t seed, const struct text *pieces, size_t count, char out[FINGERPRINT_BYTES])
{
    XXH3_state_t state;
    XXH128_canonical_t canonical;
    XXH3_INITSTATE(&state);
    XXH3_128bits_reset_withSeed(&state, seed);
    for (size_t i = 0; i < count; i++) {
        uint64_t length = htole64(pieces[i].length);
        XXH3_128bits_update(&state, &length, sizeof length);
        XXH3_128bits_update(&state, pieces[i].at, pieces[i].length);
    }
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    memcpy(out, canonical.digest, FINGERPRINT_BYTES);
}
