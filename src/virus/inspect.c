/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Walks a message through an engine and remembers what may be remembered. */
#include "virus/inspect.h"

#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void inspect_begin(struct inspection *inspection, struct engine *engine, struct verdict_cache *cache,
                   struct text message)
{
    *inspection = (struct inspection){ .engine = engine, .cache = cache, .message = message };
    if (!engine) {
        engine_result_set(&inspection->result, SCAN_UNSCANNED, TEXT("no engine is loaded"));
        return;
    }
    engine_result_set(&inspection->result, engine->lacks[0] ? SCAN_UNSCANNED : SCAN_CLEAN,
                      text_of(engine->lacks));
    inspection->begun_ms = now_ms();
    digest_sha256(message, inspection->digest);
    inspection->is_known = verdict_cache_is_clean(cache, inspection->digest);
}

/* Scans one after the other share the time of the message. */
static bool is_out_of_time(struct inspection *inspection)
{
    uint32_t most_ms = inspection->engine->time_ms;
    struct engine_result late;
    if (most_ms == 0 || now_ms() - inspection->begun_ms <= most_ms) return false;
    engine_result_set(&late, SCAN_LIMITS, TEXT("out of time"));
    engine_result_merge(&inspection->result, &late);
    return true;
}

static bool is_over(const struct inspection *inspection)
{
    return !inspection->engine || inspection->is_known || inspection->result.state == SCAN_FOUND;
}

void inspect_bytes(struct inspection *inspection, struct text bytes)
{
    uint8_t digest[DIGEST_BYTES];
    if (is_over(inspection) || bytes.length == 0 || is_out_of_time(inspection)) return;
    digest_sha256(bytes, digest);
    const char *known = verdict_cache_infected(inspection->cache, digest);
    if (known) {
        engine_result_set(&inspection->result, SCAN_FOUND, text_of(known));
        return;
    }
    struct engine_result result = { .state = SCAN_UNSCANNED };
    inspection->engine->calls->scan(inspection->engine, bytes, &result);
    if (result.state == SCAN_FOUND) verdict_cache_add_infected(inspection->cache, digest, result.name);
    engine_result_merge(&inspection->result, &result);
}

void inspect_end(struct inspection *inspection, bool was_cut)
{
    if (is_over(inspection) || is_out_of_time(inspection)) return;
    struct engine_result result = { .state = SCAN_UNSCANNED };
    inspection->engine->calls->scan_message(inspection->engine, inspection->message, &result);
    engine_result_merge(&inspection->result, &result);
    if (was_cut) {
        engine_result_set(&result, SCAN_LIMITS, TEXT("parts beyond a limit were not seen"));
        engine_result_merge(&inspection->result, &result);
    }
    if (inspection->result.state == SCAN_CLEAN)
        verdict_cache_add_clean(inspection->cache, inspection->digest);
}
