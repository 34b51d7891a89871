/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which kanji stand in ordinary Japanese. Called by improbability.c. */
#ifndef SEKIMORI_MAIL_KANJI_H
#define SEKIMORI_MAIL_KANJI_H

#include "base/text.h"

/* `utf8` is one character of the list that schools teach (2,136 of them). */
bool kanji_is_common(struct text utf8);

#endif
