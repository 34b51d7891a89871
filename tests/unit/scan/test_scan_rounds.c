/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What becomes of a verdict whose message is to be signed, by what signer answers: played at the other end
   of a channel. That it is silent is a flow test's, since it takes its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/context.h"
#include "ipc/ask_signer.h"
#include "ipc/child.h"
#include "scan/seal_draft.h"
#include "scan/seal_round.h"

enum manner { SIGNS, SIGNS_ONE, REFUSES, DIES_ONCE, TALKS_NONSENSE_ONCE };

struct scene {
    enum { SCENE_MAGIC = 0x6a1f00d7 } magic;
    enum manner manner;
    struct child child;
    struct config config;
    struct sealer *sealer;
    struct channel *signer; /* signer's end */
    struct arena *arena;
    uint32_t asked;
    bool is_done, is_malformed;
    struct judged judged; /* as it came back */
};

static void signer_start(struct scene *scene);

static bool asked(void *context, struct frame *frame)
{
    struct scene *scene = CONTEXT(context, struct scene, SCENE_MAGIC);
    struct sign_order order;
    assert_true(frame->type == SIGNER_SIGN && sign_order_get(frame->payload, &order));
    bool is_second = text_equal(order.key, TEXT("e._domainkey.ours.test"));
    bool is_refused = scene->manner == REFUSES || (scene->manner == SIGNS_ONE && is_second);
    bool is_first_time = scene->asked++ == 0;
    if (is_first_time && scene->manner == DIES_ONCE) return false;
    bool is_nonsense = is_first_time && scene->manner == TALKS_NONSENSE_ONCE;
    struct buffer *answer =
        channel_begin(scene->signer, is_refused ? SIGNER_REFUSED : SIGNER_SIGNED, frame->id);
    put_text(answer, is_nonsense ? TEXT_NONE : TEXT("raw"));
    channel_end(scene->signer);
    return true;
}

static void hung_up(void *context)
{
    struct scene *scene = CONTEXT(context, struct scene, SCENE_MAGIC);
    channel_close(scene->signer);
    scene->signer = NULL;
    if (!scene->is_done) signer_start(scene);
}

static void signer_start(struct scene *scene)
{
    static const struct channel_events events = { asked, hung_up };
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    scene->signer = channel_open(scene->child.loop, ends[0], &events, scene);
    sealer_connect(scene->sealer, ends[1]);
}

static void done(void *context, struct request *request, struct text payload)
{
    struct scene *scene = CONTEXT(context, struct scene, SCENE_MAGIC);
    struct text copy = arena_text(scene->arena, payload);
    scene->is_done = true;
    scene->is_malformed = !judged_get(scene->arena, copy, &scene->judged);
    request_free(request);
    loop_stop(scene->child.loop);
}

/* One message with one recipe, to be signed by two keys or sealed by one. */
static void list_make(enum seal_purpose purpose, struct buffer *out)
{
    struct seal_draft drafts[] = { { .recipes = 1, .key = TEXT("r._domainkey.ours.test") },
                                   { .recipes = 1, .key = TEXT("e._domainkey.ours.test") } };
    for (int i = 0; i < 2; i++) {
        struct arc_sealing *fields = &drafts[i].fields;
        fields->message.before = TEXT("First: b=");
        fields->seal.before = TEXT("Second: b=");
        fields->results = TEXT("Third: x\r\n");
    }
    const struct seal_list list = { .purpose = purpose,
                                    .drafts = drafts,
                                    .count = purpose == SEAL_ARC ? 1 : 2 };
    seal_list_put(&list, out);
}

static void round_begin(struct scene *scene, enum seal_purpose purpose)
{
    struct recipe recipe = { .edits = edits_none };
    struct recipient_verdict recipient = { .action = ACTION_ACCEPT };
    struct judged judged = { .verdict = { .code = 250,
                                          .recipe_count = 1,
                                          .recipes = &recipe,
                                          .recipient_count = 1,
                                          .recipients = &recipient,
                                          .summary = TEXT("action=accept") } };
    struct request *request = memory_alloc(sizeof *request);
    struct buffer payload = { 0 };
    *request = (struct request){ .id = 7 };
    if (purpose == SEAL_NOTHING)
        buffer_add_text(&request->seals, TEXT("nonsense"));
    else
        list_make(purpose, &request->seals);
    judged_put(&judged, &payload);
    sealer_begin(scene->sealer, request, buffer_text(&payload));
    buffer_free(&payload);
}

static void scene_play(struct scene *scene, enum manner manner, enum seal_purpose purpose,
                       bool sends_unsigned)
{
    *scene = (struct scene){ .magic = SCENE_MAGIC, .manner = manner, .arena = arena_new(0) };
    scene->config.auth.sends_unsigned = sends_unsigned;
    scene->child = (struct child){ .magic = CHILD_MAGIC, .loop = loop_new(), .config = &scene->config };
    scene->sealer = sealer_new(&scene->child, done, scene);
    signer_start(scene);
    round_begin(scene, purpose);
    if (!scene->is_done) loop_run(scene->child.loop);
    assert_int_equal(sealer_count(scene->sealer), 0);
}

static void each_answer(void **state)
{
    static const struct {
        enum manner manner;
        enum seal_purpose purpose;
        bool sends_unsigned;
        uint16_t code;
        const char *summary, *fields;
    } rows[] = {
        { SIGNS, SEAL_DKIM, false, 250, "action=accept signed=yes", "First: b=cmF3\r\nFirst: b=cmF3\r\n" },
        { SIGNS_ONE, SEAL_DKIM, false, 250, "action=accept signed=yes", "First: b=cmF3\r\n" },
        { REFUSES, SEAL_DKIM, false, 451, "action=accept signed=failed", "" },
        { REFUSES, SEAL_DKIM, true, 250, "action=accept signed=failed", "" },
        { DIES_ONCE, SEAL_DKIM, false, 250, "action=accept signed=yes",
          "First: b=cmF3\r\nFirst: b=cmF3\r\n" },
        { TALKS_NONSENSE_ONCE, SEAL_DKIM, false, 250, "action=accept signed=yes",
          "First: b=cmF3\r\nFirst: b=cmF3\r\n" },
        { SIGNS, SEAL_ARC, false, 250, "action=accept sealed=yes",
          "Second: b=cmF3\r\nFirst: b=cmF3\r\nThird: x\r\n" },
        { REFUSES, SEAL_ARC, false, 250, "action=accept sealed=failed", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        struct edits edits;
        scene_play(&scene, rows[i].manner, rows[i].purpose, rows[i].sends_unsigned);
        const struct verdict *verdict = &scene.judged.verdict;
        assert_true(edits_decode(scene.arena, verdict->recipes[0].edits, UINT64_MAX, &edits));
        struct text fields = edits.count > 0 ? edits.items[0].insert : TEXT_NONE;
        if (verdict->code != rows[i].code || !text_equal(verdict->summary, text_of(rows[i].summary)) ||
            !text_equal(fields, text_of(rows[i].fields)) ||
            (verdict->recipients[0].action == ACTION_DEFER) != (rows[i].code == 451))
            fail_msg("row %zu: %u %.*s: %.*s", i, verdict->code, TEXT_ARG(verdict->summary),
                     TEXT_ARG(fields));
        arena_free(scene.arena);
    }
}

static void what_makes_no_sense(void **state)
{
    struct scene scene;
    scene_play(&scene, SIGNS, SEAL_NOTHING, false);
    assert_true(scene.is_malformed && scene.asked == 0);
    arena_free(scene.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_answer),
                                        cmocka_unit_test(what_makes_no_sense) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
