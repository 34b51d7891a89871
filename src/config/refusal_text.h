/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a refusal says to the person who reads it, beside its reason: `refusal …`, `help …`. */
#ifndef SEKIMORI_CONFIG_REFUSAL_TEXT_H
#define SEKIMORI_CONFIG_REFUSAL_TEXT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

/* The text that is set; else our own where help is set, since it leads there; else empty. English is ASCII.
 */
struct text refusal_text(const struct config *config, enum refusal_kind kind, enum language language);

/* "help@example.jp https://www.example.jp/mail", or one of the two; empty: neither is set. In the arena. */
struct text refusal_text_help(struct arena *arena, const struct config *config);

/* Appends, a line end between two: the English text, with `is_utf8` the Japanese one, where to ask. Nothing
   where nothing is set, or for REFUSAL_NONE. */
void refusal_text_add(const struct config *config, enum refusal_kind kind, bool is_utf8, struct buffer *out);

#endif
