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

static bool said(const struct script_server *server, const char *what)
{
    struct text all = buffer_text(&server->said);
    return text_find(all, text_of(what)) < all.length;
}

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
    assert_false(said(server, "RSET"));
    scene_stop(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_message),
        cmocka_unit_test(test_connections_are_reused),
    };
    return cmocka_run_group_tests_name("deliver carry", tests, NULL, NULL);
}
