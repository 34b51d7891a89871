/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks in a message from outside for what impostors write. Pure; what it costs is bounded whatever the
 * message has. */
#ifndef SEKIMORI_IMPOSTOR_IMPOSTOR_LOOK_H
#define SEKIMORI_IMPOSTOR_IMPOSTOR_LOOK_H

#include "impostor/impostor_finding.h"
#include "mail/mime.h"

enum { IMPOSTOR_LINKS_MOST = 40 }; /* hosts of links that are looked at, the first ones */

struct impostor_source {
    const struct config *config;
    const struct impostor_set *set; /* of that configuration */
    const struct mime *mime;
    struct text sender;                 /* MAIL FROM without brackets; empty: a bounce, or nobody */
    struct text link_hosts, link_texts; /* spam/feature_set.h: a line each; empty: not known */
    const struct fingerprint_page *learned; /* names of our own senders; NULL: none were learned */
};

/* Texts live in the arena, or borrow the message, the set or its configuration. */
void impostor_look(struct arena *arena, const struct impostor_source *source, struct impostor_findings *out);

#endif
