/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a container would have its reader allocate, read from its headers before libarchive sees them: it
   asks for whole dictionaries and tables of any size that is stated. Pure. */
#ifndef SEKIMORI_OPEN_MEMORY_NEED_H
#define SEKIMORI_OPEN_MEMORY_NEED_H

#include "mail/true_type.h"

enum { DICTIONARY_MOST = 64 << 20 }; /* as the largest presets of most encoders have it */

/* Some header states more than DICTIONARY_MOST: of lzma, lzip, zstd (their first), xz (every block that a
   decoder comes to). Others: false. */
bool memory_need_is_too_large(enum true_type type, struct text bytes);

/* The dictionary that a byte of LZMA2's properties stands for; UINT32_MAX: malformed. */
uint32_t memory_need_lzma2(unsigned property);

#endif
