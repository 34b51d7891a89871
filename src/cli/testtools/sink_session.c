/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The dialogue of the sink with one client. One command is taken a call, so that a reply that stalls also
   holds back what the client has already sent behind it. */
#include "cli/testtools/sink_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/stream.h"
#include "cli/testtools/sink_report.h"
#include "smtp/command.h"
#include "smtp/dotted.h"

enum { REPLY_SIZE = 512, LINE_MOST = COMMAND_LINE_MOST + 2, RECIPIENTS_STEP = 16 };

enum phase { PHASE_COMMAND, PHASE_DATA, PHASE_BDAT, PHASE_ENDING };

struct sink_session {
    struct sink *sink;
    struct stream *stream;
    struct timer *timer;
    struct arena *arena;      /* of the connection: name, XCLIENT */
    struct arena *message_in; /* of the message: envelope */
    struct sink_message message;
    struct dotted dotted;
    struct buffer content, held; /* held: the reply that is stalled */
    uint64_t chunk_left;
    uint32_t capacity;
    enum phase phase;
    unsigned chunk_code; /* what the chunks of this message get, 0: they are taken */
    bool is_last_chunk, has_sender, in_bdat, ends_after;
    LIST_ENTRY(sink_session) others;
};

static void session_free(struct sink_session *session)
{
    LIST_REMOVE(session, others);
    stream_close(session->stream);
    timer_free(session->timer);
    arena_free(session->arena);
    arena_free(session->message_in);
    buffer_free(&session->content);
    buffer_free(&session->held);
    free(session->message.envelope.recipients);
    free(session);
}

static void message_forget(struct sink_session *session)
{
    struct recipient *recipients = session->message.envelope.recipients;
    session->message.envelope = (struct envelope){ .recipients = recipients };
    session->message.size = 0;
    session->has_sender = session->in_bdat = false;
    session->chunk_code = 0;
    arena_reset(session->message_in);
    if (session->content.capacity > 1 << 20) buffer_free(&session->content);
    buffer_clear(&session->content);
}

/* --- replies --- */

static bool is_enough(const struct sink *sink)
{
    return sink->stop_after && sink->counts.messages >= sink->stop_after;
}

static void reply_end(struct sink_session *session)
{
    if (session->ends_after || is_enough(session->sink)) session->phase = PHASE_ENDING;
}

static void stalled_enough(void *context)
{
    struct sink_session *session = context;
    stream_write(session->stream, buffer_text(&session->held));
    buffer_free(&session->held);
    reply_end(session);
    stream_resume(session->stream);
}

/* Sends whole lines at a state, unless the sink is told otherwise. False: the session is gone. */
static bool reply_lines(struct sink_session *session, enum sink_state state, struct text lines)
{
    const struct sink_behaviour *behaviour = &session->sink->behaviour;
    if (behaviour->drop_at == state) {
        session->sink->counts.dropped++;
        session_free(session);
        return false;
    }
    if (behaviour->stall_at == state) {
        buffer_add_text(&session->held, lines);
        stream_pause(session->stream);
        timer_set(session->timer, behaviour->stall_ms);
        return true;
    }
    stream_write(session->stream, lines);
    reply_end(session);
    return true;
}

/* `enhanced` is left out where the sink does not offer ENHANCEDSTATUSCODES. */
static bool reply(struct sink_session *session, enum sink_state state, unsigned code, const char *enhanced,
                  const char *text)
{
    char line[REPLY_SIZE];
    bool plain = !enhanced || (session->sink->behaviour.without & SINK_ENHANCEDSTATUSCODES);
    int length =
        snprintf(line, sizeof line, "%u %s%s%s\r\n", code, plain ? "" : enhanced, plain ? "" : " ", text);
    return reply_lines(session, state, text_from(line, (size_t)length));
}

static bool is_deferred(struct sink *sink, enum sink_state state)
{
    if (sink->behaviour.defer_at != state) return false;
    sink->defer_sum += sink->behaviour.defer_percent;
    if (sink->defer_sum < 100) return false;
    sink->defer_sum -= 100;
    sink->counts.deferred++;
    return true;
}

static bool is_refused(struct sink *sink, enum sink_state state)
{
    if (sink->behaviour.refuse_at != state) return false;
    sink->counts.refused++;
    return true;
}

