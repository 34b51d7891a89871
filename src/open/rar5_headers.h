/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The headers of a RAR 5 archive (RAR 5.0 archive format, "Archive blocks"). Pure and linear. Called by
   archive_reader.c: libarchive 3.6 takes no notice of encryption, and hands out what is encrypted as it is. */
#ifndef SEKIMORI_OPEN_RAR5_HEADERS_H
#define SEKIMORI_OPEN_RAR5_HEADERS_H

#include "base/buffer.h"

/* True: a file of it is encrypted, or all headers behind the first are; then what can be read of it is
   appended: the archive without those files. False: nothing is. `archive` begins with its signature; from a
   header on that makes no sense it is taken as it is. */
bool rar5_headers_leave_out(struct text archive, struct buffer *plain);

#endif
