/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts and answers to a verdict: one action a recipient, one reply for all. */
#include "scan/decide.h"

#include <math.h>

#include "config/closed_kinds.h"
#include "config/domains.h"
#include "config/greylist.h"
#include "config/hosted.h"
#include "config/spam_lines.h"
#include "ipc/entry_page.h"
#include "ipc/fingerprint_page.h"
#include "ipc/message_id.h"
#include "judge/action_strength.h"
#include "mail/envelope.h"
#include "scan/authenticate.h"
#include "scan/campaign_weight.h"
#include "scan/entry_match.h"
#include "scan/impostor_weight.h"
#include "scan/lesson_choice.h"
#include "scan/list_questions.h"
#include "scan/opinions.h"
#include "scan/outside.h"
#include "scan/rate_weight.h"
#include "scan/recipe.h"
#include "scan/sender_weight.h"
#include "scan/tenancy.h"
#include "scan/wording.h"
#include "spam/rule_signals.h"
#include "spam/score.h"

/* What the checks would have a message get, whoever the recipient is. */
struct demand {
    enum action virus;
    enum action opinions; /* where one that must be had is missing */
    bool
        is_refusal_asked; /* by the owner of the domain in From; each recipient's domain has its own answer */
    bool is_from_inside;  /* outbound mail has no tag */
    bool is_marked;       /* as from outside */
    struct rate_demand rate;
    const struct sender_demand *sender; /* by what is known of him */
};

/* What the spam check would have one recipient get. */
struct spam_demand {
    struct spam_lines lines;
    enum action action;
    bool is_by_class;    /* since it is a newsletter, whatever its points */
    bool is_by_list;     /* since a list has it, whatever its points */
    bool is_by_opinion;  /* since a second opinion is missing */
    bool is_allowed;     /* by an entry */
    bool is_approved;    /* a newsletter that is never tagged */
    double required;     /* points from which it is tagged; INFINITY: never */
    enum action blocked; /* by an entry, whatever the mode; ACTION_ACCEPT: none */
    enum action rate;    /* by how much came within an hour */
};

static enum action finding_demand(const struct config *config, const struct virus_finding *finding,
                                  enum direction direction)
{
    return finding->class == VIRUS_CLASS_NOT_OPENED
               ? closed_kinds_action(config, closed_kinds_number(finding->name), direction)
               : config_virus_action(config, finding->class, direction);
}

/* Kinds for whose findings there was no room beside others. */
static void kinds_demand(struct arena *arena, const struct config *config, const struct facts *facts,
                         enum direction direction, enum action *most, const struct virus_finding **why)
{
    for (unsigned kind = 0; kind < CLOSED_KINDS_MOST; kind++) {
        if (!(facts->not_opened >> kind & 1)) continue;
        enum action action = closed_kinds_action(config, kind, direction);
        if (!action_is_stronger(action, *most)) continue;
        struct virus_finding *finding = arena_alloc(arena, sizeof *finding);
        *finding = (struct virus_finding){ .class = VIRUS_CLASS_NOT_OPENED,
                                           .name = text_of(closed_kinds_name(kind)) };
        *most = action;
        *why = finding;
    }
}

/* `outside`: what engines outside that could not answer ask for. *out_why: the finding that asks for it;
 * NULL: none does. Of equals it is the first, the worst class. */
static enum action virus_demand(struct arena *arena, const struct config *config, const struct facts *facts,
                                enum direction direction, enum action outside,
                                const struct virus_finding **out_why)
{
    enum action most = ACTION_ACCEPT;
    *out_why = NULL;
    for (uint32_t i = 0; i < facts->virus_finding_count; i++) {
        enum action action = finding_demand(config, &facts->virus_findings[i], direction);
        if (!action_is_stronger(action, most)) continue;
        most = action;
        *out_why = &facts->virus_findings[i];
    }
    kinds_demand(arena, config, facts, direction, &most, out_why);
    enum action doubt = facts->virus == SCAN_UNSCANNED ? config->virus.unavailable : ACTION_ACCEPT;
    if (facts->ambiguous && facts->virus != SCAN_NOT_ASKED)
        doubt = action_stronger(doubt, config->virus.ambiguous);
    doubt = action_stronger(doubt, outside);
    if (action_is_stronger(doubt, most)) *out_why = NULL;
    return action_stronger(most, doubt);
}