/* The reply at a state where all is well, turned into what the sink is told to say there. */
static bool reply_unless(struct sink_session *session, enum sink_state state, bool *out_took, unsigned code,
                         const char *enhanced, const char *text)
{
    *out_took = false;
    if (is_refused(session->sink, state)) return reply(session, state, 554, "5.7.1", "refused as told");
    if (is_deferred(session->sink, state)) return reply(session, state, 451, "4.3.0", "deferred as told");
    *out_took = true;
    return reply(session, state, code, enhanced, text);
}

static bool bad_sequence(struct sink_session *session, const char *text)
{
    return reply(session, SINK_ELSEWHERE, 503, "5.5.1", text);
}

/* --- the content --- */

static void note_content(struct sink_session *session)
{
    struct sink_message *message = &session->message;
    message->has_bare = session->dotted.has_bare;
    message->has_nul = session->dotted.has_nul;
    message->has_long_line = session->dotted.has_long_line;
    message->has_8bit = session->dotted.has_8bit;
    if (message->has_bare) session->sink->counts.bare++;
}

static bool end_of_content(struct sink_session *session)
{
    struct sink *sink = session->sink;
    char text[REPLY_SIZE], name[SINK_NAME_SIZE] = "";
    session->phase = PHASE_COMMAND;
    note_content(session);
    bool is_kept = false, alive;
    if (sink->size_limit && session->message.size > sink->size_limit) {
        alive = reply(session, SINK_END, 552, "5.3.4", "the message is too large");
    } else if (is_refused(sink, SINK_END)) {
        alive = reply(session, SINK_END, 554, "5.7.1", "refused as told");
    } else if (is_deferred(sink, SINK_END)) {
        alive = reply(session, SINK_END, 451, "4.3.0", "deferred as told");
    } else if (sink->behaviour.drop_at == SINK_END) {
        alive = reply_lines(session, SINK_END, TEXT_NONE); /* dropped before it is kept */
    } else if (!sink_report_keep(sink, &session->message, buffer_text(&session->content), name)) {
        alive = reply(session, SINK_END, 452, "4.3.1", "the message cannot be written");
    } else {
        is_kept = true;
        snprintf(text, sizeof text, "kept as %s", name[0] ? name : "a number");
        if (sink->behaviour.drop_at == SINK_KEPT)
            alive = reply_lines(session, SINK_KEPT, TEXT_NONE);
        else
            alive = reply(session, SINK_END, 250, "2.0.0", text);
    }
    if (!is_kept && alive) sink_report_refused(sink, &session->message);
    if (alive) message_forget(session);
    if (!alive && is_enough(sink)) sink_session_stop_all(sink);
    return alive;
}

/* What the client sent, decoded into `content`, or only measured. */
static size_t take_content(struct sink_session *session, struct text bytes, bool *out_ended)
{
    size_t used = 0, before = buffer_length(&session->content);
    *out_ended = dotted_decode(&session->dotted, bytes, &session->content, &used) == DOTTED_END;
    session->message.size += buffer_length(&session->content) - before;
    bool too_large = session->sink->size_limit && session->message.size > session->sink->size_limit;
    if (session->sink->counts_only || too_large || session->chunk_code) buffer_clear(&session->content);
    return used;
}

static size_t take_data(struct sink_session *session, struct text bytes)
{
    bool ended = false;
    size_t used = take_content(session, bytes, &ended);
    if (ended) end_of_content(session);
    return used;
}

static bool end_of_chunk(struct sink_session *session)
{
    session->phase = PHASE_COMMAND;
    unsigned code = session->chunk_code;
    if (code) {
        if (session->is_last_chunk) message_forget(session);
        return reply(session, SINK_ELSEWHERE, code, code == 451 ? "4.3.0" : "5.5.1",
                     "the chunk is not taken");
    }
    if (!session->is_last_chunk) return reply(session, SINK_ELSEWHERE, 250, "2.0.0", "chunk taken");
    size_t before = buffer_length(&session->content);
    dotted_finish(&session->dotted, &session->content);
    session->message.size += buffer_length(&session->content) - before;
    return end_of_content(session);
}

static size_t take_chunk(struct sink_session *session, struct text bytes)
{
    bool ended;
    bytes = text_slice(bytes, 0, session->chunk_left);
    take_content(session, bytes, &ended);
    session->chunk_left -= bytes.length;
    if (session->chunk_left == 0) end_of_chunk(session);
    return bytes.length;
}

/* --- commands: each returns false when the session is gone --- */

