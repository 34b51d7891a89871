/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A scan worker from its fork to its end. It dies rather than answer what it is not sure of: the dispatcher
   takes a death for what it is. */
#include "scan/worker.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/temp_files.h"
#include "ipc/ask_master.h"
#include "ipc/ask_scan.h"
#include "mail/charset.h"
#include "scan/decide.h"
#include "scan/entry_patterns.h"
#include "scan/outside.h"
#include "scan/scan_private.h"
#include "scan/seal_compose.h"
#include "scan/trace_fields.h"
#include "spam/lesson.h"
#include "virus/canary.h"

enum {
    CANARY_EVERY = 2000,   /* messages */
    REMEMBERED = 2048,     /* entries of each kind */
    LEFT_BEHIND = 1 << 20, /* bytes of temporary files that end a worker */
    ROOM_LEAST = 64 << 20,
    WORTH_TELLING_MS = 10,
    READER_WAIT_MS = 10000
};

struct worker {
    int channel, room;
    uint64_t room_empty; /* bytes that an empty room uses */
    struct scanner scanner;
    struct arena *arena;
    struct buffer facts, reply;
    uint32_t served;
    uint64_t id; /* of the message that it reads */
    struct reader_source readers;
};

/* Milliseconds of processor time of this process. */
static uint64_t own_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t worker_room_bytes(const struct config *config)
{
    uint64_t bytes = 2 * config->virus.max_scan_bytes; /* what is unpacked, and the layers it comes out of */
    return bytes < ROOM_LEAST ? ROOM_LEAST : bytes;
}

/* --- answers --- */

static void reply_failed(struct worker *worker, uint64_t id, enum scan_failure failure, const char *why)
{
    buffer_clear(&worker->reply);
    put_u8(&worker->reply, (uint8_t)failure);
    put_text(&worker->reply, text_of(why));
    channel_send_now(worker->channel, SCAN_FAILED, id, buffer_text(&worker->reply), NULL, 0);
}

static void reply(struct worker *worker, uint16_t type, uint64_t id, struct text payload)
{
    if (payload.length > SCAN_PAYLOAD_MOST)
        reply_failed(worker, id, SCAN_WORKER_DIED, "what was found does not fit a frame");
    else if (!channel_send_now(worker->channel, type, id, payload, NULL, 0))
        exit(EX_OK); /* the dispatcher is gone */
}

/* What lacks a signature goes ahead of the verdict. */
static void seals_tell(struct worker *worker, const struct scan_question *question, const struct facts *facts,
                       const struct auth_judgement *authentication, const struct verdict *verdict)
{
    const struct seal_source source = { worker->scanner.config, &question->occasion,
                                        question->prefix,       facts,
                                        authentication,         verdict };
    struct seal_list list;
    if (facts->seal_basis.length == 0 || !seal_compose(worker->arena, &source, &list)) return;
    buffer_clear(&worker->reply);
    seal_list_put(&list, &worker->reply);
    if (buffer_length(&worker->reply) > SCAN_PAYLOAD_MOST) {
        list = (struct seal_list){ .purpose = list.purpose, .why = TEXT("too-long") };
        buffer_clear(&worker->reply);
        seal_list_put(&list, &worker->reply);
    }
    reply(worker, WORKER_SEALS, question->occasion.id, buffer_text(&worker->reply));
}

