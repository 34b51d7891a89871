/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Finds storms among sightings: a run of one virus from one client is open until nothing of it came for a
   while. Runs that are too small are forgotten as they close, so memory follows the storms, not the mail. */
#include "statistics/incident.h"

#include <stdlib.h>

#include "base/hash.h"
#include "statistics/country.h"

enum { SIGHTINGS_MOST = 20000, BUCKETS = 4096, STEP_LEAST_MS = 60 * 1000, WEEK_MS = 7 * 86400 * 1000 };

struct run {
    struct incident incident;
    struct run *next; /* in the bucket */
};

struct incident_finder {
    struct arena *arena;
    struct run *buckets[BUCKETS];
    struct run *unused;
    struct incident *found;
};

struct incident_finder *incident_finder_new(struct arena *arena)
{
    struct incident_finder *finder = arena_alloc(arena, sizeof *finder);
    finder->arena = arena;
    return finder;
}

double incident_rate(const struct incident *incident)
{
    double minutes = (double)(incident->end_ms - incident->start_ms) / 60000;
    return (double)incident->messages / (minutes < 1 ? 1 : minutes);
}

static void run_close(struct incident_finder *finder, struct run *run)
{
    if (run->incident.messages >= INCIDENT_LEAST && incident_rate(&run->incident) >= INCIDENT_RATE) {
        struct incident *incident = arena_alloc(finder->arena, sizeof *incident);
        *incident = run->incident;
        incident->next = finder->found;
        finder->found = incident;
    }
    run->next = finder->unused;
    finder->unused = run;
}

static bool is_of(const struct run *run, const struct sighting *sighting)
{
    return text_equal(run->incident.client, sighting->client) &&
           text_equal(run->incident.virus, sighting->virus);
}

/* The open run of this client and virus; runs of the bucket whose time is over are closed on the way. */
static struct run *run_find(struct incident_finder *finder, struct run **bucket,
                            const struct sighting *sighting)
{
    struct run *found = NULL;
    for (struct run **at = bucket; *at;) {
        struct run *run = *at;
        if (sighting->time_ms > run->incident.end_ms + INCIDENT_PAUSE_MS) {
            *at = run->next;
            run_close(finder, run);
            continue;
        }
        if (is_of(run, sighting)) found = run;
        at = &run->next;
    }
    return found;
}

static struct run *run_open(struct incident_finder *finder, struct run **bucket,
                            const struct sighting *sighting)
{
    struct run *run = finder->unused;
    if (run)
        finder->unused = run->next;
    else
        run = arena_alloc(finder->arena, sizeof *run);
    *run = (struct run){ .next = *bucket };
    run->incident.start_ms = sighting->time_ms;
    run->incident.client = arena_text(finder->arena, sighting->client);
    run->incident.virus = arena_text(finder->arena, sighting->virus);
    *bucket = run;
    return run;
}

void incident_finder_add(struct incident_finder *finder, const struct sighting *sighting)
{
    uint64_t hash = hash_text(sighting->client) * 31 + hash_text(sighting->virus);
    struct run **bucket = &finder->buckets[hash % BUCKETS];
    struct run *run = run_find(finder, bucket, sighting);
    if (!run) run = run_open(finder, bucket, sighting);
    run->incident.end_ms = sighting->time_ms;
    run->incident.messages++;
    run->incident.refused += sighting->is_refused;
}

static int by_start(const void *a, const void *b)
{
    const struct incident *x = *(struct incident *const *)a, *y = *(struct incident *const *)b;
    if (x->start_ms != y->start_ms) return x->start_ms < y->start_ms ? -1 : 1;
    return text_compare(x->client, y->client);
}

static struct incident *sorted(struct incident_finder *finder)
{
    size_t count = 0;
    for (struct incident *one = finder->found; one; one = one->next) count++;
    struct incident **all = arena_alloc_array(finder->arena, count + 1, sizeof(struct incident *));
    struct incident *one = finder->found;
    for (size_t i = 0; i < count; i++, one = one->next) all[i] = one;
    qsort(all, count, sizeof(struct incident *), by_start);
    for (size_t i = 0; i < count; i++) all[i]->next = i + 1 < count ? all[i + 1] : NULL;
    return count ? all[0] : NULL;
}

