/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any client at all against the server's state machine. Every command has one reply, nothing is done without
   a message that allows it, and it makes no difference in how many pieces the bytes come. */
#include <stdlib.h>

#include "receive/server_dialogue.h"

enum { WHOLE_LINES = 2000 };

struct play {
    struct config config;
    struct listener listener;
    struct server_dialogue dialogue;
    struct arena *arena;
    struct buffer out, actions;
    struct server_dialogue_step step;
    struct text answers; /* a byte to each question */
    size_t answered;
    bool is_over;
};

/* Replies in `out`: whole lines, without control characters, each with its code. */
static unsigned replies_check(const struct play *play)
{
    struct text said = buffer_text(&play->out), rest = said, line;
    unsigned count = 0;
    if (said.length && !text_ends(said, TEXT("\r\n"))) abort();
    while (text_next_line(&rest, &line)) {
        if (line.length < 4 || line.length > SERVER_DIALOGUE_REPLY_MOST + 21) abort();
        if (line.at[0] < '2' || line.at[0] > '5') abort();
        if (line.at[3] != ' ' && line.at[3] != '-') abort();
        for (size_t i = 0; i < line.length; i++)
            if ((unsigned char)line.at[i] < ' ' || line.at[i] == 127) abort();
        count += line.at[3] == ' ';
    }
    return count;
}

static bool says_yes(struct play *play)
{
    if (play->answers.length == 0) return true;
    return play->answers.at[play->answered++ % play->answers.length] & 1;
}

/* What the caller does with an action that has its reply later. */
static void question_answer(struct play *play)
{
    static const struct reply none = { 0 }, ok = { 250, "2.1.5", "ok" }, no = { 550, "5.1.1", "no" },
                              later = { 452, "4.5.3", "later" };
    struct server_dialogue *dialogue = &play->dialogue;
    bool yes = says_yes(play);
    switch (play->step.action) {
    case SERVER_DIALOGUE_MAIL:
        if (dialogue->mail != MAIL_NONE || dialogue->helo.length == 0) abort();
        server_dialogue_mail_answer(dialogue, &play->config, yes ? &none : &later, &play->out);
        if ((dialogue->mail == MAIL_OPEN) != yes || dialogue->recipients) abort();
        break;
    case SERVER_DIALOGUE_RCPT:
        if (dialogue->mail != MAIL_OPEN) abort();
        server_dialogue_rcpt_answer(dialogue, &play->config, play->step.command.mailbox.address,
                                    yes ? &ok : &no, &play->out);
        break;
    default:
        if (!server_dialogue_may_xclient(dialogue) || dialogue->mail != MAIL_NONE) abort();
        server_dialogue_stand_for(dialogue, yes, yes ? &none : &no);
        server_dialogue_xclient_answer(dialogue, &play->config, yes ? NULL : "no", &play->out);
        if (dialogue->needs_xclient == yes) abort();
        break;
    }
    if (replies_check(play) != 1) abort();
}

static void settle(struct play *play)
{
    if (play->dialogue.recipients == 0) abort();
    if (says_yes(play)) server_dialogue_message_taken(&play->dialogue);
    server_dialogue_mail_over(&play->dialogue);
}

/* Returns how much of the input it took as octets of a chunk. */
static size_t chunk_take(struct play *play, struct text input)
{
    struct server_dialogue *dialogue = &play->dialogue;
    struct text piece = server_dialogue_chunk(dialogue, input);
    if (dialogue->chunk_left) return piece.length;
    buffer_clear(&play->out);
    bool is_settled =
        server_dialogue_chunk_end(dialogue, &play->config, &play->out) == SERVER_DIALOGUE_SETTLE;
    if (replies_check(play) != !is_settled) abort();
    if (is_settled) settle(play);
    play->step.action = SERVER_DIALOGUE_SAID;
    return piece.length;
}

