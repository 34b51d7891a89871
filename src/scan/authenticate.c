/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by read.c, decide.c and recipe.c. What a result weighs stands in one table. */
#include "scan/authenticate.h"

#include "auth/authentication_results.h"
#include "auth/list_excuse.h"
#include "base/hash.h"
#include "config/domains.h"
#include "dns/answers.h"
#include "dns/dns_name.h"
#include "ipc/message_id.h"
#include "mail/envelope.h"
#include "scan/tenancy.h"

/* --- read --- */

bool authenticate_is_wanted(const struct config *config, const struct occasion *occasion)
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++) {
        const struct domain *domain = config_find_domain(config, envelope_domain_of(occasion->recipients[i]));
        if (config_auth_mode(config, domain) != MODE_OFF) return true;
    }
    return false;
}

/* RFC 7489 section 6.6.4: pct asks for a random share. The hash has a key of this process, so nobody knows
   beforehand which of his messages is spared. */
static uint32_t sample_of(const struct occasion *occasion)
{
    return (uint32_t)(hash_number(occasion->id) % 100);
}

static uint64_t now_of(const struct occasion *occasion)
{
    return message_id_time_ms(occasion->id) / 1000;
}

void authenticate_read(struct arena *arena, const struct config *config, const struct occasion *occasion,
                       struct text message, const struct header *header, struct facts *out)
{
    struct auth_facts facts;
    struct buffer bytes = { 0 };
    struct text *keys;
    bool is_wanted = authenticate_is_wanted(config, occasion);
    if (tenancy_direction(occasion, out->tenancy) != DIRECTION_IN) return;
    if (!is_wanted && out->tenancy != TENANCY_OPEN) return;
    auth_facts_read(arena, message, header, &facts);
    if (out->tenancy == TENANCY_OPEN && !tenancy_may_be_proven(config, occasion, &facts))
        out->tenancy = TENANCY_UNPROVEN;
    if (!is_wanted && out->tenancy != TENANCY_OPEN) return;
    auth_facts_put(&facts, &bytes);
    out->authentication = arena_text(arena, buffer_text(&bytes));

    uint32_t count = auth_keys_wanted(arena, &facts, now_of(occasion), &keys);
    for (uint32_t i = 0; i < count; i++) facts_raise(arena, out, QUESTION_KEY, keys[i]);
    buffer_clear(&bytes);
    if (is_wanted)
        auth_policy_question_put(
            &facts, occasion->sender.length ? envelope_domain_of(occasion->sender) : occasion->helo, &bytes);
    if (buffer_length(&bytes) > 0)
        facts_raise(arena, out, QUESTION_POLICY, arena_text(arena, buffer_text(&bytes)));
    buffer_free(&bytes);
}

/* --- judging --- */

static void answers_gather(const struct question *questions, uint32_t count, struct dns_answers *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (questions[i].kind != QUESTION_KEY && questions[i].kind != QUESTION_POLICY) continue;
        struct reader reader = reader_of(questions[i].value);
        dns_answers_read(out, &reader); /* what is malformed is as if unanswered */
    }
}

static const struct question *question_of(const struct question *questions, uint32_t count,
                                          enum question_kind kind)
{
    for (uint32_t i = 0; i < count; i++)
        if (questions[i].kind == kind && questions[i].status == ANSWER_FOUND) return &questions[i];
    return NULL;
}

/* --- excuses --- */

static const struct text *name_find(const struct text_list *names, struct text name)
{
    for (size_t i = 0; name.length > 0 && i < names->count; i++)
        if (dns_name_is_within(name, names->items[i])) return &names->items[i];
    return NULL;
}

static bool is_forwarder(const struct config *config, const struct occasion *occasion,
                         struct auth_judgement *out)
{
    const struct text *name = name_find(&config->auth.forwarder_names, out->client_name);
    if (name) out->excuse_of = *name;
    if (name) return true;
    if (!network_list_has(&config->auth.forwarders, &occasion->client)) return false;
    out->excuse_of = TEXT("its address");
    return true;
}

/* The newest sealer that is trusted, of a chain that holds, saw DMARC pass. */
static bool has_sealer(struct arena *arena, const struct config *config, struct auth_judgement *out)
{
    const struct arc_facts *arc = &out->facts.signatures.arc;
    if (out->result.arc.result != AUTH_PASS) return false;
    for (uint32_t set = arc->count; set > 0; set--) {
        struct authentication_results seen;
        const struct text *sealer = name_find(&config->auth.sealers, arc->sets[set - 1].seal.domain);
        if (!sealer) return false; /* who came between might have written anything */
        if (!arc_results_read(arena, arc, set, &seen)) continue;
        const struct auth_statement *dmarc = authentication_results_find(&seen, TEXT("dmarc"));
        if (!dmarc || dmarc->result != AUTH_PASS) continue;
        out->excuse_of = *sealer;
        return true;
    }
    return false;
}

