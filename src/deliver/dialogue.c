/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is said next to a server, and what its replies mean. */
#include "deliver/dialogue.h"

#include <stdio.h>

#include "deliver/dialogue_stage.h"
#include "deliver/step_proof.h"

enum { REFUSAL_MOST = 480 };

void dialogue_start(struct dialogue *dialogue, struct text helo, enum tls_level tls, bool smtputf8_allowed)
{
    *dialogue = (struct dialogue){ .helo = helo, .tls = tls, .smtputf8_allowed = smtputf8_allowed };
}

void dialogue_connected(struct dialogue *dialogue)
{
    dialogue->state = DIALOGUE_GREETING;
}

static void fail(struct dialogue *dialogue, uint16_t code, struct text enhanced, struct text reason)
{
    int length = snprintf(dialogue->failure_room, sizeof dialogue->failure_room, "%.*s %s", TEXT_ARG(reason),
                          dialogue_stage(dialogue));
    size_t most = sizeof dialogue->failure_room - 1;
    dialogue->failure.code = code;
    dialogue->failure.is_unconnected = dialogue->state == DIALOGUE_CONNECTING;
    dialogue->failure.reason =
        text_from(dialogue->failure_room, (size_t)length < most ? (size_t)length : most);
    snprintf(dialogue->failure_status, sizeof dialogue->failure_status, "%.*s", TEXT_ARG(enhanced));
    dialogue->failure.enhanced = text_of(dialogue->failure_status);
    dialogue->state = DIALOGUE_OVER;
}

/* No session with this server: another one of the route may do. What it said is told as it said it. */
static enum dialogue_action refuse(struct dialogue *dialogue, const struct smtp_reply *reply,
                                   struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct text said =
        arena_printf(arena, "%u %.*s%s%.*s", reply->code, TEXT_ARG(reply->enhanced),
                     reply->enhanced.length ? " " : "", TEXT_ARG(reply_join(arena, reply, REFUSAL_MOST)));
    fail(dialogue, reply->code, reply->enhanced.length ? reply->enhanced : TEXT("4.3.2"), said);
    arena_free(arena);
    buffer_add_text(out, TEXT("QUIT\r\n"));
    return DIALOGUE_CLOSE;
}

static enum dialogue_action refuse_by_us(struct dialogue *dialogue, struct text enhanced, struct text reason,
                                         struct buffer *out)
{
    fail(dialogue, 0, enhanced, reason);
    buffer_add_text(out, TEXT("QUIT\r\n"));
    return DIALOGUE_CLOSE;
}

static void greet(struct dialogue *dialogue, const char *verb, enum dialogue_state state, struct buffer *out)
{
    buffer_printf(out, "%s %.*s\r\n", verb, TEXT_ARG(dialogue->helo));
    dialogue->state = state;
}

static bool needs_tls(const struct dialogue *dialogue)
{
    return dialogue->tls >= TLS_REQUIRED && !dialogue->is_secure;
}

static enum dialogue_action session_stands(struct dialogue *dialogue, struct buffer *out)
{
    if (dialogue->tls != TLS_OFF && !dialogue->is_secure && dialogue->offered.starttls) {
        buffer_add_text(out, TEXT("STARTTLS\r\n"));
        dialogue->state = DIALOGUE_STARTTLS;
        return DIALOGUE_WAIT;
    }
    if (needs_tls(dialogue))
        return refuse_by_us(dialogue, TEXT("4.7.4"), TEXT("TLS is required, but was not offered"), out);
    dialogue->state = DIALOGUE_IDLE;
    return DIALOGUE_READY;
}

static enum dialogue_action ehlo_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                       struct buffer *out)
{
    if (reply->code / 100 == 2) {
        smtp_capabilities_parse(reply, &dialogue->offered);
        return session_stands(dialogue, out);
    }
    if (reply->code < 500 || needs_tls(dialogue)) return refuse(dialogue, reply, out);
    greet(dialogue, "HELO", DIALOGUE_HELO, out); /* RFC 5321 section 3.2 */
    return DIALOGUE_WAIT;
}

static enum dialogue_action helo_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                       struct buffer *out)
{
    if (reply->code / 100 != 2) return refuse(dialogue, reply, out);
    dialogue->offered = (struct smtp_capabilities){ 0 };
    return session_stands(dialogue, out);
}

static enum dialogue_action misfit(struct dialogue *dialogue, const struct smtp_reply *reply);

