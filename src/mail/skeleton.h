/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Skeletons of UTS 39 section 4: two texts that a reader takes for one another have the same one. The only
   file that knows ICU's spoof checker. */
#ifndef SEKIMORI_MAIL_SKELETON_H
#define SEKIMORI_MAIL_SKELETON_H

#include "base/text.h"

struct skeletons;

enum { SKELETON_TEXT_MOST = 256, SKELETON_MOST = 2048 };

/* Opens ICU's table, which is part of the library: no file is read. Never NULL. */
struct skeletons *skeletons_new(void);
void skeletons_free(struct skeletons *skeletons); /* NULL is allowed */

/* Of at most SKELETON_TEXT_MOST bytes of UTF-8, its letters small, into `room`; returns its bytes. 0: the
   text is empty, longer, no UTF-8, or its skeleton is longer than the room. */
size_t skeleton_write(const struct skeletons *skeletons, struct text utf8, char room[SKELETON_MOST]);

#endif
