/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/sender_memory.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "base/json_text.h"
#include "config/greylist.h"
#include "config/value.h"
#include "mail/envelope.h"
#include "mail/mailbox.h"

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

enum {
    REPUTATION_DAYS = 30,
    REPUTATION_LEAST = 5, /* messages; of fewer nothing is said */
    STORE_DAYS_LEAST = 7, /* before, nobody is said to be new: all are */
    CONTACT_DAYS = 400,
    V4_BEFORE = 96
};

/* Series of the counts. */
enum { ALL, SPAM, SERIES };
static const struct senderdb_window by_day = { DAY_MS, REPUTATION_DAYS, SERIES };

/* --- keys --- */

struct text sender_memory_network(const struct address *client, char room[SENDER_NETWORK_SIZE])
{
    char printed[ADDRESS_TEXT_SIZE];
    struct address network = *client;
    unsigned bits = address_is_v4(client) ? V4_BEFORE + 24 : 64;
    memset(network.bytes + bits / 8, 0, sizeof network.bytes - bits / 8);
    snprintf(room, SENDER_NETWORK_SIZE, "%s/%u", address_print(&network, printed),
             address_is_v4(client) ? bits - V4_BEFORE : bits);
    return text_of(room);
}

static struct senderdb_key key_of(const struct sender_memory *memory, enum sender_kind kind, struct text a,
                                  struct text b, struct text c)
{
    const struct text parts[] = { arena_text_lower(memory->arena, a), arena_text_lower(memory->arena, b),
                                  arena_text_lower(memory->arena, c) };
    return senderdb_key(memory->db, (uint8_t)kind, parts, sizeof parts / sizeof *parts);
}

static struct senderdb_key key_of_one(const struct sender_memory *memory, enum sender_kind kind,
                                      struct text a)
{
    return key_of(memory, kind, a, TEXT_NONE, TEXT_NONE);
}

/* A time as a value; 0: it is not known. */
static uint64_t time_get(const struct sender_memory *memory, const struct senderdb_key *key)
{
    char bytes[sizeof(uint64_t)];
    if (senderdb_get(memory->db, key, memory->now_ms, bytes, sizeof bytes) != sizeof bytes) return 0;
    return codec_number_at(text_from(bytes, sizeof bytes), 0, sizeof bytes);
}

static void time_put(const struct sender_memory *memory, const struct senderdb_key *key,
                     const struct senderdb_touch *touch, uint64_t time_ms)
{
    struct buffer bytes = { 0 };
    put_u64(&bytes, time_ms);
    senderdb_put(memory->db, key, touch, buffer_text(&bytes));
    buffer_free(&bytes);
}

static struct senderdb_touch touch_of(const struct sender_memory *memory, uint64_t keep_ms, uint64_t owner)
{
    return (struct senderdb_touch){ memory->now_ms, keep_ms, owner };
}

void sender_memory_begin(const struct sender_memory *memory)
{
    struct senderdb_key key = key_of_one(memory, SENDER_KIND_BEGUN, TEXT_NONE);
    const struct senderdb_touch touch = touch_of(memory, 36500 * DAY_MS, 0);
    if (time_get(memory, &key) == 0) time_put(memory, &key, &touch, memory->now_ms);
}

/* --- contact --- */

/* When the pair's outside address became known is a part of the pair's key: once it is forgotten, so are its
   pairs. 0: it is not known. */
static uint64_t address_since(const struct sender_memory *memory, struct text outside)
{
    struct senderdb_key key = key_of_one(memory, SENDER_KIND_ADDRESS, outside);
    return time_get(memory, &key);
}

static struct senderdb_key pair_key(const struct sender_memory *memory, struct text outside,
                                    uint64_t since_ms, struct text ours)
{
    struct text since = arena_printf(memory->arena, "%" PRIu64, since_ms);
    return key_of(memory, SENDER_KIND_PAIR, outside, since, ours);
}