/* The facts go along without what has served: the verdict has what became of it. `body`: its digest. */
static void reply_verdict(struct worker *worker, const struct scan_question *question,
                          const struct facts *facts, const uint8_t body[DIGEST_BYTES])
{
    struct judged judged = { 0 };
    uint64_t id = question->occasion.id;
    if (!trace_fields_are_ours(question->prefix)) {
        reply_failed(worker, id, SCAN_WORKER_DIED, "the fields before it are none of ours");
        return;
    }
    if (outside_is_missing(worker->scanner.config, &question->occasion, facts, question->questions,
                           question->question_count)) {
        reply_failed(worker, id, SCAN_NOT_READY, "an engine outside was not asked");
        return;
    }
    struct auth_judgement authentication;
    memcpy(judged.voucher.signature, body, DIGEST_BYTES);
    const struct scanner *scanner = &worker->scanner;
    const struct decide_basis basis = { scanner->config, scanner->lists, scanner->approved, scanner->entries,
                                        scanner->rules };
    const struct decide_case about = { &question->occasion, facts, question->questions,
                                       question->question_count };
    decide_and_tell(worker->arena, &basis, &about, &judged.facts, &authentication, &judged.verdict);
    judged.facts.edit_count = 0;
    judged.facts.seal_basis = TEXT_NONE;
    seals_tell(worker, question, facts, &authentication, &judged.verdict);
    buffer_clear(&worker->reply);
    judged_put(&judged, &worker->reply);
    reply(worker, SCAN_VERDICT, id, buffer_text(&worker->reply));
}

static void reply_facts(struct worker *worker, uint64_t id, struct facts *facts,
                        const uint8_t body[DIGEST_BYTES])
{
    struct found found = { 0 };
    buffer_clear(&worker->facts);
    facts_put(facts, &worker->facts);
    if (facts->seal_basis.length > 0 && buffer_length(&worker->facts) > SEAL_FACTS_MOST) {
        seal_basis_drop(worker->arena, facts);
        buffer_clear(&worker->facts);
        facts_put(facts, &worker->facts);
    }
    found.facts = buffer_text(&worker->facts);
    memcpy(found.body, body, DIGEST_BYTES);
    buffer_clear(&worker->reply);
    found_put(&found, &worker->reply);
    reply(worker, SCAN_FACTS, id, buffer_text(&worker->reply));
}

static void strays_drop(const struct facts *facts, struct scan_question *question)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < question->question_count; i++)
        if (!question_is_stray(&question->questions[i], facts))
            question->questions[kept++] = question->questions[i];
    question->question_count = kept;
}

/* What was asked before is answered, and what the content raised is among it. */
static bool is_all_answered(const struct facts *facts, const struct question *answers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (answers[i].status == ANSWER_PENDING) return false;
    for (uint32_t i = 0; i < facts->question_count; i++)
        if (!questions_find(answers, count, facts->questions[i].kind, facts->questions[i].subject))
            return false;
    return true;
}

#ifdef SEKIMORI_JAIL_PROBE
/* Test builds: a message can ask its worker to die, to hang, or to leave its jail. */
static void misbehave(struct text message)
{
    if (text_starts(message, TEXT("X-Test-Worker: die\r\n"))) abort();
    while (text_starts(message, TEXT("X-Test-Worker: hang\r\n"))) sleep(1);
    bool is_open = text_starts(message, TEXT("X-Test-Worker: open\r\n"));
    bool is_exec = text_starts(message, TEXT("X-Test-Worker: exec\r\n"));
    if (!is_open && !is_exec) return;
    int opened = is_open ? open("/etc/passwd", O_RDONLY | O_CLOEXEC) : -1;
    if (is_exec) execl("/bin/true", "true", (char *)NULL);
    if (opened >= 0)
        log_error("jail probe: scan worker: open ALLOWED");
    else
        log_info("jail probe: scan worker: denied");
    log_flush();
}
#endif

static void spent_tell(struct worker *worker, uint64_t id, uint64_t spent_ms)
{
    if (spent_ms < WORTH_TELLING_MS) return;
    buffer_clear(&worker->reply);
    put_u64(&worker->reply, spent_ms);
    channel_send_now(worker->channel, WORKER_SPENT, id, buffer_text(&worker->reply), NULL, 0);
}

