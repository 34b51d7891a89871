/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a server with one reply too many or one too few, at any place, never has a message that it did not
   take told as delivered; and of one that is in step each message is told as it ended. All of them are played
   through: two messages on a connection, by what is known of the server, how it answers content and QUIT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "deliver/dialogue.h"
#include "deliver/step_proof.h"

enum { TURNS = 2, PEOPLE = 2 };

enum place { AT_GREETING, AT_EHLO, AT_MAIL, AT_RCPT, AT_DATA, AT_CONTENT, AT_RESET, PLACES };

/* A server, and how far it has come. */
struct model {
    const char *offers;
    enum dialogue_trust trust;
    uint32_t people;
    bool refuses_first;  /* of two recipients */
    const char *verdict; /* on the content of the turn with the fault; NULL: it closes */
    const char *bye;     /* NULL: it closes */
    bool hangs_up;       /* behind its reply to the content of that turn */
    bool is_waited_for;  /* since it is known to hang up */
    unsigned turn_at;    /* of the fault */
    enum place place;
    const char *extra; /* NULL: it is a reply too few */
    bool has_fault, comes_at_once;

    struct buffer queue;     /* replies on their way */
    unsigned turn, accepted; /* recipients that the transaction has */
    bool is_closed, was_taken[TURNS][PEOPLE];
};

struct play {
    struct model *model;
    struct arena *arena;
    struct dialogue dialogue;
    struct handover handovers[TURNS];
    struct envelope envelope;
    struct recipient recipients[PEOPLE];
    unsigned begun;
    bool is_closed, is_waiting; /* is_waiting: with the content, for what comes unasked */
    struct buffer out;
};

static void say(struct model *model, enum place place, const char *reply)
{
    bool is_fault = model->has_fault && model->place == place && model->turn == model->turn_at;
    if (is_fault) model->has_fault = false;
    if (!is_fault || model->extra) buffer_printf(&model->queue, "%s\r\n", reply);
    if (is_fault && model->extra) buffer_printf(&model->queue, "%s\r\n", model->extra);
}

static void content_heard(struct model *model)
{
    const char *verdict = model->turn == model->turn_at ? model->verdict : "250 2.0.0 kept";
    if (model->accepted == 0) verdict = "503 5.5.1 no recipient";
    model->is_closed = !verdict;
    if (!verdict) return;
    for (unsigned i = 0; i < PEOPLE; i++)
        model->was_taken[model->turn][i] = model->accepted & 1u << i && strncmp(verdict, "250", 3) == 0;
    model->accepted = 0;
    say(model, AT_CONTENT, verdict);
    model->is_closed = model->hangs_up && model->turn == model->turn_at;
}

static void rcpt_heard(struct model *model, unsigned who)
{
    bool is_refused = model->refuses_first && who == 0;
    if (!is_refused) model->accepted |= 1u << who;
    say(model, AT_RCPT, is_refused ? "550 5.1.1 nobody" : "250 2.1.5 ok");
}

static void command_heard(struct model *model, struct text line)
{
    if (model->is_closed) return;
    if (text_starts(line, TEXT("EHLO"))) {
        say(model, AT_EHLO, model->offers);
    } else if (text_starts(line, TEXT("MAIL"))) {
        say(model, AT_MAIL, "250 2.1.0 ok");
    } else if (text_starts(line, TEXT("RCPT TO:<"))) {
        rcpt_heard(model, (unsigned)(line.at[9] - '0'));
    } else if (text_starts(line, TEXT("DATA"))) {
        say(model, AT_DATA, model->accepted ? "354 go" : "554 5.5.1 no recipient");
    } else if (text_starts(line, TEXT("<content>"))) {
        content_heard(model);
    } else if (text_starts(line, TEXT("RSET"))) {
        model->accepted = 0;
        say(model, AT_RESET, "250 2.0.0 ok");
    } else if (text_starts(line, TEXT("QUIT"))) {
        if (model->bye) buffer_printf(&model->queue, "%s\r\n", model->bye);
        model->is_closed = true;
    }
}

