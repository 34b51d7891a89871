/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts stand in a table of the last hour; those who are held in a list, which is short. */
#include "lookup/inside_senders.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/hash.h"
#include "ipc/hourly_table.h"

enum { PLACES = 32 * 1024, VERSION = 1, HELD_BYTES_LEAST = 4 + 1 + 4 + 4 + 8 + 8 + 4 };
enum { FIRST_ONES = 10 };           /* messages with which the administrator is told, once */
enum { KIND_SENDER, KIND_NETWORK }; /* of entries: a sender, a network of a sender */
enum { COUNT_RECIPIENTS, COUNT_REFUSED, COUNT_SPAM, COUNT_NETWORKS };

struct inside_senders {
    struct hourly_table *hours;
    void *room;
    struct inside_held *held;
    size_t held_count;
    bool has_changed;
};

struct inside_senders *inside_senders_new(void)
{
    struct inside_senders *senders = memory_alloc(sizeof *senders);
    senders->room = memory_alloc((size_t)PLACES * HOURLY_ENTRY_BYTES);
    senders->hours = hourly_table_open(senders->room, (size_t)PLACES * HOURLY_ENTRY_BYTES);
    senders->held = memory_alloc(INSIDE_HELD_MOST * sizeof *senders->held);
    return senders;
}

void inside_senders_free(struct inside_senders *senders)
{
    hourly_table_free(senders->hours);
    free(senders->room);
    free(senders->held);
    free(senders);
}

/* In small letters; `room` has RATE_TEXT_MOST bytes. */
static struct text name_of(struct text sender, char *room)
{
    sender = text_slice(sender, 0, RATE_TEXT_MOST);
    for (size_t i = 0; i < sender.length; i++) room[i] = char_lower(sender.at[i]);
    return text_from(room, sender.length);
}

static struct hourly_entry *entry_of(struct inside_senders *senders, struct text name, uint64_t now_ms)
{
    return hourly_table_entry(senders->hours, KIND_SENDER, name, now_ms);
}

/* --- who is held --- */

static bool is_held(const struct inside_held *held, uint64_t wall_ms)
{
    return held->why.until_ms > wall_ms;
}

static struct inside_held *held_find(const struct inside_senders *senders, struct text name)
{
    for (size_t i = 0; i < senders->held_count; i++)
        if (text_equal(text_of(senders->held[i].sender), name)) return &senders->held[i];
    return NULL;
}

static void held_remove(struct inside_senders *senders, struct inside_held *held)
{
    *held = senders->held[--senders->held_count];
    senders->has_changed = true;
}

/* A free place, or that of the one whose hold ends first. */
static struct inside_held *held_room(struct inside_senders *senders)
{
    struct inside_held *first = &senders->held[0];
    if (senders->held_count < INSIDE_HELD_MOST) return &senders->held[senders->held_count++];
    for (size_t i = 1; i < senders->held_count; i++)
        if (senders->held[i].why.until_ms < first->why.until_ms) first = &senders->held[i];
    return first;
}

static void held_add(struct inside_senders *senders, struct text name, const struct rate_answer *why,
                     uint64_t wall_ms)
{
    struct inside_held *held = held_room(senders);
    *held = (struct inside_held){ .why = *why, .since_ms = wall_ms, .messages = 1 };
    held->why.is_first = false;
    memcpy(held->sender, name.at, name.length);
    senders->has_changed = true;
}

/* A clock that was set back makes no hold longer than one that begins now. */
static void held_bound(struct inside_senders *senders, struct inside_held *held, uint64_t most_ms)
{
    if (!held || held->why.until_ms <= most_ms) return;
    held->why.until_ms = most_ms;
    senders->has_changed = true;
}

/* NULL: he is not, or no longer. */
static struct inside_held *held_now(struct inside_senders *senders, struct text name, struct inside_time time)
{
    struct inside_held *held = held_find(senders, name);
    if (!held || is_held(held, time.wall_ms)) return held;
    held_remove(senders, held);
    hourly_entry_forget(entry_of(senders, name, time.now_ms));
    return NULL;
}

/* --- counting --- */

/* Once an hour for each network that he sends from. */
static void network_count(struct inside_senders *senders, struct hourly_entry *entry, struct text name,
                          const struct address *client, uint64_t now_ms)
{
    char key[sizeof client->bytes + RATE_TEXT_MOST];
    struct address network = address_wide_network(client);
    memcpy(key, network.bytes, sizeof network.bytes);
    memcpy(key + sizeof network.bytes, name.at, name.length);
    struct hourly_entry *of_network = hourly_table_entry(
        senders->hours, KIND_NETWORK, text_from(key, sizeof network.bytes + name.length), now_ms);
    if (hourly_entry_count(of_network, 0, now_ms) == 0) hourly_entry_add(entry, COUNT_NETWORKS, 1, now_ms);
    hourly_entry_add(of_network, 0, 1000, now_ms);
}

static bool is_over(uint32_t count, uint32_t line)
{
    return line > 0 && count >= line;
}

static void line_find(const struct config *config, const struct hourly_entry *entry, uint64_t now_ms,
                      struct rate_answer *out)
{
    uint32_t recipients = hourly_entry_count(entry, COUNT_RECIPIENTS, now_ms),
             refused = hourly_entry_count(entry, COUNT_REFUSED, now_ms),
             spam = hourly_entry_count(entry, COUNT_SPAM, now_ms),
             networks = hourly_entry_count(entry, COUNT_NETWORKS, now_ms);
    uint64_t share = (uint64_t)refused * 100;
    if (is_over(spam, config->inside.spam))
        *out = (struct rate_answer){ .cause = RATE_SPAM, .count = spam };
    else if (is_over(refused, config->inside.refused) &&
             share >= (uint64_t)config->inside.percent * recipients)
        *out = (struct rate_answer){ .cause = RATE_REFUSED, .count = refused, .of = recipients };
    else if (is_over(networks, config->inside.networks))
        *out = (struct rate_answer){ .cause = RATE_NETWORKS, .count = networks };
    else if (config->inside.recipients && recipients > config->inside.recipients)
        *out = (struct rate_answer){ .cause = RATE_RECIPIENTS, .count = recipients };
}

