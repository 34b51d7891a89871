/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What accepted.c, ended.c and refused.c share. */
#include "ledgerdb/entries.h"

#include <stdio.h>

#include "config/closed_kinds.h"
#include "config/domains.h"
#include "ipc/message_id.h"
#include "judge/evidence.h"
#include "ledgerdb/terms.h"
#include "mail/envelope.h"

enum ledgerdb_outcome entries_run(struct database *database, enum statement number)
{
    return sql_tell(database->sql, sql_do(database->statements[number]), statements_texts[number]);
}

bool entries_run_returning(struct database *database, enum statement number, enum ledgerdb_outcome *out)
{
    *out = sql_step(database->statements[number]);
    if (*out == LEDGERDB_ROW) return true;
    sql_reset(database->statements[number]);
    sql_tell(database->sql, *out, statements_texts[number]);
    return false;
}

/* --- sums --- */

/* By our own domains only, else strangers could fill the table with names. */
static struct text sum_domain(const struct database *database, uint8_t direction, struct text sender,
                              struct text recipient)
{
    struct text name = envelope_domain_of(direction == DIRECTION_OUT ? sender : recipient);
    if (!database->config) return name;
    const struct domain *domain = config_find_domain(database->config, name);
    return config_route_is_local(domain) ? domain->name : TEXT_NONE;
}

struct pending_sum entries_sum(const struct database *database, struct entries_about about)
{
    bool is_first = about.number == 0;
    return (struct pending_sum){ .time_ms = about.time_ms,
                                 .node = database->node,
                                 .direction = about.direction,
                                 .domain =
                                     sum_domain(database, about.direction, about.sender, about.recipient),
                                 .messages = is_first,
                                 .recipients = 1,
                                 .bytes = is_first ? about.size : 0 };
}

void entries_add(struct database *database, struct pending_sum sum, enum sum_kind kind, struct text name)
{
    sum.kind = kind;
    sum.name = name;
    pending_add_sum(database->pending, &sum);
}

static void add_whole_day(struct database *database, struct pending_sum sum, enum sum_kind kind,
                          struct text name)
{
    sum.is_whole_day = true;
    sum.domain = TEXT_NONE;
    entries_add(database, sum, kind, name);
}

/* Each check under one name for each of its results, so that the table stays small. */
static void add_proof(struct database *database, const struct proof *proof, struct pending_sum sum)
{
    const struct {
        const char *check;
        enum proof_result result;
    } checks[] = {
        { "dmarc", proof->dmarc }, { "spf", proof->spf }, { "dkim", proof->dkim }, { "arc", proof->arc }
    };
    char name[40];
    if (!proof->is_made) return;
    sum.is_whole_day = true;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        snprintf(name, sizeof name, "%s=%s", checks[i].check, proof_result_word(checks[i].result));
        entries_add(database, sum, SUM_AUTH, text_of(name));
    }
    snprintf(name, sizeof name, "excuse=%s", proof_excuse_word(proof->excuse));
    if (proof->excuse) entries_add(database, sum, SUM_AUTH, text_of(name));
    pending_add_partner(database->pending, &sum, proof);
}

/* Names that no kind has count as one: there are as many different ones as kinds. */
static void add_not_opened(struct database *database, struct text kinds, struct pending_sum sum)
{
    sum.is_whole_day = true;
    while (kinds.length > 0) {
        size_t comma = text_find_char(kinds, ',');
        unsigned kind = closed_kinds_number(text_slice(kinds, 0, comma));
        entries_add(database, sum, SUM_NOT_OPENED, text_of(closed_kinds_name(kind)));
        kinds = text_slice(kinds, comma + 1, kinds.length);
    }
}

