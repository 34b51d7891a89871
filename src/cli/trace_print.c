/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message is a paragraph: its head, then each recipient with its steps in order of time. */
#include "cli/trace_print.h"

#include <stdio.h>
#include <string.h>

#include "base/plain.h"
#include "cli/locale_words.h"
#include "cli/signal_words.h"
#include "cli/time_words.h"
#include "config/settings.h"
#include "ipc/ask_queue.h"
#include "ipc/message_id.h"
#include "judge/evidence.h"

enum { ADDRESS_COLUMNS = 80, SUBJECT_COLUMNS = 100, REPLY_COLUMNS = 240, SHORT_COLUMNS = 40 };

static void say(struct text text, size_t columns)
{
    struct buffer out = { 0 };
    plain_add(&out, text, columns);
    printf("%.*s", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
}

static const char *id_text(uint64_t id, char room[MESSAGE_ID_SIZE])
{
    return id ? message_id_print(id, room) : "-";
}

/* --- words for states --- */

static const char *recipient_state(const struct search_recipient *recipient)
{
    if (recipient->ending != ENDING_NONE) return ending_name(recipient->ending);
    if (recipient->hold == HOLD_QUARANTINE) return "quarantined";
    if (recipient->hold) return "held";
    bool is_deferred =
        recipient->step_count && recipient->steps[recipient->step_count - 1].kind == STEP_DEFERRED;
    return is_deferred ? "deferred" : "queued";
}

static const char *refusal_state(const struct search_hit *hit)
{
    if (hit->code == 0 && hit->stage != STAGE_UNKNOWN) return "aborted";
    if (hit->code && hit->code < 300) return "discarded";
    if (hit->class == CLASS_GREYLISTED) return "greylisted";
    return hit->code >= 500 ? "rejected" : "refused";
}

/* --- for people --- */

static void reply_say(struct text relay, struct text dsn, struct text reply)
{
    if (relay.length) {
        fputs(" relay=", stdout);
        say(relay, ADDRESS_COLUMNS);
    }
    if (dsn.length) {
        fputs(" dsn=", stdout);
        say(dsn, ADDRESS_COLUMNS);
    }
    if (reply.length) {
        fputs(" (", stdout);
        say(reply, REPLY_COLUMNS);
        putchar(')');
    }
    putchar('\n');
}

static void step_say(const struct search_step *step)
{
    char room[WHEN_SIZE];
    printf("      %s  %s", when_print(step->time_ms, true, room), step_name(step->kind));
    if (step->hold) printf(" as %s", hold_reason_name(step->hold));
    if (step->due_ms) printf(" until %s", when_print(step->due_ms, false, room));
    reply_say(step->relay, step->dsn, step->reply);
}

static void ending_say(const struct search_recipient *recipient)
{
    char room[WHEN_SIZE];
    printf("      %s  %s", when_print(recipient->ended_ms, true, room), ending_name(recipient->ending));
    reply_say(recipient->relay, recipient->dsn, recipient->reply);
}

/* What was done to it in the quarantine comes after its ending in the queue. */
static void steps_say(const struct search_recipient *recipient)
{
    size_t i = 0;
    bool has_ended = recipient->ending != ENDING_NONE;
    while (i < recipient->step_count && (!has_ended || recipient->steps[i].time_ms < recipient->ended_ms))
        step_say(&recipient->steps[i++]);
    if (has_ended) ending_say(recipient);
    while (i < recipient->step_count) step_say(&recipient->steps[i++]);
}

static void recipient_say(const struct search_recipient *recipient)
{
    char room[WHEN_SIZE];
    printf("    to <");
    say(recipient->address, ADDRESS_COLUMNS);
    printf(">  %s", recipient_state(recipient));
    if (recipient->hold && recipient->ending == ENDING_NONE)
        printf(" (%s)", hold_reason_name(recipient->hold));
    putchar('\n');
    if (recipient->accepted_ms) {
        printf("      %s  %s", when_print(recipient->accepted_ms, true, room),
               recipient->ending == ENDING_RELAYED ? "handed on while its client waited" : "accepted");
        if (recipient->action) printf(", %s", evidence_action_name(recipient->action));
        if (recipient->observed) printf(", only observed: %s", evidence_action_name(recipient->observed));
        putchar('\n');
    }
    steps_say(recipient);
}

static void judgement_say(const struct search_hit *hit)
{
    if (hit->subject.length) {
        fputs("    subject \"", stdout);
        say(hit->subject, SUBJECT_COLUMNS);
        fputs("\"\n", stdout);
    }
    if (!hit->is_judged && hit->class == CLASS_NONE) return;
    printf("    verdict %s", class_name(hit->class));
    if (hit->virus.length) {
        putchar(' ');
        say(hit->virus, ADDRESS_COLUMNS);
    }
    if (hit->is_judged) printf(", %.1f points", hit->score);
    if (hit->signals.length) {
        fputs(": ", stdout);
        say(hit->signals, REPLY_COLUMNS);
    }
    putchar('\n');
}

/* Which allow or block entry decided, and why others did not: a line each, by the signals that say so. */
static void entries_say(struct text signals)
{
    static const char *const prefixes[] = { "ALLOWED_", "BLOCKED_", "ALLOW_UNPROVEN_", "ENTRY_" };
    while (signals.length) {
        size_t comma = text_find_char(signals, ',');
        struct text one = text_slice(signals, 0, comma), name = text_slice(one, 0, text_find_char(one, '='));
        struct text number = text_slice(name, text_find_last_char(name, '_') + 1, name.length);
        signals = text_slice(signals, comma + 1, signals.length);
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
            if (text_starts(name, text_of(prefixes[i])))
                printf("    entry %.*s: %.*s\n", TEXT_ARG(number),
                       TEXT_ARG(signal_words_find(NULL, name, LANGUAGE_EN)));
    }
}

/* "spf=pass (example.jp)" */
static void result_say(const char *check, enum proof_result result, struct text domain)
{
    printf(" %s=%s", check, proof_result_word(result));
    if (!domain.length) return;
    fputs(" (", stdout);
    say(domain, ADDRESS_COLUMNS);
    putchar(')');
}

static void proof_say(const struct proof *proof)
{
    static const char *const excuses[PROOF_EXCUSE_COUNT] = {
        [PROOF_FORWARDER] = "; let pass: forwarded by a client that is trusted by ",
        [PROOF_SEALER] = "; let pass: seen to pass by ",
        [PROOF_LIST] = "; let pass: altered by a list that is known here, "
    };
    if (!proof->is_made) return;
    fputs("    authenticated:", stdout);
    result_say("spf", proof->spf, proof->spf_domain);
    result_say("dkim", proof->dkim, proof->dkim_domain);
    result_say("dmarc", proof->dmarc, proof->author);
    if (proof->arc != PROOF_NONE) result_say("arc", proof->arc, TEXT_NONE);
    if (proof->demand != PROOF_ASKS_NOTHING)
        printf("; its owner asks to %s it", proof->demand == PROOF_ASKS_REJECT ? "refuse" : "hold");
    if (proof->excuse != PROOF_NO_EXCUSE) {
        fputs(excuses[proof->excuse], stdout);
        say(proof->excuse_of, ADDRESS_COLUMNS);
    }
    putchar('\n');
}

/* Whoever wants the points and rules of a message that was judged. */
static void explain_say(const struct search_hit *hit)
{
    char room[MESSAGE_ID_SIZE];
    if (hit->is_judged && hit->id) printf("    why: sekimori explain %s\n", id_text(hit->id, room));
}

static void node_say(uint16_t number, struct text name)
{
    if (name.length)
        say(name, ADDRESS_COLUMNS);
    else
        printf("node %u", number);
}

static void hops_say(const char *what, const struct search_hop *hops, size_t count)
{
    char id[MESSAGE_ID_SIZE];
    for (size_t i = 0; i < count; i++) {
        printf("    %s ", what);
        node_say(hops[i].node, hops[i].node_name);
        printf(" as %s\n", message_id_print(hops[i].id, id));
    }
}

static void releases_say(const char *what, const struct search_hop *hops, size_t count)
{
    char id[MESSAGE_ID_SIZE];
    for (size_t i = 0; i < count; i++) printf("    %s %s\n", what, message_id_print(hops[i].id, id));
}

static void refusal_say(const struct search_hit *hit)
{
    fputs("    to <", stdout);
    say(hit->recipient, ADDRESS_COLUMNS);
    printf(">  %s at %s", refusal_state(hit), stage_name(hit->stage));
    if (hit->count > 1) printf(", %u like this", hit->count);
    reply_say(TEXT_NONE, TEXT_NONE, hit->reply);
}

/* Of a refusal all but its recipients. */
static void hit_say(const struct search_hit *hit)
{
    char id[MESSAGE_ID_SIZE], when[WHEN_SIZE];
    printf("%s  %s  %s", id_text(hit->id, id), when_print(hit->time_ms, true, when),
           hit->origin == 2                  ? "out of quarantine"
           : hit->origin                     ? "own"
           : hit->direction == DIRECTION_OUT ? "out"
                                             : "in");
    if (hit->node) {
        fputs("  at ", stdout);
        node_say(hit->node, hit->node_name);
    }
    fputs("  from <", stdout);
    say(hit->sender, ADDRESS_COLUMNS);
    putchar('>');
    if (hit->size)
        printf("  %llu %s", (unsigned long long)hit->size, text_word_for(hit->size, "byte", "bytes"));
    if (hit->client.length) {
        fputs("  client ", stdout);
        say(hit->client, ADDRESS_COLUMNS);
    }
    if (hit->helo.length) {
        fputs(" helo=", stdout);
        say(hit->helo, ADDRESS_COLUMNS);
    }
    putchar('\n');
    hops_say("came through", hit->came, hit->came_count);
    releases_say("is the release of", hit->originals, hit->original_count);
    if (hit->author.length) {
        fputs("    From: ", stdout);
        say(hit->author, SUBJECT_COLUMNS);
        putchar('\n');
    }
    judgement_say(hit);
    entries_say(hit->signals);
    proof_say(&hit->proof);
    explain_say(hit);
    for (size_t i = 0; i < hit->recipient_count; i++) recipient_say(&hit->recipients[i]);
    hops_say("went on to", hit->went, hit->went_count);
    releases_say("was released as", hit->releases, hit->release_count);
}

/* "and 2 more", with what became of those that fared otherwise than the first. */
static void others_say(const struct search_hit *hit)
{
    const char *separator = " (";
    printf(" and %zu more", hit->recipient_count - 1);
    for (size_t i = 1; i < hit->recipient_count; i++) {
        const char *state = recipient_state(&hit->recipients[i]);
        size_t k = 0;
        while (k < i && strcmp(recipient_state(&hit->recipients[k]), state) != 0) k++;
        if (k < i) continue;
        printf("%s%s", separator, state);
        separator = ", ";
    }
    if (*separator == ',') putchar(')');
}

/* `alike`: refusals of the same message, this one among them. */
static void hit_say_short(const struct search_hit *hit, size_t alike)
{
    char id[MESSAGE_ID_SIZE], when[WHEN_SIZE];
    const struct search_recipient *first = hit->recipient_count ? &hit->recipients[0] : NULL;
    printf("%-13s  %s  %-11s  %-10s  <", id_text(hit->id, id), when_print(hit->time_ms, false, when),
           first ? recipient_state(first) : refusal_state(hit),
           hit->is_judged || hit->class ? class_name(hit->class) : "-");
    say(hit->sender, SHORT_COLUMNS);
    fputs("> <", stdout);
    say(first ? first->address : hit->recipient, SHORT_COLUMNS);
    putchar('>');
    if (hit->recipient_count > 1) others_say(hit);
    if (alike > 1) printf(" and %zu more", alike - 1);
    if (hit->count > 1) printf(" and %u more", hit->count - 1);
    if (hit->subject.length) {
        fputs("  ", stdout);
        say(hit->subject, SHORT_COLUMNS);
    }
    putchar('\n');
}

/* --- JSON --- */

static struct json *step_json(const struct search_step *step)
{
    struct json *one = json_new_object();
    json_set_string(one, "step", step_name(step->kind));
    json_set_number(one, "time_ms", (int64_t)step->time_ms);
    if (step->hold) json_set_string(one, "hold", hold_reason_name(step->hold));
    if (step->due_ms) json_set_number(one, "due_ms", (int64_t)step->due_ms);
    json_set_text(one, "dsn", step->dsn);
    json_set_text(one, "relay", step->relay);
    json_set_text(one, "reply", step->reply);
    return one;
}

static struct json *recipient_json(const struct search_recipient *recipient)
{
    struct json *one = json_new_object(), *steps = json_new_array();
    json_set_text(one, "address", recipient->address);
    json_set_string(one, "state", recipient_state(recipient));
    json_set_string(one, "action", evidence_action_name(recipient->action));
    json_set_string(one, "observed", evidence_action_name(recipient->observed));
    json_set_string(one, "hold", hold_reason_name(recipient->hold));
    json_set_number(one, "accepted_ms", (int64_t)recipient->accepted_ms);
    for (size_t i = 0; i < recipient->step_count; i++) json_add(steps, step_json(&recipient->steps[i]));
    json_set(one, "steps", steps);
    if (recipient->ending == ENDING_NONE) return one;
    json_set_number(one, "ended_ms", (int64_t)recipient->ended_ms);
    json_set_text(one, "dsn", recipient->dsn);
    json_set_text(one, "relay", recipient->relay);
    json_set_text(one, "reply", recipient->reply);
    return one;
}

static struct json *hops_json(const struct search_hop *hops, size_t count)
{
    char id[MESSAGE_ID_SIZE];
    struct json *all = json_new_array();
    for (size_t i = 0; i < count; i++) {
        struct json *one = json_new_object();
        json_set_string(one, "id", message_id_print(hops[i].id, id));
        json_set_number(one, "node", hops[i].node);
        json_set_text(one, "node_name", hops[i].node_name);
        json_add(all, one);
    }
    return all;
}

/* As the words of `sekimori auth --json`. */
struct json *trace_print_proof(const struct proof *proof)
{
    struct json *all = json_new_object();
    const struct {
        const char *name;
        enum proof_result result;
        struct text domain;
    } checks[] = { { "spf", proof->spf, proof->spf_domain },
                   { "dkim", proof->dkim, proof->dkim_domain },
                   { "dmarc", proof->dmarc, proof->author },
                   { "arc", proof->arc, TEXT_NONE } };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct json *one = json_new_object();
        json_set_string(one, "result", proof_result_word(checks[i].result));
        json_set_text(one, "domain", checks[i].domain);
        json_set(all, checks[i].name, one);
    }
    json_set_string(all, "disposition", proof_demand_word(proof->demand));
    json_set_string(all, "excuse", proof->excuse ? proof_excuse_word(proof->excuse) : NULL);
    json_set_text(all, "excuse_of", proof->excuse_of);
    json_set_string(all, "fate", proof_fate_word(proof->fate));
    return all;
}

