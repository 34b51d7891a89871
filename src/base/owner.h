/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From a part to the struct that it is a member of. */
#ifndef SEKIMORI_BASE_OWNER_H
#define SEKIMORI_BASE_OWNER_H

#include <stddef.h>

/* `part`, not NULL, points at `member` of a `type`: a pointer to that whole struct, borrowed as `part` is. */
#define OWNER_OF(part, type, member) ((type *)(void *)((char *)(part)-offsetof(type, member)))

#endif
