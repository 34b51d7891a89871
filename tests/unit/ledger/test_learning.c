/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What ledger learns, in a folder of its own: unlearning is as if it had never been taught, a start makes the
   same model of the log, and files that are damaged are set aside. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/settings.h"
#include "ledger/learning/learning.h"
#include "spam/local_model.h"

static struct text base_model;

struct node {
    struct loop *loop;
    struct config config;
    struct learning *learning;
    struct learned_page *page;
    struct timer *timer;
    char path[64];
    int folder, memory;
};

static void node_start(struct node *node)
{
    node->loop = loop_new();
    node->learning = learning_new(node->loop, &node->config, node->page);
    learning_start(node->learning, node->folder);
}

static void node_begin(struct node *node)
{
    *node = (struct node){ .path = "/tmp/unit-learning-XXXXXX" };
    assert_non_null(mkdtemp(node->path));
    node->folder = open(node->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FILE *file = tmpfile();
    assert_int_equal(ftruncate(fileno(file), LEARNED_PAGE_BYTES), 0);
    node->page = learned_page_map(fileno(file), true);
    fclose(file);
    node->config.spam.base_model = base_model;
    node_start(node);
}

static void look(void *context)
{
    struct node *node = context;
    struct learning_facts facts;
    learning_look(node->learning, &facts);
    if (facts.is_settled)
        loop_stop(node->loop);
    else
        timer_set(node->timer, 5);
}

static struct learning_facts settle(struct node *node)
{
    struct learning_facts facts;
    node->timer = timer_new(node->loop, look, node);
    timer_set(node->timer, 5);
    loop_run(node->loop);
    timer_free(node->timer);
    learning_look(node->learning, &facts);
    return facts;
}

static void node_stop(struct node *node)
{
    assert_true(learning_sync(node->learning));
    learning_free(node->learning);
    loop_free(node->loop);
}

static void node_end(struct node *node)
{
    static const char *const names[] = { "learned.log", "local.model", "learned.log.damaged",
                                         "local.model.damaged" };
    node_stop(node);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlinkat(node->folder, names[i], 0);
    close(node->folder);
    learned_page_unmap(node->page);
    assert_int_equal(rmdir(node->path), 0);
}

static const struct lesson_origin somewhere = { .domain = 1, .network = 2, .sketch.line = 3 };

static enum learning_outcome teach_by(struct node *node, unsigned number, bool is_spam, bool is_automatic)
{
    uint32_t slots[40];
    struct lesson lesson = { .is_spam = is_spam, .base = number % 3 - 1.0, .vector.slots = slots };
    for (int i = 0; i < 40; i++)
        slots[i] = (number * 7919 + (uint32_t)i * 104729 + is_spam * 13) % VECTOR_SLOTS;
    lesson.vector.counts[VECTOR_TEXT] = 30;
    lesson.vector.counts[VECTOR_SHAPE] = 10;
    vector_sort(&lesson.vector);
    memset(lesson.id, (int)number, sizeof lesson.id);
    lesson.id[0] = (uint8_t)(number >> 8);
    lesson.time_ms = is_automatic ? 1 : 0;
    return is_automatic ? learning_teach_automatic(node->learning, &lesson, &somewhere)
                        : learning_teach(node->learning, &lesson);
}

static enum learning_outcome teach(struct node *node, unsigned number, bool is_spam)
{
    return teach_by(node, number, is_spam, false);
}

static void weights_of(struct node *node, float *out)
{
    struct text image = learned_page_read(node->page);
    assert_int_equal(image.length, LOCAL_MODEL_BYTES);
    assert_null(local_model_fault(image));
    memcpy(out, image.at + sizeof(struct local_head), VECTOR_SLOTS * sizeof *out);
}

static void assert_near(const float *one, const float *other)
{
    for (size_t i = 0; i < VECTOR_SLOTS; i++) assert_true(fabsf(one[i] - other[i]) < 1e-6f);
}

/* Number 77 is taught, in the middle, and taken back; or never taught. Number 30 was called the other first.
 */
static void test_unlearning_is_as_if_never_taught(void **state)
{
    static float first[VECTOR_SLOTS], second[VECTOR_SLOTS];
    struct node one, other;
    uint8_t id[LESSON_ID_BYTES];
    node_begin(&one);
    node_begin(&other);
    teach(&one, 30, true);
    for (unsigned i = 1; i < 150; i++) teach(&one, i, i % 2);
    assert_int_equal(settle(&one).lessons, 149);
    assert_int_equal(learning_undo(one.learning, TEXT("004d4d4d"), id), LEARNING_TAUGHT);
    assert_int_equal(id[1], 77);
    assert_int_equal(learning_undo(one.learning, TEXT("004d4d4d"), id), LEARNING_MISSING);
    assert_int_equal(learning_undo(one.learning, TEXT("004d"), id), LEARNING_MISSING);
    for (unsigned i = 1; i < 150; i++)
        if (i != 77) teach(&other, i, i % 2);
    struct learning_facts facts = settle(&one);
    assert_true(facts.lessons == 148 && facts.ham == 74 && facts.spam == 74 && facts.counts);
    assert_int_equal(settle(&other).lessons, 148);
    weights_of(&one, first);
    weights_of(&other, second);
    assert_near(first, second);
    /* and so does a start */
    node_stop(&one);
    node_start(&one);
    assert_int_equal(settle(&one).lessons, 148);
    weights_of(&one, first);
    assert_near(first, second);
    /* age takes lessons away, too */
    int file = learning_export(one.learning);
    struct stat before;
    assert_int_equal(fstat(file, &before), 0);
    assert_true(before.st_size == (off_t)settle(&one).bytes);
    close(file);
    node_end(&one);
    node_end(&other);
}

static uint32_t automatic_count(struct node *node)
{
    struct learning_automatic found;
    uint32_t count = 0;
    for (size_t place = 0; learning_automatic_next(node->learning, &place, &found); count++)
        assert_true(found.origin->sketch.line == 3 && found.time_ms == 1);
    return count;
}

/* Every third lesson was automatic: all of them go at once, or one, or when a person says something else. */
static void test_automatic_lessons_are_taken_back(void **state)
{
    static float first[VECTOR_SLOTS], second[VECTOR_SLOTS];
    struct node one, other;
    uint32_t taken[2];
    uint8_t id[LESSON_ID_BYTES];
    node_begin(&one);
    node_begin(&other);
    for (unsigned i = 1; i < 150; i++)
        assert_int_equal(teach_by(&one, i, i % 2, i % 3 == 0), LEARNING_TAUGHT);
    assert_int_equal(teach_by(&one, 33, false, true), LEARNING_KNOWN);
    for (unsigned i = 1; i < 150; i++)
        if (i % 3) teach(&other, i, i % 2);
    struct learning_facts facts = settle(&one);
    assert_true(facts.automatic[0] == 24 && facts.automatic[1] == 25 && facts.lessons == 149);
    node_stop(&one);
    node_start(&one);
    assert_int_equal(automatic_count(&one), 49);
    /* a file that is written anew has them still, and where they came from */
    assert_int_equal(learning_undo(one.learning, TEXT("00010101"), id), LEARNING_TAUGHT);
    close(learning_export(one.learning));
    settle(&one);
    node_stop(&one);
    node_start(&one);
    assert_int_equal(automatic_count(&one), 49);
    assert_int_equal(teach(&one, 1, true), LEARNING_TAUGHT);
    /* a person's word is his own from then on, whichever way; what was taken back stays so */
    assert_int_equal(teach(&one, 3, true), LEARNING_TAUGHT);
    assert_int_equal(teach(&one, 6, true), LEARNING_CHANGED);
    memset(id, 9, sizeof id);
    id[0] = 0;
    assert_int_equal(learning_undo_automatic(one.learning, id), LEARNING_TAUGHT);
    assert_int_equal(learning_undo_automatic(one.learning, id), LEARNING_MISSING);
    assert_int_equal(teach_by(&one, 9, true, true), LEARNING_KNOWN);
    assert_int_equal(automatic_count(&one), 46);
    assert_true(learning_undo_all_automatic(one.learning, taken));
    assert_true(taken[0] == 23 && taken[1] == 23 && automatic_count(&one) == 0);
    assert_true(learning_undo_all_automatic(one.learning, taken) && taken[0] + taken[1] == 0);
    assert_int_equal(teach(&other, 3, true), LEARNING_TAUGHT);
    assert_int_equal(teach(&other, 6, true), LEARNING_TAUGHT);
    facts = settle(&one);
    assert_true(facts.lessons == 102 && settle(&other).lessons == 102);
    /* number 1 was taught last there, and first here */
    assert_int_equal(learning_undo(one.learning, TEXT("00010101"), id), LEARNING_TAUGHT);
    assert_int_equal(learning_undo(other.learning, TEXT("00010101"), id), LEARNING_TAUGHT);
    settle(&one), settle(&other);
    weights_of(&one, first);
    weights_of(&other, second);
    assert_near(first, second);
    node_end(&one);
    node_end(&other);
}

static void test_nothing_is_learned_twice(void **state)
{
    struct node node;
    node_begin(&node);
    assert_int_equal(teach(&node, 5, true), LEARNING_TAUGHT);
    assert_int_equal(teach(&node, 5, true), LEARNING_KNOWN);
    assert_int_equal(teach(&node, 5, false), LEARNING_CHANGED);
    assert_int_equal(teach(&node, 5, false), LEARNING_KNOWN);
    struct learning_facts facts = settle(&node);
    assert_true(facts.ham == 1 && facts.spam == 0 && !facts.counts && facts.anchors > 300);
    node_end(&node);
}

/* One byte of the file, from its start or, below 0, its end. */
static void byte_change(struct node *node, const char *name, off_t at)
{
    struct stat facts;
    char byte;
    int fd = openat(node->folder, name, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &facts) == 0);
    if (at < 0) at += facts.st_size;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_damage_is_set_aside(void **state)
{
    struct node node;
    struct stat facts;
    node_begin(&node);
    for (unsigned i = 1; i < 60; i++) teach(&node, i, i % 2);
    settle(&node);
    node_stop(&node);
    byte_change(&node, "local.model", 9999);
    byte_change(&node, "learned.log", -1500);
    node_start(&node);
    struct learning_facts after = settle(&node);
    assert_string_not_equal(after.trouble, "");
    assert_true(after.lessons > 30 && after.lessons < 59);
    assert_int_equal(fstatat(node.folder, "learned.log.damaged", &facts, 0), 0);
    assert_int_equal(fstatat(node.folder, "local.model.damaged", &facts, 0), 0);
    assert_int_equal(teach(&node, 59, true), LEARNING_TAUGHT);
    settle(&node);
    node_stop(&node);
    node_start(&node);
    struct learning_facts again = settle(&node);
    assert_string_equal(again.trouble, "");
    assert_int_equal(again.lessons, after.lessons + 1);
    node_stop(&node);
    byte_change(&node, "learned.log", 0);
    node_start(&node);
    again = settle(&node);
    assert_int_equal(again.lessons, 0);
    assert_non_null(strstr(again.trouble, "learned.log: it is no log"));
    assert_int_equal(learned_page_read(node.page).length, 0);
    node_end(&node);
}

static void file_read(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    buffer_commit(out, fread(buffer_reserve(out, 2 << 20), 1, 2 << 20, file));
    fclose(file);
}

static void file_write(struct node *node, const char *name, struct text bytes)
{
    int fd = openat(node->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, bytes.at, bytes.length) == (ssize_t)bytes.length);
    close(fd);
}

