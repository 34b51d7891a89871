/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Words the parser's complaints: what was found, what may stand there, what was perhaps meant. Tokens that
   the lexer complained about are passed over in silence. For src/config/ only. */
#ifndef SEKIMORI_CONFIG_COMPLAINT_H
#define SEKIMORI_CONFIG_COMPLAINT_H

#include "config/lexer.h"
#include "config/load_private.h"

/* `unknown word "tga" after spam`: leads nowhere from `node`. */
void complaint_unknown(struct loader *loader, struct place place, const struct token *token,
                       const struct schema_node *node);

/* The value of `node` is missing, or the token is none; `why` then says why ("is too large"). */
void complaint_value(struct loader *loader, struct place place, const struct token *token,
                     const struct schema_node *node, const char *why);

/* The token followed by `why`; `allowed` may be "". */
void complaint_token(struct loader *loader, struct place place, const struct token *token, const char *why,
                     const char *allowed);

#endif
