/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The two forms of values that senderdb.c knows: counts in windows, and a set of what was seen. Pure: bytes
   in and out, whatever they are. */
#ifndef SEKIMORI_SENDERDB_VALUE_FORMS_H
#define SEKIMORI_SENDERDB_VALUE_FORMS_H

#include "senderdb/senderdb.h"

struct value_bytes {
    size_t length;
    uint8_t at[SENDERDB_VALUE_MOST];
};

/* A value of another shape is one without counts. Series beyond the window's are not read from `more`. */
void value_forms_count(struct value_bytes *value, const struct senderdb_window *window, uint64_t now_ms,
                       const uint32_t *more);
/* As senderdb_counts. */
void value_forms_counts(const struct value_bytes *value, const struct senderdb_window *window,
                        uint64_t now_ms, uint64_t span_ms, uint64_t half_life_ms,
                        struct senderdb_counts *out);

/* Adds or renews an element, by 32 bits of its hash. */
void value_forms_see(struct value_bytes *value, uint32_t most, uint64_t now_ms, uint32_t element);
uint32_t value_forms_distinct(const struct value_bytes *value, uint64_t span_ms, uint64_t now_ms);

#endif
