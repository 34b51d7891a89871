/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Groups of like refusals: by client, stage, code, class and cause. A group has a minute; the table gives the
   place of the oldest group to a new one, having told what waits in it. Over all clients together so many are
   told a second; the others wait in groups that know no client: by stage, code and class. */
#include "receive/refusals.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/allowance.h"
#include "base/hash.h"
#include "base/log.h"

enum { GROUPS = 256, PROBES = 8, SINGLY = 100, MINUTE_MS = 60000, GATHER_MS = 2000, TEXTS_BYTES = 2048 };

/* Of all clients and receive processes: events, each with its line in the log. What was judged has cost its
   sender a message and us a scan; it has an allowance of its own, which no cheap refusal takes from it. */
enum { ANY_AT_ONCE = 1000, ANY_PER_SECOND = 20, JUDGED_AT_ONCE = 1000, JUDGED_PER_SECOND = 100 };
enum { CROWDS = 64 }; /* groups that know no client: each is told once in GATHER_MS */

struct group {
    uint64_t key; /* 0: free */
    uint64_t since_ms;
    uint32_t told;        /* one by one, in this minute */
    uint32_t waiting;     /* refusals that are to be told together; of these: */
    uint32_t messages;    /* whole messages */
    uint64_t size;        /* bytes of those */
    struct refusal first; /* of those that wait; its texts in `texts` */
    char texts[TEXTS_BYTES];
    struct part_digest parts[PART_DIGESTS_INFECTED_MOST]; /* of the first */
};

struct refusals {
    struct server *server;
    struct timer *timer;
    struct allowance any, judged;
    struct group groups[GROUPS], crowds[CROWDS];
};

/* --- telling --- */

static void line_log(const struct refusal *refusal)
{
    const struct event_refused *event = &refusal->event;
    char client[ADDRESS_TEXT_SIZE + 2] = "", room[ADDRESS_TEXT_SIZE], id[MESSAGE_ID_SIZE], more[40] = "";
    if (event->code < 400) return;
    if (!address_is_zero(&event->client))
        snprintf(client, sizeof client, "[%s]", address_print(&event->client, room));
    if (event->count > 1) snprintf(more, sizeof more, " (%u like this)", event->count);
    message_id_print(event->id ? event->id : event->serial, id);
    const struct log_facts facts = { .qid = text_of(id), .rcpt = event->recipient };
    log_line_of(LOG_LEVEL_INFO, &facts,
                "NOQUEUE: reject: %s from %.*s%s: %.*s; from=<%.*s> to=<%.*s> proto=%s helo=<%.*s> id=%s%s",
                stage_name(event->stage), TEXT_ARG(refusal->client_name), client, TEXT_ARG(event->reply),
                TEXT_ARG(event->sender), TEXT_ARG(event->recipient), refusal->protocol, TEXT_ARG(event->helo),
                id, more);
}

static uint64_t serial_next(const struct refusals *refusals)
{
    struct server *server = refusals->server;
    uint64_t serial = message_id_next(&server->ids, loop_wall_ms(server->loop));
    server->counters->last_id = server->ids.last;
    return serial;
}

static void tell(struct refusals *refusals, const struct refusal *refusal)
{
    struct server *server = refusals->server;
    struct buffer record = { 0 };
    line_log(refusal);
    event_refused_put(&refusal->event, &record);
    ring_append_minor(server->ring, buffer_text(&record)); /* what finds no room is counted there */
    buffer_free(&record);
}

static bool may_tell(struct refusals *refusals, bool is_judged)
{
    struct server *server = refusals->server;
    uint64_t at_once = server_share(server, is_judged ? JUDGED_AT_ONCE : ANY_AT_ONCE);
    uint64_t per_second = server_share(server, is_judged ? JUDGED_PER_SECOND : ANY_PER_SECOND);
    return allowance_take(is_judged ? &refusals->judged : &refusals->any, (uint32_t)at_once,
                          per_second ? (uint32_t)per_second : 1, loop_now_ms(server->loop));
}

/* --- gathering --- */

static uint64_t key_of(const struct event_refused *event, const struct address *client)
{
    struct {
        struct address client;
        uint16_t code;
        uint8_t stage, direction, class, has_recipient;
        char enhanced[8]; /* "4.5.3", out of the reply */
        uint64_t cause;
    } key = { *client,
              event->code,
              event->stage,
              event->direction,
              (uint8_t)event->judgement.class,
              event->recipient.length > 0,
              { 0 },
              event->cause.length > 0 ? hash_text(event->cause) : 0 };
    struct text enhanced = text_slice(event->reply, 4, 4 + sizeof key.enhanced);
    enhanced = text_slice(enhanced, 0, text_find_char(enhanced, ' '));
    if (enhanced.length) memcpy(key.enhanced, enhanced.at, enhanced.length);
    return hash_text(text_from((const char *)&key, sizeof key)) | 1;
}

static struct text text_put(struct group *group, size_t *used, struct text text)
{
    struct text cut = text_slice(text, 0, TEXTS_BYTES - *used);
    char *at = group->texts + *used;
    if (cut.length) memcpy(at, cut.at, cut.length);
    *used += cut.length;
    return text_from(at, cut.length);
}

