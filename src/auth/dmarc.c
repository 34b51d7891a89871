/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each author is judged by himself: which record speaks for him, what it asks for, whether a proven domain is
   aligned. An answer that is missing does not stop the rest, so that all that is wanted is noted at once. */
#include "auth/dmarc.h"

#include "auth/organization.h"
#include "mail/idna.h"

struct run {
    struct arena *arena;
    struct dns_answers *answers;
    const struct dmarc_request *request;
    bool is_waiting;
};

/* One author on his way to a result. */
struct author {
    struct text domain;
    struct organization_record own;   /* the record at the domain itself */
    struct organization organization; /* when know_organization says so */
    bool has_walked;
    bool failed; /* the DNS does not answer what decides */
    struct dmarc_result *result;
};

const char *dmarc_outcome_name(enum dmarc_outcome outcome)
{
    static const char *const names[DMARC_OUTCOME_COUNT] = { "none", "pass", "fail", "temperror",
                                                            "permerror" };
    return names[outcome];
}

/* --- Policy: RFC 9989 sections 4.7 and 4.10.1 */

/* The walk is made once. False: not known. */
static bool know_organization(struct run *run, struct author *author)
{
    if (author->has_walked) return author->result->organization.length > 0;
    author->has_walked = true;
    switch (organization_find(run->arena, run->answers, run->request->suffixes, author->domain,
                              &author->organization)) {
    case ORGANIZATION_KNOWN:
        author->result->organization = author->organization.domain;
        return true;
    case ORGANIZATION_WAITS:
        run->is_waiting = true;
        return false;
    default:
        author->failed = true;
        return false;
    }
}

/* False: none, or not known (run.is_waiting, author.failed). */
static bool find_record(struct run *run, struct author *author)
{
    struct dmarc_result *result = author->result;
    switch (organization_own_record(run->arena, run->answers, author->domain, &author->own)) {
    case ORGANIZATION_WAITS:
        run->is_waiting = true;
        know_organization(run, author); /* notes the rest of the walk */
        return false;
    case ORGANIZATION_FAILED:
        author->failed = true;
        return false;
    default:
        break;
    }
    if (author->own.domain.length == 0 && !know_organization(run, author)) return false;
    const struct organization_record *found =
        author->own.domain.length ? &author->own : &author->organization.record;
    result->record_at = found->domain;
    result->record = found->record;
    return found->domain.length > 0;
}

/* Section 3.2: NXDOMAIN says that a domain does not exist. Of an unanswered question nothing follows. */
static bool exists(struct run *run, struct text domain)
{
    const struct dns_answer *answer = dns_answers_find(run->answers, domain, RECORD_A);
    if (!answer) run->is_waiting = true;
    return !answer || answer->status != DNS_NONE || !answer->is_nxdomain;
}

static void choose_policy(struct run *run, struct author *author)
{
    struct dmarc_result *result = author->result;
    const struct dmarc_record *record = &result->record;
    bool is_below = !text_equal(result->record_at, author->domain);
    result->policy = record->p;
    result->policy_tag = "p";
    if (is_below && (record->has & DMARC_SP)) {
        result->policy = record->sp;
        result->policy_tag = "sp";
    }
    if (is_below && (record->has & DMARC_NP) && !exists(run, author->domain)) {
        result->policy = record->np;
        result->policy_tag = "np";
    }
}

/* Section 4.10.1: without a valid policy the record asks for nothing where it wants reports, and else is of
   no use. False: the latter. */
static bool is_usable(struct dmarc_result *result)
{
    struct dmarc_record *record = &result->record;
    if ((record->has & DMARC_P) && !(record->is_bad & (DMARC_SP | DMARC_NP))) return true;
    record->p = DMARC_POLICY_NONE;
    record->has = DMARC_P;
    return dmarc_record_has_uri(record->rua);
}

/* --- Alignment: section 4.10.2 */

enum alignment { APART, ALIGNED, UNCERTAIN };

static enum alignment same_organization(struct run *run, struct author *author, struct text domain)
{
    struct organization other;
    if (!know_organization(run, author)) return UNCERTAIN;
    struct text organization = author->organization.domain;
    if (!organization_has(organization, domain)) return APART;
    if (run->request->suffixes)
        return text_equal(organization_listed(run->request->suffixes, domain), organization) ? ALIGNED
                                                                                             : APART;
    switch (organization_find(run->arena, run->answers, NULL, domain, &other)) {
    case ORGANIZATION_KNOWN:
        return text_equal(other.domain, organization) ? ALIGNED : APART;
    case ORGANIZATION_WAITS:
        run->is_waiting = true;
        return UNCERTAIN;
    default:
        author->failed = true;
        return UNCERTAIN;
    }
}

static enum alignment align(struct run *run, struct author *author, struct text domain, bool is_strict)
{
    if (text_equal(domain, author->domain)) return ALIGNED;
    return is_strict ? APART : same_organization(run, author, domain);
}

static struct text normal_name(struct arena *arena, struct text domain)
{
    struct text name;
    if (domain.length > 0 && domain.at[domain.length - 1] == '.') domain.length--;
    return domain.length > 0 && idna_to_ascii(arena, domain, &name) ? name : TEXT_NONE;
}

