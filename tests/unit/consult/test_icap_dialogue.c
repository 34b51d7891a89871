/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is sent to an ICAP server, and what each of its answers means: a row each; whole, and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "consult/icap_dialogue.h"

#define MESSAGE "Subject: x\r\n\r\nhello\r\n"  /* 21 bytes */
#define HTTP "HTTP/1.1 200 OK\r\nA: b\r\n\r\n" /* 25 bytes */
#define WITH_BODY "Encapsulated: res-hdr=0, res-body=25\r\n\r\n" HTTP
#define SAME "15\r\n" MESSAGE "\r\n0\r\n\r\n"

static struct icap_dialogue idle(void)
{
    return (struct icap_dialogue){ .host = TEXT("192.0.2.9:1344"), .service = TEXT("avscan") };
}

/* --- requests --- */

static void sent(struct icap_output *output, struct text message, struct buffer *wire)
{
    buffer_add_text(wire, buffer_text(&output->head));
    buffer_add_text(wire, text_slice(message, output->from, output->to));
    buffer_add_text(wire, output->tail);
    buffer_free(&output->head);
}

static const struct look_row {
    bool has_preview;
    uint32_t preview;
    const char *message, *field, *first, *rest; /* what follows the HTTP header; rest NULL: there is none */
} looks[] = {
    { false, 0, MESSAGE, "", "15\r\n" MESSAGE "\r\n0\r\n\r\n", NULL },
    { true, 7, MESSAGE, "Preview: 7\r\n", "7\r\nSubject\r\n0\r\n\r\n",
      "e\r\n: x\r\n\r\nhello\r\n\r\n0\r\n\r\n" },
    { true, 0, MESSAGE, "Preview: 0\r\n", "0\r\n\r\n", "15\r\n" MESSAGE "\r\n0\r\n\r\n" },
    { true, 21, MESSAGE, "Preview: 21\r\n", "15\r\n" MESSAGE "\r\n0; ieof\r\n\r\n", NULL },
    { true, 4096, MESSAGE, "Preview: 4096\r\n", "15\r\n" MESSAGE "\r\n0; ieof\r\n\r\n", NULL },
    { true, 4000000000, MESSAGE, "Preview: 65536\r\n", "15\r\n" MESSAGE "\r\n0; ieof\r\n\r\n", NULL },
    { true, 10, "", "Preview: 10\r\n", "0; ieof\r\n\r\n", NULL },
    { false, 10, "", "", "0\r\n\r\n", NULL },
};

static void test_requests(void **state)
{
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        const struct icap_options options = { .has_preview = looks[i].has_preview,
                                              .preview = looks[i].preview };
        struct icap_dialogue dialogue = idle();
        struct text message = text_of(looks[i].message);
        struct icap_output output;
        struct buffer wire = { 0 };
        char head[600];
        icap_look(&dialogue, &options, message, &output);
        sent(&output, message, &wire);
        struct text text = buffer_text(&wire);
        size_t end = text_find(text, TEXT("\r\n\r\n")) + 4;
        snprintf(head, sizeof head,
                 "RESPMOD icap://192.0.2.9:1344/avscan ICAP/1.0\r\nHost: 192.0.2.9:1344\r\nUser-Agent: "
                 "Sekimori\r\nAllow: 204\r\n%sEncapsulated: req-hdr=0, res-hdr=%zu, res-body=%zu\r\n\r\n",
                 looks[i].field, text_find(text, TEXT("HTTP/1.1 200")) - end,
                 text.length - strlen(looks[i].first) - end);
        assert_true(text_starts(text, text_of(head)));
        assert_true(text_ends(text, text_of(looks[i].first)));
        if (looks[i].rest) {
            buffer_clear(&wire);
            icap_rest(&dialogue, &output);
            sent(&output, message, &wire);
            assert_true(text_equal(buffer_text(&wire), text_of(looks[i].rest)));
        }
        buffer_free(&wire);
    }
}

/* --- answers --- */

enum asked { OPTIONS, PREVIEW, WHOLE };

