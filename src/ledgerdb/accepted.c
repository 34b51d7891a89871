/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What came in: kept here, or taken by the next node while its client waited. */
#include "config/hosted.h"
#include "ipc/ask_queue.h"
#include "ledgerdb/entries.h"
#include "ledgerdb/terms.h"
#include "mail/envelope.h"

static void bind_message(struct database *database, struct sql_statement *statement,
                         const struct event_accepted *event, struct text client, bool is_whole)
{
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, event->time_ms);
    sql_bind(statement, 3, event->direction);
    sql_bind_text(statement, 4, client);
    sql_bind_text(statement, 5, event->helo);
    sql_bind_text(statement, 6, event->sender);
    sql_bind(statement, 7, event->size);
    sql_bind(statement, 8, event->is_own);
    sql_bind(statement, 9, database->node);
    entries_bind_judgement(database, statement, 10, &event->judgement, is_whole);
}

/* Mail of a list that we took as good: from outside, no junk, and the owner of the domain in From asks for
   nothing that was not excused. */
static enum ledgerdb_outcome list_see(struct database *database, const struct event_accepted *event)
{
    const struct proof *proof = &event->judgement.proof;
    bool is_good = event->judgement.class == CLASS_NONE || event->judgement.class == CLASS_NEWSLETTER;
    bool is_wanted = proof->demand == PROOF_ASKS_NOTHING || proof->excuse != PROOF_NO_EXCUSE;
    if (database->today == 0 || proof->list.length == 0 || event->is_own) return LEDGERDB_DONE;
    if (event->direction != DIRECTION_IN || !is_good || !is_wanted) return LEDGERDB_DONE;
    return list_history_see(database->lists, proof->list, proof->list_domain, database->today);
}

/* The severest that was done to a recipient; a taken message has none that was refused. */
static enum signal_fate fate_of(const struct event_accepted *event)
{
    enum signal_fate fate = SIGNAL_FATE_PASSED;
    for (uint32_t i = 0; i < event->recipient_count; i++) {
        const struct event_recipient *recipient = &event->recipients[i];
        enum signal_fate one =
            recipient->hold != HOLD_NONE ? SIGNAL_FATE_HELD : entries_fate((enum action)recipient->action);
        if (one > fate) fate = one;
    }
    return fate < SIGNAL_FATE_HELD ? fate : SIGNAL_FATE_HELD;
}

static void signals_count(struct database *database, const struct event_accepted *event)
{
    struct pending_sum sum = { .time_ms = event->time_ms,
                               .node = database->node,
                               .direction = event->direction,
                               .messages = 1,
                               .bytes = event->size };
    entries_add_signals(database, &event->judgement, fate_of(event), sum);
}

/* A sender of ours under his own address: the envelope has it too, which the servers inside look after. */
static enum ledgerdb_outcome colleague_see(struct database *database, const struct event_accepted *event)
{
    struct text name, address;
    const struct config *config = database->config;
    if (!config || !config->outside.learns_people || database->today == 0 || event->is_own)
        return LEDGERDB_DONE;
    bool is_sent = event->direction == DIRECTION_OUT && event->judgement.class == CLASS_NONE &&
                   fate_of(event) == SIGNAL_FATE_PASSED;
    if (!is_sent || !colleagues_author(event->judgement.author, &name, &address)) return LEDGERDB_DONE;
    if (!text_equal_nocase(address, event->sender) || !config_is_ours(config, envelope_domain_of(address)))
        return LEDGERDB_DONE;
    return colleagues_see(database->colleagues, name, arena_text_lower(database->arena, address),
                          database->today);
}

/* Stores the message. *out_is_new: it was not there; *out_is_judged: its judgement was not. The second comes
   alone when queue, restarted, told of the message before receive's own event was read. */
