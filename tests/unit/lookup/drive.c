/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Plays master and asker for the real lookup process, for tests/flow/test_lookup.py:
   drive LOOKUP-PROGRAM CONFIGURATION. Input lines "TAG host|mx|client NAME [DEADLINE_MS]", "garbage" (a frame
   that is none), "status", "reload CONFIGURATION"; answers in the words of ask.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "config/bundle.h"
#include "config/load.h"
#include "ipc/ask_lookup.h"
#include "ipc/ask_master.h"
#include "ipc/child.h"

enum { CONTROL_FD = 3, TAGS = 65536, TAG_SIZE = 16 };

struct driver {
    struct loop *loop;
    struct channel *lookup;
    struct watch *input;
    struct buffer line;
    int control;
    pid_t pid;
    uint64_t last_id;
    char tags[TAGS][TAG_SIZE];
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "drive: %s: %s\n", what, strerror(errno));
    exit(70);
}

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

static void status_print(struct driver *driver)
{
    struct frame frame;
    channel_send_now(driver->control, MASTER_STATUS, 7, TEXT_NONE, NULL, 0);
    if (!channel_wait(driver->control, 5000, &frame) || frame.type != MASTER_STATUS_REPLY) fail("status");
    struct reader reader = reader_of(frame.payload);
    printf("status");
    while (reader.rest.length > 0 && !reader.failed) {
        struct text name = get_text(&reader), value = get_text(&reader);
        printf(" %.*s=%.*s", TEXT_ARG(name), TEXT_ARG(value));
    }
    printf("\n");
    fflush(stdout);
}

static int bundle_memfd(const char *path)
{
    struct problem_list problems;
    struct buffer bundle = { 0 };
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    if (!config) fail(path);
    config_bundle_write(config, &bundle);
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct text bytes = buffer_text(&bundle);
    if (fd < 0 || write(fd, bytes.at, bytes.length) != (ssize_t)bytes.length) fail("memfd");
    buffer_free(&bundle);
    config_free(config);
    problem_list_free(&problems);
    return fd;
}

static void reload(struct driver *driver, struct text path)
{
    char *name = memory_string(path);
    int bundle = bundle_memfd(name);
    struct frame frame;
    channel_send_now(driver->control, MASTER_CONFIG, 0, TEXT_NONE, &bundle, 1);
    if (!channel_wait(driver->control, 5000, &frame) || frame.type != MASTER_RELOADED) fail("reload");
    printf("reloaded\n");
    fflush(stdout);
    close(bundle);
    free(name);
}

static void question_send(struct driver *driver, struct text tag, struct text rest)
{
    struct text kind = TEXT_NONE, name = TEXT_NONE, word = TEXT_NONE;
    struct address client = { 0 };
    uint64_t deadline_ms = 0, id = ++driver->last_id % TAGS;
    text_next_word(&rest, &kind);
    text_next_word(&rest, &name);
    if (text_next_word(&rest, &word)) text_to_number(word, UINT32_MAX, &deadline_ms);
    snprintf(driver->tags[id], TAG_SIZE, "%.*s", TEXT_ARG(tag));
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
        status_print(driver);
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

static void process_start(struct driver *driver, const char *program)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    driver->pid = fork();
    if (driver->pid < 0) fail("fork");
    if (driver->pid == 0) {
        int end = fcntl(ends[1], F_DUPFD, CONTROL_FD + 1); /* so that dup2 has two different numbers */
        if (end < 0 || dup2(end, CONTROL_FD) < 0) fail("dup2");
        execl(program, program, "lookup", "0", (char *)NULL);
        fail(program);
    }
    close(ends[1]);
    driver->control = ends[0];
}

/* What master says at the start, in its order. */
static void process_furnish(struct driver *driver, const char *config)
{
    int ends[2], bundle = bundle_memfd(config);
    struct buffer peer = { 0 };
    struct frame frame;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) fail("socketpair");
    channel_send_now(driver->control, MASTER_CONFIG, 0, TEXT_NONE, &bundle, 1);
    put_u8(&peer, PROCESS_DELIVER);
    put_u16(&peer, 0);
    channel_send_now(driver->control, MASTER_PEER, 0, buffer_text(&peer), &ends[1], 1);
    channel_send_now(driver->control, MASTER_START, 0, TEXT_NONE, NULL, 0);
    buffer_free(&peer);
    close(ends[1]);
    close(bundle);
    if (!channel_wait(driver->control, 10000, &frame) || frame.type != MASTER_READY) fail("not ready");
    driver->lookup = channel_open(driver->loop, ends[0], &lookup_events, driver);
}

/* The exit code of the process, asked to stop. */
static int process_stop(struct driver *driver)
{
    struct buffer within = { 0 };
    int status = 0;
    put_u32(&within, 1000);
    channel_send_now(driver->control, MASTER_STOP, 0, buffer_text(&within), NULL, 0);
    buffer_free(&within);
    waitpid(driver->pid, &status, 0);
    if (WIFSIGNALED(status)) fprintf(stderr, "drive: lookup died of signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

int main(int argc, char **argv)
{
    static struct driver driver;
    if (argc != 3) return 64;
    log_open("drive", LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    driver.loop = loop_new();
    process_start(&driver, argv[1]);
    process_furnish(&driver, argv[2]);
    driver.input = watch_new(driver.loop, STDIN_FILENO, on_input, &driver);
    watch_set(driver.input, WATCH_READ);
    loop_run(driver.loop);
    return process_stop(&driver);
}
