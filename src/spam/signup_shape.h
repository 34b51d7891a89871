/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mail that welcomes its recipient or asks him to confirm a sign-up, as sites send it by themselves. */
#ifndef SEKIMORI_SPAM_SIGNUP_SHAPE_H
#define SEKIMORI_SPAM_SIGNUP_SHAPE_H

#include "mail/header.h"

/* By its words and by a sign that a program sent it. `subject` and `visible` are folded (spam/text_fold.h).
   Not what a bank, a shop or a login tells of in its Subject: orders, payments, passwords, codes. */
bool signup_shape_has(const struct header *header, struct text subject, struct text visible);

#endif
