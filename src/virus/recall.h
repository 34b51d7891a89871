/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a worker remembers of earlier scans: parts that were found infected, and whole messages that were
   clean. One worker's memory serves one set of limits and signatures and ends with it. Bytes are known by
   SHA-256. */
#ifndef SEKIMORI_VIRUS_RECALL_H
#define SEKIMORI_VIRUS_RECALL_H

#include "mail/digest.h"
#include "virus/engine.h"

struct recall;

/* Keeps the last `most` of each kind, about. */
struct recall *recall_new(size_t most);
void recall_free(struct recall *recall);

/* The virus that these bytes had; NULL when not known. */
const char *recall_infected(const struct recall *recall, const uint8_t digest[DIGEST_BYTES]);
void recall_add_infected(struct recall *recall, const uint8_t digest[DIGEST_BYTES], const char *name);

/* Of a whole message. Another one may have taken its place: then it is scanned again. */
bool recall_is_clean(const struct recall *recall, const uint8_t digest[DIGEST_BYTES]);
void recall_add_clean(struct recall *recall, const uint8_t digest[DIGEST_BYTES]);

#endif
