/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Single values: units, names, endpoints, nearest words. A row is a text and what it must become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "config/nearest.h"
#include "config/units.h"
#include "config/value.h"

static const uint64_t BAD = UINT64_MAX;

static void sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *printed;
    } rows[] = {
        { "0", 0, "0" },
        { "512", 512, "512" },
        { "64K", 65536, "64K" },
        { "65536", 65536, "64K" },
        { "25M", 25 << 20, "25M" },
        { "1024M", UINT64_C(1) << 30, "1G" },
        { "1025M", UINT64_C(1025) << 20, "1025M" },
        { "8388607T", UINT64_C(8388607) << 40, "8388607T" },
        { "8388608T", BAD, NULL },
        { "18446744073709551616", BAD, NULL },
        { "25m", BAD, NULL },
        { "25MB", BAD, NULL },
        { "M", BAD, NULL },
        { "-1", BAD, NULL },
        { "1.5G", BAD, NULL },
        { "", BAD, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        uint64_t bytes;
        bool good = units_size_parse(text_of(rows[i].text), &bytes);
        if (good != (rows[i].bytes != BAD)) fail_msg("%s: %d", rows[i].text, good);
        if (!good) continue;
        assert_int_equal(bytes, rows[i].bytes);
        units_size_print(bytes, &out);
        assert_true(text_equal(buffer_text(&out), text_of(rows[i].printed)));
        buffer_free(&out);
    }
}

static void times(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
        const char *printed;
    } rows[] = {
        { "0", 0, "0" },
        { "500ms", 500, "500ms" },
        { "30s", 30000, "30s" },
        { "60s", 60000, "1m" },
        { "1500ms", 1500, "1500ms" },
        { "5m", 300000, "5m" },
        { "90m", 5400000, "90m" },
        { "1h", 3600000, "1h" },
        { "5d", 432000000, "5d" },
        { "48h", 172800000, "2d" },
        { "5", BAD, NULL },
        { "5w", BAD, NULL },
        { "1h30m", BAD, NULL },
        { "5D", BAD, NULL },
        { "s", BAD, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        uint64_t ms;
        bool good = units_time_parse(text_of(rows[i].text), &ms);
        if (good != (rows[i].ms != BAD)) fail_msg("%s: %d", rows[i].text, good);
        if (!good) continue;
        assert_int_equal(ms, rows[i].ms);
        units_time_print(ms, &out);
        assert_true(text_equal(buffer_text(&out), text_of(rows[i].printed)));
        buffer_free(&out);
    }
}

