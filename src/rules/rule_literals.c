/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "rules/rule_literals.h"

#include "base/buffer.h"
#include "base/utf8.h"
#include "rules/literal_table.h"

enum { NESTING_MOST = 20 };

/* One of them is in every match. None: nothing is known. */
struct promise {
    unsigned count;
    size_t least;  /* bytes of the shortest */
    size_t widest; /* bytes that what was read matches at most */
    size_t before; /* likewise in front of where the one begins */
    struct text *items;
};

struct reading_head {
    struct arena *arena;
    struct text pattern;
    size_t at;
    unsigned depth;
    bool is_lost;               /* something that this does not know */
    struct promise *best;       /* of the sequence that is read */
    struct promise *second;     /* likewise */
    struct promise last_second; /* of the sequence that was read last */
    size_t widest;              /* of the sequence that is read */
    struct buffer run;          /* characters that stand side by side */
    size_t run_before;          /* widest where they begin */
};

static struct promise alternatives(struct reading_head *head);

static char peek(const struct reading_head *head)
{
    return head->at < head->pattern.length ? head->pattern.at[head->at] : '\0';
}

static void consider(struct reading_head *head, const struct promise *other)
{
    if (other->count == 0 || other->least < LITERAL_LEAST) return;
    if (other->least > head->best->least) {
        *head->second = *head->best;
        *head->best = *other;
    } else if (other->least > head->second->least) {
        *head->second = *other;
    }
}

static void run_end(struct reading_head *head)
{
    struct promise of_run = { 1, buffer_length(&head->run), .before = head->run_before };
    if (of_run.least >= LITERAL_LEAST) {
        of_run.items = arena_alloc(head->arena, sizeof *of_run.items);
        *of_run.items = arena_text(head->arena, buffer_text(&head->run));
        consider(head, &of_run);
    }
    buffer_clear(&head->run);
}

static size_t width_sum(size_t a, size_t b)
{
    return b < RULE_WIDTH_MOST - a ? a + b : RULE_WIDTH_MOST;
}

static void widen(struct reading_head *head, size_t bytes, size_t times)
{
    size_t more = bytes < RULE_WIDTH_MOST && times < RULE_WIDTH_MOST ? bytes * times : RULE_WIDTH_MOST;
    head->widest = width_sum(head->widest, more);
}

/* How often at most, of "{3}", "{1,3}", "{2,}"; the text begins behind the brace. */
static size_t times_of(struct text text)
{
    struct text inside = text_slice(text, 0, text_find_char(text, '}'));
    size_t comma = text_find_char(inside, ',');
    uint64_t most;
    if (comma < inside.length) inside = text_slice(inside, comma + 1, inside.length);
    return text_to_number(inside, RULE_WIDTH_MOST, &most) ? (size_t)most : RULE_WIDTH_MOST;
}

/* Steps over a quantifier of what matches `bytes` at most. False: what stands before it may be missing.
   `out_is_one`: there is none. */
static bool quantifier_skip(struct reading_head *head, size_t bytes, bool *out_is_one)
{
    char c = peek(head);
    bool is_braced =
        c == '{' && head->at + 1 < head->pattern.length && char_is_digit(head->pattern.at[head->at + 1]);
    bool is_sure = c != '*' && c != '?' && !(is_braced && head->pattern.at[head->at + 1] == '0');
    *out_is_one = c != '*' && c != '?' && c != '+' && !is_braced;
    size_t times = c == '?' || *out_is_one ? 1 : RULE_WIDTH_MOST;
    if (is_braced) times = times_of(text_slice(head->pattern, head->at + 1, head->pattern.length));
    widen(head, bytes, times);
    if (*out_is_one) return true;
    if (is_braced) head->at += text_find_char(text_slice(head->pattern, head->at, head->pattern.length), '}');
    if (head->at < head->pattern.length) head->at++;
    if (peek(head) == '?' || peek(head) == '+') head->at++;
    return is_sure;
}

static void class_skip(struct reading_head *head)
{
    head->at++;
    if (peek(head) == '^') head->at++;
    if (peek(head) == ']') head->at++;
    while (head->at < head->pattern.length && peek(head) != ']') {
        struct text rest = text_slice(head->pattern, head->at, head->pattern.length);
        if (text_starts(rest, TEXT("[:")))
            head->at += text_find(rest, TEXT(":]")) + 1;
        else if (peek(head) == '\\')
            head->at++;
        head->at++;
    }
    if (head->at < head->pattern.length) head->at++;
}

/* Behind a backslash and a letter or digit: no literal. Returns the bytes that it matches at most. */
static size_t escape_skip(struct reading_head *head)
{
    char c = peek(head);
    head->at++;
    if (c == 'Q' || c == 'E' || c == 'c' || c == 'o') head->is_lost = true;
    if (peek(head) == '{' && strchr("xpPNkg", c))
        head->at += text_find_char(text_slice(head->pattern, head->at, head->pattern.length), '}') + 1;
    else if (c == 'p' || c == 'P')
        head->at++;
    else if (c == 'x')
        for (int i = 0; i < 2 && char_hex_value(peek(head)) >= 0; i++) head->at++;
    return char_is_digit(c) || strchr("kgXR", c) ? RULE_WIDTH_MOST : 4;
}

