/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Bytes between a stream and a dialogue, and the clock over them. */
#include "deliver/outbound.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/context.h"
#include "base/log.h"
#include "deliver/dialogue_stage.h"
#include "deliver/step_proof.h"

/* PATIENCE_MS: how long nothing may come behind 354 from a server that hangs up behind the content.
   PROOF_MS: how long a server that answered QUIT with another 2xx may go on without closing. */
enum { RELAY_SIZE = 340, TLS_SIZE = 160, MOVES_MOST = 8, PROOF_MS = 3000, PATIENCE_MS = 3000 };

struct outbound {
    enum { OUTBOUND_MAGIC = 0x44890016 } magic;
    struct outbound_ground *ground;
    const struct outbound_events *events;
    void *owner;
    struct host *host;
    struct endpoint endpoint;
    char *tls_name, *helo;
    char relay[RELAY_SIZE], tls[TLS_SIZE];

    struct stream *stream;
    struct flight *flight; /* NULL: not kept */
    struct timer *timer;
    struct reply_parser parser;
    struct dialogue dialogue;
    struct buffer out; /* commands of one step */

    struct errand *errand;
    bool is_waiting;            /* before the content */
    bool was_ready, is_sending; /* is_sending: the content has not left whole */
    bool has_more_content;
    bool may_go_clear; /* TLS is only offered, and was beginning when the last reply came */
    bool is_silent;    /* not another word to the server: it is to take its last reply for lost */
    uint32_t errands;
    uint64_t heard;   /* bytes of replies taken in */
    uint64_t pending; /* bytes not sent when the timer was last set */
    uint64_t began_ms, given_ms;
    uint32_t connect_ms, connect_most_ms;
};

static const struct config *config_of(const struct outbound *outbound)
{
    return outbound->ground->config;
}

bool outbound_is_idle(const struct outbound *outbound)
{
    return outbound->was_ready && !outbound->errand && outbound->dialogue.state == DIALOGUE_IDLE;
}

const struct endpoint *outbound_endpoint(const struct outbound *outbound)
{
    return &outbound->endpoint;
}

/* --- time --- */

static uint32_t limit_now(const struct outbound *outbound)
{
    const struct config *config = config_of(outbound);
    if (outbound->is_sending) return config->deliver.data_ms;
    if (outbound->is_waiting) return PATIENCE_MS;
    switch (outbound->dialogue.state) {
    case DIALOGUE_CONNECTING:
        return outbound->connect_most_ms && outbound->connect_most_ms < config->deliver.connect_ms
                   ? outbound->connect_most_ms
                   : config->deliver.connect_ms;
    case DIALOGUE_GREETING:
        return config->deliver.greeting_ms;
    case DIALOGUE_IDLE:
        return config->deliver.idle_ms;
    case DIALOGUE_FINAL:
        return config->deliver.final_ms;
    case DIALOGUE_PROVING: /* before 221 comes what may be on its way still */
        return outbound->dialogue.surplus > 0 ? PROOF_MS : config->deliver.final_ms;
    default:
        /* Behind content sent ahead the reply to it may come first. */
        return outbound->dialogue.content_is_sent ? config->deliver.final_ms : config->deliver.command_ms;
    }
}

static void clock_start(struct outbound *outbound)
{
    outbound->pending = stream_pending(outbound->stream);
    timer_set(outbound->timer, limit_now(outbound));
}

/* --- endings --- */

static void flight_forget(struct outbound *outbound)
{
    if (outbound->flight) flight_end(outbound->ground->flights, outbound->flight);
    outbound->flight = NULL;
}

static void outbound_free(struct outbound *outbound)
{
    stream_close(outbound->stream);
    if (outbound->flight) shutdown(stream_fd(outbound->stream), SHUT_RDWR);
    flight_forget(outbound);
    timer_free(outbound->timer);
    buffer_free(&outbound->out);
    free(outbound->tls_name);
    free(outbound->helo);
    free(outbound);
}