static void contact_learn(const struct sender_memory *memory, struct text outside, struct text ours,
                          uint64_t owner)
{
    struct senderdb_key key = key_of_one(memory, SENDER_KIND_ADDRESS, outside);
    const struct senderdb_touch touch = touch_of(memory, CONTACT_DAYS * DAY_MS, owner);
    uint64_t since = time_get(memory, &key);
    if (outside.length == 0) return;
    time_put(memory, &key, &touch, since ? since : memory->now_ms);
    struct senderdb_key pair = pair_key(memory, outside, since ? since : memory->now_ms, ours);
    time_put(memory, &pair, &touch, memory->now_ms);
}

static bool is_pair(const struct sender_memory *memory, struct text outside, uint64_t since_ms,
                    struct text ours)
{
    struct senderdb_key key = pair_key(memory, outside, since_ms, ours);
    return time_get(memory, &key) != 0;
}

bool sender_memory_has_contact(const struct sender_memory *memory, struct text outside, struct text ours,
                               uint64_t before_ms)
{
    uint64_t since = outside.length ? address_since(memory, outside) : 0;
    return since && since < before_ms && is_pair(memory, outside, since, ours);
}

static bool is_old_enough(const struct sender_memory *memory)
{
    struct senderdb_key key = key_of_one(memory, SENDER_KIND_BEGUN, TEXT_NONE);
    uint64_t begun = time_get(memory, &key);
    return begun && memory->now_ms >= begun + STORE_DAYS_LEAST * DAY_MS;
}

static void contact_find(const struct sender_memory *memory, const struct sender_subject *subject,
                         struct sender_history *out)
{
    struct sender_finding finding = { .kind = SENDER_IS_NEW };
    if (subject->from.length == 0 || !is_old_enough(memory)) return;
    uint64_t since = address_since(memory, subject->from);
    for (uint32_t i = 0; since && i < subject->recipient_count; i++)
        if (!is_pair(memory, subject->from, since, subject->recipients[i]))
            finding.recipients |= UINT64_C(1) << i;
    if (since && finding.recipients == 0) return;
    if (since) finding.kind = SENDER_IS_NEW_TO;
    finding.count = (uint32_t)__builtin_popcountll(finding.recipients);
    finding.of = subject->recipient_count;
    sender_history_add(out, &finding);
}

/* --- reputation --- */

static void reputation_find(const struct sender_memory *memory, enum sender_finding_kind kind,
                            enum sender_kind of, struct text name, struct sender_history *out)
{
    struct senderdb_counts counts;
    if (name.length == 0) return;
    struct senderdb_key key = key_of_one(memory, of, name);
    senderdb_counts(memory->db, &key, &by_day, memory->now_ms, REPUTATION_DAYS * DAY_MS,
                    memory->config->senders.half_life_ms, &counts);
    bool is_of_first_day = counts.counts[ALL] == counts.newest[ALL];
    if (counts.counts[ALL] < REPUTATION_LEAST || is_of_first_day) return;
    const struct sender_finding finding = { .kind = kind,
                                            .count = counts.counts[SPAM],
                                            .of = counts.counts[ALL],
                                            .weight = counts.weights[SPAM],
                                            .weight_of = counts.weights[ALL],
                                            .span_ms = REPUTATION_DAYS * DAY_MS,
                                            .about = arena_text(memory->arena, name) };
    sender_history_add(out, &finding);
}

static void reputation_learn(const struct sender_memory *memory, enum sender_kind of, struct text name,
                             bool is_spam, uint64_t owner)
{
    struct senderdb_key key = key_of_one(memory, of, name);
    const struct senderdb_touch touch = touch_of(memory, REPUTATION_DAYS * DAY_MS, owner);
    if (name.length > 0) senderdb_count(memory->db, &key, &by_day, &touch, (uint32_t[]){ 1, is_spam });
}

/* --- greylisting --- */

