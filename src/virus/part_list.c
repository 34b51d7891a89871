/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A short list, sorted as it grows. */
#include "virus/part_list.h"

#include <string.h>

static uint32_t find(const struct part_list *list, const uint8_t digest[DIGEST_BYTES])
{
    uint32_t at = 0;
    while (at < list->count && memcmp(list->parts[at].bytes, digest, PART_DIGEST_BYTES) != 0) at++;
    return at;
}

static void take_out(struct part_list *list, uint32_t at)
{
    list->count--;
    for (; at < list->count; at++) {
        list->parts[at] = list->parts[at + 1];
        list->sizes[at] = list->sizes[at + 1];
        memcpy(list->wholes[at], list->wholes[at + 1], DIGEST_BYTES);
    }
}

/* Of those alike the one that came first stays in front. */
static uint32_t place_of(const struct part_list *list, size_t size, bool is_infected)
{
    uint32_t at = 0;
    while (at < list->count && (list->parts[at].is_infected != is_infected ? list->parts[at].is_infected
                                                                           : list->sizes[at] >= size))
        at++;
    return at;
}

void part_list_add(struct part_list *list, const uint8_t digest[DIGEST_BYTES], size_t size, bool is_infected)
{
    if (size < PART_DIGEST_LEAST) return;
    uint32_t same = find(list, digest);
    if (same < list->count && (list->parts[same].is_infected || !is_infected)) return;
    if (same < list->count) take_out(list, same);
    uint32_t at = place_of(list, size, is_infected);
    if (at == PART_DIGESTS_MOST) return;
    if (list->count < PART_DIGESTS_MOST) list->count++;
    for (uint32_t i = list->count - 1; i > at; i--) {
        list->parts[i] = list->parts[i - 1];
        list->sizes[i] = list->sizes[i - 1];
        memcpy(list->wholes[i], list->wholes[i - 1], DIGEST_BYTES);
    }
    list->parts[at].is_infected = is_infected;
    list->sizes[at] = size;
    memcpy(list->parts[at].bytes, digest, PART_DIGEST_BYTES);
    memcpy(list->wholes[at], digest, DIGEST_BYTES);
}