/* By somebody who may approve it for all, or by him. */
static bool is_approved(struct arena *arena, const struct fingerprint_page *approved,
                        const struct verdict *verdict, struct text address)
{
    struct text name = verdict->newsletter, domain = verdict->newsletter_of;
    if (!approved) return false;
    return fingerprint_page_has(approved, fingerprint_of_approval(name, domain, TEXT_NONE)) ||
           fingerprint_page_has(approved,
                                fingerprint_of_approval(name, domain, arena_text_lower(arena, address)));
}

/* `own`: its points without those of its like, which refuse nothing: a person looks at it. */
static enum action points_demand(const struct spam_demand *demand, double score, double own)
{
    if (fmin(score, own) >= demand->lines.reject) return ACTION_REJECT;
    if (score >= fmin(demand->lines.quarantine, demand->lines.reject)) return ACTION_QUARANTINE;
    return score >= demand->required ? ACTION_TAG : ACTION_ACCEPT;
}

static struct spam_demand spam_demand(struct arena *arena, const struct config *config,
                                      const struct fingerprint_page *approved, const struct verdict *verdict,
                                      double own, struct text address)
{
    struct spam_demand out = { .lines = config_spam_lines(config, address) };
    bool is_newsletter = verdict->newsletter.length > 0;
    out.required = is_newsletter ? config_newsletter_line(config, &out.lines) : out.lines.tag;
    out.is_approved = is_newsletter && is_approved(arena, approved, verdict, address);
    if (out.is_approved) {
        out.required = INFINITY;
        return out;
    }
    out.action = points_demand(&out, verdict->score, own);
    out.is_by_class = is_newsletter && action_is_stronger(config->newsletter.action, out.action);
    if (out.is_by_class) out.action = config->newsletter.action;
    if (out.lines.mode == MODE_OFF) out.required = INFINITY;
    return out;
}

static enum action dmarc_demand(const struct config *config, const struct domain *domain,
                                const struct demand *demand)
{
    return demand->is_refusal_asked ? config_dmarc_reject(config, domain) : ACTION_ACCEPT;
}

static void check(enum mode mode, enum action wanted, struct recipient_verdict *out)
{
    if (mode == MODE_ON) out->action = action_stronger(out->action, wanted);
    if (mode == MODE_OBSERVE) out->observed = action_stronger(out->observed, wanted);
}

/* Nobody knows who sent it. What is a virus is one now, too, and is not asked to come again; nor is what is
   refused. The cause is that of what is done, of what is only observed where nothing is. */
static void greylist_check(const struct config *config, struct text address, uint32_t place,
                           const struct demand *demand, struct recipient_verdict *out)
{
    enum mode mode;
    enum action wanted = sender_greylist_action(config, demand->sender, address, place, &mode);
    if (action_is_stronger(demand->virus, ACTION_TAG) || action_is_stronger(out->action, ACTION_DEFER))
        return;
    enum action done = mode == MODE_ON ? out->action : action_stronger(out->action, out->observed);
    bool is_cause = action_is_stronger(wanted, done) && (mode == MODE_ON || out->action == ACTION_ACCEPT);
    check(mode, wanted, out);
    if (is_cause) out->cause = RECIPIENT_BY_GREYLIST;
}

static enum edit_kind tag_kind(const struct spam_demand *spam, bool is_warned)
{
    if (spam->is_by_class) return is_warned ? EDIT_NEWSLETTER_WARNING : EDIT_NEWSLETTER;
    return is_warned ? EDIT_TAG_WARNING : EDIT_TAG;
}

/* What is held as spam and released by somebody is none, and has no tag. */
static struct edit_set edits_of(enum mode virus, const struct spam_demand *spam, const struct demand *demand)
{
    struct edit_set set = edit_set_with((struct edit_set){ 0 }, EDIT_FORGED);
    bool is_by_points = spam->lines.mode == MODE_ON && spam->action == ACTION_TAG;
    bool is_tagged = (is_by_points || spam->blocked == ACTION_TAG) && !demand->is_from_inside;
    bool is_warned = virus == MODE_ON && demand->virus == ACTION_TAG;
    bool is_flagged = is_tagged && !spam->is_by_class && spam->lines.place == TAG_IN_HEADER;
    if (is_flagged) set = edit_set_with(set, EDIT_FLAG);
    if (is_tagged && !is_flagged)
        set = edit_set_with(set, tag_kind(spam, is_warned));
    else if (is_warned)
        set = edit_set_with(set, EDIT_WARNING);
    else if (demand->is_marked)
        set = edit_set_with(set, EDIT_OUTSIDE);
    return edit_set_with(set, EDIT_STATUS);
}

