/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Campaigns stand in sets, chosen by the network that was first; an index beside them finds them by key. */
#include "ipc/campaign_table.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "mail/envelope.h"

enum {
    SET_WORDS = 4, /* 256 bits: up to some 400 distinct things, off by 5 per cent */
    SET_BITS = 64 * SET_WORDS,
    BUCKETS = CAMPAIGN_MOST * 2,
    BUCKET_SLOTS = 8
};
#define VERSION UINT64_C(0x32304e474d414347)

/* What was seen in one period. */
struct sightings {
    uint64_t since_ms;         /* the first message; 0: none came */
    uint32_t count, addressed; /* messages; their recipients, each as often as he came */
    uint64_t networks[SET_WORDS], senders[SET_WORDS], recipients[SET_WORDS];
};

struct reporter {
    uint64_t who, time_ms;
};

struct campaign {
    uint64_t check;                /* of what follows */
    uint64_t id;                   /* 0: the place is free */
    uint64_t keys[CAMPAIGN_BANDS]; /* those of a text; else the first, and zeros */
    uint32_t kind, next_message;
    uint64_t period_ms, last_ms, stopped_ms;
    uint64_t stopped_by;          /* hash of the reporter; 0: an administrator */
    struct sightings now, before; /* before: of the period that ended at period_ms */
    struct reporter reporters[CAMPAIGN_REPORTERS_MOST];
    uint64_t messages[CAMPAIGN_MESSAGES_MOST]; /* a ring */
};

struct file {
    uint64_t version;
    uint64_t key; /* of all hashes that stand here */
    struct campaign list[CAMPAIGN_MOST];
    uint32_t index[BUCKETS][BUCKET_SLOTS]; /* 1 + campaign * CAMPAIGN_BANDS + key; 0: free */
};
_Static_assert(sizeof(struct file) <= CAMPAIGN_FILE_BYTES, "run/campaigns has room for all");

struct campaign_table {
    struct file *file;
    uint32_t count;
};

/* --- distinct things --- */

static uint64_t hash_of(const struct campaign_table *table, struct text text)
{
    char folded[256];
    text = text_slice(text, 0, sizeof folded);
    for (size_t i = 0; i < text.length; i++) folded[i] = char_lower(text.at[i]);
    return hash_text_by(table->file->key, text_from(folded, text.length));
}

static uint64_t reporter_hash(const struct campaign_table *table, struct text reporter)
{
    return hash_of(table, reporter) | 1; /* 0 is nobody */
}

static uint64_t network_hash(const struct campaign_table *table, const struct address *client)
{
    struct address network = campaign_network(client);
    return hash_text_by(table->file->key, text_from((const char *)network.bytes, sizeof network.bytes));
}

struct address campaign_network(const struct address *client)
{
    struct address network = *client;
    size_t kept = address_is_v4(client) ? 14 : 4;
    memset(network.bytes + kept, 0, sizeof network.bytes - kept);
    return network;
}

static void set_add(uint64_t set[SET_WORDS], uint64_t hash)
{
    set[hash % SET_BITS / 64] |= UINT64_C(1) << hash % 64;
}

static int bits_of(const uint64_t a[SET_WORDS], const uint64_t b[SET_WORDS])
{
    int full = 0;
    for (int i = 0; i < SET_WORDS; i++) full += __builtin_popcountll(a[i] | b[i]);
    return full;
}

/* How many distinct things are in both: linear counting. */
static uint32_t set_size(const uint64_t a[SET_WORDS], const uint64_t b[SET_WORDS])
{
    int full = bits_of(a, b);
    int zeros = full < SET_BITS ? SET_BITS - full : 1;
    return (uint32_t)lround(SET_BITS * log((double)SET_BITS / zeros));
}

/* --- the index --- */

static uint32_t *bucket_of(const struct campaign_table *table, uint64_t key)
{
    uint64_t hash = hash_text_by(table->file->key, text_from((const char *)&key, sizeof key));
    return table->file->index[hash % BUCKETS];
}

