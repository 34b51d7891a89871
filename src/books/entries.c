/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Events to rows. Each row is followed by its sums and terms only when it was new: that is what makes telling
   twice harmless. */
#include "books/database_private.h"
#include "books/terms.h"
#include "config/domains.h"
#include "ipc/ask_queue.h"
#include "ipc/message_id.h"
#include "judge/evidence.h"

const char *const entries_texts[STATEMENTS] = {
    [STORE_MESSAGE] =
        "INSERT OR IGNORE INTO message(id, time, direction, client, helo, sender, size, own, node,"
        " class, score, virus, engine, signals, subject, message_id, author)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    [JUDGE_MESSAGE] = "UPDATE message SET class = ?10, score = ?11, virus = ?12, engine = ?13, signals = ?14,"
                      " subject = ?15, message_id = ?16, author = ?17, client = ?4, helo = ?5"
                      " WHERE id = ?1 AND score IS NULL",
    /* Not one statement with RETURNING: that costs a table of its own each time. */
    [STORE_RECIPIENT] =
        "INSERT OR IGNORE INTO recipient(message, number, address, accepted_ms, action, observed,"
        " hold) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [ACCEPT_RECIPIENT] = "UPDATE recipient SET address = ?3, accepted_ms = ?4, action = ?5, observed = ?6"
                         " WHERE message = ?1 AND number = ?2 AND accepted_ms IS NULL",
    [JUDGE_RECIPIENT] = "UPDATE recipient SET action = ?3, observed = ?4 WHERE message = ?1 AND number = ?2",
    [END_RECIPIENT] = "UPDATE recipient SET ending = ?3, ended_ms = ?4, dsn = ?5, relay = ?6, reply = ?7"
                      " WHERE message = ?1 AND number = ?2 AND ending = 0",
    [STORE_ENDING] = "INSERT OR IGNORE INTO recipient(message, number, ending, ended_ms, dsn, relay, reply)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STORE_STEP] = "INSERT OR IGNORE INTO step(message, recipient, time, kind, hold, due, dsn, relay, reply)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [HOLD_RECIPIENT] = "INSERT INTO recipient(message, number, hold) VALUES(?1, ?2, ?3)"
                       " ON CONFLICT DO UPDATE SET hold = excluded.hold",
    [STORE_REFUSAL] =
        "INSERT OR IGNORE INTO refusal(id, node, direction, stage, code, message, number, client, helo, "
        "sender,"
        " recipient, reply, size, class, score, virus, engine, signals, subject, message_id, author)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "
        "?21)",
    [STORE_AUDIT] = "INSERT OR IGNORE INTO audit(id, node, uid, user, process, act, message, about)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [STORE_MISSED] = "INSERT OR IGNORE INTO missed(digest, time, kind) VALUES(?1, ?2, ?3)",
    [STORE_RELAYED] =
        "INSERT OR IGNORE INTO recipient(message, number, address, accepted_ms, ending, ended_ms,"
        " dsn, relay, reply) VALUES(?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7, ?8)",
    [STORE_HOP] = "INSERT OR IGNORE INTO hop(message, next) VALUES(?1, ?2)",
    [FIND_ENDING] = "SELECT ending, ended_ms FROM recipient WHERE message = ?1 AND number = ?2",
    [FIND_MESSAGE] =
        "SELECT m.direction, m.size, m.sender, r.address FROM recipient r JOIN message m"
        " ON m.id = r.message WHERE r.message = ?1 AND r.number = ?2 AND r.accepted_ms IS NOT NULL",
};

static enum books_outcome run(struct database *database, enum statement number)
{
    return database_tell(database, sql_do(database->statements[number]), entries_texts[number]);
}

/* True: a row came back, and the statement is to be reset. Else *out says how it went. */
static bool run_returning(struct database *database, enum statement number, enum books_outcome *out)
{
    *out = sql_step(database->statements[number]);
    if (*out == BOOKS_ROW) return true;
    sql_reset(database->statements[number]);
    database_tell(database, *out, entries_texts[number]);
    return false;
}

/* --- sums --- */

static struct text domain_of(struct text address)
{
    return text_slice(address, text_find_last_char(address, '@') + 1, address.length);
}

/* By our own domains only, else strangers could fill the table with names. */
static struct text sum_domain(const struct database *database, uint8_t direction, struct text sender,
                              struct text recipient)
{
    struct text name = domain_of(direction == DIRECTION_OUT ? sender : recipient);
    if (!database->config) return name;
    const struct domain *domain = config_find_domain(database->config, name);
    return config_route_is_local(domain) ? domain->name : TEXT_NONE;
}

