/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "talk.h"

#include <stdlib.h>

static const char *const names[] = {
    [CONVERSATION_REFUSED] = "refused",  [CONVERSATION_MAIL] = "mail",   [CONVERSATION_RCPT] = "rcpt",
    [CONVERSATION_XCLIENT] = "xclient",  [CONVERSATION_DATA] = "data",   [CONVERSATION_CHUNK] = "chunk",
    [CONVERSATION_RESET] = "reset",      [CONVERSATION_HELLO] = "hello", [CONVERSATION_SECURE] = "tls",
    [CONVERSATION_SETTLE] = "settle",    [CONVERSATION_CLOSE] = "close", [CONVERSATION_GIVE_UP] = "giveup",
    [CONVERSATION_OUT_OF_STEP] = "askew"
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

static void action_add(struct talk *talk, enum conversation_action action)
{
    codes_add(talk);
    if (names[action]) word_add(talk, text_of(names[action]));
    talk->is_over =
        action == CONVERSATION_CLOSE || action == CONVERSATION_GIVE_UP || action == CONVERSATION_OUT_OF_STEP;
}

static void question_answer(struct talk *talk)
{
    struct reply no = { talk->answer, "0.0.0", "no" }, yes = { 250, "2.1.5", "yes" }, none = { 0 };
    struct conversation *conversation = &talk->conversation;
    enum conversation_action action = talk->step.action;
    bool is_no = talk->answer != 0;
    if (action != CONVERSATION_MAIL && action != CONVERSATION_RCPT && action != CONVERSATION_XCLIENT) return;
    buffer_clear(&talk->out);
    switch (action) {
    case CONVERSATION_MAIL:
        conversation_mail_answer(conversation, &talk->config, is_no ? &no : &none, &talk->out);
        break;
    case CONVERSATION_RCPT:
        conversation_rcpt_answer(conversation, &talk->config, TEXT("c@d.test"), is_no ? &no : &yes,
                                 &talk->out);
        break;
    case CONVERSATION_XCLIENT:
        if (talk->answer != 501) conversation_stand_for(conversation, true, is_no ? &no : &none);
        conversation_xclient_answer(conversation, &talk->config, talk->answer == 501 ? "no" : NULL,
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
    struct text piece = conversation_chunk(&talk->conversation, text_from(zeros, octets));
    (void)piece;
    if (talk->conversation.chunk_left) return;
    buffer_clear(&talk->out);
    action_add(talk, conversation_chunk_end(&talk->conversation, &talk->config, &talk->out));
}

void talk_bytes(struct talk *talk, struct text bytes)
{
    while (bytes.length && !talk->is_over) {
        const struct conversation_terms terms = { &talk->config, talk->is_overdue };
        buffer_clear(&talk->out);
        conversation_input(&talk->conversation, &terms, bytes, talk->arena, &talk->out, &talk->step);
        bytes = text_slice(bytes, talk->step.used, bytes.length);
        action_add(talk, talk->step.action);
        question_answer(talk);
        if (talk->step.action == CONVERSATION_CHUNK && talk->conversation.chunk_left == 0)
            chunk_take(talk, 0);
        if (talk->step.action == CONVERSATION_MORE) break;
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
        conversation_secured(&talk->conversation, talk->is_node, talk->is_node ? "" : "it has expired");
    } else if (sign == '#') {
        chunk_take(talk, number);
    } else if (sign == '.' || sign == '+') {
        if (sign == '+') conversation_message_taken(&talk->conversation);
        conversation_mail_over(&talk->conversation);
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
