/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* HTML as a person sees it in a mail program, and what it hides from him. No tree: one pass, linear in its
   bytes. Nothing is fetched. */
#ifndef SEKIMORI_SPAM_MARKUP_H
#define SEKIMORI_SPAM_MARKUP_H

#include "base/arena.h"
#include "base/buffer.h"

enum { MARKUP_LINKS_MOST = 500, MARKUP_TARGET_MOST = 2000, MARKUP_SHOWN_MOST = 200 };

enum markup_link_kind { MARKUP_LINK, MARKUP_FORM, MARKUP_PICTURE };

struct markup_link {
    enum markup_link_kind kind;
    struct text target; /* as written, references decoded; at most MARKUP_TARGET_MOST bytes */
    struct text shown;  /* what stands between the tags, blanks trimmed; empty for forms and pictures */
};

struct markup {
    struct arena *arena;  /* of the links; set by the caller */
    struct buffer text;   /* UTF-8: blocks on lines of their own, runs of blanks as one */
    struct buffer hidden; /* what a style or size hides; comments are no part of it */
    struct markup_link links[MARKUP_LINKS_MOST];
    uint32_t link_count;
    uint32_t tags, pictures, comments, scripts, passwords, entities;
    uint32_t fonts, huge_fonts, frames; /* huge: of size 5 and more, or 2 more than the text about it */
    bool is_whole;                      /* has an html element */
    uint32_t tiny_pictures;             /* of one or two pixels */
    uint32_t split_words;               /* comments or empty tags between two letters */
    uint32_t hidden_elements;           /* that have text */
    uint32_t pushes;                    /* styles that move what follows thousands of pixels down */
    bool has_more_links;                /* than MARKUP_LINKS_MOST */
};

/* `html`: UTF-8. Appends to the buffers, which the caller frees; more than MARKUP_LINKS_MOST links are left
 * out. */
void markup_read(struct markup *markup, struct text html);

/* A link that stands elsewhere: copied. False: there are too many. */
bool markup_link_add(struct markup *markup, enum markup_link_kind kind, struct text target);

void markup_free(struct markup *markup); /* its buffers */

#endif
