/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Walks a message through an engine and remembers what may be remembered. */
#include "virus/inspect.h"

#include <time.h>

#include "base/monotonic.h"
#include "config/closed_kinds.h"
#include "judge/virus_findings.h"
#include "virus/classes.h"

enum { STORM_MS = 10 * 1000 };

void inspect_begin(struct inspection *inspection, struct arena *arena, struct engine *engine,
                   struct verdict_cache *cache, struct text message, const uint8_t *digest)
{
    *inspection = (struct inspection){ .arena = arena, .engine = engine, .cache = cache, .message = message };
    if (!engine) {
        engine_result_set(&inspection->result, SCAN_UNSCANNED, TEXT("no engine is loaded"));
        return;
    }
    engine_result_set(&inspection->result, engine->lacks[0] ? SCAN_UNSCANNED : SCAN_CLEAN,
                      text_of(engine->lacks));
    engine_result_set(&inspection->whole, SCAN_UNSCANNED, TEXT("the message as it came was not looked at"));
    inspection->begun_ms = monotonic_ms();
    if (digest)
        memcpy(inspection->digest, digest, DIGEST_BYTES);
    else
        digest_sha256(message, inspection->digest);
    inspection->is_known = verdict_cache_is_clean(cache, inspection->digest);
    inspection->seen = arena_alloc(arena, sizeof *inspection->seen);
}

/* --- findings --- */

enum { BY_SIZE = 64, WHERE_SIZE = 128 };

static bool is_there(const struct inspection *inspection, const struct virus_finding *finding)
{
    for (uint32_t i = 0; i < inspection->finding_count; i++) {
        const struct virus_finding *one = &inspection->findings[i];
        if (one->class == finding->class && text_equal(one->name, finding->name) &&
            text_equal(one->engine, finding->engine))
            return true;
    }
    return false;
}

void inspect_add(struct inspection *inspection, enum virus_class class, struct text engine, struct text name)
{
    char by[BY_SIZE], called[ENGINE_NAME_SIZE], where[WHERE_SIZE];
    text_copy_printable(engine, by, sizeof by);
    text_copy_printable(name, called, sizeof called);
    text_copy_printable(inspection->part, where, sizeof where);
    struct virus_finding finding = { class, text_of(by), text_of(called), text_of(where) }, *place = NULL;
    if (class == VIRUS_CLASS_NOT_OPENED)
        inspection->not_opened |= UINT64_C(1) << closed_kinds_number(finding.name);
    if (!is_there(inspection, &finding))
        place = virus_findings_place(inspection->findings, &inspection->finding_count, class);
    if (place)
        *place = (struct virus_finding){ class, arena_text(inspection->arena, finding.engine),
                                         arena_text(inspection->arena, finding.name),
                                         arena_text(inspection->arena, finding.part) };
    struct engine_result result;
    engine_result_set(&result, virus_findings_state(class), inspection->findings[0].name);
    engine_result_merge(&inspection->result, &result);
    if (inspection->result.state == result.state) inspection->result = result;
}

/* What an engine says of a run of bytes. Its names have classes; a limit is one by itself. */
static void result_take(struct inspection *inspection, const struct engine_result *result)
{
    struct text engine = text_of(inspection->engine->version);
    engine = text_slice(engine, 0, text_find_char(engine, ' '));
    if (result->state == SCAN_FOUND)
        inspect_add(inspection, classes_of_name(text_of(result->name)), engine, text_of(result->name));
    else if (result->state == SCAN_LIMITS)
        inspect_add(inspection, VIRUS_CLASS_LIMITS, engine, text_of(result->name));
    else
        engine_result_merge(&inspection->result, result);
}

static bool has_virus(const struct inspection *inspection)
{
    return inspection->finding_count > 0 && inspection->findings[0].class == VIRUS_CLASS_VIRUS;
}

/* --- one message --- */

/* Scans one after the other share the time of the message. */
static bool is_out_of_time(struct inspection *inspection)
{
    uint32_t most_ms = inspection->engine->time_ms;
    if (most_ms == 0 || monotonic_ms() - inspection->begun_ms <= most_ms) return false;
    inspect_add(inspection, VIRUS_CLASS_LIMITS, TEXT_NONE, TEXT("out of time"));
    return true;
}

bool inspect_is_over(const struct inspection *inspection)
{
    return !inspection->engine || inspection->is_known || inspection->is_void || has_virus(inspection);
}

uint32_t inspect_left_ms(const struct inspection *inspection)
{
    uint32_t most_ms = inspection->engine ? inspection->engine->time_ms : 0;
    uint64_t spent_ms = monotonic_ms() - inspection->begun_ms;
    if (most_ms == 0) return UINT32_MAX;
    return spent_ms < most_ms ? most_ms - (uint32_t)spent_ms : 0;
}

void inspect_tell(struct inspection *inspection, enum scan_state state, struct text name)
{
    struct engine_result told;
    engine_result_set(&told, state, name);
    engine_result_merge(&inspection->result, &told);
}

