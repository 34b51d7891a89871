/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Visits every value of a configuration in the order of the schema: what dump and its JSON stand on. */
#ifndef SEKIMORI_CONFIG_VISIT_H
#define SEKIMORI_CONFIG_VISIT_H

#include "config/source.h"

enum walk_block {
    WALK_SECTION,
    WALK_LISTENER,
    WALK_HOSTED,
    WALK_ENGINE,
    WALK_OPINION,
    WALK_LIST,
    WALK_DOMAINS,
    WALK_DOMAIN,
    WALK_WISH
};

struct visit_value {
    const struct schema_row *row;
    const char *words; /* within the block: "tag above" in the section spam */
    struct text value; /* as value_print writes it; borrowed for the call */
    bool is_default;
    struct place place; /* line 0: a default, or sources are not known */
};

/* Borrowed for the call. `title` is the section's word, "listen", "hosted", "list", "engine" (within
   virus), "opinion" (within spam), "domains", "recipient", or the domain's name. */
struct visit_opening {
    enum walk_block block;
    struct text title;
    const struct listener *listener;
    const struct hosted *hosted;
    const struct outside_engine *engine; /* an opinion, too */
    const struct list_setting *list;
    const struct domain *domain;
    const struct recipient_wish *wish;
    bool is_default; /* the "*" that nobody wrote */
    bool is_empty;   /* a domain without values to show */
    struct place place;
};

/* A block that may stand several times. */
bool visit_is_item(const struct visit_opening *opening);

struct visit_events {
    void (*open)(void *context, const struct visit_opening *opening);
    void (*value)(void *context, const struct visit_value *value);
    void (*close)(void *context, const struct visit_opening *opening);
};

enum visit_extent {
    VISIT_ALL, /* defaults too; of domains only where there are at most WALK_DOMAINS_FULL */
    VISIT_SAID /* what differs from the defaults */
};

enum { WALK_DOMAINS_FULL = 1000 };

/* Calls each of `events` with `context`, an `open` before what is inside it and a `close` behind it. */
void visit_config(const struct config *config, enum visit_extent extent, const struct visit_events *events,
                  void *context);

#endif
