/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a client may say when, and what it hears at once. Called by inbound.c, which does what is to be done.
 */
#include "receive/conversation.h"

#include <stdio.h>

#define XCLIENT_ATTRIBUTES "NAME ADDR PORT PROTO HELO DESTADDR DESTPORT TLS TRANSACTION"

enum { ENHANCED_MOST = 16 };

void conversation_start(struct conversation *conversation, const struct listener *listener, bool has_tls,
                        bool is_listed)
{
    *conversation = (struct conversation){
        .listener = listener, .has_tls = has_tls, .is_listed = is_listed, .doubt = ""
    };
}

/* --- replies --- */

/* RFC 5321 section 4.5.3.1.10: a client minds 452 by coming again with the rest, and may have sent as many at
   once as it was to have sent at most. */
static void error_count(struct conversation *conversation, const struct config *config, uint16_t code)
{
    if (code < 400) return;
    if (code != 452 || ++conversation->overshoots > config->limits.recipients) conversation->errors++;
}

static size_t put(char *at, struct text text, size_t most)
{
    if (text.length > most) text.length = most;
    if (text.length) memcpy(at, text.at, text.length);
    return text.length;
}

/* Five of these a message: put together by hand, since printf would cost more than the rest. `before` stands
   in front of the text. */
static void reply_put(struct conversation *conversation, const struct config *config,
                      const struct reply *reply, struct text before, struct buffer *out)
{
    char *line = buffer_reserve(out, CONVERSATION_REPLY_MOST + ENHANCED_MOST + 7), *at = line + 4;
    error_count(conversation, config, reply->code);
    line[0] = (char)('0' + reply->code / 100);
    line[1] = (char)('0' + reply->code / 10 % 10);
    line[2] = (char)('0' + reply->code % 10);
    line[3] = ' ';
    at += put(at, text_of(reply->enhanced ? reply->enhanced : ""), ENHANCED_MOST);
    if (at > line + 4) *at++ = ' ';
    char *text = at;
    at += put(at, before, CONVERSATION_REPLY_MOST);
    at += put(at, text_of(reply->text), CONVERSATION_REPLY_MOST - (size_t)(at - text));
    for (char *c = text; c < at; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    *at++ = '\r';
    *at++ = '\n';
    buffer_commit(out, (size_t)(at - line));
}

void conversation_reply(struct conversation *conversation, const struct config *config,
                        const struct reply *reply, struct buffer *out)
{
    reply_put(conversation, config, reply, TEXT_NONE, out);
}

/* What a verb's function is given. */
struct scene {
    struct conversation *conversation;
    const struct config *config;
    struct arena *arena;
    struct buffer *out;
    struct conversation_step *step;
};

static enum conversation_action say(const struct scene *scene, uint16_t code, const char *enhanced,
                                    const char *text)
{
    reply_put(scene->conversation, scene->config, &(struct reply){ code, enhanced, text }, TEXT_NONE,
              scene->out);
    return CONVERSATION_SAID;
}

/* Says it with the node's name in front. */
static enum conversation_action say_as_node(const struct scene *scene, uint16_t code, const char *enhanced,
                                            const char *text)
{
    reply_put(scene->conversation, scene->config, &(struct reply){ code, enhanced, text },
              scene->config->hostname, scene->out);
    return CONVERSATION_SAID;
}

static enum conversation_action refuse(const struct scene *scene, enum event_stage stage, struct text address,
                                       struct reply reply)
{
    scene->step->refusal = reply;
    scene->step->stage = stage;
    scene->step->address = address;
    reply_put(scene->conversation, scene->config, &reply, TEXT_NONE, scene->out);
    return CONVERSATION_REFUSED;
}

static enum conversation_action out_of_step(const struct scene *scene, uint16_t code, const char *enhanced,
                                            const char *text)
{
    scene->step->refusal = (struct reply){ code, enhanced, text };
    say(scene, code, enhanced, text);
    return CONVERSATION_OUT_OF_STEP;
}

/* --- the client --- */

bool conversation_may_xclient(const struct conversation *conversation)
{
    return conversation->is_listed || conversation->is_node;
}

void conversation_count_junk(struct conversation *conversation)
{
    if (conversation->speaks_for || !conversation_may_xclient(conversation)) conversation->junk++;
}

void conversation_message_taken(struct conversation *conversation)
{
    conversation->junk = conversation->overshoots = 0;
}

void conversation_stand_for(struct conversation *conversation, bool speaks_for, const struct reply *refusal)
{
    conversation->speaks_for = speaks_for;
    conversation->client_refusal = *refusal;
    conversation->errors = 0;
    conversation_message_taken(conversation);
}

void conversation_greeted(struct conversation *conversation, struct text helo, bool is_esmtp)
{
    if (helo.length >= sizeof conversation->helo_room) helo = TEXT_NONE;
    conversation->helo = text_from(conversation->helo_room,
                                   put(conversation->helo_room, helo, sizeof conversation->helo_room));
    conversation->is_esmtp = is_esmtp;
}

void conversation_greet(struct conversation *conversation, const struct config *config, bool is_early,
                        struct buffer *out)
{
    if (is_early) conversation->errors += 2;
    reply_put(conversation, config, &(struct reply){ 220, NULL, " ESMTP Sekimori" }, config->hostname, out);
}

void conversation_secured(struct conversation *conversation, bool is_node, const char *doubt)
{
    conversation->is_secure = true;
    conversation->is_node = is_node;
    conversation->doubt = doubt;
    conversation->helo = TEXT_NONE;
    conversation->is_esmtp = false;
    conversation_mail_over(conversation);
}

void conversation_mail_over(struct conversation *conversation)
{
    conversation->mail = MAIL_NONE;
    conversation->recipients = 0;
}

/* --- HELO, EHLO --- */

static enum conversation_action hello(const struct scene *scene, bool is_esmtp)
{
    conversation_count_junk(scene->conversation);
    conversation_mail_over(scene->conversation);
    conversation_greeted(scene->conversation, scene->step->command.argument, is_esmtp);
    return CONVERSATION_HELLO;
}

static enum conversation_action do_helo(const struct scene *scene)
{
    scene->conversation->needs_xclient = false;
    say_as_node(scene, 250, NULL, "");
    return hello(scene, false);
}

static enum conversation_action do_ehlo(const struct scene *scene)
{
    const struct conversation *conversation = scene->conversation;
    bool offers_tls = conversation->has_tls && !conversation->is_secure;
    buffer_printf(
        scene->out,
        "250-%.*s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n%s250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
        "250-SMTPUTF8\r\n250-DSN\r\n%s250 CHUNKING\r\n",
        TEXT_ARG(scene->config->hostname), (unsigned long long)scene->config->limits.message_bytes,
        offers_tls ? "250-STARTTLS\r\n" : "",
        conversation_may_xclient(conversation) ? "250-XCLIENT " XCLIENT_ATTRIBUTES "\r\n" : "");
    return hello(scene, true);
}

/* --- MAIL --- */

static enum conversation_action refuse_no_node(const struct scene *scene)
{
    const char *doubt = scene->conversation->doubt;
    struct text text =
        arena_printf(scene->arena, "this port is for nodes: a certificate of their authority is needed%s%s",
                     *doubt ? "; yours: " : "", doubt);
    return refuse(scene, STAGE_MAIL, TEXT_NONE, (struct reply){ 530, "5.7.0", text.at });
}

/* 421 is for the connection, which is the peer's: the client gets 450. */
static enum conversation_action refuse_client(const struct scene *scene)
{
    struct reply reply = scene->conversation->client_refusal;
    if (reply.code == 421) reply.code = 450;
    return refuse(scene, STAGE_MAIL, TEXT_NONE, reply);
}

static enum conversation_action refuse_size(const struct scene *scene)
{
    return say(scene, 552, "5.3.4",
               arena_printf(scene->arena, "a message may have %llu octets",
                            (unsigned long long)scene->config->limits.message_bytes)
                   .at);
}

static enum conversation_action do_mail(const struct scene *scene)
{
    const struct conversation *conversation = scene->conversation;
    const struct smtp_command *command = &scene->step->command;
    enum tls_level tls = conversation->listener->tls;
    if (conversation->helo.length == 0) return say(scene, 503, "5.5.1", "say EHLO or HELO first");
    if (tls >= TLS_REQUIRED && !conversation->is_secure)
        return say(scene, 530, "5.7.0", "say STARTTLS first");
    if (tls == TLS_NODE && !conversation->is_node) return refuse_no_node(scene);
    if (conversation->needs_xclient) return say(scene, 503, "5.5.1", "XCLIENT was refused");
    if (conversation->client_refusal.code) return refuse_client(scene);
    if (conversation->mail != MAIL_NONE) return say(scene, 503, "5.5.1", "a message is under way");
    if (command->mailbox.needs_smtputf8 && !(command->given & PARAMETER_SMTPUTF8))
        return say(scene, 553, "5.6.7", "the address needs SMTPUTF8");
    if (command->size > scene->config->limits.message_bytes) return refuse_size(scene);
    return CONVERSATION_MAIL;
}

void conversation_mail_answer(struct conversation *conversation, const struct config *config,
                              const struct reply *refusal, struct buffer *out)
{
    static const struct reply taken = { 250, "2.1.0", "sender ok" };
    conversation_reply(conversation, config, refusal->code ? refusal : &taken, out);
    if (refusal->code == 0) conversation->mail = MAIL_OPEN;
}

/* --- RCPT --- */

static enum conversation_action do_rcpt(const struct scene *scene)
{
    if (scene->conversation->mail != MAIL_OPEN) return say(scene, 503, "5.5.1", "say MAIL first");
    return CONVERSATION_RCPT;
}

void conversation_rcpt_answer(struct conversation *conversation, const struct config *config,
                              struct text address, const struct reply *reply, struct buffer *out)
{
    if (reply->code < 300) {
        conversation->recipients++;
        conversation_reply(conversation, config, reply, out);
        return;
    }
    char room[CONVERSATION_REPLY_MOST + 1];
    int length = snprintf(room, sizeof room, "<%.*s>: ", TEXT_ARG(address));
    size_t most = sizeof room - 1;
    reply_put(conversation, config, reply, text_from(room, (size_t)length < most ? (size_t)length : most),
              out);
}

/* --- content --- */

static enum conversation_action do_data(const struct scene *scene)
{
    struct conversation *conversation = scene->conversation;
    if (conversation->mail != MAIL_OPEN) return say(scene, 503, "5.5.1", "say MAIL and RCPT first");
    /* RFC 5321 section 3.3: without recipients there is nothing to send */
    if (conversation->recipients == 0) return say(scene, 554, "5.5.1", "no valid recipients");
    conversation->mail = MAIL_DATA;
    say(scene, 354, NULL, "end data with <CR><LF>.<CR><LF>");
    return CONVERSATION_DATA;
}

/* RFC 3030 section 2: the octets follow whatever we think of the command, so they are always taken. */
static enum conversation_action do_bdat(const struct scene *scene)
{
    struct conversation *conversation = scene->conversation;
    const struct smtp_command *command = &scene->step->command;
    if (conversation->mail == MAIL_OPEN && conversation->recipients > 0) conversation->mail = MAIL_CHUNKS;
    if (command->size == 0 && !command->is_last) conversation_count_junk(conversation);
    conversation->chunk_left = command->size;
    conversation->chunk_is_last = command->is_last;
    return CONVERSATION_CHUNK;
}

struct text conversation_chunk(struct conversation *conversation, struct text input)
{
    struct text piece = text_slice(input, 0, conversation->chunk_left);
    conversation->chunk_left -= piece.length;
    return piece;
}

enum conversation_action conversation_chunk_end(struct conversation *conversation,
                                                const struct config *config, struct buffer *out)
{
    static const struct reply none = { 554, "5.5.1", "no valid recipients for this chunk" };
    static const struct reply early = { 503, "5.5.1", "no valid recipients for this chunk" };
    static const struct reply ok = { 250, "2.0.0", "chunk ok" };
    bool is_taken = conversation->mail == MAIL_CHUNKS;
    if (is_taken && conversation->chunk_is_last) return CONVERSATION_SETTLE;
    conversation_reply(conversation, config,
                       is_taken                          ? &ok
                       : conversation->mail == MAIL_OPEN ? &none
                                                         : &early,
                       out);
    return CONVERSATION_SAID;
}

/* --- the others --- */

static enum conversation_action do_rset(const struct scene *scene)
{
    conversation_count_junk(scene->conversation);
    conversation_mail_over(scene->conversation);
    say(scene, 250, "2.0.0", "ok");
    return CONVERSATION_RESET;
}

static enum conversation_action do_noop(const struct scene *scene)
{
    conversation_count_junk(scene->conversation);
    return say(scene, 250, "2.0.0", "ok");
}

static enum conversation_action do_quit(const struct scene *scene)
{
    say_as_node(scene, 221, "2.0.0", " bye");
    return CONVERSATION_CLOSE;
}

static enum conversation_action do_vrfy(const struct scene *scene)
{
    conversation_count_junk(scene->conversation);
    return say(scene, 252, "2.5.2", "send some mail, it will be tried");
}

static enum conversation_action do_help(const struct scene *scene)
{
    struct text text =
        arena_printf(scene->arena, "Sekimori, RFC 5321; ask %.*s", TEXT_ARG(scene->config->admin));
    conversation_count_junk(scene->conversation);
    return say(scene, 214, "2.0.0", text.at);
}

static enum conversation_action do_not_offered(const struct scene *scene)
{
    return say(scene, 502, "5.5.1", "not offered");
}

static enum conversation_action do_starttls(const struct scene *scene)
{
    if (!scene->conversation->has_tls) return do_not_offered(scene);
    if (scene->conversation->is_secure) return say(scene, 503, "5.5.1", "TLS is in use");
    say(scene, 220, "2.0.0", "ready to start TLS");
    return CONVERSATION_SECURE;
}

static enum conversation_action do_xclient(const struct scene *scene)
{
    struct conversation *conversation = scene->conversation;
    if (!conversation_may_xclient(conversation)) return say(scene, 550, "5.7.0", "XCLIENT is not for you");
    conversation->needs_xclient = true;
    if (conversation->mail != MAIL_NONE) return say(scene, 503, "5.5.1", "a message is under way");
    return CONVERSATION_XCLIENT;
}

void conversation_xclient_answer(struct conversation *conversation, const struct config *config,
                                 const char *why, struct buffer *out)
{
    if (why) {
        conversation_reply(conversation, config, &(struct reply){ 501, "5.5.4", why }, out);
        return;
    }
    conversation->needs_xclient = false;
    conversation_greet(conversation, config, false, out);
}

static enum conversation_action (*const verbs[VERB_COUNT])(const struct scene *scene) = {
    [VERB_EHLO] = do_ehlo,           [VERB_HELO] = do_helo,         [VERB_MAIL] = do_mail,
    [VERB_RCPT] = do_rcpt,           [VERB_DATA] = do_data,         [VERB_BDAT] = do_bdat,
    [VERB_RSET] = do_rset,           [VERB_NOOP] = do_noop,         [VERB_QUIT] = do_quit,
    [VERB_VRFY] = do_vrfy,           [VERB_EXPN] = do_not_offered,  [VERB_HELP] = do_help,
    [VERB_AUTH] = do_not_offered,    [VERB_STARTTLS] = do_starttls, [VERB_XCLIENT] = do_xclient,
    [VERB_UNKNOWN] = do_not_offered,
};

/* --- lines --- */

/* A line that is no command, or not a whole one. */
static enum conversation_action malformed(const struct scene *scene, const struct smtp_error *error)
{
    const struct smtp_command *command = &scene->step->command;
    struct conversation *conversation = scene->conversation;
    bool is_rcpt = command->verb == VERB_RCPT;
    if (command->is_out_of_step) return out_of_step(scene, error->code, error->enhanced, error->text);
    if (command->verb == VERB_XCLIENT && conversation_may_xclient(conversation))
        conversation->needs_xclient = true;
    if (!is_rcpt && command->verb != VERB_MAIL) return say(scene, error->code, error->enhanced, error->text);
    return refuse(scene, is_rcpt ? STAGE_RCPT : STAGE_MAIL, command->mailbox.address,
                  (struct reply){ error->code, error->enhanced, error->text });
}

/* RFC 3030 section 2: between chunks nothing else is for this message. */
static bool may_come_between_chunks(enum smtp_verb verb)
{
    return verb == VERB_BDAT || verb == VERB_RSET || verb == VERB_QUIT || verb == VERB_NOOP;
}

static enum conversation_action command_do(const struct scene *scene, struct text line)
{
    struct smtp_command *command = &scene->step->command;
    struct smtp_error error =
        smtp_command_parse(scene->arena, line, scene->conversation->listener->strict, command);
    if (error.code) return malformed(scene, &error);
    if (scene->conversation->mail == MAIL_CHUNKS && !may_come_between_chunks(command->verb))
        return say(scene, 503, "5.5.1", "BDAT has begun");
    return verbs[command->verb](scene);
}

/* What is there of a line that has not come whole. */
static enum conversation_action part_read(const struct scene *scene, struct text part)
{
    struct conversation *conversation = scene->conversation;
    scene->step->used = part.length;
    if (!conversation->skips_line && smtp_is_foreign_start(part))
        return out_of_step(scene, 500, "5.5.1", "this is SMTP, and what you speak is not");
    if (part.length > COMMAND_LINE_MOST)
        conversation->skips_line = true;
    else
        scene->step->used = 0;
    return CONVERSATION_MORE;
}

/* A command line's end is CRLF; a bare LF only where the port repairs it. */
static enum conversation_action line_read(const struct scene *scene, struct text line, bool is_overdue)
{
    struct conversation *conversation = scene->conversation;
    bool has_cr = line.length > 0 && line.at[line.length - 1] == '\r';
    if (has_cr) line.length--;
    bool is_too_long = conversation->skips_line || line.length > COMMAND_LINE_MOST;
    conversation->skips_line = false;
    if (is_overdue && conversation->mail == MAIL_NONE) {
        say_as_node(scene, 421, "4.3.2", " the session has lasted its time, connect again");
        return CONVERSATION_CLOSE;
    }
    if (!has_cr && conversation->listener->repair == REPAIR_NONE)
        return out_of_step(scene, 500, "5.5.2", "lines end with CRLF; a bare LF was received");
    if (is_too_long) return say(scene, 500, "5.5.2", "the line is too long");
    return command_do(scene, line);
}

/* NULL: the client may go on. */
static const char *excess(const struct conversation *conversation, const struct config *config)
{
    if (config->limits.junk && conversation->junk > config->limits.junk)
        return " too many commands without a message";
    return conversation->errors > config->limits.errors ? " too many errors" : NULL;
}

void conversation_input(struct conversation *conversation, const struct conversation_terms *terms,
                        struct text input, struct arena *arena, struct buffer *out,
                        struct conversation_step *step)
{
    const struct scene scene = { conversation, terms->config, arena, out, step };
    const char *why = excess(conversation, terms->config);
    size_t end = text_find_char(input, '\n');
    if (why) {
        step->used = input.length;
        step->refusal = (struct reply){ 421, "4.7.0", why + 1 };
        say_as_node(&scene, 421, "4.7.0", why);
        step->action = CONVERSATION_GIVE_UP;
    } else if (end == input.length) {
        step->action = part_read(&scene, input);
    } else {
        step->used = end + 1;
        step->action = line_read(&scene, text_slice(input, 0, end), terms->is_overdue);
    }
}
