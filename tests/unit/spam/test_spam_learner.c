/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The learner on mails that are drawn: it learns, the same lessons make the same weights, a wrong label in
   ten does little, one class alone is held back, anchors hold the other; and what an image is refused for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spam/local_model.h"

enum { WORDS = 60, MAILS = 600 };

static uint64_t drawn = 88172645463325252u;

static uint32_t draw(uint32_t most)
{
    drawn ^= drawn << 13;
    drawn ^= drawn >> 7;
    drawn ^= drawn << 17;
    return (uint32_t)(drawn >> 32) % most;
}

/* Sixty features: of each class's own thousand one in four, the others of what all mails have. */
static struct mail_vector vector_draw(struct arena *arena, bool is_spam)
{
    struct mail_vector vector = { .slots = arena_alloc_array(arena, WORDS, sizeof *vector.slots) };
    vector.counts[VECTOR_TEXT] = WORDS;
    for (int i = 0; i < WORDS; i++)
        vector.slots[i] = draw(4) == 0 ? 10000 + 5000 * is_spam + draw(1000) : draw(4000);
    return vector;
}

/* Of a hundred mails of each class that were never taught: how many are on the wrong side. */
static int errors_of(const struct learner *learner)
{
    int errors = 0;
    struct arena *arena = arena_new(0);
    for (int i = 0; i < 200; i++) {
        struct mail_vector vector = vector_draw(arena, i % 2);
        errors += (learner_local(learner_weights(learner), &vector) > 0) != i % 2;
    }
    arena_free(arena);
    return errors;
}

static void mails_learn(struct learner *learner, int wrong_in)
{
    struct arena *arena = arena_new(0);
    for (int i = 0; i < MAILS; i++) {
        bool is_spam = draw(2), is_wrong = wrong_in && draw(wrong_in) == 0;
        struct mail_vector vector = vector_draw(arena, is_spam);
        learner_learn(learner, &vector, 0, is_spam != is_wrong);
    }
    arena_free(arena);
}

static void test_it_learns(void **state)
{
    struct learner *clean = learner_new(), *poisoned = learner_new();
    mails_learn(clean, 0);
    mails_learn(poisoned, 10);
    int errors = errors_of(clean), poisoned_errors = errors_of(poisoned);
    assert_true(errors <= 4);
    assert_true(poisoned_errors <= 14); /* a tenth of the labels is wrong; of real mails: doc/spam.md */
    assert_int_equal(learner_taught(clean, true) + learner_taught(clean, false), MAILS);
    learner_free(clean);
    learner_free(poisoned);
}

static void test_the_same_lessons_make_the_same_weights(void **state)
{
    struct learner *one = learner_new(), *other = learner_new();
    uint64_t from = drawn;
    mails_learn(one, 10);
    drawn = from;
    mails_learn(other, 10);
    assert_memory_equal(learner_weights(one), learner_weights(other), VECTOR_SLOTS * sizeof(float));
    learner_free(one);
    learner_free(other);
}

static double points_of(const struct learner *learner, bool is_spam)
{
    struct buffer image = { 0 };
    struct local_model model;
    struct arena *arena = arena_new(0);
    local_model_write(learner, 1, 1, &image);
    assert_null(local_model_fault(buffer_text(&image)));
    double most = 0;
    bool counts = local_model_use(buffer_text(&image), &model);
    for (int i = 0; i < 100 && counts; i++) {
        struct mail_vector vector = vector_draw(arena, is_spam);
        most = fmax(most, local_model_points(&model, learner_local(model.weights, &vector)));
    }
    arena_free(arena);
    buffer_free(&image);
    return most;
}

static void lessons_of_a_class(struct learner *learner, int count, bool is_spam)
{
    struct arena *arena = arena_new(0);
    for (int i = 0; i < count; i++) {
        struct mail_vector vector = vector_draw(arena, is_spam);
        learner_learn(learner, &vector, 0, is_spam);
    }
    arena_free(arena);
}

static void test_one_class_alone(void **state)
{
    struct learner *learner = learner_new();
    lessons_of_a_class(learner, MAILS, true);
    assert_true(points_of(learner, false) == 0 && points_of(learner, true) == 0);
    lessons_of_a_class(learner, LEARNER_CLASS_LEAST, false);
    assert_true(points_of(learner, true) > 0.5);
    assert_true(points_of(learner, false) < 2); /* twenty of six hundred count for a sixth */
    learner_free(learner);
}

