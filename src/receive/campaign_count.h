/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tells lookup of each message whose verdict stands, so that its near-duplicates are counted by where they
   come from: what the sketch is, scan says; from where and for whom, this process saw. */
#ifndef SEKIMORI_RECEIVE_CAMPAIGN_COUNT_H
#define SEKIMORI_RECEIVE_CAMPAIGN_COUNT_H

struct session;

/* Once a message. Nothing where its spread says nothing, or lookup is not there. */
void campaign_count_tell(struct session *session);

#endif
