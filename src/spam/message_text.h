/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a person reads of a message: its Subject, its text, its links; in UTF-8, and folded so that spellings
   of one word are alike. Collected part by part. */
#ifndef SEKIMORI_SPAM_MESSAGE_TEXT_H
#define SEKIMORI_SPAM_MESSAGE_TEXT_H

#include "mail/mime.h"
#include "spam/markup.h"

enum { MESSAGE_TEXT_MOST = 512 * 1024 }; /* bytes of a kind; what is behind them is not read */

struct message_text {
    struct buffer plain;  /* of text/plain */
    struct markup markup; /* of text/html */
    struct text visible;  /* the longer of both, folded; set by message_text_finish */
    struct text subject;  /* as people see it, and folded */
    struct text subject_folded;
    uint32_t plain_parts, html_parts;
    uint32_t gaps;       /* characters of no width that stood in words */
    uint32_t wide_forms; /* Latin letters and digits written in full width */
    uint32_t longest_line;
    struct buffer room, folded;
};

/* Empty; what lives in the arena lives as long as that. */
void message_text_begin(struct message_text *text, struct arena *arena);

/* A leaf as its tree has it, decoded. Files, and types that are no text, are passed over. */
void message_text_part(struct message_text *text, const struct mime_part *part, struct text bytes);

/* Once, behind the parts. What it sets lives in the arena or until message_text_free. */
void message_text_finish(struct message_text *text, const struct mime *mime);

/* All three of a message: begun, each of its leaves, finished. */
void message_text_read(struct message_text *text, struct arena *arena, const struct mime *mime);

/* Its buffers. */
void message_text_free(struct message_text *text);

/* Appends `text` folded: ASCII letters small, letters of full width as ASCII, what has no width as a blank,
   runs of blanks as one. The counts may be NULL. */
void message_text_fold(struct text text, struct buffer *out, uint32_t *gaps, uint32_t *wide_forms);

#endif
