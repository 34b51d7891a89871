/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* consult: asks engines outside about the messages that receive brings, and answers what they said; and
   fetches lists by HTTPS for lookup. It connects to those and to nobody else, opens no file but those lists,
   and decides nothing. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tls.h"
#include "config/engines.h"
#include "config/load.h"
#include "consult/command_link.h"
#include "consult/engine_client.h"
#include "consult/engine_measures.h"
#include "consult/list_fetcher.h"
#include "ipc/ask_consult.h"
#include "ipc/child.h"
#include "ipc/counters.h"

enum { CLIENTS_MOST = CONFIG_ENGINES_MOST + CONFIG_OPINIONS_MOST };

struct service {
    enum { SERVICE_MAGIC = 0x4a91c0d6 } magic;
    struct child child;
    struct engine_client
        *clients[CLIENTS_MOST]; /* of the configuration's engines, by index, then of opinions */
    size_t client_count;
    struct command_ways *commands;
    struct list_fetcher *lists;
    struct counters_slot *page; /* NULL: nobody looks */
};

struct peer {
    enum { PEER_MAGIC = 0x71e8b24f } magic;
    struct service *service;
    struct channel *channel;
    LIST_HEAD(look_list, look) looks;
};

/* --- answers --- */

static void answer_send(struct peer *peer, enum consult_frame type, uint64_t id,
                        const struct engine_answer *answer)
{
    struct buffer bytes = { 0 };
    engine_answer_put(answer, &bytes);
    put_text(channel_begin(peer->channel, type, id), buffer_text(&bytes));
    channel_end(peer->channel);
    buffer_free(&bytes);
}

static void look_answered(struct look *look, const struct engine_answer *answer)
{
    struct peer *peer = look->asker;
    bool is_opinion = config_engine_is_opinion(engine_client_engine(look->client));
    if (!peer) return; /* nobody waits for it any more */
    LIST_REMOVE(look, of_asker);
    answer_send(peer, is_opinion ? CONSULT_OPINION : CONSULT_ANSWER, look->id, answer);
}

static void look_forget(struct look *look, bool (*take_back)(struct look *look))
{
    LIST_REMOVE(look, of_asker);
    look->asker = NULL;
    take_back(look);
}

/* --- a receive process --- */

/* NULL: there is none by that name. */
static struct engine_client *client_find(const struct service *service, struct text name, bool is_opinion)
{
    for (size_t i = 0; i < service->client_count; i++) {
        const struct outside_engine *engine = engine_client_engine(service->clients[i]);
        if (config_engine_is_opinion(engine) == is_opinion && text_equal(engine->name, name))
            return service->clients[i];
    }
    return NULL;
}

static bool look_begin(struct peer *peer, struct frame *frame)
{
    bool is_opinion = frame->type == CONSULT_OPINE;
    struct text name, envelope = TEXT_NONE;
    struct body body;
    bool is_good = is_opinion ? consult_opine_get(frame, &name, &envelope, &body)
                              : consult_look_get(frame, &name, &body);
    if (!is_good) return false;
    struct engine_client *client = client_find(peer->service, name, is_opinion);
    if (!client) {
        body_free(&body);
        answer_send(
            peer, is_opinion ? CONSULT_OPINION : CONSULT_ANSWER, frame->id,
            &(struct engine_answer){ .state = SCAN_UNSCANNED, .name = TEXT("no engine has this name") });
        return true;
    }
    struct look *look = look_new(&body, frame->id, peer, look_answered);
    buffer_add_text(&look->envelope, envelope);
    LIST_INSERT_HEAD(&peer->looks, look, of_asker);
    engine_client_ask(client, look);
    return true;
}

static void look_cancel(struct peer *peer, uint64_t id, bool (*take_back)(struct look *look))
{
    struct look *look;
    LIST_FOREACH(look, &peer->looks, of_asker)
        if (look->id == id) break;
    if (look) look_forget(look, take_back);
}

static bool peer_on_frame(void *context, struct frame *frame)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    if (frame->type == CONSULT_LOOK || frame->type == CONSULT_OPINE) return look_begin(peer, frame);
    if (frame->type != CONSULT_CANCEL && frame->type != CONSULT_NEEDLESS) return false;
    look_cancel(peer, frame->id,
                frame->type == CONSULT_NEEDLESS ? engine_client_skip : engine_client_take_back);
    return true;
}

static void peer_on_closed(void *context)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    while (!LIST_EMPTY(&peer->looks)) look_forget(LIST_FIRST(&peer->looks), engine_client_take_back);
    channel_close(peer->channel);
    free(peer);
}

static void receive_open(void *context, uint16_t index, int fd)
{
    static const struct channel_events events = { peer_on_frame, peer_on_closed };
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct peer *peer = memory_alloc(sizeof *peer);
    peer->magic = PEER_MAGIC;
    peer->service = service;
    LIST_INIT(&peer->looks);
    peer->channel = channel_open(service->child.loop, fd, &events, peer);
}

static void engine_open(void *context, uint16_t index, int fd)
{
    command_link_ways_connect(CONTEXT(context, struct service, SERVICE_MAGIC)->commands, fd);
}

static void lookup_open(void *context, uint16_t index, int fd)
{
    list_fetcher_connect(CONTEXT(context, struct service, SERVICE_MAGIC)->lists, fd);
}

static const struct child_peer peers[] = {
    { PROCESS_RECEIVE, receive_open }, { PROCESS_ENGINE, engine_open }, { PROCESS_LOOKUP, lookup_open }, { 0 }
};

