/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scan/sender_weight.h"

#include <math.h>

#include "config/greylist.h"
#include "judge/sender_history.h"
#include "scan/tenancy.h"

void sender_history_raise(struct arena *arena, const struct config *config, const struct occasion *occasion,
                          const struct from_domains *from, struct facts *out)
{
    struct buffer bytes = { 0 };
    if (!config_remembers(config)) return;
    const struct sender_subject subject = { .direction = DIRECTION_IN,
                                            .client = occasion->client,
                                            .sender = occasion->sender,
                                            .from = from->count == 1 ? from->address : TEXT_NONE,
                                            .recipient_count = occasion->recipient_count,
                                            .recipients = occasion->recipients };
    sender_subject_put(&subject, &bytes);
    facts_raise(arena, out, QUESTION_HISTORY, arena_text(arena, buffer_text(&bytes)));
    buffer_free(&bytes);
}

/* --- reputation --- */

enum { MESSAGES_HALF = 5 }; /* so many, as they count now, are worth half of what any number is */
static const double bad_share = 0.6, good_share = 0.05, good_part = 0.5;

/* Between 1, all spam, and -0.5, none; 0 in between, where both come. */
static double reputation_of(const struct sender_finding *finding)
{
    if (finding->weight_of <= 0) return 0;
    double share = fmin(finding->weight / finding->weight_of, 1);
    double certainty = finding->weight_of / (finding->weight_of + MESSAGES_HALF);
    if (share >= bad_share) return certainty * (share - 0.5) * 2;
    return share <= good_share ? -good_part * certainty * (1 - share / good_share) : 0;
}

static void past_add(const struct sender_finding *finding, const char *name, double points,
                     struct score *score)
{
    struct buffer about = { 0 };
    sender_finding_say(LANGUAGE_EN, finding, &about);
    score_add(score, name, points, arena_text(score->arena, buffer_text(&about)));
    buffer_free(&about);
}

static void reputation_add(const struct config *config, const struct sender_finding *finding, bool counts,
                           struct score *score)
{
    bool is_network = finding->kind == SENDER_REPUTATION_NETWORK;
    double points = counts ? reputation_of(finding) * config->senders.reputation : 0;
    past_add(finding, is_network ? "REPUTATION_NETWORK" : "REPUTATION_DOMAIN", points, score);
}

static bool is_proven(const struct auth_judgement *authentication)
{
    return authentication->is_made && authentication->result.dmarc.outcome == DMARC_PASS;
}

/* A proven domain is who sent it; the network, which many may share, is so where the domain says nothing, and
   where it speaks against it. */
static void reputations_add(const struct config *config, const struct sender_history *history,
                            const struct auth_judgement *authentication, struct score *score)
{
    const struct sender_finding *domain = sender_history_find(history, SENDER_REPUTATION_DOMAIN);
    const struct sender_finding *network = sender_history_find(history, SENDER_REPUTATION_NETWORK);
    if (!is_proven(authentication)) domain = NULL;
    if (domain) reputation_add(config, domain, true, score);
    if (network) reputation_add(config, network, !domain, score);
}

/* --- first contact --- */

static bool is_impostor(const struct score *score)
{
    for (uint32_t i = 0; i < score->count; i++)
        if (text_starts(score->signals[i].name, TEXT("IMPOSTOR_")) && score->signals[i].points > 0)
            return true;
    return false;
}

/* New to some of several recipients: said, and no reason to weigh it for the others. */
static void contact_add(const struct config *config, const struct sender_history *history,
                        struct score *score)
{
    enum { OF_AN_IMPOSTOR = 3 };
    const struct sender_finding *new = sender_history_find(history, SENDER_IS_NEW);
    const struct sender_finding *to = sender_history_find(history, SENDER_IS_NEW_TO);
    double points = config->senders.contact * (is_impostor(score) ? OF_AN_IMPOSTOR : 1);
    if (new)
        past_add(new, "SENDER_NEW", points, score);
    else if (to)
        past_add(to, "SENDER_NEW_TO", to->count == to->of ? points / 2 : 0, score);
}

/* --- greylisting --- */

/* What may prove something cannot be found out now: nobody waits for our DNS. */
static bool is_excused(const struct config *config, const struct occasion *occasion,
                       const struct auth_judgement *authentication)
{
    const struct authentication *result = &authentication->result;
    if (occasion->is_undecided || occasion->direction != DIRECTION_IN) return true;
    if (network_list_has(&config->auth.forwarders, &occasion->client)) return true;
    return authentication->is_made &&
           (result->dmarc.outcome == DMARC_PASS || result->dmarc.outcome == DMARC_TEMPERROR ||
            authentication->excuse != PROOF_NO_EXCUSE);
}

static void greylist_find(const struct config *config, const struct occasion *occasion,
                          const struct auth_judgement *authentication, const struct sender_history *history,
                          struct score *score, struct sender_demand *out)
{
    const struct sender_finding *unknown = sender_history_find(history, SENDER_IS_UNKNOWN);
    const struct sender_finding *back = sender_history_find(history, SENDER_IS_BACK);
    if (unknown && is_excused(config, occasion, authentication)) {
        score_add(score, "GREYLIST_PROVEN", 0,
                  TEXT("nobody here knows this sender; he proves who he is, or is trusted"));
    } else if (unknown) {
        out->is_unknown = true;
        out->wait_s = unknown->count;
        out->recipients = unknown->recipients;
        past_add(unknown, "GREYLIST_UNKNOWN", 0, score);
    } else if (back) {
        past_add(back, "GREYLIST_BACK", 0, score);
    }
}

enum action sender_greylist_action(const struct config *config, const struct sender_demand *demand,
                                   struct text recipient, uint32_t place, enum mode *out_mode)
{
    *out_mode = config_greylist_mode(config, recipient);
    bool is_meant = demand->is_unknown && place < SENDER_RECIPIENTS_MOST && demand->recipients >> place & 1;
    return is_meant && *out_mode != MODE_OFF ? ACTION_DEFER : ACTION_ACCEPT;
}

/* --- all --- */

void sender_history_weigh(const struct config *config, const struct occasion *occasion,
                          const struct auth_judgement *authentication, const struct question *answers,
                          uint32_t count, struct score *score, struct sender_demand *out)
{
    const struct question *question = questions_answered(answers, count, QUESTION_HISTORY);
    struct sender_history history;
    uint32_t before = score->count;
    *out = (struct sender_demand){ .is_unknown = false };
    if (!question || !sender_history_get(question->value, &history)) return;
    reputations_add(config, &history, authentication, score);
    contact_add(config, &history, score);
    greylist_find(config, occasion, authentication, &history, score, out);
    out->points = score_sum(score->signals + before, score->count - before);
}
