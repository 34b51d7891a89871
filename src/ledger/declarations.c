/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lines in order of their numbers, one each. Seldom changed: the whole file is written at each change. */
#include "ledger/declarations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"

enum { TAKERS_MOST = 4, NODES = UINT8_MAX + 1, SERIALS_MOST = UINT32_MAX / DECLARATION_NODES - 1 };
/* What is over is known for longer than clocks differ: else whoever is behind would tell it anew. */
enum { OVER_KEEP_MS = 24 * 60 * 60 * 1000 };

enum { COME_BACK_SERIALS_MOST = 1000 * 1000 };

#define NAME "declarations"

struct item {
    uint32_t number;
    uint16_t node; /* whose room it takes */
    bool is_end;
    uint64_t stamp, expires_ms;
    struct text line; /* owned */
};

struct share {
    uint32_t count;
    size_t bytes;
};

struct declarations {
    struct item *items;
    size_t count, room;
    struct share shares[NODES];
    size_t bytes;
    uint32_t next; /* serial of the next one that is said here */
    uint64_t stamp;
    int folder;
    uint16_t node;
    bool is_unkept;    /* the file has not all of it */
    bool is_unsettled; /* takers were called */
    struct declaration_taker takers[TAKERS_MOST];
    size_t taker_count;
    void (*changed)(void *context);
    void *context;
};

struct declarations *declarations_new(void)
{
    struct declarations *declarations = memory_alloc(sizeof *declarations);
    declarations->next = 1;
    declarations->folder = -1;
    return declarations;
}

void declarations_free(struct declarations *declarations)
{
    if (!declarations) return;
    for (size_t i = 0; i < declarations->count; i++) free((void *)declarations->items[i].line.at);
    free(declarations->items);
    free(declarations);
}

void declarations_add_taker(struct declarations *declarations, const struct declaration_taker *taker)
{
    declarations->takers[declarations->taker_count++] = *taker;
}

void declarations_set_listener(struct declarations *declarations, void (*changed)(void *context),
                               void *context)
{
    declarations->changed = changed;
    declarations->context = context;
}

void declarations_set_node(struct declarations *declarations, uint16_t node)
{
    declarations->node = node;
}

/* --- items --- */

