/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Plays master and receive for the real scan process, for tests/flow/test_scan.py and bench/virus: drive
   SCAN-PROGRAM CONFIGURATION [OPEN-PROGRAM]. Input lines "TAG FILE
   [name=found|none|mismatch|temperror|pending] [out] RECIPIENT…", "cancel TAG", "status", "reload
   CONFIGURATION". Output: "TAG facts" and "TAG failed N why", "TAG verdict …"; a message whose facts come
   back is decided with a found name at once. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "ipc/ask_scan.h"
#include "mail/edits.h"
#include "play_master.h"
#include "scan/wording.h"

enum { TAGS = 65536, RECIPIENTS = 16 };

struct asked {
    char tag[16], line[2000];
};

struct driver {
    struct loop *loop;
    struct channel *scan;
    struct watch *input;
    struct buffer line;
    struct played played, open;
    uint64_t last_id;
    struct asked asked[TAGS];
};

static struct question name_answer(struct text word)
{
    static const struct {
        const char *word;
        enum answer_status status;
    } rows[] = { { "name=none", ANSWER_NONE },
                 { "name=mismatch", ANSWER_MISMATCH },
                 { "name=temperror", ANSWER_TEMPERROR },
                 { "name=pending", ANSWER_PENDING } };
    struct question question = { QUESTION_CLIENT_NAME, TEXT("192.0.2.1"), ANSWER_FOUND, TEXT("mx.test") };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_equal(word, text_of(rows[i].word))) question.status = rows[i].status;
    return question;
}

/* The words behind the file's name. */
static void occasion_read(struct text rest, struct text *recipients, struct occasion *occasion,
                          struct question *name)
{
    struct text word;
    *name = name_answer(TEXT_NONE);
    occasion->recipients = recipients;
    occasion->helo = TEXT("client.test");
    occasion->sender = TEXT("sender@client.test");
    while (text_next_word(&rest, &word)) {
        if (text_starts(word, TEXT("name=")))
            *name = name_answer(word);
        else if (text_equal(word, TEXT("out")))
            occasion->direction = DIRECTION_OUT;
        else if (occasion->recipient_count < RECIPIENTS)
            recipients[occasion->recipient_count++] = word;
    }
}

static void body_read(struct text path, struct body *body)
{
    char *name = memory_string(path), room[65536];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) play_fail(name);
    for (ssize_t got; (got = read(fd, room, sizeof room)) > 0;)
        body_append(body, text_from(room, (size_t)got));
    body_finish(body);
    close(fd);
    free(name);
}

static void message_send(struct driver *driver, struct text tag, struct text rest)
{
    struct text recipients[RECIPIENTS], path = TEXT_NONE;
    uint64_t id = ++driver->last_id % TAGS;
    struct asked *asked = &driver->asked[id];
    struct question name;
    struct scan_question question = { .occasion.id = id, .questions = &name, .question_count = 1 };
    struct body body = { 0 };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    text_next_word(&rest, &path);
    snprintf(asked->tag, sizeof asked->tag, "%.*s", TEXT_ARG(tag));
    snprintf(asked->line, sizeof asked->line, "%.*s", TEXT_ARG(rest));
    occasion_read(rest, recipients, &question.occasion, &name);
    body_read(path, &body);
    struct buffer *frame = channel_begin(driver->scan, SCAN_READ, id);
    scan_read_put(&question, &body, frame, fds, &fd_count);
    channel_end_fds(driver->scan, fds, fd_count);
    body_free(&body);
}

static void decide_send(struct driver *driver, struct frame *frame)
{
    struct text recipients[RECIPIENTS];
    struct question name;
    struct scan_question question = { .occasion.id = frame->id, .questions = &name, .question_count = 1 };
    occasion_read(text_of(driver->asked[frame->id].line), recipients, &question.occasion, &name);
    name.status = ANSWER_FOUND;
    struct buffer *out = channel_begin(driver->scan, SCAN_DECIDE, frame->id);
    scan_decide_put(&question, frame->payload, out);
    channel_end(driver->scan);
}

static void text_print(const char *name, struct text text)
{
    char room[4000];
    printf(" %s={%s}", name, log_escape(text, room, sizeof room));
}

/* " header={what it inserts} kinds=forged,status" each. */
static void recipes_print(struct arena *arena, const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->recipe_count; i++) {
        const char *separator = " kinds=";
        struct edits edits;
        if (!edits_decode(arena, verdict->recipes[i].edits, UINT64_MAX, &edits)) play_fail("a recipe");
        for (size_t k = 0; k < edits.count; k++) text_print("header", edits.items[k].insert);
        for (unsigned kind = 0; kind < EDIT_KIND_COUNT; kind++) {
            if (!edit_set_has(verdict->recipes[i].kinds, kind)) continue;
            printf("%s%s", separator, evidence_edit_kind_name(kind));
            separator = ",";
        }
    }
}

