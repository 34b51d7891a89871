/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a client may say when, and what it hears at once. Called by connection.c, which does what is to be
 * done.
 */
#include "receive/server_dialogue.h"

#include <stdio.h>

#include "base/utf8.h"
#include "config/domains.h"
#include "config/refusal_text.h"
#include "receive/sender_right.h"

#define XCLIENT_ATTRIBUTES "NAME ADDR PORT PROTO HELO DESTADDR DESTPORT TLS TRANSACTION"

enum { ENHANCED_MOST = 16, LINE_MOST = 512 - ENHANCED_MOST - 7 };

void server_dialogue_start(struct server_dialogue *dialogue, const struct listener *listener, bool has_tls,
                           bool is_listed)
{
    *dialogue = (struct server_dialogue){
        .listener = listener, .has_tls = has_tls, .is_listed = is_listed, .doubt = ""
    };
}

/* --- replies --- */

/* RFC 5321 section 4.5.3.1.10: a client minds 452 by coming again with the rest, and may have sent as many at
   once as it was to have sent at most. */
static void error_count(struct server_dialogue *dialogue, const struct config *config, uint16_t code)
{
    if (code < 400) return;
    if (code != 452 || ++dialogue->overshoots > config->limits.recipients) dialogue->errors++;
}

static size_t put(char *at, struct text text, size_t most)
{
    if (text.length > most) text.length = most;
    if (text.length) memcpy(at, text.at, text.length);
    return text.length;
}

/* What another server said may be in any charset, or cut in a character: a reply is ASCII, or UTF-8 (RFC 6531
   section 3.7.4). */
static void text_clean(char *text, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        unsigned char c = (unsigned char)text[i];
        step = c < 128 ? 1 : utf8_sequence(text_from(text + i, length - i));
        if (c < ' ' || c == 127 || step == 0) text[i] = '?';
        if (step == 0) step = 1;
    }
}

/* How much of `text` goes on one line of at most `most` octets: up to a line end, else up to a blank, never
   within a character. */
static size_t line_length(struct text text, size_t most)
{
    size_t end = text_find_char(text, '\n'), cut = most;
    if (end <= most) return end;
    while (cut > most / 2 && text.at[cut] != ' ') cut--;
    if (text.at[cut] == ' ') return cut;
    for (cut = most; cut > most - 4 && ((unsigned char)text.at[cut] & 0xC0) == 0x80;) cut--;
    return cut;
}

/* The lines behind the first, each with code and status (RFC 2034 section 4) and no longer than a reply's
   line may be (RFC 5321 section 4.5.3.1.5). */
static void more_put(const struct reply *reply, struct buffer *out)
{
    const char *status = reply->enhanced ? reply->enhanced : "";
    struct text rest = text_of(reply->more ? reply->more : "");
    while (rest.length) {
        size_t length = line_length(rest, LINE_MOST);
        struct text line = text_slice(rest, 0, length);
        bool is_cut = length < rest.length && (rest.at[length] == '\n' || rest.at[length] == ' ');
        rest = text_slice(rest, length + is_cut, rest.length);
        buffer_printf(out, "%u%c%.*s%s", reply->code, rest.length ? '-' : ' ', ENHANCED_MOST, status,
                      *status ? " " : "");
        for (size_t i = 0; i < line.length; i++)
            buffer_add_char(out, (unsigned char)line.at[i] < ' ' || line.at[i] == 127 ? '?' : line.at[i]);
        buffer_add_text(out, TEXT("\r\n"));
    }
}

/* Five of these a message: put together by hand, since printf would cost more than the rest. `before` stands
   in front of the text. */
static void reply_put(struct server_dialogue *dialogue, const struct config *config,
                      const struct reply *reply, struct text before, struct buffer *out)
{
    char *line = buffer_reserve(out, SERVER_DIALOGUE_REPLY_MOST + ENHANCED_MOST + 7), *at = line + 4;
    error_count(dialogue, config, reply->code);
    line[0] = (char)('0' + reply->code / 100);
    line[1] = (char)('0' + reply->code / 10 % 10);
    line[2] = (char)('0' + reply->code % 10);
    line[3] = reply->more && *reply->more ? '-' : ' ';
    at += put(at, text_of(reply->enhanced ? reply->enhanced : ""), ENHANCED_MOST);
    if (at > line + 4) *at++ = ' ';
    char *text = at;
    at += put(at, before, SERVER_DIALOGUE_REPLY_MOST);
    at += put(at, text_of(reply->text), SERVER_DIALOGUE_REPLY_MOST - (size_t)(at - text));
    text_clean(text, (size_t)(at - text));
    *at++ = '\r';
    *at++ = '\n';
    buffer_commit(out, (size_t)(at - line));
    more_put(reply, out);
}

