/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One event a line. Controls in logged data are escaped, so no datum can forge a line. */
#ifndef SEKIMORI_BASE_LOG_H
#define SEKIMORI_BASE_LOG_H

#include "base/allowance.h"
#include "base/text.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_target { LOG_TARGET_STDERR, LOG_TARGET_JOURNAL, LOG_TARGET_SYSLOG };

/* Names the process ("receive") and opens the target. `address` is for LOG_TARGET_SYSLOG: NULL for
   the local socket, else a connected datagram descriptor is made from "IP:PORT" (RFC 5424 over
   UDP). Lines above `level` are dropped. Before the first call lines go to stderr, and so do those that the
   target does not take. Call before the jail closes: it opens sockets. */
void log_open(const char *process, enum log_target target, const char *address, enum log_level level);

/* What log_open opened: the journal where standard error is its stream (JOURNAL_STREAM), whatever was said.
 */
enum log_target log_target_now(void);
/* Where that target is: a path or "IP:PORT"; NULL: standard error, which needs none. */
const char *log_target_address(enum log_target target, const char *address);
/* A connected descriptor, the caller's; -1 with errno. */
int log_target_connect(enum log_target target, const char *address);

/* From then on lines go there; the descriptor is taken over. So a jailed process changes to another file, and
   to a syslog that was restarted. */
void log_take_stderr(int fd);
void log_take_target(int fd);

/* Lines that the target has not taken (they went to standard error) or that nobody took. Never falls. */
uint64_t log_missed(void);
/* False while the target does not take lines. */
bool log_is_reached(void);

/* After a fork: another name, the same target. Its descriptor, if it has one of its own, is moved to `fd`,
   else `fd` is closed, so that the caller may close all above it. Opens nothing. */
void log_become(const char *process, int fd);

/* A reload changes the level only: a jailed process cannot open another target. */
void log_set_level(enum log_level level);
enum log_level log_level_now(void);

/* Writes one line. The formatted text is escaped: bytes below 0x20, 0x7f and invalid UTF-8 become \xNN. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct log_facts {
    struct text qid, rcpt, status; /* id of the message; recipient; what became of it, as status= has it */
};
/* With fields of their own where the journal takes the line, beside its text. They are borrowed for the call
   and go as they are: nothing in them can make another field. An empty one is left out. */
void log_line_of(enum log_level level, const struct log_facts *facts, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of a message whose id, NUL-ended, is all that is known; the format says it too. */
#define log_of(level, id, ...) log_line_of(level, &(struct log_facts){ .qid = text_of(id) }, __VA_ARGS__)

/* One line more of those that others bring about may be written, by `lines`. How many were left out before is
   said at that level by `left_out`, a format for the number (%llu). */
bool log_has_room(struct allowance *lines, uint32_t at_once, uint32_t per_second, uint64_t now_ms,
                  enum log_level level, const char *left_out);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                  \
    do {                                                                                \
        if (log_level_now() >= LOG_LEVEL_DEBUG) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
    } while (0)

/* Lines at INFO and DEBUG gather until the next log_flush (the event loop calls it each turn);
   errors and warnings go out at once. */
void log_flush(void);

/* Escapes `text` into `room` (NUL-ended, cut at size); returns room. */
char *log_escape(struct text text, char *room, size_t size);

#endif