static bool verdict_print(struct frame *frame)
{
    struct arena *arena = arena_new(0);
    struct judged judged;
    const struct verdict *verdict = &judged.verdict;
    bool is_good = judged_get(arena, frame->payload, &judged);
    if (is_good) {
        printf("verdict code=%u actions=", verdict->code);
        for (uint32_t i = 0; i < verdict->recipient_count; i++)
            printf("%s%s/%s/%u", i ? "," : "", evidence_action_name(verdict->recipients[i].action),
                   evidence_action_name(verdict->recipients[i].observed), verdict->recipients[i].recipe);
        printf(" content=%u parts=%u", judged.facts.content, judged.facts.part_count);
        text_print("reason", verdict->reason);
        text_print("summary", verdict->summary);
        recipes_print(arena, verdict);
        text_print("subject", judged.facts.subject);
    }
    arena_free(arena);
    return is_good;
}

static bool on_frame(void *context, struct frame *frame)
{
    struct driver *driver = context;
    struct reader reader = reader_of(frame->payload);
    bool is_good = frame->id < TAGS;
    if (is_good) printf("%s ", driver->asked[frame->id].tag);
    if (is_good && frame->type == SCAN_FACTS) {
        printf("facts");
        decide_send(driver, frame);
    }
    if (is_good && frame->type == SCAN_VERDICT) is_good = verdict_print(frame);
    if (is_good && frame->type == SCAN_FAILED) {
        unsigned number = get_u8(&reader);
        struct text why = get_text(&reader);
        printf("failed %u %.*s", number, TEXT_ARG(why));
    }
    printf("\n");
    fflush(stdout);
    return is_good;
}

static void on_closed(void *context)
{
    (void)context;
    printf("closed\n");
    fflush(stdout);
}

static const struct channel_events scan_events = { on_frame, on_closed };

static void reload(struct driver *driver, struct text path)
{
    char *name = memory_string(path);
    play_reload(&driver->played, name);
    printf("reloaded\n");
    fflush(stdout);
    free(name);
}

static void cancel(struct driver *driver, struct text tag)
{
    for (uint64_t id = 0; id < TAGS && id <= driver->last_id; id++)
        if (text_equal(text_of(driver->asked[id].tag), tag))
            channel_send(driver->scan, SCAN_CANCEL, id, TEXT_NONE);
}

static void line_take(struct driver *driver, struct text line)
{
    struct text word;
    if (!text_next_word(&line, &word)) return;
    if (text_equal(word, TEXT("status")))
        play_status_print(&driver->played);
    else if (text_equal(word, TEXT("reload")))
        reload(driver, text_trim(line));
    else if (text_equal(word, TEXT("cancel")))
        cancel(driver, text_trim(line));
    else
        message_send(driver, word, line);
}

static void on_input(void *context, int what)
{
    struct driver *driver = context;
    (void)what;
    ssize_t size = read(STDIN_FILENO, buffer_reserve(&driver->line, 65536), 65536);
    if (size <= 0) {
        loop_stop(driver->loop);
        return;
    }
    buffer_commit(&driver->line, (size_t)size);
    for (;;) {
        struct text all = buffer_text(&driver->line);
        size_t end = text_find_char(all, '\n');
        if (end == all.length) return;
        line_take(driver, text_slice(all, 0, end));
        buffer_consume(&driver->line, end + 1);
    }
}

static void pair_make(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        play_fail("socketpair");
}

/* The process that opens containers, with its channel to scan. */
static void open_start(struct driver *driver, const char *program, const char *config)
{
    int ends[2];
    pair_make(ends);
    play_start(&driver->open, program, PROCESS_OPEN, config);
    play_give_peer(&driver->open, PROCESS_SCAN, ends[0]);
    play_give_peer(&driver->played, PROCESS_OPEN, ends[1]);
    close(ends[0]);
    close(ends[1]);
    play_wait_ready(&driver->open);
}

int main(int argc, char **argv)
{
    static struct driver driver;
    int ends[2];
    if (argc != 3 && argc != 4) return 64;
    log_open("drive", LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    driver.loop = loop_new();
    pair_make(ends);
    play_start(&driver.played, argv[1], PROCESS_SCAN, argv[2]);
    play_give_secret(&driver.played, "vouchers");
    play_give_peer(&driver.played, PROCESS_RECEIVE, ends[1]);
    close(ends[1]);
    if (argc == 4) open_start(&driver, argv[3], argv[2]);
    play_wait_ready(&driver.played);
    driver.scan = channel_open(driver.loop, ends[0], &scan_events, &driver);
    driver.input = watch_new(driver.loop, STDIN_FILENO, on_input, &driver);
    watch_set(driver.input, WATCH_READ);
    loop_run(driver.loop);
    int code = play_stop(&driver.played);
    return argc == 4 && play_stop(&driver.open) != 0 ? 1 : code;
}
