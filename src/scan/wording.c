/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Words of a verdict; nothing is decided here. */
#include "scan/wording.h"

#include <math.h>
#include <stdio.h>

#include "config/domains.h"
#include "mail/envelope.h"
#include "scan/authenticate.h"
#include "spam/score.h"

enum { LINE_WIDTH = 76, NAME_MOST = 200 };

const char *wording_state(enum scan_state state)
{
    static const char *const names[] = { [SCAN_NOT_ASKED] = "off",
                                         [SCAN_CLEAN] = "clean",
                                         [SCAN_FOUND] = "found",
                                         [SCAN_LIMITS] = "limits",
                                         [SCAN_UNSCANNED] = "unscanned" };
    return names[state];
}

/* Printable ASCII without quotes, so that it stands in a reply, a header and a log line alike. */
static void add_ascii(struct buffer *out, struct text text)
{
    text = text_slice(text, 0, NAME_MOST);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        buffer_add_char(out, c >= 0x20 && c < 0x7F && c != '"' && c != '\\' ? c : '?');
    }
}

static struct text take(struct arena *arena, struct buffer *buffer)
{
    struct text text = arena_text(arena, buffer_text(buffer));
    buffer_free(buffer);
    return text;
}

/* --- the reason --- */

static void virus_reason(const struct facts *facts, struct buffer *out)
{
    static const char *const reasons[] = {
        [SCAN_NOT_ASKED] = "", /* the check did not run: it asks for nothing */
        [SCAN_CLEAN] = "parts of the message can be read in more than one way",
        [SCAN_FOUND] = "virus found: ",
        [SCAN_LIMITS] = "the message could not be scanned whole: ",
        [SCAN_UNSCANNED] = "the message could not be scanned for viruses",
    };
    buffer_add_text(out, text_of(reasons[facts->virus]));
    if (facts->virus == SCAN_FOUND || facts->virus == SCAN_LIMITS) add_ascii(out, facts->virus_name);
    if (facts->virus == SCAN_UNSCANNED) buffer_add_text(out, TEXT(", try again later"));
}

static struct text reason_text(struct arena *arena, const struct facts *facts,
                               const struct auth_judgement *authentication, enum verdict_cause cause,
                               const struct verdict *verdict)
{
    struct buffer out = { 0 };
    bool is_acted_on = false;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].action != ACTION_ACCEPT) is_acted_on = true;
    if (!is_acted_on) return TEXT_NONE;
    if (cause == CAUSE_DMARC) return authenticate_reason(arena, authentication);
    if (cause == CAUSE_VIRUS)
        virus_reason(facts, &out);
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

static void add_spam_status(struct buffer *out, const struct config *config, const struct verdict *verdict,
                            bool is_tagged)
{
    size_t start = buffer_length(out);
    buffer_printf(out, "X-Spam-Status: %s, score=%.1f", is_tagged ? "Yes" : "No", verdict->score);
    add_required(out, config->spam.tag);
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
    if (facts->virus == SCAN_FOUND) {
        buffer_add_text(out, TEXT(";\r\n\tfound "));
        add_ascii(out, facts->virus_name);
    }
    buffer_add_text(out, facts->virus == SCAN_LIMITS ? TEXT("; incomplete)\r\n") : TEXT(")\r\n"));
}

static bool is_spam_judged(const struct config *config, const struct occasion *occasion)
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++) {
        struct text name = envelope_domain_of(occasion->recipients[i]);
        if (config_spam_mode(config, config_find_domain(config, name)) != MODE_OFF) return true;
    }
    return false;
}

struct text wording_status(struct arena *arena, const struct config *config, const struct occasion *occasion,
                           const struct facts *facts, const struct verdict *verdict, bool is_tagged)
{
    struct buffer out = { 0 };
    if (is_spam_judged(config, occasion)) add_spam_status(&out, config, verdict, is_tagged);
    add_virus_scanned(&out, facts);
    return take(arena, &out);
}

/* --- the summary --- */

/* "tag" when all are alike, else "accept:2,quarantine:1". */
static void add_actions(struct buffer *out, const struct verdict *verdict, bool is_observed)
{
    uint32_t counts[ACTION_DEFER + 1] = { 0 };
    const char *separator = "";
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        counts[is_observed ? verdict->recipients[i].observed : verdict->recipients[i].action]++;
    for (unsigned action = 0; action <= ACTION_DEFER; action++) {
        if (counts[action] == 0) continue;
        buffer_printf(out, "%s%s", separator, evidence_action_name(action));
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

static struct text summary_text(struct arena *arena, const struct facts *facts, const struct verdict *verdict)
{
    struct buffer out = { 0 };
    buffer_add_text(&out, TEXT("action="));
    add_actions(&out, verdict, false);
    if (has_observed(verdict)) {
        buffer_add_text(&out, TEXT(" observed="));
        add_actions(&out, verdict, true);
    }
    buffer_printf(&out, " score=%.1f virus=%s", verdict->score, wording_state(facts->virus));
    if (facts->virus_name.length) {
        buffer_add_text(&out, TEXT(" name=\""));
        add_ascii(&out, facts->virus_name);
        buffer_add_char(&out, '"');
    }
    if (facts->ambiguous) buffer_add_text(&out, TEXT(" ambiguous=yes"));
    if (facts->findings.length) buffer_printf(&out, " findings=%.*s", TEXT_ARG(facts->findings));
    if (verdict->tenancy != TENANCY_NOT_ASKED)
        buffer_printf(&out, " direction=%s tenant=%s", verdict->direction == DIRECTION_OUT ? "out" : "in",
                      evidence_tenancy_name(verdict->tenancy));
    authenticate_summary(&verdict->proof, &out);
    for (uint32_t i = 0; i < verdict->signal_count; i++)
        buffer_printf(&out, "%s%.*s=%.1f", i ? "," : " tests=",
                      (int)(verdict->signals[i].name.length < 64 ? verdict->signals[i].name.length : 64),
                      verdict->signals[i].name.at, score_sum(&verdict->signals[i], 1));
    return take(arena, &out);
}

static enum refusal_kind refusal_of(const struct facts *facts, enum verdict_cause cause)
{
    static const enum refusal_kind kinds[] = { [SCAN_CLEAN] = REFUSAL_ATTACHMENT,
                                               [SCAN_FOUND] = REFUSAL_VIRUS,
                                               [SCAN_LIMITS] = REFUSAL_ATTACHMENT,
                                               [SCAN_UNSCANNED] = REFUSAL_NONE };
    if (cause == CAUSE_DMARC) return REFUSAL_DMARC;
    return cause == CAUSE_VIRUS ? kinds[facts->virus] : REFUSAL_SPAM;
}

void wording_write(struct arena *arena, const struct facts *facts,
                   const struct auth_judgement *authentication, enum verdict_cause cause, struct verdict *out)
{
    out->reason = reason_text(arena, facts, authentication, cause, out);
    out->kind = out->reason.length ? refusal_of(facts, cause) : REFUSAL_NONE;
    out->summary = summary_text(arena, facts, out);
}
