/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* deliver: hands messages of queue to servers, and asks servers about recipients for receive. Here frames of
   the peers find their way to jobs, call-outs and the pool. */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "config/domains.h"
#include "deliver/adopted.h"
#include "deliver/callout.h"
#include "deliver/jobs.h"
#include "deliver/own_addresses.h"
#include "deliver/relays.h"
#include "deliver/uplink_probe.h"
#include "ipc/ask_rate.h"
#include "ipc/child.h"
#include "mail/charset.h"

struct service {
    enum { SERVICE_MAGIC = 0x56ab92dd } magic;
    struct child child;
    struct outbound_ground ground;
    struct own_addresses own;
    struct pool *pool;
    struct jobs *jobs;
    struct results *results;
    struct callouts *callouts;
    struct relays *relays;
    struct uplink_probe *uplink;
    struct channel *lookup; /* NULL while it is being restarted */
    struct timer *stop_timer;
};

struct peer {
    enum { PEER_MAGIC = 0x25c1e8a8 } magic;
    struct service *service;
    enum process_kind kind;
    struct channel *channel;
};

static bool lookup_frame(struct service *service, struct frame *frame)
{
    struct arena *arena = arena_new(0);
    struct host_answer host;
    struct mx_answer mx;
    struct sources_answer sources;
    bool is_good = false;
    if (frame->type == LOOKUP_HOST_IS && (is_good = host_answer_get(arena, frame, &host)))
        pool_host_is(service->pool, frame->id, &host);
    else if (frame->type == LOOKUP_MX_IS && (is_good = mx_answer_get(arena, frame, &mx)))
        pool_mx_is(service->pool, frame->id, &mx);
    else if (frame->type == LOOKUP_SOURCES_IS && (is_good = sources_answer_get(arena, frame, &sources)))
        pool_sources_are(service->pool, frame->id, &sources);
    arena_free(arena);
    return is_good;
}

static bool peer_on_frame(void *context, struct frame *frame)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    switch (peer->kind) {
    case PROCESS_QUEUE:
        return jobs_frame(peer->service->jobs, frame);
    case PROCESS_LOOKUP:
        return lookup_frame(peer->service, frame);
    case PROCESS_RECEIVE:
        if (frame->type >= DELIVER_RELAY && frame->type <= DELIVER_RELAY_CANCEL)
            return relays_frame(peer->service->relays, peer->channel, frame);
        return callout_frame(peer->service->callouts, peer->channel, frame);
    default:
        return false;
    }
}

static void peer_on_closed(void *context)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    struct service *service = peer->service;
    if (peer->kind == PROCESS_QUEUE) jobs_queue_closed(service->jobs);
    if (peer->kind == PROCESS_LOOKUP) service->lookup = NULL;
    if (peer->kind == PROCESS_RECEIVE) {
        callout_forget(service->callouts, peer->channel);
        relays_forget(service->relays, peer->channel);
    }
    channel_close(peer->channel);
    free(peer);
}

static const struct channel_events peer_events = { peer_on_frame, peer_on_closed };

static void on_peer(void *context, enum process_kind kind, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct peer *peer = memory_alloc(sizeof *peer);
    peer->magic = PEER_MAGIC;
    peer->service = service;
    peer->kind = kind;
    peer->channel = channel_open(service->child.loop, fd, &peer_events, peer);
    if (kind == PROCESS_QUEUE) jobs_queue_opened(service->jobs, peer->channel);
    if (kind == PROCESS_LOOKUP) {
        service->lookup = peer->channel;
        pool_ask_again(service->pool);
    }
}

static bool ask(void *context, uint64_t id, const struct route *route)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    if (!service->lookup) return false;
    if (route->status == ROUTE_ASK_SOURCES)
        lookup_sources_ask(service->lookup, id, 0, &route->sources);
    else if (route->status == ROUTE_ASK_MX)
        lookup_mx_ask(service->lookup, id, 0, route->question);
    else
        lookup_host_ask(service->lookup, id, 0, route->question);
    return true;
}

/* Mail goes to others from inside alone: whose is refused may be somebody with a stolen password. */
static void on_refused(void *context, const struct deliver_job *job)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    if (!config_route_is_local(config_find_domain(service->child.config, job->domain)))
        rate_tell(service->lookup, RATE_EVENT_REFUSED, job->envelope.sender);
}