/* Known for long, and the author wrote to it. */
static bool is_known_list(struct arena *arena, const struct config *config,
                          const struct fingerprint_page *lists, struct auth_judgement *out)
{
    struct text id = out->facts.list.id;
    if (config->auth.lists_after_ms == 0 || out->list_domain.length == 0) return false;
    if (!list_excuse_is_altered_post(&out->facts, &out->result)) return false;
    if (!fingerprint_page_has(lists, fingerprint_of_list(id, out->list_domain))) return false;
    out->excuse_of = arena_printf(arena, "%.*s of %.*s", TEXT_ARG(id), TEXT_ARG(out->list_domain));
    return true;
}

static enum proof_excuse excuse_find(struct arena *arena, const struct config *config,
                                     const struct occasion *occasion, const struct fingerprint_page *lists,
                                     struct auth_judgement *out)
{
    if (out->result.dmarc.outcome != DMARC_FAIL) return PROOF_NO_EXCUSE;
    if (has_sealer(arena, config, out)) return PROOF_SEALER;
    if (!authentication_fails_as_forwarded(&out->facts, &out->result)) return PROOF_NO_EXCUSE;
    if (is_forwarder(config, occasion, out)) return PROOF_FORWARDER;
    if (is_known_list(arena, config, lists, out)) return PROOF_LIST;
    return PROOF_NO_EXCUSE;
}

void authenticate_judge(struct arena *arena, const struct config *config, const struct occasion *occasion,
                        const struct facts *facts, const struct question *answers, uint32_t answer_count,
                        const struct fingerprint_page *lists, struct auth_judgement *out)
{
    struct dns_answers known = { .arena = arena };
    struct spf_answer spf;
    struct reader reader = reader_of(facts->authentication);
    const struct question *asked = question_of(answers, answer_count, QUESTION_SPF);
    const struct question *name = question_of(answers, answer_count, QUESTION_CLIENT_NAME);
    *out = (struct auth_judgement){ .client_name = name ? name->value : TEXT_NONE };
    if (facts->authentication.length == 0 || !auth_facts_get(arena, &reader, &out->facts)) return;
    struct auth_request request = { .facts = &out->facts,
                                    .now_s = now_of(occasion),
                                    .sample = sample_of(occasion),
                                    .suffixes = config->auth.suffixes ? public_suffix_builtin() : NULL };
    if (asked && spf_answer_get(arena, asked->value, &spf)) request.spf = &spf;
    answers_gather(answers, answer_count, &known);
    do /* nobody can be asked any more: what is missing is temperror */
        dns_answers_close(&known);
    while (!authentication_evaluate(arena, &known, &request, &out->result));
    out->is_made = true;
    out->list_domain = list_excuse_domain(arena, &out->facts, &out->result, occasion->sender);
    out->newsletter = newsletter_prove(arena, &out->facts, &out->result, occasion->sender);
    out->excuse = excuse_find(arena, config, occasion, lists, out);
}

enum dmarc_policy authenticate_demand(const struct auth_judgement *judgement)
{
    bool is_demanded = judgement->is_made && judgement->excuse == PROOF_NO_EXCUSE;
    return is_demanded ? judgement->result.dmarc.disposition : DMARC_POLICY_NONE;
}

/* --- signals --- */

static const struct weight {
    const char *name;
    double points;
} spf_weights[SPF_OUTCOME_COUNT] = {
    [SPF_NONE] = { "SPF_NONE", 0 },
    [SPF_NEUTRAL] = { "SPF_NEUTRAL", 0 },
    [SPF_PASS] = { "SPF_PASS", 0 },
    [SPF_FAIL] = { "SPF_FAIL", 2.0 },
    [SPF_SOFTFAIL] = { "SPF_SOFTFAIL", 0.7 },
    [SPF_TEMPERROR] = { "SPF_TEMPERROR", 0 },
    [SPF_PERMERROR] = { "SPF_PERMERROR", 0.2 },
};

