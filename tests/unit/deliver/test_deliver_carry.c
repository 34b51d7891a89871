/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what queue gives arrives at a server exactly once, or comes back with the reason; over real sockets.
 */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/ask_queue.h"

#define CLEAR "deliver { port 25 }\ndomains { example.test 127.0.0.1:%u { tls off } }\n"
#define FULL "PIPELINING\nSIZE 1000000\n8BITMIME\nSMTPUTF8\nCHUNKING\nDSN\nENHANCEDSTATUSCODES\n"

static const struct scene_job plain = { .recipients = "user@example.test",
                                        .prefix = "Received: by us\r\n",
                                        .body = "Subject: a\r\n\r\nbody\r\n" };

static void content_is(const struct script_server *server, const char *what)
{
    struct text content = buffer_text(&server->content);
    if (!text_equal(content, text_of(what))) fail_msg("content is %.*s", TEXT_ARG(content));
}

/* One server, one message: the commands, the content, the result, the event. */
static void test_one_message(void **state)
{
    (void)state;
    static const char *const features[] = { FULL, "PIPELINING\n", "", "CHUNKING\n",
                                            "SIZE\n8BITMIME\nPIPELINING\n" };
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        static struct scene scene;
        scene_start(&scene);
        struct script_server *server = scene_server(&scene, features[i], NULL);
        scene_configure(&scene, CLEAR, server->port);
        scene_send(&scene, &plain);
        scene_wait_results(&scene, 1);
        const struct deliver_result *result = &scene.results[0];
        assert_int_equal(result->recipient_count, 1);
        assert_int_equal(result->recipients[0].ending, RECIPIENT_DELIVERED);
        assert_int_equal(result->recipients[0].number, 100);
        assert_int_equal(result->recipients[0].code, 250);
        assert_true(text_equal(result->recipients[0].enhanced, TEXT("2.0.0")));
        assert_true(text_equal(result->recipients[0].reply, TEXT("kept")));
        content_is(server, "Received: by us\r\nSubject: a\r\n\r\nbody\r\n");
        assert_int_equal(scene_events(&scene), 1);
        assert_int_equal(server->messages, 1);
        scene_stop(&scene);
    }
}

static void test_connections_are_reused(void **state)
{
    (void)state;
    static struct scene scene;
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FULL, NULL);
    scene_configure(&scene, CLEAR, server->port);
    for (unsigned i = 0; i < 200; i++) {
        scene_send(&scene, &plain);
        if (i % 50 == 0) scene_wait_results(&scene, i + 1);
    }
    scene_wait_results(&scene, 200);
    assert_int_equal(server->messages, 200);
    assert_true(server->connections <= 20);
    assert_int_equal(scene_events(&scene), 200);
    struct jobs_counts counts;
    scene_wait_ms(&scene, 20);
    jobs_count(scene.jobs, &counts);
    assert_int_equal(counts.unkept, 0);
    scene_stop(&scene);
}

/* --- what a server may do: one message to two recipients, and how each ends --- */

struct server_row {
    const char *name, *features;
    struct rule rules[4];
    enum recipient_ending first, second;
    uint16_t code;        /* of the first */
    const char *enhanced; /* of the first */
    const char *reply;    /* the first's begins with this */
    unsigned events;
    bool is_down;
};

