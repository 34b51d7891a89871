/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The reference part of sekimori.conf(5), made from the schema. */
#ifndef SEKIMORI_CONFIG_MANUAL_H
#define SEKIMORI_CONFIG_MANUAL_H

#include "base/buffer.h"

/* Appends mdoc(7) text: every setting with its shape, help and default. */
void manual_print(struct buffer *out);

#endif
