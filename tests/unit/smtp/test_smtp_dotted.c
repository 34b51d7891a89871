/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Content on the wire. A row is wire bytes, the content they carry, what is left of the wire behind the end
   of data, and what was noted. Every row is decoded whole, byte by byte, and at every single cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "smtp/dotted.h"

struct row {
    struct text wire;
    struct text content;  /* bare bytes noted and kept */
    struct text repaired; /* bare CR and LF made CRLF, NULs gone; NULL: the same as content */
    const char *left;     /* behind the end of data; NULL: the end does not come */
    const char *notes;    /* b bare, 0 NUL, 8 8-bit, . leading dot, l long line */
};

static struct text decode(const struct row *row, bool repair, size_t cut, size_t step, struct dotted *dotted,
                          struct buffer *out)
{
    struct text rest = row->wire;
    bool ended = false;
    dotted_start(dotted, repair, false);
    for (size_t size = cut; rest.length > 0 && !ended; size = step) {
        size_t used = 0;
        struct text chunk = text_slice(rest, 0, size);
        ended = dotted_decode(dotted, chunk, out, &used) == DOTTED_END;
        if (!ended) assert_int_equal(used, chunk.length);
        rest = text_slice(rest, used, rest.length);
    }
    return ended ? rest : TEXT_NONE;
}

static void describe_notes(const struct dotted *dotted, char notes[6])
{
    size_t i = 0;
    if (dotted->has_bare) notes[i++] = 'b';
    if (dotted->has_nul) notes[i++] = '0';
    if (dotted->has_8bit) notes[i++] = '8';
    if (dotted->has_leading_dot) notes[i++] = '.';
    if (dotted->has_long_line) notes[i++] = 'l';
    notes[i] = '\0';
}

static void check(const struct row *row, bool repair, size_t cut, size_t step)
{
    struct dotted dotted;
    struct buffer out = { 0 };
    struct text left = decode(row, repair, cut, step, &dotted, &out);
    struct text wanted = repair && row->repaired.at ? row->repaired : row->content;
    char notes[6];
    describe_notes(&dotted, notes);
    bool good = text_equal(buffer_text(&out), wanted) && (left.at != NULL) == (row->left != NULL) &&
                (!row->left || text_equal(left, text_of(row->left)));
    /* A repaired line is a line, so what is noted of dots and lengths differs; bare itself never does. */
    if (!row->repaired.at || !repair) good = good && strcmp(notes, row->notes) == 0;
    if (!good)
        fail_msg("wire %.*s (repair %d, cut %zu): content %.*s, left %.*s, notes %s", TEXT_ARG(row->wire),
                 repair, cut, TEXT_ARG(buffer_text(&out)), TEXT_ARG(left), notes);
    buffer_free(&out);
}

static void check_all(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int repair = 0; repair < 2; repair++) {
            check(&rows[i], repair, rows[i].wire.length + 1, 1);
            check(&rows[i], repair, 1, 1);
            for (size_t cut = 1; cut < rows[i].wire.length; cut++)
                check(&rows[i], repair, cut, rows[i].wire.length);
        }
}

#define CHECK_ALL(rows) check_all(rows, sizeof rows / sizeof *rows)

static void ends_and_dots(void **state)
{
    static const struct row rows[] = {
        { TEXT("a\r\n.\r\nQUIT\r\n"), TEXT("a\r\n"), TEXT_NONE, "QUIT\r\n", "" },
        { TEXT(".\r\n"), TEXT(""), TEXT_NONE, "", "" },
        { TEXT("\r\n.\r\n"), TEXT("\r\n"), TEXT_NONE, "", "" },
        { TEXT("..\r\n.\r\n"), TEXT(".\r\n"), TEXT_NONE, "", "." },
        { TEXT("...\r\n.\r\n"), TEXT("..\r\n"), TEXT_NONE, "", "." },
        { TEXT("..a\r\n..\r\n.\r\n"), TEXT(".a\r\n.\r\n"), TEXT_NONE, "", "." },
        { TEXT(".a\r\n.\r\n"), TEXT("a\r\n"), TEXT_NONE, "", "" }, /* RFC 5321: the first dot goes */
        { TEXT("a.\r\n.\r\n"), TEXT("a.\r\n"), TEXT_NONE, "", "" },
        { TEXT("a\r\n.\r\n.\r\n"), TEXT("a\r\n"), TEXT_NONE, ".\r\n", "" },
        { TEXT("a\r\n"), TEXT("a\r\n"), TEXT_NONE, NULL, "" },
        { TEXT("a\r\n."), TEXT("a\r\n"), TEXT_NONE, NULL, "" },
        { TEXT("a\r\n.\r"), TEXT("a\r\n"), TEXT_NONE, NULL, "" },
        { TEXT("\xe3\x81\x82\r\n.\r\n"), TEXT("\xe3\x81\x82\r\n"), TEXT_NONE, "", "8" },
        { TEXT("12345678\xff\r\n.\r\n"), TEXT("12345678\xff\r\n"), TEXT_NONE, "", "8" },
        { TEXT("a\0b\r\n.\r\n"), TEXT("a\0b\r\n"), TEXT("ab\r\n"), "", "0" },
        { TEXT("\0\r\n.\r\n"), TEXT("\0\r\n"), TEXT("\r\n"), "", "0" },
    };
    CHECK_ALL(rows);
}

