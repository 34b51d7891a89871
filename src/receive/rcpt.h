/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether a recipient is taken: our domains, tables, limits, ways. Pure: what a call-out says is added by
   recipients.c. */
#ifndef SEKIMORI_RECEIVE_RCPT_H
#define SEKIMORI_RECEIVE_RCPT_H

#include "receive/server_dialogue.h"
#include "receive/tables.h"

enum rcpt_choice {
    RCPT_REFUSED,
    RCPT_TAKEN,
    RCPT_TAKEN_BEFORE, /* given again: it is the same recipient, and gets the message once */
    RCPT_CALL_OUT      /* the server behind is to be asked */
};

/* The message that it is for, and where that came in. All borrowed. */
struct rcpt_scene {
    const struct config *config;
    const struct listener *listener;
    const struct tables *tables;
    const struct envelope *envelope; /* with the recipients that were taken */
    const uint64_t *keys;            /* of those, as their decisions had them */
    size_t recipient_bytes;          /* rcpt_bytes of those */
    bool is_for_us;                  /* they are the node's own */
    bool is_undecided;               /* it may be mail from inside: where others than we are relayed to, the
                                        content has to prove it */
    bool sender_needs_smtputf8;      /* its address has no form in ASCII */
    struct arena *arena;
};

struct rcpt_decision {
    enum rcpt_choice choice;
    struct reply reply;         /* why it is refused: literals */
    struct recipient recipient; /* texts of the command, or in the arena. Nothing is rewritten but the
                                   spelling of the node's own addresses, <postmaster> without a domain (RFC
                                   5321 4.5.1) and a domain of ours in U-labels */
    bool needs_smtputf8;        /* whoever takes it from us has to: by its address, or by the sender's */
    bool asks_smtputf8;  /* whether the domain's servers offer it is to be found out before it is taken */
    bool lacks_smtputf8; /* they are known not to take it, though MAIL had it */
    uint64_t key;        /* the same for every spelling of the recipient; of this process only */
    bool is_for_us;
};

/* It is taken now, or where the server behind says yes. */
static inline bool rcpt_may_be_taken(const struct rcpt_decision *decision)
{
    return decision->choice == RCPT_TAKEN || decision->choice == RCPT_CALL_OUT;
}

/* To a recipient that needs SMTPUTF8 where the domain's servers do not take it (RFC 6531 section 3.5). */
extern const struct reply rcpt_refusal_smtputf8;

/* The first no counts, in the order in which the checks cost. */
struct rcpt_decision rcpt_decide(const struct rcpt_scene *scene, const struct smtp_command *command);

/* What a recipient takes in the frames to scan and queue, about. */
size_t rcpt_bytes(const struct recipient *recipient);

/* The domain whose servers a message that goes through is for: that of its first recipient, or the
   administrator's. */
struct text rcpt_way(const struct config *config, const struct envelope *envelope);

#endif
