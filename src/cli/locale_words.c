/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/locale_words.h"

#include <stdio.h>

#include "base/plain.h"
#include "cli/language_option.h"
#include "statistics/words.h"

const char *locale_words_say(const char *english)
{
    return words_say(language_option_of_locale(), english);
}

void locale_words_label(const char *english, size_t columns)
{
    const char *said = locale_words_say(english);
    size_t width = plain_width(text_of(said));
    printf("%s%*s", said, width < columns ? (int)(columns - width) : 1, "");
}

void locale_words_count(int64_t count, const char *one, const char *many)
{
    printf(locale_words_say(count == 1 ? one : many), (long long)count);
}
