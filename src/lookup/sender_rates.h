/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How much came within an hour: of senders inside, and of sign-ups to one recipient. Frames and commands;
   what is counted is in inside_senders.c and signup_floods.c. Called by main.c. */
#ifndef SEKIMORI_LOOKUP_SENDER_RATES_H
#define SEKIMORI_LOOKUP_SENDER_RATES_H

#include "base/loop.h"
#include "config/process_kind.h"
#include "config/settings.h"
#include "ipc/ask_rate.h"
#include "lookup/senders.h"

struct sender_rates;

/* `senders`: who had mail of whom, borrowed; NULL: nobody. `fd`: run/inside, SENDER_RATES_FILE_BYTES,
   borrowed: it keeps who is held; -1, or what cannot be mapped: they are known until this process ends, and
   the log says so. Never NULL. */
struct sender_rates *sender_rates_new(struct loop *loop, struct senders *senders, int fd);
/* The configuration is borrowed until the next one. */
void sender_rates_configure(struct sender_rates *rates, const struct config *config);

/* LOOKUP_RATE (answered at once over `channel`) and LOOKUP_RATE_SEEN. */
bool sender_rates_is_frame(const struct frame *frame);
/* False: malformed, or not for this peer: receive asks and tells, deliver tells. */
bool sender_rates_frame(struct sender_rates *rates, enum process_kind peer, struct channel *channel,
                        struct frame *frame);

/* "inside held", "inside release ADDRESS". Answers with one MASTER_DONE, a JSON object a line; takes over
   `fd`. */
void sender_rates_command(struct sender_rates *rates, struct text command, int fd);

uint32_t sender_rates_held(const struct sender_rates *rates); /* senders inside, for status */

#endif
