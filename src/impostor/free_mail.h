/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Providers at which anybody has an address within a minute and for nothing. */
#ifndef SEKIMORI_IMPOSTOR_FREE_MAIL_H
#define SEKIMORI_IMPOSTOR_FREE_MAIL_H

#include "base/text.h"

/* `domain`: small letters. */
bool free_mail_has(struct text domain);

#endif
