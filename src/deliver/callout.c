/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Recipients by address: answers while they are good, askers while one is being fetched. */
#include "deliver/callout.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/owner.h"
#include "deliver/hash_table.h"
#include "ipc/ask_deliver.h"
#include "ipc/child.h"

struct callout_asker {
    struct callout_asker *next;
    struct channel *channel;
    uint64_t id;
};

struct callout {
    struct hash_node node;
    TAILQ_ENTRY(callout) age; /* in the list of answers, the oldest first */
    struct callouts *callouts;
    char *address, *domain; /* domain in lower case */
    size_t address_length, domain_length;
    struct probe *probe; /* while it is being asked */
    struct callout_asker *askers;
    /* the answer */
    uint64_t until_ms;
    enum recipient_ending ending;
    uint16_t code;
    char *enhanced, *reply;
};

/* Lives only while the question is on its way. */
struct probe {
    struct errand errand; /* first */
    struct callout *callout;
    struct envelope envelope;
    struct recipient recipient;
    struct arena *arena;
};

struct callouts {
    struct loop *loop;
    struct pool *pool;
    struct hash_table by_address;
    TAILQ_HEAD(callout_list, callout) answers;
    uint32_t most; /* known or being asked for; over it the answer is deferred */
    uint64_t taken_ms, refused_ms, deferred_ms;
    uint64_t asked, from_cache, probes, over_limit;
    bool is_stopping;
};

struct callouts *callout_new(struct loop *loop, struct pool *pool)
{
    struct callouts *callouts = memory_alloc(sizeof *callouts);
    callouts->loop = loop;
    callouts->pool = pool;
    callouts->most = 100000;
    callouts->taken_ms = 3600000;
    callouts->refused_ms = 300000;
    callouts->deferred_ms = 10000;
    TAILQ_INIT(&callouts->answers);
    return callouts;
}

void callout_configure(struct callouts *callouts, const struct config *config)
{
    callouts->most = config->callout.most;
    callouts->taken_ms = config->callout.taken_ms;
    callouts->refused_ms = config->callout.refused_ms;
    callouts->deferred_ms = config->callout.deferred_ms;
}

/* --- recipients --- */

static struct callout *find(const struct callouts *callouts, struct text address)
{
    struct hash_node *node = hash_table_first(&callouts->by_address, hash_text(address));
    for (; node; node = hash_table_next(node)) {
        struct callout *callout = OWNER_OF(node, struct callout, node);
        if (text_equal(text_from(callout->address, callout->address_length), address)) return callout;
    }
    return NULL;
}

static struct callout *callout_make(struct callouts *callouts, struct text address)
{
    struct callout *callout = memory_alloc(sizeof *callout);
    struct text domain = envelope_domain_of(address);
    callout->callouts = callouts;
    callout->address = memory_string(address);
    callout->address_length = address.length;
    callout->domain = memory_string(domain);
    callout->domain_length = domain.length;
    for (size_t i = 0; i < domain.length; i++) callout->domain[i] = char_lower(callout->domain[i]);
    hash_table_add(&callouts->by_address, &callout->node, hash_text(address));
    return callout;
}

static void callout_drop(struct callout *callout)
{
    hash_table_remove(&callout->callouts->by_address, &callout->node);
    TAILQ_REMOVE(&callout->callouts->answers, callout, age);
    free(callout->address);
    free(callout->domain);
    free(callout->enhanced);
    free(callout->reply);
    free(callout);
}

/* --- answers --- */

static void answer_send(const struct callout_asker *asker, enum recipient_ending ending, uint16_t code,
                        const char *enhanced, const char *reply)
{
    struct buffer *frame = channel_begin(asker->channel, DELIVER_CALL_OUT_IS, asker->id);
    put_u8(frame, (uint8_t)ending);
    put_u16(frame, code);
    put_text(frame, text_of(enhanced));
    put_text(frame, text_of(reply));
    channel_end(asker->channel);
}

