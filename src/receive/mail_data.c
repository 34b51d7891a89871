/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is over a limit is read and thrown away: the reply comes at the end, where the client expects it. */
#include "receive/mail_data.h"

#include <unistd.h>

#include "receive/account.h"
#include "receive/drop.h"
#include "receive/eviction.h"
#include "receive/judging.h"
#include "receive/queue_request.h"
#include "receive/rate_check.h"
#include "receive/relay.h"
#include "receive/settle.h"

void mail_data_begin(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    struct server *server = session->server;
    bool is_bdat = session->dialogue.mail == MAIL_CHUNKS;
    transaction->step = STEP_READING;
    transaction->arrived_ms = loop_wall_ms(server->loop);
    transaction->id = message_id_next(&server->ids, transaction->arrived_ms);
    server->counters->last_id = server->ids.last;
    session_remember_id(session);
    transaction->body.inline_most = (uint32_t)server->config->limits.frame_body_bytes;
    rate_check_ask(session);
    dotted_start(&transaction->dotted, session->port->listener.repair != REPAIR_NONE, is_bdat);
}

/* What is refused makes room for others at once. */
static void body_release(struct session *session)
{
    session->server->bodies_bytes -= session->transaction.body.size;
    body_free(&session->transaction.body);
}

/* Over a limit the rest is read and thrown away: the reply comes at the end, where the client expects it. */
static void content_add(struct session *session, struct text content)
{
    struct transaction *transaction = &session->transaction;
    struct server *server = session->server;
    if (transaction->is_too_big || transaction->has_no_memory || content.length == 0) return;
    if (transaction->body.size + content.length > server->config->limits.message_bytes) {
        transaction->is_too_big = true;
        body_release(session);
    } else if (!eviction_makes_room(server, session, content.length)) {
        transaction->has_no_memory = true;
        body_release(session);
    } else {
        server->bodies_bytes += content.length;
        if (body_append(&transaction->body, content)) return;
        transaction->has_no_memory = true;
        body_release(session);
    }
}

/* A body that has grown large goes on in a file of the spool. Input pauses until queue has handed it out. */
static void file_ask(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    struct server *server = session->server;
    bool is_large = transaction->body.size > server->config->limits.memfd_body_bytes;
    if (!is_large || transaction->body.is_file || transaction->is_too_big || transaction->has_no_memory)
        return;
    transaction->waits_for_file = true;
    transaction->then = session->state;
    if (server->queue) channel_send(server->queue, QUEUE_BODY_FILE, transaction->id, TEXT_NONE);
    session_wait(session, server->config->limits.data_ms);
}

void mail_data_file(struct session *session, int fd)
{
    struct transaction *transaction = &session->transaction;
    if (!transaction->waits_for_file) {
        if (fd >= 0) close(fd);
        return;
    }
    transaction->waits_for_file = false;
    if (fd < 0 || !body_to_file(&transaction->body, fd))
        transaction->has_no_memory = true; /* told at the end of the data */
    session_go_on(session, transaction->then);
}

/* Others may see the end of this content elsewhere, and so may the client: the session goes with it. */
static void content_out_of_step(struct session *session)
{
    struct reply reply = { 554, "5.6.0",
                           session->transaction.dotted.has_bare
                               ? "the content has a bare CR or LF; lines end with CRLF"
                               : "the content has a NUL" };
    account_content_refused(session, &reply);
    drop_message(session); /* it is refused, not aborted */
    session_reply(session, reply.code, reply.enhanced, "%s", reply.text);
    drop_out_of_step(session, reply.text);
}

static void content_end(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    const struct config *config = session->server->config;
    const struct dotted *dotted = &transaction->dotted;
    struct header_glance *glance = &transaction->glance;
    transaction->whole_us = measures_now_us();
    if (!dotted->repair && (dotted->has_bare || dotted->has_nul)) {
        content_out_of_step(session);
        return;
    }
    if (transaction->is_too_big) {
        settle_too_large(session, "the message is larger than this server takes");
        return;
    }
    if (transaction->has_no_memory || !body_finish(&transaction->body)) {
        settle_with(session, 452, "4.3.1", "no room for the message now, try again later");
        return;
    }
    histogram_add(&session->server->measures->size, MEASURES_SIZE, transaction->body.size);
    header_glance(body_text(&transaction->body), config->limits.header_bytes, dotted->has_8bit, glance);
    if (glance->bytes > config->limits.header_bytes)
        settle_too_large(session, "the header is larger than this server takes");
    else if (glance->received > config->limits.received)
        settle_with(session, 554, "5.4.6", "too many hops: the message goes round in a loop");
    else if (glance->has_8bit && transaction->lacks_smtputf8) /* RFC 6531 section 3.5 */
        settle_with(session, 554, "5.6.9", "the header is in UTF-8, which the server behind does not take");
    else {
        keep_prepare(session);
        if (transaction->is_for_us)
            settle_reply(session, keep_for_us(session));
        else if (session->port->listener.relay == RELAY_THROUGH)
            relay_begin(session);
        else
            judging_begin(session);
    }
}

size_t mail_data_take(struct session *session, struct text wire)
{
    struct transaction *transaction = &session->transaction;
    struct buffer *scratch = &session->server->scratch;
    size_t used;
    buffer_clear(scratch);
    enum dotted_outcome outcome = dotted_decode(&transaction->dotted, wire, scratch, &used);
    content_add(session, buffer_text(scratch));
    if (outcome == DOTTED_END)
        content_end(session);
    else
        file_ask(session);
    return used;
}

static void chunk_end(struct session *session)
{
    struct server *server = session->server;
    struct buffer *scratch = &server->scratch;
    session->state = SESSION_COMMAND;
    enum server_dialogue_action action =
        server_dialogue_chunk_end(&session->dialogue, server->config, &server->replies);
    session_speak(session);
    if (action != SERVER_DIALOGUE_SETTLE) return;
    buffer_clear(scratch);
    dotted_finish(&session->transaction.dotted, scratch);
    content_add(session, buffer_text(scratch));
    content_end(session);
}

size_t mail_data_chunk(struct session *session, struct text wire)
{
    struct transaction *transaction = &session->transaction;
    struct text piece = server_dialogue_chunk(&session->dialogue, wire);
    if (transaction->step == STEP_READING) {
        struct buffer *scratch = &session->server->scratch;
        size_t used;
        buffer_clear(scratch);
        dotted_decode(&transaction->dotted, piece, scratch, &used);
        content_add(session, buffer_text(scratch));
    }
    if (session->dialogue.chunk_left == 0)
        chunk_end(session);
    else if (transaction->step == STEP_READING)
        file_ask(session);
    return piece.length;
}