static void pass(struct play *play)
{
    struct text rest = buffer_text(&play->out), line;
    while (text_next_line(&rest, &line)) command_heard(play->model, line);
    buffer_clear(&play->out);
}

static bool begin(struct play *play)
{
    if (play->begun == TURNS) return false;
    play->model->turn = play->begun;
    struct handover *handover = &play->handovers[play->begun++];
    *handover = (struct handover){ .arena = play->arena, .envelope = &play->envelope, .length = 9 };
    handover_start(handover);
    play->dialogue.trust = play->model->trust;
    assert_int_equal(handover_prepare(handover, &play->dialogue.offered, true), HANDOVER_READY);
    return true;
}

static void content_send(struct play *play)
{
    buffer_add_text(&play->out, TEXT("<content>\r\n"));
    dialogue_content_ends(&play->dialogue, &play->out);
    dialogue_content_sent(&play->dialogue);
}

static void follow(struct play *play, enum dialogue_action action)
{
    for (;;) {
        dialogue_take_done(&play->dialogue);
        if (action == DIALOGUE_READY && begin(play)) {
            action = dialogue_begin(&play->dialogue, &play->handovers[play->begun - 1], &play->out);
            continue;
        }
        play->is_closed = action == DIALOGUE_CLOSE || action == DIALOGUE_READY;
        play->is_waiting =
            action == DIALOGUE_CONTENT && play->model->is_waited_for && !play->dialogue.content_is_bdat;
        if (action == DIALOGUE_CONTENT && !play->is_waiting) content_send(play);
        pass(play);
        return;
    }
}

/* The next reply that is on its way. */
static void hear(struct play *play)
{
    struct model *model = play->model;
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    size_t used;
    struct text all = buffer_text(&model->queue);
    assert_int_equal(reply_parse(&parser, all, &reply, &used), REPLY_WHOLE);
    struct text behind = model->comes_at_once ? text_slice(all, used, all.length) : TEXT_NONE;
    enum dialogue_action action = proof_is_in_step(&play->dialogue, &reply, behind)
                                      ? dialogue_reply(&play->dialogue, &reply, &play->out)
                                      : dialogue_out_of_step(&play->dialogue, &reply, &play->out);
    buffer_consume(&model->queue, used);
    follow(play, action);
}

static void model_fail(const struct model *model, unsigned turn, unsigned who,
                       const struct recipient_result *result)
{
    fail_msg("trust %d, %u recipients%s, %s at place %d of turn %u%s, content %s, QUIT %s: turn %u recipient "
             "%u was %s, told %d %.*s",
             (int)model->trust, model->people, model->refuses_first ? " (one refused)" : "",
             model->extra ? model->extra : "nothing", (int)model->place, model->turn_at,
             model->comes_at_once ? " at once" : "", model->verdict ? model->verdict : "closes",
             model->bye ? model->bye : "closes", turn, who,
             model->was_taken[turn][who] ? "taken" : "not taken", (int)result->ending,
             TEXT_ARG(result->reply));
}

static void ends_check(const struct play *play, bool is_in_step)
{
    const struct model *model = play->model;
    for (unsigned turn = 0; turn < play->begun; turn++) {
        for (unsigned i = 0; i < model->people; i++) {
            const struct recipient_result *result = &play->handovers[turn].results[i];
            bool is_delivered = result->ending == RECIPIENT_DELIVERED;
            if (is_delivered && !model->was_taken[turn][i]) model_fail(model, turn, i, result);
            bool can_show = !model->hangs_up || model->is_waited_for || turn != model->turn_at;
            if (is_in_step && can_show && !is_delivered && model->was_taken[turn][i])
                model_fail(model, turn, i, result);
        }
    }
}

/* Nothing came. */
static void wait_over(struct play *play)
{
    play->is_waiting = false;
    dialogue_waited(&play->dialogue);
    content_send(play);
    pass(play);
}

