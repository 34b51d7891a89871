/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup says of SPF: the results of both identities, and their byte form. */
#ifndef SEKIMORI_AUTH_SPF_ANSWER_H
#define SEKIMORI_AUTH_SPF_ANSWER_H

#include "auth/spf.h"
#include "base/codec.h"

/* Of the two identities of a transaction (RFC 7208 sections 2.3 and 2.4). */
struct spf_answer {
    struct spf_result sender; /* MAIL FROM; of an empty one postmaster at HELO, as `helo` */
    struct spf_result helo;   /* SPF_NONE where HELO is no domain name */
};

/* Both identities by the same answers. False: not yet, as spf_evaluate says. */
bool spf_answer_evaluate(struct arena *arena, struct dns_answers *answers, const struct spf_request *request,
                         struct spf_answer *out);

/* Without steps; texts that are too long are cut. Appended. */
void spf_answer_put(const struct spf_answer *answer, struct buffer *out);
/* Texts are borrowed from `bytes`, but `reason`, which lives in the arena. False, *out undefined: malformed.
 */
bool spf_answer_get(struct arena *arena, struct text bytes, struct spf_answer *out);

#endif
