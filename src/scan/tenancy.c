/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by read.c, authenticate.c and decide.c. */
#include "scan/tenancy.h"

#include "config/domains.h"
#include "config/hosted.h"
#include "dns/dns_name.h"
#include "mail/envelope.h"

static bool list_has(const struct text_list *list, struct text wanted)
{
    for (size_t i = 0; wanted.length > 0 && i < list->count; i++)
        if (text_equal_nocase(list->items[i], wanted)) return true;
    return false;
}

/* --- the certificate and the tenant --- */

/* Others may see such a header begin, end or go on elsewhere: what the cloud wrote, and what it was given,
   cannot be told apart; and what a signature covers is not what they show. */
static bool is_doubtful(const struct header *header)
{
    static const enum finding doubts[] = { FINDING_HEADER_NO_COLON,      FINDING_HEADER_MBOX_LINE,
                                           FINDING_HEADER_NUL,           FINDING_HEADER_EMPTY_NAME,
                                           FINDING_HEADER_STARTS_FOLDED, FINDING_HEADER_BLANK_FOLD,
                                           FINDING_HEADER_NO_SEPARATOR,  FINDING_HEADER_BARE_CR,
                                           FINDING_MIXED_LINE_ENDS,      FINDING_HEADER_TOO_LONG,
                                           FINDING_TOO_MANY_FIELDS };
    for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++)
        if (finding_has(&header->findings, doubts[i])) return true;
    return false;
}

/* A field that is there twice was written by two: the cloud is one of them. */
static bool has_tenant(const struct hosted *hosted, const struct header *header)
{
    const struct header_field *found = NULL;
    for (size_t i = 0; i < header->count; i++) {
        if (!text_equal_nocase(header->fields[i].name, hosted->field)) continue;
        if (found) return false;
        found = &header->fields[i];
    }
    return found && list_has(&hosted->tenants, text_trim(found->value));
}

enum tenancy tenancy_read(const struct config *config, const struct occasion *occasion,
                          const struct header *header)
{
    if (!occasion->is_undecided) return TENANCY_NOT_ASKED;
    const struct hosted *hosted = config_hosted(config, &occasion->client);
    if (!hosted || is_doubtful(header)) return TENANCY_UNPROVEN;
    if (list_has(&hosted->certificates, occasion->certificate) && has_tenant(hosted, header))
        return TENANCY_CERTIFICATE;
    return hosted->signatures ? TENANCY_OPEN : TENANCY_UNPROVEN;
}

/* --- the signature --- */

/* A display name that shows an address is common, and misleads nobody about who signed. */
static bool is_one_author(const struct from_domains *from)
{
    return from->count == 1 && from->addresses == 1 && (from->oddities & ~(1U << FROM_ADDRESS_IN_NAME)) == 0;
}

static bool has_selector(const struct signing_key_list *keys, struct text selector)
{
    for (size_t i = 0; i < keys->count; i++)
        if (text_equal_nocase(keys->items[i].selector, selector)) return true;
    return false;
}

/* example.jp and .example.jp sign with the same name. */
static bool is_by_this_node(const struct config *config, const struct dkim_signature *signature)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct domain *domain = &config->domains[i];
        if (text_equal_nocase(config_signing_name(domain), signature->domain) &&
            (has_selector(&domain->dkim_rsa, signature->selector) ||
             has_selector(&domain->dkim_ed25519, signature->selector)))
            return true;
    }
    return false;
}

static bool is_promising(const struct config *config, const struct auth_facts *facts,
                         const struct dkim_signature *signature)
{
    return signature->reason == DKIM_GOOD && !signature->is_partial && !signature->body_differs &&
           config_is_ours(config, signature->domain) &&
           dns_name_is_within(facts->from.domains[0], signature->domain) &&
           !is_by_this_node(config, signature);
}

static bool may_speak(const struct config *config, const struct occasion *occasion,
                      const struct auth_facts *facts)
{
    bool is_ours =
        occasion->sender.length == 0 || config_is_ours(config, envelope_domain_of(occasion->sender));
    return is_ours && is_one_author(&facts->from) && config_is_ours(config, facts->from.domains[0]);
}

bool tenancy_may_be_proven(const struct config *config, const struct occasion *occasion,
                           const struct auth_facts *facts)
{
    const struct dkim_facts *dkim = &facts->signatures.dkim;
    if (!may_speak(config, occasion, facts)) return false;
    for (uint32_t i = 0; i < dkim->count; i++)
        if (is_promising(config, facts, &dkim->signatures[i])) return true;
    return false;
}

static enum tenancy by_signatures(const struct config *config, const struct occasion *occasion,
                                  const struct auth_judgement *judgement)
{
    const struct dkim_facts *dkim = &judgement->facts.signatures.dkim;
    enum tenancy best = TENANCY_UNPROVEN;
    if (!judgement->is_made || !may_speak(config, occasion, &judgement->facts)) return TENANCY_UNPROVEN;
    for (uint32_t i = 0; i < dkim->count; i++) {
        const struct dkim_verdict *verdict = &judgement->result.dkim[i];
        if (!is_promising(config, &judgement->facts, &dkim->signatures[i])) continue;
        if (verdict->result == AUTH_PASS && !verdict->is_testing) return TENANCY_SIGNATURE;
        if (verdict->result == AUTH_TEMPERROR) best = TENANCY_UNREACHABLE;
    }
    return best;
}

enum tenancy tenancy_decide(const struct config *config, const struct occasion *occasion,
                            const struct facts *facts, const struct auth_judgement *judgement)
{
    if (!occasion->is_undecided) return TENANCY_NOT_ASKED;
    const struct hosted *hosted = config_hosted(config, &occasion->client);
    if (!hosted) return TENANCY_UNREACHABLE;
    if (facts->tenancy != TENANCY_OPEN) return facts->tenancy;
    return hosted->signatures ? by_signatures(config, occasion, judgement) : TENANCY_UNPROVEN;
}

/* --- what follows --- */

enum direction tenancy_direction(const struct occasion *occasion, enum tenancy tenancy)
{
    bool is_proven = tenancy == TENANCY_CERTIFICATE || tenancy == TENANCY_SIGNATURE;
    return occasion->is_undecided && is_proven ? DIRECTION_OUT : occasion->direction;
}

bool tenancy_forbids(const struct config *config, const struct occasion *occasion,
                     const struct verdict *verdict)
{
    if (!occasion->is_undecided || verdict->direction == DIRECTION_OUT) return false;
    for (uint32_t i = 0; i < occasion->recipient_count; i++)
        if (config_is_foreign(config, occasion->recipients[i], envelope_domain_of(occasion->recipients[i])))
            return true;
    return false;
}

bool tenancy_refuse(struct verdict *verdict)
{
    bool may_come_again = verdict->tenancy == TENANCY_UNREACHABLE;
    if (verdict->code == 550 && (!may_come_again || verdict->kind != REFUSAL_SPAM)) return false;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        verdict->recipients[i].action = may_come_again ? ACTION_DEFER : ACTION_REJECT;
    verdict->code = may_come_again ? 451 : 550;
    verdict->enhanced = may_come_again ? TEXT("4.7.1") : TEXT("5.7.1");
    verdict->kind = may_come_again ? REFUSAL_NONE : REFUSAL_POLICY;
    verdict->reason = may_come_again
                          ? TEXT("relaying denied for now: whether our users sent this cannot be found out, "
                                 "try again later")
                          : TEXT("relaying denied: neither a certificate with our tenant's id nor a DKIM "
                                 "signature of our domain proves that our users sent this");
    return true;
}
