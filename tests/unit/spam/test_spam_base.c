/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The base model: what is no model is refused with a reason; what it says of mails of our own; that a blank
   Subject alone is worth nothing; and that spellings are folded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "spam/score.h"

static const char *shipped;

static double points_of(const struct base_model *model, const char *message)
{
    struct arena *arena = arena_new(0);
    struct score score = { .arena = arena, .base = model };
    struct mime *mime = mime_parse(arena, text_of(message), &mime_limits_default, MIME_FIRST);
    struct buffer room = { 0 };
    for (size_t i = 0; i < mime->count; i++)
        if (mime->parts[i].kind == MIME_LEAF)
            score_read(&score, &mime->parts[i], mime_decode(&mime->parts[i], &room, NULL));
    score_message(&score, mime);
    double points = 0;
    for (uint32_t i = 0; i < score.count; i++)
        if (text_equal(score.signals[i].name, TEXT("BASE_MODEL"))) points = score.signals[i].points;
    buffer_free(&room);
    arena_free(arena);
    return points;
}

#define HEAD(from, subject) \
    "From: " from "\r\nTo: taro@example.ac.jp\r\n" subject "Message-ID: <1@x.test>\r\nMIME-Version: 1.0\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n\r\n"
#define HTML "Content-Type: text/html; charset=utf-8\r\n\r\n"

static const char phish[] =
    HEAD("\"カード会社\" <info@kuvx-secure-7731.top>", "Subject: 【重要】カードご利用制限のお知らせ\r\n") HTML
    "<div>お客様各位<br>ご利用のカードに第三者による不正利用の疑いがあり、ご利用を一時的に制限しております。<"
    "br>"
    "24時間以内に本人確認を行わない場合、アカウントを停止いたします。<br>"
    "<a href=\"http://card-login.kuvx-secure-7731.top/vpass\">ご本人確認はこちらをクリック</a></div>\r\n";
static const char magazine[] =
    HEAD("\"北山書店\" <news@kitayama.example.jp>", "Subject: 北山書店だより 十一月号\r\n") PLAIN
    "いつも北山書店をご利用いただきありがとうございます。\r\n今月の新刊と、読書会の日程をお知らせします。\r\n"
    "\r\n"
    "・読書会「秋の夜に読む随筆」 十一月二十日 十八時より 二階ギャラリー\r\n・新刊『川のほとりの町』 "
    "著者による講演会を予定しています。\r\n\r\n"
    "詳しくは https://kitayama.example.jp/news/11 をご覧ください。\r\n配信停止は "
    "https://kitayama.example.jp/stop からお手続きいただけます。\r\n-- \r\n北山書店\r\n";
static const char note[] = HEAD("\"Mori Hanako\" <mori@example.ac.jp>",
                                "Subject: Re: Thursday's meeting\r\nIn-Reply-To: <2@x.test>\r\n") PLAIN
    "Hi Taro,\r\n\r\nThursday at ten works for me. I think we should go through the budget first,\r\nthen "
    "the draft of the report.\r\n\r\n"
    "> When shall we meet?\r\n\r\n-- \r\nHanako\r\n";

static void test_mails_of_ours(void **state)
{
    char error[300] = "";
    struct base_model *model = base_model_open(shipped, error, sizeof error);
    assert_string_equal(error, "");
    double of_phish = points_of(model, phish), of_magazine = points_of(model, magazine),
           of_note = points_of(model, note);
    if (!(of_phish > 5 && of_magazine < 1 && of_note < 0))
        fail_msg("phishing %.1f, a mail magazine %.1f, a note %.1f", of_phish, of_magazine, of_note);
    base_model_close(model);
}

static char *without_subject(const char *message, const char *subject)
{
    static char out[8192];
    const char *at = strstr(message, "Subject:"), *end = strstr(at, "\r\n") + 2;
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - message), message, subject, end);
    return out;
}

static void test_blank_subject(void **state)
{
    char error[300] = "";
    struct base_model *model = base_model_open(shipped, error, sizeof error);
    static const char *const mails[] = { magazine, note };
    static const char *const subjects[] = { "", "Subject:\r\n", "Subject:  \r\n",
                                            "Subject: =?utf-8?B?"
                                            "?=\r\n" };
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++)
        for (size_t j = 0; j < sizeof subjects / sizeof *subjects; j++) {
            double points = points_of(model, without_subject(mails[i], subjects[j]));
            if (points >= 2) fail_msg("mail %zu with \"%s\": %.1f", i, subjects[j], points);
        }
    base_model_close(model);
}

