/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The message that a bounce returns: whether we may have sent it. RFC 3462, RFC 3464. */
#ifndef SEKIMORI_IMPOSTOR_RETURNED_MAIL_H
#define SEKIMORI_IMPOSTOR_RETURNED_MAIL_H

#include "config/settings.h"
#include "mail/mime.h"

/* The message returns another one whose From is of a domain of ours, but none of its Received fields, its
   Message-ID or its signatures names a host or domain of ours: somebody else sent it in our name. False also
   where nothing is returned. *out_about: the domain in its From. */
bool returned_mail_is_foreign(struct arena *arena, const struct config *config, const struct mime *mime,
                              struct text *out_about);

#endif
