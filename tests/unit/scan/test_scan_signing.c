/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the dispatcher signs of a worker's answer, and what it takes back to be decided about. The fields
   before a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "scan/signing.h"
#include "scan/trace_fields.h"

enum { NOW_MS = 1000, LIFE_MS = 60000 };

struct scene {
    struct arena *arena;
    struct digest_key *key;
    struct text recipients[2];
    struct scan_question question;
    uint8_t body[DIGEST_BYTES];
};

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){ .arena = arena_new(0),
                             .key = digest_key_new(TEXT("a secret of thirty-two bytes ...")) };
    scene->recipients[0] = TEXT("a@example.test");
    scene->recipients[1] = TEXT("b@example.test");
    scene->question.occasion = (struct occasion){ .id = 42,
                                                  .listener = 1,
                                                  .helo = TEXT("client.test"),
                                                  .sender = TEXT("s@client.test"),
                                                  .recipient_count = 2,
                                                  .recipients = scene->recipients };
    scene->question.prefix = TEXT("Received: from client.test\r\n");
    memset(scene->body, 7, sizeof scene->body);
}

static void scene_close(struct scene *scene)
{
    digest_key_free(scene->key);
    arena_free(scene->arena);
}

/* SCAN_DECIDE where `found` has bytes, else SCAN_READ with a short body. The caller frees it. */
static struct request *request_of(struct scene *scene, struct text found)
{
    struct buffer payload = { 0 };
    struct body body = { 0 };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    if (found.length > 0) {
        scan_decide_put(&scene->question, found, &payload);
    } else {
        body_append(&body, TEXT("Subject: x\r\n\r\ny\r\n"));
        scan_read_put(&scene->question, &body, &payload, fds, &fd_count);
    }
    struct frame frame = { .type = found.length > 0 ? SCAN_DECIDE : SCAN_READ,
                           .id = scene->question.occasion.id,
                           .payload = buffer_text(&payload) };
    struct request *request = request_new(NULL, &frame, 64, 0);
    buffer_free(&payload);
    body_free(&body);
    return request;
}

static struct text answer(struct scene *scene, const struct request *request, uint16_t type,
                          struct text payload)
{
    struct buffer out = { 0 };
    assert_true(signing_write(scene->key, scene->arena, request, type, payload, NOW_MS, &out));
    struct text text = arena_text(scene->arena, buffer_text(&out));
    buffer_free(&out);
    return text;
}

static struct text facts_said(struct scene *scene)
{
    struct buffer facts = { 0 }, payload = { 0 };
    struct found found = { 0 };
    facts_put(&(struct facts){ .virus = SCAN_CLEAN, .subject = TEXT("a subject") }, &facts);
    found.facts = buffer_text(&facts);
    memcpy(found.body, scene->body, DIGEST_BYTES);
    found_put(&found, &payload);
    struct text text = arena_text(scene->arena, buffer_text(&payload));
    buffer_free(&facts);
    buffer_free(&payload);
    return text;
}

/* A byte of what came back is another one: it is not decided about. */
static void test_facts_come_back_as_they_were(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct request *read = request_of(&scene, TEXT_NONE);
    struct text found = answer(&scene, read, SCAN_FACTS, facts_said(&scene));
    struct request *whole = request_of(&scene, found);
    assert_true(signing_admits(scene.key, scene.arena, read));
    assert_true(signing_admits(scene.key, scene.arena, whole));
    for (size_t i = 4; i < found.length; i++) {
        char *changed = arena_alloc(scene.arena, found.length);
        memcpy(changed, found.at, found.length);
        changed[i] ^= 1;
        struct request *forged = request_of(&scene, text_from(changed, found.length));
        if (signing_admits(scene.key, scene.arena, forged)) fail_msg("byte %zu", i);
        request_free(forged);
    }
    request_free(read);
    request_free(whole);
    scene_close(&scene);
}

