/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The schedule. A destination that may send stands in a ring (one for static routes, one for the rest) and
   gives one delivery a turn; one that must wait stands in a heap by time. */
#include "queue/schedule.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/owner.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"

/* A recipient domain: what goes there, and until when nothing does. */
struct schedule_destination {
    uint32_t domain; /* held in message_index.domains */
    uint32_t deliveries, out, limit;
    bool is_static, is_in_ring;
    uint32_t failures, downs; /* in a row; ever */
    uint64_t blocked_until;   /* 0: not blocked */
    uint32_t reason;          /* held in message_index.reasons */
    TAILQ_HEAD(delivery_line, delivery) line;
    struct heap waiting;
    struct heap_item wake;
    TAILQ_ENTRY(schedule_destination) ring;
};

enum { RING_STATIC, RING_DYNAMIC, RING_COUNT };

struct schedule {
    struct message_index *message_index;
    struct schedule_policy policy;
    struct schedule_destination **by_domain; /* by number of the name */
    uint32_t by_domain_size;
    TAILQ_HEAD(destination_ring, schedule_destination) rings[RING_COUNT]; /* the first has its turn */
    int turn;
    struct heap wakes, ages;
    uint64_t random;
    uint32_t out, out_dynamic;
    struct schedule_facts facts;
};

struct schedule *schedule_new(struct message_index *message_index, const struct schedule_policy *policy,
                              uint64_t seed)
{
    struct schedule *schedule = memory_alloc(sizeof *schedule);
    schedule->message_index = message_index;
    schedule->policy = *policy;
    schedule->random = seed | 1;
    for (int i = 0; i < RING_COUNT; i++) TAILQ_INIT(&schedule->rings[i]);
    return schedule;
}

static uint64_t next_random(struct schedule *schedule)
{
    schedule->random ^= schedule->random << 13;
    schedule->random ^= schedule->random >> 7;
    return schedule->random ^= schedule->random << 17;
}