static struct pending_sum sum_at(const struct database *database, uint64_t time_ms, uint8_t direction,
                                 struct text domain)
{
    return (struct pending_sum){
        .time_ms = time_ms, .node = database->node, .direction = direction, .domain = domain
    };
}

static void add(struct database *database, struct pending_sum sum, enum sum_kind kind, struct text name)
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
    add(database, sum, kind, name);
}

/* What was found in a message, whatever became of it. */
static void add_judgement(struct database *database, const struct event_judgement *judgement,
                          struct pending_sum sum)
{
    if (!judgement->is_judged) return;
    add(database, sum, SUM_CLASS, text_of(class_name(judgement->class)));
    if (judgement->class == CLASS_VIRUS) add(database, sum, SUM_VIRUS, judgement->virus);
    if (!sum.messages) return;
    if (judgement->engine.length) add_whole_day(database, sum, SUM_ENGINE, judgement->engine);
    for (uint32_t i = 0; i < judgement->signal_count; i++)
        add_whole_day(database, sum, SUM_RULE, judgement->signals[i].name);
}

/* What was done to one recipient for it. */
static void add_action(struct database *database, const struct event_judgement *judgement, enum action action,
                       enum action observed, struct pending_sum sum)
{
    static const enum sum_kind spam[] = { [ACTION_TAG] = SUM_SPAM_TAGGED,
                                          [ACTION_QUARANTINE] = SUM_SPAM_HELD,
                                          [ACTION_REJECT] = SUM_SPAM_REFUSED,
                                          [ACTION_DISCARD] = SUM_SPAM_DISCARDED,
                                          [ACTION_DEFER] = 0 };
    bool is_spam = judgement->is_judged && judgement->class == CLASS_SPAM;
    if (is_spam && action <= ACTION_DEFER && spam[action]) add(database, sum, spam[action], TEXT_NONE);
    if (observed != ACTION_ACCEPT && observed <= ACTION_DEFER)
        add(database, sum, SUM_OBSERVED, text_of(evidence_action_name(observed)));
}

static enum sum_kind ending_sum(enum ending ending)
{
    static const enum sum_kind kinds[ENDING_COUNT] = { [ENDING_DELIVERED] = SUM_DELIVERED,
                                                       [ENDING_RETURNED] = SUM_RETURNED,
                                                       [ENDING_DISCARDED] = SUM_DISCARDED,
                                                       [ENDING_REMOVED] = SUM_REMOVED,
                                                       [ENDING_QUARANTINED] = SUM_QUARANTINED };
    return kinds[ending];
}

/* --- accepted --- */

static struct text signals_text(struct database *database, const struct event_judgement *judgement)
{
    struct text all = TEXT_NONE;
    for (uint32_t i = 0; i < judgement->signal_count; i++)
        all = arena_printf(database->arena, "%.*s%s%.*s=%.2f", TEXT_ARG(all), i ? "," : "",
                           TEXT_ARG(judgement->signals[i].name), judgement->signals[i].points);
    return all;
}

/* Eight columns from `column` on: class, score, virus, engine, signals, subject, message_id, author. */
static void bind_judgement(struct database *database, struct sql_statement *statement, int column,
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

static struct text client_text(struct database *database, const struct address *client)
{
    char room[ADDRESS_TEXT_SIZE];
    if (address_is_zero(client)) return TEXT_NONE;
    return arena_text(database->arena, text_of(address_print(client, room)));
}

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
    bind_judgement(database, statement, 10, &event->judgement, is_whole);
}

static void judgement_terms(struct database *database, const struct event_judgement *judgement)
{
    if (!judgement->is_judged) return;
    terms_add(&database->terms, TERM_CLASS, text_of(class_name(judgement->class)));
    if (judgement->virus.length) terms_add(&database->terms, TERM_VIRUS, judgement->virus);
    terms_add_words(&database->terms, judgement->subject);
}

/* Stores the message. *out_is_new: it was not there; *out_is_judged: its judgement was not. The second comes
   alone when queue, restarted, told of the message before receive's own event was read. */
