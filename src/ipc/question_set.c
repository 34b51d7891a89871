/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One row for each kind of question, and the set of those that a session and its message have. Called by
   receive; nothing here waits. */
#include "ipc/question_set.h"

#include "ipc/ask_consult.h"
#include "ipc/ask_lookup.h"
#include "judge/list_answer.h"
#include "judge/sender_history.h"
#include "judge/sender_rate.h"

/* --- the kinds --- */

static bool client_name_ask(const struct question *question, const struct question_ways *ways, uint64_t id)
{
    struct address client;
    if (!address_parse(question->subject, &client)) return false;
    lookup_client_name_ask(ways->channels[ANSWERER_LOOKUP], id, ways->deadline_ms, &client);
    return true;
}

static bool client_name_read(struct frame *frame, struct question_answer *out)
{
    static const enum answer_status statuses[] = { [CLIENT_NAME_CONFIRMED] = ANSWER_FOUND,
                                                   [CLIENT_NAME_UNCONFIRMED] = ANSWER_MISMATCH,
                                                   [CLIENT_NAME_NONE] = ANSWER_NONE,
                                                   [CLIENT_NAME_TEMPERROR] = ANSWER_TEMPERROR };
    struct client_name name;
    if (!client_name_get(frame, &name)) return false;
    out->status = statuses[name.status];
    out->value = name.name;
    return true;
}

/* Bytes that lookup reads. */
static bool subject_ask(const struct question *question, const struct question_ways *ways, uint64_t id)
{
    static const enum lookup_frame types[QUESTION_KIND_COUNT] = {
        [QUESTION_SPF] = LOOKUP_SPF,   [QUESTION_KEY] = LOOKUP_KEY,         [QUESTION_POLICY] = LOOKUP_POLICY,
        [QUESTION_LIST] = LOOKUP_LIST, [QUESTION_HISTORY] = LOOKUP_HISTORY, [QUESTION_RATE] = LOOKUP_RATE,
    };
    if (question->subject.length > LOOKUP_SUBJECT_LIMIT) return false;
    lookup_subject_ask(ways->channels[ANSWERER_LOOKUP], types[question->kind], id, ways->deadline_ms,
                       question->subject);
    return true;
}

/* Bytes that scan reads. */
static bool bytes_read(struct frame *frame, struct question_answer *out)
{
    out->status = ANSWER_FOUND;
    return lookup_text_get(frame, &out->value);
}

/* Found: some list has it. */
static bool list_read(struct frame *frame, struct question_answer *out)
{
    struct list_answer answer;
    if (!lookup_text_get(frame, &out->value) || !list_answer_get(out->value, &answer)) return false;
    out->status = answer.hit_count > 0 ? ANSWER_FOUND : answer.is_incomplete ? ANSWER_TEMPERROR : ANSWER_NONE;
    return true;
}

/* Found: something is known. */
static bool history_read(struct frame *frame, struct question_answer *out)
{
    struct sender_history history;
    if (!lookup_text_get(frame, &out->value) || !sender_history_get(out->value, &history)) return false;
    out->status = history.count > 0 ? ANSWER_FOUND : ANSWER_NONE;
    return true;
}

/* Found: a line was passed. */
static bool rate_read(struct frame *frame, struct question_answer *out)
{
    struct rate_answer answer;
    if (!lookup_text_get(frame, &out->value) || !rate_answer_get(out->value, &answer)) return false;
    out->status = answer.cause == RATE_FINE ? ANSWER_NONE : ANSWER_FOUND;
    return true;
}

enum { ENGINE_NAME_MOST = 4096 }; /* bytes: none is longer (config/lexer.h), and a frame has room for it */

/* A worker of scan may have raised it, who has read a stranger's mail. */
static bool is_engine_name(struct text name)
{
    return name.length <= ENGINE_NAME_MOST;
}

static bool engine_ask(const struct question *question, const struct question_ways *ways, uint64_t id)
{
    struct channel *consult = ways->channels[ANSWERER_CONSULT];
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    if (!ways->body || !is_engine_name(question->subject)) return false;
    struct buffer *out = channel_begin(consult, CONSULT_LOOK, id);
    consult_look_put(question->subject, ways->body, out, fds, &fd_count);
    channel_end_fds(consult, fds, fd_count);
    return true;
}

static bool opinion_ask(const struct question *question, const struct question_ways *ways, uint64_t id)
{
    struct channel *consult = ways->channels[ANSWERER_CONSULT];
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    if (!ways->body || !is_engine_name(question->subject)) return false;
    struct buffer *out = channel_begin(consult, CONSULT_OPINE, id);
    consult_opine_put(question->subject, ways->envelope, ways->body, out, fds, &fd_count);
    channel_end_fds(consult, fds, fd_count);
    return true;
}

