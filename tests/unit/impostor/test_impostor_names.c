/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The file of our people, names as people write them, domains as impostors write them: a row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config/people.h"
#include "config_text.h"
#include "impostor/impostor_set.h"
#include "impostor/one_edit.h"
#include "mail/skeleton.h"
#include "spam/free_mail.h"

static void test_people_file(void **state)
{
    static const struct {
        const char *content, *why; /* NULL: it is right */
        uint32_t line;
    } rows[] = {
        { "", NULL, 0 },
        { "# nobody\n\n", NULL, 2 },
        { "Sato Taro <sato@example.test>\n佐藤 太郎 <sato@example.test> <taro@mail.test> # both\r\n", NULL,
          2 },
        { "\"Sato, Taro\" <sato@example.test>", NULL, 1 },
        { "a <b@c>\nSato Taro sato@example.test\n", "no address: write NAME <ADDRESS>", 2 },
        { "<sato@example.test>", "no name before the address", 1 },
        { "\"\" <sato@example.test>", "no name before the address", 1 },
        { "Sato Taro <sato>", "no address stands between \"<\" and \">\"", 1 },
        { "Sato Taro <@example.test>", "no address stands between \"<\" and \">\"", 1 },
        { "Sato Taro <a b@example.test>", "no address stands between \"<\" and \">\"", 1 },
        { "Sato Taro <sato@example.test", "\"<\" without \">\"", 1 },
        { "Sato Taro <sato@example.test> and more", "something stands behind the address", 1 },
        { "x <a@b><a@b><a@b><a@b><a@b><a@b><a@b><a@b><a@b>", "more than 8 addresses of one person", 1 },
        { "\x93\xFA\x96{ <a@b.test>", "not UTF-8", 1 },
        { "Sa\x01to <a@b.test>", "a control character", 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t line;
        const char *why = people_check(text_of(rows[i].content), &line);
        if (!why != !rows[i].why || (why && strcmp(why, rows[i].why)) || line != rows[i].line)
            fail_msg("row %zu: %s in line %u", i, why ? why : "right", line);
    }
}

static void test_long_line(void **state)
{
    struct buffer content = { 0 };
    uint32_t line;
    for (int i = 0; i < 10000; i++) buffer_add_char(&content, 'x');
    buffer_add_text(&content, TEXT(" <a@b.test>\n"));
    assert_string_equal(people_check(buffer_text(&content), &line), "longer than 1000 bytes");
    buffer_clear(&content);
    for (int i = 0; i <= PEOPLE_MOST; i++) buffer_add_text(&content, TEXT("x <a@b>\n"));
    assert_string_equal(people_check(buffer_text(&content), &line), "more than 100000 people");
    buffer_free(&content);
}

static const char people[] = "# who we are\n"
                             "Sato Taro <sato@example.ac.jp> <taro.private@gmail.com>\n"
                             "佐藤 太郎 <sato@example.ac.jp>\n"
                             "Maria del Carmen O'Neill <maria@example.ac.jp>\n"
                             "Tanaka <tanaka@example.ac.jp>\n"
                             "林 修 <hayashi@example.ac.jp>\n"
                             "Suzuki Ichiro / 鈴木一朗 <suzuki@example.ac.jp>\n"
                             "김민수 <kim@example.ac.jp>\n";

static void test_people_are_known_by_name(void **state)
{
    static const struct {
        const char *name;
        bool is_found;
    } rows[] = {
        { "Sato Taro", true },
        { "Taro Sato", true },
        { "SATO, Taro", true },
        { "Taro B. SATO", true },
        { "Prof. Taro Sato", true },
        { "Ｓａｔｏ　Ｔａｒｏ", true },
        { "Taro.Sato", true },
        { "Sato Taro (Office of the Dean)", true },
        { "Dean | Taro Sato", true },
        { "佐藤太郎", true },
        { "佐藤 太郎", true },
        { "佐藤　太郎", true },
        { "太郎 佐藤", true },
        { "佐藤太郎 教授", true },
        { "佐藤太郎様", true },
        { "佐藤 太郎（情報学部）", true },
        { "【至急】佐藤太郎", true },
        { "鈴木一朗", true },
        { "Ichiro Suzuki", true },
        { "김민수", true },
        { "Maria del Carmen ONeill", false },
        { "maria DEL carmen o'neill", true },
        { "Sato", false },
        { "Taro", false },
        { "Tanaka", false }, /* many bear it */
        { "林 修", false },  /* two characters */
        { "Sato Jiro", false },
        { "Sato Taro Club", false },
        { "佐藤太朗", false },
        { "佐藤", false },
        { "佐藤太郎事務所", false },
        { "", false },
    };
    struct config *config = config_of_text(TEXT("domains { example.ac.jp 127.0.0.1 }"), false);
    config->people.content = text_of(people);
    struct impostor_set *set = impostor_set_new(config);
    struct text who;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (impostor_set_person(set, text_of(rows[i].name), TEXT("x@evil.test"), &who) != rows[i].is_found)
            fail_msg("\"%s\"", rows[i].name);
    assert_true(impostor_set_person(set, TEXT("Taro Sato"), TEXT("taro@gmail.com"), &who));
    assert_true(text_equal(who, TEXT("Sato Taro")));
    assert_false(impostor_set_person(set, TEXT("Taro Sato"), TEXT("Taro.Private@Gmail.com"), &who));
    assert_false(impostor_set_person(set, TEXT("佐藤 太郎"), TEXT("sato@example.ac.jp"), &who));
    impostor_set_free(set);
    config_free(config);
}

static void test_names_without_end_cost_little(void **state)
{
    struct config *config = config_of_text(TEXT("domains { example.ac.jp 127.0.0.1 }"), false);
    config->people.content = text_of(people);
    struct impostor_set *set = impostor_set_new(config);
    struct buffer name = { 0 };
    struct text who;
    for (int i = 0; i < 10000; i++) buffer_add_text(&name, TEXT("a("));
    assert_false(impostor_set_person(set, buffer_text(&name), TEXT("x@evil.test"), &who));
    buffer_clear(&name);
    for (int i = 0; i < 10000; i++) buffer_add_text(&name, TEXT("佐"));
    assert_false(impostor_set_person(set, buffer_text(&name), TEXT("x@evil.test"), &who));
    buffer_free(&name);
    impostor_set_free(set);
    config_free(config);
}

static void test_domains_are_known_by_likeness(void **state)
{
    static const struct {
        const char *host;
        enum domain_likeness likeness;
    } rows[] = {
        { "example.ac.jp", DOMAIN_UNLIKE },
        { "lists.example.ac.jp", DOMAIN_UNLIKE },
        { "partner-bank.co.jp", DOMAIN_UNLIKE },
        { "exmaple.ac.jp", DOMAIN_ONE_EDIT },
        { "exampl.ac.jp", DOMAIN_ONE_EDIT },
        { "exxample.ac.jp", DOMAIN_ONE_EDIT },
        { "exampie.ac.jp", DOMAIN_ONE_EDIT },
        { "mail.examples.ac.jp", DOMAIN_ONE_EDIT },
        { "partner-bamk.co.jp", DOMAIN_ONE_EDIT },
        { "exmapel.ac.jp", DOMAIN_UNLIKE }, /* two */
        { "exmaple.com", DOMAIN_UNLIKE },   /* and another suffix */
        { "school2.ac.jp", DOMAIN_UNLIKE }, /* a digit for a digit */
        { "xyzw.ac.jp", DOMAIN_UNLIKE },    /* too short for an edit */
        { "example.com", DOMAIN_OTHER_TOP },
        { "www.example.co.jp", DOMAIN_OTHER_TOP },
        { "xyz.com", DOMAIN_UNLIKE }, /* too short to mean us */
        { "example.ac.jp.evil.test", DOMAIN_BELOW },
        { "login.example.ac.jp.evil.test", DOMAIN_BELOW },
        { "example-ac-jp.evil.test", DOMAIN_BELOW },
        { "example.evil.test", DOMAIN_UNLIKE },
        { "examp1e.ac.jp", DOMAIN_LOOKS_ALIKE },
        { "exarnple.ac.jp", DOMAIN_LOOKS_ALIKE },
        { "examp1e.com", DOMAIN_LOOKS_ALIKE },
        { "sch00l1.ac.jp", DOMAIN_LOOKS_ALIKE },
        { "xn--exmple-4nf.ac.jp", DOMAIN_LOOKS_ALIKE }, /* a Cyrillic "а" */
        { "xn--nothing-at-all.ac.jp", DOMAIN_UNLIKE },
        { "ac.jp", DOMAIN_UNLIKE },
        { "jp", DOMAIN_UNLIKE },
        { "localhost", DOMAIN_UNLIKE },
        { "192.0.2.1", DOMAIN_UNLIKE },
        { "[192.0.2.1]", DOMAIN_UNLIKE },
        { "...", DOMAIN_UNLIKE },
        { ".ac.jp", DOMAIN_UNLIKE },
        { "", DOMAIN_UNLIKE },
        { "\xff\xfe.ac.jp", DOMAIN_UNLIKE },
    };
    struct config *config = config_of_text(
        TEXT("domains { example.ac.jp 127.0.0.1; .example.ac.jp 127.0.0.1; school1.ac.jp 127.0.0.1; "
             "xyz.ac.jp 127.0.0.1 }\npartners partner-bank.co.jp"),
        false);
    struct impostor_set *set = impostor_set_new(config);
    struct arena *arena = arena_new(0);
    struct text like;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum domain_likeness likeness = impostor_set_domain(set, arena, text_of(rows[i].host), &like);
        if (likeness != rows[i].likeness) fail_msg("%s: %d", rows[i].host, likeness);
    }
    arena_free(arena);
    impostor_set_free(set);
    config_free(config);
}