static enum books_outcome message_store(struct database *database, const struct event_accepted *event,
                                        uint32_t first, bool *out_is_new, bool *out_is_judged)
{
    struct text client = client_text(database, &event->client);
    bind_message(database, database->statements[STORE_MESSAGE], event, client, first == 0);
    enum books_outcome outcome = run(database, STORE_MESSAGE);
    *out_is_new = outcome == BOOKS_DONE && sql_changes(database->sql) > 0;
    *out_is_judged = *out_is_new && event->judgement.is_judged && first == 0;
    if (outcome == BOOKS_DONE && !*out_is_new && event->judgement.is_judged && first == 0) {
        bind_message(database, database->statements[JUDGE_MESSAGE], event, client, true);
        outcome = run(database, JUDGE_MESSAGE);
        *out_is_judged = outcome == BOOKS_DONE && sql_changes(database->sql) > 0;
    }
    if (*out_is_new || *out_is_judged) terms_add_client(&database->terms, client);
    if (*out_is_new) terms_add_sender(&database->terms, event->sender);
    if (*out_is_judged) judgement_terms(database, &event->judgement);
    return outcome;
}

/* The recipient's row was new: its sums. An ending that was told before it counts only now. */
static void recipient_count(struct database *database, const struct event_accepted *event, uint32_t number,
                            const struct event_recipient *recipient, enum ending ending, uint64_t ended_ms)
{
    struct text domain = sum_domain(database, event->direction, event->sender, recipient->address);
    struct pending_sum sum = sum_at(database, event->time_ms, event->direction, domain);
    sum.recipients = 1;
    sum.messages = number == 0;
    sum.bytes = number == 0 ? event->size : 0;
    static const enum sum_kind origins[] = { SUM_ACCEPTED, SUM_OWN, SUM_AGAIN };
    add(database, sum, origins[event->is_own < 3 ? event->is_own : 1], TEXT_NONE);
    if (recipient->hold) add(database, sum, SUM_HELD, text_of(hold_reason_name(recipient->hold)));
    if (ending == ENDING_NONE || ending >= ENDING_COUNT) return;
    sum.time_ms = ended_ms;
    add(database, sum, ending_sum(ending), TEXT_NONE);
}

static void recipient_count_judged(struct database *database, const struct event_accepted *event,
                                   uint32_t number, const struct event_recipient *recipient)
{
    struct text domain = sum_domain(database, event->direction, event->sender, recipient->address);
    struct pending_sum sum = sum_at(database, event->time_ms, event->direction, domain);
    sum.recipients = 1;
    sum.messages = number == 0;
    sum.bytes = number == 0 ? event->size : 0;
    add_judgement(database, &event->judgement, sum);
    add_action(database, &event->judgement, recipient->action, recipient->observed, sum);
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
static enum books_outcome recipient_insert(struct database *database, const struct event_accepted *event,
                                           uint32_t number, const struct event_recipient *recipient,
                                           bool *out_is_new, enum ending *out_ending, uint64_t *out_ended_ms)
{
    *out_ending = ENDING_NONE;
    *out_ended_ms = 0;
    bind_recipient(database, STORE_RECIPIENT, event, number, recipient);
    enum books_outcome outcome = run(database, STORE_RECIPIENT);
    *out_is_new = outcome == BOOKS_DONE && sql_changes(database->sql) > 0;
    if (outcome != BOOKS_DONE || *out_is_new) return outcome;
    bind_recipient(database, ACCEPT_RECIPIENT, event, number, recipient);
    outcome = run(database, ACCEPT_RECIPIENT);
    *out_is_new = outcome == BOOKS_DONE && sql_changes(database->sql) > 0;
    if (!*out_is_new) return outcome;
    struct sql_statement *find = database->statements[FIND_ENDING];
    sql_bind(find, 1, event->id);
    sql_bind(find, 2, number);
    if (!run_returning(database, FIND_ENDING, &outcome)) return outcome;
    *out_ending = (enum ending)sql_get(find, 0);
    *out_ended_ms = sql_get(find, 1);
    sql_reset(find);
    return BOOKS_DONE;
}

static enum books_outcome recipient_judge(struct database *database, const struct event_accepted *event,
                                          uint32_t number, const struct event_recipient *recipient)
{
    struct sql_statement *statement = database->statements[JUDGE_RECIPIENT];
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, number);
    sql_bind(statement, 3, recipient->action);
    sql_bind(statement, 4, recipient->observed);
    recipient_count_judged(database, event, number, recipient);
    return run(database, JUDGE_RECIPIENT);
}

