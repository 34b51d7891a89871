/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A session's time limits: of silence, of the stage by its client's pace, of the whole. Called by all who
   take input or wait for a peer. */
#include "receive/session.h"

struct pace_limits session_pace_limits(const struct config *config)
{
    return (struct pace_limits){ config->limits.greeting_ms, config->limits.command_ms,
                                 config->limits.data_ms, config->limits.least_rate };
}

void session_pace_renew(struct session *session, enum pace_stage stage)
{
    pace_start(&session->pace, stage, loop_now_ms(session->server->loop));
}

void session_pace_reach(struct session *session, enum pace_stage stage)
{
    pace_reach(&session->pace, stage, loop_now_ms(session->server->loop));
}

void session_pace_count(struct session *session, uint64_t octets)
{
    const struct pace_limits limits = session_pace_limits(session->server->config);
    pace_count(&session->pace, &limits, loop_now_ms(session->server->loop), octets);
}

void session_pace_skip(struct session *session)
{
    pace_skip(&session->pace, loop_now_ms(session->server->loop));
}

uint64_t session_left_ms(const struct session *session)
{
    uint64_t age = loop_now_ms(session->server->loop) - session->started_ms;
    uint64_t most = session->server->config->limits.session_ms;
    return age < most ? most - age : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Silence has its limit, a stage has one whatever is said in it, and the session one between two messages. */
static uint64_t limit_of(const struct session *session)
{
    const struct config *config = session->server->config;
    const struct pace_limits limits = session_pace_limits(config);
    bool is_content = session->state == SESSION_DATA || session->state == SESSION_CHUNK;
    uint64_t silence = is_content ? config->limits.data_ms : config->limits.command_ms;
    uint64_t limit =
        least(silence, pace_left_ms(&session->pace, &limits, loop_now_ms(session->server->loop)));
    return session->transaction.step == STEP_NONE ? least(limit, session_left_ms(session)) : limit;
}

void session_await(struct session *session)
{
    timer_set(session->timer, limit_of(session));
}
