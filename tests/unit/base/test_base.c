/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ground floor: texts, arenas, buffers, codec, log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/log.h"

static void texts(void **state)
{
    struct text line, word, rest = TEXT("one\r\ntwo\n\nlast");
    const char *const lines[] = { "one", "two", "", "last" };
    for (int i = 0; i < 4; i++) {
        assert_true(text_next_line(&rest, &line));
        assert_true(text_equal(line, text_of(lines[i])));
    }
    assert_false(text_next_line(&rest, &line));
    rest = TEXT("  a\tbc ");
    assert_true(text_next_word(&rest, &word) && text_equal(word, TEXT("a")));
    assert_true(text_next_word(&rest, &word) && text_equal(word, TEXT("bc")));
    assert_false(text_next_word(&rest, &word));
    assert_int_equal(text_find(TEXT("abcabd"), TEXT("abd")), 3);
    assert_int_equal(text_find(TEXT("abc"), TEXT("x")), 3);
    assert_int_equal(text_find_nocase(TEXT("xxAbC"), TEXT("aBc")), 2);
    assert_int_equal(text_find_nocase(TEXT("a<B<hTMl"), TEXT("<Html")), 3);
    assert_int_equal(text_find_nocase(TEXT("a<B<hTM"), TEXT("<html")), 7);
    assert_int_equal(text_find_last_char(TEXT("a@b@c"), '@'), 3);
    assert_true(text_equal(text_trim(TEXT(" \r\n a b\t ")), TEXT("a b")));
    assert_true(text_ends_nocase(TEXT("X.JP"), TEXT(".jp")) && !text_ends(TEXT("X.JP"), TEXT(".jp")));
    assert_true(text_compare(TEXT("a"), TEXT("ab")) < 0 && text_compare(TEXT("b"), TEXT("ab")) > 0);
    assert_int_equal(text_slice(TEXT("abc"), 2, 99).length, 1);
    char room[6];
    assert_true(text_is_printable(TEXT(" a~")) && text_is_printable(TEXT_NONE));
    assert_false(text_is_printable(TEXT("a\x7F")) || text_is_printable(TEXT("\xC3")) ||
                 text_is_printable(TEXT("\t")));
    assert_int_equal(text_copy_printable(TEXT("a\0~\x80 bc"), room, sizeof room), 5);
    assert_string_equal(room, "a?~? ");
    assert_string_equal(text_print_hex(TEXT("\x0f\xA0"), room), "0fa0");
    assert_int_equal(text_copy_printable(TEXT_NONE, room, 1), 0);
    assert_string_equal(room, "");
    assert_int_equal(text_slice(TEXT("abc"), 9, 1).length, 0);
}

/* Alike for what is alike, of any length; another key gives other places. A checksum is the same for ever. */
static void hashes(void **state)
{
    char lower[1000], mixed[1000];
    for (size_t i = 0; i < sizeof lower; i++) {
        lower[i] = (char)('a' + i % 26);
        mixed[i] = (char)(i % 3 ? lower[i] : lower[i] - 32);
    }
    for (size_t length = 0; length <= sizeof lower; length++) {
        struct text a = text_from(lower, length), b = text_from(mixed, length);
        assert_true(hash_text_nocase(a) == hash_text_nocase(b));
        assert_int_equal(hash_text(a) == hash_text(b), length == 0);
        assert_true(length == 0 || hash_text(a) != hash_text(text_from(lower, length - 1)));
    }
    uint64_t key = hash_new_key(), other = hash_new_key();
    assert_true(key != other && key != 0);
    assert_true(hash_text_by(key, TEXT("192.0.2.1")) == hash_text_by(key, TEXT("192.0.2.1")));
    assert_true(hash_text_by(key, TEXT("192.0.2.1")) != hash_text_by(other, TEXT("192.0.2.1")));
    assert_true(text_checksum(TEXT("a")) == 0xAF63DC4C8601EC8Cu);
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t most, number;
        bool good;
    } rows[] = {
        { "0", 10, 0, true },
        { "10", 10, 10, true },
        { "11", 10, 0, false },
        { "", 10, 0, false },
        { "-1", 10, 0, false },
        { " 1", 10, 0, false },
        { "1x", 10, 0, false },
        { "00007", 9, 7, true },
        { "18446744073709551615", UINT64_MAX, UINT64_MAX, true },
        { "18446744073709551616", UINT64_MAX, 0, false },
        { "9", 8, 0, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t number = 0;
        bool good = text_to_number(text_of(rows[i].text), rows[i].most, &number);
        if (good != rows[i].good || (good && number != rows[i].number)) fail_msg("%s", rows[i].text);
    }
}

