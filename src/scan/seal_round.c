/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by dispatcher.c. Orders are numbered by round and draft, so that an answer that comes late finds
   nobody. */
#include "scan/seal_round.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/allowance.h"
#include "base/context.h"
#include "base/log.h"
#include "ipc/ask_signer.h"
#include "ipc/child.h"
#include "ipc/message_id.h"
#include "scan/seal_draft.h"

enum { DRAFT_BITS = 8, SAID_AT_ONCE = 10 };
_Static_assert(SEAL_DRAFTS_MOST <= 1 << DRAFT_BITS, "each draft of a round has its number");

enum order_state { ORDER_OPEN, ORDER_WHOLE, ORDER_REFUSED };

struct seal_round {
    enum { SEAL_ROUND_MAGIC = 0x44d7a10b } magic;
    LIST_ENTRY(seal_round) others;
    struct sealer *sealer;
    struct request *request;
    uint64_t number;
    struct arena *arena;
    struct text payload;
    struct seal_list list;
    enum order_state states[SEAL_DRAFTS_MOST];
    struct text fields[SEAL_DRAFTS_MOST];
    uint32_t open_count;
    struct timer *clock;
};

struct sealer {
    enum { SEALER_MAGIC = 0x2c91f04d } magic;
    struct child *child;
    sealer_done *done;
    void *context;
    struct channel *signer; /* NULL: it is gone, and master starts it again */
    LIST_HEAD(seal_round_list, seal_round) rounds;
    uint32_t count;
    uint64_t last_number, signature_count, failed_count;
    struct allowance said;
};

static bool may_say(struct sealer *sealer)
{
    return log_has_room(&sealer->said, SAID_AT_ONCE, 1, loop_now_ms(sealer->child->loop), LOG_LEVEL_ERROR,
                        "%llu more lines of signatures that cannot be made were left out");
}

/* --- the end of a round --- */

static bool fields_gather(struct seal_round *round, struct verdict *verdict)
{
    struct text fields[RECIPES_MOST] = { 0 };
    for (uint32_t i = 0; i < round->list.count; i++)
        for (uint32_t recipe = 0; recipe < verdict->recipe_count; recipe++)
            if (round->list.drafts[i].recipes >> recipe & 1 && round->states[i] == ORDER_WHOLE)
                fields[recipe] = arena_printf(round->arena, "%.*s%.*s", TEXT_ARG(fields[recipe]),
                                              TEXT_ARG(round->fields[i]));
    for (uint32_t recipe = 0; recipe < verdict->recipe_count; recipe++)
        if (fields[recipe].length == 0) return false;
    return seal_fields_put(round->arena, fields, verdict);
}

static void verdict_defer(struct verdict *verdict)
{
    verdict->code = 451;
    verdict->enhanced = TEXT("4.3.0");
    verdict->reason = TEXT("the message cannot be signed now, try again later");
    verdict->kind = REFUSAL_NONE;
    for (uint32_t i = 0; i < verdict->recipient_count; i++) verdict->recipients[i].action = ACTION_DEFER;
}

static void failure_tell(struct seal_round *round, bool is_deferred)
{
    struct sealer *sealer = round->sealer;
    char id[MESSAGE_ID_SIZE];
    sealer->failed_count++;
    if (may_say(sealer))
        log_error("%s: signer %s: %s", message_id_print(round->request->id, id),
                  sealer->signer ? "gives no signature" : "is gone",
                  is_deferred ? "the message is deferred" : "it goes on without");
}

/* What becomes of the message, in a word for the summary. */
static const char *verdict_finish(struct seal_round *round, struct verdict *verdict)
{
    bool is_dkim = round->list.purpose == SEAL_DKIM;
    bool defers = is_dkim && !round->sealer->child->config->auth.sends_unsigned;
    if (round->list.count == 0) return "";
    if (fields_gather(round, verdict)) return "yes";
    failure_tell(round, defers);
    if (defers) verdict_defer(verdict);
    return "failed";
}

static void round_free(struct seal_round *round)
{
    timer_free(round->clock);
    arena_free(round->arena);
    free(round);
}

static void round_end(struct seal_round *round)
{
    struct sealer *sealer = round->sealer;
    struct buffer finished = { 0 };
    struct judged judged;
    struct text payload = round->payload;
    LIST_REMOVE(round, others);
    sealer->count--;
    if (judged_get(round->arena, payload, &judged)) {
        const char *word = verdict_finish(round, &judged.verdict);
        judged.verdict.summary = arena_printf(
            round->arena, "%.*s %s=%s%.*s", TEXT_ARG(judged.verdict.summary),
            round->list.purpose == SEAL_DKIM ? "signed" : "sealed", word, TEXT_ARG(round->list.why));
        judged_put(&judged, &finished);
        payload = buffer_text(&finished);
    }
    sealer->done(sealer->context, round->request, payload);
    buffer_free(&finished);
    round_free(round);
}

