/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The configuration as bytes: what master hands to processes that may not open files. */
#ifndef SEKIMORI_CONFIG_BUNDLE_H
#define SEKIMORI_CONFIG_BUNDLE_H

#include "base/buffer.h"
#include "config/settings.h"

/* Appends the configuration and the content of every file it names, each once. */
void config_bundle_write(const struct config *config, struct buffer *out);

/* What of the private keys goes along. Of a file without its key all is left out that stands between the
   lines BEGIN and END of anything but a certificate: its key, and the secret that nodes share. */
enum bundle_keys {
    BUNDLE_NO_KEYS,
    BUNDLE_NODE_KEY,     /* that of `node key` */
    BUNDLE_TLS_KEYS,     /* those of certificates */
    BUNDLE_SIGNING_KEYS, /* those of DKIM */
    BUNDLE_LIST_KEYS,    /* those that owners of lists gave: `key` in `list` */
    BUNDLE_ALL_KEYS
};

/* The same as a memory file that nobody can change, to be mapped: how a process hands its configuration on.
   Returns a descriptor that the caller owns, or -1 with errno. */
int config_bundle_memory(const struct config *config, enum bundle_keys keys);

/* NULL when the bytes are not a whole bundle of this version, with the reason in `error`. Touches no file.
   File contents are borrowed from `bundle` (a mapped memfd): keep it as long as the configuration.
   Free with config_free. */
struct config *config_bundle_read(struct text bundle, char *error, size_t size);

/* Calls `each` for every file that the configuration names, once a path, in the order of paths. */
void config_bundle_files(const struct config *config,
                         void (*each)(void *context, const struct file_content *file), void *context);

#endif
