/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The header of a 7z, read before libarchive sees it, which makes tables and dictionaries as large as it
   states. 7zFormat.txt of the LZMA SDK. Pure; linear. */
#ifndef SEKIMORI_OPEN_SEVENZIP_HEADER_H
#define SEKIMORI_OPEN_SEVENZIP_HEADER_H

#include "base/text.h"

enum sevenzip_state {
    SEVENZIP_FINE,
    SEVENZIP_PACKED, /* by LZMA or LZMA2: `out` says where; what it unpacks to is to be looked at in turn */
    SEVENZIP_LARGE,  /* it asks for more than is given */
    SEVENZIP_DAMAGED /* or in a form that no encoder writes */
};

struct sevenzip_packed {
    struct text properties; /* LZMA's five bytes, or LZMA2's one */
    uint64_t offset, bytes; /* in the file */
    uint64_t size;          /* unpacked: at most SEVENZIP_HEADER_MOST */
};

enum { SEVENZIP_HEADER_MOST = 16 << 20 };

/* The header that the first bytes of the file point to. False: there is none, or not all of it. */
bool sevenzip_header_find(struct text file, struct text *out);

/* `stream_most`: of what must be unpacked at once, since several streams are mixed. */
enum sevenzip_state sevenzip_header_look(struct text header, uint64_t stream_most,
                                         struct sevenzip_packed *out);

#endif
