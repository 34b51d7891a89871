/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Both ends of the channel: a message goes in pieces, a judgement comes back in one frame. */
#include "cli/judge_child.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "cli/mail_files.h"
#include "config/spam_lines.h"
#include "ipc/channel.h"
#include "judge/action_strength.h"
#include "mail/mime.h"
#include "scan/authenticate.h"
#include "scan/decide.h"
#include "scan/read.h"

enum { PIECE = 96 * 1024, LIMIT_MS = 60000, SIGNALS_MOST = 1000, MEMORY_MOST = 1 << 30 };

enum judge_frame {
    JUDGE_MAIL = 1, /* command: u64 bytes that follow */
    JUDGE_BYTES,    /* command: the next of them, at most PIECE */
    JUDGE_ANSWER,   /* child: double score, double tag, u8 is_mail, u8 action, u8 is_by_class,
                       text class, u32 signals: text, double, text */
    JUDGE_WHY,      /* command: as JUDGE_MAIL; JUDGE_PASSAGES follows JUDGE_ANSWER */
    JUDGE_PASSAGES, /* child: passages_put */
};

void judge_basis_narrow(struct config *config)
{
    config->virus.mode = config->auth.mode = MODE_OFF;
    config->spam.mode = MODE_ON;
    for (size_t i = 0; i < config->domain_count; i++)
        config->domains[i].has_virus_mode = config->domains[i].has_auth_mode =
            config->domains[i].spam.has_mode = false;
}

/* --- in the jail --- */

static struct text class_of(struct arena *arena, const struct header *header)
{
    struct newsletter_fields fields;
    newsletter_read(arena, header, &fields);
    if (fields.is_discussion) return TEXT("list");
    return newsletter_is_said(&fields) ? TEXT("newsletter") : TEXT("mail");
}

/* Nobody is asked here: it is a newsletter by the word of who is believed, or it is none. */
static bool is_proven(const struct authentication_results *told)
{
    const struct auth_statement *dmarc = authentication_results_find(told, TEXT("dmarc"));
    return dmarc && dmarc->result == AUTH_PASS;
}

struct judged_action {
    enum action action;
    double tag; /* from these points it is tagged */
    bool is_by_class, is_mail;
};

/* As decide has it of a newsletter that is proven: it is tagged from its own line on, and `newsletter action`
   is the least that is done. */
static struct judged_action judged_action_of(const struct config *config, const struct verdict *verdict,
                                             bool is_newsletter)
{
    struct judged_action out = { .action = verdict->recipients[0].action, .tag = config->spam.tag };
    if (!is_newsletter) return out;
    const struct spam_lines lines = { .tag = config->spam.tag };
    out.tag = config_newsletter_line(config, &lines);
    if (out.action == ACTION_TAG && verdict->score < out.tag) out.action = ACTION_ACCEPT;
    out.is_by_class = action_is_stronger(config->newsletter.action, out.action);
    if (out.is_by_class) out.action = config->newsletter.action;
    return out;
}

/* The uppermost field of who is believed: what stands below it may have come with the message. True: it says
   that the domain in From is proven. */
static bool told_look(struct arena *arena, struct text told_by, const struct header *header,
                      struct facts *facts)
{
    struct score score = { .arena = arena };
    bool proves = false;
    for (size_t i = 0; told_by.length && i < header->count; i++) {
        struct authentication_results told;
        const struct header_field *field = &header->fields[i];
        if (!text_equal_nocase(field->name, TEXT("Authentication-Results"))) continue;
        if (!authentication_results_read(arena, field->value, &told)) continue;
        if (!text_equal_nocase(told.authserv_id, told_by)) continue;
        authenticate_score_told(&told, &score);
        proves = is_proven(&told);
        break;
    }
    struct signal *both = arena_alloc_array(arena, facts->signal_count + score.count, sizeof *both);
    for (uint32_t i = 0; i < facts->signal_count; i++) both[i] = facts->signals[i];
    for (uint32_t i = 0; i < score.count; i++) both[facts->signal_count + i] = score.signals[i];
    facts->signals = both;
    facts->signal_count += score.count;
    return proves;
}