static bool is_greylisted(const struct sender_memory *memory, struct text recipient)
{
    return config_greylist_mode(memory->config, recipient) != MODE_OFF &&
           !mailbox_is_for_postmaster(recipient);
}

static struct senderdb_key known_key(const struct sender_memory *memory, struct text network,
                                     struct text sender)
{
    return key_of(memory, SENDER_KIND_KNOWN, network, envelope_domain_of(sender), TEXT_NONE);
}

/* Its mail was taken before and was no spam, or one of ours wrote to it. */
static bool is_known(const struct sender_memory *memory, struct text network,
                     const struct sender_subject *subject)
{
    struct senderdb_key known = known_key(memory, network, subject->sender);
    struct senderdb_key written = key_of_one(memory, SENDER_KIND_WRITTEN, subject->sender);
    if (time_get(memory, &known)) return true;
    return subject->sender.length > 0 && time_get(memory, &written) != 0;
}

static struct senderdb_key waiting_key(const struct sender_memory *memory, struct text network,
                                       struct text sender, struct text recipient)
{
    return key_of(memory, SENDER_KIND_WAITING, network, sender, recipient);
}

/* The wait, and the window behind it. */
static uint64_t waiting_ms(const struct sender_memory *memory)
{
    return memory->config->greylist.wait_ms + memory->config->greylist.window_ms;
}

/* Since when it waits; 0: it does not, or not any more. */
static uint64_t waits_since(const struct sender_memory *memory, struct text network, struct text sender,
                            struct text recipient)
{
    struct senderdb_key key = waiting_key(memory, network, sender, recipient);
    uint64_t since = time_get(memory, &key);
    bool is_good =
        since && since <= memory->now_ms && memory->now_ms - since <= memory->config->greylist.window_ms;
    return is_good ? since : 0;
}

static uint32_t seconds_left(const struct sender_memory *memory, uint64_t since_ms)
{
    uint64_t until = since_ms + memory->config->greylist.wait_ms;
    return until > memory->now_ms ? (uint32_t)((until - memory->now_ms + 999) / 1000) : 0;
}

void sender_memory_rcpt(const struct sender_memory *memory, const struct sender_subject *subject,
                        struct sender_rcpt_answer *out)
{
    char room[SENDER_NETWORK_SIZE];
    struct text network = sender_memory_network(&subject->client, room);
    *out = (struct sender_rcpt_answer){ .is_for_all = true };
    if (is_known(memory, network, subject)) return;
    out->is_for_all = false;
    for (uint32_t i = 0; i < subject->recipient_count; i++) {
        uint64_t since = waits_since(memory, network, subject->sender, subject->recipients[i]);
        if (since) out->wait_s = seconds_left(memory, since);
        if (out->wait_s) out->delay = SENDER_GREYLISTED;
    }
}

static void unknown_find(const struct sender_memory *memory, const struct sender_subject *subject,
                         struct text network, struct sender_history *out)
{
    struct sender_finding unknown = { .kind = SENDER_IS_UNKNOWN }, back = { .kind = SENDER_IS_BACK };
    for (uint32_t i = 0; i < subject->recipient_count; i++) {
        if (!is_greylisted(memory, subject->recipients[i])) continue;
        uint64_t since = waits_since(memory, network, subject->sender, subject->recipients[i]);
        uint32_t left = seconds_left(memory, since ? since : memory->now_ms);
        struct sender_finding *finding = left ? &unknown : &back;
        finding->recipients |= UINT64_C(1) << i;
        if (left > unknown.count) unknown.count = left;
        if (!left && memory->now_ms - since > back.span_ms) back.span_ms = memory->now_ms - since;
    }
    if (unknown.recipients) sender_history_add(out, &unknown);
    if (back.recipients) sender_history_add(out, &back);
}