static void errand_done(struct outbound *outbound)
{
    struct errand *errand = outbound->errand;
    struct arena *arena = errand->handover.arena;
    outbound->errand = NULL;
    outbound->is_waiting = outbound->is_sending = outbound->has_more_content = false;
    errand->relay = arena_text(arena, text_of(outbound->relay));
    errand->tls = arena_text(arena, text_of(outbound->tls));
    errand->connect_ms = outbound->connect_ms;
    errand->destination_down = outbound->dialogue.is_session_refused;
    errand->transfer_ms = (uint32_t)(loop_now_ms(outbound->ground->loop) - outbound->given_ms);
    outbound->connect_ms = 0;
    outbound->is_silent = errand->is_unwanted;
    payload_close(&errand->payload);
    errand->on_done(errand);
    if (outbound->flight) flight_land(outbound->flight);
}

static void settle(struct outbound *outbound)
{
    if (outbound->errand && dialogue_take_done(&outbound->dialogue)) errand_done(outbound);
}

static void gone(struct outbound *outbound, bool try_clear)
{
    void *owner = outbound->owner;
    if (!outbound->was_ready) {
        outbound->ground->connects_failed++;
        outbound->events->on_failed(owner, outbound, &outbound->dialogue.failure, try_clear);
    } else {
        outbound->events->on_closed(owner, outbound);
    }
    outbound_free(outbound);
}

/* What the connection has shown of its server holds for the next ones, and for the rest of this one. */
static void learn(struct outbound *outbound, const struct smtp_reply *reply)
{
    struct dialogue *dialogue = &outbound->dialogue;
    if (dialogue->finding == FOUND_OUT_OF_STEP)
        log_warning(
            "%s is out of step: for an hour mail goes by DATA, and counts when QUIT is answered%s%.*s",
            outbound->relay, reply ? ": " : "",
            TEXT_ARG(reply ? text_slice(text_trim(reply->lines), 0, 200) : TEXT_NONE));
    if (dialogue->finding == FOUND_HANGS_UP)
        log_warning("%s ended the connection instead of answering RSET behind a message", outbound->relay);
    host_learn(outbound->host, dialogue->finding, loop_now_ms(outbound->ground->loop));
    dialogue->finding = FOUND_NOTHING;
}

static bool content_may_have_arrived(const struct outbound *outbound)
{
    if (outbound->dialogue.content_is_sent) return true;
    return outbound->is_sending && !outbound->has_more_content && stream_pending(outbound->stream) == 0;
}

/* A reused connection that breaks, or gets 421, before a word about the message is most often one the server
   had given up: too long idle, or enough messages on it. What may move goes to another server as long as this
   one cannot have it whole. What nobody waits for any more comes again from where it came. */
static bool may_return(const struct outbound *outbound)
{
    const struct errand *errand = outbound->errand;
    if (!errand || errand->is_unwanted) return false;
    bool is_whole = errand->handover.open == errand->handover.envelope->recipient_count;
    if (errand->may_move && errand->tries < MOVES_MOST && is_whole && !content_may_have_arrived(outbound))
        return true;
    return outbound->errands > 1 && errand->tries == 0 && dialogue_is_unanswered(&outbound->dialogue);
}

static void broken(struct outbound *outbound, const char *enhanced, struct text reason, bool try_clear)
{
    struct errand *returned = may_return(outbound) ? outbound->errand : NULL;
    if (returned) {
        returned->tries++;
        returned->is_started = false;
        handover_restart(&returned->handover);
        outbound->errand = NULL;
        outbound->dialogue.handover = NULL;
        payload_close(&returned->payload);
    }
    if (!outbound->was_ready || outbound->errand)
        log_info("%s: %.*s %s", outbound->relay, TEXT_ARG(reason), dialogue_stage(&outbound->dialogue));
    dialogue_broken(&outbound->dialogue, enhanced, reason);
    learn(outbound, NULL);
    settle(outbound);
    if (returned) outbound->events->on_returned(outbound->owner, returned);
    gone(outbound, try_clear);
}

/* From STARTTLS to the first reply under TLS, a server that goes is one whose TLS does not work. Where TLS is
   only offered the next connection to it does without. */
static bool may_go_clear(const struct outbound *outbound)
{
    const struct dialogue *dialogue = &outbound->dialogue;
    bool is_beginning = dialogue->state == DIALOGUE_STARTTLS || dialogue->state == DIALOGUE_HANDSHAKE ||
                        (dialogue->state == DIALOGUE_EHLO && dialogue->is_secure);
    return is_beginning && dialogue->tls == TLS_OFFERED;
}

