/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is believed of a server's replies, and what is asked of it before they are. */
#include "deliver/step_proof.h"

#include "deliver/dialogue_stage.h"

enum { WORDS_MOST = 200 };

void proof_doubt(struct dialogue *dialogue, const char *why, struct text words)
{
    struct handover *handover = dialogue->handover;
    dialogue->finding = FOUND_OUT_OF_STEP;
    dialogue->is_goodbye = true;
    if (!handover) return;
    struct text reason =
        arena_printf(handover->arena, "the server is out of step: %s %s%s%.*s", why, dialogue_stage(dialogue),
                     words.length ? ": " : "", TEXT_ARG(text_slice(text_trim(words), 0, WORDS_MOST)));
    for (uint32_t i = 0; i < dialogue->asked; i++) handover_doubt(handover, dialogue->order[i], reason);
}

bool proof_has_last_word(const struct dialogue *dialogue)
{
    for (uint32_t i = 0; i < dialogue->asked; i++) {
        enum recipient_ending ending = dialogue->handover->results[dialogue->order[i]].ending;
        if (ending == RECIPIENT_DELIVERED || ending == RECIPIENT_FAILED) return true;
    }
    return false;
}

static uint32_t count_delivered(const struct dialogue *dialogue)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < dialogue->asked; i++)
        count += dialogue->handover->results[dialogue->order[i]].ending == RECIPIENT_DELIVERED;
    return count;
}

enum dialogue_action proof_ask(struct dialogue *dialogue, struct buffer *out)
{
    if (dialogue->is_mute) {
        dialogue->state = DIALOGUE_OVER;
        return DIALOGUE_CLOSE;
    }
    buffer_add_text(out, TEXT("QUIT\r\n"));
    dialogue->state = DIALOGUE_PROVING;
    return DIALOGUE_WAIT;
}

/* No more replies will come. Of a server that refused nothing at all one reply more says nothing else. */
static enum dialogue_action proven(struct dialogue *dialogue, uint32_t too_many)
{
    bool is_harmless = count_delivered(dialogue) == dialogue->asked && !dialogue->reset_is_refused;
    if (too_many > 0 && !is_harmless) proof_doubt(dialogue, "a reply too many", TEXT_NONE);
    dialogue->finding = too_many > 0            ? FOUND_OUT_OF_STEP
                        : dialogue->tells_apart ? FOUND_TELLS_APART
                                                : FOUND_IN_STEP;
    dialogue->state = DIALOGUE_OVER;
    return DIALOGUE_CLOSE;
}

enum dialogue_action proof_reply(struct dialogue *dialogue, const struct smtp_reply *reply)
{
    if (reply->code == 221) return proven(dialogue, dialogue->surplus);
    dialogue->surplus++;
    if (reply->code / 100 == 2) return DIALOGUE_WAIT;
    proof_doubt(dialogue, "another reply than 221", reply->lines);
    dialogue->state = DIALOGUE_OVER;
    return DIALOGUE_CLOSE;
}

bool proof_is_awaited(const struct dialogue *dialogue)
{
    return dialogue->state == DIALOGUE_PROVING ||
           (dialogue->state == DIALOGUE_RESET && dialogue->has_verdict);
}

static bool ends_without_proof(const struct dialogue *dialogue)
{
    return proof_is_awaited(dialogue) && dialogue->state == DIALOGUE_RESET && count_delivered(dialogue) > 0;
}

/* The end, or 421, in place of the reply to RSET may have been the content's. */
static void hang_up(struct dialogue *dialogue)
{
    if (!dialogue->has_waited) proof_doubt(dialogue, "no reply", TEXT_NONE);
    dialogue->finding = FOUND_HANGS_UP;
    dialogue->state = DIALOGUE_OVER;
}

void proof_goodbye(struct dialogue *dialogue)
{
    if (ends_without_proof(dialogue)) hang_up(dialogue);
}

void proof_hung_up(struct dialogue *dialogue)
{
    proof_goodbye(dialogue);
    if (dialogue->state != DIALOGUE_PROVING) return;
    uint32_t delivered = count_delivered(dialogue);
    /* Behind 354 all that are left share one verdict; by BDAT a refusal may be another recipient's. */
    bool is_mixed = dialogue->content_is_bdat && delivered < dialogue->asked;
    bool is_proven = !dialogue->has_verdict || delivered == 0 || (dialogue->reset_is_answered && !is_mixed);
    if (is_proven) proven(dialogue, dialogue->surplus > 0 ? dialogue->surplus - 1 : 0);
}

bool proof_is_about_address(const struct smtp_reply *reply)
{
    return reply->enhanced.length > 4 && reply->enhanced.at[2] == '1' && reply->enhanced.at[3] == '.';
}

static uint32_t awaited(const struct dialogue *dialogue)
{
    switch (dialogue->state) {
    case DIALOGUE_CONNECTING:
    case DIALOGUE_HANDSHAKE:
    case DIALOGUE_IDLE:
    case DIALOGUE_OVER:
        return 0;
    case DIALOGUE_TRANSACTION:
        return dialogue->sent - dialogue->replied + dialogue->xclient_is_due + dialogue->reset_is_said;
    case DIALOGUE_FINAL:
        return 1u + dialogue->reset_is_said;
    default:
        return 1;
    }
}

bool proof_is_in_step(const struct dialogue *dialogue, const struct smtp_reply *reply, struct text behind)
{
    uint32_t count = awaited(dialogue);
    bool is_thrown_away = dialogue->state == DIALOGUE_STARTTLS && reply->code == 220;
    if (reply->code == 421 || dialogue->state == DIALOGUE_PROVING) return true;
    if (behind.length == 0 || text_starts(behind, TEXT("421")) || is_thrown_away) return count > 0;
    return count > 1;
}

bool proof_awaits_verdict(const struct dialogue *dialogue)
{
    if (dialogue->state == DIALOGUE_FINAL) return true;
    if (dialogue->state == DIALOGUE_RESET) return dialogue->has_verdict;
    return dialogue->state == DIALOGUE_TRANSACTION && dialogue->content_is_bdat &&
           dialogue->content_is_sent && dialogue->replied > dialogue->asked;
}

bool proof_is_possible(const struct dialogue *dialogue, uint16_t code)
{
    bool is_end = dialogue->replied > dialogue->asked;
    if (code >= 400) return true;
    switch (dialogue->state) {
    case DIALOGUE_EHLO:
    case DIALOGUE_HELO:
    case DIALOGUE_FINAL:
    case DIALOGUE_RESET:
        return code == 250;
    case DIALOGUE_TRANSACTION:
        if (dialogue->xclient_is_due) return code == 220;
        if (is_end && dialogue->handover->is_probe && dialogue->trust == TRUST_NONE) return true; /* QUIT */
        if (is_end && !dialogue->content_is_bdat && !dialogue->handover->is_probe) return code == 354;
        return code == 250 || (dialogue->replied > 0 && !is_end && (code == 251 || code == 252));
    default:
        return true;
    }
}
