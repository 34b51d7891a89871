/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where all processes log to. Those in jails open nothing, so master opens the file anew after a rotation,
   and the socket of a syslog that was restarted, and hands copies round. */
#ifndef SEKIMORI_MASTER_LOGS_H
#define SEKIMORI_MASTER_LOGS_H

#include "config/settings.h"

struct process_table;

/* Remembers which file standard error is, before anybody can have renamed it. */
void logs_open(void);

/* Standard error is opened again under its name, made when it is gone; nothing happens when it is no file. */
void logs_reopen(struct process_table *table);

/* The target of `log to` is connected anew. Called each second while a process cannot reach it. */
void logs_reconnect(struct process_table *table, const struct config *config);

#endif
