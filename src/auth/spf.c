/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* check_host(): a record is checked, then its terms are tried in their order. Who finds an answer missing
   notes what else may be asked and stops; the owner begins anew. Includes nest as deep as look-ups are
   allowed. */
#include "auth/spf.h"

#include "auth/spf_macro.h"
#include "auth/spf_term.h"
#include "dns/dns_name.h"
#include "mail/idna.h"

/* What came of one term. STOPPED: run.stop is the outcome of all, or run.is_waiting. */
enum trial { NO_MATCH, MATCH, STOPPED };

struct run {
    struct arena *arena;
    struct dns_answers *answers;
    const struct spf_request *request;
    struct spf_result *result;
    struct spf_macros macros;
    enum spf_outcome stop;
    bool is_waiting;
    bool knows_validated; /* the names below are those of the client (section 5.5) */
    uint32_t validated_count;
    struct text validated[SPF_HOSTS_MOST];
};

/* A record and the term of it that decided. */
struct decision {
    enum spf_outcome outcome;
    struct text mechanism; /* as written; empty: none matched */
    struct text terms, domain;
};

const char *spf_outcome_name(enum spf_outcome outcome)
{
    static const char *const names[SPF_OUTCOME_COUNT] = { "none",     "neutral",   "pass",     "fail",
                                                          "softfail", "temperror", "permerror" };
    return names[outcome];
}

/* --- What comes out */

static enum trial stop(struct run *run, enum spf_outcome outcome, const char *reason)
{
    run->stop = outcome;
    if (!*run->result->reason) run->result->reason = reason;
    return STOPPED;
}

static enum trial wait_for_answer(struct run *run)
{
    run->is_waiting = true;
    return STOPPED;
}

static void note_step(struct run *run, uint32_t depth, struct text term, const char *gave)
{
    struct spf_result *result = run->result;
    if (!run->request->is_traced || result->step_count == SPF_STEPS_MOST) return;
    if (!result->steps) result->steps = arena_alloc_array(run->arena, SPF_STEPS_MOST, sizeof *result->steps);
    result->steps[result->step_count++] = (struct spf_step){ depth, run->macros.domain, term, gave };
}

static enum trial count_lookup(struct run *run)
{
    if (run->result->lookups == SPF_LOOKUPS_MOST)
        return stop(run, SPF_PERMERROR, "more than 10 DNS look-ups");
    run->result->lookups++;
    return MATCH;
}

/* Section 4.6.4: for the question a term asks itself; addresses of its hosts do not count. */
static enum trial count_void(struct run *run, const struct dns_answer *answer)
{
    if (answer->status != DNS_NONE) return MATCH;
    run->result->voids++;
    if (run->result->voids > SPF_VOIDS_MOST)
        return stop(run, SPF_PERMERROR, "more than 2 look-ups without an answer");
    return NO_MATCH;
}

static bool is_failure(const struct dns_answer *answer)
{
    return answer->status == DNS_TEMPERROR || answer->status == DNS_BOGUS;
}

/* --- The client's names: sections 5.5 and 7.3 */

static enum dns_record_type address_type(const struct run *run)
{
    return address_is_v4(&run->request->client) ? RECORD_A : RECORD_AAAA;
}

static bool has_client(const struct run *run, const struct dns_answer *answer, unsigned bits)
{
    struct network network = { .bits = (uint8_t)bits };
    for (uint32_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        network.address = answer->records[i].address;
        if (network_has(&network, &run->request->client)) return true;
    }
    return false;
}

static struct text reverse_name(struct run *run)
{
    struct text name = TEXT_NONE;
    spf_macro_name(run->arena, &run->macros, TEXT("%{ir}.%{v}.arpa"), &name);
    return name;
}

/* The addresses of all are asked at once. An error makes a name of none. */
static enum trial find_validated(struct run *run, const struct dns_answer *names)
{
    uint32_t count = names->status == DNS_FOUND ? names->count : 0;
    if (count > SPF_HOSTS_MOST) count = SPF_HOSTS_MOST;
    run->validated_count = 0;
    const struct dns_record *records = names->records; /* the answer itself is valid until the next look */
    for (uint32_t i = 0; i < count; i++) {
        const struct dns_answer *addresses =
            dns_answers_find(run->answers, records[i].name, address_type(run));
        if (!addresses)
            run->is_waiting = true;
        else if (has_client(run, addresses, 128))
            run->validated[run->validated_count++] = records[i].name;
    }
    run->knows_validated = true;
    return run->is_waiting ? STOPPED : MATCH;
}

