/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What recipients get, one a row: a message and sets of edits, to the whole message as each set makes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_text.h"
#include "mail/edits.h"
#include "scan/recipe.h"

#define NO "X-Spam-Status: No, score=0.0 required=6.8 tests=none\r\n"
#define YES "X-Spam-Status: Yes, score=0.0 required=6.8 tests=none\r\nX-Spam-Flag: YES\r\n"

enum { SETS = 4 };

struct row {
    const char *name, *mail;
    struct {
        const char *kinds; /* "F", "T", "W", "B", "O", "S": forged, tag, warning, both, outside, status; NULL:
                            * no further recipient */
        const char *expected;
    } sets[SETS];
    uint32_t recipes;
    const char *more; /* of the configuration */
    bool is_out;
};

static const struct row rows[] = {
    { "no edits",
      "X-Spam-Flag: NO\r\nSubject: a\r\n\r\nb",
      { { "", "X-Spam-Flag: NO\r\nSubject: a\r\n\r\nb" } },
      1 },
    { "nothing forged", "Subject: a\r\n\r\nb", { { "F", "Subject: a\r\n\r\nb" } }, 1 },
    { "forged", "X-Spam-Flag: NO\r\nSubject: a\r\n\r\nb", { { "F", "Subject: a\r\n\r\nb" } }, 1 },
    { "forged in any case, folded, by prefix",
      "A: b\r\nx-virus-SCANNED: no\r\n where\r\nX-Sekimori-Id: 1\r\nX-Spam-Other: c\r\n\r\nb",
      { { "F", "A: b\r\nX-Spam-Other: c\r\n\r\nb" } },
      1 },
    { "an mbox line",
      "From a@b.test Fri Feb 14 08:55:52 2014\r\n remote from b\r\nSubject: a\r\n\r\nb",
      { { "F", "Subject: a\r\n\r\nb" }, { "FTS", YES "Subject: [SPAM] a\r\n\r\nb" } },
      2 },
    { "an mbox line before a forged field", "From X:y\r\nX-Spam-Flag: NO\r\n\r\nb", { { "F", "\r\nb" } }, 1 },
    { "text that goes on with From",
      "From here on\r\nall is text.\r\n",
      { { "F", "\r\nFrom here on\r\nall is text.\r\n" } },
      1 },
    { "From as a field", "From: a@b.test\r\n\r\nb", { { "F", "From: a@b.test\r\n\r\nb" } }, 1 },
    { "status on top", "Subject: a\r\n\r\nb", { { "S", NO "Subject: a\r\n\r\nb" } }, 1 },
    { "status in the place of a forged one that stood first",
      "X-Spam-Status: No, score=-9\r\nSubject: a\r\n\r\nb",
      { { "FS", NO "Subject: a\r\n\r\nb" },
        { "S", NO "X-Spam-Status: No, score=-9\r\nSubject: a\r\n\r\nb" } },
      2 },
    { "tag", "Subject: a\r\n\r\nb", { { "T", "Subject: [SPAM] a\r\n\r\nb" } }, 1 },
    { "a warning, alone and behind the tag, where there is no Subject",
      "A: b\r\n\r\nb",
      { { "W", "A: b\r\nSubject: [WARNING: ATTACHMENT UNSCANNED]\r\n\r\nb" },
        { "B", "A: b\r\nSubject: [SPAM] [WARNING: ATTACHMENT UNSCANNED]\r\n\r\nb" } },
      2,
      "virus { encrypted warn }" },
    { "a warning from inside; a tag never is",
      "Subject: a\r\n\r\nb",
      { { "W", "Subject: [WARNING: ATTACHMENT UNSCANNED] a\r\n\r\nb" }, { "B", "Subject: a\r\n\r\nb" } },
      2,
      "virus { encrypted warn }",
      true },
    { "from outside, alone, behind the tag, behind both",
      "From: a@other.test\r\nSubject: a\r\n\r\nb",
      { { "O", "From: a@other.test\r\nSubject: [External] a\r\n\r\nb" },
        { "T", "From: a@other.test\r\nSubject: [SPAM] [External] a\r\n\r\nb" },
        { "B",
          "From: a@other.test\r\nSubject: [SPAM] [WARNING: ATTACHMENT UNSCANNED] [External] a\r\n\r\nb" },
        { "S", NO "From: a@other.test\r\nSubject: a\r\n\r\nb" } },
      4,
      "virus { encrypted warn }\noutside { mark \"[External] \" }" },
    { "from outside, in the Subject's charset",
      "From: a@other.test\r\nSubject: =?ISO-2022-JP?B?GyRCOXAbKEI=?=\r\n\r\nb",
      { { "O", "From: a@other.test\r\nSubject: =?ISO-2022-JP?B?WxskQjMwSXQbKEJdIA==?=\r\n "
               "=?ISO-2022-JP?B?GyRCOXAbKEI=?=\r\n\r\nb" } },
      1,
      "outside { mark \"[外部] \" }" },
    { "from outside, an answer to marked mail",
      "From: a@other.test\r\nSubject: Re: =?UTF-8?B?W+WklumDqF0=?= a\r\n\r\nb",
      { { "O", "From: a@other.test\r\nSubject: Re: =?UTF-8?B?W+WklumDqF0=?= a\r\n\r\nb" },
        { "T", "From: a@other.test\r\nSubject: [SPAM] Re: =?UTF-8?B?W+WklumDqF0=?= a\r\n\r\nb" } },
      2,
      "outside { mark \"[外部] \" }" },
    { "from outside and in our name: the mark alone, not behind the tag",
      "From: a@on.test\r\nSubject: a\r\n\r\nb",
      { { "O", "From: a@on.test\r\nSubject: [External] a\r\n\r\nb" },
        { "T", "From: a@on.test\r\nSubject: [SPAM] a\r\n\r\nb" } },
      2,
      "outside { mark \"[External] \" }" },
    { "from outside, where not all of it has the mark: none with the tag",
      "From: a@other.test\r\nSubject: a\r\n\r\nb",
      { { "O", "From: a@other.test\r\nSubject: [External] a\r\n\r\nb" },
        { "T", "From: a@other.test\r\nSubject: [SPAM] a\r\n\r\nb" } },
      2,
      "outside { mark \"[External] \"; when impostor }" },
    { "from inside there is no mark",
      "From: a@other.test\r\nSubject: a\r\n\r\nb",
      { { "O", "From: a@other.test\r\nSubject: a\r\n\r\nb" } },
      1,
      "outside { mark \"[External] \" }",
      true },
    { "tag and status", "Subject: a\r\n\r\nb", { { "TS", YES "Subject: [SPAM] a\r\n\r\nb" } }, 1 },
    { "all, forged before and behind the Subject",
      "X-Spam-Flag: NO\r\nSubject: a\r\nX-Spam-Status: No\r\nTo: c\r\n\r\nb",
      { { "FTS", YES "Subject: [SPAM] a\r\nTo: c\r\n\r\nb" } },
      1 },
    { "all, a blank Subject between forged fields",
      "X-Spam-Flag: NO\r\nSubject:\r\nX-Spam-Flag: NO\r\n\r\nb",
      { { "FTS", YES "Subject: [SPAM]\r\n\r\nb" } },
      1 },
    { "all, a Subject of blanks",
      "Subject:   \r\nX-Spam-Flag: NO\r\n\r\nb",
      { { "FTS", YES "Subject: [SPAM]\r\n\r\nb" } },
      1 },
    { "all, no Subject, the last field forged",
      "To: c\r\nX-Spam-Flag: NO\r\n\r\nb",
      { { "FTS", YES "To: c\r\nSubject: [SPAM]\r\n\r\nb" } },
      1 },
    { "all, nothing but a forged field",
      "X-Spam-Flag: NO\r\n\r\nb",
      { { "FTS", YES "Subject: [SPAM]\r\n\r\nb" } },
      1 },
    { "all, no header", "\r\nb", { { "FTS", "Subject: [SPAM]\r\n" YES "\r\nb" } }, 1 },
    { "all, an empty message", "", { { "FTS", "Subject: [SPAM]\r\n" YES } }, 1 },
    { "all, a header that is cut", "To: c", { { "FTS", YES "To: c\r\nSubject: [SPAM]\r\n" } }, 1 },
    { "all, two Subjects with a forged field between",
      "Subject: a\r\nX-Spam-Flag: NO\r\nSubject: b\r\n\r\nc",
      { { "FTS", YES "Subject: [SPAM] a\r\nSubject: [SPAM] b\r\n\r\nc" } },
      1 },
    { "a Subject that is tagged stays",
      "Subject: [SPAM] a\r\n\r\nb",
      { { "FTS", YES "Subject: [SPAM] a\r\n\r\nb" } },
      1 },
    { "in the Subject's own encoding",
      "X-Spam-Flag: NO\r\nSubject: =?ISO-2022-JP?B?GyRCJDMbKEI=?=\r\n\r\nb",
      { { "FTS", YES "Subject: [SPAM] =?ISO-2022-JP?B?GyRCJDMbKEI=?=\r\n\r\nb" } },
      1 },
    { "each recipient his own",
      "X-Spam-Flag: NO\r\nSubject: a\r\n\r\nb",
      { { "FS", NO "Subject: a\r\n\r\nb" },
        { "FTS", YES "Subject: [SPAM] a\r\n\r\nb" },
        { "FS", NO "Subject: a\r\n\r\nb" },
        { "FTS", YES "Subject: [SPAM] a\r\n\r\nb" } },
      2 },
    { "a set is no list",
      "X-Spam-Flag: NO\r\nSubject: a\r\n\r\nb",
      { { "FTS", YES "Subject: [SPAM] a\r\n\r\nb" },
        { "STF", YES "Subject: [SPAM] a\r\n\r\nb" },
        { "TTFS", YES "Subject: [SPAM] a\r\n\r\nb" } },
      1 },
    { "outbound: the Subject stays",
      "Subject: a\r\n\r\nb",
      { { "FTS", YES "Subject: a\r\n\r\nb" } },
      1,
      .is_out = true },
    { "a tag of one's own",
      "Subject: a\r\n\r\nb",
      { { "FTS", YES "Subject: *** a\r\n\r\nb" } },
      1,
      .more = "spam { tag subject \"*** \" }" },
    { "no tag at all",
      "Subject: a\r\n\r\nb",
      { { "FTS", YES "Subject: a\r\n\r\nb" } },
      1,
      .more = "spam { tag subject \"\" }" },
    { "status where nothing was checked",
      "Subject: a\r\n\r\nb",
      { { "FTS", "Subject: [SPAM] a\r\n\r\nb" } },
      1,
      .more = "spam { mode off }" },
    { "text without a header begins behind an empty line",
      "Disk full\r\n\r\nplease look\r\n",
      { { "F", "\r\nDisk full\r\n\r\nplease look\r\n" },
        { "FT", "Subject: [SPAM]\r\n\r\nDisk full\r\n\r\nplease look\r\n" } },
      2 },
};