/* Where there is no room the key finds nothing: the others of the text do. */
static void slot_put(struct campaign_table *table, uint64_t key, uint32_t value)
{
    uint32_t *bucket = bucket_of(table, key);
    for (int i = 0; i < BUCKET_SLOTS; i++) {
        if (bucket[i]) continue;
        bucket[i] = value;
        return;
    }
}

static void slot_remove(struct campaign_table *table, uint64_t key, uint32_t value)
{
    uint32_t *bucket = bucket_of(table, key);
    for (int i = 0; i < BUCKET_SLOTS; i++)
        if (bucket[i] == value) bucket[i] = 0;
}

static void index_change(struct campaign_table *table, uint32_t number,
                         void (*change)(struct campaign_table *table, uint64_t key, uint32_t value))
{
    const struct campaign *campaign = &table->file->list[number];
    for (uint32_t i = 0; i < CAMPAIGN_BANDS && campaign->keys[i]; i++)
        change(table, campaign->keys[i], 1 + number * CAMPAIGN_BANDS + i);
}

/* --- one campaign --- */

static uint64_t check_of(const struct campaign *campaign)
{
    const size_t skipped = offsetof(struct campaign, id);
    return hash_text_by(VERSION, text_from((const char *)campaign + skipped, sizeof *campaign - skipped));
}

static void seal(struct campaign *campaign)
{
    campaign->check = check_of(campaign);
}

/* Nothing that stands in the file may lead outside it. */
static bool is_sound(const struct campaign *campaign)
{
    return campaign->check == check_of(campaign) && campaign->kind < CAMPAIGN_KINDS && campaign->keys[0] &&
           campaign->next_message < CAMPAIGN_MESSAGES_MOST;
}

/* Periods that have ended move on. One of a future, since the clock was set back, begins now. */
static void periods_move(struct campaign *campaign, uint64_t now_ms)
{
    if (campaign->period_ms > now_ms + CAMPAIGN_PERIOD_MS) campaign->period_ms = now_ms;
    if (now_ms < campaign->period_ms + CAMPAIGN_PERIOD_MS) return;
    bool is_next = now_ms < campaign->period_ms + 2 * CAMPAIGN_PERIOD_MS;
    campaign->before = is_next ? campaign->now : (struct sightings){ 0 };
    campaign->now = (struct sightings){ 0 };
    campaign->period_ms = is_next ? campaign->period_ms + CAMPAIGN_PERIOD_MS : now_ms;
}

/* Less than so long ago; nor further in a future than that, of which a clock told that was set back. */
static bool is_within(uint64_t time_ms, uint64_t now_ms, uint64_t within_ms)
{
    return now_ms < time_ms + within_ms && time_ms <= now_ms + within_ms;
}

static bool is_recent(uint64_t time_ms, uint64_t now_ms)
{
    return time_ms != 0 && is_within(time_ms, now_ms, CAMPAIGN_REPORT_MS);
}

static uint32_t reporters_of(const struct campaign *campaign, uint64_t now_ms)
{
    uint32_t count = 0;
    for (int i = 0; i < CAMPAIGN_REPORTERS_MOST; i++)
        count += is_recent(campaign->reporters[i].time_ms, now_ms);
    return count;
}

static bool is_told_by(const struct campaign *campaign, uint64_t who, uint64_t now_ms)
{
    for (int i = 0; i < CAMPAIGN_REPORTERS_MOST; i++)
        if (campaign->reporters[i].who == who && is_recent(campaign->reporters[i].time_ms, now_ms))
            return true;
    return false;
}

/* What is counted by bits may be off, and never says more than there can be. */
static uint32_t at_most(uint32_t count, uint32_t most)
{
    return count < most ? count : most;
}

