/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Recipients to whom mail comes that confirms sign-ups, and from how many domains in the last hour. A fixed
   table: strangers choose both, so who was written to longest ago gives way. */
#ifndef SEKIMORI_LOOKUP_SIGNUP_FLOODS_H
#define SEKIMORI_LOOKUP_SIGNUP_FLOODS_H

#include "config/settings.h"
#include "judge/sender_rate.h"

struct signup_floods;

struct signup_floods *signup_floods_new(void);         /* never NULL */
void signup_floods_free(struct signup_floods *floods); /* and all that it knows */

/* Counts a message for each of its recipients, and says for whom it belongs to a flood: `signups domains` or
   more wrote to him. is_first: for one of them it is said for the first time within an hour. */
void signup_floods_message(struct signup_floods *floods, const struct config *config,
                           const struct rate_subject *subject, uint64_t now_ms, struct rate_answer *out);

#endif
