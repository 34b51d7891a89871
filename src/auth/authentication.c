/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Puts the four checks together. What has to be asked is found by running them with what is known: nothing is
   said twice. */
#include "auth/authentication.h"

#include "auth/policy_question.h"
#include "dns/dns_name.h"

/* --- facts --- */

void auth_facts_read(struct arena *arena, struct text message, const struct header *header,
                     struct auth_facts *out)
{
    *out = (struct auth_facts){ 0 };
    message_signatures_read(arena, message, header, &out->signatures);
    from_domains_find(arena, header, &out->from);
    mailing_list_read(arena, header, &out->list);
    newsletter_read(arena, header, &out->newsletter);
}

void auth_facts_put(const struct auth_facts *facts, struct buffer *out)
{
    message_signatures_put(&facts->signatures, out);
    put_u32(out, facts->from.count);
    for (uint32_t i = 0; i < facts->from.count; i++) put_text(out, facts->from.domains[i]);
    put_u32(out, facts->from.addresses);
    put_text(out, facts->from.address);
    put_u32(out, facts->from.oddities);
    mailing_list_put(&facts->list, out);
    newsletter_put(&facts->newsletter, out);
}

bool auth_facts_get(struct arena *arena, struct reader *reader, struct auth_facts *out)
{
    struct from_domains *from = &out->from;
    *out = (struct auth_facts){ 0 };
    if (!message_signatures_get(arena, reader, &out->signatures)) return false;
    from->count = get_count(reader, FROM_DOMAINS_MOST, 4);
    from->domains = arena_alloc_array(arena, from->count, sizeof *from->domains);
    for (uint32_t i = 0; i < from->count; i++) from->domains[i] = get_text(reader);
    from->addresses = get_u32(reader);
    from->address = get_text(reader);
    from->oddities = get_u32(reader);
    mailing_list_get(reader, &out->list);
    newsletter_get(reader, &out->newsletter);
    return !reader->failed;
}

/* --- the result --- */

static enum dmarc_proof proof_of_spf(enum spf_outcome outcome)
{
    if (outcome == SPF_PASS) return DMARC_PROVEN;
    return outcome == SPF_TEMPERROR ? DMARC_UNKNOWN : DMARC_UNPROVEN;
}

/* The key's t=y: what is signed says nothing (RFC 6376 section 3.6.1). */
static enum dmarc_proof proof_of_dkim(const struct dkim_verdict *verdict)
{
    if (verdict->result == AUTH_PASS) return DMARC_PROVEN;
    if (verdict->result == AUTH_TEMPERROR) return DMARC_UNKNOWN;
    bool is_altered = verdict->reason == DKIM_BODY_DIFFERS && verdict->header_holds && !verdict->is_testing;
    return is_altered ? DMARC_ALTERED : DMARC_UNPROVEN;
}

static bool dmarc_judge(struct arena *arena, struct dns_answers *answers, const struct auth_request *request,
                        struct authentication *out)
{
    const struct auth_facts *facts = request->facts;
    const struct dkim_facts *dkim = &facts->signatures.dkim;
    struct dmarc_identifier *identifiers = arena_alloc_array(arena, dkim->count, sizeof *identifiers);
    for (uint32_t i = 0; i < dkim->count; i++) {
        identifiers[i].domain = dkim->signatures[i].domain;
        identifiers[i].proof = proof_of_dkim(&out->dkim[i]);
    }
    const struct dmarc_request dmarc = {
        .authors = facts->from.domains,
        .author_count = facts->from.count,
        .spf = { out->spf.sender.domain, proof_of_spf(out->spf.sender.outcome) },
        .dkim = identifiers,
        .dkim_count = dkim->count,
        .suffixes = request->suffixes,
        .sample = request->sample,
    };
    return dmarc_evaluate(arena, answers, &dmarc, &out->dmarc);
}