static enum books_outcome recipient_store(struct database *database, const struct event_accepted *event,
                                          uint32_t number, const struct event_recipient *recipient,
                                          bool is_judged_late)
{
    bool is_new;
    enum ending ending;
    uint64_t ended_ms;
    enum books_outcome outcome =
        recipient_insert(database, event, number, recipient, &is_new, &ending, &ended_ms);
    if (outcome != BOOKS_DONE) return outcome;
    if (!is_new) return is_judged_late ? recipient_judge(database, event, number, recipient) : BOOKS_DONE;
    recipient_count(database, event, number, recipient, ending, ended_ms);
    terms_add_recipient(&database->terms, recipient->address);
    if (recipient->hold) terms_add(&database->terms, TERM_STATUS, TEXT("held"));
    if (recipient->hold == HOLD_QUARANTINE) terms_add(&database->terms, TERM_STATUS, TEXT("quarantined"));
    if (event->judgement.is_judged) recipient_count_judged(database, event, number, recipient);
    return BOOKS_DONE;
}

enum books_outcome database_store_accepted(struct database *database, const struct event_accepted *event,
                                           uint32_t first)
{
    bool is_new, is_judged;
    arena_reset(database->arena);
    buffer_clear(&database->terms);
    enum books_outcome outcome = message_store(database, event, first, &is_new, &is_judged);
    for (uint32_t i = 0; i < event->recipient_count && outcome == BOOKS_DONE; i++)
        outcome = recipient_store(database, event, first + i, &event->recipients[i], is_judged && !is_new);
    pending_add_terms(database->pending, false, event->id, buffer_text(&database->terms));
    return outcome;
}

/* --- relayed --- */

/* Where nodes know each other, a reply of the next one has the id that it gave the message. */
static enum books_outcome hop_store(struct database *database, uint64_t id, struct text reply)
{
    static const struct text kept = { "kept as ", 8 };
    uint64_t next;
    size_t at = database->node ? text_find(reply, kept) : reply.length;
    if (at == reply.length) return BOOKS_DONE;
    struct text word = text_slice(reply, at + kept.length, at + kept.length + MESSAGE_ID_SIZE - 1);
    if (!message_id_parse(word, &next) || next > INT64_MAX) return BOOKS_DONE;
    sql_bind(database->statements[STORE_HOP], 1, id);
    sql_bind(database->statements[STORE_HOP], 2, next);
    return run(database, STORE_HOP);
}

static enum books_outcome relayed_store(struct database *database, const struct event_relayed *event,
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
    enum books_outcome outcome = run(database, STORE_RELAYED);
    if (outcome != BOOKS_DONE || sql_changes(database->sql) == 0) return outcome;
    struct text domain = sum_domain(database, event->direction, event->sender, recipient);
    struct pending_sum sum = sum_at(database, event->time_ms, event->direction, domain);
    sum.recipients = 1;
    sum.messages = number == 0;
    sum.bytes = number == 0 ? event->size : 0;
    add(database, sum, SUM_RELAYED, TEXT_NONE);
    terms_add_recipient(&database->terms, recipient);
    terms_add(&database->terms, TERM_STATUS, text_of(ending_name(ENDING_RELAYED)));
    return BOOKS_DONE;
}

/* A message like others, whose recipients ended as they came. */
enum books_outcome database_store_relayed(struct database *database, const struct event_relayed *event,
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
    enum books_outcome outcome = message_store(database, &message, first, &is_new, &is_judged);
    for (uint32_t i = 0; i < event->recipient_count && outcome == BOOKS_DONE; i++)
        outcome = relayed_store(database, event, first + i, event->recipients[i]);
    pending_add_terms(database->pending, false, event->id, buffer_text(&database->terms));
    return outcome == BOOKS_DONE ? hop_store(database, event->id, event->reply) : outcome;
}

/* --- what happened later --- */

/* Sums of something that happened to a recipient, if anybody has told of its acceptance. */
static enum books_outcome later_count(struct database *database, uint64_t id, uint32_t number,
                                      uint64_t time_ms, enum sum_kind kind, struct text name)
{
    enum books_outcome outcome;
    struct sql_statement *found = database->statements[FIND_MESSAGE];
    sql_bind(found, 1, id);
    sql_bind(found, 2, number);
    if (!run_returning(database, FIND_MESSAGE, &outcome)) return outcome;
    uint8_t direction = (uint8_t)sql_get(found, 0);
    struct text domain = sum_domain(database, direction, sql_get_text(found, 2), sql_get_text(found, 3));
    struct pending_sum sum = sum_at(database, time_ms, direction, domain);
    sum.recipients = 1;
    sum.messages = number == 0;
    sum.bytes = number == 0 ? sql_get(found, 1) : 0;
    add(database, sum, kind, name);
    sql_reset(found);
    return BOOKS_DONE;
}