/* As cause_of has it for all: of what asks for the same, virus, then DMARC, then an entry, then how much came
   (`rate`). */
static enum recipient_cause recipient_cause(enum action most, enum action virus, enum action dmarc,
                                            enum action rate, const struct spam_demand *spam)
{
    if (most != ACTION_ACCEPT && most == virus) return RECIPIENT_BY_VIRUS;
    if (most != ACTION_ACCEPT && most == dmarc) return RECIPIENT_BY_DMARC;
    if (most != ACTION_ACCEPT && most == spam->blocked) return RECIPIENT_BY_BLOCK;
    if (most != ACTION_ACCEPT && most == rate) return RECIPIENT_BY_RATE;
    if (spam->is_allowed) return RECIPIENT_BY_ALLOW;
    if (spam->is_by_list) return RECIPIENT_BY_LIST;
    if (spam->is_by_opinion) return RECIPIENT_BY_OPINION;
    if (spam->is_by_class) return RECIPIENT_BY_CLASS;
    if (spam->lines.mode == MODE_OFF) return RECIPIENT_BY_OFF;
    return spam->is_approved ? RECIPIENT_BY_APPROVAL : RECIPIENT_BY_POINTS;
}

static enum action in_force(enum mode mode, enum action wanted)
{
    return mode != MODE_OFF ? wanted : ACTION_ACCEPT;
}

static void recipient_decide(const struct config *config, struct text address, const struct demand *demand,
                             const struct spam_demand *spam, struct recipient_verdict *out,
                             struct recipe_order *out_order)
{
    const struct domain *domain = config_find_domain(config, envelope_domain_of(address));
    enum mode virus = config_virus_mode(config, domain);
    *out = (struct recipient_verdict){ .action = ACTION_ACCEPT, .observed = ACTION_ACCEPT };
    check(virus, demand->virus, out);
    check(spam->lines.mode, spam->action, out);
    check(MODE_ON, spam->blocked, out);
    check(demand->rate.mode, spam->rate, out);
    check(config_auth_mode(config, domain), dmarc_demand(config, domain, demand), out);
    out->cause =
        recipient_cause(action_stronger(out->action, out->observed), in_force(virus, demand->virus),
                        in_force(config_auth_mode(config, domain), dmarc_demand(config, domain, demand)),
                        in_force(demand->rate.mode, spam->rate), spam);
    *out_order = (struct recipe_order){ edits_of(virus, spam, demand), spam->required };
}

static uint32_t count_action(const struct verdict *verdict, enum action action)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].action == action) count++;
    return count;
}

/* Another recipient asks for it. */
static void replace_action(struct recipient_verdict *recipient, enum action to)
{
    if (recipient->action == to) return;
    recipient->action = to;
    recipient->cause = RECIPIENT_BY_OTHERS;
}

static void reply_decide(struct verdict *verdict)
{
    verdict->code = 250;
    verdict->enhanced = TEXT("2.0.0");
    if (count_action(verdict, ACTION_REJECT) == verdict->recipient_count) {
        verdict->code = 550;
        verdict->enhanced = TEXT("5.7.1");
        return;
    }
    if (count_action(verdict, ACTION_DEFER) > 0) {
        verdict->code = 451;
        verdict->enhanced = TEXT("4.7.1");
        for (uint32_t i = 0; i < verdict->recipient_count; i++)
            replace_action(&verdict->recipients[i], ACTION_DEFER);
        return;
    }
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].action == ACTION_REJECT)
            replace_action(&verdict->recipients[i], ACTION_QUARANTINE);
}

/* Somebody's mail is authenticated in earnest: what that finds has weight. */
static bool does_authenticate(const struct config *config, const struct occasion *occasion)
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++) {
        const struct domain *domain = config_find_domain(config, envelope_domain_of(occasion->recipients[i]));
        if (config_auth_mode(config, domain) == MODE_ON) return true;
    }
    return false;
}