/* True: it is proven and aligned. What could have been, had the DNS answered, is author.failed. */
static bool proves(struct run *run, struct author *author, const struct dmarc_identifier *identifier,
                   bool is_strict)
{
    if (identifier->proof == DMARC_UNPROVEN || identifier->proof == DMARC_ALTERED) return false;
    struct text domain = normal_name(run->arena, identifier->domain);
    if (domain.length == 0 || align(run, author, domain, is_strict) != ALIGNED) return false;
    if (identifier->proof == DMARC_UNKNOWN) author->failed = true;
    return identifier->proof == DMARC_PROVEN;
}

static void find_proof(struct run *run, struct author *author)
{
    struct dmarc_result *result = author->result;
    const struct dmarc_request *request = run->request;
    const struct dmarc_record *record = &result->record;
    result->has_spf_aligned = proves(run, author, &request->spf, record->is_strict_spf);
    for (uint32_t i = 0; i < request->dkim_count && i < DMARC_SIGNATURES_MOST; i++) {
        if (!proves(run, author, &request->dkim[i], record->is_strict_dkim)) continue;
        if (!result->has_dkim_aligned) result->dkim_domain = request->dkim[i].domain;
        result->has_dkim_aligned = true;
    }
}

/* Whose they are is found as of those that hold. Where the DNS does not say, they are nobody's, and the
   result stays what it is. */
static void find_altered(struct run *run, struct author *author)
{
    const struct dmarc_request *request = run->request;
    bool is_strict = author->result->record.is_strict_dkim, failed = author->failed;
    for (uint32_t i = 0; i < request->dkim_count && i < DMARC_SIGNATURES_MOST; i++) {
        if (request->dkim[i].proof != DMARC_ALTERED) continue;
        struct text domain = normal_name(run->arena, request->dkim[i].domain);
        if (domain.length > 0 && align(run, author, domain, is_strict) == ALIGNED)
            author->result->altered_aligned |= 1u << i;
    }
    author->failed = failed;
}

/* --- The result */

static void conclude(struct dmarc_result *result, enum dmarc_outcome outcome, const char *reason)
{
    result->outcome = outcome;
    result->reason = reason;
}

/* t=y (RFC 9989 section 4.7), or with a list pct (RFC 7489 section 6.6.4; RFC 9989 appendix C.5.2 removes
   it): one step milder. */
static void dispose(struct run *run, struct dmarc_result *result)
{
    const struct dmarc_request *request = run->request;
    result->percent = request->suffixes ? result->record.percent : 100;
    result->is_testing = result->record.is_testing || request->sample >= result->percent;
    if (result->outcome != DMARC_FAIL) return;
    result->disposition = result->policy;
    if (result->is_testing && result->policy != DMARC_POLICY_NONE)
        result->disposition = (enum dmarc_policy)(result->policy - 1);
}

static const char *failure_reason(const struct dmarc_request *request)
{
    bool any = request->spf.proof == DMARC_PROVEN;
    for (uint32_t i = 0; i < request->dkim_count; i++) any |= request->dkim[i].proof == DMARC_PROVEN;
    return any ? "no domain that SPF or DKIM proves is aligned" : "neither SPF nor DKIM proves a domain";
}

static void judge_by_record(struct run *run, struct author *author)
{
    struct dmarc_result *result = author->result;
    if (!is_usable(result)) {
        conclude(result, DMARC_PERMERROR, "the record has no valid policy");
        return;
    }
    choose_policy(run, author);
    find_proof(run, author);
    if (result->has_spf_aligned || result->has_dkim_aligned)
        conclude(result, DMARC_PASS,
                 result->has_spf_aligned && result->has_dkim_aligned ? "SPF and DKIM are aligned"
                 : result->has_spf_aligned                           ? "SPF is aligned"
                                                                     : "DKIM is aligned");
    else if (author->failed)
        conclude(result, DMARC_TEMPERROR, "the DNS does not answer");
    else
        conclude(result, DMARC_FAIL, failure_reason(run->request));
    if (result->outcome == DMARC_FAIL) find_altered(run, author);
    dispose(run, result);
}

static void judge_author(struct run *run, struct text domain, struct dmarc_result *result)
{
    struct author author = { .domain = domain, .result = result };
    *result = (struct dmarc_result){ .author = domain, .policy_tag = "" };
    if (find_record(run, &author))
        judge_by_record(run, &author);
    else if (author.failed)
        conclude(result, DMARC_TEMPERROR, "the DNS does not answer");
    else
        conclude(result, DMARC_NONE, "the domain has no DMARC record");
}

/* The strictest of several authors: by what is asked for, then by how sure it is that he is not the sender.
 */
static int strictness(const struct dmarc_result *result)
{
    static const int order[DMARC_OUTCOME_COUNT] = {
        [DMARC_PASS] = 0, [DMARC_NONE] = 1, [DMARC_TEMPERROR] = 2, [DMARC_PERMERROR] = 3, [DMARC_FAIL] = 4
    };
    return (int)result->disposition * DMARC_OUTCOME_COUNT + order[result->outcome];
}

bool dmarc_evaluate(struct arena *arena, struct dns_answers *answers, const struct dmarc_request *request,
                    struct dmarc_result *out)
{
    struct run run = { .arena = arena, .answers = answers, .request = request };
    bool any = false;
    *out = (struct dmarc_result){ .policy_tag = "", .reason = "From has no domain" };
    for (uint32_t i = 0; i < request->author_count && i < DMARC_AUTHORS_MOST; i++) {
        struct dmarc_result result;
        struct text domain = normal_name(arena, request->authors[i]);
        if (domain.length == 0) continue;
        judge_author(&run, domain, &result);
        if (!any || strictness(&result) > strictness(out)) *out = result;
        any = true;
    }
    return !run.is_waiting;
}
