/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Three questions try a list: what it has to list, what it must not, and a name by chance. The last, the
   control, is asked anew after each listing that comes from the list's servers; many wait for one. */
#include "lookup/dns_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/context.h"
#include "base/log.h"
#include "config/list_setting.h"
#include "lookup/list_trial.h"

enum { NAME_MOST = 253, FAILURES_MOST = 8, WHY_SIZE = 160, CONTROL_GOOD_MS = 60000, TRIAL_MOST_MS = 10000 };

enum purpose { PURPOSE_ASK, PURPOSE_LISTED, PURPOSE_UNLISTED, PURPOSE_CONTROL };

struct dns_list_query {
    enum { DNS_LIST_QUERY_MAGIC = 0x3d71a5c9 } magic;
    struct dns_list *list;
    enum purpose purpose;
    struct dns_list_asker *asker; /* NULL: gone, or none */
    struct arena *arena;
    struct dns_answer answer;
    struct address listing; /* what is to be told once the control has come */
    uint64_t control;       /* the first one that counts */
    uint64_t trial;         /* of whose questions it is one */
    STAILQ_ENTRY(dns_list_query) waiting;
};

struct dns_list {
    enum { DNS_LIST_MAGIC = 0x1a2b7c40 } magic;
    struct dns_lists *all;
    const struct list_setting *setting; /* of the configuration in force; NULL: it is in it no more */
    char *name, *zone, *servers;
    struct resolver *resolver;
    struct timer *timer; /* the next trial */
    enum dns_list_standing standing;
    char why[WHY_SIZE];
    bool is_probing, is_controlling;
    uint32_t queries, failures; /* in flight; without an answer in a row */
    uint64_t retry_ms, probed_ms, controlled_ms;
    uint64_t control, trial; /* numbers of those begun last */
    uint64_t asked, listed;
    STAILQ_HEAD(query_queue, dns_list_query) waiting;
};

struct dns_lists {
    struct loop *loop;
    const struct resolver *first;
    const struct config *config;
    struct dns_list **items;
    size_t count;
};

static void probe_begin(struct dns_list *list);
static void control_begin(struct dns_list *list);

/* --- the end of a list --- */

static void list_free(struct dns_list *list)
{
    resolver_free(list->resolver);
    timer_free(list->timer);
    free(list->name);
    free(list->zone);
    free(list->servers);
    free(list);
}

static void tell(struct dns_list_query *query, enum dns_list_says says)
{
    struct dns_list_asker *asker = query->asker;
    query->asker = NULL;
    if (!asker) return;
    asker->query = NULL;
    asker->answered(asker, says, &query->listing);
}

static void query_free(struct dns_list_query *query)
{
    arena_free(query->arena);
    free(query);
}

static void query_end(struct dns_list_query *query, enum dns_list_says says)
{
    query->list->listed += says == DNS_LIST_LISTED;
    tell(query, says);
    query_free(query);
}

/* Those for which this control is enough; all: those that wait. */
static void waiting_end(struct dns_list *list, uint64_t control, enum dns_list_says says)
{
    struct dns_list_query *query = STAILQ_FIRST(&list->waiting);
    while (query && query->control <= control) {
        STAILQ_REMOVE_HEAD(&list->waiting, waiting);
        query_end(query, says);
        query = STAILQ_FIRST(&list->waiting);
    }
}

/* --- aside and in force --- */

static void put_aside(struct dns_list *list, const char *why)
{
    bool is_new = list->standing != DNS_LIST_IS_ASIDE;
    list->standing = DNS_LIST_IS_ASIDE;
    snprintf(list->why, sizeof list->why, "%s", why);
    if (is_new) list->retry_ms = DNS_LIST_RETRY_LEAST_MS;
    if (is_new)
        log_error("ALARM: list %s is put aside, it %s; nothing is refused or weighed by it until it is well",
                  list->name, why);
    list->is_probing = false;
    timer_set(list->timer, list->retry_ms);
    list->retry_ms =
        list->retry_ms * 2 < DNS_LIST_RETRY_MOST_MS ? list->retry_ms * 2 : DNS_LIST_RETRY_MOST_MS;
    waiting_end(list, UINT64_MAX, DNS_LIST_UNKNOWN);
}

static void put_in_force(struct dns_list *list)
{
    if (list->standing != DNS_LIST_IS_IN_FORCE)
        log_info("list %s is in force%s", list->name, list->why[0] ? " again" : "");
    list->standing = DNS_LIST_IS_IN_FORCE;
    list->is_probing = false;
    list->failures = 0;
    list->why[0] = '\0';
    timer_set(list->timer, DNS_LIST_PROBE_MS + (uint64_t)(lrand48() % (DNS_LIST_PROBE_MS / 10)));
}