/* SMTP smuggling: nothing but CRLF "." CRLF is an end, whatever the line ends around it are taken for. */
static void smuggling(void **state)
{
    static const struct row rows[] = {
        { TEXT("a\n.\n.\r\n"), TEXT("a\n.\n.\r\n"), TEXT("a\r\n.\r\n.\r\n"), NULL, "b" },
        { TEXT("a\n.\r\nMAIL FROM:<x@y>\r\n.\r\n"), TEXT("a\n.\r\nMAIL FROM:<x@y>\r\n"),
          TEXT("a\r\n.\r\nMAIL FROM:<x@y>\r\n"), "", "b" },
        { TEXT("a\r\n.\nMAIL FROM:<x@y>\r\n.\r\n"), TEXT("a\r\n\nMAIL FROM:<x@y>\r\n"),
          TEXT("a\r\n\r\nMAIL FROM:<x@y>\r\n"), "", "b" },
        { TEXT("a\r.\rMAIL\r\n.\r\n"), TEXT("a\r.\rMAIL\r\n"), TEXT("a\r\n.\r\nMAIL\r\n"), "", "b" },
        { TEXT("a\r\n.\rMAIL\r\n.\r\n"), TEXT("a\r\n\rMAIL\r\n"), TEXT("a\r\n\r\nMAIL\r\n"), "", "b" },
        { TEXT("a\r.\r\nMAIL\r\n.\r\n"), TEXT("a\r.\r\nMAIL\r\n"), TEXT("a\r\n.\r\nMAIL\r\n"), "", "b" },
        { TEXT("a\r\r\n.\r\r\nMAIL\r\n.\r\n"), TEXT("a\r\r\n\r\r\nMAIL\r\n"),
          TEXT("a\r\n\r\n\r\n\r\nMAIL\r\n"), "", "b" },
        { TEXT("a\n\r\n.\r\nx"), TEXT("a\n\r\n"), TEXT("a\r\n\r\n"), "x", "b" },
        { TEXT("a\n..\r\n.\r\n"), TEXT("a\n..\r\n"), TEXT("a\r\n..\r\n"), "", "b" },
        { TEXT(".\n.\r\n\r\n.\r\n"), TEXT("\n.\r\n\r\n"), TEXT("\r\n.\r\n\r\n"), "", "b" },
        { TEXT("\n.\r\n\n.\n"), TEXT("\n.\r\n\n.\n"), TEXT("\r\n.\r\n\r\n.\r\n"), NULL, "b" },
    };
    CHECK_ALL(rows);
}

/* Refused, a NUL is content like any other, so that nothing behind it is taken for commands. Repaired, it was
   never there, for the search of the end of data too: a row is the wire and what each mode makes of it. */
static void nul(void **state)
{
    static const struct {
        struct text wire, kept, kept_left, repaired, repaired_left;
        const char *notes; /* of the refusing mode: the repairing one has no bare where they differ */
    } rows[] = {
#define N(text) TEXT(text)
        { N("a\r\n\0.\r\nQ\r\n.\r\n"), N("a\r\n\0.\r\nQ\r\n"), N(""), N("a\r\n"), N("Q\r\n.\r\n"), "0" },
        { N("a\r\n.\0\r\nQ\r\n.\r\n"), N("a\r\n\0\r\nQ\r\n"), N(""), N("a\r\n"), N("Q\r\n.\r\n"), "0" },
        { N("a\r\n.\r\0\nQ\r\n.\r\n"), N("a\r\n\r\0\nQ\r\n"), N(""), N("a\r\n"), N("Q\r\n.\r\n"), "b0" },
        { N("a\r\0\n.\r\nQ\r\n.\r\n"), N("a\r\0\n.\r\nQ\r\n"), N(""), N("a\r\n"), N("Q\r\n.\r\n"), "b0" },
        { N("a\0\r\n.\r\nQ"), N("a\0\r\n"), N("Q"), N("a\r\n"), N("Q"), "0" },
        { N("\0.\r\nQ\r\n.\r\n"), N("\0.\r\nQ\r\n"), N(""), N(""), N("Q\r\n.\r\n"), "0" },
        { N("\0\0a\0\0\r\n\0.\0.\r\n.\r\n"), N("\0\0a\0\0\r\n\0.\0.\r\n"), N(""), N("a\r\n.\r\n"), N(""),
          "0" },
#undef N
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 1; cut <= rows[i].wire.length; cut++) {
            const struct row kept = { rows[i].wire, rows[i].kept, TEXT_NONE, rows[i].kept_left.at,
                                      rows[i].notes };
            const struct row repaired = { rows[i].wire, rows[i].repaired, rows[i].repaired,
                                          rows[i].repaired_left.at, "" };
            check(&kept, false, cut, rows[i].wire.length);
            check(&repaired, true, cut, 1);
        }
}

