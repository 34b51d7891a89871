/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks at the counters, the disk, the certificates, and what master has found. One function a fact. */
#include "report/facts.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ipc/counters.h"
#include "ipc/event.h"
#include "ledgerdb/day.h"
#include "ledgerdb/held.h"
#include "ledgerdb/nodes.h"
#include "ledgerdb/oldest.h"
#include "ledgerdb/outbox.h"
#include "ledgerdb/proposal.h"
#include "report/expiry.h"
#include "statistics/words.h"

#define DAY_MS (UINT64_C(86400) * 1000)
#define HOUR_MS (UINT64_C(3600) * 1000)

static const struct {
    const char *word, *name;
} facts[FACT_COUNT] = {
    [FACT_LEDGER] = { "ledger", N_("Ledger") },
    [FACT_BALANCE] = { "balance", N_("Balance") },
    [FACT_SIGNATURES] = { "signatures", N_("Signatures") },
    [FACT_ENGINES] = { "engines", N_("Engines outside") },
    [FACT_CLOCK] = { "clock", N_("Clock") },
    [FACT_PROCESSES] = { "processes", N_("Processes") },
    [FACT_NAMES] = { "dns", N_("DNS") },
    [FACT_UPSTREAM] = { "upstream", N_("Upstream") },
    [FACT_QUEUE] = { "queue", N_("Queue") },
    [FACT_HELD] = { "held", N_("Held mail") },
    [FACT_REPORTS] = { "reports", N_("Reports by users") },
    [FACT_LEARNED] = { "learned", N_("Learned automatically") },
    [FACT_INSIDE] = { "inside", N_("Senders inside") },
    [FACT_LISTS] = { "lists", N_("Lists") },
    [FACT_RULES] = { "rules", N_("Rules") },
    [FACT_DISK] = { "disk", N_("Disk") },
    [FACT_CERTIFICATES] = { "certificates", N_("Certificates") },
    [FACT_COLLECTOR] = { "collector", N_("Collecting node") },
    [FACT_NODES] = { "nodes", N_("Other nodes") },
};

const char *fact_name(enum fact_kind kind)
{
    return facts[kind].name;
}

const char *fact_word(enum fact_kind kind)
{
    return facts[kind].word;
}

struct look {
    const struct facts_source *source;
    enum language language;
    struct arena *arena;
    int64_t *last_difference;
};

static struct fact fact_make(bool is_good, struct text says)
{
    return (struct fact){ is_good ? FACT_GOOD : FACT_BAD, says };
}

static bool is_storing(int counters_fd)
{
    struct counters_slot *page = counters_map(counters_fd, COUNTERS_SLOT_LEDGER, false);
    bool is_failing = page && page->ledger.is_failing;
    if (page) counters_unmap(page);
    return !is_failing;
}

static struct fact ledger_look(const struct look *look)
{
    const char *good = words_say(look->language, N_("it can be read and written"));
    const char *waits = words_say(look->language, N_("it cannot be written: events wait, mail flows on"));
    if (!look->source->ledgerdb) return fact_make(false, look->source->ledgerdb_why);
    bool is_good = is_storing(look->source->counters_fd);
    return fact_make(is_good, text_of(is_good ? good : waits));
}

/* --- what master judges --- */

/* A report that is older than some seconds says nothing. */
static struct fact finding_look(const struct look *look, enum health_check check)
{
    struct health_report report;
    if (!look->source->health || !health_page_peek(look->source->health, &report)) return (struct fact){ 0 };
    for (uint32_t i = 0; i < report.count && i < HEALTH_FINDINGS_MOST; i++) {
        const struct health_finding *finding = &report.findings[i];
        if (finding->check != check) continue;
        struct buffer says = { 0 };
        health_say(finding, words_say(look->language, health_words(finding->says)), &says);
        struct text kept = arena_text(look->arena, buffer_text(&says));
        buffer_free(&says);
        return fact_make(finding->is_good, kept);
    }
    return (struct fact){ 0 };
}

static struct fact clock_look(const struct look *look)
{
    return finding_look(look, HEALTH_CHECK_CLOCK);
}

static struct fact processes_look(const struct look *look)
{
    return finding_look(look, HEALTH_CHECK_NODE);
}

static struct fact names_look(const struct look *look)
{
    return finding_look(look, HEALTH_CHECK_DNS);
}

static struct fact upstream_look(const struct look *look)
{
    if (!look->source->config->health.upstreams.count)
        return fact_make(true, text_of(words_say(look->language, N_("none is configured"))));
    return finding_look(look, HEALTH_CHECK_UPSTREAM);
}

