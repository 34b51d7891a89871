/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The certificates, keys and authorities that a configuration names: whether their files have changed, and
   what `sekimori status` says of them. */
#ifndef SEKIMORI_MASTER_CERTIFICATES_H
#define SEKIMORI_MASTER_CERTIFICATES_H

#include "base/buffer.h"
#include "config/settings.h"
#include "ipc/measures.h"
#include "master/health_rules.h"

/* Remembers what was refused, so that it is tried and complained of once. Zero-initialised at first. */
struct certificates_seen {
    uint64_t refused; /* a digest of the files, 0: none */
};

/* True when what is on disk is neither what `config` holds nor what this returned true for the last time. */
bool certificates_have_changed(const struct config *config, struct certificates_seen *seen);

/* The one that ends first of those that this node shows to clients and other nodes; its use is empty when
   there is none. */
void certificates_first(const struct config *config, int64_t now_s, struct judged_certificate *out);

/* Each certificate and authority once, with its first use; at most `most`. Returns how many. */
uint32_t certificates_measure(const struct config *config, struct measured_certificate *out, uint32_t most);

/* A JSON array: each certificate once, with its first use. */
void certificates_print(const struct config *config, int64_t now_s, struct buffer *out);

#endif
