/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* For whom a session speaks. Called by verbs.c, and by relaying.c for the next node. */
#include "receive/xclient.h"

#include <stdio.h>

#include "base/log.h"
#include "receive/transaction.h"

bool xclient_is_allowed(const struct session *session)
{
    const struct network_list *list = &session->port->listener.xclient;
    for (size_t i = 0; i < list->count; i++)
        if (network_has(&list->items[i], &session->peer.address)) return true;
    return session_is_node(session);
}

static bool has(const struct smtp_command *command, enum xclient_attribute attribute)
{
    return command->attribute[attribute].length > 0;
}

/* What the peer knows of the name is not asked for again. */
static void name_take(struct session *session, const struct smtp_command *command)
{
    struct question name = { QUESTION_CLIENT_NAME, session->client_text, ANSWER_NONE,
                             command->attribute[XCLIENT_NAME] };
    if (!command->has_attribute[XCLIENT_NAME]) {
        session_name_ask(session);
        return;
    }
    if (command->name_is_temporary) name.status = ANSWER_TEMPERROR;
    if (has(command, XCLIENT_NAME)) {
        name.status = ANSWER_FOUND;
        session->client_name = arena_text(session->who, name.value);
    }
    question_set_know(&session->questions, QUESTION_OF_SESSION, &name);
}