static bool engine_read(struct frame *frame, struct question_answer *out)
{
    out->status = ANSWER_FOUND;
    return consult_answer_get(frame, &out->value);
}

/* By enum question_kind. What an answer is worth is in spam/score.c, which also names what is missing. */
static const struct row {
    const char *name;
    enum question_answerer answerer;
    /* Puts it to the answerer, who is there. False: the subject makes no sense. */
    bool (*ask)(const struct question *question, const struct question_ways *ways, uint64_t id);
    /* The type of the answer's frame, and what fills status and value from one; false: malformed. */
    uint16_t answer;
    bool (*read)(struct frame *frame, struct question_answer *out);
    /* What it is taken for when no answer came in time. */
    enum answer_status late;
} rows[QUESTION_KIND_COUNT] = {
    [QUESTION_CLIENT_NAME] = { "client-name", ANSWERER_LOOKUP, client_name_ask, LOOKUP_CLIENT_NAME_IS,
                               client_name_read, ANSWER_TEMPERROR },
    [QUESTION_SPF] = { "spf", ANSWERER_LOOKUP, subject_ask, LOOKUP_SPF_IS, bytes_read, ANSWER_TEMPERROR },
    [QUESTION_KEY] = { "key", ANSWERER_LOOKUP, subject_ask, LOOKUP_KEY_IS, bytes_read, ANSWER_TEMPERROR },
    [QUESTION_POLICY] = { "policy", ANSWERER_LOOKUP, subject_ask, LOOKUP_POLICY_IS, bytes_read,
                          ANSWER_TEMPERROR },
    [QUESTION_LIST] = { "list", ANSWERER_LOOKUP, subject_ask, LOOKUP_LIST_IS, list_read, ANSWER_TEMPERROR },
    [QUESTION_HISTORY] = { "history", ANSWERER_LOOKUP, subject_ask, LOOKUP_HISTORY_IS, history_read,
                           ANSWER_TEMPERROR },
    [QUESTION_RATE] = { "rate", ANSWERER_LOOKUP, subject_ask, LOOKUP_RATE_IS, rate_read, ANSWER_TEMPERROR },
    [QUESTION_ENGINE] = { "engine", ANSWERER_CONSULT, engine_ask, CONSULT_ANSWER, engine_read,
                          ANSWER_TEMPERROR },
    [QUESTION_OPINION] = { "opinion", ANSWERER_CONSULT, opinion_ask, CONSULT_OPINION, engine_read,
                           ANSWER_TEMPERROR },
};

bool question_answer_get(struct frame *frame, enum question_answerer from, struct question_answer *out)
{
    for (unsigned kind = 0; kind < QUESTION_KIND_COUNT; kind++) {
        *out = (struct question_answer){ .kind = kind };
        if (rows[kind].answerer == from && rows[kind].answer == frame->type)
            return rows[kind].read(frame, out);
    }
    return false;
}

/* --- the set --- */

void question_set_begin(struct question_set *set, struct arena *session, struct arena *message)
{
    *set = (struct question_set){ .arenas = {
                                      [QUESTION_OF_SESSION] = session, [QUESTION_OF_MESSAGE] = message } };
}

void question_set_forget(struct question_set *set)
{
    set->count = set->of_session;
}

static void reserve(struct question_set *set)
{
    if (set->count < set->room) return;
    uint32_t room = set->room ? 2 * set->room : 2;
    struct question *items = arena_alloc_array(set->arenas[QUESTION_OF_SESSION], room, sizeof *items);
    uint64_t *ids = arena_alloc_array(set->arenas[QUESTION_OF_SESSION], room, sizeof *ids);
    for (uint32_t i = 0; i < set->count; i++) {
        items[i] = set->items[i];
        ids[i] = set->ids[i];
    }
    set->items = items;
    set->ids = ids;
    set->room = room;
}

/* Where it stands; `count` when it is not there. */
static uint32_t place_of(const struct question_set *set, enum question_kind kind, struct text subject)
{
    const struct question *found = questions_find(set->items, set->count, kind, subject);
    return found ? (uint32_t)(found - set->items) : set->count;
}

const struct question *question_set_find(const struct question_set *set, enum question_kind kind,
                                         struct text subject)
{
    return questions_find(set->items, set->count, kind, subject);
}

bool question_set_add(struct question_set *set, enum question_life life, enum question_kind kind,
                      struct text subject)
{
    if (set->count == QUESTIONS_MOST || place_of(set, kind, subject) < set->count) return false;
    reserve(set);
    uint32_t at = life == QUESTION_OF_SESSION ? set->of_session++ : set->count;
    for (uint32_t i = set->count++; i > at; i--) {
        set->items[i] = set->items[i - 1];
        set->ids[i] = set->ids[i - 1];
    }
    set->items[at] =
        (struct question){ kind, arena_text(set->arenas[life], subject), ANSWER_PENDING, TEXT_NONE };
    set->ids[at] = 0;
    return true;
}

