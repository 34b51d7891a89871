/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signals of who may send, by what they go by: the ledger keeps for each what became of the mail. */
#ifndef SEKIMORI_JUDGE_SIGNAL_FAMILY_H
#define SEKIMORI_JUDGE_SIGNAL_FAMILY_H

#include "base/text.h"

enum signal_family {
    SIGNAL_FAMILY_NONE,
    SIGNAL_FAMILY_LIST,      /* LIST_NAME: a list of the configuration */
    SIGNAL_FAMILY_IMPOSTOR,  /* IMPOSTOR_...: who pretends to be one of ours */
    SIGNAL_FAMILY_BEHAVIOUR, /* what a sender did before: greylisting, rates, reputation, floods */
    SIGNAL_FAMILIES
};

/* By the begin of the signal's name. */
enum signal_family signal_family_of(struct text signal);

/* What became of a message with the signal: the severest that was done to a recipient; or of a recipient that
   was refused before there was a message. */
enum signal_fate {
    SIGNAL_FATE_PASSED,
    SIGNAL_FATE_TAGGED,
    SIGNAL_FATE_HELD,
    SIGNAL_FATE_DISCARDED,
    SIGNAL_FATE_DEFERRED,       /* 4xx to the content */
    SIGNAL_FATE_REFUSED,        /* 5xx to the content */
    SIGNAL_FATE_DEFERRED_EARLY, /* 4xx to a recipient */
    SIGNAL_FATE_REFUSED_EARLY,  /* 5xx to a recipient */
    SIGNAL_FATES
};
const char *signal_fate_word(enum signal_fate fate); /* a literal: "tagged" */
/* False: no such word. */
bool signal_fate_from_word(struct text word, enum signal_fate *out);

#endif
