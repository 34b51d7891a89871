/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which parts are worth a reader, and a reader that was taken over: whatever it says or does not say is a
   signal without points at most, and ends in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "scan/drawing_hint.h"
#include "scan/extraction.h"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static struct config config;
static char packet[FRAME_LIMIT];

struct scene {
    struct arena *arena;
    struct score score;
    struct reader_source source;
    struct extraction extraction;
    int ends[2]; /* ours, the reader's */
    struct buffer payload;
};

static void scene_begin(struct scene *scene, bool is_for_spam)
{
    *scene = (struct scene){ .arena = arena_new(0), .source = { .packet = packet } };
    scene->score.arena = scene->arena;
    config.virus.max_scan_bytes = 100 << 20;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, scene->ends), 0);
    extraction_begin(&scene->extraction, &config, scene->arena, &scene->source, &scene->score, is_for_spam);
}

static void scene_end(struct scene *scene)
{
    if (scene->ends[1] >= 0) close(scene->ends[1]);
    close(scene->ends[0]);
    buffer_free(&scene->payload);
    arena_free(scene->arena);
}

/* The reader's end says so, ahead of being asked: the first order has the number 1. */
static void say(struct scene *scene, uint16_t type, uint64_t id)
{
    assert_true(channel_send_now(scene->ends[1], type, id, buffer_text(&scene->payload), NULL, 0));
    buffer_clear(&scene->payload);
}

static void say_found(struct scene *scene, enum found_kind kind, struct text text, uint64_t id)
{
    open_found_put(&(struct open_found){ kind, text }, &scene->payload);
    say(scene, READER_FOUND, id);
}

static void say_done(struct scene *scene, uint64_t id)
{
    put_u64(&scene->payload, 0);
    put_u32(&scene->payload, 0);
    say(scene, READER_DONE, id);
}

static bool has(const struct scene *scene, const char *name, const char *about)
{
    for (uint32_t i = 0; i < scene->score.count; i++)
        if (text_equal(scene->score.signals[i].name, text_of(name)))
            return text_equal(scene->score.signals[i].about, text_of(about));
    return false;
}

static bool run(struct scene *scene)
{
    return extraction_run(&scene->extraction, scene->ends[0]);
}

/* --- what is worth it --- */