static void answer_put(struct question_set *set, uint32_t at, enum answer_status status, struct text value)
{
    enum question_life life = at < set->of_session ? QUESTION_OF_SESSION : QUESTION_OF_MESSAGE;
    set->items[at].status = status;
    set->items[at].value = arena_text(set->arenas[life], value);
    set->ids[at] = 0;
}

void question_set_know(struct question_set *set, enum question_life life, const struct question *known)
{
    question_set_add(set, life, known->kind, known->subject);
    uint32_t at = place_of(set, known->kind, known->subject);
    if (at < set->count) answer_put(set, at, known->status, known->value);
}

void question_set_drop_strays(struct question_set *set, const struct facts *facts)
{
    uint32_t kept = set->of_session;
    for (uint32_t i = kept; i < set->count; i++) {
        if (question_is_stray(&set->items[i], facts)) continue;
        set->items[kept] = set->items[i];
        set->ids[kept++] = set->ids[i];
    }
    set->count = kept;
}

bool question_set_is_open(const struct question_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->items[i].status == ANSWER_PENDING) return true;
    return false;
}

/* --- asking --- */

static uint32_t first_unasked(const struct question_set *set)
{
    uint32_t at = 0;
    while (at < set->count && (set->items[at].status != ANSWER_PENDING || set->ids[at] != 0)) at++;
    return at;
}

bool question_set_has_unasked(const struct question_set *set)
{
    return first_unasked(set) < set->count;
}

void question_set_ask(struct question_set *set, const struct question_ways *ways, uint64_t id)
{
    uint32_t at = first_unasked(set);
    if (at == set->count) return;
    const struct row *row = &rows[set->items[at].kind];
    if (ways->channels[row->answerer] && row->ask(&set->items[at], ways, id))
        set->ids[at] = id;
    else
        set->items[at].status = row->late;
}

void question_set_cancel(const struct question_set *set, struct channel *consult)
{
    for (uint32_t i = set->of_session; consult && i < set->count; i++)
        if (set->ids[i] && rows[set->items[i].kind].answerer == ANSWERER_CONSULT)
            channel_send(consult, CONSULT_CANCEL, set->ids[i], TEXT_NONE);
}

bool question_set_drop_opinions(struct question_set *set, struct channel *consult)
{
    bool was_open = false;
    for (uint32_t i = set->of_session; i < set->count; i++) {
        if (set->items[i].kind != QUESTION_OPINION || set->items[i].status != ANSWER_PENDING) continue;
        if (consult && set->ids[i]) channel_send(consult, CONSULT_NEEDLESS, set->ids[i], TEXT_NONE);
        set->items[i].status = ANSWER_NONE;
        set->ids[i] = 0;
        was_open = true;
    }
    return was_open;
}

/* --- answers --- */

bool question_set_answer(struct question_set *set, uint64_t id, const struct question_answer *answer)
{
    uint32_t at = 0;
    while (at < set->count && set->ids[at] != id) at++;
    if (id == 0 || at == set->count || set->items[at].kind != answer->kind) return false;
    answer_put(set, at, answer->status, answer->value);
    return true;
}

void question_set_close(struct question_set *set)
{
    for (unsigned answerer = 0; answerer < ANSWERERS; answerer++) question_set_close_of(set, answerer);
}

void question_set_close_of(struct question_set *set, enum question_answerer gone)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const struct row *row = &rows[set->items[i].kind];
        if (set->items[i].status == ANSWER_PENDING && row->answerer == gone) set->items[i].status = row->late;
    }
}

bool question_set_awaits(const struct question_set *set, enum question_answerer answerer)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->items[i].status == ANSWER_PENDING && rows[set->items[i].kind].answerer == answerer)
            return true;
    return false;
}

void question_set_reopen(struct question_set *set)
{
    for (uint32_t i = 0; i < set->of_session; i++) {
        if (set->items[i].status != ANSWER_TEMPERROR) continue;
        set->items[i].status = ANSWER_PENDING;
        set->ids[i] = 0;
    }
}

void question_set_print_open(const struct question_set *set, struct buffer *out)
{
    uint32_t counts[QUESTION_KIND_COUNT] = { 0 };
    const char *separator = "";
    for (uint32_t i = 0; i < set->count; i++)
        if (set->items[i].status == ANSWER_PENDING) counts[set->items[i].kind]++;
    for (unsigned kind = 0; kind < QUESTION_KIND_COUNT; kind++) {
        if (counts[kind] == 0) continue;
        buffer_printf(out, "%s%s", separator, rows[kind].name);
        if (counts[kind] > 1) buffer_printf(out, ":%u", counts[kind]);
        separator = ",";
    }
}