void entries_add_judgement(struct database *database, const struct event_judgement *judgement,
                           struct pending_sum sum)
{
    if (!judgement->is_judged) return;
    entries_add(database, sum, SUM_CLASS, text_of(class_name(judgement->class)));
    if (judgement->class == CLASS_VIRUS) entries_add(database, sum, SUM_VIRUS, judgement->virus);
    if (!sum.messages) return;
    add_proof(database, &judgement->proof, sum);
    add_not_opened(database, judgement->not_opened, sum);
    if (judgement->engine.length) add_whole_day(database, sum, SUM_ENGINE, judgement->engine);
    for (uint32_t i = 0; i < judgement->signal_count; i++)
        add_whole_day(database, sum, SUM_RULE, judgement->signals[i].name);
}

void entries_add_action(struct database *database, const struct event_judgement *judgement,
                        enum action action, enum action observed, struct pending_sum sum)
{
    static const enum sum_kind spam[] = { [ACTION_TAG] = SUM_SPAM_TAGGED,
                                          [ACTION_QUARANTINE] = SUM_SPAM_HELD,
                                          [ACTION_REJECT] = SUM_SPAM_REFUSED,
                                          [ACTION_DISCARD] = SUM_SPAM_DISCARDED,
                                          [ACTION_DEFER] = 0 };
    bool is_spam = judgement->is_judged && judgement->class == CLASS_SPAM;
    if (is_spam && action <= ACTION_DEFER && spam[action])
        entries_add(database, sum, spam[action], TEXT_NONE);
    if (observed != ACTION_ACCEPT && observed <= ACTION_DEFER)
        entries_add(database, sum, SUM_OBSERVED, text_of(evidence_action_name(observed)));
}

/* Names that no version of ours gives a signal have no room in a sum. */
enum { SIGNAL_NAME_MOST = 64 };

static void add_signal(struct database *database, struct text signal, enum signal_fate fate,
                       struct pending_sum sum)
{
    if (signal.length > SIGNAL_NAME_MOST || signal_family_of(signal) == SIGNAL_FAMILY_NONE) return;
    struct text name = arena_printf(database->arena, "%.*s=%s", TEXT_ARG(signal), signal_fate_word(fate));
    add_whole_day(database, sum, SUM_SIGNAL, name);
}

void entries_add_signals(struct database *database, const struct event_judgement *judgement,
                         enum signal_fate fate, struct pending_sum sum)
{
    if (!judgement->is_judged || !sum.messages) return;
    for (uint32_t i = 0; i < judgement->signal_count; i++)
        add_signal(database, judgement->signals[i].name, fate, sum);
}

void entries_add_cause(struct database *database, struct text cause, uint16_t code, struct pending_sum sum)
{
    if (cause.length > 0)
        add_signal(database, cause, code >= 500 ? SIGNAL_FATE_REFUSED_EARLY : SIGNAL_FATE_DEFERRED_EARLY,
                   sum);
}

enum signal_fate entries_fate(enum action action)
{
    static const enum signal_fate fates[] = {
        [ACTION_ACCEPT] = SIGNAL_FATE_PASSED,     [ACTION_TAG] = SIGNAL_FATE_TAGGED,
        [ACTION_QUARANTINE] = SIGNAL_FATE_HELD,   [ACTION_REJECT] = SIGNAL_FATE_REFUSED,
        [ACTION_DISCARD] = SIGNAL_FATE_DISCARDED, [ACTION_DEFER] = SIGNAL_FATE_DEFERRED
    };
    return (unsigned)action < sizeof fates / sizeof *fates ? fates[action] : SIGNAL_FATE_PASSED;
}

enum sum_kind entries_ending_sum(enum ending ending)
{
    static const enum sum_kind kinds[ENDING_COUNT] = { [ENDING_DELIVERED] = SUM_DELIVERED,
                                                       [ENDING_RETURNED] = SUM_RETURNED,
                                                       [ENDING_DISCARDED] = SUM_DISCARDED,
                                                       [ENDING_REMOVED] = SUM_REMOVED,
                                                       [ENDING_QUARANTINED] = SUM_QUARANTINED };
    return kinds[ending];
}

/* --- messages --- */

