/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A self-signed certificate made for a test. */
#ifndef SEKIMORI_TESTS_DELIVER_CERTIFICATE_H
#define SEKIMORI_TESTS_DELIVER_CERTIFICATE_H

#include "base/arena.h"

/* `names`: subject alternative names as OpenSSL writes them, "DNS:mail.test,IP:127.0.0.1". PEM in the arena.
 */
void certificate_make(struct arena *arena, const char *names, struct text *out_certificate,
                      struct text *out_key);

#endif
