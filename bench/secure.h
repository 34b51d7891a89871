/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* TLS on a connected, non-blocking socket, for the bench programs. The only file here that knows OpenSSL;
   apart from the product's own TLS, so that one does not hide the other's mistakes. */
#ifndef SEKIMORI_BENCH_SECURE_H
#define SEKIMORI_BENCH_SECURE_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

struct secure_context;
struct secure;

/* A client that takes any certificate, or a server with a self-signed one made on the spot. Never NULL. */
struct secure_context *secure_context_new(bool is_server);
void secure_context_free(struct secure_context *context); /* NULL is allowed */

struct secure *secure_new(struct secure_context *context, int fd);
void secure_free(struct secure *secure); /* NULL is allowed; leaves the socket open */

enum secure_step { SECURE_DONE, SECURE_WANTS_READ, SECURE_WANTS_WRITE, SECURE_FAILED };
enum secure_step secure_handshake(struct secure *secure);

/* Like recv and writev: -1 with EAGAIN when the socket is not ready, 0 from read at the end. Read until
   EAGAIN: bytes may wait inside. A write that was cut short must be offered again from where it stopped. */
ssize_t secure_read(struct secure *secure, void *bytes, size_t size);
ssize_t secure_write(struct secure *secure, const struct iovec *pieces, int count);

#endif
