/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Clouds whose servers send for all of their customers, us among them: from their addresses comes mail of
   ours and of strangers. Which of both a message is, is decided when it is there (scan/tenancy.h). */
#ifndef SEKIMORI_CONFIG_HOSTED_H
#define SEKIMORI_CONFIG_HOSTED_H

#include "config/settings.h"

/* The statement whose networks have the client; the first counts. NULL: none has. */
const struct hosted *config_hosted(const struct config *config, const struct address *client);

/* Mail of this client at this listener may come from inside or from outside: only where it comes in from the
   world and is judged here, since nothing else may find out. Else it is of the listener's direction. */
bool config_is_undecided(const struct config *config, const struct listener *listener,
                         const struct address *client);

/* The domain, or the nearest one above it, is one of `domains`, "*" excepted. An empty name is nobody's. */
bool config_is_ours(const struct config *config, struct text domain);

/* Mail from the world is not for this recipient, whose domain this is: it is not of a domain of ours, nor is
   it the administrator, whom <postmaster> reaches wherever he reads. */
bool config_is_foreign(const struct config *config, struct text recipient, struct text domain);

#endif
