/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scan/lesson_choice.h"

#include "auth/organization.h"
#include "config/spam_lines.h"
#include "mail/envelope.h"
#include "spam/lesson.h"

enum { MESSAGE_MOST = 256 * 1024 }; /* bytes of one that is read for it */
/* What is not known before answers came may add and take so much. */
static const double answers_most = 8;

double lesson_choice_points(const struct signal *signals, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct text name = signals[i].name;
        if (text_equal(name, TEXT("BASE_MODEL")) || text_equal(name, TEXT("LOCAL_MODEL"))) continue;
        if (text_starts(name, TEXT("REPUTATION_"))) continue; /* by verdicts that models had a part in */
        sum += score_sum(&signals[i], 1);
    }
    return sum;
}

/* --- reading --- */

void lesson_choice_read(struct arena *arena, const struct config *config, const struct base_model *base,
                        const struct occasion *occasion, struct text message, struct facts *facts)
{
    struct lesson lesson;
    struct buffer bytes = { 0 };
    if (!config->learn.is_automatic || occasion->direction != DIRECTION_IN) return;
    if (message.length > MESSAGE_MOST || facts->sketch.length == 0) return;
    double points = lesson_choice_points(facts->signals, facts->signal_count);
    if (points > config->learn.ham_points + answers_most && points < config->learn.spam_points - answers_most)
        return;
    lesson_read(arena, message, base, &lesson);
    lesson.is_spam = false;
    lesson.time_ms = 0;
    lesson_write(&lesson, &bytes);
    facts->lesson = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
}

/* --- choosing --- */

/* Every recipient has it judged in earnest. */
static bool is_judged(const struct config *config, const struct occasion *occasion)
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++)
        if (config_spam_lines(config, occasion->recipients[i]).mode != MODE_ON) return false;
    return occasion->recipient_count > 0;
}

/* Of what is held a person decides, of what is deferred nothing is known. */
static bool is_settled(const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        enum action action = verdict->recipients[i].action;
        if (action == ACTION_QUARANTINE || action == ACTION_DEFER) return false;
    }
    return verdict->recipient_count > 0;
}

static bool is_untouched(const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].action != ACTION_ACCEPT ||
            verdict->recipients[i].observed != ACTION_ACCEPT)
            return false;
    return true;
}

/* An entry speaks for it or against it. */
static bool is_ruled(const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        struct text name = verdict->signals[i].name;
        if (text_starts(name, TEXT("ALLOWED_")) || text_starts(name, TEXT("BLOCKED_"))) return true;
    }
    return false;
}

/* Users or an administrator have told of its like. */
static bool is_told_of(const struct facts *facts)
{
    struct campaign_answer answer;
    return facts->campaign.length > 0 &&
           (!campaign_answer_get(facts->campaign, &answer) || answer.reporters || answer.is_stopped);
}

static bool is_clean(const struct facts *facts)
{
    return (facts->virus == SCAN_CLEAN || facts->virus == SCAN_NOT_ASKED) && !facts->ambiguous;
}

/* The models do not say the contrary: half of the way to the tag is a doubt. */
static bool is_ham(const struct config *config, const struct facts *facts, const struct verdict *verdict)
{
    const struct proof *proof = &verdict->proof;
    bool is_proven = proof->is_made && proof->dmarc == PROOF_PASS && proof->fate == FATE_PASSED;
    return is_proven && is_untouched(verdict) && !verdict->is_spam && !is_told_of(facts) &&
           lesson_choice_points(verdict->signals, verdict->signal_count) < config->learn.ham_points &&
           verdict->score < config->spam.tag / 2;
}

static bool is_spam(const struct config *config, const struct verdict *verdict)
{
    return verdict->is_spam && verdict->score >= config->spam.tag &&
           lesson_choice_points(verdict->signals, verdict->signal_count) >= config->learn.spam_points;
}

/* To whom it is charged: whom the From field names, else who MAIL FROM says. */
static struct text organization_of(const struct occasion *occasion, const struct verdict *verdict)
{
    struct text author = verdict->proof.author;
    if (author.length == 0) author = envelope_domain_of(occasion->sender);
    return organization_listed(public_suffix_builtin(), author);
}

void lesson_choice_make(const struct config *config, const struct occasion *occasion,
                        const struct facts *facts, struct verdict *verdict)
{
    bool may = config->learn.is_automatic && facts->lesson.length > 0 && verdict->direction == DIRECTION_IN &&
               verdict->tenancy == TENANCY_NOT_ASKED && verdict->newsletter.length == 0 && is_clean(facts) &&
               is_judged(config, occasion) && is_settled(verdict) && !is_ruled(verdict);
    if (!may) return;
    if (is_spam(config, verdict))
        verdict->teaches = TEACHES_SPAM;
    else if (is_ham(config, facts, verdict))
        verdict->teaches = TEACHES_HAM;
    if (verdict->teaches != TEACHES_NOTHING) verdict->taught_of = organization_of(occasion, verdict);
}