static void round_late(void *context)
{
    round_end(CONTEXT(context, struct seal_round, SEAL_ROUND_MAGIC));
}

/* --- asking --- */

static void order_send(struct seal_round *round, uint32_t index)
{
    const struct seal_draft *draft = &round->list.drafts[index];
    struct channel *signer = round->sealer->signer;
    struct sign_order order = { .key = draft->key };
    if (!signer) return;
    memcpy(order.digest, seal_draft_digest(&round->list, draft), sizeof order.digest);
    sign_order_put(&order, channel_begin(signer, SIGNER_SIGN, round->number << DRAFT_BITS | index));
    channel_end(signer);
}

static void orders_send(struct seal_round *round)
{
    for (uint32_t i = 0; i < round->list.count; i++)
        if (round->states[i] == ORDER_OPEN) order_send(round, i);
}

void sealer_begin(struct sealer *sealer, struct request *request, struct text payload)
{
    struct seal_round *round = memory_alloc(sizeof *round);
    bool is_room = sealer->count < SEAL_ROUNDS_MOST;
    *round = (struct seal_round){ .magic = SEAL_ROUND_MAGIC, .sealer = sealer, .request = request };
    round->number = ++sealer->last_number;
    round->arena = arena_new(0);
    round->payload = arena_text(round->arena, payload);
    round->clock = timer_new(sealer->child->loop, round_late, round);
    LIST_INSERT_HEAD(&sealer->rounds, round, others);
    sealer->count++;
    if (!seal_list_get(round->arena, buffer_text(&request->seals), &round->list))
        round->payload = TEXT_NONE; /* makes no sense, as whoever reads it will say */
    round->open_count = round->list.count;
    if (round->payload.length == 0 || round->open_count == 0 || !is_room) {
        round_end(round);
        return;
    }
    request->is_let_go = true;
    timer_set(round->clock, SEAL_WAIT_MS);
    orders_send(round);
}

/* --- answers --- */

static struct seal_round *round_of(struct sealer *sealer, uint64_t number)
{
    struct seal_round *round;
    LIST_FOREACH(round, &sealer->rounds, others)
        if (round->number == number) return round;
    return NULL;
}

static void order_close(struct seal_round *round, uint32_t index, enum order_state state)
{
    round->states[index] = state;
    if (--round->open_count == 0) round_end(round);
}

static void order_signed(struct seal_round *round, uint32_t index, struct text signature)
{
    struct text fields;
    round->sealer->signature_count++;
    if (!seal_draft_signed(round->arena, &round->list, &round->list.drafts[index],
                           arena_text(round->arena, signature), &fields)) {
        order_send(round, index);
        return;
    }
    round->fields[index] = fields;
    order_close(round, index, ORDER_WHOLE);
}

static bool signer_frame(void *context, struct frame *frame)
{
    struct sealer *sealer = CONTEXT(context, struct sealer, SEALER_MAGIC);
    struct text said;
    uint32_t index = frame->id & ((1U << DRAFT_BITS) - 1);
    bool is_signed = frame->type == SIGNER_SIGNED;
    if ((!is_signed && frame->type != SIGNER_REFUSED) || !sign_answer_get(frame->payload, &said))
        return false;
    struct seal_round *round = round_of(sealer, frame->id >> DRAFT_BITS);
    if (!round || index >= round->list.count || round->states[index] != ORDER_OPEN) return true;
    if (is_signed) {
        order_signed(round, index, said);
        return true;
    }
    if (may_say(sealer))
        log_error("signer does not sign with %.*s: %.*s", TEXT_ARG(round->list.drafts[index].key),
                  TEXT_ARG(text_slice(said, 0, SIGN_REASON_MOST)));
    order_close(round, index, ORDER_REFUSED);
    return true;
}

static void signer_gone(void *context)
{
    struct sealer *sealer = CONTEXT(context, struct sealer, SEALER_MAGIC);
    channel_close(sealer->signer);
    sealer->signer = NULL;
}

void sealer_connect(struct sealer *sealer, int fd)
{
    static const struct channel_events events = { signer_frame, signer_gone };
    struct seal_round *round;
    channel_close(sealer->signer);
    sealer->signer = channel_open(sealer->child->loop, fd, &events, sealer);
    LIST_FOREACH(round, &sealer->rounds, others) orders_send(round);
}

/* --- life --- */

struct sealer *sealer_new(struct child *child, sealer_done *done, void *context)
{
    struct sealer *sealer = memory_alloc(sizeof *sealer);
    *sealer = (struct sealer){ .magic = SEALER_MAGIC, .child = child, .done = done, .context = context };
    return sealer;
}

uint32_t sealer_count(const struct sealer *sealer)
{
    return sealer->count;
}

void sealer_status(const struct sealer *sealer, struct buffer *out)
{
    child_status_add(out, "signatures", "%llu", (unsigned long long)sealer->signature_count);
    child_status_add(out, "signing failed", "%llu", (unsigned long long)sealer->failed_count);
}
