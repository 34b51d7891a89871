/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Replies of clamd: one row each, after VERSION (1), INSTREAM (2), FILDES (3) and INSTREAM (4) were asked;
   whole, and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "consult/clamd_dialogue.h"

static int askers[5];

static void asked(struct clamd_dialogue *dialogue)
{
    static const enum clamd_command commands[] = { CLAMD_VERSION, CLAMD_INSTREAM, CLAMD_FILDES,
                                                   CLAMD_INSTREAM };
    struct buffer out = { 0 };
    clamd_begin(&out);
    for (size_t i = 0; i < 4; i++) assert_true(clamd_ask(dialogue, commands[i], &askers[i + 1], &out));
    static const char words[] = "zIDSESSION\0zVERSION\0zINSTREAM\0zFILDES\0zINSTREAM";
    assert_true(text_equal(buffer_text(&out), text_from(words, sizeof words)));
    buffer_free(&out);
}

/* What is told of each reply: "NUMBER STATE words", "!" for nonsense, "." for more to come; "|" stands for
 * NUL. */
static const struct row {
    const char *bytes, *told;
} rows[] = {
    { "", "." },
    { "2: stream: OK", "." },
    { "2: stream: OK|", "2 clean ;." },
    { "1: ClamAV 1.4.6/27456/Tue Nov 24 2026|", "1 clean ClamAV 1.4.6/27456/Tue Nov 24 2026;." },
    { "4: stream: OK|2: stream: OK|3: fd[12]: OK|", "4 clean ;2 clean ;3 clean ;." },
    { "2: stream: Eicar-Test-Signature FOUND|", "2 found Eicar-Test-Signature;." },
    { "3: fd[9]: Eicar FOUND|2: stream: Win.A FOUND|", "3 found Eicar;2 found Win.A;." },
    { "2: stream: Eicar(44d88612fea8a8f36de82e1278abb02f:68) FOUND|", "2 found Eicar;." },
    { "2: stream: Html.Phish(a) FOUND|", "2 found Html.Phish(a);." },
    { "2: stream: a: b FOUND|", "2 found a: b;." },
    { "2: stream: OK FOUND|", "2 found OK;." },
    { "2: INSTREAM size limit exceeded. ERROR|", "2 limits INSTREAM size limit exceeded.;." },
    { "3: fd[10]: Can't allocate memory ERROR|", "3 unscanned fd[10]: Can't allocate memory;." },
    { "2: UNKNOWN COMMAND ERROR|", "2 unscanned UNKNOWN COMMAND;." },
    { "1: no database ERROR|", "1 unscanned no database;." },
    { "2: stream: OK|2: stream: OK|", "2 clean ;!" },
    { "5: stream: OK|", "!" },
    { "0: stream: OK|", "!" },
    { "-2: stream: OK|", "!" },
    { "22222222222222222222: stream: OK|", "!" },
    { "stream: OK|", "!" },
    { "|", "!" },
    { "2|", "!" },
    { "2: |", "!" },
    { "2: OK|", "!" },
    { "2: stream: |", "!" },
    { "2: stream: ok|", "!" },
    { "2: stream: OK |", "!" },
    { "2: stream: FOUND|", "!" },
    { "2: stream:  FOUND|", "!" },
    { "2: stream: Eicar|", "!" },
    { "2: stream: Eicar FOUND\n|", "!" },
    { "2: fd[3]: OK|", "!" },
    { "3: stream: OK|", "!" },
    { "3: fd[x]: OK|", "!" },
    { "3: fd[]: OK|", "!" },
    { "3: fd[1: OK|", "!" },
    { "3: fd[99999999999]: OK|", "!" },
    { "COMMAND READ TIMED OUT|", "!" },
    { "1: |", "!" },
};

static const char *state_name(enum scan_state state)
{
    return state == SCAN_CLEAN    ? "clean"
           : state == SCAN_FOUND  ? "found"
           : state == SCAN_LIMITS ? "limits"
                                  : "unscanned";
}

/* Shows `bytes` as a stream does: what was not read comes again with what follows, `step` bytes more. */
static void told_make(struct text bytes, size_t step, struct buffer *told)
{
    struct clamd_dialogue dialogue = { 0 };
    struct clamd_reply reply;
    enum clamd_event event = CLAMD_MORE;
    size_t at = 0, shown = 0;
    asked(&dialogue);
    do {
        shown = shown + step < bytes.length ? shown + step : bytes.length;
        do {
            at += clamd_read(&dialogue, text_slice(bytes, at, shown), &event, &reply);
            assert_true(at <= shown);
            if (event == CLAMD_REPLY)
                buffer_printf(told, "%d %s %.*s;", (int)((int *)reply.asker - askers),
                              state_name(reply.state), TEXT_ARG(reply.words));
        } while (event == CLAMD_REPLY);
    } while (shown < bytes.length && event != CLAMD_NONSENSE);
    buffer_printf(told, event == CLAMD_NONSENSE ? "!" : ".");
}

static void test_replies(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bytes[200];
        size_t length = strlen(rows[i].bytes);
        for (size_t k = 0; k < length; k++) bytes[k] = rows[i].bytes[k] == '|' ? '\0' : rows[i].bytes[k];
        for (size_t step = 1; step <= 200; step += 199) {
            struct buffer told = { 0 };
            told_make(text_from(bytes, length), step, &told);
            if (!text_equal(buffer_text(&told), text_of(rows[i].told)))
                fail_msg("%s: by %zu: %.*s", rows[i].bytes, step, TEXT_ARG(buffer_text(&told)));
            buffer_free(&told);
        }
    }
}

static void test_a_reply_without_an_end(void **state)
{
    static char bytes[CLAMD_REPLY_MOST];
    struct clamd_dialogue dialogue = { 0 };
    struct clamd_reply reply;
    enum clamd_event event;
    asked(&dialogue);
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(clamd_read(&dialogue, text_from(bytes, sizeof bytes - 1), &event, &reply), 0);
    assert_int_equal(event, CLAMD_MORE);
    clamd_read(&dialogue, text_from(bytes, sizeof bytes), &event, &reply);
    assert_int_equal(event, CLAMD_NONSENSE);
}

static void test_questions_are_bounded(void **state)
{
    struct clamd_dialogue dialogue = { 0 };
    struct buffer out = { 0 };
    for (int i = 0; i < CLAMD_OPEN_MOST; i++) assert_true(clamd_ask(&dialogue, CLAMD_INSTREAM, NULL, &out));
    size_t length = buffer_length(&out);
    assert_false(clamd_ask(&dialogue, CLAMD_INSTREAM, NULL, &out));
    assert_int_equal(buffer_length(&out), length);
    buffer_clear(&out);
    clamd_chunk_put(0x01020304, &out);
    assert_true(text_equal(buffer_text(&out), TEXT("\1\2\3\4")));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_replies),
                                        cmocka_unit_test(test_a_reply_without_an_end),
                                        cmocka_unit_test(test_questions_are_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
