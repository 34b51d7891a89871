/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Engines outside: the words that name one, and which of them is asked about which mail. */
#ifndef SEKIMORI_CONFIG_ENGINES_H
#define SEKIMORI_CONFIG_ENGINES_H

#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

/* NULL: there is none of that name. Borrowed from the configuration. */
const struct outside_engine *config_engine(const struct config *config, struct text name);

/* It is asked about mail that goes this way. */
bool config_engine_minds(const struct outside_engine *engine, enum direction direction);

const char *engines_kind_name(enum engine_kind kind); /* "clamd" */
/* False: the word is no kind. */
bool engines_kind_parse(struct text word, enum engine_kind *out);

/* unix:/PATH, ADDRESS:PORT, localhost:PORT or icap://ADDRESS:PORT/SERVICE, by out->kind: fills target, path,
   endpoint and service, texts in the arena. False: it is none for such an engine. */
bool engines_target_parse(struct text word, struct outside_engine *out, struct arena *arena);
const char *engines_target_allowed(enum engine_kind kind);

/* "NAME KIND TARGET", as the parser takes it. */
void engines_print(const struct outside_engine *engine, struct buffer *out);

struct loader;
struct place;
struct token;
/* The token stands where the kind should. */
void engines_kind_complain(struct loader *loader, struct place place, const struct token *token);

#endif
