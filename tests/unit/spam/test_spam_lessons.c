/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lessons as bytes: which mail is which however it was carried, what is read back, what is refused, and how a
   log ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spam/lesson_log.h"

#define BODY                                                                                       \
    "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p class=x>Good <b>morning</b>, how are " \
    "you?</p>\r\n"
static const char mail[] = "From: a@x.example\r\nSubject: Greetings\r\nMessage-ID: <1@x.example>\r\n" BODY;

static void id_of(const char *message, uint8_t out[LESSON_ID_BYTES])
{
    struct arena *arena = arena_new(0);
    lesson_identify(arena, mime_parse(arena, text_of(message), &mime_limits_default, MIME_FIRST), out);
    arena_free(arena);
}

static void test_one_mail_is_one_mail(void **state)
{
    static const struct {
        const char *message;
        bool is_same;
    } rows[] = {
        { "Received: from a by b\r\nReturn-Path: <a@x.example>\r\nX-Spam-Status: Yes\r\nX-Sekimori-Id: "
          "1\r\nFrom: "
          "a@x.example\r\nSubject: [SPAM] Greetings\r\nMessage-ID: <1@x.example>\r\n" BODY "\r\n\r\n",
          true },
        { "From: a@x.example\nSubject: Greetings\nMessage-ID:\n <1@x.example>\nMIME-Version: "
          "1.0\nContent-Type: "
          "text/html\n\n<p class=x>Good <b>morning</b>, how are you?</p>\n",
          true },
        { "From: b@x.example\r\nSubject: Greetings\r\nMessage-ID: <1@x.example>\r\n" BODY, false },
        { "From: a@x.example\r\nSubject: Greetings\r\nMessage-ID: <1@x.example>\r\n" BODY "More\r\n", false },
        { "", false },
    };
    uint8_t wanted[LESSON_ID_BYTES], found[LESSON_ID_BYTES];
    id_of(mail, wanted);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        id_of(rows[i].message, found);
        assert_int_equal(memcmp(wanted, found, sizeof wanted) == 0, rows[i].is_same);
    }
}

static void test_lessons_come_back(void **state)
{
    struct arena *arena = arena_new(0);
    struct lesson lesson, found;
    struct buffer bytes = { 0 };
    lesson_read(arena, text_of(mail), NULL, &lesson);
    lesson.is_spam = true;
    lesson.time_ms = 123456;
    lesson_write(&lesson, &bytes);
    struct text all = buffer_text(&bytes);
    assert_true(lesson_parse(all, arena, &found));
    assert_true(found.is_spam && found.time_ms == 123456 &&
                memcmp(found.id, lesson.id, sizeof found.id) == 0);
    uint32_t total = vector_total(&lesson.vector);
    assert_true(total > 50 && vector_total(&found.vector) == total);
    assert_memory_equal(found.vector.slots, lesson.vector.slots, total * sizeof *found.vector.slots);
    for (int block = 0; block < VECTOR_BLOCKS; block++) assert_true(lesson.vector.counts[block] > 0);
    /* no text of the mail is in it */
    assert_int_equal(text_find_nocase(all, TEXT("morning")), all.length);
    /* shorter or longer it is none */
    for (size_t length = 0; length < all.length; length++)
        assert_false(lesson_parse(text_slice(all, 0, length), arena, &found));
    buffer_add_char(&bytes, 'x');
    assert_false(lesson_parse(buffer_text(&bytes), arena, &found));
    buffer_free(&bytes);
    arena_free(arena);
}

