/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A command goes through messages by id or page by page. What acts looks at the right for each recipient's
   class, and leaves a record of the look or act before it shows or does anything. */
#include "ledger/quarantine/curator.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/json_text.h"
#include "ipc/message_id.h"
#include "ledger/quarantine/selection.h"

enum {
    WORDS_MOST = 1000,
    PAGE_SHOWN = 200,
    PAGE_ACTED = 10,
    BACKLOG_MOST = 1 << 20,
    PART_MOST = 64 * 1024,
    WAIT_MS = 1,
    OWN_SLOT = 127 /* of audit rows: no ring has it */
};

struct curator;
struct verb {
    const char *name;
    /* One message's rows, those that were chosen. */
    void (*act)(struct curator *curator, const struct held_row *rows, size_t count);
    bool needs_word, needs_id, is_reading, shows_gone;
};

struct curator {
    enum { CURATOR_MAGIC = 0x591bac96 } magic;
    struct curator *next;
    struct curator_desk *desk;
    struct channel *channel;
    struct timer *timer;
    struct arena *arena, *page; /* of the command; of the rows at hand */
    struct commander commander;
    const struct verb *verb;
    struct selection choice;
    size_t place;   /* among ids */
    uint64_t after; /* pages: behind this message */
    uint64_t seen, touched, busy, denied;
    uint64_t messages, harmful; /* acted on; recipients of these whose class may hurt its reader */
    bool is_finished;
};

struct curator_desk {
    struct loop *loop;
    struct harvest *harvest;
    struct custody *custody;
    const struct config *config;
    const struct ticket_key *key; /* NULL: no tickets */
    struct curator *first;
    uint64_t audits;
};

/* --- talking --- */

static void curator_free(struct curator *curator)
{
    struct curator **link = &curator->desk->first;
    while (*link != curator) link = &(*link)->next;
    *link = curator->next;
    channel_close(curator->channel);
    timer_free(curator->timer);
    arena_free(curator->arena);
    arena_free(curator->page);
    free(curator);
}

static void say(struct curator *curator, struct text bytes)
{
    for (; bytes.length > 0; bytes = text_slice(bytes, PART_MOST, bytes.length)) {
        put_text(channel_begin(curator->channel, MASTER_MORE, 0), text_slice(bytes, 0, PART_MOST));
        channel_end(curator->channel);
    }
}

static void finish(struct curator *curator, int code, struct text last)
{
    struct buffer *out = channel_begin(curator->channel, MASTER_DONE, 0);
    put_u8(out, (uint8_t)code);
    put_text(out, last);
    channel_end(curator->channel);
    curator->is_finished = true;
    timer_set(curator->timer, WAIT_MS);
}

/* --- rights and records --- */

/* What may hurt is for the two owners, unless somebody is named; the rest for whoever operates the node. */
static bool may_act(const struct curator *curator, enum held_class class)
{
    const struct commander *commander = &curator->commander;
    if (commander->is_owner) return true;
    if ((unsigned)class >= HELD_CLASSES) return false;
    if (curator->choice.has_ticket && curator_ticket_opens(curator->desk, class)) return true;
    const struct text_list *list = &curator->desk->config->quarantine.release[class];
    if (list->count) return text_list_has(list, commander->user);
    return !held_class_is_harmful(class) && commander->may_operate;
}

static bool may_list(const struct curator *curator)
{
    if (curator->commander.may_operate) return true;
    for (int i = 0; i < HELD_CLASSES; i++)
        if (may_act(curator, (enum held_class)i)) return true;
    return false;
}

bool curator_record(struct curator_desk *desk, const struct commander *who, uint64_t id, const char *act,
                    struct text about)
{
    struct database *database = harvest_database(desk->harvest);
    struct event_audit event = { .time_ms = loop_wall_ms(desk->loop),
                                 .id = id,
                                 .uid = who->uid,
                                 .user = who->user,
                                 .process = TEXT("quarantine"),
                                 .act = text_of(act),
                                 .about = about };
    if (!database || held_begin(database) != BOOKS_DONE) return false;
    if (database_store_audit(database, &event, OWN_SLOT, desk->audits++ << 3) == BOOKS_DONE)
        return held_commit(database) == BOOKS_DONE;
    held_rollback(database);
    return false;
}

