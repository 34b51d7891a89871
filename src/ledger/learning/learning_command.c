/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lessons come from a `sekimori` that read mails in a jail of its own; what it sends is bounded and checked
   here. The last word is said when what was taught is on disk and in force. */
#include "ledger/learning/learning_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/json_text.h"
#include "config/hosted.h"
#include "config/settings.h"
#include "config/value.h"
#include "ipc/message_id.h"

enum { PART_BYTES = 64 * 1024, BACKLOG_MOST = 1 << 20, WAIT_MS = 20 };

enum stage { STAGE_TAKING, STAGE_SETTLING, STAGE_SENDING, STAGE_SAID };

struct learning_command {
    enum { LEARNING_COMMAND_MAGIC = 0x2a9d4c71 } magic;
    LIST_ENTRY(learning_command) others;
    struct learning_command_server *server;
    struct channel *channel;
    struct timer *timer;
    struct arena *arena, *lesson; /* of the command; of the lesson at hand */
    struct commander commander;
    enum stage stage;
    uint64_t taught[2], altered, known;
    int file; /* that is sent; -1: none */
};

struct learning_command_server {
    struct loop *loop;
    struct learning *learning;
    struct proposals *proposals;
    struct approvals *approvals;
    struct sender_entries *entries;
    struct campaign_stops *stops; /* NULL: lessons say nothing of campaigns */
    struct people_source people;
    struct quarantine_command_server *records;
    const struct config *config;
    LIST_HEAD(learning_command_list, learning_command) commands;
};

/* --- talking --- */

static void say(struct learning_command *command, struct text part)
{
    put_text(channel_begin(command->channel, MASTER_MORE, 0), part);
    channel_end(command->channel);
}

static void finish(struct learning_command *command, int code, struct text last)
{
    struct buffer *out = channel_begin(command->channel, MASTER_DONE, 0);
    put_u8(out, (uint8_t)code);
    put_text(out, last);
    channel_end(command->channel);
    command->stage = STAGE_SAID;
    timer_set(command->timer, WAIT_MS);
}

static void record(struct learning_command *command, const char *act, struct text about)
{
    quarantine_command_record(command->server->records, &command->commander, "learning", 0, act, about);
}

static struct text digits_of(struct arena *arena, const uint8_t id[LESSON_ID_BYTES])
{
    struct buffer out = { 0 };
    for (int i = 0; i < 8; i++) buffer_printf(&out, "%02x", id[i]);
    struct text digits = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return digits;
}

/* --- learn --- */

static bool has_changed(const struct learning_command *command)
{
    return command->taught[0] || command->taught[1] || command->altered;
}

/* On disk, and written down who did it: also where nothing was news, and where the other side went away in
   the middle. */
static bool lessons_keep(struct learning_command *command)
{
    bool is_kept = !has_changed(command) || learning_sync(command->server->learning);
    struct buffer about = { 0 };
    buffer_printf(&about, "%llu ham, %llu spam", (unsigned long long)command->taught[0],
                  (unsigned long long)command->taught[1]);
    if (command->altered)
        buffer_printf(&about, "; of these %llu were known as the other",
                      (unsigned long long)command->altered);
    if (command->known)
        buffer_printf(&about, "; %llu more were known already", (unsigned long long)command->known);
    record(command, "learn", buffer_text(&about));
    buffer_free(&about);
    return is_kept;
}

static void lesson_answer(struct learning_command *command, const struct lesson *lesson)
{
    static const char *const words[] = {
        [LEARNING_TAUGHT] = "taught", [LEARNING_CHANGED] = "changed", [LEARNING_KNOWN] = "known"
    };
    enum learning_outcome outcome = learning_teach(command->server->learning, lesson);
    if (outcome == LEARNING_FAILED) {
        struct text why = arena_printf(command->arena, "it cannot be written: %s", strerror(errno));
        lessons_keep(command);
        finish(command, EX_IOERR, why);
        return;
    }
    command->taught[lesson->is_spam] += outcome != LEARNING_KNOWN;
    command->altered += outcome == LEARNING_CHANGED;
    command->known += outcome == LEARNING_KNOWN;
    say(command, arena_printf(command->lesson, "%s %.*s\n", words[outcome],
                              TEXT_ARG(digits_of(command->lesson, lesson->id))));
}

