/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One connection to each address a period; what has not come about when it ends is a miss. */
#include "deliver/uplink_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "config/value.h"

enum { PERIOD_MS = 2000, LOUD_MISSES = 3 };

struct target_probe {
    enum { TARGET_PROBE_MAGIC = 0x3d8d2e37 } magic;
    struct endpoint to;
    struct address source;
    struct watch *watch; /* NULL: nothing under way */
    int fd;
    uint64_t misses;
    bool has_tried; /* at least one probe has ended */
};

struct uplink_probe {
    enum { UPLINK_PROBE_MAGIC = 0x6ab48d4b } magic;
    struct loop *loop;
    struct timer *timer;
    struct target_probe *probes;
    size_t count;
};

static void close_probe(struct target_probe *probe)
{
    if (probe->watch)
        watch_free(probe->watch);
    else if (probe->fd >= 0)
        close(probe->fd);
    probe->watch = NULL;
    probe->fd = -1;
}

static void ended(struct target_probe *probe, bool is_there)
{
    char room[ADDRESS_TEXT_SIZE];
    const char *address = address_print(&probe->to.address, room);
    close_probe(probe);
    if (is_there && probe->misses >= LOUD_MISSES)
        log_info("upstream %s port %u answers again", address, probe->to.port);
    probe->misses = is_there ? 0 : probe->misses + 1;
    probe->has_tried = true;
    if (probe->misses == LOUD_MISSES)
        log_warning("upstream %s port %u does not answer", address, probe->to.port);
}

/* What a machine says that is there, or stands before it in the way: all but silence and "no route". */
static bool is_answer(int error)
{
    return error == 0 || error == ECONNREFUSED || error == ECONNRESET;
}

static void ready(void *context, int what)
{
    struct target_probe *probe = CONTEXT(context, struct target_probe, TARGET_PROBE_MAGIC);
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    ended(probe, is_answer(error));
}

static void begin(struct uplink_probe *uplink, struct target_probe *probe)
{
    struct sockaddr_storage there, here;
    socklen_t length = endpoint_to_sockaddr(&probe->to, &there);
    struct endpoint from = { probe->source, 0 };
    bool is_bound = true;
    probe->fd = socket(there.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe->fd < 0) return;
    if (!address_is_zero(&probe->source))
        is_bound = bind(probe->fd, (struct sockaddr *)&here, endpoint_to_sockaddr(&from, &here)) == 0;
    bool is_done = !is_bound || connect(probe->fd, (struct sockaddr *)&there, length) == 0;
    if (is_done || errno != EINPROGRESS) {
        ended(probe, is_bound && (is_done || is_answer(errno)));
        return;
    }
    probe->watch = watch_new(uplink->loop, probe->fd, ready, probe);
    watch_set(probe->watch, WATCH_WRITE);
}

static void period_ended(void *context)
{
    struct uplink_probe *uplink = CONTEXT(context, struct uplink_probe, UPLINK_PROBE_MAGIC);
    for (size_t i = 0; i < uplink->count; i++) {
        struct target_probe *probe = &uplink->probes[i];
        if (probe->watch) ended(probe, false);
        begin(uplink, probe);
    }
    timer_set(uplink->timer, PERIOD_MS);
}

void uplink_probe_configure(struct uplink_probe *uplink, const struct config *config)
{
    for (size_t i = 0; i < uplink->count; i++) close_probe(&uplink->probes[i]);
    free(uplink->probes);
    uplink->count = config->health.upstreams.count;
    uplink->probes = memory_alloc((uplink->count + 1) * sizeof *uplink->probes);
    for (size_t i = 0; i < uplink->count; i++) {
        struct target_probe *probe = &uplink->probes[i];
        value_endpoint_parse(config->health.upstreams.items[i], 0, &probe->to);
        bool is_v4 = address_is_v4(&probe->to.address);
        probe->source = is_v4 ? config->deliver.source : config->deliver.source6;
        probe->fd = -1;
        probe->magic = TARGET_PROBE_MAGIC;
    }
    if (uplink->count > 0)
        timer_set(uplink->timer, 0);
    else
        timer_clear(uplink->timer);
}

struct uplink_probe *uplink_probe_new(struct loop *loop, const struct config *config)
{
    struct uplink_probe *uplink = memory_alloc(sizeof *uplink);
    uplink->magic = UPLINK_PROBE_MAGIC;
    uplink->loop = loop;
    uplink->timer = timer_new(loop, period_ended, uplink);
    uplink_probe_configure(uplink, config);
    return uplink;
}

/* Nothing is told before there is an answer or a first miss everywhere. */
void uplink_probe_tell(const struct uplink_probe *uplink, struct health_facts *out)
{
    uint64_t best = UINT64_MAX;
    bool all_tried = true;
    health_know(out, HEALTH_UPSTREAMS, uplink->count);
    for (size_t i = 0; i < uplink->count; i++) {
        const struct target_probe *probe = &uplink->probes[i];
        if (!probe->has_tried) all_tried = false;
        if (probe->has_tried && probe->misses < best) best = probe->misses;
    }
    if (best == 0 || (all_tried && uplink->count > 0)) health_know(out, HEALTH_UPSTREAM_MISSES, best);
}