static void answer_fill(const struct campaign *known, uint64_t now_ms, struct campaign_answer *out)
{
    struct campaign campaign = *known;
    periods_move(&campaign, now_ms);
    const struct sightings *now = &campaign.now, *before = &campaign.before;
    uint32_t count = now->count + before->count, addressed = now->addressed + before->addressed;
    *out = (struct campaign_answer){ .kind = campaign.kind,
                                     .id = campaign.id,
                                     .count = count,
                                     .networks = at_most(set_size(now->networks, before->networks), count),
                                     .senders = at_most(set_size(now->senders, before->senders), count),
                                     .recipients =
                                         at_most(set_size(now->recipients, before->recipients), addressed),
                                     .since_ms = before->since_ms ? before->since_ms : now->since_ms,
                                     .reporters = reporters_of(&campaign, now_ms),
                                     .is_stopped = is_recent(campaign.stopped_ms, now_ms) };
    out->is_stopped_by_user = out->is_stopped && campaign.stopped_by != 0;
}

/* --- finding --- */

enum { CANDIDATES_MOST = CAMPAIGN_BANDS * BUCKET_SLOTS };

struct candidates {
    uint32_t numbers[CANDIDATES_MOST], votes[CANDIDATES_MOST], count;
};

static void vote(struct candidates *candidates, uint32_t number)
{
    uint32_t at = 0;
    while (at < candidates->count && candidates->numbers[at] != number) at++;
    if (at == candidates->count) {
        candidates->numbers[candidates->count++] = number;
        candidates->votes[at] = 0;
    }
    candidates->votes[at]++;
}

static void key_look(const struct campaign_table *table, uint64_t key, struct candidates *out)
{
    const uint32_t *bucket = bucket_of(table, key);
    for (int i = 0; i < BUCKET_SLOTS; i++) {
        uint32_t value = bucket[i] - 1, number = value / CAMPAIGN_BANDS;
        if (number >= CAMPAIGN_MOST) continue; /* free; or the file is damaged */
        if (table->file->list[number].keys[value % CAMPAIGN_BANDS] == key) vote(out, number);
    }
}

/* The one that shares most keys, and at least `least`. CAMPAIGN_MOST: none does. */
static uint32_t keys_find(const struct campaign_table *table, const uint64_t *keys, uint32_t count,
                          uint32_t least)
{
    struct candidates candidates = { .count = 0 };
    uint32_t best = CAMPAIGN_MOST, most = least - 1;
    for (uint32_t i = 0; i < count; i++) key_look(table, keys[i], &candidates);
    for (uint32_t i = 0; i < candidates.count; i++) {
        if (candidates.votes[i] <= most) continue;
        most = candidates.votes[i];
        best = candidates.numbers[i];
    }
    return best;
}

/* The parts of a sketch that may each belong to a campaign: its text or line, and its files. */
struct piece {
    enum campaign_kind kind;
    const uint64_t *keys;
    uint32_t count, least; /* keys; how many have to be shared */
};
enum { PIECES_MOST = 1 + CAMPAIGN_FILES_MOST };

static uint32_t pieces_of(const struct campaign_sketch *sketch, struct piece out[PIECES_MOST])
{
    uint32_t count = 0;
    if (sketch->bands[0])
        out[count++] = (struct piece){ CAMPAIGN_TEXT, sketch->bands, CAMPAIGN_BANDS, CAMPAIGN_BANDS_LEAST };
    else if (sketch->line)
        out[count++] = (struct piece){ CAMPAIGN_LINE, &sketch->line, 1, 1 };
    for (uint32_t i = 0; i < sketch->file_count; i++)
        out[count++] = (struct piece){ CAMPAIGN_FILE, &sketch->files[i], 1, 1 };
    return count;
}

static uint32_t piece_find(const struct campaign_table *table, const struct piece *piece)
{
    return keys_find(table, piece->keys, piece->count, piece->least);
}

