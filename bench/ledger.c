/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fills a ledger with half a year of mail and measures it: events a second stored (from encoded records, as
   the ledger process reads them from the rings), bytes an event on disk, and how long trace's questions take.
   usage: bench-ledger FOLDER [MESSAGES [BATCH]]   FOLDER must be empty; the ledger stays there */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/arena.h"
#include "base/log.h"
#include "ledgerdb/database.h"
#include "ledgerdb/day.h"
#include "ledgerdb/search.h"
#include "tool.h"

enum {
    MESSAGES = 1300000,
    BATCH_EVENTS = 20000,
    DAYS = 181,
    DAY_MS = 86400000,
    PEOPLE = 4500,
    WORDS = 20000,
    OUTSIDE_DOMAINS = 50000
};
#define FIRST_MS 1106500000000ull /* the end of January 2005 */

struct bench {
    struct database *database;
    uint64_t random;
    struct arena *arena;
    struct buffer record;
    uint64_t events, refusals;
    double fill_s, slowest_s;
    unsigned in_batch, batch;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint64_t chance(struct bench *bench, uint64_t below)
{
    bench->random = bench->random * 6364136223846793005ull + 1442695040888963407ull;
    return (bench->random >> 33) % below;
}

/* Few are common, many are rare, as with words and correspondents. */
static uint64_t rank(struct bench *bench, uint64_t count)
{
    return (uint64_t)exp((double)chance(bench, 1u << 30) / (1u << 30) * log((double)count));
}

static struct text subject(struct bench *bench)
{
    struct text all = TEXT_NONE;
    for (uint64_t i = 0, words = 2 + chance(bench, 7); i < words; i++)
        all = arena_printf(bench->arena, "%.*s%sword%llu", TEXT_ARG(all), i ? " " : "",
                           (unsigned long long)rank(bench, WORDS));
    return all;
}

static void must(enum ledgerdb_outcome outcome, const char *what)
{
    if (outcome == LEDGERDB_DONE) return;
    fprintf(stderr, "bench-ledger: %s failed\n", what);
    exit(1);
}

/* One batch is what one turn of the ledger process stores. */
static void event_stored(struct bench *bench)
{
    static double start;
    if (bench->in_batch == 0) {
        start = now_s();
        must(database_begin(bench->database), "begin");
    }
    bench->events++;
    struct event_accepted accepted;
    struct event_ended ended;
    struct event_refused refused;
    uint32_t first;
    struct text record = buffer_text(&bench->record);
    switch (event_kind_of(record)) {
    case EVENT_ACCEPTED:
        event_accepted_get(bench->arena, record, &accepted, &first);
        must(database_store_accepted(bench->database, &accepted, first), "accepted");
        break;
    case EVENT_ENDED:
        event_ended_get(record, &ended);
        must(database_store_ended(bench->database, &ended), "ended");
        break;
    default:
        event_refused_get(bench->arena, record, &refused);
        must(database_store_refused(bench->database, &refused, 2, bench->events * 256), "refused");
    }
    if (++bench->in_batch < bench->batch) return;
    must(database_commit(bench->database), "commit");
    bench->in_batch = 0;
    if (now_s() - start > bench->slowest_s) bench->slowest_s = now_s() - start;
}

static struct event_judgement judgement(struct bench *bench)
{
    static const struct event_signal signals[] = { { TEXT("MIME_HTML_ONLY"), 0.7 },
                                                   { TEXT("CLIENT_NAME_MISMATCH"), 1.2 },
                                                   { TEXT("BLANK_SUBJECT"), 2.1 } };
    uint64_t kind = chance(bench, 100);
    struct event_judgement out = { .is_judged = true,
                                   .class = kind < 4    ? CLASS_VIRUS
                                            : kind < 30 ? CLASS_SPAM
                                                        : CLASS_NONE,
                                   .score = kind < 30 ? 8.5 : 0.7,
                                   .engine = TEXT("clamav 1.4.6"),
                                   .subject = subject(bench),
                                   .signal_count = (uint32_t)chance(bench, 4),
                                   .signals = signals };
    if (out.class == CLASS_VIRUS)
        out.virus = arena_printf(bench->arena, "Worm.Mytob.%llu", (unsigned long long)rank(bench, 40));
    out.message_id = arena_printf(bench->arena, "<%llx@mail.example>", (unsigned long long)bench->random);
    out.author = TEXT("\"A person of usual name\" <person@example.net>");
    return out;
}

static void message_tell(struct bench *bench, uint64_t number, uint64_t time_ms)
{
    bool is_out = chance(bench, 9) < 2;
    struct text inside =
        arena_printf(bench->arena, "user%llu@econ%llu.example.ac.jp", (unsigned long long)rank(bench, PEOPLE),
                     (unsigned long long)chance(bench, 12));
    struct text outside =
        arena_printf(bench->arena, "p%llu@d%llu.example", (unsigned long long)rank(bench, 900000),
                     (unsigned long long)rank(bench, OUTSIDE_DOMAINS));
    struct text client =
        arena_printf(bench->arena, "%llu.%llu.%llu.%llu", 1 + rank(bench, 220) % 223ull,
                     (unsigned long long)chance(bench, 256), (unsigned long long)rank(bench, 250),
                     (unsigned long long)chance(bench, 256));
    struct event_recipient recipient = { .address = is_out ? outside : inside };
    struct event_accepted event = { .id = time_ms << 22 | (number & 0xffff),
                                    .time_ms = time_ms,
                                    .size = 2000 + chance(bench, 20000),
                                    .direction = is_out ? DIRECTION_OUT : DIRECTION_IN,
                                    .helo = TEXT("mail.relay.example"),
                                    .sender = is_out ? inside : outside,
                                    .judgement = judgement(bench),
                                    .recipient_count = 1,
                                    .recipients = &recipient };
    address_parse(client, &event.client);
    buffer_clear(&bench->record);
    event_accepted_put(&event, 0, &bench->record);
    event_stored(bench);
    struct event_ended ended = { .id = event.id,
                                 .time_ms = time_ms + 300,
                                 .ending = chance(bench, 200) ? ENDING_DELIVERED : ENDING_RETURNED,
                                 .dsn = TEXT("2.0.0"),
                                 .relay = TEXT("10.1.0.25:25"),
                                 .reply = TEXT("250 2.0.0 Ok: queued as 3F2A81C0") };
    buffer_clear(&bench->record);
    event_ended_put(&ended, &bench->record);
    event_stored(bench);
}

static void refusal_tell(struct bench *bench, uint64_t time_ms)
{
    struct event_refused event = { .time_ms = time_ms,
                                   .code = 550,
                                   .stage = STAGE_RCPT,
                                   .helo = TEXT("bot.example"),
                                   .sender = TEXT("someone@forged.example"),
                                   .recipient = arena_printf(bench->arena, "guess%llu@example.ac.jp",
                                                             (unsigned long long)chance(bench, 100000)),
                                   .reply = TEXT("550 5.1.1 no such recipient here") };
    address_parse(arena_printf(bench->arena, "198.51.%llu.%llu", (unsigned long long)chance(bench, 256),
                               (unsigned long long)chance(bench, 256)),
                  &event.client);
    bench->refusals++;
    buffer_clear(&bench->record);
    event_refused_put(&event, &bench->record);
    event_stored(bench);
}

static void fill(struct bench *bench, uint64_t messages)
{
    double start = now_s(), cpu = cpu_s(), told = start;
    for (uint64_t i = 0; i < messages; i++) {
        uint64_t time_ms = FIRST_MS + i * ((uint64_t)DAYS * DAY_MS / messages);
        arena_reset(bench->arena);
        message_tell(bench, i, time_ms);
        if (chance(bench, 8) == 0) refusal_tell(bench, time_ms);
        if (now_s() - told < 5) continue;
        told = now_s();
        printf("%llu messages after %.0f s\n", (unsigned long long)i, told - start);
        fflush(stdout);
    }
    if (bench->in_batch) must(database_commit(bench->database), "commit");
    bench->in_batch = 0;
    bench->fill_s = now_s() - start;
    printf("events a second: %.0f (%llu events in %.1f s, %.1f us of CPU an event, making them included)\n",
           (double)bench->events / bench->fill_s, (unsigned long long)bench->events, bench->fill_s,
           (cpu_s() - cpu) * 1e6 / (double)bench->events);
    printf("slowest batch of %u: %.0f ms\n", bench->batch, bench->slowest_s * 1e3);
    printf("bytes an event: %.0f (%.0f MB)\n",
           (double)database_bytes(bench->database) / (double)bench->events,
           (double)database_bytes(bench->database) / 1e6);
}

/* --- questions --- */

static void ask(struct ledgerdb_reader *ledgerdb, const char *what, struct search_question question)
{
    struct search_result result;
    struct arena *arena = arena_new(0);
    double best = 1e9, worst = 0;
    question.most = 20;
    for (int i = 0; i < 5; i++) {
        double start = now_s();
        must(search_run(ledgerdb, &question, arena, &result), what);
        double spent = now_s() - start;
        if (spent < best) best = spent;
        if (spent > worst) worst = spent;
    }
    printf("%-44s %5zu%s  %6.1f ms, the first time or worst %6.1f ms\n", what, result.count,
           result.is_cut ? "+" : " ", best * 1e3, worst * 1e3);
    arena_free(arena);
}

static void questions(const char *folder)
{
    struct ledgerdb_reader *ledgerdb;
    struct buffer why = { 0 };
    struct network client;
    struct day_balance day;
    must(ledgerdb_open(folder, &ledgerdb, &why), "opening for reading");
#define ASK(what, in_class, ...) \
    ask(ledgerdb, what, (struct search_question){ .class = in_class, __VA_ARGS__ })
    ask(ledgerdb, "everything", (struct search_question){ .class = -1 });
    ASK("address, common", -1, .address = TEXT("user1@econ1.example.ac.jp"));
    ASK("address, not there", -1, .address = TEXT("nobody@nowhere.example"));
    ASK("domain of our own", -1, .domain = TEXT("econ3.example.ac.jp"));
    ASK("domain, rare", -1, .domain = TEXT("d49999.example"));
    ASK("subject, common words", -1, .subject = TEXT("word1 word2 word3"));
    ASK("subject, rare words together", -1, .subject = TEXT("word15000 word16000"));
    ASK("class virus", CLASS_VIRUS, .id = 0);
    ASK("status bounced", -1, .status = STATUS_RETURNED);
    ASK("status queued (none)", -1, .status = STATUS_QUEUED);
    ASK("delivered, virus, own domain, common word", CLASS_VIRUS, .status = STATUS_DELIVERED,
        .domain = TEXT("econ3.example.ac.jp"), .subject = TEXT("word1"));
    ASK("two long lists that never meet", -1, .domain = TEXT("econ3.example.ac.jp"),
        .address = TEXT("p1@d1.example"), .status = STATUS_REMOVED);
    ASK("in March", CLASS_SPAM, .from_ms = 1109602800000, .until_ms = 1112281200000);
    network_parse(TEXT("3.0.0.0/8"), &client);
    ASK("client network /8", -1, .client = &client);
    network_parse(TEXT("3.77.0.0/16"), &client);
    ASK("client network /16 and rare word", -1, .client = &client, .subject = TEXT("word15000"));
    double start = now_s();
    must(day_count(ledgerdb, 20050401, &day), "balance of a day");
    printf("%-44s %s  %6.1f ms\n", "balance of a day", day.is_balanced ? "equal" : "DIFFERS",
           (now_s() - start) * 1e3);
    ledgerdb_close(ledgerdb);
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "bench-ledger FOLDER [MESSAGES [BATCH]]   FOLDER is empty; the ledger stays there";
    tool_usage(argc, argv, 1, 3, usage);
    static struct bench bench = { .random = 1, .batch = BATCH_EVENTS };
    uint64_t messages = argc > 2 ? strtoull(argv[2], NULL, 10) : MESSAGES;
    bool is_damaged;
    if (messages == 0) tool_usage(0, argv, 1, 3, usage);
    if (argc > 3) bench.batch = (unsigned)strtoul(argv[3], NULL, 10);
    log_open("bench", LOG_TARGET_STDERR, NULL, LOG_LEVEL_WARNING);
    bench.arena = arena_new(64 * 1024);
    must(database_open(argv[1], &bench.database, &is_damaged), "opening");
    fill(&bench, messages);
    database_close(bench.database);
    questions(argv[1]);
    return 0;
}