static enum dialogue_action starttls_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                           struct buffer *out)
{
    if (reply->code == 220) {
        dialogue->state = DIALOGUE_HANDSHAKE;
        return DIALOGUE_SECURE;
    }
    if (reply->code < 400) return misfit(dialogue, reply);
    if (needs_tls(dialogue)) return refuse(dialogue, reply, out);
    dialogue->offered.starttls = false;
    return session_stands(dialogue, out);
}

enum dialogue_action dialogue_secured(struct dialogue *dialogue, struct buffer *out)
{
    dialogue->is_secure = true;
    greet(dialogue, "EHLO", DIALOGUE_EHLO, out); /* RFC 3207 section 4.2: what was offered before is void */
    return DIALOGUE_WAIT;
}

/* --- the transaction --- */

/* Commands of a transaction by position: 0 MAIL, then one RCPT each, then DATA, BDAT or RSET. */
static uint32_t last_command(const struct dialogue *dialogue)
{
    return dialogue->asked + 1;
}

static void put_command(struct dialogue *dialogue, uint32_t position, struct buffer *out)
{
    const struct handover *handover = dialogue->handover;
    if (position == 0)
        handover_put_mail(handover, &dialogue->offered, out);
    else if (position <= dialogue->asked)
        handover_put_rcpt(handover, &dialogue->offered, dialogue->order[position - 1], out);
    else if (handover->is_probe)
        buffer_add_text(out, dialogue->trust == TRUST_NONE ? TEXT("QUIT\r\n") : TEXT("RSET\r\n"));
    else if (dialogue->content_is_bdat)
        buffer_printf(out, "BDAT %llu LAST\r\n", (unsigned long long)handover->length);
    else
        buffer_add_text(out, TEXT("DATA\r\n"));
}

static bool any_taken(const struct dialogue *dialogue)
{
    for (uint32_t i = 0; i < dialogue->asked; i++)
        if (dialogue->handover->states[dialogue->order[i]] == RECIPIENT_TAKEN) return true;
    return false;
}

/* Whether the command at `position` may go out before earlier ones are answered. RFC 2920 section 3.1: DATA
   may be the last of a group; BDAT carries its content along, so a large one waits. */
static bool may_send(const struct dialogue *dialogue, uint32_t position)
{
    if (dialogue->replied == position && !dialogue->xclient_is_due) return true;
    if (!dialogue->offered.pipelining) return false;
    bool is_content = position == last_command(dialogue);
    if (is_content && dialogue->handover->one_fate && dialogue->asked > 1) return false;
    if (position < last_command(dialogue) || !dialogue->content_is_bdat) return true;
    return dialogue->trust == TRUST_AHEAD && dialogue->handover->length <= DIALOGUE_BDAT_AHEAD_MOST;
}

/* Sends what may be sent. With BDAT the content follows its command at once. */
static enum dialogue_action advance(struct dialogue *dialogue, struct buffer *out)
{
    uint32_t last = last_command(dialogue);
    while (dialogue->sent <= last && may_send(dialogue, dialogue->sent)) {
        put_command(dialogue, dialogue->sent, out);
        if (dialogue->sent++ == last && dialogue->content_is_bdat) {
            dialogue->content_is_due = true;
            return DIALOGUE_CONTENT;
        }
    }
    return DIALOGUE_WAIT;
}

/* Tells a node of ours whom the message is from; what comes after one that was somebody's is ours again. */
static void put_xclient(struct dialogue *dialogue, struct buffer *out)
{
    struct text origin = dialogue->handover->is_probe ? TEXT_NONE : dialogue->handover->envelope->origin;
    dialogue->xclient_is_due =
        dialogue->offered.xclient_between_nodes && (origin.length > 0 || dialogue->speaks_for);
    if (!dialogue->xclient_is_due) return;
    dialogue->speaks_for = origin.length > 0;
    if (!dialogue->speaks_for) origin = TEXT("NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]");
    buffer_printf(out, "XCLIENT %.*s\r\n", TEXT_ARG(origin));
}

