/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Short, in the user's language: what was wrong, and what to do. */
#include "report/missed/answer.h"

#include "base/hash.h"
#include "report/notice.h"
#include "statistics/words.h"

enum { HOUR_MS = 60 * 60 * 1000 };

/* What the log says, and what the user is told. */
static const struct {
    const char *reason, *words;
    bool is_done; /* what was asked for is so now */
} whys[] = {
    [REDEEMED_FALSE] = { "the ticket is false",
                         N_("The ticket in the Subject of your mail is not a whole one of ours.") },
    [REDEEMED_OLD] = { "the ticket's time is over", N_("The time of your ticket is over.") },
    [REDEEMED_USED] = { "the ticket was used before",
                        N_("The message was released before. A ticket works once.") },
    [REDEEMED_GONE] = { "the message is no longer kept",
                        N_("The message is no longer kept: it was deleted, or its time is over.") },
    [REDEEMED_DENIED] = { "tickets do not release mail of its class",
                          N_("A message of this kind is released by the administrator alone.") },
    [REDEEMED_ENTERED] = { "what was said of its sender is kept",
                           N_("What you said of the sender, or of the newsletter, is kept and holds for your "
                              "address "
                              "from now on."),
                           true },
    [REDEEMED_FULL] = { "there is no room for another entry",
                        N_("Nothing is kept of it: there are as many such entries as may be. The "
                           "administrator can "
                           "remove some.") },
    [REDEEMED_NO_WISH] = { "the message gives no occasion for an entry, or digest senders is off",
                           N_("Nothing is kept of it: this is not to be had here, or the message has no such "
                              "sender "
                              "or newsletter.") },
    [ANSWER_NO_TICKET] = { "there is no ticket in the Subject",
                           N_("There is no ticket in the Subject of your mail.") },
};

const char *answer_reason(int why)
{
    return whys[why].reason;
}

void answer_print(const struct answer *answer, struct buffer *out)
{
    enum language language = answer->language;
    struct buffer lines = { 0 };
    buffer_printf(
        &lines, "%s\n%s\n\n", words_say(language, whys[answer->why].words),
        words_say(language, whys[answer->why].is_done
                                ? N_("To take it back, use the other link of that message in the digest, or "
                                     "ask the administrator.")
                                : N_("So your mail released nothing. To release a message, use its link "
                                     "in the digest and leave the Subject as it is.")));
    buffer_printf(&lines, words_say(language, N_("Questions? Ask %.*s.")), TEXT_ARG(answer->config->admin));
    buffer_add_char(&lines, '\n');
    struct notice notice = { .from = answer->config->admin,
                             .to = answer->to,
                             .hostname = answer->config->hostname,
                             .id = answer->id,
                             .subject = text_of(words_say(language, whys[answer->why].is_done
                                                                        ? N_("Kept for your address")
                                                                        : N_("Nothing was released"))),
                             .now_ms = answer->now_ms };
    notice_print(&notice, buffer_text(&lines), out);
    buffer_free(&lines);
}

/* The place of the sender, or the one that was begun longest ago, if that was an hour ago: names are forged
   at will, and all of them together get no more than the places allow. */
bool answered_count(struct answered *answered, struct text sender, uint64_t now_ms)
{
    uint64_t hash = hash_text_nocase(sender);
    int oldest = 0;
    for (int i = 0; i < ANSWERED_SENDERS; i++) {
        if (answered->senders[i].since_ms < answered->senders[oldest].since_ms) oldest = i;
        if (answered->senders[i].sender != hash || !answered->senders[i].since_ms) continue;
        if (now_ms < answered->senders[i].since_ms + HOUR_MS)
            return answered->senders[i].count++ < ANSWERS_AN_HOUR;
        oldest = i;
        break;
    }
    uint64_t since_ms = answered->senders[oldest].since_ms;
    if (since_ms && now_ms < since_ms + HOUR_MS) return false;
    answered->senders[oldest].sender = hash;
    answered->senders[oldest].since_ms = now_ms;
    answered->senders[oldest].count = 1;
    return true;
}
