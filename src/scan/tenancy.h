/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mail of a cloud that strangers use too is from inside where it proves that our users sent it, and from
   outside else. Both proofs have to be whole: whatever is doubtful, twice or missing proves nothing. Pure. */
#ifndef SEKIMORI_SCAN_TENANCY_H
#define SEKIMORI_SCAN_TENANCY_H

#include "mail/header.h"
#include "scan/authenticate.h"

/* What the bytes say, into `tenancy` of facts: CERTIFICATE where the client's verified certificate has one of
   the names in `hosted`, and the field of the tenant is there once and is one of ours; else OPEN where a
   signature is yet to be looked at; else UNPROVEN. Before authenticate_read. */
enum tenancy tenancy_read(const struct config *config, const struct occasion *occasion,
                          const struct header *header);

/* Some signature would prove it if it holds: of the message's whole body, by a domain of ours that is the
   author's or above it, and not by a key of this node, which signs what has left before. The author is one
   address in one From field, and the sender is of a domain of ours or nobody. */
bool tenancy_may_be_proven(const struct config *config, const struct occasion *occasion,
                           const struct auth_facts *facts);

/* What is proven once signatures are judged; never OPEN. A configuration that no longer has the cloud proves
   nothing and says UNREACHABLE, so that the client comes again. */
enum tenancy tenancy_decide(const struct config *config, const struct occasion *occasion,
                            const struct facts *facts, const struct auth_judgement *judgement);

/* The direction of a message of that tenancy; from inside is only what is proven. */
enum direction tenancy_direction(const struct occasion *occasion, enum tenancy tenancy);

/* It is for somebody who is not of a domain of ours, and nothing proves that our users sent it: no such
   message is relayed. */
bool tenancy_forbids(const struct config *config, const struct occasion *occasion,
                     const struct verdict *verdict);

/* Makes a verdict of that: 550, or 451 where it may be proven later; nobody gets the message. A refusal that
   stands for another reason stays. True: this is the reason. */
bool tenancy_refuse(struct verdict *verdict);

#endif