static struct json *hit_json(const struct search_hit *hit)
{
    char id[MESSAGE_ID_SIZE];
    struct json *one = json_new_object(), *recipients = json_new_array();
    json_set_string(one, "id", hit->id ? id_text(hit->id, id) : NULL);
    json_set_number(one, "time_ms", (int64_t)hit->time_ms);
    json_set_number(one, "node", hit->node);
    json_set_text(one, "node_name", hit->node_name);
    json_set(one, "came", hops_json(hit->came, hit->came_count));
    json_set(one, "went", hops_json(hit->went, hit->went_count));
    json_set(one, "release_of", hops_json(hit->originals, hit->original_count));
    json_set(one, "released_as", hops_json(hit->releases, hit->release_count));
    json_set_string(one, "direction", hit->direction == DIRECTION_OUT ? "out" : "in");
    json_set_bool(one, "own", hit->origin == 1);
    json_set_bool(one, "again", hit->origin == 2);
    json_set_bool(one, "accepted", !hit->is_refusal);
    json_set_text(one, "client", hit->client);
    json_set_text(one, "helo", hit->helo);
    json_set_text(one, "sender", hit->sender);
    json_set_number(one, "size", (int64_t)hit->size);
    json_set_string(one, "class", hit->is_judged || hit->class ? class_name(hit->class) : NULL);
    if (hit->is_judged) json_set_real(one, "score", hit->score);
    json_set_text(one, "virus", hit->virus);
    json_set_text(one, "engine", hit->engine);
    json_set_text(one, "signals", hit->signals);
    json_set_text(one, "subject", hit->subject);
    json_set_text(one, "message_id", hit->message_id);
    json_set_text(one, "author", hit->author);
    if (hit->proof.is_made) json_set(one, "authentication", trace_print_proof(&hit->proof));
    for (size_t i = 0; i < hit->recipient_count; i++)
        json_add(recipients, recipient_json(&hit->recipients[i]));
    if (hit->is_refusal) {
        struct json *refused = json_new_object();
        json_set_text(refused, "address", hit->recipient);
        json_set_string(refused, "state", refusal_state(hit));
        json_set_string(refused, "stage", stage_name(hit->stage));
        json_set_number(refused, "code", hit->code);
        json_set_number(refused, "count", hit->count);
        json_set_text(refused, "reply", hit->reply);
        json_add(recipients, refused);
    }
    json_set(one, "recipients", recipients);
    return one;
}