static void waiting_learn(const struct sender_memory *memory, const struct sender_subject *subject,
                          struct text network, uint64_t owner)
{
    const struct senderdb_touch touch = touch_of(memory, waiting_ms(memory), owner);
    for (uint32_t i = 0; i < subject->recipient_count; i++) {
        struct text recipient = subject->recipients[i];
        struct senderdb_key key = waiting_key(memory, network, subject->sender, recipient);
        if (is_greylisted(memory, recipient) && !waits_since(memory, network, subject->sender, recipient))
            time_put(memory, &key, &touch, memory->now_ms);
    }
}

/* --- the whole --- */

void sender_memory_history(const struct sender_memory *memory, const struct sender_subject *subject,
                           struct sender_history *out)
{
    char room[SENDER_NETWORK_SIZE];
    struct text network = sender_memory_network(&subject->client, room);
    *out = (struct sender_history){ .count = 0 };
    if (subject->direction != DIRECTION_IN) return;
    bool has_room = senderdb_has_room_for(memory->db, senderdb_owner(memory->db, network), memory->now_ms);
    if (has_room && config_greylists(memory->config) && !is_known(memory, network, subject))
        unknown_find(memory, subject, network, out);
    reputation_find(memory, SENDER_REPUTATION_DOMAIN, SENDER_KIND_DOMAIN, envelope_domain_of(subject->from),
                    out);
    reputation_find(memory, SENDER_REPUTATION_NETWORK, SENDER_KIND_NETWORK, network, out);
    contact_find(memory, subject, out);
}

/* Our users write to them. What has no sender is an answer by itself, which a stranger brings about. */
static void outbound_learn(const struct sender_memory *memory, const struct sender_seen *seen)
{
    const struct senderdb_touch touch = touch_of(memory, memory->config->greylist.keep_ms, 0);
    if (seen->subject.sender.length == 0) return;
    for (uint32_t i = 0; i < seen->subject.recipient_count; i++) {
        struct text recipient = seen->subject.recipients[i];
        if (!(seen->taken >> i & 1) || recipient.length == 0) continue;
        struct senderdb_key key = key_of_one(memory, SENDER_KIND_WRITTEN, recipient);
        time_put(memory, &key, &touch, memory->now_ms);
        contact_learn(memory, recipient, seen->subject.sender, 0);
    }
}

static void taken_learn(const struct sender_memory *memory, const struct sender_seen *seen,
                        struct text network, uint64_t owner)
{
    const struct senderdb_touch touch = touch_of(memory, memory->config->greylist.keep_ms, owner);
    struct senderdb_key key = known_key(memory, network, seen->subject.sender);
    time_put(memory, &key, &touch, memory->now_ms);
    for (uint32_t i = 0; i < seen->subject.recipient_count; i++)
        if (seen->taken >> i & 1)
            contact_learn(memory, seen->subject.from, seen->subject.recipients[i], owner);
}

void sender_memory_learn(const struct sender_memory *memory, const struct sender_seen *seen)
{
    char room[SENDER_NETWORK_SIZE];
    struct text network = sender_memory_network(&seen->subject.client, room);
    uint64_t owner = senderdb_owner(memory->db, network);
    if (seen->event != SENDER_MESSAGE) return;
    if (seen->subject.direction == DIRECTION_OUT) {
        if (!seen->is_spam) outbound_learn(memory, seen);
        return;
    }
    if (seen->is_greylisted) {
        waiting_learn(memory, &seen->subject, network, owner);
        return;
    }
    reputation_learn(memory, SENDER_KIND_NETWORK, network, seen->is_spam, owner);
    reputation_learn(memory, SENDER_KIND_DOMAIN, seen->proven, seen->is_spam, owner);
    if (seen->taken && !seen->is_spam) taken_learn(memory, seen, network, owner);
}

/* --- for people --- */

enum which { IS_ADDRESS, IS_DOMAIN, IS_NETWORK, IS_NOTHING };