enum dialogue_action dialogue_begin(struct dialogue *dialogue, struct handover *handover, struct buffer *out)
{
    uint32_t count = handover->envelope->recipient_count;
    dialogue->handover = handover;
    dialogue->order = arena_alloc_array(handover->arena, count, sizeof *dialogue->order);
    dialogue->asked = 0;
    for (uint32_t i = 0; i < count; i++)
        if (handover->states[i] == RECIPIENT_OPEN) dialogue->order[dialogue->asked++] = i;
    dialogue->sent = dialogue->replied = 0;
    dialogue->content_is_due = dialogue->content_is_sent = dialogue->mail_failed = false;
    dialogue->has_verdict = dialogue->is_unsure = dialogue->reset_is_said = dialogue->has_waited = false;
    dialogue->reset_is_answered = dialogue->reset_is_refused = false;
    dialogue->content_is_bdat = dialogue->offered.chunking && !handover->is_probe &&
                                (dialogue->trust == TRUST_AHEAD || handover->says_binary);
    dialogue->tells_apart = true;
    dialogue->surplus = 0;
    dialogue->state = DIALOGUE_TRANSACTION;
    put_xclient(dialogue, out);
    return advance(dialogue, out);
}

void dialogue_waited(struct dialogue *dialogue)
{
    dialogue->has_waited = true;
}

void dialogue_content_ends(struct dialogue *dialogue, struct buffer *out)
{
    dialogue->reset_is_said =
        dialogue->offered.pipelining && dialogue->trust != TRUST_NONE && !dialogue->handover->one_fate;
    if (dialogue->reset_is_said) buffer_add_text(out, TEXT("RSET\r\n"));
}

void dialogue_content_sent(struct dialogue *dialogue)
{
    dialogue->content_is_sent = true;
    dialogue->content_is_due = false;
    if (!dialogue->content_is_bdat) dialogue->state = DIALOGUE_FINAL;
}

void dialogue_adopt(struct dialogue *dialogue, struct handover *handover, bool is_bdat, uint32_t replied,
                    bool awaits_xclient)
{
    uint32_t count = handover->envelope->recipient_count;
    *dialogue = (struct dialogue){ .handover = handover,
                                   .state = is_bdat ? DIALOGUE_TRANSACTION : DIALOGUE_FINAL,
                                   .asked = count,
                                   .sent = count + 2,
                                   .replied = replied,
                                   .content_is_bdat = is_bdat,
                                   .content_is_sent = true,
                                   .xclient_is_due = awaits_xclient,
                                   .tells_apart = true };
    dialogue->order = arena_alloc_array(handover->arena, count, sizeof *dialogue->order);
    for (uint32_t i = 0; i < count; i++) dialogue->order[i] = i;
}

void dialogue_adopt_verdict(struct dialogue *dialogue, const struct smtp_reply *reply,
                            const struct dialogue_proof *proof)
{
    handover_end_rest_by_reply(dialogue->handover, reply, dialogue->offered.dsn, true);
    dialogue->has_verdict = dialogue->is_unsure = dialogue->reset_is_said = true;
    dialogue->tells_apart = false;
    dialogue->reset_is_answered = proof->reset_is_answered;
    dialogue->reset_is_refused = proof->reset_is_refused;
    dialogue->surplus = proof->surplus;
    dialogue->state = proof->quit_is_said ? DIALOGUE_PROVING : DIALOGUE_RESET;
}

struct handover *dialogue_take_done(struct dialogue *dialogue)
{
    struct handover *handover = dialogue->handover;
    if (!handover || handover->open > 0) return NULL;
    if (dialogue->state != DIALOGUE_IDLE && dialogue->state != DIALOGUE_OVER) return NULL;
    dialogue->handover = NULL;
    dialogue->is_used = true;
    return handover;
}

static enum dialogue_action idle(struct dialogue *dialogue)
{
    dialogue->state = dialogue->is_goodbye ? DIALOGUE_OVER : DIALOGUE_IDLE;
    return dialogue->is_goodbye ? DIALOGUE_CLOSE : DIALOGUE_READY;
}

/* A reply that came is none to what was said. */
static enum dialogue_action misfit(struct dialogue *dialogue, const struct smtp_reply *reply)
{
    proof_doubt(dialogue, "a reply that does not belong there", reply->lines);
    dialogue_broken(dialogue, "4.5.0", TEXT("the server is out of step: a reply that does not belong there"));
    return DIALOGUE_CLOSE;
}

enum dialogue_action dialogue_out_of_step(struct dialogue *dialogue, const struct smtp_reply *reply,
                                          struct buffer *out)
{
    if (!proof_awaits_verdict(dialogue)) return misfit(dialogue, reply);
    dialogue->trust = TRUST_NONE;
    return dialogue_reply(dialogue, reply, out);
}

/* After a transaction that did not end with its content, the server may still hold a part of it. The next one
   begins, and what was refused is told, only when RSET has been answered, so that a stray reply cannot be
   taken for another. What MAIL got may be stray itself on a connection that was used before. */
