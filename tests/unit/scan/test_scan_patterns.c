/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a pattern matches what an administrator means by it, in any spelling of width, case and charset; ten
   thousand of them cost little, also those that are made to cost much; an image that changes is read anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scan/entry_patterns.h"
#include "spam/text_fold.h"

static const struct {
    enum entry_feature feature;
    const char *pattern, *text;
    bool is_match;
} rows[] = {
    { ENTRY_SUBJECT, "*invoice*", "Your INVOICE no. 5", true },
    { ENTRY_SUBJECT, "invoice*", "Your invoice", false },
    { ENTRY_SUBJECT, "invoice", "Invoice", true },
    { ENTRY_SUBJECT, "invoice", "invoices", false },
    { ENTRY_SUBJECT, "*請求書*", "【重要】請求書のご案内", true },
    { ENTRY_SUBJECT, "*アカウント*", "ｱｶｳﾝﾄの確認", true },
    { ENTRY_SUBJECT, "*ＡＭＡＺＯＮ*", "amazonより", true },
    { ENTRY_SUBJECT, "a*bbb*c", "abbbbbc", true },
    { ENTRY_SUBJECT, "abc*bcd", "abcd", false },
    { ENTRY_SUBJECT, "abc**bcd", "abcbcd", true },
    { ENTRY_SUBJECT, "what\\*?", "what*?", true },
    { ENTRY_SUBJECT, "what\\*?", "what are you?", false },
    { ENTRY_SUBJECT, "[spam] *", "[SPAM]  now", true },
    { ENTRY_LINK, "https://evil.test/*", "evil.test/x", true },
    { ENTRY_LINK, "*.evil.test", "www.evil.test", true },
    { ENTRY_LINK, "*.evil.test", "evil.test", false },
    { ENTRY_ATTACHMENT, "*.EXE", "Rechnung.exe", true },
    { ENTRY_ATTACHMENT, "application/vnd.ms-*", "application/vnd.ms-excel", true },
};

static void what_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer pattern = { 0 }, text = { 0 };
        entry_pattern_fold(text_of(rows[i].pattern), rows[i].feature, &pattern);
        text_fold(text_of(rows[i].text), &text, NULL);
        if (entry_pattern_matches(buffer_text(&pattern), buffer_text(&text)) != rows[i].is_match)
            fail_msg("%s and %s", rows[i].pattern, rows[i].text);
        buffer_free(&pattern);
        buffer_free(&text);
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Entries with one Subject pattern each, made by `form` with the number in it. */
static void image_make(struct arena *arena, const char *form, size_t count, struct buffer *out)
{
    struct sender_entry *entries = arena_alloc_array(arena, count, sizeof *entries);
    const char *why;
    for (size_t i = 0; i < count; i++) {
        entries[i] =
            (struct sender_entry){ .verb = ENTRY_BLOCK, .kind = ENTRY_ANYBODY, .number = (uint32_t)i + 1 };
        assert_true(sender_entry_read_pattern(arena, (enum entry_feature)(i % ENTRY_FEATURES),
                                              arena_printf(arena, form, i), &entries[i], &why));
    }
    buffer_clear(out);
    assert_true(entry_image_write(entries, count, out));
}

static const struct mime *mail_of(struct arena *arena, const char *subject)
{
    return mime_parse(arena,
                      arena_printf(arena,
                                   "Subject: %s\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf; "
                                   "name=\"paper 17.pdf\"\r\n\r\nx\r\n",
                                   subject),
                      &mime_limits_default, MIME_FIRST);
}

static size_t hits_count(struct text hits)
{
    struct entry_hit hit;
    size_t count = 0;
    while (entry_hits_next(&hits, &hit)) count++;
    return count;
}

