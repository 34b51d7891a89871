/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Why a list is aside, refused or not fetched, in the language of who reads it. */
#ifndef SEKIMORI_STATISTICS_LIST_WORDS_H
#define SEKIMORI_STATISTICS_LIST_WORDS_H

#include "base/buffer.h"
#include "config/settings.h"

/* Appends `why`, as lookup and consult say it in English (the texts marked there by N_()). Names, numbers
   and what the catalogue lacks stay as they are. */
void list_words_add(struct buffer *out, enum language language, struct text why);

#endif
