/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message to what its near-duplicates are known by: judge/campaign.h. Pure, linear, and of a bounded part
   of the text. Numbers, addresses of links and what is not made of letters play no part, since each copy has
   others. */
#ifndef SEKIMORI_SPAM_CAMPAIGN_SKETCH_H
#define SEKIMORI_SPAM_CAMPAIGN_SKETCH_H

#include "judge/campaign.h"
#include "spam/message_text.h"

enum {
    CAMPAIGN_TEXT_MOST = 24 * 1024, /* bytes of the visible text that are looked at */
    CAMPAIGN_SHINGLES_LEAST = 40,   /* distinct ones that a text needs: greetings and footers have fewer */
    CAMPAIGN_WORDS_LEAST = 6,       /* of a shorter one with links; two characters of Japanese are a word */
    CAMPAIGN_FILE_LEAST = 1024      /* bytes of a file: shorter ones are alike by chance */
};

/* The text was read and finished. Fills bands or line; neither where the text is too short. */
void campaign_sketch_text(const struct message_text *text, struct campaign_sketch *out);

/* A file of the message, decoded. Pictures and short files are passed over: a logo is in everybody's mail.
   One of more than 64 KiB counts by its first and last 32 KiB and its length. */
void campaign_sketch_file(const struct mime_part *part, struct text bytes, struct campaign_sketch *out);

/* All of a message at once: text, then files. */
void campaign_sketch_message(struct arena *arena, const struct mime *mime, struct campaign_sketch *out);

#endif
