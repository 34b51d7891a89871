/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/hour_limits.h"

#include "base/log.h"
#include "ipc/ask_rate.h"
#include "receive/origin.h"
#include "receive/queue_request.h"

enum kind { KIND_CLIENT, KIND_NETWORK, KIND_DOMAIN, KINDS };
/* KNOWN: that were asked for and are there; KEPT: of messages that were taken. */
enum { COUNT_MESSAGES, COUNT_RECIPIENTS, COUNT_KNOWN, COUNT_UNKNOWN, COUNT_KEPT };

/* Not who brings mail of many others: a node or a front that names no client, a forwarder. */
static bool is_from_outside(const struct session *session)
{
    const struct config *config = session->server->config;
    bool is_front = session->dialogue.is_listed && !session->dialogue.speaks_for;
    return session->port->listener.direction == DIRECTION_IN && !session->transaction.is_undecided &&
           !is_front && !network_list_has(&config->auth.forwarders, &session->client);
}

static struct hourly_entry *entry_of(const struct session *session, enum kind kind)
{
    const struct server *server = session->server;
    char domain[256];
    struct address network =
        kind == KIND_NETWORK ? address_wide_network(&session->client)
                             : address_client_network(&session->client, server->config->limits.ipv6_prefix);
    struct text name = text_from((const char *)network.bytes, sizeof network.bytes);
    if (kind == KIND_DOMAIN) {
        name = text_slice(envelope_domain_of(session->transaction.envelope.sender), 0, sizeof domain);
        for (size_t i = 0; i < name.length; i++) domain[i] = char_lower(name.at[i]);
        name = text_from(domain, name.length);
    }
    return hourly_table_entry(client_limits_hours(server->clients), (uint8_t)kind, name,
                              loop_now_ms(server->loop));
}

/* --- rates --- */

struct rate {
    uint32_t messages, recipients; /* 0: any number */
    const char *says[2];           /* of messages, of recipients */
};

static void rates_of(const struct config *config, struct rate out[KINDS])
{
    out[KIND_CLIENT] =
        (struct rate){ config->rates.messages_client,
                       config->rates.recipients_client,
                       { "too many messages from your address in an hour, try again later",
                         "too many recipients from your address in an hour, try again later" } };
    out[KIND_NETWORK] =
        (struct rate){ config->rates.messages_network,
                       config->rates.recipients_network,
                       { "too many messages from your network in an hour, try again later",
                         "too many recipients from your network in an hour, try again later" } };
    out[KIND_DOMAIN] =
        (struct rate){ config->rates.messages_domain,
                       config->rates.recipients_domain,
                       { "too many messages from this sender's domain in an hour, try again later",
                         "too many recipients from this sender's domain in an hour, try again later" } };
}

static bool has_limit(const struct rate *rate)
{
    return rate->messages || rate->recipients;
}

/* A message counts with its first recipient. NULL: neither is over. */
static const char *excess(const struct rate *rate, const struct hourly_entry *entry, uint64_t now_ms,
                          bool is_first)
{
    bool is_too_many =
        is_first && rate->messages && hourly_entry_count(entry, COUNT_MESSAGES, now_ms) >= rate->messages;
    if (is_too_many) return rate->says[0];
    is_too_many = rate->recipients && hourly_entry_count(entry, COUNT_RECIPIENTS, now_ms) >= rate->recipients;
    return is_too_many ? rate->says[1] : NULL;
}

struct reply hour_limits_take(struct session *session, const struct rcpt_decision *decision)
{
    struct rate rates[KINDS];
    struct hourly_entry *entries[KINDS] = { NULL };
    uint64_t now_ms = loop_now_ms(session->server->loop);
    bool is_first = session->transaction.envelope.recipient_count == 0;
    if (!rcpt_may_be_taken(decision) || !is_from_outside(session) ||
        mailbox_is_for_postmaster(decision->recipient.address))
        return (struct reply){ 0 };
    rates_of(session->server->config, rates);
    for (enum kind kind = 0; kind < KINDS; kind++) {
        bool has_name = kind != KIND_DOMAIN || session->transaction.envelope.sender.length > 0;
        if (!has_limit(&rates[kind]) || !has_name) continue;
        entries[kind] = entry_of(session, kind);
        const char *says = excess(&rates[kind], entries[kind], now_ms, is_first);
        if (says) return (struct reply){ 451, "4.7.1", says, REFUSAL_NONE, .cause = "RATE" };
    }
    for (enum kind kind = 0; kind < KINDS; kind++) {
        if (!entries[kind]) continue;
        if (is_first) hourly_entry_add(entries[kind], COUNT_MESSAGES, 1, now_ms);
        hourly_entry_add(entries[kind], COUNT_RECIPIENTS, 1, now_ms);
    }
    return (struct reply){ 0 };
}

