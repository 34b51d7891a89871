/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Decodes and encodes message content. The fast path copies from one CR, LF or NUL to the next; the slow path
   is a state machine over the few bytes around a line end. Called by receive (decode) and deliver (encode).
 */
#include "smtp/dotted.h"

enum { RUN_STEP = 1024 };

/* What the last bytes of the wire were. CR and the dot states hold back bytes that are not yet content. */
enum dotted_state {
    LINE_START, /* behind CRLF, or at the very start */
    IN_LINE,
    AFTER_CR, /* "\r" is held back */
    DOT,      /* "." at the start of a line, held back */
    DOT_CR,   /* ".\r" at the start of a line, held back */
};

void dotted_start(struct dotted *dotted, bool repair, bool is_bdat)
{
    *dotted = (struct dotted){ .repair = repair, .is_bdat = is_bdat, .state = LINE_START };
}

static void end_line(struct dotted *dotted, struct buffer *out)
{
    buffer_add(out, "\r\n", 2);
    dotted->line = 0;
    dotted->state = LINE_START;
}

/* A CR that no LF follows, or a LF that no CR precedes. Repaired, it ends a line of the content; but the wire
   is not at the start of a line for the search of the end of data: only CRLF puts it there. */
static void bare(struct dotted *dotted, char c, struct buffer *out)
{
    dotted->has_bare = true;
    if (dotted->repair) {
        buffer_add(out, "\r\n", 2);
        dotted->line = 0;
    } else {
        buffer_add_char(out, c);
        dotted->line++;
    }
    dotted->state = IN_LINE;
}

static void take_run(struct dotted *dotted, struct text run, struct buffer *out)
{
    if (run.length == 0) return;
    if (dotted->line == 0 && run.at[0] == '.') dotted->has_leading_dot = true;
    dotted->line += run.length;
    if (dotted->line > DOTTED_LINE_MOST) dotted->has_long_line = true;
    if (!dotted->has_8bit) dotted->has_8bit = !text_is_ascii(run);
    buffer_add_text(out, run);
    dotted->state = IN_LINE;
}

/* Length of the run before the next CR, LF or NUL. Looked for in steps, so that many short runs cost no more
   than a long one. */
static size_t run_length(struct text text)
{
    static const char ends[] = { '\n', '\r', '\0' };
    text = text_slice(text, 0, RUN_STEP);
    for (size_t i = 0; i < sizeof ends; i++) text.length = text_find_char(text, ends[i]);
    return text.length;
}

enum dotted_outcome dotted_decode(struct dotted *dotted, struct text wire, struct buffer *out, size_t *used)
{
    size_t at = 0;
    while (at < wire.length) {
        char c = wire.at[at];
        if (c == '\0') {
            dotted->has_nul = true;
            if (dotted->repair) { /* as if it had never been on the wire: "\r\n\0.\r\n" is an end */
                at++;
                continue;
            }
        }
        switch (dotted->state) {
        case AFTER_CR:
            if (c == '\n') {
                end_line(dotted, out);
                at++;
            } else {
                bare(dotted, '\r', out);
            }
            continue;
        case DOT:
            if (c == '\r') {
                dotted->state = DOT_CR;
                at++;
            } else {
                dotted->state = IN_LINE; /* stuffing: what follows is the line */
            }
            continue;
        case DOT_CR:
            if (c == '\n') {
                *used = at + 1;
                return DOTTED_END;
            }
            bare(dotted, '\r', out); /* ".\r" and something else: the dot was stuffing, the CR is bare */
            continue;
        case LINE_START:
            if (c == '.' && !dotted->is_bdat) {
                dotted->state = DOT;
                at++;
                continue;
            }
            break;
        default:
            break;
        }
        if (c == '\r') {
            dotted->state = AFTER_CR;
            at++;
        } else if (c == '\n') {
            bare(dotted, '\n', out);
            at++;
        } else {
            struct text rest = text_slice(wire, at, wire.length);
            size_t length = c == '\0' ? 1 : run_length(rest);
            take_run(dotted, text_slice(rest, 0, length), out);
            at += length;
        }
    }
    *used = at;
    return DOTTED_MORE;
}

bool dotted_finish(struct dotted *dotted, struct buffer *out)
{
    if (dotted->state != AFTER_CR) return true;
    bare(dotted, '\r', out);
    return false;
}

bool dotted_ends_line(const struct dotted *dotted)
{
    return dotted->line == 0;
}

void dotted_encode(struct text content, bool *at_line_start, struct buffer *out)
{
    while (content.length > 0) {
        if (*at_line_start && content.at[0] == '.') buffer_add_char(out, '.');
        size_t end = text_find_char(content, '\n');
        size_t length = end < content.length ? end + 1 : content.length;
        buffer_add(out, content.at, length);
        *at_line_start = end < content.length;
        content = text_slice(content, length, content.length);
    }
}