bool authentication_evaluate(struct arena *arena, struct dns_answers *answers,
                             const struct auth_request *request, struct authentication *out)
{
    const struct message_signatures *signatures = &request->facts->signatures;
    const struct spf_result unknown = { .outcome = SPF_TEMPERROR, .reason = "nobody answered in time" };
    *out = (struct authentication){ .spf = { unknown, unknown } };
    if (request->spf) out->spf = *request->spf;
    out->dkim = arena_alloc_array(arena, signatures->dkim.count, sizeof *out->dkim);
    return message_signatures_judge(arena, signatures, answers, request->now_s, out->dkim, &out->arc) &&
           dmarc_judge(arena, answers, request, out);
}

/* --- what has to be asked --- */

uint32_t auth_keys_wanted(struct arena *arena, const struct auth_facts *facts, uint64_t now_s,
                          struct text **out_names)
{
    struct dns_answers answers = { .arena = arena };
    const struct message_signatures *signatures = &facts->signatures;
    struct dkim_verdict *dkim = arena_alloc_array(arena, signatures->dkim.count, sizeof *dkim);
    struct arc_verdict arc;
    message_signatures_judge(arena, signatures, &answers, now_s, dkim, &arc);
    uint32_t count = answers.count < AUTH_KEYS_MOST ? answers.count : AUTH_KEYS_MOST;
    *out_names = arena_alloc_array(arena, count, sizeof **out_names);
    for (uint32_t i = 0; i < count; i++) (*out_names)[i] = answers.items[i].name;
    return count;
}

void auth_policy_question_put(const struct auth_facts *facts, struct text spf_domain, struct buffer *out)
{
    const struct dkim_facts *dkim = &facts->signatures.dkim;
    struct text signers[DKIM_SIGNATURES_MOST];
    for (uint32_t i = 0; i < dkim->count; i++) signers[i] = dkim->signatures[i].domain;
    const struct policy_question question = { facts->from.domains, facts->from.count, spf_domain, signers,
                                              dkim->count };
    policy_question_put(&question, out);
}

static struct text *texts_get(struct arena *arena, struct reader *reader, uint32_t most, uint32_t *out_count)
{
    *out_count = get_count(reader, most, 4);
    struct text *texts = arena_alloc_array(arena, *out_count, sizeof *texts);
    for (uint32_t i = 0; i < *out_count; i++) texts[i] = get_text(reader);
    return texts;
}

bool auth_policy_look(struct arena *arena, struct dns_answers *answers, struct text question,
                      const struct public_suffix_list *suffixes)
{
    struct reader reader = reader_of(question);
    struct dmarc_request request = { .suffixes = suffixes };
    struct dmarc_result result;
    uint32_t count;
    request.authors = texts_get(arena, &reader, FROM_DOMAINS_MOST, &request.author_count);
    struct text *identifiers = texts_get(arena, &reader, DKIM_SIGNATURES_MOST + 1, &count);
    if (!reader_done(&reader)) return true;
    bool is_over = dmarc_evaluate(arena, answers, &request, &result);
    for (uint32_t i = 0; i < count; i++) {
        request.spf = (struct dmarc_identifier){ identifiers[i], DMARC_PROVEN };
        request.dkim = &request.spf; /* one may be strict where the other is not */
        request.dkim_count = 1;
        is_over = dmarc_evaluate(arena, answers, &request, &result) && is_over;
    }
    return is_over;
}

bool authentication_fails_as_forwarded(const struct auth_facts *facts, const struct authentication *result)
{
    const struct dkim_facts *dkim = &facts->signatures.dkim;
    const struct dmarc_result *dmarc = &result->dmarc;
    struct text organization = dmarc->organization;
    bool may_be_its_own = organization.length == 0 && !dmarc->record.is_strict_spf;
    if (result->spf.sender.outcome == SPF_PASS && may_be_its_own) return false;
    if (organization.length == 0) organization = dmarc->author;
    for (uint32_t i = 0; i < dkim->count; i++) {
        bool is_of_author =
            organization.length > 0 && dns_name_is_within(dkim->signatures[i].domain, organization);
        if (is_of_author && !result->dkim[i].header_holds) return false;
    }
    return true;
}