void server_dialogue_reply(struct server_dialogue *dialogue, const struct config *config,
                           const struct reply *reply, struct buffer *out)
{
    reply_put(dialogue, config, reply, TEXT_NONE, out);
}

struct reply server_dialogue_explain(const struct reply *reply, const struct config *config, bool is_utf8,
                                     struct arena *arena)
{
    struct reply explained = *reply;
    struct buffer lines = { 0 };
    refusal_text_add(config, reply->kind, is_utf8, &lines);
    if (buffer_length(&lines)) explained.more = arena_text(arena, buffer_text(&lines)).at;
    buffer_free(&lines);
    return explained;
}

/* What a verb's function is given. */
struct scene {
    struct server_dialogue *dialogue;
    const struct config *config;
    bool is_handed_on;
    struct arena *arena;
    struct buffer *out;
    struct server_dialogue_step *step;
};

static enum server_dialogue_action say(const struct scene *scene, uint16_t code, const char *enhanced,
                                       const char *text)
{
    reply_put(scene->dialogue, scene->config, &(struct reply){ code, enhanced, text }, TEXT_NONE, scene->out);
    return SERVER_DIALOGUE_SAID;
}

/* Says it with the node's name in front. */
static enum server_dialogue_action say_as_node(const struct scene *scene, uint16_t code, const char *enhanced,
                                               const char *text)
{
    reply_put(scene->dialogue, scene->config, &(struct reply){ code, enhanced, text },
              scene->config->hostname, scene->out);
    return SERVER_DIALOGUE_SAID;
}

static enum server_dialogue_action refuse(const struct scene *scene, enum event_stage stage,
                                          struct text address, struct reply reply)
{
    scene->step->refusal = reply;
    scene->step->stage = stage;
    scene->step->address = address;
    reply_put(scene->dialogue, scene->config, &reply, TEXT_NONE, scene->out);
    return SERVER_DIALOGUE_REFUSED;
}

static enum server_dialogue_action out_of_step(const struct scene *scene, uint16_t code, const char *enhanced,
                                               const char *text)
{
    scene->step->refusal = (struct reply){ code, enhanced, text };
    say(scene, code, enhanced, text);
    return SERVER_DIALOGUE_OUT_OF_STEP;
}

/* --- the client --- */

bool server_dialogue_may_xclient(const struct server_dialogue *dialogue)
{
    return dialogue->is_listed || dialogue->is_node;
}

void server_dialogue_count_junk(struct server_dialogue *dialogue)
{
    if (dialogue->speaks_for || !server_dialogue_may_xclient(dialogue)) dialogue->junk++;
}

void server_dialogue_message_taken(struct server_dialogue *dialogue)
{
    dialogue->junk = dialogue->overshoots = 0;
}

void server_dialogue_stand_for(struct server_dialogue *dialogue, bool speaks_for, const struct reply *refusal)
{
    dialogue->speaks_for = speaks_for;
    dialogue->client_refusal = *refusal;
    dialogue->errors = 0;
    server_dialogue_message_taken(dialogue);
}

void server_dialogue_greeted(struct server_dialogue *dialogue, struct text helo, bool is_esmtp)
{
    if (helo.length >= sizeof dialogue->helo_room) helo = TEXT_NONE;
    dialogue->helo =
        text_from(dialogue->helo_room, put(dialogue->helo_room, helo, sizeof dialogue->helo_room));
    dialogue->is_esmtp = is_esmtp;
}

void server_dialogue_greet(struct server_dialogue *dialogue, const struct config *config, bool is_early,
                           struct buffer *out)
{
    if (is_early) dialogue->errors += 2;
    reply_put(dialogue, config, &(struct reply){ 220, NULL, " ESMTP Sekimori" }, config->hostname, out);
}

