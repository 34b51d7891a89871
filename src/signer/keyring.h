/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The private keys of a configuration, by the name at which their public halves are published. */
#ifndef SEKIMORI_SIGNER_KEYRING_H
#define SEKIMORI_SIGNER_KEYRING_H

#include "auth/private_key.h"
#include "config/settings.h"

struct keyring;

/* All keys that the domains name. One that cannot be loaded is logged and left out. Nothing of the
   configuration is kept. The caller frees it. */
struct keyring *keyring_new(const struct config *config);
void keyring_free(struct keyring *keyring); /* NULL is allowed */

uint32_t keyring_count(const struct keyring *keyring); /* of those that can be used */

/* Appends the raw signature. False with nothing appended and a reason in *out_why: there is no such key, or
   OpenSSL refuses. */
bool keyring_sign(const struct keyring *keyring, struct text name, const uint8_t digest[KEY_DIGEST_BYTES],
                  struct buffer *out, const char **out_why);

/* Signs nothing of anybody's with each kind there is, so that libraries open now what they open when they are
   first used: before the jail. */
void keyring_warm_up(const struct keyring *keyring);

#endif