/* Nor about facts of another message, client, sender, recipient or direction. */
static void test_facts_are_of_one_occasion(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct request *read = request_of(&scene, TEXT_NONE);
    struct text found = answer(&scene, read, SCAN_FACTS, facts_said(&scene));
    const struct occasion honest = scene.question.occasion;
    struct occasion *occasion = &scene.question.occasion;
    for (int change = 0; change < 9; change++) {
        *occasion = honest;
        if (change == 0) occasion->id++;
        if (change == 1) occasion->listener++;
        if (change == 2) occasion->direction = DIRECTION_OUT;
        if (change == 3) occasion->client.bytes[0]++;
        if (change == 4) occasion->sender = TEXT("t@client.test");
        if (change == 5) occasion->recipient_count = 1;
        scene.recipients[1] = TEXT("b@example.test");
        if (change == 6) scene.recipients[1] = TEXT("c@example.test");
        if (change == 7) occasion->is_undecided = true;
        if (change == 8) occasion->certificate = TEXT("cloud.test");
        struct request *forged = request_of(&scene, found);
        if (signing_admits(scene.key, scene.arena, forged)) fail_msg("change %d", change);
        request_free(forged);
    }
    request_free(read);
    scene_close(&scene);
}

static struct text verdict_of(struct scene *scene, uint16_t code, const uint8_t body[DIGEST_BYTES],
                              enum direction direction)
{
    struct recipient_verdict each[2] = { { ACTION_QUARANTINE, ACTION_ACCEPT, 0 },
                                         { ACTION_DISCARD, ACTION_ACCEPT, 0 } };
    struct recipe recipe = { .edits = edits_none };
    struct judged judged = { .facts = { .content = CONTENT_IS_LINES },
                             .verdict = { .recipient_count = 2,
                                          .recipients = each,
                                          .code = code,
                                          .enhanced = TEXT("2.0.0"),
                                          .direction = direction,
                                          .recipe_count = 1,
                                          .recipes = &recipe } };
    struct buffer payload = { 0 };
    memcpy(judged.voucher.signature, body, DIGEST_BYTES);
    judged_put(&judged, &payload);
    struct text text = arena_text(scene->arena, buffer_text(&payload));
    buffer_free(&payload);
    return text;
}

static struct text verdict_said(struct scene *scene, uint16_t code, const uint8_t body[DIGEST_BYTES])
{
    return verdict_of(scene, code, body, DIRECTION_IN);
}

/* What receive makes of a verdict for queue. */
static bool is_vouched(struct scene *scene, struct text said, const uint8_t body[DIGEST_BYTES])
{
    struct judged judged;
    struct recipient recipients[2] = { { .address = scene->recipients[0] },
                                       { .address = scene->recipients[1] } };
    const struct envelope envelope = { .sender = scene->question.occasion.sender,
                                       .recipient_count = 2,
                                       .recipients = recipients };
    struct keep_request request = { .id = scene->question.occasion.id,
                                    .listener = scene->question.occasion.listener,
                                    .client = scene->question.occasion.client,
                                    .prefix = scene->question.prefix };
    assert_true(judged_get(scene->arena, said, &judged));
    keep_by_verdict(scene->arena, &envelope, &judged.facts, &judged.verdict, &request);
    assert_int_equal(request.envelope.recipient_count, 1);
    assert_int_equal(request.recipients[0].hold, HOLD_QUARANTINE);
    request.voucher = judged.voucher;
    return voucher_is_good(scene->key, &request, body, NOW_MS, LIFE_MS);
}

/* By the worker that read the body, or by one that only decided: the body is the one that was read. */
static void test_verdict_is_of_one_body(void **state)
{
    struct scene scene;
    uint8_t other[DIGEST_BYTES] = { 1 };
    (void)state;
    scene_open(&scene);
    struct request *read = request_of(&scene, TEXT_NONE);
    struct text said = answer(&scene, read, SCAN_VERDICT, verdict_said(&scene, 250, scene.body));
    assert_true(is_vouched(&scene, said, scene.body));
    assert_false(is_vouched(&scene, said, other));
    struct request *decide = request_of(&scene, answer(&scene, read, SCAN_FACTS, facts_said(&scene)));
    said = answer(&scene, decide, SCAN_VERDICT, verdict_said(&scene, 250, other));
    assert_true(is_vouched(&scene, said, scene.body));
    assert_false(is_vouched(&scene, said, other));
    request_free(read);
    request_free(decide);
    scene_close(&scene);
}