/* STOPPED: not known yet. */
static enum trial know_validated(struct run *run)
{
    if (run->knows_validated) return MATCH;
    const struct dns_answer *names = dns_answers_find(run->answers, reverse_name(run), RECORD_PTR);
    return names ? find_validated(run, names) : wait_for_answer(run);
}

/* %{p}: the domain itself, else a name below it, else any (section 7.3). */
static struct text validated_name(const struct run *run, struct text domain)
{
    struct text best = run->validated_count ? run->validated[0] : TEXT("unknown");
    for (uint32_t i = 0; i < run->validated_count; i++)
        if (text_equal_nocase(run->validated[i], domain)) return run->validated[i];
    for (uint32_t i = 0; i < run->validated_count; i++)
        if (dns_name_is_within(run->validated[i], domain)) return run->validated[i];
    return best;
}

/* --- One term */

static enum trial prepare_macros(struct run *run, struct text text)
{
    if (!memchr(text.at, '%', text.length) || !spf_macro_has_validated(text)) return MATCH;
    if (know_validated(run) == STOPPED) return STOPPED;
    run->macros.validated = validated_name(run, run->macros.domain);
    return MATCH;
}

/* The name a term is about. NO_MATCH: it is none. */
static enum trial target_of(struct run *run, const struct spf_term *term, struct text *out)
{
    *out = run->macros.domain;
    if (term->domain.length == 0) return MATCH;
    if (prepare_macros(run, term->domain) == STOPPED) return STOPPED;
    switch (spf_macro_name(run->arena, &run->macros, term->domain, out)) {
    case SPF_NAME_GOOD:
        return MATCH;
    case SPF_NAME_BAD:
        return NO_MATCH;
    default:
        return stop(run, SPF_PERMERROR, "macros make too long a text");
    }
}

static enum trial ask(struct run *run, struct text name, enum dns_record_type type,
                      const struct dns_answer **out)
{
    *out = dns_answers_find(run->answers, name, type);
    if (!*out) return wait_for_answer(run);
    return is_failure(*out) ? stop(run, SPF_TEMPERROR, "the DNS does not answer") : MATCH;
}

static unsigned bits_of(const struct run *run, const struct spf_term *term)
{
    return address_is_v4(&run->request->client) ? 96u + term->bits4 : term->bits6;
}

static enum trial try_a(struct run *run, const struct spf_term *term, struct text name)
{
    const struct dns_answer *answer;
    if (ask(run, name, address_type(run), &answer) == STOPPED) return STOPPED;
    enum trial trial = count_void(run, answer);
    if (trial != MATCH) return trial;
    return has_client(run, answer, bits_of(run, term)) ? MATCH : NO_MATCH;
}

/* RFC 7208 section 5.4; the hosts' addresses are asked together. */
static enum trial try_mx(struct run *run, const struct spf_term *term, struct text name)
{
    const struct dns_answer *answer;
    if (ask(run, name, RECORD_MX, &answer) == STOPPED) return STOPPED;
    enum trial trial = count_void(run, answer);
    if (trial != MATCH) return trial;
    if (answer->count > SPF_HOSTS_MOST) return stop(run, SPF_PERMERROR, "more than 10 MX records");
    const struct dns_record *records = answer->records;
    uint32_t count = answer->count;
    trial = NO_MATCH;
    for (uint32_t i = 0; i < count; i++) {
        const struct dns_answer *addresses =
            dns_answers_find(run->answers, records[i].name, address_type(run));
        if (trial != NO_MATCH) continue; /* noted as wanted, no more */
        if (!addresses)
            trial = wait_for_answer(run);
        else if (is_failure(addresses))
            trial = stop(run, SPF_TEMPERROR, "the DNS does not answer");
        else if (has_client(run, addresses, bits_of(run, term)))
            trial = MATCH;
    }
    return trial;
}

