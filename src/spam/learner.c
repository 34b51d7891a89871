/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/learner.h"

#include <stdlib.h>

/* How far a single mail may move the weights: less while labels contradict what was learned, since a wrong
   label does as much harm as it may. */
static const double COST_MOST = 3, COST_LEAST = 1;
static const double CONTRADICTION = 0.3, CONTRADICTIONS_FEW = 0.02, CONTRADICTIONS_MANY = 0.04;
static const double MEMORY = 0.995; /* of contradictions: the last 200 lessons */
static const double BASE_SHARE = 0.5;
static const uint64_t SEED = 0x9E3779B97F4A7C15u;

struct example {
    struct mail_vector vector; /* its slots are owned */
    double values[VECTOR_BLOCKS];
    double base, alpha;
    int label; /* 1: spam; -1: ham */
};

struct learner {
    float weights[VECTOR_SLOTS];
    struct example anchors[LEARNER_ANCHORS_MOST], active[LEARNER_ACTIVE_MOST];
    uint32_t anchor_count, active_count, active_next; /* where the next one goes, once it is full */
    uint32_t taught[2];
    double contradictions; /* share of lessons, those long ago hardly counted */
    uint64_t random;
};

struct learner *learner_new(void)
{
    struct learner *learner = memory_alloc(sizeof *learner);
    learner->random = SEED;
    return learner;
}

void learner_free(struct learner *learner)
{
    if (!learner) return;
    for (uint32_t i = 0; i < learner->anchor_count; i++) free(learner->anchors[i].vector.slots);
    for (uint32_t i = 0; i < learner->active_count; i++) free(learner->active[i].vector.slots);
    free(learner);
}

static uint32_t draw(struct learner *learner, uint32_t most)
{
    learner->random ^= learner->random << 13;
    learner->random ^= learner->random >> 7;
    learner->random ^= learner->random << 17;
    return (uint32_t)(learner->random >> 32) % most;
}

/* --- margins --- */

static double margin_of(const float *weights, const struct mail_vector *vector,
                        const double values[VECTOR_BLOCKS])
{
    const uint32_t *slots = vector->slots;
    double sum = 0;
    for (int block = 0; block < VECTOR_BLOCKS; block++) {
        double of_block = 0;
        for (uint32_t i = 0; i < vector->counts[block]; i++) of_block += (double)weights[slots[i]];
        sum += of_block * values[block];
        slots += vector->counts[block];
    }
    return sum;
}

double learner_local(const float *weights, const struct mail_vector *vector)
{
    double values[VECTOR_BLOCKS];
    vector_values(vector, values);
    return margin_of(weights, vector, values);
}

double learner_total(double base, double local)
{
    return BASE_SHARE * base + local;
}

static double total_of(const struct learner *learner, const struct example *example)
{
    return learner_total(example->base, margin_of(learner->weights, &example->vector, example->values));
}

/* --- steps --- */

static void weights_move(struct learner *learner, const struct example *example, double by)
{
    const uint32_t *slots = example->vector.slots;
    for (int block = 0; block < VECTOR_BLOCKS; block++) {
        float change = (float)(by * example->values[block]);
        for (uint32_t i = 0; i < example->vector.counts[block]; i++) learner->weights[slots[i]] += change;
        slots += example->vector.counts[block];
    }
}

static double cost_now(const struct learner *learner)
{
    double over = (learner->contradictions - CONTRADICTIONS_FEW) / (CONTRADICTIONS_MANY - CONTRADICTIONS_FEW);
    if (over <= 0) return COST_MOST;
    return over >= 1 ? COST_LEAST : COST_MOST - over * (COST_MOST - COST_LEAST);
}

/* One of dual coordinate ascent; vectors have length 1. */
static void step(struct learner *learner, struct example *example, double cost)
{
    double before = example->alpha;
    double wanted = before - (example->label * total_of(learner, example) - 1);
    example->alpha = wanted < 0 ? 0 : wanted > cost ? cost : wanted;
    if (example->alpha != before) weights_move(learner, example, (example->alpha - before) * example->label);
}

static void replay(struct learner *learner, double cost)
{
    uint32_t count = learner->anchor_count + learner->active_count;
    for (int i = 0; i < LEARNER_REPLAYS && count > 0; i++) {
        uint32_t drawn = draw(learner, count);
        bool is_anchor = drawn < learner->anchor_count;
        step(learner, is_anchor ? &learner->anchors[drawn] : &learner->active[drawn - learner->anchor_count],
             cost);
    }
}

/* --- lessons --- */

static void example_begin(struct example *example, const struct mail_vector *vector, double base,
                          bool is_spam)
{
    *example = (struct example){ .vector = *vector, .base = base, .label = is_spam ? 1 : -1 };
    vector_values(vector, example->values);
}

/* Takes the place of the oldest where there is none. What that one moved stays moved. */
static struct example *example_keep(struct learner *learner, struct example *example, uint32_t *count,
                                    uint32_t most, struct example *all)
{
    uint32_t total = vector_total(&example->vector);
    struct example *place = *count < most ? &all[(*count)++] : &all[learner->active_next++ % most];
    free(place->vector.slots);
    *place = *example;
    place->vector.slots = memory_alloc((total + 1) * sizeof *place->vector.slots);
    memcpy(place->vector.slots, example->vector.slots, total * sizeof *place->vector.slots);
    return place;
}

void learner_anchor(struct learner *learner, const struct mail_vector *vector, double base, bool is_spam)
{
    struct example example;
    if (learner->anchor_count == LEARNER_ANCHORS_MOST) return;
    example_begin(&example, vector, base, is_spam);
    example_keep(learner, &example, &learner->anchor_count, LEARNER_ANCHORS_MOST, learner->anchors);
}

void learner_learn(struct learner *learner, const struct mail_vector *vector, double base, bool is_spam)
{
    struct example example;
    example_begin(&example, vector, base, is_spam);
    double agrees = example.label * total_of(learner, &example);
    double is_contradiction = agrees < -CONTRADICTION;
    learner->taught[is_spam]++;
    learner->contradictions = MEMORY * learner->contradictions + (1 - MEMORY) * is_contradiction;
    if (agrees >= 1) return;
    double cost = cost_now(learner);
    step(learner,
         example_keep(learner, &example, &learner->active_count, LEARNER_ACTIVE_MOST, learner->active), cost);
    replay(learner, cost);
}

uint32_t learner_taught(const struct learner *learner, bool is_spam)
{
    return learner->taught[is_spam];
}

const float *learner_weights(const struct learner *learner)
{
    return learner->weights;
}
