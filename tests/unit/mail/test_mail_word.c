/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Encoded words and charsets, Japanese above all. A row is bytes, the UTF-8 they mean, and the findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"

static void check(const char *in, struct buffer *got, const char *expected,
                  const struct finding_set *findings, const char *expected_findings)
{
    struct buffer names = { 0 };
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(findings, (enum finding)i))
            buffer_printf(&names, "%s%s", buffer_length(&names) ? " " : "", finding_name((enum finding)i));
    if (!text_equal(buffer_text(got), text_of(expected)))
        fail_msg("\n%s\ngives    %.*s\nexpected %s", in, TEXT_ARG(buffer_text(got)), expected);
    if (!text_equal(buffer_text(&names), text_of(expected_findings)))
        fail_msg("\n%s\nfinds    %.*s\nexpected %s", in, TEXT_ARG(buffer_text(&names)), expected_findings);
    buffer_free(&names);
    buffer_free(got);
}

static void words(void **state)
{
    static const struct {
        const char *in, *out, *findings;
    } rows[] = {
        { "", "", "" },
        { "plain", "plain", "" },
        { " plain  text ", "plain  text", "" },
        { "two\r\n lines", "two lines", "" },
        { "=?us-ascii?Q?a_b=2Ec?=", "a b.c", "" },
        { "=?US-ASCII*en?q?a?=", "a", "" },
        { "=?UTF-8?B?6aGM?=", "題", "" },
        { "=?utf-8?b?6aGM?= =?utf-8?b?5ZCN?=", "題名", "" },
        { "=?utf-8?b?6aGM?=\r\n\t=?utf-8?b?5ZCN?=", "題名", "" },
        { "=?utf-8?b?6aGM?= x =?utf-8?b?5ZCN?=", "題 x 名", "" },
        { "Re: =?utf-8?b?6aGM?=", "Re: 題", "" },
        { "=?utf-8?b?6aGM?= tail", "題 tail", "" },
        { "=?utf-8?Q?=E9=A1?= =?utf-8?Q?=8C?=", "題", "word-split" },
        { "=?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=", "題名", "" },
        { "=?ISO-2022-JP?B?GyRCQmobKEI=?= =?ISO-2022-JP?B?GyRCTD4bKEI=?=", "題名", "" },
        { "=?Shift_JIS?B?keiWvA==?=", "題名", "" },
        { "=?EUC-JP?Q?=C2=EA=CC=BE?=", "題名", "" },
        { "=?iso-8859-1?Q?caf=E9?= =?utf-8?Q?=E9=A1=8C?=", "café題", "" },
        /* not quite words */
        { "=?", "=?", "word-syntax" },
        { "=?utf-8?X?abc?=", "=?utf-8?X?abc?=", "word-syntax" },
        { "=?utf-8?Q?abc", "=?utf-8?Q?abc", "word-syntax" },
        { "=??Q?abc?=", "=??Q?abc?=", "word-syntax" },
        { "=?utf-8?Q?two words?=", "two words", "word-syntax" },
        { "a=?utf-8?Q?b?=c", "abc", "" },
        { "=?utf-8?Q?fo\r\n lded?=", "folded", "word-syntax" },
        { "words \r\n \t apart", "words apart", "" },
        { "=?utf-8?Q?"
          "?=",
          "", "" },
        { "=?no-such?Q?abc?=", "abc", "unknown-charset" },
        { "=?no-such?B?6aGM?=", "題", "unknown-charset" },
        { "=?iso-8859-1?B?6aGM?=", "題", "wrong-charset" },
        { "=?us-ascii?B?6aGM?=", "題", "wrong-charset" },
        { "=?us-ascii?B?GyRCQmpMPhsoQg==?=", "題名", "wrong-charset" },
        /* raw bytes */
        { "\xe9\xa1\x8c\xe5\x90\x8d", "題名", "" },
        { "\x1b$BBjL>\x1b(B", "題名", "" },
        { "\x93\xfa\x96{\x8c\xea\x82\xcc\x91\xe8\x96\xbc\x82\xc5\x82\xb7", "日本語の題名です",
          "wrong-charset" },
        { "\xc6\xfc\xcb\xdc\xb8\xec\xa4\xce\xc2\xea\xcc\xbe\xa4\xc7\xa4\xb9", "日本語の題名です",
          "wrong-charset" },
        { "Re: \xe9\xa1\x8c =?utf-8?b?5ZCN?=", "Re: 題 名", "" },
        { "\xbc\xbd\xc3\xd1 =?Shift_JIS?B?keiWvA==?=", "ｼｽﾃﾑ 題名", "wrong-charset" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        struct finding_set findings = { 0 };
        word_decode(text_of(rows[i].in), TEXT_NONE, &out, &findings);
        check(rows[i].in, &out, rows[i].out, &findings, rows[i].findings);
    }
}

static void charsets(void **state)
{
    static const struct {
        const char *charset, *in, *out, *findings;
    } rows[] = {
        { "", "abc", "abc", "" },
        { "utf-8", "\xe9\xa1\x8c", "題", "" },
        { "", "\xe9\xa1\x8c", "題", "" },
        /* ISO-2022-JP: kanji, half-width kana three ways, NEC row 13, JIS 1978 and JIS-Roman */
        { "iso-2022-jp", "a\x1b$BBjL>\x1b(Bb", "a題名b", "" },
        { "ISO-2022-JP", "\x1b(I16\x1b(B", "ｱｶ", "" },
        { "iso-2022-jp", "\x0e\x31\x36\x0f", "ｱｶ", "" },
        { "iso-2022-jp", "\xb1\xb6", "ｱｶ", "" },
        { "iso-2022-jp", "\x1b$B-!-j\x1b(B", "①㈱", "" },
        { "iso-2022-jp", "\x1b$@BjL>\x1b(Jx", "題名x", "" },
        { "iso-2022-jp", "\x1b$BBj\nabc", "題\nabc", "" },
        { "cp50221", "\x1b$BBjL>\x1b(B", "題名", "" },
        { "iso-2022-jp-ms", "\x1b$BBjL>\x1b(B", "題名", "" },
        { "iso-2022-jp-1", "\x1b$(D0!\x1b(B", "丂", "" },
        { "iso-2022-jp", "\xe9\xa1\x8c", "題", "wrong-charset" },
        /* Shift_JIS: backslash as a second byte, NEC and IBM characters, kana */
        { "shift_jis", "\x91\xe8\x96\xbc", "題名", "" },
        { "Shift-JIS", "\x95\x5c\x8e\xa6", "表示", "" },
        { "x-sjis", "\x87\x40\xfb\xfc", "①髙", "" },
        { "windows-31j", "\xb1\xb6", "ｱｶ", "" },
        { "shift_jis", "\x81\x60", "～", "" },
        { "shift_jis", "\xe9\xa1\x8c\xe5\x90\x8d", "題名", "wrong-charset" },
        { "shift_jis", "\x1b$BBjL>\x1b(B", "題名", "wrong-charset" },
        /* EUC-JP: kana, vendor characters, JIS X 0212 */
        { "euc-jp", "\xc2\xea\xcc\xbe", "題名", "" },
        { "EUC-JP", "\x8e\xb1\xad\xa1", "ｱ①", "" },
        { "euc-jp", "\x8f\xb0\xa1", "丂", "" },
        /* the rest of the world */
        { "iso-8859-1", "caf\xe9 \x93q\x94", "café “q”", "" },
        { "windows-1252", "\x80", "€", "" },
        { "iso-8859-15", "\xa4", "€", "" },
        { "koi8-r", "\xd0\xd2\xc9", "при", "" },
        { "gb2312", "\xd6\xd0\xce\xc4", "中文", "" },
        { "big5", "\xa4\xa4\xa4\xe5", "中文", "" },
        { "euc-kr", "\xc7\xd1", "한", "" },
        { "utf-7", "+mEw-", "題", "" },
        { "utf-16", "O\x1a\x8bp", "会議", "" },
        { "UTF-16", "\xfe\xffO\x1a\x8bp", "会議", "" },
        { "utf-16", "\xff\xfe\x1aOp\x8b", "会議", "" },
        { "utf-16", "\x1aOp\x8b", "会議", "" },
        { "utf-16le", "\x1aOp\x8b", "会議", "" },
        { "utf-16be", "\xfe\xffO\x1a\xfe\xff\x8bp", "会議", "" },
        { "gb2312", "\x81\x40", "丂", "" },
        { "ks_c_5601-1987", "\x81\x41", "갂", "" },
        /* one bad byte among many good ones says nothing against the charset */
        { "shift_jis",
          "\x91\xe8\x96\xbc\x91\xe8\x96\xbc\x91\xe8\x96\xbc\x91\xe8\x96\xbc\x91\xe8\x96\xbc\x91\xe8\x96\xbc"
          "\xff",
          "題名題名題名題名題名題名\xef\xbf\xbd", "wrong-charset" },
        /* wrong labels */
        { "us-ascii", "\xe9\xa1\x8c", "題", "wrong-charset" },
        { "us-ascii", "\x1b$BBjL>\x1b(B", "題名", "wrong-charset" },
        { "utf-8", "\x1b$BBjL>\x1b(B", "題名", "wrong-charset" },
        { "iso-8859-1", "\xe9\xa1\x8c\xe5\x90\x8d", "題名", "wrong-charset" },
        { "utf-8", "\x93\xfa\x96{\x8c\xea\x82\xcc\x91\xe8\x96\xbc\x82\xc5\x82\xb7", "日本語の題名です",
          "wrong-charset" },
        { "iso-8859-1", "\x8e\x8a\x8b}", "至急", "wrong-charset" },
        { "windows-1252", "\xbb\xea\xb5\xde", "至急", "wrong-charset" },
        { "shift_jis", "\xa5\xc6\xa5\xb9\xa5\xc8", "テスト", "wrong-charset" },
        { "windows-1256", "\xe3\xd1\xcd\xc8\xc7", "مرحبا", "" },
        { "x-unknown", "abc", "abc", "unknown-charset" },
        { "x-unknown", "\xe9\xa1\x8c", "題", "unknown-charset" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        struct finding_set findings = { 0 };
        charset_to_utf8(text_of(rows[i].charset), text_of(rows[i].in), &out, &findings);
        check(rows[i].charset[0] ? rows[i].charset : rows[i].in, &out, rows[i].out, &findings,
              rows[i].findings);
    }
}

static void raw_bytes(void **state)
{
    static const struct {
        const char *declared, *in, *out;
    } rows[] = {
        /* nothing is declared */
        { "", "\x8e\x8a\x8b}", "至急" },
        { "", "\xbb\xea\xb5\xde", "至急" },
        { "", "\x8c\x8f", "件" },
        { "", "\xb7\xef", "件" },
        { "", "\xc9\xbd", "表" },
        { "", "\xc2\xb4\xb6\xc8", "卒業" },
        { "", "\xc4\xcc\xc3\xce", "通知" },
        { "", "\xa5\xc6\xa5\xb9\xa5\xc8", "テスト" },
        { "", "\xc3\xbd\xc4", "ﾃｽﾄ" },
        { "", "\xd2\xb0\xd9\x82\xcc\x8c\x8f", "ﾒｰﾙの件" },
        { "",
          "Re: \x89\xef\x8b"
          "c",
          "Re: 会議" },
        { "", "Web\xb2\xf1\xb5\xc4\xa4\xce\xb7\xef", "Web会議の件" },
        { "", "\x94\x5c\x97\xcd\x83\x5c", "能力ソ" },
        { "", "caf\xe9", "café" },
        { "",
          "Gr\xf6\xdf"
          "e",
          "Größe" },
        { "", "na\xefve", "naïve" },
        { "",
          "20 \xb0"
          "C",
          "20 °C" },
        { "", "M\xc3\xbcller", "Müller" },
        { "", "\xf0\xd2\xc9\xd7\xc5\xd4, \xdc\xd4\xcf \xd7\xc1\xd6\xce\xcf", "Привет, это важно" },
        /* what is declared counts where the bytes are whole in it */
        { "shift_jis", "\x8e\x8a\x8b}", "至急" },
        { "shift_jis", "\xbc\xbd\xc3\xd1", "ｼｽﾃﾑ" },
        { "euc-jp", "\xd1\xbd", "兔" },
        { "gb2312", "\xbb\xe1\xd2\xe9", "会议" },
        { "big5", "\xb3\x5c\xa5\x5c\xbb\x5c", "許功蓋" },
        { "euc-kr", "\xbe\xc8\xb3\xe7", "안녕" },
        { "iso-8859-1", "\xe9", "é" },
        { "windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет" },
        /* and does not where they are not, or say something else */
        { "utf-8", "\x8e\x8a\x8b}", "至急" },
        { "iso-2022-jp", "\xc4\xcc\xc3\xce", "通知" },
        { "us-ascii", "\xbb\xea\xb5\xde", "至急" },
        { "iso-8859-1", "\x8e\x8a\x8b}", "至急" },
        { "iso-8859-1", "3\x8c\x8e", "3月" },
        { "shift_jis", "\xe9\xa1\x8c\xe5\x90\x8d", "題名" },
        { "shift_jis", "\xa5\xc6\xa5\xb9\xa5\xc8", "テスト" },
        { "euc-jp", "\x8e\x8a\x8b}", "至急" },
        { "no-such", "\x8e\x8a\x8b}", "至急" },
        { "utf-16", "\x8e\x8a\x8b}", "至急" },
        /* cut in the middle of a character */
        { "shift_jis", "\x8e\x8a\x8b}\x82\xcc\x8c", "至急の�" },
        { "", "\x8e\x8a\x8b}\x82\xcc\x8c", "至急の�" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        struct finding_set none = { 0 };
        charset_raw_to_utf8(text_of(rows[i].declared), text_of(rows[i].in), &out, NULL);
        check(rows[i].in, &out, rows[i].out, &none, "");
    }
}

/* Short Subjects in each charset under each declaration; every beginning of a text is one. */
static void raw_subjects(void **state)
{
    static const char *const texts[] = { "請求書をお送りします",
                                         "至急ご確認ください",
                                         "予定表の件",
                                         "能力開発セミナーのご案内",
                                         "十月分の申請について",
                                         "Re: 会議室の変更",
                                         "【重要】システム停止のお知らせ",
                                         "テストデータ",
                                         "圭子さんへ",
                                         "7月のWeb会議",
                                         "納品書（再送）",
                                         "ソフトウェア更新" };
    static const char *const charsets[] = { "Shift_JIS", "EUC-JP", "ISO-2022-JP", "UTF-8" };
    static const char *const declared[] = { "", "own", "utf-8", "iso-2022-jp", "us-ascii", "iso-8859-1" };
    size_t samples = 0, right = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts * 24; i++) {
        struct text whole = text_of(texts[i / 24]), charset = text_of(charsets[i % 4]);
        struct text label = text_of(declared[i / 4 % 6]);
        if (text_equal(label, TEXT("own"))) label = charset;
        for (size_t end = utf8_sequence(whole); end <= whole.length;) {
            struct text text = text_slice(whole, 0, end);
            struct buffer raw = { 0 }, back = { 0 };
            assert_true(charset_from_utf8(charset, text, &raw));
            charset_raw_to_utf8(label, buffer_text(&raw), &back, NULL);
            samples++;
            right += text_equal(buffer_text(&back), text);
            buffer_free(&raw);
            buffer_free(&back);
            end += end < whole.length ? utf8_sequence(text_slice(whole, end, whole.length)) : 1;
        }
    }
    printf("raw Subjects: %zu of %zu right\n", right, samples);
    assert_int_equal(right, samples);
}

static void always_utf8(void **state)
{
    static const char *const names[] = { "",           "utf-8",      "us-ascii", "iso-2022-jp", "shift_jis",
                                         "euc-jp",     "iso-8859-1", "gb18030",  "utf-16",      "utf-7",
                                         "hz-gb-2312", "big5",       "x-none" };
    char bytes[512];
    uint32_t seed = 12345;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            struct buffer out = { 0 };
            charset_to_utf8(text_of(names[i]), text_from(bytes, (size_t)round * 2 + 1), &out, NULL);
            assert_true(charset_is_utf8(buffer_text(&out)));
            buffer_free(&out);
        }
    }
}

