/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks a mail server whether it would take a mail for a recipient, and gives it none. */
#ifndef SEKIMORI_CLI_RECIPIENT_PROBE_H
#define SEKIMORI_CLI_RECIPIENT_PROBE_H

#include "base/address.h"
#include "base/loop.h"
#include "cli/setup_finding.h"

/* Greeting, EHLO (HELO where that is not known), MAIL FROM:<>, RCPT, QUIT (RFC 5321 section 4.1.1), in the
   clear, within `limit_ms` in all. Turns the loop until there is an answer, which fills *out. */
void recipient_probe(struct loop *loop, const struct endpoint *server, struct text hostname,
                     struct text recipient, uint32_t limit_ms, struct recipient_answer *out);

#endif
