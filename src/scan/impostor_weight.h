/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What impostors write, as signals: findings of read, weighed by what is proven of the sender. Pure. */
#ifndef SEKIMORI_SCAN_IMPOSTOR_WEIGHT_H
#define SEKIMORI_SCAN_IMPOSTOR_WEIGHT_H

#include "impostor/impostor_look.h"
#include "scan/authenticate.h"

/* Fills `impostors` of facts; nothing without a set (NULL), or where the message comes from inside.
   `learned`: names of our own senders, NULL: none. `hosts` and `shown` are those of its links. */
void impostor_read(struct arena *arena, const struct config *config, const struct impostor_set *set,
                   const struct fingerprint_page *learned, const struct occasion *occasion,
                   const struct mime *mime, const struct score *score, struct facts *out);

/* The signals, of mail from outside. */
void impostor_score(const struct facts *facts, const struct auth_judgement *authentication,
                    enum direction direction, struct score *score);

/* The domain in From is ours and proven: such mail is no mail of strangers, wherever it comes from. */
bool impostor_is_proven_ours(const struct config *config, const struct auth_judgement *authentication);

#endif