static void write_model(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void assert_refused(const char *path, const char *bytes, size_t size, const char *what, size_t at)
{
    char error[300] = "";
    write_model(path, bytes, size);
    struct base_model *model = base_model_open(path, error, sizeof error);
    bool has_reason = strstr(error, ": it is") || strstr(error, ": a number");
    if (model || !has_reason) fail_msg("%s %zu: %s", what, at, error);
}

/* Of a file of today's version: cut at each hundredth, any bit of its head changed, one of each hundredth;
 * numbers beyond all bounds. */
static void models_damaged(const char *path, char *bytes, const struct base_head *good)
{
    const float odd_numbers[] = { NAN, INFINITY, -INFINITY, 1e30f };
    struct text weights = text_from(bytes + sizeof *good, BASE_BYTES - sizeof *good);
    struct base_head head = *good;
    char error[300];
    head.version = BASE_VERSION;
    head.checksum = base_model_checksum(&head, weights);
    memcpy(bytes, &head, sizeof head);
    write_model(path, bytes, BASE_BYTES);
    struct base_model *model = base_model_open(path, error, sizeof error);
    assert_non_null(model);
    base_model_close(model);
    for (size_t i = 0; i < 100; i++) assert_refused(path, bytes, BASE_BYTES / 100 * i, "cut at", i);
    for (size_t bit = 0; bit < sizeof head * 8 + 100; bit++) {
        size_t at =
            bit < sizeof head * 8 ? bit / 8 : BASE_BYTES / 100 * (bit - sizeof head * 8) + sizeof head;
        bytes[at] = (char)(bytes[at] ^ 1 << bit % 8);
        assert_refused(path, bytes, BASE_BYTES, "bit", bit);
        bytes[at] = (char)(bytes[at] ^ 1 << bit % 8);
    }
    for (size_t i = 0; i < sizeof odd_numbers / sizeof *odd_numbers; i++) {
        struct base_head odd = head;
        odd.points = odd_numbers[i];
        odd.checksum = base_model_checksum(&odd, weights);
        memcpy(bytes, &odd, sizeof odd);
        assert_refused(path, bytes, BASE_BYTES, "number", i);
    }
    memcpy(bytes, good, sizeof *good);
}

static void test_what_is_no_model(void **state)
{
    char folder[] = "/tmp/sekimori-base-XXXXXX", path[100], error[300];
    static char bytes[BASE_BYTES + 1];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model", folder);
    FILE *file = fopen(shipped, "re");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), BASE_BYTES);
    fclose(file);
    struct base_head good;
    memcpy(&good, bytes, sizeof good);
    static const struct {
        size_t size, at; /* at: the byte that is changed; SIZE_MAX: none */
        const char *reason;
    } rows[] = {
        { BASE_BYTES - 1, SIZE_MAX, "it is no base model" },
        { BASE_BYTES + 1, SIZE_MAX, "it is no base model" },
        { 0, SIZE_MAX, "it is no base model" },
        { BASE_BYTES, 0, "it is no base model" },
        { BASE_BYTES, 8, "it is of another version" },
        { BASE_BYTES, 12, "it is of another shape" },
        { BASE_BYTES, BASE_BYTES - 1, "it is damaged" },
        { BASE_BYTES, sizeof(struct base_head), "it is damaged" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].at != SIZE_MAX) bytes[rows[i].at] ^= 0x55;
        write_model(path, bytes, rows[i].size);
        if (rows[i].at != SIZE_MAX) bytes[rows[i].at] ^= 0x55;
        assert_null(base_model_open(path, error, sizeof error));
        if (!strstr(error, rows[i].reason)) fail_msg("row %zu: %s", i, error);
    }
    models_damaged(path, bytes, &good);
    struct base_head odd = good;
    odd.bias = 0.0f / 0.0f;
    memcpy(bytes, &odd, sizeof odd);
    write_model(path, bytes, BASE_BYTES);
    assert_null(base_model_open(path, error, sizeof error));
    assert_non_null(strstr(error, "a number in its head is none"));
    assert_null(base_model_open("/nonexistent/model", error, sizeof error));
    assert_non_null(strstr(error, "No such file"));
    unlink(path);
    rmdir(folder);
}

static void test_folding(void **state)
{
    static const struct {
        const char *text, *folded;
        unsigned gaps, wide, alike;
    } rows[] = {
        { "Hello  \r\n World", "hello world", 0, 0, 0 },
        { "ＶＩＳＡ　カード", "visa カード", 0, 4, 0 },
        { "a\u200Bb\uFEFFc\u00ADd\u00A0e", "abcd e", 3, 0, 0 },
        { "\xE2\x80", "\xE2\x80", 0, 0, 0 }, /* cut off */
        { "ｶﾞｲﾄﾞ ①㈱ と゛ か\u3099\n\u3099", "ガイド 1(株) と \u3099 が \u3099", 0, 0, 0 },
        { "Ünité E\u0301TÉ Straße ﬁx", "ünité été strasse fix", 0, 0, 0 },
        { "5〜10～20〰30 −1 “a”—it’s", "5~10~20~30 -1 \"a\"-it's", 0, 1, 0 },
        { "P\u0430yp\u0430l \u0420\u0430ssword Москва то αβ \u03BCm", "paypal password москва то αβ \u03BCm",
          0, 0, 4 },
        { "𝐏𝐚𝐲 now", "pay now", 0, 0, 3 },
        { "a\u073Fm\u073Fazon \u05E9\u05B8", "a\u073Fm\u073Fazon \u05E9\u05B8", 0, 0, 2 },
        { "Д\u202Eab\n※\n", "д\u202Eab ※ ", 0, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        struct fold_counts counts = { 0 };
        text_fold(text_of(rows[i].text), &out, &counts);
        if (!text_equal(buffer_text(&out), text_of(rows[i].folded)) || counts.gaps != rows[i].gaps ||
            counts.wide_forms != rows[i].wide || counts.look_alikes != rows[i].alike)
            fail_msg("row %zu: %.*s %u %u %u", i, TEXT_ARG(buffer_text(&out)), counts.gaps, counts.wide_forms,
                     counts.look_alikes);
        buffer_free(&out);
    }
}

int main(int argc, char **argv)
{
    shipped = argv[1];
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_mails_of_ours),
                                        cmocka_unit_test(test_blank_subject),
                                        cmocka_unit_test(test_what_is_no_model),
                                        cmocka_unit_test(test_folding) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
