/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "blocklist/networks.h"

#include <stdlib.h>

enum { NESTED_MOST = 129 }; /* prefixes of 0 to 128 bits */

/* What is open at the place where the sweep is, the smallest on top. */
struct sweep {
    const struct blocklist_network *open[NESTED_MOST];
    size_t depth;
    struct address from; /* nothing before it is left to be written of what is open */
    struct buffer *v4s, *v6s;
};

static int order(const void *a, const void *b)
{
    const struct blocklist_network *x = a, *y = b;
    int first = memcmp(x->first.bytes, y->first.bytes, sizeof x->first.bytes);
    if (first) return first;
    int last = memcmp(y->last.bytes, x->last.bytes, sizeof x->last.bytes);
    if (last) return last;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static void add(struct address *address, int step)
{
    for (int i = 15; i >= 0; i--) {
        address->bytes[i] = (uint8_t)(address->bytes[i] + step);
        if (address->bytes[i] != (step > 0 ? 0 : 255)) return;
    }
}

static bool is_before(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) < 0;
}

/* From where the sweep is up to `last`, of the network on top. */
static void span_write(struct sweep *sweep, const struct address *last)
{
    const struct blocklist_network *top = sweep->open[sweep->depth - 1];
    if (is_before(last, &sweep->from)) return;
    if (address_is_v4(&sweep->from)) {
        struct blocklist_v4_span span = { blocklist_v4_of(sweep->from.bytes), blocklist_v4_of(last->bytes),
                                          top->entry };
        buffer_add(sweep->v4s, &span, sizeof span);
    } else {
        struct blocklist_v6_span span = { .entry = top->entry };
        memcpy(span.first, sweep->from.bytes, sizeof span.first);
        memcpy(span.last, last->bytes, sizeof span.last);
        buffer_add(sweep->v6s, &span, sizeof span);
    }
}

static void close_top(struct sweep *sweep)
{
    const struct address *last = &sweep->open[sweep->depth - 1]->last;
    span_write(sweep, last);
    sweep->from = *last;
    add(&sweep->from, 1);
    sweep->depth--;
}

static bool is_same(const struct blocklist_network *a, const struct blocklist_network *b)
{
    return address_equal(&a->first, &b->first) && address_equal(&a->last, &b->last);
}

static void open_next(struct sweep *sweep, const struct blocklist_network *next)
{
    while (sweep->depth > 0 && is_before(&sweep->open[sweep->depth - 1]->last, &next->first))
        close_top(sweep);
    if (sweep->depth > 0 && is_same(sweep->open[sweep->depth - 1], next)) return;
    if (sweep->depth > 0 && is_before(&sweep->from, &next->first)) {
        struct address last = next->first;
        add(&last, -1);
        span_write(sweep, &last);
    }
    sweep->from = next->first;
    sweep->open[sweep->depth++] = next;
}

void blocklist_networks_sort(struct blocklist_network *networks, size_t count)
{
    if (count) qsort(networks, count, sizeof *networks, order);
}

void blocklist_networks_merge(struct blocklist_network *networks, size_t left, size_t count,
                              struct blocklist_network *scratch)
{
    size_t from_left = 0, from_right = left, to = 0;
    if (left > 0) memcpy(scratch, networks, left * sizeof *scratch);
    while (from_left < left) {
        bool is_right = from_right < count && order(&networks[from_right], &scratch[from_left]) < 0;
        networks[to++] = is_right ? networks[from_right++] : scratch[from_left++];
    }
}

void blocklist_networks_flatten(const struct blocklist_network *networks, size_t count, struct buffer *v4s,
                                struct buffer *v6s)
{
    struct sweep sweep = { .v4s = v4s, .v6s = v6s };
    for (size_t i = 0; i < count; i++) open_next(&sweep, &networks[i]);
    while (sweep.depth > 0) close_top(&sweep);
}
