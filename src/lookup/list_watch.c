/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A list that goes to and fro is told of LIST_AT_ONCE times, then once in LIST_EVERY_MS. What was told to be
   aside is always told to be in force again. */
#include "lookup/list_watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/log.h"
#include "config/list_setting.h"
#include "ipc/event.h"
#include "ipc/message_id.h"
#include "judge/list_absence.h"

enum {
    LOOK_MS = 1000,
    LISTS_MOST = 64,
    LIST_AT_ONCE = 20,
    LIST_EVERY_MS = 600000,
    OWN_PROCESS = 62 /* in serials of the audit: master has 60, ledger 61, queue 63 */
};

/* A list that was told to be aside, or was so before. */
struct watched {
    char name[LIST_NAME_MOST + 1]; /* empty: free */
    bool is_aside;                 /* as it was told */
    uint32_t told;                 /* times, less one in each LIST_EVERY_MS since `told_ms` */
    uint64_t told_ms;
};

struct list_watch {
    enum { LIST_WATCH_MAGIC = 0x1a8e34c7 } magic;
    const struct list_sources *sources;
    struct ring *ring;
    struct timer *timer;
    struct message_id_source ids;
    struct watched watched[LISTS_MOST];
    bool has_begun;
};

bool list_watch_is_aside(const struct list_sources *sources, struct text name, struct text *out_why)
{
    struct local_list_state file;
    struct dns_list_state zone;
    *out_why = TEXT_NONE;
    if (local_lists_state(sources->local, name, &file)) {
        *out_why = file.problem;
        return file.problem.length > 0;
    }
    if (!dns_lists_state(sources->dns, name, &zone) || zone.standing != DNS_LIST_IS_ASIDE) return false;
    *out_why = zone.why;
    return true;
}

static void tell(struct list_watch *watch, enum list_absence_act act, struct text name, struct text why)
{
    struct buffer about = { 0 }, record = { 0 };
    uint64_t now_ms = loop_wall_ms(watch->sources->loop);
    list_absence_put(act, name, why, &about);
    watch->ids.node = watch->sources->config->node.number;
    struct event_audit event = { .time_ms = now_ms,
                                 .serial = message_id_next(&watch->ids, now_ms),
                                 .process = TEXT("lookup"),
                                 .act = TEXT(LIST_ABSENCE_ACT),
                                 .about = buffer_text(&about) };
    event_audit_put(&event, &record);
    if (!ring_append(watch->ring, buffer_text(&record)))
        log_error("the event record is full: the ledger does not know that %.*s",
                  TEXT_ARG(buffer_text(&about)));
    buffer_free(&record);
    buffer_free(&about);
}

/* The place of the list; with `is_new` one that is free, or that of a list which is no longer aside. NULL:
   there is none. */
static struct watched *watched_find(struct list_watch *watch, struct text name, bool is_new)
{
    struct watched *free_one = NULL;
    for (struct watched *one = watch->watched; one < watch->watched + LISTS_MOST; one++) {
        if (text_equal(text_of(one->name), name)) return one;
        if (!one->is_aside && (!free_one || one->told < free_one->told)) free_one = one;
    }
    if (!is_new || !free_one) return NULL;
    *free_one = (struct watched){ 0 };
    snprintf(free_one->name, sizeof free_one->name, "%.*s", TEXT_ARG(name));
    return free_one;
}

static bool may_tell(struct watched *one, uint64_t now_ms)
{
    uint64_t periods = (now_ms - one->told_ms) / LIST_EVERY_MS;
    one->told = periods < one->told ? one->told - (uint32_t)periods : 0;
    one->told_ms += periods * LIST_EVERY_MS;
    if (one->told == 0) one->told_ms = now_ms;
    if (one->told >= LIST_AT_ONCE) return false;
    one->told++;
    return true;
}

static void list_look(struct list_watch *watch, struct text name)
{
    struct text why;
    bool is_aside = list_watch_is_aside(watch->sources, name, &why);
    struct watched *one = watched_find(watch, name, is_aside);
    if (!one || one->is_aside == is_aside) return;
    if (is_aside && !may_tell(one, loop_now_ms(watch->sources->loop))) return;
    one->is_aside = is_aside;
    struct local_list_state file;
    struct buffer words = { 0 };
    if (is_aside && local_lists_state(watch->sources->local, name, &file))
        buffer_add_text(&words, text_of(N_("has a file that was refused: ")));
    buffer_add_text(&words, why);
    tell(watch, is_aside ? LIST_ABSENCE_BEGINS : LIST_ABSENCE_ENDS, name, buffer_text(&words));
    buffer_free(&words);
}

/* What was aside and is no longer configured is asked about nobody. */
static void gone_look(struct list_watch *watch)
{
    for (struct watched *one = watch->watched; one < watch->watched + LISTS_MOST; one++) {
        if (!one->is_aside || config_list_find(watch->sources->config, text_of(one->name))) continue;
        tell(watch, LIST_ABSENCE_ENDS, text_of(one->name), TEXT_NONE);
        *one = (struct watched){ 0 };
    }
}

/* Whatever was aside when the process ended is tried anew from here on. */
static void look(void *context)
{
    struct list_watch *watch = CONTEXT(context, struct list_watch, LIST_WATCH_MAGIC);
    const struct config *config = watch->sources->config;
    if (config->list_count > 0 && !watch->has_begun) {
        tell(watch, LIST_ABSENCE_ALL_END, TEXT_NONE, TEXT_NONE);
        watch->has_begun = true;
    }
    for (size_t i = 0; i < config->list_count && i < LISTS_MOST; i++) list_look(watch, config->lists[i].name);
    gone_look(watch);
    timer_set(watch->timer, LOOK_MS);
}

struct list_watch *list_watch_new(const struct list_sources *sources, struct ring *ring)
{
    struct list_watch *watch = memory_alloc(sizeof *watch);
    watch->magic = LIST_WATCH_MAGIC;
    watch->sources = sources;
    watch->ring = ring;
    watch->ids.process = OWN_PROCESS;
    watch->timer = timer_new(sources->loop, look, watch);
    if (ring) timer_set(watch->timer, LOOK_MS);
    return watch;
}
