/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Up to the first NUL a zone's file, behind it a query. An answer is never longer than UDP carries. */
#include <stdlib.h>

#include "cli/testtools/zone_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data, size);
    size_t end = text_find_char(bytes, '\0');
    struct zone zone = { .arena = arena_new(0) };
    struct buffer answer = { 0 };
    uint32_t line;
    const char *why;
    zone_read(&zone, text_slice(bytes, 0, end), &line, &why);
    if (zone.count > ZONE_RECORDS_MOST) abort();
    zone_answer(&zone, text_slice(bytes, end + 1, size), &answer);
    if (buffer_length(&answer) > ZONE_ANSWER_MOST) abort();
    buffer_free(&answer);
    arena_free(zone.arena);
    return 0;
}
