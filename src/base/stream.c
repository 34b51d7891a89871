/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A TCP connection on the loop. Input is read into one scratch area of the thread and kept only where the
   owner did not consume it; output gathers during a turn and leaves at its end. A closed stream is freed
   at the end of the turn, so that an owner may close it from inside any callback. */
#include "base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/context.h"
#include "base/die.h"
#include "base/tls.h"

enum { READ_STEP = 65536, FILE_STEP = 262144, WIRE_STEP = 16384, OUT_KEEP = 16384 };
enum { SILENT_SERVER_S = 15 };

/* Output in order: `before` bytes of `out` leave first, then the file's range, then what follows. */
struct file_piece {
    STAILQ_ENTRY(file_piece) line;
    uint64_t before, offset, length;
    int fd;
};

struct stream {
    enum { STREAM_MAGIC = 0x19f6a2d7 } magic;
    struct loop *loop;
    struct watch *watch;
    struct deferred flush, bury;
    const struct stream_events *events;
    void *context;
    struct tls *tls;
    struct buffer kept; /* plaintext input not consumed */
    struct buffer out;  /* plaintext to send, in order with `files` */
    struct buffer wire; /* under TLS: ciphertext on its way to the socket */
    STAILQ_HEAD(file_line, file_piece) files;
    uint64_t since_file; /* bytes of `out` after the last queued file */
    uint64_t file_bytes;
    struct {
        struct tls_context *context;
        bool is_server, wanted;
        struct text name;
    } upgrade;
    size_t out_most; /* of output that waits, while input is taken; 0: any */
    int fd, connect_error;
    bool connecting, paused, closed, ended, is_showing, was_written;
    bool serves_half_closed, is_over; /* is_over: no more input comes */
    bool is_half_closed;              /* and the owner was told */
    bool is_full;                     /* input waits until the output has left */
    bool
        is_deaf; /* input came while paused: not watched for reading until resumed. Most pauses end before. */
};

static void ready(void *context, int what);
static void flush(void *context);
static void bury(void *context);

static struct stream *stream_new(struct loop *loop, int fd, const struct stream_events *events, void *context)
{
    struct stream *stream = memory_alloc(sizeof *stream);
    stream->magic = STREAM_MAGIC;
    stream->loop = loop;
    stream->fd = fd;
    stream->events = events;
    stream->context = context;
    STAILQ_INIT(&stream->files);
    stream->flush = (struct deferred){ .run = flush, .context = stream };
    stream->bury = (struct deferred){ .run = bury, .context = stream };
    if (fd < 0) return stream;
    stream->watch = watch_new(loop, fd, ready, stream);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return stream;
}

