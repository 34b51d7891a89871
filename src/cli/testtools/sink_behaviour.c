/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Parses what the sink is told to do. */
#include "cli/testtools/sink_behaviour.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { CONTROL_MOST = 16384, STALL_SECONDS_MOST = 86400 };

void sink_behaviour_start(struct sink_behaviour *behaviour)
{
    *behaviour = (struct sink_behaviour){
        .defer_at = SINK_NEVER, .refuse_at = SINK_NEVER, .stall_at = SINK_NEVER, .drop_at = SINK_NEVER
    };
}

static bool state_parse(struct text word, enum sink_state *out)
{
    static const char *const names[SINK_STATE_COUNT] = { "connect", "hello", "mail", "rcpt",
                                                         "data",    "end",   "kept" };
    for (int i = 0; i < SINK_STATE_COUNT; i++) {
        if (!text_equal_nocase(word, text_of(names[i]))) continue;
        *out = (enum sink_state)i;
        return true;
    }
    return false;
}

/* "VALUE@STATE" cut in two; without "@" the state is `usual`. */
static bool split(struct text *value, enum sink_state usual, enum sink_state *out)
{
    size_t at = text_find_char(*value, '@');
    *out = usual;
    if (at == value->length) return true;
    bool good = state_parse(text_slice(*value, at + 1, value->length), out) && *out != SINK_KEPT;
    *value = text_slice(*value, 0, at);
    return good;
}

static const char *set_defer(struct sink_behaviour *behaviour, struct text value)
{
    uint64_t percent = 100;
    enum sink_state at;
    bool good = split(&value, SINK_END, &at) &&
                (text_equal_nocase(value, TEXT("all")) || text_to_number(value, 100, &percent));
    if (!good) return "defer wants a percentage or all, and perhaps @STATE";
    behaviour->defer_percent = (unsigned)percent;
    behaviour->defer_at = percent ? at : SINK_NEVER;
    return NULL;
}

static const char *set_refuse(struct sink_behaviour *behaviour, struct text value)
{
    enum sink_state at = SINK_MAIL;
    bool good = text_equal_nocase(value, TEXT("all")) || (state_parse(value, &at) && at != SINK_KEPT);
    if (good) behaviour->refuse_at = at;
    return good ? NULL : "refuse wants all, connect, hello, mail, rcpt, data or end";
}

static const char *set_stall(struct sink_behaviour *behaviour, struct text value)
{
    enum sink_state at;
    uint64_t seconds = 0, part = 0;
    if (!split(&value, SINK_END, &at)) return "stall wants SECONDS, and perhaps @STATE";
    size_t dot = text_find_char(value, '.');
    struct text fraction = text_slice(value, dot + 1, value.length);
    bool good = text_to_number(text_slice(value, 0, dot), STALL_SECONDS_MOST, &seconds);
    if (dot < value.length) good = good && fraction.length <= 3 && text_to_number(fraction, 999, &part);
    for (size_t i = fraction.length; i < 3; i++) part *= 10;
    if (!good) return "stall wants SECONDS, and perhaps @STATE";
    behaviour->stall_ms = seconds * 1000 + part;
    behaviour->stall_at = behaviour->stall_ms ? at : SINK_NEVER;
    return NULL;
}

static const char *set_drop(struct sink_behaviour *behaviour, struct text value)
{
    return state_parse(value, &behaviour->drop_at)
               ? NULL
               : "drop wants connect, hello, mail, rcpt, data, end or kept";
}

static const char *set_without(struct sink_behaviour *behaviour, struct text value)
{
    static const char *const names[] = {
        "PIPELINING",          "SIZE",     "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN",
        "ENHANCEDSTATUSCODES", "STARTTLS", "XCLIENT"
    };
    enum { NAMES = sizeof names / sizeof *names };
    while (value.length > 0) {
        size_t comma = text_find_char(value, ','), i = 0;
        struct text word = text_slice(value, 0, comma);
        while (i < NAMES && !text_equal_nocase(word, text_of(names[i]))) i++;
        if (text_equal_nocase(word, TEXT("all")))
            behaviour->without = (1u << NAMES) - 1;
        else if (i < NAMES)
            behaviour->without |= 1u << i;
        else
            return "no-ext wants names of extensions with commas between, or all";
        value = text_slice(value, comma + 1, value.length);
    }
    return NULL;
}

static const char *set_pattern(char room[SINK_PATTERN_SIZE], struct text value)
{
    if (value.length == 0 || value.length >= SINK_PATTERN_SIZE) return "a part of an address is wanted";
    memcpy(room, value.at, value.length);
    room[value.length] = '\0';
    return NULL;
}

const char *sink_behaviour_set(struct sink_behaviour *behaviour, struct text word, struct text value)
{
    if (text_equal(word, TEXT("defer"))) return set_defer(behaviour, value);
    if (text_equal(word, TEXT("refuse"))) return set_refuse(behaviour, value);
    if (text_equal(word, TEXT("stall"))) return set_stall(behaviour, value);
    if (text_equal(word, TEXT("drop"))) return set_drop(behaviour, value);
    if (text_equal(word, TEXT("no-ext"))) return set_without(behaviour, value);
    if (text_equal(word, TEXT("defer-to"))) return set_pattern(behaviour->defer_to, value);
    if (text_equal(word, TEXT("refuse-to"))) return set_pattern(behaviour->refuse_to, value);
    return "the word is not one of defer, refuse, stall, drop, no-ext, defer-to, refuse-to";
}

static bool set_lines(struct text content, struct sink_behaviour *behaviour, char *why, size_t size)
{
    struct text line;
    for (unsigned number = 1; text_next_line(&content, &line); number++) {
        line = text_trim(text_slice(line, 0, text_find_char(line, '#')));
        struct text word = TEXT_NONE;
        if (!text_next_word(&line, &word)) continue;
        const char *wrong = sink_behaviour_set(behaviour, word, text_trim(line));
        if (!wrong) continue;
        snprintf(why, size, "line %u: %s", number, wrong);
        return false;
    }
    return true;
}

bool sink_control_check(struct sink_control *control, const struct sink_behaviour *base,
                        struct sink_behaviour *behaviour, char *why, size_t size)
{
    struct stat now = { 0 };
    char room[CONTROL_MOST];
    if (!control->path) return true;
    if (stat(control->path, &now) != 0) now = (struct stat){ 0 };
    bool same = now.st_ino == control->inode && now.st_size == control->size &&
                now.st_mtim.tv_sec == control->changed.tv_sec &&
                now.st_mtim.tv_nsec == control->changed.tv_nsec;
    if (same) return true;
    control->inode = now.st_ino;
    control->size = now.st_size;
    control->changed = now.st_mtim;
    *behaviour = *base;
    if (now.st_ino == 0) return true;
    int fd = open(control->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, room, sizeof room);
    if (fd >= 0) close(fd);
    if (got < 0) {
        snprintf(why, size, "%m");
        return false;
    }
    return set_lines(text_from(room, (size_t)got), behaviour, why, size);
}
