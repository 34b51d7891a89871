/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by scan/authenticate.c and by `sekimori auth`. */
#include "auth/list_excuse.h"

#include "dns/dns_name.h"
#include "mail/envelope.h"

enum { DOMAIN_MOST = 253 };

/* --- who sent it --- */

/* One that leaves a part of the body open, or is made for a test, proves nobody. */
static struct text signer_find(const struct auth_facts *facts, const struct authentication *result,
                               struct text name)
{
    const struct dkim_facts *dkim = &facts->signatures.dkim;
    for (uint32_t i = 0; i < dkim->count; i++)
        if (result->dkim[i].result == AUTH_PASS && !result->dkim[i].is_testing &&
            !dkim->signatures[i].is_partial && dns_name_is_within(name, dkim->signatures[i].domain))
            return dkim->signatures[i].domain;
    return TEXT_NONE;
}

static bool is_authors(const struct auth_facts *facts, const struct authentication *result,
                       struct text domain)
{
    struct text organization = result->dmarc.organization;
    if (organization.length > 0 && dns_name_is_within(domain, organization)) return true;
    for (uint32_t i = 0; i < facts->from.count; i++)
        if (dns_name_is_within(domain, facts->from.domains[i])) return true;
    return false;
}

/* A-labels: it becomes part of a record's key and of a comment in a header field. */
static bool is_plain(struct text domain)
{
    for (size_t i = 0; i < domain.length; i++) {
        char c = domain.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_' && c != '.') return false;
    }
    return domain.length > 0 && domain.length <= DOMAIN_MOST;
}

/* The id stands for an address: "tech.lists.test" for tech@lists.test. */
static bool is_lists(struct text id, struct text domain)
{
    struct text host = text_slice(id, text_find_char(id, '.') + 1, id.length);
    return dns_name_is_within(id, domain) || dns_name_is_within(domain, host);
}

struct text list_excuse_domain(struct arena *arena, const struct auth_facts *facts,
                               const struct authentication *result, struct text sender)
{
    struct text domain = envelope_domain_of(sender);
    if (facts->list.id.length == 0 || domain.length == 0) return TEXT_NONE;
    bool is_proven = result->spf.sender.outcome == SPF_PASS || signer_find(facts, result, domain).length > 0;
    if (!is_proven || !is_lists(facts->list.id, domain)) domain = signer_find(facts, result, facts->list.id);
    if (!is_plain(domain) || is_authors(facts, result, domain)) return TEXT_NONE;
    return arena_text_lower(arena, domain);
}

/* --- did the author write to it --- */

static bool covers_post(const struct mailing_list *list, unsigned covered)
{
    const unsigned always = DKIM_COVERS_FROM | DKIM_COVERS_SUBJECT;
    if ((covered & always) != always) return false;
    return (list->is_in_to && (covered & DKIM_COVERS_TO)) || (list->is_in_cc && (covered & DKIM_COVERS_CC));
}

bool list_excuse_is_altered_post(const struct auth_facts *facts, const struct authentication *result)
{
    const struct dkim_facts *dkim = &facts->signatures.dkim;
    const struct from_domains *from = &facts->from;
    if (facts->list.id.length == 0 || from->count != 1 || from->addresses != 1) return false;
    if (from_has(from, FROM_SEVERAL_FIELDS) || from_has(from, FROM_NUL)) return false;
    for (uint32_t i = 0; i < dkim->count; i++) {
        bool is_of_author = result->dmarc.altered_aligned >> i & 1;
        if (is_of_author && covers_post(&facts->list, dkim->signatures[i].covered)) return true;
    }
    return false;
}
