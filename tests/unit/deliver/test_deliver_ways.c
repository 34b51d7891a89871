/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: errands find their server (failover, MX, limits, reload), call-outs are asked once, and a queue that
   was restarted learns everything. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FEATURES "PIPELINING\nSIZE\n8BITMIME\nCHUNKING\n"

static struct scene scene;

static const struct scene_job plain = { .recipients = "user@example.test",
                                        .body = "Subject: a\r\n\r\nbody\r\n" };

static bool said(const struct script_server *server, const char *what)
{
    struct text all = buffer_text(&server->said);
    return text_find(all, text_of(what)) < all.length;
}

static enum recipient_ending ending(unsigned result)
{
    return scene.results[result].recipients[0].ending;
}

static void test_failover(void **state)
{
    (void)state;
    struct rule refusing[] = { { "", "554 5.7.1 closed today\r\n" }, { NULL } };
    scene_start(&scene);
    struct script_server *first = scene_server(&scene, FEATURES, refusing);
    struct script_server *second = scene_server(&scene, FEATURES, NULL);
    scene_configure(&scene, "domains { example.test 127.0.0.1:1 127.0.0.1:%u 127.0.0.1:%u { tls off } }\n",
                    first->port, second->port);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 1);
    assert_int_equal(ending(0), RECIPIENT_DELIVERED);
    assert_int_equal(first->connections, 1);
    assert_int_equal(second->messages, 1);
    assert_true(text_starts(scene.results[0].relay, TEXT("127.0.0.1[127.0.0.1]:")));
    /* The two that failed are put aside: a new connection goes to the third at once. */
    scene_configure(&scene, "domains { example.test 127.0.0.1:1 127.0.0.1:%u 127.0.0.1:%u { tls off } }\n",
                    first->port, second->port);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 2);
    assert_int_equal(first->connections, 1);
    assert_int_equal(second->connections, 2);
    scene_stop(&scene);
}

static void test_nobody_there(void **state)
{
    (void)state;
    scene_start(&scene);
    scene_configure(&scene, "domains { example.test 127.0.0.1:1 127.0.0.1:2 { tls off } }\n");
    for (int i = 0; i < 3; i++) scene_send(&scene, &plain);
    scene_wait_results(&scene, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ending(i), RECIPIENT_DEFERRED);
        assert_true(scene.results[i].destination_down);
        assert_true(text_equal(scene.results[i].recipients[0].enhanced, TEXT("4.4.1")));
        assert_true(text_equal(scene.results[i].relay, TEXT("none")));
    }
    /* Put aside or not, the next one is tried: when is the queue's to say. */
    uint64_t connects = scene.ground.connects;
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 4);
    assert_true(scene.ground.connects > connects);
    scene_stop(&scene);
}

/* Of a server with both families IPv4 is taken while our name is not confirmed; lookup that was restarted is
   asked again. */
static void test_mx_by_ipv6(void **state)
{
    (void)state;
    struct address both[2];
    struct outbound_source own = { .status = CLIENT_NAME_UNCONFIRMED };
    struct pool_counts counts;
    assert_true(address_parse(TEXT("::1"), &both[0]) && address_parse(TEXT("127.0.0.1"), &both[1]));
    assert_true(address_parse(TEXT("2001:db8::9"), &own.address));
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, NULL);
    struct mx_host host = { 10, TEXT("a.far.test"), { DNS_FOUND, false, 2, both } };
    scene.mx = &(struct mx_answer){ .status = DNS_FOUND, .host_count = 1, .hosts = &host };
    scene_configure(&scene, "deliver { port %u }\n", server->port);
    struct scene_job job = plain;
    job.domain = "far.test";
    job.recipients = "user@far.test";
    scene_send(&scene, &job);
    for (int turn = 0; turn < 1000 && scene.asked < 2; turn++) scene_wait_ms(&scene, 1);
    scene.sources = &(struct sources_answer){ 1, &own };
    pool_ask_again(scene.pool);
    scene_wait_results(&scene, 1);
    assert_int_equal(scene.asked, 3);
    assert_int_equal(ending(0), RECIPIENT_DELIVERED);
    assert_true(text_starts(scene.results[0].relay, TEXT("a.far.test[127.0.0.1]:")));
    pool_count(scene.pool, &counts);
    assert_int_equal(counts.left_out, 1);
    assert_true(address_equal(&counts.last_source.address, &own.address));
    scene_stop(&scene);
}