/* --- questions --- */

static void query_answered(void *context);

/* False: the name would be too long. */
static bool query_begin(struct dns_list *list, enum purpose purpose, struct text labels,
                        struct dns_list_asker *asker)
{
    if (labels.length + 1 + strlen(list->zone) > NAME_MOST) return false;
    struct dns_list_query *query = memory_alloc(sizeof *query);
    *query = (struct dns_list_query){ .magic = DNS_LIST_QUERY_MAGIC,
                                      .list = list,
                                      .purpose = purpose,
                                      .trial = list->trial,
                                      .asker = asker,
                                      .arena = arena_new(512) };
    if (asker) asker->query = query;
    list->queries++;
    struct text name = arena_printf(query->arena, "%.*s.%s", TEXT_ARG(labels), list->zone);
    resolver_ask(list->resolver, query->arena, name, RECORD_A, &query->answer, query_answered, query);
    return true;
}

static uint64_t chance(void)
{
    return (uint64_t)lrand48() << 31 | (uint64_t)lrand48();
}

static void control_begin(struct dns_list *list)
{
    struct buffer labels = { 0 };
    list_trial_by_chance(list->setting, chance(), &labels);
    list->control++;
    list->is_controlling = query_begin(list, PURPOSE_CONTROL, buffer_text(&labels), NULL);
    if (!list->is_controlling) waiting_end(list, UINT64_MAX, DNS_LIST_UNKNOWN);
    buffer_free(&labels);
}

