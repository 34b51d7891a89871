/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A command goes through messages by id or page by page. What acts looks at the right for each recipient's
   class, and leaves a record of the look or act before it shows or does anything. */
#include "ledger/quarantine/quarantine_command.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/json_text.h"
#include "ipc/child.h"
#include "ipc/message_id.h"
#include "ledger/quarantine/quarantine_selection.h"

enum {
    WORDS_MOST = 1000,
    PAGE_SHOWN = 200,
    PAGE_ACTED = 10,
    BACKLOG_MOST = 1 << 20,
    WAIT_MS = 1,
    OWN_SLOT = 127 /* of audit rows: no ring has it */
};

struct quarantine_command;
struct quarantine_verb {
    const char *name;
    /* One message's rows, those that were chosen. */
    void (*act)(struct quarantine_command *command, const struct held_row *rows, size_t count);
    bool needs_word, needs_id, is_reading, shows_gone;
};

struct quarantine_command {
    enum { QUARANTINE_COMMAND_MAGIC = 0x591bac96 } magic;
    LIST_ENTRY(quarantine_command) others;
    struct quarantine_command_server *server;
    struct channel *channel;
    struct timer *timer;
    struct arena *arena, *page; /* of the command; of the rows at hand */
    struct commander commander;
    const struct quarantine_verb *verb;
    struct selection choice;
    size_t place;   /* among ids */
    uint64_t after; /* pages: behind this message */
    uint64_t seen, touched, busy, denied;
    uint64_t messages, harmful; /* acted on; recipients of these whose class may hurt its reader */
    bool is_finished;
};

struct quarantine_command_server {
    struct loop *loop;
    struct ingest *ingest;
    struct quarantine *quarantine;
    const struct config *config;
    const struct ticket_key *key; /* NULL: no tickets */
    LIST_HEAD(quarantine_command_list, quarantine_command) commands;
    uint64_t audits;
};

/* --- talking --- */

static void quarantine_command_free(struct quarantine_command *command)
{
    LIST_REMOVE(command, others);
    channel_close(command->channel);
    timer_free(command->timer);
    arena_free(command->arena);
    arena_free(command->page);
    free(command);
}

static void finish(struct quarantine_command *command, int code, struct text last)
{
    struct buffer *out = channel_begin(command->channel, MASTER_DONE, 0);
    put_u8(out, (uint8_t)code);
    put_text(out, last);
    channel_end(command->channel);
    command->is_finished = true;
    timer_set(command->timer, WAIT_MS);
}

/* --- rights and records --- */

/* What may hurt is for the two owners, unless somebody is named; the rest for whoever operates the node. */
static bool may_act(const struct quarantine_command *command, enum held_class class)
{
    const struct commander *commander = &command->commander;
    if (commander->is_owner) return true;
    if ((unsigned)class >= HELD_CLASSES) return false;
    if (command->choice.has_ticket && quarantine_command_ticket_opens(command->server, class)) return true;
    const struct text_list *list = &command->server->config->quarantine.release[class];
    if (list->count) return text_list_has(list, commander->user);
    return !held_class_is_harmful(class) && commander->may_operate;
}

static bool may_list(const struct quarantine_command *command)
{
    if (command->commander.may_operate) return true;
    for (int i = 0; i < HELD_CLASSES; i++)
        if (may_act(command, (enum held_class)i)) return true;
    return false;
}

bool quarantine_command_record_within(struct quarantine_command_server *server, const struct commander *who,
                                      const char *process, uint64_t id, const char *act, struct text about)
{
    struct database *database = ingest_database(server->ingest);
    struct event_audit event = { .time_ms = loop_wall_ms(server->loop),
                                 .id = id,
                                 .uid = who->uid,
                                 .user = who->user,
                                 .process = text_of(process),
                                 .act = text_of(act),
                                 .about = about };
    return database_store_audit(database, &event, OWN_SLOT, server->audits++ << 3) == LEDGERDB_DONE;
}

bool quarantine_command_record(struct quarantine_command_server *server, const struct commander *who,
                               const char *process, uint64_t id, const char *act, struct text about)
{
    struct database *database = ingest_database(server->ingest);
    if (!database || held_begin(database) != LEDGERDB_DONE) return false;
    if (quarantine_command_record_within(server, who, process, id, act, about))
        return held_commit(database) == LEDGERDB_DONE;
    held_rollback(database);
    return false;
}

static bool audit(struct quarantine_command *command, uint64_t id, const char *act, struct text about)
{
    return quarantine_command_record(command->server, &command->commander, "quarantine", id, act, about);
}

