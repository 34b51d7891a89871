/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* HTML as a run of tags and texts, as lenient as those who show it; no tree. Linear, and never fails. */
#ifndef SEKIMORI_MAIL_HTML_TAGS_H
#define SEKIMORI_MAIL_HTML_TAGS_H

#include "base/buffer.h"

/* All are borrowed from the text that is read. */
struct html_piece {
    bool is_tag, is_end; /* a tag, and one that closes; else text */
    struct text name;    /* of a tag, in the case that it has */
    struct text
        inside; /* of a tag: what stands behind its name; of a text: all of it, entities as they are */
};

/* Cuts the next off *rest. Comments, declarations and what stands in <script> and <style> are left out.
   False: that was all. */
bool html_next(struct text *rest, struct html_piece *out);

bool html_is(const struct html_piece *piece, struct text name); /* a tag of that name, whatever its case */

/* The value of the first attribute of that name in a tag. False: there is none, or it has no value. */
bool html_attribute(struct text inside, struct text name, struct text *out_value);

/* Appends `text` with numeric entities and those named here made into UTF-8: nbsp, block, uhblk, lhblk, lt,
   gt, amp, quot. Never longer than twice the text. */
void html_decode(struct text text, struct buffer *out);

#endif
