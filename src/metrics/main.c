/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* metrics: tells monitors how the node is, in OpenMetrics over HTTP. It reads two files of shared memory and
   the requests of whoever may connect; it has no channel but to master, no file and no way out. */
#include <sysexits.h>

#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "exposition/exposition.h"
#include "exposition/openmetrics.h"
#include "ipc/child.h"
#include "ipc/health_page.h"
#include "metrics/http_server.h"

struct service {
    enum { SERVICE_MAGIC = 0x64a0d9b3 } magic;
    struct child child;
    struct http_server *server;
    const struct counters_slot *slots;
    const struct health_page *health;
};

static void compose(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct exposition_source source = { .slots = service->slots,
                                        .now_ms = loop_wall_ms(service->child.loop) };
    source.is_up = health_page_peek(service->health, &source.health);
    exposition_print(&source, out);
}

/* The one of `metrics listen` stands behind those of mail and that of `ledger listen`. */
static void listen_again(struct service *service)
{
    const struct config *config = service->child.config;
    size_t before = config->listener_count + (config->ledger.listen.length > 0);
    const int fds[] = { child_listener_take(&service->child, METRICS_SOCKET),
                        child_listener_take(&service->child, (uint16_t)before) };
    http_server_listen(service->server, fds, 2);
}

static void on_config(void *context, const struct config *old)
{
    listen_again(CONTEXT(context, struct service, SERVICE_MAGIC));
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct http_server_counts counts = http_server_counts(service->server);
    child_status_add(out, "answers", "%llu", (unsigned long long)counts.served);
    child_status_add(out, "requests refused", "%llu", (unsigned long long)counts.refused);
    child_status_add(out, "connections", "%u", counts.connections);
}

static const struct child_events events = { .on_config = on_config, .on_status = on_status };

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    struct child *child = &service.child;
    child_start(child, PROCESS_METRICS, argc, argv);
    service.slots = counters_map_all(child_map_fd(child, "counters", NULL));
    service.health = health_page_map(child_map_fd(child, "health", NULL), false);
    if (!service.slots || !service.health) die_errno("shared memory from master cannot be mapped");
    if (!child_jail(child, JAIL_ACCEPT, NULL, NULL)) return EX_OSERR;
    service.server = http_server_new(child->loop, OPENMETRICS_CONTENT_TYPE, compose, &service);
    listen_again(&service);
    int code = child_run(child, &events, &service);
    http_server_free(service.server);
    log_flush();
    return code;
}
