/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What this node learns of its own mail: the log, the learner in memory, its snapshot on disk and what scan
   sees of it. Called by ledger's main and its commands. */
#ifndef SEKIMORI_LEDGER_LEARNING_LEARNING_H
#define SEKIMORI_LEDGER_LEARNING_LEARNING_H

#include "base/loop.h"
#include "ipc/learned_page.h"
#include "spam/lesson_log.h"

struct config;
struct learning;

struct learning_facts {
    uint32_t ham, spam; /* lessons that the model in force was made of */
    uint32_t automatic[2]; /* of those in the log: ham, spam that nobody said */
    size_t lessons;     /* in the log; others than those only while it is made anew */
    uint32_t anchors;
    uint64_t bytes, oldest_ms, changed_ms;
    bool counts;         /* enough of both classes */
    double trust;        /* local_model_trust */
    bool is_settled;     /* no change waits to be in force */
    const char *trouble; /* a file that was damaged since this process started; empty: none */
};

enum learning_outcome {
    LEARNING_TAUGHT,
    LEARNING_CHANGED, /* it was known as the other class, and is of this one now */
    LEARNING_KNOWN,   /* as the same class: nothing is done */
    LEARNING_MISSING, /* to undo: there is none */
    LEARNING_SEVERAL, /* to undo: those digits begin more than one */
    LEARNING_FAILED   /* it could not be written: errno */
};

/* Before the jail closes: reads the mails against one-sided teaching beside the base model. `page` may be
   NULL: nobody sees what is learned. */
struct learning *learning_new(struct loop *loop, const struct config *config, struct learned_page *page);
void learning_set_config(struct learning *learning, const struct config *config); /* borrowed */

/* Reads what was learned; `folder` is borrowed. What is damaged is set aside, and said in the log. */
void learning_start(struct learning *learning, int folder);
void learning_free(struct learning *learning); /* with what waits written */

/* A time of 0 is now. The outcome holds over a crash once learning_sync was true. */
enum learning_outcome learning_teach(struct learning *learning, const struct lesson *lesson);
/* What nobody said: only a mail that was neither taught nor taken back is, else LEARNING_KNOWN. */
enum learning_outcome learning_teach_automatic(struct learning *learning, const struct lesson *lesson,
                                               const struct lesson_origin *origin);
/* By the first digits of a mail's id, eight at least; `out_id` is which. */
enum learning_outcome learning_undo(struct learning *learning, struct text digits,
                                    uint8_t out_id[LESSON_ID_BYTES]);
/* That mail was taught as that class, and not taken back. */
bool learning_knows(const struct learning *learning, const uint8_t id[LESSON_ID_BYTES], bool is_spam);
/* Neither taught nor, as long as the log remembers, taken back. */
bool learning_is_news(const struct learning *learning, const uint8_t id[LESSON_ID_BYTES]);
/* And nobody said so. */
bool learning_is_automatic(const struct learning *learning, const uint8_t id[LESSON_ID_BYTES]);
/* Takes back that one where it was learned so; else LEARNING_MISSING. All such; false: not all could be
   written. */
enum learning_outcome learning_undo_automatic(struct learning *learning, const uint8_t id[LESSON_ID_BYTES]);
bool learning_undo_all_automatic(struct learning *learning, uint32_t out_taken[2]);

/* One that is in force. */
struct learning_automatic {
    bool is_spam;
    uint64_t time_ms;
    const struct lesson_origin *origin; /* borrowed until the next change */
};
/* The next from *place on, which begins with 0 and moves behind it. False: there are no more. */
bool learning_automatic_next(const struct learning *learning, size_t *place, struct learning_automatic *out);

/* What was taught and taken back is on disk. False with errno. */
bool learning_sync(struct learning *learning);

/* For status, health and `sekimori model stat`. */
void learning_look(const struct learning *learning, struct learning_facts *out);

/* The file of lessons, without those taken back, to be read; the caller's. -1 with errno. */
int learning_export(struct learning *learning);

#endif
