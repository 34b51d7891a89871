/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What engines outside said of a message, put together with what the one inside found. Pure. */
#ifndef SEKIMORI_SCAN_OUTSIDE_H
#define SEKIMORI_SCAN_OUTSIDE_H

#include "judge/evidence.h"

/* Of the configuration's engines that mind this direction: what any of them found is a finding like those of
   the engine inside, with the class of its name; where two call it by one name, one finding has both engines.
   Of what an engine did not look into it says nothing, and the list of engines (out_facts->engine) says that.
   One that was not asked counts as none (outside_is_missing). *out_facts are the facts with all
   that; texts live in the arena or are borrowed. Returns what those ask for that could not answer:
   ACTION_ACCEPT, ACTION_TAG (a warning) or ACTION_DEFER. Where the facts were not asked for viruses nothing
   is changed. */
enum action outside_merge(struct arena *arena, const struct config *config, enum direction direction,
                          const struct question *answers, uint32_t answer_count, const struct facts *facts,
                          struct facts *out_facts);

/* An engine that has to be asked about such a message was not: receive does not know yet that there is one,
   in the middle of a reload. Then nothing can be said of the message now. */
bool outside_is_missing(const struct config *config, const struct occasion *occasion,
                        const struct facts *facts, const struct question *questions, uint32_t count);

/* An engine outside may come to be the reason of a warning before the Subject. */
bool outside_may_warn(const struct config *config);

#endif
