/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: streams behind streams are found, and what only looks like their beginnings costs a look each: four
   times as many bytes are four times the work, not sixteen times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "open/unpack.h"

/* "one\n" */
static const struct text bzip2 =
    TEXT("BZh91AY&SY\x78\x13\xC0\x82\x00\x00\x01\xC1\x00\x00\x10\x02\x01\xA0\x00\x21"
         "\x9A\x68\x33\x4D\x0C\xBC\x5D\xC9\x14\xE1\x42\x41\xE0\x4F\x02\x08");

struct seen {
    unsigned members;
    char notice[64]; /* the last */
};

static size_t bytes_searched;

void *__real_memmem(const void *in, size_t length, const void *wanted, size_t wanted_length);
void *__wrap_memmem(const void *in, size_t length, const void *wanted, size_t wanted_length);
void *__wrap_memmem(const void *in, size_t length, const void *wanted, size_t wanted_length)
{
    char *hit = __real_memmem(in, length, wanted, wanted_length);
    bytes_searched += hit ? (size_t)(hit - (const char *)in) : length;
    return hit;
}

static bool member(void *context, struct text path, struct text bytes)
{
    struct seen *seen = context;
    seen->members += text_equal(bytes, TEXT("one\n"));
    return true;
}

static void notice(void *context, enum unpack_notice notice, struct text path, struct text what)
{
    struct seen *seen = context;
    snprintf(seen->notice, sizeof seen->notice, "%.*s", TEXT_ARG(what));
}

static struct seen unpack(const struct buffer *file)
{
    const struct unpack_limits limits = { 100 << 20, 400 << 20, 1000, 17, 60000 };
    const struct unpack_events events = { member, notice };
    struct unpack unpack;
    struct seen seen = { 0 };
    bytes_searched = 0;
    unpack_run(&unpack, &limits, &events, &seen, buffer_text(file));
    return seen;
}

/* A stream, so many times something, and a stream. */
static struct seen between(struct text filling, size_t times)
{
    struct buffer file = { 0 };
    buffer_add_text(&file, bzip2);
    for (size_t i = 0; i < times; i++) buffer_add_text(&file, filling);
    buffer_add_text(&file, bzip2);
    struct seen seen = unpack(&file);
    buffer_free(&file);
    return seen;
}

static void each_alone(void **state)
{
    struct seen seen = between(TEXT(""), 0);
    assert_int_equal(seen.members, 2); /* the whole is "one\none\n" */
    seen = between(TEXT("BZh"), 100);
    assert_true(seen.members >= 1);
    assert_string_equal(seen.notice, "");
}

static void marks_are_linear(void **state)
{
    between(TEXT("BZh"), 10000);
    size_t few = bytes_searched;
    between(TEXT("BZh"), 40000);
    assert_true(bytes_searched < 5 * few);
}

static void marks_are_bounded(void **state)
{
    assert_string_equal(between(TEXT("BZh"), 300000).notice, "number of streams");
}

/* Each looks like a whole stream: the number of files ends it. */
static void tries_are_bounded(void **state)
{
    assert_string_equal(between(TEXT("BZh91AY&SY"), 5000).notice, "number of files");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_alone), cmocka_unit_test(marks_are_linear),
                                        cmocka_unit_test(marks_are_bounded),
                                        cmocka_unit_test(tries_are_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
