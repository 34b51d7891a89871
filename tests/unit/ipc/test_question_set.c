/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The set of questions, one story a row: steps in words, and what the set is and what lookup was asked after
   each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "ipc/ask_lookup.h"
#include "ipc/ask_scan.h"
#include "ipc/question_set.h"

enum { STEPS = 10, DEADLINE_MS = 700 };

/* A step is one letter and what belongs to it:
     s1 m1  add to the session's, the message's: the client 192.0.2.1
     k1     known without asking, by the session
     a      ask what was not asked yet; each gets the next id: 1, 2 …
     f1 n1 x1 t1  lookup's answer under id 1: found, none, mismatch, temporary error
     p2     add to the message's: a second opinion; d  opinions are dropped
     c      the deadline has passed (close); r  a new lookup (reopen); o  the message is over (forget)
   `set` is each question in order: its number, then "?" open, "+" found, "-" none, "~" mismatch, "!"
   temperror. `asked` is what lookup got in this step. */
struct step {
    const char *word, *set, *asked;
    bool is_refused; /* add, answer: false */
};

struct story {
    const char *name;
    struct step steps[STEPS];
};

static const struct story stories[] = {
    { "asked and answered", { { "s1", "1?", "" }, { "a", "1?", "1" }, { "f1", "1+", "" } } },
    { "asked once",
      { { "s1", "1?", "" },
        { "a", "1?", "1" },
        { "s1", "1?", "", true },
        { "m1", "1?", "", true },
        { "a", "1?", "" } } },
    { "asked once, raised again when answered",
      { { "s1", "1?", "" },
        { "a", "1?", "1" },
        { "n1", "1-", "" },
        { "m1", "1-", "", true },
        { "a", "1-", "" } } },
    { "each kind of answer",
      { { "s1", "1?", "" },
        { "s2", "1?2?", "" },
        { "s3", "1?2?3?", "" },
        { "s4", "1?2?3?4?", "" },
        { "a", "1?2?3?4?", "1234" },
        { "f1", "1+2?3?4?", "" },
        { "n2", "1+2-3?4?", "" },
        { "x3", "1+2-3~4?", "" },
        { "t4", "1+2-3~4!", "" } } },
    { "answers in any order",
      { { "s1", "1?", "" },
        { "m2", "1?2?", "" },
        { "a", "1?2?", "12" },
        { "f2", "1?2+", "" },
        { "n1", "1-2+", "" } } },
    { "an answer counts once",
      { { "s1", "1?", "" },
        { "a", "1?", "1" },
        { "f1", "1+", "" },
        { "n1", "1+", "", true },
        { "f1", "1+", "", true } } },
    { "an answer to nobody",
      { { "f1", "", "", true },
        { "s1", "1?", "" },
        { "f0", "1?", "", true },
        { "a", "1?", "1" },
        { "f2", "1?", "", true } } },
    { "the deadline closes all that is open",
      { { "s1", "1?", "" },
        { "m2", "1?2?", "" },
        { "m3", "1?2?3?", "" },
        { "a", "1?2?3?", "123" },
        { "n2", "1?2-3?", "" },
        { "c", "1!2-3!", "" } } },
    { "opinions are dropped, and nothing else",
      { { "s1", "1?", "" },
        { "p2", "1?2?", "" },
        { "p3", "1?2?3?", "" },
        { "d", "1?2-3-", "" },
        { "d", "1?2-3-", "", true } } },
    { "what is closed is not asked any more", { { "s1", "1?", "" }, { "c", "1!", "" }, { "a", "1!", "" } } },
    { "a late answer is taken, once",
      { { "s1", "1?", "" },
        { "a", "1?", "1" },
        { "c", "1!", "" },
        { "f1", "1+", "" },
        { "n1", "1+", "", true } } },
    { "a late answer to a message that is over finds nobody",
      { { "m1", "1?", "" },
        { "a", "1?", "1" },
        { "c", "1!", "" },
        { "o", "", "" },
        { "f1", "", "", true } } },
    { "the message's go with it, the session's stay",
      { { "s1", "1?", "" },
        { "m2", "1?2?", "" },
        { "a", "1?2?", "12" },
        { "f1", "1+2?", "" },
        { "o", "1+", "" },
        { "f2", "1+", "", true },
        { "m2", "1+2?", "" },
        { "a", "1+2?", "2" },
        { "f3", "1+2+", "" } } },
    { "the session's stand before the message's",
      { { "m1", "1?", "" },
        { "a", "1?", "1" },
        { "s2", "2?1?", "" },
        { "a", "2?1?", "2" },
        { "n1", "2?1-", "" },
        { "f2", "2+1-", "" },
        { "o", "2+", "" } } },
    { "known without asking", { { "k1", "1+", "" }, { "a", "1+", "" }, { "m1", "1+", "", true } } },
    { "known takes the place of asked",
      { { "s1", "1?", "" }, { "a", "1?", "1" }, { "k1", "1+", "" }, { "n1", "1+", "", true } } },
    { "a new lookup is asked what the old one could not say",
      { { "s1", "1?", "" },
        { "s2", "1?2?", "" },
        { "a", "1?2?", "12" },
        { "n2", "1?2-", "" },
        { "c", "1!2-", "" },
        { "r", "1?2-", "" },
        { "a", "1?2-", "1" },
        { "f1", "1?2-", "", true },
        { "f3", "1+2-", "" } } },
    { "but nothing of a message",
      { { "m1", "1?", "" }, { "a", "1?", "1" }, { "c", "1!", "" }, { "r", "1!", "" }, { "a", "1!", "" } } },
    { "a subject that makes no sense", { { "m?", "??", "" }, { "a", "?!", "" } } },
};

