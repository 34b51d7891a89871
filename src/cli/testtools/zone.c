/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The zone verb: options, the socket, the end. What is answered is decided in zone_file.c. */
#include "cli/testtools/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/address.h"
#include "base/context.h"
#include "base/loop.h"
#include "cli/testtools/zone_file.h"

enum { FILE_MOST = 1 << 20, QUERY_MOST = 1232, AT_ONCE = 64 };

static const char help[] =
    "usage: sekimori zone FILE [--listen ADDRESS:PORT]\n\n"
    "Answers DNS questions from a file, so that a gateway can be tried without asking the world: each line\n"
    "is NAME TYPE VALUE, the type A, AAAA, MX, PTR or TXT; # begins a remark. What is not in the file does\n"
    "not exist. UDP alone; an answer of more than 1,232 bytes is cut. Prints where it listens, and goes on\n"
    "until Ctrl-C.\n\n"
    "  --listen ADDRESS:PORT   where (default 127.0.0.1:5353; port 0: any free one)\n"
    "\nExit codes: 0, 64 usage, 65 the file has an error, 66 it cannot be read, 71 no socket.\n";

struct zone_server {
    enum { SERVER_MAGIC = 0x3d0f71c2 } magic;
    struct zone zone;
    struct endpoint endpoint;
    struct loop *loop;
    struct watch *watch;
    int fd;
    struct buffer answer;
};

static const char *listen_say(void *context, const char *name, const char *word)
{
    (void)name;
    struct endpoint *endpoint = &((struct zone_server *)context)->endpoint;
    return endpoint_parse(text_of(word), -1, endpoint) ? NULL : "not ADDRESS:PORT";
}

static const struct verb_option table[] = {
    { "listen", OPTION_NAMED, .say = listen_say },
    { 0 },
};
const struct verb_usage zone_usage = { "zone", help, table, .takes_files = true };

/* --- the file --- */

/* The exit code. */
static int file_read(struct zone_server *server, const char *path)
{
    struct buffer file = { 0 };
    uint32_t line;
    const char *why;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, buffer_reserve(&file, FILE_MOST), FILE_MOST);
    if (got >= 0) buffer_commit(&file, (size_t)got);
    if (got < 0) fprintf(stderr, "sekimori zone: %s: %m\n", path);
    if (fd >= 0) close(fd);
    bool is_good = got >= 0 && zone_read(&server->zone, buffer_text(&file), &line, &why);
    if (got >= 0 && !is_good) fprintf(stderr, "sekimori zone: %s:%u: %s\n", path, line, why);
    buffer_free(&file);
    return got < 0 ? EX_NOINPUT : is_good ? EX_OK : EX_DATAERR;
}

/* --- serving --- */

static void query_ready(void *context, int what)
{
    struct zone_server *server = CONTEXT(context, struct zone_server, SERVER_MAGIC);
    char query[QUERY_MOST];
    (void)what;
    for (int i = 0; i < AT_ONCE; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        ssize_t got = recvfrom(server->fd, query, sizeof query, 0, (struct sockaddr *)&from, &length);
        if (got < 0) return;
        buffer_clear(&server->answer);
        if (!zone_answer(&server->zone, text_from(query, (size_t)got), &server->answer)) continue;
        struct text answer = buffer_text(&server->answer);
        sendto(server->fd, answer.at, answer.length, 0, (struct sockaddr *)&from, length);
    }
}

static void stop(void *context, int number)
{
    struct zone_server *server = CONTEXT(context, struct zone_server, SERVER_MAGIC);
    (void)number;
    loop_stop(server->loop);
}

static bool socket_open(struct zone_server *server)
{
    struct sockaddr_storage here;
    char room[ADDRESS_TEXT_SIZE];
    socklen_t length = endpoint_to_sockaddr(&server->endpoint, &here);
    server->fd = socket(here.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&here, length) != 0) {
        fprintf(stderr, "sekimori zone: cannot listen on %s port %u: %m\n",
                address_print(&server->endpoint.address, room), server->endpoint.port);
        if (server->fd >= 0) close(server->fd);
        return false;
    }
    length = sizeof here;
    getsockname(server->fd, (struct sockaddr *)&here, &length);
    endpoint_from_sockaddr((struct sockaddr *)&here, &server->endpoint);
    bool is_v4 = address_is_v4(&server->endpoint.address);
    printf("listening on %s%s%s:%u\n", is_v4 ? "" : "[", address_print(&server->endpoint.address, room),
           is_v4 ? "" : "]", server->endpoint.port);
    fflush(stdout);
    return true;
}

static void serve(struct zone_server *server)
{
    server->loop = loop_new();
    server->watch = watch_new(server->loop, server->fd, query_ready, server);
    watch_set(server->watch, WATCH_READ);
    loop_on_signal(server->loop, SIGINT, stop, server);
    loop_on_signal(server->loop, SIGTERM, stop, server);
    loop_run(server->loop);
    watch_free(server->watch);
    loop_free(server->loop);
}

int zone_main(int argc, char **argv)
{
    struct zone_server server = { .magic = SERVER_MAGIC, .zone = { .arena = arena_new(0) } };
    endpoint_parse(TEXT("127.0.0.1:5353"), -1, &server.endpoint);
    int code = options_read(&zone_usage, argc, argv, &server);
    if (code == OPTIONS_GO_ON && optind + 1 != argc)
        code = options_complain(&zone_usage, "one FILE is wanted", "");
    if (code == OPTIONS_GO_ON) {
        code = file_read(&server, argv[optind]);
        if (code == EX_OK && !socket_open(&server)) code = EX_OSERR;
        if (code == EX_OK) serve(&server);
    }
    buffer_free(&server.answer);
    arena_free(server.zone.arena);
    return code;
}
