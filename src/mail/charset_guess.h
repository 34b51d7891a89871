/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The likeliest charset of bytes without a label, by statistics. Called by charset.c when rules have failed.
 */
#ifndef SEKIMORI_MAIL_CHARSET_GUESS_H
#define SEKIMORI_MAIL_CHARSET_GUESS_H

#include "base/text.h"

enum { GUESS_NAME_SIZE = 64, GUESS_MOST_BYTES = 16384 };

/* Looks at the first GUESS_MOST_BYTES. The name is written to `room`; false when nothing fits. */
bool guess_charset(struct text bytes, char room[GUESS_NAME_SIZE]);

#endif