/* --- a set between two ends of a channel --- */

struct scene {
    struct loop *loop;
    struct channel *lookup;
    int far;
    struct arena *session, *message;
    struct question_set set;
    uint64_t last_id;
};

static bool on_frame(void *context, struct frame *frame)
{
    (void)context, (void)frame;
    return false;
}

static void on_closed(void *context)
{
    (void)context;
}

static void scene_open(struct scene *scene)
{
    static const struct channel_events events = { on_frame, on_closed };
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *scene = (struct scene){ .loop = loop_new(), .far = pair[1] };
    scene->lookup = channel_open(scene->loop, pair[0], &events, scene);
    scene->session = arena_new(0);
    scene->message = arena_new(0);
    question_set_begin(&scene->set, scene->session, scene->message);
}

static void scene_close(struct scene *scene)
{
    channel_close(scene->lookup);
    close(scene->far);
    arena_free(scene->session);
    arena_free(scene->message);
    loop_free(scene->loop);
}

/* "1" is 192.0.2.1; "?" is no address. */
static struct text subject_of(struct arena *arena, char number)
{
    return number == '?' ? TEXT("?") : arena_printf(arena, "192.0.2.%c", number);
}

static bool answer(struct scene *scene, char how, uint64_t id)
{
    struct question_answer answer = { .status = how == 'f'   ? ANSWER_FOUND
                                                : how == 'n' ? ANSWER_NONE
                                                : how == 'x' ? ANSWER_MISMATCH
                                                             : ANSWER_TEMPERROR,
                                      .value = TEXT("mx.test") };
    return question_set_answer(&scene->set, id, &answer);
}

/* What add and answer return; else true. */
static bool step_do(struct scene *scene, const char *word)
{
    struct question_set *set = &scene->set;
    struct arena *scratch = arena_new(0);
    struct text subject = word[1] ? subject_of(scratch, word[1]) : TEXT_NONE;
    struct question known = { QUESTION_CLIENT_NAME, subject, ANSWER_FOUND, TEXT("known.test") };
    const struct question_ways ways = { .channels = { [ANSWERER_LOOKUP] = scene->lookup },
                                        .deadline_ms = DEADLINE_MS };
    bool is_taken = true;
    switch (word[0]) {
    case 's':
        is_taken = question_set_add(set, QUESTION_OF_SESSION, QUESTION_CLIENT_NAME, subject);
        break;
    case 'm':
        is_taken = question_set_add(set, QUESTION_OF_MESSAGE, QUESTION_CLIENT_NAME, subject);
        break;
    case 'k':
        question_set_know(set, QUESTION_OF_SESSION, &known);
        break;
    case 'a':
        while (question_set_has_unasked(set)) question_set_ask(set, &ways, ++scene->last_id);
        break;
    case 'p':
        is_taken = question_set_add(set, QUESTION_OF_MESSAGE, QUESTION_OPINION, subject);
        break;
    case 'd':
        is_taken = question_set_drop_opinions(set, NULL);
        break;
    case 'c':
        question_set_close(set);
        break;
    case 'r':
        question_set_reopen(set);
        break;
    case 'o':
        question_set_forget(set);
        arena_reset(scene->message);
        break;
    default:
        is_taken = answer(scene, word[0], (uint64_t)(word[1] - '0'));
    }
    arena_free(scratch); /* the set has its own copies */
    return is_taken;
}

