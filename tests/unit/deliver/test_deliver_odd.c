/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what happens seldom and all at once loses nothing, doubles nothing and stops nobody: long replies to
   many recipients, goodbyes on connections in use, a queue that restarts, connections that run out. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/ask_queue.h"

#define FULL "PIPELINING\nSIZE 1000000\n8BITMIME\nCHUNKING\nENHANCEDSTATUSCODES\n"

static const struct scene_job plain = { .recipients = "user@example.test",
                                        .body = "Subject: a\r\n\r\nbody\r\n" };

static void start_with(struct scene *scene, const char *features, struct rule *rules)
{
    scene_start(scene);
    struct script_server *server = scene_server(scene, features, rules);
    scene_configure(scene, "domains { example.test 127.0.0.1:%u { tls off; connections 1 } }\n",
                    server->port);
}

static char *text_long(size_t length, const char *head)
{
    static char room[3000];
    size_t at = strlen(head);
    memcpy(room, head, at);
    memset(room + at, 'x', length - at);
    memcpy(room + length, "\r\n", 3);
    return room;
}

/* A job's result has to fit one frame, however long the server's words and however many the recipients. */
static void test_long_reply_to_many(void **state)
{
    (void)state;
    static const char *const stages[] = { "", "MAIL", "RCPT", "DATA", "." };
    enum { MANY = 2000 };
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        static struct scene scene;
        struct rule rules[] = { { .command = stages[i], .reply = text_long(1900, "554 ") }, { 0 } };
        struct buffer recipients = { 0 };
        start_with(&scene, "PIPELINING\n", rules);
        for (unsigned k = 0; k < MANY; k++) buffer_printf(&recipients, "u%u@example.test ", k);
        buffer_add_char(&recipients, 0);
        struct scene_job job = plain;
        job.recipients = recipients.memory;
        scene_send(&scene, &job);
        scene_wait_results(&scene, 1);
        assert_int_equal(scene.results[0].recipient_count, MANY);
        enum recipient_ending wanted = *stages[i] ? RECIPIENT_FAILED : RECIPIENT_DEFERRED;
        for (unsigned k = 0; k < MANY; k++) {
            assert_int_equal(scene.results[0].recipients[k].ending, wanted);
            assert_true(scene.results[0].recipients[k].reply.length > 0);
        }
        buffer_free(&recipients);
        scene_stop(&scene);
    }
}

/* Converted content whose last line has no end still gets its final dot on a line of its own. */
static void test_converted_without_last_line_end(void **state)
{
    (void)state;
    static struct scene scene;
    start_with(&scene, "PIPELINING\n", NULL);
    struct scene_job job = plain;
    job.body = "Subject: a\r\n\r\nb\xc3\xb6"
               "dy and more of it";
    job.content = CONTENT_BODY_8BIT | CONTENT_NO_END_OF_LINE;
    scene_send(&scene, &job);
    scene_wait_results(&scene, 1);
    assert_int_equal(scene.results[0].recipients[0].ending, RECIPIENT_DELIVERED);
    assert_true(
        text_ends(buffer_text(&scene.servers[0].content), TEXT("\r\n\r\nb=C3=B6dy and more of it\r\n")));
    scene_stop(&scene);
}

/* The only connection goes to who waits for one as soon as it has nothing to do. */
static void test_idle_connection_makes_room(void **state)
{
    (void)state;
    static struct scene scene;
    scene_start(&scene);
    unsigned one = scene_server(&scene, FULL, NULL)->port, other = scene_server(&scene, FULL, NULL)->port;
    scene_configure(&scene,
                    "deliver { connections 1; connections all 1; connections static 0 }\n"
                    "domains { a.test 127.0.0.1:%u { tls off }\n b.test 127.0.0.1:%u { tls off } }\n",
                    one, other);
    struct scene_job to_a = plain, to_b = plain;
    to_a.domain = "a.test";
    to_b.domain = "b.test";
    scene_send(&scene, &to_a);
    scene_send(&scene, &to_b);
    scene_wait_results(&scene, 2);
    assert_int_equal(scene.servers[0].messages, 1);
    assert_int_equal(scene.servers[1].messages, 1);
    scene_stop(&scene);
}

