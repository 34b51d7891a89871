/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Log lines as each target reads them, whatever a client says in them. The sockets of journald and syslogd
 * are stood in for by one of our own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static struct sockaddr_un stand_in = { .sun_family = AF_UNIX };
static char asked[108];

int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (address->sa_family != AF_UNIX) return __real_connect(fd, address, length);
    snprintf(asked, sizeof asked, "%s", ((const struct sockaddr_un *)address)->sun_path);
    return __real_connect(fd, (struct sockaddr *)&stand_in, sizeof stand_in);
}

static int stand_in_open(char *folder)
{
    assert_non_null(mkdtemp(folder));
    snprintf(stand_in.sun_path, sizeof stand_in.sun_path, "%s/socket", folder);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&stand_in, sizeof stand_in), 0);
    return fd;
}

/* The datagram with its digits as 0, so that time and pid can be compared. */
static const char *datagram(int fd, char *room, size_t size)
{
    ssize_t length = recv(fd, room, size - 1, MSG_DONTWAIT);
    assert_true(length > 0);
    room[length] = '\0';
    for (char *at = room; *at; at++)
        if (*at >= '0' && *at <= '9') *at = '0';
    return room;
}

static void assert_starts(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0) fail_msg("%s\ndoes not begin with\n%s", text, start);
}

static void assert_ends(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    if (length < wanted || strcmp(text + length - wanted, end) != 0)
        fail_msg("%s\ndoes not end in\n%s", text, end);
}

static void targets(void **state)
{
    char folder[] = "/tmp/sekimori-log-XXXXXX", room[4096];
    int fd = stand_in_open(folder);
    log_open("receive", LOG_TARGET_JOURNAL, NULL, LOG_LEVEL_INFO);
    assert_string_equal(asked, "/run/systemd/journal/socket");
    log_warning("helo=<%s>", "a\nPRIORITY=x\rb\x1b");
    assert_starts(datagram(fd, room, sizeof room),
                  "PRIORITY=0\nSYSLOG_FACILITY=0\nSYSLOG_IDENTIFIER=sekimori/receive\nSYSLOG_PID=");
    assert_ends(room, "\nMESSAGE=warning: helo=<a\\x0APRIORITY=x\\x0Db\\x0B>\n");
    log_warning("to=<%s>", "\xe2\x80\xae\xc2\x85\xff 件名");
    datagram(fd, room, sizeof room);
    assert_ends(room, "to=<\\xE0\\x00\\xAE\\xC0\\x00\\xFF 件名>\n");
    log_open("queue", LOG_TARGET_SYSLOG, NULL, LOG_LEVEL_INFO);
    assert_string_equal(asked, "/dev/log");
    log_info("helo=<%s>", "a\n<00>Jan  0 00:00:00 b");
    const char *message = strstr(datagram(fd, room, sizeof room), " sekimori/queue[0");
    assert_non_null(message);
    assert_int_equal(message - room, strlen("<00>Nov 00 00:00:00"));
    assert_int_equal(room[strspn(room, "<0>")] >= 'A', 1);
    assert_ends(room, "]: helo=<a\\x0A<00>Jan  0 00:00:00 b>");
    log_debug("below the level");
    assert_int_equal(recv(fd, room, sizeof room, MSG_DONTWAIT), -1);
    log_open("test", LOG_TARGET_STDERR, NULL, LOG_LEVEL_ERROR);
    close(fd);
    unlink(stand_in.sun_path);
    rmdir(folder);
}

/* Fields beside the text, which is escaped; they are as they came. */
static void fields(void **state)
{
    char folder[] = "/tmp/sekimori-log-XXXXXX", room[4096];
    int fd = stand_in_open(folder);
    log_open("queue", LOG_TARGET_JOURNAL, NULL, LOG_LEVEL_INFO);
    log_line_of(LOG_LEVEL_INFO, &(struct log_facts){ TEXT("ABC"), TEXT("u@example.test"), TEXT("sent") },
                "%s", "to=<x\nQID=y>");
    datagram(fd, room, sizeof room);
    assert_ends(room, "\nQID=ABC\nRCPT=u@example.test\nSTATUS=sent\nMESSAGE=to=<x\\x0AQID=y>\n");
    log_of(LOG_LEVEL_WARNING, "ABC", "late");
    datagram(fd, room, sizeof room);
    assert_ends(room, "\nQID=ABC\nMESSAGE=warning: late\n");
    log_line_of(LOG_LEVEL_DEBUG, &(struct log_facts){ 0 }, "below the level");
    assert_int_equal(recv(fd, room, sizeof room, MSG_DONTWAIT), -1);
    log_open("test", LOG_TARGET_STDERR, NULL, LOG_LEVEL_ERROR);
    close(fd);
    unlink(stand_in.sun_path);
    rmdir(folder);
}

