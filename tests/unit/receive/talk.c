/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "talk.h"

#include <stdlib.h>

static const char *const names[] = {
    [SERVER_DIALOGUE_REFUSED] = "refused",  [SERVER_DIALOGUE_MAIL] = "mail",
    [SERVER_DIALOGUE_RCPT] = "rcpt",        [SERVER_DIALOGUE_XCLIENT] = "xclient",
    [SERVER_DIALOGUE_DATA] = "data",        [SERVER_DIALOGUE_CHUNK] = "chunk",
    [SERVER_DIALOGUE_RESET] = "reset",      [SERVER_DIALOGUE_HELLO] = "hello",
    [SERVER_DIALOGUE_SECURE] = "tls",       [SERVER_DIALOGUE_SETTLE] = "settle",
    [SERVER_DIALOGUE_CLOSE] = "close",      [SERVER_DIALOGUE_GIVE_UP] = "giveup",
    [SERVER_DIALOGUE_OUT_OF_STEP] = "askew"
};

void talk_begin(struct talk *talk)
{
    *talk = (struct talk){ .arena = arena_new(0) };
    talk->config.hostname = TEXT("mx.test");
    talk->config.admin = TEXT("admin@us.test");
    talk->config.limits.message_bytes = 1000;
    talk->config.limits.recipients = 3;
    talk->config.limits.errors = 2;
    talk->config.limits.junk = 4;
    talk->listener.repair = REPAIR_NONE;
}

void talk_end(struct talk *talk)
{
    buffer_free(&talk->out);
    buffer_free(&talk->words);
    arena_free(talk->arena);
}

static void word_add(struct talk *talk, struct text word)
{
    if (buffer_length(&talk->words)) buffer_add_char(&talk->words, ' ');
    buffer_add_text(&talk->words, word);
}

/* Of each reply the code of its last line. */
static void codes_add(struct talk *talk)
{
    struct text rest = buffer_text(&talk->out), line;
    while (text_next_line(&rest, &line))
        if (line.length > 3 && line.at[3] == ' ') word_add(talk, text_slice(line, 0, 3));
}

static void action_add(struct talk *talk, enum server_dialogue_action action)
{
    codes_add(talk);
    if (names[action]) word_add(talk, text_of(names[action]));
    talk->is_over = action == SERVER_DIALOGUE_CLOSE || action == SERVER_DIALOGUE_GIVE_UP ||
                    action == SERVER_DIALOGUE_OUT_OF_STEP;
}

static void question_answer(struct talk *talk)
{
    struct reply no = { talk->answer, "0.0.0", "no" }, yes = { 250, "2.1.5", "yes" }, none = { 0 };
    struct server_dialogue *dialogue = &talk->dialogue;
    enum server_dialogue_action action = talk->step.action;
    bool is_no = talk->answer != 0;
    if (action != SERVER_DIALOGUE_MAIL && action != SERVER_DIALOGUE_RCPT && action != SERVER_DIALOGUE_XCLIENT)
        return;
    buffer_clear(&talk->out);
    switch (action) {
    case SERVER_DIALOGUE_MAIL:
        server_dialogue_mail_answer(dialogue, &talk->config, is_no ? &no : &none, &talk->out);
        break;
    case SERVER_DIALOGUE_RCPT:
        server_dialogue_rcpt_answer(dialogue, &talk->config, TEXT("c@d.test"), is_no ? &no : &yes,
                                    &talk->out);
        break;
    case SERVER_DIALOGUE_XCLIENT:
        if (talk->answer != 501) server_dialogue_stand_for(dialogue, true, is_no ? &no : &none);
        server_dialogue_xclient_answer(dialogue, &talk->config, talk->answer == 501 ? "no" : NULL,
                                       &talk->out);
        break;
    default:
        break;
    }
    codes_add(talk);
    talk->answer = 0;
}

static void chunk_take(struct talk *talk, size_t octets)
{
    static const char zeros[100];
    struct text piece = server_dialogue_chunk(&talk->dialogue, text_from(zeros, octets));
    (void)piece;
    if (talk->dialogue.chunk_left) return;
    buffer_clear(&talk->out);
    action_add(talk, server_dialogue_chunk_end(&talk->dialogue, &talk->config, &talk->out));
}

void talk_bytes(struct talk *talk, struct text bytes)
{
    while (bytes.length && !talk->is_over) {
        const struct server_dialogue_terms terms = { &talk->config, talk->is_overdue };
        buffer_clear(&talk->out);
        server_dialogue_input(&talk->dialogue, &terms, bytes, talk->arena, &talk->out, &talk->step);
        bytes = text_slice(bytes, talk->step.used, bytes.length);
        action_add(talk, talk->step.action);
        question_answer(talk);
        if (talk->step.action == SERVER_DIALOGUE_CHUNK && talk->dialogue.chunk_left == 0) chunk_take(talk, 0);
        if (talk->step.action == SERVER_DIALOGUE_MORE) break;
    }
}

static void line_do(struct talk *talk, struct text line)
{
    struct buffer bytes = { 0 };
    char sign = line.length ? line.at[0] : ' ';
    unsigned number = line.length > 1 ? (unsigned)strtoul(line.at + 1, NULL, 10) : 0;
    if (sign == '<') {
        talk->answer = (uint16_t)number;
    } else if (sign == '*') {
        server_dialogue_secured(&talk->dialogue, talk->is_node, talk->is_node ? "" : "it has expired");
    } else if (sign == '#') {
        chunk_take(talk, number);
    } else if (sign == '.' || sign == '+') {
        if (sign == '+') server_dialogue_message_taken(&talk->dialogue);
        server_dialogue_mail_over(&talk->dialogue);
    } else if (sign == '@') {
        talk->is_overdue = true;
    } else {
        buffer_printf(&bytes, "%.*s\r\n", TEXT_ARG(line));
        talk_bytes(talk, buffer_text(&bytes));
        buffer_free(&bytes);
    }
}

void talk_lines(struct talk *talk, const char *lines)
{
    struct text rest = text_of(lines), line;
    while (!talk->is_over && text_next_line(&rest, &line)) line_do(talk, line);
}

const char *talk_words(struct talk *talk)
{
    struct text words = arena_text(talk->arena, buffer_text(&talk->words));
    buffer_clear(&talk->words);
    return words.at;
}
