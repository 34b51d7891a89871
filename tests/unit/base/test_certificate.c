/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Certificates: what is made says what was wished, and only its own authority stands behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/certificate.h"

enum { DAY_S = 86400 };

struct scene {
    struct arena *arena;
    int64_t now;
    struct certificate_pair ours, theirs, node;
};

static const struct text names[] = { TEXT("edge1.example.jp"), TEXT("edge1") };

static struct certificate_wish wish_of(const struct scene *scene, int64_t days)
{
    static struct address addresses[2];
    assert_true(address_parse(TEXT("192.0.2.1"), &addresses[0]));
    assert_true(address_parse(TEXT("2001:db8::1"), &addresses[1]));
    return (struct certificate_wish){ .name = names[0],
                                      .dns = names,
                                      .dns_count = 2,
                                      .addresses = addresses,
                                      .address_count = 2,
                                      .from_s = scene->now - DAY_S,
                                      .until_s = scene->now + days * DAY_S };
}

static void pair_free(struct certificate_pair *pair)
{
    buffer_free(&pair->certificate);
    buffer_free(&pair->key);
}

static int scene_open(void **state)
{
    static struct scene scene;
    char error[200];
    scene = (struct scene){ .arena = arena_new(0), .now = (int64_t)time(NULL) };
    struct certificate_wish wish = { .name = TEXT("authority"),
                                     .organisation = TEXT("Example"),
                                     .from_s = scene.now - DAY_S,
                                     .until_s = scene.now + 100 * DAY_S };
    assert_true(certificate_make_authority(&wish, &scene.ours, error, sizeof error));
    assert_true(certificate_make_authority(&wish, &scene.theirs, error, sizeof error));
    wish = wish_of(&scene, 50);
    assert_true(certificate_make_node(&wish, buffer_text(&scene.ours.certificate),
                                      buffer_text(&scene.ours.key), &scene.node, error, sizeof error));
    *state = &scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    pair_free(&scene->ours);
    pair_free(&scene->theirs);
    pair_free(&scene->node);
    arena_free(scene->arena);
    return 0;
}

static void what_it_says(void **state)
{
    struct scene *scene = *state;
    struct certificate_facts node, again, authority;
    struct certificate_pair second = { 0 };
    struct certificate_wish wish = wish_of(scene, 50);
    char error[200];
    assert_true(certificate_read(buffer_text(&scene->node.certificate), scene->arena, &node));
    assert_string_equal(node.name.at, "edge1.example.jp");
    assert_string_equal(node.names.at, "edge1.example.jp, edge1, 192.0.2.1, 2001:db8::1");
    assert_int_equal(node.until_s, scene->now + 50 * DAY_S);
    assert_int_equal(node.from_s, scene->now - DAY_S);
    assert_false(node.is_authority);
    assert_int_equal(node.serial.length, 32);
    assert_true(certificate_make_node(&wish, buffer_text(&scene->ours.certificate),
                                      buffer_text(&scene->ours.key), &second, error, sizeof error));
    assert_true(certificate_read(buffer_text(&second.certificate), scene->arena, &again));
    assert_string_not_equal(node.serial.at, again.serial.at);
    assert_false(text_equal(buffer_text(&second.key), buffer_text(&scene->node.key)));
    assert_true(certificate_read(buffer_text(&scene->ours.certificate), scene->arena, &authority));
    assert_true(authority.is_authority);
    assert_string_equal(authority.names.at, "authority");
    pair_free(&second);
}

/* A node's certificate never outlives its authority's. */
static void ends_with_its_authority(void **state)
{
    struct scene *scene = *state;
    struct certificate_wish wish = wish_of(scene, 5000);
    struct certificate_pair pair = { 0 };
    struct certificate_facts facts;
    char error[200];
    assert_true(certificate_make_node(&wish, buffer_text(&scene->ours.certificate),
                                      buffer_text(&scene->ours.key), &pair, error, sizeof error));
    assert_true(certificate_read(buffer_text(&pair.certificate), scene->arena, &facts));
    assert_int_equal(facts.until_s, scene->now + 100 * DAY_S);
    pair_free(&pair);
}

