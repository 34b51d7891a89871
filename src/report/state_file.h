/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Small files that this process remembers things in, in its own folder: read whole, replaced whole. */
#ifndef SEKIMORI_REPORT_STATE_FILE_H
#define SEKIMORI_REPORT_STATE_FILE_H

#include "base/buffer.h"

enum { STATE_FILE_BYTES_MOST = 64 << 20 };

/* Appends the file. False: there is none. Any other failure is logged. */
bool state_file_read(int folder, const char *name, struct buffer *out);
/* The old file or the new one stands there, also after a power loss. False, logged, when it cannot be
 * written. */
bool state_file_write(int folder, const char *name, struct text content);

/* A file of two numbers. False: there is none, or it is not one. */
bool state_file_read_pair(int folder, const char *name, uint64_t out[2]);
bool state_file_write_pair(int folder, const char *name, uint64_t first, uint64_t second);

#endif
