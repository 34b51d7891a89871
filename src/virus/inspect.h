/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The virus check of one message: every reading of every part, then the message as it came. */
#ifndef SEKIMORI_VIRUS_INSPECT_H
#define SEKIMORI_VIRUS_INSPECT_H

#include "mail/reading.h"
#include "virus/engine.h"
#include "virus/verdict_cache.h"

/* Begun before the readings are walked, given each of them, ended after. */
struct inspection {
    struct engine
        *engine; /* NULL: none could be loaded; one that lacks signatures finds, and calls nothing clean */
    struct verdict_cache *cache;
    struct text message;
    struct engine_result result;
    uint8_t digest[DIGEST_BYTES]; /* of the message */
    uint64_t begun_ms;
    bool is_known; /* an identical message was clean: nothing is scanned again */
};

/* All are borrowed until inspect_end; `engine` may be NULL. */
void inspect_begin(struct inspection *inspection, struct engine *engine, struct verdict_cache *cache,
                   struct text message);

/* One reading's bytes. Nothing happens once a virus was found. When the engine's time for one scan has
   passed, no further one is begun and the result is SCAN_LIMITS at best: a message takes at most twice that
   time. */
void inspect_bytes(struct inspection *inspection, struct text bytes);

/* The whole message; `was_cut`: a limit of our own kept readings from being seen. */
void inspect_end(struct inspection *inspection, bool was_cut);

#endif
