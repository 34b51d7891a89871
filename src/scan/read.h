/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The first half of judging: a message becomes facts. Straight-line and without state but for what the
   scanner remembers of earlier scans. */
#ifndef SEKIMORI_SCAN_READ_H
#define SEKIMORI_SCAN_READ_H

#include "impostor/impostor_set.h"
#include "ipc/campaign_table.h"
#include "ipc/entry_page.h"
#include "ipc/fingerprint_page.h"
#include "ipc/learned_page.h"
#include "judge/evidence.h"
#include "scan/opening.h"
#include "virus/inspect.h"

struct entry_patterns;
/* What a worker reads with. */
struct scanner {
    const struct config *config;
    struct engine *engine; /* NULL: signatures could not be loaded */
    struct verdict_cache *cache;
    struct text missing;                     /* why there is no engine */
    const struct fingerprint_page *lists;    /* NULL: no mailing list is known, nor a name of our senders */
    const struct fingerprint_page *approved; /* NULL: no newsletter is approved */
    const struct entry_page *entries;        /* NULL: no allow or block entry but the configuration's */
    struct entry_patterns *patterns;        /* the worker's own; NULL: no pattern of an entry is looked for */
    struct reader_source *readers;          /* NULL: containers are not opened */
    const struct base_model *base;          /* NULL: mail is judged without */
    const struct learned_page *learned;     /* NULL: nothing is learned here */
    const struct local_model *local;        /* instead of it; NULL: `learned` counts */
    const struct campaign_table *campaigns; /* NULL: nothing is known of near-duplicates */
    const struct ruleset *rules;            /* NULL: there are none */
    const struct impostor_set *impostors;   /* of that configuration; NULL: nobody looks for them */
};

/* Texts in `out` live in the arena or borrow from the message. Never fails: what could not be seen is said
 * so. `digest`: the message's SHA-256 where the caller has it; NULL: made where it is needed.
 */
void read_facts(struct arena *arena, const struct scanner *scanner, const struct occasion *occasion,
                struct text message, const uint8_t *digest, struct facts *out);

/* What a message is known by: its Subject, From and Message-ID as the ledger has them, in `out`. */
void read_header(struct arena *arena, const struct mime *mime, struct facts *out);

#endif
