/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Joins askers and questions. A question lives until all its parts are answered, also when nobody waits any
   more: the answer then warms the cache for the next who asks. */
#include "lookup/dns_question.h"

#include <stdlib.h>

#include "base/context.h"
#include "base/hash.h"
#include "lookup/evaluation.h"
#include "mail/idna.h"

/* Names that are asked for come from strangers. */
#define HASH_FUNCTION(key, length, hash) (hash) = (unsigned)hash_text(text_from((const char *)(key), length))
#include <uthash.h>

enum { KEY_FIXED = 2, KEY_MOST = KEY_FIXED + LOOKUP_SUBJECT_LIMIT };

/* A judgement by the resolver. */
struct spf_question {
    struct evaluation evaluation;
    struct spf_request request; /* borrowed from the key */
    struct spf_answer answer;
};

struct dns_question {
    enum { DNS_QUESTION_MAGIC = 0x49f69b9e } magic;
    UT_hash_handle hh;
    LIST_ENTRY(dns_question) all; /* also of those no longer in the table */
    struct dns_question_table *table;
    struct arena *arena;
    LIST_HEAD(asker_list, asker) askers;
    bool is_listed; /* in the table: may be joined */
    union {
        struct host_question host;
        struct exchanger exchanger;
        struct reverse reverse;
        struct dns_answer records;
        struct spf_question spf;
        struct evaluation answers; /* of KEY and POLICY */
    };
    struct text key; /* kind, type, then name or address; in the arena */
};

struct dns_question_table {
    struct loop *loop;
    struct resolver *resolver;
    struct dns_question *questions; /* by key: those that may be joined */
    LIST_HEAD(dns_question_list, dns_question) all;
    struct dns_question_manner manner;
    struct dns_question_counts counts;
    const struct asker *beginning; /* whose question begins: he needs a timer if he still waits then */
};

struct dns_question_table *dns_question_table_new(struct loop *loop, struct resolver *resolver,
                                                  const struct dns_question_manner *manner)
{
    struct dns_question_table *table = memory_alloc(sizeof *table);
    *table = (struct dns_question_table){ .loop = loop, .resolver = resolver, .manner = *manner };
    return table;
}

void dns_question_table_set_manner(struct dns_question_table *table, const struct dns_question_manner *manner)
{
    table->manner = *manner;
}

static enum dns_question_kind dns_question_kind(const struct dns_question *question)
{
    return (enum dns_question_kind)question->key.at[0];
}

static bool is_of_answers(enum dns_question_kind kind)
{
    return kind == DNS_QUESTION_KEY || kind == DNS_QUESTION_POLICY;
}

static void dns_question_free(struct dns_question *question)
{
    question->table->counts.in_flight--;
    LIST_REMOVE(question, all);
    if (dns_question_kind(question) == DNS_QUESTION_SPF) evaluation_end(&question->spf.evaluation);
    if (is_of_answers(dns_question_kind(question))) evaluation_end(&question->answers);
    arena_free(question->arena);
    free(question);
}

static void dns_question_unlist(struct dns_question *question)
{
    if (!question->is_listed) return;
    HASH_DEL(question->table->questions, question);
    question->is_listed = false;
}

void dns_question_table_free(struct dns_question_table *table)
{
    for (struct dns_question *next, *at = LIST_FIRST(&table->all); at; at = next) {
        next = LIST_NEXT(at, all);
        while (!LIST_EMPTY(&at->askers)) dns_question_leave(LIST_FIRST(&at->askers));
        dns_question_unlist(at);
        dns_question_free(at);
    }
    free(table);
}

void dns_question_leave(struct asker *asker)
{
    struct dns_question *question = asker->question;
    if (!question) return;
    if (question->table->beginning == asker) question->table->beginning = NULL;
    LIST_REMOVE(asker, others);
    timer_free(asker->deadline);
    asker->deadline = NULL;
    asker->question = NULL;
    question->table->counts.waiting--;
}

