/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: the server gets the message byte for byte, with its edits, dots stuffed where they must be, 8 bits
   only where it can take them; and the extensions' parameters are said where they are offered. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "ipc/ask_queue.h"
#include "mail/edits.h"

static struct scene scene;

struct row {
    const char *name, *features;
    struct scene_job job;
    const char *mail, *rcpt; /* said lines begin with these; NULL: must not be said */
    const char *content;     /* NULL: nothing is sent */
    const char *enhanced;    /* of the first recipient; NULL: delivered */
};

#define EVERYTHING "PIPELINING\nSIZE 100000\n8BITMIME\nSMTPUTF8\nCHUNKING\nDSN\n"

static const struct row rows[] = {
    { "dots with DATA",
      "8BITMIME\n",
      { .recipients = "u@example.test",
        .body = "S: a\r\n\r\n.\r\n..\r\n.x\r\n",
        .content = CONTENT_LEADING_DOT },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@example.test>\n",
      "S: a\r\n\r\n.\r\n..\r\n.x\r\n",
      NULL },
    { "dots with BDAT",
      "CHUNKING\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n.\r\n..\r\n", .content = CONTENT_LEADING_DOT },
      "MAIL",
      "RCPT",
      "S: a\r\n\r\n.\r\n..\r\n",
      NULL },
    { "no end of line, DATA",
      "",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\nb", .content = CONTENT_NO_END_OF_LINE },
      "MAIL",
      "RCPT",
      "S: a\r\n\r\nb\r\n",
      NULL },
    { "no end of line, BDAT",
      "CHUNKING\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\nb", .content = CONTENT_NO_END_OF_LINE },
      "MAIL",
      "RCPT",
      "S: a\r\n\r\nb",
      NULL },
    { "no end of line, dots, DATA",
      "",
      { .recipients = "u@example.test",
        .body = "S: a\r\n\r\n.b",
        .content = CONTENT_NO_END_OF_LINE | CONTENT_LEADING_DOT },
      "MAIL",
      "RCPT",
      "S: a\r\n\r\n.b\r\n",
      NULL },
    { "NUL, DATA",
      "8BITMIME\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n\0.\r\n", .body_length = 12 },
      NULL,
      NULL,
      "",
      "5.6.3" },
    { "NUL, BDAT but no BINARYMIME",
      EVERYTHING,
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n\0.\r\n", .body_length = 12 },
      NULL,
      NULL,
      "",
      "5.6.3" },
    { "NUL, BINARYMIME but no BDAT",
      "BINARYMIME\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n\0.\r\n", .body_length = 12 },
      NULL,
      NULL,
      "",
      "5.6.3" },
    { "bare LF and dot, DATA",
      "",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\nx\n.\r\nMAIL FROM:<>\r\n" },
      NULL,
      NULL,
      "",
      "5.6.3" },
    { "dot and bare CR at the end, DATA",
      "",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n.\r", .content = CONTENT_NO_END_OF_LINE },
      NULL,
      NULL,
      "",
      "5.6.3" },
    { "bare LF, BINARYMIME",
      EVERYTHING "BINARYMIME\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\nx\n.\r\n" },
      "MAIL FROM:<sender@outside.test> SIZE=13 BODY=BINARYMIME\n",
      "RCPT",
      "S: a\r\n\r\nx\n.\r\n",
      NULL },
    { "what receive looked through is not looked at again",
      "",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\nb\r\n", .content = CONTENT_IS_LINES },
      "MAIL",
      "RCPT",
      "S: a\r\n\r\nb\r\n",
      NULL },
    { "null sender",
      EVERYTHING,
      { .sender = "", .recipients = "u@example.test", .body = "S: a\r\n\r\n" },
      "MAIL FROM:<> SIZE=8\n",
      "RCPT",
      "S: a\r\n\r\n",
      NULL },
    { "old mobile address",
      EVERYTHING,
      { .recipients = "a..b.@example.test", .body = "S: a\r\n\r\n" },
      "MAIL",
      "RCPT TO:<a..b.@example.test>\n",
      "S: a\r\n\r\n",
      NULL },
    { "8 bits offered",
      EVERYTHING,
      { .recipients = "u@example.test",
        .body = "S: a\r\n\r\n\xe3\x81\x82\r\n",
        .content = CONTENT_BODY_8BIT },
      "MAIL FROM:<sender@outside.test> SIZE=13 BODY=8BITMIME\n",
      "RCPT",
      "S: a\r\n\r\n\xe3\x81\x82\r\n",
      NULL },
    { "8 bits not offered: converted",
      "SIZE\n",
      { .recipients = "u@example.test",
        .body = "S: a\r\n\r\n\xe3\x81\x82\r\n",
        .content = CONTENT_BODY_8BIT },
      "MAIL FROM:<sender@outside.test> SIZE=120\n",
      "RCPT",
      "S: a\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n44GCDQo=\r\n",
      NULL },
    { "8-bit header, not offered",
      "SIZE\n",
      { .recipients = "u@example.test", .body = "S: \xe3\x81\x82\r\n\r\n", .content = CONTENT_HEADER_8BIT },
      "MAIL FROM:<sender@outside.test> SIZE=23\n",
      "RCPT",
      "S: =?UTF-8?B?44GC?=\r\n\r\n",
      NULL },
    { "8-bit address in a header, not offered",
      "SIZE\n",
      { .recipients = "u@example.test",
        .body = "From: <\xe3\x81\x82@a.test>\r\n\r\n",
        .content = CONTENT_HEADER_8BIT },
      NULL,
      NULL,
      NULL,
      "5.6.3" },
    { "8-bit header without SMTPUTF8 from the client",
      "8BITMIME\n",
      { .recipients = "u@example.test", .body = "S: \xe3\x81\x82\r\n\r\n", .content = CONTENT_HEADER_8BIT },
      "MAIL FROM:<sender@outside.test> BODY=8BITMIME\n",
      "RCPT",
      "S: \xe3\x81\x82\r\n\r\n",
      NULL },
    { "SMTPUTF8 header",
      EVERYTHING,
      { .recipients = "u@example.test",
        .body = "S: \xe3\x81\x82\r\n\r\n",
        .content = CONTENT_HEADER_8BIT,
        .smtputf8 = true },
      "MAIL FROM:<sender@outside.test> SIZE=10 BODY=8BITMIME SMTPUTF8\n",
      "RCPT",
      "S: \xe3\x81\x82\r\n\r\n",
      NULL },
    { "SMTPUTF8 header, not offered",
      "8BITMIME\n",
      { .recipients = "u@example.test",
        .body = "S: \xe3\x81\x82\r\n\r\n",
        .content = CONTENT_HEADER_8BIT,
        .smtputf8 = true },
      NULL,
      NULL,
      NULL,
      "5.6.7" },
    { "SMTPUTF8 said, ASCII mail, not offered",
      "8BITMIME\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .smtputf8 = true },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT",
      "S: a\r\n\r\n",
      NULL },
    { "SMTPUTF8 recipient, not offered; the other goes",
      "8BITMIME\n",
      { .recipients = "\xe3\x81\x82@example.test u@example.test", .body = "S: a\r\n\r\n", .smtputf8 = true },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@example.test>\n",
      "S: a\r\n\r\n",
      "5.6.7" },
    { "SMTPUTF8 sender, not offered",
      "8BITMIME\n",
      { .sender = "\xe3\x81\x82@outside.test",
        .recipients = "u@example.test",
        .body = "S: a\r\n\r\n",
        .smtputf8 = true },
      NULL,
      NULL,
      NULL,
      "5.6.7" },
    { "a sender's domain in U-labels, not offered",
      "8BITMIME\n",
      { .sender = "a@\xe4\xbe\x8b\xe3\x81\x88.test",
        .recipients = "u@example.test",
        .body = "S: a\r\n\r\n",
        .smtputf8 = true },
      "MAIL FROM:<a@xn--r8jz45g.test>\n",
      "RCPT TO:<u@example.test>\n",
      "S: a\r\n\r\n",
      NULL },
    { "a sender's domain in U-labels, offered",
      "SMTPUTF8\n",
      { .sender = "a@\xe4\xbe\x8b\xe3\x81\x88.test",
        .recipients = "u@example.test",
        .body = "S: a\r\n\r\n",
        .smtputf8 = true },
      "MAIL FROM:<a@\xe4\xbe\x8b\xe3\x81\x88.test> SMTPUTF8\n",
      "RCPT TO:<u@example.test>\n",
      "S: a\r\n\r\n",
      NULL },
    { "a recipient's domain in U-labels, not offered",
      "DSN\n",
      { .recipients = "u@\xe4\xbe\x8b\xe3\x81\x88.test", .body = "S: a\r\n\r\n", .smtputf8 = true },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@xn--r8jz45g.test>\n",
      "S: a\r\n\r\n",
      NULL },
    { "what is no domain has no A-labels",
      "DSN\n",
      { .sender = "a@\xe2\x80\xae.test", .recipients = "u@example.test", .body = "S: a\r\n\r\n" },
      NULL,
      NULL,
      NULL,
      "5.6.7" },
    { "nor has one that would end the path",
      "DSN\n",
      { .sender = "a@x\xef\xbc\x9e\xe3\x80\x80y.test",
        .recipients = "u@example.test",
        .body = "S: a\r\n\r\n" },
      NULL,
      NULL,
      NULL,
      "5.6.7" },
    { "an original recipient in UTF-8",
      "DSN\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .orcpt = "utf-8;\xe3\x81\x82@a.test" },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@example.test> ORCPT=utf-8;\\x{3042}@a.test\n",
      "S: a\r\n\r\n",
      NULL },
    { "offered all the same",
      EVERYTHING,
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .orcpt = "UTF-8;\xe3\x81\x82+x@a.test" },
      "MAIL FROM:<sender@outside.test> SIZE=8\n",
      "RCPT TO:<u@example.test> ORCPT=utf-8;\\x{3042}\\x{2B}x@a.test\n",
      "S: a\r\n\r\n",
      NULL },
    { "of the wrong type",
      "DSN\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .orcpt = "rfc822;\xe3\x81\x82\\@a.test" },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@example.test> ORCPT=utf-8;\\x{3042}\\x{5C}@a.test\n",
      "S: a\r\n\r\n",
      NULL },
    { "escaped already",
      "DSN\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .orcpt = "utf-8;\\x{3042}@a.test" },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@example.test> ORCPT=utf-8;\\x{3042}@a.test\n",
      "S: a\r\n\r\n",
      NULL },
    { "in part",
      "DSN\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .orcpt = "utf-8;\\x{2B}\xe3\x81\x82@a.test" },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@example.test> ORCPT=utf-8;\\x{2B}\\x{3042}@a.test\n",
      "S: a\r\n\r\n",
      NULL },
    { "in no charset",
      "DSN\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .orcpt = "rfc822;\xff@a.test" },
      "MAIL FROM:<sender@outside.test>\n",
      "RCPT TO:<u@example.test> ORCPT=rfc822;+FF@a.test\n",
      "S: a\r\n\r\n",
      NULL },
    { "DSN",
      EVERYTHING,
      { .recipients = "u@example.test",
        .body = "S: a\r\n\r\n",
        .envid = "x+y=z",
        .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE },
      "MAIL FROM:<sender@outside.test> SIZE=8 ENVID=x+2By+3Dz\n",
      "RCPT TO:<u@example.test> NOTIFY=SUCCESS,FAILURE\n",
      "S: a\r\n\r\n",
      NULL },
    { "DSN not offered",
      "SIZE\n",
      { .recipients = "u@example.test", .body = "S: a\r\n\r\n", .envid = "x", .notify = NOTIFY_NEVER },
      "MAIL FROM:<sender@outside.test> SIZE=8\n",
      "RCPT TO:<u@example.test>\n",
      "S: a\r\n\r\n",
      NULL },
    { "a command in an address",
      "SIZE\n",
      { .sender = "a>\r\nRCPT@outside.test", .recipients = "u@example.test", .body = "S: a\r\n\r\n" },
      NULL,
      NULL,
      NULL,
      "5.1.7" },
};