static void answer_all(struct callout *callout)
{
    struct callout_asker *asker;
    while ((asker = callout->askers)) {
        callout->askers = asker->next;
        answer_send(asker, callout->ending, callout->code, callout->enhanced, callout->reply);
        free(asker);
    }
}

static uint64_t life_of(const struct callouts *callouts, enum recipient_ending ending)
{
    return ending == RECIPIENT_DELIVERED ? callouts->taken_ms
           : ending == RECIPIENT_FAILED  ? callouts->refused_ms
                                         : callouts->deferred_ms;
}

static void answer_keep(struct callout *callout, const struct recipient_result *result)
{
    free(callout->enhanced);
    free(callout->reply);
    callout->ending = result->ending == RECIPIENT_NOT_TRIED ? RECIPIENT_DEFERRED : result->ending;
    callout->code = result->code;
    callout->enhanced = memory_string(result->enhanced);
    callout->reply = memory_string(result->reply);
    callout->until_ms = loop_now_ms(callout->callouts->loop) + life_of(callout->callouts, callout->ending);
}

static void on_done(struct errand *errand)
{
    struct probe *probe = (struct probe *)errand;
    struct callout *callout = probe->callout;
    bool is_known = callout->enhanced && callout->ending != RECIPIENT_DEFERRED;
    callout->probe = NULL;
    TAILQ_INSERT_TAIL(&callout->callouts->answers, callout, age);
    if (errand->unreachable && is_known)
        callout->until_ms = loop_now_ms(callout->callouts->loop) + callout->callouts->deferred_ms;
    else
        answer_keep(callout, &errand->handover.results[0]);
    answer_all(callout);
    arena_free(probe->arena);
    free(probe);
}

/* --- questions --- */

static void probe_begin(struct callout *callout)
{
    struct probe *probe = memory_alloc(sizeof *probe);
    struct errand *errand = &probe->errand;
    probe->callout = callout;
    probe->arena = arena_new(0);
    probe->recipient.address = text_from(callout->address, callout->address_length);
    errand->handover.asks_smtputf8 = callout->address[0] == '@';
    probe->envelope = (struct envelope){ .recipient_count = 1, .recipients = &probe->recipient };
    errand->domain = text_from(callout->domain, callout->domain_length);
    errand->handover.arena = probe->arena;
    errand->handover.envelope = &probe->envelope;
    errand->handover.is_probe = true;
    errand->wants_answer_now = true;
    errand->on_done = on_done;
    handover_start(&errand->handover);
    callout->probe = probe;
    callout->callouts->probes++;
    pool_add(callout->callouts->pool, errand, true);
}

static void asker_add(struct callout *callout, struct channel *channel, uint64_t id)
{
    struct callout_asker *asker = memory_alloc(sizeof *asker);
    *asker = (struct callout_asker){ callout->askers, channel, id };
    callout->askers = asker;
}

/* Room for one more, by dropping the oldest answer if need be. */
static bool has_room(struct callouts *callouts)
{
    if (callouts->by_address.count < callouts->most) return true;
    if (TAILQ_EMPTY(&callouts->answers)) return false;
    callout_drop(TAILQ_FIRST(&callouts->answers));
    return true;
}

static void ask(struct callouts *callouts, struct channel *channel, uint64_t id, struct text address)
{
    struct callout *callout = find(callouts, address);
    struct callout_asker now = { NULL, channel, id };
    callouts->asked++;
    if (callout && !callout->probe && loop_now_ms(callouts->loop) < callout->until_ms) {
        callouts->from_cache++;
        answer_send(&now, callout->ending, callout->code, callout->enhanced, callout->reply);
        return;
    }
    if (callouts->is_stopping || (!callout && !has_room(callouts))) {
        callouts->over_limit++;
        answer_send(&now, RECIPIENT_DEFERRED, 0, "4.3.2", "too many recipients are being asked about");
        return;
    }
    if (!callout)
        callout = callout_make(callouts, address);
    else if (!callout->probe)
        TAILQ_REMOVE(&callouts->answers, callout, age);
    asker_add(callout, channel, id);
    if (!callout->probe) probe_begin(callout);
}

