/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a reader says may come from one that was taken over: each frame comes back as it was put, none that is
   cut, longer, or beyond its bounds is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ipc/ask_open.h"

static const char long_text[READER_PATH_MOST + 2];

static bool order_is_taken(struct text payload)
{
    struct open_order order;
    return open_order_get(payload, &order);
}

static bool member_is_taken(struct text payload)
{
    struct open_member member;
    return open_member_get(payload, &member);
}

static bool notice_is_taken(struct text payload)
{
    struct open_notice notice;
    return open_notice_get(payload, &notice);
}

/* Of its own length alone. */
static void check_lengths(struct buffer *payload, bool (*is_taken)(struct text payload))
{
    struct text whole = buffer_text(payload);
    assert_true(is_taken(whole));
    for (size_t length = 0; length < whole.length; length++)
        assert_false(is_taken(text_slice(whole, 0, length)));
    buffer_add_char(payload, 0);
    assert_false(is_taken(buffer_text(payload)));
    buffer_free(payload);
}

static void order(void **state)
{
    const struct open_order put = { 1ULL << 40, 2, 3, 4, 5, 6 };
    struct open_order got;
    struct buffer payload = { 0 };
    open_order_put(&put, &payload);
    assert_true(open_order_get(buffer_text(&payload), &got));
    assert_true(got.bytes == put.bytes && got.file_bytes == 2 && got.total_bytes == 3);
    assert_true(got.files == 4 && got.nesting == 5 && got.time_ms == 6);
    check_lengths(&payload, order_is_taken);
}

static void member(void **state)
{
    const struct open_member put = { TEXT("a\xFF/b"), 1ULL << 40 };
    struct open_member got;
    struct buffer payload = { 0 };
    open_member_put(&put, &payload);
    assert_true(open_member_get(buffer_text(&payload), &got));
    assert_true(text_equal(got.path, put.path) && got.bytes == put.bytes);
    check_lengths(&payload, member_is_taken);
}

static bool is_member_path(size_t length)
{
    struct buffer payload = { 0 };
    const struct open_member put = { text_from(long_text, length), 1 };
    open_member_put(&put, &payload);
    bool is_taken = member_is_taken(buffer_text(&payload));
    buffer_free(&payload);
    return is_taken;
}

static bool is_notice(int kind, size_t path, struct text what)
{
    struct buffer payload = { 0 };
    const struct open_notice put = { (enum open_notice_kind)kind, text_from(long_text, path), what };
    open_notice_put(&put, &payload);
    bool is_taken = notice_is_taken(buffer_text(&payload));
    buffer_free(&payload);
    return is_taken;
}

static void notice(void **state)
{
    struct buffer payload = { 0 };
    const struct open_notice put = { OPEN_ENCRYPTED, TEXT("x"), TEXT("zip") };
    open_notice_put(&put, &payload);
    check_lengths(&payload, notice_is_taken);
    for (int kind = 0; kind < OPEN_NOTICE_COUNT; kind++) assert_true(is_notice(kind, 0, TEXT("zip")));
    assert_false(is_notice(OPEN_NOTICE_COUNT, 0, TEXT("zip")));
    assert_false(is_notice(OPEN_LIMITS, 0, TEXT_NONE));
    assert_false(is_notice(OPEN_LIMITS, 0, TEXT("a\nb")));
    assert_false(is_notice(OPEN_LIMITS, 0, TEXT("\x7F")));
}

static void bounds(void **state)
{
    static char what[READER_WHAT_MOST + 2];
    memset(what, 'x', sizeof what);
    assert_true(is_member_path(READER_PATH_MOST));
    assert_false(is_member_path(READER_PATH_MOST + 1));
    assert_true(is_notice(OPEN_LIMITS, READER_PATH_MOST, text_from(what, READER_WHAT_MOST)));
    assert_false(is_notice(OPEN_LIMITS, READER_PATH_MOST + 1, TEXT("x")));
    assert_false(is_notice(OPEN_LIMITS, 0, text_from(what, READER_WHAT_MOST + 1)));
}

static bool found_is_taken(struct text payload)
{
    struct open_found found;
    return open_found_get(payload, &found);
}

static bool extract_is_taken(struct text payload)
{
    struct extract_order order;
    return extract_order_get(payload, &order);
}

static bool is_found(int kind, size_t length)
{
    static char text[FOUND_TEXT_MOST + 1];
    struct buffer payload = { 0 };
    const struct open_found put = { (enum found_kind)kind, text_from(text, length) };
    open_found_put(&put, &payload);
    bool is_taken = found_is_taken(buffer_text(&payload));
    buffer_free(&payload);
    return is_taken;
}

static void found(void **state)
{
    static const size_t most[] = { FOUND_TEXT_MOST, FOUND_LINK_MOST, FOUND_CODE_MOST };
    struct buffer payload = { 0 };
    const struct open_found put = { FOUND_LINK, TEXT("x:\xFF") };
    open_found_put(&put, &payload);
    check_lengths(&payload, found_is_taken);
    for (int kind = 0; kind < FOUND_KIND_COUNT; kind++) {
        assert_true(is_found(kind, 1) && is_found(kind, most[kind]));
        assert_false(is_found(kind, 0) || is_found(kind, most[kind] + 1));
    }
    assert_false(is_found(FOUND_KIND_COUNT, 1));
}

static void extract(void **state)
{
    const struct extract_order put = { EXTRACT_HTML, 1ULL << 40, 7 };
    struct extract_order got;
    struct buffer payload = { 0 };
    extract_order_put(&put, &payload);
    assert_true(extract_order_get(buffer_text(&payload), &got));
    assert_true(got.kind == EXTRACT_HTML && got.bytes == put.bytes && got.time_ms == 7);
    check_lengths(&payload, extract_is_taken);
    extract_order_put(&(struct extract_order){ .kind = EXTRACT_KIND_COUNT }, &payload);
    assert_false(extract_is_taken(buffer_text(&payload)));
    buffer_free(&payload);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(order),  cmocka_unit_test(member),
                                               cmocka_unit_test(notice), cmocka_unit_test(bounds),
                                               cmocka_unit_test(found),  cmocka_unit_test(extract) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