static enum dialogue_action reset(struct dialogue *dialogue, struct buffer *out)
{
    bool is_unsure = dialogue->trust == TRUST_NONE || (dialogue->mail_failed && dialogue->is_used);
    if (dialogue->is_goodbye) return idle(dialogue);
    dialogue->tells_apart = false; /* there was no content to tell it by */
    if (is_unsure && proof_has_last_word(dialogue)) return proof_ask(dialogue, out);
    buffer_add_text(out, TEXT("RSET\r\n"));
    dialogue->state = DIALOGUE_RESET;
    return DIALOGUE_WAIT;
}

/* No recipient is left for the content. What was sent ahead is still to be answered. */
static enum dialogue_action nobody_left(struct dialogue *dialogue, struct buffer *out)
{
    if (dialogue->replied < dialogue->sent) return DIALOGUE_WAIT;
    return reset(dialogue, out);
}

/* 530: TLS, a certificate or a password is wanted first (RFC 3207 section 4, RFC 4954 section 6). Our
   configuration is to be mended, and the mail waits. */
static void session_refused(struct dialogue *dialogue, const struct smtp_reply *reply)
{
    struct arena *arena = dialogue->handover->arena;
    struct text reason = arena_printf(arena, "530 %.*s", TEXT_ARG(reply_join(arena, reply, 600)));
    dialogue->is_session_refused = dialogue->is_goodbye = true;
    handover_end_rest_by_us(dialogue->handover, RECIPIENT_DEFERRED, "4.7.0", reason);
}

static enum dialogue_action mail_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                       struct buffer *out)
{
    if (reply->code / 100 != 2) {
        dialogue->mail_failed = true;
        if (reply->code == 530) session_refused(dialogue, reply);
        if (dialogue->handover->is_probe) /* says nothing about the recipient */
            handover_end_rest_by_us(dialogue->handover, RECIPIENT_DEFERRED, "4.1.8",
                                    reply_join(dialogue->handover->arena, reply, 200));
        handover_end_rest_by_reply(dialogue->handover, reply, false, false);
        return nobody_left(dialogue, out);
    }
    return advance(dialogue, out);
}

static bool has_refused(const struct dialogue *dialogue)
{
    for (uint32_t i = 0; i < dialogue->asked; i++)
        if (dialogue->handover->states[dialogue->order[i]] == RECIPIENT_ENDED) return true;
    return false;
}

/* RFC 5321 section 4.5.3.1.10: 452, or 552 as servers by RFC 821 say it. A 552 whose status is about the
   mailbox, the size of the message or policy (RFC 3463) means what it says. */
static bool is_too_many(const struct smtp_reply *reply)
{
    struct text status = text_slice(reply->enhanced, 2, reply->enhanced.length);
    bool is_other = status.length > 0 && (memchr("1267", status.at[0], 4) || text_equal(status, TEXT("3.4")));
    return reply->code == 452 || (reply->code == 552 && !is_other);
}

/* The rest goes by itself where some were taken; where none were the server is asked again later. */
static void end_too_many(struct dialogue *dialogue, uint32_t recipient, const struct smtp_reply *reply)
{
    struct smtp_reply later = *reply;
    if (any_taken(dialogue)) {
        handover_end_by_us(dialogue->handover, recipient, RECIPIENT_NOT_TRIED, "4.5.3",
                           TEXT("too many recipients for one transaction"));
        return;
    }
    if (reply->code == 552) later.enhanced = TEXT("4.5.3");
    later.code = 452;
    handover_end_by_reply(dialogue->handover, recipient, &later, dialogue->offered.dsn);
}

static enum dialogue_action rcpt_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                       struct buffer *out)
{
    struct handover *handover = dialogue->handover;
    uint32_t recipient = dialogue->order[dialogue->replied - 2];
    bool is_last = dialogue->replied == dialogue->asked + 1, is_taken = reply->code / 100 == 2;
    if (is_taken && !proof_is_about_address(reply)) dialogue->tells_apart = false;
    if (is_taken && dialogue->mail_failed) return misfit(dialogue, reply);
    if (!dialogue->mail_failed) {
        if (is_too_many(reply))
            end_too_many(dialogue, recipient, reply);
        else if (!is_taken || handover->is_probe)
            handover_end_by_reply(handover, recipient, reply, dialogue->offered.dsn);
        else
            handover->states[recipient] = RECIPIENT_TAKEN;
    }
    if (is_last && handover->one_fate && has_refused(dialogue))
        handover_end_rest_by_us(handover, RECIPIENT_DEFERRED, "4.5.0", TEXT("another recipient was refused"));
    if (is_last && !any_taken(dialogue) && !handover->is_probe) return nobody_left(dialogue, out);
    return advance(dialogue, out);
}

