/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a zone answers what its file says and nothing else, and no query, however malformed, gets more than
   an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/testtools/zone_file.h"
#include "dns/packet.h"

static struct zone zone_of(struct arena *arena, const char *file)
{
    struct zone zone = { .arena = arena };
    uint32_t line;
    const char *why;
    assert_true(zone_read(&zone, text_of(file), &line, &why));
    return zone;
}

static const char file[] = "# a remark\n\n"
                           "A.test.        A     192.0.2.1\n"
                           "a.test         aaaa  2001:db8::1\n"
                           "a.test         TXT   v=spf1 -all\r\n"
                           "a.test         TXT   second\n"
                           "a.test         MX    10 mx.a.test\n"
                           "1.2.0.192.in-addr.arpa PTR host.a.test\n"
                           "deep.b.test    TXT   x";

/* `name` in wire form behind a head that asks one question. */
static void query_put(struct buffer *out, const char *name, unsigned type, unsigned extensions)
{
    const char head[] = { 0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, (char)extensions };
    const char tail[] = { 0, 0, (char)type, 0, 1 };
    buffer_clear(out);
    buffer_add(out, head, sizeof head);
    for (struct text rest = text_of(name); rest.length > 0;) {
        size_t end = text_find_char(rest, '.');
        buffer_add_char(out, (char)end);
        buffer_add_text(out, text_slice(rest, 0, end));
        rest = text_slice(rest, end + 1, rest.length);
    }
    buffer_add(out, tail, sizeof tail);
    if (extensions) buffer_add(out, "\0\0\x29\x10\0\0\0\0\0\0\0", 11);
}

static struct dns_answer ask(struct arena *arena, const struct zone *zone, const char *name,
                             enum dns_record_type type)
{
    struct buffer query = { 0 }, answer = { 0 };
    struct dns_answer out;
    query_put(&query, name, type, 1);
    assert_true(zone_answer(zone, buffer_text(&query), &answer));
    assert_true(buffer_length(&answer) <= ZONE_ANSWER_MOST);
    char room[256];
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) room[i] = char_lower(name[i]);
    packet_parse(arena, arena_text(arena, buffer_text(&answer)), text_from(room, length), type, &out);
    buffer_free(&query);
    buffer_free(&answer);
    return out;
}

static void answers(void **state)
{
    struct arena *arena = arena_new(0);
    struct zone zone = zone_of(arena, file);
    struct dns_answer got = ask(arena, &zone, "a.TEST", RECORD_A);
    assert_int_equal(got.count, 1);
    got = ask(arena, &zone, "a.test", RECORD_AAAA);
    assert_int_equal(got.count, 1);
    got = ask(arena, &zone, "a.test", RECORD_TXT);
    assert_int_equal(got.count, 2);
    assert_true(text_equal(got.records[0].text, TEXT("v=spf1 -all")));
    got = ask(arena, &zone, "a.test", RECORD_MX);
    assert_true(got.count == 1 && got.records[0].preference == 10);
    assert_true(text_equal(got.records[0].name, TEXT("mx.a.test")));
    got = ask(arena, &zone, "1.2.0.192.in-addr.arpa", RECORD_PTR);
    assert_true(got.count == 1 && text_equal(got.records[0].name, TEXT("host.a.test")));
    got = ask(arena, &zone, "b.test", RECORD_TXT);
    assert_true(got.status == DNS_NONE && !got.is_nxdomain); /* something is below it */
    got = ask(arena, &zone, "c.test", RECORD_TXT);
    assert_true(got.status == DNS_NONE && got.is_nxdomain);
    arena_free(arena);
}

static void long_answers_are_cut(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer text = { 0 }, query = { 0 }, answer = { 0 };
    for (int i = 0; i < 3; i++) {
        buffer_add_text(&text, TEXT("a.test TXT "));
        for (int k = 0; k < 600; k++) buffer_add_char(&text, 'x');
        buffer_add_char(&text, '\n');
    }
    struct zone zone = { .arena = arena };
    uint32_t line;
    const char *why;
    assert_true(zone_read(&zone, buffer_text(&text), &line, &why));
    query_put(&query, "a.test", RECORD_TXT, 0);
    assert_true(zone_answer(&zone, buffer_text(&query), &answer));
    assert_true(buffer_length(&answer) <= ZONE_ANSWER_MOST && buffer_text(&answer).at[2] & 2);
    buffer_free(&text);
    buffer_free(&query);
    buffer_free(&answer);
    arena_free(arena);
}

static void files_that_are_wrong(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
    } rows[] = { { "a.test", 1 },
                 { "a.test A", 1 },
                 { "\na.test A 2001:db8::1", 2 },
                 { "a.test AAAA 192.0.2.1", 1 },
                 { "a..test A 192.0.2.1", 1 },
                 { "a.test CNAME b.test", 1 },
                 { "a.test MX mx.test", 1 },
                 { "a.test MX 70000 mx.test", 1 },
                 { "a.test A 192.0.2.1\n#\nb NS c", 3 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct zone zone = { .arena = arena_new(0) };
        uint32_t line;
        const char *why;
        assert_false(zone_read(&zone, text_of(rows[i].text), &line, &why));
        assert_int_equal(line, rows[i].line);
        assert_non_null(why);
        arena_free(zone.arena);
    }
}

/* Each cut of a query, and each octet of it changed to a few others. */
static void queries_that_are_wrong(void **state)
{
    static const char others[] = { 0, 1, 0x3F, 0x40, (char)0x80, (char)0xC0, (char)0xFF };
    struct arena *arena = arena_new(0);
    struct zone zone = zone_of(arena, file);
    struct buffer query = { 0 }, answer = { 0 };
    query_put(&query, "a.test", RECORD_TXT, 1);
    struct text whole = buffer_text(&query);
    for (size_t length = 0; length < whole.length; length++) {
        char *cut = memory_alloc(length + 1); /* no longer, so that a sanitizer sees a look behind it */
        memcpy(cut, whole.at, length);
        buffer_clear(&answer);
        bool is_said = zone_answer(&zone, text_from(cut, length), &answer);
        assert_int_equal(is_said, length >= 12);
        free(cut);
    }
    for (size_t at = 0; at < whole.length; at++)
        for (size_t i = 0; i < sizeof others; i++) {
            query_put(&query, "a.test", RECORD_TXT, 1);
            query.memory[query.start + at] = others[i];
            buffer_clear(&answer);
            if (zone_answer(&zone, buffer_text(&query), &answer)) assert_true(buffer_length(&answer) >= 12);
        }
    buffer_free(&query);
    buffer_free(&answer);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(long_answers_are_cut),
        cmocka_unit_test(files_that_are_wrong),
        cmocka_unit_test(queries_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