static void test_mx(void **state)
{
    (void)state;
    struct address loopback, other;
    assert_true(address_parse(TEXT("127.0.0.1"), &loopback));
    assert_true(address_parse(TEXT("127.0.0.2"), &other));
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, NULL);
    struct mx_host hosts[] = { { 10, TEXT("a.far.test"), { DNS_FOUND, false, 1, &other } },
                               { 20, TEXT("b.far.test"), { DNS_FOUND, false, 1, &loopback } } };
    scene.mx = &(struct mx_answer){ .status = DNS_FOUND, .host_count = 2, .hosts = hosts };
    scene_configure(&scene, "deliver { port %u }\n", server->port);
    struct scene_job job = plain;
    job.domain = "far.test";
    job.recipients = "user@far.test";
    scene_send(&scene, &job);
    scene_wait_results(&scene, 1);
    assert_int_equal(ending(0), RECIPIENT_DELIVERED);
    assert_true(text_starts(scene.results[0].relay, TEXT("b.far.test[127.0.0.1]:")));
    scene_send(&scene, &job);
    scene_wait_results(&scene, 2);
    assert_int_equal(scene.asked, 1);
    assert_int_equal(server->connections, 1);
    scene.mx = &(struct mx_answer){ .status = DNS_FOUND, .is_null = true };
    job.domain = "null.test";
    scene_send(&scene, &job);
    scene_wait_results(&scene, 3);
    assert_int_equal(ending(2), RECIPIENT_FAILED);
    assert_true(text_equal(scene.results[2].recipients[0].enhanced, TEXT("5.1.10")));
    assert_false(scene.results[2].destination_down);
    scene.mx = &(struct mx_answer){ .status = DNS_TEMPERROR };
    job.domain = "doubt.test";
    scene_send(&scene, &job);
    scene_wait_results(&scene, 4);
    assert_int_equal(ending(3), RECIPIENT_DEFERRED);
    assert_true(scene.results[3].destination_down);
    scene_stop(&scene);
}

/* A lookup that dies with the question: the next one is asked again. */
static void test_lookup_restarts(void **state)
{
    (void)state;
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, NULL);
    struct address loopback;
    assert_true(address_parse(TEXT("127.0.0.1"), &loopback));
    scene_configure(&scene, "domains { example.test mail.inside.test:%u { tls off } }\n", server->port);
    scene_send(&scene, &plain);
    scene_wait_ms(&scene, 5);
    assert_int_equal(scene.asked, 1);
    scene.host = &(struct host_answer){ .status = DNS_FOUND, .address_count = 1, .addresses = &loopback };
    pool_ask_again(scene.pool);
    scene_wait_results(&scene, 1);
    assert_int_equal(scene.asked, 2);
    assert_int_equal(ending(0), RECIPIENT_DELIVERED);
    scene_stop(&scene);
}

static void test_limit_per_destination(void **state)
{
    (void)state;
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, NULL);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off; connections 3 } }\n",
                    server->port);
    for (int i = 0; i < 50; i++) scene_send(&scene, &plain);
    scene_wait_results(&scene, 50);
    assert_int_equal(server->connections, 3);
    assert_int_equal(server->messages, 50);
    scene_stop(&scene);
}

