/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What this program was built of and how, and with which libraries it runs: for --version. */
#ifndef SEKIMORI_BASE_BUILD_FACTS_H
#define SEKIMORI_BASE_BUILD_FACTS_H

#include "base/buffer.h"

/* Appends "PROGRAM VERSION" and below it the facts, a line each; with `as_json` one object and a line end. A
   library is loaded to be asked for its version, also one that only another process of the node uses. */
void build_facts_print(const char *program, bool as_json, struct buffer *out);

#endif
