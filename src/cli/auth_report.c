/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by auth_tool.c. Bytes of strangers are printed so that no terminal obeys them. */
#include "cli/auth_report.h"

#include <stdio.h>

#include "auth/authentication_results.h"
#include "auth/list_excuse.h"
#include "base/json.h"
#include "base/printable.h"

/* --- for people --- */

static void say(const char *before, struct text text, const char *after)
{
    fputs(before, stdout);
    while (text.length > 0) {
        size_t length = printable_length(text);
        if (length > 0)
            fwrite(text.at, 1, length, stdout);
        else
            printf("\\x%02x", (unsigned char)text.at[0]);
        text = text_slice(text, length ? length : 1, text.length);
    }
    fputs(after, stdout);
}

static void steps_print(const struct spf_result *spf)
{
    for (uint32_t i = 0; i < spf->step_count; i++) {
        const struct spf_step *step = &spf->steps[i];
        printf("  %*s", (int)(2 * (step->depth < 10 ? step->depth : 10)), "");
        say("", step->domain, "  ");
        say("", step->term.length ? step->term : TEXT("(no record)"), "");
        printf(": %s\n", step->gave);
    }
}

static void spf_print(const char *identity, struct text value, struct text client,
                      const struct spf_result *spf)
{
    printf("SPF, %s ", identity);
    say("", value.length ? value : TEXT("<>"), "");
    say(" from ", client, "");
    printf(": %s%s%s\n", spf_outcome_name(spf->outcome), *spf->reason ? ", " : "", spf->reason);
    steps_print(spf);
    if (spf->explanation.length) say("  the domain's owner says: ", spf->explanation, "\n");
}

static void dkim_print(const struct dkim_signature *signature, const struct dkim_verdict *verdict,
                       const char *name)
{
    say(name, signature->domain.length ? signature->domain : TEXT("(unreadable)"), "");
    say(", selector ", signature->selector, "");
    printf(", %s: %s", dkim_algorithm_name(signature), authentication_results_word(verdict->result));
    const char *reason = dkim_reason_text(verdict->reason);
    printf("%s%s", *reason ? ", " : "", reason);
    printf("%s%s\n", signature->is_partial ? "; a part of the body alone is signed" : "",
           verdict->is_testing ? "; the key is for tests" : "");
}

/* Nothing where From is one plain address. */
static void from_print(const struct from_domains *from)
{
    if (from->oddities == 0) return;
    printf("From:");
    for (int i = 0; i < FROM_ODDITY_COUNT; i++)
        if (from_has(from, (enum from_oddity)i)) printf(" %s", from_oddity_name((enum from_oddity)i));
    putchar('\n');
}

static void dmarc_print(const struct dmarc_result *dmarc)
{
    say("DMARC, From ", dmarc->author.length ? dmarc->author : TEXT("(no domain)"), "");
    printf(": %s, %s\n", dmarc_outcome_name(dmarc->outcome), dmarc->reason);
    if (dmarc->record_at.length) {
        say("  record of ", dmarc->record_at, "");
        printf(": policy %s by %s, to be done: %s%s", dmarc_policy_name(dmarc->policy), dmarc->policy_tag,
               dmarc_policy_name(dmarc->disposition), dmarc->is_testing ? " (a test)" : "");
        if (dmarc->percent < 100) printf(", by pct with %u of 100 such messages", dmarc->percent);
        putchar('\n');
    }
    if (dmarc->outcome == DMARC_PASS)
        printf("  aligned:%s%s\n", dmarc->has_spf_aligned ? " SPF" : "",
               dmarc->has_dkim_aligned ? " DKIM" : "");
}