static void offer(const struct sink_session *session, struct buffer *out)
{
    const struct sink *sink = session->sink;
    const struct {
        enum sink_extension extension;
        bool has;
        const char *line;
    } all[] = {
        { SINK_PIPELINING, true, "PIPELINING" },
        { SINK_8BITMIME, true, "8BITMIME" },
        { SINK_SMTPUTF8, true, "SMTPUTF8" },
        { SINK_CHUNKING, true, "CHUNKING" },
        { SINK_DSN, true, "DSN" },
        { SINK_ENHANCEDSTATUSCODES, true, "ENHANCEDSTATUSCODES" },
        { SINK_STARTTLS, sink->tls && !stream_is_secure(session->stream), "STARTTLS" },
        { SINK_XCLIENT, sink->takes_xclient, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT" },
    };
    buffer_printf(out, "250-%s\r\n", sink->name);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].has && !(sink->behaviour.without & all[i].extension))
            buffer_printf(out, "250-%s\r\n", all[i].line);
    if (!(sink->behaviour.without & SINK_SIZE))
        buffer_printf(out, "250-SIZE %llu\r\n", (unsigned long long)sink->size_limit);
    buffer_add_text(out, TEXT("250 HELP\r\n"));
}

static bool hello(struct sink_session *session, const struct smtp_command *command)
{
    message_forget(session);
    bool took;
    session->message.helo = arena_text(session->arena, command->argument);
    session->message.is_esmtp = command->verb == VERB_EHLO;
    if (!session->message.is_esmtp || session->sink->behaviour.refuse_at == SINK_HELLO ||
        session->sink->behaviour.defer_at == SINK_HELLO)
        return reply_unless(session, SINK_HELLO, &took, 250, NULL, session->sink->name);
    struct buffer lines = { 0 };
    offer(session, &lines);
    bool alive = reply_lines(session, SINK_HELLO, buffer_text(&lines));
    buffer_free(&lines);
    return alive;
}

/* Parameters of extensions that were not offered. */
static bool is_offered(const struct sink_session *session, const struct smtp_command *command)
{
    unsigned without = session->sink->behaviour.without, given = command->given;
    if (!session->message.is_esmtp) return given == 0;
    return !((given & PARAMETER_SIZE && without & SINK_SIZE) ||
             (given & PARAMETER_BODY && without & SINK_8BITMIME) ||
             (given & PARAMETER_SMTPUTF8 && without & SINK_SMTPUTF8) ||
             (given & (PARAMETER_RET | PARAMETER_ENVID | PARAMETER_NOTIFY | PARAMETER_ORCPT) &&
              without & SINK_DSN));
}

static bool mail(struct sink_session *session, const struct smtp_command *command)
{
    sink_session_behave(session->sink);
    if (session->has_sender) return bad_sequence(session, "one MAIL at a time");
    if (session->message.helo.length == 0) return bad_sequence(session, "say EHLO first");
    if (!is_offered(session, command)) return reply(session, SINK_ELSEWHERE, 555, "5.5.4", "not offered");
    if (session->sink->size_limit && command->size > session->sink->size_limit)
        return reply(session, SINK_ELSEWHERE, 552, "5.3.4", "the message is too large");
    if (command->mailbox.needs_smtputf8 && !(command->given & PARAMETER_SMTPUTF8))
        return reply(session, SINK_ELSEWHERE, 553, "5.6.7", "SMTPUTF8 is needed");
    bool took;
    if (!reply_unless(session, SINK_MAIL, &took, 250, "2.1.0", "sender ok")) return false;
    if (!took) return true;
    struct envelope *envelope = &session->message.envelope;
    envelope->sender = arena_text(session->message_in, command->mailbox.address);
    envelope->envid = command->envid; /* decoded into the same arena */
    envelope->size = command->size;
    envelope->body = command->body;
    envelope->ret = command->ret;
    envelope->smtputf8 = (command->given & PARAMETER_SMTPUTF8) != 0;
    session->has_sender = true;
    return true;
}

static bool has_pattern(const char *pattern, struct text address)
{
    return pattern[0] != '\0' && text_find_nocase(address, text_of(pattern)) < address.length;
}

static void recipient_add(struct sink_session *session, const struct smtp_command *command)
{
    struct envelope *envelope = &session->message.envelope;
    if (envelope->recipient_count == session->capacity) {
        session->capacity = session->capacity ? session->capacity * 2 : RECIPIENTS_STEP;
        envelope->recipients =
            memory_grow(envelope->recipients, session->capacity * sizeof *envelope->recipients);
    }
    envelope->recipients[envelope->recipient_count++] = (struct recipient){
        .address = arena_text(session->message_in, command->mailbox.address),
        .orcpt = command->orcpt,
        .notify = command->notify,
    };
}

