/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Every decoder of frames between processes, and of event records: any bytes are decoded or refused, and what
   was decoded can be encoded again. The first byte chooses the decoder. */
#include <stdlib.h>

#include "ipc/ask_consult.h"
#include "ipc/ask_deliver.h"
#include "ipc/ask_helper.h"
#include "ipc/ask_ledger.h"
#include "ipc/ask_lookup.h"
#include "ipc/ask_queue.h"
#include "ipc/ask_scan.h"
#include "ipc/event.h"
#include "ipc/health.h"
#include "ipc/offered_lesson.h"
#include "ipc/question_set.h"
#include "judge/engine_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(struct arena *arena, struct frame *frame)
{
    struct keep_request request;
    struct buffer again = { 0 };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    frame->id = frame->payload.length >= 8 ? (uint64_t)(uint8_t)frame->payload.at[0] : 0;
    if (!keep_request_get(arena, frame, &request)) return;
    keep_request_put(&request, &again, fds, &fd_count);
    if (!text_equal(buffer_text(&again), frame->payload)) abort();
    buffer_free(&again);
    body_free(&request.body);
}

static void held(struct arena *arena, struct text payload)
{
    struct held_offer offer;
    struct buffer again = { 0 };
    if (!held_offer_get(arena, payload, &offer)) return;
    held_offer_put(&offer, &again);
    bool has_long = false;
    for (uint32_t i = 0; i < offer.envelope.recipient_count; i++)
        has_long = has_long || offer.recipients[i].reason.length > HELD_REASON_MOST;
    if (!has_long && !text_equal(buffer_text(&again), payload)) abort();
    buffer_free(&again);
}

static void alerted(struct text payload)
{
    struct alert alert;
    struct buffer again = { 0 };
    if (!queue_alert_get(payload, &alert)) return;
    queue_alert_put(&alert, &again);
    if (!text_equal(buffer_text(&again), payload)) abort();
    buffer_free(&again);
}

static void sources(struct arena *arena, struct frame *frame)
{
    struct sources_question question;
    struct sources_answer answer;
    struct buffer again = { 0 };
    uint32_t deadline_ms;
    lookup_sources_get(arena, frame, &deadline_ms, &question);
    if (!sources_answer_get(arena, frame, &answer)) return;
    sources_answer_put(&answer, &again);
    if (!text_equal(buffer_text(&again), frame->payload)) abort();
    buffer_free(&again);
}

static void relay(struct arena *arena, struct frame *frame)
{
    struct relay_request request;
    struct relay_reply reply;
    struct buffer again = { 0 };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    if (relay_reply_get(frame, &reply)) {
        relay_reply_put(&reply, &again);
        if (!text_equal(buffer_text(&again), frame->payload)) abort();
        buffer_clear(&again);
    }
    if (!relay_request_get(arena, frame, &request)) return;
    relay_request_put(&request, &again, fds, &fd_count);
    if (!text_equal(buffer_text(&again), frame->payload)) abort();
    buffer_free(&again);
    body_free(&request.body);
}

/* Questions that scan raised: each is in the set once, the set is bounded, and it closes. */
static void asked(struct arena *arena, const struct question *questions, uint32_t count)
{
    struct question_set set;
    question_set_begin(&set, arena, arena);
    for (uint32_t i = 0; i < count; i++) {
        enum question_life life = i % 3 ? QUESTION_OF_MESSAGE : QUESTION_OF_SESSION;
        question_set_add(&set, life, questions[i].kind, questions[i].subject);
        if (question_set_add(&set, life, questions[i].kind, questions[i].subject)) abort();
    }
    question_set_close(&set);
    if (set.count > QUESTIONS_MOST || question_set_is_open(&set)) abort();
}

static void scan(struct arena *arena, struct frame *frame)
{
    struct scan_question question;
    struct found found;
    struct judged judged;
    struct body body;
    struct facts facts;
    if (scan_decide_get(arena, frame, &question, &found)) found_facts(arena, &found, &facts);
    judged_get(arena, frame->payload, &judged);
    lesson_found_get(frame->payload, &(struct lesson_found){ 0 });
    lesson_proposal_get(arena, frame->payload, &(struct lesson_proposal){ 0 });
    if (!scan_read_get(arena, frame, &question, &body)) return;
    body_free(&body);
    asked(arena, question.questions, question.question_count);
}

