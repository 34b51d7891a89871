/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the path of a link carries. */
#ifndef SEKIMORI_SPAM_LINK_SHAPE_H
#define SEKIMORI_SPAM_LINK_SHAPE_H

#include "base/text.h"

enum { LINK_SHAPE_MOST = 2000 }; /* bytes of a path that are looked at */

/* A mail address, written as hexadecimal digits or as base64 (either alphabet): who opens the link tells
   which address reads. In clear it does not count: rules see that. */
bool link_has_coded_address(struct text path);

#endif
