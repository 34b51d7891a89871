/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* signer: holds the private keys of DKIM and ARC and signs the digests that scan brings. It sees no mail, has
   no file, no network, and no channel but to scan and master. */
#include <stdlib.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/context.h"
#include "ipc/ask_signer.h"
#include "ipc/child.h"
#include "signer/keyring.h"

/* Workers of the configuration before go on for a while after a reload. */
enum { PREVIOUS_MS = 60 * 1000 };

struct service {
    enum { SERVICE_MAGIC = 0x3f0c6e51 } magic;
    struct child child;
    struct keyring *keyring, *previous; /* previous: NULL most of the time */
    struct timer *forgetting;
    uint64_t signed_count, refused_count;
};

struct peer {
    enum { PEER_MAGIC = 0x1b94d2e7 } magic;
    struct service *service;
    struct channel *channel;
};

static bool peer_on_frame(void *context, struct frame *frame)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    struct service *service = peer->service;
    struct sign_order order;
    struct buffer signature = { 0 };
    const char *why;
    if (frame->type != SIGNER_SIGN || !sign_order_get(frame->payload, &order)) return false;
    bool is_signed = keyring_sign(service->keyring, order.key, order.digest, &signature, &why);
    if (!is_signed && service->previous)
        is_signed = keyring_sign(service->previous, order.key, order.digest, &signature, &why);
    struct buffer *answer =
        channel_begin(peer->channel, is_signed ? SIGNER_SIGNED : SIGNER_REFUSED, frame->id);
    put_text(answer, is_signed ? buffer_text(&signature) : text_of(why));
    channel_end(peer->channel);
    service->signed_count += is_signed;
    service->refused_count += !is_signed;
    buffer_free(&signature);
    return true;
}

static void peer_on_closed(void *context)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    channel_close(peer->channel);
    free(peer);
}

static void scan_open(void *context, uint16_t index, int fd)
{
    static const struct channel_events events = { peer_on_frame, peer_on_closed };
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct peer *peer = memory_alloc(sizeof *peer);
    peer->magic = PEER_MAGIC;
    peer->service = service;
    peer->channel = channel_open(service->child.loop, fd, &events, peer);
}

static const struct child_peer peers[] = { { PROCESS_SCAN, scan_open }, { 0 } };

static void previous_forget(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    keyring_free(service->previous);
    service->previous = NULL;
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    previous_forget(service);
    service->previous = service->keyring;
    timer_set(service->forgetting, PREVIOUS_MS);
    service->keyring = keyring_new(service->child.config);
}

static void on_status(void *context, struct buffer *out)
{
    const struct service *service = CONTEXT(context, const struct service, SERVICE_MAGIC);
    child_status_add(out, "keys", "%u", keyring_count(service->keyring));
    child_status_add(out, "signatures", "%llu", (unsigned long long)service->signed_count);
    child_status_add(out, "orders refused", "%llu", (unsigned long long)service->refused_count);
}

static const struct child_events events = { .peers = peers, .on_config = on_config, .on_status = on_status };

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_SIGNER, argc, argv);
    service.keyring = keyring_new(service.child.config);
    service.forgetting = timer_new(service.child.loop, previous_forget, &service);
    keyring_warm_up(service.keyring);
    if (!child_jail(&service.child, 0, NULL, NULL)) return EX_OSERR;
    int code = child_run(&service.child, &events, &service);
    keyring_free(service.keyring);
    keyring_free(service.previous);
    return code;
}