/* What a node makes of it that knows the list; whether one does stands in its ledger. */
static void list_print(const struct auth_report *report)
{
    if (report->facts->list.id.length == 0) return;
    bool is_altered_post = list_excuse_is_altered_post(report->facts, &report->authentication);
    say("List ", report->facts->list.id, ": ");
    if (report->list_domain.length == 0)
        puts("nothing proves who sent it, or it was the author");
    else
        say("sent by ", report->list_domain, "\n");
    if (report->authentication.dmarc.outcome != DMARC_FAIL) return;
    bool is_forwarded = authentication_fails_as_forwarded(report->facts, &report->authentication);
    puts(!is_altered_post || !is_forwarded
             ? "  no signature shows that the author wrote to it: not let pass as a list's"
         : report->list_domain.length > 0
             ? "  the author wrote to it, and the body was altered: let pass by a node that knows this list"
             : "  the author wrote to it, and the body was altered");
}

static void arc_print(const struct arc_facts *facts, const struct arc_verdict *arc)
{
    const char *reason = arc_reason_text(arc->reason);
    printf("ARC, %u sets: %s%s%s\n", arc->sets, authentication_results_word(arc->result), *reason ? ", " : "",
           reason);
    for (uint32_t i = 0; arc->by_set && i < facts->count; i++) {
        printf("  %u. cv=%s\n", i + 1, arc_cv_name(facts->sets[i].cv));
        dkim_print(&facts->sets[i].seal, &arc->by_set[i].seal, "     seal of ");
        dkim_print(&facts->sets[i].message, &arc->by_set[i].message, "     message by ");
    }
}

static void questions_print(const struct dns_answers *answers)
{
    printf("Asked: %u\n", answers->count);
    for (uint32_t i = 0; i < answers->count; i++) {
        const struct dns_lookup *item = &answers->items[i];
        say("  ", item->name, "");
        printf(" %s: %s\n", dns_record_type_name(item->type),
               item->is_known ? dns_status_name(item->answer.status) : "not answered");
    }
}

void auth_report_print(const struct auth_report *report)
{
    const struct authentication *found = &report->authentication;
    spf_print("MAIL FROM", report->sender, report->client, &report->spf.sender);
    if (report->sender.length) spf_print("HELO", report->helo, report->client, &report->spf.helo);
    if (report->facts) {
        const struct message_signatures *signatures = &report->facts->signatures;
        for (uint32_t i = 0; i < signatures->dkim.count; i++)
            dkim_print(&signatures->dkim.signatures[i], &found->dkim[i], "DKIM, ");
        if (signatures->dkim.count == 0) printf("DKIM: none\n");
        if (signatures->dkim.unread)
            printf("  %u signatures more were not looked at\n", signatures->dkim.unread);
        from_print(&report->facts->from);
        dmarc_print(&found->dmarc);
        list_print(report);
        arc_print(&signatures->arc, &found->arc);
    }
    questions_print(report->answers);
    if (report->is_late) printf("The time was over before all was answered.\n");
}

/* --- for programs --- */

static struct json *spf_json(const struct spf_result *spf)
{
    struct json *object = json_new_object();
    json_set_string(object, "result", spf_outcome_name(spf->outcome));
    json_set_text(object, "domain", spf->domain);
    json_set_text(object, "mechanism", spf->mechanism);
    json_set_text(object, "explanation", spf->explanation);
    json_set_string(object, "reason", spf->reason);
    struct json *steps = json_new_array();
    for (uint32_t i = 0; i < spf->step_count; i++) {
        struct json *step = json_new_object();
        json_set_number(step, "depth", spf->steps[i].depth);
        json_set_text(step, "domain", spf->steps[i].domain);
        json_set_text(step, "term", spf->steps[i].term);
        json_set_string(step, "gave", spf->steps[i].gave);
        json_add(steps, step);
    }
    json_set(object, "steps", steps);
    return object;
}

static struct json *dkim_json(const struct dkim_signature *signature, const struct dkim_verdict *verdict)
{
    struct json *object = json_new_object();
    json_set_string(object, "result", authentication_results_word(verdict->result));
    json_set_text(object, "domain", signature->domain);
    json_set_text(object, "selector", signature->selector);
    json_set_string(object, "algorithm", dkim_algorithm_name(signature));
    json_set_string(object, "reason", verdict->reason == DKIM_GOOD ? "" : dkim_reason_name(verdict->reason));
    json_set_bool(object, "partial", signature->is_partial);
    json_set_bool(object, "testing", verdict->is_testing);
    return object;
}

