/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Words of the classes of held mail. */
#include "statistics/held_words.h"

static const struct {
    const char *name, *reason;
} words[HELD_CLASSES] = {
    [HELD_VIRUS] = { N_("virus"), N_("a virus was found in it") },
    [HELD_PHISHING] = { N_("phishing"), N_("it looks like phishing") },
    [HELD_SPAM] = { N_("spam"), N_("it looks like spam") },
    [HELD_POLICY] = { N_("policy"), N_("a rule of this organisation holds it") },
    [HELD_ENCRYPTED] = { N_("encrypted"), N_("it is encrypted, so that nothing could look into it") },
    [HELD_POISON] = { N_("not readable"), N_("the scanner failed on it") },
    [HELD_UNDELIVERABLE] = { N_("undeliverable"), N_("it could neither be delivered nor returned") },
};

const char *held_words_class(enum held_class class)
{
    return (unsigned)class < HELD_CLASSES ? words[class].name : words[HELD_POLICY].name;
}

const char *held_words_reason(enum held_class class, enum message_class found)
{
    if (class != HELD_POLICY) return (unsigned)class < HELD_CLASSES ? words[class].reason : "";
    if (found == CLASS_UNSCANNED) return N_("it could not be scanned for viruses");
    if (found == CLASS_LIMITS) return N_("it could not be scanned whole");
    if (found == CLASS_NOT_OPENED) return N_("a file in it could not be opened to be scanned");
    if (found == CLASS_PUA) return N_("a program in it is one that few want");
    if (found == CLASS_AMBIGUOUS) return N_("mail programs could read different things in it");
    return words[class].reason;
}
