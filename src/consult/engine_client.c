/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages wait in one line, by the time they came; since each has the same time, that is the order of their
   deadlines too. Called by main.c and by the links. */
#include "consult/engine_client.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "base/stream.h"
#include "config/engines.h"
#include "consult/breaker.h"

enum {
    WAITING_MOST = 2048,                    /* looks of one engine */
    WAITING_BYTES_MOST = 128 * 1024 * 1024, /* of bodies and envelopes that came inside frames */
    LOSSES_MOST = 2,
};

struct engine_client {
    enum { CLIENT_MAGIC = 0x58c1e70b } magic;
    struct loop *loop;
    struct arena *arena; /* of `engine` */
    struct outside_engine engine;
    const struct engine_link_calls *calls;
    struct breaker breaker;
    struct engine_counts counts, taken;
    TAILQ_HEAD(look_line, look) looks;
    LIST_HEAD(link_list, engine_link) links;
    uint32_t look_count, link_count, links_most;
    uint64_t copied_bytes;
    struct timer *timer; /* the first look's deadline */
    struct timer *trial; /* while it is sick: when it is tried, if no message does it */
    struct deferred drive;
    char version[ENGINE_WORDS_MOST + 1], trouble[ENGINE_WORDS_MOST + 1];
    void *memo, *ways;
    bool is_retired, is_blind;
};

static void link_end(struct engine_link *link, struct text why, bool is_its_own);

/* --- a look --- */

struct look *look_new(struct body *body, uint64_t id, void *asker,
                      void (*answered)(struct look *look, const struct engine_answer *answer))
{
    struct look *look = memory_alloc(sizeof *look);
    *look =
        (struct look){ .magic = LOOK_MAGIC, .body = *body, .id = id, .asker = asker, .answered = answered };
    *body = (struct body){ 0 };
    body_keep(&look->body);
    return look;
}

static uint64_t copied_bytes(const struct look *look)
{
    return buffer_length(&look->body.small) + buffer_length(&look->envelope);
}

static void look_free(struct look *look)
{
    body_free(&look->body);
    buffer_free(&look->envelope);
    free(look);
}

/* Out of the line, and of its link, which is closed where it does not go on: before the message's descriptor
 * is. */
static void look_take_out(struct look *look, bool is_answered)
{
    struct engine_client *client = look->client;
    struct engine_link *link = look->link;
    TAILQ_REMOVE(&client->looks, look, line);
    client->look_count--;
    client->copied_bytes -= copied_bytes(look);
    look->link = NULL;
    if (link) link->looks--;
    if (link && (!is_answered || !link->calls->goes_on(link, look))) link_end(link, TEXT_NONE, false);
    loop_defer(client->loop, &client->drive);
}

static void look_end(struct look *look, const struct engine_answer *answer)
{
    look->answered(look, answer);
    look_free(look);
}

/* --- how the engine is --- */

/* Words that lie in what is freed meanwhile: as much as counts, with a NUL. */
static struct text words_keep(struct text words, char room[ENGINE_WORDS_MOST + 1])
{
    return text_from(room, text_copy_printable(words, room, ENGINE_WORDS_MOST + 1));
}

static void well(struct engine_client *client)
{
    timer_clear(client->trial);
    if (breaker_answered(&client->breaker))
        log_warning("engine %.*s answers again", TEXT_ARG(client->engine.name));
}

static void sick(struct engine_client *client, struct text why)
{
    words_keep(why, client->trouble);
    bool is_new = breaker_failed(&client->breaker, loop_now_ms(client->loop));
    if (client->breaker.is_sick) timer_set(client->trial, client->engine.pause_ms);
    if (!is_new) return;
    log_error("ALARM: engine %.*s at %.*s does not answer: %s; it is tried again every %g s, and meanwhile "
              "mail is %s",
              TEXT_ARG(client->engine.name), TEXT_ARG(client->engine.target), client->trouble,
              (double)client->engine.pause_ms / 1000,
              client->engine.unavailable == LACK_DEFER       ? "deferred"
              : client->engine.unavailable == LACK_UNSCANNED ? "delivered as unscanned by it"
                                                             : "judged without it");
}

/* --- answers --- */