static bool rcpt(struct sink_session *session, const struct smtp_command *command)
{
    const struct sink_behaviour *behaviour = &session->sink->behaviour;
    if (!session->has_sender) return bad_sequence(session, "MAIL first");
    if (!is_offered(session, command)) return reply(session, SINK_ELSEWHERE, 555, "5.5.4", "not offered");
    if (session->message.envelope.recipient_count >= ENVELOPE_RECIPIENTS_MOST)
        return reply(session, SINK_ELSEWHERE, 452, "4.5.3", "too many recipients");
    if (has_pattern(behaviour->refuse_to, command->mailbox.address)) {
        session->sink->counts.refused++;
        return reply(session, SINK_RCPT, 550, "5.1.1", "no such user, as told");
    }
    if (has_pattern(behaviour->defer_to, command->mailbox.address)) {
        session->sink->counts.deferred++;
        return reply(session, SINK_RCPT, 450, "4.2.1", "not now, as told");
    }
    bool took;
    if (!reply_unless(session, SINK_RCPT, &took, 250, "2.1.5", "recipient ok")) return false;
    if (took) recipient_add(session, command);
    return true;
}

static bool data(struct sink_session *session)
{
    if (session->message.envelope.recipient_count == 0) return bad_sequence(session, "MAIL and RCPT first");
    if (session->in_bdat) return bad_sequence(session, "BDAT has begun");
    bool took;
    if (!reply_unless(session, SINK_DATA, &took, 354, NULL, "go on, end with a dot")) return false;
    if (!took) return true;
    dotted_start(&session->dotted, false, false);
    session->phase = PHASE_DATA;
    return true;
}

static bool bdat(struct sink_session *session, const struct smtp_command *command)
{
    if (session->sink->behaviour.without & SINK_CHUNKING)
        return reply(session, SINK_ELSEWHERE, 502, "5.5.1", "not offered");
    if (!session->in_bdat) {
        struct sink *sink = session->sink;
        if (sink->behaviour.drop_at == SINK_DATA) return reply_lines(session, SINK_DATA, TEXT_NONE);
        dotted_start(&session->dotted, false, true);
        bool is_empty = session->message.envelope.recipient_count == 0;
        session->chunk_code = is_empty                       ? 503
                              : is_refused(sink, SINK_DATA)  ? 554
                              : is_deferred(sink, SINK_DATA) ? 451
                                                             : 0;
        session->in_bdat = true;
    }
    session->chunk_left = command->size;
    session->is_last_chunk = command->is_last;
    session->phase = PHASE_BDAT;
    return command->size > 0 || end_of_chunk(session);
}

static bool start_tls(struct sink_session *session)
{
    if (!session->sink->tls || session->sink->behaviour.without & SINK_STARTTLS)
        return reply(session, SINK_ELSEWHERE, 502, "5.5.1", "not offered");
    if (stream_is_secure(session->stream)) return bad_sequence(session, "TLS is on already");
    if (!reply(session, SINK_ELSEWHERE, 220, "2.0.0", "go on")) return false;
    message_forget(session);
    session->message.helo = TEXT_NONE;
    stream_start_tls(session->stream, session->sink->tls, true, TEXT_NONE);
    return true;
}

static bool xclient(struct sink_session *session, const struct smtp_command *command)
{
    if (!session->sink->takes_xclient) return reply(session, SINK_ELSEWHERE, 502, "5.5.1", "not offered");
    static const struct {
        enum xclient_attribute attribute;
        const char *name;
    } shown[] = { { XCLIENT_NAME, "NAME" },   { XCLIENT_ADDR, "ADDR" }, { XCLIENT_PORT, "PORT" },
                  { XCLIENT_PROTO, "PROTO" }, { XCLIENT_HELO, "HELO" }, { XCLIENT_LOGIN, "LOGIN" } };
    struct text *line = &session->message.xclient;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (command->has_attribute[shown[i].attribute])
            *line = arena_printf(session->arena, "%.*s%s%s=%.*s", TEXT_ARG(*line), line->length ? " " : "",
                                 shown[i].name, TEXT_ARG(command->attribute[shown[i].attribute]));
    session->message.helo = TEXT_NONE;
    message_forget(session);
    return reply(session, SINK_ELSEWHERE, 220, NULL, session->sink->name);
}

