/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Prints a configuration in its own language, defaults included, and walks over its values. */
#ifndef SEKIMORI_CONFIG_DUMP_H
#define SEKIMORI_CONFIG_DUMP_H

#include "base/buffer.h"
#include "config/settings.h"

/* Appends the whole effective configuration. Parsed again it gives an identical one. With `with_sources`
   each value is followed by `# default` or `# FILE:LINE`. */
void config_dump(const struct config *config, struct buffer *out, bool with_sources);

#endif