static struct fact signatures_look(const struct look *look)
{
    return finding_look(look, HEALTH_CHECK_SIGNATURES);
}

static struct fact engines_look(const struct look *look)
{
    if (!look->source->config->engine_count && !look->source->config->opinion_count)
        return fact_make(true, text_of(words_say(look->language, N_("none is configured"))));
    return finding_look(look, HEALTH_CHECK_ENGINES);
}

/* --- balance --- */

/* The counts may all be equal, and still be short of what these events told. */
static struct losses lost_today(const struct look *look)
{
    struct losses lost;
    bool is_known = look->source->ledgerdb &&
                    day_lost(look->source->ledgerdb, look->source->now_ms, &lost) == LEDGERDB_DONE;
    return is_known ? lost : (struct losses){ 0 };
}

static struct fact balance_look(const struct look *look)
{
    const struct counters_slot *slots = counters_map_all(look->source->counters_fd);
    struct fact fact = { 0 };
    if (slots) {
        uint64_t received = counters_received(slots);
        int64_t difference = counters_difference(slots);
        bool is_bad = difference != 0 && difference == *look->last_difference;
        *look->last_difference = difference;
        struct losses today = lost_today(look);
        int64_t apart = look->source->ledger_apart, lost = (int64_t)today.events;
        int64_t number = is_bad ? difference : apart ? apart : lost ? lost : (int64_t)received;
        static const char *const formats[][2] = {
            { N_("receive and the journal agree on %lld recipients"),
              N_("receive and the journal agree on %lld recipient") },
            { N_("the journal and the ledger are %lld recipients apart"),
              N_("the journal and the ledger are %lld recipient apart") },
            { N_("receive and the journal are %lld recipients apart"),
              N_("receive and the journal are %lld recipient apart") },
            { N_("incomplete: %lld events were lost today on their way to the ledger"),
              N_("incomplete: %lld event was lost today on its way to the ledger") },
            { N_("receive and the journal agree on %lld recipients; refusals were lost today"),
              N_("receive and the journal agree on %lld recipient; refusals were lost today") },
        };
        const char *format = formats[is_bad           ? 2
                                     : apart          ? 1
                                     : lost           ? 3
                                     : today.refusals ? 4
                                                      : 0][number == 1 || number == -1];
        fact = fact_make(!is_bad && !apart && !lost,
                         arena_printf(look->arena, words_say(look->language, format), (long long)number));
    }
    counters_unmap_all(slots);
    return fact;
}

/* --- queue --- */

static struct fact queue_look(const struct look *look)
{
    struct oldest oldest;
    if (!look->source->ledgerdb || ledgerdb_oldest(look->source->ledgerdb, &oldest) != LEDGERDB_DONE)
        return (struct fact){ 0 };
    if (oldest.waiting_ms == 0) {
        const char *none = words_say(look->language, N_("nothing waits"));
        return (struct fact){ FACT_GOOD, text_of(none) };
    }
    uint64_t now = look->source->now_ms;
    uint64_t minutes = now > oldest.waiting_ms ? (now - oldest.waiting_ms) / 60000 : 0;
    return fact_make(
        minutes < FACT_QUEUE_MOST_HOURS * 60,
        arena_printf(
            look->arena,
            words_say(look->language, text_word_for(minutes, N_("the oldest message has waited %llu minute"),
                                                    N_("the oldest message has waited %llu minutes"))),
            (unsigned long long)minutes));
}

static struct fact held_look(const struct look *look)
{
    struct counters_slot *queue = counters_map(look->source->counters_fd, COUNTERS_SLOT_QUEUE, false);
    if (!queue) return (struct fact){ 0 };
    uint64_t held = queue->queue.held, kept;
    counters_unmap(queue);
    struct ledgerdb_reader *ledgerdb = look->source->ledgerdb;
    if (!ledgerdb || held_count(ledgerdb_sql(ledgerdb), &kept) != LEDGERDB_DONE) return (struct fact){ 0 };
    return fact_make(
        true,
        arena_printf(look->arena,
                     words_say(look->language,
                               text_word_for(held, N_("%llu recipient in the queue, %llu in the quarantine"),
                                             N_("%llu recipients in the queue, %llu in the quarantine"))),
                     (unsigned long long)held, (unsigned long long)kept));
}

