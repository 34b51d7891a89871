/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A signal whose name begins as none of these is of no family, and the ledger counts it among rules alone. */
#include "judge/signal_family.h"

static const struct {
    const char *begin;
    enum signal_family family;
} begins[] = {
    { "LIST_", SIGNAL_FAMILY_LIST },         { "IMPOSTOR_", SIGNAL_FAMILY_IMPOSTOR },
    { "GREYLIST", SIGNAL_FAMILY_BEHAVIOUR }, { "REPUTATION_", SIGNAL_FAMILY_BEHAVIOUR },
    { "SENDER_", SIGNAL_FAMILY_BEHAVIOUR },  { "RATE", SIGNAL_FAMILY_BEHAVIOUR },
    { "HARVEST", SIGNAL_FAMILY_BEHAVIOUR },  { "INSIDE", SIGNAL_FAMILY_BEHAVIOUR },
    { "SIGNUP", SIGNAL_FAMILY_BEHAVIOUR },   { "FLOOD", SIGNAL_FAMILY_BEHAVIOUR },
};

enum signal_family signal_family_of(struct text signal)
{
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (text_starts(signal, text_of(begins[i].begin))) return begins[i].family;
    return SIGNAL_FAMILY_NONE;
}

static const char *const words[SIGNAL_FATES] = {
    [SIGNAL_FATE_PASSED] = "passed",
    [SIGNAL_FATE_TAGGED] = "tagged",
    [SIGNAL_FATE_HELD] = "held",
    [SIGNAL_FATE_DISCARDED] = "discarded",
    [SIGNAL_FATE_DEFERRED] = "deferred",
    [SIGNAL_FATE_REFUSED] = "refused",
    [SIGNAL_FATE_DEFERRED_EARLY] = "deferred-early",
    [SIGNAL_FATE_REFUSED_EARLY] = "refused-early",
};

const char *signal_fate_word(enum signal_fate fate)
{
    return words[fate];
}

bool signal_fate_from_word(struct text word, enum signal_fate *out)
{
    for (int i = 0; i < SIGNAL_FATES; i++)
        if (text_equal(word, text_of(words[i]))) {
            *out = (enum signal_fate)i;
            return true;
        }
    return false;
}
