/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* For whom a session speaks. Called by connection.c. */
#include "receive/xclient.h"

#include "base/log.h"
#include "receive/admission.h"
#include "receive/list_check.h"

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
static void helo_take(struct server_dialogue *dialogue, const struct smtp_command *command)
{
    struct text helo = command->attribute[XCLIENT_HELO];
    bool is_esmtp = text_starts_nocase(command->attribute[XCLIENT_PROTO], TEXT("E"));
    if (!has(command, XCLIENT_PROTO))
        server_dialogue_greeted(dialogue, TEXT_NONE, dialogue->is_esmtp);
    else
        server_dialogue_greeted(dialogue, helo.length ? helo : TEXT("unknown"), is_esmtp);
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
        if (session->has_transaction_id) session->transaction_id[i / 2] = (char)(high << 4 | low);
    }
    return session->has_transaction_id || hex.length == 0;
}

/* No address: the peer speaks for itself again. */
static void client_take(struct session *session, const struct smtp_command *command,
                        const struct address *client)
{
    session_client_set(session, client ? client : &session->peer.address);
    name_take(session, command);
    list_check_client(session);
    session->client_tls = arena_text(session->who, command->attribute[XCLIENT_TLS]);
    struct reply refusal = admission_ask(session);
    server_dialogue_stand_for(&session->dialogue, client != NULL, &refusal);
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
    helo_take(&session->dialogue, command);
    return NULL;
}

void xclient_do(struct session *session, const struct smtp_command *command)
{
    struct server *server = session->server;
    const char *why = take(session, command), *node = stream_peer_name(session->stream);
    server_dialogue_xclient_answer(&session->dialogue, server->config, why, &server->replies);
    session_speak(session);
    if (why) return;
    log_info("xclient: %s speaks for %.*s[%.*s]%s%.*s", *node ? node : "a listed peer",
             TEXT_ARG(session->client_name), TEXT_ARG(session->client_text),
             session->client_tls.length ? " by " : "", TEXT_ARG(session->client_tls));
}
