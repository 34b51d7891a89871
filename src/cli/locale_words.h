/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a verb says in the language of the locale, out of the compiled catalogue (po/). For verbs without
   --language; what is JSON stays English. */
#ifndef SEKIMORI_CLI_LOCALE_WORDS_H
#define SEKIMORI_CLI_LOCALE_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* `english` is marked by N_(); itself where the language lacks it. Borrowed: it, or the catalogue's. */
const char *locale_words_say(const char *english) __attribute__((format_arg(1), returns_nonnull));
/* The same on standard output, then at least one blank, up to `columns` of a terminal. */
void locale_words_label(const char *english, size_t columns);
/* `one` for 1, else `many`: formats with %lld, marked by N_(). */
void locale_words_count(int64_t count, const char *one, const char *many);

#endif