/* With PROTO the peer has said all that EHLO would: it may go on with MAIL at once. */
static void helo_take(struct session *session, const struct smtp_command *command)
{
    struct text helo = text_slice(command->attribute[XCLIENT_HELO], 0, sizeof session->helo_room);
    session->helo = TEXT_NONE;
    if (!has(command, XCLIENT_PROTO)) return;
    if (helo.length == 0) helo = TEXT("unknown");
    memcpy(session->helo_room, helo.at, helo.length);
    session->helo = text_from(session->helo_room, helo.length);
    session->is_esmtp = text_starts_nocase(command->attribute[XCLIENT_PROTO], TEXT("E"));
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: not TRANSACTION_BYTES in hexadecimal. */
static bool transaction_take(struct session *session, const struct smtp_command *command)
{
    struct text hex = command->attribute[XCLIENT_TRANSACTION];
    session->has_transaction_id = hex.length == 2 * TRANSACTION_BYTES;
    for (size_t i = 0; i < hex.length && session->has_transaction_id; i += 2) {
        int high = hex_value(hex.at[i]), low = hex_value(hex.at[i + 1]);
        session->has_transaction_id = high >= 0 && low >= 0;
        session->transaction_id[i / 2] = (char)(high << 4 | low);
    }
    return session->has_transaction_id || hex.length == 0;
}

/* No address: the peer speaks for itself again. */
static void client_take(struct session *session, const struct smtp_command *command,
                        const struct address *client)
{
    session_client_set(session, client ? client : &session->peer.address);
    name_take(session, command);
    session->client_tls = arena_text(session->who, command->attribute[XCLIENT_TLS]);
    session->speaks_for = client != NULL;
    session->errors = 0;
    session_junk_forget(session);
    session->client_refusal.text =
        session_refusal(session, &session->client_refusal.code, &session->client_refusal.enhanced);
    if (!session->client_refusal.text) session->client_refusal.code = 0;
}

/* NULL: taken. */
static const char *take(struct session *session, const struct smtp_command *command)
{
    struct address client;
    bool has_client = has(command, XCLIENT_ADDR);
    if (has_client && !address_parse_zoned(command->attribute[XCLIENT_ADDR], &client))
        return "ADDR is not an address";
    if (!transaction_take(session, command)) return "TRANSACTION is not 32 hexadecimal digits";
    if (command->has_attribute[XCLIENT_ADDR]) client_take(session, command, has_client ? &client : NULL);
    helo_take(session, command);
    return NULL;
}

void xclient_do(struct session *session, const struct smtp_command *command)
{
    const char *why;
    if (!xclient_is_allowed(session)) {
        session_reply(session, 550, "5.7.0", "XCLIENT is not for you");
        return;
    }
    session->needs_xclient = true;
    if (session->transaction.step != STEP_NONE) {
        session_reply(session, 503, "5.5.1", "a message is under way");
    } else if ((why = take(session, command))) {
        session_reply(session, 501, "5.5.4", "%s", why);
    } else {
        session->needs_xclient = false;
        session_reply(session, 220, NULL, "%.*s ESMTP Sekimori", TEXT_ARG(session->server->config->hostname));
        const char *node = stream_peer_name(session->stream);
        log_info("xclient: %s speaks for %.*s[%.*s]%s%.*s", *node ? node : "a listed peer",
                 TEXT_ARG(session->client_name), TEXT_ARG(session->client_text),
                 session->client_tls.length ? " by " : "", TEXT_ARG(session->client_tls));
    }
}

bool xclient_hinders(struct session *session)
{
    const struct smtp_error *refusal = &session->client_refusal;
    if (session->needs_xclient) {
        session_reply(session, 503, "5.5.1", "XCLIENT was refused");
    } else if (refusal->code) { /* 421 is for the connection, which is the peer's: the client gets 450 */
        uint16_t code = refusal->code == 421 ? 450 : refusal->code;
        session_reply(session, code, refusal->enhanced, "%s", refusal->text);
        session_log_reject(session, STAGE_MAIL, TEXT_NONE, code, refusal->enhanced, refusal->text);
    } else {
        return false;
    }
    return true;
}

/* --- to the next node --- */

/* `name` with its "=". A value that is too long to be said is said to be unknown. */
static void attribute_put(struct buffer *out, struct text name, struct text value)
{
    if (buffer_length(out)) buffer_add_char(out, ' ');
    buffer_add_text(out, name);
    size_t before = buffer_length(out);
    xtext_encode(value, out);
    size_t length = buffer_length(out) - before;
    if (length > 0 && length <= XCLIENT_VALUE_MOST) return;
    buffer_truncate(out, before);
    buffer_add_text(out, TEXT("[UNAVAILABLE]"));
}

static void transaction_put(struct buffer *out, struct text transaction)
{
    static const char digits[] = "0123456789abcdef";
    buffer_add_text(out, TEXT(" TRANSACTION="));
    for (size_t i = 0; i < transaction.length; i++) {
        buffer_add_char(out, digits[(uint8_t)transaction.at[i] >> 4]);
        buffer_add_char(out, digits[transaction.at[i] & 15]);
    }
}

static void name_put(const struct session *session, struct buffer *out)
{
    const struct question *name = session_name(session);
    bool is_open = !name || name->status == ANSWER_PENDING || name->status == ANSWER_TEMPERROR;
    if (name && name->status == ANSWER_FOUND)
        attribute_put(out, TEXT("NAME="), session->client_name);
    else
        buffer_add_text(out, is_open ? TEXT("NAME=[TEMPUNAVAIL]") : TEXT("NAME=[UNAVAILABLE]"));
}

static void tls_put(const struct session *session, struct buffer *out)
{
    char room[160];
    if (!stream_is_secure(session->stream)) return;
    snprintf(room, sizeof room, "%s %s %d", stream_tls_version(session->stream),
             stream_tls_cipher(session->stream), stream_tls_bits(session->stream));
    attribute_put(out, TEXT("TLS="), text_of(room));
}

struct text xclient_origin(struct session *session, struct text transaction)
{
    struct buffer out = { 0 };
    name_put(session, &out);
    attribute_put(&out, TEXT("ADDR="), session->client_text);
    attribute_put(&out, TEXT("PROTO="), session->is_esmtp ? TEXT("ESMTP") : TEXT("SMTP"));
    attribute_put(&out, TEXT("HELO="), session->helo);
    tls_put(session, &out);
    transaction_put(&out, transaction);
    struct text origin = arena_text(session->mail, buffer_text(&out));
    buffer_free(&out);
    return origin;
}