static struct server_row server_rows[] = {
    { "all taken",
      FULL,
      { { NULL } },
      RECIPIENT_DELIVERED,
      RECIPIENT_DELIVERED,
      250,
      "2.0.0",
      "kept",
      2,
      false },
    { "one refused, BDAT",
      FULL,
      { { "RCPT TO:<one", "550 5.1.1 unknown\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_DELIVERED,
      550,
      "5.1.1",
      "unknown",
      1,
      false },
    { "one refused, DATA",
      "PIPELINING\n",
      { { "RCPT TO:<one", "550 5.1.1 unknown\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_DELIVERED,
      550,
      "5.1.1",
      "unknown",
      1,
      false },
    { "one deferred, no pipelining",
      "",
      { { "RCPT TO:<one", "450 greylisted\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DELIVERED,
      450,
      "4.0.0",
      "greylisted",
      1,
      false },
    { "both refused, BDAT ahead",
      FULL,
      { { "RCPT", "550 5.1.1 unknown\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      550,
      "5.1.1",
      "unknown",
      0,
      false },
    { "both refused, DATA ahead",
      "PIPELINING\n",
      { { "RCPT", "550 5.1.1 unknown\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      550,
      "5.1.1",
      "unknown",
      0,
      false },
    { "both refused, yet 354",
      "PIPELINING\n",
      { { "RCPT", "550 5.1.1 unknown\r\n" }, { "DATA", "354 go on\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      550,
      "5.1.1",
      "unknown",
      0,
      false },
    { "both refused, no pipelining",
      "",
      { { "RCPT", "550 5.1.1 unknown\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      550,
      "5.1.1",
      "unknown",
      0,
      false },
    { "sender refused",
      FULL,
      { { "MAIL", "553 5.1.8 no such domain\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      553,
      "5.1.8",
      "no such domain",
      0,
      false },
    { "content refused",
      FULL,
      { { ".", "554 5.7.1 spam\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      554,
      "5.7.1",
      "spam",
      0,
      false },
    { "content refused, DATA",
      "PIPELINING\n",
      { { ".", "554-5.7.1 spam\r\n554 5.7.1 really\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      554,
      "5.7.1",
      "spam really",
      0,
      false },
    { "content deferred",
      FULL,
      { { ".", "451 4.3.0 later\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      451,
      "4.3.0",
      "later",
      0,
      false },
    { "DATA refused",
      "PIPELINING\n",
      { { "DATA", "451 4.3.0 later\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      451,
      "4.3.0",
      "later",
      0,
      false },
    { "421 to RCPT",
      FULL,
      { { "RCPT TO:<two", "421 4.3.2 going down\r\n", true } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      421,
      "4.3.2",
      "going down",
      0,
      false },
    { "421 to MAIL",
      FULL,
      { { "MAIL", "421 4.3.2 going down\r\n", true } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      421,
      "4.3.2",
      "going down",
      0,
      true },
    { "closes after the content",
      FULL,
      { { ".", NULL, false, true } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.4.2",
      "lost connection after BDAT",
      0,
      false },
    { "closes after the final dot",
      "",
      { { ".", NULL, false, true } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.4.2",
      "lost connection after the end of the content",
      0,
      false },
    { "closes at MAIL",
      FULL,
      { { "MAIL", NULL, false, true } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.4.2",
      "lost connection after MAIL FROM",
      0,
      false },
    { "says nonsense",
      FULL,
      { { "RCPT TO:<two", "hello there\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.5.0",
      "no reply code from the server after RCPT TO",
      0,
      false },
    { "two codes in one reply",
      FULL,
      { { "MAIL", "250-yes\r\n550 no\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.5.0",
      "reply codes differ",
      0,
      false },
    { "250 to DATA",
      "PIPELINING\n",
      { { "DATA", "250 fine\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.5.0",
      "the server is out of step: a reply that does not belong there after DATA",
      0,
      false },
    { "status of another class",
      FULL,
      { { ".", "550 2.0.0 odd\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      550,
      "5.0.0",
      "2.0.0 odd",
      0,
      false },
    { "554 greeting",
      FULL,
      { { "", "554 5.7.1 not you\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.7.1",
      "127.0.0.1[127.0.0.1]:",
      0,
      true },
    { "421 greeting",
      FULL,
      { { "", "421 4.7.0 too many\r\n", true } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      421,
      "4.7.0",
      "127.0.0.1[127.0.0.1]:",
      0,
      true },
    { "closes at once",
      FULL,
      { { "", NULL, false, true } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      0,
      "4.4.1",
      "127.0.0.1[127.0.0.1]:",
      0,
      true },
    { "knows no EHLO",
      FULL,
      { { "EHLO", "500 what\r\n" } },
      RECIPIENT_DELIVERED,
      RECIPIENT_DELIVERED,
      250,
      "2.0.0",
      "kept",
      2,
      false },
    { "EHLO 451",
      FULL,
      { { "EHLO", "451 4.3.0 busy\r\n" } },
      RECIPIENT_DEFERRED,
      RECIPIENT_DEFERRED,
      451,
      "4.3.0",
      "127.0.0.1[127.0.0.1]:",
      0,
      true },
    { "larger than the limit",
      "SIZE 20\n",
      { { NULL } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      0,
      "5.3.4",
      "message of 37 bytes is larger than the server's limit of 20",
      0,
      false },
    { "needless RSET refused",
      FULL,
      { { "RCPT", "550 5.1.1 unknown\r\n" }, { "RSET", "500 what\r\n" } },
      RECIPIENT_FAILED,
      RECIPIENT_FAILED,
      550,
      "5.1.1",
      "unknown",
      0,
      false },
};

static void row_run(struct server_row *row)
{
    static struct scene scene;
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, row->features, row->rules);
    scene_configure(&scene, CLEAR, server->port);
    struct scene_job job = plain;
    job.recipients = "one@example.test two@example.test";
    scene_send(&scene, &job);
    scene_wait_results(&scene, 1);
    const struct deliver_result *result = &scene.results[0];
    const struct recipient_result *one = &result->recipients[0], *two = &result->recipients[1];
    if (one->ending != row->first || two->ending != row->second || one->code != row->code ||
        !text_equal(one->enhanced, text_of(row->enhanced)) || !text_starts(one->reply, text_of(row->reply)) ||
        result->destination_down != row->is_down)
        fail_msg("%s: endings %d %d, %u %.*s %.*s, down %d", row->name, one->ending, two->ending, one->code,
                 TEXT_ARG(one->enhanced), TEXT_ARG(one->reply), result->destination_down);
    unsigned events = scene_events(&scene);
    if (events != row->events) fail_msg("%s: %u events", row->name, events);
    /* Whatever happened, the next message goes its way when the server is sound again. */
    server->rules = NULL;
    server->features = FULL;
    scene_configure(&scene, CLEAR, server->port); /* connections with what was offered before end */
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 2);
    if (scene.results[1].recipients[0].ending != RECIPIENT_DELIVERED)
        fail_msg("%s: and then %.*s", row->name, TEXT_ARG(scene.results[1].recipients[0].reply));
    scene_stop(&scene);
}

static void test_servers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof server_rows / sizeof *server_rows; i++) row_run(&server_rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_message),
        cmocka_unit_test(test_connections_are_reused),
        cmocka_unit_test(test_servers),
    };
    return cmocka_run_group_tests_name("deliver carry", tests, NULL, NULL);
}
