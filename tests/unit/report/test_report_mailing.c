/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The digest: its links, and that no stranger's text gets out of its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/mime.h"
#include "report/digest/digest_recipients.h"

static struct held_row row = { .message = UINT64_C(0x19A0000000000000),
                               .number = 1,
                               .class = HELD_SPAM,
                               .state = HELD_KEPT,
                               .stored_ms = 1795564800000,
                               .sender = { "a\"><script>@b.example", 21 },
                               .subject = { "\r\nBcc: <x@y.example>\x1b[2J\xff</b><img src=x>", 40 } };

/* Both parts, decoded. */
static void letter_print(const struct config *config, bool has_key, enum language language,
                         struct arena *arena, struct text *out_mail, struct text out_parts[2])
{
    static const struct ticket_key key = { { 7 } };
    struct buffer out = { 0 }, room = { 0 };
    struct digest_letter letter = { .config = config,
                                    .key = has_key ? &key : NULL,
                                    .language = language,
                                    .to = TEXT("u@example.jp"),
                                    .id = TEXT("ID"),
                                    .rows = &row,
                                    .count = 1,
                                    .now_ms = 1795564800000 };
    digest_mailing_print(&letter, &out);
    *out_mail = arena_text(arena, buffer_text(&out));
    const struct mime *mime = mime_parse(arena, *out_mail, &mime_limits_default, MIME_FIRST);
    assert_int_equal(mime->count, 3);
    assert_true(text_equal(mime->parts[0].type, TEXT("multipart/alternative")));
    assert_true(text_equal(mime->parts[2].type, TEXT("text/html")));
    for (int i = 0; i < 2; i++)
        out_parts[i] = arena_text(arena, mime_decode(&mime->parts[i + 1], &room, NULL));
    buffer_free(&room);
    buffer_free(&out);
}

static bool has(struct text text, const char *wanted)
{
    return text_find(text, text_of(wanted)) < text.length;
}

static void links(void **state)
{
    static const struct {
        const char *page, *reply, *link; /* link: NULL: none */
        bool has_key;
    } rows[] = {
        { "", "", NULL, true },
        { "https://mx/r", "", "https://mx/r/3", true },
        { "", "release@example.jp", "mailto:release@example.jp?subject=release%20", true },
        { "https://mx/r", "re+lease?&%@example.jp",
          "mailto:re%2Blease%3F%26%25@example.jp?subject=release%20", true },
        { "https://mx/r", "release@example.jp", NULL, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int language = LANGUAGE_EN; language <= LANGUAGE_JA; language++) {
            struct arena *arena = arena_new(0);
            struct config config = { .hostname = TEXT("mx.example.jp"),
                                     .admin = TEXT("p@example.jp"),
                                     .digest = { .expire_ms = 1000000,
                                                 .page = text_of(rows[i].page),
                                                 .reply = text_of(rows[i].reply) } };
            struct text mail, parts[2];
            letter_print(&config, rows[i].has_key && (rows[i].page[0] || rows[i].reply[0]),
                         (enum language)language, arena, &mail, parts);
            bool has_reply = rows[i].has_key && rows[i].reply[0];
            bool has_page = rows[i].has_key && rows[i].page[0] && !has_reply; /* one link an entry */
            assert_int_equal(has(mail, "Reply-To: <"), has_reply);
            for (int k = 0; k < 2; k++) {
                if (rows[i].link) assert_true(has(parts[k], rows[i].link));
                assert_int_equal(has(parts[k], "mailto:"), has_reply);
                assert_int_equal(has(parts[k], "https:"), has_page);
            }
            arena_free(arena);
        }
}

static void strangers_texts_stay_tame(void **state)
{
    struct arena *arena = arena_new(0);
    struct config config = { .hostname = TEXT("mx.example.jp"),
                             .admin = TEXT("p@example.jp"),
                             .digest = { .expire_ms = 1000000, .reply = TEXT("release@example.jp") } };
    struct text mail, parts[2];
    letter_print(&config, true, LANGUAGE_JA, arena, &mail, parts);
    assert_true(has(parts[1], "<a style=") && has(parts[1], "&lt;script&gt;"));
    assert_false(has(parts[1], "<script"));
    assert_false(has(parts[1], "<img"));
    for (int i = 0; i < 2; i++)
        assert_false(has(parts[i], "\x1b") || has(parts[i], "\nBcc") || has(parts[i], "\xff"));
    struct text line;
    while (text_next_line(&mail, &line)) assert_true(line.length <= 78);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(links),
                                        cmocka_unit_test(strangers_texts_stay_tame) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
