/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A lesson is learned at once. What takes one away (undoing, another label, age) makes the model anew of what
   is left, a few lessons a turn; the one before stays in force meanwhile. So a model is always that of the
   log, lesson by lesson. */
#include "ledger/learning/learning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file.h"
#include "base/log.h"
#include "config/settings.h"
#include "ledger/learning/lesson_store.h"
#include "spam/base_model.h"
#include "spam/local_model.h"

#define SNAPSHOT "local.model"
#define ASIDE SNAPSHOT ".damaged"
#define ANCHORS "anchors.lessons"

enum {
    REBUILD_TURN = 50, /* lessons */
    PUBLISH_EVERY_MS = 1000,
    SNAPSHOT_AFTER_MS = 2000,
    REBUILD_AFTER_MS = 50, /* one for many changes in a row */
    FORGET_EVERY_MS = 3600 * 1000,
    ANCHORS_BYTES_MOST = 4 << 20
};

struct learning {
    enum { LEARNING_MAGIC = 0x71c3a9e5 } magic;
    struct loop *loop;
    const struct config *config;
    struct learned_page *page;
    struct lesson_store *store; /* NULL: not started */
    struct learner *learner;    /* in force */
    struct learner *next;       /* being made; NULL: none */
    size_t next_at;             /* places of the store that it has */
    bool is_stale;              /* what is being made, or in force, has a lesson that is gone */
    struct timer *rebuild, *publish, *snapshot, *forget;
    struct arena *arena;
    struct buffer anchors; /* the file */
    uint32_t anchor_count;
    int folder;
    uint64_t changed_ms, published_ms; /* wall clock; loop clock */
    char trouble[300];
};

/* --- what stands beside the base model --- */

/* NULL: all of it is good. */
static const char *anchors_fault(struct text file)
{
    struct lesson_record record;
    enum lesson_log_next next = LESSON_LOG_RECORD;
    const char *why = lesson_log_open(&file);
    while (!why && next == LESSON_LOG_RECORD) next = lesson_log_next(&file, &record);
    return why || next == LESSON_LOG_END ? why : "it is damaged";
}

static void anchors_read(struct learning *learning)
{
    char path[4096];
    struct stat facts;
    struct text base = learning->config->spam.base_model;
    struct text folder = text_slice(base, 0, text_find_last_char(base, '/'));
    if (base.length == 0 || folder.length == base.length || base.length > 3000) return;
    snprintf(path, sizeof path, "%.*s/%s", TEXT_ARG(folder), ANCHORS);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    bool is_fit = fstat(fd, &facts) == 0 && facts.st_size > 0 && facts.st_size <= ANCHORS_BYTES_MOST;
    size_t size = is_fit ? (size_t)facts.st_size : 0;
    ssize_t got = size ? read(fd, buffer_reserve(&learning->anchors, size), size) : 0;
    if (got == (ssize_t)size) buffer_commit(&learning->anchors, size);
    close(fd);
    struct text rest = buffer_text(&learning->anchors);
    const char *why = size ? anchors_fault(rest) : "its size is not that of such a file";
    if (!why) return;
    snprintf(learning->trouble, sizeof learning->trouble, "%s: %s; it is not used", ANCHORS, why);
    log_error("%s is not used: %s", path, why);
    buffer_clear(&learning->anchors);
}

/* Scan judges without a base model that it cannot use: who looks at health is told here. An edge judges
   nothing. */
static void base_look(struct learning *learning)
{
    char path[4096], why[sizeof learning->trouble];
    snprintf(path, sizeof path, "%.*s", TEXT_ARG(learning->config->spam.base_model));
    if (!*path || learning->config->role == ROLE_EDGE) return;
    struct base_model *base = base_model_open(path, why, sizeof why);
    if (!base) memcpy(learning->trouble, why, sizeof why);
    base_model_close(base);
}

static struct learner *learner_begin(struct learning *learning)
{
    struct learner *learner = learner_new();
    struct text rest = buffer_text(&learning->anchors);
    struct lesson_record record;
    struct lesson lesson;
    learning->anchor_count = 0;
    if (rest.length == 0 || lesson_log_open(&rest)) return learner;
    while (lesson_log_next(&rest, &record) == LESSON_LOG_RECORD) {
        arena_reset(learning->arena);
        if (!lesson_parse(record.lesson, learning->arena, &lesson)) continue;
        learner_anchor(learner, &lesson.vector, lesson.base, lesson.is_spam);
        learning->anchor_count++;
    }
    return learner;
}