/* Copies of one infected mail come to all workers: who has scanned it tells the others. */
static void infected_tell(struct worker *worker, uint64_t id)
{
    uint8_t digest[DIGEST_BYTES];
    const char *name;
    if (!verdict_cache_news(worker->scanner.cache, digest, &name)) return;
    buffer_clear(&worker->reply);
    buffer_add(&worker->reply, digest, sizeof digest);
    put_text(&worker->reply, text_of(name));
    channel_send_now(worker->channel, WORKER_INFECTED, id, buffer_text(&worker->reply), NULL, 0);
}

static void infected_take(struct worker *worker, struct text payload)
{
    char name[ENGINE_NAME_SIZE];
    if (payload.length < DIGEST_BYTES) return;
    struct reader reader = reader_of(text_slice(payload, DIGEST_BYTES, payload.length));
    struct text found = get_text(&reader);
    if (!reader_done(&reader) || found.length == 0 || found.length >= sizeof name) return;
    snprintf(name, sizeof name, "%.*s", TEXT_ARG(found));
    verdict_cache_take(worker->scanner.cache, (const uint8_t *)payload.at, name);
}

static void reader_lost_tell(struct worker *worker, uint64_t id)
{
    buffer_clear(&worker->reply);
    put_u8(&worker->reply, worker->readers.is_hung);
    worker->readers.is_lost = worker->readers.is_hung = false;
    channel_send_now(worker->channel, WORKER_READER_LOST, id, buffer_text(&worker->reply), NULL, 0);
}

/* For the count in `status`. */
static void text_lost_tell(struct worker *worker, uint64_t id)
{
    if (!worker->readers.is_text_lost) return;
    worker->readers.is_text_lost = false;
    channel_send_now(worker->channel, WORKER_TEXT_LOST, id, TEXT_NONE, NULL, 0);
}

static bool answer_read(struct worker *worker, struct frame *frame)
{
    struct scan_question question;
    struct body body;
    struct facts facts;
    uint8_t digest[DIGEST_BYTES];
    if (!scan_read_get(worker->arena, frame, &question, &body)) return false;
    struct text message = body_text(&body);
    if (body.is_lost || (!message.at && body.size > 0)) {
        reply_failed(worker, frame->id, SCAN_WORKER_DIED, "the body cannot be mapped");
        body_free(&body);
        return true;
    }
#ifdef SEKIMORI_JAIL_PROBE
    misbehave(message);
#endif
    uint64_t begun_ms = own_ms();
    worker->id = frame->id;
    digest_sha256(message, digest);
    read_facts(worker->arena, &worker->scanner, &question.occasion, message, digest, &facts);
    strays_drop(&facts, &question);
    spent_tell(worker, frame->id, own_ms() - begun_ms);
    infected_tell(worker, frame->id);
    text_lost_tell(worker, frame->id);
    if (worker->readers.is_lost)
        reader_lost_tell(worker, frame->id);
    else if (frame->type == SCAN_READ && is_all_answered(&facts, question.questions, question.question_count))
        reply_verdict(worker, &question, &facts, digest);
    else
        reply_facts(worker, frame->id, &facts, digest);
    body_free(&body);
    return true;
}

static bool answer_decide(struct worker *worker, struct frame *frame)
{
    struct scan_question question;
    struct found found;
    struct facts facts;
    if (!scan_decide_get(worker->arena, frame, &question, &found)) return false;
    if (!found_facts(worker->arena, &found, &facts)) return false;
    reply_verdict(worker, &question, &facts, found.body);
    return true;
}

/* Of a mail that a user reported: nothing is judged. */
static void lesson_reply(struct worker *worker, uint64_t id, struct text message)
{
    const struct mime *mime = mime_parse(worker->arena, message, &mime_limits_default, MIME_FIRST);
    struct lesson_found found = { .is_mail = lesson_is_mail(mime->parts[0].header) };
    struct facts facts = { 0 };
    struct lesson lesson;
    if (found.is_mail) {
        lesson_read(worker->arena, message, worker->scanner.base, &lesson);
        buffer_clear(&worker->facts);
        lesson_write(&lesson, &worker->facts);
        read_header(worker->arena, mime, &facts);
        found.message_id = facts.message_id;
        found.author = facts.from;
        found.subject = facts.subject;
        found.lesson = buffer_text(&worker->facts);
    }
    buffer_clear(&worker->reply);
    lesson_found_put(&found, &worker->reply);
    reply(worker, SCAN_LESSON_IS, id, buffer_text(&worker->reply));
}

