/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* year: replays the months of a table (bench/2005.table) into a ledger, as the events that the processes
   would have told, by the ledger's own writer. `sekimori stats` then has to print the table. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "base/arena.h"
#include "ipc/message_id.h"
#include "ledgerdb/database.h"
#include "statistics/calendar.h"
#include "tool.h"

enum {
    MONTHS_MOST = 24,
    VIRUSES_MOST = 64,
    STORMS_MOST = 8,
    WORKING_WEIGHT = 7,
    OFF_WEIGHT = 3,
    BATCH = 20000,
    HOSTS = 5000,
    USERS = 4500,
    RECEIVE_SLOT = 64,
};

struct month {
    uint32_t first; /* day */
    uint64_t sent, received, spam, removed;
    uint64_t viruses, other_spam; /* as another table counts them; 0: none does */
    uint64_t weights;             /* of its days */
};

struct virus {
    char name[64];
    uint64_t counts[MONTHS_MOST];
};

struct storm {
    uint32_t day;
    unsigned start_seconds, seconds;
    uint64_t messages;
    char virus[64], host[48];
    char printed[16]; /* messages a minute by another table; empty: none says */
};

struct year {
    struct month months[MONTHS_MOST];
    struct virus viruses[VIRUSES_MOST];
    struct storm storms[STORMS_MOST];
    size_t month_count, virus_count, storm_count;
    struct database *database;
    struct message_id_source ids;
    uint64_t events, position, chance;
    unsigned batched;
};

static _Noreturn void fail(const char *what, const char *about)
{
    fprintf(stderr, "year: %s: %s\n", what, about);
    exit(EX_DATAERR);
}

/* --- the table --- */

static struct text word_of(struct text *line, const char *about)
{
    struct text word;
    if (!text_next_word(line, &word)) fail("a word is missing", about);
    return word;
}

static uint64_t number_of(struct text *line, const char *about)
{
    uint64_t number;
    if (!text_to_number(word_of(line, about), 100000000, &number)) fail("not a number", about);
    return number;
}

static void name_set(char *room, size_t size, struct text name)
{
    snprintf(room, size, "%.*s", TEXT_ARG(name));
}

static uint64_t weight_of(uint32_t day)
{
    return calendar_is_working(day) ? WORKING_WEIGHT : OFF_WEIGHT;
}

static void month_read(struct year *year, struct text line)
{
    struct month *month = &year->months[year->month_count++];
    if (year->month_count > MONTHS_MOST || !calendar_parse_month(word_of(&line, "month"), &month->first))
        fail("no month", "month");
    month->sent = number_of(&line, "sent");
    month->received = number_of(&line, "received");
    month->spam = number_of(&line, "spam");
    month->removed = number_of(&line, "spam removed");
    month->viruses = text_trim(line).length ? number_of(&line, "viruses") : 0;
    month->other_spam = text_trim(line).length ? number_of(&line, "spam") : 0;
    for (uint32_t day = month->first; day / 100 == month->first / 100; day = calendar_add(day, 1))
        month->weights += weight_of(day);
}

static void virus_read(struct year *year, struct text line)
{
    struct virus *virus = &year->viruses[year->virus_count++];
    if (year->virus_count > VIRUSES_MOST) fail("too many viruses", "virus");
    name_set(virus->name, sizeof virus->name, word_of(&line, "virus"));
    for (size_t i = 0; i < year->month_count; i++) virus->counts[i] = number_of(&line, virus->name);
}

/* Where two tables do not agree, what is replayed is told. */
static void viruses_compare(const struct year *year, size_t at)
{
    const struct month *month = &year->months[at];
    uint64_t named = 0;
    for (size_t i = 0; i < year->virus_count; i++) named += year->viruses[i].counts[at];
    if (!month->viruses || month->viruses == named) return;
    printf("%04u-%02u: %llu viruses by month, %llu by name: the names are used\n", month->first / 10000,
           month->first / 100 % 100, (unsigned long long)month->viruses, (unsigned long long)named);
}

static void spam_compare(const struct month *month)
{
    if (!month->other_spam || month->other_spam == month->spam) return;
    printf("%04u-%02u: %llu spam by month, %llu where the share is computed: the latter is used\n",
           month->first / 10000, month->first / 100 % 100, (unsigned long long)month->other_spam,
           (unsigned long long)month->spam);
}

