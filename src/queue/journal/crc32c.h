/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* CRC-32C (Castagnoli), by the processor's instruction where it has one. */
#ifndef SEKIMORI_QUEUE_JOURNAL_CRC32C_H
#define SEKIMORI_QUEUE_JOURNAL_CRC32C_H

#include "base/text.h"

/* Continues from `crc`: 0 to begin, or a seed, or the result of the text before. */
uint32_t crc32c(uint32_t crc, struct text bytes);

/* The same by table, whatever the processor can do: what the other is tested against. */
uint32_t crc32c_by_table(uint32_t crc, struct text bytes);

#endif