static void encoding(void **state)
{
    static const struct {
        const char *charset, *utf8;
        char how;
        const char *expected;
    } rows[] = {
        { "UTF-8", "題", 'B', "=?UTF-8?B?6aGM?=" },
        { "UTF-8", "a b題", 'Q', "=?UTF-8?Q?a_b=E9=A1=8C?=" },
        { "ISO-2022-JP", "題名", 'B', "=?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=" },
        { "Shift_JIS", "題名", 'B', "=?Shift_JIS?B?keiWvA==?=" },
        { "iso-8859-1", "題", 'Q', "=?UTF-8?Q?=E9=A1=8C?=" },
        { "no-such", "題", 'B', "=?UTF-8?B?6aGM?=" },
        { "no-such", "a", 'B', "=?UTF-8?B?YQ==?=" },
        /* the charset itself, not a wider one that is read under its name */
        { "Shift_JIS", "表ｱ", 'B', "=?Shift_JIS?B?lVyx?=" },
        { "Shift_JIS", "①", 'B', "=?UTF-8?B?4pGg?=" },
        { "EUC-JP", "髙", 'B', "=?UTF-8?B?6auZ?=" },
        { "ISO-2022-JP", "㈱", 'B', "=?UTF-8?B?44ix?=" },
        { "ISO-2022-JP", "ｱ", 'B', "=?UTF-8?B?772x?=" },
        { "Shift_JIS", "～", 'B', "=?UTF-8?B?772e?=" },
        { "gb2312", "題", 'B', "=?UTF-8?B?6aGM?=" },
        { "euc-kr", "題", 'B', "=?UTF-8?B?6aGM?=" },
        { "big5", "題", 'B', "=?UTF-8?B?6aGM?=" },
        { "utf-16", "a", 'B', "=?UTF-8?B?YQ==?=" },
        { "utf-7", "a", 'B', "=?UTF-8?B?YQ==?=" },
        { "iso-8859-1", "é", 'Q', "=?iso-8859-1?Q?=E9?=" },
        { "iso-8859-1", "€", 'Q', "=?UTF-8?Q?=E2=82=AC?=" },
        { "windows-1252", "€", 'Q', "=?windows-1252?Q?=80?=" },
        { "koi8-r", "п", 'Q', "=?koi8-r?Q?=D0?=" },
        { "Shift_JIS", "表\xef\xb8\x8f", 'B', "=?UTF-8?B?6KGo77iP?=" }, /* with a variation selector */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        struct finding_set none = { 0 };
        word_encode(text_of(rows[i].charset), rows[i].how, text_of(rows[i].utf8), 0, &out);
        check(rows[i].utf8, &out, rows[i].expected, &none, "");
    }
}