/* The world leaves room for static routes: two connections in all, one kept. */
static void test_limit_in_all(void **state)
{
    (void)state;
    struct rule silent[] = { { "MAIL", NULL }, { NULL } };
    scene_start(&scene);
    struct script_server *world = scene_server(&scene, FEATURES, silent);
    struct script_server *inside = scene_server(&scene, FEATURES, NULL);
    struct address loopback;
    assert_true(address_parse(TEXT("127.0.0.1"), &loopback));
    struct mx_host host = { 10, TEXT("a.far.test"), { DNS_FOUND, false, 1, &loopback } };
    scene.mx = &(struct mx_answer){ .status = DNS_FOUND, .host_count = 1, .hosts = &host };
    scene_configure(
        &scene,
        "deliver { port %u; connections 1 { all 2; static 1 } }\ndomains { example.test 127.0.0.1:%u }\n",
        world->port, inside->port);
    struct scene_job far = plain;
    far.domain = "far.test";
    for (int i = 0; i < 5; i++) scene_send(&scene, &far);
    scene_wait_ms(&scene, 30);
    assert_int_equal(world->connections, 1);
    for (int i = 0; i < 5; i++) scene_send(&scene, &plain);
    scene_wait_results(&scene, 5);
    assert_int_equal(inside->messages, 5);
    assert_int_equal(inside->connections, 1);
    scene_stop(&scene);
}

/* One connection for all: an idle one makes room, a busy one after its share, so nobody waits for ever. */
static void test_starved(void **state)
{
    (void)state;
    scene_start(&scene);
    struct script_server *a = scene_server(&scene, FEATURES, NULL), *b = scene_server(&scene, FEATURES, NULL);
    scene_configure(&scene,
                    "deliver { connections 1 { all 1; static 0 } }\n"
                    "domains { a.test 127.0.0.1:%u { tls off }\n b.test 127.0.0.1:%u { tls off } }\n",
                    a->port, b->port);
    struct scene_job job = plain;
    for (int i = 0; i < 100; i++) {
        job.domain = "a.test";
        scene_send(&scene, &job);
    }
    job.domain = "b.test";
    scene_send(&scene, &job);
    scene_wait_results(&scene, 101);
    unsigned place = 0;
    while (scene.results[place].message_id != scene.last_id + 5000) place++;
    assert_in_range(place, 1, 40);
    assert_int_equal(a->messages, 100);
    assert_int_equal(b->messages, 1);
    scene_stop(&scene);
}

static void test_messages_per_connection(void **state)
{
    (void)state;
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, NULL);
    scene_configure(
        &scene, "deliver { messages 2 }\ndomains { example.test 127.0.0.1:%u { tls off; connections 1 } }\n",
        server->port);
    for (int i = 0; i < 6; i++) scene_send(&scene, &plain);
    scene_wait_results(&scene, 6);
    assert_int_equal(server->connections, 3);
    scene_stop(&scene);
}

/* The connection that the server closed while it was idle costs nothing: the message goes over another one.
 */
static void test_stale_connection(void **state)
{
    (void)state;
    struct rule once[] = { { "MAIL FROM:<stale", NULL, false, true, 1 }, { NULL } };
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, once);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off } }\n", server->port);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 1);
    struct scene_job job = plain;
    job.sender = "stale@outside.test";
    scene_send(&scene, &job);
    scene_wait_results(&scene, 2);
    assert_int_equal(ending(1), RECIPIENT_DELIVERED);
    assert_int_equal(server->connections, 2);
    scene_stop(&scene);
}

/* After a refused message the same connection takes the next one, once RSET has been answered. */
static void test_reset_then_next(void **state)
{
    (void)state;
    struct rule refusing[] = { { "RCPT TO:<nobody", "550 5.1.1 unknown\r\n" }, { NULL } };
    static const char *const features[] = { FEATURES, "PIPELINING\n", "" };
    for (size_t i = 0; i < 3; i++) {
        scene_start(&scene);
        struct script_server *server = scene_server(&scene, features[i], refusing);
        scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off; connections 1 } }\n",
                        server->port);
        struct scene_job job = plain;
        job.recipients = "nobody@example.test";
        scene_send(&scene, &job);
        scene_send(&scene, &plain);
        scene_wait_results(&scene, 2);
        assert_int_equal(ending(0), RECIPIENT_FAILED);
        assert_int_equal(ending(1), RECIPIENT_DELIVERED);
        assert_int_equal(server->connections, 1);
        assert_true(said(server, "RSET\n"));
        scene_stop(&scene);
    }
}