/* --- in force --- */

static size_t lessons_of(const struct learner *learner)
{
    return (size_t)learner_taught(learner, false) + learner_taught(learner, true);
}

static double share_of(const struct lesson_store *store)
{
    size_t alive = 0, automatic = 0;
    for (size_t i = 0; i < lesson_store_count(store); i++) {
        const struct lesson_place *place = lesson_store_place(store, i);
        alive += !place->is_dead;
        automatic += !place->is_dead && place->origin;
    }
    return local_model_share(alive, automatic);
}

/* An empty image where nothing is learned: what was in force ends, too. */
static void publish(void *context)
{
    struct learning *learning = CONTEXT(context, struct learning, LEARNING_MAGIC);
    struct buffer image = { 0 };
    if (lessons_of(learning->learner))
        local_model_write(learning->learner, learning->changed_ms, share_of(learning->store), &image);
    if (learning->page) learned_page_write(learning->page, buffer_text(&image));
    buffer_free(&image);
    learning->published_ms = loop_now_ms(learning->loop);
    if (!timer_is_set(learning->snapshot)) timer_set(learning->snapshot, SNAPSHOT_AFTER_MS);
}

/* Readers are given a second to be done with what was in force before. */
static void changed(struct learning *learning)
{
    uint64_t since = loop_now_ms(learning->loop) - learning->published_ms;
    learning->changed_ms = loop_wall_ms(learning->loop);
    if (!timer_is_set(learning->publish))
        timer_set(learning->publish, since >= PUBLISH_EVERY_MS ? 0 : PUBLISH_EVERY_MS - since);
}

static void snapshot_write(void *context)
{
    struct learning *learning = CONTEXT(context, struct learning, LEARNING_MAGIC);
    struct buffer image = { 0 };
    timer_clear(learning->snapshot);
    if (!lessons_of(learning->learner)) {
        unlinkat(learning->folder, SNAPSHOT, 0);
        return;
    }
    local_model_write(learning->learner, learning->changed_ms, share_of(learning->store), &image);
    if (!file_replace(learning->folder, SNAPSHOT, buffer_text(&image), 0600))
        log_error("%s cannot be written: %s", SNAPSHOT, strerror(errno));
    buffer_free(&image);
}

/* --- made anew --- */

static void rebuild_ask(struct learning *learning)
{
    learning->is_stale = true;
    timer_set(learning->rebuild, REBUILD_AFTER_MS);
}

static void rebuild_begin(struct learning *learning)
{
    learner_free(learning->next);
    learning->next = learner_begin(learning);
    learning->next_at = 0;
    learning->is_stale = false;
}

static void rebuild_turn(void *context)
{
    struct learning *learning = CONTEXT(context, struct learning, LEARNING_MAGIC);
    struct lesson lesson;
    if (learning->is_stale) rebuild_begin(learning);
    for (int i = 0; i < REBUILD_TURN && learning->next_at < lesson_store_count(learning->store); i++) {
        size_t number = learning->next_at++;
        arena_reset(learning->arena);
        if (lesson_store_place(learning->store, number)->is_dead) continue;
        if (lesson_store_read(learning->store, number, learning->arena, &lesson))
            learner_learn(learning->next, &lesson.vector, lesson.base, lesson.is_spam);
        else
            log_warning("a lesson of learned.log cannot be read and is passed over");
    }
    if (learning->next_at < lesson_store_count(learning->store)) {
        timer_set(learning->rebuild, 1);
        return;
    }
    learner_free(learning->learner);
    learning->learner = learning->next;
    learning->next = NULL;
    changed(learning);
}

/* As long as Subjects of messages are kept. */
static void forget(void *context)
{
    struct learning *learning = CONTEXT(context, struct learning, LEARNING_MAGIC);
    uint64_t keep = learning->config->ledger.subjects_ms, now = loop_wall_ms(learning->loop);
    if (lesson_store_forget(learning->store, keep && keep < now ? now - keep : 0)) rebuild_ask(learning);
    timer_set(learning->forget, FORGET_EVERY_MS);
}

/* --- life --- */

