/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The kinds of what is told to us as missed. */
#ifndef SEKIMORI_STATISTICS_MISSED_WORDS_H
#define SEKIMORI_STATISTICS_MISSED_WORDS_H

#include "statistics/sheet.h"

/* Into the last row, in the reader's language; a name that is none of ours stays as it is. */
void missed_words_put(struct sheet *sheet, size_t column, struct text kind);

#endif