/* The first address by which it refuses us; NULL: none does. */
static const struct address *refusal_of(const struct dns_list *list, const struct dns_answer *answer)
{
    const struct list_preset *preset = list_preset_find(text_of(list->name));
    for (uint32_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
        if (list_preset_is_refusal(preset, &answer->records[i].address)) return &answer->records[i].address;
    return NULL;
}

/* The one that weighs most; NULL: none means listed. */
static const struct address *listing_of(const struct dns_list *list, const struct dns_answer *answer)
{
    const struct address *best = NULL;
    for (uint32_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        const struct address *address = &answer->records[i].address;
        if (!list_setting_is_listing(list->setting, address)) continue;
        bool is_more =
            !best || list_setting_points(list->setting, address) > list_setting_points(list->setting, best);
        if (is_more) best = address;
    }
    return best;
}

static bool is_no_answer(const struct dns_answer *answer)
{
    return answer->status == DNS_TEMPERROR || answer->status == DNS_BOGUS;
}

/* Nobody waits for it while it is tried. */
static void failed(struct dns_list *list)
{
    if (++list->failures < FAILURES_MOST || list->standing != DNS_LIST_IS_IN_FORCE) return;
    list->standing = DNS_LIST_IS_TRIED;
    if (!list->is_probing) probe_begin(list);
}

/* A listing from the cache has waited for a control before. */
static void listing_wait(struct dns_list_query *query, const struct address *listing)
{
    struct dns_list *list = query->list;
    query->listing = *listing;
    bool is_good = query->answer.was_cached && list->controlled_ms > 0 &&
                   loop_now_ms(list->all->loop) - list->controlled_ms < CONTROL_GOOD_MS;
    if (is_good) {
        query_end(query, DNS_LIST_LISTED);
        return;
    }
    query->control = list->control + 1;
    STAILQ_INSERT_TAIL(&list->waiting, query, waiting);
    if (!list->is_controlling) control_begin(list);
}

static void ask_answered(struct dns_list_query *query)
{
    struct dns_list *list = query->list;
    const struct address *listing = listing_of(list, &query->answer);
    if (list->standing != DNS_LIST_IS_IN_FORCE) {
        query_end(query, DNS_LIST_UNKNOWN);
    } else if (is_no_answer(&query->answer)) {
        query_end(query, DNS_LIST_UNKNOWN);
        failed(list);
    } else if (listing) {
        list->failures = 0;
        listing_wait(query, listing);
    } else {
        list->failures = 0;
        query_end(query, DNS_LIST_UNLISTED);
    }
}

/* --- trying --- */

static void probe_ask(struct dns_list *list, enum purpose purpose, struct text labels)
{
    if (!query_begin(list, purpose, labels, NULL)) put_aside(list, N_("has a name that is too long to ask"));
}

static void unlisted_ask(struct dns_list *list)
{
    struct buffer labels = { 0 };
    list_trial_unlisted(list->setting, chance(), &labels);
    probe_ask(list, PURPOSE_UNLISTED, buffer_text(&labels));
    buffer_free(&labels);
}

static void probe_begin(struct dns_list *list)
{
    list->is_probing = true;
    list->trial++;
    timer_set(list->timer, TRIAL_MOST_MS);
    list->probed_ms = loop_wall_ms(list->all->loop);
    struct text listed = list_trial_listed(list->setting);
    if (listed.length > 0)
        probe_ask(list, PURPOSE_LISTED, listed);
    else
        unlisted_ask(list);
}

/* The way from the root is shut in many a house. */
static void silent(struct dns_list *list)
{
    put_aside(list,
              list->setting->servers.count > 0
                  ? N_("does not answer")
                  : N_("does not answer (it is asked from the DNS's root: is port 53 open to the world?)"));
}

/* What it said while it was aside is forgotten first. */
static void probe_due(void *context)
{
    struct dns_list *list = CONTEXT(context, struct dns_list, DNS_LIST_MAGIC);
    if (!list->setting) return;
    if (list->is_probing) {
        silent(list);
        return;
    }
    if (list->standing == DNS_LIST_IS_ASIDE)
        resolver_configure_list(list->resolver, list->all->config, &list->setting->servers);
    probe_begin(list);
}

static void probe_listed(struct dns_list *list, const struct dns_answer *answer)
{
    if (is_no_answer(answer))
        silent(list);
    else if (!listing_of(list, answer))
        put_aside(list, N_("does not list what each list has, to be tried by (RFC 5782)"));
    else
        unlisted_ask(list);
}

static void probe_unlisted(struct dns_list *list, const struct dns_answer *answer)
{
    if (is_no_answer(answer))
        silent(list);
    else if (answer->status == DNS_FOUND)
        put_aside(list, N_("lists what no list has (RFC 5782)"));
    else if (!list->is_controlling)
        control_begin(list);
}

/* It ends a trial too, where that has come so far. */
static void control_answered(struct dns_list *list, const struct dns_answer *answer)
{
    uint64_t number = list->control;
    list->is_controlling = false;
    if (answer->status == DNS_FOUND) {
        put_aside(list, N_("lists everything that it is asked for"));
        return;
    }
    if (is_no_answer(answer)) {
        if (list->is_probing) silent(list);
        waiting_end(list, number, DNS_LIST_UNKNOWN);
        failed(list);
    } else {
        list->controlled_ms = loop_now_ms(list->all->loop);
        if (list->is_probing) put_in_force(list);
        waiting_end(list, number, DNS_LIST_LISTED);
    }
    if (STAILQ_FIRST(&list->waiting) && !list->is_controlling) control_begin(list);
}

static void trial_answered(struct dns_list_query *query)
{
    struct dns_list *list = query->list;
    const struct dns_answer *answer = &query->answer;
    if (query->purpose == PURPOSE_CONTROL)
        control_answered(list, answer);
    else if (list->is_probing && query->trial == list->trial && query->purpose == PURPOSE_LISTED)
        probe_listed(list, answer);
    else if (list->is_probing && query->trial == list->trial)
        probe_unlisted(list, answer);
    query_free(query);
}

static void refused(struct dns_list *list, const struct address *by)
{
    char room[ADDRESS_TEXT_SIZE], why[WHY_SIZE];
    snprintf(why, sizeof why, "%s (%s)", N_("refuses to answer this node, or another answers for it"),
             address_print(by, room));
    put_aside(list, why);
}

static void query_answered(void *context)
{
    struct dns_list_query *query = CONTEXT(context, struct dns_list_query, DNS_LIST_QUERY_MAGIC);
    struct dns_list *list = query->list;
    list->queries--;
    if (!list->setting) { /* the configuration has it no more */
        query_end(query, DNS_LIST_UNKNOWN);
        if (list->queries == 0) list_free(list);
        return;
    }
    const struct address *refusal = refusal_of(list, &query->answer);
    if (refusal) {
        if (query->purpose == PURPOSE_CONTROL) list->is_controlling = false;
        refused(list, refusal);
        query_end(query, DNS_LIST_UNKNOWN);
    } else if (query->purpose == PURPOSE_ASK) {
        ask_answered(query);
    } else {
        trial_answered(query);
    }
}

/* --- the configuration --- */

static void servers_print(const struct text_list *servers, struct buffer *out)
{
    for (size_t i = 0; i < servers->count; i++) buffer_printf(out, "%.*s ", TEXT_ARG(servers->items[i]));
}

static struct dns_list *list_make(struct dns_lists *lists, const struct list_setting *setting)
{
    struct buffer zone = { 0 }, servers = { 0 };
    struct dns_list *list = memory_alloc(sizeof *list);
    list_setting_zone(setting, &zone);
    servers_print(&setting->servers, &servers);
    *list = (struct dns_list){ .magic = DNS_LIST_MAGIC,
                               .all = lists,
                               .name = memory_string(setting->name),
                               .zone = memory_string(buffer_text(&zone)),
                               .servers = memory_string(buffer_text(&servers)),
                               .resolver = resolver_new_for_list(lists->first),
                               .retry_ms = DNS_LIST_RETRY_LEAST_MS };
    STAILQ_INIT(&list->waiting);
    list->timer = timer_new(lists->loop, probe_due, list);
    buffer_free(&zone);
    buffer_free(&servers);
    return list;
}

static bool are_same(const struct dns_list *a, const struct dns_list *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->zone, b->zone) == 0 &&
           strcmp(a->servers, b->servers) == 0;
}