/* A node whose base model and anchors lie in its own folder. */
static const char *trouble_with(struct node *node, const char *name, struct text bytes, uint32_t *out_anchors)
{
    static char trouble[300];
    struct learning_facts facts;
    file_write(node, name, bytes);
    node_start(node);
    learning_look(node->learning, &facts);
    snprintf(trouble, sizeof trouble, "%s", facts.trouble);
    *out_anchors = facts.anchors;
    node_stop(node);
    return trouble;
}

/* Cut at each hundredth, or a bit of each hundredth changed: a part of such a file is not believed. */
static void test_shipped_files_that_are_damaged(void **state)
{
    static char path[200], room[300];
    struct node node;
    struct buffer files[2] = { { 0 }, { 0 } };
    static const char *const names[] = { "anchors.lessons", "base.model" };
    uint32_t anchors = 0;
    node_begin(&node);
    node_stop(&node);
    snprintf(path, sizeof path, "%s/base.model", node.path);
    for (size_t i = 0; i < 2; i++) {
        snprintf(room, sizeof room, "%.*s/%s", (int)(base_model.length - sizeof "/base.model" + 1),
                 base_model.at, names[i]);
        file_read(room, &files[i]);
        file_write(&node, names[i], buffer_text(&files[i]));
    }
    node.config.spam.base_model = text_of(path);
    assert_string_equal(trouble_with(&node, names[0], buffer_text(&files[0]), &anchors), "");
    assert_int_equal(anchors, 400);
    for (size_t i = 0; i < 200; i++) {
        struct text whole = buffer_text(&files[i % 2]), bytes = whole;
        size_t at = whole.length / 100 * (i / 2);
        bool is_cut = i % 4 < 2;
        if (is_cut) bytes = text_slice(whole, 0, at);
        if (!is_cut) files[i % 2].memory[at] = (char)(files[i % 2].memory[at] ^ 1 << i % 8);
        const char *why = trouble_with(&node, names[i % 2], bytes, &anchors);
        if (!strstr(why, names[i % 2])) fail_msg("%s, %zu: %s", names[i % 2], at, why);
        assert_int_equal(anchors, i % 2 ? 400 : 0);
        if (!is_cut) files[i % 2].memory[at] = (char)(files[i % 2].memory[at] ^ 1 << i % 8);
        file_write(&node, names[i % 2], whole);
    }
    for (size_t i = 0; i < 2; i++) {
        unlinkat(node.folder, names[i], 0);
        buffer_free(&files[i]);
    }
    node_start(&node);
    node_end(&node);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unlearning_is_as_if_never_taught),
        cmocka_unit_test(test_automatic_lessons_are_taken_back),
        cmocka_unit_test(test_nothing_is_learned_twice),
        cmocka_unit_test(test_damage_is_set_aside),
        cmocka_unit_test(test_shipped_files_that_are_damaged),
    };
    base_model = text_of(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
