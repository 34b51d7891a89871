/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Why a message is held, in words for its recipient and for the administrator. */
#ifndef SEKIMORI_STATISTICS_HELD_WORDS_H
#define SEKIMORI_STATISTICS_HELD_WORDS_H

#include "config/settings.h"
#include "ipc/event.h"

/* The class as one word and the reason as half a sentence: English, marked for translation, literals. What
   the message was found to be tells apart why one is held by policy. */
const char *held_words_class(enum held_class class);
const char *held_words_reason(enum held_class class, enum message_class found);

#endif