static void status_term(struct database *database, uint64_t id, const char *status)
{
    buffer_clear(&database->terms);
    terms_add(&database->terms, TERM_STATUS, text_of(status));
    pending_add_terms(database->pending, false, id, buffer_text(&database->terms));
}

static enum books_outcome ending_run(struct database *database, enum statement number,
                                     const struct event_ended *event)
{
    struct sql_statement *statement = database->statements[number];
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, event->recipient);
    sql_bind(statement, 3, (uint64_t)event->ending);
    sql_bind(statement, 4, event->time_ms);
    sql_bind_text(statement, 5, event->dsn);
    sql_bind_text(statement, 6, event->relay);
    sql_bind_text(statement, 7, event->reply);
    return run(database, number);
}

enum books_outcome database_store_ended(struct database *database, const struct event_ended *event)
{
    enum books_outcome outcome = ending_run(database, END_RECIPIENT, event);
    bool is_new = sql_changes(database->sql) > 0;
    if (outcome == BOOKS_DONE && is_new)
        outcome = later_count(database, event->id, event->recipient, event->time_ms,
                              ending_sum(event->ending), TEXT_NONE);
    if (outcome == BOOKS_DONE && !is_new) {
        outcome = ending_run(database, STORE_ENDING, event);
        is_new = sql_changes(database->sql) > 0;
    }
    if (outcome == BOOKS_DONE && is_new) status_term(database, event->id, ending_name(event->ending));
    if (outcome == BOOKS_DONE && is_new && event->ending == ENDING_DELIVERED)
        outcome = hop_store(database, event->id, event->reply);
    return outcome;
}

static enum books_outcome hold_store(struct database *database, const struct event_step *event)
{
    struct sql_statement *statement = database->statements[HOLD_RECIPIENT];
    bool is_hold = event->kind == STEP_HELD || event->kind == STEP_EXPIRED;
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, event->recipient);
    sql_bind(statement, 3, is_hold ? event->hold : HOLD_NONE);
    enum books_outcome outcome = run(database, HOLD_RECIPIENT);
    if (outcome == BOOKS_DONE && is_hold)
        outcome = later_count(database, event->id, event->recipient, event->time_ms, SUM_HELD,
                              text_of(hold_reason_name(event->hold)));
    static const enum sum_kind kinds[STEP_KIND_COUNT] = { [STEP_EXPIRED] = SUM_EXPIRED_HELD,
                                                          [STEP_RELEASED] = SUM_RELEASED,
                                                          [STEP_DELETED] = SUM_DELETED,
                                                          [STEP_AGED] = SUM_AGED };
    if (outcome == BOOKS_DONE && kinds[event->kind])
        outcome =
            later_count(database, event->id, event->recipient, event->time_ms, kinds[event->kind], TEXT_NONE);
    if (is_hold) status_term(database, event->id, "held");
    if (is_hold && event->hold == HOLD_QUARANTINE) status_term(database, event->id, "quarantined");
    return outcome;
}

enum books_outcome database_store_step(struct database *database, const struct event_step *event)
{
    struct sql_statement *statement = database->statements[STORE_STEP];
    arena_reset(database->arena);
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, event->recipient);
    sql_bind(statement, 3, event->time_ms);
    sql_bind(statement, 4, (uint64_t)event->kind);
    sql_bind(statement, 5, event->hold);
    if (event->due_ms)
        sql_bind(statement, 6, event->due_ms);
    else
        sql_bind_null(statement, 6);
    sql_bind_text(statement, 7, event->dsn);
    sql_bind_text(statement, 8, event->relay);
    sql_bind_text(statement, 9, event->reply);
    enum books_outcome outcome = run(database, STORE_STEP);
    if (outcome != BOOKS_DONE || sql_changes(database->sql) == 0) return outcome;
    status_term(database, event->id, step_name(event->kind));
    if (event->kind != STEP_DEFERRED) return hold_store(database, event);
    return later_count(database, event->id, event->recipient, event->time_ms, SUM_DEFERRED, TEXT_NONE);
}

/* --- refused --- */

/* Sorts by time like the ids of messages. Events of one ring and one millisecond are never 256 KiB apart. */
static uint64_t place_id(uint64_t time_ms, uint16_t slot, uint64_t position)
{
    return time_ms << 22 | (uint64_t)(slot & 127) << 15 | (position >> 3 & 32767);
}

