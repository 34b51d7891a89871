/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* "dns TYPE NAME" of the control socket: asks as mail does, with this process's cache and deadline. */
#ifndef SEKIMORI_LOOKUP_DNS_COMMAND_H
#define SEKIMORI_LOOKUP_DNS_COMMAND_H

#include "lookup/dns_question.h"

/* Answers with one MASTER_DONE frame, at the latest at the table's timeout. `fd` is taken over. */
void dns_command_begin(struct dns_question_table *table, struct text command, int fd);

#endif