static void storm_compare(const struct storm *storm)
{
    double rate = (double)storm->messages * 60 / storm->seconds;
    if (!storm->printed[0] || strtod(storm->printed, NULL) == rate) return;
    printf("%04u-%02u-%02u: the storm is printed with %s a minute; %llu in %u min %u s are %.1f\n",
           storm->day / 10000, storm->day / 100 % 100, storm->day % 100, storm->printed,
           (unsigned long long)storm->messages, storm->seconds / 60, storm->seconds % 60, rate);
}

static void tables_compare(const struct year *year)
{
    for (size_t i = 0; i < year->month_count; i++) {
        viruses_compare(year, i);
        spam_compare(&year->months[i]);
    }
    for (size_t i = 0; i < year->storm_count; i++) storm_compare(&year->storms[i]);
}

/* "13:05:30" or "25:06" by its parts, the first of which counts `unit` seconds and each other a sixtieth of
   the one before. */
static unsigned seconds_of(struct text word, unsigned unit)
{
    unsigned sum = 0;
    while (word.length && unit) {
        size_t end = text_find_char(word, ':');
        struct text part = text_slice(word, 0, end);
        sum += (unsigned)number_of(&part, "time") * unit;
        word = text_slice(word, end + 1, word.length);
        unit /= 60;
    }
    return sum;
}

static void storm_read(struct year *year, struct text line)
{
    struct storm *storm = &year->storms[year->storm_count++];
    if (year->storm_count > STORMS_MOST || !calendar_parse_day(word_of(&line, "storm"), &storm->day))
        fail("no day", "storm");
    storm->start_seconds = seconds_of(word_of(&line, "storm"), 3600);
    storm->seconds = seconds_of(word_of(&line, "minutes"), 60);
    storm->messages = number_of(&line, "messages");
    name_set(storm->virus, sizeof storm->virus, word_of(&line, "virus"));
    name_set(storm->host, sizeof storm->host, word_of(&line, "host"));
    name_set(storm->printed, sizeof storm->printed, text_trim(line));
    if (!storm->seconds || storm->messages < 2) fail("it has no length", "storm");
}

static void table_read(struct year *year, const char *path)
{
    static char bytes[65536];
    FILE *file = fopen(path, "re");
    if (!file) fail("cannot be read", path);
    struct text rest = text_from(bytes, fread(bytes, 1, sizeof bytes, file)), line;
    fclose(file);
    while (text_next_line(&rest, &line)) {
        struct text word;
        line = text_slice(line, 0, text_find_char(line, '#'));
        if (!text_next_word(&line, &word)) continue;
        if (text_equal(word, TEXT("month")))
            month_read(year, line);
        else if (text_equal(word, TEXT("virus")))
            virus_read(year, line);
        else if (text_equal(word, TEXT("storm")))
            storm_read(year, line);
        else
            fail("neither month, virus nor storm", path);
    }
}

/* --- events --- */

/* A fixed sequence: each run writes the same ledger. */
static uint32_t chance(struct year *year, uint32_t below)
{
    year->chance = year->chance * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((year->chance >> 33) % below);
}

static void done(enum ledgerdb_outcome outcome)
{
    if (outcome != LEDGERDB_DONE) fail("the database failed", "the log says why");
}

/* Counts an event, and commits when the batch is full. */
static void told(struct year *year)
{
    year->events++;
    if (++year->batched < BATCH) return;
    done(database_commit(year->database));
    done(database_begin(year->database));
    year->batched = 0;
}

static struct address client_of(struct year *year, const char *host)
{
    char name[48];
    struct address address = { 0 };
    uint32_t number = chance(year, HOSTS);
    snprintf(name, sizeof name, "198.18.%u.%u", number / 250, number % 250 + 1);
    address_parse(text_of(host ? host : name), &address);
    return address;
}

struct piece {
    uint64_t time_ms;
    uint8_t direction;
    enum message_class class;
    const char *virus, *host; /* host NULL: any */
    bool is_removed;
};

