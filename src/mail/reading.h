/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Every way a mail program might read a message, one run of bytes after another, for the virus engines: each
   part decoded; where the message is ambiguous also the other choices of each doubled statement and of where
   a header ends, the other decodings, and what a carver finds that knows no structure. Linear time, bounded.
 */
#ifndef SEKIMORI_MAIL_READING_H
#define SEKIMORI_MAIL_READING_H

#include "mail/mime.h"

enum reading_kind {
    READING_PART,        /* a leaf as the tree has it */
    READING_ALTERNATIVE, /* the same or another part under another choice or decoding */
    READING_CARVED       /* found without regard to structure */
};

struct reading {
    enum reading_kind kind;
    bool is_part;                 /* a leaf as its tree has it: the message's, or that of a mail in it */
    const struct mime_part *part; /* NULL when carved, or a part's lines in another form */
    size_t offset;                /* in the message: where its encoded bytes begin */
    const char *how;              /* "base64", "base64-stop", "quoted-printable", "identity-lf", … */
    struct text bytes;            /* valid until the next call */
};

/* The iteration; lives in the arena, its buffers until reading_close. */
struct reading_list;

/* Bounded by limits->decoded_bytes, and beyond the tree's own parts by limits->parts in number; cut there
   with decoded-too-large. Leaves with no bytes are left out, so is what was handed out before in the same
   way. `mime` must be MIME_FIRST's tree. Findings of decoding are added to the tree's parts and to
   mime->findings as the iteration meets them, so look at those when it has ended. */
struct reading_list *reading_open(struct arena *arena, struct mime *mime);
bool reading_next(struct reading_list *list, struct reading *out); /* false: that was all */

/* `bytes` are a file that was found in the reading handed out last, a member of an archive, say. When they
   look like a mail (mail/header.h), its readings come next, all of them, out of the list's bounds: a mail
   that is too deep or too large for them is nested-too-deep or decoded-too-large of `mime`. False when they
   look like none: nothing follows. The bytes are copied. */
bool reading_add_mail(struct reading_list *list, struct text bytes);

/* When the iteration has ended: may mail programs disagree about a file in this message? A finding says HOLD
   and there is a file in some reading, or a finding says READ and some reading shows a file that the first
   tree has not. What is text or HTML in every reading is never ambiguous. */
bool reading_is_ambiguous(const struct reading_list *list);

void reading_close(struct reading_list *list); /* frees the buffers; what lives in the arena stays */

#endif
