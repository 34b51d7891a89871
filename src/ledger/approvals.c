/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Few, and seldom changed: the whole file is written at each change. */
#include "ledger/approvals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/context.h"
#include "base/file.h"
#include "base/log.h"
#include "base/printable.h"

enum { FIELD_MOST = 320, FILE_MOST = 16 * 1024 * 1024, FIELDS = 5 };

#define NAME "newsletters"
#define DECLARATION_KIND "newsletter"

struct approvals {
    enum { APPROVALS_MAGIC = 0x1b60d7e4 } magic;
    struct declarations *declarations; /* NULL: other nodes are not told */
    bool is_heard;                     /* they said something that is not in force yet */
    struct fingerprint_page *page;
    struct arena *arena; /* of the items' texts */
    struct approval *items;
    size_t count, room; /* items; places for them */
    int folder;
};

struct approvals *approvals_new(struct fingerprint_page *page)
{
    struct approvals *approvals = memory_alloc(sizeof *approvals);
    *approvals =
        (struct approvals){ .magic = APPROVALS_MAGIC, .page = page, .arena = arena_new(0), .folder = -1 };
    return approvals;
}

void approvals_free(struct approvals *approvals)
{
    if (!approvals) return;
    fingerprint_page_unmap(approvals->page);
    arena_free(approvals->arena);
    free(approvals->items);
    free(approvals);
}

/* People read it in a list: what would act on a terminal, or is no UTF-8, is no word. */
static bool is_word(struct text text)
{
    return text.length > 0 && text.length <= FIELD_MOST && printable_is_whole(text) &&
           text_find_char(text, ' ') == text.length;
}

bool approval_is_good(const struct approval *approval)
{
    struct text recipient = approval->recipient;
    if (!is_word(approval->name) || !is_word(approval->domain) || !is_word(approval->by)) return false;
    return recipient.length == 0 ||
           (is_word(recipient) && text_find_last_char(recipient, '@') < recipient.length);
}

static bool is_same(const struct approval *a, const struct approval *b)
{
    return text_equal(a->name, b->name) && text_equal(a->domain, b->domain) &&
           text_equal(a->recipient, b->recipient);
}

/* count where there is none. */
static size_t item_find(const struct approvals *approvals, const struct approval *approval)
{
    size_t i = 0;
    while (i < approvals->count && !is_same(&approvals->items[i], approval)) i++;
    return i;
}

static bool is_full(const struct approvals *approvals, struct text recipient)
{
    size_t own = 0;
    for (size_t i = 0; i < approvals->count; i++) own += text_equal(approvals->items[i].recipient, recipient);
    return approvals->count >= APPROVALS_MOST ||
           own >= (recipient.length ? APPROVALS_OF_ONE_MOST : APPROVALS_FOR_ALL_MOST);
}

static void item_add(struct approvals *approvals, const struct approval *approval)
{
    struct arena *arena = approvals->arena;
    if (approvals->count == approvals->room) {
        approvals->room = approvals->room ? 2 * approvals->room : 16;
        approvals->items = memory_grow(approvals->items, approvals->room * sizeof *approvals->items);
    }
    approvals->items[approvals->count++] =
        (struct approval){ arena_text(arena, approval->name), arena_text(arena, approval->domain),
                           arena_text(arena, approval->recipient), arena_text(arena, approval->by),
                           approval->time_ms };
}

/* What was forgotten takes no room any longer. */
static void tidy(struct approvals *approvals)
{
    struct approvals fresh = { .arena = arena_new(0) };
    for (size_t i = 0; i < approvals->count; i++) item_add(&fresh, &approvals->items[i]);
    arena_free(approvals->arena);
    free(approvals->items);
    approvals->arena = fresh.arena;
    approvals->items = fresh.items;
    approvals->room = fresh.room;
}

static void publish(const struct approvals *approvals)
{
    if (!approvals->page) return;
    struct fingerprint *all = memory_alloc((approvals->count + 1) * sizeof *all);
    for (size_t i = 0; i < approvals->count; i++) {
        const struct approval *item = &approvals->items[i];
        all[i] = fingerprint_of_approval(item->name, item->domain, item->recipient);
    }
    fingerprint_page_write(approvals->page, all, approvals->count);
    free(all);
}

