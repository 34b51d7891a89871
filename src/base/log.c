/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The log of this process: formats, escapes, gathers, writes. Owned state is the one log registry. */
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/printable.h"

enum { LINE_LIMIT = 2048, GATHER_LIMIT = 32768 };

static struct {
    char process[32], host[65];
    enum log_target target;
    enum log_level level;
    int fd;
    pid_t pid;
    bool is_remote; /* the syslog server, which wants RFC 5424; /dev/log is read as RFC 3164 */
    time_t stamped; /* the second that the stamps show */
    char stamp[40], old_stamp[20];
    size_t gathered;
    char lines[GATHER_LIMIT];
} registry = { .process = "sekimori", .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO };

static const int syslog_priority[] = { 3, 4, 6, 7 };
static const char *const level_word[] = { "error: ", "warning: ", "", "debug: " };
enum { SYSLOG_FACILITY_MAIL = 2 << 3 };

static int connect_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* "192.0.2.1:514" or "[2001:db8::1]:514". */
static int connect_udp(const char *address)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    if (!colon || (size_t)(colon - address) >= sizeof host) return -1;
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = v4.sin_port };
    char *bare = host;
    if (*bare == '[') {
        bare++;
        bare[strcspn(bare, "]")] = '\0';
    }
    bool is_v4 = inet_pton(AF_INET, bare, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, bare, &v6.sin6_addr) != 1) return -1;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const void *to = is_v4 ? (const void *)&v4 : (const void *)&v6;
    if (fd >= 0 && connect(fd, to, is_v4 ? sizeof v4 : sizeof v6) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

void log_open(const char *process, enum log_target target, const char *address, enum log_level level)
{
    log_flush();
    if (registry.fd > STDERR_FILENO) close(registry.fd);
    snprintf(registry.process, sizeof registry.process, "%s", process);
    gethostname(registry.host, sizeof registry.host - 1);
    registry.level = level;
    registry.pid = getpid();
    registry.target = target;
    registry.fd = STDERR_FILENO;
    registry.is_remote = address != NULL;
    if (target == LOG_TARGET_JOURNAL) registry.fd = connect_unix("/run/systemd/journal/socket");
    if (target == LOG_TARGET_SYSLOG) registry.fd = address ? connect_udp(address) : connect_unix("/dev/log");
    if (registry.fd >= 0) return;
    registry.fd = STDERR_FILENO;
    registry.target = LOG_TARGET_STDERR;
    log_warning("log target cannot be reached (%s): writing to standard error", strerror(errno));
}

void log_become(const char *process, int fd)
{
    registry.gathered = 0; /* what the parent has not written yet is the parent's */
    snprintf(registry.process, sizeof registry.process, "%s", process);
    registry.pid = getpid();
    if (registry.fd == fd) return;
    if (registry.fd <= STDERR_FILENO) {
        close(fd);
        return;
    }
    registry.fd = dup3(registry.fd, fd, O_CLOEXEC);
    if (registry.fd >= 0) return;
    registry.fd = STDERR_FILENO;
    registry.target = LOG_TARGET_STDERR;
}

void log_set_level(enum log_level level)
{
    registry.level = level;
}

enum log_level log_level_now(void)
{
    return registry.level;
}

/* What most texts are made of: printable ASCII from the start on, at most `most` of it. */
static size_t ascii_length(struct text text, size_t most)
{
    size_t length = 0;
    if (most > text.length) most = text.length;
    while (length < most && text.at[length] >= ' ' && text.at[length] <= '~') length++;
    return length;
}

char *log_escape(struct text text, char *room, size_t size)
{
    size_t out = 0;
    for (size_t i = 0; i < text.length;) {
        size_t ascii = ascii_length(text_slice(text, i, text.length), size - 1 - out);
        memcpy(room + out, text.at + i, ascii);
        out += ascii;
        i += ascii;
        if (i == text.length) break;
        const unsigned char *at = (const unsigned char *)text.at + i;
        size_t length = printable_length(text_slice(text, i, text.length));
        if (out + (length ? length : 4) >= size) break;
        if (length) {
            memcpy(room + out, at, length);
            out += length;
            i += length;
        } else {
            out += (size_t)sprintf(room + out, "\\x%02X", *at);
            i++;
        }
    }
    room[out] = '\0';
    return room;
}

/* RFC 3339 with the local offset, and RFC 3164 without the year; made once a second. */
static const char *stamp_now(int *out_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *out_ms = (int)(now.tv_nsec / 1000000);
    if (now.tv_sec != registry.stamped) {
        struct tm parts;
        localtime_r(&now.tv_sec, &parts);
        strftime(registry.stamp, sizeof registry.stamp, "%Y-%m-%dT%H:%M:%S%z", &parts);
        strftime(registry.old_stamp, sizeof registry.old_stamp, "%b %e %H:%M:%S", &parts);
        registry.stamped = now.tv_sec;
    }
    return registry.stamp;
}

static void write_all(const char *at, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, at, length);
        if (written < 0 && errno != EINTR) return; /* the log's reader is gone: nothing to tell it */
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
    }
}