struct learning *learning_new(struct loop *loop, const struct config *config, struct learned_page *page)
{
    struct learning *learning = memory_alloc(sizeof *learning);
    *learning = (struct learning){ .magic = LEARNING_MAGIC, .loop = loop, .config = config, .page = page };
    learning->arena = arena_new(1 << 18);
    learning->rebuild = timer_new(loop, rebuild_turn, learning);
    learning->publish = timer_new(loop, publish, learning);
    learning->snapshot = timer_new(loop, snapshot_write, learning);
    learning->forget = timer_new(loop, forget, learning);
    anchors_read(learning);
    base_look(learning);
    return learning;
}

void learning_set_config(struct learning *learning, const struct config *config)
{
    learning->config = config;
}

static void trouble_add(struct learning *learning, const char *why)
{
    bool is_kept = renameat(learning->folder, SNAPSHOT, learning->folder, ASIDE) == 0;
    snprintf(learning->trouble, sizeof learning->trouble, "%s: %s; %s %s", SNAPSHOT, why,
             is_kept ? "set aside as" : "not set aside as", ASIDE);
    log_error("what was learned: %s; it is made anew of the log", learning->trouble);
}

/* In force until the log has been gone through. */
static void snapshot_read(struct learning *learning)
{
    struct stat facts;
    int fd = openat(learning->folder, SNAPSHOT, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    size_t size = fstat(fd, &facts) == 0 && facts.st_size == LOCAL_MODEL_BYTES ? LOCAL_MODEL_BYTES : 0;
    void *map = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    const char *why =
        map == MAP_FAILED ? "its size is not that of a model" : local_model_fault(text_from(map, size));
    if (why)
        trouble_add(learning, why);
    else if (learning->page)
        learned_page_write(learning->page, text_from(map, size));
    if (map != MAP_FAILED) munmap(map, size);
    close(fd);
}

void learning_start(struct learning *learning, int folder)
{
    learning->folder = folder;
    learning->learner = learner_begin(learning);
    snapshot_read(learning);
    learning->store = lesson_store_open(folder);
    learning->published_ms = loop_now_ms(learning->loop);
    rebuild_ask(learning);
    timer_set(learning->forget, FORGET_EVERY_MS / 60);
}

void learning_free(struct learning *learning)
{
    if (timer_is_set(learning->snapshot) && learning->store) snapshot_write(learning);
    timer_free(learning->rebuild);
    timer_free(learning->publish);
    timer_free(learning->snapshot);
    timer_free(learning->forget);
    if (learning->store) lesson_store_close(learning->store);
    learner_free(learning->learner);
    learner_free(learning->next);
    buffer_free(&learning->anchors);
    arena_free(learning->arena);
    free(learning);
}

/* --- lessons --- */

/* What is in force has it at once; a model that is made anew comes to it. */
static void learn_now(struct learning *learning, const struct lesson *lesson)
{
    if (learning->is_stale || learning->next) return;
    learner_learn(learning->learner, &lesson->vector, lesson->base, lesson->is_spam);
    changed(learning);
}

enum learning_outcome learning_teach(struct learning *learning, const struct lesson *lesson)
{
    struct lesson_store *store = learning->store;
    struct lesson timed = *lesson;
    uint64_t now = loop_wall_ms(learning->loop);
    size_t before = lesson_store_find(store, lesson->id);
    bool is_known = before < lesson_store_count(store);
    const struct lesson_place *known = is_known ? lesson_store_place(store, before) : NULL;
    bool is_confirmed = known && known->origin && known->is_spam == lesson->is_spam;
    if (known && !is_confirmed && known->is_spam == lesson->is_spam) return LEARNING_KNOWN;
    if (!timed.time_ms || timed.time_ms > now) timed.time_ms = now;
    if (!lesson_store_add(store, &timed)) return LEARNING_FAILED;
    if (is_known) {
        rebuild_ask(learning);
        return is_confirmed ? LEARNING_TAUGHT : LEARNING_CHANGED;
    }
    learn_now(learning, &timed);
    return LEARNING_TAUGHT;
}

enum learning_outcome learning_teach_automatic(struct learning *learning, const struct lesson *lesson,
                                               const struct lesson_origin *origin)
{
    struct lesson_store *store = learning->store;
    if (!learning_is_news(learning, lesson->id)) return LEARNING_KNOWN;
    if (!lesson_store_add_automatic(store, lesson, origin)) return LEARNING_FAILED;
    learn_now(learning, lesson);
    return LEARNING_TAUGHT;
}

enum learning_outcome learning_undo(struct learning *learning, struct text digits,
                                    uint8_t out_id[LESSON_ID_BYTES])
{
    bool is_several;
    size_t number = lesson_store_find_digits(learning->store, digits, &is_several);
    if (is_several) return LEARNING_SEVERAL;
    if (number == lesson_store_count(learning->store)) return LEARNING_MISSING;
    memcpy(out_id, lesson_store_place(learning->store, number)->id, LESSON_ID_BYTES);
    if (!lesson_store_undo(learning->store, number, loop_wall_ms(learning->loop))) return LEARNING_FAILED;
    rebuild_ask(learning);
    return LEARNING_TAUGHT;
}

bool learning_knows(const struct learning *learning, const uint8_t id[LESSON_ID_BYTES], bool is_spam)
{
    size_t number = lesson_store_find(learning->store, id);
    return number < lesson_store_count(learning->store) &&
           lesson_store_place(learning->store, number)->is_spam == is_spam;
}

bool learning_is_news(const struct learning *learning, const uint8_t id[LESSON_ID_BYTES])
{
    return lesson_store_find(learning->store, id) == lesson_store_count(learning->store) &&
           !lesson_store_was_undone(learning->store, id);
}

bool learning_is_automatic(const struct learning *learning, const uint8_t id[LESSON_ID_BYTES])
{
    size_t number = lesson_store_find(learning->store, id);
    return number < lesson_store_count(learning->store) &&
           lesson_store_place(learning->store, number)->origin;
}

enum learning_outcome learning_undo_automatic(struct learning *learning, const uint8_t id[LESSON_ID_BYTES])
{
    if (!learning_is_automatic(learning, id)) return LEARNING_MISSING;
    size_t number = lesson_store_find(learning->store, id);
    if (!lesson_store_undo(learning->store, number, loop_wall_ms(learning->loop))) return LEARNING_FAILED;
    rebuild_ask(learning);
    return LEARNING_TAUGHT;
}

bool learning_undo_all_automatic(struct learning *learning, uint32_t out_taken[2])
{
    struct lesson_store *store = learning->store;
    bool is_good = true;
    out_taken[0] = out_taken[1] = 0;
    for (size_t i = 0; i < lesson_store_count(store) && is_good; i++) {
        const struct lesson_place *place = lesson_store_place(store, i);
        if (place->is_dead || !place->origin) continue;
        is_good = lesson_store_undo(store, i, loop_wall_ms(learning->loop));
        out_taken[place->is_spam] += is_good;
    }
    if (out_taken[0] + out_taken[1]) rebuild_ask(learning);
    return is_good && lesson_store_sync(store);
}

bool learning_automatic_next(const struct learning *learning, size_t *place, struct learning_automatic *out)
{
    while (*place < lesson_store_count(learning->store)) {
        const struct lesson_place *found = lesson_store_place(learning->store, (*place)++);
        if (found->is_dead || !found->origin) continue;
        *out = (struct learning_automatic){ found->is_spam, found->time_ms, found->origin };
        return true;
    }
    return false;
}

bool learning_sync(struct learning *learning)
{
    return lesson_store_sync(learning->store);
}

void learning_look(const struct learning *learning, struct learning_facts *out)
{
    const struct lesson_store *store = learning->store;
    struct local_model model = { NULL, learner_taught(learning->learner, false),
                                 learner_taught(learning->learner, true) };
    *out = (struct learning_facts){
        .ham = model.ham,
        .spam = model.spam,
        .anchors = learning->anchor_count,
        .bytes = lesson_store_bytes(store),
        .changed_ms = learning->changed_ms,
        .counts = model.ham >= LEARNER_CLASS_LEAST && model.spam >= LEARNER_CLASS_LEAST,
        .trust = model.ham + model.spam ? local_model_trust(&model) : 0,
        .is_settled = !learning->is_stale && !learning->next && !timer_is_set(learning->publish),
        .trouble = learning->trouble[0] ? learning->trouble : lesson_store_trouble(store),
    };
    for (size_t i = 0; i < lesson_store_count(store); i++) {
        const struct lesson_place *place = lesson_store_place(store, i);
        if (place->is_dead) continue;
        out->lessons++;
        out->automatic[place->is_spam] += place->origin != NULL;
        if (!out->oldest_ms || place->time_ms < out->oldest_ms) out->oldest_ms = place->time_ms;
    }
}

int learning_export(struct learning *learning)
{
    if (lesson_store_forget(learning->store, 0)) rebuild_ask(learning);
    return lesson_store_reading(learning->store);
}