void server_dialogue_secured(struct server_dialogue *dialogue, bool is_node, const char *doubt)
{
    dialogue->is_secure = true;
    dialogue->is_node = is_node;
    dialogue->doubt = doubt;
    dialogue->helo = TEXT_NONE;
    dialogue->is_esmtp = false;
    server_dialogue_mail_over(dialogue);
}

void server_dialogue_mail_over(struct server_dialogue *dialogue)
{
    dialogue->mail = MAIL_NONE;
    dialogue->recipients = 0;
}

/* --- HELO, EHLO --- */

static enum server_dialogue_action hello(const struct scene *scene, bool is_esmtp)
{
    server_dialogue_count_junk(scene->dialogue);
    server_dialogue_mail_over(scene->dialogue);
    server_dialogue_greeted(scene->dialogue, scene->step->command.argument, is_esmtp);
    return SERVER_DIALOGUE_HELLO;
}

static enum server_dialogue_action do_helo(const struct scene *scene)
{
    scene->dialogue->needs_xclient = false;
    say_as_node(scene, 250, NULL, "");
    return hello(scene, false);
}

static enum server_dialogue_action do_ehlo(const struct scene *scene)
{
    const struct server_dialogue *dialogue = scene->dialogue;
    bool offers_tls = dialogue->has_tls && !dialogue->is_secure;
    buffer_printf(
        scene->out,
        "250-%.*s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n%s250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
        "%s250-DSN\r\n%s250 CHUNKING\r\n",
        TEXT_ARG(scene->config->hostname), (unsigned long long)scene->config->limits.message_bytes,
        offers_tls ? "250-STARTTLS\r\n" : "",
        config_takes_smtputf8(scene->config, dialogue->listener->direction) ? "250-SMTPUTF8\r\n" : "",
        server_dialogue_may_xclient(dialogue) ? "250-XCLIENT " XCLIENT_ATTRIBUTES "\r\n" : "");
    return hello(scene, true);
}

/* --- MAIL --- */

static enum server_dialogue_action refuse_no_node(const struct scene *scene)
{
    const char *doubt = scene->dialogue->doubt;
    struct text text =
        arena_printf(scene->arena, "this port is for nodes: a certificate of their authority is needed%s%s",
                     *doubt ? "; yours: " : "", doubt);
    return refuse(scene, STAGE_MAIL, TEXT_NONE, (struct reply){ 530, "5.7.0", text.at });
}

/* 421 is for the connection, which is the peer's: the client gets 450. */
static enum server_dialogue_action refuse_client(const struct scene *scene)
{
    struct reply reply = scene->dialogue->client_refusal;
    if (reply.code == 421) reply.code = 450;
    return refuse(scene, STAGE_MAIL, TEXT_NONE, reply);
}

static enum server_dialogue_action refuse_size(const struct scene *scene)
{
    struct text text = arena_printf(scene->arena, "a message may have %llu octets",
                                    (unsigned long long)scene->config->limits.message_bytes);
    struct reply reply = { 552, "5.3.4", text.at, REFUSAL_SIZE, NULL };
    bool is_utf8 = (scene->step->command.given & PARAMETER_SMTPUTF8) != 0;
    reply = server_dialogue_explain(&reply, scene->config, is_utf8, scene->arena);
    reply_put(scene->dialogue, scene->config, &reply, TEXT_NONE, scene->out);
    return SERVER_DIALOGUE_SAID;
}

/* Said with what the configuration adds for people; log and ledger keep the first line. */
static enum server_dialogue_action refuse_sender(const struct scene *scene, const struct reply *reply)
{
    const struct smtp_command *command = &scene->step->command;
    bool is_utf8 = (command->given & PARAMETER_SMTPUTF8) != 0;
    struct reply explained = server_dialogue_explain(reply, scene->config, is_utf8, scene->arena);
    return refuse(scene, STAGE_MAIL, command->mailbox.address, explained);
}

/* A node in front of us, which faces the client, has looked. */
static struct reply sender_refusal(const struct scene *scene)
{
    if (scene->dialogue->is_node || scene->is_handed_on) return (struct reply){ 0 };
    return sender_right_refusal(scene->config, scene->dialogue->listener, &scene->step->command.mailbox,
                                scene->arena);
}

