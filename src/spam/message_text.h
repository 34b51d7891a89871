/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a person reads of a message: its Subject, its text, its links; in UTF-8, and folded so that spellings
   of one word are alike. Collected part by part. */
#ifndef SEKIMORI_SPAM_MESSAGE_TEXT_H
#define SEKIMORI_SPAM_MESSAGE_TEXT_H

#include "mail/mime.h"
#include "spam/markup.h"
#include "spam/text_fold.h"

enum { MESSAGE_FOUND_MOST = 64 * 1024 }; /* bytes of what was found in files */
enum { MESSAGE_TEXT_MOST = 512 * 1024 }; /* bytes of a kind; what is behind them is not read */

struct message_text {
    struct buffer plain;  /* of text/plain */
    struct markup markup; /* of text/html */
    struct text
        visible; /* the longer of both, and what was found in files, folded; set by message_text_finish */
    struct text subject; /* as people see it, and folded */
    struct text subject_folded;
    uint32_t plain_parts, html_parts;
    struct fold_counts counts; /* of the visible text and the Subject */
    bool html_as_plain;        /* a text/plain that is HTML, and read as that */
    uint32_t longest_line;
    struct buffer
        found; /* what stands in files: pages of a PDF, what a picture code says; part of `visible` */
    uint32_t found_links; /* those of markup.links that were found so */
    bool is_cut;          /* more than MESSAGE_TEXT_MOST of a kind */
    bool is_subject_cut;  /* its field is longer than what is decoded of it */
    struct buffer room, folded;
};

/* Empty; what lives in the arena lives as long as that, and so does the second one itself. */
void message_text_begin(struct message_text *text, struct arena *arena);
struct message_text *message_text_new(struct arena *arena);

/* A leaf as its tree has it, decoded. Files, and types that are no text, are passed over. Returns all of it
   in UTF-8, borrowed until the next one; empty where it was passed over or cut. */
struct text message_text_part(struct message_text *text, const struct mime_part *part, struct text bytes);

/* Text and a link that were found in a file, any bytes; in front of message_text_finish. */
void message_text_found(struct message_text *text, struct text bytes);
void message_text_found_link(struct message_text *text, struct text address);

/* Once, behind the parts. What it sets lives in the arena or until message_text_free. */
void message_text_finish(struct message_text *text, const struct mime *mime);

/* All three of a message: begun, each of its leaves, finished. */
void message_text_read(struct message_text *text, struct arena *arena, const struct mime *mime);

/* Its buffers. */
void message_text_free(struct message_text *text);

#endif