void outbound_leave(struct outbound *outbound)
{
    if (outbound->errand) {
        dialogue_broken(&outbound->dialogue, "4.3.2", TEXT("delivery was stopped"));
        settle(outbound);
    } else if (outbound->dialogue.state == DIALOGUE_IDLE) {
        stream_write(outbound->stream, TEXT("QUIT\r\n"));
    }
    outbound_free(outbound);
}

/* --- steps --- */

static void commands_send(struct outbound *outbound)
{
    if (buffer_length(&outbound->out) == 0) return;
    stream_write(outbound->stream, buffer_text(&outbound->out));
    buffer_clear(&outbound->out);
}

static void content_send(struct outbound *outbound)
{
    bool is_data = !outbound->dialogue.content_is_bdat;
    enum payload_outcome outcome = payload_send(&outbound->errand->payload, outbound->stream, is_data);
    outbound->has_more_content = outcome == PAYLOAD_PART;
    outbound->is_sending = true;
    if (outcome == PAYLOAD_ALL) {
        dialogue_content_ends(&outbound->dialogue, &outbound->out);
        commands_send(outbound);
    }
    if (outcome != PAYLOAD_FAILED) {
        clock_start(outbound);
        return;
    }
    log_error("message cannot be read from the journal: %s", strerror(errno));
    broken(outbound, "4.3.0", TEXT("the message cannot be read"), false);
}

static void content_begin(struct outbound *outbound)
{
    outbound->is_waiting = outbound->host->hangs_up && !outbound->dialogue.content_is_bdat;
    if (outbound->is_waiting)
        clock_start(outbound);
    else
        content_send(outbound);
}

static void ready(struct outbound *outbound)
{
    bool is_worn_out = outbound->errands >= config_of(outbound)->deliver.messages_per_connection;
    if (!outbound->was_ready)
        outbound->connect_ms = (uint32_t)(loop_now_ms(outbound->ground->loop) - outbound->began_ms);
    if (!outbound->was_ready && outbound->ground->flights && !stream_is_secure(outbound->stream))
        outbound->flight = flights_add(outbound->ground->flights, stream_fd(outbound->stream));
    outbound->was_ready = true;
    if (is_worn_out || outbound->is_silent) {
        if (!outbound->is_silent) stream_write(outbound->stream, TEXT("QUIT\r\n"));
        gone(outbound, false);
        return;
    }
    clock_start(outbound);
    outbound->events->on_ready(outbound->owner, outbound);
}

static void secure(struct outbound *outbound)
{
    const struct outbound_ground *ground = outbound->ground;
    enum tls_level level = outbound->dialogue.tls;
    struct tls_context *context = level == TLS_NODE       ? ground->tls_node
                                  : level == TLS_VERIFIED ? ground->tls_verified
                                                          : ground->tls_any;
    if (!context) {
        broken(outbound, "4.7.5", TEXT("TLS is not to be had here"), level == TLS_OFFERED);
        return;
    }
    stream_start_tls(outbound->stream, context, false, text_of(outbound->tls_name));
    clock_start(outbound);
}

/* Does what the dialogue asked for. The connection may be gone when this returns. */
static void act(struct outbound *outbound, enum dialogue_action action)
{
    commands_send(outbound);
    settle(outbound);
    switch (action) {
    case DIALOGUE_WAIT:
        clock_start(outbound);
        break;
    case DIALOGUE_SECURE:
        secure(outbound);
        break;
    case DIALOGUE_CONTENT:
        content_begin(outbound);
        break;
    case DIALOGUE_READY:
        ready(outbound);
        break;
    case DIALOGUE_CLOSE:
        if (!outbound->was_ready)
            log_info("%s: %.*s", outbound->relay, TEXT_ARG(outbound->dialogue.failure.reason));
        gone(outbound, outbound->may_go_clear);
        break;
    }
}

/* --- the stream's events --- */