static void arenas(void **state)
{
    struct arena *arena = arena_new(64);
    char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(arena, i * 7 + 1);
        for (size_t j = 0; j < i * 7 + 1; j++) assert_int_equal(pieces[i][j], 0);
        memset(pieces[i], (int)i, i * 7 + 1);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i * 7 + 1; j++) assert_int_equal((uint8_t)pieces[i][j], i);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    struct text printed = arena_printf(arena, "%s-%d", "x", 42);
    assert_true(text_equal(printed, TEXT("x-42")) && printed.at[printed.length] == '\0');
    assert_true(text_equal(arena_text(arena, TEXT_NONE), TEXT("")));
    arena_free(arena);
    arena_free(NULL);
}

static void buffers(void **state)
{
    struct buffer buffer = { 0 };
    for (int i = 0; i < 1000; i++) {
        buffer_printf(&buffer, "%04d", i);
        if (i % 3 == 2) buffer_consume(&buffer, 8);
    }
    assert_int_equal(buffer_length(&buffer), 1000 * 4 - 333 * 8);
    assert_true(text_starts(buffer_text(&buffer), TEXT("0666")));
    assert_true(text_ends(buffer_text(&buffer), TEXT("0999")));
    buffer_clear(&buffer);
    buffer_printf(&buffer, "%0*d", 5000, 7);
    assert_int_equal(buffer_length(&buffer), 5000);
    buffer_free(&buffer);
    assert_int_equal(buffer_length(&buffer), 0);
}

static void codec(void **state)
{
    struct buffer bytes = { 0 };
    put_u8(&bytes, 0xAB);
    put_u16(&bytes, 0xABCD);
    put_u32(&bytes, 0xABCDEF01);
    put_u64(&bytes, 0x0123456789ABCDEF);
    put_double(&bytes, -6.8);
    put_text(&bytes, TEXT("text"));
    struct text whole = buffer_text(&bytes);
    struct reader reader = reader_of(whole);
    assert_int_equal(get_u8(&reader), 0xAB);
    assert_int_equal(get_u16(&reader), 0xABCD);
    assert_int_equal(get_u32(&reader), 0xABCDEF01);
    assert_true(get_u64(&reader) == 0x0123456789ABCDEF);
    assert_true(get_double(&reader) == -6.8);
    assert_true(text_equal(get_text(&reader), TEXT("text")));
    assert_true(reader_done(&reader));
    for (size_t cut = 0; cut < whole.length; cut++) { /* any cut fails, and all that follows is zero */
        reader = reader_of(text_slice(whole, 0, cut));
        get_u8(&reader), get_u16(&reader), get_u32(&reader), get_u64(&reader), get_double(&reader),
            get_text(&reader);
        assert_true(reader.failed && !reader_done(&reader));
        assert_int_equal(get_u32(&reader), 0);
    }
    reader = reader_of(TEXT("\xff\xff\xff\xff"));
    assert_int_equal(get_count(&reader, 1000, 1), 0);
    assert_true(reader.failed);
    reader = reader_of(TEXT("\x05\0\0\0abcd"));
    get_count(&reader, 1000, 1);
    assert_true(reader.failed);
    buffer_free(&bytes);
}

/* A bit too many is seen at each place, in the words and behind them. */
static void eighth_bits(void **state)
{
    char room[40];
    for (size_t length = 0; length <= sizeof room; length++)
        for (size_t at = 0; at <= length; at++) {
            memset(room, 127, sizeof room);
            room[0] = '\0';
            if (at < length) room[at] = (char)0x80;
            assert_int_equal(text_is_ascii(text_from(room, length)), at == length);
            assert_int_equal(text_ascii_length(text_from(room, length)), at);
        }
    assert_true(text_is_ascii(TEXT_NONE));
}

static void log_lines(void **state)
{
    static const struct {
        const char *raw, *escaped;
    } rows[] = {
        { "plain", "plain" },
        { "a\r\nfrom=<forged>", "a\\x0D\\x0Afrom=<forged>" },
        { "tab\tesc\x1b[31m", "tab\\x09esc\\x1B[31m" },
        { "日本", "日本" },
        { "bad \xff\xe3\x81", "bad \\xFF\\xE3\\x81" },
        { "c1 \xc2\x85 over \xc0\xaf", "c1 \\xC2\\x85 over \\xC0\\xAF" },
        { "surrogate \xed\xa0\x80", "surrogate \\xED\\xA0\\x80" },
    };
    char room[200];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(log_escape(text_of(rows[i].raw), room, sizeof room), rows[i].escaped);
    assert_string_equal(log_escape(TEXT("abcdef"), room, 4), "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),       cmocka_unit_test(hashes),    cmocka_unit_test(numbers),
        cmocka_unit_test(arenas),      cmocka_unit_test(buffers),   cmocka_unit_test(codec),
        cmocka_unit_test(eighth_bits), cmocka_unit_test(log_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