/* Nothing that the engine can help: it says nothing of its health. */
static void look_spare(struct engine_client *client, struct look *look, enum scan_state state,
                       bool is_oversize, const char *why)
{
    client->counts.spared += !is_oversize && !look->is_own;
    client->counts.limits += is_oversize && !look->is_own;
    look_end(look, &(struct engine_answer){ .state = state,
                                            .is_oversize = is_oversize,
                                            .name = text_of(why),
                                            .version = text_of(client->version) });
}

/* `is_late`: what its link says next may be its answer. */
static void look_fail(struct look *look, struct text why, bool is_late)
{
    struct engine_client *client = look->client;
    char room[ENGINE_WORDS_MOST + 1];
    why = words_keep(why, room);
    client->counts.late += is_late && !look->is_own;
    client->counts.failed += !is_late && !look->is_own;
    look_take_out(look, !is_late);
    sick(client, why);
    look_end(look, &(struct engine_answer){
                       .state = SCAN_UNSCANNED, .name = why, .version = text_of(client->version) });
}

static void look_done(struct look *look, struct engine_answer answer)
{
    struct engine_client *client = look->client;
    client->counts.clean += answer.state == SCAN_CLEAN && !look->is_own;
    client->counts.found += answer.state == SCAN_FOUND && !look->is_own;
    client->counts.limits += answer.state == SCAN_LIMITS && !look->is_own;
    char room[ENGINE_WORDS_MOST + 1];
    answer.name = words_keep(answer.name, room);
    answer.version = text_of(client->version);
    look_take_out(look, true);
    well(client);
    look_end(look, &answer);
}

void engine_client_answered(struct look *look, enum scan_state state, struct text name)
{
    if (state == SCAN_UNSCANNED)
        engine_client_refused(look, name);
    else
        look_done(look, (struct engine_answer){ .state = state, .name = name });
}

void engine_client_opined(struct look *look, bool is_spam, double score, double line, struct text names)
{
    look_done(look,
              (struct engine_answer){
                  .state = is_spam ? SCAN_FOUND : SCAN_CLEAN, .name = names, .score = score, .line = line });
}

void engine_client_refused(struct look *look, struct text why)
{
    look_fail(look, why, false);
}

/* --- links --- */

static void link_close(struct engine_link *link)
{
    LIST_REMOVE(link, others);
    link->client->link_count--;
    link->calls->close(link);
}

/* `is_its_own`: nothing of ours made it end, so that perhaps one of its looks did. */
static void link_end(struct engine_link *link, struct text why, bool is_its_own)
{
    struct engine_client *client = link->client;
    char room[ENGINE_WORDS_MOST + 1];
    why = words_keep(why, room);
    for (struct look *next, *look = TAILQ_FIRST(&client->looks); look; look = next) {
        next = TAILQ_NEXT(look, line);
        if (look->link != link) continue;
        look->link = NULL;
        link->looks--;
        look->losses += is_its_own;
        if (look->losses >= LOSSES_MOST) look_fail(look, why, false);
    }
    link_close(link);
    loop_defer(client->loop, &client->drive);
}

void engine_client_link_lost(struct engine_link *link, struct text why)
{
    link_end(link, why, true);
}

void engine_client_link_done(struct engine_link *link)
{
    link_end(link, TEXT_NONE, false);
}

void engine_client_link_ready(struct engine_link *link)
{
    loop_defer(link->client->loop, &link->client->drive);
}

static struct engine_link *link_open(struct engine_client *client)
{
    struct engine_link *link = client->calls->open(client, client->loop);
    link->magic = LINK_MAGIC;
    link->calls = client->calls;
    link->client = client;
    LIST_INSERT_HEAD(&client->links, link, others);
    client->link_count++;
    return link;
}

static struct engine_link *link_idle(struct engine_client *client)
{
    struct engine_link *link;
    LIST_FOREACH(link, &client->links, others)
        if (link->looks == 0) return link;
    return NULL;
}

static struct engine_link *link_beside(struct engine_client *client)
{
    struct engine_link *link, *best = NULL;
    LIST_FOREACH(link, &client->links, others)
        if (!link->is_alone && link->calls->has_room(link) && (!best || link->looks < best->looks))
            best = link;
    return best;
}

static bool may_open(const struct engine_client *client)
{
    uint32_t most = client->engine.connections;
    if (client->links_most && client->links_most < most) most = client->links_most;
    return client->link_count < most;
}

