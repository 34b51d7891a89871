/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The numbers of the users that the configuration names. A name service may answer late or never (NSS may ask
   a directory server), so a process of its own asks it, at the start, at each reload and now and then. */
#ifndef SEKIMORI_MASTER_USERS_H
#define SEKIMORI_MASTER_USERS_H

#include <sys/types.h>

#include "base/loop.h"
#include "config/settings.h"

struct users;

/* Never NULL; begins to ask. The configuration is borrowed until the next users_set_config. */
struct users *users_open(struct loop *loop, const struct config *config);
void users_close(struct users *users);

/* Asks for the names of a new configuration; answers of before hold until the new ones are there. */
void users_set_config(struct users *users, const struct config *config);

/* Whether the list names this user: by its name, or by its number. Never waits: a name that nobody has
   answered for yet is nobody's. */
bool users_has(const struct users *users, const struct text_list *list, uid_t uid);

/* The user's name as the configuration has it; borrowed until the loop turns, NULL: it names no such user. */
const char *users_name(const struct users *users, uid_t uid);

#endif