/* Never bad: it waits for a person. */
static struct fact reports_look(const struct look *look)
{
    uint64_t count;
    struct ledgerdb_reader *ledgerdb = look->source->ledgerdb;
    if (!ledgerdb || proposal_count(ledgerdb_sql(ledgerdb), &count) != LEDGERDB_DONE)
        return (struct fact){ 0 };
    if (!count) return fact_make(true, text_of(words_say(look->language, N_("none waits for a decision"))));
    return fact_make(
        true, arena_printf(look->arena,
                           words_say(look->language,
                                     text_word_for(count,
                                                   N_("%llu waits for a yes or no: sekimori learn proposals, "
                                                      "then sekimori learn accept or decline"),
                                                   N_("%llu wait for a yes or no: sekimori learn proposals, "
                                                      "then sekimori learn accept or decline"))),
                           (unsigned long long)count));
}

/* Never bad: it is on record, and can be taken back. */
static struct fact learned_look(const struct look *look)
{
    uint64_t count[2], since = look->source->now_ms - DAY_MS;
    struct ledgerdb_reader *ledgerdb = look->source->ledgerdb;
    if (!look->source->config->learn.is_automatic)
        return fact_make(true, text_of(words_say(look->language, N_("nothing is: learn automatic is off"))));
    if (!ledgerdb || proposal_automatic(ledgerdb_sql(ledgerdb), since, count) != LEDGERDB_DONE)
        return (struct fact){ 0 };
    return fact_make(
        true, arena_printf(look->arena,
                           words_say(look->language, N_("%llu ham, %llu spam in 24 hours: sekimori audit "
                                                        "--act learn names each, sekimori learn --undo ID "
                                                        "takes it back")),
                           (unsigned long long)count[0], (unsigned long long)count[1]));
}

/* Never bad: a mail of its own told of each of them. */
static struct fact inside_look(const struct look *look)
{
    struct health_report report;
    if (!look->source->health || !health_page_peek(look->source->health, &report) ||
        !health_knows(&report.told, HEALTH_INSIDE_HELD))
        return (struct fact){ 0 };
    uint64_t held = report.told.values[HEALTH_INSIDE_HELD];
    if (!held) return fact_make(true, text_of(words_say(look->language, N_("none is held"))));
    return fact_make(
        true, arena_printf(
                  look->arena,
                  words_say(look->language,
                            text_word_for(held, N_("the mail of %llu sender is held: sekimori inside held"),
                                          N_("the mail of %llu senders is held: sekimori inside held"))),
                  (unsigned long long)held));
}

/* None are fetched yet. */
static struct fact lists_look(const struct look *look)
{
    struct health_report report;
    if (!look->source->config->list_count)
        return fact_make(true, text_of(words_say(look->language, N_("none are used"))));
    struct fact fact = finding_look(look, HEALTH_CHECK_LISTS);
    bool is_known = fact.state != FACT_UNKNOWN && health_page_peek(look->source->health, &report);
    if (is_known && report.told.values[HEALTH_LISTS_ASIDE]) fact.state = FACT_BAD;
    return fact;
}

static struct fact rules_look(const struct look *look)
{
    struct health_report report;
    if (!look->source->health || !health_page_peek(look->source->health, &report) ||
        !health_knows(&report.told, HEALTH_RULES_ASIDE))
        return (struct fact){ 0 };
    if (!report.told.values[HEALTH_RULES_ASIDE])
        return fact_make(true, text_of(words_say(look->language, N_("none is left out"))));
    struct fact fact = finding_look(look, HEALTH_CHECK_SCAN);
    fact.state = FACT_BAD;
    return fact;
}

/* --- disk --- */

static struct fact disk_look(const struct look *look)
{
    struct statvfs disk;
    if (fstatvfs(look->source->state_fd, &disk) != 0 || disk.f_blocks == 0) return (struct fact){ 0 };
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    unsigned percent = (unsigned)(100.0 * (double)disk.f_bavail / (double)disk.f_blocks);
    uint64_t least = look->source->config->queue.free_bytes;
    double gigabytes = (double)free_bytes / (1 << 30);
    if (free_bytes >= 2 * least)
        return fact_make(true, arena_printf(look->arena, words_say(look->language, N_("%.1f GB free, %u %%")),
                                            gigabytes, percent));
    const char *bad = words_say(look->language, N_("%.1f GB free, %u %%; under %.1f GB new mail is put off"));
    return fact_make(false, arena_printf(look->arena, bad, gigabytes, percent, (double)least / (1 << 30)));
}

/* --- certificates --- */

static struct fact certificates_look(const struct look *look)
{
    const struct config *config = look->source->config;
    const struct listener *first = NULL;
    int64_t first_days = 0;
    for (size_t i = 0; i < config->listener_count; i++) {
        int64_t ends;
        if (!expiry_of(config->listeners[i].certificate.content, &ends)) continue;
        int64_t days = (ends - (int64_t)(look->source->now_ms / 1000)) / 86400;
        if (first && days >= first_days) continue;
        first = &config->listeners[i];
        first_days = days;
    }
    const char *none = words_say(look->language, N_("none is configured"));
    if (!first) return (struct fact){ FACT_GOOD, text_of(none) };
    return fact_make(first_days >= FACT_CERTIFICATE_LEAST_DAYS,
                     arena_printf(look->arena,
                                  words_say(look->language, first_days == 1 ? N_("%.*s: %lld day left")
                                                                            : N_("%.*s: %lld days left")),
                                  TEXT_ARG(first->certificate.path), (long long)first_days));
}

