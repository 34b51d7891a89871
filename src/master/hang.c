/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads /proc of a process that is silent, and counts. */
#include "master/hang.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

enum { FILE_MOST = 4096, DESCENT_MOST = 4, STACK_MOST = 12 };

/* --- the verdict --- */

enum hang_verdict hang_round(struct hang *hang, bool has_answered, bool is_starting,
                             const struct hang_sight *sight, uint32_t period_ms, uint32_t limit_ms)
{
    if (has_answered || limit_ms == 0) {
        *hang = (struct hang){ 0 };
        return HANG_NONE;
    }
    bool has_computed = sight->cpu_ticks > hang->cpu_ticks;
    hang->cpu_ticks = sight->cpu_ticks;
    if (sight->state == 'D')
        hang->disk_ms += period_ms;
    else if (is_starting && has_computed)
        hang->silent_ms = hang->disk_ms = 0;
    else
        hang->silent_ms += period_ms;
    if (hang->silent_ms >= limit_ms && sight->state != 'D') return HANG_KILL;
    return hang->silent_ms + hang->disk_ms >= limit_ms ? HANG_DISK : HANG_NONE;
}

bool hang_is_past_mending(const struct hang *hang, uint32_t limit_ms)
{
    return limit_ms > 0 && hang->silent_ms >= (uint64_t)limit_ms + HANG_MENDED_MS;
}

/* --- what the kernel shows --- */

/* The name of the program stands in parentheses and may hold any byte: fields are counted from the last one.
 */
bool hang_sight_parse(struct text stat, struct hang_sight *out)
{
    enum { STATE, PARENT, USER = 11, SYSTEM, ENDED_USER, ENDED_SYSTEM, RESIDENT = 21 };
    uint64_t numbers[RESIDENT + 1] = { 0 };
    struct text rest = text_slice(stat, text_find_last_char(stat, ')') + 1, stat.length), word;
    *out = (struct hang_sight){ 0 };
    if (!text_next_word(&rest, &word) || word.length != 1) return false;
    out->state = word.at[0];
    for (int field = PARENT; field <= RESIDENT; field++) {
        bool is_wanted = field == PARENT || (field >= USER && field <= ENDED_SYSTEM) || field == RESIDENT;
        if (!text_next_word(&rest, &word)) {
            if (field <= SYSTEM) return false;
            break;
        }
        if (is_wanted && !text_to_number(word, UINT64_MAX / 4, &numbers[field])) return false;
    }
    out->parent = (pid_t)numbers[PARENT];
    out->cpu_ticks = numbers[USER] + numbers[SYSTEM];
    out->ended_ticks = numbers[ENDED_USER] + numbers[ENDED_SYSTEM];
    out->resident_pages = numbers[RESIDENT];
    return true;
}

/* The kernel makes these files as they are read, so that no disk is waited for. */
static struct text file_read(pid_t pid, const char *name, char *room, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, room, size);
    if (fd >= 0) close(fd);
    return text_trim(text_from(room, got > 0 ? (size_t)got : 0));
}

bool hang_look(pid_t pid, struct hang_sight *out)
{
    char room[FILE_MOST];
    return hang_sight_parse(file_read(pid, "stat", room, sizeof room), out);
}

bool hang_descends(pid_t pid, pid_t ancestor)
{
    struct hang_sight sight;
    for (int i = 0; i < DESCENT_MOST && pid > 1 && hang_look(pid, &sight); i++) {
        if (sight.parent == ancestor) return true;
        pid = sight.parent;
    }
    return false;
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "computing";
    case 'S':
        return "waiting";
    case 'D':
        return "waiting for a disk";
    case 'T':
        return "stopped";
    case 't':
        return "stopped by a tracer";
    case 'Z':
        return "dead";
    default:
        return "in an unknown state";
    }
}

/* "[<0>] do_poll+0x1a/0x30" a line: the functions, the innermost first. */
static void stack_describe(pid_t pid, struct buffer *out)
{
    char room[FILE_MOST];
    struct text rest = file_read(pid, "stack", room, sizeof room), line;
    for (int i = 0; i < STACK_MOST && text_next_line(&rest, &line); i++) {
        size_t begin = text_find_char(line, ' ');
        struct text name = text_trim(text_slice(line, begin, line.length));
        buffer_printf(out, "%s%.*s", i ? " < " : "; stack: ", TEXT_ARG(name));
    }
}

void hang_describe(pid_t pid, struct buffer *out)
{
    char room[FILE_MOST];
    struct hang_sight sight;
    struct text word, rest;
    buffer_add_text(out, text_of(hang_look(pid, &sight) ? state_name(sight.state) : "gone"));
    rest = file_read(pid, "wchan", room, sizeof room);
    if (rest.length > 0 && !text_equal(rest, TEXT("0"))) buffer_printf(out, ", in %.*s", TEXT_ARG(rest));
    rest = file_read(pid, "syscall", room, sizeof room);
    if (text_next_word(&rest, &word)) {
        bool is_number = word.at[0] >= '0' && word.at[0] <= '9';
        buffer_printf(out, is_number ? ", system call %.*s" : ", %.*s", TEXT_ARG(word));
    }
    stack_describe(pid, out);
}
