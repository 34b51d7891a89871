/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Line after line that begins with two hyphens; eight bytes compared at once decide about most of
   them. A whole match wins over a beginning, an open boundary over a closed one, inner over outer. */
#include "mail/boundary.h"

#include "mail/gap.h"

enum match { MATCH_NONE, MATCH_PREFIX, MATCH_DELIMITER, MATCH_CLOSING };

void boundary_frame_set(struct boundary_frame *frame, uint32_t part, struct text boundary)
{
    size_t length = boundary.length < 8 ? boundary.length : 8;
    *frame = (struct boundary_frame){ .part = part, .text = boundary, .is_message = !boundary.at };
    if (length == 0) return;
    memcpy(&frame->head, boundary.at, length);
    memset(&frame->mask, 0xff, length);
}

/* `at` is behind the hyphens, `end` is the line's end without blanks, CR and LF. */
static enum match match_frame(const struct boundary_frame *frame, uint64_t head, const char *at,
                              const char *end)
{
    size_t length = frame->text.length;
    if (((head ^ frame->head) & frame->mask) != 0 || (size_t)(end - at) < length) return MATCH_NONE;
    if (length > 8 && memcmp(at + 8, frame->text.at + 8, length - 8) != 0) return MATCH_NONE;
    at += length;
    if (at == end) return MATCH_DELIMITER;
    if (end - at == 2 && at[0] == '-' && at[1] == '-') return MATCH_CLOSING;
    return MATCH_PREFIX;
}

/* The best match of all frames. */
struct best {
    enum match match;
    size_t frame;
    bool closed;
};

static struct best match_all(const struct boundary_stack *stack, const char *at, const char *end)
{
    struct best best = { MATCH_NONE, 0, false }, closed = best, prefix = best;
    uint64_t head = 0;
    memcpy(&head, at, end - at < 8 ? (size_t)(end - at) : 8);
    for (size_t i = stack->count; i > 0; i--) {
        const struct boundary_frame *frame = &stack->frames[i - 1];
        if (frame->is_message) continue;
        enum match match = match_frame(frame, head, at, end);
        if (match >= MATCH_DELIMITER && !frame->closed) return (struct best){ match, i - 1, false };
        if (match >= MATCH_DELIMITER && closed.match == MATCH_NONE)
            closed = (struct best){ match, i - 1, true };
        if (match == MATCH_PREFIX && !frame->closed && prefix.match == MATCH_NONE)
            prefix = (struct best){ match, i - 1, false };
    }
    return closed.match != MATCH_NONE ? closed : prefix;
}

/* A quick no for most lines. */
static bool may_begin(const struct boundary_stack *stack, const char *at, const char *limit)
{
    if (*at == '-' || char_is_blank(*at)) return true;
    uint64_t head = 0;
    memcpy(&head, at, limit - at < 8 ? (size_t)(limit - at) : 8);
    for (size_t i = 0; i < stack->count; i++)
        if (((head ^ stack->frames[i].head) & stack->frames[i].mask) == 0 && !stack->frames[i].is_message)
            return true;
    return false;
}

/* Some programs take a line for a boundary that has another number of hyphens before it, blanks or quotes;
   one with no hyphen has to be it from end to end. */
static struct best match_loose(const struct boundary_stack *stack, const char **at, const char *end)
{
    enum { BEFORE_MOST = 8 };
    struct best best = { MATCH_NONE, 0, false };
    bool has_hyphen = false;
    for (unsigned i = 0; i < BEFORE_MOST && *at < end && best.match == MATCH_NONE; i++) {
        best = match_all(stack, *at, end);
        bool is_any = stack->frames[best.frame].text.length == 0;
        if (best.match == MATCH_PREFIX && (!has_hyphen || is_any)) best.match = MATCH_NONE;
        if (best.match != MATCH_NONE || !memchr("-\"' \t", **at, 5)) break;
        has_hyphen |= **at == '-';
        ++*at;
    }
    if (best.match != MATCH_NONE) best.match = MATCH_PREFIX;
    return best;
}

/* A line that begins with two hyphens and is no boundary. `next` is where the line behind it begins. */
static bool is_none(struct boundary_search *search, struct text message, size_t start, size_t next)
{
    if (search->stray_line == SIZE_MAX && gap_has_field_behind(message, next)) search->stray_line = start;
    return false;
}

bool boundary_at(const struct boundary_stack *stack, struct text message, size_t start,
                 struct boundary_search *search, struct boundary_line *out)
{
    const char *at = message.at + start, *limit = message.at + message.length;
    if (limit - at < 3 || !may_begin(stack, at, limit)) return false;
    const char *feed = char_find_near(at, '\n', (size_t)(limit - at));
    const char *end = feed ? feed : limit;
    while (end > at && (end[-1] == '\r' || char_is_blank(end[-1]))) end--;
    if (end - at < 2) return false;
    bool is_strict = at[0] == '-' && at[1] == '-';
    struct best best = is_strict ? match_all(stack, at + 2, end) : (struct best){ MATCH_NONE, 0, false };
    if (is_strict) at += 2;
    if (best.match == MATCH_NONE) {
        at = message.at + start;
        best = match_loose(stack, &at, end);
    }
    size_t next = (size_t)((feed ? feed + 1 : limit) - message.at);
    if (best.match == MATCH_NONE) return is_strict && is_none(search, message, start, next);
    if (best.match == MATCH_PREFIX && search->prefix_line == SIZE_MAX) search->prefix_line = start;
    if (best.closed && search->reopen_line == SIZE_MAX) search->reopen_line = start;
    if (best.match == MATCH_PREFIX && !search->prefix)
        return is_strict && is_none(search, message, start, next);
    if (best.closed && (!search->reopen || best.match == MATCH_CLOSING))
        return is_none(search, message, start, next);
    const char *rest = at + stack->frames[best.frame].text.length;
    bool hyphens = end - rest >= 2 && rest[0] == '-' && rest[1] == '-';
    *out = (struct boundary_line){
        .frame = best.frame,
        .start = start,
        .end = next,
        .closing = best.match == MATCH_CLOSING || (best.match == MATCH_PREFIX && hyphens),
        .reopens = best.closed,
    };
    return true;
}

bool boundary_next(const struct boundary_stack *stack, struct text message, size_t from,
                   struct boundary_search *search, struct boundary_line *out)
{
    if (from >= message.length) return false;
    if (boundary_at(stack, message, from, search, out)) return true;
    const char *at = message.at + from, *limit = message.at + message.length;
    while ((at = char_find_near(at, '\n', (size_t)(limit - at))) != NULL) {
        struct text rest = text_from(at + 1, (size_t)(limit - at - 1));
        text_skip_empty_lines(&rest);
        at = rest.at;
        if (limit - at < 3 || !may_begin(stack, at, limit)) continue;
        if (boundary_at(stack, message, (size_t)(at - message.at), search, out)) return true;
    }
    return false;
}
