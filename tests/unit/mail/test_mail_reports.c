/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Inputs made after bug reports of other mail programs, those about charsets and trace fields: each has its
   right answer in the suite's index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "mail/charset.h"
#include "mail/edits.h"
#include "mail/encoded_word.h"
#include "mail/mime.h"
#include "suite.h"

/* What is looked at in a message. */
enum look { LOOK_SUBJECT, LOOK_NAME, LOOK_TAGGED_SUBJECT, LOOK_BODY_BEHIND_OURS };

static const struct {
    const char *file;
    enum look look;
    const char *due;
} rows[] = {
    { "j01-raw-sjis-name.eml", LOOK_NAME, "予定表.xls" },
    { "j03-raw-sjis-subject.eml", LOOK_SUBJECT, "至急" },
    { "s01-gb2312-subject.eml", LOOK_TAGGED_SUBJECT, "[迷惑メール] 会议通知" },
    { "s03-utf16-subject.eml", LOOK_TAGGED_SUBJECT, "[迷惑メール] 会議" },
    { "q07-no-header.eml", LOOK_BODY_BEHIND_OURS,
      "Disk full on host1\r\n\r\nplease look at it soon, it is urgent\r\n" },
};

static struct text subject_of(struct arena *arena, const struct mime *mime)
{
    const struct header_field *field = header_find(mime->parts[0].header, HEADER_SUBJECT);
    return field ? word_decode_in(arena, field->value, mime->declared, NULL) : TEXT_NONE;
}

static const struct mime *edited(struct arena *arena, const struct edits *edits, struct text message)
{
    struct buffer out = { 0 };
    edits_apply(edits, message, &out);
    struct text copy = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return mime_parse(arena, copy, &mime_limits_default, MIME_FIRST);
}

static struct text seen(struct arena *arena, enum look look, struct text message)
{
    const struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct edits edits = { .arena = arena };
    if (look == LOOK_NAME) return mime->parts[0].name;
    if (look == LOOK_TAGGED_SUBJECT) {
        edits_prefix_subject(&edits, message, mime->parts[0].header, mime->declared, TEXT("[迷惑メール] "));
        mime = edited(arena, &edits, message);
    }
    if (look == LOOK_BODY_BEHIND_OURS) {
        edits_insert_top(&edits, TEXT("Received: by us\r\n"));
        if (header_is_missing(message)) edits_insert_top(&edits, TEXT("\r\n"));
        return edited(arena, &edits, message)->parts[0].body;
    }
    return subject_of(arena, mime);
}

static void reports(void **state)
{
    struct suite suite = { .name = "reports charsets" };
    const char *suites = getenv("SEKIMORI_SUITES");
    if (!suites || !*suites) return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        struct buffer message = { 0 };
        char path[4096];
        snprintf(path, sizeof path, "%s/reports/%s", suites, rows[i].file);
        assert_true(suite_read(path, &message));
        struct text got = seen(arena, rows[i].look, buffer_text(&message));
        suite_case(&suite, rows[i].file, text_equal(got, text_of(rows[i].due)), got, text_of(rows[i].due));
        buffer_free(&message);
        arena_free(arena);
    }
    assert_true(suite_end(&suite));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reports) };
    charset_warm();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