static enum dialogue_action data_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                       struct buffer *out)
{
    if (reply->code == 354 && any_taken(dialogue)) {
        dialogue->content_is_due = true;
        return DIALOGUE_CONTENT;
    }
    if (reply->code == 354) { /* RFC 2920 section 3.1: it has to be ended though nobody is there to get it */
        buffer_add_text(out, TEXT(".\r\n"));
        dialogue->state = DIALOGUE_FINAL;
        return DIALOGUE_WAIT;
    }
    if (reply->code < 400) /* neither asked for the content nor refused it */
        return misfit(dialogue, reply);
    handover_end_rest_by_reply(dialogue->handover, reply, false, false);
    return reset(dialogue, out);
}

/* One more command is answered before a verdict is told. */
static enum dialogue_action confirm(struct dialogue *dialogue, struct buffer *out)
{
    if (dialogue->is_mute) {
        dialogue->state = DIALOGUE_OVER;
        return DIALOGUE_CLOSE;
    }
    if (!dialogue->reset_is_said) buffer_add_text(out, TEXT("RSET\r\n"));
    dialogue->reset_is_said = true;
    dialogue->state = DIALOGUE_RESET;
    return DIALOGUE_WAIT;
}

/* By BDAT a refusal may be one recipient's that came late. What all share is true of a single one. */
static bool is_anybodys(const struct dialogue *dialogue, const struct smtp_reply *reply)
{
    return dialogue->content_is_bdat && dialogue->asked > 1 && reply->code >= 500;
}

/* An answer to content that has not been sent whole: a refusal counts, anything else makes no sense. What is
   left of the content would be read as commands, so the connection ends. */
static enum dialogue_action early_reply(struct dialogue *dialogue, const struct smtp_reply *reply)
{
    if (reply->code < 400 || is_anybodys(dialogue, reply)) proof_doubt(dialogue, "a reply", reply->lines);
    dialogue->is_goodbye = true;
    handover_end_rest_by_reply(dialogue->handover, reply, false, true);
    return idle(dialogue);
}

/* The reply that takes over responsibility (RFC 5321 section 4.2.5). Behind 354 it can be no other; by BDAT
   it has to look like one. */
static enum dialogue_action content_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                          struct buffer *out)
{
    bool is_taken = reply->code / 100 == 2;
    if (!is_taken || reply->enhanced.length == 0 || proof_is_about_address(reply))
        dialogue->tells_apart = false;
    bool is_doubtful =
        is_taken ? dialogue->content_is_bdat && !dialogue->tells_apart : is_anybodys(dialogue, reply);
    handover_end_rest_by_reply(dialogue->handover, reply, dialogue->offered.dsn, true);
    dialogue->has_verdict = true;
    dialogue->is_unsure = is_doubtful || dialogue->trust == TRUST_NONE;
    if (is_taken || dialogue->reset_is_said) return confirm(dialogue, out);
    if (dialogue->is_unsure && proof_has_last_word(dialogue)) return proof_ask(dialogue, out);
    if (dialogue->content_is_bdat) return reset(dialogue, out);
    return idle(dialogue);
}

/* Behind a verdict RSET gets the verdict's own reply, when there was one too many before: what a server took
   counts when RSET was. One that refuses RSET can show only by 221 that it was that. */
static enum dialogue_action reset_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                        struct buffer *out)
{
    bool is_good = reply->code == 250;
    if (!is_good) dialogue->is_goodbye = true; /* 5xx: it does not know RSET */
    if (!dialogue->has_verdict) {
        if (reply->code < 500 && !is_good) proof_doubt(dialogue, "a reply", reply->lines);
        return idle(dialogue);
    }
    dialogue->reset_is_answered = is_good;
    dialogue->reset_is_refused = !is_good;
    bool is_unsure = dialogue->is_unsure || dialogue->trust == TRUST_NONE || !is_good;
    if (is_unsure && proof_has_last_word(dialogue)) return proof_ask(dialogue, out);
    if (dialogue->tells_apart) dialogue->finding = FOUND_TELLS_APART;
    return idle(dialogue);
}

/* 220, as a greeting. When it is refused the node refuses what came along with it too. Another reply belongs
   to something before: were it taken, each message after it would be answered by the reply to the one before.
 */