static void test_refusal_is_no_voucher(void **state)
{
    struct scene scene;
    (void)state;
    scene_open(&scene);
    struct request *read = request_of(&scene, TEXT_NONE);
    struct text said = answer(&scene, read, SCAN_VERDICT, verdict_said(&scene, 550, scene.body));
    assert_false(is_vouched(&scene, said, scene.body));
    request_free(read);
    scene_close(&scene);
}

/* A worker that was taken over says what it likes. */
static void test_nonsense_of_a_worker(void **state)
{
    static const struct text nothings[] = { { "", 0 }, { "x", 1 }, { "\0\0\0\0\0\0\0\0", 8 } };
    struct scene scene;
    struct buffer out = { 0 };
    (void)state;
    scene_open(&scene);
    struct request *read = request_of(&scene, TEXT_NONE);
    struct request *decide = request_of(&scene, answer(&scene, read, SCAN_FACTS, facts_said(&scene)));
    for (size_t i = 0; i < sizeof nothings / sizeof *nothings; i++) {
        assert_false(signing_write(scene.key, scene.arena, read, SCAN_FACTS, nothings[i], NOW_MS, &out));
        assert_false(signing_write(scene.key, scene.arena, read, SCAN_VERDICT, nothings[i], NOW_MS, &out));
    }
    assert_false(signing_write(scene.key, scene.arena, decide, SCAN_FACTS, facts_said(&scene), NOW_MS, &out));
    assert_int_equal(buffer_length(&out), 0);
    request_free(read);
    request_free(decide);
    scene_close(&scene);
}

/* A worker that says of mail from outside that it is from inside is believed only where that is the question.
 */
static void test_direction_of_a_worker(void **state)
{
    struct scene scene;
    struct buffer out = { 0 };
    (void)state;
    scene_open(&scene);
    struct text said = verdict_of(&scene, 250, scene.body, DIRECTION_OUT);
    struct request *certain = request_of(&scene, TEXT_NONE);
    scene.question.occasion.is_undecided = true;
    struct request *undecided = request_of(&scene, TEXT_NONE);
    assert_false(signing_write(scene.key, scene.arena, certain, SCAN_VERDICT, said, NOW_MS, &out));
    assert_true(signing_write(scene.key, scene.arena, undecided, SCAN_VERDICT, said, NOW_MS, &out));
    buffer_free(&out);
    request_free(certain);
    request_free(undecided);
    scene_close(&scene);
}

static void test_fields_before_a_message(void **state)
{
    static const struct {
        const char *prefix;
        bool is_ours;
    } rows[] = {
        { "", true },
        { "Received: from a (b [192.0.2.1])\r\n\tby mx.test with ESMTP id 1;\r\n\tdate\r\nX-Sekimori-Id: "
          "1\r\n",
          true },
        { "Message-ID: <1@a>\r\nDate: today\r\n", true },
        { "Received: a", false },
        { "Received: a\n", false },
        { "Received: a\r\n\r\n", false },
        { "\r\nReceived: a\r\n", false },
        { "Received: a\r\n \r\nbody\r\n", false },
        { "Received: a\r\n\t \r\n", false },
        { " Received: a\r\n", false },
        { "Subject: a\r\n", false },
        { "Received: a\r\nContent-Type: text/html\r\n", false },
        { "Received: a\rContent-Type: b\r\n", false },
        { "Received: a\x80\r\n", false },
        { "Received: a\x01\r\n", false },
        { "Received : a\r\n", false },
        { "<html>\r\n", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (trace_fields_are_ours(text_of(rows[i].prefix)) != rows[i].is_ours) fail_msg("row %zu", i);
    assert_false(trace_fields_are_ours(text_from("Received: a\0b\r\n", 15)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_come_back_as_they_were), cmocka_unit_test(test_facts_are_of_one_occasion),
        cmocka_unit_test(test_verdict_is_of_one_body),       cmocka_unit_test(test_refusal_is_no_voucher),
        cmocka_unit_test(test_nonsense_of_a_worker),         cmocka_unit_test(test_fields_before_a_message),
        cmocka_unit_test(test_direction_of_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
