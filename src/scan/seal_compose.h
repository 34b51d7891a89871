/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is to be signed of a message that goes on: of each form that its recipes give it. In a worker, which
   has no key. */
#ifndef SEKIMORI_SCAN_SEAL_COMPOSE_H
#define SEKIMORI_SCAN_SEAL_COMPOSE_H

#include "scan/authenticate.h"
#include "scan/seal_draft.h"

struct seal_source {
    const struct config *config;
    const struct occasion *occasion;
    struct text prefix; /* the fields that receive puts before the message */
    const struct facts *facts;
    const struct auth_judgement *authentication;
    const struct verdict *verdict;
};

/* False: nothing is to be signed of it. Lives in the arena or is borrowed from the source.

   DKIM: all keys of the author's domain sign. ARC: the first RSA key of the sealing domain; a chain that does
   not hold is sealed with cv=fail (RFC 8617 section 5.1.2), so that nobody behind us takes it up again; it is
   left as it is where it had failed before us, is out of order or full, and where the DNS did not tell, since
   it may well hold for the next. */
bool seal_compose(struct arena *arena, const struct seal_source *source, struct seal_list *out);

#endif