static enum dialogue_action xclient_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                          struct buffer *out)
{
    dialogue->xclient_is_due = false;
    if (reply->code == 220) return advance(dialogue, out);
    if (reply->code < 400) return misfit(dialogue, reply);
    dialogue->is_goodbye = true;
    handover_end_rest_by_us(dialogue->handover, RECIPIENT_DEFERRED, "4.7.0",
                            reply_join(dialogue->handover->arena, reply, 200));
    return idle(dialogue);
}

/* To RSET; of a server that is not trusted, to QUIT. */
static enum dialogue_action probe_end(struct dialogue *dialogue, const struct smtp_reply *reply)
{
    if (dialogue->trust == TRUST_NONE) {
        dialogue->state = DIALOGUE_PROVING;
        dialogue->tells_apart = false; /* there was no content to tell it by */
        return proof_reply(dialogue, reply);
    }
    if (reply->code / 100 != 2) proof_doubt(dialogue, "a refusal", reply->lines);
    return idle(dialogue);
}

static enum dialogue_action transaction_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                              struct buffer *out)
{
    if (dialogue->xclient_is_due) return xclient_reply(dialogue, reply, out);
    uint32_t position = dialogue->replied++;
    if (dialogue->content_is_due && position > dialogue->asked) return early_reply(dialogue, reply);
    if (position >= dialogue->sent) return misfit(dialogue, reply);
    if (position == 0) return mail_reply(dialogue, reply, out);
    if (position <= dialogue->asked) return rcpt_reply(dialogue, reply, out);
    if (dialogue->handover->is_probe) return probe_end(dialogue, reply);
    if (dialogue->content_is_bdat) return content_reply(dialogue, reply, out);
    return data_reply(dialogue, reply, out);
}

/* 421: the server goes. Everything not answered gets this reply. */
static enum dialogue_action goodbye(struct dialogue *dialogue, const struct smtp_reply *reply,
                                    struct buffer *out)
{
    dialogue->is_goodbye = true;
    dialogue->is_session_refused = dialogue_is_unanswered(dialogue);
    if (!dialogue->handover) return refuse(dialogue, reply, out);
    proof_goodbye(dialogue);
    handover_end_rest_by_reply(dialogue->handover, reply, false, false);
    return idle(dialogue);
}

enum dialogue_action dialogue_reply(struct dialogue *dialogue, const struct smtp_reply *reply,
                                    struct buffer *out)
{
    if (reply->code == 421 && dialogue->state != DIALOGUE_PROVING) return goodbye(dialogue, reply, out);
    if (!proof_is_possible(dialogue, reply->code)) return misfit(dialogue, reply);
    switch (dialogue->state) {
    case DIALOGUE_GREETING:
        if (reply->code / 100 != 2) return refuse(dialogue, reply, out);
        greet(dialogue, "EHLO", DIALOGUE_EHLO, out);
        return DIALOGUE_WAIT;
    case DIALOGUE_EHLO:
        return ehlo_reply(dialogue, reply, out);
    case DIALOGUE_HELO:
        return helo_reply(dialogue, reply, out);
    case DIALOGUE_STARTTLS:
        return starttls_reply(dialogue, reply, out);
    case DIALOGUE_TRANSACTION:
        return transaction_reply(dialogue, reply, out);
    case DIALOGUE_FINAL:
        return content_reply(dialogue, reply, out);
    case DIALOGUE_RESET:
        return reset_reply(dialogue, reply, out);
    case DIALOGUE_PROVING:
        return proof_reply(dialogue, reply);
    case DIALOGUE_CONNECTING:
    case DIALOGUE_HANDSHAKE:
    case DIALOGUE_IDLE:
    case DIALOGUE_OVER:
        break;
    }
    return misfit(dialogue, reply);
}

void dialogue_broken(struct dialogue *dialogue, const char *enhanced, struct text reason)
{
    struct handover *handover = dialogue->handover;
    if (proof_is_awaited(dialogue)) proof_doubt(dialogue, "no reply", TEXT_NONE);
    if (handover && handover->open > 0) {
        struct text why =
            arena_printf(handover->arena, "%.*s %s", TEXT_ARG(reason), dialogue_stage(dialogue));
        handover_end_rest_by_us(handover, RECIPIENT_DEFERRED, enhanced, why);
    }
    fail(dialogue, 0, text_of(enhanced), reason);
}

bool dialogue_is_unanswered(const struct dialogue *dialogue)
{
    return dialogue->handover && dialogue->replied == 0 && dialogue->state == DIALOGUE_TRANSACTION;
}
