/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files of a message that was told to us as a virus or phishing, so that whoever else received them can
 * be named. */
#ifndef SEKIMORI_REPORT_MISSED_MISSED_PARTS_H
#define SEKIMORI_REPORT_MISSED_MISSED_PARTS_H

#include "ipc/event.h"

enum { MISSED_PARTS_BYTES_MOST = 32 << 20 }; /* of a message: of a larger one no files are looked at */

/* At most PART_DIGESTS_MOST, in the arena: all as infected. Pictures are left out, since the one of a
   signature below a mail is in a thousand others. */
struct part_digest *missed_parts(struct arena *arena, struct text message, uint32_t *out_count);

#endif