bool callout_frame(struct callouts *callouts, struct channel *asker, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    if (frame->type != DELIVER_CALL_OUT) return false;
    get_text(
        &reader); /* the sender: servers are asked with the null path, which no rule about senders stops */
    struct text address = get_text(&reader);
    if (!reader_done(&reader) || address.length == 0) return false;
    ask(callouts, asker, frame->id, address);
    return true;
}

/* --- upkeep --- */

void callout_forget(struct callouts *callouts, const struct channel *asker)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&callouts->by_address, &slot, &next))) {
        struct callout_asker **at = &OWNER_OF(node, struct callout, node)->askers, *gone;
        while ((gone = *at)) {
            if (gone->channel != asker) {
                at = &gone->next;
                continue;
            }
            *at = gone->next;
            free(gone);
        }
    }
}

void callout_forget_answers(struct callouts *callouts)
{
    struct callout *callout;
    TAILQ_FOREACH(callout, &callouts->answers, age) callout->until_ms = 0;
}

static bool is_about(const struct callout *callout, struct text what)
{
    bool is_address = text_find_char(what, '@') < what.length;
    struct text about = is_address ? text_from(callout->address, callout->address_length)
                                   : text_from(callout->domain, callout->domain_length);
    return what.length == 0 || text_equal_nocase(about, what);
}

uint64_t callout_drop_answers(struct callouts *callouts, struct text what)
{
    uint64_t count = 0;
    for (struct callout *next = TAILQ_FIRST(&callouts->answers), *callout; (callout = next);) {
        next = TAILQ_NEXT(callout, age);
        if (!is_about(callout, what)) continue;
        callout_drop(callout);
        count++;
    }
    return count;
}

uint64_t callout_count_answers(const struct callouts *callouts)
{
    const struct callout *callout;
    uint64_t count = 0;
    TAILQ_FOREACH(callout, &callouts->answers, age) count++;
    return count;
}

void callout_learn_refused(struct callouts *callouts, struct text address,
                           const struct recipient_result *result)
{
    struct callout *callout = find(callouts, address);
    if (callout && callout->probe) return; /* the answer is on its way */
    if (!callout && !has_room(callouts)) return;
    if (!callout) {
        callout = callout_make(callouts, address);
        TAILQ_INSERT_TAIL(&callouts->answers, callout, age);
    }
    answer_keep(callout, result);
}

void callout_stop(struct callouts *callouts)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    callouts->is_stopping = true;
    while ((node = hash_table_walk(&callouts->by_address, &slot, &next))) {
        struct probe *probe = OWNER_OF(node, struct callout, node)->probe;
        if (!probe || probe->errand.is_started) continue;
        pool_remove(callouts->pool, &probe->errand);
        handover_end_rest_by_us(&probe->errand.handover, RECIPIENT_DEFERRED, "4.3.2", TEXT("shutting down"));
        on_done(&probe->errand);
    }
}

void callout_free(struct callouts *callouts)
{
    for (struct callout *next, *callout = TAILQ_FIRST(&callouts->answers); callout; callout = next) {
        next = TAILQ_NEXT(callout, age);
        callout_drop(callout);
    }
    hash_table_free(&callouts->by_address);
    free(callouts);
}

void callout_status(const struct callouts *callouts, struct buffer *out)
{
    child_status_add(out, "call-outs asked", "%llu", (unsigned long long)callouts->asked);
    child_status_add(out, "call-outs from cache", "%llu", (unsigned long long)callouts->from_cache);
    child_status_add(out, "call-outs made", "%llu", (unsigned long long)callouts->probes);
    child_status_add(out, "call-outs over limit", "%llu", (unsigned long long)callouts->over_limit);
    child_status_add(out, "recipients known", "%zu", callouts->by_address.count);
}