static bool on_frame(void *context, struct frame *frame)
{
    struct learning_command *command = CONTEXT(context, struct learning_command, LEARNING_COMMAND_MAGIC);
    struct lesson lesson;
    if (command->stage == STAGE_SAID) return true; /* what was on its way */
    if (command->stage != STAGE_TAKING) return false;
    arena_reset(command->lesson);
    if (frame->type == MASTER_LESSON) {
        if (!lesson_parse(frame->payload, command->lesson, &lesson)) return false;
        lesson_answer(command, &lesson);
        return true;
    }
    if (frame->type == MASTER_LESSON_LIKE)
        return !command->server->stops ||
               campaign_stops_good(command->server->stops, frame->payload, command->commander.user);
    if (frame->type != MASTER_LESSONS_END) return false;
    if (lessons_keep(command)) {
        command->stage = STAGE_SETTLING;
        timer_set(command->timer, 0);
    } else {
        finish(command, EX_IOERR, TEXT("what was learned cannot be written: the log says why"));
    }
    return true;
}

/* What was asked for and changed nothing is on record, too. */
static void not_undone(struct learning_command *command, struct text digits, int code, const char *why)
{
    digits = text_slice(digits, 0, (size_t)2 * LESSON_ID_BYTES);
    record(command, "unlearn", arena_printf(command->arena, "refused: %s: %.*s", why, TEXT_ARG(digits)));
    finish(command, code, text_of(why));
}

static void undo(struct learning_command *command, struct text digits)
{
    uint8_t id[LESSON_ID_BYTES];
    switch (learning_undo(command->server->learning, digits, id)) {
    case LEARNING_MISSING:
        not_undone(command, digits, EX_NOINPUT, "nothing that was learned has that id");
        return;
    case LEARNING_SEVERAL:
        not_undone(command, digits, EX_USAGE, "several have an id that begins so: name more of it");
        return;
    case LEARNING_FAILED:
        finish(command, EX_IOERR, TEXT("it cannot be written"));
        return;
    default:
        break;
    }
    if (!learning_sync(command->server->learning)) {
        finish(command, EX_IOERR, TEXT("it cannot be written"));
        return;
    }
    record(command, "unlearn", digits_of(command->arena, id));
    command->stage = STAGE_SETTLING;
    timer_set(command->timer, 0);
}

/* All that nobody said. */
static void forget_automatic(struct learning_command *command)
{
    uint32_t taken[2];
    bool is_good = learning_undo_all_automatic(command->server->learning, taken);
    record(command, "unlearn",
           arena_printf(command->arena, "all that was learned automatically: %u ham, %u spam", taken[0],
                        taken[1]));
    if (!is_good) {
        finish(command, EX_IOERR, TEXT("it cannot be written: what was taken back so far stays so"));
        return;
    }
    command->taught[0] = taken[0];
    command->taught[1] = taken[1];
    command->stage = STAGE_SETTLING;
    timer_set(command->timer, 0);
}

static void settled(struct learning_command *command)
{
    struct buffer out = { 0 };
    buffer_printf(&out, "{\"ham\":%llu,\"spam\":%llu,\"changed\":%llu,\"known\":%llu}",
                  (unsigned long long)command->taught[0], (unsigned long long)command->taught[1],
                  (unsigned long long)command->altered, (unsigned long long)command->known);
    finish(command, EX_OK, buffer_text(&out));
    buffer_free(&out);
}

/* --- what users reported --- */

