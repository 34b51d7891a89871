/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether a server's replies are those to what was said: the count of them, and RSET and QUIT behind a
   content, whose replies show that the one before was the content's (dialogue.h tells why). Pure. Called by
   dialogue.c with each reply, by outbound.c when a connection ends. */
#ifndef SEKIMORI_DELIVER_STEP_PROOF_H
#define SEKIMORI_DELIVER_STEP_PROOF_H

#include "deliver/dialogue.h"

/* Whether a reply can be one to what was said. `behind`: what was read along with it; more is awaited than
   this reply, or nothing may be there but a goodbye (421) and what is thrown away before TLS. */
bool proof_is_in_step(const struct dialogue *dialogue, const struct smtp_reply *reply, struct text behind);

/* Whether that code can answer what was said last. RFC 5321 section 4.3.2: of the codes that do not refuse
   only some answer a command of the transaction, its content and what is around it. 220, 221 or 214 there is
   to something else. */
bool proof_is_possible(const struct dialogue *dialogue, uint16_t code);

/* RFC 3463 section 3.2: the status x.1.x is about an address, so never about a content. */
bool proof_is_about_address(const struct smtp_reply *reply);

/* What is awaited is the content's reply, or the one that shows that it was. */
bool proof_awaits_verdict(const struct dialogue *dialogue);

/* Something final would be told of a recipient of the transaction. */
bool proof_has_last_word(const struct dialogue *dialogue);

/* Says QUIT. Nothing is told before 221 comes: a refusal that is still on its way comes before it. */
enum dialogue_action proof_ask(struct dialogue *dialogue, struct buffer *out);

/* A reply behind that QUIT. */
enum dialogue_action proof_reply(struct dialogue *dialogue, const struct smtp_reply *reply);

/* The content has its reply, and what shows that it was its own is awaited. */
bool proof_is_awaited(const struct dialogue *dialogue);

/* Nothing of this transaction is believed (FOUND_OUT_OF_STEP). `why` is said with the place and the server's
   words, cut; empty: none. */
void proof_doubt(struct dialogue *dialogue, const char *why, struct text words);

/* 421 has come, in whatever state: in place of the reply to RSET it may have been the content's. */
void proof_goodbye(struct dialogue *dialogue);

/* The server closed the connection, or said nothing more after it had answered QUIT with another 2xx: the
   results stand when RSET was answered, or when the caller waited before the content. To be called before
   dialogue_broken. */
void proof_hung_up(struct dialogue *dialogue);

#endif