static void standard_error_is_the_journal(void **state)
{
    char folder[] = "/tmp/sekimori-log-XXXXXX", room[4096], stream[64];
    int fd = stand_in_open(folder);
    struct stat facts;
    assert_int_equal(fstat(STDERR_FILENO, &facts), 0);
    snprintf(stream, sizeof stream, "%lu:%lu", (unsigned long)facts.st_dev, (unsigned long)facts.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open("queue", LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    assert_int_equal(log_target_now(), LOG_TARGET_JOURNAL);
    log_info("by its socket");
    assert_starts(datagram(fd, room, sizeof room), "PRIORITY=0\n");
    close(fd);
    log_open("queue", LOG_TARGET_STDERR, NULL,
             LOG_LEVEL_INFO); /* there is no such socket: the stream will do */
    assert_int_equal(log_target_now(), LOG_TARGET_STDERR);
    unsetenv("JOURNAL_STREAM");
    unlink(stand_in.sun_path);
    rmdir(folder);
}

/* Nothing waits for it; what it could not take is counted, and what it took arrives in order. */
static void journal_that_nobody_reads(void **state)
{
    char folder[] = "/tmp/sekimori-log-XXXXXX", room[4096], wanted[64];
    FILE *file = tmpfile();
    int fd = stand_in_open(folder), kept = dup(STDERR_FILENO), arrived = 0;
    struct timespec before, after;
    uint64_t missed = log_missed();
    dup2(fileno(file), STDERR_FILENO);
    log_open("queue", LOG_TARGET_JOURNAL, NULL, LOG_LEVEL_INFO);
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 5000; i++) log_info("line %d", i);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 5);
    missed = log_missed() - missed;
    assert_true(missed > 1000 && missed < 5000);
    for (ssize_t got; (got = recv(fd, room, sizeof room - 1, MSG_DONTWAIT)) > 0; log_flush()) {
        room[got] = '\0';
        snprintf(wanted, sizeof wanted, "MESSAGE=line %d\n", arrived++);
        assert_ends(room, wanted);
    }
    assert_int_equal(arrived + missed, 5000);
    dup2(kept, STDERR_FILENO);
    log_open("test", LOG_TARGET_STDERR, NULL, LOG_LEVEL_ERROR);
    fclose(file);
    close(fd);
    close(kept);
    unlink(stand_in.sun_path);
    rmdir(folder);
}

/* A target that goes: its lines are on standard error and counted; one that comes back is said once. */
static void target_goes_and_comes_back(void **state)
{
    char folder[] = "/tmp/sekimori-log-XXXXXX", room[4096];
    FILE *file = tmpfile();
    int fd = stand_in_open(folder), kept = dup(STDERR_FILENO), other[2];
    uint64_t missed = log_missed();
    dup2(fileno(file), STDERR_FILENO);
    log_open("receive", LOG_TARGET_SYSLOG, NULL, LOG_LEVEL_INFO);
    log_info("first");
    assert_true(log_is_reached());
    close(fd);
    log_info("second");
    log_info("third");
    log_flush();
    assert_false(log_is_reached());
    assert_int_equal(log_missed() - missed, 2);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, other), 0);
    log_take_target(other[0]);
    assert_true(log_is_reached());
    assert_starts(datagram(other[1], room, sizeof room), "<00>");
    assert_ends(room, "takes lines again; 0 went to standard error meanwhile");
    log_info("fourth");
    datagram(other[1], room, sizeof room);
    assert_ends(room, "fourth");
    dup2(kept, STDERR_FILENO);
    rewind(file);
    size_t length = fread(room, 1, sizeof room - 1, file);
    room[length] = '\0';
    assert_non_null(strstr(room, "takes nothing"));
    assert_true(strstr(room, ": second\n") && strstr(room, ": third\n"));
    assert_true(!strstr(room, "first") && !strstr(room, "fourth"));
    log_open("test", LOG_TARGET_STDERR, NULL, LOG_LEVEL_ERROR);
    fclose(file);
    close(other[1]);
    close(kept);
    unlink(stand_in.sun_path);
    rmdir(folder);
}

/* A reader that stands still costs lines, which are counted, and one second. */
static void pipe_that_nobody_reads(void **state)
{
    int ends[2], kept = dup(STDERR_FILENO);
    uint64_t missed = log_missed();
    assert_int_equal(pipe(ends), 0);
    log_take_stderr(ends[1]);
    for (int i = 0; i < 2000; i++) log_error("%0900d", i);
    assert_true(log_missed() - missed > 1800);
    log_take_stderr(kept);
    close(ends[0]);
}

static void no_address_is_said_to_be_none(void **state)
{
    static const char *const addresses[] = {
        "loghost", "loghost:514", "127.0.0:514", ":514",
        "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001:514"
    };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        errno = 0;
        assert_int_equal(log_target_connect(LOG_TARGET_SYSLOG, addresses[i]), -1);
        assert_int_equal(errno, EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(targets),
                                        cmocka_unit_test(fields),
                                        cmocka_unit_test(standard_error_is_the_journal),
                                        cmocka_unit_test(journal_that_nobody_reads),
                                        cmocka_unit_test(target_goes_and_comes_back),
                                        cmocka_unit_test(pipe_that_nobody_reads),
                                        cmocka_unit_test(no_address_is_said_to_be_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