static void proposal_print(const struct proposal *proposal, struct buffer *out)
{
    char id[MESSAGE_ID_SIZE];
    buffer_printf(out, "{\"number\":%llu,\"class\":\"%s\",\"told_ms\":%llu,\"reporters\":%u,\"reporter\":",
                  (unsigned long long)proposal->number, proposal->is_spam ? "spam" : "ham",
                  (unsigned long long)proposal->told_ms, proposal->reporters);
    json_text_add(out, proposal->reporter);
    if (proposal->message) buffer_printf(out, ",\"message\":\"%s\"", message_id_print(proposal->message, id));
    buffer_add_text(out, TEXT(",\"from\":"));
    json_text_add(out, proposal->author);
    buffer_add_text(out, TEXT(",\"subject\":"));
    json_text_add(out, proposal->subject);
    buffer_add_text(out, TEXT("}\n"));
}

static bool waiting_read(struct learning_command *command, struct proposal **out, size_t *out_count)
{
    if (proposals_list(command->server->proposals, command->arena, out, out_count)) return true;
    finish(command, EX_TEMPFAIL, TEXT("the ledger cannot be read now"));
    return false;
}

static void proposals_say(struct learning_command *command)
{
    struct proposal *list;
    size_t count;
    struct buffer line = { 0 };
    if (!waiting_read(command, &list, &count)) return;
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&line);
        proposal_print(&list[i], &line);
        say(command, buffer_text(&line));
    }
    buffer_free(&line);
    finish(command, EX_OK, TEXT_NONE);
}

/* False, and the answer is given: a word is no number, or there is none. */
static bool numbers_read(struct learning_command *command, struct text words, uint64_t **out,
                         size_t *out_count)
{
    struct proposal *list;
    struct text word;
    *out = arena_alloc_array(command->arena, PROPOSALS_MOST, sizeof **out);
    *out_count = 0;
    if (text_equal(text_trim(words), TEXT("all"))) {
        if (!waiting_read(command, &list, out_count)) return false;
        for (size_t i = 0; i < *out_count; i++) (*out)[i] = list[i].number;
        return true;
    }
    while (*out_count < PROPOSALS_MOST && text_next_word(&words, &word)) {
        if (!text_to_number(word, INT64_MAX, &(*out)[*out_count])) break;
        ++*out_count;
    }
    if (*out_count > 0 && text_trim(words).length == 0) return true;
    finish(command, EX_USAGE, TEXT("which proposals? their numbers, or all"));
    return false;
}

static void proposals_answer(struct learning_command *command, struct text words, bool is_yes)
{
    uint64_t *numbers;
    size_t count;
    struct proposals_decided decided;
    if (!numbers_read(command, words, &numbers, &count)) return;
    bool is_good =
        proposals_decide(command->server->proposals, &command->commander, numbers, count, is_yes, &decided);
    unsigned done = decided.spam + decided.ham + decided.known;
    if (!done)
        record(command, is_yes ? "learn" : "decline",
               arena_printf(command->arena, "refused: none of %zu proposals waits", count));
    struct text said = arena_printf(command->arena, "{\"spam\":%u,\"ham\":%u,\"known\":%u,\"missing\":%u}",
                                    decided.spam, decided.ham, decided.known, decided.missing);
    if (!is_good)
        finish(command, EX_IOERR, TEXT("it cannot be written: what was done so far stays done"));
    else if (decided.missing && !done)
        finish(command, EX_NOINPUT, TEXT("no proposal that waits has that number"));
    else
        finish(command, EX_OK, said);
}

/* --- model --- */

static void stat_say(struct learning_command *command)
{
    struct learning_facts facts;
    struct buffer out = { 0 };
    learning_look(command->server->learning, &facts);
    buffer_printf(&out,
                  "{\"ham\":%u,\"spam\":%u,\"automatic_ham\":%u,\"automatic_spam\":%u,"
                  "\"automatic\":%s,\"lessons\":%zu,\"counts\":%s,\"trust\":%.2f,\"anchors\":%u,"
                  "\"bytes\":%llu,\"oldest_ms\":%llu,\"changed_ms\":%llu,\"keep_ms\":%llu,\"trouble\":",
                  facts.ham, facts.spam, facts.automatic[0], facts.automatic[1],
                  command->server->config->learn.is_automatic ? "true" : "false", facts.lessons,
                  facts.counts ? "true" : "false", facts.trust, facts.anchors,
                  (unsigned long long)facts.bytes, (unsigned long long)facts.oldest_ms,
                  (unsigned long long)facts.changed_ms,
                  (unsigned long long)command->server->config->ledger.subjects_ms);
    json_text_add(&out, text_of(facts.trouble));
    buffer_add_char(&out, '}');
    finish(command, EX_OK, buffer_text(&out));
    buffer_free(&out);
}

