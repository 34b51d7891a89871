/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mail to the node's own addresses: queue offers it, it is done one after the other, and queue is told. */
#ifndef SEKIMORI_REPORT_MISSED_INBOX_H
#define SEKIMORI_REPORT_MISSED_INBOX_H

#include "ipc/channel.h"

struct service;
struct inbox;

/* Never NULL, as long as the process. Listens on the service's post, which is there before. */
struct inbox *inbox_new(struct service *service);
/* Ledger is there, or there again: tickets are redeemed by it. */
void inbox_set_ledger(struct inbox *inbox, int fd);
/* Scan likewise: it reads what a report would teach. */
void inbox_set_scan(struct inbox *inbox, int fd);
/* The same of lookup, which is told of what leaked through. */
void inbox_set_lookup(struct inbox *inbox, int fd);

struct inbox_facts {
    uint64_t reported, released, not_released, answers; /* messages told as missed; mails with a ticket */
};
struct inbox_facts inbox_facts(const struct inbox *inbox); /* a copy */

#endif
