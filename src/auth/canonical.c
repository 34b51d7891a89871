/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A canonical body is its bytes up to the last that counts, white space made less in relaxed form, and CRLF.
   What has to be changed is looked for sixteen bytes at a time; runs between are hashed where they lie. */
#include "auth/canonical.h"

#include <stdlib.h>

/* --- where white space has to change --- */

#define ALWAYS_INLINE inline __attribute__((always_inline)) /* so that `is_field` is a constant */

typedef uint8_t sixteen __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t halves __attribute__((vector_size(16)));

/* A byte is suspect that may begin white space which is not a single space: a control that is white space, or
   a space before something like it. In a header field line ends are white space too. */
static inline bool is_suspect(char here, char next, bool is_field)
{
    if (here == ' ') return next == ' ' || next == '\t' || next == '\r' || (is_field && next == '\n');
    return here == '\t' || (is_field && (here == '\r' || here == '\n'));
}

/* The same for sixteen bytes at once, and for some that are not: a space before any control. Reads seventeen
   bytes. */
static ALWAYS_INLINE sixteen suspects(const char *at, bool is_field)
{
    sixteen here = *(const sixteen *)(const void *)at, next = *(const sixteen *)(const void *)(at + 1);
    sixteen found = (sixteen)((here == '\t') | ((here == ' ') & (next <= ' ')));
    if (is_field) found |= (sixteen)((here == '\r') | (here == '\n'));
    return found;
}

static inline bool is_any(sixteen found)
{
    halves both = (halves)found;
    return (both[0] | both[1]) != 0;
}

/* Behind runs of sixteen bytes without one; far ones four at a time, since most text has few. */
static ALWAYS_INLINE const char *clean_skip(const char *at, const char *end, bool is_field)
{
    size_t left = (size_t)(end - at);
    const char *near = at + (left > 80 ? 64 : left > 16 ? left - 16 : 0);
    while (at < near && !is_any(suspects(at, is_field))) at += 16;
    if (at < near) return at;
    while (end - at > 64) {
        sixteen found = suspects(at, is_field) | suspects(at + 16, is_field) | suspects(at + 32, is_field) |
                        suspects(at + 48, is_field);
        if (is_any(found)) break;
        at += 64;
    }
    while (end - at > 16 && !is_any(suspects(at, is_field))) at += 16;
    return at;
}

/* Where in sixteen bytes the first suspect is; 16: none. */
static ALWAYS_INLINE size_t suspect_place(const char *at, bool is_field)
{
    sixteen here = *(const sixteen *)(const void *)at, next = *(const sixteen *)(const void *)(at + 1);
    sixteen line_end = (sixteen)(here == '\r') | (sixteen)(here == '\n');
    sixteen behind = (sixteen)((next == ' ') | (next == '\t') | (next == '\r'));
    if (is_field) behind |= (sixteen)(next == '\n');
    sixteen found = (sixteen)(here == '\t') | ((sixteen)(here == ' ') & behind);
    if (is_field) found |= line_end;
    halves both = (halves)found;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (both[0]) return (size_t)__builtin_ctzll(both[0]) / 8;
    return both[1] ? 8 + (size_t)__builtin_ctzll(both[1]) / 8 : 16;
#else
    if (both[0]) return (size_t)__builtin_clzll(both[0]) / 8;
    return both[1] ? 8 + (size_t)__builtin_clzll(both[1]) / 8 : 16;
#endif
}

/* The first suspect in [at, end), or `end`. Without a byte behind `end` a space there is none. */
static ALWAYS_INLINE const char *suspect_find(const char *at, const char *end, bool is_field)
{
    for (;;) {
        at = clean_skip(at, end, is_field);
        if (end - at <= 16) break;
        size_t place = suspect_place(at, is_field);
        at += place;
        if (place < 16) return at;
    }
    while (at < end && !is_suspect(*at, at + 1 < end ? at[1] : '\0', is_field)) at++;
    return at;
}

/* Behind spaces and tabs. */
static inline const char *blanks_skip(const char *at, const char *end)
{
    static const char spaces[8] = "        ";
    while (end - at >= 8 && memcmp(at, spaces, 8) == 0) at += 8;
    while (at < end && char_is_blank(*at)) at++;
    return at;
}

/* --- header fields --- */

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* Behind white space and folds; a CR alone is neither. */
static const char *field_space_skip(const char *at, const char *end)
{
    while (at < end) {
        if (*at == '\r' && (at + 1 == end || at[1] != '\n')) break;
        if (!char_is_blank(*at) && !is_line_end(*at)) break;
        at++;
    }
    return at;
}