static void refused_count(struct database *database, const struct event_refused *event)
{
    struct text domain = sum_domain(database, event->direction, event->sender, event->recipient);
    struct pending_sum sum = sum_at(database, event->time_ms, event->direction, domain);
    bool is_content = event->stage == STAGE_CONTENT;
    sum.recipients = event->recipient.length > 0;
    sum.messages = event->is_message;
    sum.bytes = event->is_message ? event->size : 0;
    if (event->code == 0)
        add(database, sum, SUM_ABORTED, TEXT_NONE);
    else if (event->code < 300)
        add(database, sum, SUM_DISCARDED, text_of(class_name(event->judgement.class)));
    else if (is_content)
        add(database, sum, SUM_REFUSED_AFTER, text_of(class_name(event->judgement.class)));
    else
        add(database, sum, SUM_REFUSED, text_of(stage_name(event->stage)));
    enum action action = event->code < 300    ? ACTION_DISCARD
                         : event->code >= 500 ? ACTION_REJECT
                                              : ACTION_DEFER;
    add_judgement(database, &event->judgement, sum);
    if (event->code) add_action(database, &event->judgement, action, ACTION_ACCEPT, sum);
}

static void refused_index(struct database *database, const struct event_refused *event, struct text client,
                          uint64_t id)
{
    buffer_clear(&database->terms);
    terms_add_client(&database->terms, client);
    terms_add_sender(&database->terms, event->sender);
    if (event->recipient.length) terms_add_recipient(&database->terms, event->recipient);
    terms_add(&database->terms, TERM_STATUS, text_of(terms_refused_status(event->code)));
    judgement_terms(database, &event->judgement);
    pending_add_terms(database->pending, true, id, buffer_text(&database->terms));
}

enum books_outcome database_store_refused(struct database *database, const struct event_refused *event,
                                          uint16_t slot, uint64_t position)
{
    arena_reset(database->arena);
    struct sql_statement *statement = database->statements[STORE_REFUSAL];
    struct text client = client_text(database, &event->client);
    uint64_t id = event->serial ? event->serial : place_id(event->time_ms, slot, position);
    sql_bind(statement, 1, id);
    sql_bind(statement, 2, database->node);
    sql_bind(statement, 3, event->direction);
    sql_bind(statement, 4, event->stage);
    sql_bind(statement, 5, event->code);
    if (event->id)
        sql_bind(statement, 6, event->id);
    else
        sql_bind_null(statement, 6);
    sql_bind(statement, 7, event->number);
    sql_bind_text(statement, 8, client);
    sql_bind_text(statement, 9, event->helo);
    sql_bind_text(statement, 10, event->sender);
    sql_bind_text(statement, 11, event->recipient);
    sql_bind_text(statement, 12, event->reply);
    sql_bind(statement, 13, event->size);
    bind_judgement(database, statement, 14, &event->judgement, event->is_message);
    enum books_outcome outcome = run(database, STORE_REFUSAL);
    if (outcome != BOOKS_DONE || sql_changes(database->sql) == 0) return outcome;
    refused_count(database, event);
    refused_index(database, event, client, id);
    return BOOKS_DONE;
}

enum books_outcome database_store_audit(struct database *database, const struct event_audit *event,
                                        uint16_t slot, uint64_t position)
{
    struct sql_statement *statement = database->statements[STORE_AUDIT];
    sql_bind(statement, 1, event->serial ? event->serial : place_id(event->time_ms, slot, position));
    sql_bind(statement, 2, database->node);
    sql_bind(statement, 3, event->uid);
    sql_bind_text(statement, 4, event->user);
    sql_bind_text(statement, 5, event->process);
    sql_bind_text(statement, 6, event->act);
    sql_bind(statement, 7, event->id);
    sql_bind_text(statement, 8, event->about);
    return run(database, STORE_AUDIT);
}

enum books_outcome database_store_missed(struct database *database, const struct event_missed *event)
{
    struct sql_statement *statement = database->statements[STORE_MISSED];
    sql_bind(statement, 1, event->digest);
    sql_bind(statement, 2, event->time_ms);
    sql_bind_text(statement, 3, event->kind);
    enum books_outcome outcome = run(database, STORE_MISSED);
    if (outcome != BOOKS_DONE || sql_changes(database->sql) == 0) return outcome;
    struct pending_sum sum = sum_at(database, event->time_ms, DIRECTION_IN, TEXT_NONE);
    sum.messages = 1;
    add(database, sum, SUM_MISSED, event->kind);
    return BOOKS_DONE;
}
