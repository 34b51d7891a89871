/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Replies of a server. A row is bytes and what they say, read whole and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "smtp/reply.h"

static void describe(struct text bytes, size_t step, struct buffer *out)
{
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    enum reply_outcome outcome = REPLY_MORE;
    struct arena *arena = arena_new(0);
    size_t used = 0;
    for (size_t size = step; outcome == REPLY_MORE && size < bytes.length + step; size += step)
        outcome = reply_parse(&parser, text_slice(bytes, 0, size), &reply, &used);
    if (outcome != REPLY_WHOLE) {
        buffer_printf(out, "%s", reply_outcome_name(outcome));
    } else {
        struct text joined = reply_join(arena, &reply, 60);
        buffer_printf(out, "%u|%.*s|%.*s|%.*s|%zu", reply.code, TEXT_ARG(reply.enhanced),
                      TEXT_ARG(reply.text), TEXT_ARG(joined), bytes.length - used);
        assert_int_equal(reply.lines.length, used);
    }
    arena_free(arena);
}

static void replies(void **state)
{
    static const struct {
        const char *bytes, *expected;
    } rows[] = {
        { "250 2.1.5 ok\r\n", "250|2.1.5|ok|ok|0" },
        { "250 ok\r\nmore", "250||ok|ok|4" },
        { "250\r\n", "250||||0" },
        { "250 \r\n", "250||||0" },
        { "250 ok\n", "250||ok|ok|0" },
        { "354 go on\r\n", "354||go on|go on|0" },
        { "354 3.0.0 go on\r\n", "354||3.0.0 go on|3.0.0 go on|0" },
        { "550-5.1.1 one\r\n550 5.1.1 two\r\n", "550|5.1.1|two|one two|0" },
        { "550-one\r\n550-\r\n550 two\r\n", "550||two|one two|0" },
        { "550 5.1.1\r\n", "550|5.1.1|||0" },
        { "550 4.1.1 class is not the code's\r\n",
          "550||4.1.1 class is not the code's|4.1.1 class is not the code's|0" },
        { "550 5.1234.1 x\r\n", "550||5.1234.1 x|5.1234.1 x|0" },
        { "550 5.1 x\r\n", "550||5.1 x|5.1 x|0" },
        { "550 5.1.1x\r\n", "550||5.1.1x|5.1.1x|0" },
        { "550-5.1.1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n550 5.1.1 "
          "bbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n",
          "550|5.1.1|bbbbbbbbbbbbbbbbbbbbbbbbbbb|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
          "bbbbbbbbbbbb|0" },
        { "250-one\r\n251 two\r\n", "reply codes differ" },
        { "150 x\r\n", "no reply code" },
        { "600 x\r\n", "no reply code" },
        { "25\r\n", "no reply code" },
        { "\r\n", "no reply code" },
        { "250_x\r\n", "no reply code" },
        { "2a0 x\r\n", "no reply code" },
        { "HTTP/1.1 200 OK\r\n", "no reply code" },
        { "-ERR\r\n", "no reply code" },
        { "250 ok", "unfinished" },
        { "250-ok\r\n", "unfinished" },
        { "", "unfinished" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step <= 100; step += 99) {
            struct buffer got = { 0 };
            describe(text_of(rows[i].bytes), step, &got);
            if (!text_equal(buffer_text(&got), text_of(rows[i].expected)))
                fail_msg("%s\n  gives    %.*s\n  expected %s", rows[i].bytes, TEXT_ARG(buffer_text(&got)),
                         rows[i].expected);
            buffer_free(&got);
        }
}

static enum reply_outcome outcome_of(const struct buffer *bytes)
{
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    size_t used;
    return reply_parse(&parser, buffer_text(bytes), &reply, &used);
}

static void limits(void **state)
{
    struct buffer bytes = { 0 };
    buffer_printf(&bytes, "250 %0*d\r\n", REPLY_LINE_MOST - 5, 1);
    assert_int_equal(outcome_of(&bytes), REPLY_WHOLE);
    buffer_clear(&bytes);
    buffer_printf(&bytes, "250 %0*d", REPLY_LINE_MOST + 1, 1);
    assert_int_equal(outcome_of(&bytes), REPLY_TOO_LONG);
    buffer_clear(&bytes);
    for (int i = 0; i < REPLY_LINES_MOST - 1; i++) buffer_printf(&bytes, "250-x\r\n");
    assert_int_equal(outcome_of(&bytes), REPLY_MORE);
    buffer_printf(&bytes, "250 x\r\n");
    assert_int_equal(outcome_of(&bytes), REPLY_WHOLE);
    buffer_clear(&bytes);
    for (int i = 0; i < REPLY_LINES_MOST + 1; i++) buffer_printf(&bytes, "250-x\r\n");
    assert_int_equal(outcome_of(&bytes), REPLY_TOO_LONG);
    buffer_clear(&bytes);
    for (int i = 0; i < 40; i++) buffer_printf(&bytes, "250-%01000d\r\n", 1);
    assert_int_equal(outcome_of(&bytes), REPLY_TOO_LONG);
    buffer_free(&bytes);
}

/* Two replies in one buffer, as pipelining brings them. */
static void one_after_another(void **state)
{
    struct text bytes = TEXT("250-a\r\n250 b\r\n451 4.3.0 c\r\n");
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    size_t used = 0;
    assert_int_equal(reply_parse(&parser, bytes, &reply, &used), REPLY_WHOLE);
    assert_int_equal(reply.line_count, 2);
    assert_int_equal(reply_parse(&parser, text_slice(bytes, used, bytes.length), &reply, &used), REPLY_WHOLE);
    assert_int_equal(reply.code, 451);
    assert_true(text_equal(reply.enhanced, TEXT("4.3.0")));
}

static void describe_capabilities(struct text bytes, struct buffer *out)
{
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    struct smtp_capabilities offers;
    size_t used;
    assert_int_equal(reply_parse(&parser, bytes, &reply, &used), REPLY_WHOLE);
    smtp_capabilities_parse(&reply, &offers);
    buffer_printf(out, "%s%s%s%s%s%s%s%s", offers.pipelining ? "P" : "", offers.eightbitmime ? "8" : "",
                  offers.smtputf8 ? "U" : "", offers.chunking ? "C" : "", offers.dsn ? "D" : "",
                  offers.starttls ? "T" : "", offers.enhancedstatuscodes ? "E" : "",
                  offers.xclient ? "X" : "");
    if (offers.has_size) buffer_printf(out, "%llu", (unsigned long long)offers.size);
}

static void capabilities(void **state)
{
    static const struct {
        const char *bytes, *expected;
    } rows[] = {
        { "250 mx\r\n", "" },
        { "250-PIPELINING\r\n250 DSN\r\n", "D" }, /* the first line is the server's name, whatever it says */
        { "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-DSN\r\n"
          "250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-XCLIENT NAME ADDR\r\n250 SIZE 35882577\r\n",
          "P8UCDTEX35882577" },
        { "250-mx\r\n250-pipelining\r\n250 Size\r\n", "P0" },
        { "250-mx\r\n250-SIZE=100\r\n250 PIPELININGS\r\n", "" },
        { "250-mx\r\n250 SIZE 99999999999999999999999\r\n", "0" },
        { "250-mx\r\n250-\r\n250 AUTH PLAIN\r\n", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer got = { 0 };
        describe_capabilities(text_of(rows[i].bytes), &got);
        if (!text_equal(buffer_text(&got), text_of(rows[i].expected)))
            fail_msg("%s\n  gives    %.*s\n  expected %s", rows[i].bytes, TEXT_ARG(buffer_text(&got)),
                     rows[i].expected);
        buffer_free(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(limits),
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(capabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
