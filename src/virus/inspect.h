/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The virus check of one message: the message as it came, and every reading of every part that the engine did
   not come by in it. */
#ifndef SEKIMORI_VIRUS_INSPECT_H
#define SEKIMORI_VIRUS_INSPECT_H

#include "mail/reading.h"
#include "virus/engine.h"
#include "virus/part_list.h"
#include "virus/verdict_cache.h"

/* Begun before the readings are walked, given each of them, ended after. */
struct inspection {
    struct arena *arena; /* the texts of findings live there */
    struct engine
        *engine; /* NULL: none could be loaded; one that lacks signatures finds, and calls nothing clean */
    struct verdict_cache *cache;
    struct text message;
    struct engine_result whole; /* of the message as it came: counts at the end, where no part has the name */
    struct seen_files *seen;    /* what need not be scanned again */
    struct engine_result result; /* the worst of all; its name is that of the worst finding */
    struct virus_finding findings[VIRUS_FINDINGS_MOST]; /* the worst class first */
    uint32_t finding_count;
    uint64_t not_opened;    /* kinds, as facts have them: also of findings for which there was no room */
    struct part_list parts; /* files that are remembered, where keeps_parts */
    bool keeps_parts;       /* the caller sets it, after inspect_begin */
    bool is_file;           /* what is looked at now is no text of the message: the caller sets it */
    bool is_shown;    /* it is text or HTML that is shown as such, in the tree's own reading: the same */
    struct text part; /* what is looked at now, for findings: the caller sets it; its texts are copied */
    uint8_t digest[DIGEST_BYTES]; /* of the message */
    uint64_t begun_ms;
    bool is_void;  /* whoever looked at a part is lost: nothing will be said about the message */
    bool is_known; /* an identical message was clean: nothing is scanned again */
};

/* All but `digest` are borrowed until inspect_end; `engine` may be NULL. `digest`: the message's SHA-256
   where the caller has it; NULL: it is made here. */
void inspect_begin(struct inspection *inspection, struct arena *arena, struct engine *engine,
                   struct verdict_cache *cache, struct text message, const uint8_t *digest);

/* Adds what was found, or could not be looked into, in inspection->part: by whoever looked, `engine`. One
   like it that is there already is not added again; where there is no room the mildest is left out. The texts
   are copied, cut and made printable. */
void inspect_add(struct inspection *inspection, enum virus_class class, struct text engine, struct text name);

/* The message as it came, by the engine's own mail parser. Before the readings are walked. */
void inspect_whole(struct inspection *inspection);

/* One reading's bytes. Those that the engine came by in this message, or was given before, and found nothing
   in, are not scanned again; of what is shown its white space does not count there. Nothing is scanned once a
   virus was found (VIRUS_CLASS_VIRUS). When the engine's time for one scan has passed, no further one is
   begun and the result is SCAN_LIMITS at best: a message takes at most twice that time. Where parts are kept,
   a file is remembered by its digest, whether it was scanned or not, until a virus was found; so is whatever
   a virus or phishing was found in. */
void inspect_bytes(struct inspection *inspection, struct text bytes);

/* Nothing more has to be looked at: something was found, an identical message was clean, nobody can look, or
   the message is to be tried again. */
bool inspect_is_over(const struct inspection *inspection);

/* Milliseconds of the message's time that are left; UINT32_MAX: it has no limit. */
uint32_t inspect_left_ms(const struct inspection *inspection);

/* What the engine did not say: a part that was not looked into. */
void inspect_tell(struct inspection *inspection, enum scan_state state, struct text name);

/* The same of bytes that look like a mail: also by the engine's own mail parser. */
void inspect_mail(struct inspection *inspection, struct text bytes);
/* This engine found something infected a moment ago: more of the same may come. */
bool inspect_is_stormy(const struct inspection *inspection);
/* Before the readings are walked: whether these are bytes that were found infected before. If so it is found
   in them, and no engine is asked about the rest of the message. */
void inspect_known(struct inspection *inspection, struct text bytes);

/* What was found in the message as it came counts now. `was_cut`: a limit of our own kept readings from being
 * seen. */
void inspect_end(struct inspection *inspection, bool was_cut);

#endif