static enum server_dialogue_action do_mail(const struct scene *scene)
{
    const struct server_dialogue *dialogue = scene->dialogue;
    const struct smtp_command *command = &scene->step->command;
    enum tls_level tls = dialogue->listener->tls;
    if (dialogue->helo.length == 0) return say(scene, 503, "5.5.1", "say EHLO or HELO first");
    if (tls >= TLS_REQUIRED && !dialogue->is_secure) return say(scene, 530, "5.7.0", "say STARTTLS first");
    if (tls == TLS_NODE && !dialogue->is_node) return refuse_no_node(scene);
    if (dialogue->needs_xclient) return say(scene, 503, "5.5.1", "XCLIENT was refused");
    if (dialogue->client_refusal.code) return refuse_client(scene);
    if (dialogue->mail != MAIL_NONE) return say(scene, 503, "5.5.1", "a message is under way");
    if (command->mailbox.needs_smtputf8 && !(command->given & PARAMETER_SMTPUTF8))
        return say(scene, 553, "5.6.7", "the address needs SMTPUTF8");
    if (command->size > scene->config->limits.message_bytes) return refuse_size(scene);
    struct reply refusal = sender_refusal(scene);
    if (refusal.code) return refuse_sender(scene, &refusal);
    return SERVER_DIALOGUE_MAIL;
}

void server_dialogue_mail_answer(struct server_dialogue *dialogue, const struct config *config,
                                 const struct reply *refusal, struct buffer *out)
{
    static const struct reply taken = { 250, "2.1.0", "sender ok" };
    server_dialogue_reply(dialogue, config, refusal->code ? refusal : &taken, out);
    if (refusal->code == 0) dialogue->mail = MAIL_OPEN;
}

/* --- RCPT --- */

static enum server_dialogue_action do_rcpt(const struct scene *scene)
{
    if (scene->dialogue->mail != MAIL_OPEN) return say(scene, 503, "5.5.1", "say MAIL first");
    return SERVER_DIALOGUE_RCPT;
}

/* An address of any length leaves room for the reason. */
void server_dialogue_rcpt_answer(struct server_dialogue *dialogue, const struct config *config,
                                 struct text address, const struct reply *reply, struct buffer *out)
{
    if (reply->code < 300) {
        dialogue->recipients++;
        server_dialogue_reply(dialogue, config, reply, out);
        return;
    }
    char room[SERVER_DIALOGUE_REPLY_MOST + 1];
    size_t reason = strlen(reply->text) + strlen("<>: ");
    size_t most = reason < SERVER_DIALOGUE_REPLY_MOST ? SERVER_DIALOGUE_REPLY_MOST - reason : 0;
    int length = snprintf(room, sizeof room, "<%.*s>: ", TEXT_ARG(text_slice(address, 0, most)));
    most = sizeof room - 1;
    reply_put(dialogue, config, reply, text_from(room, (size_t)length < most ? (size_t)length : most), out);
}

/* --- content --- */

static enum server_dialogue_action do_data(const struct scene *scene)
{
    struct server_dialogue *dialogue = scene->dialogue;
    if (dialogue->mail != MAIL_OPEN) return say(scene, 503, "5.5.1", "say MAIL and RCPT first");
    /* RFC 5321 section 3.3: without recipients there is nothing to send */
    if (dialogue->recipients == 0) return say(scene, 554, "5.5.1", "no valid recipients");
    dialogue->mail = MAIL_DATA;
    say(scene, 354, NULL, "end data with <CR><LF>.<CR><LF>");
    return SERVER_DIALOGUE_DATA;
}

/* RFC 3030 section 2: the octets follow whatever we think of the command, so they are always taken. */
static enum server_dialogue_action do_bdat(const struct scene *scene)
{
    struct server_dialogue *dialogue = scene->dialogue;
    const struct smtp_command *command = &scene->step->command;
    if (dialogue->mail == MAIL_OPEN && dialogue->recipients > 0) dialogue->mail = MAIL_CHUNKS;
    if (command->size == 0 && !command->is_last) server_dialogue_count_junk(dialogue);
    dialogue->chunk_left = command->size;
    dialogue->chunk_is_last = command->is_last;
    return SERVER_DIALOGUE_CHUNK;
}

struct text server_dialogue_chunk(struct server_dialogue *dialogue, struct text input)
{
    struct text piece = text_slice(input, 0, dialogue->chunk_left);
    dialogue->chunk_left -= piece.length;
    return piece;
}