/* Every status that is not an answer, whichever kind it belongs to. */
static bool is_temperror(const struct dns_question_answer *answer)
{
    return answer->host          ? answer->host->status > DNS_NONE
           : answer->mx          ? answer->mx->status > DNS_NONE
           : answer->client_name ? answer->client_name->status == CLIENT_NAME_TEMPERROR
           : answer->records     ? answer->records->status > DNS_NONE
           : answer->spf         ? answer->spf->sender.outcome == SPF_TEMPERROR
           : answer->answers     ? dns_answers_wanted(answer->answers, 0) != NULL
                                 : true;
}

struct made {
    struct host_answer host;
    struct mx_answer mx;
    struct client_name client_name;
    struct dns_answer records;
    struct spf_answer spf;
    struct dns_answers answers;
};

static struct dns_question_answer answer_of(enum dns_question_kind kind, const struct made *made)
{
    struct dns_question_answer answer = { .kind = kind };
    if (kind == DNS_QUESTION_HOST) answer.host = &made->host;
    if (kind == DNS_QUESTION_MX) answer.mx = &made->mx;
    if (kind == DNS_QUESTION_CLIENT_NAME) answer.client_name = &made->client_name;
    if (kind == DNS_QUESTION_RECORDS) answer.records = &made->records;
    if (kind == DNS_QUESTION_SPF) answer.spf = &made->spf;
    if (is_of_answers(kind)) answer.answers = &made->answers;
    return answer;
}

/* What is known of the question now. The arena is the question's: its deadlines are bounded by its askers. */
static struct dns_question_answer answer_make(struct dns_question *question, struct made *made)
{
    switch (dns_question_kind(question)) {
    case DNS_QUESTION_HOST:
        host_answer_make(&question->host, question->arena, &made->host);
        break;
    case DNS_QUESTION_MX:
        exchanger_answer_make(&question->exchanger, question->arena, &made->mx);
        break;
    case DNS_QUESTION_CLIENT_NAME:
        reverse_answer_make(&question->reverse, &made->client_name);
        break;
    case DNS_QUESTION_RECORDS:
        made->records = question->records;
        break;
    case DNS_QUESTION_SPF:
        if (!question->spf.evaluation.is_over) evaluation_hurry(&question->spf.evaluation);
        made->spf = question->spf.answer;
        break;
    case DNS_QUESTION_KEY:
    case DNS_QUESTION_POLICY:
        made->answers = question->answers.answers;
        break;
    }
    return answer_of(dns_question_kind(question), made);
}

static void asker_tell(struct dns_question_table *table, struct asker *asker,
                       const struct dns_question_answer *answer)
{
    table->counts.temperrors += is_temperror(answer);
    dns_question_leave(asker);
    asker->answered(asker, answer);
}

/* An answer that needs no question: `status`, or its like for a client's name. */
static void answer_at_once(struct dns_question_table *table, enum dns_question_kind kind,
                           enum dns_status status, struct asker *asker)
{
    struct made made = { .host.status = status, .mx.status = status, .records.status = status };
    made.client_name.status = status == DNS_NONE ? CLIENT_NAME_NONE : CLIENT_NAME_TEMPERROR;
    made.spf.sender = made.spf.helo =
        (struct spf_result){ .outcome = SPF_TEMPERROR, .reason = "too many questions" };
    struct dns_question_answer answer = answer_of(kind, &made);
    asker_tell(table, asker, &answer);
}

static void deadline_passed(void *context)
{
    struct asker *asker = CONTEXT(context, struct asker, ASKER_MAGIC);
    struct dns_question *question = asker->question;
    struct made made;
    struct dns_question_answer answer = answer_make(question, &made);
    question->table->counts.late++;
    asker_tell(question->table, asker, &answer);
}

/* The answer stands. Unlisted first: an asker who asks the same again inside the call begins a new question.
 */
static void askers_tell(struct dns_question *question)
{
    struct made made;
    struct dns_question_answer answer = answer_make(question, &made);
    dns_question_unlist(question);
    while (!LIST_EMPTY(&question->askers))
        asker_tell(question->table, LIST_FIRST(&question->askers), &answer);
}

static void dns_question_done(void *context)
{
    struct dns_question *question = CONTEXT(context, struct dns_question, DNS_QUESTION_MAGIC);
    askers_tell(question);
    dns_question_free(question);
}