/* An idle link, else a new one, else one beside other messages; NULL: it waits. */
static struct engine_link *link_for(struct engine_client *client, const struct look *look)
{
    struct engine_link *link = link_idle(client);
    if (!link && may_open(client)) link = link_open(client);
    return link || look->losses > 0 ? link : link_beside(client);
}

static void look_put(struct look *look, struct engine_link *link)
{
    look->link = link;
    link->looks++;
    link->is_alone = look->losses > 0;
    link->calls->take(link, look);
}

static void client_free(struct engine_client *client)
{
    while (!LIST_EMPTY(&client->links)) link_close(LIST_FIRST(&client->links));
    loop_defer_cancel(client->loop, &client->drive);
    timer_free(client->timer);
    timer_free(client->trial);
    arena_free(client->arena);
    free(client);
}

static void deadline_set(struct engine_client *client)
{
    const struct look *first = TAILQ_FIRST(&client->looks);
    uint64_t now = loop_now_ms(client->loop);
    if (first)
        timer_set(client->timer, first->due_ms > now ? first->due_ms - now : 0);
    else
        timer_clear(client->timer);
}

static void drive(void *context)
{
    struct engine_client *client = CONTEXT(context, struct engine_client, CLIENT_MAGIC);
    if (client->is_retired && client->look_count == 0) {
        client_free(client);
        return;
    }
    for (struct look *next, *look = TAILQ_FIRST(&client->looks); look; look = next) {
        next = TAILQ_NEXT(look, line);
        if (look->link) continue;
        struct engine_link *link = link_for(client, look);
        if (!link) break;
        look_put(look, link);
    }
    deadline_set(client);
}

static void deadline_passed(void *context)
{
    struct engine_client *client = CONTEXT(context, struct engine_client, CLIENT_MAGIC);
    uint64_t now = loop_now_ms(client->loop);
    for (struct look *look; (look = TAILQ_FIRST(&client->looks)) && look->due_ms <= now;)
        look_fail(look, TEXT("no answer in time"), true);
    deadline_set(client);
}

/* --- trials --- */

static void trial_answered(struct look *look, const struct engine_answer *answer)
{
    (void)look, (void)answer; /* the breaker has heard of it */
}

/* Mail may stay away from a node that has a sick engine, and then none would find it well again. */
static void trial_begin(void *context)
{
    static const struct text mail =
        TEXT("Subject: does this engine answer again?\r\n\r\nIt was left alone for a while.\r\n");
    struct engine_client *client = CONTEXT(context, struct engine_client, CLIENT_MAGIC);
    if (!client->breaker.is_sick || client->is_retired) return;
    struct body body = { .mapped = mail, .size = mail.length };
    struct look *look = look_new(&body, 0, NULL, trial_answered);
    look->is_own = true;
    timer_set(client->trial, client->engine.pause_ms);
    engine_client_ask(client, look);
}

/* --- the client --- */

static struct text_list list_copy(struct arena *arena, const struct text_list *list)
{
    struct text_list copy = { .items = arena_alloc_array(arena, list->count, sizeof *list->items) };
    for (; copy.count < list->count; copy.count++)
        copy.items[copy.count] = arena_text(arena, list->items[copy.count]);
    return copy;
}

static struct outside_engine engine_copy(struct arena *arena, const struct outside_engine *engine)
{
    struct outside_engine copy = *engine;
    copy.name = arena_text(arena, engine->name);
    copy.target = arena_text(arena, engine->target);
    copy.path = arena_text(arena, engine->path);
    copy.service = arena_text(arena, engine->service);
    copy.pattern = arena_text(arena, engine->pattern);
    copy.user = arena_text(arena, engine->user);
    copy.settings = arena_text(arena, engine->settings);
    copy.command = list_copy(arena, &engine->command);
    copy.clean = list_copy(arena, &engine->clean);
    copy.found = list_copy(arena, &engine->found);
    copy.reads = list_copy(arena, &engine->reads);
    return copy;
}

struct engine_client *engine_client_new(struct loop *loop, const struct outside_engine *engine,
                                        const struct engine_link_calls *calls, void *ways)
{
    struct engine_client *client = memory_alloc(sizeof *client);
    client->magic = CLIENT_MAGIC;
    client->loop = loop;
    client->arena = arena_new(1024);
    client->engine = engine_copy(client->arena, engine);
    client->calls = calls;
    client->ways = ways;
    client->breaker.failures_most = engine->failures;
    client->breaker.pause_ms = engine->pause_ms;
    client->timer = timer_new(loop, deadline_passed, client);
    client->trial = timer_new(loop, trial_begin, client);
    client->drive = (struct deferred){ .run = drive, .context = client };
    TAILQ_INIT(&client->looks);
    LIST_INIT(&client->links);
    return client;
}

