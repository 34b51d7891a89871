/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Stops of campaigns as declarations: lookup tells which are stopped and forgotten here, and is told of what
   holds on all nodes. The table of campaigns is lookup's. */
#ifndef SEKIMORI_LEDGER_CAMPAIGN_STOPS_H
#define SEKIMORI_LEDGER_CAMPAIGN_STOPS_H

#include "base/loop.h"
#include "ledger/declarations.h"

enum { CAMPAIGN_STOPS_MOST = 1000 }; /* that are said on this node and hold */

struct campaign_stops;

/* Never NULL; all is borrowed. Takes declarations of its kind: before declarations_start. */
struct campaign_stops *campaign_stops_new(struct loop *loop, struct declarations *declarations);
void campaign_stops_free(struct campaign_stops *stops);

/* lookup is there, or there again: takes over the descriptor, and tells it of all. */
void campaign_stops_set_lookup(struct campaign_stops *stops, int fd);

/* An administrator teaches a mail as ham: stops and reports of what is like it end, here and on all nodes.
   False: the bytes are no sketch. Where lookup is away it is as if he had not said it. */
bool campaign_stops_good(struct campaign_stops *stops, struct text sketch, struct text by);

#endif