/* Of a verdict whose direction is known. */
static void signals_gather(struct arena *arena, const struct config *config, const struct facts *facts,
                           const struct score *proven, const struct question *answers, uint32_t answer_count,
                           const struct ruleset *rules, struct verdict *out)
{
    /* A rule each, and what takes back. */
    const uint32_t rules_most = rules ? rules->count + 1 : 0;
    struct rule_signals by_rules;
    struct score answered = *proven;
    score_answers(&answered, answers, answer_count);
    opinions_score(config, out->direction, answers, answer_count, &answered);
    out->signal_count = facts->signal_count + answered.count;
    out->signals = arena_alloc_array(arena, out->signal_count + rules_most, sizeof *out->signals);
    for (uint32_t i = 0; i < facts->signal_count; i++) out->signals[i] = facts->signals[i];
    for (uint32_t i = 0; i < answered.count; i++) out->signals[facts->signal_count + i] = answered.signals[i];
    rule_signals_late(arena, rules, facts->rule_marks, out->signals, out->signal_count, &by_rules);
    for (uint32_t i = 0; i < by_rules.count; i++) out->signals[out->signal_count++] = by_rules.items[i];
    out->score = score_sum(out->signals, out->signal_count);
}

/* The reply names one reason: of the checks in force that which asks for most, and of equals virus, then
   DMARC, then a block entry, then how much came. */
static enum verdict_cause cause_of(const struct config *config, const struct occasion *occasion,
                                   const struct demand *demand, const struct spam_demand *spams)
{
    enum action virus = ACTION_ACCEPT, dmarc = ACTION_ACCEPT, spam = ACTION_ACCEPT, blocked = ACTION_ACCEPT,
                rate = ACTION_ACCEPT;
    for (uint32_t i = 0; i < occasion->recipient_count; i++) {
        const struct domain *domain = config_find_domain(config, envelope_domain_of(occasion->recipients[i]));
        if (config_virus_mode(config, domain) == MODE_ON) virus = demand->virus;
        blocked = action_stronger(blocked, spams[i].blocked);
        if (demand->rate.mode == MODE_ON) rate = action_stronger(rate, spams[i].rate);
        if (spams[i].lines.mode == MODE_ON) spam = action_stronger(spam, spams[i].action);
        if (config_auth_mode(config, domain) == MODE_ON)
            dmarc = action_stronger(dmarc, dmarc_demand(config, domain, demand));
    }
    enum action most = action_stronger(action_stronger(virus, blocked), action_stronger(dmarc, spam));
    most = action_stronger(most, rate);
    if (most == ACTION_ACCEPT) return CAUSE_SPAM;
    if (most == virus) return CAUSE_VIRUS;
    if (most == dmarc) return CAUSE_DMARC;
    if (most == blocked) return CAUSE_BLOCKED;
    return most == rate ? CAUSE_RATE : CAUSE_SPAM;
}

/* Greylisting alone defers it: no check has another reason to. */
static void greylisted_say(struct arena *arena, const struct sender_demand *sender,
                           const struct demand *demand, struct verdict *out)
{
    bool is_other = demand->virus == ACTION_DEFER || demand->opinions == ACTION_DEFER;
    if (out->code != 451 || !sender->is_unknown || is_other) return;
    out->is_greylisted = true;
    out->reason = arena_printf(arena, GREYLIST_SAYS, sender->wait_s);
    out->kind = REFUSAL_POLICY;
}

/* As spam_demand finds it, without what the sender's past weighs: else his reputation would feed on itself.
 */
static bool is_spam_alone(const struct spam_demand *spam, double score)
{
    return spam->lines.mode != MODE_OFF && (spam->is_by_list || score >= spam->lines.tag);
}

/* The list is the reason, and not the points of all signals. */
static void listed_say(const struct list_demand *listed, struct verdict *out)
{
    if (out->reason.length == 0) return;
    out->reason = listed->says;
    out->kind = REFUSAL_POLICY;
    if (out->code == 550) out->code = 554;
}

/* What was found of the sender is for mail from outside whose recipients want to know; else it has served
   when it is known from where the message comes. */
static void direction_decide(const struct config *config, const struct occasion *occasion,
                             const struct facts *facts, struct auth_judgement *authentication,
                             struct score *score, struct verdict *out)
{
    static const char *const names[TENANCY_COUNT] = { [TENANCY_UNPROVEN] = "HOSTED_UNPROVEN",
                                                      [TENANCY_UNREACHABLE] = "HOSTED_UNREACHABLE",
                                                      [TENANCY_CERTIFICATE] = "HOSTED_BY_CERTIFICATE",
                                                      [TENANCY_SIGNATURE] = "HOSTED_BY_SIGNATURE" };
    out->tenancy = tenancy_decide(config, occasion, facts, authentication);
    out->direction = tenancy_direction(occasion, out->tenancy);
    if (out->tenancy == TENANCY_NOT_ASKED) return;
    if (out->direction == DIRECTION_OUT || !authenticate_is_wanted(config, occasion))
        authentication->is_made = false;
    const struct hosted *hosted = config_hosted(config, &occasion->client);
    score_add(score, names[out->tenancy], 0, hosted ? hosted->name : TEXT_NONE);
}

