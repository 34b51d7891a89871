/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the readings of a message show, and to whom: text, a file that every program sees, or a file that only
   some programs see. Called by reading.c with each reading, in their order. */
#ifndef SEKIMORI_MAIL_EXPOSURE_H
#define SEKIMORI_MAIL_EXPOSURE_H

#include "mail/mime.h"

/* How bytes were undone; base64's ways of treating broken input are one. */
enum exposure_method { EXPOSURE_IDENTITY, EXPOSURE_QUOTED, EXPOSURE_BASE64, EXPOSURE_BLOCK };

/* One reading. */
struct exposure_view {
    const struct mime_part *part; /* NULL: found without regard to structure */
    size_t start, end;            /* of its encoded bytes in the message */
    enum exposure_method method;
    bool is_encoded;   /* somebody encoded the source, by the looks of it */
    bool is_leaf;      /* as the tree of some choice has it */
    bool has_fields;   /* begins with lines that the tree of the first choice has in a header, perhaps */
    struct text bytes; /* as decoded */
    bool is_plain;     /* file_mark_is_plain of them */
};

struct exposure_leaf;

/* Leaves in order, none overlapping another. */
struct exposure_layer {
    struct exposure_leaf *leaves;
    size_t count, room;
};

/* Of each of three trees the leaves, and the pieces inside them. */
enum { EXPOSURE_LAYERS = 6 };

/* Zero-initialised but for the arena, and `is_secret` where it is due. */
struct exposure {
    struct arena *arena;
    bool is_secret;  /* the message lies in another one where only some programs see it */
    bool has_file;   /* the tree of the first choice has a file */
    bool has_hidden; /* some reading shows a file where that tree has none */
    struct exposure_layer layers[EXPOSURE_LAYERS];
};

/* A leaf of the tree of the first choice. All of them come before the first other reading. */
void exposure_add_part(struct exposure *exposure, const struct exposure_view *view);

/* Any other reading. One that shows nothing new, text or noise changes nothing. */
void exposure_add_other(struct exposure *exposure, const struct exposure_view *view);

/* A part that is no text, HTML or multipart by its type: shown as a file whatever its bytes are. */
bool exposure_is_file_type(struct text type);

#endif