static void points(void **state)
{
    static const struct {
        const char *text;
        double points; /* below 0: refused */
        const char *printed;
    } rows[] = {
        { "6.8", 6.8, "6.8" },
        { "20", 20, "20" },
        { "0", 0, "0" },
        { "6.80", 6.8, "6.8" },
        { "0.05", 0.05, "0.05" },
        { "never", (double)INFINITY, "never" },
        { "12.345678901", 12.345678901, "12.345678901" },
        { "6.", -1, NULL },
        { ".5", -1, NULL },
        { "-3", -1, NULL },
        { "6,8", -1, NULL },
        { "1e3", -1, NULL },
        { "1.0123456789", -1, NULL },
        { "", -1, NULL },
        { "inf", -1, NULL },
        { "nan", -1, NULL },
        { "6.8.1", -1, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        double value;
        bool good = units_points_parse(text_of(rows[i].text), &value);
        if (good != (rows[i].points >= 0)) fail_msg("%s: %d", rows[i].text, good);
        if (!good) continue;
        if (value != rows[i].points) fail_msg("%s: %.17g", rows[i].text, value);
        units_points_print(value, &out);
        assert_true(text_equal(buffer_text(&out), text_of(rows[i].printed)));
        buffer_free(&out);
    }
}

static void clocks(void **state)
{
    static const struct {
        const char *text;
        uint64_t minutes;
    } rows[] = { { "03:00", 180 }, { "23:59", 1439 }, { "00:00", 0 },  { "24:00", BAD },
                 { "3:00", BAD },  { "03:60", BAD },  { "0300", BAD }, { "03:0a", BAD } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t minutes = BAD;
        bool good = units_clock_parse(text_of(rows[i].text), &minutes);
        if (good != (rows[i].minutes != BAD) || (good && minutes != rows[i].minutes))
            fail_msg("%s", rows[i].text);
    }
}

static void endpoints(void **state)
{
    static const struct {
        const char *text;
        uint16_t fallback;
        const char *printed; /* NULL: refused */
    } rows[] = {
        { "192.0.2.1:25", 0, "192.0.2.1:25" },
        { "192.0.2.1", 25, "192.0.2.1" },
        { "192.0.2.1:25", 25, "192.0.2.1" },
        { "192.0.2.1", 0, NULL },
        { "[2001:db8::1]:2525", 25, "[2001:db8::1]:2525" },
        { "[2001:db8::1]", 25, "2001:db8::1" },
        { "2001:db8::1", 25, "2001:db8::1" },
        { "2001:db8::1", 0, NULL },
        { "[::]:25", 0, "[::]:25" },
        { "192.0.2.1:0", 25, NULL },
        { "192.0.2.1:65536", 25, NULL },
        { "192.0.2.1:", 25, NULL },
        { ":25", 25, NULL },
        { "host:25", 25, NULL },
        { "192.0.2.256:25", 25, NULL },
        { "", 25, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct endpoint endpoint;
        struct buffer out = { 0 };
        bool good = value_endpoint_parse(text_of(rows[i].text), rows[i].fallback, &endpoint);
        if (good != (rows[i].printed != NULL)) fail_msg("%s: %d", rows[i].text, good);
        if (!good) continue;
        value_endpoint_print(&endpoint, rows[i].fallback, &out);
        if (!text_equal(buffer_text(&out), text_of(rows[i].printed)))
            fail_msg("%s: %.*s", rows[i].text, TEXT_ARG(buffer_text(&out)));
        buffer_free(&out);
    }
}

static void host_names(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        { "mx.example.jp", true },
        { "localhost", true },
        { "xn--wgv71a.jp", true },
        { "_dmarc.example.jp", true },
        { "3com.example", true },
        { "10.1.0.256", false },
        { "example.1", false },
        { "-a.jp", false },
        { "a-.jp", false },
        { "a..jp", false },
        { ".a.jp", false },
        { "a.jp.", false },
        { "", false },
        { "a b.jp", false },
        { "\xE6\x97\xA5.jp", false },
        { "a123456789b123456789c123456789d123456789e123456789f123456789g12.jp", true },
        { "a123456789b123456789c123456789d123456789e123456789f123456789g1234.jp", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (value_is_host_name(text_of(rows[i].text)) != rows[i].good) fail_msg("%s", rows[i].text);
}

static void distances(void **state)
{
    static const struct {
        const char *a, *b;
        size_t steps;
    } rows[] = { { "", "", 0 },
                 { "abc", "", 3 },
                 { "kitten", "sitting", 3 },
                 { "recipeints", "recipients", 1 },
                 { "Tag", "tag", 0 },
                 { "ca", "abc", 3 },
                 { "direcotin", "direction", 2 },
                 { "a123456789b123456789c123456789d12", "a", SIZE_MAX } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(nearest_distance(text_of(rows[i].a), text_of(rows[i].b)), rows[i].steps);
        assert_int_equal(nearest_distance(text_of(rows[i].b), text_of(rows[i].a)), rows[i].steps);
    }
}

/* `dump` leaves out what equals the default by comparing texts: each default must stand as it is printed. */
static void defaults_are_canonical(void **state)
{
    struct arena *arena = arena_new(0);
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++) {
        struct buffer out = { 0 };
        struct lexer lexer;
        if (!row->fallback) continue;
        void *base = arena_alloc(arena, sizeof(struct config));
        lexer_start(&lexer, text_of(row->fallback), arena);
        struct token word = lexer_next(&lexer);
        const char *why = value_parse(row, base, &word, TEXT_NONE, arena);
        if (why) fail_msg("%s: %s", row->words, why);
        value_print(row, base, &out);
        if (!text_equal(buffer_text(&out), text_of(row->fallback)))
            fail_msg("%s: %s is printed as %.*s", row->words, row->fallback, TEXT_ARG(buffer_text(&out)));
        buffer_free(&out);
    }
    arena_free(arena);
}

/* Rows of one scope stand together, have help in both languages and fields of a fitting size. */
static void schema_is_sound(void **state)
{
    bool was_left[SCHEMA_SCOPES] = { 0 };
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++) {
        if (row > schema_rows && row[-1].scope != row->scope) was_left[row[-1].scope] = true;
        if (was_left[row->scope]) fail_msg("%s stands apart from its scope", row->words);
        if (!*row->help || !*row->help_ja) fail_msg("%s has no help", row->words);
        if (row->help[strlen(row->help) - 1] != '.') fail_msg("%s: the help is no sentence", row->words);
        bool fits = row->size == 1 || row->size == 2 || row->size == 4 || row->size == 8;
        bool is_number = row->type <= SCHEMA_CLOCK;
        if (is_number && !fits) fail_msg("%s has a field of %u bytes", row->words, row->size);
        if (row->type == SCHEMA_TIME && row->size == 4 && row->most > UINT32_MAX)
            fail_msg("%s: the range does not fit the field", row->words);
        if (row->type == SCHEMA_COUNT && row->size == 2 && row->most > UINT16_MAX)
            fail_msg("%s: the range does not fit the field", row->words);
        if (is_number && row->type > SCHEMA_SWITCH && row->type != SCHEMA_CLOCK && row->most == 0)
            fail_msg("%s has no range", row->words);
        if (!row->fallback && !row->fallback_help && row->type < SCHEMA_LISTEN)
            fail_msg("%s has no default", row->words);
        for (const struct schema_row *other = schema_rows; other < row; other++)
            if (other->scope == row->scope && strcmp(other->words, row->words) == 0)
                fail_msg("%s stands twice", row->words);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),           cmocka_unit_test(times),
        cmocka_unit_test(points),          cmocka_unit_test(clocks),
        cmocka_unit_test(endpoints),       cmocka_unit_test(host_names),
        cmocka_unit_test(distances),       cmocka_unit_test(defaults_are_canonical),
        cmocka_unit_test(schema_is_sound),
    };
    return cmocka_run_group_tests_name("config values", tests, NULL, NULL);
}