/* --- verbs --- */

static void row_print(const struct held_row *row, struct buffer *out)
{
    char id[MESSAGE_ID_SIZE];
    buffer_printf(out, "{\"number\":%u,\"class\":\"%s\",\"state\":\"%s\",\"changed_ms\":%llu,\"address\":",
                  row->number, held_class_name(row->class),
                  row->is_arriving && row->state == HELD_KEPT ? "arriving" : held_state_name(row->state),
                  (unsigned long long)row->changed_ms);
    json_text_add(out, row->address);
    buffer_add_text(out, TEXT(",\"reason\":"));
    json_text_add(out, row->reason);
    if (row->release) buffer_printf(out, ",\"release\":\"%s\"", message_id_print(row->release, id));
    if (row->by.length) {
        buffer_add_text(out, TEXT(",\"by\":"));
        json_text_add(out, row->by);
    }
    buffer_add_char(out, '}');
}

static void act_list(struct quarantine_command *command, const struct held_row *rows, size_t count)
{
    char id[MESSAGE_ID_SIZE];
    struct buffer out = { 0 };
    buffer_printf(&out, "{\"id\":\"%s\",\"arrived_ms\":%llu,\"stored_ms\":%llu,\"size\":%llu,\"bytes\":%llu",
                  message_id_print(rows->message, id), (unsigned long long)message_id_time_ms(rows->message),
                  (unsigned long long)rows->stored_ms, (unsigned long long)rows->size,
                  (unsigned long long)rows->bytes);
    buffer_add_text(&out, TEXT(",\"sender\":"));
    json_text_add(&out, rows->sender);
    buffer_add_text(&out, TEXT(",\"subject\":"));
    json_text_add(&out, rows->subject);
    buffer_add_text(&out, TEXT(",\"virus\":"));
    json_text_add(&out, rows->virus);
    buffer_printf(&out, ",\"found\":\"%s\",\"author\":", class_name(rows->found));
    json_text_add(&out, rows->author);
    if (rows->is_judged) buffer_printf(&out, ",\"score\":%.1f", rows->score);
    buffer_add_text(&out, TEXT(",\"signals\":"));
    json_text_add(&out, rows->signals);
    buffer_add_text(&out, TEXT(",\"recipients\":["));
    for (size_t i = 0; i < count; i++) {
        if (i) buffer_add_char(&out, ',');
        row_print(&rows[i], &out);
    }
    buffer_add_text(&out, TEXT("]}\n"));
    child_say(command->channel, buffer_text(&out));
    buffer_free(&out);
    command->touched += count;
}

static void act_content(struct quarantine_command *command, const struct held_row *rows, size_t count)
{
    struct stored_message kept;
    if (!audit(command, rows->message, "content", TEXT("shown")) ||
        quarantine_store_read(quarantine_store_of(command->server->quarantine), rows->message, &kept) !=
            QUARANTINE_STORE_DONE) {
        command->busy += count;
        return;
    }
    child_say(command->channel, kept.content);
    stored_message_free(&kept);
    command->touched += count;
}

/* Those of the rows that can be acted on and that this user may act on, moved to the front. */
static size_t sift(struct quarantine_command *command, struct held_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state != HELD_KEPT || rows[i].is_arriving)
            command->busy++;
        else if (!may_act(command, rows[i].class))
            command->denied++;
        else
            rows[kept++] = rows[i];
    }
    return kept;
}

static void acted(struct quarantine_command *command, const struct held_row *rows, size_t count)
{
    command->messages++;
    command->touched += count;
    for (size_t i = 0; i < count; i++) command->harmful += held_class_is_harmful(rows[i].class);
}

static void act(struct quarantine_command *command, const struct held_row *all, size_t all_count,
                bool is_release)
{
    const char *verb = is_release ? "release" : "delete";
    struct held_row *rows = arena_alloc_array(command->page, all_count, sizeof *rows);
    memcpy(rows, all, all_count * sizeof *rows);
    uint64_t denied = command->denied;
    size_t count = sift(command, rows, all_count);
    if (command->denied > denied && !command->choice.is_dry)
        audit(command, all->message, verb, TEXT("refused: no right for its class"));
    if (!count) return;
    if (command->choice.is_dry) {
        acted(command, rows, count);
        return;
    }
    uint64_t release;
    struct text by = arena_printf(command->page, "%s by %.*s%s", verb, TEXT_ARG(command->commander.user),
                                  command->choice.has_ticket ? " with a ticket" : "");
    struct text about = arena_printf(command->page, "%s, %zu recipient%s", held_class_name(rows->class),
                                     count, count == 1 ? "" : "s");
    enum ledgerdb_outcome outcome = LEDGERDB_LATER;
    if (audit(command, rows->message, verb, about))
        outcome = is_release ? quarantine_release(command->server->quarantine, rows, count, by, &release)
                             : quarantine_delete(command->server->quarantine, rows, count, by);
    if (outcome == LEDGERDB_DONE)
        acted(command, rows, count);
    else
        command->busy += count;
}

