/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Zip as every program might read it: by each directory there is, and by each local header, wherever they
   stand and whatever they say of each other. What is unpacked, libarchive unpacks (archive_reader.h). */
#ifndef SEKIMORI_OPEN_ZIP_READER_H
#define SEKIMORI_OPEN_ZIP_READER_H

#include "open/members.h"

void zip_read(struct unpack *unpack, struct text bytes); /* members and notices go to `unpack` */

#endif