/* A signal that the mark is for. Hints that honest mail has too are none. */
static bool is_mark_signal(const struct signal *signal, enum outside_when when)
{
    if (text_starts(signal->name, TEXT("IMPOSTOR_"))) return signal->points >= 1;
    return when == OUTSIDE_FIRST_CONTACT && text_starts(signal->name, TEXT("SENDER_NEW"));
}

/* What is proven to come from a domain of ours is none of strangers. */
static bool is_marked(const struct config *config, const struct verdict *verdict,
                      const struct auth_judgement *authentication)
{
    bool is_due = config->outside.when == OUTSIDE_ALWAYS;
    if (config->outside.mark.length == 0 || verdict->direction != DIRECTION_IN ||
        impostor_is_proven_ours(config, authentication))
        return false;
    for (uint32_t i = 0; !is_due && i < verdict->signal_count; i++)
        is_due = is_mark_signal(&verdict->signals[i], config->outside.when);
    return is_due;
}

static void newsletter_tell(const struct auth_judgement *authentication, struct score *score,
                            struct verdict *out)
{
    const struct newsletter *newsletter = &authentication->newsletter;
    if (!authentication->is_made || newsletter->name.length == 0) return;
    out->newsletter = newsletter->name;
    out->newsletter_of = newsletter->domain;
    score_add(
        score, "NEWSLETTER", 0,
        arena_printf(score->arena, "%.*s of %.*s", TEXT_ARG(newsletter->name), TEXT_ARG(newsletter->domain)));
}

/* None decides mail from inside: who may send there is the listener's. */
static struct entry_ruling *entries_rule(const struct entry_request *request, enum direction direction,
                                         struct score *score, bool *out_are_all_allowed)
{
    const uint32_t count = request->occasion->recipient_count;
    struct entry_ruling *rulings = arena_alloc_array(score->arena, count, sizeof *rulings);
    *out_are_all_allowed = false;
    for (uint32_t i = 0; i < count; i++) rulings[i] = (struct entry_ruling){ .blocked = ACTION_ACCEPT };
    if (direction == DIRECTION_OUT)
        entry_match_outbound(request, score);
    else
        *out_are_all_allowed = entry_match(request, score, rulings);
    return rulings;
}

static void ruling_apply(const struct entry_ruling *ruling, struct spam_demand *spam)
{
    spam->blocked = ruling->blocked;
    if (ruling->blocked == ACTION_TAG) spam->is_by_class = false;
    spam->is_allowed = ruling->is_allowed;
    if (!ruling->is_allowed) return;
    spam->action = ACTION_ACCEPT;
    spam->required = INFINITY;
    spam->is_by_class = false;
}

/* Of who is blocked and gets the reply's reason: the first. NULL: nobody is. */
static const struct sender_entry *blocking_entry(const struct entry_ruling *rulings, uint32_t count)
{
    const struct entry_ruling *most = NULL;
    for (uint32_t i = 0; i < count; i++)
        if (action_is_stronger(rulings[i].blocked, most ? most->blocked : ACTION_ACCEPT)) most = &rulings[i];
    return most ? &most->entry : NULL;
}

static bool is_spam_for(const struct spam_demand *spam)
{
    return spam->lines.mode != MODE_OFF && spam->action != ACTION_ACCEPT && !spam->is_by_class;
}

static void opinions_add(const struct demand *demand, struct spam_demand *spam)
{
    if (!action_is_stronger(demand->opinions, spam->action)) return;
    spam->action = demand->opinions;
    spam->is_by_class = spam->is_by_list = false;
    spam->is_by_opinion = true;
}

static void listed_add(const struct list_demand *listed, struct spam_demand *spam)
{
    if (!action_is_stronger(listed->action, spam->action)) return;
    if (spam->is_approved && listed->action == ACTION_TAG) return;
    spam->action = listed->action;
    spam->is_by_class = false;
    spam->is_by_list = true;
}