static void action_do(struct play *play)
{
    enum server_dialogue_action action = play->step.action;
    bool is_question =
        action == SERVER_DIALOGUE_MAIL || action == SERVER_DIALOGUE_RCPT || action == SERVER_DIALOGUE_XCLIENT;
    bool is_later = is_question || action == SERVER_DIALOGUE_CHUNK || action == SERVER_DIALOGUE_MORE;
    if (replies_check(play) != !is_later) abort();
    if (action != SERVER_DIALOGUE_MORE) buffer_add_char(&play->actions, (char)('A' + action));
    play->is_over = action == SERVER_DIALOGUE_CLOSE || action == SERVER_DIALOGUE_GIVE_UP ||
                    action == SERVER_DIALOGUE_OUT_OF_STEP;
    if (is_question) question_answer(play);
    if (action == SERVER_DIALOGUE_DATA) settle(play);
    if (action == SERVER_DIALOGUE_SECURE) {
        if (play->dialogue.is_secure || !play->dialogue.has_tls) abort();
        server_dialogue_secured(&play->dialogue, says_yes(play), "");
    }
    if (action == SERVER_DIALOGUE_CHUNK && play->dialogue.chunk_left == 0) chunk_take(play, TEXT_NONE);
    if (action == SERVER_DIALOGUE_RESET || action == SERVER_DIALOGUE_HELLO)
        if (play->dialogue.mail != MAIL_NONE) abort();
}

/* Returns what was consumed. */
static size_t step_do(struct play *play, struct text input)
{
    const struct server_dialogue_terms terms = { &play->config, false };
    if (play->step.action == SERVER_DIALOGUE_CHUNK) return chunk_take(play, input);
    buffer_clear(&play->out);
    arena_reset(play->arena);
    server_dialogue_input(&play->dialogue, &terms, input, play->arena, &play->out, &play->step);
    if (play->step.used > input.length) abort();
    if (play->step.action != SERVER_DIALOGUE_MORE && play->step.used == 0) abort();
    action_do(play);
    return play->step.used;
}

/* Shows the bytes as they come, `piece` at a time. */
static void play_run(struct play *play, const uint8_t *data, size_t size, size_t piece, uint8_t flags)
{
    struct text bytes = text_from((const char *)data, size);
    play->arena = arena_new(0);
    play->config.hostname = TEXT("mx.test");
    play->config.limits.message_bytes = 1000;
    play->config.limits.recipients = 3;
    play->config.limits.errors = flags & 64 ? 1000 : 5;
    play->config.limits.junk = flags & 64 ? 0 : 5;
    play->listener.tls = (enum tls_level)(flags & 3);
    play->listener.repair = flags & 4 ? REPAIR_BARE_LF : REPAIR_NONE;
    play->listener.strict = flags & 8;
    play->answers = text_slice(bytes, 0, 16);
    server_dialogue_start(&play->dialogue, &play->listener, flags & 16, flags & 32);
    for (size_t shown = piece; bytes.length && !play->is_over; shown += piece) {
        size_t used;
        do {
            struct text part = text_slice(bytes, 0, shown);
            used = step_do(play, part);
            bytes = text_slice(bytes, used, bytes.length);
            shown -= used;
        } while (used && shown && bytes.length && !play->is_over);
        if (shown >= bytes.length) break;
    }
    arena_free(play->arena);
    buffer_free(&play->out);
}

static bool has_long_line(struct text bytes)
{
    struct text line;
    while (text_next_line(&bytes, &line))
        if (line.length > WHOLE_LINES) return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct play whole = { 0 }, pieces = { 0 };
    play_run(&whole, data + 2, size - 2, size, data[0]);
    play_run(&pieces, data + 2, size - 2, 1 + data[1] % 20, data[0]);
    bool is_same = text_equal(buffer_text(&whole.actions), buffer_text(&pieces.actions));
    if (!is_same && !has_long_line(text_from((const char *)data + 2, size - 2))) abort();
    buffer_free(&whole.actions);
    buffer_free(&pieces.actions);
    return 0;
}
