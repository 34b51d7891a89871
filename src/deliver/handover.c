/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a server can take of a message, and the endings of its recipients. */
#include "deliver/handover.h"

#include "ipc/ask_queue.h"
#include "mail/mailbox.h"
#include "mail/orcpt.h"
#include "smtp/command.h"

enum { REPLY_TEXT_MOST = 512 };

void handover_start(struct handover *handover)
{
    uint32_t count = handover->envelope->recipient_count;
    handover->results = arena_alloc_array(handover->arena, count, sizeof *handover->results);
    handover->states = arena_alloc(handover->arena, count);
    handover->open = count;
    for (uint32_t i = 0; i < count; i++) handover->results[i].ending = RECIPIENT_NOT_TRIED;
}

static bool has_8bit(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] > 127) return true;
    return false;
}

/* No parser of ours lets such an address in; were one to come, it must not become a command of its own. */
static bool has_control(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 127) return true;
    return false;
}

static void addresses_check(struct handover *handover)
{
    const struct envelope *envelope = handover->envelope;
    if (has_control(envelope->sender))
        handover_end_rest_by_us(handover, RECIPIENT_FAILED, "5.1.7", TEXT("sender address has a control"));
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (has_control(envelope->recipients[i].address))
            handover_end_by_us(handover, i, RECIPIENT_FAILED, "5.1.3",
                               TEXT("recipient address has a control"));
}

/* A domain in U-labels alone does not need it: there are its A-labels. */
static bool needs_smtputf8(const struct handover *handover, struct text address)
{
    struct text ascii;
    return !mailbox_to_ascii(handover->arena, address, &ascii);
}

/* Some address goes as it was given, in UTF-8. */
static bool has_utf8_address(const struct envelope *envelope)
{
    if (has_8bit(envelope->sender)) return true;
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (has_8bit(envelope->recipients[i].address)) return true;
    return false;
}

/* RFC 6531 section 3.2: without SMTPUTF8 neither such addresses nor such a header may go to the server. */
static void smtputf8_check(struct handover *handover, bool can)
{
    const struct envelope *envelope = handover->envelope;
    bool has_header = envelope->smtputf8 && handover->content & CONTENT_HEADER_8BIT;
    handover->says_smtputf8 = can && (has_header || has_utf8_address(envelope));
    if (can) return;
    if (has_header || needs_smtputf8(handover, envelope->sender))
        handover_end_rest_by_us(handover, RECIPIENT_FAILED, "5.6.7",
                                TEXT("the message needs SMTPUTF8, which the server does not offer"));
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (needs_smtputf8(handover, envelope->recipients[i].address))
            handover_end_by_us(handover, i, RECIPIENT_FAILED, "5.6.7",
                               TEXT("the address needs SMTPUTF8, which the server does not offer"));
}

static void smtputf8_tell(struct handover *handover, bool can)
{
    handover_end_rest_by_us(handover, can ? RECIPIENT_DELIVERED : RECIPIENT_FAILED, can ? "2.0.0" : "5.6.7",
                            can ? TEXT("the server offers SMTPUTF8")
                                : TEXT("the server does not offer SMTPUTF8"));
}

void handover_resume(struct handover *handover, uint32_t recipient, enum recipient_state state)
{
    handover->states[recipient] = (uint8_t)state;
    if (state == RECIPIENT_ENDED) handover->open--;
}

void handover_restart(struct handover *handover)
{
    for (uint32_t i = 0; i < handover->envelope->recipient_count; i++)
        if (handover->states[i] == RECIPIENT_TAKEN) handover->states[i] = RECIPIENT_OPEN;
}