/* Stopped before told of before spread. */
static bool is_heavier(const struct campaign_answer *a, const struct campaign_answer *b)
{
    if (a->is_stopped != b->is_stopped) return a->is_stopped;
    if (a->is_told_by_all != b->is_told_by_all) return a->is_told_by_all;
    if (a->reporters != b->reporters) return a->reporters > b->reporters;
    return a->networks > b->networks;
}

static bool is_told_by_all(const struct campaign_table *table, const struct campaign *campaign,
                           const struct text *recipients, uint32_t count, uint64_t now_ms)
{
    for (uint32_t i = 0; i < count; i++)
        if (!is_told_by(campaign, reporter_hash(table, recipients[i]), now_ms)) return false;
    return count > 0;
}

void campaign_table_look(const struct campaign_table *table, const struct campaign_sketch *sketch,
                         const struct text *recipients, uint32_t recipient_count, uint64_t now_ms,
                         struct campaign_answer *out)
{
    struct piece pieces[PIECES_MOST];
    uint32_t count = pieces_of(sketch, pieces);
    *out = (struct campaign_answer){ 0 };
    if (table->file->version != VERSION) return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = piece_find(table, &pieces[i]);
        if (number == CAMPAIGN_MOST) continue;
        const struct campaign campaign = table->file->list[number]; /* another process may write there */
        struct campaign_answer answer;
        if (!is_sound(&campaign)) continue;
        answer_fill(&campaign, now_ms, &answer);
        answer.is_told_by_all = is_told_by_all(table, &campaign, recipients, recipient_count, now_ms);
        if (out->id == 0 || is_heavier(&answer, out)) *out = answer;
    }
}

/* --- changing --- */

static void drop(struct campaign_table *table, uint32_t number)
{
    struct campaign *campaign = &table->file->list[number];
    if (campaign->id == 0) return;
    index_change(table, number, slot_remove);
    *campaign = (struct campaign){ 0 };
    table->count--;
}

/* How dear one is: free, of long ago, by its networks, told of or stopped. */
static uint64_t rank_of(const struct campaign *campaign, uint64_t now_ms)
{
    if (campaign->id == 0) return 0;
    bool is_acting = is_recent(campaign->stopped_ms, now_ms) || reporters_of(campaign, now_ms) > 0;
    bool is_old = !is_within(campaign->last_ms, now_ms, 2 * CAMPAIGN_PERIOD_MS);
    uint64_t networks = is_old ? 0 : (uint64_t)bits_of(campaign->now.networks, campaign->before.networks);
    return 1 + networks + (is_acting ? UINT64_C(1) << 32 : 0);
}

/* Of the set, the one that is worth least; of equals that which nobody sent for longest. */
static uint32_t victim_in(const struct campaign_table *table, uint32_t set, uint64_t now_ms)
{
    uint32_t first = set * CAMPAIGN_WAYS, victim = first;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = first; i < first + CAMPAIGN_WAYS; i++) {
        const struct campaign *campaign = &table->file->list[i];
        uint64_t rank = rank_of(campaign, now_ms);
        if (rank > least) continue;
        if (rank == least && campaign->last_ms >= table->file->list[victim].last_ms) continue;
        victim = i;
        least = rank;
        if (rank == 0) break;
    }
    return victim;
}

/* `place`: a hash that chooses the set. */
static uint32_t begin(struct campaign_table *table, const struct piece *piece, uint64_t place,
                      uint64_t now_ms)
{
    uint32_t number = victim_in(table, (uint32_t)(place % CAMPAIGN_SETS), now_ms);
    struct campaign *campaign = &table->file->list[number];
    drop(table, number);
    campaign->kind = piece->kind;
    memcpy(campaign->keys, piece->keys, piece->count * sizeof *piece->keys);
    campaign->id =
        hash_text_by(VERSION, text_from((const char *)campaign->keys, sizeof campaign->keys)) >> 24 | 1;
    campaign->period_ms = now_ms;
    index_change(table, number, slot_put);
    table->count++;
    return number;
}

