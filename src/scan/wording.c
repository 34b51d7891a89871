/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Words of a verdict; nothing is decided here. */
#include "scan/wording.h"

#include <math.h>
#include <stdio.h>

#include "config/spam_lines.h"
#include "mail/envelope.h"
#include "scan/authenticate.h"
#include "scan/entry_match.h"
#include "scan/opinions.h"
#include "scan/rate_weight.h"
#include "spam/score.h"

enum { LINE_WIDTH = 76, NAME_MOST = 200, FINDINGS_SHOWN = 5 };

const char *wording_state(enum scan_state state)
{
    static const char *const names[] = {
        [SCAN_NOT_ASKED] = "off", [SCAN_CLEAN] = "clean",         [SCAN_FOUND] = "found",
        [SCAN_LIMITS] = "limits", [SCAN_UNSCANNED] = "unscanned", [SCAN_CLOSED] = "closed"
    };
    return names[state];
}

/* Printable ASCII without quotes, so that it stands in a reply, a header and a log line alike. */
static void add_ascii(struct buffer *out, struct text text)
{
    text = text_slice(text, 0, NAME_MOST);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        buffer_add_char(out, char_is_printable(c) && c != '"' && c != '\\' ? c : '?');
    }
}

static struct text take(struct arena *arena, struct buffer *buffer)
{
    struct text text = arena_text(arena, buffer_text(buffer));
    buffer_free(buffer);
    return text;
}

/* --- the reason --- */

/* "Eicar-Test-Signature (clamav; in invoice.zip)" */
static void add_finding(struct buffer *out, const struct virus_finding *finding)
{
    const char *separator = " (";
    add_ascii(out, finding->name);
    if (finding->engine.length) {
        buffer_add_text(out, text_of(separator));
        add_ascii(out, finding->engine);
        separator = "; ";
    }
    if (finding->part.length) {
        buffer_printf(out, "%sin ", separator);
        add_ascii(out, finding->part);
    }
    if (finding->engine.length || finding->part.length) buffer_add_char(out, ')');
}

static void virus_reason(const struct facts *facts, const struct virus_finding *why, struct buffer *out)
{
    static const char *const reasons[VIRUS_CLASS_COUNT] = {
        [VIRUS_CLASS_VIRUS] = "virus found: ",
        [VIRUS_CLASS_PHISHING] = "phishing found: ",
        [VIRUS_CLASS_SPAM] = "known spam found: ",
        [VIRUS_CLASS_PUA] = "an unwanted program was found: ",
        [VIRUS_CLASS_ENCRYPTED] = "an encrypted file could not be scanned: ",
        [VIRUS_CLASS_NOT_OPENED] = "a file could not be opened to be scanned: ",
        [VIRUS_CLASS_LIMITS] = "the message could not be scanned whole: ",
    };
    if (why) {
        buffer_add_text(out, text_of(reasons[why->class]));
        add_finding(out, why);
    } else if (facts->virus == SCAN_UNSCANNED) {
        buffer_add_text(out, TEXT("the message could not be scanned for viruses, try again later"));
    } else if (facts->ambiguous) {
        buffer_add_text(out, TEXT("parts of the message can be read in more than one way"));
    } else {
        buffer_add_text(out, TEXT("not every engine could scan the message"));
    }
}

/* "mail from example.com is blocked here (entry 3)": who reads it can name the entry. */
static void blocked_reason(struct arena *arena, const struct sender_entry *entry, struct buffer *out)
{
    struct buffer what = { 0 };
    sender_entry_print_what(entry, &what);
    buffer_add_text(out, entry->kind == ENTRY_ANYBODY ? TEXT("the message") : TEXT("mail from "));
    if (entry->kind != ENTRY_ANYBODY) add_ascii(out, buffer_text(&what));
    buffer_printf(out, " is blocked here (entry %.*s)", TEXT_ARG(entry_match_number(arena, entry)));
    buffer_free(&what);
}