static void answer_put(const struct verdict *verdict, const struct judged_action *judged, struct text class,
                       struct buffer *out)
{
    put_double(out, verdict->score);
    put_double(out, judged->tag);
    put_u8(out, judged->is_mail);
    put_u8(out, (uint8_t)judged->action);
    put_u8(out, judged->is_by_class);
    put_text(out, class);
    put_u32(out, verdict->signal_count);
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        put_text(out, verdict->signals[i].name);
        put_double(out, verdict->signals[i].points);
        put_text(out, text_slice(verdict->signals[i].about, 0, 200));
    }
}

static bool has_name(const struct header_field *field)
{
    bool is_good = field->name.length > 0;
    for (size_t i = 0; is_good && i < field->name.length; i++)
        is_good = field->name.at[i] > ' ' && char_is_printable(field->name.at[i]);
    return is_good;
}

/* Some field begins it, of any name: little is needed to be judged. */
static bool is_mail(struct arena *arena, struct text message)
{
    const struct header_limits limits = { mime_limits_default.header_bytes,
                                          mime_limits_default.header_fields };
    struct header header;
    header_parse(arena, message, &limits, &header);
    for (size_t i = 0; i < header.count; i++)
        if (has_name(&header.fields[i])) return true;
    return false;
}

static void judge(struct arena *arena, const struct judge_basis *basis, struct text message,
                  struct buffer *out)
{
    static struct text recipient = { "user@localhost", 14 };
    struct occasion occasion = { .direction = DIRECTION_IN, .recipients = &recipient, .recipient_count = 1 };
    struct scanner scanner = { .config = basis->config,
                               .base = basis->base,
                               .rules = basis->rules,
                               .local = basis->local,
                               .patterns = basis->patterns,
                               .impostors = basis->impostors };
    struct facts facts;
    struct verdict verdict;
    const struct header_limits limits = { mime_limits_default.header_bytes, mime_limits_default.header_fields,
                                          .skip_junk = true };
    struct header header;
    read_facts(arena, &scanner, &occasion, message, NULL, &facts);
    header_parse(arena, message, &limits, &header);
    struct text class = class_of(arena, &header);
    bool is_newsletter =
        told_look(arena, basis->told_by, &header, &facts) && text_equal(class, TEXT("newsletter"));
    struct facts merged;
    struct auth_judgement authentication;
    const struct decide_basis known = { .config = basis->config, .rules = basis->rules };
    const struct decide_case about = { .occasion = &occasion, .facts = &facts };
    decide_and_tell(arena, &known, &about, &merged, &authentication, &verdict);
    struct judged_action judged = judged_action_of(basis->config, &verdict, is_newsletter);
    judged.is_mail = is_mail(arena, message);
    answer_put(&verdict, &judged, class, out);
}

static void passages_tell(struct arena *arena, const struct judge_basis *basis, struct text message,
                          int channel)
{
    struct passages passages;
    struct buffer out = { 0 };
    passages_read(arena, message, basis->base, basis->local, basis->rules, &passages);
    passages_put(&passages, &out);
    channel_send_now(channel, JUDGE_PASSAGES, 0, buffer_text(&out), NULL, 0);
    buffer_free(&out);
}

static bool bytes_take(int channel, uint64_t wanted, struct buffer *out)
{
    struct frame frame;
    while (buffer_length(out) < wanted) {
        if (!channel_wait(channel, -1, &frame) || frame.type != JUDGE_BYTES) return false;
        buffer_add_text(out, frame.payload);
    }
    return true;
}

#ifdef SEKIMORI_JAIL_PROBE
/* Test builds: a message can ask its child to die, or to look outside. */
static void misbehave(struct text message)
{
    if (text_starts(message, TEXT("X-Test-Judge: die"))) abort();
    if (text_starts(message, TEXT("X-Test-Judge: socket"))) socket(AF_INET, SOCK_STREAM, 0);
    if (text_starts(message, TEXT("X-Test-Judge: exec"))) execl("/bin/true", "true", (char *)NULL);
}
#endif

