/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A file that a configuration consists of or names, read at once. */
#ifndef SEKIMORI_CONFIG_WHOLE_FILE_H
#define SEKIMORI_CONFIG_WHOLE_FILE_H

#include "base/arena.h"

/* NULL when it was read, else the reason; the bytes are in the arena. A pipe is waited for. *out_open:
   everybody on the machine may read it. */
const char *whole_file_read(const char *path, size_t most, struct arena *arena, struct text *out_bytes,
                            bool *out_open);

#endif
