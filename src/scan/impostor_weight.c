/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One row for each kind of finding. A domain of ours weighs by what DMARC found of it, which has its own
 * points. */
#include "scan/impostor_weight.h"

#include "config/hosted.h"
#include "scan/tenancy.h"
#include "spam/free_mail.h"

void impostor_read(struct arena *arena, const struct config *config, const struct impostor_set *set,
                   const struct fingerprint_page *learned, const struct occasion *occasion,
                   const struct mime *mime, const struct score *score, struct facts *out)
{
    struct impostor_findings findings;
    struct buffer bytes = { 0 };
    if (!set || tenancy_direction(occasion, out->tenancy) != DIRECTION_IN) return;
    const struct impostor_source source = {
        config, set, mime, occasion->sender, score->link_hosts, score->link_texts, learned
    };
    impostor_look(arena, &source, &findings);
    impostor_findings_put(&findings, &bytes);
    out->impostors = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
}

static const struct {
    const char *name;
    double points; /* of those that are alike: by likeness */
} weights[IMPOSTOR_KINDS] = {
    [IMPOSTOR_PERSON] = { "IMPOSTOR_PERSON", 3.5 },
    [IMPOSTOR_OWN_DOMAIN] = { "IMPOSTOR_OWN_DOMAIN", 2.5 },
    [IMPOSTOR_SHOWN_ADDRESS] = { "IMPOSTOR_SHOWN_ADDRESS", 3.0 },
    [IMPOSTOR_FROM_ALIKE] = { "IMPOSTOR_FROM_ALIKE", 1.0 },
    [IMPOSTOR_REPLY_ALIKE] = { "IMPOSTOR_REPLY_ALIKE", 0.8 },
    [IMPOSTOR_SENDER_ALIKE] = { "IMPOSTOR_SENDER_ALIKE", 0.5 },
    [IMPOSTOR_LINK_ALIKE] = { "IMPOSTOR_LINK_ALIKE", 0.5 },
    [IMPOSTOR_REPLY_OF_OURS] = { "IMPOSTOR_REPLY_OF_OURS", 2.5 },
    [IMPOSTOR_REPLY_ELSEWHERE] = { "IMPOSTOR_REPLY_ELSEWHERE", 0.3 },
    [IMPOSTOR_NOTICE] = { "IMPOSTOR_NOTICE", 3.0 },
    [IMPOSTOR_BOUNCE] = { "IMPOSTOR_BOUNCE", 1.5 },
    [IMPOSTOR_COLLEAGUE] = { "IMPOSTOR_COLLEAGUE", 2.0 },
};

/* Another public suffix is often the same owner's; characters that look alike never are. */
static const double likeness_points[DOMAIN_LIKENESSES] = {
    [DOMAIN_OTHER_TOP] = 1.0, [DOMAIN_ONE_EDIT] = 2.5, [DOMAIN_BELOW] = 3.0, [DOMAIN_LOOKS_ALIKE] = 3.5
};

static bool is_proven(const struct auth_judgement *authentication)
{
    const struct authentication *result = &authentication->result;
    return authentication->is_made &&
           (result->dmarc.outcome == DMARC_PASS || authentication->excuse != PROOF_NO_EXCUSE);
}

bool impostor_is_proven_ours(const struct config *config, const struct auth_judgement *authentication)
{
    return is_proven(authentication) && config_is_ours(config, authentication->result.dmarc.author);
}

/* Of a domain of ours in From: where nobody looked for proof, or could not, nothing is said; where DMARC has
   its points for it, only that it is ours. Without a record nothing can be proven, and mail of our own that
   others send for us looks the same. */
static double own_points(const struct auth_judgement *authentication)
{
    const struct dmarc_result *dmarc = &authentication->result.dmarc;
    if (!authentication->is_made || dmarc->outcome == DMARC_TEMPERROR) return 0;
    if (dmarc->outcome == DMARC_FAIL && dmarc->disposition != DMARC_POLICY_NONE) return 0;
    return dmarc->outcome == DMARC_FAIL ? weights[IMPOSTOR_OWN_DOMAIN].points : 1.0;
}

static double points_of(enum impostor_kind kind, const struct impostor_finding *finding,
                        const struct auth_judgement *authentication)
{
    double points = weights[kind].points;
    if (finding->likeness) points *= likeness_points[finding->likeness];
    if (kind == IMPOSTOR_OWN_DOMAIN) points = own_points(authentication);
    /* Two people may have one name: one whose domain is proven, and is no provider of free mail, is another.
     */
    if (kind == IMPOSTOR_COLLEAGUE && is_proven(authentication) &&
        !free_mail_has(authentication->result.dmarc.author))
        points = 0.5;
    /* A list that is proven may write in the name of whoever wrote to it. */
    if (kind == IMPOSTOR_PERSON && authentication->list_domain.length > 0) points = 1.5;
    return points;
}

/* What is proven to come from us may be a notice of ours, and have answers sent anywhere. */
static bool is_excused(enum impostor_kind kind, const struct impostor_findings *findings,
                       bool is_proven_sender)
{
    bool is_of_ours =
        kind == IMPOSTOR_OWN_DOMAIN || kind == IMPOSTOR_NOTICE || kind == IMPOSTOR_REPLY_OF_OURS;
    return is_of_ours && is_proven_sender && findings->of[IMPOSTOR_OWN_DOMAIN].is_found;
}

void impostor_score(const struct facts *facts, const struct auth_judgement *authentication,
                    enum direction direction, struct score *score)
{
    struct impostor_findings findings;
    if (direction != DIRECTION_IN || !impostor_findings_get(facts->impostors, &findings)) return;
    for (enum impostor_kind kind = 0; kind < IMPOSTOR_KINDS; kind++) {
        const struct impostor_finding *finding = &findings.of[kind];
        if (!finding->is_found || is_excused(kind, &findings, is_proven(authentication))) continue;
        score_add(score, weights[kind].name, points_of(kind, finding, authentication), finding->about);
    }
}
