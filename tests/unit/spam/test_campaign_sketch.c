/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which mails have keys at all, and which two are taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "spam/campaign_sketch.h"

/* Some sixty words; the copies of it below differ as copies do. */
#define LETTER                                                                                             \
    "we are pleased to tell you that the committee has chosen your address for the yearly award of the "   \
    "lake "                                                                                                \
    "district garden society and that the amount can be collected by every winner who answers before the " \
    "last friday of the month with his full name and telephone, please do not share this notice with "     \
    "others until the transfer has been made and the office has confirmed that all papers are in order"
#define OTHER                                                                                               \
    "the minutes of the faculty meeting are attached, please send corrections to the secretary before the " \
    "next session, the room has changed since the large lecture hall is painted this week, students who "   \
    "want to take part should tell their tutor so that chairs can be found, thank you all for the lively "  \
    "discussion about the library hours and for the many good proposals that were made on the way home"
#define JAPANESE                                                                                                                                                \
    "いつもご利用いただきありがとうございます。お客様の口座において普段と異なる取引が確認されましたので、"    \
    "本人確認のため一時的にご利用を制限させていただきました。お手数ですが期限までに手続きをお願いいたします" \
    "。"

enum { NOTHING, TEXT_KEYS, LINE_KEY, FILE_KEY };

static void sketch_of(const char *content_type, const char *body, struct campaign_sketch *out)
{
    struct arena *arena = arena_new(0);
    struct buffer mail = { 0 };
    buffer_printf(&mail, "Subject: hello\r\nMIME-Version: 1.0\r\nContent-Type: %s\r\n\r\n%s\r\n",
                  content_type, body);
    campaign_sketch_message(arena, mime_parse(arena, buffer_text(&mail), &mime_limits_default, MIME_FIRST),
                            out);
    buffer_free(&mail);
    arena_free(arena);
}

static void test_what_has_keys(void **state)
{
    static const struct {
        const char *type, *body;
        int keys;
    } rows[] = {
        { "text/plain", "", NOTHING },
        { "text/plain", "ok", NOTHING },
        { "text/plain", "thanks, see you on monday in the usual place", NOTHING },
        { "text/plain", "see https://example.test/a", NOTHING }, /* too few words */
        { "text/plain", "the parcel waits for you at https://evil.test/a?id=1", LINE_KEY },
        { "text/html", "<p>the parcel waits for you <a href='https://evil.test/a'>here</a>", LINE_KEY },
        { "text/plain; charset=utf-8", "荷物をお預かりしています https://evil.test/x", LINE_KEY },
        { "text/plain", LETTER, TEXT_KEYS },
        { "text/plain; charset=utf-8", JAPANESE, TEXT_KEYS },
        { "text/plain",
          "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33",
          NOTHING },
        { "text/plain",
          "same same same same same same same same same same same same same same same same same "
          "same same same same same same same same same same same same same same same same same "
          "same same same same same same same same same same same same same same same same same",
          NOTHING },
        { "application/pdf", "%PDF", NOTHING }, /* too short a file */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct campaign_sketch sketch;
        sketch_of(rows[i].type, rows[i].body, &sketch);
        int keys = sketch.bands[0]     ? TEXT_KEYS
                   : sketch.line       ? LINE_KEY
                   : sketch.file_count ? FILE_KEY
                                       : NOTHING;
        if (keys != rows[i].keys) fail_msg("%s: %d", rows[i].body, keys);
    }
}

static unsigned shared(const struct campaign_sketch *a, const struct campaign_sketch *b)
{
    unsigned count = 0;
    for (int i = 0; i < CAMPAIGN_BANDS; i++) count += a->bands[i] && a->bands[i] == b->bands[i];
    return count;
}

static bool is_same(const struct campaign_sketch *a, const struct campaign_sketch *b)
{
    return shared(a, b) >= CAMPAIGN_BANDS_LEAST || (a->line && a->line == b->line) ||
           (a->file_count && b->file_count && a->files[0] == b->files[0]);
}

static void test_which_are_one(void **state)
{
    static const struct {
        const char *type, *one, *other_type, *other;
        bool is_one;
    } rows[] = {
        { "text/plain", LETTER, "text/plain", LETTER, true },
        { "text/plain", "Dear Anna,\r\n" LETTER " 4711", "text/plain", "Dear Bob,\r\n" LETTER " 0815", true },
        { "text/plain", LETTER, "text/html", "<b>" LETTER "</b><br>", true },
        { "text/plain", LETTER, "text/plain", "WE ARE PLEASED, " LETTER, true },
        { "text/plain", LETTER " https://a.test/x7f3", "text/plain", LETTER " https://b.test/99aa", true },
        { "text/plain", LETTER, "text/plain", OTHER, false },
        { "text/plain", LETTER " " OTHER, "text/plain", OTHER, false }, /* half of it is quoted */
        { "text/plain; charset=utf-8", "佐藤様 " JAPANESE, "text/plain; charset=utf-8", "鈴木様 " JAPANESE,
          true },
        { "text/plain", "the parcel waits for you at https://evil.test/a?id=1", "text/plain",
          "the parcel waits for you at https://evil.test/b?id=2", true },
        { "text/plain", "the parcel waits for you at https://evil.test/a", "text/plain",
          "the parcel waits for you at https://good.test/a", false },
        { "text/plain", "the parcel waits for you at https://evil.test/a", "text/plain",
          "the picture waits for you at https://evil.test/a", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct campaign_sketch one, other;
        sketch_of(rows[i].type, rows[i].one, &one);
        sketch_of(rows[i].other_type, rows[i].other, &other);
        if (is_same(&one, &other) != rows[i].is_one)
            fail_msg("row %zu: %u bands are shared", i, shared(&one, &other));
    }
}

static void test_files(void **state)
{
    static const struct {
        const char *type;
        size_t size;
        bool has_key;
    } rows[] = {
        { "application/pdf", CAMPAIGN_FILE_LEAST, true },
        { "application/pdf", CAMPAIGN_FILE_LEAST - 1, false },
        { "application/pdf", 300000, true },
        { "image/png", 5000, false },
    };
    static char bytes[300000];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct campaign_sketch one = { 0 }, other = { 0 };
        struct mime_part part = { .kind = MIME_LEAF, .type = text_of(rows[i].type), .name = TEXT("a") };
        memset(bytes, 'x', sizeof bytes);
        campaign_sketch_file(&part, text_from(bytes, rows[i].size), &one);
        campaign_sketch_file(&part, text_from(bytes, rows[i].size), &one); /* twice is once */
        assert_int_equal(one.file_count, rows[i].has_key);
        bytes[rows[i].size - 1] = 'y';
        campaign_sketch_file(&part, text_from(bytes, rows[i].size), &other);
        assert_true(!rows[i].has_key || one.files[0] != other.files[0]);
    }
}

/* A key that is stored holds over versions of the program: it is the same for ever. */
static void test_the_same_for_ever(void **state)
{
    struct campaign_sketch sketch;
    sketch_of("text/plain", LETTER, &sketch);
    char first[40];
    snprintf(first, sizeof first, "%016llx", (unsigned long long)sketch.bands[0]);
    assert_string_equal(first, "f571dc4bd213fe61");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_has_keys),
                                        cmocka_unit_test(test_which_are_one), cmocka_unit_test(test_files),
                                        cmocka_unit_test(test_the_same_for_ever) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