static void group_begin(const struct refusals *refusals, struct group *group, const struct refusal *refusal)
{
    size_t used = 0;
    struct event_refused *event = &group->first.event;
    const struct event_judgement *judgement = &refusal->event.judgement;
    group->first = *refusal;
    if (!event->serial) event->serial = serial_next(refusals);
    event->reply = text_put(group, &used, refusal->event.reply);
    event->recipient = text_put(group, &used, refusal->event.recipient);
    event->sender = text_put(group, &used, refusal->event.sender);
    event->helo = text_put(group, &used, refusal->event.helo);
    event->cause = text_put(group, &used, refusal->event.cause);
    event->judgement =
        (struct event_judgement){ .is_judged = judgement->is_judged,
                                  .class = judgement->class,
                                  .score = judgement->score,
                                  .virus = text_put(group, &used, judgement->virus),
                                  .engine = text_put(group, &used, judgement->engine),
                                  .not_opened = text_put(group, &used, judgement->not_opened) };
    uint32_t parts = judgement->part_count < PART_DIGESTS_INFECTED_MOST ? judgement->part_count
                                                                        : PART_DIGESTS_INFECTED_MOST;
    if (parts) memcpy(group->parts, judgement->parts, parts * sizeof *group->parts);
    event->judgement.part_count = parts;
    event->judgement.parts = group->parts;
    group->first.client_name = text_put(group, &used, refusal->client_name);
}

/* One refusal, or those of a group. */
static void group_add(struct refusals *refusals, struct group *group, const struct refusal *refusal)
{
    const struct event_refused *event = &refusal->event;
    if (group->waiting == 0) group_begin(refusals, group, refusal);
    group->waiting += event->count ? event->count : 1;
    group->messages += event->count > 1 ? event->messages : event->is_message;
    if (event->is_message) group->size += event->size;
    if (!timer_is_set(refusals->timer)) timer_set(refusals->timer, GATHER_MS);
}

/* All that wait in the group as one; none waits there any more. The texts stay the group's. */
static struct refusal group_take(struct group *group)
{
    struct refusal all = group->first;
    all.event.count = group->waiting;
    all.event.messages = group->messages;
    all.event.is_message = group->messages > 0;
    all.event.size = group->size;
    group->waiting = group->messages = 0;
    group->size = 0;
    return all;
}

/* --- of all clients --- */

/* When all are in use the last one takes the rest: their number is right, what is said of them is not. */
static struct group *crowd_of(struct refusals *refusals, uint64_t key)
{
    struct group *crowd = refusals->crowds;
    while (crowd < refusals->crowds + CROWDS - 1 && crowd->waiting && crowd->key != key) crowd++;
    crowd->key = key;
    return crowd;
}

/* Returns the id of those that it is told with. */
static uint64_t crowd_add(struct refusals *refusals, const struct refusal *refusal)
{
    struct refusal one = *refusal;
    one.client_name = TEXT("several clients");
    one.event.client = (struct address){ 0 };
    one.event.id = 0;
    one.event.number = 0;
    struct group *crowd = crowd_of(refusals, key_of(&one.event, &one.event.client));
    group_add(refusals, crowd, &one);
    return crowd->first.event.serial;
}

/* The same. */
static uint64_t tell_or_crowd(struct refusals *refusals, const struct refusal *refusal)
{
    if (!may_tell(refusals, refusal->event.judgement.is_judged)) return crowd_add(refusals, refusal);
    tell(refusals, refusal);
    return refusal->event.serial;
}

/* --- of one client --- */

static void group_tell(struct refusals *refusals, struct group *group)
{
    if (group->waiting == 0) return;
    struct refusal all = group_take(group);
    tell_or_crowd(refusals, &all);
}

/* The group of the key; a new one takes the place of the oldest in reach. */
static struct group *group_of(struct refusals *refusals, uint64_t key, uint64_t now_ms)
{
    struct group *oldest = NULL;
    for (int i = 0; i < PROBES; i++) {
        struct group *group = &refusals->groups[((key >> 8) + (uint64_t)i) % GROUPS];
        if (group->key == key) return group;
        if (!oldest || group->since_ms < oldest->since_ms) oldest = group;
    }
    group_tell(refusals, oldest);
    oldest->key = key;
    oldest->since_ms = now_ms;
    oldest->told = 0;
    return oldest;
}

static struct group *group_of_client(struct refusals *refusals, const struct event_refused *event)
{
    struct address client =
        address_client_network(&event->client, refusals->server->config->limits.ipv6_prefix);
    uint64_t now_ms = loop_now_ms(refusals->server->loop);
    struct group *group = group_of(refusals, key_of(event, &client), now_ms);
    if (now_ms - group->since_ms >= MINUTE_MS) {
        group_tell(refusals, group);
        group->since_ms = now_ms;
        group->told = 0;
    }
    return group;
}

uint64_t refusals_add(struct refusals *refusals, const struct refusal *refusal)
{
    struct refusal one = *refusal;
    if (!refusal->event.judgement.is_judged) {
        struct group *group = group_of_client(refusals, &refusal->event);
        if (group->told >= SINGLY) {
            group_add(refusals, group, refusal);
            return group->first.event.serial;
        }
        group->told++;
    }
    one.event.serial = serial_next(refusals);
    return tell_or_crowd(refusals, &one);
}

void refusals_flush(struct refusals *refusals)
{
    for (int i = 0; i < GROUPS; i++) group_tell(refusals, &refusals->groups[i]);
    for (int i = 0; i < CROWDS; i++) {
        if (refusals->crowds[i].waiting == 0) continue;
        struct refusal all = group_take(&refusals->crowds[i]);
        tell(refusals, &all);
    }
}

static void gathered(void *context)
{
    refusals_flush(context);
}

struct refusals *refusals_new(struct server *server)
{
    struct refusals *refusals = memory_alloc(sizeof *refusals);
    refusals->server = server;
    refusals->timer = timer_new(server->loop, gathered, refusals);
    return refusals;
}

void refusals_free(struct refusals *refusals)
{
    timer_free(refusals->timer);
    free(refusals);
}
