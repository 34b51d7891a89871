/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which allow or block entry decides for each recipient, and why others do not. Pure: called by decide.c,
   with the time of the message for a clock. */
#ifndef SEKIMORI_SCAN_ENTRY_MATCH_H
#define SEKIMORI_SCAN_ENTRY_MATCH_H

#include "config/sender_entry.h"
#include "scan/authenticate.h"
#include "spam/score.h"

/* What the entries want for one recipient. */
struct entry_ruling {
    bool is_allowed;           /* points, opinions and campaigns do not count */
    enum action blocked;       /* ACTION_ACCEPT: no entry blocks it */
    struct sender_entry entry; /* that decides; undefined where none does */
};

/* What is matched with entries. */
struct entry_request {
    const struct config *config; /* its own entries count beside those of the page */
    const struct occasion *occasion;
    const struct facts *facts;
    const struct auth_judgement *authentication;
    struct text entries; /* config/entry_image.h; empty: none */
    uint64_t now_ms;     /* since 1970 */
};

/* Fills `out`, of as many as the occasion has recipients; true: an allow entry decides for all of them. Adds
   ALLOWED_N, BLOCKED_N, and of entries that name the sender and do not decide why (ALLOW_UNPROVEN_N,
   ENTRY_OVERRULED_N, ENTRY_ELSEWHERE_N …), all without points; N is the number, C1 the first of the
   configuration. Of a recipient
     - what administrators say goes before an allow entry that a user made for himself;
     - of these the entry for him goes before one for his domain, and that before one for everybody;
     - of these block before allow;
     - of these an address before a domain, the longer domain first, these before a network, the smaller one
       first, and that before one for anybody;
     - of these the one with more patterns, then with longer ones. */
bool entry_match(const struct entry_request *request, struct score *score, struct entry_ruling *out);

/* Mail from inside: none decides, and those that name its sender are told as ENTRY_OUTBOUND_N. */
void entry_match_outbound(const struct entry_request *request, struct score *score);

/* "3", or "1 of the configuration": for people. In the arena. */
struct text entry_match_number(struct arena *arena, const struct sender_entry *entry);

#endif