/* Of the recipients who have spam in force: some list asks for more than points do of any. */
static bool is_list_the_reason(const struct spam_demand *spams, uint32_t count)
{
    enum action listed = ACTION_ACCEPT, other = ACTION_ACCEPT;
    for (uint32_t i = 0; i < count; i++) {
        enum action *most = spams[i].is_by_list ? &listed : &other;
        if (spams[i].lines.mode == MODE_ON) *most = action_stronger(*most, spams[i].action);
    }
    return action_is_stronger(listed, other);
}

/* --- a decision --- */

/* One, while it is made. */
struct decision {
    struct arena *arena;
    const struct config *config;
    const struct decide_basis *basis;
    const struct decide_case *about;
    struct facts *facts; /* with what engines outside said, once they were asked */
    struct auth_judgement *authentication;
    struct verdict *out;
    struct score proven; /* signals that the answers brought */
    struct list_demand listed;
    struct sender_demand sender;
    struct rate_demand rate;
    const struct virus_finding *infection; /* the worst; NULL: none */
    struct demand demand;
    /* Of each recipient. */
    struct entry_ruling *rulings;
    struct spam_demand *spams;
    struct recipe_order *orders;
};

/* Who sent it, and which way it goes. */
static void sender_judge(struct decision *decision)
{
    const struct decide_case *about = decision->about;
    struct auth_judgement *authentication = decision->authentication;
    struct score *proven = &decision->proven;
    authenticate_judge(decision->arena, decision->config, about->occasion, about->facts, about->answers,
                       about->answer_count, decision->basis->lists, authentication);
    direction_decide(decision->config, about->occasion, about->facts, authentication, proven, decision->out);
    authenticate_score(authentication, decision->config, does_authenticate(decision->config, about->occasion),
                       proven);
    impostor_score(about->facts, authentication, decision->out->direction, proven);
    newsletter_tell(authentication, proven, decision->out);
}

/* Entries go before what its near-duplicates did. */
static void entries_and_campaign_weigh(struct decision *decision)
{
    const struct occasion *occasion = decision->about->occasion;
    const struct facts *facts = decision->about->facts;
    uint64_t now_ms = message_id_time_ms(occasion->id);
    bool are_all_allowed;
    const struct entry_request asked = { decision->config,
                                         occasion,
                                         facts,
                                         decision->authentication,
                                         entry_page_read(decision->basis->entries),
                                         now_ms };
    decision->rulings = entries_rule(&asked, decision->out->direction, &decision->proven, &are_all_allowed);
    enum campaign_standing standing =
        are_all_allowed
            ? CAMPAIGN_PROTECTED
            : campaign_standing(decision->config, decision->out->direction, decision->authentication);
    campaign_score(facts, standing, now_ms, &decision->proven);
    decision->out->is_counted = standing == CAMPAIGN_COUNTS;
}

/* How often, who else has it, what is remembered. */
static void behaviour_weigh(struct decision *decision)
{
    const struct decide_case *about = decision->about;
    rate_weigh(decision->config, about->occasion, decision->out->direction, about->answers,
               about->answer_count, &decision->proven, &decision->rate);
    decision->listed = (struct list_demand){ ACTION_ACCEPT, TEXT_NONE };
    if (decision->out->direction != DIRECTION_IN) return;
    list_answers_weigh(decision->config, about->answers, about->answer_count, &decision->proven,
                       &decision->listed);
    sender_history_weigh(decision->config, about->occasion, decision->authentication, about->answers,
                         about->answer_count, &decision->proven, &decision->sender);
}

/* What is asked for whoever gets it. */
static void demands_gather(struct decision *decision)
{
    const struct decide_case *about = decision->about;
    struct verdict *out = decision->out;
    signals_gather(decision->arena, decision->config, about->facts, &decision->proven, about->answers,
                   about->answer_count, decision->basis->rules, out);
    enum action outside = outside_merge(decision->arena, decision->config, out->direction, about->answers,
                                        about->answer_count, about->facts, decision->facts);
    enum action infected = virus_demand(decision->arena, decision->config, decision->facts, out->direction,
                                        outside, &decision->infection);
    decision->demand = (struct demand){ infected,
                                        opinions_demand(decision->config, out->direction, about->answers,
                                                        about->answer_count),
                                        authenticate_demand(decision->authentication) == DMARC_POLICY_REJECT,
                                        out->direction == DIRECTION_OUT,
                                        is_marked(decision->config, out, decision->authentication),
                                        decision->rate,
                                        &decision->sender };
}