void log_flush(void)
{
    write_all(registry.lines, registry.gathered);
    registry.gathered = 0;
}

static void put_stderr(enum log_level level, const char *escaped)
{
    char line[LINE_LIMIT + 256];
    int ms;
    const char *stamp = stamp_now(&ms);
    int length = snprintf(line, sizeof line, "%.19s.%03d%s %s sekimori/%s[%d]: %s%s\n", stamp, ms, stamp + 19,
                          registry.host[0] ? registry.host : "localhost", registry.process, (int)registry.pid,
                          level_word[level], escaped);
    if (length < 0) return;
    if (registry.gathered + (size_t)length > GATHER_LIMIT) log_flush();
    memcpy(registry.lines + registry.gathered, line, (size_t)length);
    registry.gathered += (size_t)length;
    if (level <= LOG_LEVEL_WARNING) log_flush();
}

static int print_for_journal(char *line, size_t size, enum log_level level, const char *escaped)
{
    return snprintf(line, size,
                    "PRIORITY=%d\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=sekimori/%s\n"
                    "SYSLOG_PID=%d\nMESSAGE=%s%s\n",
                    syslog_priority[level], registry.process, (int)registry.pid, level_word[level], escaped);
}

static int print_for_syslog(char *line, size_t size, enum log_level level, const char *escaped)
{
    int ms, priority = SYSLOG_FACILITY_MAIL | syslog_priority[level];
    const char *stamp = stamp_now(&ms);
    if (!registry.is_remote)
        return snprintf(line, size, "<%d>%s sekimori/%s[%d]: %s%s", priority, registry.old_stamp,
                        registry.process, (int)registry.pid, level_word[level], escaped);
    return snprintf(line, size, "<%d>1 %.19s.%03d%.3s:%.2s %s sekimori/%s %d - - %s%s", priority, stamp, ms,
                    stamp + 19, stamp + 22, registry.host, registry.process, (int)registry.pid,
                    level_word[level], escaped);
}

static void put_datagram(enum log_level level, const char *escaped)
{
    char line[LINE_LIMIT + 256];
    bool is_journal = registry.target == LOG_TARGET_JOURNAL;
    int length = is_journal ? print_for_journal(line, sizeof line, level, escaped)
                            : print_for_syslog(line, sizeof line, level, escaped);
    if (length > 0) send(registry.fd, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void log_line(enum log_level level, const char *format, ...)
{
    if (level > registry.level) return;
    char raw[LINE_LIMIT], escaped[LINE_LIMIT];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    if ((size_t)length >= sizeof raw) length = sizeof raw - 1;
    log_escape(text_from(raw, (size_t)length), escaped, sizeof escaped);
    if (registry.pid == 0) registry.pid = getpid();
    if (registry.target == LOG_TARGET_STDERR)
        put_stderr(level, escaped);
    else
        put_datagram(level, escaped);
}
