/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One small function a verb. Called by inbound.c for each command line; content is transaction.c's. */
#include "receive/verbs.h"

#include <stdio.h>

#include "base/log.h"
#include "receive/account.h"
#include "receive/drop.h"
#include "receive/eviction.h"
#include "receive/recipients.h"
#include "receive/transaction.h"
#include "receive/xclient.h"

/* What is no command. The session is gone when that was out of step. */
static void refuse(struct session *session, const struct smtp_command *command,
                   const struct smtp_error *error)
{
    bool is_rcpt = command->verb == VERB_RCPT;
    struct reply reply = { error->code, error->enhanced, error->text };
    if (command->is_out_of_step) {
        drop_out_of_step(session, &reply);
        return;
    }
    session_reply(session, error->code, error->enhanced, "%s", error->text);
    if (command->verb == VERB_XCLIENT && session_may_xclient(session)) session->needs_xclient = true;
    if (is_rcpt || command->verb == VERB_MAIL)
        account_refused(session, is_rcpt ? STAGE_RCPT : STAGE_MAIL, command->mailbox.address, &reply);
}

static void hello_take(struct session *session, struct text name)
{
    session_count_junk(session);
    drop_unfinished(session);
    memcpy(session->helo_room, name.at, name.length < sizeof session->helo_room ? name.length : 0);
    session->helo = text_from(session->helo_room, name.length < sizeof session->helo_room ? name.length : 0);
    session_pace_reach(session, PACE_BETWEEN);
    session_await(session);
}

static void do_helo(struct session *session, const struct smtp_command *command)
{
    hello_take(session, command->argument);
    session->is_esmtp = false;
    session->needs_xclient = false;
    session_reply(session, 250, NULL, "%.*s", TEXT_ARG(session->server->config->hostname));
}

static void do_ehlo(struct session *session, const struct smtp_command *command)
{
    const struct config *config = session->server->config;
    bool offers_tls = session->port->tls && !stream_is_secure(session->stream);
    hello_take(session, command->argument);
    session->is_esmtp = true;
    stream_printf(
        session->stream,
        "250-%.*s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n%s250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
        "250-SMTPUTF8\r\n250-DSN\r\n%s250 CHUNKING\r\n",
        TEXT_ARG(config->hostname), (unsigned long long)config->limits.message_bytes,
        offers_tls ? "250-STARTTLS\r\n" : "",
        session_may_xclient(session) ? "250-XCLIENT " XCLIENT_ATTRIBUTES "\r\n" : "");
}

static bool tls_is_missing(struct session *session)
{
    if (session->port->listener.tls < TLS_REQUIRED || stream_is_secure(session->stream)) return false;
    session_reply(session, 530, "5.7.0", "say STARTTLS first");
    return true;
}

static bool node_is_missing(struct session *session)
{
    static const char none[] = "this port is for nodes: a certificate of their authority is needed";
    char text[600];
    if (session->port->listener.tls != TLS_NODE || session_is_node(session)) return false;
    const char *doubt = stream_peer_doubt(session->stream);
    snprintf(text, sizeof text, "%s%s%s", none, *doubt ? "; yours: " : "", doubt);
    session_reply(session, 530, "5.7.0", "%s", text);
    account_refused(session, STAGE_MAIL, TEXT_NONE, &(struct reply){ 530, "5.7.0", text });
    return true;
}

/* What goes through needs no room here; should it have to be kept after all, the client hears then. */
static bool needs_queue(const struct session *session)
{
    return session->port->listener.relay != RELAY_THROUGH;
}

/* While queue is being restarted a new message waits for it, as one at its end does: not for longer. */
static bool must_wait(struct session *session, const struct smtp_command *command)
{
    if (command->verb != VERB_MAIL || session->server->queue || !needs_queue(session)) return false;
    bool was_missed = session->queue == QUEUE_IS_MISSED;
    session->queue = was_missed ? QUEUE_IS_THERE : QUEUE_IS_AWAITED;
    if (!was_missed) session_wait(session, session->server->config->limits.verdict_ms);
    return !was_missed;
}

/* What hinders a new message now; NULL: nothing. */
static const char *hindrance(struct session *session, uint16_t *out_code, const char **out_enhanced)
{
    struct server *server = session->server;
    const struct config *config = server->config;
    uint32_t rate = config->limits.message_rate_per_client;
    *out_code = 451;
    *out_enhanced = "4.3.0";
    if (needs_queue(session) && !server->queue) return "the queue is not there now, try again later";
    *out_code = 452;
    *out_enhanced = "4.3.1";
    if (needs_queue(session) && server->queue_is_full) return "no room now, try again later";
    if (!eviction_makes_room(server, session, 1)) return "too much mail in flight, try again later";
    *out_code = 450;
    *out_enhanced = "4.7.1";
    uint32_t all, sent = clients_message(server->clients, session->entry, loop_now_ms(server->loop), &all);
    if (rate && sent > rate) return "too many messages from your address, try again later";
    if (config->limits.message_rate && all > config->limits.message_rate) return "too busy, try again later";
    return NULL;
}

static void do_mail(struct session *session, const struct smtp_command *command)
{
    const struct config *config = session->server->config;
    uint16_t code;
    const char *enhanced, *no;
    bool is_utf8 = command->given & PARAMETER_SMTPUTF8;
    if (session->helo.length == 0)
        session_reply(session, 503, "5.5.1", "say EHLO or HELO first");
    else if (tls_is_missing(session) || node_is_missing(session) || xclient_hinders(session))
        return;
    else if (session->transaction.step != STEP_NONE)
        session_reply(session, 503, "5.5.1", "a message is under way");
    else if (command->mailbox.needs_smtputf8 && !is_utf8)
        session_reply(session, 553, "5.6.7", "the address needs SMTPUTF8");
    else if (command->size > config->limits.message_bytes)
        session_reply(session, 552, "5.3.4", "a message may have %llu octets",
                      (unsigned long long)config->limits.message_bytes);
    else if ((no = hindrance(session, &code, &enhanced)))
        session_reply(session, code, enhanced, "%s", no);
    else {
        transaction_open(session, command);
        session_reply(session, 250, "2.1.0", "sender ok");
    }
}

