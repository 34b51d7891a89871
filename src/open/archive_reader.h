/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Containers by libarchive, which gets the one reader and the one filter that a true type needs and no other:
   some of its readers open local files or start programs. */
#ifndef SEKIMORI_OPEN_ARCHIVE_READER_H
#define SEKIMORI_OPEN_ARCHIVE_READER_H

#include "open/members.h"

/* Opens what libarchive would open when it first meets names in certain charsets: before the jail. */
void archive_warm_up(void);

/* Members and notices go to `unpack`. Any true type but zip, lzop and CMS that has a reader. */
void archive_read(struct unpack *unpack, enum true_type type, struct text bytes);

/* One entry of a zip. */
struct zip_entry {
    struct text name, packed; /* packed: its bytes, and with `is_open_ended` maybe more behind them */
    uint16_t method;
    uint32_t crc;
    uint64_t size; /* unpacked, as stated */
    bool is_open_ended;
};

enum zip_outcome { ZIP_WHOLE, ZIP_BAD_CRC, ZIP_CUT, ZIP_FAILED, ZIP_LARGE };

/* Unpacks one entry into `member`, as far as it goes: whatever its encryption flag says, it is taken for
   plain. */
enum zip_outcome archive_zip_entry(struct unpack *unpack, const struct zip_entry *entry,
                                   struct buffer *member);

#endif