static void act_release(struct quarantine_command *command, const struct held_row *rows, size_t count)
{
    act(command, rows, count, true);
}

static void act_delete(struct quarantine_command *command, const struct held_row *rows, size_t count)
{
    act(command, rows, count, false);
}

static const struct quarantine_verb verbs[] = {
    { "list", act_list, false, false, true, false },
    { "show", act_list, true, true, true, true },
    { "content", act_content, true, true, true, false },
    { "release", act_release, true, false, false, false },
    { "delete", act_delete, true, false, false, false },
};

/* --- choosing --- */

static bool is_chosen(const struct quarantine_command *command, const struct held_row *row)
{
    if (row->state >= HELD_GONE && !command->verb->shows_gone) return false;
    return selection_has(&command->choice, row);
}

/* Message by message. */
static void rows_visit(struct quarantine_command *command, struct held_rows *rows)
{
    for (size_t i = 0; i < rows->count;) {
        uint64_t message = rows->items[i].message;
        struct held_row *chosen = &rows->items[i];
        size_t count = 0;
        for (; i < rows->count && rows->items[i].message == message; i++)
            if (is_chosen(command, &rows->items[i])) chosen[count++] = rows->items[i];
        command->seen += count;
        if (count) command->verb->act(command, chosen, count);
    }
}

/* --- going through --- */

/* A dry run also says what a question has to name. */
static void counts_print(const struct quarantine_command *command, struct buffer *out)
{
    buffer_printf(out, "{\"recipients\":%llu,\"busy\":%llu,\"denied\":%llu",
                  (unsigned long long)command->touched, (unsigned long long)command->busy,
                  (unsigned long long)command->denied);
    if (command->choice.is_dry)
        buffer_printf(out, ",\"messages\":%llu,\"harmful\":%llu", (unsigned long long)command->messages,
                      (unsigned long long)command->harmful);
    buffer_add_text(out, TEXT("}\n"));
}

static void last_word(struct quarantine_command *command)
{
    const struct selection *choice = &command->choice;
    struct buffer out = { 0 };
    int code = EX_OK;
    if (command->busy) code = EX_TEMPFAIL;
    if (command->denied) code = EX_NOPERM;
    if (!command->seen && (choice->id_count || !command->verb->is_reading)) code = EX_NOINPUT;
    if (!command->verb->is_reading) counts_print(command, &out);
    finish(command, code, buffer_text(&out));
    buffer_free(&out);
}

/* False: that was the last. */
static bool rows_next(struct quarantine_command *command, struct sql *sql, struct held_rows *rows,
                      enum ledgerdb_outcome *outcome)
{
    const struct selection *choice = &command->choice;
    size_t most = command->verb->is_reading ? PAGE_SHOWN : PAGE_ACTED;
    if (choice->id_count) {
        if (command->place == choice->id_count) return false;
        *outcome = held_of_message(sql, command->page, choice->ids[command->place++], rows);
        return true;
    }
    *outcome = held_page(sql, command->page, choice->class, command->after, most, rows);
    if (rows->count) command->after = rows->items[rows->count - 1].message;
    return rows->count > 0;
}

static void slice(void *context)
{
    struct quarantine_command *command =
        CONTEXT(context, struct quarantine_command, QUARANTINE_COMMAND_MAGIC);
    struct database *database = ingest_database(command->server->ingest);
    struct held_rows rows = { 0 };
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (command->is_finished) { /* until the other side has taken all, or goes */
        if (channel_backlog(command->channel) == 0)
            quarantine_command_free(command);
        else
            timer_set(command->timer, WAIT_MS);
        return;
    }
    if (channel_backlog(command->channel) > BACKLOG_MOST) {
        timer_set(command->timer, WAIT_MS);
        return;
    }
    arena_reset(command->page);
    if (!database) {
        finish(command, EX_UNAVAILABLE, TEXT("the ledger database cannot be read now; the log says why"));
    } else if (!rows_next(command, database_sql(database), &rows, &outcome)) {
        last_word(command);
    } else if (outcome != LEDGERDB_DONE) {
        finish(command, EX_UNAVAILABLE, TEXT("the index of the quarantine cannot be read now"));
    } else {
        rows_visit(command, &rows);
        timer_set(command->timer, WAIT_MS);
    }
}