/* --- the file: "TIME NAME DOMAIN RECIPIENT BY", "*" for everybody --- */

static bool file_write(const struct approvals *approvals)
{
    struct buffer out = { 0 };
    for (size_t i = 0; i < approvals->count; i++) {
        const struct approval *item = &approvals->items[i];
        buffer_printf(&out, "%llu %.*s %.*s %.*s %.*s\n", (unsigned long long)item->time_ms,
                      TEXT_ARG(item->name), TEXT_ARG(item->domain),
                      TEXT_ARG(item->recipient.length ? item->recipient : TEXT("*")), TEXT_ARG(item->by));
    }
    bool is_written = file_replace(approvals->folder, NAME, buffer_text(&out), 0600);
    int error = errno;
    buffer_free(&out);
    errno = error;
    return is_written;
}

static bool line_take(struct approvals *approvals, struct text line)
{
    struct text fields[FIELDS] = { 0 };
    for (size_t i = 0; i < FIELDS; i++)
        if (!text_next_word(&line, &fields[i])) return false;
    struct approval approval = {
        .name = fields[1], .domain = fields[2], .recipient = fields[3], .by = fields[4]
    };
    if (text_equal(approval.recipient, TEXT("*"))) approval.recipient = TEXT_NONE;
    bool is_ours = text_to_number(fields[0], UINT64_MAX, &approval.time_ms) && approval_is_good(&approval) &&
                   approvals->count < APPROVALS_MOST;
    if (is_ours) item_add(approvals, &approval);
    return is_ours;
}

static void file_take(struct approvals *approvals, struct text content)
{
    size_t wrong = 0;
    struct text line;
    while (text_next_line(&content, &line)) wrong += !line_take(approvals, line);
    if (wrong)
        log_error("ALARM: ledger/%s has %zu lines that approve no newsletter: they are left out, and go when "
                  "the next one is approved",
                  NAME, wrong);
}

void approvals_start(struct approvals *approvals, int folder)
{
    struct buffer content = { 0 };
    approvals->folder = folder;
    if (!file_read_at(folder, NAME, FILE_MOST, &content) && errno != ENOENT)
        log_error("ALARM: ledger/%s cannot be read: %s", NAME, strerror(errno));
    file_take(approvals, buffer_text(&content));
    buffer_free(&content);
    publish(approvals);
}

/* --- changes --- */

/* What other nodes are told: "NAME DOMAIN RECIPIENT". */
static void body_write(const struct approval *approval, struct buffer *out)
{
    buffer_printf(out, "%.*s %.*s %.*s", TEXT_ARG(approval->name), TEXT_ARG(approval->domain),
                  TEXT_ARG(approval->recipient.length ? approval->recipient : TEXT("*")));
}

static bool tell(struct approvals *approvals, const struct approval *approval)
{
    struct buffer body = { 0 };
    body_write(approval, &body);
    bool is_said =
        declarations_say(approvals->declarations, &(struct declaration){ .kind = TEXT(DECLARATION_KIND),
                                                                         .by = approval->by,
                                                                         .body = buffer_text(&body),
                                                                         .made_ms = approval->time_ms });
    int error = errno;
    buffer_free(&body);
    errno = error;
    return is_said;
}

/* What has been told holds, whether this file can be written or not. */
static bool add_keep(struct approvals *approvals, const struct approval *approval)
{
    bool is_told = approvals->declarations && declarations_next(approvals->declarations);
    if (is_told && !tell(approvals, approval)) return false;
    if (file_write(approvals)) return true;
    if (is_told) log_error("ledger/%s cannot be written: %s", NAME, strerror(errno));
    return is_told;
}

enum approval_outcome approvals_add(struct approvals *approvals, const struct approval *approval)
{
    if (!approval_is_good(approval)) return APPROVAL_BAD;
    if (item_find(approvals, approval) < approvals->count) return APPROVAL_KNOWN;
    if (is_full(approvals, approval->recipient)) return APPROVAL_FULL;
    item_add(approvals, approval);
    if (!add_keep(approvals, approval)) {
        approvals->count--;
        return APPROVAL_UNSAVED;
    }
    publish(approvals);
    return APPROVAL_DONE;
}