/* Open is what some question is. */
static void set_print(const struct question_set *set, char *out)
{
    bool is_open = false;
    static const char signs[] = { [ANSWER_PENDING] = '?',
                                  [ANSWER_FOUND] = '+',
                                  [ANSWER_NONE] = '-',
                                  [ANSWER_MISMATCH] = '~',
                                  [ANSWER_TEMPERROR] = '!' };
    for (uint32_t i = 0; i < set->count; i++) {
        const struct question *question = &set->items[i];
        *out++ = question->subject.at[question->subject.length - 1];
        *out++ = signs[question->status];
        is_open = is_open || question->status == ANSWER_PENDING;
        if (question->status == ANSWER_FOUND) assert_true(text_ends(question->value, TEXT(".test")));
    }
    *out = '\0';
    assert_int_equal(question_set_is_open(set), is_open);
}

static void asked_print(struct scene *scene, char *out)
{
    struct frame frame;
    struct address client;
    uint32_t deadline_ms;
    channel_flush(scene->lookup);
    while (channel_wait(scene->far, 0, &frame)) {
        assert_int_equal(frame.type, LOOKUP_CLIENT_NAME);
        assert_true(lookup_client_get(&frame, &deadline_ms, &client));
        assert_int_equal(deadline_ms, DEADLINE_MS);
        *out++ = (char)('0' + client.bytes[15]);
    }
    *out = '\0';
}

static void step_check(struct scene *scene, const struct story *story, const struct step *step)
{
    char set[64], asked[64];
    bool is_taken = step_do(scene, step->word);
    set_print(&scene->set, set);
    asked_print(scene, asked);
    if (is_taken == step->is_refused || strcmp(set, step->set) != 0 || strcmp(asked, step->asked) != 0)
        fail_msg("%s: %s: taken %d, \"%s\", asked \"%s\"", story->name, step->word, is_taken, set, asked);
}

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        struct scene scene;
        scene_open(&scene);
        for (int k = 0; k < STEPS && stories[i].steps[k].word; k++)
            step_check(&scene, &stories[i], &stories[i].steps[k]);
        scene_close(&scene);
    }
}

/* --- bounds, frames, words --- */

static void test_bounded(void **state)
{
    (void)state;
    struct scene scene;
    char room[32];
    scene_open(&scene);
    for (int i = 0; i < QUESTIONS_MOST + 10; i++) {
        snprintf(room, sizeof room, "192.0.2.%d", i);
        bool is_in = question_set_add(&scene.set, QUESTION_OF_MESSAGE, QUESTION_CLIENT_NAME, text_of(room));
        assert_int_equal(is_in, i < QUESTIONS_MOST);
    }
    assert_int_equal(scene.set.count, QUESTIONS_MOST);
    assert_false(question_set_add(&scene.set, QUESTION_OF_SESSION, QUESTION_CLIENT_NAME, TEXT("::1")));
    const struct question known = { QUESTION_CLIENT_NAME, TEXT("::1"), ANSWER_FOUND, TEXT("known.test") };
    question_set_know(&scene.set, QUESTION_OF_SESSION, &known);
    assert_null(question_set_find(&scene.set, QUESTION_CLIENT_NAME, TEXT("::1")));
    assert_non_null(question_set_find(&scene.set, QUESTION_CLIENT_NAME, TEXT("192.0.2.99")));
    scene_close(&scene);
}

/* What was asked ahead of a header, and its content does not raise, is as if never asked; what is asked of
   others stays. */
