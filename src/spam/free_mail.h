/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Providers at which anybody has an address within a minute and for nothing. */
#ifndef SEKIMORI_SPAM_FREE_MAIL_H
#define SEKIMORI_SPAM_FREE_MAIL_H

#include "base/text.h"

/* `domain`: small letters. */
bool free_mail_has(struct text domain);

/* As the base model was made: a shorter list, with some that give no more addresses or sell them. */
bool free_mail_is_of_model(struct text domain);

#endif
