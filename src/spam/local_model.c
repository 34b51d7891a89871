/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/local_model.h"

#include <math.h>
#include <stdlib.h>

static const char mark[8] = { 'S', 'E', 'K', 'I', 'L', 'O', 'C', 'L' };
/* Points of a margin of 1, and the bounds: see doc/spam.md. */
static const double POINTS = 11, POINTS_MOST = 9, POINTS_LEAST = -6;
static const double AUTOMATIC_DOUBT = 0.75; /* what nobody said counts so much less */
static const double UNEVEN = 5; /* so many times as many of one class as of the other count in full */

static uint64_t checksum_of(const struct local_head *head, struct text weights)
{
    struct text before = text_from((const char *)head, offsetof(struct local_head, checksum));
    return text_checksum_on(text_checksum(before), weights);
}

double local_model_share(size_t lessons, size_t automatic)
{
    return lessons ? 1 - AUTOMATIC_DOUBT * (double)automatic / (double)lessons : 1;
}

void local_model_write(const struct learner *learner, uint64_t time_ms, double share, struct buffer *out)
{
    float *scaled = memory_alloc(VECTOR_SLOTS * sizeof *scaled);
    struct text weights = text_from((const char *)scaled, VECTOR_SLOTS * sizeof *scaled);
    for (size_t i = 0; i < VECTOR_SLOTS; i++) scaled[i] = (float)(learner_weights(learner)[i] * share);
    struct local_head head = { .version = LOCAL_MODEL_VERSION,
                               .bits = VECTOR_BITS,
                               .ham = learner_taught(learner, false),
                               .spam = learner_taught(learner, true),
                               .time_ms = time_ms };
    memcpy(head.mark, mark, sizeof head.mark);
    head.checksum = checksum_of(&head, weights);
    buffer_add(out, &head, sizeof head);
    buffer_add_text(out, weights);
    free(scaled);
}

static const char *head_read(struct text image, struct local_head *out)
{
    if (image.length != LOCAL_MODEL_BYTES) return "its size is not that of a model";
    memcpy(out, image.at, sizeof *out);
    if (memcmp(out->mark, mark, sizeof mark) != 0) return "it is no local model";
    if (out->version != LOCAL_MODEL_VERSION || out->bits != VECTOR_BITS) return "it is of another version";
    return NULL;
}

const char *local_model_fault(struct text image)
{
    struct local_head head;
    const char *fault = head_read(image, &head);
    if (fault) return fault;
    struct text weights = text_slice(image, sizeof head, image.length);
    if (checksum_of(&head, weights) != head.checksum) return "it is damaged";
    for (size_t i = 0; i < VECTOR_SLOTS; i++) {
        float weight;
        memcpy(&weight, weights.at + i * sizeof weight, sizeof weight);
        if (!(fabsf(weight) < 1e6f)) return "a weight in it is no number";
    }
    return NULL;
}

bool local_model_use(struct text image, struct local_model *out)
{
    struct local_head head;
    if (head_read(image, &head)) return false;
    *out = (struct local_model){ (const float *)(const void *)(image.at + sizeof head), head.ham, head.spam };
    return head.ham >= LEARNER_CLASS_LEAST && head.spam >= LEARNER_CLASS_LEAST;
}

double local_model_trust(const struct local_model *model)
{
    double few = model->ham < model->spam ? model->ham : model->spam;
    double many = model->ham < model->spam ? model->spam : model->ham;
    return UNEVEN * few >= many ? 1 : UNEVEN * few / many;
}

double local_model_points(const struct local_model *model, double local)
{
    double points = POINTS * local;
    if (!isfinite(points)) return 0;
    if (points > POINTS_MOST) points = POINTS_MOST;
    if (points < POINTS_LEAST) points = POINTS_LEAST;
    return points * local_model_trust(model);
}
