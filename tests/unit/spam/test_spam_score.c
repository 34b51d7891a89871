/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signals and their sum. What whole mails get stands in unit/scan/test_scan_read.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "rules/ruleset.h"
#include "spam/message_facts.h"
#include "spam/score.h"

static void test_gtube_is_looked_for_in_text_only(void **state)
{
    static const struct {
        const char *type, *before, *after;
        bool is_found;
    } rows[] = {
        { "text/plain", "", "", true },
        { "text/html", "<p>", "</p>", true },
        { "text/plain", "XJS*C4JDBQADN1.NSBN3*2IDNEN*", "", true }, /* a false start before it */
        { "application/pdf", "", "", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct score score = { .arena = arena_new(0) };
        struct mime_part part = { .type = text_of(rows[i].type) };
        struct buffer bytes = { 0 };
        buffer_add_text(&bytes, text_of(rows[i].before));
        score_write_gtube(&bytes);
        buffer_add_text(&bytes, text_of(rows[i].after));
        score_part(&score, &part, buffer_text(&bytes));
        score_part(&score, &part, buffer_text(&bytes)); /* twice is once */
        if ((score.count == 1) != rows[i].is_found) fail_msg("row %zu: %u signals", i, score.count);
        buffer_free(&bytes);
        arena_free(score.arena);
    }
}

/* What a link or a code is known by; NULL: nothing. */
static void test_hosts(void **state)
{
    static const struct {
        const char *address, *host;
    } rows[] = {
        { "https://Bad.Example/x?y", "bad.example" },
        { "HTTP://user:word@bad.example:8080?x", "bad.example:8080" },
        { "http://good.example@bad.example/", "bad.example" },
        { "https:\\\\bad.example\\x", "bad.example" },
        { "https:bad.example", "bad.example" },
        { "ftp://[::1]/", "[::1]" },
        { "https://bad.example\x01\x02", "bad.example" },
        { "mailto:a@b.example", NULL },
        { "just text", NULL },
        { "://x", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct score score = { .arena = arena_new(0) };
        score_link(&score, SCORE_CODE, text_of(rows[i].address));
        score_link(&score, SCORE_PDF, text_of(rows[i].address));
        assert_int_equal(score.count, rows[i].host ? 2 : 0);
        if (rows[i].host && !text_equal(score.signals[0].about, text_of(rows[i].host)))
            fail_msg("row %zu: %.*s", i, TEXT_ARG(score.signals[0].about));
        if (rows[i].host) assert_true(text_equal(score.signals[1].name, TEXT("PDF_LINK")));
        assert_true(score_sum(score.signals, score.count) == 0);
        arena_free(score.arena);
    }
}

static void test_codes(void **state)
{
    struct score score = { .arena = arena_new(0) };
    struct buffer gtube = { 0 };
    score_write_gtube(&gtube);
    score_text(&score, SCORE_CODE, TEXT("https://a.example/"));
    assert_int_equal(score.count, 0);
    score_text(&score, SCORE_CODE, TEXT("WIFI:S:net;P:secret;;"));
    assert_true(score.count == 1 && text_equal(score.signals[0].about, TEXT("wifi")));
    score_text(&score, SCORE_PDF, buffer_text(&gtube));
    assert_true(score.count == 2 && text_equal(score.signals[1].name, TEXT("GTUBE")));
    buffer_free(&gtube);
    arena_free(score.arena);
}

/* A drawing that is attached is read as a page is. */
static void test_drawing(void **state)
{
    struct arena *arena = arena_new(0);
    const char *message =
        "From: Hanako <h@example.jp>\r\nSubject: memo\r\nContent-Type: image/svg+xml; name=a.svg\r\n"
        "Content-Disposition: attachment\r\n\r\n"
        "<svg xmlns:xlink='http://www.w3.org/1999/xlink'><a xlink:href='http://192.0.2.7/x'>"
        "<text>Verify your &#65;CCOUNT</text></a><a href='//example.test/'/></svg>\r\n";
    struct mime *mime = mime_parse(arena, text_of(message), &mime_limits_default, MIME_FIRST);
    struct message_text text;
    message_text_begin(&text, arena);
    message_text_part(&text, &mime->parts[0], mime->parts[0].body);
    message_text_finish(&text, mime);
    assert_true(text_find(text.visible, TEXT("verify your account")) < text.visible.length);
    assert_int_equal(text.found_links, 2);
    assert_true(text_equal(text.markup.links[0].target, TEXT("http://192.0.2.7/x")));
    assert_int_equal(text.html_parts, 0);
    message_text_free(&text);
    arena_free(arena);
}

/* What a PDF and a picture code say counts as if it stood in the text. */
static void test_found(void **state)
{
    struct arena *arena = arena_new(0);
    const char *message = "From: Hanako <h@example.jp>\r\nSubject: memo\r\n\r\nSee the file.\r\n";
    struct mime *mime = mime_parse(arena, text_of(message), &mime_limits_default, MIME_FIRST);
    struct features *features = arena_alloc(arena, sizeof *features);
    struct feature_links links = { 0 };
    struct message_text text;
    features->arena = arena;
    features->links = &links;
    message_text_begin(&text, arena);
    message_text_part(&text, &mime->parts[0], mime->parts[0].body);
    message_text_found(&text, TEXT("\xFF Verify your ACCOUNT"));
    message_text_found_link(&text, TEXT("http://192.0.2.7/x"));
    message_text_finish(&text, mime);
    message_facts_add(features, mime, &text);
    assert_true(text_find(text.visible, TEXT("see the file.")) < text.visible.length);
    assert_true(text_find(text.visible, TEXT(" verify your account")) < text.visible.length);
    assert_true(utf8_is_valid(text.visible));
    assert_true(features_has_fact(features, "link-address", TEXT_NONE));
    assert_true(features_has_fact(features, "phrase", TEXT("account-trouble")));
    assert_true(text_equal(buffer_text(&links.hosts), TEXT("192.0.2.7\n")));
    feature_links_free(&links);
    message_text_free(&text);
    arena_free(arena);
}

/* Facts of a message with one part. */
static bool has_fact(const char *message, const char *fact)
{
    struct arena *arena = arena_new(1 << 16);
    struct mime *mime = mime_parse(arena, text_of(message), &mime_limits_default, MIME_FIRST);
    struct features *features = arena_alloc(arena, sizeof *features);
    struct message_text text;
    uint64_t wanted = ruleset_fact(text_of(fact), TEXT_NONE);
    bool has = false;
    features->arena = arena;
    message_text_read(&text, arena, mime);
    message_facts_add(features, mime, &text);
    for (uint32_t i = 0; i < features->fact_count; i++) has |= features->facts[i] == wanted;
    message_text_free(&text);
    arena_free(arena);
    return has;
}

static void test_strangers(void **state)
{
#define HTML "From: Blue <a@kuvx.example>\r\nContent-Type: text/html\r\n\r\n"
#define LINK(n) "<a href='http://" n "'>x</a>"
    static const struct {
        const char *message, *fact;
        bool is_so;
    } rows[] = {
        { HTML LINK("other.example/"), "author-unnamed", true },
        { HTML LINK("other.example/?kuvx"), "author-unnamed", false },
        { HTML "Kuvx" LINK("other.example/"), "author-unnamed", false },
        { "Subject: x\r\n\r\nx", "author-unnamed", false },
        { HTML LINK("a.example/1") LINK("a.example/1"), "links-one-target", true },
        { HTML LINK("a.example/1") LINK("a.example/2"), "links-one-target", false },
        { HTML LINK("a.example/1"), "links-one-target", false },
        { HTML LINK("a.example") LINK("b.example/1") LINK("b.example/2") LINK("b.example/3")
              LINK("b.example/4"),
          "links-first-apart", true },
        { HTML LINK("a.example") LINK("b.example/1") LINK("a.example/2") LINK("b.example/3")
              LINK("b.example/4"),
          "links-first-apart", false },
        { HTML LINK("a.example") LINK("b.example/1") LINK("c.example/2") LINK("d.example/3")
              LINK("e.example/4"),
          "links-first-apart", false },
        { "From: a@gmail.com\r\nReply-To: b@outlook.fr\r\n\r\nx", "reply-free-other", true },
        { "From: a@gmail.com\r\nReply-To: A@gmail.com\r\n\r\nx", "reply-free-other", false },
        { "From: a@gmail.com\r\nReply-To: b@outlook.kuvx.example\r\n\r\nx", "reply-free-other", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has_fact(rows[i].message, rows[i].fact) != rows[i].is_so)
            fail_msg("row %zu: %s", i, rows[i].fact);
}

static void test_answers(void **state)
{
    static const struct {
        enum answer_status status;
        const char *name;
        double points;
    } rows[] = {
        { ANSWER_FOUND, "", 0 },
        { ANSWER_NONE, "RDNS_NONE", 0.8 },
        { ANSWER_MISMATCH, "RDNS_MISMATCH", 0.5 },
        { ANSWER_TEMPERROR, "RDNS_TEMPERROR", 0 },
        { ANSWER_PENDING, "RDNS_TEMPERROR", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct score score = { .arena = arena_new(0) };
        struct question question = { .kind = QUESTION_CLIENT_NAME, .status = rows[i].status };
        score_answers(&score, &question, 1);
        struct text name = score.count ? score.signals[0].name : TEXT_NONE;
        assert_true(text_equal(name, text_of(rows[i].name)));
        assert_true(score_sum(score.signals, score.count) == rows[i].points);
        arena_free(score.arena);
    }
}

static void test_the_sum_is_that_of_what_is_printed(void **state)
{
    struct signal signals[] = { { TEXT("A"), 0.04, TEXT_NONE },
                                { TEXT("B"), 0.04, TEXT_NONE },
                                { TEXT("C"), 1.26, TEXT_NONE },
                                { TEXT("D"), -0.3, TEXT_NONE } };
    assert_true(score_sum(signals, 0) == 0);
    assert_true(score_sum(signals, 2) == 0);
    assert_true(score_sum(signals, 4) == 1.0);
}

static void test_bounded(void **state)
{
    static char names[SCORE_SIGNALS_MOST + 50][8];
    struct score score = { .arena = arena_new(0) };
    for (int i = 0; i < SCORE_SIGNALS_MOST + 50; i++) {
        names[i][0] = (char)('A' + i / 26);
        names[i][1] = (char)('A' + i % 26);
        score_add(&score, names[i], 1, TEXT_NONE);
    }
    assert_int_equal(score.count, SCORE_SIGNALS_MOST);
    arena_free(score.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gtube_is_looked_for_in_text_only),
                                        cmocka_unit_test(test_hosts),
                                        cmocka_unit_test(test_codes),
                                        cmocka_unit_test(test_found),
                                        cmocka_unit_test(test_strangers),
                                        cmocka_unit_test(test_drawing),
                                        cmocka_unit_test(test_answers),
                                        cmocka_unit_test(test_the_sum_is_that_of_what_is_printed),
                                        cmocka_unit_test(test_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