/* From now on the next life of this process can hear the replies. */
static void flight_begin(struct outbound *outbound)
{
    const struct dialogue *dialogue = &outbound->dialogue;
    const struct errand *errand = outbound->errand;
    if (!outbound->flight || !errand || !errand->job_id || dialogue->asked > FLIGHT_RECIPIENTS_MOST) return;
    struct flight_load load = { .job_id = errand->job_id,
                                .message_id = errand->message_id,
                                .heard = outbound->heard,
                                .recipient_count = dialogue->asked,
                                .replied = dialogue->replied,
                                .stage = FLIGHT_CONTENT,
                                .reset_is_said = dialogue->reset_is_said,
                                .is_bdat = dialogue->content_is_bdat,
                                .awaits_xclient = dialogue->xclient_is_due,
                                .offers_dsn = dialogue->offered.dsn };
    for (uint32_t i = 0; i < dialogue->asked; i++) {
        load.numbers[i] = errand->handover.results[dialogue->order[i]].number;
        load.states[i] = errand->handover.states[dialogue->order[i]];
    }
    load.relay_length = (uint16_t)strlen(outbound->relay);
    memcpy(load.relay, outbound->relay, load.relay_length);
    flight_depart(outbound->flight, &load);
}

/* What is told at once needs nobody to go on with it. */
static void flight_follow(struct outbound *outbound, const struct smtp_reply *reply)
{
    const struct dialogue *dialogue = &outbound->dialogue;
    bool is_over = dialogue->state == DIALOGUE_IDLE || dialogue->state == DIALOGUE_OVER;
    if (!outbound->flight || !outbound->errand || !dialogue->content_is_sent || is_over) return;
    if (dialogue->has_verdict) {
        struct flight_verdict verdict = { .surplus = dialogue->surplus,
                                          .quit_is_said = dialogue->state == DIALOGUE_PROVING,
                                          .reset_is_answered = dialogue->reset_is_answered,
                                          .reset_is_refused = dialogue->reset_is_refused };
        flight_judged(outbound->flight, outbound->heard, &verdict, reply->lines);
        return;
    }
    uint32_t last = dialogue->replied - 2; /* wraps before the first RCPT is answered: no recipient */
    uint8_t state =
        last < dialogue->asked ? dialogue->handover->states[dialogue->order[last]] : RECIPIENT_OPEN;
    flight_replied(outbound->flight, outbound->heard, dialogue->replied, dialogue->xclient_is_due, last,
                   state);
}

static void take(struct outbound *outbound, const struct smtp_reply *reply, struct text behind)
{
    struct dialogue *dialogue = &outbound->dialogue;
    dialogue->is_mute = outbound->errand && outbound->errand->is_unwanted;
    outbound->may_go_clear = may_go_clear(outbound);
    enum dialogue_action action = proof_is_in_step(dialogue, reply, behind)
                                      ? dialogue_reply(dialogue, reply, &outbound->out)
                                      : dialogue_out_of_step(dialogue, reply, &outbound->out);
    learn(outbound, reply);
    flight_follow(outbound, reply);
    act(outbound, action);
}

static size_t on_input(void *context, struct text bytes)
{
    struct outbound *outbound = CONTEXT(context, struct outbound, OUTBOUND_MAGIC);
    struct smtp_reply reply;
    size_t used = 0;
    enum reply_outcome outcome = reply_parse(&outbound->parser, bytes, &reply, &used);
    if (outcome == REPLY_MORE) return 0;
    if (outcome == REPLY_WHOLE && reply.code == 421 && may_return(outbound)) {
        broken(outbound, "4.3.2", reply.text, false);
        return bytes.length;
    }
    outbound->heard += used;
    if (outcome == REPLY_WHOLE) {
        take(outbound, &reply, text_slice(bytes, used, bytes.length));
        return used;
    }
    char reason[80];
    snprintf(reason, sizeof reason, "%s from the server", reply_outcome_name(outcome));
    broken(outbound, "4.5.0", text_of(reason), may_go_clear(outbound));
    return bytes.length;
}

static void on_drained(void *context)
{
    struct outbound *outbound = CONTEXT(context, struct outbound, OUTBOUND_MAGIC);
    if (!outbound->is_sending) return;
    if (outbound->has_more_content) {
        content_send(outbound);
        return;
    }
    outbound->is_sending = false;
    dialogue_content_sent(&outbound->dialogue);
    flight_begin(outbound);
    clock_start(outbound);
}

