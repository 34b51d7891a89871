/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Groups of like refusals: by client, stage, code and class. A group has a minute; the table gives the place
   of the oldest group to a new one, having told what waits in it. */
#include "receive/refusals.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"

enum { GROUPS = 256, PROBES = 8, SINGLY = 100, MINUTE_MS = 60000, GATHER_MS = 2000, TEXTS_BYTES = 2048 };

struct group {
    uint64_t key; /* 0: free */
    uint64_t since_ms;
    uint32_t told;        /* one by one, in this minute */
    uint32_t waiting;     /* refusals that are to be told together; of these: */
    uint32_t messages;    /* whole messages */
    uint64_t size;        /* bytes of those */
    struct refusal first; /* of those that wait; its texts in `texts` */
    char texts[TEXTS_BYTES];
};

struct refusals {
    struct server *server;
    struct timer *timer;
    struct group groups[GROUPS];
};

/* --- telling --- */

static void line_log(const struct refusal *refusal)
{
    const struct event_refused *event = &refusal->event;
    char room[ADDRESS_TEXT_SIZE], id[MESSAGE_ID_SIZE], more[40] = "";
    if (event->code < 400) return;
    if (event->count > 1) snprintf(more, sizeof more, " (%u like this)", event->count);
    log_info("NOQUEUE: reject: %s from %.*s[%s]: %.*s; from=<%.*s> to=<%.*s> proto=%s helo=<%.*s> id=%s%s",
             stage_name(event->stage), TEXT_ARG(refusal->client_name), address_print(&event->client, room),
             TEXT_ARG(event->reply), TEXT_ARG(event->sender), TEXT_ARG(event->recipient), refusal->protocol,
             TEXT_ARG(event->helo), message_id_print(event->id ? event->id : event->serial, id), more);
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

static void group_tell(struct refusals *refusals, struct group *group)
{
    if (group->waiting == 0) return;
    group->first.event.count = group->waiting;
    group->first.event.messages = group->messages;
    group->first.event.is_message = group->messages > 0;
    group->first.event.size = group->size;
    tell(refusals, &group->first);
    group->waiting = group->messages = 0;
    group->size = 0;
}

/* --- gathering --- */

static uint64_t key_of(const struct refusals *refusals, const struct event_refused *event)
{
    struct {
        struct address client;
        uint16_t code;
        uint8_t stage, direction;
        char enhanced[8]; /* "4.5.3", out of the reply */
    } key = { address_client_network(&event->client, refusals->server->config->limits.ipv6_prefix),
              event->code,
              event->stage,
              event->direction,
              { 0 } };
    struct text enhanced = text_slice(event->reply, 4, 4 + sizeof key.enhanced);
    enhanced = text_slice(enhanced, 0, text_find_char(enhanced, ' '));
    if (enhanced.length) memcpy(key.enhanced, enhanced.at, enhanced.length);
    return hash_text(text_from((const char *)&key, sizeof key)) | 1;
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
    group->first = *refusal;
    event->serial = serial_next(refusals);
    event->judgement = (struct event_judgement){ 0 };
    event->reply = text_put(group, &used, refusal->event.reply);
    event->recipient = text_put(group, &used, refusal->event.recipient);
    event->sender = text_put(group, &used, refusal->event.sender);
    event->helo = text_put(group, &used, refusal->event.helo);
    group->first.client_name = text_put(group, &used, refusal->client_name);
}

static void group_add(struct refusals *refusals, struct group *group, const struct refusal *refusal)
{
    if (group->waiting == 0) group_begin(refusals, group, refusal);
    group->waiting++;
    group->messages += refusal->event.is_message;
    if (refusal->event.is_message) group->size += refusal->event.size;
    if (!timer_is_set(refusals->timer)) timer_set(refusals->timer, GATHER_MS);
}

uint64_t refusals_add(struct refusals *refusals, const struct refusal *refusal)
{
    struct refusal one = *refusal;
    uint64_t now_ms = loop_now_ms(refusals->server->loop);
    if (!refusal->event.judgement.is_judged) {
        struct group *group = group_of(refusals, key_of(refusals, &refusal->event), now_ms);
        if (now_ms - group->since_ms >= MINUTE_MS) {
            group_tell(refusals, group);
            group->since_ms = now_ms;
            group->told = 0;
        }
        if (group->told >= SINGLY) {
            group_add(refusals, group, refusal);
            return group->first.event.serial;
        }
        group->told++;
    }
    one.event.serial = serial_next(refusals);
    tell(refusals, &one);
    return one.event.serial;
}

void refusals_flush(struct refusals *refusals)
{
    for (int i = 0; i < GROUPS; i++) group_tell(refusals, &refusals->groups[i]);
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