enum server_dialogue_action server_dialogue_chunk_end(struct server_dialogue *dialogue,
                                                      const struct config *config, struct buffer *out)
{
    static const struct reply none = { 554, "5.5.1", "no valid recipients for this chunk" };
    static const struct reply early = { 503, "5.5.1", "no valid recipients for this chunk" };
    static const struct reply ok = { 250, "2.0.0", "chunk ok" };
    bool is_taken = dialogue->mail == MAIL_CHUNKS;
    if (is_taken && dialogue->chunk_is_last) return SERVER_DIALOGUE_SETTLE;
    server_dialogue_reply(dialogue, config,
                          is_taken                      ? &ok
                          : dialogue->mail == MAIL_OPEN ? &none
                                                        : &early,
                          out);
    return SERVER_DIALOGUE_SAID;
}

/* --- the others --- */

static enum server_dialogue_action do_rset(const struct scene *scene)
{
    server_dialogue_count_junk(scene->dialogue);
    server_dialogue_mail_over(scene->dialogue);
    say(scene, 250, "2.0.0", "ok");
    return SERVER_DIALOGUE_RESET;
}

static enum server_dialogue_action do_noop(const struct scene *scene)
{
    server_dialogue_count_junk(scene->dialogue);
    return say(scene, 250, "2.0.0", "ok");
}

static enum server_dialogue_action do_quit(const struct scene *scene)
{
    say_as_node(scene, 221, "2.0.0", " bye");
    return SERVER_DIALOGUE_CLOSE;
}

static enum server_dialogue_action do_vrfy(const struct scene *scene)
{
    server_dialogue_count_junk(scene->dialogue);
    return say(scene, 252, "2.5.2", "send some mail, it will be tried");
}

static enum server_dialogue_action do_help(const struct scene *scene)
{
    struct text text =
        arena_printf(scene->arena, "Sekimori, RFC 5321; ask %.*s", TEXT_ARG(scene->config->admin));
    server_dialogue_count_junk(scene->dialogue);
    return say(scene, 214, "2.0.0", text.at);
}

static enum server_dialogue_action do_not_offered(const struct scene *scene)
{
    return say(scene, 502, "5.5.1", "not offered");
}

static enum server_dialogue_action do_starttls(const struct scene *scene)
{
    if (!scene->dialogue->has_tls) return do_not_offered(scene);
    if (scene->dialogue->is_secure) return say(scene, 503, "5.5.1", "TLS is in use");
    say(scene, 220, "2.0.0", "ready to start TLS");
    return SERVER_DIALOGUE_SECURE;
}

static enum server_dialogue_action do_xclient(const struct scene *scene)
{
    struct server_dialogue *dialogue = scene->dialogue;
    if (!server_dialogue_may_xclient(dialogue)) return say(scene, 550, "5.7.0", "XCLIENT is not for you");
    dialogue->needs_xclient = true;
    if (dialogue->mail != MAIL_NONE) return say(scene, 503, "5.5.1", "a message is under way");
    return SERVER_DIALOGUE_XCLIENT;
}

void server_dialogue_xclient_answer(struct server_dialogue *dialogue, const struct config *config,
                                    const char *why, struct buffer *out)
{
    if (why) {
        server_dialogue_reply(dialogue, config, &(struct reply){ 501, "5.5.4", why }, out);
        return;
    }
    dialogue->needs_xclient = false;
    server_dialogue_greet(dialogue, config, false, out);
}

static enum server_dialogue_action (*const verbs[VERB_COUNT])(const struct scene *scene) = {
    [VERB_EHLO] = do_ehlo,           [VERB_HELO] = do_helo,         [VERB_MAIL] = do_mail,
    [VERB_RCPT] = do_rcpt,           [VERB_DATA] = do_data,         [VERB_BDAT] = do_bdat,
    [VERB_RSET] = do_rset,           [VERB_NOOP] = do_noop,         [VERB_QUIT] = do_quit,
    [VERB_VRFY] = do_vrfy,           [VERB_EXPN] = do_not_offered,  [VERB_HELP] = do_help,
    [VERB_AUTH] = do_not_offered,    [VERB_STARTTLS] = do_starttls, [VERB_XCLIENT] = do_xclient,
    [VERB_UNKNOWN] = do_not_offered,
};

/* --- lines --- */