static enum trial try_ptr(struct run *run, struct text name)
{
    const struct dns_answer *answer = dns_answers_find(run->answers, reverse_name(run), RECORD_PTR);
    if (!answer) return wait_for_answer(run);
    enum trial trial = count_void(run, answer);
    if (trial != MATCH || is_failure(answer)) return trial == STOPPED ? STOPPED : NO_MATCH;
    if (know_validated(run) == STOPPED) return STOPPED;
    for (uint32_t i = 0; i < run->validated_count; i++)
        if (dns_name_is_within(run->validated[i], name)) return MATCH;
    return NO_MATCH;
}

static enum trial try_exists(struct run *run, struct text name)
{
    const struct dns_answer *answer;
    if (ask(run, name, RECORD_A, &answer) == STOPPED) return STOPPED;
    return count_void(run, answer);
}

static enum trial try_ip(const struct run *run, const struct spf_term *term)
{
    bool is_v4 = address_is_v4(&run->request->client);
    if (is_v4 != (term->kind == SPF_IP4)) return NO_MATCH;
    return network_has(&term->network, &run->request->client) ? MATCH : NO_MATCH;
}

static enum trial check_host(struct run *run, struct text domain, uint32_t depth, struct decision *out);

/* The table of section 5.2. */
static enum trial try_include(struct run *run, struct text name, uint32_t depth)
{
    struct decision inner;
    struct text domain = run->macros.domain;
    enum trial trial = check_host(run, name, depth + 1, &inner);
    run->macros.domain = domain;
    if (trial == STOPPED) return STOPPED;
    if (inner.outcome == SPF_NONE) return stop(run, SPF_PERMERROR, "an included domain has no SPF record");
    return inner.outcome == SPF_PASS ? MATCH : NO_MATCH;
}

static enum trial try_term(struct run *run, const struct spf_term *term, uint32_t depth)
{
    struct text name;
    if (term->kind == SPF_ALL) return MATCH;
    if (term->kind == SPF_IP4 || term->kind == SPF_IP6) return try_ip(run, term);
    if (count_lookup(run) == STOPPED) return STOPPED;
    enum trial trial = target_of(run, term, &name);
    if (trial == NO_MATCH && term->kind == SPF_INCLUDE && text_is_ascii(run->macros.local))
        return stop(run, SPF_PERMERROR, "an included domain is no domain name");
    if (trial != MATCH) return trial;
    switch (term->kind) {
    case SPF_A:
        return try_a(run, term, name);
    case SPF_MX:
        return try_mx(run, term, name);
    case SPF_PTR:
        return try_ptr(run, name);
    case SPF_EXISTS:
        return try_exists(run, name);
    default:
        return try_include(run, name, depth);
    }
}

/* --- Questions of later terms, so that they go out together */

static void scout_record(struct run *run, struct text domain, uint32_t *budget);

static void scout_hosts(struct run *run, const struct dns_answer *answer)
{
    if (!answer || answer->status != DNS_FOUND || answer->count > SPF_HOSTS_MOST) return;
    const struct dns_record *records = answer->records;
    for (uint32_t i = 0, count = answer->count; i < count; i++)
        dns_answers_find(run->answers, records[i].name, address_type(run));
}

static void scout_term(struct run *run, const struct spf_term *term, uint32_t *budget)
{
    struct text name = run->macros.domain;
    --*budget;
    if (term->domain.length > 0 &&
        (spf_macro_has_validated(term->domain) ||
         spf_macro_name(run->arena, &run->macros, term->domain, &name) != SPF_NAME_GOOD))
        return;
    switch (term->kind) {
    case SPF_A:
        dns_answers_find(run->answers, name, address_type(run));
        break;
    case SPF_EXISTS:
        dns_answers_find(run->answers, name, RECORD_A);
        break;
    case SPF_MX:
        scout_hosts(run, dns_answers_find(run->answers, name, RECORD_MX));
        break;
    case SPF_PTR:
        dns_answers_find(run->answers, reverse_name(run), RECORD_PTR);
        break;
    default:
        scout_record(run, name, budget);
        break; /* include and redirect */
    }
}

/* Up to a term that is certain to match. */
static void scout_terms(struct run *run, struct text terms, uint32_t *budget)
{
    struct spf_term term, redirect = { .kind = SPF_FAULT };
    while (*budget > 0 && spf_term_next(&terms, &term)) {
        if (term.kind == SPF_REDIRECT) redirect = term;
        if (term.kind == SPF_ALL || term.kind == SPF_FAULT) return;
        if ((term.kind == SPF_IP4 || term.kind == SPF_IP6) && try_ip(run, &term) == MATCH) return;
        if (term.kind != SPF_IP4 && term.kind != SPF_IP6 && term.kind < SPF_REDIRECT)
            scout_term(run, &term, budget);
    }
    if (*budget > 0 && redirect.kind == SPF_REDIRECT) scout_term(run, &redirect, budget);
}