static void model_play(struct model model, bool is_in_step)
{
    struct play play = { .model = &model, .arena = arena_new(0) };
    play.recipients[0].address = TEXT("0@c");
    play.recipients[1].address = TEXT("1@c");
    play.envelope = (struct envelope){ .sender = TEXT("a@b"),
                                       .recipient_count = model.people,
                                       .recipients = play.recipients };
    dialogue_start(&play.dialogue, TEXT("us"), TLS_OFF, true);
    dialogue_connected(&play.dialogue);
    say(&model, AT_GREETING, "220 hi");
    while (!play.is_closed && (buffer_length(&model.queue) > 0 || play.is_waiting)) {
        if (buffer_length(&model.queue) > 0)
            hear(&play);
        else
            wait_over(&play);
    }
    if (!play.is_closed && (model.is_closed || play.dialogue.surplus > 0)) proof_hung_up(&play.dialogue);
    dialogue_broken(&play.dialogue, "4.4.2", TEXT("lost connection"));
    ends_check(&play, is_in_step);
    buffer_free(&model.queue);
    buffer_free(&play.out);
    arena_free(play.arena);
}

static const char *const offers[] = { "250 s", "250-s\r\n250 PIPELINING", "250-s\r\n250 CHUNKING",
                                      "250-s\r\n250-PIPELINING\r\n250 CHUNKING" };
static const char *const verdicts[] = { "250 2.0.0 kept", "552 5.3.4 no", "451 4.3.0 later",
                                        "221 2.0.0 bye",  "220 hi",       NULL };
static const char *const byes[] = { "221 2.0.0 bye", "250 bye", NULL };
static const char *const extras[] = { "250 2.1.5 once more",
                                      "250 2.0.0 ok",
                                      "250 ok",
                                      "250 2.6.0 queued",
                                      "251 2.1.5 forwarded",
                                      "354 go",
                                      "220 hi",
                                      "221 2.0.0 bye",
                                      "214 help",
                                      "550 5.1.1 no",
                                      "552 5.3.4 no",
                                      "451 4.3.0 later",
                                      "421 4.3.2 going",
                                      "250-two\r\n250 lines",
                                      NULL };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Calls `play` for each server that is in step. */
static void each_server(void (*play)(struct model model))
{
    enum { WAYS = 3 * 3 * COUNT(offers) * COUNT(verdicts) * COUNT(byes) * TURNS * 2 * 3 };
    for (unsigned way = 0; way < WAYS; way++) {
        unsigned left = way;
        struct model model = { .trust = (enum dialogue_trust)(left % 3) };
        left /= 3;
        model.people = left % 3 == 0 ? 1 : 2;
        model.refuses_first = left % 3 == 2;
        left /= 3;
        model.offers = offers[left % COUNT(offers)];
        left /= COUNT(offers);
        model.verdict = verdicts[left % COUNT(verdicts)];
        left /= COUNT(verdicts);
        model.bye = byes[left % COUNT(byes)];
        left /= COUNT(byes);
        model.turn_at = left % TURNS;
        left /= TURNS;
        model.comes_at_once = left % 2;
        left /= 2;
        model.hangs_up = left > 0;
        model.is_waited_for = left > 1;
        if (model.is_waited_for && model.trust != TRUST_NONE) continue;
        play(model);
    }
}

static void play_in_step(struct model model)
{
    model_play(model, true);
}

static void play_out_of_step(struct model model)
{
    model.has_fault = true;
    for (unsigned place = 0; place < PLACES; place++) {
        model.place = (enum place)place;
        for (size_t i = 0; i < COUNT(extras); i++) {
            model.extra = extras[i];
            model_play(model, false);
        }
    }
}

static void test_in_step(void **state)
{
    (void)state;
    each_server(play_in_step);
}

static void test_out_of_step_by_one(void **state)
{
    (void)state;
    each_server(play_out_of_step);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_in_step),
                                        cmocka_unit_test(test_out_of_step_by_one) };
    return cmocka_run_group_tests_name("deliver step", tests, NULL, NULL);
}