static bool answer_lesson(struct worker *worker, struct frame *frame)
{
    struct scan_question question;
    struct body body;
    if (!scan_read_get(worker->arena, frame, &question, &body)) return false;
    struct text message = body_text(&body);
#ifdef SEKIMORI_JAIL_PROBE
    misbehave(message);
#endif
    if (body.is_lost || (!message.at && body.size > 0))
        reply_failed(worker, frame->id, SCAN_WORKER_DIED, "the body cannot be mapped");
    else
        lesson_reply(worker, frame->id, message);
    body_free(&body);
    return true;
}

/* --- a reader of containers --- */

/* A frame of the dispatcher that has nothing to do with a message. */
static bool aside_take(struct worker *worker, struct frame *frame)
{
    if (frame->type == WORKER_PING) channel_send_now(worker->channel, WORKER_PONG, 0, TEXT_NONE, NULL, 0);
    if (frame->type == WORKER_LOG) scan_log_take(frame);
    if (frame->type == WORKER_INFECTED) infected_take(worker, frame->payload);
    return frame->type == WORKER_PING || frame->type == WORKER_LOG || frame->type == WORKER_INFECTED;
}

static int reader_get(void *context)
{
    struct worker *worker = context;
    struct frame frame;
    if (!channel_send_now(worker->channel, WORKER_READER, worker->id, TEXT_NONE, NULL, 0)) exit(EX_OK);
    while (channel_wait_into(worker->channel, READER_WAIT_MS, worker->readers.packet, &frame)) {
        if (aside_take(worker, &frame)) continue;
        if (frame.type == WORKER_READER_IS && frame.id == worker->id) return frame_take_fd(&frame, 0);
        break;
    }
    log_error("no reader of containers came in time: the worker is replaced");
    log_flush();
    exit(EX_SOFTWARE); /* one that comes later would be taken for another message's */
}

/* --- life --- */

void scan_log_take(struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    enum master_log which = get_u8(&reader);
    int fd = frame_take_fd(frame, 0);
    if (reader_done(&reader) && fd >= 0) master_log_take(which, fd);
}

static void canary_check(struct worker *worker)
{
    char why[300];
    if (!worker->scanner.engine || canary_is_caught(worker->scanner.engine, why, sizeof why)) return;
    log_error("%s: the worker is replaced", why);
    log_flush();
    exit(EX_SOFTWARE);
}

/* Files that a scan left behind are no matter as long as they are few; then a fresh worker is better. */
static void room_check(struct worker *worker)
{
    uint64_t used = temporary_used(worker->room);
    if (used <= worker->room_empty + LEFT_BEHIND) return;
    log_info("%llu bytes of temporary files were left behind: the worker is replaced",
             (unsigned long long)used);
    log_flush();
    exit(EX_OK);
}

static void serve(struct worker *worker)
{
    struct frame frame;
    while (channel_wait(worker->channel, -1, &frame)) {
        if (aside_take(worker, &frame)) continue;
        bool is_good = false;
        if (frame.type == SCAN_READ || frame.type == SCAN_AGAIN) is_good = answer_read(worker, &frame);
        if (frame.type == SCAN_LESSON) is_good = answer_lesson(worker, &frame);
        if (frame.type == SCAN_DECIDE) is_good = answer_decide(worker, &frame);
        for (int i = 0; i < frame.fd_count; i++)
            if (frame.fds[i] >= 0) close(frame.fds[i]);
        if (!is_good) reply_failed(worker, frame.id, SCAN_WORKER_DIED, "the question makes no sense");
        arena_reset(worker->arena);
        room_check(worker);
        if (++worker->served % CANARY_EVERY == 0) canary_check(worker);
        log_flush();
    }
}