static void test_vectors_that_are_none(void **state)
{
    static const struct text rows[] = {
        { "\1\0\x80\x80\x10\0\0\0\0\0\0\0\0", 13 },     /* a slot behind the last */
        { "\1\0\x81\0\0\0\0\0\0\0\0\0", 12 },           /* a distance longer than it need be */
        { "\1\0\xff\xff\xff\x7f\0\0\0\0\0\0\0\0", 14 }, /* of more bytes than any is */
        { "\1\x10\0\0\0\0\0\0\0\0\0", 11 },             /* more features than a block has */
        { "\0\0\0\0\0\0\0\0\0", 9 },
    };
    struct arena *arena = arena_new(0);
    struct mail_vector vector;
    assert_true(vector_read((struct text){ "\2\0\5\0\0\0\0\0\0\0\0\0", 12 }, arena, &vector));
    assert_true(vector.counts[0] == 2 && vector.slots[0] == 5 && vector.slots[1] == 6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(vector_read(rows[i], arena, &vector));
    arena_free(arena);
}

/* Records up to the end, and how it ends. */
static int records_of(struct text log, enum lesson_log_next *out_end)
{
    struct lesson_record record;
    int count = 0;
    if (lesson_log_open(&log)) return -1;
    while ((*out_end = lesson_log_next(&log, &record)) == LESSON_LOG_RECORD) count++;
    return count;
}

static void test_logs_end(void **state)
{
    struct arena *arena = arena_new(0);
    struct lesson lesson;
    struct buffer log = { 0 };
    enum lesson_log_next end = LESSON_LOG_END;
    lesson_read(arena, text_of(mail), NULL, &lesson);
    lesson_log_begin(&log);
    lesson_log_teach(&lesson, &log);
    size_t second = buffer_length(&log);
    lesson_log_teach(&lesson, &log);
    size_t third = buffer_length(&log);
    lesson_log_undo(lesson.id, 5, &log);
    struct text all = buffer_text(&log);
    assert_true(records_of(all, &end) == 3 && end == LESSON_LOG_END);
    for (size_t length = 0; length < LESSON_LOG_HEAD_BYTES; length++)
        assert_int_equal(records_of(text_slice(all, 0, length), &end), -1);
    /* a writing that was cut short, wherever, costs the last record */
    for (size_t length = second + 1; length < third; length++)
        assert_true(records_of(text_slice(all, 0, length), &end) == 1 && end == LESSON_LOG_CUT);
    /* a changed byte in the middle is damage, at the end it is a cut */
    for (size_t at = second; at < all.length; at++) {
        log.memory[log.start + at] ^= 0x40;
        assert_int_equal(records_of(all, &end), at < third ? 1 : 2);
        assert_true(end == LESSON_LOG_DAMAGED || at >= third);
        log.memory[log.start + at] ^= 0x40;
    }
    char zeros[4096] = { 0 };
    buffer_add(&log, zeros, sizeof zeros); /* as a power loss leaves it */
    assert_true(records_of(buffer_text(&log), &end) == 3 && end == LESSON_LOG_CUT);
    log.memory[log.start + 8] ^= 1;
    assert_int_equal(records_of(buffer_text(&log), &end), -1);
    buffer_free(&log);
    arena_free(arena);
}

/* What nobody said is two records; without its second one nothing is taught. */
static void test_automatic_lessons(void **state)
{
    struct arena *arena = arena_new(0);
    struct lesson lesson;
    struct lesson_record record;
    struct lesson_origin origin = { .domain = 7, .network = 8, .sketch.line = 9 };
    struct buffer log = { 0 };
    enum lesson_log_next end = LESSON_LOG_END;
    lesson_read(arena, text_of(mail), NULL, &lesson);
    lesson.time_ms = 5;
    lesson_log_begin(&log);
    lesson_log_teach_automatic(&lesson, &origin, &log);
    struct text rest = buffer_text(&log);
    assert_null(lesson_log_open(&rest));
    assert_int_equal(lesson_log_next(&rest, &record), LESSON_LOG_RECORD);
    assert_true(record.kind == LESSON_AUTOMATIC && record.time_ms == 5 && record.origin.domain == 7);
    assert_true(record.origin.network == 8 && record.origin.sketch.line == 9);
    assert_memory_equal(record.id, lesson.id, sizeof lesson.id);
    assert_int_equal(lesson_log_next(&rest, &record), LESSON_LOG_RECORD);
    assert_true(record.kind == LESSON_TAUGHT && rest.length == 0);
    for (size_t length = LESSON_LOG_HEAD_BYTES; length < buffer_length(&log); length++)
        assert_true(records_of(text_slice(buffer_text(&log), 0, length), &end) < 2);
    /* an origin that tells it from no other mail is none */
    buffer_clear(&log);
    lesson_log_begin(&log);
    lesson_log_teach_automatic(&lesson, &(struct lesson_origin){ .domain = 7 }, &log);
    assert_true(records_of(buffer_text(&log), &end) == 0 && end == LESSON_LOG_DAMAGED);
    buffer_free(&log);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_mail_is_one_mail),  cmocka_unit_test(test_lessons_come_back),
        cmocka_unit_test(test_vectors_that_are_none), cmocka_unit_test(test_logs_end),
        cmocka_unit_test(test_automatic_lessons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