/* True: these bytes were found infected before. */
static bool known_find(const struct inspection *inspection, const uint8_t digest[DIGEST_BYTES],
                       struct engine_result *out)
{
    const char *known = verdict_cache_infected(inspection->cache, digest);
    if (known) engine_result_set(out, SCAN_FOUND, text_of(known));
    return known;
}

/* And not only closed: it may be shared. */
static bool is_infectious(const struct engine_result *result)
{
    return result->state == SCAN_FOUND && classes_of_name(text_of(result->name)) <= VIRUS_CLASS_PUA;
}

/* True: a virus or phishing. */
static bool found_take(struct inspection *inspection, const struct engine_result *result)
{
    if (is_infectious(result)) verdict_cache_touch(inspection->cache, inspection->begun_ms);
    result_take(inspection, result);
    return is_infectious(result) && classes_of_name(text_of(result->name)) <= VIRUS_CLASS_PHISHING;
}

typedef void engine_scan(struct engine *engine, struct text bytes, struct engine_result *out);

static void ask(struct inspection *inspection, engine_scan *scan, struct text bytes,
                struct engine_result *out)
{
    inspection->engine->seen = inspection->seen;
    scan(inspection->engine, bytes, out);
    inspection->engine->seen = NULL;
    seen_files_settle(inspection->seen, out->state == SCAN_CLEAN);
}

void inspect_whole(struct inspection *inspection)
{
    if (inspect_is_over(inspection)) return;
    ask(inspection, inspection->engine->calls->scan_message, inspection->message, &inspection->whole);
}

/* True: a virus or phishing is in it. */
static bool bytes_scan(struct inspection *inspection, struct text bytes, const uint8_t digest[DIGEST_BYTES])
{
    struct engine_result result = { .state = SCAN_UNSCANNED };
    bool is_known = known_find(inspection, digest, &result);
    if (!is_known) ask(inspection, inspection->engine->calls->scan, bytes, &result);
    if (!is_known && result.state == SCAN_CLEAN) seen_files_keep(inspection->seen, digest);
    if (!is_known && is_infectious(&result))
        verdict_cache_add_infected(inspection->cache, digest, result.name);
    return found_take(inspection, &result);
}

/* The engine came by it in this message. */
static bool was_seen(const struct inspection *inspection, struct text bytes,
                     const uint8_t digest[DIGEST_BYTES])
{
    return seen_files_has(inspection->seen, digest) ||
           (inspection->is_shown && seen_files_has_text(inspection->seen, bytes));
}

void inspect_bytes(struct inspection *inspection, struct text bytes)
{
    uint8_t digest[DIGEST_BYTES];
    bool is_kept = inspection->keeps_parts && inspection->is_file && bytes.length >= PART_DIGEST_LEAST;
    if (bytes.length == 0 || inspection->is_void || has_virus(inspection)) return;
    bool is_asked = !inspect_is_over(inspection);
    if (!is_asked && !is_kept) return;
    digest_sha256(bytes, digest);
    is_asked = is_asked && !was_seen(inspection, bytes, digest) && !is_out_of_time(inspection);
    bool is_infected = is_asked && bytes_scan(inspection, bytes, digest);
    if (is_kept || (inspection->keeps_parts && is_infected))
        part_list_add(&inspection->parts, digest, bytes.length, is_infected);
}

/* --- what is known --- */

bool inspect_is_stormy(const struct inspection *inspection)
{
    if (inspect_is_over(inspection)) return false;
    uint64_t last_ms = verdict_cache_infected_ms(inspection->cache);
    return last_ms && inspection->begun_ms < last_ms + STORM_MS;
}

void inspect_known(struct inspection *inspection, struct text bytes)
{
    uint8_t digest[DIGEST_BYTES];
    struct engine_result result;
    if (inspect_is_over(inspection) || bytes.length == 0) return;
    digest_sha256(bytes, digest);
    if (!known_find(inspection, digest, &result)) return;
    bool is_infected = found_take(inspection, &result);
    if (inspection->keeps_parts) part_list_add(&inspection->parts, digest, bytes.length, is_infected);
}

void inspect_mail(struct inspection *inspection, struct text bytes)
{
    struct engine_result result = { .state = SCAN_UNSCANNED };
    if (inspect_is_over(inspection) || is_out_of_time(inspection)) return;
    ask(inspection, inspection->engine->calls->scan_message, bytes, &result);
    result_take(inspection, &result);
}

void inspect_end(struct inspection *inspection, bool was_cut)
{
    if (inspect_is_over(inspection)) return;
    inspection->part = TEXT("the message");
    result_take(inspection, &inspection->whole);
    if (was_cut)
        inspect_add(inspection, VIRUS_CLASS_LIMITS, TEXT_NONE, TEXT("parts beyond a limit were not seen"));
    if (inspection->result.state == SCAN_CLEAN)
        verdict_cache_add_clean(inspection->cache, inspection->digest);
}
