/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Named facts of a message: how it is built, what its links do, which turns of phrase it has. Each is there
   or not; what it is worth is learned. Nothing of the trace, of field order or of the charset is among them,
   and no fact is a missing Subject. */
#ifndef SEKIMORI_SPAM_MESSAGE_FACTS_H
#define SEKIMORI_SPAM_MESSAGE_FACTS_H

#include "spam/feature_set.h"
#include "spam/message_text.h"

/* All that the base model looks at: runs of the text and of the Subject, and the facts. The text was read and
   finished. */
void message_features_add(struct features *features, const struct mime *mime,
                          const struct message_text *text);

/* Adds those of a message whose text was read and finished. */
void message_facts_add(struct features *features, const struct mime *mime, const struct message_text *text);

#endif