static bool audit(struct curator *curator, uint64_t id, const char *act, struct text about)
{
    return curator_record(curator->desk, &curator->commander, id, act, about);
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

static void act_list(struct curator *curator, const struct held_row *rows, size_t count)
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
    buffer_add_text(&out, TEXT(",\"recipients\":["));
    for (size_t i = 0; i < count; i++) {
        if (i) buffer_add_char(&out, ',');
        row_print(&rows[i], &out);
    }
    buffer_add_text(&out, TEXT("]}\n"));
    say(curator, buffer_text(&out));
    buffer_free(&out);
    curator->touched += count;
}

static void act_content(struct curator *curator, const struct held_row *rows, size_t count)
{
    struct vault_message kept;
    if (!audit(curator, rows->message, "content", TEXT("shown")) ||
        vault_read(custody_vault(curator->desk->custody), rows->message, &kept) != VAULT_DONE) {
        curator->busy += count;
        return;
    }
    say(curator, kept.content);
    vault_message_free(&kept);
    curator->touched += count;
}

/* Those of the rows that can be acted on and that this user may act on, moved to the front. */
static size_t sift(struct curator *curator, struct held_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state != HELD_KEPT || rows[i].is_arriving)
            curator->busy++;
        else if (!may_act(curator, rows[i].class))
            curator->denied++;
        else
            rows[kept++] = rows[i];
    }
    return kept;
}

static void acted(struct curator *curator, const struct held_row *rows, size_t count)
{
    curator->messages++;
    curator->touched += count;
    for (size_t i = 0; i < count; i++) curator->harmful += held_class_is_harmful(rows[i].class);
}

static void act(struct curator *curator, const struct held_row *all, size_t all_count, bool is_release)
{
    const char *verb = is_release ? "release" : "delete";
    struct held_row *rows = arena_alloc_array(curator->page, all_count, sizeof *rows);
    memcpy(rows, all, all_count * sizeof *rows);
    uint64_t denied = curator->denied;
    size_t count = sift(curator, rows, all_count);
    if (curator->denied > denied && !curator->choice.is_dry)
        audit(curator, all->message, verb, TEXT("refused: no right for its class"));
    if (!count) return;
    if (curator->choice.is_dry) {
        acted(curator, rows, count);
        return;
    }
    uint64_t release;
    struct text by = arena_printf(curator->page, "%s by %.*s%s", verb, TEXT_ARG(curator->commander.user),
                                  curator->choice.has_ticket ? " with a ticket" : "");
    struct text about = arena_printf(curator->page, "%s, %zu recipient%s", held_class_name(rows->class),
                                     count, count == 1 ? "" : "s");
    enum books_outcome outcome = BOOKS_LATER;
    if (audit(curator, rows->message, verb, about))
        outcome = is_release ? custody_release(curator->desk->custody, rows, count, by, &release)
                             : custody_delete(curator->desk->custody, rows, count, by);
    if (outcome == BOOKS_DONE)
        acted(curator, rows, count);
    else
        curator->busy += count;
}

static void act_release(struct curator *curator, const struct held_row *rows, size_t count)
{
    act(curator, rows, count, true);
}

static void act_delete(struct curator *curator, const struct held_row *rows, size_t count)
{
    act(curator, rows, count, false);
}

static const struct verb verbs[] = {
    { "list", act_list, false, false, true, false },
    { "show", act_list, true, true, true, true },
    { "content", act_content, true, true, true, false },
    { "release", act_release, true, false, false, false },
    { "delete", act_delete, true, false, false, false },
};

/* --- choosing --- */

