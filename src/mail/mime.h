/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The tree of a message's parts. RFC 2045, 2046. Pure, linear in the message's bytes, never recursive.
   What is decoded, and every other way a program might read the message, comes from mail/reading.h. */
#ifndef SEKIMORI_MAIL_MIME_H
#define SEKIMORI_MAIL_MIME_H

#include "base/arena.h"
#include "base/buffer.h"
#include "mail/finding.h"
#include "mail/header.h"

struct mime_limits {
    size_t parts;         /* more: the rest stays one part (too-many-parts) */
    size_t depth;         /* deeper: the container stays a leaf (nested-too-deep) */
    size_t header_bytes;  /* of one header */
    size_t header_fields; /* of one header */
    size_t parameters;    /* of one field */
    size_t notes;         /* places of findings that are kept; the sets are always complete */
    size_t decoded_bytes; /* of all readings together (mail/reading.h) */
};

/* 10,000 parts, 32 deep, 2 MiB and 100,000 fields a header, 200 parameters, 200 notes, 256 MiB decoded. */
extern const struct mime_limits mime_limits_default;

enum mime_kind {
    MIME_LEAF,
    MIME_MULTIPART, /* its children are its parts */
    MIME_MESSAGE    /* message/rfc822, /global and /news: one child, the message inside */
};

enum mime_encoding {
    MIME_IDENTITY, /* 7bit, 8bit, binary or none */
    MIME_BASE64,
    MIME_QUOTED_PRINTABLE,
    MIME_UUENCODE,
    MIME_YENC,            /* only inside a text */
    MIME_UNKNOWN_ENCODING /* read as identity; every other reading is offered too */
};

enum { MIME_NO_PARENT = UINT32_MAX };

struct mime_part {
    uint32_t parent;   /* index, MIME_NO_PARENT for the root */
    uint32_t children; /* how many; they follow in document order */
    uint32_t depth;    /* 0 for the root */
    enum mime_kind kind;
    enum mime_encoding encoding;
    size_t offset;               /* of the part's header in the message */
    size_t length;               /* header and body */
    const struct header *header; /* offsets in it count from `offset`; NULL for uuencode inside a text */
    struct text body;            /* as it stands in the message, still encoded */
    struct text type;            /* "text/plain": lower case, RFC 2045 defaults filled in */
    struct text charset;         /* as declared, lower case; empty when not */
    struct text name;            /* file name in UTF-8; empty when none */
    struct text disposition;     /* "attachment", "inline", lower case; empty when none */
    struct text encoding_text;   /* what Content-Transfer-Encoding says, lower case; empty when absent */
    struct text boundary;        /* of a multipart */
    struct finding_set findings;
};

struct mime_note {
    enum finding finding;
    uint32_t part;
    size_t offset; /* in the message, about where it was noticed */
};

struct mime {
    struct text message;
    struct text
        declared; /* the charset of the message or of its first text part that names one; lower case */
    struct mime_part *parts; /* document order; parts[0] is the message itself */
    size_t count;
    struct finding_set findings; /* of all parts */
    struct mime_note *notes;
    size_t note_count;
    const struct mime_limits *limits;
    bool is_body;         /* by mime_parse_body */
    struct text boundary; /* likewise: as it was given */
};

/* Which of two contradicting statements is believed. */
enum mime_choice {
    MIME_FIRST, /* first Content-Type, encoding and parameter; a boundary line must match whole */
    MIME_LAST,  /* the last of each; a line that begins with the boundary is one */
    MIME_SHORT  /* as MIME_FIRST, but a header ends at an mbox line in it (header-mbox-line) */
};

/* Everything lives in the arena or borrows from `message`; `limits` must live as long. Never fails:
   what cannot be understood is a leaf with findings. */
struct mime *mime_parse(struct arena *arena, struct text message, const struct mime_limits *limits,
                        enum mime_choice choice);

/* The same of bytes that are the body of a part whose header nobody knows: a multipart of that boundary, or a
   plain text when it is empty. */
struct mime *mime_parse_body(struct arena *arena, struct text body, struct text boundary,
                             const struct mime_limits *limits, enum mime_choice choice);

/* What made `mime`, again, under another choice. */
struct mime *mime_parse_again(struct arena *arena, const struct mime *mime, enum mime_choice choice);

/* The body with its transfer encoding undone: borrowed from the message when nothing had to be
   done, else written to `room` (cleared first). Findings of the encoding are added to `findings`
   (may be NULL). Never longer than the body. */
struct text mime_decode(const struct mime_part *part, struct buffer *room, struct finding_set *findings);

/* A leaf that is not the text of the message itself: what a person would save under a name. */
bool mime_part_is_file(const struct mime_part *part);

/* "base64", "quoted-printable", "uuencode", "identity", "unknown". */
const char *mime_encoding_name(enum mime_encoding encoding);

#endif
