/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What models say of a message, mapped back to its text: pieces cover it and add up to the model's points,
   and the byte form is refused wherever it is cut. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spam/message_facts.h"
#include "spam/passages.h"

static const char *base_path;

static const char phish[] =
    "From: info@bank.test\r\nTo: taro@example.ac.jp\r\nSubject: 【重要】口座の利用制限\r\nMIME-Version: "
    "1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "お客様の口座で不審なお取引が検出されました。本人確認のお手続きをお願いいたします。\r\n"
    "Please confirm your account now. See https://bank.test.example/verify?id=1 for more!\r\n";

struct scene {
    struct arena *arena;
    struct base_model *base;
    float *weights;
    struct local_model local;
    struct passages passages;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    char why[300];
    scene->arena = arena_new(0);
    scene->base = base_model_open(base_path, why, sizeof why);
    assert_non_null(scene->base);
    scene->weights = calloc(VECTOR_SLOTS, sizeof *scene->weights);
    scene->local = (struct local_model){ scene->weights, 100, 100 };
    /* the local model knows one run of bytes: "acc" */
    scene->weights[vector_run_slot('a' << 16 | 'c' << 8 | 'c')] = 0.5F;
    passages_read(scene->arena, TEXT(phish), scene->base, &scene->local, NULL, &scene->passages);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    base_model_close(scene->base);
    arena_free(scene->arena);
    free(scene->weights);
    free(scene);
    return 0;
}

static double sum_of(const struct passage_piece *pieces, uint32_t count, bool is_local)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += is_local ? pieces[i].local : pieces[i].base;
    return sum;
}

/* The margin of a message of runs alone, but for bias and script, in points. */
static double expected_of(struct scene *scene, enum feature_block block)
{
    struct arena *arena = scene->arena;
    struct mime *mime = mime_parse(arena, TEXT(phish), &mime_limits_default, MIME_FIRST);
    struct message_text text;
    struct features *features = arena_alloc(arena, sizeof *features);
    double values[FEATURE_BLOCKS], sum = 0;
    features->arena = arena;
    message_text_read(&text, arena, mime);
    message_features_add(features, mime, &text);
    double margin = base_model_margin(scene->base, features, base_script_of(&text));
    base_model_values(scene->base, features, margin, values);
    assert_true(fabs(base_model_points(scene->base, margin) - scene->passages.base) < 1e-9);
    for (uint32_t i = 0; i < features->blocks[block].count; i++)
        sum += values[block] * base_model_weight(scene->base, block, features->blocks[block].slots[i]);
    message_text_free(&text);
    return sum;
}

static void test_pieces_add_up(void **state)
{
    struct scene *scene = *state;
    const struct passages *passages = &scene->passages;
    double body = sum_of(passages->visible_pieces, passages->visible_count, false);
    double subject = sum_of(passages->subject_pieces, passages->subject_count, false);
    assert_true(fabs(body - expected_of(scene, FEATURE_BODY)) < 1e-6);
    assert_true(fabs(subject - expected_of(scene, FEATURE_SUBJECT)) < 1e-6);
    assert_true(fabs(sum_of(passages->visible_pieces, passages->visible_count, true) - passages->local) <
                1e-6);
    assert_true(passages->local > 0.01);
    assert_true(fabs(passages_rest(passages) + body + subject - passages->base) < 1e-6);
    size_t covered = 0;
    for (uint32_t i = 0; i < passages->visible_count; i++) covered += passages->visible_pieces[i].bytes;
    assert_int_equal(covered, passages->visible.length);
    assert_false(passages->is_cut);
}

/* Where the only run is that the local model knows. */
static void test_a_weight_is_where_its_run_is(void **state)
{
    struct scene *scene = *state;
    const struct passages *passages = &scene->passages;
    size_t at = 0;
    for (uint32_t i = 0; i < passages->visible_count; at += passages->visible_pieces[i++].bytes) {
        const struct passage_piece *piece = &passages->visible_pieces[i];
        struct text text = text_slice(passages->visible, at, at + piece->bytes);
        bool has = text_find(text, TEXT("acc")) < text.length;
        if (has != (piece->local > 0)) fail_msg("%.*s: %f", TEXT_ARG(text), piece->local);
    }
}

static void test_strongest(void **state)
{
    struct scene *scene = *state;
    struct passage found[3];
    uint32_t count = passages_strongest(scene->arena, &scene->passages, true, 3, found);
    assert_true(count >= 2 && found[0].points >= found[1].points && found[count - 1].points > 0);
    bool has_japanese = false;
    for (uint32_t i = 0; i < count; i++)
        if (text_find(found[i].text, TEXT("本人確認")) < found[i].text.length) has_japanese = true;
    assert_true(has_japanese);
    assert_true(passages_strongest(scene->arena, &scene->passages, true, 1, found) == 1);
}

static void test_bytes(void **state)
{
    struct scene *scene = *state;
    struct buffer bytes = { 0 };
    struct passages back;
    passages_put(&scene->passages, &bytes);
    assert_true(buffer_length(&bytes) <= PASSAGES_BYTES_MOST);
    assert_true(passages_get(scene->arena, buffer_text(&bytes), &back));
    assert_true(text_equal(back.visible, scene->passages.visible) &&
                back.visible_count == scene->passages.visible_count);
    for (size_t length = 0; length < buffer_length(&bytes); length++)
        if (passages_get(scene->arena, text_slice(buffer_text(&bytes), 0, length), &back))
            fail_msg("cut at %zu", length);
    buffer_free(&bytes);
}

static void test_long_and_odd_texts(void **state)
{
    struct scene *scene = *state;
    struct buffer mail = { 0 }, bytes = { 0 };
    struct passages passages, back;
    buffer_add_text(&mail, TEXT("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"));
    for (unsigned i = 0; i < 60000; i++) buffer_add_char(&mail, (char)(i % 7 ? 0x80 + i % 64 : 0xE3));
    for (unsigned i = 0; i < 60000; i++) buffer_add_text(&mail, TEXT("a b\r\n"));
    passages_read(scene->arena, buffer_text(&mail), scene->base, &scene->local, NULL, &passages);
    assert_true(passages.is_cut);
    passages_put(&passages, &bytes);
    assert_true(buffer_length(&bytes) <= PASSAGES_BYTES_MOST);
    assert_true(passages_get(scene->arena, buffer_text(&bytes), &back));
    passages_read(scene->arena, TEXT_NONE, NULL, NULL, NULL, &passages);
    assert_int_equal(passages.visible_count, 0);
    buffer_free(&mail);
    buffer_free(&bytes);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pieces_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_weight_is_where_its_run_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strongest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_and_odd_texts, set_up, tear_down),
    };
    base_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