static void test_strays(void **state)
{
    (void)state;
    struct scene scene;
    struct question raised[] = { { .kind = QUESTION_KEY, .subject = TEXT("b") },
                                 { .kind = QUESTION_HISTORY, .subject = TEXT("d") } };
    const struct facts facts = { .question_count = 2, .questions = raised };
    static const struct {
        enum question_kind kind;
        const char *subject;
        bool is_kept;
    } rows[] = { { QUESTION_SPF, "s", true },     { QUESTION_KEY, "a", false },
                 { QUESTION_KEY, "b", true },     { QUESTION_POLICY, "b", false },
                 { QUESTION_LIST, "l", true },    { QUESTION_HISTORY, "c", false },
                 { QUESTION_HISTORY, "d", true }, { QUESTION_RATE, "r", true },
                 { QUESTION_ENGINE, "e", true } };
    scene_open(&scene);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        question_set_add(&scene.set, QUESTION_OF_MESSAGE, rows[i].kind, text_of(rows[i].subject));
    scene.set.ids[6] = 77;
    question_set_drop_strays(&scene.set, &facts);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_kept = question_set_find(&scene.set, rows[i].kind, text_of(rows[i].subject));
        if (is_kept != rows[i].is_kept) fail_msg("%d %s", rows[i].kind, rows[i].subject);
    }
    const struct question_answer answer = { QUESTION_HISTORY, ANSWER_NONE, TEXT_NONE };
    assert_true(question_set_answer(&scene.set, 77, &answer));
    scene_close(&scene);
}

/* Of another client everything is new. */
static void test_begin(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    step_do(&scene, "s1");
    step_do(&scene, "a");
    arena_reset(scene.session);
    question_set_begin(&scene.set, scene.session, scene.message);
    assert_int_equal(scene.set.count, 0);
    assert_false(answer(&scene, 'f', 1));
    assert_true(step_do(&scene, "s1"));
    assert_true(question_set_has_unasked(&scene.set));
    scene_close(&scene);
}

static void test_frames(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        struct client_name name;
        size_t cut;
        bool is_good;
        enum answer_status status;
    } rows[] = {
        { LOOKUP_CLIENT_NAME_IS, { CLIENT_NAME_CONFIRMED, { "mx.test", 7 } }, 0, true, ANSWER_FOUND },
        { LOOKUP_CLIENT_NAME_IS, { CLIENT_NAME_UNCONFIRMED, { "mx.test", 7 } }, 0, true, ANSWER_MISMATCH },
        { LOOKUP_CLIENT_NAME_IS, { CLIENT_NAME_NONE, { NULL, 0 } }, 0, true, ANSWER_NONE },
        { LOOKUP_CLIENT_NAME_IS, { CLIENT_NAME_TEMPERROR, { NULL, 0 } }, 0, true, ANSWER_TEMPERROR },
        { LOOKUP_CLIENT_NAME_IS, { CLIENT_NAME_CONFIRMED, { "mx.test", 7 } }, 1, false, 0 },
        { LOOKUP_CLIENT_NAME_IS, { CLIENT_NAME_TEMPERROR + 1, { NULL, 0 } }, 0, false, 0 },
        { LOOKUP_CLIENT_NAME, { CLIENT_NAME_CONFIRMED, { "mx.test", 7 } }, 0, false, 0 },
        { LOOKUP_HOST_IS, { CLIENT_NAME_CONFIRMED, { "mx.test", 7 } }, 0, false, 0 },
        { 0, { CLIENT_NAME_CONFIRMED, { "mx.test", 7 } }, 0, false, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer payload = { 0 };
        client_name_put(&rows[i].name, &payload);
        struct text bytes = buffer_text(&payload);
        struct frame frame = { .type = rows[i].type,
                               .payload = text_slice(bytes, 0, bytes.length - rows[i].cut) };
        struct question_answer answer;
        if (question_answer_get(&frame, ANSWERER_LOOKUP, &answer) != rows[i].is_good) fail_msg("row %zu", i);
        if (rows[i].is_good) {
            assert_int_equal(answer.kind, QUESTION_CLIENT_NAME);
            assert_int_equal(answer.status, rows[i].status);
            assert_true(text_equal(answer.value, rows[i].name.name));
        }
        buffer_free(&payload);
    }
}