static void serve(int channel, const void *context)
{
    const struct judge_basis *basis = context;
    struct buffer raw = { 0 }, message = { 0 }, answer = { 0 };
    struct arena *arena = arena_new(65536);
    struct frame frame;
    while (channel_wait(channel, -1, &frame) && (frame.type == JUDGE_MAIL || frame.type == JUDGE_WHY)) {
        struct reader reader = reader_of(frame.payload);
        bool is_why = frame.type == JUDGE_WHY;
        uint64_t wanted = get_u64(&reader);
        buffer_free(&raw);
        buffer_clear(&message);
        buffer_clear(&answer);
        if (!reader_done(&reader) || wanted > JUDGE_MAIL_MOST || !bytes_take(channel, wanted, &raw)) break;
#ifdef SEKIMORI_JAIL_PROBE
        misbehave(buffer_text(&raw));
#endif
        mail_crlf(buffer_text(&raw), &message);
        buffer_free(&raw);
        judge(arena, basis, buffer_text(&message), &answer);
        channel_send_now(channel, JUDGE_ANSWER, 0, buffer_text(&answer), NULL, 0);
        if (is_why) passages_tell(arena, basis, buffer_text(&message), channel);
        arena_reset(arena);
    }
}

/* --- outside --- */

bool judge_child_start(const struct judge_basis *basis, struct jailed_reader *out)
{
    return jailed_reader_start(&(struct jailed_reader_order){ .name = "judge",
                                                              .socket_type = SOCK_SEQPACKET,
                                                              .space_bytes = MEMORY_MOST,
                                                              .has_jail = basis->config->processes.jail,
                                                              .serve = serve,
                                                              .context = basis },
                               out);
}

bool judge_child_ask(const struct jailed_reader *child, struct text message, bool with_passages)
{
    struct buffer size = { 0 };
    put_u64(&size, message.length);
    bool is_sent = channel_send_now(child->channel, with_passages ? JUDGE_WHY : JUDGE_MAIL, 0,
                                    buffer_text(&size), NULL, 0);
    for (size_t at = 0; is_sent && at < message.length; at += PIECE)
        is_sent =
            channel_send_now(child->channel, JUDGE_BYTES, 0, text_slice(message, at, at + PIECE), NULL, 0);
    buffer_free(&size);
    return is_sent;
}

static bool answer_get(struct arena *arena, struct text bytes, struct judgement *out)
{
    struct reader reader = reader_of(arena_text(arena, bytes));
    *out = (struct judgement){ .score = get_double(&reader) };
    out->tag = get_double(&reader);
    out->is_mail = get_u8(&reader) == 1;
    unsigned action = get_u8(&reader);
    out->is_by_class = get_u8(&reader) == 1;
    out->class = get_text(&reader);
    out->signal_count = get_count(&reader, SIGNALS_MOST, 16);
    out->signals = arena_alloc_array(arena, out->signal_count, sizeof *out->signals);
    bool is_good = isfinite(out->score) && !isnan(out->tag) && action <= ACTION_DEFER;
    for (uint32_t i = 0; i < out->signal_count; i++) {
        out->signals[i].name = get_text(&reader);
        out->signals[i].points = get_double(&reader);
        out->signals[i].about = get_text(&reader);
        is_good = is_good && isfinite(out->signals[i].points);
    }
    out->action = (enum action)action;
    return is_good && reader_done(&reader);
}

bool judge_child_answer(const struct jailed_reader *child, struct arena *arena, struct judgement *out)
{
    struct frame frame;
    if (!channel_wait(child->channel, LIMIT_MS, &frame)) return false;
    return frame.type == JUDGE_ANSWER && answer_get(arena, frame.payload, out);
}

bool judge_child_passages(const struct jailed_reader *child, struct arena *arena, struct passages *out)
{
    struct frame frame;
    if (!channel_wait(child->channel, LIMIT_MS, &frame) || frame.type != JUDGE_PASSAGES) return false;
    return passages_get(arena, arena_text(arena, frame.payload), out);
}
