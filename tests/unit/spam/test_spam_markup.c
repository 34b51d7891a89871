/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* HTML as it is seen: text, what is hidden, links; references; and that the worst of it costs linear time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "spam/entity.h"
#include "spam/markup.h"

static void test_text(void **state)
{
    static const struct {
        const char *html, *text, *hidden;
    } rows[] = {
        { "<p>one</p><p>two  \r\n three</p>", "one\ntwo three\n", "" },
        { "a<br>b<br/>c", "a\nb\nc", "" },
        { "<style>p{x:y}</style><title>t</title>a<script>if(a<b)</script>b", "ab", "" },
        { "V<!-- x -->iag<b></b>ra", "Viagra", "" },
        { "<!-- never ended", "", "" },
        { "1 < 2 & 3 > 2", "1 < 2 & 3 > 2", "" },
        { "&lt;b&gt; &amp;amp; &#12354;&#x3042; &nosuch; &copy &#0;", "<b> &amp; ああ &nosuch; © \uFFFD",
          "" },
        { "<div style='display:none'>in<div>ner</div>most</div>out", "out", "in\nner\nmost\n" },
        { "<span style=\"FONT-SIZE: 1px\">x</span>y", "y", "x" },
        { "<span style='font-size:10px'>x</span>", "x", "" },
        { "<span style='font-size:0.9em'>x</span>", "x", "" },
        { "<span style='font-size:0.0em'>x</span>y", "y", "x" },
        { "<font style='color:#fff;background:#FFFFFE'>x</font>y", "y", "x" },
        { "<font color=#ffffff style='x:y'>x</font>", "x", "" },
        { "<p hidden>x<p>y", "y", "x\n" },
        { "<br style='display:none'>x", "x", "" },
        { "<a href=\"x\">no end", "no end", "" },
        { "<a href=\"never ended", "", "" },
        { "</", "</", "" },
        { "<", "<", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct markup markup = { .arena = arena_new(0) };
        markup_read(&markup, text_of(rows[i].html));
        struct text text = text_trim(buffer_text(&markup.text)), hidden = buffer_text(&markup.hidden);
        if (!text_equal(text, text_trim(text_of(rows[i].text))) ||
            !text_equal(text_trim(hidden), text_trim(text_of(rows[i].hidden))))
            fail_msg("%s: \"%.*s\", hidden \"%.*s\"", rows[i].html, TEXT_ARG(text), TEXT_ARG(hidden));
        markup_free(&markup);
        arena_free(markup.arena);
    }
}

static void test_links(void **state)
{
    static const char html[] =
        "<a href='https://evil.test/?a=1&amp;b=2'>www.<b>bank</b>.test</a><img src=cid:x width=1>"
        "<a name=top>no link</a><form action=//f.test/go><input TYPE=password></form>"
        "<a href = mailto:a@b.test >write</a>";
    static const struct {
        enum markup_link_kind kind;
        const char *target, *shown;
    } rows[] = { { MARKUP_LINK, "https://evil.test/?a=1&b=2", "www.bank.test" },
                 { MARKUP_PICTURE, "cid:x", "" },
                 { MARKUP_FORM, "//f.test/go", "" },
                 { MARKUP_LINK, "mailto:a@b.test", "write" } };
    struct markup markup = { .arena = arena_new(0) };
    markup_read(&markup, text_of(html));
    assert_int_equal(markup.link_count, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(markup.links[i].kind, rows[i].kind);
        assert_true(text_equal(markup.links[i].target, text_of(rows[i].target)));
        assert_true(text_equal(markup.links[i].shown, text_of(rows[i].shown)));
    }
    assert_true(markup.tiny_pictures == 1 && markup.passwords == 1);
    markup_free(&markup);
    arena_free(markup.arena);
}

static double seconds_for(const char *piece, size_t bytes)
{
    struct markup markup = { .arena = arena_new(0) };
    struct buffer html = { 0 };
    struct timespec from, to;
    while (buffer_length(&html) < bytes) buffer_add_text(&html, text_of(piece));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    markup_read(&markup, buffer_text(&html));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    markup_free(&markup);
    buffer_free(&html);
    arena_free(markup.arena);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void test_the_worst(void **state)
{
    static const char *const pieces[] = { "<a href=x>",  "<",        "&",      "<!--",
                                          "<a ",         "<script>", "</a",    "<p style='color:red;'>",
                                          "<x a=b c=\"", "&#",       "<title>" };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        double seconds = seconds_for(pieces[i], 2 << 20);
        if (seconds > 2) fail_msg("2 MiB of %s: %.1f s", pieces[i], seconds);
    }
}

static void test_pushes(void **state)
{
    static const struct {
        const char *html;
        uint32_t pushes;
    } rows[] = {
        { "<style>.a { margin-top: 470500px; } .b{height:10000vh}</style>", 2 },
        { "<div style='color:red; Padding-Top : 20000px'>x</div>", 1 },
        { "<div style='margin-top: 4705px; height: 100vh; width: 20000px'>x</div>", 0 },
        { "<p>margin-top: 470500px</p>", 0 },
        { "<style>margin-top:", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct markup markup = { .arena = arena_new(1 << 12) };
        markup_read(&markup, text_of(rows[i].html));
        if (markup.pushes != rows[i].pushes) fail_msg("%s: %u", rows[i].html, markup.pushes);
        markup_free(&markup);
        arena_free(markup.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_text), cmocka_unit_test(test_pushes),
                                        cmocka_unit_test(test_links), cmocka_unit_test(test_the_worst) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
