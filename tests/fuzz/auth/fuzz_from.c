/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From fields: what comes out are names that can be asked for, different ones, within the limits. */
#include <stdlib.h>

#include "auth/from_domains.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_name(struct text domain)
{
    if (domain.length == 0 || domain.length > 253) abort();
    for (size_t i = 0; i < domain.length; i++) {
        char c = domain.at[i];
        if (!(c >= 'a' && c <= 'z') && !char_is_digit(c) && c != '-' && c != '_' && c != '.') abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct header_limits limits = { .bytes = 1 << 20, .fields = 1000 };
    struct header header;
    struct from_domains from, alone = { 0 };
    struct arena *arena = arena_new(0);
    struct text text = text_from((const char *)data, size);
    header_parse(arena, text, &limits, &header);
    from_domains_find(arena, &header, &from);
    from_domains_add(arena, text, &alone);
    if (from.count > FROM_DOMAINS_MOST || from.addresses > FROM_ADDRESSES_MOST) abort();
    if (from_has(&from, FROM_MISSING) != (from.addresses == 0)) abort();
    for (uint32_t i = 0; i < from.count; i++) {
        must_be_name(from.domains[i]);
        for (uint32_t k = 0; k < i; k++)
            if (text_equal(from.domains[i], from.domains[k])) abort();
    }
    arena_free(arena);
    return 0;
}
