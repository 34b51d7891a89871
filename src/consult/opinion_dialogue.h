/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is said to spamd (SPAMC/1.5, SYMBOLS) and to rspamd (HTTP, POST /checkv2) over one connection, which
   carries one message. Bytes in, bytes out, outcome; no socket, no clock. */
#ifndef SEKIMORI_CONSULT_OPINION_DIALOGUE_H
#define SEKIMORI_CONSULT_OPINION_DIALOGUE_H

#include "base/buffer.h"
#include "config/settings.h"
#include "ipc/ask_consult.h"
#include "judge/engine_answer.h"

enum {
    OPINION_HEADER_MOST = 8 * 1024,  /* bytes of a reply's header */
    OPINION_REPLY_MOST = 256 * 1024, /* bytes behind it */
    OPINION_NAMES_MOST = 10,         /* symbols that are told */
};

struct opinion_question {
    enum engine_kind kind;      /* ENGINE_SPAMD or ENGINE_RSPAMD */
    struct text user, settings; /* as configured */
    const struct consult_envelope *envelope;
    uint64_t size; /* bytes of the message, which follows what opinion_ask appends */
};

/* Appends the request up to the message, for spamd with the fields on top of it that tell the envelope. What
   strangers said goes out as they said it; a text with a control character is left out. */
void opinion_ask(const struct opinion_question *question, struct buffer *out);

/* Zero-initialise but for `kind`. */
struct opinion_dialogue {
    enum engine_kind kind;
    bool is_in_body, is_over;
    size_t length;      /* of the body */
    bool is_spam;       /* by spamd's header */
    double score, line; /* likewise */
};

struct opinion {
    bool is_spam;
    double score, line;                /* at most ENGINE_SCORE_MOST, either way; line: 0: it says none */
    char names[ENGINE_WORDS_MOST + 1]; /* "BAYES_99,MISSING_DATE"; of rspamd behind its action: "reject; …" */
};

enum opinion_event {
    OPINION_MORE,
    OPINION_ANSWER,  /* *out is filled */
    OPINION_REFUSED, /* it says that it cannot; out->names says why */
    OPINION_NONSENSE /* out->names says what */
};

/* Reads a step of at least one byte. Returns how many were read; 0 with OPINION_MORE, or none left: wait for
   more. After any other event the connection is good for nothing more. */
size_t opinion_read(struct opinion_dialogue *dialogue, struct text bytes, enum opinion_event *out_event,
                    struct opinion *out);

#endif