/* --- all --- */

/* Both are refusals of one message, for a recipient each. */
static bool is_of_one_message(const struct search_hit *a, const struct search_hit *b)
{
    return a->is_refusal && b->is_refusal && a->id && a->id == b->id && a->class == b->class &&
           text_equal(a->signals, b->signals);
}

/* The hit at `position` with those behind it that refuse the same message. Nothing where one before it was
   said with it. */
static void hit_print(const struct search_result *result, size_t position, bool is_short)
{
    const struct search_hit *hits = result->hits, *hit = &hits[position];
    size_t alike = 0;
    for (size_t i = 0; i < position; i++)
        if (is_of_one_message(&hits[i], hit)) return;
    for (size_t i = position; i < result->count; i++) alike += is_of_one_message(&hits[i], hit);
    if (is_short) {
        hit_say_short(hit, alike);
        return;
    }
    hit_say(hit);
    if (hit->is_refusal && alike == 0) refusal_say(hit);
    for (size_t i = position; i < result->count; i++)
        if (is_of_one_message(&hits[i], hit)) refusal_say(&hits[i]);
}

void trace_begin(struct trace_output *output)
{
    if (output->is_json) output->hits = json_new_array();
}

void trace_print(struct trace_output *output, const struct search_result *result, size_t most)
{
    output->most = most;
    output->is_cut |= result->is_cut;
    output->has_lone_character |= result->has_lone_character;
    for (size_t i = 0; i < result->count; i++, output->shown++) {
        if (output->is_json)
            json_add(output->hits, hit_json(&result->hits[i]));
        else
            hit_print(result, i, output->is_short);
    }
}

void trace_end(struct trace_output *output)
{
    if (output->has_lone_character)
        fputs("sekimori trace: --subject: in Japanese at least two characters in a row are needed; one finds "
              "only where it stands alone\n",
              stderr);
    if (!output->is_json) {
        if (output->shown == 0) puts(locale_words_say(N_("nothing found")));
        if (output->is_cut)
            printf(locale_words_say(N_("the newest %zu are shown, there are more: --most, or less time\n")),
                   output->most);
        return;
    }
    struct json *all = json_new_object();
    json_set(all, "hits", output->hits);
    json_set_number(all, "shown", (int64_t)output->shown);
    json_set_number(all, "most", (int64_t)output->most);
    json_set_bool(all, "more", output->is_cut);
    json_print(all, stdout, true);
}
