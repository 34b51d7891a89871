/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Frames between nodes: each goes over and comes back as it was, in pieces of any size; what is none is
   broken at once, however much of it has come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "courier/wire.h"

static const struct wire_frame frames[] = {
    { .type = WIRE_HELLO,
      .version = WIRE_VERSION,
      .hello = { .number = 255, .role = 1, .series = INT64_MAX } },
    { .type = WIRE_WELCOME, .version = WIRE_VERSION, .number = 0 },
    { .type = WIRE_WELCOME, .version = WIRE_VERSION, .number = INT64_MAX, .is_listening = true },
    { .type = WIRE_HELLO, .version = WIRE_VERSION_FIRST, .hello = { .number = 2, .series = 1 } },
    { .type = WIRE_WELCOME, .version = WIRE_VERSION_FIRST, .number = 7 },
    { .type = WIRE_REFUSED, .reason = TEXT("its number is that of another node") },
    { .type = WIRE_PARCEL, .parcel = { 7, 3, TEXT("records") } },
    { .type = WIRE_PARCEL, .parcel = { 8, 0, TEXT_NONE } },
    { .type = WIRE_STORED, .number = 8 },
    { .type = WIRE_ALIVE },
    { .type = WIRE_SAY, .saying = { 1, TEXT("say 3010 entry 0 7 root x\n") } },
    { .type = WIRE_HEARD, .number = 1 },
};
enum { FRAMES = sizeof frames / sizeof *frames };

static void same(const struct wire_frame *a, const struct wire_frame *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->hello.number, b->hello.number);
    assert_int_equal(a->hello.role, b->hello.role);
    assert_int_equal(a->hello.series, b->hello.series);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->parcel.number, b->parcel.number);
    assert_int_equal(a->parcel.given_up, b->parcel.given_up);
    assert_true(text_equal(a->parcel.records, b->parcel.records));
    assert_int_equal(a->is_listening, b->is_listening);
    assert_int_equal(a->saying.turn, b->saying.turn);
    assert_true(text_equal(a->saying.lines, b->saying.lines));
    assert_true(text_equal(a->reason, b->reason));
}

static void there_and_back(void **state)
{
    struct buffer all = { 0 };
    for (int i = 0; i < FRAMES; i++) wire_put(&frames[i], &all);
    struct text rest = buffer_text(&all);
    for (int i = 0; i < FRAMES; i++) {
        struct wire_frame frame;
        size_t used, whole = 0;
        for (size_t length = 0; !whole; length++) {
            assert_true(length <= rest.length);
            enum wire_outcome outcome = wire_take(text_slice(rest, 0, length), &frame, &used);
            assert_int_not_equal(outcome, WIRE_BROKEN);
            if (outcome == WIRE_WHOLE) whole = length;
        }
        assert_int_equal(used, whole);
        same(&frame, &frames[i]);
        rest = text_slice(rest, used, rest.length);
    }
    assert_int_equal(rest.length, 0);
    buffer_free(&all);
}

static void fullest_parcel_fits(void **state)
{
    static char records[COURIER_RECORDS_MOST + 1];
    struct wire_frame frame = { .type = WIRE_PARCEL,
                                .parcel = { 1, 0, text_from(records, COURIER_RECORDS_MOST) } };
    struct buffer out = { 0 };
    size_t used;
    wire_put(&frame, &out);
    assert_int_equal(wire_take(buffer_text(&out), &frame, &used), WIRE_WHOLE);
    frame.parcel.records = text_from(records, COURIER_RECORDS_MOST + 1);
    buffer_clear(&out);
    wire_put(&frame, &out);
    assert_int_equal(wire_take(buffer_text(&out), &frame, &used), WIRE_BROKEN);
    buffer_free(&out);
}

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const struct broken_row {
    const char *what;
    struct text bytes;
} broken[] = {
    { "no type", BYTES("\0\0\0\0") },
    { "endless, before any of it has come", BYTES("\xFF\xFF\xFF\x7F") },
    { "a little over the limit", BYTES("\x41\xF0\0\0") },
    { "type 0", BYTES("\1\0\0\0\0") },
    { "type 9", BYTES("\1\0\0\0\x9") },
    { "SAY without anything", BYTES("\1\0\0\0\7") },
    { "SAY of turn 0", BYTES("\xd\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0\0") },
    { "HEARD without a turn", BYTES("\1\0\0\0\x8") },
    { "WELCOME that listens by halves", BYTES("\xc\0\0\0\2\2\0\0\0\0\0\0\0\0\0\2") },
    { "more than it has", BYTES("\2\0\0\0\6x") },
    { "a number above 63 bits", BYTES("\x9\0\0\0\5\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF") },
    { "half a number", BYTES("\5\0\0\0\5\1\0\0\0") },
    { "HELLO of somebody else", BYTES("\x14\0\0\0\1\3\0\0\0ABC\1\0\2\0\1\0\0\0\0\0\0\0") },
    { "parcel 0", BYTES("\x15\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
    { "HTTP", BYTES("GET / HTTP/1.0\r\n\r\n") },
};

static void nonsense(void **state)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct wire_frame frame;
        size_t used;
        if (wire_take(broken[i].bytes, &frame, &used) != WIRE_BROKEN)
            fail_msg("not broken: %s", broken[i].what);
    }
}

/* Nobody can know what comes behind another version's number, only that there is one. */
static void another_version(void **state)
{
    struct wire_frame frame = { .type = WIRE_HELLO, .version = 3, .hello = { .number = 0, .series = 0 } };
    struct buffer out = { 0 };
    size_t used;
    wire_put(&frame, &out);
    assert_int_equal(wire_take(buffer_text(&out), &frame, &used), WIRE_WHOLE);
    assert_int_equal(frame.version, 3);
    assert_int_equal(used, buffer_length(&out));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(fullest_parcel_fits),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(another_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
