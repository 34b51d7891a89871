/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The log of this process: formats, escapes, gathers, writes. Owned state is the one log registry. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/date.h"
#include "base/journald.h"
#include "base/printable.h"

enum {
    LINE_LIMIT = 2048,
    GATHER_LIMIT = 32768,
    PIPE_STEP = 4096, /* PIPE_BUF: so much fits once a pipe says that it takes something */
    READER_MS = 1000, /* a reader that takes nothing for so long loses lines: mail does not wait for it */
    TARGET_MS = 100,
    QID_MOST = 32, /* of the journal's fields */
    RCPT_MOST = 600,
    STATUS_MOST = 32
};

static struct {
    char process[32], host[65];
    enum log_target target;
    enum log_level level;
    int fd; /* of the target; -1: it is standard error, or there is none */
    pid_t pid;
    bool is_remote;  /* the syslog server, which wants RFC 5424; /dev/log is read as RFC 3164 */
    bool is_regular; /* standard error is a file, which never lets wait for a reader */
    bool is_stuck;   /* standard error's reader stands still */
    bool is_cut;     /* the target took the last line not */
    uint64_t missed, missed_before; /* lines that it did not take; until it was reached the last time */
    time_t stamped;                 /* the second that the stamps show */
    char stamp[DATE_SIZE], old_stamp[DATE_SIZE];
    size_t gathered;
    char lines[GATHER_LIMIT];
} registry = { .process = "sekimori", .level = LOG_LEVEL_INFO, .fd = -1 };
static struct journald_backlog backlog; /* takes memory only where a journal was busy */

static const int syslog_priority[] = { 3, 4, 6, 7 };
static const char *const level_word[] = { "error: ", "warning: ", "", "debug: " };
enum { SYSLOG_FACILITY_MAIL = 2 << 3 };

static void put_stderr(enum log_level level, const char *escaped);
static void target_failed(const char *where);
static void target_is_back(void);

static bool is_regular(int fd)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

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
    struct endpoint endpoint;
    struct sockaddr_storage to;
    if (!endpoint_parse(text_of(address), -1, &endpoint)) return errno = EINVAL, -1;
    socklen_t length = endpoint_to_sockaddr(&endpoint, &to);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, length) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

const char *log_target_address(enum log_target target, const char *address)
{
    if (target == LOG_TARGET_JOURNAL) return "/run/systemd/journal/socket";
    if (target == LOG_TARGET_SYSLOG) return address ? address : "/dev/log";
    return NULL;
}

int log_target_connect(enum log_target target, const char *address)
{
    const char *where = log_target_address(target, address);
    bool is_remote = target == LOG_TARGET_SYSLOG && address;
    return is_remote ? connect_udp(where) : connect_unix(where);
}

/* The journal, where standard error goes there anyway: its socket takes fields. */
static enum log_target target_choose(enum log_target wanted)
{
    bool is_stream = journald_is_stream(STDERR_FILENO, getenv("JOURNAL_STREAM"));
    if (wanted != LOG_TARGET_STDERR || !is_stream) return wanted;
    registry.fd = log_target_connect(LOG_TARGET_JOURNAL, NULL);
    return registry.fd >= 0 ? LOG_TARGET_JOURNAL : LOG_TARGET_STDERR;
}

enum log_target log_target_now(void)
{
    return registry.target;
}

void log_open(const char *process, enum log_target target, const char *address, enum log_level level)
{
    log_flush();
    if (registry.fd >= 0) close(registry.fd);
    snprintf(registry.process, sizeof registry.process, "%s", process);
    gethostname(registry.host, sizeof registry.host - 1);
    registry.level = level;
    registry.pid = getpid();
    registry.fd = -1;
    registry.target = target_choose(target);
    registry.is_remote = address != NULL;
    registry.is_cut = false;
    registry.missed_before = registry.missed;
    registry.is_regular = is_regular(STDERR_FILENO);
    if (target == LOG_TARGET_STDERR) return; /* or already connected */
    registry.fd = log_target_connect(target, address);
    if (registry.fd < 0) target_failed(log_target_address(target, address));
}

void log_take_stderr(int fd)
{
    struct stat old, out;
    log_flush();
    bool is_out_too = fstat(STDERR_FILENO, &old) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
                      old.st_dev == out.st_dev && old.st_ino == out.st_ino;
    dup3(fd, STDERR_FILENO, 0);
    if (is_out_too) dup3(fd, STDOUT_FILENO, 0);
    registry.is_regular = is_regular(STDERR_FILENO);
    close(fd);
}

void log_take_target(int fd)
{
    if (registry.fd < 0)
        registry.fd = fd;
    else if (dup3(fd, registry.fd, O_CLOEXEC) >= 0)
        close(fd);
    target_is_back();
}

uint64_t log_missed(void)
{
    return registry.missed;
}

bool log_is_reached(void)
{
    return !registry.is_cut;
}

void log_become(const char *process, int fd)
{
    registry.gathered = backlog.length = 0; /* what the parent has not written yet is the parent's */
    snprintf(registry.process, sizeof registry.process, "%s", process);
    registry.pid = getpid();
    if (registry.fd == fd) return;
    if (registry.fd < 0)
        close(fd);
    else
        registry.fd = dup3(registry.fd, fd, O_CLOEXEC);
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
    while (length < most && char_is_printable(text.at[length])) length++;
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
        date_print_stamp((uint64_t)now.tv_sec * 1000, registry.stamp);
        date_print_syslog((uint64_t)now.tv_sec * 1000, registry.old_stamp);
        registry.stamped = now.tv_sec;
    }
    return registry.stamp;
}

static bool waits_for_room(int fd, int most_ms)
{
    struct pollfd room = { fd, POLLOUT, 0 };
    return poll(&room, 1, most_ms) != 0;
}