static void scout_record(struct run *run, struct text domain, uint32_t *budget)
{
    struct text outer = run->macros.domain;
    const struct dns_answer *answer = dns_answers_find(run->answers, domain, RECORD_TXT);
    if (!answer || answer->status != DNS_FOUND) return;
    const struct dns_record *records = answer->records;
    for (uint32_t i = 0, count = answer->count; i < count; i++) {
        if (!spf_term_is_record(records[i].text)) continue;
        run->macros.domain = domain;
        scout_terms(run, spf_term_all(records[i].text), budget);
        break;
    }
    run->macros.domain = outer;
}

static void scout(struct run *run, struct text terms)
{
    uint32_t budget = SPF_LOOKUPS_MOST - run->result->lookups;
    scout_terms(run, terms, &budget);
}

/* --- A record */

/* Section 4.5. NO_MATCH: the domain has none. */
static enum trial find_record(struct run *run, struct text domain, struct text *out_terms)
{
    const struct dns_answer *answer;
    uint32_t found = 0;
    if (ask(run, domain, RECORD_TXT, &answer) == STOPPED) return STOPPED;
    for (uint32_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        if (!spf_term_is_record(answer->records[i].text)) continue;
        *out_terms = spf_term_all(answer->records[i].text);
        found++;
    }
    if (found > 1) return stop(run, SPF_PERMERROR, "more than one SPF record");
    return found ? MATCH : NO_MATCH;
}

static enum trial blame(struct run *run, struct text term)
{
    if (run->result->mechanism.length == 0) run->result->mechanism = term;
    return STOPPED;
}

static enum trial open_record(struct run *run, struct text domain, uint32_t depth, struct text *out_terms)
{
    struct text bad;
    run->macros.domain = domain;
    enum trial trial = find_record(run, domain, out_terms);
    if (trial == MATCH && !spf_term_check(*out_terms, &bad)) {
        trial = stop(run, SPF_PERMERROR, "a term is not well-formed");
        blame(run, bad);
    }
    if (trial != MATCH && !run->is_waiting)
        note_step(run, depth, TEXT_NONE, trial == NO_MATCH ? "none" : spf_outcome_name(run->stop));
    return trial;
}

/* MATCH: out->outcome and mechanism are set. *out_redirect: kind SPF_REDIRECT when there is one. */
static enum trial try_terms(struct run *run, struct text terms, uint32_t depth, struct decision *out,
                            struct spf_term *out_redirect)
{
    struct spf_term term;
    for (struct text rest = terms; spf_term_next(&rest, &term);) {
        if (term.kind == SPF_REDIRECT) *out_redirect = term;
        if (term.kind >= SPF_REDIRECT) continue;
        enum trial trial = try_term(run, &term, depth);
        if (run->is_waiting) {
            scout(run, rest);
            return STOPPED;
        }
        note_step(run, depth, term.written,
                  trial == MATCH      ? "match"
                  : trial == NO_MATCH ? "no match"
                                      : spf_outcome_name(run->stop));
        if (trial == STOPPED) return blame(run, term.written);
        if (trial == NO_MATCH) continue;
        out->outcome = term.qualifier;
        out->mechanism = term.written;
        return MATCH;
    }
    return NO_MATCH;
}

/* Section 6.1. The next domain; STOPPED as everywhere. */
static enum trial follow(struct run *run, const struct spf_term *redirect, uint32_t depth,
                         struct text *out_domain, struct text *out_terms)
{
    enum trial trial = count_lookup(run);
    if (trial == MATCH) trial = target_of(run, redirect, out_domain);
    if (trial == MATCH) {
        note_step(run, depth, redirect->written, "followed");
        trial = open_record(run, *out_domain, depth + 1, out_terms);
    }
    if (run->is_waiting) return STOPPED;
    if (trial == NO_MATCH) trial = stop(run, SPF_PERMERROR, "redirect leads to no SPF record");
    return trial == STOPPED ? blame(run, redirect->written) : MATCH;
}

