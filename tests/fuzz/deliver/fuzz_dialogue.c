/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any server at all against the client's state machine. Whatever it says, every recipient ends exactly once,
   and none as delivered before the content was sent. */
#include <stdlib.h>

#include "deliver/dialogue.h"
#include "deliver/step_proof.h"

enum { HANDOVERS = 3, RECIPIENTS = 3 };

struct play {
    struct dialogue dialogue;
    struct arena *arena;
    struct handover handovers[HANDOVERS];
    struct envelope envelope;
    struct recipient recipients[RECIPIENTS];
    unsigned begun;
    bool content_was_sent, probes, sends_late, comes_at_once, is_trusted;
    struct buffer out;
};

static void handover_check(struct play *play)
{
    struct handover *done = dialogue_take_done(&play->dialogue);
    if (!done) return;
    if (done->open != 0) abort();
    for (unsigned i = 0; i < play->envelope.recipient_count; i++) {
        if (done->states[i] != RECIPIENT_ENDED || done->results[i].enhanced.length == 0) abort();
        bool is_delivered = done->results[i].ending == RECIPIENT_DELIVERED;
        if (is_delivered && !done->is_probe && !play->content_was_sent) abort();
    }
}

static enum dialogue_action begin(struct play *play)
{
    struct handover *handover = &play->handovers[play->begun++];
    *handover = (struct handover){ .arena = play->arena,
                                   .envelope = &play->envelope,
                                   .is_probe = play->probes && play->begun == 2,
                                   .length = play->begun == 1 ? 100 : 1000000 };
    handover_start(handover);
    play->content_was_sent = false;
    play->dialogue.trust = play->is_trusted ? TRUST_AHEAD : TRUST_NONE;
    if (handover_prepare(handover, &play->dialogue.offered, true) != HANDOVER_READY) return DIALOGUE_READY;
    return dialogue_begin(&play->dialogue, handover, &play->out);
}

/* False: the connection is to be closed. */
static bool follow(struct play *play, enum dialogue_action action)
{
    for (;;) {
        handover_check(play);
        if (action == DIALOGUE_CLOSE) return false;
        if (action == DIALOGUE_WAIT) return true;
        if (action == DIALOGUE_SECURE) {
            action = dialogue_secured(&play->dialogue, &play->out);
        } else if (action == DIALOGUE_CONTENT) {
            dialogue_content_ends(&play->dialogue, &play->out);
            if (play->sends_late) return true;
            dialogue_content_sent(&play->dialogue);
            play->content_was_sent = true;
            return true;
        } else {
            if (play->begun == HANDOVERS) return false;
            action = begin(play);
        }
    }
}

static void hear(struct play *play, struct text rest)
{
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    size_t used = 0;
    while (reply_parse(&parser, rest, &reply, &used) == REPLY_WHOLE) {
        rest = text_slice(rest, used, rest.length);
        struct text behind = play->comes_at_once ? rest : TEXT_NONE;
        enum dialogue_action action = proof_is_in_step(&play->dialogue, &reply, behind)
                                          ? dialogue_reply(&play->dialogue, &reply, &play->out)
                                          : dialogue_out_of_step(&play->dialogue, &reply, &play->out);
        if (!follow(play, action)) return;
    }
    proof_hung_up(&play->dialogue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    struct play play = { .arena = arena_new(0) };
    play.envelope =
        (struct envelope){ .sender = TEXT("a@b.test"), .recipient_count = 1 + data[0] % RECIPIENTS };
    play.envelope.recipients = play.recipients;
    for (unsigned i = 0; i < RECIPIENTS; i++) play.recipients[i].address = TEXT("c@d.test");
    play.probes = data[0] & 16;
    play.sends_late = data[0] & 32;
    play.comes_at_once = data[0] & 64;
    play.is_trusted = data[0] & 128;
    dialogue_start(&play.dialogue, TEXT("us.test"), (enum tls_level)(data[0] >> 2 & 3), true);
    dialogue_connected(&play.dialogue);
    hear(&play, text_from((const char *)data + 1, size - 1));
    dialogue_broken(&play.dialogue, "4.4.2", TEXT("lost connection"));
    handover_check(&play);
    if (play.dialogue.handover) abort();
    buffer_free(&play.out);
    arena_free(play.arena);
    return 0;
}