static struct text reason_text(struct arena *arena, const struct facts *facts,
                               const struct reason_basis *basis, const struct verdict *verdict)
{
    struct buffer out = { 0 };
    bool is_acted_on = false;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].action != ACTION_ACCEPT) is_acted_on = true;
    if (!is_acted_on) return TEXT_NONE;
    if (basis->cause == CAUSE_DMARC) return authenticate_reason(arena, basis->authentication);
    if (basis->cause == CAUSE_VIRUS)
        virus_reason(facts, basis->why, &out);
    else if (basis->cause == CAUSE_BLOCKED)
        blocked_reason(arena, basis->blocking, &out);
    else if (basis->cause == CAUSE_RATE)
        rate_reason(basis->rate, &out);
    else if (verdict->code == 451)
        buffer_add_text(&out, TEXT("a second opinion on the message could not be had, try again later"));
    else if (verdict->newsletter.length && !verdict->is_spam)
        buffer_add_text(&out, TEXT("newsletters are not taken here"));
    else
        buffer_printf(&out, "the message looks like spam (%.1f points)", verdict->score);
    return take(arena, &out);
}

/* --- the header --- */

/* Adds a word to a header line, on a new line when it would be too wide. */
static void add_folded(struct buffer *out, size_t *width, const char *word)
{
    size_t length = strlen(word);
    if (*width + length > LINE_WIDTH) {
        buffer_add_text(out, TEXT("\r\n\t"));
        *width = 8;
    }
    buffer_add(out, word, length);
    *width += length;
}

static void add_required(struct buffer *out, double required)
{
    if (isinf(required))
        buffer_add_text(out, TEXT(" required=never tests="));
    else
        buffer_printf(out, " required=%.1f tests=", required);
}

static void add_spam_status(struct buffer *out, const struct verdict *verdict, double required,
                            bool is_tagged)
{
    size_t start = buffer_length(out);
    buffer_printf(out, "X-Spam-Status: %s, score=%.1f", is_tagged ? "Yes" : "No", verdict->score);
    add_required(out, required);
    size_t width = buffer_length(out) - start;
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        const struct signal *signal = &verdict->signals[i];
        char word[96];
        snprintf(word, sizeof word, "%.*s=%.1f%s", (int)(signal->name.length < 64 ? signal->name.length : 64),
                 signal->name.at, score_sum(signal, 1), i + 1 < verdict->signal_count ? "," : "");
        add_folded(out, &width, word);
    }
    if (verdict->signal_count == 0) add_folded(out, &width, "none");
    buffer_add_text(out, TEXT("\r\n"));
    if (is_tagged) buffer_add_text(out, TEXT("X-Spam-Flag: YES\r\n"));
}

/* Fields that begin so are taken out of what comes: nobody else writes one. */
static void add_opinions(struct buffer *out, const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        const struct signal *signal = &verdict->signals[i];
        if (!opinions_has_said(signal)) continue;
        struct text about = signal->about;
        size_t colon = text_find_char(about, ':');
        buffer_printf(out, "X-Sekimori-Opinion: %.*s ", TEXT_ARG(signal->name));
        add_ascii(out, text_slice(about, 0, colon));
        if (colon < about.length) buffer_add_text(out, TEXT("\r\n\t"));
        add_ascii(out, text_trim(text_slice(about, colon + 1, about.length)));
        buffer_add_text(out, TEXT("\r\n"));
    }
}

static bool is_incomplete(const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->virus_finding_count; i++)
        if (facts->virus_findings[i].class > VIRUS_CLASS_PUA) return true;
    return false;
}

static void add_virus_scanned(struct buffer *out, const struct facts *facts)
{
    if (facts->virus == SCAN_NOT_ASKED) return;
    buffer_add_text(out, TEXT("X-Virus-Scanned: "));
    if (facts->virus == SCAN_UNSCANNED || facts->engine.length == 0) {
        buffer_add_text(out, TEXT("unscanned\r\n"));
        return;
    }
    buffer_add_text(out, TEXT("Sekimori ("));
    add_ascii(out, facts->engine);
    for (uint32_t i = 0; i < facts->virus_finding_count && i < FINDINGS_SHOWN; i++) {
        const struct virus_finding *finding = &facts->virus_findings[i];
        buffer_printf(out, ";\r\n\t%s ",
                      finding->class <= VIRUS_CLASS_PUA ? "found"
                                                        : evidence_virus_class_name(finding->class));
        add_ascii(out, finding->name);
        if (finding->part.length == 0) continue;
        buffer_add_text(out, TEXT("\r\n\t in "));
        add_ascii(out, finding->part);
    }
    buffer_add_text(out, is_incomplete(facts) ? TEXT(";\r\n\tincomplete)\r\n") : TEXT(")\r\n"));
}

