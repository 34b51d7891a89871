/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether the sender that MAIL names may send to the outside here: its domain is ours, or is named by the
   listener. Pure. */
#ifndef SEKIMORI_RECEIVE_SENDER_RIGHT_H
#define SEKIMORI_RECEIVE_SENDER_RIGHT_H

#include "receive/server_dialogue.h"

/* The reply that refuses it; code 0: it may. A listener of direction in, the null sender and a mailbox
   without a domain (<postmaster>, which is ours) have nothing against them. Texts are literals, or in the
   arena. */
struct reply sender_right_refusal(const struct config *config, const struct listener *listener,
                                  const struct mailbox *sender, struct arena *arena);

#endif