static const struct row {
    enum asked asked;
    const char *bytes;
    const char *told; /* the event, state and name; "+" behind it: the connection goes on */
} rows[] = {
    { WHOLE, "", "more" },
    { WHOLE, "ICAP/1.0 204 No Content\r\n", "more" },
    { WHOLE, "ICAP/1.0 204 No Content\r\n\r\n", "clean +" },
    { WHOLE, "ICAP/1.0 204\r\nISTag: \"a\"\r\nConnection: Close\r\n\r\n", "clean " },
    { PREVIEW, "ICAP/1.0 204 No\r\n\r\n", "clean +" },
    { PREVIEW, "ICAP/1.0 100 Continue\r\n\r\n", "continue" },
    { WHOLE, "ICAP/1.0 100 Continue\r\n\r\n", "nonsense it wants more than there is" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY SAME, "clean +" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "5\r\nSubje\r\n10 ; x=y\r\nct: x\r\n\r\nhello\r\n\r\n0\r\n\r\n",
      "clean +" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "15\r\n" MESSAGE "\r\n0\r\nTrailer: x\r\n\r\n", "clean +" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "5\r\nSubje\r\n0\r\n\r\n", "found content shortened+" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "5\r\nVirus\r\n0\r\n\r\n", "found content replaced" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "16\r\n" MESSAGE "!\r\n0\r\n\r\n", "found content replaced" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "0\r\n\r\n", "found content shortened+" },
    { WHOLE, "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, null-body=25\r\n\r\n" HTTP,
      "found content removed+" },
    { WHOLE,
      "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=26\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n5\r\n",
      "found replaced by a page (HTTP 403)" },
    { WHOLE,
      "ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=Eicar;\r\n" WITH_BODY "2\r\nno",
      "found Eicar" },
    { WHOLE, "ICAP/1.0 200 OK\r\nx-infection-found: Type=0; threat=\r\n" WITH_BODY, "found Type=0; threat=" },
    { WHOLE, "ICAP/1.0 200 OK\r\nX-Virus-ID: Win.Trojan.A\r\n" WITH_BODY, "found Win.Trojan.A" },
    { WHOLE, "ICAP/1.0 204 No\r\nX-Virus-ID: no threats\r\n\r\n", "clean +" },
    { WHOLE, "ICAP/1.0 204 No\r\nX-Virus-ID: A\r\n\r\n", "found A+" },
    { WHOLE, "ICAP/1.0 200 OK\r\nX-Violations-Found: 1\r\n\t-\r\n\tEicar-Test\r\n\t0\r\n\t0\r\n" WITH_BODY,
      "found Eicar-Test" },
    { WHOLE, "ICAP/1.0 204 No\r\nX-Violations-Found: 0\r\n\r\n", "clean +" },
    { WHOLE, "ICAP/1.0 200 OK\r\nX-Violations-Found: 2\r\n" WITH_BODY, "found a violation" },
    { WHOLE,
      "ICAP/1.0 200 OK\r\nX-Virus-ID: a\001\xe9"
      "b\r\n" WITH_BODY,
      "found a??b" },
    { WHOLE, "ICAP/1.0 404 Service not found\r\n\r\n", "unscanned ICAP 404 Service not found" },
    { WHOLE, "ICAP/1.0 503 Busy\r\n\r\n", "unscanned ICAP 503 Busy" },
    { WHOLE, "ICAP/1.0 206 Part\r\n\r\n", "unscanned ICAP 206 Part" },
    { WHOLE, "HTTP/1.1 200 OK\r\n\r\n", "nonsense no ICAP" },
    { WHOLE, "ICAP/1.0 99 OK\r\n\r\n", "nonsense no ICAP" },
    { WHOLE, "ICAP/1.0 2000 OK\r\n\r\n", "nonsense no ICAP" },
    { WHOLE, "\r\n\r\n", "nonsense no ICAP" },
    { WHOLE, "ICAP/1.0 200 OK\r\n\r\n", "nonsense an answer without a body's place" },
    { WHOLE, "ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n",
      "nonsense an answer without an HTTP header" },
    { WHOLE, "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=0\r\n\r\n",
      "nonsense an answer without an HTTP header" },
    { WHOLE, "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=5, res-body=30\r\n\r\n",
      "nonsense an answer without an HTTP header" },
    { WHOLE, "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=99999999\r\n\r\n",
      "nonsense an answer without a body's place" },
    { WHOLE, "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=-1\r\n\r\n",
      "nonsense an answer without a body's place" },
    { WHOLE, "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=8\r\n\r\nHTTP\r\n\r\n",
      "nonsense an answer without an HTTP status" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "x\r\n", "nonsense a chunk without a size" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "\r\n", "nonsense a chunk without a size" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "fffffffffffffffff\r\n", "nonsense a chunk without a size" },
    { WHOLE, "ICAP/1.0 200 OK\r\n" WITH_BODY "15\r\nSub", "more" },

    { OPTIONS,
      "ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nPreview: 1024\r\nISTag: \"a\"\r\nService: S "
      "1\r\nMax-Connections: 20\r\n"
      "Options-TTL: 60\r\nTransfer-Preview: *\r\nAllow: 204\r\nEncapsulated: null-body=0\r\n\r\n",
      "options preview 1024 connections 20 ttl 60 tag \"a\" service S 1+" },
    { OPTIONS, "ICAP/1.0 200 OK\r\nMethods: REQMOD, respmod\r\n\r\n",
      "options preview no connections 0 ttl 0 tag  service +" },
    { OPTIONS, "ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nPreview: 0\r\nConnection: close\r\n\r\n",
      "options preview 0 connections 0 ttl 0 tag  service " },
    { OPTIONS, "ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nPreview: 30\r\nTransfer-Complete: exe, eml\r\n\r\n",
      "options preview no connections 0 ttl 0 tag  service +" },
    { OPTIONS,
      "ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nPreview: 99999999\r\nOptions-TTL: 99999999\r\nEncapsulated: "
      "opt-body=0\r\n\r\n",
      "options preview 65536 connections 0 ttl 86400 tag  service " },
    { OPTIONS, "ICAP/1.0 200 OK\r\nMethods: REQMOD\r\n\r\n", "nonsense the service has no RESPMOD" },
    { OPTIONS, "ICAP/1.0 404 No\r\n\r\n", "nonsense the service has no OPTIONS" },
    { OPTIONS, "ICAP/1.0 204 No\r\n\r\n", "nonsense the service has no OPTIONS" },
};