static bool is_exempt(const struct config *config, struct text name)
{
    for (size_t i = 0; i < config->inside.exempt.count; i++)
        if (text_equal_nocase(config->inside.exempt.items[i], name)) return true;
    return false;
}

bool inside_senders_message(struct inside_senders *senders, const struct config *config,
                            const struct rate_subject *subject, struct inside_time time,
                            struct rate_answer *out)
{
    char room[RATE_TEXT_MOST];
    struct text name = name_of(subject->sender, room);
    *out = (struct rate_answer){ .cause = RATE_FINE };
    if (config->inside.mode == MODE_OFF || name.length == 0 || is_exempt(config, name)) return false;
    struct inside_held *held = held_now(senders, name, time);
    held_bound(senders, held, time.wall_ms + config->inside.hold_ms);
    if (held) {
        *out = held->why;
        out->is_first = held->messages++ < FIRST_ONES;
        return false;
    }
    struct hourly_entry *entry = entry_of(senders, name, time.now_ms);
    hourly_entry_add(entry, COUNT_RECIPIENTS, subject->recipient_total, time.now_ms);
    network_count(senders, entry, name, &subject->client, time.now_ms);
    line_find(config, entry, time.now_ms, out);
    if (out->cause == RATE_FINE) return false;
    out->is_first = hourly_entry_mark(entry, time.now_ms + config->inside.hold_ms, time.now_ms);
    if (config->inside.mode != MODE_ON) return out->is_first;
    out->is_first = true;
    out->until_ms = time.wall_ms + config->inside.hold_ms;
    held_add(senders, name, out, time.wall_ms);
    return true;
}

void inside_senders_event(struct inside_senders *senders, enum rate_event event, struct text sender,
                          uint64_t now_ms)
{
    char room[RATE_TEXT_MOST];
    struct text name = name_of(sender, room);
    if (name.length == 0) return;
    hourly_entry_add(entry_of(senders, name, now_ms), event == RATE_EVENT_SPAM ? COUNT_SPAM : COUNT_REFUSED,
                     1, now_ms);
}

bool inside_senders_release(struct inside_senders *senders, struct text sender, struct inside_time time)
{
    char room[RATE_TEXT_MOST];
    struct text name = name_of(sender, room);
    struct inside_held *held = held_now(senders, name, time);
    if (!held) return false;
    held_remove(senders, held);
    hourly_entry_forget(entry_of(senders, name, time.now_ms));
    return true;
}

uint32_t inside_senders_count(const struct inside_senders *senders, uint64_t wall_ms)
{
    uint32_t count = 0;
    for (size_t i = 0; i < senders->held_count; i++) count += is_held(&senders->held[i], wall_ms);
    return count;
}

const struct inside_held *inside_senders_held(const struct inside_senders *senders, size_t number,
                                              uint64_t wall_ms)
{
    for (size_t i = 0; i < senders->held_count; i++)
        if (is_held(&senders->held[i], wall_ms) && number-- == 0) return &senders->held[i];
    return NULL;
}

/* --- on disk --- */

void inside_senders_put(const struct inside_senders *senders, uint64_t wall_ms, struct buffer *out)
{
    put_u8(out, VERSION);
    put_u32(out, inside_senders_count(senders, wall_ms));
    for (const struct inside_held *held = senders->held; held < senders->held + senders->held_count; held++) {
        if (!is_held(held, wall_ms)) continue;
        put_text(out, text_of(held->sender));
        put_u8(out, (uint8_t)held->why.cause);
        put_u32(out, held->why.count);
        put_u32(out, held->why.of);
        put_u64(out, held->why.until_ms);
        put_u64(out, held->since_ms);
        put_u32(out, held->messages);
    }
}

static void held_get(struct reader *reader, struct inside_held *out)
{
    *out = (struct inside_held){ .messages = 0 };
    struct text sender = get_text(reader);
    unsigned cause = get_u8(reader);
    if (sender.length == 0 || sender.length > RATE_TEXT_MOST || cause == RATE_FINE || cause >= RATE_CAUSES ||
        memchr(sender.at, '\0', sender.length)) {
        reader->failed = true;
        return;
    }
    memcpy(out->sender, sender.at, sender.length);
    out->why.cause = cause;
    out->why.count = get_u32(reader);
    out->why.of = get_u32(reader);
    out->why.until_ms = get_u64(reader);
    out->since_ms = get_u64(reader);
    out->messages = get_u32(reader);
}

bool inside_senders_get(struct inside_senders *senders, struct text bytes)
{
    struct reader reader = reader_of(bytes);
    unsigned version = get_u8(&reader);
    uint32_t count = get_count(&reader, INSIDE_HELD_MOST, HELD_BYTES_LEAST);
    senders->held_count = 0;
    for (uint32_t i = 0; i < count && !reader.failed; i++) held_get(&reader, &senders->held[i]);
    if (version != VERSION || !reader_done(&reader)) return false;
    senders->held_count = count;
    return true;
}

bool inside_senders_have_changed(struct inside_senders *senders)
{
    bool has_changed = senders->has_changed;
    senders->has_changed = false;
    return has_changed;
}