static void do_rcpt(struct session *session, const struct smtp_command *command)
{
    if (session->transaction.step != STEP_OPEN)
        session_reply(session, 503, "5.5.1", "say MAIL first");
    else
        recipient_offer(session, command);
}

/* RFC 5321 section 3.3: without recipients there is nothing to send. */
static bool can_send(struct session *session)
{
    if (session->transaction.step != STEP_OPEN)
        session_reply(session, 503, "5.5.1", "say MAIL and RCPT first");
    else if (session->transaction.envelope.recipient_count == 0)
        session_reply(session, 554, "5.5.1", "no valid recipients");
    else
        return true;
    return false;
}

static void do_data(struct session *session, const struct smtp_command *command)
{
    if (session->transaction.step == STEP_READING)
        session_reply(session, 503, "5.5.1", "BDAT has begun");
    else if (can_send(session))
        transaction_read(session, false);
}

/* RFC 3030 section 2: the octets follow whatever we think of the command, so they are always taken. */
static void do_bdat(struct session *session, const struct smtp_command *command)
{
    bool has_begun = session->transaction.step == STEP_READING && session->transaction.is_bdat;
    if (!has_begun && session->transaction.step == STEP_OPEN &&
        session->transaction.envelope.recipient_count > 0)
        transaction_read(session, true);
    if (command->size == 0 && !command->is_last) session_count_junk(session);
    transaction_chunk_begin(session, command->size, command->is_last);
}

static void do_rset(struct session *session, const struct smtp_command *command)
{
    session_count_junk(session);
    drop_unfinished(session);
    session_reply(session, 250, "2.0.0", "ok");
}

static void do_noop(struct session *session, const struct smtp_command *command)
{
    session_count_junk(session);
    session_reply(session, 250, "2.0.0", "ok");
}

static void do_quit(struct session *session, const struct smtp_command *command)
{
    session_reply(session, 221, "2.0.0", "%.*s bye", TEXT_ARG(session->server->config->hostname));
    drop_session(session);
}

static void do_vrfy(struct session *session, const struct smtp_command *command)
{
    session_count_junk(session);
    session_reply(session, 252, "2.5.2", "send some mail, it will be tried");
}

static void do_expn(struct session *session, const struct smtp_command *command)
{
    session_reply(session, 502, "5.5.1", "not offered");
}

static void do_help(struct session *session, const struct smtp_command *command)
{
    session_count_junk(session);
    session_reply(session, 214, "2.0.0", "Sekimori, RFC 5321; ask %.*s",
                  TEXT_ARG(session->server->config->admin));
}

static void do_starttls(struct session *session, const struct smtp_command *command)
{
    if (!session->port->tls)
        session_reply(session, 502, "5.5.1", "not offered");
    else if (stream_is_secure(session->stream))
        session_reply(session, 503, "5.5.1", "TLS is in use");
    else {
        session_reply(session, 220, "2.0.0", "ready to start TLS");
        session_pace_renew(session, PACE_GREETING); /* once a session: the handshake and EHLO have its time */
        session_await(session);
        stream_start_tls(session->stream, session->port->tls, true, TEXT_NONE);
    }
}

static void do_unknown(struct session *session, const struct smtp_command *command)
{
    session_reply(session, 502, "5.5.1", "not offered");
}

static void (*const verbs[VERB_COUNT])(struct session *session, const struct smtp_command *command) = {
    [VERB_EHLO] = do_ehlo,    [VERB_HELO] = do_helo,         [VERB_MAIL] = do_mail,
    [VERB_RCPT] = do_rcpt,    [VERB_DATA] = do_data,         [VERB_BDAT] = do_bdat,
    [VERB_RSET] = do_rset,    [VERB_NOOP] = do_noop,         [VERB_QUIT] = do_quit,
    [VERB_VRFY] = do_vrfy,    [VERB_EXPN] = do_expn,         [VERB_HELP] = do_help,
    [VERB_AUTH] = do_unknown, [VERB_STARTTLS] = do_starttls, [VERB_XCLIENT] = xclient_do,
};

/* Whatever the node says next, it has seen our reply to what it sent before. */
static void confirm(struct session *session)
{
    struct channel *queue = session->server->queue;
    if (session->unconfirmed && queue) channel_send(queue, QUEUE_CONFIRMED, session->unconfirmed, TEXT_NONE);
    session->unconfirmed = 0;
}

bool verb_do(struct session *session, struct text line)
{
    struct smtp_command command;
    if (session->unconfirmed) confirm(session);
    arena_reset(session->server->line);
    struct smtp_error error =
        smtp_command_parse(session->server->line, line, session->port->listener.strict, &command);
    if (error.code != 0) {
        refuse(session, &command, &error);
        return true;
    }
    if (must_wait(session, &command)) return false;
    if (session->transaction.step == STEP_READING && command.verb != VERB_BDAT && command.verb != VERB_RSET &&
        command.verb != VERB_QUIT && command.verb != VERB_NOOP) {
        session_reply(session, 503, "5.5.1", "BDAT has begun"); /* RFC 3030 section 2 */
        return true;
    }
    verbs[command.verb](session, &command);
    return true;
}