/* --- the command --- */

bool quarantine_command_ticket_opens(const struct quarantine_command_server *server, enum held_class class)
{
    return ticket_may_release(server->config, class);
}

enum ticket_outcome quarantine_command_ticket(const struct quarantine_command_server *server,
                                              struct text text, struct ticket *out)
{
    return ticket_check(server->key, text, loop_wall_ms(server->loop) / 1000, out);
}

/* NULL: good; else what is wrong. */
static const char *choice_read(struct quarantine_command *command, const struct text *words, size_t count)
{
    struct selection *choice = &command->choice;
    const struct quarantine_verb *verb = command->verb;
    const char *why = selection_read(choice, command->arena, command->server->key,
                                     loop_wall_ms(command->server->loop) / 1000, words, count);
    if (why) return why;
    if (verb->needs_id && !choice->id_count) return "name a message by its id";
    if (verb->needs_word && !choice->id_count && !choice->is_all && !choice->narrows)
        return "which messages? name ids, --class, --from, --to, or \"all\"";
    if (verb->is_reading && choice->is_dry) return "--dry-run goes with release and delete";
    return NULL;
}

static const struct quarantine_verb *verb_find(struct text name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (text_equal(name, text_of(verbs[i].name))) return &verbs[i];
    return NULL;
}

/* A refused look at content is recorded too. */
static bool has_right(struct quarantine_command *command)
{
    if (command->verb->act != act_content) {
        if (command->choice.has_ticket || may_list(command)) return true;
        finish(command, EX_NOPERM, TEXT("you may neither operate this node nor release mail of any class"));
        return false;
    }
    if (command->commander.may_read_content) return true;
    for (size_t i = 0; i < command->choice.id_count; i++)
        audit(command, command->choice.ids[i], "content", TEXT("refused: no right to read content"));
    finish(command, EX_NOPERM, TEXT("you may not read the content of messages (rights read-content)"));
    return false;
}

static void begin(struct quarantine_command *command, struct text text)
{
    struct text *words = arena_alloc_array(command->arena, WORDS_MOST, sizeof *words);
    struct text line, rest = text;
    size_t count = 0;
    while (count < WORDS_MOST && text_next_line(&rest, &line)) words[count++] = line;
    command->verb = count ? verb_find(words[0]) : NULL;
    const char *why = command->verb ? choice_read(command, words + 1, count - 1)
                                    : "quarantine knows: list, show, release, delete";
    if (why)
        finish(command, EX_USAGE, text_of(why));
    else if (has_right(command))
        timer_set(command->timer, 0);
}

static bool on_frame(void *context, struct frame *frame)
{
    return false; /* one command a connection */
}

static void on_closed(void *context)
{
    quarantine_command_free(CONTEXT(context, struct quarantine_command, QUARANTINE_COMMAND_MAGIC));
}

void quarantine_command_begin(struct quarantine_command_server *server, const struct commander *commander,
                              struct text text, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    struct quarantine_command *command = memory_alloc(sizeof *command);
    *command = (struct quarantine_command){ .magic = QUARANTINE_COMMAND_MAGIC,
                                            .server = server,
                                            .commander = *commander };
    LIST_INSERT_HEAD(&server->commands, command, others);
    command->arena = arena_new(0);
    command->page = arena_new(0);
    command->commander.user = arena_text(command->arena, commander->user);
    command->timer = timer_new(server->loop, slice, command);
    command->channel = channel_open(server->loop, fd, &events, command);
    begin(command, arena_text(command->arena, text_trim(text)));
}

struct quarantine_command_server *quarantine_command_server_new(struct loop *loop, struct ingest *ingest,
                                                                struct quarantine *quarantine)
{
    struct quarantine_command_server *server = memory_alloc(sizeof *server);
    *server = (struct quarantine_command_server){ .loop = loop, .ingest = ingest, .quarantine = quarantine };
    return server;
}

void quarantine_command_server_free(struct quarantine_command_server *server)
{
    for (struct quarantine_command *next, *command = LIST_FIRST(&server->commands); command; command = next) {
        next = LIST_NEXT(command, others);
        quarantine_command_free(command);
    }
    free(server);
}

void quarantine_command_server_set_key(struct quarantine_command_server *server, const struct ticket_key *key)
{
    server->key = key;
}

void quarantine_command_server_set_config(struct quarantine_command_server *server,
                                          const struct config *config)
{
    server->config = config;
}
