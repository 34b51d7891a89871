/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From a good verdict to queue: not without a client that can hear the reply. Called by judging.c and transaction.c. */
#include "receive/client_presence.h"

#include "receive/queue_request.h"

enum { PROBE_LOOK_MS = 20, PROBES_MOST = 250 }; /* five seconds for an acknowledgement */

/* It will send the message again. */
static const struct reply gone = { 451, "4.4.2", "the client hung up before the verdict" };

/* A client that has closed its side waits for the reply, or is gone: its network says the same until
   something is sent. So the reply begins, with a line that can be continued; whose client is gone answers
   with a reset. */
static void probe(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    transaction->step = STEP_PROBING;
    transaction->is_reply_begun = true;
    transaction->probes_left = PROBES_MOST;
    stream_write(session->stream, TEXT("250-2.0.0 one moment\r\n"));
    timer_set(session->timer, PROBE_LOOK_MS);
}

struct reply client_presence_look(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    if (stream_peer(session->stream) == STREAM_PEER_GONE || transaction->probes_left-- == 0) return gone;
    if (stream_is_acknowledged(session->stream)) {
        timer_set(session->timer, session->server->config->limits.verdict_ms);
        return keep_judged(session);
    }
    timer_set(session->timer, PROBE_LOOK_MS);
    return (struct reply){ 0 };
}

struct reply client_presence_begin(struct session *session)
{
    switch (stream_peer(session->stream)) {
    case STREAM_PEER_HERE:
        return keep_judged(session);
    case STREAM_PEER_HALF_CLOSED:
        probe(session);
        return (struct reply){ 0 };
    default:
        return gone;
    }
}
