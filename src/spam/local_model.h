/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The local model as judging uses it: the weights of one moment. An image of it is a file of ledger's and
   what ledger shows to scan. Pure. */
#ifndef SEKIMORI_SPAM_LOCAL_MODEL_H
#define SEKIMORI_SPAM_LOCAL_MODEL_H

#include "spam/learner.h"

/* As an image begins, little-endian; VECTOR_SLOTS floats follow. */
struct local_head {
    char mark[8];
    uint32_t version, bits;
    uint32_t ham, spam; /* lessons it was made of */
    uint64_t time_ms;   /* of the last change, by the wall clock */
    uint64_t checksum;  /* of what stands before it, and of the floats */
};

enum {
    LOCAL_MODEL_VERSION = VECTOR_VERSION + 1, /* of either: the other one's goes up with it */
    LOCAL_MODEL_BYTES = sizeof(struct local_head) + VECTOR_SLOTS * sizeof(float)
};

struct local_model {
    const float *weights; /* borrowed from the image */
    uint32_t ham, spam;
};

/* Appends the image. `share`: of what the learner says of a mail so much is said, 0 to 1. */
void local_model_write(const struct learner *learner, uint64_t time_ms, double share, struct buffer *out);

/* That share, of so many lessons, of which so many nobody said: these count a quarter, since they are the
   mails that rules know already, and what is like them least of all. */
double local_model_share(size_t lessons, size_t automatic);

/* NULL: a good image; else why it is none, a literal. Reads all of it. */
const char *local_model_fault(struct text image);

/* Reads the head alone: whoever made the image is believed. False: it is none, or of too few lessons of a
   class (LEARNER_CLASS_LEAST) to count. */
bool local_model_use(struct text image, struct local_model *out);

/* How much what was learned counts, 0 to 1: less where one class was taught far more often than the other. */
double local_model_trust(const struct local_model *model);

/* What a margin of learner_local is worth; finite whatever the weights are. */
double local_model_points(const struct local_model *model, double local);

#endif
