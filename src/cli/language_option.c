/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The catalogues are compiled in, so that no locale has to be installed: its name is enough. */
#include "cli/language_option.h"

#include <stdlib.h>
#include <string.h>

const char *language_option_choice(size_t position)
{
    static const char *const words[] = { "ja", "en", NULL };
    return words[position];
}

bool language_option_read(const char *word, enum language *out)
{
    *out = strcmp(word, "ja") == 0 ? LANGUAGE_JA : LANGUAGE_EN;
    return *out == LANGUAGE_JA || strcmp(word, "en") == 0;
}

enum language language_option_of_locale(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return text_starts(text_of(value), TEXT("ja")) ? LANGUAGE_JA : LANGUAGE_EN;
    }
    return LANGUAGE_EN;
}
