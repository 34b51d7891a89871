/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The clock is looked at for each piece that comes. */
#include "open/members.h"

#include <stdio.h>

#include "base/monotonic.h"

enum { RATIO_MOST = 2000, RATIO_FROM = 16 << 20, NAME_MOST = 60 };

void members_notice(struct unpack *unpack, enum unpack_notice notice, const char *format, ...)
{
    char what[UNPACK_WHAT_MOST + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    unpack->events->on_notice(unpack->context, notice, buffer_text(&unpack->path), text_of(what));
}

static bool over(struct unpack *unpack, const char *why)
{
    if (!unpack->is_over) members_notice(unpack, UNPACK_LIMITS, "%s", why);
    unpack->is_over = true;
    return false;
}

bool members_may_go_on(struct unpack *unpack)
{
    if (unpack->is_over) return false;
    if (unpack->total > unpack->limits->total_bytes) return over(unpack, "bytes in sum");
    if (unpack->total > RATIO_FROM && unpack->total / RATIO_MOST > unpack->in_bytes)
        return over(unpack, "ratio");
    return monotonic_ms() <= unpack->until_ms || over(unpack, "time");
}

bool members_add(struct unpack *unpack, struct buffer *member, const void *bytes, size_t size)
{
    unpack->total += size;
    if (!members_may_go_on(unpack)) return false;
    if (buffer_length(member) + size > unpack->limits->file_bytes) {
        members_notice(unpack, UNPACK_LIMITS, "size of a file");
        buffer_free(member);
        return false;
    }
    buffer_add(member, bytes, size);
    return true;
}

void members_look_into(struct unpack *unpack, enum true_type type, struct text bytes)
{
    enum type_opener opener = true_type_opener(type);
    bool is_hidden = !true_type_is_known_to_engine(type);
    if (opener == OPENED_BY_KEY) members_notice(unpack, UNPACK_ENCRYPTED, "%s", true_type_name(type));
    if (opener == OPENED_BY_NOBODY) members_notice(unpack, UNPACK_NOT_OPENED, "%s", true_type_name(type));
    if (opener != OPENED_BY_READER || !members_may_go_on(unpack)) return;
    if (unpack->depth >= unpack->limits->nesting || unpack->depth >= UNPACK_NESTING_MOST) {
        members_notice(unpack, UNPACK_LIMITS, "nesting");
        return;
    }
    unpack->depth++;
    unpack->hidden += is_hidden;
    unpack->read(unpack, type, bytes);
    unpack->hidden -= is_hidden;
    unpack->depth--;
}

static void path_enter(struct unpack *unpack, struct text name)
{
    if (buffer_length(&unpack->path) > 0) buffer_add_char(&unpack->path, '/');
    buffer_add_text(&unpack->path, text_slice(name, 0, NAME_MOST));
    if (buffer_length(&unpack->path) > UNPACK_PATH_MOST) buffer_truncate(&unpack->path, UNPACK_PATH_MOST);
}

/* A container that the engine can look into is no more than its members, unless the engine never sees it. */
static bool is_wanted(const struct unpack *unpack, enum true_type type)
{
    return true_type_opener(type) != OPENED_BY_READER || unpack->hidden > 0;
}

void members_take(struct unpack *unpack, struct text name, struct text bytes)
{
    size_t before = buffer_length(&unpack->path);
    if (!members_may_go_on(unpack)) return;
    path_enter(unpack, name);
    if (++unpack->files > unpack->limits->files) {
        over(unpack, "number of files");
    } else if (bytes.length > 0) {
        enum true_type type = true_type_of(bytes);
        if (is_wanted(unpack, type) &&
            !unpack->events->on_member(unpack->context, buffer_text(&unpack->path), bytes))
            unpack->is_over = true;
        if (!unpack->is_over) members_look_into(unpack, type, bytes);
    }
    buffer_truncate(&unpack->path, before);
}