static void message_note(struct campaign *campaign, uint64_t id)
{
    campaign->messages[campaign->next_message % CAMPAIGN_MESSAGES_MOST] = id;
    campaign->next_message = (campaign->next_message + 1) % CAMPAIGN_MESSAGES_MOST;
}

static void sighting_add(struct campaign_table *table, struct campaign *campaign,
                         const struct campaign_message *message, uint64_t now_ms)
{
    struct sightings *now = &campaign->now;
    periods_move(campaign, now_ms);
    if (now->since_ms == 0) now->since_ms = now_ms;
    if (now->count < UINT32_MAX / 2) now->count++;
    set_add(now->networks, network_hash(table, &message->client));
    set_add(now->senders, hash_of(table, envelope_domain_of(message->sender)));
    for (uint32_t i = 0; i < message->recipient_count && i < CAMPAIGN_COUNTED_MOST; i++) {
        set_add(now->recipients, hash_of(table, message->recipients[i]));
        if (now->addressed < UINT32_MAX / 2) now->addressed++;
    }
    campaign->last_ms = now_ms;
    if (message->is_taken && message->id) message_note(campaign, message->id);
    seal(campaign);
}

void campaign_table_count(struct campaign_table *table, const struct campaign_sketch *sketch,
                          const struct campaign_message *message, uint64_t now_ms)
{
    struct piece pieces[PIECES_MOST];
    uint32_t count = pieces_of(sketch, pieces);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = piece_find(table, &pieces[i]);
        if (number == CAMPAIGN_MOST)
            number = begin(table, &pieces[i], network_hash(table, &message->client), now_ms);
        sighting_add(table, &table->file->list[number], message, now_ms);
    }
}

/* In the place that he has, a free one, or that of the oldest. */
static void reporter_note(struct campaign *campaign, uint64_t who, uint64_t now_ms)
{
    int at = 0;
    for (int i = 0; i < CAMPAIGN_REPORTERS_MOST; i++) {
        if (campaign->reporters[i].time_ms < campaign->reporters[at].time_ms) at = i;
        if (campaign->reporters[i].who != who || campaign->reporters[i].time_ms == 0) continue;
        at = i;
        break;
    }
    campaign->reporters[at] = (struct reporter){ who, now_ms };
}

/* A report is about these: a file beside a text may be anybody's. */
static uint32_t reported_of(const struct campaign_sketch *sketch, struct piece out[PIECES_MOST])
{
    uint32_t count = pieces_of(sketch, out);
    return count > 0 && out[0].kind != CAMPAIGN_FILE ? 1 : count;
}

/* Whose stop lasts already keeps it: nobody else takes it back. */
static void stop_note(struct campaign *campaign, uint64_t who, uint64_t now_ms)
{
    if (!is_recent(campaign->stopped_ms, now_ms)) campaign->stopped_by = who;
    campaign->stopped_ms = now_ms;
}

static bool has_message(const struct campaign *campaign, uint64_t id)
{
    for (int i = 0; id && i < CAMPAIGN_MESSAGES_MOST; i++)
        if (campaign->messages[i] == id) return true;
    return false;
}

uint64_t campaign_table_report(struct campaign_table *table, const struct campaign_sketch *sketch,
                               struct text reporter, uint64_t message, bool is_trusted, uint64_t now_ms)
{
    struct piece pieces[PIECES_MOST];
    uint32_t count = reported_of(sketch, pieces);
    uint64_t id = 0, who = reporter_hash(table, reporter);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = piece_find(table, &pieces[i]);
        if (number == CAMPAIGN_MOST) number = begin(table, &pieces[i], pieces[i].keys[0], now_ms);
        struct campaign *campaign = &table->file->list[number];
        if (is_trusted)
            stop_note(campaign, who, now_ms);
        else
            reporter_note(campaign, who, now_ms);
        if (message && !has_message(campaign, message)) message_note(campaign, message);
        seal(campaign);
        if (id == 0) id = campaign->id;
    }
    return id;
}

