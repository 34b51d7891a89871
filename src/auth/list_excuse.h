/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A list post that fails DMARC: which list sent it, as far as that is proven, and did the author write to it.
   Whether the list is known is the caller's to say. Pure. */
#ifndef SEKIMORI_AUTH_LIST_EXCUSE_H
#define SEKIMORI_AUTH_LIST_EXCUSE_H

#include "auth/authentication.h"

/* The proven domain of the list that sent the message, in lower case, in the arena: that of `sender`, the
   address in MAIL FROM, where SPF passes or a signature that holds is of it or a domain above, and it is that
   of the list's own address, or one above or below; else that of a signature that holds and has the List-Id
   within. A signature of a part of the body alone is none here. Empty: no list, none is proven, a bounce, a name that is
   not in A-labels, or the domain is the author's own or below it: then the author sent it himself. */
struct text list_excuse_domain(struct arena *arena, const struct auth_facts *facts,
                               const struct authentication *result, struct text sender);

/* True: the author wrote to this list, and all that is wrong is the body. A signature of his domain, aligned
   as DMARC has it, verifies over the header with its key; it covers From, Subject and the To or Cc in which
   the list's address stands, each as often as they are there; and there is one author. So whoever forges
   needs a header that the author signed for an address of the forger's own list. */
bool list_excuse_is_altered_post(const struct auth_facts *facts, const struct authentication *result);

#endif
