/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What has to be known of others before a message can be judged, as one set: the questions of its session,
   which last, and those that its content raised, which end with it. Each is asked once, however often it is
   raised. The set has no clock: its owner says when the deadline that all of them share has passed. */
#ifndef SEKIMORI_IPC_QUESTION_SET_H
#define SEKIMORI_IPC_QUESTION_SET_H

#include "ipc/body.h"
#include "ipc/channel.h"
#include "judge/evidence.h"

/* Whose a question is: it and its texts live as long. */
enum question_life { QUESTION_OF_SESSION, QUESTION_OF_MESSAGE, QUESTION_LIVES };

struct question_set {
    struct arena *arenas[QUESTION_LIVES]; /* the set's own arrays are the session's */
    struct question *items; /* as scan is told them: those of the session, then of the message */
    uint64_t *ids;          /* at its answerer, of each item; 0: nobody was asked, or it is answered */
    uint32_t count, of_session, room; /* items; the first of them; allocated */
};

/* Empties the set: the session stands for another client. Both arenas outlive it, each until its texts do. */
void question_set_begin(struct question_set *set, struct arena *session, struct arena *message);

/* The message is over, and its arena about to be reset: its questions are forgotten, and their answers find
   nobody. */
void question_set_forget(struct question_set *set);

/* Puts a question in, open. `subject` is copied. False: it is there already, or the set has QUESTIONS_MOST.
 */
bool question_set_add(struct question_set *set, enum question_life life, enum question_kind kind,
                      struct text subject);

/* The answer is known without asking; it takes the place of what was known. Texts are copied. */
void question_set_know(struct question_set *set, enum question_life life, const struct question *known);

/* Of the message, those that are stray to these facts (judge/evidence.h) are forgotten, answered or not. */
void question_set_drop_strays(struct question_set *set, const struct facts *facts);

/* NULL: it is not in the set. Valid until the set changes. */
const struct question *question_set_find(const struct question_set *set, enum question_kind kind,
                                         struct text subject);

/* Some question has no answer yet. */
bool question_set_is_open(const struct question_set *set);

/* Who answers which kind. */
enum question_answerer { ANSWERER_LOOKUP, ANSWERER_CONSULT, ANSWERERS };

struct question_ways {
    struct channel *channels[ANSWERERS]; /* NULL: it is being restarted */
    struct body *body;                   /* of the message; for the kinds that go with it */
    struct text envelope;                /* consult_envelope_put; for second opinions */
    uint32_t deadline_ms;                /* of lookup */
};

/* Some open question was put to nobody yet; question_set_ask puts the first of these to its answerer, under
   this id (not 0, and of no question before). One whose answerer is away, or whose subject makes no sense to
   its kind, is as if too late. */
bool question_set_has_unasked(const struct question_set *set);
void question_set_ask(struct question_set *set, const struct question_ways *ways, uint64_t id);

/* What was asked of consult and not answered, by its ids there: the message is over. */
void question_set_cancel(const struct question_set *set, struct channel *consult);

/* The message's lot is certain: opinions that are open are not waited for (ANSWER_NONE), and consult, NULL:
   it is away, is told. True: there was one. */
bool question_set_drop_opinions(struct question_set *set, struct channel *consult);

/* What was answered. `value` is borrowed from the frame. */
struct question_answer {
    enum question_kind kind;
    enum answer_status status;
    struct text value;
};

/* False: a frame that is no answer to any kind of question that `from` answers, or malformed. */
bool question_answer_get(struct frame *frame, enum question_answerer from, struct question_answer *out);

/* Takes the answer to the question with that id. One that comes after the deadline is taken too: it counts
   for what the session sends next. False: nobody waits for it (never asked, answered before, its message is
   over), or it is of another kind. */
bool question_set_answer(struct question_set *set, uint64_t id, const struct question_answer *answer);

/* The deadline has passed: what is open is what its kind's row says of late answers. */
void question_set_close(struct question_set *set);
/* The same of what one answerer was to say, who is gone. */
void question_set_close_of(struct question_set *set, enum question_answerer gone);
/* Some question to it has no answer yet. */
bool question_set_awaits(const struct question_set *set, enum question_answerer answerer);

/* There is a new lookup: what the session could not be told is open again, and to be asked once more. */
void question_set_reopen(struct question_set *set);

/* Appends the kinds of the open questions: "client-name", with ":2" behind it for two of them. */
void question_set_print_open(const struct question_set *set, struct buffer *out);

#endif