static bool reporter_remove(struct campaign *campaign, uint64_t who)
{
    for (int i = 0; i < CAMPAIGN_REPORTERS_MOST; i++) {
        if (campaign->reporters[i].who != who || campaign->reporters[i].time_ms == 0) continue;
        campaign->reporters[i] = (struct reporter){ 0 };
        return true;
    }
    return false;
}

uint64_t campaign_table_withdraw(struct campaign_table *table, const struct campaign_sketch *sketch,
                                 struct text reporter, uint64_t now_ms)
{
    struct piece pieces[PIECES_MOST];
    uint32_t count = reported_of(sketch, pieces);
    uint64_t id = 0, who = reporter_hash(table, reporter);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = piece_find(table, &pieces[i]);
        if (number == CAMPAIGN_MOST) continue;
        struct campaign *campaign = &table->file->list[number];
        bool is_his = is_recent(campaign->stopped_ms, now_ms) && campaign->stopped_by == who;
        if (reporter_remove(campaign, who) || is_his) id = campaign->id;
        seal(campaign);
        if (is_his) drop(table, number);
    }
    return id;
}

void campaign_table_stop(struct campaign_table *table, uint32_t number, uint64_t now_ms)
{
    table->file->list[number].stopped_ms = now_ms;
    table->file->list[number].stopped_by = 0;
    seal(&table->file->list[number]);
}

uint64_t campaign_table_clear(struct campaign_table *table, const struct campaign_sketch *sketch,
                              uint64_t now_ms)
{
    struct piece pieces[PIECES_MOST];
    uint32_t count = reported_of(sketch, pieces);
    uint64_t id = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = piece_find(table, &pieces[i]);
        if (number == CAMPAIGN_MOST) continue;
        const struct campaign *campaign = &table->file->list[number];
        if (!is_recent(campaign->stopped_ms, now_ms) && reporters_of(campaign, now_ms) == 0) continue;
        id = campaign->id;
        drop(table, number);
    }
    return id;
}

void campaign_table_sketch(const struct campaign_table *table, uint32_t number, struct campaign_sketch *out)
{
    const struct campaign *campaign = &table->file->list[number];
    *out = (struct campaign_sketch){ 0 };
    if (campaign->kind == CAMPAIGN_TEXT) memcpy(out->bands, campaign->keys, sizeof out->bands);
    if (campaign->kind == CAMPAIGN_LINE) out->line = campaign->keys[0];
    if (campaign->kind != CAMPAIGN_FILE) return;
    out->file_count = 1;
    out->files[0] = campaign->keys[0];
}

bool campaign_table_seek(const struct campaign_table *table, const struct campaign_sketch *sketch,
                         uint32_t *out_number)
{
    struct piece pieces[PIECES_MOST];
    *out_number = pieces_of(sketch, pieces) ? piece_find(table, &pieces[0]) : CAMPAIGN_MOST;
    return *out_number < CAMPAIGN_MOST;
}

/* A time of a future, since clocks differ, is now. */
static uint64_t rule_stopped(struct campaign_table *table, const struct campaign_ruling *ruling,
                             uint64_t now_ms)
{
    struct piece pieces[PIECES_MOST];
    uint32_t number;
    uint64_t time_ms = ruling->time_ms < now_ms ? ruling->time_ms : now_ms;
    if (!is_recent(time_ms, now_ms) || pieces_of(&ruling->sketch, pieces) == 0) return 0;
    if (!campaign_table_seek(table, &ruling->sketch, &number))
        number = begin(table, &pieces[0], pieces[0].keys[0], now_ms);
    struct campaign *campaign = &table->file->list[number];
    if (is_recent(campaign->stopped_ms, now_ms)) return 0;
    campaign->stopped_ms = time_ms;
    campaign->stopped_by = ruling->is_by_user ? reporter_hash(table, ruling->by) : 0;
    seal(campaign);
    return campaign->id;
}

