/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts: u64 number of the newest bucket, then u16 for each series of each bucket, which stands at its
   number modulo their count. A set: u32 hash and u32 seconds for each element. */
#include "senderdb/value_forms.h"

#include <math.h>
#include <string.h>

#include "base/codec.h"
#include "base/die.h"

enum { HEAD = 8, ELEMENT = 8, SECOND_MS = 1000 };

static struct text text_of_value(const struct value_bytes *value)
{
    return text_from((const char *)value->at, value->length);
}

static void number_put(struct value_bytes *value, size_t at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++) value->at[at + i] = (uint8_t)(number >> 8 * i);
}

/* --- counts --- */

static size_t size_of(const struct senderdb_window *window)
{
    if (window->buckets > SENDERDB_BUCKETS_MOST || window->series > SENDERDB_SERIES_MOST ||
        window->buckets == 0 || window->bucket_ms == 0)
        bug("a window of %u buckets and %u series", window->buckets, window->series);
    return HEAD + 2 * (size_t)window->buckets * window->series;
}

static size_t place_of(const struct senderdb_window *window, uint64_t bucket, unsigned series)
{
    return HEAD + 2 * (bucket % window->buckets * window->series + series);
}

static uint64_t newest_of(const struct value_bytes *value, const struct senderdb_window *window)
{
    return value->length == size_of(window) ? codec_number_at(text_of_value(value), 0, HEAD) : 0;
}

static void bucket_empty(struct value_bytes *value, const struct senderdb_window *window, uint64_t bucket)
{
    memset(value->at + place_of(window, bucket, 0), 0, 2 * (size_t)window->series);
}

/* The buckets between the newest and this one begin empty. After a clock that went back, counts are put where
   the newest are. */
static uint64_t newest_advance(struct value_bytes *value, const struct senderdb_window *window,
                               uint64_t bucket)
{
    uint64_t newest = newest_of(value, window);
    if (newest == 0 || bucket >= newest + window->buckets || newest > bucket + window->buckets) {
        memset(value->at, 0, size_of(window));
        value->length = size_of(window);
        newest = bucket;
    }
    while (newest < bucket) bucket_empty(value, window, ++newest);
    number_put(value, 0, newest, HEAD);
    return newest;
}

void value_forms_count(struct value_bytes *value, const struct senderdb_window *window, uint64_t now_ms,
                       const uint32_t *more)
{
    uint64_t bucket = newest_advance(value, window, now_ms / window->bucket_ms);
    for (unsigned series = 0; series < window->series; series++) {
        size_t at = place_of(window, bucket, series);
        uint64_t sum = codec_number_at(text_of_value(value), at, 2) + more[series];
        number_put(value, at, sum < UINT16_MAX ? sum : UINT16_MAX, 2);
    }
}

static bool is_empty(const struct value_bytes *value, const struct senderdb_window *window, uint64_t bucket)
{
    static const uint8_t zeros[2 * SENDERDB_SERIES_MOST];
    return memcmp(value->at + place_of(window, bucket, 0), zeros, 2 * (size_t)window->series) == 0;
}

static void bucket_add(const struct value_bytes *value, const struct senderdb_window *window, uint64_t bucket,
                       double halves, struct senderdb_counts *out)
{
    double weight = exp2(-halves);
    for (unsigned series = 0; series < window->series; series++) {
        uint64_t count = codec_number_at(text_of_value(value), place_of(window, bucket, series), 2);
        out->counts[series] += (uint32_t)count;
        out->weights[series] += weight * (double)count;
    }
}

void value_forms_counts(const struct value_bytes *value, const struct senderdb_window *window,
                        uint64_t now_ms, uint64_t span_ms, uint64_t half_life_ms, struct senderdb_counts *out)
{
    uint64_t newest = newest_of(value, window), now = now_ms / window->bucket_ms;
    uint64_t spanned = span_ms / window->bucket_ms + (span_ms % window->bucket_ms > 0);
    *out = (struct senderdb_counts){ 0 };
    if (now < newest) now = newest;
    for (uint64_t back = 0; newest > 0 && back < window->buckets && back < newest; back++) {
        uint64_t age = now - (newest - back);
        if (age >= spanned) break;
        if (is_empty(value, window, newest - back)) continue;
        double halves = half_life_ms ? (double)(age * window->bucket_ms) / (double)half_life_ms : 0;
        bucket_add(value, window, newest - back, halves, out);
        if (age == 0) memcpy(out->newest, out->counts, sizeof out->newest);
    }
}

/* --- a set --- */

static uint32_t count_of(const struct value_bytes *value)
{
    return (uint32_t)(value->length / ELEMENT);
}

static uint64_t seen_s(const struct value_bytes *value, uint32_t i)
{
    return codec_number_at(text_of_value(value), ELEMENT * (size_t)i + 4, 4);
}

static uint32_t oldest_of(const struct value_bytes *value)
{
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < count_of(value); i++)
        if (seen_s(value, i) < seen_s(value, oldest)) oldest = i;
    return oldest;
}

/* Where it stands, or is to stand. */
static uint32_t element_place(const struct value_bytes *value, uint32_t most, uint32_t element)
{
    uint32_t count = count_of(value);
    for (uint32_t i = 0; i < count; i++)
        if (codec_number_at(text_of_value(value), ELEMENT * (size_t)i, 4) == element) return i;
    return count < most ? count : oldest_of(value);
}

void value_forms_see(struct value_bytes *value, uint32_t most, uint64_t now_ms, uint32_t element)
{
    if (most > SENDERDB_DISTINCT_MOST || most == 0) most = SENDERDB_DISTINCT_MOST;
    if (count_of(value) > most) value->length = ELEMENT * (size_t)most;
    value->length = ELEMENT * (size_t)count_of(value);
    uint32_t place = element_place(value, most, element);
    if (place == count_of(value)) value->length += ELEMENT;
    number_put(value, ELEMENT * (size_t)place, element, 4);
    number_put(value, ELEMENT * (size_t)place + 4, now_ms / SECOND_MS, 4);
}

uint32_t value_forms_distinct(const struct value_bytes *value, uint64_t span_ms, uint64_t now_ms)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < count_of(value); i++)
        if (seen_s(value, i) * SECOND_MS + span_ms >= now_ms) count++;
    return count;
}