static const struct weight dkim_weights[PROOF_RESULT_COUNT] = { [PROOF_NONE] = { "DKIM_NONE", 0 },
                                                                [PROOF_PASS] = { "DKIM_PASS", 0 },
                                                                [PROOF_FAIL] = { "DKIM_FAIL", 0.3 },
                                                                [PROOF_TEMPERROR] = { "DKIM_TEMPERROR", 0 } };
/* DMARC_FAIL: of one whose owner asks for nothing. */
static const struct weight dmarc_weights[DMARC_OUTCOME_COUNT] = {
    [DMARC_NONE] = { "DMARC_NONE", 0 },
    [DMARC_PASS] = { "DMARC_PASS", 0 },
    [DMARC_FAIL] = { "DMARC_FAIL", 0.5 },
    [DMARC_TEMPERROR] = { "DMARC_TEMPERROR", 0 },
    [DMARC_PERMERROR] = { "DMARC_PERMERROR", 0 }
};
static const struct weight arc_failed = { "ARC_FAIL", 0.1 };

/* What nobody who means well writes into From. */
static const struct {
    enum from_oddity oddity;
    struct weight weight;
} from_weights[] = {
    { FROM_SEVERAL_FIELDS, { "FROM_SEVERAL_FIELDS", 2.0 } },
    { FROM_SEVERAL_DOMAINS, { "FROM_SEVERAL_DOMAINS", 1.0 } },
    { FROM_NUL, { "FROM_NUL", 2.0 } },
    { FROM_DEEP_COMMENT, { "FROM_DEEP_COMMENT", 2.0 } },
    { FROM_ADDRESS_IN_NAME, { "FROM_ADDRESS_IN_NAME", 1.0 } },
    { FROM_ROUTE, { "FROM_ROUTE", 1.0 } },
    { FROM_TOO_MANY, { "FROM_TOO_MANY", 2.0 } },
};

static void weight_add(struct score *score, struct weight weight, bool counts, struct text about)
{
    score_add(score, weight.name, counts ? weight.points : 0, about);
}

/* Of the best signature: one that passes, else one whose key could not be had, else any. */
static enum proof_result dkim_result(const struct auth_judgement *judgement)
{
    uint32_t count = judgement->facts.signatures.dkim.count;
    bool has_temperror = false;
    for (uint32_t i = 0; i < count; i++) {
        if (judgement->result.dkim[i].result == AUTH_PASS) return PROOF_PASS;
        if (judgement->result.dkim[i].result == AUTH_TEMPERROR) has_temperror = true;
    }
    return has_temperror ? PROOF_TEMPERROR : count ? PROOF_FAIL : PROOF_NONE;
}

static bool is_partial(const struct auth_judgement *judgement)
{
    const struct dkim_facts *dkim = &judgement->facts.signatures.dkim;
    for (uint32_t i = 0; i < dkim->count; i++)
        if (dkim->signatures[i].is_partial && judgement->result.dkim[i].result == AUTH_PASS) return true;
    return false;
}

static struct weight dmarc_weight(const struct auth_judgement *judgement, const struct config *config)
{
    static const struct weight excused[] = {
        [PROOF_FORWARDER] = { "DMARC_FORWARDED", 0 },
        [PROOF_SEALER] = { "DMARC_SEALED", 0 },
        [PROOF_LIST] = { "DMARC_LISTED", 0 },
    };
    enum dmarc_outcome outcome = judgement->result.dmarc.outcome;
    if (outcome != DMARC_FAIL) return dmarc_weights[outcome];
    if (judgement->excuse != PROOF_NO_EXCUSE) return excused[judgement->excuse];
    switch (judgement->result.dmarc.disposition) {
    case DMARC_POLICY_REJECT:
        return (struct weight){ "DMARC_REJECT", config->auth.dmarc_points };
    case DMARC_POLICY_QUARANTINE:
        return (struct weight){ "DMARC_QUARANTINE", config->auth.dmarc_points };
    default:
        return dmarc_weights[DMARC_FAIL];
    }
}

