/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup is asked about the policy of a message (QUESTION_POLICY): its byte form. */
#ifndef SEKIMORI_AUTH_POLICY_QUESTION_H
#define SEKIMORI_AUTH_POLICY_QUESTION_H

#include "base/arena.h"
#include "base/codec.h"

struct policy_question {
    const struct text *authors; /* domains in From, in lower case */
    uint32_t author_count;
    struct text spf_domain;     /* that SPF may prove; empty: none */
    const struct text *signers; /* d= of signatures, in lower case, in the order of the header; empty ones,
                                   and those that were there before, are passed over */
    uint32_t signer_count;      /* at most DKIM_SIGNATURES_MOST */
};

/* Appended; nothing where there is no author. */
void policy_question_put(const struct policy_question *question, struct buffer *out);

#endif
