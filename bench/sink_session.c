/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The sink's side of SMTP. Commands are read in place from one room that all sessions share; only what is cut
   off in the middle is kept. The end of content is looked for with memmem, byte by byte nowhere. */
#include "sink_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "secure.h"
#include "tool.h"

enum { ROOM_BYTES = 256 * 1024, HEAD_BYTES = 4096, COMMAND_BYTES = 4096, TAIL_BYTES = 4 };

enum mode { MODE_COMMAND, MODE_DATA, MODE_CHUNK, MODE_HANDSHAKE };

struct sink_session {
    struct sink_plan *plan;
    int fd;
    enum mode mode;
    bool is_over, is_last_chunk, is_secure_next;
    struct secure *secure;
    uint64_t chunk_left;
    size_t head_length, tail_length;
    struct buffer partial, out;
    char tail[TAIL_BYTES]; /* the last bytes of content: the final dot may come in pieces */
    char head[HEAD_BYTES]; /* the message's beginning, where its id stands */
};

static void say(struct sink_session *session, const char *words)
{
    buffer_add_text(&session->out, text_of(words));
}

static void say_extensions(struct sink_session *session)
{
    static const struct {
        enum sink_extension extension;
        const char *line;
    } rows[] = { { SINK_PIPELINING, "250-PIPELINING\r\n" },
                 { SINK_8BITMIME, "250-8BITMIME\r\n" },
                 { SINK_SIZE, "250-SIZE 1000000000\r\n" },
                 { SINK_CHUNKING, "250-CHUNKING\r\n" },
                 { SINK_SMTPUTF8, "250-SMTPUTF8\r\n" } };
    say(session, "250-sink.bench.example\r\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(session->plan->without & rows[i].extension)) say(session, rows[i].line);
    if (session->plan->tls && !session->secure) say(session, "250-STARTTLS\r\n");
    say(session, "250 ENHANCEDSTATUSCODES\r\n");
}

static bool id_in(struct text head, uint64_t *out_id)
{
    static const char name[] = "X-Bench-Id: ";
    const char *at = memmem(head.at, head.length, name, sizeof name - 1);
    if (!at || (at != head.at && at[-1] != '\n')) return false;
    struct text rest = text_slice(head, (size_t)(at - head.at) + sizeof name - 1, head.length);
    size_t end = text_find_char(rest, '\r');
    return end < rest.length && text_to_number(text_slice(rest, 0, end), IDS_MOST - 1, out_id);
}

static void content_begin(struct sink_session *session)
{
    session->head_length = 0;
    session->tail_length = 2;
    memcpy(session->tail, "\r\n", 2);
}

static void message_whole(struct sink_session *session)
{
    struct sink_counts *counts = &session->plan->counts;
    uint64_t id;
    counts->messages++;
    if (!id_in(text_from(session->head, session->head_length), &id) || !ids_add(&counts->ids, id))
        counts->without_id++;
    counts->last = tool_now();
    if (counts->messages == 1) counts->first = counts->last;
    session->mode = MODE_COMMAND;
    say(session, "250 2.0.0 taken\r\n");
}

static void head_add(struct sink_session *session, struct text content)
{
    size_t room = HEAD_BYTES - session->head_length;
    size_t part = content.length < room ? content.length : room;
    memcpy(session->head + session->head_length, content.at, part);
    session->head_length += part;
    session->plan->counts.bytes += content.length;
}

/* Where the bytes after "CRLF . CRLF" begin in `bytes`, or 0: the end is not there. */
static size_t content_end(struct sink_session *session, struct text bytes)
{
    static const char end[] = "\r\n.\r\n";
    char seam[2 * TAIL_BYTES];
    size_t part = bytes.length < TAIL_BYTES ? bytes.length : TAIL_BYTES;
    memcpy(seam, session->tail, session->tail_length);
    memcpy(seam + session->tail_length, bytes.at, part);
    const char *at = memmem(seam, session->tail_length + part, end, 5);
    if (at) return (size_t)(at - seam) + 5 - session->tail_length;
    at = memmem(bytes.at, bytes.length, end, 5);
    return at ? (size_t)(at - bytes.at) + 5 : 0;
}

static void tail_keep(struct sink_session *session, struct text bytes)
{
    for (size_t i = bytes.length > TAIL_BYTES ? bytes.length - TAIL_BYTES : 0; i < bytes.length; i++) {
        if (session->tail_length == TAIL_BYTES)
            memmove(session->tail, session->tail + 1, --session->tail_length);
        session->tail[session->tail_length++] = bytes.at[i];
    }
}

static size_t data_read(struct sink_session *session, struct text bytes)
{
    size_t end = content_end(session, bytes);
    head_add(session, end ? text_slice(bytes, 0, end) : bytes);
    if (end) {
        message_whole(session);
        return end;
    }
    tail_keep(session, bytes);
    return bytes.length;
}

static size_t chunk_read(struct sink_session *session, struct text bytes)
{
    size_t part = bytes.length < session->chunk_left ? bytes.length : (size_t)session->chunk_left;
    head_add(session, text_slice(bytes, 0, part));
    session->chunk_left -= part;
    if (session->chunk_left > 0) return part;
    if (session->is_last_chunk) {
        message_whole(session);
        session->head_length = 0;
    } else {
        session->mode = MODE_COMMAND;
        say(session, "250 2.0.0 chunk\r\n");
    }
    return part;
}

static void chunk_begin(struct sink_session *session, struct text words)
{
    struct text size, last = TEXT_NONE;
    if ((session->plan->without & SINK_CHUNKING) || !text_next_word(&words, &size) ||
        !text_to_number(size, 1u << 30, &session->chunk_left)) {
        say(session, "501 5.5.4 what chunk?\r\n");
        return;
    }
    session->is_last_chunk = text_next_word(&words, &last) && text_equal_nocase(last, TEXT("LAST"));
    session->mode = MODE_CHUNK;
    if (session->chunk_left == 0) chunk_read(session, TEXT_NONE);
}

static void command_read(struct sink_session *session, struct text line)
{
    struct text verb = text_slice(line, 0, 4);
    if (text_equal_nocase(verb, TEXT("MAIL")) || text_equal_nocase(verb, TEXT("RSET"))) {
        session->head_length = 0;
        say(session, "250 2.1.0 ok\r\n");
    } else if (text_equal_nocase(verb, TEXT("RCPT"))) {
        say(session, "250 2.1.5 ok\r\n");
    } else if (text_equal_nocase(verb, TEXT("DATA"))) {
        content_begin(session);
        session->mode = MODE_DATA;
        say(session, "354 go on\r\n");
    } else if (text_equal_nocase(verb, TEXT("BDAT"))) {
        chunk_begin(session, text_slice(line, 4, line.length));
    } else if (text_equal_nocase(verb, TEXT("EHLO"))) {
        say_extensions(session);
    } else if (text_equal_nocase(verb, TEXT("HELO")) || text_equal_nocase(verb, TEXT("NOOP"))) {
        say(session, "250 sink.bench.example\r\n");
    } else if (text_equal_nocase(verb, TEXT("STAR")) && session->plan->tls && !session->secure) {
        say(session, "220 2.0.0 go on\r\n");
        session->is_secure_next = true;
    } else if (text_equal_nocase(verb, TEXT("QUIT"))) {
        say(session, "221 2.0.0 bye\r\n");
        session->is_over = true;
    } else {
        say(session, "502 5.5.1 not here\r\n");
    }
}

/* How many bytes it took: none when a command is not whole. */
static size_t step(struct sink_session *session, struct text bytes)
{
    if (session->mode == MODE_DATA) return data_read(session, bytes);
    if (session->mode == MODE_CHUNK) return chunk_read(session, bytes);
    size_t end = text_find_char(bytes, '\n');
    if (end == bytes.length) return 0;
    command_read(session, text_trim(text_slice(bytes, 0, end)));
    return end + 1;
}

static void input(struct sink_session *session, struct text bytes)
{
    bool is_kept = buffer_length(&session->partial) > 0;
    if (is_kept) {
        buffer_add_text(&session->partial, bytes);
        bytes = buffer_text(&session->partial);
    }
    while (bytes.length > 0 && !session->is_over && !session->is_secure_next) {
        size_t taken = step(session, bytes);
        if (taken == 0) break;
        bytes = text_slice(bytes, taken, bytes.length);
    }
    if (session->is_secure_next) bytes = TEXT_NONE; /* plaintext before the handshake counts for nothing */
    if (bytes.length > COMMAND_BYTES) session->is_over = true;
    if (is_kept)
        buffer_consume(&session->partial, buffer_length(&session->partial) - bytes.length);
    else if (bytes.length > 0)
        buffer_add_text(&session->partial, bytes);
}

static bool flush(struct sink_session *session)
{
    while (buffer_length(&session->out) > 0) {
        struct text text = buffer_text(&session->out);
        struct iovec piece = { (void *)text.at, text.length };
        ssize_t sent = session->secure ? secure_write(session->secure, &piece, 1)
                                       : send(session->fd, text.at, text.length, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        buffer_consume(&session->out, (size_t)sent);
    }
    if (session->is_secure_next) {
        session->is_secure_next = false;
        session->secure = secure_new(session->plan->tls, session->fd);
        session->mode = MODE_HANDSHAKE;
    }
    return !session->is_over;
}

static bool receive(struct sink_session *session)
{
    static char room[ROOM_BYTES]; /* empty between calls */
    do {
        ssize_t got = session->secure ? secure_read(session->secure, room, sizeof room)
                                      : recv(session->fd, room, sizeof room, 0);
        if (got < 0) return errno == EAGAIN;
        if (got == 0) return false;
        input(session, text_from(room, (size_t)got));
        if (!flush(session)) return false;
    } while (session->secure && session->mode != MODE_HANDSHAKE && !sink_session_wants_write(session));
    return true;
}

bool sink_session_ready(struct sink_session *session, bool can_write)
{
    if (can_write && !flush(session)) return false;
    if (session->mode != MODE_HANDSHAKE) return receive(session);
    enum secure_step step = secure_handshake(session->secure);
    if (step == SECURE_DONE) {
        session->mode = MODE_COMMAND;
        return receive(session);
    }
    return step != SECURE_FAILED;
}

bool sink_session_wants_write(const struct sink_session *session)
{
    return buffer_length(&session->out) > 0;
}

int sink_session_descriptor(const struct sink_session *session)
{
    return session->fd;
}

struct sink_session *sink_session_open(struct sink_plan *plan, int fd)
{
    struct sink_session *session = memory_alloc(sizeof *session);
    session->plan = plan;
    session->fd = fd;
    plan->counts.connections++;
    say(session, "220 sink.bench.example ESMTP\r\n");
    if (flush(session)) return session;
    sink_session_close(session);
    return NULL;
}

void sink_session_close(struct sink_session *session)
{
    secure_free(session->secure);
    buffer_free(&session->partial);
    buffer_free(&session->out);
    close(session->fd);
    free(session);
}
