/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Prints a configuration in its own language. */
#ifndef SEKIMORI_CONFIG_DUMP_H
#define SEKIMORI_CONFIG_DUMP_H

#include "base/buffer.h"
#include "config/settings.h"

/* Appends the whole effective configuration, defaults included (of domains only up to 1,000 of them). Parsed
   again it gives an identical one. With `with_sources` each value is followed by `# default` or `#
   FILE:LINE`. */
void config_dump(const struct config *config, struct buffer *out, bool with_sources);

/* Only what differs from the defaults. Parsed again it gives an identical configuration too. */
void config_dump_said(const struct config *config, struct buffer *out);

/* The whole, each value after a comment that says what it is for. */
void config_dump_explained(const struct config *config, struct buffer *out, enum language language);

/* The servers of a domain as they are written, with one blank between. */
void dump_targets(const struct config *config, const struct domain *domain, struct buffer *out);

#endif