struct incident *incident_finder_end(struct incident_finder *finder)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (finder->buckets[i]) {
            struct run *run = finder->buckets[i];
            finder->buckets[i] = run->next;
            run_close(finder, run);
        }
    return sorted(finder);
}

/* --- the table --- */

static void incident_row(struct sheet *sheet, const struct incident *incident,
                         const struct country_file *countries)
{
    char country[COUNTRY_SIZE];
    sheet_add_row(sheet);
    sheet_put_moment(sheet, 0, incident->start_ms);
    sheet_put_moment(sheet, 1, incident->end_ms);
    sheet_put_number(sheet, 2, (double)incident->messages);
    sheet_put_number(sheet, 3, incident_rate(incident));
    sheet_put_text(sheet, 4, incident->virus);
    sheet_put_text(sheet, 5, incident->client);
    sheet_put_number(sheet, 6, (double)incident->refused);
    if (country_find(countries, incident->client, country)) sheet_put_text(sheet, 7, text_of(country));
}

/* What came in the last millisecond of an answer that was cut is asked for again with the rest. */
static enum ledgerdb_outcome sightings_take(struct ledgerdb_reader *ledgerdb, uint64_t *from_ms,
                                            uint64_t until_ms, struct incident_finder *finder)
{
    struct arena *part = arena_new(64 * 1024);
    struct sighting *sightings;
    size_t count;
    bool is_cut;
    enum ledgerdb_outcome outcome =
        ledgerdb_sightings(ledgerdb, *from_ms, until_ms, SIGHTINGS_MOST, part, &sightings, &count, &is_cut);
    uint64_t last = count ? sightings[count - 1].time_ms : 0;
    is_cut = is_cut && last > *from_ms;
    for (size_t i = 0; outcome == LEDGERDB_DONE && i < count; i++)
        if (!is_cut || sightings[i].time_ms < last) incident_finder_add(finder, &sightings[i]);
    if (outcome == LEDGERDB_DONE) *from_ms = is_cut ? last : until_ms;
    arena_free(part);
    return outcome;
}

/* A week at a time, less where that takes longer than one answer may. */
static enum ledgerdb_outcome sightings_walk(struct ledgerdb_reader *ledgerdb, uint64_t from_ms,
                                            uint64_t until_ms, struct incident_finder *finder)
{
    uint64_t step = WEEK_MS;
    while (from_ms < until_ms) {
        uint64_t end = until_ms - from_ms < step ? until_ms : from_ms + step;
        enum ledgerdb_outcome outcome = sightings_take(ledgerdb, &from_ms, end, finder);
        if (outcome == LEDGERDB_LATER && step > STEP_LEAST_MS)
            step /= 2;
        else if (outcome != LEDGERDB_DONE)
            return outcome;
    }
    return LEDGERDB_DONE;
}

enum ledgerdb_outcome incident_table(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                     const struct country_file *countries, struct arena *arena,
                                     struct sheet **out)
{
    static const struct sheet_column columns[] = {
        { N_("Start"), SHEET_TEXT },      { N_("End"), SHEET_TEXT },     { N_("Messages"), SHEET_COUNT },
        { N_("Per minute"), SHEET_RATE }, { N_("Virus"), SHEET_TEXT },   { N_("Source"), SHEET_TEXT },
        { N_("Refused"), SHEET_COUNT },   { N_("Country"), SHEET_TEXT }, /* with a file of countries only */
    };
    struct incident_finder *finder = incident_finder_new(arena);
    enum ledgerdb_outcome outcome = sightings_walk(ledgerdb, from_ms, until_ms, finder);
    if (outcome != LEDGERDB_DONE) return outcome;
    *out =
        sheet_new(arena, N_("Storms: one virus from one host"), N_("messages"), columns, countries ? 8 : 7);
    for (struct incident *one = incident_finder_end(finder); one; one = one->next)
        incident_row(*out, one, countries);
    return LEDGERDB_DONE;
}