static void long_line(void **state)
{
    char wire[1100];
    memset(wire, 'x', sizeof wire);
    for (size_t length = 997; length <= 1000; length++) {
        struct dotted dotted;
        struct buffer out = { 0 };
        size_t used;
        dotted_start(&dotted, false, false);
        dotted_decode(&dotted, text_from(wire, 500), &out, &used);
        dotted_decode(&dotted, text_from(wire, length - 500), &out, &used);
        dotted_decode(&dotted, TEXT("\r\n.\r\n"), &out, &used);
        assert_int_equal(dotted.has_long_line, length > DOTTED_LINE_MOST);
        assert_int_equal(buffer_length(&out), length + 2);
        buffer_free(&out);
    }
}

static void chunks(void **state)
{
    static const struct {
        struct text wire, content;
        bool is_whole, ends_line, has_bare;
    } rows[] = {
        { TEXT("a\r\n"), TEXT("a\r\n"), true, true, false },
        { TEXT("a\r\n.\r\nb"), TEXT("a\r\n.\r\nb"), true, false, false },
        { TEXT("..\r\n"), TEXT("..\r\n"), true, true, false },
        { TEXT("a\r"), TEXT("a\r"), false, false, true },
        { TEXT("a\n"), TEXT("a\n"), true, false, true },
        { TEXT(""), TEXT(""), true, true, false },
        { TEXT("a\r\0\n"), TEXT("a\r\0\n"), true, false, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dotted dotted;
        struct buffer out = { 0 };
        size_t used = 0;
        dotted_start(&dotted, false, true);
        for (size_t at = 0; at < rows[i].wire.length; at += used)
            assert_int_equal(dotted_decode(&dotted, text_slice(rows[i].wire, at, at + 1), &out, &used),
                             DOTTED_MORE);
        assert_int_equal(dotted_finish(&dotted, &out), rows[i].is_whole);
        assert_int_equal(dotted_ends_line(&dotted), rows[i].ends_line);
        assert_int_equal(dotted.has_bare, rows[i].has_bare);
        assert_true(text_equal(buffer_text(&out), rows[i].content));
        buffer_free(&out);
    }
}

static void encoding(void **state)
{
    static const struct {
        struct text content, wire;
    } rows[] = {
        { TEXT(""), TEXT("") },
        { TEXT("a\r\n"), TEXT("a\r\n") },
        { TEXT(".\r\n"), TEXT("..\r\n") },
        { TEXT("a\r\n.b\r\n..\r\nc.\r\n"), TEXT("a\r\n..b\r\n...\r\nc.\r\n") },
        { TEXT("a\r\n.\r\nb"), TEXT("a\r\n..\r\nb") },
        { TEXT("\r\n."), TEXT("\r\n..") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 0; cut <= rows[i].content.length; cut++) {
            struct buffer out = { 0 };
            bool at_line_start = true;
            dotted_encode(text_slice(rows[i].content, 0, cut), &at_line_start, &out);
            dotted_encode(text_slice(rows[i].content, cut, rows[i].content.length), &at_line_start, &out);
            assert_true(text_equal(buffer_text(&out), rows[i].wire));
            buffer_free(&out);
        }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Time must grow with the bytes, not with what is in them: the worst wire may cost a fixed factor, no more.
 */
static void linear_time(void **state)
{
    static const struct text patterns[] = { TEXT("\r"),     TEXT("\n"),     TEXT(".\r\n\r\n.."),
                                            TEXT("\r\r\n"), TEXT("\r\n.."), TEXT("\n.\r"),
                                            TEXT("x\r"),    TEXT("x\n"),    TEXT("\0"),
                                            TEXT("x\0"),    TEXT("x") };
    enum { SIZE = 1 << 20 };
    char *wire = malloc(SIZE);
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        size_t length = patterns[p].length;
        for (size_t i = 0; i < SIZE; i++)
            wire[i] = patterns[p].at[(i + 1) % length]; /* never ".CRLF" first */
        struct dotted dotted;
        struct buffer out = { 0 };
        size_t used = 0, at = 0;
        double start = seconds();
        dotted_start(&dotted, true, true);
        for (; at < SIZE; at += used) dotted_decode(&dotted, text_from(wire + at, SIZE - at), &out, &used);
        double took = seconds() - start;
        if (took > 2.0) fail_msg("1 MiB of pattern %zu took %.2f s", p, took);
        buffer_free(&out);
    }
    free(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_and_dots), cmocka_unit_test(smuggling), cmocka_unit_test(nul),
        cmocka_unit_test(long_line),     cmocka_unit_test(chunks),    cmocka_unit_test(encoding),
        cmocka_unit_test(linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
