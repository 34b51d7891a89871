/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Plays master and asker for the real lookup process, for tests/flow/test_lookup.py:
   drive LOOKUP-PROGRAM CONFIGURATION. Input lines "TAG host|mx|client NAME [DEADLINE_MS]", "TAG
   from OWN|any DESTINATION…", "garbage" (a frame
   that is none), "status", "reload CONFIGURATION"; answers in the words of ask.c. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/ask_lookup.h"
#include "play_master.h"

enum { TAGS = 65536, TAG_SIZE = 16 };

struct driver {
    struct loop *loop;
    struct channel *lookup;
    struct watch *input;
    struct buffer line;
    struct played played;
    uint64_t last_id;
    char tags[TAGS][TAG_SIZE];
};

static void host_print(const struct host_answer *host)
{
    char room[ADDRESS_TEXT_SIZE];
    printf("%s%s", dns_status_name(host->status), host->secure ? " secure" : "");
    for (uint32_t i = 0; i < host->address_count; i++)
        printf(" %s", address_print(&host->addresses[i], room));
}

static bool mx_print(struct arena *arena, struct frame *frame)
{
    struct mx_answer mx;
    if (!mx_answer_get(arena, frame, &mx)) return false;
    printf("%s%s%s%s", dns_status_name(mx.status), mx.secure ? " secure" : "", mx.is_null ? " null" : "",
           mx.is_implicit ? " implicit" : "");
    for (uint32_t i = 0; i < mx.host_count; i++) {
        printf(" | %u %.*s ", mx.hosts[i].preference, TEXT_ARG(mx.hosts[i].host));
        host_print(&mx.hosts[i].addresses);
    }
    return true;
}

static bool client_name_print(struct frame *frame)
{
    static const char *const statuses[] = { "confirmed", "unconfirmed", "none", "temperror" };
    struct client_name name;
    if (!client_name_get(frame, &name)) return false;
    printf("%s %.*s", statuses[name.status], TEXT_ARG(name.name));
    return true;
}

static bool sources_print(struct arena *arena, struct frame *frame)
{
    static const char signs[] = { '+', '!', '-', '?' };
    char room[ADDRESS_TEXT_SIZE];
    struct sources_answer answer;
    if (!sources_answer_get(arena, frame, &answer)) return false;
    for (uint32_t i = 0; i < answer.count; i++)
        printf("%s%s%c", i ? " " : "", address_print(&answer.sources[i].address, room),
               signs[answer.sources[i].status]);
    return true;
}

static bool on_frame(void *context, struct frame *frame)
{
    struct driver *driver = context;
    struct arena *arena = arena_new(0);
    struct host_answer host;
    bool is_read = frame->id < TAGS;
    if (is_read) printf("%s ", driver->tags[frame->id]);
    if (is_read && frame->type == LOOKUP_HOST_IS && (is_read = host_answer_get(arena, frame, &host)))
        host_print(&host);
    if (is_read && frame->type == LOOKUP_MX_IS) is_read = mx_print(arena, frame);
    if (is_read && frame->type == LOOKUP_CLIENT_NAME_IS) is_read = client_name_print(frame);
    if (is_read && frame->type == LOOKUP_SOURCES_IS) is_read = sources_print(arena, frame);
    printf("\n");
    fflush(stdout);
    arena_free(arena);
    return is_read;
}

static void on_closed(void *context)
{
    printf("closed\n");
    fflush(stdout);
}

static const struct channel_events lookup_events = { on_frame, on_closed };

static void reload(struct driver *driver, struct text path)
{
    char *name = memory_string(path);
    play_reload(&driver->played, name);
    printf("reloaded\n");
    fflush(stdout);
    free(name);
}

/* `words`: OWN or any, then destinations. */
static void sources_ask(struct driver *driver, uint64_t id, struct text words)
{
    struct address destinations[LOOKUP_SOURCES_MOST];
    struct sources_question question = { .destinations = destinations };
    struct text word;
    if (text_next_word(&words, &word)) address_parse(word, &question.own);
    while (question.count < LOOKUP_SOURCES_MOST && text_next_word(&words, &word))
        if (address_parse(word, &destinations[question.count])) question.count++;
    lookup_sources_ask(driver->lookup, id, 0, &question);
}

static void question_send(struct driver *driver, struct text tag, struct text rest)
{
    struct text kind = TEXT_NONE, name = TEXT_NONE, word = TEXT_NONE;
    struct address client = { 0 };
    uint64_t deadline_ms = 0, id = ++driver->last_id % TAGS;
    text_next_word(&rest, &kind);
    snprintf(driver->tags[id], TAG_SIZE, "%.*s", TEXT_ARG(tag));
    if (text_equal(kind, TEXT("from"))) {
        sources_ask(driver, id, rest);
        return;
    }
    text_next_word(&rest, &name);
    if (text_next_word(&rest, &word)) text_to_number(word, UINT32_MAX, &deadline_ms);
    address_parse(name, &client);
    if (text_equal(kind, TEXT("host"))) lookup_host_ask(driver->lookup, id, (uint32_t)deadline_ms, name);
    if (text_equal(kind, TEXT("mx"))) lookup_mx_ask(driver->lookup, id, (uint32_t)deadline_ms, name);
    if (text_equal(kind, TEXT("client")))
        lookup_client_name_ask(driver->lookup, id, (uint32_t)deadline_ms, &client);
}

static void line_take(struct driver *driver, struct text line)
{
    struct text word;
    if (!text_next_word(&line, &word)) return;
    if (text_equal(word, TEXT("status")))
        play_status_print(&driver->played);
    else if (text_equal(word, TEXT("reload")))
        reload(driver, text_trim(line));
    else if (text_equal(word, TEXT("garbage")))
        channel_send(driver->lookup, LOOKUP_MX, 1, TEXT("\xff\xff"));
    else
        question_send(driver, word, line);
}

static void on_input(void *context, int what)
{
    struct driver *driver = context;
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

static void process_start(struct driver *driver, const char *program, const char *config)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        play_fail("socketpair");
    play_start(&driver->played, program, PROCESS_LOOKUP, config);
    play_give_peer(&driver->played, PROCESS_DELIVER, ends[1]);
    close(ends[1]);
    play_wait_ready(&driver->played);
    driver->lookup = channel_open(driver->loop, ends[0], &lookup_events, driver);
}

int main(int argc, char **argv)
{
    static struct driver driver;
    if (argc != 3) return 64;
    log_open("drive", LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    driver.loop = loop_new();
    process_start(&driver, argv[1], argv[2]);
    driver.input = watch_new(driver.loop, STDIN_FILENO, on_input, &driver);
    watch_set(driver.input, WATCH_READ);
    loop_run(driver.loop);
    return play_stop(&driver.played);
}
