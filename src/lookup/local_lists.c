/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One file at a time: read in pieces, then compiled in steps, each in a turn of its own. */
#include "lookup/local_lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "config/list_setting.h"

enum { PIECE_BYTES = 2 << 20 };

/* By what a file is known to be the one that was read. */
struct file_mark {
    dev_t device;
    ino_t number;
    off_t size;
    struct timespec changed;
    uint64_t ours; /* a checksum of the addresses that it may not have */
};

struct local_list {
    char *name, *path;
    enum blocklist_kind kind;
    struct buffer image; /* in force where `list` is set */
    struct blocklist list;
    struct file_mark mark;
    uint64_t loaded_ms;
    char *problem;
    int fd; /* to be read; -1: not */
    bool is_fetched;
    uint64_t stale_ms, since_ms;              /* `stale after`; when it was first configured, since 1970 */
    uint64_t fetched_ms, came_ms, offered_ms; /* the latter of the image, and of `fd` */
    char *trouble;
    struct local_list_offer offer; /* of `fd`; without `taken`: none */
};

/* The file that is read now. */
struct job {
    struct local_list *list; /* NULL: none */
    struct file_mark mark;
    struct buffer content, image;
    struct blocklist_limits limits;
    struct blocklist_problem problem;
    struct blocklist_compiler *compiler; /* NULL: its content is being read */
};

struct local_lists {
    enum { LOCAL_LISTS_MAGIC = 0x6c15f11e } magic;
    struct loop *loop;
    struct timer *timer;
    struct arena *arena; /* of `ours` */
    struct address *ours;
    size_t our_count;
    struct local_list **items;
    size_t count;
    struct job job;
    void (*settled)(void *context);
    void *context;
};

/* --- one list --- */

static void offer_end(struct local_list *list, const char *why)
{
    struct local_list_offer offer = list->offer;
    list->offer = (struct local_list_offer){ 0 };
    if (offer.taken) offer.taken(offer.context, why);
}

static void list_free(struct local_list *list)
{
    offer_end(list, "the configuration was read anew");
    if (list->fd >= 0) close(list->fd);
    buffer_free(&list->image);
    free(list->name);
    free(list->path);
    free(list->problem);
    free(list->trouble);
    free(list);
}

static struct local_list *list_find(const struct local_lists *lists, struct text name)
{
    for (size_t i = 0; i < lists->count; i++)
        if (text_equal(name, text_of(lists->items[i]->name))) return lists->items[i];
    return NULL;
}

static void problem_set(struct local_list *list, uint32_t line, const char *says)
{
    struct buffer text = { 0 };
    buffer_printf(&text, "%s:", list->path);
    if (line) buffer_printf(&text, "%u:", line);
    buffer_printf(&text, " %s", says);
    free(list->problem);
    list->problem = memory_string(buffer_text(&text));
    buffer_free(&text);
    log_error("ALARM: list %s: %s; %s", list->name, list->problem,
              list->list.head ? "the list before stays in force" : "it is not in force");
    offer_end(list, list->problem);
}

/* --- a job --- */

static void job_end(struct job *job)
{
    close(job->list->fd);
    job->list->fd = -1;
    offer_end(job->list, NULL);
    blocklist_compiler_free(job->compiler);
    buffer_free(&job->content);
    buffer_free(&job->image);
    *job = (struct job){ 0 };
}

static void job_refuse(struct job *job, uint32_t line, const char *says)
{
    problem_set(job->list, line, says);
    job_end(job);
}

/* Nobody waits for it any more. */
static void job_drop(struct job *job)
{
    offer_end(job->list, "the configuration was read anew");
    job_end(job);
}

static uint64_t ours_checksum(const struct local_lists *lists)
{
    return text_checksum(text_from((const char *)lists->ours, lists->our_count * sizeof *lists->ours));
}

static bool mark_of(const struct local_lists *lists, int fd, struct file_mark *out)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) return false;
    *out =
        (struct file_mark){ facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim, ours_checksum(lists) };
    return true;
}

