/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is kept of senders and what follows: who waits and for how long, who is known by what, counts by day,
   first contact, and forgetting. */
#include "lookup/sender_memory.h"

#include "config_text.h"

#define MINUTE_MS ((uint64_t)60 * 1000)
#define DAY_MS (24 * 60 * MINUTE_MS)

static const char text[] = "role single; hostname mx.test; listen 192.0.2.25:25\n"
                           "domains { a.test 10.0.0.7; open.test 10.0.0.7 { greylist off } }\n"
                           "greylist { mode on; wait 5m; window 1d; keep 10d }\n";

struct scene {
    struct config *config;
    struct sender_memory memory;
};

static void scene_begin(struct scene *scene)
{
    enum senderdb_found found;
    scene->config = config_of_text(text_of(text), false);
    scene->memory = (struct sender_memory){ senderdb_open(-1, 0, &found), scene->config,
                                            UINT64_C(1700000000000), arena_new(0) };
    assert_non_null(scene->memory.db);
    sender_memory_begin(&scene->memory);
}

static void scene_end(struct scene *scene)
{
    senderdb_close(scene->memory.db);
    arena_free(scene->memory.arena);
    config_free(scene->config);
}

static struct sender_subject subject_of(const char *client, const char *sender, const struct text *recipient)
{
    struct sender_subject subject = { .direction = DIRECTION_IN,
                                      .sender = text_of(sender),
                                      .from = text_of(sender),
                                      .recipient_count = 1,
                                      .recipients = recipient };
    assert_true(address_parse(text_of(client), &subject.client));
    return subject;
}

static const struct text user = TEXT("u@a.test"), other = TEXT("v@a.test"), open_user = TEXT("u@open.test"),
                         postmaster = TEXT("Postmaster@a.test");

static const struct sender_finding *asked(const struct scene *scene, const struct sender_subject *subject,
                                          enum sender_finding_kind kind, struct sender_history *room)
{
    sender_memory_history(&scene->memory, subject, room);
    return sender_history_find(room, kind);
}

/* The seconds that he is to wait; 0: he is not. */
static uint32_t waits(const struct scene *scene, const struct sender_subject *subject)
{
    struct sender_history room;
    const struct sender_finding *unknown = asked(scene, subject, SENDER_IS_UNKNOWN, &room);
    return unknown ? unknown->count : 0;
}

static uint32_t waits_at_rcpt(const struct scene *scene, const struct sender_subject *subject)
{
    struct sender_rcpt_answer answer;
    sender_memory_rcpt(&scene->memory, subject, &answer);
    assert_int_equal(answer.delay, answer.wait_s ? SENDER_GREYLISTED : SENDER_GO_ON);
    return answer.wait_s;
}

static void learn(const struct scene *scene, const struct sender_subject *subject, bool is_greylisted,
                  bool is_spam, const char *proven)
{
    const struct sender_seen seen = { .subject = *subject,
                                      .proven = text_of(proven),
                                      .is_spam = is_spam,
                                      .is_greylisted = is_greylisted,
                                      .taken = !is_greylisted && !is_spam };
    sender_memory_learn(&scene->memory, &seen);
}

static void test_waiting(void **state)
{
    struct scene scene;
    struct sender_history room;
    scene_begin(&scene);
    struct sender_subject subject = subject_of("192.0.2.1", "X@b.test", &user);
    assert_int_equal(waits_at_rcpt(&scene, &subject), 0); /* his content may prove him */
    assert_int_equal(waits(&scene, &subject), 300);
    learn(&scene, &subject, true, false, "");
    scene.memory.now_ms += 2 * MINUTE_MS;
    struct sender_subject again = subject_of("192.0.2.77", "x@B.test", &user);
    assert_int_equal(waits_at_rcpt(&scene, &again), 180);
    assert_int_equal(waits(&scene, &again), 180);
    learn(&scene, &again, true, false, ""); /* to come too early makes it no later */
    scene.memory.now_ms += 3 * MINUTE_MS;
    assert_int_equal(waits_at_rcpt(&scene, &again), 0);
    assert_non_null(asked(&scene, &again, SENDER_IS_BACK, &room));
    assert_int_equal(waits(&scene, &again), 0);
    struct sender_subject elsewhere = subject_of("192.0.3.1", "x@b.test", &user);
    assert_int_equal(waits(&scene, &elsewhere), 300);
    scene.memory.now_ms += 2 * DAY_MS; /* too late */
    assert_int_equal(waits(&scene, &again), 300);
    scene_end(&scene);
}

