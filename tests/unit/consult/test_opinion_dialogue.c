/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is said to spamd and rspamd, and their replies: one row each, whole, in two pieces at every place, and
   byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "consult/opinion_dialogue.h"

/* --- replies --- */

#define HEAD "SPAMD/1.1 0 EX_OK\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define A "\"score\":7.5,\"action\":\"add header\""

/* Of rspamd JSON alone stands for a good reply with it. `told`: "spam 7.5/5.0 NAMES", "ham …", "refused WHY",
 * "nonsense WHAT", or "." for more to come. */
static const struct row {
    enum engine_kind kind;
    const char *bytes, *told;
} rows[] = {
    { ENGINE_SPAMD, "", "." },
    { ENGINE_SPAMD, HEAD, "." },
    { ENGINE_SPAMD, HEAD "Content-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nA,", "." },
    { ENGINE_SPAMD, HEAD "Content-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nA,B", "spam 15.0/5.0 A,B" },
    { ENGINE_SPAMD, HEAD "Content-length: 0\r\nSpam: False ; -2.3 / 5.0\r\n\r\n", "ham -2.3/5.0 " },
    { ENGINE_SPAMD, HEAD "Content-length: 0\r\nSpam: False ; 0.0 / 5.0\r\n\r\n", "ham 0.0/5.0 " },
    { ENGINE_SPAMD, HEAD "Content-length: 0\r\nSpam: True ; 0.0 / 0.0\r\n\r\n", "spam 0.0/0.0 " },
    { ENGINE_SPAMD, HEAD "Content-length: 2\r\nSpam: False ; 0.0 / 5.0\r\n\r\n\r\n", "ham 0.0/5.0 " },
    { ENGINE_SPAMD, HEAD "Content-length: \r\nSpam: False ; 0.0 / 5.0\r\n\r\n",
      "nonsense an answer that does not say its length" },
    { ENGINE_SPAMD, HEAD "Spam: Yes;7/6.5\r\nContent-Length:4\r\nX: y\r\n\r\nA_1\n", "spam 7.0/6.5 A_1" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: False ; 1 / 5\r\n\r\nABC", "ham 1.0/5.0 A" },
    { ENGINE_SPAMD, HEAD "Content-length: 8\r\nSpam: No ; 1 / 5\r\n\r\nA,B\x01,,C\n", "ham 1.0/5.0 A,C" },
    { ENGINE_SPAMD, HEAD "Content-length: 25\r\nSpam: No ; 1 / 5\r\n\r\nA,B,C,D,E,F,G,H,I,J,K,L,M",
      "ham 1.0/5.0 A,B,C,D,E,F,G,H,I,J" },
    { ENGINE_SPAMD, "SPAMD/1.0 76 Bad header line: FOO\r\n", "refused SPAMD 76 Bad header line: FOO" },
    { ENGINE_SPAMD, "SPAMD/1.5 75 EX_TEMPFAIL\r\nX: y\r\n\r\n", "refused SPAMD 75 EX_TEMPFAIL" },
    { ENGINE_SPAMD, "SPAMD/1.5 75 no\r\nno field\r\n\r\n", "refused SPAMD 75 no" },
    { ENGINE_SPAMD, "SPAMD/1.5 75 a\x1b[31mb\r\n", "refused SPAMD 75 a?[31mb" },
    { ENGINE_SPAMD, HEAD "Content-length: 3\r\n\r\nA,B", "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Spam: True ; 15.0 / 5.0\r\n\r\nA",
      "nonsense an answer that does not say its length" },
    { ENGINE_SPAMD, HEAD "Content-length: -1\r\nSpam: True ; 15.0 / 5.0\r\n\r\nA",
      "nonsense an answer that does not say its length" },
    { ENGINE_SPAMD, HEAD "Content-length: 262145\r\nSpam: True ; 15.0 / 5.0\r\n\r\nA",
      "nonsense an answer that is too long" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nContent-length: 2\r\nSpam: True ; 5 / 5\r\n\r\nAB",
      "nonsense an answer that makes no sense" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: True ; never / 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: True ; nan / 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: True ; 1e9 / 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: True ; 1000001 / 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: True ; --5 / 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: True 5 / 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: True ; 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam: Maybe ; 5 / 5\r\n\r\nA",
      "nonsense an answer without a score" },
    { ENGINE_SPAMD, HEAD "Content-length: 1\r\nSpam True ; 5 / 5\r\n\r\nA",
      "nonsense an answer that makes no sense" },
    { ENGINE_SPAMD, "220 mx.example.test ESMTP\r\n\r\n", "nonsense an answer that makes no sense" },
    { ENGINE_SPAMD, "{}", "nonsense an answer that makes no sense" },

    { ENGINE_RSPAMD, OK "Content-Length: 43\r\n\r\n{" A ",\"x\":\"yy", "." },
    { ENGINE_RSPAMD, OK "content-length:2\r\nServer: rspamd/3.4\r\n\r\n{}",
      "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "{" A "}  ", "spam 7.5/0.0 add header" },
    { ENGINE_RSPAMD, "{" A ",\"required_score\":15,\"x\":1}", "spam 7.5/15.0 add header" },
    { ENGINE_RSPAMD,
      "{" A ",\"required_score\":15,\"thresholds\":{\"reject\":15,\"add header\":6,"
      "\"greylist\":4}}     ",
      "spam 7.5/6.0 add header" },
    { ENGINE_RSPAMD,
      "{\"score\":-1,\"action\":\"no action\",\"required_score\":15,\"symbols\":{"
      "\"A\":{\"score\":1},\"B\":{\"score\":2}}}",
      "ham -1.0/15.0 no action; B,A" },
    { ENGINE_RSPAMD, "{\"score\":0,\"action\":\"no action\",\"required_score\":15,\"symbols\":{}}",
      "ham 0.0/15.0 no action" },
    { ENGINE_RSPAMD, "{\"score\":5,\"action\":\"greylist\",\"required_score\":15.0}",
      "ham 5.0/15.0 greylist" },
    { ENGINE_RSPAMD, "{\"score\":16,\"action\":\"soft reject\",\"required_score\":6}",
      "spam 16.0/6.0 soft reject" },
    { ENGINE_RSPAMD, "{\"score\":0,\"action\":\"reject\",\"required_score\":15}", "spam 0.0/15.0 reject" },
    { ENGINE_RSPAMD, "{\"score\":1,\"action\":\"a\\u001b\\u0000b\\u3042\",\"thresholds\":1}",
      "ham 1.0/0.0 a??b???" },
    { ENGINE_RSPAMD, "HTTP/1.1 500 invalid command\r\nContent-Length: 9\r\n\r\n",
      "refused HTTP 500 invalid command" },
    { ENGINE_RSPAMD, "HTTP/1.0 403 \r\n\r\n", "refused HTTP 403 " },
    { ENGINE_RSPAMD, OK "\r\n{" A "}", "nonsense an answer that does not say its length" },
    { ENGINE_RSPAMD, OK "Transfer-Encoding: chunked\r\n\r\n", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, OK "Content-Length: 0\r\n\r\n", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "{}", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "[]", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "{\"", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "{\"score\":\"7\",\"action\":\"reject\"}", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "{\"score\":1e999,\"action\":\"reject\"}  ", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "{\"score\":1000001,\"action\":\"reject\"}", "nonsense an answer that makes no sense" },
    { ENGINE_RSPAMD, "{" A ",\"symbols\":{\"A\":1}}", "nonsense an answer that makes no sense" },
};

static void event_print(enum opinion_event event, const struct opinion *opinion, struct buffer *out)
{
    if (event == OPINION_MORE) buffer_printf(out, ".");
    if (event == OPINION_REFUSED) buffer_printf(out, "refused %s", opinion->names);
    if (event == OPINION_NONSENSE) buffer_printf(out, "nonsense %s", opinion->names);
    if (event == OPINION_ANSWER)
        buffer_printf(out, "%s %.1f/%.1f %s", opinion->is_spam ? "spam" : "ham", opinion->score,
                      opinion->line, opinion->names);
}

/* What comes of `bytes` that arrive up to `cut`, and then `step` more at a time. As by a stream, no bytes are
   never shown: a reply is over with its last one. */
static void reply_play(enum engine_kind kind, struct text bytes, size_t cut, size_t step, struct buffer *out)
{
    struct opinion_dialogue dialogue = { .kind = kind };
    struct opinion opinion;
    enum opinion_event event;
    size_t at = 0, shown = cut > 0 || bytes.length == 0 ? cut : 1;
    for (;;) {
        size_t read = opinion_read(&dialogue, text_slice(bytes, at, shown), &event, &opinion);
        assert_true(read <= shown - at);
        at += read;
        if (event != OPINION_MORE || at == bytes.length || (read == 0 && shown == bytes.length)) break;
        if (read == 0 || at == shown) shown = shown + step < bytes.length ? shown + step : bytes.length;
    }
    event_print(event, &opinion, out);
}

static void row_bytes(const struct row *row, struct buffer *out)
{
    if (row->bytes[0] == '{' || row->bytes[0] == '[')
        buffer_printf(out, OK "Content-Length: %zu\r\n\r\n", strlen(row->bytes));
    buffer_add_text(out, text_of(row->bytes));
}

static void row_check(const struct row *row, struct text bytes, size_t cut, size_t step)
{
    struct buffer told = { 0 };
    reply_play(row->kind, bytes, cut, step, &told);
    if (!text_equal(buffer_text(&told), text_of(row->told)))
        fail_msg("%s, cut at %zu: %.*s, not %s", row->bytes, cut, TEXT_ARG(buffer_text(&told)), row->told);
    buffer_free(&told);
}

static void test_replies(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer bytes = { 0 };
        row_bytes(&rows[i], &bytes);
        size_t length = buffer_length(&bytes);
        for (size_t cut = 0; cut <= length; cut++) row_check(&rows[i], buffer_text(&bytes), cut, length);
        row_check(&rows[i], buffer_text(&bytes), 0, 1);
        buffer_free(&bytes);
    }
}

static void test_endless_header(void **state)
{
    struct buffer bytes = { 0 }, told = { 0 };
    buffer_printf(&bytes, OK);
    while (buffer_length(&bytes) < 2 * OPINION_HEADER_MOST) buffer_printf(&bytes, "X-More: and more\r\n");
    reply_play(ENGINE_RSPAMD, buffer_text(&bytes), 0, 1, &told);
    assert_true(text_equal(buffer_text(&told), TEXT("nonsense a header without an end")));
    buffer_free(&bytes);
    buffer_free(&told);
}

/* As deep as the bytes allow: refused, at any depth. */
static void test_deep_json(void **state)
{
    struct buffer bytes = { 0 }, told = { 0 };
    buffer_printf(&bytes, OK "Content-Length: %d\r\n\r\n{\"score\":", OPINION_REPLY_MOST);
    while (buffer_length(&bytes) < OPINION_REPLY_MOST + 1024) buffer_add_char(&bytes, '[');
    reply_play(ENGINE_RSPAMD, buffer_text(&bytes), 0, OPINION_REPLY_MOST, &told);
    assert_true(text_equal(buffer_text(&told), TEXT("nonsense an answer that makes no sense")));
    buffer_free(&bytes);
    buffer_free(&told);
}

/* Names of strangers' length fill what there is room for. */
static void test_long_names(void **state)
{
    struct buffer bytes = { 0 };
    struct opinion_dialogue dialogue = { .kind = ENGINE_SPAMD };
    struct opinion opinion;
    enum opinion_event event;
    buffer_printf(&bytes, HEAD "Content-length: 1000\r\nSpam: True ; 9 / 5\r\n\r\nSHORT,");
    for (int i = 0; i < 300; i++) buffer_add_char(&bytes, 'L');
    buffer_printf(&bytes, ",OTHER,");
    while (buffer_length(&bytes) < 1200) buffer_add_char(&bytes, 'M');
    opinion_read(&dialogue, buffer_text(&bytes), &event, &opinion);
    assert_int_equal(event, OPINION_ANSWER);
    assert_string_equal(opinion.names, "SHORT,OTHER");
    buffer_free(&bytes);
}

/* --- requests --- */

static const struct text recipients[] = { TEXT("b@example.test"), TEXT("c\r\nIP: 8.8.8.8@example.test") };
static const struct consult_envelope envelope = { .id = TEXT("0000-1"),
                                                  .client = TEXT("192.0.2.77"),
                                                  .client_name = TEXT("a.example.test"),
                                                  .helo = TEXT("helo\nFrom: x"),
                                                  .sender = TEXT("s@example.test"),
                                                  .trace = TEXT("Received: from a\r\n"),
                                                  .recipients = (struct text *)recipients,
                                                  .recipient_count = 2 };

static void asked_check(enum engine_kind kind, const struct consult_envelope *told, const char *wanted)
{
    struct buffer out = { 0 };
    struct opinion_question question = { kind, TEXT("mail"), TEXT_NONE, told, 1000 };
    if (kind == ENGINE_RSPAMD) question.settings = TEXT("inbound");
    opinion_ask(&question, &out);
    if (!text_equal(buffer_text(&out), text_of(wanted))) fail_msg("%.*s", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
}

static void test_requests(void **state)
{
    static const struct consult_envelope none = { 0 }, bounce = { .id = TEXT("0000-1") };
    asked_check(ENGINE_SPAMD, &envelope,
                "SYMBOLS SPAMC/1.5\r\nContent-length: 1049\r\nUser: mail\r\n\r\n"
                "Return-Path: <s@example.test>\r\nReceived: from a\r\n");
    asked_check(ENGINE_SPAMD, &none, "SYMBOLS SPAMC/1.5\r\nContent-length: 1000\r\nUser: mail\r\n\r\n");
    asked_check(
        ENGINE_RSPAMD, &envelope,
        "POST /checkv2 HTTP/1.0\r\nContent-Length: 1000\r\nUser-Agent: Sekimori\r\nQueue-Id: 0000-1\r\n"
        "IP: 192.0.2.77\r\nHostname: a.example.test\r\nFrom: <s@example.test>\r\n"
        "Rcpt: <b@example.test>\r\nUser: mail\r\nSettings-ID: inbound\r\n\r\n");
    asked_check(
        ENGINE_RSPAMD, &bounce,
        "POST /checkv2 HTTP/1.0\r\nContent-Length: 1000\r\nUser-Agent: Sekimori\r\nQueue-Id: 0000-1\r\n"
        "From: <>\r\nUser: mail\r\nSettings-ID: inbound\r\n\r\n");
    asked_check(ENGINE_RSPAMD, &none,
                "POST /checkv2 HTTP/1.0\r\nContent-Length: 1000\r\nUser-Agent: Sekimori\r\nUser: mail\r\n"
                "Settings-ID: inbound\r\n\r\n");
}

/* --- the envelope on its way --- */

static void test_envelope(void **state)
{
    static char long_bytes[16 * 1024];
    struct text many[CONSULT_RECIPIENTS_MOST + 9];
    struct consult_envelope read, told = envelope;
    struct arena *arena = arena_new(0);
    struct buffer bytes = { 0 };
    memset(long_bytes, 'x', sizeof long_bytes);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) many[i] = text_from(long_bytes, 320);
    told.recipients = many;
    told.recipient_count = sizeof many / sizeof *many;
    told.sender = text_from(long_bytes, 3000);
    consult_envelope_put(&told, &bytes);
    assert_true(buffer_length(&bytes) <= CONSULT_ENVELOPE_MOST);
    assert_true(consult_envelope_get(arena, buffer_text(&bytes), &read));
    assert_int_equal(read.recipient_count, CONSULT_RECIPIENTS_MOST);
    assert_true(read.sender.length == 0 && text_equal(read.trace, envelope.trace));
    for (size_t i = 1; i < buffer_length(&bytes); i++)
        assert_false(consult_envelope_get(arena, text_slice(buffer_text(&bytes), 0, i), &read));
    assert_true(consult_envelope_get(arena, TEXT_NONE, &read) && read.id.length == 0);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) many[i] = text_from(long_bytes, 3000);
    buffer_clear(&bytes);
    consult_envelope_put(&told, &bytes);
    assert_true(buffer_length(&bytes) <= CONSULT_ENVELOPE_MOST);
    assert_true(consult_envelope_get(arena, buffer_text(&bytes), &read) && read.recipient_count == 8);
    buffer_free(&bytes);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),   cmocka_unit_test(test_endless_header),
        cmocka_unit_test(test_deep_json), cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_requests),  cmocka_unit_test(test_envelope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
