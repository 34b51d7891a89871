/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes a file whole or not at all. */
#ifndef SEKIMORI_CLI_FRESH_FILE_H
#define SEKIMORI_CLI_FRESH_FILE_H

#include <sys/types.h>

#include "base/text.h"

/* `path` appears with all its bytes, on disk, with exactly these permissions, and never had others. A file
   that is there is left alone unless `replace`. False with the reason in `error`. */
bool fresh_file_write(const char *path, struct text bytes, mode_t mode, bool replace, char *error,
                      size_t size);

/* Makes a folder with those above it, for the owner alone. False with the reason in `error`. */
bool fresh_folder_make(const char *path, char *error, size_t size);

#endif