void stream_ask_if_there(int fd, int idle_s)
{
    static const int on = 1, again_s = 5, times = 3;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &again_s, sizeof again_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

struct stream *stream_open(struct loop *loop, int fd, const struct stream_events *events, void *context)
{
    struct stream *stream = stream_new(loop, fd, events, context);
    watch_set(stream->watch, WATCH_READ);
    return stream;
}

/* What connect() said; what failed at once is told at the end of this turn, never inside this call. */
static struct stream *connect_begun(struct stream *stream, int result, int error)
{
    stream->connecting = true;
    if (result == 0 || error == EINPROGRESS) {
        watch_set(stream->watch, WATCH_WRITE);
        return stream;
    }
    stream->connect_error = error;
    loop_defer(stream->loop, &stream->flush);
    return stream;
}

struct stream *stream_connect_local(struct loop *loop, struct text path, const struct stream_events *events,
                                    void *context)
{
    struct sockaddr_un there = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stream *stream = stream_new(loop, fd, events, context);
    errno = fd < 0 ? errno : ENAMETOOLONG;
    if (fd < 0 || path.length >= sizeof there.sun_path) return connect_begun(stream, -1, errno);
    memcpy(there.sun_path, path.at, path.length);
    int result = connect(fd, (struct sockaddr *)&there, sizeof there);
    return connect_begun(stream, result, errno);
}

struct stream *stream_connect(struct loop *loop, const struct endpoint *to, const struct address *source,
                              const struct stream_events *events, void *context)
{
    struct sockaddr_storage there, here;
    socklen_t length = endpoint_to_sockaddr(to, &there);
    int fd = socket(there.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -1 : 0, error = errno;
    struct stream *stream = stream_new(loop, fd, events, context);
    if (fd >= 0) stream_ask_if_there(fd, SILENT_SERVER_S);
    if (result == 0 && source && !address_is_zero(source)) {
        struct endpoint from = { *source, 0 };
        socklen_t size = endpoint_to_sockaddr(&from, &here);
        result = bind(fd, (struct sockaddr *)&here, size);
    }
    if (result == 0) result = connect(fd, (struct sockaddr *)&there, length);
    if (fd >= 0) error = errno;
    return connect_begun(stream, result, error);
}

enum stream_progress { PROGRESS_DONE, PROGRESS_WAIT, PROGRESS_FAILED };

static enum stream_progress failure(void)
{
    return errno == EAGAIN || errno == EINTR ? PROGRESS_WAIT : PROGRESS_FAILED;
}

static enum stream_progress send_wire(struct stream *stream)
{
    while (buffer_length(&stream->wire) > 0) {
        struct text bytes = buffer_text(&stream->wire);
        ssize_t sent = send(stream->fd, bytes.at, bytes.length, MSG_NOSIGNAL);
        if (sent < 0) return failure();
        buffer_consume(&stream->wire, (size_t)sent);
    }
    return PROGRESS_DONE;
}

/* One step of plaintext to the socket, or encrypted to the wire. Returns how much left, or -1. */
static ssize_t send_step(struct stream *stream, struct text bytes, bool more)
{
    if (!stream->tls) return send(stream->fd, bytes.at, bytes.length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (!tls_is_done(stream->tls)) {
        errno = EAGAIN; /* the handshake's end calls flush again */
        return -1;
    }
    bytes = text_slice(bytes, 0, WIRE_STEP);
    if (tls_send(stream->tls, bytes, &stream->wire) == TLS_OK) return (ssize_t)bytes.length;
    errno = EPROTO;
    return -1;
}

/* Sends up to `limit` bytes of the gathered output. `more` hints that a file range follows. */
static enum stream_progress send_gathered(struct stream *stream, uint64_t limit, bool more)
{
    struct file_piece *first = STAILQ_FIRST(&stream->files);
    while (limit > 0) {
        enum stream_progress progress = send_wire(stream);
        if (progress != PROGRESS_DONE) return progress;
        ssize_t sent = send_step(stream, text_slice(buffer_text(&stream->out), 0, limit), more);
        if (sent < 0) return failure();
        buffer_consume(&stream->out, (size_t)sent);
        limit -= (uint64_t)sent;
        *(first ? &first->before : &stream->since_file) -= (uint64_t)sent;
    }
    return PROGRESS_DONE;
}

/* Under TLS a file range is read and encrypted step by step, as the socket takes it. */
static ssize_t encrypt_file_step(struct stream *stream, const struct file_piece *piece)
{
    char plain[WIRE_STEP];
    size_t step = piece->length > sizeof plain ? sizeof plain : (size_t)piece->length;
    ssize_t got = pread(piece->fd, plain, step, (off_t)piece->offset);
    return got <= 0 ? got : send_step(stream, text_from(plain, (size_t)got), true);
}

static ssize_t send_file_step(struct stream *stream, const struct file_piece *piece)
{
    off_t offset = (off_t)piece->offset;
    size_t step = piece->length > FILE_STEP ? FILE_STEP : (size_t)piece->length;
    return sendfile(stream->fd, piece->fd, &offset, step);
}

static enum stream_progress send_file(struct stream *stream, struct file_piece *piece)
{
    while (piece->length > 0) {
        enum stream_progress progress = send_wire(stream);
        if (progress != PROGRESS_DONE) return progress;
        ssize_t sent = stream->tls ? encrypt_file_step(stream, piece) : send_file_step(stream, piece);
        if (sent < 0) return failure();
        if (sent == 0) {
            errno = EIO; /* the file is shorter than it was said to be */
            return PROGRESS_FAILED;
        }
        piece->offset += (uint64_t)sent;
        piece->length -= (uint64_t)sent;
        stream->file_bytes -= (uint64_t)sent;
    }
    return PROGRESS_DONE;
}

static enum stream_progress send_output(struct stream *stream)
{
    for (struct file_piece *piece; (piece = STAILQ_FIRST(&stream->files));) {
        enum stream_progress progress = send_gathered(stream, piece->before, piece->length > 0);
        if (progress == PROGRESS_DONE) progress = send_file(stream, piece);
        if (progress != PROGRESS_DONE) return progress;
        STAILQ_REMOVE_HEAD(&stream->files, line);
        free(piece);
    }
    enum stream_progress progress = send_gathered(stream, buffer_length(&stream->out), false);
    return progress == PROGRESS_DONE ? send_wire(stream) : progress;
}

static void files_free(struct stream *stream)
{
    for (struct file_piece *piece; (piece = STAILQ_FIRST(&stream->files));) {
        STAILQ_REMOVE_HEAD(&stream->files, line);
        free(piece);
    }
    stream->file_bytes = 0;
}

static void bury(void *context)
{
    struct stream *stream = CONTEXT(context, struct stream, STREAM_MAGIC);
    watch_free(stream->watch);
    files_free(stream);
    tls_free(stream->tls);
    buffer_free(&stream->kept);
    buffer_free(&stream->out);
    buffer_free(&stream->wire);
    free((void *)stream->upgrade.name.at);
    free(stream);
}

void stream_close(struct stream *stream)
{
    if (!stream || stream->closed) return;
    if (!stream->connecting && !stream->ended) {
        if (send_output(stream) == PROGRESS_DONE && stream_is_secure(stream)) {
            tls_finish(stream->tls, &stream->wire);
            send_wire(stream);
        }
    }
    stream->closed = true;
    if (stream->watch) watch_set(stream->watch, 0);
    loop_defer_cancel(stream->loop, &stream->flush);
    loop_defer(stream->loop, &stream->bury);
}

static void end(struct stream *stream, enum stream_end how, const char *reason)
{
    if (stream->ended || stream->closed) return;
    stream->ended = true;
    if (stream->watch) watch_set(stream->watch, 0);
    stream->events->on_ended(stream->context, how, reason);
}

static bool takes_input(struct stream *stream)
{
    if (stream->out_most && stream_pending(stream) > stream->out_most) stream->is_full = true;
    return !stream->closed && !stream->paused && !stream->is_full && !stream->upgrade.wanted;
}

/* Shows input to the owner. What it leaves is kept and shown again with what comes next. */
static void show(struct stream *stream, struct text fresh)
{
    if (buffer_length(&stream->kept) > 0) {
        buffer_add_text(&stream->kept, fresh);
        fresh = TEXT_NONE;
    }
    while (takes_input(stream)) {
        bool is_kept = buffer_length(&stream->kept) > 0;
        struct text bytes = is_kept ? buffer_text(&stream->kept) : fresh;
        if (bytes.length == 0) break;
        stream->is_showing = true;
        size_t used = stream->events->on_input(stream->context, bytes);
        stream->is_showing = false;
        if (used > bytes.length) bug("stream: consumed %zu of %zu", used, bytes.length);
        if (is_kept)
            buffer_consume(&stream->kept, used);
        else
            fresh = text_slice(fresh, used, fresh.length);
        if (used == 0) break;
    }
    if (stream->upgrade.wanted) { /* RFC 3207 section 4.2: what came in the clear is not carried over */
        buffer_clear(&stream->kept);
        return;
    }
    if (!stream->closed) buffer_add_text(&stream->kept, fresh);
    if (buffer_length(&stream->kept) == 0) buffer_free(&stream->kept);
}

/* Where the peer is served on, not before all that it sent was shown and all that was answered has left. */
static void over_check(struct stream *stream)
{
    if (!stream->is_over || stream->closed || stream->ended) return;
    bool is_served = stream->paused || stream->is_full || stream_pending(stream) > 0;
    if (!stream->serves_half_closed || !is_served) end(stream, STREAM_END_CLOSED, "closed by peer");
}

static void half_closed_tell(struct stream *stream)
{
    if (stream->is_half_closed) return;
    stream->is_half_closed = true;
    if (stream->events->on_half_closed) stream->events->on_half_closed(stream->context);
}

static void input_over(struct stream *stream)
{
    stream->is_over = stream->is_deaf = true;
    loop_defer(stream->loop, &stream->flush); /* not watched any more */
    over_check(stream);
    if (!stream->closed && !stream->ended) half_closed_tell(stream);
}

static void show_secure(struct stream *stream, struct text ciphertext)
{
    struct buffer plain = { 0 };
    bool was_done = tls_is_done(stream->tls);
    enum tls_outcome outcome = tls_receive(stream->tls, ciphertext, &plain, &stream->wire);
    if (buffer_length(&stream->wire) > 0) loop_defer(stream->loop, &stream->flush);
    if (!was_done && tls_is_done(stream->tls)) {
        loop_defer(stream->loop, &stream->flush);
        if (stream->events->on_secured) stream->events->on_secured(stream->context);
    }
    show(stream, buffer_text(&plain));
    buffer_free(&plain);
    if (stream->closed) return;
    if (outcome == TLS_CLOSED) input_over(stream);
    if (outcome == TLS_FAILED) {
        send_wire(stream); /* the alert */
        end(stream, STREAM_END_TLS, tls_error(stream->tls));
    }
}

static void read_input(struct stream *stream)
{
    static _Thread_local char scratch[READ_STEP];
    ssize_t got = recv(stream->fd, scratch, sizeof scratch, 0);
    if (got > 0) {
        struct text bytes = text_from(scratch, (size_t)got);
        if (stream->upgrade.wanted) return;
        if (stream->tls)
            show_secure(stream, bytes);
        else
            show(stream, bytes);
    } else if (got == 0) {
        input_over(stream);
    } else if (errno != EAGAIN && errno != EINTR) {
        end(stream, STREAM_END_FAILED, strerror(errno));
    }
}

static void connected(struct stream *stream)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    stream->connecting = false;
    if (error != 0) {
        end(stream, STREAM_END_FAILED, strerror(error));
        return;
    }
    watch_set(stream->watch, stream->is_deaf ? 0 : WATCH_READ);
    if (stream->events->on_connected) stream->events->on_connected(stream->context);
    if (!stream->closed) loop_defer(stream->loop, &stream->flush);
}

static void ready(void *context, int what)
{
    struct stream *stream = CONTEXT(context, struct stream, STREAM_MAGIC);
    if (stream->closed) return;
    if (stream->connecting) {
        connected(stream);
        return;
    }
    if (what & WATCH_WRITE) flush(stream);
    if (!(what & WATCH_READ) || stream->closed || stream->ended) return;
    if (!stream->paused && !stream->is_full) {
        read_input(stream);
        return;
    }
    enum stream_peer peer = stream->paused ? stream_peer(stream) : STREAM_PEER_HERE;
    bool is_served =
        peer == STREAM_PEER_HERE || (peer == STREAM_PEER_HALF_CLOSED && stream->serves_half_closed);
    if (!is_served) {
        end(stream, STREAM_END_CLOSED, "the peer hung up while it was waiting");
        return;
    }
    stream->is_deaf = true;
    loop_defer(stream->loop, &stream->flush);
    if (peer == STREAM_PEER_HALF_CLOSED) half_closed_tell(stream);
}

static void begin_upgrade(struct stream *stream)
{
    stream->tls = tls_new(stream->upgrade.context, stream->upgrade.is_server, stream->upgrade.name);
    stream->upgrade.wanted = false;
    bool good = stream->upgrade.is_server || tls_begin(stream->tls, &stream->wire) == TLS_OK;
    if (buffer_length(&stream->wire) > 0) loop_defer(stream->loop, &stream->flush);
    if (!good) end(stream, STREAM_END_TLS, tls_error(stream->tls));
}

static void hear_again(struct stream *stream)
{
    if (stream->is_deaf) loop_defer(stream->loop, &stream->flush);
    stream->is_deaf = stream->is_over;
    if (!stream->is_showing) show(stream, TEXT_NONE);
}

static void flush(void *context)
{
    struct stream *stream = CONTEXT(context, struct stream, STREAM_MAGIC);
    if (stream->closed || stream->ended) return;
    if (stream->connect_error) {
        end(stream, STREAM_END_FAILED, strerror(stream->connect_error));
        return;
    }
    if (stream->connecting) return;
    enum stream_progress progress = send_output(stream);
    if (progress == PROGRESS_FAILED) {
        end(stream, STREAM_END_FAILED, strerror(errno));
        return;
    }
    watch_set(stream->watch,
              (progress == PROGRESS_WAIT ? WATCH_WRITE : 0) | (stream->is_deaf ? 0 : WATCH_READ));
    if (progress != PROGRESS_DONE) return;
    if (stream->out.capacity > OUT_KEEP) buffer_free(&stream->out);
    if (stream->wire.capacity > OUT_KEEP) buffer_free(&stream->wire);
    if (stream->upgrade.wanted) begin_upgrade(stream);
    if (stream->closed || stream->ended) return;
    bool was_full = stream->is_full;
    stream->is_full = false;
    if (stream->was_written) {
        stream->was_written = false;
        if (stream->events->on_drained) stream->events->on_drained(stream->context);
    }
    if (was_full && !stream->closed && !stream->paused) hear_again(stream);
    over_check(stream);
}

void stream_write(struct stream *stream, struct text bytes)
{
    if (stream->closed || stream->ended) return;
    buffer_add_text(&stream->out, bytes);
    stream->since_file += bytes.length;
    stream->was_written = true;
    loop_defer(stream->loop, &stream->flush);
}

void stream_printf(struct stream *stream, const char *format, ...)
{
    struct buffer line = { 0 };
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&line, format, arguments);
    va_end(arguments);
    stream_write(stream, buffer_text(&line));
    buffer_free(&line);
}

void stream_send_file(struct stream *stream, int fd, uint64_t offset, uint64_t length)
{
    if (stream->closed || stream->ended || length == 0) return;
    struct file_piece *piece = memory_alloc(sizeof *piece);
    *piece =
        (struct file_piece){ .before = stream->since_file, .offset = offset, .length = length, .fd = fd };
    stream->since_file = 0;
    STAILQ_INSERT_TAIL(&stream->files, piece, line);
    stream->file_bytes += length;
    stream->was_written = true;
    loop_defer(stream->loop, &stream->flush);
}

uint64_t stream_pending(const struct stream *stream)
{
    return buffer_length(&stream->out) + buffer_length(&stream->wire) + stream->file_bytes;
}

void stream_pause(struct stream *stream)
{
    if (!stream->closed && !stream->ended) stream->paused = true;
}

void stream_resume(struct stream *stream)
{
    if (!stream->paused || stream->closed || stream->ended) return;
    stream->paused = false;
    if (!stream->is_full) hear_again(stream);
}

void stream_limit_output(struct stream *stream, size_t bytes)
{
    stream->out_most = bytes;
}

void stream_start_tls(struct stream *stream, struct tls_context *context, bool is_server, struct text name)
{
    stream->upgrade.context = context;
    stream->upgrade.is_server = is_server;
    stream->upgrade.name = text_from(memory_string(name), name.length);
    stream->upgrade.wanted = true;
    loop_defer(stream->loop, &stream->flush);
}

bool stream_is_secure(const struct stream *stream)
{
    return stream->tls && tls_is_done(stream->tls);
}

const char *stream_tls_version(const struct stream *stream)
{
    return stream_is_secure(stream) ? tls_version(stream->tls) : "";
}

const char *stream_tls_cipher(const struct stream *stream)
{
    return stream_is_secure(stream) ? tls_cipher(stream->tls) : "";
}

int stream_tls_bits(const struct stream *stream)
{
    return stream_is_secure(stream) ? tls_bits(stream->tls) : 0;
}

const char *stream_peer_name(const struct stream *stream)
{
    return stream_is_secure(stream) ? tls_peer_name(stream->tls) : "";
}

bool stream_peer_has_name(const struct stream *stream, struct text name)
{
    return stream_is_secure(stream) && tls_peer_has_name(stream->tls, name);
}

const char *stream_peer_doubt(const struct stream *stream)
{
    return stream_is_secure(stream) ? tls_peer_doubt(stream->tls) : "";
}

void stream_serve_half_closed(struct stream *stream)
{
    stream->serves_half_closed = true;
}

/* Of a socket that is none of TCP all that can be told is whether its input is over. */
static bool is_at_end(const struct stream *stream)
{
    char byte;
    return recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool kernel_ask(const struct stream *stream, struct tcp_info *out)
{
    socklen_t size = sizeof *out;
    return getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, out, &size) == 0;
}

enum stream_peer stream_peer(const struct stream *stream)
{
    struct tcp_info facts = { 0 };
    if (stream->closed || stream->ended) return STREAM_PEER_GONE;
    if (!kernel_ask(stream, &facts)) return is_at_end(stream) ? STREAM_PEER_HALF_CLOSED : STREAM_PEER_HERE;
    if (facts.tcpi_state == TCP_CLOSE) return STREAM_PEER_GONE;
    return facts.tcpi_state == TCP_CLOSE_WAIT ? STREAM_PEER_HALF_CLOSED : STREAM_PEER_HERE;
}

bool stream_is_acknowledged(const struct stream *stream)
{
    struct tcp_info facts = { 0 };
    return stream_pending(stream) == 0 && kernel_ask(stream, &facts) && facts.tcpi_unacked == 0;
}

int stream_fd(const struct stream *stream)
{
    return stream->fd;
}