/* `where` "there": the file that it was to be written to was there already. */
static void export_begin(struct learning_command *command, struct text where)
{
    if (text_equal(where, TEXT("there"))) {
        record(command, "learn", TEXT("refused: nothing exported, the file was already there"));
        finish(command, EX_CANTCREAT, TEXT("the file is there already: nothing was exported"));
        return;
    }
    command->file = learning_export(command->server->learning);
    if (command->file < 0) {
        finish(command, EX_IOERR, TEXT("what was learned cannot be read"));
        return;
    }
    record(command, "learn", TEXT("the model was exported"));
    command->stage = STAGE_SENDING;
    timer_set(command->timer, 0);
}

static void export_go_on(struct learning_command *command)
{
    char part[PART_BYTES];
    while (channel_backlog(command->channel) < BACKLOG_MOST) {
        ssize_t got = read(command->file, part, sizeof part);
        if (got <= 0) {
            finish(command, got < 0 ? EX_IOERR : EX_OK, TEXT_NONE);
            return;
        }
        say(command, text_from(part, (size_t)got));
    }
    timer_set(command->timer, 1);
}

/* --- newsletter --- */

static void approvals_say(struct learning_command *command)
{
    const struct approvals *approvals = command->server->approvals;
    for (size_t i = 0; i < approvals_count(approvals); i++) {
        const struct approval *item = approvals_nth(approvals, i);
        struct buffer out = { 0 };
        buffer_add_text(&out, TEXT("{\"name\":"));
        json_text_add(&out, item->name);
        buffer_add_text(&out, TEXT(",\"domain\":"));
        json_text_add(&out, item->domain);
        buffer_add_text(&out, TEXT(",\"for\":"));
        json_text_add(&out, item->recipient.length ? item->recipient : TEXT("everybody"));
        buffer_add_text(&out, TEXT(",\"by\":"));
        json_text_add(&out, item->by);
        buffer_printf(&out, ",\"time_ms\":%llu}\n", (unsigned long long)item->time_ms);
        say(command, buffer_text(&out));
        buffer_free(&out);
    }
    finish(command, EX_OK, TEXT_NONE);
}

static void approval_finish(struct learning_command *command, enum approval_outcome outcome)
{
    static const struct {
        int code;
        const char *words;
    } answers[APPROVAL_OUTCOMES] = {
        [APPROVAL_DONE] = { EX_OK, "" },
        [APPROVAL_KNOWN] = { EX_OK, "nothing to do: it is so already" },
        [APPROVAL_BAD] = { EX_DATAERR, "no newsletter, or no address, is called so" },
        [APPROVAL_FULL] = { EX_CANTCREAT, "there are too many: forget some" },
        [APPROVAL_UNSAVED] = { EX_IOERR, "it cannot be written" },
    };
    finish(command, answers[outcome].code, text_of(answers[outcome].words));
}

/* NULL, or why the change is none. */
static const char *approval_fault(const struct learning_command *command, const struct approval *approval,
                                  bool is_added)
{
    const struct learning_command_server *server = command->server;
    struct text recipient = approval->recipient;
    size_t at = text_find_last_char(recipient, '@');
    if (!is_added)
        return approvals_has(server->approvals, approval) ? NULL
                                                          : "it is not approved, so nothing is forgotten";
    if (approval->name.length == 0 || !value_is_host_name(approval->domain))
        return "NAME/DOMAIN is wanted, with a domain that can be one";
    if (recipient.length == 0) return NULL;
    if (at == 0 || at + 1 >= recipient.length) return "--for wants an address";
    bool is_foreign =
        config_is_foreign(server->config, recipient, text_slice(recipient, at + 1, recipient.length));
    return is_foreign ? "that address is no recipient of ours" : NULL;
}