void engine_client_ask(struct engine_client *client, struct look *look)
{
    look->client = client;
    if (look->body.is_lost) {
        look_spare(client, look, SCAN_UNSCANNED, false, "there was no room for the message");
    } else if (look->body.size > client->engine.size_most) {
        look_spare(client, look, SCAN_LIMITS, true, "larger than it looks at");
    } else if (client->look_count >= WAITING_MOST || client->copied_bytes >= WAITING_BYTES_MOST) {
        look_spare(client, look, SCAN_UNSCANNED, false, "too many messages wait for it");
    } else if (!breaker_may_ask(&client->breaker, loop_now_ms(client->loop))) {
        look_spare(client, look, SCAN_UNSCANNED, false, client->trouble);
    } else {
        look->is_trial = client->breaker.is_sick;
        look->due_ms = loop_now_ms(client->loop) + client->engine.time_ms;
        TAILQ_INSERT_TAIL(&client->looks, look, line);
        client->look_count++;
        client->counts.asked += !look->is_own;
        client->copied_bytes += copied_bytes(look);
        loop_defer(client->loop, &client->drive);
    }
}

bool engine_client_take_back(struct look *look)
{
    if (look->link && !look->client->calls->stops) return false;
    if (look->is_trial) breaker_let_go(&look->client->breaker);
    look_take_out(look, !look->link);
    look_free(look);
    return true;
}

bool engine_client_skip(struct look *look)
{
    look->client->counts.skipped++;
    return engine_client_take_back(look);
}

bool engine_client_is_of(const struct engine_client *client, const struct outside_engine *engine)
{
    return config_engines_are_same(&client->engine, engine);
}

void engine_client_retire(struct engine_client *client)
{
    client->is_retired = true;
    loop_defer(client->loop, &client->drive);
}

const struct engine_counts *engine_client_counts(const struct engine_client *client)
{
    return &client->counts;
}

void engine_client_counts_take(struct engine_client *client, struct engine_counts *out)
{
    const struct engine_counts *now = &client->counts, *before = &client->taken;
    *out = (struct engine_counts){ now->asked - before->asked,   now->clean - before->clean,
                                   now->found - before->found,   now->limits - before->limits,
                                   now->failed - before->failed, now->late - before->late,
                                   now->spared - before->spared, now->skipped - before->skipped };
    client->taken = client->counts;
}

const struct outside_engine *engine_client_engine(const struct engine_client *client)
{
    return &client->engine;
}

bool engine_client_is_sick(const struct engine_client *client)
{
    return client->breaker.is_sick;
}

void engine_client_print(const struct engine_client *client, struct buffer *out)
{
    if (client->breaker.is_sick)
        buffer_printf(out, "sick: %s", client->trouble);
    else if (client->breaker.failures > 0)
        buffer_printf(out, "failing: %s", client->trouble);
    else
        buffer_printf(out, client->counts.asked ? "well" : "not asked yet");
    if (client->version[0]) buffer_printf(out, ", %s", client->version);
}

void engine_client_version(struct engine_client *client, struct text version)
{
    words_keep(version, client->version);
}

void engine_client_connections(struct engine_client *client, uint32_t most)
{
    client->links_most = most;
}

void engine_client_set_blind(struct engine_client *client)
{
    client->is_blind = true;
}

void *engine_client_memo(struct engine_client *client, size_t size)
{
    if (!client->memo) client->memo = arena_alloc(client->arena, size);
    return client->memo;
}

void *engine_client_ways(const struct engine_client *client)
{
    return client->ways;
}

bool engine_client_is_blind(const struct engine_client *client)
{
    return client->is_blind;
}

struct stream *engine_client_connect(struct engine_client *client, struct loop *loop,
                                     const struct stream_events *events, void *context)
{
    if (client->engine.path.length > 0)
        return stream_connect_local(loop, client->engine.path, events, context);
    return stream_connect(loop, &client->engine.endpoint, NULL, events, context);
}