static void said_check(const struct row *row, const struct script_server *server, const char *verb,
                       const char *line)
{
    struct text said = buffer_text(&server->said);
    size_t at = text_find(said, text_of(verb));
    if (line ? !text_starts(text_slice(said, at, said.length), text_of(line)) : at < said.length)
        fail_msg("%s: said %.*s", row->name, TEXT_ARG(said));
}

static void row_run(const struct row *row)
{
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, row->features, NULL);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off } }\n", server->port);
    scene_send(&scene, &row->job);
    scene_wait_results(&scene, 1);
    const struct recipient_result *result = &scene.results[0].recipients[0];
    enum recipient_ending wanted = row->enhanced ? RECIPIENT_FAILED : RECIPIENT_DELIVERED;
    if (result->ending != wanted || (row->enhanced && !text_equal(result->enhanced, text_of(row->enhanced))))
        fail_msg("%s: ending %d %.*s %.*s", row->name, result->ending, TEXT_ARG(result->enhanced),
                 TEXT_ARG(result->reply));
    said_check(row, server, "MAIL", row->mail);
    said_check(row, server, "RCPT", row->rcpt);
    if (row->content && !text_equal(buffer_text(&server->content), text_of(row->content)))
        fail_msg("%s: content %.*s", row->name, TEXT_ARG(buffer_text(&server->content)));
    scene_stop(&scene);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_run(&rows[i]);
}

