/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* In which language a verb speaks: --language, or what the environment says. */
#ifndef SEKIMORI_CLI_LANGUAGE_OPTION_H
#define SEKIMORI_CLI_LANGUAGE_OPTION_H

#include "config/settings.h"

#define LANGUAGE_OPTION_WANTED "--language is ja or en, not "

/* The words of --language, for verb_option.choice. */
const char *language_option_choice(size_t position);
/* "ja" or "en"; false: neither. */
bool language_option_read(const char *word, enum language *out);
/* Of the first of LC_ALL, LC_MESSAGES and LANG that is set and not empty: Japanese where it begins with "ja",
   else English. */
enum language language_option_of_locale(void);
/* The one of both that is in that language; borrowed. */
static inline const char *language_option_say(enum language language, const char *en, const char *ja)
{
    return language == LANGUAGE_JA ? ja : en;
}

#endif
