/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: files are remembered by their digest whether an engine looked at them or not; of copies of one
   infected file only the first is scanned; what the engine came by in a clean message is not scanned again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "virus/inspect.h"

static unsigned scans;

static void scan(struct engine *engine, struct text bytes, struct engine_result *out)
{
    scans++;
    bool is_evil = text_find(bytes, TEXT("EVIL")) < bytes.length;
    engine_result_set(out, is_evil ? SCAN_FOUND : SCAN_CLEAN, TEXT("Worm.Test"));
}

static char large[SEEN_FILE_LEAST];
static enum scan_state whole_state = SCAN_CLEAN;

/* Comes by a large file in each message. */
static void scan_message(struct engine *engine, struct text bytes, struct engine_result *out)
{
    seen_files_add(engine->seen, text_from(large, sizeof large));
    engine_result_set(out, whole_state, TEXT("Phish.Test"));
}

static const struct engine_calls calls = { .scan = scan, .scan_message = scan_message };
static struct engine engine = { .calls = &calls, .version = "stub 1" };

static char harmless[100], evil[100], words[100];

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(0);
    memset(harmless, 'h', sizeof harmless);
    memset(words, 'w', sizeof words);
    memset(evil, 'e', sizeof evil);
    memset(large, 'l', sizeof large);
    memcpy(evil, "EVIL", 4);
    scans = 0;
    *state = verdict_cache_new(16);
    return 0;
}

static int tear_down(void **state)
{
    verdict_cache_free(*state);
    arena_free(arena);
    return 0;
}

static void look(struct inspection *inspection, const char bytes[100], bool is_file)
{
    inspection->is_file = is_file;
    inspect_bytes(inspection, text_from(bytes, 100));
}

static void begin(struct inspection *inspection, struct engine *one, struct verdict_cache *cache)
{
    inspect_begin(inspection, arena, one, cache, TEXT("a message"), NULL);
    inspection->keeps_parts = true;
    if (one) inspect_whole(inspection);
}

static void what_is_remembered(void **state)
{
    struct inspection inspection;
    for (int times = 0; times < 3; times++) { /* scanned, known to be clean, and without an engine */
        begin(&inspection, times < 2 ? &engine : NULL, *state);
        look(&inspection, words, false);
        look(&inspection, harmless, true);
        inspect_end(&inspection, false);
        assert_int_equal(inspection.parts.count, 1);
        assert_false(inspection.parts.parts[0].is_infected);
        assert_int_equal(scans, 2);
    }
    inspection.keeps_parts = false; /* where none are wanted */
    inspection.parts.count = 0;
    look(&inspection, harmless, true);
    assert_int_equal(inspection.parts.count, 0);
}

static void a_storm(void **state)
{
    struct inspection inspection;
    begin(&inspection, &engine, *state);
    assert_false(inspect_is_stormy(&inspection));
    look(&inspection, words, false);
    look(&inspection, evil, true);
    inspect_end(&inspection, false);
    assert_int_equal(inspection.result.state, SCAN_FOUND);
    assert_true(inspection.parts.count == 1 && inspection.parts.parts[0].is_infected);
    assert_int_equal(scans, 2);
    for (int copies = 0; copies < 3; copies++) {
        inspect_begin(&inspection, arena, &engine, *state, TEXT("a message"), NULL);
        inspection.keeps_parts = true;
        assert_true(inspect_is_stormy(&inspection));
        inspect_known(&inspection, text_from(harmless, 100));
        inspection.part = TEXT("tool.exe");
        inspect_known(&inspection, text_from(evil, 100));
        look(&inspection, words, false);
        look(&inspection, evil, true);
        inspect_end(&inspection, false);
        assert_int_equal(inspection.result.state, SCAN_FOUND);
        assert_string_equal(inspection.findings[0].name.at, "Worm.Test");
        assert_string_equal(inspection.findings[0].part.at, "tool.exe");
        assert_true(inspection.parts.count == 1 && inspection.parts.parts[0].is_infected);
        assert_int_equal(scans, 2);
    }
    begin(&inspection, NULL, *state); /* without an engine nothing is known */
    assert_false(inspect_is_stormy(&inspection));
}

static void what_was_seen(void **state)
{
    static const struct {
        enum scan_state whole;
        unsigned scans; /* of the large file, that stands there twice */
    } rows[] = { { SCAN_CLEAN, 0 }, { SCAN_FOUND, 1 }, { SCAN_LIMITS, 1 }, { SCAN_UNSCANNED, 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct verdict_cache *cache = verdict_cache_new(16);
        struct inspection inspection;
        whole_state = rows[i].whole;
        scans = 0;
        begin(&inspection, &engine, cache);
        inspection.is_file = true;
        for (int times = 0; times < 2; times++) inspect_bytes(&inspection, text_from(large, sizeof large));
        assert_int_equal(scans, rows[i].scans);
        look(&inspection, evil, true);
        assert_int_equal(scans, rows[i].scans + 1);
        assert_int_equal(inspection.parts.count, 2);
        inspect_end(&inspection, false);
        assert_int_equal(inspection.result.state, SCAN_FOUND);
        verdict_cache_free(cache);
    }
    whole_state = SCAN_CLEAN;
}

/* The engine's mail parser gave it other line ends, broke a line, and dropped blanks: a person reads the
 * same. */
static void what_was_shown(void **state)
{
    static const char *const texts[] = {
        "A first line that has quite some words in it,\r\n\r\nand a second one. \r\nEnd",
        "\nA first line that has quite\n some words in it,\nand a second one.\nEnd\n",
        "A first line that has quite some words in it,\nand another second one.\nEnd",
    };
    static const struct {
        int seen, asked;
        bool is_shown;
        unsigned scans;
    } rows[] = { { 0, 0, false, 0 }, { 0, 1, true, 0 },  { 1, 0, true, 0 },
                 { 0, 1, false, 1 }, { 1, 0, false, 1 }, { 0, 2, true, 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct inspection inspection;
        scans = 0;
        begin(&inspection, &engine, *state);
        seen_files_add(inspection.seen, text_of(texts[rows[i].seen]));
        seen_files_settle(inspection.seen, true);
        inspection.is_shown = rows[i].is_shown;
        inspect_bytes(&inspection, text_of(texts[rows[i].asked]));
        assert_int_equal(scans, rows[i].scans);
    }
    struct seen_files *seen = arena_alloc(arena, sizeof *seen);
    char binary[SEEN_FILE_LEAST + 2] = "MZ ";
    seen_files_add(seen, text_from(binary, sizeof binary));
    assert_int_equal(seen->count, 1); /* bytes that are no text have no characters */
    while (seen->count + 2 <= SEEN_FILES_MOST) seen_files_add(seen, text_of(texts[0]));
    seen_files_add(seen, text_of(texts[0]));
    assert_true(seen->count <= SEEN_FILES_MOST);
}

static void nobody_looked(void **state)
{
    struct inspection inspection;
    inspect_begin(&inspection, arena, &engine, *state, TEXT("a message"), NULL);
    inspect_end(&inspection, false);
    assert_int_equal(inspection.result.state, SCAN_UNSCANNED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_storm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_looked, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