static void node_tls_configure(struct outbound_ground *ground)
{
    const struct config *config = ground->config;
    char error[200] = "";
    tls_context_free(ground->tls_node);
    ground->tls_node = NULL;
    if (config->node.certificate.content.length == 0) return;
    ground->tls_node = tls_context_node(false, config->node.certificate.content, config->node.key.content,
                                        config->node.ca.content, error, sizeof error);
    if (!ground->tls_node) log_error("TLS with other nodes: %s", error);
}

/* Certificates are read again with each configuration; connections keep the context they were made from. */
static void tls_configure(struct outbound_ground *ground)
{
    char error[200] = "";
    tls_context_free(ground->tls_any);
    tls_context_free(ground->tls_verified);
    ground->tls_any = tls_context_client(TEXT_NONE, false, error, sizeof error);
    if (!ground->tls_any) log_error("TLS: %s", error);
    ground->tls_verified = tls_context_client(ground->config->deliver.ca.content, true, error, sizeof error);
    if (!ground->tls_verified) log_error("TLS with verified servers: %s", error);
    node_tls_configure(ground);
}

static void detour_set(struct service *service)
{
    const struct child *child = &service->child;
    pool_detour(service->pool, child->is_draining && child->drain_to.port ? &child->drain_to : NULL);
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    service->ground.config = service->child.config;
    own_addresses_configure(&service->own, service->child.config);
    tls_configure(&service->ground);
    callout_configure(service->callouts, service->child.config);
    callout_forget_answers(service->callouts);
    uplink_probe_configure(service->uplink, service->child.config);
    detour_set(service); /* and every other route anew */
}

static void stopped(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    child_exit(&service->child, EX_OK);
}

static void is_empty(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    timer_set(service->stop_timer, 0); /* results that were just made leave first */
}

static void on_stop(void *context, uint32_t within_ms)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    jobs_stop(service->jobs);
    callout_stop(service->callouts);
    relays_stop(service->relays);
    timer_set(service->stop_timer, within_ms);
    pool_stop(service->pool);
}

/* "2001:db8::1 confirmed"; "-" before the first was looked at. */
static void ipv6_status(const struct pool_counts *pool, struct buffer *out)
{
    static const char *const words[] = { [CLIENT_NAME_CONFIRMED] = " confirmed",
                                         [CLIENT_NAME_UNCONFIRMED] = " not confirmed",
                                         [CLIENT_NAME_NONE] = " without a name",
                                         [CLIENT_NAME_TEMPERROR] = " not known" };
    char room[ADDRESS_TEXT_SIZE] = "-";
    bool is_known = !address_is_zero(&pool->last_source.address);
    if (is_known) address_print(&pool->last_source.address, room);
    child_status_add(out, "IPv6 source", "%s%s", room, is_known ? words[pool->last_source.status] : "");
    child_status_add(out, "IPv6 servers left out", "%llu", (unsigned long long)pool->left_out);
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    const struct outbound_ground *ground = &service->ground;
    struct pool_counts pool;
    struct jobs_counts jobs;
    pool_count(service->pool, &pool);
    jobs_count(service->jobs, &jobs);
    child_status_add(out, "jobs", "%llu", (unsigned long long)jobs.jobs);
    child_status_add(out, "waiting", "%u", jobs.waiting);
    child_status_add(out, "under way", "%u", jobs.under_way);
    child_status_add(out, "results not kept", "%u", jobs.unkept);
    child_status_add(out, "delivered", "%llu", (unsigned long long)jobs.delivered);
    child_status_add(out, "deferred", "%llu", (unsigned long long)jobs.deferred);
    child_status_add(out, "failed", "%llu", (unsigned long long)jobs.failed);
    child_status_add(out, "destinations", "%u", pool.destinations);
    child_status_add(out, "connections", "%u", pool.connections);
    child_status_add(out, "connections static", "%u", pool.connections_static);
    child_status_add(out, "connections opening", "%u", pool.opening);
    child_status_add(out, "connections idle", "%u", pool.idle);
    child_status_add(out, "servers set aside", "%u", pool.set_aside);
    child_status_add(out, "connects", "%llu", (unsigned long long)ground->connects);
    child_status_add(out, "connects failed", "%llu", (unsigned long long)ground->connects_failed);
    child_status_add(out, "connections reused", "%llu", (unsigned long long)ground->reused);
    child_status_add(out, "TLS handshakes", "%llu", (unsigned long long)ground->handshakes);
    child_status_add(out, "TLS handshakes failed", "%llu", (unsigned long long)ground->handshakes_failed);
    child_status_add(out, "converted", "%llu", (unsigned long long)ground->converted);
    ipv6_status(&pool, out);
    callout_status(service->callouts, out);
    relays_status(service->relays, out);
}

