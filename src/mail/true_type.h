/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What bytes really are, by their magic and never by a name: containers, and files that nobody can look into.
   Pure and linear. A worker of scan asks it which parts need the process `open`, and `open` of what comes
   out.
 */
#ifndef SEKIMORI_MAIL_TRUE_TYPE_H
#define SEKIMORI_MAIL_TRUE_TYPE_H

#include "base/text.h"

enum true_type {
    TYPE_NONE, /* no container: text, images, programs and all else */
    TYPE_ZIP,
    TYPE_7Z,
    TYPE_RAR4,
    TYPE_RAR5,
    TYPE_GZIP,
    TYPE_BZIP2,
    TYPE_XZ,
    TYPE_LZMA,
    TYPE_ZSTD,
    TYPE_LZ4,
    TYPE_LZOP,
    TYPE_LZIP,
    TYPE_COMPRESS,
    TYPE_TAR,
    TYPE_AR,
    TYPE_CPIO,
    TYPE_CPIO_BINARY,
    TYPE_RPM,
    TYPE_CAB,
    TYPE_LHA,
    TYPE_ISO,
    TYPE_CMS,
    TYPE_CMS_PEM,
    TYPE_CMS_ENCRYPTED,
    TYPE_PDF,
    TYPE_OLE,
    TYPE_OLE_ENCRYPTED,
    TYPE_PGP,
    TYPE_PGP_ENCRYPTED,
    TYPE_LUKS,
    TYPE_AXCRYPT,
    TYPE_AGE,
    TYPE_SALTED,
    TYPE_ARJ,
    TYPE_XAR,
    TYPE_DMG,
    TYPE_UDF,
    TYPE_ALZ,
    TYPE_EGG,
    TYPE_SZDD,
    TYPE_KWAJ,
    TYPE_FAT,
    TYPE_NTFS,
    TYPE_EXT,
    TYPE_VHD,
    TYPE_VHDX,
    TYPE_VMDK,
    TYPE_QCOW,
    TYPE_VDI,
    TYPE_SQUASHFS,
    TYPE_CRAMFS,
    TYPE_ROMFS,
    TYPE_WIM,
    TYPE_ACE,
    TYPE_ZOO,
    TYPE_STUFFIT,
    TYPE_LRZIP,
    TYPE_RZIP,
    TYPE_ZPAQ,
    TYPE_SNAPPY,
    TYPE_BZIP3,
    TYPE_FREEARC,
    TYPE_COUNT
};

enum type_opener {
    OPENED_BY_NOBODY_NEEDED, /* no container */
    OPENED_BY_READER,        /* by the process `open` */
    OPENED_BY_ENGINE,        /* libclamav looks into it by itself */
    OPENED_BY_KEY,           /* whoever has the key, so not by us */
    OPENED_BY_NOBODY         /* a container that we have no reader for */
};

/* TYPE_NONE of what is no container, or empty. Linear in the bytes. */
enum true_type true_type_of(struct text bytes);

/* Where in `bytes`, which are of that type, the archive begins: not at 0 for rar and 7z behind a program. */
size_t true_type_start(enum true_type type, struct text bytes);

const char *true_type_name(enum true_type type); /* "zip", "squashfs"; "data" of TYPE_NONE */
/* Who looks into it. */
enum type_opener true_type_opener(enum true_type type);

/* Of those with OPENED_BY_READER. Its magic is a few bytes, or a guess: what cannot be opened of such may
   well be something else. */
bool true_type_is_weak(enum true_type type);

/* Of those with OPENED_BY_READER: libclamav finds the members of such a container by itself, too. */
bool true_type_is_known_to_engine(enum true_type type);

#endif