enum handover_need handover_prepare(struct handover *handover, const struct smtp_capabilities *offered,
                                    bool smtputf8_allowed)
{
    bool is_8bit = handover->content & (CONTENT_HEADER_8BIT | CONTENT_BODY_8BIT);
    bool can_smtputf8 = offered->smtputf8 && smtputf8_allowed;
    if (handover->asks_smtputf8) {
        smtputf8_tell(handover, can_smtputf8);
        return HANDOVER_OVER;
    }
    addresses_check(handover);
    smtputf8_check(handover, can_smtputf8);
    handover->says_8bit = is_8bit && offered->eightbitmime && !handover->is_probe;
    if (handover->is_probe) return handover->open ? HANDOVER_READY : HANDOVER_OVER;
    handover->says_binary = handover->is_binary && offered->chunking && offered->binarymime;
    if (handover->is_binary && !handover->says_binary)
        handover_end_rest_by_us(
            handover, RECIPIENT_FAILED, "5.6.3",
            TEXT("the content has a NUL, a bare CR or a bare LF, which only a server with "
                 "BINARYMIME may be sent"));
    if (handover->open && is_8bit && !offered->eightbitmime && !handover->says_binary)
        return HANDOVER_CONVERT;
    if (offered->size > 0 && handover->length > offered->size) {
        struct text reason =
            arena_printf(handover->arena, "message of %llu bytes is larger than the server's limit of %llu",
                         (unsigned long long)handover->length, (unsigned long long)offered->size);
        handover_end_rest_by_us(handover, RECIPIENT_FAILED, "5.3.4", reason);
    }
    return handover->open ? HANDOVER_READY : HANDOVER_OVER;
}

static void path_put(const struct handover *handover, struct text address, struct buffer *out)
{
    if (!handover->says_smtputf8) mailbox_to_ascii(handover->arena, address, &address);
    buffer_add_char(out, '<');
    buffer_add_text(out, address);
    buffer_add_char(out, '>');
}

void handover_put_mail(const struct handover *handover, const struct smtp_capabilities *offered,
                       struct buffer *out)
{
    const struct envelope *envelope = handover->envelope;
    buffer_add_text(out, TEXT("MAIL FROM:"));
    path_put(handover, envelope->sender, out);
    if (offered->has_size && !handover->is_probe)
        buffer_printf(out, " SIZE=%llu", (unsigned long long)handover->length);
    if (handover->says_binary)
        buffer_add_text(out, TEXT(" BODY=BINARYMIME"));
    else if (handover->says_8bit)
        buffer_add_text(out, TEXT(" BODY=8BITMIME"));
    if (handover->says_smtputf8) buffer_add_text(out, TEXT(" SMTPUTF8"));
    if (offered->dsn && envelope->ret != RETURN_UNSTATED)
        buffer_add_text(out, envelope->ret == RETURN_FULL ? TEXT(" RET=FULL") : TEXT(" RET=HDRS"));
    if (offered->dsn && envelope->envid.length > 0) {
        buffer_add_text(out, TEXT(" ENVID="));
        xtext_encode(envelope->envid, out);
    }
    buffer_add_text(out, TEXT("\r\n"));
}

static void notify_put(uint8_t notify, struct buffer *out)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = { { NOTIFY_NEVER, "NEVER" },
                  { NOTIFY_SUCCESS, "SUCCESS" },
                  { NOTIFY_FAILURE, "FAILURE" },
                  { NOTIFY_DELAY, "DELAY" } };
    const char *separator = " NOTIFY=";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(notify & names[i].bit)) continue;
        buffer_add_text(out, text_of(separator));
        buffer_add_text(out, text_of(names[i].name));
        separator = ",";
    }
}

void handover_put_rcpt(const struct handover *handover, const struct smtp_capabilities *offered,
                       uint32_t recipient, struct buffer *out)
{
    const struct recipient *to = &handover->envelope->recipients[recipient];
    buffer_add_text(out, TEXT("RCPT TO:"));
    path_put(handover, to->address, out);
    if (offered->dsn) notify_put(to->notify, out);
    struct text orcpt = orcpt_to_ascii(handover->arena, to->orcpt); /* fit for any server with DSN */
    size_t colon = text_find_char(orcpt, ';');
    if (offered->dsn && colon < orcpt.length && !has_control(orcpt)) {
        buffer_add_text(out, TEXT(" ORCPT="));
        buffer_add_text(out, text_slice(orcpt, 0, colon + 1));
        xtext_encode(text_slice(orcpt, colon + 1, orcpt.length), out);
    }
    buffer_add_text(out, TEXT("\r\n"));
}

