/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The report's words in its languages. The catalogues are gettext's (po/), compiled in, so that a jailed
   process opens none, both languages are there at once, and no locale has to be installed. */
#ifndef SEKIMORI_STATISTICS_WORDS_H
#define SEKIMORI_STATISTICS_WORDS_H

#include "config/settings.h"
#include "statistics/sheet.h"

/* Never NULL. English where a language lacks the words. */
const struct wording *words_in(enum language language);
const char *words_say(enum language language, const char *english);

/* "2026-11-25 (Wed)", "2026年11月25日（水）". */
void words_add_day(struct buffer *out, enum language language, uint32_t day);

/* The text for `english` in a compiled catalogue (.mo), NULL when it has none or is no catalogue. */
const char *catalogue_say(struct text catalogue, const char *english);

#endif