static void relaxed_value_add(struct running_digest *digest, struct text value)
{
    const char *at = value.at, *end = value.at + value.length;
    at = field_space_skip(at, end);
    while (at < end) {
        const char *suspect = suspect_find(at, end, true);
        running_digest_add(digest, at, (size_t)(suspect - at));
        if (suspect == end) break;
        at = field_space_skip(suspect, end);
        if (at == suspect) /* a CR alone */
            running_digest_add_char(digest, *at++);
        else if (at < end)
            running_digest_add_char(digest, ' ');
    }
}

/* Without line end and blanks at its end. */
static struct text value_trim(struct text value)
{
    while (value.length > 0) {
        char c = value.at[value.length - 1];
        if (!char_is_blank(c) && !is_line_end(c)) break;
        value.length--;
    }
    return value;
}

static void relaxed_field_add(struct running_digest *digest, struct text field)
{
    size_t colon = text_find_char(field, ':'), name = colon;
    while (name > 0 && (char_is_blank(field.at[name - 1]) || is_line_end(field.at[name - 1]))) name--;
    for (size_t i = 0; i < name; i++) running_digest_add_char(digest, char_lower(field.at[i]));
    running_digest_add_char(digest, ':');
    relaxed_value_add(digest, value_trim(text_slice(field, colon + 1, field.length)));
}

static struct text without_line_end(struct text field)
{
    if (!text_ends(field, TEXT("\n"))) return field;
    field.length -= text_ends(field, TEXT("\r\n")) ? 2 : 1;
    return field;
}

void canonical_field_add(struct running_digest *digest, enum canonical_form form, struct text field,
                         bool with_line_end)
{
    if (form == CANONICAL_RELAXED)
        relaxed_field_add(digest, field);
    else
        running_digest_add_text(digest, without_line_end(field));
    if (with_line_end) running_digest_add(digest, "\r\n", 2);
}

/* --- bodies --- */

enum { BLOCK = 32 * 1024 }; /* both forms are fed so many bytes in turn, while they are in the cache */

/* One form's stream. `wants` are those of this form by rising limit, the whole body last; the first `done`
   have their digests. `content` goes without the final CRLF, `at` is how far it was read. */
struct stream {
    struct running_digest digest;
    struct canonical_want **wants;
    uint32_t count, done;
    uint64_t total, next; /* canonical bytes so far, and those at which the next digest is due */
    struct text content;
    size_t at;
};

static uint64_t limit_of(const struct canonical_want *want)
{
    return want->limit == CANONICAL_WHOLE ? UINT64_MAX : (uint64_t)want->limit;
}

static int order(const void *a, const void *b)
{
    const struct canonical_want *x = *(struct canonical_want *const *)a;
    const struct canonical_want *y = *(struct canonical_want *const *)b;
    if (x->form != y->form) return x->form < y->form ? -1 : 1;
    return limit_of(x) < limit_of(y) ? -1 : limit_of(x) > limit_of(y);
}

/* Gives their digest to all whose limit is reached here. */
static void reached(struct stream *stream)
{
    struct canonical_want *first = stream->wants[stream->done];
    bool is_last = limit_of(stream->wants[stream->count - 1]) == stream->next;
    if (is_last)
        running_digest_end(&stream->digest, first->digest);
    else
        running_digest_sum(&stream->digest, first->digest);
    while (stream->done < stream->count && limit_of(stream->wants[stream->done]) == stream->next) {
        struct canonical_want *want = stream->wants[stream->done++];
        if (want != first) memcpy(want->digest, first->digest, sizeof want->digest);
    }
    stream->next = stream->done < stream->count ? limit_of(stream->wants[stream->done]) : UINT64_MAX;
}

static void emit_in_parts(struct stream *stream, const char *at, size_t length)
{
    while (stream->done < stream->count && length > stream->next - stream->total) {
        size_t part = (size_t)(stream->next - stream->total);
        running_digest_add(&stream->digest, at, part);
        stream->total += part;
        at += part;
        length -= part;
        reached(stream);
    }
    if (stream->done < stream->count) running_digest_add(&stream->digest, at, length);
    stream->total += length; /* behind the last limit bytes are counted only */
}

static inline void emit(struct stream *stream, const char *at, size_t length)
{
    if (length > stream->next - stream->total || stream->done == stream->count) {
        emit_in_parts(stream, at, length);
        return;
    }
    running_digest_add(&stream->digest, at, length);
    stream->total += length;
}