static enum ledgerdb_outcome message_store(struct database *database, const struct event_accepted *event,
                                           uint32_t first, bool *out_is_new, bool *out_is_judged)
{
    struct text client = entries_client(database, &event->client);
    bind_message(database, database->statements[STORE_MESSAGE], event, client, first == 0);
    enum ledgerdb_outcome outcome = entries_run(database, STORE_MESSAGE);
    *out_is_new = outcome == LEDGERDB_DONE && sql_changes(database->sql) > 0;
    *out_is_judged = *out_is_new && event->judgement.is_judged && first == 0;
    if (outcome == LEDGERDB_DONE && !*out_is_new && event->judgement.is_judged && first == 0) {
        bind_message(database, database->statements[JUDGE_MESSAGE], event, client, true);
        outcome = entries_run(database, JUDGE_MESSAGE);
        *out_is_judged = outcome == LEDGERDB_DONE && sql_changes(database->sql) > 0;
    }
    if (*out_is_new || *out_is_judged) terms_add_client(&database->terms, client);
    if (*out_is_new) terms_add_sender(&database->terms, event->sender);
    if (!*out_is_judged) return outcome;
    signals_count(database, event);
    entries_judgement_terms(database, &event->judgement);
    outcome = entries_store_proof(database, event->id, &event->judgement.proof);
    if (outcome == LEDGERDB_DONE)
        outcome = entries_store_parts(database, event->id, event->time_ms, &event->judgement, true);
    if (outcome == LEDGERDB_DONE) outcome = colleague_see(database, event);
    return outcome == LEDGERDB_DONE ? list_see(database, event) : outcome;
}

/* The recipient's row was new: its sums. An ending that was told before it counts only now. */
static void recipient_count(struct database *database, const struct event_accepted *event, uint32_t number,
                            const struct event_recipient *recipient, enum ending ending, uint64_t ended_ms)
{
    struct pending_sum sum = entries_sum(database, (struct entries_about){ .time_ms = event->time_ms,
                                                                           .size = event->size,
                                                                           .number = number,
                                                                           .direction = event->direction,
                                                                           .sender = event->sender,
                                                                           .recipient = recipient->address });
    pending_remember(database->pending, event->id, number, &sum);
    static const enum sum_kind origins[] = { SUM_ACCEPTED, SUM_OWN, SUM_AGAIN };
    entries_add(database, sum, origins[event->is_own < 3 ? event->is_own : 1], TEXT_NONE);
    if (recipient->hold) entries_add(database, sum, SUM_HELD, text_of(hold_reason_name(recipient->hold)));
    if (ending == ENDING_NONE || ending >= ENDING_COUNT) return;
    sum.time_ms = ended_ms;
    entries_add(database, sum, entries_ending_sum(ending), TEXT_NONE);
}

static void recipient_count_judged(struct database *database, const struct event_accepted *event,
                                   uint32_t number, const struct event_recipient *recipient)
{
    struct pending_sum sum = entries_sum(database, (struct entries_about){ .time_ms = event->time_ms,
                                                                           .size = event->size,
                                                                           .number = number,
                                                                           .direction = event->direction,
                                                                           .sender = event->sender,
                                                                           .recipient = recipient->address });
    entries_add_judgement(database, &event->judgement, sum);
    entries_add_action(database, &event->judgement, recipient->action, recipient->observed, sum);
}

static void bind_recipient(struct database *database, enum statement number,
                           const struct event_accepted *event, uint32_t recipient_number,
                           const struct event_recipient *recipient)
{
    struct sql_statement *statement = database->statements[number];
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, recipient_number);
    sql_bind_text(statement, 3, recipient->address);
    sql_bind(statement, 4, event->time_ms);
    sql_bind(statement, 5, recipient->action);
    sql_bind(statement, 6, recipient->observed);
    if (number == STORE_RECIPIENT) sql_bind(statement, 7, recipient->hold);
}

/* *out_is_new: until now nobody had told of the recipient's acceptance. Its ending may have been told. */
static enum ledgerdb_outcome recipient_insert(struct database *database, const struct event_accepted *event,
                                              uint32_t number, const struct event_recipient *recipient,
                                              bool *out_is_new, enum ending *out_ending,
                                              uint64_t *out_ended_ms)
{
    *out_ending = ENDING_NONE;
    *out_ended_ms = 0;
    bind_recipient(database, STORE_RECIPIENT, event, number, recipient);
    enum ledgerdb_outcome outcome = entries_run(database, STORE_RECIPIENT);
    *out_is_new = outcome == LEDGERDB_DONE && sql_changes(database->sql) > 0;
    if (outcome != LEDGERDB_DONE || *out_is_new) return outcome;
    bind_recipient(database, ACCEPT_RECIPIENT, event, number, recipient);
    outcome = entries_run(database, ACCEPT_RECIPIENT);
    *out_is_new = outcome == LEDGERDB_DONE && sql_changes(database->sql) > 0;
    if (!*out_is_new) return outcome;
    struct sql_statement *find = database->statements[FIND_ENDING];
    sql_bind(find, 1, event->id);
    sql_bind(find, 2, number);
    if (!entries_run_returning(database, FIND_ENDING, &outcome)) return outcome;
    *out_ending = (enum ending)sql_get(find, 0);
    *out_ended_ms = sql_get(find, 1);
    sql_reset(find);
    return LEDGERDB_DONE;
}

