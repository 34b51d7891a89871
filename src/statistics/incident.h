/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Storms: one client that sends one virus again and again. */
#ifndef SEKIMORI_STATISTICS_INCIDENT_H
#define SEKIMORI_STATISTICS_INCIDENT_H

#include "ledgerdb/reader.h"
#include "statistics/sheet.h"

struct country_file;

/* A storm is INCIDENT_LEAST messages or more, INCIDENT_RATE or more a minute, no pause longer than
 * INCIDENT_PAUSE. */
enum { INCIDENT_LEAST = 50, INCIDENT_RATE = 5, INCIDENT_PAUSE_MS = 10 * 60 * 1000 };

struct incident {
    uint64_t start_ms, end_ms; /* of the first and the last message */
    uint64_t messages, refused;
    struct text client, virus;
    struct incident *next;
};

/* Messages a minute. Less than a minute counts as one. */
double incident_rate(const struct incident *incident);

/* Sightings in order of time become incidents, in order of their start. */
struct incident_finder;
struct incident_finder *incident_finder_new(struct arena *arena); /* lives as long as the arena */
/* Texts are copied. */
void incident_finder_add(struct incident_finder *finder, const struct sighting *sighting);
struct incident *incident_finder_end(struct incident_finder *finder); /* NULL: none */

/* Every storm between two moments, as a table. `countries` may be NULL. */
enum ledgerdb_outcome incident_table(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                     const struct country_file *countries, struct arena *arena,
                                     struct sheet **out);

#endif