/* Doubles with each attempt up to the most; then between three quarters of that and all of it. */
static uint64_t back_off(struct schedule *schedule, uint32_t attempts)
{
    uint64_t wait = schedule->policy.retry_first_ms;
    uint64_t most = schedule->policy.retry_most_ms;
    for (uint32_t i = 1; i < attempts && wait < most; i++) wait *= 2;
    if (wait > most) wait = most;
    return wait - next_random(schedule) % (wait / 4 + 1);
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Rings */

static struct destination_ring *ring_of(struct schedule *schedule,
                                        const struct schedule_destination *destination)
{
    return &schedule->rings[destination->is_static ? RING_STATIC : RING_DYNAMIC];
}

static void ring_leave(struct schedule *schedule, struct schedule_destination *destination)
{
    if (!destination->is_in_ring) return;
    TAILQ_REMOVE(ring_of(schedule, destination), destination, ring);
    destination->is_in_ring = false;
}

static void ring_join(struct schedule *schedule, struct schedule_destination *destination)
{
    if (destination->is_in_ring) return;
    TAILQ_INSERT_TAIL(ring_of(schedule, destination), destination, ring);
    destination->is_in_ring = true;
}

/* Puts the destination where it belongs: in its ring, in the heap of those who wait, or in neither. */
static void destination_place(struct schedule *schedule, struct schedule_destination *destination)
{
    uint32_t limit = destination->failures ? 1 : destination->limit;
    bool may_go = !TAILQ_EMPTY(&destination->line) && !destination->blocked_until && destination->out < limit;
    if (may_go)
        ring_join(schedule, destination);
    else
        ring_leave(schedule, destination);
    struct heap_item *waiting = heap_first(&destination->waiting);
    uint64_t wake = UINT64_MAX;
    if (destination->blocked_until)
        wake = destination->blocked_until;
    else if (waiting)
        wake = waiting->key;
    if (wake != UINT64_MAX)
        heap_set(&schedule->wakes, &destination->wake, wake);
    else
        heap_remove(&schedule->wakes, &destination->wake);
}

static void destination_ask(struct schedule *schedule, struct schedule_destination *destination)
{
    struct schedule_route route = schedule->policy.route(
        schedule->policy.context, string_pool_text(schedule->message_index->domains, destination->domain));
    ring_leave(schedule, destination);
    if (destination->is_static && !route.is_static) schedule->out_dynamic += destination->out;
    if (!destination->is_static && route.is_static) schedule->out_dynamic -= destination->out;
    destination->is_static = route.is_static;
    destination->limit = route.limit ? route.limit : 1;
}

static struct schedule_destination *destination_of(struct schedule *schedule, uint32_t domain)
{
    if (domain >= schedule->by_domain_size) {
        uint32_t size = schedule->by_domain_size ? schedule->by_domain_size : 64;
        while (size <= domain) size *= 2;
        schedule->by_domain = memory_grow(schedule->by_domain, size * sizeof(struct schedule_destination *));
        memset(&schedule->by_domain[schedule->by_domain_size], 0,
               (size - schedule->by_domain_size) * sizeof(struct schedule_destination *));
        schedule->by_domain_size = size;
    }
    struct schedule_destination *destination = schedule->by_domain[domain];
    if (destination) return destination;
    destination = schedule->by_domain[domain] = memory_alloc(sizeof *destination);
    destination->domain = domain;
    TAILQ_INIT(&destination->line);
    string_pool_hold_again(schedule->message_index->domains, domain);
    destination->is_static = true; /* until asked: nothing is out */
    destination_ask(schedule, destination);
    schedule->facts.destinations++;
    return destination;
}

static void destination_free(struct schedule *schedule, struct schedule_destination *destination)
{
    ring_leave(schedule, destination);
    heap_remove(&schedule->wakes, &destination->wake);
    heap_free(&destination->waiting);
    schedule->by_domain[destination->domain] = NULL;
    string_pool_drop(schedule->message_index->domains, destination->domain);
    string_pool_drop(schedule->message_index->reasons, destination->reason);
    schedule->facts.destinations--;
    if (destination->failures) schedule->facts.destinations_down--;
    free(destination);
}

/* One without deliveries is remembered only while it is down. */
static void destination_settle(struct schedule *schedule, struct schedule_destination *destination)
{
    if (!destination->deliveries && !destination->blocked_until)
        destination_free(schedule, destination);
    else
        destination_place(schedule, destination);
}

/* Lines */

static void line_join(struct schedule *schedule, struct delivery *delivery, bool is_first)
{
    struct delivery_line *line = &delivery->destination->line;
    delivery->state = DELIVERY_READY;
    if (is_first)
        TAILQ_INSERT_HEAD(line, delivery, line);
    else
        TAILQ_INSERT_TAIL(line, delivery, line);
    schedule->facts.ready++;
}

static void line_leave(struct schedule *schedule, struct delivery *delivery)
{
    TAILQ_REMOVE(&delivery->destination->line, delivery, line);
    schedule->facts.ready--;
}

static void wait_until(struct schedule *schedule, struct delivery *delivery, uint64_t due_ms)
{
    delivery->state = DELIVERY_WAITING;
    heap_set(&delivery->destination->waiting, &delivery->due, due_ms);
    schedule->facts.waiting++;
}

static void wait_end(struct schedule *schedule, struct delivery *delivery)
{
    heap_remove(&delivery->destination->waiting, &delivery->due);
    schedule->facts.waiting--;
}

static void out_end(struct schedule *schedule, struct delivery *delivery)
{
    if (delivery->state != DELIVERY_OUT) bug("a delivery comes back that was not out");
    struct schedule_destination *destination = delivery->destination;
    destination->out--;
    schedule->out--;
    if (!destination->is_static) schedule->out_dynamic--;
    delivery->message->jobs--;
    delivery->job_id = 0;
    schedule->facts.out--;
    schedule->facts.out_recipients -= delivery->message->recipient_count;
}

bool delivery_serves(const struct delivery *delivery, const struct queued_recipient *recipient)
{
    return recipient->ending == ENDING_NONE && recipient->hold == HOLD_NONE &&
           recipient->domain == delivery->destination->domain && recipient->edits == delivery->edits;
}

struct delivery *schedule_delivery_of(const struct message *message, const struct queued_recipient *recipient)
{
    for (struct delivery *one = message->deliveries; one; one = one->next_of_message)
        if (one->destination->domain == recipient->domain && one->edits == recipient->edits) return one;
    return NULL;
}

static void delivery_add(struct schedule *schedule, struct message *message,
                         const struct queued_recipient *recipient, uint64_t now_ms)
{
    struct delivery *delivery = memory_alloc(sizeof *delivery);
    delivery->message = message;
    delivery->destination = destination_of(schedule, recipient->domain);
    delivery->edits = recipient->edits;
    delivery->attempts = recipient->attempts;
    delivery->next_of_message = message->deliveries;
    message->deliveries = delivery;
    delivery->destination->deliveries++;
    schedule->facts.deliveries++;
    uint64_t latest = now_ms + schedule->policy.retry_most_ms;
    uint64_t due = message->due_ms < latest ? message->due_ms : latest;
    if (recipient->attempts && due > now_ms)
        wait_until(schedule, delivery, due);
    else
        line_join(schedule, delivery, false);
    destination_place(schedule, delivery->destination);
}

void schedule_add(struct schedule *schedule, struct message *message, uint64_t now_ms)
{
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        const struct queued_recipient *recipient = &message->recipients[i];
        if (recipient->ending != ENDING_NONE || recipient->hold != HOLD_NONE) continue;
        if (!schedule_delivery_of(message, recipient)) delivery_add(schedule, message, recipient, now_ms);
    }
}