/* The first of those that say so; 0: none does. */
static uint32_t told_find(const struct approvals *approvals, struct text body)
{
    struct declaration said;
    for (size_t i = 0; i < declarations_count(approvals->declarations); i++) {
        declarations_nth(approvals->declarations, i, &said);
        if (!said.is_end && text_equal(said.kind, TEXT(DECLARATION_KIND)) && text_equal(said.body, body))
            return said.number;
    }
    return 0;
}

/* All that say so end, whichever nodes they are of. */
static bool told_end(struct approvals *approvals, const struct approval *approval)
{
    struct buffer body = { 0 };
    bool is_good = true;
    body_write(approval, &body);
    for (uint32_t number;
         is_good && approvals->declarations && (number = told_find(approvals, buffer_text(&body))) > 0;)
        is_good = declarations_end(approvals->declarations, number, approval->by, approval->time_ms);
    int error = errno;
    buffer_free(&body);
    errno = error;
    return is_good;
}

static void item_cut(struct approvals *approvals, size_t at)
{
    size_t behind = approvals->count - at - 1;
    memmove(&approvals->items[at], &approvals->items[at + 1], behind * sizeof *approvals->items);
    approvals->count--;
}

/* The file first: what it has not and a declaration says is taken up again when the node starts. */
enum approval_outcome approvals_forget(struct approvals *approvals, const struct approval *approval)
{
    size_t at = item_find(approvals, approval), behind = approvals->count - at - 1;
    if (at == approvals->count) return APPROVAL_KNOWN;
    struct approval gone = approvals->items[at];
    item_cut(approvals, at);
    if (!file_write(approvals) || !told_end(approvals, approval)) {
        memmove(&approvals->items[at + 1], &approvals->items[at], behind * sizeof gone);
        approvals->items[at] = gone;
        approvals->count++;
        return APPROVAL_UNSAVED;
    }
    tidy(approvals);
    publish(approvals);
    return APPROVAL_DONE;
}

/* --- what other nodes say --- */

static bool body_take(const struct declaration *said, struct approval *out)
{
    struct text rest = said->body;
    *out = (struct approval){ .by = said->by, .time_ms = said->made_ms };
    if (!text_next_word(&rest, &out->name) || !text_next_word(&rest, &out->domain) ||
        !text_next_word(&rest, &out->recipient) || rest.length > 0)
        return false;
    if (text_equal(out->recipient, TEXT("*"))) out->recipient = TEXT_NONE;
    return approval_is_good(out);
}

static bool on_said(void *context, const struct declaration *said)
{
    struct approvals *approvals = CONTEXT(context, struct approvals, APPROVALS_MAGIC);
    struct approval heard;
    if (!body_take(said, &heard)) return false;
    if (item_find(approvals, &heard) < approvals->count) return true;
    if (is_full(approvals, heard.recipient)) return false;
    item_add(approvals, &heard);
    approvals->is_heard = true;
    return true;
}

static void on_ended(void *context, const struct declaration *was)
{
    struct approvals *approvals = CONTEXT(context, struct approvals, APPROVALS_MAGIC);
    struct approval ended;
    if (!body_take(was, &ended)) return;
    size_t at = item_find(approvals, &ended);
    if (at == approvals->count || told_find(approvals, was->body)) return;
    item_cut(approvals, at);
    approvals->is_heard = true;
}

static void on_settled(void *context)
{
    struct approvals *approvals = CONTEXT(context, struct approvals, APPROVALS_MAGIC);
    if (!approvals->is_heard) return;
    approvals->is_heard = false;
    tidy(approvals);
    publish(approvals);
    if (!file_write(approvals)) log_error("ledger/%s cannot be written: %s", NAME, strerror(errno));
}

void approvals_share(struct approvals *approvals, struct declarations *declarations)
{
    approvals->declarations = declarations;
    declarations_add_taker(declarations, &(struct declaration_taker){ DECLARATION_KIND, on_said, on_ended,
                                                                      on_settled, approvals });
}

bool approvals_has(const struct approvals *approvals, const struct approval *approval)
{
    return item_find(approvals, approval) < approvals->count;
}

size_t approvals_count(const struct approvals *approvals)
{
    return approvals->count;
}

const struct approval *approvals_nth(const struct approvals *approvals, size_t n)
{
    return &approvals->items[n];
}
