/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One conversation, one command at a time; the first reply that is no success ends it. Called by
   setup_checks.c. */
#include "cli/recipient_probe.h"

#include <stdio.h>

#include "base/context.h"
#include "base/stream.h"
#include "smtp/reply.h"

enum probe_step { PROBE_GREETING, PROBE_EHLO, PROBE_HELO, PROBE_MAIL, PROBE_RCPT };

struct probe {
    enum { PROBE_MAGIC = 0x5ec1d70b } magic;
    struct loop *loop;
    struct stream *stream;
    struct text hostname, recipient;
    struct reply_parser parser;
    enum probe_step step;
    bool is_over;
    struct recipient_answer *out;
};

static void probe_end(struct probe *probe, enum recipient_outcome outcome, struct text said)
{
    if (probe->is_over) return;
    probe->is_over = true;
    probe->out->outcome = outcome;
    snprintf(probe->out->said, sizeof probe->out->said, "%.*s", TEXT_ARG(said));
    loop_stop(probe->loop);
}

static void next_say(struct probe *probe, enum probe_step step)
{
    probe->step = step;
    if (step == PROBE_EHLO) stream_printf(probe->stream, "EHLO %.*s\r\n", TEXT_ARG(probe->hostname));
    if (step == PROBE_HELO) stream_printf(probe->stream, "HELO %.*s\r\n", TEXT_ARG(probe->hostname));
    if (step == PROBE_MAIL) stream_printf(probe->stream, "MAIL FROM:<>\r\n");
    if (step == PROBE_RCPT) stream_printf(probe->stream, "RCPT TO:<%.*s>\r\n", TEXT_ARG(probe->recipient));
}

/* RFC 5321 section 3.2: a server that does not know EHLO is greeted with HELO. */
static void reply_take(struct probe *probe, const struct smtp_reply *reply)
{
    static const enum probe_step next[] = { [PROBE_GREETING] = PROBE_EHLO,
                                            [PROBE_EHLO] = PROBE_MAIL,
                                            [PROBE_HELO] = PROBE_MAIL,
                                            [PROBE_MAIL] = PROBE_RCPT };
    struct text said = text_trim(reply->lines);
    if (probe->step == PROBE_EHLO && reply->code >= 500) {
        next_say(probe, PROBE_HELO);
    } else if (reply->code >= 400) {
        probe_end(probe, reply->code < 500 ? RECIPIENT_DEFERRED : RECIPIENT_REFUSED, said);
    } else if (reply->code >= 300) {
        probe_end(probe, RECIPIENT_NO_SMTP, said);
    } else if (probe->step == PROBE_RCPT) {
        stream_printf(probe->stream, "QUIT\r\n");
        probe_end(probe, RECIPIENT_TAKEN, said);
    } else {
        next_say(probe, next[probe->step]);
    }
}

static size_t on_input(void *context, struct text bytes)
{
    struct probe *probe = CONTEXT(context, struct probe, PROBE_MAGIC);
    struct smtp_reply reply;
    size_t used = 0;
    if (probe->is_over) return bytes.length;
    enum reply_outcome outcome = reply_parse(&probe->parser, bytes, &reply, &used);
    if (outcome == REPLY_MORE) return 0;
    if (outcome == REPLY_WHOLE)
        reply_take(probe, &reply);
    else
        probe_end(probe, RECIPIENT_NO_SMTP, text_of(reply_outcome_name(outcome)));
    return outcome == REPLY_WHOLE ? used : bytes.length;
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    probe_end(CONTEXT(context, struct probe, PROBE_MAGIC), RECIPIENT_NO_ANSWER, text_of(reason));
}

static void on_time(void *context)
{
    struct probe *probe = CONTEXT(context, struct probe, PROBE_MAGIC);
    probe_end(probe, RECIPIENT_NO_ANSWER,
              probe->step == PROBE_GREETING ? TEXT("no greeting in time") : TEXT("no reply in time"));
}

void recipient_probe(struct loop *loop, const struct endpoint *server, struct text hostname,
                     struct text recipient, uint32_t limit_ms, struct recipient_answer *out)
{
    static const struct stream_events events = { .on_input = on_input, .on_ended = on_ended };
    struct probe probe = {
        .magic = PROBE_MAGIC, .loop = loop, .hostname = hostname, .recipient = recipient, .out = out
    };
    struct timer *limit = timer_new(loop, on_time, &probe);
    *out = (struct recipient_answer){ .outcome = RECIPIENT_NO_ANSWER };
    timer_set(limit, limit_ms);
    probe.stream = stream_connect(loop, server, NULL, &events, &probe);
    while (!probe.is_over) loop_run(loop);
    stream_close(probe.stream);
    timer_free(limit);
}