/* --- harvest --- */

static enum harvest_action action_of(const struct session *session)
{
    return is_from_outside(session) ? session->server->config->harvest.action : HARVEST_OFF;
}

bool hour_limits_has_harvested(const struct session *session)
{
    return action_of(session) != HARVEST_OFF &&
           hourly_entry_is_marked(entry_of(session, KIND_CLIENT), loop_now_ms(session->server->loop));
}

struct reply hour_limits_harvest(const struct session *session, const struct smtp_command *command)
{
    enum harvest_action action = action_of(session);
    if (action < HARVEST_DEFER || !hour_limits_has_harvested(session) ||
        mailbox_is_postmaster(&command->mailbox))
        return (struct reply){ 0 };
    if (action == HARVEST_DEFER)
        return (struct reply){ 451, "4.7.1",
                               "too many recipients that do not exist were asked for, try again later",
                               REFUSAL_NONE, .cause = "HARVEST" };
    return (struct reply){ 550, "5.7.1", "too many recipients that do not exist were asked for",
                           REFUSAL_POLICY, .cause = "HARVEST" };
}

static void harvest_alert(struct session *session, struct text recipient, uint32_t unknown, uint32_t asked)
{
    struct text says = arena_printf(
        session->mail, "%u of %u recipients asked for within an hour do not exist", unknown, asked);
    log_warning("%.*s[%.*s] tries out recipients: %.*s", TEXT_ARG(session->client_name),
                TEXT_ARG(session->client_text), TEXT_ARG(says));
    keep_alert_send(session, 0, ALERT_HARVEST, recipient, says);
}

/* Who asks for one that is there, again and again, and sends nothing, would hide the others behind it: such
   ones count up to the line, and what was sent in full. */
static uint32_t asked_count(const struct session *session, const struct hourly_entry *entry, uint32_t unknown,
                            uint64_t now_ms)
{
    uint32_t known = hourly_entry_count(entry, COUNT_KNOWN, now_ms),
             most = session->server->config->harvest.unknown;
    return unknown + hourly_entry_count(entry, COUNT_KEPT, now_ms) +
           session->transaction.envelope.recipient_count + (known < most ? known : most);
}

static void harvest_look(struct session *session, struct text recipient, bool is_unknown)
{
    const struct config *config = session->server->config;
    uint64_t now_ms = loop_now_ms(session->server->loop);
    struct hourly_entry *entry = entry_of(session, KIND_CLIENT);
    hourly_entry_add(entry, COUNT_KNOWN, !is_unknown, now_ms);
    uint32_t unknown = hourly_entry_add(entry, COUNT_UNKNOWN, is_unknown, now_ms),
             asked = asked_count(session, entry, unknown, now_ms);
    bool is_over = is_unknown && unknown >= config->harvest.unknown &&
                   (uint64_t)unknown * 100 >= (uint64_t)config->harvest.percent * asked;
    if (is_over && hourly_entry_mark(entry, now_ms + config->harvest.shut_ms, now_ms))
        harvest_alert(session, recipient, unknown, asked);
}

void hour_limits_asked(struct session *session, struct text recipient, bool is_unknown)
{
    if (action_of(session) != HARVEST_OFF) harvest_look(session, recipient, is_unknown);
    if (is_unknown && session->port->listener.direction == DIRECTION_OUT)
        rate_tell(session->server->lookup, RATE_EVENT_REFUSED, session->transaction.envelope.sender);
}

void hour_limits_kept(struct session *session)
{
    if (action_of(session) != HARVEST_OFF)
        hourly_entry_add(entry_of(session, KIND_CLIENT), COUNT_KEPT,
                         session->transaction.envelope.recipient_count, loop_now_ms(session->server->loop));
}
