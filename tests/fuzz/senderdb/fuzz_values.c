/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Values of the memory of senders, whatever stands in the file. */
#include <stdlib.h>
#include <string.h>

#include "senderdb/value_forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct senderdb_window windows[] = { { 86400000, 30, 2 }, { 60000, 64, 4 }, { 1, 1, 1 } };
    const uint32_t more[SENDERDB_SERIES_MOST] = { 1, 70000, 0, UINT32_MAX };
    struct value_bytes value;
    struct senderdb_counts counts;
    uint64_t now_ms;
    if (size < 1 + sizeof now_ms || size - 1 - sizeof now_ms > sizeof value.at) return 0;
    const struct senderdb_window *window = &windows[data[0] % 3];
    memcpy(&now_ms, data + 1, sizeof now_ms);
    value.length = size - 1 - sizeof now_ms;
    memcpy(value.at, data + 1 + sizeof now_ms, value.length);
    value_forms_distinct(&value, 3600000, now_ms);
    value_forms_counts(&value, window, now_ms, 30 * UINT64_C(86400000), 86400000, &counts);
    value_forms_count(&value, window, now_ms, more);
    value_forms_counts(&value, window, now_ms, UINT64_MAX, 0, &counts);
    if (now_ms / window->bucket_ms > 0 && counts.counts[0] == 0) abort();
    value_forms_see(&value, 64, now_ms, 7);
    if (value.length > sizeof value.at) abort();
    return 0;
}
