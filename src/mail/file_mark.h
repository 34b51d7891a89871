/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether bytes are a file of some format, by the marks that formats carry: archives, programs, documents,
   images. Pure. */
#ifndef SEKIMORI_MAIL_FILE_MARK_H
#define SEKIMORI_MAIL_FILE_MARK_H

#include "base/text.h"

/* No control but those that a text has (line ends, tab, form feed, the ESC of ISO-2022); no bytes are plain.
 */
bool file_mark_is_plain(struct text bytes);

/* A mark of at least three bytes where the format has it, an archive's anywhere: programs find one behind
   other bytes too. Linear in the bytes. Ask it of what is not plain: a text may speak of "%PDF-". */
bool file_mark_in(struct text bytes);

#endif