/* The result stands when it is `known`, or nothing is pending any more; then the question ends. */
static void progress(struct dns_question *question, bool is_known, uint32_t pending)
{
    if (question->is_listed && (is_known || pending == 0)) askers_tell(question);
    if (pending == 0) dns_question_free(question);
}

static void reverse_progressed(void *context)
{
    struct dns_question *question = CONTEXT(context, struct dns_question, DNS_QUESTION_MAGIC);
    progress(question, question->reverse.confirmed.length > 0, question->reverse.pending);
}

static void spf_progressed(void *context)
{
    struct dns_question *question = CONTEXT(context, struct dns_question, DNS_QUESTION_MAGIC);
    progress(question, true, question->spf.evaluation.pending);
}

static void answers_progressed(void *context)
{
    struct dns_question *question = CONTEXT(context, struct dns_question, DNS_QUESTION_MAGIC);
    progress(question, true, question->answers.pending);
}

static bool spf_look(void *context, struct arena *scratch, struct dns_answers *answers)
{
    struct dns_question *question = CONTEXT(context, struct dns_question, DNS_QUESTION_MAGIC);
    return spf_answer_evaluate(scratch, answers, &question->spf.request, &question->spf.answer);
}

static bool answers_look(void *context, struct arena *scratch, struct dns_answers *answers)
{
    struct dns_question *question = CONTEXT(context, struct dns_question, DNS_QUESTION_MAGIC);
    struct text subject = text_slice(question->key, KEY_FIXED, question->key.length);
    if (dns_question_kind(question) == DNS_QUESTION_KEY)
        return dns_answers_find(answers, subject, RECORD_TXT) != NULL;
    return auth_policy_look(scratch, answers, subject, question->table->manner.suffixes);
}

static bool label_ends(struct text name, size_t start, size_t *out_end)
{
    struct text rest = text_slice(name, start, name.length);
    *out_end = start + text_find_char(rest, '.');
    return *out_end > start && *out_end - start <= 63;
}

/* RFC 1035 section 2.3.4, in bytes that a question to the DNS can carry without being read differently. */
static bool is_domain_name(struct text name)
{
    if (name.length == 0 || name.length > 253) return false;
    for (size_t start = 0, end; start < name.length; start = end + 1) {
        if (!label_ends(name, start, &end)) return false;
        for (size_t i = start; i < end; i++)
            if (name.at[i] <= ' ' || name.at[i] >= 0x7f || name.at[i] == '\\') return false;
    }
    return name.at[name.length - 1] != '.';
}

struct key {
    char bytes[KEY_MOST];
    size_t length;
};

/* Bytes that are no name, as they are. */
static bool key_make_plain(struct text subject, struct key *out)
{
    if (subject.length > LOOKUP_SUBJECT_LIMIT) return false;
    if (subject.length) memcpy(out->bytes + KEY_FIXED, subject.at, subject.length);
    out->length = KEY_FIXED + subject.length;
    return true;
}

static bool key_make(const struct dns_question_subject *subject, struct key *out)
{
    struct text name = subject->name;
    out->bytes[0] = (char)subject->kind;
    out->bytes[1] = (char)subject->type;
    if (subject->kind == DNS_QUESTION_CLIENT_NAME) {
        memcpy(out->bytes + KEY_FIXED, subject->client.bytes, sizeof subject->client.bytes);
        out->length = KEY_FIXED + sizeof subject->client.bytes;
        return true;
    }
    if (subject->kind == DNS_QUESTION_SPF || is_of_answers(subject->kind)) return key_make_plain(name, out);
    if (name.length > LOOKUP_NAME_LIMIT) return false;
    if (text_ends(name, TEXT("."))) name.length--;
    struct arena *arena = arena_new(0);
    bool is_name = idna_to_ascii(arena, name, &name) && is_domain_name(name);
    if (is_name) memcpy(out->bytes + KEY_FIXED, name.at, name.length);
    out->length = KEY_FIXED + name.length;
    arena_free(arena);
    return is_name;
}