/* --- other nodes --- */

static struct fact collector_look(const struct look *look)
{
    struct outbox_facts outbox;
    uint64_t now = look->source->now_ms;
    const struct config *config = look->source->config;
    if (config->ledger.collectors.count == 0)
        return fact_make(true, text_of(words_say(look->language, N_("none is configured"))));
    if (!look->source->ledgerdb || outbox_read(look->source->ledgerdb, &outbox) != LEDGERDB_DONE)
        return (struct fact){ 0 };
    uint64_t waited = outbox.oldest_ms && now > outbox.oldest_ms ? now - outbox.oldest_ms : 0;
    const char *good = words_say(look->language, N_("it takes what happens here"));
    if (waited < config->ledger.behind_ms) return fact_make(true, text_of(good));
    const char *bad = words_say(
        look->language, N_("events have waited %llu minutes for it; they are given up after %llu hours"));
    return fact_make(false, arena_printf(look->arena, bad, (unsigned long long)waited / 60000,
                                         (unsigned long long)(config->ledger.unsent_ms / HOUR_MS)));
}

/* The one that was not heard of for longest, of those that are not gone for good; the number of the silent.
 */
static size_t silent_find(const struct look *look, const struct node_row *nodes, size_t count,
                          const struct node_row **out_longest)
{
    size_t silent = 0;
    uint64_t now = look->source->now_ms, most = look->source->config->ledger.behind_ms + NODES_HEARD_MS;
    for (size_t i = 0; i < count; i++) {
        uint64_t silence = now > nodes[i].heard_ms ? now - nodes[i].heard_ms : 0;
        if (nodes[i].is_here || silence < most || silence > FACT_NODE_RETIRED_DAYS * DAY_MS) continue;
        if (!silent++ || nodes[i].heard_ms < (*out_longest)->heard_ms) *out_longest = &nodes[i];
    }
    return silent;
}

static struct fact nodes_look(const struct look *look)
{
    struct node_row *nodes;
    const struct node_row *longest = NULL;
    size_t count;
    if (look->source->config->ledger.listen.length == 0)
        return fact_make(true, text_of(words_say(look->language, N_("none tells its events here"))));
    if (!look->source->ledgerdb ||
        nodes_read(look->source->ledgerdb, look->arena, &nodes, &count) != LEDGERDB_DONE)
        return (struct fact){ 0 };
    size_t silent = silent_find(look, nodes, count, &longest);
    if (!silent) return fact_make(true, text_of(words_say(look->language, N_("all are heard of"))));
    const char *bad = words_say(look->language, N_("%zu not heard of; %.*s for %llu minutes"));
    return fact_make(false,
                     arena_printf(look->arena, bad, silent, TEXT_ARG(longest->name),
                                  (unsigned long long)(look->source->now_ms - longest->heard_ms) / 60000));
}

void facts_gather(const struct facts_source *source, enum language language, int64_t *last_difference,
                  struct arena *arena, struct fact out[FACT_COUNT])
{
    static struct fact (*const looks[FACT_COUNT])(const struct look *look) = {
        [FACT_LEDGER] = ledger_look,
        [FACT_BALANCE] = balance_look,
        [FACT_SIGNATURES] = signatures_look,
        [FACT_ENGINES] = engines_look,
        [FACT_QUEUE] = queue_look,
        [FACT_HELD] = held_look,
        [FACT_REPORTS] = reports_look,
        [FACT_LEARNED] = learned_look,
        [FACT_INSIDE] = inside_look,
        [FACT_LISTS] = lists_look,
        [FACT_RULES] = rules_look,
        [FACT_CLOCK] = clock_look,
        [FACT_PROCESSES] = processes_look,
        [FACT_NAMES] = names_look,
        [FACT_UPSTREAM] = upstream_look,
        [FACT_DISK] = disk_look,
        [FACT_CERTIFICATES] = certificates_look,
        [FACT_COLLECTOR] = collector_look,
        [FACT_NODES] = nodes_look,
    };
    struct look look = { source, language, arena, last_difference };
    for (int i = 0; i < FACT_COUNT; i++) out[i] = looks[i] ? looks[i](&look) : (struct fact){ 0 };
}