/* A line that is no command, or not a whole one. */
static enum server_dialogue_action malformed(const struct scene *scene, const struct smtp_error *error)
{
    const struct smtp_command *command = &scene->step->command;
    struct server_dialogue *dialogue = scene->dialogue;
    bool is_rcpt = command->verb == VERB_RCPT;
    if (command->is_out_of_step) return out_of_step(scene, error->code, error->enhanced, error->text);
    if (command->verb == VERB_XCLIENT && server_dialogue_may_xclient(dialogue))
        dialogue->needs_xclient = true;
    if (!is_rcpt && command->verb != VERB_MAIL) return say(scene, error->code, error->enhanced, error->text);
    return refuse(scene, is_rcpt ? STAGE_RCPT : STAGE_MAIL, command->mailbox.address,
                  (struct reply){ error->code, error->enhanced, error->text });
}

/* RFC 3030 section 2: between chunks nothing else is for this message. */
static bool may_come_between_chunks(enum smtp_verb verb)
{
    return verb == VERB_BDAT || verb == VERB_RSET || verb == VERB_QUIT || verb == VERB_NOOP;
}

static enum server_dialogue_action command_do(const struct scene *scene, struct text line)
{
    struct smtp_command *command = &scene->step->command;
    struct smtp_error error =
        smtp_command_parse(scene->arena, line, scene->dialogue->listener->strict, command);
    if (error.code) return malformed(scene, &error);
    if (scene->dialogue->mail == MAIL_CHUNKS && !may_come_between_chunks(command->verb))
        return say(scene, 503, "5.5.1", "BDAT has begun");
    return verbs[command->verb](scene);
}

/* What is there of a line that has not come whole. */
static enum server_dialogue_action part_read(const struct scene *scene, struct text part)
{
    struct server_dialogue *dialogue = scene->dialogue;
    scene->step->used = part.length;
    if (!dialogue->skips_line && smtp_is_foreign_start(part))
        return out_of_step(scene, 500, "5.5.1", "this is SMTP, and what you speak is not");
    if (part.length > COMMAND_LINE_MOST)
        dialogue->skips_line = true;
    else
        scene->step->used = 0;
    return SERVER_DIALOGUE_MORE;
}

/* A command line's end is CRLF; a bare LF only where the port repairs it. */
static enum server_dialogue_action line_read(const struct scene *scene, struct text line, bool is_overdue)
{
    struct server_dialogue *dialogue = scene->dialogue;
    bool has_cr = line.length > 0 && line.at[line.length - 1] == '\r';
    if (has_cr) line.length--;
    bool is_too_long = dialogue->skips_line || line.length > COMMAND_LINE_MOST;
    dialogue->skips_line = false;
    if (is_overdue && dialogue->mail == MAIL_NONE) {
        say_as_node(scene, 421, "4.3.2", " the session has lasted its time, connect again");
        return SERVER_DIALOGUE_CLOSE;
    }
    if (!has_cr && dialogue->listener->repair == REPAIR_NONE)
        return out_of_step(scene, 500, "5.5.2", "lines end with CRLF; a bare LF was received");
    if (is_too_long) return say(scene, 500, "5.5.2", "the line is too long");
    return command_do(scene, line);
}

/* NULL: the client may go on. */
static const char *excess(const struct server_dialogue *dialogue, const struct config *config)
{
    if (config->limits.junk && dialogue->junk > config->limits.junk)
        return " too many commands without a message";
    return dialogue->errors > config->limits.errors ? " too many errors" : NULL;
}

void server_dialogue_input(struct server_dialogue *dialogue, const struct server_dialogue_terms *terms,
                           struct text input, struct arena *arena, struct buffer *out,
                           struct server_dialogue_step *step)
{
    const struct scene scene = { dialogue, terms->config, terms->is_handed_on, arena, out, step };
    const char *why = excess(dialogue, terms->config);
    size_t end = text_find_char(input, '\n');
    if (why) {
        step->used = input.length;
        step->refusal = (struct reply){ 421, "4.7.0", why + 1 };
        say_as_node(&scene, 421, "4.7.0", why);
        step->action = SERVER_DIALOGUE_GIVE_UP;
    } else if (end == input.length) {
        step->action = part_read(&scene, input);
    } else {
        step->used = end + 1;
        step->action = line_read(&scene, text_slice(input, 0, end), terms->is_overdue);
    }
}