/* A network of another size is none that anything is kept of: its first address's is. */
static enum which which_of(const struct sender_memory *memory, struct text word, struct text *out_name)
{
    struct network network;
    char room[SENDER_NETWORK_SIZE];
    if (network_parse(word, &network)) {
        *out_name = arena_text(memory->arena, sender_memory_network(&network.address, room));
        return IS_NETWORK;
    }
    *out_name = arena_text_lower(memory->arena, word);
    if (word.length <= SENDER_ADDRESS_MOST && text_find_char(word, '@') < word.length) return IS_ADDRESS;
    return value_is_host_name(word) ? IS_DOMAIN : IS_NOTHING;
}

static void counts_show(const struct sender_memory *memory, enum sender_kind kind, struct text name,
                        struct buffer *out)
{
    struct senderdb_counts counts;
    struct senderdb_key key = key_of_one(memory, kind, name);
    senderdb_counts(memory->db, &key, &by_day, memory->now_ms, REPUTATION_DAYS * DAY_MS,
                    memory->config->senders.half_life_ms, &counts);
    buffer_printf(out, ",\"days\":%d,\"messages\":%u,\"spam\":%u", REPUTATION_DAYS, counts.counts[ALL],
                  counts.counts[SPAM]);
}

static void time_show(const struct sender_memory *memory, enum sender_kind kind, struct text name,
                      const char *member, struct buffer *out)
{
    struct senderdb_key key = key_of_one(memory, kind, name);
    buffer_printf(out, ",\"%s\":%" PRIu64, member, time_get(memory, &key));
}

/* Between an address and one of ours, or a network and a sender. */
static struct senderdb_key key_between(const struct sender_memory *memory, enum which which, struct text name,
                                       struct text with)
{
    if (which == IS_NETWORK) {
        bool is_address = text_find_char(with, '@') < with.length;
        return key_of(memory, SENDER_KIND_KNOWN, name, is_address ? envelope_domain_of(with) : with,
                      TEXT_NONE);
    }
    return pair_key(memory, name, address_since(memory, name), with);
}

bool sender_memory_show(const struct sender_memory *memory, struct text word, struct text with,
                        struct buffer *out)
{
    static const char *const names[] = { N_("address"), N_("domain"), N_("network") };
    struct text name;
    enum which which = which_of(memory, word, &name);
    if (which == IS_NOTHING) return false;
    buffer_printf(out, "{\"kind\":\"%s\",\"name\":", names[which]);
    json_text_add(out, name);
    if (which == IS_ADDRESS) {
        time_show(memory, SENDER_KIND_ADDRESS, name, "known_since_ms", out);
        time_show(memory, SENDER_KIND_WRITTEN, name, "written_to_ms", out);
    } else {
        counts_show(memory, which == IS_DOMAIN ? SENDER_KIND_DOMAIN : SENDER_KIND_NETWORK, name, out);
    }
    if (with.length > 0 && which != IS_DOMAIN) {
        struct senderdb_key key = key_between(memory, which, name, with);
        buffer_printf(out, ",\"together_ms\":%" PRIu64, time_get(memory, &key));
    }
    buffer_add_text(out, TEXT("}\n"));
    return true;
}

bool sender_memory_forget(const struct sender_memory *memory, struct text word, struct text with,
                          unsigned *out_count)
{
    struct text name;
    enum which which = which_of(memory, word, &name);
    struct senderdb_key keys[2];
    unsigned count = 0;
    if (which == IS_NOTHING) return false;
    if (with.length > 0)
        keys[count++] = key_between(memory, which, name, with);
    else if (which != IS_ADDRESS)
        keys[count++] =
            key_of_one(memory, which == IS_DOMAIN ? SENDER_KIND_DOMAIN : SENDER_KIND_NETWORK, name);
    else {
        keys[count++] = key_of_one(memory, SENDER_KIND_ADDRESS, name);
        keys[count++] = key_of_one(memory, SENDER_KIND_WRITTEN, name);
    }
    *out_count = 0;
    for (unsigned i = 0; i < count; i++) *out_count += senderdb_forget(memory->db, &keys[i]);
    return true;
}