/* Where it stands, or would. */
static size_t place_of(const struct declarations *declarations, uint32_t number)
{
    size_t low = 0, high = declarations->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (declarations->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: nothing is known of the number. */
static struct item *item_find(const struct declarations *declarations, uint32_t number)
{
    size_t at = place_of(declarations, number);
    return at < declarations->count && declarations->items[at].number == number ? &declarations->items[at]
                                                                                : NULL;
}

static void share_add(struct declarations *declarations, const struct item *item, bool is_added)
{
    struct share *share = &declarations->shares[item->node];
    share->count += is_added ? 1 : -1u;
    share->bytes += is_added ? item->line.length : -item->line.length;
    declarations->bytes += is_added ? item->line.length : -item->line.length;
}

/* Its line is the caller's now. */
static struct text item_cut(struct declarations *declarations, struct item *item)
{
    struct text line = item->line;
    size_t behind = (size_t)(&declarations->items[declarations->count] - item) - 1;
    share_add(declarations, item, false);
    memmove(item, item + 1, behind * sizeof *item);
    declarations->count--;
    return line;
}

static void item_drop(struct declarations *declarations, struct item *item)
{
    free((void *)item_cut(declarations, item).at);
}

static struct text line_copy(struct text line)
{
    char *copy = memory_alloc(line.length + 1);
    memcpy(copy, line.at, line.length);
    return text_from(copy, line.length);
}

/* A number that is not there yet. Takes the line over. */
static void item_put(struct declarations *declarations, const struct declaration *declaration,
                     struct text line)
{
    size_t at = place_of(declarations, declaration->number);
    if (declarations->count == declarations->room) {
        declarations->room = declarations->room ? 2 * declarations->room : 64;
        declarations->items =
            memory_grow(declarations->items, declarations->room * sizeof *declarations->items);
    }
    struct item *item = &declarations->items[at];
    memmove(item + 1, item, (declarations->count - at) * sizeof *item);
    *item = (struct item){ .number = declaration->number,
                           .node = declaration->node,
                           .is_end = declaration->is_end,
                           .stamp = ++declarations->stamp,
                           .expires_ms = declaration->expires_ms,
                           .line = line };
    declarations->count++;
    share_add(declarations, item, true);
}

/* What others say leaves this node its own share. */
static bool has_bytes(const struct declarations *declarations, uint16_t node, size_t length)
{
    return declarations->shares[node].bytes + length <= DECLARATIONS_OF_NODE_BYTES &&
           (node == declarations->node || declarations->bytes + length <= DECLARATIONS_BYTES);
}

static bool has_room(const struct declarations *declarations, uint16_t node, size_t length)
{
    return declarations->shares[node].count < DECLARATIONS_OF_NODE_MOST &&
           has_bytes(declarations, node, length);
}

/* The oldest ends of the node give way: who was away for so long that he has not heard them brings what they
   ended back. */
static bool room_make(struct declarations *declarations, uint16_t node, size_t length)
{
    for (size_t i = 0; i < declarations->count && !has_room(declarations, node, length);) {
        struct item *item = &declarations->items[i];
        if (item->is_end && item->node == node)
            item_drop(declarations, item);
        else
            i++;
    }
    return has_room(declarations, node, length);
}

/* --- the file: "next N", then the lines --- */

static bool file_write(const struct declarations *declarations)
{
    struct buffer out = { 0 };
    buffer_printf(&out, "next %u\n", declarations->next);
    for (size_t i = 0; i < declarations->count; i++) {
        buffer_add_text(&out, declarations->items[i].line);
        buffer_add_char(&out, '\n');
    }
    bool is_written =
        declarations->folder < 0 || file_replace(declarations->folder, NAME, buffer_text(&out), 0600);
    int error = errno;
    buffer_free(&out);
    errno = error;
    return is_written;
}

static void serial_note(struct declarations *declarations, uint64_t next)
{
    if (next > declarations->next && next <= SERIALS_MOST) declarations->next = (uint32_t)next;
}

static bool line_take(struct declarations *declarations, struct text line)
{
    struct text word, rest = line;
    struct declaration declaration;
    uint64_t next;
    if (text_next_word(&rest, &word) && text_equal(word, TEXT("next"))) {
        if (!text_to_number(text_trim(rest), SERIALS_MOST, &next)) return false;
        serial_note(declarations, next);
        return true;
    }
    if (!declaration_read(line, &declaration) || item_find(declarations, declaration.number) ||
        !has_room(declarations, declaration.node, line.length))
        return false;
    item_put(declarations, &declaration, line_copy(line));
    return true;
}

static void file_take(struct declarations *declarations)
{
    struct buffer content = { 0 };
    struct text line;
    size_t wrong = 0;
    if (declarations->folder >= 0 &&
        !file_read_at(declarations->folder, NAME, 2 * DECLARATIONS_BYTES, &content) && errno != ENOENT)
        log_error("ALARM: ledger/%s cannot be read: %s", NAME, strerror(errno));
    struct text rest = buffer_text(&content);
    while (text_next_line(&rest, &line)) wrong += !line_take(declarations, line);
    buffer_free(&content);
    if (wrong)
        log_error(
            "ALARM: ledger/%s has %zu lines that are no declaration: they are left out; other nodes tell "
            "what they know of them",
            NAME, wrong);
}

/* --- takers --- */

static const struct declaration_taker *taker_of(const struct declarations *declarations, struct text kind)
{
    for (size_t i = 0; i < declarations->taker_count; i++)
        if (text_equal(kind, text_of(declarations->takers[i].kind))) return &declarations->takers[i];
    return NULL;
}

static bool is_over(uint64_t expires_ms, uint64_t now_ms)
{
    return expires_ms && expires_ms <= now_ms;
}

static void hold(struct declarations *declarations, const struct declaration *said)
{
    const struct declaration_taker *taker = taker_of(declarations, said->kind);
    if (!taker) return;
    declarations->is_unsettled = true;
    taker->take(taker->context, said);
}

static void hold_no_more(struct declarations *declarations, const struct declaration *was)
{
    const struct declaration_taker *taker = taker_of(declarations, was->kind);
    if (!taker) return;
    declarations->is_unsettled = true;
    taker->end(taker->context, was);
}

static void settle(struct declarations *declarations)
{
    if (!declarations->is_unsettled) return;
    declarations->is_unsettled = false;
    for (size_t i = 0; i < declarations->taker_count; i++)
        declarations->takers[i].settle(declarations->takers[i].context);
}

void declarations_start(struct declarations *declarations, int folder, uint16_t node, uint64_t now_ms)
{
    declarations->folder = folder;
    declarations->node = node;
    file_take(declarations);
    for (size_t i = 0; i < declarations->count; i++) {
        struct declaration declaration;
        declarations_nth(declarations, i, &declaration);
        if (declaration.is_end)
            hold_no_more(declarations, &declaration);
        else if (!is_over(declaration.expires_ms, now_ms))
            hold(declarations, &declaration);
    }
    settle(declarations);
}

/* --- what is said here --- */

void declarations_note_number(struct declarations *declarations, uint32_t number)
{
    if (declaration_node(number) == declarations->node)
        serial_note(declarations, (uint64_t)number / DECLARATION_NODES + 1);
}

uint32_t declarations_next(const struct declarations *declarations)
{
    return declarations->node ? declarations->next * DECLARATION_NODES + declarations->node : 0;
}

static void tell(const struct declarations *declarations)
{
    if (declarations->changed) declarations->changed(declarations->context);
}

/* `by` is one word, and nothing is in it that a line cannot have. */
static bool is_read_back(struct text line, const struct declaration *said, struct declaration *out)
{
    return declaration_read(line, out) && text_equal(out->by, said->by) && text_equal(out->body, said->body);
}

/* Said by this node, and not on disk yet. False: it has no room, or cannot be one. */
static bool add(struct declarations *declarations, const struct declaration *said, uint32_t number)
{
    struct buffer out = { 0 };
    struct declaration anew = *said, again;
    anew.number = number;
    declaration_write(&anew, &out);
    struct text line = buffer_text(&out);
    bool is_good = number && declarations->next < SERIALS_MOST && is_read_back(line, &anew, &again) &&
                   room_make(declarations, declarations->node, line.length);
    if (is_good) {
        item_put(declarations, &again, line_copy(line));
        declarations->next++;
    }
    buffer_free(&out);
    return is_good;
}

bool declarations_say(struct declarations *declarations, const struct declaration *said)
{
    uint32_t number = declarations_next(declarations);
    if (!add(declarations, said, number)) {
        errno = ENOSPC;
        return false;
    }
    if (file_write(declarations)) {
        declarations->is_unkept = false;
        tell(declarations);
        return true;
    }
    int error = errno;
    item_drop(declarations, item_find(declarations, number));
    declarations->next--;
    errno = error;
    return false;
}

/* Puts `line` where another stands; that one is returned and the caller's. */
static struct text item_change(struct declarations *declarations, struct item *item,
                               const struct declaration *declaration, struct text line)
{
    struct text old = item_cut(declarations, item);
    item_put(declarations, declaration, line);
    return old;
}

static bool end_write(struct declarations *declarations, struct item *item, const struct declaration *end)
{
    struct buffer out = { 0 };
    struct declaration was, again;
    declaration_read(item->line, &was);
    declaration_write(end, &out);
    if (!is_read_back(buffer_text(&out), end, &again)) {
        buffer_free(&out);
        errno = EINVAL;
        return false;
    }
    struct text old = item_change(declarations, item, end, line_copy(buffer_text(&out)));
    buffer_free(&out);
    if (file_write(declarations)) {
        free((void *)old.at);
        declarations->is_unkept = false;
        tell(declarations);
        return true;
    }
    int error = errno;
    struct text undone = item_change(declarations, item_find(declarations, was.number), &was, old);
    free((void *)undone.at);
    errno = error;
    return false;
}

bool declarations_end(struct declarations *declarations, uint32_t number, struct text by, uint64_t now_ms)
{
    struct item *item = item_find(declarations, number);
    struct declaration was;
    if (!item || item->is_end || !declarations->node || !declaration_read(item->line, &was)) return true;
    struct declaration end = { .number = number,
                               .is_end = true,
                               .node = declarations->node,
                               .kind = was.kind,
                               .by = by,
                               .made_ms = was.made_ms,
                               .ended_ms = now_ms,
                               .expires_ms = was.expires_ms,
                               .body = was.body };
    return end_write(declarations, item, &end);
}

/* --- what others say --- */

static bool says_so_already(const struct declarations *declarations, const struct declaration *said)
{
    for (size_t i = 0; i < declarations->count; i++) {
        struct declaration other;
        const struct item *item = &declarations->items[i];
        if (item->is_end || item->node != declarations->node || !declaration_read(item->line, &other))
            continue;
        if (text_equal(other.kind, said->kind) && text_equal(other.body, said->body)) return true;
    }
    return false;
}

/* Ours, of two under one number the one that does not stand. Numbers came twice: a file was lost. */
static void say_anew(struct declarations *declarations, struct text line)
{
    struct declaration lost;
    uint32_t number = declarations_next(declarations);
    if (!declaration_read(line, &lost) || lost.is_end || says_so_already(declarations, &lost)) return;
    if (!add(declarations, &lost, number)) return;
    log_warning("declaration %u was another one before: what does not stand is %u from now on", lost.number,
                number);
    struct declaration anew;
    declarations_find(declarations, number, &anew);
    hold(declarations, &anew);
}

/* Both are about the same: one and the same, or its end. */
static bool is_of(const struct declaration *a, const struct declaration *b)
{
    return (a->is_end && b->is_end) || (text_equal(a->kind, b->kind) && text_equal(a->body, b->body));
}

/* There is another line with that number. `line` is the caller's still. */
static enum declaration_outcome meet(struct declarations *declarations, struct item *item,
                                     const struct declaration *heard, struct text line)
{
    struct declaration known;
    declaration_read(item->line, &known);
    bool is_ours = declarations->node && declaration_node(heard->number) == declarations->node;
    bool is_twice = is_ours && !is_of(heard, &known);
    uint64_t before = declarations->stamp;
    if (!declaration_beats(line, item->line)) {
        if (is_twice) say_anew(declarations, line);
        return declarations->stamp > before ? DECLARATION_NEW : DECLARATION_KNOWN;
    }
    bool fits = heard->node != item->node
                    ? room_make(declarations, heard->node, line.length)
                    : line.length <= item->line.length || has_bytes(declarations, heard->node, line.length);
    if (!fits) return DECLARATION_FULL;
    item = item_find(declarations, heard->number);
    struct text old = item_change(declarations, item, heard, line_copy(line));
    if (!known.is_end) hold_no_more(declarations, &known);
    if (!heard->is_end) hold(declarations, heard);
    if (is_twice) say_anew(declarations, old);
    free((void *)old.at);
    return DECLARATION_NEW;
}

/* What comes back under this node's number, or claims so, leaves it half of its lines and most of its
 * numbers.
 */
static bool may_come_back(const struct declarations *declarations, const struct declaration *heard)
{
    uint16_t node = declarations->node;
    bool is_number_ours = declaration_node(heard->number) == node;
    if (!node || (!is_number_ours && heard->node != node) || item_find(declarations, heard->number))
        return true;
    return (!is_number_ours || heard->number / DECLARATION_NODES <= COME_BACK_SERIALS_MOST) &&
           declarations->shares[node].count < DECLARATIONS_OF_NODE_MOST / 2;
}

enum declaration_outcome declarations_hear(struct declarations *declarations, struct text line,
                                           uint64_t now_ms)
{
    struct declaration heard;
    if (!declaration_read(line, &heard)) return DECLARATION_BAD;
    if (!may_come_back(declarations, &heard)) return DECLARATION_FULL;
    declarations_note_number(declarations, heard.number);
    struct item *item = item_find(declarations, heard.number);
    if ((item && text_equal(item->line, line)) || is_over(heard.expires_ms, now_ms)) return DECLARATION_KNOWN;
    enum declaration_outcome outcome = DECLARATION_NEW;
    if (item)
        outcome = meet(declarations, item, &heard, line);
    else if (!room_make(declarations, heard.node, line.length))
        return DECLARATION_FULL;
    else
        item_put(declarations, &heard, line_copy(line));
    if (!item && heard.is_end) hold_no_more(declarations, &heard);
    if (!item && !heard.is_end) hold(declarations, &heard);
    if (outcome == DECLARATION_NEW) declarations->is_unkept = true;
    return outcome;
}

bool declarations_keep(struct declarations *declarations)
{
    if (declarations->is_unkept && !file_write(declarations)) return false;
    bool has_changed = declarations->is_unkept;
    declarations->is_unkept = false;
    settle(declarations);
    if (has_changed) tell(declarations);
    return true;
}

void declarations_look(struct declarations *declarations, uint64_t now_ms)
{
    for (size_t i = 0; i < declarations->count;) {
        struct item *item = &declarations->items[i];
        if (now_ms > OVER_KEEP_MS && is_over(item->expires_ms, now_ms - OVER_KEEP_MS)) {
            item_drop(declarations, item);
            declarations->is_unkept = true;
        } else
            i++;
    }
    if (!declarations_keep(declarations))
        log_error("what other nodes said cannot be written: %s", strerror(errno));
}

/* --- looking and telling --- */

size_t declarations_count(const struct declarations *declarations)
{
    return declarations->count;
}

void declarations_nth(const struct declarations *declarations, size_t n, struct declaration *out)
{
    declaration_read(declarations->items[n].line, out);
}

bool declarations_find(const struct declarations *declarations, uint32_t number, struct declaration *out)
{
    const struct item *item = item_find(declarations, number);
    return item && declaration_read(item->line, out);
}

uint64_t declarations_stamp(const struct declarations *declarations)
{
    return declarations->stamp;
}

uint32_t declarations_list(const struct declarations *declarations, uint64_t from, uint64_t until,
                           uint32_t number, size_t most, struct buffer *out)
{
    size_t start = buffer_length(out);
    for (size_t at = place_of(declarations, number + 1); at < declarations->count; at++) {
        const struct item *item = &declarations->items[at];
        if (item->stamp <= from || item->stamp > until) continue;
        if (buffer_length(out) - start + item->line.length + 1 > most) return number;
        buffer_add_text(out, item->line);
        buffer_add_char(out, '\n');
        number = item->number;
    }
    return 0;
}