static void recipient_take(struct decision *decision, uint32_t i, double own_points)
{
    const struct config *config = decision->config;
    struct text recipient = decision->about->occasion->recipients[i];
    struct verdict *out = decision->out;
    struct spam_demand *spam = &decision->spams[i];
    bool is_allowed = decision->rulings[i].is_allowed;
    *spam = spam_demand(decision->arena, config, decision->basis->approved, out, own_points, recipient);
    if (!is_allowed) listed_add(&decision->listed, spam);
    ruling_apply(&decision->rulings[i], spam);
    out->is_spam = out->is_spam || is_spam_for(spam);
    out->is_spam_alone = out->is_spam_alone || is_spam_alone(spam, out->score - decision->sender.points);
    if (!is_allowed) opinions_add(&decision->demand, spam);
    if (!is_allowed) spam->rate = rate_action(&decision->rate, i);
    recipient_decide(config, recipient, &decision->demand, spam, &out->recipients[i], &decision->orders[i]);
    if (!is_allowed) greylist_check(config, recipient, i, &decision->demand, &out->recipients[i]);
}

static void recipients_take(struct decision *decision)
{
    struct verdict *out = decision->out;
    double own_points = campaign_without(out->signals, out->signal_count);
    out->recipients = arena_alloc_array(decision->arena, out->recipient_count, sizeof *out->recipients);
    decision->orders = arena_alloc_array(decision->arena, out->recipient_count, sizeof *decision->orders);
    decision->spams = arena_alloc_array(decision->arena, out->recipient_count, sizeof *decision->spams);
    for (uint32_t i = 0; i < out->recipient_count; i++) recipient_take(decision, i, own_points);
}

/* The one reply to DATA, and its words. */
static void reply_write(struct decision *decision)
{
    const struct occasion *occasion = decision->about->occasion;
    struct verdict *out = decision->out;
    reply_decide(out);
    enum verdict_cause cause = cause_of(decision->config, occasion, &decision->demand, decision->spams);
    authenticate_prove(decision->authentication, &out->proof);
    const struct reason_basis reasons = { decision->infection, decision->authentication,
                                          blocking_entry(decision->rulings, out->recipient_count),
                                          &decision->rate, cause };
    wording_write(decision->arena, decision->facts, &reasons, decision->orders, out);
    if (cause == CAUSE_SPAM && is_list_the_reason(decision->spams, out->recipient_count))
        listed_say(&decision->listed, out);
    greylisted_say(decision->arena, &decision->sender, &decision->demand, out);
    if (cause == CAUSE_DMARC && out->code == 550) out->enhanced = TEXT("5.7.26"); /* RFC 7372 section 3.3 */
    if (tenancy_forbids(decision->config, occasion, out)) tenancy_refuse(out);
}

void decide_and_tell(struct arena *arena, const struct decide_basis *basis, const struct decide_case *about,
                     struct facts *out_facts, struct auth_judgement *out_authentication, struct verdict *out)
{
    const struct config *config = basis->config;
    struct decision decision = { arena, config, basis, about, out_facts, out_authentication, out };
    decision.proven.arena = arena;
    *out = (struct verdict){ .recipient_count = about->occasion->recipient_count };
    sender_judge(&decision);
    entries_and_campaign_weigh(&decision);
    behaviour_weigh(&decision);
    demands_gather(&decision);
    recipients_take(&decision);
    reply_write(&decision);
    lesson_choice_make(config, about->occasion, out_facts, out);
    if (out->teaches == TEACHES_NOTHING) out_facts->lesson = TEXT_NONE; /* nobody reads it any more */
    struct text results = authenticate_fields(arena, config, about->occasion, out_authentication);
    const struct recipe_basis recipe = { arena, config, about->occasion, out_facts, results, out };
    recipe_write(&recipe, decision.orders, out);
}

void decide_verdict(struct arena *arena, const struct config *config, const struct occasion *occasion,
                    const struct facts *facts, const struct question *answers, uint32_t answer_count,
                    struct verdict *out)
{
    struct facts merged;
    struct auth_judgement authentication;
    const struct decide_basis basis = { .config = config };
    const struct decide_case about = { occasion, facts, answers, answer_count };
    decide_and_tell(arena, &basis, &about, &merged, &authentication, out);
}
