/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The JSON that rspamd answers to /checkv2. Called by opinion_dialogue.c, which bounds its bytes. */
#ifndef SEKIMORI_CONSULT_RSPAMD_REPLY_H
#define SEKIMORI_CONSULT_RSPAMD_REPLY_H

#include "consult/opinion_dialogue.h"

/* The least threshold of an action that treats a message as spam is out->line; out->is_spam: its score has
   that, or the action is such a one. Symbols with the most points come first. False: it is none. */
bool rspamd_reply_read(struct text body, struct opinion *out);

#endif