static void on_connected(void *context)
{
    struct outbound *outbound = CONTEXT(context, struct outbound, OUTBOUND_MAGIC);
    dialogue_connected(&outbound->dialogue);
    clock_start(outbound);
}

static void tls_describe(struct outbound *outbound)
{
    bool is_verified = outbound->dialogue.tls >= TLS_VERIFIED;
    const char *version = stream_tls_version(outbound->stream), *cipher = stream_tls_cipher(outbound->stream);
    snprintf(outbound->tls, sizeof outbound->tls, "%s %s%s", version, cipher, is_verified ? " verified" : "");
    log_info("%s TLS connection established to %s: %s with cipher %s (%d/%d bits)",
             is_verified ? "Verified" : "Untrusted", outbound->relay, version, cipher,
             stream_tls_bits(outbound->stream), stream_tls_bits(outbound->stream));
}

static void on_secured(void *context)
{
    struct outbound *outbound = CONTEXT(context, struct outbound, OUTBOUND_MAGIC);
    outbound->ground->handshakes++;
    tls_describe(outbound);
    outbound->parser = (struct reply_parser){ 0 };
    act(outbound, dialogue_secured(&outbound->dialogue, &outbound->out));
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    struct outbound *outbound = CONTEXT(context, struct outbound, OUTBOUND_MAGIC);
    bool is_handshake = outbound->dialogue.state == DIALOGUE_HANDSHAKE;
    char text[500];
    proof_hung_up(&outbound->dialogue);
    if (is_handshake) {
        outbound->ground->handshakes_failed++;
        snprintf(text, sizeof text, "TLS failed: %s", reason);
        broken(outbound, "4.7.5", text_of(text), may_go_clear(outbound));
        return;
    }
    if (end == STREAM_END_CLOSED)
        snprintf(text, sizeof text, "lost connection");
    else
        snprintf(text, sizeof text, "connection failed: %s", reason);
    broken(outbound, outbound->was_ready ? "4.4.2" : "4.4.1", text_of(text), may_go_clear(outbound));
}

static const struct stream_events stream_events = { on_input, on_drained, on_connected, on_secured,
                                                    on_ended };

/* A slow server that still takes content is not a dead one; one that takes less than the least rate is as
   good as dead, and holds a connection. */
static bool has_moved(const struct outbound *outbound)
{
    const struct config *config = config_of(outbound);
    uint64_t left = stream_pending(outbound->stream);
    uint64_t moved = left < outbound->pending ? outbound->pending - left : 0;
    return outbound->is_sending && moved * 1000 >= config->limits.least_rate * config->deliver.data_ms;
}

static void on_time(void *context)
{
    struct outbound *outbound = CONTEXT(context, struct outbound, OUTBOUND_MAGIC);
    if (outbound->is_waiting) {
        outbound->is_waiting = false;
        dialogue_waited(&outbound->dialogue);
        content_send(outbound);
    } else if (has_moved(outbound)) {
        clock_start(outbound);
    } else if (outbound_is_idle(outbound)) {
        stream_write(outbound->stream, TEXT("QUIT\r\n"));
        gone(outbound, false);
    } else {
        if (outbound->dialogue.surplus > 0) proof_hung_up(&outbound->dialogue);
        broken(outbound, "4.4.2", TEXT("time limit reached"), may_go_clear(outbound));
    }
}

