/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Connections and rates by client address, shared by all receive processes in one memory. Exact per process:
   a restarted process clears what its predecessor held. */
#ifndef SEKIMORI_RECEIVE_CLIENTS_H
#define SEKIMORI_RECEIVE_CLIENTS_H

#include "base/address.h"

struct clients;
struct client_entry;

/* NULL with errno. `column` is this process's index, below 64. */
struct clients *clients_map(int fd, uint16_t column);

struct client_numbers {
    uint32_t connections, in_minute;         /* of the client, this one included */
    uint32_t all_connections, all_in_minute; /* of everybody */
};

/* Counts a connection in. NULL when the table is full around this address: the client is then not limited. */
struct client_entry *clients_enter(struct clients *clients, const struct address *address, uint64_t now_ms,
                                   struct client_numbers *out);
void clients_leave(struct clients *clients, struct client_entry *entry); /* entry may be NULL */

/* Connections of everybody, in all processes. */
uint32_t clients_connected(struct clients *clients);

/* Counts a message; returns how many the client sent in this minute, and everybody in *out_all. */
uint32_t clients_message(struct clients *clients, struct client_entry *entry, uint64_t now_ms,
                         uint32_t *out_all);

#endif
