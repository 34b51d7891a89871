/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The header of a message or part: its fields in order, as slices of the original bytes.
   Lines end in CRLF; a bare LF is taken as a line end too (files), a bare CR never. RFC 5322 section 2.2. */
#ifndef SEKIMORI_MAIL_HEADER_H
#define SEKIMORI_MAIL_HEADER_H

#include "base/arena.h"
#include "mail/finding.h"

/* Fields that are looked up often; everything else is HEADER_OTHER and found by name. */
enum header_id {
    HEADER_OTHER,
    HEADER_FROM,
    HEADER_SENDER,
    HEADER_REPLY_TO,
    HEADER_TO,
    HEADER_CC,
    HEADER_BCC,
    HEADER_DATE,
    HEADER_SUBJECT,
    HEADER_MESSAGE_ID,
    HEADER_IN_REPLY_TO,
    HEADER_REFERENCES,
    HEADER_RECEIVED,
    HEADER_RETURN_PATH,
    HEADER_MIME_VERSION,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_TRANSFER_ENCODING,
    HEADER_CONTENT_DISPOSITION,
    HEADER_CONTENT_ID,
    HEADER_ID_COUNT
};

struct header_field {
    size_t offset;     /* of the name's first byte, from the start of the text that was parsed */
    size_t length;     /* of the whole field: name, folds and its last line end */
    struct text name;  /* as written, without blanks before the colon */
    struct text value; /* raw: all behind the colon, folds inside, without the last line end */
    enum header_id id;
};

struct header {
    struct header_field *fields;
    size_t count;
    size_t length;      /* bytes of all header lines: where the empty line begins */
    size_t body_offset; /* first byte behind the empty line; the text's length when there is none */
    uint32_t first[HEADER_ID_COUNT]; /* index + 1 of the first field with that id, 0: none */
    uint32_t times[HEADER_ID_COUNT]; /* how many there are */
    struct finding_set findings;
};

struct header_limits {
    size_t bytes;    /* what comes behind is passed over (header-too-long), the body is still found */
    size_t fields;   /* likewise (too-many-fields) */
    bool skip_junk;  /* a line that is no field is passed over; false: it begins the body */
    bool blank_ends; /* a line of blanks alone ends the header; false: it is folded from the field before */
    bool mbox_ends;  /* an mbox line behind the first line begins the body, a ">From " as the first line too;
                        false: it is passed over, and so is what is folded from it, unless `skip_junk`: then
                        that is folded from the field before */
};

/* Fields borrow from `text`, the array lives in the arena. Linear in the header's bytes.
   An empty text has an empty header. */
void header_parse(struct arena *arena, struct text text, const struct header_limits *limits,
                  struct header *out);

/* A text alone: its first line (behind mbox lines) is no field, and no field of an id above comes
   before its first empty line. False for no text, and for one that begins with the empty line. What is put
   before such a text must end in an empty line. */
bool header_is_missing(struct text text);

/* Bytes of an mbox line that is the first line ("From a@b.test Fri Feb 14 08:55:52 2014"), with what is
   folded from it; 0: the text begins otherwise. It is no field, and means something in the first place alone.
 */
size_t header_mbox_length(struct text text);

/* The first field of that id or name, or NULL. */
const struct header_field *header_find(const struct header *header, enum header_id id);
const struct header_field *header_find_name(const struct header *header, struct text name);

/* The last one; differs from the first only where a field is doubled. */
const struct header_field *header_find_last(const struct header *header, enum header_id id);

size_t header_count_name(const struct header *header, struct text name); /* ASCII case is ignored */

/* A program that is given these bytes as a file may read them as a mail: they begin, behind empty lines and a
   byte order mark, with a field or the line of an mbox, and up to the next empty line there is a Content-
   field, or two fields that RFC 5322 section 3.6 names. Looks no further than that line. `out_mail` is then
   the bytes from the first of those lines on. */
bool header_looks_like_mail(struct text text, struct text *out_mail);

/* The value on one line: each fold (line end and the blanks behind it) is a single space, outer blanks
   are gone, NUL bytes are gone. Borrowed from the value itself when nothing had to change. */
struct text header_unfold(struct arena *arena, struct text value);

enum header_id header_id_of(struct text name); /* ASCII case is ignored; HEADER_OTHER for any other name */

#endif