/* A queue that comes back hears of every result it has not kept, and of what is under way. */
static void test_queue_restarts(void **state)
{
    (void)state;
    struct rule slow[] = { { "MAIL FROM:<slow", NULL }, { NULL } };
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, slow);
    scene.keeps_results = false;
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off; connections 1 } }\n",
                    server->port);
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 1);
    struct scene_job job = plain;
    job.sender = "slow@outside.test";
    scene_send(&scene, &job);
    scene_send(&scene, &plain); /* waits behind it */
    scene_wait_ms(&scene, 30);
    scene_queue_restart(&scene);
    scene_wait_results(&scene, 2);
    scene_wait_ms(&scene, 10);
    assert_int_equal(scene.synced, 2);
    assert_int_equal(scene.under_way, 1);
    assert_int_equal(scene.results[1].id, scene.results[0].id);
    struct jobs_counts counts;
    jobs_count(scene.jobs, &counts);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(counts.under_way, 1);
    assert_int_equal(counts.unkept, 1);
    assert_int_equal(counts.segments, 2); /* the one under way still reads from the old one */
    scene_stop(&scene);
}

static void test_cancel(void **state)
{
    (void)state;
    struct rule slow[] = { { "MAIL", NULL }, { NULL } };
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, slow);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off; connections 1 } }\n",
                    server->port);
    uint64_t started = scene_send(&scene, &plain), waiting = scene_send(&scene, &plain);
    scene_wait_ms(&scene, 30);
    channel_send(scene.queue_end, DELIVER_CANCEL, started, TEXT_NONE);
    channel_send(scene.queue_end, DELIVER_CANCEL, waiting, TEXT_NONE);
    channel_send(scene.queue_end, DELIVER_CANCEL, 999, TEXT_NONE);
    scene_wait_results(&scene, 1);
    scene_wait_ms(&scene, 10);
    assert_int_equal(scene.result_count, 1);
    assert_int_equal(scene.results[0].id, waiting);
    assert_int_equal(ending(0), RECIPIENT_NOT_TRIED);
    scene_stop(&scene);
}

/* Waiting errands move to the new route. */
static void test_reload(void **state)
{
    (void)state;
    struct rule slow[] = { { "EHLO", NULL }, { NULL } };
    scene_start(&scene);
    struct script_server *old = scene_server(&scene, FEATURES, slow),
                         *new = scene_server(&scene, FEATURES, NULL);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off } }\n", old->port);
    scene_send(&scene, &plain);
    scene_ask(&scene, "user@example.test");
    scene_wait_ms(&scene, 30);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off } }\n", new->port);
    scene_wait_results(&scene, 1);
    scene_wait_call_outs(&scene, 1);
    assert_int_equal(ending(0), RECIPIENT_DELIVERED);
    assert_int_equal(new->messages, 1);
    scene_stop(&scene);
}

static void ask(const char *address, unsigned count, enum recipient_ending wanted)
{
    scene_ask(&scene, address);
    scene_wait_call_outs(&scene, count);
    if (scene.call_out_ending != wanted) fail_msg("%s: %d", address, scene.call_out_ending);
}

static void test_call_outs(void **state)
{
    (void)state;
    struct rule rules[] = { { "RCPT TO:<nobody", "550 5.1.1 unknown\r\n" },
                            { "RCPT TO:<later", "450 4.2.1 later\r\n" },
                            { NULL } };
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, rules);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off; connections 1 } }\n",
                    server->port);
    ask("user@example.test", 1, RECIPIENT_DELIVERED);
    ask("nobody@Example.Test", 2, RECIPIENT_FAILED);
    assert_int_equal(scene.call_out_code, 550);
    ask("later@example.test", 3, RECIPIENT_DEFERRED);
    size_t before = buffer_length(&server->said);
    ask("user@example.test", 4, RECIPIENT_DELIVERED);
    ask("nobody@Example.Test", 5, RECIPIENT_FAILED);
    assert_int_equal(buffer_length(&server->said), before); /* known */
    for (int i = 0; i < 10; i++) scene_ask(&scene, "shared@example.test");
    scene_wait_call_outs(&scene, 15);
    struct text rest = text_slice(buffer_text(&server->said), before, buffer_length(&server->said));
    assert_true(text_equal(rest, TEXT("MAIL FROM:<>\nRCPT TO:<shared@example.test>\nRSET\n")));
    scene_send(&scene, &plain);
    scene_wait_results(&scene, 1);
    assert_int_equal(ending(0), RECIPIENT_DELIVERED);
    assert_int_equal(server->connections, 1);
    assert_int_equal(server->messages, 1);
    scene_stop(&scene);
}