static struct json *dmarc_json(const struct dmarc_result *dmarc)
{
    struct json *object = json_new_object();
    json_set_string(object, "result", dmarc_outcome_name(dmarc->outcome));
    json_set_string(object, "policy", dmarc_policy_name(dmarc->policy));
    json_set_string(object, "disposition", dmarc_policy_name(dmarc->disposition));
    json_set_text(object, "domain", dmarc->author);
    json_set_text(object, "record_at", dmarc->record_at);
    json_set_number(object, "percent", dmarc->record_at.length ? dmarc->percent : 100);
    json_set_bool(object, "spf_aligned", dmarc->has_spf_aligned);
    json_set_bool(object, "dkim_aligned", dmarc->has_dkim_aligned);
    json_set_string(object, "reason", dmarc->reason);
    return object;
}

static struct json *arc_json(const struct arc_facts *facts, const struct arc_verdict *arc)
{
    struct json *object = json_new_object(), *sets = json_new_array();
    json_set_string(object, "result", authentication_results_word(arc->result));
    for (uint32_t i = 0; arc->by_set && i < facts->count; i++) {
        struct json *set = json_new_object();
        json_set_number(set, "instance", i + 1);
        json_set_string(set, "cv", arc_cv_name(facts->sets[i].cv));
        json_set(set, "seal", dkim_json(&facts->sets[i].seal, &arc->by_set[i].seal));
        json_set(set, "message", dkim_json(&facts->sets[i].message, &arc->by_set[i].message));
        json_add(sets, set);
    }
    json_set(object, "sets", sets);
    json_set_string(object, "reason", arc->reason == ARC_GOOD ? "" : arc_reason_name(arc->reason));
    return object;
}

static struct json *from_json(const struct from_domains *from)
{
    struct json *object = json_new_object(), *domains = json_new_array(), *oddities = json_new_array();
    for (uint32_t i = 0; i < from->count; i++) json_add_text(domains, from->domains[i]);
    for (int i = 0; i < FROM_ODDITY_COUNT; i++)
        if (from_has(from, (enum from_oddity)i))
            json_add_text(oddities, text_of(from_oddity_name((enum from_oddity)i)));
    json_set(object, "domains", domains);
    json_set(object, "oddities", oddities);
    return object;
}

static struct json *list_json(const struct auth_report *report)
{
    struct json *object = json_new_object();
    json_set_text(object, "id", report->facts->list.id);
    json_set_text(object, "domain", report->list_domain);
    json_set_bool(object, "altered_post",
                  list_excuse_is_altered_post(report->facts, &report->authentication));
    return object;
}

void auth_report_print_json(const struct auth_report *report)
{
    struct json *object = json_new_object();
    json_set(object, "spf", spf_json(&report->spf.sender));
    json_set(object, "spf_helo", spf_json(&report->spf.helo));
    if (report->facts) {
        const struct dkim_facts *dkim = &report->facts->signatures.dkim;
        struct json *signatures = json_new_array();
        for (uint32_t i = 0; i < dkim->count; i++)
            json_add(signatures, dkim_json(&dkim->signatures[i], &report->authentication.dkim[i]));
        json_set(object, "from", from_json(&report->facts->from));
        json_set(object, "dkim", signatures);
        json_set_number(object, "dkim_unread", dkim->unread);
        json_set(object, "dmarc", dmarc_json(&report->authentication.dmarc));
        if (report->facts->list.id.length > 0) json_set(object, "list", list_json(report));
        json_set(object, "arc", arc_json(&report->facts->signatures.arc, &report->authentication.arc));
    }
    json_set_number(object, "questions", report->answers->count);
    json_set_bool(object, "late", report->is_late);
    json_print(object, stdout, true);
}
