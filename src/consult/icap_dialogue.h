/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is said to an ICAP server over one connection (RFC 3507): OPTIONS, and messages one after another by
   RESPMOD, with a preview where the server wants one. Bytes in, bytes out, outcome; no socket, no clock. */
#ifndef SEKIMORI_CONSULT_ICAP_DIALOGUE_H
#define SEKIMORI_CONSULT_ICAP_DIALOGUE_H

#include "base/buffer.h"
#include "judge/evidence.h"

enum {
    ICAP_HEADER_MOST = 16 * 1024,  /* bytes of one header, ICAP's or HTTP's */
    ICAP_PREVIEW_MOST = 64 * 1024, /* bytes; a server that wants more gets these */
    ICAP_NAME_SIZE = 201,
};

/* RFC 3507 section 4.10.2. */
struct icap_options {
    bool has_preview;     /* messages are shown in part first */
    uint32_t preview;     /* bytes of that part */
    uint32_t connections; /* at once; 0: as many as one likes */
    uint32_t ttl_s;       /* how long this holds; 0: for ever */
    char tag[64];         /* ISTag: it changes with the signatures */
    char service[128];    /* how the server calls itself */
};

enum icap_state {
    ICAP_IDLE,
    ICAP_ASKED_OPTIONS,
    ICAP_SHOWN_PREVIEW, /* 100, or the answer, is to come */
    ICAP_SENT,          /* the whole message: the answer is to come */
    ICAP_IN_HTTP,       /* the server's own HTTP header follows */
    ICAP_IN_CHUNK_SIZE,
    ICAP_IN_CHUNK,
    ICAP_IN_TRAILER,
    ICAP_OVER, /* the connection is good for nothing more */
};

struct icap_dialogue {
    struct text host, service; /* for the request's first line and Host; borrowed as long as it lasts */
    enum icap_state state;
    struct text message; /* borrowed from icap_look to its answer */
    size_t shown;        /* bytes of it in the preview */
    size_t http_length;  /* of the header that follows ICAP's */
    bool has_body, closes;
    uint64_t chunk;  /* bytes of it left */
    size_t compared; /* bytes of the message that came back as they were */
};

/* What is to be sent, in this order: `head`, the message's bytes [from, to), `tail`. */
struct icap_output {
    struct buffer head; /* the caller frees it */
    size_t from, to;
    struct text tail; /* a literal */
};

enum icap_event {
    ICAP_MORE,     /* nothing yet */
    ICAP_OPTIONS,  /* *out_options is filled */
    ICAP_CONTINUE, /* the rest is wanted: icap_rest */
    ICAP_ANSWER,   /* *out_answer is filled */
    ICAP_NONSENSE, /* or a service that is none for us; out_answer->name says what */
};

struct icap_answer {
    enum scan_state state; /* SCAN_CLEAN, SCAN_FOUND or SCAN_UNSCANNED */
    char name[ICAP_NAME_SIZE];
    char tag[64]; /* its ISTag; empty: none */
};

/* Each begins a request, in the state ICAP_IDLE. */
void icap_options_ask(struct icap_dialogue *dialogue, struct icap_output *out);
void icap_look(struct icap_dialogue *dialogue, const struct icap_options *options, struct text message,
               struct icap_output *out);

/* After ICAP_CONTINUE. */
void icap_rest(struct icap_dialogue *dialogue, struct icap_output *out);

/* Reads a step. Returns how many bytes were read; 0 with ICAP_MORE: wait for more. After an answer the state
   is ICAP_IDLE, or ICAP_OVER: close the connection. */
size_t icap_read(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *out_event,
                 struct icap_options *out_options, struct icap_answer *out_answer);

#endif
