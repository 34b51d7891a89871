/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Words and byte form. Called by evidence.c, ipc/event.c and those who print. */
#include "judge/proof.h"

static const char *word_of(const char *const *words, unsigned count, unsigned number)
{
    return number < count ? words[number] : "unknown";
}

const char *proof_result_word(enum proof_result result)
{
    static const char *const words[PROOF_RESULT_COUNT] = { "none",    "pass",   "fail",      "softfail",
                                                           "neutral", "policy", "temperror", "permerror" };
    return word_of(words, PROOF_RESULT_COUNT, result);
}

const char *proof_demand_word(enum proof_demand demand)
{
    static const char *const words[PROOF_DEMAND_COUNT] = { "none", "quarantine", "reject" };
    return word_of(words, PROOF_DEMAND_COUNT, demand);
}

const char *proof_excuse_word(enum proof_excuse excuse)
{
    static const char *const words[PROOF_EXCUSE_COUNT] = { "", "forwarder", "sealer", "list" };
    return word_of(words, PROOF_EXCUSE_COUNT, excuse);
}

const char *proof_fate_word(enum proof_fate fate)
{
    static const char *const words[FATE_COUNT] = { "none",   "passed",  "excused", "unsigned",
                                                   "broken", "foreign", "unmarked" };
    return word_of(words, FATE_COUNT, fate);
}

enum form { FORM_NOT_MADE, FORM_MADE, FORM_WITH_LIST, FORMS };

void proof_put(const struct proof *proof, struct buffer *out)
{
    put_u8(out, !proof->is_made ? FORM_NOT_MADE : proof->list.length > 0 ? FORM_WITH_LIST : FORM_MADE);
    if (!proof->is_made) return;
    put_u8(out, (uint8_t)proof->spf);
    put_u8(out, (uint8_t)proof->dkim);
    put_u8(out, (uint8_t)proof->dmarc);
    put_u8(out, (uint8_t)proof->arc);
    put_u8(out, (uint8_t)proof->demand);
    put_u8(out, (uint8_t)proof->excuse);
    put_u8(out, (uint8_t)proof->fate);
    put_text(out, text_slice(proof->author, 0, PROOF_DOMAIN_MOST));
    put_text(out, text_slice(proof->spf_domain, 0, PROOF_DOMAIN_MOST));
    put_text(out, text_slice(proof->dkim_domain, 0, PROOF_DOMAIN_MOST));
    put_text(out, text_slice(proof->excuse_of, 0, PROOF_EXCUSE_MOST));
    if (proof->list.length == 0) return;
    put_text(out, text_slice(proof->list, 0, PROOF_DOMAIN_MOST));
    put_text(out, text_slice(proof->list_domain, 0, PROOF_DOMAIN_MOST));
}

static unsigned number_get(struct reader *reader, unsigned count)
{
    unsigned number = get_u8(reader);
    if (number >= count) reader->failed = true;
    return number;
}

static struct text text_get(struct reader *reader, size_t most)
{
    struct text text = get_text(reader);
    if (text.length > most) reader->failed = true;
    return text;
}

void proof_get(struct reader *reader, struct proof *out)
{
    unsigned form = number_get(reader, FORMS);
    *out = (struct proof){ .is_made = form != FORM_NOT_MADE };
    if (!out->is_made || reader->failed) return;
    out->spf = (enum proof_result)number_get(reader, PROOF_RESULT_COUNT);
    out->dkim = (enum proof_result)number_get(reader, PROOF_RESULT_COUNT);
    out->dmarc = (enum proof_result)number_get(reader, PROOF_RESULT_COUNT);
    out->arc = (enum proof_result)number_get(reader, PROOF_RESULT_COUNT);
    out->demand = (enum proof_demand)number_get(reader, PROOF_DEMAND_COUNT);
    out->excuse = (enum proof_excuse)number_get(reader, PROOF_EXCUSE_COUNT);
    out->fate = (enum proof_fate)number_get(reader, FATE_COUNT);
    out->author = text_get(reader, PROOF_DOMAIN_MOST);
    out->spf_domain = text_get(reader, PROOF_DOMAIN_MOST);
    out->dkim_domain = text_get(reader, PROOF_DOMAIN_MOST);
    out->excuse_of = text_get(reader, PROOF_EXCUSE_MOST);
    if (form != FORM_WITH_LIST) return;
    out->list = text_get(reader, PROOF_DOMAIN_MOST);
    out->list_domain = text_get(reader, PROOF_DOMAIN_MOST);
    if (out->list.length == 0) reader->failed = true;
}
