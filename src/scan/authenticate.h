/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who sent a message: what read finds of it and asks for, and what decide makes of that. The rules of SPF,
   DKIM, ARC and DMARC are in auth/; here is what follows from them. */
#ifndef SEKIMORI_SCAN_AUTHENTICATE_H
#define SEKIMORI_SCAN_AUTHENTICATE_H

#include "auth/authentication.h"
#include "auth/authentication_results.h"
#include "ipc/fingerprint_page.h"
#include "judge/evidence.h"
#include "spam/score.h"

/* The authserv-id under which we tell results (RFC 8601 section 2.5). Borrowed from the configuration. */
struct text authenticate_name(const struct config *config);

/* Somebody whom the message is for wants to know who sent it. */
bool authenticate_is_wanted(const struct config *config, const struct occasion *occasion);

/* Fills `authentication` of facts, and adds to its questions; nothing where the message is not from outside,
   or nobody it is for wants to know and no signature may prove that it is ours. `tenancy` of facts is
   tenancy_read's; of OPEN becomes UNPROVEN where no signature may. */
void authenticate_read(struct arena *arena, const struct config *config, const struct occasion *occasion,
                       struct text message, const struct header *header, struct facts *out);

struct auth_judgement {
    bool is_made; /* false: nobody asked */
    struct auth_facts facts;
    struct authentication result;
    struct text client_name;  /* confirmed; empty: none */
    enum proof_excuse excuse; /* forwarder: a trusted client forwarded it, and it fails as forwarding makes
                                 it fail; sealer: a trusted one saw it pass (ARC); list: one that is known for
                                 long sent it, and its author wrote to that list */
    struct text excuse_of;    /* the forwarder or sealer that is trusted, the list that is known */
    struct newsletter newsletter;
    struct text list_domain;  /* the proven domain of the list that sent it; empty: none */
};

/* By facts and answers, and the mailing lists that are known (NULL: none). Lists live in the arena. */
void authenticate_judge(struct arena *arena, const struct config *config, const struct occasion *occasion,
                        const struct facts *facts, const struct question *answers, uint32_t answer_count,
                        const struct fingerprint_page *lists, struct auth_judgement *out);

/* What DMARC asks for: the owner of the domain in From wants the message refused, or held; not where that is
   excused. */
enum dmarc_policy authenticate_demand(const struct auth_judgement *judgement);

/* Signals of what was found. In observe mode (`counts` false) they weigh nothing. */
void authenticate_score(const struct auth_judgement *judgement, const struct config *config, bool counts,
                        struct score *score);

/* Signals of results that another host told (RFC 8601), where nothing is looked up here. */
void authenticate_score_told(const struct authentication_results *told, struct score *score);

/* The Authentication-Results field, and Received-SPF where that is wanted, in the arena; empty when nothing
   was judged. */
struct text authenticate_fields(struct arena *arena, const struct config *config,
                                const struct occasion *occasion, const struct auth_judgement *judgement);

/* The same results as ARC-Authentication-Results has them, in the arena, and who says so. */
struct text authenticate_payload(struct arena *arena, const struct config *config,
                                 const struct occasion *occasion, const struct auth_judgement *judgement,
                                 struct text *out_name);

/* "example.jp asks to refuse mail that does not prove to come from it (DMARC)". In the arena. */
struct text authenticate_reason(struct arena *arena, const struct auth_judgement *judgement);

/* What is told of it: short. Borrows from the judgement. */
void authenticate_prove(const struct auth_judgement *judgement, struct proof *out);

/* " spf=pass dkim=pass dmarc=pass from=example.jp arc=none": for the summary. Nothing when not made. */
void authenticate_summary(const struct proof *proof, struct buffer *out);

#endif