/* On record before it is done; what is refused, too. */
static void newsletter_do(struct learning_command *command, struct text what, struct text which,
                          struct text rest)
{
    struct learning_command_server *server = command->server;
    struct text whom = TEXT_NONE;
    if (text_equal(what, TEXT("list"))) {
        approvals_say(command);
        return;
    }
    text_next_word(&rest, &whom);
    which = arena_text_lower(command->arena, which);
    size_t slash = text_find_char(which, '/');
    struct approval approval = { .name = text_slice(which, 0, slash),
                                 .domain = text_slice(which, slash + 1, which.length),
                                 .recipient = arena_text_lower(command->arena, whom),
                                 .by = command->commander.user,
                                 .time_ms = loop_wall_ms(server->loop) };
    if (text_equal(whom, TEXT("*"))) approval.recipient = TEXT_NONE;
    bool is_added = text_equal(what, TEXT("approve"));
    if (!is_added && !text_equal(what, TEXT("forget"))) {
        finish(command, EX_USAGE, TEXT("newsletter knows: approve, forget, list"));
        return;
    }
    struct text about = arena_printf(command->arena, "%.*s for %.*s", TEXT_ARG(which),
                                     TEXT_ARG(approval.recipient.length ? whom : TEXT("everybody")));
    const char *fault = approval_fault(command, &approval, is_added);
    if (fault) about = arena_printf(command->arena, "refused: %s: %.*s", fault, TEXT_ARG(about));
    if (!quarantine_command_record(server->records, &command->commander, "newsletter", 0,
                                   is_added ? "approve" : "forget", about)) {
        finish(command, EX_IOERR, TEXT("it cannot be recorded who asks, so nothing is done"));
        return;
    }
    if (fault) {
        finish(command, EX_DATAERR, text_of(fault));
        return;
    }
    approval_finish(command, is_added ? approvals_add(server->approvals, &approval)
                                      : approvals_forget(server->approvals, &approval));
}

/* --- allow and block --- */

static void entry_say(void *context, struct text part)
{
    say(CONTEXT(context, struct learning_command, LEARNING_COMMAND_MAGIC), part);
}

static void entries_do(struct learning_command *command, struct text verb, struct text rest)
{
    struct text last;
    const struct entry_command asked = { .entries = command->server->entries,
                                         .config = command->server->config,
                                         .records = command->server->records,
                                         .commander = &command->commander,
                                         .arena = command->arena,
                                         .now_ms = loop_wall_ms(command->server->loop),
                                         .say = entry_say,
                                         .context = command };
    int code = entry_command_run(&asked, verb, rest, &last);
    finish(command, code, last);
}

static void people_do(struct learning_command *command, struct text rest)
{
    struct text last;
    const struct people_command asked = { .from = command->server->people,
                                          .records = command->server->records,
                                          .commander = &command->commander,
                                          .arena = command->arena,
                                          .say = entry_say,
                                          .context = command };
    int code = people_command_run(&asked, rest, &last);
    finish(command, code, last);
}

/* --- the command --- */

static void learning_command_free(struct learning_command *command)
{
    LIST_REMOVE(command, others);
    if (command->file >= 0) close(command->file);
    channel_close(command->channel);
    timer_free(command->timer);
    arena_free(command->arena);
    arena_free(command->lesson);
    free(command);
}

static void on_closed(void *context)
{
    struct learning_command *command = CONTEXT(context, struct learning_command, LEARNING_COMMAND_MAGIC);
    if (command->stage == STAGE_TAKING) lessons_keep(command);
    learning_command_free(command);
}

