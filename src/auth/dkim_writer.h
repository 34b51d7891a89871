/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Composes signature fields, folded where that changes nothing in their relaxed form but a space, and puts
   the signature in later. */
#ifndef SEKIMORI_AUTH_DKIM_WRITER_H
#define SEKIMORI_AUTH_DKIM_WRITER_H

#include "auth/dkim_signing.h"
#include "base/buffer.h"

/* Zero-initialised is empty; dkim_writer_end frees it. */
struct dkim_writer {
    struct buffer out;
    size_t column, mark; /* where b= goes; 0: not yet */
    bool has_tag;
};

/* Writes "NAME:". */
void dkim_writer_begin(struct dkim_writer *writer, const char *field_name);

/* Adds "; NAME=VALUE" (without the semicolon when it is the first). */
void dkim_writer_tag(struct dkim_writer *writer, const char *name, struct text value);
void dkim_writer_number(struct dkim_writer *writer, const char *name, uint64_t number);
void dkim_writer_digest(struct dkim_writer *writer, const char *name, const uint8_t digest[KEY_DIGEST_BYTES]);

/* Adds h=, folded behind colons where it is long. */
void dkim_writer_names(struct dkim_writer *writer, struct text names);

/* Adds "b=". Once. */
void dkim_writer_signature(struct dkim_writer *writer);

/* Texts are copied into the arena; the digest is not set. */
void dkim_writer_end(struct dkim_writer *writer, struct arena *arena, struct dkim_signing *out);

/* The field without its signature, as it is hashed. */
struct text dkim_writer_unsigned(struct arena *arena, const struct dkim_signing *signing);

const char *dkim_writer_algorithm(enum key_kind kind); /* "rsa-sha256" */

#endif