uint64_t campaign_table_rule(struct campaign_table *table, const struct campaign_ruling *ruling,
                             uint64_t now_ms)
{
    uint32_t number;
    if (ruling->is_stopped) return rule_stopped(table, ruling, now_ms);
    if (!campaign_table_seek(table, &ruling->sketch, &number)) return 0;
    const struct campaign *campaign = &table->file->list[number];
    uint64_t id = is_recent(campaign->stopped_ms, now_ms) ? campaign->id : 0;
    if (id) drop(table, number);
    return id;
}

void campaign_table_forget(struct campaign_table *table, uint32_t number)
{
    drop(table, number);
}

/* --- looking at all --- */

bool campaign_table_find(const struct campaign_table *table, uint64_t id, uint64_t message,
                         uint32_t *out_number)
{
    for (uint32_t i = 0; i < CAMPAIGN_MOST; i++) {
        const struct campaign *campaign = &table->file->list[i];
        if (campaign->id == 0 || (campaign->id != id && !has_message(campaign, message))) continue;
        if (!is_sound(campaign)) continue;
        *out_number = i;
        return true;
    }
    return false;
}

bool campaign_table_view(const struct campaign_table *table, uint32_t number, uint64_t now_ms,
                         struct campaign_view *out)
{
    const struct campaign *campaign = &table->file->list[number];
    *out = (struct campaign_view){ .last_ms = campaign->last_ms };
    if (campaign->id == 0 || !is_sound(campaign)) return false;
    answer_fill(campaign, now_ms, &out->answer);
    out->stopped_ms = out->answer.is_stopped ? campaign->stopped_ms : 0;
    for (uint32_t i = 1; i <= CAMPAIGN_MESSAGES_MOST; i++) {
        uint64_t id =
            campaign
                ->messages[(campaign->next_message + CAMPAIGN_MESSAGES_MOST - i) % CAMPAIGN_MESSAGES_MOST];
        if (id) out->messages[out->message_count++] = id;
    }
    return true;
}

uint32_t campaign_table_count_all(const struct campaign_table *table)
{
    return table->count;
}

/* --- life --- */

static bool is_free(const struct campaign *campaign)
{
    static const struct campaign free_place;
    return memcmp(campaign, &free_place, sizeof *campaign) == 0;
}

static void list_read(struct campaign_table *table, struct campaign_table_found *out)
{
    for (uint32_t i = 0; i < CAMPAIGN_MOST; i++) {
        struct campaign *campaign = &table->file->list[i];
        if (campaign->id != 0 && is_sound(campaign)) {
            index_change(table, i, slot_put);
            table->count++;
        } else if (!is_free(campaign)) {
            *campaign = (struct campaign){ 0 };
            out->damaged++;
        }
    }
    out->count = table->count;
}

/* A head of zeros before other bytes is what a power loss leaves of a file that was never written back. */
static bool has_bytes(const struct file *file)
{
    const char *bytes = (const char *)file;
    return bytes[0] != 0 || memcmp(bytes, bytes + 1, sizeof *file - 1) != 0;
}

struct campaign_table *campaign_table_open(void *room, struct campaign_table_found *out_found)
{
    struct campaign_table *table = memory_alloc(sizeof *table);
    table->file = room;
    *out_found = (struct campaign_table_found){ 0 };
    if (table->file->version == VERSION && table->file->key) {
        memset(table->file->index, 0, sizeof table->file->index);
        list_read(table, out_found);
        return table;
    }
    out_found->is_other = has_bytes(table->file);
    if (out_found->is_other) memset(room, 0, CAMPAIGN_FILE_BYTES);
    table->file->key = hash_new_key();
    table->file->version = VERSION;
    return table;
}

struct campaign_table *campaign_table_read(const void *room)
{
    struct campaign_table *table = memory_alloc(sizeof *table);
    table->file = (struct file *)room; /* looking writes nothing */
    return table;
}

void campaign_table_free(struct campaign_table *table)
{
    free(table);
}