/* Off its lists and out of its message's; not for one that is OUT. */
static void delivery_free(struct schedule *schedule, struct delivery *delivery)
{
    struct schedule_destination *destination = delivery->destination;
    if (delivery->state == DELIVERY_READY) line_leave(schedule, delivery);
    if (delivery->state == DELIVERY_WAITING) wait_end(schedule, delivery);
    struct delivery **link = &delivery->message->deliveries;
    while (*link != delivery) link = &(*link)->next_of_message;
    *link = delivery->next_of_message;
    free(delivery);
    destination->deliveries--;
    schedule->facts.deliveries--;
    destination_settle(schedule, destination);
}

/* Turns */

static void destination_wake(struct schedule *schedule, struct schedule_destination *destination,
                             uint64_t now_ms)
{
    if (destination->blocked_until && destination->blocked_until <= now_ms) destination->blocked_until = 0;
    for (struct heap_item *item; (item = heap_first(&destination->waiting)) && item->key <= now_ms;) {
        struct delivery *delivery = OWNER_OF(item, struct delivery, due);
        wait_end(schedule, delivery);
        line_join(schedule, delivery, false);
    }
    destination_settle(schedule, destination);
}

static void wake_all(struct schedule *schedule, uint64_t now_ms)
{
    for (struct heap_item *item; (item = heap_first(&schedule->wakes)) && item->key <= now_ms;)
        destination_wake(schedule, OWNER_OF(item, struct schedule_destination, wake), now_ms);
}

static struct schedule_destination *turn_take(struct schedule *schedule)
{
    if (schedule->out >= schedule->policy.limit_all) return NULL;
    bool may_dynamic = schedule->out_dynamic < schedule->policy.limit_dynamic;
    for (int i = 0; i < RING_COUNT; i++) {
        schedule->turn = (schedule->turn + 1) % RING_COUNT;
        struct schedule_destination *destination = TAILQ_FIRST(&schedule->rings[schedule->turn]);
        if (destination && (schedule->turn == RING_STATIC || may_dynamic)) return destination;
    }
    return NULL;
}

void schedule_take(struct schedule *schedule, struct delivery *delivery)
{
    struct schedule_destination *destination = delivery->destination;
    if (delivery->state == DELIVERY_READY) line_leave(schedule, delivery);
    if (delivery->state == DELIVERY_WAITING) wait_end(schedule, delivery);
    delivery->state = DELIVERY_OUT;
    delivery->message->jobs++;
    destination->out++;
    schedule->out++;
    if (!destination->is_static) schedule->out_dynamic++;
    schedule->facts.out++;
    schedule->facts.out_recipients += delivery->message->recipient_count;
    destination_place(schedule, destination);
}

