/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What this node learns of its own mail: a linear support vector machine that learns one mail after another
   (dual coordinate ascent) and looks again at some of those before. Pure, and without chance: the same mails
   in the same order make the same weights, bit for bit. */
#ifndef SEKIMORI_SPAM_LEARNER_H
#define SEKIMORI_SPAM_LEARNER_H

#include "spam/mail_vector.h"

enum {
    LEARNER_ACTIVE_MOST = 1000, /* mails that are looked at again */
    LEARNER_ANCHORS_MOST = 1000,
    LEARNER_REPLAYS = 100,   /* of them after each mail that was news */
    LEARNER_CLASS_LEAST = 20 /* mails of each class, before what was learned counts */
};

struct learner;

/* That knows nothing. Never NULL. */
struct learner *learner_new(void);
void learner_free(struct learner *learner); /* NULL is allowed */

/* A mail of which is known what it is, and which stays among those that are looked at again. `base`: the base
   model's margin of it. Copied. Before the first lesson; over LEARNER_ANCHORS_MOST left out. */
void learner_anchor(struct learner *learner, const struct mail_vector *vector, double base, bool is_spam);

/* A lesson. Copied where it is kept. */
void learner_learn(struct learner *learner, const struct mail_vector *vector, double base, bool is_spam);

/* Lessons of a class. Neither anchors nor any weight count. */
uint32_t learner_taught(const struct learner *learner, bool is_spam);

/* VECTOR_SLOTS numbers, borrowed: as they are after the last lesson. */
const float *learner_weights(const struct learner *learner);

/* What was learned of a mail, by such weights: above 0 spam, below ham. */
double learner_local(const float *weights, const struct mail_vector *vector);

/* Both models together: what learner_learn brings to 1 and -1. */
double learner_total(double base, double local);

#endif
