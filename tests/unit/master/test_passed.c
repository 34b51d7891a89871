/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is taken of a service manager's sockets: each row is an environment, the sockets from descriptor 3 on,
   and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "master/passed.h"

/* 4 and 6: TCP on 127.0.0.1 and ::1; W: on :: alone; D: on :: with IPv4; u: UDP; x: AF_UNIX; f: a file; c: a
   connection; -: none is open. */
static const struct row {
    const char *pid, *count, *names, *sockets; /* pid "=": this process */
    size_t passed;
    const char *error; /* a part of it; NULL: good */
    const char *first; /* name */
} rows[] = {
    { NULL, NULL, NULL, "44", 0, NULL, NULL },
    { "1", "2", NULL, "44", 0, NULL, NULL },
    { "1", "nonsense", NULL, "", 0, NULL, NULL },
    { "=", NULL, NULL, "4", 0, NULL, NULL },
    { "=", "0", NULL, "4", 0, NULL, NULL },
    { "=", "1", NULL, "4", 1, NULL, "unknown" },
    { "=", "2", "smtp:other", "46", 2, NULL, "smtp" },
    { "=", "2", "", "4W", 2, NULL, "unknown" },
    { "=", "2", ":x", "44", 2, NULL, "unknown" },
    { "=", "1", "a\nREADY=1", "4", 1, NULL, "a\\x0AREADY=1" },
    { "=", "-1", NULL, "4", 0, "LISTEN_FDS", NULL },
    { "=", "65", NULL, "4", 0, "LISTEN_FDS", NULL },
    { "=", "18446744073709551617", NULL, "4", 0, "LISTEN_FDS", NULL },
    { "=", "", NULL, "4", 0, "LISTEN_FDS", NULL },
    { "=", "2", "a:b", "4-", 0,
      "the socket b that the service manager passed as descriptor 4: it is no socket", NULL },
    { "=", "1", NULL, "f", 0, "no socket", NULL },
    { "=", "1", NULL, "u", 0, "no TCP socket", NULL },
    { "=", "1", NULL, "x", 0, "no TCP socket", NULL },
    { "=", "1", NULL, "c", 0, "Accept=no", NULL },
    { "=", "1", NULL, "D", 0, "BindIPv6Only", NULL },
};

static int tcp_make(const char *where, int only_v6)
{
    struct endpoint endpoint;
    struct sockaddr_storage address;
    assert_true(endpoint_parse(text_of(where), 0, &endpoint));
    socklen_t length = endpoint_to_sockaddr(&endpoint, &address);
    int fd = socket(address.ss_family, SOCK_STREAM, 0);
    if (address.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int connection_make(void)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0), listening = tcp_make("127.0.0.1", 1);
    getsockname(listening, (struct sockaddr *)&address, &length);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    return fd; /* the other one stays open, at a number that no row looks at */
}

static int socket_make(char kind)
{
    switch (kind) {
    case '4':
        return tcp_make("127.0.0.1", 1);
    case '6':
        return tcp_make("::1", 1);
    case 'W':
        return tcp_make("::", 1);
    case 'D':
        return tcp_make("::", 0);
    case 'u':
        return socket(AF_INET, SOCK_DGRAM, 0);
    case 'x':
        return socket(AF_UNIX, SOCK_STREAM, 0);
    case 'c':
        return connection_make();
    default:
        return open("/dev/null", O_RDONLY);
    }
}

/* Made above, then moved: a row's descriptors are 3 and up. */
static void sockets_place(const char *kinds)
{
    int made[8], count = (int)strlen(kinds);
    for (int i = 0; i < count; i++) {
        int low = kinds[i] == '-' ? -1 : socket_make(kinds[i]);
        made[i] = low < 0 ? -1 : fcntl(low, F_DUPFD, 40);
        if (low >= 0) close(low);
    }
    for (int i = 0; i < count; i++) {
        close(3 + i);
        if (made[i] < 0) continue;
        assert_int_equal(dup2(made[i], 3 + i), 3 + i);
        close(made[i]);
    }
}

static void environment(const struct row *row)
{
    char own[16];
    snprintf(own, sizeof own, "%d", (int)getpid());
    if (row->pid) setenv("LISTEN_PID", row->pid[0] == '=' ? own : row->pid, 1);
    if (row->count) setenv("LISTEN_FDS", row->count, 1);
    if (row->names) setenv("LISTEN_FDNAMES", row->names, 1);
}

static void environments(void **state)
{
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
        static struct passed passed;
        char error[300] = "";
        sockets_place(row->sockets);
        environment(row);
        bool is_good = passed_open(&passed, error, sizeof error);
        if (is_good != !row->error || (row->error && !strstr(error, row->error)))
            fail_msg("row %zu: %s", (size_t)(row - rows), error);
        assert_null(getenv("LISTEN_FDS"));
        assert_null(getenv("LISTEN_PID"));
        assert_null(getenv("LISTEN_FDNAMES"));
        if (!is_good) continue;
        assert_int_equal(passed.count, row->passed);
        if (row->first) assert_string_equal(passed.sockets[0].name, row->first);
        for (size_t i = 0; i < passed.count; i++) {
            const struct passed_socket *one = &passed.sockets[i];
            assert_int_equal(passed_find(&passed, &one->endpoint), one->fd);
            assert_true(fcntl(one->fd, F_GETFD) & FD_CLOEXEC);
            assert_true(fcntl(one->fd, F_GETFL) & O_NONBLOCK);
        }
        struct endpoint other = { .port = 1 };
        assert_int_equal(passed_find(&passed, &other), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(environments) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