struct outbound *outbound_open(const struct outbound_start *start)
{
    struct outbound_ground *ground = start->ground;
    const struct config *config = ground->config;
    struct outbound *outbound = memory_alloc(sizeof *outbound);
    outbound->magic = OUTBOUND_MAGIC;
    char room[ADDRESS_TEXT_SIZE];
    const struct hop *hop = start->hop;
    outbound->ground = ground;
    outbound->events = start->events;
    outbound->owner = start->owner;
    outbound->host = start->host;
    outbound->endpoint = hop->endpoint;
    struct text name = start->tls_name.length ? start->tls_name : hop->host;
    outbound->tls_name = memory_string(name);
    outbound->helo = memory_string(config->deliver.helo.length ? config->deliver.helo : config->hostname);
    snprintf(outbound->relay, sizeof outbound->relay, "%.*s[%s]:%u", TEXT_ARG(hop->host),
             address_print(&hop->endpoint.address, room), hop->endpoint.port);
    dialogue_start(&outbound->dialogue, text_of(outbound->helo), start->tls, start->smtputf8);
    outbound->connect_most_ms = start->connect_most_ms;
    outbound->began_ms = loop_now_ms(ground->loop);
    outbound->timer = timer_new(ground->loop, on_time, outbound);
    bool is_v4 = address_is_v4(&hop->endpoint.address);
    const struct address *source = is_v4 ? &config->deliver.source : &config->deliver.source6;
    if (!address_is_zero(&hop->source)) source = &hop->source;
    outbound->stream = stream_connect(ground->loop, &hop->endpoint, address_is_zero(source) ? NULL : source,
                                      &stream_events, outbound);
    clock_start(outbound);
    ground->connects++;
    return outbound;
}

/* A verdict that cannot be read is none: the recipients stay open, and are deferred when the end has come. */
static void verdict_adopt(struct outbound *outbound, const struct flight_load *load)
{
    const struct flight_verdict *verdict = &load->verdict;
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    size_t used;
    struct text lines = text_from(load->reply, load->reply_length);
    if (reply_parse(&parser, lines, &reply, &used) != REPLY_WHOLE) return;
    dialogue_adopt_verdict(&outbound->dialogue, &reply,
                           &(struct dialogue_proof){ .reset_is_answered = verdict->reset_is_answered,
                                                     .reset_is_refused = verdict->reset_is_refused,
                                                     .quit_is_said = verdict->quit_is_said,
                                                     .surplus = verdict->surplus });
}

struct outbound *outbound_adopt(const struct outbound_start *start, int fd, const struct flight_load *load,
                                struct errand *errand)
{
    struct outbound *outbound = memory_alloc(sizeof *outbound);
    outbound->magic = OUTBOUND_MAGIC;
    outbound->ground = start->ground;
    outbound->events = start->events;
    outbound->owner = start->owner;
    outbound->host = start->host;
    outbound->endpoint = start->host->endpoint;
    snprintf(outbound->relay, sizeof outbound->relay, "%.*s", (int)load->relay_length, load->relay);
    outbound->began_ms = outbound->given_ms = loop_now_ms(outbound->ground->loop);
    outbound->timer = timer_new(outbound->ground->loop, on_time, outbound);
    outbound->stream = stream_open(outbound->ground->loop, fd, &stream_events, outbound);
    outbound->was_ready = true;
    outbound->errand = errand;
    outbound->errands = errand->tries = 1;
    outbound->heard = load->heard;
    dialogue_adopt(&outbound->dialogue, &errand->handover, load->is_bdat, load->replied,
                   load->awaits_xclient);
    outbound->dialogue.offered.dsn = load->offers_dsn;
    outbound->dialogue.reset_is_said = load->reset_is_said;
    if (load->stage == FLIGHT_VERDICT) verdict_adopt(outbound, load);
    if (outbound->ground->flights) outbound->flight = flights_add(outbound->ground->flights, fd);
    if (outbound->flight) flight_depart(outbound->flight, load);
    clock_start(outbound);
    return outbound;
}

/* --- errands --- */

bool outbound_give(struct outbound *outbound, struct errand *errand)
{
    outbound->errand = errand;
    outbound->given_ms = loop_now_ms(outbound->ground->loop);
    errand->is_started = true;
    bool is_converted = false;
    enum handover_need need = errand_prepare(errand, &outbound->dialogue.offered,
                                             outbound->dialogue.smtputf8_allowed, &is_converted);
    outbound->ground->converted += is_converted;
    if (need != HANDOVER_READY) {
        errand_done(outbound);
        return false;
    }
    if (outbound->errands++ > 0) outbound->ground->reused++;
    outbound->dialogue.trust = host_trust(outbound->host, outbound->given_ms);
    act(outbound, dialogue_begin(&outbound->dialogue, &errand->handover, &outbound->out));
    return true;
}
