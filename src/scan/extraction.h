/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A worker's side of text, links and picture codes: which parts of a message are worth a reader's time, and
   what it found in them to the spam check. They are collected while the parts are walked and read when all
   containers have been opened: what takes over the reader then has nothing left to lie about but this. */
#ifndef SEKIMORI_SCAN_EXTRACTION_H
#define SEKIMORI_SCAN_EXTRACTION_H

#include "config/settings.h"
#include "ipc/ask_open.h"
#include "mail/mime.h"
#include "scan/reader_source.h"
#include "spam/score.h"

enum { EXTRACTION_ITEMS_MOST = 24 };

struct extraction_item {
    enum extract_kind kind;
    struct text bytes; /* in the arena */
    struct text name;  /* of the part, else of its kind */
};

/* Of one message. */
struct extraction {
    const struct config *config;
    struct arena *arena;
    struct reader_source *source;
    struct score *score;
    struct extraction_item items[EXTRACTION_ITEMS_MOST];
    uint32_t count, at;
    bool is_for_spam;         /* else only a PDF that may want a password is looked at, for the virus check */
    struct text encrypted_in; /* the PDF that wants a password; empty: none */
    uint64_t bytes, pixels;
    size_t found_bytes;
    uint32_t found;
    uint64_t until_ms, last_id;
};

/* All are borrowed. */
void extraction_begin(struct extraction *extraction, const struct config *config, struct arena *arena,
                      struct reader_source *source, struct score *score, bool is_for_spam);

/* A decoded part, or with NULL a file that was found in a container. What could hold no code and no text
   costs a look at its first bytes; what is worth it is copied. `utf8`: the same in UTF-8 where it was made;
   else empty. */
void extraction_offer(struct extraction *extraction, const struct mime_part *part, struct text bytes,
                      struct text utf8);

/* Reads all that was offered, by `reader` (-1: none can be had), within a time of its own. Whatever happens
   to the reader is a signal without points and is no reason to hold the message. False: the reader is of no
   more use. */
bool extraction_run(struct extraction *extraction, int reader);

#endif
