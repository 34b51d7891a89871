/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "auth/policy_question.h"

#include "auth/dkim.h"

enum { SPF_DOMAIN_MOST = 253 };

static bool is_among(const struct text *domains, uint32_t count, struct text domain)
{
    for (uint32_t i = 0; i < count; i++)
        if (text_equal_nocase(domains[i], domain)) return true;
    return false;
}

static void domains_put(const struct text *domains, uint32_t count, struct buffer *out)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) put_text(out, domains[i]);
}

void policy_question_put(const struct policy_question *question, struct buffer *out)
{
    struct text identifiers[DKIM_SIGNATURES_MOST + 1];
    uint32_t count = 0;
    if (question->author_count == 0) return;
    if (question->spf_domain.length > 0)
        identifiers[count++] = text_slice(question->spf_domain, 0, SPF_DOMAIN_MOST);
    for (uint32_t i = 0; i < question->signer_count && i < DKIM_SIGNATURES_MOST; i++) {
        struct text signer = question->signers[i];
        if (signer.length > 0 && !is_among(identifiers, count, signer)) identifiers[count++] = signer;
    }
    domains_put(question->authors, question->author_count, out);
    domains_put(identifiers, count, out);
}