/* --- the engines --- */

/* The client of before for the same statement goes on with its connections and counts. */
static struct engine_client *client_take(struct service *service, struct engine_client **old,
                                         const struct outside_engine *engine)
{
    static const struct engine_link_calls *const calls[ENGINE_KINDS] = { [ENGINE_CLAMD] = &clamd_link_calls,
                                                                         [ENGINE_ICAP] = &icap_link_calls,
                                                                         [ENGINE_COMMAND] =
                                                                             &command_link_calls,
                                                                         [ENGINE_SPAMD] = &opinion_link_calls,
                                                                         [ENGINE_RSPAMD] =
                                                                             &opinion_link_calls };
    for (size_t i = 0; i < CLIENTS_MOST; i++) {
        struct engine_client *client = old[i];
        if (!client || !engine_client_is_of(client, engine)) continue;
        old[i] = NULL;
        return client;
    }
    return engine_client_new(service->child.loop, engine, calls[engine->kind], service->commands);
}

static void clients_set(struct service *service)
{
    const struct config *config = service->child.config;
    struct engine_client *old[CLIENTS_MOST];
    memcpy(old, service->clients, sizeof old);
    memset(service->clients, 0, sizeof service->clients);
    service->client_count = 0;
    for (size_t i = 0; i < config->engine_count; i++)
        service->clients[service->client_count++] = client_take(service, old, &config->engines[i]);
    for (size_t i = 0; i < config->opinion_count; i++)
        service->clients[service->client_count++] = client_take(service, old, &config->opinions[i]);
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        if (old[i]) engine_client_retire(old[i]);
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    clients_set(service);
    list_fetcher_configure(service->lists, service->child.config, false);
}

static void client_status(const struct engine_client *client, struct buffer *out)
{
    const struct engine_counts *counts = engine_client_counts(client);
    const struct outside_engine *engine = engine_client_engine(client);
    struct buffer value = { 0 };
    char name[300];
    engine_client_print(client, &value);
    snprintf(name, sizeof name, "engine %.*s", TEXT_ARG(engine->name));
    buffer_printf(&value,
                  ", asked %llu, clean %llu, found %llu, limits %llu, failed %llu, late %llu, spared %llu, "
                  "skipped %llu",
                  (unsigned long long)counts->asked, (unsigned long long)counts->clean,
                  (unsigned long long)counts->found, (unsigned long long)counts->limits,
                  (unsigned long long)counts->failed, (unsigned long long)counts->late,
                  (unsigned long long)counts->spared, (unsigned long long)counts->skipped);
    child_status_add(out, name, "%.*s", TEXT_ARG(buffer_text(&value)));
    buffer_free(&value);
}

static void on_status(void *context, struct buffer *out)
{
    const struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct buffer sick = { 0 };
    uint64_t asked = 0;
    for (size_t i = 0; i < service->client_count; i++) {
        client_status(service->clients[i], out);
        asked += engine_client_counts(service->clients[i])->asked;
        struct text name = engine_client_engine(service->clients[i])->name;
        if (engine_client_is_sick(service->clients[i]))
            buffer_printf(&sick, "%s%.*s", buffer_length(&sick) ? ", " : "", TEXT_ARG(name));
    }
    list_fetcher_status(service->lists, out);
    child_status_add(out, "engines", "%zu", service->client_count);
    child_status_add(out, "asked", "%llu", (unsigned long long)asked);
    if (buffer_length(&sick) > 0) child_status_add(out, "sick", "%.*s", TEXT_ARG(buffer_text(&sick)));
    buffer_free(&sick);
}

static void on_health(void *context, struct health_facts *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    uint64_t sick = 0;
    for (size_t i = 0; i < service->client_count; i++)
        if (engine_client_is_sick(service->clients[i])) sick |= UINT64_C(1) << i;
    health_know(out, HEALTH_ENGINES, service->client_count);
    health_know(out, HEALTH_ENGINES_SICK, sick);
    if (service->page)
        engine_measures_write(&service->page->measures.consult, service->clients, service->client_count);
}

static const struct child_events events = {
    .peers = peers, .on_config = on_config, .on_status = on_status, .on_health = on_health
};

static void chance_seed(void)
{
    long seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) die_errno("no random numbers");
    srand48(seed);
}

/* `path`: of the folder, for the jail. */
static void lists_begin(struct service *service, char path[PATH_MAX])
{
    int folder = child_folder_fd(&service->child, "lists");
    if (folder < 0) die("consult was given no folder lists");
    if (!file_path_of(folder, path, PATH_MAX)) die_errno("the folder lists has no path");
    service->lists = list_fetcher_new(service->child.loop, folder);
}

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    char path[PATH_MAX];
    child_start(&service.child, PROCESS_CONSULT, argc, argv);
    int counters = child_map_fd(&service.child, "counters", NULL);
    if (counters >= 0) service.page = counters_map(counters, COUNTERS_SLOT_CONSULT, true);
    if (service.page) measures_begin(&service.page->measures);
    json_prepare();
    tls_warm_up();
    chance_seed();
    lists_begin(&service, path);
    const char *const folders[] = { path, NULL };
    if (!child_jail(&service.child, JAIL_CONNECT | JAIL_LOCAL | JAIL_FILES | JAIL_BODIES, folders, NULL))
        return EX_OSERR;
    service.commands = command_link_ways_new(service.child.loop);
    clients_set(&service);
    list_fetcher_configure(service.lists, service.child.config, true);
    return child_run(&service.child, &events, &service);
}