static void refused_tell(struct year *year, const struct piece *piece, struct text recipient,
                         const struct event_judgement *judgement)
{
    struct event_refused event = { .time_ms = piece->time_ms,
                                   .id = message_id_next(&year->ids, piece->time_ms),
                                   .code = 550,
                                   .stage = STAGE_CONTENT,
                                   .direction = piece->direction,
                                   .is_message = true,
                                   .size = 4000 + chance(year, 60000),
                                   .client = client_of(year, piece->host),
                                   .helo = TEXT("client.example.net"),
                                   .sender = TEXT("sender@example.net"),
                                   .recipient = recipient,
                                   .reply = TEXT("550 5.7.1 refused"),
                                   .judgement = *judgement };
    year->position += 8;
    done(database_store_refused(year->database, &event, RECEIVE_SLOT, year->position));
    told(year);
}

static void taken_tell(struct year *year, const struct piece *piece, struct text sender,
                       struct text recipient, const struct event_judgement *judgement)
{
    struct event_recipient to = { .address = recipient };
    if (judgement->class == CLASS_SPAM) to.action = ACTION_TAG;
    struct event_accepted event = { .id = message_id_next(&year->ids, piece->time_ms),
                                    .time_ms = piece->time_ms,
                                    .size = 4000 + chance(year, 60000),
                                    .direction = piece->direction,
                                    .client = client_of(year, NULL),
                                    .helo = TEXT("client.example.net"),
                                    .sender = sender,
                                    .judgement = *judgement,
                                    .recipient_count = 1,
                                    .recipients = &to };
    struct event_ended end = { .id = event.id,
                               .time_ms = event.time_ms + 200,
                               .ending = ENDING_DELIVERED,
                               .dsn = TEXT("2.0.0"),
                               .relay = TEXT("10.1.0.25[10.1.0.25]:25"),
                               .reply = TEXT("250 2.0.0 ok") };
    done(database_store_accepted(year->database, &event, 0));
    told(year);
    done(database_store_ended(year->database, &end));
    told(year);
}

static void piece_tell(struct year *year, const struct piece *piece)
{
    static const struct event_signal signal = { { "EXAMPLE_RULE", 12 }, 9.5 };
    char user[64], subject[64];
    snprintf(user, sizeof user, "user%u@econ.example.ac.jp", chance(year, USERS));
    snprintf(subject, sizeof subject, "会議 %u", chance(year, 100000));
    struct event_judgement judgement = { .is_judged = true,
                                         .class = piece->class,
                                         .score = piece->class == CLASS_SPAM ? 9.5 : 0.1,
                                         .virus = text_of(piece->virus),
                                         .engine = TEXT("clamav"),
                                         .subject = text_of(subject),
                                         .signal_count = piece->class == CLASS_SPAM,
                                         .signals = &signal };
    struct text here = text_of(user), there = TEXT("partner@example.net");
    bool is_in = piece->direction == DIRECTION_IN;
    if (piece->virus || piece->is_removed)
        refused_tell(year, piece, here, &judgement);
    else
        taken_tell(year, piece, is_in ? there : here, is_in ? here : there, &judgement);
}

/* --- days --- */

/* A day's part of a month's number: the parts of all days add up to the number. */
static uint64_t part_of(uint64_t number, uint64_t before, uint64_t weight, uint64_t weights)
{
    return number * (before + weight) / weights - number * before / weights;
}

/* Mail comes by day more than by night. */
static uint64_t moment_of(struct year *year, uint32_t day)
{
    static const uint8_t hours[] = { 2, 1,  1,  1,  1, 2, 3, 5, 9, 12, 11, 10,
                                     7, 10, 11, 10, 9, 8, 6, 5, 4, 4,  3,  3 };
    uint32_t at = chance(year, 138), hour = 0;
    for (; at >= hours[hour]; hour++) at -= hours[hour];
    return (uint64_t)calendar_start(day) * 1000 + (hour * 3600 + chance(year, 3600)) * UINT64_C(1000) +
           chance(year, 1000);
}

static void many_tell(struct year *year, uint32_t day, uint64_t count, struct piece piece)
{
    for (uint64_t i = 0; i < count; i++) {
        piece.time_ms = moment_of(year, day);
        piece_tell(year, &piece);
    }
}