static void offers(void **state)
{
    static const struct {
        const char *type;
        struct text bytes;
        int kind; /* -1: none */
        bool also_without_spam;
    } rows[] = {
        { "application/pdf", BYTES("%PDF-1.4 x"), EXTRACT_PDF, false },
        { "application/pdf", BYTES("%PDF-1.4 x /Encrypt 5 0 R"), EXTRACT_PDF, true },
        { "image/png", BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x15\0\0\0\x15"), EXTRACT_PICTURE, false },
        { "image/png", BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"), -1, false },
        { "image/png", BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x14\0\0\0\x14"), -1, false },
        { "image/png", BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x99\x99\0\0\x99\x99"), -1, false },
        { "image/svg+xml", BYTES("<?xml?><svg></svg>"), EXTRACT_SVG, false },
        { "text/plain", BYTES("hello <svg>"), -1, false },
        { "text/html", BYTES("<p>x</p><svg></svg>"), EXTRACT_HTML, false },
        { "application/octet-stream", BYTES("<html><img src='data:image/png;base64,'>"), EXTRACT_HTML,
          false },
        { "text/html", BYTES("<p>hello &amp; goodbye</p>"), -1, false },
        { "application/zip", BYTES("PK\3\4 ##########"), -1, false },
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        bool is_for_spam = i % 2;
        struct mime_part part = { .type = text_of(rows[i / 2].type) };
        scene_begin(&scene, is_for_spam);
        extraction_offer(&scene.extraction, &part, rows[i / 2].bytes, TEXT_NONE);
        bool is_wanted = rows[i / 2].kind >= 0 && (is_for_spam || rows[i / 2].also_without_spam);
        if (scene.extraction.count != is_wanted) fail_msg("row %zu", i);
        if (is_wanted) assert_int_equal(scene.extraction.items[0].kind, rows[i / 2].kind);
        scene_end(&scene);
    }
}

/* What the spam check has read it as is looked at, and not read again. */
static void text_once(void **state)
{
    static const char jis[] = "\x1B$B!!\x1B(B";
    struct mime_part part = { .type = TEXT("text/html"), .charset = TEXT("iso-2022-jp") };
    for (int has_text = 0; has_text < 2; has_text++) {
        struct scene scene;
        scene_begin(&scene, true);
        extraction_offer(&scene.extraction, &part, TEXT(jis), has_text ? TEXT("<svg>") : TEXT_NONE);
        assert_int_equal(scene.extraction.count, has_text);
        scene_end(&scene);
    }
}

static void text_is(const char *line, int count, const char *between, bool is_drawing)
{
    struct buffer text = { 0 };
    for (int i = 0; i < count; i++) buffer_printf(&text, "%s%s", i ? between : "", line);
    if (drawing_hint_of_text(buffer_text(&text)) != is_drawing) fail_msg("%d of %s", count, line);
    buffer_free(&text);
}

static void hints_of_text(void **state)
{
    text_is("██ ▀▄ ██", 10, "\n", true);
    text_is("███ ▀▄ ██", 9, "\n", false);            /* too few lines */
    text_is("███", 40, "\n", false);                 /* too few dark characters in each */
    text_is("███ ▀▄ ██", 10, "\n \r\n\n\t\n", true); /* blank lines are no end */
    text_is("███ ▀▄ ██", 10, "\n\xC2\xA0\n\xE3\x80\x80\n", true);
    text_is("███ ▀▄ ██", 10, "\nx\n", false); /* others are */
    text_is("#### ## ######", 10, "\r\n", true);
    text_is("##################################", 4, "\n", false);
    text_is("█████████ ● ■", 10, "\n", true);
    text_is("●●●  ◼◼◼ ◾", 10, "\n", true);
    text_is("○○○  ◆◆◆ ◎", 10, "\n", false);
}

/* `cells` of each of `tables` tables in a table. */
static bool html_hint(int tables, int cells, const char *begin, const char *end)
{
    struct buffer html = { 0 };
    buffer_add_text(&html, TEXT("<table>"));
    for (int i = 0; i < tables; i++) {
        buffer_printf(&html, "%s", begin);
        for (int j = 0; j < cells; j++) buffer_add_text(&html, TEXT("<TD BgColor=red>"));
        buffer_printf(&html, "%s", end);
    }
    bool has_hint = drawing_hint_of_html(buffer_text(&html));
    assert_false(drawing_hint_of_text(buffer_text(&html)));
    buffer_free(&html);
    return has_hint;
}

static bool html_repeats(const char *entity)
{
    struct buffer html = { 0 };
    for (int i = 0; i < 60; i++) buffer_printf(&html, "%s", entity);
    bool has_hint = drawing_hint_of_html(buffer_text(&html));
    buffer_free(&html);
    return has_hint;
}

static void hints_of_html(void **state)
{
    struct buffer dark = { 0 };
    for (int i = 0; i < 60; i++) buffer_add_text(&dark, TEXT("█ "));
    assert_true(drawing_hint_of_html(buffer_text(&dark)));
    assert_true(html_repeats("&#9608;") && html_repeats("&#x2588;") && html_repeats("&#X2588;"));
    assert_true(html_repeats("&#09608;") && html_repeats("&#009608;") && html_repeats("&#x02588;"));
    assert_true(html_repeats("&#9679;") && html_repeats("&#x25cf;"));
    assert_false(html_repeats("&#039;") || html_repeats("&#169;") || html_repeats("&nbsp;"));
    assert_true(html_hint(1, 100, "", "") && !html_hint(1, 99, "", ""));
    assert_false(html_hint(4, 60, "<td><TABLE>", "</TABLE>"));
    assert_true(html_hint(1, 100, "<td><table>", "</table>"));
    assert_true(html_hint(10, 10, "", "<td><table><td></table>"));         /* the outer one's go on */
    assert_true(html_hint(10, 10, "", "<!-- <table> --><b a='<table>'>")); /* what is no table */
    assert_true(html_hint(50, 2, "<table>", ""));                          /* deeper than is looked at */
    assert_false(drawing_hint_of_html(TEXT("\xE2")));
    assert_true(drawing_hint_of_html(TEXT("Data:Image/")) && !drawing_hint_of_html(TEXT(":data:image")));
    buffer_free(&dark);
}

static void too_many(void **state)
{
    struct scene scene;
    scene_begin(&scene, true);
    for (int i = 0; i <= EXTRACTION_ITEMS_MOST; i++)
        extraction_offer(&scene.extraction, NULL, TEXT("%PDF-"), TEXT_NONE);
    assert_true(scene.extraction.count == EXTRACTION_ITEMS_MOST &&
                has(&scene, "TEXT_NOT_READ", "too many parts"));
    scene_end(&scene);
}

/* --- what a reader says --- */

static void answers(void **state)
{
    struct scene scene;
    scene_begin(&scene, true);
    extraction_offer(&scene.extraction, NULL, TEXT("%PDF-1"), TEXT_NONE);
    extraction_offer(&scene.extraction, NULL, TEXT("%PDF-2 /Encrypt"), TEXT_NONE);
    say_found(&scene, FOUND_LINK, TEXT("https://a.example/"), 1);
    say_found(&scene, FOUND_CODE, TEXT("https://b.example/"), 1);
    say_done(&scene, 1);
    open_notice_put(&(struct open_notice){ OPEN_ENCRYPTED, TEXT_NONE, TEXT("pdf") }, &scene.payload);
    say(&scene, READER_NOTICE, 2);
    say_done(&scene, 2);
    assert_true(run(&scene));
    assert_true(has(&scene, "PDF_LINK", "a.example") && has(&scene, "PICTURE_CODE_LINK", "b.example"));
    assert_true(scene.extraction.encrypted_in.length > 0 && !scene.source.is_text_lost);
    scene_end(&scene);
}

enum lie { LIE_NUMBER, LIE_TYPE, LIE_EMPTY, LIE_CUT, LIE_FLOOD, LIE_MEMBER, LIE_END, LIE_COUNT };

static void lie(struct scene *scene, enum lie which)
{
    switch (which) {
    case LIE_NUMBER:
        say_done(scene, 2);
        return;
    case LIE_TYPE:
        say(scene, 999, 1);
        return;
    case LIE_EMPTY:
        say_found(scene, FOUND_LINK, TEXT_NONE, 1);
        return;
    case LIE_CUT:
        put_u8(&scene->payload, FOUND_LINK);
        say(scene, READER_FOUND, 1);
        return;
    case LIE_FLOOD:
        scene->extraction.found = 2000;
        say_found(scene, FOUND_LINK, TEXT("x"), 1);
        return;
    case LIE_MEMBER:
        open_member_put(&(struct open_member){ TEXT("x"), 1 }, &scene->payload);
        say(scene, READER_MEMBER, 1);
        return;
    case LIE_END:
    case LIE_COUNT:
        close(scene->ends[1]);
        scene->ends[1] = -1;
    }
}

static void lies(void **state)
{
    for (enum lie which = 0; which < LIE_COUNT; which++) {
        struct scene scene;
        scene_begin(&scene, true);
        extraction_offer(&scene.extraction, NULL, TEXT("%PDF-1"), TEXT_NONE);
        lie(&scene, which);
        if (run(&scene)) fail_msg("lie %d", (int)which);
        assert_true(scene.source.is_text_lost && !scene.source.is_lost && scene.score.count == 1);
        assert_true(has(&scene, "TEXT_NOT_READ", "the reader ended or was late"));
        scene_end(&scene);
    }
}

static void none(void **state)
{
    struct scene scene;
    scene_begin(&scene, true);
    assert_true(extraction_run(&scene.extraction, -1)); /* nothing was offered */
    extraction_offer(&scene.extraction, NULL, TEXT("%PDF-1"), TEXT_NONE);
    assert_false(extraction_run(&scene.extraction, -1));
    assert_true(has(&scene, "TEXT_NOT_READ", "no reader"));
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers),        cmocka_unit_test(text_once), cmocka_unit_test(hints_of_text),
        cmocka_unit_test(hints_of_html), cmocka_unit_test(too_many),  cmocka_unit_test(answers),
        cmocka_unit_test(lies),          cmocka_unit_test(none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
