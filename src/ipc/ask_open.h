/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What may be asked of open. Two kinds of channel: scan's dispatcher to the process that master knows, which
   only forks, and a scan worker to one reader, a child of it that serves one message and ends. */
#ifndef SEKIMORI_IPC_ASK_OPEN_H
#define SEKIMORI_IPC_ASK_OPEN_H

#include "base/codec.h"

enum open_frame {
    OPEN_READER = 1, /* dispatcher: fork one; the id is the asker's number for it. Each is answered once. */
    OPEN_READER_IS,  /* the same id; fd 0: the asker's end of its channel. Without: none can be had */
    OPEN_END,        /* dispatcher: the same id: it is needed no more, and killed */
};

/* On a reader's channel, one container after another; the id is that of the container, the asker's choice. */
enum reader_frame {
    READER_OPEN = 1, /* worker: struct open_order; READER_BYTES follow until all of the container is there */
    READER_BYTES,    /* either side: the next bytes, at most READER_PIECE */
    READER_MEMBER,   /* reader: struct open_member; READER_BYTES follow until all of it is there */
    READER_NOTICE,   /* reader: struct open_notice */
    READER_DONE,     /* reader: u64 bytes unpacked, u32 members: of this container; 0 of what was extracted */
    READER_EXTRACT,  /* worker: struct extract_order; READER_BYTES follow until all of it is there */
    READER_FOUND,    /* reader: struct open_found; of READER_EXTRACT, before READER_DONE */
};

enum { READER_PIECE = 96 * 1024, READER_PATH_MOST = 200, READER_WHAT_MOST = 120 };

enum open_notice_kind { OPEN_LIMITS, OPEN_NOT_OPENED, OPEN_ENCRYPTED, OPEN_NOTICE_COUNT };

struct open_order {
    uint64_t bytes; /* of the container */
    uint64_t file_bytes, total_bytes;
    uint32_t files, nesting, time_ms;
};

struct open_member {
    struct text path; /* any bytes */
    uint64_t bytes;
};

/* What text, links and picture codes are asked for of. Pictures that come one after another are tried side by
   side too. */
enum extract_kind {
    EXTRACT_PDF,
    EXTRACT_PICTURE, /* PNG, JPEG, GIF, BMP, WebP */
    EXTRACT_SVG,
    EXTRACT_PLAIN, /* text, UTF-8: codes that are drawn with characters */
    EXTRACT_HTML,  /* codes drawn with characters, in tables, as SVG or in a data: address */
    EXTRACT_KIND_COUNT
};

struct extract_order {
    enum extract_kind kind;
    uint64_t bytes;
    uint32_t time_ms;
};

enum found_kind {
    FOUND_TEXT, /* a piece of a document's text, UTF-8 */
    FOUND_LINK, /* where a link of a document leads */
    FOUND_CODE, /* what a picture code says */
    FOUND_KIND_COUNT
};

enum {
    FOUND_TEXT_MOST = 64 * 1024,    /* bytes of one piece */
    FOUND_LINK_MOST = 2048,         /* of a link */
    FOUND_CODE_MOST = 3 * 1024,     /* of a code: a QR code has 2,953 at most */
    EXTRACT_TEXT_MOST = 256 * 1024, /* of all text of one order */
    EXTRACT_LINKS_MOST = 200,       /* links of one order; codes likewise */
};

struct open_found {
    enum found_kind kind;
    struct text text; /* any bytes, never empty */
};

struct open_notice {
    enum open_notice_kind kind;
    struct text path, what; /* path: any bytes; what: printable ASCII */
};

/* The byte forms, appended. What is read borrows from the payload. False: malformed, also where a text is
   longer than is allowed above. */
void open_order_put(const struct open_order *order, struct buffer *out);
bool open_order_get(struct text payload, struct open_order *out);
void open_member_put(const struct open_member *member, struct buffer *out);
bool open_member_get(struct text payload, struct open_member *out);
/* Of READER_NOTICE, likewise. */
void open_notice_put(const struct open_notice *notice, struct buffer *out);
bool open_notice_get(struct text payload, struct open_notice *out);
/* Of READER_EXTRACT and READER_FOUND, likewise. */
void extract_order_put(const struct extract_order *order, struct buffer *out);
bool extract_order_get(struct text payload, struct extract_order *out);
void open_found_put(const struct open_found *found, struct buffer *out);
bool open_found_get(struct text payload, struct open_found *out);

#endif
