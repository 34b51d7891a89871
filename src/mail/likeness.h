/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What makes two copies of a mail the same mail, whoever received it and by which way: From, Date, Message-ID
   and the body. Trace fields, tags in the Subject and line ends are no part of it. */
#ifndef SEKIMORI_MAIL_LIKENESS_H
#define SEKIMORI_MAIL_LIKENESS_H

#include "mail/digest.h"

/* A SHA-256 of these, lower-case hexadecimal, NUL-ended; returns room. */
char *likeness_hex(struct text message, char room[DIGEST_HEX_SIZE]);

#endif
