/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The fields that an h= names, found without a search through the header for each name. */
#ifndef SEKIMORI_AUTH_DKIM_SELECTION_H
#define SEKIMORI_AUTH_DKIM_SELECTION_H

#include "auth/canonical.h"
#include "mail/header.h"

struct dkim_selection;

/* Of `header`, which it borrows; linear. Lives in the arena. */
struct dkim_selection *dkim_selection_new(struct arena *arena, const struct header *header);

/* Adds each field that `names` (as h= has them) selects: of one name from the last to the first, each once,
   and nothing for a name that is there no more (RFC 6376 section 5.4.2). `own` is never selected; NULL: none.
   False, with something added that is of no use: the fields are over *budget bytes, from which they are
   taken. */
bool dkim_selection_add(struct dkim_selection *selection, struct running_digest *digest,
                        enum canonical_form form, struct text names, const struct header_field *own,
                        size_t *budget);

#endif
