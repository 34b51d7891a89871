/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* lookup remembers senders: it answers what is asked of their past and takes what is told of them. Called by
   main.c. What is known is in senderdb; what it is worth is scan's. */
#ifndef SEKIMORI_LOOKUP_SENDERS_H
#define SEKIMORI_LOOKUP_SENDERS_H

#include "base/loop.h"
#include "config/settings.h"
#include "ipc/ask_sender.h"
#include "senderdb/senderdb.h"

struct senders;

/* `folder`: where the store is, borrowed for the call; -1: until this process ends. Looks through what is
   there in a child process, so it is called first. Never NULL: what cannot be opened is logged, and nothing
   is remembered. */
struct senders *senders_new(struct loop *loop, const struct config *config, int folder);
/* Commits what is known. */
void senders_close(struct senders *senders);
/* The configuration is borrowed until the next one. */
void senders_configure(struct senders *senders, const struct config *config);

/* LOOKUP_SENDER, LOOKUP_HISTORY (answered at once over `channel`) and LOOKUP_SENDER_SEEN. */
bool senders_is_frame(const struct frame *frame);
/* False: malformed. */
bool senders_frame(struct senders *senders, struct channel *channel, struct frame *frame);

/* Mail went between the two, and the address outside is known for longer than that. */
bool senders_has_contact(struct senders *senders, struct text outside, struct text ours, uint64_t longer_ms);

/* "sender show|forget WHICH [WITH]": answers with one MASTER_DONE, one JSON object; takes over `fd`. */
void senders_command(struct senders *senders, struct text command, int fd);

/* For status and health. Zeros: nothing is remembered. */
void senders_facts(struct senders *senders, struct senderdb_facts *out);
/* What was remembered last could not be kept. */
bool senders_are_lost(const struct senders *senders);

#endif
