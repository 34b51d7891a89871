/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Connections and rates by client, shared by all receive processes in one memory. Exact per process: a
   restarted process clears what its predecessor held. A client is a network: an IPv4 address, or the prefix
   of IPv6 that one of them has to itself. */
#ifndef SEKIMORI_RECEIVE_CLIENT_LIMITS_H
#define SEKIMORI_RECEIVE_CLIENT_LIMITS_H

#include "base/address.h"
#include "ipc/hourly_table.h"

struct client_limits;
struct client_entry;

/* NULL with errno. `column` is this process's index, below 64. */
struct client_limits *client_limits_map(int fd, uint16_t column);
void client_limits_unmap(struct client_limits *clients);

struct client_numbers {
    uint32_t connections, in_minute;         /* of the client, this one included */
    uint32_t all_connections, all_in_minute; /* of everybody */
};

/* Counts a connection of the client in; `client` is what address_client_network gave. Never NULL: when the
   table is full around the client, the entry that says least is given up for it; when all there have
   connections, it shares an entry with others, and the limits with them. */
struct client_entry *client_limits_enter(struct client_limits *clients, const struct address *client,
                                         uint64_t now_ms, struct client_numbers *out);
void client_limits_leave(struct client_limits *clients, struct client_entry *entry);

/* Connections of everybody, in all processes. */
uint32_t client_limits_connected(struct client_limits *clients);

/* Counts a message; returns how many the client sent in this minute, and everybody in *out_all. */
uint32_t client_limits_message(struct client_limits *clients, struct client_entry *entry, uint64_t now_ms,
                               uint32_t *out_all);

/* What came in an hour, in a part of the same memory; the table's own. */
struct hourly_table *client_limits_hours(struct client_limits *clients);

#endif