struct delivery *schedule_next(struct schedule *schedule, uint64_t now_ms)
{
    wake_all(schedule, now_ms);
    struct schedule_destination *destination = turn_take(schedule);
    if (!destination) return NULL;
    ring_leave(schedule, destination); /* behind all others, if it may send more */
    struct delivery *delivery = TAILQ_FIRST(&destination->line);
    schedule_take(schedule, delivery);
    return delivery;
}

void schedule_done(struct schedule *schedule, struct delivery *delivery)
{
    out_end(schedule, delivery);
    delivery_free(schedule, delivery);
}

uint64_t schedule_defer(struct schedule *schedule, struct delivery *delivery, uint64_t now_ms)
{
    out_end(schedule, delivery);
    if (delivery->attempts < UINT8_MAX) delivery->attempts++;
    uint64_t due = now_ms + back_off(schedule, delivery->attempts);
    wait_until(schedule, delivery, due);
    destination_place(schedule, delivery->destination);
    return due;
}

void schedule_give_back(struct schedule *schedule, struct delivery *delivery)
{
    out_end(schedule, delivery);
    line_join(schedule, delivery, true);
    destination_place(schedule, delivery->destination);
}

uint64_t schedule_destination_down(struct schedule *schedule, struct delivery *delivery, struct text reason,
                                   uint64_t now_ms)
{
    struct schedule_destination *destination = delivery->destination;
    uint32_t old = destination->reason;
    destination->reason = string_pool_hold(schedule->message_index->reasons, reason);
    destination->downs++;
    string_pool_drop(schedule->message_index->reasons, old);
    if (destination->blocked_until > now_ms) return destination->blocked_until; /* one failure, told again */
    if (!destination->failures++) schedule->facts.destinations_down++;
    destination->blocked_until = now_ms + later_of(back_off(schedule, destination->failures), 1);
    destination_place(schedule, destination);
    return destination->blocked_until;
}

void schedule_destination_up(struct schedule *schedule, struct delivery *delivery, uint64_t now_ms)
{
    struct schedule_destination *destination = delivery->destination;
    if (!destination->failures) return;
    destination->failures = 0;
    destination->blocked_until = 0;
    schedule->facts.destinations_down--;
    string_pool_drop(schedule->message_index->reasons, destination->reason);
    destination->reason = 0;
    destination_place(schedule, destination);
}

struct text schedule_down_reason(const struct schedule *schedule, const struct delivery *delivery)
{
    return string_pool_text(schedule->message_index->reasons, delivery->destination->reason);
}

uint64_t schedule_waits_until(const struct delivery *delivery)
{
    if (delivery->state == DELIVERY_OUT) return 0;
    uint64_t own = delivery->state == DELIVERY_WAITING ? delivery->due.key : 0;
    return later_of(own, delivery->destination->blocked_until);
}

static void delivery_retry(struct schedule *schedule, struct delivery *delivery)
{
    if (delivery->state != DELIVERY_WAITING) return;
    wait_end(schedule, delivery);
    line_join(schedule, delivery, false);
}

/* A probe goes out at once; the count of failures stays, so a second failure waits as long as it would have.
 */
static void destination_unblock(struct schedule *schedule, struct schedule_destination *destination)
{
    destination->blocked_until = 0;
    destination_settle(schedule, destination);
}

void schedule_retry_message(struct schedule *schedule, struct message *message, uint64_t now_ms)
{
    message->due_ms = now_ms;
    for (struct delivery *one = message->deliveries; one; one = one->next_of_message) {
        delivery_retry(schedule, one);
        destination_unblock(schedule, one->destination);
    }
}

bool schedule_last_try(struct schedule *schedule, struct delivery *delivery)
{
    uint32_t downs = delivery->destination->downs;
    if (delivery->state == DELIVERY_OUT) return false;
    if (delivery->last_try) return downs >= delivery->last_try;
    delivery->last_try = downs + 1;
    delivery_retry(schedule, delivery);
    destination_unblock(schedule, delivery->destination);
    return false;
}