static void end(struct handover *handover, uint32_t recipient, const struct recipient_result *result)
{
    if (handover->states[recipient] == RECIPIENT_ENDED) return;
    uint32_t number = handover->results[recipient].number;
    handover->results[recipient] = *result;
    handover->results[recipient].number = number;
    handover->states[recipient] = RECIPIENT_ENDED;
    handover->open--;
}

/* A server that gives no status code gets the plainest of the code's class. */
static struct text status_of(struct handover *handover, const struct smtp_reply *reply)
{
    if (reply->enhanced.length > 0) return arena_text(handover->arena, reply->enhanced);
    return reply->code < 300 ? TEXT("2.0.0") : reply->code < 500 ? TEXT("4.0.0") : TEXT("5.0.0");
}

/* 3xx is no answer to anything here that ends a recipient: it counts as no reply. */
static struct recipient_result by_reply(struct handover *handover, const struct smtp_reply *reply,
                                        bool dsn_relayed)
{
    bool is_answer = reply->code / 100 != 3;
    struct recipient_result result = { .ending = reply->code < 300   ? RECIPIENT_DELIVERED
                                                 : reply->code < 500 ? RECIPIENT_DEFERRED
                                                                     : RECIPIENT_FAILED,
                                       .code = is_answer ? reply->code : 0 };
    result.enhanced = status_of(handover, reply);
    result.reply = reply_join(handover->arena, reply, REPLY_TEXT_MOST);
    result.dsn_relayed = dsn_relayed;
    return result;
}

void handover_end_by_reply(struct handover *handover, uint32_t recipient, const struct smtp_reply *reply,
                           bool dsn_relayed)
{
    struct recipient_result result = by_reply(handover, reply, dsn_relayed);
    end(handover, recipient, &result);
}

void handover_end_rest_by_reply(struct handover *handover, const struct smtp_reply *reply, bool dsn_relayed,
                                bool only_taken)
{
    if (handover->open == 0) return;
    struct recipient_result result = by_reply(handover, reply, dsn_relayed);
    for (uint32_t i = 0; i < handover->envelope->recipient_count; i++)
        if (!only_taken || handover->states[i] == RECIPIENT_TAKEN) end(handover, i, &result);
}

static struct recipient_result by_us(enum recipient_ending ending, const char *enhanced, struct text reason)
{
    return (struct recipient_result){ .ending = ending, .enhanced = text_of(enhanced), .reply = reason };
}

void handover_end_by_us(struct handover *handover, uint32_t recipient, enum recipient_ending ending,
                        const char *enhanced, struct text reason)
{
    struct recipient_result result = by_us(ending, enhanced, reason);
    end(handover, recipient, &result);
}

void handover_doubt(struct handover *handover, uint32_t recipient, struct text reason)
{
    bool is_ended = handover->states[recipient] == RECIPIENT_ENDED;
    if (is_ended && handover->results[recipient].ending == RECIPIENT_DEFERRED) return;
    if (is_ended) handover->open++;
    handover->states[recipient] = RECIPIENT_OPEN;
    handover_end_by_us(handover, recipient, RECIPIENT_DEFERRED, "4.5.0", reason);
}

void handover_end_rest_by_us(struct handover *handover, enum recipient_ending ending, const char *enhanced,
                             struct text reason)
{
    struct recipient_result result = by_us(ending, enhanced, reason);
    for (uint32_t i = 0; i < handover->envelope->recipient_count; i++) end(handover, i, &result);
}
