/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether senders are remembered, and whose are greylisted. */
#ifndef SEKIMORI_CONFIG_GREYLIST_H
#define SEKIMORI_CONFIG_GREYLIST_H

#include "config/settings.h"

/* The text of the reply; %u: seconds. */
#define GREYLIST_SAYS "greylisted: this sender is not known here yet, send it again in %u seconds"

/* lookup keeps what it sees of senders. */
bool config_remembers(const struct config *config);

/* Of mail to this address: its domain's, else the global one. Nothing is greylisted where senders are not
   remembered. */
enum mode config_greylist_mode(const struct config *config, struct text recipient);

/* For some domain it is not off. */
bool config_greylists(const struct config *config);

#endif