static uint64_t lines_in(const char *at, size_t length)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++) lines += at[i] == '\n';
    return lines;
}

/* A pipe or terminal that nobody reads is waited for once, and not again until it takes something. */
static bool write_step(const char **at, size_t *length)
{
    size_t step = *length;
    if (!registry.is_regular) {
        bool waits = !registry.is_stuck && registry.target != LOG_TARGET_JOURNAL;
        if (!waits_for_room(STDERR_FILENO, waits ? READER_MS : 0)) {
            registry.is_stuck = true;
            return false;
        }
        if (step > PIPE_STEP) step = PIPE_STEP;
    }
    ssize_t written = write(STDERR_FILENO, *at, step);
    if (written < 0) return errno == EINTR;
    registry.is_stuck = false;
    *at += written;
    *length -= (size_t)written;
    return true;
}

static void lines_write(const char *at, size_t length)
{
    while (length > 0 && write_step(&at, &length)) continue;
    registry.missed += lines_in(at, length); /* its reader is gone or stands still, or its disk is full */
}

void log_flush(void)
{
    lines_write(registry.lines, registry.gathered);
    registry.gathered = 0;
    if (backlog.length > 0 && registry.fd >= 0) journald_flush(&backlog, registry.fd);
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

static void entry_make(struct journald_entry *entry, enum log_level level, const struct log_facts *facts,
                       const char *escaped)
{
    char text[LINE_LIMIT + 16];
    int length = snprintf(entry->bytes, sizeof entry->bytes,
                          "PRIORITY=%d\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=sekimori/%s\nSYSLOG_PID=%d\n",
                          syslog_priority[level], registry.process, (int)registry.pid);
    entry->length = length > 0 ? (size_t)length : 0;
    if (facts) {
        journald_field(entry, "QID", facts->qid, QID_MOST);
        journald_field(entry, "RCPT", facts->rcpt, RCPT_MOST);
        journald_field(entry, "STATUS", facts->status, STATUS_MOST);
    }
    snprintf(text, sizeof text, "%s%s", level_word[level], escaped);
    journald_field(entry, "MESSAGE", text_of(text), sizeof text);
}

/* A journal that is busy gets it later; one that takes nothing, not at all: mail does not wait for it. */
static bool journal_takes(enum log_level level, const struct log_facts *facts, const char *escaped)
{
    struct journald_entry entry;
    if (registry.fd < 0) return false;
    entry_make(&entry, level, facts, escaped);
    return journald_send(&backlog, registry.fd, &entry);
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

/* A local log that is busy is waited for, a server that was not there is asked once more. */
static bool syslog_takes(enum log_level level, const char *escaped)
{
    char line[LINE_LIMIT + 256];
    int printed = print_for_syslog(line, sizeof line, level, escaped);
    size_t length = printed > 0 ? (size_t)printed : 0;
    if (registry.fd < 0) return false;
    for (int tries = 0; tries < 2; tries++) {
        if (send(registry.fd, line, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
        bool is_busy = errno == EAGAIN || errno == ENOBUFS;
        if (is_busy && (registry.is_cut || !waits_for_room(registry.fd, TARGET_MS))) return false;
        if (!is_busy && !registry.is_remote) return false;
    }
    return false;
}

static void target_failed(const char *where)
{
    if (registry.is_cut) return;
    registry.is_cut = true;
    char why[128];
    snprintf(why, sizeof why, "the log %s takes nothing (%s): lines go to standard error", where,
             strerror(errno));
    put_stderr(LOG_LEVEL_ERROR, why);
}

static void target_is_back(void)
{
    if (!registry.is_cut) return;
    registry.is_cut = false;
    uint64_t lines = registry.missed - registry.missed_before;
    registry.missed_before = registry.missed;
    log_warning("the log takes lines again; %llu went to standard error meanwhile",
                (unsigned long long)lines);
}

static void put_datagram(enum log_level level, const struct log_facts *facts, const char *escaped)
{
    bool is_journal = registry.target == LOG_TARGET_JOURNAL;
    if (is_journal ? journal_takes(level, facts, escaped) : syslog_takes(level, escaped)) {
        target_is_back();
        return;
    }
    target_failed(is_journal ? "journal" : "syslog");
    registry.missed++;
    put_stderr(level, escaped);
}

static void put(enum log_level level, const struct log_facts *facts, const char *format, va_list arguments)
{
    char raw[LINE_LIMIT], escaped[LINE_LIMIT];
    int length = vsnprintf(raw, sizeof raw, format, arguments);
    if (length < 0) return;
    if ((size_t)length >= sizeof raw) length = sizeof raw - 1;
    log_escape(text_from(raw, (size_t)length), escaped, sizeof escaped);
    if (registry.pid == 0) registry.pid = getpid();
    if (registry.target == LOG_TARGET_STDERR)
        put_stderr(level, escaped);
    else
        put_datagram(level, facts, escaped);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list arguments;
    if (level > registry.level) return;
    va_start(arguments, format);
    put(level, NULL, format, arguments);
    va_end(arguments);
}

void log_line_of(enum log_level level, const struct log_facts *facts, const char *format, ...)
{
    va_list arguments;
    if (level > registry.level) return;
    va_start(arguments, format);
    put(level, facts, format, arguments);
    va_end(arguments);
}

bool log_has_room(struct allowance *lines, uint32_t at_once, uint32_t per_second, uint64_t now_ms,
                  enum log_level level, const char *left_out)
{
    bool has_room = allowance_take(lines, at_once, per_second, now_ms);
    uint64_t denied = allowance_denied(lines, now_ms);
    if (denied) log_line(level, left_out, (unsigned long long)denied);
    return has_room;
}
