/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which of two actions is done where both are asked for. */
#ifndef SEKIMORI_JUDGE_ACTION_STRENGTH_H
#define SEKIMORI_JUDGE_ACTION_STRENGTH_H

#include "config/settings.h"

/* Strength grows accept, tag, quarantine, defer, reject, discard. */
static inline bool action_is_stronger(enum action a, enum action b)
{
    static const uint8_t strength[] = { [ACTION_ACCEPT] = 0, [ACTION_TAG] = 1,    [ACTION_QUARANTINE] = 2,
                                        [ACTION_DEFER] = 3,  [ACTION_REJECT] = 4, [ACTION_DISCARD] = 5 };
    return strength[a] > strength[b];
}

/* Of equals `a`. */
static inline enum action action_stronger(enum action a, enum action b)
{
    return action_is_stronger(b, a) ? b : a;
}

#endif