static void list_start(struct dns_list *list)
{
    if (resolver_configure_list(list->resolver, list->all->config, &list->setting->servers))
        timer_set(list->timer, 0);
    else
        put_aside(list, N_("has no resolver: see the line before"));
}

/* Ends now, or with the last question under way. */
static void list_end(struct dns_list *list)
{
    list->setting = NULL;
    timer_clear(list->timer);
    waiting_end(list, UINT64_MAX, DNS_LIST_UNKNOWN);
    if (list->queries == 0) list_free(list);
}

/* The old one where it is the same, else `made`. */
static struct dns_list *list_choose(struct dns_lists *lists, struct dns_list *made,
                                    const struct list_setting *setting)
{
    for (size_t i = 0; i < lists->count; i++) {
        struct dns_list *old = lists->items[i];
        if (!old || !are_same(old, made)) continue;
        lists->items[i] = NULL;
        old->setting = setting;
        list_free(made);
        if (old->standing == DNS_LIST_IS_ASIDE && !old->is_probing) timer_set(old->timer, 0);
        return old;
    }
    made->setting = setting;
    list_start(made);
    return made;
}

void dns_lists_configure(struct dns_lists *lists, const struct config *config)
{
    struct dns_list **items = memory_alloc((config->list_count + 1) * sizeof(struct dns_list *));
    size_t count = 0;
    lists->config = config;
    for (size_t i = 0; i < config->list_count; i++) {
        const struct list_setting *setting = &config->lists[i];
        if (list_setting_form(setting) == LIST_FORM_ZONE)
            items[count++] = list_choose(lists, list_make(lists, setting), setting);
    }
    for (size_t i = 0; i < lists->count; i++)
        if (lists->items[i]) list_end(lists->items[i]);
    free(lists->items);
    lists->items = items;
    lists->count = count;
}

struct dns_lists *dns_lists_new(struct loop *loop, const struct resolver *first)
{
    struct dns_lists *lists = memory_alloc(sizeof *lists);
    *lists = (struct dns_lists){ .loop = loop, .first = first };
    return lists;
}

/* --- asking --- */

static struct dns_list *list_find(const struct dns_lists *lists, struct text name)
{
    for (size_t i = 0; i < lists->count; i++)
        if (text_equal(name, text_of(lists->items[i]->name))) return lists->items[i];
    return NULL;
}

bool dns_lists_ask(struct dns_lists *lists, struct text name, struct text labels,
                   struct dns_list_asker *asker)
{
    struct dns_list *list = list_find(lists, name);
    asker->query = NULL;
    if (!list || list->standing != DNS_LIST_IS_IN_FORCE) return false;
    list->asked++;
    return query_begin(list, PURPOSE_ASK, labels, asker);
}

void dns_lists_leave(struct dns_list_asker *asker, bool is_late)
{
    struct dns_list_query *query = asker->query;
    asker->query = NULL;
    if (!query) return;
    query->asker = NULL;
    if (is_late && query->list->setting) failed(query->list);
}

bool dns_lists_state(const struct dns_lists *lists, struct text name, struct dns_list_state *out)
{
    const struct dns_list *list = list_find(lists, name);
    if (!list) return false;
    *out = (struct dns_list_state){ list->standing, text_of(list->why), list->probed_ms, list->asked,
                                    list->listed };
    return true;
}