static enum ledgerdb_outcome recipient_judge(struct database *database, const struct event_accepted *event,
                                             uint32_t number, const struct event_recipient *recipient)
{
    struct sql_statement *statement = database->statements[JUDGE_RECIPIENT];
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, number);
    sql_bind(statement, 3, recipient->action);
    sql_bind(statement, 4, recipient->observed);
    recipient_count_judged(database, event, number, recipient);
    return entries_run(database, JUDGE_RECIPIENT);
}

static enum ledgerdb_outcome recipient_store(struct database *database, const struct event_accepted *event,
                                             uint32_t number, const struct event_recipient *recipient,
                                             bool is_judged_late)
{
    bool is_new;
    enum ending ending;
    uint64_t ended_ms;
    enum ledgerdb_outcome outcome =
        recipient_insert(database, event, number, recipient, &is_new, &ending, &ended_ms);
    if (outcome != LEDGERDB_DONE) return outcome;
    if (!is_new) return is_judged_late ? recipient_judge(database, event, number, recipient) : LEDGERDB_DONE;
    recipient_count(database, event, number, recipient, ending, ended_ms);
    terms_add_recipient(&database->terms, recipient->address);
    if (recipient->hold) terms_add(&database->terms, TERM_STATUS, TEXT("held"));
    if (recipient->hold == HOLD_QUARANTINE) terms_add(&database->terms, TERM_STATUS, TEXT("quarantined"));
    if (event->judgement.is_judged) recipient_count_judged(database, event, number, recipient);
    return LEDGERDB_DONE;
}

enum ledgerdb_outcome database_store_accepted(struct database *database, const struct event_accepted *event,
                                              uint32_t first)
{
    bool is_new, is_judged;
    arena_reset(database->arena);
    buffer_clear(&database->terms);
    enum ledgerdb_outcome outcome = message_store(database, event, first, &is_new, &is_judged);
    for (uint32_t i = 0; i < event->recipient_count && outcome == LEDGERDB_DONE; i++)
        outcome = recipient_store(database, event, first + i, &event->recipients[i], is_judged && !is_new);
    pending_add_terms(database->pending, false, event->id, buffer_text(&database->terms));
    return outcome;
}

/* --- relayed --- */

static enum ledgerdb_outcome relayed_store(struct database *database, const struct event_relayed *event,
                                           uint32_t number, struct text recipient)
{
    struct sql_statement *statement = database->statements[STORE_RELAYED];
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, number);
    sql_bind_text(statement, 3, recipient);
    sql_bind(statement, 4, event->time_ms);
    sql_bind(statement, 5, ENDING_RELAYED);
    sql_bind_text(statement, 6, event->dsn);
    sql_bind_text(statement, 7, event->relay);
    sql_bind_text(statement, 8, event->reply);
    enum ledgerdb_outcome outcome = entries_run(database, STORE_RELAYED);
    if (outcome != LEDGERDB_DONE || sql_changes(database->sql) == 0) return outcome;
    struct pending_sum sum = entries_sum(database, (struct entries_about){ .time_ms = event->time_ms,
                                                                           .size = event->size,
                                                                           .number = number,
                                                                           .direction = event->direction,
                                                                           .sender = event->sender,
                                                                           .recipient = recipient });
    entries_add(database, sum, SUM_RELAYED, TEXT_NONE);
    terms_add_recipient(&database->terms, recipient);
    terms_add(&database->terms, TERM_STATUS, text_of(ending_name(ENDING_RELAYED)));
    return LEDGERDB_DONE;
}

/* A message like others, whose recipients ended as they came. */
enum ledgerdb_outcome database_store_relayed(struct database *database, const struct event_relayed *event,
                                             uint32_t first)
{
    struct event_accepted message = { .id = event->id,
                                      .time_ms = event->time_ms,
                                      .size = event->size,
                                      .direction = event->direction,
                                      .client = event->client,
                                      .helo = event->helo,
                                      .sender = event->sender };
    bool is_new, is_judged;
    arena_reset(database->arena);
    buffer_clear(&database->terms);
    enum ledgerdb_outcome outcome = message_store(database, &message, first, &is_new, &is_judged);
    for (uint32_t i = 0; i < event->recipient_count && outcome == LEDGERDB_DONE; i++)
        outcome = relayed_store(database, event, first + i, event->recipients[i]);
    pending_add_terms(database->pending, false, event->id, buffer_text(&database->terms));
    return outcome == LEDGERDB_DONE ? entries_store_hop(database, event->id, event->reply) : outcome;
}
