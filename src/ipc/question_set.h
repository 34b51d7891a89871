/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What has to be known of others before a message can be judged, as one set: the questions of its session,
   which last, and those that its content raised, which end with it. Each is asked once, however often it is
   raised. The set has no clock: its owner says when the deadline that all of them share has passed. */
#ifndef SEKIMORI_IPC_QUESTION_SET_H
#define SEKIMORI_IPC_QUESTION_SET_H

#include "ipc/channel.h"
#include "judge/evidence.h"

/* Whose a question is: it and its texts live as long. */
enum question_life { QUESTION_OF_SESSION, QUESTION_OF_MESSAGE, QUESTION_LIVES };

struct question_set {
    struct arena *arenas[QUESTION_LIVES]; /* the set's own arrays are the session's */
    struct question *items;           /* as scan is told them: those of the session, then of the message */
    uint64_t *ids;                    /* at lookup, of each item; 0: nobody was asked, or it is answered */
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

/* NULL: it is not in the set. Valid until the set changes. */
const struct question *question_set_find(const struct question_set *set, enum question_kind kind,
                                         struct text subject);

/* Some question has no answer yet. */
bool question_set_is_open(const struct question_set *set);

/* Some open question was put to nobody yet; question_set_ask puts the first of these to lookup, under this id
   (not 0, and of no question before). One whose subject makes no sense to its kind is as if too late. */
bool question_set_has_unasked(const struct question_set *set);
void question_set_ask(struct question_set *set, struct channel *lookup, uint64_t id, uint32_t deadline_ms);

/* What lookup answered. `value` is borrowed from the frame. */
struct question_answer {
    enum question_kind kind;
    enum answer_status status;
    struct text value;
};

/* False: a frame that is no answer to any kind of question, or malformed. */
bool question_answer_get(struct frame *frame, struct question_answer *out);

/* Takes the answer to the question with that id. One that comes after the deadline is taken too: it counts
   for what the session sends next. False: nobody waits for it (never asked, answered before, its message is
   over), or it is of another kind. */
bool question_set_answer(struct question_set *set, uint64_t id, const struct question_answer *answer);

/* The deadline has passed, or lookup is gone: what is open is what its kind's row says of late answers. */
void question_set_close(struct question_set *set);

/* There is a new lookup: what the session could not be told is open again, and to be asked once more. */
void question_set_reopen(struct question_set *set);

/* Appends the kinds of the open questions: "client-name", with ":2" behind it for two of them. */
void question_set_print_open(const struct question_set *set, struct buffer *out);

#endif
