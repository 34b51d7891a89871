/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a client, a network and a sender's domain outside may send in an hour, and clients that try out which
   recipients there are. Called by recipients.c; the counts are shared by all receive processes
   (receive/client_limits.h). */
#ifndef SEKIMORI_RECEIVE_HOUR_LIMITS_H
#define SEKIMORI_RECEIVE_HOUR_LIMITS_H

#include "receive/rcpt.h"
#include "receive/session.h"

/* At RCPT, before anything is known of the recipient: what a client hears that tried out recipients, known or
   not; code 0: it did not. <postmaster> hears nothing of it (RFC 5321 section 4.5.1). */
struct reply hour_limits_harvest(const struct session *session, const struct smtp_command *command);

/* A recipient that would be taken: the rate that it is over; code 0: none, and it is counted. */
struct reply hour_limits_take(struct session *session, const struct rcpt_decision *decision);

/* What became known of a recipient that the client asked for. The one with which it passes the line of
   `harvest` is told to the administrator. Of a sender inside lookup is told that a recipient was refused. */
void hour_limits_asked(struct session *session, struct text recipient, bool is_unknown);

/* A message was taken: its recipients are those that a client which tries them out does not have. */
void hour_limits_kept(struct session *session);

/* The client tried out recipients in the last hour. */
bool hour_limits_has_harvested(const struct session *session);

#endif