/* The set goes to scan as it is, with the facts that raised a part of it: whole or not at all. */
static void test_travels(void **state)
{
    (void)state;
    struct scene scene;
    struct scan_question question = { .occasion = {
                                          .id = 7, .direction = DIRECTION_OUT, .helo = TEXT("helo") } };
    struct found found = { 0 };
    struct question raised = { QUESTION_CLIENT_NAME, TEXT("192.0.2.2"), ANSWER_PENDING, TEXT_NONE };
    struct facts facts = { .question_count = 1, .questions = &raised };
    struct buffer bytes = { 0 }, payload = { 0 };
    scene_open(&scene);
    step_do(&scene, "k1");
    step_do(&scene, "m2");
    step_do(&scene, "c");
    facts_put(&facts, &bytes);
    found.facts = arena_text(scene.message, buffer_text(&bytes));
    buffer_clear(&bytes);
    found_put(&found, &bytes);
    question.questions = scene.set.items;
    question.question_count = scene.set.count;
    scan_decide_put(&question, buffer_text(&bytes), &payload);
    for (size_t length = 0; length <= buffer_length(&payload); length++) {
        struct frame frame = { .id = 7, .payload = text_slice(buffer_text(&payload), 0, length) };
        bool is_good = scan_decide_get(scene.message, &frame, &question, &found) &&
                       found_facts(scene.message, &found, &facts);
        const struct question *answers = question.questions;
        uint32_t count = question.question_count;
        if (is_good != (length == buffer_length(&payload))) fail_msg("cut to %zu: %d", length, is_good);
        if (!is_good) continue;
        assert_int_equal(count, 2);
        assert_int_equal(answers[0].status, ANSWER_FOUND);
        assert_true(text_equal(answers[0].value, TEXT("known.test")));
        assert_int_equal(answers[1].status, ANSWER_TEMPERROR);
        assert_true(questions_find(answers, count, facts.questions[0].kind, facts.questions[0].subject) ==
                    &answers[1]);
    }
    buffer_free(&bytes);
    buffer_free(&payload);
    scene_close(&scene);
}

static void test_open_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *steps[4], *words;
    } rows[] = {
        { { 0 }, "" },
        { { "s1" }, "client-name" },
        { { "s1", "m2", "m3" }, "client-name:3" },
        { { "s1", "m2", "a", "n1" }, "client-name" },
        { { "s1", "c" }, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        struct buffer words = { 0 };
        scene_open(&scene);
        for (int k = 0; k < 4 && rows[i].steps[k]; k++) step_do(&scene, rows[i].steps[k]);
        question_set_print_open(&scene.set, &words);
        if (!text_equal(buffer_text(&words), text_of(rows[i].words)))
            fail_msg("row %zu: %.*s", i, TEXT_ARG(buffer_text(&words)));
        buffer_free(&words);
        scene_close(&scene);
    }
}

/* What a taken-over worker raises of consult, with a name that leaves no room in the frame, is not asked. */
static void test_an_endless_name(void **state)
{
    static const enum question_kind kinds[] = { QUESTION_ENGINE, QUESTION_OPINION };
    static char name[FRAME_LIMIT - 1000], envelope[4000];
    memset(name, 'x', sizeof name);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct scene scene;
        struct body body = { 0 };
        scene_open(&scene);
        const struct question_ways ways = { .channels = { [ANSWERER_CONSULT] = scene.lookup },
                                            .body = &body,
                                            .envelope = text_from(envelope, sizeof envelope) };
        question_set_add(&scene.set, QUESTION_OF_MESSAGE, kinds[i], text_from(name, sizeof name));
        question_set_ask(&scene.set, &ways, 1);
        assert_int_equal(scene.set.items[0].status, ANSWER_TEMPERROR);
        assert_false(question_set_is_open(&scene.set));
        scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories), cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_strays),  cmocka_unit_test(test_begin),
        cmocka_unit_test(test_frames),  cmocka_unit_test(test_open_in_words),
        cmocka_unit_test(test_travels), cmocka_unit_test(test_an_endless_name)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