void authenticate_score(const struct auth_judgement *judgement, const struct config *config, bool counts,
                        struct score *score)
{
    const struct authentication *result = &judgement->result;
    if (!judgement->is_made) return;
    weight_add(score, spf_weights[result->spf.sender.outcome], counts, result->spf.sender.domain);
    if (result->spf.helo.outcome == SPF_FAIL && result->spf.sender.outcome != SPF_FAIL)
        weight_add(score, (struct weight){ "SPF_HELO_FAIL", 0.5 }, counts, result->spf.helo.domain);
    weight_add(score, dkim_weights[dkim_result(judgement)], counts, TEXT_NONE);
    if (is_partial(judgement)) weight_add(score, (struct weight){ "DKIM_PARTIAL", 0.5 }, counts, TEXT_NONE);
    weight_add(score, dmarc_weight(judgement, config), counts, result->dmarc.author);
    if (result->arc.result == AUTH_FAIL)
        weight_add(score, arc_failed, counts, text_of(arc_reason_text(result->arc.reason)));
    for (size_t i = 0; i < sizeof from_weights / sizeof *from_weights; i++)
        if (from_has(&judgement->facts.from, from_weights[i].oddity))
            weight_add(score, from_weights[i].weight, counts, TEXT_NONE);
}

/* What somebody else found, by the same weights; whom DMARC names has no policy here. */
void authenticate_score_told(const struct authentication_results *told, struct score *score)
{
    const struct {
        struct text method;
        enum auth_result result;
        struct weight weight;
    } rows[] = {
        { TEXT("spf"), AUTH_FAIL, spf_weights[SPF_FAIL] },
        { TEXT("spf"), AUTH_SOFTFAIL, spf_weights[SPF_SOFTFAIL] },
        { TEXT("spf"), AUTH_PASS, spf_weights[SPF_PASS] },
        { TEXT("dkim"), AUTH_FAIL, dkim_weights[PROOF_FAIL] },
        { TEXT("dkim"), AUTH_PASS, dkim_weights[PROOF_PASS] },
        { TEXT("dmarc"), AUTH_FAIL, dmarc_weights[DMARC_FAIL] },
        { TEXT("dmarc"), AUTH_PASS, dmarc_weights[DMARC_PASS] },
        { TEXT("arc"), AUTH_FAIL, arc_failed },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct auth_statement *found = authentication_results_find(told, rows[i].method);
        if (found && found->result == rows[i].result)
            weight_add(score, rows[i].weight, true, told->authserv_id);
    }
}

/* --- fields --- */

/* By the order of their words in RFC 8601 section 2.7. */
static const enum auth_result spf_words[SPF_OUTCOME_COUNT] = {
    [SPF_NONE] = AUTH_NONE,           [SPF_NEUTRAL] = AUTH_NEUTRAL,   [SPF_PASS] = AUTH_PASS,
    [SPF_FAIL] = AUTH_FAIL,           [SPF_SOFTFAIL] = AUTH_SOFTFAIL, [SPF_TEMPERROR] = AUTH_TEMPERROR,
    [SPF_PERMERROR] = AUTH_PERMERROR,
};
static const enum auth_result dmarc_words[DMARC_OUTCOME_COUNT] = {
    [DMARC_NONE] = AUTH_NONE,           [DMARC_PASS] = AUTH_PASS,           [DMARC_FAIL] = AUTH_FAIL,
    [DMARC_TEMPERROR] = AUTH_TEMPERROR, [DMARC_PERMERROR] = AUTH_PERMERROR,
};

static void property_add(struct auth_statement *statement, const char *type, const char *name,
                         struct text value)
{
    if (value.length == 0 || statement->property_count == AUTH_PROPERTIES_MOST) return;
    statement->properties[statement->property_count++] =
        (struct auth_property){ text_of(type), text_of(name), value };
}

static struct auth_statement spf_statement(const struct occasion *occasion, const struct spf_result *spf,
                                           bool is_helo)
{
    struct auth_statement statement = { TEXT("spf"), spf_words[spf->outcome], spf->mechanism,
                                        text_of(spf->reason) };
    property_add(&statement, "smtp", is_helo ? "helo" : "mailfrom",
                 is_helo ? occasion->helo : occasion->sender);
    return statement;
}

static struct auth_statement dkim_statement(const struct dkim_signature *signature,
                                            const struct dkim_verdict *verdict)
{
    struct auth_statement statement = { TEXT("dkim"), verdict->result, TEXT_NONE,
                                        text_of(dkim_reason_text(verdict->reason)) };
    if (verdict->is_testing) statement.comment = TEXT("testing");
    if (signature->is_partial) statement.comment = TEXT("a part of the body alone is signed");
    property_add(&statement, "header", "d", signature->domain);
    property_add(&statement, "header", "i", signature->identity);
    property_add(&statement, "header", "s", signature->selector);
    property_add(&statement, "header", "a", text_of(dkim_algorithm_name(signature)));
    return statement;
}