static struct icap_dialogue asked(enum asked what)
{
    const struct icap_options options = { .has_preview = what == PREVIEW, .preview = 3 };
    struct icap_dialogue dialogue = idle();
    struct icap_output output;
    if (what == OPTIONS)
        icap_options_ask(&dialogue, &output);
    else
        icap_look(&dialogue, &options, TEXT(MESSAGE), &output);
    buffer_free(&output.head);
    return dialogue;
}

static void event_print(enum icap_event event, const struct icap_options *options,
                        const struct icap_answer *answer, struct buffer *told)
{
    static const char *const states[] = { "off", "clean", "found", "limits", "unscanned" };
    if (event == ICAP_MORE) buffer_printf(told, "more");
    if (event == ICAP_CONTINUE) buffer_printf(told, "continue");
    if (event == ICAP_NONSENSE) buffer_printf(told, "nonsense %s", answer->name);
    if (event == ICAP_ANSWER) buffer_printf(told, "%s %s", states[answer->state], answer->name);
    if (event != ICAP_OPTIONS) return;
    buffer_printf(told, "options preview ");
    buffer_printf(told, options->has_preview ? "%u" : "no", options->preview);
    buffer_printf(told, " connections %u ttl %u tag %s service %s", options->connections, options->ttl_s,
                  options->tag, options->service);
}

static void told_make(enum asked what, struct text bytes, size_t step, struct buffer *told)
{
    struct icap_dialogue dialogue = asked(what);
    struct icap_options options;
    struct icap_answer answer;
    enum icap_event event = ICAP_MORE;
    size_t at = 0, shown = 0, read;
    do {
        shown = shown + step < bytes.length ? shown + step : bytes.length;
        do {
            read = icap_read(&dialogue, text_slice(bytes, at, shown), &event, &options, &answer);
            at += read;
            assert_true(at <= shown);
        } while (event == ICAP_MORE && read > 0);
    } while (shown < bytes.length && event == ICAP_MORE);
    event_print(event, &options, &answer, told);
    if (event == ICAP_ANSWER || event == ICAP_OPTIONS) {
        assert_true(dialogue.state == ICAP_IDLE || dialogue.state == ICAP_OVER);
        if (dialogue.state == ICAP_IDLE) buffer_printf(told, "+");
    }
    if (event == ICAP_NONSENSE) assert_int_equal(dialogue.state, ICAP_OVER);
}

static void test_answers(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step <= 1000; step += 999) {
            struct buffer told = { 0 };
            told_make(rows[i].asked, text_of(rows[i].bytes), step, &told);
            if (!text_equal(buffer_text(&told), text_of(rows[i].told)))
                fail_msg("row %zu by %zu: %.*s", i, step, TEXT_ARG(buffer_text(&told)));
            buffer_free(&told);
        }
    }
}

static void test_what_has_no_end(void **state)
{
    static char bytes[ICAP_HEADER_MOST];
    struct icap_dialogue dialogue = asked(WHOLE);
    struct icap_options options;
    struct icap_answer answer;
    enum icap_event event;
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(icap_read(&dialogue, text_from(bytes, sizeof bytes - 1), &event, &options, &answer), 0);
    assert_int_equal(event, ICAP_MORE);
    icap_read(&dialogue, text_from(bytes, sizeof bytes), &event, &options, &answer);
    assert_int_equal(event, ICAP_NONSENSE);
    dialogue = idle();
    icap_read(&dialogue, TEXT("ICAP/1.0 204 No\r\n\r\n"), &event, &options, &answer);
    assert_int_equal(event, ICAP_NONSENSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_requests), cmocka_unit_test(test_answers),
                                        cmocka_unit_test(test_what_has_no_end) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