/* --- a message through both halves --- */

struct scene {
    struct arena *arena;
    struct config *config;
    struct text recipients[1 << EDIT_KIND_COUNT], message;
    struct occasion occasion;
    struct facts facts;
    struct recipient_verdict results[1 << EDIT_KIND_COUNT];
    struct score score;
    struct verdict verdict;
};

static struct config *config_of(const char *more)
{
    char all[1000];
    snprintf(all, sizeof all,
             "hostname mx.test\nadmin a@mx.test\nlisten 127.0.0.1:2525\ndomains { on.test 127.0.0.1 }\n%s\n",
             more ? more : "");
    return config_of_text(text_of(all), false);
}

static void scene_open(struct scene *scene, const char *more, struct text message, bool is_out)
{
    *scene = (struct scene){ .arena = arena_new(0), .config = config_of(more), .message = message };
    scene->score.arena = scene->arena;
    const struct mime *mime = mime_parse(scene->arena, message, &mime_limits_default, MIME_FIRST);
    const struct recipe_source source = {
        scene->arena,   scene->config,         is_out ? DIRECTION_OUT : DIRECTION_IN, message,
        mime->declared, mime->parts[0].header, more && strstr(more, "warn")
    };
    recipe_look(&source, &scene->score, &scene->facts);
}