static struct text excuse_text(struct arena *arena, const struct auth_judgement *judgement)
{
    static const char *const words[] = { [PROOF_FORWARDER] =
                                             "let pass: forwarded by a client that is trusted by",
                                         [PROOF_SEALER] = "let pass: seen to pass by",
                                         [PROOF_LIST] = "let pass: altered by a list that is known here," };
    if (judgement->excuse == PROOF_NO_EXCUSE) return TEXT_NONE;
    return arena_printf(arena, "%s %.*s", words[judgement->excuse], TEXT_ARG(judgement->excuse_of));
}

static struct auth_statement dmarc_statement(struct arena *arena, const struct auth_judgement *judgement)
{
    const struct dmarc_result *dmarc = &judgement->result.dmarc;
    struct auth_statement statement = { TEXT("dmarc"), dmarc_words[dmarc->outcome],
                                        excuse_text(arena, judgement), TEXT_NONE };
    if (dmarc->outcome != DMARC_PASS) statement.reason = text_of(dmarc->reason);
    property_add(&statement, "header", "from", dmarc->author);
    if (dmarc->record_at.length > 0)
        property_add(&statement, "policy", "dmarc", text_of(dmarc_policy_name(dmarc->policy)));
    return statement;
}

static struct auth_statement arc_statement(const struct auth_judgement *judgement)
{
    const struct arc_verdict *arc = &judgement->result.arc;
    struct auth_statement statement = { TEXT("arc"), arc->result, TEXT_NONE,
                                        text_of(arc_reason_text(arc->reason)) };
    if (arc->sets > 0 && judgement->facts.signatures.arc.count == arc->sets)
        property_add(&statement, "header", "d",
                     judgement->facts.signatures.arc.sets[arc->sets - 1].seal.domain);
    return statement;
}

struct text authenticate_name(const struct config *config)
{
    return config->auth.name.length > 0 ? config->auth.name : config->hostname;
}

static struct authentication_results results_of(struct arena *arena, const struct config *config,
                                                const struct occasion *occasion,
                                                const struct auth_judgement *judgement)
{
    const struct dkim_facts *dkim = &judgement->facts.signatures.dkim;
    const struct authentication *result = &judgement->result;
    struct auth_statement *all = arena_alloc_array(arena, dkim->count + 4, sizeof *all);
    uint32_t count = 0;
    bool is_null = occasion->sender.length == 0;
    all[count++] = spf_statement(occasion, &result->spf.sender, is_null);
    if (!is_null && result->spf.helo.outcome != SPF_NONE)
        all[count++] = spf_statement(occasion, &result->spf.helo, true);
    for (uint32_t i = 0; i < dkim->count; i++)
        all[count++] = dkim_statement(&dkim->signatures[i], &result->dkim[i]);
    all[count++] = dmarc_statement(arena, judgement);
    if (result->arc.result != AUTH_NONE) all[count++] = arc_statement(judgement);
    return (struct authentication_results){ .authserv_id = authenticate_name(config),
                                            .statements = all,
                                            .count = count };
}

struct text authenticate_payload(struct arena *arena, const struct config *config,
                                 const struct occasion *occasion, const struct auth_judgement *judgement,
                                 struct text *out_name)
{
    struct buffer out = { 0 };
    struct authentication_results results = results_of(arena, config, occasion, judgement);
    authentication_results_payload_add(&out, &results);
    *out_name = results.authserv_id;
    struct text payload = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return payload;
}

/* RFC 7208 section 9.1. */
static void received_spf_add(const struct config *config, const struct occasion *occasion,
                             const struct spf_result *spf, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    bool is_null = occasion->sender.length == 0;
    buffer_printf(out, "Received-SPF: %s receiver=%.*s;\r\n\tidentity=%s; client-ip=%s;\r\n",
                  spf_outcome_name(spf->outcome), TEXT_ARG(config->hostname), is_null ? "helo" : "mailfrom",
                  address_print(&occasion->client, room));
}

struct text authenticate_fields(struct arena *arena, const struct config *config,
                                const struct occasion *occasion, const struct auth_judgement *judgement)
{
    struct buffer out = { 0 };
    if (!judgement->is_made) return TEXT_NONE;
    struct authentication_results results = results_of(arena, config, occasion, judgement);
    authentication_results_add(&out, TEXT("Authentication-Results"), &results);
    if (config->auth.received_spf) received_spf_add(config, occasion, &judgement->result.spf.sender, &out);
    struct text fields = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return fields;
}

/* --- words --- */