static void test_anchors_hold_the_other_class(void **state)
{
    struct arena *arena = arena_new(0);
    struct learner *plain = learner_new(), *anchored = learner_new();
    for (int i = 0; i < 400; i++) {
        struct mail_vector vector = vector_draw(arena, i % 2);
        learner_anchor(anchored, &vector, 0, i % 2);
    }
    uint64_t from = drawn;
    lessons_of_a_class(plain, 300, true);
    drawn = from;
    lessons_of_a_class(anchored, 300, true);
    assert_true(errors_of(plain) > 60 && errors_of(anchored) < 20);
    assert_int_equal(learner_taught(anchored, false), 0);
    learner_free(plain);
    learner_free(anchored);
    arena_free(arena);
}

static void test_trust_and_points(void **state)
{
    static const struct {
        uint32_t ham, spam;
        double trust;
    } rows[] = { { 20, 20, 1 }, { 100, 500, 1 }, { 20, 1000, 0.1 }, { 1000, 100, 0.5 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct local_model model = { NULL, rows[i].ham, rows[i].spam };
        assert_true(fabs(local_model_trust(&model) - rows[i].trust) < 1e-9);
        assert_true(local_model_points(&model, NAN) == 0 && local_model_points(&model, INFINITY) == 0);
        assert_true(local_model_points(&model, 50) <= 9 && local_model_points(&model, -50) >= -6);
    }
    assert_true(learner_total(0.8, 0.1) == 0.5);
}

static void test_images_that_are_none(void **state)
{
    struct buffer image = { 0 };
    struct local_model model;
    struct learner *learner = learner_new();
    local_model_write(learner, 1, 1, &image);
    struct text good = buffer_text(&image);
    char *bytes = image.memory + image.start;
    assert_null(local_model_fault(good));
    assert_false(local_model_use(good, &model)); /* nothing is learned */
    assert_string_equal(local_model_fault(text_slice(good, 0, 1000)), "its size is not that of a model");
    assert_false(local_model_use(TEXT_NONE, &model));
    bytes[0] ^= 1;
    assert_string_equal(local_model_fault(good), "it is no local model");
    bytes[0] ^= 1;
    bytes[8] ^= 1;
    assert_string_equal(local_model_fault(good), "it is of another version");
    bytes[8] ^= 1;
    bytes[good.length - 1] ^= 1;
    assert_string_equal(local_model_fault(good), "it is damaged");
    bytes[good.length - 1] ^= 1;
    for (size_t i = 0; i < 100; i++)
        assert_non_null(local_model_fault(text_slice(good, 0, good.length / 100 * i)));
    for (size_t bit = 0; bit < sizeof(struct local_head) * 8 + 100; bit++) {
        size_t head = sizeof(struct local_head),
               at = bit < head * 8 ? bit / 8 : good.length / 100 * (bit - head * 8) + head;
        bytes[at] = (char)(bytes[at] ^ 1 << bit % 8);
        if (!local_model_fault(good)) fail_msg("bit %zu", bit);
        bytes[at] = (char)(bytes[at] ^ 1 << bit % 8);
    }
    const float odd[] = { NAN, INFINITY, -INFINITY, 1e30f };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        memcpy(bytes + sizeof(struct local_head), &odd[i], sizeof odd[i]);
        struct local_head head;
        memcpy(&head, bytes, sizeof head);
        uint64_t before = text_checksum(text_from(bytes, offsetof(struct local_head, checksum)));
        head.checksum = text_checksum_on(before, text_slice(good, sizeof head, good.length));
        memcpy(bytes, &head, sizeof head);
        assert_string_equal(local_model_fault(good), "a weight in it is no number");
    }
    buffer_free(&image);
    learner_free(learner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_learns),
        cmocka_unit_test(test_the_same_lessons_make_the_same_weights),
        cmocka_unit_test(test_one_class_alone),
        cmocka_unit_test(test_anchors_hold_the_other_class),
        cmocka_unit_test(test_trust_and_points),
        cmocka_unit_test(test_images_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
