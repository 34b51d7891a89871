/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* "lists": how each list is; "lists test VALUE": which lists have it; "lists settle": what is wrong with list
   files, once none is being read. Answers are JSON objects, a line each. */
#ifndef SEKIMORI_LOOKUP_LISTS_COMMAND_H
#define SEKIMORI_LOOKUP_LISTS_COMMAND_H

#include "lookup/list_inquiry.h"

struct lists_commands;

/* Never NULL; the sources are borrowed. */
struct lists_commands *lists_commands_new(const struct list_sources *sources);

/* Answers now or later with one MASTER_DONE; takes over `fd`. */
void lists_command_begin(struct lists_commands *commands, struct text command, int fd);

/* No file is being read any more: those who wait for that are answered. */
void lists_commands_settled(struct lists_commands *commands);

#endif