static bool is_chosen(const struct curator *curator, const struct held_row *row)
{
    if (row->state >= HELD_GONE && !curator->verb->shows_gone) return false;
    return selection_has(&curator->choice, row);
}

/* Message by message. */
static void rows_visit(struct curator *curator, struct held_rows *rows)
{
    for (size_t i = 0; i < rows->count;) {
        uint64_t message = rows->items[i].message;
        struct held_row *chosen = &rows->items[i];
        size_t count = 0;
        for (; i < rows->count && rows->items[i].message == message; i++)
            if (is_chosen(curator, &rows->items[i])) chosen[count++] = rows->items[i];
        curator->seen += count;
        if (count) curator->verb->act(curator, chosen, count);
    }
}

/* --- going through --- */

/* A dry run also says what a question has to name. */
static void counts_print(const struct curator *curator, struct buffer *out)
{
    buffer_printf(out, "{\"recipients\":%llu,\"busy\":%llu,\"denied\":%llu",
                  (unsigned long long)curator->touched, (unsigned long long)curator->busy,
                  (unsigned long long)curator->denied);
    if (curator->choice.is_dry)
        buffer_printf(out, ",\"messages\":%llu,\"harmful\":%llu", (unsigned long long)curator->messages,
                      (unsigned long long)curator->harmful);
    buffer_add_text(out, TEXT("}\n"));
}

static void last_word(struct curator *curator)
{
    const struct selection *choice = &curator->choice;
    struct buffer out = { 0 };
    int code = EX_OK;
    if (curator->busy) code = EX_TEMPFAIL;
    if (curator->denied) code = EX_NOPERM;
    if (!curator->seen && (choice->id_count || !curator->verb->is_reading)) code = EX_NOINPUT;
    if (!curator->verb->is_reading) counts_print(curator, &out);
    finish(curator, code, buffer_text(&out));
    buffer_free(&out);
}

/* False: that was the last. */
static bool rows_next(struct curator *curator, struct sql *sql, struct held_rows *rows,
                      enum books_outcome *outcome)
{
    const struct selection *choice = &curator->choice;
    size_t most = curator->verb->is_reading ? PAGE_SHOWN : PAGE_ACTED;
    if (choice->id_count) {
        if (curator->place == choice->id_count) return false;
        *outcome = held_of_message(sql, curator->page, choice->ids[curator->place++], rows);
        return true;
    }
    *outcome = held_page(sql, curator->page, choice->class, curator->after, most, rows);
    if (rows->count) curator->after = rows->items[rows->count - 1].message;
    return rows->count > 0;
}

static void slice(void *context)
{
    struct curator *curator = CONTEXT(context, struct curator, CURATOR_MAGIC);
    struct database *database = harvest_database(curator->desk->harvest);
    struct held_rows rows = { 0 };
    enum books_outcome outcome = BOOKS_DONE;
    if (curator->is_finished) { /* until the other side has taken all, or goes */
        if (channel_backlog(curator->channel) == 0)
            curator_free(curator);
        else
            timer_set(curator->timer, WAIT_MS);
        return;
    }
    if (channel_backlog(curator->channel) > BACKLOG_MOST) {
        timer_set(curator->timer, WAIT_MS);
        return;
    }
    arena_reset(curator->page);
    if (!database) {
        finish(curator, EX_UNAVAILABLE, TEXT("the ledger database cannot be read now; the log says why"));
    } else if (!rows_next(curator, database_sql(database), &rows, &outcome)) {
        last_word(curator);
    } else if (outcome != BOOKS_DONE) {
        finish(curator, EX_UNAVAILABLE, TEXT("the index of the quarantine cannot be read now"));
    } else {
        rows_visit(curator, &rows);
        timer_set(curator->timer, WAIT_MS);
    }
}

/* --- the command --- */

bool curator_ticket_opens(const struct curator_desk *desk, enum held_class class)
{
    return ticket_may_release(desk->config, class);
}

