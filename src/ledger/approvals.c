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
#include "base/file.h"
#include "base/log.h"
#include "base/printable.h"

enum { FIELD_MOST = 320, FILE_MOST = 16 * 1024 * 1024, FIELDS = 5 };

#define NAME "newsletters"

struct approvals {
    struct fingerprint_page *page;
    struct arena *arena; /* of the items' texts */
    struct approval *items;
    size_t count;
    int folder;
};

struct approvals *approvals_new(struct fingerprint_page *page)
{
    struct approvals *approvals = memory_alloc(sizeof *approvals);
    *approvals = (struct approvals){ .page = page, .arena = arena_new(0), .folder = -1 };
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
    size_t length = 0;
    if (text.length == 0 || text.length > FIELD_MOST) return false;
    for (size_t i = 0; i < text.length; i += length) {
        length = printable_length(text_slice(text, i, text.length));
        if (length == 0 || text.at[i] == ' ') return false;
    }
    return true;
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
    return approvals->count >= FINGERPRINTS_MOST ||
           own >= (recipient.length ? APPROVALS_OF_ONE_MOST : APPROVALS_FOR_ALL_MOST);
}

static void item_add(struct approvals *approvals, const struct approval *approval)
{
    struct arena *arena = approvals->arena;
    approvals->items = memory_grow(approvals->items, (approvals->count + 1) * sizeof *approvals->items);
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
                   approvals->count < FINGERPRINTS_MOST;
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
    int fd = openat(folder, NAME, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) log_error("ALARM: ledger/%s cannot be read: %s", NAME, strerror(errno));
    for (ssize_t got = 1; fd >= 0 && got > 0 && buffer_length(&content) < FILE_MOST;) {
        char *room = buffer_reserve(&content, 65536);
        got = read(fd, room, 65536);
        if (got > 0) buffer_commit(&content, (size_t)got);
    }
    if (fd >= 0) close(fd);
    file_take(approvals, buffer_text(&content));
    buffer_free(&content);
    publish(approvals);
}

/* --- changes --- */

enum approval_outcome approvals_add(struct approvals *approvals, const struct approval *approval)
{
    if (!approval_is_good(approval)) return APPROVAL_BAD;
    if (item_find(approvals, approval) < approvals->count) return APPROVAL_KNOWN;
    if (is_full(approvals, approval->recipient)) return APPROVAL_FULL;
    item_add(approvals, approval);
    if (!file_write(approvals)) {
        approvals->count--;
        return APPROVAL_UNSAVED;
    }
    publish(approvals);
    return APPROVAL_DONE;
}

enum approval_outcome approvals_forget(struct approvals *approvals, const struct approval *approval)
{
    size_t at = item_find(approvals, approval), behind = approvals->count - at - 1;
    if (at == approvals->count) return APPROVAL_KNOWN;
    struct approval gone = approvals->items[at];
    memmove(&approvals->items[at], &approvals->items[at + 1], behind * sizeof gone);
    approvals->count--;
    if (!file_write(approvals)) {
        memmove(&approvals->items[at + 1], &approvals->items[at], behind * sizeof gone);
        approvals->items[at] = gone;
        approvals->count++;
        return APPROVAL_UNSAVED;
    }
    tidy(approvals);
    publish(approvals);
    return APPROVAL_DONE;
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
