/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Between A-labels and U-labels by libidn2. Called wherever a domain of an envelope meets DNS or a table. */
#include "mail/idna.h"

#include <idn2.h>

/* What is mapped may become what no host name has, as a full-width ">" that would end a path. */
static bool is_host_name(struct text domain)
{
    for (size_t i = 0; i < domain.length; i++) {
        char c = domain.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_' && c != '.') return false;
    }
    return domain.length > 0;
}

bool idna_to_ascii(struct arena *arena, struct text domain, struct text *out)
{
    if (text_is_ascii(domain)) {
        *out = arena_text_lower(arena, domain);
        return true;
    }
    if (memchr(domain.at, '\0', domain.length)) return false;
    uint8_t *converted = NULL;
    struct text copy = arena_text(arena, domain); /* NUL-ended */
    int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
    if (idn2_lookup_u8((const uint8_t *)copy.at, &converted, flags) != IDN2_OK) return false;
    *out = arena_text_lower(arena, text_of((char *)converted));
    idn2_free(converted);
    return is_host_name(*out);
}

struct text idna_to_unicode(struct arena *arena, struct text domain)
{
    struct text plain = arena_text_lower(arena, domain);
    char *converted = NULL;
    if (memchr(plain.at, '\0', plain.length)) return plain;
    if (idn2_to_unicode_8z8z(plain.at, &converted, 0) != IDN2_OK) return plain;
    plain = arena_text(arena, text_of(converted));
    idn2_free(converted);
    return plain;
}

bool idna_equal(struct text a, struct text b)
{
    if (text_equal_nocase(a, b)) return true;
    if (text_is_ascii(a) && text_is_ascii(b)) return false;
    struct arena *arena = arena_new(0);
    struct text first, second;
    bool same =
        idna_to_ascii(arena, a, &first) && idna_to_ascii(arena, b, &second) && text_equal(first, second);
    arena_free(arena);
    return same;
}
