/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* courier: carries events from the ledgers of edges to the ledger of the node that collects them. It has the
   network and nothing on disk; ledger has the database and no network. */
#include <sysexits.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/tls.h"
#include "courier/messenger.h"
#include "courier/reception.h"
#include "ipc/ask_courier.h"
#include "ipc/child.h"

struct service {
    enum { SERVICE_MAGIC = 0x10c599a4 } magic;
    struct child child;
    struct channel *ledger; /* NULL while it is being restarted */
    struct messenger *messenger;
    struct reception *reception;
};

static void ledger_set(struct service *service, struct channel *ledger)
{
    service->ledger = ledger;
    messenger_set_ledger(service->messenger, ledger);
    reception_set_ledger(service->reception, ledger);
}

static bool on_frame(void *context, struct frame *frame)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    switch (frame->type) {
    case COURIER_SERIES:
    case COURIER_PARCEL:
        return messenger_frame(service->messenger, frame);
    case COURIER_NODE_WELCOME:
    case COURIER_NODE_STORED:
        return reception_frame(service->reception, frame);
    case COURIER_SAY:
    case COURIER_SAY_HEARD:
        return frame->id & COURIER_OUTWARD ? messenger_declarations(service->messenger, frame)
                                           : reception_declarations(service->reception, frame);
    default:
        return false;
    }
}

static void on_closed(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct channel *ledger = service->ledger;
    ledger_set(service, NULL);
    channel_close(ledger);
}

static const struct channel_events ledger_events = { on_frame, on_closed };

static void ledger_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    if (service->ledger) on_closed(service);
    ledger_set(service, channel_open(service->child.loop, fd, &ledger_events, service));
}

static const struct child_peer peers[] = { { PROCESS_LEDGER, ledger_open }, { 0 } };

/* The socket of `ledger listen` comes behind those of the mail listeners. */
static void configure(struct service *service)
{
    const struct config *config = service->child.config;
    messenger_configure(service->messenger, config);
    reception_configure(service->reception, config,
                        child_listener_take(&service->child, (uint16_t)config->listener_count));
}

static void on_config(void *context, const struct config *old)
{
    configure(CONTEXT(context, struct service, SERVICE_MAGIC));
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    messenger_status(service->messenger, out);
    reception_status(service->reception, out);
}

static const struct child_events events = { .peers = peers, .on_config = on_config, .on_status = on_status };

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    struct child *child = &service.child;
    child_start(child, PROCESS_COURIER, argc, argv);
    tls_warm_up();
    service.messenger = messenger_new(child->loop);
    service.reception = reception_new(child->loop);
    configure(&service);
    if (!child_jail(child, JAIL_CONNECT | JAIL_ACCEPT, NULL, NULL)) return EX_OSERR;
    int code = child_run(child, &events, &service);
    /* Not before: until the loop has ended, ledger may still be heard to go. */
    messenger_free(service.messenger);
    reception_free(service.reception);
    log_flush();
    return code;
}
