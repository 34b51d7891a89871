/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the next servers have to know of a message's bytes: enum content_flag of ipc/ask_queue.h. */
#ifndef SEKIMORI_SCAN_CONTENT_H
#define SEKIMORI_SCAN_CONTENT_H

#include "base/text.h"

/* Bits of enum content_flag for a message whose body begins at `body_offset`. One pass. */
uint16_t content_flags(struct text message, size_t body_offset);

#endif