/* Whether a domain's servers take SMTPUTF8 is read off their EHLO, with no other word, and known for a while.
 */
static void test_smtputf8_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *features, *options;
        enum recipient_ending wanted;
    } rows[] = { { FEATURES, "", RECIPIENT_FAILED },
                 { FEATURES "SMTPUTF8\n", "", RECIPIENT_DELIVERED },
                 { FEATURES "SMTPUTF8\n", "smtputf8 off", RECIPIENT_FAILED } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene_start(&scene);
        struct script_server *server = scene_server(&scene, rows[i].features, NULL);
        scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off; %s } }\n", server->port,
                        rows[i].options);
        ask("@example.test", 1, rows[i].wanted);
        ask("@Example.test", 2, rows[i].wanted);
        ask("@example.test", 3, rows[i].wanted);
        assert_int_equal(server->connections, 1);
        assert_true(text_starts(buffer_text(&server->said), TEXT("EHLO ")));
        assert_true(text_find(buffer_text(&server->said), TEXT("MAIL")) == buffer_length(&server->said));
        scene_stop(&scene);
    }
    scene_start(&scene);
    scene_configure(&scene, "domains { example.test 127.0.0.1:1 { tls off } }\n");
    ask("@example.test", 1, RECIPIENT_DEFERRED); /* nobody can say */
    scene_stop(&scene);
}

/* A server that refuses the null sender says nothing about the recipient. */
static void test_call_out_null_sender(void **state)
{
    (void)state;
    struct rule rules[] = { { "MAIL", "550 5.7.1 no bounces here\r\n" }, { NULL } };
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES, rules);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { tls off } }\n", server->port);
    ask("user@example.test", 1, RECIPIENT_DEFERRED);
    scene_stop(&scene);
}

static void test_time_limits(void **state)
{
    (void)state;
    static const char *const commands[] = { "", "EHLO", "MAIL", "." };
    for (size_t i = 0; i < 4; i++) {
        struct rule silent[] = { { commands[i], NULL }, { NULL } };
        scene_start(&scene);
        struct script_server *server = scene_server(&scene, "", silent);
        scene_configure(&scene,
                        "deliver { time { greeting 1s; command 1s; final 1s; data 1s } }\n"
                        "domains { example.test 127.0.0.1:%u { tls off } }\n",
                        server->port);
        scene_send(&scene, &plain);
        scene_wait_results(&scene, 1);
        assert_int_equal(ending(0), RECIPIENT_DEFERRED);
        assert_true(text_equal(scene.results[0].recipients[0].enhanced, TEXT("4.4.2")));
        scene_stop(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failover),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_mx_by_ipv6),
        cmocka_unit_test(test_mx),
        cmocka_unit_test(test_lookup_restarts),
        cmocka_unit_test(test_limit_per_destination),
        cmocka_unit_test(test_limit_in_all),
        cmocka_unit_test(test_starved),
        cmocka_unit_test(test_messages_per_connection),
        cmocka_unit_test(test_stale_connection),
        cmocka_unit_test(test_reset_then_next),
        cmocka_unit_test(test_queue_restarts),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_call_outs),
        cmocka_unit_test(test_call_out_null_sender),
        cmocka_unit_test(test_smtputf8_is_asked_for),
        cmocka_unit_test(test_time_limits),
    };
    return cmocka_run_group_tests_name("deliver ways", tests, NULL, NULL);
}