/* "(…)", "(?:…)"; of all others nothing inside is promised. */
static void group_read(struct reading_head *head)
{
    bool is_plain = true, is_one;
    struct promise inside;
    run_end(head);
    head->at++;
    if (peek(head) == '?') {
        head->at++;
        is_plain = peek(head) == ':';
        bool is_look = peek(head) == '=' || peek(head) == '!' || peek(head) == '<';
        if (!is_plain && !is_look) head->is_lost = true;
        head->at++;
    } else if (peek(head) == '*') {
        head->is_lost = true;
    }
    inside = alternatives(head);
    inside.before = width_sum(head->widest, inside.before);
    if (peek(head) == ')') head->at++;
    if (quantifier_skip(head, inside.widest, &is_one) && is_plain) consider(head, &inside);
}

static void literal_read(struct reading_head *head)
{
    struct text rest = text_slice(head->pattern, head->at, head->pattern.length);
    size_t length = utf8_sequence(rest), before = buffer_length(&head->run);
    bool is_one;
    if (length == 0) length = 1;
    if (before == 0) head->run_before = head->widest;
    buffer_add_text(&head->run, text_slice(rest, 0, length));
    head->at += length;
    if (!quantifier_skip(head, length, &is_one)) buffer_truncate(&head->run, before);
    if (!is_one) run_end(head);
}

static void other_end(struct reading_head *head, size_t bytes)
{
    bool is_one;
    run_end(head);
    quantifier_skip(head, bytes, &is_one);
}

static void piece_read(struct reading_head *head)
{
    switch (peek(head)) {
    case '(':
        group_read(head);
        return;
    case '[':
        class_skip(head);
        other_end(head, 4);
        return;
    case '.':
    case '^':
    case '$':
        head->at++;
        other_end(head, 4);
        return;
    case '\\':
        head->at++;
        if (!char_is_alpha(peek(head)) && !char_is_digit(peek(head))) break;
        other_end(head, escape_skip(head));
        return;
    default:
        break;
    }
    if (head->at < head->pattern.length) literal_read(head);
}

static struct promise sequence(struct reading_head *head)
{
    struct promise best = { 0 }, second = { 0 }, *outer = head->best, *outer_second = head->second;
    struct buffer outer_run = head->run;
    size_t outer_widest = head->widest;
    head->best = &best;
    head->second = &second;
    head->run = (struct buffer){ 0 };
    head->widest = 0;
    while (head->at < head->pattern.length && peek(head) != '|' && peek(head) != ')' && !head->is_lost)
        piece_read(head);
    run_end(head);
    buffer_free(&head->run);
    head->run = outer_run;
    head->best = outer;
    head->second = outer_second;
    head->last_second = second;
    best.widest = head->widest;
    head->widest = outer_widest;
    return best;
}

static void join(struct arena *arena, struct promise *all, const struct promise *one)
{
    unsigned count = all->count + one->count;
    if (one->count == 0 || count > RULE_LITERALS_MOST) {
        all->count = RULE_LITERALS_MOST + 1; /* no more to be had */
        return;
    }
    struct text *items = arena_alloc_array(arena, count, sizeof *items);
    if (all->count) memcpy(items, all->items, all->count * sizeof *items);
    memcpy(items + all->count, one->items, one->count * sizeof *items);
    all->least = all->count == 0 || one->least < all->least ? one->least : all->least;
    if (one->before > all->before) all->before = one->before;
    all->items = items;
    all->count = count;
}

static struct promise alternatives(struct reading_head *head)
{
    struct promise all = { 0 };
    size_t widest = 0;
    if (++head->depth > NESTING_MOST) head->is_lost = true;
    for (bool is_more = true; is_more && !head->is_lost;) {
        struct promise one = sequence(head);
        if (one.widest > widest) widest = one.widest;
        if (all.count <= RULE_LITERALS_MOST) join(head->arena, &all, &one);
        is_more = peek(head) == '|';
        head->at += is_more;
    }
    head->depth--;
    if (head->is_lost || all.count > RULE_LITERALS_MOST) all.count = 0;
    all.widest = widest;
    return all;
}

static void promise_write(const struct promise *promise, struct rule_literals *out)
{
    out->count = promise->count;
    out->widest = promise->widest;
    out->before = promise->before;
    for (unsigned i = 0; i < promise->count; i++) out->items[i] = promise->items[i];
}

/* Only a pattern without alternatives at its top has a second set. */
void rule_literals_of(struct arena *arena, struct text pattern, struct rule_literals *out,
                      struct rule_literals *out_second)
{
    struct promise none = { 0 }, first = { 0 }, second = { 0 };
    struct reading_head head = { .arena = arena, .pattern = pattern, .best = &first, .second = &second };
    struct promise found = sequence(&head), other = head.last_second;
    if (peek(&head) == '|') {
        head = (struct reading_head){ .arena = arena, .pattern = pattern, .best = &first, .second = &second };
        found = alternatives(&head);
        other = none;
    }
    bool is_whole = !head.is_lost && head.at == pattern.length;
    promise_write(is_whole ? &found : &none, out);
    promise_write(is_whole ? &other : &none, out_second);
}
