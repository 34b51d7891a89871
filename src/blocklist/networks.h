/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Networks, perhaps in one another, become spans that do not overlap. */
#ifndef SEKIMORI_BLOCKLIST_NETWORKS_H
#define SEKIMORI_BLOCKLIST_NETWORKS_H

#include "blocklist/image.h"

struct blocklist_network {
    struct address first, last;
    uint32_t entry; /* of two that are the same the lower one counts */
};

/* By their first address, a larger one before those in it, of the same the lower entry first. */
void blocklist_networks_sort(struct blocklist_network *networks, size_t count);

/* Makes one sorted row of two that lie behind each other, the first of them `left` long. `scratch` has room
   for `left`. */
void blocklist_networks_merge(struct blocklist_network *networks, size_t left, size_t count,
                              struct blocklist_network *scratch);

/* Appends the spans of sorted networks in order: `v4s` gets those of IPv4-mapped addresses, `v6s` the others;
   none is both. Each network is a prefix: two of them are apart, or one is in the other. */
void blocklist_networks_flatten(const struct blocklist_network *networks, size_t count, struct buffer *v4s,
                                struct buffer *v6s);

#endif
