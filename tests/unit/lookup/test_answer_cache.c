/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the DNS said is known again for its TTL, at most for some seconds, and in so much memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lookup/answer_cache.h"

enum { NOW_MS = 5000 };

static struct dns_answer answer_of(enum dns_status status, uint32_t ttl_s, struct dns_record *record)
{
    return (struct dns_answer){
        .status = status, .ttl_s = ttl_s, .secure = true, .count = record ? 1 : 0, .records = record
    };
}

struct row {
    const char *name;
    enum dns_status status;
    uint32_t ttl_s;
    size_t text_bytes;
    uint64_t later_ms;
    bool is_known;
};

static void ages_and_sizes(void **state)
{
    static const struct row rows[] = {
        { "at once", DNS_FOUND, 5, 10, 0, true },
        { "just before the TTL", DNS_FOUND, 5, 10, 4999, true },
        { "after the TTL", DNS_FOUND, 5, 10, 5000, false },
        { "a long TTL", DNS_FOUND, 3600, 10, ANSWER_CACHE_MOST_MS - 1, true },
        { "a long TTL, later", DNS_FOUND, 3600, 10, ANSWER_CACHE_MOST_MS, false },
        { "no TTL", DNS_FOUND, 0, 10, 0, false },
        { "nothing there", DNS_NONE, 5, 10, 0, true },
        { "no answer", DNS_TEMPERROR, 5, 10, 0, false },
        { "bogus", DNS_BOGUS, 5, 10, 0, false },
        { "large", DNS_FOUND, 5, ANSWER_CACHE_BYTES, 0, false },
    };
    static char bytes[ANSWER_CACHE_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct answer_cache *cache = answer_cache_new();
        struct arena *arena = arena_new(0);
        struct dns_record record = { .text = text_from(bytes, row->text_bytes) };
        struct dns_answer answer = answer_of(row->status, row->ttl_s, &record), got;
        answer_cache_put(cache, TEXT("a.test"), RECORD_TXT, NOW_MS, &answer);
        bool is_known =
            answer_cache_get(cache, TEXT("a.test"), RECORD_TXT, NOW_MS + row->later_ms, arena, &got);
        if (is_known != row->is_known) fail_msg("%s: %d", row->name, is_known);
        answer_cache_free(cache);
        if (is_known) { /* a copy: the cache is gone */
            assert_true(got.was_cached && got.secure && got.status == row->status);
            assert_true(text_equal(got.records[0].text, record.text));
        }
        arena_free(arena);
    }
}

static void others_are_others(void **state)
{
    struct answer_cache *cache = answer_cache_new();
    struct arena *arena = arena_new(0);
    struct dns_answer answer = answer_of(DNS_NONE, 5, NULL), got;
    answer_cache_put(cache, TEXT("a.test"), RECORD_TXT, NOW_MS, &answer);
    assert_false(answer_cache_get(cache, TEXT("a.test"), RECORD_A, NOW_MS, arena, &got));
    assert_false(answer_cache_get(cache, TEXT("b.test"), RECORD_TXT, NOW_MS, arena, &got));
    assert_true(answer_cache_get(cache, TEXT("a.test"), RECORD_TXT, NOW_MS, arena, &got));
    answer_cache_forget(cache);
    assert_false(answer_cache_get(cache, TEXT("a.test"), RECORD_TXT, NOW_MS, arena, &got));
    answer_cache_free(cache);
    arena_free(arena);
}

/* Each answer is its own, and no more are known than there are places. */
static void many_names(void **state)
{
    enum { NAMES = 4 * ANSWER_CACHE_PLACES };
    struct answer_cache *cache = answer_cache_new();
    struct arena *arena = arena_new(0);
    struct dns_answer got;
    unsigned known = 0;
    char name[32];
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "%u.test", i);
        struct dns_record record = { .text = text_of(name) };
        struct dns_answer answer = answer_of(DNS_FOUND, 5, &record);
        answer_cache_put(cache, text_of(name), RECORD_TXT, NOW_MS, &answer);
    }
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "%u.test", i);
        if (!answer_cache_get(cache, text_of(name), RECORD_TXT, NOW_MS, arena, &got)) continue;
        known++;
        assert_true(text_equal(got.records[0].text, text_of(name)));
    }
    assert_in_range(known, ANSWER_CACHE_PLACES / 2, ANSWER_CACHE_PLACES);
    answer_cache_free(cache);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ages_and_sizes), cmocka_unit_test(others_are_others),
                                        cmocka_unit_test(many_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