static struct dns_question *dns_question_new(struct dns_question_table *table, const struct key *key)
{
    struct dns_question *question = memory_alloc(sizeof *question);
    question->magic = DNS_QUESTION_MAGIC;
    question->table = table;
    question->arena = arena_new(0);
    question->key = arena_text(question->arena, text_from(key->bytes, key->length));
    LIST_INSERT_HEAD(&table->all, question, all);
    question->is_listed = true;
    HASH_ADD_KEYPTR(hh, table->questions, question->key.at, question->key.length, question);
    table->counts.in_flight++;
    return question;
}

static void spf_begin(struct dns_question *question, struct text bytes)
{
    const struct dns_question_table *table = question->table;
    struct spf_subject subject = { 0 };
    spf_subject_get(bytes, &subject); /* of a malformed one what could be read */
    question->spf.request = (struct spf_request){ .client = subject.client,
                                                  .helo = subject.helo,
                                                  .sender = subject.sender,
                                                  .host = table->manner.hostname,
                                                  .now = loop_wall_ms(table->loop) / 1000 };
    evaluation_begin(&question->spf.evaluation, table->resolver, question->arena, spf_look, spf_progressed,
                     question);
}

static void dns_question_begin(struct dns_question *question, const struct dns_question_subject *subject)
{
    struct resolver *resolver = question->table->resolver;
    struct text name = text_slice(question->key, KEY_FIXED, question->key.length);
    switch (dns_question_kind(question)) {
    case DNS_QUESTION_HOST:
        host_begin(&question->host, resolver, question->arena, name, dns_question_done, question);
        break;
    case DNS_QUESTION_MX:
        exchanger_begin(&question->exchanger, resolver, question->arena, name, dns_question_done, question);
        break;
    case DNS_QUESTION_CLIENT_NAME:
        reverse_begin(&question->reverse, resolver, question->arena, &subject->client, reverse_progressed,
                      question);
        break;
    case DNS_QUESTION_RECORDS:
        resolver_ask(resolver, question->arena, name, subject->type, &question->records, dns_question_done,
                     question);
        break;
    case DNS_QUESTION_SPF:
        spf_begin(question, name);
        break;
    case DNS_QUESTION_KEY:
    case DNS_QUESTION_POLICY:
        evaluation_begin(&question->answers, resolver, question->arena, answers_look, answers_progressed,
                         question);
        break;
    }
}

static void asker_join(struct dns_question *question, struct asker *asker)
{
    asker->magic = ASKER_MAGIC;
    asker->question = question;
    LIST_INSERT_HEAD(&question->askers, asker, others);
    question->table->counts.waiting++;
}

static void deadline_set(const struct dns_question_table *table, struct asker *asker, uint32_t deadline_ms)
{
    if (deadline_ms == 0) deadline_ms = table->manner.timeout_ms;
    if (deadline_ms > DNS_QUESTION_DEADLINE) deadline_ms = DNS_QUESTION_DEADLINE;
    asker->deadline = timer_new(table->loop, deadline_passed, asker);
    timer_set(asker->deadline, deadline_ms);
}

void dns_question_ask(struct dns_question_table *table, const struct dns_question_subject *subject,
                      uint32_t deadline_ms, struct asker *asker)
{
    struct key key;
    struct dns_question *question = NULL;
    asker->question = NULL;
    asker->deadline = NULL;
    table->counts.asked++;
    if (!key_make(subject, &key)) {
        answer_at_once(table, subject->kind, DNS_NONE, asker);
        return;
    }
    HASH_FIND(hh, table->questions, key.bytes, key.length, question);
    if (table->counts.waiting >= DNS_QUESTION_ASKERS ||
        (!question && table->counts.in_flight >= DNS_QUESTION_LIMIT)) {
        table->counts.over_limit++;
        answer_at_once(table, subject->kind, DNS_TEMPERROR, asker);
        return;
    }
    if (question) {
        table->counts.merged++;
        asker_join(question, asker);
        deadline_set(table, asker, deadline_ms);
        return;
    }
    question = dns_question_new(table, &key);
    asker_join(question, asker);
    table->beginning = asker;
    dns_question_begin(question, subject); /* with a warm cache he has his answer now, and may be gone */
    if (table->beginning == asker) deadline_set(table, asker, deadline_ms);
    table->beginning = NULL;
}

const struct dns_question_counts *dns_question_counts(const struct dns_question_table *table)
{
    return &table->counts;
}