static bool marks_are_same(const struct file_mark *a, const struct file_mark *b)
{
    return a->device == b->device && a->number == b->number && a->size == b->size && a->ours == b->ours &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static void job_begin(struct local_lists *lists, struct local_list *list)
{
    struct job *job = &lists->job;
    *job = (struct job){ .list = list,
                         .limits = { LOCAL_LIST_BYTES_MOST, LOCAL_LIST_LINES_MOST, lists->ours,
                                     lists->our_count } };
    if (!mark_of(lists, list->fd, &job->mark))
        job_refuse(job, 0, strerror(errno));
    else if (list->list.head && !list->problem && marks_are_same(&job->mark, &list->mark))
        job_end(job);
}

/* A piece of the file; behind the last one it is compiled. */
static void job_read(struct job *job)
{
    char *room = buffer_reserve(&job->content, PIECE_BYTES);
    ssize_t got = pread(job->list->fd, room, PIECE_BYTES, (off_t)buffer_length(&job->content));
    if (got < 0 && errno == EINTR) return;
    if (got < 0) {
        job_refuse(job, 0, strerror(errno));
        return;
    }
    buffer_commit(&job->content, (size_t)got);
    if (buffer_length(&job->content) > LOCAL_LIST_BYTES_MOST)
        job_refuse(job, 0, N_("is larger than 256 MiB"));
    else if (got == 0)
        job->compiler = blocklist_compiler_new(job->list->kind, buffer_text(&job->content), &job->limits,
                                               &job->image, &job->problem);
}

static void job_take(struct local_lists *lists, struct job *job)
{
    struct local_list *list = job->list;
    buffer_free(&list->image);
    list->image = job->image;
    job->image = (struct buffer){ 0 };
    if (!blocklist_open(buffer_text(&list->image), &list->list)) bug("an image that was just made is none");
    list->mark = job->mark;
    list->came_ms = list->offered_ms;
    list->loaded_ms = loop_wall_ms(lists->loop);
    free(list->problem);
    list->problem = NULL;
    log_info("list %s: %u entries of %s are in force", list->name, blocklist_count(&list->list), list->path);
    job_end(job);
}

static void job_compile(struct local_lists *lists, struct job *job)
{
    switch (blocklist_compiler_step(job->compiler)) {
    case BLOCKLIST_GOES_ON:
        break;
    case BLOCKLIST_IS_DONE:
        job_take(lists, job);
        break;
    case BLOCKLIST_IS_REFUSED:
        job_refuse(job, job->problem.line, job->problem.says);
        break;
    }
}

/* --- all of them --- */

static struct local_list *next_to_read(const struct local_lists *lists)
{
    for (size_t i = 0; i < lists->count; i++)
        if (lists->items[i]->fd >= 0) return lists->items[i];
    return NULL;
}

bool local_lists_are_settled(const struct local_lists *lists)
{
    return !lists->job.list && !next_to_read(lists);
}

static void step(struct local_lists *lists)
{
    struct job *job = &lists->job;
    if (!job->list)
        job_begin(lists, next_to_read(lists));
    else if (!job->compiler)
        job_read(job);
    else
        job_compile(lists, job);
}

static void turn(void *context)
{
    struct local_lists *lists = CONTEXT(context, struct local_lists, LOCAL_LISTS_MAGIC);
    if (!local_lists_are_settled(lists)) step(lists);
    if (local_lists_are_settled(lists))
        lists->settled(lists->context);
    else
        timer_set(lists->timer, 0);
}

struct local_lists *local_lists_new(struct loop *loop, void (*settled)(void *context), void *context)
{
    struct local_lists *lists = memory_alloc(sizeof *lists);
    *lists = (struct local_lists){ .magic = LOCAL_LISTS_MAGIC,
                                   .loop = loop,
                                   .arena = arena_new(1024),
                                   .settled = settled,
                                   .context = context };
    lists->timer = timer_new(loop, turn, lists);
    return lists;
}

static struct local_list *list_make(const struct list_setting *setting)
{
    static const enum blocklist_kind kinds[] = { [LIST_FORM_NETWORKS] = BLOCKLIST_NETWORKS,
                                                 [LIST_FORM_NAMES] = BLOCKLIST_NAMES,
                                                 [LIST_FORM_HASHES] = BLOCKLIST_HASHES };
    struct local_list *list = memory_alloc(sizeof *list);
    *list = (struct local_list){ .name = memory_string(setting->name),
                                 .path = memory_string(list_setting_path(setting)),
                                 .kind = kinds[list_setting_form(setting)],
                                 .fd = -1,
                                 .is_fetched = list_setting_is_fetched(setting),
                                 .stale_ms = setting->stale_ms };
    return list;
}

static void fetching_inherit(struct local_list *list, struct local_list *old)
{
    list->fetched_ms = old->fetched_ms;
    list->since_ms = old->since_ms;
    list->trouble = old->trouble;
    list->problem = old->problem;
    old->trouble = old->problem = NULL;
}

/* Its old image stays in force, though it may be of another file. */
static void list_inherit(struct local_list *list, struct local_list *old)
{
    if (!old) return;
    if (list->is_fetched && strcmp(list->path, old->path) == 0) fetching_inherit(list, old);
    if (old->kind != list->kind || !old->list.head) return;
    list->image = old->image;
    list->list = old->list;
    list->mark = old->mark;
    list->loaded_ms = old->loaded_ms;
    list->came_ms = old->came_ms;
    old->image = (struct buffer){ 0 };
    old->list = (struct blocklist){ 0 };
}

void local_lists_configure(struct local_lists *lists, const struct config *config, const int *fds)
{
    struct local_list **items = memory_alloc((config->list_count + 1) * sizeof *items);
    size_t count = 0;
    if (lists->job.list) job_drop(&lists->job);
    arena_reset(lists->arena);
    lists->our_count = config_own_addresses(config, lists->arena, &lists->ours);
    for (size_t i = 0; i < config->list_count; i++) {
        if (list_setting_form(&config->lists[i]) == LIST_FORM_ZONE) {
            if (fds[i] >= 0) close(fds[i]);
            continue;
        }
        struct local_list *list = items[count++] = list_make(&config->lists[i]);
        list_inherit(list, list_find(lists, config->lists[i].name));
        list->fd = fds[i];
        if (list->is_fetched && !list->since_ms) list->since_ms = loop_wall_ms(lists->loop);
        if (list->fd < 0 && !list->is_fetched)
            problem_set(list, 0, N_("cannot be read: the log of master says why"));
    }
    for (size_t i = 0; i < lists->count; i++) list_free(lists->items[i]);
    free(lists->items);
    lists->items = items;
    lists->count = count;
    timer_set(lists->timer, 0);
}

void local_lists_finish(struct local_lists *lists)
{
    while (!local_lists_are_settled(lists)) step(lists);
}

/* --- by HTTPS --- */

static bool is_known(const struct local_lists *lists, const struct local_list *list, uint64_t came_ms)
{
    return list->list.head && list->came_ms == came_ms && list->mark.ours == ours_checksum(lists);
}

void local_lists_offer(struct local_lists *lists, struct text name, uint64_t came_ms, int fd,
                       const struct local_list_offer *offer)
{
    struct local_list *list = list_find(lists, name);
    bool is_listed = list && list->is_fetched;
    if (!is_listed || is_known(lists, list, came_ms)) {
        close(fd);
        offer->taken(offer->context, is_listed ? NULL : "no list by HTTPS has this name");
        return;
    }
    if (lists->job.list == list) job_drop(&lists->job);
    offer_end(list, "another came");
    if (list->fd >= 0) close(list->fd);
    list->fd = fd;
    list->offer = *offer;
    list->offered_ms = came_ms;
    timer_set(lists->timer, 0);
}

void local_lists_fetched(struct local_lists *lists, struct text name, uint64_t fetched_ms,
                         struct text trouble)
{
    struct local_list *list = list_find(lists, name);
    if (!list || !list->is_fetched) return;
    free(list->trouble);
    list->trouble = trouble.length > 0 ? memory_string(trouble) : NULL;
    list->fetched_ms = fetched_ms;
}

static bool is_stale(const struct local_lists *lists, const struct local_list *list)
{
    uint64_t since_ms = list->fetched_ms ? list->fetched_ms : list->since_ms;
    uint64_t now_ms = loop_wall_ms(lists->loop);
    return list->is_fetched && now_ms > since_ms && now_ms - since_ms > list->stale_ms;
}

/* --- looking --- */

const struct blocklist *local_lists_find(const struct local_lists *lists, struct text name)
{
    const struct local_list *list = list_find(lists, name);
    return list && list->list.head ? &list->list : NULL;
}

bool local_lists_state(const struct local_lists *lists, struct text name, struct local_list_state *out)
{
    const struct local_list *list = list_find(lists, name);
    if (!list) return false;
    bool is_in_force = list->list.head != NULL;
    *out = (struct local_list_state){ is_in_force,      is_in_force ? blocklist_count(&list->list) : 0,
                                      list->loaded_ms,  list->problem ? text_of(list->problem) : TEXT_NONE,
                                      list->is_fetched, is_stale(lists, list),
                                      list->fetched_ms, list->trouble ? text_of(list->trouble) : TEXT_NONE };
    return true;
}