static void long_encoding(void **state)
{
    static const char *const charsets[] = { "UTF-8", "ISO-2022-JP", "EUC-JP" };
    struct buffer text = { 0 };
    for (int i = 0; i < 60; i++) buffer_add_text(&text, TEXT("長い題名"));
    for (size_t i = 0; i < 6; i++) {
        struct buffer words = { 0 }, back = { 0 };
        word_encode(text_of(charsets[i / 2]), i % 2 ? 'B' : 'Q', buffer_text(&text), 9, &words);
        struct text rest = buffer_text(&words), line;
        for (size_t column = 9; text_next_line(&rest, &line); column = 0)
            assert_in_range(column + line.length, 1, WORD_LINE_MOST);
        struct finding_set findings = { 0 };
        word_decode(buffer_text(&words), TEXT_NONE, &back, &findings);
        assert_true(text_equal(buffer_text(&back), buffer_text(&text)));
        assert_true(finding_set_is_empty(&findings));
        buffer_free(&words);
        buffer_free(&back);
    }
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),         cmocka_unit_test(charsets),    cmocka_unit_test(raw_bytes),
        cmocka_unit_test(raw_subjects),  cmocka_unit_test(always_utf8), cmocka_unit_test(encoding),
        cmocka_unit_test(long_encoding),
    };
    charset_warm();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
