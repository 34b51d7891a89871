/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the service manager hears: each row is what happens to a node, in letters, and the datagrams of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "master/systemd.h"

/* r ready, l a reload begins, e it ends, s stop, b a heartbeat, B one with a process that nobody can mend; a
   second passes before each heartbeat. MONOTONIC_USEC is left out. */
static const struct row {
    const char *events, *heard;
    const char *usec; /* WATCHDOG_USEC */
} rows[] = {
    { "r", "READY=1;", NULL },
    { "rle", "READY=1;RELOADING=1;READY=1;", NULL },
    { "rlele", "READY=1;RELOADING=1;READY=1;RELOADING=1;READY=1;", NULL },
    { "ler", "READY=1;", NULL },                         /* a reload before the first ready */
    { "lre", "READY=1;", NULL },                         /* that ends after it */
    { "re", "READY=1;", NULL },                          /* certificates, which nobody announced */
    { "rlse", "READY=1;RELOADING=1;STOPPING=1;", NULL }, /* a reload that ends during a stop */
    { "rsle", "READY=1;STOPPING=1;", NULL },
    { "sr", "STOPPING=1;", NULL },
    { "ss", "STOPPING=1;", NULL },
    { "bbb", "", NULL },
    { "bbb", "", "0" },
    { "bbb", "", "-1" },
    { "bbb", "WATCHDOG=1;WATCHDOG=1;WATCHDOG=1;", "2000000" },
    { "bbb", "WATCHDOG=1;WATCHDOG=1;WATCHDOG=1;", "1" },
    { "bbbbbbb", "WATCHDOG=1;WATCHDOG=1;WATCHDOG=1;", "6000000" },
    { "bbBBBBb", "WATCHDOG=1;WATCHDOG=1;", "6000000" },
    { "BBBBBB", "", "2000000" },
};

static int listen_at(const struct sockaddr_un *address, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)address, length), 0);
    return fd;
}

/* The autobind of unix(7): an abstract name that is nobody's. */
static int listen_abstract(char *out_name, size_t size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t length = sizeof address;
    int fd = listen_at(&address, sizeof(sa_family_t));
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(out_name, size, "@%.*s", (int)(length - offsetof(struct sockaddr_un, sun_path) - 1),
             address.sun_path + 1);
    return fd;
}

static void hear(int fd, char *out, size_t size)
{
    char line[2048];
    size_t length = 0;
    out[0] = '\0';
    for (ssize_t got; (got = recv(fd, line, sizeof line - 1, 0)) > 0;) {
        line[got] = '\0';
        assert_int_equal(line[got - 1], '\n');
        line[strcspn(line, "\n")] = '\0';
        length += (size_t)snprintf(out + length, size - length, "%s;", line);
    }
}

static void play(struct systemd *systemd, const char *events)
{
    uint64_t now_ms = 5000000;
    for (; *events; events++) {
        if (*events == 'r') systemd_ready(systemd);
        if (*events == 'l') systemd_reloading(systemd);
        if (*events == 'e') systemd_reloaded(systemd);
        if (*events == 's') systemd_stopping(systemd);
        if (*events == 'b' || *events == 'B') systemd_beat(systemd, now_ms += 1000, 1000, *events == 'b');
    }
}

static void environment(const char *socket, const char *usec, const char *pid)
{
    if (socket) setenv("NOTIFY_SOCKET", socket, 1);
    if (usec) setenv("WATCHDOG_USEC", usec, 1);
    if (pid) setenv("WATCHDOG_PID", pid, 1);
}

static void words(void **state)
{
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
        static struct systemd systemd;
        char name[64], heard[512];
        int fd = listen_abstract(name, sizeof name);
        environment(name, row->usec, NULL);
        systemd_open(&systemd);
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_null(getenv("WATCHDOG_USEC"));
        play(&systemd, row->events);
        hear(fd, heard, sizeof heard);
        if (strcmp(heard, row->heard) != 0) fail_msg("%s: %s, not %s", row->events, heard, row->heard);
        close(systemd.fd);
        close(fd);
    }
}

static void watchdog_of_whom(void **state)
{
    static struct systemd systemd;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    environment("@nobody", "6000000", pid);
    systemd_open(&systemd);
    assert_int_equal(systemd.watchdog_ms, 6000);
    close(systemd.fd);
    environment("@nobody", "6000000", "1");
    systemd_open(&systemd);
    assert_int_equal(systemd.watchdog_ms, 0);
    assert_null(getenv("WATCHDOG_PID"));
    close(systemd.fd);
}

static void sockets_that_are_none(void **state)
{
    char too_long[200];
    memset(too_long, 'x', sizeof too_long);
    too_long[0] = '/';
    too_long[sizeof too_long - 1] = '\0';
    const char *const names[] = { NULL, "", "/", "@", "vsock:2:1", "relative", too_long };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        static struct systemd systemd;
        environment(names[i], "2000000", NULL);
        systemd_open(&systemd);
        assert_int_equal(systemd.fd, -1);
        play(&systemd, "rlebs"); /* said to nobody */
        systemd_status(&systemd, TEXT("in service"));
    }
}

static void status_is_one_line(void **state)
{
    static struct systemd systemd;
    char folder[] = "/tmp/systemd.XXXXXX", heard[1024], longest[2 * SYSTEMD_STATUS_SIZE];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", folder);
    int fd = listen_at(&address, sizeof address);
    environment(address.sun_path, NULL, NULL);
    systemd_open(&systemd);
    systemd_status(&systemd, TEXT("in service"));
    systemd_status(&systemd, TEXT("in service"));
    systemd_status(&systemd, TEXT("a\nSTOPPING=1\n"));
    hear(fd, heard, sizeof heard);
    assert_string_equal(heard, "STATUS=in service;STATUS=a\\x0ASTOPPING=1\\x0A;");
    memset(longest, 'x', sizeof longest);
    systemd_status(&systemd, text_from(longest, sizeof longest));
    hear(fd, heard, sizeof heard);
    assert_int_equal(strlen(heard), strlen("STATUS=;") + SYSTEMD_STATUS_SIZE - 1);
    close(fd);
    close(systemd.fd);
    unlink(address.sun_path);
    rmdir(folder);
}

/* A manager that does not read: nothing waits, and the last word arrives when it reads again. */
static void full_socket(void **state)
{
    static struct systemd systemd;
    char name[64], line[64], heard[8192];
    int fd = listen_abstract(name, sizeof name);
    environment(name, NULL, NULL);
    systemd_open(&systemd);
    for (int i = 0; i < 2000; i++) {
        snprintf(line, sizeof line, "line %d", i);
        systemd_status(&systemd, text_of(line));
    }
    assert_true(systemd.unsent_length > 0);
    systemd_stopping(&systemd);
    for (char room[2048]; recv(fd, room, sizeof room, 0) > 0;) continue;
    systemd_beat(&systemd, 1000, 1000, true);
    ssize_t got = recv(fd, heard, sizeof heard - 1, 0);
    assert_true(got > 0);
    heard[got] = '\0';
    assert_string_equal(heard + got - strlen("\nSTOPPING=1\n"), "\nSTOPPING=1\n");
    close(fd);
    systemd_beat(&systemd, 2000, 1000, true); /* it is gone */
    systemd_status(&systemd, TEXT("to nobody"));
    assert_int_equal(systemd.unsent_length, 0);
    close(systemd.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(watchdog_of_whom),
        cmocka_unit_test(sockets_that_are_none),
        cmocka_unit_test(status_is_one_line),
        cmocka_unit_test(full_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