static void test_one_edit(void **state)
{
    static const struct {
        const char *a, *b;
        bool is_so;
    } rows[] = {
        { "abc", "abc", false },  { "abc", "abd", true },   { "abc", "ab", true },     { "ab", "abc", true },
        { "abc", "acb", true },   { "abc", "cba", false },  { "abc", "a", false },     { "", "a", true },
        { "", "", false },        { "a1", "a2", false },    { "a1", "a12", false },    { "a1", "al", true },
        { "abcd", "bacd", true }, { "abcd", "abdc", true }, { "abcd", "badc", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (one_edit_is(text_of(rows[i].a), text_of(rows[i].b)) != rows[i].is_so)
            fail_msg("%s %s", rows[i].a, rows[i].b);
}

static void test_skeletons(void **state)
{
    static const char *const alike[][2] = { { "paypal", "p\u0430yp\u0430l" },
                                            { "example", "exarnple" },
                                            { "google", "g00gle" },
                                            { "illinois", "i11inois" } };
    struct skeletons *skeletons = skeletons_new();
    char a[SKELETON_MOST], b[SKELETON_MOST];
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        size_t first = skeleton_write(skeletons, text_of(alike[i][0]), a),
               second = skeleton_write(skeletons, text_of(alike[i][1]), b);
        if (!text_equal(text_from(a, first), text_from(b, second)))
            fail_msg("%s: %.*s %.*s", alike[i][0], (int)first, a, (int)second, b);
    }
    assert_int_equal(skeleton_write(skeletons, TEXT("\xff"), a), 0);
    assert_int_equal(skeleton_write(skeletons, TEXT(""), a), 0);
    skeletons_free(skeletons);
}

/* One table, of which the base model knows a part. */
static void test_free_mail(void **state)
{
    static const struct {
        const char *domain;
        bool is_now, is_of_model;
    } rows[] = { { "126.com", true, true },       { "gmail.com", true, true },
                 { "zohomail.com", true, false }, { "altavista.com", false, true },
                 { "139.com", true, false },      { "yahoo.ne.jp", true, false },
                 { "example.com", false, false }, { "", false, false },
                 { "GMAIL.com", false, false } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(free_mail_has(text_of(rows[i].domain)), rows[i].is_now);
        assert_int_equal(free_mail_is_of_model(text_of(rows[i].domain)), rows[i].is_of_model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_mail),
        cmocka_unit_test(test_people_file),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_people_are_known_by_name),
        cmocka_unit_test(test_names_without_end_cost_little),
        cmocka_unit_test(test_domains_are_known_by_likeness),
        cmocka_unit_test(test_one_edit),
        cmocka_unit_test(test_skeletons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