static enum trial check_host(struct run *run, struct text domain, uint32_t depth, struct decision *out)
{
    *out = (struct decision){ .outcome = SPF_NONE, .domain = domain };
    enum trial trial = open_record(run, domain, depth, &out->terms);
    while (trial == MATCH) {
        struct spf_term redirect = { .kind = SPF_FAULT };
        out->outcome = SPF_NEUTRAL; /* section 4.7 */
        trial = try_terms(run, out->terms, depth, out, &redirect);
        if (trial != NO_MATCH || redirect.kind != SPF_REDIRECT) break;
        trial = follow(run, &redirect, depth++, &out->domain, &out->terms);
    }
    return trial == STOPPED ? STOPPED : MATCH;
}

/* --- The explanation: section 6.2. Whatever goes wrong, there is none. */

static bool find_explanation(struct text terms, struct spf_term *out)
{
    while (spf_term_next(&terms, out))
        if (out->kind == SPF_EXP) return true;
    return false;
}

static enum trial explain(struct run *run, const struct decision *decision)
{
    struct spf_term term;
    struct text name;
    if (decision->outcome != SPF_FAIL || !find_explanation(decision->terms, &term)) return MATCH;
    run->macros.domain = decision->domain;
    if (target_of(run, &term, &name) != MATCH) return run->is_waiting ? STOPPED : MATCH;
    const struct dns_answer *answer = dns_answers_find(run->answers, name, RECORD_TXT);
    if (!answer) return wait_for_answer(run);
    if (answer->status != DNS_FOUND || answer->count != 1) return MATCH;
    struct text text = answer->records[0].text;
    if (!spf_macro_check(text, true)) return MATCH;
    if (prepare_macros(run, text) == STOPPED) return run->is_waiting ? STOPPED : MATCH;
    run->result->explanation = spf_macro_explanation(run->arena, &run->macros, text);
    return MATCH;
}

/* --- The whole */

/* Section 4.3: several labels of letters, digits, hyphens and underscores, the last not of digits alone. */
static bool is_host(struct text domain)
{
    bool has_other = false;
    if (!spf_macro_is_name(domain)) return false;
    size_t last = text_find_last_char(domain, '.');
    if (last == domain.length) return false;
    for (size_t i = 0; i < domain.length; i++) {
        char c = domain.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_' && c != '.') return false;
        has_other |= i > last && !char_is_digit(c);
    }
    return has_other;
}

/* Section 4.3 and 2.4: whom it is about. False: nobody. */
static bool begin(struct run *run)
{
    const struct spf_request *request = run->request;
    size_t at = text_find_last_char(request->sender, '@');
    bool has_local = at > 0 && at < request->sender.length;
    struct text domain = request->sender.length == 0 ? request->helo : request->sender;
    if (at < request->sender.length) domain = text_slice(request->sender, at + 1, request->sender.length);
    run->macros.local = has_local ? text_slice(request->sender, 0, at) : TEXT("postmaster");
    if (domain.length > 0 && domain.at[domain.length - 1] == '.') domain.length--;
    if (!idna_to_ascii(run->arena, domain, &domain) || !is_host(domain)) return false;
    run->macros.origin = run->macros.domain = run->result->domain = domain;
    return true;
}

static void finish(struct run *run, enum trial trial, const struct decision *decision)
{
    struct spf_result *result = run->result;
    result->outcome = trial == STOPPED ? run->stop : decision->outcome;
    if (trial == STOPPED) return;
    result->mechanism = decision->mechanism;
    result->reason = decision->outcome == SPF_NONE ? "the domain has no SPF record" : "";
}

bool spf_evaluate(struct arena *arena, struct dns_answers *answers, const struct spf_request *request,
                  struct spf_result *out)
{
    struct run run = { .arena = arena,
                       .answers = answers,
                       .request = request,
                       .result = out,
                       .macros = { .request = request, .room = SPF_MACRO_BYTES_MOST } };
    struct decision decision;
    *out = (struct spf_result){ .outcome = SPF_NONE, .reason = "" };
    if (!begin(&run)) {
        out->reason = "there is no domain to ask about";
        return true;
    }
    enum trial trial = check_host(&run, out->domain, 0, &decision);
    if (trial == MATCH) trial = explain(&run, &decision);
    if (run.is_waiting) return false;
    finish(&run, trial, &decision);
    return true;
}