static void who_stands_behind_it(void **state)
{
    struct scene *scene = *state;
    struct text node = buffer_text(&scene->node.certificate), ours = buffer_text(&scene->ours.certificate),
                theirs = buffer_text(&scene->theirs.certificate);
    struct certificate_pair old = { 0 };
    struct certificate_wish wish = wish_of(scene, 0);
    struct buffer both = { 0 };
    char error[200];
    wish.from_s -= 30 * DAY_S;
    wish.until_s = scene->now - DAY_S;
    assert_true(certificate_make_node(&wish, ours, buffer_text(&scene->ours.key), &old, error, sizeof error));
    buffer_add_text(&both, theirs);
    buffer_add_text(&both, ours);
    const struct {
        struct text pem, authorities;
        const char *error; /* NULL: good */
    } rows[] = {
        { node, ours, NULL },
        { node, buffer_text(&both), NULL },
        { buffer_text(&old.certificate), ours, NULL }, /* time is not its business */
        { node, theirs, "unable to get local issuer certificate" },
        { ours, ours, "unsuitable certificate purpose" },
        { node, node, "unable to get local issuer certificate" },
        { node, TEXT("nothing"), "there is no certificate of an authority" },
        { TEXT(""), ours, "there is no certificate in it" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        error[0] = '\0';
        bool good = certificate_is_of(rows[i].pem, rows[i].authorities, error, sizeof error);
        if (good != !rows[i].error || (rows[i].error && strcmp(error, rows[i].error) != 0))
            fail_msg("row %zu: %d, \"%s\"", i, good, error);
    }
    pair_free(&old);
    buffer_free(&both);
}

static void what_cannot_sign(void **state)
{
    struct scene *scene = *state;
    struct certificate_wish wish = wish_of(scene, 50);
    const struct {
        struct text authority, key;
        const char *error;
    } rows[] = {
        { buffer_text(&scene->theirs.certificate), buffer_text(&scene->ours.key),
          "the authority's key does not fit its certificate: key values mismatch" },
        { buffer_text(&scene->node.certificate), buffer_text(&scene->node.key),
          "the authority's certificate may not sign others" },
        { TEXT("x"), buffer_text(&scene->ours.key),
          "the authority's certificate cannot be read: no start line" },
        { buffer_text(&scene->ours.certificate), TEXT_NONE,
          "the authority's key cannot be read: unsupported" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct certificate_pair pair = { 0 };
        char error[200] = "";
        assert_false(
            certificate_make_node(&wish, rows[i].authority, rows[i].key, &pair, error, sizeof error));
        assert_string_equal(error, rows[i].error);
        assert_int_equal(buffer_length(&pair.key), 0);
    }
}

static void days(void **state)
{
    static const struct {
        int64_t until_s, now_s, days;
    } rows[] = { { 0, 0, 0 },      { DAY_S, 0, 1 },      { DAY_S - 1, 0, 0 },  { 0, 1, -1 },
                 { 0, DAY_S, -1 }, { 0, DAY_S + 1, -2 }, { 30 * DAY_S, 0, 30 } };
    char room[CERTIFICATE_DAY_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(certificate_days_left(rows[i].until_s, rows[i].now_s), rows[i].days);
    assert_string_equal(certificate_day_print(INT64_C(1835481600), room), "2028-03-01");
}

static void secret_is_shared_by_nodes(void **state)
{
    struct scene *scene = *state;
    struct certificate_wish wish = wish_of(scene, 10);
    struct certificate_pair first = { 0 }, second = { 0 }, foreign = { 0 };
    uint8_t ours[CERTIFICATE_SECRET_BYTES], again[CERTIFICATE_SECRET_BYTES], theirs[CERTIFICATE_SECRET_BYTES];
    char error[200];
    struct text pem = buffer_text(&scene->ours.certificate), key = buffer_text(&scene->ours.key);
    assert_true(certificate_make_node(&wish, pem, key, &first, error, sizeof error));
    assert_true(certificate_make_node(&wish, pem, key, &second, error, sizeof error));
    assert_true(certificate_make_node(&wish, buffer_text(&scene->theirs.certificate),
                                      buffer_text(&scene->theirs.key), &foreign, error, sizeof error));
    assert_true(certificate_secret_read(buffer_text(&first.key), ours));
    assert_true(certificate_secret_read(buffer_text(&second.key), again));
    assert_true(certificate_secret_read(buffer_text(&foreign.key), theirs));
    assert_memory_equal(ours, again, sizeof ours);
    assert_memory_not_equal(ours, theirs, sizeof ours);
    assert_false(certificate_secret_read(pem, again)); /* what is public says nothing of it */
    assert_false(certificate_secret_read(buffer_text(&first.certificate), again));
    assert_false(certificate_secret_read(key, again));
    assert_false(certificate_secret_read(TEXT_NONE, again));
    assert_false(certificate_secret_read(
        TEXT("-----BEGIN SEKIMORI NODES SECRET-----\nAAAA\n-----END SEKIMORI NODES SECRET-----\n"), again));
    pair_free(&first);
    pair_free(&second);
    pair_free(&foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(ends_with_its_authority),
        cmocka_unit_test(who_stands_behind_it),
        cmocka_unit_test(what_cannot_sign),
        cmocka_unit_test(days),
        cmocka_unit_test(secret_is_shared_by_nodes),
    };
    return cmocka_run_group_tests(tests, scene_open, scene_close);
}