/* Prints what it cost; the bound is wide, since others use this machine too. */
static size_t cost(struct entry_patterns *patterns, const char *name, const struct mime *mime,
                   struct text urls, unsigned most_us)
{
    enum { TIMES = 20 };
    struct arena *arena = arena_new(0);
    const struct entry_texts texts = { TEXT_NONE, urls, TEXT_NONE };
    struct text hits = entry_patterns_find(patterns, arena, mime, &texts);
    size_t count = hits_count(hits);
    uint64_t begin = now_ns();
    for (int i = 0; i < TIMES; i++) entry_patterns_find(patterns, arena, mime, &texts);
    double us = (double)(now_ns() - begin) / TIMES / 1000;
    print_message("%s: %.1f us, %zu hits\n", name, us, count);
    assert_true(us < most_us);
    arena_free(arena);
    return count;
}

static void ten_thousand(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer image = { 0 };
    struct entry_patterns *patterns = entry_patterns_new();
    image_make(arena, "*paper %zu.pdf*", ENTRIES_MOST, &image);
    uint64_t begin = now_ns();
    assert_int_equal(entry_patterns_load(patterns, buffer_text(&image), TEXT_NONE), 7);
    print_message("10,000 patterns compiled: %.1f ms\n", (double)(now_ns() - begin) / 1e6);
    const struct mime *mime =
        mail_of(arena, "Minutes of the meeting of 12 May, and what is to be done until June");
    struct buffer urls = { 0 };
    for (int i = 0; i < 20; i++)
        buffer_printf(&urls, "http://www.shop%d.example/newsletter/2026/may/offer-%d?u=4711\n", i, i);
    assert_int_equal(cost(patterns, "ordinary mail, 20 links", mime, buffer_text(&urls), 5000), 1);
    /* Each pattern is tried on each line. */
    image_make(arena, "*aaaaaaaaaaaaaaaa*b%zu", ENTRIES_MOST, &image);
    entry_patterns_load(patterns, buffer_text(&image), TEXT_NONE);
    struct buffer digits = { 0 };
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 600; j++) buffer_printf(&digits, "b%d", i * 600 + j);
        buffer_add_char(&digits, '\n');
    }
    assert_int_equal(
        cost(patterns, "a mail made to ask for all patterns", mime, buffer_text(&digits), 500000), 0);
    buffer_free(&digits);
    /* Each pattern begins alike, and a line is full of what they begin with. */
    image_make(arena, "*aaaaaaaaaaaaaaaa*%06zu*", ENTRIES_MOST, &image);
    entry_patterns_load(patterns, buffer_text(&image), TEXT_NONE);
    buffer_clear(&urls);
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4000; j++) buffer_add_char(&urls, 'a');
        buffer_add_char(&urls, '\n');
    }
    assert_int_equal(cost(patterns, "32 KB of what all patterns have", mime, buffer_text(&urls), 1000000), 0);
    buffer_free(&urls);
    buffer_free(&image);
    entry_patterns_free(patterns);
    arena_free(arena);
}

static void an_image_that_changes(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer image = { 0 }, other = { 0 };
    struct entry_patterns *patterns = entry_patterns_new();
    const struct entry_texts none = { TEXT_NONE, TEXT_NONE, TEXT_NONE };
    const struct mime *mime = mail_of(arena, "abc0");
    image_make(arena, "abc%zu", 1, &image);
    image_make(arena, "xyz%zu", 1, &other);
    for (int i = 0; i < 3; i++) {
        entry_patterns_load(patterns, buffer_text(i % 2 ? &other : &image), TEXT_NONE);
        assert_int_equal(hits_count(entry_patterns_find(patterns, arena, mime, &none)), i % 2 == 0);
    }
    assert_int_equal(entry_patterns_load(patterns, TEXT_NONE, TEXT_NONE), 0);
    assert_int_equal(hits_count(entry_patterns_find(patterns, arena, mime, &none)), 0);
    buffer_free(&image);
    buffer_free(&other);
    entry_patterns_free(patterns);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_matches), cmocka_unit_test(ten_thousand),
                                        cmocka_unit_test(an_image_that_changes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