static void test_who_is_known(void **state)
{
    struct scene scene;
    scene_begin(&scene);
    struct sender_subject one = subject_of("2001:db8::1", "x@b.test", &user),
                          same = subject_of("2001:db8::ffff", "y@b.test", &other),
                          domain = subject_of("2001:db8::1", "x@c.test", &user),
                          free_of_it = subject_of("192.0.2.9", "x@d.test", &open_user),
                          to_postmaster = subject_of("192.0.2.9", "x@d.test", &postmaster);
    assert_int_equal(waits(&scene, &free_of_it), 0);
    assert_int_equal(waits(&scene, &to_postmaster), 0);
    learn(&scene, &one, false, true, ""); /* spam makes nobody known */
    assert_int_equal(waits(&scene, &one), 300);
    learn(&scene, &one, false, false, "");
    assert_int_equal(waits(&scene, &one), 0);
    assert_int_equal(waits(&scene, &same), 0);
    assert_int_equal(waits(&scene, &domain), 300);
    scene.memory.now_ms += 12 * DAY_MS;
    assert_int_equal(waits(&scene, &one), 300);
    struct text friend = TEXT("Friend@e.test");
    struct sender_subject out = subject_of("10.0.0.7", "u@a.test", &friend);
    out.direction = DIRECTION_OUT;
    learn(&scene, &out, false, false, "");
    struct sender_subject from_friend = subject_of("198.51.100.1", "friend@e.test", &user);
    assert_int_equal(waits(&scene, &from_friend), 0);
    struct text stranger = TEXT("stranger@f.test"); /* whose mail was answered by itself */
    struct sender_subject answer = subject_of("10.0.0.7", "", &stranger);
    answer.direction = DIRECTION_OUT;
    learn(&scene, &answer, false, false, "");
    struct sender_subject from_stranger = subject_of("198.51.100.1", "stranger@f.test", &user);
    assert_int_equal(waits(&scene, &from_stranger), 300);
    struct sender_subject nobody = subject_of("198.51.100.1", "", &user);
    assert_int_equal(waits(&scene, &nobody), 300);
    scene_end(&scene);
}

static void test_reputation(void **state)
{
    struct scene scene;
    struct sender_history room;
    scene_begin(&scene);
    struct sender_subject subject = subject_of("192.0.2.1", "x@b.test", &user);
    for (unsigned i = 0; i < 40; i++) learn(&scene, &subject, false, true, "b.test");
    assert_null(asked(&scene, &subject, SENDER_REPUTATION_NETWORK, &room)); /* the first day */
    scene.memory.now_ms += DAY_MS;
    learn(&scene, &subject, false, false, "");
    learn(&scene, &subject, true, false, ""); /* not judged for good */
    const struct sender_finding *network = asked(&scene, &subject, SENDER_REPUTATION_NETWORK, &room);
    assert_true(network && network->count == 40 && network->of == 41);
    assert_true(network->weight < 40 && network->weight > 35);
    assert_true(text_equal(network->about, TEXT("192.0.2.0/24")));
    const struct sender_finding *domain = asked(&scene, &subject, SENDER_REPUTATION_DOMAIN, &room);
    assert_true(domain && domain->count == 40 && domain->of == 40);
    scene.memory.now_ms += 40 * DAY_MS;
    assert_null(asked(&scene, &subject, SENDER_REPUTATION_NETWORK, &room));
    scene_end(&scene);
}

static void test_first_contact(void **state)
{
    struct scene scene;
    struct sender_history room;
    scene_begin(&scene);
    struct text both[] = { user, other };
    struct sender_subject subject = subject_of("192.0.2.1", "x@b.test", &user);
    assert_null(asked(&scene, &subject, SENDER_IS_NEW, &room)); /* all are, on the first days */
    scene.memory.now_ms += 8 * DAY_MS;
    assert_non_null(asked(&scene, &subject, SENDER_IS_NEW, &room));
    learn(&scene, &subject, false, false, "");
    assert_null(asked(&scene, &subject, SENDER_IS_NEW, &room));
    assert_null(sender_history_find(&room, SENDER_IS_NEW_TO));
    subject.recipients = both;
    subject.recipient_count = 2;
    const struct sender_finding *to = asked(&scene, &subject, SENDER_IS_NEW_TO, &room);
    assert_true(to && to->count == 1 && to->of == 2 && to->recipients == 2);
    subject.from = TEXT_NONE; /* none, or several */
    assert_null(asked(&scene, &subject, SENDER_IS_NEW, &room));
    scene_end(&scene);
}

static void test_forgetting(void **state)
{
    struct scene scene;
    struct buffer shown = { 0 };
    struct sender_history room;
    unsigned count;
    scene_begin(&scene);
    scene.memory.now_ms += 8 * DAY_MS;
    struct sender_subject subject = subject_of("192.0.2.1", "x@b.test", &user);
    learn(&scene, &subject, false, false, "b.test");
    assert_true(sender_memory_show(&scene.memory, TEXT("192.0.2.200"), TEXT("b.test"), &shown));
    assert_true(
        text_starts(buffer_text(&shown), TEXT("{\"kind\":\"network\",\"name\":\"192.0.2.0/24\",\"days\":30,"
                                              "\"messages\":1,\"spam\":0,\"together_ms\":1700")));
    assert_true(sender_memory_forget(&scene.memory, TEXT("192.0.2.0/24"), TEXT("x@b.test"), &count));
    assert_int_equal(count, 1);
    assert_int_equal(waits(&scene, &subject), 300);
    assert_true(sender_memory_forget(&scene.memory, TEXT("X@b.test"), TEXT_NONE, &count));
    assert_int_equal(count, 1);
    assert_non_null(asked(&scene, &subject, SENDER_IS_NEW, &room));
    scene.memory.now_ms += 1;
    subject.recipients = &other;
    learn(&scene, &subject, false, false, ""); /* whom he wrote to before does not come back */
    subject.recipients = &user;
    assert_non_null(asked(&scene, &subject, SENDER_IS_NEW_TO, &room));
    assert_true(sender_memory_forget(&scene.memory, TEXT("c.test"), TEXT_NONE, &count) && count == 0);
    assert_false(sender_memory_forget(&scene.memory, TEXT("no name"), TEXT_NONE, &count));
    assert_false(sender_memory_show(&scene.memory, TEXT(""), TEXT_NONE, &shown));
    buffer_free(&shown);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waiting),    cmocka_unit_test(test_who_is_known),
        cmocka_unit_test(test_reputation), cmocka_unit_test(test_first_contact),
        cmocka_unit_test(test_forgetting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