struct text authenticate_reason(struct arena *arena, const struct auth_judgement *judgement)
{
    return arena_printf(arena, "%.*s asks to refuse mail that does not prove to come from it (DMARC)",
                        TEXT_ARG(judgement->result.dmarc.author));
}

/* --- what is told --- */

static const enum proof_result told[AUTH_RESULT_COUNT] = {
    [AUTH_NONE] = PROOF_NONE,           [AUTH_PASS] = PROOF_PASS,           [AUTH_FAIL] = PROOF_FAIL,
    [AUTH_SOFTFAIL] = PROOF_SOFTFAIL,   [AUTH_NEUTRAL] = PROOF_NEUTRAL,     [AUTH_POLICY] = PROOF_POLICY,
    [AUTH_TEMPERROR] = PROOF_TEMPERROR, [AUTH_PERMERROR] = PROOF_PERMERROR,
};

static struct text dkim_domain(const struct auth_judgement *judgement)
{
    const struct dkim_facts *dkim = &judgement->facts.signatures.dkim;
    if (judgement->result.dmarc.dkim_domain.length > 0) return judgement->result.dmarc.dkim_domain;
    for (uint32_t i = 0; i < dkim->count; i++)
        if (judgement->result.dkim[i].result == AUTH_PASS) return dkim->signatures[i].domain;
    return dkim->count ? dkim->signatures[0].domain : TEXT_NONE;
}

static bool has_own_signature(const struct auth_judgement *judgement)
{
    const struct dkim_facts *dkim = &judgement->facts.signatures.dkim;
    struct text organization = judgement->result.dmarc.organization;
    if (organization.length == 0) organization = judgement->result.dmarc.author;
    for (uint32_t i = 0; i < dkim->count; i++)
        if (organization.length > 0 && dns_name_is_within(dkim->signatures[i].domain, organization))
            return true;
    return false;
}

static enum proof_fate fate_of(const struct auth_judgement *judgement)
{
    enum spf_outcome spf = judgement->result.spf.sender.outcome;
    enum proof_result dkim = dkim_result(judgement);
    if (judgement->result.dmarc.outcome == DMARC_PASS) return FATE_PASSED;
    if (judgement->result.dmarc.outcome != DMARC_FAIL) return FATE_NONE;
    if (judgement->excuse != PROOF_NO_EXCUSE) return FATE_EXCUSED;
    if (has_own_signature(judgement)) return FATE_BROKEN;
    if (spf == SPF_PASS || dkim == PROOF_PASS) return FATE_FOREIGN;
    return spf == SPF_NONE && dkim == PROOF_NONE ? FATE_UNMARKED : FATE_UNSIGNED;
}

void authenticate_prove(const struct auth_judgement *judgement, struct proof *out)
{
    static const enum proof_demand demands[] = { [DMARC_POLICY_NONE] = PROOF_ASKS_NOTHING,
                                                 [DMARC_POLICY_QUARANTINE] = PROOF_ASKS_QUARANTINE,
                                                 [DMARC_POLICY_REJECT] = PROOF_ASKS_REJECT };
    const struct authentication *result = &judgement->result;
    *out = (struct proof){ .is_made = judgement->is_made };
    if (!judgement->is_made) return;
    *out = (struct proof){ .is_made = true,
                           .spf = told[spf_words[result->spf.sender.outcome]],
                           .dkim = dkim_result(judgement),
                           .dmarc = told[dmarc_words[result->dmarc.outcome]],
                           .arc = told[result->arc.result],
                           .demand = demands[result->dmarc.disposition],
                           .excuse = judgement->excuse,
                           .fate = fate_of(judgement),
                           .author = result->dmarc.author,
                           .spf_domain = result->spf.sender.domain,
                           .dkim_domain = dkim_domain(judgement),
                           .excuse_of = judgement->excuse_of,
                           .list = judgement->list_domain.length ? judgement->facts.list.id : TEXT_NONE,
                           .list_domain = judgement->list_domain };
}

void authenticate_summary(const struct proof *proof, struct buffer *out)
{
    if (!proof->is_made) return;
    buffer_printf(out, " spf=%s dkim=%s dmarc=%s arc=%s", proof_result_word(proof->spf),
                  proof_result_word(proof->dkim), proof_result_word(proof->dmarc),
                  proof_result_word(proof->arc));
    if (proof->excuse != PROOF_NO_EXCUSE) buffer_printf(out, " excuse=%s", proof_excuse_word(proof->excuse));
}