/* What was read is read again as it was. */
static void offered_look(struct text record)
{
    struct offered_lesson offered;
    struct buffer again = { 0 };
    if (!offered_lesson_get(record, &offered)) return;
    if (offered_lesson_put(&offered, &again) && !text_equal(buffer_text(&again), record)) abort();
    buffer_free(&again);
}

static void event(struct arena *arena, struct text record)
{
    struct event_accepted accepted;
    struct event_ended ended;
    struct event_refused refused;
    struct event_step step;
    struct event_audit audit;
    struct event_missed missed;
    struct event_lost lost;
    struct event_found found;
    struct event_relayed relayed;
    uint32_t first;
    event_kind_of(record);
    event_accepted_get(arena, record, &accepted, &first);
    event_ended_get(record, &ended);
    event_refused_get(arena, record, &refused);
    event_step_get(record, &step);
    event_audit_get(record, &audit);
    event_missed_get(arena, record, &missed);
    event_lost_get(record, &lost);
    event_found_get(arena, record, &found);
    event_relayed_get(arena, record, &relayed, &first);
    offered_look(record);
    struct health_facts facts;
    health_facts_get(record, &facts);
}

static void helper(struct text payload)
{
    struct alarm_notice notice;
    struct program_end end;
    struct buffer again = { 0 };
    if (alarm_notice_get(payload, &notice)) {
        alarm_notice_put(&notice, &again);
        if (!text_equal(buffer_text(&again), payload)) abort();
    }
    buffer_clear(&again);
    if (program_end_get(payload, &end)) {
        program_end_put(&end, &again);
        if (!text_equal(buffer_text(&again), payload)) abort();
    }
    buffer_free(&again);
}

/* What was read fits, and is read again as it was. */
static void consult_envelope(struct text bytes)
{
    struct consult_envelope envelope, second;
    struct arena *arena = arena_new(0);
    struct buffer again = { 0 };
    if (consult_envelope_get(arena, bytes, &envelope)) {
        consult_envelope_put(&envelope, &again);
        if (!consult_envelope_get(arena, buffer_text(&again), &second)) abort();
        if (second.recipient_count > envelope.recipient_count) abort();
    }
    buffer_free(&again);
    arena_free(arena);
}

static void consult(struct frame *frame)
{
    struct engine_answer answer;
    struct question_answer read;
    struct text engine;
    struct body body;
    struct buffer again = { 0 };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    frame->type = CONSULT_ANSWER;
    if (question_answer_get(frame, ANSWERER_LOOKUP, &read)) abort();
    if (question_answer_get(frame, ANSWERER_CONSULT, &read) && engine_answer_get(read.value, &answer))
        engine_answer_put(&answer, &again);
    if (buffer_length(&again) > read.value.length) abort();
    buffer_clear(&again);
    if (consult_look_get(frame, &engine, &body)) {
        consult_look_put(engine, &body, &again, fds, &fd_count);
        if (!text_equal(buffer_text(&again), frame->payload)) abort();
        body_free(&body);
    }
    struct text envelope;
    if (consult_opine_get(frame, &engine, &envelope, &body)) {
        buffer_clear(&again);
        fd_count = 0;
        consult_opine_put(engine, envelope, &body, &again, fds, &fd_count);
        if (!text_equal(buffer_text(&again), frame->payload)) abort();
        body_free(&body);
        consult_envelope(envelope);
    }
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct arena *arena = arena_new(0);
    struct frame frame = { .payload = text_from((const char *)data + 1, size - 1) };
    struct deliver_job job;
    struct deliver_result result;
    struct host_answer host;
    struct mx_answer mx;
    struct question_answer answer;
    switch (data[0] % 12) {
    case 0:
        keep(arena, &frame);
        break;
    case 1:
        deliver_job_get(arena, &frame, &job);
        break;
    case 2:
        deliver_result_get(arena, &frame, &result);
        break;
    case 3:
        host_answer_get(arena, &frame, &host);
        sources(arena, &frame);
        break;
    case 4:
        mx_answer_get(arena, &frame, &mx);
        break;
    case 5:
        frame.type = LOOKUP_CLIENT_NAME_IS;
        question_answer_get(&frame, ANSWERER_LOOKUP, &answer);
        break;
    case 6:
        scan(arena, &frame);
        break;
    case 7:
        relay(arena, &frame);
        break;
    case 8:
        held(arena, frame.payload);
        alerted(frame.payload);
        break;
    case 9:
        helper(frame.payload);
        break;
    case 11:
        consult(&frame);
        break;
    default:
        event(arena, frame.payload);
    }
    arena_free(arena);
    return 0;
}