enum ticket_outcome curator_ticket(const struct curator_desk *desk, struct text text, struct ticket *out)
{
    return ticket_check(desk->key, text, loop_wall_ms(desk->loop) / 1000, out);
}

/* NULL: good; else what is wrong. */
static const char *choice_read(struct curator *curator, const struct text *words, size_t count)
{
    struct selection *choice = &curator->choice;
    const struct verb *verb = curator->verb;
    const char *why = selection_read(choice, curator->arena, curator->desk->key,
                                     loop_wall_ms(curator->desk->loop) / 1000, words, count);
    if (why) return why;
    if (verb->needs_id && !choice->id_count) return "name a message by its id";
    if (verb->needs_word && !choice->id_count && !choice->is_all && !choice->narrows)
        return "which messages? name ids, --class, --from, --to, or \"all\"";
    if (verb->is_reading && choice->is_dry) return "--dry-run goes with release and delete";
    return NULL;
}

static const struct verb *verb_find(struct text name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (text_equal(name, text_of(verbs[i].name))) return &verbs[i];
    return NULL;
}

/* A refused look at content is recorded too. */
static bool has_right(struct curator *curator)
{
    if (curator->verb->act != act_content) {
        if (curator->choice.has_ticket || may_list(curator)) return true;
        finish(curator, EX_NOPERM, TEXT("you may neither operate this node nor release mail of any class"));
        return false;
    }
    if (curator->commander.may_read_content) return true;
    for (size_t i = 0; i < curator->choice.id_count; i++)
        audit(curator, curator->choice.ids[i], "content", TEXT("refused: no right to read content"));
    finish(curator, EX_NOPERM, TEXT("you may not read the content of messages (rights read-content)"));
    return false;
}

static void begin(struct curator *curator, struct text command)
{
    struct text *words = arena_alloc_array(curator->arena, WORDS_MOST, sizeof *words);
    struct text line, rest = command;
    size_t count = 0;
    while (count < WORDS_MOST && text_next_line(&rest, &line)) words[count++] = line;
    curator->verb = count ? verb_find(words[0]) : NULL;
    const char *why = curator->verb ? choice_read(curator, words + 1, count - 1)
                                    : "quarantine knows: list, show, release, delete";
    if (why)
        finish(curator, EX_USAGE, text_of(why));
    else if (has_right(curator))
        timer_set(curator->timer, 0);
}

static bool on_frame(void *context, struct frame *frame)
{
    return false; /* one command a connection */
}

static void on_closed(void *context)
{
    curator_free(CONTEXT(context, struct curator, CURATOR_MAGIC));
}

void curator_begin(struct curator_desk *desk, const struct commander *commander, struct text command, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    struct curator *curator = memory_alloc(sizeof *curator);
    *curator = (struct curator){
        .magic = CURATOR_MAGIC, .next = desk->first, .desk = desk, .commander = *commander
    };
    desk->first = curator;
    curator->arena = arena_new(0);
    curator->page = arena_new(0);
    curator->commander.user = arena_text(curator->arena, commander->user);
    curator->timer = timer_new(desk->loop, slice, curator);
    curator->channel = channel_open(desk->loop, fd, &events, curator);
    begin(curator, arena_text(curator->arena, text_trim(command)));
}

struct curator_desk *curator_desk_new(struct loop *loop, struct harvest *harvest, struct custody *custody)
{
    struct curator_desk *desk = memory_alloc(sizeof *desk);
    *desk = (struct curator_desk){ .loop = loop, .harvest = harvest, .custody = custody };
    return desk;
}

void curator_desk_free(struct curator_desk *desk)
{
    while (desk->first) curator_free(desk->first);
    free(desk);
}

void curator_desk_set_key(struct curator_desk *desk, const struct ticket_key *key)
{
    desk->key = key;
}

void curator_desk_set_config(struct curator_desk *desk, const struct config *config)
{
    desk->config = config;
}