/* RFC 6376 section 3.4.3: empty lines at the end count as one CRLF, which is added where none is. */
static struct text simple_content(struct text body)
{
    while (text_ends(body, TEXT("\r\n"))) body.length -= 2;
    return body;
}

/* Section 3.4.4: lines of blanks are empty too. White space that no line end follows stays. */
static struct text relaxed_content(struct text body)
{
    while (text_ends(body, TEXT("\r\n"))) {
        body.length -= 2;
        while (body.length > 0 && char_is_blank(body.at[body.length - 1])) body.length--;
    }
    return body;
}

static void simple_step(struct stream *stream, size_t until)
{
    emit(stream, stream->content.at + stream->at, until - stream->at);
    stream->at = until;
}

/* Section 3.4.4: white space at the end of a line is left out, other runs of it are one space. May read on
   behind `until` where a run goes on. */
static void relaxed_step(struct stream *stream, size_t until)
{
    const char *start = stream->content.at, *at = start + stream->at, *stop = start + until;
    const char *end = start + stream->content.length;
    while (at < stop) {
        const char *suspect = suspect_find(at, stop, false), *behind = suspect;
        if (suspect == stop) {
            bool is_cut = suspect < end && suspect[-1] == ' '; /* what follows it stands in the next block */
            suspect = behind = is_cut ? stop - 1 : stop;
        }
        behind = blanks_skip(behind, end);
        bool is_line_end = end - behind >= 2 && behind[0] == '\r' && behind[1] == '\n';
        bool has_space = behind > suspect && !is_line_end;
        bool is_there = has_space && *suspect == ' ';
        emit(stream, at, (size_t)(suspect - at) + is_there);
        if (has_space && !is_there) emit(stream, " ", 1);
        at = behind;
    }
    stream->at = (size_t)(at - start);
}

static void stream_open(struct stream *stream, struct canonical_want **wants, uint32_t count,
                        struct text content)
{
    stream->wants = wants;
    stream->count = count;
    stream->done = 0;
    stream->total = stream->at = 0;
    stream->next = limit_of(wants[0]);
    stream->content = content;
    running_digest_open(&stream->digest);
}

/* The last CRLF; the empty relaxed body has none (section 3.4.4). */
static void stream_end(struct stream *stream)
{
    bool is_empty_relaxed = stream->content.length == 0 && stream->wants[0]->form == CANONICAL_RELAXED;
    if (!is_empty_relaxed) emit(stream, "\r\n", 2);
    while (stream->done < stream->count) {
        stream->next = limit_of(stream->wants[stream->done]);
        if (stream->next == stream->total || stream->next == UINT64_MAX)
            reached(stream);
        else
            stream->done++; /* it is short */
    }
    for (uint32_t i = 0; i < stream->count; i++) {
        uint64_t limit = limit_of(stream->wants[i]);
        stream->wants[i]->is_partial = limit < stream->total;
        stream->wants[i]->is_short = limit > stream->total && limit != UINT64_MAX;
    }
    running_digest_close(&stream->digest);
}

static size_t next_stop(const struct stream *stream)
{
    size_t left = stream->content.length - stream->at;
    return stream->at + (left < BLOCK ? left : BLOCK);
}

/* Advances both until they have read everything; either may be NULL. */
static void streams_run(struct stream *simple, struct stream *relaxed)
{
    bool is_more = true;
    while (is_more) {
        is_more = false;
        if (simple && simple->at < simple->content.length) {
            simple_step(simple, relaxed ? next_stop(simple) : simple->content.length);
            is_more = true;
        }
        if (relaxed && relaxed->at < relaxed->content.length) {
            relaxed_step(relaxed, simple ? next_stop(relaxed) : relaxed->content.length);
            is_more = true;
        }
    }
}

void canonical_body_hash(struct text body, struct canonical_want **wants, uint32_t count)
{
    struct stream simple, relaxed;
    uint32_t simples = 0;
    if (count == 0) return;
    qsort(wants, count, sizeof *wants, order);
    while (simples < count && wants[simples]->form == CANONICAL_SIMPLE) simples++;
    bool has_simple = simples > 0, has_relaxed = simples < count;
    if (has_simple) stream_open(&simple, wants, simples, simple_content(body));
    if (has_relaxed) stream_open(&relaxed, wants + simples, count - simples, relaxed_content(body));
    streams_run(has_simple ? &simple : NULL, has_relaxed ? &relaxed : NULL);
    if (has_simple) stream_end(&simple);
    if (has_relaxed) stream_end(&relaxed);
}