static void on_time(void *context)
{
    struct learning_command *command = CONTEXT(context, struct learning_command, LEARNING_COMMAND_MAGIC);
    struct learning_facts facts;
    if (command->stage == STAGE_SENDING) {
        export_go_on(command);
    } else if (command->stage == STAGE_SETTLING) {
        learning_look(command->server->learning, &facts);
        if (facts.is_settled)
            settled(command);
        else
            timer_set(command->timer, WAIT_MS);
    } else if (command->stage == STAGE_SAID && channel_backlog(command->channel) == 0) {
        learning_command_free(command);
    } else {
        timer_set(command->timer, WAIT_MS);
    }
}

static void learn_begin(struct learning_command *command, struct text what, struct text rest)
{
    struct text digits = TEXT_NONE;
    if (what.length == 0) {
        say(command, command->server->config->spam.base_model);
    } else if (text_equal(what, TEXT("undo"))) {
        text_next_word(&rest, &digits);
        undo(command, digits);
    } else if (text_equal(what, TEXT("forget")) && text_equal(text_trim(rest), TEXT("automatic"))) {
        forget_automatic(command);
    } else if (text_equal(what, TEXT("proposals"))) {
        proposals_say(command);
    } else if (text_equal(what, TEXT("accept")) || text_equal(what, TEXT("decline"))) {
        proposals_answer(command, rest, text_equal(what, TEXT("accept")));
    } else {
        finish(command, EX_USAGE,
               TEXT("learn knows: ham, spam, undo, forget automatic, proposals, accept, decline"));
    }
}

static void begin(struct learning_command *command, struct text text)
{
    struct text verb = TEXT_NONE, what = TEXT_NONE, whom = TEXT_NONE;
    text_next_word(&text, &verb);
    struct text rest = text;
    text_next_word(&text, &what);
    if (text_equal(verb, TEXT("allow")) || text_equal(verb, TEXT("block"))) {
        entries_do(command, verb, rest);
    } else if (text_equal(verb, TEXT("people"))) {
        people_do(command, rest);
    } else if (text_equal(verb, TEXT("newsletter"))) {
        text_next_word(&text, &whom);
        newsletter_do(command, what, whom, text);
    } else if (text_equal(verb, TEXT("learn")))
        learn_begin(command, what, text);
    else if (text_equal(what, TEXT("stat")))
        stat_say(command);
    else if (text_equal(what, TEXT("export")))
        export_begin(command, text_trim(text));
    else
        finish(command, EX_USAGE, TEXT("model knows: stat, export, import"));
}

void learning_command_begin(struct learning_command_server *server, const struct commander *commander,
                            struct text text, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    struct learning_command *command = memory_alloc(sizeof *command);
    *command = (struct learning_command){
        .magic = LEARNING_COMMAND_MAGIC, .server = server, .commander = *commander, .file = -1
    };
    LIST_INSERT_HEAD(&server->commands, command, others);
    command->arena = arena_new(0);
    command->lesson = arena_new(0);
    command->commander.user = arena_text(command->arena, commander->user);
    command->timer = timer_new(server->loop, on_time, command);
    command->channel = channel_open(server->loop, fd, &events, command);
    begin(command, arena_text(command->arena, text));
}

struct learning_command_server *learning_command_server_new(
    struct loop *loop, struct learning *learning, struct proposals *proposals, struct approvals *approvals,
    struct sender_entries *entries, struct people_source people, struct quarantine_command_server *records)
{
    struct learning_command_server *server = memory_alloc(sizeof *server);
    *server = (struct learning_command_server){
        .loop = loop,
        .learning = learning,
        .proposals = proposals,
        .approvals = approvals,
        .entries = entries,
        .people = people,
        .records = records,
    };
    return server;
}

void learning_command_server_free(struct learning_command_server *server)
{
    for (struct learning_command *next, *command = LIST_FIRST(&server->commands); command; command = next) {
        next = LIST_NEXT(command, others);
        learning_command_free(command);
    }
    free(server);
}

void learning_command_server_set_config(struct learning_command_server *server, const struct config *config)
{
    server->config = config;
}

void learning_command_server_set_stops(struct learning_command_server *server, struct campaign_stops *stops)
{
    server->stops = stops;
}
