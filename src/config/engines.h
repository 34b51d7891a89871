/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Engines outside: the words that name one, and which of them is asked about which mail. */
#ifndef SEKIMORI_CONFIG_ENGINES_H
#define SEKIMORI_CONFIG_ENGINES_H

#include <regex.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

/* An engine outside here is a second opinion, too, where nothing else is said. It is asked about mail that
   goes this way. */
bool config_engine_minds(const struct outside_engine *engine, enum direction direction);

/* It is a second opinion on spam. */
bool config_engine_is_opinion(const struct outside_engine *engine);

/* They are one statement: whatever else is new, such an engine goes on as it is. */
bool config_engines_are_same(const struct outside_engine *a, const struct outside_engine *b);

/* One of them is a command. */
bool config_engines_have_command(const struct config *config);

/* Its regular expression, compiled; the caller's, to regfree. It has to be there. False, and why in `why`: it
   is none, or one that refers back (\1), whose time has no bound. */
bool config_engine_pattern(const struct outside_engine *engine, regex_t *out, char *why, size_t size);

/* What every engine of its kind has that says nothing of it. */
void engines_finish(struct outside_engine *engine, struct arena *arena);

/* "clamd", say; `is_opinion`: "spamd". False: the word is no such kind. */
bool engines_kind_parse(struct text word, bool is_opinion, enum engine_kind *out);

/* unix:/PATH, ADDRESS:PORT, localhost:PORT, icap://ADDRESS:PORT/SERVICE or a program's path and its
   arguments, parted by blanks, by out->kind: fills target, path, endpoint, service and command, texts in the
   arena. False: it is none for such an engine. */
bool engines_target_parse(struct text word, struct outside_engine *out, struct arena *arena);
const char *engines_target_allowed(enum engine_kind kind);

/* "NAME KIND TARGET", as the parser takes it; of an opinion "KIND TARGET". */
void engines_print(const struct outside_engine *engine, struct buffer *out);

struct loader;
struct place;
struct token;
/* The token stands where the kind should. */
void engines_kind_complain(struct loader *loader, struct place place, const struct token *token,
                           bool is_opinion);

#endif