static void limit_resources(const struct config *config)
{
    struct rlimit file = { worker_room_bytes(config), worker_room_bytes(config) }, none = { 0, 0 };
    setrlimit(RLIMIT_FSIZE, &file);
    setrlimit(RLIMIT_CORE, &none);
}

_Noreturn static void give_up(struct worker *worker, const char *why)
{
    put_text(&worker->reply, text_of(why));
    channel_send_now(worker->channel, WORKER_FAILED, 0, buffer_text(&worker->reply), NULL, 0);
    log_flush();
    exit(EX_TEMPFAIL);
}

/* What one message needed the next one will need: it is not given back to the kernel in between, and what is
   large has pages of its own. */
static void memory_keep(void)
{
    enum { KEPT_BYTES = 4 << 20, LARGE_BYTES = 1 << 20 };
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

_Noreturn void worker_run(int channel, const struct scanner *scanner)
{
    static const char *const folders[] = { ".", NULL };
    static const struct jail_paths paths = { .folders = folders };
    struct worker worker = { .channel = channel, .scanner = *scanner };
    worker.readers = (struct reader_source){ .get = reader_get, .context = &worker };
    worker.scanner.readers = &worker.readers;
    char why[300];
    const struct config *config = scanner->config;
    worker.room = temporary_enter(worker_room_bytes(config), why, sizeof why);
    if (worker.room < 0) give_up(&worker, why);
    worker.room_empty = temporary_used(worker.room);
    memory_keep();
    worker.arena = arena_new(65536);
    worker.readers.packet = memory_alloc(FRAME_LIMIT);
    worker.scanner.cache = verdict_cache_new(REMEMBERED);
    worker.scanner.patterns = entry_patterns_new();
    limit_resources(config);
    if (config->processes.jail && !jail_enter("scan worker", JAIL_SCANNER, &paths))
        give_up(&worker, "the jail cannot be entered");
    canary_check(&worker);
    channel_send_now(channel, WORKER_READY, 0, TEXT_NONE, NULL, 0);
    serve(&worker);
    log_flush();
    exit(EX_OK);
}

/* --- warming up --- */

/* Each charset, a rare encoding, HTML: what a first such message would make libraries open. */
static void sample_write(struct buffer *out)
{
    buffer_add_text(out,
                    TEXT("From: =?ISO-2022-JP?B?GyRCJTUlcyVXJWsbKEI=?= <a@example.jp>\r\n"
                         "Subject: =?Shift_JIS?B?g1SDk4N2g4s=?=\r\nMIME-Version: 1.0\r\n"
                         "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
                         "Content-Type: text/plain; charset=EUC-JP\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n\r\n=A5=B5\r\n--x\r\n"
                         "Content-Type: text/html\r\n\r\n<html><body><p>x</p></body></html>\r\n--x--\r\n"));
}

bool worker_warm_up(const struct scanner *scanner, char *why, size_t size)
{
    struct text recipient = TEXT("a@example.jp");
    struct occasion occasion = { .direction = DIRECTION_IN, .recipient_count = 1, .recipients = &recipient };
    struct scanner warm = *scanner;
    struct buffer sample = { 0 };
    struct facts facts;
    struct verdict verdict;
    tzset();
    charset_warm();
    struct arena *arena = arena_new(0);
    warm.cache = verdict_cache_new(1);
    sample_write(&sample);
    read_facts(arena, &warm, &occasion, buffer_text(&sample), NULL, &facts);
    decide_verdict(arena, warm.config, &occasion, &facts, NULL, 0, &verdict);
    verdict_cache_free(warm.cache);
    arena_free(arena);
    buffer_free(&sample);
    return !scanner->engine || canary_is_caught(scanner->engine, why, size);
}
