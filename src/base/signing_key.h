/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether a file is a private key that can sign mail, for who checks a configuration: who signs loads it by
   auth/private_key.h. */
#ifndef SEKIMORI_BASE_SIGNING_KEY_H
#define SEKIMORI_BASE_SIGNING_KEY_H

#include "base/text.h"

/* NULL: PEM of a private key without a passphrase, of RSA with 1024 to 4096 bits, or of Ed25519; else what is
   wrong with it, for people. */
const char *signing_key_trouble(struct text pem, bool is_ed25519);

#endif