static void destination_retry(struct schedule *schedule, struct schedule_destination *destination,
                              uint64_t now_ms)
{
    for (struct heap_item *item; (item = heap_first(&destination->waiting));) {
        struct delivery *delivery = OWNER_OF(item, struct delivery, due);
        delivery->message->due_ms = now_ms;
        delivery_retry(schedule, delivery);
    }
    destination_unblock(schedule, destination);
}

void schedule_retry_domain(struct schedule *schedule, struct text domain, uint64_t now_ms)
{
    uint32_t number = string_pool_find(schedule->message_index->domains, domain);
    if (number < schedule->by_domain_size && schedule->by_domain[number])
        destination_retry(schedule, schedule->by_domain[number], now_ms);
}

void schedule_retry_all(struct schedule *schedule, uint64_t now_ms)
{
    for (uint32_t i = 0; i < schedule->by_domain_size; i++)
        if (schedule->by_domain[i]) destination_retry(schedule, schedule->by_domain[i], now_ms);
}

bool delivery_has_recipient(const struct delivery *delivery)
{
    for (uint32_t i = 0; i < delivery->message->recipient_count; i++)
        if (delivery_serves(delivery, &delivery->message->recipients[i])) return true;
    return false;
}

bool schedule_trim(struct schedule *schedule, struct message *message)
{
    for (struct delivery *one = message->deliveries, *next; one; one = next) {
        next = one->next_of_message;
        if (one->state != DELIVERY_OUT && !delivery_has_recipient(one)) delivery_free(schedule, one);
    }
    if (!message->deliveries) heap_remove(&schedule->ages, &message->age);
    return !message->deliveries;
}

void schedule_forget(struct schedule *schedule, struct message *message)
{
    for (struct delivery *next, *one = message->deliveries; one; one = next) {
        next = one->next_of_message;
        if (one->state == DELIVERY_OUT) bug("a message goes away while it is being delivered");
        delivery_free(schedule, one);
    }
    heap_remove(&schedule->ages, &message->age);
}

uint64_t schedule_wake_ms(const struct schedule *schedule)
{
    const struct heap_item *wake = heap_first(&schedule->wakes), *age = heap_first(&schedule->ages);
    uint64_t first = wake ? wake->key : UINT64_MAX;
    return age && age->key < first ? age->key : first;
}

void schedule_watch(struct schedule *schedule, struct message *message, uint64_t at_ms)
{
    heap_set(&schedule->ages, &message->age, at_ms);
}

struct message *schedule_aged(struct schedule *schedule, uint64_t now_ms)
{
    struct heap_item *item = heap_first(&schedule->ages);
    if (!item || item->key > now_ms) return NULL;
    heap_remove(&schedule->ages, item);
    return OWNER_OF(item, struct message, age);
}

void schedule_set_policy(struct schedule *schedule, const struct schedule_policy *policy)
{
    schedule->policy = *policy;
    for (uint32_t i = 0; i < schedule->by_domain_size; i++) {
        struct schedule_destination *destination = schedule->by_domain[i];
        if (!destination) continue;
        destination_ask(schedule, destination);
        destination_place(schedule, destination);
    }
}

struct schedule_facts schedule_facts(const struct schedule *schedule)
{
    return schedule->facts;
}

void schedule_free(struct schedule *schedule)
{
    if (!schedule) return;
    for (uint32_t i = 0; i < schedule->by_domain_size; i++) {
        struct schedule_destination *destination = schedule->by_domain[i];
        if (!destination) continue;
        heap_free(&destination->waiting);
        free(destination);
    }
    size_t place = 0;
    for (struct message *message; (message = message_index_next(schedule->message_index, &place));)
        while (message->deliveries) {
            struct delivery *delivery = message->deliveries;
            message->deliveries = delivery->next_of_message;
            free(delivery);
        }
    heap_free(&schedule->wakes);
    heap_free(&schedule->ages);
    free(schedule->by_domain);
    free(schedule);
}
