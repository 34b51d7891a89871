/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Line after line that begins with two hyphens; eight bytes compared at once decide about most of
   them. A whole match wins over a beginning, an open boundary over a closed one, inner over outer. */
#include "mail/boundary.h"

#include "mail/gap.h"

enum match { MATCH_NONE, MATCH_PREFIX, MATCH_DELIMITER, MATCH_CLOSING };

void boundary_frame_set(struct boundary_frame *frame, uint32_t part, struct text boundary)
{
    size_t length = boundary.length < 8 ? boundary.length : 8;
    *frame = (struct boundary_frame){ .part = part, .text = boundary, .is_message = boundary.length == 0 };
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
    if (limit - at < 3 || at[0] != '-' || at[1] != '-') return false;
    const char *feed = memchr(at, '\n', (size_t)(limit - at));
    const char *end = feed ? feed : limit;
    if (end[-1] == '\r') end--;
    while (char_is_blank(end[-1])) end--;
    struct best best = match_all(stack, at + 2, end);
    size_t next = (size_t)((feed ? feed + 1 : limit) - message.at);
    if (best.match == MATCH_NONE) return is_none(search, message, start, next);
    if (best.match == MATCH_PREFIX && search->prefix_line == SIZE_MAX) search->prefix_line = start;
    if (best.closed && search->reopen_line == SIZE_MAX) search->reopen_line = start;
    if (best.match == MATCH_PREFIX && !search->prefix) return is_none(search, message, start, next);
    if (best.closed && (!search->reopen || best.match == MATCH_CLOSING))
        return is_none(search, message, start, next);
    const char *rest = at + 2 + stack->frames[best.frame].text.length;
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
    while ((at = memchr(at, '\n', (size_t)(limit - at))) != NULL) {
        at++;
        if (limit - at < 3 || at[0] != '-') continue;
        if (boundary_at(stack, message, (size_t)(at - message.at), search, out)) return true;
    }
    return false;
}
