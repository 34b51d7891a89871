/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Why a message was judged as it was: what receive tells ledger of each, in one record. Its head says what
   was decided then, whatever rules and thresholds say now; its evidence is what decide reads
   (judge/evidence.h), so that it can be decided again. Nothing of the text of the mail is in it: no Subject,
   no word, no name of a file, no link. Envelope, From address and domains are, as ledger has them anyway. */
#ifndef SEKIMORI_IPC_EXPLANATION_H
#define SEKIMORI_IPC_EXPLANATION_H

#include "ipc/event.h"

enum {
    EXPLANATION_MOST = 7 * 1024,        /* bytes of a record on its way to ledger */
    EXPLANATION_HEAD_MOST = 3030,       /* of one without evidence */
    EXPLANATION_STORED_MOST = 3 * 1024, /* of a message in ledger's file, packed */
    EXPLANATION_SIGNALS_MOST = 40,
    EXPLANATION_NAME_MOST = 40,      /* bytes of a signal's name */
    EXPLANATION_RECIPIENTS_MOST = 50 /* of a message that can be decided again */
};

/* So many recipients had this done. */
struct explanation_action {
    enum action action, observed;
    uint32_t count;
};
enum { EXPLANATION_ACTIONS_MOST = 8 };

/* What was done for one of the first recipients, in their order, and the lines that were his. */
struct explanation_recipient {
    enum action action, observed;
    enum recipient_cause cause;
    float tag, quarantine, reject; /* INFINITY: never */
};

struct explanation {
    uint64_t id, time_ms; /* time_ms: when it was judged */
    enum direction direction;
    enum message_class class;
    double score, tag, quarantine, reject; /* thresholds of that moment; INFINITY: never */
    uint16_t code;                         /* of the reply by the verdict */
    enum scan_state virus;
    bool is_ambiguous;
    enum tenancy tenancy;
    struct text virus_name, engine; /* cut at 80 bytes */
    struct text findings;           /* names of MIME findings with a consequence */
    struct proof proof;
    uint32_t action_count;
    struct explanation_action actions[EXPLANATION_ACTIONS_MOST];
    uint32_t signal_count, signals_left_out;
    struct event_signal
        signals[EXPLANATION_SIGNALS_MOST]; /* those that weigh most, in their order; rounded to tenths */
    uint32_t recipient_count; /* 0 also of more than EXPLANATION_RECIPIENTS_MOST, and of an older version */
    struct explanation_recipient recipients[EXPLANATION_RECIPIENTS_MOST];
    uint16_t evidence_version;             /* 0: there is none */
    struct text evidence;
};

/* What decide was given. */
struct explanation_evidence {
    struct occasion occasion;
    struct facts facts;
    const struct question *answers;
    uint32_t answer_count;
};

/* Takes over actions and signals of a verdict, and what decided for each recipient without his lines; texts
 * are borrowed. */
void explanation_verdict(struct explanation *explanation, const struct verdict *verdict);

/* Appends the evidence without what is text of the mail or plays no part in deciding. False: it is too long,
   or has too many recipients; nothing was appended. */
bool explanation_evidence_put(const struct explanation_evidence *evidence, struct buffer *out);

/* Texts are borrowed, lists live in the arena. False: there is none, it is another version's, or malformed.
 */
bool explanation_evidence_get(struct arena *arena, const struct explanation *explanation,
                              struct explanation_evidence *out);

/* Appends the record, at most EXPLANATION_MOST bytes: without the evidence where there is no room for it. */
void explanation_put(const struct explanation *explanation, struct buffer *out);

/* Reads exactly what explanation_put writes. Texts are borrowed. False: malformed, and *out means nothing. */
bool explanation_get(struct text record, struct explanation *out);

/* Appends the event of a record, and reads it: the record is borrowed. False: malformed or too long. */
void explanation_event_put(struct text record, struct buffer *out);
bool explanation_event_get(struct text event, struct text *out_record);

#endif