/* A server that says goodbye on a connection in use, instead of answering MAIL, gets the message anew. */
static void test_goodbye_before_anything(void **state)
{
    (void)state;
    static struct scene scene;
    struct rule rules[] = {
        { .command = "MAIL", .reply = "250 2.1.0 ok\r\n", .times = 1 },
        { .command = "MAIL", .reply = "421 4.7.0 enough\r\n", .closes = true, .times = 1 },
        { 0 }
    };
    start_with(&scene, FULL, rules);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 1);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 2);
    assert_int_equal(scene.results[1].recipients[0].ending, RECIPIENT_DELIVERED);
    assert_int_equal(scene.servers[0].messages, 2);
    assert_int_equal(scene.servers[0].connections, 2);
    scene_stop(&scene);
}

/* On a new connection the same goodbye defers: the server has been asked twice and does not want. */
static void test_goodbye_again(void **state)
{
    (void)state;
    static struct scene scene;
    struct rule rules[] = { { .command = "MAIL", .reply = "250 2.1.0 ok\r\n", .times = 1 },
                            { .command = "MAIL", .reply = "421 4.7.0 enough\r\n", .closes = true },
                            { 0 } };
    start_with(&scene, FULL, rules);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 1);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 2);
    assert_int_equal(scene.results[1].recipients[0].ending, RECIPIENT_DEFERRED);
    assert_int_equal(scene.results[1].recipients[0].code, 421);
    assert_int_equal(scene.servers[0].connections, 2);
    scene_stop(&scene);
}

/* A message that came back from a broken connection while queue was away is still spoken for. */
static void test_returned_while_queue_is_away(void **state)
{
    (void)state;
    static struct scene scene;
    struct rule rules[] = { { .command = "", .reply = "220 script\r\n", .times = 1 },
                            { .command = "", .reply = NULL },
                            { .command = "MAIL", .reply = "250 2.1.0 ok\r\n", .times = 1 },
                            { .command = "MAIL", .reply = NULL },
                            { .command = "(no mail)", .reply = NULL },
                            { .command = ".", .reply = "250 2.0.0 kept\r\n", .times = 1 },
                            { .command = ".", .reply = NULL },
                            { .command = "RSET", .reply = "250 2.0.0 ok\r\n", .times = 1 },
                            { .command = "RSET", .reply = NULL },
                            { 0 } };
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FULL, rules);
    scene_configure(&scene,
                    "deliver { time command 1s; time final 1s }\n"
                    "domains { example.test 127.0.0.1:%u { tls off; connections 1 } }\n",
                    server->port);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 1);
    scene_wait_ms(&scene, 20);
    scene_send(&scene, &plain);
    while (scene.ground.reused == 0) scene_wait_ms(&scene, 1);
    struct jobs_counts counts;
    jobs_count(scene.jobs, &counts);
    assert_int_equal(counts.under_way, 1);
    jobs_queue_closed(scene.jobs);
    while (scene.servers[0].connections < 2) scene_wait_ms(&scene, 1);
    jobs_queue_opened(scene.jobs, scene.jobs_end);
    scene_wait_ms(&scene, 20);
    assert_int_equal(scene.under_way, 1);
    scene_stop(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_reply_to_many),
        cmocka_unit_test(test_converted_without_last_line_end),
        cmocka_unit_test(test_idle_connection_makes_room),
        cmocka_unit_test(test_goodbye_before_anything),
        cmocka_unit_test(test_goodbye_again),
        cmocka_unit_test(test_returned_while_queue_is_away),
    };
    return cmocka_run_group_tests_name("deliver odd", tests, NULL, NULL);
}