static void on_drain(void *context)
{
    detour_set(CONTEXT(context, struct service, SERVICE_MAGIC));
}

static void on_health(void *context, struct health_facts *out)
{
    const struct service *service = CONTEXT(context, const struct service, SERVICE_MAGIC);
    uplink_probe_tell(service->uplink, out);
}

static int callout_command_do(struct service *service, const struct commander *commander, struct text command,
                              struct buffer *says)
{
    struct text verb = TEXT_NONE, act = TEXT_NONE;
    text_next_word(&command, &verb);
    text_next_word(&command, &act);
    if (text_equal(act, TEXT("show"))) {
        uint64_t count = callout_count_answers(service->callouts);
        buffer_printf(says, "%llu answer%s known", (unsigned long long)count, count == 1 ? "" : "s");
        return EX_OK;
    }
    if (!text_equal(act, TEXT("forget"))) {
        buffer_add_text(says, TEXT("unknown command"));
        return EX_USAGE;
    }
    uint64_t count = callout_drop_answers(service->callouts, text_trim(command));
    buffer_printf(says, "%llu answer%s forgotten", (unsigned long long)count, count == 1 ? "" : "s");
    log_info("call-outs: %.*s, by %.*s", TEXT_ARG(buffer_text(says)), TEXT_ARG(commander->user));
    return EX_OK;
}

/* "callout show", "callout forget [ADDRESS|DOMAIN]": one frame answers it. */
static void on_client(void *context, const struct commander *commander, struct text command, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct buffer answer = { 0 }, says = { 0 };
    put_u8(&answer, (uint8_t)callout_command_do(service, commander, command, &says));
    put_text(&answer, buffer_text(&says));
    channel_send_now(fd, MASTER_DONE, 0, buffer_text(&answer), NULL, 0);
    close(fd);
    buffer_free(&says);
    buffer_free(&answer);
}

static const struct child_events events = { .on_peer = on_peer,
                                            .on_config = on_config,
                                            .on_stop = on_stop,
                                            .on_status = on_status,
                                            .on_health = on_health,
                                            .on_client = on_client,
                                            .on_drain = on_drain };

static struct ring *ring_given(const struct child *child, const char *name)
{
    int fd = child_map_fd(child, name, NULL);
    struct ring *ring = fd < 0 ? NULL : ring_map(fd);
    if (fd >= 0 && !ring) die_errno("the ring %s cannot be mapped", name);
    return ring;
}

static void flights_prepare(struct service *service)
{
    struct child *child = &service->child;
    int in = child_map_take(child, "connections", 0), out = child_map_take(child, "connections", 1);
    struct flights *flights = flights_new(child_map_fd(child, "flights", NULL), in, out);
    service->ground.flights = flights;
    if (flights) adopted_take(flights, service->pool, service->jobs);
}

static void service_prepare(struct service *service)
{
    struct child *child = &service->child;
    struct ring *ring = ring_given(child, "events");
    service->ground.loop = child->loop;
    service->ground.config = child->config;
    own_addresses_find(&service->own);
    own_addresses_configure(&service->own, child->config);
    tls_warm_up();
    charset_warm(); /* for headers that are converted */
    tls_configure(&service->ground);
    service->pool = pool_new(&(struct pool_start){ .ground = &service->ground,
                                                   .own = &service->own,
                                                   .ask = ask,
                                                   .is_empty = is_empty,
                                                   .context = service });
    if (child->is_draining) detour_set(service);
    service->jobs = jobs_new(child->loop, service->pool, ring);
    service->results = results_new(ring_given(child, "results"), ring);
    jobs_set_results(service->jobs, service->results);
    jobs_set_refused(service->jobs, on_refused, service);
    flights_prepare(service);
    service->callouts = callout_new(child->loop, service->pool);
    callout_configure(service->callouts, child->config);
    service->relays = relays_new(service->pool, service->callouts);
    service->uplink = uplink_probe_new(child->loop, child->config);
    service->stop_timer = timer_new(child->loop, stopped, service);
}

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_DELIVER, argc, argv);
    service_prepare(&service);
    if (!child_jail(&service.child, JAIL_CONNECT | JAIL_BODIES, NULL, NULL)) return EX_OSERR;
    return child_run(&service.child, &events, &service);
}
