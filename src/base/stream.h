/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A non-blocking TCP connection, with or without TLS: bytes in by callback, bytes and file ranges out.
   Used by receive (server side) and deliver (client side). Holds no buffer while idle. */
#ifndef SEKIMORI_BASE_STREAM_H
#define SEKIMORI_BASE_STREAM_H

#include "base/address.h"
#include "base/loop.h"
#include "base/text.h"

struct stream;
struct tls_context;

enum stream_end {
    STREAM_END_CLOSED, /* the peer closed its side */
    STREAM_END_FAILED, /* connect, read or write failed */
    STREAM_END_TLS,    /* handshake or record layer failed */
};

struct stream_events {
    /* Bytes that arrived and were not consumed yet, in order. Returns how many it consumed; the rest
       is shown again together with what arrives next, or after stream_resume. Called again at once while it
       consumes something and something is left. */
    size_t (*on_input)(void *context, struct text bytes);
    /* All that was written has left. May be NULL. */
    void (*on_drained)(void *context);
    /* The connection of stream_connect stands. May be NULL for accepted streams. */
    void (*on_connected)(void *context);
    /* The TLS handshake is done. May be NULL when TLS is never started. */
    void (*on_secured)(void *context);
    /* The stream has ended; `reason` is for the log. Called once; call stream_close in or after it. */
    void (*on_ended)(void *context, enum stream_end end, const char *reason);
    /* A peer that is served on has closed its side, or is gone: see stream_peer. Called once. May be NULL. */
    void (*on_half_closed)(void *context);
};

/* Takes over a connected (or accepted), non-blocking descriptor. */
struct stream *stream_open(struct loop *loop, int fd, const struct stream_events *events, void *context);

/* While the other side says nothing for `idle_s` seconds TCP asks whether it is there; without an answer
   three times, five seconds apart, or with a reset, the connection is lost. Else who goes without a word (its
   machine lost power, its address moved) is waited for up to the longest limit. Listening sockets pass it on.
 */
void stream_ask_if_there(int fd, int idle_s);

/* Begins to connect; on_connected or on_ended follows, the latter also where no socket can be made. `source`
   may be NULL or zero. A silent server is asked whether it is there, after 15 seconds. */
struct stream *stream_connect(struct loop *loop, const struct endpoint *to, const struct address *source,
                              const struct stream_events *events, void *context);

/* The same to a unix socket of that path, which need not end with a NUL. A path that is too long fails as one
   where nobody listens. */
struct stream *stream_connect_local(struct loop *loop, struct text path, const struct stream_events *events,
                                    void *context);

/* No callback comes after this. What was written and not sent is tried once, then dropped. NULL is allowed.
 */
void stream_close(struct stream *stream);

/* Copies; goes out at the end of the turn. */
void stream_write(struct stream *stream, struct text bytes);
void stream_printf(struct stream *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* After what was written before: `length` bytes of `fd` from `offset`, by sendfile where there is no TLS.
   The descriptor is borrowed until on_drained or the end. */
void stream_send_file(struct stream *stream, int fd, uint64_t offset, uint64_t length);

/* Bytes (and file bytes) that have not left. */
uint64_t stream_pending(const struct stream *stream);

/* No more input is shown or read while over `bytes` of output wait: a peer that asks and never reads what is
   answered costs no more. 0, as at first: no limit. */
void stream_limit_output(struct stream *stream, size_t bytes);

/* Stops and restarts on_input. While paused, nothing is read from the socket; that the peer has gone, or
   closed its side where it is not served then, is noticed all the same (on_ended). */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* Starts the handshake once what was written has left. Bytes that arrived in the clear and were not
   consumed are thrown away (RFC 3207 section 4.2). `name` (client only): SNI and the name to verify when
   the context verifies; borrowed for the call. on_secured or on_ended(STREAM_END_TLS) follows. */
void stream_start_tls(struct stream *stream, struct tls_context *context, bool is_server, struct text name);

bool stream_is_secure(const struct stream *stream); /* the handshake is done, not only begun */
/* "TLSv1.3", "TLS_AES_256_GCM_SHA384", bits; "" and 0 in the clear. */
const char *stream_tls_version(const struct stream *stream);
const char *stream_tls_cipher(const struct stream *stream);
int stream_tls_bits(const struct stream *stream);
/* Of a context that asks peers for their certificate: the verified name in it, "" when there is none; and why
   the one that was shown does not count, "" when none was or it does. See tls_peer_name, tls_peer_doubt. */
const char *stream_peer_name(const struct stream *stream);
const char *stream_peer_doubt(const struct stream *stream);
bool stream_peer_has_name(const struct stream *stream, struct text name); /* see tls_peer_has_name */

/* A peer that closes its side (in TLS also by a goodbye) is served on: what it sent before is shown, what is
   answered leaves, and only then on_ended comes. Else, as at first, on_ended comes at once. */
void stream_serve_half_closed(struct stream *stream);

/* What the kernel knows of the other end. A peer that only closed its side and one that closed the connection
   are the same until something is sent to them: the latter answers with a reset. */
enum stream_peer {
    STREAM_PEER_HERE,
    STREAM_PEER_HALF_CLOSED,
    STREAM_PEER_GONE,
};
enum stream_peer stream_peer(const struct stream *stream); /* one system call */

/* The peer's kernel has taken all that was written. One system call. */
bool stream_is_acknowledged(const struct stream *stream);

int stream_fd(const struct stream *stream); /* borrowed: the stream closes it */

#endif