static struct text signals_text(struct database *database, const struct event_judgement *judgement)
{
    struct buffer all = { 0 };
    for (uint32_t i = 0; i < judgement->signal_count; i++)
        buffer_printf(&all, "%s%.*s=%.2f", i ? "," : "", TEXT_ARG(judgement->signals[i].name),
                      judgement->signals[i].points);
    struct text text = arena_text(database->arena, buffer_text(&all));
    buffer_free(&all);
    return text;
}

void entries_bind_judgement(struct database *database, struct sql_statement *statement, int column,
                            const struct event_judgement *judgement, bool is_whole)
{
    sql_bind(statement, column, (uint64_t)judgement->class);
    if (judgement->is_judged && is_whole)
        sql_bind_real(statement, column + 1, judgement->score);
    else
        sql_bind_null(statement, column + 1);
    sql_bind_text(statement, column + 2, judgement->virus);
    sql_bind_text(statement, column + 3, judgement->engine);
    sql_bind_text(statement, column + 4, signals_text(database, judgement));
    sql_bind_text(statement, column + 5, judgement->subject);
    sql_bind_text(statement, column + 6, judgement->message_id);
    sql_bind_text(statement, column + 7, judgement->author);
}

enum ledgerdb_outcome entries_store_proof(struct database *database, uint64_t id, const struct proof *proof)
{
    struct sql_statement *statement = database->statements[STORE_PROOF];
    if (!proof->is_made) return LEDGERDB_DONE;
    const uint64_t numbers[] = { id,         proof->spf,    proof->dkim,   proof->dmarc,
                                 proof->arc, proof->demand, proof->excuse, proof->fate };
    const struct text texts[] = { proof->author, proof->spf_domain, proof->dkim_domain, proof->excuse_of };
    enum { NUMBERS = sizeof numbers / sizeof *numbers, TEXTS = sizeof texts / sizeof *texts };
    for (int i = 0; i < NUMBERS; i++) sql_bind(statement, i + 1, numbers[i]);
    for (int i = 0; i < TEXTS; i++) sql_bind_text(statement, NUMBERS + i + 1, texts[i]);
    return entries_run(database, STORE_PROOF);
}

enum ledgerdb_outcome entries_store_parts(struct database *database, uint64_t id, uint64_t time_ms,
                                          const struct event_judgement *judgement, bool is_received)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (database->config && !database->config->virus.parts_ms) return LEDGERDB_DONE;
    if (is_received) outcome = part_history_store(database->parts, id, judgement);
    return outcome == LEDGERDB_DONE ? part_history_find(database->parts, id, time_ms, judgement) : outcome;
}

struct text entries_client(struct database *database, const struct address *client)
{
    char room[ADDRESS_TEXT_SIZE];
    if (address_is_zero(client)) return TEXT_NONE;
    return arena_text(database->arena, text_of(address_print(client, room)));
}

void entries_judgement_terms(struct database *database, const struct event_judgement *judgement)
{
    if (!judgement->is_judged) return;
    terms_add(&database->terms, TERM_CLASS, text_of(class_name(judgement->class)));
    if (judgement->virus.length) terms_add(&database->terms, TERM_VIRUS, judgement->virus);
    terms_add_words(&database->terms, judgement->subject);
}

enum ledgerdb_outcome entries_store_hop(struct database *database, uint64_t id, struct text reply)
{
    static const struct text kept = { "kept as ", 8 };
    uint64_t next;
    size_t at = database->node ? text_find(reply, kept) : reply.length;
    if (at == reply.length) return LEDGERDB_DONE;
    struct text word = text_slice(reply, at + kept.length, at + kept.length + MESSAGE_ID_SIZE - 1);
    if (!message_id_parse(word, &next) || next > INT64_MAX) return LEDGERDB_DONE;
    sql_bind(database->statements[STORE_HOP], 1, id);
    sql_bind(database->statements[STORE_HOP], 2, next);
    return entries_run(database, STORE_HOP);
}