static void storm_tell(struct year *year, uint32_t day, const char *virus)
{
    for (size_t i = 0; i < year->storm_count; i++) {
        const struct storm *storm = &year->storms[i];
        if (storm->day != day || strcmp(storm->virus, virus) != 0) continue;
        uint64_t start = (uint64_t)calendar_start(day) * 1000 + storm->start_seconds * UINT64_C(1000);
        uint64_t span = storm->seconds * UINT64_C(1000);
        for (uint64_t n = 0; n < storm->messages; n++) {
            struct piece piece = { .time_ms = start + span * n / (storm->messages - 1),
                                   .direction = DIRECTION_IN,
                                   .class = CLASS_VIRUS,
                                   .virus = storm->virus,
                                   .host = storm->host };
            piece_tell(year, &piece);
        }
    }
}

/* What of a month's number is left without the month's storms, of one virus or (NULL) of all: they have a day
   of their own. */
static uint64_t calm_part(const struct year *year, size_t month, const char *virus, uint64_t count)
{
    for (size_t i = 0; i < year->storm_count; i++)
        if (year->storms[i].day / 100 == year->months[month].first / 100 &&
            (!virus || strcmp(year->storms[i].virus, virus) == 0))
            count -= count < year->storms[i].messages ? count : year->storms[i].messages;
    return count;
}

static void day_tell(struct year *year, size_t at, uint32_t day, uint64_t before)
{
    const struct month *month = &year->months[at];
    uint64_t weight = weight_of(day), viruses = 0;
    uint64_t date = calendar_date(day) - 1,
             dates = (uint64_t)calendar_between(month->first, calendar_add_months(day, 1));
    for (size_t i = 0; i < year->virus_count; i++) {
        const struct virus *virus = &year->viruses[i];
        uint64_t calm = calm_part(year, at, virus->name, virus->counts[at]);
        uint64_t count = part_of(calm, before, weight, month->weights);
        many_tell(year, day, count, (struct piece){ .class = CLASS_VIRUS, .virus = virus->name });
        storm_tell(year, day, virus->name);
        viruses += count;
    }
    uint64_t removed = part_of(month->removed, before, weight, month->weights);
    uint64_t tagged = part_of(month->spam - month->removed, before, weight, month->weights);
    uint64_t received = part_of(calm_part(year, at, NULL, month->received), before, weight, month->weights);
    many_tell(year, day, removed, (struct piece){ .class = CLASS_SPAM, .is_removed = true });
    many_tell(year, day, tagged, (struct piece){ .class = CLASS_SPAM });
    uint64_t bad = viruses + removed + tagged;
    many_tell(year, day, received > bad ? received - bad : 0, (struct piece){ .class = CLASS_NONE });
    many_tell(year, day, part_of(month->sent, date, 1, dates), (struct piece){ .direction = DIRECTION_OUT });
}

static void replay(struct year *year)
{
    done(database_begin(year->database));
    for (size_t i = 0; i < year->month_count; i++) {
        uint64_t before = 0;
        for (uint32_t day = year->months[i].first; day / 100 == year->months[i].first / 100;
             day = calendar_add(day, 1)) {
            day_tell(year, i, day, before);
            before += weight_of(day);
        }
    }
    done(database_commit(year->database));
}

static const char help[] =
    "usage: year TABLE FOLDER\n"
    "Replays the months of TABLE (bench/2005.table) into FOLDER/ledger.db, which must not be\n"
    "there, and prints how long that took.\n";

int main(int argc, char **argv)
{
    static struct year year = { .chance = 2005 };
    struct stat about;
    bool was_damaged;
    char path[4096];
    if (argc != 3) {
        fputs(help, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? EX_OK : EX_USAGE;
    }
    table_read(&year, argv[1]);
    tables_compare(&year);
    snprintf(path, sizeof path, "%s/ledger.db", argv[2]);
    if (stat(path, &about) == 0) fail("is there already", path);
    done(database_open(argv[2], &year.database, &was_damaged));
    double begun = tool_now();
    replay(&year);
    double seconds = tool_now() - begun;
    printf("%llu events, %llu bytes, %.1f s, %.0f events a second, %.0f bytes an event\n",
           (unsigned long long)year.events, (unsigned long long)database_bytes(year.database), seconds,
           (double)year.events / seconds, (double)database_bytes(year.database) / (double)year.events);
    database_close(year.database);
    return EX_OK;
}
