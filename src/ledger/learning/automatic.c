/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What was taught so stands in the log with where it came from: limits hold over a restart, and are counted
   of those lessons alone that are still in force. */
#include "ledger/learning/automatic.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "ipc/campaign_table.h"
#include "ledgerdb/held.h"
#include "ledgerdb/partners.h"
#include "ledgerdb/proposal.h"
#include "ledgerdb/sums.h"

enum { ID_BYTES_SHOWN = 8 };
#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct automatic {
    struct loop *loop;
    struct ingest *ingest;
    struct learning *learning;
    struct quarantine_command_server *records;
    const struct config *config;
    struct sum_clock clock;
    struct arena *arena; /* of the offer at hand */
};

struct automatic *automatic_new(struct loop *loop, struct ingest *ingest, struct learning *learning,
                                struct quarantine_command_server *records)
{
    struct automatic *automatic = memory_alloc(sizeof *automatic);
    *automatic =
        (struct automatic){ .loop = loop, .ingest = ingest, .learning = learning, .records = records };
    automatic->arena = arena_new(1 << 14);
    return automatic;
}

void automatic_free(struct automatic *automatic)
{
    arena_free(automatic->arena);
    free(automatic);
}

void automatic_set_config(struct automatic *automatic, const struct config *config)
{
    automatic->config = config;
}

/* --- how much there was --- */

/* One text of both: as campaigns tell it, by bands, or by all of a short text. */
static bool is_alike(const struct campaign_sketch *a, const struct campaign_sketch *b)
{
    int same = 0;
    for (int i = 0; i < CAMPAIGN_BANDS; i++) same += a->bands[0] && a->bands[i] == b->bands[i];
    return same >= CAMPAIGN_BANDS_LEAST || (a->line && a->line == b->line);
}

/* Of those in force; a text counts as long as its lesson does. */
static bool is_enough(const struct automatic *automatic, bool is_spam, const struct lesson_origin *origin)
{
    uint64_t now = loop_wall_ms(automatic->loop);
    uint32_t all[2] = { 0, 0 }, today = 0, of_domain = 0, of_network = 0;
    struct learning_automatic taught;
    for (size_t place = 0; learning_automatic_next(automatic->learning, &place, &taught);) {
        bool is_recent = taught.time_ms + DAY_MS > now;
        all[taught.is_spam]++;
        if (is_alike(&taught.origin->sketch, &origin->sketch)) return true;
        if (!is_recent) continue;
        today += taught.is_spam == is_spam;
        of_domain += taught.origin->domain == origin->domain;
        of_network += taught.origin->network == origin->network;
    }
    return today >= automatic->config->learn.most || of_domain >= AUTOMATIC_A_DOMAIN ||
           of_network >= AUTOMATIC_A_NETWORK || all[is_spam] >= all[!is_spam] + AUTOMATIC_AHEAD;
}

/* --- an offer --- */

struct offer {
    struct offered_lesson event;
    struct lesson lesson;
    struct lesson_origin origin;
};

static struct lesson_origin origin_of(struct arena *arena, const struct offered_lesson *event)
{
    struct address network = campaign_network(&event->client);
    return (struct lesson_origin){ .domain = text_checksum(arena_text_lower(arena, event->organization)),
                                   .network = text_checksum(
                                       text_from((const char *)network.bytes, sizeof network.bytes)) };
}

/* What has files alone to be told by has no text that would teach. */
static bool offer_read(struct automatic *automatic, struct text event, struct offer *out)
{
    if (!offered_lesson_get(event, &out->event)) return false;
    out->origin = origin_of(automatic->arena, &out->event);
    if (!campaign_sketch_get(out->event.sketch, &out->origin.sketch) ||
        !lesson_parse(out->event.lesson, automatic->arena, &out->lesson))
        return false;
    out->lesson.is_spam = out->event.is_spam;
    out->lesson.time_ms = loop_wall_ms(automatic->loop);
    return out->origin.sketch.bands[0] || out->origin.sketch.line;
}

/* Of mail that was seen on other days, too; AUTOMATIC_TAUGHT: it is, or need not be. */
static enum automatic_outcome author_look(struct automatic *automatic, struct sql *sql,
                                          const struct offer *offer)
{
    uint64_t days;
    if (offer->event.is_spam) return AUTOMATIC_TAUGHT;
    sum_clock_set(&automatic->clock, loop_wall_ms(automatic->loop));
    if (offer->event.author.length == 0) return AUTOMATIC_STRANGER;
    if (partners_days_passed(sql, offer->event.author, automatic->clock.day, AUTOMATIC_KNOWN_DAYS, &days) !=
        LEDGERDB_DONE)
        return AUTOMATIC_LATER;
    return days < AUTOMATIC_KNOWN_DAYS ? AUTOMATIC_STRANGER : AUTOMATIC_TAUGHT;
}

/* "automatic: spam; --undo 0123456789abcdef": before it is taught, so that none is without. */
static bool offer_record(struct automatic *automatic, const struct offer *offer)
{
    const struct commander who = { .uid = UINT32_MAX, .user = TEXT("automatic") };
    struct buffer about = { 0 };
    buffer_printf(&about, "automatic: %s; --undo ", offer->event.is_spam ? "spam" : "ham");
    for (int i = 0; i < ID_BYTES_SHOWN; i++) buffer_printf(&about, "%02x", offer->lesson.id[i]);
    bool is_kept = quarantine_command_record(automatic->records, &who, "learning", offer->event.id, "learn",
                                             buffer_text(&about));
    log_info("learned %.*s", TEXT_ARG(buffer_text(&about)));
    buffer_free(&about);
    return is_kept;
}

static enum automatic_outcome offer_teach(struct automatic *automatic, const struct offer *offer)
{
    if (!offer_record(automatic, offer)) return AUTOMATIC_LATER;
    enum learning_outcome outcome =
        learning_teach_automatic(automatic->learning, &offer->lesson, &offer->origin);
    if (outcome == LEARNING_FAILED || !learning_sync(automatic->learning)) return AUTOMATIC_LATER;
    return AUTOMATIC_TAUGHT;
}

enum automatic_outcome automatic_take(struct automatic *automatic, struct text event)
{
    struct database *database = ingest_database(automatic->ingest);
    struct offer offer;
    bool is_told;
    arena_reset(automatic->arena);
    if (!automatic->config || !automatic->config->learn.is_automatic) return AUTOMATIC_OFF;
    if (!offer_read(automatic, event, &offer)) return AUTOMATIC_UNREAD;
    if (!learning_is_news(automatic->learning, offer.lesson.id)) return AUTOMATIC_KNOWN;
    if (is_enough(automatic, offer.event.is_spam, &offer.origin)) return AUTOMATIC_ENOUGH;
    if (!database || proposal_exists(database_sql(database), offer.lesson.id, &is_told) != LEDGERDB_DONE)
        return AUTOMATIC_LATER;
    if (is_told) return AUTOMATIC_KNOWN;
    enum automatic_outcome outcome = author_look(automatic, database_sql(database), &offer);
    return outcome == AUTOMATIC_TAUGHT ? offer_teach(automatic, &offer) : outcome;
}