/* Lines of every length, some beginning with a dot, over what one step takes. */
static char *large_body(size_t length, bool has_dots)
{
    char *body = memory_alloc(length + 1);
    size_t line = 0;
    for (size_t i = 0; i + 2 < length; i++) {
        if (line > 60 + i % 50 && i + 4 < length) {
            body[i++] = '\r';
            body[i] = '\n';
            line = 0;
            continue;
        }
        body[i] = line == 0 && has_dots && i % 3 ? '.' : (char)('a' + i % 26);
        line++;
    }
    memcpy(body + length - 2, "\r\n", 2);
    return body;
}

static void large_send(const char *features, size_t length, bool has_dots, bool has_edits)
{
    char *body = large_body(length, has_dots);
    struct edits edits = { .arena = arena_new(0) };
    struct buffer encoded = { 0 }, wanted = { 0 };
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, features, NULL);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off } }\n", server->port);
    if (has_edits) {
        edits_add(&edits, 0, 3, TEXT("X-Spam: yes\r\n"));
        edits_add(&edits, length / 2, 7, TEXT("changed"));
    }
    edits_encode(&edits, &encoded);
    buffer_add_text(&wanted, TEXT("Received: here\r\n"));
    edits_apply(&edits, text_from(body, length), &wanted);
    struct scene_job job = { .recipients = "u@example.test",
                             .prefix = "Received: here\r\n",
                             .body = body,
                             .body_length = length,
                             .content = has_dots ? CONTENT_LEADING_DOT : 0,
                             .edits = buffer_text(&encoded) };
    for (unsigned i = 0; i < 2; i++) {
        scene_send(&scene, &job);
        scene_wait_results(&scene, i + 1);
        assert_int_equal(scene.results[i].recipients[0].ending, RECIPIENT_DELIVERED);
        if (!text_equal(buffer_text(&server->content), buffer_text(&wanted)))
            fail_msg("%s, %zu bytes: the content differs (%zu bytes)", features, length,
                     buffer_length(&server->content));
    }
    assert_int_equal(server->connections, 1);
    scene_stop(&scene);
    arena_free(edits.arena);
    buffer_free(&encoded);
    buffer_free(&wanted);
    free(body);
}

static void test_large(void **state)
{
    (void)state;
    static const size_t lengths[] = { 100, 32 * 1024, 33000, 300000, 3000000 };
    static const char *const features[] = { "PIPELINING\nCHUNKING\n", "PIPELINING\n", "" };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = 0; j < 3; j++)
            for (int kind = 0; kind < 4; kind++) large_send(features[j], lengths[i], kind & 1, kind & 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_large) };
    return cmocka_run_group_tests_name("deliver content", tests, NULL, NULL);
}