/* Programs sort by it, and a report says by it which one it is. A virus or phishing is what is said first. */
static void add_class(struct buffer *out, const struct facts *facts, const struct verdict *verdict,
                      bool is_tagged)
{
    if (verdict->newsletter.length == 0 || facts_are_infected(facts)) return;
    buffer_printf(out, "X-Sekimori-Class: newsletter;\r\n\tname=%.*s;\r\n\tdomain=%.*s%s\r\n",
                  TEXT_ARG(verdict->newsletter), TEXT_ARG(verdict->newsletter_of),
                  is_tagged ? "; tagged=yes" : "");
}

static bool is_spam_judged(const struct config *config, const struct occasion *occasion)
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++)
        if (config_spam_lines(config, occasion->recipients[i]).mode != MODE_OFF) return true;
    return false;
}

struct text wording_status(struct arena *arena, const struct config *config, const struct occasion *occasion,
                           const struct facts *facts, const struct verdict *verdict,
                           const struct status_wish *wish)
{
    struct buffer out = { 0 };
    if (is_spam_judged(config, occasion)) {
        add_spam_status(&out, verdict, wish->required, wish->is_tagged);
        add_opinions(&out, verdict);
        add_class(&out, facts, verdict, wish->is_tagged || wish->is_newsletter_tagged);
    }
    add_virus_scanned(&out, facts);
    return take(arena, &out);
}

/* --- the summary --- */

/* As it is configured: what is delivered with a warning, or with both, is no mail that is tagged. */
enum { SHOWN_WARN = ACTION_DEFER + 1, SHOWN_TAG_WARN, SHOWN_COUNT };

static unsigned shown_action(enum action action, struct edit_set edits)
{
    if (action != ACTION_TAG) return action;
    if (edit_set_has(edits, EDIT_WARNING)) return SHOWN_WARN;
    return edit_set_has(edits, EDIT_TAG_WARNING) ? SHOWN_TAG_WARN : ACTION_TAG;
}

static const char *shown_name(unsigned shown)
{
    if (shown == SHOWN_WARN) return "warn";
    return shown == SHOWN_TAG_WARN ? "tag+warn" : evidence_action_name((enum action)shown);
}

/* "tag" when all are alike, else "accept:2,quarantine:1". `orders` NULL: of what is only observed. */
static void add_actions(struct buffer *out, const struct verdict *verdict, const struct recipe_order *orders)
{
    uint32_t counts[SHOWN_COUNT] = { 0 };
    const char *separator = "";
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        counts[orders ? shown_action(verdict->recipients[i].action, orders[i].kinds)
                      : (unsigned)verdict->recipients[i].observed]++;
    for (unsigned action = 0; action < SHOWN_COUNT; action++) {
        if (counts[action] == 0) continue;
        buffer_printf(out, "%s%s", separator, shown_name(action));
        if (counts[action] < verdict->recipient_count) buffer_printf(out, ":%u", counts[action]);
        separator = ",";
    }
}

static bool has_observed(const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].observed != ACTION_ACCEPT) return true;
    return false;
}

static void add_findings(struct buffer *out, const struct facts *facts)
{
    if (facts->virus_finding_count == 0 && facts->virus_name.length) {
        buffer_add_text(out, TEXT(" name=\""));
        add_ascii(out, facts->virus_name);
        buffer_add_char(out, '"');
    }
    for (uint32_t i = 0; i < facts->virus_finding_count && i < FINDINGS_SHOWN; i++) {
        const struct virus_finding *finding = &facts->virus_findings[i];
        buffer_printf(out, " class=%s name=\"", evidence_virus_class_name(finding->class));
        add_ascii(out, finding->name);
        buffer_add_text(out, TEXT("\" engine=\""));
        add_ascii(out, finding->engine);
        buffer_add_text(out, TEXT("\" part=\""));
        add_ascii(out, finding->part);
        buffer_add_char(out, '"');
    }
}