static bool obey(struct sink_session *session, const struct smtp_command *command)
{
    switch (command->verb) {
    case VERB_EHLO:
    case VERB_HELO:
        return hello(session, command);
    case VERB_MAIL:
        return mail(session, command);
    case VERB_RCPT:
        return rcpt(session, command);
    case VERB_DATA:
        return data(session);
    case VERB_BDAT:
        return bdat(session, command);
    case VERB_RSET:
        message_forget(session);
        return reply(session, SINK_ELSEWHERE, 250, "2.0.0", "forgotten");
    case VERB_NOOP:
        return reply(session, SINK_ELSEWHERE, 250, "2.0.0", "nothing done");
    case VERB_HELP:
        return reply(session, SINK_ELSEWHERE, 214, "2.0.0",
                     "this is a test server: see `sekimori sink --help`");
    case VERB_VRFY:
        return reply(session, SINK_ELSEWHERE, 252, "2.5.2", "send and see");
    case VERB_QUIT:
        session->ends_after = true;
        return reply(session, SINK_ELSEWHERE, 221, "2.0.0", "bye");
    case VERB_STARTTLS:
        return start_tls(session);
    case VERB_XCLIENT:
        return xclient(session, command);
    default:
        return reply(session, SINK_ELSEWHERE, 502, "5.5.1", "not done here");
    }
}

static size_t take_command(struct sink_session *session, struct text bytes)
{
    size_t end = text_find_char(text_slice(bytes, 0, LINE_MOST), '\n');
    if (end >= bytes.length || end >= LINE_MOST) {
        if (bytes.length < LINE_MOST) return 0;
        session->ends_after = true;
        reply(session, SINK_ELSEWHERE, 500, "5.5.2", "the line is too long");
        return bytes.length;
    }
    struct smtp_command command;
    struct text line = text_slice(bytes, 0, end);
    bool has_cr = end > 0 && line.at[end - 1] == '\r';
    struct smtp_error error =
        smtp_command_parse(session->message_in, text_slice(line, 0, end - has_cr), false, &command);
    if (!has_cr)
        reply(session, SINK_ELSEWHERE, 500, "5.5.2", "a line ends with CRLF");
    else if (error.code)
        reply(session, SINK_ELSEWHERE, error.code, error.enhanced, error.text);
    else
        obey(session, &command);
    return end + 1;
}

/* --- events of the stream --- */

static size_t on_input(void *context, struct text bytes)
{
    struct sink_session *session = context;
    switch (session->phase) {
    case PHASE_DATA:
        return take_data(session, bytes);
    case PHASE_BDAT:
        return take_chunk(session, bytes);
    case PHASE_ENDING:
        return bytes.length;
    default:
        return take_command(session, bytes);
    }
}

static void on_drained(void *context)
{
    struct sink_session *session = context;
    struct sink *sink = session->sink;
    if (session->phase != PHASE_ENDING) return;
    session_free(session);
    if (is_enough(sink)) sink_session_stop_all(sink);
}

static void on_secured(void *context)
{
    struct sink_session *session = context;
    session->message.tls = stream_tls_version(session->stream);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    session_free(context);
}

void sink_session_behave(struct sink *sink)
{
    char why[160];
    if (!sink_control_check(&sink->control, &sink->base, &sink->behaviour, why, sizeof why))
        fprintf(stderr, "sekimori sink: %s: %s\n", sink->control.path, why);
}

void sink_session_open(struct sink *sink, int fd)
{
    static const struct stream_events events = {
        .on_input = on_input, .on_drained = on_drained, .on_secured = on_secured, .on_ended = on_ended
    };
    struct sink_session *session = memory_alloc(sizeof *session);
    char greeting[REPLY_SIZE];
    bool took;
    sink->counts.connections++;
    sink_session_behave(sink);
    session->sink = sink;
    LIST_INSERT_HEAD(&sink->sessions, session, others);
    session->stream = stream_open(sink->loop, fd, &events, session);
    session->timer = timer_new(sink->loop, stalled_enough, session);
    session->arena = arena_new(0);
    session->message_in = arena_new(0);
    session->message.tls = "";
    snprintf(greeting, sizeof greeting, "%s ESMTP sekimori sink", sink->name);
    bool is_turned_away = sink->behaviour.refuse_at == SINK_CONNECT;
    session->ends_after = is_turned_away;
    reply_unless(session, SINK_CONNECT, &took, 220, NULL, greeting);
}

void sink_session_stop_all(struct sink *sink)
{
    for (struct sink_session *next, *session = LIST_FIRST(&sink->sessions); session; session = next) {
        next = LIST_NEXT(session, others);
        session_free(session);
    }
    loop_stop(sink->loop);
}