static void scene_decide(struct scene *scene, const struct edit_set *sets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) scene->recipients[i] = TEXT("a@on.test");
    scene->occasion = (struct occasion){ .recipients = scene->recipients, .recipient_count = count };
    scene->verdict = (struct verdict){ .recipients = scene->results, .recipient_count = count };
    const struct recipe_basis basis = { scene->arena,  scene->config, &scene->occasion,
                                        &scene->facts, TEXT_NONE,     &scene->verdict };
    struct recipe_order orders[1 << EDIT_KIND_COUNT];
    for (uint32_t i = 0; i < count; i++) orders[i] = (struct recipe_order){ sets[i], 6.8 };
    recipe_write(&basis, orders, &scene->verdict);
}

static void scene_close(struct scene *scene)
{
    config_free(scene->config);
    arena_free(scene->arena);
}

/* What this recipient gets. */
static char *received(struct scene *scene, uint32_t recipient)
{
    struct text bytes = scene->verdict.recipes[scene->results[recipient].recipe].edits;
    struct edits edits;
    struct buffer out = { 0 };
    assert_true(edits_are_whole(bytes, scene->message.length));
    assert_true(edits_decode(scene->arena, bytes, scene->message.length, &edits));
    edits_apply(&edits, scene->message, &out);
    char *copy = memory_string(buffer_text(&out));
    buffer_free(&out);
    return copy;
}