static void add_opinions_said(struct buffer *out, const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        if (!opinions_has_said(&verdict->signals[i])) continue;
        buffer_printf(out, " opinion=\"%.*s ", TEXT_ARG(verdict->signals[i].name));
        add_ascii(out, verdict->signals[i].about);
        buffer_add_char(out, '"');
    }
}

static struct text summary_text(struct arena *arena, const struct facts *facts,
                                const struct recipe_order *orders, const struct verdict *verdict)
{
    struct buffer out = { 0 };
    buffer_add_text(&out, TEXT("action="));
    add_actions(&out, verdict, orders);
    if (has_observed(verdict)) {
        buffer_add_text(&out, TEXT(" observed="));
        add_actions(&out, verdict, NULL);
    }
    buffer_printf(&out, " score=%.1f virus=%s", verdict->score, wording_state(facts->virus));
    add_findings(&out, facts);
    if (verdict->newsletter.length && !facts_are_infected(facts))
        buffer_printf(&out, " class=%s newsletter=%.*s/%.*s", verdict->is_spam ? "spam" : "newsletter",
                      TEXT_ARG(verdict->newsletter), TEXT_ARG(verdict->newsletter_of));
    if (facts->ambiguous) buffer_add_text(&out, TEXT(" ambiguous=yes"));
    if (facts->findings.length) buffer_printf(&out, " findings=%.*s", TEXT_ARG(facts->findings));
    if (verdict->tenancy != TENANCY_NOT_ASKED)
        buffer_printf(&out, " direction=%s tenant=%s", verdict->direction == DIRECTION_OUT ? "out" : "in",
                      evidence_tenancy_name(verdict->tenancy));
    authenticate_summary(&verdict->proof, &out);
    add_opinions_said(&out, verdict);
    for (uint32_t i = 0; i < verdict->signal_count; i++)
        buffer_printf(&out, "%s%.*s=%.1f", i ? "," : " tests=",
                      (int)(verdict->signals[i].name.length < 64 ? verdict->signals[i].name.length : 64),
                      verdict->signals[i].name.at, score_sum(&verdict->signals[i], 1));
    return take(arena, &out);
}

static enum refusal_kind refusal_of(const struct facts *facts, const struct virus_finding *why,
                                    enum verdict_cause cause, bool is_deferred)
{
    static const enum refusal_kind kinds[VIRUS_CLASS_COUNT] = { [VIRUS_CLASS_VIRUS] = REFUSAL_VIRUS,
                                                                [VIRUS_CLASS_PHISHING] = REFUSAL_SPAM,
                                                                [VIRUS_CLASS_SPAM] = REFUSAL_SPAM,
                                                                [VIRUS_CLASS_PUA] = REFUSAL_VIRUS,
                                                                [VIRUS_CLASS_ENCRYPTED] = REFUSAL_ATTACHMENT,
                                                                [VIRUS_CLASS_NOT_OPENED] = REFUSAL_ATTACHMENT,
                                                                [VIRUS_CLASS_LIMITS] = REFUSAL_ATTACHMENT };
    if (cause == CAUSE_DMARC) return REFUSAL_DMARC;
    if (cause == CAUSE_BLOCKED) return REFUSAL_POLICY;
    if (cause == CAUSE_SPAM) return is_deferred ? REFUSAL_NONE : REFUSAL_SPAM;
    if (why) return kinds[why->class];
    return facts->virus == SCAN_UNSCANNED ? REFUSAL_NONE : REFUSAL_ATTACHMENT;
}

void wording_write(struct arena *arena, const struct facts *facts, const struct reason_basis *basis,
                   const struct recipe_order *orders, struct verdict *out)
{
    out->reason = reason_text(arena, facts, basis, out);
    out->kind =
        out->reason.length ? refusal_of(facts, basis->why, basis->cause, out->code == 451) : REFUSAL_NONE;
    out->summary = summary_text(arena, facts, orders, out);
}
