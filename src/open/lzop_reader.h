/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files of lzop by liblzo2: libarchive would start a program for them. */
#ifndef SEKIMORI_OPEN_LZOP_READER_H
#define SEKIMORI_OPEN_LZOP_READER_H

#include "open/members.h"

void lzop_read(struct unpack *unpack, struct text bytes); /* one member each file in it; notices */

#endif