/* --- rows --- */

static struct edit_set set_of(const char *letters)
{
    struct edit_set set = { 0 };
    static const char known[] = { 'F', 'T', 'W', 'B', 'N', 'M', 'H', 'O', 'S' };
    for (unsigned kind = 0; kind < EDIT_KIND_COUNT; kind++)
        if (strchr(letters, known[kind])) set = edit_set_with(set, kind);
    return set;
}

static void row_check(const struct row *row)
{
    struct scene scene;
    struct edit_set sets[SETS];
    uint32_t count = 0;
    for (; count < SETS && row->sets[count].kinds; count++) sets[count] = set_of(row->sets[count].kinds);
    scene_open(&scene, row->more, text_of(row->mail), row->is_out);
    scene_decide(&scene, sets, count);
    for (uint32_t i = 0; i < count; i++) {
        char *got = received(&scene, i);
        if (strcmp(got, row->sets[i].expected) != 0) fail_msg("%s, %u: %s", row->name, i, got);
        if (!edit_set_equal(scene.verdict.recipes[scene.results[i].recipe].kinds, sets[i]))
            fail_msg("%s, %u: a recipe of another set", row->name, i);
        free(got);
    }
    if (scene.verdict.recipe_count != row->recipes)
        fail_msg("%s: %u recipes", row->name, scene.verdict.recipe_count);
    scene_close(&scene);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

/* Every set that there can be, at once, each twice. */
static void test_every_set(void **state)
{
    (void)state;
    static const char *const all[] = { "FS", "FTS", "FWS", "FBS", "FNS", "FMS", "FHS", "FHWS" };
    enum { ALL = sizeof all / sizeof *all };
    struct scene scene;
    struct edit_set sets[ALL];
    for (unsigned i = 0; i < ALL; i++) sets[i] = set_of(all[i]);
    scene_open(&scene, "virus { encrypted warn }\nnewsletter action tag",
               TEXT("X-Spam-Flag: NO\r\nSubject: a\r\n\r\nb"), false);
    scene_decide(&scene, sets, ALL);
    assert_int_equal(scene.verdict.recipe_count, ALL);
    for (unsigned i = 0; i < ALL; i++) {
        char *got = received(&scene, i);
        assert_null(strstr(got, "NO\r\n"));
        assert_int_equal(strstr(got, "[SPAM] a") != NULL, edit_set_has(sets[i], EDIT_TAG));
        assert_int_equal(strstr(got, "Subject: [WARNING: ATTACHMENT UNSCANNED] a") != NULL,
                         edit_set_has(sets[i], EDIT_WARNING));
        assert_int_equal(strstr(got, "Subject: [SPAM] [WARNING: ATTACHMENT UNSCANNED] a") != NULL,
                         edit_set_has(sets[i], EDIT_TAG_WARNING));
        assert_int_equal(strstr(got, "Subject: [NEWSLETTER] a") != NULL,
                         edit_set_has(sets[i], EDIT_NEWSLETTER));
        assert_int_equal(strstr(got, "Subject: [NEWSLETTER] [WARNING: ATTACHMENT UNSCANNED] a") != NULL,
                         edit_set_has(sets[i], EDIT_NEWSLETTER_WARNING));
        assert_int_equal(strstr(got, "X-Spam-Flag: YES") != NULL,
                         edit_set_has(sets[i], EDIT_TAG) || edit_set_has(sets[i], EDIT_TAG_WARNING) ||
                             edit_set_has(sets[i], EDIT_FLAG));
        assert_int_equal(strstr(got, "X-Spam-Status: ") != NULL, edit_set_has(sets[i], EDIT_STATUS));
        free(got);
    }
    scene_close(&scene);
}

/* Recipients of many lines: each set has a recipe before any has a second one, and the first is the first. */
static void test_many_lines(void **state)
{
    (void)state;
    enum { ALL = 40 };
    struct scene scene;
    struct recipe_order orders[ALL];
    for (unsigned i = 0; i < ALL; i++)
        orders[i] = (struct recipe_order){ set_of(i == ALL - 1 ? "FTS" : "FS"), 5 + i };
    scene_open(&scene, NULL, TEXT("Subject: a\r\n\r\nb"), false);
    struct edit_set sets[ALL] = { 0 };
    scene_decide(&scene, sets, ALL);
    const struct recipe_basis basis = { scene.arena,  scene.config, &scene.occasion,
                                        &scene.facts, TEXT_NONE,    &scene.verdict };
    recipe_write(&basis, orders, &scene.verdict);
    assert_int_equal(scene.verdict.recipe_count, RECIPES_MOST);
    for (unsigned i = 0; i < ALL; i++) {
        char *got = received(&scene, i), required[40];
        snprintf(required, sizeof required, "required=%.1f", orders[i].required);
        assert_int_equal(strstr(got, "[SPAM] a") != NULL, i == ALL - 1);
        assert_int_equal(strstr(got, required) != NULL, i < RECIPES_MOST - 1 || i == ALL - 1);
        free(got);
    }
    assert_int_equal(scene.results[0].recipe, 0);
    scene_close(&scene);
}

/* --- what does not fit --- */

static struct text repeated(struct arena *arena, const char *field, unsigned times, const char *rest)
{
    struct buffer out = { 0 };
    for (unsigned i = 0; i < times; i++) buffer_add_text(&out, text_of(field));
    buffer_add_text(&out, text_of(rest));
    struct text text = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return text;
}

/* Cuts of 20 bytes each: 409 of them are 8 KiB. A field between keeps them apart. */
static void test_too_many_forged(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct edit_set all = set_of("FTS");
    for (unsigned times = 409; times <= 410; times++) {
        struct scene scene;
        struct text mail = repeated(arena, "X-Spam-Flag: NO\r\nA: b\r\n", times, "Subject: a\r\n\r\nb");
        scene_open(&scene, NULL, mail, false);
        scene_decide(&scene, &all, 1);
        char *got = received(&scene, 0);
        assert_int_equal(strstr(got, "X-Spam-Flag: NO") != NULL, times == 410);
        assert_int_equal(scene.score.count, times == 410);
        if (scene.score.count) assert_true(text_equal(scene.score.signals[0].name, TEXT("FORGED_FIELDS")));
        assert_non_null(strstr(got, "Subject: [SPAM] a\r\n"));
        assert_memory_equal(got, YES, sizeof YES - 1);
        free(got);
        scene_close(&scene);
    }
    arena_free(arena);
}

/* With all that is tagged or nothing; what is forged goes in both cases. */
static void test_too_many_subjects(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct edit_set all = set_of("FTS");
    static const unsigned times[] = { 500, 700 };
    for (int i = 0; i < 2; i++) {
        struct scene scene;
        struct text mail = repeated(arena, "Subject: a\r\n", times[i], "X-Spam-Flag: NO\r\n\r\nb");
        scene_open(&scene, NULL, mail, false);
        scene_decide(&scene, &all, 1);
        char *got = received(&scene, 0);
        assert_int_equal(strstr(got, "[SPAM]") != NULL, i == 0);
        assert_null(strstr(got, "X-Spam-Flag: NO"));
        assert_int_equal(scene.score.count, 0);
        free(got);
        scene_close(&scene);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_every_set),
                                        cmocka_unit_test(test_many_lines),
                                        cmocka_unit_test(test_too_many_forged),
                                        cmocka_unit_test(test_too_many_subjects) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
